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
