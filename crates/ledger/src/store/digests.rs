//! Which block holds a digest: an index beside the blocks, written in sorted pieces of many blocks
//! each, so that no block pays for it.

use std::collections::BTreeMap;

use redb::TableDefinition;
use yj_kernel::{Problem, Result};
use yj_proof::Hash;

use super::{META, Store, damaged, failed};

/// First byte of a digest, and the first height of a piece → of each digest in it that begins so,
/// its next eight bytes and how much further its block is, in order.
pub(super) const DIGESTS: TableDefinition<(u8, u64), &[u8]> = TableDefinition::new("digests");
/// The height from which on blocks are not in it.
const NEXT: &str = "digests";
/// Bytes of one digest in a piece.
const ENTRY: usize = 12;

/// The part of a digest that a piece holds besides its first byte.
fn stem(digest: &Hash) -> [u8; 8] {
    let mut stem = [0; 8];
    stem.copy_from_slice(&digest[1..9]);
    stem
}

impl Store {
    /// The height from which on blocks are not in the index.
    pub(crate) fn digests_from(&self) -> Result<u64> {
        let next = self.meta(NEXT)?;
        let next = next.map(|bytes| bytes.as_slice().try_into().map(u64::from_be_bytes));
        Ok(next.transpose().map_err(|_| damaged(NEXT))?.unwrap_or(1))
    }

    /// Adds a piece: the digests of all blocks from `first` to before `next`, each with its height.
    /// Where another was quicker it does nothing.
    pub(crate) fn keep_digests(
        &self,
        (first, next): (u64, u64),
        digests: &[(Hash, u64)],
    ) -> Result<()> {
        let mut buckets: BTreeMap<u8, Vec<([u8; 8], u32)>> = BTreeMap::new();
        for (digest, height) in digests {
            let further = u32::try_from(height - first).map_err(Problem::internal)?;
            buckets.entry(digest[0]).or_default().push((stem(digest), further));
        }
        if self.digests_from()? != first {
            return Ok(());
        }
        let tx = self.0.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(DIGESTS).map_err(failed)?;
            for (bucket, mut entries) in buckets {
                entries.sort_unstable();
                let mut bytes = Vec::with_capacity(entries.len() * ENTRY);
                for (stem, further) in entries {
                    bytes.extend(stem);
                    bytes.extend(further.to_be_bytes());
                }
                table.insert((bucket, first), bytes.as_slice()).map_err(failed)?;
            }
            let mut meta = tx.open_table(META).map_err(failed)?;
            meta.insert(NEXT, next.to_be_bytes().as_slice()).map_err(failed)?;
        }
        tx.commit().map_err(failed)
    }

    /// Heights of the blocks that may hold a digest, lowest first, `most` at most: eight bytes more
    /// than the first agree.
    pub(crate) fn blocks_with(&self, digest: &Hash, most: usize) -> Result<Vec<u64>> {
        let tx = self.0.begin_read().map_err(failed)?;
        let table = tx.open_table(DIGESTS).map_err(failed)?;
        let (bucket, stem) = (digest[0], stem(digest));
        let mut heights = Vec::new();
        for piece in table.range((bucket, 0)..=(bucket, u64::MAX)).map_err(failed)? {
            let (place, bytes) = piece.map_err(failed)?;
            let (entries, rest) = bytes.value().as_chunks::<ENTRY>();
            if !rest.is_empty() {
                return Err(damaged("digests"));
            }
            let from = entries.partition_point(|entry| entry[..8] < stem[..]);
            for entry in entries[from..].iter().take_while(|entry| entry[..8] == stem) {
                let further = [entry[8], entry[9], entry[10], entry[11]];
                heights.push(place.value().1 + u64::from(u32::from_be_bytes(further)));
            }
            if heights.len() >= most {
                break;
            }
        }
        heights.dedup();
        heights.truncate(most);
        Ok(heights)
    }
}
