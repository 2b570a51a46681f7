//! Reading the rules of a pack.

use super::{CODES_MAX, FIELDS_MAX, MONTHS_MAX, NAME_MAX, Part};
use crate::rule::{Band, ClassPlan, Demand, Factor, Limit, Months, Rule, Scheme};

/// Rows of one table.
const ROWS_MAX: usize = 300;
/// Longest span in days: a hundred years.
const DAYS_MAX: usize = 36_500;
/// Most samples of one lot.
const SAMPLES_MAX: usize = 60;

/// The kinds, each with the keys it may have besides `name` and `kind`.
const KINDS: [(&str, &[&str]); 20] = [
    ("before", &["a", "b", "when", "is"]),
    ("not_above", &["a", "b", "when", "is", "unless"]),
    ("required_if", &["field", "when", "is"]),
    ("any_of", &["fields"]),
    ("elapsed", &["since", "days", "until"]),
    ("within", &["since", "days", "until", "when", "is", "unless"]),
    ("interval", &["since", "until", "by", "months", "when", "is"]),
    ("bounded", &["field", "min", "max", "when", "is", "unless"]),
    ("yields", &["of", "percent", "gives", "tolerance_percent", "by", "factors"]),
    ("sum", &["parts", "total", "tolerance_percent"]),
    (
        "judged",
        &["value", "limit", "item", "limits", "lod", "loq", "verdict", "pass", "undecided", "fail"],
    ),
    ("detected", &["value", "lod", "loq", "verdict", "absent"]),
    ("sampling_plan", &["item", "values", "lod", "verdict", "pass", "undecided", "plans"]),
    ("content", &["declared", "measured", "verdict", "pass", "bands"]),
    ("row", &["key", "columns", "rows", "blank"]),
    ("named", &["key", "field", "rows"]),
    ("fits", &["field", "goods"]),
    ("only_if", &["field", "when", "is"]),
    ("not_listed", &["field", "values", "anywhere", "when", "is"]),
    ("number", &["field", "scheme"]),
];

pub(super) fn rule(part: &mut Part<'_, '_>) -> Rule {
    let name = part.label("name");
    let Some((kind, keys)) = part.one_of("kind", &KINDS.map(|kind| (kind.0, kind))) else {
        // Which keys there may be depends on a kind that is not known.
        let demand = Demand::AnyOf { fields: Vec::new() };
        return Rule { name, when: None, is: Vec::new(), demand };
    };
    part.only(&[&["name", "kind"], keys].concat());
    // What demands a field has a `when` of its own.
    let depends = !matches!(kind, "required_if" | "only_if")
        && keys.contains(&"when")
        && ["when", "is"].iter().any(|key| part.value(key).is_some());
    let (when, is) = if depends {
        (Some(word(part, "when")), part.texts("is", (1, CODES_MAX)))
    } else {
        (None, Vec::new())
    };
    let demand = match kind {
        "before" | "elapsed" | "within" | "interval" => time(part, kind),
        "not_above" | "bounded" | "yields" | "sum" => amount(part, kind),
        "judged" | "sampling_plan" | "content" => verdict(part, kind),
        "detected" => Demand::Detected {
            value: word(part, "value"),
            lod: word(part, "lod"),
            loq: maybe(part, "loq"),
            verdict: maybe(part, "verdict"),
            absent: part.texts("absent", (0, CODES_MAX)),
        },
        _ => table(part, kind),
    };
    Rule { name, when, is, demand }
}

fn word(part: &mut Part<'_, '_>, key: &str) -> String {
    part.word(key, NAME_MAX)
}

fn maybe(part: &mut Part<'_, '_>, key: &str) -> Option<String> {
    part.value(key).map(|_| part.word(key, NAME_MAX))
}

fn time(part: &mut Part<'_, '_>, kind: &str) -> Demand {
    match kind {
        "before" => Demand::Before { a: word(part, "a"), b: word(part, "b") },
        "elapsed" => Demand::Elapsed {
            since: word(part, "since"),
            days: word(part, "days"),
            until: word(part, "until"),
        },
        "interval" => Demand::Interval {
            since: word(part, "since"),
            until: word(part, "until"),
            by: word(part, "by"),
            months: part.each("months", (1, CODES_MAX), |part| {
                part.only(&["is", "max"]);
                let max = part.number("max", MONTHS_MAX);
                Months { is: code(part), max: u16::try_from(max).unwrap_or_default() }
            }),
        },
        _ => Demand::Within {
            since: word(part, "since"),
            days: part.number("days", DAYS_MAX),
            until: word(part, "until"),
            unless: maybe(part, "unless"),
        },
    }
}

