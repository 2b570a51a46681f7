//! The ledger's own file: blocks, submissions, Merkle nodes. Append-only; one durable commit per
//! block.

mod digests;
mod disk;
mod export;

use std::path::Path;

use redb::{ReadableTable as _, ReadableTableMetadata as _, TableDefinition};
use yj_kernel::{Disk, Problem, Result, audit::Head};
use yj_proof::{Certificate, Genesis, Hash, Header, KeyEntry, Submission, merkle::Frontier};

use crate::fault;
use disk::LedgerFile;

pub use export::{LedgerSnapshot, RecordPlace};

/// `genesis`, `tip`, `frontier`
pub(crate) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// Height → header ‖ certificate.
pub(crate) const BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blocks");
/// Log index → submission bytes.
pub(crate) const SUBMISSIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("submissions");
/// Log index → the leaf hashes of the submission's own records, one after the other.
pub(crate) const LEAVES: TableDefinition<u64, &[u8]> = TableDefinition::new("leaves");
/// `(level, index)` → hash of a complete node.
const NODES: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("nodes");
/// Organisation → number of its last submission.
const ORGS: TableDefinition<&str, u64> = TableDefinition::new("orgs");
/// Record → log index, position in the submission, height.
pub(crate) const RECORDS: TableDefinition<&str, (u64, u32, u64)> = TableDefinition::new("records");

/// Chain of the audit trail → number and digest of its last anchored entry.
const AUDIT: TableDefinition<i64, (i64, &str)> = TableDefinition::new("audit");

/// Owner of a destroyed data key → when it was destroyed.
const ERASED: TableDefinition<&str, i64> = TableDefinition::new("erased");

/// Record that was erased → when it was.
pub(crate) const TOMBS: TableDefinition<&str, i64> = TableDefinition::new("tombs");
/// Height and number within it → an entry of the key register as it is since then.
const KEYS: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("keys");
/// Size of the log → the checkpoint of that size as witnesses countersigned it, with their keys.
const WITNESSED: TableDefinition<u64, &str> = TableDefinition::new("witnessed");
/// Size of the log and number → a statement of where else it stands.
const ANCHORED: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("anchored");

/// Bytes of a header.
const HEADER_LENGTH: usize = 2 + 8 * 3 + 32 * 9;

pub(crate) fn failed(error: impl Into<redb::Error>) -> Problem {
    match error.into() {
        // Others have met the error before, and it is in the log.
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => Disk::Unwritable.refuses(),
        redb::Error::Io(cause) => match Disk::of(&cause) {
            Some(disk) => disk.refuses_because(&cause),
            None => Problem::internal(redb::Error::Io(cause)),
        },
        other => Problem::internal(other),
    }
}

pub(crate) fn damaged(what: &str) -> Problem {
    Problem::internal(format!("the ledger store is damaged: {what}"))
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) log_index: u64,
    pub(crate) position: u32,
    pub(crate) height: u64,
}

/// A submission about to be written, with the records in it.
pub(crate) struct Packed {
    pub(crate) submission: Submission,
    pub(crate) leaves: Vec<Hash>,
    pub(crate) records: Vec<String>,
}

/// A block about to be written, with all that it changes.
pub(crate) struct NewBlock {
    pub(crate) header: Header,
    pub(crate) certificate: Certificate,
    pub(crate) frontier: Frontier,
    /// Complete nodes of the log that it adds.
    pub(crate) nodes: Vec<(u32, u64, Hash)>,
    pub(crate) packed: Vec<Packed>,
    /// Entries of the key register that it adds or replaces.
    pub(crate) keys: Vec<KeyEntry>,
}

/// A block as stored.
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) certificate: Certificate,
}

