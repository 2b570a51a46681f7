//! Handbook §4.1, §8.5: the documents of batches. What is certified once is passed on once, mixed and split
//! under a certificate of its own, and checked against the register wherever an event names it.

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, said},
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::detail,
};

const CERTIFICATES: &str = "/api/v1/trace/certificates";
const NOW: &str = "2026-11-19T11:00:00+08:00";

fn wanted(subject: &Value, quantity: &str, codes: &[&str]) -> Value {
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
    assert!(!text.contains("13800000001") && !text.contains("<script"), "{text}");
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
