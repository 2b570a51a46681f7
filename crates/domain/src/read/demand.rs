//! Reading the papers that an event type demands.

use yj_model::DocumentKind;

use super::{CODES_MAX, NAME_MAX, Part};
use crate::documents::{DocumentDemand, Lacking};

pub(super) fn demand(part: &mut Part<'_, '_>) -> DocumentDemand {
    part.only(&["name", "any_of", "lacking", "registered", "when", "is", "product", "product_is"]);
    let any_of = kinds(part, "any_of", 1);
    let words = [("refuse", Lacking::Refuse), ("review", Lacking::Review), ("note", Lacking::Note)];
    let (when, is) = case(part, "when", "is");
    let (product, product_is) = case(part, "product", "product_is");
    DocumentDemand {
        name: part.label("name"),
        any_of,
        lacking: part.one_of("lacking", &words).unwrap_or(Lacking::Refuse),
        registered: part.optional_flag("registered"),
        when,
        is,
        product,
        product_is,
    }
}

/// 凭证种类, by their codes; at least so many, and each once.
pub(super) fn kinds(part: &mut Part<'_, '_>, key: &str, least: usize) -> Vec<DocumentKind> {
    let codes = part.texts(key, (least, DocumentKind::ALL.len()));
    let known = || {
        let known = DocumentKind::CODES.iter().map(|(code, label)| format!("{code} {label}"));
        known.collect::<Vec<_>>().join("、")
    };
    let mut kinds = Vec::with_capacity(codes.len());
    for (at, code) in codes.iter().enumerate() {
        match DocumentKind::from_code(code) {
            Some(kind) if kinds.contains(&kind) => {
                part.note(&format!("{key}[{at}]"), format!("凭证种类 {code} 重复"));
            }
            Some(kind) => kinds.push(kind),
            None => part
                .note(&format!("{key}[{at}]"), format!("没有凭证种类 {code}，应为：{}", known())),
        }
    }
    kinds
}

/// A field and the values that it is about; both or neither.
pub(super) fn case(
    part: &mut Part<'_, '_>,
    field: &str,
    values: &str,
) -> (Option<String>, Vec<String>) {
    if part.value(field).is_none() && part.value(values).is_none() {
        return (None, Vec::new());
    }
    (Some(part.word(field, NAME_MAX)), part.texts(values, (1, CODES_MAX)))
}
