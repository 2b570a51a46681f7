//! Rules between attributes (G-4f): a small closed set, written in the pack, checked as pure
//! functions. A rule whose fields are not all filled in says nothing, except those that demand a
//! field.

mod amount;
mod table;
mod time;
mod values;
mod verdict;

pub use amount::Factor;
pub use table::Scheme;
pub use time::Months;
pub use verdict::{Band, ClassPlan, Limit};

use serde::Serialize;
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::Quantity;

use crate::field::Schema;
use values::Values;
use verdict::Verdict;

/// The time of the event itself, among the fields that rules of an event may name.
pub const EVENT_TIME: &str = "event_time";

/// A rule with the name by which people know it.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// 规则名称
    pub name: String,
    /// The code or flag on which it depends whether the rule is meant; always where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The values of `when` that the rule is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// What must hold.
    #[serde(flatten)]
    pub demand: Demand,
}

/// What a rule demands.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Demand {
    /// `a` is not later than `b`; where one of them is a date, days are compared.
    Before {
        /// The earlier date or time.
        a: String,
        /// The later date or time.
        b: String,
    },
    /// The number `a` is not larger than the number `b`, or `unless` says why: 年度指标.
    NotAbove {
        /// The smaller number.
        a: String,
        /// The larger number.
        b: String,
        /// The explanation that a breach must carry; without one a breach is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        unless: Option<String>,
    },
    /// `field` is filled in where `when` holds one of these codes, or `true` or `false`.
    RequiredIf {
        /// What must be there.
        field: String,
        /// What decides.
        when: String,
        /// The values that demand it.
        is: Vec<String>,
    },
    /// At least one of these is filled in.
    AnyOf {
        /// The fields.
        fields: Vec<String>,
    },
    /// `until` lies at least `days` days after `since`: 安全间隔期, 休药期.
    Elapsed {
        /// The first date or time.
        since: String,
        /// Days that must pass.
        days: String,
        /// The second date or time.
        until: String,
    },
    /// `until` lies at most `days` days after `since`, or `unless` says why not: 维保间隔.
    Within {
        /// The first date or time.
        since: String,
        /// Days that may pass.
        days: usize,
        /// The second date or time.
        until: String,
        /// The explanation that a breach must carry; without one a breach is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        unless: Option<String>,
    },
    /// `until` lies at most as many months after `since` as the code of `by` has: 检验周期.
    Interval {
        /// The first date or time.
        since: String,
        /// The second date or time.
        until: String,
        /// The code that chooses how many; of others nothing is said.
        by: String,
        /// The months by code.
        months: Vec<Months>,
    },
    /// The number `field` lies within bounds, or `unless` says why not: 冷藏 2–8 ℃.
    Bounded {
        /// The number.
        field: String,
        /// Smallest.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<Quantity>,
        /// Largest.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<Quantity>,
        /// The explanation that a breach must carry; without one a breach is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        unless: Option<String>,
    },
    /// `of` × `percent` ÷ 100, divided by the factor of `by`, is `gives`: 物料平衡.
    Yields {
        /// What goes in.
        of: String,
        /// Grade, recovery or yield in percent.
        percent: String,
        /// What comes out.
        gives: String,
        /// How far off it may be, in percent of what is expected.
        tolerance_percent: Quantity,
        /// The code that chooses the factor.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// What it is divided by: oxide to metal and the like.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        factors: Vec<Factor>,
    },
    /// The parts that are filled in add up to `total`.
    Sum {
        /// The numbers.
        parts: Vec<String>,
        /// Their sum.
        total: String,
        /// How far off it may be, in percent of the total.
        tolerance_percent: Quantity,
    },
    /// The verdict is what the result says beside the limit: above it nothing passes, and nothing fails
    /// that is within it.
    Judged {
        /// The number measured.
        value: String,
        /// The field that holds the limit. Where the item has one too, the smaller of them counts.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
        /// The code that chooses the limit.
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        /// The limits by item.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        limits: Vec<Limit>,
        /// The field that holds what the method detects.
        #[serde(skip_serializing_if = "Option::is_none")]
        lod: Option<String>,
        /// The field that holds what the method quantifies.
        #[serde(skip_serializing_if = "Option::is_none")]
        loq: Option<String>,
        /// The field that holds the verdict.
        verdict: String,
        /// The codes by which it passed.
        pass: Vec<String>,
        /// The codes by which nothing can be said.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        undecided: Vec<String>,
        /// The codes by which it failed; nothing is said of what is within where there are none.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fail: Vec<String>,
    },
    /// A number that is reported is one that the method can see, and 检出限 is not above 定量限; who found
    /// something does not say 未检出.
    Detected {
        /// The result.
        value: String,
        /// The field that holds what the method detects.
        lod: String,
        /// The field that holds what the method quantifies.
        #[serde(skip_serializing_if = "Option::is_none")]
        loq: Option<String>,
        /// The field that holds the verdict.
        #[serde(skip_serializing_if = "Option::is_none")]
        verdict: Option<String>,
        /// The codes by which nothing was detected.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        absent: Vec<String>,
    },
    /// The verdict is what the sampling plan of the item says (二级或三级采样方案 n, c, m, M).
    SamplingPlan {
        /// The code that chooses the plan.
        item: String,
        /// The text that holds what was found in each sample.
        values: String,
        /// The field that holds what the method detects.
        #[serde(skip_serializing_if = "Option::is_none")]
        lod: Option<String>,
        /// The field that holds the verdict.
        verdict: String,
        /// The codes by which it passed.
        pass: Vec<String>,
        /// The codes by which nothing can be said.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        undecided: Vec<String>,
        /// The plans.
        plans: Vec<ClassPlan>,
    },
    /// The verdict keeps to the tolerance that the declared content allows (有效成分含量).
    Content {
        /// What the label says.
        declared: String,
        /// What was found.
        measured: String,
        /// The field that holds the verdict.
        verdict: String,
        /// The codes by which it passed.
        pass: Vec<String>,
        /// The tolerances, by rising declared content.
        bands: Vec<Band>,
    },
    /// Where the table knows the key, the other columns are those of one of its rows: GB 12268.
    Row {
        /// The field that holds the key.
        key: String,
        /// The fields that hold the other columns.
        columns: Vec<String>,
        /// The rows: key first.
        rows: Vec<Vec<String>>,
        /// What a column that is not filled in stands for; it agrees with every row where there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        blank: Option<String>,
    },
    /// The name is one that the table has for the key; of a key that it does not know nothing is said:
    /// 联合国编号与品名.
    Named {
        /// The field that holds the key.
        key: String,
        /// The field that holds the name.
        field: String,
        /// The rows: key first, then the names it goes by. What is said may say more than the name does
        /// (“工业甲醇”), except where that is one letter long.
        rows: Vec<Vec<String>>,
    },
    /// One of the names in the list that a text holds is found in `goods`, or the other way round: 罐体适装介质.
    /// Lists of classes instead of names are passed over.
    Fits {
        /// The field that holds the list.
        field: String,
        /// The field that holds the name.
        goods: String,
    },
    /// `field` is filled in only where `when` holds one of these codes: 已到达的才有到达时间.
    OnlyIf {
        /// What must not be there otherwise.
        field: String,
        /// What decides.
        when: String,
        /// The values that allow it.
        is: Vec<String>,
    },
    /// The text or code is none of these: 禁用品种.
    NotListed {
        /// What is looked at.
        field: String,
        /// What it must not be.
        values: Vec<String>,
        /// Whether these are not allowed as a part of the text either: 复配制剂的有效成分.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        anywhere: bool,
    },
    /// The text is a sound number of its kind, check digit included.
    Number {
        /// The text.
        field: String,
        /// What number it is.
        scheme: Scheme,
    },
}

