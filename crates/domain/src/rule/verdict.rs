//! Rules about verdicts: whoever measured decides by the limits, not against them.

use serde::Serialize;
use yj_model::{Against, Detection, Measured, Quantity};

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

/// The field of the verdict, and what its codes mean.
#[derive(Clone, Copy)]
pub(super) struct Verdict<'a> {
    pub(super) field: &'a String,
    /// The codes by which it passed.
    pub(super) pass: &'a [String],
    /// The codes by which nothing can be said.
    pub(super) undecided: &'a [String],
    /// The codes by which it failed.
    pub(super) fail: &'a [String],
}

impl Verdict<'_> {
    fn refuse(self, values: Values<'_>, cause: &str) -> Broken {
        let detail = format!("{cause}，{}不成立", values.shown(self.field));
        (self.field.clone(), detail)
    }

    /// Refuses a pass that the numbers do not bear out.
    fn unless_passed(self, values: Values<'_>, cause: impl FnOnce() -> String) -> Option<Broken> {
        let passed = values.is_one_of(self.field, self.pass);
        passed.then(|| self.refuse(values, &cause()))
    }

    /// Refuses a failure that the numbers do not bear out.
    fn unless_failed(self, values: Values<'_>, cause: impl FnOnce() -> String) -> Option<Broken> {
        let failed = values.is_one_of(self.field, self.fail);
        failed.then(|| self.refuse(values, &cause()))
    }

    /// Refuses to leave open what the numbers decide.
    fn unless_decided(self, values: Values<'_>, cause: &str) -> Option<Broken> {
        let open = values.is_one_of(self.field, self.undecided);
        open.then(|| self.refuse(values, cause))
    }

    /// Refuses every verdict on what the numbers leave open.
    fn unless_open(self, values: Values<'_>, cause: &str) -> Option<Broken> {
        let passed = values.is_one_of(self.field, self.pass);
        let open = values.is_one_of(self.field, self.undecided);
        let told = values.is_there(self.field) && !self.undecided.is_empty() && !open;
        if !passed && !told {
            return None;
        }
        let code = self.undecided.first().map(|code| values.as_code(self.field, code));
        let instead = code.map_or_else(String::new, |code| format!("，应为“{code}”"));
        let detail = format!("{cause}，不能判定，{}不成立{instead}", values.shown(self.field));
        Some((self.field.clone(), detail))
    }
}

pub(super) fn limit(values: Values<'_>, item: &str, limits: &[Limit]) -> Option<Quantity> {
    let code = values.text(item)?;
    limits.iter().find(|limit| limit.is == code).map(|limit| limit.max)
}

/// `method`: the fields of what the method detects and quantifies.
pub(super) fn judged(
    values: Values<'_>,
    (value, limit): (&str, Quantity),
    method: (Option<&str>, Option<&str>),
    verdict: Verdict<'_>,
) -> Option<Broken> {
    let (found, method) = (values.measured(value)?, values.detection(method));
    match found.against(limit, method) {
        Against::Within => {
            verdict.unless_failed(values, || format!("{}不超过限值 {limit}", values.shown(value)))
        }
        Against::Exceeds => {
            let cause = format!("{}超过限值 {limit}", values.shown(value));
            let passed = verdict.unless_passed(values, || cause.clone());
            passed.or_else(|| verdict.unless_decided(values, &cause))
        }
        Against::Open => {
            let seen = method.detects.map_or_else(String::new, |lod| format!("，检出限 {lod}"));
            let cause =
                format!("{}即{found}{seen}，在限值 {limit} 的哪一边不得而知", values.shown(value));
            verdict.unless_open(values, &cause)
        }
    }
}

/// A number that its method cannot have given, and limits the wrong way round.
pub(super) fn detected(
    values: Values<'_>,
    value: &str,
    (lod, loq): (&str, Option<&str>),
) -> Option<Broken> {
    let method = values.detection((Some(lod), loq));
    if let (Some(detects), Some(quantifies), Some(loq)) = (method.detects, method.quantifies, loq)
        && detects > quantifies
    {
        return Some((
            String::from(loq),
            format!("{}不应小于{}", values.shown(loq), values.shown(lod)),
        ));
    }
    let detail = values.measured(value)?.objection(method)?;
    Some((String::from(value), detail))
}

/// A verdict of 未检出 where something was found.
pub(super) fn found(
    values: Values<'_>,
    value: &str,
    (verdict, absent): (&String, &[String]),
) -> Option<Broken> {
    let seen = values.measured(value)?.is_seen() && values.is_one_of(verdict, absent);
    let detail = || format!("{}是检出的结果，{}不成立", values.shown(value), values.shown(verdict));
    seen.then(|| (verdict.clone(), detail()))
}

pub(super) fn plan<'a>(
    values: Values<'_>,
    item: &str,
    plans: &'a [ClassPlan],
) -> Option<&'a ClassPlan> {
    let code = values.text(item)?;
    plans.iter().find(|plan| plan.is == code)
}

