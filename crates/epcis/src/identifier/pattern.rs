//! Comparing identifiers however they are written.

use std::borrow::Cow;

use super::{
    epc::Epc,
    escape::is_urn_text,
    link::Gs1Key,
    scheme::{EpcScheme, OTHER_SCHEMES, Place, SPECS, Spec, is_numeric},
};

/// The canonical Digital Link of a GS1 key in any of its forms; `None` for any other text.
pub fn canonical_link(text: &str) -> Option<String> {
    key_of(text).map(|key| key.to_link())
}

/// The canonical Digital Link that stands in the text of an event hash.
///
/// GS1 Digital Link §7 escapes `!()*+,:` as well, and the generator did so up to 1.9.3. Its texts for
/// CBV 2.0 as published since, and those of other implementations, leave these characters as an EPC
/// URN has them; a hash is of use only where it is the same for everybody.
pub(crate) fn hash_link(text: &str) -> Option<String> {
    key_of(text).map(|key| key.to_hash_link())
}

fn key_of(text: &str) -> Option<Gs1Key> {
    if text.starts_with("urn:epc:") {
        return Epc::parse(text).map(|epc| epc.to_key());
    }
    Gs1Key::parse(text)
}

fn canonical(text: &str) -> Cow<'_, str> {
    canonical_link(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether an identifier is meant by `wanted`: both name the same thing in any form, or `wanted`
/// is a pattern URI such as `urn:epc:idpat:sgtin:0614141.*.*` that covers it, single thing or class (EPCIS 2.0 §8.2.7.1,
/// `MATCH_epc`).
pub fn id_matches(wanted: &str, id: &str) -> bool {
    canonical(wanted) == canonical(id) || pattern_covers(wanted, id).unwrap_or(false)
}

/// What would be right instead of a pattern URI that is none (Tag Data Standard, `IDPatURI`); `None`
/// where it is one, and for any other identifier.
pub(crate) fn pattern_refused(text: &str) -> Option<String> {
    let rest = text.strip_prefix(PATTERN)?;
    let (name, parts) = rest.split_once(':').unwrap_or((rest, ""));
    if let Some(spec) = SPECS.iter().find(|spec| spec.name == name) {
        let count = parts_of(spec);
        return (!is_pattern_of(spec, parts)).then(|| {
            format!(
                "不是 {name} 的模式：应为以 . 分隔的 {count} 部分，* 只能代替整个部分，其后各部分也应为 *，\
                 如 {PATTERN}{name}:4012345{}",
                ".*".repeat(count - 1)
            )
        });
    }
    if OTHER_SCHEMES.contains(&name) {
        let sound = !parts.is_empty() && is_urn_text(parts) && ends_with_stars(parts.split('.'));
        return (!sound).then(|| format!("不是 {name} 的模式：* 之后的各部分也应为 *"));
    }
    Some(format!("EPC 标签数据标准中没有 {name} 的模式，应如 {PATTERN}sgtin:4012345.*.*"))
}

const PATTERN: &str = "urn:epc:idpat:";

/// Into how many parts the URN of a scheme is divided.
fn parts_of(spec: &Spec) -> usize {
    match spec.place {
        Place::Nowhere => 2,
        _ if spec.scheme == EpcScheme::Itip => 5,
        _ => 3,
    }
}

fn is_pattern_of(spec: &Spec, parts: &str) -> bool {
    let count = parts_of(spec);
    // The last may hold dots of its own.
    let parts: Vec<&str> = parts.splitn(count, '.').collect();
    let last = count - 1;
    let sound = |(index, part): (usize, &&str)| match index {
        _ if *part == "*" => true,
        1 if let Some(digits) = spec.digits => {
            // All of twelve digits may be those of the company prefix.
            is_numeric(part) && (digits == 12 || !part.is_empty())
        }
        1 => !part.is_empty() && is_urn_text(part),
        _ if index == last && spec.place != Place::Nowhere => {
            let characters = if spec.serial_numeric { is_numeric } else { is_urn_text };
            !part.is_empty() && characters(part)
        }
        _ => !part.is_empty() && is_numeric(part),
    };
    parts.len() == count && parts.iter().enumerate().all(sound) && ends_with_stars(parts)
}

/// Whether behind a star there are only stars.
fn ends_with_stars<'p>(parts: impl IntoIterator<Item = &'p str>) -> bool {
    parts.into_iter().skip_while(|part| *part != "*").all(|part| part == "*")
}

fn pattern_covers(pattern: &str, id: &str) -> Option<bool> {
    let (name, parts) = pattern.strip_prefix(PATTERN)?.split_once(':')?;
    let (company, rest) = parts.split_once('.')?;
    // A pattern names the company prefix, and so its length for keys that do not tell it.
    let any_company = company == "*";
    let epcs: Vec<Epc> = if let Some(epc) = Epc::parse(id) {
        vec![epc]
    } else {
        let key = Gs1Key::parse(id)?;
        let lengths = if any_company { 6..=12 } else { company.len()..=company.len() };
        lengths.filter_map(|length| Epc::from_key(&key, length)).collect()
    };
    Some(epcs.iter().any(|epc| {
        epc.scheme.name() == name
            && (any_company || epc.company == company)
            && rest_covers(rest, epc)
    }))
}

fn rest_covers(pattern: &str, epc: &Epc) -> bool {
    let urn = epc.to_urn();
    let Some((_, rest)) = urn.split_once('.') else { return false };
    let count = pattern.split('.').count();
    let mut parts = rest.splitn(count, '.');
    let covered = pattern.split('.').all(|wanted| match parts.next() {
        Some(part) => wanted == "*" || wanted == part,
        None => false,
    });
    covered && parts.next().is_none()
}
