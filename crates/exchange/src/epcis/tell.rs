//! What an EPCIS event says in the words of GB/T 38157 (ADR 19). A pure function: what it cannot
//! tell without guessing it says why not.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Number, Value};
use yj_domain::{Domains, EventSpec, InputMode, Pack, Packing};
use yj_epcis::{Action, Epc, Event, EventKind, Gs1Key, Json, QuantityElement, TypedId, Vocabulary};
use yj_model::{OffsetTime, Rejected, TraceCode, gs1_unit_code};
use yj_product::ProductBrief;
use yj_trace::{Document, Input, Output, TraceEvent};

use super::{
    NAMESPACE,
    owner::{extension, gln},
};

/// Why an event stays an EPCIS event and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untold {
    /// Stable code.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) detail: String,
}

fn untold<T>(code: &'static str, detail: impl Into<String>) -> Result<T, Untold> {
    Err(Untold { code, detail: detail.into() })
}

/// What is known around an event.
pub(crate) struct Around<'a> {
    /// Packs in force.
    pub(crate) domains: &'a Domains,
    /// Today.
    pub(crate) day: Date,
    /// Domains of packages that are known, by code.
    pub(crate) packages: &'a BTreeMap<String, String>,
    /// Products by GTIN.
    pub(crate) products: &'a BTreeMap<String, ProductBrief>,
    /// Code of the subject whose event it is.
    pub(crate) subject: &'a str,
    /// Code of the subject with a GLN.
    pub(crate) subject_of: &'a dyn Fn(&str) -> Option<String>,
    /// `https://host` of codes that this platform printed.
    pub(crate) public_url: &'a str,
}

/// What an event does to what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// 对象事件 ADD
    Creates,
    /// 对象事件 DELETE
    Destroys,
    /// 对象或交易事件 that only sees, or binds to a transaction.
    Observes,
    /// 转化事件
    Transforms,
    /// 聚合事件 ADD
    Packs,
    /// 聚合事件 DELETE
    Unpacks,
    /// 聚合事件 OBSERVE: a package is looked at with what is in it.
    Sees,
}

/// What an event type must be like to be meant.
struct Meaning {
    shape: Shape,
    /// Business steps, bare; none given means any, and none at all.
    steps: &'static [&'static str],
    /// 出入库类型; none given means any.
    movements: &'static [&'static str],
    /// Stages; none given means any.
    stages: &'static [&'static str],
    mode: InputMode,
}

const fn row(
    shape: Shape,
    steps: &'static [&'static str],
    (movements, stages): (&'static [&'static str], &'static [&'static str]),
    mode: InputMode,
) -> Meaning {
    Meaning { shape, steps, movements, stages, mode }
}

/// The first row whose shape and step fit says which event types may be meant; only where a domain
/// has exactly one of them is it told.
const MEANINGS: &[Meaning] = {
    use InputMode::{Consume, None, Observe};
    use Shape::{Creates, Destroys, Observes, Packs, Sees, Transforms, Unpacks};
    &[
        row(Creates, &["commissioning", "creating_class_instance"], (&["101"], &[]), None),
        row(Transforms, &[], (&["101", "208"], &["processing"]), Consume),
        row(Packs, &["packing"], (&[], &[]), Consume),
        // Whatever the step is called, what is disaggregated is out of its package.
        row(Unpacks, &[], (&[], &[]), Consume),
        row(Sees, &["inspecting"], (&[], &["inspection"]), Observe),
        row(Observes, &["shipping", "departing"], (&["201"], &["distribution"]), Consume),
        row(
            Observes,
            &["receiving", "accepting", "arriving"],
            (&["102"], &["distribution"]),
            Consume,
        ),
        row(Observes, &["transporting"], (&["203"], &["transport"]), Consume),
        row(Observes, &["storing", "stocking"], (&["104"], &[]), Consume),
        row(Observes, &["retail_selling"], (&["321"], &[]), Consume),
        row(Observes, &["dispensing"], (&["209"], &["consumption"]), Consume),
        row(Observes, &["inspecting"], (&[], &["inspection"]), Observe),
        row(
            Observes,
            &["destroying", "decommissioning"],
            (&["205", "216"], &["supervision"]),
            Consume,
        ),
        row(
            Destroys,
            &["destroying", "decommissioning"],
            (&["205", "216"], &["supervision"]),
            Consume,
        ),
    ]
};

