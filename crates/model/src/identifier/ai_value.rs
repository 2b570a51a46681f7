//! The forms of values: letters, lengths, check digits, dates. Each refusal says what would be right.

use super::{coupon, iso};
use crate::{Rejected, gs1_mod10};

/// Which letters a part may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    Digits,
    /// GS1's 82 letters.
    Text,
    /// The 39 of component and part identifiers.
    Parts,
    /// The 64 that addresses need not escape, of digital signatures, with `=`.
    Url,
}

/// What a part must be besides its letters and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    None,
    /// The last digit checks the others, modulo 10.
    Check,
    /// The last two letters check the others.
    Pair,
    /// The same, and a letter among the digits.
    PairWithLetter,
    /// A company prefix comes first: at least four digits.
    Company,
    /// YYMMDD
    Day,
    /// YYMMDD, where DD = 00 is the last day of the month.
    DayOrMonth,
    /// YYYYMMDD
    LongDay,
    Hour,
    Minute,
    HourMinute,
    /// The same, or 9999 where no time is told.
    HourMinuteOrNone,
    Country,
    /// The same, or 999 for more than one.
    CountryOrAny,
    CountryAlpha,
    Currency,
    Flag,
    Zero,
    /// Not all digits are 0.
    NotZero,
    /// Two digits of two: the second not less than the first, neither 00.
    PieceOfTotal,
    /// `1/2`
    OfTotal,
    /// No 0 in front.
    Plain,
    Hyphen,
    Geo,
    Sex,
    Iban,
    Index,
    Media,
    Winding,
    /// `%XX` where it stands for a letter, well formed.
    Escaped,
    /// `=` only at the end, at most two.
    Padded,
    /// The fields of AI (8110).
    Coupon,
    /// The fields of AI (8112).
    CouponOffer,
}

/// A part of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    letters: Letters,
    least: usize,
    most: usize,
    optional: bool,
    rule: Rule,
}

impl Part {
    const fn new(letters: Letters, least: usize, most: usize) -> Self {
        Self { letters, least, most, optional: false, rule: Rule::None }
    }

    /// So many digits.
    pub(super) const fn digits(count: usize) -> Self {
        Self::new(Letters::Digits, count, count)
    }

    /// 1 to so many digits.
    pub(super) const fn up_to(most: usize) -> Self {
        Self::new(Letters::Digits, 1, most)
    }

    /// 1 to so many letters.
    pub(super) const fn text(most: usize) -> Self {
        Self::new(Letters::Text, 1, most)
    }

    /// Exactly so many letters.
    pub(super) const fn text_of(count: usize) -> Self {
        Self::new(Letters::Text, count, count)
    }

    /// So many letters, by a rule of their own.
    pub(super) const fn letters(count: usize) -> Self {
        Self::new(Letters::Text, count, count)
    }

    pub(super) const fn part_text(most: usize) -> Self {
        Self::new(Letters::Parts, 1, most)
    }

    pub(super) const fn url_text(most: usize) -> Self {
        Self::new(Letters::Url, 1, most)
    }

    pub(super) const fn of(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }

    /// May be left out with all that follows.
    pub(super) const fn maybe(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(super) fn longest(&self) -> usize {
        self.most
    }

    /// What it has at least; nothing where it may be left out.
    pub(super) fn shortest(&self) -> usize {
        if self.optional { 0 } else { self.least }
    }

    /// Whether it holds digits alone.
    pub(super) fn is_digits(&self) -> bool {
        self.letters == Letters::Digits
    }

    /// How many letters the grammar fixes.
    pub(super) fn fixed(&self) -> usize {
        match self.rule {
            Rule::Check | Rule::Zero => 1,
            Rule::Pair | Rule::PairWithLetter => 2,
            _ => 0,
        }
    }
}

/// Whether a letter is one of GS1's 82.
fn is_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'()*+,-./_:;<=>?".contains(&byte)
}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Rejected> {
    Err(Rejected::new(sentence))
}

