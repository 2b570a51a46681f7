//! G-6.4.3: what both parties say of one transaction, and who may see where they differ.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    access::somebody,
    domains::put_into_use,
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::{act, detail},
};

const EVENTS: &str = "/api/v1/trace/events";
const MATCHES: &str = "/api/v1/trace/matches";

/// The shipped pack with what those record who buy and who destroy.
fn pack() -> Value {
    let shipped = include_str!("../../../../domains/agri.json");
    let mut pack: Value = serde_json::from_str(shipped).unwrap();
    pack["version"] = json!("1.9.0");
    let stages = pack["stages"].as_array_mut().unwrap();
    let trade = stages.iter_mut().find(|stage| stage["stage"] == "distribution").unwrap();
    let consuming = json!({ "mode": "consume", "min": 1, "max": 200 });
    let voucher =
        json!([{ "name": "voucher_no", "label": "交易凭证号", "kind": "text", "required": false }]);
    for (code, name, movement, outputs) in
        [("purchase", "采购入库", "102", 200), ("destroy", "销毁", "205", 0)]
    {
        trade["events"].as_array_mut().unwrap().push(json!({
            "code": code, "name": name, "movement": movement, "inputs": consuming,
            "outputs": { "min": 0, "max": outputs }, "fields": voucher,
        }));
    }
    pack
}

/// Who sells, who buys, and somebody else.
pub struct Trade {
    pub app: TestApp,
    farm: Value,
    plant: Value,
    market: Value,
}

impl Trade {
    pub async fn start() -> Self {
        let app = TestApp::start().await;
        put_into_use(&app, pack()).await;
        let farm = app.subject("示例韭菜合作社一社").await;
        let plant = app.subject("示例蔬菜加工厂").await;
        let market = app.subject("示例市场批发商甲").await;
        Self { app, farm, plant, market }
    }

    async fn capture(&self, event: Value) -> Value {
        let taken = self.app.post("gateway", EVENTS, event).await.expect(201);
        taken["results"][0].clone()
    }

    /// A lot of 100 kg of the farm's, sold under a voucher; the goods are called as the lot.
    pub async fn sold(&self, lot: &str, voucher: Option<&str>) -> Value {
        let mut grown = harvest(&self.farm, &format!("{lot}-H"));
        grown["outputs"][0]["lot"] = json!(lot);
        self.capture(grown).await;
        self.capture(self.sale(lot, voucher)).await
    }

    fn sale(&self, lot: &str, voucher: Option<&str>) -> Value {
        let (goods, from) = (lot, format!("{lot}-H"));
        json!({
            "domain": "agri", "type": "wholesale", "subject": self.farm["code"],
            "counterparty": self.plant["code"], "event_time": "2026-11-11T08:00:00+08:00",
            "inputs": [{ "code": from, "quantity": "100", "unit": "KGM" }],
            "outputs": [{ "code": goods, "quantity": "100", "unit": "KGM", "lot": lot }],
            "attributes": { "voucher_no": voucher },
        })
    }

    /// The plant's word on it.
    pub async fn bought(&self, lot: &str, voucher: Option<&str>, quantity: &str) -> Value {
        self.capture(self.purchase(lot, voucher, (quantity, "KGM"))).await
    }

    fn purchase(&self, lot: &str, voucher: Option<&str>, (quantity, unit): (&str, &str)) -> Value {
        json!({
            "domain": "agri", "type": "purchase", "subject": self.plant["code"],
            "counterparty": self.farm["code"], "event_time": "2026-11-11T18:00:00+08:00",
            "inputs": [{ "code": lot, "quantity": quantity, "unit": unit }],
            "outputs": [{ "code": format!("{lot}-B"), "quantity": quantity, "unit": unit }],
            "attributes": { "voucher_no": voucher },
        })
    }

    async fn of(&self, lot: &str) -> Vec<Value> {
        let path = format!("{MATCHES}?batch={lot}");
        let found = self.app.get("supervisor", &path).await.expect(200);
        found["items"].as_array().unwrap().clone()
    }

    async fn state(&self, lot: &str) -> String {
        let found = self.of(lot).await;
        assert_eq!(found.len(), 1, "{found:?}");
        String::from(found[0]["state"].as_str().unwrap())
    }
}

