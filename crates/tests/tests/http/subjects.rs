//! G-6.2.2: subjects in full: their elements, codes, licences, sites and states.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yj_model::SubjectCode;

use crate::{
    harness::{Answer, TestApp, harvest},
    houses::id_of,
};

pub const REGISTER: &str = "/api/v1/trace_subject";

pub fn farmer(name: &str) -> Value {
    json!({
        "name": name, "kind": "07", "roles": ["10"], "region": "610116",
        "industry_code": "0141", "legal_rep": "示例甲", "contact_name": "示例联系人", "contact_phone": "13800000000",
    })
}

pub fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

/// Approves what was filed; the record's identifier.
pub async fn approved(app: &TestApp, table: &str, filed: &Value) -> String {
    let request = match &filed["change_request"] {
        Value::String(id) => id.clone(),
        request => id_of(request),
    };
    let path = format!("/api/v1/{table}/changes/{request}/approve");
    let decided = app.post("reviewer", &path, json!({})).await.expect(200);
    String::from(decided["record"].as_str().unwrap())
}

/// Registers and approves; the record as the supervisor sees it.
pub async fn registered(app: &TestApp, body: Value) -> Value {
    let filed = app.post("supervisor", REGISTER, body).await.expect(202);
    let id = approved(app, "trace_subject", &filed).await;
    app.get("supervisor", &format!("{REGISTER}/{id}")).await.expect(200)
}

pub async fn act(
    app: &TestApp,
    user: &str,
    (subject, verb): (&Value, &str),
    version: i64,
) -> Answer {
    let path = format!("{REGISTER}/{}/{verb}", id_of(subject));
    app.change(user, ("POST", &path), version, json!({ "reason": "核对登记" })).await
}

pub async fn resolved(app: &TestApp, code: &str) -> Answer {
    app.get("supervisor", &format!("{REGISTER}/resolve?code={code}")).await
}

#[tokio::test]
async fn g_6_2_2_1_a_subject_has_every_element_of_the_dictionary() {
    let app = TestApp::start().await;
    let mut body = farmer("示例农户甲");
    let elements = json!({
        "industry_code": "a0141", "legal_rep": "示例甲", "legal_rep_id_kind": "111",
        "legal_rep_id": "11010519491231002x", "email": "sample@example.cn",
        "lon": "108.952730", "lat": "34.261550", "datum": "gcj02",
        "status": "70", "successor_id": null,
    });
    body.as_object_mut().unwrap().extend(elements.as_object().unwrap().clone());
    let stored = registered(&app, body.clone()).await;
    let shown = ["industry_code", "datum", "datum_given", "status", "source_system"]
        .map(|name| stored[name].as_str().unwrap());
    assert_eq!(shown, ["0141", "cgcs2000", "gcj02", "40", "direct"], "{stored}");
    // What was given in GCJ-02 lies some hundred metres from where it seems to.
    let lon: f64 = stored["lon"].as_str().unwrap().parse().unwrap();
    assert!((0.003..0.007).contains(&(108.952_73 - lon)), "{lon}");
    assert!(stored["legal_rep_id"].as_str().unwrap().contains('*'), "{stored}");
    // A change of something else moves nothing, and does not change the state.
    let path = format!("{REGISTER}/{}", id_of(&stored));
    let change = json!({ "address": "示例村 2 组", "status": "70" });
    let filed = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    let after = app.get("supervisor", &path).await.expect(200);
    for name in ["lon", "lat", "datum_given", "status", "code"] {
        assert_eq!(after[name], stored[name], "{name}");
    }
    // The same person is found by the number, however it is written, and only by it.
    let find = async |number: &str| {
        let path = format!("{REGISTER}?legal_rep_id={number}");
        app.get("supervisor", &path).await.expect(200)["items"].as_array().unwrap().len()
    };
    assert_eq!((find("11010519491231002X").await, find("110105194912310021").await), (1, 0));
    assert_eq!(
        app.count("SELECT COUNT(*) FROM trace_subject WHERE legal_rep_id LIKE '%19491231%'").await,
        0
    );
    let by_industry = format!("{REGISTER}?industry_code=01&count=true");
    let found = app.get("supervisor", &by_industry).await.expect(200);
    assert_eq!(found["total"]["count"], 3);
    body["legal_rep_id"] = json!("110105194912310046");
    for (name, value, word) in [
        ("industry_code", "B0141", "门类 A"),
        ("legal_rep_id", "110105194912310021", "校验位"),
        ("email", "nobody", "电子邮箱"),
        ("datum", "北京54", "BD-09"),
        ("lon", "190", "经度"),
    ] {
        let mut wrong = body.clone();
        wrong[name] = json!(value);
        let refused = app.post("supervisor", REGISTER, wrong).await.expect(422);
        assert!(detail(&refused).contains(word), "{name}: {refused}");
    }
    body["legal_rep_id_kind"] = Value::Null;
    let refused = app.post("supervisor", REGISTER, body).await.expect(422);
    assert!(detail(&refused).contains("证件类型"), "{refused}");
}

