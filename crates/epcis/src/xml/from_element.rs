//! An event in XML as an event in JSON.

use super::{
    is_foreign,
    namer::Namer,
    order::{self, Order},
    tree::{Element, Name, is_lax},
};
use crate::{
    context::{Context, EPCIS_NAMESPACE},
    decimal::Decimal,
    event::{EventKind, SENSOR_NUMBERS},
    json::{Json, Members},
    time::{end_of_day, is_leap_second},
    vocabulary::Vocabulary,
};

/// What reading one event needs to know and finds out.
struct Reading<'a> {
    namer: Namer<'a>,
    /// The first thing that the XML schemas do not let stand, where JSON would not tell.
    refusal: Option<String>,
}

impl Reading<'_> {
    fn refuse(&mut self, sentence: impl FnOnce() -> String) {
        if self.refusal.is_none() {
            self.refusal = Some(sentence());
        }
    }

    /// Notes where a child stands behind what it should stand before.
    fn follow(&mut self, order: &mut Order, parent: &Element, child: &Element) {
        if let Some(wanted) = order.breaks(child) {
            self.refuse(|| format!("{} 中{wanted}", parent.name.local));
        }
    }

    /// A time; `xsd:dateTime` has no second 60, which the times of JSON have.
    fn time(&mut self, text: &str) -> Json {
        if is_leap_second(text) {
            self.refuse(|| format!("XML 的时间（xsd:dateTime）的秒为 00 至 59，现为 {text}"));
        }
        time(text)
    }
}

/// `None` when the element is no event; otherwise the event, or why it is none by the XML schemas.
/// Given with the prefixes that are declared around it, and whether the document is of 1.x.
pub(super) fn event(
    element: &Element,
    document: &Context,
    around: &[(String, String)],
    first: bool,
) -> Option<Result<Json, String>> {
    let mut namer = Namer::new(document);
    let around = around.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str()));
    let mut declared: Vec<(&str, &str)> = around.collect();
    element.all_declared(&mut declared);
    // Values may have prefixes that no name has.
    for (prefix, uri) in declared.into_iter().rev().filter(|(_, uri)| is_foreign(uri)) {
        if namer.is_free(prefix) && element.has_value_of(prefix) {
            namer.keep(prefix, uri);
        }
    }
    let quantity_event = element.name.is_own() && element.name.local == "QuantityEvent";
    let kind = if quantity_event { "ObjectEvent".into() } else { namer.name(&element.name) };
    let known = EventKind::named(&kind)?;
    let mut order = Order::of_event(&known, quantity_event);
    let mut members = vec![(String::from("type"), Json::Text(kind))];
    let mut rest = Rest::default();
    let mut reading = Reading { namer, refusal: None };
    for (depth, child) in element.unwrapped_deep() {
        reading.follow(&mut order, element, child);
        match standard(child, &mut reading).filter(|_| child.name.is_own()) {
            Some(value) => add(&mut members, child.name.local.clone(), value),
            None => rest.put(child, is_lax(depth, first.then_some(&known))),
        }
    }
    if quantity_event {
        replace_quantity(&mut members, &mut rest.extensions);
    }
    let foreign = |(name, _): &&(Name, String)| !name.namespace.is_empty();
    for (name, value) in element.content().filter(foreign) {
        add(&mut members, reading.namer.name(name), Json::text(value.as_str()));
    }
    rest.add_to(&mut members, &mut reading.namer);
    if let Some(refusal) = reading.refusal {
        return Some(Err(refusal));
    }
    if let Some(context) = reading.namer.into_context() {
        members.insert(0, (String::from("@context"), context));
    }
    Some(Ok(Json::Object(members)))
}

/// Elements that are no fields of the standard as it is known here.
#[derive(Default)]
struct Rest<'e> {
    extensions: Vec<&'e Element>,
    /// Fields that a later version of the standard has added.
    later: Vec<&'e Element>,
}

impl<'e> Rest<'e> {
    fn put(&mut self, element: &'e Element, lax: bool) {
        if lax && element.name.is_own() {
            self.later.push(element);
        } else {
            self.extensions.push(element);
        }
    }

    /// What is of a later version has the name that the vocabulary of EPCIS would give it, so that it
    /// is kept like an extension of anybody else.
    fn add_to(self, members: &mut Members, namer: &mut Namer<'_>) {
        extend(members, self.extensions, namer);
        for element in self.later {
            let name = Name {
                namespace: String::from(EPCIS_NAMESPACE),
                prefix: String::from("epcis"),
                local: element.name.local.clone(),
            };
            let name = namer.name(&name);
            let value = extension(element, namer);
            add(members, name, value);
        }
    }
}

