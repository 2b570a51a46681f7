//! The closure over links, in the database: which objects and events a code leads to, upstream or
//! downstream, respecting time. An object counts only from when (downstream) or until when
//! (upstream) it was concerned.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Problem, Result, Sql, Tx};

use crate::{
    balance::{Link, LinkRole, Object},
    places,
    store::{self, StoredEvent},
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

/// Both ways are mirror images: links in and out swap, and so do "since" and "until". `CROSS JOIN`
/// keeps SQLite from starting at the links, of which there are millions, instead of at the few
/// objects reached.
const DOWNSTREAM: &str = "WITH RECURSIVE reach(object_id, moment) AS ( \
    SELECT id, CAST(-9223372036854775807 AS BIGINT) FROM trace_object WHERE id = $1 \
    UNION \
    SELECT o.object_id, o.event_time FROM reach r \
      CROSS JOIN trace_link i CROSS JOIN trace_link o \
      WHERE i.object_id = r.object_id AND i.role = 0 AND i.event_time >= r.moment \
        AND o.event_id = i.event_id AND o.role = 1) \
    SELECT 0, object_id, 0 FROM reach UNION \
    SELECT 1, i.event_id, i.event_time FROM reach r CROSS JOIN trace_link i \
      WHERE i.object_id = r.object_id AND i.role = 0 AND i.event_time >= r.moment";

const UPSTREAM: &str = "WITH RECURSIVE reach(object_id, moment) AS ( \
    SELECT id, CAST(9223372036854775807 AS BIGINT) FROM trace_object WHERE id = $1 \
    UNION \
    SELECT i.object_id, i.event_time FROM reach r \
      CROSS JOIN trace_link o CROSS JOIN trace_link i \
      WHERE o.object_id = r.object_id AND o.role = 1 AND o.event_time <= r.moment \
        AND i.event_id = o.event_id AND i.role = 0) \
    SELECT 0, object_id, 0 FROM reach UNION \
    SELECT 1, o.event_id, o.event_time FROM reach r CROSS JOIN trace_link o \
      WHERE o.object_id = r.object_id AND o.role = 1 AND o.event_time <= r.moment";

/// Follows the links from an object.
pub(crate) async fn closure(tx: &mut Tx, root: i64, direction: Direction) -> Result<Closure> {
    let reach = match direction {
        Direction::Downstream => DOWNSTREAM,
        Direction::Upstream => UPSTREAM,
    };
    let (mut objects, mut events) = (Vec::new(), Vec::new());
    for row in tx.fetch(Sql::new(reach).arg(root)).await? {
        if row.int(0)? == 0 {
            objects.push(row.int(1)?);
        } else {
            events.push((row.int(1)?, row.int(2)?));
        }
    }
    let truncated = objects.len() > OBJECTS_MAX || events.len() > OBJECTS_MAX;
    objects.truncate(OBJECTS_MAX);
    events.truncate(OBJECTS_MAX);
    let mut watching = Sql::new(
        "SELECT DISTINCT event_id, event_time FROM trace_link WHERE role = 2 AND object_id ",
    );
    watching.bind_ints(objects.iter().copied()).push(" ORDER BY event_id LIMIT 1000");
    let watching = tx.fetch(watching).await?;
    let watching = watching.iter().map(|row| Ok((row.int(0)?, row.int(1)?)));
    let watching = watching.collect::<Result<Vec<_>>>()?;
    let objects = store::objects_by_ids(tx, &objects).await?;
    let codes = objects.iter().filter_map(|(code, object)| Some((object.id?, code.as_str())));
    let codes = codes.collect::<BTreeMap<_, _>>();
    let events = gather(tx, &events, &codes).await?;
    let observations = gather(tx, &watching, &codes).await?;
    Ok(Closure { objects, events, observations, truncated })
}

/// Everything downstream, whatever the times that were given: a clock that is wrong, or made so, takes
/// nothing out of a recall.
const ALL_DOWNSTREAM: &str = "WITH RECURSIVE reach(object_id) AS ( \
    SELECT id FROM trace_object WHERE id = $1 \
    UNION \
    SELECT o.object_id FROM reach r CROSS JOIN trace_link i CROSS JOIN trace_link o \
      WHERE i.object_id = r.object_id AND i.role = 0 AND o.event_id = i.event_id AND o.role = 1) \
    SELECT object_id FROM reach";

/// The identifiers of what an object leads to downstream, its own among them.
pub(crate) async fn downstream(tx: &mut Tx, root: i64) -> Result<BTreeSet<i64>> {
    let rows = tx.fetch(Sql::new(ALL_DOWNSTREAM).arg(root)).await?;
    let reached = rows.iter().map(|row| row.int(0)).collect::<Result<BTreeSet<i64>>>()?;
    if reached.len() > OBJECTS_MAX {
        return Err(Problem::TooLarge(format!("下游追溯单元超过 {OBJECTS_MAX} 个，请分批处理")));
    }
    Ok(reached)
}

/// Events with their links, in the order of time, by number and time. `codes` are those of the objects
/// that are known already: thousands of links do not bring them along again.
async fn gather(
    tx: &mut Tx,
    told: &[(i64, i64)],
    codes: &BTreeMap<i64, &str>,
) -> Result<Vec<(StoredEvent, Vec<Link>)>> {
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let mut links =
        Sql::new("SELECT event_id, object_id, role, quantity FROM trace_link WHERE event_id ");
    links.bind_ints(told.iter().map(|(id, _)| *id));
    let links = tx.fetch(links).await?;
    let objects = links.iter().map(|row| row.int(1)).collect::<Result<BTreeSet<_>>>()?;
    let unknown = objects.into_iter().filter(|id| !codes.contains_key(id));
    let unknown = codes_of(tx, &unknown.collect::<Vec<_>>()).await?;
    let mut by_event: BTreeMap<i64, Vec<Link>> = BTreeMap::new();
    for row in &links {
        let (object, role) = (row.int(1)?, row.int(2)?);
        let code = codes.get(&object).copied().or_else(|| unknown.get(&object).map(String::as_str));
        let code =
            code.ok_or_else(|| Problem::internal("a link to an object that is not there"))?;
        by_event.entry(row.int(0)?).or_default().push(Link {
            code: String::from(code),
            role: LinkRole::from_code(role)
                .ok_or_else(|| Problem::internal(format!("trace_link.role is {role}")))?,
            quantity: row.int_opt(3)?.map(store::quantity).transpose()?,
        });
    }
    let events = places::events_at(tx, told).await?;
    let with_links = |event: StoredEvent| {
        let mut links = by_event.remove(&event.id).unwrap_or_default();
        links.sort_by(|a, b| (a.role.code(), &a.code).cmp(&(b.role.code(), &b.code)));
        (event, links)
    };
    Ok(events.into_iter().map(with_links).collect())
}

/// The codes of some objects.
async fn codes_of(tx: &mut Tx, ids: &[i64]) -> Result<BTreeMap<i64, String>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new("SELECT id, code FROM trace_object WHERE id ");
    sql.bind_ints(ids.iter().copied());
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((row.int(0)?, String::from(row.text(1)?)))).collect()
}
