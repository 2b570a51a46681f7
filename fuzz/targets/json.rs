//! JSON from strangers: read strictly, put into canonical form, put into an envelope.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use yj_proof::Envelope;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = yj_kernel::json::parse::<Value>(bytes) else { return };
    if let Ok(envelope) = Envelope::read(value) {
        let canonical = envelope.canonical().unwrap();
        let again = Envelope::read(serde_json::from_slice(&canonical).unwrap()).unwrap();
        assert_eq!(again.canonical().unwrap(), canonical);
    }
});
