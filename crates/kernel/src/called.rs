//! What records that others refer to are called.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Ctx, DataClass, Entity, Field, Kind, Result, Sql, Tx, json::Object};

/// By which field the records of a register are called: the wanted one, or, where a name is wanted that
/// they do not have, the text that they are known by, such as a device's address.
fn calls(entity: &Entity, wanted: &'static str) -> Option<&'static str> {
    if entity.field(wanted).is_some() {
        return Some(wanted);
    }
    let plain =
        |field: &&Field| matches!(field.kind, Kind::Text) && field.class != DataClass::Personal;
    let known_by = entity.fields.first().filter(plain).map(|field| field.name);
    known_by.filter(|_| wanted == "name")
}

/// What the records that others refer to are called, by `name` or `code`, as far as the reader may
/// know: identifier → text.
pub(crate) async fn called(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (items, by): (&[Object], &'static str),
) -> Result<Object> {
    let mut names = Object::new();
    for field in entity.fields {
        let Kind::Id(table) = field.kind else { continue };
        let known = ctx.app().entities().iter().find(|one| one.table == table);
        let Some((target, by)) = known.and_then(|one| Some((one, calls(one, by)?))) else {
            continue;
        };
        let Ok(ctx) = ctx.under(&target.permission("read")) else { continue };
        let ids = items.iter().filter_map(|item| item.get(field.name)?.as_str());
        let ids: BTreeSet<&str> = ids.collect();
        if ids.is_empty() {
            continue;
        }
        let mut sql = Sql::new("SELECT id, ");
        sql.push(by).push(" FROM ").push(target.table);
        sql.push(" WHERE id ").bind_texts(ids.iter().copied());
        ctx.scope().narrow(&mut sql, tx, target.scoping);
        for row in tx.fetch(sql).await? {
            names.insert(String::from(row.text(0)?), Value::from(row.text(1)?));
        }
    }
    Ok(names)
}
