//! 包装关联与拆包装 (handbook §D aggregate, disaggregate; GC-4): what is in a package travels with it, comes
//! out as what it was, and is nothing to what was beside it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    capturing::{at, capture, captured, held, processing, said},
    chain_cases::{ids, objects},
    chain_law::chain,
    harness::{TestApp, harvest},
    subjects::detail,
};

pub fn on(day: usize) -> String {
    format!("2026-11-{day:02}T08:00:00+08:00")
}

fn lines(lines: &[(&str, &str)]) -> Value {
    let unit = |code: &str| if code.starts_with('P') { "H87" } else { "KGM" };
    let line = |(code, quantity): &(&str, &str)| json!({ "code": code, "quantity": quantity, "unit": unit(code) });
    lines.iter().map(line).collect()
}

/// An event of a kind; codes that begin with P are of packages, which are counted.
pub fn event(
    subject: &Value,
    kind: &str,
    (inputs, outputs): (&[(&str, &str)], &[(&str, &str)]),
    day: usize,
) -> Value {
    json!({
        "domain": "agri", "type": kind, "subject": subject["code"], "event_time": on(day),
        "inputs": lines(inputs), "outputs": lines(outputs),
    })
}

pub fn pack(subject: &Value, children: &[(&str, &str)], package: &str, day: usize) -> Value {
    event(subject, "aggregate", (children, &[(package, "1")]), day)
}

/// Takes some things out of a package, or all; whether the package goes on is the platform's to say.
pub fn unpack(subject: &Value, package: &str, children: &[(&str, &str)], day: usize) -> Value {
    let mut event = event(subject, "disaggregate", (&[], children), day);
    event["inputs"] = json!([{ "code": package }]);
    event
}

pub fn ship(from: &Value, code: &str, to: &Value, day: usize) -> Value {
    let mut event = event(from, "wholesale", (&[(code, "1")], &[(code, "1")]), day);
    event["counterparty"] = to["code"].clone();
    event
}

pub fn sell(subject: &Value, line: (&str, &str), day: usize) -> Value {
    event(subject, "retail", (&[line], &[line]), day)
}

pub async fn uid(app: &TestApp, event: Value) -> String {
    let taken = captured(app, event).await;
    assert_eq!(taken["state"], "accepted", "{taken}");
    String::from(taken["id"].as_str().unwrap())
}

pub async fn steps(app: &TestApp, code: &str, direction: &str) -> BTreeSet<String> {
    ids(&chain(app, "supervisor", code, direction).await, false).into_iter().collect()
}

fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| String::from(*id)).collect()
}

