//! G-6.4.1, G-6.5, G-8-2: packages and what is in them under orders, recalls and corrections, in quantities,
//! and as EPCIS says them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    capturing::{at, capture, captured, held, processing, said},
    chain_law::chain,
    epcis::{self, document, job},
    harness::{TestApp, harvest},
    houses::id_of,
    packing::{event, pack, refused, roles, sell, ship, steps, uid, unpack},
    tamper::pass,
};

const FREEZE: &str = "freeze";
/// When orders are made.
const NOW: &str = "2026-11-19T12:00:00+08:00";

/// Two lots in a package.
async fn packed(app: &TestApp, farm: &Value) {
    for code in ["A", "B"] {
        captured(app, harvest(farm, code)).await;
    }
    captured(app, pack(farm, &[("A", "100"), ("B", "100")], "P", 11)).await;
}

async fn freeze(app: &TestApp, code: &str, downstream: bool) -> Value {
    let order = json!({
        "act": FREEZE, "downstream": downstream, "reason": "示例抽检不合格",
        "document_no": format!("示监〔2026〕{code}{downstream}号"), "authority": "示例市场监督管理局",
    });
    app.post("supervisor", &format!("/api/v1/trace/objects/{code}/orders"), order).await.expect(201)
}

async fn lift(app: &TestApp, order: &Value) {
    let body = json!({ "reason": "示例复检合格", "document_no": "示监〔2026〕9号" });
    let path = format!("/api/v1/trace_order/{}/lift", id_of(order));
    app.post("supervisor", &path, body).await.expect(200);
}

#[tokio::test]
async fn g_6_5_an_order_over_one_thing_holds_the_package_that_it_is_in_and_no_other() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    packed(&app, &farm).await;
    for (downstream, day) in [(false, 12), (true, 13)] {
        let over = freeze(&app, "A", downstream).await;
        assert_eq!(over["units"], 2, "with the package that it lies in: {over}");
        for event in [
            unpack(&farm, "P", &[], day),
            event(&farm, "retail", (&[("P", "1")], &[("P", "1")]), day),
        ] {
            let waits = said(&captured(&app, event).await).0 == "held";
            assert!(waits, "it says that it happened before: somebody looks at it");
        }
        refused(
            &app,
            at(unpack(&farm, "P", &[("B", "100")], 18), NOW),
            "inputs[0].code",
            &["追溯码 P", "冻结"],
        )
        .await;
        lift(&app, &over).await;
    }
    // Over the package: what is in it does not leave it.
    let over = freeze(&app, "P", false).await;
    assert_eq!(over["units"], 1, "{over}");
    refused(&app, at(unpack(&farm, "P", &[], 18), NOW), "inputs[0].code", &["追溯码 P", "冻结"])
        .await;
    lift(&app, &over).await;
    assert_eq!(captured(&app, unpack(&farm, "P", &[], 15)).await["state"], "accepted");
    // What was in one package with it is free of it.
    let over = freeze(&app, "A", true).await;
    assert_eq!(over["units"], 1, "{over}");
    refused(&app, at(sell(&farm, ("A", "100"), 18), NOW), "inputs[0].code", &["追溯码 A", "冻结"])
        .await;
    captured(&app, sell(&farm, ("B", "40"), 16)).await;
    lift(&app, &over).await;
    // An order over the package reaches what came out of it.
    let over = freeze(&app, "P", true).await;
    assert_eq!(over["units"], 3, "{over}");
    refused(&app, at(sell(&farm, ("B", "40"), 18), NOW), "inputs[0].code", &["追溯码 B", "冻结"])
        .await;
}

#[tokio::test]
async fn g_6_5_what_is_under_an_order_does_not_come_out_of_a_package_that_is_not() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "A")).await;
    captured(&app, harvest(&farm, "B")).await;
    captured(&app, pack(&farm, &[("A", "40"), ("B", "99")], "P", 11)).await;
    captured(&app, unpack(&farm, "P", &[("A", "40")], 12)).await;
    // The lot is in no package, but some of it comes to be in one that was recorded late.
    let over = freeze(&app, "A", false).await;
    assert_eq!(over["units"], 1, "{over}");
    let late = captured(&app, pack(&farm, &[("A", "10"), ("B", "0.5")], "P2", 13)).await;
    assert_eq!(late["state"], "held", "{late}");
    refused(&app, at(unpack(&farm, "P", &[("A", "1")], 18), NOW), "outputs[0].code", &["追溯码 A"])
        .await;
    captured(&app, unpack(&farm, "P", &[("B", "99")], 14)).await;
    assert_eq!(held(&app, "B").await, "100");
}

