//! EPC URNs (GS1 Tag Data Standard §6): of single things, of lots, and of classes whose serial number
//! is `*`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    gs1::{Element, Gs1Data},
    link::decode,
};
use crate::{Rejected, gs1_mod10};

/// Where the serial part of a scheme goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serial {
    None,
    /// Directly behind the key.
    Behind,
    /// Into this qualifier.
    In(&'static str),
}

/// A scheme of EPC URNs.
struct Scheme {
    name: &'static str,
    ai: &'static str,
    /// Digits of company prefix and reference together; none where the reference is free.
    digits: Option<usize>,
    /// Whether the first digit of the reference stands before the company prefix in the key.
    leading: bool,
    serial: Serial,
}

const fn scheme(
    name: &'static str,
    ai: &'static str,
    digits: usize,
    leading: bool,
    serial: Serial,
) -> Scheme {
    Scheme { name, ai, digits: Some(digits), leading, serial }
}

const fn free(name: &'static str, ai: &'static str, serial: Serial) -> Scheme {
    Scheme { name, ai, digits: None, leading: false, serial }
}

const SCHEMES: &[Scheme] = &[
    scheme("sgtin", "01", 13, true, Serial::In("21")),
    scheme("lgtin", "01", 13, true, Serial::In("10")),
    scheme("upui", "01", 13, true, Serial::In("235")),
    scheme("itip", "8006", 13, true, Serial::In("21")),
    scheme("sscc", "00", 17, true, Serial::None),
    scheme("sgln", "414", 12, false, Serial::In("254")),
    scheme("pgln", "417", 12, false, Serial::None),
    scheme("grai", "8003", 12, false, Serial::Behind),
    scheme("gdti", "253", 12, false, Serial::Behind),
    scheme("sgcn", "255", 12, false, Serial::Behind),
    scheme("gsrn", "8018", 17, false, Serial::None),
    scheme("gsrnp", "8017", 17, false, Serial::None),
    scheme("gsin", "402", 16, false, Serial::None),
    free("giai", "8004", Serial::None),
    free("ginc", "401", Serial::None),
    free("cpi", "8010", Serial::In("8011")),
];

/// What a URN need not escape.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'-')
    .remove(b'.')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'_');

/// Whether a URN may hold a character as it is, the sign of what is escaped among them.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!'()*+,-.:;=_%".contains(letter)
}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Rejected> {
    Err(Rejected::new(sentence))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a URN; `None` where the text is none of EPC's.
pub(super) fn read(text: &str) -> Option<Result<Gs1Data, Rejected>> {
    text.strip_prefix("urn:epc:").map(of_urn)
}

/// Whether what follows `urn:epc:` names a scheme of GS1 keys: others are none, and not looked into.
pub(super) fn is_of_scheme(rest: &str) -> bool {
    let name = rest.split(':').nth(1).unwrap_or_default();
    let name = name.split('-').next().unwrap_or_default();
    SCHEMES.iter().any(|scheme| scheme.name == name)
}

fn is_filter(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'7'])
}

fn of_urn(rest: &str) -> Result<Gs1Data, Rejected> {
    let mut parts = rest.splitn(3, ':');
    let (kind, name, body) = (parts.next(), parts.next(), parts.next());
    let (Some(kind), Some(name), Some(body)) = (kind, name, body) else {
        return refuse("应为 urn:epc:id:体系:厂商识别代码.参考代码.序列号");
    };
    // What a chip holds is the same code with a filter value before it and the size of the chip.
    let (kind, name, body) = match (kind, name.split_once('-'), body.split_once('.')) {
        ("tag", Some((name, size)), Some((filter, body))) if digits(size) && is_filter(filter) => {
            ("id", name, body)
        }
        ("tag", ..) => {
            return refuse("应为 urn:epc:tag:体系-位数:过滤值.厂商识别代码.参考代码.序列号");
        }
        _ => (kind, name, body),
    };
    let Some(scheme) = SCHEMES.iter().find(|scheme| scheme.name == name) else {
        return refuse(format!(
            "EPC 的 {name} 不是 GS1 标识体系，可用 sgtin、lgtin、sscc、sgln 等"
        ));
    };
    let class = match (kind, name == "lgtin") {
        ("id", false) | ("class", true) => false,
        ("idpat", false) => true,
        (_, true) => return refuse("批次的 EPC 应为 urn:epc:class:lgtin:…"),
        _ => return refuse(format!("EPC 应为 urn:epc:id:{name}:… 或 urn:epc:idpat:{name}:…")),
    };
    if let Some(letter) = body.chars().find(|letter| !is_plain(*letter)) {
        return refuse(format!("EPC 中的 {letter} 应以百分号编码写出"));
    }
    let wrong =
        || Rejected(format!("EPC {name} 应为 厂商识别代码.参考代码，其间与序列号前以 . 分隔"));
    let (company, rest) = body.split_once('.').ok_or_else(wrong)?;
    let (reference, rest) = match scheme.serial {
        Serial::None => (rest, None),
        _ => rest
            .split_once('.')
            .map(|(reference, rest)| (reference, Some(rest)))
            .ok_or_else(wrong)?,
    };
    if !digits(company) || !(6..=12).contains(&company.len()) {
        return refuse(format!("EPC 的厂商识别代码应为 6 至 12 位数字，现为 {company}"));
    }
    let mut key = scheme.body(company, &decode(reference)?)?;
    let mut rest = rest;
    if scheme.ai == "8006" {
        let mut parts = rest.unwrap_or_default().splitn(3, '.');
        let (piece, total) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if [piece, total].iter().any(|part| part.len() != 2 || !digits(part)) {
            return refuse("EPC itip 的组件序号与组件总数应各为 2 位数字");
        }
        key.push_str(&format!("{piece}{total}"));
        rest = Some(parts.next().ok_or_else(wrong)?);
    }
    let serial = match rest {
        None => None,
        Some("*") if class => None,
        Some(_) if class => return refuse("类别的 EPC 应以 .* 结尾"),
        Some("0") if name == "sgln" => None,
        Some(serial) => Some(decode(serial)?),
    };
    if class && (scheme.serial == Serial::None || name == "sgln") {
        return refuse(format!("EPC {name} 没有类别，应为 urn:epc:id:{name}:…"));
    }
    let mut elements = Vec::new();
    match (scheme.serial, serial) {
        (Serial::Behind, Some(serial)) => {
            if serial.is_empty() {
                return Err(wrong());
            }
            elements.push(Element::new(scheme.ai, &format!("{key}{serial}"))?);
        }
        (Serial::In(number), Some(serial)) => {
            elements.push(Element::new(scheme.ai, &key)?);
            elements.push(Element::new(number, &serial)?);
        }
        _ => elements.push(Element::new(scheme.ai, &key)?),
    }
    Gs1Data::assemble(elements)
}

