//! G-6.4.1, G-6.5, handbook §1.10: orders that stop lots from moving, what remains possible under them, and
//! that nothing gets past them.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    access::somebody,
    capturing::{at, capture, captured, held, processing, said},
    harness::{Answer, TestApp, harvest},
    houses::id_of,
    subjects::detail,
};

const NOW: &str = "2026-11-19T12:00:00+08:00";

/// An order of the supervisor.
async fn order(app: &TestApp, user: &str, code: &str, body: Value) -> Answer {
    app.post(user, &format!("/api/v1/trace/objects/{code}/orders"), body).await
}

fn official(act: &str, downstream: bool) -> Value {
    json!({
        "act": act, "downstream": downstream, "reason": "示例抽检不合格",
        "document_no": "示监〔2026〕1号", "authority": "示例市场监督管理局",
    })
}

async fn lift(app: &TestApp, user: &str, id: &str, body: Value) -> Answer {
    app.post(user, &format!("/api/v1/trace_order/{id}/lift"), body).await
}

async fn quality(app: &TestApp, code: &str) -> Value {
    let path = format!("/api/v1/trace/objects/{code}");
    app.get("supervisor", &path).await.expect(200)["quality"].clone()
}

/// A sale of everything of a code.
fn sale(subject: &Value, (code, quantity): (&str, &str), to: &str, time: &str) -> Value {
    json!({
        "domain": "agri", "type": "wholesale", "subject": subject["code"], "event_time": time,
        "inputs": [{ "code": code, "quantity": quantity, "unit": "KGM" }],
        "outputs": [{ "code": to, "quantity": quantity, "unit": "KGM" }],
    })
}

fn moved(kind: &str, subject: &Value, code: &str, attributes: Value) -> Value {
    let mut event = sale(subject, (code, "5"), "", NOW);
    event["type"] = json!(kind);
    event["outputs"] = json!([]);
    event["attributes"] = attributes;
    event
}

fn disposal(subject: &Value, code: &str, number: &str) -> Value {
    let attributes = json!({ "cause": "recalled", "method": "harmless", "document_no": number });
    moved("dispose", subject, code, attributes)
}

