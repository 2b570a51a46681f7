//! What some subjects did with what they held: what their events made and used up, and what changed hands
//! between them and others. What only goes on under its own code in an event is neither in nor out.

use std::collections::BTreeMap;

use yj_domain::Domains;
use yj_kernel::{Result, Row, Sql, Tx};

use super::{Account, OTHER, Period, Sum, Ways, brought, span};

/// How goods come in that somebody took whom their holder had given them to: 采购入库.
const BOUGHT: &str = "102";

/// The accounts of some subjects, by unit, over the objects `o` that `which` limits them to.
pub(super) async fn accounts(
    tx: &mut Tx,
    (period, subjects): (Period, &[&str]),
    which: impl Fn(&mut Sql),
) -> Result<BTreeMap<String, Account>> {
    let mut done = Sql::new(
        "SELECT e.domain, e.pack_version, e.kind, o.unit, l.role, COUNT(*), \
         CAST(SUM(l.quantity) AS BIGINT), CAST(SUM(l.quantity - CASE \
         WHEN w.quantity IS NULL THEN 0 WHEN w.quantity < l.quantity THEN w.quantity ELSE l.quantity END) \
         AS BIGINT), ",
    );
    span(&mut done, period, "e.event_time");
    done.push(
        " FROM trace_event e CROSS JOIN trace_link l CROSS JOIN trace_object o \
         LEFT JOIN trace_link w ON w.event_id = l.event_id AND w.object_id = l.object_id \
         AND w.role = 1 - l.role WHERE l.event_id = e.id AND l.event_time = e.event_time \
         AND l.role IN (0, 1, 3) AND o.id = l.object_id AND e.state = 'accepted' AND e.subject_id ",
    );
    done.bind_texts(subjects.iter().copied());
    which(&mut done);
    done.push(" GROUP BY e.domain, e.pack_version, e.kind, o.unit, l.role, span");
    let mut queries = vec![done];
    for (own, other) in [("receiver_id", "giver_id"), ("giver_id", "receiver_id")] {
        let mut passed = Sql::new(
            "SELECT e.domain, e.pack_version, e.kind, o.unit, COUNT(*), \
             CAST(SUM(h.quantity) AS BIGINT), ",
        );
        span(&mut passed, period, "h.event_time");
        passed.push(
            " FROM trace_handover h CROSS JOIN trace_event e CROSS JOIN trace_object o \
             WHERE e.id = h.event_id AND e.event_time = h.event_time AND o.id = h.object_id AND h.",
        );
        passed.push(own).push(" ").bind_texts(subjects.iter().copied());
        passed.push(" AND NOT h.").push(other).push(" ").bind_texts(subjects.iter().copied());
        which(&mut passed);
        passed.push(" GROUP BY e.domain, e.pack_version, e.kind, o.unit, span");
        queries.push(passed);
    }
    let mut last = Sql::new(
        "SELECT o.unit, CAST(SUM(o.balance - o.apart) AS BIGINT) FROM trace_object o \
         WHERE o.subject_id ",
    );
    last.bind_texts(subjects.iter().copied());
    which(&mut last);
    last.push(" GROUP BY o.unit");
    let mut parts = Sql::new(
        "SELECT o.unit, CAST(SUM(p.quantity) AS BIGINT) FROM trace_holding p \
         CROSS JOIN trace_object o WHERE o.id = p.object_id AND p.subject_id ",
    );
    parts.bind_texts(subjects.iter().copied());
    which(&mut parts);
    parts.push(" GROUP BY o.unit");
    queries.extend([last, parts]);
    queries.push(brought(period, Some(subjects), &which));
    let answers = tx.fetch_all(queries).await?;
    let domains = yj_domain::current(tx).await?;
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    let [done, received, given, held @ .., brought] = answers.as_slice() else {
        return Ok(accounts);
    };
    for row in done {
        let account = accounts.entry(String::from(row.text(3)?)).or_default();
        note_done(account, &domains, row)?;
    }
    for (rows, into) in [(received, true), (given, false)] {
        for row in rows {
            let movement = Ways::of(&domains, row)?.movement;
            let comes_in = movement.starts_with('1') && movement != "101";
            let movement = if comes_in { &*movement } else { BOUGHT };
            let sum = Sum { quantity: row.int_opt(5)?.unwrap_or(0), events: row.int(4)? };
            let account = accounts.entry(String::from(row.text(3)?)).or_default();
            account.note((into, movement), row.int(6)?, sum);
        }
    }
    for row in brought {
        // What is used at once comes in by no movement of its own.
        let Ways { movement, .. } = Ways::of(&domains, row)?;
        let movement = if row.int(4)? == 1 { &*movement } else { OTHER };
        let sum = Sum { quantity: row.int(6)?, events: row.int(5)? };
        let account = accounts.entry(String::from(row.text(3)?)).or_default();
        account.note((true, movement), row.int(7)?, sum);
    }
    for row in held.iter().flatten() {
        accounts.entry(String::from(row.text(0)?)).or_default().stored += row.int(1)?;
    }
    Ok(accounts)
}

/// Notes what events of one type did with units of one measure.
fn note_done(account: &mut Account, domains: &Domains, row: &Row) -> Result<()> {
    let Ways { movement, terminal, returned } = Ways::of(domains, row)?;
    let made = row.int(4)? == 1;
    let (gross, net, when) =
        (row.int_opt(6)?.unwrap_or(0), row.int_opt(7)?.unwrap_or(0), row.int(8)?);
    // What is sold or used up is gone, though the event puts it out; what consumers bring back comes in as
    // it is put out.
    let quantity = match (made, terminal, returned) {
        (true, true, _) | (false, _, true) => 0,
        (false, true, false) | (true, false, true) => gross,
        (_, false, false) => net,
    };
    if quantity == 0 {
        return Ok(());
    }
    let sum = Sum { quantity, events: row.int(5)? };
    account.note((made, &movement), when, sum);
    Ok(())
}
