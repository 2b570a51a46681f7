//! Handbook §4.1, §8.5: the documents of batches. What is certified once is passed on once, mixed and split
//! under a certificate of its own, and checked against the register wherever an event names it; what a
//! domain pack demands is there.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, said},
    commitments::require_islands_only,
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::detail,
};

pub const CERTIFICATES: &str = "/api/v1/trace/certificates";
const NOW: &str = "2026-11-19T11:00:00+08:00";

pub fn wanted(subject: &Value, quantity: &str, codes: &[&str]) -> Value {
    json!({
        "subject": subject["code"], "product": "YJ-JC-01", "quantity": quantity, "unit": "KGM",
        "origin": "示例县示例乡", "basis": "self_test", "contact": "13800000001",
        "units": codes.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>(),
    })
}

fn wholesale(subject: &Value, inputs: &[(&str, &str)], outputs: &[(&str, &str)]) -> Value {
    let line = |(code, quantity): &(&str, &str)| json!({ "code": code, "quantity": quantity, "unit": "KGM" });
    json!({
        "domain": "agri", "type": "wholesale", "subject": subject["code"], "event_time": NOW,
        "inputs": inputs.iter().map(line).collect::<Vec<_>>(),
        "outputs": outputs.iter().map(line).collect::<Vec<_>>(),
    })
}

fn under(mut event: Value, number: &Value) -> Value {
    event["documents"] = json!([{ "type": "承诺达标合格证", "no": number }]);
    event
}

fn admission(subject: &Value, code: &str, quantity: &str, (kind, number): (&str, Value)) -> Value {
    json!({
        "domain": "agri", "type": "market_entry", "subject": subject["code"], "event_time": NOW,
        "inputs": [{ "code": code, "quantity": quantity, "unit": "KGM" }],
        "attributes": { "voucher": kind, "voucher_no": number, "quick_test": "pass" },
    })
}

#[tokio::test]
async fn g_6_4_1_a_document_whose_day_is_past_is_not_shown_as_valid() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for (number, until, state) in
        [("PAST-1", "2026-11-18", "已过有效期"), ("PAST-2", "2026-11-19", "</i>有效")]
    {
        captured(&app, harvest(&farm, number)).await;
        let document = json!({
            "kind": "commitment", "number": number, "issuer": farm["name"], "subject_id": farm["id"],
            "product": "示例韭菜", "quantity": "10", "unit": "KGM", "issued_on": "2026-11-10",
            "valid_until": until, "origin": "示例县示例乡", "basis": "self_test",
            "contact": "13800000001", "units": [{ "code": number }],
        });
        app.post("farm", "/api/v1/batch_document", document).await.expect(201);
        let page = app.send("GET", &format!("/c/{number}"), None, &[], None).await;
        let text = String::from_utf8(page.bytes).unwrap();
        assert!(text.contains(state) && text.contains("有效期至"), "{state}: {text}");
    }
}

#[tokio::test]
async fn g_4_9_a_document_says_until_when_it_is_kept() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let kept = async |kind: &str, product: Option<&str>| {
        let mut document = json!({
            "kind": kind, "number": format!("KEPT-{kind}-{}", product.is_some()),
            "issuer": "示例机构", "subject_id": farm["id"], "product": "示例货物",
            "issued_on": "2026-01-31",
        });
        if let Some(code) = product {
            let path = format!("/api/v1/product?code={code}");
            let found = app.get("supervisor", &path).await.expect(200);
            document["product_id"] = found["items"][0]["id"].clone();
        }
        let made = app.post("farm", "/api/v1/batch_document", document).await.expect(201);
        let path = format!("/api/v1/batch_document/{}", id_of(&made));
        app.get("farm", &path).await.expect(200)["kept"].clone()
    };
    // Of leeks market vouchers are kept for half a year by law, and by the platform for five.
    let purchase = kept("purchase", Some("YJ-JC-01")).await;
    assert_eq!(
        (&purchase["until"], &purchase["law"]["until"]),
        (&json!("2031-01-31"), &json!("2026-07-31"))
    );
    assert!(purchase["law"]["basis"].as_str().unwrap().contains("不少于六个月"), "{purchase}");
    // What says of no product what it goes with is kept as the strictest domain has it.
    let certificate = kept("certificate", None).await;
    assert_eq!((&certificate["until"], &certificate["law"]["until"]), (&json!(null), &json!(null)));
    assert!(
        certificate["law"]["basis"].as_str().unwrap().contains("与设备同寿命"),
        "{certificate}"
    );
    let of_vessel = kept("certificate", Some("YJ-PV-01")).await;
    assert_eq!(of_vessel["law"]["until"], "2031-01-31");
}

