//! A query of EPCIS, in JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_epcis::{Context, Json, Limits, Query};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(query) = Json::parse(bytes, &Limits::default()) {
        drop(Query::from_json(&query, &Context::default()));
    }
});
