//! Finding extensions in an event.

use super::condition::{Extension, ExtensionTest, ExtensionValue, FieldName};
use crate::{context::Context, event::Event, json::Json};

/// Attributes of CBV.
const CBV_MDA: &str = "urn:epcglobal:cbv:mda";

/// Where extensions stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum ExtensionPlace {
    Event,
    Ilmd,
    ErrorDeclaration,
    SensorElement,
    SensorMetadata,
    SensorReport,
    ReadPoint,
    BizLocation,
}

impl ExtensionPlace {
    /// The objects of an event that this place means.
    fn of(self, event: &Json) -> Vec<&Json> {
        let elements =
            || event.get("sensorElementList").map(Json::items).unwrap_or_default().iter();
        let one = |name: &str| event.get(name).into_iter().collect();
        match self {
            Self::Event => vec![event],
            Self::Ilmd => one("ilmd"),
            Self::ErrorDeclaration => one("errorDeclaration"),
            Self::ReadPoint => one("readPoint"),
            Self::BizLocation => one("bizLocation"),
            Self::SensorElement => elements().collect(),
            Self::SensorMetadata => {
                elements().filter_map(|one| one.get("sensorMetadata")).collect()
            }
            Self::SensorReport => elements()
                .flat_map(|one| one.get("sensorReport").map(Json::items).unwrap_or_default())
                .collect(),
        }
    }
}

impl FieldName {
    /// Resolves a name of a query or an event.
    pub(super) fn resolve(name: &str, context: &Context) -> Option<Self> {
        let (namespace, local) = context.resolve(name)?;
        let namespace = namespace.trim_end_matches('#');
        // An absolute name of CBV ends with a colon where its prefix has none.
        let bare = namespace.strip_suffix(':').filter(|bare| *bare == CBV_MDA);
        let namespace = bare.unwrap_or(namespace).to_owned();
        Some(Self { namespace, local: local.to_owned() })
    }

    fn names(&self, key: &str, context: &Context) -> bool {
        if self.namespace.is_empty() {
            return key == self.local;
        }
        // An absolute name may have been divided at another place than its namespace ends.
        Self::resolve(key, context).is_some_and(|found| {
            found == *self
                || format!("{}{}", found.namespace, found.local)
                    == format!("{}{}", self.namespace, self.local)
        })
    }
}

impl Extension {
    /// Whether any extension of this name passes the test.
    pub(super) fn holds(&self, event: &Event) -> bool {
        let context = event.context();
        self.place.of(event.source()).into_iter().any(|object| {
            let members = object.members().iter();
            if self.inner {
                let extensions = members.filter(|(key, _)| self.is_extension(key));
                let mut inside = extensions.map(|(_, value)| value);
                inside.any(|value| self.within(value, context))
            } else {
                self.directly(object, context)
            }
        })
    }

    /// At the event itself the standard's own fields are no extensions; elsewhere all others are
    /// told by their prefix too.
    fn is_extension(&self, key: &str) -> bool {
        self.place == ExtensionPlace::Ilmd || key.contains(':')
    }

    fn directly(&self, object: &Json, context: &Context) -> bool {
        let named = object.members().iter().filter(|(key, _)| self.name.names(key, context));
        named.into_iter().any(|(_, value)| self.passes(value, context))
    }

    fn within(&self, value: &Json, context: &Context) -> bool {
        match value {
            Json::Array(items) => items.iter().any(|item| self.within(item, context)),
            Json::Object(members) => {
                self.directly(value, context)
                    || members.iter().any(|(_, inner)| self.within(inner, context))
            }
            _ => false,
        }
    }

    fn passes(&self, value: &Json, context: &Context) -> bool {
        let list = value.as_ld_list().unwrap_or(value);
        if let Json::Array(items) = list {
            return items.iter().any(|item| self.passes(item, context));
        }
        let text = plain(value);
        match &self.test {
            ExtensionTest::Exists => true,
            ExtensionTest::Equals(any) => text.map(ExtensionValue::named).is_some_and(|found| {
                let is_equal = |wanted: &ExtensionValue| wanted.order_of(&found);
                any.iter().any(|wanted| is_equal(wanted) == Some(std::cmp::Ordering::Equal))
            }),
            ExtensionTest::Compares(comparison, wanted) => {
                let found = text.map(ExtensionValue::read);
                let order = found.and_then(|found| wanted.order_of(&found));
                order.is_some_and(|order| comparison.holds(order))
            }
            ExtensionTest::HasAttribute(names) => {
                names.iter().any(|name| attribute(value, name, context).is_some())
            }
            ExtensionTest::AttributeEquals(name, any) => attribute(value, name, context)
                .and_then(Json::scalar)
                .is_some_and(|found| any.iter().any(|wanted| wanted == found)),
        }
    }
}

/// The value of an extension: itself, the text of an element that has attributes, or what an object of
/// JSON-LD stands for (`@value`, `@id`).
pub fn plain(value: &Json) -> Option<&str> {
    let within = |name: &str| value.get(name).and_then(Json::scalar);
    value.scalar().or_else(|| ["#text", "@value", "@id"].into_iter().find_map(within))
}

/// What was an attribute in XML: a member with `@` before its name, or in JSON made elsewhere a
/// plain one.
fn attribute<'j>(value: &'j Json, name: &FieldName, context: &Context) -> Option<&'j Json> {
    let named = |key: &str| name.names(key.strip_prefix('@').unwrap_or(key), context);
    value.members().iter().find(|(key, _)| named(key)).map(|(_, value)| value)
}
