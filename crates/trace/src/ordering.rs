//! Making and lifting orders over trace objects: the whole downstream closure in one transaction, under
//! the same locks that capture takes. What is made of them later falls under the order as it is made
//! (see [`crate::hold::inherited`]).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_crypto::sm3;
use yj_kernel::{
    ActorKind, Ctx, Place, Problem, Result, Scope, Sql, SqlValue, Stored, Tx, insert_rows, outbox,
    sound_reason, time_text,
};
use yj_ledger::Pending;
use yj_model::Id;
use yj_proof::Envelope;
use yj_subject::SubjectBrief;

use crate::{
    balance::{Object, Objects},
    closure,
    hold::Under,
    order::{ORDER_COLUMNS, OrderKind, TraceOrder},
    store, unpacked,
};

/// Subjects named in an announcement; it says how many there are.
const NAMED_MAX: usize = 1_000;
/// Looks at the closure until nothing new turns up; each look locks what the one before found.
const LOOKS_MAX: usize = 16;

/// An order that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder<'a> {
    /// 追溯码
    pub code: &'a str,
    /// 管控措施
    pub kind: OrderKind,
    /// Whether it extends to everything made of it.
    pub downstream: bool,
    /// 原因, 2 to 500 letters.
    pub reason: &'a str,
    /// 文号; an authority must give one.
    pub document_no: Option<&'a str>,
    /// 决定机关; absent for the platform's operator. A subject orders in its own name.
    pub authority: Option<&'a str>,
    /// The event it follows from by itself.
    pub basis: Option<&'a str>,
}

/// What an order covers, or would.
pub(crate) struct Covered {
    pub(crate) object: Object,
    pub(crate) holder: SubjectBrief,
    pub(crate) ids: BTreeSet<i64>,
    /// Identifiers of the subjects that hold them.
    pub(crate) subjects: Vec<String>,
}

/// Whether who asks acts for an authority over what lies in a region: some limit of theirs reaches there,
/// and is not one over their own organisations. Being one elsewhere, or in one's own house alone, is not
/// enough.
fn is_authority(ctx: &Ctx, region: &str) -> bool {
    ctx.scope().limits().iter().any(|limit| {
        limit.organization.is_none()
            && limit.region.as_ref().is_none_or(|within| within.covers(region))
    })
}

/// The identifiers of the subjects that somebody answers for.
fn own_subjects(scope: &Scope) -> BTreeSet<String> {
    let within = scope.limits().iter().filter_map(|limit| limit.organization.as_ref());
    within.flat_map(|within| within.subjects.iter().cloned()).collect()
}

/// Finds what an order would cover. With `lock`, nobody uses any of it up before the transaction ends.
pub(crate) async fn cover(
    ctx: &Ctx,
    tx: &mut Tx,
    (code, kind, downstream): (&str, OrderKind, bool),
    lock: bool,
) -> Result<Covered> {
    let missing = || Problem::NotFound("追溯码");
    let object = store::read_object(tx, code).await?.ok_or_else(missing)?;
    let root = object.id.ok_or_else(|| Problem::internal("a stored object without id"))?;
    let holder = whoever_orders(ctx, tx, (&object, root), (code, kind)).await?;
    let holder = holder.ok_or_else(missing)?;
    let mut ids = BTreeSet::new();
    for _ in 0..LOOKS_MAX {
        let found =
            // What lies in a package cannot be stopped while the package goes on.
            if downstream {
                closure::downstream(tx, root).await?
            } else {
                unpacked::packages_around(tx, root).await?
            };
        let settled = found == ids;
        ids = found;
        if settled || !lock {
            break;
        }
        lock_objects(tx, &ids).await?;
    }
    let mut last = Sql::new("SELECT id, subject_id FROM trace_object WHERE id ");
    last.bind_ints(ids.iter().copied());
    let mut parts = Sql::new("SELECT object_id, subject_id FROM trace_holding WHERE object_id ");
    parts.bind_ints(ids.iter().copied());
    let rows = tx.fetch_all(vec![last, parts]).await?;
    let mut held = rows
        .iter()
        .flatten()
        .map(|row| Ok((row.int(0)?, String::from(row.text(1)?))))
        .collect::<Result<Vec<_>>>()?;
    if !is_authority(ctx, &holder.region) && kind != OrderKind::Recall {
        // What has been passed on is another's to freeze, and one's own to recall.
        let own = own_subjects(ctx.scope());
        held.retain(|(id, subject)| *id == root || own.contains(subject));
    }
    let ids: BTreeSet<i64> = held.iter().map(|(id, _)| *id).collect();
    let subjects: BTreeSet<String> = held.into_iter().map(|(_, subject)| subject).collect();
    Ok(Covered { object, holder, ids, subjects: subjects.into_iter().collect() })
}

