//! How long records are kept: what the law asks of each kind of record (handbook §4.9), and never
//! less than the platform keeps everything.

use jiff::{Span, civil::Date};
use serde::Serialize;
use serde_json::{Map, Value};
use yj_model::{DocumentKind, OffsetTime};

/// What the platform keeps at least, in months, whatever a pack says.
pub const KEPT_MONTHS_MIN: u16 = 60;

/// What is asked for some event types, with the text that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// 事项
    pub name: String,
    /// The event types; every other one where there are none and no documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Kinds of 批次凭证, counted from the day they were made out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentKind>,
    /// 主体类型 that the text binds; all of them where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_kinds: Vec<String>,
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

/// Until when a record is kept; what is kept for good is kept longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// To the end of this day.
    Until(Date),
    /// For good.
    Always,
}

/// The record whose keeping is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// 事件类型
    pub event: &'a str,
    /// 主体类型
    pub subject_kind: &'a str,
    /// What it says.
    pub attributes: &'a Map<String, Value>,
    /// When it happened.
    pub event_time: OffsetTime,
}

/// What a pack asks for, and the rule that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Until when.
    pub kept: Kept,
    /// By which rule.
    pub rule: &'a Retention,
}

impl Retention {
    /// Whether it names this event type.
    fn names(&self, event: &str) -> bool {
        self.events.iter().any(|code| code == event)
    }

    /// Whether it speaks of every event type that no other rule names.
    pub(crate) fn is_rest(&self) -> bool {
        self.events.is_empty() && self.documents.is_empty()
    }

    /// Whether it may speak of this event type.
    pub(crate) fn is_for(&self, event: &str) -> bool {
        self.is_rest() || self.names(event)
    }

    /// Whether it binds subjects of this kind.
    fn binds(&self, subject_kind: &str) -> bool {
        self.subject_kinds.is_empty() || self.subject_kinds.iter().any(|kind| kind == subject_kind)
    }

    /// Until when the text asks for it.
    fn asked(&self, attributes: &Map<String, Value>, event: Date) -> Kept {
        let Some(months) = self.months else { return Kept::Always };
        let start = self.after.as_ref().map(|after| attributes.get(after).and_then(day));
        match start {
            Some(Some(start)) => later(start, months),
            Some(None) => later(event, self.otherwise_months.unwrap_or(months)),
            None => later(event, months),
        }
    }
}

/// What the platform itself keeps a record for, whatever a pack says.
pub fn kept_at_least(event_time: OffsetTime) -> Kept {
    kept_from(event_time.beijing_day())
}

/// The same from a day on.
pub fn kept_from(day: Date) -> Kept {
    later(day, KEPT_MONTHS_MIN)
}

/// What is asked of an event by the first rule that speaks of it.
pub(crate) fn asked_of_event<'a>(
    rules: &'a [Retention],
    record: Recorded<'_>,
) -> Option<Asked<'a>> {
    let named = rules.iter().any(|rule| rule.names(record.event));
    let speaks = |rule: &&Retention| {
        let of_event = rule.names(record.event) || (rule.is_rest() && !named);
        of_event && rule.binds(record.subject_kind)
    };
    let rule = rules.iter().find(speaks)?;
    let kept = rule.asked(record.attributes, record.event_time.beijing_day());
    Some(Asked { kept, rule })
}

/// What is asked of a 批次凭证 made out on a day: the longest, for it may go with goods of any of these.
pub fn asked_of_document<'a>(
    rules: impl Iterator<Item = &'a Retention>,
    (kind, subject_kind): (DocumentKind, &str),
    issued_on: Date,
) -> Option<Asked<'a>> {
    let speaks = |rule: &&Retention| rule.documents.contains(&kind) && rule.binds(subject_kind);
    // A paper does not hold the day that records are counted from.
    let months = |rule: &Retention| match rule.after {
        Some(_) => rule.otherwise_months.or(rule.months),
        None => rule.months,
    };
    let asked = rules.filter(speaks).map(|rule| Asked {
        kept: months(rule).map_or(Kept::Always, |months| later(issued_on, months)),
        rule,
    });
    asked.max_by_key(|asked| asked.kept)
}

impl Kept {
    /// Whether the time is not over on this day.
    pub fn lasts(self, today: Date) -> bool {
        self >= Self::Until(today)
    }

    /// The last day; `None` for good.
    pub const fn day(self) -> Option<Date> {
        match self {
            Self::Until(day) => Some(day),
            Self::Always => None,
        }
    }
}

