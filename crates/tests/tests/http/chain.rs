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

/// The loss of every event that made something, by the first code that came out of it.
fn made_by(chain: &Value) -> BTreeMap<String, f64> {
    let events = chain["events"].as_array().unwrap().iter();
    let made = events.filter_map(|event| {
        let code = event["outputs"][0]["code"].as_str()?;
        let loss = event["loss_rate"].as_str()?.parse().unwrap();
        Some((String::from(code), loss))
    });
    made.collect()
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
    // e13, then e05, e07 to e12 in the order of time; e03 and e06 are of other batches.
    let mut sorted = types.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "consume",
            "processing",
            "retail",
            "retail",
            "retail",
            "transport",
            "wholesale",
            "wholesale"
        ]
    );
    let acting: BTreeSet<_> = chain["subjects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|subject| subject["events"] != 0)
        .map(|subject| subject["name"].as_str().unwrap())
        .collect();
    let told = [
        "示例韭菜合作社一社",
        "示例蔬菜加工厂",
        "示例冷链运输公司",
        "示例市场批发商甲",
        "示例市场批发商乙",
        "示例蔬菜零售店甲",
        "示例蔬菜零售店乙",
        "示例学校食堂",
    ];
    assert_eq!(acting, BTreeSet::from(told));
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
async fn g_6_5_4_who_holds_is_concerned_in_either_direction() {
    let app = TestApp::start().await;
    for (code, direction) in [
        ("F1-A", "downstream"),
        ("W1-2", "downstream"),
        ("W1-2", "upstream"),
        ("W1-2", "both"),
        ("R1-sold", "downstream"),
    ] {
        let chain = chain(&app, code, direction).await;
        let all = |list: &str| chain[list].as_array().unwrap().clone();
        let acting = all("events").into_iter().filter(|event| event["observes"] == false);
        let concerned: BTreeSet<String> = all("objects")
            .into_iter()
            .chain(acting)
            .map(|line| String::from(line["subject_id"].as_str().unwrap()))
            .collect();
        assert_eq!(chain["summary"]["subjects"], concerned.len(), "{code} {direction}");
    }
}

#[tokio::test]
async fn g_6_5_4_forward_from_the_others_differs_as_it_should() {
    let app = TestApp::start().await;
    let second = codes(&chain(&app, "F2-A", "downstream").await, "downstream");
    let batches = [
        "P1-X", "P1-X#1", "P1-X#2", "P1-Y", "W1-1", "W1-2", "W2-1", "W2-2", "R1-sold", "R2-sold",
        "C1-used",
    ];
    assert_eq!(second, set(&batches), "P1-Y besides, and not R3-sold");
    let made = made_by(&chain(&app, "F2-A", "downstream").await);
    assert!(made.contains_key("P1-Y") && !made.contains_key("R3-sold"), "e06, and not e13");
    assert_eq!(made.len(), 8);
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
    let near = |text: &Value, places: usize| {
        format!("{:.places$}", text.as_str().unwrap().parse::<f64>().unwrap())
    };
    assert_eq!(near(&chain["gone"]["equivalent"], 3), "884.947");
    let sold = |code: &str| {
        let items = chain["gone"]["items"].as_array().unwrap();
        items.iter().find(|item| item["code"] == code).unwrap()["quantity"].clone()
    };
    assert_eq!(
        ["R1-sold", "R2-sold", "C1-used", "R3-sold"].map(sold),
        ["480", "490", "590", "195"].map(Value::from)
    );
    // e05 and e07 to e13, each by what it put out first; e06 is upstream of P1-Y alone.
    let losses = made_by(&chain);
    for (code, percent) in [
        ("P1-X", "3.750"),
        ("P1-X#1", "0.130"),
        ("W1-1", "1.111"),
        ("W2-1", "1.366"),
        ("R1-sold", "4.000"),
        ("R2-sold", "2.000"),
        ("C1-used", "1.667"),
        ("R3-sold", "2.500"),
    ] {
        assert_eq!(format!("{:.3}", losses[code] * 100.0), percent, "{code}");
    }
    assert_eq!(losses.len(), 8);
    let outliers: Vec<_> = chain["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["loss_outlier"] == true)
        .collect();
    assert_eq!((outliers.len(), &outliers[0]["outputs"][0]["code"]), (1, &Value::from("R1-sold")));
    let mixed = made_by(&self::chain(&app, "F2-A", "downstream").await);
    assert_eq!(format!("{:.3}", mixed["P1-Y"] * 100.0), "2.857");
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
    assert_eq!(origins, set(&["S1", "S2", "I1", "H1", "H2", "FL-1", "W7"]));
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
