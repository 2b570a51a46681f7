//! G-6.3.3, D-7.2.2: what is known of a product, and what happens to it: packages, approvals,
//! images, suspension and recall.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    harness::{TestApp, harvest},
    houses::id_of,
    packs::stricter,
};

const ALL: &str = "/api/v1/product";

fn product(subject: &Value, code: &str) -> Value {
    json!({
        "code": code, "name": "示例产品", "domain": "agri", "catalogue_code": "010106",
        "unit": "KGM", "subject_id": subject["id"], "region": "610116",
    })
}

async fn approve(app: &TestApp, request: &Value) -> Value {
    let id = request["change_request"]["id"].as_str().unwrap_or_else(|| panic!("{request}"));
    let path = format!("{ALL}/changes/{id}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200)["record"].clone()
}

/// Registers a product and returns its identifier.
async fn registered(app: &TestApp, body: Value) -> Value {
    let filed = app.post("supervisor", ALL, body).await.expect(202);
    approve(app, &filed).await
}

fn one(id: &Value) -> String {
    format!("{ALL}/{}", id.as_str().unwrap())
}

async fn refused(app: &TestApp, body: Value) -> String {
    let answer = app.post("supervisor", ALL, body).await.expect(422);
    String::from(answer["detail"].as_str().unwrap())
}

/// The product of the golden chain.
async fn leek(app: &TestApp) -> Value {
    app.get("supervisor", &format!("{ALL}?code=YJ-JC-01")).await.expect(200)["items"][0].clone()
}

#[tokio::test]
async fn g_6_3_3_a_product_is_registered_with_everything_that_is_known_of_it() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let mut body = product(&subject, "P-1");
    for (field, value) in [
        ("generic_name", json!("韭菜")),
        ("model", json!("示例-1")),
        ("item_code", json!("HH-001")),
        ("shelf_life", json!(18)),
        ("shelf_life_unit", json!("month")),
        ("storage", json!("0 至 4 ℃ 冷藏")),
        ("origin_region", json!("610525")),
        ("approval_no", json!("12345678901234567")),
        ("approval_until", json!("2027-01-01")),
        // What the platform fills in is not the client's to say.
        ("state", json!("recalling")),
        ("recall_level", json!("first")),
        ("catalogue_version", json!(99)),
    ] {
        body[field] = value;
    }
    let id = registered(&app, body.clone()).await;
    let stored = app.get("supervisor", &one(&id)).await.expect(200);
    for field in ["generic_name", "item_code", "shelf_life_unit", "storage", "origin_region"] {
        assert_eq!(stored[field], body[field], "{field}");
    }
    assert_eq!(
        (&stored["maker_id"], &stored["category"], &stored["catalogue_version"], &stored["state"]),
        (&subject["id"], &"葱蒜类".into(), &1.into(), &"active".into())
    );
    assert_eq!((&stored["recall_level"], &stored["state_since"]), (&Value::Null, &Value::Null));
    for (field, value, word) in [
        ("catalogue_code", Value::Null, "必填"),
        ("catalogue_code", json!("0201"), "与所填产品领域不一致"),
        ("catalogue_code", json!("01"), "请选到行业"),
        ("catalogue_code", json!("010188"), "没有已发布的分类"),
        ("shelf_life", json!(0), "1 至 36500"),
        ("approval_until", json!("2026-11-18"), "到期"),
        ("approval_no", json!("123"), "17 位"),
        ("approval_no", Value::Null, "请同时填写批准文号"),
    ] {
        let mut wrong = body.clone();
        (wrong["code"], wrong["item_code"]) = (json!("P-2"), Value::Null);
        wrong[field] = value;
        let detail = refused(&app, wrong).await;
        assert!(detail.contains(word), "{field}: {detail}");
    }
    // The same item code for two products of one owner.
    body["code"] = json!("P-3");
    let filed = app.post("supervisor", ALL, body).await.expect(202);
    let path = format!("{ALL}/changes/{}/approve", filed["change_request"]["id"].as_str().unwrap());
    assert_eq!(app.post("reviewer", &path, json!({})).await.expect(409)["code"], "duplicate");
    let found = app.get("supervisor", &format!("{ALL}?item_code=HH-001")).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let found = app.get("supervisor", &format!("{ALL}?catalogue_code=08")).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 5, "a class with all below it");
}

