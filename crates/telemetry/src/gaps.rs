//! 缺号: which numbers of a device's boot epoch have not come. What is missing depends on what has
//! come, never on the order in which it came.

use std::collections::BTreeMap;

/// What has come of one boot epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The largest number that has come; 0 before the first.
    pub(crate) last: i64,
    /// Numbers up to it that have not: first to last of each gap.
    pub(crate) gaps: BTreeMap<i64, i64>,
}

impl Heard {
    /// Takes in a number from 1 on; one that has come before changes nothing.
    pub(crate) fn hear(&mut self, seq: i64) {
        if seq > self.last {
            if seq > self.last + 1 {
                self.gaps.insert(self.last + 1, seq - 1);
            }
            self.last = seq;
            return;
        }
        let around = self.gaps.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = around.filter(|(_, last)| seq <= *last) else { return };
        self.gaps.remove(&first);
        if first < seq {
            self.gaps.insert(first, seq - 1);
        }
        if seq < last {
            self.gaps.insert(seq + 1, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_missing_depends_on_what_came_and_not_on_its_order(
            seqs in prop::collection::vec(1_i64..60, 1..80),
        ) {
            let mut heard = Heard::default();
            for seq in &seqs {
                heard.hear(*seq);
            }
            let came: BTreeSet<i64> = seqs.iter().copied().collect();
            prop_assert_eq!(Some(&heard.last), came.last());
            let missing: Vec<i64> =
                (1..=heard.last).filter(|seq| !came.contains(seq)).collect();
            let said: Vec<i64> =
                heard.gaps.iter().flat_map(|(first, last)| *first..=*last).collect();
            prop_assert_eq!(said, missing);
            let ends: BTreeSet<i64> = heard.gaps.values().map(|last| last + 1).collect();
            prop_assert!(heard.gaps.keys().all(|first| !ends.contains(first)), "gaps that touch");
        }
    }
}
