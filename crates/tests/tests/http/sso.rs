//! 单点登录与用户同步 (G-5.4.2b, G-5.4.3a; S-49): OpenID provider by RFC 9700, SCIM by RFC 7644.

use axum::{body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use yj_identity::SingleSignOn;

use crate::harness::{TestApp, encoded};

const CALLBACK: &str = "https://app.example.cn/callback";
const VERIFIER: &str = "0123456789abcdefghijklmnopqrstuvwxyz-._~ABCDEF";

/// Connects an application; returns its secret.
async fn connect(app: &TestApp) -> String {
    let application = json!({
        "client_id": "sample-app", "name": "示例应用", "redirect_uris": CALLBACK,
        "post_logout_uris": "https://app.example.cn/bye",
    });
    let made = app.post("sysadmin", "/api/v1/application", application).await.expect(201);
    let path = format!("/api/v1/application/{}/secret", made["id"].as_str().unwrap());
    let secret = app.post("sysadmin", &path, json!({})).await.expect(200);
    String::from(secret["secret"].as_str().unwrap())
}

fn form(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Where the browser of a user is sent.
async fn visit(app: &TestApp, user: Option<&str>, path: &str) -> (u16, String) {
    let mut request = Request::get(path).header("host", "test");
    if let Some(user) = user {
        request = request.header("cookie", &app.session(user).cookie);
    }
    let response =
        app.assembled.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let location =
        response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), location.unwrap_or_default())
}

