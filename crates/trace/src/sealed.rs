//! 个人信息 and 商业秘密 in the attributes of events: sealed under a key of the event's own, left out of
//! lists, publications and the ledger. 个人信息 is shown for a reason only, 商业秘密 such as prices to
//! whoever reads the event and is cleared for 敏感 (G-10.4).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use yj_crypto::to_hex;
use yj_domain::{EventSpec, FieldClass, FieldSpec};
use yj_kernel::{Ctx, Problem, Purpose, Result, Tx, Vault, audit, vault};

use crate::{event::Checked, query, store::StoredEvent};

const PLACE: &str = "trace_event.body";

fn classed(spec: &EventSpec) -> impl Iterator<Item = &FieldSpec> {
    spec.fields.iter().filter(|field| field.class.is_some())
}

/// Seals the attributes that have a class, of an event about to be written.
pub(crate) fn seal(
    ctx: &Ctx,
    tx: &mut Tx,
    spec: &EventSpec,
    (uid, body): (&str, &mut Value),
) -> Result<()> {
    let Some(attributes) = body["attributes"].as_object_mut() else { return Ok(()) };
    let mut key = None;
    for field in classed(spec) {
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

/// Opens them again.
pub(crate) async fn open(ctx: &Ctx, tx: &mut Tx, event: &mut StoredEvent) -> Result<()> {
    let all = [FieldClass::Personal, FieldClass::Sensitive];
    open_those(ctx, tx, event, &all).await.map(drop)
}

/// Opens those of some classes, and returns them.
async fn open_those(
    ctx: &Ctx,
    tx: &mut Tx,
    event: &mut StoredEvent,
    classes: &[FieldClass],
) -> Result<Map<String, Value>> {
    let mut opened = Map::new();
    let Some(spec) = event.spec.clone() else { return Ok(opened) };
    if classes.iter().all(|class| present(event, *class).is_empty()) {
        return Ok(opened);
    }
    let uid = event.uid.clone();
    let key = vault::data_keys(ctx.app(), tx, &[&uid]).await?.remove(&uid);
    let (Some(key), Some(attributes)) = (key, event.body["attributes"].as_object_mut()) else {
        return Ok(opened);
    };
    for field in
        classed(&spec).filter(|field| field.class.is_some_and(|one| classes.contains(&one)))
    {
        let Some(Value::String(sealed)) = attributes.get(&field.name) else { continue };
        let text = key.open((PLACE, &uid), sealed)?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        attributes.insert(field.name.clone(), value.clone());
        opened.insert(field.name.clone(), value);
    }
    Ok(opened)
}

/// Names of the attributes of a class that an event holds.
pub(crate) fn present(event: &StoredEvent, class: FieldClass) -> Vec<String> {
    let Some(spec) = &event.spec else { return Vec::new() };
    let of = classed(spec).filter(|field| field.class == Some(class));
    let held = |field: &&FieldSpec| !event.body["attributes"][&field.name].is_null();
    of.filter(held).map(|field| field.name.clone()).collect()
}

/// The 商业秘密 of an event as a reader may know it.
pub(crate) enum Secrets {
    /// Those who are cleared for it.
    Shown(Map<String, Value>),
    /// Those who are not.
    Hidden,
    /// Nobody: what is stored was not sealed so.
    Damaged,
}

pub(crate) async fn secrets(ctx: &Ctx, tx: &mut Tx, event: &StoredEvent) -> Result<Secrets> {
    if !event.is_open(ctx.scope()) {
        return Ok(Secrets::Hidden);
    }
    match open_those(ctx, tx, &mut event.clone(), &[FieldClass::Sensitive]).await {
        Ok(shown) => Ok(Secrets::Shown(shown)),
        Err(problem @ Problem::Internal(_)) => {
            problem.log();
            Ok(Secrets::Damaged)
        }
        Err(problem) => Err(problem),
    }
}

/// What an event is known again by in place of its attributes that have a class: a value that nobody can
/// find by trying who has not the platform's key.
pub(crate) fn blinded(
    vault: &Vault,
    spec: &EventSpec,
    attributes: &Value,
) -> Result<BTreeMap<String, String>> {
    let held = classed(spec).filter(|field| !attributes[&field.name].is_null());
    let blind = |field: &FieldSpec| {
        let said = attributes[&field.name].to_string();
        let parts = [PLACE.as_bytes(), field.name.as_bytes(), said.as_bytes()];
        Ok((field.name.clone(), to_hex(&vault.mac(Purpose::Blind, &parts)?)))
    };
    held.map(blind).collect()
}

/// Refuses what may not come by this door, or of this sender: what a device signed is a part of its proof,
/// as it came; and who is not cleared for 商业秘密 would learn by trying what others wrote.
pub(crate) fn require_may_say(
    event: &Checked,
    is_device: bool,
    is_cleared: impl Fn() -> bool,
) -> Result<()> {
    let said = |field: &&FieldSpec| !event.body["attributes"][&field.name].is_null();
    for field in classed(&event.spec).filter(said) {
        let detail = match field.class {
            _ if is_device => {
                "设备消息的原文是其证明的一部分，不能载个人信息与商业秘密，请由接口或表单登记"
            }
            Some(FieldClass::Sensitive) if !is_cleared() => {
                "是商业秘密，您在此处的许可密级低于“敏感”，不能填写"
            }
            _ => continue,
        };
        let detail = format!("{}：{detail}", field.label);
        return Err(Problem::invalid(format!("attributes.{}", field.name), detail));
    }
    Ok(())
}

/// 揭示: the personal attributes of one event in clear, for a reason that the audit trail keeps.
pub(crate) async fn reveal(
    ctx: &Ctx,
    tx: &mut Tx,
    (uid, reason): (&str, &str),
) -> Result<Map<String, Value>> {
    yj_kernel::require_reveals_left(ctx, tx).await?;
    let mut event = query::one(ctx, tx, uid).await?;
    let opened = open_those(ctx, tx, &mut event, &[FieldClass::Personal]).await?;
    let names: Vec<_> = opened.keys().collect();
    let body = json!({ "fields": names, "reason": reason });
    let entry = audit::Entry { action: "revealed", entity: "trace_event", record: uid, body };
    audit::write(ctx, tx, entry);
    Ok(opened)
}
