//! 角色树与数据权限 (G-5.4.3b, G-10.2-2, D-6.4.2.2, D-9.2.1; S-15 … S-20).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{Ctx, Sql, SqlValue, Tx};

use crate::harness::{Session, TestApp};

async fn role(app: &TestApp, code: &str) -> Value {
    let found = app.get("secadmin", &format!("/api/v1/role?code={code}")).await.expect(200);
    found["items"][0].clone()
}

#[tokio::test]
async fn g_5_4_3b_a_role_four_levels_deep_never_exceeds_its_parent() {
    let app = TestApp::start().await;
    let mut parent = role(&app, "supervisor").await;
    let all = ["product:read", "trace:capture", "trace:read", "trace_subject:read"];
    for depth in 1..=4 {
        let permissions = &all[..=4 - depth];
        let body = json!({
            "code": format!("level-{depth}"), "name": format!("示例角色{depth}级"),
            "parent_id": parent["id"], "permissions": permissions,
        });
        let made = app.post("secadmin", "/api/v1/role", body).await.expect(201);
        let beyond = json!({
            "code": format!("beyond-{depth}"), "name": "越权", "parent_id": made["id"],
            "permissions": ["source_policy:write"],
        });
        let refused = app.post("secadmin", "/api/v1/role", beyond).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains("下级不能超出上级"), "{refused}");
        parent = made;
    }
    assert_eq!(parent["path"], "business/supervisor/level-1/level-2/level-3/level-4/");
    // What is taken from above must be taken from below first.
    let top = role(&app, "level-1").await;
    let path = format!("/api/v1/role/{}", top["id"].as_str().unwrap());
    let less = json!({ "permissions": ["trace:read"] });
    let refused = app.change("secadmin", ("PATCH", &path), 1, less).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("请先从下级收回"), "{refused}");
    // A part of the tree moves with everything below it.
    let second = role(&app, "level-2").await;
    let path = format!("/api/v1/role/{}", second["id"].as_str().unwrap());
    let moved = json!({ "parent_id": role(&app, "supervisor").await["id"] });
    app.change("secadmin", ("PATCH", &path), 1, moved).await.expect(200);
    assert_eq!(role(&app, "level-4").await["path"], "business/supervisor/level-2/level-3/level-4/");
    // Not below itself, no administrators' rights, no unknown ones.
    let circle = json!({ "parent_id": role(&app, "level-4").await["id"] });
    app.change("secadmin", ("PATCH", &path), 2, circle).await.expect(422);
    for permission in ["account:write", "audit:read", "no:such"] {
        let body = json!({ "code": "strange", "name": "示例", "permissions": [permission] });
        app.post("secadmin", "/api/v1/role", body).await.expect(422);
    }
    let held = role(&app, "supervisor").await;
    let path = format!("/api/v1/role/{}", held["id"].as_str().unwrap());
    let version = [("if-match", "\"1\"")];
    let refused = app.send("DELETE", &path, Some("secadmin"), &version, None).await;
    assert_eq!(refused.expect(409)["code"], "conflict", "somebody still holds it");
}

/// Gives a person one more assignment, of a supervisor unless the cube says another role.
pub async fn assign(app: &TestApp, name: &str, cube: &Value, clearance: i64) {
    let ctx = app.assembled.app.on_own_behalf("test");
    let mut tx = ctx.begin().await.unwrap();
    let account = Sql::new("SELECT id FROM account WHERE user_name = $1").arg(name);
    let account = String::from(tx.fetch(account).await.unwrap()[0].text(0).unwrap());
    insert_assignment(&ctx, &mut tx, &account, (cube, clearance)).await;
    tx.commit().await.unwrap();
}

async fn insert_assignment(
    ctx: &Ctx,
    tx: &mut Tx,
    account: &str,
    (cube, clearance): (&Value, i64),
) {
    let role = Sql::new("SELECT id FROM role WHERE code = 'supervisor'");
    let role = String::from(tx.fetch(role).await.unwrap()[0].text(0).unwrap());
    let mut assignment = cube.clone();
    assignment["account_id"] = json!(account);
    if assignment.get("role_id").is_none() {
        assignment["role_id"] = json!(role);
    }
    assignment["clearance"] = json!(clearance);
    assignment["account_path"] = Value::Null;
    for name in ["region", "organization_id", "category", "stage", "valid_from", "valid_until"] {
        if assignment.get(name).is_none() {
            assignment[name] = Value::Null;
        }
    }
    let assignment: yj_identity::Assignment = serde_json::from_value(assignment).unwrap();
    tx.insert(ctx, &assignment).await.unwrap();
}

