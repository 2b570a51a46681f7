//! The ledger's own file as it stands, byte for byte, for those who check it with other programs.

use redb::{ReadableDatabase as _, ReadableTable as _};
use yj_kernel::Result;

use super::{BLOCKS, HEADER_LENGTH, LEAVES, META, RECORDS, SUBMISSIONS, Store, damaged, failed};

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
}
