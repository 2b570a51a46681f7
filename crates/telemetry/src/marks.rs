//! 读数标记: what is remarkable about a reading among those of its series. A pure function of the
//! readings in the order of their times, so that it does not matter in which order they arrived.

use std::collections::VecDeque;

use yj_kernel::Codes;

use crate::{kind::ReadingKind, measure::ONE};

/// 采样中断: more than twice the reporting interval after the reading before it.
pub(crate) const GAP: i64 = 1;
/// 数值冻结: equal to all before it for long, where nature varies.
pub(crate) const FROZEN: i64 = 2;
/// 补传: sent long after it was taken.
pub(crate) const LATE: i64 = 4;
/// 超出可信范围
pub(crate) const IMPLAUSIBLE: i64 = 8;

/// Marks as the interface names them, lowest bit first.
pub(crate) const MARKS: Codes = &[
    ("gap", "采样中断"),
    ("frozen", "数值冻结"),
    ("late", "补传"),
    ("implausible", "超出可信范围"),
];

/// Equal values in a row from which on a sensor may be frozen.
pub(crate) const FROZEN_COUNT: i64 = 12;
/// How long they must have lasted: a cold store may keep its tenth of a degree for an hour or two.
pub(crate) const FROZEN_MS: i64 = 3 * 3_600_000;
/// A reading sent so long after it was taken comes out of a buffer.
pub(crate) const LATE_MS: i64 = 5 * 60_000;
/// Unheard for this many reporting intervals is a gap, as with heartbeats.
const GAP_INTERVALS: i64 = 2;

/// Where a reading stands in its series: by its time, then by the message that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// When it was taken, Unix ms.
    pub(crate) time: i64,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    /// Its place in the message.
    pub(crate) item: i64,
}

/// A reading and what follows from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) key: Key,
    /// In millionths of its unit.
    pub(crate) value: i64,
    pub(crate) marks: i64,
    /// When the run of equal values began that it belongs to, at most [`FROZEN_MS`] before it: what
    /// came earlier decides nothing more.
    pub(crate) same_since: i64,
    /// How many of the run up to it, counted to [`FROZEN_COUNT`].
    pub(crate) same_count: i64,
}

impl Reading {
    /// A reading of a message sent at `sent_ms`, before its place in the series is known.
    pub(crate) fn new(key: Key, value: i64, sent_ms: i64) -> Self {
        let late = if sent_ms - key.time > LATE_MS { LATE } else { 0 };
        Self { key, value, marks: late, same_since: key.time, same_count: 1 }
    }
}

/// By what the readings of one series are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// The device's reporting interval.
    pub(crate) interval_ms: i64,
    pub(crate) kind: ReadingKind,
}

impl Rule {
    /// The reading as it stands after the one before it.
    pub(crate) fn after(self, before: Option<&Reading>, reading: Reading) -> Reading {
        let (mut marks, time) = (reading.marks & LATE, reading.key.time);
        let (mut same_since, mut same_count) = (time, 1);
        if let Some(before) = before {
            if time - before.key.time > GAP_INTERVALS * self.interval_ms {
                marks |= GAP;
            }
            if before.value == reading.value {
                same_since = before.same_since.max(time - FROZEN_MS);
                same_count = (before.same_count + 1).min(FROZEN_COUNT);
            }
        }
        if self.kind.varies() && same_count >= FROZEN_COUNT && time - same_since >= FROZEN_MS {
            marks |= FROZEN;
        }
        let (least, most) = self.kind.plausible();
        if !(least * ONE..=most * ONE).contains(&reading.value) {
            marks |= IMPLAUSIBLE;
        }
        Reading { marks, same_since, same_count, ..reading }
    }
}

/// Stored readings that a [`Weaver`] must see to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// The last one before this place, and a page of those after it.
    Around(Key),
    /// A page of those after this place.
    After(Key),
}

/// Lays fresh readings among the stored ones of their series, and says which stored ones are to be
/// judged anew: those after a fresh one, as far as the difference reaches.
#[derive(Debug)]
pub(crate) struct Weaver {
    rule: Rule,
    fresh: VecDeque<Reading>,
    /// The last one laid, while it differs from what is stored.
    open: Option<Reading>,
    /// The fresh ones, judged.
    pub(crate) laid: Vec<Reading>,
    /// Stored ones that are judged otherwise now.
    pub(crate) changed: Vec<Reading>,
    /// The last reading of the series, stored or fresh.
    pub(crate) last: Option<Reading>,
}

