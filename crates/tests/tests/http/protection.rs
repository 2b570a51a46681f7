//! 数据保密与密钥 (GB/T 22239 8.1.4.7 … 11, GB/T 39786 8.4; S-11, S-29 … S-35).

use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::TestApp;

/// Every byte of the database: the file with its log, or a dump of every table.
pub async fn dump(app: &TestApp) -> Vec<u8> {
    if let Some(file) = app.database_file() {
        let mut bytes = std::fs::read(file).unwrap();
        let log = Path::new(file).with_extension("sqlite-wal");
        bytes.extend(std::fs::read(log).unwrap_or_default());
        return bytes;
    }
    app.every_row().await.into_bytes()
}

pub fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[tokio::test]
async fn s_29_a_dump_of_the_database_shows_no_phone_no_identity_number_and_no_password() {
    let mut app = TestApp::start().await;
    let (phone, identity, password) = ("13755512345", "110101199003070011", "wQ7!zRt5#uYp-2k");
    // A registration, its review, a change, an import, a user, a search, an export, an event.
    let subject = app.subject("示例韭菜合作社一社").await;
    let one = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let change = json!({ "contact_phone": phone, "contact_name": "欧阳示例甲" });
    let filed = app.change("supervisor", ("PATCH", &one), 1, change).await.expect(202);
    let id = filed["change_request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/trace_subject/changes/{id}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200);
    let found =
        app.get("supervisor", &format!("/api/v1/trace_subject?contact_phone={phone}")).await;
    assert_eq!(found.expect(200)["items"][0]["id"], subject["id"], "found by its blind index");
    let query = format!("/api/v1/trace_subject/export?format=csv&contact_phone={phone}");
    app.get("supervisor", &query).await.expect(202);
    let sheet = format!(
        "主体代码,主体名称,主体类型,环节角色,所属区域,联系人,联系电话\n坏代码,示例农户,家庭农场或农户,种植,610116,欧阳示例甲,{phone}\n"
    );
    let job = app.import("supervisor", "/api/v1/trace_subject/import", sheet.into_bytes()).await;
    assert_eq!(job["failed"], 1);
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let person = json!({
        "user_name": "planted", "name": "示例", "organization_id": top["items"][0]["id"],
        "kind": "person", "clearance": 2, "phone": phone, "email": "planted@example.cn",
    });
    let made = app.post("sysadmin", "/api/v1/account", person).await.expect(201);
    let invite = format!("/api/v1/account/{}/invite", made["id"].as_str().unwrap());
    let link = app.post("sysadmin", &invite, json!({})).await.expect(200);
    let body = json!({ "token": link["token"], "password": password });
    let kind: [(&str, &str); 0] = [];
    let sent =
        app.send("POST", "/api/v1/activation", None, &kind, Some(body.to_string().into())).await;
    sent.expect(200);
    app.log_in("planted", password).await;
    let note = crate::harness::harvest(&app.subject("示例韭菜合作社一社").await, "PII-1");
    let mut event = note;
    event["attributes"]["operator"] = json!(identity);
    let taken = app.post("gateway", "/api/v1/trace/events", event).await;
    assert!(matches!(taken.status, 201 | 422), "{}", taken.body);
    app.anchor().await;
    let bytes = dump(&app).await;
    assert!(bytes.len() > 100_000 && holds(&bytes, "planted"), "the dump is one");
    for secret in [phone, identity, password, "欧阳示例甲", "planted@example.cn"] {
        assert!(!holds(&bytes, secret), "{secret} lies open in the database");
    }
    // The rows of the import show their owner what was wrong.
    let rows =
        app.get("supervisor", &format!("/api/v1/jobs/{}/rows", job["id"].as_str().unwrap())).await;
    assert_eq!(rows.expect(200)["items"][0]["source"]["联系电话"], phone);
}

#[tokio::test]
async fn s_29_a_sealed_value_copied_to_another_row_does_not_open() {
    let app = TestApp::start().await;
    let (one, two) = (app.subject("示例韭菜合作社一社").await, app.subject("示例蔬菜加工厂").await);
    let (one, two) = (one["id"].as_str().unwrap(), two["id"].as_str().unwrap());
    app.tamper(&format!(
        "UPDATE trace_subject SET contact_phone = (SELECT contact_phone FROM trace_subject WHERE id = '{one}') WHERE id = '{two}'"
    ))
    .await;
    let path = format!("/api/v1/trace_subject/{two}");
    assert_eq!(app.get("supervisor", &path).await.expect(500)["code"], "internal");
    app.get("supervisor", &format!("/api/v1/trace_subject/{one}")).await.expect(200);
}

#[tokio::test]
async fn s_30_keys_rotate_while_requests_go_on_and_the_old_one_is_gone() {
    let app = TestApp::start().await;
    let before = app.get("secadmin", "/api/v1/keys").await.expect(200);
    let personal = |keys: &Value| {
        let items = keys["items"].as_array().unwrap().clone();
        items.into_iter().filter(|key| key["purpose"] == "personal").collect::<Vec<_>>()
    };
    assert!(before["module"].as_str().unwrap().contains("未经认证"), "the truth about the module");
    let subject = app.subject("示例韭菜合作社一社").await;
    let path = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let rotate = async { app.post("secadmin", "/api/v1/keys/rotate", json!({})).await.expect(200) };
    let read = async {
        for _ in 0..50 {
            app.get("supervisor", &path).await.expect(200);
        }
    };
    let (rotated, ()) = tokio::join!(rotate, read);
    assert!(rotated["data_keys"].as_i64().unwrap() >= 18, "{rotated}");
    let after = app.get("secadmin", "/api/v1/keys").await.expect(200);
    assert_eq!(personal(&after).len(), 1);
    assert_ne!(personal(&before)[0]["id"], personal(&after)[0]["id"]);
    assert_eq!(app.get("supervisor", &path).await.expect(200), subject);
}

#[tokio::test]
async fn s_35_erased_data_are_gone_everywhere_and_the_log_still_verifies() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let one = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let reason = json!({ "reason": "当事人要求删除" });
    assert_eq!(app.post("supervisor", &format!("{one}/erase"), reason.clone()).await.status, 403);
    app.post("reviewer", &format!("{one}/erase"), reason.clone()).await.expect(204);
    let after = app.get("supervisor", &one).await.expect(200);
    assert_eq!(
        (&after["contact_name"], &after["contact_phone"]),
        (&"已删除".into(), &"已删除".into())
    );
    assert_eq!(after["name"], subject["name"], "what is not personal stays");
    let revealed = app.post("supervisor", &format!("{one}/reveal"), reason).await.expect(200);
    assert_eq!(revealed["contact_phone"], "已删除");
    app.assembled.ledger.verify_chain().unwrap();
    let change = json!({ "address": "示例新址" });
    let filed = app.change("supervisor", ("PATCH", &one), 1, change).await;
    assert!(filed.status == 202 || filed.status == 422, "{}", filed.body);
}

