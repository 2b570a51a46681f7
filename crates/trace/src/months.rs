//! 按月分区 (G-10.3-2, ADR 29): on an engine that divides tables, the events of a month lie together,
//! as the product counts months, that is in Beijing. Whoever asks for a time asks its months alone, and
//! a month can be taken out as a whole when the time it is kept for is over.
//!
//! Months follow each other without a gap; what lies before the first and after the last of them has a
//! place of its own, so that no event is ever without one. The migration divides what there is; the
//! months to come are made here, long before anything happens in them.

use std::time::Duration;

use jiff::{
    Span,
    civil::Date,
    tz::{Offset, TimeZone},
};
use tokio::{sync::watch, time::timeout};
use yj_kernel::{App, Dialect, Problem, Result, Row, Sql, Tx};

/// Months before the present one that a new platform begins with.
const BACK: i64 = 13;
/// Months made ahead of the present one.
const AHEAD: i64 = 2;
/// Months made at once; a clock that stands further ahead than this is not believed.
const MADE_MAX: usize = 120;
/// How often a running platform looks.
const PACE: Duration = Duration::from_hours(24);
/// What the name of a month's table begins with.
const STEM: &str = "trace_event_";
/// Where lies what happened before the first month.
const BEFORE: &str = "trace_event_before";
/// Where lies what happened after the last month.
const AFTER: &str = "trace_event_after";

/// One part of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPart {
    /// Its month, `2026-11`; `before` and `after` for what lies outside of all.
    pub name: String,
    /// Rows, counted or by the engine's estimate.
    pub rows: i64,
    /// Bytes, with indexes.
    pub bytes: i64,
}

/// The first day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Month(Date);

impl Month {
    fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// So many months later.
    fn plus(self, months: i64) -> Result<Self> {
        self.0.checked_add(Span::new().months(months)).map(Self).map_err(Problem::internal)
    }

    /// The month that a table is of, by its name.
    fn of_table(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix(STEM)?.split_once('_')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).map(Self).ok()
    }

    fn table(self) -> String {
        format!("{STEM}{:04}_{:02}", self.0.year(), self.0.month())
    }

    /// When it begins in Beijing, Unix ms.
    fn begins(self) -> Result<i64> {
        let beijing: TimeZone = Offset::constant(8).to_time_zone();
        let midnight = self.0.to_zoned(beijing).map_err(Problem::internal)?;
        Ok(midnight.timestamp().as_millisecond())
    }
}

/// What is to be done so that the months reach from the first that there is to the last wanted.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Missing months, ascending.
    missing: Vec<Month>,
    /// The first month, where there was none yet.
    first: Option<Month>,
    /// The month after the last, where that changes.
    end: Option<Month>,
}

fn plan(known: &[Month], today: Date) -> Result<Plan> {
    let present = Month::of(today);
    let newest = known.iter().max().copied();
    let first = known.iter().min().copied().map_or_else(|| present.plus(-BACK), Ok)?;
    let last = newest.unwrap_or(first).max(present.plus(AHEAD)?);
    let (mut missing, mut month) = (Vec::new(), first);
    while month <= last {
        if !known.contains(&month) {
            missing.push(month);
        }
        if missing.len() > MADE_MAX {
            let detail = format!("时钟为 {today}，离最近的月份过远，不建立其间的分区，请校时");
            return Err(Problem::Conflict(detail));
        }
        month = month.plus(1)?;
    }
    Ok(Plan {
        first: newest.is_none().then_some(first),
        end: (newest != Some(last)).then_some(month),
        missing,
    })
}

