//! 自检: database, disk, clock, ledger, configuration.

use std::path::Path;

use yj_kernel::{Problem, Result, Sql};

use crate::Assembled;

/// A finding: what was looked at, whether it is well, particulars.
pub type Finding = (&'static str, bool, String);

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
    note("存证链", assembled.ledger.verify_chain().map(|height| format!("{height} 个区块全部验证通过")));
    note("存证一致", anchored(assembled).await);
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
        return Err(Problem::internal(format!("系统时钟比最近的记录慢 {} 秒，请校时", behind_ms / 1000)));
    }
    Ok(assembled.app.now().to_string())
}

async fn anchored(assembled: &Assembled) -> Result<String> {
    let mut tx = assembled.app.db().snapshot().await?;
    let orphans = Sql::new(
        "SELECT COUNT(*) FROM trace_event e WHERE e.state IN ('accepted', 'superseded') \
         AND NOT EXISTS (SELECT 1 FROM anchor_state a WHERE a.record = e.uid)",
    );
    let rows = tx.fetch(orphans).await?;
    match rows.first().map_or(Ok(0), |row| row.int(0))? {
        0 => Ok(String::from("每条已接收事件都在存证队列中")),
        count => Err(Problem::internal(format!("{count} 条已接收事件不在存证队列中"))),
    }
}