fn amount(part: &mut Part<'_, '_>, kind: &str) -> Demand {
    match kind {
        "not_above" => Demand::NotAbove {
            a: word(part, "a"),
            b: word(part, "b"),
            unless: maybe(part, "unless"),
        },
        "bounded" => Demand::Bounded {
            field: word(part, "field"),
            min: part.quantity("min"),
            max: part.quantity("max"),
            unless: maybe(part, "unless"),
        },
        "yields" => Demand::Yields {
            of: word(part, "of"),
            percent: word(part, "percent"),
            gives: word(part, "gives"),
            tolerance_percent: tolerance(part),
            by: maybe(part, "by"),
            factors: part.each("factors", (0, CODES_MAX), |part| {
                part.only(&["is", "divide_by"]);
                Factor { is: code(part), divide_by: needed(part, "divide_by") }
            }),
        },
        _ => Demand::Sum {
            parts: part.texts("parts", (2, FIELDS_MAX)),
            total: word(part, "total"),
            tolerance_percent: tolerance(part),
        },
    }
}

fn verdict(part: &mut Part<'_, '_>, kind: &str) -> Demand {
    let verdict = word(part, "verdict");
    let pass = part.texts("pass", (1, CODES_MAX));
    let undecided = part.texts("undecided", (0, CODES_MAX));
    match kind {
        "judged" => Demand::Judged {
            value: word(part, "value"),
            limit: maybe(part, "limit"),
            item: maybe(part, "item"),
            limits: part.each("limits", (0, CODES_MAX), |part| {
                part.only(&["is", "max"]);
                Limit { is: code(part), max: needed(part, "max") }
            }),
            lod: maybe(part, "lod"),
            loq: maybe(part, "loq"),
            verdict,
            pass,
            undecided,
            fail: part.texts("fail", (0, CODES_MAX)),
        },
        "sampling_plan" => Demand::SamplingPlan {
            item: word(part, "item"),
            values: word(part, "values"),
            lod: maybe(part, "lod"),
            verdict,
            pass,
            undecided,
            plans: part.each("plans", (1, CODES_MAX), plan),
        },
        _ => Demand::Content {
            declared: word(part, "declared"),
            measured: word(part, "measured"),
            verdict,
            pass,
            bands: part.each("bands", (1, CODES_MAX), |part| {
                part.only(&["up_to", "percent", "absolute"]);
                Band {
                    up_to: part.quantity("up_to"),
                    percent: part.quantity("percent"),
                    absolute: part.quantity("absolute"),
                }
            }),
        },
    }
}

fn plan(part: &mut Part<'_, '_>) -> ClassPlan {
    part.only(&["is", "samples", "above_max", "limit", "never_above"]);
    ClassPlan {
        is: code(part),
        samples: part.number("samples", SAMPLES_MAX),
        above_max: part.number("above_max", SAMPLES_MAX),
        limit: needed(part, "limit"),
        never_above: part.quantity("never_above"),
    }
}

fn table(part: &mut Part<'_, '_>, kind: &str) -> Demand {
    match kind {
        "required_if" => Demand::RequiredIf {
            field: word(part, "field"),
            when: word(part, "when"),
            is: part.texts("is", (1, CODES_MAX)),
        },
        "any_of" => Demand::AnyOf { fields: part.texts("fields", (2, FIELDS_MAX)) },
        "row" => Demand::Row {
            key: word(part, "key"),
            columns: part.texts("columns", (1, FIELDS_MAX)),
            rows: rows(part),
            blank: part.optional_text("blank", NAME_MAX),
        },
        "named" => {
            Demand::Named { key: word(part, "key"), field: word(part, "field"), rows: rows(part) }
        }
        "fits" => Demand::Fits { field: word(part, "field"), goods: word(part, "goods") },
        "only_if" => Demand::OnlyIf {
            field: word(part, "field"),
            when: word(part, "when"),
            is: part.texts("is", (1, CODES_MAX)),
        },
        "not_listed" => Demand::NotListed {
            field: word(part, "field"),
            values: part.texts("values", (1, CODES_MAX)),
            anywhere: part.optional_flag("anywhere"),
        },
        _ => Demand::Number {
            field: word(part, "field"),
            scheme: part.one_of("scheme", &Scheme::ALL).unwrap_or(Scheme::Cas),
        },
    }
}

/// `[["UN1203", "3", "II"], …]`
fn rows(part: &mut Part<'_, '_>) -> Vec<Vec<String>> {
    let count = part.items("rows", (1, ROWS_MAX)).len();
    (0..count).map(|at| part.texts_at("rows", at, (2, FIELDS_MAX))).collect()
}

fn code(part: &mut Part<'_, '_>) -> String {
    part.text("is", NAME_MAX).unwrap_or_default()
}

fn tolerance(part: &mut Part<'_, '_>) -> yj_model::Quantity {
    needed(part, "tolerance_percent")
}

fn needed(part: &mut Part<'_, '_>, key: &str) -> yj_model::Quantity {
    part.needed(key);
    part.quantity(key).unwrap_or_default()
}