/// A person with one assignment, of a supervisor unless the cube says another role, and a session that
/// skips the slow part.
pub async fn somebody(app: &mut TestApp, name: &str, cube: &Value, clearance: i64) {
    let ctx = app.assembled.app.on_own_behalf("test");
    let mut tx = ctx.begin().await.unwrap();
    let row = |rows: Vec<yj_kernel::Row>| String::from(rows[0].text(0).unwrap());
    let top = Sql::new("SELECT id FROM organization WHERE parent_id IS NULL");
    let top = row(tx.fetch(top).await.unwrap()).parse().unwrap();
    let new = yj_identity::NewPerson {
        user_name: name,
        name: "示例人员",
        organization: top,
        administrator: None,
        clearance: 4,
        service: false,
    };
    let account = yj_identity::person(&ctx, &mut tx, new).await.unwrap();
    // Before the assignment, which seals all of it.
    let sql = "UPDATE account SET state = 'active' WHERE user_name = $1";
    tx.execute(Sql::new(sql).arg(name)).await.unwrap();
    insert_assignment(&ctx, &mut tx, &account.to_string(), (cube, clearance)).await;
    let token = yj_crypto::sm3::hex(&yj_crypto::sm3::digest(name.as_bytes()));
    let digest = yj_crypto::sm3::hex(&yj_crypto::sm3::parts(&[b"YJ/session\0", token.as_bytes()]));
    let now: SqlValue = app.now().as_millisecond().into();
    let sql = Sql::new(
        "INSERT INTO session (token_digest, id, account_id, csrf, proved_at, address, agent, created_at, seen_at) \
         VALUES ($1, $2, $3, 'word', $4, '', '', $4, $4)",
    );
    tx.execute(sql.arg(digest).arg(name).arg(account).arg(now)).await.unwrap();
    let sql =
        "INSERT INTO credential (account_id, verifier, set_at, must_change) VALUES ($1, '', $2, 0)";
    tx.execute(Sql::new(sql).arg(account).arg(app.now().as_millisecond())).await.unwrap();
    tx.commit().await.unwrap();
    let (cookie, csrf) = (format!("__Host-yj={token}"), String::from("word"));
    app.keep(name, Session { cookie, csrf });
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, choices: &'a [&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }
}

const REGIONS: [&str; 8] =
    ["", "610000", "610100", "610116", "610104", "610300", "370000", "110000"];
const CATEGORIES: [&str; 4] = ["", "agri", "industrial", "food"];
const STAGES: [&str; 6] =
    ["", "primary_production", "processing", "distribution", "inspection", "transport"];

/// Whether a record lies within a cube; written anew here, from the words of the standard.
fn within(cube: &Value, clearance: i64, record: &BTreeMap<&str, String>) -> bool {
    let text = |name: &str| cube[name].as_str().unwrap_or_default();
    let stem = match text("region") {
        "" => "",
        code if code.ends_with("0000") => &code[..2],
        code if code.ends_with("00") => &code[..4],
        code => code,
    };
    if !record["region"].starts_with(stem) {
        return false;
    }
    if !text("category").is_empty()
        && !record["category"].contains(&format!("|{}|", text("category")))
    {
        return false;
    }
    if !text("stage").is_empty()
        && record["stage"] != "*"
        && !record["stage"].contains(&format!("|{}|", text("stage")))
    {
        return false;
    }
    record["label"].parse::<i64>().unwrap() <= clearance
}

/// Everything in a table, as the evaluator sees it.
async fn all(app: &TestApp, table: &str) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    let rows = tx.fetch(Sql::new(match table {
        "trace_subject" => "SELECT id, region, product_kinds, roles, label FROM trace_subject",
        "product" => "SELECT id, region, domain, '*', label FROM product",
        _ => "SELECT uid, region, domain, stage, label FROM trace_event",
    }));
    let stage_of = |role: &str| match role.as_bytes().first() {
        Some(b'1') => "primary_production",
        Some(b'2') => "processing",
        Some(b'3') => "distribution",
        Some(b'4') => "transport",
        Some(b'5') => "inspection",
        Some(b'6') => "consumption",
        Some(b'7') => "supervision",
        _ => "none",
    };
    let list = |text: &str, map: &dyn Fn(&str) -> String| -> String {
        let items: Vec<String> =
            serde_json::from_str(text).unwrap_or_else(|_| vec![String::from(text)]);
        items.iter().map(|item| format!("|{}|", map(item))).collect()
    };
    let mut found = BTreeMap::new();
    for row in rows.await.unwrap() {
        let text = |index| row.text_opt(index).unwrap().unwrap_or_default();
        let stage = match (table, text(3)) {
            (_, "*") => String::from("*"),
            ("trace_subject", roles) => list(roles, &|role| String::from(stage_of(role))),
            (_, stage) => format!("|{stage}|"),
        };
        let record = BTreeMap::from([
            ("region", String::from(text(1))),
            ("category", list(text(2), &|code| String::from(code))),
            ("stage", stage),
            ("label", row.int(4).unwrap().to_string()),
        ]);
        found.insert(String::from(text(0)), record);
    }
    found
}

