//! G-6.2.1, G-6.2.2: subjects that come from elsewhere, become one or become two, and what contradicts
//! the register.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_model::SubjectCode;

use crate::{
    harness::{TestApp, harvest},
    houses::id_of,
    subjects::{REGISTER, act, approved, detail, farmer, registered, resolved},
};

#[tokio::test]
async fn g_6_2_2_1_two_records_of_one_subject_become_one_and_every_code_leads_on() {
    let app = TestApp::start().await;
    let twin = registered(&app, farmer("示例农户甲")).await;
    let kept = app.subject("示例韭菜合作社一社").await;
    let old = twin["code"].as_str().unwrap();
    let alias = json!({ "kind": "node9", "code": "610116901", "subject_id": twin["id"] });
    let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
    approved(&app, "subject_alias", &filed).await;
    app.post("gateway", "/api/v1/trace/events", harvest(&twin, "MERGE-1")).await.expect(201);
    let path = format!("{REGISTER}/{}/merge", id_of(&twin));
    let into = |code: &Value| json!({ "into": code, "reason": "同一主体重复登记" });
    // Only who reaches both may ask.
    assert_eq!(app.post("farm", &path, into(&kept["code"])).await.status, 403);
    let refused = app.post("supervisor", &path, into(&twin["code"])).await.expect(422);
    assert!(detail(&refused).contains("自身"), "{refused}");
    let nobody = json!(SubjectCode::issue(610_116, 7, 99).unwrap());
    assert_eq!(app.post("supervisor", &path, into(&nobody)).await.status, 422);
    let filed = app.post("supervisor", &path, into(&kept["code"])).await.expect(202);
    let request = id_of(&filed["change_request"]);
    let approve = format!("/api/v1/subject_merger/changes/{request}/approve");
    assert_eq!(app.post("supervisor", &approve, json!({})).await.status, 403);
    let before = resolved(&app, old).await.expect(200);
    assert_eq!(before["id"], twin["id"], "nothing has happened yet");
    approved(&app, "subject_merger", &filed).await;
    // Both codes of the merged one lead to the other; its record and its data stay.
    for code in [old, "610116901"] {
        let found = resolved(&app, code).await.expect(200);
        assert_eq!((&found["id"], &found["code"]), (&kept["id"], &kept["code"]), "{code}");
    }
    let merged = app.get("supervisor", &format!("{REGISTER}/{}", id_of(&twin))).await.expect(200);
    assert_eq!((&merged["status"], &merged["successor_id"]), (&json!("80"), &kept["id"]));
    let event = app.get("supervisor", "/api/v1/trace/events?code=MERGE-1").await.expect(200);
    assert_eq!(event["items"][0]["subject"]["id"], twin["id"]);
    app.post("gateway", "/api/v1/trace/events", harvest(&twin, "MERGE-2")).await.expect(201);
    let event = app.get("supervisor", "/api/v1/trace/events?code=MERGE-2").await.expect(200);
    assert_eq!(event["items"][0]["subject"]["code"], kept["code"]);
    // The history of both says so.
    for (subject, action) in [(&twin, "merged"), (&kept, "absorbed")] {
        let path = format!("{REGISTER}/{}/history", id_of(subject));
        let history = app.get("supervisor", &path).await.expect(200);
        let entry = history.as_array().unwrap().iter().find(|one| one["action"] == action);
        assert_eq!(entry.unwrap()["changes"]["reason"], "同一主体重复登记", "{history}");
    }
    // It is over for the merged one.
    let other = app.subject("示例韭菜合作社二社").await;
    assert_eq!(app.post("supervisor", &path, into(&other["code"])).await.status, 409);
    let one = format!("{REGISTER}/{}", id_of(&twin));
    let change = app.change("supervisor", ("PATCH", &one), 2, json!({ "address": "示例" })).await;
    assert!(detail(&change.expect(409)).contains("已并入"));
    assert_eq!(act(&app, "supervisor", (&twin, "resume"), 2).await.status, 409);
    let mut again = farmer("示例农户甲");
    again["code"] = json!(old);
    assert_eq!(app.post("supervisor", REGISTER, again).await.status, 422);
    let back = format!("{REGISTER}/{}/merge", id_of(&other));
    let refused = app.post("supervisor", &back, into(&merged["id"])).await.expect(422);
    assert!(detail(&refused).contains("已合并"), "{refused}");
    // The one that was kept is merged in its turn: all codes go along.
    let path = format!("{REGISTER}/{}/merge", id_of(&kept));
    let filed = app.post("supervisor", &path, into(&other["code"])).await.expect(202);
    approved(&app, "subject_merger", &filed).await;
    for code in [old, "610116901", kept["code"].as_str().unwrap()] {
        assert_eq!(resolved(&app, code).await.expect(200)["id"], other["id"], "{code}");
    }
}

