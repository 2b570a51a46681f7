//! The XML form of EPCIS 1.2 and 2.0, read into the JSON form of 2.0 and written from it.
//!
//! Extensions keep their namespaces. Inside an extension an attribute `a` of XML is the member
//! `@a` of JSON and text beside children is `#text`; siblings of one name are a list. What XML
//! cannot tell apart comes back as text: `1` and `"1"`, a list of one and its only item. The
//! hash of an event is the same before and after.
//!
//! What no XML can say is refused where events are checked. Events that were kept before that are
//! written all the same: such a member as an element `member` of a namespace of its own, with its
//! name in an attribute, and a character that XML may not hold as an element `char` with its code.

mod encoding;
mod from_element;
mod grammar;
mod layout;
mod master;
mod namer;
pub(crate) mod names;
mod order;
mod reader;
mod source;
mod tree;
mod write_document;
mod write_event;
mod writer;

pub use layout::XmlForm;
pub use reader::XmlEventReader;
pub use write_document::document_to_xml;
pub use write_event::event_to_xml;

/// Namespaces of EPCIS documents and queries, of 1.x and 2.0.
const EPCIS: [&str; 2] = ["urn:epcglobal:epcis:xsd:1", "urn:epcglobal:epcis:xsd:2"];
const QUERY: [&str; 2] = ["urn:epcglobal:epcis-query:xsd:1", "urn:epcglobal:epcis-query:xsd:2"];
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Elements that say what XML has no name or no character for.
const TOLD: &str = "urn:yj:epcis-xml:";
const SBDH: &str = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

/// Whether names of this namespace are the standard's own.
fn is_own(namespace: &str) -> bool {
    namespace.is_empty() || EPCIS.contains(&namespace) || QUERY.contains(&namespace)
}

/// Whether a prefix of this namespace is one of somebody's own.
fn is_foreign(namespace: &str) -> bool {
    let of_xml = [INSTANCE, SBDH, crate::context::XML_NAMESPACE];
    !is_own(namespace) && !of_xml.contains(&namespace)
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
