//! G-6.3.2, D-7.2.1: the catalogue of product classes: a national part that nobody edits, local
//! classes below it, versions with a day from which they hold, and a scope with dates.

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_identity::{Assignment, NewPerson};
use yj_kernel::Resource as _;

use crate::{harness::TestApp, houses::PASSWORD};

const ALL: &str = "/api/v1/catalogue";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}"))
}

fn at(value: &Value) -> String {
    format!("{ALL}/{}", id(value))
}

fn local(code: &str, region: &str) -> Value {
    json!({ "code": code, "name": "示例地方品种", "region": region })
}

/// The class of a code in somebody's tree.
async fn class(app: &TestApp, user: &str, code: &str) -> Option<Value> {
    let tree = app.get(user, ALL).await.expect(200);
    tree["items"].as_array().unwrap().iter().find(|item| item["code"] == code).cloned()
}

async fn publish(app: &TestApp, day: &str) -> Value {
    let body = json!({ "effective_on": day, "note": "示例版本" });
    app.post("reviewer", &format!("{ALL}/publish"), body).await.expect(200)
}

/// Somebody of the operator with a role over one region.
async fn official(app: &mut TestApp, user: &str, (role, region): (&str, &str)) {
    let ctx = app.assembled.app.on_own_behalf("test");
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let roles = app.get("secadmin", &format!("/api/v1/role?code={role}")).await.expect(200);
    let mut tx = ctx.begin().await.unwrap();
    let new = NewPerson {
        user_name: user,
        name: "示例人员",
        organization: id(&top["items"][0]).parse().unwrap(),
        administrator: None,
        clearance: 4,
        service: false,
    };
    let account_id = yj_identity::person(&ctx, &mut tx, new).await.unwrap();
    let assignment = Assignment {
        account_id,
        role_id: id(&roles["items"][0]).parse().unwrap(),
        region: region.parse().ok(),
        organization_id: None,
        clearance: 4,
        ..Assignment::sample(1)
    };
    tx.insert(&ctx, &assignment).await.unwrap();
    let known = (account_id, PASSWORD);
    app.assembled.identity.open_demonstration_account(&ctx, &mut tx, known).await.unwrap();
    tx.commit().await.unwrap();
    app.log_in(user, PASSWORD).await;
}

#[tokio::test]
async fn g_6_3_2_the_national_catalogue_is_there_once_and_nobody_edits_it() {
    let mut app = TestApp::start().await;
    let count = "SELECT COUNT(*) FROM catalogue";
    let before = app.count(count).await;
    app.restart().await;
    assert_eq!(app.count(count).await, before, "seeding twice adds nothing");
    assert_eq!(app.count("SELECT COUNT(*) FROM catalogue_version").await, 1);
    let tree = app.get("farm", ALL).await.expect(200);
    let items = tree["items"].as_array().unwrap();
    let of_level = |level: u64| items.iter().filter(|item| item["level"] == level).count();
    assert_eq!(of_level(1), 8);
    assert!(of_level(2) > 40 && of_level(3) > 200, "{} {}", of_level(2), of_level(3));
    assert_eq!((&tree["in_force"]["number"], &items[0]["name"]), (&1.into(), &"食用农产品".into()));
    assert!(items.iter().all(|item| item["national"] == true && item["in_scope"] == true));
    // Its products are counted as far as the reader sees them.
    let leeks = class(&app, "farm", "0101").await.unwrap();
    assert_eq!(leeks["products"], 0, "the leek belongs to the plant");
    assert_eq!(class(&app, "supervisor", "0101").await.unwrap()["products"], 1);
    assert_eq!(class(&app, "supervisor", "08").await.unwrap()["products"], 5);
    let leek = class(&app, "supervisor", "010106").await.unwrap();
    let change = json!({ "name": "改名" });
    let refused = app.change("supervisor", ("PUT", &at(&leek)), 1, change).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("只读"), "{refused}");
    let refused = app.change("supervisor", ("DELETE", &at(&leek)), 1, json!({})).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("只读"), "{refused}");
    let another = json!({ "code": "010150", "name": "示例国家类" });
    let refused = app.post("supervisor", ALL, another).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("国家分类随产品发布"), "{refused}");
}

