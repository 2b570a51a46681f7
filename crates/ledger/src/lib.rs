//! 区块链存证 (D-6.3, D-7.3.1): the durable log of one organisation, with the very bytes that a
//! consortium will sign.
//!
//! The ledger store is the truth; the columns in the database only say what it knows. Every step
//! may be repeated after a crash without effect.

mod audit;
mod checkpoint;
mod fault;
mod health;
mod http;
mod keys;
mod prove;
mod queue;
mod register;
mod sequencer;
mod signed;
mod store;
mod waiting;

pub use http::routes;
pub use keys::Keys;
pub use prove::Integrity;
pub use queue::{AnchorState, Pending, enqueue};
pub use sequencer::Ledger;
pub use signed::{SIGNED_MAX, SignedRecords};
pub use store::{LedgerSnapshot, RecordPlace};
pub use waiting::{KeyOrder, Unsigned, order_key, unsigned};

use yj_kernel::Migration;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "ledger/0001_anchor", script: include_str!("../migrations/0001_anchor.sql") },
    Migration { name: "ledger/0002_whose", script: include_str!("../migrations/0002_whose.sql") },
    Migration {
        name: "ledger/0003_signing",
        script: include_str!("../migrations/0003_signing.sql"),
    },
];
