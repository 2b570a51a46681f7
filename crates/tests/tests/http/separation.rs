//! 机构之间互不可见、管理员之间互相制约 (GB/T 22239 8.1.4.2 d–f; G-10.2-2, D-9.2.1; S-12, S-13,
//! S-19, S-20): three organisations with everything there is, and every route of the interface.

use serde_json::{Value, json};
use yj_identity::Security;

use crate::{
    harness::TestApp,
    houses::{House, NOTHING, PASSWORD, everything, house, id_of},
};

/// Which kind of thing a path names; an empty text where it names nobody's.
fn kind_of(path: &str) -> &'static str {
    const KINDS: &[(&str, &str)] = &[
        ("/api/v1/views/{id}", "views"),
        ("/api/v1/device/changes/{id}", "device/changes"),
        ("/api/v1/device/{id}", "device"),
        ("/api/v1/device_binding/{id}", "device_binding"),
        ("/api/v1/licence/changes/{id}", "licence/changes"),
        ("/api/v1/licence/{id}", "licence"),
        ("/api/v1/evidence_key/changes/{id}", "evidence_key/changes"),
        ("/api/v1/evidence_key/{id}", "evidence_key"),
        ("/api/v1/site/changes/{id}", "site/changes"),
        ("/api/v1/site/{id}", "site"),
        ("/api/v1/subject_alias/changes/{id}", "subject_alias/changes"),
        ("/api/v1/subject_alias/{id}", "subject_alias"),
        ("/api/v1/subject_conflict/{id}", "subject_conflict"),
        // A merger takes two subjects, and an organisation here reaches one: none has any.
        ("/api/v1/subject_merger/", ""),
        // Applications belong to regions and to nobody's organisation; who sees which is tested by G-6.2.2-1.
        ("/api/v1/subject_application/{id}", ""),
        ("/api/v1/merchant/changes/{id}", "merchant/changes"),
        ("/api/v1/merchant/{id}", "merchant"),
        ("/api/v1/merchant_place/changes/{id}", "merchant_place/changes"),
        ("/api/v1/merchant_place/{id}", "merchant_place"),
        ("/api/v1/node/changes/{id}", "node/changes"),
        ("/api/v1/node/{id}", "node"),
        ("/api/v1/account/requests/{id}", "account/requests"),
        ("/api/v1/account/{id}", "account"),
        ("/api/v1/alarms/{id}", "alarms"),
        ("/api/v1/assignment/{id}", "assignment"),
        ("/api/v1/attachments/{id}", "attachments"),
        ("/api/v1/client/{id}", "client"),
        ("/api/v1/delegation/{id}", "delegation"),
        ("/api/v1/exports/{id}", "exports"),
        ("/api/v1/jobs/{id}", "jobs"),
        ("/api/v1/me/factors/{id}", "me/factors"),
        ("/api/v1/me/sessions/{id}", "me/sessions"),
        ("/api/v1/organization/{id}", "organization"),
        ("/api/v1/code_batch/{id}", "code_batch"),
        ("/api/v1/code_rule/changes/{id}", "code_rule/changes"),
        ("/api/v1/code_rule/{id}", "code_rule"),
        ("/api/v1/resolver_link/changes/{id}", "resolver_link/changes"),
        ("/api/v1/resolver_link/{id}", "resolver_link"),
        ("/api/v1/label_template/{id}", "label_template"),
        // Witnesses of the log are the platform's own: only its administrators hold the right.
        ("/api/v1/ledger_witness/{id}", ""),
        // Resolvers further up are the platform's own: only its administrators hold the right.
        ("/api/v1/resolver_upstream/{id}", ""),
        ("/api/v1/product/changes/{id}", "product/changes"),
        ("/api/v1/product/{id}", "product"),
        ("/api/v1/sessions/{id}", "sessions"),
        ("/api/v1/source_policy/{id}", "source_policy"),
        ("/api/v1/trace/events/{id}", "trace/events"),
        ("/api/v1/trace/objects/{code}", "trace/objects"),
        ("/api/v1/batch_document/{id}", "batch_document"),
        ("/api/v1/trace_order/{id}", "trace_order"),
        ("/api/v1/trace_subject/changes/{id}", "trace_subject/changes"),
        ("/api/v1/trace_subject/{id}", "trace_subject"),
        ("/scim/v2/Users", "account"),
        // Roles are everybody's to see; who may change which is tested by S-20.
        ("/api/v1/role/{id}", ""),
        // Connected applications are the platform's own: only its administrators hold the right.
        ("/api/v1/application/{id}", ""),
        ("/api/v1/ledger/blocks/{height}", ""),
        // What a subscription is of is the query's; names of others' queries are unknown.
        ("/epcis/v2/queries/{id}/subscriptions/{sub}", ""),
        ("/epcis/v2/queries/{id}", "epcis/queries"),
        ("/epcis/v2/capture/{id}", "epcis/capture"),
        ("/epcis/v2/events/{id}", "epcis/events"),
        ("/epcis/v2/epcs/{id}", "epcis/epcs"),
        ("/epcis/v2/bizLocations/{id}", "epcis/bizLocations"),
        ("/epcis/v2/readPoints/{id}", "epcis/readPoints"),
        // Classes belong to regions, not to organisations; who sees which is tested by G-6.3.2.
        ("/api/v1/catalogue/{id}", ""),
    ];
    const OF_NOBODY: &[&str] = &[
        "/epcis/v2/bizSteps/{id}",
        "/epcis/v2/dispositions/{id}",
        "/epcis/v2/eventTypes/{id}",
        "/epcis/v2/nextPageToken/{token}",
        "/api/v1/change-rules/{entity}/{field}",
        "/api/v1/dictionary/{set}/{name}",
        "/api/v1/domains/{code}",
        "/api/v1/domains/packs/{id}",
        "/api/v1/interface/{version}",
        "/api/v1/ledger/alarms/{id}",
        // One of the thirteen kinds; of each everybody takes what is within reach.
        "/api/v1/libraries/{number}",
        "/api/v1/ledger/digests/{digest}",
        "/api/v1/ledger/findings/{id}",
        "/api/v1/ledger/passes/{id}",
        "/api/v1/map-packs/active/{digest}",
        "/api/v1/map-packs/{id}",
        "/api/v1/trace/messages/{door}",
        "/api/v1/trace/templates/{domain}",
    ];
    let known = KINDS.iter().find(|(start, _)| path.starts_with(start));
    match known {
        Some((_, kind)) => kind,
        None if OF_NOBODY.iter().any(|start| path.starts_with(start)) => "",
        None => panic!("{path}: whose are these? add it to the sweep"),
    }
}