#[tokio::test]
async fn g_6_3_2_illegal_codes_and_parents_are_refused_with_what_would_be_right() {
    let app = TestApp::start().await;
    for (code, word) in [
        ("0101061", "应为 2、4、6、8 或 10 位"),
        ("010106010101", "应为 2、4、6、8 或 10 位"),
        ("01010A01", "全为数字"),
        ("09", "01 至 08"),
        ("01010600", "01 至 99"),
        ("01018801", "没有上级分类 010188"),
        ("0101060101", "没有上级分类 01010601"),
        ("02", "产品领域由国家规定"),
        ("0122", "末两位应为 50—99"),
        ("010122", "末两位应为 50—99"),
    ] {
        let refused = app.post("supervisor", ALL, local(code, "610000")).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{code}: {refused}");
    }
    for (field, text, word) in [
        ("hs6", "070", "6 位"),
        ("gpc_brick", "1234", "8 位"),
        ("gbt7635_1", "012345", "5 位或 8 位"),
        ("in_scope_from", "2026-11-18", "不能早于今天"),
        ("region", "620000", "数据权限范围"),
    ] {
        let mut class = local("01010601", "610000");
        class[field] = json!(text);
        let refused = app.post("supervisor", ALL, class).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{field}: {refused}");
    }
    let made = app.post("supervisor", ALL, local("01010601", "610000")).await.expect(201);
    assert_eq!(
        (&made["level"], &made["parent_code"], &made["draft"], &made["edition"]),
        (&4.into(), &"010106".into(), &true.into(), &Value::Null)
    );
    app.post("supervisor", ALL, local("0101060101", "610116")).await.expect(201);
    let twice = app.post("supervisor", ALL, local("01010601", "610000")).await.expect(409);
    assert_eq!(twice["code"], "duplicate");
    assert_eq!(app.post("farm", ALL, local("01010602", "610525")).await.status, 403);
    assert_eq!(app.post("gateway", ALL, local("01010602", "610000")).await.status, 403);
}

#[tokio::test]
async fn g_6_3_2_a_local_class_is_its_regions_to_change_and_to_see() {
    let mut app = TestApp::start().await;
    official(&mut app, "xian", ("supervisor", "610100")).await;
    official(&mut app, "baoji", ("supervisor", "610300")).await;
    let made = app.post("xian", ALL, local("01010601", "610100")).await.expect(201);
    // Inside the region, and above it; 示例蔬菜加工厂 lies in 610116, 示例韭菜合作社一社 does not.
    for (user, seen) in [("xian", true), ("supervisor", true), ("enterprise", true)] {
        assert_eq!(class(&app, user, "01010601").await.is_some(), seen, "{user}");
        app.get(user, &at(&made)).await.expect(200);
    }
    for user in ["baoji", "farm"] {
        assert!(class(&app, user, "01010601").await.is_none(), "{user}");
        assert_eq!(app.get(user, &at(&made)).await.status, 404, "{user}");
    }
    let renamed = json!({ "name": "示例宽叶韭菜", "hs6": "070390" });
    let put = ("PUT", at(&made));
    let put = (put.0, put.1.as_str());
    assert_eq!(app.change("baoji", put, 1, renamed.clone()).await.status, 404);
    let after = app.change("xian", put, 1, renamed.clone()).await.expect(200);
    assert_eq!((&after["name"], &after["version"]), (&"示例宽叶韭菜".into(), &2.into()));
    assert_eq!(app.change("xian", put, 1, renamed).await.expect(409)["code"], "stale-version");
    // Elsewhere its code is no parent, and no word of it is said.
    let refused = app.post("baoji", ALL, local("0101060150", "610302")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("没有上级分类"), "{refused}");
    // What the province has hung up, a city sees and does not touch.
    let above = app.post("supervisor", ALL, local("01010602", "610000")).await.expect(201);
    let touched = json!({ "name": "示例改名" });
    let refused = app.change("xian", ("PUT", &at(&above)), 1, touched).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("上级或其他区域"), "{refused}");
    app.post("xian", ALL, local("0101060201", "610100")).await.expect(201);
    let trail = "/api/v1/audit?entity=catalogue&action=updated";
    let trail = app.get("auditor", trail).await.expect(200);
    assert_eq!(trail["items"][0]["changes"]["name"][1], "示例宽叶韭菜");
}

