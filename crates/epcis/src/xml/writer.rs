//! XML text with the namespaces it needs.

use std::borrow::Cow;

use super::{
    TOLD,
    namer::is_scheme,
    names::{is_local, is_namespace, is_xml_char, is_xml_text, unnamed},
};
use crate::{
    context::{Context, XML_NAMESPACE},
    hash::terms::in_full,
    json::{Json, Members},
    vocabulary::Vocabulary,
};

/// Writes elements; prefixes that the surroundings do not declare are collected.
pub(super) struct Writer<'a> {
    pub(super) out: String,
    /// What the prefixes of the JSON mean.
    context: &'a Context,
    /// Prefixes that are declared around what is written.
    around: &'a Context,
    added: Vec<(String, String)>,
    /// Whether words of the standard are written as Web URIs.
    pub(super) web: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(context: &'a Context, around: &'a Context) -> Self {
        Self { out: String::new(), context, around, added: Vec::new(), web: false }
    }

    /// A word of the standard as it is asked for; anything else as it is. Where it has a prefix of GS1,
    /// that is declared.
    pub(super) fn word<'t>(&mut self, list: Vocabulary, text: &'t str) -> Cow<'t, str> {
        let word = if self.web { list.expand(text) } else { list.for_xml(text) };
        let prefix = word.split_once(':').map(|(prefix, _)| prefix);
        let Some(prefix @ ("gs1" | "cbv")) = prefix else { return word };
        let namespace = Context::default().namespace(prefix).unwrap_or_default().to_owned();
        if self.declares(prefix, &namespace) { word } else { list.expand(text) }
    }

    /// Whether a prefix stands for this namespace here, now at the latest.
    fn declares(&mut self, prefix: &str, namespace: &str) -> bool {
        let known = self.around.declared().iter().chain(&self.added);
        let found = known.into_iter().find(|(known, _)| known == prefix);
        if let Some((_, uri)) = found {
            return uri == namespace;
        }
        self.added.push((prefix.to_owned(), namespace.to_owned()));
        true
    }

    /// ` xmlns:…="…"` for the prefixes that were added.
    pub(super) fn declarations(&self) -> String {
        declarations(&self.added)
    }

    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inner: impl FnOnce(&mut Self),
    ) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.attribute(key, value);
        }
        self.out.push('>');
        inner(self);
        self.out.push_str(&format!("</{name}>"));
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.element(name, &[], |writer| writer.text(text));
    }

    fn attribute(&mut self, key: &str, value: &str) {
        let value: String =
            value.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect();
        self.out.push_str(&format!(" {key}=\"{}\"", escape(&value, true)));
    }

    /// Text; a character that XML may not hold becomes an element that tells its code.
    pub(super) fn text(&mut self, text: &str) {
        if is_xml_text(text) {
            return self.out.push_str(&escape(text, false));
        }
        for letter in text.chars() {
            if is_xml_char(letter) {
                self.out.push_str(&escape(letter.encode_utf8(&mut [0; 4]), false));
            } else {
                let name = self.own("char");
                self.out.push_str(&format!("<{name} code=\"{:04X}\"></{name}>", u32::from(letter)));
            }
        }
    }

    /// The name of a member as a name of XML; `None` where it can be none.
    pub(super) fn name(&mut self, key: &str) -> Option<String> {
        if unnamed(key, self.context).is_some() {
            return None;
        }
        let Some((namespace, local)) = self.context.resolve(key) else {
            return Some(key.to_owned());
        };
        let prefix = key.split_once(':').map(|(prefix, _)| prefix).unwrap_or_default();
        let (namespace, local) = (namespace.to_owned(), local.to_owned());
        Some(format!("{}:{local}", self.prefix(prefix, &namespace)))
    }

    /// The name of an element that says what XML has no name for.
    fn own(&mut self, local: &str) -> String {
        format!("{}:{local}", self.prefix("told", TOLD))
    }

    /// An element of this member; where its name can be none, one that tells it.
    pub(super) fn member(
        &mut self,
        key: &str,
        attributes: &[(&str, &str)],
        inner: impl FnOnce(&mut Self),
    ) {
        if let Some(name) = self.name(key) {
            return self.element(&name, attributes, inner);
        }
        let (name, told) = (self.own("member"), told(key));
        let mut all = vec![("name", told.as_str())];
        all.extend(attributes.iter().filter(|(name, _)| *name != "name"));
        self.element(&name, &all, inner);
    }

    /// Whether a member is one of XML's own, such as `xml:lang`.
    pub(super) fn is_of_xml(&self, key: &str) -> bool {
        self.context.resolve(key).is_some_and(|(namespace, _)| namespace == XML_NAMESPACE)
    }

    fn prefix(&mut self, wanted: &str, namespace: &str) -> String {
        if namespace == XML_NAMESPACE {
            return String::from("xml");
        }
        let around = self.around.declared().iter();
        let known = around.chain(&self.added).find(|(_, uri)| uri == namespace);
        if let Some((prefix, _)) = known {
            return prefix.clone();
        }
        let free = |prefix: &str| {
            let taken = self.around.declared().iter().chain(&self.added);
            !matches!(prefix, "xml" | "xmlns" | "epcis" | "epcisq")
                && taken.into_iter().all(|(known, _)| known != prefix)
        };
        let own = Some(wanted.to_owned()).filter(|prefix| is_prefix(prefix) && free(prefix));
        let made =
            || (1..=u32::MAX).map(|number| format!("ns{number}")).find(|prefix| free(prefix));
        let prefix = own.or_else(made).unwrap_or_default();
        self.added.push((prefix.clone(), namespace.to_owned()));
        prefix
    }

    /// An extension with everything inside it; a list gives several elements.
    pub(super) fn extension(&mut self, key: &str, value: &Json) {
        match value.as_ld_list().unwrap_or(value) {
            Json::Array(items) => items.iter().for_each(|item| self.extension(key, item)),
            Json::Object(members) => {
                let (attributes, others) = self.attributes(members);
                let attributes: Vec<(&str, &str)> =
                    attributes.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                self.member(key, &attributes, |writer| {
                    for (key, value) in others {
                        match value.scalar().filter(|_| key == "#text") {
                            Some(text) => writer.text(text),
                            None => writer.extension(key, value),
                        }
                    }
                });
            }
            other => {
                let text = other.scalar().unwrap_or_default();
                // XML names no context elsewhere that says what a plain word stands for.
                let full = in_full(key, text.trim(), self.context);
                self.member(key, &[], |writer| writer.text(full.as_deref().unwrap_or(text)));
            }
        }
    }

    /// Members that become attributes, and those that become elements. What is an attribute in name
    /// but none that XML could have is told by an element.
    fn attributes<'j>(
        &mut self,
        members: &'j Members,
    ) -> (Vec<(String, &'j str)>, Vec<(&'j str, &'j Json)>) {
        let mut attributes: Vec<(String, &str)> = Vec::new();
        let mut others = Vec::new();
        for (key, value) in members.iter().filter(|(key, _)| key != "@context") {
            let text = value.scalar().filter(|text| is_xml_text(text));
            let found = key.strip_prefix('@').zip(text).and_then(|(name, text)| {
                let name = self.name(name)?;
                attributes.iter().all(|(known, _)| *known != name).then_some((name, text))
            });
            match found {
                Some(attribute) => attributes.push(attribute),
                None => others.push((key.as_str(), value)),
            }
        }
        (attributes, others)
    }
}

