//! The walk along the blocks: headers, certificates, signatures, roots, and what others hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yj_crypto::to_hex;
use yj_kernel::Result;
use yj_proof::{Checkpoint, Hash, Header, Note, Registry, Submission, merkle, merkle::Frontier};

use super::{
    finding::{Difference, Found, What},
    read::hash_of,
};
use crate::{Ledger, store::Block};

/// A checkpoint that somebody else holds, or that an earlier pass has seen: the log must go on from
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Submissions in the log then.
    pub size: u64,
    /// Root of the log then.
    pub root: Hash,
    /// The block it was taken at.
    pub height: u64,
    /// Identifier of that block.
    pub block_id: Hash,
    /// Who holds it.
    pub by: String,
}

impl Held {
    /// A checkpoint as those hold it who have signed it.
    pub fn of(note: &Note) -> Self {
        let Checkpoint { size, root, height, block_id, .. } = note.checkpoint.clone();
        let names: Vec<&str> = note.lines.iter().skip(1).map(|line| line.name.as_str()).collect();
        let by = if names.is_empty() { String::from("检查点文件") } else { names.join("、") };
        Self { size, root, height, block_id, by }
    }
}

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The last block that was looked at.
    pub(crate) height: u64,
    prev: String,
    time_ms: u64,
    /// Number of the last submission of each organisation.
    seqs: BTreeMap<String, u64>,
    size: u64,
    peaks: Vec<String>,
    /// Records that the submissions so far speak of.
    pub(crate) records: u64,
    /// Records that the index held when the walk began.
    pub(crate) indexed: u64,
}

impl Walk {
    /// Before the first block.
    pub(crate) fn new(indexed: u64) -> Self {
        let prev = to_hex(&[0; 32]);
        let (seqs, peaks) = (BTreeMap::new(), Vec::new());
        Self { height: 0, prev, time_ms: 0, seqs, size: 0, peaks, records: 0, indexed }
    }

    /// What is missing or repeated before this submission of its organisation.
    fn gap(&mut self, submission: &Submission) -> Option<String> {
        let last = self.seqs.insert(submission.org.clone(), submission.seq).unwrap_or(0);
        (submission.seq != last + 1)
            .then(|| format!("{} 的提交序号由 {last} 跳到 {}", submission.org, submission.seq))
    }

    fn frontier(&self) -> Result<Frontier> {
        let peaks = self.peaks.iter().map(|peak| hash_of(peak)).collect::<Result<Vec<_>>>()?;
        let broken = || yj_kernel::Problem::internal("the note of a walk is damaged");
        Frontier::restore(self.size, peaks).ok_or_else(broken)
    }
}

/// How a look at some blocks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stride {
    /// There are more.
    On,
    /// That was the last.
    Arrived,
    /// A block is missing, or does not follow: those behind it stand on nothing.
    Broken,
}

/// Looks at the next `most` blocks.
pub(crate) fn stride(
    ledger: &Ledger,
    (walk, held): (&mut Walk, &[Held]),
    most: usize,
    found: &mut Vec<Found>,
) -> Result<Stride> {
    // Read first: the log may grow meanwhile, and never shrinks.
    let edge = ledger.store().frontier()?.size();
    let tip = ledger.store().tip()?.map_or(0, |tip| tip.header.height);
    let (mut frontier, mut prev) = (walk.frontier()?, hash_of(&walk.prev)?);
    let mut ended = Stride::On;
    for _ in 0..most {
        if walk.height >= tip {
            ended = Stride::Arrived;
            break;
        }
        let height = walk.height + 1;
        let Some(block) = ledger.store().block(height)? else {
            found.push(of_block(height, None, "区块缺失"));
            ended = Stride::Broken;
            break;
        };
        let first = frontier.size();
        let contents = ledger.store().contents(first, block.header.tree_size)?;
        let leaves: Vec<Hash> =
            contents.iter().map(|(submission, _)| merkle::leaf(&submission.to_bytes())).collect();
        let at = i64::try_from(block.header.time_ms).ok();
        for leaf in &leaves {
            frontier.append(*leaf, |_, _, _| {});
            let others = held.iter().filter_map(|held| disagrees(held, &frontier));
            found.extend(others.map(|one| Found { at, ..one }));
        }
        let others = held.iter().filter_map(|held| differs(held, &block.header));
        found.extend(others.map(|one| Found { at, ..one }));
        if let Some(fault) = broken(&block.header, (&prev, &frontier), (first, &leaves)) {
            found.push(of_block(height, Some(&block.header), fault));
            ended = Stride::Broken;
            break;
        }
        let mut faults = unsigned(ledger, &block, &contents);
        if block.header.time_ms < walk.time_ms {
            faults.push(String::from("时间早于前一区块"));
        }
        faults.extend(contents.iter().filter_map(|(submission, _)| walk.gap(submission)));
        found.extend(faults.into_iter().map(|fault| of_block(height, Some(&block.header), &fault)));
        walk.time_ms = block.header.time_ms;
        walk.records += contents.iter().map(|(one, _)| u64::from(one.count)).sum::<u64>();
        (prev, walk.height) = (block.header.block_id(), height);
    }
    walk.prev = to_hex(&prev);
    walk.size = frontier.size();
    walk.peaks = frontier.peaks().iter().map(|peak| to_hex(peak)).collect();
    if ended == Stride::Arrived && edge > walk.size {
        found.push(of_block(walk.height + 1, None, "日志在最后一个区块之后还有提交：区块缺失"));
    }
    if ended == Stride::Arrived {
        found.extend(held.iter().filter(|held| held.size > walk.size).map(|held| {
            let detail = format!("日志只有 {} 份提交，少于{}持有的检查点", walk.size, held.by);
            of_checkpoint(held, detail)
        }));
    }
    Ok(ended)
}

