//! The schemes of Chinese law and industry, and the platform's own. Each function reads the whole
//! text or does not fit.

use super::{Recognised, Scheme};
use crate::{RegionCode, TraceCode, regions};

/// Years that a code made by law can bear.
const YEARS: std::ops::RangeInclusive<u32> = 1950..=2099;

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn all_digits(text: &str, length: usize) -> bool {
    text.len() == length && digits(text)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// Whether six digits are a division that is known.
fn is_division(text: &str) -> bool {
    text.parse::<RegionCode>().is_ok_and(|code| regions().get(code.as_str()).is_some())
}

/// Letters, digits and the marks that suffixes are made of.
fn is_suffix(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count())
        && text.chars().all(|letter| letter.is_alphanumeric() || "._-/+*()=".contains(letter))
}

/// Segments joined by dots, each of letters and digits.
fn is_dotted(text: &str, segments: std::ops::RangeInclusive<usize>) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let sound = |part: &&str| {
        (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    segments.contains(&parts.len()) && parts.iter().all(sound)
}

/// `MA.156.{industry}.{org}/{user part}`
pub(super) fn ma(text: &str) -> Option<Recognised> {
    let (prefix, suffix) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let prefix = prefix.to_ascii_uppercase();
    let rest = prefix.strip_prefix("MA.156.")?;
    if !is_dotted(rest, 1..=4) || suffix.is_some_and(|suffix| !is_suffix(suffix, 64)) {
        return None;
    }
    let canonical = suffix.map_or_else(|| prefix.clone(), |suffix| format!("{prefix}/{suffix}"));
    let found = Recognised::new(Scheme::Ma, canonical, 7 + usize::from(suffix.is_some()));
    let found = found.with("prefix", &prefix[..]);
    Some(match suffix {
        Some(suffix) => found.with("suffix", suffix),
        None => found,
    })
}

/// `88.{industry}.{enterprise}/{suffix}`
pub(super) fn handle(text: &str) -> Option<Recognised> {
    let (prefix, suffix) = text.split_once('/')?;
    let rest = prefix.strip_prefix("88.")?;
    if !is_dotted(rest, 1..=5) || !is_suffix(suffix, 128) {
        return None;
    }
    let found = Recognised::new(Scheme::Handle, text, 4);
    Some(found.with("prefix", prefix).with("suffix", suffix))
}

/// `VAA088…/{suffix}`
pub(super) fn vaa(text: &str) -> Option<Recognised> {
    let (prefix, suffix) = text.split_once('/')?;
    let rest = prefix.strip_prefix("VAA")?;
    let sound = (3..=24).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    if !sound || !is_suffix(suffix, 128) {
        return None;
    }
    let found = Recognised::new(Scheme::Vaa, text, 4);
    Some(found.with("prefix", prefix).with("suffix", suffix))
}

/// `1.2.156.…`, also with `urn:oid:` before it.
pub(super) fn oid(text: &str) -> Option<Recognised> {
    let bare = text.strip_prefix("urn:oid:").unwrap_or(text);
    let rest = bare.strip_prefix("1.2.156.")?;
    let sound = |arc: &str| digits(arc) && arc.len() <= 20 && (arc == "0" || !arc.starts_with('0'));
    if !rest.split('.').all(sound) || rest.split('.').count() > 16 {
        return None;
    }
    Some(Recognised::new(Scheme::Oid, bare, 8).with("arcs", rest))
}

/// `did:{method}:{specific}`
pub(super) fn did(text: &str) -> Option<Recognised> {
    let (method, specific) = text.strip_prefix("did:")?.split_once(':')?;
    let sound = !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && (1..=200).contains(&specific.len())
        && specific
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "._-:%".contains(letter));
    sound.then(|| Recognised::new(Scheme::Did, text, 5).with("method", method))
}

/// 20 digits that begin with 8: 7 of the 药品标识码, 13 of the serial number. They go before every
/// other reading of twenty digits that begin so, hence the weight of all the digits that may be a
/// division.
pub(super) fn drug(text: &str) -> Option<Recognised> {
    if !all_digits(text, 20) || !text.starts_with('8') {
        return None;
    }
    let found = Recognised::new(Scheme::Drug, text, DRUG_FIXED);
    Some(found.with("drug_id", &text[..7]).with("serial", &text[7..]))
}

/// As much as the old 注册代码 fixes with its division and its month.
const DRUG_FIXED: usize = 13;

/// 32 digits: class of registration, six digits of its number, kind of production, specification,
/// and 21 of chance.
pub(super) fn pesticide(text: &str) -> Option<Recognised> {
    let sound = all_digits(text, 32)
        && matches!(text.as_bytes()[0], b'1'..=b'3')
        && matches!(text.as_bytes()[7], b'1'..=b'3');
    sound.then(|| {
        Recognised::new(Scheme::Pesticide, text, 2)
            .with("class", &text[..1])
            .with("registration", &text[1..7])
            .with("production", &text[7..8])
            .with("specification", &text[8..11])
            .with("random", &text[11..])
    })
}

/// 24 digits: day of application, enterprise, and 11 of chance.
pub(super) fn veterinary(text: &str) -> Option<Recognised> {
    if !all_digits(text, 24) || !is_day(&text[..8]) {
        return None;
    }
    let found = Recognised::new(Scheme::VeterinaryDrug, text, 4);
    Some(found.with("day", &text[..8]).with("enterprise", &text[8..13]).with("random", &text[13..]))
}

fn is_day(text: &str) -> bool {
    let parts = (text[..4].parse(), text[4..6].parse(), text[6..8].parse());
    let (Ok(year), Ok(month), Ok(day)) = parts else { return false };
    (2000..=2099).contains(&year) && jiff::civil::Date::new(year, month, day).is_ok()
}

