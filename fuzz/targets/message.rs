//! Messages of the fields' own systems: meat and vegetables, drugs, waybills. What is read and written
//! again reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_message::{drug, meat, read_flat, to_json, to_xml, waybill};

fuzz_target!(|bytes: &[u8]| {
    drop(meat::read_joined(bytes));
    drop(drug::read(bytes));
    drop(waybill::read(bytes));
    if let Ok(flats) = read_flat(bytes, &meat::NAMES) {
        to_json(&flats);
        to_xml("messages", &flats);
    }
});
