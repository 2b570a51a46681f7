//! G-8-1, G-Bib: the messages of the fields, by recorded samples: what meat and vegetable systems, drug
//! platforms and carriers of dangerous goods send becomes events of their domain packs.

use serde_json::{Value, json};
use yj_identity::Security;
use yj_server::demo;

use crate::{
    capturing::captured,
    harness::{Answer, TestApp},
    subjects::approved,
};

const MEAT: &str = include_str!("../../../message/samples/meat-vegetable.xml");
const BILLS_XML: &str = include_str!("../../../message/samples/drug-bill.xml");
const BILLS_JSON: &str = include_str!("../../../message/samples/drug-bill.json");
const WAYBILL_XML: &str = include_str!("../../../message/samples/waybill.xml");
const WAYBILL_JSON: &str = include_str!("../../../message/samples/waybill.json");

/// A platform with the golden chains of all domains, where the fields' own codes of subjects are known.
pub async fn chains() -> TestApp {
    let mut app = TestApp::bare(Security::demonstration()).await;
    demo::load(&app.assembled, demo::Size::Chains, &mut |_| {}).await.unwrap();
    for account in demo::create_accounts(&app.assembled).await.unwrap() {
        if account.role == "client" {
            app.fetch_token(account.user, &account.password).await;
        } else {
            app.log_in(account.user, &account.password).await;
        }
    }
    app
}

/// Gives a subject the code by which other systems know it.
async fn known_as(app: &TestApp, name: &str, code: &str) {
    let subject = app.subject(name).await;
    let alias = json!({ "kind": "merchant13", "code": code, "subject_id": subject["id"] });
    let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
    approved(app, "subject_alias", &filed).await;
}

async fn send(app: &TestApp, user: &str, (door, message): (&str, &[u8])) -> Answer {
    let path = format!("/api/v1/trace/messages/{door}");
    let kind = [("content-type", "application/octet-stream")];
    app.send("POST", &path, Some(user), &kind, Some(message.to_vec())).await
}

fn counts(answer: &Value) -> [i64; 3] {
    ["new", "duplicates", "refused"].map(|name| answer[name].as_i64().unwrap())
}

/// What a record was refused for: the element and the sentence.
fn refusal(result: &Value) -> (&str, &str) {
    let problem = &result["problem"];
    let field = problem["errors"][0]["field"].as_str().unwrap_or_default();
    (field, problem["detail"].as_str().unwrap_or_default())
}

async fn market(app: &TestApp) {
    known_as(app, "示例市场批发商甲", "6101040010001").await;
    known_as(app, "示例蔬菜零售店甲", "6104030010001").await;
    known_as(app, "示例蔬菜零售店乙", "6108020010001").await;
}

async fn event_of(app: &TestApp, result: &Value) -> Value {
    let id = result["events"][0].as_str().unwrap();
    app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200)
}

