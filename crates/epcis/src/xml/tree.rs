//! One element with all that is in it.

use crate::event::EventKind;

/// A name with its namespace, which is empty for names without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) prefix: String,
    pub(super) local: String,
}

impl Name {
    pub(super) fn is_own(&self) -> bool {
        super::is_own(&self.namespace)
    }

    /// Whether this is one of the wrappers by which 1.x made room for later fields.
    pub(super) fn is_wrapper(&self) -> bool {
        self.is_own() && matches!(self.local.as_str(), "extension" | "baseExtension")
    }
}

/// Whether what a later version of the standard has added may stand inside so many wrappers: the XML
/// schemas let any element without a namespace stand in the innermost they have. That is the first, but
/// for the kinds of events to which 1.1 and 1.2 added fields.
pub(super) fn is_lax(depth: usize, of_first_versions: Option<&EventKind>) -> bool {
    let innermost = match of_first_versions {
        Some(EventKind::Object | EventKind::Aggregation | EventKind::Transaction) => 2,
        _ => 1,
    };
    depth >= innermost
}

#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) name: Name,
    pub(super) attributes: Vec<(Name, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
    /// The prefixes that it declares.
    pub(super) declared: Vec<(String, String)>,
}

impl Element {
    /// Text without the white space around it.
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }

    pub(super) fn attribute(&self, local: &str) -> Option<&str> {
        let own = |name: &Name| name.namespace.is_empty() && name.local == local;
        self.attributes.iter().find(|(name, _)| own(name)).map(|(_, value)| value.trim())
    }

    /// The attributes that say something of the event. Those of XML Schema (`xsi:type`, `xsi:nil`) say how
    /// the XML is to be held against a schema: the event hash does not know them, and JSON has none.
    pub(super) fn content(&self) -> impl Iterator<Item = &(Name, String)> {
        self.attributes.iter().filter(|(name, _)| name.namespace != super::INSTANCE)
    }

    /// The prefixes that it and its descendants declare.
    pub(super) fn all_declared<'a>(&'a self, found: &mut Vec<(&'a str, &'a str)>) {
        found.extend(self.declared.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str())));
        self.children.iter().for_each(|child| child.all_declared(found));
    }

    /// Whether a text or an attribute in it begins with this prefix.
    pub(super) fn has_value_of(&self, prefix: &str) -> bool {
        let begins =
            |text: &str| text.trim().split_once(':').is_some_and(|(head, _)| head == prefix);
        begins(&self.text)
            || self.content().any(|(_, value)| begins(value))
            || self.children.iter().any(|child| child.has_value_of(prefix))
    }

    /// The children, with those inside wrappers in place of the wrappers.
    pub(super) fn unwrapped(&self) -> Vec<&Element> {
        self.unwrapped_deep().into_iter().map(|(_, child)| child).collect()
    }

    /// The same, each with how many wrappers stand around it.
    pub(super) fn unwrapped_deep(&self) -> Vec<(usize, &Element)> {
        let mut found = Vec::with_capacity(self.children.len());
        self.unwrap_into(0, &mut found);
        found
    }

    fn unwrap_into<'a>(&'a self, depth: usize, found: &mut Vec<(usize, &'a Element)>) {
        for child in &self.children {
            if child.name.is_wrapper() {
                child.unwrap_into(depth + 1, found);
            } else {
                found.push((depth, child));
            }
        }
    }

    /// The first of the standard's own children with this name, through wrappers.
    pub(super) fn own_child(&self, local: &str) -> Option<&Element> {
        let own = |child: &&Element| child.name.is_own() && child.name.local == local;
        self.unwrapped().into_iter().find(own)
    }

    /// The first descendant of this local name, itself included.
    pub(super) fn find(&self, local: &str) -> Option<&Element> {
        if self.name.local == local {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(local))
    }
}
