//! 数据保密、密钥与接口客户端 (GB/T 22239 8.1.4.7 … 11, GB/T 39786 8.4; S-29 … S-38).

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, sm3, to_hex};
use yj_identity::Security;

use crate::harness::TestApp;

/// Every byte of the database: the file with its log, or a dump of every table.
async fn dump(app: &TestApp) -> Vec<u8> {
    if let Some(file) = app.database_file() {
        let mut bytes = std::fs::read(file).unwrap();
        let log = Path::new(file).with_extension("sqlite-wal");
        bytes.extend(std::fs::read(log).unwrap_or_default());
        return bytes;
    }
    app.every_row().await.into_bytes()
}

fn holds(haystack: &[u8], needle: &str) -> bool {
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

/// A client that signs its requests, as an integrator would write it.
struct Signing<'a> {
    app: &'a TestApp,
    client: &'static str,
    key: Key,
}

enum Key {
    Sm2(Box<SigningKey>),
    Hmac(String),
}

impl Signing<'_> {
    /// The headers of one request.
    fn headers(
        &self,
        method: &str,
        path: &str,
        body: &str,
        (age, nonce): (i64, &str),
    ) -> Vec<(&'static str, String)> {
        let digest = format!("sm3=:{}:", STANDARD.encode(sm3::digest(body.as_bytes())));
        let algorithm = match self.key {
            Key::Sm2(_) => "sm2-sm3",
            Key::Hmac(_) => "hmac-sm3",
        };
        let created = self.app.now().as_second() - age;
        let parameters = format!(
            "(\"@method\" \"@target-uri\" \"content-digest\");created={created};keyid=\"{}\";alg=\"{algorithm}\";nonce=\"{nonce}\"",
            self.client
        );
        let base = format!(
            "\"@method\": {method}\n\"@target-uri\": http://127.0.0.1{path}\n\"content-digest\": {digest}\n\"@signature-params\": {parameters}"
        );
        let signature = match &self.key {
            Key::Sm2(key) => STANDARD.encode(key.sign(base.as_bytes()).unwrap()),
            Key::Hmac(secret) => STANDARD.encode(sm3::hmac(secret.as_bytes(), base.as_bytes())),
        };
        vec![
            ("content-digest", digest),
            ("signature-input", format!("sig={parameters}")),
            ("signature", format!("sig=:{signature}:")),
        ]
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&'static str, String)],
    ) -> (u16, Value) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer =
            self.app.send(method, path, None, &headers, Some(body.as_bytes().to_vec())).await;
        (answer.status, answer.body)
    }
}

/// The security administrator lets every client in that waits.
async fn approve_clients(app: &TestApp) {
    for state in ["waiting", "secret_waiting"] {
        let path = format!("/api/v1/client?approval={state}");
        let found = app.get("secadmin", &path).await.expect(200);
        for client in found["items"].as_array().unwrap() {
            let path = format!("/api/v1/client/{}/approve", client["id"].as_str().unwrap());
            assert_eq!(app.post("secadmin", &path, json!({})).await.status, 204);
        }
    }
}