/// A name as an attribute tells it: what XML may not hold, and the backslash, as JSON escapes them.
fn told(key: &str) -> String {
    key.chars().fold(String::with_capacity(key.len()), |mut out, letter| {
        match letter {
            '\\' => out.push_str("\\\\"),
            letter if is_xml_char(letter) => out.push(letter),
            other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
        out
    })
}

/// ` xmlns:…="…"`
pub(super) fn declarations(prefixes: &[(String, String)]) -> String {
    let one =
        |(prefix, uri): &(String, String)| format!(" xmlns:{prefix}=\"{}\"", escape(uri, true));
    prefixes.iter().map(one).collect()
}

/// Prefixes that XML can declare, in the order of their declaration.
pub(super) fn declarable(context: &Context) -> Context {
    let mut sound = Context::default();
    for (prefix, uri) in context.declared().iter().rev() {
        if is_prefix(prefix)
            && is_namespace(uri)
            && !matches!(prefix.as_str(), "xml" | "xmlns" | "epcis" | "epcisq")
        {
            sound.declare(prefix, uri);
        }
    }
    sound
}

fn is_prefix(prefix: &str) -> bool {
    is_scheme(prefix) && is_local(prefix)
}

fn escape(text: &str, attribute: bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            other => out.push(other),
        }
        out
    })
}
