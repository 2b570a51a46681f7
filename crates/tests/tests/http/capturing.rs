//! G-6.2.2, G-6.4.1: whose events are taken, under which names, and what of others' goods.

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_model::SubjectCode;

use crate::{
    access::somebody,
    harness::{Answer, TestApp, harvest},
    houses::id_of,
    subjects::{REGISTER, act, approved, detail, farmer, registered},
};

const EVENTS: &str = "/api/v1/trace/events";

async fn capture(app: &TestApp, event: Value) -> Answer {
    app.post("gateway", EVENTS, event).await
}

/// Captures through an interface whose data are accepted by themselves; the event as the supervisor
/// sees it.
async fn captured(app: &TestApp, event: Value) -> Value {
    let taken = capture(app, event).await.expect(201);
    let path = format!("{EVENTS}/{}", id_of(&taken["results"][0]));
    app.get("supervisor", &path).await.expect(200)
}

fn said(event: &Value) -> (&str, &str) {
    (event["state"].as_str().unwrap(), event["held_reason"].as_str().unwrap_or_default())
}

fn at(mut event: Value, time: &str) -> Value {
    event["event_time"] = json!(time);
    event
}

/// Makes `to` out of `from`.
fn processing(subject: &Value, (from, quantity): (&str, &str), to: &str) -> Value {
    json!({
        "domain": "agri", "type": "processing", "subject": subject["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": from, "quantity": quantity, "unit": "KGM" }],
        "outputs": [{ "code": to, "quantity": quantity, "unit": "KGM", "product": "YJ-JC-01" }],
    })
}

/// A harvest that goes to somebody.
fn harvest_for(subject: &Value, code: &str, receiver: &Value) -> Value {
    let mut event = harvest(subject, code);
    event["counterparty"] = receiver["code"].clone();
    event
}

async fn held(app: &TestApp, code: &str) -> Value {
    let path = format!("/api/v1/trace/objects/{code}");
    app.get("supervisor", &path).await.expect(200)["held"].clone()
}

#[tokio::test]
async fn g_6_2_2_2_of_a_suspended_subject_only_what_must_be_is_still_registered() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let other = app.subject("示例韭菜合作社二社").await;
    captured(&app, harvest(&farm, "STAND-0")).await;
    // Noon of 2026-11-19.
    act(&app, "supervisor", (&farm, "suspend"), 1).await.expect(200);
    app.pass(SignedDuration::from_mins(10));
    let later = |code: &str| at(harvest(&farm, code), "2026-11-19T12:05:00+08:00");
    let refused = capture(&app, later("STAND-1")).await.expect(422);
    for word in ["自 2026-11-19T12:00:00", "“暂停”", "采收", "恢复后方可登记", "召回"]
    {
        assert!(detail(&refused).contains(word), "{word}: {refused}");
    }
    assert_eq!(refused["errors"][0]["field"], "subject");
    app.post("farm", EVENTS, later("STAND-1")).await.expect(422);
    // A file does not get past it.
    let sheet = format!(
        "主体代码,发生时间,产出追溯码,产出数量,产出单位,产品代码,地块编号\n{},2026-11-19 12:05,STAND-1,5,KGM,YJ-JC-01,示例地块\n",
        farm["code"].as_str().unwrap()
    );
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=a.csv";
    let job = app.import("farm", path, sheet.into_bytes()).await;
    assert_eq!((&job["done"], &job["failed"]), (&1.into(), &1.into()), "{job}");
    // The fact is from before, and the record came late: somebody looks at it.
    let late = captured(&app, harvest(&farm, "STAND-2")).await;
    let (state, reason) = said(&late);
    assert!(state == "held" && reason.contains("发生在此之前"), "{late}");
    let approve = format!("{EVENTS}/{}/approve", id_of(&late));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    assert_eq!(held(&app, "STAND-2").await, "100");
    // The same event again is the same event, whatever has become of its subject.
    let again = capture(&app, harvest(&farm, "STAND-0")).await.expect(200);
    assert_eq!(again["results"][0]["duplicate"], true);
    // What must be possible is, after somebody has looked at it.
    let concerning = |kind: &str, attributes: Value| {
        json!({
            "domain": "agri", "type": kind, "subject": farm["code"],
            "event_time": "2026-11-19T12:05:00+08:00", "inputs": [{ "code": "STAND-0" }],
            "attributes": attributes,
        })
    };
    for (kind, attributes) in [
        ("recall", json!({ "level": "1", "reason": "示例检测不合格", "advice": "请停止食用" })),
        (
            "supervision",
            json!({ "authority": "示例市场监督管理局", "kind": "daily", "result": "pass" }),
        ),
    ] {
        let event = captured(&app, concerning(kind, attributes)).await;
        let (state, reason) = said(&event);
        assert!(state == "held" && reason.contains("召回、销毁、抽检与监管"), "{event}");
    }
    // Nobody else is concerned, and it is over when it is over.
    assert_eq!(said(&captured(&app, harvest(&other, "STAND-3")).await).0, "accepted");
    act(&app, "supervisor", (&farm, "resume"), 2).await.expect(200);
    assert_eq!(said(&captured(&app, later("STAND-4")).await).0, "accepted");
    act(&app, "supervisor", (&farm, "close"), 3).await.expect(200);
    let after = at(harvest(&farm, "STAND-5"), "2026-11-19T12:12:00+08:00");
    let refused = capture(&app, after).await.expect(422);
    assert!(detail(&refused).contains("“注销”") && !detail(&refused).contains("恢复"), "{refused}");
    assert_eq!(said(&captured(&app, harvest(&farm, "STAND-6")).await).0, "held");
}

