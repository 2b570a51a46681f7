//! D-6.3: anchored records are proved offline, and every later change is found and named.

use serde_json::{Value, json};
use yj_proof::{StepId, Trust, verify};

use crate::{
    capturing::captured,
    harness::{TestApp, harvest},
};

async fn accepted(app: &TestApp, code: &str) -> String {
    let subject = app.subject("示例韭菜合作社一社").await;
    let answer =
        app.post("gateway", "/api/v1/trace/events", harvest(&subject, code)).await.expect(201);
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

#[tokio::test]
async fn d_6_3_1_a_record_goes_from_capture_to_a_proof_that_anyone_can_check() {
    let app = TestApp::start().await;
    let id = accepted(&app, "NEW-1").await;
    let path = format!("/api/v1/trace/events/{id}");
    assert_eq!(app.get("supervisor", &path).await.expect(200)["anchor"], "pending");
    assert_eq!(app.get("supervisor", &format!("{path}/proof")).await.status, 409);
    app.anchor().await;
    let read = app.get("supervisor", &path).await.expect(200);
    assert_eq!(
        (&read["anchor"], &read["integrity"]["intact"]),
        (&"confirmed".into(), &true.into())
    );
    let proof = app.get("supervisor", &format!("{path}/proof")).await;
    let (_, chain) = app.assembled.ledger.genesis();
    let verdict = verify(&proof.bytes, &Trust::in_chain(chain));
    assert!(verdict.ok, "{verdict:?}");
    let mut text = String::from_utf8(proof.bytes).unwrap();
    text = text.replace("\"quantity\":\"100\"", "\"quantity\":\"900\"");
    assert_eq!(verify(text.as_bytes(), &Trust::in_chain(chain)).failed(), Some(StepId::RecordPath));
    let asked =
        app.send("POST", "/api/v1/ledger/verify", None, &[], Some(text.into())).await.expect(200);
    assert_eq!(asked["ok"], false);
}

#[tokio::test]
async fn d_6_3_1_editing_one_stored_field_is_found_and_named() {
    for (change, field) in [
        ("UPDATE trace_event SET lot = 'OTHER' WHERE lot = 'L1'", "lot"),
        ("UPDATE trace_event SET event_time = event_time + 60000 WHERE lot = 'L1'", "event_time"),
        (
            "UPDATE trace_event SET body = replace(body, '\"100\"', '\"900\"') WHERE lot = 'L1'",
            "outputs[0].quantity",
        ),
        (
            "UPDATE trace_link SET quantity = quantity + 1 WHERE event_id = (SELECT id FROM trace_event WHERE lot = 'L1')",
            "links[0].quantity",
        ),
        (
            "UPDATE anchor_entry SET envelope = replace(envelope, '\"100\"', '\"900\"') WHERE record = (SELECT uid FROM trace_event WHERE lot = 'L1')",
            "原文",
        ),
    ] {
        let app = TestApp::start().await;
        let id = accepted(&app, "NEW-1").await;
        app.anchor().await;
        app.tamper(change).await;
        let read = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
        assert_eq!(read["integrity"]["intact"], false, "{change}");
        assert!(
            read["integrity"]["finding"].as_str().unwrap().contains(field),
            "{change}: {}",
            read["integrity"]
        );
    }
}

#[tokio::test]
async fn d_6_3_3_what_is_not_approved_is_not_anchored() {
    let app = TestApp::start().await;
    let policy = json!({ "name": "合作社接口数据须审核", "source": "api", "region": "610000", "domain": "agri", "stage": "primary_production", "decision": "manual" });
    app.post("supervisor", "/api/v1/source_policy", policy).await.expect(201);
    let subject = app.subject("示例韭菜合作社一社").await;
    let answer =
        app.post("farm", "/api/v1/trace/events", harvest(&subject, "HELD-1")).await.expect(201);
    assert_eq!(answer["results"][0]["state"], "held");
    let id = answer["results"][0]["id"].as_str().unwrap();
    app.anchor().await;
    let path = format!("/api/v1/trace/events/{id}");
    assert_eq!(app.get("supervisor", &path).await.expect(200)["anchor"], "none");
    assert_eq!(app.get("supervisor", "/api/v1/trace/chain?code=HELD-1").await.status, 404);
    assert_eq!(app.post("farm", &format!("{path}/approve"), json!({})).await.status, 403);
    assert_eq!(app.post("reviewer", &format!("{path}/reject"), json!({})).await.status, 422);
    app.post("reviewer", &format!("{path}/approve"), json!({ "comment": "属实" }))
        .await
        .expect(200);
    assert_eq!(app.post("reviewer", &format!("{path}/approve"), json!({})).await.status, 409);
    app.anchor().await;
    assert_eq!(app.get("supervisor", &path).await.expect(200)["anchor"], "confirmed");
    let chain = app.get("farm", "/api/v1/trace/chain?code=HELD-1").await.expect(200);
    assert_eq!(chain["root"]["held"], "100");
}

#[tokio::test]
async fn corrections_supersede_and_the_first_record_keeps_its_proof() {
    let app = TestApp::start().await;
    let id = accepted(&app, "NEW-1").await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let mut correction = harvest(&subject, "NEW-1");
    correction["outputs"][0]["quantity"] = json!("80");
    correction["correction_of"] = json!(id);
    assert_eq!(app.post("gateway", "/api/v1/trace/events", correction.clone()).await.status, 422);
    correction["correction_reason"] = json!("录入有误");
    let answer = app.post("gateway", "/api/v1/trace/events", correction.clone()).await.expect(201);
    let next = answer["results"][0]["id"].as_str().unwrap();
    app.anchor().await;
    let first = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
    assert_eq!(
        (&first["state"], &first["superseded_by"]),
        (&"superseded".into(), &Value::from(next))
    );
    assert_eq!(
        (&first["anchor"], &first["integrity"]["intact"]),
        (&"confirmed".into(), &true.into())
    );
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=NEW-1").await.expect(200);
    assert_eq!((&chain["root"]["produced"], &chain["root"]["held"]), (&"80".into(), &"80".into()));
    correction["outputs"][0]["quantity"] = json!("70");
    assert_eq!(app.post("gateway", "/api/v1/trace/events", correction).await.status, 409);
}

#[tokio::test]
async fn a_correction_cannot_take_away_what_was_already_used() {
    let app = TestApp::start().await;
    let found =
        app.get("supervisor", "/api/v1/trace/events?code=F1-A&type=harvest").await.expect(200);
    let original = &found["items"][0];
    let correction = json!({
        "domain": "agri", "type": "harvest", "subject": original["subject"]["code"], "event_time": original["event_time"],
        "outputs": [{ "code": "F1-A", "quantity": "1100", "unit": "KGM", "product": "YJ-JC-01", "lot": "F1-A" }],
        "attributes": { "plot": "示例地块一", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" }, "correction_of": original["id"], "correction_reason": "称重有误",
    });
    let refused = app.post("gateway", "/api/v1/trace/events", correction).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("结存将为负"), "{refused}");
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=F1-A").await.expect(200);
    assert_eq!(chain["root"]["produced"], "1200");
}

#[tokio::test]
async fn the_whole_chain_of_blocks_verifies() {
    let app = TestApp::start().await;
    for number in 0..5 {
        accepted(&app, &format!("NEW-{number}")).await;
        app.anchor().await;
    }
    assert_eq!(app.assembled.ledger.verify_chain().unwrap(), 6);
    let status = app.get("supervisor", "/api/v1/ledger/status").await.expect(200);
    assert_eq!(
        (&status["height"], &status["pending"], &status["confirmed"]),
        (&6.into(), &0.into(), &33.into())
    );
    let blocks = app.get("supervisor", "/api/v1/ledger/blocks").await.expect(200);
    assert_eq!(blocks["items"].as_array().unwrap().len(), 6);
    let block = app.get("supervisor", "/api/v1/ledger/blocks/6").await.expect(200);
    assert_eq!((&block["certificate"]["valid"], &block["records"]), (&true.into(), &1.into()));
}

#[tokio::test]
async fn g_6_9_3_the_public_page_tells_the_story_and_no_secrets() {
    let app = TestApp::start().await;
    let page = app.send("GET", "/t/R1-sold", None, &[("accept", "text/html")], None).await;
    let html = String::from_utf8(page.bytes).unwrap();
    assert_eq!(page.status, 200);
    assert!(
        html.contains("示例韭菜")
            && html.contains("示例蔬菜加工厂")
            && html.contains("不合格")
            && !html.contains("<script>")
    );
    assert!(html.len() < 12_000, "{} bytes", html.len());
    for secret in ["1380", "示例联系人", "1540", "KGM"] {
        assert!(!html.contains(secret), "{secret}");
    }
    let again = app
        .send("GET", "/t/R1-sold", None, &[("accept", "application/json")], None)
        .await
        .expect(200);
    assert_eq!((&again["scans"], &again["state"]), (&2.into(), &"warning".into()));
    let linked = app
        .send("GET", "/01/06901234567892/10/R1-sold", None, &[("accept", "application/json")], None)
        .await
        .expect(200);
    assert_eq!(linked["code"], "R1-sold");
    let missing = app.send("GET", "/t/NOTHING", None, &[("accept", "text/html")], None).await;
    assert_eq!(missing.status, 404);
    assert!(String::from_utf8(missing.bytes).unwrap().contains("未查到追溯信息"));
    assert_eq!(app.send("GET", "/01/06901234567893", None, &[], None).await.status, 400);
}

#[tokio::test]
async fn g_6_9_3_a_failed_test_is_told_however_many_have_looked_on_since() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for minute in 0..42 {
        let event = json!({
            "domain": "agri", "type": "supervision", "subject": farm["code"],
            "event_time": format!("2026-11-16T12:{minute:02}:00+08:00"),
            "inputs": [{ "code": "R1-sold" }],
            "attributes": { "authority": "示例市场监督管理局", "kind": "daily", "result": "pass" },
        });
        captured(&app, event).await;
    }
    let page = app.send("GET", "/t/R1-sold", None, &[("accept", "text/html")], None).await;
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(!html.contains("id=\"steps\"") || !html.contains("class=\"fail\""), "none of 40");
    assert!(html.contains("有检测结论为不合格") && !html.contains("已查到追溯信息"), "{html}");
}