#[tokio::test]
async fn g_6_2_2_1_who_has_no_credit_code_is_issued_one_and_eight_at_once_get_different_ones() {
    const EACH: usize = 25;
    let app = std::sync::Arc::new(TestApp::start().await);
    // One number of the division is taken by a code from elsewhere.
    let taken = SubjectCode::issue(610_116, 7, 3).unwrap();
    let mut known = farmer("示例农户甲");
    known["code"] = json!(taken);
    registered(&app, known).await;
    let clients = (0..8).map(|client: usize| {
        let app = app.clone();
        tokio::spawn(async move {
            let mut codes = Vec::new();
            for number in 0..EACH {
                let code = if client.is_multiple_of(2) {
                    let wanted = json!({ "region": "610116001", "kind": "07" });
                    app.post("supervisor", &format!("{REGISTER}/code"), wanted).await.expect(201)
                } else {
                    let name = format!("示例农户{client}-{number}");
                    let filed = app.post("supervisor", REGISTER, farmer(&name)).await.expect(202);
                    filed["change_request"]["body"].clone()
                };
                codes.push(String::from(code["code"].as_str().unwrap()));
            }
            codes
        })
    });
    let mut codes = BTreeSet::new();
    for client in clients.collect::<Vec<_>>() {
        codes.extend(client.await.unwrap());
    }
    assert_eq!(codes.len(), 8 * EACH, "no code twice");
    assert!(!codes.contains(taken.as_str()));
    assert!(codes.iter().all(|code| code.parse::<SubjectCode>().is_ok()));
    let last = SubjectCode::issue(610_116, 7, u32::try_from(8 * EACH + 1).unwrap()).unwrap();
    assert_eq!(codes.last().map(String::as_str), Some(last.as_str()), "and none left out");
    let mut enterprise = farmer("示例企业");
    enterprise["kind"] = json!("01");
    let refused = app.post("supervisor", REGISTER, enterprise).await.expect(422);
    assert!(detail(&refused).contains("统一社会信用代码"), "{refused}");
    for (user, region, kind) in [
        ("supervisor", "610116", "01"),
        ("supervisor", "620100", "07"),
        ("farm", "610525", "07"),
        ("supervisor", "6", "07"),
        ("supervisor", "610116", "7"),
    ] {
        let wanted = json!({ "region": region, "kind": kind });
        let refused = app.post(user, &format!("{REGISTER}/code"), wanted).await;
        assert_eq!(refused.status, 422, "{user} {region} {kind}");
    }
}