/// Checks a value against its form.
pub(super) fn check(form: &[Part], value: &str) -> Result<(), Rejected> {
    let least: usize = form.iter().filter(|part| !part.optional).map(|part| part.least).sum();
    let most: usize = form.iter().map(|part| part.most).sum();
    let length = value.chars().count();
    if !(least..=most).contains(&length) {
        let wanted = if least == most { most.to_string() } else { format!("{least} 至 {most}") };
        return refuse(format!("应为 {wanted} 位，现为 {length} 位"));
    }
    // One of these letters is one byte; what is none is refused by the part that it is in.
    if !value.is_ascii() {
        return refuse(wrong_letter(
            form[0].letters,
            value.chars().find(|letter| !letter.is_ascii()),
        ));
    }
    let mut rest = value;
    for part in form {
        if rest.is_empty() && part.optional {
            break;
        }
        let (piece, behind) = rest.split_at(part.most.min(rest.len()));
        part.check(piece)?;
        rest = behind;
    }
    Ok(())
}

fn wrong_letter(letters: Letters, letter: Option<char>) -> String {
    let letter = letter.map(String::from).unwrap_or_default();
    match letters {
        Letters::Digits => format!("只应含数字，现有 {letter}"),
        Letters::Text => {
            format!("只应含字母、数字和 ! \" % & ' ( ) * + , - . / _ : ; < = > ?，现有 {letter}")
        }
        Letters::Parts => format!("只应含大写字母、数字和 # - /，现有 {letter}"),
        Letters::Url => format!("只应含字母、数字和 - _ =，现有 {letter}"),
    }
}

impl Part {
    fn check(&self, text: &str) -> Result<(), Rejected> {
        if !(self.least..=self.most).contains(&text.len()) {
            return refuse(format!("其中一段应为 {} 位，现为 {} 位", self.least, text.len()));
        }
        let fits = |byte: u8| match self.letters {
            Letters::Digits => byte.is_ascii_digit(),
            Letters::Text => is_82(byte),
            Letters::Parts => {
                byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"#-/".contains(&byte)
            }
            Letters::Url => byte.is_ascii_alphanumeric() || b"-_=".contains(&byte),
        };
        if let Some(wrong) = text.bytes().find(|byte| !fits(*byte)) {
            return refuse(wrong_letter(self.letters, Some(char::from(wrong))));
        }
        rule(self.rule, text)
    }
}

fn rule(rule: Rule, text: &str) -> Result<(), Rejected> {
    let wanted = |sound: bool, sentence: &str| {
        if sound { Ok(()) } else { refuse(format!("{sentence}，现为 {text}")) }
    };
    match rule {
        Rule::None => Ok(()),
        Rule::Check => check_digit(text),
        Rule::Pair => check_pair(text),
        Rule::PairWithLetter => {
            let has_letter = text.bytes().any(|byte| !byte.is_ascii_digit());
            wanted(has_letter, "不应只含数字").and_then(|()| check_pair(text))
        }
        Rule::Company => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            wanted(digits >= 4, "应以厂商识别代码（数字）开头")
        }
        Rule::Day => day(text, false),
        Rule::DayOrMonth => day(text, true),
        Rule::LongDay => long_day(text),
        Rule::Hour => hour(text),
        Rule::Minute => minute(text),
        Rule::HourMinuteOrNone if text == "9999" => Ok(()),
        Rule::HourMinute | Rule::HourMinuteOrNone => {
            hour(&text[..2]).and_then(|()| minute(&text[2..]))
        }
        Rule::Country => wanted(iso::is_country(text), "应为 ISO 3166 的三位国家数字代码，如 156"),
        Rule::CountryOrAny => wanted(
            text == "999" || iso::is_country(text),
            "前三位应为 ISO 3166 的国家数字代码，或 999",
        ),
        Rule::CountryAlpha => {
            wanted(iso::is_country_alpha(text), "应为 ISO 3166 的两位国家字母代码，如 CN")
        }
        Rule::Currency => {
            wanted(iso::is_currency(text), "应为 ISO 4217 的三位货币数字代码，如 156")
        }
        Rule::Flag => wanted(matches!(text, "0" | "1"), "应为 0 或 1"),
        Rule::Zero => wanted(text == "0", "第一位应为 0"),
        Rule::NotZero => wanted(text.bytes().any(|byte| byte != b'0'), "其中一段不应为 0"),
        Rule::PieceOfTotal => {
            let (piece, total) = text.split_at(2);
            wanted(piece != "00" && piece <= total, "组件序号应为 01 至组件总数")
        }
        Rule::OfTotal => {
            let bytes = text.as_bytes();
            let sound = bytes[1] == b'/'
                && bytes[0].is_ascii_digit()
                && bytes[2].is_ascii_digit()
                && bytes[0] != b'0'
                && bytes[0] <= bytes[2];
            wanted(sound, "应为 序号/总数，如 1/2")
        }
        Rule::Plain => wanted(text == "0" || !text.starts_with('0'), "不应以 0 开头"),
        Rule::Hyphen => wanted(text == "-", "末位只能是 -，表示零下"),
        Rule::Geo => {
            let (lat, lon) = text.split_at(10);
            wanted(lat <= "1800000000" && lon <= "3600000000", "应为 10 位纬度与 10 位经度")
        }
        Rule::Sex => wanted(matches!(text, "0" | "1" | "2" | "9"), "应为 0、1、2 或 9"),
        Rule::Iban => wanted(is_iban(text), "应为校验正确的国际银行账号"),
        Rule::Index => wanted(
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            "进口商索引应为字母、数字、- 或 _",
        ),
        Rule::Media => {
            let number: u32 = text.parse().unwrap_or(0);
            wanted((1..=10).contains(&number) || number >= 80, "应为 01 至 10 或 80 至 99")
        }
        Rule::Winding => wanted(matches!(text, "0" | "1" | "9"), "卷绕方向应为 0、1 或 9"),
        Rule::Escaped => wanted(is_escaped(text), "百分号之后应为两位十六进制数字"),
        Rule::Padded => {
            let body = text.trim_end_matches('=');
            let sound = !body.is_empty() && !body.contains('=') && text.len() - body.len() <= 2;
            wanted(sound, "= 只应在末尾，至多两个")
        }
        Rule::Coupon => coupon::coupon(text),
        Rule::CouponOffer => coupon::coupon_offer(text),
    }
}

