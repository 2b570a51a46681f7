//! The closure over links, in the database: which objects and events a code leads to, upstream or
//! downstream, respecting time. An object counts only from when (downstream) or until when
//! (upstream) it was concerned.

use std::collections::BTreeMap;

use yj_kernel::{Problem, Result, Sql, Tx};

use crate::{
    balance::{Link, LinkRole, Object},
    store::{self, EVENT, StoredEvent},
};

/// Which way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// 追踪：去向
    Downstream,
    /// 溯源：来源
    Upstream,
}

/// Objects of one answer; more are cut off and said to be.
pub(crate) const OBJECTS_MAX: usize = 100_000;

/// What was found.
pub(crate) struct Closure {
    /// By code, the root included.
    pub(crate) objects: BTreeMap<String, Object>,
    /// In the order of time.
    pub(crate) events: Vec<(StoredEvent, Vec<Link>)>,
    /// Events that only looked at one of the objects.
    pub(crate) observations: Vec<(StoredEvent, Vec<Link>)>,
    /// Whether something was cut off.
    pub(crate) truncated: bool,
}

/// Both ways are mirror images: links in and out swap, and so do "since" and "until".
const DOWNSTREAM: &str = "WITH RECURSIVE reach(object_id, moment) AS ( \
    SELECT id, CAST(-9223372036854775807 AS BIGINT) FROM trace_object WHERE id = $1 \
    UNION \
    SELECT o.object_id, o.event_time FROM reach r \
      JOIN trace_link i ON i.object_id = r.object_id AND i.role = 0 AND i.event_time >= r.moment \
      JOIN trace_link o ON o.event_id = i.event_id AND o.role = 1), \
    touched(event_id) AS (SELECT DISTINCT i.event_id FROM reach r \
      JOIN trace_link i ON i.object_id = r.object_id AND i.role = 0 AND i.event_time >= r.moment) ";

const UPSTREAM: &str = "WITH RECURSIVE reach(object_id, moment) AS ( \
    SELECT id, CAST(9223372036854775807 AS BIGINT) FROM trace_object WHERE id = $1 \
    UNION \
    SELECT i.object_id, i.event_time FROM reach r \
      JOIN trace_link o ON o.object_id = r.object_id AND o.role = 1 AND o.event_time <= r.moment \
      JOIN trace_link i ON i.event_id = o.event_id AND i.role = 0), \
    touched(event_id) AS (SELECT DISTINCT o.event_id FROM reach r \
      JOIN trace_link o ON o.object_id = r.object_id AND o.role = 1 AND o.event_time <= r.moment) ";

/// Follows the links from an object.
pub(crate) async fn closure(tx: &mut Tx, root: i64, direction: Direction) -> Result<Closure> {
    let with = match direction {
        Direction::Downstream => DOWNSTREAM,
        Direction::Upstream => UPSTREAM,
    };
    let query = |tail: &str| {
        let mut sql = Sql::new(with).arg(root);
        sql.push(tail);
        sql
    };
    let limit = format!(" LIMIT {}", OBJECTS_MAX + 1);
    let objects = query(&format!(
        "SELECT o.code, o.id, o.product_id, o.lot, o.unit, o.subject_id, o.stage, o.produced, o.balance, o.state \
         FROM trace_object o WHERE o.id IN (SELECT object_id FROM reach){limit}"
    ));
    let mut found = BTreeMap::new();
    for row in tx.fetch(objects).await? {
        found.insert(String::from(row.text(0)?), store::object(&row, 1)?);
    }
    let events = query(&format!(
        "{EVENT} WHERE e.id IN (SELECT event_id FROM touched) ORDER BY e.event_time, e.id{limit}"
    ));
    let links = query(
        "SELECT l.event_id, o.code, l.role, l.quantity FROM trace_link l JOIN trace_object o ON o.id = l.object_id \
         WHERE l.event_id IN (SELECT event_id FROM touched) ORDER BY l.event_id, l.role, o.code",
    );
    let events = gather(tx, events, links).await?;
    let watching = "SELECT l.event_id FROM trace_link l WHERE l.role = 2 AND l.object_id IN (SELECT object_id FROM reach)";
    let observations = query(&format!(
        "{EVENT} WHERE e.id IN ({watching}) ORDER BY e.event_time, e.id LIMIT 1000"
    ));
    let links = query(&format!(
        "SELECT l.event_id, o.code, l.role, l.quantity FROM trace_link l JOIN trace_object o ON o.id = l.object_id \
         WHERE l.event_id IN ({watching}) ORDER BY l.event_id"
    ));
    let observations = gather(tx, observations, links).await?;
    let truncated = found.len() > OBJECTS_MAX || events.len() > OBJECTS_MAX;
    Ok(Closure { objects: found, events, observations, truncated })
}

async fn gather(tx: &mut Tx, events: Sql, links: Sql) -> Result<Vec<(StoredEvent, Vec<Link>)>> {
    let events = tx.fetch(events).await?;
    let mut by_event: BTreeMap<i64, Vec<Link>> = BTreeMap::new();
    for row in tx.fetch(links).await? {
        let role = row.int(2)?;
        by_event.entry(row.int(0)?).or_default().push(Link {
            code: String::from(row.text(1)?),
            role: LinkRole::from_code(role)
                .ok_or_else(|| Problem::internal(format!("trace_link.role is {role}")))?,
            quantity: row.int_opt(3)?.map(store::quantity).transpose()?,
        });
    }
    events
        .iter()
        .map(|row| {
            let event = StoredEvent::read(row)?;
            let links = by_event.remove(&event.id).unwrap_or_default();
            Ok((event, links))
        })
        .collect()
}