#[tokio::test]
async fn s_12_whoever_makes_a_way_in_does_not_open_it() {
    let app = TestApp::start().await;
    let found = app.get("sysadmin", "/api/v1/account?user_name=gateway").await.expect(200);
    let client = json!({
        "client_id": "own-door", "name": "示例客户端", "account_id": found["items"][0]["id"],
        "method": "oauth", "quota_per_minute": 100,
    });
    let made = app.post("sysadmin", "/api/v1/client", client).await.expect(201);
    assert_eq!(made["approval"], "waiting");
    let one = format!("/api/v1/client/{}", made["id"].as_str().unwrap());
    let secret = async |app: &TestApp| {
        let made = app.post("sysadmin", &format!("{one}/secret"), json!({})).await.expect(200);
        String::from(made["secret"].as_str().unwrap())
    };
    let enter = async |app: &TestApp, secret: &str| {
        let form =
            format!("grant_type=client_credentials&client_id=own-door&client_secret={secret}");
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        app.send("POST", "/oauth/token", None, &kind, Some(form.into())).await.status
    };
    let first = secret(&app).await;
    assert_eq!(enter(&app, &first).await, 401, "nobody has approved it");
    assert_eq!(app.post("sysadmin", &format!("{one}/approve"), json!({})).await.status, 403);
    approve_clients(&app).await;
    assert_eq!(enter(&app, &first).await, 200);
    let second = secret(&app).await;
    assert_eq!((enter(&app, &first).await, enter(&app, &second).await), (200, 401));
    approve_clients(&app).await;
    assert_eq!((enter(&app, &first).await, enter(&app, &second).await), (200, 200));
    // Another key is another way in.
    let key = SigningKey::from_seed(&[3; 32]).unwrap();
    let version = app.get("sysadmin", &one).await.expect(200)["version"].as_i64().unwrap();
    let change = json!({ "method": "sm2-sm3", "public_key": to_hex(&key.public_key().to_bytes()) });
    let changed = app.change("sysadmin", ("PATCH", &one), version, change).await.expect(200);
    assert_eq!(changed["approval"], "waiting");
    let sneak = json!({ "approval": "approved" });
    let version = changed["version"].as_i64().unwrap();
    let sneaked = app.change("sysadmin", ("PATCH", &one), version, sneak).await;
    assert!(sneaked.status == 422 || sneaked.body["approval"] == "waiting", "{}", sneaked.body);
}

#[tokio::test]
async fn s_38_signed_requests_hold_once_for_five_minutes_and_to_the_byte() {
    let app = TestApp::start().await;
    let found = app.get("sysadmin", "/api/v1/account?user_name=gateway").await.expect(200);
    let account = found["items"][0]["id"].clone();
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let client = json!({
        "client_id": "sm2-client", "name": "示例国密客户端", "account_id": account, "method": "sm2-sm3",
        "public_key": to_hex(&key.public_key().to_bytes()), "quota_per_minute": 1000,
    });
    app.post("sysadmin", "/api/v1/client", client).await.expect(201);
    let client = json!({
        "client_id": "mac-client", "name": "示例摘要客户端", "account_id": account, "method": "hmac-sm3",
        "quota_per_minute": 1000,
    });
    let made = app.post("sysadmin", "/api/v1/client", client).await.expect(201);
    let path = format!("/api/v1/client/{}/secret", made["id"].as_str().unwrap());
    let secret = app.post("sysadmin", &path, json!({})).await.expect(200);
    approve_clients(&app).await;
    let secret = String::from(secret["secret"].as_str().unwrap());
    let path = "/api/v1/trace/events?x=1";
    let subject = app.subject("示例韭菜合作社一社").await;
    let clients = [("sm2-client", Key::Sm2(Box::new(key))), ("mac-client", Key::Hmac(secret))];
    for (number, (client, key)) in clients.into_iter().enumerate() {
        let signing = Signing { app: &app, client, key };
        let body = crate::harness::harvest(&subject, &format!("SIGNED-{number}")).to_string();
        let fresh = |nonce: &str| signing.headers("POST", path, &body, (0, nonce));
        let headers = fresh("nonce-0000000001");
        assert_eq!(signing.send("POST", path, &body, &headers).await.0, 201, "{client}");
        let (status, again) = signing.send("POST", path, &body, &headers).await;
        assert_eq!((status, &again["code"]), (409, &"duplicate".into()), "a request works once");
        let headers = fresh("nonce-0000000002");
        let changed = body.replace("100", "900");
        assert_eq!(signing.send("POST", path, &changed, &headers).await.0, 401, "another body");
        let other = "/api/v1/trace/events?x=2";
        assert_eq!(signing.send("POST", other, &body, &headers).await.0, 401, "another query");
        assert_eq!(signing.send("PUT", path, &body, &headers).await.0, 405, "another method");
        let mut wrong = headers.clone();
        wrong[2].1 = format!("sig=:{}:", STANDARD.encode([7; 64]));
        assert_eq!(signing.send("POST", path, &body, &wrong).await.0, 401, "another signature");
        let mut uncovered = headers.clone();
        uncovered[1].1 = uncovered[1].1.replace(" \"content-digest\"", "");
        assert_eq!(
            signing.send("POST", path, &body, &uncovered).await.0,
            401,
            "the body not covered"
        );
        for age in [-301, 301] {
            let late = signing.headers("POST", path, &body, (age, "nonce-0000000003"));
            assert_eq!(signing.send("POST", path, &body, &late).await.0, 401, "{age} seconds");
        }
    }
}

