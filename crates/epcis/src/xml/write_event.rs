//! An event in JSON as an event in XML.

use super::{
    layout::{BASE, Layer, XmlForm, layers, required_list, wrappers},
    names::is_xml_text,
    writer::Writer,
};
use crate::{
    context::Context,
    event::EventKind,
    fault::Fault,
    full::with_values,
    json::{Json, Members},
    time::for_xml,
    vocabulary::Vocabulary,
};

/// Writes an event as it stands in an event list, with its wrappers in 1.2. Prefixes that
/// `around` does not declare are declared on the event. The event should have been checked.
pub fn event_to_xml(
    event: &Json,
    document: &Context,
    around: &Context,
    form: XmlForm,
) -> Result<String, Vec<Fault>> {
    let fault =
        |detail: &str| vec![Fault { pointer: String::from("/type"), detail: detail.to_owned() }];
    let kind = event.text_of("type").and_then(EventKind::named).ok_or_else(|| fault("应为事件"))?;
    let context = document.within(event.get("@context"));
    let event = &*with_values(event, (&context, &beyond(&context, around)));
    let mut writer = Writer::new(&context, around);
    writer.web = form == XmlForm::V2_0Web;
    let form = form.layout();
    let mut fields =
        Fields { event, required: required_list(&kind), done: vec!["type", "@context"] };
    fields.write(BASE, form, "baseExtension", &mut writer);
    fields.write(layers(&kind, form), XmlForm::V1_2, "extension", &mut writer);
    let done = fields.done;
    let mut attributes: Vec<(String, &str)> = Vec::new();
    for (key, value) in event.members().iter().filter(|(key, _)| !done.contains(&key.as_str())) {
        let key = key.strip_prefix('@').unwrap_or(key);
        // XML's own say something of the element that they stand in.
        let text = value.scalar().filter(|text| writer.is_of_xml(key) && is_xml_text(text));
        match text.and_then(|text| Some((writer.name(key)?, text))) {
            Some((name, text)) if attributes.iter().all(|(known, _)| *known != name) => {
                attributes.push((name, text));
            }
            _ => writer.extension(key, value),
        }
    }
    let attributes: Vec<(&str, &str)> =
        attributes.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let inner = std::mem::take(&mut writer.out);
    writer.member(kind.name(), &attributes, |writer| writer.out.push_str(&inner));
    // Which prefixes it needs is known once it is written.
    let at = writer.out.find([' ', '>']).unwrap_or(writer.out.len());
    let declarations = writer.declarations();
    writer.out.insert_str(at, &declarations);
    let levels = wrappers(&kind, form);
    let (open, close) = ("<extension>".repeat(levels), "</extension>".repeat(levels));
    Ok(format!("{open}{}{close}", writer.out))
}

/// The prefixes that are not declared around an event. Values of XML have no prefixes, but for those of
/// sensor elements, which GS1's own documents write so.
fn beyond(context: &Context, around: &Context) -> Context {
    let mut beyond = Context::default();
    let unknown = |one: &&(String, String)| !around.declared().contains(one);
    for (prefix, uri) in context.declared().iter().rev().filter(unknown) {
        beyond.declare(prefix, uri);
    }
    beyond
}

/// The standard's own fields of one event, as far as they have been written.
struct Fields<'j> {
    event: &'j Json,
    required: Option<&'static str>,
    done: Vec<&'j str>,
}

impl Fields<'_> {
    /// Writes layers; in 1.2 the outermost wrapper has this name, those inside it `extension`.
    fn write(
        &mut self,
        layers: &'static [Layer],
        form: XmlForm,
        wrapper: &'static str,
        writer: &mut Writer<'_>,
    ) {
        let mut open: Vec<&str> = Vec::new();
        for (level, names) in layers {
            let event = self.event;
            let present = |name: &&&str| event.get(name).is_some() || self.required == Some(**name);
            let names: Vec<&'static str> = names.iter().filter(present).copied().collect();
            if names.is_empty() {
                continue;
            }
            while form == XmlForm::V1_2 && open.len() < *level {
                let name = if open.is_empty() { wrapper } else { "extension" };
                writer.out.push_str(&format!("<{name}>"));
                open.push(name);
            }
            for name in names {
                self.done.push(name);
                match event.get(name) {
                    Some(value) => field(name, value, writer),
                    None => writer.element(name, &[], |_| {}),
                }
            }
        }
        for name in open.iter().rev() {
            writer.out.push_str(&format!("</{name}>"));
        }
    }
}