#[tokio::test]
async fn g_6_2_2_1_a_subject_is_split_and_both_know_of_it() {
    let app = TestApp::start().await;
    let whole = app.subject("示例韭菜合作社一社").await;
    let path = format!("{REGISTER}/{}/split", id_of(&whole));
    let part = json!({ "subject": farmer("示例农户丙"), "reason": "成员独立经营" });
    assert_eq!(app.post("enterprise", &path, part.clone()).await.status, 404);
    let mut wrong = part.clone();
    wrong["subject"]["contact_phone"] = json!("1");
    let refused = app.post("supervisor", &path, wrong).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "subject.contact_phone");
    let filed = app.post("supervisor", &path, part).await.expect(202);
    let id = approved(&app, "trace_subject", &filed).await;
    let one = format!("{REGISTER}/{id}");
    let made = app.get("supervisor", &one).await.expect(200);
    assert_eq!(made["predecessor_id"], whole["id"]);
    let history = format!("{REGISTER}/{}/history", id_of(&whole));
    let history = app.get("supervisor", &history).await.expect(200).to_string();
    assert!(history.contains("成员独立经营") && history.contains(&id), "{history}");
    // Where it came from is not rewritten.
    let change = json!({ "predecessor_id": null, "address": "示例村 3 组" });
    let filed = app.change("supervisor", ("PATCH", &one), 1, change).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    let after = app.get("supervisor", &one).await.expect(200);
    assert_eq!(
        (&after["predecessor_id"], &after["address"]),
        (&whole["id"], &json!("示例村 3 组"))
    );
}

#[tokio::test]
async fn g_6_2_2_1_by_form_and_by_interface_it_is_one_record() {
    let app = TestApp::start().await;
    let receive = format!("{REGISTER}/receive");
    let push = async |body: &Value| app.post("gateway", &receive, body.clone()).await;
    assert_eq!(app.post("supervisor", &receive, farmer("示例农户甲")).await.status, 403);
    let by_form = registered(&app, farmer("示例农户甲")).await;
    let subjects = app.count("SELECT COUNT(*) FROM trace_subject").await;
    let mut body = farmer("示例农户甲");
    body["code"] = by_form["code"].clone();
    for repeated in [false, true] {
        let same = push(&body).await.expect(200);
        assert_eq!((&same["result"], &same["repeated"]), (&json!("same"), &json!(repeated)));
    }
    // Something differs: a change request, once.
    body["address"] = json!("示例村 4 组");
    let first = push(&body).await.expect(202);
    assert_eq!(first["result"], "changed");
    let again = push(&body).await.expect(200);
    assert_eq!(again["change_request"], first["change_request"]);
    approved(&app, "trace_subject", &first).await;
    // Unknown: a registration, once, that names where it came from.
    let mut unknown = farmer("示例农户乙");
    unknown["code"] = json!(SubjectCode::issue(610_116, 7, 77).unwrap());
    let filed = push(&unknown).await.expect(202);
    assert_eq!(filed["result"], "filed");
    assert_eq!(push(&unknown).await.expect(200)["change_request"], filed["change_request"]);
    let id = approved(&app, "trace_subject", &filed).await;
    let stored = app.get("supervisor", &format!("{REGISTER}/{id}")).await.expect(200);
    assert_eq!(stored["source_system"], "gateway");
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_subject").await, subjects + 1);
    // In another county it is a site; what is wrong leaves no receipt behind.
    unknown["region"] = json!("610403");
    for _ in 0..2 {
        let refused = push(&unknown).await.expect(422);
        assert!(detail(&refused).contains("经营场所"), "{refused}");
    }
    let receipts = "SELECT COUNT(*) FROM subject_receipt WHERE answer = ''";
    assert_eq!(app.count(receipts).await, 0);
}

