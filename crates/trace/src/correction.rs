//! 更正: what the corrected event did is taken back before its correction is applied.

use std::collections::BTreeMap;

use serde_json::json;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit, outbox};
use yj_model::{OffsetTime, Stage};
use yj_subject::SubjectBrief;

use crate::{
    balance::{Applied, Before, Link, LinkRole, Objects, revert},
    brought,
    event::{Checked, TraceEvent},
    holders, pairing, papers, places, prices,
    store::{self, StoredEvent},
};

/// What the batch that a correction comes in has already changed and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Meanwhile<'a> {
    /// Stored events that it has corrected.
    pub(crate) superseded: Vec<i64>,
    /// Codes that its events put out, and when, Unix ms.
    pub(crate) outputs: Vec<(&'a str, i64)>,
}

/// Takes a stored event back; what it has left behind.
pub(crate) async fn take_back(
    tx: &mut Tx,
    objects: &mut Objects,
    (original, links): (&StoredEvent, &[Link]),
    meanwhile: &Meanwhile<'_>,
) -> Result<Before> {
    load_missing(tx, objects, links).await?;
    let handovers = holders::handovers_of(tx, original.id).await?;
    let brought = brought::of_event(tx, original.id).await?;
    let done = Applied { links: links.to_vec(), brought, handovers };
    revert(objects, &original.subject_id, &done, original.spec.as_deref())?;
    let of_role = |role| links.iter().filter(move |link: &&Link| link.role == role);
    let givers = done.handovers.into_iter().map(|one| one.giver).collect();
    let outside = done.brought.into_iter().map(|one| one.code).collect();
    let mut before = Before { outside, givers, ..Before::default() };
    before.made.extend(of_role(LinkRole::Output).map(|link| link.code.clone()));
    // Nothing is before what began a code, whatever times the events give.
    let began = |code: &str| !of_role(LinkRole::Input).any(|link| link.code == code);
    let at = (original.time.unix_ms(), original.id);
    // By code, the newest of the others, when and which.
    let mut others: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in tx.fetch(query_others(original.id)).await? {
        let (code, event, time) = (row.text(0)?, row.int(1)?, row.int(2)?);
        if meanwhile.superseded.contains(&event) {
            continue;
        }
        if began(code) || (time, event) > at {
            before.moved_on.insert(String::from(code));
        }
        let newest = others.entry(String::from(code)).or_insert((time, event));
        *newest = (time, event).max(*newest);
    }
    let written = meanwhile.outputs.iter().filter(|(code, _)| before.made.contains(*code));
    let later = written.filter(|(code, time)| began(code) || *time >= at.0);
    before.moved_on.extend(later.map(|(code, _)| String::from(*code)));
    let written = |code: &str| meanwhile.outputs.iter().any(|(one, _)| *one == code);
    others.retain(|code, _| !before.moved_on.contains(code) && !written(code));
    give_back(tx, objects, &others).await?;
    Ok(before)
}

/// Whoever put a code out before holds it again, at the stage of then: the event that passed it on was
/// taken back. Whatever stands in its place says the rest.
async fn give_back(
    tx: &mut Tx,
    objects: &mut Objects,
    others: &BTreeMap<String, (i64, i64)>,
) -> Result<()> {
    let told: Vec<(i64, i64)> = others.values().map(|(time, event)| (*event, *time)).collect();
    let events = places::events_at(tx, &told).await?;
    for (code, (_, event)) in others {
        let put_out = events.iter().find(|one| one.id == *event);
        let (Some(object), Some(event)) = (objects.get_mut(code), put_out) else { continue };
        if let Some(stage) = Stage::from_code(&event.stage) {
            object.stage = stage;
        }
        object.pass_to(&event.subject_id);
        object.changed = true;
    }
    Ok(())
}

/// Codes named in a reason; the event itself leads to them all.
const NAMED_MAX: usize = 5;

/// Why somebody must review that an event is taken back and nothing takes its place: no goods leave
/// an order by never having been.
pub(crate) fn review_reason(event: &Checked, links: &[Link], objects: &Objects) -> Option<String> {
    if !event.withdraws {
        return None;
    }
    let ordered = |code: &&str| objects.get(*code).is_some_and(|one| one.quality.is_some());
    let codes = links.iter().map(|link| link.code.as_str()).filter(ordered);
    let codes: Vec<&str> = codes.take(NAMED_MAX).collect();
    if codes.is_empty() {
        return None;
    }
    Some(format!("所撤销的事件涉及被管控的追溯码 {}，须由他人核实", codes.join("、")))
}

/// The event that takes a stored one back with nothing in its place, as its subject would send it at
/// `time` (Unix ms). Captured like any other: policies, reviews and orders have their say.
pub async fn withdrawal(tx: &mut Tx, uid: &str, (reason, time): (&str, i64)) -> Result<TraceEvent> {
    let original = by_uid(tx, uid).await?.ok_or(Problem::NotFound("追溯事件"))?;
    let time = OffsetTime::from_parts(time, original.time.offset_minutes())
        .map_err(|error| Problem::invalid("event_time", error.to_string()))?;
    Ok(TraceEvent {
        domain: original.domain,
        kind: original.kind,
        subject: original.subject_code,
        event_time: time.to_string(),
        correction_of: Some(original.uid),
        correction_reason: Some(String::from(reason)),
        withdraws: true,
        ..TraceEvent::default()
    })
}

