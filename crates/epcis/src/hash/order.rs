//! The order of the standard's own fields (CBV 2.0 table 8-9), as data.

use super::value::{extensions, is_comment, value};
use crate::{context::Context, json::Json, time::Instant, vocabulary::Vocabulary};

#[derive(Clone, Copy)]
enum Part {
    Time,
    Plain,
    Word(Vocabulary),
    /// Identifiers, each under `epc`.
    Epcs,
    /// Words, each under the name of the list.
    Words(Vocabulary),
    Object(&'static Order),
    /// A list whose items have this name.
    List(&'static str, &'static Order),
    /// A list whose items have no name, because their fields follow directly.
    Pairs(&'static Order),
    /// A list without a name of its own; its items have this one.
    Unnamed(&'static str, &'static Order),
    /// A list whose items have the name of the list.
    Same(&'static Order),
}

type Order = [(&'static str, Part)];

static ORDER: [(&str, Part); 22] = [
    ("eventTime", Part::Time),
    ("eventTimeZoneOffset", Part::Plain),
    ("epcList", Part::Epcs),
    ("parentID", Part::Plain),
    ("inputEPCList", Part::Epcs),
    ("childEPCs", Part::Epcs),
    ("quantityList", Part::List("quantityElement", &QUANTITY)),
    ("childQuantityList", Part::List("quantityElement", &QUANTITY)),
    ("inputQuantityList", Part::List("quantityElement", &QUANTITY)),
    ("outputEPCList", Part::Epcs),
    ("outputQuantityList", Part::List("quantityElement", &QUANTITY)),
    ("action", Part::Plain),
    ("transformationID", Part::Plain),
    ("bizStep", Part::Word(Vocabulary::BizStep)),
    ("disposition", Part::Word(Vocabulary::Disposition)),
    ("persistentDisposition", Part::Object(&PERSISTENT)),
    ("readPoint", Part::Object(&PLACE)),
    ("bizLocation", Part::Object(&PLACE)),
    ("bizTransactionList", Part::Pairs(&BIZ_TRANSACTION)),
    ("sourceList", Part::Pairs(&SOURCE)),
    ("destinationList", Part::Pairs(&DESTINATION)),
    ("sensorElementList", Part::Unnamed("sensorElement", &SENSOR)),
];

static QUANTITY: [(&str, Part); 3] =
    [("epcClass", Part::Plain), ("quantity", Part::Plain), ("uom", Part::Plain)];

static PERSISTENT: [(&str, Part); 2] = [
    ("set", Part::Words(Vocabulary::Disposition)),
    ("unset", Part::Words(Vocabulary::Disposition)),
];

static PLACE: [(&str, Part); 1] = [("id", Part::Plain)];

static BIZ_TRANSACTION: [(&str, Part); 2] =
    [("type", Part::Word(Vocabulary::BizTransactionType)), ("bizTransaction", Part::Plain)];

static SOURCE: [(&str, Part); 2] =
    [("type", Part::Word(Vocabulary::SourceDestType)), ("source", Part::Plain)];

static DESTINATION: [(&str, Part); 2] =
    [("type", Part::Word(Vocabulary::SourceDestType)), ("destination", Part::Plain)];

static SENSOR: [(&str, Part); 2] =
    [("sensorMetadata", Part::Object(&METADATA)), ("sensorReport", Part::Same(&REPORT))];

static METADATA: [(&str, Part); 8] = [
    ("time", Part::Time),
    ("startTime", Part::Time),
    ("endTime", Part::Time),
    ("deviceID", Part::Plain),
    ("deviceMetadata", Part::Plain),
    ("rawData", Part::Plain),
    ("dataProcessingMethod", Part::Plain),
    ("bizRules", Part::Plain),
];

static REPORT: [(&str, Part); 23] = [
    ("type", Part::Word(Vocabulary::Measurement)),
    ("exception", Part::Word(Vocabulary::Alert)),
    ("deviceID", Part::Plain),
    ("deviceMetadata", Part::Plain),
    ("rawData", Part::Plain),
    ("dataProcessingMethod", Part::Plain),
    ("time", Part::Time),
    ("microorganism", Part::Plain),
    ("chemicalSubstance", Part::Plain),
    ("value", Part::Plain),
    ("component", Part::Word(Vocabulary::Component)),
    ("stringValue", Part::Plain),
    ("booleanValue", Part::Plain),
    ("hexBinaryValue", Part::Plain),
    ("uriValue", Part::Plain),
    ("minValue", Part::Plain),
    ("maxValue", Part::Plain),
    ("meanValue", Part::Plain),
    ("sDev", Part::Plain),
    ("percRank", Part::Plain),
    ("percValue", Part::Plain),
    ("uom", Part::Plain),
    ("coordinateReferenceSystem", Part::Plain),
];

/// Fields of an event that are no part of what happened, or are written elsewhere.
const LEFT_OUT: [&str; 6] =
    ["type", "eventID", "recordTime", "errorDeclaration", "certificationInfo", "ilmd"];

pub(super) fn write(event: &Json, context: &Context) -> String {
    let mut out = format!("eventType={}", event.text_of("type").unwrap_or_default());
    out.push_str(&fields(event, &ORDER, context));
    if let Some(ilmd) = event.get("ilmd") {
        out.push_str("ilmd");
        out.push_str(&extensions(ilmd.members(), context, |_| false));
    }
    for (name, part) in &ORDER {
        if let Some(json) = event.get(name) {
            out.push_str(&added(name, *part, json, context));
        }
    }
    let standard = |name: &str| LEFT_OUT.contains(&name) || has(&ORDER, name);
    out.push_str(&extensions(event.members(), context, standard));
    out
}

fn has(order: &Order, name: &str) -> bool {
    order.iter().any(|(known, _)| *known == name)
}

fn fields(json: &Json, order: &Order, context: &Context) -> String {
    let present = order.iter().filter_map(|(name, part)| Some((name, part, json.get(name)?)));
    present.map(|(name, part, json)| field(name, *part, json, context)).collect()
}

fn field(name: &str, part: Part, json: &Json, context: &Context) -> String {
    let word = |list: Vocabulary, json: &Json| {
        let text = json.scalar().unwrap_or_default();
        value(&list.expand(text.trim()), context)
    };
    let items = |prefix: &str, order: &Order| {
        sorted(json.items().iter().map(|item| under(prefix, fields(item, order, context))))
    };
    match part {
        Part::Time => {
            let text = json.scalar().unwrap_or_default().trim();
            let time = Instant::parse(text);
            leaf(name, time.map_or_else(|| text.to_owned(), |time| time.to_string()))
        }
        Part::Plain => leaf(name, value(json.scalar().unwrap_or_default(), context)),
        Part::Word(list) => leaf(name, word(list, json)),
        Part::Epcs => {
            let one = |item: &Json| leaf("epc", value(item.scalar().unwrap_or_default(), context));
            under(name, sorted(json.items().iter().map(one)))
        }
        Part::Words(list) => sorted(json.items().iter().map(|item| leaf(name, word(list, item)))),
        Part::Object(order) => under(name, fields(json, order, context)),
        Part::List(item, order) => under(name, items(item, order)),
        Part::Pairs(order) => under(name, items("", order)),
        Part::Unnamed(item, order) => items(item, order),
        Part::Same(order) => items(name, order),
    }
}

/// What somebody added to a field of the standard, under the name of that field.
fn added(name: &str, part: Part, json: &Json, context: &Context) -> String {
    let items = |prefix: &str, order: &Order| {
        sorted(json.items().iter().map(|item| under(prefix, added_to(item, order, context))))
    };
    match part {
        Part::Object(order) => under(name, added_to(json, order, context)),
        Part::List(item, order) => under(name, items(item, order)),
        Part::Pairs(order) => under(name, items("", order)),
        Part::Unnamed(item, order) => items(item, order),
        Part::Same(order) => items(name, order),
        Part::Time | Part::Plain | Part::Word(_) | Part::Epcs | Part::Words(_) => String::new(),
    }
}

fn added_to(json: &Json, order: &Order, context: &Context) -> String {
    let mut out = String::new();
    for (name, part) in order {
        if let Some(inner) = json.get(name) {
            out.push_str(&added(name, *part, inner, context));
        }
    }
    out.push_str(&extensions(json.members(), context, |name| has(order, name) || is_comment(name)));
    out
}

fn leaf(name: &str, text: String) -> String {
    if text.is_empty() { text } else { format!("{name}={text}") }
}

fn under(name: &str, inner: String) -> String {
    if inner.is_empty() { inner } else { format!("{name}{inner}") }
}

fn sorted(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.concat()
}
