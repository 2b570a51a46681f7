//! Reading the papers that an event type demands.

use yj_model::DocumentKind;

use super::{CODES_MAX, NAME_MAX, Part};
use crate::documents::{DocumentDemand, Lacking};

pub(super) fn demand(part: &mut Part<'_, '_>) -> DocumentDemand {
    part.only(&["name", "any_of", "lacking", "registered", "when", "is", "product", "product_is"]);
    let kinds = part.texts("any_of", (1, DocumentKind::ALL.len()));
    let known = || {
        let known = DocumentKind::CODES.iter().map(|(code, label)| format!("{code} {label}"));
        known.collect::<Vec<_>>().join("、")
    };
    let mut any_of = Vec::with_capacity(kinds.len());
    for (at, code) in kinds.iter().enumerate() {
        match DocumentKind::from_code(code) {
            Some(kind) if any_of.contains(&kind) => {
                part.note(&format!("any_of[{at}]"), format!("凭证种类 {code} 重复"));
            }
            Some(kind) => any_of.push(kind),
            None => part
                .note(&format!("any_of[{at}]"), format!("没有凭证种类 {code}，应为：{}", known())),
        }
    }
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

/// A field and the values that it is about; both or neither.
fn case(part: &mut Part<'_, '_>, field: &str, values: &str) -> (Option<String>, Vec<String>) {
    if part.value(field).is_none() && part.value(values).is_none() {
        return (None, Vec::new());
    }
    (Some(part.word(field, NAME_MAX)), part.texts(values, (1, CODES_MAX)))
}
