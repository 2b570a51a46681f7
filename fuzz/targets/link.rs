//! Digital links and identifiers of GS1: what is read is written back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_epcis::{Epc, Gs1Key, canonical_link, id_matches};
use yj_model::{Gs1Data, candidates, why_not};

fuzz_target!(|text: &str| {
    if let Some(Ok(data)) = Gs1Data::read(text) {
        let path = data.path();
        let again = Gs1Data::read(&path).and_then(Result::ok);
        assert_eq!(again.map(|data| data.path()), Some(path));
    }
    if candidates(text).is_empty() {
        why_not(text);
    }
    if let Some(key) = Gs1Key::parse(text) {
        key.to_link();
    }
    if let Some(epc) = Epc::parse(text) {
        assert_eq!(Epc::parse(&epc.to_urn()).map(|epc| epc.to_urn()), Some(epc.to_urn()));
        epc.to_key();
    }
    canonical_link(text);
    id_matches(text, text);
});