#[tokio::test]
async fn g_6_9_3_a_recall_of_one_thing_says_nothing_of_what_was_beside_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    packed(&app, &farm).await;
    captured(&app, unpack(&farm, "P", &[], 12)).await;
    let recall = async |code: &str| {
        let mut event = event(&farm, "recall", (&[], &[]), 13);
        event["inputs"] = json!([{ "code": code }]);
        event["attributes"] =
            json!({ "level": "1", "reason": "示例检测不合格", "advice": "请停止食用" });
        let recall = captured(&app, event).await;
        let approve = format!("/api/v1/trace/events/{}/approve", id_of(&recall));
        app.post("reviewer", &approve, json!({})).await.expect(200);
    };
    let state = async |code: &str| {
        let json = [("accept", "application/json")];
        let page = app.send("GET", &format!("/t/{code}"), None, &json, None).await.expect(200);
        page["state"].clone()
    };
    recall("A").await;
    assert_eq!([state("A").await, state("B").await], ["recalled", "found"]);
    recall("P").await;
    assert_eq!([state("A").await, state("B").await], ["recalled", "recalled"]);
}

#[tokio::test]
async fn g_6_4_1_a_packing_is_not_corrected_away_from_under_what_was_taken_out() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["A", "B"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let packing = pack(&farm, &[("A", "100"), ("B", "100")], "P", 11);
    let first = uid(&app, packing.clone()).await;
    let taking = uid(&app, unpack(&farm, "P", &[("A", "100")], 12)).await;
    let corrects = |mut event: Value, of: &str| {
        event["correction_of"] = json!(of);
        event["correction_reason"] = json!("示例：装箱有误");
        event
    };
    let withdrawn = |of: &str, kind: &str| {
        let mut event = corrects(event(&farm, kind, (&[], &[]), 13), of);
        event["withdraws"] = json!(true);
        event
    };
    let less = corrects(pack(&farm, &[("B", "100")], "P", 11), &first);
    refused(&app, less, "correction_of", &["没有足够的 A", "先更正拆包装"]).await;
    let answer = capture(&app, withdrawn(&first, "aggregate")).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    // The taking out was of less; then it was not at all.
    let part = uid(&app, corrects(unpack(&farm, "P", &[("A", "60")], 12), &taking)).await;
    assert_eq!((held(&app, "A").await, held(&app, "P").await), (json!("60"), json!("1")));
    uid(&app, withdrawn(&part, "disaggregate")).await;
    assert_eq!((held(&app, "A").await, held(&app, "P").await), (json!("0"), json!("1")));
    let less = uid(&app, corrects(pack(&farm, &[("B", "100")], "P", 11), &first)).await;
    assert_eq!(held(&app, "A").await, "100");
    assert!(steps(&app, "A", "downstream").await.is_empty());
    assert_eq!(steps(&app, "B", "downstream").await, BTreeSet::from([less]));
}

#[tokio::test]
async fn g_6_4_1_part_of_a_lot_goes_in_and_comes_out_as_part_of_the_lot() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let market = app.subject("示例市场批发商甲").await;
    captured(&app, harvest(&farm, "C")).await;
    captured(&app, pack(&farm, &[("C", "80")], "P", 11)).await;
    assert_eq!(held(&app, "C").await, "20");
    captured(&app, ship(&farm, "P", &market, 12)).await;
    for (part, left) in [("30", "50"), ("30", "80")] {
        let taken =
            captured(&app, unpack(&market, "P", &[("C", part)], 13 + usize::from(left == "80")))
                .await;
        assert_eq!(said(&taken), ("accepted", ""), "{taken}");
        assert_eq!(held(&app, "C").await, left);
    }
    let more = unpack(&market, "P", &[("C", "21")], 15);
    refused(&app, more, "outputs[0].quantity", &["有 C 20 千克", "取出 21 千克"]).await;
    captured(&app, unpack(&market, "P", &[], 16)).await;
    assert_eq!((held(&app, "C").await, held(&app, "P").await), (json!("100"), json!("0")));
    let root = chain(&app, "supervisor", "C", "downstream").await["root"].clone();
    assert_eq!((&root["produced"], &root["held"]), (&json!("100"), &json!("100")), "{root}");
    // What came in and went out adds up, and is what the audit works out of the links.
    let balance = app.get("supervisor", "/api/v1/trace/objects/C/balance").await.expect(200);
    assert_eq!(balance["accounts"][0]["closing"], "100", "{balance}");
    app.anchor().await;
    assert_eq!(pass(&app).await, [] as [Value; 0]);
    // What was never in the package is still the farm's.
    let made = |quantity| at(processing(&market, ("C", quantity), "X"), &crate::packing::on(17));
    refused(&app, made("81"), "inputs[0].quantity", &["本主体持有 80 千克"]).await;
    captured(&app, made("80")).await;
}

fn aggregation(id: &str, action: &str, rest: &Value) -> Value {
    let step = if action == "ADD" { "packing" } else { "unpacking" };
    let mut event = json!({
        "type": "AggregationEvent", "eventID": format!("urn:example:{id}"), "action": action,
        "bizStep": step, "eventTime": "2026-11-11T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "parentID": "urn:epc:id:sscc:4012345.0000000111",
    });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    event
}