#[tokio::test]
async fn g_6_4_1_a_commitment_certificate_is_issued_collected_and_read_by_everybody() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "CER-1")).await;
    let made = app.post("farm", CERTIFICATES, wanted(&farm, "100", &["CER-1"])).await.expect(201);
    let number = made["number"].as_str().unwrap();
    assert!(made["qr"].as_str().unwrap().contains("承诺达标合格证"), "{made}");
    // Everybody reads what is printed on it, and nobody whom to call.
    let page = app.send("GET", &format!("/c/{number}"), None, &[], None).await;
    let text = String::from_utf8(page.bytes).unwrap();
    for word in [
        "承诺达标合格证",
        number,
        "示例韭菜合作社一社",
        "示例县示例乡",
        "自行检测",
        "100",
        "CER-1",
        "有效",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("13800000001"), "{text}");
    require_islands_only(&text);
    assert_eq!(app.send("GET", "/c/C0", None, &[], None).await.status, 404);
    // The register masks it, keeps it and lets nobody change it.
    let listed = app.get("supervisor", &format!("/api/v1/batch_document?number={number}")).await;
    let listed = listed.expect(200)["items"][0].clone();
    assert!(listed["contact"].as_str().unwrap().contains('*'), "{listed}");
    let one = format!("/api/v1/batch_document/{}", id_of(&listed));
    assert_eq!(
        app.change("farm", ("PATCH", &one), 1, json!({ "product": "别的" })).await.status,
        405
    );
    // For another's batch nobody issues one, and an incomplete one says what is missing.
    app.post("enterprise", CERTIFICATES, wanted(&farm, "1", &["CER-1"])).await.expect(422);
    let bare = json!({
        "kind": "commitment", "number": "C-1", "issuer": "示例合作社", "subject_id": farm["id"],
        "product": "韭菜", "quantity": "1", "unit": "KGM", "issued_on": "2026-11-01",
    });
    let refused = app.post("supervisor", "/api/v1/batch_document", bare).await.expect(422);
    assert!(detail(&refused).contains("产地"), "{refused}");
    // Voided, it covers nothing any more.
    app.post("farm", &format!("{one}/void"), json!({ "reason": "数量有误" })).await.expect(200);
    app.post("farm", &format!("{one}/void"), json!({ "reason": "数量有误" })).await.expect(409);
    let sold = under(wholesale(&farm, &[("CER-1", "10")], &[("CER-2", "10")]), &json!(number));
    let refused = capture(&app, sold).await.expect(422);
    assert!(detail(&refused).contains("已作废"), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "documents[0].no");
}

