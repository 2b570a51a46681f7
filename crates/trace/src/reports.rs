//! 按月报送 (handbook §5.4): where a domain lays down until when what happened in a month is to be reported,
//! it is counted when events came. Many in the last hour are 突击报送: a month that is written down at
//! once, the evening before it is due, was not recorded when it happened (handbook §5.6, rule 37).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    Span,
    civil::Date,
    tz::{Offset, TimeZone},
};
use serde_json::{Value, json};
use yj_domain::Reporting;
use yj_kernel::{Columns, Ctx, Param, Problem, Reach, Result, Row, Scoping, Sql, Tx, insert_rows};
use yj_model::OffsetTime;

use crate::asked::{Asked, PAGING};

const HOUR_MS: i64 = 3_600_000;
/// Of fewer events it is nothing that they came together.
const BURST_MIN: i64 = 10;
const ORDER: &str = "-month";
const STATES: [(&str, &str); 3] = [("burst", "突击报送"), ("late", "有逾期"), ("prompt", "按期")];
/// Half of them in the last hour; the number is [`BURST_MIN`].
const IS_BURST: &str = "r.events >= 10 AND r.last_hour * 2 >= r.events";

/// What the list may be asked for.
pub(crate) const QUERY: &[Param] = &[
    Param { name: "state", label: "burst、late 或 prompt", required: false },
    Param { name: "month", label: "发生的月份，如 2026-10", required: false },
    Param { name: "domain", label: "领域", required: false },
    PAGING[0],
    PAGING[1],
    PAGING[2],
    PAGING[3],
];

const COLUMNS: Columns = Columns {
    region: Some("r.region"),
    subject: Some("r.subject_id"),
    category: Reach::Equal("r.domain"),
    // A month is of all stages.
    stage: Reach::Equal("''"),
    ..Columns::NONE
};

/// Of which month an event is, and how it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Came {
    /// The first day of the month in which it happened.
    month: Date,
    /// The last day on which it might be reported.
    due: Date,
    in_last_hour: bool,
    is_late: bool,
}

impl Came {
    /// How an event of this time came that was recorded at this moment (Unix ms).
    pub(crate) fn of(rule: &Reporting, time: OffsetTime, recorded_at: i64) -> Result<Self> {
        let month = time.beijing_day().first_of_month();
        let next = month.checked_add(Span::new().months(1)).map_err(Problem::internal)?;
        let due = next.with().day(rule.by_day).build().map_err(Problem::internal)?;
        let after = due.tomorrow().map_err(Problem::internal)?;
        let beijing: TimeZone = Offset::constant(8).to_time_zone();
        let end = after.to_zoned(beijing).map_err(Problem::internal)?;
        let end = end.timestamp().as_millisecond();
        let in_last_hour = (end - HOUR_MS..end).contains(&recorded_at);
        Ok(Self { month, due, in_last_hour, is_late: recorded_at >= end })
    }
}

/// Events of one subject in one domain, by when they came.
#[derive(Debug, Default)]
pub(crate) struct Counts<'a>(BTreeMap<(String, &'a str, &'a str), (&'a str, Date, [i64; 3])>);

