//! How people and office programs write days, moments and amounts into cells. What can mean one thing only
//! is read as that; everything else is left to be refused as it was written.

/// A day as `2026-11-01`: written so, or as `2026/11/1`, `2026.11.1`, `2026年11月1日` or `20261101`.
/// `None` where it is written in any other way; whether there is such a day is for others to say.
pub fn day(text: &str) -> Option<String> {
    let text = narrow(text);
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
    }
    let (year, rest) = text.split_once(['-', '/', '.', '年'])?;
    let (month, last) = rest.split_once(['-', '/', '.', '月'])?;
    let last = last.strip_suffix('日').unwrap_or(last);
    let [year, month, last] =
        [(year, 4), (month, 2), (last, 2)].map(|(part, most)| digits(part, most));
    Some(format!("{:0>4}-{:0>2}-{:0>2}", year.filter(|year| year.len() == 4)?, month?, last?))
}

/// A moment in Beijing as `2026-11-01T08:05:00+08:00`: a day, alone or with `8:05`, `08:05:30` or
/// `8时5分` behind it. `None` where it is written in any other way.
pub fn moment(text: &str) -> Option<String> {
    let text = narrow(text);
    let text = text.trim();
    let (first, clock) = match text.split_once([' ', 'T']) {
        Some((first, clock)) => (first, clock.trim()),
        // 2026年11月1日8时5分
        None => match text.split_once('日') {
            Some((first, clock)) => (first, clock),
            None => (text, ""),
        },
    };
    let first = day(first)?;
    if clock.is_empty() {
        return Some(format!("{first}T00:00:00+08:00"));
    }
    let clock = clock.trim_end_matches(['分', '秒']);
    let mut parts = clock.split([':', '时', '分']).filter(|part| !part.is_empty());
    let [hour, minute, second] = [parts.next(), parts.next(), parts.next()];
    // An hour alone is a clock only where it says so.
    let minute = minute.or_else(|| clock.ends_with('时').then_some("0"));
    if parts.next().is_some() {
        return None;
    }
    let two = |part: &str| digits(part, 2).map(|part| format!("{part:0>2}"));
    let (hour, minute, second) = (two(hour?)?, two(minute?)?, two(second.unwrap_or("0"))?);
    Some(format!("{first}T{hour}:{minute}:{second}+08:00"))
}

/// An amount without what office programs put into it to be read: `1,200.50` is `1200.50`, and full-width
/// figures are figures. Anything else stays as it is.
pub fn amount(text: &str) -> String {
    let narrowed = narrow(text);
    let narrowed = narrowed.trim();
    let (sign, rest) = match narrowed.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", narrowed),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = digits(first, 3).is_some()
        && whole.contains(',')
        && groups.all(|group| group.len() == 3 && digits(group, 3).is_some());
    if !grouped {
        return String::from(narrowed);
    }
    let whole: String = whole.split(',').collect();
    fraction
        .map_or_else(|| format!("{sign}{whole}"), |fraction| format!("{sign}{whole}.{fraction}"))
}

/// Whether an office program wrote a long number as `1.23457E+19`, its last digits lost.
pub fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.trim().split_once("E+") else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole, 1).is_some() && digits(fraction, 15).is_some() && digits(exponent, 3).is_some()
}

fn digits(text: &str, most: usize) -> Option<&str> {
    let sound = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then_some(text)
}

/// With full-width figures and signs, as keyboards in Chinese mode produce them, made narrow.
fn narrow(text: &str) -> String {
    text.chars().map(yj_model::narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_offices_write_it() {
        for text in [
            "2026-11-01",
            "2026/11/1",
            "2026.11.01",
            "2026年11月1日",
            "20261101",
            " ２０２６/１１/１ ",
        ] {
            assert_eq!(day(text).as_deref(), Some("2026-11-01"), "{text}");
        }
        for text in
            ["11/1/2026", "2026-11", "26-11-1", "明天", "2026-11-01 08:00", "46346", "2026-1-1-1"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_read_as_offices_write_it() {
        for text in [
            "2026-11-01 08:05",
            "2026-11-01T08:05:00",
            "2026/11/1 8:05",
            "2026/11/1  8:05:00",
            "2026年11月1日 8时5分",
            "2026年11月1日8时05分",
            "20261101 0:0".replace("0:0", "8:5").as_str(),
        ] {
            assert_eq!(moment(text).as_deref(), Some("2026-11-01T08:05:00+08:00"), "{text}");
        }
        assert_eq!(moment("2026/11/1").as_deref(), Some("2026-11-01T00:00:00+08:00"));
        assert_eq!(moment("2026年11月1日8时").as_deref(), Some("2026-11-01T08:00:00+08:00"));
        for text in [
            "11/1/2026 8:05",
            "2026-11-01T08:05:00+08:00",
            "2026-11-01 8",
            "2026-11-01 上午 8:05",
            "46346.33",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_number_that_lost_its_end_is_known_by_its_form() {
        for text in ["1.23457E+19", "9E+17", " 8.10000100000000E+19 "] {
            assert!(is_rounded(text), "{text}");
        }
        for text in ["12.3E+19", "1E+", "A1E+19", "1.2E-5", "LOT-1E+2", "1.23457"] {
            assert!(!is_rounded(text), "{text}");
        }
    }

    #[test]
    fn separators_of_thousands_are_not_part_of_an_amount() {
        for (text, meant) in [
            ("1,200.50", "1200.50"),
            ("12,345,678", "12345678"),
            ("-1,000", "-1000"),
            ("１００．５", "100.5"),
            ("100", "100"),
            // A comma that separates anything else is not taken away.
            ("1,2", "1,2"),
            ("1234,567", "1234,567"),
            ("12,34", "12,34"),
            ("100千克", "100千克"),
        ] {
            assert_eq!(amount(text), meant);
        }
    }
}
