//! How EPCIS events stand in the tables, against what was anchored of them (D-6.3): the sealed text is
//! opened and hashed anew.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_epcis::{EventHash, event_hash};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Content, Difference, Fact, Projected, Projection};
use yj_proof::Envelope;

use super::{erased, store};

/// 中文名称 of the hashes of an event.
const CBV: &str = "EPCIS 事件哈希（CBV，SHA-256）";
const SM3: &str = "EPCIS 事件哈希（SM3）";

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
                "SELECT e.uid, e.event_id, e.hash, e.sm3, e.trace_uid, e.subject_id FROM epcis_event e \
                 WHERE e.uid ",
            );
            sql.bind_texts(by_id.keys().copied());
            let mut rows = BTreeMap::new();
            for row in tx.fetch(sql).await? {
                let Some(envelope) = by_id.get(row.text(0)?) else { continue };
                // What an event tells may become known only later; what it told then stays.
                let told = &envelope.body()["trace"];
                let trace = if told.is_null() { Value::Null } else { json!(row.text_opt(4)?) };
                let mut columns = json!({
                    "event_id": row.text(1)?, "hash": row.text(2)?, "sm3": row.text(3)?, "trace": trace,
                });
                let text = Text::read(ctx, tx, &row).await?;
                let says = |name: &str| envelope.body().get(name).filter(|said| said.is_object());
                if let Some(said) = says("withdraws") {
                    let mut now = original(tx, (row.text(5)?, row.text(1)?), said).await?;
                    if let Some(ids) = text.corrective {
                        now["corrective_event_ids"] = json!(ids);
                    }
                    columns["withdraws"] = now;
                }
                if let Some(said) = says("corrects") {
                    let id = said["event_id"].as_str().unwrap_or_default();
                    columns["corrects"] = original(tx, (row.text(5)?, id), said).await?;
                }
                let mut projected = Projected::new(row.text(1)?, columns);
                projected.beyond.extend(text.difference);
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

    fn within_reach<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        (_, record): (&'a str, &'a str),
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let found = within_reach(ctx, tx, &[("e.uid", record)]).await?;
            Ok(found.into_iter().next().map(|(_, name)| name))
        })
    }

    fn holding<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Content>>> {
        Box::pin(async move {
            let mut found = Vec::new();
            // The texts as the indexes have them.
            for (title, hash, column, begin) in [
                (CBV, EventHash::Sha256, "e.hash", "substr(e.hash, 15, 16)"),
                (SM3, EventHash::Sm3, "e.sm3", "substr(e.sm3, 16, 16)"),
            ] {
                let whole = format!("ni:///{hash};{digest}?ver=CBV2.0");
                let which = [(begin, digest.get(..16).unwrap_or_default()), (column, &whole)];
                let content = |(record, name)| Content { title, kind: "epcis_event", record, name };
                found.extend(within_reach(ctx, tx, &which).await?.into_iter().map(content));
            }
            Ok(found)
        })
    }

    fn forget<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        record: &'a str,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(erased::forget(ctx, tx, record))
    }
}

/// Events within the caller's reach: number and name, 20 at most.
async fn within_reach(
    ctx: &Ctx,
    tx: &mut Tx,
    which: &[(&str, &str)],
) -> Result<Vec<(String, String)>> {
    if !ctx.allows("epcis:read") {
        return Ok(Vec::new());
    }
    let own = ctx.under("epcis:read")?;
    let mut sql = Sql::new("SELECT e.uid, e.event_id FROM epcis_event e WHERE 1 = 1");
    for (condition, value) in which {
        sql.push(" AND ").push(condition).push(" = ").bind(*value);
    }
    store::narrow(&own, &mut sql, tx);
    sql.push(" ORDER BY e.seq LIMIT 20");
    let read = |row: &Row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)));
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// What is said of the event of this name that another takes back or corrects, as it stands now. What
/// that had told may have become known only later.
async fn original(
    tx: &mut Tx,
    (subject_id, event_id): (&str, &str),
    said: &Value,
) -> Result<Value> {
    let sql = Sql::new(
        "SELECT trace_uid FROM epcis_event WHERE subject_id = $1 AND event_id = $2 AND declared = 0",
    );
    let mut now = said.clone();
    now["event_id"] = json!(event_id);
    if !said["trace"].is_null() {
        let row = tx.fetch_one(sql.arg(subject_id).arg(event_id)).await?;
        now["trace"] = json!(row.as_ref().map(|row| row.text_opt(0)).transpose()?.flatten());
    }
    Ok(now)
}

/// What the sealed text of an event says.
#[derive(Default)]
struct Text {
    /// It is not the one whose hash the row holds. What was erased says nothing.
    difference: Option<Difference>,
    /// The events that a declaration names in the place of what it takes back.
    corrective: Option<Vec<String>>,
}

impl Text {
    async fn read(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<Self> {
        let mut sql = Sql::new(store::EVENT);
        sql.push(" WHERE e.uid = ").bind(row.text(0)?);
        let rows = tx.fetch(sql).await?;
        let sm3 = row.text(3)?;
        let (found, corrective) = match store::read(ctx, tx, &rows).await {
            Ok(mut kept) => match kept.pop() {
                None => return Ok(Self::default()),
                Some(kept) => {
                    let (source, prefixes) = (kept.event.source(), &kept.frame.prefixes);
                    let found = json!(event_hash(source, prefixes, EventHash::Sm3));
                    let declaration = kept.event.error_declaration;
                    (found, declaration.map(|one| one.corrective_event_ids))
                }
            },
            Err(_) => (json!("不能打开"), None),
        };
        let changed = found != json!(sm3);
        let difference = changed.then(|| Difference::new("body", json!(sm3), found));
        Ok(Self { difference, corrective })
    }
}
