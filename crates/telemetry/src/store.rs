//! Statements about messages and readings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_construction::Speaker;
use yj_kernel::{Ctx, Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};

use crate::{
    binding, claim,
    fate::{Brought, Fate, Refusal},
    gaps,
    intake::Place,
    kind::ReadingKind,
    marks::{Key, Reading, Rule, Wants, Weaver},
    message::{Heard, message_id},
};

/// Stored readings looked at in one step.
const PAGE: usize = 64;

/// A message that its device has signed.
pub(crate) struct Sound {
    pub(crate) place: Place,
    pub(crate) id: String,
    pub(crate) heard: Heard,
    pub(crate) speaker: Arc<Speaker>,
    /// Events captured for it.
    pub(crate) brought: Vec<Brought>,
}

impl Sound {
    pub(crate) fn new(place: Place, heard: Heard, speaker: Arc<Speaker>) -> Self {
        let id = message_id(&speaker.id, heard.epoch, heard.seq);
        Self { place, id, heard, speaker, brought: Vec::new() }
    }
}

/// Takes out the messages that measure what is neither their owner's nor bound to the device.
pub(crate) async fn foreign(tx: &mut Tx, sound: &mut Vec<Sound>) -> Result<Vec<(Place, Refusal)>> {
    let codes: BTreeSet<&str> = sound
        .iter()
        .flat_map(|one| &one.heard.measured)
        .filter_map(|measured| measured.code.as_deref())
        .collect();
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let codes: Vec<&str> = codes.into_iter().collect();
    let holders = yj_trace::holders(tx, &codes).await?;
    let bound = binding::bound(tx, &codes).await?;
    let (mut kept, mut refused) = (Vec::with_capacity(sound.len()), Vec::new());
    for one in sound.drain(..) {
        let speaker = &one.speaker;
        let own = |code: &String| {
            holders.get(code).is_some_and(|holders| holders.contains(&speaker.subject))
                || bound.contains(&(speaker.id.clone(), code.clone()))
        };
        let foreign = one
            .heard
            .measured
            .iter()
            .position(|measured| measured.code.as_ref().is_some_and(|code| !own(code)));
        match foreign {
            None => kept.push(one),
            Some(index) => {
                let detail = "不是设备所属企业持有的追溯码，也没有为这台设备绑定";
                let problem = Problem::invalid(format!("readings[{index}].code"), detail);
                refused.push((one.place, Refusal::Foreign(problem)));
            }
        }
    }
    *sound = kept;
    Ok(refused)
}

/// The digests of those of these messages that are stored, by identifier.
pub(crate) async fn known(tx: &mut Tx, sound: &[Sound]) -> Result<BTreeMap<String, String>> {
    let mut sql = Sql::new("SELECT id, digest FROM device_message WHERE id ");
    sql.bind_texts(sound.iter().map(|one| one.id.as_str()));
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)))).collect()
}

/// Writes messages in one transaction and says what became of each.
pub(crate) async fn store(ctx: &Ctx, sound: Vec<Sound>) -> Result<Vec<(Place, Fate)>> {
    if sound.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = ctx.begin().await?;
    tx.plan_once();
    let devices: BTreeSet<String> = sound.iter().map(|one| one.speaker.id.clone()).collect();
    let held = yj_construction::hold(&mut tx, devices.iter().map(String::as_str)).await?;
    let mut known = known(&mut tx, &sound).await?;
    let claimed = claim::claimed(&mut tx, &sound).await?;
    let (mut fates, mut fresh) = (Vec::with_capacity(sound.len()), Vec::new());
    for one in sound {
        match known.get(&one.id) {
            Some(digest) if *digest == one.heard.digest => fates.push((one.place, Fate::Duplicate)),
            Some(_) => fates.push((one.place, Fate::Refused(Refusal::Contradiction))),
            None if claimed.get(&one.id).is_some_and(|digest| *digest != one.heard.digest) => {
                fates.push((one.place, Fate::Refused(Refusal::Contradiction)));
            }
            None => {
                known.insert(one.id.clone(), one.heard.digest.clone());
                fresh.push(one);
            }
        }
    }
    if fresh.is_empty() {
        return Ok(fates);
    }
    tx.later(messages(ctx, &fresh));
    let said = fresh.iter().map(|one| (one.speaker.id.as_str(), one.heard.sent_ms));
    held.heard(ctx, &mut tx, said);
    epochs(&mut tx, &fresh).await?;
    readings(&mut tx, &fresh).await?;
    tx.later(events(&fresh));
    let settled: Vec<&str> =
        fresh.iter().map(|one| one.id.as_str()).filter(|id| claimed.contains_key(*id)).collect();
    if !settled.is_empty() {
        claim::settled(&mut tx, &settled);
    }
    tx.commit().await?;
    fates.extend(fresh.into_iter().map(|one| (one.place, Fate::Stored(one.brought))));
    Ok(fates)
}

