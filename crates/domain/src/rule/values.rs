//! The attributes as rules read them: as days and moments, as numbers, as people say them.

use jiff::civil::Date;
use serde_json::{Map, Value};
use yj_model::{Detection, Measured, OffsetTime, Quantity};

use super::{Broken, EVENT_TIME};
use crate::field::{FieldKind, Schema};

/// A day, or a moment of it.
#[derive(Clone, Copy)]
pub(super) enum When {
    Day(Date),
    Moment(OffsetTime),
}

impl When {
    pub(super) fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Moment(time) => time.beijing_day(),
        }
    }

    pub(super) fn is_after(self, other: Self) -> bool {
        match (self, other) {
            (Self::Moment(left), Self::Moment(right)) => left.unix_ms() > right.unix_ms(),
            _ => self.day() > other.day(),
        }
    }
}

/// The first of these that is a field of the form, not the time of the event.
pub(super) fn own(names: [&String; 2]) -> String {
    let [first, second] = names;
    if first == EVENT_TIME { second.clone() } else { first.clone() }
}

#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) schema: Schema<'a>,
    pub(super) attributes: &'a Map<String, Value>,
}

impl Values<'_> {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.attributes.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub(super) fn when(&self, name: &str) -> Option<When> {
        if name == EVENT_TIME {
            return self.schema.event_time.map(When::Moment);
        }
        let text = self.text(name)?;
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10).map(When::Day);
        day.or_else(|| text.parse().ok().map(When::Moment))
    }

    pub(super) fn number(&self, name: &str) -> Option<Quantity> {
        self.text(name)?.parse().ok()
    }

    /// What a laboratory found.
    pub(super) fn measured(&self, name: &str) -> Option<Measured> {
        self.text(name)?.parse().ok()
    }

    /// What its method can see.
    pub(super) fn detection(&self, (lod, loq): (Option<&str>, Option<&str>)) -> Detection {
        let number = |name: Option<&str>| self.number(name?);
        Detection { detects: number(lod), quantifies: number(loq) }
    }

    pub(super) fn is_there(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub(super) fn is_one_of(&self, name: &str, codes: &[String]) -> bool {
        self.text(name).is_some_and(|text| codes.contains(&text))
    }

    /// Whether the field that explains a breach is filled in.
    pub(super) fn explained(&self, unless: Option<&String>) -> bool {
        unless.is_some_and(|field| self.is_there(field))
    }

    /// Says that a breach may be recorded together with an explanation, where that is so.
    pub(super) fn or_explain(&self, broken: Broken, unless: Option<&String>) -> Broken {
        let (field, detail) = broken;
        match unless {
            Some(unless) => (field, format!("{detail}；确属实情的，请填写{}", self.label(unless))),
            None => (field, detail),
        }
    }

    pub(super) fn label(&self, name: &str) -> &str {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        field.map_or("发生时间", |field| field.label.as_str())
    }

    /// “启运时间（2026-11-01T08:00:00+08:00）”; codes by their labels.
    pub(super) fn shown(&self, name: &str) -> String {
        let text = if name == EVENT_TIME {
            self.schema.event_time.map(OffsetTime::in_words)
        } else {
            self.text(name).map(|text| self.timed(name, text))
        };
        let text = text.unwrap_or_default();
        format!("{}（{}）", self.label(name), self.as_code(name, &text))
    }

    /// A time of a field as people say it; any other text as it is.
    fn timed(&self, name: &str, text: String) -> String {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        match field.map(|field| field.kind) {
            Some(FieldKind::Time) => OffsetTime::text_in_words(&text),
            _ => text,
        }
    }

    /// A value of a field as people say it.
    pub(super) fn as_code<'b>(&'b self, name: &str, text: &'b str) -> &'b str {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        let code = field.and_then(|field| field.codes.iter().find(|(code, _)| *code == text));
        match (code, text) {
            (Some((_, label)), _) => label.as_str(),
            (None, "true") => "是",
            (None, "false") => "否",
            (None, text) => text,
        }
    }
}
