//! 批次结存 follow from the links of events, and those from the ledger: every balance is computed again.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yj_domain::{Domains, Terminal};
use yj_kernel::{Ctx, Result, Row, Sql, Tx};
use yj_ledger::{Derivation, Difference, Found, Looked};

use crate::{
    balance::{LinkRole, ObjectState},
    holders, returned,
    store::quantity,
};

/// 批次结存 as the tamper audit computes them again: how much was made and is left, who holds how much of
/// it, whether it is sold, and that whoever holds it has had a part in it.
pub struct Balances;

/// What the links of an object come to, in the object's unit.
#[derive(Default)]
struct Sums {
    taken: i64,
    made: i64,
    /// Of what was made, what did not leave by being made.
    kept: i64,
    /// What became of it by the events that put it out.
    states: BTreeSet<&'static str>,
    parties: BTreeSet<String>,
    /// What each made and kept, less what it took, and what others gave it, less what it gave them.
    each: BTreeMap<String, i64>,
    /// Whether anything changed hands.
    handed: bool,
    /// What came with what was taken from outside.
    brought: i64,
    last: Option<i64>,
}

impl Derivation for Balances {
    fn look<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Looked>> {
        Box::pin(async move {
            let sql = Sql::new(
                "SELECT o.id, o.code, o.subject_id, o.produced, o.balance, o.state, o.quality, \
                 (SELECT MAX(CASE r.kind WHEN 'await' THEN '02' WHEN 'fail' THEN '03' \
                  WHEN 'freeze' THEN '04' WHEN 'stop' THEN '04' WHEN 'recall' THEN '05' ELSE '06' END) \
                  FROM trace_order_unit u JOIN trace_order r ON r.id = u.order_id \
                  WHERE u.object_id = o.id AND r.state = 'in_force'), o.apart \
                 FROM trace_object o WHERE o.id > $1 ORDER BY o.id LIMIT $2",
            );
            let after: i64 = after.parse().unwrap_or(i64::MIN);
            let objects = tx.fetch(sql.arg(after).arg(most)).await?;
            let ids = objects.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
            let sums = sums(tx, &ids).await?;
            let parts = holders::parts(tx, &ids).await?;
            let none = Sums::default();
            let mut looked = Looked { rows: objects.len() as u64, ..Looked::default() };
            for row in &objects {
                let sums = sums.get(&row.int(0)?).unwrap_or(&none);
                let brought = row.int(3)? - sums.made;
                let proven = (brought == 0 && sums.brought == 0)
                    || (brought >= sums.brought && brought_in(tx, row, brought).await?);
                let mut fields = differences(row, sums, (brought, proven))?;
                if brought == sums.brought {
                    fields.extend(held_otherwise(row, sums, parts.get(&row.int(0)?))?);
                }
                if !fields.is_empty() {
                    let (code, record) = (row.text(1)?, format!("object:{}", row.text(1)?));
                    let at = Some(sums.last.unwrap_or(0));
                    looked.found.push(Found::underived(
                        &record,
                        ("trace_object", code),
                        at,
                        fields,
                    ));
                }
                looked.last = Some(row.int(0)?.to_string());
            }
            Ok(looked)
        })
    }
}

async fn sums(tx: &mut Tx, ids: &[i64]) -> Result<BTreeMap<i64, Sums>> {
    let domains = yj_domain::current(tx).await?;
    let mut sql = Sql::new(
        "SELECT l.object_id, l.role, CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT), MAX(l.event_time), \
         e.domain, e.kind, e.pack_version, e.subject_id FROM trace_link l \
         JOIN trace_event e ON e.id = l.event_id AND e.event_time = l.event_time WHERE l.object_id ",
    );
    sql.bind_ints(ids.iter().copied())
        .push(" GROUP BY l.object_id, l.role, e.domain, e.kind, e.pack_version, e.subject_id");
    let mut all: BTreeMap<i64, Sums> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let sums = all.entry(row.int(0)?).or_default();
        let quantity = row.int(2)?;
        sums.last = sums.last.max(Some(row.int(3)?));
        let own = sums.each.entry(String::from(row.text(7)?)).or_default();
        match LinkRole::from_code(row.int(1)?) {
            Some(LinkRole::Input | LinkRole::Opened) => {
                let spec = domains.event(row.text(4)?, row.text(6)?, row.text(5)?);
                if !spec.is_some_and(|spec| returned::takes_back(&spec)) {
                    sums.taken += quantity;
                    *own -= quantity;
                }
            }
            Some(LinkRole::Output) => {
                let state = state(&domains, &row)?;
                sums.made += quantity;
                if state == ObjectState::Held {
                    sums.kept += quantity;
                    *own += quantity;
                }
                sums.states.insert(state.code());
            }
            _ => continue,
        }
        sums.parties.insert(String::from(row.text(7)?));
    }
    let mut sql = Sql::new(
        "SELECT b.object_id, e.subject_id, CAST(SUM(b.quantity) AS BIGINT) FROM trace_brought b \
         JOIN trace_event e ON e.id = b.event_id WHERE b.object_id ",
    );
    sql.bind_ints(ids.iter().copied()).push(" GROUP BY b.object_id, e.subject_id");
    for row in tx.fetch(sql).await? {
        let sums = all.entry(row.int(0)?).or_default();
        sums.brought += row.int(2)?;
        *sums.each.entry(String::from(row.text(1)?)).or_default() += row.int(2)?;
    }
    let mut sql = Sql::new(
        "SELECT object_id, giver_id, receiver_id, CAST(SUM(quantity) AS BIGINT) FROM trace_handover \
         WHERE object_id ",
    );
    sql.bind_ints(ids.iter().copied()).push(" GROUP BY object_id, giver_id, receiver_id");
    for row in tx.fetch(sql).await? {
        let sums = all.entry(row.int(0)?).or_default();
        sums.handed = true;
        *sums.each.entry(String::from(row.text(1)?)).or_default() -= row.int(3)?;
        *sums.each.entry(String::from(row.text(2)?)).or_default() += row.int(3)?;
    }
    Ok(all)
}