fn authorize(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut pairs = vec![
        ("client_id", "sample-app"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile offline_access"),
        ("state", "s-1"),
        ("nonce", "n-1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        pairs.retain(|(name, _)| name != &change.0);
        if !change.1.is_empty() {
            pairs.push(*change);
        }
    }
    format!("/oidc/authorize?{}", form(&pairs))
}

fn field(address: &str, name: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

async fn token(app: &TestApp, pairs: &[(&str, &str)]) -> (u16, Value) {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.send("POST", "/oauth/token", None, &kind, Some(form(pairs).into())).await;
    (answer.status, answer.body)
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn g_5_4_2b_one_log_in_opens_a_connected_application_and_one_log_out_ends_it() {
    let app = TestApp::start().await;
    let secret = connect(&app).await;
    let (status, to) = visit(&app, None, &authorize(&[])).await;
    assert!(status == 302 && to.starts_with("/console/login?to=%2Foidc%2Fauthorize"), "{to}");
    let (status, to) = visit(&app, Some("supervisor"), &authorize(&[])).await;
    assert_eq!((status, field(&to, "state").as_str()), (302, "s-1"));
    assert!(to.starts_with(CALLBACK) && to.contains("iss="), "{to}");
    let code = field(&to, "code");
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "sample-app"),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let (status, answer) = token(&app, &exchange).await;
    assert_eq!(status, 200, "{answer}");
    let id = claims(answer["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["aud"], &id["nonce"], &id["preferred_username"]),
        (&"sample-app".into(), &"n-1".into(), &"supervisor".into())
    );
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let info = app.send("GET", "/oidc/userinfo", None, &headers, None).await.expect(200);
    assert_eq!(info["sub"], id["sub"]);
    assert_eq!(
        app.send("GET", "/api/v1/me", None, &headers, None).await.status,
        401,
        "a token for applications is none for the interface"
    );
    // The refresh token turns over.
    let first = answer["refresh_token"].as_str().unwrap();
    let refresh = |secret_: &str, token_: &str| {
        [("grant_type", "refresh_token"), ("client_id", "sample-app")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain([
                ("client_secret".to_owned(), secret_.to_owned()),
                ("refresh_token".to_owned(), token_.to_owned()),
            ])
            .collect::<Vec<_>>()
    };
    let ask = async |pairs: Vec<(String, String)>| {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        token(&app, &pairs).await
    };
    let (status, second) = ask(refresh(&secret, first)).await;
    assert_eq!(status, 200, "{second}");
    assert_eq!(ask(refresh(&secret, first)).await.0, 400, "shown twice");
    let second = second["refresh_token"].as_str().unwrap();
    assert_eq!(ask(refresh(&secret, second)).await.0, 400, "and everything from it has ended");
    // Log-out from the application ends the session.
    let hint = answer["id_token"].as_str().unwrap();
    let elsewhere =
        form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example")]);
    assert_eq!(visit(&app, Some("supervisor"), &format!("/oidc/logout?{elsewhere}")).await.0, 422);
    assert_eq!(visit(&app, Some("supervisor"), "/oidc/logout").await.0, 422, "no hint, no log-out");
    app.get("supervisor", "/api/v1/me").await.expect(200);
    let leave = form(&[
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", "https://app.example.cn/bye"),
        ("state", "x"),
    ]);
    let (status, to) = visit(&app, Some("supervisor"), &format!("/oidc/logout?{leave}")).await;
    assert_eq!((status, to.as_str()), (302, "https://app.example.cn/bye?state=x"));
    assert_eq!(app.get("supervisor", "/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn s_49_codes_hold_once_for_a_minute_for_one_application_and_one_browser() {
    let app = TestApp::start().await;
    let secret = connect(&app).await;
    // What is wrong with application or address is never sent there.
    for change in [
        ("client_id", "nobody"),
        ("redirect_uri", "https://app.example.cn/callback/"),
        ("redirect_uri", "https://evil.example/callback"),
    ] {
        let (status, to) = visit(&app, Some("supervisor"), &authorize(&[change])).await;
        assert_eq!((status, to.as_str()), (422, ""), "{change:?}");
    }
    for (change, error) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
    ] {
        let (_, to) = visit(&app, Some("supervisor"), &authorize(&[change])).await;
        assert!(to.starts_with(CALLBACK) && field(&to, "error") == error, "{change:?} {to}");
    }
    let (_, to) = visit(&app, None, &authorize(&[("prompt", "none")])).await;
    assert_eq!(field(&to, "error"), "login_required");
    let code = async || {
        let (_, to) = visit(&app, Some("supervisor"), &authorize(&[])).await;
        field(&to, "code")
    };
    let exchange = async |code: &str, changes: &[(&str, &str)]| {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "sample-app"),
            ("client_secret", secret.as_str()),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        for change in changes {
            pairs.retain(|(name, _)| name != &change.0);
            pairs.push(*change);
        }
        token(&app, &pairs).await
    };
    for (change, status, error) in [
        (("client_secret", "wrong"), 401, "invalid_client"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("redirect_uri", "https://app.example.cn/other"), 400, "invalid_grant"),
        (("code_verifier", "0123456789abcdefghijklmnopqrstuvwxyz-._~ABCDEX"), 400, "invalid_grant"),
        (("code_verifier", ""), 400, "invalid_grant"),
    ] {
        let (found, answer) = exchange(&code().await, &[change]).await;
        assert_eq!((found, &answer["error"]), (status, &error.into()), "{change:?}");
    }
    let once = code().await;
    assert_eq!(exchange(&once, &[]).await.0, 200);
    assert_eq!(exchange(&once, &[]).await.0, 400, "a code works once");
    let late = code().await;
    app.pass(SignedDuration::from_secs(61));
    assert_eq!(exchange(&late, &[]).await.0, 400, "a code lives a minute");
    let gone = code().await;
    app.send("DELETE", "/api/v1/session", Some("supervisor"), &[], None).await.expect(204);
    assert_eq!(exchange(&gone, &[]).await.0, 400, "the session has ended");
    // Its configuration is what the standard says it is.
    let told =
        app.send("GET", "/.well-known/openid-configuration", None, &[], None).await.expect(200);
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
    let keys = app.send("GET", "/oidc/jwks", None, &[], None).await.expect(200);
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["d"]), (&"EC".into(), &Value::Null));
}

#[tokio::test]
async fn g_5_4_3a_other_systems_see_users_come_change_and_go() {
    let app = TestApp::start().await;
    // A service account with the right, over the operator's organisations.
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let top = top["items"][0]["id"].clone();
    let all = app.get("secadmin", "/api/v1/role?code=business").await.expect(200);
    let role = json!({
        "code": "directory", "name": "示例用户同步", "parent_id": all["items"][0]["id"],
        "permissions": ["scim:read", "scim:write"],
    });
    let role = app.post("secadmin", "/api/v1/role", role).await.expect(201);
    let gateway = app.get("sysadmin", "/api/v1/account?user_name=gateway").await.expect(200);
    let grant = json!({
        "account_id": gateway["items"][0]["id"], "role_id": role["id"], "organization_id": top, "clearance": 2,
    });
    app.post("secadmin", "/api/v1/assignment", grant).await.expect(201);
    let scim = async |method: &str, path: &str, body: Value| {
        let kind = [("content-type", "application/scim+json")];
        let body = if body.is_null() { None } else { Some(body.to_string().into()) };
        app.send(method, &format!("/scim/v2/{path}"), Some("gateway"), &kind, body).await
    };
    let listed = scim("GET", "Users?count=50", Value::Null).await.expect(200);
    assert_eq!(
        (&listed["totalResults"], listed["Resources"].as_array().unwrap().len()),
        (&7.into(), 7)
    );
    let new = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "scim-qian", "displayName": "示例职员", "organization": "YJ-DEMO" });
    let made = scim("POST", "Users", new.clone()).await.expect(201);
    assert_eq!((&made["active"], &made["meta"]["version"]), (&true.into(), &"W/\"1\"".into()));
    assert_eq!(scim("POST", "Users", new).await.expect(409)["scimType"], "uniqueness");
    let one = format!("Users/{}", made["id"].as_str().unwrap());
    app.pass(SignedDuration::from_secs(2));
    let rename = json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "示例职员甲" }] });
    assert_eq!(scim("PATCH", &one, rename).await.expect(200)["displayName"], "示例职员甲");
    let off = json!({ "Operations": [{ "op": "Replace", "value": { "active": false } }] });
    assert_eq!(scim("PATCH", &one, off).await.expect(200)["active"], false);
    let since = "2026-11-19T12%3A00%3A01%2B08%3A00";
    let changed =
        scim("GET", &format!("Users?filter=meta.lastModified%20gt%20%22{since}%22"), Value::Null)
            .await;
    assert_eq!(changed.expect(200)["Resources"][0]["userName"], "scim-qian");
    let found =
        scim("GET", "Users?filter=userName%20eq%20%22scim-qian%22", Value::Null).await.expect(200);
    assert_eq!(found["totalResults"], 1);
    assert_eq!(scim("GET", "Users?filter=title%20co%20%22x%22", Value::Null).await.status, 400);
    let whole = json!({ "userName": "scim-qian", "displayName": "示例职员甲", "active": true });
    assert_eq!(scim("PUT", &one, whole).await.expect(200)["active"], true);
    scim("DELETE", &one, Value::Null).await.expect(204);
    assert_eq!(scim("GET", &one, Value::Null).await.expect(200)["active"], false);
    // Administrators are not switched off from outside.
    let admin = app.get("sysadmin", "/api/v1/account?user_name=secadmin").await.expect(200);
    let admin = format!("Users/{}", admin["items"][0]["id"].as_str().unwrap());
    assert_eq!(scim("DELETE", &admin, Value::Null).await.status, 403);
    assert_eq!(app.get("farm", "/scim/v2/Users").await.status, 403);
}

