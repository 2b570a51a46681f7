//! 应用支撑层 (§5.4): what every business module stands on.
//!
//! A business record is described once, as data ([`Entity`]). From that description this crate
//! derives storage, listing with filters and paging, access scope, audit trail, announcements,
//! review of changes, import and export, HTTP routes and their OpenAPI text. Business rules stay
//! ordinary functions in the business modules.

pub mod attachment;
pub mod audit;
mod base;
mod context;
mod db;
mod entity;
mod environment;
mod field;
mod http;
pub mod jobs;
pub mod json;
mod listing;
mod openapi;
pub mod outbox;
mod problem;
mod record;
pub mod review;
pub mod route;
pub mod transfer;

pub use attachment::Attachments;
pub use base::base_routes;
pub use context::{
    App, AppParts, Authenticator, Credentials, Ctx, Grant, Limit, Platform, Principal, Scope,
};
pub use db::{Db, Dialect, Fuse, Migration, Row, Sql, SqlValue, Tx, VALUES_MAX, insert_rows};
pub use entity::{Entity, Resource, Scoping};
pub use environment::{Environment, SystemEnvironment};
pub use field::{Codes, DataClass, Field, Kind, Match, Normalise, mask, time_text};
pub use http::record_routes;
pub use jobs::{JobKind, JobRun, Outcome, RowResult};
pub use json::{Body, Object};
pub use openapi::openapi;
pub use problem::{FieldError, Problem, Result};
pub use record::Stored;
pub use route::{Access, Param, Route, Shape, router};

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "kernel/0001_base", script: include_str!("../migrations/0001_base.sql") }];