/// The holder of a unit in whose name, or over whom, somebody orders: whoever put it out last or has a part
/// of it, and of a recall whoever made it; the first within reach.
async fn whoever_orders(
    ctx: &Ctx,
    tx: &mut Tx,
    (object, root): (&Object, i64),
    (code, kind): (&str, OrderKind),
) -> Result<Option<SubjectBrief>> {
    let maker = maker(tx, root).await?;
    let parts = object.holders.all().map(|(holder, _)| holder);
    let recalling = maker.as_deref().filter(|_| kind == OrderKind::Recall);
    let all: Vec<&str> =
        [object.subject_id.as_str()].into_iter().chain(parts).chain(recalling).collect();
    let briefs = yj_subject::heirs(tx, &all).await?;
    let within = |holder: &&SubjectBrief| {
        let (region, subject) = (Some(holder.region.as_str()), Some(holder.id.as_str()));
        ctx.scope().covers(&ORDER_COLUMNS, &Place { region, subject, ..Place::default() })
    };
    let found = all.iter().filter_map(|id| briefs.get(*id)).find(within).cloned();
    let Some(holder) = found else { return Ok(None) };
    let own = own_subjects(ctx.scope());
    let made = maker.is_some_and(|maker| own.contains(&maker));
    let others = object.holders.all().any(|(other, _)| !own.contains(other));
    if object.holders.are_several() && others && !made && !is_authority(ctx, &holder.region) {
        let detail = format!(
            "追溯码 {code} 还有其他主体持有一部分，由其生产者或监管机关管控；只管控本主体的部分，请先另编追溯码"
        );
        return Err(Problem::Conflict(detail));
    }
    Ok(Some(holder))
}

/// Who put a unit out first.
async fn maker(tx: &mut Tx, object: i64) -> Result<Option<String>> {
    let sql = Sql::new(
        "SELECT e.subject_id FROM trace_link l CROSS JOIN trace_event e WHERE l.object_id = $1 \
         AND l.role = 1 AND e.id = l.event_id ORDER BY l.event_time, l.event_id LIMIT 1",
    );
    tx.fetch_one(sql.arg(object)).await?.map(|row| row.text(0).map(String::from)).transpose()
}

/// Locks objects in the order in which capture does.
async fn lock_objects(tx: &mut Tx, ids: &BTreeSet<i64>) -> Result<()> {
    let mut sql = Sql::new("SELECT id FROM trace_object WHERE id ");
    sql.bind_ints(ids.iter().copied());
    sql.push(" ORDER BY id").push(tx.dialect().for_update());
    tx.fetch(sql).await.map(drop)
}

/// Makes an order; its identifier. When the transaction is durable, nothing under it moves on.
pub async fn issue(ctx: &Ctx, tx: &mut Tx, new: NewOrder<'_>) -> Result<String> {
    let reason = sound_reason(new.reason)?;
    let number = new.document_no.map(str::trim).filter(|number| !number.is_empty());
    let covered = cover(ctx, tx, (new.code, new.kind, new.downstream), true).await?;
    let official = is_authority(ctx, &covered.holder.region);
    if !official && !new.kind.is_own() {
        let detail = format!("“{}”由监管机关作出；主体可自行待检、冻结或召回", new.kind.label());
        return Err(Problem::invalid("act", detail));
    }
    let by_itself = ctx.principal().kind == ActorKind::Platform;
    if official && !by_itself && number.is_none() {
        return Err(Problem::invalid("document_no", "监管机关作出的管控须写明文号"));
    }
    require_new(tx, (new.code, new.kind)).await?;
    let authority = match new.authority.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) if official => String::from(name),
        Some(_) => {
            return Err(Problem::invalid("authority", "主体自行管控的，以主体名义作出，请留空"));
        }
        None if official => ctx.app().platform().operator.clone(),
        None => covered.holder.name.clone(),
    };
    let count = |length: usize| i64::try_from(length).map_err(Problem::internal);
    let order = TraceOrder {
        code: String::from(new.code),
        kind: String::from(new.kind.code()),
        downstream: new.downstream,
        reason: String::from(reason),
        document_no: number.map(String::from),
        authority,
        official,
        subject_id: covered.holder.id.parse().map_err(Problem::internal)?,
        region: covered.holder.region.parse().map_err(Problem::internal)?,
        units: count(covered.ids.len())?,
        subjects: count(covered.subjects.len())?,
        basis: new.basis.map(String::from),
        state: String::from("in_force"),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
        lift_document_no: None,
        lift_record: None,
    };
    let stored = tx.insert(ctx, &order).await?;
    let id = stored.id.to_string();
    put_under(tx, (&id, new.kind), &covered.ids, None);
    let body = json!({
        "code": order.code, "kind": order.kind, "downstream": order.downstream, "units": order.units,
        "subjects": order.subjects, "named": covered.subjects.iter().take(NAMED_MAX).collect::<Vec<_>>(),
    });
    outbox::announce(ctx, tx, (TRACE_ORDER, new.kind.code()), &id, &body);
    let body = anchored(&stored, ctx.now_ms(), &digest_of(&covered.ids))?;
    anchor(ctx, tx, (&id, &id, &covered.holder.code), body)?;
    Ok(id)
}

