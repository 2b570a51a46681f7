//! 更正: what the corrected event did is taken back before its correction is applied.

use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_subject::SubjectBrief;

use crate::{
    balance::{Before, Link, LinkRole, Objects, revert},
    event::Checked,
    places,
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
    let counted = original.spec.as_ref().map(|spec| spec.outputs.terminal.is_none());
    revert(objects, links, counted)?;
    let of_role = |role| links.iter().filter(move |link: &&Link| link.role == role);
    let mut before = Before::default();
    before.made.extend(of_role(LinkRole::Output).map(|link| link.code.clone()));
    // Nothing is before what began a code, whatever times the events give.
    let began = |code: &str| !of_role(LinkRole::Input).any(|link| link.code == code);
    let at = (original.time.unix_ms(), original.id);
    for row in tx.fetch(query_others(original.id)).await? {
        let (code, event, time) = (row.text(0)?, row.int(1)?, row.int(2)?);
        let later = began(code) || (time, event) > at;
        if later && !meanwhile.superseded.contains(&event) {
            before.moved_on.insert(String::from(code));
        }
    }
    let written = meanwhile.outputs.iter().filter(|(code, _)| before.made.contains(*code));
    let later = written.filter(|(code, time)| began(code) || *time >= at.0);
    before.moved_on.extend(later.map(|(code, _)| String::from(*code)));
    Ok(before)
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
