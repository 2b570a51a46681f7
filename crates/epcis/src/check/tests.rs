use super::{check_document, check_event, check_event_within};
use crate::{Document, Json, Limits};

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// An event of this kind with these members besides the time.
fn event(kind: &str, members: &str) -> Json {
    json(&format!(
        r#"{{"type":"{kind}","eventTime":"2024-05-01T08:00:00+08:00",
            "eventTimeZoneOffset":"+08:00",{members}}}"#
    ))
}

fn pointers(event: &Json) -> Vec<String> {
    check_event(event, 100).into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn sound_events_of_every_kind_pass() {
    for (kind, members) in [
        (
            "ObjectEvent",
            r#""action":"ADD","epcList":["urn:x:y"],"ilmd":{"ex:a":1},"ex:b":[1,{"c":null}]"#,
        ),
        ("ObjectEvent", r#""action":"OBSERVE","quantityList":[{"epcClass":"urn:x:y"}]"#),
        (
            "ObjectEvent",
            r#""action":"OBSERVE","readPoint":{"id":"urn:a:b","any":1},"sensorElementList":
               [{"sensorReport":[{"type":"gs1:Temperature","value":1.50,"ex:q":1}]}]"#,
        ),
        ("AggregationEvent", r#""action":"DELETE","parentID":"urn:x:y""#),
        (
            "AggregationEvent",
            r#""action":"OBSERVE","childEPCs":["urn:epc:id:sscc:4012345.0111111111"]"#,
        ),
        ("AssociationEvent", r#""action":"DELETE","parentID":"urn:x:y""#),
        (
            "TransactionEvent",
            r#""action":"ADD","epcList":["urn:x:y"],"bizTransactionList":[
            {"type":"urn:epcglobal:cbv:btt:po","bizTransaction":"urn:x:y"}]"#,
        ),
        ("TransformationEvent", r#""transformationID":"urn:x:y","inputEPCList":["urn:a:b"]"#),
        (
            "TransformationEvent",
            r#""inputEPCList":["urn:a:b"],"outputQuantityList":[
            {"epcClass":"urn:c:d","quantity":2e3,"uom":"KGM"}],"certificationInfo":["urn:e:f"]"#,
        ),
        ("https://example.com/OwnEvent", r#""whatever":1"#),
    ] {
        assert_eq!(check_event(&event(kind, members), 100), [], "{kind} {members}");
    }
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let bad = event(
        "ObjectEvent",
        r#""action":"SEE","bizStep":"drying","epcList":["no uri","urn:a:b","urn:a:b"],
           "quantityList":[{"quantity":"1","uom":"kg","more":1}],"field":1,"recordTime":"today",
           "sourceList":[{"type":"owning_party"}],"persistentDisposition":{"set":[]},
           "sensorElementList":[{"sensorReport":[]},{"sensorReport":[{"value":true}],"a/b~":1}],
           "errorDeclaration":{"reason":"incorrect_data"},"ilmd":{"plain":1},"eventID":5"#,
    );
    let wanted = [
        "/action",
        "/bizStep",
        "/epcList/0",
        "/epcList/2",
        "/quantityList/0/quantity",
        "/quantityList/0/uom",
        "/quantityList/0/more",
        "/quantityList/0",
        "/field",
        "/recordTime",
        "/sourceList/0",
        "/persistentDisposition/set",
        "/sensorElementList/0/sensorReport",
        "/sensorElementList/1/sensorReport/0/value",
        "/sensorElementList/1/sensorReport/0",
        "/sensorElementList/1/a~1b~0",
        "/errorDeclaration",
        "/ilmd/plain",
        "/eventID",
        "/ilmd",
    ];
    assert_eq!(pointers(&bad), wanted);
    assert_eq!(check_event(&bad, 3).len(), 3);
}

#[test]
fn what_an_event_is_about_is_required() {
    for (kind, members) in [
        ("ObjectEvent", r#""action":"ADD""#),
        ("ObjectEvent", r#""action":"ADD","quantityList":[]"#),
        ("ObjectEvent", r#""action":"ADD","epcList":[]"#),
        (
            "ObjectEvent",
            r#""action":"ADD","sensorElementList":[{"sensorReport":[{"type":"Mass"}]}]"#,
        ),
        ("AggregationEvent", r#""action":"ADD","parentID":"a:b","childEPCs":[]"#),
        ("AggregationEvent", r#""action":"ADD","childEPCs":["a:b"]"#),
        ("AggregationEvent", r#""action":"DELETE","childEPCs":["a:b"]"#),
        ("AggregationEvent", r#""action":"DELETE""#),
        (
            "TransactionEvent",
            r#""action":"ADD","epcList":[],"bizTransactionList":[{"bizTransaction":"a:b"}]"#,
        ),
        ("AssociationEvent", r#""action":"DELETE""#),
        (
            "TransactionEvent",
            r#""action":"OBSERVE","bizTransactionList":[{"bizTransaction":"a:b"}]"#,
        ),
        ("TransformationEvent", r#""inputEPCList":["urn:a:b"]"#),
        ("TransformationEvent", r#""transformationID":"urn:a:b""#),
    ] {
        assert_eq!(pointers(&event(kind, members)), [""], "{kind} {members}");
    }
    assert_eq!(pointers(&event("Event", r#""a":1"#)), ["/type"]);
    assert_eq!(pointers(&json("[]")), [""]);
    assert_eq!(pointers(&json("{}")).len(), 3);
}

#[test]
fn documents_are_checked_around_their_events() {
    let sound = r#"{"@context":["https://a/b",{"ex":"https://ex/"}],"type":"EPCISDocument",
        "schemaVersion":"2.0","creationDate":"2024-05-01T00:00:00Z","epcisHeader":
        {"epcisMasterData":{"vocabularyList":[{"type":"urn:a:b","vocabularyElementList":[
        {"id":"urn:c:d","attributes":[{"id":"urn:e:f","attribute":"x"}],"children":["urn:g:h"]}]}]}},
        "epcisBody":{"eventList":[]},"ex:own":1}"#;
    assert_eq!(check_document(&json(sound), 100), []);
    assert_eq!(
        Document::parse(sound.as_bytes(), &Limits::default()).unwrap().vocabularies().count(),
        1
    );
    let query = r#"{"@context":"https://a/b","type":"EPCISQueryDocument","epcisBody":
        {"queryResults":{"queryName":"q","resultsBody":{"eventList":[]}}}}"#;
    assert_eq!(check_document(&json(query), 100), []);
    let sent = r#"{"@context":"https://a/b","type":"EPCISQueryDocument","sender":"urn:a:b",
        "receiver":"urn:c:d","instanceIdentifier":"7","epcisHeader":{"epcisMasterData":{"vocabularyList":
        [{"type":"urn:a:b"}]}},"epcisBody":{"queryResults":{"queryName":"q","resultsBody":{"eventList":[],
        "vocabularyList":[{"type":"urn:e:f"}]}}}}"#;
    assert_eq!(check_document(&json(sent), 100), []);
    assert_eq!(Document::new(json(sent)).vocabularies().count(), 2, "of header and results");
    let bad = r#"{"@context":[1,"https://a/b","https://a/b"],"type":"EPCISDocument","own":1,
        "schemaVersion":"two","epcisBody":{}}"#;
    let found: Vec<String> =
        check_document(&json(bad), 100).into_iter().map(|f| f.pointer).collect();
    assert_eq!(found, ["/@context/0", "/@context/2", "/own", "/schemaVersion", "/epcisBody", ""]);
    assert_eq!(check_document(&json("{}"), 100).len(), 1);
}

#[test]
fn versions_beyond_the_second_are_not_known() {
    for (version, known) in [
        ("2.0", true),
        ("2", true),
        ("2.0.1", true),
        ("1.2", true),
        ("3.0", false),
        ("0.9", false),
        ("20", false),
        ("2.", false),
        ("", false),
    ] {
        let text = format!(
            r#"{{"@context":"https://a/b","type":"EPCISDocument","schemaVersion":"{version}",
            "creationDate":"2024-05-01T00:00:00Z","epcisBody":{{"eventList":[]}}}}"#
        );
        assert_eq!(check_document(&json(&text), 9).is_empty(), known, "{version}");
        let namespace = if version.starts_with('1') { 1 } else { 2 };
        let xml = format!(
            r#"<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:{namespace}"
            schemaVersion="{version}" creationDate="2024-05-01T00:00:00Z"><EPCISBody><EventList/>
            </EPCISBody></e:EPCISDocument>"#
        );
        let mut reader = crate::XmlEventReader::new(xml.as_bytes(), Limits::default());
        assert!(reader.next_event().unwrap().is_none());
        assert_eq!(check_document(&reader.header(), 9).is_empty(), known, "XML {version}");
    }
}

#[test]
fn events_of_a_document_are_told_by_their_place() {
    let text = r#"{"@context":"https://a/b","type":"EPCISDocument","schemaVersion":"2.0",
        "creationDate":"2024-05-01T00:00:00Z","epcisBody":{"eventList":[{"type":"ObjectEvent",
        "eventTime":"2024-05-01T08:00:00+08:00","eventTimeZoneOffset":"+08:00","epcList":["a:b"],
        "action":"ADD","bizStep":"cbv:BizStep-packing"},{"type":"ObjectEvent"}]}}"#;
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let faults = document.check(100).unwrap_err();
    assert!(faults.iter().all(|fault| fault.pointer.starts_with("/epcisBody/eventList/1")));
    assert_eq!(faults.len(), 4);
    let bare = Document::new(event("ObjectEvent", r#""action":"ADD","epcList":["a:b"]"#));
    assert_eq!(bare.check(100).unwrap_err().len(), 1, "a bare event has its own context");
}

#[test]
fn events_of_a_query_are_told_by_their_place() {
    let text = r#"{"@context":"https://a/b","type":"EPCISQueryDocument","epcisBody":{"queryResults":
        {"queryName":"q","resultsBody":{"eventList":[{"type":"Event"}]}}}}"#;
    let faults = Document::parse(text.as_bytes(), &Limits::default()).unwrap().check(10);
    let wanted = "/epcisBody/queryResults/resultsBody/eventList/0/type";
    assert_eq!(faults.unwrap_err()[0].pointer, wanted);
}

#[test]
fn amounts_are_positive_and_counts_are_whole() {
    let with = |item: &str| {
        pointers(&event(
            "ObjectEvent",
            &format!(r#""action":"ADD","quantityList":[{{"epcClass":"urn:c:d"{item}}}]"#),
        ))
    };
    for sound in ["", r#","quantity":12"#, r#","quantity":12.0"#, r#","quantity":0.5,"uom":"KGM""#]
    {
        assert_eq!(with(sound), Vec::<String>::new(), "{sound}");
    }
    for wrong in ["0", "-1", "0.5", "-0.0", "1e999"] {
        let item = format!(r#","quantity":{wrong}"#);
        assert_eq!(with(&item), ["/quantityList/0/quantity"], "{wrong}");
    }
    assert_eq!(with(r#","quantity":-3,"uom":"KGM""#), ["/quantityList/0/quantity"]);
    assert_eq!(with(r#","uom":"KGM""#), ["/quantityList/0/uom"]);
}

#[test]
fn keys_are_well_formed_and_stand_in_the_list_of_their_kind() {
    let things = |id: &str| {
        let members = format!(r#""action":"ADD","epcList":["{id}"]"#);
        pointers(&event("ObjectEvent", &members))
    };
    let classes = |id: &str| {
        let members = format!(r#""action":"ADD","quantityList":[{{"epcClass":"{id}"}}]"#);
        pointers(&event("ObjectEvent", &members))
    };
    for (id, thing, class) in [
        ("urn:epc:id:sgtin:4012345.011111.A1", true, false),
        ("urn:epc:class:lgtin:4012345.011111.L1", false, true),
        ("urn:epc:idpat:sgtin:4012345.011111.*", false, true),
        ("https://example.com/01/04012345111118/21/A1", true, false),
        ("https://id.gs1.org/01/04012345111118/10/L1", false, true),
        ("https://id.gs1.org/01/04012345111118", false, true),
        ("https://id.gs1.org/00/040123450000003338", true, false),
        ("https://id.gs1.org/8003/04012345000221", false, true),
        ("https://id.gs1.org/8003/04012345000221334455", true, false),
        ("urn:epc:id:gid:1.2.3", true, false),
        ("urn:uuid:1", true, true),
        ("https://example.com/things/1", true, true),
        // A short number on a domain of somebody's own is no key for sure.
        ("https://example.com/01/12345678", false, true),
    ] {
        assert_eq!((things(id).is_empty(), classes(id).is_empty()), (thing, class), "{id}");
    }
    for id in [
        "urn:epc:id:sgtin:69.1.A",
        "urn:epc:id:sgtin:4012345.011111.",
        "urn:epc:id:nope:1.2",
        "urn:epc:tag:sgtin-96:3.4012345.011111.1",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "https://example.com/01/04012345111117/21/A1",
        "https://id.gs1.org/01/12345678/21/1",
        "https://id.gs1.org/00/040123450000003337",
    ] {
        assert_eq!(things(id), ["/epcList/0"], "{id}");
        assert_eq!(classes(id), ["/quantityList/0/epcClass"], "{id}");
    }
    let place = |id: &str| {
        let members = format!(r#""action":"ADD","epcList":["a:b"],"readPoint":{{"id":"{id}"}}"#);
        pointers(&event("ObjectEvent", &members))
    };
    assert_eq!(place("urn:epc:id:sgln:4012345.00005.0"), Vec::<String>::new());
    assert_eq!(place("https://id.gs1.org/414/4012345000055"), ["/readPoint/id"]);
}

#[test]
fn a_kind_of_the_standard_has_its_name_alone() {
    let mut context = crate::Context::default();
    context.declare("e", "https://ref.gs1.org/epcis/");
    context.declare("ex", "https://ex.example/");
    for (kind, sound) in [
        ("https://ref.gs1.org/epcis/ObjectEvent", false),
        ("epcis:ObjectEvent", false),
        ("e:AnyEvent", false),
        ("ex:ObjectEvent", true),
        ("https://ex.example/ObjectEvent", true),
    ] {
        let event = event(kind, r#""ex:a":1"#);
        assert_eq!(check_event_within(&event, &context, 9).is_empty(), sound, "{kind}");
    }
}