/// Extensions of ours that are no attributes.
const NOT_ATTRIBUTES: [&str; 5] = ["subject", "domain", "type", "counterparty", "attributes"];
/// Attributes of CBV with the names that domain packs have for them.
const CBV_MDA: &str = "urn:epcglobal:cbv:mda";
const FROM_CBV: [(&str, &str); 2] =
    [("itemExpirationDate", "expires_on"), ("productionDate", "produced_on")];

/// Tells an event, with the stage in which it happens.
pub(crate) fn tell(event: &Event, around: &Around<'_>) -> Result<(TraceEvent, String), Untold> {
    let shape = shape(event)?;
    let domain = domain(event, around)?;
    let Some(pack) = around.domains.in_force(&domain, around.day) else {
        return untold("no_domain", format!("没有现行的领域 {domain}"));
    };
    let (stage, spec) = event_type(event, shape, pack)?;
    let mut told = TraceEvent {
        domain,
        kind: spec.code.clone(),
        subject: String::from(around.subject),
        event_time: time(event)?,
        documents: documents(&event.biz_transactions),
        attributes: attributes(event, spec),
        external_id: event.event_id.clone().filter(|id| id.chars().count() <= 64),
        ..TraceEvent::default()
    };
    told.counterparty = counterparty(event, spec, around);
    lines(event, (shape, spec), around, &mut told)?;
    Ok((told, String::from(stage)))
}

fn shape(event: &Event) -> Result<Shape, Untold> {
    match (&event.kind, event.action) {
        (EventKind::Object, Some(Action::Add)) => Ok(Shape::Creates),
        (EventKind::Object, Some(Action::Delete)) => Ok(Shape::Destroys),
        (EventKind::Object, _) | (EventKind::Transaction, Some(Action::Add | Action::Observe)) => {
            Ok(Shape::Observes)
        }
        (EventKind::Transformation, _) => Ok(Shape::Transforms),
        (EventKind::Aggregation, Some(Action::Add)) => Ok(Shape::Packs),
        (EventKind::Aggregation, Some(Action::Delete)) => Ok(Shape::Unpacks),
        (EventKind::Aggregation, Some(Action::Observe)) => Ok(Shape::Sees),
        // That goods no longer belong to a 交易 says nothing of the goods: what was told of it stands until
        // it is declared wrong. A sensor that is put on something, or taken off, makes nothing of it.
        _ => untold("no_counterpart", "这一类 EPCIS 事件在追溯数据中没有对应"),
    }
}

fn text<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    extension(event, name).and_then(Json::scalar)
}

fn domain(event: &Event, around: &Around<'_>) -> Result<String, Untold> {
    if let Some(own) = text(event, "domain") {
        return Ok(String::from(own));
    }
    let gtins = identifiers(event).filter_map(gtin);
    let mut found: Vec<&str> = gtins
        .filter_map(|gtin| around.products.get(&gtin))
        .map(|one| one.domain.as_str())
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(String::from(*one)),
        [] if let Some(domain) =
            package(event, around.public_url).and_then(|code| around.packages.get(&code)) =>
        {
            Ok(domain.clone())
        }
        [] => untold("no_domain", "商品条码没有登记产品，也没有写 yj:domain，不知属于哪个领域"),
        many => untold("ambiguous_domain", format!("所涉产品属于不同领域：{}", many.join("、"))),
    }
}

/// Everything an event names.
pub(crate) fn identifiers(event: &Event) -> impl Iterator<Item = &str> {
    let things =
        [&event.epc_list, &event.child_epcs, &event.input_epc_list, &event.output_epc_list];
    let amounts = [
        &event.quantity_list,
        &event.child_quantity_list,
        &event.input_quantity_list,
        &event.output_quantity_list,
    ];
    let things = things.into_iter().flatten().map(String::as_str);
    things.chain(amounts.into_iter().flatten().map(|one| one.epc_class.as_str()))
}

