//! Whether what a log shows now is what it showed before, grown.

use std::collections::HashMap;

use yj_proof::{AlarmKind, Checkpoint, Hash, Note, merkle, tile, tile::Tile};

use crate::{
    log::{Log, Unfetched},
    state::Chain,
};

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: AlarmKind,
    pub(crate) detail: String,
}

impl Refusal {
    fn new(kind: AlarmKind, detail: String) -> Self {
        Self { kind, detail }
    }
}

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Nothing new.
    Same,
    /// It holds all it held.
    Grown,
    /// It does not.
    Refused(Refusal),
}

/// What a log publishes to compute proofs from.
pub(crate) trait Source {
    /// The nodes of a tile.
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Unfetched>;
    /// The path that it computed itself.
    fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, Unfetched>;
}

impl Source for Log {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Unfetched> {
        self.tile(tile)
    }

    fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, Unfetched> {
        self.consistency(from, to)
    }
}

/// Reads a note of this chain's log.
pub(crate) fn read(text: &str, chain: &Chain) -> Result<Result<Note, Refusal>, String> {
    let note = Note::read(text).map_err(|_| String::from("所得不是检查点，可能并非平台的答复"))?;
    let origin = &note.checkpoint.origin;
    Ok(if *origin != chain.origin {
        let detail = format!("所见证的是 {}，平台给出的却是 {origin}", chain.origin);
        Err(Refusal::new(AlarmKind::OtherChain, detail))
    } else if chain.signed(&note) {
        Ok(note)
    } else {
        let detail = String::from("检查点没有创世文件所列验证人的有效签名");
        Err(Refusal::new(AlarmKind::BadSignature, detail))
    })
}

/// Whether two checkpoints of one log cannot both be true, told from them alone.
pub(crate) fn contradict(one: &Checkpoint, other: &Checkpoint) -> bool {
    let (small, large) = if (one.size, one.height) <= (other.size, other.height) {
        (one, other)
    } else {
        (other, one)
    };
    (small.size == large.size && small.root != large.root)
        || (small.height == large.height && small != large)
        || small.height > large.height
}

/// Whether the log behind `source` grew from one checkpoint to the other.
pub(crate) fn joined(
    (old, new): (&Checkpoint, &Checkpoint),
    source: &dyn Source,
) -> Result<bool, Unfetched> {
    if contradict(old, new) || old.size > new.size {
        return Ok(false);
    }
    if old.size == new.size {
        return Ok(true);
    }
    let ends = ((old.size, old.root), (new.size, new.root));
    let mut tiles = Tiles { source, known: HashMap::new() };
    let path = merkle::consistency_path(old.size, new.size, |level, index| {
        tile::node((new.size, level, index), &mut |tile| tiles.get(tile), || Unfetched::Missing)
    });
    if path.as_ref().is_ok_and(|path| merkle::is_consistent(ends.0, ends.1, path)) {
        return Ok(true);
    }
    // A proof is a proof, whoever computed it; tiles may be damaged on their way.
    match source.consistency(old.size, new.size) {
        Ok(computed) if merkle::is_consistent(ends.0, ends.1, &computed) => Ok(true),
        // Refused only where something came and did not join.
        Ok(_) => Ok(false),
        Err(_) => path.map(|_| false),
    }
}

/// Compares a new checkpoint with the one that was countersigned last; with the tiles alone where
/// there is none.
pub(crate) fn growth(
    (old, new): (Option<&Checkpoint>, &Checkpoint),
    source: &dyn Source,
) -> Result<Growth, Unfetched> {
    let refused = |kind, detail: String| Ok(Growth::Refused(Refusal::new(kind, detail)));
    let Some(old) = old else {
        let mut tiles = Tiles { source, known: HashMap::new() };
        let root = tile::root(new.size, &mut |tile| tiles.get(tile), || Unfetched::Missing)?;
        if root == new.root {
            return Ok(Growth::Grown);
        }
        let detail = String::from("由哈希瓦片算出的根与检查点所载的不同");
        return refused(AlarmKind::Rewritten, detail);
    };
    if old == new {
        return Ok(Growth::Same);
    }
    let sizes = format!(
        "已见证至 {} 条（区块 {}），平台给出 {} 条（区块 {}）",
        old.size, old.height, new.size, new.height
    );
    if new.size < old.size {
        return refused(AlarmKind::Rollback, format!("日志变短：{sizes}"));
    }
    if new.size == old.size && new.root == old.root && new.height < old.height {
        return refused(AlarmKind::Rollback, format!("区块高度倒退：{sizes}"));
    }
    if contradict(old, new) {
        return refused(AlarmKind::Rewritten, format!("与已见证的检查点相矛盾：{sizes}"));
    }
    if joined((old, new), source)? {
        return Ok(Growth::Grown);
    }
    refused(AlarmKind::Rewritten, format!("新日志不包含已见证的日志，历史被改写：{sizes}"))
}

