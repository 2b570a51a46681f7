//! The tables of passes and findings.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{Ctx, Problem, Result, Row, Sql, Tx, audit, outbox, time_text};
use yj_proof::Header;

use super::{
    engine::{Counts, Progress},
    finding::{Found, What, moment},
    walk::Held,
};

/// What kind of pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 抽样
    Sample,
    /// 全面检查
    Full,
}

impl Kind {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Full => "full",
        }
    }
}

/// Samples are kept for this long; full passes for good.
const SAMPLES_KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// New findings that one pass keeps one by one; it counts all of them.
pub(crate) const FINDINGS_MAX: usize = 1_000;

/// A pass that is asked for.
pub(crate) fn ask(ctx: &Ctx, tx: &mut Tx, by: Option<&str>) -> String {
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO ledger_pass (id, kind, state, asked_by, began) \
         VALUES ($1, 'full', 'waiting', $2, $3)",
    );
    tx.later([sql.arg(&id).arg(by).arg(ctx.now_ms())]);
    id
}

/// The pass that has waited longest.
pub(crate) async fn waiting(tx: &mut Tx) -> Result<Option<String>> {
    let sql =
        Sql::new("SELECT id FROM ledger_pass WHERE state <> 'done' ORDER BY began, id LIMIT 1");
    tx.fetch_one(sql).await?.map(|row| row.text(0).map(String::from)).transpose()
}

/// When the last full pass began that has come to its end, or is on its way.
pub(crate) async fn last_full(tx: &mut Tx) -> Result<Option<i64>> {
    let sql = Sql::new("SELECT MAX(began) FROM ledger_pass WHERE kind = 'full'");
    tx.fetch_one(sql).await?.map_or(Ok(None), |row| row.int_opt(0))
}

/// What the last full pass that found the log sound has seen of it.
pub(crate) async fn last_tip(tx: &mut Tx) -> Result<Option<Held>> {
    let sql = Sql::new(
        "SELECT tree_size, tree_root, height, block_id FROM ledger_pass \
         WHERE kind = 'full' AND state = 'done' AND tree_root IS NOT NULL \
         ORDER BY began DESC LIMIT 1",
    );
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(None) };
    let number = |index| Ok::<_, Problem>(u64::try_from(row.int(index)?).unwrap_or(0));
    Ok(Some(Held {
        size: number(0)?,
        root: super::read::hash_of(row.text(1)?)?,
        height: number(2)?,
        block_id: super::read::hash_of(row.text(3)?)?,
        by: String::from("平台上次全面检查"),
    }))
}

/// Notes how far a pass has come.
pub(crate) fn advance(tx: &mut Tx, progress: &Progress, state: &str, ended: Option<i64>) {
    let Counts { blocks, records, entries, facts, erased, findings } = progress.counts;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut sql = Sql::new("UPDATE ledger_pass SET state = ");
    sql.bind(state).push(", ended = ").bind(ended).push(", worked_ms = ").bind(progress.worked_ms);
    for (column, count) in [
        (", blocks = ", blocks),
        (", records = ", records),
        (", entries = ", entries),
        (", facts = ", facts),
        (", erased = ", erased),
        (", findings = ", findings),
    ] {
        sql.push(column).bind(number(count));
    }
    sql.push(" WHERE id = ").bind(&progress.pass);
    tx.later([sql]);
}

/// Notes what a pass has seen of the log.
pub(crate) fn note_tip(tx: &mut Tx, pass: &str, tip: &Header, sound: bool) {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let root = sound.then(|| to_hex(&tip.tree_root));
    let sql = Sql::new(
        "UPDATE ledger_pass SET height = $1, tree_size = $2, tree_root = $3, block_id = $4 \
         WHERE id = $5",
    );
    let sql = sql.arg(number(tip.height)).arg(number(tip.tree_size)).arg(root);
    tx.later([sql.arg(to_hex(&tip.block_id())).arg(pass)]);
}

