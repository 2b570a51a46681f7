//! 个人信息 in the attributes of events: sealed under a key of the event's own, left out of lists,
//! publications and the ledger, shown only for a reason.

use serde_json::{Map, Value, json};
use yj_domain::{EventSpec, FieldSpec};
use yj_kernel::{Ctx, Result, Tx, audit, vault};

use crate::{query, store::StoredEvent};

const PLACE: &str = "trace_event.body";

fn personal(spec: &EventSpec) -> impl Iterator<Item = &FieldSpec> {
    spec.fields.iter().filter(|field| field.is_personal())
}

/// Seals the personal attributes of an event about to be written.
pub(crate) fn seal(
    ctx: &Ctx,
    tx: &mut Tx,
    spec: &EventSpec,
    (uid, body): (&str, &mut Value),
) -> Result<()> {
    let Some(attributes) = body["attributes"].as_object_mut() else { return Ok(()) };
    let mut key = None;
    for field in personal(spec) {
        let Some(value) = attributes.get_mut(&field.name).filter(|value| !value.is_null()) else {
            continue;
        };
        let key = match &key {
            Some(key) => key,
            None => key.insert(vault::fresh_data_key(ctx, tx, uid)?),
        };
        *value = Value::from(key.seal(ctx, (PLACE, uid), &value.to_string())?);
    }
    Ok(())
}

/// Opens them again, and returns them.
pub(crate) async fn open(
    ctx: &Ctx,
    tx: &mut Tx,
    event: &mut StoredEvent,
) -> Result<Map<String, Value>> {
    let mut opened = Map::new();
    let Some(spec) = event.spec.clone() else { return Ok(opened) };
    if personal(&spec).next().is_none() {
        return Ok(opened);
    }
    let uid = event.uid.clone();
    let key = vault::data_keys(ctx.app(), tx, &[&uid]).await?.remove(&uid);
    let (Some(key), Some(attributes)) = (key, event.body["attributes"].as_object_mut()) else {
        return Ok(opened);
    };
    for field in personal(&spec) {
        let Some(Value::String(sealed)) = attributes.get(&field.name) else { continue };
        let text = key.open((PLACE, &uid), sealed)?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        attributes.insert(field.name.clone(), value.clone());
        opened.insert(field.name.clone(), value);
    }
    Ok(opened)
}

/// Names of the personal attributes that an event holds.
pub(crate) fn present(event: &StoredEvent) -> Vec<&str> {
    let Some(spec) = &event.spec else { return Vec::new() };
    let held = |field: &&FieldSpec| !event.body["attributes"][&field.name].is_null();
    personal(spec).filter(held).map(|field| field.name.as_str()).collect()
}

/// 揭示: the personal attributes of one event in clear, for a reason that the audit trail keeps.
pub(crate) async fn reveal(
    ctx: &Ctx,
    tx: &mut Tx,
    (uid, reason): (&str, &str),
) -> Result<Map<String, Value>> {
    yj_kernel::require_reveals_left(ctx, tx).await?;
    let mut event = query::one(ctx, tx, uid).await?;
    let opened = open(ctx, tx, &mut event).await?;
    let names: Vec<_> = opened.keys().collect();
    let body = json!({ "fields": names, "reason": reason });
    let entry = audit::Entry { action: "revealed", entity: "trace_event", record: uid, body };
    audit::write(ctx, tx, entry);
    Ok(opened)
}
