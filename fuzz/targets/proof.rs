//! Proofs from strangers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yj_proof::{TrustAnchor, verify};

fuzz_target!(|bytes: &[u8]| {
    drop(verify(bytes, TrustAnchor::FromBundle));
});
