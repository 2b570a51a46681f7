//! GS1 keys in their four syntaxes: Digital Link, element strings with brackets or FNC1, EPC URN, and
//! the bare number. All become one canonical path: `/01/06901234567892/10/L1/21/5`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Recognised, Scheme, path_of};
use crate::{Gln, Gtin, SgtinEpc, Sscc, gs1_mod10};

/// What a reader puts where the symbol has FNC1.
pub(super) const FNC1: char = '\u{1d}';

/// Everything but letters, digits and `- _ . ~` is written as `%XX`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How the value of an application identifier is made.
#[derive(Clone, Copy)]
enum Value {
    /// So many digits.
    Digits(usize),
    /// So many digits, the last of which is the check digit.
    Checked(usize),
    /// A GTIN of 8, 12, 13 or 14 digits where written alone; 14 in an element string.
    Trade,
    /// 1 to so many of the 82 letters.
    Text(usize),
    /// 14 digits with a check, then up to 16 letters (GRAI).
    Asset,
    /// A GTIN and two times two digits (ITIP).
    Piece,
}

/// One application identifier: its number, what we call it, its value, and the qualifiers that may
/// follow it in a path, in their order. Those without are attributes.
struct Ai {
    number: &'static str,
    name: &'static str,
    value: Value,
    qualifiers: Option<&'static [&'static str]>,
}

const fn key(
    number: &'static str,
    name: &'static str,
    value: Value,
    qualifiers: &'static [&'static str],
) -> Ai {
    Ai { number, name, value, qualifiers: Some(qualifiers) }
}

const fn other(number: &'static str, name: &'static str, value: Value) -> Ai {
    Ai { number, name, value, qualifiers: None }
}

const AIS: &[Ai] = &[
    key("00", "sscc", Value::Checked(18), &[]),
    key("01", "gtin", Value::Trade, &["22", "10", "21"]),
    key("414", "gln", Value::Checked(13), &["254"]),
    key("417", "party", Value::Checked(13), &[]),
    key("8003", "grai", Value::Asset, &[]),
    key("8004", "giai", Value::Text(30), &[]),
    key("8006", "itip", Value::Piece, &["22", "10", "21"]),
    key("8017", "gsrn_provider", Value::Checked(18), &["8019"]),
    key("8018", "gsrn_recipient", Value::Checked(18), &["8019"]),
    other("10", "lot", Value::Text(20)),
    other("11", "production_date", Value::Digits(6)),
    other("13", "packaging_date", Value::Digits(6)),
    other("15", "best_before", Value::Digits(6)),
    other("16", "sell_by", Value::Digits(6)),
    other("17", "expiry", Value::Digits(6)),
    other("20", "variant", Value::Digits(2)),
    other("21", "serial", Value::Text(20)),
    other("22", "consumer_variant", Value::Text(20)),
    other("02", "content", Value::Trade),
    other("30", "count", Value::Text(8)),
    other("37", "pieces", Value::Text(8)),
    other("235", "third_party_serial", Value::Text(28)),
    other("240", "additional_id", Value::Text(30)),
    other("241", "customer_part", Value::Text(30)),
    other("250", "secondary_serial", Value::Text(30)),
    other("251", "source", Value::Text(30)),
    other("254", "extension", Value::Text(20)),
    other("400", "order", Value::Text(30)),
    other("410", "ship_to", Value::Checked(13)),
    other("412", "purchased_from", Value::Checked(13)),
    other("413", "ship_for", Value::Checked(13)),
    other("415", "pay_to", Value::Checked(13)),
    other("416", "production_location", Value::Checked(13)),
    other("422", "origin", Value::Digits(3)),
    other("7003", "expiry_time", Value::Digits(10)),
    other("7007", "harvest_date", Value::Text(12)),
    other("8019", "service_instance", Value::Text(10)),
];

/// 310n to 316n, net content with a decimal point: always six digits.
const MEASURE: Ai = other("310n", "net_content", Value::Digits(6));

/// The identifier with this number.
fn by_number(number: &str) -> Option<&'static Ai> {
    let found = AIS.iter().find(|ai| ai.number == number);
    let measure = || {
        let digits = number.as_bytes();
        let known = digits.len() == 4 && digits.iter().all(u8::is_ascii_digit);
        (known && number.starts_with("31") && digits[2] <= b'6').then_some(&MEASURE)
    };
    found.or_else(measure)
}

