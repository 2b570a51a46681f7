//! G-6.2.2, G-6.3.3: registers kept with review by somebody else, versions, history and masks.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_kernel::{Kind, Sql};

use crate::harness::{Answer, TestApp};

const REGISTER: &str = "/api/v1/trace_subject";

fn farmer(number: u32) -> Value {
    json!({
        "code": yj_model::SubjectCode::issue(610_116, 7, number).unwrap(), "name": format!("示例农户{number}"), "kind": "07",
        "roles": ["10"], "region": "610116", "industry_code": "0141", "legal_rep": "示例甲",
        "contact_name": "示例联系人", "contact_phone": "13800000000",
    })
}

async fn proposed(app: &TestApp, number: u32) -> String {
    let answer = app.post("supervisor", REGISTER, farmer(number)).await.expect(202);
    assert_eq!(answer["change_request"]["state"], "submitted");
    format!("{REGISTER}/changes/{}", answer["change_request"]["id"].as_str().unwrap())
}

#[tokio::test]
async fn g_6_2_2_a_registration_counts_after_somebody_else_approved_it() {
    let app = TestApp::start().await;
    let before = app.count("SELECT COUNT(*) FROM trace_subject").await;
    let change = proposed(&app, 1).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_subject").await, before);
    assert_eq!(app.post("supervisor", &format!("{change}/approve"), json!({})).await.status, 403);
    let nothing = app
        .post("reviewer", &format!("{change}/return"), json!({ "comment": " " }))
        .await
        .expect(422);
    assert!(nothing["detail"].as_str().unwrap().contains("请写明理由"));
    app.post("reviewer", &format!("{change}/return"), json!({ "comment": "请补充地址" }))
        .await
        .expect(200);
    assert_eq!(app.post("reviewer", &format!("{change}/approve"), json!({})).await.status, 409);
    let mut better = farmer(1);
    better["address"] = json!("示例村 1 组");
    let resubmit = app
        .send("PUT", &change, Some("supervisor"), &[], Some(better.to_string().into()))
        .await
        .expect(200);
    assert_eq!(resubmit["state"], "submitted");
    let approved = app
        .post("reviewer", &format!("{change}/approve"), json!({ "comment": "属实" }))
        .await
        .expect(200);
    let record = format!("{REGISTER}/{}", approved["record"].as_str().unwrap());
    let stored = app.get("reviewer", &record).await.expect(200);
    assert_eq!(
        (&stored["version"], &stored["address"], &stored["created_by"]),
        (&1.into(), &"示例村 1 组".into(), &"reviewer".into())
    );
    let told = app.get("supervisor", &change).await.expect(200);
    let actions: Vec<_> = told["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["submitted", "returned", "resubmitted", "approved"]);
    let history = app.get("reviewer", &format!("{record}/history")).await.expect(200);
    assert_eq!(history.as_array().unwrap_or_else(|| history["items"].as_array().unwrap()).len(), 1);
}

#[tokio::test]
async fn g_6_2_2_the_database_itself_refuses_a_review_of_ones_own() {
    let app = TestApp::start().await;
    proposed(&app, 1).await;
    let sql = Sql::new("UPDATE change_request SET state = 'approved', decided_by = submitted_by");
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    assert!(tx.execute(sql).await.is_err());
}

/// The demonstration loads whatever the policies and rules have become.
#[tokio::test]
async fn the_demonstration_province_loads() {
    let app = TestApp::bare(yj_identity::Security::demonstration()).await;
    let size = yj_server::demo::Size::Province { events: 3_000 };
    let count = yj_server::demo::load(&app.assembled, size, &mut |_| {}).await.unwrap();
    assert!(count > 3_000, "{count}");
    let held = "SELECT COUNT(*) FROM trace_event WHERE state = 'held'";
    assert!(app.count(held).await < 100);
}

#[tokio::test]
async fn two_editors_of_one_record_cannot_overwrite_each_other() {
    let app = TestApp::start().await;
    let policy = json!({ "name": "示例策略", "source": "api", "region": "610000", "domain": "agri", "decision": "manual" });
    let made = app.post("supervisor", "/api/v1/source_policy", policy.clone()).await.expect(201);
    let path = format!("/api/v1/source_policy/{}", made["id"].as_str().unwrap());
    let rename = |name: &str| json!({ "name": name });
    let first = app.change("supervisor", ("PATCH", &path), 1, rename("甲")).await.expect(200);
    assert_eq!((&first["version"], &first["name"]), (&2.into(), &"甲".into()));
    assert_eq!(
        app.change("supervisor", ("PATCH", &path), 1, rename("乙")).await.expect(409)["code"],
        "stale-version"
    );
    let unsaid = app
        .send("PUT", &path, Some("supervisor"), &[], Some(policy.to_string().into()))
        .await
        .expect(422);
    assert!(unsaid["detail"].as_str().unwrap().contains("If-Match"));
    assert_eq!(app.get("supervisor", &path).await.expect(200)["name"], "甲");
    assert_eq!(app.change("supervisor", ("DELETE", &path), 2, json!({})).await.status, 204);
    assert_eq!(app.get("supervisor", &path).await.status, 404);
}

#[tokio::test]
async fn a_stale_proposal_is_refused_at_approval() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let path = format!("{REGISTER}/{}", subject["id"].as_str().unwrap());
    let mut changes = Vec::new();
    for address in ["示例甲路", "示例乙路"] {
        let answer = app
            .change("supervisor", ("PATCH", &path), 1, json!({ "address": address }))
            .await
            .expect(202);
        changes.push(format!(
            "{REGISTER}/changes/{}/approve",
            answer["change_request"]["id"].as_str().unwrap()
        ));
    }
    app.post("reviewer", &changes[0], json!({})).await.expect(200);
    assert_eq!(
        app.post("reviewer", &changes[1], json!({})).await.expect(409)["code"],
        "stale-version"
    );
    assert_eq!(app.subject("示例蔬菜加工厂").await["address"], "示例甲路");
}