impl Demand {
    /// Stable code of the kind.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Before { .. } => "before",
            Self::NotAbove { .. } => "not_above",
            Self::RequiredIf { .. } => "required_if",
            Self::AnyOf { .. } => "any_of",
            Self::Elapsed { .. } => "elapsed",
            Self::Within { .. } => "within",
            Self::Interval { .. } => "interval",
            Self::Bounded { .. } => "bounded",
            Self::Yields { .. } => "yields",
            Self::Sum { .. } => "sum",
            Self::Judged { .. } => "judged",
            Self::Detected { .. } => "detected",
            Self::SamplingPlan { .. } => "sampling_plan",
            Self::Content { .. } => "content",
            Self::Row { .. } => "row",
            Self::Named { .. } => "named",
            Self::Fits { .. } => "fits",
            Self::OnlyIf { .. } => "only_if",
            Self::NotListed { .. } => "not_listed",
            Self::Number { .. } => "number",
        }
    }
}

/// What is wrong, and at which field.
type Broken = (String, String);

impl Rule {
    /// What is wrong, if these attributes break the rule.
    pub(crate) fn broken(
        &self,
        schema: Schema<'_>,
        attributes: &Map<String, Value>,
    ) -> Option<FieldError> {
        let values = Values { schema, attributes };
        if self.when.as_ref().is_some_and(|when| !values.is_one_of(when, &self.is)) {
            return None;
        }
        let (field, detail) = self.demand.broken(values)?;
        Some(FieldError { field, detail: format!("不符合规则“{}”：{detail}", self.name) })
    }
}

