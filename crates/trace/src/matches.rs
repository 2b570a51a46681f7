//! `GET /api/v1/trace/matches`: what both parties of a transaction said, and where they differ. Both may
//! see it, and who supervises either.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_kernel::{
    Columns, Ctx, Param, Problem, Reach, Result, Row, Scope, Scoping, Sql, Tx, number, time_text,
};
use yj_model::Quantity;

use crate::{
    pairing::{SUM_MAX, day_number, written_voucher},
    query::{EVENT_COLUMNS, narrow},
    store::quantity,
};

const PER_PAGE_MAX: i64 = 200;
const PAGE_MAX: i64 = 500;
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
    Param { name: "page", label: "页码", required: false },
    Param { name: "per_page", label: "每页条数", required: false },
    Param { name: "sort", label: "-opened_at：先登记的在后", required: false },
    Param { name: "after", label: "上一页答复中的 next", required: false },
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

fn invalid(name: &str, detail: impl Into<String>) -> Problem {
    Problem::invalid(name, detail)
}

/// Newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(
        "SELECT m.id, m.opened_at, m.domain, m.giver_id, m.receiver_id, m.voucher, m.batch, m.unit, \
         m.given, m.received, m.given_day, m.received_day, m.state FROM trace_match m \
         WHERE m.state <> 'void'",
    );
    reach(ctx, &mut sql, tx);
    let (mut page, mut per_page) = (1, 20);
    if query.matches('&').count() >= QUERY.len() * 2 {
        return Err(invalid("query", format!("查询条件过多，至多 {} 个", QUERY.len() * 2)));
    }
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let text = text.trim();
        match &*name {
            _ if text.is_empty() => {}
            "page" => page = number(&name, text, PAGE_MAX)?,
            "sort" if text == "-opened_at" => {}
            "sort" => return Err(invalid("sort", "应为 -opened_at")),
            "per_page" => per_page = number(&name, text, PER_PAGE_MAX)?,
            "after" => {
                let (time, id) = cursor(text)?;
                sql.push(" AND (m.opened_at < ").bind(time).push(" OR (m.opened_at = ").bind(time);
                sql.push(" AND m.id > ").bind(id).push("))");
            }
            "overdue" => {
                let before = day_number(ctx.now_ms()) - number(&name, text, OVERDUE_MAX)?;
                sql.push(" AND m.state IN ('given', 'received')");
                sql.push(" AND COALESCE(m.given_day, m.received_day) <= ").bind(before);
            }
            "state" if !STATES.iter().any(|(code, _)| *code == text) => {
                let known = STATES.map(|(code, label)| format!("{code} {label}")).join("、");
                return Err(invalid("state", format!("没有这种状态，应为：{known}")));
            }
            "state" | "giver_id" | "receiver_id" | "voucher" | "batch" | "domain" => {
                // The names are those just listed.
                sql.push(" AND m.").push(&name).push(" = ");
                match &*name {
                    "voucher" => sql.bind(yj_model::former_code(text)),
                    _ => sql.bind(text),
                };
            }
            _ => return Err(invalid(&name, "没有这个查询条件")),
        }
    }
    sql.push(" ORDER BY m.opened_at DESC, m.id LIMIT ").bind(per_page);
    sql.push(" OFFSET ").bind((page - 1) * per_page);
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
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == per_page);
    let next = match rows.last().filter(|_| full) {
        Some(last) => Some(format!("{}.{}", last.int(1)?, last.text(0)?)),
        None => None,
    };
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

fn cursor(text: &str) -> Result<(i64, &str)> {
    let wrong = || invalid("after", "游标无效，请使用上一页答复中的 next");
    let (time, id) = text.split_once('.').ok_or_else(wrong)?;
    Ok((time.parse().map_err(|_| wrong())?, id))
}
