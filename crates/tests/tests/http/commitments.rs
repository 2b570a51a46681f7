//! Handbook §4.1: what a 承诺达标合格证 is made out for, and what everybody is told of one that holds no
//! more.

use serde_json::{Value, json};

use crate::{
    capturing::captured,
    documents::{CERTIFICATES, wanted},
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::detail,
};

/// A page that is whole without scripts loads what prints it, and nothing else.
pub fn require_islands_only(page: &str) {
    let island = r#"<script type="module" src="/portal/certificate.js">"#;
    assert_eq!(page.matches("<script").count(), page.matches(island).count(), "{page}");
}

#[tokio::test]
async fn g_6_4_1_a_voided_certificate_says_when_and_why_and_leads_to_the_one_in_its_place() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["VOI-1", "VOI-2"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let issue = async |quantity: &str, code: &str, origins: Value| {
        let mut body = wanted(&farm, quantity, &[code]);
        body["origins"] = origins;
        let made = app.post("farm", CERTIFICATES, body).await.expect(201);
        (String::from(made["number"].as_str().unwrap()), id_of(&made))
    };
    let page = async |number: &str| {
        let page = app.send("GET", &format!("/c/{number}"), None, &[], None).await;
        String::from_utf8(page.bytes).unwrap()
    };
    let link = |number: &str| format!("<a href=\"/c/{number}\">{number}</a>");
    let void = async |id: &str, reason: &str| {
        let path = format!("/api/v1/batch_document/{id}/void");
        app.post("farm", &path, json!({ "reason": reason })).await.expect(200);
    };
    let (wrong, id) = issue("90", "VOI-1", json!([])).await;
    let (other, _) = issue("10", "VOI-2", json!([])).await;
    void(&id, "数量有误，请致电13812345678更换").await;
    let text = page(&wrong).await;
    for word in ["已作废", "2026 年 11 月 19 日 12:", "数量有误", "138****5678"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // No telephone of anybody, no promise and no code to be shown again.
    for word in ["13812345678", "我承诺", "<svg", "同一批次现行"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    // The right one for the same batch stands in its place; that of another batch does not.
    let (right, _) = issue("80", "VOI-1", json!([])).await;
    let text = page(&wrong).await;
    assert!(text.contains(&link(&right)) && !text.contains(&link(&other)), "{text}");
    assert!(!page(&right).await.contains("作废"));
    // What was made out anew leads to what was made out of it, until that is void too.
    let (again, id) = issue("80", "VOI-1", json!([right])).await;
    let text = page(&right).await;
    assert!(text.contains("已并分重开") && text.contains(&link(&again)), "{text}");
    assert!(page(&again).await.contains(&link(&right)));
    void(&id, "重新开具有误").await;
    let text = page(&right).await;
    assert!(text.contains("</i>有效") && !text.contains(&again), "{text}");
}

#[tokio::test]
async fn g_6_4_1_a_certificate_is_of_the_product_of_its_batches_unless_it_names_one() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "OFP-1")).await;
    let issue = async |codes: &[&str], product: Value| {
        let mut body = wanted(&farm, "10", codes);
        body["product"] = product;
        app.post("farm", CERTIFICATES, body).await
    };
    for none in [Value::Null, json!(" ")] {
        let made = issue(&["OFP-1"], none).await.expect(201);
        let page = format!("/c/{}", made["number"].as_str().unwrap());
        let page = app.send("GET", &page, None, &[], None).await;
        let text = String::from_utf8(page.bytes).unwrap();
        assert!(text.contains("<dt>产品名称</dt><dd>示例韭菜</dd>"), "{text}");
    }
    let refused = issue(&["OFP-0"], Value::Null).await.expect(422);
    assert!(detail(&refused).contains("没有登记产品，请写明产品"), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "product");
    let refused = issue(&[], Value::Null).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "units");
    let refused = issue(&["OFP-1"], json!("YJ-NONE")).await.expect(422);
    assert!(detail(&refused).contains("没有这个产品"), "{refused}");
}

