//! Whether rules are about fields that there are, of kinds that fit, and about codes these have.

use yj_model::{DocumentKind, Quantity};

use crate::{
    field::{FieldClass, FieldKind, FieldSpec},
    goods::GoodsDemand,
    pack::EventSpec,
    read::Mistakes,
    rule::{Band, Demand, EVENT_TIME, Rule},
};

const TIMES: &[FieldKind] = &[FieldKind::Date, FieldKind::Time];
const NUMBERS: &[FieldKind] = &[FieldKind::Int, FieldKind::Decimal];
const RESULTS: &[FieldKind] = &[FieldKind::Int, FieldKind::Decimal, FieldKind::Result];
const CODES: &[FieldKind] = &[FieldKind::Code];
const CHOICES: &[FieldKind] = &[FieldKind::Code, FieldKind::Bool];
const TEXTS: &[FieldKind] = &[FieldKind::Text];
/// Of any kind.
const ANY: &[FieldKind] = &[];

/// Fields of the rules, and whether the time of an event may be named too.
type Known<'a> = (&'a [FieldSpec], bool);

pub(super) fn check_rules(rules: &[Rule], known: Known<'_>, start: &str, mistakes: &mut Mistakes) {
    for (at, rule) in rules.iter().enumerate() {
        let here = format!("{start}[{at}]");
        let depends = some("when", rule.when.as_deref(), CHOICES);
        for (key, name, kinds) in uses(&rule.demand).into_iter().chain(depends) {
            if let Some(detail) = misfit(known, name, kinds) {
                mistakes.note(format!("{here}.{key}"), detail);
            }
        }
        let when = rule.when.as_deref().unwrap_or_default();
        let cases = listed(("is", ""), when, rule.is.iter());
        for (key, field, value) in values(&rule.demand).into_iter().chain(cases) {
            if let Some(detail) = strange(known.0, field, value) {
                mistakes.note(format!("{here}.{key}"), detail);
            }
        }
        if let Some((key, detail)) = shapeless(&rule.demand) {
            mistakes.note(format!("{here}.{key}"), detail);
        }
    }
}

/// Whether what demands papers is about fields that there are, and about codes these have.
pub(super) fn check_documents(
    event: &EventSpec,
    products: &[FieldSpec],
    start: &str,
    mistakes: &mut Mistakes,
) {
    for (at, demand) in event.documents.iter().enumerate() {
        let here = format!("{start}[{at}]");
        let cases = [
            ("when", demand.when.as_deref(), "is", &demand.is, &*event.fields),
            ("product", demand.product.as_deref(), "product_is", &demand.product_is, products),
        ];
        for (key, name, values_key, values, fields) in cases {
            let Some(name) = name else { continue };
            if let Some(detail) = misfit((fields, false), name, CHOICES) {
                mistakes.note(format!("{here}.{key}"), detail);
            }
            for (key, field, value) in listed((values_key, ""), name, values.iter()) {
                if let Some(detail) = strange(fields, field, value) {
                    mistakes.note(format!("{here}.{key}"), detail);
                }
            }
        }
    }
}

