//! G-8-2: values mean what their prefixes say, times are as fine as they were sent, and what earlier
//! editions and other ways of writing have is understood.

use serde_json::{Value, json};

use crate::{
    epcis::{CONTEXT, capture, document, events, job, observed, query},
    harness::TestApp,
};

const XML: (&str, &str) = ("content-type", "application/xml");

async fn names(app: &TestApp, condition: &str) -> Vec<String> {
    let found = query(app, "enterprise", condition).await;
    let name = |event: &Value| {
        String::from(event["eventID"].as_str().unwrap().trim_start_matches("urn:example:"))
    };
    found.iter().map(name).collect()
}

async fn count(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM epcis_event").await
}

/// A document whose only event has no name and a step of this prefix, which stands for this.
fn stepped(prefix: &str, namespace: &str) -> Value {
    let mut event = observed("", "urn:epc:id:sgtin:4012345.011111.A1");
    event.as_object_mut().unwrap().remove("eventID");
    event["bizStep"] = json!(format!("{prefix}:step"));
    event["readPoint"] = json!({ "id": format!("{prefix}:door") });
    let mut sent = document(&[event]);
    sent["@context"] = json!([CONTEXT, { prefix: namespace }]);
    sent
}

async fn xml_of(app: &TestApp, condition: &str) -> String {
    let headers = [("accept", "application/xml")];
    let path = format!("/epcis/v2/events?{condition}");
    let answer = app.send("GET", &path, Some("enterprise"), &headers, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    String::from_utf8(answer.bytes).unwrap()
}

#[tokio::test]
async fn g_8_2_events_that_differ_in_what_a_prefix_means_are_two() {
    let app = TestApp::start().await;
    let (one, two) = (stepped("ex", "https://one.example/"), stepped("ex", "https://two.example/"));
    for (sent, captured, duplicates) in [(&one, 1, 0), (&two, 1, 0), (&one, 0, 1), (&two, 0, 1)] {
        let done =
            job(&app, "enterprise", &capture(&app, "enterprise", sent, "rollback").await).await;
        let found = (&done["captured"], &done["duplicates"]);
        assert_eq!(found, (&json!(captured), &json!(duplicates)), "{done}");
    }
    assert_eq!(count(&app).await, 2);
    // In one document, too.
    let both: Vec<Value> = ["https://three.example/", "https://four.example/"]
        .iter()
        .map(|namespace| {
            let mut event = stepped("ex", namespace)["epcisBody"]["eventList"][0].clone();
            event["@context"] = json!({ "ex": namespace });
            event["action"] = json!("ADD");
            event
        })
        .collect();
    capture(&app, "enterprise", &document(&both), "rollback").await.expect(202);
    assert_eq!(count(&app).await, 4);
    for host in ["one", "two", "three", "four"] {
        let condition = format!("EQ_bizStep=https://{host}.example/step");
        let found = query(&app, "enterprise", &condition).await;
        assert_eq!(found.len(), 1, "{host}");
        let text = xml_of(&app, &condition).await;
        assert!(
            text.contains(&format!("<bizStep>https://{host}.example/step</bizStep>")),
            "{text}"
        );
        assert!(text.contains(&format!("<id>https://{host}.example/door</id>")), "{text}");
        // What went out in full is the same event when it comes back.
        let again = app
            .send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(text.into()))
            .await;
        assert_eq!(job(&app, "enterprise", &again).await["duplicates"], 1);
    }
    assert_eq!(count(&app).await, 4);
}

