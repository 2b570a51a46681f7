//! Decimal numbers without rounding.

use std::cmp::Ordering;

/// Beyond this exponent a text is taken for something else than a quantity.
const EXPONENT_MAX: i64 = 400;

/// An exact decimal number: `±0.digits × 10^point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Neither begins nor ends with a zero; empty for zero.
    digits: String,
    point: i64,
}

impl Decimal {
    /// Reads `12`, `-0.50`, `+.5`, `1e3`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let sound = !(whole.is_empty() && part.is_empty()) && all_digits(whole) && all_digits(part);
        if !sound {
            return None;
        }
        let joined = format!("{whole}{part}");
        let leading = joined.bytes().take_while(|digit| *digit == b'0').count();
        let digits = joined[leading..].trim_end_matches('0').to_owned();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + exponent;
        if digits.is_empty() {
            return Some(Self { negative: false, digits, point: 0 });
        }
        (point.abs() <= EXPONENT_MAX).then_some(Self { negative, digits, point })
    }

    /// The nearest floating-point number.
    pub fn to_f64(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0.{}e{}", self.digits, self.point).parse().unwrap_or(0.0)
    }

    /// Whether it is more than zero.
    pub fn is_positive(&self) -> bool {
        self.sign() > 0
    }

    /// Whether it has no part behind the point.
    pub fn is_whole(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|length| self.point >= length)
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value: i64 = if sound && digits.len() <= 6 { digits.parse().ok()? } else { return None };
    Some(if text.starts_with('-') { -value } else { value })
}

impl std::fmt::Display for Decimal {
    /// Plain digits, without exponent and without zeros that say nothing.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.digits.is_empty() {
            return out.write_str("0");
        }
        if self.negative {
            out.write_str("-")?;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if self.point <= 0 {
            write!(out, "0.{}{}", zeros(-self.point), self.digits)
        } else if self.point >= length {
            write!(out, "{}{}", self.digits, zeros(self.point - length))
        } else {
            let (whole, part) = self.digits.split_at(usize::try_from(self.point).unwrap_or(0));
            write!(out, "{whole}.{part}")
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            let points = self.point.cmp(&other.point);
            points.then_with(|| self.digits.cmp(&other.digits))
        };
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        Decimal::parse(text).map(|number| number.to_string())
    }

    #[test]
    fn one_number_has_one_text() {
        for (text, wanted) in [
            ("200.0", "200"),
            ("0012", "12"),
            ("+5", "5"),
            ("-0.0", "0"),
            (".50", "0.5"),
            ("1e3", "1000"),
            ("12.30e-3", "0.0123"),
            ("1.", "1"),
            ("-1200", "-1200"),
            ("50.947573340894124", "50.947573340894124"),
        ] {
            assert_eq!(told(text).as_deref(), Some(wanted));
        }
        for text in ["", ".", "-", "1e", "abc", "1e999999999", "0x1", "1 2", "NaN", "1_0"] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_that_of_the_numbers() {
        let sorted = ["-20", "-3.5", "-3.45", "0", "0.009", "0.01", "3.45", "3.5", "20", "1e20"];
        let numbers = sorted.map(|text| Decimal::parse(text).unwrap());
        assert!(numbers.is_sorted());
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((numbers[2].to_f64() + 3.45).abs() < 1e-12);
        let positive: Vec<bool> = numbers.iter().map(Decimal::is_positive).collect();
        assert_eq!(positive, sorted.map(|text| !text.starts_with('-') && text != "0"));
        let whole: Vec<bool> = numbers.iter().map(Decimal::is_whole).collect();
        assert_eq!(whole, sorted.map(|text| !text.contains('.')));
    }
}