pub(crate) struct Store(pub(crate) LedgerFile);

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let database = LedgerFile::open(path).map_err(failed)?;
        let tx = database.begin_write().map_err(failed)?;
        tx.open_table(META).map_err(failed)?;
        tx.open_table(BLOCKS).map_err(failed)?;
        tx.open_table(SUBMISSIONS).map_err(failed)?;
        tx.open_table(LEAVES).map_err(failed)?;
        tx.open_table(NODES).map_err(failed)?;
        tx.open_table(ORGS).map_err(failed)?;
        tx.open_table(RECORDS).map_err(failed)?;
        tx.open_table(AUDIT).map_err(failed)?;
        tx.open_table(ERASED).map_err(failed)?;
        tx.open_table(TOMBS).map_err(failed)?;
        tx.open_table(KEYS).map_err(failed)?;
        tx.open_table(WITNESSED).map_err(failed)?;
        tx.open_table(ANCHORED).map_err(failed)?;
        tx.open_table(digests::DIGESTS).map_err(failed)?;
        tx.commit().map_err(failed)?;
        Ok(Self(database))
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(META).map_err(failed)?;
        Ok(table.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    /// The genesis of this ledger; `make` provides it on first use.
    pub(crate) fn genesis(&self, make: impl FnOnce() -> Result<Genesis>) -> Result<Genesis> {
        if let Some(bytes) = self.meta("genesis")? {
            return Genesis::from_bytes(&bytes).map_err(|_| damaged("genesis"));
        }
        let genesis = make()?;
        let tx = self.0.begin_write().map_err(failed)?;
        let bytes = genesis.to_bytes();
        tx.open_table(META).map_err(failed)?.insert("genesis", bytes.as_slice()).map_err(failed)?;
        tx.commit().map_err(failed)?;
        Ok(genesis)
    }

    /// The ends of the audit chains as last anchored.
    pub(crate) fn audit_heads(&self) -> Result<Vec<Head>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(AUDIT).map_err(failed)?;
        let mut heads = Vec::new();
        for entry in table.iter().map_err(failed)? {
            let (lane, end) = entry.map_err(failed)?;
            let (seq, digest) = end.value();
            heads.push(Head { lane: lane.value(), seq, digest: String::from(digest) });
        }
        Ok(heads)
    }

    /// Keeps the ends of the audit chains; a chain never gets shorter.
    pub(crate) fn keep_audit_heads(&self, heads: &[Head]) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(AUDIT).map_err(failed)?;
            for head in heads {
                let known = table.get(head.lane).map_err(failed)?.map_or(0, |end| end.value().0);
                if head.seq > known {
                    let end = (head.seq, head.digest.as_str());
                    table.insert(head.lane, end).map_err(failed)?;
                }
            }
        }
        tx.commit().map_err(failed)
    }

    /// Owners of data keys that were destroyed.
    pub(crate) fn erasures(&self) -> Result<Vec<String>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(ERASED).map_err(failed)?;
        let owner = |entry: Result<(redb::AccessGuard<'_, &str>, _), redb::StorageError>| {
            Ok(String::from(entry.map_err(failed)?.0.value()))
        };
        table.iter().map_err(failed)?.map(owner).collect()
    }

    /// When the last of them was destroyed; 0 before the first.
    pub(crate) fn last_erasure(&self) -> Result<i64> {
        let at = self.meta("last_erasure")?.and_then(|bytes| bytes.as_slice().try_into().ok());
        Ok(at.map_or(0, i64::from_be_bytes))
    }

    /// Keeps further ones, in order of time. Says nothing where all are known.
    pub(crate) fn keep_erasures(&self, erased: &[(String, i64)]) -> Result<()> {
        let Some((_, last)) = erased.last() else { return Ok(()) };
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(ERASED).map_err(failed)?;
        let mut fresh = Vec::new();
        for (owner, at) in erased {
            if table.get(owner.as_str()).map_err(failed)?.is_none() {
                fresh.push((owner, *at));
            }
        }
        drop(table);
        if fresh.is_empty() {
            return Ok(());
        }
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(ERASED).map_err(failed)?;
            for (owner, at) in fresh {
                table.insert(owner.as_str(), at).map_err(failed)?;
            }
            let mut meta = tx.open_table(META).map_err(failed)?;
            meta.insert("last_erasure", last.to_be_bytes().as_slice()).map_err(failed)?;
        }
        tx.commit().map_err(failed)
    }

    /// The newest block; `None` before the first.
    pub(crate) fn tip(&self) -> Result<Option<Block>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(BLOCKS).map_err(failed)?;
        let last = table.last().map_err(failed)?;
        last.map(|(_, bytes)| read_block(bytes.value())).transpose()
    }

    pub(crate) fn block(&self, height: u64) -> Result<Option<Block>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(BLOCKS).map_err(failed)?;
        let found = table.get(height).map_err(failed)?;
        found.map(|bytes| read_block(bytes.value())).transpose()
    }

    /// Blocks below `before`, newest first.
    pub(crate) fn blocks(&self, before: u64, count: usize) -> Result<Vec<Block>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(BLOCKS).map_err(failed)?;
        let range = table.range(..before).map_err(failed)?.rev().take(count);
        range.map(|entry| read_block(entry.map_err(failed)?.1.value())).collect()
    }

    /// The submissions from one log index to another.
    pub(crate) fn submissions(&self, from: u64, to: u64) -> Result<Vec<Submission>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(SUBMISSIONS).map_err(failed)?;
        let range = table.range(from..to).map_err(failed)?;
        range
            .map(|entry| {
                let (_, bytes) = entry.map_err(failed)?;
                Submission::from_bytes(bytes.value()).map_err(|_| damaged("submission"))
            })
            .collect()
    }

    pub(crate) fn frontier(&self) -> Result<Frontier> {
        let Some(bytes) = self.meta("frontier")? else { return Ok(Frontier::default()) };
        let (size, peaks) = bytes.split_at_checked(8).ok_or_else(|| damaged("frontier"))?;
        let size = u64::from_be_bytes(size.try_into().map_err(|_| damaged("frontier"))?);
        Frontier::restore(size, hashes(peaks)?).ok_or_else(|| damaged("frontier"))
    }

    /// Number of an organisation's last submission; 0 before the first.
    pub(crate) fn last_seq(&self, org: &str) -> Result<u64> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(ORGS).map_err(failed)?;
        Ok(table.get(org).map_err(failed)?.map_or(0, |value| value.value()))
    }

    pub(crate) fn place(&self, record: &str) -> Result<Option<Place>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(RECORDS).map_err(failed)?;
        let found = table.get(record).map_err(failed)?;
        Ok(found.map(|value| {
            let (log_index, position, height) = value.value();
            Place { log_index, position, height }
        }))
    }

    /// How many records are in blocks.
    pub(crate) fn record_count(&self) -> Result<u64> {
        let tx = self.0.begin_read().map_err(failed)?;
        tx.open_table(RECORDS).map_err(failed)?.len().map_err(failed)
    }

    /// The submission at a log index, and the leaf hashes of its records.
    pub(crate) fn submission(&self, log_index: u64) -> Result<(Submission, Vec<Hash>)> {
        let tx = self.0.begin_read().map_err(failed)?;
        let submissions = tx.open_table(SUBMISSIONS).map_err(failed)?;
        let leaves = tx.open_table(LEAVES).map_err(failed)?;
        let bytes =
            submissions.get(log_index).map_err(failed)?.ok_or_else(|| damaged("submission"))?;
        let leaves = leaves.get(log_index).map_err(failed)?.ok_or_else(|| damaged("leaves"))?;
        let submission =
            Submission::from_bytes(bytes.value()).map_err(|_| damaged("submission"))?;
        Ok((submission, hashes(leaves.value())?))
    }

    /// Something composed of complete nodes of the log.
    pub(crate) fn of_nodes<T>(
        &self,
        compose: impl FnOnce(&mut dyn FnMut(u32, u64) -> Result<Hash>) -> Result<T>,
    ) -> Result<T> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(NODES).map_err(failed)?;
        compose(&mut |level, index| {
            let found =
                table.get((level, index)).map_err(failed)?.ok_or_else(|| damaged("node"))?;
            found.value().try_into().map_err(|_| damaged("node"))
        })
    }

    /// Every change of the key register: since which height, and the entry since then.
    pub(crate) fn key_changes(&self) -> Result<Vec<(u64, KeyEntry)>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(KEYS).map_err(failed)?;
        let mut changes = Vec::new();
        for entry in table.iter().map_err(failed)? {
            let (place, bytes) = entry.map_err(failed)?;
            let entry = KeyEntry::from_bytes(bytes.value()).map_err(|_| damaged("key"))?;
            changes.push((place.value().0, entry));
        }
        Ok(changes)
    }

    /// Keeps the first key of a ledger that began before keys were kept here.
    pub(crate) fn keep_first_key(&self, entry: &KeyEntry) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        let bytes = entry.to_bytes();
        tx.open_table(KEYS).map_err(failed)?.insert((1, 0), bytes.as_slice()).map_err(failed)?;
        tx.commit().map_err(failed)
    }

    /// The countersigned checkpoint of the smallest size from `size` on.
    pub(crate) fn witnessed_from(&self, size: u64) -> Result<Option<(u64, String)>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(WITNESSED).map_err(failed)?;
        let first = table.range(size..).map_err(failed)?.next().transpose().map_err(failed)?;
        Ok(first.map(|(size, text)| (size.value(), String::from(text.value()))))
    }

    /// The countersigned checkpoint of the largest size.
    pub(crate) fn last_witnessed(&self) -> Result<Option<String>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(WITNESSED).map_err(failed)?;
        Ok(table.last().map_err(failed)?.map(|(_, text)| String::from(text.value())))
    }

    /// Changes the countersigned checkpoint of one size.
    pub(crate) fn keep_witnessed(
        &self,
        size: u64,
        change: impl FnOnce(Option<&str>) -> Result<String>,
    ) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(WITNESSED).map_err(failed)?;
            let known = table.get(size).map_err(failed)?.map(|text| String::from(text.value()));
            let text = change(known.as_deref())?;
            table.insert(size, text.as_str()).map_err(failed)?;
        }
        tx.commit().map_err(failed)
    }

    /// The statements of the smallest size from `size` on.
    pub(crate) fn anchored_from(&self, size: u64) -> Result<Vec<Vec<u8>>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(ANCHORED).map_err(failed)?;
        let (mut found, mut first) = (Vec::new(), None);
        for entry in table.range((size, 0)..).map_err(failed)? {
            let (place, bytes) = entry.map_err(failed)?;
            let (size, _) = place.value();
            if *first.get_or_insert(size) != size {
                break;
            }
            found.push(bytes.value().to_vec());
        }
        Ok(found)
    }

    /// Keeps a statement in the place of those of its size that are `outdated`.
    pub(crate) fn keep_anchored(
        &self,
        size: u64,
        statement: &[u8],
        outdated: impl Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(ANCHORED).map_err(failed)?;
            let last = forget(&mut table, size, outdated)?;
            let number = last.map_or(0, |last| last.saturating_add(1));
            table.insert((size, number), statement).map_err(failed)?;
        }
        tx.commit().map_err(failed)
    }

    /// Forgets the statements of one size that are `outdated`.
    pub(crate) fn forget_anchored(
        &self,
        size: u64,
        outdated: impl Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let tx = self.0.begin_write().map_err(failed)?;
        forget(&mut tx.open_table(ANCHORED).map_err(failed)?, size, outdated)?;
        tx.commit().map_err(failed)
    }

    /// Writes a block and everything in it, durably and as one.
    pub(crate) fn append(&self, block: &NewBlock) -> Result<()> {
        let NewBlock { header, certificate, frontier, nodes, packed, keys } = block;
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut blocks = tx.open_table(BLOCKS).map_err(failed)?;
            let mut bytes = header.to_bytes();
            bytes.extend(certificate.to_bytes());
            if blocks.insert(header.height, bytes.as_slice()).map_err(failed)?.is_some() {
                return Err(damaged("a block was written twice"));
            }
            let mut table = tx.open_table(NODES).map_err(failed)?;
            for (level, index, hash) in nodes {
                table.insert((*level, *index), hash.as_slice()).map_err(failed)?;
            }
            fault::point("mid_block");
            let mut edge = frontier.size().to_be_bytes().to_vec();
            edge.extend(frontier.peaks().concat());
            tx.open_table(META)
                .map_err(failed)?
                .insert("frontier", edge.as_slice())
                .map_err(failed)?;
            let first = frontier.size() - packed.len() as u64;
            for (log_index, packed) in (first..).zip(packed) {
                write_submission(&tx, (log_index, header.height), packed)?;
            }
            let mut table = tx.open_table(KEYS).map_err(failed)?;
            for (number, entry) in (0u32..).zip(keys) {
                let bytes = entry.to_bytes();
                table.insert((header.height, number), bytes.as_slice()).map_err(failed)?;
            }
        }
        if !keys.is_empty() {
            fault::point("registry_change");
        }
        tx.commit().map_err(failed)?;
        fault::point("after_block");
        Ok(())
    }
}

