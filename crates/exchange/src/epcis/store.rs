//! The tables of the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_epcis::{Context, Event, Instant, Json, Limits};
use yj_kernel::{
    Columns, Ctx, Problem, Reach, Result, Row, Scoping, Sql, SqlValue, Tx, insert_rows,
    vault::{self, DataKey},
};

use super::{past::Name, prepare::Role, seen, spelling};

/// How an event's columns say who may see it.
pub(crate) const EVENT_COLUMNS: Columns = Columns {
    region: Some("e.region"),
    subject: Some("e.subject_id"),
    organization: None,
    category: Reach::Equal("e.domain"),
    stage: Reach::Equal("e.stage"),
    label: None,
};

/// Limits to events within reach.
pub(crate) fn narrow(ctx: &Ctx, sql: &mut Sql, tx: &Tx) {
    ctx.scope().narrow(sql, tx, Scoping::By(EVENT_COLUMNS));
}

/// Under which name a body is sealed.
const PLACE: &str = "epcis_event.body";

/// An event as it is about to be kept.
pub(crate) struct NewEvent<'a> {
    pub(crate) prepared: &'a super::prepare::Prepared,
    pub(crate) uid: String,
    pub(crate) subject_id: String,
    pub(crate) region: String,
    pub(crate) domain: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) trace_uid: Option<String>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) detail: Option<String>,
}

const EVENT_INSERT: &str = "INSERT INTO epcis_event (seq, uid, event_id, declared, declared_at, hash, \
     sm3, subject_id, region, domain, stage, capture_id, action, event_time, record_time, sensors, \
     own_id, body, trace_uid, reason, detail, content, declaration)";