#[tokio::test]
async fn g_6_5_a_frozen_lot_and_all_made_of_it_go_nowhere_until_the_authority_lifts_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "ORD-1")).await;
    captured(&app, processing(&farm, ("ORD-1", "60"), "ORD-2")).await;
    // Who may see how far it goes sees it first.
    let path = "/api/v1/trace/objects/ORD-1/orders/preview?act=freeze&downstream=true";
    let preview = app.get("supervisor", path).await.expect(200);
    assert_eq!((&preview["units"], &preview["subjects"]), (&json!(2), &json!(1)), "{preview}");
    assert_eq!(preview["items"][0]["name"], farm["name"]);
    let made = order(&app, "supervisor", "ORD-1", official("freeze", true)).await.expect(201);
    assert_eq!((&made["units"], &made["state"]), (&json!(2), &json!("in_force")), "{made}");
    for code in ["ORD-1", "ORD-2"] {
        assert_eq!(quality(&app, code).await, "04", "{code}");
        let refused = capture(&app, sale(&farm, (code, "5"), "ORD-3", NOW)).await.expect(422);
        for word in
            [code, "冻结", "示例市场监督管理局", "示监〔2026〕1号", "批发", "仍可登记", "抽检"]
        {
            assert!(detail(&refused).contains(word), "{word}: {refused}");
        }
        assert_eq!(refused["errors"][0]["field"], "inputs[0].code");
    }
    // Neither by its own hand, nor by destroying the evidence; being looked into stays possible.
    app.post("farm", "/api/v1/trace/events", sale(&farm, ("ORD-1", "5"), "ORD-3", NOW))
        .await
        .expect(422);
    capture(&app, disposal(&farm, "ORD-1", "示例处置-1")).await.expect(422);
    let entry = json!({ "voucher": "certificate", "voucher_no": "示例-1" });
    let mut entry = moved("market_entry", &farm, "ORD-1", entry);
    entry["inputs"] = json!([{ "code": "ORD-1" }]);
    capture(&app, entry).await.expect(422);
    let mut look = moved(
        "supervision",
        &farm,
        "ORD-1",
        json!({ "authority": "示例市场监督管理局", "kind": "daily", "result": "pass" }),
    );
    look["inputs"] = json!([{ "code": "ORD-1" }]);
    assert_eq!(said(&captured(&app, look).await).0, "accepted");
    // The register, the code and the chain say so.
    let listed = app.get("supervisor", "/api/v1/trace_order?kind=freeze&code=ORD-1").await;
    let listed = listed.expect(200);
    assert_eq!(listed["items"][0]["id"], made["id"], "{listed}");
    let over = app.get("farm", "/api/v1/trace/objects/ORD-2/orders").await.expect(200);
    assert_eq!(
        (&over["quality_name"], &over["items"][0]["root"]),
        (&json!("冻结"), &json!("ORD-1"))
    );
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=ORD-1").await.expect(200);
    assert_eq!(chain["root"]["quality_name"], "冻结");
    let path = format!("/api/v1/trace/stopped?subject_id={}", id_of(&farm));
    let stopped = app.get("farm", &path).await.expect(200);
    let codes: Vec<_> =
        stopped["items"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["ORD-1", "ORD-2"], "{stopped}");
    assert_eq!(stopped["items"][1]["orders"][0]["id"], made["id"], "{stopped}");
    app.get("enterprise", &path).await.expect(404);
    let id = id_of(&made);
    let concerned = app.get("supervisor", &format!("/api/v1/trace_order/{id}/subjects")).await;
    let concerned = concerned.expect(200);
    assert_eq!(concerned["items"][0]["held"], "100", "{concerned}");
    assert!(concerned["items"][0]["contact_phone"].as_str().unwrap().contains('*'));
    // It is announced and kept on the ledger.
    app.anchor().await;
    let told = "SELECT COUNT(*) FROM outbox WHERE topic = 'trace_order.freeze'";
    assert_eq!(app.count(told).await, 1);
    let kept = "SELECT COUNT(*) FROM trace_order r JOIN anchor_state a ON a.record = r.id WHERE a.state = 'confirmed'";
    assert_eq!(app.count(kept).await, 1);
    // Once is enough; an authority gives its number, and lifts with one; a subject does not.
    let again = order(&app, "supervisor", "ORD-1", official("freeze", true)).await.expect(409);
    assert!(detail(&again).contains("不必重复"), "{again}");
    let mut bare = official("stop", true);
    bare["document_no"] = Value::Null;
    let bare = order(&app, "supervisor", "ORD-1", bare).await.expect(422);
    assert_eq!(bare["errors"][0]["field"], "document_no");
    let because = json!({ "reason": "示例复检合格", "document_no": "示监〔2026〕2号" });
    let refused = lift(&app, "farm", &id, because.clone()).await.expect(409);
    assert!(detail(&refused).contains("示例市场监督管理局"), "{refused}");
    lift(&app, "supervisor", &id, json!({ "reason": "示例复检合格" })).await.expect(422);
    let lifted = lift(&app, "supervisor", &id, because.clone()).await.expect(200);
    assert_eq!((&lifted["state"], &lifted["lifted_by"]), (&json!("lifted"), &json!("supervisor")));
    lift(&app, "supervisor", &id, because).await.expect(409);
    assert_eq!(quality(&app, "ORD-2").await, Value::Null);
    captured(&app, sale(&farm, ("ORD-2", "60"), "ORD-3", NOW)).await;
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    for (name, well, detail) in findings.iter().filter(|one| one.0 == "存证一致") {
        assert!(well, "{name}: {detail}");
    }
    // An order changed behind the platform's back is found and named.
    app.tamper("UPDATE trace_order SET authority = '示例其他机关' WHERE kind = 'freeze'").await;
    let path = format!("/api/v1/trace_order/{id}/subjects");
    let found = app.get("supervisor", &path).await.expect(200)["integrity"].clone();
    assert_eq!(found["intact"], false, "{found}");
    assert!(found["finding"].as_str().unwrap().contains("authority"), "{found}");
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    let found = findings.iter().find(|one| one.0 == "存证一致").unwrap();
    assert!(!found.1 && found.2.contains(&id), "{found:?}");
}