impl Scheme {
    /// The key without its serial part.
    fn body(&self, company: &str, reference: &str) -> Result<String, Rejected> {
        let Some(wanted) = self.digits else {
            if reference.is_empty() {
                return refuse(format!("EPC {} 的参考代码不应为空", self.name));
            }
            return Ok(format!("{company}{reference}"));
        };
        let length = company.len() + reference.len();
        if length != wanted || !(reference.is_empty() || digits(reference)) {
            return refuse(format!(
                "EPC {} 的厂商识别代码与参考代码应共 {wanted} 位数字，现为 {length} 位",
                self.name
            ));
        }
        let first = usize::from(self.leading).min(reference.len());
        let (first, behind) = reference.split_at(first);
        let mut key = format!("{first}{company}{behind}");
        if self.ai == "8003" {
            key.insert(0, '0');
        }
        let check = gs1_mod10(key.as_bytes()).unwrap_or(b'0');
        key.push(char::from(check));
        Ok(key)
    }
}

/// A part of a URN, what it may not hold as it is escaped.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Writes a key as a URN. The part of it that the finest qualifier tells decides which.
pub(super) fn write(data: &Gs1Data, company_digits: usize) -> Option<String> {
    let value = data.value(data.key())?;
    let serial_of = |scheme: &Scheme| match scheme.serial {
        Serial::In(number) => data.value(number),
        _ => None,
    };
    let of_key = || SCHEMES.iter().filter(|scheme| scheme.ai == data.key());
    let scheme = of_key().find(|scheme| serial_of(scheme).is_some()).or_else(|| of_key().next())?;
    let zero = usize::from(scheme.ai == "8003");
    // The digits that the check digit is of, and what is behind it.
    let (body, behind) = match scheme.digits {
        Some(count) => {
            let body = value.get(zero..zero + count)?;
            (body, value.get(zero + count + 1..)?)
        }
        None => (value, ""),
    };
    let (first, body) = body.split_at_checked(usize::from(scheme.leading))?;
    let (company, reference) = body.split_at_checked(company_digits)?;
    let empty = scheme.digits.is_none() && reference.is_empty();
    if !(6..=12).contains(&company_digits) || !digits(company) || empty {
        return None;
    }
    let mut serial = serial_of(scheme).map(escaped);
    let mut piece = String::new();
    if scheme.ai == "8006" {
        piece = format!(".{}.{}", behind.get(..2)?, behind.get(2..)?);
    } else if scheme.serial == Serial::Behind && !behind.is_empty() {
        serial = Some(escaped(behind));
    }
    let class = serial.is_none() && scheme.serial != Serial::None && scheme.name != "sgln";
    let kind = match (scheme.name, class) {
        (_, true) => "idpat",
        ("lgtin", false) => "class",
        _ => "id",
    };
    let end = match (scheme.serial, serial) {
        (Serial::None, _) => String::new(),
        (_, Some(serial)) => format!(".{serial}"),
        (_, None) if scheme.name == "sgln" => String::from(".0"),
        (_, None) => String::from(".*"),
    };
    let reference = escaped(reference);
    Some(format!("urn:epc:{kind}:{}:{company}.{first}{reference}{piece}{end}", scheme.name))
}