#[tokio::test]
async fn s_31_one_changed_byte_closes_the_record_and_no_other() {
    let app = TestApp::start().await;
    let (one, two) = (app.subject("示例韭菜合作社一社").await, app.subject("示例蔬菜加工厂").await);
    let path =
        |subject: &Value| format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let id = one["id"].as_str().unwrap();
    app.tamper(&format!(
        "UPDATE trace_subject SET contact_name = substr(contact_name, 1, 20) || CASE substr(contact_name, 21, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(contact_name, 22) WHERE id = '{id}'"
    ))
    .await;
    assert_eq!(app.get("supervisor", &path(&one)).await.status, 500);
    app.get("supervisor", &path(&two)).await.expect(200);
}

/// Whether a text holds a whole mobile number. Digests and identifiers of requests hold any digits.
fn holds_phone(text: &str) -> bool {
    const DIGEST: usize = 32;
    let digest =
        |word: &&str| word.len() >= DIGEST && word.bytes().all(|letter| letter.is_ascii_hexdigit());
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let runs = words
        .filter(|word| !digest(word))
        .flat_map(|word| word.split(|letter: char| !letter.is_ascii_digit()));
    let phone = |run: &str| run.len() == 11 && (run.starts_with("138") || run.starts_with("139"));
    runs.into_iter().any(phone)
}

