//! 领域包 (G-4b, G-4f, G-1): a domain that nobody thought of when the product was built works after
//! two people have put it there.

use serde_json::{Value, json};
use yj_sheet::{Column, Table};

use crate::{
    harness::{Answer, TestApp, harvest},
    houses::id_of,
    packs::{fish, lifts},
};

const PACKS: &str = "/api/v1/domains/packs";

fn because() -> Value {
    json!({ "reason": "已与示例检验院核对" })
}

/// Uploads a pack and has somebody else put it into use.
pub async fn put_into_use(app: &TestApp, pack: Value) -> String {
    let id = id_of(&app.post("sysadmin", "/api/v1/domains", pack).await.expect(201));
    let path = format!("{PACKS}/{id}/activate");
    let kept = app.post("secadmin", &path, because()).await.expect(200);
    assert_eq!((&kept["state"], &kept["activated_by"]), (&json!("active"), &json!("secadmin")));
    id
}

async fn lift_product(app: &TestApp) -> Value {
    let subject = app.subject("示例蔬菜加工厂").await;
    let product = json!({
        "code": "LIFT-1", "name": "示例乘客电梯", "domain": "special_equipment",
        "catalogue_code": "0503", "unit": "H87", "subject_id": subject["id"],
        "region": subject["region"],
    });
    let filed = app.post("supervisor", "/api/v1/product", product).await.expect(202);
    let path = format!("/api/v1/product/changes/{}/approve", id_of(&filed["change_request"]));
    app.post("reviewer", &path, json!({})).await.expect(200);
    subject
}

fn manufacture(subject: &Value, code: &str) -> Value {
    json!({
        "domain": "lift", "type": "manufacture", "subject": subject["code"],
        "event_time": "2026-11-10T08:00:00+08:00",
        "outputs": [{ "code": code, "quantity": "1", "unit": "H87", "product": "LIFT-1", "lot": "L1" }],
        "attributes": {
            "equipment_code": "31101161002026001", "started_on": "2026-10-01",
            "finished_on": "2026-11-09", "welder": "张示例",
        },
    })
}

async fn capture(app: &TestApp, user: &str, event: Value) -> Answer {
    app.post(user, "/api/v1/trace/events", event).await
}

