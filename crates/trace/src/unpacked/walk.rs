//! The walk itself, level by level: pure steps over what was read of the links.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use yj_kernel::{Result, Tx};

use super::graph::Graph;
use crate::closure::{EVENTS_MAX, OBJECTS_MAX};

/// A span of time, Unix ms, both ends included.
type Span = (i64, i64);

const ALWAYS: Span = (i64::MIN, i64::MAX);

/// How an object comes to be part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Arrival {
    /// Downstream: an event put it out for what this object brought to it.
    Out { event: i64, from: i64 },
    /// Upstream: it is part of what was there at that time.
    Used { until: i64 },
    /// Upstream: something was taken out of it by an event.
    Left { event: i64, child: i64 },
}

/// Whether the way leads there is seen when the object is looked at.
fn arrive(
    (arrived, next): (&mut FxHashSet<(i64, Arrival)>, &mut Vec<(i64, Arrival)>),
    object: i64,
    arrival: Arrival,
) {
    if arrived.insert((object, arrival)) {
        next.push((object, arrival));
    }
}

/// What a way has led to so far.
pub(super) struct Walk {
    graph: Graph,
    /// Whether times count.
    timed: bool,
    pub(super) events: FxHashSet<i64>,
    pub(super) objects: FxHashSet<i64>,
    /// When objects are part of it whole: downstream since when, upstream until when.
    whole: FxHashMap<i64, SmallVec<[i64; 1]>>,
    /// When they are as packages that carry something that is.
    carrying: FxHashMap<i64, Vec<Span>>,
    arrived: FxHashSet<(i64, Arrival)>,
    /// The level that is next.
    next: Vec<(i64, Arrival)>,
}

impl Walk {
    pub(super) fn new(root: i64, timed: bool) -> Self {
        Self::over(Graph::default(), root, timed)
    }

    /// Over links of which some were read before.
    pub(super) fn over(graph: Graph, root: i64, timed: bool) -> Self {
        Self {
            graph,
            timed,
            events: FxHashSet::default(),
            objects: std::iter::once(root).collect(),
            whole: FxHashMap::default(),
            carrying: FxHashMap::default(),
            arrived: FxHashSet::default(),
            next: Vec::new(),
        }
    }

    /// The objects of the level that is next, each once.
    fn level(&self) -> BTreeSet<i64> {
        self.next.iter().map(|(object, _)| *object).collect()
    }

    /// Whether there is another level to look at.
    fn goes_on(&self) -> bool {
        !self.next.is_empty() && !self.is_full()
    }

    /// What was read of the links, and whether the way goes on beyond what was found.
    pub(super) fn end(self) -> (Graph, FxHashSet<i64>, FxHashSet<i64>, bool) {
        (self.graph, self.events, self.objects, !self.next.is_empty())
    }

    fn is_full(&self) -> bool {
        self.events.len() > EVENTS_MAX || self.objects.len() > OBJECTS_MAX
    }

    fn arrive(&mut self, object: i64, arrival: Arrival) {
        arrive((&mut self.arrived, &mut self.next), object, arrival);
    }

    /// Whether a span says something new of a package that carries something.
    fn carries(&mut self, object: i64, (from, to): Span) -> bool {
        let known = self.carrying.entry(object).or_default();
        if known.iter().any(|(since, until)| *since <= from && to <= *until) {
            return false;
        }
        known.push((from, to));
        true
    }

    pub(super) async fn downstream(&mut self, tx: &mut Tx, root: i64) -> Result<()> {
        self.graph.load_packages(tx, &BTreeSet::from([root]), false).await?;
        self.follow_whole(root, i64::MIN);
        while self.goes_on() {
            self.graph.load_packages(tx, &self.level(), false).await?;
            for (object, arrival) in std::mem::take(&mut self.next) {
                let Arrival::Out { event, from } = arrival else { continue };
                if self.graph.is_package(object) && self.graph.packs(event, object) {
                    for span in self.spans(from, object, event) {
                        self.follow_carrying(object, span);
                    }
                } else {
                    let since = if self.timed { self.graph.events[&event].time } else { i64::MIN };
                    self.follow_whole(object, since);
                }
            }
        }
        Ok(())
    }

    /// When a package carries what an event put into it. Without times: only as long as it is in it.
    fn spans(&self, child: i64, package: i64, event: i64) -> Vec<Span> {
        let stays = self.graph.stays(child, package);
        let own = stays.iter().filter(|stay| stay.by == event);
        let spans = own.filter_map(|stay| match (self.timed, stay.until) {
            (true, until) => Some((stay.since, until.unwrap_or(i64::MAX))),
            (false, None) => Some(ALWAYS),
            (false, Some(_)) => None,
        });
        spans.collect()
    }