#[tokio::test]
async fn g_6_5_a_recalled_lot_comes_back_and_is_destroyed_but_is_sold_no_more() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "REC-1")).await;
    captured(&app, sale(&farm, ("REC-1", "40"), "REC-2", "2026-11-12T08:00:00+08:00")).await;
    // The subject itself calls its lots back, wherever they are; others' measures are not its own.
    for act in ["stop", "destroy"] {
        let body = json!({ "act": act, "downstream": true, "reason": "示例原因" });
        let refused = order(&app, "farm", "REC-1", body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "act", "{refused}");
    }
    order(&app, "enterprise", "REC-1", json!({ "act": "recall", "reason": "示例原因" }))
        .await
        .expect(404);
    let body = json!({ "act": "recall", "downstream": true, "reason": "农药残留超标" });
    let own = order(&app, "farm", "REC-1", body).await.expect(201);
    assert_eq!((&own["official"], &own["authority"]), (&json!(false), &farm["name"]), "{own}");
    let refused = capture(&app, sale(&farm, ("REC-2", "5"), "REC-3", NOW)).await.expect(422);
    assert!(detail(&refused).contains("主体自行“召回”"), "{refused}");
    // It comes back, and what came back stays recalled.
    let mut back = sale(&farm, ("REC-2", "10"), "REC-4", NOW);
    back["type"] = json!("return_in");
    back["attributes"] = json!({ "reason": "recalled" });
    assert_eq!(said(&captured(&app, back).await).0, "accepted");
    assert_eq!(quality(&app, "REC-4").await, "05");
    capture(&app, sale(&farm, ("REC-4", "10"), "REC-5", NOW)).await.expect(422);
    // The public sees state and authority, and no reason or number of it.
    let page = app.send("GET", "/t/REC-4", None, &[], None).await;
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(page.contains("召回：示例韭菜合作社一社"), "{page}");
    assert!(!page.contains("农药残留超标"), "{page}");
    let json = [("accept", "application/json")];
    let story = app.send("GET", "/t/REC-1", None, &json, None).await.expect(200);
    assert_eq!(story["state"], "recalled");
    assert!(story["orders"][0].get("reason").is_none(), "{story}");
    // An authority's freeze is not undone by one's own recall, but goes on in its own recall.
    order(&app, "supervisor", "REC-1", official("freeze", true)).await.expect(201);
    let mut again = sale(&farm, ("REC-2", "1"), "REC-6", NOW);
    again["type"] = json!("return_in");
    again["attributes"] = json!({ "reason": "recalled" });
    capture(&app, again.clone()).await.expect(422);
    lift(&app, "farm", &id_of(&own), json!({ "reason": "改由机关召回" })).await.expect(200);
    order(&app, "supervisor", "REC-1", official("recall", true)).await.expect(201);
    captured(&app, again).await;
    // What is to be destroyed goes nowhere else, for ever.
    let end = order(&app, "supervisor", "REC-4", official("destroy", false)).await.expect(201);
    let because = json!({ "reason": "改判", "document_no": "示监〔2026〕3号" });
    let back = lift(&app, "supervisor", &id_of(&end), because).await.expect(409);
    assert!(detail(&back).contains("不能解除"), "{back}");
    captured(&app, disposal(&farm, "REC-4", "示例处置-2")).await;
    assert_eq!(held(&app, "REC-4").await, "5");
    let mut away = sale(&farm, ("REC-4", "5"), "REC-7", NOW);
    away["type"] = json!("return_out");
    away["attributes"] = json!({ "reason": "recalled" });
    let refused = capture(&app, away).await.expect(422);
    assert!(detail(&refused).contains("销毁"), "{refused}");
    captured(&app, disposal(&farm, "REC-4", "示例处置-3")).await;
    capture(&app, disposal(&farm, "REC-4", "示例处置-4")).await.expect(422);
}

