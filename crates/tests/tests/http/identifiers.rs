//! G-5.4.4, D-6.4.3.2: prefixes, codes by the million, and what becomes of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    capturing::{capture, captured, processing},
    harness::{TestApp, harvest},
    houses::id_of,
};

/// The record that a proposal of the supervisor becomes.
pub async fn approved(app: &TestApp, table: &str, body: Value) -> String {
    let filed = app.post("supervisor", &format!("/api/v1/{table}"), body).await.expect(202);
    let request = id_of(&filed["change_request"]);
    let path = format!("/api/v1/{table}/changes/{request}/approve");
    let decided = app.post("reviewer", &path, json!({})).await.expect(200);
    String::from(decided["record"].as_str().unwrap())
}

/// A batch of the plant's, with its record.
pub async fn batch(app: &TestApp, body: Value) -> Value {
    let made = app.post("enterprise", "/api/v1/code_batch", body).await.expect(201);
    app.get("enterprise", &format!("/api/v1/code_batch/{}", id_of(&made))).await.expect(200)
}

/// A batch of single codes for 示例韭菜, which has a GTIN: where it is found, and a code of it.
pub async fn single_codes(app: &TestApp, name: &str, size: u32) -> (String, String) {
    let found = app.get("supervisor", "/api/v1/product?gtin=06901234567892").await.expect(200);
    let product = &found["items"][0];
    let body = json!({
        "code": name, "subject_id": product["subject_id"], "product_id": product["id"],
        "scheme": "own", "level": "item", "random": true, "size": size,
    });
    let made = app.post("supervisor", "/api/v1/code_batch", body).await.expect(201);
    let path = format!("/api/v1/code_batch/{}", id_of(&made));
    let made = app.get("supervisor", &path).await.expect(200);
    (path, String::from(made["sample"].as_str().unwrap()))
}

/// A product of the plant's.
pub async fn product(app: &TestApp, code: &str, gtin: Option<&str>) -> String {
    let plant = app.subject("示例蔬菜加工厂").await;
    let body = json!({
        "code": code, "name": "示例韭菜盒", "domain": "agri", "catalogue_code": "010106",
        "unit": "H87", "subject_id": plant["id"], "region": plant["region"], "gtin": gtin,
    });
    approved(app, "product", body).await
}

/// All codes of a batch, in order.
pub async fn codes(app: &TestApp, batch: &Value) -> Vec<String> {
    let path = format!("/api/v1/code_batch/{}/codes?format=txt", id_of(batch));
    let file = app.send("GET", &path, Some("enterprise"), &[], None).await;
    assert_eq!(file.status, 200, "{}", file.body);
    String::from_utf8(file.bytes).unwrap().lines().map(String::from).collect()
}

fn own(subject: &Value, code: &str, size: i64) -> Value {
    json!({
        "code": code, "subject_id": subject["id"], "scheme": "own", "level": "item",
        "random": true, "size": size,
    })
}

