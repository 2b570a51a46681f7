//! What prefixes mean: `@context` of JSON-LD, `xmlns` of XML.

use std::borrow::Cow;

use crate::json::Json;

/// The context every document of EPCIS 2.0 names.
pub const EPCIS_CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";

/// The vocabulary of EPCIS 2.0: the standard's own kinds of events and their fields.
pub(crate) const EPCIS_NAMESPACE: &str = "https://ref.gs1.org/epcis/";

/// What the prefix `xml` stands for by definition (Namespaces in XML §3).
pub(crate) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Prefixes that every document has without saying so.
const WELL_KNOWN: [(&str, &str); 6] = [
    ("xml", XML_NAMESPACE),
    ("gs1", "https://ref.gs1.org/voc/"),
    ("cbv", "https://ref.gs1.org/cbv/"),
    ("epcis", EPCIS_NAMESPACE),
    ("cbvmda", "urn:epcglobal:cbv:mda"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
];

/// Prefixes with their namespaces, later ones before earlier ones; and which contexts that live
/// elsewhere were named beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    prefixes: Vec<(String, String)>,
    elsewhere: Vec<String>,
}

/// Whether this is where GS1 publishes the context of EPCIS 2.0, in one of its addresses.
pub fn is_standard_context(uri: &str) -> bool {
    uri.starts_with("https://ref.gs1.org/standards/epcis/")
        && uri.ends_with("/epcis-context.jsonld")
        || uri == "https://gs1.github.io/EPCIS/epcis-context.jsonld"
}

impl Context {
    /// Takes the prefixes of a `@context`: a URI, an object, or a list of both. URIs of contexts
    /// that live elsewhere are not fetched.
    pub fn new(context: Option<&Json>) -> Self {
        let mut prefixes = Self::default();
        if let Some(context) = context {
            prefixes.add(context);
        }
        prefixes
    }

    /// With the prefixes of an inner `@context`, which win over those around it.
    #[must_use]
    pub fn within(&self, inner: Option<&Json>) -> Self {
        let mut prefixes = Self::new(inner);
        prefixes.prefixes.extend(self.prefixes.iter().cloned());
        prefixes.elsewhere.extend(self.elsewhere.iter().cloned());
        prefixes
    }

    fn add(&mut self, context: &Json) {
        for part in context.items() {
            self.add(part);
        }
        if let Some(uri) = context.as_text().filter(|uri| !is_standard_context(uri)) {
            self.elsewhere.push(uri.to_owned());
        }
        for (name, value) in context.members() {
            let namespace = value.as_text().or_else(|| value.text_of("@id"));
            if let Some(namespace) = namespace.filter(|_| !name.starts_with('@')) {
                self.declare(name, namespace);
            }
        }
    }

    /// A prefix stands for a namespace from now on.
    pub fn declare(&mut self, prefix: &str, namespace: &str) {
        self.prefixes.retain(|(known, _)| known != prefix);
        self.prefixes.insert(0, (prefix.to_owned(), namespace.to_owned()));
    }

    /// The namespace of a prefix.
    pub fn namespace(&self, prefix: &str) -> Option<&str> {
        let own =
            self.prefixes.iter().find(|(known, _)| known == prefix).map(|(_, uri)| uri.as_str());
        own.or_else(|| WELL_KNOWN.iter().find(|(known, _)| *known == prefix).map(|(_, uri)| *uri))
    }

    /// The prefixes that were declared, the innermost first.
    pub fn declared(&self) -> &[(String, String)] {
        &self.prefixes
    }

    /// Contexts other than the standard's own that were named by their address. They are not
    /// fetched, so that what prefixes they declare is not known.
    pub fn elsewhere(&self) -> &[String] {
        &self.elsewhere
    }

    /// What a value means that is a URI: in full, where it is written with a prefix that was declared.
    /// Whatever else it is stays as it is.
    pub fn expand<'a>(&self, value: &'a str) -> Cow<'a, str> {
        let Some((prefix, local)) = value.split_once(':') else { return Cow::Borrowed(value) };
        let declared = self.prefixes.iter().find(|(known, _)| known == prefix);
        match declared.filter(|_| !local.starts_with("//")) {
            Some((_, namespace)) => Cow::Owned(format!("{namespace}{local}")),
            None => Cow::Borrowed(value),
        }
    }

    /// The same of each of these.
    pub(crate) fn expand_all(&self, values: &mut [String]) {
        for value in values {
            if let Cow::Owned(full) = self.expand(value) {
                *value = full;
            }
        }
    }

    /// Namespace and local name of a member: by its prefix, or by splitting an absolute URI after
    /// its last `/`, `#` or `:`. `None` for a name without either.
    pub fn resolve<'a>(&'a self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let (prefix, local) = name.split_once(':')?;
        if let Some(namespace) = self.namespace(prefix).filter(|_| !local.starts_with("//")) {
            return Some((namespace, local));
        }
        let absolute = local.starts_with("//") || prefix == "urn";
        let cut = name.rfind(['/', '#', ':']).filter(|_| absolute)? + 1;
        (cut < name.len()).then(|| name.split_at(cut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_from_every_form_of_context() {
        let text =
            r#"["https://a/x.jsonld",{"ex":"https://ex/","@vocab":"v"},{"o":{"@id":"urn:o:"}}]"#;
        let context = Json::parse(text.as_bytes(), &crate::Limits::default()).unwrap();
        let context = Context::new(Some(&context));
        assert_eq!(context.resolve("ex:field"), Some(("https://ex/", "field")));
        assert_eq!(context.resolve("o:field"), Some(("urn:o:", "field")));
        assert_eq!(
            context.resolve("cbvmda:lotNumber"),
            Some(("urn:epcglobal:cbv:mda", "lotNumber"))
        );
        assert_eq!(context.resolve("https://q/w#e"), Some(("https://q/w#", "e")));
        assert_eq!(context.resolve("unknown:e"), None);
        assert_eq!(context.resolve("plain"), None);
        assert_eq!(context.expand("ex:step"), "https://ex/step");
        for whole in ["https://ex/step", "urn:epc:id:sgtin:1.2.3", "unknown:e", "plain", "cbv:x"] {
            assert_eq!(context.expand(whole), whole);
        }
        let inner = Json::Object(vec![(String::from("ex"), Json::text("https://inner/"))]);
        assert_eq!(context.within(Some(&inner)).namespace("ex"), Some("https://inner/"));
    }
}
