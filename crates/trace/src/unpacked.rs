//! Chains through packages (ADR 47). What is in a package travels with it and is not made into it: a chain
//! that enters a package with one thing leaves it with that thing alone, and what else was in the package
//! is beside the chain. Recursive queries follow inputs to outputs; an opened package is no input to them,
//! so they end there; and they do not know by which of its inputs they came to an event, of which several may
//! only go on in it together (ADR 48). Where something was unpacked on the way, or went on together, the
//! chain is walked again here, exactly.
//!
//! A unit is reached *whole*, and then all that comes out of it is too; or as a package that *carries*
//! something, from when that was put in until it was taken out. What was carried goes on under its own
//! code, by which it was reached before.

mod graph;
mod walk;

use std::{collections::BTreeSet, ops::ControlFlow};

use rustc_hash::{FxHashMap, FxHashSet};
use yj_kernel::{Problem, Result, Sql, Tx};

use crate::closure::{Direction, EVENTS_MAX, OBJECTS_MAX, TOGETHER};

pub(crate) use self::graph::Event;
use self::{graph::Graph, walk::Walk};

/// What a way leads to.
pub(crate) struct Exact {
    events: FxHashSet<i64>,
    objects: FxHashSet<i64>,
    /// Packages that were on the way and have nothing of it any more.
    left: FxHashSet<i64>,
    /// Every event that was looked at on the way.
    links: FxHashMap<i64, Event>,
    /// Whether the way goes on.
    more: bool,
}

impl Exact {
    /// The events in the order of their numbers, and whether there are more.
    pub(crate) fn events(&self) -> (Vec<i64>, bool) {
        let mut events: Vec<i64> = self.events.iter().copied().collect();
        events.sort_unstable();
        let more = self.more || events.len() > EVENTS_MAX;
        events.truncate(EVENTS_MAX);
        (events, more)
    }

    /// What was read of an event on the way.
    pub(crate) fn event(&self, event: i64) -> Option<&Event> {
        self.links.get(&event)
    }

    /// Whether an object was a package on the way that what was asked for was taken out of.
    pub(crate) fn has_left(&self, object: i64) -> bool {
        self.left.contains(&object)
    }

    /// Whether the way leads to an object.
    pub(crate) fn reaches(&self, object: i64) -> bool {
        self.objects.contains(&object)
    }
}

/// Where a way leads, if packages were opened on it; `None` where none was on the way to the events that
/// inputs and outputs lead to.
pub(crate) async fn through_packages(
    tx: &mut Tx,
    root: i64,
    direction: Direction,
    events: &[i64],
) -> Result<Option<Exact>> {
    if !any(tx).await? || !touches(tx, root, direction, events).await? {
        return Ok(None);
    }
    walked(tx, root, direction, events).await.map(Some)
}

/// Where a way leads, walked in any case. `events` is what inputs and outputs lead to.
pub(crate) async fn walked(
    tx: &mut Tx,
    root: i64,
    direction: Direction,
    events: &[i64],
) -> Result<Exact> {
    let mut graph = Graph::default();
    graph.read_ahead(tx, (root, direction), events).await?;
    let mut walk = Walk::over(graph, root, true);
    match direction {
        Direction::Downstream => walk.downstream(tx, root).await?,
        Direction::Upstream => walk.upstream(tx, root).await?,
    }
    let (mut graph, events, objects, more) = walk.end();
    let mut left = FxHashSet::default();
    if direction == Direction::Downstream && !more && graph.has_packages() {
        let mut walk = Walk::over(graph, root, false);
        walk.downstream(tx, root).await?;
        let concerned;
        (graph, _, concerned, _) = walk.end();
        left = objects.difference(&concerned).copied().collect();
    }
    Ok(Exact { events, objects, left, links: graph.events, more })
}

/// Everything downstream, whatever the times that were given: a package that something was taken out of is
/// concerned by it no more, one that it is still in is. `plain` is what inputs and outputs lead to.
pub(crate) async fn all_downstream(
    tx: &mut Tx,
    root: i64,
    plain: BTreeSet<i64>,
) -> Result<BTreeSet<i64>> {
    if !any(tx).await? || !opened(tx, &plain).await? {
        return Ok(plain);
    }
    let mut walk = Walk::new(root, false);
    walk.downstream(tx, root).await?;
    if walk.objects.len() > OBJECTS_MAX {
        return Err(Problem::TooLarge(format!("下游追溯单元超过 {OBJECTS_MAX} 个，请分批处理")));
    }
    Ok(walk.objects.into_iter().collect())
}