#[tokio::test]
async fn g_8_2_a_prefix_of_ones_own_for_gs1_means_gs1() {
    let app = TestApp::start().await;
    let event = |id: &str, prefix: &str, about: &str| {
        format!(
            "<ObjectEvent{about}><eventTime>2026-11-10T08:00:00Z</eventTime>\
             <eventTimeZoneOffset>+00:00</eventTimeZoneOffset><eventID>urn:example:{id}</eventID>\
             <epcList><epc>urn:example:thing</epc></epcList><action>OBSERVE</action>\
             <bizStep>c:BizStep-shipping</bizStep><sensorElementList><sensorElement>\
             <sensorReport type=\"{prefix}:Temperature\" value=\"4\" uom=\"CEL\"/></sensorElement>\
             </sensorElementList></ObjectEvent>"
        )
    };
    let sent = format!(
        "<e:EPCISDocument xmlns:e=\"urn:epcglobal:epcis:xsd:2\" xmlns:g=\"https://ref.gs1.org/voc/\" \
         xmlns:c=\"https://ref.gs1.org/cbv/\" schemaVersion=\"2.0\" \
         creationDate=\"2026-11-10T08:00:00Z\"><EPCISBody><EventList>{}{}</EventList></EPCISBody>\
         </e:EPCISDocument>",
        event("root", "g", ""),
        event("inner", "h", " xmlns:h=\"https://ref.gs1.org/voc/\""),
    );
    let answer =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(sent.into())).await;
    assert_eq!(job(&app, "enterprise", &answer).await["captured"], 2);
    let both = ["root", "inner"];
    for condition in ["EQ_type=Temperature", "EQ_type=gs1:Temperature", "EQ_bizStep=shipping"] {
        assert_eq!(names(&app, condition).await, both, "{condition}");
    }
    let listed = app.get("enterprise", "/epcis/v2/bizSteps?perPage=1000").await.expect(200);
    assert!(!listed.to_string().contains("c:BizStep"), "{listed}");
    let text = xml_of(&app, "EQ_type=Temperature").await;
    assert_eq!(
        text.matches("<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>").count(),
        2,
        "{text}"
    );
    let again =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(text.into())).await;
    assert_eq!(job(&app, "enterprise", &again).await["duplicates"], 2);
}

#[tokio::test]
async fn g_8_2_an_extension_of_a_urn_does_not_change_what_urns_mean() {
    let app = TestApp::start().await;
    let mut event = observed("urn:example:1", "urn:epc:id:sgtin:4012345.011111.A1");
    event["urn:long:ns:note"] = json!("x");
    capture(&app, "enterprise", &document(&[event]), "rollback").await.expect(202);
    let text = xml_of(&app, "").await.replace("urn:example:1", "urn:example:2");
    assert!(!text.contains("xmlns:urn="), "{text}");
    // And whoever sends such a prefix means it of names alone.
    let sent = text.replace("xmlns:ns1=", "xmlns:urn=").replace("ns1:note", "urn:note");
    let answer =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(sent.into())).await;
    assert_eq!(job(&app, "enterprise", &answer).await["captured"], 1);
    let condition = "MATCH_epc=urn:epc:id:sgtin:4012345.011111.A1&EQ_urn:long:ns:note=x";
    assert_eq!(names(&app, condition).await, ["1", "2"]);
}

#[tokio::test]
async fn g_8_2_times_are_as_fine_as_they_were_sent() {
    let app = TestApp::start().await;
    let times = [
        "2026-11-10T08:00:00.1234Z",
        "2026-11-10T08:00:00.123456Z",
        "2026-11-10T08:00:00.1239Z",
        "2026-11-10T16:00:00.124+08:00",
    ];
    let sent: Vec<Value> = times
        .iter()
        .enumerate()
        .rev()
        .map(|(number, time)| {
            let mut event = observed(&format!("urn:example:{number}"), "urn:example:thing");
            event["eventTime"] = json!(time);
            event["ex:at"] = json!(time);
            event
        })
        .collect();
    capture(&app, "enterprise", &document(&sent), "rollback").await.expect(202);
    let told = query(&app, "enterprise", "orderBy=eventTime&orderDirection=ASC").await;
    let told: Vec<&str> = told.iter().map(|event| event["eventTime"].as_str().unwrap()).collect();
    assert_eq!(told, times);
    let last = query(&app, "enterprise", "orderBy=eventTime&orderDirection=DESC").await;
    assert_eq!(last.iter().rev().map(|event| &event["eventTime"]).collect::<Vec<_>>(), times);
    for (condition, wanted) in [
        ("GE_eventTime=2026-11-10T08:00:00.123450Z", vec!["1", "2", "3"]),
        ("LT_eventTime=2026-11-10T08:00:00.123450Z", vec!["0"]),
        ("GE_eventTime=2026-11-10T08:00:00.1239Z", vec!["2", "3"]),
        ("LT_eventTime=2026-11-10T08:00:00.124Z", vec!["0", "1", "2"]),
        ("GE_eventTime=2026-11-10T08:00:00.124Z", vec!["3"]),
        (
            "GE_eventTime=2026-11-10T08:00:00.1234Z&LT_eventTime=2026-11-10T08:00:00.12341Z",
            vec!["0"],
        ),
        ("GT_ex:at=2026-11-10T08:00:00.1234Z&LE_ex:at=2026-11-10T08:00:00.1239Z", vec!["1", "2"]),
    ] {
        let headers = [("gs1-extensions", "ex=https://example.com/ns/")];
        let path = format!("/epcis/v2/events?{condition}");
        let answer = app.send("GET", &path, Some("enterprise"), &headers, None).await.expect(200);
        let mut found: Vec<&str> = events(&answer)
            .iter()
            .map(|event| event["eventID"].as_str().unwrap().trim_start_matches("urn:example:"))
            .collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "{condition}");
    }
}

