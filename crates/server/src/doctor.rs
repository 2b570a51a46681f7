//! 自检: database, disk, clock, ledger, configuration.

use std::path::Path;

use yj_kernel::{Problem, Result, Sql, audit};
use yj_ledger::{Derivation, Found, What};

use crate::Assembled;

/// Trace objects that are looked at together.
const TOGETHER: i64 = 1_000;

/// A finding: what was looked at, whether it is well, particulars.
type Finding = (&'static str, bool, String);

/// Looks at everything that a running platform needs.
pub async fn examine(assembled: &Assembled, data: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |name, result: Result<String>| {
        let well = result.is_ok();
        let detail = result.unwrap_or_else(|problem| cause(&problem));
        findings.push((name, well, detail));
    };
    note("数据库", database(assembled).await);
    note("数据目录可写", writable(data));
    note("时钟", clock(assembled).await);
    let (log, records) = tampered(assembled).await;
    note("存证链", log);
    note("存证文件", crate::ledger_compare::compare(assembled).await);
    note("存证一致", records);
    note("管控一致", stopped(assembled).await);
    note("结存一致", balanced(assembled).await);
    note("事件分区", divided(assembled).await);
    note("审计链", audited(assembled).await);
    findings
}

fn cause(problem: &Problem) -> String {
    match problem {
        Problem::Internal(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

async fn database(assembled: &Assembled) -> Result<String> {
    let mut tx = assembled.app.db().snapshot().await?;
    let rows = tx.fetch(Sql::new("SELECT COUNT(*) FROM migration")).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(format!("{:?}，{count} 项迁移已应用", assembled.app.db().dialect()))
}

fn writable(data: &Path) -> Result<String> {
    let probe = data.join(".doctor");
    std::fs::write(&probe, b"probe").map_err(Problem::internal)?;
    std::fs::remove_file(&probe).map_err(Problem::internal)?;
    Ok(data.display().to_string())
}

/// A clock behind the newest record would make new records look older than they are.
async fn clock(assembled: &Assembled) -> Result<String> {
    let mut tx = assembled.app.db().snapshot().await?;
    let rows = tx.fetch(Sql::new("SELECT COALESCE(MAX(at), 0) FROM audit_log")).await?;
    let newest = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let behind_ms = newest - assembled.app.now().as_millisecond();
    if behind_ms > 60_000 {
        return Err(Problem::internal(format!(
            "系统时钟比最近的记录慢 {} 秒，请校时",
            behind_ms / 1000
        )));
    }
    Ok(assembled.app.now().to_string())
}

/// Fails when `sql` counts anything.
async fn none(assembled: &Assembled, sql: &'static str, what: &str) -> Result<()> {
    let mut tx = assembled.app.db().snapshot().await?;
    let rows = tx.fetch(Sql::new(sql)).await?;
    match rows.first().map_or(Ok(0), |row| row.int(0))? {
        0 => Ok(()),
        count => Err(Problem::internal(format!("{count} {what}"))),
    }
}

/// What the tamper audit finds: about the log itself, and about what it holds.
async fn tampered(assembled: &Assembled) -> (Result<String>, Result<String>) {
    let (counts, found) = match assembled.tamper.inspect(&assembled.app).await {
        Ok(seen) => seen,
        Err(problem) => return (Err(problem), Err(Problem::internal("防篡改检查没有做完"))),
    };
    let (of_log, of_records): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|one| matches!(one.what, What::Block | What::Checkpoint));
    let judge = |found: &[Found], sound: String| match found {
        [] => Ok(sound),
        [first, ..] => {
            Err(Problem::internal(format!("{} 项发现，其一：{}", found.len(), first.sentence())))
        }
    };
    let log = judge(&of_log, format!("{} 个区块全部验证通过", counts.blocks));
    let sound = format!(
        "{} 条存证与原文、数据逐项相符，{} 条业务记录都有存证，{} 条依法删除",
        counts.records, counts.facts, counts.erased
    );
    (log, judge(&of_records, sound))
}

/// What stands in the trace units follows from the orders in force.
async fn stopped(assembled: &Assembled) -> Result<String> {
    let stopped = "SELECT COUNT(*) FROM trace_object o WHERE COALESCE(o.quality, '01') <> \
                   COALESCE((SELECT MAX(CASE r.kind WHEN 'await' THEN '02' WHEN 'fail' THEN '03' \
                   WHEN 'freeze' THEN '04' WHEN 'stop' THEN '04' WHEN 'recall' THEN '05' ELSE '06' END) \
                   FROM trace_order_unit u JOIN trace_order r ON r.id = u.order_id \
                   WHERE u.object_id = o.id AND r.state = 'in_force'), '01')";
    none(assembled, stopped, "个追溯单元的质量状态与执行中的管控不符").await?;
    Ok(String::from("质量状态与执行中的管控相符"))
}

/// The audit trail is whole, up to what the ledger keeps of it.
async fn audited(assembled: &Assembled) -> Result<String> {
    let mut tx = assembled.app.db().snapshot().await?;
    let known = assembled.app.anchored_audit_heads(&mut tx).await?;
    let found = audit::examine(&mut tx, &known).await?;
    match found.flaws.first() {
        None => Ok(format!("{} 条审计记录逐条复算一致", found.entries)),
        Some(flaw) => {
            Err(Problem::internal(format!("链 {} 第 {} 条：{}", flaw.lane, flaw.seq, flaw.what)))
        }
    }
}

/// Every event has the key by which it is found, and every key its event.
async fn divided(assembled: &Assembled) -> Result<String> {
    let moved = "SELECT COUNT(*) FROM trace_event e \
                 WHERE NOT EXISTS (SELECT 1 FROM trace_event_key k WHERE k.id = e.id AND k.uid = e.uid \
                 AND k.digest = e.digest AND k.event_time = e.event_time)";
    none(assembled, moved, "条事件与登记时的编号、摘要或发生时间不符").await?;
    let lost = "SELECT COUNT(*) FROM trace_event_key k \
                WHERE NOT EXISTS (SELECT 1 FROM trace_event e WHERE e.id = k.id)";
    none(assembled, lost, "条事件登记过而已不在").await?;
    let astray = "SELECT COUNT(*) FROM trace_link l WHERE NOT EXISTS \
                  (SELECT 1 FROM trace_event_key k WHERE k.id = l.event_id AND k.event_time = l.event_time)";
    none(assembled, astray, "条联系的时间与其事件不符").await?;
    let mut tx = assembled.app.db().snapshot().await?;
    let parts = yj_trace::event_parts(&mut tx, false).await?;
    Ok(match parts.len() {
        0 => String::from("不分区；每条联系都在其事件的时间"),
        count => format!("{count} 个分区；每条事件都在登记时的月份，每条联系都在其事件的时间"),
    })
}

/// What every trace object holds, and who of it how much, is what its events say.
async fn balanced(assembled: &Assembled) -> Result<String> {
    let ctx = assembled.app.on_own_behalf("doctor");
    let (mut after, mut unbalanced) = (String::new(), 0);
    loop {
        let mut tx = ctx.snapshot().await?;
        let looked = yj_trace::Balances.look(&ctx, &mut tx, &after, TOGETHER).await?;
        unbalanced += looked.found.len();
        let Some(last) = looked.last else { break };
        after = last;
    }
    if unbalanced > 0 {
        let detail = format!("{unbalanced} 个追溯单元的结存与其投入产出不符");
        return Err(Problem::internal(detail));
    }
    // What takes another back, and work that no goods are in, has no links.
    let unlinked = "SELECT COUNT(*) FROM trace_event e WHERE e.state = 'accepted' \
                    AND (e.body LIKE '%\"inputs\":[{%' OR e.body LIKE '%\"outputs\":[{%') \
                    AND NOT EXISTS (SELECT 1 FROM trace_link l WHERE l.event_id = e.id)";
    none(assembled, unlinked, "条已接收事件的投入与产出没有联系").await?;
    // Of what was withdrawn altogether nothing is left but its code.
    let unmade = "SELECT COUNT(*) FROM trace_object o WHERE o.state <> 'external' \
                  AND EXISTS (SELECT 1 FROM trace_link l WHERE l.object_id = o.id) \
                  AND NOT EXISTS (SELECT 1 FROM trace_link l WHERE l.object_id = o.id AND l.role = 1)";
    none(assembled, unmade, "个追溯单元没有产出它的事件").await?;
    Ok(String::from("结存与投入产出相符，没有孤立的数据"))
}