#[tokio::test]
async fn s_32_no_page_shows_anybody_a_phone_number() {
    let app = TestApp::start().await;
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let subject = app.subject("示例韭菜合作社一社").await;
    let change = json!({ "contact_phone": "13900000001" });
    let one = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let filed = app.change("enterprise", ("PATCH", &one), 1, change.clone()).await;
    assert_eq!(filed.status, 404, "another's");
    let filed = app.change("supervisor", ("PATCH", &one), 1, change).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    let events = app.get("supervisor", "/api/v1/trace/events?per_page=1").await.expect(200);
    let mut seen = 0;
    for path in routes["paths"].as_object().unwrap().keys() {
        if routes["paths"][path].get("get").is_none()
            || path.contains("sso")
            || path.contains("events\"")
        {
            continue;
        }
        let id = match path.split('/').nth(3) {
            Some("trace") => events["items"][0]["id"].as_str().unwrap(),
            _ if path.contains("/changes/") => request,
            _ => subject["id"].as_str().unwrap(),
        };
        let concrete = path.replace("{id}", id).replace("{code}", "F1-A").replace("{height}", "1");
        let query = if path.ends_with("/chain") { "?code=F1-A" } else { "" };
        for user in [
            "supervisor",
            "reviewer",
            "enterprise",
            "farm",
            "gateway",
            "sysadmin",
            "secadmin",
            "auditor",
        ] {
            // The one who asked for the change sees what they wrote.
            if user == "supervisor" && path.contains("/changes") {
                continue;
            }
            let answer = app.get(user, &format!("{concrete}{query}")).await;
            let text = String::from_utf8_lossy(&answer.bytes);
            assert!(!holds_phone(&text), "{user} {path}");
            seen += usize::from(answer.status == 200);
        }
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test]
async fn s_34_answers_are_not_kept_and_log_out_clears_the_browser() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    let session = app.session("supervisor").clone();
    let ask = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("host", "test");
        let request = request.header("cookie", &session.cookie).header("x-csrf", &session.csrf);
        let request = request.body(Body::empty()).unwrap();
        app.assembled.router.clone().oneshot(request).await.unwrap()
    };
    for path in ["/api/v1/me", "/api/v1/trace_subject", "/api/v1/trace/events", "/api/v1/workbench"]
    {
        let answer = ask("GET", path).await;
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
    let wrong = ask("DELETE", "/api/v1/session?keep=everything").await;
    assert_eq!(wrong.status(), 422);
    let left = ask("DELETE", "/api/v1/session").await;
    assert!(left.headers()["clear-site-data"].to_str().unwrap().contains("storage"));
    assert_eq!(ask("GET", "/api/v1/me").await.status(), 401, "the token is worth nothing");
}

#[tokio::test]
async fn s_34_a_log_out_leaves_what_was_recorded_in_the_field_and_is_not_sent() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    let session = app.session("farm").clone();
    let request = Request::builder().method("DELETE").uri("/api/v1/session?keep=outbox");
    let request = request.header("host", "test").header("x-csrf", &session.csrf);
    let request = request.header("cookie", &session.cookie).body(Body::empty()).unwrap();
    let left = app.assembled.router.clone().oneshot(request).await.unwrap();
    assert_eq!(left.headers()["clear-site-data"], "\"cache\", \"cookies\"");
    app.get("farm", "/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn s_11_administrators_come_from_their_networks_alone() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    let from = async |user: &str, address: &str| {
        let session = app.session(user);
        let request = Request::get("/api/v1/me").header("cookie", &session.cookie);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(yj_http::PeerAddr(address.parse().unwrap()));
        app.assembled.router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(from("sysadmin", "10.1.2.3").await, 200);
    assert_eq!(from("sysadmin", "203.0.113.9").await, 403);
    assert_eq!(from("supervisor", "203.0.113.9").await, 200);
}

/// A backup from before the erasure, put back, brings nothing back (S-35).
#[tokio::test]
async fn s_35_a_backup_put_back_brings_no_erased_data_back() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let one = format!("/api/v1/trace_subject/{}", subject["id"].as_str().unwrap());
    let reason = json!({ "reason": "当事人要求删除" });
    let shown = app.post("supervisor", &format!("{one}/reveal"), reason.clone()).await.expect(200);
    let phone = String::from(shown["contact_phone"].as_str().unwrap());
    app.run_sql("CREATE TABLE kept_key AS SELECT * FROM data_key").await;
    app.run_sql("CREATE TABLE kept_subject AS SELECT * FROM trace_subject").await;
    app.post("reviewer", &format!("{one}/erase"), reason.clone()).await.expect(204);
    app.run_jobs().await;
    let back = |column: &str, of: &str, key: &str| {
        format!(
            "UPDATE {of} SET {column} = (SELECT k.{column} FROM kept_{} k WHERE k.{key} = {of}.{key})",
            if of == "data_key" { "key" } else { "subject" }
        )
    };
    app.tamper("UPDATE data_key SET destroyed_at = NULL, wrapped = (SELECT k.wrapped FROM kept_key k WHERE k.owner = data_key.owner)").await;
    app.tamper(&back("contact_phone_blind", "trace_subject", "id")).await;
    let revealed = app.post("supervisor", &format!("{one}/reveal"), reason.clone()).await;
    assert_eq!(revealed.expect(200)["contact_phone"], json!(phone), "the backup is back");
    app.restart().await;
    let revealed = app.post("supervisor", &format!("{one}/reveal"), reason).await.expect(200);
    assert_eq!(revealed["contact_phone"], "已删除");
    let path = format!("/api/v1/trace_subject?contact_phone={phone}");
    let found = app.get("supervisor", &path).await.expect(200);
    assert!(found["items"].as_array().unwrap().iter().all(|one| one["id"] != subject["id"]));
}

