//! 追溯单元的码: the one form under which a unit is registered and looked for, whatever spelling it
//! arrives in (CBV 2.0 §8, handbook §2.9).
//!
//! A key of GS1 with what names one thing or one lot of it is written as people read it,
//! `(01)06901234567892(21)5`; a logistic unit is its number alone, and so is a serial number that is a
//! code of this platform. Digital Links, EPC URNs and element strings of every kind become that. What
//! claims to be of GS1 and is not sound is refused; what claims nothing stays as it is.

use super::{
    Scheme,
    ai::{by_number, numbered},
    bare_code, behind_scheme, candidates, element, epc,
    gs1::{FNC1, Gs1Data},
    path_of,
};
use crate::{CodeScheme, Rejected, TraceCode};

/// What names one thing, or one lot, of the things that a key names, the finest first.
const FINER: [(&str, &[&str]); 4] =
    [("01", &["21", "235", "10"]), ("8006", &["21", "10"]), ("414", &["254"]), ("8010", &["8011"])];

/// The code to register a unit under. `root` is this platform's own address: links below it stand for
/// the code in them.
pub fn unit_code(text: &str, root: &str) -> Result<TraceCode, Rejected> {
    let text = text.trim();
    if is_below(text, root)
        && let Some(code) = bare_code(text).filter(|code| code != text)
    {
        return of_bare(&code).unwrap_or_else(|| code.parse());
    }
    let read = bare_code(text).and_then(|code| of_bare(&code));
    read.unwrap_or_else(|| text.parse())
}

/// The lot that a text of GS1 says a single piece is of: the code of the piece does without it.
pub fn lot_beside(text: &str) -> Option<String> {
    // Most codes are read no further.
    if !text.contains("10") || !(text.contains("21") || text.contains("235")) {
        return None;
    }
    let text = bare_code(text.trim())?;
    let data = Gs1Data::read(&text)?.ok()?;
    let is_piece = ["21", "235"].iter().any(|finer| data.value(finer).is_some());
    let lot =
        data.value("10").filter(|_| is_piece && (is_marked(&text) || names_one(&text, &data)));
    lot.map(String::from)
}

/// The code to look for under a text: links of every host that end as this platform's do stand for the
/// code in them.
pub fn sought_code(text: &str) -> Result<TraceCode, Rejected> {
    match bare_code(text) {
        Some(code) => of_bare(&code).unwrap_or_else(|| code.parse()),
        None => text.parse(),
    }
}

/// The code of a unit that a key of GS1 names, with its finest qualifier.
pub fn gs1_unit_code(
    (key, value): (&str, &str),
    finest: Option<(&str, &str)>,
) -> Result<TraceCode, Rejected> {
    let is_own =
        |text: &str| text.parse::<TraceCode>().is_ok_and(|code| code.scheme() == CodeScheme::Own);
    match (key, finest) {
        (_, Some(("21", serial))) if is_own(serial) => serial.parse(),
        ("00", None) => value.parse(),
        ("01", None) => Err(Rejected(format!(
            "(01){value} 只到商品品种，没有批次或序列号，不是追溯单元；应写到 (21)序列号 或 (10)批次号"
        ))),
        (key, finest) => {
            let parts = [Some((key, value)), finest];
            for (number, value) in parts.into_iter().flatten() {
                if element::escaped(value) != value {
                    let detail =
                        format!("({number}) 的值 {value} 含有应用标识符的括号，不能用作追溯码");
                    return Err(Rejected(detail));
                }
            }
            let part = |(number, value): (&str, &str)| format!("({number}){value}");
            parts.into_iter().flatten().map(part).collect::<String>().parse()
        }
    }
}

impl Gs1Data {
    /// The code of the unit that this names.
    pub fn unit_code(&self) -> Result<TraceCode, Rejected> {
        let key = self.key();
        let value = self.value(key).unwrap_or_default();
        let row = FINER.iter().find(|(known, _)| *known == key);
        let finest = row.and_then(|(_, finer)| {
            finer.iter().find_map(|number| Some((*number, self.value(number)?)))
        });
        gs1_unit_code((key, value), finest)
    }
}

/// The code of a text of GS1, or why it is none; `None` of what does not claim to be of GS1.
fn of_bare(text: &str) -> Option<Result<TraceCode, Rejected>> {
    match Gs1Data::read(text)? {
        Ok(data) if is_marked(text) || names_one(text, &data) => Some(data.unit_code()),
        Err(error) if claims(text) => Some(Err(error)),
        _ => None,
    }
}

/// Whether a text says by its form that it is of GS1.
fn is_marked(text: &str) -> bool {
    let begins = ["(", "/", "]", "^", "urn:epc:"];
    begins.iter().any(|mark| text.starts_with(mark))
        || text.contains(FNC1)
        || behind_scheme(text).is_some()
}

/// Digits alone are of GS1 where that is the likeliest reading and they name one thing or one lot: a
/// number of somebody's own making may begin as a key does.
fn names_one(text: &str, data: &Gs1Data) -> bool {
    let fine = data.key() == "00" || data.unit_code().is_ok();
    fine && candidates(text).first().is_some_and(|first| first.scheme == Scheme::Gs1)
}

