//! Chain health (D-7.3.1-1), and the chain as people look at it.

use std::sync::{PoisonError, atomic::Ordering};

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{Ctx, Problem, Result, Sql, time_text};
use yj_proof::{AttestedBy, Header, KeyEntry, PLATFORM, Submission};

use crate::{
    Ledger,
    store::Block,
    tamper::walk::{self, Stride, Walk},
};

/// Keys of one answer.
pub(crate) const KEYS_PAGE: usize = 200;
/// A record that waits longer than this is late, in milliseconds.
const LATE_MS: i64 = 60_000;

impl Ledger {
    /// Chain health (D-7.3.1-1).
    pub(crate) async fn status(&self, ctx: &Ctx) -> Result<Value> {
        let mut tx = ctx.snapshot().await?;
        let now = ctx.app().now().as_millisecond();
        let sql = Sql::new(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN due_at > $1 THEN 1 ELSE 0 END), 0), \
             COALESCE(SUM(CASE WHEN due_at <= $1 AND queued_at < $2 THEN 1 ELSE 0 END), 0), \
             MIN(queued_at) FROM anchor_entry WHERE state <> 'confirmed'",
        );
        let row = tx.fetch_one(sql.arg(now).arg(now - LATE_MS)).await?;
        let row = row.ok_or_else(|| Problem::internal("a count has one row"))?;
        let (open, unsigned, late) = (row.int(0)?, row.int(1)?, row.int(2)?);
        let oldest = row.int_opt(3)?.map(time_text).transpose()?;
        let packed = self.0.in_flight.load(Ordering::Relaxed);
        let failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failing: Option<Result<Value>> =
            failing.map(|(since, why)| Ok(json!({ "since": time_text(since)?, "why": why })));
        let witnessed = self.witnessed_checkpoint()?.map(|note| note.checkpoint);
        let tip = self.0.store.tip()?.map(|block| block.header);
        let (p50, p99) = self.percentiles();
        let time = |header: &Header| time_text(i64::try_from(header.time_ms).unwrap_or(i64::MAX));
        Ok(json!({
            "chain_id": to_hex(&self.0.chain_id),
            "genesis_fingerprint": to_hex(&self.0.chain_id),
            "organization": self.0.genesis.name,
            "height": tip.as_ref().map_or(0, |tip| tip.height),
            "tree_size": tip.as_ref().map_or(0, |tip| tip.tree_size),
            "tree_root": tip.as_ref().map(|tip| to_hex(&tip.tree_root)),
            "latest_block_at": tip.as_ref().map(time).transpose()?,
            "pending": open, "packed": packed, "unsigned": unsigned, "late": late,
            "oldest_pending_at": oldest, "failing": failing.transpose()?,
            "witnessed_size": witnessed.as_ref().map(|checkpoint| checkpoint.size),
            "witnessed_height": witnessed.as_ref().map(|checkpoint| checkpoint.height),
            "keys": self.register(|register| register.now().entries().count()),
            "confirmed": self.0.store.record_count()?,
            "latency_ms_p50": p50, "latency_ms_p99": p99,
        }))
    }

    fn percentiles(&self) -> (Option<i64>, Option<i64>) {
        let mut sorted = self.0.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
        };
        (at(50), at(99))
    }

    pub(crate) fn blocks(&self, before: u64, count: usize) -> Result<Vec<Value>> {
        self.0.store.blocks(before, count)?.iter().map(|block| self.describe(block)).collect()
    }

    fn describe(&self, block: &Block) -> Result<Value> {
        let Header { height, tree_size, time_ms, .. } = block.header;
        let first = match height {
            1 => 0,
            _ => self.0.store.block(height - 1)?.map_or(0, |previous| previous.header.tree_size),
        };
        let submissions = self.0.store.submissions(first, tree_size)?;
        let records: u64 = submissions.iter().map(|submission| u64::from(submission.count)).sum();
        Ok(json!({
            "height": height, "block_id": to_hex(&block.header.block_id()),
            "time": time_text(i64::try_from(time_ms).unwrap_or(i64::MAX))?,
            "submissions": submissions.len(), "records": records, "tree_size": tree_size,
            "tree_root": to_hex(&block.header.tree_root),
        }))
    }

    pub(crate) fn block(&self, height: u64) -> Result<Value> {
        let block = self.0.store.block(height)?.ok_or(Problem::NotFound("区块"))?;
        let mut answer = self.describe(&block)?;
        let first = block.header.tree_size - answer["submissions"].as_u64().unwrap_or(0);
        let submissions = self.0.store.submissions(first, block.header.tree_size)?;
        let item = |submission: &Submission| {
            json!({
                "org": submission.org, "seq": submission.seq, "count": submission.count,
                "kid": submission.kid, "root": to_hex(&submission.root),
                "attested_by": if submission.attested_by == AttestedBy::Platform { "platform" } else { "enterprise" },
            })
        };
        answer["prev"] = to_hex(&block.header.prev).into();
        answer["contents"] = submissions.iter().take(200).map(item).collect();
        answer["header"] = to_hex(&block.header.to_bytes()).into();
        answer["certificate"] = json!({
            "round": block.certificate.round,
            "votes": block.certificate.votes.iter().map(|vote| to_hex(&vote.address)).collect::<Vec<_>>(),
            "valid": block.certificate.commits(&block.header, &self.0.genesis.validators),
        });
        Ok(answer)
    }

    /// Walks the whole chain: every header, certificate, submission, root and key. Returns the
    /// height.
    pub fn verify_chain(&self) -> Result<u64> {
        const STRIDE: usize = 200;
        let (mut walk, mut found) = (Walk::new(self.0.store.record_count()?), Vec::new());
        while walk::stride(self, (&mut walk, &[]), STRIDE, &mut found)? == Stride::On {}
        match found.first() {
            None => Ok(walk.height),
            Some(fault) => Err(Problem::internal(fault.sentence())),
        }
    }

    /// The key register as it stands on the chain, in its order: of one organisation, or all
    /// after a certain key.
    pub(crate) fn keys(&self, org: Option<&str>, after: Option<(&str, &str)>) -> Vec<Value> {
        let show = |entry: &KeyEntry| {
            let revoked = Some(entry.revoked_at).filter(|height| *height != u64::MAX);
            let certificate = Some(entry.certificate).filter(|digest| *digest != [0; 32]);
            json!({
                "org": entry.org, "kid": entry.kid, "key": to_hex(&entry.key.to_bytes()),
                "usage": if entry.org == PLATFORM { "platform" } else { "submission" },
                "valid_from": entry.valid_from, "revoked_at": revoked,
                "certificate": certificate.map(|digest| to_hex(&digest)),
            })
        };
        let wanted = |entry: &&KeyEntry| {
            org.is_none_or(|org| entry.org == org)
                && after.is_none_or(|after| (entry.org.as_str(), entry.kid.as_str()) > after)
        };
        self.register(|register| {
            register.now().entries().filter(wanted).take(KEYS_PAGE).map(show).collect()
        })
    }
}