impl<'a> Counts<'a> {
    /// Counts an event of a domain, a subject (by its identifier) and a region.
    pub(crate) fn add(
        &mut self,
        (domain, subject, region): (&'a str, &'a str, &'a str),
        came: Came,
    ) {
        let key = (came.month.strftime("%Y-%m").to_string(), domain, subject);
        let (_, _, counts) = self.0.entry(key).or_insert((region, came.due, [0; 3]));
        counts[0] += 1;
        counts[1] += i64::from(came.in_last_hour);
        counts[2] += i64::from(came.is_late);
    }

    /// The statements that add them to what is there.
    pub(crate) fn write(self) -> Vec<Sql> {
        let row =
            |((month, domain, subject), (region, due, counts)): (_, (&str, Date, [i64; 3]))| {
                let (month, domain, subject): (String, &str, &str) = (month, domain, subject);
                let named = [month.into(), domain.into(), subject.into(), region.into()];
                let counts = counts.map(Into::into);
                named.into_iter().chain([due.to_string().into()]).chain(counts).collect()
            };
        insert_rows(
            "INSERT INTO trace_report (month, domain, subject_id, region, due, events, last_hour, late)",
            "ON CONFLICT (month, domain, subject_id) DO UPDATE SET region = excluded.region, \
             due = excluded.due, events = trace_report.events + excluded.events, \
             last_hour = trace_report.last_hour + excluded.last_hour, \
             late = trace_report.late + excluded.late",
            self.0.into_iter().map(row).collect(),
        )
    }
}

/// `GET /api/v1/trace/reports`: newest month first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx, query: &str) -> Result<Value> {
    let asked = Asked::read(query, QUERY, ORDER)?;
    let mut sql = Sql::new(
        "SELECT r.month, r.domain, r.subject_id, r.due, r.events, r.last_hour, r.late \
         FROM trace_report r WHERE 1 = 1",
    );
    ctx.scope().narrow(&mut sql, tx, Scoping::By(COLUMNS));
    match asked.one_of("state", &STATES)? {
        Some("burst") => drop(sql.push(" AND ").push(IS_BURST)),
        Some("late") => drop(sql.push(" AND r.late > 0 AND NOT (").push(IS_BURST).push(")")),
        Some(_) => drop(sql.push(" AND r.late = 0 AND NOT (").push(IS_BURST).push(")")),
        None => {}
    }
    if let Some(month) = asked.condition("month") {
        if format!("{month}-01").parse::<Date>().is_err() || month.len() != 7 {
            return Err(Problem::invalid("month", "应为年月，如 2026-10"));
        }
        sql.push(" AND r.month = ").bind(month);
    }
    if let Some(domain) = asked.condition("domain") {
        sql.push(" AND r.domain = ").bind(domain);
    }
    if let Some([month, domain, subject]) = asked.after()? {
        sql.push(" AND (r.month < ").bind(month).push(" OR (r.month = ").bind(month);
        sql.push(" AND (r.domain > ").bind(domain).push(" OR (r.domain = ").bind(domain);
        sql.push(" AND r.subject_id > ").bind(subject).push("))))");
    }
    sql.push(" ORDER BY r.month DESC, r.domain, r.subject_id");
    asked.limit(&mut sql);
    let rows = tx.fetch(sql).await?;
    let subjects = rows.iter().map(|row| row.text(2)).collect::<Result<BTreeSet<_>>>()?;
    let subjects = yj_subject::by_ids(tx, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let domains = yj_domain::current(tx).await?;
    let clearance = ctx.scope().clearance();
    let item = |row: &Row| {
        let (month, domain, subject) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let (events, last_hour, late) = (row.int(4)?, row.int(5)?, row.int(6)?);
        let pack = domains.shown(domain, ctx.today());
        let found = subjects.get(subject);
        Ok(json!({
            "id": format!("{month}~{domain}~{subject}"), "month": month, "domain": domain,
            "domain_name": pack.map_or(domain, |pack| pack.name.as_str()),
            "subject": {
                "id": subject, "code": found.map(|one| one.code.as_str()),
                "name": found.map(|one| one.name_for(clearance)),
            },
            "due": row.text(3)?, "events": events, "last_hour": last_hour, "late": late,
            "state": state(events, last_hour, late),
        }))
    };
    let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
    let last = items.last().and_then(|item| item["id"].as_str()).map(|id| [String::from(id)]);
    Ok(json!({ "items": items, "next": asked.next(rows.len(), last) }))
}

/// The same as [`IS_BURST`] and its likes say.
fn state(events: i64, last_hour: i64, late: i64) -> &'static str {
    match late {
        _ if events >= BURST_MIN && last_hour * 2 >= events => "burst",
        0 => "prompt",
        _ => "late",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use yj_domain::Reporting;

    use super::{Came, state};

    #[test]
    fn a_month_is_due_on_a_day_of_the_next_by_the_clock_of_beijing() {
        let rule = Reporting { by_day: 10, basis: String::new() };
        let came = |happened: &str, recorded: &str| {
            let recorded: Timestamp = recorded.parse().unwrap();
            let came = Came::of(&rule, happened.parse().unwrap(), recorded.as_millisecond());
            let Came { month, due, in_last_hour, is_late } = came.unwrap();
            (month.to_string(), due.to_string(), in_last_hour, is_late)
        };
        let (october, due) = (String::from("2026-10-01"), String::from("2026-11-10"));
        for (recorded, in_last_hour, is_late) in [
            ("2026-10-31T23:00:00+08:00", false, false),
            ("2026-11-10T22:59:59.999+08:00", false, false),
            ("2026-11-10T23:00:00+08:00", true, false),
            ("2026-11-10T23:59:59.999+08:00", true, false),
            ("2026-11-11T00:00:00+08:00", false, true),
        ] {
            let expected = (october.clone(), due.clone(), in_last_hour, is_late);
            assert_eq!(came("2026-10-31T23:59:59+08:00", recorded), expected, "{recorded}");
        }
        // Still October in Beijing, and the next year's January after December.
        assert_eq!(came("2026-10-31T15:59:59Z", "2026-11-01T00:00:00Z").0, october);
        let december = came("2026-12-31T12:00:00+08:00", "2027-01-11T00:00:00+08:00");
        assert_eq!((december.1.as_str(), december.3), ("2027-01-10", true));
    }

    #[test]
    fn half_of_many_in_the_last_hour_are_a_burst() {
        assert_eq!(state(10, 5, 3), "burst");
        assert_eq!(state(10, 4, 0), "prompt");
        assert_eq!(state(9, 9, 0), "prompt");
        assert_eq!(state(9, 9, 1), "late");
    }
}
