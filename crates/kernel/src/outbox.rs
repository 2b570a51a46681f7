//! Announcements: facts that other modules, upper platforms and subscribers react to, written in
//! the transaction that makes them true (G-4e).

use serde_json::Value;

use crate::{Ctx, SqlValue, Tx, insert_rows};

/// Announces `table.action` of one record, when the transaction commits. The body must not hold 个人信息.
pub fn announce(ctx: &Ctx, tx: &mut Tx, (table, action): (&str, &str), record: &str, body: &Value) {
    tx.announced.push(vec![
        ctx.new_id::<()>().into(),
        ctx.now_ms().into(),
        format!("{table}.{action}").into(),
        record.into(),
        body.to_string().into(),
    ]);
}

/// Writes what was announced, with the next trip of the transaction.
pub(crate) fn write(tx: &mut Tx) {
    let rows: Vec<Vec<SqlValue>> = std::mem::take(&mut tx.announced);
    tx.later(insert_rows("INSERT INTO outbox (id, at, topic, record, body)", "", rows));
}
