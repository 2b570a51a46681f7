//! Events one by one from a document of any length.

use std::io::Read;

use crate::{
    event::EventKind,
    fault::ReadError,
    json::Json,
    limits::Limits,
    read::{Object, Source},
};

/// Reads the events of an `EPCISDocument`, an `EPCISQueryDocument` or a bare event, holding one
/// event and the header at a time.
///
/// The events themselves are not checked here; [`Event::new`](crate::Event::new) does that, and
/// whoever reads decides whether one bad event ends the whole document. `@context` has to stand
/// before the events, because their names mean nothing without it.
pub struct EventReader<R> {
    source: Source<R>,
    limits: Limits,
    /// Objects that are open, each with the name it has in the one around it.
    open: Vec<(String, Object)>,
    header_left: usize,
    state: State,
    events: u64,
    header: Json,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Member { first: bool },
    Event { first: bool },
    Done,
}

/// Where events are, from the document inward.
const TO_EVENTS: [&str; 3] = ["epcisBody", "queryResults", "resultsBody"];

impl<R: Read> EventReader<R> {
    /// Nothing is read yet.
    pub fn new(reader: R, limits: Limits) -> Self {
        Self {
            source: Source::new(reader, &limits),
            header_left: limits.header_bytes_max,
            limits,
            open: Vec::new(),
            state: State::Start,
            events: 0,
            header: Json::Null,
        }
    }

    /// The next event as it was sent; `None` at the end of the document.
    pub fn next_event(&mut self) -> Result<Option<Json>, ReadError> {
        loop {
            match self.state {
                State::Start => self.start()?,
                State::Member { first } => self.member(first)?,
                State::Event { first } => {
                    if let Some(event) = self.event(first)? {
                        return Ok(Some(event));
                    }
                }
                State::Done => return Ok(self.bare()),
            }
        }
    }

    /// `@context` as far as it has been read.
    pub fn context(&self) -> Option<&Json> {
        match self.open.first() {
            Some((_, document)) => {
                document.list.iter().find(|(name, _)| name == "@context").map(|(_, value)| value)
            }
            None => self.header.get("@context"),
        }
    }

    /// The whole document with an empty event list, once [`Self::next_event`] has said `None`;
    /// for [`check_document`](crate::check_document).
    pub fn header(&self) -> Option<&Json> {
        (self.state == State::Done && self.header != Json::Null).then_some(&self.header)
    }

    /// Events read so far.
    pub fn events_read(&self) -> u64 {
        self.events
    }

    fn start(&mut self) -> Result<(), ReadError> {
        self.source.skip_mark()?;
        self.source.expect(b'{')?;
        self.open.push((String::new(), Object::default()));
        self.state = State::Member { first: true };
        Ok(())
    }

    fn member(&mut self, first: bool) -> Result<(), ReadError> {
        self.source.allow(self.header_left);
        let outcome = self.member_within(first);
        self.header_left = self.source.allow(usize::MAX).min(self.header_left);
        outcome
    }

    fn member_within(&mut self, first: bool) -> Result<(), ReadError> {
        if self.source.accept(b'}')? {
            return self.close();
        }
        if !first {
            self.source.expect(b',')?;
        }
        let name = self.source.name()?;
        if self.is_event_list(&name) && self.source.accept(b'[')? {
            self.insert(name, Json::Array(Vec::new()))?;
            self.state = State::Event { first: true };
            return Ok(());
        }
        if self.leads_to_events(&name) && self.source.accept(b'{')? {
            self.open.push((name, Object::default()));
            self.state = State::Member { first: true };
            return Ok(());
        }
        if name == "@context" && self.open.len() == 1 && self.events > 0 {
            return Err(self
                .source
                .syntax("@context 应在 epcisBody 之前（不超过 1 MiB 的文档不论次序）"));
        }
        let value = self.source.value(self.open.len())?;
        self.insert(name, value)?;
        self.state = State::Member { first: false };
        Ok(())
    }

    fn is_event_list(&self, name: &str) -> bool {
        name == "eventList" && matches!(self.open.len(), 2 | 4)
    }

    fn leads_to_events(&self, name: &str) -> bool {
        TO_EVENTS.get(self.open.len() - 1) == Some(&name)
    }

