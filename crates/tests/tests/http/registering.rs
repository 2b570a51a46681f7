//! G-6.2.2, G-6.2.3: what a registration says of itself: its day, its node, its kind.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    harness::{TestApp, encoded},
    houses::id_of,
    subjects::{REGISTER, approved, detail, farmer, registered},
};

async fn log_in(app: &mut TestApp) {
    for user in ["supervisor", "reviewer"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
}

async fn found(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get("supervisor", &format!("{REGISTER}?{query}")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn g_6_2_3_a_subject_is_filed_on_the_day_of_its_approval() {
    let mut app = TestApp::start().await;
    let filed = app.post("supervisor", REGISTER, farmer("示例农户甲")).await.expect(202);
    // One in the morning in Beijing is still yesterday elsewhere.
    app.pass(SignedDuration::from_hours(13));
    log_in(&mut app).await;
    let id = approved(&app, "trace_subject", &filed).await;
    let path = format!("{REGISTER}/{id}");
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!(stored["filed_on"], "2026-11-20", "{stored}");
    let day = found(&app, "filed_on.from=2026-11-20&filed_on.to=2026-11-20").await;
    assert_eq!((day.len(), &day[0]["id"]), (1, &json!(id)));
    // It does not lose it, and may be put right.
    let mut body = farmer("示例农户甲");
    body["address"] = json!("示例村");
    body["code"] = stored["code"].clone();
    let change = app.change("supervisor", ("PUT", &path), 1, body).await.expect(202);
    approved(&app, "trace_subject", &change).await;
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!((&stored["filed_on"], &stored["address"]), (&json!("2026-11-20"), &json!("示例村")));
    for (day, word) in [
        ("1800-01-01", "不能早于 1949-10-01"),
        ("2099-01-01", "不能晚于今天（2026-11-20）"),
        ("2026-11-21", "不能晚于今天"),
        ("2026-13-01", "应为日期"),
    ] {
        let change = json!({ "filed_on": day });
        let refused = app.change("supervisor", ("PATCH", &path), 2, change).await.expect(422);
        assert!(detail(&refused).contains(word), "{day}: {refused}");
        let mut body = farmer("示例农户乙");
        body["filed_on"] = json!(day);
        let refused = app.post("supervisor", REGISTER, body).await.expect(422);
        assert!(detail(&refused).contains(word), "{day}: {refused}");
    }
    let mut body = farmer("示例农户丙");
    body["filed_on"] = json!("2020-05-01");
    assert_eq!(registered(&app, body).await["filed_on"], "2020-05-01");
}

async fn market(app: &TestApp, subject: &Value) -> String {
    let body = json!({
        "code": "610116001", "name": "示例长安市场", "kind": "market", "subject_id": subject["id"],
        "region": "610116", "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/node", body).await.expect(202);
    approved(app, "node", &filed).await
}

#[tokio::test]
async fn g_6_2_3_a_node_and_a_merchant_have_their_day_too() {
    let app = TestApp::start().await;
    let node = market(&app, &app.subject("示例蔬菜加工厂").await).await;
    let stored = app.get("supervisor", &format!("/api/v1/node/{node}")).await.expect(200);
    assert_eq!(stored["filed_on"], "2026-11-19");
    let merchant = json!({
        "code": "6101160010001", "name": "示例商户", "kind": "individual", "node_id": node,
        "goods": ["0102"], "contact_name": "示例甲", "contact_phone": "13800000001", "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/merchant", merchant).await.expect(202);
    let id = approved(&app, "merchant", &filed).await;
    let query = "/api/v1/merchant?registered_on.from=2026-11-19";
    let list = app.get("supervisor", query).await.expect(200);
    assert_eq!(list["items"][0]["id"], json!(id));
}

#[tokio::test]
async fn g_6_2_3_a_subject_is_at_a_registered_node_and_found_by_what_it_is_called() {
    let app = TestApp::start().await;
    let node = market(&app, &app.subject("示例蔬菜加工厂").await).await;
    let at = |name: &str, code: &str| {
        let mut body = farmer(name);
        body["node_code"] = json!(code);
        // What the node is called is the register's to say.
        body["node_name"] = json!("随便写的名字");
        body
    };
    let refused = app.post("supervisor", REGISTER, at("示例农户甲", "000000000")).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "node_code");
    assert!(detail(&refused).contains("没有编码为 000000000 的节点"), "{refused}");
    let push = format!("{REGISTER}/receive");
    let refused = app.post("gateway", &push, at("示例农户甲", "000000000")).await.expect(422);
    assert!(detail(&refused).contains("没有编码为"), "{refused}");
    let file = "主体名称,主体类型,环节角色,所属区域,节点编码,联系人,联系电话\n\
                示例农户甲,家庭农场或农户,种植,610116,000000000,示例联系人,13800000001\n";
    let job = app.import("supervisor", &format!("{REGISTER}/import"), file.into()).await;
    assert_eq!(job["failed"], 1, "{job}");
    let subject = registered(&app, at("示例农户甲", "610116001")).await;
    assert_eq!(subject["node_name"], "示例长安市场");
    let by = async |part: &str| found(&app, &format!("node_name={}", encoded(part))).await.len();
    assert_eq!((by("长安市场").await, by("changan").await), (1, 1));
    // Renamed, and its code put right.
    let path = format!("/api/v1/node/{node}");
    let change = json!({ "name": "示例重庆路市场", "code": "610116002" });
    let filed = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
    approved(&app, "node", &filed).await;
    assert_eq!((by("长安市场").await, by("changan").await), (0, 0));
    assert_eq!((by("重庆路").await, by("chongqinglu").await), (1, 1));
    assert_eq!(found(&app, "node_code=610116002").await.len(), 1);
    let one = format!("{REGISTER}/{}", id_of(&subject));
    let history = app.get("supervisor", &format!("{one}/history")).await.expect(200);
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(last["changes"]["node_name"], json!(["示例长安市场", "示例重庆路市场"]));
    let now = app.get("supervisor", &one).await.expect(200);
    assert_eq!((&now["version"], &now["node_code"]), (&json!(2), &json!("610116002")));
    // A node that subjects are at is not removed.
    let removed = app.change("supervisor", ("DELETE", &path), 2, json!({})).await;
    assert!(removed.status == 409 || removed.status == 405 || removed.status == 404, "{removed:?}");
}

#[tokio::test]
async fn g_6_2_2_1_a_code_fits_the_kind_and_a_name_is_one_line() {
    let app = TestApp::start().await;
    for (code, kind, word) in [
        ("91610116MAYJ000144", "07", "属于企业"),
        ("91610116MAYJ000144", "02", "属于企业"),
        ("92610802MAYJ00030H", "01", "属于个体工商户"),
        ("93610525MAYJ000496", "01", "属于农民专业合作社"),
        ("12610100MAYJ00057G", "01", "以 91 开头"),
    ] {
        let mut body = farmer("示例主体");
        (body["code"], body["kind"]) = (json!(code), json!(kind));
        let refused = app.post("supervisor", REGISTER, body).await.expect(422);
        assert!(detail(&refused).contains(word), "{code} {kind}: {refused}");
    }
    for name in ["示例\n农户", "示例\t农户", "示例\u{7}农户"] {
        let refused = app.post("supervisor", REGISTER, farmer(name)).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "name", "{refused}");
    }
    // [1, "x"], a number where there are texts.
    let refused = app.get("supervisor", &format!("{REGISTER}?sort=name&after=WzEsIngiXQ")).await;
    assert!(detail(&refused.expect(422)).contains("游标无效"));
    let regions = app.get("supervisor", "/api/v1/regions?parent=61").await.expect(200);
    let whole = app.get("supervisor", "/api/v1/regions?parent=610000").await.expect(200);
    assert_eq!((regions.as_array().unwrap().len(), &regions), (10, &whole));
}