#[tokio::test]
async fn g_8_1_meat_and_vegetable_messages_become_events_of_their_vouchers() {
    let app = TestApp::start().await;
    market(&app).await;
    let answer = send(&app, "gateway", ("meat-vegetable", MEAT.as_bytes())).await.expect(201);
    assert_eq!(counts(&answer), [4, 0, 0], "{answer}");
    let results = answer["results"].as_array().unwrap();
    let records: Vec<_> = results.iter().map(|result| result["records"].clone()).collect();
    assert_eq!(records, [json!([1]), json!([2, 3]), json!([4]), json!([5])]);
    // A trade, by the codes of the market, with what the message says of it.
    let trade = event_of(&app, &results[0]).await;
    let seller = app.subject("示例市场批发商甲").await;
    let buyer = app.subject("示例蔬菜零售店甲").await;
    assert_eq!((&trade["type"], &trade["state"]), (&json!("wholesale"), &json!("accepted")));
    assert_eq!(
        (&trade["subject"]["code"], &trade["counterparty"]),
        (&seller["code"], &buyer["code"])
    );
    assert_eq!(trade["external_id"], "61010400100010000001");
    assert_eq!(trade["place"]["region"], "610104");
    assert_eq!(trade["outputs"][0]["code"], "61010400100010000001");
    // Base and details are one arrival.
    let arrival = event_of(&app, &results[1]).await;
    assert_eq!(
        (&arrival["type"], &arrival["inputs"][0]["quantity"]),
        (&json!("market_entry"), &json!("60"))
    );
    assert_eq!(arrival["attributes"]["voucher_no"], "示例检疫-0001");
    let papers = arrival["documents"].to_string();
    for word in ["示例品质-0001", "示例猪肉", "610525 示例产地"] {
        assert!(papers.contains(word), "{papers}");
    }
    // The buyer sells what it was given, and what is left is known.
    let sale = event_of(&app, &results[2]).await;
    assert_eq!((&sale["type"], &sale["state"]), (&json!("retail"), &json!("accepted")), "{sale}");
    assert_eq!(sale["attributes"]["stall"], "A-12");
    let left =
        app.get("supervisor", "/api/v1/trace/objects/61010400100010000001").await.expect(200);
    assert_eq!(left["held"], "57.5");
    let chain =
        app.get("supervisor", "/api/v1/trace/chain?code=61040300100010000001").await.expect(200);
    assert!(chain.to_string().contains("PC20261110-61010400100010000001"), "{chain}");
    // What was paid is for those who are cleared for it; it is sealed, and no proof leads to it.
    assert_eq!(trade["attributes"]["unit_price"], "21.5", "{trade}");
    assert_eq!(trade["attributes"]["amount"], "1290", "{trade}");
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event WHERE body LIKE '%21.5%'").await, 0);
    let listed = app.get("supervisor", "/api/v1/trace/events").await.expect(200).to_string();
    assert!(!listed.contains("21.5") && !listed.contains("price"), "{listed}");
}

#[tokio::test]
async fn g_8_1_an_arrival_without_its_details_is_refused_and_does_not_take_its_number() {
    let app = TestApp::start().await;
    market(&app).await;
    let end = MEAT.find("<retail_market_in_info_detail>").unwrap();
    let behind = "</retail_market_in_info_detail>";
    let rest = MEAT.rfind(behind).unwrap() + behind.len();
    let base = format!("{}{}", &MEAT[..end], &MEAT[rest..]);
    let answer = send(&app, "gateway", ("meat-vegetable", base.as_bytes())).await.body;
    let refused =
        answer["results"].as_array().unwrap().iter().find(|one| one["problem"].is_object());
    let (field, says) = refusal(refused.unwrap());
    assert_eq!(field, "tran_id", "{answer}");
    assert!(says.contains("进场明细") && says.contains("在同一报文中"), "{says}");
    let whole = send(&app, "gateway", ("meat-vegetable", MEAT.as_bytes())).await.body;
    assert_eq!(counts(&whole)[2], 0, "{whole}");
}

#[tokio::test]
async fn g_8_1_the_same_message_again_stores_nothing_twice() {
    let app = TestApp::start().await;
    market(&app).await;
    send(&app, "gateway", ("meat-vegetable", MEAT.as_bytes())).await.expect(201);
    let stored = app.count("SELECT COUNT(*) FROM trace_event").await;
    // In the encoding of these systems it is the same message.
    let declared = MEAT.replace("UTF-8", "GBK");
    let (bytes, _, lossy) = encoding_rs::GBK.encode(&declared);
    assert!(!lossy);
    let again = send(&app, "gateway", ("meat-vegetable", &bytes)).await.expect(200);
    assert_eq!(counts(&again), [0, 4, 0], "{again}");
    // The same voucher with other goods is a mistake of somebody.
    let other = MEAT.replace("<weight>60.00</weight>", "<weight>61</weight>");
    let refused = send(&app, "gateway", ("meat-vegetable", other.as_bytes())).await.expect(200);
    assert_eq!(counts(&refused), [0, 2, 2], "{refused}");
    assert!(refusal(&refused["results"][0]).1.contains("已登记过不同的内容"), "{refused}");
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_event").await, stored);
}

