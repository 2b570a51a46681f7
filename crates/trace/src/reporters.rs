//! 停报与停业 (handbook §5.4): subjects that reported on most days and say nothing any more, and merchants in
//! business of whom nothing has been heard for long. Nobody writes when nothing happens, so the platform
//! looks for them itself; what it finds is a hint to ask, not a violation: it knows no holidays.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_kernel::{
    App, Columns, Ctx, Param, Place, Problem, Reach, Result, Row, Scoping, Sql, Tx, audit,
    insert_rows, outbox, time_text,
};
use yj_model::regions;
use yj_subject::Expected;

use crate::asked::{Asked, PAGING};

const DAY_MS: i64 = 86_400_000;
/// A subject is silent that has said nothing for three days.
const SILENT_DAYS: i64 = 3;
/// And that before it reported on most days of a week.
const WEEK: i64 = 7;
const DAYS_OF_WEEK_MIN: i64 = 5;
/// A merchant is idle that has done nothing for thirty days.
const IDLE_DAYS: i64 = 30;
/// Of those looked at together.
const STEP: i64 = 500;
/// How often the platform looks.
const PACE: Duration = Duration::from_hours(1);
const ENTITY: &str = "trace_reporter";
const ORDER: &str = "state";
const STATES: [(&str, &str); 2] = [("silent", "停报"), ("idle", "停业")];

/// What the list may be asked for.
pub(crate) const QUERY: &[Param] = &[
    Param {
        name: "state", label: "silent 停报的主体，idle 停业的商户", required: false
    },
    PAGING[0],
    PAGING[1],
    PAGING[2],
    PAGING[3],
];

const COLUMNS: Columns = Columns {
    region: Some("r.region"),
    subject: Some("r.seen_by"),
    // Who sees one domain or stage only is not told who does nothing in any.
    category: Reach::Equal("''"),
    stage: Reach::Equal("''"),
    label: Some("r.label"),
    ..Columns::NONE
};

/// In which way somebody says nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quiet {
    /// 停报
    Silent,
    /// 停业
    Idle,
}

impl Quiet {
    const fn code(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Idle => "idle",
        }
    }

    async fn expected(self, ctx: &Ctx, tx: &mut Tx, after: &str) -> Result<Vec<Expected>> {
        match self {
            Self::Silent => yj_subject::expected_subjects(tx, after, STEP).await,
            Self::Idle => {
                let since = ctx.today().saturating_sub(jiff::Span::new().days(IDLE_DAYS));
                yj_subject::expected_merchants(tx, (after, &since.to_string()), STEP).await
            }
        }
    }

    /// Those of some that are quiet now, each with the time of its last event.
    async fn found(
        self,
        ctx: &Ctx,
        tx: &mut Tx,
        expected: Vec<Expected>,
    ) -> Result<Vec<(Expected, Option<i64>)>> {
        let now = ctx.now_ms();
        let last = last_events(tx, &expected, now).await?;
        let quiet_since = |days: i64| move |time: i64| now - time >= days * DAY_MS;
        let last = expected.into_iter().zip(last);
        Ok(match self {
            Self::Idle => {
                last.filter(|(_, time)| time.is_none_or(quiet_since(IDLE_DAYS))).collect()
            }
            Self::Silent => {
                let quiet = last.filter(|(_, time)| time.is_some_and(quiet_since(SILENT_DAYS)));
                regular(tx, now, quiet.collect()).await?
            }
        })
    }
}

/// When the last event of each happened, up to now; rejected ones are said too.
async fn last_events(tx: &mut Tx, expected: &[Expected], now: i64) -> Result<Vec<Option<i64>>> {
    let last = |one: &Expected| {
        let sql = Sql::new(
            "SELECT event_time FROM trace_event WHERE subject_id = $1 AND event_time <= $2 \
             ORDER BY event_time DESC LIMIT 1",
        );
        sql.arg(one.subject_id.as_str()).arg(now)
    };
    let answers = tx.fetch_all(expected.iter().map(last).collect()).await?;
    answers.iter().map(|rows| rows.first().map(|row| row.int(0)).transpose()).collect()
}