/// The code of the package that an event is about.
pub(crate) fn package(event: &Event, public_url: &str) -> Option<String> {
    let parent = event.parent_id.as_deref()?;
    code(parent, key(parent).as_ref(), public_url).ok()
}

fn key(id: &str) -> Option<Gs1Key> {
    Epc::parse(id).map(|epc| epc.to_key()).or_else(|| Gs1Key::parse(id))
}

/// The GTIN in an identifier.
pub(crate) fn gtin(id: &str) -> Option<String> {
    key(id).filter(|key| key.ai() == "01").map(|key| String::from(key.value()))
}

fn event_type<'p>(
    event: &Event,
    shape: Shape,
    pack: &'p Pack,
) -> Result<(&'p str, &'p EventSpec), Untold> {
    if let Some(own) = text(event, "type") {
        let found = pack.events().find(|(_, spec)| spec.code == own);
        let none = || Untold {
            code: "no_type",
            detail: format!("领域 {} 没有事件类型 {own}", pack.code),
        };
        return found.ok_or_else(none);
    }
    let step = event.biz_step.as_deref().map(|step| Vocabulary::BizStep.compact(step));
    let fits = |row: &&Meaning| {
        let named = |step| row.steps.contains(&step);
        row.shape == shape && (row.steps.is_empty() || step.is_some_and(named))
    };
    let Some(meaning) = MEANINGS.iter().find(fits) else {
        let step = step.unwrap_or("（未写）");
        return untold("no_type", format!("bizStep {step} 没有对应的事件类型；可以 yj:type 写明"));
    };
    let meant = |(stage, spec): &(&str, &EventSpec)| {
        let of = |list: &[&str], found: Option<&str>| {
            list.is_empty() || found.is_some_and(|found| list.contains(&found))
        };
        let packing = match shape {
            Shape::Packs => Some(Packing::Pack),
            Shape::Unpacks => Some(Packing::Unpack),
            _ => spec.packing,
        };
        spec.inputs.mode == meaning.mode
            && spec.packing == packing
            && of(meaning.stages, Some(stage))
            && of(meaning.movements, spec.movement.as_deref())
    };
    let found: Vec<_> = pack.events().filter(meant).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => untold("no_type", format!("领域 {} 没有与此对应的事件类型", pack.code)),
        many => {
            let codes: Vec<_> =
                many.iter().map(|(_, spec)| format!("{} {}", spec.code, spec.name)).collect();
            let detail = format!("可能是 {}；请以 yj:type 写明", codes.join("、"));
            untold("ambiguous_type", detail)
        }
    }
}

fn time(event: &Event) -> Result<String, Untold> {
    let offset = event.event_time_zone_offset.as_str();
    let minutes = |text: &str| {
        let (hours, minutes) = text.get(1..)?.split_once(':')?;
        let total = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
        Some(if text.starts_with('-') { -total } else { total })
    };
    let time =
        minutes(offset).and_then(|offset| OffsetTime::from_parts(event.event_time.0, offset).ok());
    match time {
        Some(time) => Ok(time.to_string()),
        None => untold("no_time", "发生时间超出追溯数据的范围"),
    }
}

/// 凭证; numbers that are too long stay in the EPCIS event.
fn documents(transactions: &[TypedId]) -> Vec<Document> {
    let one = |transaction: &TypedId| {
        let kind = transaction.kind.as_deref().unwrap_or("other");
        let kind = Vocabulary::BizTransactionType.compact(kind);
        let kind = kind.rsplit(['/', ':', '#']).next().filter(|tail| !tail.is_empty())?;
        let fits = kind.chars().count() <= 40 && transaction.id.chars().count() <= 60;
        fits.then(|| Document { kind: String::from(kind), no: transaction.id.clone() })
    };
    transactions.iter().filter_map(one).take(20).collect()
}

