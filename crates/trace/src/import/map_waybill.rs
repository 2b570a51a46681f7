//! What an electronic waybill is as an event of the domain `dangerous` (docs/messages/waybill.md has
//! the table): one event per waybill; every later state corrects it.

use serde_json::Value;
use yj_kernel::{Ctx, Problem, Result, Tx};
use yj_message::waybill::{State, Waybill};
use yj_model::OffsetTime;

use super::{
    known::Known,
    telling::{Draft, Mentions, Scene},
};
use crate::{
    event::{Input, Output, TraceEvent},
    query,
};

pub(super) fn mentions(bill: &Waybill) -> Mentions {
    let others = [&bill.consignor_id, &bill.consignee_id];
    Mentions {
        door: "waybill",
        number: bill.waybill_no.clone(),
        party: ("carrier_id", bill.carrier_id.clone()),
        others: others.into_iter().flatten().cloned().collect(),
        objects: vec![bill.code.clone()],
        products: Vec::new(),
    }
}

const NAMES: &[(&str, &str)] = &[
    ("event_time", "state"),
    ("counterparty", "consignee_id"),
    ("inputs[0].quantity", "quantity"),
    ("inputs[0].unit", "unit"),
    ("inputs", "code"),
    ("outputs[0].quantity", "unloaded_quantity"),
    ("outputs", "arrived_code"),
];

/// Fields of the bill that are no attributes of the event.
const ELSEWHERE: [&str; 8] = [
    "carrier_id",
    "consignor_id",
    "consignee_id",
    "code",
    "arrived_code",
    "quantity",
    "unit",
    "unloaded_quantity",
];

pub(super) fn draft(bill: &Waybill, scene: &Scene<'_>) -> Draft {
    let mut event = TraceEvent {
        domain: String::from("dangerous"),
        kind: String::from("waybill"),
        subject: bill.carrier_id.clone(),
        event_time: time(bill, scene.ctx),
        external_id: Some(bill.waybill_no.clone()),
        ..TraceEvent::default()
    };
    let receiver = bill.consignee_id.as_ref().filter(|code| **code != bill.carrier_id);
    event.counterparty = receiver.filter(|code| scene.subjects.get(code).is_some()).cloned();
    event.inputs.push(Input {
        code: bill.code.clone(),
        quantity: Some(bill.quantity.clone()),
        unit: Some(bill.unit.clone()),
        external: !scene.objects.contains(&bill.code),
    });
    event.outputs.push(Output {
        code: bill.arrived_code.as_ref().unwrap_or(&bill.code).clone(),
        quantity: bill.unloaded_quantity.as_ref().unwrap_or(&bill.quantity).clone(),
        unit: bill.unit.clone(),
        product: None,
        lot: None,
    });
    for (name, text) in bill.flat(0).fields {
        if !ELSEWHERE.contains(&name.as_str()) {
            let value = match name.as_str() {
                "city_delivery" => Value::Bool(text == "true"),
                _ => Value::from(text),
            };
            event.attributes.insert(name, value);
        }
    }
    Draft { events: vec![event], names: NAMES }
}

/// When what the state says happened: a plan or its end is of now.
fn time(bill: &Waybill, ctx: &Ctx) -> String {
    match (bill.state(), &bill.arrive_at) {
        (State::Arrived, Some(arrived)) => arrived.clone(),
        (State::Moving, _) => bill.depart_at.clone(),
        _ => OffsetTime::beijing(ctx.now).to_string(),
    }
}

/// Differences that a refusal names.
const DIFFERENCES_MAX: usize = 5;

/// Why a bill is refused whose state was registered before with another content: what was registered, and
/// what is said now.
pub(super) async fn said_twice(
    ctx: &Ctx,
    tx: &mut Tx,
    (known, bill): (&Known, &Waybill),
    draft: &Draft,
) -> Result<Problem> {
    let stored = query::one(ctx, tx, &known.event).await?;
    let now = draft.events.first().map(serde_json::to_value).transpose();
    let now = now.map_err(Problem::internal)?.unwrap_or_default();
    let text = |value: &Value| match value {
        Value::Null => String::from("空"),
        Value::String(text) => OffsetTime::text_in_words(text),
        other => other.to_string(),
    };
    let mut differences = Vec::new();
    let mut compare = |label: &str, (before, after): (&Value, &Value)| {
        if text(before) != text(after) {
            differences.push(format!("{label}已登记为 {}，本次为 {}", text(before), text(after)));
        }
    };
    for (name, label) in LABELS {
        compare(label, (&stored.body["attributes"][*name], &now["attributes"][*name]));
    }
    for (side, label) in [("inputs", "装载数量"), ("outputs", "卸载数量")] {
        let amount = |event: &Value| event[side][0]["quantity"].clone();
        compare(label, (&amount(&stored.body), &amount(&now)));
    }
    differences.truncate(DIFFERENCES_MAX);
    let differences = match differences.as_slice() {
        [] => String::from("内容有所不同"),
        some => some.join("；"),
    };
    let detail = format!(
        "运单 {} 已登记为“{}”，再次报送的内容与已登记的不同：{differences}。同一状态只登记一次，\
         更正请对已登记的事件办理",
        bill.waybill_no,
        bill.state().label()
    );
    Ok(Problem::invalid("state", detail))
}

/// What a bill says that is about nobody, by the fields of the event.
const LABELS: &[(&str, &str)] = &[
    ("load_at", "装货时间"),
    ("depart_at", "起运时间"),
    ("arrive_at", "到达时间"),
    ("unload_at", "卸货时间"),
    ("vehicle_no", "车牌号"),
    ("un_no", "联合国编号"),
    ("load_place", "装货地点"),
    ("unload_place", "卸货地点"),
];
