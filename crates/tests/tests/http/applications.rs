//! G-6.2.2-1: subjects register themselves, before anybody here knows them.

use serde_json::{Value, json};

use crate::{
    access::somebody,
    harness::{Answer, TestApp},
    houses::{NOTHING, PASSWORD, id_of},
    protection::{dump, holds},
    subjects::{detail, farmer},
};

const DOOR: &str = "/api/v1/applications";
const QUEUE: &str = "/api/v1/subject_application";

fn application(subject: &Value, (user_name, phone): (&str, &str)) -> Value {
    json!({
        "subject": subject, "applicant_name": "示例申请人甲", "applicant_phone": phone,
        "user_name": user_name,
    })
}

async fn apply(app: &TestApp, body: &Value) -> Answer {
    app.send("POST", DOOR, None, &[], Some(body.to_string().into_bytes())).await
}

async fn look(app: &TestApp, receipt: &Value, code: &str) -> Answer {
    let path = format!("{DOOR}/{}?code={code}", receipt.as_str().unwrap());
    app.send("GET", &path, None, &[], None).await
}

/// The state an applicant is shown.
async fn shown(app: &TestApp, filed: &Value) -> Value {
    look(app, &filed["receipt"], filed["code"].as_str().unwrap()).await.expect(200)
}

/// The newest application as its reviewer sees it.
async fn newest(app: &TestApp) -> String {
    id_of(&app.get("reviewer", QUEUE).await.expect(200)["items"][0])
}

async fn decide(app: &TestApp, (id, verb): (&str, &str), link: bool) -> Answer {
    let body = json!({ "reason": "已电话核实", "link": link });
    app.post("reviewer", &format!("{QUEUE}/{id}/{verb}"), body).await
}

