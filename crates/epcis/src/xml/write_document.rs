//! Whole documents in XML.

use super::{
    SBDH,
    layout::XmlForm,
    master,
    write_event::event_to_xml,
    writer::{Writer, declarable, declarations},
};
use crate::{document::Document, fault::Fault, json::Json, time::for_xml};

/// Writes a document with its header, its events and the extensions of all three; extensions of
/// a query's results are left out. The document should have been checked.
pub fn document_to_xml(document: &Document, form: XmlForm) -> Result<String, Vec<Fault>> {
    let around = declarable(document.context());
    let mut events = String::new();
    let mut faults = Vec::new();
    for (index, event) in document.events().iter().enumerate() {
        match event_to_xml(event, document.context(), &around, form) {
            Ok(text) => events.push_str(&text),
            Err(found) => faults.extend(found.into_iter().map(|fault| Fault {
                pointer: format!("/eventList/{index}{}", fault.pointer),
                detail: fault.detail,
            })),
        }
    }
    let source = document.source();
    let query = source.get("epcisBody").and_then(|body| body.get("queryResults"));
    let mut writer = Writer::new(document.context(), &around);
    write_header(document, &mut writer);
    if let Some(results) = query {
        write_results(results, document, &events, &mut writer);
    } else {
        writer.element("EPCISBody", &[], |writer| {
            writer.element("EventList", &[], |writer| writer.out.push_str(&events));
        });
    }
    let own = source.members().iter().filter(|(name, _)| is_extension(name));
    own.filter(|_| !document.is_bare()).for_each(|(name, value)| writer.extension(name, value));
    if !faults.is_empty() {
        return Err(faults);
    }
    let created = source.text_of("creationDate").or_else(|| first_time(document));
    let (root, namespace) = match query {
        Some(_) => ("epcisq:EPCISQueryDocument", form.query_namespace()),
        None => ("epcis:EPCISDocument", form.namespace()),
    };
    let prefix = root.split(':').next().unwrap_or_default();
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns:{prefix}=\"{namespace}\"{}{} \
         schemaVersion=\"{}\" creationDate=\"{}\">{}</{root}>\n",
        declarations(around.declared()),
        writer.declarations(),
        form.schema_version(),
        for_xml(created.unwrap_or_default()),
        writer.out
    ))
}

/// XML requires a creation date where JSON does not; a query's answer is then as old as its first
/// event.
fn first_time(document: &Document) -> Option<&str> {
    document.events().first().and_then(|event| event.text_of("eventTime"))
}

fn write_header(document: &Document, writer: &mut Writer<'_>) {
    let source = document.source();
    let party = |name: &str| source.text_of(name);
    let parties = party("sender").zip(party("receiver"));
    let vocabularies = document.header_vocabularies();
    let own = source.get("epcisHeader").map(Json::members).unwrap_or_default();
    let own = || own.iter().filter(|(name, _)| is_extension(name));
    if parties.is_none() && vocabularies.is_empty() && own().next().is_none() {
        return;
    }
    writer.element("EPCISHeader", &[], |writer| {
        if let Some((sender, receiver)) = parties {
            write_sbdh(source, sender, receiver, writer);
        }
        if !vocabularies.is_empty() {
            writer.element("extension", &[], |writer| {
                writer.element("EPCISMasterData", &[], |writer| {
                    master::write(vocabularies, writer);
                });
            });
        }
        own().for_each(|(name, value)| writer.extension(name, value));
    });
}

fn is_extension(name: &str) -> bool {
    name.contains(':')
}

fn write_sbdh(source: &Json, sender: &str, receiver: &str, writer: &mut Writer<'_>) {
    writer.element("StandardBusinessDocumentHeader", &[("xmlns", SBDH)], |writer| {
        writer.leaf("HeaderVersion", "1.0");
        for (name, id) in [("Sender", sender), ("Receiver", receiver)] {
            writer.element(name, &[], |writer| writer.leaf("Identifier", id));
        }
        writer.element("DocumentIdentification", &[], |writer| {
            writer.leaf("Standard", "EPCglobal");
            writer.leaf("TypeVersion", "1.0");
            writer.leaf(
                "InstanceIdentifier",
                source.text_of("instanceIdentifier").unwrap_or_default(),
            );
            writer.leaf("Type", "Events");
            let created = source.text_of("creationDate").unwrap_or_default();
            writer.leaf("CreationDateAndTime", &for_xml(created));
        });
    });
}

fn write_results(results: &Json, document: &Document, events: &str, writer: &mut Writer<'_>) {
    writer.element("EPCISBody", &[], |writer| {
        writer.element("epcisq:QueryResults", &[], |writer| {
            for name in ["queryName", "subscriptionID"] {
                if let Some(text) = results.text_of(name) {
                    writer.leaf(name, text);
                }
            }
            writer.element("resultsBody", &[], |writer| {
                writer.element("EventList", &[], |writer| writer.out.push_str(events));
                let vocabularies = document.result_vocabularies();
                if !vocabularies.is_empty() {
                    master::write(vocabularies, writer);
                }
            });
        });
    });
}
