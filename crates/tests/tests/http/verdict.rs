//! G-6.4.1, handbook §4.1: what a test report concludes is what its figures say, and an unqualified one stops
//! its lot.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured},
    harness::{TestApp, harvest},
    subjects::detail,
};

fn report(subject: &Value, code: &str, (item, value, verdict): (&str, &str, &str)) -> Value {
    json!({
        "domain": "agri", "type": "test", "subject": subject["code"],
        "event_time": "2026-11-19T11:00:00+08:00", "inputs": [{ "code": code }],
        "attributes": {
            "report_no": format!("示例检-{item}-{value}-{verdict}"), "item": "示例项目",
            "item_code": item, "value": value, "laboratory": "quick", "verdict": verdict,
        },
    })
}

#[tokio::test]
async fn g_6_4_1_a_quick_test_is_judged_by_its_figures_and_stops_what_it_condemns() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "VER-1")).await;
    captured(&app, harvest(&farm, "VER-2")).await;
    // 抑制率 of 50 % or more, and anything at all of what must not be found.
    for (item, value, verdict) in [
        ("inhibition", "50", "pass"),
        ("inhibition", "92.5", "pass"),
        ("clenbuterol", "0.0001", "not_detected"),
        ("malachite", "1", "pass"),
    ] {
        let refused = capture(&app, report(&farm, "VER-1", (item, value, verdict))).await;
        let refused = refused.expect(422);
        assert!(detail(&refused).contains("结论"), "{item} {value}: {refused}");
    }
    for (item, value, verdict) in
        [("inhibition", "49.9999", "pass"), ("clenbuterol", "0", "not_detected")]
    {
        captured(&app, report(&farm, "VER-1", (item, value, verdict))).await;
    }
    let quality = async |code: &str| {
        let path = format!("/api/v1/trace/objects/{code}");
        app.get("supervisor", &path).await.expect(200)["quality"].clone()
    };
    assert_eq!(quality("VER-1").await, Value::Null);
    captured(&app, report(&farm, "VER-1", ("inhibition", "50", "fail"))).await;
    assert_eq!((quality("VER-1").await, quality("VER-2").await), (json!("03"), Value::Null));
    // A second report of the same lot stops it no more than it is stopped.
    captured(&app, report(&farm, "VER-1", ("malachite", "1", "fail"))).await;
    let orders = app.get("supervisor", "/api/v1/trace_order?code=VER-1").await.expect(200);
    assert_eq!(orders["items"].as_array().unwrap().len(), 1, "{orders}");
    // After a good one the authority lets it go.
    let id = orders["items"][0]["id"].as_str().unwrap();
    let because = json!({ "reason": "复检合格", "document_no": "示监〔2026〕9号" });
    let path = format!("/api/v1/trace_order/{id}/lift");
    app.post("farm", &path, because.clone()).await.expect(409);
    app.post("supervisor", &path, because).await.expect(200);
    assert_eq!(quality("VER-1").await, Value::Null);
}

#[tokio::test]
async fn g_6_4_1_what_lies_below_detection_is_neither_nothing_nor_a_number() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "LOD-1")).await;
    let judged = |value: &str, limit: &str, lod: &str, verdict: &str| {
        let mut event = report(&farm, "LOD-1", ("", value, verdict));
        let attributes = event["attributes"].as_object_mut().unwrap();
        attributes.remove("item_code");
        for (name, text) in [("limit", limit), ("lod", lod)] {
            if !text.is_empty() {
                attributes.insert(String::from(name), json!(text));
            }
        }
        attributes.insert(
            String::from("report_no"),
            json!(format!("示例检-{value}-{limit}-{lod}-{verdict}")),
        );
        event
    };
    for (value, limit, lod, verdict, field, word) in [
        // Where the method does not see as far as the limit, nothing can be said.
        ("ND", "0.2", "0.5", "pass", "verdict", "不能判定"),
        ("<0.5", "0.2", "", "pass", "verdict", "不能判定"),
        ("未检出(<0.5)", "0.2", "", "not_detected", "verdict", "不能判定"),
        ("<0.5", "0.2", "", "fail", "verdict", "应为“不能判定”"),
        // Below the limit of detection there are no numbers.
        ("0", "0.2", "0.01", "pass", "value", "低于检出限 0.01"),
        // What is known to be above is no pass, and is not left open.
        (">0.2", "0.2", "", "pass", "verdict", "超过限值 0.2"),
        ("0.9", "0.2", "0.01", "undetermined", "verdict", "超过限值 0.2"),
        ("NaN", "0.2", "", "pass", "value", "应为检测结果"),
        ("<0", "0.2", "", "pass", "value", "大于 0"),
    ] {
        let refused = capture(&app, judged(value, limit, lod, verdict)).await.expect(422);
        let found = refused["errors"].as_array().unwrap().iter().any(|one| {
            one["field"] == format!("attributes.{field}").as_str()
                && one["detail"].as_str().unwrap().contains(word)
        });
        assert!(found, "{value} {limit} {lod} {verdict}: {refused}");
    }
    for (value, limit, lod, verdict) in [
        ("ND", "0.2", "0.01", "not_detected"),
        ("＜0.1", "0.2", "", "pass"),
        ("ND", "0.2", "0.5", "undetermined"),
        ("未检出", "0", "0.5", "not_detected"),
    ] {
        let stored = captured(&app, judged(value, limit, lod, verdict)).await;
        // Kept as it was sent.
        let path = format!("/api/v1/trace/events/{}", stored["id"].as_str().unwrap());
        let read = app.get("supervisor", &path).await.expect(200);
        assert_eq!(read["attributes"]["value"], value, "{read}");
    }
    // What cannot be judged stops nothing.
    let object = app.get("supervisor", "/api/v1/trace/objects/LOD-1").await.expect(200);
    assert_eq!(object["quality"], Value::Null);
}