#[tokio::test]
async fn g_6_3_2_a_version_is_published_with_its_day_and_products_keep_theirs() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let product = |code: &str, class: &str| {
        json!({
            "code": code, "name": "示例产品", "domain": "agri", "catalogue_code": class,
            "unit": "KGM", "subject_id": subject["id"], "region": "610116",
        })
    };
    let nothing = json!({ "effective_on": "2026-11-19", "note": "示例版本" });
    let refused = app.post("reviewer", &format!("{ALL}/publish"), nothing.clone()).await;
    assert!(refused.expect(409)["detail"].as_str().unwrap().contains("没有待发布"));
    let made = app.post("supervisor", ALL, local("01010601", "610000")).await.expect(201);
    // A draft is nobody's class yet.
    let refused = app.post("supervisor", "/api/v1/product", product("N-1", "01010601")).await;
    assert!(refused.expect(422)["detail"].as_str().unwrap().contains("没有已发布的分类"));
    assert_eq!(app.post("supervisor", &format!("{ALL}/publish"), nothing).await.status, 403);
    for (day, word) in
        [("2026-11-18", "不能早于今天"), ("2028-11-18", "不能晚于"), ("明天", "应为日期")]
    {
        let body = json!({ "effective_on": day, "note": "示例版本" });
        let refused = app.post("reviewer", &format!("{ALL}/publish"), body).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{day}: {refused}");
    }
    let version = publish(&app, "2026-12-01").await;
    assert_eq!((&version["number"], &version["classes"]), (&2.into(), &1.into()));
    assert_eq!(
        app.count("SELECT COUNT(*) FROM outbox WHERE topic = 'catalogue.published'").await,
        2
    );
    let class_now = class(&app, "supervisor", "01010601").await.unwrap();
    assert_eq!((&class_now["draft"], &class_now["in_scope"]), (&false.into(), &false.into()));
    // Not before its day.
    let early = app.post("supervisor", "/api/v1/product", product("N-1", "01010601")).await;
    assert!(early.expect(422)["detail"].as_str().unwrap().contains("目录第 1 版"));
    let next = app.post("supervisor", ALL, local("01010602", "610000")).await.expect(201);
    let before = json!({ "effective_on": "2026-11-20", "note": "示例版本" });
    let refused = app.post("reviewer", &format!("{ALL}/publish"), before).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("上一版"), "{refused}");
    app.change("supervisor", ("DELETE", &at(&next)), 1, json!({})).await;
    let mut app = app;
    app.pass(SignedDuration::from_hours(13 * 24));
    for user in ["supervisor", "reviewer"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
    let filed = app.post("supervisor", "/api/v1/product", product("N-1", "01010601")).await;
    let change = String::from(id(&filed.expect(202)["change_request"]));
    let approve = format!("/api/v1/product/changes/{change}/approve");
    let record = app.post("reviewer", &approve, json!({})).await.expect(200)["record"].clone();
    let one = format!("/api/v1/product/{}", record.as_str().unwrap());
    let stored = app.get("supervisor", &one).await.expect(200);
    assert_eq!(
        (&stored["catalogue_version"], &stored["category"]),
        (&2.into(), &"示例地方品种".into())
    );
    // The class is worded anew and taken out; what was registered stays as it was registered.
    let renamed = json!({ "name": "示例新名" });
    app.change("supervisor", ("PUT", &at(&made)), 2, renamed).await.expect(200);
    let out = json!({ "from": "2026-12-10", "reason": "不再追溯" });
    let exclude = format!("{}/exclude", at(&made));
    app.change("supervisor", ("POST", &exclude), 3, out).await.expect(200);
    assert_eq!(publish(&app, "2026-12-10").await["number"], 3);
    app.pass(SignedDuration::from_hours(9 * 24));
    for user in ["supervisor", "reviewer"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
    let refused = app.post("supervisor", "/api/v1/product", product("N-2", "01010601")).await;
    let refused = refused.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("自 2026-12-10 起移出"), "{refused}");
    let filed = app.change("supervisor", ("PATCH", &one), 1, json!({ "brand": "示例牌" })).await;
    let change = String::from(id(&filed.expect(202)["change_request"]));
    let approve = format!("/api/v1/product/changes/{change}/approve");
    app.post("reviewer", &approve, json!({})).await.expect(200);
    let stored = app.get("supervisor", &one).await.expect(200);
    assert_eq!(
        (&stored["catalogue_version"], &stored["catalogue_code"], &stored["brand"]),
        (&2.into(), &"01010601".into(), &"示例牌".into())
    );
    // Every version still reads as it was published.
    for (number, name) in [(2, "示例地方品种"), (3, "示例新名")] {
        let tree = app.get("supervisor", &format!("{ALL}?version={number}")).await.expect(200);
        let items = tree["items"].as_array().unwrap();
        let class = items.iter().find(|item| item["code"] == "01010601").unwrap();
        assert_eq!(class["name"], name, "version {number}");
    }
    let first = app.get("supervisor", &format!("{ALL}?version=1")).await.expect(200);
    assert!(!first.to_string().contains("01010601"));
    assert_eq!(app.get("supervisor", &format!("{ALL}?version=9")).await.status, 404);
    app.get("supervisor", &format!("{ALL}?edition=1")).await.expect(422);
    let editions = app.get("supervisor", &at(&made)).await.expect(200)["editions"].clone();
    assert_eq!(editions.as_array().unwrap().len(), 2);
    let versions = app.get("supervisor", &format!("{ALL}/versions")).await.expect(200);
    assert_eq!(versions["items"][0]["effective_on"], "2026-12-10");
}

