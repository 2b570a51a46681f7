//! G-5.4.4: labels with the words that the law demands, for paper and for printers.

use serde_json::{Value, json};

use crate::{
    harness::TestApp,
    houses::id_of,
    identifiers::{approved, batch, product},
};

fn template(subject: &Value) -> Value {
    json!({
        "name": "示例标签", "subject_id": subject["id"], "kind": "trace", "width_mm": 60,
        "height_mm": 40, "symbol": "qr", "symbol_mm": 25, "place": "left", "font_pt": 8,
        "content": "address",
        "lines": "{产品名称}|批次 {批次号}|生产日期 {生产日期}|{编码}", "in_use": true,
    })
}

fn with(mut template: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        template[name] = value.clone();
    }
    template
}

#[tokio::test]
async fn g_5_4_4b_a_label_says_what_its_kind_must_say() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    for (changes, says) in [
        (json!({ "width_mm": 5 }), "15 至 190"),
        (json!({ "lines": "{价格}" }), "没有 {价格}"),
        (json!({ "kind": "certificate" }), "承诺达标合格证"),
        (json!({ "kind": "pesticide" }), "依次承载"),
        (
            json!({ "kind": "seed", "content": "text", "lines": "{网址}|{编码}|{主体名称}|{产品名称}" }),
            "依次承载",
        ),
        (json!({ "symbol_mm": 8 }), "边长"),
        (json!({ "font_pt": 30 }), "放不下"),
        (json!({ "content": "elements" }), "Data Matrix"),
    ] {
        let wrong = with(template(&plant), &changes);
        let wrong = app.post("enterprise", "/api/v1/label_template", wrong).await.expect(422);
        assert!(wrong["detail"].as_str().unwrap().contains(says), "{wrong}");
    }
    for changes in [
        json!({}),
        json!({ "kind": "certificate", "lines": "承诺达标合格证|{产品名称}|{主体名称}" }),
        json!({
            "kind": "pesticide", "content": "text", "width_mm": 100, "height_mm": 60,
            "symbol_mm": 40, "lines": "{产品名称}|{主体名称}|{编码}|{网址}",
        }),
        json!({ "symbol": "datamatrix", "content": "elements", "symbol_mm": 15 }),
    ] {
        let sound = with(template(&plant), &changes);
        let made = app.post("enterprise", "/api/v1/label_template", sound).await.expect(201);
        let path = format!("/api/v1/label_template/{}/preview.svg", id_of(&made));
        let shown = app.get("enterprise", &path).await;
        let text = String::from_utf8(shown.bytes).unwrap();
        assert!(shown.status == 200 && text.contains("示例产品"), "{text}");
        assert_eq!(app.get("farm", &path).await.status, 404);
    }
}

#[tokio::test]
async fn g_5_4_4b_labels_of_a_batch_are_printed_on_sheets_and_by_printers() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let product = product(&app, "PLANT-1", Some("6907777000018")).await;
    let rule =
        json!({ "scheme": "gs1", "prefix": "6907777", "subject_id": plant["id"], "in_use": true });
    let rule = approved(&app, "code_rule", rule).await;
    let made = batch(
        &app,
        json!({
            "code": "PRINT", "subject_id": plant["id"], "product_id": product, "scheme": "gs1",
            "rule_id": rule, "level": "item", "random": false, "size": 5_000,
        }),
    )
    .await;
    let id = id_of(&made);
    let lot = json!({ "from": 1, "to": 20, "lot": "L7", "produced_on": "2026-11-01" });
    app.post("enterprise", &format!("/api/v1/code_batch/{id}/activate"), lot).await.expect(200);
    let mut paths = Vec::new();
    for changes in [
        json!({ "width_mm": 90 }),
        json!({ "symbol": "datamatrix", "content": "elements", "width_mm": 90 }),
    ] {
        let body = with(template(&plant), &changes);
        let made = app.post("enterprise", "/api/v1/label_template", body).await.expect(201);
        paths.push(format!("/api/v1/label_template/{}/sheet?batch={id}", id_of(&made)));
    }
    let sheet = app.get("enterprise", &format!("{}&from=1&to=30", paths[0])).await;
    assert_eq!(sheet.status, 200, "{}", sheet.body);
    assert!(sheet.bytes.starts_with(b"%PDF-1.4"));
    let text = String::from_utf8_lossy(&sheet.bytes).into_owned();
    // Two across, six down.
    assert!(text.contains("/Count 3"), "three pages of labels 90 × 40");
    assert_eq!(text.matches("BI /W").count(), 30, "one symbol to a label");
    let sent = app.get("enterprise", &format!("{}&from=19&to=21&format=zpl", paths[0])).await;
    let sent = String::from_utf8(sent.bytes).unwrap();
    assert_eq!(sent.matches("^XA").count(), 3);
    assert!(sent.contains("^FDMA,http://127.0.0.1/01/06907777000018/21/000000000018^FS"), "{sent}");
    assert_eq!(sent.matches("批次 L7").count(), 2, "the third has no lot yet");
    let matrix = format!("{}&from=1&to=1&format=zpl&dpi=300", paths[1]);
    let matrix = String::from_utf8(app.get("enterprise", &matrix).await.bytes).unwrap();
    assert!(matrix.contains("^FD_1010690777700001821000000000000^FS"), "{matrix}");
    for query in
        ["from=0", "from=1&to=2001", "to=5001", "format=exe", "dpi=72", "font=^XA", "colour=red"]
    {
        assert_eq!(
            app.get("enterprise", &format!("{}&{query}", paths[0])).await.status,
            422,
            "{query}"
        );
    }
    assert_eq!(app.get("supervisor", &paths[0]).await.status, 403);
    assert_eq!(app.get("farm", &paths[0]).await.status, 404);
    let trail = app.get("auditor", "/api/v1/audit?action=printed").await.expect(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 3);
}