#[tokio::test]
async fn g_6_4_1_a_sampling_plan_counts_what_is_below_the_plate() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "PLA-1")).await;
    let counted = |counts: &str, verdict: &str| {
        let mut event = report(&farm, "PLA-1", ("total_count_infant", "1", verdict));
        event["domain"] = json!("food");
        event["attributes"] = json!({
            "report_no": format!("示例检-{counts}-{verdict}"), "kind": "factory", "item": "菌落总数",
            "item_code": "total_count_infant", "counts": counts, "verdict": verdict,
        });
        event
    };
    captured(&app, counted("<10 <10 ND 1200 10000", "pass")).await;
    let refused = capture(&app, counted("<10 <10 1200 1300 >300", "pass")).await.expect(422);
    assert!(detail(&refused).contains("不能判定"), "{refused}");
    captured(&app, counted("<10 <10 1200 1300 >300", "undetermined")).await;
    let refused = capture(&app, counted("<10 <10 <10 <10 >10000", "pass")).await.expect(422);
    assert!(detail(&refused).contains("M = 10000"), "{refused}");
    let refused = capture(&app, counted("<10 <10 <10 <10", "pass")).await.expect(422);
    assert!(detail(&refused).contains("n = 5"), "{refused}");
}

#[tokio::test]
async fn g_6_4_1_a_verdict_that_its_result_contradicts_is_refused() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "CON-1")).await;
    let judged = |domain: &str, given: Value| {
        let mut event = report(&farm, "CON-1", ("", "1", "pass"));
        event["domain"] = json!(domain);
        event["attributes"] = json!({ "report_no": format!("示例检-{given}").chars().take(50).collect::<String>(), "item": "示例项目" });
        if domain == "food" {
            event["attributes"]["kind"] = json!("factory");
        }
        for (name, value) in given.as_object().unwrap() {
            event["attributes"][name] = value.clone();
        }
        event
    };
    for (domain, given, words) in [
        // Above the limit nothing passes, whatever the domain.
        ("industrial", json!({ "value": "9", "limit": "0.2", "verdict": "pass" }), "超过限值 0.2"),
        ("dangerous", json!({ "value": "9", "limit": "0.2", "verdict": "pass" }), "超过限值 0.2"),
        ("rare_earth", json!({ "value": ">1", "limit": "1", "verdict": "pass" }), "超过限值 1"),
        // Within it nothing fails.
        ("agri", json!({ "value": "0.1", "limit": "0.2", "verdict": "fail" }), "不超过限值 0.2"),
        (
            "agri",
            json!({ "value": "ND", "limit": "0.2", "lod": "0.01", "verdict": "fail" }),
            "不超过限值",
        ),
        // What was found was found, within the limit too.
        (
            "agri",
            json!({ "value": "0.1", "limit": "0.2", "verdict": "not_detected" }),
            "是检出的结果",
        ),
        (
            "drug",
            json!({ "value": "<LOQ", "kind": "release", "verdict": "not_detected" }),
            "是检出的结果",
        ),
        // The law's limit counts beside a laxer one on the paper.
        (
            "agri",
            json!({ "value": "60", "limit": "100", "item_code": "inhibition", "verdict": "pass" }),
            "超过限值 49.9999",
        ),
        // Of five samples that nobody tells of none is good, and one number above M is enough.
        ("food", json!({ "item_code": "total_count_infant", "verdict": "pass" }), "n = 5 个样品"),
        (
            "food",
            json!({ "item_code": "total_count_infant", "value": "20000", "verdict": "pass",
                "counts": "<10 <10 <10 <10 <10" }),
            "超过限值 10000",
        ),
    ] {
        let refused = capture(&app, judged(domain, given.clone())).await.expect(422);
        assert!(refused.to_string().contains(words), "{domain} {given}: {refused}");
    }
    for (domain, given) in [
        ("agri", json!({ "value": "0.1", "limit": "0.2", "verdict": "pass" })),
        ("agri", json!({ "value": "ND", "limit": "0.2", "verdict": "undetermined" })),
        ("agri", json!({ "value": "<0.05", "limit": "0.2", "verdict": "not_detected" })),
        // A stricter limit on the paper than the law's.
        (
            "agri",
            json!({ "value": "30", "limit": "20", "item_code": "inhibition", "verdict": "fail" }),
        ),
        // One that its samples condemn, whatever their mean.
        (
            "food",
            json!({ "item_code": "total_count_infant", "value": "800", "limit": "1000",
                "counts": "1100 1100 1100 10 10", "verdict": "fail" }),
        ),
    ] {
        capture(&app, judged(domain, given)).await.expect(201);
    }
}
