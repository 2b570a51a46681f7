//! D-6.3, ADR 41: what follows from anchored records is computed again: whoever changes, removes or adds a
//! balance, a reading, a comparison or a unit of an order is found and named.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    capturing::{at, captured, processing},
    harness::{TestApp, harvest},
    houses::id_of,
    matches::Trade,
    tamper::pass,
    telemetry::{Sensor, send, temperature},
};

/// Each attack is found as one of something derived, in a field of this name; taken back, nothing is.
async fn attacked(app: &TestApp, attacks: &[(&str, &str, &str)]) {
    assert_eq!(pass(app).await, Vec::<Value>::new());
    for (attack, record, field) in attacks {
        app.tamper(attack).await;
        let found = app.assembled.tamper.inspect(&app.assembled.app).await.unwrap().1;
        let is = |one: &&yj_ledger::Found| {
            one.what == yj_ledger::What::Derived
                && one.record.starts_with(record)
                && one.fields.iter().any(|said| said.field == *field)
        };
        let one = found.iter().find(is).unwrap_or_else(|| panic!("{attack}: {found:?}"));
        assert!(one.at.is_some(), "{one:?}");
    }
}

#[tokio::test]
async fn d_6_3_a_changed_balance_is_found_and_named() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest(&farm, "BAL-1")).await;
    captured(&app, harvest(&farm, "BAL-2")).await;
    app.anchor().await;
    let other = id_of(&plant);
    let set =
        |what: &str, code: &str| format!("UPDATE trace_object SET {what} WHERE code = '{code}'");
    attacked(
        &app,
        &[
            (&set("balance = balance + 10000", "BAL-1"), "object:BAL-1", "balance"),
            (&set("balance = balance - 10000, quality = '04'", "BAL-1"), "object:BAL-1", "quality"),
            (&set("quality = NULL, state = 'sold'", "BAL-1"), "object:BAL-1", "state"),
            (&set(&format!("state = 'held', subject_id = '{other}'"), "BAL-1"), "object:BAL-1", "subject_id"),
            (&set("produced = produced + 5, balance = balance + 5", "BAL-2"), "object:BAL-2", "produced"),
            (
                "INSERT INTO trace_object (id, code, unit, subject_id, stage, produced, balance, state) \
                 SELECT 900000, 'BAL-9', unit, subject_id, stage, 10000, 10000, 'external' \
                 FROM trace_object WHERE code = 'BAL-2'",
                "object:BAL-9",
                "produced",
            ),
        ],
    )
    .await;
    // Named in the list of findings, with the sample that goes round the tables too.
    let found = pass(&app).await;
    let one = found.iter().find(|one| one["record"] == "object:BAL-9").unwrap();
    assert_eq!((&one["what"], &one["kind"]), (&json!("derived"), &json!("trace_object")));
    let sampled = app.assembled.tamper.sample(&app.assembled.app).await.unwrap();
    let sampled: Vec<&str> = sampled.iter().map(|one| one.record.as_str()).collect();
    assert!(sampled.contains(&"object:BAL-9"), "{sampled:?}");
}

#[tokio::test]
async fn d_6_3_a_changed_reading_is_found_and_named() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "02:00:00:00:00:51").await;
    let at = app.now();
    let two = json!({ "readings": [temperature(at, "4.5"), temperature(at, "5")] });
    assert_eq!(
        send(&app, &[sensor.says((1, 1), at, two), sensor.measures(2, at, "6")]).await.len(),
        2
    );
    yj_telemetry::anchor(&app.assembled.app, &app.assembled.ledger).await.unwrap();
    app.anchor().await;
    let first = format!("reading:{}", sensor.id);
    attacked(
        &app,
        &[
            ("UPDATE device_reading SET value = 1 WHERE seq = 1 AND item = 0", &first, "value"),
            ("DELETE FROM device_reading WHERE seq = 1 AND item = 0", &first, "value"),
            (
                "INSERT INTO device_reading (series_id, time, epoch, seq, item, value, marks, \
                 same_since, same_count) SELECT series_id, time + 1, epoch, seq, 7, value, 0, time, 1 \
                 FROM device_reading WHERE seq = 2",
                &first,
                "value",
            ),
            ("UPDATE device_reading SET code = 'OTHER' WHERE seq = 2 AND item = 0", &first, "code"),
        ],
    )
    .await;
}

