//! Statements about events, objects and links.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use yj_domain::{Domains, EventType};
use yj_kernel::{
    DataClass, Dialect, Place, Problem, Result, Row, Scope, Sql, SqlValue, Tx, insert_rows,
    time_text,
};
use yj_model::{OffsetTime, Quantity, Stage};
use yj_proof::Envelope;

use crate::{
    balance::{Link, LinkRole, Object, ObjectState, Objects},
    holders::{self, Holders},
    order::Quality,
    query::EVENT_COLUMNS,
};

/// Columns for [`objects`].
const OBJECT: &str = "SELECT code, id, product_id, lot, unit, subject_id, stage, produced, balance, state, quality, apart FROM trace_object";

/// The query for the objects behind these codes, to travel with others. On PostgreSQL it locks
/// them in one order for all.
pub(crate) fn query_and_lock(tx: &Tx, codes: &[&str]) -> Sql {
    let mut sql = Sql::new(OBJECT);
    sql.push(" WHERE code ").bind_texts(codes.iter().copied());
    sql.push(" ORDER BY id").push(tx.dialect().for_update());
    sql
}

/// The answer to a query for objects; of those that several hold [`holders::complete`] reads the others.
pub(crate) fn objects(rows: &[Row]) -> Result<Objects> {
    rows.iter().map(|row| Ok((String::from(row.text(0)?), object(row)?))).collect()
}

/// Reads the objects behind these codes, and locks them.
pub(crate) async fn lock_objects(tx: &mut Tx, codes: &[&str]) -> Result<Objects> {
    let mut objects = objects(&tx.fetch(query_and_lock(tx, codes)).await?)?;
    holders::complete(tx, &mut objects).await?;
    Ok(objects)
}

/// The query for the objects behind these codes, to travel with others.
pub(crate) fn query_objects<'a>(codes: impl IntoIterator<Item = &'a str>) -> Sql {
    let mut sql = Sql::new(OBJECT);
    sql.push(" WHERE code ").bind_texts(codes);
    sql
}

/// Reads the objects behind these codes.
pub(crate) async fn read_objects(tx: &mut Tx, codes: &[&str]) -> Result<Objects> {
    let mut objects = objects(&tx.fetch(query_objects(codes.iter().copied())).await?)?;
    holders::complete(tx, &mut objects).await?;
    Ok(objects)
}

/// Reads one object without locking it.
pub(crate) async fn read_object(tx: &mut Tx, code: &str) -> Result<Option<Object>> {
    Ok(read_objects(tx, &[code]).await?.remove(code))
}

/// Reads an object from a row of [`OBJECT`].
fn object(row: &Row) -> Result<Object> {
    let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
    Ok(Object {
        id: Some(row.int(1)?),
        product_id: text(2)?,
        lot: text(3)?,
        unit: row.parsed(4)?,
        subject_id: String::from(row.text(5)?),
        holders: Holders::stored(row.text(5)?, row.int(8)?, row.int(11)?),
        stage: stage(row.text(6)?)?,
        produced: quantity(row.int(7)?)?,
        balance: quantity(row.int(8)?)?,
        state: state(row.text(9)?)?,
        quality: row.text_opt(10)?.map(quality).transpose()?,
        changed: false,
    })
}

/// Columns of objects that hold codes of ours.
pub(crate) fn stage(code: &str) -> Result<Stage> {
    Stage::from_code(code).ok_or_else(|| unknown("stage", code))
}

pub(crate) fn state(code: &str) -> Result<ObjectState> {
    ObjectState::from_code(code).ok_or_else(|| unknown("state", code))
}

pub(crate) fn quality(code: &str) -> Result<Quality> {
    Quality::from_code(code).ok_or_else(|| unknown("quality", code))
}

pub(crate) fn role(code: i64) -> Result<LinkRole> {
    let unknown = || Problem::internal(format!("trace_link.role is {code}"));
    LinkRole::from_code(code).ok_or_else(unknown)
}

fn unknown(column: &str, value: &str) -> Problem {
    Problem::internal(format!("trace_object.{column} is {value}"))
}

pub(crate) fn quantity(scaled: i64) -> Result<Quantity> {
    Quantity::from_scaled(scaled).map_err(Problem::internal)
}

/// How many objects are not stored yet.
pub(crate) fn fresh(objects: &Objects) -> usize {
    objects.values().filter(|object| object.id.is_none()).count()
}

