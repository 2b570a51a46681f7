//! What records have from others: fields that follow when the other is renamed, or merged into a
//! third (handbook §2.3.3). Every record changed so has its own version, history and announcement;
//! nobody reviews what follows from a change that was reviewed.

use serde_json::Value;

use crate::{
    Ctx, Entity, Field, Kind, Match, Problem, Resource, Result, Sql, Tx,
    entity::Difference,
    json::Object,
    record::{Change, columns, fetch, note},
    search, time_text,
};

/// Records read at once, and changed by one act at most.
const CHUNK: usize = 500;
const RECORDS_MAX: usize = 50_000;

/// Gives every record whose field holds a value other values in other fields; how many they were.
pub async fn derive<R: Resource>(
    ctx: &Ctx,
    tx: &mut Tx,
    (field, value): (&'static str, &str),
    values: &Object,
) -> Result<usize> {
    let asked = |sql: &mut Sql| {
        sql.push(field).push(" = ").bind(value);
    };
    rewrite(ctx, tx, Entity::of::<R>(), asked, |_| values.clone()).await
}

/// One record that gives way to another of its register.
pub struct Succession<'a> {
    /// Their register.
    pub table: &'static str,
    /// Whose things are handed over.
    pub from: &'a str,
    /// To whom.
    pub into: &'a str,
    /// What else those things have from whom they belong to, such as the region: fields that pass
    /// on and name no record.
    pub values: &'a Object,
}

impl Succession<'_> {
    /// Hands over what belongs to the one, in every register; how many records it was. Codes and
    /// everything else stay as they are.
    pub async fn hand_over(&self, ctx: &Ctx, tx: &mut Tx) -> Result<usize> {
        let mut count = 0;
        for entity in ctx.app().entities().iter().copied() {
            let owners: Vec<_> = entity.fields.iter().filter(|field| self.owns(field)).collect();
            if owners.is_empty() {
                continue;
            }
            let asked = |sql: &mut Sql| {
                for (at, owner) in owners.iter().enumerate() {
                    sql.push(if at == 0 { "(" } else { " OR " }).push(owner.name).push(" = ");
                    sql.bind(self.from);
                }
                sql.push(")");
            };
            let handed = rewrite(ctx, tx, entity, asked, |before| self.values_of(entity, before));
            count += handed.await.map_err(|problem| match problem {
                Problem::Duplicate(_) => Problem::Conflict(format!(
                    "两个主体名下的{}有相同的代码或编号，请先更正或删除其中之一再合并",
                    entity.title
                )),
                other => other,
            })?;
        }
        Ok(count)
    }

    /// Whether a field says to whom a record belongs.
    fn owns(&self, field: &Field) -> bool {
        field.passes_on && field.kind == Kind::Id(self.table)
    }

    /// What a record of the one has once it is the other's.
    fn values_of(&self, entity: &Entity, before: &Object) -> Object {
        let mut values = Object::new();
        for field in entity.fields.iter().filter(|field| field.passes_on) {
            let value = if self.owns(field) {
                let named = before.get(field.name).and_then(Value::as_str) == Some(self.from);
                named.then(|| Value::from(self.into))
            } else {
                self.values.get(field.name).cloned()
            };
            values.extend(value.map(|value| (String::from(field.name), value)));
        }
        values
    }
}

/// Changes every record that `asked` finds, in the order of identifiers.
async fn rewrite(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    asked: impl Fn(&mut Sql),
    values: impl Fn(&Object) -> Object,
) -> Result<usize> {
    let (mut count, mut last) = (0, String::new());
    loop {
        let mut sql = Sql::new("SELECT ");
        sql.push(&columns(entity)).push(" FROM ").push(entity.table).push(" WHERE ");
        asked(&mut sql);
        sql.push(" AND id > ").bind(last.as_str()).push(" ORDER BY id LIMIT ");
        sql.bind(i64::try_from(CHUNK).unwrap_or(i64::MAX));
        let found = fetch(ctx.app(), tx, entity, sql).await?;
        for before in &found {
            change(ctx, tx, entity, (before, &values(before))).await?;
            last = String::from(before.get("id").and_then(Value::as_str).unwrap_or_default());
        }
        count += found.len();
        if count > RECORDS_MAX {
            let detail = format!("由此变更的{}超过 {RECORDS_MAX} 条，不能一次完成", entity.title);
            return Err(Problem::TooLarge(detail));
        }
        if found.len() < CHUNK {
            return Ok(count);
        }
    }
}

async fn change(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (before, values): (&Object, &Object),
) -> Result<()> {
    let differs = |(name, value): (&String, &Value)| before.get(name) != Some(value);
    if !values.iter().any(differs) {
        return Ok(());
    }
    let id = before.get("id").and_then(Value::as_str).unwrap_or_default();
    let version = before.get("version").and_then(Value::as_i64).unwrap_or_default();
    let mut after = before.clone();
    let mut sql = Sql::new("UPDATE ");
    sql.push(entity.table).push(" SET version = version + 1, updated_at = ");
    sql.bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
    for (name, value) in values {
        let field = entity.field(name);
        let field = field.ok_or_else(|| Problem::internal(format!("no field {name}")))?;
        sql.push(", ").push(field.name).push(" = ").bind(field.encode(value)?);
        if field.filter == Match::Name {
            for (column, value) in search::columns(tx.dialect(), field, value) {
                sql.push(", ").push(&column).push(" = ").bind(value);
            }
        }
        after.insert(name.clone(), value.clone());
    }
    sql.push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Stale(entity.title));
    }
    after.insert(String::from("version"), (version + 1).into());
    after.insert(String::from("updated_at"), time_text(ctx.now_ms())?);
    after.insert(String::from("updated_by"), ctx.actor().into());
    let (old, new) = (Some(before), Some(&after));
    search::keep(tx, entity, id, (old, new));
    let written = Change { action: "updated", id, before: old, after: new, effective_on: None };
    note(ctx, tx, entity, written);
    entity.follow(ctx, tx, Difference { id, before: old, after: new }).await
}
