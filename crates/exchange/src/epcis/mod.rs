//! The EPCIS 2.0 interface under `/epcis/v2` (ISO/IEC 19987:2024; ADR 18, 19).
//!
//! The repository takes every valid EPCIS event of a 追溯主体 and gives it back as it was sent.
//! What can be told as a 追溯事件 is captured as one in the same transaction.

mod anchored;
mod answer;
mod capture;
mod deliver;
mod document;
mod erased;
mod find;
#[cfg(fuzzing)]
pub mod fuzz;
mod guard;
mod header;
mod http;
mod job;
mod master;
mod named;
mod names;
mod news;
mod owner;
mod page;
mod past;
mod place;
mod plan;
mod prepare;
mod problem;
mod query_http;
mod resource;
mod route;
mod schedule;
mod secrets;
mod seen;
mod socket;
mod sockets;
mod spelling;
mod status;
mod store;
mod subscription;
mod tell;
mod telling;
mod terms;
mod work;

pub use anchored::EpcisEvents;
pub use deliver::{deliver, watch};
pub use erased::EpcisCopies;
pub use guard::Callbacks;
pub use http::routes;
pub use problem::{doors, dress};
pub use sockets::{Admission, SocketLimits, Sockets};
pub use work::JOBS;

/// Where the interface lies.
pub(crate) const BASE: &str = "/epcis/v2";

/// Namespace of the extensions that say what EPCIS has no word for: subject, domain, type and
/// attributes of a 追溯事件.
pub(crate) const NAMESPACE: &str = "urn:yj:epcis:";
