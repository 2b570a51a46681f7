//! G-10.4, G-6.4.3, handbook §5.4 and §5.6: what goods cost is kept and is nobody's who is not cleared for it;
//! prices far from the usual ones, months that come in the last hour, and who says nothing any more.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    access::{assign, somebody},
    harness::{TestApp, harvest},
    subjects::detail,
};

const EVENTS: &str = "/api/v1/trace/events";
const UNUSUAL: &str = "/api/v1/trace/prices/unusual";
const REPORTS: &str = "/api/v1/trace/reports";
const REPORTERS: &str = "/api/v1/trace/reporters";

/// A sale of a farm's own leeks: what it takes, under which code it sells it, how much of it, and for what.
fn sale(farm: &Value, (from, to): (&str, &str), amount: (&str, &str), price: &str) -> Value {
    let (quantity, unit) = amount;
    json!({
        "domain": "agri", "type": "retail", "subject": farm["code"],
        "event_time": "2026-11-12T08:00:00+08:00",
        "inputs": [{ "code": from, "quantity": quantity, "unit": unit }],
        "outputs": [{ "code": to, "quantity": quantity, "unit": unit }],
        "attributes": { "unit_price": price, "stall": "A-1" },
    })
}

/// A farm that has sold under six codes, for about five yuan a kilogram.
async fn market(app: &TestApp) -> Value {
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut grown = harvest(&farm, "P-H");
    grown["outputs"][0]["quantity"] = json!("5000");
    grown["outputs"][0]["product"] = json!("YJ-JC-01");
    app.post("gateway", EVENTS, grown).await.expect(201);
    for (at, price) in ["4.2", "4.3", "4.1", "4.4", "4.2", "4.3"].iter().enumerate() {
        let one = sale(&farm, ("P-H", &format!("P-{at}")), ("10", "KGM"), price);
        app.post("gateway", EVENTS, one).await.expect(201);
    }
    farm
}