#[tokio::test]
async fn g_8_2_the_end_of_a_day_and_former_kinds_are_understood() {
    let app = TestApp::start().await;
    let sent = "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:1' schemaVersion='1.2' \
        creationDate='2026-11-10T24:00:00Z'><EPCISBody><EventList><QuantityEvent>\
        <eventTime>2026-10-31T24:00:00.000+08:00</eventTime>\
        <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>\
        <epcClass>urn:epc:idpat:sgtin:4012345.011111.*</epcClass><quantity>10</quantity>\
        </QuantityEvent></EventList></EPCISBody></e:EPCISDocument>";
    let answer =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[XML], Some(sent.into())).await;
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!(done["captured"], 1, "{done}");
    let found = query(&app, "enterprise", "GE_eventTime=2026-11-01T00:00:00%2B08:00").await;
    assert_eq!(found[0]["eventTime"], "2026-11-01T00:00:00+08:00");
    let end = "GE_eventTime=2026-10-31T24:00:00%2B08:00&LT_eventTime=2026-11-01T24:00:00Z";
    assert_eq!(query(&app, "enterprise", end).await.len(), 1);
    assert!(query(&app, "enterprise", "eventType=QuantityEvent").await.is_empty());
    assert_eq!(query(&app, "enterprise", "eventType=QuantityEvent|ObjectEvent").await.len(), 1);
    // JSON knows no such hour.
    let mut event = observed("urn:example:1", "urn:example:thing");
    event["eventTime"] = json!("2026-11-10T24:00:00Z");
    assert_eq!(capture(&app, "enterprise", &document(&[event]), "rollback").await.status, 400);
}

#[tokio::test]
async fn g_8_2_a_list_of_json_ld_is_a_list() {
    let app = TestApp::start().await;
    let mut event = observed("urn:example:1", "urn:example:thing");
    event["ex:route"] = json!({ "@list": ["north", { "@value": "south" }, 7] });
    capture(&app, "enterprise", &document(&[event.clone()]), "rollback").await.expect(202);
    for (condition, wanted) in [
        ("EQ_ex:route=north", 1),
        ("EQ_ex:route=south", 1),
        ("GE_ex:route=7", 1),
        ("EXISTS_ex:route", 1),
        ("EQ_ex:route=west", 0),
    ] {
        let headers = [("gs1-extensions", "ex=https://example.com/ns/")];
        let path = format!("/epcis/v2/events?{condition}");
        let answer = app.send("GET", &path, Some("enterprise"), &headers, None).await.expect(200);
        assert_eq!(events(&answer).len(), wanted, "{condition}");
    }
    assert_eq!(query(&app, "enterprise", "").await[0]["ex:route"], event["ex:route"]);
    assert!(xml_of(&app, "").await.contains("south"));
}

#[tokio::test]
async fn g_8_2_members_of_a_document_have_no_order() {
    let app = TestApp::start().await;
    for (name, count) in [("few", 2_usize), ("many", 600)] {
        let list: Vec<Value> = (0..count)
            .map(|number| {
                let mut event =
                    observed(&format!("urn:example:{name}:{number}"), "urn:example:thing");
                event["ex:note"] = json!(name);
                event
            })
            .collect();
        let events = Value::from(list).to_string();
        let sent = format!(
            r#"{{"epcisBody":{{"eventList":{events}}},"creationDate":"2026-11-10T08:00:00Z",
            "schemaVersion":"2.0","type":"EPCISDocument","@context":["{CONTEXT}",
            {{"ex":"https://example.com/ns/"}}]}}"#
        );
        let answer =
            app.send("POST", "/epcis/v2/capture", Some("enterprise"), &[], Some(sent.into())).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        app.run_jobs().await;
        let done = job(&app, "enterprise", &answer).await;
        assert_eq!(done["captured"], count, "{done}");
        let found =
            query(&app, "enterprise", &format!("EQ_https://example.com/ns/note={name}")).await;
        assert_eq!(found.len(), count.min(30));
    }
}
