//! What the chains of `chain_law` should be, worked out in the plainest way: each thing is followed by
//! itself, in and out of packages.

use std::collections::{BTreeMap, BTreeSet};

use crate::chain_law::{Fact, World};

/// What a way leads to: events by their place, and units.
#[derive(Default)]
pub struct Walk {
    pub events: BTreeSet<usize>,
    pub units: BTreeSet<String>,
}

/// What was done so far, so that nothing is done twice.
type Seen = BTreeSet<(String, usize, usize, bool)>;

const END: usize = usize::MAX;

impl Fact {
    /// Whether what it puts out of one is made of another. What comes out under the code under which it
    /// went in, and is not more than it was, is nothing to what went on beside it.
    fn leads(&self, from: &str, to: &str) -> bool {
        let put_in = |unit: &str| self.inputs.get(unit).copied();
        let put_out = |unit: &str| self.outputs.get(unit).copied();
        let went_on = put_in(from).is_some() && put_out(from).is_some();
        let only_went_on = put_in(to).is_some_and(|before| put_out(to) <= Some(before));
        let apart = self.opened().is_none() && went_on && only_went_on;
        from != to && put_in(from).is_some() && put_out(to).is_some() && !apart
    }
}

impl World {
    /// What is in packages that are there: by package, by thing, how much.
    pub fn full(&self) -> Vec<(String, Vec<(String, i64)>)> {
        let mut inside: BTreeMap<&String, BTreeMap<&String, i64>> = BTreeMap::new();
        for fact in &self.facts {
            if let Some(package) = fact.outputs.keys().next().filter(|_| fact.packs()) {
                for (code, quantity) in fact.inputs.iter().filter(|(code, _)| *code != package) {
                    *inside.entry(package).or_default().entry(code).or_default() += quantity;
                }
            }
            if let Some(package) = fact.opened() {
                for (code, quantity) in fact.outputs.iter().filter(|(code, _)| *code != package) {
                    *inside.entry(package).or_default().entry(code).or_default() -= quantity;
                }
            }
        }
        let some = inside.into_iter().map(|(package, inside)| {
            let left = inside.into_iter().filter(|(_, quantity)| *quantity > 0);
            (package.clone(), left.map(|(code, left)| (code.clone(), left)).collect::<Vec<_>>())
        });
        some.filter(|(_, inside)| !inside.is_empty()).collect()
    }

    /// When something was put into a package, and when it was taken out: time, place and how much, in the
    /// order of time.
    fn moves(&self, child: &str, package: &str, out: bool) -> Vec<(usize, String, i64)> {
        let quantity = |fact: &Fact| {
            let packs = fact.packs() && fact.outputs.contains_key(package) && !out;
            let opens = fact.opened().is_some_and(|one| one == package) && out;
            let side = if out { &fact.outputs } else { &fact.inputs };
            side.get(child).copied().filter(|_| (packs || opens) && child != package)
        };
        let moves = self
            .facts
            .iter()
            .filter_map(|fact| Some((fact.time, String::from(fact.id()), quantity(fact)?)));
        let mut moves: Vec<_> = moves.collect();
        moves.sort();
        moves
    }

    /// When what an event put into a package was out of it again, what went in first coming out first.
    fn end(&self, child: &str, package: &str, by: &str) -> usize {
        let mut wanted = 0;
        let mut since = 0;
        for (time, id, quantity) in self.moves(child, package, false) {
            wanted += quantity;
            since = time;
            if id == by {
                break;
            }
        }
        let mut sum = 0;
        for (time, _, quantity) in self.moves(child, package, true) {
            sum += quantity;
            if sum >= wanted {
                return time.max(since);
            }
        }
        END
    }

    /// Since when what an event took out of a package was in it.
    fn begin(&self, child: &str, package: &str, by: &Fact) -> usize {
        let out = self.moves(child, package, true);
        let before: i64 =
            out.iter().take_while(|(_, id, _)| id != by.id()).map(|(.., quantity)| quantity).sum();
        let mut sum = 0;
        for (time, _, quantity) in self.moves(child, package, false) {
            sum += quantity;
            if sum > before {
                return time.min(by.time);
            }
        }
        by.time
    }

    /// Where a unit leads to.
    pub fn downstream(&self, root: &str) -> Walk {
        let (mut walk, mut seen) = (Walk::default(), Seen::new());
        self.follow(root, (0, END, true), (&mut walk, &mut seen));
        walk
    }

