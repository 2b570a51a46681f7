//! 追溯主体代码 (§6.2.2: 应确保全国唯一性).

use std::str::FromStr;

use crate::{
    Rejected,
    check_digit::{BASE31, base31, organization},
    text::{checked_text, tidy, wrong_length},
};

/// 统一社会信用代码, GB 32100-2015, with the organisation code GB 11714 inside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);
checked_text!(CreditCode);

impl FromStr for CreditCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        if code.chars().count() != 18 {
            return Err(wrong_length("18", &code));
        }
        if let Some((at, letter)) = code.char_indices().find(|(_, letter)| !is_base31(*letter)) {
            return Err(Rejected::new(match suggestion(letter) {
                Some(digit) => format!("第 {} 位不应为字母 {letter}，是否为 {digit}？", at + 1),
                None => format!("第 {} 位不应为 {letter}（不使用 I、O、S、V、Z）", at + 1),
            }));
        }
        let bytes = code.as_bytes();
        let mistyped = || Rejected::new("校验位不符，请核对是否有录入错误");
        if base31(&bytes[..17]) != Some(bytes[17]) {
            return Err(mistyped());
        }
        if organization(&bytes[8..16]) != Some(bytes[16]) {
            return Err(Rejected::new("第 9 至 17 位不是有效的组织机构代码，请核对"));
        }
        Ok(Self(code))
    }
}

fn is_base31(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(|byte| BASE31.contains(&byte))
}

/// Letters that are never part of the code but look like digits that are.
fn suggestion(letter: char) -> Option<char> {
    match letter {
        'O' => Some('0'),
        'I' => Some('1'),
        'Z' => Some('2'),
        'S' => Some('5'),
        _ => None,
    }
}

/// 主体代码: the credit code where there is one, else a code of the platform's own that cannot
/// collide with any credit code, since `Z` and `S` never occur in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectCode(String);
checked_text!(SubjectCode);

impl SubjectCode {
    /// Issues a code for a subject without a credit code. `sequence` is counted by the one
    /// platform responsible for the division. `None` outside the bounds.
    pub fn issue(division: u32, kind: u32, sequence: u32) -> Option<Self> {
        if division > 999_999 || kind > 9 || sequence > 99_999_999 {
            return None;
        }
        let body = format!("{division:06}{kind}{sequence:08}");
        let check = base31(body.as_bytes())?;
        Some(Self(format!("ZS{body}{}", char::from(check))))
    }

    /// Whether this is a 统一社会信用代码.
    pub fn is_credit_code(&self) -> bool {
        !self.0.starts_with("ZS")
    }
}

impl FromStr for SubjectCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        let Some(body) = code.strip_prefix("ZS") else {
            return code.parse::<CreditCode>().map(|code| Self(code.0));
        };
        if body.len() != 16 {
            return Err(wrong_length("18", &code));
        }
        let (number, check) = body.as_bytes().split_at(15);
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(Rejected::new("ZS 之后应为 15 位数字和 1 位校验"));
        }
        if base31(number).as_ref() != check.first() {
            return Err(Rejected::new("校验位不符，请核对是否有录入错误"));
        }
        Ok(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTBOOK: &str = "91350100M000100Y43";

    #[test]
    fn published_credit_codes_are_valid() {
        for code in [
            TEXTBOOK,
            "914403001922038216",
            "91330100799655058B",
            "9144030071526726XG",
            "91110000802100433B",
            "91110000600037341L",
            "91610116MAYJ000144",
            "91610403MAYJ00022K",
            "92610802MAYJ00030H",
            "93610525MAYJ000496",
            "12610100MAYJ00057G",
        ] {
            assert_eq!(code.parse::<CreditCode>().map(|code| code.to_string()), Ok(code.into()));
        }
        assert!("91350100M000100Y44".parse::<CreditCode>().is_err());
    }

    #[test]
    fn eighteen_bytes_of_other_letters_are_refused() {
        for wrong in ["ZS6101161000000示", "ZS61011610000000é", "ZS示示示示示1"] {
            assert_eq!(wrong.len(), 18);
            assert!(wrong.parse::<SubjectCode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_single_mistyped_character_is_noticed() {
        let mut tried = 0;
        for at in 0..18 {
            for &letter in BASE31 {
                let mut bytes = TEXTBOOK.as_bytes().to_vec();
                if bytes[at] != letter {
                    bytes[at] = letter;
                    let text = String::from_utf8(bytes).unwrap();
                    assert!(text.parse::<CreditCode>().is_err(), "{text}");
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, 540);
    }

    #[test]
    fn every_swap_of_neighbours_is_noticed() {
        for at in 0..17 {
            let mut bytes = TEXTBOOK.as_bytes().to_vec();
            if bytes[at] != bytes[at + 1] {
                bytes.swap(at, at + 1);
                assert!(String::from_utf8(bytes).unwrap().parse::<CreditCode>().is_err());
            }
        }
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        let refusal = |text: &str| text.parse::<CreditCode>().unwrap_err().to_string();
        assert_eq!(refusal("91350100M000100Y4"), "应为 18 位，现为 17 位");
        assert_eq!(refusal("9135O100M000100Y43"), "第 5 位不应为字母 O，是否为 0？");
        assert_eq!(refusal("91350100M000100Y44"), "校验位不符，请核对是否有录入错误");
    }

    #[test]
    fn full_width_and_lower_case_mean_the_same_code() {
        assert_eq!("　９１350100m000100y43 ".parse::<CreditCode>().unwrap().as_str(), TEXTBOOK);
    }

    #[test]
    fn codes_issued_by_the_platform_match_the_verified_examples() {
        for (division, kind, sequence, code) in [
            (610_116, 1, 1, "ZS610116100000001B"),
            (610_116, 1, 2, "ZS6101161000000021"),
            (610_403, 2, 17, "ZS610403200000017L"),
        ] {
            assert_eq!(SubjectCode::issue(division, kind, sequence).unwrap().as_str(), code);
            assert!(!code.parse::<SubjectCode>().unwrap().is_credit_code());
        }
        assert!("ZS610116100000001C".parse::<SubjectCode>().is_err());
        assert!(SubjectCode::issue(1_000_000, 1, 1).is_none());
    }
}
