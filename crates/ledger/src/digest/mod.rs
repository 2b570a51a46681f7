//! 按摘要查验 (D-6.3, ADR 40): which block, submission or record of the log a digest belongs to.
//!
//! The index of digests follows the blocks in sorted pieces and is never in their way. What it says
//! is only where to look: the full digest is compared with the block itself.

mod find;
mod http;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_crypto::sm3;
use yj_kernel::{Problem, Result};
use yj_proof::{Hash, Submission, merkle};

pub use http::routes;

use crate::{Ledger, Tamper, store::Block};

/// How often the index looks for new blocks.
const PACE: Duration = Duration::from_secs(5);
/// Digests of one piece of the index, at least.
const PIECE: usize = 16_384;
/// Digests that one look takes up; what is left is for the next.
const LOOK_MAX: usize = 16 * PIECE;

/// The index of digests, and what it answers with.
#[derive(Clone)]
pub struct Digests(Arc<Inner>);

struct Inner {
    tamper: Tamper,
    piece: usize,
    tail: Mutex<Tail>,
}

/// Digests of the newest blocks, which are in no piece yet.
#[derive(Default)]
struct Tail {
    /// The first block that is in no piece, and the first that is not here either.
    first: u64,
    next: u64,
    digests: Vec<(Hash, u64)>,
}

/// A block with all that is in it.
struct Contents {
    block: Block,
    /// Place of its first submission in the log.
    first: u64,
    submissions: Vec<(Submission, Vec<Hash>)>,
}

impl Contents {
    fn read(ledger: &Ledger, height: u64) -> Result<Self> {
        let missing = || Problem::internal("a block is missing");
        let block = ledger.store().block(height)?.ok_or_else(missing)?;
        let first = match height {
            1 => 0,
            _ => ledger.store().block(height - 1)?.ok_or_else(missing)?.header.tree_size,
        };
        let submissions = ledger.store().contents(first, block.header.tree_size)?;
        Ok(Self { block, first, submissions })
    }

    /// Every digest by which the block, its submissions and their records are known.
    fn digests(&self) -> impl Iterator<Item = Hash> {
        let header = &self.block.header;
        let own = [header.block_id(), header.tree_root];
        let of_submissions = self.submissions.iter().flat_map(|(submission, leaves)| {
            let bytes = submission.to_bytes();
            let own = [submission.root, sm3::digest(&bytes), merkle::leaf(&bytes)];
            own.into_iter().chain(leaves.iter().copied())
        });
        own.into_iter().chain(of_submissions)
    }
}

impl Digests {
    /// The index of the log that is audited, with the owners that the audit knows.
    pub fn new(tamper: &Tamper) -> Self {
        Self::in_pieces(tamper, PIECE)
    }

    /// The same, with pieces of at least so many digests.
    pub fn in_pieces(tamper: &Tamper, piece: usize) -> Self {
        Self(Arc::new(Inner { tamper: tamper.clone(), piece, tail: Mutex::default() }))
    }

    fn ledger(&self) -> &Ledger {
        self.0.tamper.ledger()
    }

    /// Takes up new blocks; whether it has come to the newest. Slow: not for where others wait.
    pub fn catch_up(&self) -> Result<bool> {
        let mut tail = self.0.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let store = self.ledger().store();
        let from = store.digests_from()?;
        if tail.first != from {
            *tail = Tail { first: from, next: from, digests: Vec::new() };
        }
        let tip = store.tip()?.map_or(0, |tip| tip.header.height);
        let mut taken = 0;
        while tail.next <= tip {
            if taken >= LOOK_MAX {
                return Ok(false);
            }
            let (height, before) = (tail.next, tail.digests.len());
            let contents = Contents::read(self.ledger(), height)?;
            tail.digests.extend(contents.digests().map(|digest| (digest, height)));
            taken += tail.digests.len() - before;
            tail.next += 1;
            if tail.digests.len() >= self.0.piece {
                store.keep_digests((tail.first, tail.next), &tail.digests)?;
                *tail = Tail { first: tail.next, next: tail.next, digests: Vec::new() };
            }
        }
        Ok(true)
    }

    /// Heights of the blocks that may hold a digest, lowest first; up to which block it looked.
    fn candidates(&self, digest: &Hash, most: usize) -> Result<(Vec<u64>, u64)> {
        self.catch_up()?;
        let tail = self.0.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heights = self.ledger().store().blocks_with(digest, most)?;
        let found = tail.digests.iter().filter(|(known, _)| known == digest);
        heights.extend(found.map(|(_, height)| *height));
        heights.dedup();
        heights.truncate(most);
        Ok((heights, tail.next.saturating_sub(1)))
    }

    /// Heights of blocks that may hold a digest: nine bytes agree; lowest first, 20 at most.
    pub fn blocks_of(&self, digest: &Hash) -> Result<Vec<u64>> {
        Ok(self.candidates(digest, find::BLOCKS_MAX)?.0)
    }

    /// Keeps the index up with the blocks until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut interval = interval(PACE);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = interval.tick() => {}
            }
            loop {
                let own = self.clone();
                let caught_up = tokio::task::spawn_blocking(move || own.catch_up()).await;
                match caught_up.map_err(Problem::internal).flatten() {
                    Ok(true) => break,
                    Ok(false) if *stop.borrow() => return,
                    Ok(false) => {}
                    Err(problem) => {
                        problem.log();
                        break;
                    }
                }
            }
        }
    }
}
