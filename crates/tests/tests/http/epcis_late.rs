//! G-5.4.4: what EPCIS events tell does not depend on the order in which they come.

use serde_json::{Value, json};

use crate::{
    capturing::{captured, held},
    chain_law::chain,
    epcis::{capture, document, job},
    harness::{TestApp, harvest},
};

fn class(code: &str) -> String {
    format!("urn:example:{code}")
}

fn grown(subject: &Value, code: &str) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:made:{code}"), "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "quantityList": [{ "epcClass": class(code), "quantity": 100, "uom": "KGM" }],
        "yj:subject": subject["code"], "yj:domain": "agri", "yj:type": "harvest",
        "yj:plot": "示例地块", "yj:area_mu": "5", "yj:variety": "示例品种", "yj:sown_on": "2026-08-01",
    })
}

fn made(subject: &Value, (from, quantity): (&str, i64), to: &str, day: usize) -> Value {
    json!({
        "type": "TransformationEvent", "eventID": format!("urn:example:made:{to}"),
        "eventTime": format!("2026-11-{day}T08:00:00+08:00"), "eventTimeZoneOffset": "+08:00",
        "inputQuantityList": [{ "epcClass": class(from), "quantity": quantity, "uom": "KGM" }],
        "outputQuantityList": [{ "epcClass": class(to), "quantity": quantity, "uom": "KGM" }],
        "yj:subject": subject["code"], "yj:domain": "agri", "yj:type": "processing",
    })
}

async fn sent(app: &TestApp, events: &[Value]) -> Value {
    let taken = capture(app, "gateway", &document(events), "proceed").await;
    job(app, "gateway", &taken).await
}

async fn codes(app: &TestApp, code: &str) -> Vec<String> {
    let chain = chain(app, "supervisor", &class(code), "downstream").await;
    let objects = chain["objects"].as_array().unwrap().iter();
    let codes = objects.map(|one| String::from(one["code"].as_str().unwrap()));
    codes.map(|code| code.replace("urn:example:", "")).collect()
}

#[tokio::test]
async fn g_5_4_4_a_document_need_not_tell_what_happened_first_before_what_came_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let events = [
        made(&farm, ("ORDER-B", 60), "ORDER-C", 12),
        made(&farm, ("ORDER-A", 60), "ORDER-B", 11),
        grown(&farm, "ORDER-A"),
    ];
    let done = sent(&app, &events).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(3), &json!([])), "{done}");
    assert_eq!(codes(&app, "ORDER-A").await, ["ORDER-A", "ORDER-B", "ORDER-C"]);
}

#[tokio::test]
async fn g_5_4_4_an_event_that_came_before_its_origin_is_told_when_that_comes() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for event in [
        made(&farm, ("LATE-B", 60), "LATE-C", 12),
        made(&farm, ("LATE-A", 60), "LATE-B", 11),
        // More than there will be.
        made(&farm, ("LATE-A", 50), "LATE-D", 13),
    ] {
        let done = sent(&app, &[event]).await;
        assert_eq!((&done["captured"], &done["told"]), (&json!(1), &json!(0)), "{done}");
        assert_eq!(done["untold"][0]["reason"], "awaits_origin", "{done}");
    }
    let done = sent(&app, &[grown(&farm, "LATE-A")]).await;
    assert_eq!((&done["captured"], &done["told"]), (&json!(1), &json!(1)), "{done}");
    assert_eq!(codes(&app, "LATE-A").await, ["LATE-A", "LATE-B", "LATE-C"]);
    assert_eq!(held(&app, &class("LATE-A")).await, "40");
    // Nothing is told twice, whatever else comes.
    let done = sent(&app, &[made(&farm, ("LATE-A", 10), "LATE-E", 14)]).await;
    assert_eq!(done["told"], 1, "{done}");
    assert_eq!(held(&app, &class("LATE-A")).await, "30");
}

#[tokio::test]
async fn g_5_4_4_an_event_that_could_not_be_told_is_told_when_it_is_sent_again() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let event = made(&farm, ("AGAIN-A", 60), "AGAIN-B", 11);
    let done = sent(&app, std::slice::from_ref(&event)).await;
    assert_eq!(done["told"], 0, "{done}");
    // What it takes comes by another door.
    captured(&app, harvest(&farm, &class("AGAIN-A"))).await;
    let done = sent(&app, std::slice::from_ref(&event)).await;
    assert_eq!((&done["duplicates"], &done["told"]), (&json!(1), &json!(1)), "{done}");
    let done = sent(&app, &[event]).await;
    assert_eq!((&done["duplicates"], &done["told"]), (&json!(1), &json!(0)), "{done}");
    assert_eq!(held(&app, &class("AGAIN-A")).await, "40");
    assert_eq!(codes(&app, "AGAIN-A").await, ["AGAIN-A", "AGAIN-B"]);
}
