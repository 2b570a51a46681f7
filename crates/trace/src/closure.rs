//! The closure over links, in the database: which objects and events a code leads to, upstream or
//! downstream, respecting time. An object counts only from when (downstream) or until when
//! (upstream) it was concerned.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use futures_util::try_join;
use rustc_hash::{FxHashMap, FxHashSet};
use yj_kernel::{Problem, Result, Row, Sql, Tx};

use crate::{
    balance::LinkRole,
    carried,
    names::Names,
    sequence::in_order_of_cause,
    steps::{self, Kinds, Step},
    store,
    units::{self, Edge, Unit, Ways},
    unpacked::{self, Exact},
};

/// Which way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// 追踪：去向
    Downstream,
    /// 溯源：来源
    Upstream,
}

/// Events of one answer each way; more are cut off and said to be. A chain of so many is composed in
/// two seconds and takes a fifth of the memory that the platform may take.
pub(crate) const EVENTS_MAX: usize = 100_000;
/// Objects of one answer, and of one order: those of the longest chain, of which each event makes two
/// of one, and half as many again. Those that are read together with the one that crosses the bound are
/// told, and no event after them.
pub(crate) const OBJECTS_MAX: usize = 250_000;
/// Events that looked at the objects of one answer, each way: the newest; more are cut off and said to be.
const OBSERVATIONS_MAX: usize = 1_000;
/// What is asked for together. Answers are read and thrown away part by part: a long chain takes no
/// more memory for them than a short one.
pub(crate) const TOGETHER: usize = 2_000;

/// The same of objects of which it is only asked who looked at them: few answers come of many.
const LOOKED_AT_TOGETHER: usize = 100_000;

/// What was found.
pub(crate) struct Closure {
    /// The root, and whatever the events name, in the order of codes.
    pub(crate) units: Vec<Unit>,
    /// Number of the object that was asked for.
    pub(crate) root: usize,
    /// In the order of time.
    pub(crate) steps: Vec<Step>,
    /// Events that only looked at one of the objects.
    pub(crate) observations: Vec<Step>,
    /// Identifiers, regions and other texts of them.
    pub(crate) names: Names,
    pub(crate) kinds: Kinds,
    /// The ways on which something was cut off.
    pub(crate) truncated: Ways,
    /// Whether more events only looked at the objects than are told.
    pub(crate) overlooked: bool,
}

impl Closure {
    /// What the ways lead to, the root among it.
    pub(crate) fn reached(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.reached.any())
    }
}

/// Each event is reached once, and its objects are those that its links name. Both ways are mirror
/// images: links in and out swap, and so do "since" and "until". `CROSS JOIN` keeps SQLite from starting
/// at the links, of which there are millions, instead of at the few events reached. When an event happened
/// comes along with it, so that its links are read from their index alone. What is not asked for any
/// more is not looked for either.
const DOWNSTREAM: &str = "WITH RECURSIVE reach(event_id, event_time) AS ( \
    SELECT i.event_id, i.event_time FROM trace_link i WHERE i.object_id = $1 AND i.role = 0 \
    UNION \
    SELECT i.event_id, i.event_time FROM reach r CROSS JOIN trace_link o CROSS JOIN trace_link i \
      WHERE o.event_id = r.event_id AND o.role = 1 \
        AND i.object_id = o.object_id AND i.role = 0 AND i.event_time >= r.event_time) \
    SELECT event_id FROM reach LIMIT $2";

const UPSTREAM: &str = "WITH RECURSIVE reach(event_id, event_time) AS ( \
    SELECT o.event_id, o.event_time FROM trace_link o WHERE o.object_id = $1 AND o.role = 1 \
    UNION \
    SELECT o.event_id, o.event_time FROM reach r CROSS JOIN trace_link i CROSS JOIN trace_link o \
      WHERE i.event_id = r.event_id AND i.role = 0 \
        AND o.object_id = i.object_id AND o.role = 1 AND o.event_time <= r.event_time) \
    SELECT event_id FROM reach LIMIT $2";