/// Whether rules over goods are about fields that the event has, and attributes that products have.
pub(super) fn check_goods_rules(
    event: &EventSpec,
    products: &[FieldSpec],
    start: &str,
    mistakes: &mut Mistakes,
) {
    for (at, rule) in event.goods_rules.iter().enumerate() {
        let here = format!("{start}[{at}]");
        if let Some(name) = &rule.product {
            if let Some(detail) = misfit((products, false), name, CHOICES) {
                mistakes.note(format!("{here}.product"), detail);
            }
            for (key, field, value) in listed(("product_is", ""), name, rule.product_is.iter()) {
                if let Some(detail) = strange(products, field, value) {
                    mistakes.note(format!("{here}.{key}"), detail);
                }
            }
        }
        for (key, name) in rule.demand.fields() {
            let kinds = if key == "per" { NUMBERS } else { ANY };
            if let Some(detail) = misfit((&event.fields, false), name, kinds) {
                mistakes.note(format!("{here}.{key}"), detail);
            }
        }
        if let GoodsDemand::NoMore { tolerance_percent } = &rule.demand
            && *tolerance_percent < Quantity::ZERO
        {
            mistakes.note(format!("{here}.tolerance_percent"), "不应小于 0");
        }
        if let GoodsDemand::Marked { by, is, .. } = &rule.demand {
            let own = event.fields.iter().any(|field| field.name == *by);
            let fields = if own { &event.fields } else { products };
            if let Some(detail) = misfit((fields, false), by, CODES) {
                mistakes.note(format!("{here}.by"), detail);
            }
            for (key, field, value) in listed(("is", ""), by, is.iter()) {
                if let Some(detail) = strange(fields, field, value) {
                    mistakes.note(format!("{here}.{key}"), detail);
                }
            }
        }
        if let GoodsDemand::OutputMax { rate: Some(rate), .. } = &rule.demand
            && let Some(detail) = misfit((products, false), rate, NUMBERS)
        {
            mistakes.note(format!("{here}.rate"), detail);
        }
    }
}

/// Whether what tells the trips of vehicles apart is there to be read.
pub(super) fn check_trips(event: &EventSpec, here: &str, mistakes: &mut Mistakes) {
    let Some(trips) = &event.trips else { return };
    let named = [
        ("vehicle", trips.vehicle.as_str(), TEXTS),
        ("departs", trips.departs.as_str(), &[FieldKind::Time][..]),
        ("arrives", trips.arrives.as_str(), &[FieldKind::Time][..]),
        ("bill", trips.bill.as_str(), TEXTS),
        ("when", trips.when.as_deref().unwrap_or_default(), CODES),
    ];
    for (key, name, kinds) in named {
        if let Some(detail) = misfit((&event.fields, false), name, kinds) {
            mistakes.note(format!("{here}.{key}"), detail);
        }
    }
    let when = trips.when.as_deref().unwrap_or_default();
    for (key, field, value) in listed(("is", ""), when, trips.is.iter()) {
        if let Some(detail) = strange(&event.fields, field, value) {
            mistakes.note(format!("{here}.{key}"), detail);
        }
    }
}

/// Fields that the platform itself reads, to compare what both parties say, to find documents, to stop what
/// failed a test, to warn the public: what is sealed cannot serve for that.
const READ_BY_THE_PLATFORM: [&str; 8] =
    ["voucher_no", "voucher", "reason", "advice", "level", "verdict", "item", "report_no"];

/// No field has a class that is needed in the open.
pub(super) fn check_classes(event: &EventSpec, here: &str, mistakes: &mut Mistakes) {
    let trips = event.trips.iter();
    let trips = trips.flat_map(|one| [&one.vehicle, &one.departs, &one.arrives, &one.bill]);
    let owner = event.belongs.iter().filter_map(|one| one.named.as_ref());
    let read: Vec<&str> =
        trips.chain(owner).map(String::as_str).chain(READ_BY_THE_PLATFORM).collect();
    for (at, field) in event.fields.iter().enumerate() {
        let of_document =
            field.name.strip_suffix("_no").and_then(|_| DocumentKind::meant(&field.label));
        let is_read = of_document.is_some() || read.contains(&field.name.as_str());
        if field.class.is_some() && is_read {
            let detail = "平台据此核对、查找或告知公众，不能是个人信息或商业秘密";
            mistakes
                .note(format!("{here}.fields[{at}].class"), format!("{}：{detail}", field.label));
        }
    }
}

