//! G-6.4.1, G-5.4.2: a lot that is handed over in part under its own code is held by several; each sells,
//! answers for and is shown what is in its hands.

use serde_json::{Value, json};

use crate::{
    capturing::{at, capture, captured, harvest_for, said},
    documents::{CERTIFICATES, wanted},
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::{detail, farmer, registered},
    succession::merge,
    tamper,
};

const EVENTS: &str = "/api/v1/trace/events";

/// So much of a code from one to another, or to whoever comes.
fn sale(seller: &Value, (code, quantity): (&str, &str), buyer: Option<&Value>, day: u32) -> Value {
    let line = json!([{ "code": code, "quantity": quantity, "unit": "KGM" }]);
    let mut event = json!({
        "domain": "agri", "type": "wholesale", "subject": seller["code"],
        "event_time": format!("2026-11-{day}T08:00:00+08:00"), "inputs": line, "outputs": line,
    });
    if let Some(buyer) = buyer {
        event["counterparty"] = buyer["code"].clone();
    }
    event
}

/// Who holds how much of a code, by name.
async fn holders(app: &TestApp, code: &str) -> Vec<(String, String)> {
    let path = format!("/api/v1/trace/chain?code={code}&direction=downstream");
    let chain = app.get("supervisor", &path).await.expect(200);
    let lines = chain["freeze"]["items"].as_array().unwrap().iter();
    let text = |line: &Value, name: &str| String::from(line[name].as_str().unwrap());
    let mut all: Vec<_> = lines
        .filter(|line| line["code"] == code)
        .map(|line| (text(line, "subject"), text(line, "quantity")))
        .collect();
    all.sort();
    // What the chain says the unit's balance says too.
    let root = &chain["root"]["holders"];
    assert_eq!(root.as_array().map_or(1, Vec::len), all.len().max(1), "{root}");
    all
}