#[tokio::test]
async fn g_5_4_4b_a_prefix_belongs_to_one_subject_and_codes_are_given_under_it() {
    let app = TestApp::start().await;
    let (plant, farm) =
        (app.subject("示例蔬菜加工厂").await, app.subject("示例韭菜合作社一社").await);
    let rule = |scheme: &str, prefix: &str, subject: &Value| json!({ "scheme": scheme, "prefix": prefix, "subject_id": subject["id"], "in_use": true });
    let refused =
        app.post("supervisor", "/api/v1/code_rule", rule("gs1", "69212345678", &plant)).await;
    assert!(refused.expect(422)["detail"].as_str().unwrap().contains("应为 8 位"));
    let gs1 = approved(&app, "code_rule", rule("gs1", "6907777", &plant)).await;
    approved(&app, "code_rule", rule("gs1", "6801234", &plant)).await;
    for within in ["680123", "68012345"] {
        let overlapping = app.post("supervisor", "/api/v1/code_rule", rule("gs1", within, &farm));
        let overlapping = overlapping.await.expect(422)["detail"].to_string();
        assert!(
            overlapping.contains("重叠") || overlapping.contains("7 至 12 位"),
            "{overlapping}"
        );
    }
    let handle = approved(&app, "code_rule", rule("handle", "88.118.8", &plant)).await;
    // The same prefix again is noticed by who reviews it, whoever asks.
    let filed =
        app.post("supervisor", "/api/v1/code_rule", rule("handle", "88.118.8", &farm)).await;
    let request = id_of(&filed.expect(202)["change_request"]);
    let path = format!("/api/v1/code_rule/changes/{request}/approve");
    assert_eq!(app.post("reviewer", &path, json!({})).await.expect(409)["code"], "duplicate");

    let product = product(&app, "PLANT-1", Some("6907777000018")).await;
    let asked = |code: &str, scheme: &str, rule: &Value, random: bool| {
        json!({
            "code": code, "subject_id": plant["id"], "product_id": product, "scheme": scheme,
            "rule_id": rule, "level": "item", "random": random, "size": 1_000,
        })
    };
    let made = batch(&app, asked("A-1", "gs1", &json!(gs1), false)).await;
    assert_eq!(
        (&made["sample"], &made["state"]),
        (&"/01/06907777000018/21/000000000000".into(), &"planned".into())
    );
    let next = batch(&app, asked("A-2", "gs1", &json!(gs1), false)).await;
    assert_eq!(next["sample"], "/01/06907777000018/21/000000001000", "no serial number twice");
    let random = batch(&app, asked("A-3", "handle", &json!(handle), true)).await;
    assert!(random["sample"].as_str().unwrap().starts_with("88.118.8/"), "{random}");
    for (code, scheme, rule, random, says) in [
        ("B-1", "gs1", json!(handle), true, "编码体系不符"),
        ("B-2", "gs1", Value::Null, true, "请选择"),
        ("B-3", "own", json!(gs1), true, "不需要编码规则"),
        ("B-4", "own", Value::Null, false, "只能随机"),
    ] {
        let wrong =
            app.post("enterprise", "/api/v1/code_batch", asked(code, scheme, &rule, random));
        let wrong = wrong.await.expect(422);
        assert!(wrong["detail"].as_str().unwrap().contains(says), "{wrong}");
    }
    let again =
        app.post("enterprise", "/api/v1/code_batch", asked("A-1", "gs1", &json!(gs1), false));
    assert_eq!(again.await.expect(409)["code"], "duplicate");
    // Under another's prefix nobody gives codes, nor sees that it is there.
    let theirs = json!({
        "code": "F-1", "subject_id": farm["id"], "scheme": "handle", "rule_id": handle,
        "level": "item", "random": true, "size": 10,
    });
    let refused = app.post("farm", "/api/v1/code_batch", theirs).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("没有这个编码规则"), "{refused}");
    // A prefix that is no longer in use gives nothing more.
    let path = format!("/api/v1/code_rule/{handle}");
    let closed = app.change("supervisor", ("PATCH", &path), 1, json!({ "in_use": false })).await;
    let request = id_of(&closed.expect(202)["change_request"]);
    let path = format!("/api/v1/code_rule/changes/{request}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200);
    let late =
        app.post("enterprise", "/api/v1/code_batch", asked("A-4", "handle", &json!(handle), true));
    assert!(late.await.expect(422)["detail"].as_str().unwrap().contains("停用"));
    // What was given stays as it was given.
    let one = format!("/api/v1/code_batch/{}", id_of(&made));
    let larger = app.change("enterprise", ("PATCH", &one), 1, json!({ "size": 2_000 })).await;
    assert!(larger.expect(422)["detail"].as_str().unwrap().contains("只能修改备注"));
    app.change("enterprise", ("PATCH", &one), 1, json!({ "note": "示例" })).await.expect(200);
}

#[tokio::test]
async fn g_5_4_4b_a_hundred_thousand_codes_are_minted_and_every_one_is_its_own() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let made = batch(&app, own(&plant, "BIG", 100_000)).await;
    let rows = app.count("SELECT COUNT(*) FROM code_batch").await;
    assert_eq!(rows, 1, "one record, however many codes");
    let codes = codes(&app, &made).await;
    assert_eq!(codes.len(), 100_000);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 100_000);
    assert_eq!(codes[0], made["sample"].as_str().unwrap());
    for number in [0, 1, 4_095, 4_096, 77_777, 99_999] {
        let path = format!("/api/v1/codes?code={}", codes[number]);
        let found = app.get("enterprise", &path).await.expect(200);
        assert_eq!(found["life"]["number"], number + 1, "{found}");
        assert_eq!(found["life"]["state"], "planned");
    }
    // A neighbour in the alphabet with a sound check is nobody's.
    let foreign = yj_model::TraceCode::own(0, 12_345);
    let found = app.get("enterprise", &format!("/api/v1/codes?code={foreign}")).await.expect(200);
    assert_eq!(found["life"], Value::Null);
    // Others see neither the batch nor the code.
    let found = app.get("farm", &format!("/api/v1/codes?code={}", codes[0])).await.expect(200);
    assert_eq!(found["life"], Value::Null);
    let path = format!("/api/v1/code_batch/{}/codes", id_of(&made));
    assert_eq!(app.get("farm", &path).await.status, 404);
    // Who takes them is written down, and a part can be taken.
    let file = app.send("GET", &format!("{path}?from=3&to=4"), Some("enterprise"), &[], None).await;
    let text = String::from_utf8(file.bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], format!("3,{0},http://127.0.0.1/t/{0}", codes[2]));
    let trail = app.get("auditor", "/api/v1/audit?action=took_codes").await.expect(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 2);
    for query in ["from=0", "from=9&to=8", "to=100001", "format=exe", "colour=red"] {
        assert_eq!(app.get("enterprise", &format!("{path}?{query}")).await.status, 422, "{query}");
    }
    assert_eq!(app.get("supervisor", &path).await.status, 403, "codes are their owner's");
}

