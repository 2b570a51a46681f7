//! G-5.4.4, G-6.4.1: a lot is one unit, whether it is called by the code it was registered under or by
//! GTIN and lot number.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, held, processing},
    epcis::{capture as capture_epcis, document, job},
    exports::file_of,
    harness::{TestApp, encoded, harvest},
};

const BY_LOT: &str = "urn:epc:class:lgtin:6901234.056789.L-7";
const BY_LINK: &str = "https://id.gs1.org/01/06901234567892/10/L-7";
const BY_ELEMENTS: &str = "(01)06901234567892(10)L-7";

/// A harvest of lot L-7 of 示例韭菜, which has a GTIN, under a code of its own.
fn own(subject: &Value, code: &str) -> Value {
    let mut event = harvest(subject, code);
    event["outputs"][0]["lot"] = json!("L-7");
    event
}

/// Makes `to` out of a lot, in the words of EPCIS.
fn packed(subject: &Value, (from, quantity): (&str, i64), to: &str) -> Value {
    json!({
        "type": "TransformationEvent", "eventID": format!("urn:example:{to}"),
        "eventTime": "2026-11-11T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "inputQuantityList": [{ "epcClass": from, "quantity": quantity, "uom": "KGM" }],
        "outputQuantityList": [{ "epcClass": format!("urn:example:{to}"), "quantity": quantity, "uom": "KGM" }],
        "yj:subject": subject["code"], "yj:domain": "agri", "yj:type": "processing",
    })
}

async fn sent(app: &TestApp, event: Value) -> Value {
    let taken = capture_epcis(app, "gateway", &document(&[event]), "rollback").await;
    job(app, "gateway", &taken).await
}

async fn chain(app: &TestApp, code: &str) -> Value {
    let path = format!("/api/v1/trace/chain?code={}", encoded(code));
    app.get("supervisor", &path).await.expect(200)
}

#[tokio::test]
async fn g_5_4_4_a_lot_is_one_unit_by_its_code_and_by_its_gtin_and_number() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, own(&farm, "OWN-LOT-7")).await;
    let done = sent(&app, packed(&farm, (BY_LOT, 60), "PACKED-1")).await;
    assert_eq!(done["told"], 1, "{done}");
    assert_eq!(held(&app, "OWN-LOT-7").await, "40");
    // The event tells of the unit; what came as EPCIS stays as it came.
    let path = "/api/v1/trace/events?code=urn:example:PACKED-1";
    let told = app.get("supervisor", path).await.expect(200)["items"][0].clone();
    assert_eq!(told["inputs"][0]["code"], "OWN-LOT-7", "{told}");
    let kept = app.get("gateway", "/epcis/v2/events/urn:example:PACKED-1").await.expect(200);
    let kept = &kept["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0];
    assert_eq!(kept["inputQuantityList"][0]["epcClass"], BY_LOT);
    // The door for JSON takes every name; the same event under two of them is one.
    let named = captured(&app, processing(&farm, (BY_LINK, "10"), "PACKED-2")).await;
    assert_eq!(named["inputs"][0]["code"], "OWN-LOT-7", "{named}");
    let again = capture(&app, processing(&farm, ("OWN-LOT-7", "10"), "PACKED-2")).await;
    assert_eq!(again.body["results"][0]["id"], named["id"], "{}", again.body);
    let again = capture(&app, processing(&farm, (BY_ELEMENTS, "10"), "PACKED-2")).await;
    assert_eq!(again.body["results"][0]["id"], named["id"], "{}", again.body);
    assert_eq!(held(&app, "OWN-LOT-7").await, "30");
    // One chain under every name, with both events in it.
    let whole = chain(&app, "OWN-LOT-7").await;
    assert_eq!(whole["events"].as_array().unwrap().len(), 3, "{whole}");
    for name in [BY_LOT, BY_LINK, BY_ELEMENTS] {
        assert_eq!(chain(&app, name).await, whole, "{name}");
    }
    assert_eq!(held(&app, &encoded(BY_LINK)).await, "30");
}

