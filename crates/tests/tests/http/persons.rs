//! G-6.2.2-1, handbook §2.3.4: one person is one subject, however often and by whatever way they
//! come.

use serde_json::{Value, json};

use crate::{
    harness::TestApp,
    houses::id_of,
    subjects::{REGISTER, act, approved, detail, farmer, registered},
};

const NUMBER: &str = "11010519491231002X";
const SUBJECTS: &str = "SELECT COUNT(*) FROM trace_subject";

/// A farmer with the number of their document.
fn person(name: &str, number: &str) -> Value {
    let mut body = farmer(name);
    body["legal_rep"] = json!("示例甲");
    body["legal_rep_id_kind"] = json!("111");
    body["legal_rep_id"] = json!(number);
    body
}

#[tokio::test]
async fn g_6_2_2_1_a_person_is_registered_once_by_form() {
    let app = TestApp::start().await;
    let filed = app.post("supervisor", REGISTER, person("示例农户甲", NUMBER)).await.expect(202);
    // It waits: the same person is not filed again, under whatever name.
    let waiting = app.post("supervisor", REGISTER, person("示例农户乙", NUMBER)).await.expect(422);
    assert_eq!(waiting["errors"][0]["field"], "legal_rep_id");
    assert!(detail(&waiting).contains("正在审核"), "{waiting}");
    // Once it is rejected, it can be.
    let request = filed["change_request"]["id"].as_str().unwrap();
    let reject = format!("{REGISTER}/changes/{request}/reject");
    app.post("reviewer", &reject, json!({ "comment": "资料不全" })).await.expect(200);
    let subject = registered(&app, person("示例农户甲", NUMBER)).await;
    let code = subject["code"].as_str().unwrap();
    // Who may see the record is told which it is; others only that there is one, and whom to ask.
    let again = person("示例农户乙", " 11010519491231002x");
    let told = app.post("supervisor", REGISTER, again.clone()).await.expect(422);
    assert!(detail(&told).contains(code) && detail(&told).contains("申请变更"), "{told}");
    let told = app.post("enterprise", REGISTER, again).await.expect(422);
    assert!(detail(&told).contains("已经登记") && detail(&told).contains("运营机构"), "{told}");
    let text = told.to_string();
    assert!(!text.contains(code) && !text.contains("示例农户甲"), "{text}");
    // Nobody becomes this person by a change either; what changes nothing of it is free.
    let other = registered(&app, person("示例农户丙", "440524188001010014")).await;
    let path = format!("{REGISTER}/{}", id_of(&other));
    let change = json!({ "legal_rep_id": NUMBER });
    let told = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(422);
    assert!(detail(&told).contains(code), "{told}");
    app.change("supervisor", ("PATCH", &path), 1, json!({ "address": "示例村" })).await.expect(202);
    // An enterprise of theirs is not they.
    let mut firm = person("示例加工厂", NUMBER);
    firm["kind"] = json!("01");
    firm["code"] = json!("91610116MAYJ000144");
    registered(&app, firm).await;
    // Who closed may come back.
    act(&app, "supervisor", (&subject, "close"), 1).await.expect(200);
    registered(&app, person("示例农户甲", NUMBER)).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM subject_claim").await, 0);
}

#[tokio::test]
async fn g_6_2_2_1_two_requests_for_one_person_are_not_both_approved() {
    let app = TestApp::start().await;
    let filed = app.post("supervisor", REGISTER, person("示例农户甲", NUMBER)).await.expect(202);
    // Past the door, as two that came at the same moment.
    let other = app.post("supervisor", REGISTER, person("示例农户乙", "440524188001010014")).await;
    let other = other.expect(202);
    let request = other["change_request"]["id"].as_str().unwrap();
    let put_back = format!("{REGISTER}/changes/{request}/return");
    app.post("reviewer", &put_back, json!({ "comment": "核对号码" })).await.expect(200);
    let path = format!("{REGISTER}/changes/{request}");
    let mended = person("示例农户乙", NUMBER).to_string();
    app.send("PUT", &path, Some("supervisor"), &[], Some(mended.into())).await.expect(200);
    approved(&app, "trace_subject", &filed).await;
    let approve = format!("{REGISTER}/changes/{request}/approve");
    let refused = app.post("reviewer", &approve, json!({})).await.expect(422);
    assert!(detail(&refused).contains("同一人不另行登记"), "{refused}");
}