#[tokio::test]
async fn g_6_4_1_a_certificate_promises_only_for_what_is_there() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["THE-1", "THE-2"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let issue = async |quantity: &str, codes: &[&str]| {
        app.post("farm", CERTIFICATES, wanted(&farm, quantity, codes)).await
    };
    let refused = issue("1", &["THE-0"]).await.expect(422);
    assert!(detail(&refused).contains("批次 THE-0 没有登记"), "{refused}");
    // Each lot is 100 kg.
    let refused = issue("101", &["THE-1"]).await.expect(422);
    assert!(detail(&refused).contains("超出 1 千克"), "{refused}");
    let first = issue("60", &["THE-1"]).await.expect(201);
    issue("130", &["THE-1", "THE-2"]).await.expect(201);
    let refused = issue("11", &["THE-2"]).await.expect(422);
    for word in ["共产出 200 千克", "已开具 190 千克", "超出 1 千克"] {
        assert!(detail(&refused).contains(word), "{word}: {refused}");
    }
    // A voided one promises nothing any more.
    let path = format!("/api/v1/batch_document/{}/void", id_of(&first));
    app.post("farm", &path, json!({ "reason": "数量有误" })).await.expect(200);
    issue("11", &["THE-2"]).await.expect(201);
    // Nobody promises for what is stopped.
    let stop = json!({ "act": "await", "downstream": false, "reason": "示例待检" });
    app.post("farm", "/api/v1/trace/objects/THE-2/orders", stop).await.expect(201);
    let refused = issue("1", &["THE-2"]).await.expect(422);
    assert!(detail(&refused).contains("解除之前不能为其开具"), "{refused}");
}

#[tokio::test]
async fn g_6_4_1_a_certificate_covers_its_quantity_once_and_what_is_mixed_or_split_wants_its_own() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["MIX-1", "MIX-2"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let issue = async |quantity: &str, codes: &[&str], origins: Value| {
        let mut body = wanted(&farm, quantity, codes);
        body["origins"] = origins;
        app.post("farm", CERTIFICATES, body).await
    };
    let first = issue("100", &["MIX-1"], json!([])).await.expect(201);
    let second = issue("100", &["MIX-2"], json!([])).await.expect(201);
    // Passed on under it as often as it goes, and no further.
    let sale = |quantity: &str, to: &str| {
        under(wholesale(&farm, &[("MIX-1", quantity)], &[(to, quantity)]), &first["number"])
    };
    let sold = captured(&app, sale("40", "MIX-3")).await;
    let refused = capture(&app, sale("61", "MIX-4")).await;
    // More than the balance is refused for that; more than the certificate for this.
    assert_eq!(refused.status, 422);
    let more = json!({ "events": [sale("30", "MIX-4"), sale("31", "MIX-5")] });
    let answer = capture(&app, more).await.expect(201);
    let problem = answer["results"][1]["problem"]["detail"].as_str().unwrap();
    for word in ["证载 100 千克", "已用 70 千克", "本次 31 千克", "超出 1 千克"] {
        assert!(problem.contains(word), "{word}: {problem}");
    }
    let uses = format!("/api/v1/batch_document/{}/uses", first["id"].as_str().unwrap());
    assert_eq!(app.get("farm", &uses).await.expect(200)["remaining"], "30");
    // A correction gives back what its original used.
    let mut mended = sale("20", "MIX-3");
    mended["correction_of"] = sold["id"].clone();
    mended["correction_reason"] = json!("数量有误");
    captured(&app, mended).await;
    assert_eq!(app.get("farm", &uses).await.expect(200)["remaining"], "50");
    // Mixed and split goods go under a certificate that names where they come from.
    let mixed = wholesale(&farm, &[("MIX-1", "50"), ("MIX-2", "60")], &[("MIX-6", "110")]);
    let refused = capture(&app, mixed.clone()).await.expect(422);
    assert!(detail(&refused).contains("重新开具"), "{refused}");
    let split = wholesale(&farm, &[("MIX-2", "60")], &[("MIX-7", "30"), ("MIX-8", "30")]);
    capture(&app, split).await.expect(422);
    capture(&app, under(mixed.clone(), &first["number"])).await.expect(422);
    let origins = json!([first["number"], second["number"]]);
    let refused = issue("200", &["MIX-6"], origins.clone()).await.expect(422);
    assert!(detail(&refused).contains("超过来源合格证剩余"), "{refused}");
    issue("1", &["MIX-6"], json!(["C-UNKNOWN"])).await.expect(422);
    let again = issue("150", &["MIX-6"], origins).await.expect(201);
    captured(&app, under(mixed, &again["number"])).await;
    // Nothing is left of either, and both say so.
    assert_eq!(app.get("farm", &uses).await.expect(200)["remaining"], "0");
    let page = format!("/c/{}", first["number"].as_str().unwrap());
    let page = app.send("GET", &page, None, &[], None).await;
    assert!(String::from_utf8(page.bytes).unwrap().contains("已并分重开"));
    let refused = capture(&app, sale("1", "MIX-9")).await.expect(422);
    assert!(detail(&refused).contains("已并分重开"), "{refused}");
}