#[tokio::test]
async fn s_49_clients_have_networks_quotas_expiry_rotation_and_an_end() {
    let mut app = TestApp::start().await;
    let found = app.get("sysadmin", "/api/v1/client?client_id=gateway").await.expect(200);
    let one = format!("/api/v1/client/{}", found["items"][0]["id"].as_str().unwrap());
    app.get("gateway", "/api/v1/me").await.expect(200);
    // Rotation: both secrets work for a day, then the new one alone.
    let fresh = app.post("sysadmin", &format!("{one}/secret"), json!({})).await.expect(200);
    let fresh = String::from(fresh["secret"].as_str().unwrap());
    let old = String::from(app.password("gateway").1);
    let token = async |app: &TestApp, secret: &str| {
        let form =
            format!("grant_type=client_credentials&client_id=gateway&client_secret={secret}");
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        app.send("POST", "/oauth/token", None, &kind, Some(form.into())).await.status
    };
    assert_eq!((token(&app, &old).await, token(&app, &fresh).await), (200, 401), "it waits");
    approve_clients(&app).await;
    assert_eq!((token(&app, &old).await, token(&app, &fresh).await), (200, 200));
    app.pass(SignedDuration::from_hours(25));
    assert_eq!((token(&app, &old).await, token(&app, &fresh).await), (401, 200));
    assert_eq!(token(&app, "wrong").await, 401);
    // A token lives fifteen minutes.
    assert_eq!(app.get("gateway", "/api/v1/me").await.status, 401);
    app.fetch_token("gateway", &fresh).await;
    app.get("gateway", "/api/v1/me").await.expect(200);
    // Quota.
    let (admin, password) = app.password("sysadmin");
    let password = String::from(password);
    app.log_in(admin, &password).await;
    let version = app.get(admin, &one).await.expect(200)["version"].as_i64().unwrap();
    let less = json!({ "quota_per_minute": 3 });
    app.change(admin, ("PATCH", &one), version, less).await.expect(200);
    app.pass(SignedDuration::from_mins(1));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(app.get("gateway", "/api/v1/me").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    app.pass(SignedDuration::from_mins(1));
    app.get("gateway", "/api/v1/me").await.expect(200);
    // Revocation takes effect with the next request.
    app.post(admin, &format!("{one}/revoke"), json!({})).await.expect(204);
    assert_eq!(app.get("gateway", "/api/v1/me").await.status, 401);
    assert_eq!(token(&app, &fresh).await, 401);
    assert_eq!(app.post(admin, &format!("{one}/revoke"), json!({})).await.status, 409);
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

/// Whether a text holds a whole mobile number.
fn holds_phone(text: &str) -> bool {
    let digits: Vec<_> = text.split(|letter: char| !letter.is_ascii_digit()).collect();
    digits.iter().any(|run| run.len() == 11 && (run.starts_with("138") || run.starts_with("139")))
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
    let left = ask("DELETE", "/api/v1/session").await;
    assert!(left.headers()["clear-site-data"].to_str().unwrap().contains("storage"));
    assert_eq!(ask("GET", "/api/v1/me").await.status(), 401, "the token is worth nothing");
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

/// One part of an XLSX file, as text.
fn part_of(file: &[u8], part: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file)).unwrap();
    std::io::read_to_string(archive.by_name(part).unwrap()).unwrap()
}

#[tokio::test]
async fn s_33_many_rows_leave_only_with_somebody_elses_word_and_for_seven_days() {
    let security = Security { export_approval_rows: 3, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let ask = async |user: &str, format: &str| {
        app.get(user, &format!("/api/v1/trace_subject/export?format={format}")).await
    };
    let refused = ask("supervisor", "csv").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("水印"));
    let queued = ask("supervisor", "xlsx").await.expect(202);
    assert_eq!(queued["state"], "waiting");
    let id = String::from(queued["job"].as_str().unwrap());
    app.run_jobs().await;
    let job = app.get("supervisor", &format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!((&job["state"], &job["file"]), (&"waiting".into(), &Value::Null), "nothing is made");
    // An enterprise's few rows need nobody.
    assert_eq!(ask("farm", "xlsx").await.expect(202)["state"], "queued");

    // Nobody agrees to their own request, nor to one they may not see, nor without a fresh factor.
    let word = json!({ "reason": "示例年度检查用" });
    let approve = format!("/api/v1/exports/{id}/approve");
    assert_eq!(app.post("supervisor", &approve, word.clone()).await.status, 403);
    assert_eq!(app.post("farm", &approve, word.clone()).await.status, 403);
    let shown = app.get("reviewer", "/api/v1/exports").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    assert_eq!(shown["items"][0]["created_by"], "supervisor");
    assert!(shown["items"][0]["rows"].as_i64().unwrap() > 3);
    app.post("reviewer", &approve, json!({ "reason": " " })).await.expect(422);
    app.pass(SignedDuration::from_mins(6));
    assert_eq!(app.post("reviewer", &approve, word.clone()).await.expect(403)["code"], "step-up");
    let again = json!({ "password": app.password_of("reviewer") });
    assert_eq!(app.post("reviewer", "/api/v1/session/proof", again).await.status, 204);
    assert_eq!(app.post("reviewer", &approve, word.clone()).await.status, 204);
    assert_eq!(app.post("reviewer", &approve, word).await.status, 404, "once");
    app.run_jobs().await;

    let job = app.get("supervisor", &format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!((&job["state"], &job["decided_by"]), (&"done".into(), &"reviewer".into()));
    let path = format!("/api/v1/attachments/{}", job["file"].as_str().unwrap());
    let file = app.get("supervisor", &path).await;
    assert_eq!(file.status, 200);
    for part in ["docProps/core.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"] {
        let text = part_of(&file.bytes, part);
        assert!(text.contains("supervisor") && text.contains(&id), "{part}: {text}");
    }
    app.pass(SignedDuration::from_hours(7 * 24));
    assert_eq!(app.get("supervisor", &path).await.status, 401, "the session is long over");
    let mut app = app;
    let password = String::from(app.password_of("supervisor"));
    app.log_in("supervisor", &password).await;
    assert_eq!(app.get("supervisor", &path).await.expect(410)["code"], "gone");
    app.run_jobs().await;
    assert_eq!(
        app.count("SELECT COUNT(*) FROM attachment WHERE removed_at IS NOT NULL").await,
        2,
        "the bytes go too"
    );
    let password = String::from(app.password_of("auditor"));
    app.log_in("auditor", &password).await;
    for (action, times) in [("approved", 1), ("downloaded", 1), ("removed", 2)] {
        let found = app.get("auditor", &format!("/api/v1/audit?action={action}")).await.expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), times, "{action}: {found}");
    }
}

#[tokio::test]
async fn s_33_who_cannot_see_every_row_cannot_agree_to_them() {
    let security = Security { export_approval_rows: 3, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let path = "/api/v1/trace_subject/export";
    let queued = app.get("supervisor", path).await.expect(202);
    let id = queued["job"].as_str().unwrap();
    // A reviewer of one county.
    let admin = "secadmin";
    let found = app.get(admin, "/api/v1/assignment?per_page=100").await.expect(200);
    let reviewer = app.get("sysadmin", "/api/v1/account?user_name=reviewer").await.expect(200);
    let reviewer = reviewer["items"][0]["id"].clone();
    let one = found["items"].as_array().unwrap().iter().find(|one| one["account_id"] == reviewer);
    let one = one.unwrap();
    let at = format!("/api/v1/assignment/{}", one["id"].as_str().unwrap());
    let version = one["version"].as_i64().unwrap();
    let narrow = json!({ "region": "610116" });
    app.change(admin, ("PATCH", &at), version, narrow).await.expect(200);
    let shown = app.get("reviewer", "/api/v1/exports").await.expect(200);
    assert_eq!(shown["items"], json!([]));
    let approve = format!("/api/v1/exports/{id}/approve");
    let word = json!({ "reason": "示例年度检查用" });
    assert_eq!(app.post("reviewer", &approve, word).await.status, 404);
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