/// A body that a route would take, where it takes one.
async fn body(app: &TestApp, house: &House, (method, path, kind): (&str, &str, &str)) -> Value {
    let last = path.rsplit('/').next().unwrap();
    match (method, last) {
        (_, "label") => json!({ "label": 2, "reason": "核对数据" }),
        (_, "shared") => json!({ "shared": true }),
        (_, "transfer") => json!({ "organization_id": house.id, "reason": "核对数据" }),
        (_, "administrator") => json!({ "administrator": "none" }),
        (_, "binding") => json!({ "kind": "enterprise", "subject": null, "reason": "核对数据" }),
        (_, "approve" | "reject" | "return" | "withdraw")
            if kind != "exports" && kind != "client" =>
        {
            json!({ "comment": "核对数据" })
        }
        ("POST", "confirm") if kind == "me/factors" => json!({ "code": "123456" }),
        ("POST", "secret" | "invite" | "reset" | "cancel" | "revoke" | "approve")
            if kind != "exports" =>
        {
            json!({})
        }
        ("POST", "forget") => json!({ "ground": "other", "reason": "核对数据" }),
        ("POST", "activate") => json!({ "from": 1, "lot": "L1" }),
        ("POST", "void") => json!({ "from": 2, "reason": "核对数据" }),
        ("POST", _) => json!({ "reason": "核对数据" }),
        ("PUT" | "PATCH", "{id}") if path.starts_with("/scim") => {
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "示例" }] })
        }
        ("PUT", "{row}") => json!({ "主体名称": "示例农户" }),
        // What one of one's own holds, so that nothing is wrong with it but whose it is.
        ("PUT" | "PATCH", "{id}") => {
            let own = path.replace("{id}", &house.things[kind]);
            let actor = house.holder(None);
            let read = app.get(&actor, &own).await;
            let mut own = if read.status == 200 {
                read.body
            } else {
                let path = own;
                app.get(&house.user("system"), &path).await.body
            };
            if let Some(inner) = own.get("body").cloned() {
                own = inner;
            }
            for name in
                ["id", "version", "label", "created_at", "created_by", "updated_at", "updated_by"]
            {
                own.as_object_mut().unwrap().remove(name);
            }
            own
        }
        _ => Value::Null,
    }
}

