//! 检测结果: what a laboratory writes where a number is expected. A result below what the method can
//! see is neither nothing nor a number (GB/T 27025, handbook §4.1): it is known to lie below a limit,
//! and whether that is enough depends on what it is held against.

use std::{fmt, str::FromStr};

use crate::{Quantity, Rejected, narrow};

/// 检测结果
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// `0.05`
    Exactly(Quantity),
    /// `<10`: below this.
    Below(Quantity),
    /// `≤10`
    AtMost(Quantity),
    /// `>300`: above this.
    Above(Quantity),
    /// `≥300`
    AtLeast(Quantity),
    /// `ND`, `未检出`, with the limit of detection where it is written along with it.
    NotDetected(Option<Quantity>),
    /// `<LOQ`: there, but too little to say how much.
    Unquantified,
}

/// What a method can see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detection {
    /// 检出限 (LOD)
    pub detects: Option<Quantity>,
    /// 定量限 (LOQ)
    pub quantifies: Option<Quantity>,
}

/// What a result says of a largest allowed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// 不超过
    Within,
    /// 超过
    Exceeds,
    /// 不能判定: it may lie on either side.
    Open,
}

/// Longest text.
const LENGTH_MAX: usize = 40;
const HELP: &str = "应为检测结果：数值（如 0.05）、低于（如 <0.01）、高于（如 >300）或未检出（如 ND、未检出(<0.01)）";

impl FromStr for Measured {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        if text.chars().count() > LENGTH_MAX {
            return Err(Rejected::new(HELP));
        }
        let tidy: String = text.chars().map(narrow).filter(|one| !one.is_whitespace()).collect();
        let tidy = tidy.to_uppercase();
        let after = |signs: &[&str]| signs.iter().find_map(|sign| tidy.strip_prefix(sign));
        if let Some(bound) = after(&["<=", "≤", "≦"]) {
            return positive(bound).map(Self::AtMost);
        }
        if let Some(bound) = after(&["<"]) {
            return match bound {
                "LOD" | "MDL" | "检出限" => Ok(Self::NotDetected(None)),
                "LOQ" | "定量限" => Ok(Self::Unquantified),
                number => positive(number).map(Self::Below),
            };
        }
        if let Some(bound) = after(&[">=", "≥", "≧"]) {
            return positive(bound).map(Self::AtLeast);
        }
        if let Some(bound) = after(&[">"]) {
            return positive(bound).map(Self::Above);
        }
        if let Some(rest) = after(&["未检出", "N.D.", "N.D", "ND"]) {
            return not_detected(rest);
        }
        tidy.parse().map(Self::Exactly).map_err(|_| Rejected::new(HELP))
    }
}

fn positive(text: &str) -> Result<Quantity, Rejected> {
    let number: Quantity = text.parse().map_err(|_| Rejected::new(HELP))?;
    if number.is_positive() {
        Ok(number)
    } else {
        Err(Rejected::new("“<”“>”等之后应为大于 0 的数，如 <0.01；没有检出的写“未检出”"))
    }
}

/// What follows 未检出: nothing, or the limit of detection, in brackets or not.
fn not_detected(rest: &str) -> Result<Measured, Rejected> {
    if rest.is_empty() {
        return Ok(Measured::NotDetected(None));
    }
    let inner = rest.strip_prefix('(').map_or(Some(rest), |inner| inner.strip_suffix(')'));
    let inner = inner.ok_or_else(|| Rejected::new(HELP))?;
    let bare = ["检出限", "LOD", "MDL"].iter().find_map(|word| inner.strip_prefix(word));
    let number = bare.unwrap_or(inner).trim_start_matches([':', '=', '<']);
    positive(number).map(|limit| Measured::NotDetected(Some(limit)))
}

impl Measured {
    /// What it says of a largest allowed value. Where nothing is allowed (0, 不得检出), what was not
    /// detected is within, however far the method sees; a mere upper bound says nothing.
    pub fn against(self, most: Quantity, method: Detection) -> Against {
        let up_to = |bound: Option<Quantity>, otherwise: Against| match bound {
            Some(bound) if bound <= most => Against::Within,
            Some(_) => Against::Open,
            None => otherwise,
        };
        let beyond = |exceeds: bool| if exceeds { Against::Exceeds } else { Against::Open };
        match self {
            Self::Exactly(number) if number > most => Against::Exceeds,
            Self::Exactly(_) => Against::Within,
            // A bound that is what the method can see says that nothing was seen.
            Self::Below(bound) if method.detects == Some(bound) => {
                Self::NotDetected(Some(bound)).against(most, method)
            }
            Self::Below(bound) | Self::AtMost(bound) => up_to(Some(bound), Against::Open),
            Self::Above(bound) => beyond(bound >= most),
            Self::AtLeast(bound) => beyond(bound > most),
            Self::NotDetected(_) if !most.is_positive() => Against::Within,
            // Without a limit of detection the laboratory's word stands.
            Self::NotDetected(own) => up_to(own.or(method.detects), Against::Within),
            Self::Unquantified => up_to(method.quantifies, Against::Open),
        }
    }