fn each(parts: &[(&Value, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = parts
        .iter()
        .map(|(subject, quantity)| {
            (String::from(subject["name"].as_str().unwrap()), String::from(*quantity))
        })
        .collect();
    all.sort();
    all
}

/// What somebody has of a lot, by the account of what they did, in and out.
async fn account(app: &TestApp, subject: &Value, lot: &str) -> (Vec<String>, Vec<String>, String) {
    let path = format!("/api/v1/trace/balance?subject_id={}&lot={lot}", id_of(subject));
    let whole = app.get("supervisor", &path).await.expect(200);
    let Some(account) = whole["accounts"].get(0) else {
        return (Vec::new(), Vec::new(), String::from("0"));
    };
    assert_eq!(account["consistent"], true, "{account}");
    let side = |side: &Value| {
        let line = |one: &Value| {
            format!("{} {}", one["movement"].as_str().unwrap(), one["quantity"].as_str().unwrap())
        };
        side.as_array().unwrap().iter().map(line).collect()
    };
    let closing = String::from(account["closing"].as_str().unwrap());
    (side(&account["in"]), side(&account["out"]), closing)
}

fn lines(of: &[&str]) -> Vec<String> {
    of.iter().map(|line| String::from(*line)).collect()
}

#[tokio::test]
async fn g_6_4_1_a_lot_handed_over_in_part_under_its_own_code_is_held_by_both() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let shop = app.subject("示例蔬菜零售店甲").await;
    let mut grown = harvest(&farm, "PART-1");
    grown["outputs"][0]["lot"] = json!("PART-LOT");
    captured(&app, grown).await;
    let first = captured(&app, sale(&farm, ("PART-1", "40"), Some(&plant), 11)).await;
    assert_eq!(said(&first), ("accepted", ""));
    // A sale is a word; the goods are the seller's until the buyer has them.
    assert_eq!(holders(&app, "PART-1").await, each(&[(&farm, "100")]));
    let onward = captured(&app, sale(&plant, ("PART-1", "40"), Some(&shop), 12)).await;
    assert_eq!(said(&onward), ("accepted", ""));
    assert_eq!(holders(&app, "PART-1").await, each(&[(&farm, "60"), (&plant, "40")]));
    // Nobody sells what is another's, and each may sell what is left to them.
    for (seller, more, own) in [(&farm, "70", "60"), (&plant, "41", "40")] {
        let refused = capture(&app, sale(seller, ("PART-1", more), None, 13)).await.expect(422);
        let said = detail(&refused);
        assert!(said.contains(&format!("本主体持有 {own} 千克")), "{said}");
        assert!(said.contains("其余由其他主体持有"), "{said}");
    }
    let path = "/api/v1/trace/objects/PART-1/balance";
    let whole = app.get("supervisor", path).await.expect(200);
    assert_eq!(whole["holders"].as_array().unwrap().len(), 2, "{whole}");
    // The seller sees its own part, not what became of the other.
    let own = app.get("farm", path).await.expect(200);
    assert_eq!(own["holders"].as_array().unwrap().len(), 1, "{own}");
    assert_eq!(own["accounts"][0]["closing"], "60", "{own}");
    assert_eq!(own["accounts"][0]["out"][0]["movement"], "201", "{own}");
    // Nor does the buyer learn how much there is besides.
    let path = "/api/v1/trace/chain?code=PART-1&direction=downstream";
    for (user, produced, held) in [("farm", "100", "60"), ("enterprise", "40", "40")] {
        let root = &app.get(user, path).await.expect(200)["root"];
        assert_eq!((&root["produced"], &root["held"]), (&json!(produced), &json!(held)), "{root}");
    }
    assert_eq!(
        account(&app, &farm, "PART-LOT").await,
        (lines(&["101 100"]), lines(&["201 40"]), String::from("60"))
    );
    assert_eq!(
        account(&app, &plant, "PART-LOT").await,
        (lines(&["102 40"]), Vec::new(), String::from("40"))
    );
    captured(&app, sale(&farm, ("PART-1", "60"), Some(&shop), 13)).await;
    // Whoever both sold to has it all, and the lot is one's again.
    let all = captured(&app, sale(&shop, ("PART-1", "100"), None, 14)).await;
    assert_eq!(said(&all), ("accepted", ""));
    assert_eq!(holders(&app, "PART-1").await, each(&[(&shop, "100")]));
    assert_eq!(account(&app, &plant, "PART-LOT").await.2, "0");
    assert_eq!(account(&app, &shop, "PART-LOT").await.0, lines(&["102 100"]));
    let derived: Vec<Value> = tamper::pass(&app).await;
    assert!(derived.iter().all(|one| one["what"] != "derived"), "{derived:?}");
}

#[tokio::test]
async fn g_6_4_1_a_certificate_promises_only_for_the_part_in_ones_hands() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let kept = registered(&app, farmer("示例农户乙")).await;
    captured(&app, harvest(&farm, "VOW-1")).await;
    for (buyer, quantity) in [(&plant, "40"), (&twin, "10")] {
        captured(&app, sale(&farm, ("VOW-1", quantity), Some(buyer), 11)).await;
        captured(&app, sale(buyer, ("VOW-1", quantity), None, 12)).await;
    }
    let issue = async |subject: &Value, quantity: &str| {
        let wanted = wanted(subject, quantity, &["VOW-1"]);
        app.post("supervisor", CERTIFICATES, wanted).await
    };
    issue(&plant, "30").await.expect(201);
    let refused = issue(&plant, "11").await.expect(422);
    let why = "由该主体产出或受交付的共 40 千克，已开具 30 千克，本次 11 千克，超出 1 千克";
    assert!(detail(&refused).contains(why), "{refused}");
    issue(&plant, "10").await.expect(201);
    issue(&plant, "0.1").await.expect(422);
    // Its maker made all of it, and promised for all before it sold.
    issue(&farm, "100").await.expect(201);
    issue(&farm, "0.1").await.expect(422);
    // What was somebody's who was merged is the successor's to promise for, with what is promised already.
    issue(&twin, "4").await.expect(201);
    merge(&app, (&twin, &kept)).await.expect(200);
    issue(&kept, "7").await.expect(422);
    issue(&kept, "6").await.expect(201);
}

