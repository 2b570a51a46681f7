//! 行为审计 (G-5.4.3c, D-6.4.2.3, D-9.2.3): who did what to which record, written in the
//! transaction that did it. Entries are only ever added.

use serde_json::{Value, json};

use crate::{Ctx, Entity, Problem, Result, Row, Sql, Tx, field::time_text};

/// One act worth remembering. Must not hold 个人信息 or secrets.
#[derive(Debug)]
pub struct Entry<'a> {
    /// `created`, `approved`, `exported`, `logged_in` …
    pub action: &'a str,
    /// What kind of thing was acted on.
    pub entity: &'a str,
    /// Which one.
    pub record: &'a str,
    /// Changed fields as `[before, after]`, or the particulars of the act.
    pub body: Value,
}

/// Writes an entry in the name of the request, with the next trip of the transaction.
pub fn write(ctx: &Ctx, tx: &mut Tx, entry: Entry<'_>) {
    let sql = Sql::new(
        "INSERT INTO audit_log (id, at, actor, action, entity, record, body, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let sql = sql.arg(ctx.new_id::<()>()).arg(ctx.now_ms()).arg(ctx.actor()).arg(entry.action);
    let sql = sql.arg(entry.entity).arg(entry.record).arg(entry.body.to_string());
    tx.later([sql.arg(ctx.request_id.as_str())]);
}

const COLUMNS: &str = "SELECT id, at, actor, action, entity, record, body FROM audit_log";

fn read(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "at": time_text(row.int(1)?)?, "actor": row.text(2)?,
        "action": row.text(3)?, "entity": row.text(4)?, "record": row.text(5)?,
        "changes": row.json::<Value>(6)?,
    }))
}

/// Most entries of one answer.
const ENTRIES_MAX: i64 = 200;

/// The trail of one record, oldest first.
pub(crate) async fn of_record(tx: &mut Tx, entity: &Entity, id: &str) -> Result<Vec<Value>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE entity = ").bind(entity.table).push(" AND record = ").bind(id);
    sql.push(" ORDER BY id LIMIT ").bind(ENTRIES_MAX);
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// Searches the whole trail, newest first, for `GET /api/v1/audit`.
pub(crate) async fn search(tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE 1 = 1");
    let mut per_page = 50;
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "entity" => sql.push(" AND entity = ").bind(&*text),
            "record" => sql.push(" AND record = ").bind(&*text),
            "actor" => sql.push(" AND actor = ").bind(&*text),
            "action" => sql.push(" AND action = ").bind(&*text),
            "after" => sql.push(" AND id < ").bind(&*text),
            "at.from" => sql.push(" AND at >= ").bind(moment(&name, &text)?),
            "at.to" => sql.push(" AND at <= ").bind(moment(&name, &text)?),
            "per_page" => {
                per_page = crate::listing::number(&name, &text, ENTRIES_MAX)?;
                continue;
            }
            _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
        };
    }
    sql.push(" ORDER BY id DESC LIMIT ").bind(per_page);
    let rows = tx.fetch(sql).await?;
    let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let full = i64::try_from(items.len()).is_ok_and(|count| count == per_page);
    let next = items.last().filter(|_| full).map(|item| item["id"].clone());
    Ok(json!({ "items": items, "next": next }))
}

fn moment(name: &str, text: &str) -> Result<i64> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| Problem::invalid(name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00"))?;
    Ok(time.as_millisecond())
}
