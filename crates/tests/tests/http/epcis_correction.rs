//! G-8-2, G-6.4.1: what an EPCIS error declaration says is wrong is corrected or taken back as a 追溯事件
//! too, by the same rules as any other correction.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, job},
    harness::TestApp,
};

fn harvest(id: &str, code: &str, quantity: i64) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:{id}"), "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "ilmd": { "yj:plot": "示例地块" },
        "quantityList": [{ "epcClass": format!("urn:example:{code}"), "quantity": quantity, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "harvest",
    })
}

/// The same event, declared wrong in favour of others.
fn wrong(event: &Value, correctives: &[&str]) -> Value {
    let mut declared = event.clone();
    let ids: Vec<String> = correctives.iter().map(|id| format!("urn:example:{id}")).collect();
    declared["errorDeclaration"] =
        json!({ "declarationTime": "2026-11-11T08:00:00+08:00", "reason": "incorrect_data" });
    if !ids.is_empty() {
        declared["errorDeclaration"]["correctiveEventIDs"] = json!(ids);
    }
    declared
}

/// Captures events as somebody; what became of them.
async fn sent(app: &TestApp, user: &str, events: &[Value]) -> Value {
    job(app, user, &capture(app, user, &document(events), "rollback").await).await
}

/// Approves whatever waits.
async fn settle(app: &TestApp) {
    let held = app.get("supervisor", "/api/v1/trace/events?state=held").await.expect(200);
    for event in held["items"].as_array().unwrap() {
        let path = format!("/api/v1/trace/events/{}/approve", event["id"].as_str().unwrap());
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
}

async fn held(app: &TestApp, code: &str) -> Value {
    let path = format!("/api/v1/trace/objects/urn:example:{code}");
    app.get("supervisor", &path).await.expect(200)["held"].clone()
}

/// The 追溯事件 that the event of this name has told.
async fn told(app: &TestApp, id: &str) -> Value {
    let path = "/api/v1/trace/events?per_page=200";
    let found = app.get("supervisor", path).await.expect(200);
    let name = json!(format!("urn:example:{id}"));
    let items = found["items"].as_array().unwrap();
    items.iter().find(|event| event["external_id"] == name).cloned().unwrap_or_default()
}

/// The 追溯事件 that takes another back.
async fn withdrawal(app: &TestApp, of: &Value) -> Value {
    let found = app.get("supervisor", "/api/v1/trace/events?per_page=200").await.expect(200);
    let items = found["items"].as_array().unwrap();
    let of = |event: &&Value| event["withdraws"] == true && event["correction_of"] == of["id"];
    items.iter().find(of).cloned().unwrap_or_default()
}

fn reasons(done: &Value) -> Vec<&str> {
    let untold = done["untold"].as_array().unwrap();
    untold.iter().map(|one| one["reason"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn g_8_2_an_error_declaration_with_its_corrective_event_corrects_the_trace_event() {
    let app = TestApp::start().await;
    let first = harvest("first", "COR-1", 100);
    sent(&app, "farm", std::slice::from_ref(&first)).await;
    settle(&app).await;
    assert_eq!(held(&app, "COR-1").await, "100");
    // Both in one document: told in one transaction.
    let done =
        sent(&app, "farm", &[harvest("second", "COR-1", 80), wrong(&first, &["second"])]).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(2), &json!([])), "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "COR-1").await, "80");
    let (one, two) = (told(&app, "first").await, told(&app, "second").await);
    assert_eq!((&one["state"], &one["superseded_by"]), (&json!("superseded"), &two["id"]));
    assert_eq!(two["correction_of"], one["id"]);
    assert!(two["correction_reason"].as_str().unwrap().contains("incorrect_data"), "{two}");
    assert_eq!(
        app.count(
            "SELECT COUNT(*) FROM epcis_event e JOIN trace_event t ON t.uid = e.trace_uid \
                   WHERE e.declared = 1 AND t.correction_of IS NOT NULL"
        )
        .await,
        1
    );
    // The story says that it is a correction, once; both records can be proved.
    app.anchor().await;
    let story = app.send("GET", "/t/urn:example:COR-1", None, &[], None).await;
    let page = String::from_utf8(story.bytes).unwrap();
    assert_eq!(page.matches("（已更正）").count(), 1, "{page}");
    for event in [&one, &two] {
        let path = format!("/api/v1/trace/events/{}", event["id"].as_str().unwrap());
        let found = app.get("supervisor", &path).await.expect(200);
        assert_eq!(found["integrity"]["intact"], true, "{found}");
    }
    // Corrected once more, from what is the newest now.
    let second = harvest("second", "COR-1", 80);
    let done =
        sent(&app, "farm", &[wrong(&second, &["third"]), harvest("third", "COR-1", 90)]).await;
    assert_eq!(done["told"], 2, "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "COR-1").await, "90");
}

#[tokio::test]
async fn g_8_2_a_corrective_event_may_come_before_or_after_its_declaration() {
    let app = TestApp::start().await;
    let (one, two) = (harvest("a1", "COR-A", 100), harvest("b1", "COR-B", 100));
    sent(&app, "farm", &[one.clone(), two.clone()]).await;
    settle(&app).await;
    // Alone it is refused as a second harvest of the same code; the declaration says what it is.
    let done = sent(&app, "farm", &[harvest("a2", "COR-A", 70)]).await;
    assert_eq!(reasons(&done), ["refused"], "{done}");
    let done = sent(&app, "farm", &[wrong(&one, &["a2"])]).await;
    assert_eq!(done["told"], 1, "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "COR-A").await, "70");
    // The other way about, the declaration waits.
    let done = sent(&app, "farm", &[wrong(&two, &["b2"])]).await;
    assert_eq!(reasons(&done), ["awaits_corrective"], "{done}");
    assert_eq!(held(&app, "COR-B").await, "100");
    let done = sent(&app, "farm", &[harvest("b2", "COR-B", 60)]).await;
    assert_eq!(done["told"], 1, "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "COR-B").await, "60");
    assert_eq!(
        app.count("SELECT COUNT(*) FROM epcis_event WHERE trace_uid IS NULL").await,
        0,
        "all four of them are told by now, and so are both declarations"
    );
}

#[tokio::test]
async fn g_8_2_a_declaration_that_named_the_wrong_event_is_made_again() {
    let app = TestApp::start().await;
    let first = harvest("first", "AGN-1", 100);
    sent(&app, "farm", std::slice::from_ref(&first)).await;
    settle(&app).await;
    let done = sent(&app, "farm", &[wrong(&first, &["typo"])]).await;
    assert_eq!(reasons(&done), ["awaits_corrective"], "{done}");
    let done = sent(&app, "farm", &[harvest("second", "AGN-1", 90)]).await;
    assert_eq!(done["told"], 0, "the code is in use: {done}");
    // The same once more is known; in other words it is another declaration, and counts.
    let done = sent(&app, "farm", &[wrong(&first, &["typo"])]).await;
    assert_eq!((&done["captured"], &done["duplicates"]), (&json!(0), &json!(1)), "{done}");
    let done = sent(&app, "farm", &[wrong(&first, &["second"])]).await;
    assert_eq!((&done["captured"], &done["told"]), (&json!(1), &json!(1)), "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "AGN-1").await, "90");
    assert_eq!(told(&app, "second").await["correction_of"], told(&app, "first").await["id"]);
    let asked = "/epcis/v2/events?EQ_correctiveEventID=urn:example:second";
    let found = app.get("farm", asked).await.expect(200);
    let found = &found["epcisBody"]["queryResults"]["resultsBody"]["eventList"];
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    // What the first declaration waited for comes too late to change anything again.
    sent(&app, "farm", &[harvest("typo", "AGN-2", 10)]).await;
    settle(&app).await;
    assert_eq!(held(&app, "AGN-1").await, "90");
}

#[tokio::test]
async fn g_8_2_one_name_has_one_content_also_where_the_event_hash_leaves_it_out() {
    let app = TestApp::start().await;
    let serial = |id: &str, lot: &str| {
        let mut event = harvest(id, "ONE-1", 1);
        event.as_object_mut().unwrap().retain(|name, _| name != "quantityList" && name != "ilmd");
        event["epcList"] = json!([format!("https://id.gs1.org/01/04012345111118/10/{lot}/21/1")]);
        event["action"] = json!("OBSERVE");
        event
    };
    let certified = |id: &str, number: u8| {
        let mut event = serial(id, "LOT1");
        event["certificationInfo"] = json!(format!("https://example.com/{number}"));
        event
    };
    let one = json!({ "@context": document(&[])["@context"], "event": null });
    let send = async |mut event: Value| {
        event["@context"] = one["@context"].clone();
        app.post("farm", "/epcis/v2/events", event).await
    };
    for (same, other) in [
        (serial("lot", "LOT1"), serial("lot", "LOT2")),
        (certified("cert", 1), certified("cert", 2)),
    ] {
        send(same.clone()).await.expect(201);
        let refused = send(other).await.expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("内容不同"), "{refused}");
        send(same).await.expect(201);
    }
}

#[tokio::test]
async fn g_8_2_an_error_declaration_alone_withdraws_the_trace_event_unless_others_build_on_it() {
    let app = TestApp::start().await;
    let (one, two) = (harvest("w1", "WIT-1", 100), harvest("w2", "WIT-2", 100));
    sent(&app, "farm", &[one.clone(), two.clone()]).await;
    settle(&app).await;
    let processing = json!({
        "type": "TransformationEvent", "eventID": "urn:example:w3", "transformationID": "urn:example:t",
        "eventTime": "2026-11-11T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "inputQuantityList": [{ "epcClass": "urn:example:WIT-2", "quantity": 60, "uom": "KGM" }],
        "outputQuantityList": [{ "epcClass": "urn:example:WIT-3", "quantity": 60, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "processing",
    });
    sent(&app, "farm", std::slice::from_ref(&processing)).await;
    settle(&app).await;
    let done = sent(&app, "farm", &[wrong(&one, &[])]).await;
    assert_eq!(done["told"], 1, "{done}");
    settle(&app).await;
    let before = told(&app, "w1").await;
    let withdrawn = withdrawal(&app, &before).await;
    assert_eq!(
        (&before["state"], &before["superseded_by"]),
        (&json!("superseded"), &withdrawn["id"])
    );
    assert_eq!(withdrawn["state"], "accepted", "{withdrawn}");
    assert_eq!(held(&app, "WIT-1").await, "0");
    // What others have used cannot simply not have been.
    let done = sent(&app, "farm", &[wrong(&two, &[])]).await;
    assert_eq!(reasons(&done), ["refused"], "{done}");
    let why = done["untold"][0]["example"].as_str().unwrap();
    assert!(why.contains("结存将为负"), "{why}");
    assert_eq!(held(&app, "WIT-2").await, "40");
    // From the end backwards it can; the withdrawal is anchored as any event.
    let done = sent(&app, "farm", &[wrong(&processing, &[])]).await;
    assert_eq!(done["told"], 1, "{done}");
    settle(&app).await;
    assert_eq!(held(&app, "WIT-2").await, "100");
    app.anchor().await;
    let path = format!("/api/v1/trace/events/{}", withdrawn["id"].as_str().unwrap());
    let found = app.get("supervisor", &path).await.expect(200);
    assert_eq!(
        (&found["anchor"], &found["integrity"]["intact"]),
        (&json!("confirmed"), &json!(true))
    );
    // A withdrawal is final.
    let again = json!({
        "domain": "agri", "type": "harvest", "subject": found["subject"]["code"],
        "event_time": "2026-11-11T09:00:00+08:00", "correction_of": found["id"],
        "correction_reason": "示例", "withdraws": true,
    });
    let refused = app.post("farm", "/api/v1/trace/events", again).await;
    assert!(refused.body.to_string().contains("是一次撤销"), "{}", refused.body);
}

#[tokio::test]
async fn g_8_2_a_declaration_of_somebody_else_or_of_nothing_is_kept_and_anchored_alone() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut theirs = harvest("g1", "OTH-1", 100);
    theirs["yj:subject"] = farm["code"].clone();
    sent(&app, "gateway", &[theirs.clone()]).await;
    settle(&app).await;
    let done = sent(&app, "farm", &[wrong(&theirs, &[])]).await;
    assert_eq!(reasons(&done), ["not_capturer"], "{done}");
    assert_eq!(
        (held(&app, "OTH-1").await, &told(&app, "g1").await["state"]),
        (json!("100"), &json!("accepted"))
    );
    let done = sent(&app, "farm", &[wrong(&harvest("never", "OTH-2", 1), &[])]).await;
    assert_eq!(reasons(&done), ["no_original"], "{done}");
    let foreign = crate::epcis::observed("urn:example:foreign", "urn:example:thing:1");
    let done = sent(&app, "farm", &[foreign.clone(), wrong(&foreign, &[])]).await;
    assert_eq!(reasons(&done), ["no_domain", "original_untold"], "{done}");
    app.anchor().await;
    assert_eq!(
        app.count(
            "SELECT COUNT(*) FROM anchor_entry a JOIN epcis_event e ON e.uid = a.record \
                   WHERE a.state = 'confirmed' AND e.declared = 1"
        )
        .await,
        3
    );
    // Who captured it may.
    let done = sent(&app, "gateway", &[wrong(&theirs, &[])]).await;
    assert_eq!(done["told"], 0, "the declaration is known already, by the farm: {done}");
}

#[tokio::test]
async fn g_6_4_1_withdrawals_wait_for_review_where_goods_are_under_an_order() {
    let app = TestApp::start().await;
    let one = harvest("o1", "ORW-1", 100);
    sent(&app, "farm", std::slice::from_ref(&one)).await;
    settle(&app).await;
    let order = json!({
        "act": "freeze", "downstream": false, "reason": "示例抽检不合格",
        "document_no": "示监〔2026〕1号", "authority": "示例市场监督管理局",
    });
    let path = "/api/v1/trace/objects/urn:example:ORW-1/orders";
    assert!(app.post("supervisor", path, order).await.status < 300);
    let done = sent(&app, "farm", &[wrong(&one, &[])]).await;
    assert_eq!(done["told"], 1, "{done}");
    let withdrawn = withdrawal(&app, &told(&app, "o1").await).await;
    assert_eq!(withdrawn["state"], "held", "{withdrawn}");
    assert!(withdrawn["held_reason"].as_str().unwrap().contains("被管控"), "{withdrawn}");
    assert_eq!(held(&app, "ORW-1").await, "100", "nothing has happened yet");
    settle(&app).await;
    assert_eq!(held(&app, "ORW-1").await, "0");
}

#[tokio::test]
async fn g_6_4_1_what_still_waits_for_review_is_taken_back_by_whoever_sent_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let policy = json!({
        "name": "接口数据须审核", "source": "api", "region": farm["region"], "decision": "manual",
    });
    app.post("supervisor", "/api/v1/source_policy", policy).await.expect(201);
    let one = harvest("h1", "HEL-1", 100);
    sent(&app, "farm", std::slice::from_ref(&one)).await;
    assert_eq!(told(&app, "h1").await["state"], "held");
    let done = sent(&app, "farm", &[wrong(&one, &["h2"]), harvest("h2", "HEL-1", 50)]).await;
    assert_eq!(done["told"], 2, "{done}");
    assert_eq!(told(&app, "h1").await["state"], "rejected");
    settle(&app).await;
    assert_eq!(held(&app, "HEL-1").await, "50");
}

#[tokio::test]
async fn g_6_4_1_a_withdrawal_says_which_event_and_why_and_nothing_else() {
    let app = TestApp::start().await;
    let one = harvest("s1", "SAY-1", 100);
    sent(&app, "farm", &[one]).await;
    settle(&app).await;
    let event = told(&app, "s1").await;
    let base = json!({
        "domain": "agri", "type": "harvest", "subject": event["subject"]["code"],
        "event_time": "2026-11-11T09:00:00+08:00", "correction_of": event["id"],
        "correction_reason": "重复登记", "withdraws": true,
    });
    let with = |name: &str, value: Value| {
        let mut event = base.clone();
        event[name] = value;
        event
    };
    for (wrong, told) in [
        (with("outputs", json!([{ "code": "SAY-2", "quantity": "1", "unit": "KGM" }])), "撤销不写"),
        (with("attributes", json!({ "plot": "示例" })), "撤销不写"),
        (with("correction_reason", Value::Null), "更正应写明原因"),
        (with("correction_of", Value::Null), "撤销应指明"),
        (with("type", json!("processing")), "撤销应写被撤销事件"),
    ] {
        let refused = app.post("farm", "/api/v1/trace/events", wrong.clone()).await;
        assert!(refused.body.to_string().contains(told), "{wrong}: {}", refused.body);
    }
    app.post("farm", "/api/v1/trace/events", base).await.expect(201);
    settle(&app).await;
    assert_eq!(held(&app, "SAY-1").await, "0");
}

/// What exactly of the records of a name is anchored, the declaration last, each read from a proof
/// that holds.
async fn anchored(app: &TestApp, id: &str) -> Vec<Value> {
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    let sql = yj_kernel::Sql::new("SELECT uid FROM epcis_event WHERE event_id = $1 ORDER BY seq");
    let rows = tx.fetch(sql.arg(format!("urn:example:{id}"))).await.unwrap();
    let chain = yj_proof::Trust::in_chain(app.assembled.ledger.genesis().1);
    let mut bodies = Vec::new();
    for row in rows {
        let uid = row.text(0).unwrap();
        let bundle = app.assembled.ledger.proof(&mut tx, uid).await.unwrap();
        let verdict = yj_proof::verify(&bundle, &chain);
        assert!(verdict.ok, "{verdict:?}");
        let bundle: Value = serde_json::from_slice(&bundle).unwrap();
        let fields = bundle["envelope"]["body"].clone();
        assert!(fields.is_object(), "{bundle}");
        bodies.push(fields);
    }
    bodies
}

#[tokio::test]
async fn g_8_2_the_proof_of_a_declaration_says_what_it_takes_back() {
    let app = TestApp::start().await;
    let (one, two) = (harvest("p1", "PRF-1", 100), harvest("p2", "PRF-2", 100));
    sent(&app, "farm", &[one.clone(), two.clone()]).await;
    settle(&app).await;
    let (first, second) = (told(&app, "p1").await, told(&app, "p2").await);
    sent(&app, "farm", &[wrong(&one, &[])]).await;
    sent(&app, "farm", &[wrong(&two, &["p3"]), harvest("p3", "PRF-2", 80)]).await;
    // One that nobody has captured is declared wrong all the same.
    sent(&app, "farm", &[wrong(&harvest("p4", "PRF-4", 1), &["p5"])]).await;
    settle(&app).await;
    app.anchor().await;
    let [plain, declared] = &anchored(&app, "p1").await[..] else { panic!("two records") };
    assert!(plain.get("withdraws").is_none() && plain.get("corrects").is_none(), "{plain}");
    assert_eq!(
        declared["withdraws"],
        json!({ "event_id": "urn:example:p1", "trace": first["id"], "corrective_event_ids": [] })
    );
    let declared = anchored(&app, "p2").await.remove(1);
    assert_eq!(
        declared["withdraws"],
        json!({
            "event_id": "urn:example:p2", "trace": second["id"],
            "corrective_event_ids": ["urn:example:p3"],
        })
    );
    let corrective = anchored(&app, "p3").await.remove(0);
    assert_eq!(
        corrective["corrects"],
        json!({ "event_id": "urn:example:p2", "trace": second["id"] })
    );
    let alone = anchored(&app, "p4").await.remove(0);
    assert_eq!(
        alone["withdraws"],
        json!({
            "event_id": "urn:example:p4", "trace": null, "corrective_event_ids": ["urn:example:p5"],
        })
    );
    // The tamper audit makes the same from the tables, and says where they differ.
    assert_eq!(crate::tamper::pass(&app).await, Vec::<Value>::new());
    app.tamper(
        "UPDATE epcis_event SET trace_uid = NULL WHERE event_id = 'urn:example:p2' AND declared = 0",
    )
    .await;
    let found = crate::tamper::pass(&app).await;
    let all = serde_json::to_string(&found).unwrap();
    assert!(all.contains("withdraws.trace") && all.contains("corrects.trace"), "{all}");
}