#[tokio::test]
async fn g_8_1_of_ten_records_the_wrong_one_is_named_and_the_others_are_taken() {
    let app = TestApp::start().await;
    market(&app).await;
    send(&app, "gateway", ("meat-vegetable", MEAT.as_bytes())).await.expect(201);
    let sale = |number: usize, weight: &str| {
        format!(
            "<retail_market_tran_info_summ><retail_market_id>610403001</retail_market_id>\
             <sale_date>2026-11-11 09:0{}:00</sale_date><retailer_id>6104030010001</retailer_id>\
             <tran_id>61010400100010000001</tran_id><goods_code>01010201</goods_code>\
             <goods_name>示例猪肉</goods_name><weight>{weight}</weight>\
             <sale_tran_id>6104030010001{number:07}</sale_tran_id></retail_market_tran_info_summ>",
            number % 10
        )
    };
    let sales: String =
        (11..21).map(|number| sale(number, if number == 15 { "两斤" } else { "1" })).collect();
    let message = format!("<messages>{sales}</messages>");
    let answer = send(&app, "gateway", ("meat-vegetable", message.as_bytes())).await.expect(201);
    assert_eq!(counts(&answer), [9, 0, 1], "{answer}");
    let wrong = &answer["results"][4];
    assert_eq!((&wrong["records"], refusal(wrong).0), (&json!([5]), "weight"));
    assert!(refusal(wrong).1.contains("重量（千克）"), "{wrong}");
    // What the balance does not allow is said of the record's own element.
    let much = format!("<messages>{}</messages>", sale(30, "900"));
    let answer = send(&app, "gateway", ("meat-vegetable", much.as_bytes())).await.expect(422);
    let (field, detail) = refusal(&answer["results"][0]);
    assert!(field == "tran_id" && detail.contains("数量超过结存"), "{answer}");
    // Goods that nobody sold here have no history to enter a market with.
    let strange = MEAT.replace("61010400100010000001", "61010400100010000077");
    let start = strange.find("<super_market_in_info_base>").unwrap();
    let strange = format!("<messages>{}", &strange[start..]);
    let answer = send(&app, "gateway", ("meat-vegetable", strange.as_bytes())).await.expect(422);
    let (field, detail) = refusal(&answer["results"][0]);
    assert!(field == "tran_id" && detail.contains("先登记其来源"), "{answer}");
}

