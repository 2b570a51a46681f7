//! 删除 (S-35, ADR 41): an EPCIS event is given back as it was sent, so there is no erasing a part of it.
//! Where the 追溯事件 that it told is erased, the whole of it goes: its text, its names, what it mentions.
//! A row without content stays, so that numbers have no holes and a second sending brings nothing back.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use yj_kernel::{App, Ctx, Result, Sql, Tx};
use yj_ledger::{Ground, Ledger};
use yj_trace::Copies;

use super::{past::Name, prepare::Prepared, seen, store};

/// Under which names the keyed digests are made.
const NAME: &str = "epcis_event.event_id";
const CONTENT: &str = "epcis_event.sm3";

/// EPCIS events as copies of the 追溯事件 that they told.
pub struct EpcisCopies;

impl Copies for EpcisCopies {
    fn erase<'a>(
        &'a self,
        ctx: &'a Ctx,
        tx: &'a mut Tx,
        ledger: &'a Ledger,
        (event, ground): (&'a str, Ground),
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            // An event and its error declaration have one name and one content.
            let sql = Sql::new(
                "SELECT e.uid FROM epcis_event e JOIN epcis_event t ON t.subject_id = e.subject_id \
                 AND t.event_id = e.event_id WHERE t.trace_uid = $1 ORDER BY e.seq",
            );
            let mut gone: Vec<String> = Vec::new();
            for row in tx.fetch(sql.arg(event)).await? {
                let uid = row.text(0)?;
                if gone.iter().any(|known| known == uid) {
                    continue;
                }
                ledger.erase(ctx, tx, (uid, ground)).await?;
                forget(ctx, tx, uid).await?;
                gone.push(String::from(uid));
            }
            Ok(gone)
        })
    }
}

/// Takes the content out of a row. One that has none is left as it is.
pub(super) async fn forget(ctx: &Ctx, tx: &mut Tx, uid: &str) -> Result<()> {
    let sql = Sql::new(
        "SELECT seq, event_id, COALESCE(content, sm3), subject_id FROM epcis_event \
         WHERE uid = $1 AND erased IS NULL",
    );
    let Some(row) = tx.fetch_one(sql.arg(uid)).await? else { return Ok(()) };
    let (seq, name, content) = (row.int(0)?, row.text(1)?, row.text(2)?);
    let vault = ctx.app().vault();
    let content = vault.blind(CONTENT, content)?;
    let sql = Sql::new(
        "UPDATE epcis_event SET erased = $1, event_id = uid, hash = '', sm3 = $2, content = NULL, body = '', \
         detail = NULL, action = NULL, sensors = 0 WHERE seq = $3",
    );
    tx.later([
        sql.arg(vault.blind(NAME, name)?).arg(content).arg(seq),
        // It asks what the event mentions, so it goes before what it mentions goes.
        seen::forget(seq, row.text(3)?),
        Sql::new("DELETE FROM epcis_term WHERE seq = $1").arg(seq),
        Sql::new("DELETE FROM epcis_reserved WHERE event_id = $1 AND subject_id = $2")
            .arg(name)
            .arg(row.text(3)?),
    ]);
    Ok(())
}

/// What was erased of events that are sent again: the keyed digests of their contents.
pub(super) async fn known(
    app: &App,
    tx: &mut Tx,
    names: &[&str],
) -> Result<BTreeMap<Name, String>> {
    let mut by_digest = BTreeMap::new();
    for name in names {
        by_digest.insert(app.vault().blind(NAME, name)?, *name);
    }
    let mut sql = Sql::new("SELECT subject_id, erased, sm3 FROM epcis_event WHERE erased ");
    sql.bind_texts(by_digest.keys().map(String::as_str));
    let mut known = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let Some(name) = by_digest.get(row.text(1)?) else { continue };
        known.insert((String::from(row.text(0)?), String::from(*name)), String::from(row.text(2)?));
    }
    Ok(known)
}

/// Whether what is sent again is what was erased.
pub(super) fn is_same(app: &App, prepared: &Prepared, erased: &str) -> Result<bool> {
    for content in prepared.contents() {
        if app.vault().blind(CONTENT, content)? == erased {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an event of this name within reach was erased.
pub(super) async fn is_erased(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<bool> {
    let mut sql = Sql::new("SELECT e.seq FROM epcis_event e WHERE e.erased = ");
    sql.bind(ctx.app().vault().blind(NAME, name)?);
    store::narrow(ctx, &mut sql, tx);
    sql.push(" LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_some())
}
