//! Domain packs: a sound one is described whole, and its examples are what it takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_domain::schema::{self, StandardNames};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = serde_json::from_slice(bytes) else { return };
    let Ok(pack) = yj_domain::read(&document) else { return };
    let names = StandardNames::default();
    schema::xsd(&pack, &names);
    schema::pack_codes(&pack);
    drop(schema::product_schema(&pack, &names));
    for (stage, event) in pack.events() {
        schema::event_schema(&pack, (stage, event), &names);
        if let Some(example) = schema::example(&pack, event) {
            schema::example_xml(&example);
        }
    }
});
