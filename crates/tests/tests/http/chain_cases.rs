//! G-6.5.4: chains of a few events whose answer can be told at a glance.

use serde_json::{Value, json};

use crate::{
    capturing::{at, capture, captured, held, processing},
    chain_law::chain,
    harness::{TestApp, harvest},
    houses::id_of,
    packing,
};

fn sent_on(subject: &Value, (code, quantity): (&str, &str), kind: &str) -> Value {
    let mut event = processing(subject, (code, quantity), code);
    event["type"] = json!(kind);
    event
}

#[tokio::test]
async fn g_6_5_4_a_lot_that_goes_on_under_its_own_code_is_made_once() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    captured(&app, harvest(&farm, "ON-R")).await;
    let mut made = processing(&farm, ("ON-R", "100"), "ON-X");
    made["counterparty"] = market["code"].clone();
    captured(&app, made).await;
    captured(&app, at(sent_on(&market, ("ON-X", "100"), "wholesale"), "2026-11-12T08:00:00+08:00"))
        .await;
    let down = chain(&app, "supervisor", "ON-R", "downstream").await;
    assert_eq!(objects(&down), ["ON-R 100 100 0 1.000000", "ON-X 100 0 100 1.000000"]);
    let up = chain(&app, "supervisor", "ON-X", "upstream").await;
    assert_eq!(objects(&up), ["ON-R 100 100 0 1.000000", "ON-X 100 0 100 1.000000"]);
    // Who sent it on is who had it.
    let line = &down["flow_table"][1];
    assert_eq!(
        (&line["upstream"], &line["downstream"]),
        (&farm["name"], &market["name"]),
        "{down}"
    );
    // What is sold in parts is there as far as it is not sold.
    for day in 13..15 {
        let sale = sent_on(&market, ("ON-X", "30"), "retail");
        captured(&app, at(sale, &format!("2026-11-{day}T08:00:00+08:00"))).await;
    }
    assert_eq!(held(&app, "ON-X").await, "40");
    let down = chain(&app, "supervisor", "ON-R", "downstream").await;
    assert_eq!(objects(&down)[1], "ON-X 100 60 40 1.000000");
    assert_eq!(
        (&down["freeze"]["total"], &down["gone"]["total"], &down["gone"]["equivalent"]),
        (&json!("40"), &json!("60"), &json!("60"))
    );
    let sale = sent_on(&market, ("ON-X", "40"), "retail");
    captured(&app, at(sale, "2026-11-15T08:00:00+08:00")).await;
    let down = chain(&app, "supervisor", "ON-R", "downstream").await;
    assert_eq!((&down["freeze"]["total"], &down["gone"]["total"]), (&json!("0"), &json!("100")));
    assert_eq!(down["objects"][1]["state"], "sold");
}

#[tokio::test]
async fn g_6_5_4_what_is_corrected_after_something_was_made_of_it_keeps_its_share() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "LATE-R")).await;
    let mut made = processing(&farm, ("LATE-R", "100"), "LATE-A");
    let second =
        json!({ "code": "LATE-B", "quantity": "60", "unit": "KGM", "product": "YJ-JC-01" });
    made["outputs"][0]["quantity"] = json!("40");
    made["outputs"].as_array_mut().unwrap().push(second);
    let first = captured(&app, made.clone()).await;
    // Sold at the very time at which it was made, as records that know only the day have it.
    captured(&app, sent_on(&farm, ("LATE-A", "40"), "retail")).await;
    let shares = ["LATE-A 40 0 0 1.000000", "LATE-B 60 0 60 1.000000", "LATE-R 100 100 0 1.000000"];
    let down = async || objects(&chain(&app, "supervisor", "LATE-R", "downstream").await);
    assert_eq!(down().await, shares);
    made["correction_of"] = first["id"].clone();
    made["correction_reason"] = json!("示例：补记包装");
    assert_eq!(captured(&app, made).await["state"], "accepted");
    assert_eq!(down().await, shares, "the correction is recorded after the sale");
}