#[tokio::test]
async fn g_6_2_2_1_an_enterprise_registers_itself_and_works_after_approval() {
    let mut app = TestApp::start().await;
    let body = application(&farmer("示例农户甲"), ("shili-jia", "13811117777"));
    let filed = apply(&app, &body).await.expect(202);
    assert_eq!(shown(&app, &filed).await["state"], "waiting");
    assert_eq!(app.count("SELECT COUNT(*) FROM trace_subject WHERE name = '示例农户甲'").await, 0);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM change_request WHERE submitted_by = 'applicant'").await,
        0
    );
    // The reviewer sees what was sent, its personal data masked.
    let id = newest(&app).await;
    let path = format!("{QUEUE}/{id}");
    let seen = app.get("reviewer", &path).await.expect(200);
    assert_eq!((&seen["subject"]["name"], &seen["existing"]), (&json!("示例农户甲"), &Value::Null));
    let text = seen.to_string();
    assert!(!text.contains("13811117777") && !text.contains("13800000000"), "{text}");
    assert!(!text.contains("示例申请人甲") && !text.contains("示例联系人"), "{text}");
    // Nobody opens an account before somebody has approved, and no reviewer opens one.
    let open = format!("{path}/account");
    assert_eq!(app.post("sysadmin", &open, json!({})).await.status, 404);
    let approved = decide(&app, (&id, "approve"), false).await.expect(200);
    assert_eq!((&approved["state"], &approved["linked"]), (&json!("approved"), &json!(false)));
    assert_eq!(app.post("reviewer", &open, json!({})).await.status, 403);
    assert_eq!(app.get("reviewer", &format!("{QUEUE}/unopened")).await.status, 403);
    assert_eq!(shown(&app, &filed).await["state"], "approved");
    let subject = format!("/api/v1/trace_subject/{}", approved["subject_id"].as_str().unwrap());
    let subject = app.get("reviewer", &subject).await.expect(200);
    assert!(subject["code"].as_str().unwrap().starts_with("ZS"), "{subject}");
    let waiting = app.get("sysadmin", &format!("{QUEUE}/unopened")).await.expect(200);
    assert_eq!(waiting["items"][0]["user_name"], "shili-jia", "{waiting}");
    // A name that is taken is for the administrator to change, not for the applicant to learn.
    let taken = app.post("sysadmin", &open, json!({ "user_name": "farm" })).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    let opened = app.post("sysadmin", &open, json!({})).await.expect(200);
    assert_eq!(app.post("sysadmin", &open, json!({})).await.status, 409);
    let waiting = app.get("sysadmin", &format!("{QUEUE}/unopened")).await.expect(200);
    assert_eq!(waiting["items"], json!([]));
    // The first log-in, and work.
    let first = json!({ "token": opened["token"], "password": PASSWORD }).to_string();
    app.send("POST", "/api/v1/activation", None, &[], Some(first.into_bytes())).await.expect(200);
    app.log_in("shili-jia", PASSWORD).await;
    let own = app.get("shili-jia", "/api/v1/trace_subject").await.expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
    assert_eq!(own["items"][0]["id"], subject["id"]);
    let change = json!({ "address": "示例村 1 组" });
    let one = format!("/api/v1/trace_subject/{}", id_of(&subject));
    app.change("shili-jia", ("PATCH", &one), 1, change).await.expect(202);
    assert_eq!(app.get("shili-jia", QUEUE).await.status, 403);
    // Everything left its entry.
    let trail = app.get("auditor", "/api/v1/audit?entity=subject_application").await.expect(200);
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    for action in ["application_filed", "application_approved", "application_opened"] {
        assert!(actions.contains(&&json!(action)), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn g_6_2_2_1_a_code_that_is_registered_is_linked_and_stays_one_record() {
    let mut app = TestApp::start().await;
    let known = app.subject("示例蔬菜加工厂").await;
    let mut subject = farmer("示例蔬菜加工厂");
    subject["kind"] = json!("01");
    subject["code"] = known["code"].clone();
    let filed = apply(&app, &application(&subject, ("enterprise", "13811116666"))).await;
    // The answer is the one that a stranger gets whom nobody knows: same status, same members.
    let stranger = application(&farmer("示例农户乙"), ("shili-yi", "13811115555"));
    let other = apply(&app, &stranger).await;
    assert_eq!((filed.status, other.status), (202, 202), "{} {}", filed.body, other.body);
    let members = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&filed.body), members(&other.body));
    let items = app.get("reviewer", QUEUE).await.expect(200)["items"].clone();
    let (id, unknown) = (id_of(&items[1]), id_of(&items[0]));
    let seen = app.get("reviewer", &format!("{QUEUE}/{id}")).await.expect(200);
    assert_eq!(seen["existing"]["code"], known["code"], "{seen}");
    let refused = decide(&app, (&id, "approve"), false).await.expect(409);
    assert!(detail(&refused).contains("关联已有主体"), "{refused}");
    assert_eq!(decide(&app, (&unknown, "approve"), true).await.status, 422);
    let linked = decide(&app, (&id, "approve"), true).await.expect(200);
    assert_eq!((&linked["subject_id"], &linked["linked"]), (&known["id"], &json!(true)));
    let open = format!("{QUEUE}/{id}/account");
    // The wished name is somebody's already.
    assert_eq!(app.post("sysadmin", &open, json!({})).await.status, 409);
    let opened = app.post("sysadmin", &open, json!({ "user_name": "shili-2" })).await.expect(200);
    let path = "/api/v1/account?user_name=enterprise";
    let colleague = app.get("sysadmin", path).await.expect(200)["items"][0].clone();
    assert_eq!(opened["organization_id"], colleague["organization_id"], "one organisation");
    let first = json!({ "token": opened["token"], "password": PASSWORD }).to_string();
    app.send("POST", "/api/v1/activation", None, &[], Some(first.into_bytes())).await.expect(200);
    app.log_in("shili-2", PASSWORD).await;
    let own = app.get("shili-2", "/api/v1/trace_subject").await.expect(200);
    assert_eq!(own["items"][0]["id"], known["id"]);
    let count = "SELECT COUNT(*) FROM trace_subject WHERE name = '示例蔬菜加工厂'";
    assert_eq!(app.count(count).await, 1);
}

