//! 标识识别 (G-5.4.4, handbook §2.8, §2.9): what kind of identifier a scanned or typed text is.
//!
//! Every scheme is one row of [`GRAMMARS`]. A grammar reads the whole text or does not fit, and says
//! how many of its letters it *fixes*: literal prefixes, check digits, dates, known divisions. The
//! grammar that fixes most is the longest match and comes first; of two that fix equally many, the
//! earlier row. Where several fit, all are told, for a register may know the second.

mod ai;
mod ai_value;
mod chinese;
mod element;
mod epc;
mod form;
mod gs1;
mod iso;
mod link;
mod packed;
mod pairs;
mod prefix;
mod refusal;
mod unit;

pub use ai::link_keys;
pub(crate) use epc::escaped as epc_escaped;
pub use form::{Form, Split, Tail, Wanted, forms_of};
pub use gs1::Gs1Data;
pub use prefix::{PREFIX_SCHEMES, prefix_of};
pub use refusal::{uncompressed_path, why_not};
pub use unit::{gs1_unit_code, lot_beside, sought_code, unit_code};

use crate::text::narrow;

/// 编码体系
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// 平台自有追溯码
    Own,
    /// GS1: GTIN, GLN, SSCC and their kin, in any of their syntaxes.
    Gs1,
    /// Ecode, GB/T 31866
    Ecode,
    /// MA (IDcode)
    Ma,
    /// Handle, 工业互联网标识
    Handle,
    /// VAA, 工业互联网标识 under ISO/IEC 15459
    Vaa,
    /// OID, GB/T 26231
    Oid,
    /// 药品追溯码
    Drug,
    /// 农药单元识别代码
    Pesticide,
    /// 兽药追溯码
    VeterinaryDrug,
    /// 有机码
    Organic,
    /// 特种设备代码, and the older 注册代码
    Equipment,
    /// 车辆识别代号
    Vin,
    /// 肉菜流通追溯码, with the codes of nodes and merchants that begin it
    MeatVegetable,
    /// 去中心化标识
    Did,
}

/// Stable codes with their labels.
pub const SCHEMES: &[(&str, &str)] = &[
    ("own", "平台自有追溯码"),
    ("gs1", "GS1"),
    ("ecode", "Ecode"),
    ("ma", "MA"),
    ("handle", "Handle"),
    ("vaa", "VAA"),
    ("oid", "OID"),
    ("drug", "药品追溯码"),
    ("pesticide", "农药单元识别代码"),
    ("veterinary_drug", "兽药追溯码"),
    ("organic", "有机码"),
    ("equipment", "特种设备代码"),
    ("vin", "车辆识别代号"),
    ("meat_vegetable", "肉菜流通追溯码"),
    ("did", "DID"),
];

impl Scheme {
    const ALL: [Self; 15] = [
        Self::Own,
        Self::Gs1,
        Self::Ecode,
        Self::Ma,
        Self::Handle,
        Self::Vaa,
        Self::Oid,
        Self::Drug,
        Self::Pesticide,
        Self::VeterinaryDrug,
        Self::Organic,
        Self::Equipment,
        Self::Vin,
        Self::MeatVegetable,
        Self::Did,
    ];

    /// Stable code.
    pub fn code(self) -> &'static str {
        SCHEMES[self as usize].0
    }

    /// 中文名称
    pub fn label(self) -> &'static str {
        SCHEMES[self as usize].1
    }

    /// The scheme of a stable code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.code() == code)
    }
}

/// An identifier whose scheme is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// 编码体系
    pub scheme: Scheme,
    /// One form for all ways of writing it: what registers keep. GS1 keys are paths of Digital Link.
    pub canonical: String,
    /// What it is made of, by name.
    pub parts: Vec<(&'static str, String)>,
    /// How many letters the grammar fixes: the longer, the surer.
    pub fixed: usize,
}

impl Recognised {
    fn new(scheme: Scheme, canonical: impl Into<String>, fixed: usize) -> Self {
        Self { scheme, canonical: canonical.into(), parts: Vec::new(), fixed }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parts.push((name, value.into()));
        self
    }