pub(crate) const TRACE_ORDER: &str = "trace_order";
/// The kind of record that says that an order was lifted.
pub(crate) const LIFTED: &str = "trace_order_lift";

/// The same measure twice over one code says nothing new.
async fn require_new(tx: &mut Tx, (code, kind): (&str, OrderKind)) -> Result<()> {
    let sql = Sql::new(
        "SELECT document_no FROM trace_order WHERE code = $1 AND kind = $2 AND state = 'in_force'",
    );
    match tx.fetch_one(sql.arg(code).arg(kind.code())).await? {
        None => Ok(()),
        Some(row) => {
            let number = row.text_opt(0)?.map_or_else(String::new, |no| format!("（{no}）"));
            let detail =
                format!("追溯码 {code} 已有执行中的“{}”{number}，不必重复作出", kind.label());
            Err(Problem::Conflict(detail))
        }
    }
}

/// Puts objects under an order, with the next trip.
fn put_under(
    tx: &mut Tx,
    (order, kind): (&str, OrderKind),
    ids: &BTreeSet<i64>,
    event: Option<i64>,
) {
    let event = event.map_or(SqlValue::Null, SqlValue::from);
    let rows = ids.iter().map(|id| vec![order.into(), (*id).into(), event.clone()]);
    tx.later(insert_rows(UNDER, UNLESS_KNOWN, rows.collect()));
    let quality = kind.quality().code();
    let mut sql = Sql::new("UPDATE trace_object SET quality = ");
    sql.bind(quality).push(" WHERE (quality IS NULL OR quality < ").bind(quality);
    sql.push(") AND id ").bind_ints(ids.iter().copied());
    tx.later([sql]);
}

/// Head and tail of statements that put objects under orders.
const UNDER: &str = "INSERT INTO trace_order_unit (order_id, object_id, event_id)";
const UNLESS_KNOWN: &str = "ON CONFLICT (order_id, object_id) DO NOTHING";

/// Writes that what came out of an event has fallen under orders; where it is a correction, so has what
/// was made of that meanwhile.
pub(crate) async fn fall_under(
    tx: &mut Tx,
    under: &[Under],
    objects: &Objects,
    (event, corrects): (i64, bool),
) -> Result<()> {
    let mut rows = Vec::with_capacity(under.len());
    for one in under {
        let object = objects.get(&one.code).and_then(|object| object.id);
        let object = object.ok_or_else(|| Problem::internal("an order over nothing stored"))?;
        rows.push(vec![(&one.hold.order).into(), object.into(), event.into()]);
        if corrects {
            let ids = closure::downstream(tx, object).await?;
            lock_objects(tx, &ids).await?;
            put_under(tx, (&one.hold.order, one.hold.kind), &ids, Some(event));
        }
    }
    tx.later(insert_rows(UNDER, UNLESS_KNOWN, rows));
    Ok(())
}

