//! Proofs from strangers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_proof::{AnchorStatement, Note, NoteKey, Trust, verify};

fuzz_target!(|bytes: &[u8]| {
    drop(verify(bytes, &Trust::default()));
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop((Note::read(text), text.parse::<NoteKey>()));
    }
    drop(AnchorStatement::from_bytes(bytes));
});