/// Captures and has it approved where nobody said that it goes by itself.
async fn record(app: &TestApp, event: Value) -> String {
    let stored = capture(app, "supervisor", event).await.expect(201);
    let id = id_of(&stored["results"][0]);
    if stored["results"][0]["state"] == "held" {
        let path = format!("/api/v1/trace/events/{id}/approve");
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
    id
}

pub fn errors(answer: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let list = answer["errors"].as_array().unwrap();
    list.iter().map(|one| (text(one, "field"), text(one, "detail"))).collect()
}

#[track_caller]
pub fn names(found: &[(String, String)], field: &str, word: &str) {
    let there = found.iter().any(|(path, detail)| path == field && detail.contains(word));
    assert!(there, "{field} {word} is not among {found:#?}");
}

#[tokio::test]
async fn g_4_b_an_uploaded_domain_works_end_to_end() {
    let mut app = TestApp::start().await;
    let subject = lift_product(&app).await;
    // Before: nobody can record anything in it.
    let refused = capture(&app, "supervisor", manufacture(&subject, "LIFT-0001")).await.expect(422);
    names(&errors(&refused), "domain", "没有领域 lift");
    // A dry run says what it holds and keeps nothing.
    let checked = app.post("sysadmin", "/api/v1/domains/check", lifts("1.0.0")).await.expect(200);
    assert_eq!(checked["sound"], true, "{checked}");
    let held = &checked["pack"];
    assert_eq!((&held["events"], &held["fields"]), (&json!(2), &json!(10)));
    assert_eq!((&held["personal"], &held["rules"]), (&json!(1), &json!(4)));
    assert_eq!(held["follows"], Value::Null);
    assert_eq!(app.count("SELECT COUNT(*) FROM domain_pack").await, 0);
    // As a draft it is not in use yet.
    let draft = app.post("sysadmin", "/api/v1/domains", lifts("1.0.0")).await.expect(201);
    assert_eq!((&draft["state"], &draft["uploaded_by"]), (&json!("draft"), &json!("sysadmin")));
    capture(&app, "supervisor", manufacture(&subject, "LIFT-0001")).await.expect(422);
    app.get("farm", "/api/v1/domains/lift").await.expect(404);
    let path = format!("{PACKS}/{}/activate", id_of(&draft));
    app.post("secadmin", &path, because()).await.expect(200);
    // Everybody sees it, and forms are drawn from it.
    let pack = app.get("farm", "/api/v1/domains/lift").await.expect(200);
    assert_eq!(pack["stages"][0]["events"][0]["fields"][0]["label"], "设备代码");
    let all = app.get("farm", "/api/v1/domains").await.expect(200);
    let entry = all.as_array().unwrap().iter().find(|one| one["code"] == "lift");
    assert_eq!(entry.unwrap()["accepts"], true);
    // An event with its own fields, its list entry, its 个人信息.
    let id = record(&app, manufacture(&subject, "LIFT-0001")).await;
    let found = "/api/v1/trace/events?domain=lift&type=manufacture";
    let found = app.get("supervisor", found).await.expect(200);
    let event = &found["items"][0];
    assert_eq!((&event["id"], &event["type_name"]), (&json!(id), &json!("制造")));
    assert_eq!(event["pack_version"], "1.0.0");
    assert_eq!(event["attributes"]["equipment_code"], "31101161002026001");
    assert_eq!(event["attributes"]["welder"], Value::Null, "个人信息 is for no list");
    assert_eq!(event["product"]["code"], "LIFT-1");
    let path = format!("/api/v1/trace/events/{id}/reveal");
    let shown = app.post("supervisor", &path, json!({ "reason": "核对焊工" })).await.expect(200);
    assert_eq!(shown["welder"], "张示例");
    record(
        &app,
        json!({
            "domain": "lift", "type": "periodic", "subject": subject["code"],
            "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": "LIFT-0001" }],
            "attributes": { "verdict": "pass", "item": "曳引能力" },
        }),
    )
    .await;
    // The chain, the ledger and the page for everybody.
    app.anchor().await;
    let chain = app.get("supervisor", "/api/v1/trace/chain?code=LIFT-0001").await.expect(200);
    let kinds: Vec<_> =
        chain["events"].as_array().unwrap().iter().map(|one| &one["type_name"]).collect();
    assert_eq!(kinds, ["制造", "定期检验"]);
    let read = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
    assert_eq!(
        (&read["anchor"], &read["integrity"]["intact"]),
        (&json!("confirmed"), &json!(true))
    );
    let page = app.send("GET", "/t/LIFT-0001", None, &[], None).await;
    let page = String::from_utf8(page.bytes).unwrap();
    for word in ["示例乘客电梯", "制造", "定期检验", "合格"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("张示例"));
    // The data dictionary knows its elements.
    let dictionary = app.get("farm", "/api/v1/dictionary").await.expect(200);
    let element = |set: &str, name: &str| {
        let all = dictionary["items"].as_array().unwrap();
        all.iter().find(|one| one["set"] == set && one["name"] == name).cloned().unwrap()
    };
    let welder = element("lift.manufacture", "welder");
    assert_eq!((&welder["class"], &welder["label"]), (&json!("personal"), &json!("焊工")));
    let kind = element("lift.product", "equipment_kind");
    assert_eq!((&kind["obligation"], &kind["codes"][0][1]), (&json!("M"), &json!("电梯")));
    // After a restart all of it is still there.
    app.restart().await;
    app.get("farm", "/api/v1/domains/lift").await.expect(200);
    record(&app, manufacture(&subject, "LIFT-0002")).await;
}

