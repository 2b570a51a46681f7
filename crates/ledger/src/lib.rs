//! 区块链存证 (D-6.3, D-7.3.1): the durable log of one organisation, with the very bytes that a
//! consortium will sign.
//!
//! The ledger store is the truth; the columns in the database only say what it knows. Every step
//! may be repeated after a crash without effect.

mod audit;
mod checkpoint;
mod digest;
mod fault;
mod health;
mod http;
mod keys;
mod prove;
mod publish;
mod publish_http;
mod queue;
mod register;
mod sequencer;
mod signed;
mod store;
mod tamper;
mod waiting;
mod witness;
mod witness_alarm;
mod witness_http;
mod witness_watch;

pub use digest::{Digests, routes as digest_routes};
pub use http::routes;
pub use keys::Keys;
pub use prove::proof_name;
pub use publish::{Publication, Published, publish};
pub use publish_http::publication_routes;
pub use queue::{AnchorState, Pending, enqueue};
pub use sequencer::Ledger;
pub use signed::{SIGNED_MAX, SignedRecords};
pub use store::{LedgerSnapshot, RecordPlace};
pub use tamper::{
    Alarm, Content, Counts, Derivation, Difference, Fact, Found, Ground, Held, Integrity, Looked,
    Projected, Projection, ReportVerdict, Tamper, What, erased_of, routes as tamper_routes,
    verify_report,
};
pub use waiting::{KeyOrder, Unsigned, order_key, unsigned};
pub use witness::{LEDGER_WITNESS, LedgerWitness};
pub use witness_http::witness_routes;
pub use witness_watch::{look_at_witnesses, watch_witnesses};

use yj_kernel::Migration;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "ledger/0001_anchor", script: include_str!("../migrations/0001_anchor.sql") },
    Migration { name: "ledger/0002_whose", script: include_str!("../migrations/0002_whose.sql") },
    Migration {
        name: "ledger/0003_signing",
        script: include_str!("../migrations/0003_signing.sql"),
    },
    Migration {
        name: "ledger/0005_witness",
        script: include_str!("../migrations/0005_witness.sql"),
    },
    Migration { name: "ledger/0006_tamper", script: include_str!("../migrations/0006_tamper.sql") },
    Migration {
        name: "ledger/0007_settled",
        script: include_str!("../migrations/0007_settled.sql"),
    },
];