fn messages(ctx: &Ctx, fresh: &[Sound]) -> Vec<Sql> {
    let row = |one: &Sound| -> Vec<SqlValue> {
        let (heard, speaker) = (&one.heard, &one.speaker);
        vec![
            one.id.as_str().into(),
            speaker.id.as_str().into(),
            speaker.subject.as_str().into(),
            speaker.region.as_str().into(),
            heard.epoch.into(),
            heard.seq.into(),
            heard.digest.as_str().into(),
            heard.content.as_str().into(),
            heard.sent_ms.into(),
            ctx.now_ms().into(),
        ]
    };
    let head = "INSERT INTO device_message (id, device_id, subject_id, region, epoch, seq, digest, \
                content, sent_at, received_at)";
    insert_rows(head, "", fresh.iter().map(row).collect())
}

fn events(fresh: &[Sound]) -> Vec<Sql> {
    let rows = fresh.iter().flat_map(|one| {
        let speaker = &one.speaker;
        one.brought.iter().map(move |event| {
            let texts = [&event.id, &one.id, &speaker.id, &speaker.subject, &speaker.region];
            texts.map(SqlValue::from).to_vec()
        })
    });
    let head = "INSERT INTO device_event (event, message_id, device_id, subject_id, region)";
    // The same content may have come before under another number.
    let mut statements = insert_rows(head, "ON CONFLICT (event) DO NOTHING", rows.collect());
    let again = fresh.iter().flat_map(|one| {
        let known = one.brought.iter().filter(|event| event.state == "duplicate");
        known.map(move |event| [&event.id, &one.id].map(SqlValue::from).to_vec())
    });
    let head = "INSERT INTO device_event_again (event, message_id)";
    statements.extend(insert_rows(head, "ON CONFLICT DO NOTHING", again.collect()));
    statements
}

/// Notes which numbers have come.
async fn epochs(tx: &mut Tx, fresh: &[Sound]) -> Result<()> {
    let mut came: BTreeMap<(&str, i64), Vec<i64>> = BTreeMap::new();
    for one in fresh {
        let epoch = (one.speaker.id.as_str(), one.heard.epoch);
        came.entry(epoch).or_default().push(one.heard.seq);
    }
    let heard = epochs_of(tx, &came).await?;
    let (mut lasts, mut made) = (Vec::new(), Vec::new());
    for ((device, epoch), seqs) in came {
        let key = (String::from(device), epoch);
        let before = heard.get(&key).cloned().unwrap_or_default();
        let mut after = before.clone();
        seqs.into_iter().for_each(|seq| after.hear(seq));
        let row = |rest: &[i64]| -> Vec<SqlValue> {
            let numbers = std::iter::once(epoch).chain(rest.iter().copied());
            std::iter::once(SqlValue::from(device)).chain(numbers.map(SqlValue::from)).collect()
        };
        if after.last > before.last {
            lasts.push(row(&[after.last]));
        }
        for first in before.gaps.iter().filter(|gap| after.gaps.get(gap.0) != Some(gap.1)) {
            let sql = Sql::new(
                "DELETE FROM device_gap WHERE device_id = $1 AND epoch = $2 AND first = $3",
            );
            tx.later([sql.arg(device).arg(epoch).arg(*first.0)]);
        }
        let gaps = after.gaps.iter().filter(|gap| before.gaps.get(gap.0) != Some(gap.1));
        made.extend(gaps.map(|(first, last)| row(&[*first, *last])));
    }
    let head = "INSERT INTO device_epoch (device_id, epoch, last)";
    let tail = "ON CONFLICT (device_id, epoch) DO UPDATE SET last = excluded.last";
    tx.later(insert_rows(head, tail, lasts));
    tx.later(insert_rows("INSERT INTO device_gap (device_id, epoch, first, last)", "", made));
    Ok(())
}

