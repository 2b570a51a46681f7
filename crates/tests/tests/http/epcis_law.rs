//! G-8-2: what EPCIS 2.0 and CBV 2.0 forbid is refused, what they allow is taken, and no event of one
//! sender stands in the way of another's question.

use serde_json::{Value, json};

use crate::{
    epcis::{CONTEXT, capture, document, events, job, observed, query},
    harness::{Answer, TestApp},
};

const XML: (&str, &str) = ("accept", "application/xml");

async fn asked(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send("GET", path, Some("enterprise"), headers, None).await
}

/// A member more in an event of its own.
fn with(name: &str, value: Value) -> Value {
    let mut event = observed("urn:example:1", "urn:example:thing");
    event[name] = value;
    event
}

#[tokio::test]
async fn g_8_2_what_xml_cannot_say_is_refused_and_stops_no_answer() {
    let app = TestApp::start().await;
    for (name, value, field) in [
        ("zz:a", json!(1), "eventList[0].zz:a"),
        ("ex:obj", json!({ "1st": 1, "a b": 2 }), "eventList[0].ex:obj.1st"),
        ("ex:c", json!("a\u{1}b"), "eventList[0].ex:c"),
        ("ex:d", json!([{ "ex:e": ["x", "\u{b}"] }]), "eventList[0].ex:d[0].ex:e[1]"),
    ] {
        let sent = document(&[with(name, value)]);
        let refused = capture(&app, "enterprise", &sent, "rollback").await.expect(400);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        let taken = capture(&app, "enterprise", &sent, "proceed").await;
        assert_eq!(job(&app, "enterprise", &taken).await["refused"], 1, "{name}");
    }
    let mut wrong = document(&[observed("urn:example:1", "urn:example:thing")]);
    wrong["@context"] = json!([CONTEXT, { "ex": "" }]);
    assert_eq!(capture(&app, "enterprise", &wrong, "rollback").await.status, 400);
    // A context that lives elsewhere may declare what is not declared here. XML tells such a name too.
    let mut sent = document(&[with("own:a", json!({ "own:b": "x" }))]);
    sent["@context"] = json!([CONTEXT, "https://own.example.com/context.jsonld"]);
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    let other = document(&[observed("urn:example:2", "urn:example:thing")]);
    capture(&app, "enterprise", &other, "rollback").await.expect(202);
    for version in ["1.2", "2.0"] {
        let headers = [XML, ("gs1-epcis-max", version)];
        let answer = asked(&app, "/epcis/v2/events", &headers).await;
        let text = String::from_utf8(answer.bytes.clone()).unwrap();
        assert_eq!(answer.status, 200, "{text}");
        assert!(text.contains("name=\"own:a\"") && text.contains("urn:example:2"), "{text}");
        let headers = [("content-type", "application/xml")];
        let bytes = Some(answer.bytes);
        let again = app.send("POST", "/epcis/v2/capture", Some("farm"), &headers, bytes).await;
        assert_eq!(again.status, 202, "well formed: {}", again.body);
    }
}

