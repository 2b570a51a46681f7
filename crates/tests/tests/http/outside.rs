//! G-6.4.1, handbook §4.3: what comes from outside the platform, under codes of others, once or often, and
//! what is counted of it.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, said},
    harness::TestApp,
    houses::id_of,
    subjects::detail,
    tamper,
};

const EVENTS: &str = "/api/v1/trace/events";

fn line(code: &str, quantity: &str) -> Value {
    json!({ "code": code, "quantity": quantity, "unit": "KGM" })
}

fn from_outside(code: &str, quantity: &str) -> Value {
    let mut line = line(code, quantity);
    line["external"] = json!(true);
    line
}

/// Goods of an outside supplier that somebody takes in under the supplier's code.
fn receipt(who: &Value, (code, quantity): (&str, &str), day: u32) -> Value {
    json!({
        "domain": "industrial", "type": "receive", "subject": who["code"],
        "inputs": [from_outside(code, quantity)], "outputs": [line(code, quantity)],
        "event_time": format!("2026-11-{day}T08:00:00+08:00"), "attributes": { "supplier": "示例" },
    })
}

/// Something made out of goods of an outside supplier.
fn made(who: &Value, (code, quantity): (&str, &str), output: &str, day: u32) -> Value {
    json!({
        "domain": "agri", "type": "processing", "subject": who["code"],
        "inputs": [from_outside(code, quantity)],
        "outputs": [{ "code": output, "quantity": quantity, "unit": "KGM", "product": "YJ-JC-01" }],
        "event_time": format!("2026-11-{day}T08:00:00+08:00"),
    })
}

fn correcting(of: &Value, mut event: Value) -> Value {
    event["correction_of"] = of["id"].clone();
    event["correction_reason"] = json!("示例：称重有误");
    event
}

/// What came in, what went out and what is left of a code: by its own account, and by its holder's.
async fn account(app: &TestApp, who: &Value, code: &str) -> (Vec<String>, Vec<String>, String) {
    let path = format!("/api/v1/trace/objects/{code}/balance");
    let whole = app.get("supervisor", &path).await.expect(200);
    let own = app.get("enterprise", &path).await.expect(200);
    let told = |account: &Value| {
        assert_eq!(account["consistent"], true, "{who}: {account}");
        let side = |side: &Value| -> Vec<String> {
            let line = |one: &Value| {
                format!(
                    "{} {}",
                    one["movement"].as_str().unwrap(),
                    one["quantity"].as_str().unwrap()
                )
            };
            side.as_array().unwrap().iter().map(line).collect()
        };
        let closing = String::from(account["closing"].as_str().unwrap());
        (side(&account["in"]), side(&account["out"]), closing)
    };
    let told = (told(&whole["accounts"][0]), told(&own["accounts"][0]));
    assert_eq!(told.0, told.1, "{whole} {own}");
    told.0
}

fn lines(of: &[&str]) -> Vec<String> {
    of.iter().map(|line| String::from(*line)).collect()
}

async fn nothing_is_wrong(app: &TestApp) {
    let found = tamper::pass(app).await;
    assert!(found.iter().all(|one| one["what"] != "derived"), "{found:?}");
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    let found = findings.iter().find(|(name, ..)| *name == "结存一致").unwrap();
    assert!(found.1, "{}", found.2);
}

#[tokio::test]
async fn g_6_4_1_an_outside_lot_comes_as_often_as_goods_under_it_do() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    for (quantity, day, all) in [("40", 10, "40"), ("60", 11, "100")] {
        let taken = captured(&app, receipt(&plant, ("SUP-1", quantity), day)).await;
        assert_eq!(said(&taken), ("accepted", ""));
        let purchases = format!("102 {all}");
        assert_eq!(
            account(&app, &plant, "SUP-1").await,
            (lines(&[&purchases]), Vec::new(), String::from(all))
        );
    }
    // Of what is not put out again as much comes in as goes out.
    for (output, day) in [("SUP-2A", 10), ("SUP-2B", 11)] {
        captured(&app, made(&plant, ("SUP-2", "30"), output, day)).await;
    }
    let (into, out, closing) = account(&app, &plant, "SUP-2").await;
    assert_eq!((into, closing.as_str()), (lines(&["000 60"]), "0"));
    assert!(out.len() == 1 && out[0].ends_with(" 60"), "{out:?}");
    // In one request the same is true.
    let batch = json!({ "events": [
        made(&plant, ("SUP-3", "10"), "SUP-3A", 10), made(&plant, ("SUP-3", "20"), "SUP-3B", 11),
        receipt(&plant, ("SUP-4", "1"), 10), receipt(&plant, ("SUP-4", "2"), 10),
    ] });
    let taken = capture(&app, batch).await.expect(201);
    let states = taken["results"].as_array().unwrap().iter();
    assert!(states.clone().all(|one| one["state"] == "accepted"), "{taken}");
    assert_eq!(account(&app, &plant, "SUP-4").await.2, "3");
    // The chain of a product leads to what is outside, and from there to all that was made of it.
    let path = "/api/v1/trace/chain?code=SUP-2&direction=downstream";
    let chain = app.get("supervisor", path).await.expect(200);
    assert_eq!(chain["root"]["produced"], "60", "{chain}");
    for output in ["SUP-2A", "SUP-2B"] {
        assert!(chain.to_string().contains(output), "{chain}");
    }
    // What is made here does not come from outside, nor does anybody observe what only might.
    captured(&app, crate::harness::harvest(&app.subject("示例韭菜合作社一社").await, "HERE-1"))
        .await;
    let refused = capture(&app, made(&plant, ("HERE-1", "1"), "HERE-2", 12)).await.expect(422);
    assert!(detail(&refused).contains("已在平台登记"), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "inputs[0].external");
    nothing_is_wrong(&app).await;
}

