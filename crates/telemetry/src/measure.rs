//! Measured values: exact decimals with six places, never floating point.

use std::{fmt, str::FromStr};

use yj_model::Rejected;

/// Places after the point.
const PLACES: usize = 6;
/// One, as stored.
pub(crate) const ONE: i64 = 1_000_000;
/// Digits before the point.
const WHOLE_MAX: usize = 12;

/// A measured value, in millionths of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measure(pub(crate) i64);

impl FromStr for Measure {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || {
            Rejected::new(
                "应为十进制字符串，整数部分至多 12 位、小数至多 6 位，如 \"4.25\" 或 \"-18\"",
            )
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let sound = |text: &str, max: usize| {
            (1..=max).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
        };
        if !sound(whole, WHOLE_MAX) || !sound(part, PLACES) {
            return Err(wrong());
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
        let value = number(whole)? * ONE + number(&format!("{part:0<PLACES$}"))?;
        Ok(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, sign) = (self.0.unsigned_abs(), if self.0 < 0 { "-" } else { "" });
        let (whole, part) = (value / ONE.unsigned_abs(), value % ONE.unsigned_abs());
        if part == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let part = format!("{part:06}");
        write!(formatter, "{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_have_one_form() {
        for (text, stored, shown) in [
            ("4.25", 4_250_000, "4.25"),
            ("-18", -18_000_000, "-18"),
            ("-0.5", -500_000, "-0.5"),
            ("007.100000", 7_100_000, "7.1"),
            ("-0", 0, "0"),
            ("999999999999.999999", 999_999_999_999_999_999, "999999999999.999999"),
        ] {
            let read: Measure = text.parse().expect("a decimal");
            assert_eq!((read.0, read.to_string().as_str()), (stored, shown), "{text}");
        }
        for wrong in ["", "-", ".5", "5.", "1e3", "+1", "1.0000001", "1000000000000", "--1", "1 "] {
            assert!(wrong.parse::<Measure>().is_err(), "{wrong}");
        }
    }
}
