//! When somebody is told, and of what part of the past: the same words in the body of a
//! subscription and in the address of a socket.

use serde_json::{Map, Value};
use yj_epcis::Instant;
use yj_kernel::{FieldError, Problem};

use super::{
    problem::{Exception, Refusal, Result},
    schedule::{self, Schedule},
};

/// The terms of a subscription.
pub(crate) struct Terms {
    /// As it was written, and read; none for whoever is told as events come.
    pub(crate) schedule: Option<(Value, Schedule)>,
    /// Whether a scheduled report that holds nothing is told too.
    pub(crate) report_if_empty: bool,
    /// Told is also what was recorded before, from this moment on, Unix ms.
    pub(crate) initial: Option<i64>,
    /// Nothing is told that was recorded before this moment, Unix ms.
    pub(crate) minimum: Option<i64>,
}

/// Parameters of a socket that are flags.
const FLAGS: [&str; 2] = ["stream", "reportIfEmpty"];
/// Parameters of a socket that are moments.
const MOMENTS: [&str; 2] = ["initialRecordTime", "minRecordTime"];

fn fault(field: &str, detail: &str) -> FieldError {
    FieldError { field: String::from(field), detail: String::from(detail) }
}

impl Terms {
    /// Reads the terms among the members of a subscription. `errors` is what was wrong with the
    /// others: everything is said at once.
    pub(crate) fn read(body: &Map<String, Value>, mut errors: Vec<FieldError>) -> Result<Self> {
        let given = |name: &str| body.get(name).filter(|value| !value.is_null());
        let mut flag = |name: &str| match given(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                errors.push(fault(name, "应为 true 或 false"));
                false
            }
        };
        let (stream, report_if_empty) = (flag("stream"), flag("reportIfEmpty"));
        let mut time = |name: &str| match given(name) {
            None => None,
            Some(value) => {
                let found = value.as_str().and_then(Instant::parse);
                if found.is_none() {
                    let detail = "应为带时区的时间，如 2026-11-01T08:00:00+08:00";
                    errors.push(fault(name, detail));
                }
                found.map(|time| time.0)
            }
        };
        let (initial, minimum) = (time("initialRecordTime"), time("minRecordTime"));
        let schedule = match given("schedule") {
            None => None,
            Some(value) => match Schedule::read(value) {
                Ok(schedule) => Some((value.clone(), schedule)),
                Err(Problem::Invalid(found)) => {
                    errors.extend(found);
                    None
                }
                Err(other) => return Err(other.into()),
            },
        };
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors).into());
        }
        if stream == schedule.is_some() {
            let detail = "应写明 schedule（定时）或 stream: true（随采集），二者择一";
            return Err(Refusal::of(Exception::SubscriptionControls, detail));
        }
        Ok(Self { schedule, report_if_empty, initial, minimum })
    }

    /// Reads the terms of a socket from the query of its address, where the fields of a schedule
    /// stand one by one (`?minute=5&hour=1`).
    pub(crate) fn of_address(query: &str) -> Result<Self> {
        let (mut body, mut schedule, mut errors) = (Map::new(), Map::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = &*name;
            let text = Value::from(&*value);
            let before = if FLAGS.contains(&name) {
                let flag = match &*value {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => text,
                };
                body.insert(String::from(name), flag)
            } else if MOMENTS.contains(&name) {
                body.insert(String::from(name), text)
            } else if schedule::is_field(name) {
                schedule.insert(String::from(name), text)
            } else {
                let detail = "WebSocket 订阅只接受 stream、second、minute、hour、dayOfMonth、month、\
                              dayOfWeek、reportIfEmpty、initialRecordTime 与 minRecordTime";
                errors.push(fault(name, detail));
                None
            };
            if before.is_some() {
                errors.push(fault(name, "只应写一次"));
            }
        }
        if !schedule.is_empty() {
            body.insert(String::from("schedule"), Value::Object(schedule));
        }
        Self::read(&body, errors)
    }

    /// When there is something to tell for the first time.
    pub(crate) fn first(&self, now_ms: i64) -> Result<i64> {
        self.next(now_ms).ok_or_else(|| {
            let detail = "这个时间表在四年之内没有一次";
            Refusal::of(Exception::SubscriptionControls, detail)
        })
    }

    /// When there is something to tell after this moment; never again where there is none.
    pub(crate) fn next(&self, now_ms: i64) -> Option<i64> {
        self.schedule.as_ref().map_or(Some(now_ms), |(_, schedule)| schedule.next(now_ms))
    }

    /// Where to begin: what was recorded before counts where the client asks for it.
    pub(crate) const fn begin(&self, last: i64) -> i64 {
        if self.initial.is_some() { 0 } else { last }
    }

    /// Only events recorded at this moment or later.
    pub(crate) fn since(&self) -> Option<i64> {
        self.initial.max(self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_a_subscription_says() {
        let terms = Terms::of_address("minute=5&hour=1&reportIfEmpty=true").unwrap();
        let written = serde_json::json!({ "minute": "5", "hour": "1" });
        let (value, schedule) = terms.schedule.unwrap();
        assert_eq!((&value, schedule), (&written, Schedule::read(&written).unwrap()));
        assert!(terms.report_if_empty);
        let terms = Terms::of_address("stream=true&initialRecordTime=2026-11-01T00:00:00Z");
        let terms = terms.unwrap();
        assert!(terms.schedule.is_none() && terms.begin(7) == 0);
        assert_eq!(terms.since(), terms.initial);
        for wrong in [
            "",
            "stream=false",
            "stream=yes",
            "stream=true&minute=5",
            "minute=61",
            "stream=true&stream=true",
            "stream=true&perPage=5",
            "stream=true&initialRecordTime=yesterday",
        ] {
            assert!(Terms::of_address(wrong).is_err(), "{wrong}");
        }
    }
}
