//! 统一用户管理与权限 (§5.4.2 接入认证, §5.4.3 用户管理和权限管理): who may come in, and what they
//! may do there.

mod account;
mod http;
mod password;
mod role;
mod session;

pub use account::{NewAccount, create};
pub use http::routes;
pub use role::Role;
pub use session::Sessions;

use yj_kernel::Migration;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "identity/0001_account",
    script: include_str!("../migrations/0001_account.sql"),
}];
