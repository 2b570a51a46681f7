//! 追溯码 and 批次号 (handbook §2.9, §2.10).

use std::str::FromStr;

use crate::{
    Gtin, Rejected, Sscc,
    text::{checked_text, narrow},
};

/// Crockford's base 32: no I L O U.
pub(crate) const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Prime just below 32², so that the check notices every single substitution.
const CHECK_MODULUS: u128 = 1021;

/// Any 追溯码 that the platform accepts: 1 to 64 letters, digits and marks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceCode(String);
checked_text!(TraceCode);

/// Longest 追溯码.
const LENGTH_MAX: usize = 64;

impl TraceCode {
    /// A code of the platform's own: 6 letters that its batch shares, 12 of chance (60 bits, so
    /// that nobody can guess one), 2 of check.
    pub fn own(batch: u32, random: u64) -> Self {
        let payload =
            (u128::from(batch & 0x3FFF_FFFF) << 60) | u128::from(random & ((1 << 60) - 1));
        let check = payload % CHECK_MODULUS;
        let value = (payload << 10) | check;
        let letters = (0..20).rev().map(|place| BASE32[((value >> (5 * place)) & 31) as usize]);
        Self(letters.map(char::from).collect())
    }

    /// Whether a text is twenty letters of ours with a sound check.
    pub(crate) fn is_own(text: &str) -> bool {
        is_own(text)
    }

    /// Which coding scheme this is, by its longest and most particular grammar.
    pub fn scheme(&self) -> CodeScheme {
        CodeScheme::of(&self.0)
    }
}

impl FromStr for TraceCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LENGTH_MAX {
            return Err(Rejected(format!(
                "追溯码应为 1 至 {LENGTH_MAX} 位，现为 {} 位",
                text.chars().count()
            )));
        }
        let allowed =
            |letter: char| letter.is_ascii_alphanumeric() || "._#/:()+*-".contains(letter);
        if let Some(letter) = text.chars().find(|letter| !allowed(*letter)) {
            let half = narrow(letter);
            return Err(Rejected(match letter {
                ' ' | '\u{3000}' => String::from("追溯码中间不能有空格"),
                _ if letter.is_control() => {
                    String::from("追溯码不能含有看不见的控制字符，请重新扫码或输入")
                }
                _ if half != letter => {
                    format!("追溯码不能用全角字符 {letter}，应为半角 {half}")
                }
                _ => format!("追溯码不能含有 {letter}，可用字母、数字和 . _ # / : ( ) + * -"),
            }));
        }
        if !text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '(')
            || text.contains("..")
        {
            return Err(Rejected::new("追溯码应以字母或数字开头，且不含连续的点"));
        }
        Ok(Self(String::from(text)))
    }
}

/// 编码体系 (YJ-core C, `codeScheme`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeScheme {
    /// 平台自有追溯码
    Own,
    /// GS1 (GTIN, SSCC)
    Gs1,
    /// MA (IDcode)
    Ma,
    /// Handle / VAA
    Handle,
    /// OID
    Oid,
    /// 药品追溯码
    Drug,
    /// 农药单元识别代码
    Pesticide,
    /// 兽药追溯码
    VeterinaryDrug,
    /// 有机码
    Organic,
    /// 自定义
    Custom,
}

impl CodeScheme {
    fn of(text: &str) -> Self {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        // Of numbers one in 1021 has a sound check by chance; of ours none is made of digits alone.
        if !digits && is_own(text) {
            return Self::Own;
        }
        match text.len() {
            _ if text.starts_with("MA.156.") => Self::Ma,
            _ if text.starts_with("1.2.156.") => Self::Oid,
            _ if text.starts_with("VAA088") || (text.starts_with("88.") && text.contains('/')) => {
                Self::Handle
            }
            32 if digits => Self::Pesticide,
            24 if digits => Self::VeterinaryDrug,
            20 if digits && text.starts_with('8') => Self::Drug,
            18 if text.parse::<Sscc>().is_ok() => Self::Gs1,
            17 if digits => Self::Organic,
            8 | 12 | 13 | 14 if text.parse::<Gtin>().is_ok() => Self::Gs1,
            _ => Self::Custom,
        }
    }
}

fn is_own(text: &str) -> bool {
    if text.len() != 20 {
        return false;
    }
    let mut value: u128 = 0;
    for byte in text.bytes() {
        let Some(digit) = BASE32.iter().position(|&known| known == byte) else { return false };
        value = (value << 5) | digit as u128;
    }
    (value >> 10) % CHECK_MODULUS == value & 0x3FF
}

/// 批次号: internal lots may be 50 characters of any script; case counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LotNumber(String);
checked_text!(LotNumber);

impl FromStr for LotNumber {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let text = text.trim();
        let length = text.chars().count();
        if !(1..=50).contains(&length) {
            return Err(Rejected(format!("批次号应为 1 至 50 个字，现为 {length} 个")));
        }
        if text.chars().any(char::is_control) {
            return Err(Rejected::new("批次号不能含控制字符"));
        }
        Ok(Self(String::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "00A7K29QX4T0VB8M3EJB";

    #[test]
    fn the_verified_example_is_one_of_ours() {
        assert_eq!(SAMPLE.parse::<TraceCode>().unwrap().scheme(), CodeScheme::Own);
    }

    #[test]
    fn every_single_substitution_is_noticed() {
        let mut tried = 0;
        for at in 0..20 {
            for &letter in BASE32 {
                let mut bytes = SAMPLE.as_bytes().to_vec();
                if bytes[at] != letter {
                    bytes[at] = letter;
                    assert!(!is_own(std::str::from_utf8(&bytes).unwrap()));
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, 620);
    }

    #[test]
    fn schemes_are_told_apart() {
        for (code, scheme) in [
            ("6901234567892", CodeScheme::Gs1),
            ("106141412345678908", CodeScheme::Gs1),
            ("81234567890123456789", CodeScheme::Drug),
            ("MA.156.M0.1001/20261101", CodeScheme::Ma),
            ("88.118.8/A01", CodeScheme::Handle),
            ("1.2.156.1001.1", CodeScheme::Oid),
            ("F1-A", CodeScheme::Custom),
            ("P1-X#1", CodeScheme::Custom),
        ] {
            assert_eq!(code.parse::<TraceCode>().unwrap().scheme(), scheme, "{code}");
        }
    }

    #[test]
    fn codes_that_could_mislead_are_refused() {
        for text in ["", " ", "a b", "../etc", "韭菜", "-x", "a..b", "<b>", &"A".repeat(65)] {
            assert!(text.parse::<TraceCode>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn codes_we_make_are_ours(batch in any::<u32>(), random in any::<u64>()) {
            let code = TraceCode::own(batch, random);
            prop_assert_eq!(code.scheme(), CodeScheme::Own);
            prop_assert_eq!(code.as_str().parse(), Ok(code.clone()));
        }

        #[test]
        fn swapped_neighbours_are_noticed(batch in any::<u32>(), random in any::<u64>(), at in 0usize..19) {
            let mut bytes = TraceCode::own(batch, random).as_str().as_bytes().to_vec();
            if bytes[at] != bytes[at + 1] {
                bytes.swap(at, at + 1);
                prop_assert!(!is_own(std::str::from_utf8(&bytes).unwrap()));
            }
        }
    }
}
