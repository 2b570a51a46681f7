//! G-6.4.1: what whoever scans is told of the codes before them.

use serde_json::{Value, json};

use crate::{
    capturing::{captured, harvest_for, processing, said},
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::detail,
};

const SCAN: &str = "/api/v1/trace/scan";

async fn scanned(app: &TestApp, user: &str, subject: &Value, codes: &[&str]) -> Vec<Value> {
    let body = json!({ "subject": subject["code"], "domain": "agri", "codes": codes });
    let answer = app.post(user, SCAN, body).await.expect(200);
    answer["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn g_6_4_1_a_scan_tells_each_code_as_its_holder_may_know_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest(&farm, "SCAN-1")).await;
    captured(&app, harvest_for(&farm, "SCAN-2", &plant)).await;
    // Its holder is told everything, in the order of the question.
    let own = scanned(&app, "farm", &farm, &["SCAN-2", "SCAN-1"]).await;
    assert_eq!((&own[0]["scanned"], &own[1]["scanned"]), (&json!("SCAN-2"), &json!("SCAN-1")));
    assert_eq!(
        own[1],
        json!({
            "scanned": "SCAN-1", "known": true, "code": "SCAN-1", "holding": "own",
            "product_code": "YJ-JC-01", "product_name": "示例韭菜", "product_state": "active",
            "lot": own[1]["lot"], "unit": "KGM", "balance": "100", "state": "held",
            "holder": "示例韭菜合作社一社", "recalled": false,
        })
    );
    // Whom it was given to is told what was given.
    let given = scanned(&app, "enterprise", &plant, &["SCAN-2"]).await;
    for (name, value) in [
        ("holding", json!("handed")),
        ("balance", json!("100")),
        ("product_name", json!("示例韭菜")),
        ("state", json!("held")),
        ("holder", Value::Null),
    ] {
        assert_eq!(given[0][name], value, "{name}: {given:?}");
    }
    // Once it has come in, it is the receiver's own, and the giver knows no more what is left.
    let over = processing(&plant, ("SCAN-2", "100"), "SCAN-2");
    assert_eq!(said(&captured(&app, over).await), ("accepted", ""));
    let now = scanned(&app, "enterprise", &plant, &["SCAN-2"]).await;
    assert_eq!((&now[0]["holding"], &now[0]["balance"]), (&json!("own"), &json!("100")));
    let gone = scanned(&app, "farm", &farm, &["SCAN-2"]).await;
    for name in ["balance", "state", "holder"] {
        assert_eq!(gone[0][name], Value::Null, "{name}: {gone:?}");
    }
    assert_eq!((&gone[0]["known"], &gone[0]["product_name"]), (&json!(true), &json!("示例韭菜")));
}

#[tokio::test]
async fn g_6_4_1_a_scan_says_the_same_of_what_is_not_there_and_of_what_is_not_theirs() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest(&farm, "HIDDEN-1")).await;
    let asked = ["HIDDEN-1", "NOTHING-1", "/00/106141412345678908"];
    for item in scanned(&app, "enterprise", &plant, &asked).await {
        assert_eq!(item, json!({ "scanned": item["scanned"], "known": false }), "{item}");
    }
    // Having looked at it gives nobody a right.
    let test = json!({
        "domain": "agri", "type": "market_entry", "subject": plant["code"],
        "event_time": "2026-11-11T08:00:00+08:00", "inputs": [{ "code": "HIDDEN-1" }],
        "attributes": { "voucher": "certificate" },
    });
    app.post("gateway", "/api/v1/trace/events", test).await;
    let item = scanned(&app, "enterprise", &plant, &["HIDDEN-1"]).await.remove(0);
    assert_eq!(item["known"], false, "{item}");
    // Who supervises the region is told, and whose it is.
    let item = scanned(&app, "supervisor", &plant, &["HIDDEN-1"]).await.remove(0);
    assert_eq!(
        (&item["holding"], &item["holder"], &item["balance"]),
        (&json!("other"), &json!("示例韭菜合作社一社"), &json!("100"))
    );
}