#[tokio::test]
async fn g_6_4_1_what_nobody_gave_is_looked_at_before_it_is_taken() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest_for(&farm, "MORE-1", &plant)).await;
    captured(&app, harvest(&farm, "MORE-2")).await;
    captured(&app, sale(&farm, ("MORE-2", "40"), Some(&plant), 11)).await;
    // A word of all of it is a word of a part, once.
    captured(&app, sale(&plant, ("MORE-1", "30"), None, 11)).await;
    captured(&app, sale(&plant, ("MORE-1", "30"), None, 12)).await;
    assert_eq!(holders(&app, "MORE-1").await, each(&[(&farm, "70"), (&plant, "30")]));
    let over = captured(&app, sale(&plant, ("MORE-2", "41"), None, 12)).await;
    assert!(said(&over).0 == "held" && said(&over).1.contains("交付这么多"), "{over}");
    assert_eq!(holders(&app, "MORE-2").await, each(&[(&farm, "100")]));
    let approve = format!("{EVENTS}/{}/approve", id_of(&over));
    app.post("reviewer", &approve, json!({ "comment": "已核实" })).await.expect(200);
    assert_eq!(holders(&app, "MORE-2").await, each(&[(&farm, "59"), (&plant, "41")]));
    // What the word had left is used up too.
    let again =
        captured(&app, at(sale(&plant, ("MORE-2", "41"), None, 13), "2026-11-13T09:00:00+08:00"));
    assert_eq!(said(&again.await).0, "accepted", "one's own");
    let refused = capture(&app, sale(&plant, ("MORE-2", "42"), None, 14)).await.expect(422);
    assert!(detail(&refused).contains("本主体持有 41 千克"), "{refused}");
    // In one request the same is true.
    let batch = json!({ "events": [
        harvest(&farm, "MORE-3"),
        sale(&farm, ("MORE-3", "40"), Some(&plant), 11),
        sale(&plant, ("MORE-3", "40"), None, 12),
        sale(&farm, ("MORE-3", "61"), None, 13),
        sale(&plant, ("MORE-3", "40"), Some(&farm), 14),
        sale(&farm, ("MORE-3", "100"), None, 15),
    ] });
    let taken = capture(&app, batch).await.expect(201);
    let states = taken["results"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|one| one["state"].as_str().unwrap_or("refused")).collect();
    let accepted = "accepted";
    assert_eq!(states, [accepted, accepted, accepted, "refused", accepted, accepted], "{taken}");
    assert_eq!(holders(&app, "MORE-3").await, each(&[(&farm, "100")]));
}

#[tokio::test]
async fn g_6_4_1_what_is_corrected_or_withdrawn_goes_back_to_whose_it_was() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let grown = captured(&app, harvest(&farm, "GIVE-1")).await;
    captured(&app, sale(&farm, ("GIVE-1", "40"), Some(&plant), 11)).await;
    let taken = captured(&app, sale(&plant, ("GIVE-1", "40"), None, 12)).await;
    let correcting = |of: &Value, mut event: Value| {
        event["correction_of"] = of["id"].clone();
        event["correction_reason"] = json!("示例：称重有误");
        event
    };
    let less = correcting(&taken, sale(&plant, ("GIVE-1", "30"), None, 12));
    let less = captured(&app, less).await;
    assert_eq!(said(&less), ("accepted", ""));
    assert_eq!(holders(&app, "GIVE-1").await, each(&[(&farm, "70"), (&plant, "30")]));
    // Of what was never there the maker has less first, and where it has none, who got it.
    let mut fewer = harvest(&farm, "GIVE-1");
    fewer["outputs"][0]["quantity"] = json!("50");
    let fewer = captured(&app, correcting(&grown, fewer)).await;
    assert_eq!(holders(&app, "GIVE-1").await, each(&[(&farm, "20"), (&plant, "30")]));
    let mut none = harvest(&farm, "GIVE-1");
    none["outputs"][0]["quantity"] = json!("40");
    captured(&app, correcting(&fewer, none)).await;
    assert_eq!(holders(&app, "GIVE-1").await, each(&[(&farm, "10"), (&plant, "30")]));
    let withdrawal = json!({
        "domain": "agri", "type": "wholesale", "subject": plant["code"],
        "event_time": "2026-11-13T08:00:00+08:00", "correction_of": less["id"],
        "correction_reason": "示例：没有发生", "withdraws": true,
    });
    assert_eq!(said(&captured(&app, withdrawal).await).0, "accepted");
    assert_eq!(holders(&app, "GIVE-1").await, each(&[(&farm, "40")]));
    let found = tamper::pass(&app).await;
    assert!(found.iter().all(|one| one["what"] != "derived"), "{found:?}");
    // A part moved behind the platform's back is found.
    captured(&app, sale(&plant, ("GIVE-1", "15"), None, 14)).await;
    assert_eq!(holders(&app, "GIVE-1").await, each(&[(&farm, "25"), (&plant, "15")]));
    // Nor does the self check miss what was withdrawn altogether.
    let alone = captured(&app, harvest(&farm, "GIVE-2")).await;
    let mut never = json!({
        "domain": "agri", "type": "harvest", "subject": farm["code"], "withdraws": true,
        "event_time": "2026-11-13T08:00:00+08:00", "correction_reason": "示例：没有发生",
    });
    never["correction_of"] = alone["id"].clone();
    assert_eq!(said(&captured(&app, never).await).0, "accepted");
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    let found = findings.iter().find(|(name, ..)| *name == "结存一致").unwrap();
    assert!(found.1, "{}", found.2);
    app.tamper("UPDATE trace_holding SET quantity = quantity + 10000").await;
    let found = tamper::pass(&app).await;
    let one = tamper::named(&found, "derived", "object:GIVE-1");
    assert!(one["detail"].as_str().unwrap().contains("holders"), "{one}");
}