/// Extensions in our namespace, at the event and in `ilmd`, and what CBV has the same word for.
fn attributes(event: &Event, spec: &EventSpec) -> Map<String, Value> {
    let mut found = Map::new();
    let ilmd = event.source().get("ilmd").map(Json::members).unwrap_or_default();
    let mut take = |name: &str, value: &Json| {
        let field = spec.fields.iter().find(|field| field.name == name);
        let value = match (value, field) {
            (Json::Text(text), Some(field)) => field.read_cell(text),
            (value, _) => plain(value),
        };
        found.entry(String::from(name)).or_insert(value);
    };
    for (name, value) in event.source().members().iter().chain(ilmd) {
        match event.context().resolve(name) {
            Some((NAMESPACE, "attributes")) => {
                for (name, value) in value.members() {
                    let local =
                        event.context().resolve(name).filter(|(space, _)| *space == NAMESPACE);
                    take(local.map_or(name.as_str(), |(_, local)| local), value);
                }
            }
            Some((NAMESPACE, local)) if !NOT_ATTRIBUTES.contains(&local) => take(local, value),
            _ => {}
        }
    }
    for (name, value) in ilmd {
        let Some((CBV_MDA, local)) = event.context().resolve(name) else { continue };
        let known = FROM_CBV.iter().find(|(cbv, _)| *cbv == local).map(|(_, own)| *own);
        if let Some(own) = known.filter(|own| spec.fields.iter().any(|field| field.name == *own)) {
            take(own, value);
        }
    }
    found
}

fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(text) => match text.parse::<Number>() {
            Ok(number) if number.is_i64() => Value::Number(number),
            // Decimals are texts here, so that nothing is rounded.
            _ => Value::String(text.clone()),
        },
        Json::Text(text) => Value::String(text.clone()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        ),
    }
}

/// The other side: who gets it when it goes out, who gave it when it comes in.
fn counterparty(event: &Event, spec: &EventSpec, around: &Around<'_>) -> Option<String> {
    if let Some(own) = text(event, "counterparty") {
        return Some(String::from(own));
    }
    let side = match spec.movement.as_deref()?.as_bytes().first()? {
        b'1' => &event.sources,
        _ => &event.destinations,
    };
    let codes =
        side.iter().filter_map(|one| gln(&one.id)).filter_map(|gln| (around.subject_of)(&gln));
    codes.into_iter().find(|code| code != around.subject)
}

/// A thing of an event with how much of it.
struct Line {
    code: String,
    quantity: String,
    unit: String,
    product: Option<String>,
    lot: Option<String>,
}

fn lines(
    event: &Event,
    (shape, spec): (Shape, &EventSpec),
    around: &Around<'_>,
    told: &mut TraceEvent,
) -> Result<(), Untold> {
    let all = |things: &[String], amounts: &[QuantityElement]| -> Result<Vec<Line>, Untold> {
        let things = things.iter().map(|id| line(id, None, event, around));
        let amounts = amounts.iter().map(|one| line(&one.epc_class, Some(one), event, around));
        things.chain(amounts).collect()
    };
    let input = |line: &Line, observing: bool| Input {
        code: line.code.clone(),
        quantity: (!observing).then(|| line.quantity.clone()),
        unit: (!observing).then(|| line.unit.clone()),
        external: false,
    };
    let output = |line: &Line| Output {
        code: line.code.clone(),
        quantity: line.quantity.clone(),
        unit: line.unit.clone(),
        product: line.product.clone(),
        lot: line.lot.clone(),
    };
    match shape {
        Shape::Transforms => {
            let inputs = all(&event.input_epc_list, &event.input_quantity_list)?;
            let outputs = all(&event.output_epc_list, &event.output_quantity_list)?;
            told.inputs = inputs.iter().map(|line| input(line, false)).collect();
            told.outputs = outputs.iter().map(output).collect();
        }
        Shape::Packs => {
            let inputs = all(&event.child_epcs, &event.child_quantity_list)?;
            told.inputs = inputs.iter().map(|line| input(line, false)).collect();
            told.outputs = vec![output(&parent(event, around)?)];
        }
        Shape::Unpacks => {
            // Without children all of it is meant; what becomes of the package follows from what is left.
            let outputs = all(&event.child_epcs, &event.child_quantity_list)?;
            told.outputs = outputs.iter().map(output).collect();
            told.inputs = vec![input(&parent(event, around)?, true)];
        }
        Shape::Sees => {
            let mut things = vec![parent(event, around)?];
            things.extend(all(&event.child_epcs, &event.child_quantity_list)?);
            told.inputs = things.iter().map(|line| input(line, true)).collect();
        }
        Shape::Creates | Shape::Destroys | Shape::Observes => {
            let things = all(&event.epc_list, &event.quantity_list)?;
            let observing = spec.inputs.mode == InputMode::Observe;
            if spec.inputs.mode != InputMode::None {
                told.inputs = things.iter().map(|line| input(line, observing)).collect();
            }
            if !observing && spec.outputs.max > 0 {
                told.outputs = things.iter().map(output).collect();
            }
        }
    }
    Ok(())
}

