//! G-8-2: numbers with and without units in questions (EPCIS 2.0 §8.2.7.1), and XML as its own rules
//! have it.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, events, observed},
    harness::{Answer, TestApp},
};

async fn ask(app: &TestApp, text: &str) -> Answer {
    app.send("GET", &format!("/epcis/v2/{text}"), Some("enterprise"), &[], None).await
}

/// The last letters of the names of what is found, in the order of the alphabet.
fn letters(answer: &Answer, about: &str) -> String {
    assert_eq!(answer.status, 200, "{about}: {}", answer.body);
    let name = |event: &Value| event["eventID"].as_str().unwrap().chars().last().unwrap();
    let mut found: Vec<char> = events(&answer.body).iter().map(name).collect();
    found.sort_unstable();
    found.into_iter().collect()
}

/// `A` and `B` are amounts, `C` and `D` readings.
fn told() -> Value {
    let event = |letter: &str, rest: Value| {
        let mut event =
            observed(&format!("urn:example:{letter}"), "urn:epc:id:sgtin:4012345.011111.1");
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    let class = "urn:epc:class:lgtin:4012345.011111.L1";
    let amount = |uom: Value| {
        let mut item = json!({ "epcClass": class, "quantity": 10 });
        item.as_object_mut().unwrap().extend(uom.as_object().unwrap().clone());
        json!({ "quantityList": [item] })
    };
    let reading = |report: Value| json!({ "sensorElementList": [{ "sensorReport": [report] }] });
    document(&[
        event("A", amount(json!({ "uom": "KGM" }))),
        event("B", amount(json!({}))),
        event(
            "C",
            reading(json!({
                "type": "Temperature", "value": 20, "meanValue": 19.5, "sDev": 0.5,
                "percValue": 12.5, "percRank": 50, "uom": "CEL",
            })),
        ),
        event("D", reading(json!({ "type": "Speed", "value": 36, "uom": "KMH" }))),
    ])
}

#[tokio::test]
async fn g_8_2_a_number_without_a_unit_is_compared_as_it_was_written() {
    let app = TestApp::start().await;
    capture(&app, "enterprise", &told(), "rollback").await.expect(202);
    for (text, wanted) in [
        ("EQ_quantity=10", "AB"),
        ("EQ_quantity=9|10.0", "AB"),
        ("GE_quantity=10", "AB"),
        ("GT_quantity=10", ""),
        ("LE_quantity=10", "AB"),
        ("LT_quantity=10", ""),
        ("GE_quantity=1&LT_quantity=500", "AB"),
        ("EQ_quantity_KGM=10", "A"),
        ("EQ_quantity_GRM=10000", "A"),
        ("EQ_quantity=10000", ""),
        ("GE_value=20", "CD"),
        ("EQ_value=20", "C"),
        ("LT_sDev=1", "C"),
        ("GE_percValue=12", "C"),
        ("EQ_meanValue=19.5", "C"),
        ("EQ_percRank=50", "C"),
        ("EQ_value_FAH=68", "C"),
        ("EQ_value_MTS=10", "D"),
        ("LE_value_KNT=19.5", "D"),
        ("EXISTS_sensorElement", "CD"),
        ("EXISTS_sensorElement=true", "CD"),
        ("EXISTS_sensorElement=false", "ABCD"),
        ("EXISTS_errorDeclaration=false", "ABCD"),
        ("EXISTS_errorDeclaration=true", ""),
        ("MATCH_anyEPC=urn:epc:idpat:sgtin:4012345.*.*", "ABCD"),
    ] {
        assert_eq!(letters(&ask(&app, &format!("events?{text}")).await, text), wanted, "{text}");
    }
    for wrong in [
        "EQ_time=2026-11-10T00:00:00Z",
        "EXISTS_sensorElement=no",
        "EXISTS_colour=false",
        "MATCH_epc=urn:epc:idpat:sgtin:*.*.A-1",
        "MATCH_anyEPC=urn:epc:idpat:foo:*",
        "MATCH_epcClass=urn:epc:idpat:sgtin:4012345.*",
    ] {
        let refused = ask(&app, &format!("events?{wrong}")).await.expect(400);
        assert_eq!(refused["type"], "epcisException:QueryParameterException", "{wrong}");
    }
    let query = json!({ "eventType": ["ObjectEvent"], "GE_quantity": 1, "LT_quantity": 500, "EXISTS_sensorElementList": false });
    let named = json!({ "name": "一至五百", "query": query });
    app.post("enterprise", "/epcis/v2/queries", named).await.expect(201);
    let path = "queries/%E4%B8%80%E8%87%B3%E4%BA%94%E7%99%BE/events";
    assert_eq!(letters(&ask(&app, path).await, path), "AB");
}

/// A document in XML around one event with this extension.
fn written(letter: &str, extension: &str) -> String {
    format!(
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2' xmlns:x='https://x.example/' \
         schemaVersion='2.0' creationDate='2026-11-10T08:00:00Z'><EPCISBody><EventList><ObjectEvent>\
         <eventTime>2026-11-10T08:00:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>\
         <eventID>urn:example:{letter}</eventID><epcList><epc>urn:example:thing</epc></epcList>\
         <action>OBSERVE</action>{extension}</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"
    )
}

async fn send(app: &TestApp, xml: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/xml")];
    app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, Some(xml)).await
}

