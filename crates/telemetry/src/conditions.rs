//! 冷链小结: how a trace unit fared while a device watched over it, in one record for each binding and
//! not one for each reading (handbook §4.3).

use serde_json::{Value, json};
use yj_kernel::{Ctx, Result, Sql, Tx, time_text};

use crate::{
    binding::{self, Bound},
    marks,
    measure::Measure,
};

/// Readings that one summary looks at.
const READINGS_MAX: i64 = 200_000;

/// One reading of a summary: when, what, and its marks.
type Point = (i64, i64, i64);

/// What a journey was like.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    least: i64,
    most: i64,
    /// The mean of the readings, rounded towards zero.
    mean: i64,
    /// How long the value lay outside its limits, in ms: each reading holds until the next, and no
    /// longer than two reporting intervals.
    outside_ms: i64,
    /// How long nothing is known, in ms.
    unknown_ms: i64,
    count: i64,
    frozen: i64,
    late: i64,
}

/// Summarises readings in the order of their times, from `from_ms` to `to_ms`.
fn summarise(
    points: &[Point],
    (from_ms, to_ms): (i64, i64),
    (low, high): (Option<i64>, Option<i64>),
    interval_ms: i64,
) -> Option<Summary> {
    let first = points.first()?;
    let mut summary = Summary { least: first.1, most: first.1, ..Summary::default() };
    let (mut sum, holds) = (0_i128, 2 * interval_ms);
    summary.unknown_ms = (first.0 - from_ms - holds).max(0);
    for (index, (time, value, marks)) in points.iter().enumerate() {
        summary.least = summary.least.min(*value);
        summary.most = summary.most.max(*value);
        summary.count += 1;
        sum += i128::from(*value);
        summary.frozen += i64::from(marks & marks::FROZEN != 0);
        summary.late += i64::from(marks & marks::LATE != 0);
        let next = points.get(index + 1).map_or(to_ms, |next| next.0);
        let span = (next - time).max(0);
        let outside = low.is_some_and(|low| *value < low) || high.is_some_and(|high| *value > high);
        if outside {
            summary.outside_ms += span.min(holds);
        }
        summary.unknown_ms += (span - holds).max(0);
    }
    summary.mean = i64::try_from(sum / i128::from(summary.count)).unwrap_or_default();
    Some(summary)
}

/// The summaries of a trace code, one for each of its bindings, oldest first: how far and how long, in
/// minutes, its readings lay outside their limits, how long nothing is known, and how many stood still
/// (handbook §4.3).
pub async fn of_code(ctx: &Ctx, tx: &mut Tx, code: &str) -> Result<Vec<Value>> {
    let bound = binding::of_codes(tx, &[code]).await?.remove(code).unwrap_or_default();
    let mut records = Vec::with_capacity(bound.len());
    for one in bound {
        records.push(of_binding(ctx, tx, &one).await?);
    }
    Ok(records)
}

async fn of_binding(ctx: &Ctx, tx: &mut Tx, bound: &Bound) -> Result<Value> {
    let device = Sql::new("SELECT mac, model, interval_minutes FROM device WHERE id = $1");
    let device = tx.fetch_one(device.arg(bound.device.as_str())).await?;
    let to_ms = bound.ends_ms.unwrap_or_else(|| ctx.now_ms());
    let mut sql = Sql::new(
        "SELECT r.time, r.value, r.marks FROM device_series s JOIN device_reading r \
         ON r.series_id = s.id WHERE s.device_id = ",
    );
    sql.bind(bound.device.as_str()).push(" AND s.kind = ").bind(bound.kind.code());
    sql.push(" AND r.time >= ").bind(bound.starts_ms).push(" AND r.time <= ").bind(to_ms);
    sql.push(" ORDER BY r.time, r.epoch, r.seq, r.item LIMIT ").bind(READINGS_MAX);
    let rows = tx.fetch(sql).await?;
    let point = |row: &yj_kernel::Row| Ok((row.int(0)?, row.int(1)?, row.int(2)?));
    let points = rows.iter().map(point).collect::<Result<Vec<Point>>>()?;
    let interval_ms = match &device {
        Some(row) => row.int_opt(2)?.unwrap_or(10) * 60_000,
        None => 10 * 60_000,
    };
    let summary = summarise(&points, (bound.starts_ms, to_ms), bound.limits, interval_ms);
    let minutes = |ms: i64| ms / 60_000;
    let number = |value: i64| Measure(value).to_string();
    let readings = summary.map(|found| {
        json!({
            "count": found.count, "least": number(found.least), "most": number(found.most),
            "mean": number(found.mean), "outside_minutes": minutes(found.outside_ms),
            "unknown_minutes": minutes(found.unknown_ms), "frozen": found.frozen,
            "late": found.late,
        })
    });
    let (mac, model) = match &device {
        Some(row) => (row.text(0)?, row.text(1)?),
        None => ("", ""),
    };
    Ok(json!({
        "binding": bound.id, "device_id": bound.device, "mac": mac, "model": model,
        "waybill": bound.waybill, "kind": bound.kind.code(), "title": bound.kind.title(),
        "unit": bound.kind.unit_name(), "from": time_text(bound.starts_ms)?,
        "to": bound.ends_ms.map(time_text).transpose()?,
        "low": bound.limits.0.map(number), "high": bound.limits.1.map(number),
        "readings": readings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::ONE;

    const MINUTE: i64 = 60_000;

    #[test]
    fn forty_five_minutes_above_eight_degrees_are_forty_five_minutes() {
        // Every five minutes; above 8 ℃ from 60 to 105 (handbook §8.5, 9).
        let warm = |minute: i64| (60..105).contains(&minute);
        let points: Vec<Point> = (0..36)
            .map(|number| number * 5)
            .map(|minute| (minute * MINUTE, if warm(minute) { 9 } else { 5 } * ONE, 0))
            .collect();
        let limits = (Some(2 * ONE), Some(8 * ONE));
        let found = summarise(&points, (0, 180 * MINUTE), limits, 5 * MINUTE).expect("readings");
        assert_eq!((found.outside_ms, found.unknown_ms), (45 * MINUTE, 0));
        assert_eq!((found.least, found.most, found.count), (5 * ONE, 9 * ONE, 36));
        assert_eq!(found.mean, 6 * ONE);
    }

    #[test]
    fn what_nobody_measured_is_unknown_and_not_fine() {
        let points = [(0, 9 * ONE, 0), (60 * MINUTE, 5 * ONE, 0)];
        let limits = (None, Some(8 * ONE));
        let found = summarise(&points, (0, 65 * MINUTE), limits, 5 * MINUTE).expect("readings");
        assert_eq!((found.outside_ms, found.unknown_ms), (10 * MINUTE, 50 * MINUTE));
        assert_eq!(summarise(&[], (0, 1), limits, MINUTE), None);
    }
}
