//! GS1 data: a key, its qualifiers and what else is told, read from any syntax and written in any.
//! The canonical form is the path of a Digital Link without attributes: `/01/06901234567892/10/L1/21/5`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Recognised, Scheme,
    ai::{Ai, by_number, is_attribute, predefined},
    ai_value::check,
    element, epc, link, pairs,
};
use crate::{Gtin, Rejected};

/// What a reader puts where the symbol has FNC1.
pub(super) const FNC1: char = '\u{1d}';

/// Everything but letters, digits and `- _ . ~` is written as `%XX`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One application identifier with its value.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) ai: &'static Ai,
    pub(super) number: String,
    pub(super) value: String,
}

impl Element {
    /// Checks a value; the refusal names what it is of.
    pub(super) fn new(number: &str, value: &str) -> Result<Self, Rejected> {
        let unknown = || Rejected(format!("（{number}）不是 GS1 应用标识符"));
        let ai = by_number(number).ok_or_else(unknown)?;
        let wrong = |error: Rejected| Rejected(format!("（{number}）{}{error}", ai.label));
        check(ai.form, value).map_err(wrong)?;
        Ok(Self { ai, number: String::from(number), value: String::from(value) })
    }

    fn fixed(&self) -> usize {
        self.ai.form.iter().map(super::ai_value::Part::fixed).sum()
    }
}

/// A GS1 key with its qualifiers and attributes, all of them checked.
#[derive(Debug, Clone)]
pub struct Gs1Data {
    elements: Vec<Element>,
    /// Which of them is the primary key.
    key: usize,
}

impl Gs1Data {
    /// Reads a Digital Link or its path, an element string with brackets or with FNC1, or an EPC
    /// URN; `None` where the text does not look like any of them.
    pub fn read(text: &str) -> Option<Result<Self, Rejected>> {
        link::read(text).or_else(|| epc::read(text)).or_else(|| element::read(text))
    }

    /// Elements in any order become a key with what belongs to it. The first primary key is what
    /// they are about: further ones, such as the shipment of a logistic unit, tell more of it.
    pub(super) fn assemble(all: Vec<Element>) -> Result<Self, Rejected> {
        let mut elements: Vec<Element> = Vec::with_capacity(all.len());
        for one in all {
            match elements.iter().find(|known| known.number == one.number) {
                Some(known) if known.value == one.value => {}
                Some(known) => {
                    let (number, label) = (&one.number, one.ai.label);
                    return Err(Rejected(format!(
                        "（{number}）{label}应只有一个，现有 {} 与 {}",
                        known.value, one.value
                    )));
                }
                None => elements.push(one),
            }
        }
        let key = elements.iter().position(|one| one.ai.qualifiers.is_some()).ok_or_else(|| {
            Rejected::new("没有 GS1 主键：应含商品条码（01）、物流单元代码（00）等主键之一")
        })?;
        let numbers: Vec<&str> = elements.iter().map(|one| one.number.as_str()).collect();
        pairs::check(&numbers)?;
        Ok(Self { elements, key })
    }

    /// The value of an application identifier.
    pub fn value(&self, number: &str) -> Option<&str> {
        let found = self.elements.iter().find(|one| one.number == number);
        found.map(|one| one.value.as_str())
    }

    /// The number of the primary key.
    pub fn key(&self) -> &str {
        &self.elements[self.key].number
    }

    /// The elements of the path: the key, and those of its qualifiers that are there, in order. Of
    /// two sequences the one that leaves fewer that may not stand in the query.
    fn named(&self) -> Vec<&Element> {
        let key = &self.elements[self.key];
        let of = |row: &&[&str]| {
            let found = row.iter().filter_map(|number| self.element(number));
            found.collect::<Vec<_>>()
        };
        let rows = key.ai.qualifiers.unwrap_or_default().iter().map(of);
        let kept = |row: &Vec<&Element>| {
            (row.iter().filter(|one| !is_attribute(&one.number)).count(), row.len())
        };
        let mut named = vec![key];
        named.extend(rows.max_by_key(kept).unwrap_or_default());
        named
    }