#[tokio::test]
async fn g_6_2_2_wrong_registrations_name_every_mistake_at_once() {
    let app = TestApp::start().await;
    let mut wrong = farmer(1);
    wrong["code"] = json!("91350100M000100Y44");
    wrong["kind"] = json!("88");
    wrong["contact_phone"] = json!("123");
    wrong["colour"] = json!("red");
    wrong.as_object_mut().unwrap().remove("name");
    let refused = app.post("supervisor", REGISTER, wrong).await.expect(422);
    let fields: BTreeSet<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, BTreeSet::from(["code", "colour", "contact_phone", "kind", "name"]));
    let mut enterprise = farmer(1);
    enterprise["kind"] = json!("01");
    let refused = app.post("supervisor", REGISTER, enterprise).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("统一社会信用代码"));
    let mut product = json!({ "code": "A-1", "name": "示例产品", "domain": "agri", "catalogue_code": "0101", "unit": "KGM", "region": "610116" });
    product["subject_id"] = json!("0190a5f0-0000-7000-8000-000000000000");
    let refused = app.post("supervisor", "/api/v1/product", product).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("所指的记录不存在"));
    assert_eq!(app.count("SELECT COUNT(*) FROM change_request").await, 0);
}

#[tokio::test]
async fn the_same_code_cannot_be_registered_twice() {
    let app = TestApp::start().await;
    let (first, second) = (proposed(&app, 1).await, proposed(&app, 1).await);
    app.post("reviewer", &format!("{first}/approve"), json!({})).await.expect(200);
    assert_eq!(
        app.post("reviewer", &format!("{second}/approve"), json!({})).await.expect(409)["code"],
        "duplicate"
    );
}

