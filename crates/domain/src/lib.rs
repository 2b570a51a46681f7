//! 产品领域 (G-1, G-4b, G-4f): which stages, event types, fields and rules each domain of products
//! has. Shipped packs are files in `domains/`; further ones, and further versions of the shipped
//! ones, are uploaded and put into use without a rebuild.

pub mod columns;
mod domains;
mod field;
mod http;
mod pack;
mod read;
mod retention;
mod rule;
mod sound;
mod successor;
mod upload;

pub use domains::{Domains, current, today};
pub use field::{FieldKind, FieldSpec, LENGTH_MAX, Schema, check_attributes};
pub use http::routes;
pub use pack::{
    EventSpec, EventType, InputMode, InputSpec, OutputSpec, Pack, PackVersion, StageSpec, Terminal,
};
pub use read::read;
pub use retention::{KEPT_MONTHS_MIN, Kept, Retention};
pub use rule::{Band, ClassPlan, Demand, EVENT_TIME, Factor, Limit, Rule, Scheme};

use jiff::civil::Date;
use yj_kernel::{Migration, Result, Tx};

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "domain/0001_domain",
    script: include_str!("../migrations/0001_domain.sql"),
}];

/// Code and 中文名称 of every domain in which records may be written on this day: what the code
/// lists of the registers are to offer.
pub async fn codes(tx: &mut Tx, day: Date) -> Result<Vec<(String, String)>> {
    let domains = current(tx).await?;
    Ok(domains.all_in_force(day).map(|pack| (pack.code.clone(), pack.name.clone())).collect())
}