#[tokio::test]
async fn g_6_4_1_an_unqualified_test_stops_the_lot_and_every_later_stage_by_itself() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let laboratory = app.subject("示例农产品检测中心").await;
    captured(&app, harvest(&farm, "BAD-1")).await;
    captured(&app, processing(&farm, ("BAD-1", "50"), "BAD-2")).await;
    let test = |subject: &Value, code: &str, report: &str| {
        json!({
            "domain": "agri", "type": "test", "subject": subject["code"], "event_time": NOW,
            "inputs": [{ "code": code }],
            "attributes": { "report_no": report, "item": "腐霉利", "value": "0.9",
                "value_unit": "mg/kg", "limit": "0.2", "verdict": "fail" },
        })
    };
    // What stops another's goods, somebody else looks at first.
    let sent = captured(&app, test(&laboratory, "BAD-1", "示例检-11")).await;
    let (state, reason) = said(&sent);
    assert!(state == "held" && reason.contains("全部下游"), "{sent}");
    assert_eq!(quality(&app, "BAD-2").await, Value::Null);
    let approve = format!("/api/v1/trace/events/{}/approve", id_of(&sent));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    for code in ["BAD-1", "BAD-2"] {
        assert_eq!(quality(&app, code).await, "03", "{code}");
        let refused = capture(&app, sale(&farm, (code, "5"), "BAD-3", NOW)).await.expect(422);
        for word in ["检测不合格", "示例检-11", "退回"] {
            assert!(detail(&refused).contains(word), "{word}: {refused}");
        }
    }
    let listed = app.get("supervisor", "/api/v1/trace_order?kind=fail").await.expect(200);
    let made = &listed["items"][0];
    assert_eq!((&made["basis"], &made["created_by"]), (&sent["id"], &json!("verdict")), "{made}");
    assert!(made["reason"].as_str().unwrap().contains("0.9mg/kg"), "{made}");
    // Of its own lot the holder's word is enough, also within one batch.
    let batch = json!({ "events": [
        harvest(&farm, "BAD-4"), test(&farm, "BAD-4", "示例检-12"),
        sale(&farm, ("BAD-4", "5"), "BAD-5", "2026-11-12T08:00:00+08:00"),
    ] });
    let answer = capture(&app, batch).await.expect(201);
    let states: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["accepted", "accepted", "held"], "{answer}");
    assert_eq!(quality(&app, "BAD-4").await, "03");
}

#[tokio::test]
async fn g_6_5_what_happened_before_an_order_is_told_late_and_falls_under_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "LATE-1")).await;
    // Waits for review when the order comes.
    let path = "/api/v1/trace/events";
    let early = sale(&farm, ("LATE-1", "10"), "LATE-2", "2026-11-13T08:00:00+08:00");
    let waiting = app.post("farm", path, early).await.expect(201);
    let waiting = id_of(&waiting["results"][0]);
    order(&app, "supervisor", "LATE-1", official("stop", true)).await.expect(201);
    app.pass(SignedDuration::from_mins(10));
    let told = sale(&farm, ("LATE-1", "20"), "LATE-3", "2026-11-14T08:00:00+08:00");
    let event = captured(&app, told).await;
    let (state, reason) = said(&event);
    assert!(state == "held" && reason.contains("已被管控") && reason.contains("LATE-1"), "{event}");
    let after = sale(&farm, ("LATE-1", "20"), "LATE-4", "2026-11-19T12:05:00+08:00");
    capture(&app, after).await.expect(422);
    // Who approves is told of the order first, and what comes of it is under the order.
    let approve = format!("{path}/{waiting}/approve");
    let doubt = app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(409);
    assert!(detail(&doubt).contains("停止交易"), "{doubt}");
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    assert_eq!(quality(&app, "LATE-2").await, "04");
    let approve = format!("{path}/{}/approve", id_of(&event));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    capture(&app, at(sale(&farm, ("LATE-3", "5"), "LATE-5", NOW), "2026-11-19T12:06:00+08:00"))
        .await
        .expect(422);
    // What waited for review does not slip through after the order.
    let farm_event = at(sale(&farm, ("LATE-2", "1"), "LATE-6", NOW), "2026-11-19T11:59:00+08:00");
    let late = captured(&app, farm_event).await;
    assert_eq!(said(&late).0, "held");
    // A correction that takes no more is no new movement.
    let mut mended = sale(&farm, ("LATE-1", "10"), "LATE-2", "2026-11-19T12:05:00+08:00");
    mended["correction_of"] = json!(waiting);
    mended["correction_reason"] = json!("时间有误");
    assert_eq!(said(&captured(&app, mended.clone()).await).0, "accepted");
    mended["inputs"][0]["quantity"] = json!("30");
    capture(&app, mended).await.expect(409);
}

