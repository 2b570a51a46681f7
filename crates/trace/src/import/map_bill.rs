//! What a bill of the drug platforms is as events of the domain `drug` (docs/messages/drug-bill.md has
//! the table).

use yj_domain::{EventSpec, EventType, InputMode};
use yj_kernel::{FieldError, Problem, Result};
use yj_message::drug::Bill;

use super::telling::{Draft, Mentions, Scene};
use crate::event::{Document, Input, Output, TraceEvent};

const DOMAIN: &str = "drug";
/// Codes of one event; longer bills become several.
const CODES_MAX: usize = 200;
/// A code stands for a smallest sales unit where the bill says nothing else.
const UNIT: &str = "BX";

/// The event type of a bill type.
pub(super) fn event_type(bill_type: &str) -> &'static str {
    match bill_type {
        "101" => "manufacture",
        "103" => "return_in",
        "108" => "recall_in",
        "116" => "consumer_return",
        "201" | "203" | "207" | "209" | "212" => "ship",
        "202" | "237" => "return_out",
        "205" => "dispose",
        "211" => "recall_out",
        "321" => "retail",
        "322" => "vaccinate",
        code if code.starts_with('1') => "receive",
        _ => "other_out",
    }
}

pub(super) fn mentions(bill: &Bill) -> Mentions {
    let others = [&bill.owner_id, &bill.from_id, &bill.to_id];
    Mentions {
        door: "drug-bill",
        number: bill.bill_no.clone(),
        party: ("enterprise_id", bill.enterprise_id.clone()),
        others: others.into_iter().flatten().cloned().collect(),
        objects: bill.codes.iter().chain(&bill.material_code).cloned().collect(),
        products: Vec::new(),
    }
}

const NAMES: &[(&str, &str)] = &[
    ("event_time", "bill_time"),
    ("counterparty", "from_id"),
    ("inputs", "codes"),
    ("outputs", "codes"),
    ("attributes.bill_no", "bill_no"),
    ("attributes.document_no", "bill_no"),
    ("attributes.consignor", "from_name"),
    ("attributes.consignee", "to_name"),
];

pub(super) fn draft(bill: &Bill, scene: &Scene<'_>) -> Result<Draft> {
    let kind = event_type(&bill.bill_type);
    let pack = scene.domains.in_force(DOMAIN, scene.ctx.today());
    let spec = pack.and_then(|pack| EventType::find(pack, kind));
    let spec = spec.ok_or_else(|| {
        let detail = format!("现行领域包没有“{}”对应的事件类型 {kind}", bill.type_label());
        Problem::invalid("bill_type", detail)
    })?;
    let of_whole = matches!(kind, "manufacture" | "consumer_return");
    let most = spec.inputs.max.max(spec.outputs.max).min(CODES_MAX);
    if of_whole && bill.codes.len() > most {
        let detail = format!("{}一单至多 {most} 个追溯码，请分单", bill.type_label());
        return Err(Problem::invalid("codes", detail));
    }
    let (attributes, documents) = (attributes(bill, &spec, scene)?, documents(bill, scene));
    let several = bill.codes.len() > CODES_MAX;
    let events = (1..).zip(bill.codes.chunks(CODES_MAX)).map(|(part, codes)| {
        let number =
            if several { format!("{}#{part}", bill.bill_no) } else { bill.bill_no.clone() };
        let mut event = TraceEvent {
            domain: String::from(DOMAIN),
            kind: String::from(kind),
            subject: bill.enterprise_id.clone(),
            event_time: bill.bill_time.clone(),
            counterparty: counterparty(bill, scene),
            documents: documents.clone(),
            attributes: attributes.clone(),
            external_id: Some(number),
            ..TraceEvent::default()
        };
        lines(&mut event, bill, (codes, &spec), scene);
        event
    });
    Ok(Draft { events: events.collect(), names: NAMES })
}

fn lines(
    event: &mut TraceEvent,
    bill: &Bill,
    (codes, spec): (&[String], &EventSpec),
    scene: &Scene<'_>,
) {
    let unit = bill.unit.as_deref().unwrap_or(UNIT);
    let incoming = bill.bill_type.starts_with('1');
    if event.kind == "manufacture" {
        event.inputs.extend(bill.material_code.iter().map(|code| Input {
            code: code.clone(),
            quantity: bill.material_quantity.clone(),
            unit: bill.material_unit.clone(),
            external: !scene.objects.contains(code),
        }));
    } else {
        let observed = spec.inputs.mode == InputMode::Observe;
        event.inputs.extend(codes.iter().map(|code| Input {
            code: code.clone(),
            quantity: (!observed).then(|| String::from("1")),
            unit: (!observed).then(|| String::from(unit)),
            // What comes in may come from outside; what goes out was here.
            external: !observed && incoming && !scene.objects.contains(code),
        }));
    }
    if spec.outputs.max > 0 {
        event.outputs.extend(codes.iter().map(|code| Output {
            code: code.clone(),
            quantity: String::from("1"),
            unit: String::from(unit),
            product: bill.product.clone(),
            lot: bill.batch_no.clone(),
        }));
    }
}