    /// Follows a unit for a time: all of it, or as the package that something of the way is in.
    fn follow(
        &self,
        unit: &str,
        (from, until, whole): (usize, usize, bool),
        (walk, seen): (&mut Walk, &mut Seen),
    ) {
        if !seen.insert((String::from(unit), from, until, whole)) {
            return;
        }
        for (at, fact) in self.facts.iter().enumerate() {
            if !fact.inputs.contains_key(unit) || fact.time < from || fact.time > until {
                continue;
            }
            walk.events.insert(at);
            let opens = fact.opened().is_some();
            for out in fact.outputs.keys().filter(|out| fact.leads(unit, out) && (whole || !opens))
            {
                walk.units.insert(out.clone());
                let span = if fact.packs() {
                    (fact.time, self.end(unit, out, fact.id()), false)
                } else {
                    (fact.time, END, true)
                };
                self.follow(out, span, (walk, seen));
            }
        }
    }

    /// What a recall of a unit is about, whatever times were given: of packages those that what it is about
    /// is still in.
    pub fn recalled(&self, root: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        self.concern(root, true, &mut seen);
        seen.into_iter().map(|(unit, _)| unit).collect()
    }

    fn concern(&self, unit: &str, whole: bool, seen: &mut BTreeSet<(String, bool)>) {
        if !seen.insert((String::from(unit), whole)) {
            return;
        }
        for fact in self.facts.iter().filter(|fact| fact.inputs.contains_key(unit)) {
            let opens = fact.opened().is_some();
            for out in fact.outputs.keys().filter(|out| fact.leads(unit, out) && (whole || !opens))
            {
                if !fact.packs() || self.end(unit, out, fact.id()) == END {
                    self.concern(out, !fact.packs(), seen);
                }
            }
        }
    }

    /// Where a unit comes from.
    pub fn upstream(&self, root: &str) -> Walk {
        let (mut walk, mut seen) = (Walk::default(), Seen::new());
        self.lead(root, (0, END, true), (&mut walk, &mut seen));
        walk
    }

    /// Leads to where a unit comes from that was there at a time: all of it, or as the package that
    /// something of the way was in since another.
    fn lead(
        &self,
        unit: &str,
        (from, until, whole): (usize, usize, bool),
        (walk, seen): (&mut Walk, &mut Seen),
    ) {
        if !seen.insert((String::from(unit), from, until, whole)) {
            return;
        }
        for (at, fact) in self.facts.iter().enumerate() {
            if !fact.outputs.contains_key(unit) || fact.time < from || fact.time > until {
                continue;
            }
            walk.events.insert(at);
            if let Some(package) = fact.opened() {
                if package != unit {
                    walk.units.insert(package.clone());
                    let span = (self.begin(unit, package, fact), fact.time, false);
                    self.lead(package, span, (walk, seen));
                }
                continue;
            }
            for input in fact.inputs.keys().filter(|input| fact.leads(input, unit)) {
                // Of what was asked for everything that was ever in it is told.
                let inside = || until == END || self.end(input, unit, fact.id()) >= until;
                if !fact.packs() || whole && inside() {
                    walk.units.insert(input.clone());
                    self.lead(input, (0, fact.time, true), (walk, seen));
                }
            }
        }
    }

    /// Whether an event follows from another at the same time.
    pub fn follows(&self, from: usize, to: usize, among: &BTreeSet<usize>) -> bool {
        let mut reached = BTreeSet::from([from]);
        loop {
            let known = reached.len();
            for at in among {
                let taken = self.facts[*at].inputs.keys();
                let mut taken = taken
                    .filter(|code| reached.iter().any(|before| self.facts[*before].makes(code)));
                if self.facts[*at].time == self.facts[from].time && taken.next().is_some() {
                    reached.insert(*at);
                }
            }
            if reached.len() == known {
                return reached.contains(&to);
            }
        }
    }

    /// Whether something went into what had been made of it.
    pub fn has_circle(&self) -> bool {
        let mut leads: BTreeSet<(&String, &String)> = BTreeSet::new();
        for fact in &self.facts {
            for from in fact.inputs.keys() {
                leads.extend(
                    fact.outputs.keys().filter(|to| fact.leads(from, to)).map(|to| (from, to)),
                );
            }
        }
        loop {
            let known = leads.len();
            let pairs: Vec<_> = leads.iter().copied().collect();
            for (from, to) in &pairs {
                let on = pairs.iter().filter(|(next, _)| next == to);
                leads.extend(on.map(|(_, end)| (*from, *end)));
            }
            if leads.len() == known {
                return leads.iter().any(|(from, to)| from == to);
            }
        }
    }

    /// Whether a lot was filled up before it was made, by the times that the events give.
    pub fn grew_before_made(&self) -> bool {
        self.facts.iter().any(|fact| {
            let grown = fact.outputs.iter().filter(|(code, quantity)| {
                fact.inputs.get(*code).is_some_and(|taken| taken < *quantity)
            });
            let mut grown = grown.map(|(code, _)| code);
            grown.any(|code| {
                self.facts.iter().any(|other| other.time > fact.time && other.makes(code))
            })
        })
    }
}