/// A day beyond the calendar is none at all.
fn later(day: Date, months: u16) -> Kept {
    let day = day.checked_add(Span::new().months(i64::from(months)));
    day.map_or(Kept::Always, Kept::Until)
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
        let record = Recorded {
            event: "vaccinate",
            subject_kind: "01",
            attributes: attributes.as_object().unwrap(),
            event_time: "2026-11-01T23:30:00+08:00".parse().unwrap(),
        };
        let least = kept_at_least(record.event_time);
        let asked = asked_of_event(retention.map_or(&[], std::slice::from_ref), record);
        asked.map_or(least, |asked| asked.kept.max(least))
    }

    fn until(day: &str) -> Kept {
        Kept::Until(day.parse().unwrap())
    }

    #[test]
    fn what_the_law_asks_counts_where_it_is_longer_than_what_the_platform_keeps() {
        let mut rule = Retention {
            name: String::from("疫苗"),
            events: vec![String::from("vaccinate")],
            documents: Vec::new(),
            subject_kinds: Vec::new(),
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
            let (attributes, subject_kind) = (attributes.as_object().unwrap(), "01");
            let asked =
                pack.asked(Recorded { event, subject_kind, attributes, event_time: time }).unwrap();
            asked.kept.max(kept_at_least(time))
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

    /// Months that a shipped pack has a record kept at least: the rows of handbook §4.9.
    #[test]
    fn every_row_of_the_table_of_retention_is_in_the_packs() {
        use DocumentKind::{
            Certificate, Commitment, Licence, LotRelease, Origin, Purchase, Quarantine, TestReport,
            Waybill,
        };
        let months = |domain: &str, event: &str| {
            let pack = crate::domains::built_in().iter().find(|pack| pack.code == domain).unwrap();
            let nothing = Map::new();
            let event_time = "2026-01-31T08:00:00+08:00".parse().unwrap();
            let record = Recorded { event, subject_kind: "01", attributes: &nothing, event_time };
            let rule = pack.asked(record).unwrap().rule;
            if rule.after.is_some() { rule.otherwise_months } else { rule.months }
        };
        for (domain, event, least) in [
            ("food", "produce", 24),
            ("food", "sale", 24),
            ("agri", "market_entry", 6),
            ("agri", "wholesale", 6),
            ("agri", "harvest", 24),
            ("drug", "ship", 60),
            ("drug", "vaccinate", 60),
            ("agri_input", "wholesale", 24),
            ("agri_input", "retail", 60),
            ("agri_input", "formulate", 60),
            ("special_equipment", "maintain", 48),
            ("special_equipment", "fill", 24),
            ("dangerous", "waybill", 12),
            ("dangerous", "sale", 12),
        ] {
            assert!(months(domain, event).unwrap() >= least, "{domain} {event}");
        }
        for event in ["manufacture", "register", "periodic", "install"] {
            assert_eq!(months("special_equipment", event), None, "{event}");
        }
        let paper = |domain: &str, kind| {
            let pack = crate::domains::built_in().iter().find(|pack| pack.code == domain).unwrap();
            let day = "2026-01-31".parse().unwrap();
            let asked = asked_of_document(pack.retention.iter(), (kind, "01"), day);
            asked.map(|asked| asked.kept)
        };
        for (domain, kind, kept) in [
            ("agri", Commitment, until("2026-07-31")),
            ("agri", Purchase, until("2026-07-31")),
            ("agri", Quarantine, until("2026-07-31")),
            ("agri", Origin, until("2026-07-31")),
            ("food", Purchase, until("2028-01-31")),
            ("food", TestReport, until("2028-01-31")),
            ("drug", Purchase, until("2031-01-31")),
            ("drug", LotRelease, until("2034-01-31")),
            ("agri_input", Purchase, until("2031-01-31")),
            ("special_equipment", Certificate, Kept::Always),
            ("special_equipment", TestReport, Kept::Always),
            ("dangerous", Waybill, until("2027-01-31")),
            ("dangerous", Licence, until("2028-01-31")),
        ] {
            assert_eq!(paper(domain, kind), Some(kept), "{domain} {}", kind.label());
        }
    }

    #[test]
    fn a_rule_binds_whom_it_names_and_a_paper_is_kept_from_its_own_day() {
        let agri = crate::domains::built_in().iter().find(|pack| pack.code == "agri").unwrap();
        let nothing = Map::new();
        let event_time = "2026-11-01T08:00:00+08:00".parse().unwrap();
        let of = |event, subject_kind| {
            let record = Recorded { event, subject_kind, attributes: &nothing, event_time };
            agri.asked(record).map(|asked| asked.kept)
        };
        // 农产品质量安全法 makes enterprises and 合作社 keep production records, and asks farmers to.
        assert_eq!(of("harvest", "03"), Some(until("2028-11-01")));
        assert_eq!(of("harvest", "07"), None);
        assert_eq!(of("transport", "03"), None);
        assert_eq!(of("wholesale", "02"), Some(until("2027-05-01")));
        let inputs =
            crate::domains::built_in().iter().find(|pack| pack.code == "agri_input").unwrap();
        let applied = |subject_kind| {
            let record =
                Recorded { event: "apply", subject_kind, attributes: &nothing, event_time };
            inputs.asked(record).map(|asked| asked.kept)
        };
        assert_eq!(applied("01"), Some(until("2028-11-01")));
        assert_eq!(applied("07"), None, "what a rule names for others is not among the rest");
        let paper = |kind, day: &str| {
            let asked =
                asked_of_document(agri.retention.iter(), (kind, "07"), day.parse().unwrap());
            asked.map(|asked| asked.kept)
        };
        assert_eq!(paper(DocumentKind::Commitment, "2026-08-31"), Some(until("2027-02-28")));
        assert_eq!(paper(DocumentKind::Waybill, "2026-08-31"), None);
        assert!(until("2027-02-28").lasts("2027-02-28".parse().unwrap()));
        assert!(!until("2027-02-28").lasts("2027-03-01".parse().unwrap()));
        assert!(Kept::Always.lasts("9999-12-31".parse().unwrap()));
    }
}