#[tokio::test]
async fn g_8_2_events_of_every_kind_are_held_against_the_standard() {
    let app = TestApp::start().await;
    let event = |kind: &str, rest: Value| {
        let mut event = json!({
            "type": kind, "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        });
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    let amount = |quantity: Value| {
        let item = json!({ "epcClass": "urn:example:class", "quantity": quantity });
        event("ObjectEvent", json!({ "action": "ADD", "quantityList": [item] }))
    };
    let thing = |id: &str| event("ObjectEvent", json!({ "action": "ADD", "epcList": [id] }));
    for (wrong, field) in [
        (event("AggregationEvent", json!({ "action": "ADD", "childEPCs": ["urn:a:b"] })), ""),
        (event("AggregationEvent", json!({ "action": "DELETE", "childEPCs": ["urn:a:b"] })), ""),
        (event("AggregationEvent", json!({ "action": "DELETE" })), ""),
        (event("ObjectEvent", json!({ "action": "OBSERVE", "epcList": [] })), ""),
        (
            event(
                "ObjectEvent",
                json!({ "action": "OBSERVE", "epcList": ["urn:a:b"], "ilmd": { "ex:a": 1 } }),
            ),
            ".ilmd",
        ),
        (event("TransformationEvent", json!({ "inputEPCList": ["urn:a:b"] })), ""),
        (event("AssociationEvent", json!({ "action": "ADD", "childEPCs": ["urn:a:b"] })), ""),
        (event("TransactionEvent", json!({ "action": "ADD", "epcList": ["urn:a:b"] })), ""),
        (amount(json!(-3)), ".quantityList[0].quantity"),
        (amount(json!(0)), ".quantityList[0].quantity"),
        (amount(json!(1.5)), ".quantityList[0].quantity"),
        (thing("urn:epc:id:sgtin:69.1.A"), ".epcList[0]"),
        (thing("https://id.gs1.org/01/06901234567890/21/1"), ".epcList[0]"),
        (thing("urn:epc:class:lgtin:4012345.011111.L1"), ".epcList[0]"),
    ] {
        let sent = document(std::slice::from_ref(&wrong));
        let refused = capture(&app, "enterprise", &sent, "rollback").await.expect(400);
        let wanted = format!("eventList[0]{field}");
        assert_eq!(refused["errors"][0]["field"], wanted, "{wrong} {refused}");
    }
    let sound = [
        event("AggregationEvent", json!({ "action": "OBSERVE", "childEPCs": ["urn:a:b"] })),
        event("AggregationEvent", json!({ "action": "DELETE", "parentID": "urn:a:c" })),
        event(
            "TransformationEvent",
            json!({ "inputEPCList": ["urn:a:b"], "transformationID": "urn:t:1" }),
        ),
        amount(json!(12)),
        thing("urn:example:own:1"),
        thing("https://id.gs1.org/01/06901234567892/21/1"),
    ];
    let taken = capture(&app, "enterprise", &document(&sound), "rollback").await;
    assert_eq!(job(&app, "enterprise", &taken).await["captured"], 6);
}

#[tokio::test]
async fn g_8_2_words_of_earlier_editions_are_taken() {
    let app = TestApp::start().await;
    let xml = "<e:EPCISDocument xmlns:e=\"urn:epcglobal:epcis:xsd:1\" schemaVersion=\"1.2\" \
        creationDate=\"2026-11-10T08:00:00Z\"><EPCISBody><EventList><ObjectEvent>\
        <eventTime>2026-11-10T08:00:00+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>\
        <epcList><epc>urn:epc:id:sgtin:4012345.011111.A1</epc></epcList><action>OBSERVE</action>\
        <disposition>urn:epcglobal:cbv:disp:non_sellable_expired</disposition>\
        </ObjectEvent></EventList></EPCISBody></e:EPCISDocument>";
    let headers = [("content-type", "application/xml")];
    let taken =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, Some(xml.into())).await;
    assert_eq!(job(&app, "enterprise", &taken).await["captured"], 1);
    let word = "urn:epcglobal:cbv:disp:non_sellable_expired";
    let found = query(&app, "enterprise", &format!("EQ_disposition={word}")).await;
    assert_eq!(found[0]["disposition"], word);
    let report = json!([{ "sensorReport": [{ "type": "gs1:MT-Temperature", "value": 26.0, "uom": "CEL" }] }]);
    let sent = document(&[with("sensorElementList", report)]);
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    let found = query(&app, "enterprise", "EQ_type=https://ref.gs1.org/voc/MT-Temperature").await;
    assert_eq!(found.len(), 1);
    let unknown = document(&[with("disposition", json!("urn:epcglobal:cbv:disp:flying"))]);
    assert_eq!(capture(&app, "enterprise", &unknown, "rollback").await.status, 400);
}

#[tokio::test]
async fn g_8_2_identifiers_and_versions_are_as_the_headers_say() {
    let app = TestApp::start().await;
    let mut event = json!({
        "type": "TransformationEvent", "eventID": "urn:example:t", "eventTimeZoneOffset": "+08:00",
        "eventTime": "2026-11-10T08:00:00+08:00",
        "inputEPCList": ["https://id.gs1.org/01/06901234567892/21/1"],
        "outputQuantityList": [{ "epcClass": "https://example.com/01/04012345111118/10/L1", "quantity": 1 }],
        "transformationID": "urn:epc:id:gdti:4012345.00009.T1",
        "bizTransactionList": [{ "bizTransaction": "urn:epc:id:gdti:4012345.00009.PO-1" }],
        "sensorElementList": [{ "sensorMetadata": { "deviceID": "urn:epc:id:giai:4012345.7" },
            "sensorReport": [{ "type": "Temperature", "value": 4, "uom": "CEL" }] }],
    });
    capture(&app, "enterprise", &document(&[event.clone()]), "rollback").await.expect(202);
    let path = "/epcis/v2/events";
    let link = asked(&app, path, &[("gs1-epc-format", "Always_GS1_Digital_Link")]).await;
    assert_eq!(link.headers["gs1-epc-format"], "Always_GS1_Digital_Link");
    let found = &events(&link.body)[0];
    assert_eq!(found["transformationID"], "https://id.gs1.org/253/4012345000092T1");
    assert_eq!(
        found["bizTransactionList"][0]["bizTransaction"],
        "https://id.gs1.org/253/4012345000092PO-1"
    );
    assert_eq!(
        found["sensorElementList"][0]["sensorMetadata"]["deviceID"],
        "https://id.gs1.org/8004/40123457"
    );
    // A Chinese prefix by its rule, another because a URN of the same subject has named it.
    let urn = asked(&app, path, &[("gs1-epc-format", "Always_EPC_URN")]).await;
    assert_eq!(urn.headers["gs1-epc-format"], "Always_EPC_URN");
    let found = &events(&urn.body)[0];
    assert_eq!(found["inputEPCList"][0], "urn:epc:id:sgtin:6901234.056789.1");
    assert_eq!(found["outputQuantityList"][0]["epcClass"], "urn:epc:class:lgtin:4012345.011111.L1");
    event["eventID"] = json!("urn:example:u");
    event["outputQuantityList"][0]["epcClass"] = json!("https://id.gs1.org/01/09506000134352");
    capture(&app, "enterprise", &document(&[event]), "rollback").await.expect(202);
    let urn = asked(&app, path, &[("gs1-epc-format", "Always_EPC_URN")]).await;
    assert_eq!(urn.headers["gs1-epc-format"], "No_Preference", "nobody knows its length");
    // A transformation is found by either spelling of its name.
    for id in ["urn:epc:id:gdti:4012345.00009.T1", "https://example.com/253/4012345000092T1"] {
        assert_eq!(query(&app, "enterprise", &format!("EQ_transformationID={id}")).await.len(), 2);
    }
    for (headers, version) in [
        (vec![XML], "2.0"),
        (vec![XML, ("gs1-epcis-max", "1.2")], "1.2"),
        (vec![XML, ("gs1-epcis-version", "1.2")], "1.2"),
        (vec![("gs1-epcis-version", "1.2")], "1.2"),
    ] {
        let answer = asked(&app, path, &headers).await;
        assert_eq!(answer.headers["gs1-epcis-version"], version, "{headers:?}");
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(text.contains(&format!("schemaVersion=\"{version}\"")), "{headers:?} {text}");
    }
    for wrong in [
        vec![("gs1-epcis-version", "1.1")],
        vec![("gs1-epcis-min", "2.0"), ("gs1-epcis-max", "1.2")],
        vec![("accept", "application/json"), ("gs1-epcis-max", "1.2")],
    ] {
        let refused = asked(&app, path, &wrong).await.expect(406);
        assert_eq!(
            (&refused["type"], &refused["code"], &refused["title"]),
            (
                &json!("epcisException:NotAcceptableException"),
                &json!("not-acceptable"),
                &json!("没有所要的形式")
            )
        );
    }
    for path in ["/epcis/v2/events?perPage=1001", "/epcis/v2/epcs?perPage=99999999"] {
        assert_eq!(
            asked(&app, path, &[]).await.status,
            200,
            "a page is no larger than the largest"
        );
    }
    let unknown = asked(&app, "/epcis/v2/queries/none", &[]).await.expect(404);
    assert_eq!((&unknown["code"], &unknown["title"]), (&json!("not-found"), &json!("不存在")));
    let sent = document(&[json!({
        "type": "ex:OwnEvent", "eventTime": "2026-11-10T08:00:00Z", "eventTimeZoneOffset": "+08:00",
    })]);
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    let declared = [("gs1-extensions", "ex=https://example.com/ns/")];
    let own = asked(&app, "/epcis/v2/eventTypes/ex:OwnEvent/events", &declared).await.expect(200);
    assert_eq!(events(&own).len(), 1);
    assert_eq!(asked(&app, "/epcis/v2/eventTypes/ex:OwnEvent", &[]).await.status, 404);
}

#[tokio::test]
async fn g_8_2_one_event_comes_alone_in_either_form() {
    let app = TestApp::start().await;
    let times = "<eventTime>2026-11-10T08:00:00+08:00</eventTime>\
        <eventTimeZoneOffset>+08:00</eventTimeZoneOffset><eventID>urn:example:alone</eventID>";
    let event = format!(
        "<?xml version='1.0'?><!DOCTYPE ObjectEvent><e:ObjectEvent \
         xmlns:e='urn:epcglobal:epcis:xsd:2' xmlns:own='https://own.example/'>{times}<epcList><epc>\
         urn:example:thing:9</epc></epcList><action>OBSERVE</action><own:note>甲</own:note>\
         </e:ObjectEvent>"
    );
    let xml = [("content-type", "application/xml")];
    let sent = |text: String| Some(text.into_bytes());
    let made =
        app.send("POST", "/epcis/v2/events", Some("enterprise"), &xml, sent(event.clone())).await;
    assert_eq!((made.status, &made.body["eventID"]), (201, &json!("urn:example:alone")));
    assert_eq!(made.body["own:note"], "甲", "{}", made.body);
    let again =
        app.send("POST", "/epcis/v2/events", Some("enterprise"), &xml, sent(event.clone())).await;
    assert_eq!(again.status, 201, "known");
    // The answer has the form that was asked for; nothing is kept where there is no such form.
    for (accept, wanted) in [
        ("*/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/xml", "application/xml"),
        ("text/html", "application/problem+json"),
    ] {
        let own = event.replace("urn:example:alone", &format!("urn:example:{}", accept.len()));
        let headers = [xml[0], ("accept", accept)];
        let answer =
            app.send("POST", "/epcis/v2/events", Some("enterprise"), &headers, sent(own)).await;
        assert_eq!(answer.headers["content-type"], wanted);
        assert_eq!(answer.status, if accept == "text/html" { 406 } else { 201 });
    }
    // What a document type could bring in stays out.
    let with_entity = event.replace("ObjectEvent>", "ObjectEvent [<!ENTITY a 'b'>]>");
    for refused in [with_entity, event.replace("<action>OBSERVE</action>", "")] {
        let answer =
            app.send("POST", "/epcis/v2/events", Some("enterprise"), &xml, sent(refused)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
}

/// A document in XML 2.0 with one object event that has these fields more.
fn in_xml(id: &str, fields: &str) -> Vec<u8> {
    let text = format!(
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2' xmlns:x='https://x.example/' \
         schemaVersion='2.0' creationDate='2026-11-10T08:00:00Z'><EPCISBody><EventList><ObjectEvent>\
         <eventTime>2026-11-10T08:00:00+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>\
         <eventID>{id}</eventID><epcList><epc>urn:example:thing</epc></epcList><action>OBSERVE</action>\
         {fields}</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"
    );
    text.into_bytes()
}

#[tokio::test]
async fn g_8_2_xml_is_held_against_the_schemas() {
    let app = TestApp::start().await;
    let headers = [("content-type", "application/xml")];
    let send = async |id: &str, fields: &str| {
        let bytes = Some(in_xml(id, fields));
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, bytes).await
    };
    for (fields, words) in [
        (
            "<disposition>urn:a:b</disposition><bizStep>urn:a:b</bizStep>",
            "bizStep 应在 disposition 之前",
        ),
        ("<x:own>1</x:own><bizStep>urn:a:b</bizStep>", "bizStep 应在扩展元素 x:own 之前"),
        (
            "<sensorElementList><sensorElement><sensorReport type='gs1:Mass' \
             time='2016-12-31T23:59:60Z'/></sensorElement></sensorElementList>",
            "秒为 00 至 59",
        ),
    ] {
        let answer = send("urn:example:wrong", fields).await;
        assert_eq!(answer.status, 400, "{fields}");
        assert!(answer.body.to_string().contains(words), "{}", answer.body);
    }
    // Without `type`, as GS1's own example of exceptions has it; and a field of a later version.
    let report = "<sensorElementList><sensorElement><sensorReport exception='gs1:ALARM_CONDITION' \
        booleanValue='true'/></sensorElement></sensorElementList>";
    let later = "<extension><later>7</later></extension>";
    for (id, fields) in [("urn:example:alarm", report), ("urn:example:later", later)] {
        let taken = send(id, fields).await;
        assert_eq!(job(&app, "enterprise", &taken).await["captured"], 1, "{}", taken.body);
    }
    for (asked, id) in [
        ("EQ_exception=ALARM_CONDITION", "urn:example:alarm"),
        ("EQ_epcis:later=7", "urn:example:later"),
    ] {
        let found = query(&app, "enterprise", asked).await;
        assert_eq!(found.len(), 1, "{asked}");
        assert_eq!(found[0]["eventID"], id);
    }
    let all = query(&app, "enterprise", "EQ_type=Mass").await;
    assert_eq!(all.len(), 0, "what says nothing of what was measured is of no kind");
    let answer = asked(&app, "/epcis/v2/events", &[XML]).await;
    let again =
        app.send("POST", "/epcis/v2/capture", Some("farm"), &headers, Some(answer.bytes)).await;
    assert_eq!(job(&app, "farm", &again).await["refused"], 0, "{}", again.body);
}