#[tokio::test]
async fn g_6_2_2_1_an_event_names_its_parties_by_any_code_they_ever_had() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    let body = "61052510000001";
    let check = char::from(yj_model::mod11_10(body.as_bytes()).unwrap());
    let registration = format!("{body}{check}");
    let zs = SubjectCode::issue(610_525, 9, 8).unwrap().to_string();
    for (number, (kind, registered, sent)) in [
        ("reg15", registration.as_str(), registration.as_str()),
        ("org9", "D2143569X", "d2143569-x"),
        ("node9", "610525901", "610525901"),
        ("merchant13", "6105259010001", "６105259010001"),
        ("gln13", "6901234000016", "6901234000016"),
        ("trace20", "61052590100010000001", "61052590100010000001"),
        ("zs", &zs, &zs),
    ]
    .into_iter()
    .enumerate()
    {
        let alias = json!({ "kind": kind, "code": registered, "subject_id": farm["id"] });
        let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
        approved(&app, "subject_alias", &filed).await;
        let mut event = harvest(&json!({ "code": sent }), &format!("NAME-{number}"));
        // The market's code on an older platform.
        event["counterparty"] = json!("6101049010001");
        let stored = captured(&app, event.clone()).await;
        assert_eq!(stored["subject"]["code"], farm["code"], "{kind}");
        assert_eq!(stored["counterparty"], market["code"], "{kind}");
        // Under present codes it is the same event, and under former ones again.
        event["subject"] = farm["code"].clone();
        let again = capture(&app, event.clone()).await.expect(200);
        assert_eq!(again["results"][0]["id"], stored["id"], "{kind}");
        event["counterparty"] = market["code"].clone();
        assert_eq!(capture(&app, event).await.status, 200, "{kind}");
    }
    // What is anchored says the present codes, and nothing else.
    app.anchor().await;
    let one = app.get("supervisor", &format!("{EVENTS}?code=NAME-1")).await.expect(200);
    let one = format!("{EVENTS}/{}", id_of(&one["items"][0]));
    assert_eq!(app.get("supervisor", &one).await.expect(200)["integrity"]["intact"], true);
    let proof = app.get("supervisor", &format!("{one}/proof")).await;
    let proof = String::from_utf8(proof.bytes).unwrap();
    for (code, there) in [
        (farm["code"].as_str().unwrap(), true),
        (market["code"].as_str().unwrap(), true),
        ("D2143569X", false),
        ("6101049010001", false),
    ] {
        assert_eq!(proof.contains(code), there, "{code}");
    }
    // A file may use them as well.
    let sheet = "主体代码,发生时间,产出追溯码,产出数量,产出单位,产品代码,地块编号\n\
                 D2143569-X,2026-11-10 08:00,NAME-F,5,KGM,YJ-JC-01,示例地块\n";
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=a.csv";
    let job = app.import("farm", path, sheet.into()).await;
    assert_eq!((&job["done"], &job["failed"]), (&1.into(), &0.into()), "{job}");
    let found = app.get("farm", &format!("{EVENTS}?code=NAME-F")).await.expect(200);
    assert_eq!(found["items"][0]["subject"]["code"], farm["code"]);
    let alias = json!({ "kind": "gln13", "code": "6901234000017", "subject_id": farm["id"] });
    let refused = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(422);
    assert!(detail(&refused).contains("校验位"), "{refused}");
    // What is no code, nobody's, or not theirs is refused in their own words.
    let refusal = async |user: &str, code: &str| {
        let event = harvest(&json!({ "code": code }), "NAME-X");
        String::from(detail(&app.post(user, EVENTS, event).await.expect(422)))
    };
    assert!(refusal("gateway", "610525").await.contains("9、13、15、20 位的旧代码，现为 6 位"));
    assert!(refusal("gateway", "D21435691").await.contains("校验位不符"));
    let nobody = refusal("farm", "6101049019999").await;
    assert!(nobody.contains("主体 6101049019999 没有登记，或不在"), "{nobody}");
    let foreign = refusal("farm", "6101049010001").await;
    assert_eq!(foreign, nobody.replace("6101049019999", "6101049010001"));
    // One code for two subjects cannot be registered; where it got in, nobody guesses.
    let code = market["code"].as_str().unwrap();
    app.tamper(&format!("UPDATE subject_alias SET code = '{code}' WHERE code = '610525901'")).await;
    let refused = refusal("gateway", code).await;
    assert!(refused.contains("不止一个主体") && refused.contains("18 位主体代码"), "{refused}");
}

