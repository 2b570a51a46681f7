//! G-10.3-2: events lie in the month they happened in, where the engine divides tables; and nothing is
//! lost by it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use yj_kernel::Dialect;

use crate::harness::{TestApp, harvest};

const EVENTS: &str = "/api/v1/trace/events";
const LIBRARIES: &str = "/api/v1/libraries";

fn divides(app: &TestApp) -> bool {
    app.assembled.app.db().dialect() == Dialect::Postgres
}

/// A harvest of its own lot at a moment; its identifier.
async fn happened(app: &TestApp, code: &str, time: &str) -> String {
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut event = harvest(&farm, code);
    event["event_time"] = json!(time);
    event["outputs"][0]["lot"] = json!(code);
    let answer = app.post("gateway", EVENTS, event).await.expect(201);
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

/// What is stored of all events, as one number.
async fn digest(app: &TestApp) -> (i64, i64) {
    let rows = app.count("SELECT COUNT(*) FROM trace_event").await;
    let sum = if divides(app) {
        "SELECT CAST(SUM(CAST(hashtextextended(CAST(e AS TEXT), 0) AS NUMERIC)) % 1000000007 AS BIGINT) \
         FROM trace_event e"
    } else {
        "SELECT SUM(id * LENGTH(uid || digest || body || state || COALESCE(lot, '')) + event_time) % 1000000007 \
         FROM trace_event"
    };
    (rows, app.count(sum).await)
}

async fn is_well(app: &TestApp) {
    for (what, well, detail) in yj_server::examine(&app.assembled, std::path::Path::new(".")).await
    {
        assert!(well, "{what}: {detail}");
    }
}

#[tokio::test]
async fn g_10_3_2_an_event_lies_in_the_month_it_happened_in() {
    let app = TestApp::start().await;
    happened(&app, "MON-1", "2026-11-01T00:00:00+08:00").await;
    happened(&app, "MON-2", "2026-10-31T23:59:59.999+08:00").await;
    happened(&app, "MON-3", "2026-10-31T16:00:00Z").await;
    happened(&app, "MON-4", "2025-10-01T00:00:00+08:00").await;
    happened(&app, "MON-5", "2025-09-30T23:59:59+08:00").await;
    let answer = app.get("supervisor", LIBRARIES).await.expect(200);
    let parts = answer["event_partitions"].as_array().unwrap();
    let harvests = answer["items"][2]["partition"].as_str().unwrap();
    if !divides(&app) {
        assert_eq!((parts.len(), harvests), (0, "按环节"));
        return;
    }
    assert_eq!(harvests, "按环节；存储按发生月份，18 个分区");
    let names: Vec<_> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(
        (names[0], names[1], names[16], names[17]),
        ("before", "2025-10", "2027-01", "after")
    );
    assert!(parts.iter().all(|part| part["bytes"].as_i64().unwrap() > 0), "{parts:?}");
    let rows: i64 = parts.iter().map(|part| part["rows"].as_i64().unwrap()).sum();
    assert_eq!(rows, app.count("SELECT COUNT(*) FROM trace_event").await);
    for (sql, expected) in [
        ("SELECT COUNT(*) FROM trace_event_2026_11 WHERE lot IN ('MON-1', 'MON-3')", 2),
        ("SELECT COUNT(*) FROM trace_event_2026_10 WHERE lot = 'MON-2'", 1),
        ("SELECT COUNT(*) FROM trace_event_2025_10 WHERE lot = 'MON-4'", 1),
        ("SELECT COUNT(*) FROM trace_event_before WHERE lot = 'MON-5'", 1),
        ("SELECT COUNT(*) FROM trace_event_after", 0),
    ] {
        assert_eq!(app.count(sql).await, expected, "{sql}");
    }
    app.anchor().await;
    is_well(&app).await;
}

/// Nobody else's month is even looked at: all of them are locked away meanwhile.
#[tokio::test]
async fn g_6_2_3_a_search_within_a_month_touches_that_month_alone() {
    let app = TestApp::start().await;
    if !divides(&app) {
        return;
    }
    happened(&app, "MON-1", "2026-10-31T23:59:59+08:00").await;
    let november =
        "event_time.from=2026-11-01T00:00:00%2B08:00&event_time.to=2026-11-30T23:59:59.999%2B08:00";
    app.on_server(async |client| {
        let parts = "SELECT string_agg(CAST(CAST(inhrelid AS regclass) AS TEXT), ', ') \
                     FROM pg_inherits WHERE inhparent = CAST('trace_event' AS regclass) \
                     AND CAST(CAST(inhrelid AS regclass) AS TEXT) <> 'trace_event_2026_11'";
        let others: String = client.query_one(parts, &[]).await.unwrap().get(0);
        assert_eq!(others.split(',').count(), 17);
        let lock = format!("BEGIN; LOCK TABLE {others} IN ACCESS EXCLUSIVE MODE");
        client.batch_execute(&lock).await.unwrap();
        for more in ["", "&sort=event_time", "&stage=primary_production&region=610000"] {
            let path = format!("{EVENTS}?{november}{more}");
            let page = timeout(Duration::from_mins(1), app.get("supervisor", &path)).await;
            let page = page.expect("the search waits for another month").expect(200);
            assert!(!page["items"].as_array().unwrap().is_empty(), "{more}");
        }
        client.batch_execute("ROLLBACK").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn d_6_3_1_an_event_moved_to_another_month_is_found_and_named() {
    let app = TestApp::start().await;
    let id = happened(&app, "MON-1", "2026-11-10T08:00:00+08:00").await;
    let path = format!("{EVENTS}/{id}");
    app.anchor().await;
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=MON-1").await.expect(200);
    let balance = "/api/v1/trace/objects/MON-1/balance";
    let before = app.get("supervisor", balance).await.expect(200);
    is_well(&app).await;
    app.tamper("UPDATE trace_event SET event_time = event_time - 3456000000 WHERE lot = 'MON-1'")
        .await;
    let read = app.get("supervisor", &path).await.expect(200);
    assert_eq!(read["integrity"]["intact"], false);
    let finding = read["integrity"]["finding"].as_str().unwrap();
    assert!(finding.contains("event_time"), "{finding}");
    assert_eq!(app.get("supervisor", &format!("{EVENTS}/{id}/proof")).await.status, 200);
    // Whoever comes by another way finds it too.
    let listed = app.get("supervisor", &format!("{EVENTS}?code=MON-1")).await.expect(200);
    assert_eq!(listed["items"][0]["id"], id.as_str());
    let again = app.get("supervisor", "/api/v1/trace/chain?code=MON-1").await.expect(200);
    assert_eq!(again["events"][0]["id"], chain["events"][0]["id"]);
    let after = app.get("supervisor", balance).await.expect(200);
    assert_eq!((&after["accounts"], &after["items"]), (&before["accounts"], &before["items"]));
    assert_eq!(after["accounts"][0]["consistent"], true);
    // The same content is not taken in a second time, and a correction finds what it corrects.
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut same = harvest(&farm, "MON-1");
    same["outputs"][0]["lot"] = json!("MON-1");
    same["event_time"] = json!("2026-11-10T08:00:00+08:00");
    let answer = app.post("gateway", EVENTS, same.clone()).await;
    assert_eq!(answer.body["results"][0]["id"], id.as_str(), "{}", answer.body);
    same["outputs"][0]["quantity"] = json!("90");
    same["correction_of"] = json!(id);
    same["correction_reason"] = json!("称重有误");
    app.post("gateway", EVENTS, same).await.expect(201);
    assert_eq!(app.get("supervisor", &path).await.expect(200)["state"], "superseded");
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    let divided = findings.iter().find(|(what, ..)| *what == "事件分区").unwrap();
    assert_eq!(divided.1, !divides(&app), "{}", divided.2);
}

/// A platform that stood still since October: what came in meanwhile lies after the last month.
#[tokio::test]
async fn g_10_3_2_months_that_are_missing_are_made_and_filled() {
    let mut app = TestApp::start().await;
    if !divides(&app) {
        return;
    }
    let id = happened(&app, "MON-1", "2026-11-10T08:00:00+08:00").await;
    app.anchor().await;
    app.run_sql(
        "ALTER TABLE trace_event DETACH PARTITION trace_event_after; \
         ALTER TABLE trace_event DETACH PARTITION trace_event_2026_11; \
         INSERT INTO trace_event_after SELECT * FROM trace_event_2026_11; \
         DROP TABLE trace_event_2026_11, trace_event_2026_12, trace_event_2027_01; \
         ALTER TABLE trace_event ATTACH PARTITION trace_event_after FOR VALUES FROM (1793462400000) TO (MAXVALUE); \
         DROP TABLE trace_event_2026_03",
    )
    .await;
    let (stored, waiting) =
        (digest(&app).await, app.count("SELECT COUNT(*) FROM trace_event_after").await);
    assert!(waiting > 1);
    let read = app.get("supervisor", &format!("{EVENTS}/{id}")).await.expect(200);
    assert_eq!(read["integrity"]["intact"], true);
    app.restart().await;
    assert_eq!(digest(&app).await, stored);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event_after").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event_2026_11").await, waiting);
    let answer = app.get("supervisor", LIBRARIES).await.expect(200);
    let parts = answer["event_partitions"].as_array().unwrap();
    assert_eq!(parts.len(), 18);
    assert!(parts.iter().any(|part| part["name"] == "2026-03"), "a gap is closed");
    let read = app.get("supervisor", &format!("{EVENTS}/{id}")).await.expect(200);
    assert_eq!(read["integrity"]["intact"], true);
    is_well(&app).await;
}

/// The schema as it was before events were divided, with what there is in it.
const UNDIVIDED: &str = "ALTER TABLE trace_link DROP CONSTRAINT trace_link_event_id_fkey; \
    ALTER TABLE trace_match_line DROP CONSTRAINT trace_match_line_event_id_fkey; \
    CREATE TABLE whole (LIKE trace_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS); \
    INSERT INTO whole SELECT * FROM trace_event; \
    DROP TABLE trace_event; DROP TABLE trace_event_key; ALTER TABLE whole RENAME TO trace_event; \
    ALTER TABLE trace_event ADD PRIMARY KEY (id), ADD UNIQUE (uid), ADD UNIQUE (digest); \
    CREATE INDEX trace_event_time ON trace_event (event_time, id); \
    CREATE INDEX trace_event_stage ON trace_event (stage, event_time, id); \
    CREATE INDEX trace_event_subject ON trace_event (subject_id, event_time, id); \
    CREATE INDEX trace_event_product ON trace_event (product_id, event_time, id); \
    CREATE INDEX trace_event_region ON trace_event (region, event_time, id); \
    CREATE INDEX trace_event_lot ON trace_event (lot); \
    CREATE INDEX trace_event_held ON trace_event (event_time, id) WHERE state = 'held'; \
    ALTER TABLE trace_link ADD FOREIGN KEY (event_id) REFERENCES trace_event (id); \
    ALTER TABLE trace_match_line ADD FOREIGN KEY (event_id) REFERENCES trace_event (id); \
    DELETE FROM migration WHERE name = 'trace/0011_month'";

#[tokio::test]
async fn g_10_3_2_what_was_stored_undivided_is_divided_without_loss() {
    let mut app = TestApp::start().await;
    let id = happened(&app, "MON-1", "2026-08-10T08:00:00+08:00").await;
    let old = happened(&app, "MON-2", "2019-05-01T08:00:00+08:00").await;
    app.anchor().await;
    let (stored, links) = (digest(&app).await, app.count("SELECT COUNT(*) FROM trace_link").await);
    let all = format!("{EVENTS}?per_page=200");
    let listed = app.get("supervisor", &all).await.expect(200);
    let undivided =
        "DROP VIEW trace_event_key; DELETE FROM migration WHERE name = 'trace/0011_month'";
    app.run_sql(if divides(&app) { UNDIVIDED } else { undivided }).await;
    app.restart().await;
    assert_eq!(digest(&app).await, stored);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event_key").await, stored.0);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_link").await, links);
    assert_eq!(app.get("supervisor", &all).await.expect(200), listed);
    for id in [&id, &old] {
        let read = app.get("supervisor", &format!("{EVENTS}/{id}")).await.expect(200);
        assert_eq!(read["integrity"]["intact"], true, "{read}");
    }
    is_well(&app).await;
    if !divides(&app) {
        return;
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event_2026_08 WHERE lot = 'MON-1'").await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event_before WHERE lot = 'MON-2'").await, 1);
    let answer = app.get("supervisor", LIBRARIES).await.expect(200);
    let parts = answer["event_partitions"].as_array().unwrap();
    let names: Vec<&Value> = parts.iter().map(|part| &part["name"]).collect();
    // Five years back from the newest, and two months ahead.
    assert_eq!((names[1], names[parts.len() - 2]), (&json!("2021-12"), &json!("2027-01")));
    assert_eq!(parts.len(), 64);
}