#[tokio::test]
async fn g_6_5_after_a_freeze_is_acknowledged_none_of_eight_sales_goes_out() {
    let app = Arc::new(TestApp::start().await);
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "RACE-1")).await;
    captured(&app, processing(&farm, ("RACE-1", "80"), "RACE-2")).await;
    let sales: Vec<_> = (0..8usize)
        .map(|number| {
            let (from, to) = (["RACE-1", "RACE-2"][number % 2], format!("RACE-S{number}"));
            let (app, event) = (Arc::clone(&app), sale(&farm, (from, "1"), &to, NOW));
            tokio::spawn(async move { capture(&app, event).await.status })
        })
        .collect();
    let freezing = Arc::clone(&app);
    let freeze = tokio::spawn(async move {
        order(&freezing, "supervisor", "RACE-1", official("freeze", true)).await
    });
    let frozen = freeze.await.unwrap();
    let mut statuses = Vec::new();
    for sale in sales {
        statuses.push(sale.await.unwrap());
    }
    let frozen = frozen.expect(201);
    assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
    // Whatever came first is under the order, whatever came later was refused: nothing that is not.
    let gone = i64::try_from(statuses.iter().filter(|status| **status == 201).count()).unwrap();
    assert_eq!(frozen["units"], json!(2 + gone), "{frozen}");
    let free = "SELECT COUNT(*) FROM trace_object WHERE code LIKE 'RACE-%' AND quality IS NULL";
    assert_eq!(app.count(free).await, 0);
    for number in 0..8usize {
        let from = ["RACE-1", "RACE-2"][number % 2];
        let event = sale(&farm, (from, "1"), &format!("RACE-T{number}"), NOW);
        capture(&app, event).await.expect(422);
    }
}

