//! 身份鉴别与访问控制 (GB/T 22239 8.1.4.1, 8.1.4.2; G-5.4.2b, G-5.4.3a, G-10.2-1, D-6.4.2.1,
//! D-9.2.1): log-in, factors, sessions, administrators, over HTTP.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_identity::{AdminKind, Security};

use crate::harness::TestApp;

/// What an authenticator app shows for a secret: RFC 6238 over SHA-1, made anew here.
pub fn authenticator(secret: &str, app: &TestApp, steps: i64) -> String {
    let mut bits = 0u64;
    let (mut count, mut key) = (0, Vec::new());
    for letter in secret.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = bits << 5 | u64::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            key.push(u8::try_from(bits >> count & 255).unwrap());
        }
    }
    let step = app.now().as_second() / 30 + steps;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    format!("{:06}", word % 1_000_000)
}

pub const PASSWORD: &str = "tK9#mVx2!pLw-7q";

/// Sets the platform up as an operator would; returns the administrators' activation tokens.
pub async fn set_up(app: &TestApp) -> Vec<(String, String)> {
    let token = yj_identity::setup_token(&app.assembled.app).await.unwrap().unwrap();
    let body = json!({
        "token": token,
        "organization": { "code": "SL-GOV", "name": "示例市市场监督管理局", "region": "610100" },
        "system": { "user_name": "sys-li", "name": "示例系统管理员" },
        "security": { "user_name": "sec-wu", "name": "示例安全管理员" },
        "audit": { "user_name": "aud-he", "name": "示例审计管理员" },
    });
    let answer = send(app, "/api/v1/setup", body.clone()).await;
    let again = send(app, "/api/v1/setup", body).await;
    assert_eq!(again["code"], "gone", "the set-up token works once");
    let links = answer["activations"].as_array().unwrap().clone();
    let text = |value: &Value| String::from(value.as_str().unwrap());
    links.iter().map(|link| (text(&link["user"]), text(&link["token"]))).collect()
}

pub async fn send(app: &TestApp, path: &str, body: Value) -> Value {
    app.send("POST", path, None, &[], Some(body.to_string().into())).await.body
}

/// Activates an account, logs in, binds a factor; returns the factor's secret.
pub async fn begin(app: &mut TestApp, (user, token): (&str, &str)) -> String {
    let body = json!({ "token": token, "password": PASSWORD });
    assert_eq!(send(app, "/api/v1/activation", body).await["user"], user);
    let me = app.log_in(user, PASSWORD).await;
    assert_eq!((&me["me"]["next"], &me["me"]["permissions"]), (&"bind_factor".into(), &json!([])));
    bind(app, user).await
}

pub async fn bind(app: &mut TestApp, user: &str) -> String {
    let made =
        app.post(user, "/api/v1/me/factors/totp", json!({ "name": "手机" })).await.expect(201);
    let secret = String::from(made["secret"].as_str().unwrap());
    let path = format!("/api/v1/me/factors/{}/confirm", made["id"].as_str().unwrap());
    let before = app.session(user).clone();
    let code = authenticator(&secret, app, 0);
    let (session, answer) = app.open_session(&path, Some(&before), json!({ "code": code })).await;
    assert_eq!(answer["recovery_codes"].as_array().unwrap().len(), 10);
    let session = session.unwrap();
    assert_ne!(session.cookie, before.cookie, "a session planted before is worth nothing (S-09)");
    app.keep(user, session);
    secret
}