#[tokio::test]
async fn g_6_5_4_of_a_sale_that_was_not_nothing_is_left() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    let mut made = harvest(&farm, "BACK-X");
    made["counterparty"] = market["code"].clone();
    captured(&app, made).await;
    let taken = at(sent_on(&market, ("BACK-X", "100"), "wholesale"), "2026-11-12T08:00:00+08:00");
    let taken = captured(&app, taken).await;
    let sale = |day: usize, quantity: &str| {
        at(
            sent_on(&market, ("BACK-X", quantity), "retail"),
            &format!("2026-11-{day}T08:00:00+08:00"),
        )
    };
    let first = captured(&app, sale(13, "30")).await;
    let second = captured(&app, sale(14, "70")).await;
    let unit = async || app.get("supervisor", "/api/v1/trace/objects/BACK-X").await.expect(200);
    assert_eq!(unit().await["state"], "sold");
    let withdraw = async |of: &Value| {
        let sent = json!({
            "domain": "agri", "type": of["type"], "subject": market["code"],
            "event_time": of["event_time"], "correction_of": of["id"],
            "correction_reason": "示例：没有发生", "withdraws": true,
        });
        let done = captured(&app, sent).await;
        assert_eq!(done["state"], "accepted", "{done}");
    };
    // Whether it was the last of the sales or one before it, what comes back can be sold again.
    for (of, held) in [(&first, "30"), (&second, "100")] {
        withdraw(of).await;
        let unit = unit().await;
        assert_eq!((&unit["held"], &unit["state"]), (&json!(held), &json!("held")), "{unit}");
        let down = chain(&app, "supervisor", "BACK-X", "downstream").await;
        assert_eq!(down["freeze"]["total"], held, "{down}");
    }
    assert_eq!(captured(&app, sale(15, "40")).await["state"], "accepted");
    // Where it was never passed on, whoever made it has it.
    let again = app.get("supervisor", "/api/v1/trace/events?code=BACK-X").await.expect(200);
    let is_sale = |event: &&Value| event["type"] == "retail" && event["state"] == "accepted";
    let sales: Vec<Value> =
        again["items"].as_array().unwrap().iter().filter(is_sale).cloned().collect();
    for of in sales.iter().filter(|event| event["withdraws"] != true).chain([&taken]) {
        withdraw(of).await;
    }
    let down = chain(&app, "supervisor", "BACK-X", "downstream").await;
    let root = &down["objects"][0];
    assert_eq!(
        (&root["subject"], &root["stage"], &root["held"]),
        (&farm["name"], &json!("primary_production"), &json!("100")),
        "{down}"
    );
    // What follows from the records is what is kept.
    app.anchor().await;
    for (what, well, detail) in yj_server::examine(&app.assembled, &std::env::temp_dir()).await {
        assert!(well, "{what}: {detail}");
    }
}

#[tokio::test]
async fn g_6_9_3_a_recall_is_shown_however_many_have_looked_on() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "MANY-1")).await;
    let seen = |kind: &str, attributes: Value| {
        json!({
            "domain": "agri", "type": kind, "subject": farm["code"], "inputs": [{ "code": "MANY-1" }],
            "event_time": "2026-11-11T08:00:00+08:00", "attributes": attributes,
        })
    };
    let recall = json!({ "level": "1", "reason": "示例检测不合格", "advice": "请停止食用" });
    let recall = captured(&app, seen("recall", recall)).await;
    let approve = format!("/api/v1/trace/events/{}/approve", id_of(&recall));
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    let passed = |number: usize| {
        let no = format!("示例-{number}");
        seen("test", json!({ "report_no": no, "item": "腐霉利", "verdict": "pass" }))
    };
    for part in [0..1000, 1000..1010] {
        let events: Vec<Value> = part.map(passed).collect();
        capture(&app, json!({ "events": events })).await.expect(201);
    }
    // The newest are told, and that there are more.
    let whole = chain(&app, "supervisor", "MANY-1", "upstream").await;
    assert_eq!((&whole["truncated"], ids(&whole, true).len()), (&json!(true), 1000));
    let json = [("accept", "application/json")];
    let page = app.send("GET", "/t/MANY-1", None, &json, None).await.expect(200);
    assert_eq!(
        (&page["state"], &page["recall"]["advice"]),
        (&json!("recalled"), &json!("请停止食用"))
    );
}

