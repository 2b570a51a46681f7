//! Reading and writing single records. Every write is scoped, versioned, audited and announced in
//! the same transaction: there is no other way to write one.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use yj_model::Id;

use crate::{
    Ctx, DataClass, Entity, Problem, Resource, Result, Row, Scoping, Sql, Tx, audit,
    entity::to_object,
    field::{mask, time_text},
    json::{self, Object},
};

/// The columns every record has, before its own fields.
pub(crate) const HEADER: [&str; 6] =
    ["id", "version", "created_at", "created_by", "updated_at", "updated_by"];

/// A record with its identity.
#[derive(Debug, Clone)]
pub struct Stored<R> {
    /// Its identifier.
    pub id: Id<R>,
    /// Grows by one with every change; a change must name the version it is based on.
    pub version: i64,
    /// The record itself.
    pub data: R,
}

/// The columns of `entity`, header first.
pub(crate) fn columns(entity: &Entity) -> String {
    let fields = entity.fields.iter().map(|field| field.name);
    HEADER.into_iter().chain(fields).collect::<Vec<_>>().join(", ")
}

/// Reads a row selected with [`columns`], with everything in it.
pub(crate) fn read(entity: &Entity, row: &Row) -> Result<Object> {
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| object.insert(String::from(name), value);
    put("id", row.text(0)?.into());
    put("version", row.int(1)?.into());
    put("created_at", time_text(row.int(2)?)?);
    put("created_by", row.text(3)?.into());
    put("updated_at", time_text(row.int(4)?)?);
    put("updated_by", row.text(5)?.into());
    for (index, field) in entity.fields.iter().enumerate() {
        let value = field.decode(row.value(HEADER.len() + index)?);
        put(field.name, value.map_err(|error| located(entity, field.name, error))?);
    }
    Ok(object)
}

fn located(entity: &Entity, column: &str, error: Problem) -> Problem {
    match error {
        Problem::Internal(cause) => {
            Problem::internal(format!("table {} column {column}: {cause}", entity.table))
        }
        other => other,
    }
}

/// Hides 个人信息 from readers who may not see it.
pub(crate) fn veil(ctx: &Ctx, entity: &Entity, object: &mut Object) {
    if !ctx.allows(&entity.permission("personal")) {
        veil_always(entity, object);
    }
}

/// Hides 个人信息 from everybody: audit trail and announcements never hold it.
pub(crate) fn veil_always(entity: &Entity, object: &mut Object) {
    for field in entity.fields.iter().filter(|field| field.class == DataClass::Personal) {
        if let Some(Value::String(text)) = object.get_mut(field.name) {
            *text = mask(text);
        }
    }
}

/// What a client sends back unread stays as it is: a mask it was shown is not a new value.
pub(crate) fn unveil(entity: &Entity, stored: &Object, body: &mut Object) {
    for field in entity.fields.iter().filter(|field| field.class == DataClass::Personal) {
        let known = stored.get(field.name).and_then(Value::as_str);
        let (Some(known), Some(Value::String(sent))) = (known, body.get_mut(field.name)) else {
            continue;
        };
        if *sent == mask(known) {
            *sent = String::from(known);
        }
    }
}

/// Reads one record within the request's reach, whole.
pub(crate) async fn get(ctx: &Ctx, tx: &mut Tx, entity: &Entity, id: &str) -> Result<Object> {
    let mut sql = Sql::new("SELECT ");
    sql.push(&columns(entity)).push(" FROM ").push(entity.table).push(" WHERE id = ").bind(id);
    ctx.scope.narrow(&mut sql, entity.scoping);
    let row = tx.fetch_one(sql).await?;
    read(entity, &row.ok_or(Problem::NotFound(entity.title))?)
}

/// Writes a new record.
pub(crate) async fn insert(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    body: Object,
) -> Result<Object> {
    let body = entity.accept(body, tx).await?;
    let id = ctx.new_id::<()>().to_string();
    require_reach(ctx, entity, Some(&id), &body)?;
    let now = ctx.now_ms();
    let mut sql = Sql::new("INSERT INTO ");
    sql.push(entity.table).push(" (").push(&columns(entity)).push(") VALUES (");
    sql.bind(id.as_str()).push(", 1, ").bind(now).push(", ").bind(ctx.actor());
    sql.push(", ").bind(now).push(", ").bind(ctx.actor());
    for field in entity.fields {
        sql.push(", ").bind(field.encode(body.get(field.name).unwrap_or(&Value::Null))?);
    }
    sql.push(")");
    tx.execute(sql).await.map_err(|problem| already(entity, problem))?;
    let after = written(tx, entity, &id).await?;
    note(ctx, tx, entity, Change { action: "created", id: &id, before: None, after: Some(&after) });
    Ok(after)
}

/// Replaces the fields of a record, if it is still at `version`.
pub(crate) async fn update(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, version): (&str, i64),
    mut body: Object,
) -> Result<Object> {
    let before = get(ctx, tx, entity, id).await?;
    if before.get("version").and_then(Value::as_i64) != Some(version) {
        return Err(Problem::Stale(entity.title));
    }
    unveil(entity, &before, &mut body);
    let body = entity.accept(body, tx).await?;
    require_reach(ctx, entity, Some(id), &body)?;
    let mut sql = Sql::new("UPDATE ");
    sql.push(entity.table).push(" SET version = version + 1, updated_at = ");
    sql.bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
    for field in entity.fields {
        sql.push(", ").push(field.name).push(" = ");
        sql.bind(field.encode(body.get(field.name).unwrap_or(&Value::Null))?);
    }
    sql.push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
    if tx.execute(sql).await.map_err(|problem| already(entity, problem))? == 0 {
        return Err(Problem::Stale(entity.title));
    }
    let after = written(tx, entity, id).await?;
    let change = Change { action: "updated", id, before: Some(&before), after: Some(&after) };
    note(ctx, tx, entity, change);
    Ok(after)
}

