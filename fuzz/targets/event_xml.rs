//! Trace events in XML.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| yj_trace::fuzz::event_xml(bytes));