#[tokio::test]
async fn d_6_1_1_planted_missing_expired_reused_and_exceeded_documents_are_found() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "PAP-1")).await;
    let register = async |kind: &str, number: &str, more: Value| {
        let mut body = json!({
            "kind": kind, "number": number, "issuer": "示例动物卫生监督所", "subject_id": farm["id"],
            "product": "示例韭菜", "issued_on": "2026-11-01",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("supervisor", "/api/v1/batch_document", body).await
    };
    let quarantine = json!({ "quantity": "50", "unit": "KGM", "valid_until": "2026-11-30" });
    register("quarantine", "jy-1", quarantine.clone()).await.expect(201);
    // The same number of the same issuer is the same paper.
    register("quarantine", "JY-1", quarantine.clone()).await.expect(409);
    let mut over = quarantine.clone();
    over["valid_until"] = json!("2026-11-18");
    register("quarantine", "JY-2", over).await.expect(201);
    let entry = |quantity: &str, number: &str| {
        admission(&farm, "PAP-1", quantity, ("quarantine", json!(number)))
    };
    // Expired yesterday.
    let refused = capture(&app, entry("10", "JY-2")).await.expect(422);
    assert!(detail(&refused).contains("有效期至 2026-11-18"), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "attributes.voucher_no");
    // Used for 2.4 times its quantity, however often it is shown.
    captured(&app, entry("40", "JY-1")).await;
    let refused = capture(&app, entry("80", "JY-1")).await.expect(422);
    for word in ["证载 50", "已用 40", "本次 80", "超出 70"] {
        assert!(detail(&refused).contains(word), "{word}: {refused}");
    }
    captured(&app, entry("10", "JY-1")).await;
    // For other goods.
    let products = app.get("supervisor", "/api/v1/product?domain=industrial").await.expect(200);
    let other = json!({ "product_id": products["items"][0]["id"], "product": "示例钛板" });
    register("origin", "CD-1", other).await.expect(201);
    let mut event = wholesale(&farm, &[("PAP-1", "1")], &[("PAP-2", "1")]);
    event["documents"] = json!([{ "type": "产地证明", "no": "CD-1" }]);
    let refused = capture(&app, event).await.expect(422);
    assert!(detail(&refused).contains("示例钛板"), "{refused}");
    // A certificate that nobody registered is looked at by somebody.
    let unknown = admission(&farm, "PAP-1", "5", ("certificate", json!("C-NONE")));
    let held = captured(&app, unknown).await;
    assert!(said(&held).0 == "held" && said(&held).1.contains("核对原件"), "{held}");
    // Without any it is counted, for those who may see it.
    for quantity in ["1", "2"] {
        captured(&app, admission(&farm, "PAP-1", quantity, ("none", Value::Null))).await;
    }
    let path = "/api/v1/trace/certificates/missing?from=2026-11-19&to=2026-11-19";
    let count = app.get("supervisor", path).await.expect(200);
    assert_eq!(
        (&count["total"], &count["items"][0]["name"]),
        (&json!(2), &farm["name"]),
        "{count}"
    );
    assert_eq!(app.get("enterprise", path).await.expect(200)["total"], 0);
    // 一车一趟一单
    let trip = |depart: &str, arrive: &str| json!({ "vehicle_no": "陕A·示例1", "depart_at": depart, "arrive_at": arrive });
    let day = trip("2026-11-19T08:00:00+08:00", "2026-11-19T12:00:00+08:00");
    let bill = register("waybill", "YD-1", day).await.expect(201);
    let twice = trip("2026-11-19T11:00:00+08:00", "2026-11-19T15:00:00+08:00");
    let refused = register("waybill", "YD-2", twice.clone()).await.expect(422);
    assert!(detail(&refused).contains("YD-1"), "{refused}");
    let void = format!("/api/v1/batch_document/{}/void", id_of(&bill));
    app.post("supervisor", &void, json!({ "reason": "改派车辆" })).await.expect(200);
    register("waybill", "YD-2", twice).await.expect(201);
}

#[tokio::test]
async fn g_6_4_1_the_balance_of_every_batch_adds_up_by_movement_type_and_leads_to_its_events() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "BAL-1")).await;
    captured(&app, wholesale(&farm, &[("BAL-1", "30")], &[("BAL-2", "30")])).await;
    let mut disposal = wholesale(&farm, &[("BAL-1", "5")], &[]);
    disposal["type"] = json!("dispose");
    disposal["attributes"] =
        json!({ "cause": "damaged", "method": "destroy", "document_no": "示例处置-1" });
    captured(&app, disposal).await;
    let path = "/api/v1/trace/objects/BAL-1/balance";
    let whole = app.get("farm", path).await.expect(200);
    let account = &whole["accounts"][0];
    let pairs = |side: &Value| -> Vec<(String, String)> {
        let text = |one: &Value, name: &str| String::from(one[name].as_str().unwrap());
        let lines = side.as_array().unwrap().iter();
        lines.map(|one| (text(one, "movement"), text(one, "quantity"))).collect()
    };
    let line = |movement: &str, quantity: &str| (String::from(movement), String::from(quantity));
    assert_eq!(pairs(&account["in"]), [line("101", "100")], "{account}");
    assert_eq!(pairs(&account["out"]), [line("201", "30"), line("205", "5")], "{account}");
    assert_eq!((&account["losses"], &account["closing"]), (&json!("5"), &json!("65")), "{account}");
    assert_eq!((&account["stored"], &account["consistent"]), (&json!("65"), &json!(true)));
    assert_eq!(whole["items"].as_array().unwrap().len(), 3);
    let event = whole["items"][1]["event"].as_str().unwrap();
    app.get("farm", &format!("/api/v1/trace/events/{event}")).await.expect(200);
    // Of a period: what there was before it, and what there is at its end.
    let from = format!("{path}?from=2026-11-15T00:00:00%2B08:00&to=2026-11-19T10:00:00%2B08:00");
    let part = app.get("supervisor", &from).await.expect(200);
    let account = &part["accounts"][0];
    assert_eq!(
        (&account["opening"], &account["closing"]),
        (&json!("100"), &json!("100")),
        "{part}"
    );
    assert_eq!(account["consistent"], true);
    // Of everything that a subject holds, golden chains and sold lots too.
    for name in ["示例韭菜合作社一社", "示例蔬菜零售店甲", "示例市场批发商乙", "示例压力容器制造厂"]
    {
        let subject = app.subject(name).await;
        let path = format!("/api/v1/trace/balance?subject_id={}", id_of(&subject));
        let whole = app.get("supervisor", &path).await.expect(200);
        let accounts = whole["accounts"].as_array().unwrap();
        assert!(!accounts.is_empty(), "{name}");
        for account in accounts {
            assert_eq!(account["consistent"], true, "{name}: {account}");
        }
    }
    // How much somebody has is nobody else's to know.
    app.get("enterprise", path).await.expect(404);
    let path = format!("/api/v1/trace/balance?subject_id={}", id_of(&farm));
    app.get("enterprise", &path).await.expect(404);
    // A balance changed behind the platform's back is found.
    app.tamper("UPDATE trace_object SET balance = balance + 10000 WHERE code = 'BAL-1'").await;
    let wrong = app.get("farm", "/api/v1/trace/objects/BAL-1/balance").await.expect(200);
    assert_eq!(wrong["accounts"][0]["consistent"], false);
    let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
    assert!(findings.iter().any(|(name, well, _)| *name == "结存一致" && !well));
}

