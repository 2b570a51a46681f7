//! SM3 (GB/T 32905).

use sm3::{Digest as _, Sm3};

/// 256 bits.
pub type Digest = [u8; 32];

/// Digest of some bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    parts(&[bytes])
}

/// Digest of several parts one after the other.
pub fn parts(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sm3::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// A digest of what comes bit by bit.
#[derive(Clone, Default)]
pub struct Running(Sm3);

impl Running {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// HMAC-SM3 (RFC 2104 over SM3).
pub fn hmac(key: &[u8], message: &[u8]) -> Digest {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let (inner, outer) = (block.map(|byte| byte ^ 0x36), block.map(|byte| byte ^ 0x5C));
    parts(&[&outer, &parts(&[&inner, message])])
}

/// A digest as 64 lower-case hexadecimal digits.
pub fn hex(digest: &Digest) -> String {
    crate::to_hex(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_examples_of_the_standard() {
        assert_eq!(
            hex(&digest(b"abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            hex(&digest(&b"abcd".repeat(16))),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        );
    }

    #[test]
    fn bit_by_bit_is_the_same() {
        let mut running = Running::default();
        b"abcd".repeat(16).chunks(7).for_each(|part| running.update(part));
        assert_eq!(running.finish(), digest(&b"abcd".repeat(16)));
    }

    #[test]
    fn long_keys_are_hashed_first() {
        let long = [7; 100];
        assert_eq!(hmac(&long, b"x"), hmac(&digest(&long), b"x"));
        assert_ne!(hmac(b"a", b"x"), hmac(b"b", b"x"));
    }
}
