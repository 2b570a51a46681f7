//! An EPCIS document in XML, event by event.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_epcis::{Limits, XmlEventReader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = XmlEventReader::new(bytes, Limits::default());
    while let Ok(Some(_)) = reader.next_event() {}
    reader.header();
});
