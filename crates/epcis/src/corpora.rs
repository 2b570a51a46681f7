//! Documents of others, read from the folder that `YJ_CORPORA` names; none are kept here.
//!
//! `NAME.hashes` beside `NAME.json`, `NAME.jsonld` or `NAME.xml` has the event hashes it should have,
//! one a line. What lies in a folder `invalid` should be refused, anything else should be sound, and
//! its events should have the same hash after they went through both kinds of XML.

use std::path::{Path, PathBuf};

use crate::{
    Context, Document, EventHash, Json, Limits, XmlEventReader, XmlForm, check_document,
    check_event_within, document_to_xml, event_hash, pre_hash,
};

/// The folder with documents of others, as far as one is named.
fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("YJ_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("略过：没有以环境变量 YJ_CORPORA 指明外部文档所在的文件夹");
    }
    folder
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let known =
            path.extension().is_some_and(|end| end == "json" || end == "jsonld" || end == "xml");
        if path.is_dir() {
            files(&path, found);
        } else if known {
            found.push(path);
        }
    }
}

/// A document as JSON, whatever its form.
fn read(path: &Path) -> Result<Document, String> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|end| end != "xml") {
        return Document::parse(&bytes, &Limits::default()).map_err(|error| error.to_string());
    }
    from_xml(&bytes)
}

fn from_xml(bytes: &[u8]) -> Result<Document, String> {
    let mut reader = XmlEventReader::new(bytes, Limits::default());
    let events = reader.by_ref().collect::<Result<Vec<Json>, _>>();
    let events = events.map_err(|error| error.to_string())?;
    let mut source = reader.header();
    put_events(&mut source, &events);
    Ok(Document::new(source))
}

/// Puts the events into the list of the document, wherever that stands.
fn put_events(json: &mut Json, events: &[Json]) {
    let Json::Object(members) = json else { return };
    for (name, value) in members {
        match name.as_str() {
            "eventList" => *value = Json::Array(events.to_vec()),
            "epcisBody" | "queryResults" | "resultsBody" => put_events(value, events),
            _ => {}
        }
    }
}

fn faults(document: &Document) -> Vec<String> {
    let head = match document.source().get("epcisBody") {
        Some(_) => check_document(document.source(), 10),
        None => Vec::new(),
    };
    let within = |event: &Json| {
        let context: Context = document.context().within(event.get("@context"));
        check_event_within(event, &context, 10)
    };
    let events = document.events().iter().flat_map(within);
    head.into_iter()
        .chain(events)
        .map(|fault| format!("{} {}", fault.pointer, fault.detail))
        .collect()
}

/// What is wrong with what we make of a document; empty when nothing is.
fn told(path: &Path, document: &Document) -> Vec<String> {
    let mut wrong = faults(document);
    let texts = |document: &Document| -> Vec<String> {
        document.events().iter().map(|event| pre_hash(event, document.context())).collect()
    };
    let wanted = texts(document);
    for form in [XmlForm::V1_2, XmlForm::V2_0, XmlForm::V2_0Web] {
        let back = document_to_xml(document, form)
            .map_err(|faults| format!("{faults:?}"))
            .and_then(|xml| from_xml(xml.as_bytes()));
        match back {
            Ok(back) if texts(&back) == wanted => {}
            Ok(back) => wrong.push(format!("{form:?}\n{wanted:?}\n{:?}", texts(&back))),
            Err(error) => wrong.push(format!("{form:?} {error}")),
        }
    }
    let Ok(expected) = std::fs::read_to_string(path.with_extension("hashes")) else { return wrong };
    let events = document.events().iter();
    let hashes: Vec<String> =
        events.map(|event| event_hash(event, document.context(), EventHash::Sha256)).collect();
    if hashes != expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    {
        wrong.push(format!("{hashes:?} {wanted:?}"));
    }
    wrong
}

#[test]
fn documents_of_others_are_what_they_say() {
    let Some(folder) = corpora() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    found.sort();
    let mut failed = Vec::new();
    for path in &found {
        let invalid =
            path.components().any(|part| part.as_os_str().eq_ignore_ascii_case("invalid"));
        let wrong = match read(path) {
            Ok(document) if invalid => faults(&document),
            Ok(document) => told(path, &document),
            Err(error) => vec![error],
        };
        if wrong.is_empty() == invalid {
            failed.push(format!("{}：{}", path.display(), wrong.join("\n  ")));
        }
    }
    eprintln!("{} 份文档，{} 份不符", found.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