#[tokio::test]
async fn s_03_there_is_no_account_until_the_wizard_makes_three_administrators() {
    let mut app = TestApp::bare(Security::default()).await;
    for (user, password) in [("admin", "admin"), ("root", "root"), ("sysadmin", "123456")] {
        assert_eq!(app.enter(user, password).await.1["http_status"], 401);
    }
    let wrong = json!({
        "token": "0".repeat(32), "organization": { "code": "X", "name": "示例" },
        "system": { "user_name": "aaa", "name": "示例" }, "security": { "user_name": "bbb", "name": "示例" },
        "audit": { "user_name": "ccc", "name": "示例" },
    });
    assert_eq!(send(&app, "/api/v1/setup", wrong).await["code"], "gone");
    let state = app.send("GET", "/api/v1/setup", None, &[], None).await.expect(200);
    assert_eq!(state["open"], true);
    let links = set_up(&app).await;
    let state = app.send("GET", "/api/v1/setup", None, &[], None).await.expect(200);
    assert_eq!(state["open"], false);
    assert!(yj_identity::setup_token(&app.assembled.app).await.unwrap().is_none());
    let (user, token) = links[0].clone();
    assert_eq!(app.enter(&user, PASSWORD).await.1["http_status"], 401, "not activated yet");
    for weak in ["short", "sys-li-Password1", "aaaaaaaaaaaa", "Qwerty@12345!"] {
        let body = json!({ "token": token, "password": weak });
        assert_eq!(send(&app, "/api/v1/activation", body).await["code"], "invalid", "{weak}");
    }
    begin(&mut app, (&user, &token)).await;
    let again = json!({ "token": token, "password": PASSWORD });
    assert_eq!(send(&app, "/api/v1/activation", again).await["code"], "gone");
    app.pass(SignedDuration::from_hours(25));
    let (_, late) = links[1].clone();
    let late = json!({ "token": late, "password": PASSWORD });
    assert_eq!(send(&app, "/api/v1/activation", late).await["code"], "gone", "links live a day");
}

#[tokio::test]
async fn s_02_passwords_expire_and_do_not_come_back() {
    let mut app = TestApp::start().await;
    let (user, first) = app.password("supervisor");
    let first = String::from(first);
    app.pass(SignedDuration::from_hours(24 * 89));
    // Sleeping accounts are another rule; this one is in use.
    assert_eq!(app.log_in(user, &first).await["me"]["next"], Value::Null);
    app.pass(SignedDuration::from_hours(24 * 2));
    assert_eq!(app.log_in(user, &first).await["me"]["next"], "change_password");
    let refused = app.get(user, "/api/v1/trace_subject").await.expect(403);
    assert_eq!(refused["code"], "password-expired");
    let mut current = first.clone();
    let fresh = |n: usize| format!("tK9#mVx2!pLw-{n}{n}z");
    for n in 1..=5 {
        let body = json!({ "old": current, "new": fresh(n) });
        app.post(user, "/api/v1/me/password", body).await.expect(204);
        current = fresh(n);
        app.log_in(user, &current).await;
        app.pass(SignedDuration::from_secs(1));
    }
    app.get(user, "/api/v1/trace_subject").await.expect(200);
    for n in 1..=5 {
        let body = json!({ "old": current, "new": fresh(n) });
        let refused = app.post(user, "/api/v1/me/password", body).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains("最近 5 次"), "{refused}");
    }
    let body = json!({ "old": current, "new": fresh(6) });
    app.post(user, "/api/v1/me/password", body).await.expect(204);
    app.log_in(user, &fresh(6)).await;
    let body = json!({ "old": fresh(6), "new": fresh(1) });
    app.post(user, "/api/v1/me/password", body).await.expect(204);
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401, "a change ends every session");
}

#[tokio::test]
async fn s_04_a_name_is_locked_after_five_wrong_passwords_whether_it_exists_or_not() {
    let app = TestApp::start().await;
    let (user, right) = app.password("supervisor");
    for name in [user, "nobody-here"] {
        let mut texts = Vec::new();
        for _ in 0..5 {
            let (_, answer) = app.enter(name, "wrong").await;
            assert_eq!(answer["http_status"], 401);
            texts.push(answer["detail"].clone());
        }
        texts.dedup();
        assert_eq!(texts.len(), 1);
        let (_, answer) = app.enter(name, right).await;
        assert_eq!((&answer["http_status"], &answer["code"]), (&423.into(), &"locked".into()));
    }
    app.pass(SignedDuration::from_mins(29));
    assert_eq!(app.enter(user, right).await.1["http_status"], 423);
    app.pass(SignedDuration::from_mins(2));
    assert_eq!(app.enter(user, right).await.1["http_status"], 200);
    let refused = app.count("SELECT COUNT(*) FROM audit_log WHERE action = 'login_refused'").await;
    assert_eq!(refused, 13, "also those while it was locked");
    let alarms = app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'brute_force'").await;
    assert_eq!(alarms, 2);
}