/// A registered animal of the farm.
pub async fn livestock(app: &TestApp, farm: &Value) {
    let product = json!({
        "code": "PIG-1", "name": "示例生猪", "domain": "agri", "unit": "KGM",
        "catalogue_code": "010601", "subject_id": farm["id"], "region": farm["region"],
        "attributes": { "sector": "livestock" },
    });
    let filed = app.post("supervisor", "/api/v1/product", product).await.expect(202);
    let path = format!("/api/v1/product/changes/{}/approve", id_of(&filed["change_request"]));
    app.post("reviewer", &path, json!({})).await.expect(200);
}

#[tokio::test]
async fn g_6_4_1_a_pack_demands_papers_by_event_type_stage_and_product() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    livestock(&app, &farm).await;
    let mut pigs = harvest(&farm, "DEM-1");
    pigs["outputs"][0]["product"] = json!("PIG-1");
    captured(&app, pigs).await;
    captured(&app, harvest(&farm, "DEM-2")).await;
    let ride = |code: &str, to: &str| {
        let mut ride = wholesale(&farm, &[(code, "10")], &[(to, "10")]);
        ride["type"] = json!("transport");
        ride["attributes"] = json!({ "vehicle_no": "陕A·示例1" });
        ride
    };
    // Animals do not travel without 检疫证; the refusal says which paper, and why. Leeks do.
    let refused = capture(&app, ride("DEM-1", "DEM-3")).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "documents", "{refused}");
    for word in ["畜禽及其产品运输须附检疫证", "动物检疫证明", "编号"] {
        assert!(detail(&refused).contains(word), "{word}: {refused}");
    }
    let mut wrong = ride("DEM-1", "DEM-3");
    wrong["documents"] = json!([{ "type": "运单", "no": "YD-1" }]);
    capture(&app, wrong).await.expect(422);
    let mut with = ride("DEM-1", "DEM-3");
    with["documents"] = json!([{ "type": "检疫证", "no": "JY-77" }]);
    assert_eq!(said(&captured(&app, with).await).0, "accepted");
    assert_eq!(said(&captured(&app, ride("DEM-2", "DEM-4")).await).0, "accepted");
    // At the market animals without it are looked at, and leeks without anything are counted.
    let purchase = |code: &str| admission(&farm, code, "5", ("purchase", json!("示例进货-1")));
    let held = captured(&app, purchase("DEM-1")).await;
    assert!(
        said(&held).0 == "held" && said(&held).1.contains("畜禽及其产品入场须有检疫证"),
        "{held}"
    );
    let path = format!("/api/v1/trace/events/{}/approve", held["id"].as_str().unwrap());
    app.post("reviewer", &path, json!({})).await.expect(200);
    assert_eq!(said(&captured(&app, purchase("DEM-2")).await).0, "accepted");
    captured(&app, admission(&farm, "DEM-2", "5", ("none", Value::Null))).await;
    let count = app.get("supervisor", "/api/v1/trace/certificates/missing").await.expect(200);
    assert_eq!(
        (&count["total"], &count["items"][0]["demand"]),
        (&json!(1), &json!("入场须有凭证")),
        "{count}"
    );
    // Published where clients, forms, templates and the dictionary look.
    let pack = app.get("farm", "/api/v1/domains/agri").await.expect(200);
    let spec = |pack: &Value, code: &str| -> Value {
        let stages = pack["stages"].as_array().unwrap().iter();
        let mut events = stages.flat_map(|stage| stage["events"].as_array().unwrap());
        events.find(|event| event["code"] == code).unwrap().clone()
    };
    let demands = &spec(&pack, "market_entry")["documents"];
    assert_eq!(
        (&demands[0]["lacking"], &demands[1]["product_is"]),
        (&json!("note"), &json!(["livestock"]))
    );
    let dictionary = app.get("farm", "/api/v1/dictionary").await.expect(200);
    let element = dictionary["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["set"] == "agri.slaughter" && one["name"] == "documents");
    let element = element.unwrap();
    assert_eq!(element["obligation"], "M");
    assert!(element["definition"].as_str().unwrap().contains("屠宰须查验检疫证"), "{element}");
}

