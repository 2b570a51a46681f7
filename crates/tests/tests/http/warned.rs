//! G-6.9-3: the page of a product warns of its lots, whatever was seen of them and whenever it was said.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    capturing::{captured, processing, said},
    harness::{TestApp, harvest},
    houses::id_of,
};

const EVENTS: &str = "/api/v1/trace/events";
/// 示例韭菜
const PAGE: &str = "/01/06901234567892";

/// A harvest of a lot.
fn of_lot(subject: &Value, code: &str, lot: &str) -> Value {
    let mut event = harvest(subject, code);
    event["outputs"][0]["lot"] = json!(lot);
    event
}

/// Makes a lot out of something.
fn made(subject: &Value, from: &str, (to, lot): (&str, &str)) -> Value {
    let mut event = processing(subject, (from, "10"), to);
    event["outputs"][0]["lot"] = json!(lot);
    event
}

fn recall(subject: &Value, code: &str) -> Value {
    json!({
        "domain": "agri", "type": "recall", "subject": subject["code"],
        "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": code }],
        "attributes": { "level": "1", "reason": "示例检测不合格", "advice": "请停止食用" },
    })
}

fn test(subject: &Value, code: &str, verdict: &str) -> Value {
    json!({
        "domain": "agri", "type": "test", "subject": subject["code"],
        "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": code }],
        "attributes": { "report_no": format!("示例检-{code}"), "item": "示例项目", "verdict": verdict },
    })
}

/// The event that takes another back.
fn withdrawal(event: &Value) -> Value {
    json!({
        "domain": event["domain"], "type": event["type"], "subject": event["subject"]["code"],
        "event_time": "2026-11-12T09:00:00+08:00", "correction_of": event["id"],
        "correction_reason": "示例登记有误", "withdraws": true,
    })
}

async fn approve(app: &TestApp, event: &Value) {
    assert_eq!(said(event).0, "held", "{event}");
    let approve = format!("{EVENTS}/{}/approve", id_of(event));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
}

/// What the page of a product says of a lot; nothing of a lot that it does not name.
async fn told(app: &TestApp, lot: &str) -> Option<String> {
    let page = app.send("GET", PAGE, None, &[("accept", "application/json")], None).await;
    let page = page.expect(200);
    let lots = page["warned_lots"].as_array().unwrap();
    assert_eq!(page["warned_lots_total"], lots.len());
    let found = lots.iter().find(|one| one["lot"] == lot)?;
    let recalled = found["state"] == "recalled";
    let quality = String::from(found["quality_name"].as_str().unwrap());
    assert_eq!(recalled, quality == "召回", "{found}");
    Some(quality)
}

#[tokio::test]
async fn g_6_9_3_a_product_warns_of_what_is_called_back_and_of_what_was_made_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, of_lot(&farm, "REC-1", "L-REC")).await;
    captured(&app, of_lot(&farm, "WELL-1", "L-WELL")).await;
    captured(&app, made(&farm, "REC-1", ("REC-2", "L-MADE"))).await;
    let recalled = captured(&app, recall(&farm, "REC-1")).await;
    assert_eq!(told(&app, "L-REC").await, None, "it waits for its review");
    app.pass(SignedDuration::from_mins(1));
    // What is registered meanwhile has a higher number, and condemns the same lot less.
    let failed = captured(&app, test(&farm, "REC-1", "fail")).await;
    assert_eq!(said(&failed).0, "accepted", "{failed}");
    assert_eq!(told(&app, "L-REC").await.as_deref(), Some("不合格"));
    approve(&app, &recalled).await;
    assert_eq!(told(&app, "L-REC").await.as_deref(), Some("召回"));
    assert_eq!(told(&app, "L-MADE").await.as_deref(), Some("召回"));
    assert_eq!(told(&app, "L-WELL").await, None);
    // Of what is taken back nothing is left but what others said.
    let withdrawn = captured(&app, withdrawal(&recalled)).await;
    assert_eq!(told(&app, "L-REC").await.as_deref(), Some("召回"));
    approve(&app, &withdrawn).await;
    assert_eq!(told(&app, "L-REC").await.as_deref(), Some("不合格"));
    assert_eq!(told(&app, "L-MADE").await.as_deref(), Some("不合格"));
}