/// A sample that has come to its end.
pub(crate) fn sampled(ctx: &Ctx, tx: &mut Tx, (pass, counts): (&str, Counts)) {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let sql = Sql::new(
        "INSERT INTO ledger_pass (id, kind, state, began, ended, blocks, records, entries, facts, \
         erased, findings) VALUES ($1, 'sample', 'done', $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let sql = sql.arg(pass).arg(ctx.now_ms()).arg(ctx.app().now().as_millisecond());
    let sql = sql.arg(number(counts.blocks)).arg(number(counts.records));
    let sql = sql.arg(number(counts.entries)).arg(number(counts.facts));
    let sql = sql.arg(number(counts.erased)).arg(number(counts.findings));
    let old = Sql::new("DELETE FROM ledger_pass WHERE kind = 'sample' AND began < $1");
    tx.later([sql, old.arg(ctx.now_ms() - SAMPLES_KEPT_MS)]);
}

/// Keeps findings: known ones are seen again, new ones begin. Returns the new ones.
pub(crate) async fn keep(
    ctx: &Ctx,
    tx: &mut Tx,
    pass: &str,
    found: &[Found],
) -> Result<Vec<Found>> {
    let mut by_name: BTreeMap<(&str, What), &Found> = BTreeMap::new();
    for one in found {
        by_name.entry((&one.record, one.what)).or_insert(one);
    }
    let mut sql = Sql::new(
        "SELECT record, what, id FROM ledger_finding WHERE state <> 'resolved' AND record ",
    );
    sql.bind_texts(by_name.keys().map(|(record, _)| *record));
    let mut open = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let name = (String::from(row.text(0)?), String::from(row.text(1)?));
        open.insert(name, String::from(row.text(2)?));
    }
    let mut fresh = Vec::new();
    for ((record, what), one) in by_name {
        let fields = one.masked_fields().to_string();
        let height = one.height.and_then(|height| i64::try_from(height).ok());
        if let Some(id) = open.get(&(String::from(record), String::from(what.code()))) {
            let sql = Sql::new(
                "UPDATE ledger_finding SET last_seen = $1, last_pass = $2, detail = $3, fields = $4, \
                 height = $5, block_at = $6 WHERE id = $7",
            );
            let sql = sql.arg(ctx.now_ms()).arg(pass).arg(&one.detail).arg(fields).arg(height);
            tx.later([sql.arg(one.at).arg(id)]);
            continue;
        }
        let id = ctx.new_id::<()>().to_string();
        let sql = Sql::new(
            "INSERT INTO ledger_finding (id, record, what, kind, name, height, block_at, detail, fields, \
             first_seen, last_seen, first_pass, last_pass, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $11, 'open')",
        );
        let sql = sql.arg(&id).arg(record).arg(what.code()).arg(&one.kind).arg(&one.name);
        let sql = sql.arg(height).arg(one.at).arg(&one.detail).arg(fields).arg(ctx.now_ms());
        tx.later([sql.arg(pass)]);
        let body = json!({
            "record": record, "what": what.code(), "height": one.height, "at": moment(one.at)?,
            "detail": one.detail, "pass": pass,
        });
        outbox::announce(ctx, tx, ("ledger_finding", "found"), &id, &body);
        let entry = audit::Entry { action: "found", entity: "ledger_finding", record: &id, body };
        audit::write(ctx, tx, entry);
        fresh.push(one.clone());
    }
    Ok(fresh)
}

/// Columns for [`pass`].
const PASS: &str = "SELECT id, kind, state, asked_by, began, ended, worked_ms, blocks, records, entries, \
                    facts, erased, findings, height, tree_size, tree_root, block_id FROM ledger_pass";

/// A pass, for people.
fn pass(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "kind": row.text(1)?, "state": row.text(2)?, "asked_by": row.text_opt(3)?,
        "began": time_text(row.int(4)?)?, "ended": moment(row.int_opt(5)?)?, "worked_ms": row.int(6)?,
        "blocks": row.int(7)?, "records": row.int(8)?, "entries": row.int(9)?, "facts": row.int(10)?,
        "erased": row.int(11)?, "findings": row.int(12)?, "height": row.int(13)?,
        "tree_size": row.int(14)?, "tree_root": row.text_opt(15)?, "block_id": row.text_opt(16)?,
    }))
}

/// Passes of one kind, newest first.
pub(crate) async fn passes(tx: &mut Tx, kind: Kind, most: i64) -> Result<Vec<Value>> {
    let mut sql = Sql::new(PASS);
    sql.push(" WHERE kind = ").bind(kind.code()).push(" ORDER BY began DESC, id DESC LIMIT ");
    sql.bind(most);
    tx.fetch(sql).await?.iter().map(pass).collect()
}

/// One pass.
pub(crate) async fn one_pass(tx: &mut Tx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(PASS);
    sql.push(" WHERE id = ").bind(id);
    pass(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound("检查"))?)
}