fn field(name: &str, value: &Json, writer: &mut Writer<'_>) {
    let text = value.scalar().unwrap_or_default();
    match name {
        "bizStep" => word(name, Vocabulary::BizStep, text, writer),
        "disposition" => word(name, Vocabulary::Disposition, text, writer),
        "certificationInfo" => match value {
            Json::Array(items) => {
                items.iter().for_each(|item| writer.leaf(name, item.as_text().unwrap_or_default()));
            }
            _ => writer.leaf(name, text),
        },
        "epcList" | "childEPCs" | "inputEPCList" | "outputEPCList" => {
            leaves(name, "epc", value, writer);
        }
        "quantityList" | "childQuantityList" | "inputQuantityList" | "outputQuantityList" => {
            items(name, "quantityElement", value, writer, |item, writer| {
                for name in ["epcClass", "quantity", "uom"] {
                    if let Some(text) = item.get(name).and_then(Json::scalar) {
                        writer.leaf(name, text);
                    }
                }
            });
        }
        "readPoint" | "bizLocation" => object(name, &["id"], value, writer),
        "bizTransactionList" => {
            typed(name, "bizTransaction", value, Vocabulary::BizTransactionType, writer);
        }
        "sourceList" => typed(name, "source", value, Vocabulary::SourceDestType, writer),
        "destinationList" => typed(name, "destination", value, Vocabulary::SourceDestType, writer),
        "persistentDisposition" => persistent(value, writer),
        "sensorElementList" => items(name, "sensorElement", value, writer, sensor),
        "ilmd" => object(name, &[], value, writer),
        "errorDeclaration" => {
            let order = ["declarationTime", "reason", "correctiveEventIDs"];
            object(name, &order, value, writer);
        }
        "eventTime" | "recordTime" | "declarationTime" => writer.leaf(name, &for_xml(text)),
        "reason" => word(name, Vocabulary::ErrorReason, text, writer),
        "correctiveEventIDs" => leaves(name, "correctiveEventID", value, writer),
        _ => writer.leaf(name, text),
    }
}

fn word(name: &str, list: Vocabulary, text: &str, writer: &mut Writer<'_>) {
    let text = writer.word(list, text);
    writer.leaf(name, &text);
}

fn leaves(name: &str, item: &str, value: &Json, writer: &mut Writer<'_>) {
    writer.element(name, &[], |writer| {
        for text in value.items() {
            writer.leaf(item, text.scalar().unwrap_or_default());
        }
    });
}

fn items(
    name: &str,
    item: &str,
    value: &Json,
    writer: &mut Writer<'_>,
    inner: impl Fn(&Json, &mut Writer<'_>),
) {
    writer.element(name, &[], |writer| {
        for value in value.items() {
            writer.element(item, &[], |writer| inner(value, writer));
        }
    });
}

/// Fields of the standard in their order, and extensions behind them.
fn object(name: &str, order: &[&str], value: &Json, writer: &mut Writer<'_>) {
    writer.element(name, &[], |writer| {
        for name in order {
            if let Some(value) = value.get(name) {
                field(name, value, writer);
            }
        }
        let others = value.members().iter().filter(|(key, _)| !order.contains(&key.as_str()));
        others.for_each(|(key, value)| writer.extension(key, value));
    });
}

fn typed(name: &str, item: &str, value: &Json, kinds: Vocabulary, writer: &mut Writer<'_>) {
    writer.element(name, &[], |writer| {
        for value in value.items() {
            let kind = value.text_of("type").map(|kind| writer.word(kinds, kind));
            let attributes: Vec<(&str, &str)> =
                kind.as_deref().map(|kind| ("type", kind)).into_iter().collect();
            writer.element(item, &attributes, |writer| {
                writer.text(value.text_of(item).unwrap_or_default());
            });
        }
    });
}

fn persistent(value: &Json, writer: &mut Writer<'_>) {
    writer.element("persistentDisposition", &[], |writer| {
        for name in ["unset", "set"] {
            for word in value.get(name).map(Json::items).unwrap_or_default() {
                let word = word.as_text().unwrap_or_default();
                self::word(name, Vocabulary::Disposition, word, writer);
            }
        }
    });
}

fn sensor(element: &Json, writer: &mut Writer<'_>) {
    if let Some(metadata) = element.get("sensorMetadata") {
        readings("sensorMetadata", metadata.members(), writer);
    }
    for report in element.get("sensorReport").map(Json::items).unwrap_or_default() {
        readings("sensorReport", report.members(), writer);
    }
    let standard = |key: &str| matches!(key, "sensorMetadata" | "sensorReport");
    let others = element.members().iter().filter(|(key, _)| !standard(key));
    others.for_each(|(key, value)| writer.extension(key, value));
}

/// What JSON says in members and XML in attributes; extensions that are more than text, or whose
/// name or text no attribute can have, become elements.
fn readings(name: &str, members: &[(String, Json)], writer: &mut Writer<'_>) {
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut inner = Members::new();
    for (key, value) in members {
        let text = value.scalar().filter(|text| is_xml_text(text));
        let name = text.and_then(|_| writer.name(key));
        let name = name.filter(|name| attributes.iter().all(|(known, _)| known != name));
        let Some((text, name)) = text.zip(name) else {
            inner.push((key.clone(), value.clone()));
            continue;
        };
        let text = match key.as_str() {
            "type" => writer.word(Vocabulary::Measurement, text),
            "exception" => writer.word(Vocabulary::Alert, text),
            "component" => writer.word(Vocabulary::Component, text),
            "time" | "startTime" | "endTime" => for_xml(text),
            _ => text.into(),
        };
        attributes.push((name, text.into_owned()));
    }
    let attributes: Vec<(&str, &str)> =
        attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    writer.element(name, &attributes, |writer| {
        inner.iter().for_each(|(key, value)| writer.extension(key, value));
    });
}