#[tokio::test]
async fn g_5_4_4b_a_code_is_activated_once_and_a_used_code_never_again() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let made = batch(&app, own(&plant, "LIFE", 1_000)).await;
    let (id, codes) = (id_of(&made), codes(&app, &made).await);
    let act = async |verb: &str, body: Value| {
        app.post("enterprise", &format!("/api/v1/code_batch/{id}/{verb}"), body).await
    };
    let state = async |number: usize| {
        let path = format!("/api/v1/codes?code={}", codes[number - 1]);
        app.get("enterprise", &path).await.expect(200)["life"].clone()
    };
    let lot = json!({
        "from": 101, "to": 200, "lot": "L1", "produced_on": "2026-11-01", "expires_on": "2026-12-01",
    });
    assert_eq!(act("activate", lot.clone()).await.expect(200)["codes"], 100);
    let told = state(150).await;
    assert_eq!(
        (&told["state"], &told["lot"], &told["expires_on"]),
        (&"active".into(), &"L1".into(), &"2026-12-01".into())
    );
    assert_eq!(state(100).await["state"], "planned");
    let twice = act("activate", json!({ "from": 200, "to": 210 })).await.expect(409);
    assert!(twice["detail"].as_str().unwrap().contains("第 200 个编码已激活"), "{twice}");
    // Spoilt ones in the middle, some of which were on products.
    let loss = json!({ "from": 190, "to": 209, "loss": true, "reason": "喷码损坏" });
    let lost = act("void", loss.clone()).await.expect(200);
    assert_eq!((&lost["activated"], &lost["voided"]), (&(-11).into(), &20.into()));
    assert_eq!(state(189).await["state"], "active");
    let void = state(195).await;
    assert_eq!((&void["state"], &void["lot"]), (&"void".into(), &"L1".into()));
    assert_eq!(state(205).await["state"], "void");
    act("void", loss).await.expect(409);
    let never = act("activate", json!({ "from": 205, "to": 205 })).await.expect(409);
    assert!(never["detail"].as_str().unwrap().contains("已作废"), "{never}");
    // One by one, as a line reports them.
    let named = json!({ "codes": [codes[500], codes[502], codes[501]], "lot": "L2" });
    assert_eq!(act("activate", named).await.expect(200)["codes"], 3);
    assert_eq!(state(502).await["lot"], "L2");
    let foreign = act("activate", json!({ "codes": ["R1-sold"] })).await.expect(422);
    assert!(foreign["detail"].as_str().unwrap().contains("不是这一批的编码"));
    for (body, says) in [
        (json!({}), "请给出起止序号"),
        (json!({ "from": 0 }), "1 至 1000"),
        (json!({ "from": 5, "to": 1_001 }), "1 至 1000"),
        (json!({ "from": 300, "produced_on": "2026-13-01" }), "应为日期"),
        (json!({ "from": 300, "produced_on": "2027-01-01" }), "不能晚于今天"),
        (
            json!({ "from": 300, "produced_on": "2026-11-02", "expires_on": "2026-11-01" }),
            "不能早于",
        ),
    ] {
        let wrong = act("activate", body).await.expect(422);
        assert!(wrong["detail"].as_str().unwrap().contains(says), "{wrong}");
    }
    let told = app.get("enterprise", &format!("/api/v1/code_batch/{id}")).await.expect(200);
    assert_eq!((&told["activated"], &told["voided"]), (&92.into(), &20.into()));
    let acts = app.get("enterprise", &format!("/api/v1/code_batch/{id}/acts")).await.expect(200);
    let verbs: Vec<_> =
        acts["items"].as_array().unwrap().iter().map(|one| one["verb"].clone()).collect();
    assert_eq!(verbs, ["activate", "loss", "activate"]);
    assert_eq!(
        app.post("farm", &format!("/api/v1/code_batch/{id}/activate"), lot).await.status,
        404
    );
    let topics =
        "SELECT COUNT(*) FROM outbox WHERE topic IN ('code_batch.activated', 'code_batch.lost')";
    assert_eq!(app.count(topics).await, 3);
}