/// The quantity event of 1.x is an object event that observes so much of a class.
fn replace_quantity(members: &mut Members, rest: &mut Vec<&Element>) {
    let mut item = Members::new();
    rest.retain(|child| {
        let own = child.name.is_own();
        match child.name.local.as_str() {
            "epcClass" if own => item.push(("epcClass".into(), Json::text(child.trimmed()))),
            "quantity" if own => item.push(("quantity".into(), number(child.trimmed()))),
            _ => return true,
        }
        false
    });
    members.push((String::from("action"), Json::text("OBSERVE")));
    members.push((String::from("quantityList"), Json::Array(vec![Json::Object(item)])));
}

/// A field of the standard; `None` for any other.
fn standard(element: &Element, reading: &mut Reading<'_>) -> Option<Json> {
    let word = |list: Vocabulary| Json::text(list.compact(element.trimmed()));
    Some(match element.name.local.as_str() {
        "eventTime" | "recordTime" => reading.time(element.trimmed()),
        "eventTimeZoneOffset"
        | "eventID"
        | "parentID"
        | "action"
        | "transformationID"
        | "certificationInfo" => Json::text(element.trimmed()),
        "bizStep" => word(Vocabulary::BizStep),
        "disposition" => word(Vocabulary::Disposition),
        "epcList" | "childEPCs" | "inputEPCList" | "outputEPCList" => texts(element),
        "quantityList" | "childQuantityList" | "inputQuantityList" | "outputQuantityList" => {
            list(element, |item| quantity(item, reading))
        }
        "readPoint" | "bizLocation" => {
            object(element, reading, |child, _| match child.name.local.as_str() {
                "id" => Some(Json::text(child.trimmed())),
                _ => None,
            })
        }
        "bizTransactionList" => {
            list(element, |item| typed(item, "bizTransaction", Vocabulary::BizTransactionType))
        }
        "sourceList" => list(element, |item| typed(item, "source", Vocabulary::SourceDestType)),
        "destinationList" => {
            list(element, |item| typed(item, "destination", Vocabulary::SourceDestType))
        }
        "persistentDisposition" => persistent(element, reading),
        "sensorElementList" => {
            let items = element.unwrapped().into_iter().filter(|child| child.name.is_own());
            Json::Array(items.map(|item| sensor(item, reading)).collect())
        }
        "ilmd" => object(element, reading, |_, _| None),
        "errorDeclaration" => {
            object(element, reading, |child, reading| match child.name.local.as_str() {
                "declarationTime" => Some(reading.time(child.trimmed())),
                "reason" => Some(Json::text(Vocabulary::ErrorReason.compact(child.trimmed()))),
                "correctiveEventIDs" => Some(texts(child)),
                _ => None,
            })
        }
        _ => return None,
    })
}

fn texts(element: &Element) -> Json {
    Json::Array(element.children.iter().map(|child| Json::text(child.trimmed())).collect())
}

fn list(element: &Element, item: impl FnMut(&Element) -> Json) -> Json {
    Json::Array(element.unwrapped().into_iter().map(item).collect())
}