#[tokio::test]
async fn g_6_4_3_both_sides_of_a_transaction_are_compared_when_the_second_arrives() {
    let trade = Trade::start().await;
    trade.sold("T1", Some("V-001")).await;
    let found = trade.of("T1").await;
    assert_eq!((&found[0]["state"], &found[0]["given"]), (&json!("given"), &json!("100")));
    let bought = trade.capture(trade.purchase("T1", Some("v 001"), ("0.1", "TNE"))).await;
    assert_eq!(bought["state"], "accepted", "{bought}");
    let found = trade.of("T1").await;
    assert_eq!(
        ["state", "given", "received", "unit", "given_on", "received_on", "voucher"]
            .map(|name| found[0][name].clone()),
        ["matched", "100", "100", "KGM", "2026-11-11", "2026-11-11", "V001"].map(Value::from)
    );
    // Compared in one form, and shown as the first of them wrote it.
    assert_eq!(found[0]["voucher_written"], "V-001");
    assert_eq!(
        (&found[0]["giver"]["code"], &found[0]["receiver"]["code"]),
        (&trade.farm["code"], &trade.plant["code"])
    );
    // Less arrived than was sent, until the record is put right.
    trade.sold("T2", Some("V-002")).await;
    let bought = trade.capture(trade.purchase("T2", Some("V-002"), ("90", "KGM"))).await;
    assert_eq!(trade.state("T2").await, "quantity");
    let mut right = trade.purchase("T2", Some("V-002"), ("100", "KGM"));
    right["correction_of"] = bought["id"].clone();
    right["correction_reason"] = json!("称重有误");
    trade.capture(right).await;
    assert_eq!(trade.state("T2").await, "matched");
    // Two days under way are none of anybody's concern; 三日以上 begins with the third.
    for (lot, day, state) in [("T3", "2026-11-13", "matched"), ("T4", "2026-11-14", "day")] {
        trade.sold(lot, Some(lot)).await;
        let mut bought = trade.purchase(lot, Some(lot), ("100", "KGM"));
        bought["event_time"] = json!(format!("{day}T08:00:00+08:00"));
        trade.capture(bought).await;
        assert_eq!(trade.state(lot).await, state, "{lot}");
    }
    // Without a voucher the day tells which belong together.
    trade.sold("T5", None).await;
    trade.capture(trade.purchase("T5", None, ("100", "KGM"))).await;
    assert_eq!(trade.state("T5").await, "matched");
    trade.sold("T6", None).await;
    let mut bought = trade.purchase("T6", None, ("100", "KGM"));
    bought["event_time"] = json!("2026-11-12T08:00:00+08:00");
    trade.capture(bought).await;
    let mut states: Vec<_> = trade.of("T6").await.iter().map(|one| one["state"].clone()).collect();
    states.sort_by_key(ToString::to_string);
    assert_eq!(states, ["given", "received"]);
    // In two parts, and both sides in one request.
    trade.sold("T7", Some("V-007")).await;
    let mut rest = trade.purchase("T7", Some("V-007"), ("60", "KGM"));
    rest["outputs"][0]["code"] = json!("T7-C");
    let parts = json!({ "events": [trade.purchase("T7", Some("V-007"), ("40", "KGM")), rest] });
    trade.capture(parts).await;
    assert_eq!(trade.state("T7").await, "matched");
    // What was corrected away is no transaction any more.
    let sold = trade.sold("T8", Some("V-008")).await;
    let mut other = trade.sale("T8", Some("V-009"));
    other["correction_of"] = sold["id"].clone();
    other["correction_reason"] = json!("凭证号有误");
    trade.capture(other).await;
    let found = trade.of("T8").await;
    assert_eq!((found.len(), &found[0]["voucher"]), (1, &json!("V009")));
}

