//! GS1 keys (handbook §2.5).

use std::str::FromStr;

use crate::{
    Gs1Data, Rejected,
    check_digit::gs1_mod10,
    identifier::epc_escaped,
    text::{checked_text, tidy, wrong_length},
};

fn checked(text: &str, lengths: &[usize], wanted: &str) -> Result<String, Rejected> {
    let code = tidy(text);
    if !lengths.contains(&code.chars().count()) {
        return Err(wrong_length(wanted, &code));
    }
    if !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Rejected::new("只应含数字"));
    }
    let (body, check) = code.as_bytes().split_at(code.len() - 1);
    let right = gs1_mod10(body);
    if right != check.first().copied() {
        let right = right.map(char::from).unwrap_or_default();
        return Err(Rejected(format!("校验位应为 {right}，现为 {}", char::from(check[0]))));
    }
    Ok(code)
}

/// 全球贸易项目代码, kept as 14 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(String);
checked_text!(Gtin);

impl FromStr for Gtin {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let code = checked(text, &[8, 12, 13, 14], "8、12、13 或 14")?;
        Ok(Self(format!("{code:0>14}")))
    }
}

/// 全球位置码
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gln(String);
checked_text!(Gln);

impl FromStr for Gln {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        checked(text, &[13], "13").map(Self)
    }
}

/// 系列货运包装箱代码
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sscc(String);
checked_text!(Sscc);

impl FromStr for Sscc {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        checked(text, &[18], "18").map(Self)
    }
}

/// A serialised GTIN as an EPC. The length of the company prefix cannot be derived and is stated
/// by whoever owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SgtinEpc {
    /// The trade item.
    pub gtin: Gtin,
    /// 序列号
    pub serial: String,
    /// Digits of the GS1 company prefix, 6 to 12.
    pub prefix_length: usize,
}

impl SgtinEpc {
    /// `urn:epc:id:sgtin:Prefix.IndicatorItem.Serial`
    pub fn urn(&self) -> Option<String> {
        let (prefix, item) = self.parts()?;
        Some(format!("urn:epc:id:sgtin:{prefix}.{item}.{}", epc_escaped(&self.serial)))
    }

    /// Reads the URN form.
    pub fn from_urn(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为 urn:epc:id:sgtin:厂商识别代码.指示符与项目代码.序列号");
        let rest = text.strip_prefix("urn:epc:id:sgtin:").ok_or_else(wrong)?;
        let data = Gs1Data::read(text).ok_or_else(wrong)??;
        let (gtin, serial) = data.value("01").zip(data.value("21")).ok_or_else(wrong)?;
        let prefix_length = rest.find('.').unwrap_or_default();
        Ok(Self { gtin: gtin.parse()?, serial: String::from(serial), prefix_length })
    }

    /// Company prefix; indicator with item reference.
    fn parts(&self) -> Option<(&str, String)> {
        if !(6..=12).contains(&self.prefix_length) {
            return None;
        }
        let gtin = self.gtin.as_str();
        let (prefix, item) = gtin[1..13].split_at(self.prefix_length);
        Some((prefix, format!("{}{item}", &gtin[..1])))
    }
}

/// SGTIN-96 as 24 hexadecimal digits; `None` where the serial is not a number below 2³⁸.
pub fn sgtin96(epc: &SgtinEpc, filter: u8) -> Option<String> {
    // Prefix bits for partitions 0 to 6, that is prefixes of 12 to 6 digits.
    const PREFIX_BITS: [u32; 7] = [40, 37, 34, 30, 27, 24, 20];
    let serial: u128 = epc.serial.parse().ok()?;
    let plain = epc.serial == "0" || !epc.serial.starts_with('0');
    if serial >= 1 << 38 || !plain || filter > 7 {
        return None;
    }
    let (prefix, item) = epc.parts()?;
    let partition = 12 - epc.prefix_length;
    let prefix_bits = PREFIX_BITS[partition];
    let (prefix, item): (u128, u128) = (prefix.parse().ok()?, item.parse().ok()?);
    let mut bits: u128 = 0x30;
    for (width, value) in [
        (3, u128::from(filter)),
        (3, partition as u128),
        (prefix_bits, prefix),
        (44 - prefix_bits, item),
        (38, serial),
    ] {
        bits = (bits << width) | value;
    }
    Some(format!("{bits:024X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verified_examples_are_valid() {
        assert_eq!("6901234567892".parse::<Gtin>().unwrap().as_str(), "06901234567892");
        assert_eq!("16901234567899".parse::<Gtin>().unwrap().as_str(), "16901234567899");
        assert_eq!("40170725".parse::<Gtin>().unwrap().as_str(), "00000040170725");
        assert!("6901234000016".parse::<Gln>().is_ok());
        assert!("106141412345678908".parse::<Sscc>().is_ok());
        assert_eq!(
            "6901234567893".parse::<Gtin>().unwrap_err().to_string(),
            "校验位应为 2，现为 3"
        );
        assert_eq!(
            "690123456789".parse::<Gln>().unwrap_err().to_string(),
            "应为 13 位，现为 12 位"
        );
    }

    #[test]
    fn epc_forms_agree_with_the_published_ones() {
        let epc = SgtinEpc::from_urn("urn:epc:id:sgtin:6901234.056789.1001").unwrap();
        assert_eq!(epc.gtin.as_str(), "06901234567892");
        assert_eq!(epc.urn().unwrap(), "urn:epc:id:sgtin:6901234.056789.1001");
        assert_eq!(sgtin96(&epc, 1).unwrap(), "3035A537C8377540000003E9");
        let published = SgtinEpc::from_urn("urn:epc:id:sgtin:0614141.812345.6789").unwrap();
        assert_eq!(sgtin96(&published, 3).unwrap(), "3074257BF7194E4000001A85");
    }

    #[test]
    fn tds_6_3_1_serials_are_escaped_as_the_standard_has_them_and_of_its_letters() {
        for urn in [
            "urn:epc:id:sgtin:6901234.056789.A-1.b_(2)",
            "urn:epc:id:sgtin:6901234.056789.A%2FB%25",
        ] {
            assert_eq!(SgtinEpc::from_urn(urn).unwrap().urn().as_deref(), Some(urn));
        }
        for serial in ["A/B", "", "*", "%ZZ", "中", "123456789012345678901"] {
            let urn = format!("urn:epc:id:sgtin:6901234.056789.{serial}");
            assert_eq!(SgtinEpc::from_urn(&urn).is_ok(), serial == "*", "{urn}");
        }
    }

    #[test]
    fn serials_that_do_not_fit_96_bits_are_refused() {
        let epc = |serial: &str| SgtinEpc {
            gtin: "6901234567892".parse().unwrap(),
            serial: serial.into(),
            prefix_length: 7,
        };
        assert!(sgtin96(&epc("A1"), 1).is_none());
        assert!(sgtin96(&epc("007"), 1).is_none());
        assert!(sgtin96(&epc("274877906944"), 1).is_none());
    }
}
