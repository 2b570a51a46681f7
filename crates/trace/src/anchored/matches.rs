//! 双方核对 follow from what accepted events say of their transactions, and those from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Derivation, Difference, Found, Looked};

use crate::{
    balance::{Link, Objects},
    pairing::{self, Told},
    places,
    store::{self, StoredEvent},
};

/// 双方核对 as the tamper audit computes them again: the lines of every event, then what the lines of each
/// transaction come to.
pub struct Matches;

/// What cursors of transactions begin with: it comes after the number of any event.
const LATER: &str = "transactions, behind: ";

impl Derivation for Matches {
    fn look<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Looked>> {
        Box::pin(async move {
            match after.strip_prefix(LATER) {
                Some(after) => of_matches(tx, after, most).await,
                None => of_events(tx, after, most).await,
            }
        })
    }
}

/// A line as it is stored, with the transaction that it belongs to.
struct Stored {
    side: i64,
    quantity: i64,
    unit: String,
    day: i64,
    giver: String,
    receiver: String,
    voucher: Option<String>,
    batch: String,
    id: String,
}

async fn of_events(tx: &mut Tx, after: &str, most: i64) -> Result<Looked> {
    let after: i64 = after.parse().unwrap_or(i64::MIN);
    let sql = Sql::new(
        "SELECT e.id, e.event_time FROM trace_event e WHERE e.state = 'accepted' AND e.id > $1 \
         ORDER BY e.id LIMIT $2",
    );
    let rows = tx.fetch(sql.arg(after).arg(most)).await?;
    let told = rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect::<Result<Vec<_>>>()?;
    let Some((last, _)) = told.last() else {
        return Ok(Looked { last: Some(String::from(LATER)), ..Looked::default() });
    };
    let mut looked = Looked { last: Some(last.to_string()), ..Looked::default() };
    let ids: Vec<i64> = told.iter().map(|(id, _)| *id).collect();
    let mut lines = stored_lines(tx, &ids).await?;
    // Most events are of no transaction and have no line: nothing more is read of them.
    let events = places::events_at(tx, &told).await?;
    let speaking = |event: &StoredEvent| {
        lines.contains_key(&event.id)
            || event.counterparty_id.as_ref().is_some_and(|other| *other != event.subject_id)
    };
    let events: Vec<StoredEvent> = events.into_iter().filter(speaking).collect();
    looked.rows = events.len() as u64;
    let links = super::events::links(tx, &events).await?;
    let codes: BTreeSet<&str> = links.values().flatten().map(|link| link.code.as_str()).collect();
    let objects = store::read_objects(tx, &codes.into_iter().collect::<Vec<_>>()).await?;
    let uids: Vec<&str> = events.iter().map(|event| event.uid.as_str()).collect();
    let erased = yj_ledger::erased_of(tx, &uids).await?;
    let parties = parties(&events, &lines);
    let parties: Vec<&str> = parties.iter().map(String::as_str).collect();
    let heirs = yj_subject::heirs(tx, &parties).await?;
    let same = |one: &str, other: &str| {
        let heir = |id: &str| heirs.get(id).map(|heir| heir.id.as_str());
        one == other || heir(one).is_some_and(|heir_of_one| Some(heir_of_one) == heir(other))
    };
    for event in &events {
        let own = links.get(&event.id).map(Vec::as_slice).unwrap_or_default();
        let kept = lines.remove(&event.id).unwrap_or_default();
        let whole = !erased.contains(&event.uid);
        let fields = compare(event, (own, &objects), (&kept, whole), &same)?;
        if !fields.is_empty() {
            let (record, name) = (format!("match:{}", event.uid), event.uid.as_str());
            let at = Some(event.time.unix_ms());
            looked.found.push(Found::underived(&record, ("trace_match_line", name), at, fields));
        }
    }
    Ok(looked)
}

fn parties(events: &[StoredEvent], lines: &BTreeMap<i64, Vec<Stored>>) -> BTreeSet<String> {
    let of_events = events.iter().flat_map(|event| {
        [Some(event.subject_id.clone()), event.counterparty_id.clone()].into_iter().flatten()
    });
    let of_lines = lines.values().flatten();
    of_events.chain(of_lines.flat_map(|line| [line.giver.clone(), line.receiver.clone()])).collect()
}