/// A price is a number that not everybody may read.
pub(super) fn check_price(event: &EventSpec, here: String, mistakes: &mut Mistakes) {
    // A name that is none was told when it was read.
    let Some(price) = event.price.as_ref().filter(|price| !price.is_empty()) else { return };
    let field = event.fields.iter().find(|field| field.name == *price);
    match field {
        None => mistakes.note(here, format!("没有 {price} 这个字段")),
        Some(FieldSpec {
            kind: FieldKind::Decimal, class: Some(FieldClass::Sensitive), ..
        }) => {}
        Some(_) => mistakes.note(here, format!("{price} 应为 decimal，class 为 sensitive")),
    }
}

/// The key that names a field, the field's name, the kinds it may be of.
type Use<'a> = (String, &'a str, &'static [FieldKind]);

fn one<'a>(key: &str, name: &'a str, kinds: &'static [FieldKind]) -> Use<'a> {
    (String::from(key), name, kinds)
}

fn each<'a>(key: &str, names: &'a [String], kinds: &'static [FieldKind]) -> Vec<Use<'a>> {
    let named = |(place, name): (usize, &'a String)| (format!("{key}[{place}]"), &**name, kinds);
    names.iter().enumerate().map(named).collect()
}

fn some<'a>(key: &str, name: Option<&'a str>, kinds: &'static [FieldKind]) -> Vec<Use<'a>> {
    name.into_iter().map(|name| one(key, name, kinds)).collect()
}

/// The fields that a rule names.
fn uses(demand: &Demand) -> Vec<Use<'_>> {
    match demand {
        Demand::Before { a, b } => vec![one("a", a, TIMES), one("b", b, TIMES)],
        Demand::NotAbove { a, b, unless } => [
            vec![one("a", a, NUMBERS), one("b", b, NUMBERS)],
            some("unless", unless.as_deref(), ANY),
        ]
        .concat(),
        Demand::Elapsed { since, days, until } => vec![
            one("since", since, TIMES),
            one("days", days, &[FieldKind::Int]),
            one("until", until, TIMES),
        ],
        Demand::Within { since, until, unless, .. } => [
            vec![one("since", since, TIMES), one("until", until, TIMES)],
            some("unless", unless.as_deref(), ANY),
        ]
        .concat(),
        Demand::Interval { since, until, by, .. } => {
            vec![one("since", since, TIMES), one("until", until, TIMES), one("by", by, CODES)]
        }
        Demand::AnyOf { fields } => each("fields", fields, ANY),
        Demand::RequiredIf { field, when, .. } => {
            vec![one("field", field, ANY), one("when", when, CHOICES)]
        }
        Demand::Bounded { field, unless, .. } => {
            [vec![one("field", field, NUMBERS)], some("unless", unless.as_deref(), ANY)].concat()
        }
        Demand::Yields { of, percent, gives, by, .. } => [
            vec![one("of", of, NUMBERS), one("percent", percent, NUMBERS)],
            vec![one("gives", gives, NUMBERS)],
            some("by", by.as_deref(), CODES),
        ]
        .concat(),
        Demand::Sum { parts, total, .. } => {
            [each("parts", parts, NUMBERS), vec![one("total", total, NUMBERS)]].concat()
        }
        Demand::Judged { value, limit, item, lod, loq, verdict, .. } => [
            vec![one("value", value, RESULTS), one("verdict", verdict, CODES)],
            some("limit", limit.as_deref(), NUMBERS),
            some("item", item.as_deref(), CODES),
            some("lod", lod.as_deref(), NUMBERS),
            some("loq", loq.as_deref(), NUMBERS),
        ]
        .concat(),
        Demand::Detected { value, lod, loq, verdict, .. } => [
            vec![one("value", value, RESULTS), one("lod", lod, NUMBERS)],
            some("loq", loq.as_deref(), NUMBERS),
            some("verdict", verdict.as_deref(), CODES),
        ]
        .concat(),
        Demand::SamplingPlan { item, values, lod, verdict, .. } => [
            vec![one("item", item, CODES), one("values", values, TEXTS)],
            vec![one("verdict", verdict, CODES)],
            some("lod", lod.as_deref(), NUMBERS),
        ]
        .concat(),
        Demand::Content { declared, measured, verdict, .. } => vec![
            one("declared", declared, NUMBERS),
            one("measured", measured, NUMBERS),
            one("verdict", verdict, CODES),
        ],
        Demand::Row { key, columns, .. } => {
            [vec![one("key", key, ANY)], each("columns", columns, ANY)].concat()
        }
        Demand::Named { key, field, .. } => vec![one("key", key, ANY), one("field", field, TEXTS)],
        Demand::Fits { field, goods } => {
            vec![one("field", field, TEXTS), one("goods", goods, TEXTS)]
        }
        Demand::OnlyIf { field, when, .. } => {
            vec![one("field", field, ANY), one("when", when, CHOICES)]
        }
        Demand::NotListed { field, .. } => {
            vec![one("field", field, &[FieldKind::Text, FieldKind::Code])]
        }
        Demand::Number { field, .. } => vec![one("field", field, TEXTS)],
    }
}