#[tokio::test]
async fn g_6_3_3_approvals_are_checked_by_the_rules_of_their_domain() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    for (domain, class, wrong, word, right, stored) in [
        ("food", "020101", "SC12434017430076", "校验位", "SC12434017430075", "SC12434017430075"),
        ("drug", "0301", "H20040001", "国药准字", "国药准字h20040001", "国药准字H20040001"),
        ("agri_input", "0401", "PD20A", "农药登记证号", "PD20200001", "PD20200001"),
        ("special_equipment", "0503", "TS1", "TS", "梯11陕A00001（26）", "梯11陕A00001(26)"),
        ("dangerous", "060103", "67-56-2", "CAS", "67-56-1", "67-56-1"),
        ("dangerous", "060103", "UN12", "4 位数字", "un1230", "UN1230"),
        ("industrial", "080503", "XK1", "XK13", "XK13-003-00001", "XK13-003-00001"),
    ] {
        let mut body = product(&subject, &format!("A-{domain}-{}", stored.len()));
        (body["domain"], body["catalogue_code"]) = (json!(domain), json!(class));
        body["approval_no"] = json!(wrong);
        let detail = refused(&app, body.clone()).await;
        assert!(detail.contains(word), "{domain}: {detail}");
        body["approval_no"] = json!(right);
        let filed = app.post("supervisor", ALL, body).await.expect(202);
        assert_eq!(filed["change_request"]["body"]["approval_no"], stored, "{domain}");
    }
}

#[tokio::test]
async fn g_6_3_3_packages_hold_smaller_ones_and_never_each_other() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let pack = |code: &str, level: &str, inner: Option<&Value>| {
        let mut body = product(&subject, code);
        body["pack_level"] = json!(level);
        if let Some(inner) = inner {
            (body["inner_id"], body["inner_count"]) = (inner.clone(), json!(12));
        }
        body
    };
    let item = registered(&app, pack("K-1", "item", None)).await;
    let case = registered(&app, pack("K-2", "case", Some(&item))).await;
    let pallet = registered(&app, pack("K-3", "pallet", Some(&case))).await;
    let stored = app.get("supervisor", &one(&pallet)).await.expect(200);
    assert_eq!((&stored["inner_id"], &stored["inner_count"]), (&case, &12.into()));
    for (body, word) in [
        (pack("K-4", "case", Some(&pallet)), "不能是托盘"),
        (pack("K-4", "case", Some(&case)), "不能是箱"),
        (pack("K-4", "item", Some(&item)), "单品不含内装产品"),
    ] {
        let detail = refused(&app, body).await;
        assert!(detail.contains(word), "{detail}");
    }
    let mut uncounted = pack("K-4", "case", Some(&item));
    uncounted["inner_count"] = Value::Null;
    assert!(refused(&app, uncounted).await.contains("内装多少个"));
    let mut unlevelled = pack("K-4", "case", Some(&item));
    unlevelled["pack_level"] = Value::Null;
    assert!(refused(&app, unlevelled).await.contains("包装层级"));
    // No circle, neither by the content nor by the level.
    for (change, word) in [
        (json!({ "pack_level": "container", "inner_id": pallet, "inner_count": 1 }), "层级应更小"),
        (json!({ "inner_id": case }), "自己"),
        (json!({ "pack_level": "pallet" }), "层级应更小"),
    ] {
        let answer = app.change("supervisor", ("PATCH", &one(&case)), 1, change).await.expect(422);
        assert!(answer["detail"].as_str().unwrap().contains(word), "{answer}");
    }
    // An enterprise cannot pack what it cannot see.
    let own = app.subject("示例韭菜合作社一社").await;
    let mut theirs = pack("K-5", "case", Some(&item));
    (theirs["subject_id"], theirs["region"]) = (own["id"].clone(), json!("610525"));
    let answer = app.post("farm", ALL, theirs).await.expect(422);
    assert!(answer["detail"].as_str().unwrap().contains("没有这个产品"), "{answer}");
}

