//! Points in time as RFC 3339 writes them.

use std::borrow::Cow;

/// A point in time: milliseconds since 1970-01-01T00:00Z. What is finer is rounded, halves up
/// (CBV 2.0 §8.9, and GS1's tools).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads `2024-05-01T08:00:00.5+08:00`; `None` when it is no date-time with an offset.
    pub fn parse(text: &str) -> Option<Self> {
        Moment::parse(text).map(|moment| moment.rounded())
    }
}

/// A point in time with whatever was written of it, however fine: what conditions compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00Z.
    seconds: i64,
    /// Digits behind the point, without zeros at their end: their order is that of the fractions.
    fraction: String,
}

impl Moment {
    /// Reads a date-time with an offset, as [`Instant::parse`] does.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let at = |index: usize, wanted: &[u8]| bytes.get(index).is_some_and(|b| wanted.contains(b));
        let shaped = at(4, b"-") && at(7, b"-") && at(10, b"Tt") && at(13, b":") && at(16, b":");
        if !shaped {
            return None;
        }
        let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let sound = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !sound {
            return None;
        }
        let (fraction, zone) = fraction(bytes.get(19..)?)?;
        let offset = offset_minutes(zone)?;
        let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset;
        Some(Self { seconds: minutes * 60 + second, fraction })
    }

    /// The same in milliseconds.
    pub fn rounded(&self) -> Instant {
        let digit =
            |at: usize| self.fraction.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
        let millis = digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5);
        Instant(self.seconds * 1000 + millis)
    }
}

impl From<Instant> for Moment {
    fn from(Instant(ms): Instant) -> Self {
        let fraction = format!("{:03}", ms.rem_euclid(1000));
        let fraction = String::from(fraction.trim_end_matches('0'));
        Self { seconds: ms.div_euclid(1000), fraction }
    }
}

/// The midnight at the end of a day, which XML Schema writes `24:00:00` and JSON does not know, as the
/// beginning of the next day; `None` where a text is no such time.
pub(crate) fn end_of_day(text: &str) -> Option<String> {
    let (date, rest) = text.split_once("T24:00:00")?;
    let zone = rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches('0'));
    let day = Moment::parse(&format!("{date}T00:00:00Z"))?;
    Moment::parse(&format!("{date}T00:00:00{zone}"))?;
    let next = Instant(day.rounded().0 + 86_400_000).to_string();
    let (date, _) = next.split_once('T')?;
    Some(format!("{date}T00:00:00{zone}"))
}

/// Whether a time is in a second 60, which RFC 3339 writes for leap seconds.
pub(crate) fn is_leap_second(text: &str) -> bool {
    text.as_bytes().get(16..19) == Some(b":60")
}

/// A time as XML Schema can write it, which has no second 60: there the beginning of the next minute,
/// which is the same point in time.
pub(crate) fn for_xml(text: &str) -> Cow<'_, str> {
    let minute = text.get(..16).filter(|_| is_leap_second(text));
    let begin = minute.and_then(|minute| Instant::parse(&format!("{minute}:00Z")));
    let Some((Instant(ms), rest)) = begin.zip(text.get(19..)) else { return text.into() };
    let next = Instant(ms + 60_000).to_string();
    format!("{}{rest}", next.split_at(19).0).into()
}

impl std::fmt::Display for Instant {
    /// `2024-05-01T00:00:00.500Z`, always in UTC and with three digits.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, millis) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:")?;
        write!(out, "{:02}.{millis:03}Z", second % 60)
    }
}

/// Whether this is an `eventTimeZoneOffset`: a sign, and at most fourteen hours.
pub(crate) fn is_zone_offset(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [b'+' | b'-', _, _, b':', _, _])
        && matches!((digits(&bytes[1..3]), digits(&bytes[4..6])),
            (Some(hours), Some(minutes)) if minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0)))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let all = bytes.iter().all(u8::is_ascii_digit) && !bytes.is_empty();
    all.then(|| bytes.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// Digits of a fraction, and what comes after it.
fn fraction(rest: &[u8]) -> Option<(String, &[u8])> {
    let Some((b'.', after)) = rest.split_first() else { return Some((String::new(), rest)) };
    let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = after.split_at(count);
    let digits = String::from_utf8_lossy(digits);
    (count > 0).then(|| (String::from(digits.trim_end_matches('0')), rest))
}

fn offset_minutes(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
            let total = hours * 60 + minutes;
            let sound = hours < 24 && minutes < 60;
            sound.then_some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, counting years from March so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let in_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + in_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc_with_three_digits() {
        for (text, told) in [
            ("2020-03-04T11:00:30.000+01:00", "2020-03-04T10:00:30.000Z"),
            ("2023-02-02T11:04:03.1415Z", "2023-02-02T11:04:03.142Z"),
            ("2023-02-02T11:04:03.14149Z", "2023-02-02T11:04:03.141Z"),
            ("2023-12-31T23:59:59.9999-00:30", "2024-01-01T00:30:00.000Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00.000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ] {
            assert_eq!(Instant::parse(text).unwrap().to_string(), told);
        }
        for text in [
            "2023-02-29T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:00",
            "2023-01-01",
            "2023-13-01T00:00:00Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00+8:00",
            "",
            "2023-01-01T00:00:00Zx",
            "20230101T000000Z",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_a_millisecond_tells_one_moment_from_another() {
        let read = |text: &str| Moment::parse(&format!("2026-11-10T08:00:{text}")).unwrap();
        let order = ["00Z", "00.1234Z", "00.123456Z", "00.1235Z", "00.5Z", "00.500000001Z", "01Z"];
        assert!(order.windows(2).all(|pair| read(pair[0]) < read(pair[1])));
        assert_eq!(read("00.50Z"), Moment::from(read("00.5Z").rounded()));
        assert_eq!(Moment::from(Instant(-1)), Moment::parse("1969-12-31T23:59:59.999Z").unwrap());
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        for (text, wanted) in [
            ("2024-02-28T24:00:00Z", Some("2024-02-29T00:00:00Z")),
            ("2026-12-31T24:00:00.000+08:00", Some("2027-01-01T00:00:00+08:00")),
            ("2026-12-31T24:00:00.5+08:00", None),
            ("2026-12-31T24:00:01Z", None),
            ("2026-12-31T24:00:00", None),
            ("2026-12-31T23:00:00Z", None),
        ] {
            assert_eq!(end_of_day(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn xml_has_a_leap_second_as_the_beginning_of_the_next_minute() {
        for (text, wanted) in [
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2017-01-01T07:59:60.25+08:00", "2017-01-01T08:00:00.25+08:00"),
            ("2016-12-31T23:59:59Z", "2016-12-31T23:59:59Z"),
            ("2016-12-31T23:61:60Z", "2016-12-31T23:61:60Z"),
            ("60", "60"),
        ] {
            assert_eq!(for_xml(text), wanted);
            assert_eq!(Instant::parse(&for_xml(text)), Instant::parse(text), "{text}");
        }
    }

    #[test]
    fn offsets_reach_to_fourteen_hours() {
        assert!(["+00:00", "-13:59", "+14:00"].into_iter().all(is_zone_offset));
        assert!(!["+14:01", "08:00", "+8:00", "+08:60", "Z", ""].into_iter().any(is_zone_offset));
    }
}
