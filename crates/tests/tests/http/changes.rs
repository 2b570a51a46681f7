//! 变更权限、并发变更与历史 (G-6.2.2-2, G-6.2.2-3, G-6.3.3, D-7.2.2).

use serde_json::{Value, json};

use crate::harness::TestApp;

const REGISTER: &str = "/api/v1/trace_subject";

async fn rule(app: &TestApp, field: &str, version: i64, body: Value) -> crate::harness::Answer {
    let path = format!("/api/v1/change-rules/trace_subject/{field}");
    app.change("secadmin", ("PUT", &path), version, body).await
}

fn one(subject: &Value) -> String {
    format!("{REGISTER}/{}", subject["id"].as_str().unwrap())
}

async fn amend(app: &TestApp, actor: &str, subject: &Value, body: Value) -> crate::harness::Answer {
    let version = subject["version"].as_i64().unwrap();
    app.change(actor, ("PATCH", &one(subject)), version, body).await
}

/// Gives the reviewer the right for one region only.
async fn limit(app: &TestApp, region: &str) {
    let found = app.get("sysadmin", "/api/v1/account?user_name=reviewer").await.expect(200);
    let account = found["items"][0]["id"].clone();
    let all = app.get("secadmin", "/api/v1/assignment?per_page=100").await.expect(200);
    let own = all["items"].as_array().unwrap().iter().find(|one| one["account_id"] == account);
    let own = own.unwrap();
    let path = format!("/api/v1/assignment/{}", own["id"].as_str().unwrap());
    let version = own["version"].as_i64().unwrap();
    app.change("secadmin", ("PATCH", &path), version, json!({ "region": region }))
        .await
        .expect(200);
}

fn text(moment: jiff::Timestamp) -> String {
    moment.to_string()
}

#[tokio::test]
async fn g_6_2_2_3_each_field_changes_as_the_administrator_has_set() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let city = json!({ "rule": "reviewed", "level": "city", "reason": "名称由市级审核" });
    let free = json!({ "rule": "free", "reason": "地址自行维护" });
    let never = json!({ "rule": "never", "reason": "代码不得变更" });
    // Only who may set rules, only sound ones, only from the version one has seen.
    let path = "/api/v1/change-rules/trace_subject/name";
    assert_eq!(app.change("supervisor", ("PUT", path), 0, free.clone()).await.status, 403);
    let shared = json!({ "rule": "free", "level": "village", "reason": "核对数据" });
    for (field, body, word) in [
        ("name", json!({ "rule": "sometimes", "reason": "核对数据" }), "free、reviewed 或 never"),
        ("name", shared, "any、county"),
    ] {
        let refused = rule(&app, field, 0, body).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
    assert_eq!(rule(&app, "colour", 0, free.clone()).await.status, 404);
    rule(&app, "name", 0, city.clone()).await.expect(200);
    assert_eq!(rule(&app, "name", 0, city).await.expect(409)["code"], "stale-version");
    rule(&app, "address", 0, free).await.expect(200);
    rule(&app, "code", 0, never).await.expect(200);
    let list = "/api/v1/change-rules?entity=trace_subject";
    let rules = app.get("enterprise", list).await.expect(200);
    let set: Vec<_> =
        rules["items"].as_array().unwrap().iter().filter(|one| one["set"] == true).collect();
    assert_eq!(set.len(), 3, "{set:?}");
    // Never.
    let code = yj_model::SubjectCode::issue(610_116, 7, 9).unwrap();
    let refused = amend(&app, "enterprise", &subject, json!({ "code": code })).await.expect(422);
    assert_eq!(refused["detail"], "主体代码登记后不得变更");
    // Freely: at once, with history.
    let done = amend(&app, "enterprise", &subject, json!({ "address": "示例新路 2 号" })).await;
    let subject = done.expect(200);
    assert_eq!((&subject["address"], &subject["version"]), (&"示例新路 2 号".into(), &2.into()));
    // Together with a field that is reviewed everything waits.
    let both = json!({ "address": "示例新路 3 号", "name": "示例净菜加工厂" });
    let filed = amend(&app, "enterprise", &subject, both).await.expect(202);
    let change = format!("{REGISTER}/changes/{}", filed["change_request"]["id"].as_str().unwrap());
    // The reviewer of a county is not high enough for the name.
    limit(&app, "610116").await;
    let refused = app.post("reviewer", &format!("{change}/approve"), json!({})).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("市级审核人"), "{refused}");
    limit(&app, "610100").await;
    app.post("reviewer", &format!("{change}/approve"), json!({})).await.expect(200);
    let now = app.get("supervisor", &one(&subject)).await.expect(200);
    assert_eq!((&now["name"], &now["version"]), (&"示例净菜加工厂".into(), &3.into()));
}