#[tokio::test]
async fn g_4_b_an_uploaded_domain_has_its_import_template() {
    let app = TestApp::start().await;
    let subject = lift_product(&app).await;
    let path = "/api/v1/trace/templates/lift/manufacture.xlsx";
    app.get("supervisor", path).await.expect(404);
    put_into_use(&app, lifts("1.0.0")).await;
    let template = app.get("supervisor", path).await;
    assert_eq!(template.status, 200);
    let header = yj_sheet::read(&template.bytes).unwrap().header;
    assert!(header.iter().any(|name| name == "设备代码"), "{header:?}");
    let column = |name: &String| Column { name: name.clone(), ..Column::default() };
    let cell = |name: &String| match name.as_str() {
        "主体代码" => subject["code"].as_str().unwrap(),
        "发生时间" => "2026-11-10 08:00",
        "产出追溯码" => "LIFT-1001",
        "产出数量" => "1",
        "产出单位" => "H87",
        "产品代码" => "LIFT-1",
        "设备代码" => "31101161002026002",
        _ => "",
    };
    let cells = header.iter().map(|name| String::from(cell(name))).collect();
    let columns = header.iter().map(column).collect();
    let table =
        Table { title: String::from("制造"), columns, rows: vec![cells], mark: Vec::new() };
    let file = yj_sheet::write_xlsx(&table).unwrap();
    let path = "/api/v1/trace/imports?domain=lift&type=manufacture&name=a.xlsx";
    let job = app.import("supervisor", path, file).await;
    assert_eq!(job["state"], "done", "{job}");
    let found = "/api/v1/trace/events?domain=lift";
    let found = app.get("supervisor", found).await.expect(200);
    let event = &found["items"][0];
    assert_eq!(event["attributes"]["equipment_code"], "31101161002026002", "{found}");
}

#[tokio::test]
async fn g_4_f_rules_of_a_pack_are_checked_and_named() {
    let app = TestApp::start().await;
    let subject = lift_product(&app).await;
    put_into_use(&app, lifts("1.0.0")).await;
    put_into_use(&app, fish()).await;
    let try_with = async |mut event: Value, changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            event["attributes"][name] = value.clone();
        }
        errors(&capture(&app, "supervisor", event).await.expect(422))
    };
    let lift = || manufacture(&subject, "LIFT-0001");
    let found = try_with(lift(), json!({ "finished_on": "2026-09-30" })).await;
    names(
        &found,
        "attributes.finished_on",
        "不符合规则“先开工后完工”：开工日期（2026-10-01）不应晚于完工日期（2026-09-30）",
    );
    let found = try_with(lift(), json!({ "finished_on": "2026-11-11" })).await;
    names(&found, "attributes.finished_on", "完工不晚于登记的时间");
    let found = try_with(lift(), json!({ "equipment_code": "3110", "nonsense": "1" })).await;
    names(&found, "attributes.equipment_code", "设备代码：应为 17 或 18 位设备代码");
    names(&found, "attributes.nonsense", "没有 nonsense 这个字段");
    let test = json!({
        "domain": "lift", "type": "periodic", "subject": subject["code"],
        "event_time": "2026-11-12T08:00:00+08:00", "inputs": [{ "code": "LIFT-0001" }],
        "attributes": { "item": "曳引能力" },
    });
    let found = try_with(test, json!({ "verdict": "fail" })).await;
    names(&found, "attributes.defect", "不符合规则“不合格须写明缺陷”：结论（不合格）时，缺陷必填");
    let mut caught = manufacture(&subject, "FISH-0001");
    caught["domain"] = json!("aquatic");
    caught["type"] = json!("catch");
    caught["attributes"] = json!({});
    let found = try_with(caught.clone(), json!({})).await;
    names(&found, "attributes.pond", "不符合规则“来源”：池塘、渔船至少填写一项");
    caught["attributes"] = json!({ "pond": "示例一号塘" });
    let drug = json!({ "last_drug_on": "2026-11-01", "withdrawal_days": 10 });
    let found = try_with(caught.clone(), drug).await;
    names(&found, "attributes.last_drug_on", "不符合规则“休药期”");
    let found = try_with(caught.clone(), json!({ "low": "9.5", "high": "9" })).await;
    names(&found, "attributes.high", "最低水温（9.5）不应大于最高水温（9）");
    // On the ninth day after it is one.
    caught["attributes"]["last_drug_on"] = json!("2026-11-01");
    caught["attributes"]["withdrawal_days"] = json!(9);
    record(&app, caught).await;
    // A shipped pack has rules of the same kind.
    let mut cut = harvest(&app.subject("示例韭菜合作社一社").await, "H-RULE-1");
    cut["attributes"]["last_pesticide_on"] = json!("2026-11-05");
    cut["attributes"]["safety_interval_days"] = json!(7);
    let found = errors(&capture(&app, "supervisor", cut).await.expect(422));
    names(&found, "attributes.last_pesticide_on", "不符合规则“安全间隔期”");
}

