//! Documents of either form, event by event.

use std::{io::Read, sync::Arc};

use yj_epcis::{
    Context, EventReader, Fault, Json, Limits, ReadError, XmlEventReader, check_document,
    context_of,
};

use super::{
    header::{BYTES_MAX, EVENTS_MAX, Form},
    master::{self, Told},
};

/// Faults of one document or event that are told.
pub(crate) const FAULTS_MAX: usize = 50;

/// What one document may ask of us.
pub(crate) fn limits() -> Limits {
    Limits {
        document_bytes_max: BYTES_MAX,
        events_max: EVENTS_MAX,
        faults_max: FAULTS_MAX,
        ..Limits::default()
    }
}

/// Reads a document.
pub(crate) enum Stream<R: Read> {
    Json { reader: Box<EventReader<R>>, context: Option<Arc<Context>>, bare: Option<Json> },
    Xml { reader: Box<XmlEventReader<R>>, context: Option<Arc<Context>> },
}

impl<R: Read> Stream<R> {
    pub(crate) fn new(form: Form, bytes: R) -> Self {
        match form {
            Form::Json => Self::Json {
                reader: Box::new(EventReader::new(bytes, limits())),
                context: None,
                bare: None,
            },
            Form::Xml => {
                Self::Xml { reader: Box::new(XmlEventReader::new(bytes, limits())), context: None }
            }
        }
    }

    /// The next event with what its prefixes mean.
    pub(crate) fn next(&mut self) -> Result<Option<(Json, Arc<Context>)>, ReadError> {
        match self {
            Self::Json { reader, context, bare } => {
                let Some(event) = reader.next_event()? else { return Ok(None) };
                if context.is_none() {
                    // A bare event brings its own.
                    if reader.context().is_none() && event.get("@context").is_some() {
                        *bare = event.get("@context").cloned();
                    }
                    *context = Some(Arc::new(Context::new(reader.context().or(bare.as_ref()))));
                }
                let context = context.clone().unwrap_or_default();
                Ok(Some((event, context)))
            }
            Self::Xml { reader, context } => {
                let Some(event) = reader.next_event()? else { return Ok(None) };
                let of_root = context.get_or_insert_with(|| Arc::new(reader.context().clone()));
                Ok(Some((event, Arc::clone(of_root))))
            }
        }
    }

    /// The `@context` that is kept with the events; known once the first has been read.
    pub(crate) fn kept_context(&self) -> Option<Json> {
        match self {
            Self::Json { reader, bare, .. } => reader.context().or(bare.as_ref()).cloned(),
            Self::Xml { reader, .. } => Some(context_of(reader.context())),
        }
    }

    /// The master data of the document, at its end; the frame should be sound.
    pub(crate) fn master(&self) -> yj_kernel::Result<Vec<Told>> {
        match self {
            Self::Json { reader, .. } => reader.header().map_or(Ok(Vec::new()), master::read),
            Self::Xml { reader, .. } => master::read(&reader.header()),
        }
    }

    /// What is wrong with the document around its events, at its end.
    pub(crate) fn frame_faults(&self) -> Vec<Fault> {
        match self {
            Self::Json { reader, bare, .. } => match (reader.header(), bare) {
                (Some(header), _) => check_document(header, FAULTS_MAX),
                (None, Some(_)) => Vec::new(),
                (None, None) => {
                    vec![Fault { pointer: String::new(), detail: String::from("缺少 @context") }]
                }
            },
            Self::Xml { reader, .. } if reader.is_bare() => Vec::new(),
            Self::Xml { reader, .. } => check_document(&reader.header(), FAULTS_MAX),
        }
    }
}