/// Those that reported on most days of the week that ended with their last event, and sent nothing since;
/// each with when it was heard last.
async fn regular(
    tx: &mut Tx,
    now: i64,
    quiet: Vec<(Expected, Option<i64>)>,
) -> Result<Vec<(Expected, Option<i64>)>> {
    let days = |(one, last): &(Expected, Option<i64>)| {
        let last = last.unwrap_or_default();
        // Days of Beijing.
        let sql = Sql::new(
            "SELECT COUNT(DISTINCT (event_time + 28800000) / 86400000), MAX(recorded_at) \
             FROM trace_event WHERE subject_id = $1 AND event_time > $2 AND event_time <= $3",
        );
        sql.arg(one.subject_id.as_str()).arg(last - WEEK * DAY_MS).arg(last)
    };
    let answers = tx.fetch_all(quiet.iter().map(days).collect()).await?;
    let mut found = Vec::new();
    for ((one, _), rows) in quiet.into_iter().zip(answers) {
        let Some(row) = rows.first() else { continue };
        let heard = row.int_opt(1)?.filter(|heard| now - heard >= SILENT_DAYS * DAY_MS);
        if let (Some(heard), true) = (heard, row.int(0)? >= DAYS_OF_WEEK_MIN) {
            found.push((one, Some(heard)));
        }
    }
    Ok(found)
}

/// Looks at everybody of whom events are expected; how many are quiet.
pub async fn examine_reporters(app: &App) -> Result<usize> {
    let ctx = app.on_own_behalf("reporter-watch");
    let mut quiet = 0;
    for way in [Quiet::Silent, Quiet::Idle] {
        let mut after = String::new();
        loop {
            let mut tx = ctx.snapshot().await?;
            let expected = way.expected(&ctx, &mut tx, &after).await?;
            let last = expected.last().map(|one| one.record.clone());
            let found = way.found(&ctx, &mut tx, expected).await?;
            let known = known(&mut tx, way, (&after, last.as_deref())).await?;
            drop(tx);
            quiet += found.len();
            note(&ctx, way, &known, &found).await?;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    Ok(quiet)
}

/// What is kept of somebody who is quiet: since when, and by whom it is seen.
type Kept = (Option<i64>, [String; 2], i64);

fn kept((one, last): &(Expected, Option<i64>)) -> Kept {
    (*last, [one.region.clone(), one.seen_by.clone()], one.label)
}

/// Who was found before of a stretch of the register, behind `after`, up to `last` or to its end.
async fn known(
    tx: &mut Tx,
    way: Quiet,
    (after, last): (&str, Option<&str>),
) -> Result<BTreeMap<String, Kept>> {
    let mut stretch = Sql::new(
        "SELECT record, last_event, region, seen_by, label FROM trace_reporter WHERE state = ",
    );
    stretch.bind(way.code()).push(" AND record > ").bind(after);
    if let Some(last) = last {
        stretch.push(" AND record <= ").bind(last);
    }
    let read = |row: &Row| {
        let seen = [row.text(2)?.into(), row.text(3)?.into()];
        Ok((String::from(row.text(0)?), (row.int_opt(1)?, seen, row.int(4)?)))
    };
    tx.fetch(stretch).await?.iter().map(read).collect()
}

/// Keeps what has changed since: who is quiet now, and who was and is not any more.
async fn note(
    ctx: &Ctx,
    way: Quiet,
    known: &BTreeMap<String, Kept>,
    found: &[(Expected, Option<i64>)],
) -> Result<()> {
    let fresh: Vec<_> =
        found.iter().filter(|one| known.get(&one.0.record) != Some(&kept(one))).collect();
    let quiet: BTreeSet<&str> = found.iter().map(|(one, _)| one.record.as_str()).collect();
    let gone: Vec<&str> =
        known.keys().map(String::as_str).filter(|record| !quiet.contains(record)).collect();
    if fresh.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let mut tx = ctx.begin().await?;
    if !gone.is_empty() {
        let mut sql = Sql::new("DELETE FROM trace_reporter WHERE state = ");
        sql.bind(way.code()).push(" AND record ").bind_texts(gone.iter().copied());
        tx.later([sql]);
    }
    let row = |(one, last): &&(Expected, Option<i64>)| {
        let texts = [way.code(), &one.record, &one.subject_id, &one.region, &one.seen_by];
        let numbers = [one.label.into(), (*last).into(), ctx.now_ms().into()];
        texts.into_iter().map(Into::into).chain(numbers).collect()
    };
    tx.later(insert_rows(
        "INSERT INTO trace_reporter (state, record, subject_id, region, seen_by, label, last_event, \
         found_at)",
        "ON CONFLICT (state, record) DO UPDATE SET last_event = excluded.last_event, \
         found_at = excluded.found_at, region = excluded.region, seen_by = excluded.seen_by, \
         label = excluded.label",
        fresh.iter().map(row).collect(),
    ));
    // One that only moved is no news.
    let news =
        fresh.iter().filter(|(one, last)| known.get(&one.record).map(|it| it.0) != Some(*last));
    let told = news.map(|(one, _)| (one.record.as_str(), way.code()));
    for (record, action) in told.chain(gone.iter().map(|record| (*record, "heard"))) {
        let body = json!({ "state": way.code() });
        audit::write(
            ctx,
            &mut tx,
            audit::Entry { action, entity: ENTITY, record, body: body.clone() },
        );
        outbox::announce(ctx, &mut tx, (ENTITY, action), record, &body);
    }
    tx.commit().await
}

/// Looks for quiet reporters until `stop` says so.
pub async fn watch(app: App, mut stop: watch::Receiver<bool>) {
    let mut interval = interval(PACE);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = interval.tick() => {}
        }
        if let Err(problem) = examine_reporters(&app).await {
            problem.log();
        }
    }
}