#[tokio::test]
async fn g_8_1_messages_are_taken_for_those_within_reach_and_from_those_who_may() {
    let app = TestApp::start().await;
    market(&app).await;
    // The farm may capture, but not for the market's traders.
    let answer = send(&app, "farm", ("meat-vegetable", MEAT.as_bytes())).await.expect(422);
    assert_eq!(counts(&answer), [0, 0, 4]);
    for result in answer["results"].as_array().unwrap() {
        let (field, detail) = refusal(result);
        assert!(field.ends_with("_id") && detail.contains("不在您的数据权限范围内"), "{result}");
    }
    // Nor does it learn what others have told.
    send(&app, "gateway", ("meat-vegetable", MEAT.as_bytes())).await.expect(201);
    let again = send(&app, "farm", ("meat-vegetable", MEAT.as_bytes())).await.expect(422);
    let said = |answer: &Value| {
        let results = answer["results"].as_array().unwrap().clone();
        results.iter().map(|one| String::from(refusal(one).1)).collect::<Vec<_>>()
    };
    assert_eq!(said(&again), said(&answer));
    assert_eq!(send(&app, "auditor", ("meat-vegetable", MEAT.as_bytes())).await.status, 403);
    assert_eq!(send(&app, "gateway", ("letters", MEAT.as_bytes())).await.status, 404);
    for (message, word) in [
        ("", "空的"),
        ("<!DOCTYPE x><x/>", "DOCTYPE"),
        ("{\"a\":", "JSON"),
        ("你好", "XML 或 JSON"),
    ] {
        let refused =
            send(&app, "gateway", ("meat-vegetable", message.as_bytes())).await.expect(400);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
}

#[tokio::test]
async fn g_8_1_drug_bills_move_their_codes_and_have_their_number_once() {
    let app = chains().await;
    let answer = send(&app, "gateway", ("drug-bill", BILLS_XML.as_bytes())).await.expect(201);
    assert_eq!(counts(&answer), [2, 0, 0], "{answer}");
    let receipt = event_of(&app, &answer["results"][0]).await;
    assert_eq!(
        (&receipt["type"], &receipt["attributes"]["bill_no"]),
        (&json!("receive"), &json!("示例采购-0001"))
    );
    assert_eq!(receipt["attributes"]["consignor"], "示例省外医药公司");
    assert!(receipt["documents"].to_string().contains("102 采购入库"), "{receipt}");
    let sold =
        app.get("supervisor", "/api/v1/trace/objects/81234560000000001001").await.expect(200);
    assert_eq!(sold["state"], "sold", "{sold}");
    let held =
        app.get("supervisor", "/api/v1/trace/objects/81234560000000001002").await.expect(200);
    assert_eq!(held["held"], "1", "{held}");
    // In JSON it is the same; another content under the number is not.
    let again = send(&app, "gateway", ("drug-bill", BILLS_JSON.as_bytes())).await.expect(200);
    assert_eq!(counts(&again), [0, 2, 0], "{again}");
    let other = BILLS_JSON.replace("81234560000000001002", "81234560000000001003");
    let refused = send(&app, "gateway", ("drug-bill", other.as_bytes())).await.expect(200);
    assert_eq!(counts(&refused), [0, 1, 1]);
    let (_, detail) = refusal(&refused["results"][0]);
    assert!(detail.contains("单据号 示例采购-0001 已登记过不同的内容"), "{refused}");
    // A box is sold once, whatever the number.
    let twice = BILLS_JSON.replace("示例零售-0001", "示例零售-0002");
    let refused = send(&app, "gateway", ("drug-bill", twice.as_bytes())).await.expect(200);
    let (field, detail) = refusal(&refused["results"][1]);
    assert!(field == "codes" && detail.contains("已售出"), "{refused}");
}

#[tokio::test]
async fn g_8_1_every_drug_bill_type_reaches_its_event_type_or_says_what_it_lacks() {
    let app = chains().await;
    let types = [
        "101", "102", "103", "104", "106", "107", "108", "110", "111", "112", "113", "116", "201",
        "202", "203", "204", "205", "206", "207", "208", "209", "211", "212", "214", "215", "216",
        "217", "237", "321", "322",
    ];
    let whole = |number: usize, kind: &str| {
        let code = format!("8123456{:013}", 7000 + number);
        let mut bill = json!({
            "bill_no": format!("示例单-{kind}"), "bill_type": kind, "bill_time": "2026-11-10 09:00",
            "enterprise_id": "6101120020001", "codes": [code], "expires_on": "2028-10-31",
            "quality_state": "qualified", "from_name": "示例发货企业", "to_name": "示例收货企业",
            "batch_no": "示例批-01",
        });
        let more = match kind {
            "101" => json!({
                "material_code": format!("YL-{number}"), "material_quantity": "1", "material_unit": "KGM",
                "holder": "示例制药公司", "maker": "示例制药公司", "common_name": "示例片",
                "dosage_form": "片剂", "strength": "0.25 克", "package_spec": "12 片/盒",
                "approval_no": "国药准字H20260000", "identifier": "8123456", "produced_on": "2026-11-01",
            }),
            "103" | "202" | "237" | "116" => json!({ "reason": "示例退货" }),
            "108" | "211" => json!({ "recall_no": "示例召回-01" }),
            "205" => json!({ "cause": "damaged", "method": "destroy" }),
            "204" | "206" | "208" | "214" | "215" | "216" | "217" => {
                json!({ "reason": "示例原因" })
            }
            "322" => json!({ "site": "示例接种点", "recipient": "示例受种者", "dose_number": "1" }),
            _ => json!({}),
        };
        bill.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (code, bill)
    };
    for (number, kind) in types.into_iter().enumerate() {
        let (code, bill) = whole(number, kind);
        let message = json!({ "bills": [bill] }).to_string();
        if kind.starts_with(['2', '3']) {
            // What goes out was here.
            let early = send(&app, "gateway", ("drug-bill", message.as_bytes())).await.expect(422);
            assert!(refusal(&early["results"][0]).1.contains("不存在"), "{kind}: {early}");
            let (_, mut receipt) = whole(number, "102");
            receipt["bill_no"] = json!(format!("示例入库-{kind}"));
            receipt["bill_time"] = json!("2026-11-09 09:00");
            let receipt = json!([receipt]).to_string();
            send(&app, "gateway", ("drug-bill", receipt.as_bytes())).await.expect(201);
        }
        let answer = send(&app, "gateway", ("drug-bill", message.as_bytes())).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.body);
        let event = event_of(&app, &answer.body["results"][0]).await;
        assert_eq!(event["inputs"].as_array().unwrap().len(), 1, "{kind}");
        let named = event["attributes"]["bill_type"].as_str();
        let paper = event["documents"][0]["type"].as_str().unwrap();
        assert!(named.is_none_or(|named| named == kind) && paper.starts_with(kind), "{event}");
        assert!(event.to_string().contains(&code) || kind == "101", "{event}");
        // Personal data are not in what anybody lists.
        assert!(!event.to_string().contains("示例受种者"), "{event}");
    }
    let (_, mut lacking) = whole(90, "108");
    lacking.as_object_mut().unwrap().remove("recall_no");
    lacking["dose_number"] = json!("1");
    let message = json!({ "bills": [lacking] }).to_string();
    let refused = send(&app, "gateway", ("drug-bill", message.as_bytes())).await.expect(422);
    let (field, detail) = refusal(&refused["results"][0]);
    assert!(field == "dose_number" && detail.contains("单据没有“剂次”"), "{refused}");
}

