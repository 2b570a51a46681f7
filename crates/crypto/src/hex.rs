//! Lower-case hexadecimal.

use std::fmt::Write as _;

/// Bytes as lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads lower-case hexadecimal of exactly `N` bytes; upper case is another text and refused, so
/// that every value has one form.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_form() {
        assert_eq!(to_hex(&[0, 0xAB]), "00ab");
        assert_eq!(from_hex("00ab"), Some([0, 0xAB]));
        assert_eq!(from_hex::<2>("00AB"), None);
        assert_eq!(from_hex::<2>("00a"), None);
        assert_eq!(from_hex::<2>("00é"), None);
    }
}
