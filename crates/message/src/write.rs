//! Records as they are sent.

use serde_json::{Map, Value, json};

use crate::flat::Flat;

/// A message in XML, UTF-8. A list of several texts becomes items under one element.
pub fn to_xml(root: &str, flats: &[Flat]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<{root}>\n"));
    for flat in flats {
        out.push_str(&format!("  <{}>\n", flat.name));
        for (name, texts) in lists(flat) {
            match texts.as_slice() {
                [text] => out.push_str(&format!("    <{name}>{}</{name}>\n", escaped(text))),
                texts => {
                    out.push_str(&format!("    <{name}>"));
                    for text in texts {
                        out.push_str(&format!("<item>{}</item>", escaped(text)));
                    }
                    out.push_str(&format!("</{name}>\n"));
                }
            }
        }
        out.push_str(&format!("  </{}>\n", flat.name));
    }
    out.push_str(&format!("</{root}>\n"));
    out
}

/// The same in JSON.
pub fn to_json(flats: &[Flat]) -> Value {
    let record = |flat: &Flat| {
        let mut object = Map::new();
        if !flat.name.is_empty() {
            object.insert(String::from("message"), json!(flat.name));
        }
        for (name, texts) in lists(flat) {
            let value = match texts.as_slice() {
                [text] => json!(text),
                texts => json!(texts),
            };
            object.insert(String::from(name), value);
        }
        Value::Object(object)
    };
    json!({ "records": flats.iter().map(record).collect::<Vec<_>>() })
}

/// Names with all their texts, in the order of their first.
fn lists(flat: &Flat) -> Vec<(&str, Vec<&str>)> {
    let mut lists: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, text) in &flat.fields {
        match lists.iter_mut().find(|(known, _)| known == name) {
            Some((_, texts)) => texts.push(text),
            None => lists.push((name, vec![text])),
        }
    }
    lists
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
