//! Values of a query that are URIs, in full: a prefix that the asker declared means what it means in
//! events, whatever prefix these were written with.

use super::condition::{Condition, IdField};
use crate::{context::Context, event::FREE_TEXTS};

impl Condition {
    /// The same condition without prefixes. Names of events are names as they are written.
    pub(super) fn in_full(mut self, context: &Context) -> Self {
        match &mut self {
            Self::Id { field: IdField::EventId | IdField::CorrectiveEventId, .. } => {}
            Self::SensorText { field, .. } if FREE_TEXTS.contains(field) => {}
            Self::Word { any, .. }
            | Self::Place { any, .. }
            | Self::Id { any, .. }
            | Self::Match { any, .. }
            | Self::SensorText { any, .. } => context.expand_all(any),
            Self::Typed { kind, any, .. } => {
                context.expand_all(std::slice::from_mut(kind));
                context.expand_all(any);
            }
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{Context, Event, Json, Limits, Query, matches};

    fn context(prefix: &str, namespace: &str) -> Arc<Context> {
        let mut context = Context::default();
        context.declare(prefix, namespace);
        Arc::new(context)
    }

    #[test]
    fn a_prefix_means_its_namespace_in_events_and_in_queries() {
        let event = |value: &str, context: &Arc<Context>| {
            let text = format!(
                r#"{{"type":"ObjectEvent","eventTime":"2026-05-01T08:00:00Z","eventTimeZoneOffset":"+00:00",
                "action":"OBSERVE","epcList":["urn:a:b"],"bizStep":"{value}step","disposition":"{value}state",
                "readPoint":{{"id":"{value}place"}},
                "bizTransactionList":[{{"type":"{value}own","bizTransaction":"{value}1"}}]}}"#
            );
            Event::new(Json::parse(text.as_bytes(), &Limits::default()).unwrap(), context, 9)
                .unwrap()
        };
        let (a, b) = (context("ex", "https://a.example/"), context("ex", "https://b.example/"));
        let whole = event("https://a.example/", &context("o", "https://o.example/"));
        let (with_a, with_b) = (event("ex:", &a), event("ex:", &b));
        for (parameter, value) in [
            ("EQ_bizStep", "step"),
            ("EQ_disposition", "state"),
            ("EQ_readPoint", "place"),
            ("EQ_bizTransaction_", "1"),
        ] {
            for asked in ["ex:", "https://a.example/"] {
                let own =
                    if parameter.ends_with('_') { format!("{asked}own") } else { String::new() };
                let (name, value) = (format!("{parameter}{own}"), format!("{asked}{value}"));
                let query = Query::parse([(name.as_str(), value.as_str())], &a).unwrap();
                let found = [&whole, &with_a, &with_b].map(|event| matches(&query, event));
                assert_eq!(found, [true, true, false], "{name}={value}");
            }
        }
    }
}
