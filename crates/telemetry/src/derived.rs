//! 读数 follow from the messages that brought them, and those are anchored: every reading is compared with
//! its message, and every message with its readings.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::json;
use yj_kernel::{Ctx, Result, Row, Sql, SqlValue, Tx};
use yj_ledger::{Derivation, Difference, Found, Looked};

use crate::{
    marks::Key,
    measure::Measure,
    message::{Measured, message_id, readings_of},
    store::kind_of,
};

/// Messages of one look: each may have a hundred readings.
const MESSAGES: i64 = 50;
/// Readings that one question asks for.
const KEYS: usize = 500;

/// 读数 as the tamper audit compares them with the messages: their values, times and codes. Marks are
/// judgements, not measurements, and not compared.
pub struct Readings;

/// What a reading says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    value: i64,
    code: Option<String>,
}

/// Of which series, and where in it.
type Place = (i64, Key);

impl Derivation for Readings {
    fn look<'a>(
        &'a self,
        _: &'a Ctx,
        tx: &'a mut Tx,
        after: &'a str,
        most: i64,
    ) -> BoxFuture<'a, Result<Looked>> {
        // First what messages say, then what readings there are.
        Box::pin(async move {
            match after.strip_prefix(LATER) {
                Some(after) => of_readings(tx, after, most).await,
                None => of_messages(tx, after).await,
            }
        })
    }
}

/// What cursors of readings begin with: it comes after the name of any message.
const LATER: &str = "readings after the last message of the last device that there is, behind: ";

async fn of_messages(tx: &mut Tx, after: &str) -> Result<Looked> {
    let sql = Sql::new(
        "SELECT id, device_id, subject_id, content FROM device_message WHERE id > $1 ORDER BY id LIMIT $2",
    );
    let messages = tx.fetch(sql.arg(after).arg(MESSAGES)).await?;
    let Some(last) = messages.last() else {
        return Ok(Looked { last: Some(String::from(LATER)), ..Looked::default() });
    };
    let mut looked = Looked { last: Some(String::from(last.text(0)?)), ..Looked::default() };
    let series = series(tx, &messages).await?;
    let (mut wanted, mut lost) = (BTreeMap::new(), Vec::new());
    for row in &messages {
        let id = row.text(0)?;
        // What is not readable is found where the message itself is compared with its digest.
        for one in readings_of(row.text(3)?).unwrap_or_default() {
            looked.rows += 1;
            let of = (row.text(1)?, row.text(2)?, one.kind.code(), one.channel);
            match series.get(&(of.0.into(), of.1.into(), of.2.into(), of.3)) {
                Some(series) => {
                    wanted.insert((*series, one.reading.key), (id, one));
                }
                None => lost.push((id, one)),
            }
        }
    }
    let places: Vec<Place> = wanted.keys().copied().collect();
    let mut there: BTreeMap<Place, Said> = BTreeMap::new();
    for chunk in places.chunks(KEYS) {
        there.extend(at(tx, chunk).await?);
    }
    for (place, (id, one)) in &wanted {
        let said = Said { value: one.reading.value, code: one.code.clone() };
        looked.found.extend(compare(id, one.reading.key, (Some(&said), there.get(place))));
    }
    for (id, one) in lost {
        let said = Said { value: one.reading.value, code: one.code };
        looked.found.extend(compare(id, one.reading.key, (Some(&said), None)));
    }
    Ok(looked)
}

async fn series(
    tx: &mut Tx,
    messages: &[Row],
) -> Result<BTreeMap<(String, String, String, i64), i64>> {
    let devices = messages.iter().map(|row| row.text(1)).collect::<Result<BTreeSet<_>>>()?;
    let mut sql = Sql::new(
        "SELECT device_id, subject_id, kind, channel, id FROM device_series WHERE device_id ",
    );
    sql.bind_texts(devices);
    let text = |row: &Row, index| row.text(index).map(String::from);
    let read =
        |row: &Row| Ok(((text(row, 0)?, text(row, 1)?, text(row, 2)?, row.int(3)?), row.int(4)?));
    tx.fetch(sql).await?.iter().map(read).collect()
}

