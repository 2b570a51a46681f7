//! 旧代码: what a subject was called before it had its present code, and by other platforms
//! (handbook §2.2–2.4).

use std::str::FromStr;

use crate::{
    CreditCode, Gln, Rejected, SubjectCode,
    check_digit::{mod11_10, organization},
    text::{checked_text, tidy, wrong_length},
};

/// 旧代码类型
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormerCodeKind {
    /// 工商注册号: 15 digits with ISO 7064 MOD 11,10, until 2015.
    Registration,
    /// 组织机构代码, GB 11714.
    Organization,
    /// 流通节点主体码: 9 digits.
    Node,
    /// 经营者主体码: 13 digits.
    Merchant,
    /// 全球位置码, GLN: 13 digits of GS1.
    Location,
    /// 肉菜流通追溯码: 20 digits.
    MeatTrace,
    /// 统一社会信用代码 of one that was merged.
    Credit,
    /// A code that this or another platform issued, beginning with `ZS`.
    Issued,
}

/// Codes with their labels.
pub const FORMER_CODE_KINDS: &[(&str, &str)] = &[
    ("reg15", "工商注册号（15 位）"),
    ("org9", "组织机构代码（9 位）"),
    ("node9", "流通节点主体码（9 位）"),
    ("merchant13", "经营者主体码（13 位）"),
    ("gln13", "全球位置码（13 位，GLN）"),
    ("trace20", "肉菜流通追溯码（20 位）"),
    ("uscc", "统一社会信用代码"),
    ("zs", "平台发给的代码（ZS）"),
];

impl FormerCodeKind {
    /// The kind of a stable code.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "reg15" => Self::Registration,
            "org9" => Self::Organization,
            "node9" => Self::Node,
            "merchant13" => Self::Merchant,
            "gln13" => Self::Location,
            "trace20" => Self::MeatTrace,
            "uscc" => Self::Credit,
            "zs" => Self::Issued,
            _ => return None,
        })
    }

    /// A code of this kind in its normal form, or what is wrong with it.
    pub fn check(self, text: &str) -> Result<String, Rejected> {
        let code = former_code(text);
        match self {
            Self::Registration => {
                digits(&code, 15)?;
                let body = code.as_bytes();
                if mod11_10(&body[..14]) != Some(body[14]) {
                    return Err(mistyped());
                }
            }
            Self::Organization => {
                if code.chars().count() != 9 || !code.is_ascii() {
                    return Err(wrong_length("9", &code));
                }
                if organization(&code.as_bytes()[..8]) != Some(code.as_bytes()[8]) {
                    return Err(mistyped());
                }
            }
            Self::Node => digits(&code, 9)?,
            Self::Merchant => digits(&code, 13)?,
            Self::Location => return code.parse().map(|code: Gln| code.to_string()),
            Self::MeatTrace => digits(&code, 20)?,
            Self::Credit => return code.parse().map(|code: CreditCode| code.to_string()),
            Self::Issued => {
                if code.parse::<SubjectCode>()?.is_credit_code() {
                    return Err(Rejected::new("应以 ZS 开头"));
                }
            }
        }
        Ok(code)
    }
}

/// The normal form of a code of any kind: narrow, upper case, without spaces and without the
/// hyphen before the check digit of an 组织机构代码.
pub fn former_code(text: &str) -> String {
    tidy(text).chars().filter(|letter| !matches!(letter, '-' | ' ')).collect()
}

/// A code by which a subject is known: its present one, or one it had before or has elsewhere. Only
/// the register knows whose it is, and of which kind; here it has the shape of one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownCode(String);
checked_text!(KnownCode);

