//! Events and their links around the objects of a walk, read as far as it goes.

use std::{collections::BTreeSet, ops::ControlFlow};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use yj_domain::Packing;
use yj_kernel::{Result, Row, Sql, Tx};

use crate::{
    balance::LinkRole,
    closure::{self, Direction, TOGETHER},
    places, store,
};

/// An event and its links.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) time: i64,
    /// Each object with its role and its quantity in ten-thousandths.
    pub(crate) links: SmallVec<[(i64, LinkRole, Option<i64>); 3]>,
}

impl Event {
    fn of(&self, role: LinkRole) -> impl Iterator<Item = i64> {
        self.links.iter().filter(move |link| link.1 == role).map(|link| link.0)
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = i64> {
        self.of(LinkRole::Input)
    }

    pub(super) fn outputs(&self) -> impl Iterator<Item = i64> {
        self.of(LinkRole::Output)
    }

    /// The package that it takes things out of.
    pub(super) fn opened(&self) -> Option<i64> {
        self.of(LinkRole::Opened).next()
    }

    /// What it makes of what this object brings to it. Where several go on under their own codes, as boxes
    /// do that are sold together, each is what it was: none is made of another, unless it grew.
    pub(super) fn led_to(&self, from: i64) -> Vec<i64> {
        let outputs = self.outputs().filter(|out| *out != from);
        if !self.goes_on(from) {
            return outputs.collect();
        }
        let before = self.brought();
        let only_went_on = |out: &i64| before.get(out).is_some_and(|it| self.grown(*out, *it) <= 0);
        outputs.filter(|out| !only_went_on(out)).collect()
    }

    /// What it makes this object of, apart from itself.
    pub(super) fn led_from(&self, to: i64) -> Vec<i64> {
        let inputs = self.inputs().filter(|input| *input != to);
        let own = self.links.iter().find(|link| (link.0, link.1) == (to, LinkRole::Input));
        if own.is_none_or(|own| self.grown(to, own.2.unwrap_or_default()) > 0) {
            return inputs.collect();
        }
        let out: FxHashSet<i64> = self.outputs().collect();
        inputs.filter(|input| !out.contains(input)).collect()
    }

    /// Whether an object comes out under the code under which it went in.
    fn goes_on(&self, object: i64) -> bool {
        let has = |role| self.of(role).any(|one| one == object);
        has(LinkRole::Input) && has(LinkRole::Output)
    }

    fn brought(&self) -> FxHashMap<i64, i64> {
        let inputs = self.links.iter().filter(|link| link.1 == LinkRole::Input);
        inputs.map(|link| (link.0, link.2.unwrap_or_default())).collect()
    }

    /// How much more of an object comes out than went in.
    fn grown(&self, object: i64, before: i64) -> i64 {
        self.quantity(object, LinkRole::Output) - before
    }

    /// What it puts out, if that is one object.
    pub(super) fn only_output(&self) -> Option<i64> {
        let mut outputs = self.outputs();
        outputs.next().filter(|_| outputs.next().is_none())
    }

    fn quantity(&self, object: i64, role: LinkRole) -> i64 {
        let mut own = self.links.iter().filter(|link| (link.0, link.1) == (object, role));
        own.next().and_then(|link| link.2).unwrap_or_default()
    }
}

/// From when until when something was in a package; of what is still in it there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    /// The event that put it in.
    pub(super) by: i64,
    pub(super) since: i64,
    pub(super) until: Option<i64>,
}

/// Links that were read.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) events: FxHashMap<i64, Event>,
    /// By object, the events that took it, opened it among them.
    takers: FxHashMap<i64, SmallVec<[i64; 2]>>,
    /// By object, the events that put it out.
    makers: FxHashMap<i64, SmallVec<[i64; 2]>>,
    /// Events that put things into a package.
    packing: FxHashSet<i64>,
    /// Packages that were opened, as far as was looked.
    packages: FxHashSet<i64>,
    taken: FxHashSet<i64>,
    made: FxHashSet<i64>,
    /// Objects that were never opened.
    closed: FxHashSet<i64>,
}

