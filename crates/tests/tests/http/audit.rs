//! 安全审计 (GB/T 22239 8.1.4.3; G-5.4.3c, D-6.4.2.3, D-9.2.3; S-21 … S-26).

use serde_json::{Value, json};

use crate::harness::TestApp;

async fn verify(app: &TestApp) -> Value {
    app.post("auditor", "/api/v1/audit/verify", json!({})).await.expect(200)
}

#[tokio::test]
async fn d_9_2_3_analysis_use_exchange_and_publication_leave_entries() {
    let app = TestApp::start().await;
    app.get("supervisor", "/api/v1/trace/chain?code=F1-A&direction=downstream").await.expect(200);
    app.get("gateway", "/api/v1/trace/events?domain=agri&per_page=5").await.expect(200);
    app.get("gateway", "/api/v1/trace_subject?region=610100").await.expect(200);
    // Looking for the owner of a number is a revelation, and wants the right to one.
    let number = "/api/v1/trace_subject?contact_phone=13800000000";
    assert_eq!(app.get("gateway", number).await.status, 403);
    app.get("supervisor", number).await.expect(200);
    app.get("supervisor", "/api/v1/product/export?format=csv&domain=agri").await.expect(202);
    app.run_jobs().await;
    let trail = app.get("auditor", "/api/v1/audit?per_page=200").await.expect(200);
    let entry = |action: &str, entity: &str| {
        let found = trail["items"].as_array().unwrap().iter();
        let mut found = found.filter(|one| one["action"] == action && one["entity"] == entity);
        found.next().cloned().unwrap_or_else(|| panic!("no {action} {entity}"))
    };
    for (action, entity, dataset, recipient) in [
        ("analysed", "trace_object", "trace_chain", "supervisor"),
        ("queried", "trace_event", "trace_event", "gateway"),
        ("queried", "trace_subject", "trace_subject", "gateway"),
        ("exported", "product", "product", "supervisor"),
    ] {
        let found = entry(action, entity);
        let changes = &found["changes"];
        assert_eq!(
            (&changes["dataset"], &changes["recipient"]),
            (&dataset.into(), &recipient.into())
        );
        assert!(changes["query"].is_string() && changes["rows"].is_number(), "{found}");
        for field in ["at", "node", "actor", "actor_kind", "session", "request_id", "digest"] {
            assert!(!found[field].is_null(), "{field}: {found}");
        }
    }
    assert_eq!(entry("revealed", "trace_subject")["changes"]["fields"], json!(["contact_phone"]));
    assert!(!trail.to_string().contains("13800000000"), "filters do not carry personal data");
}

#[tokio::test]
async fn s_21_every_refused_attempt_to_change_something_is_noted() {
    let app = TestApp::start().await;
    let before = app.count("SELECT COUNT(*) FROM audit_log WHERE result = 'refused'").await;
    assert_eq!(app.post("farm", "/api/v1/source_policy", json!({})).await.status, 403);
    assert_eq!(app.post("supervisor", "/api/v1/source_policy", json!({})).await.status, 422);
    let after = app.count("SELECT COUNT(*) FROM audit_log WHERE result = 'refused'").await;
    assert_eq!(after - before, 2);
    let found = app.get("auditor", "/api/v1/audit?result=refused&actor=farm").await.expect(200);
    assert_eq!(found["items"][0]["record"], "/api/v1/source_policy");
    assert_eq!(found["items"][0]["changes"]["status"], 403);
}

