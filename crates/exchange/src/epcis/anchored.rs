//! How EPCIS events stand in the tables, against what was anchored of them (D-6.3): the sealed text is
//! opened and hashed anew.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_epcis::{EventHash, event_hash};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Difference, Fact, Projected, Projection};
use yj_proof::Envelope;

use super::store;

/// EPCIS events as the tamper audit sees them.
pub struct EpcisEvents;

impl Projection for EpcisEvents {
    fn kinds(&self) -> &'static [&'static str] {
        &["epcis_event"]
    }

    fn project<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let by_id: BTreeMap<&str, &Envelope> =
                anchored.iter().map(|one| (one.id(), *one)).collect();
            let mut sql = Sql::new(
                "SELECT e.uid, e.event_id, e.hash, e.sm3, e.trace_uid FROM epcis_event e WHERE e.uid ",
            );
            sql.bind_texts(by_id.keys().copied());
            let mut rows = BTreeMap::new();
            for row in tx.fetch(sql).await? {
                let Some(envelope) = by_id.get(row.text(0)?) else { continue };
                // What an event tells may become known only later; what it told then stays.
                let told = &envelope.body()["trace"];
                let trace = if told.is_null() { Value::Null } else { json!(row.text_opt(4)?) };
                let columns = json!({
                    "event_id": row.text(1)?, "hash": row.text(2)?, "sm3": row.text(3)?, "trace": trace,
                });
                let mut projected = Projected::new(row.text(1)?, columns);
                projected.beyond.extend(text(ctx, tx, &row).await?);
                rows.insert(String::from(row.text(0)?), projected);
            }
            Ok(rows)
        })
    }

    fn facts<'a>(
        &'a self,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Vec<Fact>>> {
        Box::pin(async move {
            let sql = Sql::new(
                "SELECT seq, uid, event_id, record_time FROM epcis_event WHERE seq > $1 \
                 ORDER BY seq LIMIT $2",
            );
            let read = |row: &Row| {
                Ok(Fact {
                    cursor: row.int(0)?.to_string(),
                    record: String::from(row.text(1)?),
                    name: String::from(row.text(2)?),
                    at: row.int(3)?,
                })
            };
            let after: i64 = after.parse().unwrap_or(i64::MIN);
            tx.fetch(sql.arg(after).arg(most)).await?.iter().map(read).collect()
        })
    }
}

/// Whether the sealed text of an event is not the one whose hash the row holds. What was erased says
/// nothing.
async fn text(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<Option<Difference>> {
    let mut sql = Sql::new(store::EVENT);
    sql.push(" WHERE e.uid = ").bind(row.text(0)?);
    let rows = tx.fetch(sql).await?;
    let sm3 = row.text(3)?;
    let found = match store::read(ctx, tx, &rows).await {
        Ok(kept) => match kept.first() {
            None => return Ok(None),
            Some(kept) => {
                json!(event_hash(kept.event.source(), &kept.frame.prefixes, EventHash::Sm3))
            }
        },
        Err(_) => json!("不能打开"),
    };
    Ok((found != json!(sm3)).then(|| Difference::new("body", json!(sm3), found)))
}
