//! XML text with the namespaces it needs.

use std::borrow::Cow;

use super::{namer::is_scheme, source::is_xml_char};
use crate::{
    context::Context,
    fault::Fault,
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
    pub(super) faults: Vec<Fault>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(context: &'a Context, around: &'a Context) -> Self {
        Self {
            out: String::new(),
            context,
            around,
            added: Vec::new(),
            web: false,
            faults: Vec::new(),
        }
    }

    /// A word of the standard as it is asked for; anything else as it is.
    pub(super) fn word<'t>(&self, list: Vocabulary, text: &'t str) -> Cow<'t, str> {
        if self.web { list.expand(text) } else { list.for_xml(text) }
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
        self.sound(value);
        self.out.push_str(&format!(" {key}=\"{}\"", escape(value, true)));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.sound(text);
        self.out.push_str(&escape(text, false));
    }

    fn sound(&mut self, text: &str) {
        if !text.chars().all(is_xml_char) {
            self.fault(text, "XML 不能含控制字符");
        }
    }

    fn fault(&mut self, place: &str, detail: &str) {
        let detail = format!("{}：{detail}", place.escape_debug());
        self.faults.push(Fault { pointer: String::new(), detail });
    }

    /// The name of a member as a name of XML.
    pub(super) fn name(&mut self, key: &str) -> String {
        let name = match self.context.resolve(key) {
            Some((namespace, local)) => {
                let prefix = key.split_once(':').map(|(prefix, _)| prefix).unwrap_or_default();
                let (namespace, local) = (namespace.to_owned(), local.to_owned());
                let prefix = self.prefix(prefix, &namespace);
                if is_local(&local) { Some(format!("{prefix}:{local}")) } else { None }
            }
            None => Some(key.to_owned()).filter(|key| is_local(key)),
        };
        name.unwrap_or_else(|| {
            self.fault(key, "不能成为 XML 的名称；前缀应已声明，名称应以字母开头");
            String::from("unnamed")
        })
    }

    fn prefix(&mut self, wanted: &str, namespace: &str) -> String {
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
        match value {
            Json::Array(items) => items.iter().for_each(|item| self.extension(key, item)),
            Json::Object(members) => {
                let name = self.name(key);
                let attributes = self.attributes(members);
                let attributes: Vec<(&str, &str)> =
                    attributes.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                self.element(&name, &attributes, |writer| {
                    for (key, value) in members.iter().filter(|(key, _)| !key.starts_with('@')) {
                        match value.scalar().filter(|_| key == "#text") {
                            Some(text) => writer.text(text),
                            None => writer.extension(key, value),
                        }
                    }
                });
            }
            other => {
                let name = self.name(key);
                self.leaf(&name, other.scalar().unwrap_or_default());
            }
        }
    }

    fn attributes<'j>(&mut self, members: &'j Members) -> Vec<(String, &'j str)> {
        let mut attributes = Vec::new();
        for (key, value) in members {
            let Some(name) = key.strip_prefix('@').filter(|name| *name != "context") else {
                continue;
            };
            match value.scalar() {
                Some(value) => attributes.push((self.name(name), value)),
                None => self.fault(key, "属性应为文本、数或真假值"),
            }
        }
        attributes
    }
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
        if is_prefix(prefix) && !matches!(prefix.as_str(), "xml" | "xmlns" | "epcis" | "epcisq") {
            sound.declare(prefix, uri);
        }
    }
    sound
}

fn is_prefix(prefix: &str) -> bool {
    is_scheme(prefix) && is_local(prefix)
}

/// Whether this is a name without colon (XML Namespaces `NCName`).
fn is_local(name: &str) -> bool {
    let foreign = |letter: char| letter >= '\u{c0}' && !matches!(letter, '×' | '÷');
    let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || foreign(letter);
    let goes_on =
        |letter: char| begins(letter) || letter.is_ascii_digit() || "-.·".contains(letter);
    name.starts_with(begins) && name.chars().all(goes_on)
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