/// Writes events with the next trip, in this order: from the first number on without a hole.
pub(crate) async fn insert(
    ctx: &Ctx,
    tx: &mut Tx,
    (capture_id, key): (&str, &DataKey),
    events: &[NewEvent<'_>],
) -> Result<()> {
    let count = i64::try_from(events.len()).map_err(Problem::internal)?;
    // Who began earlier may write later: no event is recorded before the one with the number before.
    let sql = Sql::new(
        "UPDATE epcis_sequence SET value = value + $1, \
         recorded = CASE WHEN recorded > $2 THEN recorded ELSE $2 END \
         WHERE id = 1 RETURNING value, recorded",
    );
    let row = tx.fetch_one(sql.arg(count).arg(ctx.now_ms())).await?;
    let row = row.ok_or_else(|| Problem::internal("epcis_sequence is empty"))?;
    let (last, recorded) = (row.int(0)?, row.int(1)?);
    // Whoever has it sees every name that was promised meanwhile, and none is promised before they
    // have written theirs.
    let ids: Vec<&str> = events.iter().map(|new| new.prepared.id.as_str()).collect();
    let promised = reserved(tx, &ids).await?;
    for new in events {
        let name = (new.subject_id.clone(), new.prepared.id.clone());
        if promised.get(&name).is_some_and(|(content, _)| !new.prepared.is(content)) {
            return Err(Problem::duplicate("名称刚被另一次采集占用，请重试"));
        }
    }
    let (mut rows, mut terms) = (Vec::new(), Vec::new());
    for (new, seq) in events.iter().zip(last - count + 1..) {
        let (prepared, event) = (new.prepared, &new.prepared.event);
        let declared = event.error_declaration.as_ref();
        let body = key.seal(ctx, (PLACE, &new.uid), &prepared.text)?;
        rows.push(vec![
            seq.into(),
            (&new.uid).into(),
            (&prepared.id).into(),
            declared.is_some().into(),
            declared.map(|error| error.declaration_time.0).into(),
            (&prepared.hash).into(),
            (&prepared.sm3).into(),
            (&new.subject_id).into(),
            (&new.region).into(),
            new.domain.clone().into(),
            new.stage.clone().into(),
            capture_id.into(),
            event.action.map(yj_epcis::Action::name).into(),
            event.event_time.0.into(),
            recorded.into(),
            (!event.sensors.is_empty()).into(),
            prepared.own_id.into(),
            body.into(),
            new.trace_uid.clone().into(),
            new.reason.into(),
            new.detail.clone().into(),
            (prepared.content != prepared.sm3).then(|| prepared.content.clone()).into(),
            (&prepared.declaration).into(),
        ]);
        let time = event.event_time.0;
        let row = |role: Role, term: &String, raw: &String| -> Vec<SqlValue> {
            vec![seq.into(), role.code().into(), term.into(), raw.into(), time.into()]
        };
        terms.extend(prepared.terms.iter().map(|term| row(term.role, &term.spelling, &term.raw)));
        terms.push(row(Role::Owner, &new.subject_id, &new.subject_id));
    }
    tx.later(insert_rows(EVENT_INSERT, "", rows));
    tx.later(insert_rows("INSERT INTO epcis_term (seq, role, term, raw, event_time)", "", terms));
    tx.later(seen::learn(events));
    spelling::learn(
        tx,
        events.iter().map(|new| (new.subject_id.as_str(), new.prepared.terms.as_slice())),
    );
    Ok(())
}

/// A kept event.
pub(crate) struct Kept {
    pub(crate) seq: i64,
    pub(crate) event_time: i64,
    /// Bytes of its text.
    pub(crate) size: usize,
    /// Checked, with `recordTime`, and with `eventID` also where the sender gave none.
    pub(crate) event: Event,
    /// Whose it is.
    pub(crate) subject: String,
    /// The `@context` of its document.
    pub(crate) frame: Arc<Frame>,
}

/// What the events of one capture have in common.
pub(crate) struct Frame {
    /// `@context` as it was sent.
    pub(crate) context: Json,
    /// What its prefixes mean.
    pub(crate) prefixes: Arc<Context>,
}

/// Columns for [`read`]; the table is called `e`.
pub(crate) const EVENT: &str = "SELECT e.seq, e.uid, e.event_id, e.event_time, e.record_time, e.own_id, \
     e.body, e.capture_id, e.subject_id FROM epcis_event e";

/// Reads rows of [`EVENT`]. What was erased is left out.
pub(crate) async fn read(ctx: &Ctx, tx: &mut Tx, rows: &[Row]) -> Result<Vec<Kept>> {
    let mut captures: Vec<&str> = rows.iter().map(|row| row.text(7)).collect::<Result<_>>()?;
    captures.sort_unstable();
    captures.dedup();
    let keys = vault::data_keys(ctx.app(), tx, &captures).await?;
    let frames = frames(tx, &captures).await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let (uid, capture) = (row.text(1)?, row.text(7)?);
        if row.text(6)?.is_empty() {
            continue;
        }
        let missing = || Problem::internal(format!("EPCIS event {uid} has lost its capture"));
        let key = keys.get(capture).ok_or_else(missing)?;
        let frame = frames.get(capture).ok_or_else(missing)?;
        let body = key.open((PLACE, uid), row.text(6)?)?;
        if body == vault::ERASED {
            continue;
        }
        let source = Json::parse(body.as_bytes(), &Limits::default()).map_err(Problem::internal)?;
        let own_id = (row.int(5)? == 0).then(|| row.text(2)).transpose()?;
        let source = completed(source, Instant(row.int(4)?), own_id);
        let unsound = || Problem::internal(format!("EPCIS event {uid} is no longer one"));
        let event = Event::kept(source, &frame.prefixes).ok_or_else(unsound)?;
        events.push(Kept {
            seq: row.int(0)?,
            event_time: row.int(3)?,
            size: body.len(),
            event,
            subject: String::from(row.text(8)?),
            frame: Arc::clone(frame),
        });
    }
    Ok(events)
}

/// With what the repository adds: when it was recorded, and its name where it had none.
fn completed(source: Json, recorded: Instant, id: Option<&str>) -> Json {
    let Json::Object(mut members) = source else { return source };
    let time = Json::text(recorded.to_string());
    if let Some((_, value)) = members.iter_mut().find(|(name, _)| name == "recordTime") {
        *value = time;
    } else {
        let after = members.iter().position(|(name, _)| name == "eventTime");
        let at = after.map_or(members.len(), |at| at + 1);
        members.insert(at, (String::from("recordTime"), time));
    }
    if let Some(id) = id {
        let at = members.iter().position(|(name, _)| name == "type").map_or(0, |at| at + 1);
        members.insert(at, (String::from("eventID"), Json::text(id)));
    }
    Json::Object(members)
}