#[tokio::test]
async fn g_6_2_2_1_a_correction_is_its_subjects_whatever_that_was_called_then() {
    let app = TestApp::start().await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let issued = twin["code"].clone();
    let first = captured(&app, harvest(&twin, "CORR-1")).await;
    let correction = |of: &Value, subject: &Value, quantity: &str| {
        let mut event = harvest(&json!({ "code": subject }), "CORR-1");
        event["outputs"][0]["quantity"] = json!(quantity);
        event["correction_of"] = of["id"].clone();
        event["correction_reason"] = json!("称重有误");
        event
    };
    // It gets its credit code after the event.
    let path = format!("{REGISTER}/{}", id_of(&twin));
    let change = json!({ "kind": "03", "code": "93610525MAYJ000496" });
    let filed = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    let credit = json!("93610525MAYJ000496");
    let second = captured(&app, correction(&first, &credit, "90")).await;
    assert_eq!((&second["subject"]["code"], &held(&app, "CORR-1").await), (&credit, &json!("90")));
    // Under the code it had when the first was recorded.
    let third = captured(&app, correction(&second, &issued, "80")).await;
    assert_eq!((&third["subject"]["code"], &held(&app, "CORR-1").await), (&credit, &json!("80")));
    // Nobody else corrects it.
    let kept = app.subject("示例韭菜合作社一社").await;
    let refused = capture(&app, correction(&third, &kept["code"], "70")).await.expect(422);
    assert!(detail(&refused).contains("不属于同一主体"), "{refused}");
    // Until they are one; then what was the one's is the other's.
    let merge = json!({ "into": kept["code"], "reason": "同一主体重复登记" });
    let filed = app.post("supervisor", &format!("{path}/merge"), merge).await.expect(202);
    approved(&app, "subject_merger", &filed).await;
    let fourth = captured(&app, correction(&third, &kept["code"], "70")).await;
    assert_eq!(said(&fourth).0, "accepted");
    let fifth = captured(&app, correction(&fourth, &issued, "60")).await;
    assert_eq!(
        (&fifth["subject"]["code"], &held(&app, "CORR-1").await),
        (&kept["code"], &json!("60"))
    );
}

