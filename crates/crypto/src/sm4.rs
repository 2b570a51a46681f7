//! SM4 (GB/T 32907) in Galois/Counter Mode (GB/T 36624, RFC 8998).

use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{Aead as _, Payload, consts::U12},
};
use sm4::Sm4;
use zeroize::Zeroizing;

use crate::CryptoError;

/// 128 bits.
pub type Nonce = [u8; 12];

/// Bytes that sealing adds: the nonce in front, the tag behind.
pub const OVERHEAD: usize = 12 + 16;

/// A secret key, wiped from memory when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 16]>);

impl Key {
    /// From 128 random bits.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// From bytes that another key protected.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        bytes.try_into().map(Self::new).map_err(|_| CryptoError::Sealed)
    }

    /// The bytes, to be protected by another key.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// `nonce ‖ ciphertext ‖ tag`. `context` is not hidden, but must be the same when opening: it
    /// ties the text to its place. A nonce must never be used twice with one key.
    pub fn seal(&self, nonce: Nonce, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: context };
        // Fails only beyond 64 GiB.
        let hidden = self.cipher().encrypt(&nonce.into(), payload).unwrap_or_default();
        [nonce.as_slice(), &hidden].concat()
    }

    /// What [`Key::seal`] hid, if neither text, key nor context has changed.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (nonce, hidden) = sealed.split_first_chunk::<12>().ok_or(CryptoError::Sealed)?;
        let payload = Payload { msg: hidden, aad: context };
        let plain = self.cipher().decrypt(&(*nonce).into(), payload);
        plain.map(Zeroizing::new).map_err(|_| CryptoError::Sealed)
    }

    fn cipher(&self) -> AesGcm<Sm4, U12> {
        AesGcm::new(&(*self.0).into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_hex;

    fn key() -> Key {
        Key::new(from_hex("0123456789abcdeffedcba9876543210").unwrap())
    }

    #[test]
    fn the_example_of_rfc_8998() {
        let context = from_hex::<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let plain: Vec<u8> = [0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA]
            .into_iter()
            .flat_map(|byte| [byte; 8])
            .collect();
        let sealed = key().seal(from_hex("00001234567800000000abcd").unwrap(), &context, &plain);
        let wanted = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                      d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                      83de3541e4c2b58177e065a9bf7b62ec";
        assert_eq!(crate::to_hex(&sealed[12..]), wanted);
        assert_eq!(*key().open(&context, &sealed).unwrap(), plain);
    }

    #[test]
    fn another_place_another_key_or_another_byte_does_not_open() {
        let sealed = key().seal([7; 12], b"subject/1", b"text");
        assert!(key().open(b"subject/2", &sealed).is_err());
        assert!(Key::new([1; 16]).open(b"subject/1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(key().open(b"subject/1", &other).is_err());
        }
        assert!(key().open(b"", &[0; 11]).is_err());
    }

    #[test]
    fn the_example_of_gbt_32907() {
        use sm4::cipher::{BlockCipherEncrypt as _, KeyInit as _};
        let key = from_hex::<16>("0123456789abcdeffedcba9876543210").unwrap();
        let mut block = key.into();
        Sm4::new(&key.into()).encrypt_block(&mut block);
        assert_eq!(crate::to_hex(&block), "681edf34d206965e86b3e94f536e4246");
    }
}