#[tokio::test]
async fn g_6_2_2_3_the_second_of_two_edits_is_told_what_differs() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let free = json!({ "rule": "free", "reason": "自行维护" });
    for field in ["address", "contact_phone"] {
        rule(&app, field, 0, free.clone()).await.expect(200);
    }
    amend(&app, "supervisor", &subject, json!({ "address": "示例东路" })).await.expect(200);
    let late = json!({ "address": "示例西路", "contact_phone": "13900000009" });
    let told = amend(&app, "enterprise", &subject, late).await.expect(409);
    assert_eq!((&told["code"], &told["version"]), (&"stale-version".into(), &2.into()));
    let errors = told["errors"].as_array().unwrap();
    let of = |field: &str| {
        errors.iter().find(|error| error["field"] == field).unwrap()["detail"].clone()
    };
    assert_eq!(of("address"), "地址：现为“示例东路”，您提交的是“示例西路”");
    // 个人信息 is masked on both sides.
    assert!(!told.to_string().contains("13900000009"), "{told}");
    assert!(of("contact_phone").as_str().unwrap().contains("139****0009"));
    assert_eq!(errors.len(), 2);
}

#[tokio::test]
async fn g_6_2_2_2_a_record_is_seen_as_it_was_known_and_as_it_held() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    rule(&app, "address", 0, json!({ "rule": "free", "reason": "自行维护" })).await.expect(200);
    let path = one(&subject);
    let address = async |app: &TestApp, query: &str| {
        app.get("supervisor", &format!("{path}?{query}")).await.expect(200)["address"].clone()
    };
    let first = address(&app, "").await;
    let registered = app.now();
    let day = |moment: jiff::Timestamp| String::from(&text(moment)[..10]);
    let before = text(registered);
    // Ten days go by; then somebody writes down what has held for five.
    let tomorrow = day(registered + jiff::SignedDuration::from_hours(24));
    let held = day(registered + jiff::SignedDuration::from_hours(5 * 24));
    let app = &mut app;
    app.pass(jiff::SignedDuration::from_hours(10 * 24));
    for user in ["supervisor", "enterprise"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
    let change = format!("{path}?effective_on={held}");
    let body = json!({ "address": "示例南路" });
    app.change("enterprise", ("PATCH", &change), 1, body).await.expect(200);
    let between = text(app.now());
    app.pass(jiff::SignedDuration::from_mins(5));
    let body = json!({ "address": "示例北路" });
    app.change("enterprise", ("PATCH", &path), 2, body).await.expect(200);
    let today = day(app.now());
    assert_eq!(address(app, "").await, "示例北路");
    assert_eq!(address(app, &format!("on={today}")).await, "示例北路");
    assert_eq!(address(app, &format!("on={held}")).await, "示例南路");
    assert_eq!(address(app, &format!("on={tomorrow}")).await, first);
    assert_eq!(address(app, &format!("known_at={between}")).await, "示例南路");
    assert_eq!(address(app, &format!("known_at={before}&on={held}")).await, first);
    assert_eq!(address(app, &format!("known_at={before}")).await, first);
    // What is written is in force: no day to come, and none before there was a record.
    for (field, wrong, word) in [
        ("address", "2027-06-01", "不能晚于今天"),
        ("name", "2027-06-01", "不能晚于今天"),
        ("address", "0001-01-01", "不能早于该记录的登记日期"),
        ("name", "2026-11-18", "不能早于该记录的登记日期"),
        ("address", "tomorrow", "应为日期"),
    ] {
        let change = format!("{path}?effective_on={wrong}");
        let body = json!({ field: "示例" });
        let refused = app.change("enterprise", ("PATCH", &change), 3, body).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{wrong}: {refused}");
    }
    // Registered on that day: before that it did not hold at all.
    assert_eq!(app.get("supervisor", &format!("{path}?on=2026-10-19")).await.status, 404);
    let refused = app.get("supervisor", &format!("{path}?on=yesterday")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("应为日期"), "{refused}");
    assert_eq!(
        app.get("supervisor", &format!("{path}?known_at=2000-01-01T00:00:00Z")).await.status,
        404
    );
    let history = app.get("supervisor", &format!("{path}/history")).await.expect(200);
    let history = history.as_array().unwrap();
    assert!(history.iter().any(|entry| entry["effective_on"] == *held), "{history:?}");
}

