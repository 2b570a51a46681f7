//! Whole documents in XML.

use super::{
    SBDH,
    layout::XmlForm,
    master,
    write_event::event_to_xml,
    writer::{Writer, declarable, declarations},
};
use crate::{document::Document, fault::Fault, json::Json};

/// Writes a document with its header and events. Extensions of the document itself, which are
/// rare, are left out; those of events are kept. The document should have been checked.
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
    if let Some(results) = query {
        write_results(results, document, &events, &mut writer);
    } else {
        write_header(document, form, &mut writer);
        writer.element("EPCISBody", &[], |writer| {
            writer.element("EventList", &[], |writer| writer.out.push_str(&events));
        });
    }
    faults.append(&mut writer.faults);
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
        created.unwrap_or_default(),
        writer.out
    ))
}

/// XML requires a creation date where JSON does not; a query's answer is then as old as its first
/// event.
fn first_time(document: &Document) -> Option<&str> {
    document.events().first().and_then(|event| event.text_of("eventTime"))
}

fn write_header(document: &Document, form: XmlForm, writer: &mut Writer<'_>) {
    let source = document.source();
    let party = |name: &str| source.text_of(name);
    let parties = party("sender").zip(party("receiver"));
    let vocabularies = document.vocabularies();
    if parties.is_none() && vocabularies.is_empty() {
        return;
    }
    writer.element("EPCISHeader", &[], |writer| {
        if let Some((sender, receiver)) = parties {
            write_sbdh(source, sender, receiver, writer);
        }
        if !vocabularies.is_empty() {
            let data = |writer: &mut Writer<'_>| {
                writer
                    .element("EPCISMasterData", &[], |writer| master::write(vocabularies, writer));
            };
            match form {
                XmlForm::V1_2 => writer.element("extension", &[], data),
                XmlForm::V2_0 => data(writer),
            }
        }
    });
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
            writer.leaf("CreationDateAndTime", source.text_of("creationDate").unwrap_or_default());
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
                if !document.vocabularies().is_empty() {
                    master::write(document.vocabularies(), writer);
                }
            });
        });
    });
}