/// The words that may stand for numbers in older links.
fn numbered(word: &str) -> &str {
    match word {
        "gtin" => "01",
        "sscc" => "00",
        "gln" => "414",
        "cpv" => "22",
        "lot" => "10",
        "ser" => "21",
        other => other,
    }
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn checked(text: &str, length: usize) -> bool {
    digits(text, length)
        && gs1_mod10(&text.as_bytes()[..length - 1]) == text.as_bytes().last().copied()
}

/// GS1's 82 letters.
fn is_82(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!\"%&'()*+,-./_:;<=>?".contains(letter)
}

impl Value {
    /// The value in its one form, if it is sound.
    fn accept(self, text: &str) -> Option<String> {
        let sound = match self {
            Self::Digits(length) => digits(text, length),
            Self::Checked(length) => checked(text, length),
            Self::Trade => return text.parse::<Gtin>().ok().map(|gtin| gtin.to_string()),
            Self::Text(most) => {
                (1..=most).contains(&text.chars().count()) && text.chars().all(is_82)
            }
            Self::Asset => {
                text.is_ascii()
                    && (14..=30).contains(&text.len())
                    && text.starts_with('0')
                    && checked(&text[..14], 14)
                    && text[14..].chars().all(is_82)
            }
            Self::Piece => text.is_ascii() && digits(text, 18) && checked(&text[..14], 14),
        };
        sound.then(|| String::from(text))
    }

    /// How many letters of a value are fixed by its grammar.
    fn fixed(self) -> usize {
        match self {
            Self::Checked(_) | Self::Trade | Self::Asset | Self::Piece => 1,
            Self::Digits(_) | Self::Text(_) => 0,
        }
    }

    /// The length in an element string that ends without FNC1.
    fn length(self) -> Option<usize> {
        match self {
            Self::Digits(length) | Self::Checked(length) => Some(length),
            Self::Trade => Some(14),
            Self::Piece => Some(18),
            Self::Text(_) | Self::Asset => None,
        }
    }
}

/// Elements in any order become a key, its qualifiers in their order, and attributes.
fn assemble(elements: Vec<(&'static Ai, String)>) -> Option<Recognised> {
    let at = elements.iter().position(|(ai, _)| ai.qualifiers.is_some())?;
    let qualifiers = elements[at].0.qualifiers.unwrap_or_default();
    let mut path = format!("/{}/{}", elements[at].0.number, escape(&elements[at].1));
    let mut fixed = elements[at].0.number.len();
    for number in qualifiers {
        let mut found = elements.iter().filter(|(ai, _)| ai.number == *number);
        if let Some((ai, value)) = found.next() {
            path.push_str(&format!("/{number}/{}", escape(value)));
            fixed += ai.number.len();
        }
    }
    for (index, (ai, _)) in elements.iter().enumerate() {
        // A second value of one identifier, or a second key, says two things at once.
        let twice = elements[..index].iter().any(|(known, _)| known.number == ai.number);
        if twice || (index != at && ai.qualifiers.is_some()) {
            return None;
        }
    }
    fixed += elements.iter().map(|(ai, _)| ai.value.fixed()).sum::<usize>();
    let mut found = Recognised::new(Scheme::Gs1, path, fixed);
    for (ai, value) in elements {
        found = found.with(ai.name, value);
    }
    Some(found)
}

fn escape(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

/// A Digital Link of any host, or its path alone, uncompressed.
pub(super) fn link(text: &str) -> Option<Recognised> {
    let path = path_of(text).unwrap_or(text);
    if !path.starts_with('/') {
        return None;
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.split('#').next()?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_key = |word: &str| by_number(numbered(word)).is_some_and(|ai| ai.qualifiers.is_some());
    let start = (0..parts.len()).find(|&at| {
        is_key(parts[at]) && at + 1 < parts.len() && (parts.len() - at).is_multiple_of(2)
    })?;
    let mut elements = Vec::new();
    let (mut allowed, mut rank): (&[&str], usize) = (&[], 0);
    for pair in parts[start..].chunks(2) {
        let [word, value] = pair else { return None };
        let ai = by_number(numbered(word))?;
        if elements.is_empty() {
            allowed = ai.qualifiers?;
        } else {
            let place = allowed.iter().position(|number| *number == ai.number)? + 1;
            if place <= rank {
                return None;
            }
            rank = place;
        }
        elements.push((ai, ai.value.accept(&decode(value)?)?));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (word, value) = pair.split_once('=')?;
        let Some(ai) = by_number(word).filter(|ai| ai.qualifiers.is_none()) else { continue };
        if !elements.iter().any(|(known, _)| known.number == ai.number) {
            elements.push((ai, ai.value.accept(&decode(value)?)?));
        }
    }
    // The slashes and the place in an address are part of the grammar.
    assemble(elements).map(|found| Recognised { fixed: found.fixed + 4, ..found })
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

/// `(01)06901234567892(10)L1(21)5`, or the same as a reader sends it, with FNC1 between.
pub(super) fn elements(text: &str) -> Option<Recognised> {
    let text = ["]C1", "]d2", "]Q3", "]e0", "]J1"]
        .into_iter()
        .find_map(|mark| text.strip_prefix(mark))
        .map_or((text, 0), |rest| (rest, 3));
    let (text, marked) = text;
    let (elements, bracketed) = if text.starts_with('(') {
        (bracketed(text)?, 2)
    } else {
        let separated = text.contains(FNC1);
        // Without a mark or a separator any number would be one.
        if marked == 0 && !separated && !text.starts_with("01") && !text.starts_with("00") {
            return None;
        }
        (concatenated(text.trim_matches(FNC1))?, usize::from(separated) * 2)
    };
    assemble(elements).map(|found| Recognised { fixed: found.fixed + marked + bracketed, ..found })
}

fn bracketed(text: &str) -> Option<Vec<(&'static Ai, String)>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = rest.strip_prefix('(')?.split_once(')')?;
        let ai = by_number(number)?;
        // A bracket may also be a letter of the value: only one that begins a known number ends it.
        let end = behind
            .match_indices('(')
            .map(|(at, _)| at)
            .find(|&at| {
                let inside = behind[at + 1..].split_once(')').map(|(number, _)| number);
                inside.is_some_and(|number| by_number(number).is_some())
            })
            .unwrap_or(behind.len());
        elements.push((ai, ai.value.accept(&behind[..end])?));
        rest = &behind[end..];
    }
    Some(elements)
}

fn concatenated(text: &str) -> Option<Vec<(&'static Ai, String)>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ai = (2..=4).find_map(|length| by_number(rest.get(..length)?))?;
        let number = if ai.number == MEASURE.number { 4 } else { ai.number.len() };
        let behind = rest.get(number..)?;
        let end = match ai.value.length() {
            Some(length) => length,
            None => behind.find(FNC1).unwrap_or(behind.len()),
        };
        elements.push((ai, ai.value.accept(behind.get(..end)?)?));
        rest = behind.get(end..)?.trim_start_matches(FNC1);
    }
    Some(elements)
}

/// `urn:epc:id:sgtin:…`, `sscc`, `sgln` and `urn:epc:class:lgtin:…`.
pub(super) fn urn(text: &str) -> Option<Recognised> {
    let rest = text.strip_prefix("urn:epc:")?;
    let ai = |number| by_number(number);
    let found = if rest.starts_with("id:sgtin:") {
        let epc = SgtinEpc::from_urn(text).ok()?;
        let serial = Value::Text(20).accept(&epc.serial)?;
        assemble(vec![(ai("01")?, epc.gtin.to_string()), (ai("21")?, serial)])?
    } else if let Some(rest) = rest.strip_prefix("class:lgtin:") {
        let epc = SgtinEpc::from_urn(&format!("urn:epc:id:sgtin:{rest}")).ok()?;
        let lot = Value::Text(20).accept(&epc.serial)?;
        assemble(vec![(ai("01")?, epc.gtin.to_string()), (ai("10")?, lot)])?
    } else if let Some(rest) = rest.strip_prefix("id:sscc:") {
        let (company, serial) = rest.split_once('.')?;
        if company.len() + serial.len() != 17
            || !digits(company, company.len())
            || serial.is_empty()
        {
            return None;
        }
        let body = format!("{}{company}{}", serial.get(..1)?, serial.get(1..)?);
        assemble(vec![(ai("00")?, with_check(&body)?)])?
    } else if let Some(rest) = rest.strip_prefix("id:sgln:") {
        let mut parts = rest.splitn(3, '.');
        let (company, place, extension) = (parts.next()?, parts.next()?, parts.next()?);
        let body = format!("{company}{place}");
        let mut elements = vec![(ai("414")?, with_check(&body).filter(|gln| gln.len() == 13)?)];
        if extension != "0" {
            elements.push((ai("254")?, Value::Text(20).accept(&decode(extension)?)?));
        }
        assemble(elements)?
    } else {
        return None;
    };
    Some(Recognised { fixed: found.fixed + 16, ..found })
}

fn with_check(body: &str) -> Option<String> {
    let check = gs1_mod10(body.as_bytes())?;
    let code = format!("{body}{}", char::from(check));
    (code.parse::<Sscc>().is_ok() || code.parse::<Gln>().is_ok()).then_some(code)
}

/// A number alone: GTIN by its check digit, SSCC by its length.
pub(super) fn bare(text: &str) -> Option<Recognised> {
    let (number, ai) = match text.len() {
        8 | 12 | 13 | 14 => ("01", by_number("01")?),
        18 => ("00", by_number("00")?),
        _ => return None,
    };
    let value = ai.value.accept(text)?;
    let found = Recognised::new(Scheme::Gs1, format!("/{number}/{value}"), 1);
    Some(found.with(ai.name, value))
}