#[tokio::test]
async fn g_6_2_3_conditions_are_kept_under_a_name() {
    let app = TestApp::start().await;
    let view = |title: &str, shared: bool| {
        json!({ "entity": "trace_subject", "title": title, "query": "kind=03&region=610500", "shared": shared,
            "figure": "by=region:city&part=kind%3D03&chart=bar" })
    };
    let own = app.post("enterprise", "/api/v1/views", view("合作社", false)).await.expect(201);
    assert_eq!(app.post("enterprise", "/api/v1/views", view("合作社", true)).await.status, 403);
    app.post("supervisor", "/api/v1/views", view("辖区合作社", true)).await.expect(201);
    let titles = async |actor: &str| {
        let found = app.get(actor, "/api/v1/views?entity=trace_subject").await.expect(200);
        let items = found["items"].as_array().unwrap().clone();
        items.iter().map(|one| String::from(one["title"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(titles("enterprise").await, ["合作社", "辖区合作社"]);
    assert_eq!(titles("farm").await, ["辖区合作社"]);
    // Administrators see no business register, and so no question about one.
    assert!(titles("sysadmin").await.is_empty());
    for (change, word) in [
        (json!({ "query": "colour=red" }), "没有这个查询条件"),
        (json!({ "query": "contact_phone=13800000000" }), "个人信息"),
        (json!({ "figure": "by=address" }), "不是可检索的字段"),
        (json!({ "figure": "by=kind&chart=spiral" }), "可用参数"),
        (json!({ "title": " " }), "1 至 40"),
        (json!({ "entity": "account" }), "没有这张登记表"),
    ] {
        let mut body = view("示例", false);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = app.post("enterprise", "/api/v1/views", body).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
    }
    let path = format!("/api/v1/views/{}", own["id"].as_str().unwrap());
    assert_eq!(app.send("DELETE", &path, Some("farm"), &[], None).await.status, 404);
    assert_eq!(app.send("DELETE", &path, Some("enterprise"), &[], None).await.status, 204);
    assert_eq!(titles("enterprise").await, ["辖区合作社"]);
}

#[tokio::test]
async fn g_6_2_2_2_what_came_in_one_file_is_passed_together_and_each_by_itself() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let head = "产品代码,产品名称,产品领域,产品分类,计量单位,责任主体,所属区域\n";
    let row = |n: usize| {
        let code = farm["code"].as_str().unwrap();
        format!("TOG-{n},示例产品{n},食用农产品,010106,KGM,{code},610525\n")
    };
    let file: String = std::iter::once(String::from(head)).chain((1..=3).map(row)).collect();
    let register = "/api/v1/product";
    let job = app.import("supervisor", &format!("{register}/import?name=a.csv"), file.into()).await;
    assert_eq!(job["succeeded"], 3, "{job}");
    let waiting = app.get("reviewer", &format!("{register}/changes?state=submitted")).await;
    let waiting = waiting.expect(200);
    let ids: Vec<_> = waiting["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    // The reviewer reads names where the record holds identifiers.
    let one = format!("{register}/changes/{}", ids[0].as_str().unwrap());
    let one = app.get("reviewer", &one).await.expect(200);
    assert_eq!(one["names"][farm["id"].as_str().unwrap()], farm["name"], "{one}");
    // One of them is taken back meanwhile.
    let withdraw = format!("{register}/changes/{}/withdraw", ids[1].as_str().unwrap());
    app.post("supervisor", &withdraw, json!({})).await.expect(200);
    let path = format!("{register}/changes/approve");
    let own = app.post("supervisor", &path, json!({ "ids": ids })).await;
    assert_eq!(own.status, 403, "{}", own.body);
    let answer = app.post("reviewer", &path, json!({ "ids": ids })).await.expect(200);
    assert_eq!((&answer["approved"], &answer["refused"]), (&json!(2), &json!(1)), "{answer}");
    assert_eq!(
        (&answer["results"][1]["id"], &answer["results"][1]["approved"]),
        (ids[1], &json!(false))
    );
    assert!(answer["results"][1]["detail"].as_str().unwrap().contains("撤回"), "{answer}");
    let again = app.post("reviewer", &path, json!({ "ids": ids })).await.expect(200);
    assert_eq!(again["approved"], 0);
    for wrong in [json!([]), json!(vec!["x"; 501])] {
        app.post("reviewer", &path, json!({ "ids": wrong })).await.expect(422);
    }
    // What is counted alone is what is listed.
    let found =
        app.get("supervisor", &format!("{register}?count=only&domain=agri")).await.expect(200);
    let listed = app.get("supervisor", &format!("{register}?per_page=100&domain=agri")).await;
    let listed = listed.expect(200);
    assert_eq!(found["items"], json!([]));
    assert_eq!(found["total"]["count"], json!(listed["items"].as_array().unwrap().len()));
}
