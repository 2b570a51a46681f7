//! 代码表随平台运行增长 (G-4b): an uploaded domain is a code of every register that names domains.

use serde_json::{Value, json};
use yj_sheet::{Column, Table};

use crate::{domains::put_into_use, harness::TestApp, houses::id_of, packs::fish};

/// The codes that a field of a register offers.
async fn offered(app: &TestApp, table: &str, field: &str) -> Vec<Value> {
    let meta = app.get("supervisor", "/api/v1/meta").await.expect(200);
    let named = |list: &Value, key: &str, name: &str| {
        list.as_array().unwrap().iter().find(|one| one[key] == name).unwrap().clone()
    };
    let entity = named(&meta["entities"], "table", table);
    named(&entity["fields"], "name", field)["codes"].as_array().unwrap().clone()
}

async fn pond_product(app: &TestApp, code: &str) -> Value {
    let subject = app.subject("示例蔬菜加工厂").await;
    json!({
        "code": code, "name": format!("示例鲈鱼{code}"), "domain": "aquatic", "unit": "KGM",
        "subject_id": subject["id"], "region": subject["region"],
    })
}

#[tokio::test]
async fn g_4_b_registers_know_an_uploaded_domain_without_a_restart() {
    let mut app = TestApp::start().await;
    let register = "/api/v1/product";
    let early = app.post("supervisor", register, pond_product(&app, "FISH-1").await).await;
    let early = early.expect(422);
    assert!(early["errors"][0]["detail"].as_str().unwrap().contains("没有代码 aquatic"), "{early}");
    assert_eq!(offered(&app, "product", "domain").await.len(), 8);
    app.get("supervisor", "/api/v1/product?domain=aquatic").await.expect(422);

    put_into_use(&app, fish()).await;
    for (table, field) in
        [("product", "domain"), ("trace_subject", "product_kinds"), ("source_policy", "domain")]
    {
        let codes = offered(&app, table, field).await;
        assert_eq!(codes.len(), 9, "{table}");
        assert!(codes.contains(&json!(["aquatic", "示例水产"])), "{table} {codes:?}");
    }
    // By form …
    let filed = app.post("supervisor", register, pond_product(&app, "FISH-1").await).await;
    let path =
        format!("{register}/changes/{}/approve", id_of(&filed.expect(202)["change_request"]));
    app.post("reviewer", &path, json!({})).await.expect(200);
    // … and by file, under its name.
    let template = app.get("supervisor", "/api/v1/product/template.xlsx").await;
    let header = yj_sheet::read(&template.bytes).unwrap().header;
    let body = pond_product(&app, "FISH-2").await;
    let cell = |name: &String| match name.as_str() {
        "产品代码" => "FISH-2",
        "产品名称" => "示例鲈鱼二",
        "产品领域" => "示例水产",
        "计量单位" => "KGM",
        "责任主体" => body["subject_id"].as_str().unwrap(),
        "所属区域" => body["region"].as_str().unwrap(),
        _ => "",
    };
    let cells = header.iter().map(|name| String::from(cell(name))).collect();
    let columns = header.iter().map(|name| Column { name: name.clone(), ..Column::default() });
    let (title, columns) = (String::from("产品"), columns.collect());
    let file = yj_sheet::write_xlsx(&Table { title, columns, rows: vec![cells], mark: Vec::new() });
    let job = app.import("supervisor", &format!("{register}/import"), file.unwrap()).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&json!(1), &json!(0)), "{job}");
    let waiting = app.get("reviewer", &format!("{register}/changes")).await.expect(200);
    let path = format!("{register}/changes/{}/approve", id_of(&waiting["items"][0]));
    app.post("reviewer", &path, json!({})).await.expect(200);

    // Searches, figures and files speak of it by its name.
    let list = app.get("supervisor", "/api/v1/product?domain=aquatic&count=true").await;
    assert_eq!(list.expect(200)["total"]["count"], 2);
    let figures = app.get("supervisor", "/api/v1/product/figures?by=domain").await.expect(200);
    let codes = figures["dimensions"][0]["codes"].as_array().unwrap();
    assert!(codes.contains(&json!(["aquatic", "示例水产"])), "{figures}");
    let group = figures["groups"].as_array().unwrap().iter().find(|one| one["key"][0] == "aquatic");
    assert_eq!(group.unwrap()["count"], 2);
    let subjects = "/api/v1/trace_subject/figures?by=product_kinds&product_kinds=aquatic";
    let none = app.get("supervisor", subjects).await.expect(200);
    assert_eq!(none["count"], 0);
    let queued = app.get("supervisor", "/api/v1/product/export?domain=aquatic").await.expect(202);
    app.run_jobs().await;
    let path = format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap());
    let job = app.get("supervisor", &path).await.expect(200);
    let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
    let sheet = yj_sheet::read(&app.get("supervisor", &path).await.bytes).unwrap();
    let column = sheet.header.iter().position(|name| name == "产品领域").unwrap();
    let named: Vec<_> = sheet.rows.iter().map(|row| row.cells[column].as_str()).collect();
    assert_eq!(named, ["示例水产", "示例水产"]);
    let elements = app.get("supervisor", "/api/v1/dictionary").await.expect(200);
    let element = elements.as_array().unwrap_or_else(|| elements["items"].as_array().unwrap());
    let domain = element.iter().find(|one| one["set"] == "product" && one["name"] == "domain");
    assert!(domain.unwrap()["codes"].to_string().contains("示例水产"));

    // What is registered stays so on another node and after a restart.
    app.restart().await;
    let list = app.get("supervisor", "/api/v1/product?domain=aquatic&count=true").await;
    assert_eq!(list.expect(200)["total"]["count"], 2);
}