#[tokio::test]
async fn g_6_3_3_an_image_is_hung_on_a_product_by_its_owner_alone() {
    let app = TestApp::start().await;
    let leek = leek(&app).await;
    let path = format!(
        "/api/v1/attachments?name=leek.png&entity=product&record={}",
        leek["id"].as_str().unwrap()
    );
    let kind = [("content-type", "application/octet-stream")];
    let image = || Some(b"\x89PNG\r\n\x1a\nsample".to_vec());
    let stored = app.send("POST", &path, Some("enterprise"), &kind, image()).await.expect(201);
    assert_eq!(stored["media_type"], "image/png");
    assert_eq!(app.send("POST", &path, Some("farm"), &kind, image()).await.status, 404);
    assert_eq!(app.send("POST", &path, Some("reviewer"), &kind, image()).await.status, 403);
    let list =
        format!("/api/v1/attachments?entity=product&record={}", leek["id"].as_str().unwrap());
    let found = app.get("enterprise", &list).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let file = format!("/api/v1/attachments/{}", stored["id"].as_str().unwrap());
    assert_eq!(app.get("enterprise", &file).await.status, 200);
    assert_eq!(app.get("supervisor", &file).await.status, 200);
    assert_eq!(app.get("farm", &file).await.status, 404);
}

#[tokio::test]
async fn d_7_2_2_suspension_and_recall_have_their_own_rights_reasons_and_order() {
    let app = TestApp::start().await;
    let leek = leek(&app).await;
    let path = one(&leek["id"]);
    let act = async |user: &str, verb: &str, version: i64, body: Value| {
        app.change(user, ("POST", &format!("{path}/{verb}")), version, body).await
    };
    let because = || json!({ "reason": "抽检不合格" });
    for user in ["enterprise", "reviewer", "auditor"] {
        assert_eq!(act(user, "suspend", 1, because()).await.status, 403, "{user}");
        let body = json!({ "reason": "抽检不合格", "level": "first" });
        assert_eq!(act(user, "recall", 1, body).await.status, 403, "{user}");
    }
    act("supervisor", "suspend", 1, json!({ "reason": " " })).await.expect(422);
    assert_eq!(
        act("supervisor", "suspend", 9, because()).await.expect(409)["code"],
        "stale-version"
    );
    let unsaid = app.post("supervisor", &format!("{path}/suspend"), because()).await.expect(422);
    assert!(unsaid["detail"].as_str().unwrap().contains("If-Match"));
    let early = act("supervisor", "resume", 1, because()).await.expect(409);
    assert!(early["detail"].as_str().unwrap().contains("现为“正常”，不能恢复"), "{early}");
    let after = act("supervisor", "suspend", 1, because()).await.expect(200);
    assert_eq!((&after["state"], &after["version"]), (&"suspended".into(), &2.into()));
    let listed = app.get("enterprise", &format!("{ALL}?state=suspended")).await.expect(200);
    assert_eq!(listed["items"][0]["code"], "YJ-JC-01");
    assert_eq!(listed["items"][0]["state_reason"], "抽检不合格");
    let unlevelled = act("supervisor", "recall", 2, because()).await.expect(422);
    assert!(unlevelled["detail"].as_str().unwrap().contains("召回级别"), "{unlevelled}");
    let unknown = json!({ "reason": "抽检不合格", "level": "fourth" });
    act("supervisor", "recall", 2, unknown).await.expect(422);
    let body = json!({ "reason": "农药残留超标", "level": "second" });
    let after = act("supervisor", "recall", 2, body).await.expect(200);
    assert_eq!((&after["state"], &after["recall_level"]), (&"recalling".into(), &"second".into()));
    assert_eq!(act("supervisor", "resume", 3, because()).await.status, 409);
    assert_eq!(act("supervisor", "suspend", 3, because()).await.status, 409);
    let listed = app.get("supervisor", &format!("{ALL}?recall_level=second")).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let closed = act("supervisor", "close-recall", 3, because()).await.expect(200);
    assert_eq!((&closed["state"], &closed["recall_level"]), (&"suspended".into(), &Value::Null));
    let resumed = act("supervisor", "resume", 4, because()).await.expect(200);
    assert_eq!((&resumed["state"], &resumed["version"]), (&"active".into(), &5.into()));
    let history = app.get("supervisor", &format!("{path}/history")).await.expect(200);
    let actions: Vec<_> =
        history.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["created", "suspended", "recalled", "recall_closed", "resumed"]);
    assert_eq!(history[2]["changes"]["recall_level"], json!([null, "second"]));
    let told = "SELECT COUNT(*) FROM outbox WHERE topic IN ('product.suspended', \
                'product.recalled', 'product.recall_closed', 'product.resumed')";
    assert_eq!(app.count(told).await, 4);
}

