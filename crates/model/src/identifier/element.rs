//! Element strings: `(01)06901234567892(10)L1(21)5` as people read it, or the same as a reader sends
//! it, with FNC1 behind values whose length is not predefined. A bracket that belongs to a value may
//! be written `\(`.

use super::{
    ai::{by_number, predefined},
    gs1::{Element, FNC1, Gs1Data},
};
use crate::Rejected;

/// What readers put before the data of a symbol that begins with FNC1.
const MARKS: [&str; 5] = ["]C1", "]d2", "]Q3", "]e0", "]J1"];

/// Reads an element string; `None` where the text does not look like one. Without brackets, mark or
/// FNC1 any number would be one: then only the most common keys begin it.
pub(super) fn read(text: &str) -> Option<Result<Gs1Data, Rejected>> {
    if text.starts_with('(') {
        return Some(bracketed(text).and_then(Gs1Data::assemble));
    }
    let marked = MARKS.iter().find_map(|mark| text.strip_prefix(mark));
    if let Some(text) = marked.filter(|text| text.starts_with('(')) {
        return Some(bracketed(text).and_then(Gs1Data::assemble));
    }
    // How FNC1 is written where it cannot be typed.
    let typed = text.strip_prefix('^').map(|rest| rest.replace('^', &String::from(FNC1)));
    let bare = typed.as_deref().or(marked).unwrap_or(text);
    let plain = marked.is_none() && typed.is_none() && !text.contains(FNC1);
    let common = ["00", "01"].iter().any(|number| text.starts_with(number));
    let digits = text.bytes().take(16).filter(u8::is_ascii_digit).count();
    if plain && !(common && digits == 16) {
        return None;
    }
    Some(concatenated(bare).and_then(Gs1Data::assemble))
}

fn bracketed(text: &str) -> Result<Vec<Element>, Rejected> {
    let wrong = || Rejected::new("括号内应为 GS1 应用标识符，如 (01)06901234567892(10)L1");
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (number, behind) = inside.ok_or_else(wrong)?;
        if by_number(number).is_none() {
            return Err(Rejected(format!("（{number}）不是 GS1 应用标识符")));
        }
        let ends = |at: &usize| begins(&behind[*at..]) && !behind[..*at].ends_with('\\');
        let end = behind.match_indices('(').map(|(at, _)| at).find(ends).unwrap_or(behind.len());
        elements.push(Element::new(number, &behind[..end].replace("\\(", "("))?);
        rest = &behind[end..];
    }
    Ok(elements)
}

/// Whether a bracket begins a known number: every other is a letter of the value that it is in.
fn begins(text: &str) -> bool {
    let inside = text[1..].split_once(')').map(|(number, _)| number);
    inside.is_some_and(|number| by_number(number).is_some())
}

/// A value as it stands behind its number in brackets.
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (at, letter) in value.char_indices() {
        if letter == '(' && begins(&value[at..]) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn concatenated(text: &str) -> Result<Vec<Element>, Rejected> {
    let mut elements = Vec::new();
    let mut rest = text.trim_matches(FNC1);
    while !rest.is_empty() {
        let known = |length: usize| rest.get(..length).filter(|number| by_number(number).is_some());
        let number = (2..=4).find_map(known).ok_or_else(|| {
            let begin: String = rest.chars().take(4).collect();
            Rejected(format!(
                "{begin} 不是 GS1 应用标识符的开头，请核对其前一项的长度与分隔符 FNC1"
            ))
        })?;
        let behind = &rest[number.len()..];
        let end = match predefined(number) {
            Some(length) => (length - number.len()).min(behind.len()),
            None => behind.find(FNC1).unwrap_or(behind.len()),
        };
        let value = behind.get(..end).ok_or_else(|| Rejected::new("只应含字母、数字和规定符号"))?;
        elements.push(Element::new(number, value)?);
        rest = behind[end..].trim_start_matches(FNC1);
    }
    Ok(elements)
}