#[tokio::test]
async fn s_18_ten_thousand_random_users_and_queries_never_see_a_row_outside_their_scope() {
    let mut app = TestApp::start().await;
    let mut dice = Dice(20_261_124);
    // Records of every label.
    for (table, key) in [("trace_subject", "id"), ("product", "id"), ("trace_event", "uid")] {
        for id in all(&app, table).await.into_keys() {
            let label = 1 + dice.roll(4);
            app.tamper(&format!("UPDATE {table} SET label = {label} WHERE {key} = '{id}'")).await;
        }
    }
    let tables = ["trace_subject", "product", "trace_event"];
    let mut records = BTreeMap::new();
    for table in tables {
        records.insert(table, all(&app, table).await);
    }
    let (mut pairs, mut seen, mut empty) = (0, 0, 0);
    for number in 0..250 {
        let name = format!("random-{number}");
        let mut cube = json!({});
        for (field, choices) in
            [("region", &REGIONS[..]), ("category", &CATEGORIES[..]), ("stage", &STAGES[..])]
        {
            let choice = dice.pick(choices);
            // Most people are limited in one or two ways, not in all.
            if !choice.is_empty() && dice.roll(2) == 0 {
                cube[field] = json!(choice);
            }
        }
        let clearance = i64::try_from(1 + dice.roll(4)).unwrap();
        somebody(&mut app, &name, &cube, clearance).await;
        for _ in 0..40 {
            let table = dice.pick(&tables);
            let mine: BTreeSet<_> = records[table]
                .iter()
                .filter(|(_, record)| within(&cube, clearance, record))
                .map(|(id, _)| id.clone())
                .collect();
            pairs += 1;
            if dice.roll(3) == 0 {
                // One record by its identifier.
                let ids: Vec<_> = records[table].keys().collect();
                let id = ids[dice.roll(ids.len())];
                let path = match table {
                    "trace_event" => format!("/api/v1/trace/events/{id}"),
                    _ => format!("/api/v1/{table}/{id}"),
                };
                let status = app.get(&name, &path).await.status;
                let expected = if mine.contains(id) { 200 } else { 404 };
                assert_eq!(
                    status, expected,
                    "{name} {cube} {clearance} {path} {:?}",
                    records[table][id]
                );
                continue;
            }
            let (path, filter) = match table {
                "trace_event" => ("/api/v1/trace/events?per_page=200", ""),
                "product" => ("/api/v1/product?per_page=100&count=true", "&domain=agri"),
                _ => ("/api/v1/trace_subject?per_page=100&count=true", "&region=610100"),
            };
            let narrowed = dice.roll(2) == 0;
            let found =
                app.get(&name, &format!("{path}{}", if narrowed { filter } else { "" })).await;
            let found = found.expect(200);
            let ids: BTreeSet<_> = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| String::from(item["id"].as_str().unwrap()))
                .collect();
            assert!(
                ids.is_subset(&mine),
                "{name} {cube} {clearance} sees {:?}",
                ids.difference(&mine)
            );
            if !narrowed || table == "trace_event" {
                assert_eq!(ids, mine, "{name} {cube} {clearance} {table}");
            }
            if table != "trace_event" {
                assert_eq!(found["total"]["count"], ids.len(), "counts equal lists");
            }
            seen += ids.len();
            empty += usize::from(ids.is_empty());
        }
    }
    assert_eq!(pairs, 10_000);
    assert!(seen > 10_000 && empty > 500, "{seen} rows seen, {empty} empty answers");
}