/// Takes back an event that still waits for review, for whoever recorded it; whether it did.
pub async fn retract(ctx: &Ctx, tx: &mut Tx, uid: &str, reason: &str) -> Result<bool> {
    let stored = lock_by_uid(tx, uid).await?.ok_or(Problem::NotFound("追溯事件"))?;
    if stored.state != "held" || stored.recorded_by != ctx.actor() {
        return Ok(false);
    }
    let sql = Sql::new(
        "UPDATE trace_event SET state = 'rejected', decided_by = $1, decided_at = $2, \
         decision_comment = $3 WHERE id = $4 AND event_time = $5 AND state = 'held'",
    );
    let sql = sql.arg(ctx.actor()).arg(ctx.now_ms()).arg(reason);
    tx.later([sql.arg(stored.id).arg(stored.time.unix_ms())]);
    let body = json!({ "state": "rejected", "comment": reason });
    let entry =
        audit::Entry { action: "rejected", entity: "trace_event", record: uid, body: body.clone() };
    audit::write(ctx, tx, entry);
    outbox::announce(ctx, tx, ("trace_event", "rejected"), uid, &body);
    Ok(true)
}

/// The query for the other events that put out what an event put out.
fn query_others(event: i64) -> Sql {
    Sql::new(
        "SELECT o.code, l.event_id, l.event_time FROM trace_link w CROSS JOIN trace_link l \
         CROSS JOIN trace_object o WHERE w.event_id = $1 AND w.role = 1 \
         AND l.object_id = w.object_id AND l.role = 1 AND l.event_id <> w.event_id \
         AND o.id = w.object_id",
    )
    .arg(event)
}

/// Objects that only the corrected event touched.
async fn load_missing(tx: &mut Tx, objects: &mut Objects, links: &[Link]) -> Result<()> {
    let missing: Vec<&str> = links
        .iter()
        .map(|link| link.code.as_str())
        .filter(|code| !objects.contains_key(*code))
        .collect();
    objects.extend(store::lock_objects(tx, &missing).await?);
    Ok(())
}

/// The event that this one corrects, with its links.
pub(crate) async fn corrected(
    ctx: &Ctx,
    tx: &mut Tx,
    (event, subject): (&Checked, &SubjectBrief),
) -> Result<Option<(StoredEvent, Vec<Link>)>> {
    let Some(uid) = event.correction_of else { return Ok(None) };
    let unknown = || Problem::invalid("correction_of", "没有这条事件，或不属于同一主体");
    let original = lock_by_uid(tx, &uid.to_string()).await?.ok_or_else(unknown)?;
    if !is_same_subject(tx, &original, subject).await? {
        return Err(unknown());
    }
    if original.state != "accepted" {
        let detail = if original.state == "superseded" {
            "该事件已被更正过，请更正其最新的一条"
        } else {
            "该事件尚未接收，不需要更正"
        };
        return Err(Problem::Conflict(String::from(detail)));
    }
    if original.body["withdraws"] == true {
        let detail = "该事件是一次撤销，不能再更正；请登记新的事件";
        return Err(Problem::Conflict(String::from(detail)));
    }
    if event.withdraws && !original.is_of(&event.domain, &event.spec.code) {
        let detail = "撤销应写被撤销事件的领域与事件类型";
        return Err(Problem::invalid("type", detail));
    }
    if ctx.now_ms() < original.recorded_at {
        return Err(Problem::internal("the clock stepped back behind a stored event"));
    }
    let links = store::links(tx, original.id).await?;
    Ok(Some((original, links)))
}

/// Whether an event is of a subject, whatever that was called then: codes change, and of those that
/// were merged the one that remains answers for all.
async fn is_same_subject(
    tx: &mut Tx,
    original: &StoredEvent,
    subject: &SubjectBrief,
) -> Result<bool> {
    if original.subject_id == subject.id {
        return Ok(true);
    }
    let heirs = yj_subject::heirs(tx, &[&original.subject_id]).await?;
    Ok(heirs.get(&original.subject_id).is_some_and(|heir| heir.id == subject.id))
}

/// One event by its identifier, whoever asks.
pub(crate) async fn by_uid(tx: &mut Tx, uid: &str) -> Result<Option<StoredEvent>> {
    places::event_by_uid(tx, uid, |_, _| {}).await
}

/// The same, held against others who correct or decide it at the same moment.
pub(crate) async fn lock_by_uid(tx: &mut Tx, uid: &str) -> Result<Option<StoredEvent>> {
    let mut lock = Sql::new("SELECT id FROM trace_event_key WHERE uid = ");
    lock.bind(uid).push(tx.dialect().for_update());
    tx.fetch(lock).await?;
    by_uid(tx, uid).await
}

/// A corrected event, by its identifier and its time (Unix ms), keeps its record and its proof; only
/// its effect is gone.
pub(crate) fn supersede((original, time): (i64, i64), by: &str) -> Vec<Sql> {
    let state = Sql::new(
        "UPDATE trace_event SET state = 'superseded', superseded_by = $1 \
         WHERE id = $2 AND event_time = $3 AND state = 'accepted'",
    );
    let own = [
        state.arg(by).arg(original).arg(time),
        Sql::new("DELETE FROM trace_link WHERE event_id = $1").arg(original),
        Sql::new("DELETE FROM trace_handover WHERE event_id = $1").arg(original),
        Sql::new("DELETE FROM trace_brought WHERE event_id = $1").arg(original),
        prices::forget(original),
    ];
    own.into_iter().chain(pairing::withdraw(original)).chain(papers::withdraw(original)).collect()
}