impl FromStr for KnownCode {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = former_code(text);
        if let Some(letter) = code.chars().find(|letter| !letter.is_ascii()) {
            return Err(Rejected::new(format!(
                "应为 18 位主体代码或旧代码，只含数字与字母，不能含有 {letter}，也不能填名称"
            )));
        }
        let checked = match code.chars().count() {
            18 => code.parse::<SubjectCode>().map(|code| code.to_string()),
            // Nine digits are a code of a node, or an 组织机构代码 that happens to have no letter.
            9 => FormerCodeKind::Node
                .check(&code)
                .or_else(|_| FormerCodeKind::Organization.check(&code)),
            // Of a market, or a GLN; a mistyped GLN is found by its being nobody's.
            13 => FormerCodeKind::Merchant.check(&code),
            15 => FormerCodeKind::Registration.check(&code),
            20 => FormerCodeKind::MeatTrace.check(&code),
            length => Err(Rejected::new(format!(
                "应为 18 位主体代码，或 9、13、15、20 位的旧代码，现为 {length} 位"
            ))),
        };
        checked.map(Self)
    }
}

fn mistyped() -> Rejected {
    Rejected::new("校验位不符，请核对是否有录入错误")
}

fn digits(code: &str, length: usize) -> Result<(), Rejected> {
    if code.len() == length && code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(());
    }
    Err(Rejected::new(format!("应为 {length} 位数字，现为 {} 位", code.chars().count())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_rule() {
        for (kind, text, code) in [
            ("org9", "D2143569-X", "D2143569X"),
            ("node9", "610116001", "610116001"),
            ("merchant13", "6101160010001", "6101160010001"),
            ("gln13", "6901234000016", "6901234000016"),
            ("trace20", "61011600100010000001", "61011600100010000001"),
            ("zs", "zs610116100000001b", "ZS610116100000001B"),
            ("uscc", "91350100M000100Y43", "91350100M000100Y43"),
        ] {
            let kind = FormerCodeKind::from_code(kind).unwrap();
            assert_eq!(kind.check(text).as_deref(), Ok(code));
            assert!(kind.check(&text[1..]).is_err(), "{text}");
        }
        assert!(FormerCodeKind::Organization.check("D21435691").is_err());
        assert!(FormerCodeKind::Issued.check("91350100M000100Y43").is_err());
        let known =
            FORMER_CODE_KINDS.iter().all(|(code, _)| FormerCodeKind::from_code(code).is_some());
        assert!(known && FormerCodeKind::from_code("other").is_none());
    }

    #[test]
    fn a_subject_is_named_by_any_code_it_was_ever_known_by() {
        let known = |text: &str| text.parse::<KnownCode>().map(|code| code.to_string());
        for (text, code) in [
            ("　９１350100m000100y43 ", "91350100M000100Y43"),
            ("zs610116100000001b", "ZS610116100000001B"),
            ("D2143569-X", "D2143569X"),
            ("610116001", "610116001"),
            ("6101160010001", "6101160010001"),
            ("61011600100010000001", "61011600100010000001"),
        ] {
            assert_eq!(known(text).as_deref(), Ok(code));
        }
        let refusal = |text: &str| known(text).unwrap_err().to_string();
        assert_eq!(refusal("91350100M000100Y44"), "校验位不符，请核对是否有录入错误");
        assert_eq!(refusal("D21435691"), "校验位不符，请核对是否有录入错误");
        assert!(refusal("610116").contains("现为 6 位") && refusal("").contains("现为 0 位"));
        assert!(refusal("610116001000A").contains("13 位数字"));
    }

    #[test]
    fn an_old_registration_number_has_a_check_digit() {
        let body = "61011610000001";
        let check = char::from(mod11_10(body.as_bytes()).unwrap());
        let registration = FormerCodeKind::Registration;
        assert_eq!(registration.check(&format!("{body}{check}")), Ok(format!("{body}{check}")));
        let others = (b'0'..=b'9').map(char::from).filter(|digit| *digit != check);
        assert!(
            others.into_iter().all(|digit| registration.check(&format!("{body}{digit}")).is_err())
        );
    }
}
