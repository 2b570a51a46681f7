//! Moments with the offset they were written in (GB/T 7408.1): one instant, and what the clock on
//! the wall said.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::Offset};

use crate::{Rejected, text::serde_as_text};

/// An instant with its original UTC offset, to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OffsetTime {
    unix_ms: i64,
    offset_minutes: i16,
}
serde_as_text!(OffsetTime);

impl OffsetTime {
    /// An instant as people in China write it.
    pub fn beijing(time: Timestamp) -> Self {
        Self { unix_ms: time.as_millisecond(), offset_minutes: 480 }
    }

    /// From stored parts.
    pub fn from_parts(unix_ms: i64, offset_minutes: i64) -> Result<Self, Rejected> {
        Timestamp::from_millisecond(unix_ms).map_err(|_| Rejected::new("时间超出范围"))?;
        let offset_minutes = i16::try_from(offset_minutes)
            .ok()
            .filter(|minutes| minutes.abs() <= 18 * 60)
            .ok_or_else(|| Rejected::new("时区偏移应在 ±18:00 之内"))?;
        Ok(Self { unix_ms, offset_minutes })
    }

    /// The instant.
    pub const fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// Minutes east of Greenwich.
    pub const fn offset_minutes(self) -> i64 {
        self.offset_minutes as i64
    }

    /// The day in China on which it happened; statistics count by it (handbook §5.1).
    pub fn beijing_day(self) -> Date {
        let time = Timestamp::from_millisecond(self.unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Offset::constant(8).to_datetime(time).date()
    }

    /// As people in China say it, whatever offset it was written with: `2026年11月19日 12:00`, with the
    /// seconds where there are some.
    pub fn in_words(self) -> String {
        let time = Timestamp::from_millisecond(self.unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let wall = Offset::constant(8).to_datetime(time);
        let seconds = match wall.second() {
            0 => String::new(),
            some => format!(":{some:02}"),
        };
        let (day, hour, minute) = (wall.date(), wall.hour(), wall.minute());
        format!("{}年{}月{}日 {hour:02}:{minute:02}{seconds}", day.year(), day.month(), day.day())
    }

    /// A text in which a time may be written, as people say it; any other as it is.
    pub fn text_in_words(text: &str) -> String {
        text.parse::<Self>().map_or_else(|_| String::from(text), Self::in_words)
    }
}

impl FromStr for OffsetTime {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为带时区偏移的时间，如 2026-11-01T08:00:00+08:00");
        let text = text.trim();
        if text.len() > 40 || !text.is_ascii() {
            return Err(wrong());
        }
        let time: Timestamp = text.parse().map_err(|_| wrong())?;
        let clock = text.get(11..).unwrap_or_default();
        let offset_minutes = match clock.find(['+', '-']) {
            Some(at) => offset(&clock[at..]).ok_or_else(wrong)?,
            None if clock.ends_with(['Z', 'z']) => 0,
            None => return Err(wrong()),
        };
        Self::from_parts(time.as_millisecond(), offset_minutes)
    }
}

/// `+08:00`, `+0800` or `+08`.
fn offset(text: &str) -> Option<i64> {
    let digits: String = text[1..].chars().filter(|letter| *letter != ':').collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = match digits.get(2..4) {
        Some(minutes) => minutes.parse().ok()?,
        None => 0,
    };
    let total = hours * 60 + minutes;
    Some(if text.starts_with('-') { -total } else { total })
}

impl fmt::Display for OffsetTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from_millisecond(self.unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset =
            Offset::from_seconds(i32::from(self.offset_minutes) * 60).unwrap_or(Offset::UTC);
        fmt::Display::fmt(&time.display_with_offset(offset), formatter)
    }
}

impl fmt::Debug for OffsetTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_offset_is_kept_and_the_instant_is_the_same() {
        let beijing: OffsetTime = "2026-11-01T08:00:00+08:00".parse().unwrap();
        let utc: OffsetTime = "2026-11-01T00:00:00Z".parse().unwrap();
        assert_eq!(beijing.unix_ms(), utc.unix_ms());
        assert_eq!(beijing.to_string(), "2026-11-01T08:00:00+08:00");
        assert_eq!(
            "2026-11-01T23:30:00Z".parse::<OffsetTime>().unwrap().beijing_day().to_string(),
            "2026-11-02"
        );
    }

    #[test]
    fn in_words_it_is_a_time_in_china() {
        let said = |text: &str| OffsetTime::text_in_words(text);
        assert_eq!(said("2026-11-19T04:00:00Z"), "2026年11月19日 12:00");
        assert_eq!(said("2026-11-19T23:05:09-08:00"), "2026年11月20日 15:05:09");
        assert_eq!(said("明天"), "明天");
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        for text in ["2026-11-01T08:00:00", "2026-11-01", "2026-13-01T08:00:00+08:00", "昨天", ""]
        {
            assert!(text.parse::<OffsetTime>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(unix_ms in 0i64..4_000_000_000_000, offset in -1080i64..=1080) {
            let time = OffsetTime::from_parts(unix_ms, offset).unwrap();
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
