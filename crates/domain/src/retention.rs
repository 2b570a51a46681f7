//! How long records are kept: what the law asks of each kind of record (handbook §4.9), and never
//! less than the platform keeps everything.

use jiff::{Span, civil::Date};
use serde::Serialize;
use serde_json::{Map, Value};
use yj_model::OffsetTime;

/// What the platform keeps at least, in months, whatever a pack says.
pub const KEPT_MONTHS_MIN: u16 = 60;

/// What is asked for some event types, with the text that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// 事项
    pub name: String,
    /// The event types; every other one where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Months to keep; for good where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u16>,
    /// The field whose day the months are counted from: 保质期至. Else the time of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Months from the time of the event where that field is not filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise_months: Option<u16>,
    /// 依据
    pub basis: String,
}

/// Until when a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// To the end of this day.
    Until(Date),
    /// For good.
    Always,
}

impl Retention {
    /// Whether it speaks of this event type.
    pub fn is_for(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|code| code == event)
    }

    /// The day that the text asks for; `None` for good.
    fn asked(&self, attributes: &Map<String, Value>, event: Date) -> Option<Date> {
        let months = self.months?;
        let start = self.after.as_ref().map(|after| attributes.get(after).and_then(day));
        match start {
            Some(Some(start)) => later(start, months),
            Some(None) => later(event, self.otherwise_months.unwrap_or(months)),
            None => later(event, months),
        }
    }
}

impl Kept {
    /// By the rule that speaks of the record, if one does.
    pub(crate) fn of(
        retention: Option<&Retention>,
        attributes: &Map<String, Value>,
        event_time: OffsetTime,
    ) -> Self {
        let event = event_time.beijing_day();
        let least = later(event, KEPT_MONTHS_MIN);
        let asked = match retention {
            None => least,
            Some(retention) => retention.asked(attributes, event),
        };
        // A day beyond the calendar is none at all.
        asked.zip(least).map_or(Self::Always, |(asked, least)| Self::Until(asked.max(least)))
    }
}

fn later(day: Date, months: u16) -> Option<Date> {
    day.checked_add(Span::new().months(i64::from(months))).ok()
}

/// The day in China of a date or time among attributes.
fn day(value: &Value) -> Option<Date> {
    let text = value.as_str()?;
    let date = text.parse().ok().filter(|_| text.len() == 10);
    date.or_else(|| text.parse::<OffsetTime>().ok().map(OffsetTime::beijing_day))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(retention: Option<&Retention>, attributes: &Value) -> Kept {
        let time = "2026-11-01T23:30:00+08:00".parse().unwrap();
        Kept::of(retention, attributes.as_object().unwrap(), time)
    }

    fn until(day: &str) -> Kept {
        Kept::Until(day.parse().unwrap())
    }

    #[test]
    fn what_the_law_asks_counts_where_it_is_longer_than_what_the_platform_keeps() {
        let mut rule = Retention {
            name: String::from("疫苗"),
            events: vec![String::from("vaccinate")],
            months: Some(60),
            after: Some(String::from("expires_on")),
            otherwise_months: Some(84),
            basis: String::from("示例依据"),
        };
        assert_eq!(kept(Some(&rule), &json!({ "expires_on": "2028-08-31" })), until("2033-08-31"));
        let moment = json!({ "expires_on": "2028-08-30T17:00:00Z" });
        assert_eq!(kept(Some(&rule), &moment), until("2033-08-31"));
        assert_eq!(kept(Some(&rule), &json!({})), until("2033-11-01"));
        // Six months after an expiry next year is less than five years.
        rule.months = Some(6);
        assert_eq!(kept(Some(&rule), &json!({ "expires_on": "2027-01-31" })), until("2031-11-01"));
        assert_eq!(kept(None, &json!({})), until("2031-11-01"));
        rule.months = None;
        assert_eq!(kept(Some(&rule), &json!({})), Kept::Always);
        assert!(rule.is_for("vaccinate") && !rule.is_for("sale"));
    }

    #[test]
    fn shipped_packs_say_how_long_each_kind_of_record_is_kept() {
        let time = "2026-11-01T08:00:00+08:00".parse().unwrap();
        let kept = |domain: &str, event: &str, attributes: Value| {
            let pack = crate::domains::built_in().iter().find(|pack| pack.code == domain).unwrap();
            pack.kept(event, attributes.as_object().unwrap(), time)
        };
        let expires = json!({ "expires_on": "2030-01-31" });
        // Vaccines are drugs: whoever made, packed, sent or gave them keeps it as long.
        for event in ["manufacture", "aggregate", "ship", "receive", "transport", "vaccinate"] {
            assert_eq!(kept("drug", event, expires.clone()), until("2035-01-31"), "{event}");
            assert_eq!(kept("drug", event, json!({})), until("2034-11-01"), "{event}");
        }
        assert_eq!(
            kept("food", "retail", json!({ "expires_on": "2032-01-31" })),
            until("2032-07-31")
        );
        assert_eq!(kept("special_equipment", "manufacture", json!({})), Kept::Always);
        assert_eq!(kept("special_equipment", "fill", json!({})), until("2031-11-01"));
        assert_eq!(kept("dangerous", "waybill", json!({})), until("2031-11-01"));
    }
}
