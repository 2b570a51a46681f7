//! What must hold of one anchored record: pure functions of the queue's row and of the block.

use jiff::Timestamp;
use serde_json::json;
use yj_proof::{Envelope, Hash, merkle};

use super::finding::{Difference, Found, What};

/// A row of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) record: String,
    pub(crate) org: String,
    pub(crate) envelope: String,
    pub(crate) salt: Vec<u8>,
    pub(crate) state: String,
    pub(crate) queued_at: i64,
    pub(crate) height: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
}

impl Entry {
    /// Whether its text was erased.
    pub(crate) fn is_erased(&self) -> bool {
        self.envelope.is_empty()
    }

    /// What it says, if that is what the leaf commits to, under its own name.
    pub(crate) fn authentic(&self, leaf: Option<&Hash>) -> Option<Envelope> {
        let envelope = Envelope::read(serde_json::from_str(&self.envelope).ok()?).ok()?;
        let salt = self.salt.as_slice().try_into().ok()?;
        let entry = envelope.entry(&salt).ok()?;
        let own = envelope.id() == self.record && envelope.org() == self.org;
        (own && leaf == Some(&merkle::leaf(&entry))).then_some(envelope)
    }
}

/// The block of a record, and the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) height: u64,
    /// Unix ms; `None` where the block is missing, which is found by itself.
    pub(crate) at: Option<i64>,
    /// When the block before was made; `None` for the first.
    pub(crate) before: Option<i64>,
    /// Whether the platform signed for the organisation: then the record waited for nobody.
    pub(crate) by_platform: bool,
}

/// Clocks of one machine may step back by this much.
const STEP_MS: i64 = 60_000;
/// What waits longer than this while blocks are made was not in the queue. Milliseconds.
const WAIT_MAX_MS: i64 = 3 * 24 * 3_600_000;

/// Height and times of the queue's row against the block.
pub(crate) fn place_and_time(entry: &Entry, when: When) -> Vec<Found> {
    let mut found = Vec::new();
    let height = i64::try_from(when.height).unwrap_or(i64::MAX);
    let is_marked = entry.state == "confirmed";
    if is_marked && entry.height != Some(height) {
        let mut misplaced = Found::new(What::Misplaced, &entry.record, "所记高度与区块不符");
        misplaced.fields.push(Difference::new("height", json!(height), json!(entry.height)));
        found.push(misplaced);
    }
    let Some(block_at) = when.at else { return found };
    let mut backdated = |field: &str, found_ms: i64, detail: &str| {
        let mut one = Found::new(What::Backdated, &entry.record, detail);
        let time = |ms: i64| json!(Timestamp::from_millisecond(ms).map(|at| at.to_string()).ok());
        one.fields.push(Difference::new(field, time(block_at), time(found_ms)));
        found.push(one);
    };
    if entry.queued_at > block_at + STEP_MS {
        backdated("queued_at", entry.queued_at, "排队时间晚于区块时间");
    } else if when.by_platform
        && when.before.is_some_and(|before| entry.queued_at + WAIT_MAX_MS < before)
    {
        backdated(
            "queued_at",
            entry.queued_at,
            "排队时间早于区块三天以上，而其间另有区块没有收入它",
        );
    }
    match entry.confirmed_at {
        Some(at) if is_marked && at + STEP_MS < block_at => {
            backdated("confirmed_at", at, "确认时间早于区块时间");
        }
        None if is_marked => {
            found.push(Found::new(What::Misplaced, &entry.record, "已确认而没有确认时间"));
        }
        _ => {}
    }
    found
}

