//! 设备数据的检索: readings by their marks, series, gaps, messages, events, all within reach of who
//! asks.

use serde_json::{Value, json};
use yj_kernel::{Columns, Ctx, Problem, Reach, Result, Row, Scoping, Sql, Tx, number, time_text};
use yj_model::Id;

use crate::{
    kind::ReadingKind,
    marks::MARKS,
    measure::Measure,
    store::{self, kind_of},
};

const PER_PAGE_MAX: i64 = 1_000;
/// Pages for people; machines follow `next`.
const PAGE_MAX: i64 = 100;
/// Parameters of one query.
const CONDITIONS_MAX: usize = 40;
/// Gaps of one answer.
const GAPS_MAX: i64 = 500;

const fn columns(region: &'static str, subject: &'static str) -> Scoping {
    Scoping::By(Columns {
        region: Some(region),
        subject: Some(subject),
        category: Reach::Every,
        stage: Reach::Every,
        organization: None,
        label: None,
    })
}

const SERIES: Scoping = columns("s.region", "s.subject_id");
const MESSAGES: Scoping = columns("m.region", "m.subject_id");
const EVENTS: Scoping = columns("v.region", "v.subject_id");

/// A query string, pair by pair; empty values are left out.
fn conditions(query: &str) -> Result<Vec<(String, String)>> {
    if query.matches('&').count() > CONDITIONS_MAX {
        return Err(Problem::invalid("query", "查询条件过多"));
    }
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.map(|(name, text)| (name.into_owned(), String::from(text.trim())));
    Ok(pairs.filter(|(_, text)| !text.is_empty()).collect())
}

fn unknown(name: &str) -> Problem {
    Problem::invalid(name, "没有这个查询条件")
}

fn id(name: &str, text: &str) -> Result<String> {
    let id: Id<()> = text.parse().map_err(|_| Problem::invalid(name, "应为设备的标识"))?;
    Ok(id.to_string())
}

fn moment(name: &str, text: &str) -> Result<i64> {
    let wrong = || Problem::invalid(name, "应为带时区的时间，如 2026-11-01T08:00:00+08:00");
    let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(time.as_millisecond())
}

fn cursor<const N: usize>(text: &str) -> Result<[i64; N]> {
    let wrong = || Problem::invalid("after", "游标无效，请使用上一页答复中的 next");
    let parts = text.split('.').map(str::parse::<i64>);
    let parts = parts.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
    parts.try_into().map_err(|_| wrong())
}

fn marks_text(marks: i64) -> Vec<&'static str> {
    let marked = |(bit, (code, _)): (usize, &(&'static str, &'static str))| {
        (marks & (1 << bit) != 0).then_some(*code)
    };
    MARKS.iter().enumerate().filter_map(marked).collect()
}

fn mark_bit(text: &str) -> Result<i64> {
    let found = MARKS.iter().position(|(code, _)| *code == text);
    let wrong = || {
        let codes: Vec<&str> = MARKS.iter().map(|(code, _)| *code).collect();
        Problem::invalid("mark", format!("应为 {} 之一，或 any", codes.join("、")))
    };
    found.map(|bit| 1 << bit).ok_or_else(wrong)
}

const READINGS: &str = "SELECT r.time, r.epoch, r.seq, r.item, r.value, r.marks, r.same_since, \
                        r.same_count, r.code, r.series_id, s.device_id, s.kind, s.channel, d.mac \
                        FROM device_reading r JOIN device_series s ON s.id = r.series_id \
                        JOIN device d ON d.id = s.device_id WHERE 1 = 1";