#[tokio::test]
async fn g_6_2_2_1_a_code_that_comes_with_another_name_waits_for_a_decision() {
    let app = TestApp::start().await;
    let factory = app.subject("示例蔬菜加工厂").await;
    let push = async |name: &str| {
        let body = json!({
            "code": factory["code"], "name": name, "kind": "01", "roles": ["21"],
            "region": "610116", "industry_code": "1371", "legal_rep": "示例甲",
            "contact_name": "示例联系人", "contact_phone": "13811112222",
        });
        app.post("gateway", &format!("{REGISTER}/receive"), body).await.expect(202)
    };
    let queue = "/api/v1/subject_conflict";
    let first = push("示例蔬菜一厂").await;
    assert_eq!(first["result"], "conflict");
    let open = app.get("reviewer", &format!("{queue}?state=open")).await.expect(200);
    let item = &open["items"][0];
    assert_eq!(
        (&item["our_name"], &item["their_name"], &item["source"]),
        (&factory["name"], &json!("示例蔬菜一厂"), &json!("gateway"))
    );
    let one = format!("{queue}/{}", id_of(item));
    let shown = app.get("reviewer", &one).await.expect(200);
    assert_eq!(shown["theirs"]["contact_phone"], "138****2222", "{shown}");
    assert_eq!(
        app.count("SELECT COUNT(*) FROM subject_conflict WHERE body LIKE '%13811112222%'").await,
        0
    );
    assert_eq!(app.get("enterprise", queue).await.status, 403);
    // Keep ours.
    let because = json!({ "reason": "以营业执照为准" });
    assert_eq!(
        app.post("reviewer", &format!("{one}/keep"), json!({ "reason": "" })).await.status,
        422
    );
    let kept = app.post("reviewer", &format!("{one}/keep"), because.clone()).await.expect(200);
    assert_eq!((&kept["state"], &kept["decided_by"]), (&json!("kept"), &json!("reviewer")));
    assert_eq!(app.post("reviewer", &format!("{one}/take"), because.clone()).await.status, 409);
    assert!(app.get("reviewer", &one).await.expect(200)["theirs"].is_null());
    assert_eq!(app.subject("示例蔬菜加工厂").await["version"], 1);
    // Take theirs: somebody else approves.
    let second = push("示例蔬菜二厂").await;
    let one = format!("{queue}/{}", second["conflict"].as_str().unwrap());
    let taken = app.post("supervisor", &format!("{one}/take"), because.clone()).await.expect(200);
    assert_eq!(taken["state"], "taken");
    approved(&app, "trace_subject", &taken).await;
    let path = format!("{REGISTER}/{}", id_of(&factory));
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!(
        (&stored["name"], &stored["code"], &stored["address"]),
        (&json!("示例蔬菜二厂"), &factory["code"], &factory["address"])
    );
    // Another subject: its code is put right.
    let third = push("示例蔬菜三厂").await;
    let one = format!("{queue}/{}", third["conflict"].as_str().unwrap());
    let correct = |code: &str| json!({ "reason": "代码录入错误", "code": code });
    let at = format!("{one}/correct");
    let known = factory["code"].as_str().unwrap();
    assert_eq!(app.post("supervisor", &at, correct(known)).await.status, 409);
    let done = app.post("supervisor", &at, correct("91610116MAYJ000144")).await.expect(200);
    let id = approved(&app, "trace_subject", &done).await;
    let made = app.get("supervisor", &format!("{REGISTER}/{id}")).await.expect(200);
    assert_eq!(
        (&made["name"], &made["code"]),
        (&json!("示例蔬菜三厂"), &json!("91610116MAYJ000144"))
    );
    let trail = app.get("auditor", "/api/v1/audit?entity=subject_conflict").await.expect(200);
    let actions: BTreeSet<_> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert!(actions.is_superset(&BTreeSet::from([
        "conflict_opened",
        "conflict_kept",
        "conflict_taken",
        "conflict_corrected"
    ])));
}