/// What was imported goes after a month, with whatever it held.
#[tokio::test]
async fn s_35_the_files_and_rows_of_imports_go_after_a_month() {
    let mut app = TestApp::start().await;
    let sheet = "主体代码,主体名称,主体类型,环节角色,所属区域,联系人,联系电话\n坏代码,示例农户,家庭农场或农户,种植,610116,示例甲,13755512345\n";
    let job = app.import("supervisor", "/api/v1/trace_subject/import", sheet.into()).await;
    let rows = format!("/api/v1/jobs/{}/rows", job["id"].as_str().unwrap());
    let before = app.get("supervisor", &rows).await.expect(200);
    assert_eq!(before["items"][0]["source"]["联系电话"], "13755512345");
    app.pass(SignedDuration::from_hours(31 * 24));
    app.run_jobs().await;
    let password = String::from(app.password_of("supervisor"));
    app.log_in("supervisor", &password).await;
    let after = app.get("supervisor", &rows).await.expect(200);
    assert_eq!(after["items"][0]["source"], Value::Null, "{after}");
    let left = app.count("SELECT COUNT(*) FROM attachment WHERE removed_at IS NULL").await;
    assert_eq!(left, 0);
}

/// Evidence belongs to whoever may write the record.
#[tokio::test]
async fn s_19_who_only_reads_a_record_puts_no_file_to_it() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let id = subject["id"].as_str().unwrap();
    let path = format!("/api/v1/attachments?name=note.txt&entity=trace_subject&record={id}");
    let kind = [("content-type", "application/octet-stream")];
    let upload = async |user: &str| {
        app.send("POST", &path, Some(user), &kind, Some(b"sample".to_vec())).await.status
    };
    assert_eq!(upload("farm").await, 201);
    assert_eq!(upload("reviewer").await, 403);
    assert_eq!(upload("enterprise").await, 404);
}

#[tokio::test]
async fn s_35_the_driver_of_a_transport_is_masked_revealed_and_erased() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let grown = crate::harness::harvest(&subject, "PII-2");
    app.post("gateway", "/api/v1/trace/events", grown).await.expect(201);
    let carried = json!({
        "domain": "agri", "type": "transport", "subject": subject["code"],
        "event_time": "2026-11-11T08:00:00+08:00",
        "inputs": [{ "code": "PII-2", "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": "PII-3", "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
        "attributes": { "vehicle_no": "陕A·示例1", "driver": "示例驾驶员甲" },
    });
    let taken = app.post("gateway", "/api/v1/trace/events", carried).await.expect(201);
    let one = format!("/api/v1/trace/events/{}", taken["results"][0]["id"].as_str().unwrap());
    let read = app.get("supervisor", &one).await.expect(200);
    assert_eq!(read["personal"], json!(["driver"]));
    assert!(!read.to_string().contains("示例驾驶员甲"));
    app.anchor().await;
    let reason = json!({ "reason": "当事人要求删除" });
    app.post("supervisor", &format!("{one}/reveal"), json!({ "reason": "" })).await.expect(422);
    let shown = app.post("supervisor", &format!("{one}/reveal"), reason.clone()).await.expect(200);
    assert_eq!(shown["driver"], "示例驾驶员甲");
    assert_eq!(app.post("supervisor", &format!("{one}/erase"), reason.clone()).await.status, 403);
    assert_eq!(app.post("reviewer", &format!("{one}/erase"), reason.clone()).await.status, 204);
    let shown = app.post("supervisor", &format!("{one}/reveal"), reason).await.expect(200);
    assert_eq!(shown["driver"], "已删除");
    let read = app.get("supervisor", &one).await.expect(200);
    assert_eq!(read["integrity"]["intact"], true, "{read}");
}
