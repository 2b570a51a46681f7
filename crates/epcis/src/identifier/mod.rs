//! GS1 keys in their two URI forms: EPC URNs (EPC Tag Data Standard) and GS1 Digital Link.

mod epc;
mod escape;
mod link;
mod pattern;
mod scheme;

pub use epc::{Epc, Serial};
pub use link::Gs1Key;
pub use pattern::{canonical_link, id_matches};
pub(crate) use pattern::{hash_link, pattern_refused};
pub use scheme::EpcScheme;
pub(crate) use scheme::OTHER_SCHEMES;

#[cfg(test)]
mod tests;
