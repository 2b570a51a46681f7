//! Rules about verdicts: whoever measured decides by the limits, not against them.

use serde::Serialize;
use yj_model::Quantity;

use super::{Broken, values::Values};

/// The largest number with which an item passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Code of the item.
    pub is: String,
    /// Largest number.
    pub max: Quantity,
}

/// A sampling plan of two or, with `above_max`, three classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassPlan {
    /// Code of the item.
    pub is: String,
    /// n: samples taken from one lot.
    pub samples: usize,
    /// c: samples that may be above `limit`.
    pub above_max: usize,
    /// m: what a good sample holds at most.
    pub limit: Quantity,
    /// M: what no sample may be above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_above: Option<Quantity>,
}

/// How far the content may be off, for declared contents up to some bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Largest declared content this is for; every larger one where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Quantity>,
    /// In percent of the declared content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Quantity>,
    /// In the unit of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute: Option<Quantity>,
}

/// The field of the verdict, and the codes by which it passed.
type Verdict<'a> = (&'a String, &'a [String]);

/// Refuses a pass that the numbers do not bear out.
fn unless_passed(
    values: Values<'_>,
    (verdict, pass): Verdict<'_>,
    cause: impl FnOnce() -> String,
) -> Option<Broken> {
    let passed = values.is_one_of(verdict, pass);
    passed.then(|| (verdict.clone(), format!("{}，{}不成立", cause(), values.shown(verdict))))
}

pub(super) fn limit(values: Values<'_>, item: &str, limits: &[Limit]) -> Option<Quantity> {
    let code = values.text(item)?;
    limits.iter().find(|limit| limit.is == code).map(|limit| limit.max)
}

pub(super) fn judged(
    values: Values<'_>,
    (value, limit): (&str, Quantity),
    verdict: Verdict<'_>,
) -> Option<Broken> {
    if values.number(value)? <= limit {
        return None;
    }
    unless_passed(values, verdict, || format!("{}超过限值 {limit}", values.shown(value)))
}

pub(super) fn plan<'a>(
    values: Values<'_>,
    item: &str,
    plans: &'a [ClassPlan],
) -> Option<&'a ClassPlan> {
    let code = values.text(item)?;
    plans.iter().find(|plan| plan.is == code)
}

/// Numbers in a text, apart by spaces or commas; `None` where something is no number.
fn numbers(text: &str) -> Option<Vec<Quantity>> {
    let parts = text.split([' ', ',', '，', '、']).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

impl ClassPlan {
    /// Why these samples do not pass; nothing if they do.
    fn objection(&self, found: &[Quantity]) -> Option<String> {
        if let Some(most) = self.never_above
            && let Some(worst) = found.iter().filter(|number| **number > most).max()
        {
            return Some(format!("有样品为 {worst}，超过 M = {most}"));
        }
        let above = found.iter().filter(|number| **number > self.limit).count();
        (above > self.above_max)
            .then(|| format!("{above} 个样品超过 m = {}，多于 c = {}", self.limit, self.above_max))
    }
}

pub(super) fn sampled(
    values: Values<'_>,
    (field, plan): (&String, &ClassPlan),
    verdict: Verdict<'_>,
) -> Option<Broken> {
    let text = values.text(field)?;
    let found = numbers(&text).filter(|found| found.len() == plan.samples);
    let Some(found) = found else {
        let label = values.label(field);
        let detail = format!("{label}应为 n = {} 个样品的数值，以空格隔开", plan.samples);
        return Some((field.clone(), detail));
    };
    match plan.objection(&found) {
        Some(cause) => unless_passed(values, verdict, || cause),
        None if values.is_there(verdict.0) && !values.is_one_of(verdict.0, verdict.1) => {
            let detail = format!("各样品都符合采样方案，{}不成立", values.shown(verdict.0));
            Some((verdict.0.clone(), detail))
        }
        None => None,
    }
}

impl Band {
    /// How far a content may be off, in hundred-millionths.
    fn allowed(&self, declared: Quantity) -> i128 {
        let scaled = |quantity: Quantity| i128::from(quantity.scaled());
        let share = self.percent.map(|percent| scaled(declared) * scaled(percent) / 100);
        share.or(self.absolute.map(|absolute| scaled(absolute) * 10_000)).unwrap_or_default()
    }

    fn shown(&self) -> String {
        match (self.percent, self.absolute) {
            (Some(percent), _) => format!("±{percent}%"),
            (None, Some(absolute)) => format!("±{absolute}"),
            (None, None) => String::from("±0"),
        }
    }
}

pub(super) fn content(
    values: Values<'_>,
    (declared, measured, bands): (&str, &str, &[Band]),
    verdict: Verdict<'_>,
) -> Option<Broken> {
    let (label, found) = (values.number(declared)?, values.number(measured)?);
    let band = bands.iter().find(|band| band.up_to.is_none_or(|most| label <= most))?;
    let off = (i128::from(found.scaled()) - i128::from(label.scaled())).abs() * 10_000;
    if off <= band.allowed(label) {
        return None;
    }
    let cause = || {
        format!("{}与{}相差超过 {}", values.shown(measured), values.shown(declared), band.shown())
    };
    unless_passed(values, verdict, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    /// 婴幼儿配方乳粉 菌落总数: n = 5, c = 2, m = 10³, M = 10⁴ CFU/g.
    fn total_count() -> ClassPlan {
        ClassPlan {
            is: String::from("total_count"),
            samples: 5,
            above_max: 2,
            limit: quantity("1000"),
            never_above: Some(quantity("10000")),
        }
    }

    #[test]
    fn a_plan_of_three_classes_lets_c_samples_lie_between_m_and_big_m() {
        let passes = |text: &str| total_count().objection(&numbers(text).unwrap()).is_none();
        assert!(passes("100 200 1000 1001 10000"));
        assert!(!passes("100 200 1001 1002 1003"));
        assert!(!passes("0 0 0 0 10001"));
        // Of two classes there is no M.
        let two = ClassPlan { above_max: 0, never_above: None, ..total_count() };
        assert!(two.objection(&numbers("0、0，1000 1 1").unwrap()).is_none());
        assert!(two.objection(&numbers("0 0 0 0 1000.5").unwrap()).is_some());
        assert_eq!(numbers("1 x 2"), None);
    }

    #[test]
    fn a_content_may_be_off_by_a_share_of_it_or_by_an_amount() {
        let share = Band { up_to: None, percent: Some(quantity("10")), absolute: None };
        assert_eq!(share.allowed(quantity("5")), 50_000_000);
        let amount = Band { up_to: None, percent: None, absolute: Some(quantity("2.5")) };
        assert_eq!(amount.allowed(quantity("70")), 250_000_000);
    }
}
