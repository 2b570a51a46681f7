//! One step of a golden chain, and the days it is told in.

use jiff::{Span, Timestamp, civil::Date, tz::Offset};
use serde_json::{Value, json};
use yj_kernel::{Problem, Result};
use yj_trace::TraceEvent;

use super::super::registers::subject_code;

/// Days counted from the first of a chain, in China.
#[derive(Clone, Copy)]
pub(in super::super) struct Calendar(Date);

impl From<Timestamp> for Calendar {
    fn from(first: Timestamp) -> Self {
        Self(Offset::constant(8).to_datetime(first).date())
    }
}

impl Calendar {
    fn day(self, number: i64) -> Date {
        let span = Span::new().try_days(number);
        span.and_then(|span| self.0.checked_add(span)).unwrap_or(self.0)
    }

    /// The day of this number as written.
    pub(in super::super) fn date(self, number: i64) -> String {
        self.day(number).to_string()
    }

    /// Minutes after the midnight with which the day of this number begins.
    pub(super) fn moment(self, number: i64, minutes: i64) -> Result<Timestamp> {
        let zone = jiff::tz::TimeZone::fixed(Offset::constant(8));
        let midnight = self.day(number).to_zoned(zone).map_err(Problem::internal)?.timestamp();
        Ok(midnight + jiff::SignedDuration::from_mins(minutes))
    }

    /// The month of a day as written.
    pub(in super::super) fn month(self, number: i64) -> String {
        self.day(number).strftime("%Y-%m").to_string()
    }

    /// A time of a day as written.
    pub(in super::super) fn time(self, number: i64, hour: u8) -> String {
        format!("{}T{hour:02}:00:00+08:00", self.date(number))
    }
}

/// Code, quantity and unit of what goes in or comes out.
type Line = (&'static str, &'static str, &'static str);

/// What happened to which codes.
pub(super) struct Step {
    day: i64,
    kind: &'static str,
    subject: &'static str,
    /// Where it is of another domain than the chain.
    domain: Option<&'static str>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    attributes: Value,
    /// Attributes that hold the code of a subject.
    named: Vec<(&'static str, &'static str)>,
}

impl Step {
    /// On this day after the first, this subject did something of this type.
    pub(super) fn new(day: i64, kind: &'static str, subject: &'static str) -> Self {
        let (inputs, outputs) = (Vec::new(), Vec::new());
        let (attributes, named) = (json!({}), Vec::new());
        Self { day, kind, subject, domain: None, inputs, outputs, attributes, named }
    }

    /// It is of this domain.
    pub(super) fn of(self, domain: &'static str) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// What went in.
    pub(super) fn takes(mut self, lines: &[Line]) -> Self {
        let line = |(code, quantity, unit): &Line| json!({ "code": code, "quantity": quantity, "unit": unit });
        self.inputs.extend(lines.iter().map(line));
        self
    }

    /// What it was about, without using it up.
    pub(super) fn sees(mut self, codes: &[&str]) -> Self {
        self.inputs.extend(codes.iter().map(|code| json!({ "code": code })));
        self
    }

    /// What came out, of the kind that went in.
    pub(super) fn gives(mut self, lines: &[Line]) -> Self {
        let line = |(code, quantity, unit): &Line| json!({ "code": code, "quantity": quantity, "unit": unit, "lot": code });
        self.outputs.extend(lines.iter().map(line));
        self
    }

    /// What was made, of this product.
    pub(super) fn makes(mut self, product: &'static str, lines: &[Line]) -> Self {
        let line = |(code, quantity, unit): &Line| json!({ "code": code, "quantity": quantity, "unit": unit, "product": product, "lot": code });
        self.outputs.extend(lines.iter().map(line));
        self
    }

    /// What else is known of it.
    pub(super) fn with(self, attributes: Value) -> Self {
        Self { attributes, ..self }
    }

    /// An attribute that holds the code of this subject.
    pub(super) fn naming(mut self, attribute: &'static str, subject: &'static str) -> Self {
        self.named.push((attribute, subject));
        self
    }

    /// As it is captured, and when: the steps of a day ten minutes apart from eight o'clock on.
    pub(super) fn event(
        mut self,
        domain: &str,
        place: i64,
        calendar: Calendar,
    ) -> Result<(Timestamp, TraceEvent)> {
        let when = calendar.moment(self.day, 8 * 60 + place * 10)?;
        for (attribute, subject) in self.named {
            self.attributes[attribute] = json!(subject_code(subject)?);
        }
        let event = json!({
            "domain": self.domain.unwrap_or(domain), "type": self.kind,
            "subject": subject_code(self.subject)?,
            "event_time": when.display_with_offset(Offset::constant(8)).to_string(),
            "inputs": self.inputs, "outputs": self.outputs, "attributes": self.attributes,
        });
        Ok((when, serde_json::from_value(event).map_err(Problem::internal)?))
    }
}