/// Of what comes in, where it is from; of what goes out, where it goes.
fn counterparty(bill: &Bill, scene: &Scene<'_>) -> Option<String> {
    let other = if bill.bill_type.starts_with('1') { &bill.from_id } else { &bill.to_id };
    let code = other.as_ref().filter(|code| **code != bill.enterprise_id)?;
    scene.subjects.get(code).map(|_| code.clone())
}

fn name_of(scene: &Scene<'_>, (name, code): (Option<&String>, Option<&String>)) -> Option<String> {
    let registered = || scene.subjects.get(code?).map(|subject| subject.name.clone());
    name.cloned().or_else(registered).or_else(|| code.cloned())
}

fn documents(bill: &Bill, scene: &Scene<'_>) -> Vec<Document> {
    let mut documents = vec![Document {
        kind: format!("{} {}", bill.bill_type, bill.type_label()),
        no: bill.bill_no.clone(),
    }];
    let short = |text: String| text.chars().take(60).collect::<String>();
    for (kind, no) in [
        ("随货同行单", bill.voucher_no.clone()),
        ("货主", bill.owner_id.clone()),
        ("发货企业", name_of(scene, (bill.from_name.as_ref(), bill.from_id.as_ref()))),
        ("收货企业", name_of(scene, (bill.to_name.as_ref(), bill.to_id.as_ref()))),
    ] {
        documents.extend(no.map(|no| Document { kind: String::from(kind), no: short(no) }));
    }
    documents
}

/// The bill's fields that the event type has under the same name; one that it has not and that says
/// something of its own is refused rather than lost.
fn attributes(
    bill: &Bill,
    spec: &EventSpec,
    scene: &Scene<'_>,
) -> Result<serde_json::Map<String, serde_json::Value>> {
    /// These are kept elsewhere in the event, or are the same for every bill.
    const ELSEWHERE: [&str; 21] = [
        "bill_no",
        "bill_type",
        "bill_time",
        "enterprise_id",
        "owner_id",
        "from_id",
        "from_name",
        "to_id",
        "to_name",
        "drug_kind",
        "codes",
        "unit",
        "voucher_no",
        "batch_no",
        "produced_on",
        "expires_on",
        "product",
        "material_code",
        "material_quantity",
        "material_unit",
        "quality_state",
    ];
    let (mut attributes, mut errors) = (serde_json::Map::new(), Vec::new());
    let flat = bill.flat(0);
    for (name, text) in &flat.fields {
        match spec.fields.iter().find(|field| field.name == *name) {
            Some(field) => {
                attributes.insert(name.clone(), field.read_cell(text));
            }
            None if ELSEWHERE.contains(&name.as_str()) => {}
            None => {
                let label = Bill::FIELDS.iter().find(|known| known.name == name);
                let label = label.map_or(name.as_str(), |known| known.label);
                let detail = format!("{}单据没有“{label}”这一项，请去掉", bill.type_label());
                errors.push(FieldError { field: name.clone(), detail });
            }
        }
    }
    for (name, text) in [
        ("document_no", Some(bill.bill_no.clone())),
        ("consignor", name_of(scene, (bill.from_name.as_ref(), bill.from_id.as_ref()))),
        ("consignee", name_of(scene, (bill.to_name.as_ref(), bill.to_id.as_ref()))),
    ] {
        let has = spec.fields.iter().any(|field| field.name == name);
        if let (true, Some(text)) = (has, text) {
            attributes.insert(String::from(name), text.into());
        }
    }
    if errors.is_empty() { Ok(attributes) } else { Err(Problem::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bill_type_has_an_event_type_of_the_pack() {
        let pack: serde_json::Value =
            serde_json::from_str(include_str!("../../../../domains/drug.json")).unwrap();
        let stages = pack["stages"].as_array().unwrap();
        let events = stages.iter().flat_map(|stage| stage["events"].as_array().unwrap());
        let known: Vec<_> = events.map(|event| event["code"].as_str().unwrap()).collect();
        for (code, label) in yj_message::drug::BILL_TYPES {
            assert!(known.contains(&event_type(code)), "{code} {label}");
        }
    }
}