/// Serves a platform on an address of this machine for as long as the answer lives.
fn listening(app: &TestApp, listener: tokio::net::TcpListener) -> tokio::sync::oneshot::Sender<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (router, metrics) = (app.assembled.router.clone(), app.assembled.metrics.clone());
    let limits = yj_http::Limits::default();
    tokio::spawn(yj_http::serve(listener, router, (limits, metrics), async {
        let _ = stopped.await;
    }));
    stop
}

/// One platform stands for the identity provider of the government cloud, another logs in with it.
#[tokio::test]
async fn g_5_4_2b_people_come_in_through_the_identity_provider_above() {
    let above = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", above.local_addr().unwrap());
    let provider = TestApp::start_at(&issuer, SingleSignOn::default()).await;
    let _serving = listening(&provider, above);
    let callback = "http://127.0.0.1:9/sso/callback";
    let application =
        json!({ "client_id": "city-platform", "name": "示例市平台", "redirect_uris": callback });
    let made = provider.post("sysadmin", "/api/v1/application", application).await.expect(201);
    let path = format!("/api/v1/application/{}/secret", made["id"].as_str().unwrap());
    let secret = provider.post("sysadmin", &path, json!({})).await.expect(200);
    let sso = SingleSignOn {
        issuer: issuer.clone(),
        client_id: String::from("city-platform"),
        client_secret: String::from(secret["secret"].as_str().unwrap()),
        label: String::from("省统一身份认证登录"),
        trust_second_factor: false,
    };
    let city = TestApp::start_at("http://127.0.0.1:9", sso).await;
    let told = city.send("GET", "/api/v1/sso", None, &[], None).await.expect(200);
    assert_eq!(told, json!({ "on": true, "apply": true, "label": "省统一身份认证登录" }));
    let begin = async || {
        let request =
            Request::get("/sso/login?to=%2Fconsole%2Fevents").body(Body::empty()).unwrap();
        let response = city.assembled.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        (header("location"), header("set-cookie").split(';').next().unwrap().to_owned())
    };
    let finish = async |back: &str, cookie: &str| {
        let path = back.strip_prefix("http://127.0.0.1:9").unwrap();
        let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        let response = city.assembled.router.clone().oneshot(request).await.unwrap();
        let cookies = response.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
        let to = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), to, cookies)
    };
    let (to, cookie) = begin().await;
    let at = to.strip_prefix(&issuer).unwrap();
    let (_, back) = visit(&provider, Some("supervisor"), at).await;
    let (status, _, _) = finish(&back, "__Host-yj-sso=another-browser").await;
    assert_eq!(status, 403, "a log-in belongs to the browser that began it");
    let (status, to, cookies) = finish(&back, &cookie).await;
    assert_eq!((status, to.as_deref()), (302, Some("/console/events")), "{cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-yj=")).unwrap();
    let headers = [("cookie", session.split(';').next().unwrap())];
    let me = city.send("GET", "/api/v1/me", None, &headers, None).await.expect(200);
    assert_eq!((&me["user"], &me["next"]), (&"supervisor".into(), &Value::Null));
    assert_eq!(finish(&back, &cookie).await.0, 403, "an answer works once");
    // Somebody known above and not here stays outside.
    city.tamper("UPDATE account SET state = 'disabled' WHERE user_name = 'farm'").await;
    let (to, cookie) = begin().await;
    let (_, back) = visit(&provider, Some("farm"), to.strip_prefix(&issuer).unwrap()).await;
    assert_eq!(finish(&back, &cookie).await.0, 403);
}
