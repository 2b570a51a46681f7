//! G-8-2: the master data that documents bring says what lies where, for the events of whoever brings it.

use serde_json::{Value, json};

use crate::{
    epcis::{CONTEXT, capture, document, job, observed, query},
    harness::TestApp,
};

const PLANT: &str = "urn:epc:id:sgln:4012345.00005.0";

fn at(id: &str, place: &str) -> Value {
    let mut event = observed(&format!("urn:example:{id}"), "urn:example:thing");
    event["readPoint"] = json!({ "id": place });
    event["bizLocation"] = json!({ "id": place });
    event
}

/// A document with these events, and vocabularies in its header.
fn told(events: &[Value], vocabularies: &Value) -> Value {
    let mut sent = document(events);
    sent["epcisHeader"] = json!({ "epcisMasterData": { "vocabularyList": vocabularies } });
    sent
}

fn vocabularies(city: &str, children: &[&str]) -> Value {
    json!([
        { "type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": [
            { "id": PLANT, "attributes": [
                { "id": "cbvmda:city", "attribute": city },
                { "id": "urn:epcglobal:cbv:mda#latitude", "attribute": 34.5 },
              ], "children": children },
            { "id": "urn:example:hall", "children": ["urn:example:shelf"] },
        ] },
        { "type": "urn:epcglobal:epcis:vtype:ReadPoint", "vocabularyElementList": [
            { "id": "urn:example:yard", "children": ["urn:example:shelf"] },
        ] },
    ])
}

async fn found(app: &TestApp, user: &str, condition: &str) -> Vec<String> {
    let events = query(app, user, condition).await;
    let name = |event: &Value| {
        String::from(event["eventID"].as_str().unwrap().trim_start_matches("urn:example:"))
    };
    events.iter().map(name).collect()
}