#[tokio::test]
async fn g_6_2_2_1_the_same_code_in_a_second_region_is_a_site_and_no_second_subject() {
    let app = TestApp::start().await;
    let factory = app.subject("示例蔬菜加工厂").await;
    let mut again = json!({
        "code": factory["code"], "name": factory["name"], "kind": "01", "roles": ["21"],
        "region": "610802", "contact_name": "示例联系人", "contact_phone": "13800000000",
    });
    let refused = app.post("supervisor", REGISTER, again.clone()).await.expect(422);
    assert!(detail(&refused).contains("经营场所"), "{refused}");
    again["region"] = factory["region"].clone();
    let refused = app.post("supervisor", REGISTER, again).await.expect(409);
    assert!(refused["code"] == "duplicate" && detail(&refused).contains("申请变更"), "{refused}");
    let site = json!({
        "subject_code": factory["code"], "name": "示例榆林分厂", "kind": "plant",
        "region": "610802", "address": "示例园区 1 号", "lon": "109.7347000", "lat": "38.2853000",
        "datum": "bd09", "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/site", site.clone()).await.expect(202);
    let id = approved(&app, "site", &filed).await;
    let path = format!("/api/v1/site/{id}");
    let stored = app.get("enterprise", &path).await.expect(200);
    assert_eq!(
        (&stored["subject_id"], &stored["datum"], &stored["datum_given"]),
        (&factory["id"], &"cgcs2000".into(), &"bd09".into())
    );
    assert_eq!(app.get("farm", &path).await.status, 404);
    let list = format!("/api/v1/site?subject_id={}&count=true", id_of(&factory));
    let found = app.get("supervisor", &list).await.expect(200);
    assert_eq!(found["total"]["count"], 2, "the demonstration has one already");
    assert_eq!(found["names"][id_of(&factory)], factory["name"]);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM trace_subject WHERE name = '示例蔬菜加工厂'").await,
        1
    );
    // A former code names the subject as well as the present one.
    let mut by_alias = site.clone();
    by_alias["subject_code"] = json!(&factory["code"].as_str().unwrap()[8..17]);
    by_alias["name"] = json!("示例榆林门市");
    let filed = app.post("enterprise", "/api/v1/site", by_alias).await.expect(202);
    assert_eq!(filed["change_request"]["body"]["subject_code"], factory["code"]);
    // Nobody registers sites of others, or of nobody.
    assert_eq!(app.post("farm", "/api/v1/site", site.clone()).await.status, 422);
    let mut unknown = site;
    unknown["subject_code"] = json!(SubjectCode::issue(610_116, 7, 99).unwrap());
    let refused = app.post("supervisor", "/api/v1/site", unknown).await.expect(422);
    assert!(detail(&refused).contains("请先登记主体"), "{refused}");
}

#[tokio::test]
async fn g_6_2_2_1_licences_are_checked_filtered_by_their_end_and_have_their_paper() {
    let app = TestApp::start().await;
    let factory = app.subject("示例蔬菜加工厂").await;
    let shop = app.subject("示例蔬菜零售店甲").await;
    let licence = |no: &str, until: &str| {
        json!({
            "subject_id": factory["id"], "kind": "201", "no": no, "issuer": "示例市场监督管理局",
            "valid_from": "2026-01-01", "valid_to": until,
        })
    };
    let path = "/api/v1/licence";
    let body = "1166101169002";
    let check = char::from(yj_model::mod11_10(body.as_bytes()).unwrap());
    let sound = format!("SC{body}{check}");
    let sound = sound.as_str();
    let mistyped = sound.replace("SC116", "SC117");
    let of_shop = app.get("supervisor", &format!("{path}?kind=202")).await.expect(200);
    let of_shop = of_shop["items"][0]["no"].as_str().unwrap();
    for (no, word) in
        [(mistyped.as_str(), "校验位"), (of_shop, "以 SC 开头"), (&sound[..15], "14 位数字")]
    {
        let refused = app.post("enterprise", path, licence(no, "2027-01-01")).await.expect(422);
        assert!(detail(&refused).contains(word), "{refused}");
    }
    let refused = app.post("enterprise", path, licence(sound, "2025-12-31")).await.expect(422);
    assert!(detail(&refused).contains("不能早于"), "{refused}");
    let filed = app.post("enterprise", path, licence(sound, "2026-11-30")).await.expect(202);
    let id = approved(&app, "licence", &filed).await;
    let one = format!("{path}/{id}");
    let stored = app.get("enterprise", &one).await.expect(200);
    assert_eq!((&stored["region"], &stored["no"]), (&factory["region"], &json!(sound)));
    assert_eq!(app.get("farm", &one).await.status, 404);
    // A number issued once in the country belongs to one subject.
    let mut stolen = licence(sound, "2027-01-01");
    stolen["subject_id"] = shop["id"].clone();
    let refused = app.post("supervisor", path, stolen).await.expect(422);
    assert!(detail(&refused).contains("另一个主体"), "{refused}");
    // The day decides: 30 days before the end, and the day after it.
    let list = async |query: &str| {
        let path = format!("/api/v1/licence/validity?{query}");
        app.get("supervisor", &path).await.expect(200)
    };
    let holds = |answer: &Value| {
        answer["items"].as_array().unwrap().iter().any(|one| one["id"] == json!(id))
    };
    let expiring = list("state=expiring").await;
    assert!(holds(&expiring) && expiring["items"].as_array().unwrap().len() == 2, "{expiring}");
    assert_eq!(
        expiring["counts"],
        json!({ "pending": 0, "valid": 3, "expiring": 2, "expired": 1 })
    );
    assert!(!holds(&list("state=expiring&within=5").await));
    assert!(holds(&list("state=valid&within=5").await));
    let range = "/api/v1/licence?valid_to.from=2026-11-19&valid_to.to=2026-12-19&count=true";
    assert_eq!(app.get("supervisor", range).await.expect(200)["total"]["count"], 2);
    assert_eq!(app.get("supervisor", "/api/v1/licence/validity?state=x").await.status, 422);
    let own = app.get("enterprise", "/api/v1/licence/validity").await.expect(200);
    assert!(own["items"].as_array().unwrap().iter().all(|one| one["subject_id"] == factory["id"]));
    // The paper itself is a file of the record.
    let upload = format!("/api/v1/attachments?name=licence.pdf&entity=licence&record={id}");
    let kind = [("content-type", "application/octet-stream")];
    let pdf = || Some(b"%PDF-1.4 sample".to_vec());
    app.send("POST", &upload, Some("enterprise"), &kind, pdf()).await.expect(201);
    assert_eq!(app.send("POST", &upload, Some("farm"), &kind, pdf()).await.status, 404);
    let files = format!("/api/v1/attachments?entity=licence&record={id}");
    let files = app.get("reviewer", &files).await.expect(200).to_string();
    assert!(files.contains("licence.pdf"), "{files}");
    // The subject moves, and its licences with it.
    let path = format!("{REGISTER}/{}", id_of(&factory));
    let moved = json!({ "region": "610403" });
    let filed = app.change("supervisor", ("PATCH", &path), 1, moved).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    let stored = app.get("enterprise", &one).await.expect(200);
    assert_eq!((&stored["region"], &stored["version"]), (&json!("610403"), &json!(2)));
}

