//! Reading and writing single records. Every write is scoped, versioned, audited and announced in
//! the same transaction: there is no other way to write one.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use yj_model::Id;

use crate::{
    App, Ctx, DataClass, Doubled, Entity, Field, FieldError, Problem, Resource, Result, Row,
    Scoping, Sql, SqlValue, Tx, area, audit,
    entity::{Difference, to_object},
    field::{mask, time_text},
    json::{self, Object},
    past,
    scope::place_of,
    search,
    vault::{self, DataKey},
};

/// The columns every record has, before its own fields.
pub(crate) const HEADER: [&str; 7] =
    ["id", "version", "created_at", "created_by", "updated_at", "updated_by", "label"];

/// In the trail, from which day a change holds; no field is called so.
pub(crate) const EFFECTIVE_ON: &str = "_effective_on";

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

/// The records that a statement over [`columns`] finds, whole and with 个人信息 opened.
pub(crate) async fn fetch(
    app: &App,
    tx: &mut Tx,
    entity: &Entity,
    sql: Sql,
) -> Result<Vec<Object>> {
    let rows = tx.fetch(sql).await?;
    let mut objects = rows.iter().map(|row| read(entity, row)).collect::<Result<Vec<_>>>()?;
    unseal(app, tx, entity, &mut objects).await?;
    Ok(objects)
}

async fn fetch_one(app: &App, tx: &mut Tx, entity: &Entity, sql: Sql) -> Result<Option<Object>> {
    Ok(fetch(app, tx, entity, sql).await?.pop())
}

pub(crate) fn personal(entity: &Entity) -> impl Iterator<Item = &'static Field> {
    entity.fields.iter().filter(|field| field.class == DataClass::Personal)
}

/// Opens the sealed fields of records just read.
async fn unseal(app: &App, tx: &mut Tx, entity: &Entity, objects: &mut [Object]) -> Result<()> {
    if personal(entity).next().is_none() || objects.is_empty() {
        return Ok(());
    }
    let owners: Vec<String> = objects.iter().map(identity).collect();
    let names: Vec<_> = owners.iter().map(String::as_str).collect();
    let keys = vault::data_keys(app, tx, &names).await?;
    for (object, owner) in objects.iter_mut().zip(&owners) {
        for field in personal(entity) {
            let Some(Value::String(text)) = object.get_mut(field.name) else { continue };
            let key = keys.get(owner).ok_or_else(|| {
                Problem::internal(format!("{} {owner} has no data key", entity.table))
            })?;
            *text = key.open((&place(entity, field), owner), text)?;
        }
    }
    Ok(())
}

fn identity(object: &Object) -> String {
    String::from(object.get("id").and_then(Value::as_str).unwrap_or_default())
}

/// Where a sealed field belongs.
fn place(entity: &Entity, field: &Field) -> String {
    format!("{}.{}", entity.table, field.name)
}

/// The columns that a record's fields fill, with their values: personal ones sealed, and their
/// blind indexes where lists are narrowed by them.
pub(crate) async fn encoded(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (owner, is_new): (&str, bool),
    body: &Object,
) -> Result<Vec<(String, SqlValue)>> {
    let key = match personal(entity).next() {
        None => None,
        Some(_) if is_new => Some(vault::fresh_data_key(ctx, tx, owner)?),
        Some(_) => Some(vault::data_key(ctx, tx, owner).await?),
    };
    let mut columns = Vec::with_capacity(entity.fields.len() + 2);
    for field in entity.fields {
        let value = field.encode(body.get(field.name).unwrap_or(&Value::Null))?;
        match (&key, field.class, &value) {
            (Some(key), DataClass::Personal, SqlValue::Text(plain)) => {
                if field.filter != crate::Match::Never {
                    let index = ctx.app().vault().blind(&place(entity, field), plain)?;
                    columns.push((blind_column(field), index.into()));
                }
                let sealed = key.seal(ctx, (&place(entity, field), owner), plain)?;
                columns.push((String::from(field.name), sealed.into()));
            }
            (_, DataClass::Personal, _) => {
                if field.filter != crate::Match::Never {
                    columns.push((blind_column(field), SqlValue::Null));
                }
                columns.push((String::from(field.name), SqlValue::Null));
            }
            _ => columns.push((String::from(field.name), value)),
        }
        if field.filter == crate::Match::Name {
            let value = body.get(field.name).unwrap_or(&Value::Null);
            columns.extend(search::columns(tx.dialect(), field, value));
        }
    }
    if area::placed(entity) {
        columns.extend(area::COLUMNS.map(String::from).into_iter().zip(area::stored(body)));
    }
    Ok(columns)
}

