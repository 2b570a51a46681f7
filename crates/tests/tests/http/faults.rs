//! whatever statement fails, all of a piece of work happened or none of it.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, observed},
    harness::{Answer, TestApp, harvest},
    map_packs::{self, country, province},
    packs::lifts,
};

const TABLES: [&str; 14] = [
    "SELECT COUNT(*) FROM trace_event",
    "SELECT COUNT(*) FROM trace_link",
    "SELECT CAST(COUNT(*) + COALESCE(SUM(balance), 0) AS BIGINT) FROM trace_object",
    "SELECT CAST(COALESCE(SUM(events), 0) AS BIGINT) FROM trace_rollup",
    "SELECT COUNT(*) FROM anchor_entry",
    "SELECT COUNT(*) FROM outbox",
    "SELECT COUNT(*) FROM audit_log",
    "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM trace_subject",
    "SELECT COUNT(*) FROM epcis_capture",
    "SELECT CAST(COUNT(*) + (SELECT COUNT(*) FROM epcis_term) AS BIGINT) FROM epcis_event",
    "SELECT COUNT(*) FROM domain_pack",
    "SELECT COUNT(*) FROM domain_pack WHERE activated_at IS NOT NULL",
    "SELECT CAST(COUNT(*) + COALESCE(MAX(version), 0) AS BIGINT) FROM map_pack",
    "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM map_pack WHERE state = 'active'",
];

async fn sizes(app: &TestApp) -> Vec<i64> {
    let mut sizes = Vec::new();
    for sql in TABLES {
        sizes.push(app.count(sql).await);
    }
    sizes
}

/// Fails every statement of `work` in turn, until one run needs none of those that fail. Returns
/// the answer of that run and how many statements the work took.
async fn sweep(app: &TestApp, work: impl AsyncFn() -> Answer) -> (Value, u32) {
    let before = sizes(app).await;
    for nth in 0..200 {
        app.fuse.arm(nth);
        let answer = work().await;
        app.fuse.disarm();
        if answer.status < 400 {
            assert_ne!(sizes(app).await, before);
            return (answer.body, nth);
        }
        // The last trip carries the audit entry: then nothing happened, and it says so.
        let told = (answer.status, answer.body["code"].as_str().unwrap());
        assert!(
            matches!(told, (500, "internal") | (503, "unavailable")),
            "statement {nth}: {}",
            answer.body
        );
        assert_eq!(
            answer.body["detail"].as_str().unwrap().find("injected"),
            None,
            "causes stay inside"
        );
        assert_eq!(sizes(app).await, before, "statement {nth}");
    }
    panic!("work without end");
}

#[tokio::test]
async fn r_1_an_epcis_capture_leaves_all_or_nothing() {
    let app = TestApp::start().await;
    let told = json!({
        "type": "ObjectEvent", "eventID": "urn:example:harvest", "action": "ADD",
        "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "quantityList": [{ "epcClass": "urn:example:LOT-1", "quantity": 100, "uom": "KGM" }],
        "ilmd": { "yj:plot": "示例地块" }, "yj:domain": "agri", "yj:type": "harvest",
    });
    let sent = document(&[told, observed("urn:example:other", "urn:example:thing")]);
    let (_, statements) = sweep(&app, || capture(&app, "farm", &sent, "rollback")).await;
    assert!(statements > 10, "{statements}");
    let done = app.get("farm", "/epcis/v2/capture").await.expect(200);
    assert_eq!((&done[0]["captured"], &done[0]["told"]), (&json!(2), &json!(1)), "{done}");
}

#[tokio::test]
async fn r_1_capture_leaves_all_or_nothing() {
    let app = TestApp::start().await;
    let subject = app.subject("示例市场批发商甲").await;
    let event = json!({
        "domain": "agri", "type": "processing", "subject": subject["code"], "event_time": "2026-11-10T08:00:00+08:00",
        "inputs": [{ "code": "W1-2", "quantity": "1", "unit": "KGM" }],
        "outputs": [{ "code": "OUT-1", "quantity": "1", "unit": "KGM" }],
    });
    let events =
        json!({ "events": [event, harvest(&app.subject("示例韭菜合作社一社").await, "NEW-1")] });
    let (answer, statements) =
        sweep(&app, || app.post("gateway", "/api/v1/trace/events", events.clone())).await;
    assert!(statements > 10, "{statements}");
    assert!(
        answer["results"].as_array().unwrap().iter().all(|result| result["state"] == "accepted"),
        "{answer}"
    );
    let again = app.post("gateway", "/api/v1/trace/events", events).await.expect(200);
    assert_eq!(again["results"][0]["duplicate"], true);
}