#[tokio::test]
async fn g_8_2_master_data_says_what_lies_where_for_its_senders_events() {
    let app = TestApp::start().await;
    let places = [PLANT, "urn:example:hall", "urn:example:shelf", "urn:example:elsewhere"];
    let events = |from: &str| -> Vec<Value> {
        let one = |(name, place): (&str, &str)| at(&format!("{from}-{name}"), place);
        ["plant", "hall", "shelf", "elsewhere"].into_iter().zip(places).map(one).collect()
    };
    let sent = told(&events("own"), &vocabularies("示例市", &["urn:example:hall"]));
    let done = job(&app, "enterprise", &capture(&app, "enterprise", &sent, "rollback").await).await;
    assert_eq!(done["captured"], 4, "{done}");
    // Another who has such places has told nothing of them.
    capture(&app, "farm", &document(&events("farm")), "rollback").await.expect(202);
    for (condition, wanted) in [
        (format!("WD_bizLocation={PLANT}"), vec!["own-plant", "own-hall", "own-shelf"]),
        (
            String::from("WD_bizLocation=https://id.gs1.org/414/4012345000054"),
            vec!["own-plant", "own-hall", "own-shelf"],
        ),
        (String::from("WD_bizLocation=urn:example:hall"), vec!["own-hall", "own-shelf"]),
        (String::from("WD_readPoint=urn:example:yard"), vec!["own-shelf"]),
        (String::from("WD_readPoint=urn:example:hall"), vec!["own-hall"]),
        (String::from("HASATTR_bizLocation=cbvmda:city"), vec!["own-plant"]),
        (String::from("HASATTR_readPoint=cbvmda:city"), vec![]),
        (String::from("EQATTR_bizLocation_cbvmda:city=示例市|别处"), vec!["own-plant"]),
        (
            String::from("EQATTR_bizLocation_urn:epcglobal:cbv:mda%23latitude=34.5"),
            vec!["own-plant"],
        ),
        (String::from("EQATTR_bizLocation_cbvmda:city=别处"), vec![]),
    ] {
        assert_eq!(found(&app, "enterprise", &condition).await, wanted, "{condition}");
        let theirs = found(&app, "farm", &condition).await;
        assert!(theirs.iter().all(|name| !name.starts_with("own")), "{condition} {theirs:?}");
        assert!(theirs.len() <= 1, "{condition}: another's word counts for nothing {theirs:?}");
        // Whoever sees both finds each as its own sender tells it.
        let all = found(&app, "supervisor", &condition).await;
        let own: Vec<_> = all.iter().filter(|name| name.starts_with("own")).collect();
        assert_eq!(own, wanted.iter().collect::<Vec<_>>(), "{condition}");
    }
    // What is told again takes the place of what was told before, in XML as in JSON.
    let again = told(&[], &vocabularies("他市", &[]));
    capture(&app, "enterprise", &again, "rollback").await.expect(202);
    let within = format!("WD_bizLocation={PLANT}");
    assert_eq!(found(&app, "enterprise", &within).await, ["own-plant"]);
    assert_eq!(
        found(&app, "enterprise", "EQATTR_bizLocation_cbvmda:city=他市").await,
        ["own-plant"]
    );
    let xml = format!(
        "<e:EPCISDocument xmlns:e=\"urn:epcglobal:epcis:xsd:1\" schemaVersion=\"1.2\" \
         creationDate=\"2026-11-10T08:00:00Z\"><EPCISHeader><extension><EPCISMasterData><VocabularyList>\
         <Vocabulary type=\"urn:epcglobal:epcis:vtype:BusinessLocation\"><VocabularyElementList>\
         <VocabularyElement id=\"{PLANT}\"><attribute id=\"urn:epcglobal:cbv:mda#city\">甲市</attribute>\
         <children><id>urn:example:elsewhere</id></children></VocabularyElement></VocabularyElementList>\
         </Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader><EPCISBody><EventList/>\
         </EPCISBody></e:EPCISDocument>"
    );
    let headers = [("content-type", "application/xml")];
    let taken =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, Some(xml.into())).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    assert_eq!(found(&app, "enterprise", &within).await, ["own-plant", "own-elsewhere"]);
    assert_eq!(
        found(&app, "enterprise", "EQATTR_bizLocation_cbvmda:city=甲市").await,
        ["own-plant"]
    );
    // A refused document tells nothing.
    let mut wrong = at("wrong", PLANT);
    wrong["action"] = json!("LOOK");
    let refused = told(&[wrong], &vocabularies("乙市", &["urn:example:hall"]));
    assert_eq!(capture(&app, "enterprise", &refused, "rollback").await.status, 400);
    assert_eq!(found(&app, "enterprise", "EQATTR_bizLocation_cbvmda:city=乙市").await.len(), 0);
    // Whoever speaks for several subjects tells it with their events, and cannot tell it without.
    let orphan = told(&[], &vocabularies("丙市", &[]));
    let answer = capture(&app, "gateway", &orphan, "rollback").await;
    assert!(matches!(answer.status, 202 | 400 | 403), "{}", answer.body);
    assert!(CONTEXT.starts_with("https"));
}

#[tokio::test]
async fn g_8_2_an_answer_to_a_query_brings_its_header_along() {
    let app = TestApp::start().await;
    let vocabularies = |city: &str, place: &str| {
        json!([{ "type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": [
            { "id": place, "attributes": [{ "id": "cbvmda:city", "attribute": city }] },
        ] }])
    };
    let sent = json!({
        "@context": [CONTEXT], "type": "EPCISQueryDocument", "schemaVersion": "2.0",
        "creationDate": "2026-11-10T08:00:00+08:00", "sender": "urn:epc:id:sgln:4012345.00005.0",
        "receiver": "urn:epc:id:sgln:4012345.00006.0", "instanceIdentifier": "1",
        "epcisHeader": { "epcisMasterData": { "vocabularyList": vocabularies("甲市", PLANT) } },
        "epcisBody": { "queryResults": { "queryName": "q", "resultsBody": {
            "eventList": [at("plant", PLANT), at("hall", "urn:example:hall")],
            "vocabularyList": vocabularies("乙市", "urn:example:hall"),
        } } },
    });
    let done = job(&app, "enterprise", &capture(&app, "enterprise", &sent, "rollback").await).await;
    assert_eq!(done["captured"], 2, "{done}");
    let of = |city: &str| format!("EQATTR_bizLocation_cbvmda:city={city}");
    assert_eq!(found(&app, "enterprise", &of("甲市")).await, ["plant"]);
    assert_eq!(found(&app, "enterprise", &of("乙市")).await, ["hall"]);
}
