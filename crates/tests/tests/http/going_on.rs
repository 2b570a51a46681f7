//! Several things that go on under their own codes in one event, as boxes do that are sold together
//! (G-6.5.4): each is what it was, and nothing to what went on beside it.

use serde_json::{Value, json};

use crate::{
    capturing::{at, captured, held, processing},
    chain_cases::{ids, objects},
    chain_law::chain,
    harness::{TestApp, harvest},
    packing::{event, roles, uid},
};

fn together(from: &Value, lines: &[(&str, &str)], to: &Value, day: usize) -> Value {
    let mut event = event(from, "wholesale", (lines, lines), day);
    event["counterparty"] = to["code"].clone();
    event
}

#[tokio::test]
async fn g_6_5_4_what_goes_on_together_is_not_made_of_one_another() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    let made_a = uid(&app, harvest(&farm, "TOG-A")).await;
    let made_b = uid(&app, harvest(&farm, "TOG-B")).await;
    let sold = uid(&app, together(&farm, &[("TOG-A", "100"), ("TOG-B", "100")], &market, 12)).await;
    let down = chain(&app, "supervisor", "TOG-A", "downstream").await;
    assert_eq!(ids(&down, false), [sold.as_str()]);
    assert_eq!(roles(&down), ["TOG-A root", "TOG-B beside"]);
    assert_eq!(objects(&down), ["TOG-A 100 0 100 1.000000"]);
    assert_eq!((&down["freeze"]["total"], &down["flows"]), (&json!("100"), &json!([])));
    let up = chain(&app, "supervisor", "TOG-B", "upstream").await;
    assert_eq!(ids(&up, false), [made_b, sold]);
    assert!(!up.to_string().contains(&made_a), "{up}");
    // An order on the one is no order on the other.
    let path = "/api/v1/trace/objects/TOG-A/orders";
    let order =
        json!({ "act": "stop", "downstream": true, "reason": "示例", "document_no": "示例-1" });
    app.post("supervisor", path, order).await.expect(201);
    let other = app.get("supervisor", "/api/v1/trace/objects/TOG-B").await.expect(200);
    assert_eq!(other["quality"], Value::Null, "{other}");
    let one = app.get("supervisor", "/api/v1/trace/objects/TOG-A").await.expect(200);
    assert_ne!(one["quality"], Value::Null, "{one}");
    // Nor does the public see the one on the page of the other.
    let json = [("accept", "application/json")];
    let page = app.send("GET", "/t/TOG-B", None, &json, None).await.expect(200);
    assert!(!page.to_string().contains(&made_a) && page["state"] == "found", "{page}");
}

#[tokio::test]
async fn g_6_5_4_what_grew_by_the_other_is_made_of_it_all_the_same() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["GREW-A", "GREW-B", "GREW-C"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let inputs = [("GREW-A", "100"), ("GREW-B", "100"), ("GREW-C", "40")];
    let outputs = [("GREW-A", "140"), ("GREW-B", "60")];
    captured(&app, event(&farm, "processing", (&inputs, &outputs), 12)).await;
    let of = async |code: &str| chain(&app, "supervisor", code, "downstream").await;
    // What was added is in both; of what went on only that which grew has something of the other.
    assert_eq!(
        roles(&of("GREW-C").await),
        ["GREW-A downstream", "GREW-B downstream", "GREW-C root"]
    );
    assert_eq!(roles(&of("GREW-B").await), ["GREW-A downstream", "GREW-B root", "GREW-C beside"]);
    assert_eq!(roles(&of("GREW-A").await), ["GREW-A root", "GREW-B beside", "GREW-C beside"]);
    let flows = of("GREW-B").await["flows"].clone();
    let told = |flow: &Value| {
        let text = |name: &str| String::from(flow[name].as_str().unwrap());
        format!("{} {} {}", text("from"), text("to"), text("quantity"))
    };
    let mut told: Vec<String> = flows.as_array().unwrap().iter().map(told).collect();
    told.sort();
    assert_eq!(told, ["GREW-B GREW-A 40", "GREW-C GREW-A 40", "GREW-C GREW-B 0"]);
}

#[tokio::test]
async fn g_6_5_4_a_share_counts_what_is_measured_in_tonnes_and_in_kilograms() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["TON-A", "TON-B"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let mut large = harvest(&farm, "TON-L");
    large["outputs"][0]["quantity"] = json!("1");
    large["outputs"][0]["unit"] = json!("TNE");
    captured(&app, large).await;
    let mut mixed = processing(&farm, ("TON-L", "0.1"), "TON-C");
    mixed["inputs"] = json!([
        { "code": "TON-A", "quantity": "100", "unit": "KGM" },
        { "code": "TON-L", "quantity": "0.3", "unit": "TNE" },
    ]);
    mixed["outputs"][0]["quantity"] = json!("400");
    captured(&app, mixed).await;
    let mut next = processing(&farm, ("TON-C", "200"), "TON-D");
    next["outputs"][0]["quantity"] = json!("200");
    captured(&app, at(next, "2026-11-13T08:00:00+08:00")).await;
    assert_eq!(held(&app, "TON-L").await, "0.7");
    let shares = async |code: &str, direction: &str| {
        let chain = chain(&app, "supervisor", code, direction).await;
        let objects = chain["objects"].as_array().unwrap().iter();
        let told = objects.map(|one| {
            format!("{} {}", one["code"].as_str().unwrap(), one["share"].as_str().unwrap_or("-"))
        });
        told.collect::<Vec<_>>()
    };
    let wanted = ["TON-C 0.250000", "TON-D 0.250000", "TON-A 1.000000"].map(String::from);
    let mut down = shares("TON-A", "downstream").await;
    down.sort_by_key(|line| line.ends_with("1.000000"));
    assert_eq!(down, wanted);
    let up = shares("TON-D", "upstream").await;
    assert_eq!(
        up,
        ["TON-A 0.250000", "TON-C 1.000000", "TON-D 1.000000", "TON-L 0.750000"].map(String::from)
    );
}
