//! Announcements: facts that other modules, upper platforms and subscribers react to, written in
//! the transaction that makes them true (G-4e).

use serde_json::Value;

use crate::{Ctx, Sql, Tx};

/// Announces `table.action` of one record, with the next trip of the transaction. The body must not hold 个人信息.
pub fn announce(ctx: &Ctx, tx: &mut Tx, (table, action): (&str, &str), record: &str, body: &Value) {
    let sql =
        Sql::new("INSERT INTO outbox (id, at, topic, record, body) VALUES ($1, $2, $3, $4, $5)");
    let sql = sql.arg(ctx.new_id::<()>()).arg(ctx.now_ms()).arg(format!("{table}.{action}"));
    tx.later([sql.arg(record).arg(body.to_string())]);
}