#[tokio::test]
async fn g_6_9_3_a_product_warns_of_what_was_found_unqualified_until_that_is_corrected() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, of_lot(&farm, "BAD-1", "L-BAD")).await;
    captured(&app, made(&farm, "BAD-1", ("BAD-2", "L-OF-BAD"))).await;
    // Another's lot is not stopped by one's word alone.
    let found = captured(&app, test(&plant, "BAD-1", "fail")).await;
    assert_eq!((said(&found).0, told(&app, "L-BAD").await), ("held", None));
    approve(&app, &found).await;
    for lot in ["L-BAD", "L-OF-BAD"] {
        assert_eq!(told(&app, lot).await.as_deref(), Some("不合格"), "{lot}");
    }
    // The order is lifted; the report stands.
    let orders = app.get("supervisor", "/api/v1/trace_order?code=BAD-1").await.expect(200);
    let lift = format!("/api/v1/trace_order/{}/lift", id_of(&orders["items"][0]));
    let because = json!({ "reason": "复检合格", "document_no": "示监〔2026〕9号" });
    app.post("supervisor", &lift, because).await.expect(200);
    let object = app.get("supervisor", "/api/v1/trace/objects/BAD-1").await.expect(200);
    assert_eq!(object["quality"], Value::Null);
    for lot in ["L-BAD", "L-OF-BAD"] {
        assert_eq!(told(&app, lot).await.as_deref(), Some("不合格"), "{lot}");
    }
    // A unit that turns out to be of another product is none of this one's.
    let path = format!("{EVENTS}?code=BAD-2");
    let event = app.get("supervisor", &path).await.expect(200)["items"][0].clone();
    let mut other = made(&farm, "BAD-1", ("BAD-2", "L-OF-BAD"));
    other["correction_of"] = event["id"].clone();
    other["correction_reason"] = json!("示例产品有误");
    other["outputs"][0]["product"] = json!("YJ-TI-00");
    let moved = captured(&app, other).await;
    assert_eq!((said(&moved).0, told(&app, "L-OF-BAD").await), ("accepted", None), "{moved}");
    // The report was of something else.
    let mut corrected = test(&plant, "BAD-1", "pass");
    corrected["correction_of"] = found["id"].clone();
    corrected["correction_reason"] = json!("示例结论有误");
    let corrected = captured(&app, corrected).await;
    assert_eq!(said(&corrected).0, "accepted", "{corrected}");
    assert_eq!(told(&app, "L-BAD").await, None);
}

#[tokio::test]
async fn g_6_9_3_a_product_names_every_lot_under_orders_once_however_many_units_it_has() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut event = of_lot(&farm, "MANY-0", "L-MANY");
    let one = event["outputs"][0].clone();
    for at in 1..20 {
        let mut another = one.clone();
        another["code"] = json!(format!("MANY-{at}"));
        if at > 16 {
            another["lot"] = json!(format!("L-MANY-{at}"));
        }
        event["outputs"].as_array_mut().unwrap().push(another);
    }
    captured(&app, event).await;
    captured(&app, made(&farm, "MANY-16", ("MANY-MADE", "L-MANY-MADE"))).await;
    let order = |act: &str| {
        json!({
            "act": act, "downstream": true, "reason": "示例停止交易",
            "document_no": "示监〔2026〕9号", "authority": "示例市场监督管理局",
        })
    };
    for at in 0..20 {
        let act = if at == 3 { "recall" } else { "stop" };
        let path = format!("/api/v1/trace/objects/MANY-{at}/orders");
        app.post("supervisor", &path, order(act)).await.expect(201);
    }
    for (lot, quality) in [
        ("L-MANY", "召回"),
        ("L-MANY-17", "冻结"),
        ("L-MANY-18", "冻结"),
        ("L-MANY-19", "冻结"),
        ("L-MANY-MADE", "冻结"),
    ] {
        assert_eq!(told(&app, lot).await.as_deref(), Some(quality), "{lot}");
    }
}

#[tokio::test]
async fn g_6_9_3_what_was_stored_before_is_warned_of_as_well() {
    let app = TestApp::start().await;
    let page = async || {
        let page = app.send("GET", PAGE, None, &[("accept", "application/json")], None).await;
        page.expect(200)["warned_lots"].clone()
    };
    let (known, noted) = (page().await, app.count("SELECT COUNT(*) FROM trace_grave").await);
    assert!(noted > 0 && !known.as_array().unwrap().is_empty(), "{known}");
    app.run_sql("DELETE FROM trace_grave; UPDATE trace_object SET grave = NULL").await;
    assert_ne!(page().await, known);
    let script = include_str!("../../../trace/migrations/0018_grave.sql");
    let filling = script.split_once("INSERT INTO trace_grave").unwrap().1;
    let filling = filling.split_once("CREATE INDEX").unwrap().0;
    app.run_sql(&format!("INSERT INTO trace_grave{filling}")).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_grave").await, noted);
    assert_eq!(page().await, known);
}

#[tokio::test]
async fn d_6_3_a_warning_that_somebody_took_away_is_found() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, of_lot(&farm, "HID-1", "L-HID")).await;
    let recalled = captured(&app, recall(&farm, "HID-1")).await;
    approve(&app, &recalled).await;
    app.anchor().await;
    let found = async || app.assembled.tamper.inspect(&app.assembled.app).await.unwrap().1;
    assert_eq!(found().await, []);
    let attacks = [
        "UPDATE trace_object SET grave = NULL WHERE code = 'HID-1'",
        "DELETE FROM trace_grave WHERE object_id = (SELECT id FROM trace_object WHERE code = 'HID-1')",
    ];
    for attack in attacks {
        app.tamper(attack).await;
        let found = found().await;
        let [one] = found.as_slice() else { panic!("{attack}: {found:?}") };
        let fields: Vec<&str> = one.fields.iter().map(|said| said.field.as_str()).collect();
        assert_eq!(
            (one.record.as_str(), fields),
            (recalled["id"].as_str().unwrap(), vec!["grave"])
        );
        app.run_sql(
            "UPDATE trace_object SET grave = (SELECT MAX(l.event_id) FROM trace_link l \
             WHERE l.object_id = trace_object.id AND l.role = 2) WHERE code = 'HID-1'",
        )
        .await;
    }
}