/// The events reached, in the order of their numbers, and whether there are more.
async fn reach(tx: &mut Tx, root: i64, direction: Direction) -> Result<(Vec<i64>, bool)> {
    let reach = match direction {
        Direction::Downstream => DOWNSTREAM,
        Direction::Upstream => UPSTREAM,
    };
    let most = i64::try_from(EVENTS_MAX).map_err(Problem::internal)?;
    let rows = tx.fetch(Sql::new(reach).arg(root).arg(most + 1)).await?;
    let mut events = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    let more = events.len() > EVENTS_MAX;
    events.truncate(EVENTS_MAX);
    events.sort_unstable();
    Ok((events, more))
}

/// A link as the database has it.
struct Kept {
    event: i64,
    time: i64,
    object: i64,
    role: LinkRole,
    quantity: Option<i64>,
}

impl Kept {
    /// Those of the rows that are links of the events asked for.
    fn read_all<'a>(rows: &'a [Row], events: &'a [i64]) -> impl Iterator<Item = Result<Self>> + 'a {
        let asked = |link: &Result<Self>| {
            link.as_ref().map_or(true, |link| events.binary_search(&link.event).is_ok())
        };
        rows.iter().map(Self::read).filter(asked)
    }

    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            event: row.int(0)?,
            object: row.int(1)?,
            role: store::role(row.int(2)?)?,
            quantity: row.int_opt(3)?,
            time: row.int(4)?,
        })
    }

    /// The links of an event that was read before.
    fn of(event: i64, read: &unpacked::Event) -> impl Iterator<Item = Self> {
        let time = read.time;
        let links = read.links.iter();
        links.map(move |&(object, role, quantity)| Self { event, time, object, role, quantity })
    }
}

/// A link as it was found.
#[derive(Clone)]
struct Link {
    event: i64,
    /// Place of the object among those found.
    object: usize,
    role: LinkRole,
    quantity: Option<yj_model::Quantity>,
}

/// An event as links tell of it.
#[derive(Clone, Copy)]
struct Told {
    time: i64,
    ways: Ways,
}

/// What was found so far.
#[derive(Default, Clone)]
struct Found {
    /// Identifiers of objects, in the order in which they were found.
    objects: Vec<i64>,
    /// Which ways lead to each.
    reached: Vec<Ways>,
    places: FxHashMap<i64, usize>,
    /// Those that were packages of what was asked for, and are no more.
    left: FxHashSet<i64>,
    links: Vec<Link>,
    events: FxHashMap<i64, Told>,
}

impl Found {
    fn place(&mut self, object: i64) -> usize {
        *self.places.entry(object).or_insert_with(|| {
            self.objects.push(object);
            self.reached.push(Ways::default());
            self.objects.len() - 1
        })
    }

    /// Takes the links of events that were not known before, and of the known ones that this way leads to
    /// them as well.
    fn follow(
        &mut self,
        links: impl Iterator<Item = Result<Kept>>,
        known: &[i64],
        way: Option<Direction>,
    ) -> Result<()> {
        for event in known {
            if let (Some(told), Some(way)) = (self.events.get_mut(event), way) {
                told.ways.add(way);
            }
        }
        if let (Some(way), false) = (way, known.is_empty()) {
            let links = self.links.iter().filter(|link| link.role == leads(way));
            for link in links.filter(|link| known.binary_search(&link.event).is_ok()) {
                self.reached[link.object].add(way);
            }
        }
        let first = self.links.len();
        for link in links {
            let Kept { event, time, object, role, quantity } = link?;
            let object = self.place(object);
            let quantity = quantity.map(store::quantity).transpose()?;
            if self.links[first..].last().is_none_or(|last| last.event != event) {
                let mut ways = Ways::default();
                way.into_iter().for_each(|way| ways.add(way));
                self.events.insert(event, Told { time, ways });
            }
            self.links.push(Link { event, object, role, quantity });
        }
        if let Some(way) = way {
            for link in self.links[first..].iter().filter(|link| link.role == leads(way)) {
                self.reached[link.object].add(way);
            }
        }
        Ok(())
    }