/// The one sentence about a wrong check digit.
pub(super) fn check_digit(text: &str) -> Result<(), Rejected> {
    let (body, check) = text.split_at(text.len() - 1);
    let right = gs1_mod10(body.as_bytes()).map(char::from).unwrap_or_default();
    if check.starts_with(right) {
        return Ok(());
    }
    refuse(format!("校验位应为 {right}，现为 {check}"))
}

/// GS1's pair of check letters: places weighted by the primes from the right, modulo 1021.
fn check_pair(text: &str) -> Result<(), Rejected> {
    const LETTERS: &[u8] =
        b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    const CHECKS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    const PRIMES: [usize; 23] =
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];
    if text.len() < 6 {
        return refuse(format!("应为 6 至 25 位，现为 {} 位", text.len()));
    }
    rule(Rule::Company, text)?;
    let (body, check) = text.split_at(text.len() - 2);
    let value = |byte: u8| LETTERS.iter().position(|&known| known == byte).unwrap_or(0);
    let sum: usize = body.bytes().rev().zip(PRIMES).map(|(byte, prime)| value(byte) * prime).sum();
    let sum = sum % 1021;
    let right = [CHECKS[sum >> 5], CHECKS[sum & 31]].map(char::from);
    let right: String = right.iter().collect();
    if check == right {
        return Ok(());
    }
    refuse(format!("校验字符应为 {right}，现为 {check}"))
}

