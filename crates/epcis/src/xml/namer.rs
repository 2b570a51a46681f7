//! Names of XML as names of JSON.

use super::tree::Name;
use crate::{context::Context, json::Json};

/// Finds a prefixed name for every name of a namespace, and keeps the prefixes that the context
/// of the document does not have.
pub(super) struct Namer<'a> {
    context: &'a Context,
    added: Vec<(String, String)>,
}

impl<'a> Namer<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context, added: Vec::new() }
    }

    pub(super) fn name(&mut self, name: &Name) -> String {
        if name.is_own() {
            return name.local.clone();
        }
        format!("{}:{}", self.prefix(name), name.local)
    }

    fn prefix(&mut self, name: &Name) -> String {
        let means = |namespace: Option<&str>| namespace == Some(name.namespace.as_str());
        if means(self.context.namespace(&name.prefix)) {
            return name.prefix.clone();
        }
        let known = self.context.declared().iter().chain(&self.added);
        if let Some((prefix, _)) = known.into_iter().find(|(_, uri)| *uri == name.namespace) {
            return prefix.clone();
        }
        let wanted = Some(name.prefix.clone()).filter(|prefix| self.is_free(prefix));
        let made = || {
            (1..=u32::MAX).map(|number| format!("ns{number}")).find(|prefix| self.is_free(prefix))
        };
        let prefix = wanted.or_else(made).unwrap_or_default();
        self.added.push((prefix.clone(), name.namespace.clone()));
        prefix
    }

    /// Whether a prefix means nothing yet and could mean something.
    pub(super) fn is_free(&self, prefix: &str) -> bool {
        is_scheme(prefix)
            && self.context.namespace(prefix).is_none()
            && self.added.iter().all(|(known, _)| known != prefix)
    }

    /// Keeps a prefix that is free.
    pub(super) fn keep(&mut self, prefix: &str, namespace: &str) {
        self.added.push((prefix.to_owned(), namespace.to_owned()));
    }

    /// The prefixes that were added.
    pub(super) fn into_added(self) -> Vec<(String, String)> {
        self.added
    }

    /// A `@context` for the prefixes that were added.
    pub(super) fn into_context(self) -> Option<Json> {
        let members = self.added.into_iter().map(|(prefix, uri)| (prefix, Json::Text(uri)));
        let members: Vec<_> = members.collect();
        (!members.is_empty()).then_some(Json::Object(members))
    }
}

/// Schemes that values of events begin with. A prefix of such a name would change what they mean.
const SCHEMES: [&str; 6] = ["urn", "http", "https", "ni", "tag", "did"];

/// Whether a prefix makes names that look like URIs, as JSON-LD wants them, and no URIs of another kind.
pub(super) fn is_scheme(prefix: &str) -> bool {
    prefix.starts_with(|first: char| first.is_ascii_alphabetic())
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !SCHEMES.iter().any(|scheme| prefix.eq_ignore_ascii_case(scheme))
}