/// The column that lists are narrowed by, for a personal field.
pub(crate) fn blind_column(field: &Field) -> String {
    format!("{}_blind", field.name)
}

/// What [`blind_column`] holds for a value.
pub(crate) fn blind_value(app: &App, entity: &Entity, field: &Field, text: &str) -> Result<String> {
    app.vault().blind(&place(entity, field), text)
}

/// Seals the personal fields of a body that waits for review, under the request's own key.
pub(crate) async fn seal_body(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    (owner, is_new): (&str, bool),
    body: &Object,
) -> Result<Object> {
    let mut sealed = body.clone();
    if personal(entity).next().is_none() {
        return Ok(sealed);
    }
    let key = if is_new {
        vault::fresh_data_key(ctx, tx, owner)?
    } else {
        vault::data_key(ctx, tx, owner).await?
    };
    for field in personal(entity) {
        if let Some(Value::String(text)) = sealed.get_mut(field.name) {
            *text = key.seal(ctx, (&place(entity, field), owner), text)?;
        }
    }
    Ok(sealed)
}

/// Opens what [`seal_body`] sealed.
pub(crate) fn open_body(
    entity: &Entity,
    (owner, key): (&str, Option<&DataKey>),
    body: &mut Object,
) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    for field in personal(entity) {
        if let Some(Value::String(text)) = body.get_mut(field.name) {
            *text = key.open((&place(entity, field), owner), text)?;
        }
    }
    Ok(())
}