#[tokio::test]
async fn g_6_9_3_a_story_told_again_is_as_it_is_now() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "AGAIN-1")).await;
    captured(&app, processing(&farm, ("AGAIN-1", "60"), "AGAIN-2")).await;
    app.anchor().await;
    let tell = async || {
        let headers = [("accept", "application/json")];
        app.send("GET", "/t/AGAIN-2", None, &headers, None).await.expect(200)
    };
    let (first, second) = (tell().await, tell().await);
    assert_eq!((&first["state"], &first["steps"]), (&json!("found"), &second["steps"]), "{first}");
    assert_eq!((&first["scans"], &second["scans"]), (&json!(1), &json!(2)));
    assert_eq!(first["steps"].as_array().unwrap().len(), 2, "{first}");
    // Many at the same moment are counted one by one and told the same.
    let all = futures_util::future::join_all((0..8).map(|_| tell())).await;
    let mut counts: Vec<i64> = all.iter().map(|one| one["scans"].as_i64().unwrap()).collect();
    counts.sort_unstable();
    assert_eq!(counts, (3..=10).collect::<Vec<_>>());
    assert!(all.iter().all(|one| one["steps"] == first["steps"]));
    // What was looked at further up.
    let test = json!({
        "domain": "agri", "type": "test", "subject": farm["code"], "event_time": NOW,
        "inputs": [{ "code": "AGAIN-1" }],
        "attributes": { "report_no": "示例检-21", "item": "腐霉利", "value": "0.1",
            "value_unit": "mg/kg", "limit": "0.2", "verdict": "pass" },
    });
    captured(&app, test).await;
    let tested = tell().await;
    assert_eq!(tested["steps"].as_array().unwrap().len(), 3, "{tested}");
    app.anchor().await;
    assert_eq!(tell().await["steps"], tell().await["steps"]);
    // What stops it, and what lets it go again.
    let made = order(&app, "supervisor", "AGAIN-2", official("freeze", false)).await.expect(201);
    let stopped = tell().await;
    assert_eq!(
        (&stopped["state"], &stopped["orders"][0]["kind"]),
        (&json!("warning"), &json!("freeze"))
    );
    let freed = json!({ "reason": "示例复检合格", "document_no": "示监〔2026〕2号" });
    lift(&app, "supervisor", &id_of(&made), freed).await.expect(200);
    assert_eq!((&tell().await["state"], &tell().await["orders"]), (&json!("found"), &json!([])));
    // Who made it, by today's name.
    let path = format!("/api/v1/trace_subject/{}", farm["id"].as_str().unwrap());
    let named = json!({ "name": "示例韭菜合作社第一社" });
    let version = farm["version"].as_i64().unwrap();
    let change = app.change("supervisor", ("PATCH", &path), version, named).await.expect(202);
    let approve =
        format!("/api/v1/trace_subject/changes/{}/approve", id_of(&change["change_request"]));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    assert!(tell().await.to_string().contains("示例韭菜合作社第一社"));
    // What corrects what it was made of.
    let wrong = app.get("supervisor", "/api/v1/trace/events?code=AGAIN-2").await.expect(200);
    let mut right = processing(&farm, ("AGAIN-1", "70"), "AGAIN-2");
    right["event_time"] = json!("2026-11-11T09:30:00+08:00");
    right["correction_of"] = wrong["items"][0]["id"].clone();
    right["correction_reason"] = json!("示例称量有误");
    let before = tell().await;
    captured(&app, right).await;
    let after = tell().await;
    assert_ne!(before["steps"], after["steps"]);
    assert_eq!(after["steps"].as_array().unwrap().len(), 3, "{after}");
}

#[tokio::test]
async fn g_6_5_whoever_is_an_authority_elsewhere_is_none_over_its_own_lots() {
    let mut app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "AUT-1")).await;
    let farmer = app.get("sysadmin", "/api/v1/account?user_name=farm").await.expect(200);
    let house = json!({ "organization_id": farmer["items"][0]["organization_id"] });
    somebody(&mut app, "two-hats", &house, 4).await;
    // Besides its own house, all of another city.
    let account = app.get("sysadmin", "/api/v1/account?user_name=two-hats").await.expect(200);
    let role = app.get("secadmin", "/api/v1/role?code=supervisor").await.expect(200);
    let elsewhere = json!({
        "account_id": account["items"][0]["id"], "role_id": role["items"][0]["id"],
        "region": "610100", "clearance": 4,
    });
    app.post("secadmin", "/api/v1/assignment", elsewhere).await.expect(201);
    assert!(!farm["region"].as_str().unwrap().starts_with("6101"));
    let refused = order(&app, "two-hats", "AUT-1", official("stop", false)).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "act", "{refused}");
    let refused = order(&app, "two-hats", "AUT-1", official("freeze", false)).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "authority", "{refused}");
    let made = order(&app, "supervisor", "AUT-1", official("freeze", false)).await.expect(201);
    let because = json!({ "reason": "示例复检合格", "document_no": "示监〔2026〕3号" });
    lift(&app, "two-hats", &id_of(&made), because.clone()).await.expect(409);
    lift(&app, "supervisor", &id_of(&made), because).await.expect(200);
}
