//! When a scheduled query runs: the fields of cron, as EPCIS has them (§8.2.5.3).

use jiff::{Timestamp, ToSpan as _, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use yj_kernel::{FieldError, Problem, Result};

/// Fields with their names and bounds, the finest first.
const FIELDS: [(&str, u32, u32); 6] = [
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("dayOfMonth", 1, 31),
    ("month", 1, 12),
    ("dayOfWeek", 1, 7),
];

/// Whether a schedule has a field of this name.
pub(crate) fn is_field(name: &str) -> bool {
    FIELDS.iter().any(|(known, _, _)| *known == name)
}

/// From here on fields are days.
const DAYS: usize = 3;

/// A schedule: for each field the values at which it runs, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule([u64; 6]);

impl Schedule {
    /// Reads `{ "hour": "1", "minute": "5" }`. Fields coarser than the finest one given run
    /// always, finer ones at their first value.
    pub(crate) fn read(value: &Value) -> Result<Self> {
        let wrong = |name: &str, detail: &str| FieldError {
            field: format!("schedule.{name}"),
            detail: String::from(detail),
        };
        let Some(object) = value.as_object().filter(|object| !object.is_empty()) else {
            return Err(Problem::invalid("schedule", "应写明至少一个字段，如 hour、minute"));
        };
        let mut errors: Vec<FieldError> = object
            .keys()
            .filter(|name| !is_field(name))
            .map(|name| wrong(name, "没有这个字段"))
            .collect();
        let mut bits = [0; 6];
        // Whoever names a day of the week means every week.
        let by_weekday = object.contains_key("dayOfWeek");
        let mut begun = false;
        for (at, (name, first, last)) in FIELDS.into_iter().enumerate() {
            let given = match object.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(_) => {
                    errors.push(wrong(name, "应为文本"));
                    continue;
                }
            };
            begun |= given.is_some();
            let all = (first..=last).fold(0_u64, |bits, value| bits | 1 << value);
            bits[at] = match given {
                Some(text) => {
                    let Some(bits) = field(&text, (first, last)) else {
                        let detail =
                            format!("应为 {first} 至 {last} 的数、范围（[1-5]）或以逗号分隔的列表");
                        errors.push(wrong(name, &detail));
                        continue;
                    };
                    bits
                }
                None if begun || (at >= DAYS && by_weekday) => all,
                None => 1 << first,
            };
        }
        if errors.is_empty() { Ok(Self(bits)) } else { Err(Problem::Invalid(errors)) }
    }

    /// The first moment after another at which it runs, in China's time; `None` where there is no
    /// such day within four years.
    pub(crate) fn next(self, after_ms: i64) -> Option<i64> {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let after = Timestamp::from_millisecond(after_ms).ok()?;
        let start = after.checked_add(1.second()).ok()?.to_zoned(zone.clone()).datetime();
        let mut at = start.with().subsec_nanosecond(0).build().ok()?;
        let has = |field: usize, value: i8| self.0[field] >> value & 1 == 1;
        let mut day = at.date();
        for _ in 0..(4 * 366) {
            let weekday = day.weekday().to_monday_one_offset();
            if has(4, day.month())
                && has(3, day.day())
                && has(5, weekday)
                && let Some(found) = self.within(at)
            {
                let zoned = found.to_zoned(zone).ok()?;
                return Some(zoned.timestamp().as_millisecond());
            }
            day = day.tomorrow().ok()?;
            at = day.at(0, 0, 0, 0);
        }
        None
    }

    /// The first time of a day from a moment on.
    fn within(self, from: DateTime) -> Option<DateTime> {
        let next = |field: usize, from: i8, last: i8| {
            (from..=last).find(|value| self.0[field] >> value & 1 == 1)
        };
        let (mut hour, mut minute, mut second) = (from.hour(), from.minute(), from.second());
        while hour <= 23 {
            let found = next(2, hour, 23)?;
            if found > hour {
                (hour, minute, second) = (found, 0, 0);
            }
            let Some(found) = next(1, minute, 59) else {
                (hour, minute, second) = (hour + 1, 0, 0);
                continue;
            };
            if found > minute {
                (minute, second) = (found, 0);
            }
            let Some(second_found) = next(0, second, 59) else {
                (minute, second) = (minute + 1, 0);
                continue;
            };
            return Some(from.date().at(hour, minute, second_found, 0));
        }
        None
    }
}

/// `5`, `1,15`, `[1-5]`, `1-5`, `*`, `0/30`
fn field(text: &str, (first, last): (u32, u32)) -> Option<u64> {
    let number = |text: &str| {
        let value: u32 = text.trim().parse().ok()?;
        (first..=last).contains(&value).then_some(value)
    };
    let mut bits = 0_u64;
    for part in text.split(',') {
        let part = part.trim().trim_start_matches('[').trim_end_matches(']');
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.trim().parse().ok().filter(|step| *step > 0)?),
            None => (part, 1_u32),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, last),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return None;
        }
        let values = (from..=to).step_by(usize::try_from(step).ok()?);
        bits = values.fold(bits, |bits, value| bits | 1 << value);
    }
    (bits != 0).then_some(bits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn next(schedule: Value, after: &str) -> Option<String> {
        let after: Timestamp = after.parse().unwrap();
        let next = Schedule::read(&schedule).unwrap().next(after.as_millisecond())?;
        Some(Timestamp::from_millisecond(next).unwrap().to_string())
    }

    #[test]
    fn schedules_run_when_they_say() {
        // 1:05 in China is 17:05 the day before in UTC.
        let daily = json!({ "hour": "1", "minute": "5" });
        assert_eq!(next(daily.clone(), "2026-11-19T04:00:00Z").unwrap(), "2026-11-19T17:05:00Z");
        assert_eq!(next(daily, "2026-11-19T17:05:00Z").unwrap(), "2026-11-20T17:05:00Z");
        let often = json!({ "second": "0/30" });
        assert_eq!(next(often.clone(), "2026-11-19T04:00:01Z").unwrap(), "2026-11-19T04:00:30Z");
        assert_eq!(next(often, "2026-11-19T04:00:30Z").unwrap(), "2026-11-19T04:01:00Z");
        let monday = json!({ "dayOfWeek": "1" });
        assert_eq!(next(monday, "2026-11-19T04:00:00Z").unwrap(), "2026-11-22T16:00:00Z");
        let months = json!({ "dayOfMonth": "31", "month": "[4-5]" });
        assert_eq!(next(months, "2026-11-19T04:00:00Z").unwrap(), "2027-05-30T16:00:00Z");
        assert_eq!(next(json!({ "dayOfMonth": "30", "month": "2" }), "2026-11-19T04:00:00Z"), None);
        let hourly = json!({ "minute": "10,50" });
        assert_eq!(next(hourly, "2026-11-19T15:55:00Z").unwrap(), "2026-11-19T16:10:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in [
            json!({}),
            json!("hourly"),
            json!({ "hour": "24" }),
            json!({ "minute": "5-1" }),
            json!({ "year": "1" }),
            json!({ "second": [] }),
            json!({ "second": "0/0" }),
        ] {
            assert!(Schedule::read(&wrong).is_err(), "{wrong}");
        }
    }
}