fn made(id: &str, code: &str) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:{id}"), "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "ilmd": { "yj:plot": "示例地块" },
        "quantityList": [{ "epcClass": format!("urn:example:{code}"), "quantity": 100, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "harvest",
    })
}

fn of(code: &str, quantity: i64) -> Value {
    json!([{ "epcClass": format!("urn:example:{code}"), "quantity": quantity, "uom": "KGM" }])
}

async fn settle(app: &TestApp) {
    let held = app.get("supervisor", "/api/v1/trace/events?state=held").await.expect(200);
    let mut waiting: Vec<&Value> = held["items"].as_array().unwrap().iter().collect();
    waiting.sort_by_key(|event| event["event_time"].as_str().unwrap());
    for event in waiting {
        app.post("reviewer", &format!("/api/v1/trace/events/{}/approve", id_of(event)), json!({}))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn g_8_2_what_epcis_aggregates_it_disaggregates() {
    let app = TestApp::start().await;
    let sent = async |events: &[Value]| {
        let answer = epcis::capture(&app, "farm", &document(events), "rollback").await;
        let done = job(&app, "farm", &answer).await;
        settle(&app).await;
        done
    };
    let left = async |code: &str| {
        let path = format!("/api/v1/trace/objects/{code}");
        app.get("supervisor", &path).await.expect(200)["held"].clone()
    };
    let (a, b, package) = ("urn:example:EP-A", "urn:example:EP-B", "040123450000001112");
    let done = sent(&[made("1", "EP-A"), made("2", "EP-B")]).await;
    assert_eq!(done["told"], 2, "{done}");
    // Exactly one type of a domain packs, so none has to be named.
    let mut both = of("EP-A", 100);
    both.as_array_mut().unwrap().extend(of("EP-B", 80).as_array().unwrap().clone());
    let packing = json!({ "childQuantityList": both, "yj:domain": "agri" });
    let done = sent(&[aggregation("3", "ADD", &packing)]).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(1), &json!([])), "{done}");
    assert_eq!([left(a).await, left(b).await, left(package).await], ["0", "20", "1"]);
    // More goes into the same package, which stays one.
    let more = json!({ "childQuantityList": of("EP-B", 20), "yj:domain": "agri" });
    let done = sent(&[aggregation("3b", "ADD", &more)]).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(1), &json!([])), "{done}");
    assert_eq!([left(b).await, left(package).await], ["0", "1"]);
    // Some of it, by what it is; the package goes on, and is known by itself.
    let some = json!({ "childQuantityList": of("EP-A", 40) });
    let done = sent(&[aggregation("4", "DELETE", &some)]).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(1), &json!([])), "{done}");
    assert_eq!([left(a).await, left(b).await, left(package).await], ["40", "0", "1"]);
    // What never was in it.
    let strange = json!({ "childEPCs": ["urn:example:EP-C"] });
    let done = sent(&[aggregation("5", "DELETE", &strange)]).await;
    assert_eq!(done["untold"][0]["reason"], "refused", "{done}");
    assert!(done.to_string().contains("没有装入包装"), "{done}");
    // Without children all of it.
    let done = sent(&[aggregation("6", "DELETE", &json!({}))]).await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(1), &json!([])), "{done}");
    assert_eq!([left(a).await, left(b).await, left(package).await], ["100", "100", "0"]);
    let told = chain(&app, "supervisor", a, "downstream").await;
    assert!(roles(&told).contains(&format!("{b} beside")), "{told}");
    // An association makes nothing of goods.
    let mut tied = aggregation("7", "DELETE", &json!({ "yj:domain": "agri" }));
    tied["type"] = json!("AssociationEvent");
    let done = sent(&[tied]).await;
    assert_eq!(done["untold"][0]["reason"], "no_counterpart", "{done}");
}

#[tokio::test]
async fn g_8_2_packing_and_unpacking_of_one_document_are_told_in_their_order() {
    let app = TestApp::start().await;
    let mut all = vec![made("1", "ON-A"), made("2", "ON-B")];
    let mut both = of("ON-A", 100);
    both.as_array_mut().unwrap().extend(of("ON-B", 100).as_array().unwrap().clone());
    all.push(aggregation("3", "ADD", &json!({ "childQuantityList": both, "yj:domain": "agri" })));
    all.push(aggregation("4", "DELETE", &json!({})));
    // Through an interface whose data are accepted by themselves.
    let subject = app.subject("示例韭菜合作社一社").await;
    for event in &mut all {
        event["yj:subject"] = subject["code"].clone();
    }
    let done =
        job(&app, "gateway", &epcis::capture(&app, "gateway", &document(&all), "rollback").await)
            .await;
    assert_eq!((&done["told"], &done["untold"]), (&json!(4), &json!([])), "{done}");
    assert_eq!(held(&app, "urn:example:ON-A").await, "100");
    assert_eq!(held(&app, "040123450000001112").await, "0");
}