#[tokio::test]
async fn g_8_1_a_long_drug_bill_is_several_events_under_one_number() {
    let app = chains().await;
    let codes: Vec<_> = (0..450).map(|number| format!("8123456{:013}", 20_000 + number)).collect();
    let bill = json!([{
        "bill_no": "示例长单-1", "bill_type": "102", "bill_time": "2026-11-10",
        "enterprise_id": "6101120020001", "codes": codes, "expires_on": "2028-10-31",
        "quality_state": "qualified", "from_name": "示例发货企业",
    }]);
    let answer =
        send(&app, "gateway", ("drug-bill", bill.to_string().as_bytes())).await.expect(201);
    assert_eq!(answer["results"][0]["events"].as_array().unwrap().len(), 3, "{answer}");
    let again = send(&app, "gateway", ("drug-bill", bill.to_string().as_bytes())).await.expect(200);
    assert_eq!(counts(&again), [0, 1, 0]);
}

/// Methanol that its maker has sold and handed to the carrier.
pub async fn laden(app: &TestApp, code: &str) {
    let maker = app.subject("示例甲醇厂").await;
    let carrier = app.subject("示例危货运输公司").await;
    let sale = json!({
        "domain": "dangerous", "type": "sale", "subject": maker["code"],
        "counterparty": carrier["code"], "event_time": "2026-11-18T07:00:00+08:00",
        "inputs": [{ "code": "JC-A", "quantity": "20", "unit": "TNE" }],
        "outputs": [{ "code": code, "quantity": "20", "unit": "TNE" }],
        "attributes": {
            "buyer": "示例化工使用单位", "buyer_code": carrier["code"], "control": "none",
        },
    });
    let taken = captured(app, sale).await;
    assert_eq!(taken["state"], "accepted", "{taken}");
}

fn changed(message: &str, changes: &[(&str, Value)]) -> String {
    let mut whole: Value = serde_json::from_str(message).unwrap();
    for (name, value) in changes {
        whole["waybills"][0][*name] = value.clone();
    }
    whole.to_string()
}