impl Weaver {
    /// `last` is the last stored reading of the series.
    pub(crate) fn new(rule: Rule, last: Option<Reading>, mut fresh: Vec<Reading>) -> Self {
        fresh.sort_by_key(|reading| reading.key);
        let mut weaver = Self {
            rule,
            fresh: fresh.into(),
            open: None,
            laid: Vec::new(),
            changed: Vec::new(),
            last,
        };
        weaver.append();
        weaver
    }

    /// What comes after everything needs no look at what is stored: the ordinary case.
    fn append(&mut self) {
        if self.open.is_some() {
            return;
        }
        let beyond =
            |next: &Reading, last: Option<Reading>| last.is_none_or(|last| next.key > last.key);
        while let Some(next) = self.fresh.front().copied().filter(|next| beyond(next, self.last)) {
            self.fresh.pop_front();
            let judged = self.rule.after(self.last.as_ref(), next);
            self.laid.push(judged);
            self.last = Some(judged);
        }
    }

    /// What it must see next; nothing once all is laid.
    pub(crate) fn wants(&self) -> Option<Wants> {
        match (self.open, self.fresh.front()) {
            (Some(open), _) => Some(Wants::After(open.key)),
            (None, Some(next)) => Some(Wants::Around(next.key)),
            (None, None) => None,
        }
    }

