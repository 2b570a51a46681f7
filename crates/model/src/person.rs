//! Numbers of people, shops and devices (handbook §2.6, §2.7, §2.10).

use std::str::FromStr;

use crate::{
    Rejected,
    check_digit::{mod11_2, mod11_10},
    text::{checked_text, tidy, wrong_length},
};

/// 身份证号码, GB 11643. Personal: never part of a public code, a ledger entry or a log.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityNumber(String);

impl IdentityNumber {
    /// The number itself, for encryption and blind indexes only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `610***********1234`
    pub fn masked(&self) -> String {
        format!("{}***********{}", &self.0[..3], &self.0[14..])
    }
}

impl std::fmt::Debug for IdentityNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.masked())
    }
}

impl FromStr for IdentityNumber {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let number = tidy(text);
        if number.chars().count() != 18 || !number.is_ascii() {
            return Err(wrong_length("18", &number));
        }
        let right = mod11_2(&number.as_bytes()[..17]);
        if right.is_none() {
            return Err(Rejected::new("前 17 位应为数字"));
        }
        let birthday = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
        if birthday.parse::<jiff::civil::Date>().is_err() {
            return Err(Rejected::new("第 7 至 14 位不是有效日期"));
        }
        if right != Some(number.as_bytes()[17]) {
            return Err(Rejected::new("校验位不符，请核对是否有录入错误"));
        }
        Ok(Self(number))
    }
}

/// A telephone number in China: mobile, landline, 400 or 95.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// The number as dialled inside China.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

impl FromStr for Phone {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let text = tidy(text).replace(' ', "");
        let number = text.strip_prefix("+86").unwrap_or(&text);
        let digits: String = number.chars().filter(|letter| *letter != '-').collect();
        let sound = digits.bytes().all(|digit| digit.is_ascii_digit());
        let mobile = digits.len() == 11
            && digits.starts_with('1')
            && matches!(digits.as_bytes()[1], b'3'..=b'9');
        let landline = digits.starts_with('0') && (10..=12).contains(&digits.len());
        let service = (digits.starts_with("400") && digits.len() == 10)
            || (digits.starts_with("95") && (5..=8).contains(&digits.len()));
        if sound && (mobile || landline || service) {
            Ok(Self(if mobile { digits } else { String::from(number) }))
        } else {
            Err(Rejected::new("应为 11 位手机号，或带区号的座机号，如 029-88880000"))
        }
    }
}

/// 电子邮箱, as people are written to: one `@`, and a name of a host behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Longest address, in characters (YJ-core A).
    pub const LENGTH_MAX: usize = 120;

    /// The address itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

impl FromStr for Email {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为电子邮箱地址，如 name@example.cn");
        let text = text.trim();
        let (name, host) = text.split_once('@').ok_or_else(wrong)?;
        let letters = |part: &str, others: &str| {
            part.chars().all(|letter| letter.is_ascii_alphanumeric() || others.contains(letter))
        };
        let labels = host
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let sound = !name.is_empty()
            && text.len() <= Self::LENGTH_MAX
            && letters(name, "!#$%&'*+/=?^_`{|}~.-")
            && letters(host, ".-")
            && host.contains('.')
            && labels;
        if sound { Ok(Self(String::from(text))) } else { Err(wrong()) }
    }
}

/// 食品生产许可证编号: `SC` and 14 digits; `JY` and `YB` likewise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoodLicence(String);
checked_text!(FoodLicence);

impl FoodLicence {
    /// The county that issued it; may be missing from the register (a warning only).
    pub fn region(&self) -> &str {
        if self.0.starts_with("SC") { &self.0[5..11] } else { &self.0[3..9] }
    }
}

impl FromStr for FoodLicence {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = tidy(text);
        let prefixed = ["SC", "JY", "YB"].iter().any(|prefix| code.starts_with(prefix));
        if code.chars().count() != 16 || !prefixed {
            return Err(Rejected::new("应为 SC、JY 或 YB 加 14 位数字"));
        }
        let digits = &code.as_bytes()[2..];
        if mod11_10(&digits[..13]) != Some(digits[13]) {
            return Err(Rejected::new("校验位不符，请核对是否有录入错误"));
        }
        Ok(Self(code))
    }
}

/// MAC 地址 (G-6.7.5), upper case with colons.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MacAddress(String);
checked_text!(MacAddress);

