//! What orders cover besides what they covered when they were made: what was made of that since follows
//! from events, and those from the ledger.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Result, Sql, Tx};
use yj_ledger::{Derivation, Difference, Found, Looked};

/// 管控所及的追溯单元 as the tamper audit computes them again. What an order covered when it was made is
/// anchored with it (`covered`).
pub struct OrderUnits;

impl Derivation for OrderUnits {
    fn look<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Looked>> {
        Box::pin(async move {
            let (order, object) = after.split_once('/').unwrap_or((after, ""));
            let sql = Sql::new(
                "SELECT u.order_id, u.object_id FROM trace_order_unit u \
                 WHERE (u.order_id, u.object_id) > ($1, $2) ORDER BY u.order_id, u.object_id LIMIT $3",
            );
            let object: i64 = object.parse().unwrap_or(i64::MIN);
            let units = tx.fetch(sql.arg(order).arg(object).arg(most)).await?;
            let mut looked = Looked { rows: units.len() as u64, ..Looked::default() };
            let (Some(first), Some(last)) = (units.first(), units.last()) else {
                return Ok(looked);
            };
            let span = [(first.text(0)?, first.int(1)?), (last.text(0)?, last.int(1)?)];
            looked.last = Some(format!("{}/{:020}", span[1].0, span[1].1));
            looked.found.extend(added(tx, span).await?);
            looked.found.extend(missing(tx, span).await?);
            Ok(looked)
        })
    }
}

/// From one unit of an order to another.
type Span<'a> = [(&'a str, i64); 2];

fn within(sql: &mut Sql, [first, last]: Span<'_>) {
    sql.push(" (u.order_id, u.object_id) >= (").bind(first.0).push(", ").bind(first.1);
    sql.push(") AND (u.order_id, u.object_id) <= (").bind(last.0).push(", ").bind(last.1);
    sql.push(")");
}

/// Units that no event put under their order.
async fn added(tx: &mut Tx, span: Span<'_>) -> Result<Vec<Found>> {
    let mut sql = Sql::new(
        "SELECT u.order_id, o.code, r.created_at FROM trace_order_unit u \
         JOIN trace_order r ON r.id = u.order_id LEFT JOIN trace_object o ON o.id = u.object_id \
         LEFT JOIN trace_event e ON e.id = u.event_id \
         WHERE (o.id IS NULL OR (u.event_id IS NOT NULL AND (e.id IS NULL \
         OR e.state NOT IN ('accepted', 'superseded')))) AND",
    );
    within(&mut sql, span);
    let mut found = Vec::new();
    for row in tx.fetch(sql).await? {
        found.push(unit(
            (row.text(0)?, row.text_opt(1)?),
            row.int(2)?,
            (Value::Null, json!("units")),
        ));
    }
    Ok(found)
}

/// What events made of units of orders in force, without falling under them.
async fn missing(tx: &mut Tx, span: Span<'_>) -> Result<Vec<Found>> {
    let mut sql = Sql::new(
        "SELECT DISTINCT u.order_id, o.code, e.event_time FROM trace_order_unit u \
         JOIN trace_order r ON r.id = u.order_id AND r.state = 'in_force' \
         JOIN trace_link i ON i.object_id = u.object_id AND i.role = 0 \
         JOIN trace_event e ON e.id = i.event_id AND e.event_time = i.event_time \
         AND e.state = 'accepted' AND e.recorded_at > r.created_at \
         JOIN trace_link p ON p.event_id = i.event_id AND p.role = 1 \
         JOIN trace_object o ON o.id = p.object_id \
         LEFT JOIN trace_order_unit w ON w.order_id = u.order_id AND w.object_id = p.object_id \
         WHERE w.order_id IS NULL AND",
    );
    within(&mut sql, span);
    let mut found = Vec::new();
    for row in tx.fetch(sql).await? {
        found.push(unit(
            (row.text(0)?, row.text_opt(1)?),
            row.int(2)?,
            (json!("units"), Value::Null),
        ));
    }
    Ok(found)
}

fn unit((order, code): (&str, Option<&str>), at: i64, (wanted, found): (Value, Value)) -> Found {
    let code = code.unwrap_or("（已不在）");
    let fields = vec![Difference::new("units", wanted, found)];
    Found::underived(&format!("order:{order}:{code}"), ("trace_order", code), Some(at), fields)
}