#[tokio::test]
async fn g_4_f_demands_for_papers_of_a_pack_are_checked_and_named() {
    let app = TestApp::start().await;
    let mut pack = app.get("sysadmin", "/api/v1/domains/agri").await.expect(200);
    pack.as_object_mut().unwrap().remove("accepts");
    pack["version"] = json!("9.0.0");
    let demand = |demand: Value| {
        let mut pack = pack.clone();
        pack["stages"][0]["events"][0]["documents"] = json!([demand]);
        pack
    };
    let sound = json!({
        "name": "采收须附合格证", "any_of": ["commitment"], "lacking": "review", "registered": true,
        "product": "sector", "product_is": ["vegetable"],
    });
    let checked = app.post("sysadmin", "/api/v1/domains/check", demand(sound.clone())).await;
    let checked = checked.expect(200);
    assert_eq!(checked["sound"], true, "{checked}");
    assert!(
        checked["pack"]["adds"].to_string().contains("采收的应附凭证“采收须附合格证”"),
        "{checked}"
    );
    for (change, field, word) in [
        (json!({ "any_of": ["passport"] }), "any_of[0]", "没有凭证种类 passport"),
        (json!({ "any_of": [] }), "any_of", "1 至"),
        (json!({ "lacking": "shrug" }), "lacking", "没有 shrug"),
        (json!({ "product": "colour" }), "product", "没有 colour"),
        (json!({ "product_is": ["stone"] }), "product_is[0]", "没有 stone"),
        (json!({ "when": "plot", "is": ["1"] }), "when", "类型不适用"),
        (json!({ "name": null }), "name", "缺少必填"),
        (json!({ "level": 1 }), "level", "没有 level"),
    ] {
        let mut wrong = sound.clone();
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = app.post("sysadmin", "/api/v1/domains", demand(wrong)).await.expect(422);
        let path = format!("stages[0].events[0].documents[0].{field}");
        let found = refused["errors"].as_array().unwrap().iter();
        let there = found.clone().any(|one| {
            one["field"] == path.as_str() && one["detail"].as_str().unwrap().contains(word)
        });
        assert!(there, "{path} {word}: {refused}");
    }
}