#[tokio::test]
async fn s_23_edited_deleted_and_truncated_entries_are_found_and_named() {
    let app = TestApp::start().await;
    assert_eq!(verify(&app).await["intact"], true);
    assert!(app.assembled.ledger.anchor_audit(&app.assembled.app).await.unwrap());
    app.anchor().await;
    let guard = |on: bool| match (app.database_file().is_some(), on) {
        (true, false) => "DROP TRIGGER audit_log_fixed",
        (true, true) => {
            "CREATE TRIGGER audit_log_fixed BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
        (false, false) => "ALTER TABLE audit_log DISABLE TRIGGER audit_log_fixed",
        (false, true) => "ALTER TABLE audit_log ENABLE TRIGGER audit_log_fixed",
    };
    // The database refuses; whoever takes that away is found out.
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    let sql = yj_kernel::Sql::new("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3");
    assert!(tx.execute(sql).await.is_err());
    drop(tx);
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    assert!(tx.execute(yj_kernel::Sql::new("DELETE FROM audit_log WHERE seq = 3")).await.is_err());
    drop(tx);
    app.run_sql(guard(false)).await;
    if app.database_file().is_some() {
        app.run_sql("DROP TRIGGER audit_log_kept").await;
    }
    let lane = app.count("SELECT MIN(lane) FROM audit_log").await;
    let is = |seq: i64| format!("lane = {lane} AND seq = {seq}");
    app.tamper(&format!("UPDATE audit_log SET actor = 'nobody' WHERE {}", is(3))).await;
    let found = verify(&app).await;
    assert_eq!(
        (&found["intact"], &found["flaws"][0]["seq"]),
        (&false.into(), &3.into()),
        "{found}"
    );
    assert!(found["flaws"][0]["finding"].as_str().unwrap().contains("被改动"));
    app.tamper(&format!("DELETE FROM audit_log WHERE {}", is(2))).await;
    let found = verify(&app).await;
    assert_eq!(found["flaws"][0]["seq"], 2, "{found}");
    assert!(found["flaws"][0]["finding"].as_str().unwrap().contains("被删除"));
    let alarms = app.get("auditor", "/api/v1/alarms").await.expect(200);
    assert_eq!(alarms["items"][0]["kind"], "audit_broken");
}

#[tokio::test]
async fn s_23_a_chain_computed_anew_is_caught_by_the_ledger() {
    let app = TestApp::start().await;
    app.assembled.ledger.anchor_audit(&app.assembled.app).await.unwrap();
    assert_eq!(verify(&app).await["intact"], true);
    let triggers: &[&str] = match app.database_file() {
        Some(_) => &["DROP TRIGGER audit_log_fixed", "DROP TRIGGER audit_log_kept"],
        None => &["ALTER TABLE audit_log DISABLE TRIGGER audit_log_fixed"],
    };
    for sql in triggers {
        app.run_sql(sql).await;
    }
    // Cut every chain down to its first entry and make the ends agree.
    app.tamper("DELETE FROM audit_log WHERE seq > 1").await;
    app.tamper(
        "UPDATE audit_head SET seq = 1, digest = (SELECT digest FROM audit_log l WHERE l.lane = audit_head.lane AND l.seq = 1) WHERE seq > 0",
    )
    .await;
    let found = verify(&app).await;
    assert_eq!(found["intact"], false, "{found}");
    assert!(
        found["flaws"].to_string().contains("被删除")
            || found["flaws"].to_string().contains("被重算")
    );
}

#[tokio::test]
async fn s_25_only_the_audit_administrator_reads_and_exports_the_trail() {
    let app = TestApp::start().await;
    for user in ["sysadmin", "secadmin", "supervisor", "farm", "gateway"] {
        assert_eq!(app.get(user, "/api/v1/audit").await.status, 403, "{user}");
        assert_eq!(app.get(user, "/api/v1/audit/export").await.status, 403, "{user}");
    }
    let exported = app.get("auditor", "/api/v1/audit/export?action=logged_in").await;
    assert_eq!(exported.status, 200);
    let lines = String::from_utf8(exported.bytes).unwrap();
    assert_eq!(lines.lines().count(), 7);
    assert!(lines.lines().all(|line| line.contains("\"digest\"")));
    let found = app.get("auditor", "/api/v1/audit?action=exported").await.expect(200);
    assert_eq!(found["items"][0]["changes"]["rows"], 7);
}

#[tokio::test]
async fn g_5_4_3c_applications_write_and_query_their_own_entries() {
    let app = TestApp::start().await;
    let role = app.get("secadmin", "/api/v1/role?code=integrator").await.expect(200);
    let role = &role["items"][0];
    let path = format!("/api/v1/role/{}", role["id"].as_str().unwrap());
    let mut permissions = role["permissions"].as_array().unwrap().clone();
    permissions.extend([json!("audit_entry:read"), json!("audit_entry:write")]);
    let change = json!({ "permissions": permissions });
    app.change("secadmin", ("PATCH", &path), 1, change).await.expect(200);
    let entries = json!({ "entries": [
        { "actor": "示例药店店员", "action": "login", "entity": "pos" },
        { "actor": "示例药店店员", "action": "query", "entity": "drug", "record": "D-1", "result": "refused", "body": { "reason": "无处方" } },
    ] });
    let path = "/api/v1/audit/entries";
    assert_eq!(app.post("farm", path, entries.clone()).await.status, 403);
    app.post("gateway", path, entries).await.expect(201);
    let own = app.get("gateway", path).await.expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 2);
    // Another name does not show another's entries.
    let other = app.get("gateway", &format!("{path}?source=pharmacy")).await.expect(200);
    assert_eq!(other["items"].as_array().unwrap().len(), 2);
    let seen = app.get("auditor", "/api/v1/audit?source=gateway&result=refused").await.expect(200);
    assert_eq!(seen["items"][0]["record"], "D-1");
    assert_eq!(verify(&app).await["intact"], true, "they are in the same chain");
    for wrong in [
        json!({ "entries": [] }),
        json!({ "entries": [{ "actor": "", "action": "x", "entity": "y" }] }),
    ] {
        app.post("gateway", path, wrong).await.expect(422);
    }
}