    /// Why it cannot be what this method gave, if it cannot.
    pub fn objection(self, method: Detection) -> Option<String> {
        let Self::Exactly(number) = self else { return None };
        let detects = method.detects.filter(|limit| number < *limit)?;
        Some(format!(
            "低于检出限 {detects} 的不是可报的数值，应写“未检出”或“<{detects}”，不应写 {number}"
        ))
    }

    /// Whether it says that something was there.
    pub fn is_seen(self) -> bool {
        match self {
            Self::Exactly(number) => number.is_positive(),
            Self::Above(_) | Self::AtLeast(_) | Self::Unquantified => true,
            Self::Below(_) | Self::AtMost(_) | Self::NotDetected(_) => false,
        }
    }

    /// The number, where it is one.
    pub const fn exactly(self) -> Option<Quantity> {
        match self {
            Self::Exactly(number) => Some(number),
            _ => None,
        }
    }
}

/// In words.
impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(number) => write!(formatter, "{number}"),
            Self::Below(bound) => write!(formatter, "低于 {bound}"),
            Self::AtMost(bound) => write!(formatter, "不高于 {bound}"),
            Self::Above(bound) => write!(formatter, "高于 {bound}"),
            Self::AtLeast(bound) => write!(formatter, "不低于 {bound}"),
            Self::NotDetected(None) => formatter.write_str("未检出"),
            Self::NotDetected(Some(limit)) => write!(formatter, "未检出（检出限 {limit}）"),
            Self::Unquantified => formatter.write_str("低于定量限"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn what_laboratories_write_is_understood_and_nothing_else() {
        for (text, words) in [
            ("0.05", "0.05"),
            ("０．０５", "0.05"),
            ("<10", "低于 10"),
            ("＜ 10", "低于 10"),
            ("≤10", "不高于 10"),
            ("<=10", "不高于 10"),
            (">300", "高于 300"),
            ("≥300", "不低于 300"),
            ("ND", "未检出"),
            ("n.d.", "未检出"),
            ("未检出", "未检出"),
            ("<LOD", "未检出"),
            ("未检出（<0.01）", "未检出（检出限 0.01）"),
            ("ND(LOD: 0.01)", "未检出（检出限 0.01）"),
            ("未检出 (检出限 0.01)", "未检出（检出限 0.01）"),
            ("<loq", "低于定量限"),
        ] {
            assert_eq!(
                text.parse::<Measured>().map(|one| one.to_string()).unwrap(),
                words,
                "{text}"
            );
        }
        for text in [
            "", "<", "<0", "<-1", "NaN", "inf", "1e3", "10 CFU/g", "NDX", "ND(", "阴性", "≤ND",
            "--1",
        ] {
            assert!(text.parse::<Measured>().is_err(), "{text}");
        }
        assert!("9".repeat(41).parse::<Measured>().is_err());
    }

    #[test]
    fn a_result_below_what_the_method_sees_is_no_number() {
        let seen =
            Detection { detects: Some(quantity("0.01")), quantifies: Some(quantity("0.03")) };
        let blind = Detection { detects: Some(quantity("0.5")), quantifies: None };
        let none = Detection::default();
        for (text, most, method, expected) in [
            ("0.2", "0.2", none, Against::Within),
            ("0.2001", "0.2", none, Against::Exceeds),
            ("<0.2", "0.2", none, Against::Within),
            ("<10", "0.2", none, Against::Open),
            ("≤0.2", "0.2", none, Against::Within),
            (">0.2", "0.2", none, Against::Exceeds),
            (">0.1", "0.2", none, Against::Open),
            ("≥0.2", "0.2", none, Against::Open),
            ("ND", "0.2", none, Against::Within),
            ("ND", "0.2", seen, Against::Within),
            // The method does not see as far as the limit.
            ("ND", "0.2", blind, Against::Open),
            ("未检出(<0.5)", "0.2", seen, Against::Open),
            ("<LOQ", "0.2", seen, Against::Within),
            ("<LOQ", "0.02", seen, Against::Open),
            ("<LOQ", "0.2", none, Against::Open),
            // 不得检出
            ("ND", "0", blind, Against::Within),
            ("<0.5", "0", blind, Against::Within),
            ("<0.5", "0", none, Against::Open),
            ("<LOQ", "0", seen, Against::Open),
            ("0.0001", "0", none, Against::Exceeds),
        ] {
            let found: Measured = text.parse().unwrap();
            assert_eq!(found.against(quantity(most), method), expected, "{text} {most}");
        }
        let zero: Measured = "0".parse().unwrap();
        assert!(zero.objection(seen).is_some_and(|why| why.contains("<0.01")));
        assert!(zero.objection(none).is_none());
        assert!("ND".parse::<Measured>().is_ok_and(|one| one.objection(seen).is_none()));
    }
}
