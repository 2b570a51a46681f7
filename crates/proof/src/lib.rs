//! What a proof means: canonical records, the Merkle log, block headers, certificates and the
//! bundle file that anyone can check without the platform (G-10.4, D-6.3).
//!
//! Pure: no I/O, no clock, no randomness, and no panic on any bytes. `docs/proof-format.md`
//! describes every byte so that strangers can write their own verifier.

mod block;
mod bundle;
mod bytes;
mod envelope;
mod fields;
pub mod merkle;
mod registry;
mod submission;
mod verdict;

pub use block::{Certificate, Genesis, Header, Validator, ValidatorSet, Vote};
pub use bundle::{Bundle, LogPath, Record, RecordPath, RegistryPath, verify};
pub use bytes::Unreadable;
pub use envelope::{Envelope, EnvelopeError, compare_columns};
pub use fields::{Field, Salt};
pub use registry::{KeyEntry, KeyUse, Registry};
pub use submission::{AttestedBy, Submission};
pub use verdict::{Step, StepId, TrustAnchor, Verdict};

/// An SM3 digest.
pub type Hash = yj_crypto::Digest;

#[cfg(test)]
mod tests;