/// `GET /api/v1/trace/reporters`: idle merchants, then silent subjects.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let asked = Asked::read(query, QUERY, ORDER)?;
    let mut sql = Sql::new(
        "SELECT r.state, r.record, r.subject_id, r.region, r.last_event, r.found_at, \
         r.seen_by FROM trace_reporter r WHERE 1 = 1",
    );
    ctx.scope().narrow(&mut sql, tx, Scoping::By(COLUMNS));
    if let Some(state) = asked.one_of("state", &STATES)? {
        sql.push(" AND r.state = ").bind(state);
    }
    if let Some([state, record]) = asked.after()? {
        sql.push(" AND (r.state > ").bind(state).push(" OR (r.state = ").bind(state);
        sql.push(" AND r.record > ").bind(record).push("))");
    }
    sql.push(" ORDER BY r.state, r.record");
    asked.limit(&mut sql);
    let rows = tx.fetch(sql).await?;
    let column = |at: usize| rows.iter().map(|row| row.text(at)).collect::<Result<BTreeSet<_>>>();
    let subjects: Vec<&str> = column(2)?.into_iter().collect();
    let subjects = yj_subject::by_ids(tx, &subjects).await?;
    let records: Vec<&str> = column(1)?.into_iter().collect();
    let merchants = yj_subject::merchants_by_ids(tx, &records).await?;
    let clearance = ctx.scope().clearance();
    let item = |row: &Row| {
        let (state, record, subject, region) =
            (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
        let found = subjects.get(subject);
        let merchant = merchants.get(record);
        let last = row.int_opt(4)?;
        Ok::<Value, Problem>(json!({
            "id": format!("{state}~{record}"), "state": state,
            "subject": {
                "id": subject, "code": found.map(|one| one.code.as_str()),
                "name": found.map(|one| one.name_for(clearance)),
            },
            "merchant": merchant.map(|one| json!({ "id": record, "code": one.code, "name": one.name })),
            "region": region, "region_name": regions().get(region).map(|one| one.name),
            "last_event_time": last.map(time_text).transpose()?,
            "days": last.map(|last| (ctx.now_ms() - last) / DAY_MS),
            "found_at": time_text(row.int(5)?)?,
        }))
    };
    // As they stand in the registers now: a label or a region may be newer than the finding.
    let is_seen = |row: &Row| -> Result<bool> {
        let merchant = merchants.get(row.text(1)?).map(|one| (&one.region, one.label));
        let subject = subjects.get(row.text(2)?).map(|one| (&one.region, one.label));
        let Some((region, label)) = merchant.or(subject) else { return Ok(false) };
        let place = Place {
            region: Some(region),
            subject: Some(row.text(6)?),
            category: Some(""),
            stage: Some(""),
            label: Some(label),
            ..Place::default()
        };
        Ok(ctx.scope().covers(&COLUMNS, &place))
    };
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        if is_seen(row)? {
            items.push(item(row)?);
        }
    }
    let last = rows.last().map(|row| Ok::<_, Problem>([row.text(0)?.into(), row.text(1)?.into()]));
    Ok(json!({ "items": items, "next": asked.next(rows.len(), last.transpose()?) }))
}
