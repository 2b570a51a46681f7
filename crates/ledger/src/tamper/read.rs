//! What the audit reads of the ledger's own file, and the little that it keeps there: whoever can
//! write to the database alone can neither make a pass skip something nor forget what was erased.

use std::collections::BTreeMap;

use redb::{ReadableTable as _, ReadableTableMetadata as _};
use yj_kernel::{Problem, Result};
use yj_proof::{Hash, Submission};

use crate::store::{
    LEAVES, META, Place, RECORDS, SUBMISSIONS, Store, TOMBS, damaged, failed, hashes,
};

impl Store {
    /// Records behind one, in the order of their names, with their places.
    pub(crate) fn records_behind(&self, after: &str, most: usize) -> Result<Vec<(String, Place)>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(RECORDS).map_err(failed)?;
        let range = table.range::<&str>((Excluded(after), Unbounded)).map_err(failed)?;
        let mut records = Vec::new();
        for entry in range.take(most) {
            let (record, place) = entry.map_err(failed)?;
            let (log_index, position, height) = place.value();
            records.push((String::from(record.value()), Place { log_index, position, height }));
        }
        Ok(records)
    }

    /// The names of the first and of the last record.
    pub(crate) fn record_span(&self) -> Result<Option<(String, String)>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(RECORDS).map_err(failed)?;
        let (first, last) = (table.first().map_err(failed)?, table.last().map_err(failed)?);
        Ok(first.zip(last).map(|((first, _), (last, _))| {
            (String::from(first.value()), String::from(last.value()))
        }))
    }

    /// Which of these records are in a block.
    pub(crate) fn places(&self, records: &[&str]) -> Result<BTreeMap<String, Place>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(RECORDS).map_err(failed)?;
        let mut places = BTreeMap::new();
        for record in records {
            if let Some(place) = table.get(*record).map_err(failed)? {
                let (log_index, position, height) = place.value();
                places.insert(String::from(*record), Place { log_index, position, height });
            }
        }
        Ok(places)
    }

    /// Submissions from one log index to another, with the leaves of their records; less where some
    /// are missing.
    pub(crate) fn contents(&self, from: u64, to: u64) -> Result<Vec<(Submission, Vec<Hash>)>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let submissions = tx.open_table(SUBMISSIONS).map_err(failed)?;
        let leaves = tx.open_table(LEAVES).map_err(failed)?;
        let mut contents = Vec::new();
        for entry in submissions.range(from..to).map_err(failed)? {
            let (index, bytes) = entry.map_err(failed)?;
            if index.value() != from + contents.len() as u64 {
                break;
            }
            let Ok(submission) = Submission::from_bytes(bytes.value()) else { break };
            let own = leaves.get(index.value()).map_err(failed)?;
            let own = own.map_or(Ok(Vec::new()), |bytes| hashes(bytes.value()))?;
            contents.push((submission, own));
        }
        Ok(contents)
    }

    /// What a pass wrote down when it paused.
    pub(crate) fn note(&self, key: &str) -> Result<Option<String>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(META).map_err(failed)?;
        let found = table.get(key).map_err(failed)?;
        found
            .map(|bytes| String::from_utf8(bytes.value().to_vec()).map_err(|_| damaged(key)))
            .transpose()
    }

    /// Writes it down; nothing takes it away.
    pub(crate) fn keep_note(&self, key: &str, note: Option<&str>) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(META).map_err(failed)?;
            match note {
                Some(note) => drop(table.insert(key, note.as_bytes()).map_err(failed)?),
                None => drop(table.remove(key).map_err(failed)?),
            }
        }
        tx.commit().map_err(failed)
    }

    /// Keeps that a record was erased. Says nothing where it is known.
    pub(crate) fn keep_tomb(&self, record: &str, at: i64) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        tx.open_table(TOMBS).map_err(failed)?.insert(record, at).map_err(failed)?;
        tx.commit().map_err(failed)
    }

    /// Which of these records were erased.
    pub(crate) fn tombs(&self, records: &[&str]) -> Result<BTreeMap<String, i64>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(TOMBS).map_err(failed)?;
        let mut tombs = BTreeMap::new();
        for record in records {
            if let Some(at) = table.get(*record).map_err(failed)? {
                tombs.insert(String::from(*record), at.value());
            }
        }
        Ok(tombs)
    }

    /// Every record that was erased, with the moment.
    pub(crate) fn all_tombs(&self) -> Result<Vec<(String, i64)>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(TOMBS).map_err(failed)?;
        let mut tombs =
            Vec::with_capacity(usize::try_from(table.len().map_err(failed)?).unwrap_or(0));
        for entry in table.iter().map_err(failed)? {
            let (record, at) = entry.map_err(failed)?;
            tombs.push((String::from(record.value()), at.value()));
        }
        Ok(tombs)
    }
}

/// Hexadecimal in notes.
pub(crate) fn hash_of(text: &str) -> Result<Hash> {
    yj_crypto::from_hex::<32>(text).ok_or_else(|| Problem::internal("a note holds no digest"))
}