/// Tiles of one look, each fetched once.
struct Tiles<'a> {
    source: &'a dyn Source,
    known: HashMap<Tile, Vec<Hash>>,
}

impl Tiles<'_> {
    fn get(&mut self, tile: Tile) -> Result<Vec<Hash>, Unfetched> {
        if let Some(hashes) = self.known.get(&tile) {
            return Ok(hashes.clone());
        }
        let hashes = self.source.tile(tile)?;
        self.known.insert(tile, hashes.clone());
        Ok(hashes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A log in memory, of leaves that differ by their number and a seed from somewhere on.
    struct Memory {
        nodes: BTreeMap<(u32, u64), Hash>,
        size: u64,
        /// Whether it also answers for paths.
        computes: bool,
    }

    fn log(size: u64, differs_from: u64) -> (Memory, Checkpoint) {
        let (mut frontier, mut nodes) = (merkle::Frontier::default(), BTreeMap::new());
        for leaf in 0..size {
            let seed = u64::from(leaf >= differs_from);
            let leaf = merkle::leaf(&[leaf.to_be_bytes(), seed.to_be_bytes()].concat());
            frontier.append(leaf, |level, index, hash| {
                nodes.insert((level, index), *hash);
            });
        }
        let root = frontier.root();
        let (origin, height, block_id) = (String::from("yuanjian/07"), size, root);
        let checkpoint = Checkpoint { origin, size, root, height, block_id };
        (Memory { nodes, size, computes: true }, checkpoint)
    }

    impl Source for Memory {
        fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Unfetched> {
            if !tile.is_in(self.size) {
                return Err(Unfetched::Missing);
            }
            let (level, first) = tile.nodes();
            let node = |at| self.nodes[&(level, at)];
            Ok((first..first + u64::from(tile.width())).map(node).collect())
        }

        fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, Unfetched> {
            if !self.computes {
                return Err(Unfetched::Missing);
            }
            merkle::consistency_path(from, to, |level, index| {
                self.nodes.get(&(level, index)).copied().ok_or(Unfetched::Missing)
            })
        }
    }

    const NEVER: u64 = u64::MAX;

    fn kind(found: Result<Growth, Unfetched>) -> Option<AlarmKind> {
        match found.unwrap() {
            Growth::Refused(refusal) => Some(refusal.kind),
            Growth::Same | Growth::Grown => None,
        }
    }

    #[test]
    fn a_log_that_grew_is_accepted_from_tiles_alone() {
        for (old, new) in [(1, 2), (7, 300), (256, 257), (300, 900), (512, 513)] {
            let ((mut source, new), (_, old)) = (log(new, NEVER), log(old, NEVER));
            assert_eq!(growth((Some(&old), &new), &source), Ok(Growth::Grown));
            source.computes = false;
            assert_eq!(growth((Some(&old), &new), &source), Ok(Growth::Grown));
            assert_eq!(growth((None, &new), &source), Ok(Growth::Grown));
            assert_eq!(growth((Some(&new), &new), &source), Ok(Growth::Same));
        }
    }

    #[test]
    fn every_other_log_is_refused_with_its_reason() {
        let (source, old) = log(300, NEVER);
        let (_, smaller) = log(299, NEVER);
        assert_eq!(kind(growth((Some(&old), &smaller), &source)), Some(AlarmKind::Rollback));
        let back = Checkpoint { height: 1, ..old.clone() };
        assert_eq!(kind(growth((Some(&old), &back), &source)), Some(AlarmKind::Rollback));
        let (other, same_size) = log(300, 5);
        assert_eq!(kind(growth((Some(&old), &same_size), &other)), Some(AlarmKind::Rewritten));
        let block = Checkpoint { block_id: [0; 32], ..old.clone() };
        assert_eq!(kind(growth((Some(&old), &block), &source)), Some(AlarmKind::Rewritten));
        for from in [0, 5, 299] {
            let (other, larger) = log(400, from);
            assert_eq!(kind(growth((Some(&old), &larger), &other)), Some(AlarmKind::Rewritten));
            // Also where it shows the old tiles.
            let (honest, _) = log(400, NEVER);
            assert_eq!(kind(growth((Some(&old), &larger), &honest)), Some(AlarmKind::Rewritten));
        }
        assert_eq!(kind(growth((None, &same_size), &source)), Some(AlarmKind::Rewritten));
    }

    #[test]
    fn what_does_not_come_is_no_contradiction() {
        let ((mut source, _), (_, old), (_, new)) = (log(10, NEVER), log(5, NEVER), log(20, NEVER));
        source.computes = false;
        assert_eq!(growth((Some(&old), &new), &source), Err(Unfetched::Missing));
        assert_eq!(growth((None, &new), &source), Err(Unfetched::Missing));
    }
}
