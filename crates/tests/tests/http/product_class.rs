//! Handbook §2.9 (2): a barcode names a product, not one of its lots.

use serde_json::{Value, json};

use crate::{
    harness::{Answer, TestApp, harvest},
    identifiers::single_codes,
};

const HTML: [(&str, &str); 1] = [("accept", "text/html")];
const JSON: [(&str, &str); 1] = [("accept", "application/json")];

async fn ask(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send("GET", path, None, headers, None).await
}

async fn page(app: &TestApp, path: &str) -> String {
    String::from_utf8(ask(app, path, &HTML).await.bytes).unwrap()
}

/// 批次号 of the lots that a document warns of.
fn warned(told: &Value) -> Vec<&str> {
    let lots = told["warned_lots"].as_array().unwrap().iter();
    let mut lots: Vec<&str> = lots.filter_map(|lot| lot["lot"].as_str()).collect();
    lots.sort_unstable();
    lots
}

#[tokio::test]
async fn d_6_4_3_2_a_barcode_tells_of_the_product_and_of_no_unit() {
    let app = TestApp::start().await;
    for door in [
        "/01/06901234567892",
        "/resolve?id=6901234567892",
        "/id/06901234567892",
        "/t/6901234567892",
    ] {
        let told = ask(&app, door, &JSON).await.expect(200);
        assert_eq!(
            (&told["state"], &told["lot"], &told["scans"], &told["product"]["name"]),
            (&json!("class"), &Value::Null, &json!(0), &json!("示例韭菜")),
            "{door}: {told}"
        );
        assert_eq!(told["steps"], json!([]), "{door}");
        assert!(told["maker"]["name"].as_str().is_some_and(|name| !name.is_empty()), "{told}");
    }
    let counted =
        "SELECT COUNT(*) FROM trace_object WHERE scans > 0 OR first_scanned_at IS NOT NULL";
    assert_eq!(app.count(counted).await, 0, "whose scan it was nobody knows");
    // Each lot is warned of as its own page warns of it.
    let told = ask(&app, "/01/06901234567892", &JSON).await.expect(200);
    assert!(warned(&told).contains(&"F1-A") && warned(&told).contains(&"P1-X"), "{told}");
    for lot in ["F1-A", "F2-A", "P1-X", "P1-Y", "R1-sold", "R3-sold"] {
        let own = ask(&app, &format!("/t/{lot}"), &JSON).await.expect(200);
        let own_lot = own["lot"].as_str().unwrap_or(lot);
        assert_eq!(own["state"] != "found", warned(&told).contains(&own_lot), "{lot}: {own}");
    }
    let html = page(&app, "/t/06901234567892").await;
    for word in ["示例韭菜", "P1-X", "检测不合格", "name=\"lot\"", "请核对包装上的批次号"]
    {
        assert!(html.contains(word), "{word}: {html}");
    }
    assert!(!html.contains("已查到追溯信息") && !html.contains("次查询，首次"), "{html}");
}

#[tokio::test]
async fn d_6_4_3_2_the_page_of_a_product_leads_to_the_lot_in_hand() {
    let app = TestApp::start().await;
    let page_of = "/t/06901234567892?lot=";
    let there = ask(&app, &format!("{page_of}P1-Y"), &HTML).await;
    assert_eq!(there.status, 307, "{}", there.body);
    let missing = ask(&app, &format!("{page_of}NONE-1%3Cb%3E"), &HTML).await;
    assert_eq!(missing.status, 404);
    let html = String::from_utf8(missing.bytes).unwrap();
    assert!(html.contains("未查到批次") && html.contains("NONE-1&#60;b&#62;"), "{html}");
    let wrong = ask(&app, &format!("{page_of}{}", "9".repeat(51)), &HTML).await;
    assert_eq!(wrong.status, 422);
    let html = String::from_utf8(wrong.bytes).unwrap();
    assert!(html.contains("1 至 50 个字"), "{html}");
}

#[tokio::test]
async fn d_6_4_3_2_the_page_of_a_product_warns_of_lots_under_orders() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let mut event = harvest(&farm, "STOPPED-1");
    event["outputs"][0]["lot"] = json!("L-STOP-1");
    crate::capturing::captured(&app, event).await;
    let order = json!({
        "act": "stop", "downstream": true, "reason": "示例停止交易",
        "document_no": "示监〔2026〕9号", "authority": "示例市场监督管理局",
    });
    let made = app.post("supervisor", "/api/v1/trace/objects/STOPPED-1/orders", order).await;
    assert!(made.status < 300, "{}", made.body);
    let told = ask(&app, "/01/06901234567892", &JSON).await.expect(200);
    let lot = told["warned_lots"].as_array().unwrap().iter().find(|lot| lot["lot"] == "L-STOP-1");
    assert_eq!(lot.unwrap()["state"], "warning", "{told}");
    assert!(page(&app, "/01/06901234567892").await.is_empty(), "a browser is sent to the page");
    assert!(page(&app, "/t/06901234567892").await.contains("停止销售"));
}

#[tokio::test]
async fn d_6_4_3_2_a_single_code_without_a_lot_tells_no_other_lots_story() {
    let app = TestApp::start().await;
    let (path, code) = single_codes(&app, "NOLOT", 5).await;
    let code = code.as_str();
    app.post("supervisor", &format!("{path}/activate"), json!({ "from": 1 })).await.expect(200);
    let told = ask(&app, &format!("/t/{code}"), &JSON).await.expect(200);
    assert_eq!((&told["unit"], &told["steps"]), (&Value::Null, &json!([])), "{told}");
    assert_eq!((&told["state"], &told["scans"]), (&json!("found"), &json!(1)));
}

#[tokio::test]
async fn g_5_4_4_the_demonstration_shows_prefixes_links_and_resolvers_further_up() {
    let app = TestApp::start().await;
    yj_server::demo::load_codes(&app.assembled).await.unwrap();
    for (table, count) in [("code_rule", 4), ("resolver_link", 3), ("resolver_upstream", 2)] {
        let user = if table == "resolver_upstream" { "sysadmin" } else { "supervisor" };
        let listed = app.get(user, &format!("/api/v1/{table}")).await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), count, "{table}: {listed}");
    }
    let set = ask(&app, "/01/06901234567892?linkType=linkset", &HTML).await.expect(200);
    let pip = &set["linkset"][0]["https://gs1.org/voc/pip"][0]["href"];
    assert_eq!(pip, "https://www.example.cn/chives");
    // Nobody outside is asked for what is unknown here.
    assert_eq!(ask(&app, "/resolve?id=88.100.2/A1", &HTML).await.status, 404);
}
