//! Where events are looked for. An engine may keep them by the month they happened in
//! ([`crate::months`]). To find a few by their numbers in every month costs less than to plan which
//! months to look in; of many it does not, and links say when their events happened.
//!
//! An event is missing from its month only if somebody changed its time behind the platform's back. It
//! is then looked for everywhere, for it is to be found and shown as what it is.

use std::{collections::BTreeMap, ops::ControlFlow};

use yj_kernel::{Dialect, Result, Row, Sql, Tx, lie_near};

use crate::store::{EVENT, StoredEvent};

/// Events from which it is worth while to look in their months first.
const MANY: usize = 100;

/// How far one look reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Only where the event should lie.
    ItsMonth,
    Everywhere,
}

/// The looks to take for so many, one after the other, until what is sought is found. An engine that
/// divides nothing looks once.
const fn looks(dialect: Dialect, count: usize) -> &'static [Reach] {
    match dialect {
        Dialect::Postgres if count >= MANY => &[Reach::ItsMonth, Reach::Everywhere],
        Dialect::Sqlite | Dialect::Postgres => &[Reach::Everywhere],
    }
}

/// The event with this identifier; `narrow` limits it further.
pub(crate) async fn event_by_uid(
    tx: &mut Tx,
    uid: &str,
    narrow: impl Fn(&mut Sql, &Tx),
) -> Result<Option<StoredEvent>> {
    let mut sql = Sql::new(EVENT);
    sql.push(" WHERE e.id = (SELECT k.id FROM trace_event_key k WHERE k.uid = ").bind(uid);
    sql.push(")");
    narrow(&mut sql, tx);
    let row = tx.fetch_one(sql).await?;
    Ok(StoredEvent::read_all(tx, row.as_slice()).await?.pop())
}

/// Events by number and time, as links tell them, in the order of time.
pub(crate) async fn events_at(tx: &mut Tx, told: &[(i64, i64)]) -> Result<Vec<StoredEvent>> {
    let each: BTreeMap<i64, i64> = told.iter().copied().collect();
    if each.is_empty() {
        return Ok(Vec::new());
    }
    let each: Vec<_> = each.into_iter().collect();
    let rows = rows_at(tx, EVENT, &each).await?;
    StoredEvent::read_all(tx, &rows).await
}

/// The same with columns of the caller's choice; the table is called `e`. Each event is told once.
async fn rows_at(tx: &mut Tx, columns: &'static str, told: &[(i64, i64)]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for reach in looks(tx.dialect(), told.len()) {
        let mut sql = look(columns, told, *reach);
        sql.push(" ORDER BY e.event_time, e.id");
        rows = tx.fetch(sql).await?;
        if rows.len() == told.len() {
            break;
        }
    }
    Ok(rows)
}

/// The same of many events, each once, in parts: while one part is looked for, `each` takes the one before,
/// its events in any order. The first of the columns is the event's number.
pub(crate) async fn rows_in_parts(
    tx: &mut Tx,
    columns: &'static str,
    parts: &[&[(i64, i64)]],
    mut each: impl FnMut(&[Row]) -> Result<()>,
) -> Result<()> {
    let dialect = tx.dialect();
    let ids: Vec<Vec<i64>> = parts.iter().map(|part| numbers(part)).collect();
    let first = |(part, ids): (&&[(i64, i64)], &Vec<i64>)| {
        if lie_near(ids) {
            // A stretch of numbers is found in every month at the price of one.
            let mut sql = Sql::new(columns);
            sql.push(" WHERE e.id ").bind_near(ids);
            return sql;
        }
        let reach = looks(dialect, part.len()).first();
        look(columns, part, reach.copied().unwrap_or(Reach::Everywhere))
    };
    let queries = parts.iter().zip(&ids).map(first).collect();
    let (mut asked, mut missed) = (parts.iter().zip(&ids), Vec::new());
    tx.fetch_ahead(queries, |mut rows| {
        let Some((part, ids)) = asked.next() else { return Ok(ControlFlow::Break(())) };
        rows.retain(|row| row.int(0).is_ok_and(|id| ids.binary_search(&id).is_ok()));
        if part.len() == rows.len() {
            each(&rows)?;
        } else {
            missed.push(*part);
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    for part in missed {
        each(&rows_at(tx, columns, part).await?)?;
    }
    Ok(())
}

/// The numbers of some events, in ascending order.
fn numbers(told: &[(i64, i64)]) -> Vec<i64> {
    let mut ids: Vec<i64> = told.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids
}

fn look(columns: &'static str, told: &[(i64, i64)], reach: Reach) -> Sql {
    let mut sql = Sql::new(columns);
    sql.push(" WHERE e.id ").bind_ints(told.iter().map(|(id, _)| *id));
    let times = || told.iter().map(|(_, time)| *time);
    if let (Reach::ItsMonth, Some(first), Some(last)) = (reach, times().min(), times().max()) {
        sql.push(" AND e.event_time >= ").bind(first).push(" AND e.event_time <= ").bind(last);
    }
    sql
}

/// Joins the event of a link `l` where the link says that it happened; of one that is not there every
/// column is null.
const IN_ITS_MONTH: &str =
    " LEFT JOIN trace_event e ON e.id = l.event_id AND e.event_time = l.event_time";
/// Joins the event of a link `l` wherever it is.
const ANYWHERE: &str = " JOIN trace_event e ON e.id = l.event_id";

/// Answers a query over links `l` and their events `e`, which `query` writes around the join that it
/// is given. Its first column is a text of the event.
pub(crate) async fn fetch_linked(tx: &mut Tx, query: impl Fn(&str) -> Sql) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for reach in looks(tx.dialect(), usize::MAX) {
        let join = match reach {
            Reach::ItsMonth => IN_ITS_MONTH,
            Reach::Everywhere => ANYWHERE,
        };
        rows = tx.fetch(query(join)).await?;
        let found = rows.iter().map(|row| row.text_opt(0)).collect::<Result<Vec<_>>>()?;
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(rows)
}