#[tokio::test]
async fn g_6_2_2_1_a_former_code_leads_to_its_subject_for_ever() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let shop = app.subject("示例蔬菜零售店甲").await;
    let body = "61052510000001";
    let check = char::from(yj_model::mod11_10(body.as_bytes()).unwrap());
    let registration = format!("{body}{check}");
    let zs = SubjectCode::issue(610_525, 9, 8).unwrap().to_string();
    let alias = |kind: &str, code: &str, subject: &Value| json!({ "kind": kind, "code": code, "subject_id": subject["id"] });
    let path = "/api/v1/subject_alias";
    for (kind, code, subject) in [
        ("reg15", registration.as_str(), &farm),
        ("org9", "D2143569-X", &shop),
        ("node9", "610525901", &farm),
        ("merchant13", "6105259010001", &farm),
        ("trace20", "61052590100010000001", &farm),
        ("zs", &zs, &farm),
    ] {
        let filed = app.post("supervisor", path, alias(kind, code, subject)).await.expect(202);
        approved(&app, "subject_alias", &filed).await;
        let found = resolved(&app, code).await.expect(200);
        assert_eq!((&found["id"], &found["former"]), (&subject["id"], &json!(kind)), "{code}");
    }
    for (kind, code, subject, word) in [
        ("reg15", "610525100000010", &farm, "校验位"),
        ("org9", "D21435691", &farm, "校验位"),
        ("node9", "61052590", &farm, "9 位"),
        ("uscc", shop["code"].as_str().unwrap(), &farm, "现用代码"),
        ("zs", farm["code"].as_str().unwrap(), &farm, "ZS"),
    ] {
        let refused = app.post("supervisor", path, alias(kind, code, subject)).await.expect(422);
        assert!(detail(&refused).contains(word), "{refused}");
    }
    // One code, one subject; and it stays.
    let filed = app.post("supervisor", path, alias("zs", &zs, &shop)).await.expect(202);
    let approve = format!("{path}/changes/{}/approve", id_of(&filed["change_request"]));
    assert_eq!(app.post("reviewer", &approve, json!({})).await.status, 409);
    let found = app.get("supervisor", &format!("{path}?code={zs}")).await.expect(200);
    let one = format!("{path}/{}", id_of(&found["items"][0]));
    let moved = json!({ "subject_id": shop["id"] });
    let refused = app.change("supervisor", ("PATCH", &one), 1, moved).await.expect(409);
    assert!(detail(&refused).contains("永久"), "{refused}");
    let filed = app.change("supervisor", ("PATCH", &one), 1, json!({ "note": "原平台" })).await;
    approved(&app, "subject_alias", &filed.expect(202)).await;
    assert_eq!(app.change("supervisor", ("DELETE", &one), 2, json!({})).await.status, 405);
    // Nobody else can be registered under it, and what happens under it is the subject's.
    let mut other = farmer("示例农户乙");
    other["code"] = json!(zs);
    assert_eq!(app.post("supervisor", REGISTER, other).await.status, 422);
    let event = harvest(&json!({ "code": zs }), "ALIAS-1");
    app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
    let found = app.get("farm", "/api/v1/trace/events?code=ALIAS-1").await.expect(200);
    assert_eq!(found["items"][0]["subject"]["code"], farm["code"]);
    // Files may name it by any of them, whoever may see it.
    let file = "旧代码,旧代码类型,追溯主体\n610525902,node9,610525901\n\
                610525903,node9,61052590100010000001\n610525904,node9,D21435690\n";
    let job = app.import("supervisor", &format!("{path}/import?name=a.csv"), file.into()).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&json!(2), &json!(1)), "{job}");
    let waiting = app.get("reviewer", &format!("{path}/changes?state=submitted")).await;
    let waiting = waiting.expect(200);
    let taken = waiting["items"].as_array().unwrap().iter();
    for request in taken.filter(|request| request["body"]["kind"] == "node9") {
        assert_eq!(request["body"]["subject_id"], farm["id"], "{request}");
    }
    // Whoever may not see the subject learns nothing from its codes.
    let path = format!("{REGISTER}/resolve?code={zs}");
    let (hidden, nobody) = (
        app.get("enterprise", &path).await,
        app.get("enterprise", &format!("{REGISTER}/resolve?code=ZS0")).await,
    );
    assert_eq!((hidden.status, &hidden.body["detail"]), (404, &nobody.body["detail"]));
    assert_eq!(app.get("supervisor", &format!("{REGISTER}/resolve")).await.status, 422);
}