#[tokio::test]
async fn g_5_4_4b_packages_hold_ranges_and_a_code_is_in_one_package() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let level = |code: &str, level: &str, size: i64| {
        let mut body = own(&plant, code, size);
        body["level"] = json!(level);
        body
    };
    let (items, cases) = (
        batch(&app, level("TIN", "item", 100)).await,
        batch(&app, level("CASE", "case", 10)).await,
    );
    let (tin, case) = (codes(&app, &items).await, codes(&app, &cases).await);
    let pack = async |packs: Value| {
        app.post("enterprise", "/api/v1/code-packs", json!({ "packs": packs })).await
    };
    let line = |parent: &str, first: &str, last: &str| json!({ "parent": parent, "first": first, "last": last });
    let early = pack(json!([line(&case[0], &tin[0], &tin[11])])).await.expect(422);
    assert!(early["detail"].as_str().unwrap().contains("尚未激活"), "{early}");
    for (one, to) in [(&items, 60), (&cases, 5)] {
        let path = format!("/api/v1/code_batch/{}/activate", id_of(one));
        app.post("enterprise", &path, json!({ "from": 1, "to": to })).await.expect(200);
    }
    let done =
        pack(json!([line(&case[0], &tin[0], &tin[11]), line(&case[1], &tin[12], &tin[23]),]));
    assert_eq!(done.await.expect(200)["codes"], 24);
    let told = app.get("enterprise", &format!("/api/v1/codes?code={}", tin[5])).await.expect(200);
    assert_eq!(told["life"]["parent"], json!(case[0]));
    let told = app.get("enterprise", &format!("/api/v1/codes?code={}", case[1])).await.expect(200);
    assert_eq!((&told["life"]["children"], &told["life"]["level"]), (&12.into(), &"case".into()));
    for (packs, says) in [
        (json!([line(&case[2], &tin[23], &tin[30])]), "已装入其他包装"),
        (json!([line(&tin[40], &tin[30], &tin[35])]), "层级应大于"),
        (json!([line(&case[2], &tin[50], &tin[45])]), "首码的序号不大于尾码"),
        (json!([line(&case[2], &tin[55], &tin[65])]), "尚未激活"),
        (json!([line("R1-sold", &tin[30], &tin[35])]), "没有编码"),
        (json!([]), "1 至 2000 行"),
        // Of two lines the second packs what the first has packed: neither is.
        (json!([line(&case[2], &tin[30], &tin[35]), line(&case[3], &tin[35], &tin[36])]), "已装入"),
    ] {
        let wrong = pack(packs).await.expect(422);
        assert!(wrong["detail"].as_str().unwrap().contains(says), "{wrong}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM code_pack").await, 2);
    let foreign = json!({ "packs": [line(&case[2], &tin[30], &tin[35])] });
    let foreign = app.post("farm", "/api/v1/code-packs", foreign).await.expect(422);
    assert!(foreign["detail"].as_str().unwrap().contains("数据权限范围"));
}

#[tokio::test]
async fn g_5_4_4b_without_the_key_of_its_batch_no_code_is_one() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let (one, other) =
        (batch(&app, own(&plant, "K1", 50)).await, batch(&app, own(&plant, "K2", 50)).await);
    let code = one["sample"].as_str().unwrap();
    // The key of another batch put in its place opens nothing: it is sealed for its own.
    let sql = format!(
        "UPDATE code_key SET sealed = (SELECT sealed FROM code_key WHERE batch_id = '{}') WHERE batch_id = '{}'",
        id_of(&other),
        id_of(&one)
    );
    app.tamper(&sql).await;
    assert_eq!(app.get("enterprise", &format!("/api/v1/codes?code={code}")).await.status, 500);
}