    /// One part.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// Longest text that is looked at, in bytes.
pub const IDENTIFIER_MAX: usize = 512;

/// One grammar: the whole text, or nothing.
type Grammar = fn(&str) -> Option<Recognised>;

/// Every grammar; of two that fix equally much the earlier comes first.
///
/// Twenty digits that begin with 8 may be 药品追溯码 and, in a known division, 肉菜流通追溯码 or an old
/// 注册代码 of special equipment. 药品追溯码 come first ([`chinese::drug`]): they must begin with 8,
/// and no market of the mainland lies in a division that does.
const GRAMMARS: &[Grammar] = &[
    gs1::of_link,
    gs1::of_urn,
    gs1::of_elements,
    gs1::bare,
    chinese::ma,
    chinese::vaa,
    chinese::handle,
    chinese::oid,
    chinese::did,
    chinese::drug,
    chinese::pesticide,
    chinese::veterinary,
    chinese::equipment,
    chinese::meat_vegetable,
    chinese::vin,
    chinese::own,
    chinese::organic,
    chinese::ecode,
];

/// What a text is, by its longest grammar.
pub fn recognise(text: &str) -> Option<Recognised> {
    candidates(text).into_iter().next()
}

/// Everything a text may be, longest grammar first.
pub fn candidates(text: &str) -> Vec<Recognised> {
    let Some(text) = bare_code(text) else { return Vec::new() };
    let mut found: Vec<Recognised> = GRAMMARS.iter().filter_map(|grammar| grammar(&text)).collect();
    // Stable: of equals the earlier row stays first.
    found.sort_by_key(|one| std::cmp::Reverse(one.fixed));
    found.dedup_by(|later, earlier| {
        later.scheme == earlier.scheme && later.canonical == earlier.canonical
    });
    found
}

/// Whether the readings of a text are of more than one scheme: then the first is but the likeliest.
pub fn is_ambiguous(readings: &[Recognised]) -> bool {
    readings.iter().any(|one| one.scheme != readings[0].scheme)
}

/// The code in a text as people type it and readers send it: narrow letters, no symbology identifier, and
/// of an address of ours what it stands for. `None` where it is too long or nothing.
pub fn bare_code(text: &str) -> Option<String> {
    let text = text.trim_matches(|letter: char| letter.is_whitespace() && letter != gs1::FNC1);
    if text.is_empty() || text.len() > IDENTIFIER_MAX {
        return None;
    }
    let text: String = text.chars().map(narrow).collect();
    // Symbols without FNC1 hold a number or an address alone.
    let bare = PLAIN_MARKS.iter().find_map(|mark| text.strip_prefix(mark));
    Some(bare_of_address(bare.unwrap_or(&text)))
}

/// What readers put before the data of EAN and UPC, ITF, and of matrix symbols without FNC1
/// (ISO/IEC 15424).
const PLAIN_MARKS: [&str; 12] =
    ["]E0", "]E4", "]I0", "]I1", "]C0", "]d0", "]d1", "]d4", "]Q0", "]Q1", "]Q2", "]J0"];

/// A printed code is often an address: `https://host/t/CODE` and `https://host/id/CODE` stand for
/// the code. Every other text stays as it is, but for large letters in the scheme of an address: a
/// QR code takes less room in large letters.
fn bare_of_address(text: &str) -> String {
    let Some(path) = path_of(text) else { return String::from(text) };
    for door in ["/t/", "/id/"] {
        if let Some(code) = path.strip_prefix(door) {
            let code = code.split(['?', '#']).next().unwrap_or_default();
            if let Ok(code) = percent_encoding::percent_decode_str(code).decode_utf8() {
                return code.into_owned();
            }
        }
    }
    let rest = behind_scheme(text).unwrap_or(text);
    let scheme = text[..text.len() - rest.len()].to_ascii_lowercase();
    scheme + rest
}

/// What follows the scheme of an address of the web, whose letters may be large or small.
fn behind_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_web.then_some(rest)
}

/// The path and what follows it, of an address of the web; none where there is no host, or it has a
/// letter that no host has.
fn path_of(text: &str) -> Option<&str> {
    let rest = behind_scheme(text)?;
    let (host, path) = rest.split_at(rest.find(['/', '?', '#'])?);
    let is_host = !host.is_empty() && !host.contains(NOT_OF_HOSTS);
    (is_host && path.starts_with('/')).then_some(path)
}

const NOT_OF_HOSTS: [char; 16] =
    ['@', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', '%', '\\', ' ', '"'];

#[cfg(test)]
mod gs1_tests;
#[cfg(test)]
mod tests;