#[tokio::test]
async fn r_1_putting_a_domain_into_use_leaves_all_or_nothing() {
    let app = TestApp::start().await;
    let (kept, statements) =
        sweep(&app, || app.post("sysadmin", "/api/v1/domains", lifts("1.0.0"))).await;
    assert!(statements > 4, "{statements}");
    let path = format!("/api/v1/domains/packs/{}/activate", kept["id"].as_str().unwrap());
    let because = json!({ "reason": "已核对" });
    let (kept, statements) = sweep(&app, || app.post("secadmin", &path, because.clone())).await;
    assert!(statements > 6, "{statements}");
    assert_eq!(kept["state"], "active");
    let shown = app.get("farm", "/api/v1/domains/lift").await.expect(200);
    assert_eq!(shown["version"], "1.0.0");
}

#[tokio::test]
async fn r_1_replacing_a_base_map_leaves_all_or_nothing() {
    let app = TestApp::start().await;
    map_packs::put_on_the_maps(&app, country()).await;
    let (draft, _) = sweep(&app, || app.post("sysadmin", "/api/v1/map-packs", province())).await;
    let path = format!("/api/v1/map-packs/{}/activate", draft["id"].as_str().unwrap());
    let because = json!({ "reason": "已与审图号批件核对" });
    let (kept, statements) = sweep(&app, || app.post("secadmin", &path, because.clone())).await;
    assert_eq!(kept["state"], "active");
    assert_eq!(map_packs::active(&app, "farm").await["version"], kept["version"]);
    assert!(statements > 5, "{statements}");
}

#[tokio::test]
async fn r_1_review_leaves_all_or_nothing() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let path = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let change = json!({ "address": "示例新路 2 号" });
    let proposed = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
    let id = proposed["change_request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/trace_subject/changes/{id}");
    let approve = format!("{path}/approve");
    let (answer, _) =
        sweep(&app, || app.post("reviewer", &approve, json!({ "comment": "属实" }))).await;
    assert_eq!(answer["state"], "approved");
    let changed = app.subject("示例蔬菜加工厂").await;
    assert_eq!((&changed["address"], &changed["version"]), (&"示例新路 2 号".into(), &2.into()));
}

#[tokio::test]
async fn r_1_anchoring_goes_on_where_it_failed_and_anchors_nothing_twice() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    for nth in 0..20 {
        let event = harvest(&subject, &format!("NEW-{nth}"));
        app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
        app.fuse.arm(nth);
        let drained = app.assembled.ledger.drain(&app.assembled.app).await;
        app.fuse.disarm();
        assert!(drained.is_ok() || nth < 10, "statement {nth}");
        app.anchor().await;
        assert_eq!(
            app.count("SELECT COUNT(*) FROM anchor_entry WHERE state <> 'confirmed'").await,
            0
        );
    }
    let height = app.assembled.ledger.verify_chain().unwrap();
    let mut records = 0;
    for number in 1..=height {
        let block =
            app.get("supervisor", &format!("/api/v1/ledger/blocks/{number}")).await.expect(200);
        records += block["records"].as_i64().unwrap();
    }
    assert_eq!(records, app.count("SELECT COUNT(*) FROM anchor_entry").await);
    let found = app.get("supervisor", "/api/v1/trace/events?code=NEW-1").await.expect(200);
    let event = found["items"][0]["id"].as_str().unwrap();
    let read = app.get("supervisor", &format!("/api/v1/trace/events/{event}")).await.expect(200);
    assert_eq!(
        (&read["anchor"], &read["integrity"]["intact"]),
        (&"confirmed".into(), &true.into())
    );
}
