//! G-8-2, G-5.4.4: enterprises that speak EPCIS send what they have, and read it again.

use serde_json::{Value, json};
use yj_epcis::{Document, EventHash, Json, Limits, event_hash};

use crate::harness::{Answer, TestApp, encoded};

pub const CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
const XML: (&str, &str) = ("content-type", "application/xml");

/// A document around events, with prefixes `ex` and `yj`.
pub fn document(events: &[Value]) -> Value {
    json!({
        "@context": [CONTEXT, { "ex": "https://example.com/ns/", "yj": "urn:yj:epcis:" }],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-11-10T08:00:00+08:00",
        "epcisBody": { "eventList": events },
    })
}

pub fn observed(id: &str, thing: &str) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": id, "action": "OBSERVE", "bizStep": "shipping",
        "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "epcList": [thing],
    })
}

pub async fn capture(app: &TestApp, user: &str, document: &Value, behaviour: &str) -> Answer {
    let headers = [("gs1-capture-error-behaviour", behaviour)];
    let body = Some(document.to_string().into_bytes());
    app.send("POST", "/epcis/v2/capture", Some(user), &headers, body).await
}

/// The job of a capture that was taken in.
pub async fn job(app: &TestApp, user: &str, answer: &Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.body);
    let place = answer.headers["location"].to_str().unwrap();
    app.get(user, place).await.expect(200)
}

pub fn events(answer: &Value) -> &Vec<Value> {
    answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"].as_array().unwrap()
}

pub async fn query(app: &TestApp, user: &str, query: &str) -> Vec<Value> {
    let answer = app.get(user, &format!("/epcis/v2/events?{query}")).await.expect(200);
    events(&answer).clone()
}

fn every_kind() -> Vec<Value> {
    let common = |kind: &str, rest: Value| {
        let mut event = json!({
            "type": kind, "eventTime": "2026-11-10T08:00:00.5+08:00", "eventTimeZoneOffset": "+08:00",
            "readPoint": { "id": "urn:epc:id:sgln:4012345.00005.7" },
        });
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    vec![
        common(
            "ObjectEvent",
            json!({
                "action": "ADD", "epcList": ["urn:epc:id:sgtin:4012345.011111.A1"],
                "ilmd": { "cbvmda:lotNumber": "L1", "ex:origin": { "ex:field": [1.50, "二"] } },
            }),
        ),
        common(
            "AggregationEvent",
            json!({
                "action": "ADD", "parentID": "urn:epc:id:sscc:4012345.0000000111",
                "childEPCs": ["urn:epc:id:sgtin:4012345.011111.A1"], "bizStep": "packing",
            }),
        ),
        common(
            "TransactionEvent",
            json!({
                "action": "ADD", "epcList": ["urn:epc:id:sgtin:4012345.011111.A2"],
                "bizTransactionList": [{ "type": "po", "bizTransaction": "urn:example:po:1" }],
            }),
        ),
        common(
            "TransformationEvent",
            json!({
                "inputQuantityList": [{ "epcClass": "urn:epc:class:lgtin:4012345.011111.L1", "quantity": 2.50, "uom": "KGM" }],
                "outputEPCList": ["urn:epc:id:sgtin:4012345.022222.B1"], "transformationID": "urn:example:t:1",
            }),
        ),
        common(
            "AssociationEvent",
            json!({
                "action": "ADD", "parentID": "urn:epc:id:giai:4012345.77",
                "childEPCs": ["urn:epc:id:giai:4012345.88"], "bizStep": "assembling",
                "sensorElementList": [{ "sensorMetadata": { "deviceID": "urn:epc:id:giai:4012345.99" },
                    "sensorReport": [{ "type": "Temperature", "value": 4.20, "uom": "CEL" }] }],
            }),
        ),
        common("ex:InventoryEvent", json!({ "ex:counted": 12 })),
    ]
}

#[tokio::test]
async fn g_8_2_every_kind_of_epcis_event_comes_and_goes_in_json_and_in_xml() {
    let app = TestApp::start().await;
    let sent = document(&every_kind());
    let answer = capture(&app, "enterprise", &sent, "rollback").await;
    assert_eq!(answer.headers["gs1-epcis-version"], "2.0");
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!((&done["running"], &done["success"]), (&json!(false), &json!(true)), "{done}");
    assert_eq!((done["captured"].as_i64(), done["errors"].as_array().unwrap().len()), (Some(6), 0));
    // What comes back is what was sent, with when it was recorded and what it is called.
    let all = app.get("enterprise", "/epcis/v2/events").await.expect(200);
    let parsed = Document::parse(sent.to_string().as_bytes(), &Limits::default()).unwrap();
    for (event, sent) in events(&all).iter().zip(parsed.events()) {
        let hash = event_hash(sent, parsed.context(), EventHash::Sha256);
        assert_eq!(event["eventID"], json!(hash));
        assert_eq!(event["recordTime"], "2026-11-19T04:00:00.000Z");
    }
    assert_eq!(events(&all).len(), 6);
    // XML of both versions, taken in again, is known already: the hash is the same.
    for version in ["2.0", "1.2"] {
        let headers = [("accept", "application/xml"), ("gs1-epcis-max", version)];
        let xml = app.send("GET", "/epcis/v2/events", Some("enterprise"), &headers, None).await;
        assert_eq!(
            (xml.status, &xml.headers["content-type"]),
            (200, &"application/xml".parse().unwrap())
        );
        let text = String::from_utf8(xml.bytes.clone()).unwrap();
        assert!(
            text.contains("EPCISQueryDocument") && text.contains(&format!("\"{version}\"")),
            "{text}"
        );
        let again = app
            .send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(xml.bytes))
            .await;
        let done = job(&app, "enterprise", &again).await;
        assert_eq!(
            (done["duplicates"].as_i64(), done["captured"].as_i64()),
            (Some(6), Some(0)),
            "{done}"
        );
    }
    // The same document again is known; its events are there once.
    let again = capture(&app, "enterprise", &sent, "rollback").await;
    assert_eq!(job(&app, "enterprise", &again).await["duplicates"], 6);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 6);
    // A farm of its own may have an event of the same content.
    let other = capture(&app, "farm", &sent, "rollback").await;
    assert_eq!(job(&app, "farm", &other).await["captured"], 6);
}