    /// Takes what it wanted: the one before, where it asked for that, and the page; `more` says that
    /// others come after the page.
    pub(crate) fn take(&mut self, before: Option<Reading>, page: &[Reading], more: bool) {
        let mut at = self.open.or(before);
        let mut differs = self.open.is_some();
        for stored in page {
            while let Some(next) = self.fresh.front().copied() {
                if next.key > stored.key {
                    break;
                }
                self.fresh.pop_front();
                let judged = self.rule.after(at.as_ref(), next);
                self.laid.push(judged);
                (at, differs) = (Some(judged), true);
            }
            let judged = self.rule.after(at.as_ref(), *stored);
            differs = differs && judged != *stored;
            if differs {
                self.changed.push(judged);
                if self.last.is_some_and(|last| last.key == judged.key) {
                    self.last = Some(judged);
                }
            }
            at = Some(if differs { judged } else { *stored });
            if !differs && self.fresh.is_empty() {
                break;
            }
        }
        self.open = at.filter(|_| differs && more);
        self.append();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    const RULE: Rule = Rule { interval_ms: 10 * MINUTE, kind: ReadingKind::Temperature };

    fn reading(minute: i64, value: i64) -> Reading {
        let key = Key { time: minute * MINUTE, epoch: 1, seq: minute, item: 0 };
        Reading::new(key, value, minute * MINUTE)
    }

    /// The readings in order, judged one after the other.
    fn judged(mut readings: Vec<Reading>) -> Vec<Reading> {
        readings.sort_by_key(|reading| reading.key);
        let mut judged: Vec<Reading> = Vec::new();
        for reading in readings {
            judged.push(RULE.after(judged.last(), reading));
        }
        judged
    }

    /// A table with pages of three.
    fn weave(stored: &mut Vec<Reading>, fresh: Vec<Reading>) {
        const PAGE: usize = 3;
        let mut weaver = Weaver::new(RULE, stored.last().copied(), fresh);
        for _ in 0..10_000 {
            let Some(wants) = weaver.wants() else { break };
            let (key, around) = match wants {
                Wants::Around(key) => (key, true),
                Wants::After(key) => (key, false),
            };
            let before = stored.iter().rfind(|one| around && one.key < key).copied();
            let after: Vec<Reading> = stored.iter().filter(|one| one.key > key).copied().collect();
            weaver.take(before, &after[..after.len().min(PAGE)], after.len() > PAGE);
        }
        assert_eq!(weaver.wants(), None, "it comes to an end");
        for changed in &weaver.changed {
            let at = stored.iter().position(|one| one.key == changed.key).expect("stored");
            stored[at] = *changed;
        }
        stored.extend(&weaver.laid);
        stored.sort_by_key(|one| one.key);
        assert_eq!(weaver.last, stored.last().copied(), "the last is known");
    }

    proptest! {
        #[test]
        fn marks_do_not_depend_on_the_order_of_arrival(
            minutes in prop::collection::btree_set(0_i64..400, 1..120),
            values in prop::collection::vec(0_i64..3, 400),
            shuffle in any::<u64>(),
            size in 1_usize..9,
        ) {
            // Slow values, so that there are long runs.
            let all: Vec<Reading> = minutes
                .iter()
                .map(|minute| {
                    let slow = usize::try_from(*minute).expect("small") / 150;
                    reading(*minute * 3, values[slow])
                })
                .collect();
            let mut mixed = all.clone();
            let mut seed = shuffle | 1;
            for at in (1..mixed.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                mixed.swap(at, usize::try_from(seed >> 33).expect("31 bits") % (at + 1));
            }
            let mut stored = Vec::new();
            for fresh in mixed.chunks(size) {
                weave(&mut stored, fresh.to_vec());
            }
            prop_assert_eq!(stored, judged(all));
        }
    }

    #[test]
    fn a_late_reading_touches_hours_and_never_the_whole_of_a_long_run() {
        // Equal values every ten minutes for a month; then others come late, before and within.
        let month = 30 * 24 * 6;
        for late in [-10, 5, 1_005, 10 * month - 5] {
            let mut stored = judged((0..month).map(|number| reading(number * 10, 4)).collect());
            let fresh = reading(late, if late < 0 { 4 } else { 5 });
            let mut weaver = Weaver::new(RULE, stored.last().copied(), vec![fresh]);
            while let Some(wants) = weaver.wants() {
                let (Wants::Around(key) | Wants::After(key)) = wants;
                let before = stored.iter().rfind(|one| one.key < key).copied();
                let after: Vec<_> = stored.iter().filter(|one| one.key > key).copied().collect();
                weaver.take(before, &after[..after.len().min(64)], after.len() > 64);
            }
            let hours = usize::try_from(FROZEN_MS / (10 * MINUTE)).expect("small");
            assert!(weaver.changed.len() <= hours + 1, "{late}: {}", weaver.changed.len());
            stored.push(fresh);
            let all = judged(stored.iter().map(|one| reading(one.key.seq, one.value)).collect());
            let expected: Vec<_> = all.iter().filter(|one| one.marks & FROZEN != 0).collect();
            stored.retain(|one| one.key != fresh.key);
            for changed in weaver.changed.iter().chain(&weaver.laid) {
                stored.retain(|one| one.key != changed.key);
                stored.push(*changed);
            }
            stored.sort_by_key(|one| one.key);
            let found: Vec<_> = stored.iter().filter(|one| one.marks & FROZEN != 0).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_sensor_that_stands_still_for_hours_is_frozen_and_one_that_moves_is_not() {
        // 4.0 ℃ every ten minutes for six hours (handbook §8.5, 10).
        let still = judged((0..37).map(|number| reading(number * 10, 4 * ONE)).collect());
        let frozen: Vec<i64> = still
            .iter()
            .filter(|one| one.marks & FROZEN != 0)
            .map(|one| one.key.time / MINUTE)
            .collect();
        assert_eq!((frozen.first(), frozen.len()), (Some(&180), 19));
        let moving = judged((0..37).map(|number| reading(number * 10, number % 2)).collect());
        assert!(moving.iter().all(|one| one.marks == 0));
        // A scale with nothing on it is not frozen.
        let rule = Rule { kind: ReadingKind::Weight, ..RULE };
        let mut before = None;
        for number in 0..37 {
            let judged = rule.after(before.as_ref(), reading(number * 10, 0));
            assert_eq!(judged.marks, 0);
            before = Some(judged);
        }
    }

    #[test]
    fn silence_lateness_and_the_impossible_are_marked() {
        let marks = |readings: Vec<Reading>| -> Vec<i64> {
            judged(readings).iter().map(|one| one.marks).collect()
        };
        assert_eq!(marks(vec![reading(0, 1), reading(20, 2), reading(41, 3)]), [0, 0, GAP]);
        assert_eq!(marks(vec![reading(0, -127 * ONE), reading(1, 100)]), [IMPLAUSIBLE, 0]);
        let key = Key { time: 0, epoch: 1, seq: 1, item: 0 };
        assert_eq!(Reading::new(key, 1, LATE_MS).marks, 0);
        assert_eq!(Reading::new(key, 1, LATE_MS + 1).marks, LATE);
    }
}
