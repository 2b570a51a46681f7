//! Rules between attributes (G-4f): a small closed set, written in the pack, checked as pure
//! functions. A rule whose fields are not all filled in says nothing, except the two that demand a
//! field.

use jiff::{Span, civil::Date};
use serde::Serialize;
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{OffsetTime, Quantity};

use crate::field::Schema;

/// The time of the event itself, among the fields that rules of an event may name.
pub const EVENT_TIME: &str = "event_time";

/// A rule with the name by which people know it.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// 规则名称
    pub name: String,
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
    /// The number `a` is not larger than the number `b`.
    NotAbove {
        /// The smaller number.
        a: String,
        /// The larger number.
        b: String,
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
        }
    }
}

/// A day, or a moment of it.
#[derive(Clone, Copy)]
enum When {
    Day(Date),
    Moment(OffsetTime),
}

impl When {
    fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Moment(time) => time.beijing_day(),
        }
    }

    fn is_after(self, other: Self) -> bool {
        match (self, other) {
            (Self::Moment(left), Self::Moment(right)) => left.unix_ms() > right.unix_ms(),
            _ => self.day() > other.day(),
        }
    }
}

impl Rule {
    /// What is wrong, if these attributes break the rule.
    pub(crate) fn broken(
        &self,
        schema: Schema<'_>,
        attributes: &Map<String, Value>,
    ) -> Option<FieldError> {
        let values = Values { schema, attributes };
        let (field, detail) = match &self.demand {
            Demand::Before { a, b } => {
                let late = values.when(a)?.is_after(values.when(b)?);
                let (first, second) = (values.shown(a), values.shown(b));
                late.then(|| (own([b, a]), format!("{first}不应晚于{second}")))
            }
            Demand::NotAbove { a, b } => {
                let above = values.number(a)? > values.number(b)?;
                let (first, second) = (values.shown(a), values.shown(b));
                above.then(|| (b.clone(), format!("{first}不应大于{second}")))
            }
            Demand::RequiredIf { field, when, is } => {
                let found = values.text(when)?;
                let missing = is.contains(&found) && !attributes.contains_key(field);
                let (cause, wanted) = (values.shown(when), values.label(field));
                missing.then(|| (field.clone(), format!("{cause}时，{wanted}必填")))
            }
            Demand::AnyOf { fields } => {
                let none = !fields.iter().any(|field| attributes.contains_key(field));
                let labels: Vec<_> = fields.iter().map(|field| values.label(field)).collect();
                let first = fields.first().cloned().unwrap_or_default();
                none.then(|| (first, format!("{}至少填写一项", labels.join("、"))))
            }
            Demand::Elapsed { since, days, until } => {
                let (from, to) = (values.when(since)?.day(), values.when(until)?.day());
                let wanted: i64 = values.text(days)?.parse().ok()?;
                let span = Span::new().try_days(wanted);
                let earliest = span.and_then(|span| from.checked_add(span)).ok();
                let early = earliest.is_none_or(|earliest| to < earliest);
                let (first, span, second) =
                    (values.shown(since), values.shown(days), values.shown(until));
                early.then(|| (own([until, since]), format!("{second}距{first}不足{span}")))
            }
        }?;
        Some(FieldError { field, detail: format!("不符合规则“{}”：{detail}", self.name) })
    }
}

/// The first of these that is a field of the form, not the time of the event.
fn own(names: [&String; 2]) -> String {
    let [first, second] = names;
    if first == EVENT_TIME { second.clone() } else { first.clone() }
}

struct Values<'a> {
    schema: Schema<'a>,
    attributes: &'a Map<String, Value>,
}