/// What is more than one part is read by two where the engine can.
#[tokio::test]
async fn g_6_5_4_of_a_long_chain_every_line_is_told_once_and_in_order() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut made = harvest(&farm, "LONG");
    made["outputs"][0]["quantity"] = json!("4500");
    captured(&app, made).await;
    let code = |number: usize| format!("LONG-{number:04}");
    for part in [0..1000, 1000..2000, 2000..2200] {
        let events = part.map(|number| processing(&farm, ("LONG", "2"), &code(number)));
        capture(&app, json!({ "events": events.collect::<Vec<_>>() })).await.expect(201);
    }
    let whole = chain(&app, "supervisor", "LONG", "downstream").await;
    let list = |name: &str, member: &str| -> Vec<String> {
        let lines = whole.pointer(name).unwrap().as_array().unwrap().iter();
        lines.map(|line| String::from(line[member].as_str().unwrap())).collect()
    };
    let mut codes: Vec<String> = (0..2200).map(code).collect();
    assert_eq!(list("/gone/items", "code"), Vec::<String>::new());
    codes.insert(0, String::from("LONG"));
    assert_eq!(list("/objects", "code"), codes);
    assert_eq!(list("/freeze/items", "code"), codes);
    assert_eq!(list("/subjects", "id").len(), 1);
    assert_eq!(list("/flow_table", "event").len(), 2200);
    let events: Vec<(String, String)> =
        list("/events", "event_time").into_iter().zip(list("/events", "id")).collect();
    assert_eq!(events.len(), 2200);
    assert!(events.is_sorted_by(|one, next| one.0 < next.0 || one.0 == next.0 && one.1 != next.1));
    let flows = whole["flows"].as_array().unwrap();
    assert_eq!(flows.len(), 2200, "{}", flows[0]);

    // What is unpacked elsewhere changes nothing; what is unpacked on its way is followed exactly.
    let box_of = async |child: &str, other: &str, package: &str| {
        for code in [child, other] {
            if !code.starts_with("LONG") {
                captured(&app, harvest(&farm, code)).await;
            }
        }
        let children = [(child, "2"), (other, "100")];
        captured(&app, packing::pack(&farm, &children, package, 15)).await;
        captured(&app, packing::unpack(&farm, package, &[], 16)).await;
    };
    let told = async || {
        let whole = chain(&app, "supervisor", "LONG", "downstream").await;
        whole["events"].as_array().unwrap().len()
    };
    box_of("APART-1", "APART-2", "P-APART").await;
    assert_eq!(told().await, 2200);
    box_of("LONG-2199", "APART-3", "P-LONG").await;
    let whole = chain(&app, "supervisor", "LONG", "downstream").await;
    let role = |code: &str| {
        let lines = whole["objects"].as_array().unwrap().iter();
        lines.clone().find(|line| line["code"] == code).map(|line| line["role"].clone())
    };
    assert_eq!(told().await, 2202);
    assert_eq!(role("P-LONG"), Some(json!("downstream")));
    assert_ne!(role("APART-3"), Some(json!("downstream")));
    let up = chain(&app, "supervisor", "LONG-2199", "upstream").await;
    assert!(up["objects"].as_array().unwrap().iter().any(|line| line["code"] == "LONG"));
}

