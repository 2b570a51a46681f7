//! 告警 (GB/T 22239 8.1.4.4, S-28): what security administrators must look at.

use serde_json::{Value, json};
use yj_kernel::{App, Ctx, Problem, Result, Row, Sql, Tx, audit, time_text};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 权限记录被改动
    RightsTampered,
    /// 口令被反复试探
    BruteForce,
    /// 反复访问无权的记录
    Probing,
    /// 审计链不完整
    AuditBroken,
    /// 请求签名反复不符
    BadSignatures,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::RightsTampered => "rights_tampered",
            Self::BruteForce => "brute_force",
            Self::Probing => "probing",
            Self::AuditBroken => "audit_broken",
            Self::BadSignatures => "bad_signatures",
        }
    }
}

/// Raises an alarm, unless the same one is open. Failing to raise it is logged and changes
/// nothing about the refusal that caused it.
pub(crate) async fn raise(app: &App, kind: Kind, subject: &str, detail: &str) {
    if let Err(problem) = try_raise(app, kind, subject, detail).await {
        problem.log();
    }
}

async fn try_raise(app: &App, kind: Kind, subject: &str, detail: &str) -> Result<()> {
    let ctx = app.on_own_behalf("alarm");
    let mut tx = ctx.begin().await?;
    let sql =
        Sql::new("SELECT 1 FROM alarm WHERE kind = $1 AND subject = $2 AND settled_at IS NULL");
    if tx.fetch_one(sql.arg(kind.code()).arg(subject)).await?.is_some() {
        return Ok(());
    }
    let id = ctx.new_id::<()>().to_string();
    let sql =
        Sql::new("INSERT INTO alarm (id, at, kind, subject, detail) VALUES ($1, $2, $3, $4, $5)");
    let sql = sql.arg(id.as_str()).arg(ctx.now_ms()).arg(kind.code()).arg(subject).arg(detail);
    tx.later([sql]);
    let body = json!({ "kind": kind.code(), "subject": subject, "detail": detail });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "alarmed", entity: "alarm", record: &id, body },
    );
    tx.commit().await
}

const COLUMNS: &str =
    "SELECT id, at, kind, subject, detail, settled_at, settled_by, comment FROM alarm";

fn read(row: &Row) -> Result<Value> {
    let settled_at = row.int_opt(5)?.map(time_text).transpose()?;
    Ok(json!({
        "id": row.text(0)?, "at": time_text(row.int(1)?)?, "kind": row.text(2)?,
        "subject": row.text(3)?, "detail": row.text(4)?, "settled_at": settled_at,
        "settled_by": row.text_opt(6)?, "comment": row.text_opt(7)?,
    }))
}

/// Alarms, open ones first, newest first.
pub(crate) async fn list(tx: &mut Tx) -> Result<Value> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" ORDER BY CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT 200");
    let rows = tx.fetch(sql).await?;
    Ok(json!({ "items": rows.iter().map(read).collect::<Result<Vec<_>>>()? }))
}

/// Settles an alarm: somebody has looked at it and says what it was.
pub(crate) async fn settle(ctx: &Ctx, tx: &mut Tx, (id, comment): (&str, &str)) -> Result<Value> {
    let sql = Sql::new(
        "UPDATE alarm SET settled_at = $1, settled_by = $2, comment = $3 \
         WHERE id = $4 AND settled_at IS NULL",
    );
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(comment).arg(id);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Conflict(String::from("该告警不存在或已处置")));
    }
    let body = json!({ "comment": comment });
    audit::write(ctx, tx, audit::Entry { action: "settled", entity: "alarm", record: id, body });
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE id = ").bind(id);
    read(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound("告警"))?)
}