#[tokio::test]
async fn d_7_2_2_a_change_through_review_leaves_the_state_alone() {
    let app = TestApp::start().await;
    let leek = leek(&app).await;
    let path = one(&leek["id"]);
    let recall = json!({ "reason": "农药残留超标", "level": "first" });
    app.change("supervisor", ("POST", &format!("{path}/recall")), 1, recall).await.expect(200);
    let change = json!({ "brand": "示例新牌", "state": "active", "recall_level": null });
    let filed = app.change("enterprise", ("PATCH", &path), 2, change).await.expect(202);
    approve(&app, &filed).await;
    let stored = app.get("enterprise", &path).await.expect(200);
    assert_eq!(
        (&stored["brand"], &stored["state"], &stored["recall_level"], &stored["state_reason"]),
        (&"示例新牌".into(), &"recalling".into(), &"first".into(), &"农药残留超标".into())
    );
    // What was filed before the state changed is filed anew by somebody who knows of it.
    let filed = app.change("enterprise", ("PATCH", &path), 3, json!({ "brand": "甲" })).await;
    let filed = filed.expect(202);
    let because = json!({ "reason": "全部收回" });
    let close = format!("{path}/close-recall");
    app.change("supervisor", ("POST", &close), 3, because).await.expect(200);
    let id = filed["change_request"]["id"].as_str().unwrap();
    let late = app.post("reviewer", &format!("{ALL}/changes/{id}/approve"), json!({})).await;
    assert_eq!(late.expect(409)["code"], "stale-version");
    // A product is known by its code for ever.
    let renamed = json!({ "code": "YJ-JC-99" });
    let refused = app.change("enterprise", ("PATCH", &path), 4, renamed).await.expect(422);
    assert_eq!(refused["errors"][0]["detail"], "产品代码登记后不能更改");
}

#[tokio::test]
async fn d_7_2_2_nothing_more_is_made_of_a_product_that_is_suspended() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let path = one(&leek(&app).await["id"]);
    let taken = async |code: &str, time: &str| {
        let mut event = harvest(&farm, code);
        event["event_time"] = json!(time);
        app.post("gateway", "/api/v1/trace/events", event).await
    };
    taken("S-0", "2026-11-18T08:00:00+08:00").await.expect(201);
    let because = json!({ "reason": "抽检不合格" });
    let suspend = format!("{path}/suspend");
    app.change("supervisor", ("POST", &suspend), 1, because.clone()).await.expect(200);
    let refused = taken("S-1", "2026-11-19T12:01:00+08:00").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("“暂停”"), "{refused}");
    // What was made before may still be told, and what there is may still move.
    taken("S-2", "2026-11-18T09:00:00+08:00").await.expect(201);
    let resume = format!("{path}/resume");
    app.change("supervisor", ("POST", &resume), 2, because).await.expect(200);
    app.pass(SignedDuration::from_mins(5));
    taken("S-3", "2026-11-19T12:02:00+08:00").await.expect(201);
}

/// The fields that are refused, each with what is said of it.
async fn mistakes(app: &TestApp, body: Value) -> Vec<(String, String)> {
    let answer = app.post("supervisor", ALL, body).await.expect(422);
    let text = |error: &Value, key: &str| String::from(error[key].as_str().unwrap());
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{answer}"));
    errors.iter().map(|error| (text(error, "field"), text(error, "detail"))).collect()
}