#[tokio::test]
async fn g_4_b_every_mistake_of_a_pack_is_named_at_once_with_its_place() {
    let app = TestApp::start().await;
    let mut pack = lifts("1.0");
    pack["nonsense"] = json!(1);
    pack["code"] = json!("Special Equipment");
    pack["effective_on"] = json!("2026-13-01");
    pack["stages"][0]["stage"] = json!("baking");
    let event = &mut pack["stages"][0]["events"][0];
    event["movement"] = json!("999");
    event["inputs"] = json!({ "mode": "none", "min": 2, "max": 1 });
    event["fields"][0]["pattern"] = json!("[0-9");
    event["fields"][1]["kind"] = json!("datum");
    event["fields"][2]["name"] = json!("started_on");
    event["fields"][3]["label"] = json!("主体代码");
    event["rules"][1]["b"] = json!("nowhere");
    pack["stages"][1]["events"][0]["fields"][0]["codes"] = json!([]);
    pack["stages"][1]["events"][0]["fields"][1]["codes"] = json!([["a", "b", "c"]]);
    pack["stages"][1]["events"][0]["rules"][0]["is"] = json!(["perhaps"]);
    pack["product_fields"][1]["min"] = json!("many");
    pack["product_fields"][2]["class"] = json!("personal");
    pack["product_rules"][0]["kind"] = json!("magic");
    let checked = app.post("sysadmin", "/api/v1/domains/check", pack.clone()).await.expect(200);
    assert_eq!((&checked["sound"], &checked["pack"]), (&json!(false), &Value::Null));
    let found = errors(&checked);
    for (field, word) in [
        ("nonsense", "没有 nonsense 这个字段"),
        ("code", "小写字母"),
        ("version", "三段数字"),
        ("effective_on", "应为日期"),
        ("stages[0].stage", "没有 baking"),
        ("stages[0].events[0].movement", "没有出入库类型 999"),
        ("stages[0].events[0].inputs.min", "不应大于 max"),
        ("stages[0].events[0].inputs.max", "无投入时应为 0"),
        ("stages[0].events[0].fields[0].pattern", "正则表达式"),
        ("stages[0].events[0].fields[1].kind", "没有 datum"),
        ("stages[0].events[0].fields[2].name", "started_on 重复"),
        ("stages[0].events[0].fields[3].label", "主体代码 重复"),
        ("stages[0].events[0].rules[1].b", "没有 nowhere 这个字段"),
        ("stages[1].events[0].fields[0].codes", "应写明代码表"),
        ("stages[1].events[0].fields[1].codes[0]", "[代码, 名称]"),
        ("stages[1].events[0].rules[0].is[0]", "没有 perhaps"),
        ("product_fields[1].min", "十进制数"),
        ("product_fields[2].class", "不能是个人信息"),
        ("product_rules[0].kind", "没有 magic"),
    ] {
        names(&found, field, word);
    }
    // The upload is refused for the same reasons.
    let refused = app.post("sysadmin", "/api/v1/domains", pack).await.expect(422);
    assert_eq!(errors(&refused), found);
    for wrong in [json!([]), json!("pack"), json!({}), Value::Null] {
        app.post("sysadmin", "/api/v1/domains", wrong.clone()).await.expect(422);
        let checked = app.post("sysadmin", "/api/v1/domains/check", wrong).await.expect(200);
        assert_eq!(checked["sound"], false);
    }
    for reserved in ["packs", "check"] {
        let mut pack = lifts("1.0.0");
        pack["code"] = json!(reserved);
        let refused = app.post("sysadmin", "/api/v1/domains", pack).await.expect(422);
        names(&errors(&refused), "code", "保留");
    }
    let mut large = lifts("1.0.0");
    large["name"] = json!("长".repeat(400_000));
    assert_eq!(app.post("sysadmin", "/api/v1/domains", large).await.status, 413);
    let mut many = lifts("1.0.0");
    let field = many["product_fields"][1].clone();
    many["product_fields"] = json!(vec![field; 5_000]);
    let refused = app.post("sysadmin", "/api/v1/domains", many).await.expect(422);
    assert!(errors(&refused).len() <= 200);
    names(&errors(&refused), "product_fields", "应有 0 至 60 项");
    // A form that would keep a processor busy is none.
    let mut greedy = lifts("1.0.0");
    let field = &mut greedy["stages"][0]["events"][0]["fields"][0];
    field["pattern"] = json!("^((a{1,90}){1,90}){1,90}$");
    let refused = app.post("sysadmin", "/api/v1/domains", greedy).await.expect(422);
    names(&errors(&refused), "stages[0].events[0].fields[0].pattern", "过于复杂");
    // A recall reaches the public: it has what the public is told, and somebody looks at it first.
    let mut careless = lifts("1.0.0");
    careless["stages"][1]["events"][0]["code"] = json!("recall");
    let refused = app.post("sysadmin", "/api/v1/domains", careless).await.expect(422);
    names(&errors(&refused), "stages[1].events[0].code", "always_reviewed");
    assert_eq!(app.count("SELECT COUNT(*) FROM domain_pack").await, 0);
}