fn write_submission(
    tx: &redb::WriteTransaction,
    (log_index, height): (u64, u64),
    packed: &Packed,
) -> Result<()> {
    let Packed { submission, leaves, records } = packed;
    let bytes = submission.to_bytes();
    tx.open_table(SUBMISSIONS)
        .map_err(failed)?
        .insert(log_index, bytes.as_slice())
        .map_err(failed)?;
    tx.open_table(LEAVES)
        .map_err(failed)?
        .insert(log_index, leaves.concat().as_slice())
        .map_err(failed)?;
    tx.open_table(ORGS)
        .map_err(failed)?
        .insert(submission.org.as_str(), submission.seq)
        .map_err(failed)?;
    let mut places = tx.open_table(RECORDS).map_err(failed)?;
    for (position, record) in (0u32..).zip(records) {
        let place = (log_index, position, height);
        if places.insert(record.as_str(), place).map_err(failed)?.is_some() {
            return Err(damaged("a record was anchored twice"));
        }
    }
    Ok(())
}

/// Removes statements of one size; the number of the last that there was.
fn forget(
    table: &mut redb::Table<'_, (u64, u32), &'static [u8]>,
    size: u64,
    outdated: impl Fn(&[u8]) -> bool,
) -> Result<Option<u32>> {
    let (mut gone, mut last) = (Vec::new(), None);
    for entry in table.range((size, 0)..=(size, u32::MAX)).map_err(failed)? {
        let (place, bytes) = entry.map_err(failed)?;
        last = Some(place.value().1);
        if outdated(bytes.value()) {
            gone.push(place.value());
        }
    }
    for place in gone {
        table.remove(place).map_err(failed)?;
    }
    Ok(last)
}

fn read_block(bytes: &[u8]) -> Result<Block> {
    let (header, certificate) =
        bytes.split_at_checked(HEADER_LENGTH).ok_or_else(|| damaged("block"))?;
    Ok(Block {
        header: Header::from_bytes(header).map_err(|_| damaged("header"))?,
        certificate: Certificate::from_bytes(certificate).map_err(|_| damaged("certificate"))?,
    })
}

pub(crate) fn hashes(bytes: &[u8]) -> Result<Vec<Hash>> {
    if !bytes.len().is_multiple_of(32) {
        return Err(damaged("hashes"));
    }
    Ok(bytes.chunks_exact(32).filter_map(|chunk| chunk.try_into().ok()).collect())
}
