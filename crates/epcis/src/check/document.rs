//! What stands around the events.

use super::shape::{ANY_LIST, Field, Kind, Others, Shape, may, must};
use crate::{
    fault::{Fault, Faults, Path},
    json::Json,
};

const VOCABULARIES: Kind = Kind::List(&Kind::Object(&VOCABULARY), ANY_LIST);

static VOCABULARY: Shape = Shape {
    fields: &[&[
        must("type", Kind::Uri),
        may("vocabularyElementList", Kind::List(&Kind::Object(&VOCABULARY_ELEMENT), ANY_LIST)),
    ]],
    others: Others::Anything,
};

static VOCABULARY_ELEMENT: Shape = Shape {
    fields: &[&[
        must("id", Kind::Uri),
        may("attributes", Kind::List(&Kind::Object(&ATTRIBUTE), ANY_LIST)),
        may("children", Kind::List(&Kind::Uri, ANY_LIST)),
    ]],
    others: Others::Anything,
};

static ATTRIBUTE: Shape = Shape {
    fields: &[&[must("id", Kind::Uri), may("attribute", Kind::Attribute)]],
    others: Others::Anything,
};

static MASTER_DATA: Shape =
    Shape { fields: &[&[may("vocabularyList", VOCABULARIES)]], others: Others::Anything };

static HEADER: Shape = Shape {
    fields: &[&[may("epcisMasterData", Kind::Object(&MASTER_DATA))]],
    others: Others::Namespaced,
};

/// The events themselves are held against their own rules one by one.
static ANY_EVENT: Shape = Shape { fields: &[], others: Others::Anything };

static BODY: Shape = Shape {
    fields: &[&[must("eventList", Kind::List(&Kind::Object(&ANY_EVENT), ANY_LIST))]],
    others: Others::Anything,
};

static RESULTS: Shape = Shape {
    fields: &[&[
        must("eventList", Kind::List(&Kind::Object(&ANY_EVENT), ANY_LIST)),
        may("vocabularyList", VOCABULARIES),
    ]],
    others: Others::Namespaced,
};

static QUERY_RESULTS: Shape = Shape {
    fields: &[&[
        must("queryName", Kind::Text),
        may("subscriptionID", Kind::Text),
        must("resultsBody", Kind::Object(&RESULTS)),
    ]],
    others: Others::Namespaced,
};

static QUERY_BODY: Shape = Shape {
    fields: &[&[must("queryResults", Kind::Object(&QUERY_RESULTS))]],
    others: Others::Namespaced,
};

static COMMON: [Field; 3] =
    [must("@context", Kind::Context), may("id", Kind::Uri), must("type", Kind::Text)];

/// Who sent a document to whom, and master data. The JSON schema names these for an `EPCISDocument`
/// alone, the XML schema for a query's answer too (`EPCISHeader`), and either form tells the same.
static SENDING: [Field; 4] = [
    may("instanceIdentifier", Kind::Text),
    may("sender", Kind::Text),
    may("receiver", Kind::Text),
    may("epcisHeader", Kind::Object(&HEADER)),
];

static DOCUMENT: Shape = Shape {
    fields: &[
        &COMMON,
        &SENDING,
        &[
            must("schemaVersion", Kind::Version),
            must("creationDate", Kind::Time),
            must("epcisBody", Kind::Object(&BODY)),
        ],
    ],
    others: Others::Namespaced,
};

static QUERY_DOCUMENT: Shape = Shape {
    fields: &[
        &COMMON,
        &SENDING,
        &[
            may("schemaVersion", Kind::Version),
            may("creationDate", Kind::Time),
            must("epcisBody", Kind::Object(&QUERY_BODY)),
        ],
    ],
    others: Others::Namespaced,
};

/// Everything that is wrong with a document apart from its events, which
/// [`check_event`](super::check_event) judges. Takes the whole document or the header of an
/// [`EventReader`](crate::EventReader).
pub fn check_document(document: &Json, faults_max: usize) -> Vec<Fault> {
    let mut faults = Faults::new(faults_max);
    match document.text_of("type") {
        Some("EPCISDocument") => DOCUMENT.check(document, &Path::ROOT, &mut faults),
        Some("EPCISQueryDocument") => QUERY_DOCUMENT.check(document, &Path::ROOT, &mut faults),
        Some(_) => {
            let path = Path::ROOT;
            faults.note(&path.key("type"), "应为 EPCISDocument 或 EPCISQueryDocument");
        }
        None => faults.note(&Path::ROOT, "应为对象，且有文本 type"),
    }
    faults.into_list()
}
