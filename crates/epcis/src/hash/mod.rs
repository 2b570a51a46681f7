//! The event hash of CBV 2.0 §8.9: one text per event whatever its spelling, and digests of it.

mod order;
pub(crate) mod terms;
mod value;

use std::fmt;

use sha2::{Digest as _, Sha256};
use yj_crypto::{sm3, to_hex};

use crate::{context::Context, json::Json};

/// Which digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventHash {
    /// What the standard names.
    Sha256,
    /// GB/T 32905 over the same text. RFC 6920 has no name for it, hence a name of our own.
    Sm3,
}

impl fmt::Display for EventHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Sha256 => "sha-256",
            Self::Sm3 => "x-yj-sm3",
        })
    }
}

/// The text that is digested. Events should have been checked before: members of the wrong kind
/// are left out.
///
/// Where the standard leaves room, this follows GS1's own tools (CBV 2.0 profile): texts that are
/// numbers are written as numbers, and extensions inside `readPoint`, `bizLocation` and
/// `sensorElementList` stand behind `ilmd`, each after the name it belongs to.
pub fn pre_hash(event: &Json, document: &Context) -> String {
    order::write(event, &document.within(event.get("@context")))
}

/// `ni:///sha-256;…?ver=CBV2.0`
pub fn event_hash(event: &Json, document: &Context, hash: EventHash) -> String {
    let text = pre_hash(event, document);
    let digest: [u8; 32] = match hash {
        EventHash::Sha256 => Sha256::digest(text.as_bytes()).into(),
        EventHash::Sm3 => sm3::digest(text.as_bytes()),
    };
    format!("ni:///{hash};{}?ver=CBV2.0", to_hex(&digest))
}

#[cfg(test)]
mod tests;