/// 17 digits: certifier, year, and 12 of chance.
pub(super) fn organic(text: &str) -> Option<Recognised> {
    all_digits(text, 17).then(|| {
        Recognised::new(Scheme::Organic, text, 0)
            .with("certifier", &text[..3])
            .with("year", &text[3..5])
            .with("random", &text[5..])
    })
}

/// 特种设备代码: class, maker, year and a number, of 17 or 18 letters; or the 20 digits of the older
/// 注册代码: class, division, month and a number.
pub(super) fn equipment(text: &str) -> Option<Recognised> {
    let class = text.get(..4)?;
    let of_class = matches!(class.as_bytes()[0], b'1'..=b'9' | b'F') && digits(&class[1..]);
    if !of_class || !text.is_ascii() {
        return None;
    }
    if all_digits(text, 20) {
        let (year, month) = (number(&text[10..14])?, number(&text[14..16])?);
        let sound = is_division(&text[4..10]) && YEARS.contains(&year) && (1..=12).contains(&month);
        let found = Recognised::new(Scheme::Equipment, text, 12);
        return sound.then(|| {
            found
                .with("class", class)
                .with("division", &text[4..10])
                .with("month", &text[10..16])
                .with("number", &text[16..])
        });
    }
    if !matches!(text.len(), 17 | 18) {
        return None;
    }
    let number_part = &text[13..];
    let sound = digits(&text[4..9])
        && digits(&text[9..13])
        && YEARS.contains(&number(&text[9..13])?)
        // Letters only where the digits did not suffice, in front.
        && number_part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && digits(&number_part[2..]);
    sound.then(|| {
        Recognised::new(Scheme::Equipment, text, 3)
            .with("class", class)
            .with("maker", &text[4..9])
            .with("year", &text[9..13])
            .with("number", number_part)
    })
}

/// GB 16735: 17 letters without I, O and Q, the ninth of which checks the others, the tenth of which is
/// a year and the last four of which are digits. The first names a part of the world, and none is 0. Of
/// digits alone one in eleven would pass the check by chance: a code without any letter is none.
pub(super) fn vin(text: &str) -> Option<Recognised> {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let code = text.to_ascii_uppercase();
    if code.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (byte, weight) in code.bytes().zip(WEIGHTS) {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'H' => byte - b'A' + 1,
            b'J'..=b'N' => byte - b'J' + 1,
            b'P' => 7,
            b'R' => 9,
            b'S'..=b'Z' => byte - b'S' + 2,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    let check = b"0123456789X"[(sum % 11) as usize];
    let bytes = code.as_bytes();
    let sound = !digits(&code)
        && bytes[0] != b'0'
        && !b"0UZ".contains(&bytes[9])
        && digits(&code[13..])
        && bytes[8] == check;
    sound.then(|| Recognised::new(Scheme::Vin, code.clone(), 2).with("maker", &code[..3]))
}

/// 9 digits of a node, 13 of a merchant there, 20 of what the merchant sells.
pub(super) fn meat_vegetable(text: &str) -> Option<Recognised> {
    if !matches!(text.len(), 9 | 13 | 20) || !digits(text) || !is_division(&text[..6]) {
        return None;
    }
    let mut found = Recognised::new(Scheme::MeatVegetable, text, 6).with("node", &text[..9]);
    if text.len() > 9 {
        found = found.with("merchant", &text[..13]);
    }
    if text.len() > 13 {
        found = found.with("number", &text[13..]);
    }
    Some(found)
}

/// Twenty letters of the platform's own with a sound check. Nobody's own code is made of digits
/// alone (one in ten billion is), while one number of 1021 has a sound check by chance: digits
/// alone are read otherwise first.
pub(super) fn own(text: &str) -> Option<Recognised> {
    let code = text.to_ascii_uppercase();
    if !TraceCode::is_own(&code) {
        return None;
    }
    let fixed = if digits(&code) { 0 } else { 2 };
    let found = Recognised::new(Scheme::Own, code.clone(), fixed);
    Some(found.with("batch", &code[..6]).with("random", &code[6..18]).with("check", &code[18..]))
}

/// GB/T 31866: version, name of the system, and what the system gives. A mark before it makes it
/// sure; without one it is the last thing a text may be.
pub(super) fn ecode(text: &str) -> Option<Recognised> {
    let marks = ["ecode:", "urn:ecode:", "E="];
    // It is a name: people and labels write it as `Ecode` as well.
    let marked = marks.into_iter().find_map(|mark| {
        let written = text.get(..mark.len())?;
        written.eq_ignore_ascii_case(mark).then(|| (&text[mark.len()..], mark.len()))
    });
    let (code, fixed) = marked.unwrap_or((text, 0));
    let (version, rest) = (code.get(..1)?, code.get(1..)?);
    let (system_length, most) = match version {
        "1" => (4, 20),
        "2" => (4, 28),
        "3" => (5, 39),
        "4" => (5, 100),
        _ => return None,
    };
    let (system, given) = (rest.get(..system_length)?, rest.get(system_length..)?);
    let sound = digits(system)
        && (1..=most).contains(&given.chars().count())
        && match version {
            "1" | "2" => digits(given),
            "3" => given.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            // Any text where the mark says so. Without it letters, and not digits alone: those are of so many
            // other makes that a mistyped one would pass for this.
            _ if fixed > 0 => !given.chars().any(char::is_control),
            _ => given.chars().all(char::is_alphanumeric) && !digits(given),
        };
    sound.then(|| {
        Recognised::new(Scheme::Ecode, code, fixed)
            .with("version", version)
            .with("system", system)
            .with("code", given)
    })
}
