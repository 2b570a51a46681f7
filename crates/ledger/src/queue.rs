//! The way from business tables to the ledger: entries written in the transaction that made the
//! record true.

use yj_kernel::{Ctx, Problem, Result, Tx, insert_rows};
use yj_proof::{Envelope, merkle};

/// 存证状态
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorState {
    /// 待上链
    Pending,
    /// 已打包
    Packed,
    /// 已确认
    Confirmed,
}

impl AnchorState {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Packed => "packed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// A record to be anchored.
pub struct Pending<'a> {
    /// Its identifier.
    pub record: &'a str,
    /// What exactly is anchored.
    pub envelope: &'a Envelope,
}

/// Queues records for the ledger, in order, with the next trip of the transaction.
pub fn enqueue(ctx: &Ctx, tx: &mut Tx, records: &[Pending<'_>]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    // The real time, also for records of the past: it tells how long the ledger takes.
    let queued_at = ctx.app().now().as_millisecond();
    let mut rows = Vec::with_capacity(records.len());
    for pending in records {
        let bytes = pending.envelope.canonical().map_err(Problem::internal)?;
        let text = String::from_utf8(bytes).map_err(Problem::internal)?;
        let salt = ctx.app().random().to_be_bytes();
        let entry = pending.envelope.entry(&salt).map_err(Problem::internal)?;
        rows.push(vec![
            pending.record.into(),
            pending.envelope.org().into(),
            text.into(),
            salt.to_vec().into(),
            merkle::leaf(&entry).to_vec().into(),
            AnchorState::Pending.code().into(),
            queued_at.into(),
        ]);
    }
    let head = "INSERT INTO anchor_entry (record, org, envelope, salt, leaf, state, queued_at)";
    tx.later(insert_rows(head, "", rows));
    Ok(())
}