#[tokio::test]
async fn g_6_4_1_a_scan_reads_links_and_says_what_is_wrong_with_a_label() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let asked = [
        "/01/06901234567893/10/L1",
        "/01/06901234567892",
        "/01/06901234567892/10/NOTHING",
        "韭菜",
        "/t/A",
    ];
    let items = scanned(&app, "farm", &farm, &asked).await;
    let problems: Vec<_> =
        items.iter().map(|item| item["problem"].as_str().unwrap_or("")).collect();
    for (at, word) in
        [(0, "校验位应为 2"), (1, "只有商品条码"), (3, "不能含有 韭"), (4, "Digital Link")]
    {
        assert!(problems[at].contains(word), "{}: {}", asked[at], problems[at]);
    }
    assert_eq!(items[2], json!({ "scanned": asked[2], "known": false }));
    // A link leads to the newest unit of that lot.
    let mut event = harvest(&farm, "LINKED-1");
    event["outputs"][0]["lot"] = json!("L-SCAN-1");
    captured(&app, event).await;
    let item = scanned(&app, "farm", &farm, &["/01/06901234567892/10/L-SCAN-1"]).await.remove(0);
    assert_eq!(item["code"], "LINKED-1", "{item}");
}

#[tokio::test]
async fn g_6_4_1_a_scan_says_which_check_digit_would_be_right_in_every_notation() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let wrong = [
        ("(01)06901234567893(10)L1", "2"),
        ("010690123456789310L1", "2"),
        ("]C1010690123456789310L1\u{1d}215", "2"),
        ("010690123456789310L1\u{1d}215", "2"),
        ("^010690123456789310L1", "2"),
        ("https://example.com/01/06901234567893/10/L1", "2"),
        ("6901234567893", "2"),
        ("(00)069012345678900010", "9"),
        ("069012345678900010", "9"),
        ("00069012345678900010", "9"),
    ];
    let items = scanned(&app, "farm", &farm, &wrong.map(|(text, _)| text)).await;
    for ((text, right), item) in wrong.iter().zip(&items) {
        let problem = item["problem"].as_str().unwrap_or_default();
        assert!(problem.contains(&format!("校验位应为 {right}")), "{text:?}: {item}");
        assert_eq!(item["known"], false);
    }
}

#[tokio::test]
async fn g_6_4_1_a_scan_warns_of_what_is_called_back_and_what_is_gone() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "BACK-1")).await;
    captured(&app, harvest(&farm, "SOLD-1")).await;
    let recall = json!({
        "domain": "agri", "type": "recall", "subject": farm["code"],
        "event_time": "2026-11-11T08:00:00+08:00", "inputs": [{ "code": "BACK-1" }],
        "attributes": { "level": "1", "reason": "示例检测不合格", "advice": "请停止食用" },
    });
    let taken = captured(&app, recall).await;
    if said(&taken).0 == "held" {
        let approve = format!("/api/v1/trace/events/{}/approve", id_of(&taken));
        app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    }
    let sale = json!({
        "domain": "agri", "type": "retail", "subject": farm["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": "SOLD-1", "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": "SOLD-1", "quantity": "100", "unit": "KGM" }],
    });
    assert_eq!(said(&captured(&app, sale).await).0, "accepted");
    let items = scanned(&app, "farm", &farm, &["BACK-1", "SOLD-1"]).await;
    assert_eq!((&items[0]["recalled"], &items[1]["recalled"]), (&json!(true), &json!(false)));
    assert_eq!((&items[1]["state"], &items[1]["balance"]), (&json!("sold"), &json!("0")));
}

#[tokio::test]
async fn g_6_4_1_a_scan_is_for_a_subject_within_reach_and_has_a_limit() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let body = |subject: &Value, codes: Vec<String>| json!({ "subject": subject["code"], "domain": "agri", "codes": codes });
    let many = |count: usize| (0..count).map(|at| format!("MANY-{at}")).collect::<Vec<_>>();
    let refused = app.post("farm", SCAN, body(&plant, many(1))).await.expect(422);
    assert!(detail(&refused).contains("不在您的数据权限范围内"), "{refused}");
    for (count, now) in [(0, "现为 0 个"), (201, "现为 201 个")] {
        let refused = app.post("farm", SCAN, body(&farm, many(count))).await.expect(422);
        assert!(detail(&refused).contains(now), "{refused}");
    }
    let answer = app.post("farm", SCAN, body(&farm, many(200))).await.expect(200);
    assert_eq!(answer["items"].as_array().unwrap().len(), 200);
    app.post("secadmin", SCAN, body(&farm, many(1))).await.expect(403);
}