/// Statements that write new and changed objects; afterwards all of them have ids, new ones from
/// `ids`.
pub(crate) fn save_objects(
    objects: &mut Objects,
    mut ids: impl Iterator<Item = i64>,
) -> Result<Vec<Sql>> {
    let (mut rows, mut held, mut statements) = (Vec::new(), Vec::new(), Vec::new());
    for (code, object) in objects.iter_mut().filter(|(_, object)| object.changed) {
        if object.id.is_none() {
            object.id = Some(ids.next().ok_or_else(|| Problem::internal("too few identifiers"))?);
        }
        rows.push(vec![
            object.id.into(),
            code.into(),
            object.product_id.clone().into(),
            object.lot.clone().into(),
            object.unit.as_str().into(),
            (&object.subject_id).into(),
            object.stage.code().into(),
            object.produced.scaled().into(),
            object.balance.scaled().into(),
            object.state.code().into(),
            object.quality.map(Quality::code).into(),
            object.holders.apart(&object.subject_id).into(),
        ]);
        let id = object.id.unwrap_or_default();
        let (parts, gone) = object.holders.save((id, &object.subject_id));
        held.extend(parts);
        statements.extend(gone);
        object.changed = false;
    }
    let mut saved = insert_rows(
        "INSERT INTO trace_object (id, code, product_id, lot, unit, subject_id, stage, produced, balance, state, quality, apart)",
        "ON CONFLICT (id) DO UPDATE SET product_id = excluded.product_id, lot = excluded.lot, \
         subject_id = excluded.subject_id, stage = excluded.stage, produced = excluded.produced, \
         balance = excluded.balance, state = excluded.state, quality = excluded.quality, \
         apart = excluded.apart",
        rows,
    );
    saved.extend(statements);
    saved.extend(holders::insert(held));
    Ok(saved)
}

/// One row of `trace_link`.
pub(crate) fn link_row(
    event: i64,
    time: i64,
    link: &Link,
    objects: &Objects,
) -> Result<Vec<SqlValue>> {
    let object = objects.get(&link.code).and_then(|object| object.id);
    let object =
        object.ok_or_else(|| Problem::internal("a link to an object that was not saved"))?;
    let quantity = link.quantity.map(Quantity::scaled);
    Ok(vec![event.into(), object.into(), link.role.code().into(), quantity.into(), time.into()])
}

/// Statements that write links.
pub(crate) fn insert_links(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows(
        "INSERT INTO trace_link (event_id, object_id, role, quantity, event_time)",
        "",
        rows,
    )
}

/// Statements that write products and lots of events beyond the first: facet, value, time and event.
pub(crate) fn insert_also(rows: Vec<Vec<SqlValue>>) -> Vec<Sql> {
    insert_rows("INSERT INTO trace_event_also (facet, value, event_time, event_id)", "", rows)
}

/// The links of one event.
pub(crate) async fn links(tx: &mut Tx, event: i64) -> Result<Vec<Link>> {
    let sql = Sql::new(
        "SELECT o.code, l.role, l.quantity FROM trace_link l JOIN trace_object o ON o.id = l.object_id \
         WHERE l.event_id = $1 ORDER BY l.role, o.code",
    );
    tx.fetch(sql.arg(event)).await?.iter().map(link).collect()
}

/// A link from a row of code, role and quantity.
pub(crate) fn link(row: &Row) -> Result<Link> {
    Ok(Link {
        code: String::from(row.text(0)?),
        role: role(row.int(1)?)?,
        quantity: row.int_opt(2)?.map(quantity).transpose()?,
    })
}

/// A stored event.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    pub(crate) id: i64,
    pub(crate) uid: String,
    pub(crate) domain: String,
    pub(crate) kind: String,
    pub(crate) stage: String,
    pub(crate) subject_id: String,
    pub(crate) subject_code: String,
    pub(crate) product_id: Option<String>,
    /// The other party, by identifier.
    pub(crate) counterparty_id: Option<String>,
    pub(crate) lot: Option<String>,
    /// Region of the subject when it was registered: who supervises it, wherever it happened and
    /// wherever the subject has moved since.
    pub(crate) region: String,
    pub(crate) time: OffsetTime,
    pub(crate) recorded_at: i64,
    pub(crate) recorded_by: String,
    pub(crate) source: String,
    pub(crate) state: String,
    pub(crate) held_reason: Option<String>,
    pub(crate) body: Value,
    pub(crate) correction_of: Option<String>,
    pub(crate) superseded_by: Option<String>,
    pub(crate) decision_comment: Option<String>,
    /// Security label.
    pub(crate) label: i64,
    /// State on the ledger; `None` for events that are not accepted.
    pub(crate) anchor: Option<String>,
    /// Version of the pack it was recorded under.
    pub(crate) pack_version: String,
    /// Its event type in that version; `None` where no version of its pack is at hand.
    pub(crate) spec: Option<EventType>,
}