#[tokio::test]
async fn g_4_b_a_pack_is_put_into_use_by_two_people_of_the_platform() {
    let app = TestApp::start().await;
    for user in ["farm", "supervisor", "reviewer", "secadmin", "auditor", "gateway"] {
        assert_eq!(app.post(user, "/api/v1/domains", fish()).await.status, 403, "{user}");
        assert_eq!(app.post(user, "/api/v1/domains/check", fish()).await.status, 403, "{user}");
    }
    let draft = app.post("sysadmin", "/api/v1/domains", fish()).await.expect(201);
    let at = |verb: &str| format!("{PACKS}/{}/{verb}", id_of(&draft));
    for user in ["farm", "supervisor", "reviewer", "sysadmin", "auditor"] {
        assert_eq!(app.post(user, &at("activate"), because()).await.status, 403, "{user}");
        assert_eq!(app.post(user, &at("retire"), because()).await.status, 403, "{user}");
    }
    assert_eq!(app.post("secadmin", &at("discard"), because()).await.status, 403);
    assert_eq!(app.get("farm", PACKS).await.status, 403);
    app.post("secadmin", &at("activate"), json!({ "reason": " " })).await.expect(422);
    app.post("secadmin", &at("retire"), because()).await.expect(409);
    // Whoever uploaded it does not put it into use, whatever rights there are.
    app.run_sql("UPDATE domain_pack SET uploaded_by = 'secadmin'").await;
    let refused = app.post("secadmin", &at("activate"), because()).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("请由他人启用"), "{refused}");
    app.run_sql("UPDATE domain_pack SET uploaded_by = 'sysadmin'").await;
    app.post("secadmin", &at("activate"), because()).await.expect(200);
    app.post("secadmin", &at("activate"), because()).await.expect(409);
    app.post("sysadmin", &at("discard"), because()).await.expect(409);
    let nothing = format!("{PACKS}/0190a5f0-0000-7000-8000-000000000000/activate");
    app.post("secadmin", &nothing, because()).await.expect(404);
    let shipped = format!("{PACKS}/agri/retire");
    app.post("secadmin", &shipped, because()).await.expect(409);
    // Who may look sees every version, and can take it away as a file.
    let listed = app.get("supervisor", PACKS).await.expect(200);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 9);
    assert_eq!((&items[0]["code"], &items[0]["in_force"]), (&json!("aquatic"), &json!(true)));
    assert_eq!((&items[0]["events"], &items[0]["rules"]), (&json!(1), &json!(3)));
    assert!(items.iter().filter(|one| one["built_in"] == true).count() == 8);
    for one in items {
        let path = format!("{PACKS}/{}", id_of(one));
        let file = app.get("auditor", &path).await.expect(200);
        assert_eq!(file["code"], one["code"]);
    }
    // What is taken away can be brought again, as the next version.
    let mut next = app.get("sysadmin", &format!("{PACKS}/{}", id_of(&draft))).await.expect(200);
    next["version"] = json!("0.2.0");
    let again = app.post("sysadmin", "/api/v1/domains", next.clone()).await.expect(201);
    let refused = app.post("sysadmin", "/api/v1/domains", next.clone()).await.expect(422);
    names(&errors(&refused), "version", "已上传，待启用");
    let discard = format!("{PACKS}/{}/discard", id_of(&again));
    app.post("sysadmin", &discard, because()).await.expect(200);
    app.post("sysadmin", "/api/v1/domains", next).await.expect(201);
    // All of it is in the trail, and announced.
    for (action, count) in [("uploaded", 3), ("enabled", 1), ("discarded", 1)] {
        let path = format!("/api/v1/audit?entity=domain_pack&action={action}");
        let seen = app.get("auditor", &path).await.expect(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), count, "{action}");
    }
    let announced = "SELECT COUNT(*) FROM outbox WHERE topic LIKE 'domain_pack.%'";
    assert_eq!(app.count(announced).await, 5);
}

