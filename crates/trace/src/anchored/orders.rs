//! 批次管控

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::json;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, time_text};
use yj_ledger::{Difference, Fact, Projected, Projection};
use yj_proof::Envelope;

use super::readable;
use crate::{
    order::{OrderKind, TraceOrder},
    ordering::{LIFTED, TRACE_ORDER, anchored as body, digest_of},
};

/// 批次管控 and their lifting as the tamper audit sees them.
pub struct Orders;

impl Projection for Orders {
    fn kinds(&self) -> &'static [&'static str] {
        &[TRACE_ORDER, LIFTED]
    }

    fn project<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let of = |kind: &'static str| anchored.iter().filter(move |one| one.kind() == kind);
            let mut rows = made(ctx, tx, of(TRACE_ORDER).map(|one| one.id())).await?;
            rows.extend(lifted(tx, of(LIFTED).map(|one| one.id())).await?);
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
                "SELECT id, code, created_at, lift_record, lifted_at FROM trace_order \
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
                    facts.push(fact(record, row.int_opt(4)?.unwrap_or(0))?);
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
            let Some(own) = readable(ctx.under("trace_order:read"))? else { return Ok(None) };
            let mut sql = Sql::new("SELECT id FROM trace_order WHERE ");
            sql.push(if kind == LIFTED { "lift_record" } else { "id" }).push(" = ").bind(record);
            let Some(row) = tx.fetch_one(sql).await? else { return Ok(None) };
            let found = readable(tx.get::<TraceOrder>(&own, row.parsed(0)?).await)?;
            Ok(found.map(|stored| stored.data.code))
        })
    }
}

async fn made(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, Projected>> {
    let mut sql = Sql::new(
        "SELECT r.id, r.created_at, a.record FROM trace_order r \
         LEFT JOIN anchor_state a ON a.record = r.lift_record WHERE r.id ",
    );
    sql.bind_texts(ids);
    let mut rows = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let units = Sql::new(
            "SELECT object_id FROM trace_order_unit WHERE order_id = $1 AND event_id IS NULL",
        );
        let units = tx.fetch(units.arg(row.text(0)?)).await?;
        let units = units.iter().map(|unit| unit.int(0)).collect::<Result<BTreeSet<_>>>()?;
        let stored = tx.get::<TraceOrder>(ctx, row.parsed(0)?).await?;
        let name = format!("{} {}", row.text(0)?, stored.data.code);
        let mut projected = Projected::new(name, body(&stored, row.int(1)?, &digest_of(&units))?);
        projected.later = &["covered"];
        // An order is lifted if and only if that is anchored too.
        let anchored = row.text_opt(2)?.is_some();
        if (stored.data.state == "lifted") != anchored {
            let wanted = if anchored { "lifted" } else { "in_force" };
            let found = json!(stored.data.state);
            projected.beyond.push(Difference::new("state", json!(wanted), found));
        }
        rows.insert(String::from(row.text(0)?), projected);
    }
    Ok(rows)
}

async fn lifted(
    tx: &mut Tx,
    ids: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, Projected>> {
    let mut sql = Sql::new(
        "SELECT lift_record, id, code, kind, lift_reason, lift_document_no, lifted_at \
         FROM trace_order WHERE lift_record ",
    );
    sql.bind_texts(ids);
    let mut rows = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let act = OrderKind::from_code(row.text(3)?).and_then(OrderKind::lifting);
        let columns = json!({
            "lifts": row.text(1)?, "code": row.text(2)?, "act": act, "reason": row.text_opt(4)?,
            "document_no": row.text_opt(5)?,
            "at": row.int_opt(6)?.map(time_text).transpose()?,
        });
        rows.insert(String::from(row.text(0)?), Projected::new(row.text(2)?, columns));
    }
    Ok(rows)
}
