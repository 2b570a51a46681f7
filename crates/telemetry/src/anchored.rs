//! How batches of messages stand in the tables, against what was anchored of them (D-6.3): every message
//! is hashed anew, and all of them under the root again.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_crypto::{sm3, to_hex};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Difference, Fact, Projected, Projection};
use yj_proof::{Envelope, merkle};

use crate::{
    anchor::{RECORD, leaf},
    erased,
};

/// Batches of device messages as the tamper audit sees them.
pub struct DeviceBatches;

impl Projection for DeviceBatches {
    fn kinds(&self) -> &'static [&'static str] {
        &[RECORD]
    }

    fn project<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let mut sql = Sql::new(
                "SELECT b.id, d.mac, b.count, b.root FROM device_batch b \
                 JOIN device d ON d.id = b.device_id WHERE b.id ",
            );
            sql.bind_texts(anchored.iter().map(|one| one.id()));
            let mut rows = BTreeMap::new();
            for row in tx.fetch(sql).await? {
                // One batch at a time: it may have thousands of messages.
                rows.insert(String::from(row.text(0)?), project(tx, &row).await?);
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
                "SELECT b.id, d.mac, b.at FROM device_batch b JOIN device d ON d.id = b.device_id \
                 WHERE b.id > $1 ORDER BY b.id LIMIT $2",
            );
            let read = |row: &Row| {
                Ok(Fact {
                    cursor: String::from(row.text(0)?),
                    record: String::from(row.text(0)?),
                    name: String::from(row.text(1)?),
                    at: row.int(2)?,
                })
            };
            tx.fetch(sql.arg(after).arg(most)).await?.iter().map(read).collect()
        })
    }

    fn within_reach<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        (_, record): (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            if !ctx.allows("device:read") {
                return Ok(None);
            }
            let own = ctx.under("device:read")?;
            crate::query::batch(&own, tx, record).await
        })
    }
}

async fn project(tx: &mut Tx, batch: &Row) -> Result<Projected> {
    let sql = Sql::new(
        "SELECT id, digest, epoch, seq, content FROM device_message WHERE batch_id = $1 ORDER BY place",
    );
    let messages = tx.fetch(sql.arg(batch.text(0)?)).await?;
    let shortened = messages.iter().filter(|row| row.text(4).is_ok_and(erased::is_shortened));
    let shortened = shortened.map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let lawful = erased::lawful(tx, &shortened).await?;
    let (mut leaves, mut beyond) = (Vec::with_capacity(messages.len()), Vec::new());
    for message in &messages {
        let (id, digest) = (message.text(0)?, message.text(1)?);
        let found = digest_of(message.text(4)?);
        if found.as_deref() != Some(digest) && !lawful.contains(id) {
            beyond.push(Difference::new(format!("messages.{id}"), json!(digest), json!(found)));
        }
        leaves.extend(leaf(digest).ok());
    }
    let number = |row: Option<&Row>| match row {
        Some(row) => Ok::<_, yj_kernel::Problem>(json!([row.int(2)?, row.int(3)?])),
        None => Ok(Value::Null),
    };
    let root = to_hex(&merkle::root(&leaves));
    if batch.text(3)? != root || usize::try_from(batch.int(2)?) != Ok(messages.len()) {
        beyond.push(Difference::new("device_batch.root", json!(batch.text(3)?), json!(root)));
    }
    let columns = json!({
        "device": batch.text(1)?, "count": messages.len(), "root": root,
        "first": number(messages.first())?, "last": number(messages.last())?,
    });
    let mut row = Projected::new(batch.text(1)?, columns);
    row.beyond = beyond;
    Ok(row)
}

/// The digest of a stored message, as its device signed it.
fn digest_of(content: &str) -> Option<String> {
    let mut message: Value = serde_json::from_str(content).ok()?;
    message.as_object_mut()?.remove("signature");
    let canonical = serde_json_canonicalizer::to_string(&message).ok()?;
    Some(sm3::hex(&sm3::digest(canonical.as_bytes())))
}