/// Where somebody holds of an object what the events do not say, or the parts are not what the object says
/// they are.
fn held_otherwise(
    row: &Row,
    sums: &Sums,
    parts: Option<&BTreeMap<String, i64>>,
) -> Result<Option<Difference>> {
    let mut stored = parts.cloned().unwrap_or_default();
    let apart: i64 = stored.values().sum();
    if !sums.handed && apart == 0 && row.int(8)? == 0 {
        return Ok(None);
    }
    *stored.entry(String::from(row.text(2)?)).or_default() += row.int(4)? - row.int(8)?;
    stored.retain(|_, amount| *amount != 0);
    let mut derived = sums.each.clone();
    derived.retain(|_, amount| *amount != 0);
    if stored == derived && apart == row.int(8)? {
        return Ok(None);
    }
    let told = |each: &BTreeMap<String, i64>| {
        let amount = |scaled: &i64| quantity(*scaled).map_or(Value::Null, |amount| json!(amount));
        let lines = each.iter().map(|(holder, scaled)| (holder.clone(), amount(scaled)));
        Value::Object(lines.collect())
    };
    Ok(Some(Difference::new("holders", told(&derived), told(&stored))))
}

/// What an event of this type makes of what it puts out.
fn state(domains: &Domains, row: &Row) -> Result<ObjectState> {
    let spec = domains.event(row.text(4)?, row.text(6)?, row.text(5)?);
    Ok(match spec.and_then(|spec| spec.outputs.terminal) {
        None => ObjectState::Held,
        Some(Terminal::Sold) => ObjectState::Sold,
        Some(Terminal::Used) => ObjectState::Used,
    })
}

/// Whether an event says that this quantity of it came from outside the platform: one that it went into,
/// or one of its holder's that was corrected since and has given up its links, not its words.
async fn brought_in(tx: &mut Tx, object: &Row, quantity: i64) -> Result<bool> {
    const EVENTS_MAX: i64 = 10_000;
    const OUTSIDE: &str = "%\"external\":true%";
    if quantity < 0 {
        return Ok(false);
    }
    let code = object.text(1)?;
    let mut linked = Sql::new(
        "SELECT e.body FROM trace_link l JOIN trace_event e ON e.id = l.event_id \
         AND e.event_time = l.event_time WHERE l.role = 0 AND l.object_id = ",
    );
    linked.bind(object.int(0)?);
    let mut corrected = Sql::new(
        "SELECT e.body FROM trace_event e WHERE e.state = 'superseded' AND e.subject_id = ",
    );
    corrected.bind(object.text(2)?).push(" AND e.body LIKE ").bind(format!("%{code}%"));
    let says = |line: &Value| line["code"] == code && line["external"] == true;
    for mut sql in [linked, corrected] {
        sql.push(" AND e.body LIKE ").bind(OUTSIDE).push(" LIMIT ").bind(EVENTS_MAX);
        for row in tx.fetch(sql).await? {
            if row.json::<Value>(0)?["inputs"]
                .as_array()
                .is_some_and(|lines| lines.iter().any(says))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn differences(row: &Row, sums: &Sums, (brought, proven): (i64, bool)) -> Result<Vec<Difference>> {
    let mut fields = Vec::new();
    let amount = |scaled: i64| quantity(scaled).map_or(Value::Null, |amount| json!(amount));
    if !proven {
        fields.push(Difference::new("produced", amount(sums.made), amount(row.int(3)?)));
    }
    let balance = if proven { brought + sums.kept - sums.taken } else { sums.kept - sums.taken };
    if balance != row.int(4)? {
        fields.push(Difference::new("balance", amount(balance), amount(row.int(4)?)));
    }
    let (state, outside) = (row.text(5)?, ObjectState::External.code());
    // What nobody puts out any more is as its last event left it.
    let known = sums.states.contains(state)
        || if state == outside { sums.made == 0 } else { sums.states.is_empty() };
    if !known {
        let wanted = sums.states.iter().next().copied().unwrap_or(outside);
        fields.push(Difference::new("state", json!(wanted), json!(state)));
    }
    let holder = row.text(2)?;
    if !sums.parties.is_empty() && !sums.parties.contains(holder) {
        let wanted = sums.parties.iter().next();
        fields.push(Difference::new("subject_id", json!(wanted), json!(holder)));
    }
    let (quality, ordered) = (row.text_opt(6)?, row.text_opt(7)?);
    if quality != ordered {
        fields.push(Difference::new("quality", json!(ordered), json!(quality)));
    }
    Ok(fields)
}