/// What has come of these epochs, with the gaps that these numbers may lie in.
async fn epochs_of(
    tx: &mut Tx,
    came: &BTreeMap<(&str, i64), Vec<i64>>,
) -> Result<BTreeMap<(String, i64), gaps::Heard>> {
    let devices = || came.keys().map(|(device, _)| *device).collect::<BTreeSet<_>>();
    let epochs = || came.keys().map(|(_, epoch)| *epoch).collect::<BTreeSet<_>>();
    let seqs = || came.values().flatten().copied();
    let mut last = Sql::new("SELECT device_id, epoch, last FROM device_epoch WHERE device_id ");
    last.bind_texts(devices()).push(" AND epoch ").bind_ints(epochs());
    let mut gap = Sql::new("SELECT device_id, epoch, first, last FROM device_gap WHERE device_id ");
    gap.bind_texts(devices()).push(" AND epoch ").bind_ints(epochs());
    gap.push(" AND first <= ").bind(seqs().max().unwrap_or(0));
    gap.push(" AND last >= ").bind(seqs().min().unwrap_or(0));
    let answers = tx.fetch_all(vec![last, gap]).await?;
    let [last, gap] = answers.as_slice() else {
        return Err(Problem::internal("two questions have two answers"));
    };
    let mut heard: BTreeMap<(String, i64), gaps::Heard> = BTreeMap::new();
    for row in last {
        let key = (String::from(row.text(0)?), row.int(1)?);
        heard.entry(key).or_default().last = row.int(2)?;
    }
    for row in gap {
        let key = (String::from(row.text(0)?), row.int(1)?);
        heard.entry(key).or_default().gaps.insert(row.int(2)?, row.int(3)?);
    }
    Ok(heard)
}

/// One quantity on one channel of one device of one subject.
type SeriesKey = (String, String, ReadingKind, i64);

/// A series with what is laid into it.
struct Series {
    /// `None` before its first reading.
    id: Option<i64>,
    region: String,
    interval_ms: i64,
    last: Option<Reading>,
    fresh: Vec<Reading>,
    codes: BTreeMap<Key, String>,
}

/// Lays the readings into their series.
async fn readings(tx: &mut Tx, fresh: &[Sound]) -> Result<()> {
    let mut all: BTreeMap<SeriesKey, Series> = BTreeMap::new();
    for one in fresh {
        for measured in &one.heard.measured {
            let key = (
                one.speaker.id.clone(),
                one.speaker.subject.clone(),
                measured.kind,
                measured.channel,
            );
            let series = all.entry(key).or_insert_with(|| Series {
                id: None,
                region: one.speaker.region.clone(),
                interval_ms: one.speaker.interval_ms,
                last: None,
                fresh: Vec::new(),
                codes: BTreeMap::new(),
            });
            series.fresh.push(measured.reading);
            if let Some(code) = &measured.code {
                series.codes.insert(measured.reading.key, code.clone());
            }
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    find(tx, &mut all).await?;
    let new = all.values().filter(|series| series.id.is_none()).count();
    if new > 0 {
        let [mut ids] = tx.allocate([("device_series", new)]).await?;
        for series in all.values_mut().filter(|series| series.id.is_none()) {
            series.id = ids.next();
        }
    }
    let mut weavers = Vec::with_capacity(all.len());
    for (key, series) in &mut all {
        let id = series.id.ok_or_else(|| Problem::internal("a series without a number"))?;
        let rule = Rule { interval_ms: series.interval_ms, kind: key.2 };
        weavers.push((id, Weaver::new(rule, series.last, std::mem::take(&mut series.fresh))));
    }
    weave(tx, &mut weavers).await?;
    save(tx, &all, &weavers);
    Ok(())
}

/// What is stored of these series.
async fn find(tx: &mut Tx, all: &mut BTreeMap<SeriesKey, Series>) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT time, epoch, seq, item, value, marks, same_since, same_count, id, device_id, \
         subject_id, kind, channel FROM device_series WHERE device_id ",
    );
    sql.bind_texts(all.keys().map(|key| key.0.as_str()).collect::<BTreeSet<_>>());
    for row in tx.fetch(sql).await? {
        let kind = kind_of(row.text(11)?)?;
        let key = (String::from(row.text(9)?), String::from(row.text(10)?), kind, row.int(12)?);
        if let Some(series) = all.get_mut(&key) {
            series.id = Some(row.int(8)?);
            series.last = Some(reading(&row)?);
        }
    }
    Ok(())
}

/// The kind of a column.
pub(crate) fn kind_of(code: &str) -> Result<ReadingKind> {
    let unknown = || Problem::internal(format!("device_series.kind is {code}"));
    ReadingKind::from_code(code).ok_or_else(unknown)
}

/// Reads the eight columns from time to same_count.
pub(crate) fn reading(row: &Row) -> Result<Reading> {
    let key = Key { time: row.int(0)?, epoch: row.int(1)?, seq: row.int(2)?, item: row.int(3)? };
    let (value, marks) = (row.int(4)?, row.int(5)?);
    Ok(Reading { key, value, marks, same_since: row.int(6)?, same_count: row.int(7)? })
}

