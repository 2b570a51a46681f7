//! GS1 Digital Link, both ways (handbook §2.5): a web address that names a product, a lot, an item
//! or a logistic unit.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Gtin, Rejected, Sscc};

/// Everything but letters, digits and `- _ . ~` is written as `%XX`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why an address is not a Digital Link.
pub type LinkError = Rejected;

/// What a Digital Link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigitalLink {
    /// `/01/…`, perhaps with variant, lot and serial.
    TradeItem {
        /// AI 01
        gtin: Gtin,
        /// AI 22
        variant: Option<String>,
        /// AI 10
        lot: Option<String>,
        /// AI 21
        serial: Option<String>,
    },
    /// `/00/…`
    LogisticUnit(Sscc),
}

impl DigitalLink {
    /// Reads the path of an address, `/01/…/10/…/21/…`, wherever in the path it begins. The query
    /// string carries attributes and does not change what is named.
    pub fn parse_path(path: &str) -> Result<Self, LinkError> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let pairs = |from: usize| parts[from..].chunks(2).map(<[&str]>::to_vec);
        let start = (0..parts.len())
            .find(|&at| matches!(parts[at], "01" | "gtin" | "00" | "sscc") && at + 1 < parts.len());
        let Some(start) = start else {
            return Err(Rejected::new(
                "不是 GS1 Digital Link：路径应含 /01/商品条码 或 /00/物流单元代码",
            ));
        };
        let mut pairs = pairs(start);
        let key = pairs.next().unwrap_or_default();
        if matches!(key[0], "00" | "sscc") {
            return match pairs.next() {
                None => Ok(Self::LogisticUnit(decode(key[1])?.parse()?)),
                Some(_) => Err(Rejected::new("物流单元代码之后不应再有限定符")),
            };
        }
        let gtin: Gtin = decode(key[1])?.parse()?;
        let (mut variant, mut lot, mut serial, mut rank) = (None, None, None, 0);
        for pair in pairs {
            let [name, value] = pair[..] else {
                return Err(Rejected::new("限定符缺少取值"));
            };
            let (slot, order) = match name {
                "22" | "cpv" => (&mut variant, 1),
                "10" | "lot" => (&mut lot, 2),
                "21" | "ser" => (&mut serial, 3),
                other => return Err(Rejected(format!("不支持的限定符 {other}，可用 22、10、21"))),
            };
            if order <= rank {
                return Err(Rejected::new("限定符应按 22、10、21 的顺序，且不重复"));
            }
            rank = order;
            *slot = Some(component(&decode(value)?)?);
        }
        Ok(Self::TradeItem { gtin, variant, lot, serial })
    }

    /// The canonical path, beginning with `/`.
    pub fn path(&self) -> String {
        match self {
            Self::LogisticUnit(sscc) => format!("/00/{sscc}"),
            Self::TradeItem { gtin, variant, lot, serial } => {
                let mut path = format!("/01/{gtin}");
                for (key, value) in [("22", variant), ("10", lot), ("21", serial)] {
                    if let Some(value) = value {
                        path.push_str(&format!("/{key}/{}", utf8_percent_encode(value, ESCAPED)));
                    }
                }
                path
            }
        }
    }
}

fn decode(text: &str) -> Result<String, Rejected> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| Rejected::new("百分号编码不是有效的 UTF-8"))
}

/// AI 22, 10 and 21: 1 to 20 of GS1's 82 characters.
fn component(text: &str) -> Result<String, Rejected> {
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || "!\"%&'()*+,-./_:;<=>?".contains(letter);
    if !(1..=20).contains(&text.chars().count()) || !text.chars().all(allowed) {
        return Err(Rejected::new(
            "批次号与序列号在 GS1 编码中应为 1 至 20 位字母、数字或规定符号",
        ));
    }
    Ok(String::from(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_standard_reads_and_writes() {
        let link = DigitalLink::parse_path("/01/06901234567892/10/L20261101A/21/000123?17=270501")
            .unwrap();
        assert_eq!(
            link,
            DigitalLink::TradeItem {
                gtin: "06901234567892".parse().unwrap(),
                variant: None,
                lot: Some("L20261101A".into()),
                serial: Some("000123".into()),
            }
        );
        assert_eq!(link.path(), "/01/06901234567892/10/L20261101A/21/000123");
        assert_eq!(
            DigitalLink::parse_path("/00/106141412345678908").unwrap().path(),
            "/00/106141412345678908"
        );
        assert_eq!(
            DigitalLink::parse_path("/id/01/6901234567892").unwrap().path(),
            "/01/06901234567892"
        );
    }

    #[test]
    fn wrong_links_are_refused_with_a_reason() {
        let refusal = |path: &str| DigitalLink::parse_path(path).unwrap_err().to_string();
        assert!(refusal("/01/06901234567892/21/1/10/A").contains("顺序"));
        assert!(refusal("/01/06901234567893").contains("校验位"));
        assert!(refusal("/01/06901234567892/10").contains("缺少取值"));
        assert!(refusal("/t/ABC").contains("Digital Link"));
        assert!(refusal("/01/06901234567892/10/%E9%9F%AD").contains("20 位"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(lot in "[!-\"%-?A-Z_a-z]{1,20}", serial in "[0-9A-Z/]{1,20}") {
            let link = DigitalLink::TradeItem {
                gtin: "06901234567892".parse().unwrap(), variant: None, lot: Some(lot), serial: Some(serial),
            };
            prop_assert_eq!(DigitalLink::parse_path(&link.path()), Ok(link));
        }
    }
}