#[tokio::test]
async fn d_7_2_1_a_class_that_is_used_is_taken_out_of_scope_with_a_day_not_removed() {
    let app = TestApp::start().await;
    let parent = app.post("supervisor", ALL, local("01010601", "610000")).await.expect(201);
    let child = app.post("supervisor", ALL, local("0101060101", "610000")).await.expect(201);
    let gone = async |of: &Value, version: i64| {
        app.change("supervisor", ("DELETE", &at(of)), version, json!({})).await
    };
    let refused = gone(&parent, 1).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("有下级分类"), "{refused}");
    let switch = async |user: &str, of: &Value, version: i64, (verb, day): (&str, &str)| {
        let body = json!({ "from": day, "reason": "调整追溯范围" });
        let path = format!("{}/{verb}", at(of));
        app.change(user, ("POST", &path), version, body).await
    };
    let refused = switch("supervisor", &parent, 1, ("exclude", "2026-11-20")).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("尚未发布"), "{refused}");
    publish(&app, "2026-11-19").await;
    let refused = gone(&child, 2).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("移出范围"), "{refused}");
    for (day, word) in [("2026-11-18", "不能早于今天"), ("x", "应为日期")] {
        let refused = switch("supervisor", &parent, 2, ("exclude", day)).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
    assert_eq!(switch("supervisor", &parent, 1, ("exclude", "2026-11-19")).await.status, 409);
    assert_eq!(switch("enterprise", &parent, 2, ("exclude", "2026-11-19")).await.status, 403);
    let out = switch("supervisor", &parent, 2, ("exclude", "2026-11-19")).await.expect(200);
    assert_eq!((&out["out_of_scope_from"], &out["draft"]), (&"2026-11-19".into(), &true.into()));
    let open =
        async |code: &str| class(&app, "supervisor", code).await.unwrap()["in_scope"].clone();
    assert_eq!(open("01010601").await, true, "until the version is published");
    publish(&app, "2026-11-19").await;
    // What is below goes with it.
    assert_eq!((open("01010601").await, open("0101060101").await), (false.into(), false.into()));
    assert_eq!(open("010106").await, true);
    let refused = switch("supervisor", &child, 2, ("include", "2026-11-19")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("没有移出范围"), "{refused}");
    switch("supervisor", &parent, 4, ("include", "2026-11-19")).await.expect(200);
    publish(&app, "2026-11-19").await;
    assert_eq!((open("01010601").await, open("0101060101").await), (true.into(), true.into()));
    // A draft that nobody uses goes without a trace in any version, but with one in the audit.
    let draft = app.post("supervisor", ALL, local("01010602", "610000")).await.expect(201);
    assert_eq!(gone(&draft, 1).await.status, 204);
    let trail = "/api/v1/audit?entity=catalogue&action=excluded";
    let trail = app.get("auditor", trail).await.expect(200);
    assert_eq!(trail["items"][0]["changes"]["reason"], "调整追溯范围");
}

