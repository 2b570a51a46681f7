//! Events one by one from XML of any length.

use std::io::Read;

use super::{
    EPCIS, QUERY, SBDH, from_element, is_foreign,
    layout::{XmlForm, wrappers},
    master,
    namer::{Namer, is_scheme},
    source::{Token, XmlSource},
    tree::Element,
};
use crate::{
    check::is_version,
    context::Context,
    document::context_of,
    event::EventKind,
    fault::ReadError,
    json::{Json, Members},
    limits::Limits,
    time::is_leap_second,
};

/// Reads the events of an `EPCISDocument` or `EPCISQueryDocument` in XML 1.x or 2.0, or a bare
/// event, as JSON of 2.0, holding one event at a time. The events are not checked here; see
/// [`Event::new`](crate::Event::new).
pub struct XmlEventReader<R> {
    source: XmlSource<R>,
    limits: Limits,
    open: Vec<Place>,
    begun: bool,
    context: Context,
    /// Members of the document besides the events.
    head: Members,
    vocabularies: Option<Json>,
    /// Those of a query's results.
    result_vocabularies: Option<Json>,
    /// Extensions of the header.
    header_own: Members,
    failed: bool,
    /// Of a query: its name, its subscription.
    results: Members,
    root: Root,
    /// Whether the namespace of the document is that of 1.x.
    first: bool,
    schema_version: String,
    events: u64,
}

/// What the outermost element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Document,
    Query,
    Event,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Body,
    Results,
    ResultsBody,
    Events,
}

impl<R: Read> XmlEventReader<R> {
    /// Nothing is read yet.
    pub fn new(reader: R, limits: Limits) -> Self {
        Self {
            source: XmlSource::new(reader, &limits),
            limits,
            open: Vec::new(),
            begun: false,
            context: Context::default(),
            head: Members::new(),
            vocabularies: None,
            result_vocabularies: None,
            header_own: Members::new(),
            failed: false,
            results: Members::new(),
            root: Root::Document,
            first: false,
            schema_version: String::new(),
            events: 0,
        }
    }

    /// The next event; `None` at the end of the document.
    pub fn next_event(&mut self) -> Result<Option<Json>, ReadError> {
        loop {
            self.source.allow(self.limits.event_bytes_max);
            match self.source.next()? {
                Token::Start(element) => {
                    if let Some(event) = self.start(element)? {
                        return Ok(Some(event));
                    }
                }
                Token::End => drop(self.open.pop()),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(_) => return Err(self.source.syntax("此处不应有文字")),
                Token::Eof if self.begun => return Ok(None),
                Token::Eof => return Err(self.source.syntax("应为 EPCIS 文档")),
            }
        }
    }

    /// What the prefixes mean that the document's root declares.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the root is an event with no document around it.
    pub fn is_bare(&self) -> bool {
        self.root == Root::Event
    }

    /// `schemaVersion` as the document has it.
    pub fn schema_version(&self) -> &str {
        &self.schema_version
    }

    /// Events read so far.
    pub fn events_read(&self) -> u64 {
        self.events
    }

    /// The document in JSON with an empty event list; whole once [`Self::next_event`] has said
    /// `None`.
    pub fn header(&self) -> Json {
        let is_query = self.root == Root::Query;
        let kind = if is_query { "EPCISQueryDocument" } else { "EPCISDocument" };
        let mut members = vec![
            (String::from("@context"), context_of(&self.context)),
            (String::from("type"), Json::text(kind)),
        ];
        let version = self.version_told().map(Json::text);
        members.extend(version.map(|version| (String::from("schemaVersion"), version)));
        members.extend(self.head.iter().cloned());
        let mut list = vec![(String::from("eventList"), Json::Array(Vec::new()))];
        let named =
            |list: &Option<Json>| list.clone().map(|list| (String::from("vocabularyList"), list));
        let data = |list| (String::from("epcisMasterData"), Json::Object(vec![list]));
        let header = named(&self.vocabularies).map(data).into_iter();
        let header: Members = header.chain(self.header_own.iter().cloned()).collect();
        if !header.is_empty() {
            members.push((String::from("epcisHeader"), Json::Object(header)));
        }
        let body = if is_query {
            list.extend(named(&self.result_vocabularies));
            let mut results = self.results.clone();
            results.push((String::from("resultsBody"), Json::Object(list)));
            vec![(String::from("queryResults"), Json::Object(results))]
        } else {
            list
        };
        members.push((String::from("epcisBody"), Json::Object(body)));
        Json::Object(members)
    }