impl Demand {
    fn broken(&self, values: Values<'_>) -> Option<Broken> {
        match self {
            Self::Before { a, b } => time::before(values, a, b),
            Self::Elapsed { since, days, until } => time::elapsed(values, since, days, until),
            Self::Within { since, days, until, unless } => {
                time::within(values, (since, until), *days)
                    .filter(|_| !values.explained(unless.as_ref()))
                    .map(|broken| values.or_explain(broken, unless.as_ref()))
            }
            Self::Interval { since, until, by, months } => {
                time::interval(values, (since, until), (by, months))
            }
            Self::NotAbove { a, b, unless } => amount::not_above(values, a, b)
                .filter(|_| !values.explained(unless.as_ref()))
                .map(|broken| values.or_explain(broken, unless.as_ref())),
            Self::Bounded { field, min, max, unless } => {
                amount::bounded(values, field, (*min, *max))
                    .filter(|_| !values.explained(unless.as_ref()))
                    .map(|broken| values.or_explain(broken, unless.as_ref()))
            }
            Self::Yields { of, percent, gives, tolerance_percent, by, factors } => {
                let factor = match by {
                    Some(by) => Some(amount::factor(values, by, factors)?),
                    None => None,
                };
                amount::yields(values, [of, percent, gives], (*tolerance_percent, factor))
            }
            Self::Sum { parts, total, tolerance_percent } => {
                amount::sum(values, parts, (total, *tolerance_percent))
            }
            Self::Judged { .. } | Self::SamplingPlan { .. } | Self::Content { .. } => {
                self.misjudged(values)
            }
            Self::Detected { value, lod, loq, verdict, absent } => {
                verdict::detected(values, value, (lod, loq.as_deref()))
                    .or_else(|| verdict::found(values, value, (verdict.as_ref()?, absent)))
            }
            Self::RequiredIf { field, when, is } => table::required_if(values, field, (when, is)),
            Self::AnyOf { fields } => table::any_of(values, fields),
            Self::Row { key, columns, rows, blank } => {
                table::row(values, (key, columns), (rows, blank.as_ref()))
            }
            Self::Named { key, field, rows } => table::named(values, (key, field), rows),
            Self::Fits { field, goods } => table::fits(values, field, goods),
            Self::OnlyIf { field, when, is } => table::only_if(values, field, (when, is)),
            Self::NotListed { field, values: listed, anywhere } => {
                table::not_listed(values, field, (listed, *anywhere))
            }
            Self::Number { field, scheme } => table::number(values, field, *scheme),
        }
    }
}

impl Demand {
    /// A verdict that the numbers do not bear out.
    fn misjudged(&self, values: Values<'_>) -> Option<Broken> {
        match self {
            Self::Judged {
                value,
                limit,
                item,
                limits,
                lod,
                loq,
                verdict,
                pass,
                undecided,
                fail,
            } => {
                let stated = limit.as_ref().and_then(|limit| values.number(limit));
                let of_item = item.as_ref().and_then(|item| verdict::limit(values, item, limits));
                let limit = stated.into_iter().chain(of_item).min()?;
                // An item of which the table says nothing may have failed by something else.
                let other =
                    of_item.is_none() && item.as_ref().is_some_and(|item| values.is_there(item));
                let fail = if other { &[][..] } else { fail };
                let verdict = Verdict { field: verdict, pass, undecided, fail };
                let method = (lod.as_deref(), loq.as_deref());
                verdict::judged(values, (value, limit), method, verdict)
            }
            Self::SamplingPlan { item, values: found, lod, verdict, pass, undecided, plans } => {
                let plan = verdict::plan(values, item, plans)?;
                let verdict = Verdict { field: verdict, pass, undecided, fail: &[] };
                verdict::sampled(values, (found, plan), (lod.as_deref(), None), verdict)
            }
            Self::Content { declared, measured, verdict, pass, bands } => {
                let verdict = Verdict { field: verdict, pass, undecided: &[], fail: &[] };
                verdict::content(values, (declared, measured, bands), verdict)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