/// The package of an 聚合事件.
fn parent(event: &Event, around: &Around<'_>) -> Result<Line, Untold> {
    match &event.parent_id {
        Some(parent) => line(parent, None, event, around),
        None => untold("no_code", "聚合事件没有 parentID，包装没有追溯码"),
    }
}

fn line(
    id: &str,
    amount: Option<&QuantityElement>,
    event: &Event,
    around: &Around<'_>,
) -> Result<Line, Untold> {
    let key = key(id);
    let code = code(id, key.as_ref(), around.public_url)?;
    let (quantity, unit) = match amount {
        None => (String::from("1"), "H87"),
        Some(QuantityElement { quantity: Some(quantity), uom, .. }) => {
            (quantity.to_string(), uom.as_deref().unwrap_or("H87"))
        }
        Some(_) => return untold("no_quantity", format!("{id} 没有数量")),
    };
    let gtin = key.as_ref().filter(|key| key.ai() == "01").map(Gs1Key::value);
    let product = gtin.and_then(|gtin| around.products.get(gtin)).map(|one| one.code.clone());
    let qualifier = key.as_ref().and_then(Gs1Key::qualifier);
    let lot = qualifier.filter(|(ai, _)| *ai == "10").map(|(_, lot)| String::from(lot));
    let lot = lot.or_else(|| lot_number(event));
    Ok(Line { code, quantity, unit: String::from(unit), product, lot })
}

fn lot_number(event: &Event) -> Option<String> {
    let ilmd = event.source().get("ilmd").map(Json::members).unwrap_or_default();
    let named = |name: &str| event.context().resolve(name) == Some((CBV_MDA, "lotNumber"));
    let found = ilmd.iter().find(|(name, _)| named(name))?;
    found.1.scalar().map(String::from)
}

/// The 追溯码 of an identifier: a code of this platform in a link of its own, the element string
/// of a GS1 key, or the identifier itself where it may be one.
fn code(id: &str, key: Option<&Gs1Key>, public_url: &str) -> Result<String, Untold> {
    let own = id.strip_prefix(public_url).and_then(|rest| rest.strip_prefix("/t/"));
    let code: Result<TraceCode, Rejected> = match (own, key) {
        (Some(own), _) => own.parse(),
        (None, Some(key)) if key.ai() == "01" && key.qualifier().is_none() => {
            let detail = format!("{id} 只到商品品种，没有批次或序列号，不是追溯单元");
            return untold("no_lot", detail);
        }
        (None, Some(key)) => gs1_unit_code((key.ai(), key.value()), key.qualifier()),
        (None, None) => id.parse(),
    };
    match code {
        Ok(code) => Ok(code.to_string()),
        Err(rejected) => untold("no_code", format!("{id} 不能作为追溯码：{rejected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_codes() {
        let told =
            |id: &str| code(id, key(id).as_ref(), "https://trace.example").map_err(|no| no.code);
        for (id, wanted) in [
            ("https://trace.example/t/ABC", "ABC"),
            ("urn:epc:id:sgtin:4012345.011111.A1", "(01)04012345111118(21)A1"),
            ("https://id.gs1.org/01/04012345111118/10/L1", "(01)04012345111118(10)L1"),
            ("urn:epc:id:sscc:4012345.0000000001", "040123450000000019"),
            ("urn:uuid:1", "urn:uuid:1"),
        ] {
            let found = told(id).unwrap();
            if id.contains("sscc") {
                assert_eq!((found.len(), &found[..16]), (18, &wanted[..16]));
            } else {
                assert_eq!(found, wanted);
            }
        }
        assert_eq!(told("https://id.gs1.org/01/04012345111118"), Err("no_lot"));
        assert_eq!(told("https://a.example/中文"), Err("no_code"));
    }
}