#[tokio::test]
async fn g_6_2_2_who_supervises_an_event_is_said_by_its_subjects_region_alone() {
    let mut app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    somebody(&mut app, "of-home", &json!({ "region": farm["region"] }), 4).await;
    somebody(&mut app, "of-place", &json!({ "region": "610116" }), 4).await;
    let policy = json!({
        "name": "渭南接口数据须审核", "source": "api", "region": farm["region"], "decision": "manual",
    });
    app.post("supervisor", "/api/v1/source_policy", policy).await.expect(201);
    let mut event = harvest(&farm, "AWAY-1");
    event["place"] = json!({ "region": "610116", "address": "示例路 1 号" });
    let stored = captured(&app, event.clone()).await;
    assert_eq!(
        (&stored["region"], &stored["place"]["region"]),
        (&farm["region"], &json!("610116"))
    );
    let path = format!("{EVENTS}/{}", id_of(&stored));
    // Lists, the single record, the count of what waits.
    let seen = async |user: &str, tail: &str| {
        let list = app.get(user, &format!("{EVENTS}?{tail}")).await.expect(200);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(seen("of-home", "state=held&lot=L1").await, 1);
    assert_eq!(seen("of-place", "state=held&lot=L1").await, 0);
    assert_eq!(app.get("of-home", &path).await.status, 200);
    assert_eq!(app.get("of-place", &path).await.status, 404);
    assert_eq!(seen("supervisor", "lot=L1&region=610500").await, 1);
    assert_eq!(seen("supervisor", "lot=L1&region=610116").await, 0);
    // Capture: whoever supervises the place may not speak for the subject.
    let mut second = event;
    second["outputs"][0]["code"] = json!("AWAY-2");
    app.post("of-home", EVENTS, second.clone()).await.expect(201);
    second["outputs"][0]["code"] = json!("AWAY-3");
    app.post("of-place", EVENTS, second).await.expect(422);
    // Review, chain and counts.
    let reviewing = json!({ "code": "local-review", "name": "示例审核", "permissions": ["trace:review", "trace:read"] });
    let role = id_of(&app.post("secadmin", "/api/v1/role", reviewing).await.expect(201));
    for (user, region) in [("review-home", &farm["region"]), ("review-place", &json!("610116"))] {
        let grant = json!({ "region": region, "role_id": role });
        somebody(&mut app, user, &grant, 4).await;
    }
    let approve = format!("{path}/approve");
    assert_eq!(app.post("review-place", &approve, json!({})).await.status, 404);
    app.post("review-home", &approve, json!({})).await.expect(200);
    app.anchor().await;
    let chain = "/api/v1/trace/chain?code=AWAY-1";
    assert_eq!(app.get("of-place", chain).await.status, 404);
    let chain = app.get("of-home", chain).await.expect(200);
    assert_eq!(chain["events"][0]["region"], "610116", "where it happened");
    let counted = async |user: &str| {
        let board = app.get(user, "/api/v1/workbench").await.expect(200);
        let days = board["trend"].as_array().unwrap().clone();
        days.iter()
            .find(|day| day["day"] == "2026-11-10")
            .map_or(0, |day| day["events"].as_i64().unwrap())
    };
    assert_eq!((counted("of-home").await, counted("of-place").await), (1, 0));
    // The subject moves; what was registered stays with whom it was registered under.
    let one = format!("{REGISTER}/{}", id_of(&farm));
    let moved = json!({ "region": "610116" });
    let filed = app.change("supervisor", ("PATCH", &one), 1, moved).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    assert_eq!(app.get("of-home", &path).await.status, 200);
    assert_eq!(app.get("of-place", &path).await.status, 404);
    let read = app.get("of-home", &path).await.expect(200);
    assert_eq!(read["integrity"]["intact"], true, "{read}");
}

#[tokio::test]
async fn g_6_4_1_what_somebody_else_holds_is_consumed_only_where_its_holder_gave_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let market = app.subject("示例市场批发商甲").await;
    // Nobody said it goes there: nothing happens before somebody has looked at it.
    captured(&app, harvest(&farm, "GIVE-1")).await;
    let event = captured(&app, processing(&plant, ("GIVE-1", "40"), "MADE-1")).await;
    let (state, reason) = said(&event);
    assert!(state == "held" && reason.contains("GIVE-1") && reason.contains("交付"), "{event}");
    assert_eq!(held(&app, "GIVE-1").await, "100");
    let waiting = app.get("reviewer", &format!("{EVENTS}?state=held")).await.expect(200);
    assert!(waiting.to_string().contains("须核实交接是否属实"), "{waiting}");
    let approve = format!("{EVENTS}/{}/approve", id_of(&event));
    app.post("reviewer", &approve, json!({ "comment": "已向合作社核实" })).await.expect(200);
    assert_eq!(held(&app, "GIVE-1").await, "60");
    // Where data wait anyway, the reviewer is told both.
    let own = processing(&plant, ("GIVE-1", "1"), "MADE-2");
    let taken = app.post("enterprise", EVENTS, own).await.expect(201);
    let path = format!("{EVENTS}/{}", id_of(&taken["results"][0]));
    let event = app.get("reviewer", &path).await.expect(200);
    let reason = said(&event).1;
    assert!(reason.contains("GIVE-1") && reason.contains("来源策略"), "{reason}");
    // The holder named the one who consumes it, not another, and not afterwards.
    captured(&app, harvest_for(&farm, "GIVE-2", &plant)).await;
    let event = captured(&app, processing(&plant, ("GIVE-2", "40"), "MADE-3")).await;
    assert_eq!(said(&event), ("accepted", ""));
    captured(&app, harvest_for(&farm, "GIVE-3", &market)).await;
    let event = captured(&app, processing(&plant, ("GIVE-3", "40"), "MADE-4")).await;
    assert_eq!(said(&event).0, "held");
    let late = at(harvest_for(&farm, "GIVE-4", &plant), "2026-11-12T08:00:00+08:00");
    captured(&app, late).await;
    let event = captured(&app, processing(&plant, ("GIVE-4", "40"), "MADE-5")).await;
    assert_eq!(said(&event).0, "held");
    // What somebody else says of the holder's batch counts for nothing.
    let mut claimed = processing(&plant, ("GIVE-1", "1"), "MADE-6");
    claimed["counterparty"] = farm["code"].clone();
    assert_eq!(said(&captured(&app, claimed).await).0, "held");
    // One's own needs nobody's word, and looking is not consuming.
    let own = captured(&app, processing(&farm, ("GIVE-1", "10"), "MADE-7")).await;
    assert_eq!(said(&own).0, "accepted");
    let test = json!({
        "domain": "agri", "type": "test", "subject": app.subject("示例农产品检测中心").await["code"],
        "event_time": "2026-11-11T08:00:00+08:00", "inputs": [{ "code": "GIVE-1" }],
        "attributes": { "report_no": "示例检-0009", "item": "腐霉利", "verdict": "pass" },
    });
    assert_eq!(said(&captured(&app, test).await).0, "accepted");
}