pub fn roles(chain: &Value) -> Vec<String> {
    let objects = chain["objects"].as_array().unwrap().iter();
    let all = objects.chain(chain["beside"].as_array().unwrap());
    let told = all
        .map(|one| format!("{} {}", one["code"].as_str().unwrap(), one["role"].as_str().unwrap()));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

pub async fn refused(app: &TestApp, event: Value, field: &str, words: &[&str]) {
    let answer = capture(app, event).await.expect(422);
    for word in words {
        assert!(detail(&answer).contains(word), "{word}: {answer}");
    }
    assert_eq!(answer["errors"][0]["field"], field, "{answer}");
}

#[tokio::test]
async fn d_7_3_3_a_chain_leaves_a_package_with_what_it_entered_with() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    let made_a = uid(&app, harvest(&farm, "A")).await;
    let made_b = uid(&app, harvest(&farm, "B")).await;
    let packed = uid(&app, pack(&farm, &[("A", "100"), ("B", "100")], "P", 11)).await;
    assert_eq!((held(&app, "A").await, held(&app, "P").await), (json!("0"), json!("1")));
    let shipped = uid(&app, ship(&farm, "P", &market, 12)).await;
    let opened = captured(&app, unpack(&market, "P", &[], 13)).await;
    assert_eq!(said(&opened), ("accepted", ""), "{opened}");
    let named: Vec<&str> = opened["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["code"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["A", "B"], "of nothing named all is taken out: {opened}");
    let opened = String::from(opened["id"].as_str().unwrap());
    for (code, left) in [("A", "100"), ("B", "100"), ("P", "0")] {
        assert_eq!(held(&app, code).await, left, "{code}");
    }
    let sold_a = uid(&app, sell(&market, ("A", "100"), 14)).await;
    let sold_b = uid(&app, sell(&market, ("B", "100"), 14)).await;

    let down = chain(&app, "supervisor", "A", "downstream").await;
    let told: BTreeSet<String> = ids(&down, false).into_iter().collect();
    assert_eq!(told, set(&[&packed, &shipped, &opened, &sold_a]));
    assert_eq!(roles(&down), ["A root", "B beside", "P downstream"]);
    assert_eq!((&down["freeze"]["total"], &down["gone"]["total"]), (&json!("0"), &json!("100")));
    assert_eq!(down["root"]["produced"], "100", "what comes out of a package is not made again");
    let up = chain(&app, "supervisor", "A", "upstream").await;
    let told: BTreeSet<String> = ids(&up, false).into_iter().collect();
    assert_eq!(told, set(&[&made_a, &packed, &shipped, &opened, &sold_a]));
    assert_eq!(roles(&up), ["A root", "B beside", "P upstream"]);
    assert_eq!(up["broken"], json!([]));
    assert_eq!(objects(&up)[1], "P 1 1 0 1.000000", "all of it came by the package");
    // Of the package both are parts.
    let all = [&packed, &shipped, &opened, &sold_a, &sold_b];
    assert_eq!(steps(&app, "P", "downstream").await, set(&all[1..]));
    assert_eq!(steps(&app, "P", "upstream").await, set(&[&made_a, &made_b, &packed, &shipped]));
    // The public is told how it came, and nothing of what was beside it.
    let json = [("accept", "application/json")];
    let page = app.send("GET", "/t/A", None, &json, None).await.expect(200);
    let told: BTreeSet<String> = page["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| String::from(step["id"].as_str().unwrap()))
        .collect();
    assert_eq!(told, set(&[&made_a, &packed, &shipped, &opened, &sold_a]));
    assert!(!page.to_string().contains("\"B\""), "{page}");
}

#[tokio::test]
async fn d_7_3_3_a_pallet_goes_on_without_the_case_that_was_taken_off() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    for can in ["A1", "A2", "B1", "B2"] {
        captured(&app, harvest(&farm, can)).await;
    }
    let case = uid(&app, pack(&farm, &[("A1", "100"), ("A2", "100")], "PA", 11)).await;
    let other = uid(&app, pack(&farm, &[("B1", "100"), ("B2", "100")], "PB", 11)).await;
    let pallet = uid(&app, pack(&farm, &[("PA", "1"), ("PB", "1")], "PP", 12)).await;
    let first = uid(&app, ship(&farm, "PP", &market, 13)).await;
    // One case is taken off, and the pallet goes on with the other.
    let off = captured(&app, unpack(&market, "PP", &[("PA", "1")], 14)).await;
    assert_eq!(off["outputs"][1]["code"], "PP", "{off}");
    let off = String::from(off["id"].as_str().unwrap());
    let second = uid(&app, ship(&market, "PP", &farm, 15)).await;
    // Where things are that nobody holds by themselves.
    let inside = async |code: &str| {
        let unit =
            app.get("supervisor", &format!("/api/v1/trace/objects/{code}")).await.expect(200);
        let packages = unit["packages"].as_array().unwrap().iter();
        let told = packages.map(|one| {
            format!("{} {}", one["code"].as_str().unwrap(), one["subject"].as_str().unwrap())
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(inside("A1").await, ["PA 示例市场批发商甲"]);
    assert_eq!(inside("B1").await, ["PB 示例韭菜合作社一社", "PP 示例市场批发商甲"]);
    assert_eq!(inside("PP").await, [] as [&str; 0]);
    let open = uid(&app, unpack(&market, "PA", &[("A1", "100")], 15)).await;
    assert_eq!((held(&app, "PP").await, held(&app, "PA").await), (json!("1"), json!("1")));
    let sold = uid(&app, sell(&market, ("A1", "100"), 16)).await;
    // What is left goes into another package.
    let rest = uid(&app, unpack(&market, "PA", &[], 16)).await;
    let again = uid(&app, pack(&market, &[("A2", "100")], "PN", 17)).await;

    let down = async |code| steps(&app, code, "downstream").await;
    assert_eq!(down("A1").await, set(&[&case, &pallet, &first, &off, &open, &sold]));
    assert_eq!(down("A2").await, set(&[&case, &pallet, &first, &off, &open, &rest, &again]));
    assert_eq!(down("B1").await, set(&[&other, &pallet, &first, &off, &second]));
    let chain = chain(&app, "supervisor", "PA", "downstream").await;
    assert_eq!(
        ids(&chain, false).into_iter().collect::<BTreeSet<_>>(),
        set(&[&pallet, &first, &off, &open, &sold, &rest, &again])
    );
    assert_eq!(
        roles(&chain),
        [
            "A1 downstream",
            "A2 downstream",
            "PA root",
            "PB beside",
            "PN downstream",
            "PP downstream"
        ]
    );
}

#[tokio::test]
async fn g_6_4_1_what_never_went_into_a_package_does_not_come_out_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["A", "B", "C"] {
        captured(&app, harvest(&farm, code)).await;
    }
    captured(&app, pack(&farm, &[("A", "30"), ("B", "100")], "P", 11)).await;
    refused(&app, unpack(&farm, "P", &[("C", "1")], 12), "outputs[0].code", &["没有装入包装 P"])
        .await;
    refused(&app, unpack(&farm, "P", &[("D", "1")], 12), "outputs[0].code", &["没有装入包装 P"])
        .await;
    let more = unpack(&farm, "P", &[("A", "31")], 12);
    refused(&app, more, "outputs[0].quantity", &["取出超过装入", "30 千克", "31 千克"]).await;
    // Whoever counts the package must say what becomes of the rest.
    let mut counted = unpack(&farm, "P", &[("A", "30")], 12);
    counted["inputs"] = lines(&[("P", "1")]);
    refused(&app, counted.clone(), "outputs", &["还有 1 项没有取出（B）"]).await;
    counted["outputs"].as_array_mut().unwrap().push(lines(&[("P", "1")])[0].clone());
    assert_eq!(captured(&app, counted).await["state"], "accepted");
    assert_eq!(held(&app, "A").await, "100", "70 beside the package, 30 out of it");
    refused(&app, unpack(&farm, "P", &[("A", "1")], 13), "outputs[0].code", &["已从包装 P 中取出"])
        .await;
    // The same thing is in one package only.
    refused(&app, pack(&farm, &[("B", "1")], "P2", 13), "inputs[0].quantity", &["超过结存"]).await;
    // What was made of something has nothing in it.
    captured(&app, at(processing(&farm, ("C", "100"), "X"), &on(12))).await;
    refused(&app, unpack(&farm, "X", &[], 13), "inputs[0].code", &["没有包装关联的记录"]).await;
    captured(&app, unpack(&farm, "P", &[], 13)).await;
    refused(&app, unpack(&farm, "P", &[], 14), "inputs[0].code", &["已全部取出"]).await;
    // The same event sent again is the same event.
    let again = capture(&app, unpack(&farm, "P", &[], 13)).await;
    assert_eq!(again.body["results"][0]["duplicate"], true, "{}", again.body);
}

#[tokio::test]
async fn d_7_3_3_what_is_made_of_a_package_is_made_of_what_was_left_in_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["A", "B"] {
        captured(&app, harvest(&farm, code)).await;
    }
    captured(&app, pack(&farm, &[("A", "100"), ("B", "60")], "P", 11)).await;
    captured(&app, unpack(&farm, "P", &[("B", "60")], 12)).await;
    let made = event(&farm, "processing", (&[("P", "1")], &[("X", "100")]), 13);
    captured(&app, made).await;
    let share = async |root: &str, direction: &str, code: &str| {
        let chain = chain(&app, "supervisor", root, direction).await;
        let all = chain["objects"].as_array().unwrap().iter();
        let mut found = all.filter(|one| one["code"] == code).map(|one| one["share"].clone());
        found.next()
    };
    assert_eq!(share("A", "downstream", "X").await, Some(json!("1.000000")));
    assert_eq!(share("X", "upstream", "A").await, Some(json!("1.000000")));
    assert_eq!(share("B", "downstream", "X").await, None);
    assert_eq!(share("X", "upstream", "B").await, None);
}