#[tokio::test]
async fn g_6_4_3_what_waits_for_review_is_compared_once_it_is_approved() {
    let trade = Trade::start().await;
    trade.sold("T1", Some("V-001")).await;
    let own = trade.purchase("T1", Some("V-001"), ("100", "KGM"));
    let taken = trade.app.post("enterprise", EVENTS, own).await.expect(201);
    assert_eq!(
        (&taken["results"][0]["state"], trade.state("T1").await.as_str()),
        (&json!("held"), "given")
    );
    let approve = format!("{EVENTS}/{}/approve", id_of(&taken["results"][0]));
    trade.app.post("reviewer", &approve, json!({})).await.expect(200);
    assert_eq!(trade.state("T1").await, "matched");
    // Whoever says that they got something has not given it: their word takes nobody's goods.
    let mut onward = trade.purchase("T1-B", Some("V-010"), ("10", "KGM"));
    (onward["subject"], onward["counterparty"]) =
        (trade.farm["code"].clone(), trade.plant["code"].clone());
    assert_eq!(trade.capture(onward).await["state"], "held");
    // 销毁 is possible even of who is suspended, and reviewed.
    act(&trade.app, "supervisor", (&trade.plant, "suspend"), 1).await.expect(200);
    trade.app.pass(SignedDuration::from_mins(5));
    let destroyed = json!({
        "domain": "agri", "type": "destroy", "subject": trade.plant["code"],
        "event_time": "2026-11-19T12:03:00+08:00",
        "inputs": [{ "code": "T1-B", "quantity": "100", "unit": "KGM" }],
    });
    assert_eq!(trade.capture(destroyed).await["state"], "held");
}