/// A record says when it was registered: not after the block that holds it.
pub(crate) fn registered_before(envelope: &Envelope, block_at: i64) -> Option<Found> {
    let member =
        ["recorded_at", "at"].into_iter().find(|name| envelope.body()[name].is_string())?;
    let text = envelope.body()[member].as_str()?;
    let at: Timestamp = text.parse().ok()?;
    if at.as_millisecond() <= block_at + STEP_MS {
        return None;
    }
    let mut found = Found::new(What::Backdated, envelope.id(), "登记时间晚于区块时间");
    let block = Timestamp::from_millisecond(block_at).map(|at| at.to_string()).ok();
    found.fields.push(Difference::new(member, json!(block), json!(text)));
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn entry(queued_at: i64, height: i64, confirmed_at: i64) -> Entry {
        Entry {
            record: String::from("r"),
            org: String::from("o"),
            envelope: String::new(),
            salt: vec![1; 16],
            state: String::from("confirmed"),
            queued_at,
            height: Some(height),
            confirmed_at: Some(confirmed_at),
        }
    }

    const DAY: i64 = 24 * 3_600_000;
    const WHEN: When =
        When { height: 9, at: Some(100 * DAY), before: Some(99 * DAY), by_platform: true };

    fn what(entry: &Entry, when: When) -> Vec<What> {
        place_and_time(entry, when).iter().map(|found| found.what).collect()
    }

    #[test]
    fn heights_and_times_that_contradict_the_block_are_found() {
        assert!(what(&entry(100 * DAY, 9, 100 * DAY), WHEN).is_empty());
        assert_eq!(what(&entry(100 * DAY, 8, 100 * DAY), WHEN), [What::Misplaced]);
        assert_eq!(what(&entry(101 * DAY, 9, 101 * DAY), WHEN), [What::Backdated]);
        assert_eq!(what(&entry(100 * DAY, 9, 98 * DAY), WHEN), [What::Backdated]);
        // In the queue since long ago, it would have been taken by the block before.
        assert_eq!(what(&entry(90 * DAY, 9, 100 * DAY), WHEN), [What::Backdated]);
        // An organisation that signs for itself may take its time, and the first block has no other.
        let own = When { by_platform: false, ..WHEN };
        assert!(what(&entry(90 * DAY, 9, 100 * DAY), own).is_empty());
        let first = When { before: None, ..WHEN };
        assert!(what(&entry(90 * DAY, 9, 100 * DAY), first).is_empty());
    }

    #[test]
    fn one_changed_byte_of_text_salt_or_name_is_not_authentic() {
        let envelope =
            Envelope::new("k", "r", "o", "2026-11-01T00:00:00Z", json!({ "a": "1" })).unwrap();
        let leaf = merkle::leaf(&envelope.entry(&[1; 16]).unwrap());
        let text = String::from_utf8(envelope.canonical().unwrap()).unwrap();
        let sound = Entry { envelope: text.clone(), ..entry(0, 1, 0) };
        assert_eq!(sound.authentic(Some(&leaf)), Some(envelope));
        assert_eq!(sound.authentic(None), None);
        let other = Entry { envelope: text.replace("\"1\"", "\"2\""), ..sound.clone() };
        assert_eq!(other.authentic(Some(&leaf)), None);
        let mut salt = sound.salt.clone();
        salt[15] ^= 1;
        assert_eq!(Entry { salt, ..sound.clone() }.authentic(Some(&leaf)), None);
        assert_eq!(
            Entry { record: String::from("s"), ..sound.clone() }.authentic(Some(&leaf)),
            None
        );
        assert_eq!(Entry { org: String::from("p"), ..sound }.authentic(Some(&leaf)), None);
    }

    #[test]
    fn a_record_cannot_be_registered_after_its_block() {
        let made =
            |body: Value| Envelope::new("k", "r", "o", "2026-11-01T00:00:00Z", body).unwrap();
        let late = made(json!({ "recorded_at": "2026-11-02T00:00:00+08:00" }));
        let block = "2026-11-01T00:00:00+08:00".parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(registered_before(&late, block).map(|found| found.what), Some(What::Backdated));
        assert!(registered_before(&late, block + DAY).is_none());
        assert!(registered_before(&made(json!({ "a": 1 })), block).is_none());
    }
}