async fn stored_lines(tx: &mut Tx, events: &[i64]) -> Result<BTreeMap<i64, Vec<Stored>>> {
    let mut sql = Sql::new(
        "SELECT l.event_id, l.side, l.quantity, l.unit, l.day, m.giver_id, m.receiver_id, m.voucher, \
         m.batch, m.id FROM trace_match_line l JOIN trace_match m ON m.id = l.match_id \
         WHERE l.event_id ",
    );
    sql.bind_ints(events.iter().copied());
    let mut lines: BTreeMap<i64, Vec<Stored>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let text = |index| row.text(index).map(String::from);
        lines.entry(row.int(0)?).or_default().push(Stored {
            side: row.int(1)?,
            quantity: row.int(2)?,
            unit: text(3)?,
            day: row.int(4)?,
            giver: text(5)?,
            receiver: text(6)?,
            voucher: row.text_opt(7)?.map(String::from),
            batch: text(8)?,
            id: text(9)?,
        });
    }
    Ok(lines)
}

/// How the lines of an event differ from what it says. Which lot a code belonged to then may have been
/// changed by a later event; so lines are compared by what they come to in each unit, and each by the
/// name of its transaction.
fn compare(
    event: &StoredEvent,
    (links, objects): (&[Link], &Objects),
    (kept, whole): (&[Stored], bool),
    same: &impl Fn(&str, &str) -> bool,
) -> Result<Vec<Difference>> {
    let Some(spec) = &event.spec else { return Ok(Vec::new()) };
    let told = Told { spec, domain: &event.domain, time: event.time, body: &event.body };
    let of = |counterparty| (event.subject_id.as_str(), counterparty);
    let expected = event
        .counterparty_id
        .as_deref()
        .and_then(|other| pairing::expected(&told, of(other), (links, objects)));
    let mut fields = Vec::new();
    let Some(expected) = expected else {
        if !kept.is_empty() {
            fields.push(Difference::new("lines", json!(0), json!(kept.len())));
        }
        return Ok(fields);
    };
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for line in kept {
        *sums.entry(line.unit.as_str()).or_default() += line.quantity;
        let sound = line.side == expected.side
            && line.day == expected.day
            && (line.voucher == expected.voucher || !whole)
            && same(&line.giver, expected.giver)
            && same(&line.receiver, expected.receiver)
            && line.id == name(line)?;
        if !sound {
            fields.push(Difference::new(
                "lines.transaction",
                json!(expected.voucher),
                json!(line.id),
            ));
        }
    }
    let wanted: BTreeMap<&str, i64> =
        expected.sums.iter().map(|(unit, sum)| (*unit, *sum)).collect();
    if sums != wanted {
        fields.push(Difference::new("lines.quantity", json!(wanted), json!(sums)));
    }
    Ok(fields)
}

fn name(line: &Stored) -> Result<String> {
    let parties = (line.giver.as_str(), line.receiver.as_str());
    pairing::name(parties, (&line.batch, line.voucher.as_deref(), line.day))
}

async fn of_matches(tx: &mut Tx, after: &str, most: i64) -> Result<Looked> {
    let sql = Sql::new("SELECT id FROM trace_match WHERE id > $1 ORDER BY id LIMIT $2");
    let rows = tx.fetch(sql.arg(after).arg(most)).await?;
    let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut looked = Looked { rows: ids.len() as u64, ..Looked::default() };
    let Some(last) = ids.last() else { return Ok(looked) };
    looked.last = Some(format!("{LATER}{last}"));
    for row in tx.fetch(pairing::recomputed(&ids)).await? {
        let fields = outcome(&row)?;
        if !fields.is_empty() {
            let (id, at) = (row.text(0)?, Some(row.int(13)?));
            let record = format!("match:{id}");
            looked.found.push(Found::underived(&record, ("trace_match", id), at, fields));
        }
    }
    Ok(looked)
}

/// What a transaction comes to by its lines, against what its row says: columns 1 to 5 and 6 to 10.
fn outcome(row: &Row) -> Result<Vec<Difference>> {
    const NAMES: [&str; 5] = ["given", "received", "given_day", "received_day", "units"];
    let mut fields = Vec::new();
    for (index, name) in NAMES.into_iter().enumerate() {
        let (wanted, found) = (row.int_opt(index + 1)?, row.int_opt(index + 6)?);
        if wanted != found {
            fields.push(Difference::new(name, json!(wanted), json!(found)));
        }
    }
    let day = |index| row.int_opt(index);
    let sums = (row.int(1)?, row.int(2)?, row.int(5)?);
    let state = pairing::state(sums, (day(3)?, day(4)?));
    if row.text(11)? != state {
        fields.push(Difference::new("state", json!(state), json!(row.text(11)?)));
    }
    if row.int(12)? == 0 {
        fields.push(Difference::new("lines", json!(1), Value::from(0)));
    }
    Ok(fields)
}
