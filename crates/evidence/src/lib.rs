//! 存证 (D-6.3, D-5b): what organisations and the platform do with the ledger: keys of their own,
//! and the records that they sign with them.

mod key;
mod revoke;
mod signing;

pub use key::EvidenceKey;

use yj_identity::Identity;
use yj_kernel::{Entity, Migration, Route};
use yj_ledger::Ledger;

/// The register of keys.
pub static EVIDENCE_KEY: &Entity = Entity::of::<EvidenceKey>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "evidence/0001_evidence_key",
    script: include_str!("../migrations/0001_evidence_key.sql"),
}];

/// The routes of this crate.
pub fn routes(identity: &Identity, ledger: &Ledger) -> Vec<Route> {
    let mut routes = key::routes(identity);
    routes.push(revoke::route(ledger));
    routes.extend(signing::routes(ledger));
    routes
}