#[tokio::test]
async fn s_19_three_organisations_and_every_route_leak_nothing_not_even_existence() {
    let security = Security { export_approval_rows: 1, ..Security::demonstration() };
    let mut app = TestApp::start_under(security).await;
    let role = everything(&app).await;
    let subjects = ["示例韭菜合作社一社", "示例韭菜合作社二社", "示例蔬菜加工厂"];
    let mut houses = Vec::new();
    for (number, subject) in subjects.into_iter().enumerate() {
        houses.push(house(&mut app, number, (subject, &role)).await);
    }
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    // Lists: nobody's list holds another's thing.
    for (path, methods) in routes["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("get") else { continue };
        if path.contains('{') || operation["security"].as_array().unwrap().is_empty() {
            continue;
        }
        for own in &houses {
            let actor = own.holder(operation["x-permission"].as_str());
            let answer = app.get(&actor, path).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            for other in houses.iter().filter(|house| house.number != own.number) {
                for (kind, id) in &other.things {
                    // An event may name whom it came from, a chain its neighbours.
                    assert!(!text.contains(id.as_str()), "{actor} {path} shows a {kind}");
                }
            }
        }
    }
    // What an organisation stands for is decided at the top, also for its own security administrator.
    for own in &houses {
        let path = format!("/api/v1/organization/{}/binding", own.id);
        let body = json!({ "kind": "enterprise", "subject": null, "reason": "核对数据" });
        let body = Some(body.to_string().into_bytes());
        let refused = app.send("PUT", &path, Some(&own.user("security")), &[], body).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    let (mut compared, mut own_seen) = (0, 0);
    for (path, methods) in routes["paths"].as_object().unwrap() {
        if !path.contains('{') {
            continue;
        }
        for (method, operation) in methods.as_object().unwrap() {
            // The public page of a code is for the public.
            if operation["security"].as_array().unwrap().is_empty() {
                continue;
            }
            let (method, kind) = (method.to_uppercase(), kind_of(path));
            // What a kind of resource can do is said without looking for one.
            if kind.is_empty() || method == "OPTIONS" {
                continue;
            }
            let permission = operation["x-permission"].as_str();
            for own in &houses {
                let actor = own.holder(permission);
                let body = body(&app, own, (&method, path, kind)).await;
                let ask = async |id: &str| {
                    let path = path.replace("{id}", id).replace("{code}", id).replace("{row}", "1");
                    let body = (!body.is_null()).then(|| body.to_string().into_bytes());
                    app.send(&method, &path, Some(&actor), &[("if-match", "\"1\"")], body).await
                };
                let none = ask(NOTHING).await;
                let plain = |mut body: Value, id: &str| {
                    body["request_id"] = Value::Null;
                    body.to_string().replace(id, "ID")
                };
                for other in houses.iter().filter(|house| house.number != own.number) {
                    let id = &other.things[kind];
                    let theirs = ask(id).await;
                    assert_eq!(
                        theirs.status, none.status,
                        "{actor} {method} {path}: {} instead of {}",
                        theirs.body, none.body
                    );
                    assert_eq!(
                        plain(theirs.body, id),
                        plain(none.body.clone(), NOTHING),
                        "{actor} {method} {path}"
                    );
                    compared += 1;
                }
                assert!((400..500).contains(&none.status), "{actor} {method} {path}");
                // The sweep would prove nothing where one's own is not seen either.
                // The progress of a job is a stream without end.
                if method == "GET" && !path.ends_with("{id}/events") {
                    let seen = ask(&own.things[kind]).await;
                    // A sheet of labels wants a batch as well.
                    let anchored = path.ends_with("/proof") || path.ends_with("/sheet");
                    assert!(
                        seen.status == 200 || anchored,
                        "{actor} {method} {path}: {}",
                        seen.body
                    );
                    own_seen += 1;
                }
            }
        }
    }
    assert!(compared > 300 && own_seen > 60, "{compared} compared, {own_seen} of one's own");
    // Nothing of it was changed either.
    for house in &houses {
        let path = format!("/api/v1/organization/{}", house.id);
        assert_eq!(app.get("sysadmin", &path).await.expect(200)["version"], 1);
    }
}

#[tokio::test]
async fn s_13_what_is_done_to_an_administrator_takes_two_of_them() {
    let mut app = TestApp::start().await;
    let id = async |app: &TestApp, user: &str| {
        let path = format!("/api/v1/account?user_name={user}");
        id_of(&app.get("sysadmin", &path).await.expect(200)["items"][0])
    };
    let target = id(&app, "secadmin").await;
    let at = |verb: &str| format!("/api/v1/account/{target}/{verb}");
    let because = json!({ "reason": "遗失手机" });
    let asked = app.post("sysadmin", &at("reset"), json!({})).await.expect(202);
    assert_eq!(asked["request"]["state"], "waiting");
    app.get("secadmin", "/api/v1/me").await.expect(200);
    let again = app.post("sysadmin", &at("reset"), json!({})).await.expect(202);
    assert_eq!(again["request"]["id"], asked["request"]["id"], "one request, however often");
    for verb in ["disable", "transfer"] {
        let mut body = because.clone();
        if verb == "transfer" {
            let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
            body["organization_id"] = top["items"][0]["id"].clone();
        }
        app.post("sysadmin", &at(verb), body).await.expect(202);
    }
    // Neither the one who asks nor the one it concerns gives the second word.
    let decide = |verb: &str| {
        format!("/api/v1/account/requests/{}/{verb}", asked["request"]["id"].as_str().unwrap())
    };
    assert_eq!(app.post("sysadmin", &decide("confirm"), because.clone()).await.status, 403);
    assert_eq!(app.post("secadmin", &decide("confirm"), because.clone()).await.status, 403);
    assert_eq!(app.post("supervisor", &decide("confirm"), because.clone()).await.status, 403);
    app.post("auditor", &decide("confirm"), json!({ "reason": " " })).await.expect(422);
    let shown = app.get("auditor", "/api/v1/account/requests").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 3);
    assert!(shown["items"].as_array().unwrap().iter().all(|one| one["own"] == false));
    assert_eq!(app.post("auditor", &decide("confirm"), because.clone()).await.status, 204);
    assert_eq!(app.post("auditor", &decide("refuse"), because.clone()).await.status, 409);
    // The word holds once.
    let made = app.post("sysadmin", &at("reset"), json!({})).await.expect(200);
    assert!(made["token"].is_string());
    assert_eq!(app.get("secadmin", "/api/v1/me").await.status, 401);
    app.post("sysadmin", &at("reset"), json!({})).await.expect(202);
    // Whoever holds business rights is not handed over by one administrator either.
    let path = format!("/api/v1/account/{}/reset", id(&app, "supervisor").await);
    app.post("sysadmin", &path, json!({})).await.expect(202);
    app.get("supervisor", "/api/v1/me").await.expect(200);
    let path = format!("/api/v1/account/{}/disable", id(&app, "supervisor").await);
    app.post("sysadmin", &path, because.clone()).await.expect(200);
    // A word goes stale after a day.
    let asked = app.post("sysadmin", &at("reset"), json!({})).await.expect(202);
    let confirm =
        format!("/api/v1/account/requests/{}/confirm", asked["request"]["id"].as_str().unwrap());
    assert_eq!(app.post("auditor", &confirm, because).await.status, 204);
    app.pass(jiff::SignedDuration::from_hours(25));
    let (user, password) = app.password("sysadmin");
    let password = String::from(password);
    app.log_in(user, &password).await;
    app.post("sysadmin", &at("reset"), json!({})).await.expect(202);
    // Whoever runs the server is the last way out, and leaves an entry.
    let token = yj_identity::recover(&app.assembled.app, "secadmin").await.unwrap();
    let body = json!({ "token": token, "password": PASSWORD }).to_string().into_bytes();
    app.send("POST", "/api/v1/activation", None, &[], Some(body)).await.expect(200);
    app.log_in("secadmin", PASSWORD).await;
    let (user, password) = app.password("auditor");
    let password = String::from(password);
    app.log_in(user, &password).await;
    let trail = app.get("auditor", "/api/v1/audit?actor=recover&action=reset").await.expect(200);
    assert_eq!(trail["items"][0]["record"], json!(target));
}

