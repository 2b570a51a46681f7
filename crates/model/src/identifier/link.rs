//! GS1 Digital Link, URI syntax 1.2 and later, compressed or not; with the words that older links have in
//! the place of numbers, and GTIN without their noughts in front.

use percent_encoding::percent_decode_str;

use super::{
    ai::{by_number, is_attribute, numbered},
    behind_scheme,
    gs1::{Element, Gs1Data},
    packed, path_of,
};
use crate::{Gtin, Rejected};

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Rejected> {
    Err(Rejected::new(sentence))
}

fn is_key(word: &str) -> bool {
    by_number(numbered(word)).is_some_and(|ai| ai.qualifiers.is_some())
}

/// Reads an address or a path; `None` where the text is neither.
pub(super) fn read(text: &str) -> Option<Result<Gs1Data, Rejected>> {
    let path = path_of(text).unwrap_or(text);
    if path.starts_with('/') {
        return Some(of_path(path));
    }
    behind_scheme(text).map(|_| refuse("网址应含主机名与路径，如 https://example.cn/01/商品条码"))
}

fn of_path(text: &str) -> Result<Gs1Data, Rejected> {
    let text = text.split('#').next().unwrap_or_default();
    // Some of GS1's letters may not stand in an address as they are.
    if let Some(letter) = text.chars().find(|letter| " \"<>\\^`{|}".contains(*letter)) {
        return refuse(format!("网址中的 {letter} 应写作百分号编码"));
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    // The grammar has no slash here; the patterns of §6 by which a link is known let one stand, as
    // servers add it to what they take for a folder.
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let starts: Vec<usize> = (0..parts.len()).filter(|&at| is_key(parts[at])).collect();
    let whole = |at: &&usize| (parts.len() - **at).is_multiple_of(2);
    let mut refusal = None;
    // Whatever stands before the key belongs to whoever owns the address.
    for at in starts.iter().filter(whole) {
        match of_parts(&parts[*at..], query) {
            Ok(found) => return Ok(found),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    if let Some(error) = refusal {
        return Err(error);
    }
    let last = parts.last().copied().unwrap_or_default();
    let lacking = match starts.first() {
        // Only what follows the key may be compressed.
        Some(at) if parts.len() - at == 3 => match unpacked(&parts[*at..at + 2], last, query) {
            Err(error) if is_packed(last) => return Err(error),
            Err(_) => format!("路径中 {last} 之后缺少取值"),
            found => return found,
        },
        Some(at) if parts.len() - at > 1 => format!("路径中 {last} 之后缺少取值"),
        Some(_) => format!("主键 {last} 之后缺少取值"),
        None if is_packed(last) => return unpacked(&[], last, query),
        None => String::from(
            "不是 GS1 Digital Link：路径应含 /01/商品条码、/00/物流单元代码 等主键与取值",
        ),
    };
    refuse(lacking)
}

/// A link of which all, or all but the key, is compressed.
fn unpacked(given: &[&str], packed: &str, query: &str) -> Result<Gs1Data, Rejected> {
    let wrong = |error: Rejected| Rejected(format!("压缩的 GS1 Digital Link 不能解压：{error}"));
    let mut elements = Vec::new();
    if let [word, value] = given {
        elements.push(key(numbered(word), &decode(value)?)?);
    }
    for (number, value) in packed::read(packed).map_err(wrong)? {
        elements.push(Element::new(&number, &value).map_err(wrong)?);
    }
    let whole = Gs1Data::assemble(elements).map_err(wrong)?;
    if query.is_empty() {
        return Ok(whole);
    }
    let link = whole.link("");
    let mark = if link.contains('?') { '&' } else { '?' };
    of_path(&format!("{link}{mark}{query}"))
}

/// Whether a part of a path may be a compressed key: letters of base 64, and in the first byte the
/// two digits that an application identifier begins with, or the mark of a shortened sequence.
pub(super) fn is_packed(part: &str) -> bool {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = |byte: u8| LETTERS.iter().position(|&known| known == byte);
    let values: Option<Vec<usize>> = part.bytes().map(value).collect();
    let Some(values) = values.filter(|values| values.len() >= 8) else { return false };
    let mixed = part.bytes().any(|byte| byte.is_ascii_uppercase())
        && part.bytes().any(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let (first, second) = (values[0] >> 2, ((values[0] & 3) << 2) | (values[1] >> 4));
    mixed && packed::begins(first, second)
}

/// Key and qualifiers in their order, then the attributes.
fn of_parts(parts: &[&str], query: &str) -> Result<Gs1Data, Rejected> {
    let (word, value) = (numbered(parts[0]), decode(parts[1])?);
    let mut elements = vec![key(word, &value)?];
    let mut given: Vec<&str> = Vec::new();
    for pair in parts[2..].chunks(2) {
        let [word, value] = pair else { return refuse("限定符缺少取值") };
        let number = numbered(word);
        elements.push(Element::new(number, &decode(value)?)?);
        given.push(number);
    }
    let rows = elements[0].ai.qualifiers.unwrap_or_default();
    if !given.is_empty() && !rows.iter().any(|row| is_within(&given, row)) {
        return refuse(wrong_order(&elements[0], &given, rows));
    }
    // A number belongs into the path where a sequence has a place for it beside those that are there.
    let is_named = |number: &str| {
        let fits = |row: &&&[&str]| given.iter().all(|known| row.contains(known));
        rows.iter().filter(fits).any(|row| row.contains(&number))
    };
    for pair in query.split(['&', ';']) {
        // The query may hold anything else, but its numbers are GS1's.
        let Some((number, value)) = pair.split_once('=') else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if elements.iter().any(|known| known.number == number) {
            return refuse(format!("（{number}）在一个网址中应只出现一次"));
        }
        // Another key may be told of this one; what belongs to this one is in the path.
        if is_named(number) {
            return refuse(format!("（{number}）应在路径中，不应在问号之后"));
        }
        if by_number(number).is_some() && !is_attribute(number) {
            return refuse(format!("（{number}）不是可用于问号之后的数据属性"));
        }
        if value.contains('+') {
            return refuse(format!("（{number}）问号之后的 + 表示空格，加号应写作 %2B"));
        }
        elements.push(key(number, &decode(value)?)?);
    }
    Gs1Data::assemble(elements)
}

/// A key, or what is told of it. A GTIN may be written without its noughts in front.
fn key(number: &str, value: &str) -> Result<Element, Rejected> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let short = number == "01" && matches!(value.len(), 8 | 12 | 13) && digits;
    match value.parse::<Gtin>() {
        Ok(gtin) if short => Element::new(number, gtin.as_str()),
        Err(error) if short => refuse(format!("（01）商品条码（GTIN）{error}")),
        _ => Element::new(number, value),
    }
}

/// Whether some numbers are in a row, in its order.
fn is_within(given: &[&str], row: &[&str]) -> bool {
    let mut left = row.iter();
    given.iter().all(|number| left.any(|known| known == number))
}

fn wrong_order(key: &Element, given: &[&str], rows: &[&[&str]]) -> String {
    let given = given.join("、");
    let (number, label) = (&key.number, key.ai.label);
    if rows.is_empty() {
        return format!("（{number}）{label}之后不应再有限定符，现有 {given}");
    }
    let rows: Vec<String> = rows.iter().map(|row| row.join("、")).collect();
    format!(
        "（{number}）{label}之后的限定符应按 {} 的顺序且不重复，现为 {given}",
        rows.join(" 或 ")
    )
}

/// Resolves `%2F` and its like.
pub(super) fn decode(text: &str) -> Result<String, Rejected> {
    let mut parts = text.split('%');
    parts.next();
    let escape =
        |part: &str| part.len() >= 2 && part.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !parts.all(escape) {
        return refuse("百分号之后应为两位十六进制数字");
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| Rejected::new("百分号编码不是有效的 UTF-8"))
}
