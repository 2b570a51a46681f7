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
        let free = |prefix: &str| {
            self.context.namespace(prefix).is_none()
                && self.added.iter().all(|(known, _)| known != prefix)
        };
        let wanted = Some(name.prefix.clone()).filter(|prefix| is_scheme(prefix) && free(prefix));
        let made =
            || (1..=u32::MAX).map(|number| format!("ns{number}")).find(|prefix| free(prefix));
        let prefix = wanted.or_else(made).unwrap_or_default();
        self.added.push((prefix.clone(), name.namespace.clone()));
        prefix
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

/// Whether a prefix makes names that look like URIs, as JSON-LD wants them.
pub(super) fn is_scheme(prefix: &str) -> bool {
    prefix.starts_with(|first: char| first.is_ascii_alphabetic())
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}