impl MacAddress {
    /// Whether it was set by software rather than by the maker; worth a remark.
    pub fn locally_administered(&self) -> bool {
        u8::from_str_radix(&self.0[..2], 16).is_ok_and(|first| first & 2 != 0)
    }
}

impl FromStr for MacAddress {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为 12 位或 16 位十六进制的 MAC 地址，如 AA:BB:CC:DD:EE:FF");
        let text = tidy(text);
        let digits: String =
            text.chars().filter(|letter| !matches!(letter, ':' | '-' | '.')).collect();
        if !matches!(digits.len(), 12 | 16)
            || !digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return Err(wrong());
        }
        let first = u8::from_str_radix(&digits[..2], 16).map_err(|_| wrong())?;
        if digits.bytes().all(|digit| digit == b'0') {
            return Err(Rejected::new("MAC 地址不能全为零"));
        }
        if first & 1 != 0 {
            return Err(Rejected::new("这是组播或广播地址，不是设备的 MAC 地址"));
        }
        let pairs: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
        Ok(Self(pairs.join(":")))
    }
}

/// 用户名: 3 to 32 small letters, digits, `-`, `_` or `.`, which nobody can mistake for another.
pub fn user_name(text: &str) -> Result<String, Rejected> {
    let sound = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if (3..=32).contains(&text.len()) && text.bytes().all(sound) {
        Ok(String::from(text))
    } else {
        Err(Rejected::new("应为 3 至 32 位小写字母、数字、-、_ 或 ."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_numbers_are_checked_and_masked() {
        let number: IdentityNumber = "11010519491231002x".parse().unwrap();
        assert_eq!(number.masked(), "110***********002X");
        assert_eq!(format!("{number:?}"), "110***********002X");
        assert!("440524188001010014".parse::<IdentityNumber>().is_ok());
        assert!("110105194912310021".parse::<IdentityNumber>().is_err());
        assert!(
            "110105194913310020"
                .parse::<IdentityNumber>()
                .unwrap_err()
                .to_string()
                .contains("日期")
        );
    }

    #[test]
    fn phones_of_every_kind_are_taken() {
        for phone in [
            "13800000000",
            "+8613800000000",
            "029-88880000",
            "0106666 7777",
            "400-000-0000",
            "95588",
        ] {
            assert!(phone.parse::<Phone>().is_ok(), "{phone}");
        }
        for phone in ["12800000000", "1380000000", "abc", "", "88880000"] {
            assert!(phone.parse::<Phone>().is_err(), "{phone}");
        }
    }

    #[test]
    fn addresses_of_mail_have_a_name_and_a_host() {
        for address in ["name@example.cn", "a.b+c@mail.example.com.cn", "1@2.cn"] {
            assert!(address.parse::<Email>().is_ok(), "{address}");
        }
        for address in [
            "",
            "a",
            "@example.cn",
            "a@",
            "a@b",
            "a@b..cn",
            "a@-b.cn",
            "a b@c.cn",
            "a@b@c.cn",
            "示例@b.cn",
        ] {
            assert!(address.parse::<Email>().is_err(), "{address}");
        }
    }

    #[test]
    fn real_food_licences_are_valid_even_with_unknown_regions() {
        for licence in [
            "SC10741018302531",
            "SC10744030704994",
            "SC11351090100010",
            "SC12336098200173",
            "SC12434017430075",
            "SC10622042103775",
        ] {
            assert!(licence.parse::<FoodLicence>().is_ok(), "{licence}");
        }
        assert_eq!("SC12434017430075".parse::<FoodLicence>().unwrap().region(), "340174");
        assert!("SC12434017430076".parse::<FoodLicence>().is_err());
    }

    #[test]
    fn mac_addresses_have_one_form() {
        for text in ["a4bb6d001122", "A4-BB-6D-00-11-22", "a4bb.6d00.1122", "A4:BB:6D:00:11:22"] {
            assert_eq!(text.parse::<MacAddress>().unwrap().as_str(), "A4:BB:6D:00:11:22");
        }
        for text in ["000000000000", "FFFFFFFFFFFF", "01:00:5E:00:00:01", "A4BB6D", "G4BB6D001122"]
        {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
        assert!("06:00:00:00:00:01".parse::<MacAddress>().unwrap().locally_administered());
    }
}