#[tokio::test]
async fn s_22_what_cannot_be_audited_does_not_happen() {
    let app = TestApp::start().await;
    let deny = match app.database_file() {
        Some(_) => {
            "CREATE TRIGGER deny BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'read only'); END"
        }
        None => {
            "CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'read only'; END $$; \
             CREATE TRIGGER deny BEFORE INSERT ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION deny()"
        }
    };
    let policies = app.count("SELECT COUNT(*) FROM source_policy").await;
    let policy = json!({
        "name": "示例策略", "source": "form", "region": "610000", "decision": "manual",
    });
    app.run_sql(deny).await;
    let refused = app.post("supervisor", "/api/v1/source_policy", policy.clone()).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (503, &"unavailable".into()),
        "{}",
        refused.body
    );
    let (user, password) = app.password("supervisor");
    assert_eq!(app.enter(user, password).await.1["http_status"], 503, "nobody comes in unseen");
    app.get("supervisor", "/api/v1/source_policy").await.expect(200);
    assert_eq!(app.count("SELECT COUNT(*) FROM source_policy").await, policies);
    let allow = match app.database_file() {
        Some(_) => "DROP TRIGGER deny",
        None => "DROP TRIGGER deny ON audit_log",
    };
    app.run_sql(allow).await;
    app.post("supervisor", "/api/v1/source_policy", policy).await.expect(201);
}

/// Every route that changes something, tried by somebody who may not: one entry each, no more.
#[tokio::test]
async fn s_21_every_route_leaves_one_entry_of_a_refused_attempt() {
    let app = TestApp::start().await;
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let entries = async || app.count("SELECT COUNT(*) FROM audit_log").await;
    let mut tried = 0;
    for (path, methods) in routes["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(permission) = operation["x-permission"].as_str() else { continue };
            let held = yj_identity::AdminKind::Audit.permissions().contains(&permission);
            if held || method == "get" {
                continue;
            }
            let concrete = path.replace("{id}", "0190a5f0-0000-7000-8000-000000000000");
            let before = entries().await;
            let method = method.to_uppercase();
            let answer = app.send(&method, &concrete, Some("auditor"), &[], None).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            assert_eq!(entries().await - before, 1, "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    let found = app.get("auditor", "/api/v1/audit?result=refused&per_page=200").await.expect(200);
    for entry in found["items"].as_array().unwrap() {
        for field in ["at", "node", "actor", "actor_kind", "session", "action", "record", "digest"]
        {
            assert!(!entry[field].as_str().unwrap().is_empty(), "{field}: {entry}");
        }
        assert_eq!(entry["changes"]["status"], 403);
    }
}

#[tokio::test]
async fn s_21_what_is_shown_at_the_door_and_refused_is_noted_too() {
    let app = TestApp::start().await;
    let forged = [("authorization", "Bearer 0123456789abcdef0123456789abcdef")];
    assert_eq!(app.send("GET", "/api/v1/me", None, &forged, None).await.status, 401);
    let signed = [("signature-input", "sig=();keyid=\"nobody\""), ("signature", "sig=:AA==:")];
    let large = Some(vec![b' '; 100_000]);
    assert_eq!(app.send("POST", "/api/v1/trace/events", None, &signed, large).await.status, 401);
    let form = "grant_type=client_credentials&client_id=gateway&client_secret=wrong";
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.send("POST", "/oauth/token", None, &kind, Some(form.into())).await;
    assert_eq!(answer.status, 401);
    let body = json!({ "token": "0".repeat(32), "password": "tK9#mVx2!pLw-7q" }).to_string();
    let answer = app.send("POST", "/api/v1/activation", None, &[], Some(body.into())).await;
    assert_eq!(answer.status, 410);
    let found = app.get("auditor", "/api/v1/audit?result=refused").await.expect(200);
    let actions: Vec<_> =
        found["items"].as_array().unwrap().iter().map(|one| one["action"].clone()).collect();
    assert_eq!(
        actions,
        ["activation_refused", "token_refused", "credentials_refused", "credentials_refused"]
    );
}

/// A record's own history is the platform's, whatever an application writes under its name.
#[tokio::test]
async fn s_26_an_application_cannot_write_into_the_history_of_a_record() {
    let app = TestApp::start().await;
    let role = app.get("secadmin", "/api/v1/role?code=integrator").await.expect(200);
    let role = &role["items"][0];
    let path = format!("/api/v1/role/{}", role["id"].as_str().unwrap());
    let mut permissions = role["permissions"].as_array().unwrap().clone();
    permissions.push(json!("audit_entry:write"));
    let change = json!({ "permissions": permissions });
    app.change("secadmin", ("PATCH", &path), 1, change).await.expect(200);
    let subject = app.subject("示例韭菜合作社一社").await;
    let forged = json!({ "entries": [{
        "actor": "reviewer", "action": "approved", "entity": "trace_subject", "record": subject["id"],
    }] });
    app.post("gateway", "/api/v1/audit/entries", forged).await.expect(201);
    let path = format!("/api/v1/trace_subject/{}/history", subject["id"].as_str().unwrap());
    let history = app.get("supervisor", &path).await.expect(200);
    assert!(!history.to_string().contains("gateway"), "{history}");
    let entries = app.get("auditor", "/api/v1/audit?source=gateway").await.expect(200);
    assert_eq!(entries["items"][0]["actor"], "gateway", "the auditor sees who wrote it");
}