    /// What was read of a version that is known is told as 2.0; any other version as it stands, so
    /// that the check finds it. A bare event has none.
    fn version_told(&self) -> Option<&str> {
        let version = self.schema_version.trim();
        match version {
            _ if self.is_bare() || is_version(version) => Some("2.0"),
            "" => None,
            other => Some(other),
        }
    }

    fn start(&mut self, element: Element) -> Result<Option<Json>, ReadError> {
        let local = element.name.local.clone();
        let own = element.name.is_own();
        let inner = match (self.open.last(), local.as_str()) {
            (None, _) if own && !self.begun && is_event(&local) => return self.bare(element),
            (None, _) => return self.root(&element).map(|()| None),
            (Some(Place::Root), "EPCISBody") if own => Some(Place::Body),
            (Some(Place::Body), "QueryResults") if own => Some(Place::Results),
            (Some(Place::Results), "resultsBody") if own => Some(Place::ResultsBody),
            (Some(Place::Body | Place::ResultsBody), "EventList") if own => Some(Place::Events),
            (Some(Place::Events), "extension") if own => Some(Place::Events),
            _ => None,
        };
        if let Some(place) = inner {
            self.open.push(place);
            return Ok(None);
        }
        let place = self.open.last().copied();
        self.count(place)?;
        if place != Some(Place::Events) {
            self.source.allow(self.limits.header_bytes_max);
        }
        let around = self.source.prefixes();
        let around = around.map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()));
        let around: Vec<_> = around.filter(|_| place == Some(Place::Events)).collect();
        let element = self.source.fill(element, self.limits.depth_max)?;
        match place {
            Some(Place::Events) => {
                self.is_at_its_level(&element)?;
                let event = from_element::event(&element, &self.context, &around, self.first);
                return match event {
                    Some(Ok(event)) => Ok(Some(event)),
                    Some(Err(refusal)) => Err(self.source.syntax(refusal)),
                    None => Err(self.source.syntax("EventList 中应为事件")),
                };
            }
            Some(Place::Root) if own && local == "EPCISHeader" => self.header_from(&element),
            Some(Place::Results) if matches!(local.as_str(), "queryName" | "subscriptionID") => {
                self.results.push((local, Json::text(element.trimmed())));
            }
            Some(Place::ResultsBody) if own && local == "VocabularyList" => {
                self.result_vocabularies = Some(self.master_data(&element));
            }
            Some(Place::Root) if !own => {
                let members = self.extensions(vec![&element]);
                self.head.extend(members);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Extensions of the document or its header.
    fn extensions(&mut self, elements: Vec<&Element>) -> Members {
        self.named(|namer| {
            let mut members = Members::new();
            from_element::extend(&mut members, elements, namer);
            members
        })
    }

    fn master_data(&mut self, list: &Element) -> Json {
        self.named(|namer| master::from_element(list, namer))
    }

    /// Reads something whose prefixes are those of the document from then on.
    fn named<T>(&mut self, read: impl FnOnce(&mut Namer<'_>) -> T) -> T {
        let mut namer = Namer::new(&self.context);
        let found = read(&mut namer);
        for (prefix, uri) in namer.into_added() {
            self.context.declare(&prefix, &uri);
        }
        found
    }

    /// In 1.x the kinds of events that came later stand in an `extension` of the event list, which
    /// keeps them from readers who do not know them.
    fn is_at_its_level(&self, element: &Element) -> Result<(), ReadError> {
        let kind = EventKind::named(&element.name.local).filter(|_| element.name.is_own());
        let wanted = kind.map_or(0, |kind| wrappers(&kind, XmlForm::V1_2));
        let around = self.open.iter().filter(|place| **place == Place::Events).count();
        if !self.first || around > wanted {
            return Ok(());
        }
        let name = &element.name.local;
        let inside = vec!["extension"; wanted].join(" 中的 ");
        Err(self.source.syntax(format!("EPCIS 1.x 的 {name} 应放在 EventList 的 {inside} 中")))
    }

    fn count(&mut self, place: Option<Place>) -> Result<(), ReadError> {
        if place != Some(Place::Events) {
            return Ok(());
        }
        if self.events >= self.limits.events_max {
            let detail = format!("一份文档不应超过 {} 个事件", self.limits.events_max);
            return Err(self.source.too_much(detail));
        }
        self.events += 1;
        Ok(())
    }

    fn root(&mut self, root: &Element) -> Result<(), ReadError> {
        let is_query = root.name.local == "EPCISQueryDocument";
        self.root = if is_query { Root::Query } else { Root::Document };
        let known = is_query || root.name.local == "EPCISDocument";
        if self.begun || !known || root.name.namespace.is_empty() || !root.name.is_own() {
            let detail = "根元素应为 EPCIS 命名空间的 EPCISDocument 或 EPCISQueryDocument";
            return Err(self.source.syntax(detail));
        }
        self.begun = true;
        self.first = [EPCIS[0], QUERY[0]].contains(&root.name.namespace.as_str());
        self.open.push(Place::Root);
        root.attribute("schemaVersion").unwrap_or_default().clone_into(&mut self.schema_version);
        if let Some(created) = root.attribute("creationDate") {
            if is_leap_second(created) {
                let detail = "XML 的时间（xsd:dateTime）的秒为 00 至 59，见 creationDate";
                return Err(self.source.syntax(detail));
            }
            self.head.push((String::from("creationDate"), from_element::time(created.trim())));
        }
        self.declare();
        Ok(())
    }

    /// An event that is the whole of what was sent.
    fn bare(&mut self, root: Element) -> Result<Option<Json>, ReadError> {
        (self.begun, self.root) = (true, Root::Event);
        self.events = 1;
        self.declare();
        let root = self.source.fill(root, self.limits.depth_max)?;
        let event = from_element::event(&root, &self.context, &[], false).transpose();
        event.map_err(|refusal| self.source.syntax(refusal))
    }

    /// Takes the prefixes that the root declares.
    fn declare(&mut self) {
        for (prefix, uri) in self.source.prefixes() {
            if is_foreign(uri) && is_scheme(prefix) {
                self.context.declare(prefix, uri);
            }
        }
    }

    /// Who sent the document to whom, and the master data. Of a Standard Business Document Header
    /// JSON has room for these three only.
    fn header_from(&mut self, header: &Element) {
        if let Some(list) = header.find("VocabularyList") {
            self.vocabularies = Some(self.master_data(list));
        }
        let foreign = |child: &&Element| !child.name.is_own() && child.name.namespace != SBDH;
        self.header_own = self.extensions(header.children.iter().filter(foreign).collect());
        for (name, path) in [
            ("sender", ["Sender", "Identifier"]),
            ("receiver", ["Receiver", "Identifier"]),
            ("instanceIdentifier", ["DocumentIdentification", "InstanceIdentifier"]),
        ] {
            let found = path.iter().try_fold(header, |element, local| element.find(local));
            if let Some(found) = found {
                self.head.push((name.to_owned(), Json::text(found.trimmed())));
            }
        }
    }
}

/// Whether this names one of the standard's own events.
fn is_event(local: &str) -> bool {
    !matches!(EventKind::named(local), None | Some(EventKind::Extended(_)))
}

impl<R: Read> Iterator for XmlEventReader<R> {
    type Item = Result<Json, ReadError>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let outcome = self.next_event();
        self.failed = outcome.is_err();
        outcome.transpose()
    }
}