#[tokio::test]
async fn g_10_4_personal_data_is_masked_and_a_mask_is_no_value() {
    let app = TestApp::start().await;
    let found = app.subject("示例韭菜合作社一社").await;
    let path = format!("{REGISTER}/{}", found["id"].as_str().unwrap());
    let reveal = format!("{path}/reveal");
    let reason = json!({ "reason": "核对登记" });
    let open = app.post("supervisor", &reveal, reason.clone()).await.expect(200);
    let own = app.get("farm", &path).await.expect(200);
    let masked = own["contact_phone"].as_str().unwrap();
    assert!(masked.contains('*') && masked != open["contact_phone"]);
    // Sending the mask back keeps what is behind it.
    let change = json!({ "address": "示例新址", "contact_phone": masked });
    let answer = app.change("farm", ("PATCH", &path), 1, change).await.expect(202);
    let id = answer["change_request"]["id"].as_str().unwrap();
    app.post("reviewer", &format!("{REGISTER}/changes/{id}/approve"), json!({})).await.expect(200);
    let after = app.post("supervisor", &reveal, reason).await.expect(200);
    assert_eq!(after["contact_phone"], open["contact_phone"]);
    assert_eq!(app.subject("示例韭菜合作社一社").await["address"], "示例新址");
}

#[tokio::test]
async fn g_6_2_3_lists_filter_sort_count_and_page() {
    let app = TestApp::start().await;
    let list = async |query: &str| app.get("supervisor", &format!("{REGISTER}?{query}")).await;
    for (query, count) in [
        ("kind=03", 2),
        ("region=610100", 8),
        ("region=610000", 18),
        ("name=%E5%90%88%E4%BD%9C%E7%A4%BE", 2),
        ("roles=50", 2),
        ("filed_on.from=2025-10-01&filed_on.to=2025-10-01", 18),
        ("filed_on.from=2025-10-02", 0),
        ("kind=03&region=610104", 0),
    ] {
        let found = list(&format!("{query}&per_page=100&count=true")).await.expect(200);
        assert_eq!(
            (found["items"].as_array().unwrap().len(), &found["total"]["count"]),
            (count, &count.into()),
            "{query}"
        );
    }
    for (query, word) in [
        ("colour=red", "没有这个查询条件"),
        ("kind=88", "没有代码 88"),
        ("sort=address", "不支持按 address 排序"),
        ("per_page=1000", "1 至 100"),
        ("page=1000&per_page=100", "页码过大"),
        ("after=xyz", "游标无效"),
        ("contact_phone=138", "应为 11 位手机号"),
        ("contact_name=x", "没有这个查询条件"),
    ] {
        let refused = list(query).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{query}: {refused}");
    }
    let names = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| String::from(item["name"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    for sort in ["name", "-name", "node_name", "code", "created_at"] {
        let Answer { status, body: all, .. } = list(&format!("sort={sort}&per_page=100")).await;
        if sort == "node_name" {
            assert_eq!(status, 422);
            continue;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        for _ in 0..10 {
            let tail = if after.is_empty() { String::new() } else { format!("&after={after}") };
            let page = list(&format!("sort={sort}&per_page=4{tail}")).await.expect(200);
            seen.extend(names(&page));
            let Some(next) = page["next"].as_str() else { break };
            after = String::from(next);
        }
        assert_eq!(seen, names(&all), "{sort}");
    }
}

#[tokio::test]
async fn every_register_is_one_description() {
    let app = TestApp::start().await;
    let ctx = app.assembled.app.on_own_behalf("test");
    let mut tx = ctx.begin().await.unwrap();
    let mut node = <yj_subject::Node as yj_kernel::Resource>::sample(1);
    let subject = Sql::new("SELECT id FROM trace_subject");
    node.subject_id = tx.fetch(subject).await.unwrap()[0].text(0).unwrap().parse().unwrap();
    tx.insert(&ctx, &node).await.unwrap();
    // A merchant of another market, which trades at the first as well.
    let mut second = <yj_subject::Node as yj_kernel::Resource>::sample(2);
    second.subject_id = node.subject_id;
    let mut merchant = <yj_subject::Merchant as yj_kernel::Resource>::sample(1);
    merchant.node_id = tx.insert(&ctx, &second).await.unwrap().id;
    tx.insert(&ctx, &merchant).await.unwrap();
    let mut device = <yj_construction::Device as yj_kernel::Resource>::sample(1);
    device.subject_id = node.subject_id;
    tx.insert(&ctx, &device).await.unwrap();
    tx.commit().await.unwrap();
    for entity in app.assembled.app.entities() {
        let described: Vec<_> = entity.fields.iter().map(|field| field.name).collect();
        assert_eq!(described, entity.type_fields(), "{}", entity.table);
        let columns = described.join(", ");
        let mut sql =
            Sql::new("SELECT id, version, created_at, created_by, updated_at, updated_by, ");
        sql.push(&columns).push(" FROM ").push(entity.table).push(" LIMIT 1");
        let mut tx = app.assembled.app.db().snapshot().await.unwrap();
        tx.fetch(sql).await.unwrap();
        drop(tx);
        // A sample goes through the door, with references that exist.
        let mut sample = entity.sample(7).unwrap();
        for field in entity.fields.iter().filter(|field| matches!(field.kind, Kind::Id(_))) {
            let wanted = match (entity.table, field.name) {
                ("organization", "parent_id") => {
                    "SELECT id FROM organization WHERE parent_id IS NULL"
                }
                ("client", "account_id") => "SELECT id FROM account WHERE kind = 'service'",
                ("delegation", "account_id") => {
                    "SELECT id FROM account WHERE user_name = 'secadmin'"
                }
                (_, "account_id") => "SELECT id FROM account WHERE user_name = 'reviewer'",
                (_, "device_id") => "SELECT id FROM device",
                (_, "node_id") if !sample[field.name].is_null() => {
                    "SELECT id FROM node ORDER BY id"
                }
                ("subject_merger", "into_id") => "SELECT id FROM trace_subject ORDER BY id DESC",
                ("subject_merger", "from_id") => "SELECT id FROM trace_subject ORDER BY id",
                (_, "product_id") if !sample[field.name].is_null() => "SELECT id FROM product",
                (_, "role_id") => "SELECT id FROM role WHERE code = 'reviewer'",
                (_, "organization_id") if !sample[field.name].is_null() => {
                    "SELECT id FROM organization WHERE parent_id IS NULL"
                }
                (_, "subject_id") if !sample[field.name].is_null() => {
                    "SELECT id FROM trace_subject"
                }
                _ => continue,
            };
            let mut tx = app.assembled.app.db().snapshot().await.unwrap();
            sample[field.name] =
                tx.fetch(Sql::new(wanted)).await.unwrap()[0].text(0).unwrap().into();
        }
        if entity.table == "site" {
            sample["subject_code"] = app.subject("示例蔬菜加工厂").await["code"].clone();
        }
        if entity.table == "evidence_key" {
            let code = app.subject("示例蔬菜加工厂").await["code"].clone();
            sample = crate::signing::filing(code.as_str().unwrap(), "k1", 1)
                .as_object()
                .unwrap()
                .clone();
        }
        if entity.table == "merchant_place" {
            sample["merchant_code"] = json!(merchant.code);
        }
        if entity.table == "device_binding" {
            sample["code"] = json!("F1-A");
        }
        let path = format!("/api/v1/{}", entity.table);
        let (user, expected) = match entity.table {
            "organization" | "account" | "client" | "application" | "resolver_upstream"
            | "ledger_witness" => ("sysadmin", 201),
            "role" | "assignment" => ("secadmin", 201),
            // Nobody can delegate to themselves, and there is one security administrator here.
            "delegation" => ("secadmin", 403),
            // Nobody registers a key in another's name.
            "evidence_key" => ("enterprise", 202),
            // Orders are made over codes, not written.
            "trace_order" => ("supervisor", 405),
            _ => ("supervisor", if entity.reviewed { 202 } else { 201 }),
        };
        app.post(user, &path, Value::Object(sample)).await.expect(expected);
        let labels: BTreeSet<_> = entity.fields.iter().map(|field| field.label).collect();
        assert_eq!(labels.len(), entity.fields.len(), "{}: labels must differ", entity.table);
    }
}