/// The packages that something is in, and those that these are in.
pub(crate) async fn packages_around(tx: &mut Tx, root: i64) -> Result<BTreeSet<i64>> {
    let mut walk = Walk::new(root, false);
    walk.packages(tx, root).await?;
    Ok(walk.objects.into_iter().collect())
}

/// What was ever taken out of some units, and out of that; these among it.
pub(crate) async fn taken_out(tx: &mut Tx, roots: BTreeSet<i64>) -> Result<BTreeSet<i64>> {
    if !any(tx).await? {
        return Ok(roots);
    }
    let mut sql =
        Sql::new("WITH RECURSIVE reach(object_id) AS (SELECT r.id FROM trace_object r WHERE r.id ");
    sql.bind_ints(roots).push(
        " UNION SELECT c.object_id FROM reach o CROSS JOIN trace_link u CROSS JOIN trace_link c \
         WHERE u.object_id = o.object_id AND u.role = 3 AND c.event_id = u.event_id AND c.role = 1) \
         SELECT object_id FROM reach LIMIT ",
    );
    sql.bind(i64::try_from(OBJECTS_MAX).map_err(Problem::internal)?);
    tx.fetch(sql).await?.iter().map(|row| row.int(0)).collect()
}

/// Whether anything was ever unpacked.
async fn any(tx: &mut Tx) -> Result<bool> {
    let sql = Sql::new("SELECT event_id FROM trace_link WHERE role = 3 LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_some())
}

/// Whether a package was opened where events lead: one that the root is, or that they put out (downstream)
/// or took (upstream); or by one of them.
async fn touches(tx: &mut Tx, root: i64, direction: Direction, events: &[i64]) -> Result<bool> {
    if direction == Direction::Downstream && opened(tx, &BTreeSet::from([root])).await? {
        return Ok(true);
    }
    let roles = match direction {
        Direction::Downstream => "(1)",
        Direction::Upstream => "(0, 3)",
    };
    if let Some(packages) = fewer_packages(tx, events.len()).await? {
        return linked(tx, &packages, (roles, events)).await;
    }
    for part in events.chunks(TOGETHER) {
        let mut sql = Sql::new(
            "SELECT u.event_id FROM trace_link o CROSS JOIN trace_link u \
             WHERE u.object_id = o.object_id AND u.role = 3 AND o.role IN ",
        );
        sql.push(roles).push(" AND o.event_id ");
        sql.bind_ints(part.iter().copied()).push(" LIMIT 1");
        if tx.fetch_one(sql).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The packages that were ever opened, if a long chain has more events than there are of them: then it is
/// quicker to look where they were than what became of all that the events name.
async fn fewer_packages(tx: &mut Tx, events: usize) -> Result<Option<Vec<i64>>> {
    if events <= TOGETHER {
        return Ok(None);
    }
    let most = i64::try_from(events).map_err(Problem::internal)?;
    let sql = Sql::new("SELECT DISTINCT object_id FROM trace_link WHERE role = 3 LIMIT $1");
    let rows = tx.fetch(sql.arg(most)).await?;
    if rows.len() == events {
        return Ok(None);
    }
    rows.iter().map(|row| row.int(0)).collect::<Result<_>>().map(Some)
}

/// Whether any of some objects has one of these roles in one of these events, which are in the order of
/// their numbers.
async fn linked(
    tx: &mut Tx,
    objects: &[i64],
    (roles, events): (&'static str, &[i64]),
) -> Result<bool> {
    let queries = objects.chunks(TOGETHER).map(|part| {
        let mut sql = Sql::new("SELECT event_id FROM trace_link WHERE role IN ");
        sql.push(roles).push(" AND object_id ").bind_ints(part.iter().copied());
        sql
    });
    let mut found = false;
    tx.fetch_ahead(queries.collect(), |rows| {
        for row in rows {
            found |= events.binary_search(&row.int(0)?).is_ok();
        }
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .await?;
    Ok(found)
}

/// Whether any of these objects is a package that was opened.
async fn opened(tx: &mut Tx, objects: &BTreeSet<i64>) -> Result<bool> {
    let mut sql = Sql::new("SELECT event_id FROM trace_link WHERE role = 3 AND object_id ");
    sql.bind_ints(objects.iter().copied()).push(" LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_some())
}
