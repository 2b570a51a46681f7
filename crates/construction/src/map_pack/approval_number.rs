//! 审图号 (地图管理条例): who approved a map, in which year, under which number.

use std::{fmt, str::FromStr};

use yj_model::{Rejected, narrow};

/// What an authority writes before the year, and the two digits of its province. 港澳台 have none of
/// their own: their maps are approved by the nation.
const PROVINCES: &[(char, &str)] = &[
    ('京', "11"),
    ('津', "12"),
    ('冀', "13"),
    ('晋', "14"),
    ('蒙', "15"),
    ('辽', "21"),
    ('吉', "22"),
    ('黑', "23"),
    ('沪', "31"),
    ('苏', "32"),
    ('浙', "33"),
    ('皖', "34"),
    ('闽', "35"),
    ('赣', "36"),
    ('鲁', "37"),
    ('豫', "41"),
    ('鄂', "42"),
    ('湘', "43"),
    ('粤', "44"),
    ('桂', "45"),
    ('琼', "46"),
    ('渝', "50"),
    ('川', "51"),
    ('贵', "52"),
    ('黔', "52"),
    ('云', "53"),
    ('滇', "53"),
    ('藏', "54"),
    ('陕', "61"),
    ('甘', "62"),
    ('陇', "62"),
    ('青', "63"),
    ('宁', "64"),
    ('新', "65"),
];
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2099;
const DIGITS_MAX: usize = 6;

/// Who approved a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    Nation,
    /// Its two digits.
    Province(&'static str),
}

/// 审图号: `GS(2024)0650号`, `GS京(2023)1234号` of a map of the nation, `陕S(2024)012号` of a map
/// inside a province. Kept with half-width brackets and without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapApproval {
    text: String,
    year: i16,
    authority: Authority,
}

impl MapApproval {
    /// The number in its one form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The year in which the map was approved.
    pub const fn year(&self) -> i16 {
        self.year
    }

    /// The two digits of the province whose authority approved it; nothing where it was approved
    /// for the nation.
    pub const fn province(&self) -> Option<&'static str> {
        match self.authority {
            Authority::Nation => None,
            Authority::Province(digits) => Some(digits),
        }
    }
}

impl fmt::Display for MapApproval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Of all brackets the half-width round one.
fn plain(letter: char) -> char {
    match narrow(letter).to_ascii_uppercase() {
        '〔' | '【' | '[' | '［' => '(',
        '〕' | '】' | ']' | '］' => ')',
        other => other,
    }
}

/// Whose authority stands before the year: nothing where there is no such authority.
fn authority(head: &str) -> Option<Authority> {
    let of = |letter: char| {
        PROVINCES.iter().find(|(short, _)| *short == letter).map(|(_, digits)| *digits)
    };
    if let Some(rest) = head.strip_prefix("GS") {
        // Approved by a province on behalf of the nation.
        let mut rest = rest.chars();
        return match (rest.next(), rest.next()) {
            (None, _) => Some(Authority::Nation),
            (Some(letter), None) => of(letter).map(|_| Authority::Nation),
            _ => None,
        };
    }
    let mut letters = head.chars();
    let province = of(letters.next()?)?;
    let rest: Vec<char> = letters.collect();
    // A city of the province may stand between; some provinces write SG for public maps.
    let sound = match rest.as_slice() {
        ['S'] | ['S', 'G'] => true,
        [city, 'S'] | [city, 'S', 'G'] => {
            city.is_ascii_uppercase() || ('\u{4E00}'..='\u{9FFF}').contains(city)
        }
        _ => false,
    };
    sound.then_some(Authority::Province(province))
}

impl FromStr for MapApproval {
    type Err = Rejected;

    fn from_str(text: &str) -> Result<Self, Rejected> {
        let wrong = || Rejected::new("应为批件上的审图号，如 GS(2024)0650号、陕S(2024)012号");
        let text: String =
            text.chars().filter(|letter| !letter.is_whitespace()).map(plain).collect();
        let (head, rest) = text.split_once('(').ok_or_else(wrong)?;
        let (year, rest) = rest.split_once(')').ok_or_else(wrong)?;
        let number = rest.strip_suffix('号').ok_or_else(wrong)?;
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year) || year.len() != 4 || !digits(number) || number.len() > DIGITS_MAX {
            return Err(wrong());
        }
        let authority = authority(head).ok_or_else(wrong)?;
        let year: i16 = year.parse().map_err(|_| wrong())?;
        if !YEARS.contains(&year) {
            return Err(wrong());
        }
        Ok(Self { text, year, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_written_it_is_kept_in_one_form() {
        for (written, kept, province) in [
            ("GS(2024)0650号", "GS(2024)0650号", None),
            (" ＧＳ（２０２４）０６５０号 ", "GS(2024)0650号", None),
            ("gs〔2024〕0650 号", "GS(2024)0650号", None),
            ("GS京（2023）1234号", "GS京(2023)1234号", None),
            ("陕S（2024）012号", "陕S(2024)012号", Some("61")),
            ("陕S【2024】012号", "陕S(2024)012号", Some("61")),
            ("鲁SG[2021]014号", "鲁SG(2021)014号", Some("37")),
            ("浙杭S(2023)12号", "浙杭S(2023)12号", Some("33")),
        ] {
            let read: MapApproval = written.parse().unwrap();
            assert_eq!((read.as_str(), read.province()), (kept, province), "{written}");
        }
    }

    #[test]
    fn what_is_no_approval_number_is_refused_with_what_would_be_right() {
        for text in [
            "",
            "示意图",
            "GS(2024)0650",
            "GS2024-0650号",
            "GS(24)0650号",
            "GS(2024)号",
            "GS(1024)1号",
            "S(2024)012号",
            "港S(2024)012号",
            "陕(2024)012号",
            "陕西安S(2024)1号",
            "GS京津(2024)1号",
            "GS(2024)1234567号",
            "GS(2024)06A0号",
            "GS(2024)0650号号",
        ] {
            let error = text.parse::<MapApproval>().unwrap_err();
            assert!(error.0.contains("GS(2024)0650号"), "{text}: {error}");
        }
    }
}
