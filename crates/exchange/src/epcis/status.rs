//! What became of captures, for those who sent them.

use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};

/// One of the caller's captures, as the binding describes it.
pub(crate) async fn describe(tx: &mut Tx, ctx: &Ctx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(CAPTURE);
    sql.bind(ctx.actor()).push(" AND id = ").bind(id);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("采集任务"))?;
    read(&row)
}

const CAPTURE: &str = "SELECT id, created_at, finished_at, state, behaviour, taken, duplicate, refused, \
     told, untold, errors, job_id, checked FROM epcis_capture WHERE created_by = ";

/// The caller's captures, newest first, and where the next page begins.
pub(crate) async fn list(
    tx: &mut Tx,
    ctx: &Ctx,
    (per_page, before): (i64, Option<&str>),
) -> Result<(Vec<Value>, Option<String>)> {
    let mut sql = Sql::new(CAPTURE);
    sql.bind(ctx.actor());
    if let Some(before) = before {
        sql.push(" AND id < ").bind(before);
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(per_page + 1);
    let mut rows = tx.fetch(sql).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > per_page);
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|row| row.text(0).map(String::from)).transpose()?;
    Ok((rows.iter().map(read).collect::<Result<_>>()?, next))
}

fn read(row: &yj_kernel::Row) -> Result<Value> {
    let time = |ms: i64| yj_epcis::Instant(ms).to_string();
    let (state, errors): (&str, Value) = (row.text(3)?, row.json(10)?);
    let none = errors.as_array().is_none_or(Vec::is_empty);
    let mut capture = json!({
        "captureID": row.text(0)?, "createdAt": time(row.int(1)?),
        "running": matches!(state, "receiving" | "running"),
        "success": none && state != "failed",
        "captureErrorBehaviour": row.text(4)?, "errors": errors,
        "captured": row.int(5)?, "duplicates": row.int(6)?, "refused": row.int(7)?,
        "told": row.int(8)?, "untold": row.json::<Value>(9)?,
    });
    // Of a capture that keeps all or nothing, how far its document has been looked at.
    if let Some(checked) = Some(row.int(12)?).filter(|count| *count > 0) {
        capture["checked"] = Value::from(checked);
    }
    if let Some(finished) = row.int_opt(2)? {
        capture["finishedAt"] = Value::from(time(finished));
    }
    if let Some(job) = row.text_opt(11)? {
        capture["job"] = Value::from(job);
    }
    Ok(capture)
}