    fn insert(&mut self, name: String, value: Json) -> Result<(), ReadError> {
        match self.open.last_mut() {
            Some((_, object)) => self.source.insert(object, name, value),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), ReadError> {
        let Some((name, object)) = self.open.pop() else { return Ok(()) };
        let value = Json::Object(object.list);
        if self.open.is_empty() {
            self.source.end()?;
            self.header = value;
            self.state = State::Done;
        } else {
            self.insert(name, value)?;
            self.state = State::Member { first: false };
        }
        Ok(())
    }

    fn event(&mut self, first: bool) -> Result<Option<Json>, ReadError> {
        if self.source.accept(b']')? {
            self.state = State::Member { first: false };
            return Ok(None);
        }
        if !first {
            self.source.expect(b',')?;
        }
        if self.events >= self.limits.events_max {
            let detail = format!("一份文档不应超过 {} 个事件", self.limits.events_max);
            return Err(self.source.too_much(detail));
        }
        self.source.allow(self.limits.event_bytes_max);
        let event = self.source.value(0)?;
        self.source.allow(usize::MAX);
        self.events += 1;
        self.state = State::Event { first: false };
        Ok(Some(event))
    }

    /// What was read whole may itself be an event.
    fn bare(&mut self) -> Option<Json> {
        let kind = self.header.text_of("type").and_then(EventKind::named);
        if self.events > 0 || kind.is_none() {
            return None;
        }
        self.events = 1;
        Some(std::mem::replace(&mut self.header, Json::Null))
    }
}

impl<R: Read> Iterator for EventReader<R> {
    type Item = Result<Json, ReadError>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        let outcome = self.next_event();
        if outcome.is_err() {
            (self.state, self.header) = (State::Done, Json::Null);
        }
        outcome.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time, as a network does.
    struct Trickle<'a>(&'a [u8]);
    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (count, all) = (self.0.len().min(3), self.0);
            buffer[..count].copy_from_slice(&all[..count]);
            self.0 = &all[count..];
            Ok(count)
        }
    }

    fn read(text: &str, limits: Limits) -> Result<(Vec<Json>, Option<Json>), ReadError> {
        let mut reader = EventReader::new(Trickle(text.as_bytes()), limits);
        let mut events = Vec::new();
        while let Some(event) = reader.next_event()? {
            events.push(event);
        }
        Ok((events, reader.header().cloned()))
    }

    #[test]
    fn all_three_forms_give_their_events() {
        let plain = r#"{"@context":"c","type":"EPCISDocument","epcisBody":{"eventList":[{"a":1},
            {"b":2}],"x:y":3},"z:z":[]}"#;
        let (events, header) = read(plain, Limits::default()).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(
            header.unwrap().to_string(),
            r#"{"@context":"c","type":"EPCISDocument","epcisBody":{"eventList":[],"x:y":3},"z:z":[]}"#
        );
        let query = r#"{"type":"EPCISQueryDocument","epcisBody":{"queryResults":{"queryName":"q",
            "resultsBody":{"eventList":[{"a":1}]}}}}"#;
        assert_eq!(read(query, Limits::default()).unwrap().0.len(), 1);
        let bare = r#"{"type":"ObjectEvent","eventTime":"x"}"#;
        assert_eq!(read(bare, Limits::default()).unwrap().0[0].to_string(), bare);
        assert!(read(r#"{"type":"EPCISDocument"}"#, Limits::default()).unwrap().0.is_empty());
    }

    #[test]
    fn a_context_after_the_events_is_refused() {
        let late = r#"{"epcisBody":{"eventList":[{}]},"@context":"c"}"#;
        assert!(matches!(read(late, Limits::default()), Err(ReadError::Syntax { .. })));
    }

    #[test]
    fn every_part_is_bounded() {
        let text = r#"{"@context":"0123456789","epcisBody":{"eventList":[{"a":"0123456789"},{}]}}"#;
        let bounds = [
            Limits { events_max: 1, ..Limits::default() },
            Limits { event_bytes_max: 10, ..Limits::default() },
            Limits { header_bytes_max: 20, ..Limits::default() },
            Limits { document_bytes_max: 70, ..Limits::default() },
        ];
        for limits in bounds {
            assert!(matches!(read(text, limits), Err(ReadError::TooMuch { .. })), "{limits:?}");
        }
        assert!(read(text, Limits::default()).is_ok());
    }

    #[test]
    fn a_long_document_needs_the_memory_of_one_event() {
        /// A document without end, made while it is read.
        struct Endless {
            head: &'static [u8],
            served: u64,
        }
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let from = if self.head.is_empty() { &b"{\"a\":[1,2,3]},"[..] } else { self.head };
                let count = from.len().min(buffer.len());
                buffer[..count].copy_from_slice(&from[..count]);
                self.head = if self.head.is_empty() { &[] } else { &self.head[count..] };
                self.served += count as u64;
                Ok(count)
            }
        }
        let head = br#"{"epcisBody":{"eventList":["#;
        let limits = Limits { events_max: 200_000, ..Limits::default() };
        let mut reader = EventReader::new(Endless { head, served: 0 }, limits);
        let last = reader.by_ref().last().unwrap();
        assert!(matches!(last, Err(ReadError::TooMuch { .. })));
        assert_eq!(reader.events_read(), 200_000);
        assert!(reader.next().is_none());
    }
}