const READING: &str = "SELECT time, epoch, seq, item, value, marks, same_since, same_count \
                       FROM device_reading WHERE series_id = ";

/// The readings of a series on one side of a place.
fn beside(series: i64, key: Key, (sign, order, limit): (&str, &str, usize)) -> Sql {
    let mut sql = Sql::new(READING);
    sql.bind(series).push(" AND (time, epoch, seq, item) ").push(sign).push(" (");
    sql.bind(key.time).push(", ").bind(key.epoch).push(", ").bind(key.seq).push(", ");
    sql.bind(key.item).push(") ORDER BY time").push(order).push(", epoch").push(order);
    sql.push(", seq").push(order).push(", item").push(order);
    sql.push(" LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
    sql
}

/// Shows the weavers what they want to see until they are done.
async fn weave(tx: &mut Tx, weavers: &mut [(i64, Weaver)]) -> Result<()> {
    loop {
        let (mut queries, mut asking) = (Vec::new(), Vec::new());
        for (series, weaver) in weavers.iter_mut() {
            let Some(wants) = weaver.wants() else { continue };
            let key = match wants {
                Wants::Around(key) => {
                    queries.push(beside(*series, key, ("<", " DESC", 1)));
                    key
                }
                Wants::After(key) => key,
            };
            queries.push(beside(*series, key, (">", "", PAGE + 1)));
            asking.push((weaver, matches!(wants, Wants::Around(_))));
        }
        if asking.is_empty() {
            return Ok(());
        }
        let mut answers = tx.fetch_all(queries).await?.into_iter();
        let mut next = || answers.next().ok_or_else(|| Problem::internal("an answer is missing"));
        for (weaver, around) in asking {
            let before = if around { next()?.first().map(reading).transpose()? } else { None };
            let page = next()?;
            let page = page.iter().map(reading).collect::<Result<Vec<_>>>()?;
            let more = page.len() > PAGE;
            weaver.take(before, &page[..page.len().min(PAGE)], more);
        }
    }
}

fn save(tx: &mut Tx, all: &BTreeMap<SeriesKey, Series>, weavers: &[(i64, Weaver)]) {
    let numbers = |one: &Reading| {
        let Key { time, epoch, seq, item } = one.key;
        [time, epoch, seq, item, one.value, one.marks, one.same_since, one.same_count]
    };
    let (mut series_rows, mut rows) = (Vec::new(), Vec::new());
    for (((device, subject, kind, channel), series), (id, weaver)) in all.iter().zip(weavers) {
        if let Some(last) = &weaver.last {
            let mut row: Vec<SqlValue> = vec![(*id).into(), device.into(), subject.into()];
            row.extend([series.region.as_str().into(), kind.code().into(), (*channel).into()]);
            row.extend(numbers(last).map(SqlValue::from));
            series_rows.push(row);
        }
        for laid in &weaver.laid {
            let mut row: Vec<SqlValue> = vec![(*id).into()];
            row.extend(numbers(laid).map(SqlValue::from));
            row.push(series.codes.get(&laid.key).cloned().into());
            rows.push(row);
        }
        for changed in &weaver.changed {
            let mut sql = Sql::new("UPDATE device_reading SET marks = ");
            sql.bind(changed.marks).push(", same_since = ").bind(changed.same_since);
            sql.push(", same_count = ").bind(changed.same_count);
            sql.push(" WHERE series_id = ").bind(*id).push(" AND time = ").bind(changed.key.time);
            sql.push(" AND epoch = ").bind(changed.key.epoch);
            sql.push(" AND seq = ").bind(changed.key.seq);
            sql.push(" AND item = ").bind(changed.key.item);
            tx.later([sql]);
        }
    }
    let head = "INSERT INTO device_series (id, device_id, subject_id, region, kind, channel, time, \
                epoch, seq, item, value, marks, same_since, same_count)";
    let tail = "ON CONFLICT (id) DO UPDATE SET time = excluded.time, epoch = excluded.epoch, \
                seq = excluded.seq, item = excluded.item, value = excluded.value, \
                marks = excluded.marks, same_since = excluded.same_since, \
                same_count = excluded.same_count";
    tx.later(insert_rows(head, tail, series_rows));
    let head = "INSERT INTO device_reading (series_id, time, epoch, seq, item, value, marks, \
                same_since, same_count, code)";
    tx.later(insert_rows(head, "", rows));
}