/// An object with fields of the standard, and extensions beside them.
fn object(
    element: &Element,
    reading: &mut Reading<'_>,
    known: impl Fn(&Element, &mut Reading<'_>) -> Option<Json>,
) -> Json {
    let mut members = Members::new();
    let mut rest = Rest::default();
    let mut order = Order::of(order::within(&element.name.local));
    for (depth, child) in element.unwrapped_deep() {
        reading.follow(&mut order, element, child);
        let own = child.name.is_own();
        match known(child, reading).filter(|_| own) {
            Some(value) => add(&mut members, child.name.local.clone(), value),
            None => rest.put(child, is_lax(depth, None)),
        }
    }
    rest.add_to(&mut members, &mut reading.namer);
    Json::Object(members)
}

/// Notes where the children of an element without extensions are out of order.
fn in_order(element: &Element, reading: &mut Reading<'_>) {
    let mut order = Order::of(order::within(&element.name.local));
    element.children.iter().for_each(|child| reading.follow(&mut order, element, child));
}

fn quantity(element: &Element, reading: &mut Reading<'_>) -> Json {
    in_order(element, reading);
    let member = |child: &Element| {
        let text = child.trimmed();
        let value = if child.name.local == "quantity" { number(text) } else { Json::text(text) };
        (child.name.local.clone(), value)
    };
    // An unknown quantity may stand there empty with `xsi:nil`.
    let known = element.children.iter().filter(|child| !child.trimmed().is_empty());
    Json::Object(known.map(member).collect())
}

fn typed(element: &Element, name: &str, kinds: Vocabulary) -> Json {
    let kind = element.attribute("type").map(|kind| Json::text(kinds.compact(kind)));
    let mut members: Members = kind.map(|kind| (String::from("type"), kind)).into_iter().collect();
    members.push((name.to_owned(), Json::text(element.trimmed())));
    Json::Object(members)
}

fn persistent(element: &Element, reading: &mut Reading<'_>) -> Json {
    in_order(element, reading);
    let mut members = Members::new();
    for name in ["set", "unset"] {
        let named = element.children.iter().filter(|child| child.name.local == name);
        let words = named.map(|child| Json::text(Vocabulary::Disposition.compact(child.trimmed())));
        let words: Vec<Json> = words.collect();
        if !words.is_empty() {
            members.push((name.to_owned(), Json::Array(words)));
        }
    }
    Json::Object(members)
}

fn sensor(element: &Element, reading: &mut Reading<'_>) -> Json {
    let mut members = Members::new();
    let (mut reports, mut rest) = (Vec::new(), Rest::default());
    let mut order = Order::of(order::within(&element.name.local));
    for (depth, child) in element.unwrapped_deep() {
        reading.follow(&mut order, element, child);
        match child.name.local.as_str() {
            "sensorMetadata" if child.name.is_own() => {
                members.push((String::from("sensorMetadata"), readings(child, reading)));
            }
            "sensorReport" if child.name.is_own() => reports.push(readings(child, reading)),
            _ => rest.put(child, is_lax(depth, None)),
        }
    }
    members.push((String::from("sensorReport"), Json::Array(reports)));
    rest.add_to(&mut members, &mut reading.namer);
    Json::Object(members)
}

/// What XML says in attributes and JSON in members.
fn readings(element: &Element, reading: &mut Reading<'_>) -> Json {
    let mut members = Members::new();
    for (name, value) in element.content() {
        let value = if name.is_own() {
            one_reading(name, value.trim(), reading)
        } else {
            Json::text(value.as_str())
        };
        add(&mut members, reading.namer.name(name), value);
    }
    extend(&mut members, element.unwrapped(), &mut reading.namer);
    Json::Object(members)
}

fn one_reading(name: &Name, value: &str, reading: &mut Reading<'_>) -> Json {
    let word = |list: Vocabulary| Json::text(list.compact(value));
    match name.local.as_str() {
        "type" => word(Vocabulary::Measurement),
        "exception" => word(Vocabulary::Alert),
        "component" => word(Vocabulary::Component),
        "booleanValue" => match value {
            "true" | "1" => Json::Bool(true),
            "false" | "0" => Json::Bool(false),
            other => Json::text(other),
        },
        "time" | "startTime" | "endTime" => reading.time(value),
        local if SENSOR_NUMBERS.contains(&local) => number(value),
        _ => Json::text(value),
    }
}

/// A time in its own characters, but for the end of a day, which JSON writes otherwise.
pub(super) fn time(text: &str) -> Json {
    Json::Text(end_of_day(text).unwrap_or_else(|| text.to_owned()))
}

/// A number in its own characters where JSON takes them; what is no number stays text, so that
/// the check finds it.
fn number(text: &str) -> Json {
    match Decimal::parse(text) {
        None => Json::text(text),
        Some(_) if is_json_number(text) => Json::Number(text.to_owned()),
        Some(number) => Json::Number(number.to_string()),
    }
}

/// Of the decimal numbers those that JSON writes the same way.
fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (mantissa, _) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let leading_zero = matches!(digits, [b'0', b'0'..=b'9', ..]);
    digits.first().is_some_and(u8::is_ascii_digit) && !leading_zero && !mantissa.ends_with('.')
}

/// Adds a member, or an item to the list that members of this name make.
fn add(members: &mut Members, name: String, value: Json) {
    match members.iter_mut().find(|(known, _)| *known == name) {
        None => members.push((name, value)),
        Some((_, Json::Array(items))) => match value {
            Json::Array(more) => items.extend(more),
            one => items.push(one),
        },
        Some((_, first)) => {
            let before = std::mem::replace(first, Json::Null);
            *first = Json::Array(vec![before, value]);
        }
    }
}

/// Adds elements that are no fields of the standard.
pub(super) fn extend(members: &mut Members, elements: Vec<&Element>, namer: &mut Namer<'_>) {
    for element in elements {
        let name = namer.name(&element.name);
        let value = extension(element, namer);
        add(members, name, value);
    }
}

fn extension(element: &Element, namer: &mut Namer<'_>) -> Json {
    if element.content().next().is_none() && element.children.is_empty() {
        return Json::text(element.text.as_str());
    }
    let mut members = Members::new();
    for (name, value) in element.content() {
        add(&mut members, format!("@{}", namer.name(name)), Json::text(value.as_str()));
    }
    extend(&mut members, element.children.iter().collect(), namer);
    if !element.trimmed().is_empty() {
        members.push((String::from("#text"), Json::text(element.trimmed())));
    }
    Json::Object(members)
}
