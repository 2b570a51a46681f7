//! 产品领域 (G-1, G-4b, G-4f): which stages, event types, fields and rules each domain of products
//! has. Shipped packs are files in `domains/`; further ones, and further versions of the shipped
//! ones, are uploaded and put into use without a rebuild.

pub mod columns;
mod documents;
mod domains;
mod field;
mod goods;
mod http;
mod pack;
mod read;
mod retention;
mod rule;
pub mod schema;
mod schema_example;
mod schema_json;
mod schema_number;
mod schema_pattern;
mod schema_xsd;
mod sound;
mod successor;
mod upload;

pub use documents::{DocumentDemand, Lacking};
pub use domains::{Domains, current, likely, query_current, read_current};
pub use field::{FieldClass, FieldKind, FieldSpec, LENGTH_MAX, Schema, check_attributes};
pub use goods::{Belongs, CLASS, GoodsDemand, GoodsRule, Moved, Trips};
pub use http::routes;
pub use pack::{
    EventSpec, EventType, InputMode, InputSpec, OutputSpec, Pack, PackVersion, Packing, Reporting,
    StageSpec, Terminal,
};
pub use read::read;
pub use retention::{
    Asked, KEPT_MONTHS_MIN, Kept, Recorded, Retention, asked_of_document, kept_at_least, kept_from,
};
pub use rule::{Band, ClassPlan, Demand, EVENT_TIME, Factor, Limit, Months, Rule, Scheme};

use yj_kernel::{App, CodeList, Migration, Result, Tx};
use yj_model::{DOMAIN_LIST, DOMAINS};

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "domain/0001_domain",
    script: include_str!("../migrations/0001_domain.sql"),
}];

/// Every domain that records may name: the eight of the standards in their order, then those that
/// were uploaded, closed ones among them, for what was registered in them stays.
pub const CODES: CodeList =
    CodeList { name: DOMAIN_LIST, read: |app, tx| Box::pin(codes(app, tx)) };

async fn codes(app: &App, tx: &mut Tx) -> Result<Vec<(String, String)>> {
    let domains = current(tx).await?;
    let own = |(code, name): &(&str, &str)| (String::from(*code), String::from(*name));
    let mut codes: Vec<_> = DOMAINS.iter().map(own).collect();
    for pack in domains.all_shown(app.today()) {
        match codes.iter_mut().find(|(code, _)| *code == pack.code) {
            Some(known) => known.1.clone_from(&pack.name),
            None => codes.push((pack.code.clone(), pack.name.clone())),
        }
    }
    Ok(codes)
}
