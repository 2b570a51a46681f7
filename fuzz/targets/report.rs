//! Reports of the tamper audit, as anybody may hand them over.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let verdict = yj_ledger::verify_report(bytes, None);
    assert!(!verdict.lines.is_empty());
    drop(yj_ledger::verify_report(bytes, Some("04")));
});