#[tokio::test]
async fn s_07_sessions_end_when_idle_and_in_any_case_after_twelve_hours() {
    let mut app = TestApp::start().await;
    let (user, password) = app.password("supervisor");
    let password = String::from(password);
    app.pass(SignedDuration::from_mins(29));
    app.get(user, "/api/v1/me").await.expect(200);
    app.pass(SignedDuration::from_mins(31));
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401);
    app.log_in(user, &password).await;
    for _ in 0..71 {
        app.pass(SignedDuration::from_mins(10));
        app.get(user, "/api/v1/me").await.expect(200);
    }
    app.pass(SignedDuration::from_mins(11));
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401);
    // Administrators have less time.
    let (admin, password) = app.password("sysadmin");
    let password = String::from(password);
    app.log_in(admin, &password).await;
    app.pass(SignedDuration::from_mins(16));
    assert_eq!(app.get(admin, "/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn s_08_administrators_have_one_session_and_any_session_can_be_ended() {
    let mut app = TestApp::start().await;
    let (admin, password) = app.password("sysadmin");
    let password = String::from(password);
    let first = app.session(admin).clone();
    app.log_in(admin, &password).await;
    app.get(admin, "/api/v1/me").await.expect(200);
    let second = app.session(admin).clone();
    app.keep(admin, first);
    assert_eq!(app.get(admin, "/api/v1/me").await.status, 401, "one session at a time");
    app.keep(admin, second);
    // Others have three; their own can be listed and ended.
    let (user, password) = app.password("supervisor");
    let password = String::from(password);
    let oldest = app.session(user).clone();
    for _ in 0..3 {
        app.pass(SignedDuration::from_secs(1));
        app.log_in(user, &password).await;
    }
    let newest = app.session(user).clone();
    app.keep(user, oldest);
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401);
    app.keep(user, newest);
    let mine = app.get(user, "/api/v1/me/sessions").await.expect(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 3);
    let all = app.get("secadmin", "/api/v1/sessions").await.expect(200);
    let own = mine["items"][0]["id"].as_str().unwrap();
    assert!(all["items"].as_array().unwrap().iter().any(|session| session["id"] == own));
    let path = format!("/api/v1/sessions/{own}");
    assert_eq!(app.send("DELETE", &path, Some("farm"), &[], None).await.status, 403);
    let strange = format!("/api/v1/me/sessions/{own}");
    assert_eq!(app.send("DELETE", &strange, Some("farm"), &[], None).await.status, 404);
    app.send("DELETE", &path, Some("secadmin"), &[], None).await.expect(204);
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401, "ended within one request");
}

#[tokio::test]
async fn s_10_dangerous_acts_want_a_factor_shown_anew() {
    let app = TestApp::start().await;
    let subject = app.subject("示例韭菜合作社一社").await;
    let path = format!("/api/v1/trace_subject/{}/reveal", subject["id"].as_str().unwrap());
    let reason = json!({ "reason": "核对" });
    app.post("supervisor", &path, reason.clone()).await.expect(200);
    app.pass(SignedDuration::from_mins(6));
    let refused = app.post("supervisor", &path, reason.clone()).await.expect(403);
    assert_eq!(refused["code"], "step-up");
    let prove = async |password: &str| {
        app.post("supervisor", "/api/v1/session/proof", json!({ "password": password }))
            .await
            .status
    };
    assert_eq!(prove("wrong").await, 422);
    assert_eq!(prove(app.password("supervisor").1).await, 204);
    app.post("supervisor", &path, reason).await.expect(200);
}