#[tokio::test]
async fn g_8_1_a_waybill_goes_through_its_states_as_one_event_after_the_other() {
    let app = chains().await;
    laden(&app, "WB-1").await;
    laden(&app, "WB-9").await;
    let send = async |message: String| send(&app, "gateway", ("waybill", message.as_bytes())).await;
    let with = |changes: &[(&str, Value)]| {
        let mut all = vec![("code", json!("WB-1"))];
        all.extend(changes.iter().cloned());
        changed(WAYBILL_JSON, &all)
    };
    let waiting = send(with(&[("state", json!("waiting"))])).await.expect(201);
    let first = event_of(&app, &waiting["results"][0]).await;
    assert_eq!(
        (&first["state"], &first["attributes"]["state"]),
        (&json!("accepted"), &json!("waiting"))
    );
    // On the road; in XML, with labels instead of codes.
    let moving = send(WAYBILL_XML.replace("JC-A", "WB-1")).await.expect(201);
    let second = event_of(&app, &moving["results"][0]).await;
    assert_eq!(second["correction_of"], first["id"]);
    assert!(
        second["correction_reason"].as_str().unwrap().contains("“待装”变为“运输中”"),
        "{second}"
    );
    assert_eq!(second["attributes"]["un_no"], "UN1230");
    let again = send(with(&[])).await.expect(200);
    assert_eq!(counts(&again), [0, 1, 0], "{again}");
    // Never backwards, and not into what is not so.
    let back = send(with(&[("state", json!("waiting"))])).await.expect(422);
    assert!(refusal(&back["results"][0]).1.contains("现为“运输中”，不能改为“待装”"), "{back}");
    let arrived = [
        ("state", json!("arrived")),
        ("arrive_at", json!("2026-11-18 15:00:00")),
        ("unload_at", json!("2026-11-18 16:00:00")),
        ("arrived_code", json!("WB-1-Y")),
        ("unloaded_quantity", json!("19.98")),
    ];
    let done = send(with(&arrived)).await.expect(201);
    let third = event_of(&app, &done["results"][0]).await;
    assert_eq!((&third["correction_of"], &third["state"]), (&second["id"], &json!("accepted")));
    let there = app.get("supervisor", "/api/v1/trace/objects/WB-1-Y").await.expect(200);
    assert_eq!(there["held"], "19.98");
    // What cannot be so says what would be right.
    for (name, value, says) in [
        ("emergency_phone", json!("abc"), "应为电话号码"),
        ("unloaded_quantity", json!("25"), "应不超过投入的数量 20 吨"),
        ("tank_medium", json!("汽油"), "不含品名 甲醇"),
    ] {
        let other = [
            ("code", json!("WB-9")),
            ("arrived_code", json!("WB-9-Y")),
            ("waybill_no", json!("示例运单-1009")),
            ("vehicle_no", json!("陕K·示例9")),
        ];
        let mut wrong = [arrived.to_vec(), other.to_vec()].concat();
        wrong.push((name, value));
        let refused = send(with(&wrong)).await.expect(422);
        let (field, detail) = refusal(&refused["results"][0]);
        assert!(field == name && detail.contains(says), "{refused}");
    }
    // The same state again with other words is no change of state.
    let mut other = arrived.clone();
    other[1].1 = json!("2026-11-18 15:30:00");
    let twice = send(with(&other)).await.expect(422);
    let (field, says) = refusal(&twice["results"][0]);
    assert_eq!(field, "state", "{twice}");
    for word in [
        "已登记为“已到达”",
        "与已登记的不同",
        "到达时间已登记为 2026年11月18日 15:00",
        "本次为 2026年11月18日 15:30",
    ] {
        assert!(says.contains(word), "{word}: {says}");
    }
    let late = send(with(&[("state", json!("void"))])).await.expect(422);
    assert!(refusal(&late["results"][0]).1.contains("不能改为“作废”"), "{late}");
    // Who drove is for those alone who may see it.
    assert!(!third.to_string().contains("13800000136"), "{third}");
}

#[tokio::test]
async fn g_8_1_one_vehicle_one_trip_one_bill_and_goods_that_are_what_they_are_called() {
    let app = chains().await;
    laden(&app, "WB-2").await;
    laden(&app, "WB-3").await;
    let send = async |message: String| send(&app, "gateway", ("waybill", message.as_bytes())).await;
    send(changed(WAYBILL_JSON, &[("code", json!("WB-2"))])).await.expect(201);
    let second = [("code", json!("WB-3")), ("waybill_no", json!("示例运单-1002"))];
    let refused = send(changed(WAYBILL_JSON, &second)).await.expect(422);
    let (field, detail) = refusal(&refused["results"][0]);
    assert!(field == "vehicle_no" && detail.contains("已有运单 示例运单-1001"), "{refused}");
    // A void bill frees its trip.
    let void = [("code", json!("WB-2")), ("state", json!("void"))];
    send(changed(WAYBILL_JSON, &void)).await.expect(201);
    send(changed(WAYBILL_JSON, &second)).await.expect(201);
    // UN number, class and packing group are those of one row of the list; validity is of that day.
    for (name, value, word) in [
        ("hazard_class", json!("8"), "UN1230"),
        ("permit_valid_to", json!("2026-11-01"), "道路运输证有效"),
        ("load_t", json!("40"), "不得超载"),
        ("un_no", json!("UN12"), "4 位数字"),
    ] {
        let number = format!("示例运单-{name}");
        let wrong = [
            ("code", json!("WB-3")),
            ("waybill_no", json!(number)),
            ("vehicle_no", json!("陕K·示例9")),
            (name, value),
        ];
        let refused = send(changed(WAYBILL_JSON, &wrong)).await.expect(422);
        let (field, detail) = refusal(&refused["results"][0]);
        assert!(detail.contains(word), "{name}: {refused}");
        assert!(!field.starts_with("attributes"), "{refused}");
    }
}