#[tokio::test]
async fn g_6_2_2_1_a_credit_code_that_comes_later_replaces_the_issued_one() {
    let app = TestApp::start().await;
    let farmer = registered(&app, farmer("示例农户甲")).await;
    let issued = farmer["code"].as_str().unwrap();
    let path = format!("{REGISTER}/{}", id_of(&farmer));
    let change = json!({ "kind": "03", "code": "93610525MAYJ000496" });
    let filed = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(202);
    approved(&app, "trace_subject", &filed).await;
    let found = resolved(&app, issued).await.expect(200);
    assert_eq!(
        (&found["id"], &found["code"], &found["former"]),
        (&farmer["id"], &json!("93610525MAYJ000496"), &json!("zs"))
    );
    // But no code is exchanged for another.
    let change = json!({ "code": "91610403MAYJ00022K" });
    let refused = app.change("supervisor", ("PATCH", &path), 2, change).await.expect(422);
    assert!(detail(&refused).contains("不再更改"), "{refused}");
}

#[tokio::test]
async fn g_6_2_2_2_a_subject_is_suspended_resumed_and_closed_with_a_reason() {
    let app = TestApp::start().await;
    let farmer = registered(&app, farmer("示例农户甲")).await;
    let refused = act(&app, "farm", (&farmer, "suspend"), 1).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let path = format!("{REGISTER}/{}", id_of(&farmer));
    let unsaid =
        app.post("supervisor", &format!("{path}/suspend"), json!({ "reason": "核对登记" })).await;
    assert!(detail(&unsaid.expect(422)).contains("If-Match"));
    let suspend = format!("{path}/suspend");
    let mute = app.change("supervisor", ("POST", &suspend), 1, json!({ "reason": " " })).await;
    assert!(detail(&mute.expect(422)).contains("理由"));
    let refused = act(&app, "supervisor", (&farmer, "resume"), 1).await.expect(409);
    assert!(detail(&refused).contains("当前为“有效”，不能恢复"), "{refused}");
    let done = act(&app, "supervisor", (&farmer, "suspend"), 1).await.expect(200);
    assert_eq!((&done["status"], &done["version"]), (&json!("60"), &json!(2)));
    let stale = act(&app, "supervisor", (&farmer, "resume"), 1).await.expect(409);
    assert_eq!(stale["code"], "stale-version");
    let list = format!("{REGISTER}?status=60&count=true");
    assert_eq!(app.get("supervisor", &list).await.expect(200)["total"]["count"], 1);
    act(&app, "supervisor", (&farmer, "resume"), 2).await.expect(200);
    act(&app, "supervisor", (&farmer, "close"), 3).await.expect(200);
    for verb in ["suspend", "resume", "close"] {
        assert_eq!(act(&app, "supervisor", (&farmer, verb), 4).await.status, 409, "{verb}");
    }
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!((&stored["status"], &stored["version"]), (&json!("70"), &json!(4)));
    let history = app.get("supervisor", &format!("{path}/history")).await.expect(200);
    let history = history.as_array().unwrap();
    let actions: BTreeSet<_> = history.iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(actions, BTreeSet::from(["created", "suspended", "resumed", "closed"]));
    assert!(history.iter().any(|one| one["changes"]["reason"] == "核对登记"), "{history:?}");
    let told = "SELECT COUNT(*) FROM outbox WHERE topic = 'trace_subject.suspended'";
    assert_eq!(app.count(told).await, 1);
    assert_eq!(act(&app, "supervisor", (&json!({ "id": "none" }), "close"), 1).await.status, 404);
}