impl Values<'_> {
    fn text(&self, name: &str) -> Option<String> {
        match self.attributes.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    fn when(&self, name: &str) -> Option<When> {
        if name == EVENT_TIME {
            return self.schema.event_time.map(When::Moment);
        }
        let text = self.text(name)?;
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10).map(When::Day);
        day.or_else(|| text.parse().ok().map(When::Moment))
    }

    fn number(&self, name: &str) -> Option<Quantity> {
        self.text(name)?.parse().ok()
    }

    fn label(&self, name: &str) -> &str {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        field.map_or("发生时间", |field| field.label.as_str())
    }

    /// “启运时间 2026-11-01T08:00:00+08:00”; codes by their labels.
    fn shown(&self, name: &str) -> String {
        let text = if name == EVENT_TIME {
            self.schema.event_time.map(|time| time.to_string())
        } else {
            self.text(name)
        };
        let text = text.unwrap_or_default();
        let field = self.schema.fields.iter().find(|field| field.name == name);
        let code = field.and_then(|field| field.codes.iter().find(|(code, _)| *code == text));
        let said = match (code, text.as_str()) {
            (Some((_, label)), _) => label.as_str(),
            (None, "true") => "是",
            (None, "false") => "否",
            (None, text) => text,
        };
        format!("{}（{said}）", self.label(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{check_attributes, read};

    /// A product's attributes against the rules of a pack, as the catalogue checks them.
    fn check(rules: &serde_json::Value, attributes: &serde_json::Value) -> Vec<(String, String)> {
        let pack = json!({
            "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
            "stages": [{ "stage": "processing", "events": [{
                "code": "make", "name": "制造", "inputs": { "mode": "none", "min": 0, "max": 0 },
                "outputs": { "min": 1, "max": 1 }, "fields": [],
            }] }],
            "product_fields": [
                { "name": "made_on", "label": "生产日期", "kind": "date", "required": false },
                { "name": "sold_at", "label": "销售时间", "kind": "time", "required": false },
                { "name": "days", "label": "间隔", "kind": "int", "required": false },
                { "name": "chilled", "label": "是否冷藏", "kind": "bool", "required": false },
            ],
            "product_rules": rules,
        });
        let pack = read(&pack).unwrap();
        let found = check_attributes(pack.product_schema(), attributes.as_object().unwrap());
        let errors = found.err().unwrap_or_default();
        errors.into_iter().map(|error| (error.field, error.detail)).collect()
    }

    #[test]
    fn a_day_and_a_moment_of_it_are_compared_as_days_in_china() {
        let rules =
            json!([{ "name": "先产后销", "kind": "before", "a": "made_on", "b": "sold_at" }]);
        // In China it is the second already.
        let same_day = json!({ "made_on": "2026-11-02", "sold_at": "2026-11-01T17:00:00Z" });
        assert_eq!(check(&rules, &same_day), []);
        let day_before = json!({ "made_on": "2026-11-02", "sold_at": "2026-11-01T15:00:00Z" });
        let found = check(&rules, &day_before);
        assert_eq!(found[0].0, "sold_at");
        assert!(
            found[0].1.starts_with("不符合规则“先产后销”：生产日期（2026-11-02）不应晚于销售时间")
        );
        assert_eq!(check(&rules, &json!({ "made_on": "2026-11-02" })), []);
    }

    #[test]
    fn days_that_must_pass_are_counted_and_absurd_ones_never_pass() {
        let rules = json!([{ "name": "间隔期", "kind": "elapsed", "since": "made_on", "days": "days",
            "until": "sold_at" }]);
        let after = |days: i64| {
            let given = json!({ "made_on": "2026-11-01", "days": days, "sold_at": "2026-11-08T08:00:00+08:00" });
            check(&rules, &given).len()
        };
        assert_eq!([after(0), after(7), after(8), after(i64::MAX)], [0, 0, 1, 1]);
    }

    #[test]
    fn a_flag_may_demand_a_field() {
        let rules = json!([{ "name": "冷藏须记时间", "kind": "required_if", "field": "sold_at",
            "when": "chilled", "is": ["true"] }]);
        assert_eq!(check(&rules, &json!({ "chilled": false })), []);
        let found = check(&rules, &json!({ "chilled": true }));
        assert_eq!(found[0].1, "不符合规则“冷藏须记时间”：是否冷藏（是）时，销售时间必填");
    }

    #[test]
    fn what_a_field_does_not_know_is_named_before_any_rule() {
        let rules = json!([{ "name": "其一", "kind": "any_of", "fields": ["made_on", "sold_at"] }]);
        let found = check(&rules, &json!({ "colour": "red" }));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "colour");
        assert_eq!(check(&rules, &json!({})).len(), 1);
    }
}
