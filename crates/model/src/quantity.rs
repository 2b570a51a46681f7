//! Quantities: exact decimals of 15 digits with 4 places (handbook §2.10). Never floating point.

use std::{fmt, str::FromStr};

use crate::{Rejected, text::serde_as_text};

const PLACES: u32 = 4;
const SCALE: i64 = 10_000;
/// 99 999 999 999.9999
const SCALED_MAX: i64 = 999_999_999_999_999;

/// An exact decimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);
serde_as_text!(Quantity);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// One of whatever is counted.
    pub const ONE: Self = Self(SCALE);

    /// From ten-thousandths.
    pub fn from_scaled(scaled: i64) -> Result<Self, Rejected> {
        if (-SCALED_MAX..=SCALED_MAX).contains(&scaled) {
            Ok(Self(scaled))
        } else {
            Err(Rejected::new("数量超出范围，整数部分至多 11 位"))
        }
    }

    /// As ten-thousandths.
    pub const fn scaled(self) -> i64 {
        self.0
    }

    /// Greater than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, unless out of bounds.
    pub fn plus(self, other: Self) -> Result<Self, Rejected> {
        Self::from_scaled(self.0 + other.0)
    }

    /// The difference, unless out of bounds.
    pub fn minus(self, other: Self) -> Result<Self, Rejected> {
        Self::from_scaled(self.0 - other.0)
    }

    /// This quantity times a ratio, rounded half to even at the fourth place.
    pub fn times(self, ratio: Ratio) -> Result<Self, Rejected> {
        let product = i128::from(self.0) * ratio.numerator;
        let rounded = divide_half_even(product, ratio.denominator);
        i64::try_from(rounded)
            .map_err(|_| Rejected::new("数量超出范围，整数部分至多 11 位"))
            .and_then(Self::from_scaled)
    }

    /// This quantity times a ratio, where four places hold the product exactly.
    pub(crate) fn times_exactly(self, ratio: Ratio) -> Option<Self> {
        let product = i128::from(self.0) * ratio.numerator;
        if product % ratio.denominator != 0 {
            return None;
        }
        Self::from_scaled(i64::try_from(product / ratio.denominator).ok()?).ok()
    }
}

impl FromStr for Quantity {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为十进制数，整数至多 11 位、小数至多 4 位，如 12.5");
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let sound =
            |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        if !sound(whole) || !sound(fraction) || whole.len() > 11 || fraction.len() > PLACES as usize
        {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let fraction: i64 = format!("{fraction:0<4}").parse().map_err(|_| wrong())?;
        let scaled = whole * SCALE + fraction;
        Self::from_scaled(if negative { -scaled } else { scaled })
    }
}

impl fmt::Display for Quantity {
    /// Written from the last figure on, at a third of the price: a long chain writes a million of them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut left, mut places) = (self.0.unsigned_abs(), PLACES);
        while places > 0 && left % 10 == 0 {
            (left, places) = (left / 10, places - 1);
        }
        // A sign, a point and twenty figures at most.
        let mut text = [b'0'; 24];
        let mut at = text.len();
        let mut put = |byte: u8| {
            at -= 1;
            text[at] = byte;
        };
        if places > 0 {
            (0..places).for_each(|_| put(last_figure(&mut left)));
            put(b'.');
        }
        loop {
            put(last_figure(&mut left));
            if left == 0 {
                break;
            }
        }
        if self.0 < 0 {
            put(b'-');
        }
        formatter.write_str(std::str::from_utf8(&text[at..]).map_err(|_| fmt::Error)?)
    }
}

/// Takes away the last figure of a number, as it is written.
fn last_figure(number: &mut u64) -> u8 {
    let figure = u8::try_from(*number % 10).unwrap_or_default();
    *number /= 10;
    b'0' + figure
}

impl fmt::Debug for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// An exact fraction with a positive denominator, kept in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

/// Denominators are cut back to this size, so that long chains of shares cannot overflow. The
/// relative error of one cut is below 10⁻¹⁷.
const DENOMINATOR_MAX: i128 = 1_000_000_000_000_000_000;

impl Ratio {
    /// All of it.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
    /// None of it.
    pub const NONE: Self = Self { numerator: 0, denominator: 1 };

    /// `part / whole`; nothing of nothing is nothing.
    pub fn of(part: i128, whole: i128) -> Self {
        if whole == 0 {
            return Self::NONE;
        }
        let sign = if whole < 0 { -1 } else { 1 };
        let divisor = greatest_common_divisor(part.unsigned_abs(), whole.unsigned_abs());
        let divisor = i128::try_from(divisor).unwrap_or(1).max(1);
        let (numerator, denominator) = (sign * part / divisor, sign * whole / divisor);
        if denominator <= DENOMINATOR_MAX {
            return Self { numerator, denominator };
        }
        let numerator = divide_half_even_wide(numerator, DENOMINATOR_MAX, denominator);
        Self { numerator, denominator: DENOMINATOR_MAX }
    }