#[tokio::test]
async fn g_6_4_1_of_each_origin_a_new_certificate_takes_what_went_in_of_its_batches() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    for code in ["ORI-F", "ORI-G"] {
        captured(&app, harvest(&farm, code)).await;
    }
    let issue = async |quantity: &str, units: Value, origins: Value| {
        let mut body = wanted(&farm, quantity, &[]);
        (body["units"], body["origins"]) = (units, origins);
        app.post("farm", CERTIFICATES, body).await.expect(201)
    };
    let used = async |one: &Value| {
        let path = format!("/api/v1/batch_document/{}/uses", one["id"].as_str().unwrap());
        let used = app.get("farm", &path).await.expect(200)["used"].clone();
        let path = format!("/api/v1/batch_document/{}", one["id"].as_str().unwrap());
        (used, app.get("farm", &path).await.expect(200)["state"].clone())
    };
    let is = |quantity: &str, state: &str| (json!(quantity), json!(state));
    let first = issue("100", json!([{ "code": "ORI-F" }]), json!([])).await;
    let second = issue("100", json!([{ "code": "ORI-G" }]), json!([])).await;
    let origins = json!([first["number"], second["number"]]);
    // Before anything is mixed nobody knows how much of which it will be.
    let mixed = issue("80", json!([{ "code": "ORI-M" }]), origins.clone()).await;
    assert_eq!((used(&first).await, used(&second).await), (is("40", "valid"), is("40", "valid")));
    let event = json!({
        "domain": "agri", "type": "processing", "subject": farm["code"],
        "event_time": "2026-11-19T11:00:00+08:00",
        "inputs": [
            { "code": "ORI-F", "quantity": "60", "unit": "KGM" },
            { "code": "ORI-G", "quantity": "20", "unit": "KGM" },
        ],
        "outputs": [{ "code": "ORI-M", "quantity": "80", "unit": "KGM", "product": "YJ-JC-01" }],
        "documents": [{ "type": "承诺达标合格证", "no": mixed["number"] }],
    });
    assert_eq!(captured(&app, event).await["state"], "accepted");
    assert_eq!((used(&first).await, used(&second).await), (is("60", "valid"), is("20", "valid")));
    // What is stated for each batch is what is taken of its certificate; of which nothing is left is
    // made out anew as a whole, and no other.
    let units = json!([
        { "code": "ORI-F", "quantity": "40" }, { "code": "ORI-G", "quantity": "5" },
    ]);
    issue("45", units, origins).await;
    assert_eq!(
        (used(&first).await, used(&second).await),
        (is("100", "reissued"), is("25", "valid"))
    );
}

#[tokio::test]
async fn g_6_4_1_a_certificate_counts_in_the_measure_of_its_batches() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "MEA-1")).await;
    let issue = async |quantity: &str, unit: &str| {
        let mut body = wanted(&farm, quantity, &["MEA-1"]);
        body["unit"] = json!(unit);
        app.post("farm", CERTIFICATES, body).await
    };
    for unit in ["BX", "HEA", "LTR"] {
        let refused = issue("1", unit).await.expect(422);
        assert!(detail(&refused).contains("以千克计"), "{unit}: {refused}");
        assert_eq!(refused["errors"][0]["field"], "unit");
    }
    issue("0.05", "TNE").await.expect(201);
    issue("50", "KGM").await.expect(201);
    issue("1", "KGM").await.expect(422);
    // Heads are not kilograms: such a paper covers no amount by itself, and somebody looks at it.
    let paper = json!({
        "kind": "quarantine", "number": "JY-HEA", "issuer": "示例动物卫生监督所",
        "subject_id": farm["id"], "product": "示例韭菜", "issued_on": "2026-11-01",
        "quantity": "10", "unit": "HEA",
    });
    app.post("supervisor", "/api/v1/batch_document", paper).await.expect(201);
    let sale = json!({
        "domain": "agri", "type": "wholesale", "subject": farm["code"],
        "event_time": "2026-11-19T11:00:00+08:00",
        "inputs": [{ "code": "MEA-1", "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": "MEA-2", "quantity": "100", "unit": "KGM" }],
        "documents": [{ "type": "检疫证", "no": "JY-HEA" }],
    });
    let event = captured(&app, sale).await;
    assert_eq!(event["state"], "held", "{event}");
    let why = event["held_reason"].as_str().unwrap();
    assert!(why.contains("证载 10 头，本事件以千克计，不能换算"), "{why}");
}
