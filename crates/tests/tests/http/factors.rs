//! 口令与第二因素 (GB/T 22239 8.1.4.1 a, b, d; S-01, S-05): what people show, and guessing it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_identity::Security;

use crate::{
    harness::TestApp,
    identity::{PASSWORD, authenticator, begin, bind, send, set_up},
};

#[tokio::test]
async fn s_05_administrators_can_do_nothing_without_a_second_factor() {
    let mut app = TestApp::bare(Security::default()).await;
    let links = set_up(&app).await;
    let (user, token) = links[0].clone();
    let body = json!({ "token": token, "password": PASSWORD });
    send(&app, "/api/v1/activation", body).await;
    app.log_in(&user, PASSWORD).await;
    let refused = app.get(&user, "/api/v1/account").await.expect(403);
    assert_eq!(refused["code"], "second-factor");
    let secret = bind(&mut app, &user).await;
    app.get(&user, "/api/v1/account").await.expect(200);

    // A new log-in has shown only the password.
    app.pass(SignedDuration::from_mins(2));
    let me = app.log_in(&user, PASSWORD).await;
    assert_eq!(me["me"]["next"], "second_factor");
    assert_eq!(app.get(&user, "/api/v1/account").await.expect(403)["code"], "second-factor");
    let show = async |app: &TestApp, code: &str| {
        let before = app.session(&user).clone();
        app.open_session("/api/v1/session/factor", Some(&before), json!({ "code": code })).await
    };
    let codes = [-2, 2].map(|steps| authenticator(&secret, &app, steps));
    for far in codes {
        assert_eq!(show(&app, &far).await.1["http_status"], 422, "two steps away is too far");
    }
    let near = authenticator(&secret, &app, 1);
    let (session, answer) = show(&app, &near).await;
    assert_eq!(answer["me"]["next"], Value::Null, "{answer}");
    app.keep(&user, session.unwrap());
    app.get(&user, "/api/v1/account").await.expect(200);

    // The same code does not open a second door.
    app.log_in(&user, PASSWORD).await;
    assert_eq!(show(&app, &near).await.1["http_status"], 422, "a code works once");
    app.pass(SignedDuration::from_mins(1));
    assert_eq!(show(&app, &authenticator(&secret, &app, 0)).await.1["http_status"], 200);
}

#[tokio::test]
async fn s_05_a_recovery_code_works_once() {
    let mut app = TestApp::bare(Security::default()).await;
    let links = set_up(&app).await;
    let (user, token) = links[1].clone();
    let body = json!({ "token": token, "password": PASSWORD });
    send(&app, "/api/v1/activation", body).await;
    app.log_in(&user, PASSWORD).await;
    let made =
        app.post(&user, "/api/v1/me/factors/totp", json!({ "name": "手机" })).await.expect(201);
    let path = format!("/api/v1/me/factors/{}/confirm", made["id"].as_str().unwrap());
    let code = authenticator(made["secret"].as_str().unwrap(), &app, 0);
    let before = app.session(&user).clone();
    let (_, answer) = app.open_session(&path, Some(&before), json!({ "code": code })).await;
    let code = answer["recovery_codes"][3].clone();
    for expected in [200, 422] {
        app.log_in(&user, PASSWORD).await;
        let before = app.session(&user).clone();
        let shown = json!({ "recovery": code });
        let (_, answer) = app.open_session("/api/v1/session/factor", Some(&before), shown).await;
        assert_eq!(answer["http_status"], expected, "{answer}");
    }
}