    /// The sum of two fractions.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if self.denominator == other.denominator {
            return Self::of(self.numerator + other.numerator, self.denominator);
        }
        Self::of(
            self.numerator * other.denominator + other.numerator * self.denominator,
            self.denominator * other.denominator,
        )
    }

    /// The product of two fractions.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self::of(self.numerator * other.numerator, self.denominator * other.denominator)
    }

    /// As a decimal with `places` places, rounded half to even.
    pub fn decimal(self, places: u32) -> String {
        let mut text = String::new();
        // A text takes whatever is written.
        let _ = self.write_decimal(places, &mut text);
        text
    }

    /// The same into a text that is being written.
    pub fn write_decimal(self, places: u32, out: &mut impl fmt::Write) -> fmt::Result {
        let scale = 10_i128.pow(places);
        let scaled = divide_half_even(self.numerator * scale, self.denominator);
        let (sign, scaled) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
        let (whole, rest) = (scaled / scale.unsigned_abs(), scaled % scale.unsigned_abs());
        match (places, u64::try_from(whole), u64::try_from(rest)) {
            (0, ..) => write!(out, "{sign}{scaled}"),
            // Halves of the size are written three times as fast.
            (_, Ok(whole), Ok(rest)) => {
                write!(out, "{sign}{whole}.{rest:0width$}", width = places as usize)
            }
            _ => write!(out, "{sign}{whole}.{rest:0width$}", width = places as usize),
        }
    }

    /// Whether this is more than `limit`.
    pub fn exceeds(self, limit: Self) -> bool {
        self.numerator * limit.denominator > limit.numerator * self.denominator
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        // Halves of the size are divided twenty times as fast.
        if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
            return u128::from(small_divisor(a, b));
        }
        (a, b) = (b, a % b);
    }
    a
}

/// The same by halving and subtracting; `b` is not zero.
fn small_divisor(mut a: u64, mut b: u64) -> u64 {
    if a == 0 {
        return b;
    }
    let twos = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        (a, b) = (a.min(b), a.abs_diff(b));
    }
    a << twos
}

fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    match (rest * 2).cmp(&denominator) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

/// `a × b / c` where `a × b` may not fit: whole part and remainder apart.
fn divide_half_even_wide(a: i128, b: i128, c: i128) -> i128 {
    let (whole, rest) = (a.div_euclid(c), a.rem_euclid(c));
    // Shed low bits of rest and c together until the product fits.
    let (mut rest, mut divisor) = (rest, c);
    while rest.checked_mul(b).is_none() {
        rest >>= 1;
        divisor >>= 1;
    }
    whole * b + divide_half_even(rest * b, divisor.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(scaled in -SCALED_MAX..=SCALED_MAX) {
            let quantity = Quantity::from_scaled(scaled).unwrap();
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        }

        #[test]
        fn taking_away_what_was_added_changes_nothing(a in 0..SCALED_MAX / 2, b in 0..SCALED_MAX / 2) {
            let (a, b) = (Quantity(a), Quantity(b));
            prop_assert_eq!(a.plus(b).unwrap().minus(b), Ok(a));
        }

        #[test]
        fn the_divisor_divides_and_leaves_nothing_in_common(a in 0_u128..1 << 100, b in 1_u128..1 << 100, c in 1_u128..1 << 20) {
            let divisor = greatest_common_divisor(a * c, b * c);
            prop_assert_eq!((a * c % divisor, b * c % divisor, divisor % c), (0, 0, 0));
            prop_assert_eq!(greatest_common_divisor(a * c / divisor, b * c / divisor), 1);
        }

        #[test]
        fn shares_of_a_whole_add_up(parts in prop::collection::vec(1i128..1_000_000_000, 1..40)) {
            let whole: i128 = parts.iter().sum();
            let sum = parts.iter().fold(Ratio::NONE, |sum, &part| sum.plus(Ratio::of(part, whole)));
            prop_assert_eq!(sum.decimal(9), "1.000000000");
        }
    }

    #[test]
    fn nothing_is_written_that_says_nothing() {
        let written = |scaled| Quantity(scaled).to_string();
        let all = [0, 1, -1, 10_000, -12_500, 1_000_000, 123_456_789, SCALED_MAX, i64::MIN];
        let expected =
            "0 0.0001 -0.0001 1 -1.25 100 12345.6789 99999999999.9999 -922337203685477.5808";
        assert_eq!(all.map(written).join(" "), expected);
    }

    #[test]
    fn rounding_is_half_to_even() {
        assert_eq!(Ratio::of(1, 8).decimal(2), "0.12");
        assert_eq!(Ratio::of(3, 8).decimal(2), "0.38");
        assert_eq!(Ratio::of(-1, 8).decimal(2), "-0.12");
        assert_eq!(Ratio::of(2, 3).decimal(4), "0.6667");
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for text in
            ["", ".", "1.", ".5", "1e3", "1.23456", "123456789012", "１", "+1", "1,000", "NaN"]
        {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
        assert_eq!("-0.0500".parse::<Quantity>().unwrap().to_string(), "-0.05");
        assert_eq!("1540".parse::<Quantity>().unwrap().scaled(), 15_400_000);
    }
}