async fn known(tx: &mut Tx) -> Result<Vec<Month>> {
    let sql = Sql::new(
        "SELECT CAST(c.relname AS TEXT) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = CAST('trace_event' AS regclass)",
    );
    let rows = tx.fetch(sql).await?;
    let months = rows.iter().map(|row| Ok(Month::of_table(row.text(0)?)));
    Ok(months.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Makes the months that are missing up to some ahead of the present one, and takes into them what lies
/// beside the months and belongs to them; all of it or nothing. Returns how many were made. An engine
/// that divides nothing needs none.
pub async fn make_months(app: &App) -> Result<usize> {
    if app.db().dialect() == Dialect::Sqlite {
        return Ok(0);
    }
    let ctx = app.on_own_behalf("months");
    let plan_of = async |tx: &mut Tx| plan(&known(tx).await?, ctx.today());
    if plan_of(&mut ctx.snapshot().await?).await?.missing.is_empty() {
        return Ok(0);
    }
    let mut tx = ctx.begin().await?;
    // Everybody waits while tables change; a long reader is not to make everybody wait longer. Who
    // comes second finds nothing left to do.
    let alone =
        ["SET LOCAL lock_timeout = '10s'", "LOCK TABLE trace_event IN SHARE UPDATE EXCLUSIVE MODE"];
    tx.execute_all(alone.map(Sql::new).into()).await?;
    let plan = plan_of(&mut tx).await?;
    tx.execute_all(statements(&plan)?).await?;
    tx.commit().await?;
    Ok(plan.missing.len())
}

/// The statements of a plan.
fn statements(plan: &Plan) -> Result<Vec<Sql>> {
    let mut all = Vec::new();
    let mut say = |text: String| {
        let mut sql = Sql::default();
        sql.push(&text);
        all.push(sql);
    };
    let part = |verb: &str, name: &str| format!("ALTER TABLE trace_event {verb} PARTITION {name}");
    if plan.first.is_some() {
        say(part("DETACH", BEFORE));
    }
    if plan.end.is_some() {
        say(part("DETACH", AFTER));
    }
    for month in &plan.missing {
        let (from, to) = (month.begins()?, month.plus(1)?.begins()?);
        let table = month.table();
        say(format!(
            "CREATE TABLE {table} PARTITION OF trace_event FOR VALUES FROM ({from}) TO ({to})"
        ));
    }
    if let Some(end) = plan.end {
        let end = end.begins()?;
        say(format!(
            "WITH moved AS (DELETE FROM {AFTER} WHERE event_time < {end} RETURNING *) \
             INSERT INTO trace_event SELECT * FROM moved"
        ));
        say(format!("{} FOR VALUES FROM ({end}) TO (MAXVALUE)", part("ATTACH", AFTER)));
    }
    if let Some(first) = plan.first {
        let first = first.begins()?;
        say(format!("{} FOR VALUES FROM (MINVALUE) TO ({first})", part("ATTACH", BEFORE)));
    }
    Ok(all)
}

/// The parts that the events lie in, oldest first; none where the engine divides nothing. Rows are
/// counted where `counted`, else as the engine estimates them.
pub async fn event_parts(tx: &mut Tx, counted: bool) -> Result<Vec<EventPart>> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT CAST(c.relname AS TEXT), ");
    sql.push(if counted {
        "(SELECT COUNT(*) FROM trace_event e WHERE e.tableoid = c.oid)"
    } else {
        "CAST(GREATEST(c.reltuples, 0) AS BIGINT)"
    });
    sql.push(
        ", pg_total_relation_size(c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = CAST('trace_event' AS regclass) ORDER BY c.relname",
    );
    let rows = tx.fetch(sql).await?;
    let mut parts = rows.iter().map(read_part).collect::<Result<Vec<_>>>()?;
    // By name `after` and `before` follow the months.
    parts.sort_by_key(|part| match part.name.as_str() {
        "before" => (0, String::new()),
        "after" => (2, String::new()),
        month => (1, String::from(month)),
    });
    Ok(parts)
}

fn read_part(row: &Row) -> Result<EventPart> {
    let table = row.text(0)?;
    let name = table.strip_prefix(STEM).unwrap_or(table).replace('_', "-");
    Ok(EventPart { name, rows: row.int(1)?, bytes: row.int(2)? })
}

/// Makes months ahead of time until `stop` says so, and has the engine look at what all of them hold
/// together, which it does by itself only for each.
pub async fn watch(app: App, mut stop: watch::Receiver<bool>) {
    if app.db().dialect() == Dialect::Sqlite {
        return;
    }
    loop {
        if let Err(problem) = make_months(&app).await {
            tracing::warn!(%problem, "no months were made ahead");
        }
        if let Err(problem) = look(&app).await {
            problem.log();
        }
        if timeout(PACE, stop.changed()).await.is_ok() {
            return;
        }
    }
}

async fn look(app: &App) -> Result<()> {
    let mut tx = app.on_own_behalf("months").begin().await?;
    tx.execute(Sql::new("ANALYZE trace_event")).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn months(names: &[&str]) -> Vec<Month> {
        names.iter().map(|name| Month::of_table(&format!("{STEM}{name}")).unwrap()).collect()
    }

    #[test]
    fn a_month_begins_when_it_begins_in_beijing() {
        let november = Month::of(date(2026, 11, 19));
        assert_eq!(november.table(), "trace_event_2026_11");
        let begins = jiff::Timestamp::from_millisecond(november.begins().unwrap()).unwrap();
        assert_eq!(begins.to_string(), "2026-10-31T16:00:00Z");
        assert_eq!(Month::of_table("trace_event_2026_11"), Some(november));
        assert_eq!(november.plus(2).unwrap().table(), "trace_event_2027_01");
        for beside in [BEFORE, AFTER, "trace_event_2026_13", "trace_event_key"] {
            assert_eq!(Month::of_table(beside), None, "{beside}");
        }
    }

    #[test]
    fn a_new_platform_begins_a_year_and_a_month_back() {
        let plan = plan(&[], date(2026, 11, 19)).unwrap();
        assert_eq!(plan.first, Some(Month::of(date(2025, 10, 1))));
        assert_eq!(plan.end, Some(Month::of(date(2027, 2, 1))));
        assert_eq!(plan.missing.len(), 16);
    }

    #[test]
    fn months_go_on_without_a_gap() {
        let all = months(&["2026_09", "2026_11", "2026_12"]);
        let filled = plan(&all, date(2026, 10, 31)).unwrap();
        assert_eq!(filled, Plan { missing: months(&["2026_10"]), first: None, end: None });
        let next = plan(&all, date(2026, 12, 1)).unwrap();
        assert_eq!(next.missing, months(&["2026_10", "2027_01", "2027_02"]));
        assert_eq!(next.end, Some(Month::of(date(2027, 3, 1))));
        let whole = months(&["2026_09", "2026_10", "2026_11", "2026_12"]);
        assert!(plan(&whole, date(2026, 1, 1)).unwrap().missing.is_empty(), "a clock set back");
    }

    #[test]
    fn a_clock_far_ahead_makes_no_hundreds_of_tables() {
        let known = months(&["2026_11"]);
        assert!(plan(&known, date(2036, 1, 1)).is_ok());
        assert!(matches!(plan(&known, date(2099, 1, 1)), Err(Problem::Conflict(_))));
    }
}
