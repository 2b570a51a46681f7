//! 批次凭证

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::json;
use yj_kernel::{Ctx, Problem, Resource as _, Result, Sql, Tx, vault};
use yj_ledger::{Difference, Fact, Projected, Projection};
use yj_proof::Envelope;

use super::readable;
use crate::{
    document::BatchDocument,
    document_proof::{MADE, VOIDED, anchored as body},
};

/// 批次凭证 and their voiding as the tamper audit sees them.
pub struct Documents;

impl Projection for Documents {
    fn kinds(&self) -> &'static [&'static str] {
        &[MADE, VOIDED]
    }

    fn project<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let of = |kind: &'static str| anchored.iter().filter(move |one| one.kind() == kind);
            let mut rows = made(ctx, tx, of(MADE).map(|one| one.id())).await?;
            rows.extend(voided(tx, of(VOIDED).copied()).await?);
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
                "SELECT id, number, created_at, void_record, updated_at FROM batch_document \
                 WHERE id > $1 ORDER BY id LIMIT $2",
            );
            let mut facts = Vec::new();
            for row in tx.fetch(sql.arg(after).arg(most)).await? {
                let fact = |record: &str, at: i64| {
                    Ok::<_, Problem>(Fact {
                        cursor: String::from(row.text(0)?),
                        record: String::from(record),
                        name: String::from(row.text(1)?),
                        at,
                    })
                };
                facts.push(fact(row.text(0)?, row.int(2)?)?);
                if let Some(record) = row.text_opt(3)? {
                    facts.push(fact(record, row.int(4)?)?);
                }
            }
            Ok(facts)
        })
    }

    fn within_reach<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        (kind, record): (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let Some(own) = readable(ctx.under("batch_document:read"))? else { return Ok(None) };
            let mut sql = Sql::new("SELECT id FROM batch_document WHERE ");
            sql.push(if kind == VOIDED { "void_record" } else { "id" }).push(" = ").bind(record);
            let Some(row) = tx.fetch_one(sql).await? else { return Ok(None) };
            let found = readable(tx.get::<BatchDocument>(&own, row.parsed(0)?).await)?;
            Ok(found.map(|stored| stored.data.number))
        })
    }

    fn forget<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        record: &'a str,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let sql = Sql::new("SELECT id FROM change_request WHERE entity = $1 AND record = $2");
            let asked = tx.fetch(sql.arg(BatchDocument::TABLE).arg(record)).await?;
            let mut owners = asked.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
            owners.push(record);
            vault::destroy(ctx, tx, &owners);
            // Which batches it covered and how much of it stays: others' goods went under it. No two
            // documents have one number.
            let sql = Sql::new(
                "UPDATE batch_document SET number = id, issuer = $1, origin = NULL, promise = NULL, \
                 contact = NULL, origins = NULL, vehicle_no = NULL, void_reason = NULL WHERE id = $2",
            );
            tx.later([sql.arg(vault::ERASED).arg(record)]);
            Ok(())
        })
    }
}

async fn made(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, Projected>> {
    let mut sql = Sql::new(
        "SELECT d.id, d.created_at, a.record FROM batch_document d \
         LEFT JOIN anchor_state a ON a.record = d.void_record WHERE d.id ",
    );
    sql.bind_texts(ids);
    let mut rows = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let document = tx.get::<BatchDocument>(ctx, row.parsed(0)?).await?.data;
        let mut projected = Projected::new(&document.number, body(&document, row.int(1)?)?);
        // A document is void if and only if that is anchored too.
        let anchored = row.text_opt(2)?.is_some();
        if (document.state.as_deref() == Some("void")) != anchored {
            let wanted = if anchored { "void" } else { "valid" };
            projected.beyond.push(Difference::new("state", json!(wanted), json!(document.state)));
        }
        rows.insert(String::from(row.text(0)?), projected);
    }
    Ok(rows)
}

async fn voided(
    tx: &mut Tx,
    anchored: impl Iterator<Item = &Envelope>,
) -> Result<BTreeMap<String, Projected>> {
    let by_id: BTreeMap<&str, &Envelope> = anchored.map(|one| (one.id(), one)).collect();
    if by_id.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new(
        "SELECT void_record, id, number, void_reason FROM batch_document WHERE void_record ",
    );
    sql.bind_texts(by_id.keys().copied());
    let mut rows = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let record = row.text(0)?;
        let Some(envelope) = by_id.get(record) else { continue };
        // When it was voided stands on the ledger alone.
        let columns = json!({
            "voids": row.text(1)?, "number": row.text(2)?, "reason": row.text_opt(3)?,
            "at": envelope.body()["at"],
        });
        rows.insert(String::from(record), Projected::new(row.text(2)?, columns));
    }
    Ok(rows)
}