#[tokio::test]
async fn g_6_2_2_1_a_person_that_is_pushed_again_is_a_change() {
    let app = TestApp::start().await;
    let push = async |body: &Value| {
        app.post("gateway", &format!("{REGISTER}/receive"), body.clone()).await
    };
    let mut body = person("示例农户甲", NUMBER);
    let first = push(&body).await.expect(202);
    approved(&app, "trace_subject", &first).await;
    let count = app.count(SUBJECTS).await;
    body["address"] = json!("示例村 4 组");
    let second = push(&body).await.expect(202);
    assert_eq!((&second["result"], &second["code"]), (&json!("changed"), &first["code"]));
    let id = approved(&app, "trace_subject", &second).await;
    let stored = app.get("supervisor", &format!("{REGISTER}/{id}")).await.expect(200);
    assert_eq!((&stored["address"], &stored["version"]), (&json!("示例村 4 组"), &json!(2)));
    assert_eq!(app.count(SUBJECTS).await, count);
}

#[tokio::test]
async fn g_6_2_1_a_file_registers_a_person_once_and_brings_changes() {
    let app = TestApp::start().await;
    let header = "主体名称,主体类型,环节角色,所属区域,法定代表人,法定代表人证件类型,法定代表人证件号码,地址,联系人,联系电话\n";
    let line = |address: &str| {
        format!(
            "示例农户甲,家庭农场或农户,种植,610116,示例甲,111,{NUMBER},{address},示例联系人,13800000001\n"
        )
    };
    let load = async |lines: &[&str]| {
        let mut file = String::from(header);
        file.extend(lines.iter().map(|address| line(address)));
        let job = app.import("supervisor", &format!("{REGISTER}/import"), file.into_bytes()).await;
        let rows = app.get("supervisor", &format!("/api/v1/jobs/{}/rows", id_of(&job))).await;
        rows.expect(200)["items"].as_array().unwrap().clone()
    };
    let told = |row: &Value| {
        let text = |name: &str| String::from(row[name].as_str().unwrap_or_default());
        (text("outcome"), text("detail"))
    };
    // Twice in one file.
    let rows = load(&["示例村 1 组", "示例村 1 组"]).await;
    assert_eq!(told(&rows[0]).0, "ok", "{rows:?}");
    let (outcome, why) = told(&rows[1]);
    assert!(outcome == "failed" && why.contains("正在审核"), "{rows:?}");
    let filed = json!({ "change_request": rows[0]["record"] });
    let id = approved(&app, "trace_subject", &filed).await;
    let count = app.count(SUBJECTS).await;
    // The same again says nothing new; another address is a change to be approved.
    let rows = load(&["示例村 1 组", "示例村 2 组"]).await;
    assert_eq!(told(&rows[0]).0, "duplicate", "{rows:?}");
    let (outcome, why) = told(&rows[1]);
    assert!(outcome == "ok" && why.contains("变更申请"), "{rows:?}");
    let filed = json!({ "change_request": rows[1]["record"] });
    assert_eq!(approved(&app, "trace_subject", &filed).await, id);
    let stored = app.get("supervisor", &format!("{REGISTER}/{id}")).await.expect(200);
    assert_eq!((&stored["address"], &stored["version"]), (&json!("示例村 2 组"), &json!(2)));
    assert_eq!(app.count(SUBJECTS).await, count);
    let journal = app.get("supervisor", &format!("{REGISTER}/{id}/history")).await.expect(200);
    assert_eq!(journal.as_array().unwrap().len(), 2, "{journal}");
}