#[tokio::test]
async fn g_8_2_extensions_come_back_exactly_as_they_were_sent() {
    let app = TestApp::start().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../epcis/vectors");
    for name in ["user-extensions", "all-keys", "sensor", "extension-in-place", "object-all"] {
        let bytes = std::fs::read(format!("{folder}/{name}.json")).unwrap();
        let answer = app
            .send("POST", "/epcis/v2/capture", Some("enterprise"), &[], Some(bytes.clone()))
            .await;
        assert_eq!(job(&app, "enterprise", &answer).await["success"], true, "{name}");
        let sent = Document::parse(&bytes, &Limits::default()).unwrap();
        for event in sent.events() {
            let own = event.text_of("eventID").map(String::from);
            let id = own.unwrap_or_else(|| event_hash(event, sent.context(), EventHash::Sha256));
            let path = encoded(&id);
            let found = app.get("enterprise", &format!("/epcis/v2/events/{path}")).await;
            assert_eq!(found.status, 200, "{name} {id}");
            let found = Document::parse(&found.bytes, &Limits::default()).unwrap();
            let plain = |event: &Json| {
                let members = event.members().iter().filter(|(name, _)| {
                    !matches!(name.as_str(), "recordTime" | "eventID" | "@context")
                });
                Json::Object(members.cloned().collect()).to_string()
            };
            let back = &found.events()[0];
            assert_eq!(plain(back), plain(event), "{name}");
            let hash = |event: &Json, document: &Document| {
                event_hash(event, document.context(), EventHash::Sha256)
            };
            assert_eq!(hash(back, &found), hash(event, &sent), "{name}: prefixes mean the same");
        }
    }
}