#[tokio::test]
async fn g_4_f_a_new_version_adds_and_takes_nothing_away_that_records_use() {
    let app = TestApp::start().await;
    let shipped = app.get("sysadmin", "/api/v1/domains/agri").await.expect(200);
    let mut less = shipped.clone();
    less["version"] = json!("1.0.9");
    less["effective_on"] = json!("2019-12-31");
    less["stages"][0]["events"].as_array_mut().unwrap().remove(1);
    // What is kept of it goes with it.
    less["retention"].as_array_mut().unwrap().clear();
    less["stages"][0]["events"][0].as_object_mut().unwrap().remove("goods_rules");
    less["stages"][0]["events"][0]["fields"].as_array_mut().unwrap().remove(2);
    less["stages"][0]["events"][0]["fields"][1]["kind"] = json!("text");
    for bound in ["min", "max"] {
        less["stages"][0]["events"][0]["fields"][1].as_object_mut().unwrap().remove(bound);
    }
    less["stages"][1]["events"][0]["inputs"]["mode"] = json!("observe");
    less["stages"][1]["events"][0]["outputs"] = json!({ "min": 0, "max": 0 });
    less["stages"][2]["events"][0].as_object_mut().unwrap().remove("rules");
    let verdict = less["stages"][2]["events"][0]["fields"].as_array_mut().unwrap();
    let verdict = verdict.iter_mut().find(|field| field["name"] == "verdict").unwrap();
    verdict["codes"].as_array_mut().unwrap().remove(0);
    let driver = less["stages"][3]["events"][0]["fields"].as_array_mut().unwrap();
    let driver = driver.iter_mut().find(|field| field["name"] == "driver").unwrap();
    driver.as_object_mut().unwrap().remove("class");
    let refused = app.post("sysadmin", "/api/v1/domains", less).await.expect(422);
    let found = errors(&refused);
    for (field, word) in [
        ("version", "应高于已有的 1.2.0"),
        ("effective_on", "不应早于"),
        ("stages", "缺少事件类型 out_of_pen（出栏）"),
        ("stages", "缺少事件类型 harvest（采收）的字段 variety（品种）"),
        ("stages", "area_mu（面积（亩））的类型不能改变"),
        ("stages", "processing（分拣加工包装）的投入方式不能改变"),
        ("stages", "缺少代码 pass（合格）"),
        ("stages", "driver（驾驶员）是否为个人信息或商业秘密不能改变"),
    ] {
        names(&found, field, word);
    }
    // What adds is taken, from its day on.
    let mut more = shipped.clone();
    more["version"] = json!("1.3.0");
    more["effective_on"] = json!("2026-11-20");
    let fields = more["stages"][0]["events"][0]["fields"].as_array_mut().unwrap();
    fields.push(
        json!({ "name": "greenhouse", "label": "大棚编号", "kind": "text", "required": true }),
    );
    let checked = app.post("sysadmin", "/api/v1/domains/check", more.clone()).await.expect(200);
    assert_eq!(checked["pack"]["follows"], "1.2.0");
    assert_eq!(checked["pack"]["adds"], json!(["采收的字段 greenhouse（大棚编号）"]));
    put_into_use(&app, more.clone()).await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let old = record(&app, harvest(&subject, "H-OLD-1")).await;
    // Held under the old version, decided when the new one is in force.
    let held = capture(&app, "farm", harvest(&subject, "H-OLD-2")).await.expect(201);
    assert_eq!(held["results"][0]["state"], "held");
    let mut app = app;
    app.pass(jiff::SignedDuration::from_hours(24));
    for user in ["supervisor", "reviewer", "farm", "sysadmin"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
    let refused = capture(&app, "supervisor", harvest(&subject, "H-NEW-1")).await.expect(422);
    names(&errors(&refused), "attributes.greenhouse", "必填");
    let mut event = harvest(&subject, "H-NEW-1");
    event["attributes"]["greenhouse"] = json!("示例一号棚");
    let new = record(&app, event).await;
    let path = format!("/api/v1/trace/events/{}/approve", id_of(&held["results"][0]));
    app.post("reviewer", &path, json!({})).await.expect(200);
    for (id, version) in [(&old, "1.2.0"), (&new, "1.3.0")] {
        let read = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
        assert_eq!(read["pack_version"], version);
    }
    let before = app.get("farm", "/api/v1/domains/agri?version=1.2.0").await.expect(200);
    assert_eq!(before, shipped);
    app.get("farm", "/api/v1/domains/agri?version=7.0.0").await.expect(404);
    app.get("farm", "/api/v1/domains/agri?version=new").await.expect(422);
    let now = app.get("farm", "/api/v1/domains/agri").await.expect(200);
    assert_eq!(now, more);
}

#[tokio::test]
async fn g_4_f_a_retired_domain_takes_nothing_new_and_keeps_its_records_readable() {
    let mut app = TestApp::start().await;
    let subject = lift_product(&app).await;
    let pack = put_into_use(&app, lifts("1.0.0")).await;
    let id = record(&app, manufacture(&subject, "LIFT-0001")).await;
    app.anchor().await;
    let retire = format!("{PACKS}/{pack}/retire");
    let kept = app.post("secadmin", &retire, because()).await.expect(200);
    assert_eq!((&kept["state"], &kept["closed_by"]), (&json!("retired"), &json!("secadmin")));
    for _ in 0..2 {
        let refused = capture(&app, "supervisor", manufacture(&subject, "LIFT-0002")).await;
        names(&errors(&refused.expect(422)), "domain", "示例电梯）已停用");
        let template = "/api/v1/trace/templates/lift/manufacture.xlsx";
        app.get("supervisor", template).await.expect(404);
        let all = app.get("farm", "/api/v1/domains").await.expect(200);
        let entry = all.as_array().unwrap().iter().find(|one| one["code"] == "lift");
        assert_eq!(entry.unwrap()["accepts"], false);
        app.get("farm", "/api/v1/domains/lift").await.expect(200);
        let read = app.get("supervisor", &format!("/api/v1/trace/events/{id}")).await.expect(200);
        assert_eq!((&read["type_name"], &read["pack_version"]), (&json!("制造"), &json!("1.0.0")));
        assert_eq!(read["integrity"]["intact"], true);
        assert_eq!(read["attributes"]["welder"], Value::Null);
        let path = format!("/api/v1/trace/events/{id}/reveal");
        let shown =
            app.post("supervisor", &path, json!({ "reason": "核对焊工" })).await.expect(200);
        assert_eq!(shown["welder"], "张示例");
        app.restart().await;
    }
    // It comes back with a higher version that keeps what the records use.
    let mut less = lifts("1.1.0");
    less["stages"].as_array_mut().unwrap().remove(0);
    let refused = app.post("sysadmin", "/api/v1/domains", less).await.expect(422);
    names(&errors(&refused), "stages", "缺少事件类型 manufacture");
    put_into_use(&app, lifts("1.1.0")).await;
    record(&app, manufacture(&subject, "LIFT-0002")).await;
}

#[tokio::test]
async fn g_4_b_a_pack_changed_behind_the_platforms_back_is_not_used() {
    let mut app = TestApp::start().await;
    let pack = put_into_use(&app, fish()).await;
    app.get("farm", "/api/v1/domains/aquatic").await.expect(200);
    app.tamper("UPDATE domain_pack SET content = REPLACE(content, '捕捞', '养殖')").await;
    // A reader that has it keeps it; one that reads it anew finds out.
    app.tamper("UPDATE domain_epoch SET value = 'other'").await;
    app.restart().await;
    app.get("farm", "/api/v1/domains/aquatic").await.expect(404);
    let listed = app.get("auditor", PACKS).await.expect(200);
    assert_eq!(
        (&listed["items"][0]["intact"], &listed["items"][0]["in_force"]),
        (&json!(false), &json!(false))
    );
    app.get("auditor", &format!("{PACKS}/{pack}")).await.expect(409);
}
