//! When an event can have happened: not tomorrow, not before records began, and not before what it uses was
//! produced (handbook §5.6, rule 26: 先果后因).

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Ctx, EARLIEST_DAY, Problem, Result};
use yj_model::OffsetTime;

use crate::{event::Checked, handover};

/// Clocks may differ by this much before a time counts as the future.
const SKEW_MS: i64 = 5 * 60_000;
/// Codes named in a reason; the event itself leads to them all.
const NAMED_MAX: usize = 5;

/// Refuses a time at which nothing can have happened.
pub(crate) fn require_possible(ctx: &Ctx, event: &Checked) -> Result<()> {
    let time = event.time.in_words();
    let detail = if event.time.unix_ms() > ctx.now_ms() + SKEW_MS {
        format!("发生时间 {time} 晚于当前时间，不能登记未来的事件")
    } else if event.time.beijing_day() < EARLIEST_DAY {
        format!("发生时间 {time} 早于 {EARLIEST_DAY}，请核对年份")
    } else {
        return Ok(());
    };
    Err(Problem::invalid("event_time", detail))
}

/// Why somebody must look at an event that uses what was not there yet when it happened: one of the two
/// times is wrong. `made` are the times of all outputs that are known.
pub(crate) fn review_reason<'a>(
    event: &Checked,
    made: impl Iterator<Item = (&'a str, i64)>,
) -> Option<String> {
    let mut used: BTreeMap<&str, i64> = BTreeMap::new();
    let wanted: BTreeSet<&str> = handover::consumed(event).collect();
    for (code, time) in made.filter(|(code, _)| wanted.contains(code)) {
        let first = used.entry(code).or_insert(time);
        *first = time.min(*first);
    }
    let early = used.into_iter().filter(|(_, made)| event.time.unix_ms() < *made);
    let told = early.take(NAMED_MAX).filter_map(|(code, made)| {
        let made = OffsetTime::from_parts(made, 480).ok()?.in_words();
        Some(format!("追溯码 {code} {made} 才产出"))
    });
    let told: Vec<String> = told.collect();
    let time = event.time.in_words();
    (!told.is_empty())
        .then(|| format!("{}，本次使用却在 {time}，须由他人核实发生时间", told.join("、")))
}
