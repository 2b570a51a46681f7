//! An EPCIS document in JSON: read whole, read event by event, checked, hashed, written as XML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_epcis::{
    Document, EventHash, EventReader, Limits, ReadError, XmlEventReader, document_to_xml, event_hash,
};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let mut reader = EventReader::new(bytes, limits);
    while let Ok(Some(_)) = reader.next_event() {}
    if let Ok(document) = Document::parse(bytes, &limits) {
        for event in document.events() {
            event_hash(event, document.context(), EventHash::Sm3);
        }
        drop(document.check(20));
        let xml = document_to_xml(&document, yj_epcis::XmlForm::V2_0);
        // Whatever was found sound has a form in XML, and one that is read again.
        if document.check(1).is_ok_and(|events| !events.is_empty()) {
            let xml = xml.unwrap_or_else(|faults| panic!("no XML: {faults:?}"));
            let mut reader = XmlEventReader::new(xml.as_bytes(), limits);
            while let Some(event) = reader.next() {
                let syntax = matches!(event, Err(ReadError::Syntax { .. }));
                assert!(!syntax, "{event:?} {xml}");
            }
        }
    }
});