/// The readings at these places.
async fn at(tx: &mut Tx, places: &[Place]) -> Result<BTreeMap<Place, Said>> {
    let mut sql = Sql::new(
        "SELECT series_id, time, epoch, seq, item, value, code FROM device_reading \
         WHERE (series_id, time, epoch, seq, item) IN (VALUES ",
    );
    for (index, (series, key)) in places.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        for (index, number) in
            [*series, key.time, key.epoch, key.seq, key.item].into_iter().enumerate()
        {
            if index > 0 {
                sql.push(", ");
            }
            sql.push("CAST(").bind(SqlValue::from(number)).push(" AS BIGINT)");
        }
        sql.push(")");
    }
    sql.push(")");
    tx.fetch(sql).await?.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<(Place, Said)> {
    let key = Key { time: row.int(1)?, epoch: row.int(2)?, seq: row.int(3)?, item: row.int(4)? };
    let said = Said { value: row.int(5)?, code: row.text_opt(6)?.map(String::from) };
    Ok(((row.int(0)?, key), said))
}

/// Readings that no message brought.
async fn of_readings(tx: &mut Tx, after: &str, most: i64) -> Result<Looked> {
    let mut begin = [i64::MIN; 5];
    for (place, number) in begin.iter_mut().zip(after.split('/')) {
        *place = number.trim_start_matches('+').parse().unwrap_or(i64::MIN);
    }
    let sql = Sql::new(
        "SELECT r.series_id, r.time, r.epoch, r.seq, r.item, r.value, r.code, s.device_id, s.kind, \
         s.channel, s.subject_id FROM device_reading r JOIN device_series s ON s.id = r.series_id \
         WHERE (r.series_id, r.time, r.epoch, r.seq, r.item) > ($1, $2, $3, $4, $5) \
         ORDER BY r.series_id, r.time, r.epoch, r.seq, r.item LIMIT $6",
    );
    let sql = begin.into_iter().fold(sql, Sql::arg);
    let readings = tx.fetch(sql.arg(most)).await?;
    let mut looked = Looked { rows: readings.len() as u64, ..Looked::default() };
    if let Some(last) = readings.last() {
        let number = |index| last.int(index).map(|number| format!("{number:+021}"));
        let numbers = (0..5).map(number).collect::<Result<Vec<_>>>()?;
        looked.last = Some(format!("{LATER}{}", numbers.join("/")));
    }
    let names = readings.iter().map(|row| Ok(message_id(row.text(7)?, row.int(2)?, row.int(3)?)));
    let names = names.collect::<Result<Vec<_>>>()?;
    let messages = messages(tx, &names).await?;
    for (row, name) in readings.iter().zip(&names) {
        let ((_, key), said) = stored(row)?;
        let (kind, channel) = (kind_of(row.text(8)?)?, row.int(9)?);
        let is =
            |one: &&Measured| one.reading.key == key && one.kind == kind && one.channel == channel;
        let of_owner =
            messages.get(name).filter(|(owner, _)| row.text(10).is_ok_and(|s| s == owner));
        // One that its message has, but says otherwise, is found there.
        if of_owner.and_then(|(_, all)| all.iter().find(is)).is_none() {
            looked.found.extend(compare(name, key, (None, Some(&said))));
        }
    }
    Ok(looked)
}

/// Whose some messages are, and what they measure.
async fn messages(
    tx: &mut Tx,
    names: &[String],
) -> Result<BTreeMap<String, (String, Vec<Measured>)>> {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut sql = Sql::new("SELECT id, subject_id, content FROM device_message WHERE id ");
    sql.bind_texts(names);
    let mut messages = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let measured = readings_of(row.text(2)?).unwrap_or_default();
        messages.insert(String::from(row.text(0)?), (String::from(row.text(1)?), measured));
    }
    Ok(messages)
}

fn compare(message: &str, key: Key, sides: (Option<&Said>, Option<&Said>)) -> Option<Found> {
    let value = |said: Option<&Said>| said.map(|said| Measure(said.value).to_string());
    let code = |said: Option<&Said>| said.and_then(|said| said.code.clone());
    let (wanted, found) = sides;
    let mut fields = Vec::new();
    for (name, wanted, found) in
        [("value", value(wanted), value(found)), ("code", code(wanted), code(found))]
    {
        if wanted != found {
            fields.push(Difference::new(name, json!(wanted), json!(found)));
        }
    }
    let record = format!("reading:{message}:{}", key.item);
    (!fields.is_empty())
        .then(|| Found::underived(&record, ("device_reading", message), Some(key.time), fields))
}
