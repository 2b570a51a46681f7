//! An event whose URIs are written in full: of two events that differ in what a prefix means, two
//! texts; of two that differ in prefixes alone, one.

use std::borrow::Cow;

use crate::{
    context::Context,
    json::{Json, Members},
};

/// What a member holds, or each item of its list.
enum Part {
    Uri,
    Object(&'static Parts),
}

type Parts = [(&'static str, Part)];

static EVENT: [(&str, Part); 20] = [
    ("bizStep", Part::Uri),
    ("disposition", Part::Uri),
    ("parentID", Part::Uri),
    ("transformationID", Part::Uri),
    ("certificationInfo", Part::Uri),
    ("epcList", Part::Uri),
    ("childEPCs", Part::Uri),
    ("inputEPCList", Part::Uri),
    ("outputEPCList", Part::Uri),
    ("quantityList", Part::Object(&[("epcClass", Part::Uri)])),
    ("childQuantityList", Part::Object(&[("epcClass", Part::Uri)])),
    ("inputQuantityList", Part::Object(&[("epcClass", Part::Uri)])),
    ("outputQuantityList", Part::Object(&[("epcClass", Part::Uri)])),
    ("readPoint", Part::Object(&[("id", Part::Uri)])),
    ("bizLocation", Part::Object(&[("id", Part::Uri)])),
    ("bizTransactionList", Part::Object(&[("type", Part::Uri), ("bizTransaction", Part::Uri)])),
    ("sourceList", Part::Object(&[("type", Part::Uri), ("source", Part::Uri)])),
    ("destinationList", Part::Object(&[("type", Part::Uri), ("destination", Part::Uri)])),
    ("persistentDisposition", Part::Object(&[("set", Part::Uri), ("unset", Part::Uri)])),
    ("errorDeclaration", Part::Object(&[("reason", Part::Uri)])),
];

static SENSORS: [(&str, Part); 1] = [("sensorElementList", Part::Object(&SENSOR))];

static SENSOR: [(&str, Part); 2] =
    [("sensorMetadata", Part::Object(&METADATA)), ("sensorReport", Part::Object(&REPORT))];

static METADATA: [(&str, Part); 5] = [
    ("deviceID", Part::Uri),
    ("deviceMetadata", Part::Uri),
    ("rawData", Part::Uri),
    ("dataProcessingMethod", Part::Uri),
    ("bizRules", Part::Uri),
];

static REPORT: [(&str, Part); 12] = [
    ("type", Part::Uri),
    ("exception", Part::Uri),
    ("component", Part::Uri),
    ("deviceID", Part::Uri),
    ("deviceMetadata", Part::Uri),
    ("rawData", Part::Uri),
    ("dataProcessingMethod", Part::Uri),
    ("bizRules", Part::Uri),
    ("microorganism", Part::Uri),
    ("chemicalSubstance", Part::Uri),
    ("coordinateReferenceSystem", Part::Uri),
    ("uriValue", Part::Uri),
];

/// An event, given with what its prefixes mean, with every URI of the standard's own fields in full, and
/// its kind too. Names of events stay as they are, and so do extensions.
pub fn event_in_full<'e>(event: &'e Json, context: &Context) -> Cow<'e, Json> {
    let mut event = with_values(event, (context, context));
    let kind = event.text_of("type").and_then(|kind| context.resolve(kind).zip(Some(kind)));
    if let Some(((namespace, local), kind)) = kind {
        let whole = format!("{namespace}{local}");
        if whole != kind {
            set_kind(event.to_mut(), whole);
        }
    }
    event
}

fn set_kind(event: &mut Json, kind: String) {
    let Json::Object(members) = event else { return };
    if let Some((_, value)) = members.iter_mut().find(|(name, _)| name == "type") {
        *value = Json::Text(kind);
    }
}

/// An event whose values have no prefix of the first context, and inside sensor elements none of the
/// second.
pub(crate) fn with_values<'e>(
    event: &'e Json,
    (context, sensors): (&Context, &Context),
) -> Cow<'e, Json> {
    if !mentions(event, &EVENT, context) && !mentions(event, &SENSORS, sensors) {
        return Cow::Borrowed(event);
    }
    Cow::Owned(written(&written(event, &EVENT, context), &SENSORS, sensors))
}

fn part<'p>(parts: &'p Parts, name: &str) -> Option<&'p Part> {
    parts.iter().find(|(known, _)| *known == name).map(|(_, part)| part)
}

fn mentions(json: &Json, parts: &Parts, context: &Context) -> bool {
    if context.declared().is_empty() {
        return false;
    }
    let within = |value: &Json, part: &Part| match part {
        Part::Uri => value.as_text().is_some_and(|text| context.expand(text) != text),
        Part::Object(inner) => mentions(value, inner, context),
    };
    json.members().iter().any(|(name, value)| {
        part(parts, name).is_some_and(|part| match value {
            Json::Array(items) => items.iter().any(|item| within(item, part)),
            one => within(one, part),
        })
    })
}

fn written(json: &Json, parts: &Parts, context: &Context) -> Json {
    let Json::Object(members) = json else { return json.clone() };
    let one = |value: &Json, part: &Part| match (part, value) {
        (Part::Uri, Json::Text(text)) => Json::Text(context.expand(text).into_owned()),
        (Part::Object(inner), _) => written(value, inner, context),
        _ => value.clone(),
    };
    let members: Members = members
        .iter()
        .map(|(name, value)| {
            let value = match (part(parts, name), value) {
                (None, _) => value.clone(),
                (Some(part), Json::Array(items)) => {
                    Json::Array(items.iter().map(|item| one(item, part)).collect())
                }
                (Some(part), _) => one(value, part),
            };
            (name.clone(), value)
        })
        .collect();
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn every_uri_of_the_standards_fields_is_written_in_full() {
        let text = r#"{"type":"ex:Own","eventID":"ex:1","bizStep":"ex:step","epcList":["ex:a","urn:b:c"],
            "readPoint":{"id":"ex:place","ex:note":"ex:note"},"persistentDisposition":{"set":["ex:state"]},
            "bizTransactionList":[{"type":"ex:po","bizTransaction":"ex:7"}],
            "errorDeclaration":{"reason":"ex:why","correctiveEventIDs":["ex:2"]},
            "sensorElementList":[{"sensorMetadata":{"deviceID":"ex:d"},
            "sensorReport":[{"type":"ex:kind","stringValue":"ex:text","uriValue":"ex:uri"}]}]}"#;
        let event = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut context = Context::default();
        assert_eq!(event_in_full(&event, &context), Cow::Borrowed(&event));
        context.declare("ex", "https://e/");
        let full = event_in_full(&event, &context).to_string();
        let wanted = text.replace("\"ex:", "\"https://e/");
        let wanted = ["note\":\"https://e/note", "stringValue\":\"https://e/text"]
            .iter()
            .fold(wanted, |text, kept| text.replace(kept, &kept.replace("https://e/", "ex:")));
        let wanted = wanted
            .replace("\"https://e/1\"", "\"ex:1\"")
            .replace("[\"https://e/2\"]", "[\"ex:2\"]");
        let wanted = wanted.replace("\"https://e/note\":", "\"ex:note\":");
        let wanted = Json::parse(wanted.as_bytes(), &Limits::default()).unwrap().to_string();
        assert_eq!(full, wanted);
        let kept = with_values(&event, (&context, &Context::default())).to_string();
        assert!(
            kept.contains(r#""type":"ex:kind""#) && kept.contains(r#""bizStep":"https://e/step""#)
        );
    }
}