/// Whether a text that is not sound was meant to be of GS1.
fn claims(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('(') {
        return rest.split_once(')').is_some_and(|(number, _)| by_number(number).is_some());
    }
    if let Some(rest) = text.strip_prefix("urn:epc:") {
        return epc::is_of_scheme(rest);
    }
    if text.starts_with([']', '^']) || text.contains(FNC1) {
        return true;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some(path) = path_of(text) else { return false };
    let of_gs1 = behind_scheme(text).is_some_and(|rest| {
        rest.get(..11).is_some_and(|host| host.eq_ignore_ascii_case("id.gs1.org/"))
    });
    let parts: Vec<&str> = path.split(['?', '#']).next().unwrap_or_default().split('/').collect();
    let is_key = |pair: &[&str]| {
        let key = by_number(numbered(pair[0])).is_some_and(|ai| ai.qualifiers.is_some());
        let digits = pair[1].bytes().take_while(u8::is_ascii_digit).count();
        key && digits >= KEY_DIGITS_MIN
    };
    of_gs1 || parts.windows(2).any(is_key)
}

/// Digits behind a word of a path that make it a key: parts of other addresses are shorter numbers.
const KEY_DIGITS_MIN: usize = 8;

/// Whether a text is an address below this platform's own.
fn is_below(text: &str, root: &str) -> bool {
    let (Some(rest), Some(own)) = (behind_scheme(text), behind_scheme(root)) else { return false };
    let own = own.trim_end_matches('/');
    let head = rest.get(..own.len()).is_some_and(|head| head.eq_ignore_ascii_case(own));
    head && rest[own.len()..].starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "https://trace.example";

    fn stored(text: &str) -> Result<String, String> {
        unit_code(text, ROOT).map(|code| code.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_of_a_unit_is_one_code() {
        for (wanted, spellings) in [
            (
                "(01)06901234567892(21)S1",
                &[
                    "(01)06901234567892(21)S1",
                    "(01)06901234567892(10)L(21)S1",
                    "]d2010690123456789221S1",
                    "010690123456789221S1",
                    "urn:epc:id:sgtin:6901234.056789.S1",
                    "urn:epc:tag:sgtin-96:3.6901234.056789.S1",
                    "https://id.gs1.org/01/06901234567892/21/S1",
                    "HTTPS://ID.GS1.ORG/01/6901234567892/10/L/21/S1?17=270101",
                    "https://trace.example/gtin/06901234567892/ser/S1",
                    "https://trace.example/t/(01)06901234567892(21)S1",
                    "https://trace.example/t/%2F01%2F06901234567892%2F21%2FS1",
                    "/01/06901234567892/21/S1",
                ][..],
            ),
            (
                "(01)06901234567892(10)L-1",
                &["urn:epc:class:lgtin:6901234.056789.L-1", "/01/06901234567892/10/L-1"][..],
            ),
            (
                "106141412345678908",
                &["106141412345678908", "(00)106141412345678908", "00106141412345678908"][..],
            ),
            ("(8004)06141417Q", &["urn:epc:id:giai:0614141.7Q", "/8004/06141417Q"][..]),
            ("00A7K29QX4T0VB8M3EJB", &["/01/06901234567892/21/00A7K29QX4T0VB8M3EJB"][..]),
            (
                "ABC",
                &["ABC", " ABC ", "https://trace.example/t/ABC", "HTTPS://Trace.example/id/ABC"][..],
            ),
        ] {
            for spelling in spellings {
                assert_eq!(stored(spelling).as_deref(), Ok(wanted), "{spelling}");
            }
        }
    }

    #[test]
    fn what_claims_nothing_stays_as_it_is() {
        for code in [
            "R1-sold",
            "6901234567892",
            "106141412345678909",
            "0106901234567892",
            "(A)1",
            "https://other.example/t/ABC",
            "https://other.example/a/b",
            "urn:epc:id:gid:1.2.3",
            "urn:uuid:1",
        ] {
            assert_eq!(stored(code).as_deref(), Ok(code), "{code}");
        }
        let sought = |text: &str| sought_code(text).map(|code| code.to_string());
        assert_eq!(sought("https://other.example/t/ABC").unwrap(), "ABC");
    }

    #[test]
    fn what_claims_to_be_of_gs1_and_is_not_sound_is_refused_with_what_is_right() {
        for (text, why) in [
            ("(01)06901234567893(21)S4", "校验位"),
            ("(00)106141412345678909", "校验位"),
            ("/01/06901234567893/21/S4", "校验位"),
            ("https://id.gs1.org/01/06901234567893/21/S4", "校验位"),
            ("urn:epc:id:sgtin:6901234.0567890.77", "共 13 位数字，现为 14 位"),
            ("(01)06901234567892", "不是追溯单元"),
            ("urn:epc:idpat:sgtin:6901234.056789.*", "不是追溯单元"),
            ("(01)06901234567892(21)", "1 至 20"),
            ("(01)06901234567892(21)A(10)", ""),
            ("(10)L1", "没有 GS1 主键"),
        ] {
            let found = stored(text).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