#[tokio::test]
async fn g_6_4_1_a_hand_over_counts_within_a_batch_and_ends_with_its_correction() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let market = app.subject("示例市场批发商甲").await;
    let batch = json!({ "events": [
        harvest_for(&farm, "GIVE-1", &plant),
        processing(&plant, ("GIVE-1", "40"), "MADE-1"),
        processing(&market, ("GIVE-1", "40"), "MADE-2"),
    ] });
    let taken = capture(&app, batch).await.expect(201);
    let states: Vec<_> =
        taken["results"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["accepted", "accepted", "held"], "{taken}");
    // The holder takes it back: it goes to the market.
    let mut corrected = harvest_for(&farm, "GIVE-1", &market);
    corrected["correction_of"] = taken["results"][0]["id"].clone();
    corrected["correction_reason"] = json!("交易对方有误");
    let batch = json!({ "events": [
        corrected,
        processing(&plant, ("GIVE-1", "5"), "MADE-3"),
        processing(&market, ("GIVE-1", "5"), "MADE-4"),
    ] });
    let taken = capture(&app, batch).await.expect(201);
    let states: Vec<_> =
        taken["results"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["accepted", "held", "accepted"], "{taken}");
    let event = captured(&app, processing(&plant, ("GIVE-1", "6"), "MADE-5")).await;
    assert_eq!(said(&event).0, "held");
    // What a merged subject held is held by the one that remains.
    let twin = registered(&app, farmer("示例农户甲")).await;
    captured(&app, harvest(&twin, "GIVE-2")).await;
    let merge = json!({ "into": plant["code"], "reason": "同一主体重复登记" });
    let path = format!("{REGISTER}/{}/merge", id_of(&twin));
    let filed = app.post("supervisor", &path, merge).await.expect(202);
    approved(&app, "subject_merger", &filed).await;
    let event = captured(&app, processing(&plant, ("GIVE-2", "40"), "MADE-6")).await;
    assert_eq!(said(&event), ("accepted", ""));
}