#[tokio::test]
async fn g_5_4_4_a_code_made_for_anothers_goods_is_on_nobody_elses() {
    let app = TestApp::start().await;
    let (plant, farm) =
        (app.subject("示例蔬菜加工厂").await, app.subject("示例韭菜合作社一社").await);
    let mine = codes(&app, &batch(&app, own(&plant, "OWN-1", 5)).await).await;
    let taken = capture(&app, harvest(&farm, &mine[0])).await.expect(422);
    assert_eq!(taken["errors"][0]["field"], "outputs[0].code", "{taken}");
    assert!(taken["detail"].as_str().unwrap().contains("为其他主体的产品赋予"), "{taken}");
    // Whose they are, and what merely looks like one.
    captured(&app, harvest(&plant, &mine[0])).await;
    captured(&app, harvest(&farm, "OWN-LIKE-1")).await;
    // What is of the product that they were made for may go on under them with others.
    let product = app.get("supervisor", "/api/v1/product?code=YJ-JC-01").await.expect(200);
    let mut body = own(&plant, "OWN-2", 5);
    body["product_id"] = product["items"][0]["id"].clone();
    let goods = codes(&app, &batch(&app, body).await).await;
    capture(&app, harvest(&farm, &goods[0])).await.expect(422);
    captured(&app, processing(&farm, ("OWN-LIKE-1", "10"), &goods[0])).await;
}

#[tokio::test]
async fn d_6_4_3_2_a_lot_is_who_answers_for_its_product_not_who_names_it_last() {
    let app = TestApp::start().await;
    let (plant, farm) =
        (app.subject("示例蔬菜加工厂").await, app.subject("示例韭菜合作社一社").await);
    let lot = |subject: &Value, code: &str, lot: &str| {
        let mut event = harvest(subject, code);
        event["outputs"][0]["lot"] = json!(lot);
        event
    };
    let told = async |lot: &str| {
        let path = format!("/01/06901234567892/10/{lot}?linkType=gs1:traceability");
        let html = [("accept", "text/html")];
        let answer = app.send("GET", &path, None, &html, None).await;
        answer.headers.get("location").and_then(|to| to.to_str().ok()).map(String::from)
    };
    // The plant answers for the product; whoever else writes its lot comes behind, before or after.
    captured(&app, lot(&farm, "HIJ-0", "L9")).await;
    captured(&app, lot(&plant, "OWN-9", "L9")).await;
    captured(&app, lot(&farm, "HIJ-9", "L9")).await;
    assert!(told("L9").await.is_some_and(|to| to.contains("/t/OWN-9")), "{:?}", told("L9").await);
    // Of a lot that it never put out the first stays.
    captured(&app, lot(&farm, "OLD-8", "L8")).await;
    captured(&app, lot(&farm, "NEW-8", "L8")).await;
    assert!(told("L8").await.is_some_and(|to| to.contains("/t/OLD-8")), "{:?}", told("L8").await);
}

#[tokio::test]
async fn d_5_4_4_a_number_that_is_taken_names_its_field() {
    let app = TestApp::start().await;
    let (_, _) = single_codes(&app, "TWICE-1", 10).await;
    let found = app.get("supervisor", "/api/v1/product?gtin=06901234567892").await.expect(200);
    let product = &found["items"][0];
    let again = json!({
        "code": "twice-1", "subject_id": product["subject_id"], "product_id": product["id"],
        "scheme": "own", "level": "item", "random": true, "size": 10,
    });
    let refused = app.post("supervisor", "/api/v1/code_batch", again).await.expect(409);
    assert_eq!(refused["code"], "duplicate");
    assert_eq!(refused["errors"][0]["field"], "code", "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("赋码单号与已有记录重复"), "{refused}");
}

#[tokio::test]
async fn d_6_4_3_2_an_ecode_of_version_four_is_known_with_and_without_its_mark() {
    let app = TestApp::start().await;
    let ask = async |id: &str| {
        let path = format!("/resolve?id={}", crate::harness::encoded(id));
        let answer = app.send("GET", &path, None, &[("accept", "application/json")], None).await;
        answer.status
    };
    // GB/T 31866: 4, five digits of the system, anything in Unicode. Nobody knows these here.
    for id in
        ["ecode:400001示例商品01", "400001示例商品01", "400001ABC-示例".replace('-', "").as_str()]
    {
        assert_eq!(ask(id).await, 404, "{id}");
    }
    for id in ["40000示例", "400001", "400001示例 商品"] {
        assert_eq!(ask(id).await, 422, "{id}");
    }
}
