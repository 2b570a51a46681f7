//! The order of events that happened at the same time: what puts a unit out comes before what takes it in.
//! Many records know only the day, and what is corrected is recorded after what followed from it, so
//! neither times nor numbers tell.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{balance::LinkRole, steps::Step, units::Edge};

/// Events that are in the order of time and number, in the order of time and cause; where that does not
/// tell either, of number. A circle begins with its lowest number.
pub(crate) fn in_order_of_cause(steps: Vec<Step>) -> Vec<Step> {
    let same_time = |one: &Step, other: &Step| one.time.unix_ms() == other.time.unix_ms();
    let mut taken = HashSet::new();
    if steps.chunk_by(same_time).all(|same| is_in_order(same, &mut taken)) {
        return steps;
    }
    let mut order = Vec::with_capacity(steps.len());
    let mut first = 0;
    for same in steps.chunk_by(same_time) {
        order.extend(order_of(same).into_iter().map(|place| first + place));
        first += same.len();
    }
    let mut steps: Vec<_> = steps.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| steps[place].take()).collect()
}

/// Whether no event of one time takes in what a later one puts out, as it is where all was recorded as
/// it came to pass. `taken` is a store that is used again.
fn is_in_order(steps: &[Step], taken: &mut HashSet<usize>) -> bool {
    taken.clear();
    steps.len() < 2
        || steps.iter().all(|step| {
            let sound = taken.is_empty() || !made(step).any(|unit| taken.contains(&unit));
            taken.extend(takes(step));
            sound
        })
}

/// Events that put a unit out and have not had their turn, and those that wait for them.
#[derive(Default)]
struct Waiting {
    makers: usize,
    takers: Vec<usize>,
}

/// The places of events of one time, in the order of cause.
fn order_of(steps: &[Step]) -> Vec<usize> {
    if steps.len() < 2 {
        return (0..steps.len()).collect();
    }
    let mut units: HashMap<usize, Waiting> = HashMap::new();
    for step in steps {
        for unit in made(step) {
            units.entry(unit).or_default().makers += 1;
        }
    }
    // For how many units each event waits.
    let mut waits = vec![0_usize; steps.len()];
    for (place, step) in steps.iter().enumerate() {
        for unit in takes(step) {
            if let Some(unit) = units.get_mut(&unit) {
                unit.takers.push(place);
                waits[place] += 1;
            }
        }
    }
    let mut left: BTreeSet<usize> = (0..steps.len()).collect();
    let mut ready: BTreeSet<usize> = left.iter().copied().filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(next) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(&next);
        order.push(next);
        for made in made(&steps[next]) {
            let Some(unit) = units.get_mut(&made) else { continue };
            unit.makers -= 1;
            if unit.makers > 0 {
                continue;
            }
            for taker in std::mem::take(&mut unit.takers) {
                waits[taker] -= 1;
                if waits[taker] == 0 && left.contains(&taker) {
                    ready.insert(taker);
                }
            }
        }
    }
    order
}

/// What an event puts out that did not go into it: whatever only goes on waits for those that made it.
/// What comes out of a package was there before.
fn made(step: &Step) -> impl Iterator<Item = usize> {
    let unpacks = step.opened().is_some();
    let inputs = inputs(step);
    let taken = |unit: usize| inputs.binary_search_by_key(&unit, |edge| edge.unit).is_ok();
    let outputs = step.edges[inputs.len()..].iter().filter(|edge| edge.role == LinkRole::Output);
    outputs.map(|edge| edge.unit).filter(move |unit| !unpacks && !taken(*unit))
}

/// What must have been there for an event.
fn takes(step: &Step) -> impl Iterator<Item = usize> {
    inputs(step).iter().map(|edge| edge.unit).chain(step.opened())
}

/// What went into an event: its first edges.
fn inputs(step: &Step) -> &[Edge] {
    let count = step.edges.partition_point(|edge| edge.role == LinkRole::Input);
    &step.edges[..count]
}