#[tokio::test]
async fn g_10_4_whom_a_customer_passes_a_lot_on_to_is_the_customers_business() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    let other = app.subject("示例韭菜合作社二社").await;
    let mut made = harvest(&farm, "PASS-1");
    made["counterparty"] = market["code"].clone();
    captured(&app, made).await;
    let mut bought = sent_on(&market, ("PASS-1", "100"), "wholesale");
    bought["counterparty"] = other["code"].clone();
    captured(&app, bought).await;
    let sold = at(sent_on(&other, ("PASS-1", "100"), "wholesale"), "2026-11-12T08:00:00+08:00");
    assert_eq!(captured(&app, sold).await["state"], "accepted");
    let whole = chain(&app, "supervisor", "PASS-1", "downstream").await;
    assert_eq!(whole["objects"][0]["subject"], other["name"]);
    let passed: Vec<_> = whole["flow_table"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["upstream"].clone(), line["downstream"].clone()))
        .collect();
    let name = |subject: &Value| subject["name"].clone();
    assert_eq!(passed, [(name(&farm), name(&market)), (name(&market), name(&other))]);
    for direction in ["both", "downstream", "upstream"] {
        let own = chain(&app, "farm", "PASS-1", direction).await;
        assert_eq!(own["objects"][0]["subject"], market["name"], "{direction} {own}");
        assert!(!own.to_string().contains(other["name"].as_str().unwrap()), "{direction} {own}");
    }
    let own = chain(&app, "farm", "PASS-1", "upstream").await;
    assert_eq!(
        (&own["objects"][0]["produced"], &own["events"][0]["type"]),
        (&json!("100"), &json!("harvest"))
    );
}

pub fn ids(chain: &Value, observes: bool) -> Vec<String> {
    let events = chain["events"].as_array().unwrap().iter();
    let events = events.filter(|event| event["observes"] == observes);
    events.map(|event| String::from(event["id"].as_str().unwrap())).collect()
}

/// One line for each: code, produced, consumed, held, share.
pub fn objects(chain: &Value) -> Vec<String> {
    let objects = chain["objects"].as_array().unwrap().iter();
    let line = |one: &Value| {
        let part = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
        ["code", "produced", "consumed", "held", "share"].map(part).join(" ")
    };
    objects.map(line).collect()
}

#[tokio::test]
async fn g_6_4_3_what_comes_out_of_nothing_is_as_strange_as_what_is_lost() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "GAIN-R")).await;
    let made = |from: &str, (took, gave): (&str, &str), to: &str| {
        let mut event = processing(&farm, (from, took), to);
        event["outputs"][0]["quantity"] = json!(gave);
        event
    };
    captured(&app, made("GAIN-R", ("2", "200"), "GAIN-A")).await;
    captured(&app, made("GAIN-R", ("10", "11"), "GAIN-B")).await;
    let marked = async |code: &str| {
        let found = chain(&app, "supervisor", code, "upstream").await;
        let events = found["events"].as_array().unwrap();
        let made = events.iter().find(|event| event["outputs"][0]["code"] == code).unwrap();
        made["loss_outlier"].clone()
    };
    assert_eq!(marked("GAIN-A").await, true);
    assert_eq!(marked("GAIN-B").await, false, "scales and water within what the type allows");
}

#[tokio::test]
async fn g_6_4_3_what_is_used_before_it_was_produced_is_looked_at() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "EARLY-R")).await;
    let early = at(processing(&farm, ("EARLY-R", "10"), "EARLY-A"), "2026-11-09T08:00:00+08:00");
    let early = captured(&app, early).await;
    let reason = early["held_reason"].as_str().unwrap_or_default();
    for word in ["追溯码 EARLY-R 2026年11月10日 08:00 才产出", "2026年11月9日 08:00"] {
        assert!(early["state"] == "held" && reason.contains(word), "{word}: {early}");
    }
    // At the very time is early enough.
    let then = at(processing(&farm, ("EARLY-R", "10"), "EARLY-B"), "2026-11-10T08:00:00+08:00");
    assert_eq!(captured(&app, then).await["state"], "accepted");
    // Both in one request.
    let both = json!({ "events": [
        harvest(&farm, "EARLY-S"),
        at(processing(&farm, ("EARLY-S", "10"), "EARLY-C"), "2026-11-09T08:00:00+08:00"),
    ] });
    let taken = capture(&app, both).await.expect(201);
    let states: Vec<_> =
        taken["results"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["accepted", "held"], "{taken}");
}