#[tokio::test]
async fn s_19_another_organisations_record_looks_like_none_at_all() {
    let app = TestApp::start().await;
    let theirs = app.subject("示例蔬菜加工厂").await;
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let product = app.get("supervisor", "/api/v1/product?per_page=1").await.expect(200);
    let events = app.get("enterprise", "/api/v1/trace/events?per_page=1").await.expect(200);
    let id = |table: &str| match table {
        "trace_subject" => theirs["id"].clone(),
        "product" => product["items"][0]["id"].clone(),
        "trace" => events["items"][0]["id"].clone(),
        _ => Value::Null,
    };
    let nothing = "0190a5f0-0000-7000-8000-000000000000";
    let mut compared = 0;
    for (path, methods) in routes["paths"].as_object().unwrap() {
        let Some(table) = path.split('/').nth(3) else { continue };
        let Some(real) = id(table).as_str().map(String::from) else { continue };
        if !path.contains("{id}") {
            continue;
        }
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let headers = [("if-match", "\"1\"")];
            let ask = async |id: &str| {
                let body = Some(br#"{"reason":"probing","label":2,"comment":"x"}"#.to_vec());
                app.send(&method, &path.replace("{id}", id), Some("farm"), &headers, body).await
            };
            let (theirs, none) = (ask(&real).await, ask(nothing).await);
            let plain = |mut body: Value| {
                body["request_id"] = Value::Null;
                body.to_string().replace(&real, "ID").replace(nothing, "ID")
            };
            assert_eq!(theirs.status, none.status, "{method} {path}: {}", theirs.body);
            assert_eq!(plain(theirs.body), plain(none.body), "{method} {path}");
            assert!(theirs.status >= 400, "{method} {path}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
    let alarms = app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'probing'").await;
    assert_eq!(alarms, 1, "probing is noticed (S-28)");
}

#[tokio::test]
async fn s_20_nobody_hands_on_more_than_they_were_handed() {
    let mut app = TestApp::start().await;
    let mut dice = Dice(7);
    // A security administrator of a city, below the top.
    let ctx = app.assembled.app.on_own_behalf("test");
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let office = json!({ "code": "CITY", "name": "示例市局", "kind": "authority", "parent_id": top["items"][0]["id"] });
    let office = app.post("sysadmin", "/api/v1/organization", office).await.expect(201);
    let organization = office["id"].as_str().unwrap().parse().unwrap();
    let mut tx = ctx.begin().await.unwrap();
    let password = "tK9#mVx2!pLw-7q";
    let mut made = Vec::new();
    for (user_name, administrator) in
        [("city-sec", Some(yj_identity::AdminKind::Security)), ("city-one", None)]
    {
        let new = yj_identity::NewPerson {
            user_name,
            name: "示例",
            organization,
            administrator,
            clearance: 4,
            service: false,
        };
        let id = yj_identity::person(&ctx, &mut tx, new).await.unwrap();
        app.assembled
            .identity
            .open_demonstration_account(&ctx, &mut tx, (id, password))
            .await
            .unwrap();
        made.push(id.to_string());
    }
    tx.commit().await.unwrap();
    app.log_in("city-sec", password).await;
    let roles: BTreeMap<_, _> = {
        let found = app.get("secadmin", "/api/v1/role?per_page=100").await.expect(200);
        let items = found["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|role| (String::from(role["code"].as_str().unwrap()), role["id"].clone()))
            .collect()
    };
    let codes: Vec<&str> = roles.keys().map(String::as_str).collect();
    let grant = |role: &str, region: &str, category: &str, clearance: i64| {
        let mut body =
            json!({ "account_id": made[1], "role_id": roles[role], "clearance": clearance });
        if !region.is_empty() {
            body["region"] = json!(region);
        }
        if !category.is_empty() {
            body["category"] = json!(category);
        }
        body
    };
    let nothing =
        app.post("city-sec", "/api/v1/assignment", grant("supervisor", "610116", "", 2)).await;
    assert_eq!(nothing.status, 403, "nothing was handed on yet");
    let mut delegation = grant("supervisor", "610100", "agri", 3);
    delegation["account_id"] = json!(made[0]);
    assert_eq!(app.post("city-sec", "/api/v1/delegation", delegation.clone()).await.status, 403);
    app.post("secadmin", "/api/v1/delegation", delegation).await.expect(201);
    let (mut allowed, mut refused) = (0, 0);
    for _ in 0..300 {
        let (role, region) = (dice.pick(&codes), dice.pick(&REGIONS));
        let (category, clearance) =
            (dice.pick(&CATEGORIES), i64::try_from(1 + dice.roll(4)).unwrap());
        let answer = app
            .post("city-sec", "/api/v1/assignment", grant(role, region, category, clearance))
            .await;
        let inside = role == "supervisor"
            && region.starts_with("6101")
            && category == "agri"
            && clearance <= 3;
        assert_eq!(
            answer.status == 201,
            inside,
            "{role} {region} {category} {clearance}: {}",
            answer.body
        );
        allowed += usize::from(inside);
        refused += usize::from(!inside);
    }
    assert!(allowed > 0 && refused > 200, "{allowed} {refused}");
    // Accounts of other offices are not there for a city's administrator.
    let seen = app.get("city-sec", "/api/v1/account?per_page=100").await.expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 2, "{seen}");
}

#[tokio::test]
async fn s_16_a_right_written_behind_the_platforms_back_is_worth_nothing() {
    let app = TestApp::start().await;
    app.get("farm", "/api/v1/trace_subject").await.expect(200);
    app.tamper(
        "UPDATE assignment SET organization_id = NULL WHERE account_id = (SELECT id FROM account WHERE user_name = 'farm')",
    )
    .await;
    app.tamper("UPDATE access_epoch SET value = value + 1").await;
    let refused = app.get("farm", "/api/v1/trace_subject").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    app.get("supervisor", "/api/v1/trace_subject").await.expect(200);
    app.tamper(
        "UPDATE role SET permissions = '[\"trace_subject:erase\",\"trace_subject:read\"]' WHERE code = 'supervisor'",
    )
    .await;
    app.tamper("UPDATE access_epoch SET value = value + 1").await;
    assert_eq!(app.get("supervisor", "/api/v1/trace_subject").await.status, 403);
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200);
    let kinds: Vec<_> =
        alarms["items"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["rights_tampered", "rights_tampered"]);
    let path = format!("/api/v1/alarms/{}/settle", alarms["items"][0]["id"].as_str().unwrap());
    app.post("secadmin", &path, json!({ "reason": "已恢复授权并追查数据库账号" }))
        .await
        .expect(200);
    assert_eq!(app.post("secadmin", &path, json!({ "reason": "再次" })).await.status, 409);
}

#[tokio::test]
async fn s_15_labels_hide_records_and_clearance_opens_them() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let one = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    somebody(&mut app, "cleared-2", &json!({ "region": "610000" }), 2).await;
    app.get("cleared-2", &one).await.expect(200);
    let mark = |label: i64| json!({ "label": label, "reason": "涉案调查" });
    let path = format!("{one}/label");
    assert_eq!(app.change("farm", ("PUT", &path), 1, mark(3)).await.status, 403);
    let marked = app.change("supervisor", ("PUT", &path), 1, mark(3)).await.expect(200);
    assert_eq!((&marked["label"], &marked["version"]), (&3.into(), &2.into()));
    assert_eq!(app.get("cleared-2", &one).await.status, 404);
    let listed = app.get("cleared-2", "/api/v1/trace_subject?per_page=100").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().all(|item| item["id"] != subject["id"]));
    app.get("supervisor", &one).await.expect(200);
    let trail = app.get("auditor", "/api/v1/audit?action=labelled").await.expect(200);
    assert_eq!(trail["items"][0]["changes"]["label"], json!([2, 3]));
}