#[tokio::test]
async fn g_8_1_what_a_reviewer_rejects_may_be_sent_again_under_its_number() {
    let app = chains().await;
    // The carrier takes what its holder never gave: somebody looks at it.
    let held = send(&app, "gateway", ("waybill", WAYBILL_XML.as_bytes())).await.expect(201);
    assert_eq!(held["results"][0]["state"], "held", "{held}");
    let again = send(&app, "gateway", ("waybill", WAYBILL_XML.as_bytes())).await.expect(200);
    assert_eq!(counts(&again), [0, 1, 0]);
    let further = changed(WAYBILL_JSON, &[("state", json!("void"))]);
    let early = send(&app, "gateway", ("waybill", further.as_bytes())).await.expect(422);
    assert!(refusal(&early["results"][0]).1.contains("尚未接收"), "{early}");
    let id = held["results"][0]["events"][0].as_str().unwrap();
    let path = format!("/api/v1/trace/events/{id}/reject");
    app.post("reviewer", &path, json!({ "comment": "示例：未见交接" })).await.expect(200);
    laden(&app, "WB-4").await;
    let right = changed(WAYBILL_JSON, &[("code", json!("WB-4"))]);
    let taken = send(&app, "gateway", ("waybill", right.as_bytes())).await.expect(201);
    assert_eq!(taken["results"][0]["state"], "accepted", "{taken}");
}

/// Every field through the door that serves it: what was sent is an event of its domain, and sent again
/// it is the same one.
#[tokio::test]
async fn g_8_1_every_field_is_served_by_a_recorded_sample() {
    let app = chains().await;
    for (door, message) in
        [("meat-vegetable", MEAT), ("drug-bill", BILLS_XML), ("waybill", WAYBILL_XML)]
    {
        let answer = send(&app, "gateway", (door, message.as_bytes())).await.expect(201);
        assert_eq!(answer["refused"], 0, "{door}: {answer}");
    }
    for (event, kind) in [
        (include_str!("../../../../examples/messages/food-sale.json"), "sale"),
        (include_str!("../../../../examples/messages/rare-earth-sale.json"), "sale"),
        (include_str!("../../../../examples/messages/industrial-operation.json"), "operation"),
    ] {
        let event: Value = serde_json::from_str(event).unwrap();
        let stored = captured(&app, event.clone()).await;
        assert_eq!((&stored["domain"], &stored["type"]), (&event["domain"], &json!(kind)));
        let again = app.post("gateway", "/api/v1/trace/events", event).await.expect(200);
        assert_eq!(again["results"][0]["id"], stored["id"]);
    }
    for (domain, kind, file) in [
        (
            "agri_input",
            "retail",
            include_str!("../../../../examples/messages/agri-input-retail.csv"),
        ),
        (
            "special_equipment",
            "fill",
            include_str!("../../../../examples/messages/special-equipment-fill.csv"),
        ),
    ] {
        let path = format!("/api/v1/trace/imports?domain={domain}&type={kind}&name=a.csv");
        let job = app.import("gateway", &path, file.into()).await;
        assert_eq!((&job["succeeded"], &job["failed"]), (&json!(2), &json!(0)), "{domain}: {job}");
    }
    let domains = "SELECT COUNT(DISTINCT domain) FROM trace_event WHERE recorded_by = 'gateway'";
    assert_eq!(app.count(domains).await, 8);
}