#[tokio::test]
async fn g_5_4_4_a_lots_name_that_is_not_certain_stays_a_name() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let other = app.subject("示例韭菜合作社二社").await;
    // Without any unit of the lot there is nothing to be meant.
    let refused = capture(&app, processing(&farm, (BY_ELEMENTS, "5"), "NONE-1")).await;
    assert!(refused.expect(422).to_string().contains(&format!("{BY_ELEMENTS} 不存在")));
    captured(&app, own(&farm, "FARM-7")).await;
    captured(&app, own(&other, "OTHER-7")).await;
    // Of several that which the subject holds is meant.
    let named = captured(&app, processing(&other, (BY_LOT, "5"), "MINE-1")).await;
    assert_eq!(named["inputs"][0]["code"], "OTHER-7");
    let plant = app.subject("示例蔬菜加工厂").await;
    let refused = capture(&app, processing(&plant, (BY_ELEMENTS, "5"), "NONE-2")).await;
    assert!(refused.expect(422).to_string().contains("不存在"), "two of others");
    // Two names of one unit in one event belong together.
    let mut twice = processing(&farm, (BY_ELEMENTS, "5"), "TWICE-1");
    twice["inputs"].as_array_mut().unwrap().push(json!({
        "code": "FARM-7", "quantity": "5", "unit": "KGM",
    }));
    let refused = capture(&app, twice).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "inputs[0].code", "{refused}");
    assert!(refused.to_string().contains("是同一批次，请合并为一项"), "{refused}");
    // A lot that is registered under the name itself is what the name means.
    let mut element = own(&farm, "(01)06901234567892(10)L-8");
    element["outputs"][0]["lot"] = json!("L-8");
    captured(&app, element).await;
    let mut second = own(&farm, "FARM-8");
    second["outputs"][0]["lot"] = json!("L-8");
    captured(&app, second).await;
    let named =
        captured(&app, processing(&farm, ("(01)06901234567892(10)L-8", "5"), "ITSELF-1")).await;
    assert_eq!(named["inputs"][0]["code"], "(01)06901234567892(10)L-8");
    // Another's lot is as much another's under this name: who consumes it must show that it is theirs.
    let mut lone = own(&farm, "FARM-9");
    lone["outputs"][0]["lot"] = json!("L-9");
    captured(&app, lone).await;
    let taken = captured(
        &app,
        processing(&plant, ("urn:epc:class:lgtin:6901234.056789.L-9", "5"), "THEIRS-1"),
    )
    .await;
    assert_eq!((&taken["state"], &taken["inputs"][0]["code"]), (&json!("held"), &json!("FARM-9")));
}

#[tokio::test]
async fn g_6_2_3_events_are_found_by_whatever_a_lot_is_called() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, own(&farm, "OWN-LOT-7")).await;
    captured(&app, processing(&farm, ("OWN-LOT-7", "5"), "MADE-7")).await;
    let list = "/api/v1/trace/events";
    let found = async |user: &str, code: &str| {
        let path = format!("{list}?count=true&code={}", encoded(code));
        let found = app.get(user, &path).await.expect(200);
        assert_eq!(found["total"]["count"], found["items"].as_array().unwrap().len(), "{found}");
        found
    };
    let wanted = found("supervisor", "OWN-LOT-7").await;
    assert_eq!(wanted["total"]["count"], 2, "{wanted}");
    for name in [BY_LOT, BY_LINK, BY_ELEMENTS] {
        assert_eq!(found("supervisor", name).await, wanted, "{name}");
        let path = format!("{list}/export?format=csv&code={}", encoded(name));
        let queued = app.get("supervisor", &path).await.expect(202);
        let (_, rows) = file_of(&app, "supervisor", &queued).await;
        let ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let shown = wanted["items"].as_array().unwrap().iter();
        assert_eq!(ids, shown.map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>());
        // Names give nobody a right to see more.
        assert_eq!(found("enterprise", name).await["total"]["count"], 0, "{name}");
    }
    // Of two units of a lot the name is not certain; a lot that nobody registered has no events.
    captured(&app, own(&farm, "OWN-LOT-8")).await;
    for name in [BY_LOT, "(01)06901234567892(10)NONE-1"] {
        assert_eq!(found("supervisor", name).await["total"]["count"], 0, "{name}");
    }
}

