//! Comparing identifiers however they are written.

use std::borrow::Cow;

use super::{epc::Epc, link::Gs1Key};

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

fn pattern_covers(pattern: &str, id: &str) -> Option<bool> {
    let (name, parts) = pattern.strip_prefix("urn:epc:idpat:")?.split_once(':')?;
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