#[tokio::test]
async fn d_7_2_1_whether_a_national_class_counts_is_decided_by_who_publishes() {
    let app = TestApp::start().await;
    let cable = class(&app, "supervisor", "080503").await.unwrap();
    let body = json!({ "from": "2026-11-19", "reason": "本省没有生产" });
    let path = format!("{}/exclude", at(&cable));
    let refused = app.change("supervisor", ("POST", &path), 1, body.clone()).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("catalogue:publish"), "{refused}");
    let out = app.change("reviewer", ("POST", &path), 1, body).await.expect(200);
    assert_eq!(out["out_of_scope_from"], "2026-11-19");
    publish(&app, "2026-11-19").await;
    assert_eq!(class(&app, "farm", "080503").await.unwrap()["in_scope"], false);
    assert_eq!(class(&app, "farm", "080502").await.unwrap()["in_scope"], true);
}

#[tokio::test]
async fn g_6_3_2_the_catalogue_goes_out_with_what_classes_are_called_elsewhere() {
    let app = TestApp::start().await;
    let tree = app.get("farm", ALL).await.expect(200);
    let items = tree["items"].as_array().unwrap();
    for format in ["csv", "xlsx"] {
        let file = app.get("farm", &format!("{ALL}/export?format={format}")).await;
        assert_eq!(file.status, 200);
        let sheet = yj_sheet::read(&file.bytes).unwrap();
        assert_eq!(sheet.rows.len(), items.len(), "{format}");
        let leek = sheet.rows.iter().find(|row| row.cells[1] == "韭菜").unwrap();
        assert_eq!((&*leek.cells[3], &*leek.cells[5], &*leek.cells[7]), ("010106", "01", "0703"));
    }
    app.get("farm", &format!("{ALL}/export?format=doc")).await.expect(422);
    app.get("farm", &format!("{ALL}/export?version=9")).await.expect(404);
    assert_eq!(app.get("farm", &format!("{ALL}/export?version=1")).await.status, 200);
    let entries =
        "SELECT COUNT(*) FROM audit_log WHERE action = 'exported' AND entity = 'catalogue'";
    assert_eq!(app.count(entries).await, 3);
    // 品种 are national from 50 on; below, they are the localities'.
    let varieties = items.iter().filter(|item| item["level"] == 4);
    assert!(varieties.clone().count() > 100);
    assert!(varieties.clone().all(|item| item["code"].as_str().unwrap()[6..] >= *"50"));
    let refused = app.post("supervisor", ALL, local("01010690", "610000")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("01—49"), "{refused}");
    // What is not known for sure is left open; what is said, is of the right length.
    let said = |name: &str| items.iter().filter(|item| item[name].is_string()).count();
    assert!(said("gbt7635_1") > 150 && said("hs6") > 250, "{} {}", said("gbt7635_1"), said("hs6"));
}
