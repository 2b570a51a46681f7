//! EPCIS 2.0 and CBV 2.0 (ISO/IEC 19987 and 19988:2024), and EPCIS 1.2: documents in and out,
//! checked; identifiers; the event hash; and the query language as data.
//!
//! Pure: no database, no network, no clock, and no panic on any bytes. Nothing here knows the
//! events of GB/T 38157; whoever translates between both stands above.

mod check;
mod context;
mod decimal;
mod document;
mod event;
mod fault;
mod full;
mod hash;
mod header;
mod identifier;
mod json;
mod limits;
pub mod query;
mod read;
mod stream;
mod time;
mod vocabulary;
mod xml;

pub use check::{check_document, check_event, check_event_within};
pub use context::{Context, EPCIS_CONTEXT, is_standard_context};
pub use decimal::Decimal;
pub use document::{Document, context_of, document_of, query_document_of};
pub use event::{
    Action, ErrorDeclaration, Event, EventKind, QuantityElement, SensorElement, SensorMetadata,
    SensorReport, TypedId,
};
pub use fault::{Fault, ReadError};
pub use full::event_in_full;
pub use hash::{EventHash, event_hash, pre_hash};
pub use header::{Header, MasterData, MasterElement, attribute_key};
pub use identifier::{Epc, EpcScheme, Gs1Key, Serial, canonical_link, id_matches};
pub use json::{Json, Members};
pub use limits::Limits;
pub use query::{Places, Query, matches, matches_within};
pub use stream::EventReader;
pub use time::{Instant, Moment};
pub use vocabulary::Vocabulary;
pub use xml::{XmlEventReader, XmlForm, document_to_xml, event_to_xml};

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod properties;