#[tokio::test]
async fn g_6_4_3_what_one_side_alone_says_is_found_and_only_by_those_concerned() {
    let mut trade = Trade::start().await;
    for lot in ["T1", "T2", "T3"] {
        trade.sold(lot, Some(lot)).await;
    }
    let mut other = trade.sale("T4", Some("T4"));
    other["counterparty"] = trade.market["code"].clone();
    let grown = harvest(&trade.farm, "T4-H");
    trade.capture(grown).await;
    trade.capture(other).await;
    trade.capture(trade.purchase("T1", Some("T1"), ("100", "KGM"))).await;
    let region = json!({ "region": trade.market["region"] });
    somebody(&mut trade.app, "of-market", &region, 4).await;
    let batches = async |user: &str, query: &str| {
        let found = trade.app.get(user, &format!("{MATCHES}?{query}")).await.expect(200);
        let mut batches: Vec<String> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| String::from(one["batch"].as_str().unwrap()))
            .collect();
        batches.sort();
        batches
    };
    // 2026-11-11 is eight days ago.
    assert_eq!(batches("supervisor", "overdue=8").await, ["T2", "T3", "T4"]);
    assert!(batches("supervisor", "overdue=9").await.is_empty());
    assert_eq!(batches("supervisor", "state=matched").await, ["T1"]);
    assert_eq!(batches("supervisor", "voucher=t2").await, ["T2"]);
    let receiver = format!("receiver_id={}&state=given", id_of(&trade.market));
    assert_eq!(batches("supervisor", &receiver).await, ["T4"]);
    // Both parties, and whoever supervises one of them.
    assert_eq!(batches("farm", "").await, ["T1", "T2", "T3", "T4"]);
    assert_eq!(batches("enterprise", "").await, ["T1", "T2", "T3"]);
    assert_eq!(batches("of-market", "").await, ["T4"]);
    assert_eq!(trade.app.get("secadmin", MATCHES).await.status, 403);
    // Page by page.
    let first = trade.app.get("supervisor", &format!("{MATCHES}?per_page=3")).await.expect(200);
    let next = first["next"].as_str().unwrap();
    let path = format!("{MATCHES}?per_page=3&after={next}");
    let second = trade.app.get("supervisor", &path).await.expect(200);
    let ids = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|one| String::from(one["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let by_number = format!("{MATCHES}?per_page=3&page=2&sort=-opened_at");
    let by_number = trade.app.get("supervisor", &by_number).await.expect(200);
    assert_eq!(ids(&by_number), ids(&second));
    let (mut all, rest) = (ids(&first), ids(&second));
    assert_eq!((all.len(), rest.len(), &second["next"]), (3, 1, &Value::Null));
    all.extend(rest);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
    let many = vec!["state=given"; 30].join("&");
    for (query, word) in [
        (many.as_str(), "查询条件过多"),
        ("state=lost", "quantity 数量不符"),
        ("overdue=0", "1 至 3650"),
        ("after=x", "游标无效"),
        ("sort=voucher", "应为 -opened_at"),
        ("colour=red", "没有这个查询条件"),
        ("per_page=1000", "1 至 200"),
    ] {
        let refused = trade.app.get("supervisor", &format!("{MATCHES}?{query}")).await.expect(422);
        assert!(detail(&refused).contains(word), "{refused}");
    }
}

#[tokio::test]
async fn g_6_4_3_a_difference_leads_to_the_events_within_reach_and_names_the_other_party() {
    let mut trade = Trade::start().await;
    let sold = trade.sold("T1", Some("V-1")).await;
    let mut rest = trade.purchase("T1", Some("V-1"), ("50", "KGM"));
    rest["outputs"][0]["code"] = json!("T1-C");
    rest["event_time"] = json!("2026-11-11T19:00:00+08:00");
    let bought = [trade.bought("T1", Some("V-1"), "40").await, trade.capture(rest).await];
    let ids = |found: &Value, side: &str| {
        let events = found[side].as_array().unwrap().iter();
        events.map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    let found = &trade.of("T1").await[0];
    assert_eq!(found["state"], "quantity");
    assert_eq!(ids(found, "given_events"), [sold["id"].clone()]);
    assert_eq!(ids(found, "received_events"), [bought[0]["id"].clone(), bought[1]["id"].clone()]);
    // Who supervises the buyer only is led to the buyer's events, and told both names.
    let region = json!({ "region": trade.plant["region"] });
    somebody(&mut trade.app, "of-plant", &region, 4).await;
    let listed = trade.app.get("of-plant", &format!("{MATCHES}?batch=T1")).await.expect(200);
    let found = &listed["items"][0];
    assert_eq!(found["giver"]["name"], trade.farm["name"]);
    assert!(ids(found, "given_events").is_empty(), "{found}");
    let reached = ids(found, "received_events");
    assert_eq!(reached.len(), 2, "{found}");
    let one = format!("{EVENTS}/{}", reached[0].as_str().unwrap());
    let event = trade.app.get("of-plant", &one).await.expect(200);
    assert_eq!(
        (&event["counterparty"], &event["counterparty_name"]),
        (&trade.farm["code"], &trade.farm["name"])
    );
    let one = format!("{EVENTS}/{}", id_of(&sold));
    trade.app.get("of-plant", &one).await.expect(404);
    // The buyer reads it in their own list too, though the seller is no subject of theirs.
    let listed = trade.app.get("enterprise", &format!("{EVENTS}?code=T1")).await.expect(200);
    let own = listed["items"].as_array().unwrap().iter().find(|one| one["type"] == "purchase");
    assert_eq!(own.unwrap()["counterparty_name"], trade.farm["name"], "{listed}");
    // What was corrected away is led to no more.
    let mut right = trade.purchase("T1", Some("V-1"), ("50", "KGM"));
    right["correction_of"] = bought[0]["id"].clone();
    right["correction_reason"] = json!("称重有误");
    let right = trade.capture(right).await;
    let found = &trade.of("T1").await[0];
    assert_eq!(ids(found, "received_events"), [right["id"].clone(), bought[1]["id"].clone()]);
}

#[tokio::test]
async fn g_6_4_3_large_quantities_keep_nobody_from_reading() {
    let trade = Trade::start().await;
    let large = "99999999999";
    let grown = |code: &str| {
        let mut event = harvest(&trade.farm, code);
        event["outputs"][0]["quantity"] = json!(large);
        event["attributes"]["deviation"] = json!("示例：数量极大");
        event
    };
    let sold = |code: &str, from: &str| {
        let mut event = trade.sale("T1", Some("V-1"));
        event["inputs"][0]["code"] = json!(from);
        event["outputs"][0]["code"] = json!(code);
        event["inputs"][0]["quantity"] = json!(large);
        event["outputs"][0]["quantity"] = json!(large);
        event
    };
    for (code, from) in [("T1", "H-1"), ("T1-2", "H-2")] {
        trade.capture(grown(from)).await;
        assert_eq!(trade.capture(sold(code, from)).await["state"], "accepted");
        let mut bought = trade.purchase(code, Some("V-1"), (large, "KGM"));
        bought["outputs"][0]["lot"] = json!("T1");
        assert_eq!(trade.capture(bought).await["state"], "accepted");
    }
    // More than can be said on both sides: whether that agrees is for somebody to look at.
    let found = trade.of("T1").await;
    assert_eq!(
        ["state", "given", "received"].map(|name| found[0][name].clone()),
        ["quantity", "99999999999.9999", "99999999999.9999"].map(Value::from)
    );
    // Too much in one event is that event's own problem.
    for from in ["H-3", "H-4"] {
        trade.capture(grown(from)).await;
    }
    let mut both = sold("T2", "H-3");
    for (side, code) in [("inputs", "H-4"), ("outputs", "T2-2")] {
        let mut line = both[side][0].clone();
        line["code"] = json!(code);
        both[side].as_array_mut().unwrap().push(line);
    }
    let batch = json!({ "events": [both, harvest(&trade.farm, "H-5")] });
    let taken = trade.app.post("gateway", EVENTS, batch).await.expect(201);
    assert_eq!(taken["results"][0]["problem"]["errors"][0]["field"], "outputs", "{taken}");
    assert_eq!(taken["results"][1]["state"], "accepted", "{taken}");
    // What makes one batch larger than can be said, too.
    let again = json!({ "events": [sold("H-3", "H-3"), harvest(&trade.farm, "H-6")] });
    let taken = trade.app.post("gateway", EVENTS, again).await.expect(201);
    let field = &taken["results"][0]["problem"]["errors"][0]["field"];
    assert_eq!(
        (field, &taken["results"][1]["state"]),
        (&json!("outputs[0].quantity"), &json!("accepted"))
    );
}

#[tokio::test]
async fn g_6_4_3_who_may_not_read_the_events_does_not_read_them_compared() {
    let mut trade = Trade::start().await;
    trade.sold("T1", Some("V-1")).await;
    let home = &trade.farm["region"].clone();
    for (user, cube, clearance, sees) in [
        ("of-trade", json!({ "region": home, "stage": "distribution" }), 4, true),
        ("of-making", json!({ "region": home, "stage": "processing" }), 4, false),
        ("of-agri", json!({ "category": "agri" }), 2, true),
        ("of-food", json!({ "category": "food" }), 4, false),
        ("of-public", json!({ "region": home }), 1, false),
    ] {
        somebody(&mut trade.app, user, &cube, clearance).await;
        let found = trade.app.get(user, MATCHES).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), usize::from(sees), "{user}: {found}");
    }
    // One event is enough, of whichever side; whoever may not read one of them reads no sum of it.
    trade.capture(trade.purchase("T1", Some("V-1"), ("100", "KGM"))).await;
    let count = async |user: &str| {
        let found = trade.app.get(user, MATCHES).await.expect(200);
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(count("of-agri").await, 1);
    trade.app.tamper("UPDATE trace_event SET label = 3 WHERE kind = 'purchase'").await;
    assert_eq!((count("of-agri").await, count("of-trade").await), (0, 1));
}

#[tokio::test]
async fn g_6_4_3_carrying_goods_is_no_transaction() {
    let trade = Trade::start().await;
    trade.capture(harvest(&trade.farm, "T1-H")).await;
    let mut carried = trade.sale("T1", None);
    carried["type"] = json!("transport");
    carried["attributes"] = json!({ "vehicle_no": "示例A00001" });
    assert_eq!(trade.capture(carried).await["state"], "accepted");
    assert!(trade.of("T1").await.is_empty());
}

#[tokio::test]
async fn g_6_4_3_what_was_taken_in_is_what_was_received() {
    let trade = Trade::start().await;
    // The paper says a hundred, the scales at the gate say ninety.
    trade.sold("T1", Some("V-001")).await;
    let mut short = trade.purchase("T1", Some("V-001"), ("100", "KGM"));
    short["outputs"][0]["quantity"] = json!("90");
    trade.capture(short).await;
    let found = trade.of("T1").await;
    assert_eq!(
        (&found[0]["state"], &found[0]["received"]),
        (&json!("quantity"), &json!("90")),
        "{found:?}"
    );
    // Into two of their own lots; all of it arrived.
    trade.sold("T2", Some("V-002")).await;
    let mut split = trade.purchase("T2", Some("V-002"), ("100", "KGM"));
    split["outputs"] = json!([
        { "code": "T2-B", "quantity": "0.06", "unit": "TNE" },
        { "code": "T2-C", "quantity": "40", "unit": "KGM" },
    ]);
    trade.capture(split).await;
    assert_eq!(trade.state("T2").await, "matched");
    // Counted otherwise, nobody can compare: what the paper says stands.
    trade.sold("T3", Some("V-003")).await;
    let mut boxed = trade.purchase("T3", Some("V-003"), ("100", "KGM"));
    boxed["outputs"][0] = json!({ "code": "T3-B", "quantity": "10", "unit": "BX" });
    trade.capture(boxed).await;
    assert_eq!(trade.state("T3").await, "matched");
    // What the ledger says comes to the same.
    trade.app.anchor().await;
}