#[tokio::test]
async fn g_6_4_1_a_voided_reissue_gives_back_what_nobody_has_used_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["GIV-1", "GIV-2"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let issue = async |quantity: &str, codes: &[&str], origins: Value| {
        let mut body = wanted(&farm, quantity, codes);
        body["origins"] = origins;
        app.post("farm", CERTIFICATES, body).await.expect(201)
    };
    let first = issue("100", &["GIV-1"], json!([])).await;
    let second = issue("60", &["GIV-2"], json!([])).await;
    let origins = json!([first["number"], second["number"]]);
    let again = issue("150", &["GIV-1", "GIV-2"], origins).await;
    let state = async |one: &Value| {
        let path = format!("/api/v1/batch_document/{}", one["id"].as_str().unwrap());
        app.get("farm", &path).await.expect(200)["state"].clone()
    };
    let remaining = async |one: &Value| {
        let path = format!("/api/v1/batch_document/{}/uses", one["id"].as_str().unwrap());
        app.get("farm", &path).await.expect(200)["remaining"].clone()
    };
    // Of each alike, as far as it has so much: nobody said how much of which it is.
    assert_eq!((remaining(&first).await, remaining(&second).await), (json!("10"), json!("0")));
    assert_eq!((state(&first).await, state(&second).await), (json!("valid"), json!("reissued")));
    // 30 of it are passed on; 120 go back, those of the last origin first.
    let sold = wholesale(&farm, &[("GIV-1", "30")], &[("GIV-3", "30")]);
    captured(&app, under(sold, &again["number"])).await;
    let path = format!("/api/v1/batch_document/{}/void", again["id"].as_str().unwrap());
    app.post("farm", &path, json!({ "reason": "数量有误" })).await.expect(200);
    assert_eq!((remaining(&first).await, remaining(&second).await), (json!("70"), json!("60")));
    assert_eq!((state(&first).await, state(&second).await), (json!("valid"), json!("valid")));
    // What went back is made out anew, once.
    let origins = json!([first["number"], second["number"]]);
    issue("130", &["GIV-1", "GIV-2"], origins.clone()).await;
    let mut more = wanted(&farm, "1", &["GIV-1"]);
    more["origins"] = origins;
    app.post("farm", CERTIFICATES, more).await.expect(422);
    assert_eq!(remaining(&first).await, "0");
}

