//! One spelling for each name and value.

use std::borrow::Cow;

use super::terms;
use crate::{
    context::Context, decimal::Decimal, identifier::hash_link, json::Json, vocabulary::from_urn,
};

/// Namespaces of GS1, whose short names stand for full ones in values too.
const GS1_NAMESPACES: [&str; 2] = ["https://ref.gs1.org/", "https://gs1.org/"];

/// Members that say nothing about the event.
pub(super) fn is_comment(name: &str) -> bool {
    matches!(name, "rdfs:comment" | "comment" | "@context") || name.starts_with("@xmlns")
}

/// `{namespace}local`; attributes that came from XML bear an `@` that is no part of the name, while
/// keywords of JSON-LD are names with it.
pub(super) fn name<'a>(name: &'a str, context: &Context) -> Cow<'a, str> {
    if matches!(name, "@id" | "@type") {
        return name.into();
    }
    let bare = name.strip_prefix('@').unwrap_or(name);
    match context.resolve(bare) {
        Some((namespace, local)) => format!("{{{namespace}}}{local}").into(),
        None => bare.into(),
    }
}

/// A value: words of GS1's vocabularies as Web URIs, numbers plain, keys as Digital Links.
pub(super) fn value(text: &str, context: &Context) -> String {
    let text = text.trim();
    if let Some(word) = from_urn(text) {
        return word;
    }
    if let Some(number) = Decimal::parse(text) {
        return number.to_string();
    }
    hash_link(text).or_else(|| in_full(text, context)).unwrap_or_else(|| text.to_owned())
}

fn in_full(text: &str, context: &Context) -> Option<String> {
    let (prefix, word) = text.split_once(':')?;
    let namespace = context.namespace(prefix)?;
    let known = GS1_NAMESPACES.iter().any(|known| namespace.starts_with(known));
    known.then(|| format!("{namespace}{word}"))
}

/// An extension with everything inside it; a list gives one text for each of its items.
pub(super) fn extension(key: &str, json: &Json, context: &Context, out: &mut Vec<String>) {
    match json.as_ld_list().unwrap_or(json) {
        Json::Array(items) => items.iter().for_each(|item| extension(key, item, context, out)),
        Json::Object(members) => {
            let own = json.get("#text").and_then(Json::scalar).unwrap_or_default();
            let mut text = leaf(key, own, context);
            text.push_str(&extensions(members, context, |name| name == "#text"));
            out.push(text);
        }
        other => out.push(leaf(key, other.scalar().unwrap_or_default(), context)),
    }
}

/// Several extensions in the order of their texts.
pub(super) fn extensions(
    members: &[(String, Json)],
    context: &Context,
    leave_out: impl Fn(&str) -> bool,
) -> String {
    let mut texts = Vec::new();
    for (key, json) in members.iter().filter(|(key, _)| !is_comment(key) && !leave_out(key)) {
        extension(key, json, context, &mut texts);
    }
    texts.sort();
    texts.concat()
}

fn leaf(key: &str, text: &str, context: &Context) -> String {
    let full = terms::in_full(key, text.trim(), context);
    let (name, text) = (name(key, context), full.unwrap_or_else(|| value(text, context)));
    if text.is_empty() { name.into_owned() } else { format!("{name}={text}") }
}