#[tokio::test]
async fn g_6_2_2_1_a_merchant_begins_at_a_known_node_and_stands_for_whom_one_may_see() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let node = async |code: &str, region: &str| {
        let body = json!({
            "code": code, "name": "示例市场", "kind": "market", "subject_id": subject["id"],
            "region": region, "in_use": true,
        });
        let filed = app.post("supervisor", "/api/v1/node", body).await.expect(202);
        approved(&app, "node", &filed).await
    };
    let (first, second) = (node("610116001", "610116").await, node("610403001", "610403").await);
    let merchant = |code: &str, node: &str, subject: &Value| {
        json!({
            "code": code, "name": "示例商户", "kind": "individual", "node_id": node,
            "goods": ["0102"], "contact_name": "示例甲", "contact_phone": "13800000001",
            "in_use": true, "subject_id": subject,
        })
    };
    let path = "/api/v1/merchant";
    let refused =
        app.post("supervisor", path, merchant("6108020010001", &first, &Value::Null)).await;
    assert!(detail(&refused.expect(422)).contains("不是已登记的节点编码"));
    // The market's people cannot name who they may not see; the supervisor can.
    let code = "6101160010001";
    let refused =
        app.post("enterprise", path, merchant(code, &first, &farm["id"])).await.expect(422);
    assert!(detail(&refused).contains("数据权限范围"), "{refused}");
    let filed = app.post("supervisor", path, merchant(code, &first, &farm["id"])).await.expect(202);
    let id = approved(&app, "merchant", &filed).await;
    // What stands there already stays when they change something else.
    let one = format!("{path}/{id}");
    let filed =
        app.change("enterprise", ("PATCH", &one), 1, json!({ "booth": "A-9" })).await.expect(202);
    approved(&app, "merchant", &filed).await;
    // It moves to another market and keeps its code.
    let filed = app
        .change("supervisor", ("PATCH", &one), 2, json!({ "node_id": second }))
        .await
        .expect(202);
    approved(&app, "merchant", &filed).await;
    let stored = app.get("supervisor", &one).await.expect(200);
    assert_eq!((&stored["code"], &stored["region"]), (&json!(code), &json!("610403")));
    // A node code of an older platform begins a code as well.
    let alias = json!({ "kind": "node9", "code": "610116902", "subject_id": subject["id"] });
    let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
    approved(&app, "subject_alias", &filed).await;
    app.post("supervisor", path, merchant("6101169020001", &first, &Value::Null)).await.expect(202);
}
