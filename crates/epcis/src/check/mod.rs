//! The rules of GS1's JSON schema for EPCIS 2.0, all told at once.
//!
//! Two things are wider than in that schema: words of the standard vocabularies may also be written
//! as Web URI or URN, as CBV 2.0 §3 allows; and names of extensions may have letters of any script.
//! What the text of the standards demands beyond the schema is demanded here too.

mod document;
mod event;
mod expressible;
mod format;
mod identifier;
mod quantity;
mod shape;

pub use document::check_document;
pub use event::{check_event, check_event_within};
pub(crate) use format::{is_uri, is_version};

#[cfg(test)]
mod tests;
