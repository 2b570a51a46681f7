//! 应用支撑层 (§5.4): what every business module stands on.
//!
//! A business record is described once, as data ([`Entity`]). From that description this crate
//! derives storage, listing with filters and paging, access scope, audit trail, announcements,
//! review of changes, import and export, HTTP routes and their OpenAPI text. Business rules stay
//! ordinary functions in the business modules.

mod again;
mod approval;
mod area;
pub mod attachment;
pub mod audit;
mod base;
mod bulk;
mod called;
mod change_rule;
pub mod code_list;
mod context;
mod cursor;
mod dataset;
mod db;
mod derived;
pub mod dictionary;
mod disk;
mod entity;
mod environment;
mod export_approval;
mod field;
mod figures;
mod file_name;
mod gather;
mod http;
pub mod jobs;
pub mod json;
mod listing;
mod map;
mod openapi;
pub mod outbox;
mod past;
mod period;
mod personal_search;
mod position;
mod principal;
mod problem;
mod protection;
mod reading;
mod record;
pub mod reference;
pub mod review;
pub mod route;
mod saved_view;
mod scope;
mod search;
pub mod spread;
pub mod transfer;
pub mod vault;

pub use again::again;
pub use attachment::Attachments;
pub use base::base_routes;
pub use bulk::load;
pub use code_list::CodeList;
pub use context::{App, AppParts, Ctx, Platform, Witness};
pub use dataset::{Asked, Chunk, Dataset};
pub use db::{
    Db, Dialect, Fuse, Migration, Row, Sql, SqlValue, Tx, VALUES_MAX, insert_rows, lie_near,
};
pub use derived::{Succession, derive};
pub use disk::Disk;
pub use entity::{Changed, Entity, Resource};
pub use environment::{Environment, SystemEnvironment};
pub use field::{
    Codes, EARLIEST_DAY, Elsewhere, Field, Kind, Match, Need, Normalise, mask, time_text,
};
pub use file_name::{disposition, file_name};
pub use gather::Gather;
pub use http::{READ_QUERY, expected_version, read_record, record_routes, sound_reason};
pub use jobs::{JobKind, JobRun, Outcome, RowResult};
pub use json::{Body, Object};
pub use listing::{COUNT_MAX, Counting, number, size};
pub use openapi::openapi;
pub use position::{DATUM, DATUM_GIVEN, LATITUDE, LONGITUDE, Position};
pub use principal::{
    ActorKind, Authenticator, Credentials, Grant, Origin, Principal, Rights, Standing,
};
pub use problem::{Doubled, FieldError, Problem, Result};
pub use protection::require_reveals_left;
pub use record::{Stored, veil_always};
pub use route::{Access, Checked, Param, Route, Shape, Unchecked, router};
pub use scope::{Columns, DataClass, Limit, Place, Reach, Scope, Scoping, Within, starts_with};
pub use search::renew as renew_search;
pub use spread::Spread;
pub use vault::{FileRootKey, Purpose, RootKey, Vault};

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "kernel/0001_base", script: include_str!("../migrations/0001_base.sql") },
    Migration { name: "kernel/0002_audit", script: include_str!("../migrations/0002_audit.sql") },
    Migration { name: "kernel/0003_vault", script: include_str!("../migrations/0003_vault.sql") },
    Migration {
        name: "kernel/0004_review_scope",
        script: include_str!("../migrations/0004_review_scope.sql"),
    },
    Migration {
        name: "kernel/0005_export_approval",
        script: include_str!("../migrations/0005_export_approval.sql"),
    },
    Migration {
        name: "kernel/0006_protection",
        script: include_str!("../migrations/0006_protection.sql"),
    },
    Migration {
        name: "kernel/0007_dictionary",
        script: include_str!("../migrations/0007_dictionary.sql"),
    },
    Migration {
        name: "kernel/0008_change_rule",
        script: include_str!("../migrations/0008_change_rule.sql"),
    },
    Migration {
        name: "kernel/0009_file_digest",
        script: include_str!("../migrations/0009_file_digest.sql"),
    },
    Migration {
        name: "kernel/0010_search_form",
        script: include_str!("../migrations/0010_search_form.sql"),
    },
    Migration {
        name: "kernel/0011_row_place",
        script: include_str!("../migrations/0011_row_place.sql"),
    },
];
