//! 追溯主体管理 (G-6.2, D-6.5): those who carry the duty of traceability with their licences, sites
//! and former codes, the nodes where they trade, and the merchants registered there.

mod alias;
mod application;
mod application_review;
mod arrival;
mod checks;
mod code;
mod conflict;
mod expected;
mod import;
mod licence;
mod lookup;
mod merchant;
mod merchant_place;
mod merger;
mod node;
mod person;
mod receive;
mod site;
mod standing;
mod subject;
mod within;

pub use alias::SubjectAlias;
pub use application_review::{ApprovedApplication, approved_application, close_application};
pub use expected::{
    Expected, MerchantBrief, expected_merchants, expected_subjects, merchants_by_ids,
};
pub use import::JOBS;
pub use licence::{Licence, Validity};
pub use lookup::{
    ByCode, Contact, SubjectBrief, by_codes, by_ids, contacts, forebears, heirs, is_person,
    kind_of, query_by_codes, query_heirs, read_by_codes, read_heirs, subjects_of_node,
};
pub use merchant::Merchant;
pub use merchant_place::MerchantPlace;
pub use merger::SubjectMerger;
pub use node::Node;
pub use receive::push;
pub use site::Site;
pub use standing::{REGISTERED, Status};
pub use subject::TraceSubject;
pub use within::glns_within;

use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of subjects.
pub static TRACE_SUBJECT: &Entity = Entity::of::<TraceSubject>();

/// The register of licences.
pub static LICENCE: &Entity = Entity::of::<Licence>();

/// The register of sites.
pub static SITE: &Entity = Entity::of::<Site>();

/// The register of former codes.
pub static SUBJECT_ALIAS: &Entity = Entity::of::<SubjectAlias>();

/// The register of mergers.
pub static SUBJECT_MERGER: &Entity = Entity::of::<SubjectMerger>();

/// The register of nodes.
pub static NODE: &Entity = Entity::of::<Node>();

/// The register of merchants.
pub static MERCHANT: &Entity = Entity::of::<Merchant>();

/// The register of the further nodes of merchants.
pub static MERCHANT_PLACE: &Entity = Entity::of::<MerchantPlace>();

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
        name: "subject/0004_elements",
        script: include_str!("../migrations/0004_elements.sql"),
    },
    Migration {
        name: "subject/0005_conflict",
        script: include_str!("../migrations/0005_conflict.sql"),
    },
    Migration {
        name: "subject/0010_search",
        script: include_str!("../migrations/0010_search.sql"),
    },
    Migration {
        name: "subject/0011_site_place",
        script: include_str!("../migrations/0011_site_place.sql"),
    },
    Migration {
        name: "subject/0012_application",
        script: include_str!("../migrations/0012_application.sql"),
    },
    Migration {
        name: "subject/0013_status_since",
        script: include_str!("../migrations/0013_status_since.sql"),
    },
    Migration {
        name: "subject/0014_person",
        script: include_str!("../migrations/0014_person.sql"),
    },
    Migration { name: "subject/0016_node", script: include_str!("../migrations/0016_node.sql") },
    Migration {
        name: "subject/0017_merchant",
        script: include_str!("../migrations/0017_merchant.sql"),
    },
    Migration {
        name: "subject/0018_within",
        script: include_str!("../migrations/0018_within.sql"),
    },
];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    let own: Vec<Route> = [
        arrival::routes(),
        import::routes(),
        code::routes(),
        receive::routes(),
        standing::routes(),
        merger::routes(),
        conflict::routes(),
        application::routes(),
        application_review::routes(),
        licence::routes(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let registers = [
        TRACE_SUBJECT,
        LICENCE,
        SITE,
        SUBJECT_ALIAS,
        SUBJECT_MERGER,
        NODE,
        MERCHANT,
        MERCHANT_PLACE,
    ];
    let of_registers = registers.into_iter().flat_map(record_routes);
    // Registration and import of subjects have routes of their own here.
    let others = of_registers.filter(|route| {
        !own.iter().any(|known| (&known.method, &known.path) == (&route.method, &route.path))
    });
    let others: Vec<Route> = others.collect();
    own.into_iter().chain(others).collect()
}
