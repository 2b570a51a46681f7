//! The golden chains, whose answers are known (handbook §8.1–§8.4). One file for each.

mod chive;
mod cylinder;
mod drug;
mod infant_formula;
mod methanol;
mod pesticide;
mod rare_earth;
mod step;
mod vessel;

pub(super) use methanol::waybill;
pub(super) use step::Calendar;

use jiff::{SignedDuration, Timestamp};
use yj_kernel::Result;

use crate::Assembled;
use step::Step;

/// A chain: the domain most of its steps are of, and how its steps come about.
type Chain = (&'static str, fn(Calendar) -> Vec<Step>);

/// GC-1 and GC-2: what most tests start with.
const FIRST: [Chain; 2] = [("agri", chive::steps), ("industrial", vessel::steps)];

/// GC-3 to GC-8: one for each of the other domains.
const OTHERS: [Chain; 6] = [
    ("rare_earth", rare_earth::steps),
    ("food", infant_formula::steps),
    ("drug", drug::steps),
    ("agri_input", pesticide::steps),
    ("special_equipment", cylinder::steps),
    ("dangerous", methanol::steps),
];

/// GC-1 and GC-2, beginning on this day.
pub(super) async fn load(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    load_chains(assembled, first_day, &FIRST).await
}

/// GC-3 to GC-8.
pub(super) async fn load_others(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    load_chains(assembled, first_day, &OTHERS).await
}

async fn load_chains(
    assembled: &Assembled,
    first_day: Timestamp,
    chains: &[Chain],
) -> Result<usize> {
    let calendar = Calendar::from(first_day);
    let mut count = 0;
    for (domain, steps) in chains {
        for (place, step) in (0i64..).zip(steps(calendar)) {
            let (when, event) = step.event(domain, place, calendar)?;
            super::capture(assembled, when + SignedDuration::from_mins(5), &[event]).await?;
            count += 1;
        }
    }
    Ok(count)
}