#[tokio::test]
async fn d_6_3_a_certificate_stands_on_the_ledger_and_its_page_says_since_when() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "ANC-1")).await;
    let made = app.post("farm", CERTIFICATES, wanted(&farm, "100", &["ANC-1"])).await.expect(201);
    let (number, id) = (made["number"].as_str().unwrap(), id_of(&made));
    let page = async || {
        let page = app.send("GET", &format!("/c/{number}"), None, &[], None).await;
        String::from_utf8(page.bytes).unwrap()
    };
    app.anchor().await;
    let text = page().await;
    for word in ["自 2026 年 11 月 19 日", "以来未被改动", "下载存证证明", "<svg", "aria-label"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("13800000001"), "{text}");
    require_islands_only(&text);
    // Everybody verifies it, and nobody learns from the proof whom to call.
    let proof = app.send("GET", &format!("/c/{number}/proof"), None, &[], None).await;
    assert_eq!(proof.status, 200);
    assert!(!String::from_utf8_lossy(&proof.bytes).contains("13800000001"));
    let chain = app.assembled.ledger.genesis().1;
    let verdict = json!(yj_proof::verify(&proof.bytes, &yj_proof::Trust::in_chain(chain)));
    assert_eq!(verdict["ok"], true, "{verdict}");
    let own = app.get("farm", &format!("/api/v1/batch_document/{id}/proof")).await;
    assert_eq!(own.bytes, proof.bytes);
    app.get("enterprise", &format!("/api/v1/batch_document/{id}/proof")).await.expect(404);
    assert_eq!(app.send("GET", "/c/C0/proof", None, &[], None).await.status, 404);
    let sound = async || {
        let findings = yj_server::examine(&app.assembled, std::path::Path::new(".")).await;
        let found = findings.into_iter().find(|one| one.0 == "存证一致").unwrap();
        (found.1, found.2)
    };
    assert!(sound().await.0, "{:?}", sound().await);
    // Voided, that is kept too; and neither voiding nor quantity is undone behind the platform's back.
    let path = format!("/api/v1/batch_document/{id}/void");
    app.post("farm", &path, json!({ "reason": "数量有误" })).await.expect(200);
    app.anchor().await;
    assert!(page().await.contains("已作废"));
    assert!(sound().await.0, "{:?}", sound().await);
    app.tamper("UPDATE batch_document SET state = 'valid' WHERE kind = 'commitment'").await;
    assert!(page().await.contains("与存证不一致"));
    assert!(!sound().await.0);
    app.tamper("UPDATE batch_document SET state = 'void', quantity = quantity * 2 WHERE kind = 'commitment'")
        .await;
    let text = page().await;
    assert!(text.contains("与存证不一致") && text.contains("quantity"), "{text}");
    let (well, why) = sound().await;
    assert!(!well && why.contains(number), "{why}");
}