#[tokio::test]
async fn s_13_an_administrator_is_locked_by_one_and_opened_by_two() {
    let app = TestApp::start().await;
    let found = app.get("sysadmin", "/api/v1/account?user_name=sysadmin").await.expect(200);
    let at = |verb: &str| format!("/api/v1/account/{}/{verb}", id_of(&found["items"][0]));
    let because = json!({ "reason": "疑似被盗用" });
    app.post("secadmin", &at("lock"), because.clone()).await.expect(200);
    assert_eq!(app.get("sysadmin", "/api/v1/me").await.status, 401);
    app.post("secadmin", &at("unlock"), because.clone()).await.expect(202);
    let shown = app.get("auditor", "/api/v1/account/requests").await.expect(200);
    assert_eq!(shown["items"][0]["particulars"]["reason"], "疑似被盗用");
    let confirm = format!("/api/v1/account/requests/{}/confirm", id_of(&shown["items"][0]));
    assert_eq!(app.post("auditor", &confirm, because.clone()).await.status, 204);
    app.post("secadmin", &at("unlock"), because).await.expect(200);
}

#[tokio::test]
async fn s_20_what_an_organisation_stands_for_is_not_the_system_administrators_word() {
    let app = TestApp::start().await;
    let mine = app.subject("示例韭菜合作社一社").await;
    let theirs = app.subject("示例蔬菜加工厂").await;
    let found = app.get("sysadmin", "/api/v1/organization?kind=enterprise").await.expect(200);
    let houses = found["items"].as_array().unwrap();
    let own = houses.iter().find(|house| house["subject_id"] == mine["id"]).unwrap();
    let path = format!("/api/v1/organization/{}", id_of(own));
    let other = format!("/api/v1/trace_subject/{}", id_of(&theirs));
    for change in [json!({ "subject_id": theirs["id"] }), json!({ "kind": "authority" })] {
        let refused = app.change("sysadmin", ("PATCH", &path), 1, change).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains("安全管理员"), "{refused}");
    }
    assert_eq!(app.get("farm", &other).await.status, 404);
    let binding =
        |subject: &Value| json!({ "kind": "enterprise", "subject": subject, "reason": "企业更名" });
    let bind = async |user: &str, body: Value| {
        let body = Some(body.to_string().into_bytes());
        app.send("PUT", &format!("{path}/binding"), Some(user), &[], body).await
    };
    assert_eq!(bind("sysadmin", binding(&theirs["id"])).await.status, 403);
    let taken = bind("secadmin", binding(&theirs["id"])).await.expect(422);
    assert!(taken["detail"].as_str().unwrap().contains("另一机构"), "{taken}");
    assert_eq!(bind("secadmin", binding(&Value::Null)).await.status, 204);
    let one = format!("/api/v1/trace_subject/{}", id_of(&mine));
    assert_eq!(app.get("farm", &one).await.status, 404, "nothing is bound any more");
    let nobody = yj_model::SubjectCode::issue(610_116, 7, 99).unwrap().to_string();
    let nobody = bind("secadmin", binding(&json!(nobody))).await.expect(422);
    assert!(nobody["detail"].as_str().unwrap().contains("没有代码为"), "{nobody}");
    assert_eq!(bind("secadmin", binding(&json!(" "))).await.status, 204);
    assert_eq!(bind("secadmin", binding(&mine["code"])).await.status, 204);
    app.get("farm", &one).await.expect(200);
    // Written behind the platform's back it counts for nothing, and the alarm says so.
    app.tamper(&format!(
        "UPDATE organization SET subject_id = '{}' WHERE id = '{}'",
        id_of(&theirs),
        id_of(own)
    ))
    .await;
    app.tamper("UPDATE access_epoch SET value = value + 1").await;
    assert_ne!(app.get("farm", &other).await.status, 200);
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200);
    assert_eq!(alarms["items"][0]["kind"], "rights_tampered");
}