/// Answers `GET /api/v1/devices/readings`: the newest first, or with `sort=time` the oldest.
pub(crate) async fn readings(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(READINGS);
    ctx.scope().narrow(&mut sql, tx, SERIES);
    let (mut per_page, mut page, mut ascending, mut after) = (100, 1, false, None);
    for (name, text) in conditions(query)? {
        match name.as_str() {
            "page" => page = number(&name, &text, PAGE_MAX)?,
            "per_page" => per_page = number(&name, &text, PER_PAGE_MAX)?,
            "after" => after = Some(cursor::<5>(&text)?),
            "sort" if text == "time" => ascending = true,
            "sort" if text == "-time" => ascending = false,
            "sort" => return Err(Problem::invalid(name, "应为 time 或 -time")),
            "device_id" => drop(sql.push(" AND s.device_id = ").bind(id(&name, &text)?)),
            "subject_id" => drop(sql.push(" AND s.subject_id = ").bind(id(&name, &text)?)),
            "kind" if ReadingKind::from_code(&text).is_none() => {
                return Err(Problem::invalid(name, "没有这个测量项目"));
            }
            "kind" => drop(sql.push(" AND s.kind = ").bind(text)),
            "channel" => {
                let channel: i64 =
                    text.parse().map_err(|_| Problem::invalid(name, "应为 0 至 255 的整数"))?;
                sql.push(" AND s.channel = ").bind(channel);
            }
            "code" => drop(sql.push(" AND r.code = ").bind(text)),
            "mark" if text == "any" => drop(sql.push(" AND r.marks > 0")),
            "mark" => {
                let bit = mark_bit(&text)?;
                sql.push(" AND r.marks > 0 AND r.marks / ").bind(bit).push(" % 2 = 1");
            }
            "time.from" => drop(sql.push(" AND r.time >= ").bind(moment(&name, &text)?)),
            "time.to" => drop(sql.push(" AND r.time <= ").bind(moment(&name, &text)?)),
            _ => return Err(unknown(&name)),
        }
    }
    let (beyond, order) = if ascending { (" > ", "") } else { (" < ", " DESC") };
    if let Some(after) = after {
        sql.push(" AND (r.time, r.series_id, r.epoch, r.seq, r.item)").push(beyond);
        sql.bind_row(after.map(Into::into));
    }
    for (index, name) in ["r.time", "r.series_id", "r.epoch", "r.seq", "r.item"].iter().enumerate()
    {
        sql.push(if index == 0 { " ORDER BY " } else { ", " }).push(name).push(order);
    }
    sql.push(" LIMIT ").bind(per_page).push(" OFFSET ").bind((page - 1) * per_page);
    let rows = tx.fetch(sql).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == per_page);
    let next = rows.last().filter(|_| full).map(|row| {
        let at = |index| row.int(index);
        Ok::<_, Problem>(format!("{}.{}.{}.{}.{}", at(0)?, at(9)?, at(1)?, at(2)?, at(3)?))
    });
    let items = rows.iter().map(reading).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items, "next": next.transpose()? }))
}

fn reading(row: &Row) -> Result<Value> {
    let (reading, kind) = (store::reading(row)?, kind_of(row.text(11)?)?);
    Ok(json!({
        "time": time_text(reading.key.time)?, "epoch": reading.key.epoch, "seq": reading.key.seq,
        "value": Measure(reading.value).to_string(), "unit": kind.unit(),
        "unit_name": kind.unit_name(), "kind": kind.code(), "title": kind.title(),
        "channel": row.int(12)?, "marks": marks_text(reading.marks), "code": row.text_opt(8)?,
        "device_id": row.text(10)?, "mac": row.text(13)?,
    }))
}

/// The only condition that some lists take.
fn device(query: &str) -> Result<String> {
    let mut device = None;
    for (name, text) in conditions(query)? {
        match name.as_str() {
            "device_id" => device = Some(id(&name, &text)?),
            _ => return Err(unknown(&name)),
        }
    }
    device.ok_or_else(|| Problem::invalid("device_id", "请给出设备的标识"))
}

/// Answers `GET /api/v1/devices/series`: what a device measures, with its latest readings and gaps.
pub(crate) async fn series(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let device = device(query)?;
    let mut sql = Sql::new(
        "SELECT s.time, s.epoch, s.seq, s.item, s.value, s.marks, s.same_since, s.same_count, \
         s.kind, s.channel FROM device_series s WHERE s.device_id = ",
    );
    sql.bind(device.as_str());
    ctx.scope().narrow(&mut sql, tx, SERIES);
    sql.push(" ORDER BY s.kind, s.channel, s.id");
    let rows = tx.fetch(sql).await?;
    let item = |row: &Row| {
        let (last, kind) = (store::reading(row)?, kind_of(row.text(8)?)?);
        Ok(json!({
            "kind": kind.code(), "title": kind.title(), "unit": kind.unit(),
            "unit_name": kind.unit_name(), "channel": row.int(9)?,
            "time": time_text(last.key.time)?, "value": Measure(last.value).to_string(),
            "marks": marks_text(last.marks),
        }))
    };
    let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items, "gaps": gaps(ctx, tx, &device).await? }))
}

/// Numbers of a device that have not come.
async fn gaps(ctx: &Ctx, tx: &mut Tx, device: &str) -> Result<Vec<Value>> {
    let mut sql = Sql::new(
        "SELECT g.epoch, g.first, g.last FROM device_gap g JOIN device s ON s.id = g.device_id \
         WHERE g.device_id = ",
    );
    sql.bind(device);
    ctx.scope().narrow(&mut sql, tx, SERIES);
    sql.push(" ORDER BY g.epoch DESC, g.first DESC LIMIT ").bind(GAPS_MAX);
    let rows = tx.fetch(sql).await?;
    let item =
        |row: &Row| Ok(json!({ "epoch": row.int(0)?, "first": row.int(1)?, "last": row.int(2)? }));
    rows.iter().map(item).collect()
}

