//! 追溯事件

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Difference, Fact, Projected, Projection};
use yj_proof::Envelope;

use super::readable;
use crate::{
    balance::Link,
    places, query,
    store::{self, StoredEvent},
    warned,
};

/// 追溯事件 as the tamper audit sees them.
pub struct Events;

/// Members that records of earlier times were anchored without.
const LATER: &[&str] = &[
    "supervised_in",
    "subject_id",
    "product_id",
    "counterparty_id",
    "pack_version",
    "external_id",
    "withdraws",
];

/// How an event stands to others: what it was superseded by, and whose place it took.
struct Standing {
    state: String,
    correction_of: Option<String>,
    superseded_by: Option<String>,
}

impl Projection for Events {
    fn kinds(&self) -> &'static [&'static str] {
        &["trace_event"]
    }

    fn project<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        anchored: &'a [&'a Envelope],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Projected>>> {
        Box::pin(async move {
            let events = read(tx, anchored.iter().map(|one| one.id())).await?;
            let links = links(tx, &events).await?;
            let others = others(tx, &events).await?;
            let unnoted = warned::unnoted(tx, &events).await?;
            let by_id: BTreeMap<&str, &Envelope> =
                anchored.iter().map(|one| (one.id(), *one)).collect();
            let mut rows = BTreeMap::new();
            for event in &events {
                let Some(envelope) = by_id.get(event.uid.as_str()) else { continue };
                let own = links.get(&event.id).map(Vec::as_slice).unwrap_or_default();
                let mut row = project(event, own, (envelope, &others))?;
                if unnoted.contains(&event.id) {
                    // The page of the product would not warn of what it condemned.
                    row.beyond.push(Difference::new("grave", json!(true), json!(false)));
                }
                rows.insert(event.uid.clone(), row);
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
                "SELECT e.id, e.uid, e.recorded_at, e.kind FROM trace_event e \
                 WHERE e.state IN ('accepted', 'superseded') AND e.id > $1 ORDER BY e.id LIMIT $2",
            );
            let read = |row: &Row| {
                Ok(Fact {
                    cursor: row.int(0)?.to_string(),
                    record: String::from(row.text(1)?),
                    name: String::from(row.text(3)?),
                    at: row.int(2)?,
                })
            };
            let after: i64 = after.parse().unwrap_or(i64::MIN);
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
            let Some(own) = readable(ctx.under("trace:read"))? else { return Ok(None) };
            let event = readable(query::one(&own, tx, record).await)?;
            Ok(event.map(|event| called(&event)))
        })
    }

    fn forget<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        record: &'a str,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(event) = read(tx, [record].into_iter()).await?.pop() else { return Ok(()) };
            // What went in and came out stays: what others hold was made of it.
            let body = json!({
                "inputs": event.body["inputs"], "outputs": event.body["outputs"], "place": null,
                "counterparty": null, "documents": [], "evidence": [], "attributes": {},
            });
            let sql = Sql::new(
                "UPDATE trace_event SET body = $1, held_reason = NULL, decision_comment = NULL \
                 WHERE id = $2",
            );
            tx.later([sql.arg(body.to_string()).arg(event.id)]);
            Ok(())
        })
    }
}

/// Events by their names, wherever they are.
async fn read<'a>(tx: &mut Tx, uids: impl Iterator<Item = &'a str>) -> Result<Vec<StoredEvent>> {
    let mut sql = Sql::new("SELECT id, event_time FROM trace_event_key WHERE uid ");
    sql.bind_texts(uids);
    let rows = tx.fetch(sql).await?;
    let told = rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect::<Result<Vec<_>>>()?;
    places::events_at(tx, &told).await
}

/// The links of events, by the events' numbers.
pub(super) async fn links(tx: &mut Tx, events: &[StoredEvent]) -> Result<BTreeMap<i64, Vec<Link>>> {
    let mut sql = Sql::new(
        "SELECT o.code, l.role, l.quantity, l.event_id FROM trace_link l \
         JOIN trace_object o ON o.id = l.object_id WHERE l.event_id ",
    );
    sql.bind_ints(events.iter().map(|event| event.id));
    let mut links: BTreeMap<i64, Vec<Link>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        links.entry(row.int(3)?).or_default().push(store::link(&row)?);
    }
    Ok(links)
}

/// Where the events stand that these supersede or were superseded by.
async fn others(tx: &mut Tx, events: &[StoredEvent]) -> Result<BTreeMap<String, Standing>> {
    let named: Vec<&str> = events
        .iter()
        .flat_map(|event| [event.correction_of.as_deref(), event.superseded_by.as_deref()])
        .flatten()
        .collect();
    if named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let others = read(tx, named.into_iter()).await?.into_iter();
    Ok(others
        .map(|other| {
            let StoredEvent { state, correction_of, superseded_by, .. } = other;
            (other.uid, Standing { state, correction_of, superseded_by })
        })
        .collect())
}

/// What people call an event.
fn called(event: &StoredEvent) -> String {
    let kind = event.spec.as_ref().map_or(event.kind.as_str(), |spec| spec.name.as_str());
    event.lot.as_ref().map_or_else(|| String::from(kind), |lot| format!("{kind} {lot}"))
}

fn project(
    event: &StoredEvent,
    links: &[Link],
    (envelope, others): (&Envelope, &BTreeMap<String, Standing>),
) -> Result<Projected> {
    let mut columns = event.anchored(links)?;
    if event.state == "superseded" && links.is_empty() {
        // A corrected event has given up its links; they stay in its anchored record.
        columns["links"] = envelope.body()["links"].clone();
    }
    let mut row = Projected::new(called(event), columns);
    row.later = LATER;
    row.beyond = standing(event, others);
    Ok(row)
}

/// What was anchored was accepted, and is superseded only by what corrects it.
fn standing(event: &StoredEvent, others: &BTreeMap<String, Standing>) -> Vec<Difference> {
    let mut beyond = Vec::new();
    let is = |other: &Standing| matches!(other.state.as_str(), "accepted" | "superseded");
    let by = event.superseded_by.as_deref().and_then(|uid| others.get(uid));
    let corrected = by.is_some_and(|by| is(by) && by.correction_of.as_deref() == Some(&event.uid));
    let wanted = if event.superseded_by.is_some() { "superseded" } else { "accepted" };
    if event.state != wanted {
        beyond.push(Difference::new("state", json!(wanted), json!(event.state)));
    } else if event.superseded_by.is_some() && !corrected {
        beyond.push(Difference::new("superseded_by", Value::Null, json!(event.superseded_by)));
    }
    let original = event.correction_of.as_deref().and_then(|uid| others.get(uid));
    if let Some(original) = original
        && (original.state != "superseded" || original.superseded_by.as_deref() != Some(&event.uid))
    {
        let field = "correction_of.superseded_by";
        beyond.push(Difference::new(field, json!(event.uid), json!(original.superseded_by)));
    }
    beyond
}