#[tokio::test]
async fn g_8_2_xml_is_taken_as_its_own_rules_have_it() {
    let app = TestApp::start().await;
    let own =
        "<x:a xml:lang='zh' xml:space='preserve' xml:base='https://b.example/' b='1\n2'>源</x:a>";
    send(&app, written("A", own).into_bytes()).await.expect(202);
    let found = ask(&app, "events/urn:example:A").await;
    let event = &events(&found.body)[0];
    let wanted = json!({
        "@xml:lang": "zh", "@xml:space": "preserve", "@xml:base": "https://b.example/",
        "@b": "1 2", "#text": "源",
    });
    assert_eq!(event["x:a"], wanted, "{event}");
    let mut sent = found.body.clone();
    let list = &mut sent["epcisBody"]["queryResults"]["resultsBody"]["eventList"];
    list[0]["eventID"] = json!("urn:example:B");
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    for (version, letter) in [("1.2", 'A'), ("2.0", 'A'), ("2.0", 'B')] {
        let headers = [("accept", "application/xml"), ("gs1-epcis-max", version)];
        let path = format!("/epcis/v2/events/urn:example:{letter}");
        let answer = app.send("GET", &path, Some("enterprise"), &headers, None).await;
        let text = String::from_utf8(answer.bytes.clone()).unwrap();
        assert!(text.contains(" xml:lang=\"zh\"") && !text.contains("xmlns:xml"), "{text}");
        send(&app, answer.bytes).await.expect(202);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 2, "they are the same events");
    let text = format!("\u{feff}<?xml version='1.0' encoding='UTF-16'?>{}", written("C", ""));
    send(&app, text.encode_utf16().flat_map(u16::to_le_bytes).collect()).await.expect(202);
    assert_eq!(letters(&ask(&app, "events?EQ_eventID=urn:example:C").await, "UTF-16"), "C");
    for wrong in [
        "<x:a b='<'/>",
        "<!-- a -- b -->",
        "<x:a>]]></x:a>",
        "<?xml version='1.0'?>",
        "<x:a xmlns:y='https://x.example/' x:b='1' y:b='2'/>",
    ] {
        let refused = send(&app, written("D", wrong).into_bytes()).await.expect(400);
        assert_eq!(refused["type"], "epcisException:ValidationException", "{wrong}");
    }
    let text = format!("<?xml version='1.0' encoding='GBK'?>{}", written("D", ""));
    let refused = send(&app, text.into_bytes()).await.expect(400);
    assert!(refused.to_string().contains("请以 UTF-8 发送"), "{refused}");
}