#[tokio::test]
async fn d_6_3_a_changed_comparison_is_found_and_named() {
    let trade = Trade::start().await;
    let sold = trade.sold("CMP", Some("V-1")).await;
    trade.bought("CMP", Some("V-1"), "90").await;
    let app = &trade.app;
    app.anchor().await;
    let event = format!("match:{}", id_of(&sold));
    attacked(
        app,
        &[
            ("UPDATE trace_match SET state = 'matched' WHERE state = 'quantity'", "match:", "state"),
            ("UPDATE trace_match SET received = given, state = 'matched'", "match:", "received"),
            (
                "UPDATE trace_match_line SET quantity = quantity - 100000 WHERE side = 0",
                &event,
                "lines.quantity",
            ),
            ("UPDATE trace_match_line SET day = day + 1 WHERE side = 0", &event, "lines.transaction"),
            ("UPDATE trace_match SET voucher = 'V-2'", &event, "lines.transaction"),
            ("DELETE FROM trace_match_line WHERE side = 0", &event, "lines.quantity"),
            (
                "INSERT INTO trace_match (id, opened_at, domain, giver_id, giver_region, receiver_id, \
                 receiver_region, batch, unit) SELECT 'added', opened_at, domain, giver_id, \
                 giver_region, receiver_id, receiver_region, batch, unit FROM trace_match",
                "match:added",
                "lines",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn d_6_3_a_changed_unit_of_an_order_is_found_and_named() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["UNI-1", "UNI-2"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let freeze = json!({ "act": "await", "downstream": true, "reason": "示例待检" });
    app.post("farm", "/api/v1/trace/objects/UNI-1/orders", freeze).await.expect(201);
    app.anchor().await;
    assert_eq!(pass(&app).await, Vec::<Value>::new());
    let object = |code: &str| format!("(SELECT id FROM trace_object WHERE code = '{code}')");
    let order = "(SELECT id FROM trace_order)";
    // What it covered when it was made is anchored.
    for attack in [
        format!("UPDATE trace_order_unit SET object_id = {}", object("UNI-2")),
        String::from("DELETE FROM trace_order_unit"),
        format!(
            "INSERT INTO trace_order_unit (order_id, object_id) VALUES ({order}, {})",
            object("UNI-2")
        ),
    ] {
        app.tamper(&attack).await;
        let found = app.assembled.tamper.inspect(&app.assembled.app).await.unwrap().1;
        let changed = found.iter().find(|one| one.kind == "trace_order").unwrap();
        assert!(changed.fields.iter().any(|one| one.field == "covered"), "{attack}: {changed:?}");
    }
}

#[tokio::test]
async fn d_6_3_what_was_made_of_an_ordered_unit_and_is_not_under_the_order_is_found() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "MADE-1")).await;
    let wait = json!({ "act": "await", "downstream": true, "reason": "示例待检" });
    app.post("farm", "/api/v1/trace/objects/MADE-1/orders", wait).await.expect(201);
    app.pass(SignedDuration::from_mins(1));
    // What happened before the order is told late: once it is approved, it falls under it.
    let late = captured(
        &app,
        at(processing(&farm, ("MADE-1", "5"), "MADE-2"), "2026-11-12T08:00:00+08:00"),
    )
    .await;
    assert_eq!(late["state"], "held", "{late}");
    let approve = format!("/api/v1/trace/events/{}/approve", id_of(&late));
    app.post("reviewer", &approve, json!({})).await.expect(200);
    app.anchor().await;
    assert_eq!(
        app.count("SELECT COUNT(*) FROM trace_order_unit WHERE event_id IS NOT NULL").await,
        1
    );
    attacked(
        &app,
        &[
            (
                "UPDATE trace_order_unit SET event_id = 900000 WHERE event_id IS NOT NULL",
                "order:",
                "units",
            ),
            ("DELETE FROM trace_order_unit WHERE event_id IS NOT NULL", "order:", "units"),
        ],
    )
    .await;
}