/// The stored record with some fields replaced: what a `PATCH` asks for.
pub(crate) async fn merged(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    id: &str,
    changes: Object,
) -> Result<Object> {
    let mut body = get(ctx, tx, entity, id).await?;
    for name in HEADER {
        body.remove(name);
    }
    body.extend(changes);
    Ok(body)
}

/// Removes a record, if it is still at `version`. Its last state stays in the audit trail.
pub(crate) async fn remove(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (id, version): (&str, i64),
) -> Result<()> {
    let before = get(ctx, tx, entity, id).await?;
    let mut sql = Sql::new("DELETE FROM ");
    sql.push(entity.table).push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Stale(entity.title));
    }
    note(ctx, tx, entity, Change { action: "removed", id, before: Some(&before), after: None });
    Ok(())
}

/// A record just written; the write itself was within reach.
async fn written(tx: &mut Tx, entity: &Entity, id: &str) -> Result<Object> {
    let mut sql = Sql::new("SELECT ");
    sql.push(&columns(entity)).push(" FROM ").push(entity.table).push(" WHERE id = ").bind(id);
    let row = tx.fetch_one(sql).await?;
    read(entity, &row.ok_or_else(|| Problem::internal("a record just written is missing"))?)
}

fn already(entity: &Entity, problem: Problem) -> Problem {
    match problem {
        Problem::Duplicate(_) => {
            Problem::Duplicate(format!("{}已存在：代码或编号与已有记录重复", entity.title))
        }
        other => other,
    }
}

/// A record may not be made or moved where the request's right does not reach.
pub(crate) fn require_reach(
    ctx: &Ctx,
    entity: &Entity,
    id: Option<&str>,
    body: &Object,
) -> Result<()> {
    let Scoping::By { region, subject } = entity.scoping else { return Ok(()) };
    let text = |column: Option<&'static str>| match column {
        Some("id") => id,
        Some(name) => body.get(name).and_then(Value::as_str),
        None => None,
    };
    if ctx.scope.covers(text(region), text(subject)) {
        return Ok(());
    }
    let field = subject.filter(|name| *name != "id").or(region).unwrap_or("id");
    Err(Problem::invalid(field, "超出您的数据权限范围（区域或主体）"))
}

/// One change of one record.
struct Change<'a> {
    action: &'a str,
    id: &'a str,
    before: Option<&'a Object>,
    after: Option<&'a Object>,
}

/// Writes the audit entry and the announcement of one change.
fn note(ctx: &Ctx, tx: &mut Tx, entity: &Entity, change: Change<'_>) {
    let veiled = |object: Option<&Object>| {
        object.map(|object| {
            let mut copy = object.clone();
            veil_always(entity, &mut copy);
            copy
        })
    };
    let changes = differences(entity, change.before, change.after);
    let (before, after) = (veiled(change.before), veiled(change.after));
    let entry = audit::Entry {
        action: change.action,
        entity: entity.table,
        record: change.id,
        body: changes,
    };
    audit::write(ctx, tx, entry);
    let body = after.or(before).map_or(Value::Null, Value::Object);
    crate::outbox::announce(ctx, tx, (entity.table, change.action), change.id, &body);
}

/// The fields that differ, each as `[before, after]`; 个人信息 masked.
pub(crate) fn differences(
    entity: &Entity,
    before: Option<&Object>,
    after: Option<&Object>,
) -> Value {
    let side = |object: Option<&Object>, name: &str| {
        object.and_then(|object| object.get(name)).cloned().unwrap_or(Value::Null)
    };
    let differing = entity.fields.iter().filter_map(|field| {
        let (mut old, mut new) = (side(before, field.name), side(after, field.name));
        if old == new {
            return None;
        }
        if field.class == DataClass::Personal {
            for value in [&mut old, &mut new] {
                if let Value::String(text) = value {
                    *text = mask(text);
                }
            }
        }
        Some((String::from(field.name), json!([old, new])))
    });
    Value::Object(differing.collect())
}

/// The same operations for code that knows the type.
impl Tx {
    /// Reads one record within the request's reach.
    pub async fn get<R: Resource>(&mut self, ctx: &Ctx, id: Id<R>) -> Result<Stored<R>> {
        stored(get(ctx, self, Entity::of::<R>(), &id.to_string()).await?)
    }

    /// Writes a new record.
    pub async fn insert<R: Resource>(&mut self, ctx: &Ctx, data: &R) -> Result<Stored<R>> {
        stored(insert(ctx, self, Entity::of::<R>(), to_object(data)?).await?)
    }

    /// Replaces a record; fails if someone else changed it meanwhile.
    pub async fn update<R: Resource>(
        &mut self,
        ctx: &Ctx,
        record: &Stored<R>,
    ) -> Result<Stored<R>> {
        let at = (&*record.id.to_string(), record.version);
        stored(update(ctx, self, Entity::of::<R>(), at, to_object(&record.data)?).await?)
    }
}

fn stored<R: Resource>(mut object: Object) -> Result<Stored<R>> {
    fn take<T: DeserializeOwned>(object: &mut Object, key: &str) -> Result<T> {
        let value = object.remove(key).unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(Problem::internal)
    }
    let id = take(&mut object, "id")?;
    let version = take(&mut object, "version")?;
    for key in HEADER {
        object.remove(key);
    }
    Ok(Stored { id, version, data: json::typed(object.into()).map_err(Problem::internal)? })
}
