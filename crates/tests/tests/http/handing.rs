//! G-6.4.1, G-6.2.2: what has changed hands stays there, and nobody learns by trying what others have.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    capturing::{at, capture, captured, harvest_for, held, processing, said},
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::{act, detail},
};

const EVENTS: &str = "/api/v1/trace/events";

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
    for word in ["自 2026年11月19日 12:00", "“注销”"] {
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