    fn follow_whole(&mut self, object: i64, since: i64) {
        let known = self.whole.entry(object).or_default();
        if known.iter().any(|before| *before <= since) {
            return;
        }
        known.push(since);
        self.objects.insert(object);
        let Self { graph, events, arrived, next, .. } = self;
        for &event in graph.takers(object) {
            let one = &graph.events[&event];
            if one.time < since {
                continue;
            }
            events.insert(event);
            for out in one.led_to(object) {
                arrive((arrived, next), out, Arrival::Out { event, from: object });
            }
        }
    }

    /// A package that carries something goes where it goes; what else was in it is not followed.
    fn follow_carrying(&mut self, object: i64, span: Span) {
        self.objects.insert(object);
        if !self.carries(object, span) {
            return;
        }
        let Self { graph, events, arrived, next, .. } = self;
        for &event in graph.takers(object) {
            let one = &graph.events[&event];
            if one.time < span.0 || one.time > span.1 {
                continue;
            }
            events.insert(event);
            let opened = one.opened() == Some(object);
            for out in one.led_to(object).into_iter().filter(|_| !opened) {
                arrive((arrived, next), out, Arrival::Out { event, from: object });
            }
        }
    }

    pub(super) async fn upstream(&mut self, tx: &mut Tx, root: i64) -> Result<()> {
        self.arrive(root, Arrival::Used { until: i64::MAX });
        while self.goes_on() {
            let level = self.level();
            self.graph.load_makers(tx, &level).await?;
            self.graph.load_opened(tx, &level).await?;
            for (object, arrival) in std::mem::take(&mut self.next) {
                match arrival {
                    Arrival::Used { until } => self.lead_whole(object, until),
                    Arrival::Left { event, child } => {
                        let since = self.graph.since(child, object, event);
                        self.lead_carrying(object, (since, self.graph.events[&event].time));
                    }
                    Arrival::Out { .. } => {}
                }
            }
        }
        Ok(())
    }

    fn lead_whole(&mut self, object: i64, until: i64) {
        self.objects.insert(object);
        let package = self.graph.is_package(object);
        let known = self.whole.entry(object).or_default();
        // What is in a package at one time is not in it at every time before.
        if known.iter().any(|later| if package { *later == until } else { *later >= until }) {
            return;
        }
        known.push(until);
        for event in self.graph.makers(object).to_vec() {
            let one = &self.graph.events[&event];
            let time = one.time;
            if time > until {
                continue;
            }
            let opened = one.opened();
            let inputs = one.led_from(object);
            self.events.insert(event);
            if let Some(opened) = opened {
                if opened != object {
                    self.arrive(opened, Arrival::Left { event, child: object });
                }
                continue;
            }
            for input in inputs {
                // Of what was asked for everything that was ever in it is told.
                if package && until < i64::MAX && self.graph.packs(event, object) {
                    let stays = self.graph.stays(input, object);
                    let inside = stays.iter().filter(|stay| stay.by == event);
                    let mut inside = inside.map(|stay| stay.until.is_none_or(|end| until <= end));
                    if !inside.any(|inside| inside) {
                        continue;
                    }
                }
                self.arrive(input, Arrival::Used { until: time });
            }
        }
    }

    /// Where a package came from while something was in it. What was put into it beside that is not part
    /// of the way, and that itself is by its own code.
    fn lead_carrying(&mut self, object: i64, span: Span) {
        self.objects.insert(object);
        if !self.carries(object, span) {
            return;
        }
        for event in self.graph.makers(object).to_vec() {
            let one = &self.graph.events[&event];
            let time = one.time;
            if time < span.0 || time > span.1 {
                continue;
            }
            let opened = one.opened();
            let inputs = one.led_from(object);
            self.events.insert(event);
            match opened {
                Some(opened) if opened != object => {
                    self.arrive(opened, Arrival::Left { event, child: object });
                }
                Some(_) => {}
                None if self.graph.packs(event, object) => {}
                None => {
                    for input in inputs {
                        self.arrive(input, Arrival::Used { until: time });
                    }
                }
            }
        }
    }

    /// The packages that something lies in now, and those that they lie in.
    pub(super) async fn packages(&mut self, tx: &mut Tx, root: i64) -> Result<()> {
        self.graph.load_takers(tx, &BTreeSet::from([root])).await?;
        let mut children = BTreeSet::from([root]);
        while !children.is_empty() && !self.is_full() {
            let mut candidates: Vec<(i64, i64)> = Vec::new();
            for child in &children {
                for event in self.graph.takers(*child) {
                    let package = self.graph.events[event].only_output();
                    candidates.extend(package.map(|package| (*child, package)));
                }
            }
            let packages: BTreeSet<i64> = candidates.iter().map(|(_, package)| *package).collect();
            self.graph.load_packages(tx, &packages, true).await?;
            children = BTreeSet::new();
            for (child, package) in candidates.into_iter().filter(|(child, one)| child != one) {
                let stays = self.graph.stays(child, package);
                if stays.iter().any(|stay| stay.until.is_none()) && self.objects.insert(package) {
                    children.insert(package);
                }
            }
        }
        Ok(())
    }
}
