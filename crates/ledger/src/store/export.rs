//! The ledger's own file as it stands, byte for byte, for those who check it with other programs.

use std::ops::Bound;

use redb::ReadableTable as _;
use yj_kernel::Result;
use yj_proof::{
    Hash, Submission,
    merkle::{self, Frontier},
};

use super::{
    ANCHORED, BLOCKS, HEADER_LENGTH, KEYS, LEAVES, META, NODES, RECORDS, SUBMISSIONS, Store,
    WITNESSED, damaged, failed, hashes,
};

/// One moment of the ledger. What is written meanwhile is not in it.
pub struct LedgerSnapshot(redb::ReadTransaction);

/// Where a record is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    /// Submission, from 0.
    pub log_index: u64,
    /// Place in the submission, from 0.
    pub position: u32,
    /// Block.
    pub height: u64,
}

impl Store {
    pub(crate) fn snapshot(&self) -> Result<LedgerSnapshot> {
        self.0.begin_read().map(LedgerSnapshot).map_err(failed)
    }
}

impl LedgerSnapshot {
    /// Bytes of the beginning of the chain.
    pub fn genesis(&self) -> Result<Vec<u8>> {
        let table = self.0.open_table(META).map_err(failed)?;
        let bytes = table.get("genesis").map_err(failed)?.ok_or_else(|| damaged("genesis"))?;
        Ok(bytes.value().to_vec())
    }

    /// Header and certificate of every block, from the first.
    pub fn blocks(&self, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(BLOCKS).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (_, bytes) = entry.map_err(failed)?;
            let (header, certificate) =
                bytes.value().split_at_checked(HEADER_LENGTH).ok_or_else(|| damaged("block"))?;
            each(header, certificate)?;
        }
        Ok(())
    }

    /// Every submission and the leaf hashes of its records, from the first.
    pub fn submissions(&self, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(SUBMISSIONS).map_err(failed)?;
        let leaves = self.0.open_table(LEAVES).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (index, bytes) = entry.map_err(failed)?;
            let own = leaves.get(index.value()).map_err(failed)?;
            each(bytes.value(), own.ok_or_else(|| damaged("leaves"))?.value())?;
        }
        Ok(())
    }

    /// Where every record is, in the order of their names.
    pub fn places(&self, mut each: impl FnMut(&str, RecordPlace) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(RECORDS).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (record, place) = entry.map_err(failed)?;
            let (log_index, position, height) = place.value();
            each(record.value(), RecordPlace { log_index, position, height })?;
        }
        Ok(())
    }

    /// The places of the records named after one and up to another, in the order of their names.
    pub fn places_between(
        &self,
        after: &str,
        up_to: Option<&str>,
    ) -> Result<Vec<(String, RecordPlace)>> {
        let table = self.0.open_table(RECORDS).map_err(failed)?;
        let end = up_to.map_or(Bound::Unbounded, Bound::Included);
        let range = table.range::<&str>((Bound::Excluded(after), end)).map_err(failed)?;
        let mut places = Vec::new();
        for entry in range {
            let (record, place) = entry.map_err(failed)?;
            let (log_index, position, height) = place.value();
            let place = RecordPlace { log_index, position, height };
            places.push((String::from(record.value()), place));
        }
        Ok(places)
    }

    /// Every change of the key register: since which height, and the entry since then.
    pub fn keys(&self, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(KEYS).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (place, bytes) = entry.map_err(failed)?;
            each(place.value().0, bytes.value())?;
        }
        Ok(())
    }

    /// Every countersigned checkpoint: the keys of its signatures, and the signed note.
    pub fn witnessed(&self, mut each: impl FnMut(&str, &str) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(WITNESSED).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (_, text) = entry.map_err(failed)?;
            let (keys, note) =
                text.value().split_once("\n\n").ok_or_else(|| damaged("witnessed"))?;
            each(keys, note)?;
        }
        Ok(())
    }

    /// Every statement of where else the log stands.
    pub fn anchored(&self, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let table = self.0.open_table(ANCHORED).map_err(failed)?;
        for entry in table.iter().map_err(failed)? {
            let (_, bytes) = entry.map_err(failed)?;
            each(bytes.value())?;
        }
        Ok(())
    }

    /// Whether what the file derives from its submissions agrees with them: the leaves of their
    /// records, where each record is, and the nodes from which paths are composed. Returns the
    /// number of records.
    pub fn verify_derived(&self) -> Result<u64> {
        let nodes = self.0.open_table(NODES).map_err(failed)?;
        let (mut frontier, mut records, mut wrong) = (Frontier::default(), Vec::new(), None);
        self.submissions(|bytes, leaves| {
            let submission = Submission::from_bytes(bytes).map_err(|_| damaged("submission"))?;
            let (own, count) = (hashes(leaves)?, records.len());
            if merkle::root(&own) != submission.root
                || own.len() as u64 != u64::from(submission.count)
            {
                return Err(damaged(&format!("leaves of submission {count}")));
            }
            records.push(submission.count);
            frontier.append(merkle::leaf(bytes), |level, index, hash: &Hash| {
                let known = nodes.get((level, index));
                let same = known
                    .is_ok_and(|known| known.is_some_and(|known| known.value() == hash.as_slice()));
                if !same {
                    wrong.get_or_insert((level, index));
                }
            });
            Ok(())
        })?;
        if let Some((level, index)) = wrong {
            return Err(damaged(&format!("node {level}/{index}")));
        }
        let total: u64 = records.iter().map(|count| u64::from(*count)).sum();
        let mut placed = 0;
        self.places(|record, place| {
            let index = usize::try_from(place.log_index).unwrap_or(usize::MAX);
            if records.get(index).is_none_or(|count| place.position >= *count) {
                return Err(damaged(&format!("the place of record {record}")));
            }
            placed += 1;
            Ok(())
        })?;
        if placed == total { Ok(total) } else { Err(damaged("the places of records")) }
    }
}