#[tokio::test]
async fn g_6_2_1_a_file_with_known_codes_overwrites_and_doubles_nothing() {
    let app = TestApp::start().await;
    let shop = app.subject("示例蔬菜零售店甲").await;
    let (code, name, region) = (
        shop["code"].as_str().unwrap(),
        shop["name"].as_str().unwrap(),
        shop["region"].as_str().unwrap(),
    );
    let mut sheet = String::from(
        "主体代码,主体名称,主体类型,环节角色,所属区域,联系人,联系电话,行业代码,法定代表人\n",
    );
    // A file of an older platform calls it by the code it had there.
    let alias = json!({ "kind": "merchant13", "code": "6104039010001", "subject_id": shop["id"] });
    let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
    approved(&app, "subject_alias", &filed).await;
    for (code, name, kind, region) in [
        ("6104039010001", name, "个体工商户", region),
        (code, "示例另一家店", "个体工商户", region),
        (code, "示例另一家店", "个体工商户", region),
        (code, name, "个体工商户", "610802"),
        ("", "示例农户丁", "家庭农场或农户", "610116"),
        ("", "示例企业", "企业", "610116"),
    ] {
        sheet.push_str(&format!(
            "{code},{name},{kind},零售,{region},示例联系人,13800000001,F5223,示例甲\n"
        ));
    }
    let job = app.import("supervisor", &format!("{REGISTER}/import"), sheet.into_bytes()).await;
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(6)), "{job}");
    let rows = format!("/api/v1/jobs/{}/rows", id_of(&job));
    let rows = app.get("supervisor", &rows).await.expect(200);
    let told: Vec<_> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["outcome"].as_str().unwrap(), row["detail"].as_str().unwrap_or_default()))
        .collect();
    let outcomes: Vec<_> = told.iter().map(|(outcome, _)| *outcome).collect();
    assert_eq!(outcomes, ["ok", "failed", "failed", "failed", "ok", "failed"], "{told:?}");
    // Known, with another telephone: a change to be approved.
    assert!(told[0].1.contains("变更申请"), "{:?}", told[0]);
    for (row, word) in [(1, "冲突队列"), (2, "冲突队列"), (3, "经营场所"), (5, "统一社会信用代码")]
    {
        assert!(told[row].1.contains(word), "{:?}", told[row]);
    }
    let open = app.get("supervisor", "/api/v1/subject_conflict?state=open").await.expect(200);
    let items = open["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["channel"]), (1, &json!("import")), "once, however often");
    assert_eq!(app.subject("示例蔬菜零售店甲").await["version"], 1);
    // Who has no code was issued one.
    let filed = app.get("supervisor", &format!("{REGISTER}/changes")).await.expect(200);
    let issued = &filed["items"][0]["body"];
    assert!(issued["code"].as_str().unwrap().starts_with("ZS6101167"), "{issued}");
    assert_eq!((&issued["industry_code"], &issued["name"]), (&json!("5223"), &json!("示例农户丁")));
}