#[tokio::test]
async fn s_01_passwords_that_people_guess_are_refused_with_a_reason() {
    let app = TestApp::start().await;
    let top = app.get("sysadmin", "/api/v1/organization?code=YJ-DEMO").await.expect(200);
    let person = json!({
        "user_name": "wang-xiaoming", "name": "示例欧阳", "kind": "person", "clearance": 2,
        "organization_id": top["items"][0]["id"],
    });
    let made = app.post("sysadmin", "/api/v1/account", person).await.expect(201);
    let path = format!("/api/v1/account/{}/invite", made["id"].as_str().unwrap());
    let link = app.post("sysadmin", &path, json!({})).await.expect(200);
    let set = async |password: &str| {
        let body = json!({ "token": link["token"], "password": password });
        app.send("POST", "/api/v1/activation", None, &[], Some(body.to_string().into())).await
    };
    for (password, word) in [
        ("Sh0rt!", "位"),
        ("", "位"),
        ("onlylowercaseletters", "类"),
        ("123456789012345", "类"),
        ("lowercase123456", "类"),
        ("UPPERCASE123456", "类"),
        ("Qwerty@12345!", ""),
        ("Admin@123456", ""),
        ("P@ssw0rd-2026", ""),
        ("Password!2026", ""),
        ("Zhangsan@2026", ""),
        ("Lisi#20261125", ""),
        ("Wangwu!88888888", ""),
        ("1qaz2wsx#EDC4", ""),
        ("Zaq12wsx!Zaq12", ""),
        ("Abc123!Abc123!", ""),
        ("Woaini@5201314", ""),
        ("Iloveyou!1314", ""),
        ("Beijing@2026!!", ""),
        ("Zhongguo#1949!", ""),
        ("Letmein!Letmein1", ""),
        ("Welcome@12345", ""),
        ("Aaaaaaaaaa1!", ""),
        ("Aa1!Aa1!Aa1!", ""),
        ("Wang-Xiaoming9!", "用户名"),
        ("x!9Wang-XiaomingX", "用户名"),
        ("Root@toor-2026", ""),
        ("Test!test1234", ""),
        ("Jianguan@2026x", ""),
        ("Yuanjian!2026a", ""),
        ("line\nbreak-A1!xy", "控制字符"),
    ] {
        let refused = set(password).await.expect(422);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(word) && !detail.is_empty(), "{password}: {detail}");
        assert_eq!(refused["code"], "invalid");
    }
    set(PASSWORD).await.expect(200);
}

#[tokio::test]
async fn s_05_a_stolen_password_does_not_open_the_way_to_guess_the_factor() {
    let mut app = TestApp::bare(Security::default()).await;
    let links = set_up(&app).await;
    let (user, token) = links[0].clone();
    let secret = begin(&mut app, (&user, &token)).await;
    app.pass(SignedDuration::from_mins(2));
    let owner = app.session(&user).clone();
    let guess = async |app: &TestApp, before: &crate::harness::Session| {
        let shown = json!({ "code": "000000" });
        app.open_session("/api/v1/session/factor", Some(before), shown).await.1["http_status"]
            .clone()
    };
    // The right password between the guesses starts nothing anew.
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let (thief, _) = app.enter(&user, PASSWORD).await;
        let thief = thief.unwrap();
        statuses.push(guess(&app, &thief).await);
        statuses.push(guess(&app, &thief).await);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 401].map(Value::from), "that session is over");
    // The one whose password was stolen goes on working, and hears of it.
    app.keep(&user, owner);
    app.get(&user, "/api/v1/account").await.expect(200);
    assert_eq!(app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'brute_force'").await, 1);
    let refused = "SELECT COUNT(*) FROM audit_log WHERE action = 'factor_refused'";
    assert_eq!(app.count(refused).await, 5);
    let (thief, _) = app.enter(&user, PASSWORD).await;
    let right = json!({ "code": authenticator(&secret, &app, 0) });
    let (_, answer) = app.open_session("/api/v1/session/factor", thief.as_ref(), right).await;
    assert_eq!(answer["http_status"], 423, "locked is locked");
    app.pass(SignedDuration::from_mins(31));
    let (owner, _) = app.enter(&user, PASSWORD).await;
    let right = json!({ "code": authenticator(&secret, &app, 0) });
    let (_, answer) = app.open_session("/api/v1/session/factor", owner.as_ref(), right).await;
    assert_eq!(answer["http_status"], 200, "{answer}");
}