#[tokio::test]
async fn s_20_a_delegation_written_behind_the_platforms_back_is_worth_nothing() {
    let security = Security { export_approval_rows: 1, ..Security::demonstration() };
    let mut app = TestApp::start_under(security).await;
    let role = everything(&app).await;
    let house = house(&mut app, 0, ("示例韭菜合作社一社", &role)).await;
    let security = house.user("security");
    let found = app.get("secadmin", "/api/v1/role?code=everything").await.expect(200);
    let role = &found["items"][0];
    // Below what it was handed it may make roles, of others' it changes none.
    let child = json!({
        "code": "house-role", "name": "示例", "parent_id": role["id"],
        "permissions": ["trace:read"],
    });
    app.post(&security, "/api/v1/role", child).await.expect(201);
    let path = format!("/api/v1/role/{}", id_of(role));
    let change = json!({ "permissions": ["trace:read"] });
    assert_eq!(app.change(&security, ("PATCH", &path), 1, change).await.status, 403);
    let top = json!({ "code": "own-top", "name": "示例", "permissions": ["trace:read"] });
    assert_eq!(app.post(&security, "/api/v1/role", top).await.status, 403);
    let grant = json!({
        "account_id": house.things["account"], "role_id": role["id"],
        "organization_id": house.id, "clearance": 2,
    });
    app.post(&security, "/api/v1/assignment", grant.clone()).await.expect(201);
    app.tamper("UPDATE delegation SET organization_id = NULL").await;
    assert_eq!(app.post(&security, "/api/v1/assignment", grant).await.status, 403);
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200);
    assert!(alarms.to_string().contains("授权委托"), "{alarms}");
}