#[tokio::test]
async fn g_6_2_2_1_an_application_is_checked_like_a_registration_and_limited() {
    let app = TestApp::start().await;
    let sound = application(&farmer("示例农户甲"), ("shili-jia", "13811117777"));
    let wrong = [
        ("/subject/contact_phone", json!("1"), "subject.contact_phone"),
        ("/subject/name", json!(""), "subject.name"),
        ("/subject/kind", json!("01"), "subject.code"),
        ("/subject/roles", json!("10"), "subject.roles"),
        ("/applicant_name", json!(" "), "applicant_name"),
        ("/applicant_phone", json!("12"), "applicant_phone"),
        ("/user_name", json!("示例"), "user_name"),
    ];
    for (at, value, field) in wrong {
        let mut body = sound.clone();
        *body.pointer_mut(at).unwrap() = value;
        let refused = apply(&app, &body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    for (name, value) in [("source_system", json!("x")), ("predecessor_id", json!(NOTHING))] {
        let mut body = sound.clone();
        body["subject"][name] = value;
        let refused = apply(&app, &body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], format!("subject.{name}"));
    }
    let mut large = sound.clone();
    large["subject"]["address"] = json!("示".repeat(20_000));
    assert_eq!(apply(&app, &large).await.status, 413);
    assert_eq!(app.count("SELECT COUNT(*) FROM subject_application").await, 0);
    for _ in 0..3 {
        apply(&app, &sound).await.expect(202);
    }
    apply(&app, &sound).await.expect(429);
    let mut another = sound.clone();
    another["applicant_phone"] = json!("13811118888");
    apply(&app, &another).await.expect(202);
    app.pass(jiff::SignedDuration::from_mins(61));
    apply(&app, &sound).await.expect(202);
}

#[tokio::test]
async fn g_6_2_2_1_a_receipt_shows_its_state_to_whoever_has_its_code() {
    let app = TestApp::start().await;
    let (mut filed, mut ids) = (Vec::new(), Vec::new());
    for (name, user) in [("示例农户甲", "shili-jia"), ("示例农户乙", "shili-yi")] {
        let body = application(&farmer(name), (user, "13811117777"));
        filed.push(apply(&app, &body).await.expect(202));
        ids.push(newest(&app).await);
    }
    let right = filed[0]["code"].as_str().unwrap();
    let none = look(&app, &json!("SQ000000000000"), right).await.expect(404);
    for code in ["", "0", filed[1]["code"].as_str().unwrap()] {
        let wrong = look(&app, &filed[0]["receipt"], code).await.expect(404);
        assert_eq!(wrong["detail"], none["detail"]);
    }
    let short = json!({ "reason": " " });
    app.post("reviewer", &format!("{QUEUE}/{}/return", ids[0]), short).await.expect(422);
    decide(&app, (&ids[0], "return"), false).await.expect(200);
    decide(&app, (&ids[1], "reject"), false).await.expect(200);
    assert_eq!(decide(&app, (&ids[0], "approve"), false).await.status, 409);
    for (filed, state) in filed.iter().zip(["returned", "rejected"]) {
        let found = shown(&app, filed).await;
        assert_eq!((&found["state"], &found["reason"]), (&json!(state), &json!("已电话核实")));
        let members: Vec<_> = found.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["at", "decided_at", "reason", "receipt", "state"]);
    }
    // What came is not kept of those who are not registered.
    let live = "SELECT COUNT(*) FROM data_key k JOIN subject_application a ON a.id = k.owner \
                WHERE k.wrapped IS NOT NULL";
    assert_eq!(app.count(live).await, 0);
}

#[tokio::test]
async fn g_6_2_2_1_who_applied_is_in_no_dump_and_no_other_regions_queue() {
    let mut app = TestApp::start().await;
    let mut subject = farmer("示例农户甲");
    subject["contact_phone"] = json!("13755519999");
    let filed = apply(&app, &application(&subject, ("shili-jia", "13755518888"))).await.expect(202);
    let id = newest(&app).await;
    let bytes = dump(&app).await;
    for secret in ["13755519999", "13755518888", "示例申请人甲", filed["code"].as_str().unwrap()]
    {
        assert!(!holds(&bytes, secret), "{secret}");
    }
    assert!(holds(&bytes, filed["receipt"].as_str().unwrap()), "the dump shows what is stored");
    somebody(&mut app, "here", &json!({ "region": "610100" }), 4).await;
    somebody(&mut app, "elsewhere", &json!({ "region": "370000" }), 4).await;
    let path = format!("{QUEUE}/{id}");
    assert_eq!(app.get("here", QUEUE).await.expect(200)["items"][0]["id"], json!(id));
    app.get("here", &path).await.expect(200);
    assert_eq!(app.get("elsewhere", QUEUE).await.expect(200)["items"], json!([]));
    assert_eq!(app.get("elsewhere", &path).await.status, 404);
    // Reading is not deciding, and an enterprise sees none.
    let body = json!({ "reason": "已电话核实" });
    assert_eq!(app.post("here", &format!("{path}/approve"), body).await.status, 403);
    assert_eq!(app.get("enterprise", QUEUE).await.status, 403);
}
