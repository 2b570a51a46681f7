//! What a proof means: canonical records, the Merkle log, block headers, certificates and the
//! bundle file that anyone can check without the platform (G-10.4, D-6.3).
//!
//! Pure: no I/O, no clock, no randomness, and no panic on any bytes. `docs/proof-format.md`
//! describes every byte so that strangers can write their own verifier.

mod alarm;
mod block;
mod bundle;
mod bytes;
mod check;
mod envelope;
mod fields;
pub mod merkle;
mod note;
mod outside;
mod registry;
mod report;
mod submission;
pub mod tile;
mod verdict;

pub use alarm::{Alarm, AlarmKind};
pub use block::{Certificate, Genesis, Header, Validator, ValidatorSet, Vote};
pub use bundle::{
    Anchored, Bundle, LogPath, Record, RecordPath, RegistryPath, SetChange, Witnessed,
};
pub use bytes::Unreadable;
pub use check::verify;
pub use envelope::{Envelope, EnvelopeError, compare_columns};
pub use fields::{Field, Salt};
pub use note::{Checkpoint, Note, NoteKey, NoteKind, NoteLine};
pub use outside::AnchorStatement;
pub use registry::{KeyEntry, KeyUse, PLATFORM, Registry};
pub use submission::{AttestedBy, Submission};
pub use verdict::{AnchorFact, Facts, Step, StepId, Trust, Verdict, WitnessFact};

/// An SM3 digest.
pub type Hash = yj_crypto::Digest;

#[cfg(test)]
mod tests;