#[tokio::test]
async fn g_10_4_public_proofs_prove_the_story_and_keep_trade_secrets() {
    let app = TestApp::start().await;
    let answer = app.send("GET", "/api/v1/public/proof/R1-sold", None, &[], None).await.expect(200);
    let (_, chain) = app.assembled.ledger.genesis();
    let proofs = answer["proofs"].as_array().unwrap();
    let story = app
        .send("GET", "/t/R1-sold", None, &[("accept", "application/json")], None)
        .await
        .expect(200);
    assert_eq!(proofs.len(), story["steps"].as_array().unwrap().len());
    for proof in proofs {
        let text = proof["proof"].as_str().unwrap();
        assert!(verify(text.as_bytes(), &Trust::in_chain(chain)).ok, "{text}");
        for secret in ["1000", "1540", "KGM", "P1-X#2", "P1-Y", "C1-used", "counterparty", "plot"] {
            assert!(!text.contains(&format!("\"{secret}\"")), "{secret}: {text}");
        }
    }
    let all = answer.to_string();
    assert!(all.contains("R1-sold") && all.contains("F1-A") && all.contains("verdict"));
    assert_eq!(app.send("GET", "/api/v1/public/proof/NOTHING", None, &[], None).await.status, 404);
}

#[tokio::test]
async fn g_6_9_3_a_recall_reaches_every_code_made_from_the_lot_once_approved() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let recall = json!({
        "domain": "agri", "type": "recall", "subject": subject["code"], "event_time": "2026-11-12T08:00:00+08:00",
        "inputs": [{ "code": "P1-X" }],
        "attributes": { "level": "1", "reason": "示例检测不合格", "advice": "请停止食用，凭购物凭证退货" },
    });
    // Even where the interface's data are accepted by themselves.
    let answer = app.post("gateway", "/api/v1/trace/events", recall).await.expect(201);
    assert_eq!(answer["results"][0]["state"], "held");
    let story = async |code: &str| {
        app.send("GET", &format!("/t/{code}"), None, &[("accept", "application/json")], None)
            .await
            .expect(200)
    };
    assert_eq!(story("R1-sold").await["state"], "warning");
    let path =
        format!("/api/v1/trace/events/{}/approve", answer["results"][0]["id"].as_str().unwrap());
    app.post("reviewer", &path, json!({ "comment": "属实" })).await.expect(200);
    for code in ["P1-X", "R1-sold", "C1-used"] {
        let found = story(code).await;
        assert_eq!(
            (&found["state"], &found["recall"]["reason"]),
            (&"recalled".into(), &"示例检测不合格".into()),
            "{code}"
        );
    }
    assert_eq!(story("R3-sold").await["state"], "warning");
    let page = app.send("GET", "/t/R1-sold", None, &[("accept", "text/html")], None).await;
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("该产品已被召回") && html.contains("请停止食用"));
}
