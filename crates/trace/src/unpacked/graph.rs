//! Events and their links around the objects of a walk, read as far as it goes.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
};

use yj_domain::Packing;
use yj_kernel::{Result, Sql, Tx};

use crate::{balance::LinkRole, closure::TOGETHER, places, store};

/// An event and what went into it and came out of it, with quantities in ten-thousandths.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) inputs: Vec<(i64, i64)>,
    pub(super) outputs: Vec<(i64, i64)>,
    /// The package that it takes things out of.
    pub(super) opened: Option<i64>,
}

impl Event {
    fn input(&self, object: i64) -> i64 {
        self.inputs.iter().find(|(one, _)| *one == object).map_or(0, |(_, quantity)| *quantity)
    }

    fn output(&self, object: i64) -> i64 {
        self.outputs.iter().find(|(one, _)| *one == object).map_or(0, |(_, quantity)| *quantity)
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
    pub(super) events: HashMap<i64, Event>,
    /// By object, the events that took it, opened it among them.
    takers: HashMap<i64, Vec<i64>>,
    /// By object, the events that put it out.
    makers: HashMap<i64, Vec<i64>>,
    /// Events that put things into a package.
    packing: HashSet<i64>,
    /// Packages that were opened, as far as was looked.
    packages: HashSet<i64>,
    taken: HashSet<i64>,
    made: HashSet<i64>,
}

impl Graph {
    /// Reads what took some objects.
    pub(super) async fn load_takers(&mut self, tx: &mut Tx, objects: &BTreeSet<i64>) -> Result<()> {
        let new: Vec<i64> = objects.iter().copied().filter(|one| self.taken.insert(*one)).collect();
        self.read(tx, &new, "(0, 3)").await?;
        for object in new {
            let events = self.takers.entry(object).or_default();
            if events.iter().any(|one| self.events[one].opened == Some(object)) {
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
            objects.iter().copied().filter(|one| !self.taken.contains(one)).collect();
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

    /// Reads the events that some objects are linked to in these roles, whole.
    async fn read(&mut self, tx: &mut Tx, objects: &[i64], roles: &'static str) -> Result<()> {
        let queries = objects.chunks(TOGETHER).map(|part| {
            let mut sql = Sql::new(
                "SELECT l.event_id, l.object_id, l.role, COALESCE(l.quantity, 0), l.event_time \
                 FROM trace_link l WHERE l.event_id IN (SELECT o.event_id FROM trace_link o \
                 WHERE o.role IN ",
            );
            sql.push(roles).push(" AND o.object_id ").bind_ints(part.iter().copied());
            sql.push(") ORDER BY l.event_id");
            sql
        });
        tx.fetch_ahead(queries.collect(), |rows| {
            let mut fresh = HashSet::new();
            for row in rows {
                let (id, object) = (row.int(0)?, row.int(1)?);
                if self.events.contains_key(&id) && !fresh.contains(&id) {
                    continue;
                }
                fresh.insert(id);
                let role = store::role(row.int(2)?)?;
                let event = self.events.entry(id).or_default();
                event.time = row.int(4)?;
                match role {
                    LinkRole::Observed => continue,
                    LinkRole::Output => {
                        event.outputs.push((object, row.int(3)?));
                        self.makers.entry(object).or_default().push(id);
                        continue;
                    }
                    LinkRole::Opened => event.opened = Some(object),
                    LinkRole::Input => event.inputs.push((object, row.int(3)?)),
                }
                self.takers.entry(object).or_default().push(id);
            }
            Ok(ControlFlow::Continue(()))
        })
        .await
    }

    pub(super) fn takers(&self, object: i64) -> &[i64] {
        self.takers.get(&object).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn makers(&self, object: i64) -> &[i64] {
        self.makers.get(&object).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether an event put things into a package which was opened since. Of one that never was it makes
    /// no difference.
    pub(super) fn packs(&self, event: i64, package: i64) -> bool {
        self.packing.contains(&event)
            && self.events.get(&event).is_some_and(
                |one| matches!(one.outputs.as_slice(), [(only, _)] if *only == package),
            )
    }

    pub(super) fn is_package(&self, object: i64) -> bool {
        self.packages.contains(&object)
    }

    /// What each event did to something in a package, by its time: how much it put in.
    fn put_in(&self, child: i64, package: i64) -> Vec<(i64, i64, i64)> {
        let events = self.makers(package).iter().filter(|event| self.packs(**event, package));
        let events = events.filter_map(|event| {
            let one = &self.events[event];
            let quantity = one.input(child);
            (quantity > 0 && child != package).then_some((one.time, *event, quantity))
        });
        sorted(events.collect())
    }

    /// The same of what it took out.
    fn taken_out(&self, child: i64, package: i64) -> Vec<(i64, i64, i64)> {
        let events = self.takers(package).iter().filter_map(|event| {
            let one = &self.events[event];
            let quantity = one.output(child);
            let takes = one.opened == Some(package) && quantity > 0 && child != package;
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