    fn element(&self, number: &str) -> Option<&Element> {
        self.elements.iter().find(|one| one.number == number)
    }

    /// The canonical path.
    pub fn path(&self) -> String {
        let part = |one: &Element| format!("/{}/{}", one.number, escape(&one.value));
        self.named().into_iter().map(part).collect()
    }

    /// The whole link under an address, attributes in the query. What a link has no place for, such
    /// as the address of further packaging (8200), is left out.
    pub fn link(&self, root: &str) -> String {
        let named = self.named();
        let is_other = |one: &&Element| {
            is_attribute(&one.number) && named.iter().all(|known| known.number != one.number)
        };
        let attributes = self.elements.iter().filter(is_other);
        let attributes: Vec<String> =
            attributes.map(|one| format!("{}={}", one.number, escape(&one.value))).collect();
        let mark = if attributes.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", root.trim_end_matches('/'), self.path(), attributes.join("&"))
    }

    /// As people read it: `(01)06901234567892(10)L1`. A bracket of a value that would read as the
    /// beginning of another number is written `\(`.
    pub fn bracketed(&self) -> String {
        let part = |one: &Element| format!("({}){}", one.number, element::escaped(&one.value));
        self.elements.iter().map(part).collect()
    }

    /// As a symbol holds it behind its own FNC1: values of predefined length first, FNC1 behind every
    /// other but the last.
    pub fn concatenated(&self) -> String {
        let is_short = |one: &&Element| predefined(&one.number).is_none();
        let (open, closed): (Vec<&Element>, Vec<&Element>) =
            self.elements.iter().partition(|one| is_short(one));
        let mut text: String =
            closed.iter().map(|one| format!("{}{}", one.number, one.value)).collect();
        let open: Vec<String> =
            open.iter().map(|one| format!("{}{}", one.number, one.value)).collect();
        text.push_str(&open.join(&String::from(FNC1)));
        text
    }

    /// The EPC URN, given the digits of the company prefix, which a key does not tell; `None` where
    /// there is no EPC of its kind.
    pub fn urn(&self, company_digits: usize) -> Option<String> {
        epc::write(self, company_digits)
    }

    /// As one of the readings of a text; `more` is what the syntax itself fixes.
    pub(super) fn recognised(self, more: usize) -> Recognised {
        let numbers: usize = self.named().iter().map(|one| one.number.len()).sum();
        let fixed: usize = self.elements.iter().map(Element::fixed).sum();
        let found = Recognised::new(Scheme::Gs1, self.path(), numbers + fixed + more);
        self.elements.into_iter().fold(found, |found, one| found.with(one.ai.name, one.value))
    }
}

fn escape(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

/// A Digital Link of any host, or its path alone. The slashes and the place in an address are part of
/// the grammar.
pub(super) fn of_link(text: &str) -> Option<Recognised> {
    Some(link::read(text)?.ok()?.recognised(4))
}

/// An element string.
pub(super) fn of_elements(text: &str) -> Option<Recognised> {
    let marks = if text.starts_with(']') { 3 } else { 0 };
    let marks = marks + usize::from(text.starts_with('(') || text.contains(FNC1)) * 2;
    Some(element::read(text)?.ok()?.recognised(marks))
}

/// An EPC URN.
pub(super) fn of_urn(text: &str) -> Option<Recognised> {
    Some(epc::read(text)?.ok()?.recognised(16))
}

/// A number alone: GTIN by its check digit, SSCC by its length.
pub(super) fn bare(text: &str) -> Option<Recognised> {
    let (number, value) = match text.len() {
        8 | 12 | 13 | 14 => ("01", text.parse::<Gtin>().ok()?.to_string()),
        18 => ("00", String::from(text)),
        _ => return None,
    };
    let element = Element::new(number, &value).ok()?;
    let found = Recognised::new(Scheme::Gs1, format!("/{number}/{value}"), 1);
    Some(found.with(element.ai.name, value))
}