async fn taken(app: &TestApp, user: &str, event: Value) -> String {
    let answer = app.post(user, EVENTS, event).await.expect(201);
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

async fn items(app: &TestApp, user: &str, path: &str) -> Vec<Value> {
    app.get(user, path).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn g_10_4_what_goods_cost_is_sealed_and_shown_to_those_cleared_for_it() {
    let mut app = TestApp::start().await;
    let farm = market(&app).await;
    let id = taken(&app, "gateway", sale(&farm, ("P-H", "P-X"), ("10", "KGM"), "43.21")).await;
    app.anchor().await;
    let read = format!("{EVENTS}/{id}");
    let shown = app.get("supervisor", &read).await.expect(200);
    assert_eq!(shown["attributes"]["unit_price"], "43.21");
    assert_eq!((&shown["sensitive"], &shown["personal"]), (&json!([]), &json!([])));
    assert_eq!(shown["unusual_price"], json!({ "side": "above", "times": "10.17", "compared": 6 }));
    // Somebody who reads the same event and is cleared for 内部 only.
    somebody(&mut app, "clerk", &json!({ "region": "610525" }), 2).await;
    let hidden = app.get("clerk", &read).await.expect(200);
    assert_eq!(hidden["attributes"], json!({ "stall": "A-1" }));
    assert_eq!(hidden["sensitive"], json!(["unit_price"]));
    let listed = items(&app, "clerk", UNUSUAL).await;
    let said = ["side", "times", "price", "median"].map(|name| listed[0][name].clone());
    assert_eq!(said, [json!("above"), Value::Null, Value::Null, Value::Null]);
    assert!(!hidden.to_string().contains("43.21") && !json!(listed).to_string().contains("43.21"));
    // No list, no file, no proof and no public page has it, and the table of events has it sealed.
    let proof = app.get("supervisor", &format!("{read}/proof")).await.expect(200).to_string();
    let events = app.get("supervisor", EVENTS).await.expect(200).to_string();
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=P-X").await.expect(200).to_string();
    let json = [("accept", "application/json")];
    let story = app.send("GET", "/t/P-X", None, &json, None).await.expect(200).to_string();
    for text in [proof, events, chain, story] {
        assert!(!text.contains("43.21") && !text.contains("unit_price"), "{text}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event WHERE body LIKE '%43.21%'").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM outbox WHERE body LIKE '%43.21%'").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM audit_log WHERE body LIKE '%43.21%'").await, 0);
    // A correction that says it again is a correction; one with a wrong number is told so.
    let mut wrong = sale(&farm, ("P-H", "P-Y"), ("1", "KGM"), "-1");
    let refused = app.post("gateway", EVENTS, wrong.clone()).await.expect(422);
    assert!(detail(&refused).contains("单价"), "{refused}");
    wrong["attributes"]["unit_price"] = json!("四块");
    app.post("gateway", EVENTS, wrong).await.expect(422);
}

#[tokio::test]
async fn g_6_4_3_a_price_is_compared_with_what_the_same_goods_cost_whatever_the_unit() {
    let app = TestApp::start().await;
    let farm = market(&app).await;
    assert_eq!(items(&app, "supervisor", UNUSUAL).await, [] as [Value; 0]);
    // Usual: the same by the tonne. A gift has no price.
    let tonne = sale(&farm, ("P-H", "P-T"), ("0.1", "TNE"), "4250");
    taken(&app, "gateway", tonne).await;
    taken(&app, "gateway", sale(&farm, ("P-H", "P-G"), ("1", "KGM"), "0")).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_price").await, 7);
    assert_eq!(items(&app, "supervisor", UNUSUAL).await, [] as [Value; 0]);
    // Unusual: the price of a kilogram beside a tonne.
    let far = sale(&farm, ("P-H", "P-F"), ("0.1", "TNE"), "4.25");
    let far = taken(&app, "gateway", far).await;
    let listed = items(&app, "supervisor", UNUSUAL).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let told = ["event", "times", "compared", "price", "median", "unit"];
    assert_eq!(
        told.map(|name| listed[0][name].clone()),
        [json!(far), json!("0.001"), json!(7), json!("0.00425"), json!("4.25"), json!("KGM")]
    );
    assert_eq!(listed[0]["goods"]["code"], "010106");
    // Conditions, pages, and what is no condition.
    assert_eq!(
        items(&app, "supervisor", &format!("{UNUSUAL}?goods=0101&domain=agri")).await.len(),
        1
    );
    assert_eq!(items(&app, "supervisor", &format!("{UNUSUAL}?goods=0102")).await.len(), 0);
    let first = app.get("supervisor", &format!("{UNUSUAL}?per_page=1")).await.expect(200);
    let after = first["next"].as_str().unwrap();
    assert_eq!(items(&app, "supervisor", &format!("{UNUSUAL}?after={after}")).await.len(), 0);
    for wrong in ["after=x", "after=1~x", "per_page=0", "sort=price", "price=1"] {
        app.get("supervisor", &format!("{UNUSUAL}?{wrong}")).await.expect(422);
    }
    // A correction takes the old price away, and is judged itself.
    let mut mended = sale(&farm, ("P-H", "P-F"), ("0.1", "TNE"), "4250");
    mended["correction_of"] = json!(far);
    mended["correction_reason"] = json!("单价按千克填写");
    app.post("gateway", EVENTS, mended).await.expect(201);
    assert_eq!(items(&app, "supervisor", UNUSUAL).await, [] as [Value; 0]);
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_price").await, 8);
}

#[tokio::test]
async fn g_6_4_3_a_price_counts_when_its_event_does_and_batches_are_judged_one_by_one() {
    let app = TestApp::start().await;
    let farm = market(&app).await;
    // Written by hand it waits, and has no price until somebody approves it.
    let held = taken(&app, "farm", sale(&farm, ("P-H", "P-W"), ("5", "KGM"), "42")).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_price").await, 6);
    let approve = format!("{EVENTS}/{held}/approve");
    app.post("reviewer", &approve, json!({ "comment": "" })).await.expect(200);
    let listed = items(&app, "supervisor", UNUSUAL).await;
    assert_eq!((listed.len(), &listed[0]["event"]), (1, &json!(held)), "{listed:?}");
    // Months apart: judged among themselves alone, in the order in which they stand.
    let mut early = harvest(&farm, "E-H");
    early["event_time"] = json!("2026-08-31T08:00:00+08:00");
    early["attributes"]["sown_on"] = json!("2026-06-01");
    early["outputs"][0]["quantity"] = json!("100");
    early["outputs"][0]["product"] = json!("YJ-JC-01");
    app.post("gateway", EVENTS, early).await.expect(201);
    let many = (0..6).map(|at| {
        let price = if at == 5 { "430" } else { "43" };
        let mut one = sale(&farm, ("E-H", &format!("B-{at}")), ("1", "KGM"), price);
        one["event_time"] = json!("2026-09-01T08:00:00+08:00");
        one
    });
    let many: Vec<Value> = many.collect();
    app.post("gateway", EVENTS, json!({ "events": many })).await.expect(201);
    let listed = items(&app, "supervisor", UNUSUAL).await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!((&listed[1]["times"], &listed[1]["compared"]), (&json!("10"), &json!(5)));
}

fn mined(miner: &Value, (month, day): (&str, u8), code: &str) -> Value {
    json!({
        "domain": "rare_earth", "type": "mine", "subject": miner["code"],
        "event_time": format!("{month}-{day:02}T16:00:00+08:00"),
        "outputs": [{ "code": code, "quantity": "10", "unit": "TNE" }],
        "attributes": {
            "determined_no": "示例稀土确定-01", "mine": "示例稀土矿", "ore_type": "mixed",
            "period": month, "concentrate_t": "10", "grade_percent": "60", "reo_t": "6",
        },
    })
}

#[tokio::test]
async fn g_6_7_2_months_are_counted_by_when_they_came_and_a_burst_is_told() {
    let mut app = TestApp::start().await;
    let miner = app.subject("示例海绵钛厂").await;
    // Three of November while it happens; what is corrected is not reported twice.
    for day in [3, 4, 5] {
        let one = mined(&miner, ("2026-11", day), &format!("N-{day}"));
        taken(&app, "gateway", one).await;
    }
    let of = async |app: &TestApp, query: &str| {
        items(app, "supervisor", &format!("{REPORTS}{query}")).await
    };
    let told =
        |item: &Value| ["events", "last_hour", "late", "state"].map(|name| item[name].clone());
    let all = of(&app, "").await;
    assert_eq!((all.len(), told(&all[0])), (1, [json!(3), json!(0), json!(0), json!("prompt")]));
    assert_eq!((&all[0]["month"], &all[0]["due"]), (&json!("2026-11"), &json!("2026-12-10")));
    // October was due on the tenth; it is the nineteenth.
    taken(&app, "gateway", mined(&miner, ("2026-10", 9), "O-9")).await;
    let late = of(&app, "?state=late").await;
    assert_eq!((late.len(), told(&late[0])), (1, [json!(1), json!(0), json!(1), json!("late")]));
    // A minute before the deadline of November comes the rest of it.
    app.pass(SignedDuration::from_hours(21 * 24 + 11) + SignedDuration::from_mins(59));
    let [secret, password] =
        ["gateway", "supervisor"].map(|user| String::from(app.password_of(user)));
    app.fetch_token("gateway", &secret).await;
    app.log_in("supervisor", &password).await;
    let rest: Vec<_> =
        (6..16).map(|day| mined(&miner, ("2026-11", day), &format!("N-{day}"))).collect();
    app.post("gateway", EVENTS, json!({ "events": rest })).await.expect(201);
    let burst = of(&app, "?state=burst&month=2026-11&domain=rare_earth").await;
    let counts = [json!(13), json!(10), json!(0), json!("burst")];
    assert_eq!((burst.len(), told(&burst[0])), (1, counts), "{burst:?}");
    assert_eq!(of(&app, "?state=prompt").await.len(), 0);
    let page = app.get("supervisor", &format!("{REPORTS}?per_page=1")).await.expect(200);
    assert_eq!(page["items"][0]["month"], "2026-11");
    let next = format!("?per_page=1&after={}", page["next"].as_str().unwrap());
    assert_eq!(of(&app, &next).await[0]["month"], "2026-10");
    for wrong in ["state=gone", "month=2026-13", "month=11", "after=2026-11"] {
        app.get("supervisor", &format!("{REPORTS}?{wrong}")).await.expect(422);
    }
}

#[tokio::test]
async fn g_6_7_2_who_reported_daily_and_says_nothing_for_three_days_is_found_until_heard_again() {
    let mut app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let harvested = async |app: &TestApp, day: u8| {
        let mut grown = harvest(&farm, &format!("D-{day}"));
        grown["event_time"] = json!(format!("2026-11-{day:02}T10:00:00+08:00"));
        taken(app, "gateway", grown).await;
    };
    let silent = async |app: &TestApp| {
        yj_trace::examine_reporters(&app.assembled.app).await.unwrap();
        items(app, "supervisor", &format!("{REPORTERS}?state=silent")).await
    };
    // Four days of a week are not most of them.
    for day in [10, 11, 13, 16] {
        harvested(&app, day).await;
    }
    assert_eq!(silent(&app).await, [] as [Value; 0]);
    // Five are; but they were told this minute, whenever they happened.
    harvested(&app, 12).await;
    assert_eq!(silent(&app).await, [] as [Value; 0]);
    app.pass(SignedDuration::from_hours(72));
    let [secret, password] =
        ["gateway", "supervisor"].map(|user| String::from(app.password_of(user)));
    app.fetch_token("gateway", &secret).await;
    app.log_in("supervisor", &password).await;
    let found = silent(&app).await;
    assert_eq!((found.len(), &found[0]["subject"]["code"]), (1, &farm["code"]), "{found:?}");
    assert_eq!((&found[0]["days"], &found[0]["merchant"]), (&json!(3), &Value::Null));
    let heard = "SELECT COUNT(*) FROM outbox WHERE topic LIKE 'trace_reporter.%'";
    assert_eq!(app.count(heard).await, 1);
    // Found again it is the same finding. A label that has risen since hides it at once.
    assert_eq!((silent(&app).await, app.count(heard).await), (found, 1));
    somebody(&mut app, "clerk", &json!({ "region": "610000" }), 2).await;
    let listed = async |app: &TestApp| items(app, "clerk", REPORTERS).await.len();
    assert_eq!(listed(&app).await, 1);
    app.run_sql("UPDATE trace_subject SET label = 3 WHERE name = '示例韭菜合作社一社'").await;
    assert_eq!((listed(&app).await, silent(&app).await.len()), (0, 1));
    // Who sees one domain only is not told who does nothing in any.
    somebody(&mut app, "narrow", &json!({ "region": "610000", "category": "food" }), 3).await;
    assert_eq!(items(&app, "narrow", REPORTERS).await.len(), 0);
    assert_eq!(items(&app, "narrow", REPORTS).await.len(), 0);
    // It goes when something is said, of whatever day.
    harvested(&app, 18).await;
    assert_eq!((silent(&app).await.len(), app.count(heard).await), (0, 2));
    app.get("supervisor", &format!("{REPORTERS}?state=asleep")).await.expect(422);
    app.get("supervisor", &format!("{REPORTERS}?after=silent~%00")).await.expect(422);
}

/// What comes word for word into a proof or a repository, and what is tried by those who may not know it.
#[tokio::test]
async fn g_10_4_a_price_comes_by_no_door_that_shows_it_and_of_nobody_who_could_guess_it() {
    let mut app = TestApp::start().await;
    let farm = market(&app).await;
    somebody(&mut app, "clerk", &json!({ "region": "610525" }), 2).await;
    let sold = sale(&farm, ("P-H", "P-X"), ("10", "KGM"), "5.55");
    taken(&app, "gateway", sold.clone()).await;
    // Whether that was the price is not told to who tries it.
    let refused = app.post("clerk", EVENTS, sold.clone()).await.expect(422);
    assert!(detail(&refused).contains("许可密级"), "{refused}");
    let again = app.post("gateway", EVENTS, sold).await.expect(200);
    assert_eq!(again["results"][0]["duplicate"], true);
    // A clearance that was given for another part of the province opens nothing here.
    let event = items(&app, "supervisor", EVENTS).await[0]["id"].as_str().unwrap().to_owned();
    assign(&app, "clerk", &json!({ "region": "610802" }), 3).await;
    let hidden = app.get("clerk", &format!("{EVENTS}/{event}")).await.expect(200);
    assert_eq!(
        (&hidden["sensitive"], &hidden["attributes"]["unit_price"]),
        (&json!(["unit_price"]), &Value::Null)
    );
    // An EPCIS event is shown word for word.
    for said in
        [json!({ "yj:unit_price": "4.2" }), json!({ "yj:attributes": { "unit_price": "4.2" } })]
    {
        let mut event = json!({
            "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-11-12T08:00:00+08:00",
            "eventTimeZoneOffset": "+08:00", "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
            "yj:subject": farm["code"], "yj:domain": "agri", "yj:type": "retail",
        });
        event.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        event["@context"] = json!([
            "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", { "yj": "urn:yj:epcis:" },
        ]);
        let kind = [("content-type", "application/json")];
        let body = Some(event.to_string().into_bytes());
        let refused = app.send("POST", "/epcis/v2/events", Some("gateway"), &kind, body).await;
        let refused = refused.expect(400);
        assert!(refused.to_string().contains("商业秘密"), "{refused}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 0);
    // Nor is it in the digest by which the event is known again.
    let clear = "SELECT COUNT(*) FROM trace_price";
    assert_eq!(app.count(clear).await, 7);
}
