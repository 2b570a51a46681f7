//! `GET /api/v1/trace/matches`: what both parties of a transaction said, and where they differ. Both may
//! see it, and who supervises either.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_kernel::{
    Columns, Ctx, Param, Problem, Reach, Result, Row, Scope, Scoping, Sql, Tx, number, time_text,
};
use yj_model::Quantity;

use crate::{
    asked::{Asked, PAGING},
    pairing::{SUM_MAX, day_number, written_voucher},
    query::{EVENT_COLUMNS, narrow},
    store::quantity,
};

const ORDER: &str = "-opened_at";
/// Events of each side that a line leads to: the first ones.
const EVENTS_MAX: i64 = 10;
/// Days that somebody may be waited for, at most.
const OVERDUE_MAX: i64 = 3650;
const STATES: [(&str, &str); 5] = [
    ("given", "待收货方登记"),
    ("received", "待发货方登记"),
    ("matched", "相符"),
    ("quantity", "数量不符"),
    ("day", "日期不符"),
];

/// What the list may be asked for.
pub(crate) const QUERY: &[Param] = &[
    Param {
        name: "state", label: "given、received、matched、quantity 或 day", required: false
    },
    Param { name: "overdue", label: "只有一方登记已满多少天", required: false },
    Param { name: "giver_id", label: "发货方（主体）", required: false },
    Param { name: "receiver_id", label: "收货方（主体）", required: false },
    Param { name: "voucher", label: "凭证编号", required: false },
    Param { name: "batch", label: "批次号，没有批次号的为追溯码", required: false },
    Param { name: "domain", label: "领域", required: false },
    PAGING[0],
    PAGING[1],
    PAGING[2],
    PAGING[3],
];

/// Whether one party lies within reach.
const fn columns(region: &'static str, subject: &'static str) -> Columns {
    Columns {
        region: Some(region),
        subject: Some(subject),
        category: Reach::Equal("m.domain"),
        ..Columns::NONE
    }
}

/// The same, and one of the events that say so is of a stage and label within reach.
const fn told(region: &'static str, subject: &'static str) -> Columns {
    Columns { region: Some(region), subject: Some(subject), ..EVENT_COLUMNS }
}

fn either(
    scope: &Scope,
    (sql, tx): (&mut Sql, &Tx),
    of: fn(&'static str, &'static str) -> Columns,
) {
    sql.push(" AND ((1 = 1");
    scope.narrow(sql, tx, Scoping::By(of("m.giver_region", "m.giver_id")));
    sql.push(") OR (1 = 1");
    scope.narrow(sql, tx, Scoping::By(of("m.receiver_region", "m.receiver_id")));
    sql.push("))");
}

fn reach(ctx: &Ctx, sql: &mut Sql, tx: &Tx) {
    let scope = ctx.scope();
    if scope.is_everything() {
        return;
    }
    // By the row's own columns first, which are indexed.
    either(scope, (&mut *sql, tx), columns);
    let lines = "EXISTS (SELECT 1 FROM trace_match_line l JOIN trace_event e ON e.id = l.event_id \
                 WHERE l.match_id = m.id AND e.state = 'accepted'";
    sql.push(" AND ").push(lines);
    either(scope, (&mut *sql, tx), told);
    sql.push(") AND NOT ").push(lines).push(" AND e.label > ");
    sql.bind(scope.clearance().level()).push(")");
}

/// Newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let asked = Asked::read(query, QUERY, ORDER)?;
    let mut sql = Sql::new(
        "SELECT m.id, m.opened_at, m.domain, m.giver_id, m.receiver_id, m.voucher, m.batch, m.unit, \
         m.given, m.received, m.given_day, m.received_day, m.state FROM trace_match m \
         WHERE m.state <> 'void'",
    );
    reach(ctx, &mut sql, tx);
    if let Some(overdue) = asked.condition("overdue") {
        let before = day_number(ctx.now_ms()) - number("overdue", overdue, OVERDUE_MAX)?;
        sql.push(" AND m.state IN ('given', 'received')");
        sql.push(" AND COALESCE(m.given_day, m.received_day) <= ").bind(before);
    }
    if let Some(voucher) = asked.condition("voucher") {
        sql.push(" AND m.voucher = ").bind(yj_model::former_code(voucher));
    }
    if let Some(state) = asked.one_of("state", &STATES)? {
        sql.push(" AND m.state = ").bind(state);
    }
    for name in ["giver_id", "receiver_id", "batch", "domain"] {
        if let Some(text) = asked.condition(name) {
            sql.push(" AND m.").push(name).push(" = ").bind(text);
        }
    }
    if let Some([time, id]) = asked.after()? {
        let time = Asked::number_after(time)?;
        sql.push(" AND (m.opened_at < ").bind(time).push(" OR (m.opened_at = ").bind(time);
        sql.push(" AND m.id > ").bind(id).push("))");
    }
    sql.push(" ORDER BY m.opened_at DESC, m.id");
    asked.limit(&mut sql);
    let rows = tx.fetch(sql).await?;
    let parties = rows.iter().flat_map(|row| [row.text(3), row.text(4)]);
    let parties = parties.collect::<Result<Vec<_>>>()?;
    let subjects = yj_subject::by_ids(tx, &parties).await?;
    let clearance = ctx.scope().clearance();
    let party = |id: &str| {
        let found = subjects.get(id);
        let name = found.map(|one| one.name_for(clearance));
        json!({ "id": id, "code": found.map(|one| one.code.as_str()), "name": name })
    };
    let told = events(ctx, tx, &rows).await?;
    let items = rows.iter().map(|row| line(row, party, &told)).collect::<Result<Vec<_>>>()?;
    let last =
        rows.last().map(|row| Ok::<_, Problem>([row.int(1)?.to_string(), row.text(0)?.into()]));
    let next = asked.next(rows.len(), last.transpose()?);
    Ok(json!({ "items": items, "next": next }))
}

/// Events by what they are about: the transaction, and whether it was given (0) or received (1); and
/// the voucher of each as somebody wrote it.
#[derive(Default)]
struct Told {
    events: BTreeMap<(String, i64), Vec<Value>>,
    vouchers: BTreeMap<String, String>,
}

/// The events within reach that say what stands in some lines, in the order in which they happened.
async fn events(ctx: &Ctx, tx: &mut Tx, matches: &[Row]) -> Result<Told> {
    let ids = matches.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut sql = Sql::new(
        "SELECT match_id, side, uid, body FROM (SELECT l.match_id, l.side, e.uid, e.body, e.event_time, e.id, \
         ROW_NUMBER() OVER (PARTITION BY l.match_id, l.side ORDER BY e.event_time, e.id) AS place \
         FROM (SELECT DISTINCT match_id, side, event_id FROM trace_match_line WHERE match_id ",
    );
    sql.bind_texts(ids);
    sql.push(") AS l JOIN trace_event e ON e.id = l.event_id WHERE e.state = 'accepted'");
    narrow(ctx, &mut sql, tx);
    sql.push(") AS told WHERE place <= ").bind(EVENTS_MAX).push(" ORDER BY match_id, side, place");
    let mut found = Told::default();
    for row in tx.fetch(sql).await? {
        let (of, body) = (String::from(row.text(0)?), row.json(3)?);
        if let Some(written) = written_voucher(&body) {
            found.vouchers.entry(of.clone()).or_insert_with(|| String::from(written));
        }
        found.events.entry((of, row.int(1)?)).or_default().push(json!({ "id": row.text(2)? }));
    }
    Ok(found)
}

fn line(row: &Row, party: impl Fn(&str) -> Value, told: &Told) -> Result<Value> {
    let id = row.text(0)?;
    let events = |side| told.events.get(&(String::from(id), side)).map_or(&[][..], Vec::as_slice);
    let written = told.vouchers.get(id).map(String::as_str);
    let state = row.text(12)?;
    let label = STATES.iter().find(|(code, _)| *code == state).map(|(_, label)| *label);
    let day = |number: Option<i64>| {
        number.map(|days| time_text((days * 24 - 8) * 3_600_000)).transpose().map(|text| {
            let day = text.as_ref().and_then(Value::as_str).and_then(|text| text.get(..10));
            json!(day)
        })
    };
    let (given, received) = (day(row.int_opt(10)?)?, day(row.int_opt(11)?)?);
    Ok(json!({
        "id": id, "opened_at": time_text(row.int(1)?)?, "domain": row.text(2)?,
        "giver": party(row.text(3)?), "receiver": party(row.text(4)?),
        "voucher": row.text_opt(5)?, "voucher_written": written.or(row.text_opt(5)?),
        "batch": row.text(6)?, "unit": row.text(7)?,
        "given": sum(row.int(8)?)?, "received": sum(row.int(9)?)?,
        "given_on": given, "received_on": received, "state": state, "state_name": label,
        "given_events": events(0), "received_events": events(1),
    }))
}

/// A stored sum, whatever it is.
fn sum(scaled: i64) -> Result<Quantity> {
    quantity(scaled.clamp(-SUM_MAX, SUM_MAX))
}