#[tokio::test]
async fn g_8_2_rollback_keeps_all_or_none_and_proceed_what_it_can() {
    let app = TestApp::start().await;
    let mut wrong = observed("urn:example:2", "urn:example:thing:2");
    wrong["action"] = json!("LOOK");
    let sent = document(&[observed("urn:example:1", "urn:example:thing:1"), wrong]);
    let refused = capture(&app, "enterprise", &sent, "rollback").await.expect(400);
    assert_eq!(refused["type"], "epcisException:ValidationException");
    // RFC 3986 as the binding has it: a whole URI.
    let instance = refused["instance"].as_str().unwrap();
    assert!(instance.starts_with("http") && instance.contains("://"), "{instance}");
    assert_eq!(
        (&refused["status"], &refused["errors"][0]["field"]),
        (&json!(400), &json!("eventList[1].action"))
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_capture").await, 0);
    let done = job(&app, "enterprise", &capture(&app, "enterprise", &sent, "proceed").await).await;
    assert_eq!(
        (&done["success"], &done["captured"], &done["refused"]),
        (&json!(false), &json!(1), &json!(1))
    );
    assert_eq!(
        (&done["errors"][0]["event"], &done["errors"][0]["type"]),
        (&json!(2), &json!("epcisException:ValidationException"))
    );
    let listed = app.get("enterprise", "/epcis/v2/capture?perPage=1").await.expect(200);
    assert_eq!(listed[0]["captureID"], done["captureID"]);
    assert_eq!(capture(&app, "enterprise", &sent, "perhaps").await.status, 400);
    // Whoever may not capture may not.
    assert_eq!(
        capture(&app, "reviewer", &sent, "rollback").await.expect(403)["type"],
        "epcisException:SecurityException"
    );
    // Another's capture and one that never was look alike.
    let path = format!("/epcis/v2/capture/{}", done["captureID"].as_str().unwrap());
    let theirs = app.get("farm", &path).await.expect(404);
    let none =
        app.get("farm", "/epcis/v2/capture/0190a5f0-0000-7000-8000-000000000000").await.expect(404);
    assert_eq!((&theirs["type"], &theirs["detail"]), (&none["type"], &none["detail"]));
    // Master data alone is a document too; what is no document is not.
    assert_eq!(
        job(&app, "enterprise", &capture(&app, "enterprise", &document(&[]), "rollback").await)
            .await["captured"],
        0
    );
    for nonsense in ["", "[]", "{}", "{\"a\":", "null", "{\"@context\":\"x\"}"] {
        let body = Some(nonsense.as_bytes().to_vec());
        let answer = app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[], body).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (400, &json!("epcisException:ValidationException")),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn g_8_2_an_event_is_withdrawn_by_its_error_declaration_and_by_nothing_else() {
    let app = TestApp::start().await;
    let event = observed("urn:example:1", "urn:example:thing:1");
    let mut bare = event.clone();
    bare["@context"] = json!(CONTEXT);
    let made = app.post("enterprise", "/epcis/v2/events", bare.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let place = String::from(made.headers["location"].to_str().unwrap());
    assert_eq!(made.body["eventID"], "urn:example:1");
    assert_eq!(events(&app.get("enterprise", &place).await.expect(200)).len(), 1);
    assert_eq!(app.post("enterprise", "/epcis/v2/events", bare.clone()).await.status, 201, "known");
    let mut other = bare.clone();
    other["bizStep"] = json!("receiving");
    let refused = app.post("enterprise", "/epcis/v2/events", other.clone()).await;
    assert_eq!(
        (refused.status, &refused.body["type"]),
        (409, &json!("epcisException:ResourceAlreadyExistsException"))
    );
    assert!(refused.body["detail"].as_str().unwrap().contains("errorDeclaration"));
    let declaration = json!({
        "declarationTime": "2026-11-11T08:00:00+08:00", "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:example:2"],
    });
    other["errorDeclaration"] = declaration.clone();
    assert_eq!(
        app.post("enterprise", "/epcis/v2/events", other).await.status,
        409,
        "other content"
    );
    bare["errorDeclaration"] = declaration;
    app.post("enterprise", "/epcis/v2/events", bare).await.expect(201);
    assert_eq!(events(&app.get("enterprise", &place).await.expect(200)).len(), 2);
    for (condition, count) in [
        ("EXISTS_errorDeclaration=", 1),
        ("EQ_errorReason=incorrect_data", 1),
        ("EQ_correctiveEventID=urn:example:2", 1),
        ("GE_errorDeclarationTime=2026-11-12T00:00:00Z", 0),
        ("EQ_eventID=urn:example:1", 2),
    ] {
        assert_eq!(query(&app, "enterprise", condition).await.len(), count, "{condition}");
    }
}

#[tokio::test]
async fn g_8_2_headers_say_what_is_spoken_and_are_heeded() {
    let app = TestApp::start().await;
    for path in [
        "",
        "/",
        "/capture",
        "/events",
        "/eventTypes",
        "/epcs/urn:a:b/events",
        "/queries",
        "/queries/x/subscriptions",
    ] {
        let answer =
            app.send("OPTIONS", &format!("/epcis/v2{path}"), Some("enterprise"), &[], None).await;
        assert_eq!(answer.status, 204, "{path}");
        for name in [
            "gs1-epcis-version",
            "gs1-epcis-min",
            "gs1-epcis-max",
            "gs1-cbv-version",
            "gs1-cbv-min",
            "gs1-cbv-max",
            "gs1-extensions",
            "gs1-vendor-version",
            "gs1-epc-format",
            "gs1-cbv-xml-format",
            "gs1-epcis-capture-limit",
            "gs1-epcis-capture-file-size-limit",
            "allow",
        ] {
            assert!(answer.headers.contains_key(name), "{path} {name}");
        }
    }
    // One value each, as the binding describes them.
    let said =
        app.send("OPTIONS", "/epcis/v2/capture", Some("enterprise"), &[], None).await.headers;
    assert_eq!(said["gs1-epc-format"], "Never_Translates");
    assert_eq!(said["gs1-capture-error-behaviour"], "rollback | proceed");
    let trace = [("gs1-epcis-version", "9.9")];
    for (method, path, wanted) in [
        ("TRACE", "/epcis/v2/capture", 405),
        ("DELETE", "/epcis/v2/events", 405),
        ("GET", "/epcis/v2/nothing", 404),
        ("HEAD", "/epcis/v2/events", 406),
        ("GET", "/epcis/v2/events/urn%3Aexample%3A1", 406),
    ] {
        let answer = app.send(method, path, Some("enterprise"), &trace, None).await;
        assert_eq!(answer.status, wanted, "{method} {path}: the door comes first");
    }
    let top = app.get("enterprise", "/epcis/v2").await.expect(200);
    assert!(top["member"].as_array().unwrap().contains(&json!("bizLocations")));
    let sent = document(&[observed("urn:example:1", "urn:epc:id:sgtin:4012345.011111.A1")]);
    assert_eq!(capture(&app, "enterprise", &sent, "rollback").await.status, 202);
    let asked = async |headers: &[(&str, &str)]| {
        app.send("GET", "/epcis/v2/events", Some("enterprise"), headers, None).await
    };
    for (format, wanted) in [
        ("Always_GS1_Digital_Link", "https://id.gs1.org/01/04012345111118/21/A1"),
        ("Always_EPC_URN", "urn:epc:id:sgtin:4012345.011111.A1"),
        ("Never_Translates", "urn:epc:id:sgtin:4012345.011111.A1"),
        ("No_Preference", "urn:epc:id:sgtin:4012345.011111.A1"),
    ] {
        let answer = asked(&[("gs1-epc-format", format)]).await;
        assert!(answer.headers.contains_key("gs1-epc-format"));
        assert_eq!(events(&answer.body)[0]["epcList"][0], wanted, "{format}");
    }
    assert_eq!(
        asked(&[("accept", "application/ld+json")]).await.headers["content-type"],
        "application/ld+json"
    );
    for wrong in [
        ("accept", "text/html"),
        ("gs1-epc-format", "Sometimes"),
        ("gs1-epcis-min", "3.0"),
        ("gs1-epcis-max", "1.0"),
    ] {
        let answer = asked(&[wrong]).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (406, &json!("epcisException:NotAcceptableException")),
            "{wrong:?}"
        );
    }
    let typed = [("content-type", "text/csv")];
    let answer = app
        .send("POST", "/epcis/v2/capture", Some("enterprise"), &typed, Some(b"a,b".to_vec()))
        .await;
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (415, &json!("epcisException:UnsupportedMediaTypeException"))
    );
    let long = format!("EQ_bizStep={}", "x".repeat(9000));
    let answer = app.get("enterprise", &format!("/epcis/v2/events?{long}")).await;
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (414, &json!("epcisException:URITooLongException"))
    );
    let answer = app.get("enterprise", "/epcis/v2/nothing").await;
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (404, &json!("epcisException:NoSuchResourceException"))
    );
    let answer = app.send("GET", "/epcis/v2/events", None, &[], None).await;
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (401, &json!("epcisException:SecurityException"))
    );
}

#[tokio::test]
async fn g_8_2_a_document_type_is_refused_before_it_means_anything() {
    let app = TestApp::start().await;
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>\
        <epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:2\" schemaVersion=\"2.0\" \
        creationDate=\"2026-11-10T08:00:00Z\"><EPCISBody><EventList/></EPCISBody></epcis:EPCISDocument>";
    let answer =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(bomb.into())).await;
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (400, &json!("epcisException:ValidationException"))
    );
    let harmless =
        bomb.replace(&bomb[bomb.find("<!DOCTYPE").unwrap()..bomb.find("<epcis").unwrap()], "");
    let answer = app
        .send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(harmless.into()))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}