#[tokio::test]
async fn g_6_3_3_a_product_has_the_attributes_of_its_domain() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let with = |code: &str, attributes: Value| {
        let mut body = product(&subject, code);
        body["attributes"] = attributes;
        body
    };
    // None at all where the pack asks for none.
    let bare = registered(&app, product(&subject, "AT-1")).await;
    let stored = app.get("supervisor", &one(&bare)).await.expect(200);
    let version =
        app.get("supervisor", "/api/v1/domains/agri").await.expect(200)["version"].clone();
    assert!(version.is_string());
    assert_eq!((&stored["attributes"], &stored["pack_version"]), (&Value::Null, &version));
    // What the pack describes, in its normal form; the version is the platform's to say.
    let given = json!({ "sector": "vegetable", "variety": " 示例雪韭 ", "grade": "" });
    let mut body = with("AT-2", given);
    body["pack_version"] = json!("9.9.9");
    let id = registered(&app, body).await;
    let stored = app.get("supervisor", &one(&id)).await.expect(200);
    let kept = json!({ "sector": "vegetable", "variety": "示例雪韭" });
    assert_eq!((&stored["attributes"], &stored["pack_version"]), (&kept, &version));
    // A change, which leaves the rest alone, and what it was before.
    let changed = json!({ "sector": "vegetable", "variety": "示例雪韭", "grade": "一级" });
    let mut at = stored["version"].as_i64().unwrap();
    for change in [json!({ "attributes": changed }), json!({ "brand": "示例牌" })] {
        let filed = app.change("supervisor", ("PATCH", &one(&id)), at, change).await.expect(202);
        approve(&app, &filed).await;
        let now = app.get("supervisor", &one(&id)).await.expect(200);
        assert_eq!(now["attributes"], changed);
        at = now["version"].as_i64().unwrap();
    }
    let history = app.get("supervisor", &format!("{}/history", one(&id))).await.expect(200);
    let entries = history["items"].as_array().or_else(|| history.as_array()).unwrap();
    let told = entries.iter().any(|entry| entry["changes"]["attributes"] == json!([kept, changed]));
    assert!(told, "{history}");
    // Everything that is wrong is named at once, each where it stands.
    let wrong = json!({ "colour": "绿", "sector": "vegetables", "variety": 7 });
    let found = mistakes(&app, with("AT-3", wrong)).await;
    for (field, word) in [
        ("attributes.colour", "没有 colour 这个字段"),
        ("attributes.sector", "行业：没有代码 vegetables"),
        ("attributes.variety", "品种：应为文本"),
    ] {
        assert!(
            found.iter().any(|(at, detail)| at == field && detail.contains(word)),
            "{found:#?}"
        );
    }
    let found = mistakes(&app, with("AT-3", json!({ "certified_as": "organic" }))).await;
    assert_eq!(found[0].0, "attributes.certification_no", "{found:#?}");
    for wrong in [json!(["variety"]), json!("variety"), json!(1)] {
        let found = mistakes(&app, with("AT-3", wrong)).await;
        assert_eq!(found, [(String::from("attributes"), String::from("产品属性：应为对象 { … }"))]);
    }
}

#[tokio::test]
async fn g_6_3_3_an_uploaded_pack_says_which_attributes_must_be_there() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let lift = |code: &str, attributes: Value| {
        let mut body = product(&subject, code);
        for (field, value) in [
            ("domain", json!("special_equipment")),
            ("catalogue_code", json!("0503")),
            ("unit", json!("H87")),
            ("attributes", attributes),
        ] {
            body[field] = value;
        }
        body
    };
    // The shipped pack knows no such attribute and asks for none.
    let found = mistakes(&app, lift("AU-1", json!({ "equipment_kind": "3000" }))).await;
    assert_eq!(found[0].0, "attributes.equipment_kind");
    assert!(found[0].1.contains("没有 equipment_kind"), "{found:#?}");
    let early = registered(&app, lift("AU-1", Value::Null)).await;
    let stored = app.get("supervisor", &one(&early)).await.expect(200);
    assert_eq!(stored["attributes"], Value::Null);
    let waiting = app.post("supervisor", ALL, lift("AU-2", Value::Null)).await.expect(202);
    let draft = app.post("sysadmin", "/api/v1/domains", stricter(&app).await).await.expect(201);
    let path = format!("/api/v1/domains/packs/{}/activate", id_of(&draft));
    let because = json!({ "reason": "已与示例检验院核对" });
    app.post("secadmin", &path, because).await.expect(200);
    for (attributes, field, word) in [
        (Value::Null, "attributes.equipment_kind", "必填"),
        (json!({}), "attributes.equipment_kind", "必填"),
        (json!({ "equipment_kind": "3000" }), "attributes.type_test_no", "电梯须有型式试验"),
        (
            json!({ "equipment_kind": "4000", "rated_load_kg": "1000" }),
            "attributes.rated_load_kg",
            "应为整数",
        ),
        (
            json!({ "equipment_kind": "4000", "rated_load_kg": 0 }),
            "attributes.rated_load_kg",
            "应在 1 至 100000 之间",
        ),
    ] {
        let found = mistakes(&app, lift("AU-3", attributes)).await;
        assert!(found[0].0 == field && found[0].1.contains(word), "{field}: {found:#?}");
    }
    // What waited is approved only if it holds what must be there by now.
    let path = format!("{ALL}/changes/{}/approve", id_of(&waiting["change_request"]));
    let answer = app.post("reviewer", &path, json!({})).await.expect(422);
    assert_eq!(answer["errors"][0]["field"], "attributes.equipment_kind");
    let good = json!({ "equipment_kind": "4000", "rated_load_kg": 1000 });
    let id = registered(&app, lift("AU-3", good.clone())).await;
    let stored = app.get("supervisor", &one(&id)).await.expect(200);
    assert_eq!((&stored["attributes"], &stored["pack_version"]), (&good, &json!("1.1.0")));
}