#[tokio::test]
async fn g_10_4_an_enterprise_sees_its_own_steps_of_a_chain_and_not_its_customers() {
    let app = TestApp::start().await;
    let chain = "/api/v1/trace/chain?code=F1-A&direction=downstream";
    let whole = app.get("supervisor", chain).await.expect(200);
    let own = app.get("farm", chain).await.expect(200);
    let count = |answer: &Value, name: &str| answer[name].as_array().unwrap().len();
    assert!(count(&whole, "events") > count(&own, "events"));
    assert_eq!((&whole["own_steps"], &own["own_steps"]), (&false.into(), &true.into()));
    let subject = app.subject("示例韭菜合作社一社").await;
    for event in own["events"].as_array().unwrap() {
        // A laboratory's finding about one's own lot is one's own business too.
        let observed = event["observes"] == true && event["inputs"][0]["code"] == "F1-A";
        assert!(event["subject_id"] == subject["id"] || observed, "{event}");
    }
    for flow in own["flow_table"].as_array().unwrap() {
        assert!(
            flow["upstream_code"] == subject["code"] || flow["downstream_code"] == subject["code"],
            "{flow}"
        );
    }
    for object in own["objects"].as_array().unwrap() {
        if object["subject_id"] != subject["id"] {
            assert_eq!(object["held"], "0", "others' stock is theirs: {object}");
        }
    }
    // A marked subject has no name for those who are not cleared, nor for the public.
    app.tamper("UPDATE trace_subject SET label = 4 WHERE name = '示例蔬菜加工厂'").await;
    let page = app.send("GET", "/t/R1-sold", None, &[], None).await;
    let page = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(!page.contains("示例蔬菜加工厂") && page.contains("名称不公开"));
}