    /// Follows events one way, of which some may have been found on the other; whether there was room for
    /// all of them. `None` where several things went on together in one of them: not all of this may be on
    /// the way.
    async fn reach(&mut self, tx: &mut Tx, events: &[i64], way: Direction) -> Result<Option<bool>> {
        let parts = events.chunks(TOGETHER).map(|part| self.divided(part));
        let parts: Vec<(Vec<i64>, Vec<i64>)> = parts.collect();
        let queries: Vec<Sql> = parts.iter().map(|(_, new)| links(new)).collect();
        let (mut parts, mut room, mut together) = (parts.iter(), true, false);
        tx.fetch_ahead(queries, |rows| {
            room = self.objects.len() <= OBJECTS_MAX;
            let Some((known, new)) = parts.next().filter(|_| room) else {
                return Ok(ControlFlow::Break(()));
            };
            let first = self.links.len();
            self.follow(Kept::read_all(&rows, new), known, Some(way))?;
            let new = self.links[first..].iter().map(|link| self.plain(link));
            together = go_on_together(new.chain(self.links_of(known)));
            Ok(if together { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .await?;
        Ok(Some(room).filter(|_| !together))
    }

    /// The links of events that were found, which are in the order of their numbers.
    fn links_of(&self, known: &[i64]) -> impl Iterator<Item = PlainLink> {
        let all = if known.is_empty() { &[] } else { &*self.links };
        let own = all.iter().filter(|link| known.binary_search(&link.event).is_ok());
        own.map(|link| self.plain(link))
    }

    fn plain(&self, link: &Link) -> PlainLink {
        (link.role, (link.event, self.objects[link.object]))
    }

    /// Follows one way from the root to its end; whether all that is on it was found. Of inputs and outputs
    /// alone the database tells the events; where packages were opened among them, or several things went
    /// on together, the way is walked.
    async fn lead(&mut self, tx: &mut Tx, root: i64, way: Direction) -> Result<bool> {
        let (events, more) = reach(tx, root, way).await?;
        if events.len() > TOGETHER {
            if let Some(exact) = unpacked::through_packages(tx, root, way, &events).await? {
                return self.reach_exactly(&exact, way);
            }
            let before = self.clone();
            if let Some(room) = self.reach(tx, &events, way).await? {
                return Ok(room && !more);
            }
            *self = before;
            return self.reach_exactly(&unpacked::walked(tx, root, way, &events).await?, way);
        }
        let (known, new) = self.divided(&events);
        let rows = tx.fetch(links(&new)).await?;
        let read = Kept::read_all(&rows, &new).collect::<Result<Vec<_>>>()?;
        let new = read.iter().map(|link| (link.role, (link.event, link.object)));
        let exact = if go_on_together(new.chain(self.links_of(&known))) {
            Some(unpacked::walked(tx, root, way, &events).await?)
        } else {
            unpacked::through_packages(tx, root, way, &events).await?
        };
        if let Some(exact) = exact {
            return self.reach_exactly(&exact, way);
        }
        self.follow(read.into_iter().map(Ok), &known, Some(way))?;
        Ok(true)
    }

    /// Takes what was read on a way that was walked; whether that was all of it.
    fn reach_exactly(&mut self, exact: &Exact, way: Direction) -> Result<bool> {
        let (events, more) = exact.events();
        for part in events.chunks(TOGETHER) {
            if self.objects.len() > OBJECTS_MAX {
                return Ok(false);
            }
            let (known, new) = self.divided(part);
            let read = new.iter().filter_map(|id| Some((*id, exact.event(*id)?)));
            let links = read.flat_map(|(id, event)| Kept::of(id, event)).map(Ok);
            self.follow(links, &known, Some(way))?;
        }
        self.only(way, |object| exact.reaches(object));
        self.left.extend(self.objects.iter().filter(|object| exact.has_left(**object)));
        Ok(!more)
    }

    /// Events that were found before, and others.
    fn divided(&self, events: &[i64]) -> (Vec<i64>, Vec<i64>) {
        events.iter().copied().partition(|event| self.events.contains_key(event))
    }

    /// Corrects to which objects a way leads.
    fn only(&mut self, way: Direction, leads: impl Fn(i64) -> bool) {
        for (object, ways) in self.objects.iter().zip(&mut self.reached) {
            if leads(*object) { ways.add(way) } else { ways.remove(way) }
        }
    }

    /// When some events happened.
    fn told(&self, events: impl Iterator<Item = i64>) -> Vec<(i64, i64)> {
        events.filter_map(|event| Some((event, self.events.get(&event)?.time))).collect()
    }
}

/// A role in an event, and the object.
type PlainLink = (LinkRole, (i64, i64));

/// Whether several things go on under their own codes in one of the events that these are the links of.
fn go_on_together(links: impl Iterator<Item = PlainLink>) -> bool {
    let all: Vec<PlainLink> = links.collect();
    let of = |role| all.iter().filter(move |link| link.0 == role).map(|link| link.1);
    let taken: FxHashSet<(i64, i64)> = of(LinkRole::Input).collect();
    let mut once = FxHashSet::default();
    of(LinkRole::Output).filter(|link| taken.contains(link)).any(|link| !once.insert(link.0))
}

/// The query for the links of some events in the order of their numbers, for [`Kept::read_all`].
pub(crate) fn links(events: &[i64]) -> Sql {
    let mut sql = Sql::new(
        "SELECT event_id, object_id, role, quantity, event_time FROM trace_link WHERE event_id ",
    );
    sql.bind_near(events).push(" ORDER BY event_id");
    sql
}

/// Where an event leads on this way.
const fn leads(way: Direction) -> LinkRole {
    match way {
        Direction::Downstream => LinkRole::Output,
        Direction::Upstream => LinkRole::Input,
    }
}

/// Follows the links from an object, each of these ways.
pub(crate) async fn closure(tx: &mut Tx, root: i64, directions: &[Direction]) -> Result<Closure> {
    let (mut found, mut truncated) = (Found::default(), Ways::default());
    let place = found.place(root);
    for &direction in directions {
        found.reached[place].add(direction);
        if !found.lead(tx, root, direction).await? {
            truncated.add(direction);
        }
    }
    let chained: Vec<i64> = found.events.keys().copied().collect();
    let told = found.told(chained.into_iter());
    let (names, mut kinds) = (Mutex::default(), Kinds::default());
    // What the links name and what the events say is read at a time where the engine can, and where it is
    // more than one part.
    let mut beside = if told.len() <= TOGETHER { None } else { tx.beside().await? };
    let (mut named, mut steps) = if let Some(beside) = &mut beside {
        let steps = steps::read(beside, told, (&names, &mut kinds));
        try_join!(named(tx, &mut found, directions, &names), steps)?
    } else {
        let named = named(tx, &mut found, directions, &names).await?;
        (named, steps::read(tx, told, (&names, &mut kinds)).await?)
    };
    let told = found.told(named.watching.into_iter());
    let mut observations = steps::read(tx, told, (&names, &mut kinds)).await?;
    let units = &mut named.units;
    let numbers = in_order(units);
    for link in &mut found.links {
        link.object = numbers[link.object];
    }
    found.links.sort_unstable_by_key(|link| (link.event, link.role.code(), link.object));
    for step in &mut steps {
        step.ways = found.events.get(&step.id).map(|told| told.ways).unwrap_or_default();
    }
    for step in steps.iter_mut().chain(&mut observations) {
        step.edges = edges(&found.links, step.id);
    }
    let steps = in_order_of_cause(steps);
    Ok(Closure {
        units: named.units,
        root: numbers[0],
        steps,
        observations,
        names: names.into_inner().unwrap_or_else(PoisonError::into_inner),
        kinds,
        truncated,
        overlooked: named.overlooked,
    })
}

/// What the links of a chain name.
struct Named {
    units: Vec<Unit>,
    /// Events that only looked at one of them.
    watching: BTreeSet<i64>,
    overlooked: bool,
}

/// Reads the units that were found, who looked at them, and what else these looked at.
async fn named(
    tx: &mut Tx,
    found: &mut Found,
    directions: &[Direction],
    names: &Mutex<Names>,
) -> Result<Named> {
    let mut units = units::read(tx, &found.objects, (&found.places, 0), names).await?;
    for (unit, reached) in units.iter_mut().zip(&found.reached) {
        unit.reached = *reached;
        unit.left = found.left.contains(&unit.id);
    }
    let (mut watching, mut overlooked) = (BTreeSet::new(), false);
    for &direction in directions {
        let objects = units.iter().filter(|unit| unit.reached.has(direction));
        let objects: Vec<i64> = objects.map(|unit| unit.id).collect();
        let (events, more) = looked_at(tx, objects).await?;
        watching.extend(events);
        overlooked |= more;
    }
    let new = watching.iter().copied().filter(|event| !found.events.contains_key(event));
    let (new, known): (Vec<i64>, _) = (new.collect(), found.objects.len());
    if !new.is_empty() {
        found.follow(Kept::read_all(&tx.fetch(links(&new)).await?, &new), &[], None)?;
    }
    let more = &found.objects[known..];
    units.extend(units::read(tx, more, (&found.places, known), names).await?);
    follow_carried(tx, &mut units, &found.links, names).await?;
    Ok(Named { units, watching, overlooked })
}

/// Tells of the units that went on under their own codes how they did. Those of which everything was put
/// out by events that were found, where nothing of them went in, did not.
async fn follow_carried(
    tx: &mut Tx,
    units: &mut [Unit],
    links: &[Link],
    names: &Mutex<Names>,
) -> Result<()> {
    let mut put_out = vec![0_i64; units.len()];
    for link in links.iter().filter(|link| link.role == LinkRole::Output) {
        put_out[link.object] += link.quantity.map_or(0, yj_model::Quantity::scaled);
    }
    let taken: FxHashSet<(i64, usize)> = links
        .iter()
        .filter(|link| link.role == LinkRole::Input)
        .map(|link| (link.event, link.object))
        .collect();
    let outputs = links.iter().filter(|link| link.role == LinkRole::Output);
    // What came out of a package was put out by whoever made it too.
    let unpacks: FxHashSet<i64> =
        links.iter().filter(|link| link.role == LinkRole::Opened).map(|link| link.event).collect();
    let again = outputs
        .filter(|link| taken.contains(&(link.event, link.object)) || unpacks.contains(&link.event));
    let mut asked: BTreeSet<usize> = again.map(|link| link.object).collect();
    let elsewhere = units.iter().enumerate();
    let elsewhere = elsewhere.filter(|(place, unit)| unit.produced.scaled() != put_out[*place]);
    asked.extend(elsewhere.map(|(place, _)| place));
    let ids: Vec<i64> = asked.iter().map(|place| units[*place].id).collect();
    let mut all = carried::read(tx, &ids, names).await?;
    for place in asked {
        let unit = &mut units[place];
        if let Some(put_out) = all.remove(&unit.id) {
            unit.produced = carried::made(unit.produced, &put_out)?;
            unit.put_out = put_out;
        }
    }
    Ok(())
}

/// Puts the units in the order of their codes, and tells the number that each has there.
fn in_order(units: &mut [Unit]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|one, other| units[*one].code.cmp(&units[*other].code));
    let mut numbers = vec![0; units.len()];
    for (number, place) in order.into_iter().enumerate() {
        numbers[place] = number;
    }
    // Each is where it belongs after as many exchanges as there are units, and none is copied.
    let mut at = numbers.clone();
    for place in 0..units.len() {
        while at[place] != place {
            let belongs = at[place];
            units.swap(place, belongs);
            at.swap(place, belongs);
        }
    }
    numbers
}

/// Of links in the order of events those of one.
fn edges(links: &[Link], event: i64) -> Vec<Edge> {
    let first = links.partition_point(|link| link.event < event);
    let own = links[first..].iter().take_while(|link| link.event == event);
    own.map(|link| Edge { unit: link.object, role: link.role, quantity: link.quantity }).collect()
}

/// The newest events that looked at any of these objects, and whether there are more.
async fn looked_at(tx: &mut Tx, mut objects: Vec<i64>) -> Result<(BTreeSet<i64>, bool)> {
    let most = i64::try_from(OBSERVATIONS_MAX).map_err(Problem::internal)?;
    let mut events = BTreeSet::new();
    objects.sort_unstable();
    // The sum keeps PostgreSQL from reading all there is backwards until it has found enough. Where nobody
    // looked at anything near, none is looked up.
    let queries = objects.chunks(LOOKED_AT_TOGETHER).map(|objects| {
        let mut sql = Sql::new(
            "SELECT DISTINCT event_id + 0 AS event FROM trace_link WHERE EXISTS (SELECT 1 FROM trace_link n \
             WHERE n.role = 2 AND n.object_id BETWEEN ",
        );
        sql.bind(objects[0]).push(" AND ").bind(objects[objects.len() - 1]);
        sql.push(") AND role = 2 AND object_id ").bind_ints(objects.iter().copied());
        sql.push(" ORDER BY event DESC LIMIT ").bind(most + 1);
        sql
    });
    tx.fetch_ahead(queries.collect(), |rows| {
        for row in rows {
            events.insert(row.int(0)?);
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    let more = events.len() > OBSERVATIONS_MAX;
    while events.len() > OBSERVATIONS_MAX {
        events.pop_first();
    }
    Ok((events, more))
}

/// Everything downstream, whatever the times that were given: a clock that is wrong, or made so, takes
/// nothing out of a recall.
const ALL_DOWNSTREAM: &str = "WITH RECURSIVE reach(object_id) AS ( \
    SELECT id FROM trace_object WHERE id = $1 \
    UNION \
    SELECT o.object_id FROM reach r CROSS JOIN trace_link i CROSS JOIN trace_link o \
      WHERE i.object_id = r.object_id AND i.role = 0 AND o.event_id = i.event_id AND o.role = 1";

/// Of things that go on under their own codes in one event none is made of another, unless it grew: what
/// follows `r`, an input `i` and an output `o` of a recursion over objects. The engines look up one row
/// for each; of an `EXISTS` PostgreSQL might gather all there are.
pub(crate) const NOT_GOING_ON_TOGETHER: &str = " AND (o.object_id = r.object_id \
      OR COALESCE((SELECT COALESCE(c.quantity, 0) FROM trace_link c WHERE c.event_id = o.event_id \
        AND c.role = 0 AND c.object_id = o.object_id), -1) < COALESCE(o.quantity, 0) \
      OR (SELECT s.event_id FROM trace_link s WHERE s.event_id = i.event_id \
        AND s.role = 1 AND s.object_id = r.object_id) IS NULL)";

/// The identifiers of what an object leads to downstream, its own among them.
pub(crate) async fn downstream(tx: &mut Tx, root: i64) -> Result<BTreeSet<i64>> {
    let most = i64::try_from(OBJECTS_MAX).map_err(Problem::internal)?;
    let mut sql = Sql::new(ALL_DOWNSTREAM).arg(root).arg(most + 1);
    sql.push(NOT_GOING_ON_TOGETHER).push(") SELECT object_id FROM reach LIMIT $2");
    let rows = tx.fetch(sql).await?;
    let reached = rows.iter().map(|row| row.int(0)).collect::<Result<BTreeSet<i64>>>()?;
    if reached.len() > OBJECTS_MAX {
        return Err(Problem::TooLarge(format!("下游追溯单元超过 {OBJECTS_MAX} 个，请分批处理")));
    }
    unpacked::all_downstream(tx, root, reached).await
}
