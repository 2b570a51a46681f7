//! Comparing amounts that have units.

use std::cmp::Ordering;

use super::{
    condition::Comparison,
    unit::{Amount, convert},
};
use crate::decimal::Decimal;

/// Differences smaller than this part of a value come from converting it.
const ROUNDING: f64 = 1e-9;

/// Whether an amount of an event fulfils a comparison with any of the query's. A query that names no
/// unit means the number as it was written, whatever its unit (EPCIS 2.0 §8.2.7.1, `EQ_quantity`).
/// Amounts of the same unit are compared exactly; of different units after conversion; where there is
/// none, not at all.
pub(super) fn fulfils(
    (value, unit, of): (&Decimal, Option<&str>, Amount),
    comparison: Comparison,
    any: &[Decimal],
    uom: Option<&str>,
) -> bool {
    let order = |wanted| order((value, unit, of), wanted, uom);
    any.iter().any(|wanted| order(wanted).is_some_and(|order| comparison.holds(order)))
}

fn order(
    (value, unit, of): (&Decimal, Option<&str>, Amount),
    wanted: &Decimal,
    uom: Option<&str>,
) -> Option<Ordering> {
    let Some(uom) = uom.filter(|uom| unit != Some(uom)) else {
        return Some(value.cmp(wanted));
    };
    let value = convert(value.to_f64(), of, unit?, uom)?.0;
    let wanted = wanted.to_f64();
    let near = (value - wanted).abs() <= ROUNDING * value.abs().max(wanted.abs());
    if near { Some(Ordering::Equal) } else { value.partial_cmp(&wanted) }
}