/// The key that names a value, the field it is a value of, the value.
type Named<'a> = (String, &'a str, &'a str);

fn listed<'a>(
    (key, tail): (&str, &str),
    field: &'a str,
    values: impl Iterator<Item = &'a String>,
) -> Vec<Named<'a>> {
    values.enumerate().map(|(at, value)| (format!("{key}[{at}]{tail}"), field, &**value)).collect()
}

fn verdicts<'a>(field: &'a str, pass: &'a [String], undecided: &'a [String]) -> Vec<Named<'a>> {
    [listed(("pass", ""), field, pass.iter()), listed(("undecided", ""), field, undecided.iter())]
        .concat()
}

/// The values of fields that a rule names.
fn values(demand: &Demand) -> Vec<Named<'_>> {
    match demand {
        Demand::NotListed { field, values, .. } => listed(("values", ""), field, values.iter()),
        Demand::RequiredIf { when, is, .. } | Demand::OnlyIf { when, is, .. } => {
            listed(("is", ""), when, is.iter())
        }
        Demand::Interval { by, months, .. } => {
            listed(("months", ".is"), by, months.iter().map(|one| &one.is))
        }
        Demand::Yields { by: Some(by), factors, .. } => {
            listed(("factors", ".is"), by, factors.iter().map(|factor| &factor.is))
        }
        Demand::Judged { item, limits, verdict, pass, undecided, fail, .. } => {
            let item = item.as_deref().unwrap_or_default();
            let limits = listed(("limits", ".is"), item, limits.iter().map(|limit| &limit.is));
            let fail = listed(("fail", ""), verdict, fail.iter());
            [limits, verdicts(verdict, pass, undecided), fail].concat()
        }
        Demand::Detected { verdict: Some(verdict), absent, .. } => {
            listed(("absent", ""), verdict, absent.iter())
        }
        Demand::SamplingPlan { item, verdict, pass, undecided, plans, .. } => {
            let plans = listed(("plans", ".is"), item, plans.iter().map(|plan| &plan.is));
            [plans, verdicts(verdict, pass, undecided)].concat()
        }
        Demand::Content { verdict, pass, .. } => listed(("pass", ""), verdict, pass.iter()),
        Demand::Row { key, columns, rows, .. } => {
            let mut found = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                for (place, (field, value)) in
                    std::iter::once(key).chain(columns).zip(row).enumerate()
                {
                    found.push((format!("rows[{at}][{place}]"), &**field, &**value));
                }
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Where a rule lacks a part without which it says nothing.
fn shapeless(demand: &Demand) -> Option<(&'static str, String)> {
    let said = |key, detail: &str| Some((key, String::from(detail)));
    match demand {
        Demand::Bounded { min: None, max: None, .. } => said("min", "min 与 max 至少写明一项"),
        Demand::Bounded { min: Some(min), max: Some(max), .. } if min > max => {
            said("min", "不应大于 max")
        }
        Demand::Yields { by, factors, .. } if by.is_some() == factors.is_empty() => {
            said("factors", "by 与 factors 应同时写明")
        }
        Demand::Yields { factors, .. }
            if factors.iter().any(|factor| !factor.divide_by.is_positive()) =>
        {
            said("factors", "divide_by 应大于 0")
        }
        Demand::Yields { tolerance_percent, .. } | Demand::Sum { tolerance_percent, .. }
            if *tolerance_percent < Quantity::ZERO =>
        {
            said("tolerance_percent", "不应小于 0")
        }
        Demand::Judged { pass, undecided, .. } | Demand::SamplingPlan { pass, undecided, .. }
            if undecided.iter().any(|code| pass.contains(code)) =>
        {
            said("undecided", "不能判定的结论不能同时是合格的结论")
        }
        Demand::Judged { pass, undecided, fail, .. }
            if fail.iter().any(|code| pass.contains(code) || undecided.contains(code)) =>
        {
            said("fail", "不合格的结论不能同时是合格或不能判定的结论")
        }
        Demand::Judged { limit, item, limits, .. } => match (limit, item) {
            (Some(_), None) if limits.is_empty() => None,
            (_, Some(_)) if !limits.is_empty() => None,
            _ => said("limit", "应写明 limit，或写明 item 与 limits，也可都写明"),
        },
        Demand::Detected { verdict, absent, .. } if verdict.is_some() == absent.is_empty() => {
            said("absent", "verdict 与 absent 应同时写明")
        }
        Demand::SamplingPlan { plans, .. } => {
            let wrong = plans.iter().any(|plan| {
                plan.samples == 0
                    || plan.above_max >= plan.samples
                    || plan.never_above.is_some_and(|most| most <= plan.limit)
            });
            wrong.then(|| ("plans", String::from("应为 n > c，M 大于 m")))
        }
        Demand::Content { bands, .. } => bands_out_of_order(bands).then(|| {
            let detail = "每一档写明 percent 或 absolute 之一；up_to 递增，只有最后一档可以不写";
            ("bands", String::from(detail))
        }),
        Demand::Row { columns, rows, .. } => {
            let wrong = rows.iter().any(|row| row.len() != columns.len() + 1);
            wrong.then(|| ("rows", format!("每行应为 {} 项：key 与各列", columns.len() + 1)))
        }
        _ => None,
    }
}

fn bands_out_of_order(bands: &[Band]) -> bool {
    let both = |band: &Band| band.percent.is_some() == band.absolute.is_some();
    let open = bands.iter().rev().skip(1).any(|band| band.up_to.is_none());
    let falling = |pair: &[Band]| pair[1].up_to.is_some_and(|most| Some(most) <= pair[0].up_to);
    bands.iter().any(both) || open || bands.windows(2).any(falling)
}

/// What speaks against this field in a rule that wants one of these kinds; an empty list means any.
fn misfit((fields, of_event): Known<'_>, name: &str, kinds: &[FieldKind]) -> Option<String> {
    if name.is_empty() || (of_event && name == EVENT_TIME && kinds.contains(&FieldKind::Time)) {
        return None;
    }
    match fields.iter().find(|field| field.name == name) {
        None => Some(format!("没有 {name} 这个字段")),
        Some(field) if !kinds.is_empty() && !kinds.contains(&field.kind) => {
            Some(format!("字段 {name}（{}）的类型不适用于这条规则", field.label))
        }
        Some(_) => None,
    }
}

/// What speaks against this value of a field that chooses among codes.
fn strange(fields: &[FieldSpec], name: &str, value: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.name == name)?;
    let known = match field.kind {
        FieldKind::Bool => value == "true" || value == "false",
        FieldKind::Code => field.codes.iter().any(|(code, _)| code == value),
        _ => true,
    };
    (!known).then(|| format!("字段 {name} 没有 {value} 这个取值"))
}
