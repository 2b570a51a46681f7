//! 登记信息分析 (G-6.2.4): by stage, by codes of open lists with the rest together, and no ratio
//! without conditions.

use serde_json::Value;

use crate::{harness::TestApp, nodes::province};

async fn figures(app: &TestApp, table: &str, query: &str) -> Value {
    app.get("supervisor", &format!("/api/v1/{table}/figures?{query}")).await.expect(200)
}

/// Every group leads to a list of just so many.
async fn drilled(app: &TestApp, table: &str, found: &Value) {
    for group in found["groups"].as_array().unwrap() {
        let path = format!("/api/v1/{table}?count=only&{}", group["query"].as_str().unwrap());
        let list = app.get("supervisor", &path).await.expect(200);
        assert_eq!(list["total"]["count"], group["count"], "{group}");
    }
}

fn group<'a>(found: &'a Value, key: &str) -> &'a Value {
    let mut groups = found["groups"].as_array().unwrap().iter();
    groups.find(|one| one["key"][0] == key).unwrap_or_else(|| panic!("no {key}: {found}"))
}

#[tokio::test]
async fn g_6_2_4_registers_are_counted_by_the_stage_they_stand_at() {
    let app = province().await;
    let subjects = figures(&app, "trace_subject", "by=stage").await;
    assert_eq!(subjects["overlapping"], true);
    assert_eq!(subjects["dimensions"][0]["label"], "追溯环节");
    // Roles begin with the digit of their stage.
    for (stage, roles) in
        [("transport", &["40", "41"][..]), ("inspection", &["50"]), ("supervision", &["70"])]
    {
        let mut sum = 0;
        for role in roles {
            let path = format!("/api/v1/trace_subject?count=only&roles={role}");
            let list = app.get("supervisor", &path).await.expect(200);
            sum += list["total"]["count"].as_i64().unwrap();
        }
        let groups = subjects["groups"].as_array().unwrap();
        let found = groups.iter().find(|one| one["key"][0] == stage);
        assert_eq!(found.map_or(0, |one| one["count"].as_i64().unwrap()), sum, "{stage}");
    }
    drilled(&app, "trace_subject", &subjects).await;
    let both = figures(&app, "trace_subject", "by=stage,region:city").await;
    drilled(&app, "trace_subject", &both).await;
    for (table, count) in [("node", 12), ("merchant", 240)] {
        let found = figures(&app, table, "by=stage").await;
        assert_eq!(group(&found, "distribution")["count"], count, "{table}");
        drilled(&app, table, &found).await;
    }
    // A register that says nothing of stages says so.
    let refused = app.get("supervisor", "/api/v1/product/figures?by=stage").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("没有追溯环节"), "{refused}");
    let refused = app.get("supervisor", "/api/v1/trace_subject?stage=nowhere").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("transport"), "{refused}");
}

#[tokio::test]
async fn g_6_2_4_open_codes_are_told_apart_as_far_as_they_are_many() {
    let app = province().await;
    for (table, by) in [
        ("product", "catalogue_code"),
        ("trace_subject", "industry_code"),
        ("trace_subject", "node_code"),
        ("trace_subject", "industry_code,kind"),
    ] {
        let found = figures(&app, table, &format!("by={by}")).await;
        let groups = found["groups"].as_array().unwrap();
        let counted: i64 = groups.iter().map(|one| one["count"].as_i64().unwrap()).sum();
        assert_eq!(found["count"], counted, "{table} {by}");
        drilled(&app, table, &found).await;
    }
    let nodes = figures(&app, "trace_subject", "by=node_code").await;
    let named = nodes["names"].as_object().unwrap();
    assert!(named.values().any(|name| name == "示例批发市场1号"), "{nodes}");
    // More codes than are told apart: the rest are one group with a list of their own.
    let classes = figures(&app, "product", "by=catalogue_code").await;
    let groups = classes["groups"].as_array().unwrap();
    assert!(groups.len() <= 22, "{}", groups.len());
    let rest = group(&classes, "其他");
    assert!(rest["query"].as_str().unwrap().starts_with("catalogue_code.not="), "{rest}");
    assert!(rest["count"].as_i64().unwrap() > 0);
    let refused = app.get("supervisor", "/api/v1/trace_subject/figures?by=name").await;
    refused.expect(422);
}

#[tokio::test]
async fn g_6_2_4_a_numerator_that_is_no_condition_is_refused() {
    let app = TestApp::start().await;
    for part in ["foo", "kind", "per_page%3D10", "kind%3D01%26foo", "no_such%3D1"] {
        let path = format!("/api/v1/trace_subject/figures?by=kind&part={part}");
        let refused = app.get("supervisor", &path).await;
        assert_eq!(refused.status, 422, "{part}: {}", refused.body);
    }
    let found = figures(&app, "trace_subject", "part=kind%3D01").await;
    assert_ne!(found["groups"][0]["ratio"], "100.0", "{found}");
}