#[tokio::test]
async fn g_6_4_1_a_refusal_says_how_much_is_left_only_to_who_may_read_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest_for(&farm, "STOCK-1", &plant)).await;
    let refusal = async |user: &str, event: Value| {
        String::from(detail(&app.post(user, EVENTS, event).await.expect(422)))
    };
    let asked = processing(&plant, ("STOCK-1", "101"), "MADE-1");
    let told = refusal("gateway", asked.clone()).await;
    assert!(told.contains("结存 100 千克，本次投入 101 千克"), "{told}");
    let told = refusal("enterprise", asked).await;
    assert!(told.contains("不足以投入 101 千克") && !told.contains("100"), "{told}");
    let told = refusal("farm", processing(&farm, ("STOCK-1", "101"), "MADE-1")).await;
    assert!(told.contains("结存 100 千克"), "{told}");
    // How much was taken since is the taker's to know.
    let event = harvest_for(&farm, "STOCK-2", &plant);
    let first = captured(&app, event.clone()).await;
    captured(&app, processing(&plant, ("STOCK-2", "70"), "MADE-2")).await;
    let mut correction = event;
    correction["outputs"][0]["quantity"] = json!("50");
    correction["correction_of"] = first["id"].clone();
    correction["correction_reason"] = json!("称重有误");
    let told = refusal("farm", correction).await;
    assert!(told.contains("差 20 KGM"), "one's own batch: {told}");
}

#[tokio::test]
async fn g_6_4_1_who_may_not_speak_for_a_subject_learns_nothing_of_its_events() {
    let app = TestApp::start().await;
    let other = app.subject("示例韭菜合作社二社").await;
    captured(&app, harvest(&other, "PROBE-1")).await;
    let there = app.post("farm", EVENTS, harvest(&other, "PROBE-1")).await.expect(422);
    let nowhere = app.post("farm", EVENTS, harvest(&other, "PROBE-2")).await.expect(422);
    assert_eq!(there["detail"], nowhere["detail"]);
    let batch = json!({ "events": [harvest(&other, "PROBE-1"), harvest(&other, "PROBE-2")] });
    let answer = app.post("farm", EVENTS, batch).await.expect(200);
    let problems = [0, 1].map(|at| answer["results"][at]["problem"]["detail"].clone());
    assert!(problems[0].is_string() && problems[0] == problems[1], "{answer}");
    // Whoever may is told, also when it was stored by somebody else.
    let again = app.post("gateway", EVENTS, harvest(&other, "PROBE-1")).await.expect(200);
    assert_eq!(again["results"][0]["duplicate"], true);
}

/// The same goods under the same code: whoever says so holds them then.
fn taken_over(subject: &Value, code: &str, time: &str) -> Value {
    at(processing(subject, (code, "100"), code), time)
}

/// A correction of a stored event.
fn correcting(stored: &Value, mut event: Value) -> Value {
    event["correction_of"] = stored["id"].clone();
    event["correction_reason"] = json!("称重有误");
    event
}

/// Who holds a batch and what has become of it.
async fn stands(app: &TestApp, code: &str) -> [Value; 4] {
    let path = format!("/api/v1/trace/chain?code={code}");
    let root = app.get("supervisor", &path).await.expect(200)["root"].clone();
    ["subject_id", "stage", "state", "held"].map(|name| root[name].clone())
}