/// Answers `GET /api/v1/devices/messages`: of one device, the last words first.
pub(crate) async fn messages(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(
        "SELECT m.id, m.epoch, m.seq, m.digest, m.sent_at, m.received_at, m.batch_id, m.content \
         FROM device_message m WHERE 1 = 1",
    );
    ctx.scope().narrow(&mut sql, tx, MESSAGES);
    let (mut per_page, mut of) = (50, None);
    for (name, text) in conditions(query)? {
        match name.as_str() {
            "per_page" => per_page = number(&name, &text, 200)?,
            "device_id" => of = Some(id(&name, &text)?),
            "after" => drop(sql.push(" AND m.id < ").bind(text)),
            _ => return Err(unknown(&name)),
        }
    }
    let of = of.ok_or_else(|| Problem::invalid("device_id", "请给出设备的标识"))?;
    sql.push(" AND m.device_id = ").bind(of).push(" ORDER BY m.id DESC LIMIT ").bind(per_page);
    let rows = tx.fetch(sql).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == per_page);
    let next = rows.last().filter(|_| full).map(|row| row.text(0)).transpose()?;
    let item = |row: &Row| {
        let content: Value = serde_json::from_str(row.text(7)?).map_err(Problem::internal)?;
        let count = |name: &str| content[name].as_array().map_or(0, Vec::len);
        Ok(json!({
            "id": row.text(0)?, "epoch": row.int(1)?, "seq": row.int(2)?, "digest": row.text(3)?,
            "sent_at": time_text(row.int(4)?)?, "received_at": time_text(row.int(5)?)?,
            "anchored": row.text_opt(6)?.is_some(), "readings": count("readings"),
            "events": count("events"),
        }))
    };
    let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items, "next": next }))
}

/// Answers `GET /api/v1/devices/events`: events that a device brought, or the device that brought an
/// event (G-6.7.5).
pub(crate) async fn events(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let mut sql = Sql::new(
        "SELECT v.event, v.device_id, d.mac, d.model, v.message_id FROM device_event v \
         JOIN device d ON d.id = v.device_id WHERE 1 = 1",
    );
    ctx.scope().narrow(&mut sql, tx, EVENTS);
    let (mut per_page, mut named) = (50, false);
    for (name, text) in conditions(query)? {
        match name.as_str() {
            "per_page" => per_page = number(&name, &text, 200)?,
            "after" => drop(sql.push(" AND v.event < ").bind(id(&name, &text)?)),
            "device_id" | "event" => {
                let column =
                    if name == "event" { " AND v.event = " } else { " AND v.device_id = " };
                sql.push(column).bind(id(&name, &text)?);
                named = true;
            }
            _ => return Err(unknown(&name)),
        }
    }
    if !named {
        return Err(Problem::invalid("device_id", "请给出设备或事件的标识"));
    }
    sql.push(" ORDER BY v.event DESC LIMIT ").bind(per_page);
    let rows = tx.fetch(sql).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == per_page);
    let next = rows.last().filter(|_| full).map(|row| row.text(0)).transpose()?;
    let item = |row: &Row| {
        let text = |index| row.text(index);
        Ok(json!({
            "event": text(0)?, "device_id": text(1)?, "mac": text(2)?, "model": text(3)?,
            "message": text(4)?,
        }))
    };
    let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items, "next": next }))
}

/// The device of a batch of messages, if the batch is within reach.
pub(crate) async fn batch(ctx: &Ctx, tx: &mut Tx, batch: &str) -> Result<Option<String>> {
    let mut sql = Sql::new(
        "SELECT d.mac FROM device_message m JOIN device_batch b ON b.id = m.batch_id \
         JOIN device d ON d.id = b.device_id WHERE m.batch_id = ",
    );
    sql.bind(batch);
    ctx.scope().narrow(&mut sql, tx, MESSAGES);
    sql.push(" LIMIT 1");
    let found = tx.fetch_one(sql).await?;
    found.map(|row| row.text(0).map(String::from)).transpose()
}

/// Whether a message is within reach.
pub(crate) async fn require_message(ctx: &Ctx, tx: &mut Tx, message: &str) -> Result<()> {
    let mut sql = Sql::new("SELECT 1 FROM device_message m WHERE m.id = ");
    sql.bind(message);
    ctx.scope().narrow(&mut sql, tx, MESSAGES);
    let found = tx.fetch_one(sql).await?;
    found.map(drop).ok_or(Problem::NotFound("设备消息"))
}
