use super::{EventHash, event_hash, pre_hash};
use crate::{Document, Json, Limits};

/// Published inputs and what GS1's reference tool makes of them; see `vectors/README.md`.
const EXPECTED: &str = include_str!("../../vectors/hashes.txt");

fn document(name: &str) -> Document {
    let bytes = std::fs::read(format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    Document::parse(&bytes, &Limits::default()).unwrap()
}

fn hashes(document: &Document, hash: EventHash) -> Vec<String> {
    let events = document.events().iter();
    events.map(|event| event_hash(event, document.context(), hash)).collect()
}

#[test]
fn published_json_documents_have_the_published_hashes() {
    let mut names: Vec<&str> = EXPECTED.lines().filter_map(|line| line.split(' ').next()).collect();
    names.dedup();
    names.retain(|name| name.contains(".json"));
    assert_eq!(names.len(), 8);
    for name in names {
        let document = document(name);
        let lines = EXPECTED.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let pre: Vec<String> =
            document.events().iter().map(|event| pre_hash(event, document.context())).collect();
        let wanted: Vec<&str> = lines.collect();
        assert_eq!(hashes(&document, EventHash::Sha256), wanted, "{name}\n{}", pre.join("\n"));
        assert!(document.check(10).is_ok(), "{name}");
    }
}

#[test]
fn the_text_is_the_published_one() {
    let document = document("extension-in-place.json");
    let wanted = "eventType=ObjectEventeventTime=2020-03-04T10:00:30.000Z\
        eventTimeZoneOffset=+01:00epcListepc=https://id.gs1.org/01/00614141111114/21/987\
        action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-departing\
        disposition=https://ref.gs1.org/cbv/Disp-in_transit\
        readPointid=https://id.gs1.org/414/4012345000115\
        bizTransactionListtype=https://ref.gs1.org/cbv/BTT-po\
        bizTransaction=https://id.gs1.org/253/4012345111118123\
        sourceListtype=https://ref.gs1.org/cbv/SDT-owning_party\
        source=https://id.gs1.org/417/4012345000009\
        destinationListtype=https://ref.gs1.org/cbv/SDT-owning_party\
        destination=https://id.gs1.org/417/0614141000005\
        readPoint{https://ns.example.com/epcis/}myField1=AB-12\
        {https://ns.example.com/epcis/}userExt=CD-34";
    assert_eq!(pre_hash(&document.events()[0], document.context()), wanted);
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Both describe the same event.
fn same(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| {
        let document = Document::new(json(text));
        pre_hash(document.source(), document.context())
    });
    one == other
}

#[test]
fn spelling_does_not_matter_and_content_does() {
    let event = r#"{"@context":[{"e":"https://e/"}],"type":"ObjectEvent","action":"ADD",
        "eventTime":"2024-05-01T08:00:00+08:00","eventTimeZoneOffset":"+08:00",
        "epcList":["urn:epc:id:sscc:4012345.0000000111","urn:epc:id:sscc:4012345.0000000222"],
        "bizStep":"packing","e:a":[1.0,"x"],"e:b":{"e:c":true}}"#;
    for (from, to) in [
        ("\"packing\"", "\"urn:epcglobal:cbv:bizstep:packing\""),
        ("\"packing\"", "\"cbv:BizStep-packing\""),
        ("08:00:00+08:00", "00:00:00.0004Z"),
        ("[1.0,\"x\"]", "[\" x \",1]"),
        ("\"e:a\"", "\"https://e/a\""),
        ("urn:epc:id:sscc:4012345.0000000111", "https://example.com/00/040123450000001112"),
        (
            "\"action\"",
            "\"eventID\":\"urn:a:b\",\"recordTime\":\"2024-05-02T00:00:00Z\",\"action\"",
        ),
        ("\"action\"", "\"errorDeclaration\":{\"declarationTime\":\"x\"},\"action\""),
        ("\"action\"", "\"rdfs:comment\":\"x\",\"action\""),
        ("{\"e\":\"https://e/\"}", "{\"other\":\"x\",\"e\":\"https://e/\"}"),
    ] {
        assert!(same(event, &event.replace(from, to)), "{from} → {to}");
    }
    for (from, to) in [
        ("packing", "unpacking"),
        ("08:00:00+", "08:00:01+"),
        ("0000000111", "0000000112"),
        ("1.0", "1.01"),
        ("https://e/", "https://f/"),
        ("\"e:c\"", "\"e:d\""),
        ("true", "false"),
        ("\"+08:00\"", "\"+07:00\""),
        ("ADD", "DELETE"),
    ] {
        assert!(!same(event, &event.replace(from, to)), "{from} → {to}");
    }
}

#[test]
fn the_twin_digests_the_same_text() {
    let document = document("basic.json");
    let (event, context) = (&document.events()[0], document.context());
    let digest = yj_crypto::sm3::digest(pre_hash(event, context).as_bytes());
    let wanted = format!("ni:///x-yj-sm3;{}?ver=CBV2.0", yj_crypto::to_hex(&digest));
    assert_eq!(event_hash(event, context, EventHash::Sm3), wanted);
}
