//! Organisations with an employee who may do everything there, administrators of their own, and one
//! of every thing the platform keeps.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yj_identity::{AdminKind, NewPerson, Organization};

use crate::harness::{TestApp, harvest};

pub const PASSWORD: &str = "tK9#mVx2!pLw-7q";
pub const NOTHING: &str = "0190a5f0-0000-7000-8000-000000000000";

/// An organisation with an employee who may do everything there, and its own administrators.
pub struct House {
    pub number: usize,
    pub id: String,
    pub subject: Value,
    /// What belongs to it: kind → identifier.
    pub things: BTreeMap<&'static str, String>,
}

impl House {
    pub fn user(&self, post: &str) -> String {
        format!("{post}-{}", self.number)
    }

    /// Who of this house holds a permission.
    pub fn holder(&self, permission: Option<&str>) -> String {
        let holds =
            |kind: &&AdminKind| permission.is_some_and(|name| kind.permissions().contains(&name));
        match AdminKind::ALL.iter().find(holds) {
            Some(kind) if permission != Some("ledger:read") => self.user(kind.code()),
            _ => self.user("boss"),
        }
    }
}

pub fn id_of(value: &Value) -> String {
    String::from(value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")))
}

/// People of a house, made by the platform's own hand; they log in with a known password.
async fn people(app: &mut TestApp, organization: &str, number: usize) -> String {
    let ctx = app.assembled.app.on_own_behalf("test");
    let mut tx = ctx.begin().await.unwrap();
    let posts = AdminKind::ALL.map(|kind| (kind.code(), Some(kind)));
    let mut boss = String::new();
    let mut names = Vec::new();
    for (post, administrator) in posts.into_iter().chain([("boss", None)]) {
        let user_name = format!("{post}-{number}");
        let new = NewPerson {
            user_name: &user_name,
            name: "示例人员",
            organization: organization.parse().unwrap(),
            administrator,
            clearance: 4,
            service: false,
        };
        let id = yj_identity::person(&ctx, &mut tx, new).await.unwrap();
        let known = (id, PASSWORD);
        app.assembled.identity.open_demonstration_account(&ctx, &mut tx, known).await.unwrap();
        if post == "boss" {
            boss = id.to_string();
        }
        names.push(user_name);
    }
    tx.commit().await.unwrap();
    for name in names {
        app.log_in(&name, PASSWORD).await;
    }
    boss
}

/// A role with every business permission there is.
pub async fn everything(app: &TestApp) -> String {
    let found = app.get("secadmin", "/api/v1/permissions").await.expect(200);
    let names: Vec<_> =
        found["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(names.len() > 20);
    let role = json!({ "code": "everything", "name": "示例全部权限", "permissions": names });
    id_of(&app.post("secadmin", "/api/v1/role", role).await.expect(201))
}

pub async fn house(app: &mut TestApp, number: usize, (subject, role): (&str, &str)) -> House {
    let subject = app.subject(subject).await;
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let ctx = app.assembled.app.on_own_behalf("test");
    let mut tx = ctx.begin().await.unwrap();
    let organization: Organization = serde_json::from_value(json!({
        "code": format!("HOUSE-{number}"), "name": "示例机构", "kind": "enterprise",
        "parent_id": top["items"][0]["id"], "path": null, "region": null,
        "subject_id": subject["id"],
    }))
    .unwrap();
    let id = tx.insert(&ctx, &organization).await.unwrap().id.to_string();
    tx.commit().await.unwrap();
    let account = people(app, &id, number).await;
    let mut house = House { number, id, subject, things: BTreeMap::new() };
    let grant = json!({
        "account_id": account, "role_id": role, "organization_id": house.id, "clearance": 4,
    });
    let grant = app.post("secadmin", "/api/v1/assignment", grant).await.expect(201);
    house.things.extend([
        ("account", account),
        ("assignment", id_of(&grant)),
        ("organization", house.id.clone()),
        ("trace_subject", id_of(&house.subject)),
    ]);
    furnish(app, &mut house, role).await;
    house
}

/// One of everything.
async fn furnish(app: &TestApp, house: &mut House, role: &str) {
    let (boss, number) = (house.user("boss"), house.number);
    let subject = house.things["trace_subject"].clone();
    let one = format!("/api/v1/trace_subject/{subject}");
    let change = json!({ "address": "示例新址" });
    let filed = app.change(&boss, ("PATCH", &one), 1, change).await.expect(202);
    house.things.insert("trace_subject/changes", id_of(&filed["change_request"]));
    for part in 0..3 {
        let product = json!({
            "code": format!("H{number}-{part}"), "name": "示例产品", "domain": "agri",
            "catalogue_code": "010106", "unit": "KGM", "subject_id": subject, "region": "610116",
        });
        let filed = app.post(&boss, "/api/v1/product", product).await.expect(202);
        let request = id_of(&filed["change_request"]);
        if part == 2 {
            house.things.insert("product/changes", request);
            break;
        }
        let path = format!("/api/v1/product/changes/{request}/approve");
        let decided = app.post("reviewer", &path, json!({})).await.expect(200);
        let record = String::from(decided["record"].as_str().unwrap());
        house.things.insert("product", record);
    }
    let code = |part: usize| format!("610{number}16{:03}", part + 1);
    for part in 0..2 {
        let node = json!({
            "code": code(part), "name": "示例市场", "kind": "market", "subject_id": subject,
            "region": format!("610{number}00"), "in_use": true,
        });
        let filed = app.post(&boss, "/api/v1/node", node).await.expect(202);
        let request = id_of(&filed["change_request"]);
        if part == 0 {
            let path = format!("/api/v1/node/changes/{request}/approve");
            let decided = app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert("node", String::from(decided["record"].as_str().unwrap()));
        } else {
            house.things.insert("node/changes", request);
        }
    }
    for part in 0..2 {
        let merchant = json!({
            "code": format!("{}{:04}", code(0), part), "name": "示例商户", "kind": "individual",
            "node_id": house.things["node"], "goods": ["0102"], "contact_name": "示例甲",
            "contact_phone": "13800000001", "in_use": true,
        });
        let filed = app.post(&boss, "/api/v1/merchant", merchant).await.expect(202);
        let request = id_of(&filed["change_request"]);
        if part == 0 {
            let path = format!("/api/v1/merchant/changes/{request}/approve");
            let decided = app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert("merchant", String::from(decided["record"].as_str().unwrap()));
        } else {
            house.things.insert("merchant/changes", request);
        }
    }
    places(app, house, &code).await;
    for part in 0..2 {
        let device = json!({
            "mac": format!("A4BB6D0000{number}{part}"), "kind": "scale", "model": "示例-1",
            "subject_id": subject, "region": house.subject["region"], "in_use": true,
        });
        let filed = app.post(&boss, "/api/v1/device", device).await.expect(202);
        let request = id_of(&filed["change_request"]);
        if part == 0 {
            let path = format!("/api/v1/device/changes/{request}/approve");
            let decided = app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert("device", String::from(decided["record"].as_str().unwrap()));
        } else {
            house.things.insert("device/changes", request);
        }
    }
    papers(app, house).await;
    codes(app, house).await;
    exchanged(app, house).await;
    let mut held = String::new();
    for part in 0..2 {
        let code = format!("HOUSE-{number}-{part}");
        let mut event = harvest(&house.subject, &code);
        event["outputs"][0]["product"] = json!(format!("H{number}-{part}"));
        let taken = app.post(&boss, "/api/v1/trace/events", event).await.expect(201);
        held = id_of(&taken["results"][0]);
        if part == 0 {
            let path = format!("/api/v1/trace/events/{held}/approve");
            app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert("trace/objects", code);
        }
    }
    house.things.insert("trace/events", held);
    let document = json!({
        "kind": "purchase", "number": format!("H{number}-P"), "issuer": "示例供货商",
        "subject_id": subject, "product": "示例产品", "issued_on": "2026-11-01",
    });
    let document = app.post(&boss, "/api/v1/batch_document", document).await.expect(201);
    house.things.insert("batch_document", id_of(&document));
    let stopped = format!("HOUSE-{number}-order");
    let mut event = harvest(&house.subject, &stopped);
    event["outputs"][0]["product"] = json!(format!("H{number}-0"));
    let taken = app.post(&boss, "/api/v1/trace/events", event).await.expect(201);
    let path = format!("/api/v1/trace/events/{}/approve", id_of(&taken["results"][0]));
    app.post("reviewer", &path, json!({})).await.expect(200);
    let order = json!({ "act": "freeze", "reason": "核对数据" });
    let path = format!("/api/v1/trace/objects/{stopped}/orders");
    house.things.insert("trace_order", id_of(&app.post(&boss, &path, order).await.expect(201)));
    let binding = json!({
        "device_id": house.things["device"], "code": house.things["trace/objects"],
        "kind": "temperature", "starts_at": "2026-11-01T08:00:00+08:00",
    });
    let binding = app.post(&boss, "/api/v1/device_binding", binding).await.expect(201);
    house.things.insert("device_binding", id_of(&binding));
    let upload = "/api/v1/attachments?name=note.txt";
    let kind = [("content-type", "application/octet-stream")];
    let file = app.send("POST", upload, Some(&boss), &kind, Some(b"sample".to_vec())).await;
    house.things.insert("attachments", id_of(&file.expect(201)));
    let policy = json!({
        "name": "示例策略", "source": "form", "subject_id": subject, "decision": "manual",
    });
    let policy = app.post(&boss, "/api/v1/source_policy", policy).await.expect(201);
    house.things.insert("source_policy", id_of(&policy));
    let queued = app.get(&boss, "/api/v1/product/export").await.expect(202);
    assert_eq!(queued["state"], "waiting", "two rows want somebody else's word here");
    let job = String::from(queued["job"].as_str().unwrap());
    house.things.extend([("jobs", job.clone()), ("exports", job)]);
    let factor = json!({ "name": "手机" });
    let factor = app.post(&boss, "/api/v1/me/factors/totp", factor).await.expect(201);
    house.things.insert("me/factors", id_of(&factor));
    let sessions = app.get(&boss, "/api/v1/me/sessions").await.expect(200);
    let session = id_of(&sessions["items"][0]);
    house.things.extend([("me/sessions", session.clone()), ("sessions", session)]);
    offices(app, house, role).await;
}

/// Two further markets where its merchant trades as well, one approved and one waiting.
async fn places(app: &TestApp, house: &mut House, code: &impl Fn(usize) -> String) {
    let (boss, number) = (house.user("boss"), house.number);
    for part in 0..2 {
        let node = json!({
            "code": code(part + 2), "name": "示例市场", "kind": "market",
            "subject_id": house.things["trace_subject"], "region": format!("610{number}00"),
            "in_use": true,
        });
        let filed = app.post(&boss, "/api/v1/node", node).await.expect(202);
        let node = crate::subjects::approved(app, "node", &filed).await;
        let place = json!({ "merchant_code": format!("{}0000", code(0)), "node_id": node });
        let filed = app.post(&boss, "/api/v1/merchant_place", place).await.expect(202);
        if part == 0 {
            let place = crate::subjects::approved(app, "merchant_place", &filed).await;
            house.things.insert("merchant_place", place);
        } else {
            let request = id_of(&filed["change_request"]);
            house.things.insert("merchant_place/changes", request);
        }
    }
}

/// Its prefixes and links, one approved and one waiting of each, and a batch of codes.
async fn codes(app: &TestApp, house: &mut House) {
    let (boss, number) = (house.user("boss"), house.number);
    let (subject, product) =
        (house.things["trace_subject"].clone(), house.things["product"].clone());
    let made = |part: usize| {
        let rule = json!({
            "scheme": "ma", "prefix": format!("MA.156.M0.9{number}{part}"), "subject_id": subject,
            "in_use": true,
        });
        let link = json!({
            "product_id": product, "link_type": "instructions", "title": "示例说明",
            "href": format!("https://www.example.cn/{number}/{part}"), "language": "zh",
            "media_type": "text/html", "in_use": true,
        });
        [("code_rule", "code_rule/changes", rule), ("resolver_link", "resolver_link/changes", link)]
    };
    for part in 0..2 {
        for (table, changes, body) in made(part) {
            let filed = app.post(&boss, &format!("/api/v1/{table}"), body).await.expect(202);
            let request = id_of(&filed["change_request"]);
            if part == 1 {
                house.things.insert(changes, request);
                continue;
            }
            let path = format!("/api/v1/{table}/changes/{request}/approve");
            let decided = app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert(table, String::from(decided["record"].as_str().unwrap()));
        }
    }
    let batch = json!({
        "code": format!("H{number}"), "subject_id": subject, "product_id": product, "scheme": "own",
        "level": "item", "random": true, "size": 10,
    });
    let batch = app.post(&boss, "/api/v1/code_batch", batch).await.expect(201);
    house.things.insert("code_batch", id_of(&batch));
    let template = json!({
        "name": "示例标签", "subject_id": subject, "kind": "trace", "width_mm": 60,
        "height_mm": 40, "symbol": "qr", "symbol_mm": 25, "place": "left", "font_pt": 8,
        "content": "address", "lines": "{产品名称}", "in_use": true,
    });
    let template = app.post(&boss, "/api/v1/label_template", template).await.expect(201);
    house.things.insert("label_template", id_of(&template));
}

/// An EPCIS event that it sent, with everything that is named in it, and a named query.
async fn exchanged(app: &TestApp, house: &mut House) {
    let (boss, number) = (house.user("boss"), house.number);
    let name = |thing: &str| format!("urn:example:house:{number}:{thing}");
    let document = json!({
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "2026-11-10T08:00:00+08:00",
        "epcisBody": { "eventList": [{
            "type": "ObjectEvent", "eventID": name("event"), "action": "OBSERVE",
            "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
            "epcList": [name("thing")], "readPoint": { "id": name("door") },
            "bizLocation": { "id": name("hall") },
        }] },
    });
    app.post(&boss, "/epcis/v2/capture", document).await.expect(202);
    let captures = app.get(&boss, "/epcis/v2/capture").await.expect(200);
    let capture = String::from(captures[0]["captureID"].as_str().unwrap());
    house.things.insert("epcis/capture", capture);
    let query = format!("house-{number}-query");
    let body = json!({ "name": query, "query": { "eventType": ["ObjectEvent"] } });
    app.post(&boss, "/epcis/v2/queries", body).await.expect(201);
    house.things.extend([
        ("epcis/queries", query),
        ("epcis/events", name("event")),
        ("epcis/epcs", name("thing")),
        ("epcis/readPoints", name("door")),
        ("epcis/bizLocations", name("hall")),
    ]);
}

/// Its licences, sites and former codes, one approved and one waiting of each, and a contradiction.
async fn papers(app: &TestApp, house: &mut House) {
    let (boss, number) = (house.user("boss"), house.number);
    let (subject, code) = (house.things["trace_subject"].clone(), house.subject["code"].clone());
    let made = |part: usize| {
        let licence = json!({
            "subject_id": subject, "kind": "204", "no": format!("H{number}-{part}"),
            "issuer": "示例农业农村局", "valid_from": "2026-01-01",
        });
        let site = json!({
            "subject_code": code, "name": format!("示例场所{part}"), "kind": "shop",
            "region": format!("610{number}00"), "address": "示例路 1 号", "in_use": true,
        });
        let alias = json!({
            "kind": "node9", "code": format!("6109{number}990{part}"), "subject_id": subject,
        });
        let key = crate::signing::filing(
            code.as_str().unwrap(),
            &format!("k{part}"),
            u8::try_from(number * 8 + part).unwrap(),
        );
        [
            ("evidence_key", "evidence_key/changes", key),
            ("licence", "licence/changes", licence),
            ("site", "site/changes", site),
            ("subject_alias", "subject_alias/changes", alias),
        ]
    };
    for part in 0..2 {
        for (table, changes, body) in made(part) {
            let filed = app.post(&boss, &format!("/api/v1/{table}"), body).await.expect(202);
            let request = id_of(&filed["change_request"]);
            if part == 1 {
                house.things.insert(changes, request);
                continue;
            }
            let path = format!("/api/v1/{table}/changes/{request}/approve");
            let decided = app.post("reviewer", &path, json!({})).await.expect(200);
            house.things.insert(table, String::from(decided["record"].as_str().unwrap()));
        }
    }
    let other = json!({
        "code": code, "name": "示例其他名称", "kind": "03", "roles": ["10"], "region": "610116",
        "contact_name": "示例甲", "contact_phone": "13800000001",
    });
    let sent = app.post(&boss, "/api/v1/trace_subject/receive", other).await.expect(202);
    house.things.insert("subject_conflict", String::from(sent["conflict"].as_str().unwrap()));
}

/// What its administrators have.
async fn offices(app: &TestApp, house: &mut House, role: &str) {
    let (system, security) = (house.user("system"), house.user("security"));
    let service = json!({
        "user_name": format!("service-{}", house.number), "name": "示例服务账号",
        "organization_id": house.id, "kind": "service", "clearance": 2,
    });
    let service = app.post(&system, "/api/v1/account", service).await.expect(201);
    let client = json!({
        "client_id": format!("client-{}", house.number), "name": "示例客户端",
        "account_id": service["id"], "method": "oauth", "quota_per_minute": 10,
    });
    let client = app.post(&system, "/api/v1/client", client).await.expect(201);
    house.things.insert("client", id_of(&client));
    let found = app.get("sysadmin", &format!("/api/v1/account?user_name={security}")).await;
    let account = id_of(&found.expect(200)["items"][0]);
    let delegation = json!({
        "account_id": account, "role_id": role, "organization_id": house.id, "clearance": 4,
    });
    let delegation = app.post("secadmin", "/api/v1/delegation", delegation).await.expect(201);
    let view = json!({ "entity": "trace_subject", "title": "示例查询", "query": "kind=01" });
    let view = app.post(&house.user("boss"), "/api/v1/views", view).await.expect(201);
    house.things.insert("views", id_of(&view));
    house.things.insert("delegation", id_of(&delegation));
    let reset = format!("/api/v1/account/{account}/reset");
    let asked = app.post(&system, &reset, json!({})).await.expect(202);
    house.things.insert("account/requests", id_of(&asked["request"]));
    // Somebody guesses the boss's password; that is an alarm of this house.
    for _ in 0..5 {
        app.enter(&house.user("boss"), "wrong").await;
    }
    let alarms = app.get(&security, "/api/v1/alarms").await.expect(200);
    assert_eq!(alarms["items"].as_array().unwrap().len(), 1, "those of its people alone");
    house.things.insert("alarms", id_of(&alarms["items"][0]));
}