#[tokio::test]
async fn g_6_5_4_only_its_maker_or_an_authority_stops_a_lot_that_several_hold() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    captured(&app, harvest(&farm, "STOP-1")).await;
    captured(&app, sale(&farm, ("STOP-1", "40"), Some(&plant), 11)).await;
    captured(&app, sale(&plant, ("STOP-1", "40"), None, 12)).await;
    let order = json!({ "act": "freeze", "reason": "示例：留样复检" });
    let path = "/api/v1/trace/objects/STOP-1/orders";
    let refused = app.post("enterprise", path, order.clone()).await.expect(409);
    assert!(detail(&refused).contains("还有其他主体持有一部分"), "{refused}");
    app.post("farm", path, order).await.expect(201);
    for (subject, own) in [(&farm, "60"), (&plant, "40")] {
        let path = format!("/api/v1/trace/stopped?subject_id={}", id_of(subject));
        let stopped = app.get("supervisor", &path).await.expect(200);
        let items = stopped["items"].as_array().unwrap();
        let line = items.iter().find(|one| one["code"] == "STOP-1").unwrap();
        assert_eq!(line["held"], own, "{line}");
    }
    // What has gone altogether its maker can only call back.
    captured(&app, harvest_for(&farm, "STOP-2", &plant)).await;
    captured(&app, sale(&plant, ("STOP-2", "100"), None, 12)).await;
    let path = "/api/v1/trace/objects/STOP-2/orders";
    let order = |act: &str| json!({ "act": act, "reason": "示例：农药残留复检不合格" });
    app.post("farm", path, order("freeze")).await.expect(404);
    let made = app.post("farm", path, order("recall")).await.expect(201);
    assert_eq!(made["units"], 1, "{made}");
}

/// Something industrial that one does with a code on a day of November 2026.
fn work(
    kind: &str,
    who: &Value,
    (code, quantity): (&str, &str),
    day: u32,
    attributes: &Value,
) -> Value {
    let line = json!([{ "code": code, "quantity": quantity, "unit": "KGM" }]);
    let inputs = if kind == "raw_material" { json!([]) } else { line.clone() };
    json!({
        "domain": "industrial", "type": kind, "subject": who["code"], "inputs": inputs,
        "outputs": line, "event_time": format!("2026-11-{day}T08:00:00+08:00"), "attributes": attributes,
    })
}

fn with(mut event: Value, other: &Value) -> Value {
    event["counterparty"] = other["code"].clone();
    event
}

