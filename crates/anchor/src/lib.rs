//! 外部锚定 (D-6.3): the state of the log is written to networks that others run, so that nobody,
//! the platform included, can later tell another history. Only digests leave the platform.

mod chain;
#[cfg(feature = "evm")]
pub mod evm;
mod http;
mod outbox;
mod worker;

pub use chain::{Chain, Mark, Offer, Place, Status, Trouble};
pub use http::routes;
pub use outbox::State;
pub use worker::{Anchoring, Plan};

use yj_kernel::Migration;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "anchor/0001_anchor",
    script: include_str!("../migrations/0001_anchor.sql"),
}];