fn two(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

fn hour(text: &str) -> Result<(), Rejected> {
    if two(text) < 24 { Ok(()) } else { refuse(format!("时应为 00 至 23，现为 {text}")) }
}

fn minute(text: &str) -> Result<(), Rejected> {
    if two(text) < 60 {
        Ok(())
    } else {
        refuse(format!("分、秒应为 00 至 59，现为 {text}"))
    }
}

/// Within fifty years of today every fourth year has a 29th of February.
pub(super) fn day(text: &str, of_month: bool) -> Result<(), Rejected> {
    dated(two(&text[..2]) + 2000, &text[2..], of_month)
}

fn long_day(text: &str) -> Result<(), Rejected> {
    dated(text[..4].parse().unwrap_or(0), &text[4..], false)
}

fn dated(year: u32, text: &str, of_month: bool) -> Result<(), Rejected> {
    let (month, day) = text.split_at(2);
    let number = two(month);
    if !(1..=12).contains(&number) {
        return refuse(format!("日期的月份应为 01 至 12，现为 {month}"));
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match number {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let first = u32::from(!of_month);
    if (first..=last).contains(&two(day)) {
        return Ok(());
    }
    let also = if of_month { "，或 00 表示当月最后一日" } else { "" };
    refuse(format!("{number} 月的日期应为 01 至 {last}{also}，现为 {day}"))
}

fn is_escaped(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.all(|part| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// ISO 13616: a country, two check digits and the account; the first four letters behind the others,
/// letters as numbers from 10, modulo 97.
fn is_iban(text: &str) -> bool {
    let letters = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let checks = text.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit());
    if text.len() <= 10 || !letters || !checks || !iso::is_country_alpha(&text[..2]) {
        return false;
    }
    let turned = text.bytes().skip(4).chain(text.bytes().take(4));
    let rest = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(rule: Rule, text: &str) -> String {
        super::rule(rule, text).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn days_of_months_are_known_and_day_00_only_where_it_may_be() {
        for (rule, text, word) in [
            (Rule::DayOrMonth, "270501", ""),
            (Rule::DayOrMonth, "270200", ""),
            (Rule::DayOrMonth, "280229", ""),
            (Rule::DayOrMonth, "270229", "01 至 28"),
            (Rule::DayOrMonth, "270231", "01 至 28"),
            (Rule::DayOrMonth, "271301", "月份应为 01 至 12，现为 13"),
            (Rule::DayOrMonth, "270001", "月份"),
            (Rule::Day, "270200", "现为 00"),
            (Rule::Day, "270630", ""),
            (Rule::LongDay, "19000229", "28"),
            (Rule::LongDay, "20000229", ""),
            (Rule::HourMinute, "2359", ""),
            (Rule::HourMinute, "2400", "时应为"),
            (Rule::HourMinute, "1260", "分"),
            (Rule::HourMinuteOrNone, "9999", ""),
        ] {
            let said = said(rule, text);
            assert!(said.contains(word) && said.is_empty() == word.is_empty(), "{text}: {said}");
        }
    }

    #[test]
    fn published_checks_are_right() {
        // GS1 General Specifications, the example of AI (8013).
        assert_eq!(said(Rule::Pair, "1987654Ad4X4bL5ttr2310c2K"), "");
        assert!(said(Rule::Pair, "1987654Ad4X4bL5ttr2310cXK").contains("应为 2K"));
        assert_eq!(said(Rule::Check, "106141412345678908"), "");
        assert_eq!(said(Rule::Check, "6901234567893"), "校验位应为 2，现为 3");
        assert_eq!(said(Rule::Iban, "GB82WEST12345698765432"), "");
        for wrong in ["GB82WEST12345698765433", "XX361234567890", "GB82", "1234567890123456"] {
            assert!(said(Rule::Iban, wrong).contains("银行"), "{wrong}");
        }
        assert_eq!(said(Rule::PairWithLetter, "1987654Ad4X4bL5ttr2310c2K"), "");
        assert!(said(Rule::PairWithLetter, "123456").contains("不应只含数字"));
    }

    #[test]
    fn small_rules_say_what_would_be_right() {
        for (rule, right, wrong) in [
            (Rule::PieceOfTotal, "0102", "0201"),
            (Rule::PieceOfTotal, "0202", "0002"),
            (Rule::Plain, "10", "010"),
            (Rule::OfTotal, "1/2", "2/1"),
            (Rule::Geo, "02790858483015297971", "18000000010000000000"),
            (Rule::Country, "156", "157"),
            (Rule::CountryOrAny, "999", "998"),
            (Rule::Escaped, "A%20B", "A%2"),
            (Rule::Media, "80", "11"),
            (Rule::Company, "6901A", "690A"),
            (Rule::NotZero, "0100", "0000"),
            (Rule::Padded, "AB_-==", "A=B"),
            (Rule::Padded, "ABC", "AB==="),
        ] {
            assert_eq!(said(rule, right), "", "{right}");
            assert!(!said(rule, wrong).is_empty(), "{wrong}");
        }
    }
}
