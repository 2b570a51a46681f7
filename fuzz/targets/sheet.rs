//! Files of tables: XLSX, CSV in any encoding, GeoJSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(yj_sheet::decode(bytes));
    drop(yj_sheet::read(bytes));
});
