//! Announcements: facts that other modules, upper platforms and subscribers react to, written in
//! the transaction that makes them true (G-4e).

use serde_json::Value;

use crate::{Ctx, Result, Sql, Tx};

/// Announces `table.action` of one record. The body must not hold 个人信息.
pub async fn announce(
    ctx: &Ctx,
    tx: &mut Tx,
    (table, action): (&str, &str),
    record: &str,
    body: &Value,
) -> Result<()> {
    let sql =
        Sql::new("INSERT INTO outbox (id, at, topic, record, body) VALUES ($1, $2, $3, $4, $5)");
    let sql = sql.arg(ctx.new_id::<()>()).arg(ctx.now_ms()).arg(format!("{table}.{action}"));
    tx.execute(sql.arg(record).arg(body.to_string())).await.map(drop)
}
