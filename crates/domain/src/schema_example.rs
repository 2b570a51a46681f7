//! An example of an event type: made from the pack alone, and given only where the pack's own check
//! takes it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use yj_crypto::sm3;
use yj_kernel::FieldError;
use yj_model::{DocumentKind, OffsetTime, Quantity};

use crate::{
    Demand, EventSpec, FieldKind, FieldSpec, InputMode, Pack, Packing, Rule, Schema, Scheme,
    check_attributes, schema::XML_NAMESPACE, schema_pattern, schema_xsd::escaped,
};

/// Who is said to have done it: a subject of the demonstration province.
const SUBJECT: &str = "93610525MAYJ010099";
const TIME: &str = "2026-11-02T10:30:00+08:00";
const DAYS: [&str; 4] = ["2026-11-02", "2026-10-30", "2026-06-01", "2028-11-01"];
const TIMES: [&str; 3] =
    ["2026-11-02T10:00:00+08:00", "2026-11-02T11:00:00+08:00", "2026-10-30T08:00:00+08:00"];
/// Changes that are tried before an example is given up.
const TRIES_MAX: usize = 200;

/// An event of this type that the pack's check takes; nothing where none was found.
pub fn example(pack: &Pack, event: &EventSpec) -> Option<Value> {
    let attributes = attributes(event)?;
    let name = |tail: &str| code(pack, event, tail);
    let observed = made(pack);
    let packed = pack.events().map(|(_, one)| one).find(|one| one.packing == Some(Packing::Pack));
    let input = |at: usize| {
        if event.inputs.mode == InputMode::Observe {
            return json!({ "code": observed.map_or_else(|| name("IN1"), |made| code(pack, made, "OUT1")) });
        }
        if event.unpacks() {
            return json!({ "code": packed.map_or_else(|| name("IN1"), |packed| code(pack, packed, "OUT1")) });
        }
        json!({ "code": name(&format!("IN{at}")), "quantity": "100", "unit": "KGM", "external": true })
    };
    let output = |at: usize| {
        let lot = format!("EX2026110{at}");
        json!({ "code": name(&format!("OUT{at}")), "quantity": "100", "unit": "KGM", "lot": lot })
    };
    let count = |min: usize, max: usize| 1..=min.max(1).min(max);
    let inputs: Vec<_> = count(event.inputs.min, event.inputs.max).map(input).collect();
    let outputs = count(event.outputs.min, event.outputs.max).map(output);
    // Of what is not named all is taken out.
    let outputs: Vec<_> = outputs.filter(|_| !event.unpacks()).collect();
    let digest = sm3::hex(&sm3::digest("示例".as_bytes()));
    Some(json!({
        "domain": pack.code, "type": event.code, "subject": SUBJECT, "event_time": TIME,
        "inputs": inputs, "outputs": outputs,
        "place": { "region": "610525", "address": "示例路 1 号", "lon": "109.93", "lat": "35.19" },
        "documents": papers(event),
        "evidence": [{ "name": "示例附件.pdf", "sm3": digest }],
        "attributes": attributes,
        "external_id": name("1"),
    }))
}

/// A voucher, and one of each that the type demands; of a 承诺达标合格证 only where nothing else will do,
/// for those stand in the register.
fn papers(event: &EventSpec) -> Vec<Value> {
    let plain = |kind: &&DocumentKind| **kind != DocumentKind::Commitment;
    let demanded = event.documents.iter().filter_map(|demand| {
        let kind = demand.any_of.iter().find(plain).or(demand.any_of.first())?;
        Some(json!({ "type": kind.label(), "no": "示例-0001" }))
    });
    let voucher = json!({ "type": "voucher", "no": "示例-0001" });
    std::iter::once(voucher).chain(demanded).collect()
}

fn code(pack: &Pack, event: &EventSpec, tail: &str) -> String {
    format!("EX-{}-{}-{tail}", pack.code, event.code).replace('_', "-")
}

/// The first event type by which something comes to be that others may look into: what is observed
/// must be known to the platform.
fn made(pack: &Pack) -> Option<&EventSpec> {
    let makes = |event: &&EventSpec| {
        event.inputs.min == 0
            && event.outputs.min > 0
            && event.outputs.terminal.is_none()
            && !event.always_reviewed
    };
    pack.events().map(|(_, event)| event).find(makes)
}

