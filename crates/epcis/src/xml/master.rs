//! Master data: vocabularies of the header and of query results.

use super::{from_element::extend, namer::Namer, tree::Element, writer::Writer};
use crate::json::{Json, Members};

/// `VocabularyList` as `vocabularyList`.
pub(super) fn from_element(list: &Element, namer: &mut Namer<'_>) -> Json {
    Json::Array(list.unwrapped().into_iter().map(|one| vocabulary(one, namer)).collect())
}

fn vocabulary(element: &Element, namer: &mut Namer<'_>) -> Json {
    let mut members = text_member("type", element.attribute("type"));
    let elements = element.own_child("VocabularyElementList");
    let elements = elements.map(Element::unwrapped).unwrap_or_default();
    let elements = elements.into_iter().map(|one| vocabulary_element(one, namer)).collect();
    members.push((String::from("vocabularyElementList"), Json::Array(elements)));
    Json::Object(members)
}

fn vocabulary_element(element: &Element, namer: &mut Namer<'_>) -> Json {
    let mut members = text_member("id", element.attribute("id"));
    let own = |name: &'static str| {
        let children = element.unwrapped().into_iter();
        children.filter(move |child| child.name.is_own() && child.name.local == name)
    };
    let attributes: Vec<Json> = own("attribute").map(|one| attribute(one, namer)).collect();
    if !attributes.is_empty() {
        members.push((String::from("attributes"), Json::Array(attributes)));
    }
    let children = own("children").flat_map(|children| &children.children);
    let children: Vec<Json> = children.map(|child| Json::text(child.trimmed())).collect();
    if !children.is_empty() {
        members.push((String::from("children"), Json::Array(children)));
    }
    Json::Object(members)
}

/// A text, or an object with everything inside it, read as extensions of events are.
fn attribute(element: &Element, namer: &mut Namer<'_>) -> Json {
    let mut members = text_member("id", element.attribute("id"));
    let value = if element.children.is_empty() {
        Json::text(element.text.as_str())
    } else {
        let mut inner = Members::new();
        extend(&mut inner, element.children.iter().collect(), namer);
        Json::Object(inner)
    };
    members.push((String::from("attribute"), value));
    Json::Object(members)
}

fn text_member(name: &str, value: Option<&str>) -> Members {
    value.map(|value| (name.to_owned(), Json::text(value))).into_iter().collect()
}

/// `vocabularyList` as `VocabularyList`.
pub(super) fn write(vocabularies: &[Json], writer: &mut Writer<'_>) {
    writer.element("VocabularyList", &[], |writer| {
        for vocabulary in vocabularies {
            let kind = vocabulary.text_of("type").unwrap_or_default();
            writer.element("Vocabulary", &[("type", kind)], |writer| {
                let elements = vocabulary.get("vocabularyElementList").map(Json::items);
                writer.element("VocabularyElementList", &[], |writer| {
                    elements
                        .into_iter()
                        .flatten()
                        .for_each(|element| write_element(element, writer));
                });
            });
        }
    });
}

fn write_element(element: &Json, writer: &mut Writer<'_>) {
    let id = element.text_of("id").unwrap_or_default();
    writer.element("VocabularyElement", &[("id", id)], |writer| {
        for attribute in element.get("attributes").map(Json::items).unwrap_or_default() {
            let id = attribute.text_of("id").unwrap_or_default();
            writer.element("attribute", &[("id", id)], |writer| match attribute.get("attribute") {
                Some(Json::Object(members)) => {
                    members.iter().for_each(|(name, value)| writer.extension(name, value));
                }
                other => writer.text(other.and_then(Json::scalar).unwrap_or_default()),
            });
        }
        let children = element.get("children").map(Json::items).unwrap_or_default();
        if !children.is_empty() {
            writer.element("children", &[], |writer| {
                for child in children {
                    writer.leaf("id", child.as_text().unwrap_or_default());
                }
            });
        }
    });
}