/// Sends events in one request; what became of each.
async fn together(app: &TestApp, events: &[Value]) -> Vec<Value> {
    let sent = app.post("gateway", "/api/v1/trace/events", json!({ "events": events })).await;
    sent.body["results"].as_array().unwrap_or_else(|| panic!("{}", sent.body)).clone()
}

async fn event(app: &TestApp, result: &Value) -> Value {
    let id = result["id"].as_str().unwrap_or_else(|| panic!("{result}"));
    app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200)
}

#[tokio::test]
async fn g_5_4_4_a_lot_is_called_by_its_name_from_the_event_on_that_makes_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let other = app.subject("示例韭菜合作社二社").await;
    let batch = [
        processing(&farm, (BY_LOT, "1"), "TOO-EARLY"),
        own(&farm, "OWN-LOT-7"),
        processing(&farm, (BY_LOT, "5"), "OF-7-1"),
        processing(&farm, (BY_LINK, "6"), "OF-7-2"),
        processing(&farm, (BY_ELEMENTS, "6"), "OF-7-2"),
        processing(&farm, (BY_ELEMENTS, "7"), "OF-7-3"),
    ];
    let done = together(&app, &batch).await;
    assert!(done[0].to_string().contains(&format!("{BY_ELEMENTS} 不存在")), "{}", done[0]);
    for at in [2, 3, 5] {
        assert_eq!(event(&app, &done[at]).await["inputs"][0]["code"], "OWN-LOT-7", "{at}");
    }
    assert_eq!((&done[4]["id"], &done[4]["duplicate"]), (&done[3]["id"], &json!(true)), "{done:?}");
    assert_eq!(held(&app, "OWN-LOT-7").await, "82");
    // Sent again, all of it is known; what came too early no longer does.
    let again = together(&app, &batch).await;
    for at in 1..batch.len() {
        assert_eq!((&again[at]["id"], &again[at]["duplicate"]), (&done[at]["id"], &json!(true)));
    }
    assert_eq!(event(&app, &again[0]).await["inputs"][0]["code"], "OWN-LOT-7");
    // Of a lot that others have too, what one makes oneself in the batch is one's own.
    let done = together(
        &app,
        &[
            processing(&other, (BY_LOT, "5"), "OF-OTHER-1"),
            own(&other, "OTHER-LOT-7"),
            processing(&other, (BY_LOT, "5"), "OF-OTHER-2"),
            own(&other, "OTHER-LOT-7-B"),
            processing(&other, (BY_LOT, "5"), "OF-OTHER-3"),
        ],
    )
    .await;
    let first = event(&app, &done[0]).await;
    assert_eq!(
        (&first["state"], &first["inputs"][0]["code"]),
        (&json!("held"), &json!("OWN-LOT-7"))
    );
    assert_eq!(event(&app, &done[2]).await["inputs"][0]["code"], "OTHER-LOT-7");
    assert!(done[4].to_string().contains("不存在"), "two of one's own: {}", done[4]);
    // What waits for review has made nothing yet.
    let plant = app.subject("示例蔬菜加工厂").await;
    let mut waiting = processing(&plant, ("OWN-LOT-7", "5"), "PLANT-LOT-9");
    waiting["outputs"][0]["lot"] = json!("L-9");
    let mut of_it = processing(&plant, ("(01)06901234567892(10)L-9", "1"), "OF-9");
    of_it["event_time"] = json!("2026-11-12T08:00:00+08:00");
    let done = together(&app, &[waiting, of_it]).await;
    assert_eq!(event(&app, &done[0]).await["state"], "held");
    assert!(done[1].to_string().contains("不存在"), "{}", done[1]);
    // A lot whose product is said by what it was made of alone, and one that is passed on.
    let mut inherits = processing(&farm, ("OWN-LOT-7", "5"), "OWN-LOT-10");
    inherits["outputs"][0]["lot"] = json!("L-10");
    inherits["outputs"][0].as_object_mut().unwrap().remove("product");
    let of_it = processing(&farm, ("urn:epc:class:lgtin:6901234.056789.L-10", "1"), "OF-10");
    let done = together(&app, &[inherits, of_it]).await;
    assert_eq!(event(&app, &done[1]).await["inputs"][0]["code"], "OWN-LOT-10");
}