/// The required attributes, then as many of the others as go with them.
fn attributes(event: &EventSpec) -> Option<Map<String, Value>> {
    let time = TIME.parse::<OffsetTime>().ok();
    let schema = Schema { fields: &event.fields, rules: &event.rules, event_time: time };
    let mut found = Map::new();
    for field in event.fields.iter().filter(|field| field.required) {
        found.insert(field.name.clone(), candidates(field, &event.rules).into_iter().next()?);
    }
    let mut tries = 0;
    while let Err(errors) = check_attributes(schema, &found) {
        tries += 1;
        if tries > TRIES_MAX || !mend(event, &mut found, &errors) {
            return None;
        }
    }
    for field in event.fields.iter().filter(|field| !field.is_personal()) {
        if found.contains_key(&field.name) {
            continue;
        }
        for candidate in candidates(field, &event.rules) {
            found.insert(field.name.clone(), candidate);
            if check_attributes(schema, &found).is_ok() {
                break;
            }
            found.remove(&field.name);
        }
    }
    Some(found)
}

/// Changes the field complained of, or another that the broken rule speaks of.
fn mend(event: &EventSpec, found: &mut Map<String, Value>, errors: &[FieldError]) -> bool {
    let Some(error) = errors.first() else { return false };
    let broken = |rule: &&Rule| error.detail.contains(&format!("“{}”", rule.name));
    let rule = event.rules.iter().find(broken);
    if let Some(rule) = rule
        && let Some((field, number)) = yielded(&rule.demand, found)
        && found.get(field) != Some(&json!(number))
    {
        found.insert(String::from(field), json!(number));
        return true;
    }
    let spoken_of = rule.map(|rule| json!(rule).to_string()).unwrap_or_default();
    let of_rule = |field: &&FieldSpec| spoken_of.contains(&format!("\"{}\"", field.name));
    let complained = event.fields.iter().filter(|field| field.name == error.field);
    complained.chain(event.fields.iter().filter(of_rule)).any(|field| step(event, field, found))
}

/// Gives a field its next value.
fn step(event: &EventSpec, field: &FieldSpec, found: &mut Map<String, Value>) -> bool {
    let candidates = candidates(field, &event.rules);
    let now = found.get(&field.name);
    let at = now.and_then(|now| candidates.iter().position(|one| one == now));
    let next = candidates.into_iter().nth(at.map_or(0, |at| at + 1));
    next.map(|next| found.insert(field.name.clone(), next)).is_some()
}

/// What must come out, where a rule says what comes of what goes in.
fn yielded<'a>(demand: &'a Demand, found: &Map<String, Value>) -> Option<(&'a str, Quantity)> {
    let number = |name: &String| found.get(name)?.as_str()?.parse::<Quantity>().ok();
    // Of parts that add up the only one there is is the whole.
    if let Demand::Sum { parts, total, .. } = demand {
        let part = parts.iter().find(|part| found.contains_key(*part))?;
        return Some((part, number(total)?));
    }
    let Demand::Yields { of, percent, gives, by, factors, .. } = demand else { return None };
    let product = i128::from(number(of)?.scaled()) * i128::from(number(percent)?.scaled());
    let factor = match by {
        Some(by) => {
            let code = found.get(by)?.as_str()?;
            factors.iter().find(|factor| factor.is == code)?.divide_by.scaled()
        }
        None => 10_000,
    };
    let scaled = i64::try_from(product / 100 / i128::from(factor)).ok()?;
    Some((gives, Quantity::from_scaled(scaled).ok()?))
}

