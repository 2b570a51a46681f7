//! Planted defects (handbook §8.5): what is wrong is tried through the same door as real data, and the
//! loading fails unless each is found as planned.
//!
//! Two of the list are not here: 25 and 26, records and audit entries changed behind the platform's back, are
//! tests' to do. A demonstration that begins with its own alarm proves nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};
use yj_model::{Known, regions};
use yj_subject::SubjectBrief;
use yj_trace::{Captured, Source, TraceEvent, breaks, capture};

use super::{
    defects, entries, golden::Calendar, papers, registers::subject_code, reporting, scans, watched,
};
use crate::Assembled;

/// How a planted defect is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// 不予登记, with these words.
    Refused(&'static str),
    /// 由他人审核; whoever reviews is told these words.
    Reviewed(&'static str),
    /// 照常登记并计数, under these words.
    Counted(&'static str),
    /// 答复为重复, and nothing is stored.
    Repeated,
    /// 照常登记; the chain of its first output breaks off at this code.
    Broken(&'static str),
    /// 照常登记; its price is so many times what the same goods cost.
    Unusual(&'static str),
    /// 照常登记; what both parties said of this batch does not agree.
    Mismatched(&'static str),
    /// 照常登记; its division is in no register, and that is no reason to refuse it.
    Unlisted,
}

/// A planted defect that is an event.
#[derive(Debug)]
pub struct Planted {
    /// Its number in handbook §8.5; none for what §4.1 says of documents besides.
    pub number: Option<u8>,
    /// What is wrong.
    pub what: &'static str,
    /// The event that shows it, as a client sends it.
    pub event: Value,
    /// How it is found.
    pub found: Finding,
}

/// Numbers in handbook §8.5 of everything that is planted: events, entries of registers, readings of a
/// device, what is not reported, and scans.
pub const PLANTED: [u8; 26] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 27, 28];

/// The day after the first of GC-1 on which the planted events happen.
pub(super) const DAY: i64 = 14;

/// An event of a food of the fields on the day of the planted events.
pub(super) fn event(first_day: Timestamp, kind: &str, subject: &str) -> Result<Value> {
    Ok(json!({
        "domain": "agri", "type": kind, "subject": subject_code(subject)?,
        "event_time": Calendar::from(first_day).time(DAY, 9),
    }))
}

/// So many kilograms of something.
pub(super) fn line(code: &str, quantity: &str) -> Value {
    json!({ "code": code, "quantity": quantity, "unit": "KGM" })
}

/// An event as it comes in.
pub(super) fn parsed(event: Value) -> Result<TraceEvent> {
    serde_json::from_value(event).map_err(Problem::internal)
}

/// A subject of the demonstration, by its short name.
pub(super) async fn subject(tx: &mut Tx, name: &str) -> Result<SubjectBrief> {
    let code = subject_code(name)?;
    let found = yj_subject::by_codes(tx, &[code.as_str()]).await?.into_values().next();
    found.ok_or_else(|| Problem::internal("a demonstration subject is missing"))
}

/// What was not found as planned.
pub(super) fn missed(what: &str, said: impl std::fmt::Display) -> Problem {
    Problem::internal(format!("planted “{what}” was not found: {said}"))
}

/// The planted events of a province whose GC-1 begins on this day.
pub fn planted(first_day: Timestamp) -> Result<Vec<Planted>> {
    let mut all = papers::planted(first_day)?;
    all.extend(defects::planted(first_day)?);
    all.extend(reporting::planted(first_day)?);
    Ok(all)
}

/// Loads everything that is planted; how many events there are of it.
pub(super) async fn load(assembled: &Assembled, first_day: Timestamp) -> Result<usize> {
    let mut count = papers::prepare(assembled, first_day).await?;
    // Later than the day's events, whatever the hour at which the demonstration is made.
    let when = first_day + SignedDuration::from_hours(24 * DAY + 12);
    count += defects::prepare(assembled, (first_day, when)).await?;
    count += reporting::prepare(assembled, first_day).await?;
    let ctx = assembled.app.on_own_behalf("demo").at(when);
    for one in planted(first_day)? {
        count += try_out(&ctx, one).await?;
    }
    watched::load(assembled).await?;
    entries::load(assembled).await?;
    scans::load(assembled).await?;
    count += reporting::load(assembled).await?;
    Ok(count)
}

/// Tries a planted event; how many events are stored by it.
async fn try_out(ctx: &Ctx, planted: Planted) -> Result<usize> {
    // What somebody else must look at waits as what is written by hand does.
    let source = match planted.found {
        Finding::Reviewed(_) => Source::Form,
        _ => Source::Api,
    };
    let (what, event) = (planted.what, parsed(planted.event)?);
    let captured = capture(ctx, source, std::slice::from_ref(&event), true).await?.pop();
    match (planted.found, captured) {
        (Finding::Refused(words), Some(Captured::Refused(problem))) => {
            let said = problem.body().to_string();
            if said.contains(words) { Ok(0) } else { Err(missed(what, said)) }
        }
        (Finding::Repeated, Some(Captured::Duplicate { .. })) => Ok(0),
        (Finding::Reviewed(_), Some(Captured::New { held: true, .. }))
        | (Finding::Counted(_), Some(Captured::New { held: false, .. })) => Ok(1),
        (found, Some(Captured::New { held: false, .. })) if shows(ctx, found, &event).await? => {
            Ok(1)
        }
        (_, captured) => Err(missed(what, format!("{captured:?}"))),
    }
}

/// Whether a stored event shows what it was planted for.
async fn shows(ctx: &Ctx, found: Finding, event: &TraceEvent) -> Result<bool> {
    match found {
        Finding::Broken(code) => {
            let Some(output) = event.outputs.first() else { return Ok(false) };
            Ok(breaks(ctx.app(), &output.code).await? == [code])
        }
        Finding::Mismatched(batch) => {
            let mut tx = ctx.snapshot().await?;
            let sql = Sql::new("SELECT 1 FROM trace_match WHERE batch = $1 AND state = 'quantity'");
            Ok(tx.fetch_one(sql.arg(batch)).await?.is_some())
        }
        Finding::Unusual(_) => {
            let mut tx = ctx.snapshot().await?;
            let sql = Sql::new("SELECT COUNT(*) FROM trace_price WHERE median IS NOT NULL");
            let unusual = tx.fetch_one(sql).await?;
            Ok(unusual.map(|row| row.int(0)).transpose()? == Some(1))
        }
        Finding::Unlisted => {
            let place = event.place.as_ref();
            let known = place.map(|place| regions().on(&place.region, ctx.today()));
            Ok(matches!(known, Some(Known::Unknown)))
        }
        _ => Ok(false),
    }
}