/// Columns for [`finding`].
const FINDING: &str = "SELECT id, record, what, kind, name, height, block_at, detail, fields, first_seen, \
                       last_seen, state, settled_by, settled_at, reason FROM ledger_finding";

fn finding(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "record": row.text(1)?, "what": row.text(2)?, "kind": row.text(3)?,
        "name": row.text(4)?, "height": row.int_opt(5)?, "at": moment(row.int_opt(6)?)?,
        "detail": row.text(7)?, "fields": row.json::<Value>(8)?,
        "first_seen": time_text(row.int(9)?)?, "last_seen": time_text(row.int(10)?)?,
        "state": row.text(11)?, "settled_by": row.text_opt(12)?,
        "settled_at": moment(row.int_opt(13)?)?, "reason": row.text_opt(14)?,
    }))
}

/// Findings, newest first, behind one; those of one state where it is given.
pub(crate) async fn findings(
    tx: &mut Tx,
    (state, after): (Option<&str>, Option<&str>),
    most: i64,
) -> Result<Vec<Value>> {
    let mut sql = Sql::new(FINDING);
    sql.push(" WHERE 1 = 1");
    if let Some(state) = state {
        sql.push(" AND state = ").bind(state);
    }
    if let Some(after) = after {
        sql.push(" AND id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(most);
    tx.fetch(sql).await?.iter().map(finding).collect()
}

/// Findings that a pass has seen.
pub(crate) async fn seen_by(tx: &mut Tx, pass: &str) -> Result<Vec<Value>> {
    let mut sql = Sql::new(FINDING);
    sql.push(" WHERE last_pass = ").bind(pass).push(" OR first_pass = ").bind(pass);
    sql.push(" ORDER BY id LIMIT ").bind(i64::try_from(FINDINGS_MAX).unwrap_or(i64::MAX));
    tx.fetch(sql).await?.iter().map(finding).collect()
}

/// How many findings nobody has looked at, and how many are being handled.
pub(crate) async fn open(tx: &mut Tx) -> Result<(i64, i64)> {
    let sql = Sql::new(
        "SELECT COALESCE(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0), \
         COALESCE(SUM(CASE WHEN state = 'acknowledged' THEN 1 ELSE 0 END), 0) \
         FROM ledger_finding WHERE state <> 'resolved'",
    );
    tx.fetch_one(sql).await?.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// What somebody does about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settling {
    /// 确认知悉
    Acknowledge,
    /// 办结
    Resolve,
}

/// Acknowledges or resolves a finding, for a reason. What the last full pass still saw cannot be
/// resolved.
pub(crate) async fn settle(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, settling): (&str, Settling),
    reason: &str,
) -> Result<Value> {
    let mut sql = Sql::new(FINDING);
    sql.push(" WHERE id = ").bind(id);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("检查发现"))?;
    if row.text(11)? == "resolved" {
        return Err(Problem::Conflict(String::from("该发现已办结")));
    }
    let state = match settling {
        Settling::Acknowledge => "acknowledged",
        Settling::Resolve => {
            let last = Sql::new(
                "SELECT 1 FROM ledger_finding f WHERE f.id = $1 AND NOT EXISTS \
                 (SELECT 1 FROM ledger_pass p WHERE p.kind = 'full' AND p.state = 'done' \
                  AND p.began > f.last_seen AND p.id <> f.last_pass)",
            );
            if tx.fetch_one(last.arg(id)).await?.is_some() {
                let detail =
                    "其后还没有一次不再发现它的全面检查；请先恢复数据并重新检查，或先确认知悉";
                return Err(Problem::Conflict(String::from(detail)));
            }
            "resolved"
        }
    };
    let sql = Sql::new(
        "UPDATE ledger_finding SET state = $1, settled_by = $2, settled_at = $3, reason = $4 \
         WHERE id = $5 AND state <> 'resolved'",
    );
    let sql = sql.arg(state).arg(ctx.actor()).arg(ctx.now_ms()).arg(reason).arg(id);
    tx.execute(sql).await?;
    let body = json!({ "record": row.text(1)?, "what": row.text(2)?, "reason": reason });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: state, entity: "ledger_finding", record: id, body },
    );
    let mut sql = Sql::new(FINDING);
    sql.push(" WHERE id = ").bind(id);
    finding(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound("检查发现"))?)
}
