//! 接口客户端 (G-5.4.2b; GB/T 39786 8.4 f; S-12, S-38, S-49): signatures, secrets, quotas, approval.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, sm3, to_hex};

use crate::harness::TestApp;

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