impl Graph {
    /// Reads at once what levels would read one after the other: these events, which inputs and outputs lead
    /// to from the root, and whatever else took what they put out, or put out what they took. A walk over
    /// them asks for nothing but what only packages lead to.
    pub(super) async fn read_ahead(
        &mut self,
        tx: &mut Tx,
        (root, direction): (i64, Direction),
        events: &[i64],
    ) -> Result<()> {
        self.read_events(tx, events).await?;
        let (along, back) = match direction {
            Direction::Downstream => (LinkRole::Output, "(0, 3)"),
            Direction::Upstream => (LinkRole::Input, "(1, 3)"),
        };
        let reached = self.events.values().flat_map(|event| event.of(along));
        let objects: BTreeSet<i64> = reached.chain([root]).collect();
        let objects: Vec<i64> = objects.into_iter().collect();
        let queries = objects.chunks(TOGETHER).map(|part| {
            let mut sql =
                Sql::new("SELECT event_id, object_id, role FROM trace_link WHERE role IN ");
            sql.push(back).push(" AND object_id ").bind_near(part);
            sql
        });
        let (mut others, mut opened) = (BTreeSet::new(), FxHashSet::default());
        tx.fetch_ahead(queries.collect(), |rows| {
            for row in rows {
                // What lies near is read on end, with what lies between.
                let (event, object) = (row.int(0)?, row.int(1)?);
                if objects.binary_search(&object).is_err() {
                    continue;
                }
                if !self.events.contains_key(&event) {
                    others.insert(event);
                }
                if store::role(row.int(2)?)? == LinkRole::Opened {
                    opened.insert(object);
                }
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        let others: Vec<i64> = others.into_iter().collect();
        self.read_events(tx, &others).await?;
        let known = match direction {
            Direction::Downstream => &mut self.taken,
            Direction::Upstream => &mut self.made,
        };
        known.extend(&objects);
        self.closed.extend(objects.iter().filter(|object| !opened.contains(object)));
        if direction == Direction::Downstream {
            self.packages.extend(opened);
        }
        Ok(())
    }

    /// Reads events by their numbers, which stand in order, whole.
    async fn read_events(&mut self, tx: &mut Tx, events: &[i64]) -> Result<()> {
        let queries = events.chunks(TOGETHER).map(closure::links);
        let asked = |event| events.binary_search(&event).is_ok();
        tx.fetch_ahead(queries.collect(), |rows| self.take(&rows, asked)).await
    }

    /// Reads what took some objects.
    pub(super) async fn load_takers(&mut self, tx: &mut Tx, objects: &BTreeSet<i64>) -> Result<()> {
        let new: Vec<i64> = objects.iter().copied().filter(|one| self.taken.insert(*one)).collect();
        self.read(tx, &new, "(0, 3)").await?;
        for object in new {
            let events = self.takers.entry(object).or_default();
            if events.iter().any(|one| self.events[one].opened() == Some(object)) {
                self.packages.insert(object);
            }
        }
        Ok(())
    }

    /// Reads what put some objects out.
    pub(super) async fn load_makers(&mut self, tx: &mut Tx, objects: &BTreeSet<i64>) -> Result<()> {
        let new: Vec<i64> = objects.iter().copied().filter(|one| self.made.insert(*one)).collect();
        self.read(tx, &new, "(1, 3)").await
    }

    /// Reads of those of some objects that are packages what ever happened to them: what put things in,
    /// and what took them out. `all` says that packages that were never opened count as well.
    pub(super) async fn load_packages(
        &mut self,
        tx: &mut Tx,
        objects: &BTreeSet<i64>,
        all: bool,
    ) -> Result<()> {
        self.load_takers(tx, objects).await?;
        let packages: BTreeSet<i64> =
            objects.iter().copied().filter(|one| all || self.packages.contains(one)).collect();
        if packages.is_empty() {
            return Ok(());
        }
        self.load_makers(tx, &packages).await?;
        let domains = yj_domain::current(tx).await?;
        let packages: Vec<i64> = packages.into_iter().collect();
        for part in packages.chunks(TOGETHER) {
            let kinds = |join: &str| {
                let mut sql = Sql::new("SELECT e.domain, e.kind, l.event_id FROM trace_link l");
                sql.push(join).push(" WHERE l.role = 1 AND l.object_id ");
                sql.bind_ints(part.iter().copied());
                sql
            };
            for row in places::fetch_linked(tx, kinds).await? {
                let (Some(domain), Some(kind)) = (row.text_opt(0)?, row.text_opt(1)?) else {
                    continue;
                };
                if domains.packing(domain, kind) == Some(Packing::Pack) {
                    self.packing.insert(row.int(2)?);
                }
            }
        }
        Ok(())
    }

    /// Reads of those of some objects that were opened what ever happened to them.
    pub(super) async fn load_opened(&mut self, tx: &mut Tx, objects: &BTreeSet<i64>) -> Result<()> {
        let new: Vec<i64> =
            objects.iter().copied().filter(|one| !self.is_looked_at(*one)).collect();
        let mut opened = BTreeSet::new();
        for part in new.chunks(TOGETHER) {
            let mut sql =
                Sql::new("SELECT DISTINCT object_id FROM trace_link WHERE role = 3 AND object_id ");
            sql.bind_ints(part.iter().copied());
            for row in tx.fetch(sql).await? {
                opened.insert(row.int(0)?);
            }
        }
        if opened.is_empty() { Ok(()) } else { self.load_packages(tx, &opened, false).await }
    }

    /// Whether it is known of an object whether it was opened.
    fn is_looked_at(&self, object: i64) -> bool {
        self.taken.contains(&object) || self.closed.contains(&object)
    }

    /// Reads the events that some objects are linked to in these roles, whole.
    async fn read(&mut self, tx: &mut Tx, objects: &[i64], roles: &'static str) -> Result<()> {
        let queries = objects.chunks(TOGETHER).map(|part| {
            let mut sql = Sql::new(
                "SELECT event_id, object_id, role, quantity, event_time FROM trace_link \
                 WHERE event_id IN (SELECT o.event_id FROM trace_link o WHERE o.role IN ",
            );
            sql.push(roles).push(" AND o.object_id ").bind_ints(part.iter().copied());
            sql.push(") ORDER BY event_id");
            sql
        });
        tx.fetch_ahead(queries.collect(), |rows| self.take(&rows, |_| true)).await
    }

    /// Takes links, which stand in the order of events, of the events asked for that were not known before.
    fn take(&mut self, rows: &[Row], asked: impl Fn(i64) -> bool) -> Result<ControlFlow<()>> {
        let mut current = None;
        for row in rows {
            let (id, object) = (row.int(0)?, row.int(1)?);
            if current != Some(id) && (self.events.contains_key(&id) || !asked(id)) {
                continue;
            }
            current = Some(id);
            let role = store::role(row.int(2)?)?;
            let event = self.events.entry(id).or_default();
            event.time = row.int(4)?;
            event.links.push((object, role, row.int_opt(3)?));
            match role {
                LinkRole::Observed => {}
                LinkRole::Output => self.makers.entry(object).or_default().push(id),
                LinkRole::Opened | LinkRole::Input => {
                    self.takers.entry(object).or_default().push(id);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    pub(super) fn takers(&self, object: i64) -> &[i64] {
        self.takers.get(&object).map(SmallVec::as_slice).unwrap_or_default()
    }

    pub(super) fn makers(&self, object: i64) -> &[i64] {
        self.makers.get(&object).map(SmallVec::as_slice).unwrap_or_default()
    }

    /// Whether an event put things into a package which was opened since. Of one that never was it makes
    /// no difference.
    pub(super) fn packs(&self, event: i64, package: i64) -> bool {
        self.packing.contains(&event)
            && self.events.get(&event).is_some_and(|one| one.only_output() == Some(package))
    }

    /// Whether anything was opened, as far as was looked.
    pub(super) fn has_packages(&self) -> bool {
        !self.packages.is_empty()
    }

    pub(super) fn is_package(&self, object: i64) -> bool {
        self.packages.contains(&object)
    }

    /// What each event did to something in a package, by its time: how much it put in.
    fn put_in(&self, child: i64, package: i64) -> Vec<(i64, i64, i64)> {
        let events = self.makers(package).iter().filter(|event| self.packs(**event, package));
        let events = events.filter_map(|event| {
            let one = &self.events[event];
            let quantity = one.quantity(child, LinkRole::Input);
            (quantity > 0 && child != package).then_some((one.time, *event, quantity))
        });
        sorted(events.collect())
    }

    /// The same of what it took out.
    fn taken_out(&self, child: i64, package: i64) -> Vec<(i64, i64, i64)> {
        let events = self.takers(package).iter().filter_map(|event| {
            let one = &self.events[event];
            let quantity = one.quantity(child, LinkRole::Output);
            let takes = one.opened() == Some(package) && quantity > 0 && child != package;
            takes.then_some((one.time, *event, quantity))
        });
        sorted(events.collect())
    }

    /// The stays of something in a package. What went in first comes out first.
    pub(super) fn stays(&self, child: i64, package: i64) -> Vec<Stay> {
        let (put_in, taken_out) = (self.put_in(child, package), self.taken_out(child, package));
        let mut stays = Vec::with_capacity(put_in.len());
        let mut sum = 0;
        for (since, by, quantity) in put_in {
            sum += quantity;
            let mut out = 0;
            let last = taken_out.iter().find(|(_, _, quantity)| {
                out += quantity;
                out >= sum
            });
            // By a clock that is wrong it may have come out before it went in.
            let until = last.map(|(time, ..)| since.max(*time));
            stays.push(Stay { by, since, until });
        }
        stays
    }

    /// Since when what an event took out of a package had been in it.
    pub(super) fn since(&self, child: i64, package: i64, event: i64) -> i64 {
        let taken_out = self.taken_out(child, package);
        let earlier = taken_out.iter().take_while(|(_, one, _)| *one != event);
        let before: i64 = earlier.map(|(_, _, quantity)| quantity).sum();
        let mut sum = 0;
        let put_in = self.put_in(child, package);
        let first = put_in.iter().find(|(_, _, quantity)| {
            sum += quantity;
            sum > before
        });
        let time = self.events[&event].time;
        first.map_or(time, |(since, ..)| time.min(*since))
    }
}

fn sorted(mut all: Vec<(i64, i64, i64)>) -> Vec<(i64, i64, i64)> {
    all.sort_unstable();
    all.dedup();
    all
}