/// One block by itself: its certificate, its signatures, and that it names the block before it.
pub(crate) fn single(ledger: &Ledger, height: u64, found: &mut Vec<Found>) -> Result<()> {
    let Some(block) = ledger.store().block(height)? else {
        found.push(of_block(height, None, "区块缺失"));
        return Ok(());
    };
    let before = match height {
        1 => None,
        _ => ledger.store().block(height - 1)?.map(|before| before.header),
    };
    let (prev, first) = before.map_or(([0; 32], 0), |one| (one.block_id(), one.tree_size));
    let contents = ledger.store().contents(first, block.header.tree_size)?;
    let leaves: Vec<Hash> =
        contents.iter().map(|(submission, _)| merkle::leaf(&submission.to_bytes())).collect();
    if block.header.prev != prev
        || block.header.height != height
        || block.header.body_digest != Header::digest_body(first, &leaves)
    {
        found.push(of_block(height, Some(&block.header), "与前一区块或其内容不相接"));
    }
    let faults = unsigned(ledger, &block, &contents);
    found.extend(faults.into_iter().map(|fault| of_block(height, Some(&block.header), &fault)));
    Ok(())
}

/// Why nothing may be built on this block.
fn broken(
    header: &Header,
    (prev, frontier): (&Hash, &Frontier),
    (first, leaves): (u64, &[Hash]),
) -> Option<&'static str> {
    if header.prev != *prev {
        return Some("与前一区块不相接");
    }
    if (header.tree_size, header.tree_root) != (frontier.size(), frontier.root()) {
        return Some("日志根与其中的提交不符：有提交被改动或缺失");
    }
    (header.body_digest != Header::digest_body(first, leaves)).then_some("区块内容与其摘要不符")
}

/// What about the signatures and records of a block does not hold.
fn unsigned(ledger: &Ledger, block: &Block, contents: &[(Submission, Vec<Hash>)]) -> Vec<String> {
    let mut faults = Vec::new();
    let height = block.header.height;
    let registry = ledger.register(|register| register.at(height));
    if block.header.registry_root != registry.root() {
        faults.push(String::from("密钥登记与区块所记的不符"));
    }
    if !block.certificate.commits(&block.header, &ledger.0.genesis.validators) {
        faults.push(String::from("验证人的签名不成立"));
    }
    for (submission, leaves) in contents {
        let name = format!("{} 的第 {} 份提交", submission.org, submission.seq);
        if !is_signed(submission, &registry, height) {
            faults.push(format!("{name}签名不成立"));
        }
        let complete = usize::try_from(submission.count).is_ok_and(|count| count == leaves.len());
        if !complete || merkle::root(leaves) != submission.root {
            faults.push(format!("{name}与其中的记录不符"));
        }
    }
    faults
}

/// Whether a submission is signed by a key that counted at this height.
fn is_signed(submission: &Submission, registry: &Registry, height: u64) -> bool {
    let key = registry.get(submission.signer(), &submission.kid);
    key.is_some_and(|entry| entry.counts_at(height) && submission.is_signed_by(&entry.key))
}

/// The log at exactly the size of a checkpoint must have its root.
fn disagrees(held: &Held, frontier: &Frontier) -> Option<Found> {
    if held.size != frontier.size() || held.root == frontier.root() {
        return None;
    }
    let mut found =
        of_checkpoint(held, format!("日志根与{}持有的检查点不同：日志被改写过", held.by));
    found.fields.push(Difference::new(
        "root",
        to_hex(&held.root).into(),
        to_hex(&frontier.root()).into(),
    ));
    Some(found)
}

/// And the block of that height its name.
fn differs(held: &Held, header: &Header) -> Option<Found> {
    if held.height != header.height || held.block_id == header.block_id() {
        return None;
    }
    let mut found = of_checkpoint(held, format!("区块与{}持有的检查点不同：区块被换过", held.by));
    found.fields.push(Difference::new(
        "block_id",
        to_hex(&held.block_id).into(),
        to_hex(&header.block_id()).into(),
    ));
    Some(found)
}

fn of_checkpoint(held: &Held, detail: String) -> Found {
    let record = format!("checkpoint:{}", held.size);
    Found::new(What::Checkpoint, &record, detail)
        .of("checkpoint", &format!("检查点（日志长 {}）", held.size))
        .in_block(held.height, None)
}

fn of_block(height: u64, header: Option<&Header>, detail: &str) -> Found {
    let at = header.and_then(|header| i64::try_from(header.time_ms).ok());
    Found::new(What::Block, &format!("block:{height}"), detail)
        .of("block", &format!("区块 {height}"))
        .in_block(height, at)
}