#[tokio::test]
async fn s_12_the_three_administrators_exclude_each_other_and_hold_no_business_right() {
    let app = TestApp::start().await;
    let routes = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let mut tried = 0;
    for (path, methods) in routes["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(permission) = operation["x-permission"].as_str() else { continue };
            let concrete = path.replace("{id}", "0190a5f0-0000-7000-8000-000000000000");
            let concrete = concrete.replace("{code}", "NONE").replace("{height}", "1");
            for (user, kind) in ["sysadmin", "secadmin", "auditor"].into_iter().zip(AdminKind::ALL)
            {
                let method = method.to_uppercase();
                if permission == "key:write" && kind == AdminKind::Security {
                    continue;
                }
                let body = Some(b"{}".to_vec());
                let answer = app.send(&method, &concrete, Some(user), &[], body).await;
                let may = kind.permissions().contains(&permission);
                assert_eq!(answer.status != 403, may, "{user} {method} {path}: {}", answer.body);
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
    // One person, one office.
    let id = async |user: &str| {
        let found =
            app.get("sysadmin", &format!("/api/v1/account?user_name={user}")).await.expect(200);
        String::from(found["items"][0]["id"].as_str().unwrap())
    };
    let appoint = async |user: &str, kind: &str| {
        let path = format!("/api/v1/account/{}/administrator", id(user).await);
        let body = json!({ "administrator": kind }).to_string().into();
        app.send("PUT", &path, Some("secadmin"), &[], Some(body)).await
    };
    assert_eq!(appoint("sysadmin", "audit").await.expect(409)["code"], "conflict");
    assert_eq!(appoint("supervisor", "audit").await.status, 409, "holds business rights");
    assert_eq!(appoint("gateway", "system").await.status, 409, "a program is no administrator");
    assert_eq!(appoint("secadmin", "none").await.status, 409, "not oneself");
    appoint("auditor", "none").await.expect(200);
    appoint("auditor", "system").await.expect(200);
    // An administrator gets no role, and the database itself says so.
    let role = app.get("secadmin", "/api/v1/role?code=supervisor").await.expect(200);
    let grant = json!({
        "account_id": id("sysadmin").await, "role_id": role["items"][0]["id"], "clearance": 2,
    });
    assert_eq!(app.post("secadmin", "/api/v1/assignment", grant).await.status, 409);
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    let sql = yj_kernel::Sql::new(
        "UPDATE account SET administrator = 'system' WHERE user_name = 'supervisor'",
    );
    assert!(tx.execute(sql).await.is_err(), "the foreign key refuses it");
}

#[tokio::test]
async fn s_14_sleeping_and_expired_accounts_stay_outside() {
    let mut app = TestApp::start().await;
    let (user, password) = app.password("supervisor");
    let password = String::from(password);
    app.pass(SignedDuration::from_hours(24 * 91));
    let (_, answer) = app.enter(user, &password).await;
    assert_eq!(answer["http_status"], 403);
    assert!(answer["detail"].as_str().unwrap().contains("休眠"));
    let (admin, secret) = app.password("sysadmin");
    let secret = String::from(secret);
    assert_eq!(app.enter(admin, &secret).await.1["http_status"], 403);
    // Only another administrator wakes somebody; here time goes back instead.
    app.pass(SignedDuration::from_hours(-24 * 91));
    app.log_in(admin, &secret).await;
    let found = app.get(admin, &format!("/api/v1/account?user_name={user}")).await.expect(200);
    let account = &found["items"][0];
    let path = format!("/api/v1/account/{}", account["id"].as_str().unwrap());
    let version = account["version"].as_i64().unwrap();
    let until = json!({ "valid_until": "2026-11-18" });
    app.change(admin, ("PATCH", &path), version, until).await.expect(200);
    assert_eq!(app.get(user, "/api/v1/me").await.status, 401, "expired at once");
    assert_eq!(app.enter(user, &password).await.1["http_status"], 403);
}

#[tokio::test]
async fn g_5_4_3a_people_are_made_moved_locked_and_reset() {
    let mut app = TestApp::start().await;
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let top = top["items"][0]["id"].clone();
    let office =
        json!({ "code": "XA-GOV", "name": "示例市局", "kind": "authority", "parent_id": top });
    let again = office.clone();
    let office = app.post("sysadmin", "/api/v1/organization", office).await.expect(201);
    let other =
        json!({ "code": "BJ-GOV", "name": "示例他局", "kind": "authority", "parent_id": top });
    let other = app.post("sysadmin", "/api/v1/organization", other).await.expect(201);
    let mut elsewhere = again.clone();
    elsewhere["parent_id"] = other["id"].clone();
    // The path is made of the code, which is what whoever fills the form in can mend.
    for twice in [again, elsewhere] {
        let twice = app.post("sysadmin", "/api/v1/organization", twice).await.expect(409);
        let wrong = &twice["errors"][0];
        assert_eq!((&twice["code"], &wrong["field"]), (&"duplicate".into(), &"code".into()));
        assert!(twice["detail"].as_str().unwrap().contains("机构编码与已有记录重复"), "{twice}");
    }
    let person = json!({
        "user_name": "zhou-yi", "name": "示例科员", "organization_id": office["id"],
        "kind": "person", "clearance": 3, "phone": "13900001234",
    });
    let made = app.post("sysadmin", "/api/v1/account", person.clone()).await.expect(201);
    assert_eq!((&made["state"], &made["phone"]), (&"invited".into(), &"139****1234".into()));
    assert_eq!(made["organization_path"], "YJ-DEMO/XA-GOV/");
    assert_eq!(
        app.post("sysadmin", "/api/v1/account", person).await.expect(409)["code"],
        "duplicate"
    );
    let one = format!("/api/v1/account/{}", made["id"].as_str().unwrap());
    let link = app.post("sysadmin", &format!("{one}/invite"), json!({})).await.expect(200);
    let body = json!({ "token": link["token"], "password": PASSWORD });
    send(&app, "/api/v1/activation", body).await;
    assert_eq!(app.log_in("zhou-yi", PASSWORD).await["me"]["permissions"], json!([]));
    // The security administrator gives the right, not the one who made the account.
    let role = app.get("secadmin", "/api/v1/role?code=supervisor").await.expect(200);
    let grant = json!({
        "account_id": made["id"], "role_id": role["items"][0]["id"], "region": "610100", "clearance": 3,
    });
    assert_eq!(app.post("sysadmin", "/api/v1/assignment", grant.clone()).await.status, 403);
    app.post("secadmin", "/api/v1/assignment", grant).await.expect(201);
    let subjects = app.get("zhou-yi", "/api/v1/trace_subject?per_page=100").await.expect(200);
    let regions = subjects["items"].as_array().unwrap().iter().map(|one| one["region"].clone());
    let regions: Vec<_> = regions.collect();
    assert!(
        regions.len() == 8 && regions.iter().all(|code| code.as_str().unwrap().starts_with("6101"))
    );
    // Locked, unlocked, disabled, moved.
    app.post("secadmin", &format!("{one}/lock"), json!({ "reason": "调查" })).await.expect(200);
    assert_eq!(app.get("zhou-yi", "/api/v1/me").await.status, 401);
    assert_eq!(app.enter("zhou-yi", PASSWORD).await.1["http_status"], 403);
    app.post("secadmin", &format!("{one}/unlock"), json!({})).await.expect(200);
    app.log_in("zhou-yi", PASSWORD).await;
    let moved = json!({ "organization_id": top, "reason": "借调" });
    let moved = app.post("sysadmin", &format!("{one}/transfer"), moved).await.expect(200);
    assert_eq!(moved["assignments_ended"], 1);
    assert_eq!(app.get("zhou-yi", "/api/v1/me").await.status, 401);
    assert_eq!(app.log_in("zhou-yi", PASSWORD).await["me"]["permissions"], json!([]));
    let reset = app.post("sysadmin", &format!("{one}/reset"), json!({})).await.expect(200);
    assert_eq!(app.enter("zhou-yi", PASSWORD).await.1["http_status"], 401);
    let body = json!({ "token": reset["token"], "password": "tK9#mVx2!pLw-8r" });
    send(&app, "/api/v1/activation", body).await;
    app.log_in("zhou-yi", "tK9#mVx2!pLw-8r").await;
    app.post("sysadmin", &format!("{one}/disable"), json!({})).await.expect(200);
    assert_eq!(app.get("zhou-yi", "/api/v1/me").await.status, 401);
    let trail = app.get("auditor", "/api/v1/audit?entity=account&per_page=200").await.expect(200);
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    for action in [
        "created",
        "invited",
        "activated",
        "locked",
        "unlocked",
        "transferred",
        "reset",
        "disabled",
    ] {
        assert!(actions.contains(&&Value::from(action)), "{action}");
    }
}

#[tokio::test]
async fn s_09_whoever_shows_a_token_is_judged_by_it_and_not_by_a_cookie_beside_it() {
    let app = TestApp::start().await;
    let cookie = &app.session("supervisor").cookie;
    let secret = app.password_of("gateway");
    let form = format!("grant_type=client_credentials&client_id=gateway&client_secret={secret}");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.send("POST", "/oauth/token", None, &kind, Some(form.into())).await.expect(200);
    let token = answer["access_token"].as_str().unwrap();
    let asked = async |authorization: &str| {
        let headers = [("cookie", cookie.as_str()), ("authorization", authorization)];
        app.send("GET", "/api/v1/ledger/status", None, &headers, None).await.status
    };
    for wrong in ["", "Bearer", "Bearer ", "Bearer x", "bearer x", "Token x", "x", "数字"] {
        assert_eq!(asked(wrong).await, 401, "{wrong}");
    }
    assert_eq!(asked(&format!("Bearer {token}")).await, 200);
    assert_eq!(asked(&format!("bearer {token}")).await, 200);
    // A gateway's own: nothing that we know of.
    assert_eq!(asked("Basic eDp5").await, 200);
}

#[tokio::test]
async fn s_09_a_session_is_a_cookie_that_scripts_and_other_sites_never_see() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    let (user, password) = app.password("supervisor");
    let body = json!({ "user": user, "password": password }).to_string();
    let enter = async |planted: &str| {
        let request = Request::post("/api/v1/session")
            .header("content-type", "application/json")
            .header("cookie", planted)
            .body(Body::from(body.clone()))
            .unwrap();
        let response = app.assembled.router.clone().oneshot(request).await.unwrap();
        response.headers()["set-cookie"].to_str().unwrap().to_owned()
    };
    let planted = format!("__Host-yj={}", "a".repeat(64));
    let (one, two) = (enter(&planted).await, enter(&planted).await);
    for cookie in [&one, &two] {
        assert!(cookie.starts_with("__Host-yj=") && !cookie.starts_with(&planted));
        for mark in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
            assert!(cookie.contains(mark), "{mark}: {cookie}");
        }
    }
    let token = |cookie: &str| cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    assert_ne!(token(&one), token(&two));
    // What is stored opens nothing.
    let stored = app.count("SELECT COUNT(*) FROM session").await;
    assert!(stored >= 2);
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    let sql = yj_kernel::Sql::new("SELECT token_digest FROM session");
    for row in tx.fetch(sql).await.unwrap() {
        let digest = row.text(0).unwrap();
        assert!(digest != token(&one) && digest != token(&two));
        let cookie = format!("__Host-yj={digest}");
        let answer = app.send("GET", "/api/v1/me", None, &[("cookie", &cookie)], None).await;
        assert_eq!(answer.status, 401);
    }
}
