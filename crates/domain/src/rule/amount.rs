//! Rules about numbers: bounds, and what must come out of what goes in. Exact, in ten-thousandths.

use serde::Serialize;
use yj_model::Quantity;

use super::{Broken, values::Values};

/// Ten-thousandths in one, and so in one percent.
const ONE: i128 = 10_000;
/// Ten-thousandths of a percent in the whole.
const WHOLE: i128 = 100 * ONE;

/// What a quantity is divided by where a code says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// The code.
    pub is: String,
    /// The divisor; at least 0.0001.
    pub divide_by: Quantity,
}

pub(super) fn not_above(values: Values<'_>, a: &str, b: &str) -> Option<Broken> {
    let above = values.number(a)? > values.number(b)?;
    let (first, second) = (values.shown(a), values.shown(b));
    above.then(|| (String::from(b), format!("{first}不应大于{second}")))
}

pub(super) fn bounded(
    values: Values<'_>,
    field: &str,
    (min, max): (Option<Quantity>, Option<Quantity>),
) -> Option<Broken> {
    let number = values.number(field)?;
    let wanted = match (min, max) {
        (Some(min), _) if number < min => format!("不应小于 {min}"),
        (_, Some(max)) if number > max => format!("不应大于 {max}"),
        _ => return None,
    };
    Some((String::from(field), format!("{}{wanted}", values.shown(field))))
}

pub(super) fn factor(values: Values<'_>, by: &str, factors: &[Factor]) -> Option<Quantity> {
    let code = values.text(by)?;
    factors.iter().find(|factor| factor.is == code).map(|factor| factor.divide_by)
}

/// A fraction, both parts in ten-thousandths.
#[derive(Clone, Copy)]
struct Expected {
    part: i128,
    whole: i128,
}

impl Expected {
    /// Whether `found` is at most `tolerance` percent off; not where the numbers are absurd.
    fn is_near(self, found: Quantity, tolerance: Quantity) -> bool {
        let off = i128::from(found.scaled()).checked_mul(self.whole);
        let off = off.and_then(|found| found.checked_sub(self.part)?.abs().checked_mul(WHOLE));
        let allowed = self.part.abs().checked_mul(i128::from(tolerance.scaled()));
        off.zip(allowed).is_some_and(|(off, allowed)| off <= allowed)
    }

    /// Rounded to the four places that quantities have.
    fn shown(self) -> String {
        let rounded = (self.part + self.whole / 2).div_euclid(self.whole);
        let quantity =
            i64::try_from(rounded).ok().and_then(|scaled| Quantity::from_scaled(scaled).ok());
        quantity.map_or_else(|| String::from("超出范围"), |quantity| quantity.to_string())
    }
}

/// `of` × `percent` ÷ 100 ÷ `factor`; `None` where the numbers are too large to be true.
fn expected(of: Quantity, percent: Quantity, factor: Option<Quantity>) -> Option<Expected> {
    let divisor = factor.map_or(ONE, |factor| i128::from(factor.scaled()));
    let part = i128::from(of.scaled()).checked_mul(i128::from(percent.scaled()))?;
    Some(Expected { part: part.checked_mul(ONE)?, whole: WHOLE.checked_mul(divisor)? })
}

pub(super) fn yields(
    values: Values<'_>,
    [of, percent, gives]: [&String; 3],
    (tolerance, factor): (Quantity, Option<Quantity>),
) -> Option<Broken> {
    let (input, rate, output) =
        (values.number(of)?, values.number(percent)?, values.number(gives)?);
    let wanted = expected(input, rate, factor);
    if wanted.is_some_and(|wanted| wanted.is_near(output, tolerance)) {
        return None;
    }
    let amount = wanted.map_or_else(|| String::from("超出范围"), Expected::shown);
    let divided = factor.map(|factor| format!(" ÷ {factor}")).unwrap_or_default();
    let (input, rate, output) = (values.shown(of), values.shown(percent), values.shown(gives));
    let detail = format!(
        "{input} × {rate} ÷ 100{divided} 应为 {amount}（允差 {tolerance}%），与{output}不符"
    );
    Some((gives.clone(), detail))
}

pub(super) fn sum(
    values: Values<'_>,
    parts: &[String],
    (total, tolerance): (&String, Quantity),
) -> Option<Broken> {
    let found = values.number(total)?;
    let there: Vec<_> = parts.iter().filter_map(|part| values.number(part)).collect();
    if there.is_empty() {
        return None;
    }
    let part = there.iter().map(|part| i128::from(part.scaled())).sum::<i128>();
    let wanted = Expected { part, whole: 1 };
    if wanted.is_near(found, tolerance) {
        return None;
    }
    let labels: Vec<_> =
        parts.iter().filter(|part| values.is_there(part)).map(|part| values.label(part)).collect();
    let detail = format!(
        "{}合计 {}，与{}不符（允差 {tolerance}%）",
        labels.join("、"),
        wanted.shown(),
        values.shown(total)
    );
    Some((total.clone(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn concentrate_by_its_grade_is_oxide_and_oxide_by_its_factor_is_metal() {
        let oxide = expected(quantity("1000"), quantity("60"), None).unwrap();
        assert_eq!(oxide.shown(), "600");
        let separated = expected(quantity("600"), quantity("93"), None).unwrap();
        assert_eq!(separated.shown(), "558");
        // Nd2O3 holds 1.1664 times the mass of its Nd.
        let metal = expected(quantity("94.86"), quantity("97"), Some(quantity("1.1664"))).unwrap();
        assert_eq!(metal.shown(), "78.8873");
    }

    #[test]
    fn a_tolerance_is_of_what_is_expected_and_its_bounds_are_within() {
        let wanted = expected(quantity("600"), quantity("93"), None).unwrap();
        let near = |found: &str| wanted.is_near(quantity(found), quantity("2"));
        assert!(near("558") && near("569.16") && near("546.84"));
        assert!(!near("569.1601") && !near("546.8399"));
        assert!(!wanted.is_near(quantity("558.0001"), Quantity::ZERO));
    }

    #[test]
    fn absurd_numbers_are_never_near() {
        let largest = Quantity::from_scaled(999_999_999_999_999).unwrap();
        let absurd = expected(largest, largest, Some(quantity("0.0001")));
        assert!(absurd.is_none_or(|absurd| !absurd.is_near(quantity("1"), quantity("100"))));
    }
}