#[tokio::test]
async fn g_6_4_1_a_correction_does_not_bring_back_what_has_moved_on() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let of = |event: Value, quantity: &str| {
        let mut event = event;
        event["outputs"][0]["quantity"] = json!(quantity);
        event
    };
    let grown = harvest_for(&farm, "MOVED-1", &plant);
    let first = captured(&app, grown.clone()).await;
    let over = captured(&app, taken_over(&plant, "MOVED-1", "2026-11-11T08:00:00+08:00")).await;
    assert_eq!(said(&over), ("accepted", ""));
    let plants = |held: &str| {
        [&plant["id"], &json!("processing"), &json!("held"), &json!(held)].map(Clone::clone)
    };
    assert_eq!(stands(&app, "MOVED-1").await, plants("100"));
    let second = captured(&app, correcting(&first, of(grown.clone(), "90"))).await;
    assert_eq!(said(&second).0, "accepted");
    assert_eq!(stands(&app, "MOVED-1").await, plants("90"));
    // Approved as much as accepted by itself.
    let own = correcting(&second, of(grown.clone(), "110"));
    let taken = app.post("farm", EVENTS, own).await.expect(201);
    assert_eq!(taken["results"][0]["state"], "held");
    let approve = format!("{EVENTS}/{}/approve", id_of(&taken["results"][0]));
    app.post("reviewer", &approve, json!({})).await.expect(200);
    assert_eq!(stands(&app, "MOVED-1").await, plants("110"));
    // Nor where it moved on in the same request.
    let grown = harvest_for(&farm, "MOVED-2", &plant);
    let first = captured(&app, grown.clone()).await;
    let batch = json!({ "events": [
        taken_over(&plant, "MOVED-2", "2026-11-11T08:00:00+08:00"),
        correcting(&first, of(grown, "80")),
    ] });
    capture(&app, batch).await.expect(201);
    assert_eq!(stands(&app, "MOVED-2").await, plants("80"));
    // What is sold is sold.
    let first = captured(&app, harvest(&farm, "MOVED-3")).await;
    let sale = json!({
        "domain": "agri", "type": "retail", "subject": farm["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": "MOVED-3", "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": "MOVED-3", "quantity": "100", "unit": "KGM" }],
    });
    assert_eq!(said(&captured(&app, sale).await).0, "accepted");
    let mut same = harvest(&farm, "MOVED-3");
    same["attributes"]["plot"] = json!("示例二号地块");
    captured(&app, correcting(&first, same)).await;
    assert_eq!(stands(&app, "MOVED-3").await[2..], [json!("sold"), json!("0")]);
    let again = capture(&app, processing(&farm, ("MOVED-3", "1"), "MADE-1")).await.expect(422);
    assert!(detail(&again).contains("已售出"), "{again}");
    // Less than has gone on was never there, also where the batch is left out altogether.
    let stored = app.get("supervisor", &format!("{EVENTS}?code=MOVED-3")).await.expect(200);
    let items = stored["items"].as_array().unwrap();
    let stored = items.iter().find(|one| one["type"] == "harvest").unwrap();
    for short in [of(harvest(&farm, "MOVED-3"), "99"), harvest(&farm, "MOVED-4")] {
        let refused = capture(&app, correcting(stored, short)).await.expect(422);
        assert!(detail(&refused).contains("请先更正下游记录"), "{refused}");
    }
    // Where nothing came after it, a correction says everything anew.
    let first = captured(&app, harvest(&farm, "MOVED-5")).await;
    captured(&app, correcting(&first, of(harvest(&farm, "MOVED-5"), "70"))).await;
    assert_eq!(stands(&app, "MOVED-5").await[3], "70");
}

#[tokio::test]
async fn g_6_4_1_a_hand_over_ends_when_the_batch_comes_back_to_its_holder() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let day = |day: u32| format!("2026-11-{day}T08:00:00+08:00");
    let given = |mut event: Value, receiver: &Value| {
        event["counterparty"] = receiver["code"].clone();
        event
    };
    let there_and_back = |code: &str| {
        vec![
            harvest_for(&farm, code, &plant),
            given(taken_over(&plant, code, &day(11)), &farm),
            taken_over(&farm, code, &day(12)),
        ]
    };
    // The farm's word was of the first time.
    let onward = |code: &str, to: &str| at(processing(&plant, (code, "10"), to), &day(13));
    for event in there_and_back("BACK-1") {
        assert_eq!(said(&captured(&app, event).await), ("accepted", ""));
    }
    assert_eq!(said(&captured(&app, onward("BACK-1", "MADE-1")).await).0, "held");
    // In one request.
    let mut events = there_and_back("BACK-2");
    events.push(onward("BACK-2", "MADE-2"));
    let taken = capture(&app, json!({ "events": events })).await.expect(201);
    let states: Vec<_> =
        taken["results"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["accepted", "accepted", "accepted", "held"], "{taken}");
    // And where the first word is stored and the rest comes at once.
    let mut events = there_and_back("BACK-3");
    captured(&app, events.remove(0)).await;
    events.push(onward("BACK-3", "MADE-3"));
    let taken = capture(&app, json!({ "events": events })).await.expect(201);
    assert_eq!(taken["results"][2]["state"], "held", "{taken}");
    // A new word is a new word.
    let again = given(taken_over(&farm, "BACK-1", &day(12)), &plant);
    captured(&app, again).await;
    let mut event = onward("BACK-1", "MADE-4");
    event["inputs"][0]["quantity"] = json!("9");
    event["outputs"][0]["quantity"] = json!("9");
    assert_eq!(said(&captured(&app, event).await), ("accepted", ""));
}