/// Lifts an order. What else is in force over the same objects stays.
pub async fn lift(
    ctx: &Ctx,
    tx: &mut Tx,
    id: &str,
    (reason, document_no): (&str, Option<&str>),
) -> Result<String> {
    let (reason, number) = (sound_reason(reason)?, document_no.map(str::trim));
    let number = number.filter(|number| !number.is_empty());
    let id: Id<TraceOrder> = id.parse().map_err(|_| Problem::NotFound("批次管控"))?;
    tx.lock(TRACE_ORDER, id.to_string()).await?;
    let mut stored = tx.get::<TraceOrder>(ctx, id).await?;
    let kind = stored.data.kind()?;
    if !stored.data.is_in_force() {
        return Err(Problem::Conflict(String::from("该管控已经解除")));
    }
    let Some(lifting) = kind.lifting() else {
        return Err(Problem::Conflict(String::from("销毁决定不能解除，已销毁的不能再流通")));
    };
    if stored.data.official && !is_authority(ctx, stored.data.region.as_str()) {
        let detail = format!(
            "该“{}”由 {} 作出，主体不能自行{lifting}，请向其申请",
            kind.label(),
            stored.data.authority
        );
        return Err(Problem::Conflict(detail));
    }
    if stored.data.official && number.is_none() {
        return Err(Problem::invalid("document_no", format!("{lifting}须写明文号")));
    }
    let record = ctx.new_id::<()>().to_string();
    let order = &mut stored.data;
    order.state = String::from("lifted");
    order.lifted_at = time_text(ctx.now_ms())?.as_str().map(String::from);
    order.lifted_by = Some(String::from(ctx.actor()));
    order.lift_reason = Some(String::from(reason));
    order.lift_document_no = number.map(String::from);
    order.lift_record = Some(record.clone());
    let stored = tx.update(ctx, &stored).await?;
    let id = id.to_string();
    release(tx, &id).await?;
    let body = json!({ "code": stored.data.code, "kind": stored.data.kind, "lifted": true });
    outbox::announce(ctx, tx, (TRACE_ORDER, "lifted"), &id, &body);
    let subject = stored.data.subject_id.to_string();
    let subject = yj_subject::heirs(tx, &[subject.as_str()]).await?.into_values().next();
    let subject =
        subject.ok_or_else(|| Problem::internal("a subject that was there is missing"))?;
    let body = json!({
        "lifts": id, "code": stored.data.code, "act": lifting, "reason": reason,
        "document_no": number, "at": time_text(ctx.now_ms())?,
    });
    anchor(ctx, tx, (&record, &id, &subject.code), body)?;
    Ok(id)
}

/// What an order covered is as the orders that remain say.
async fn release(tx: &mut Tx, order: &str) -> Result<()> {
    let sql = Sql::new("SELECT object_id FROM trace_order_unit WHERE order_id = $1").arg(order);
    let rows = tx.fetch(sql).await?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<BTreeSet<_>>>()?;
    lock_objects(tx, &ids).await?;
    let mut sql = Sql::new(
        "UPDATE trace_object SET quality = (SELECT MAX(CASE r.kind WHEN 'await' THEN '02' \
         WHEN 'fail' THEN '03' WHEN 'freeze' THEN '04' WHEN 'stop' THEN '04' \
         WHEN 'recall' THEN '05' ELSE '06' END) \
         FROM trace_order_unit u JOIN trace_order r ON r.id = u.order_id \
         WHERE u.object_id = trace_object.id AND r.state = 'in_force') WHERE id ",
    );
    sql.bind_ints(ids.iter().copied());
    tx.execute(sql).await.map(drop)
}

/// SM3 of the units that an order covered when it was made, by their numbers.
pub(crate) fn digest_of(units: &BTreeSet<i64>) -> String {
    let bytes: Vec<u8> = units.iter().flat_map(|id| id.to_be_bytes()).collect();
    sm3::hex(&sm3::parts(&[b"YJ/cover/v1\0", &bytes]))
}

/// What exactly of an order is anchored; `covered` is the digest of its units.
pub(crate) fn anchored(stored: &Stored<TraceOrder>, at: i64, covered: &str) -> Result<Value> {
    let order = &stored.data;
    Ok(json!({
        "code": order.code, "kind": order.kind, "downstream": order.downstream,
        "reason": order.reason, "document_no": order.document_no, "authority": order.authority,
        "official": order.official, "region": order.region, "units": order.units,
        "subjects": order.subjects, "basis": order.basis, "at": time_text(at)?, "covered": covered,
    }))
}

fn anchor(
    ctx: &Ctx,
    tx: &mut Tx,
    (record, order, org): (&str, &str, &str),
    body: Value,
) -> Result<()> {
    let kind = if record == order { TRACE_ORDER } else { LIFTED };
    let envelope = Envelope::new(kind, record, org, &ctx.now.to_string(), body);
    let envelope = envelope.map_err(Problem::internal)?;
    yj_ledger::enqueue(ctx, tx, &[Pending { record, envelope: &envelope }])
}