/// Columns for [`StoredEvent::read`]; the table is called `e`.
pub(crate) const EVENT: &str = "SELECT e.id, e.uid, e.domain, e.kind, e.stage, e.subject_id, e.subject_code, \
     e.product_id, e.lot, e.region, e.event_time, e.event_offset, e.recorded_at, e.recorded_by, e.source, \
     e.state, e.held_reason, e.body, e.correction_of, e.superseded_by, e.decision_comment, \
     e.label, (SELECT a.state FROM anchor_state a WHERE a.record = e.uid), e.pack_version, \
     e.counterparty_id FROM trace_event e";

impl StoredEvent {
    pub(crate) async fn read_all(tx: &mut Tx, rows: &[Row]) -> Result<Vec<Self>> {
        let domains = yj_domain::current(tx).await?;
        rows.iter().map(|row| Self::from_row(&domains, row)).collect()
    }

    fn from_row(domains: &Domains, row: &Row) -> Result<Self> {
        let text = |index| row.text(index).map(String::from);
        let maybe = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        Ok(Self {
            id: row.int(0)?,
            uid: text(1)?,
            domain: text(2)?,
            kind: text(3)?,
            stage: text(4)?,
            subject_id: text(5)?,
            subject_code: text(6)?,
            product_id: maybe(7)?,
            lot: maybe(8)?,
            region: text(9)?,
            time: OffsetTime::from_parts(row.int(10)?, row.int(11)?).map_err(Problem::internal)?,
            recorded_at: row.int(12)?,
            recorded_by: text(13)?,
            source: text(14)?,
            state: text(15)?,
            held_reason: maybe(16)?,
            body: row.json(17)?,
            correction_of: maybe(18)?,
            superseded_by: maybe(19)?,
            decision_comment: maybe(20)?,
            label: row.int(21)?,
            anchor: maybe(22)?,
            pack_version: text(23)?,
            counterparty_id: maybe(24)?,
            spec: domains.event(row.text(2)?, row.text(23)?, row.text(3)?),
        })
    }

    /// Whether it is of this type.
    pub(crate) fn is_of(&self, domain: &str, kind: &str) -> bool {
        self.domain == domain && self.kind == kind
    }

    /// Whether it is within reach, by the same columns that lists are limited by.
    pub(crate) fn is_within(&self, scope: &Scope) -> bool {
        scope.covers(&EVENT_COLUMNS, &self.stands(self.label))
    }

    /// Whether it is within reach of somebody who is cleared for 敏感 there: a clearance counts where it
    /// was given.
    pub(crate) fn is_open(&self, scope: &Scope) -> bool {
        let label = self.label.max(DataClass::Sensitive.level());
        scope.covers(&EVENT_COLUMNS, &self.stands(label))
    }