#[tokio::test]
async fn g_6_4_1_trying_tells_nobody_how_much_somebody_else_has() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest(&farm, "SECRET-1")).await;
    let mut wrong = harvest(&plant, "WRONG-1");
    wrong["outputs"][0]["quantity"] = json!("0");
    // A request that leaves no trace says the same of more and of less than there is.
    let tried = async |quantity: &str, to: &str| {
        let event = processing(&plant, ("SECRET-1", quantity), to);
        let batch = json!({ "atomic": true, "events": [event, wrong] });
        let refused = app.post("enterprise", EVENTS, batch).await.expect(422);
        assert_eq!(refused["results"][1]["problem"]["errors"][0]["field"], "outputs[0].quantity");
        let mut other = refused["results"][0].clone();
        other["problem"].as_object_mut().unwrap().remove("request_id");
        other
    };
    let less = tried("99", "MADE-1").await;
    assert_eq!(less["problem"]["detail"], "同批有误，未登记");
    assert!(less.get("id").is_none() && less.get("state").is_none(), "{less}");
    assert_eq!(less, tried("101", "MADE-1").await);
    // Nor is what became of it told.
    let held = async |quantity: &str, to: &str| {
        let event = processing(&plant, ("SECRET-1", quantity), to);
        let taken = app.post("enterprise", EVENTS, event).await.expect(201)["results"][0].clone();
        assert_eq!(taken["state"], "held", "{taken}");
        taken
    };
    held("99", "MADE-1").await;
    let more = held("101", "MADE-2").await;
    // Approval judges it, for who may know.
    let approve = format!("{EVENTS}/{}/approve", id_of(&more));
    let refused = app.post("reviewer", &approve, json!({})).await.expect(422);
    assert!(detail(&refused).contains("结存 100 千克"), "{refused}");
    let told = capture(&app, processing(&plant, ("SECRET-1", "101"), "MADE-3")).await.expect(422);
    assert!(detail(&told).contains("结存 100 千克"), "who may read it: {told}");
    let used = json!({
        "domain": "agri", "type": "consume", "subject": farm["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": "SECRET-1", "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": "SECRET-1", "quantity": "100", "unit": "KGM" }],
    });
    captured(&app, used).await;
    held("1", "MADE-4").await;
}

#[tokio::test]
async fn g_6_2_2_2_what_is_closed_after_it_was_suspended_stays_shut_for_that_time() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    // Noon of 2026-11-19.
    act(&app, "supervisor", (&farm, "suspend"), 1).await.expect(200);
    app.pass(SignedDuration::from_mins(10));
    act(&app, "supervisor", (&farm, "close"), 2).await.expect(200);
    let between = at(harvest(&farm, "SHUT-1"), "2026-11-19T12:05:00+08:00");
    let refused = capture(&app, between).await.expect(422);
    for word in ["自 2026-11-19T12:00:00", "“注销”"] {
        assert!(detail(&refused).contains(word), "{word}: {refused}");
    }
    let before = at(harvest(&farm, "SHUT-2"), "2026-11-19T11:55:00+08:00");
    assert_eq!(said(&captured(&app, before).await).0, "held");
}

#[tokio::test]
async fn g_6_4_1_whoever_approves_is_told_what_has_changed_since() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let given = captured(&app, harvest_for(&farm, "SINCE-1", &plant)).await;
    let event = processing(&plant, ("SINCE-1", "40"), "MADE-1");
    let taken = app.post("enterprise", EVENTS, event).await.expect(201);
    let path = format!("{EVENTS}/{}", id_of(&taken["results"][0]));
    let waiting = app.get("reviewer", &path).await.expect(200);
    assert!(said(&waiting).0 == "held" && !said(&waiting).1.contains("交付"), "{waiting}");
    // The holder takes its word back meanwhile.
    captured(&app, correcting(&given, harvest(&farm, "SINCE-1"))).await;
    let approve = format!("{path}/approve");
    let refused = app.post("reviewer", &approve, json!({})).await.expect(409);
    assert!(detail(&refused).contains("SINCE-1现由其他主体持有"), "{refused}");
    let waiting = app.get("reviewer", &path).await.expect(200);
    let (state, reason) = said(&waiting);
    assert!(state == "held" && reason.contains("来源策略") && reason.contains("交付"), "{reason}");
    assert_eq!(held(&app, "SINCE-1").await, "100");
    // Whoever knows may approve.
    app.post("reviewer", &approve, json!({ "comment": "已核实" })).await.expect(200);
    assert_eq!(held(&app, "SINCE-1").await, "60");
}