#[tokio::test]
async fn g_5_4_3b_what_an_upgrade_brings_the_role_at_the_top_gets_and_no_other() {
    let mut app = TestApp::start().await;
    let (top, other) = (role(&app, "business").await, role(&app, "supervisor").await);
    // As before the upgrade: the right was not there, and nobody had it.
    let path = format!("/api/v1/role/{}", top["id"].as_str().unwrap());
    let held = app.get("secadmin", "/api/v1/role?per_page=100").await.expect(200);
    let below = held["items"].as_array().unwrap().iter().filter(|one| one["code"] != "business");
    let below: BTreeSet<_> = below
        .flat_map(|one| one["permissions"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut fewer = top["permissions"].as_array().unwrap().clone();
    let alone = fewer.iter().position(|name| !below.contains(name.as_str().unwrap())).unwrap();
    let name = fewer.remove(alone);
    app.change("secadmin", ("PATCH", &path), 1, json!({ "permissions": fewer })).await.expect(200);
    let name = name.as_str().unwrap();
    app.tamper(&format!("DELETE FROM permission WHERE name = '{name}'")).await;
    app.restart().await;
    let kept = role(&app, "business").await;
    assert_eq!(kept["permissions"], top["permissions"]);
    assert_eq!(kept["version"], 3);
    assert_eq!(role(&app, "supervisor").await["version"], other["version"]);
    let seen = app.get("auditor", "/api/v1/audit?entity=role&action=updated").await.expect(200);
    assert_eq!(seen["items"][0]["record"], top["id"]);
    let body = json!({
        "code": "reader", "name": "示例", "parent_id": top["id"], "permissions": [name],
    });
    app.post("secadmin", "/api/v1/role", body).await.expect(201);
    app.restart().await;
    assert_eq!(role(&app, "business").await["version"], 3, "nothing came, nothing changes");
}
