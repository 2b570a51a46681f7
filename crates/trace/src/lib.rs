//! 追溯数据 (G-6.4, G-6.5.4, D-7.3): capture, batches, chain composition and what the public may
//! know.

mod anchored;
mod answer;
mod asked;
mod balance;
mod belonging;
mod brought;
mod capture;
mod carried;
mod certificate;
mod chain;
mod closure;
mod compose;
mod correction;
mod demanded;
mod document;
mod document_http;
mod document_proof;
mod elements;
mod erasure;
mod event;
mod export;
mod failing;
#[cfg(fuzzing)]
pub mod fuzz;
mod handover;
mod hold;
mod holders;
mod holding;
mod http;
mod import;
mod inside;
mod keeping;
mod knowledge;
mod lists;
mod lots;
mod matches;
mod moment;
mod months;
mod names;
mod order;
mod order_http;
mod ordering;
mod packages;
mod packing;
mod pairing;
mod papers;
mod places;
mod policy;
mod prices;
mod promised;
mod proofs;
mod query;
mod query_parts;
mod record;
mod reissue;
mod reporters;
mod reports;
mod results;
mod returned;
mod review;
mod rightful;
mod scan;
mod scan_count;
mod sealed;
mod sequence;
mod spelling;
mod standing;
mod steps;
mod stock;
mod store;
mod story;
mod story_kept;
mod surroundings;
mod telling;
mod together;
mod trips;
mod units;
mod unpacked;
mod unusual;
mod warned;
mod xml;

pub use anchored::{Balances, Documents, Events, Matches, OrderUnits, Orders};
pub use capture::{Captured, EVENTS_MAX, Source, capture, capture_in};
pub use certificate::{certificate, certificate_proof};
pub use compose::{breaks, chain_size};
pub use correction::{retract, withdrawal};
pub use document::{BatchDocument, CoveredUnit};
pub use document_http::void_in as void;
pub use elements::elements;
pub use erasure::{Copies, Erasing, erased, is_erased};
pub use event::{Document, Evidence, Input, Output, Place, TraceEvent};
pub use export::EVENTS;
pub use holding::{domains_of, holders, require_chain};
pub use http::routes;
pub use import::JOBS;
pub use months::{EventPart, event_parts, make_months, watch as watch_months};
pub use order::{OrderKind, TraceOrder};
pub use ordering::{NewOrder, issue, lift};
pub use policy::SourcePolicy;
pub use query::{EVENT_COLUMNS, list as events};
pub use reporters::{examine_reporters, watch as watch_reporters};
pub use scan_count::{Scan, Scans};
pub use story::{OfLot, Registered, products_of, public_proofs, registered, unit_of_lot};
pub use story_kept::Stories;
pub use warned::{WarnedLot, warned_lots};

use yj_kernel::{Entity, Migration};

/// 采集来源策略
pub static SOURCE_POLICY: &Entity = Entity::of::<SourcePolicy>();

/// 批次管控
pub static TRACE_ORDER: &Entity = Entity::of::<TraceOrder>();

/// 批次凭证
pub static BATCH_DOCUMENT: &Entity = Entity::of::<BatchDocument>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "trace/0001_trace", script: include_str!("../migrations/0001_trace.sql") },
    Migration { name: "trace/0002_label", script: include_str!("../migrations/0002_label.sql") },
    Migration {
        name: "trace/0003_policy_region",
        script: include_str!("../migrations/0003_policy_region.sql"),
    },
    Migration {
        name: "trace/0004_pack_version",
        script: include_str!("../migrations/0004_pack_version.sql"),
    },
    Migration { name: "trace/0005_reach", script: include_str!("../migrations/0005_reach.sql") },
    Migration { name: "trace/0006_match", script: include_str!("../migrations/0006_match.sql") },
    Migration {
        name: "trace/0007_match_order",
        script: include_str!("../migrations/0007_match_order.sql"),
    },
    Migration { name: "trace/0008_order", script: include_str!("../migrations/0008_order.sql") },
    Migration {
        name: "trace/0008_document",
        script: include_str!("../migrations/0008_document.sql"),
    },
    Migration {
        name: "trace/0010_message",
        script: include_str!("../migrations/0010_message.sql"),
    },
    Migration { name: "trace/0011_month", script: include_str!("../migrations/0011_month.sql") },
    Migration { name: "trace/0013_paper", script: include_str!("../migrations/0013_paper.sql") },
    Migration {
        name: "trace/0014_correction",
        script: include_str!("../migrations/0014_correction.sql"),
    },
    Migration { name: "trace/0015_rowid", script: include_str!("../migrations/0015_rowid.sql") },
    Migration {
        name: "trace/0016_rejected",
        script: include_str!("../migrations/0016_rejected.sql"),
    },
    Migration { name: "trace/0017_also", script: include_str!("../migrations/0017_also.sql") },
    Migration { name: "trace/0018_grave", script: include_str!("../migrations/0018_grave.sql") },
    Migration { name: "trace/0019_lot", script: include_str!("../migrations/0019_lot.sql") },
    Migration { name: "trace/0020_looked", script: include_str!("../migrations/0020_looked.sql") },
    Migration { name: "trace/0021_opened", script: include_str!("../migrations/0021_opened.sql") },
    Migration {
        name: "trace/0022_holding",
        script: include_str!("../migrations/0022_holding.sql"),
    },
    Migration { name: "trace/0023_late", script: include_str!("../migrations/0023_late.sql") },
    Migration { name: "trace/0024_trip", script: include_str!("../migrations/0024_trip.sql") },
    Migration {
        name: "trace/0025_brought",
        script: include_str!("../migrations/0025_brought.sql"),
    },
    Migration {
        name: "trace/0026_reported",
        script: include_str!("../migrations/0026_reported.sql"),
    },
];
