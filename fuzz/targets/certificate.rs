//! Keys, signatures and certificates as they come in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use x509_cert::{Certificate, der::DecodePem as _};
use yj_crypto::{PublicKey, SigningKey, from_hex};

fuzz_target!(|text: &str| {
    drop(Certificate::from_pem(text.trim()));
    drop(SigningKey::from_pem(text));
    if let Some(bytes) = from_hex::<65>(text) {
        drop(PublicKey::from_bytes(&bytes));
    }
});