#[tokio::test]
async fn g_6_4_1_what_is_received_comes_from_whom_the_receipt_names() {
    let app = TestApp::start().await;
    let maker = app.subject("示例蔬菜加工厂").await;
    let dealer = app.subject("示例市场批发商甲").await;
    let shop = app.subject("示例市场批发商乙").await;
    let (made, supplied) =
        (json!({ "heat_no": "1", "grade": "示例" }), json!({ "supplier": "示例" }));
    let give = |from: &Value, to: &Value, code: &str, quantity: &str, day: u32| {
        with(work("sale", from, (code, quantity), day, &json!({})), to)
    };
    let receive = |who: &Value, from: &Value, code: &str, quantity: &str, day: u32| {
        with(work("receive", who, (code, quantity), day, &supplied), from)
    };
    let begin = async |code: &str| {
        captured(&app, work("raw_material", &maker, (code, "100"), 10, &made)).await;
        captured(&app, give(&maker, &dealer, code, "40", 11)).await;
        captured(&app, receive(&dealer, &maker, code, "40", 12)).await
    };
    begin("FROM-1").await;
    captured(&app, give(&maker, &shop, "FROM-1", "20", 13)).await;
    captured(&app, give(&dealer, &shop, "FROM-1", "20", 13)).await;
    let taken = captured(&app, receive(&shop, &dealer, "FROM-1", "20", 14)).await;
    assert_eq!(said(&taken), ("accepted", ""));
    let parts = [(&maker, "60"), (&dealer, "20"), (&shop, "20")];
    assert_eq!(holders(&app, "FROM-1").await, each(&parts));
    // Of whoever gave nothing nothing is taken on one's own word.
    begin("FROM-2").await;
    captured(&app, give(&maker, &shop, "FROM-2", "20", 13)).await;
    let taken = captured(&app, receive(&shop, &dealer, "FROM-2", "20", 14)).await;
    assert!(said(&taken).0 == "held" && said(&taken).1.contains("交付"), "{taken}");
    // A receipt that is withdrawn after the goods went on leaves them where they went.
    let between = begin("FROM-3").await;
    captured(&app, give(&dealer, &shop, "FROM-3", "30", 13)).await;
    captured(&app, receive(&shop, &dealer, "FROM-3", "30", 14)).await;
    let mut renamed = receive(&dealer, &maker, "FROM-3", "40", 12);
    renamed["attributes"]["supplier"] = json!("示例改名");
    renamed["correction_of"] = between["id"].clone();
    renamed["correction_reason"] = json!("示例：名称有误");
    let renamed = captured(&app, renamed).await;
    assert_eq!(said(&renamed), ("accepted", ""));
    let parts = [(&maker, "60"), (&dealer, "10"), (&shop, "30")];
    assert_eq!(holders(&app, "FROM-3").await, each(&parts));
    let withdrawal = json!({
        "domain": "industrial", "type": "receive", "subject": dealer["code"],
        "event_time": "2026-11-15T08:00:00+08:00", "correction_of": renamed["id"],
        "correction_reason": "示例：没有发生", "withdraws": true,
    });
    assert_eq!(said(&captured(&app, withdrawal).await).0, "accepted");
    assert_eq!(holders(&app, "FROM-3").await, each(&[(&maker, "70"), (&shop, "30")]));
    let found = tamper::pass(&app).await;
    assert!(found.iter().all(|one| one["what"] != "derived"), "{found:?}");
    // Whoever has a part stops the others' parts by a failed test only when somebody has looked at it.
    let test = json!({ "report_no": "示例-1", "item": "示例", "verdict": "fail" });
    let mut test = work("test", &shop, ("FROM-3", "1"), 16, &test);
    test["outputs"] = json!([]);
    let test = captured(&app, test).await;
    assert!(said(&test).0 == "held" && said(&test).1.contains("须由他人核实"), "{test}");
}

#[tokio::test]
async fn g_6_2_2_1_what_was_given_to_a_merged_subject_is_its_successors_to_take() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let kept = registered(&app, farmer("示例农户乙")).await;
    captured(&app, harvest(&farm, "HEIR-1")).await;
    captured(&app, sale(&farm, ("HEIR-1", "60"), Some(&twin), 11)).await;
    captured(&app, sale(&twin, ("HEIR-1", "40"), None, 12)).await;
    merge(&app, (&twin, &kept)).await.expect(200);
    // What it had, and what it had still to get.
    let taken = captured(&app, sale(&kept, ("HEIR-1", "60"), None, 13)).await;
    assert_eq!(said(&taken), ("accepted", ""));
    assert_eq!(holders(&app, "HEIR-1").await, each(&[(&farm, "40"), (&kept, "60")]));
    let refused = capture(&app, sale(&kept, ("HEIR-1", "61"), None, 14)).await.expect(422);
    assert!(detail(&refused).contains("本主体持有 60 千克"), "{refused}");
}