/// Where a lot is asked for by its code, as a part of an address.
fn doors(code: &str) -> [String; 4] {
    let code = encoded(code);
    [
        format!("/api/v1/trace/objects/{code}"),
        format!("/api/v1/trace/objects/{code}/balance"),
        format!("/api/v1/trace/objects/{code}/orders"),
        format!("/api/v1/trace/objects/{code}/orders/preview"),
    ]
}

#[tokio::test]
async fn g_5_4_4_every_door_knows_a_lot_by_its_name() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, own(&farm, "OWN-LOT-7")).await;
    captured(&app, processing(&farm, ("OWN-LOT-7", "5"), "MADE-7")).await;
    for name in [BY_LOT, BY_LINK, BY_ELEMENTS] {
        for (door, wanted) in doors(name).iter().zip(doors("OWN-LOT-7")) {
            let wanted = app.get("supervisor", &wanted).await.expect(200);
            assert_eq!(app.get("supervisor", door).await.expect(200), wanted, "{door}");
            // To whom the unit is nothing, its name is nothing either.
            assert_eq!(app.get("enterprise", door).await.status, 404, "{door}");
        }
        let scan = json!({ "subject": farm["code"], "domain": "agri", "codes": [name] });
        let scanned = app.post("farm", "/api/v1/trace/scan", scan).await.expect(200);
        assert_eq!(scanned["items"][0]["code"], "OWN-LOT-7", "{name}");
        for public in [format!("/t/{}", encoded(name)), format!("/resolve?id={}", encoded(name))] {
            let told =
                app.send("GET", &public, None, &[("accept", "application/json")], None).await;
            let told = told.expect(200);
            let unit = told.get("unit").unwrap_or(&told["code"]);
            assert_eq!((&told["lot"], unit), (&json!("L-7"), &json!("OWN-LOT-7")), "{told}");
        }
        let proofs = app.post("supervisor", "/api/v1/trace/proofs", json!({ "code": name })).await;
        assert_eq!(proofs.status, 200, "{name}: {}", proofs.body);
    }
    // A certificate covers the unit, under whatever name it is made out.
    let certificate = json!({
        "subject": farm["code"], "product": "YJ-JC-01", "quantity": "10", "unit": "KGM",
        "origin": "示例县", "basis": "control", "contact": "13800000000",
        "units": [{ "code": BY_LINK, "quantity": "10" }],
    });
    let made = app.post("farm", "/api/v1/trace/certificates", certificate).await.expect(201);
    let path = format!("/api/v1/batch_document/{}", made["id"].as_str().unwrap());
    let document = app.get("supervisor", &path).await.expect(200);
    assert_eq!(document["units"][0]["code"], "OWN-LOT-7", "{document}");
    // An order is one over the unit.
    let order = json!({
        "act": "freeze", "downstream": true, "reason": "示例冻结",
        "document_no": "示监〔2026〕9号", "authority": "示例市场监督管理局",
    });
    let door = format!("/api/v1/trace/objects/{}/orders", encoded(BY_ELEMENTS));
    let made = app.post("supervisor", &door, order).await.expect(201);
    assert_eq!((&made["code"], &made["units"]), (&json!("OWN-LOT-7"), &json!(2)), "{made}");
    assert_eq!(app.get("supervisor", &door).await.expect(200)["quality"], "04");
}
