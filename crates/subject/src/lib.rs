//! 追溯主体管理 (G-6.2, D-6.5): the register of those who carry the duty of traceability.

mod lookup;
mod subject;

pub use lookup::{
    Contact, SubjectBrief, by_codes, by_ids, contacts, query_by_codes, read_by_codes,
};
pub use subject::TraceSubject;

use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of subjects.
pub static TRACE_SUBJECT: &Entity = Entity::of::<TraceSubject>();

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
];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    record_routes(TRACE_SUBJECT)
}