    fn stands(&self, label: i64) -> Place<'_> {
        Place {
            region: Some(&self.region),
            subject: Some(&self.subject_id),
            category: Some(&self.domain),
            stage: Some(&self.stage),
            label: Some(label),
            ..Place::default()
        }
    }

    /// 行政区划代码 of where it happened: its own place, or where its subject lay. Who supervises it
    /// is said by [`StoredEvent::region`] alone.
    pub(crate) fn place(&self) -> &str {
        self.body["place"]["region"].as_str().unwrap_or(&self.region)
    }

    /// Its attributes without 个人信息 and 商业秘密. Those of an unknown type are as they are stored,
    /// where both are sealed.
    pub(crate) fn unclassed(&self, attributes: Map<String, Value>) -> Map<String, Value> {
        match &self.spec {
            Some(spec) => spec.unclassed(&attributes),
            None => attributes,
        }
    }

    /// What exactly is anchored: the row and its links, without 个人信息 and 商业秘密. The check of a stored
    /// record makes the same from what the tables hold then.
    pub(crate) fn anchored(&self, links: &[Link]) -> Result<Value> {
        let attributes = self.body["attributes"].as_object().cloned().unwrap_or_default();
        let attributes = self.unclassed(attributes);
        let mut links: Vec<_> = links.iter().collect();
        links.sort_by_key(|link| (link.role.code(), link.code.clone()));
        let link = |link: &&Link| json!({ "code": link.code, "role": link.role.code(), "quantity": link.quantity });
        Ok(json!({
            "domain": self.domain, "type": self.kind, "stage": self.stage, "subject": self.subject_code,
            "event_time": self.time, "recorded_at": time_text(self.recorded_at)?, "source": self.source,
            "inputs": self.body["inputs"], "outputs": self.body["outputs"], "place": self.body["place"],
            "counterparty": self.body["counterparty"], "documents": self.body["documents"],
            "evidence": self.body["evidence"], "attributes": attributes, "lot": self.lot,
            "region": self.place(), "correction_of": self.correction_of,
            "correction_reason": self.body["correction_reason"],
            "supervised_in": self.region, "subject_id": self.subject_id, "product_id": self.product_id,
            "counterparty_id": self.counterparty_id, "pack_version": self.pack_version,
            "external_id": self.body["external_id"], "withdraws": self.body["withdraws"] == true,
            "links": links.iter().map(link).collect::<Vec<_>>(),
        }))
    }

    /// The canonical record of an accepted event.
    pub(crate) fn envelope(&self, links: &[Link]) -> Result<Envelope> {
        let time =
            jiff::Timestamp::from_millisecond(self.time.unix_ms()).map_err(Problem::internal)?;
        let body = self.anchored(links)?;
        Envelope::new("trace_event", &self.uid, &self.subject_code, &time.to_string(), body)
            .map_err(Problem::internal)
    }
}

/// Head of a statement for rows of [`event_row`].
const EVENT_INSERT: &str = "INSERT INTO trace_event (id, uid, digest, domain, kind, stage, subject_id, \
     subject_code, product_id, lot, region, event_time, event_offset, recorded_at, recorded_by, source, \
     state, held_reason, body, correction_of, pack_version, counterparty_id)";

/// What is written of one event.
pub(crate) struct EventRow {
    key: Vec<SqlValue>,
    row: Vec<SqlValue>,
}

/// Statements that write events and their keys. What no two events may share the keys keep apart, and
/// an engine that divides nothing its one table.
pub(crate) fn insert_events(dialect: Dialect, events: Vec<EventRow>) -> Vec<Sql> {
    let (keys, rows) = events.into_iter().map(|event| (event.key, event.row)).unzip();
    let mut statements = match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => {
            insert_rows("INSERT INTO trace_event_key (id, uid, digest, event_time)", "", keys)
        }
    };
    statements.extend(insert_rows(EVENT_INSERT, "", rows));
    statements
}

/// One row of `trace_event`, and its key.
pub(crate) fn event_row(stored: &StoredEvent, digest: &str) -> EventRow {
    let time = stored.time.unix_ms();
    let key = vec![stored.id.into(), (&stored.uid).into(), digest.into(), time.into()];
    let row = vec![
        stored.id.into(),
        (&stored.uid).into(),
        digest.into(),
        (&stored.domain).into(),
        (&stored.kind).into(),
        (&stored.stage).into(),
        (&stored.subject_id).into(),
        (&stored.subject_code).into(),
        stored.product_id.clone().into(),
        stored.lot.clone().into(),
        (&stored.region).into(),
        time.into(),
        stored.time.offset_minutes().into(),
        stored.recorded_at.into(),
        (&stored.recorded_by).into(),
        (&stored.source).into(),
        (&stored.state).into(),
        stored.held_reason.clone().into(),
        stored.body.to_string().into(),
        stored.correction_of.clone().into(),
        (&stored.pack_version).into(),
        stored.counterparty_id.clone().into(),
    ];
    EventRow { key, row }
}

/// Adds to the daily counts: key is day, region, domain, stage.
pub(crate) fn rollup(counts: BTreeMap<(String, String, String, &'static str), i64>) -> Vec<Sql> {
    let rows = counts.into_iter().map(|((day, region, domain, stage), events)| {
        vec![day.into(), region.into(), domain.into(), stage.into(), events.into()]
    });
    insert_rows(
        "INSERT INTO trace_rollup (day, region, domain, stage, events)",
        "ON CONFLICT (day, region, domain, stage) DO UPDATE SET events = trace_rollup.events + excluded.events",
        rows.collect(),
    )
}