/// Values that the field by itself may have, the most telling first.
fn candidates(field: &FieldSpec, rules: &[Rule]) -> Vec<Value> {
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect();
    let mut all: Vec<Value> = match field.kind {
        FieldKind::Bool => vec![json!(true), json!(false)],
        FieldKind::Date => texts(&DAYS),
        FieldKind::Time => texts(&TIMES),
        FieldKind::Code => field.codes.iter().map(|(code, _)| json!(code)).collect(),
        FieldKind::Int => {
            let (min, max) = field.whole_bounds();
            let numbers = [1, 10, 30, min, max];
            numbers.into_iter().filter(|one| (min..=max).contains(one)).map(Value::from).collect()
        }
        FieldKind::Decimal | FieldKind::Result => {
            let bounds = [field.min, field.max];
            let plain = ["10", "1", "0.1", "5", "20", "100"]
                .into_iter()
                .filter_map(|text| text.parse().ok());
            let fits = |number: &Quantity| {
                field.min.is_none_or(|min| *number >= min)
                    && field.max.is_none_or(|max| *number <= max)
            };
            plain.chain(bounds.into_iter().flatten()).filter(fits).map(|one| json!(one)).collect()
        }
        FieldKind::Text => text(field, rules).into_iter().map(Value::from).collect(),
    };
    if matches!(field.kind, FieldKind::Text | FieldKind::Code)
        && let Some(cell) = rules.iter().find_map(|rule| cell(rule, field))
    {
        all.insert(0, json!(cell));
    }
    all
}

/// What a row of a table says of the field: methanol where the table knows it.
fn cell<'a>(rule: &'a Rule, field: &FieldSpec) -> Option<&'a str> {
    if let Demand::Named { key, field: name, rows } = &rule.demand {
        let at = [key, name].iter().position(|one| **one == field.name)?;
        let methanol = rows.iter().find(|row| row.first().is_some_and(|key| key == "UN1230"));
        return methanol.or(rows.first())?.get(at).map(String::as_str);
    }
    if let Demand::Fits { field: list, .. } = &rule.demand {
        return (*list == field.name).then_some("甲醇");
    }
    let Demand::Row { key, columns, rows, .. } = &rule.demand else { return None };
    let at = std::iter::once(key).chain(columns).position(|one| *one == field.name)?;
    let methanol = rows.iter().find(|row| row.first().is_some_and(|key| key == "UN1230"));
    methanol.or(rows.first())?.get(at).map(String::as_str)
}

fn text(field: &FieldSpec, rules: &[Rule]) -> Vec<String> {
    for rule in rules {
        if let Demand::Number { field: named, scheme } = &rule.demand
            && *named == field.name
        {
            let number = match scheme {
                Scheme::Cas => "67-56-1",
                Scheme::Un => "UN1230",
                Scheme::CreditCode => SUBJECT,
                Scheme::Phone => "029-12345678",
                // Nobody's number is made up.
                Scheme::Identity => return Vec::new(),
            };
            return vec![String::from(number)];
        }
    }
    if let Some(pattern) = &field.pattern {
        return schema_pattern::sample(pattern).into_iter().collect();
    }
    let made_up = format!("示例{}", field.label.split('（').next().unwrap_or_default());
    vec![made_up.chars().take(field.length()).collect()]
}

/// An event as an XML document of one.
pub fn example_xml(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<events xmlns=\"{XML_NAMESPACE}\" domain=\"{}\">\n  <{1}>\n",
        escaped(text("domain")),
        text("type")
    );
    for (name, value) in event.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "domain" | "type") {
            element(&mut out, 2, name, value);
        }
    }
    let _ = writeln!(out, "  </{}>\n</events>", text("type"));
    out
}

fn element(out: &mut String, depth: usize, name: &str, value: &Value) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(parts) if parts.is_empty() => {}
        Value::Array(items) => {
            let item = match name {
                "evidence" => "file",
                plural => plural.trim_end_matches('s'),
            };
            let _ = writeln!(out, "{indent}<{name}>");
            for one in items {
                element(out, depth + 1, item, one);
            }
            let _ = writeln!(out, "{indent}</{name}>");
        }
        Value::Object(parts) => {
            let _ = writeln!(out, "{indent}<{name}>");
            for (name, value) in parts {
                element(out, depth + 1, name, value);
            }
            let _ = writeln!(out, "{indent}</{name}>");
        }
        other => {
            let text = other.as_str().map_or_else(|| other.to_string(), escaped);
            let _ = writeln!(out, "{indent}<{name}>{text}</{name}>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_event_type_has_an_example() {
        let mut missing = Vec::new();
        for pack in crate::domains::built_in() {
            for (_, event) in pack.events() {
                match example(pack, event) {
                    Some(found) => {
                        let text = example_xml(&found);
                        assert!(text.contains(&format!("</{}>", event.code)), "{text}");
                    }
                    None => missing.push(format!("{}.{}", pack.code, event.code)),
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