#[tokio::test]
async fn g_6_3_2_files_hold_the_attributes_of_products_as_columns() {
    let app = TestApp::start().await;
    // The template of a domain has its columns, that of all products none.
    let header = async |of: &str| {
        let template = app.get("supervisor", &format!("{ALL}/template.xlsx{of}")).await;
        yj_sheet::read(&template.bytes).unwrap().header
    };
    let (plain, agri) = (header("").await, header("?of=agri").await);
    let pack = app.get("supervisor", "/api/v1/domains/agri").await.expect(200);
    let labels = pack["product_fields"].as_array().unwrap().iter().map(|one| &one["label"]);
    assert_eq!(agri[..plain.len()], plain[..]);
    assert_eq!(json!(agri[plain.len()..]), json!(labels.collect::<Vec<_>>()));
    assert!(agri.iter().any(|name| name == "行业") && agri.iter().any(|name| name == "质量等级"));

    let subject = app.subject("示例蔬菜加工厂").await;
    let code = subject["code"].as_str().unwrap();
    let row = |product: &str, domain: &str, class: &str, own: &str| {
        format!("{product},示例{product},{domain},{class},KGM,{code},610116,{own}\n")
    };
    let file = [
        String::from(
            "产品代码,产品名称,产品领域,产品分类,计量单位,责任主体,所属区域,行业,质量等级\n",
        ),
        row("COL-1", "食用农产品", "010106", "蔬菜,一级"),
        row("COL-2", "食用农产品", "010106", ","),
        row("COL-3", "食用农产品", "010106", "蔬菜类,一级"),
        row("COL-4", "食品", "0201", ",一级"),
    ];
    let path = format!("{ALL}/import?name=a.csv");
    let job = app.import("supervisor", &path, file.concat().into_bytes()).await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&json!(2), &json!(2)), "{job}");
    let path = format!("/api/v1/jobs/{}/rows?outcome=failed", id_of(&job));
    let failed = app.get("supervisor", &path).await.expect(200);
    let detail = |at: usize| failed["items"][at]["errors"][0]["detail"].as_str().unwrap();
    assert!(detail(0).contains("行业：没有代码 蔬菜类"), "{failed}");
    assert_eq!(detail(1), "质量等级：此行的记录没有这一项，应留空");
    let strange = b"\xe4\xba\xa7\xe5\x93\x81\xe4\xbb\xa3\xe7\xa0\x81,\xe8\x9b\x8b\n1,2\n".to_vec();
    let path = format!("{ALL}/import");
    assert_eq!(app.send("POST", &path, Some("supervisor"), &[], Some(strange)).await.status, 422);
    for request in app.get("reviewer", &format!("{ALL}/changes?state=submitted")).await.expect(200)
        ["items"]
        .as_array()
        .unwrap()
    {
        let path = format!("{ALL}/changes/{}/approve", id_of(request));
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
    let stored = app.get("supervisor", &format!("{ALL}?code=COL-1")).await.expect(200);
    let stored = &stored["items"][0]["attributes"];
    assert_eq!((&stored["sector"], &stored["grade"]), (&json!("vegetable"), &json!("一级")));

    // What comes out can go in again.
    let path = format!("{ALL}/export?format=csv&subject_id={}", subject["id"].as_str().unwrap());
    let queued = app.get("supervisor", &path).await.expect(202);
    app.run_jobs().await;
    let path = format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap());
    let job = app.get("supervisor", &path).await.expect(200);
    let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
    let sheet = yj_sheet::read(&app.get("supervisor", &path).await.bytes).unwrap();
    let at = |name: &str| sheet.header.iter().position(|one| one == name).unwrap();
    let row = |code: &str| {
        let code_at = at("产品代码");
        sheet.rows.iter().find(|row| row.cells[code_at] == code).unwrap()
    };
    let (sector, grade) = (at("行业"), at("质量等级"));
    assert_eq!((&*row("COL-1").cells[sector], &*row("COL-1").cells[grade]), ("蔬菜", "一级"));
    assert_eq!((&*row("COL-2").cells[sector], &*row("COL-2").cells[grade]), ("", ""));
}
