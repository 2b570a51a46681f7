//! Whole documents that fit into memory, and the frames that go around events.

use std::sync::Arc;

use crate::{
    check::check_document,
    context::{Context, EPCIS_CONTEXT},
    event::Event,
    fault::{Fault, ReadError},
    json::{Json, Members},
    limits::Limits,
    time::Instant,
};

/// What came of reading a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    source: Json,
    context: Arc<Context>,
}

impl Document {
    /// Reads an `EPCISDocument`, an `EPCISQueryDocument` or a bare event in any order of members.
    /// For documents of any length there is [`EventReader`](crate::EventReader).
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        Ok(Self::new(Json::parse(bytes, limits)?))
    }

    /// Takes JSON that is at hand already.
    pub fn new(source: Json) -> Self {
        let context = Arc::new(Context::new(source.get("@context")));
        Self { source, context }
    }

    /// The document exactly as it was sent.
    pub fn source(&self) -> &Json {
        &self.source
    }

    /// What its prefixes mean.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The events as they were sent.
    pub fn events(&self) -> &[Json] {
        if self.is_bare() {
            return std::slice::from_ref(&self.source);
        }
        let body = self.source.get("epcisBody");
        let results = body.and_then(|body| body.get("queryResults")?.get("resultsBody"));
        let list = results.or(body).and_then(|body| body.get("eventList"));
        list.map(Json::items).unwrap_or_default()
    }

    /// Master data: the vocabularies of the header and of a query's results.
    pub fn vocabularies(&self) -> impl Iterator<Item = &Json> {
        self.header_vocabularies().iter().chain(self.result_vocabularies())
    }

    /// Those of the header.
    pub(crate) fn header_vocabularies(&self) -> &[Json] {
        let header = self.source.get("epcisHeader");
        let data = header.and_then(|header| header.get("epcisMasterData"));
        data.and_then(|data| data.get("vocabularyList")).map(Json::items).unwrap_or_default()
    }

    /// Those of a query's results.
    pub(crate) fn result_vocabularies(&self) -> &[Json] {
        let results = self.source.get("epcisBody").and_then(|body| body.get("queryResults"));
        let body = results.and_then(|results| results.get("resultsBody"));
        body.and_then(|body| body.get("vocabularyList")).map(Json::items).unwrap_or_default()
    }

    /// All events checked; every fault of the document and of its events, with pointers from the
    /// document's beginning.
    pub fn check(&self, faults_max: usize) -> Result<Vec<Event>, Vec<Fault>> {
        let mut faults = if self.is_bare() {
            self.bare_faults()
        } else {
            check_document(&self.source, faults_max)
        };
        let place = self.place();
        let mut events = Vec::new();
        for (index, event) in self.events().iter().enumerate() {
            let left = faults_max.saturating_sub(faults.len());
            match Event::new(event.clone(), &self.context, left.max(1)) {
                Ok(event) => events.push(event),
                Err(found) => {
                    let prefix = place.map(|place| format!("{place}/{index}")).unwrap_or_default();
                    let moved = found.into_iter().take(left).map(|fault| Fault {
                        pointer: format!("{prefix}{}", fault.pointer),
                        detail: fault.detail,
                    });
                    faults.extend(moved);
                }
            }
        }
        if faults.is_empty() { Ok(events) } else { Err(faults) }
    }

    /// Whether this is an event without a document around it.
    pub fn is_bare(&self) -> bool {
        let kind = self.source.text_of("type").unwrap_or_default();
        let document = matches!(kind, "EPCISDocument" | "EPCISQueryDocument");
        !document && self.source.get("epcisBody").is_none()
    }

    fn bare_faults(&self) -> Vec<Fault> {
        let lacking = self.source.get("@context").is_none();
        let fault = || Fault { pointer: String::new(), detail: String::from("缺少 @context") };
        lacking.then(fault).into_iter().collect()
    }

    fn place(&self) -> Option<&'static str> {
        let results = self.source.get("epcisBody").and_then(|body| body.get("queryResults"));
        match results {
            _ if self.is_bare() => None,
            Some(_) => Some("/epcisBody/queryResults/resultsBody/eventList"),
            None => Some("/epcisBody/eventList"),
        }
    }
}

/// A `@context` that declares these prefixes beside the standard's own.
pub fn context_of(context: &Context) -> Json {
    let mut parts = vec![Json::text(EPCIS_CONTEXT)];
    let declared = context.declared();
    if !declared.is_empty() {
        let one = |(prefix, uri): &(String, String)| (prefix.clone(), Json::text(uri.as_str()));
        parts.push(Json::Object(declared.iter().rev().map(one).collect()));
    }
    Json::Array(parts)
}

/// An `EPCISDocument` around these events. The events' own `@context`, where they have one, stays
/// with them.
pub fn document_of(events: Vec<Json>, context: &Context, created: Instant) -> Json {
    let body = Json::Object(vec![(String::from("eventList"), Json::Array(events))]);
    Json::Object(frame("EPCISDocument", context, created, body))
}

/// An `EPCISQueryDocument` that answers a query of this name.
pub fn query_document_of(
    events: Vec<Json>,
    context: &Context,
    created: Instant,
    query_name: &str,
    subscription_id: Option<&str>,
) -> Json {
    let results = Json::Object(vec![(String::from("eventList"), Json::Array(events))]);
    let mut members = vec![(String::from("queryName"), Json::text(query_name))];
    members.extend(subscription_id.map(|id| (String::from("subscriptionID"), Json::text(id))));
    members.push((String::from("resultsBody"), results));
    let body = Json::Object(vec![(String::from("queryResults"), Json::Object(members))]);
    Json::Object(frame("EPCISQueryDocument", context, created, body))
}

fn frame(kind: &str, context: &Context, created: Instant, body: Json) -> Members {
    vec![
        (String::from("@context"), context_of(context)),
        (String::from("type"), Json::text(kind)),
        (String::from("schemaVersion"), Json::text("2.0")),
        (String::from("creationDate"), Json::text(created.to_string())),
        (String::from("epcisBody"), body),
    ]
}
