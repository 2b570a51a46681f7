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

pub async fn capture(app: &TestApp, event: Value) -> Answer {
    app.post("gateway", EVENTS, event).await
}

/// Captures through an interface whose data are accepted by themselves; the event as the supervisor
/// sees it.
pub async fn captured(app: &TestApp, event: Value) -> Value {
    let taken = capture(app, event).await.expect(201);
    let path = format!("{EVENTS}/{}", id_of(&taken["results"][0]));
    app.get("supervisor", &path).await.expect(200)
}

pub fn said(event: &Value) -> (&str, &str) {
    (event["state"].as_str().unwrap(), event["held_reason"].as_str().unwrap_or_default())
}

pub fn at(mut event: Value, time: &str) -> Value {
    event["event_time"] = json!(time);
    event
}

/// Makes `to` out of `from`.
pub fn processing(subject: &Value, (from, quantity): (&str, &str), to: &str) -> Value {
    json!({
        "domain": "agri", "type": "processing", "subject": subject["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": from, "quantity": quantity, "unit": "KGM" }],
        "outputs": [{ "code": to, "quantity": quantity, "unit": "KGM", "product": "YJ-JC-01" }],
    })
}

/// A harvest that goes to somebody.
pub fn harvest_for(subject: &Value, code: &str, receiver: &Value) -> Value {
    let mut event = harvest(subject, code);
    event["counterparty"] = receiver["code"].clone();
    event
}

pub async fn held(app: &TestApp, code: &str) -> Value {
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
    for word in ["自 2026年11月19日 12:00", "“暂停”", "采收", "恢复后方可登记", "召回"]
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
    let sheet = "主体代码,发生时间,产出追溯码,产出数量,产出单位,产品代码,地块编号,面积（亩）,品种,播种日期\n\
                 D2143569-X,2026-11-10 08:00,NAME-F,5,KGM,YJ-JC-01,示例地块,5,示例品种,2026-08-01\n";
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