#[tokio::test]
async fn g_6_4_1_what_came_from_outside_goes_with_the_event_that_brought_it() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let first = captured(&app, made(&plant, ("BACK-1", "40"), "BACK-2", 10)).await;
    // More than was said first, in the form in which it was sent.
    let more = correcting(&first, made(&plant, ("BACK-1", "50"), "BACK-2", 10));
    let more = captured(&app, more).await;
    assert_eq!(said(&more), ("accepted", ""));
    assert_eq!(account(&app, &plant, "BACK-1").await.0, lines(&["000 50"]));
    // The code is registered by now; whoever takes it for one that is means the same.
    let mut less = correcting(&more, made(&plant, ("BACK-1", "30"), "BACK-2", 10));
    less["inputs"][0].as_object_mut().unwrap().remove("external");
    let less = captured(&app, less).await;
    assert_eq!(said(&less), ("accepted", ""));
    assert_eq!(less["inputs"][0]["external"], true, "{less}");
    assert_eq!(account(&app, &plant, "BACK-1").await.0, lines(&["000 30"]));
    let withdrawal = |of: &Value, domain: &str, kind: &str| {
        json!({
            "domain": domain, "type": kind, "subject": plant["code"], "withdraws": true,
            "event_time": "2026-11-13T08:00:00+08:00", "correction_of": of["id"],
            "correction_reason": "示例：没有发生",
        })
    };
    captured(&app, withdrawal(&less, "agri", "processing")).await;
    let path = "/api/v1/trace/objects/BACK-1/balance";
    let gone = app.get("supervisor", path).await.expect(200);
    assert!(gone["accounts"].as_array().unwrap().iter().all(|one| one["closing"] == "0"), "{gone}");
    // Of two receipts one is taken back; what was sold of it stands in the way.
    captured(&app, receipt(&plant, ("BACK-3", "40"), 10)).await;
    let second = captured(&app, receipt(&plant, ("BACK-3", "60"), 11)).await;
    let sale = json!({
        "domain": "industrial", "type": "sale", "subject": plant["code"],
        "inputs": [line("BACK-3", "50")], "outputs": [line("BACK-4", "50")],
        "event_time": "2026-11-12T08:00:00+08:00",
    });
    let sale = captured(&app, sale).await;
    assert_eq!(said(&sale).0, "accepted");
    let refused = capture(&app, withdrawal(&second, "industrial", "receive")).await.expect(422);
    assert!(detail(&refused).contains("将为负"), "{refused}");
    let fewer = captured(&app, correcting(&second, receipt(&plant, ("BACK-3", "15"), 11))).await;
    assert_eq!(said(&fewer), ("accepted", ""));
    assert_eq!(account(&app, &plant, "BACK-3").await.2, "5");
    nothing_is_wrong(&app).await;
    app.tamper("UPDATE trace_brought SET quantity = quantity + 10000").await;
    let found = tamper::pass(&app).await;
    tamper::named(&found, "derived", "object:BACK-3");
}

#[tokio::test]
async fn g_6_4_1_an_outside_code_that_another_took_in_is_looked_at_before_it_comes_again() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let other = app.subject("示例市场批发商甲").await;
    captured(&app, made(&plant, ("BOTH-1", "40"), "BOTH-2", 10)).await;
    // Nobody has anything of it: two bought of one lot.
    let taken = captured(&app, made(&other, ("BOTH-1", "5"), "BOTH-3", 11)).await;
    assert_eq!(said(&taken), ("accepted", ""));
    captured(&app, receipt(&plant, ("BOTH-4", "40"), 10)).await;
    let taken = captured(&app, receipt(&other, ("BOTH-4", "5"), 11)).await;
    assert!(said(&taken).0 == "held" && said(&taken).1.contains("BOTH-4"), "{taken}");
    let holders = async || {
        let path = "/api/v1/trace/objects/BOTH-4/balance";
        let whole = app.get("supervisor", path).await.expect(200);
        let all = whole["holders"].as_array().unwrap().iter();
        let mut all: Vec<String> =
            all.map(|one| String::from(one["quantity"].as_str().unwrap())).collect();
        all.sort();
        assert_eq!(whole["accounts"][0]["consistent"], true, "{whole}");
        all
    };
    assert!(holders().await.is_empty(), "it is one's alone");
    let approve = format!("{EVENTS}/{}/approve", id_of(&taken));
    app.post("reviewer", &approve, json!({ "comment": "同一供应商" })).await.expect(200);
    assert_eq!(holders().await, ["40", "5"]);
    nothing_is_wrong(&app).await;
}
