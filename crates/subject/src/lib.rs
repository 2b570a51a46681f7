//! 追溯主体管理 (G-6.2, D-6.5): those who carry the duty of traceability, the nodes where they
//! trade, and the merchants registered there.

mod lookup;
mod merchant;
mod node;
mod subject;

pub use lookup::{
    Contact, SubjectBrief, by_codes, by_ids, contacts, query_by_codes, read_by_codes,
};
pub use merchant::Merchant;
pub use node::Node;
pub use subject::TraceSubject;

use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of subjects.
pub static TRACE_SUBJECT: &Entity = Entity::of::<TraceSubject>();

/// The register of nodes.
pub static NODE: &Entity = Entity::of::<Node>();

/// The register of merchants.
pub static MERCHANT: &Entity = Entity::of::<Merchant>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "subject/0001_subject",
        script: include_str!("../migrations/0001_subject.sql"),
    },
    Migration {
        name: "subject/0002_protection",
        script: include_str!("../migrations/0002_protection.sql"),
    },
    Migration { name: "subject/0003_node", script: include_str!("../migrations/0003_node.sql") },
    Migration {
        name: "subject/0010_search",
        script: include_str!("../migrations/0010_search.sql"),
    },
];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    [TRACE_SUBJECT, NODE, MERCHANT].into_iter().flat_map(record_routes).collect()
}