/// Results in a text, apart by spaces or commas; `None` where something is no result.
fn results(text: &str) -> Option<Vec<Measured>> {
    // “< 10” is one result.
    let mut tidy = String::with_capacity(text.len());
    for part in text.split([' ', ',', '，', '、']).filter(|part| !part.is_empty()) {
        tidy.push_str(part);
        if !part.ends_with(['<', '>', '＜', '＞', '≤', '≥', '=']) {
            tidy.push(' ');
        }
    }
    tidy.split_whitespace().map(|part| part.parse().ok()).collect()
}

/// What the samples of a lot say.
#[derive(Debug, PartialEq, Eq)]
enum Sampled {
    Passes,
    Fails(String),
    Open(String),
}

impl ClassPlan {
    /// What these samples say. Where one of them is only known to lie below or above something, the plan
    /// is open unless both ends of what it may be say the same.
    fn judge(&self, found: &[Measured], method: Detection) -> Sampled {
        let (limit, most) = (self.limit, self.never_above);
        let against = |one: &Measured, bound: Quantity| one.against(bound, method);
        let of_most = |one: &Measured| most.map(|most| against(one, most));
        if let Some(most) = most
            && let Some(worst) = found.iter().find(|one| of_most(one) == Some(Against::Exceeds))
        {
            return Sampled::Fails(format!("有样品为 {worst}，超过 M = {most}"));
        }
        let count = |side| found.iter().filter(|one| against(one, limit) == side).count();
        let (above, open) = (count(Against::Exceeds), count(Against::Open));
        if above > self.above_max {
            let detail = format!("{above} 个样品超过 m = {limit}，多于 c = {}", self.above_max);
            return Sampled::Fails(detail);
        }
        if above + open > self.above_max {
            let detail = format!("{open} 个样品在 m = {limit} 的哪一边不得而知");
            return Sampled::Open(detail);
        }
        match (most, found.iter().find(|one| of_most(one) == Some(Against::Open))) {
            (Some(most), Some(one)) => {
                Sampled::Open(format!("有样品{one}，在 M = {most} 的哪一边不得而知"))
            }
            _ => Sampled::Passes,
        }
    }
}

pub(super) fn sampled(
    values: Values<'_>,
    (field, plan): (&String, &ClassPlan),
    method: (Option<&str>, Option<&str>),
    verdict: Verdict<'_>,
) -> Option<Broken> {
    let Some(text) = values.text(field) else {
        // Of samples that nobody tells of, nothing is known to be good.
        return verdict.unless_passed(values, || {
            format!("{}没有填写，应为 n = {} 个样品的结果", values.label(field), plan.samples)
        });
    };
    let found = results(&text).filter(|found| found.len() == plan.samples);
    let Some(found) = found else {
        let label = values.label(field);
        let detail = format!(
            "{label}应为 n = {} 个样品的结果，以空格隔开，如 <10、120 各占一项",
            plan.samples
        );
        return Some((field.clone(), detail));
    };
    match plan.judge(&found, values.detection(method)) {
        Sampled::Fails(cause) => {
            let passed = verdict.unless_passed(values, || cause.clone());
            passed.or_else(|| verdict.unless_decided(values, &cause))
        }
        Sampled::Open(cause) => verdict.unless_open(values, &cause),
        Sampled::Passes => {
            let told = values.is_there(verdict.field);
            let passed = values.is_one_of(verdict.field, verdict.pass);
            (told && !passed).then(|| verdict.refuse(values, "各样品都符合采样方案"))
        }
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
    verdict.unless_passed(values, cause)
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
        let said = |plan: &ClassPlan, text: &str| match plan
            .judge(&results(text).unwrap(), Detection::default())
        {
            Sampled::Passes => "passes",
            Sampled::Fails(_) => "fails",
            Sampled::Open(_) => "open",
        };
        let plan = total_count();
        assert_eq!(said(&plan, "100 200 1000 1001 10000"), "passes");
        assert_eq!(said(&plan, "100 200 1001 1002 1003"), "fails");
        assert_eq!(said(&plan, "0 0 0 0 10001"), "fails");
        // Of two classes there is no M.
        let two = ClassPlan { above_max: 0, never_above: None, ..total_count() };
        assert_eq!(said(&two, "0、0，1000 1 1"), "passes");
        assert_eq!(said(&two, "0 0 0 0 1000.5"), "fails");
        assert_eq!(results("1 x 2"), None);
        // Below what the plate shows is below m; above what can be counted may be above M.
        assert_eq!(said(&plan, "<10 < 10 ＜10 ND 5000"), "passes");
        assert_eq!(said(&plan, "<10 <10 <10 1200 >300"), "open");
        assert_eq!(said(&plan, "<10 <10 1200 1300 >300"), "open");
        assert_eq!(said(&plan, "<10 <10 <10 1200 >10000"), "fails");
        assert_eq!(said(&plan, "<10 <10 <10 1200 >3000"), "open");
        assert_eq!(said(&plan, "<5000 <5000 <5000 1 1"), "open");
    }

    #[test]
    fn a_content_may_be_off_by_a_share_of_it_or_by_an_amount() {
        let share = Band { up_to: None, percent: Some(quantity("10")), absolute: None };
        assert_eq!(share.allowed(quantity("5")), 50_000_000);
        let amount = Band { up_to: None, percent: None, absolute: Some(quantity("2.5")) };
        assert_eq!(amount.allowed(quantity("70")), 250_000_000);
    }
}
