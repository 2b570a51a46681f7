//! G-6.5.4, D-7.3.3: the golden chain GC-1 answers exactly as the handbook says (§8.1).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::TestApp;

async fn chain(app: &TestApp, code: &str, direction: &str) -> Value {
    let code = code.replace('#', "%23");
    app.get("supervisor", &format!("/api/v1/trace/chain?code={code}&direction={direction}"))
        .await
        .expect(200)
}

fn codes(chain: &Value, role: &str) -> BTreeSet<String> {
    let objects = chain["objects"].as_array().unwrap().iter();
    objects
        .filter(|object| object["role"] == role)
        .map(|object| object["code"].as_str().unwrap().into())
        .collect()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| String::from(*code)).collect()
}

#[tokio::test]
async fn g_6_5_4_forward_from_f1_a_reaches_every_batch_but_p1_y() {
    let app = TestApp::start().await;
    let chain = chain(&app, "F1-A", "downstream").await;
    let batches = [
        "P1-X", "P1-X#1", "P1-X#2", "W1-1", "W1-2", "W2-1", "W2-2", "R1-sold", "R2-sold",
        "C1-used", "R3-sold",
    ];
    assert_eq!(codes(&chain, "downstream"), set(&batches));
    let types: Vec<_> = chain["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["observes"] == false)
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types.len(), 8);
    let acting: BTreeSet<_> = chain["subjects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|subject| subject["events"] != 0)
        .map(|subject| subject["name"].as_str().unwrap())
        .collect();
    assert_eq!(acting.len(), 8);
    assert!(acting.contains("示例韭菜合作社一社") && !acting.contains("示例韭菜合作社二社"));
    assert_eq!(chain["summary"]["subjects"], 8);
    let tests: Vec<_> = chain["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["observes"] == true)
        .collect();
    assert_eq!((tests.len(), &tests[0]["verdict"]), (1, &Value::from("不合格")));
}

#[tokio::test]
async fn g_6_5_4_forward_from_the_others_differs_as_it_should() {
    let app = TestApp::start().await;
    let second = codes(&chain(&app, "F2-A", "downstream").await, "downstream");
    assert!(second.contains("P1-Y") && !second.contains("R3-sold"));
    let third = codes(&chain(&app, "P1-Y", "downstream").await, "downstream");
    assert_eq!(third, set(&["W2-1", "W2-2", "R2-sold", "C1-used"]));
}

#[tokio::test]
async fn g_6_5_4_backward_finds_every_origin() {
    let app = TestApp::start().await;
    let canteen = codes(&chain(&app, "C1-used", "upstream").await, "upstream");
    assert_eq!(canteen, set(&["F1-A", "F1-B", "F2-A", "P1-X", "P1-X#2", "P1-Y", "W2-2"]));
    let shop = codes(&chain(&app, "R1-sold", "upstream").await, "upstream");
    assert_eq!(shop, set(&["F1-A", "F2-A", "P1-X", "P1-X#1", "W1-1"]));
}

#[tokio::test]
async fn g_6_5_4_quantities_shares_and_losses_are_exact() {
    let app = TestApp::start().await;
    let chain = chain(&app, "F1-A", "downstream").await;
    let held: BTreeMap<_, _> = chain["freeze"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["code"].as_str().unwrap(), item["quantity"].as_str().unwrap()))
        .collect();
    assert_eq!(held, BTreeMap::from([("W1-2", "190"), ("W2-1", "400")]));
    assert_eq!(
        (&chain["freeze"]["total"], &chain["gone"]["total"]),
        (&"590".into(), &"1755".into())
    );
    let share = |code: &str| {
        let objects = chain["objects"].as_array().unwrap();
        let object = objects.iter().find(|object| object["code"] == code).unwrap();
        String::from(&object["share"].as_str().unwrap()[..6])
    };
    assert_eq!(
        ["P1-X", "W2-1", "W2-2", "R2-sold", "C1-used", "R3-sold"].map(share),
        ["0.6250", "0.3025", "0.3025", "0.4315", "0.3025", "1.0000"]
    );
    assert!(chain["gone"]["equivalent"].as_str().unwrap().starts_with("884.94"));
    let losses: Vec<_> = chain["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["loss_rate"].as_str())
        .collect();
    let rounded: BTreeSet<_> = losses.iter().map(|rate| &rate[..6]).collect();
    assert_eq!(
        rounded,
        BTreeSet::from([
            "0.0375", "0.0012", "0.0111", "0.0136", "0.0400", "0.0200", "0.0166", "0.0250"
        ])
    );
    let outliers: Vec<_> = chain["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["loss_outlier"] == true)
        .collect();
    assert_eq!((outliers.len(), &outliers[0]["outputs"][0]["code"]), (1, &Value::from("R1-sold")));
    // What went in at the first processing, line by line.
    let lines = chain["flow_table"].as_array().unwrap();
    let line = lines.iter().find(|line| line["code"] == "F2-A").unwrap();
    assert_eq!((&line["quantity"], &line["downstream"]), (&"600".into(), &"示例蔬菜加工厂".into()));
}

#[tokio::test]
async fn d_7_3_3_vessels_are_found_by_heat_and_by_welding_wire() {
    let app = TestApp::start().await;
    let vessels = |chain: &Value| {
        codes(chain, "downstream").into_iter().filter(|code| code.starts_with("2150")).count()
    };
    assert_eq!(vessels(&chain(&app, "S2", "downstream").await), 1);
    assert_eq!(vessels(&chain(&app, "W7", "downstream").await), 2);
    let origins = codes(&chain(&app, "215010001202600001", "upstream").await, "upstream");
    assert_eq!(origins, set(&["S1", "S2", "I1", "H1", "H2", "W7"]));
}

#[tokio::test]
async fn g_10_4_contacts_are_masked_and_revealed_for_a_reason() {
    let app = TestApp::start().await;
    let seen = chain(&app, "F1-A", "downstream").await;
    let masked = seen["flow_table"][0]["contact_phone"].as_str().unwrap();
    assert!(masked.starts_with("138") && masked.contains('*'), "{masked}");
    let code = &seen["flow_table"][0]["downstream_code"];
    let subjects = seen["subjects"].as_array().unwrap();
    let id = subjects.iter().find(|subject| subject["code"] == *code).unwrap()["id"].clone();
    let path = format!("/api/v1/trace_subject/{}/reveal", id.as_str().unwrap());
    let reason = json!({ "reason": "召回通知" });
    let open = app.post("supervisor", &path, reason.clone()).await.expect(200);
    let phone = open["contact_phone"].as_str().unwrap();
    assert!(!phone.contains('*') && phone.ends_with(&masked[masked.len() - 4..]), "{phone}");
    assert_eq!(app.post("farm", &path, reason).await.status, 403);
    assert_eq!(app.post("supervisor", &path, json!({ "reason": "" })).await.status, 422);
    let trail = app.get("auditor", "/api/v1/audit?action=revealed").await.expect(200);
    assert_eq!(trail["items"][0]["changes"]["reason"], "召回通知");
    assert!(!trail.to_string().contains(phone), "the trail does not hold what was revealed");
    let own =
        app.get("farm", "/api/v1/trace/chain?code=F1-A&direction=downstream").await.expect(200);
    assert!(own["flow_table"][0]["contact_phone"].as_str().unwrap().contains('*'));
    assert_eq!(
        app.get("farm", "/api/v1/trace/chain?code=S1&direction=downstream").await.status,
        404
    );
    assert_eq!(app.get("farm", "/api/v1/trace/chain?code=NONE").await.status, 404);
}