/// Reads a row selected with [`columns`], with everything in it; personal fields still sealed.
fn read(entity: &Entity, row: &Row) -> Result<Object> {
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| object.insert(String::from(name), value);
    put("id", row.text(0)?.into());
    put("version", row.int(1)?.into());
    put("created_at", time_text(row.int(2)?)?);
    put("created_by", row.text(3)?.into());
    put("updated_at", time_text(row.int(4)?)?);
    put("updated_by", row.text(5)?.into());
    put("label", row.int(6)?.into());
    for (index, field) in entity.fields.iter().enumerate() {
        let value = field.decode(row.cell(HEADER.len() + index)?);
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

/// Masks 个人信息 and takes out what is above the reader's clearance.
pub(crate) fn veil(ctx: &Ctx, entity: &Entity, object: &mut Object) {
    veil_always(entity, object);
    for field in hidden(ctx, entity) {
        object.remove(field.name);
    }
}

/// Takes the fields above the reader's clearance out of a list of changes.
pub(crate) fn conceal(ctx: &Ctx, entity: &Entity, changes: &mut Value) {
    if let Value::Object(changes) = changes {
        for field in hidden(ctx, entity) {
            changes.remove(field.name);
        }
    }
}

/// Fields above the clearance of the request.
pub(crate) fn hidden(ctx: &Ctx, entity: &Entity) -> impl Iterator<Item = &'static Field> {
    let clearance = ctx.scope.clearance();
    let above =
        move |field: &&Field| field.class == DataClass::Sensitive && clearance < field.class;
    entity.fields.iter().filter(above)
}

/// Hides 个人信息 from everybody: audit trail and announcements never hold it.
pub fn veil_always(entity: &Entity, object: &mut Object) {
    for field in personal(entity) {
        if let Some(Value::String(text)) = object.get_mut(field.name)
            && text != vault::ERASED
        {
            *text = mask(text);
        }
    }
}

/// What a client sends back unread stays as it is: a mask it was shown is not a new value, and
/// what it was not shown it cannot have cleared.
pub(crate) fn unveil(ctx: &Ctx, entity: &Entity, stored: &Object, body: &mut Object) {
    for field in hidden(ctx, entity) {
        if let Some(known) = stored.get(field.name) {
            body.insert(String::from(field.name), known.clone());
        }
    }
    for field in personal(entity) {
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
    ctx.scope.narrow(&mut sql, tx, entity.scoping);
    fetch_one(&ctx.app, tx, entity, sql).await?.ok_or(Problem::NotFound(entity.title))
}

/// Writes a new record.
pub(crate) async fn insert(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    body: Object,
) -> Result<Object> {
    let body = entity.accept((entity.dated(body, ctx), None), ctx, tx).await?;
    let id = ctx.new_id::<()>().to_string();
    require_reach(ctx, entity, Some(&id), &body)?;
    let now = ctx.now_ms();
    let fields = encoded(ctx, tx, entity, (&id, true), &body).await?;
    let names = HEADER.into_iter().chain(fields.iter().map(|(name, _)| name.as_str()));
    let mut sql = Sql::new("INSERT INTO ");
    sql.push(entity.table).push(" (").push(&names.collect::<Vec<_>>().join(", "));
    sql.push(") VALUES (");
    sql.bind(id.as_str()).push(", 1, ").bind(now).push(", ").bind(ctx.actor());
    sql.push(", ").bind(now).push(", ").bind(ctx.actor());
    sql.push(", ").bind(DataClass::Internal.level());
    for (_, value) in fields {
        sql.push(", ").bind(value);
    }
    sql.push(")");
    tx.execute(sql).await.map_err(|problem| already(entity, problem))?;
    let after = written(ctx, tx, entity, &id).await?;
    search::keep(tx, entity, &id, (None, Some(&after)));
    note(
        ctx,
        tx,
        entity,
        Change {
            action: "created",
            id: &id,
            before: None,
            after: Some(&after),
            effective_on: None,
        },
    );
    let difference = Difference { id: &id, before: None, after: Some(&after) };
    entity.follow(ctx, tx, difference).await?;
    Ok(after)
}

/// A change of one record.
pub(crate) struct Update<'a> {
    /// Which record, and the version the change was made from.
    pub(crate) at: (&'a str, i64),
    /// All fields, as they shall be.
    pub(crate) body: Object,
    /// From which day it holds, if not from the one it is written on.
    pub(crate) effective_on: Option<&'a str>,
}

/// Replaces the fields of a record, if it is still at the version named.
pub(crate) async fn update(
    ctx: &Ctx,
    tx: &mut Tx,
    entity: &Entity,
    Update { at: (id, version), mut body, effective_on }: Update<'_>,
) -> Result<Object> {
    let before = get(ctx, tx, entity, id).await?;
    past::require_day(ctx, &before, effective_on)?;
    unveil(ctx, entity, &before, &mut body);
    require_version(ctx, entity, version, (&before, &body))?;
    let body = entity.accept((body, Some(&before)), ctx, tx).await?;
    require_reach(ctx, entity, Some(id), &body)?;
    let mut sql = Sql::new("UPDATE ");
    sql.push(entity.table).push(" SET version = version + 1, updated_at = ");
    sql.bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
    for (name, value) in encoded(ctx, tx, entity, (id, false), &body).await? {
        sql.push(", ").push(&name).push(" = ").bind(value);
    }
    sql.push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
    if tx.execute(sql).await.map_err(|problem| already(entity, problem))? == 0 {
        return Err(Problem::Stale(entity.title));
    }
    let after = written(ctx, tx, entity, id).await?;
    search::keep(tx, entity, id, (Some(&before), Some(&after)));
    let (old, new) = (Some(&before), Some(&after));
    let change = Change { action: "updated", id, before: old, after: new, effective_on };
    note(ctx, tx, entity, change);
    let difference = Difference { id, before: Some(&before), after: Some(&after) };
    entity.follow(ctx, tx, difference).await?;
    Ok(after)
}

/// Refuses a change made from an older version, and says where the record now differs from it.
pub(crate) fn require_version(
    ctx: &Ctx,
    entity: &Entity,
    version: i64,
    (stored, body): (&Object, &Object),
) -> Result<()> {
    let current = stored.get("version").and_then(Value::as_i64).unwrap_or_default();
    if current == version {
        return Ok(());
    }
    let mut differing = differences(entity, Some(stored), Some(body));
    conceal(ctx, entity, &mut differing);
    let shown = |field: &Field, value: &Value| {
        let text = field.display(value);
        if text.is_empty() { String::from("空") } else { format!("“{text}”") }
    };
    let told = entity.fields.iter().filter(|field| !field.computed).filter_map(|field| {
        let pair = differing.get(field.name)?;
        let (now, yours) = (shown(field, &pair[0]), shown(field, &pair[1]));
        let detail = format!("{}：现为{now}，您提交的是{yours}", field.label);
        Some(FieldError { field: String::from(field.name), detail })
    });
    Err(Problem::Overtaken { title: entity.title, version: current, differing: told.collect() })
}

/// A stored record with some fields replaced: what a `PATCH` asks for.
pub(crate) fn merged(stored: &Object, changes: Object) -> Object {
    let mut body = stored.clone();
    for name in HEADER {
        body.remove(name);
    }
    body.extend(changes);
    body
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
    search::keep(tx, entity, id, (Some(&before), None));
    note(
        ctx,
        tx,
        entity,
        Change { action: "removed", id, before: Some(&before), after: None, effective_on: None },
    );
    entity.follow(ctx, tx, Difference { id, before: Some(&before), after: None }).await
}

/// A record just written; the write itself was within reach.
pub(crate) async fn written(ctx: &Ctx, tx: &mut Tx, entity: &Entity, id: &str) -> Result<Object> {
    let mut sql = Sql::new("SELECT ");
    sql.push(&columns(entity)).push(" FROM ").push(entity.table).push(" WHERE id = ").bind(id);
    let found = fetch_one(&ctx.app, tx, entity, sql).await?;
    found.ok_or_else(|| Problem::internal("a record just written is missing"))
}

fn already(entity: &Entity, problem: Problem) -> Problem {
    match problem {
        Problem::Duplicate(doubled) => {
            // Of several columns the last tells it from the others that share the first.
            let named = |name: &str| entity.fields.iter().find(|field| field.name == name);
            let known = |column: &String| {
                let field = named(column)?;
                field.made_of.map_or(Some(field), named).filter(|field| !field.computed)
            };
            let field = doubled.columns.iter().rev().find_map(known);
            let label = field.map_or("代码或编号", |field| field.label);
            let detail = format!("{}已存在：{label}与已有记录重复", entity.title);
            Problem::Duplicate(match field {
                Some(field) => Doubled::at(field.name, detail),
                None => Doubled::from(detail),
            })
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
    let Scoping::By(columns) = entity.scoping else { return Ok(()) };
    if ctx.scope.covers(&columns, &place_of(&columns, id, body).place()) {
        return Ok(());
    }
    let subject = columns.subject.filter(|name| *name != "id");
    let field = subject.or(columns.region).or(columns.organization).unwrap_or("id");
    Err(Problem::invalid(field, "超出您的数据权限范围（区域、机构、品类、环节或密级）"))
}

/// One change of one record.
pub(crate) struct Change<'a> {
    pub(crate) action: &'a str,
    pub(crate) id: &'a str,
    pub(crate) before: Option<&'a Object>,
    pub(crate) after: Option<&'a Object>,
    pub(crate) effective_on: Option<&'a str>,
}

/// Writes the audit entry and the announcement of one change.
pub(crate) fn note(ctx: &Ctx, tx: &mut Tx, entity: &Entity, change: Change<'_>) {
    let veiled = |object: Option<&Object>| {
        object.map(|object| {
            let mut copy = object.clone();
            veil_always(entity, &mut copy);
            copy
        })
    };
    let mut changes = differences(entity, change.before, change.after);
    if let (Some(day), Value::Object(changes)) = (change.effective_on, &mut changes) {
        changes.insert(String::from(EFFECTIVE_ON), day.into());
    }
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
        let (id, body) = (record.id.to_string(), to_object(&record.data)?);
        let change = Update { at: (&id, record.version), body, effective_on: None };
        stored(update(ctx, self, Entity::of::<R>(), change).await?)
    }
}

/// A stored object as its type.
pub(crate) fn typed<R: Resource>(mut object: Object) -> Result<R> {
    for key in HEADER {
        object.remove(key);
    }
    json::typed(object.into()).map_err(Problem::internal)
}

fn stored<R: Resource>(mut object: Object) -> Result<Stored<R>> {
    fn take<T: DeserializeOwned>(object: &mut Object, key: &str) -> Result<T> {
        let value = object.remove(key).unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(Problem::internal)
    }
    let id = take(&mut object, "id")?;
    let version = take(&mut object, "version")?;
    Ok(Stored { id, version, data: typed(object)? })
}
