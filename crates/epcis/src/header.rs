//! What a document says besides its events: who sent it, and master data.

use crate::{context::Context, document::Document, json::Json, time::Instant};

/// Who sent a document to whom, and when it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// URI of the document.
    pub id: Option<String>,
    /// Version of the schema, such as `2.0`.
    pub schema_version: Option<String>,
    /// When it was made.
    pub creation_date: Option<Instant>,
    /// Who sent it.
    pub sender: Option<String>,
    /// To whom.
    pub receiver: Option<String>,
    /// The sender's own number of it.
    pub instance_identifier: Option<String>,
}

/// Master data of one kind, such as read points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterData {
    /// URI of the kind, such as `urn:epcglobal:epcis:vtype:ReadPoint`.
    pub kind: String,
    /// What is told of each.
    pub elements: Vec<MasterElement>,
}

/// Master data of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterElement {
    /// Which thing.
    pub id: String,
    /// Names, which are URIs, with their values.
    pub attributes: Vec<(String, Json)>,
    /// Things inside it.
    pub children: Vec<String>,
}

impl Document {
    /// Who sent it to whom, and when it was made; what is not there or not sound is left out.
    pub fn header(&self) -> Header {
        let text = |name: &str| self.source().text_of(name).map(String::from);
        Header {
            id: text("id"),
            schema_version: text("schemaVersion"),
            creation_date: self.source().text_of("creationDate").and_then(Instant::parse),
            sender: text("sender"),
            receiver: text("receiver"),
            instance_identifier: text("instanceIdentifier"),
        }
    }

    /// Master data of the header and of a query's results. The document should have been checked:
    /// vocabularies without type and elements without id are left out.
    pub fn master_data(&self) -> Vec<MasterData> {
        let one = |vocabulary: &Json| {
            let elements = vocabulary.get("vocabularyElementList").map(Json::items);
            Some(MasterData {
                kind: vocabulary.text_of("type")?.to_owned(),
                elements: elements.unwrap_or_default().iter().filter_map(element).collect(),
            })
        };
        self.vocabularies().filter_map(one).collect()
    }
}

/// One spelling for the name of an attribute of master data: `cbvmda:city`,
/// `urn:epcglobal:cbv:mda#city` and `urn:epcglobal:cbv:mda:city` are the same.
pub fn attribute_key(name: &str, context: &Context) -> String {
    match context.resolve(name) {
        Some((namespace, local)) => {
            format!("{}#{local}", namespace.trim_end_matches(['#', ':']))
        }
        None => name.to_owned(),
    }
}

fn element(json: &Json) -> Option<MasterElement> {
    let items = |name: &str| json.get(name).map(Json::items).unwrap_or_default().iter();
    let attribute = |json: &Json| {
        let value = json.get("attribute").cloned().unwrap_or(Json::Null);
        Some((json.text_of("id")?.to_owned(), value))
    };
    Some(MasterElement {
        id: json.text_of("id")?.to_owned(),
        attributes: items("attributes").filter_map(attribute).collect(),
        children: items("children").filter_map(Json::as_text).map(String::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn attributes_have_one_name_in_every_spelling() {
        let mut context = Context::default();
        let mda = "urn:epcglobal:cbv:mda#city";
        for name in ["cbvmda:city", mda, "urn:epcglobal:cbv:mda:city"] {
            assert_eq!(attribute_key(name, &context), mda);
        }
        context.declare("ex", "https://ex.example/");
        assert_eq!(attribute_key("ex:a", &context), "https://ex.example/#a");
        assert_eq!(attribute_key("https://ex.example/a", &context), "https://ex.example/#a");
        assert_eq!(attribute_key("plain", &context), "plain");
    }

    #[test]
    fn header_and_master_data_are_typed() {
        let text = r#"{"@context":"https://a/b","id":"https://a/1","type":"EPCISDocument",
            "schemaVersion":"2.0","creationDate":"2024-05-01T00:00:00Z","sender":"甲","epcisHeader":
            {"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:ReadPoint",
            "vocabularyElementList":[{"id":"urn:e:f","attributes":[{"id":"urn:g:h","attribute":1.0}],
            "children":["urn:i:j"]}]}]}},"epcisBody":{"eventList":[]}}"#;
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let header = document.header();
        assert_eq!(header.creation_date, Instant::parse("2024-05-01T08:00:00+08:00"));
        assert_eq!((header.sender.as_deref(), header.receiver), (Some("甲"), None));
        let wanted = MasterData {
            kind: String::from("urn:epcglobal:epcis:vtype:ReadPoint"),
            elements: vec![MasterElement {
                id: String::from("urn:e:f"),
                attributes: vec![(String::from("urn:g:h"), Json::Number(String::from("1.0")))],
                children: vec![String::from("urn:i:j")],
            }],
        };
        assert_eq!(document.master_data(), [wanted]);
    }
}