async fn frames(tx: &mut Tx, captures: &[&str]) -> Result<BTreeMap<String, Arc<Frame>>> {
    let mut sql = Sql::new("SELECT id, context FROM epcis_capture WHERE id ");
    sql.bind_texts(captures.iter().copied());
    let mut frames = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let text = row.text_opt(1)?.unwrap_or("null");
        let context =
            Json::parse(text.as_bytes(), &Limits::default()).map_err(Problem::internal)?;
        let prefixes = Arc::new(Context::new(Some(&context)));
        frames.insert(String::from(row.text(0)?), Arc::new(Frame { context, prefixes }));
    }
    Ok(frames)
}

/// What is kept already under a name.
pub(crate) struct Content {
    pub(crate) digest: String,
    /// The event itself, empty, and its error declarations.
    pub(crate) declarations: BTreeSet<String>,
}

/// What is kept already of some names.
pub(crate) async fn known(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<Name, Content>> {
    let mut sql = Sql::new(
        "SELECT subject_id, event_id, declaration, COALESCE(content, sm3) FROM epcis_event \
         WHERE event_id ",
    );
    sql.bind_texts(ids.iter().copied());
    let mut known: BTreeMap<Name, Content> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let name = (String::from(row.text(0)?), String::from(row.text(1)?));
        let content = known.entry(name).or_insert(Content {
            digest: String::from(row.text(3)?),
            declarations: BTreeSet::new(),
        });
        content.declarations.insert(String::from(row.text(2)?));
    }
    Ok(known)
}

/// Holds what whoever records holds: until the transaction ends nobody else records or promises.
pub(crate) async fn hold(tx: &mut Tx) -> Result<()> {
    tx.lock("epcis_sequence", 1_i64).await
}

/// Keeps names free for a capture.
pub(crate) fn reserve<'a>(
    tx: &mut Tx,
    capture_id: &str,
    names: impl Iterator<Item = (&'a super::prepare::Prepared, &'a str)>,
) {
    let row = |(prepared, subject_id): (&super::prepare::Prepared, &str)| -> Vec<SqlValue> {
        let declared = prepared.event.error_declaration.is_some();
        vec![
            (&prepared.id).into(),
            subject_id.into(),
            declared.into(),
            capture_id.into(),
            (&prepared.content).into(),
        ]
    };
    tx.later(insert_rows(
        "INSERT INTO epcis_reserved (event_id, subject_id, declared, capture_id, sm3)",
        "ON CONFLICT (event_id, subject_id, declared, capture_id) DO NOTHING",
        names.map(row).collect(),
    ));
}

/// Gives up the names that were kept free for a capture.
pub(crate) fn release(capture_id: &str) -> Sql {
    Sql::new("DELETE FROM epcis_reserved WHERE capture_id = $1").arg(capture_id)
}

/// Which names are kept free, for which content, and for which capture. All captures that have reserved
/// one name mean the same content. What a job reserved that is over counts no more.
pub(crate) async fn reserved(
    tx: &mut Tx,
    ids: &[&str],
) -> Result<BTreeMap<Name, (String, String)>> {
    let mut sql = Sql::new(
        "SELECT r.subject_id, r.event_id, r.sm3, r.capture_id FROM epcis_reserved r \
         JOIN epcis_capture c ON c.id = r.capture_id JOIN job j ON j.id = c.job_id \
         WHERE j.state IN ('queued', 'running') AND r.event_id ",
    );
    sql.bind_texts(ids.iter().copied());
    let mut reserved = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let text = |index| row.text(index).map(String::from);
        reserved.insert((text(0)?, text(1)?), (text(2)?, text(3)?));
    }
    Ok(reserved)
}

/// The number of the last event that was recorded.
pub(crate) async fn last(tx: &mut Tx) -> Result<i64> {
    let row = tx.fetch_one(Sql::new("SELECT value FROM epcis_sequence WHERE id = 1")).await?;
    row.map_or(Ok(0), |row| row.int(0))
}
