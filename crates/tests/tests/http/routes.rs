//! The list of routes is the list of rights: what it does not allow, nobody can do.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::TestApp;

/// Every operation of the interface, with its security.
async fn operations(app: &TestApp) -> Vec<(String, String, Value)> {
    let text = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let mut operations = Vec::new();
    for (path, methods) in text["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

/// A path with something plausible in place of its parameters.
fn concrete(path: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') { "0190a5f0-0000-7000-8000-000000000000" } else { part }.to_owned()
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn g_10_2_strangers_are_refused_wherever_the_route_is_not_public() {
    let app = TestApp::start().await;
    let (mut refused, mut open) = (0, Vec::new());
    for (method, path, operation) in operations(&app).await {
        if operation["security"].as_array().unwrap().is_empty() {
            open.push(path);
            continue;
        }
        let answer = app.send(&method, &concrete(&path), None, &[], None).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (401, &"unauthenticated".into()),
            "{method} {path}"
        );
        let forged = [("authorization", "Bearer 0123456789abcdef0123456789abcdef")];
        assert_eq!(
            app.send(&method, &concrete(&path), None, &forged, None).await.status,
            401,
            "{method} {path}"
        );
        refused += 1;
    }
    assert!(refused > 50, "{refused}");
    assert!(
        open.iter().all(|path| !path.contains("trace_subject") && !path.contains("audit")),
        "{open:?}"
    );
}

#[tokio::test]
async fn g_10_2_a_right_not_granted_is_a_route_not_usable() {
    let app = TestApp::start().await;
    let mut tried = 0;
    for (method, path, operation) in operations(&app).await {
        let Some(permission) = operation["security"][0]["bearer"][0].as_str() else { continue };
        let has = yj_identity::AdminKind::Audit.permissions().contains(&permission);
        let answer =
            app.send(&method, &concrete(&path), Some("auditor"), &[], Some(b"{}".to_vec())).await;
        assert_eq!(answer.status == 403, !has, "{method} {path}: {}", answer.body);
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn d_5_f_the_interface_describes_itself() {
    let app = TestApp::start().await;
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&app).await {
        assert!(ids.insert(operation["operationId"].to_string()), "{method} {path}");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_ascii()),
            "{method} {path}"
        );
        let parameters = operation["parameters"].as_array().unwrap();
        let named = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(named, path.matches('{').count(), "{path}");
        assert!(!path.contains('*'), "{path} is no path of OpenAPI");
    }
    let text = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    assert_eq!(text["openapi"], "3.1.0");
    // What answers show is what is described: security labels are numbers, GeoJSON is JSON, and an event
    // may be sent by itself, in a batch or in XML.
    assert_eq!(text["components"]["schemas"]["Site"]["properties"]["label"]["type"], "integer");
    let geo = &text["paths"]["/api/v1/site/geojson"]["get"]["responses"]["2XX"]["content"];
    assert_eq!(geo["application/geo+json"]["schema"], serde_json::json!({}));
    let sent = &text["paths"]["/api/v1/trace/events"]["post"]["requestBody"]["content"];
    assert_eq!(sent["application/json"]["schema"]["anyOf"].as_array().unwrap().len(), 2);
    assert!(sent["application/xml"].is_object());
    let fields = text["components"]["schemas"].as_object().unwrap();
    assert!(fields.len() >= 7, "{:?}", fields.keys());
    let meta = app.get("supervisor", "/api/v1/meta").await.expect(200);
    assert_eq!(meta["entities"].as_array().unwrap().len(), 20);
}

/// Every route that docs/API.md names is there. `{表}` stands for each register.
#[tokio::test]
async fn d_5_f_the_conventions_name_no_route_that_is_not_there() {
    let app = TestApp::start().await;
    let shape = |path: &str| {
        let part = |part: &str| if part.contains('{') { "{}" } else { part }.to_owned();
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    let all = operations(&app).await;
    let there: BTreeSet<_> =
        all.iter().map(|(method, path, _)| format!("{method} {}", shape(path))).collect();
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/API.md"));
    let mut found = 0;
    for quoted in text.split('`').skip(1).step_by(2).filter(|text| text.contains(" /api/v1/")) {
        let (method, path) = quoted.split_once(' ').unwrap();
        let path = path.split(['?', '｜']).next().unwrap();
        let route = |table| format!("{method} {}", shape(&path.replace("{表}", table)));
        let tables = ["trace_subject", "source_policy"];
        assert!(tables.into_iter().any(|table| there.contains(&route(table))), "{quoted}");
        found += 1;
    }
    assert!(found > 40, "{found}");
}

/// The console is typed by a copy of the description. `YJ_WRITE_OPENAPI=1` writes it anew.
#[tokio::test]
async fn d_5_f_the_console_knows_the_interface_as_it_is() {
    let app = TestApp::start().await;
    let mut found = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    found["info"] = Value::Null;
    let copy =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/packages/api/openapi.generated.json");
    if std::env::var_os("YJ_WRITE_OPENAPI").is_some() {
        found["info"] = serde_json::json!({ "title": "源鉴", "version": "1" });
        std::fs::write(copy, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        return;
    }
    let mut known: Value = serde_json::from_str(&std::fs::read_to_string(copy).unwrap()).unwrap();
    known["info"] = Value::Null;
    assert!(known == found, "接口已变：YJ_WRITE_OPENAPI=1 cargo test d_5_f，然后 npm run schema");
}

/// What the framework refuses by itself is answered like everything else.
#[tokio::test]
async fn d_5_f_an_address_that_is_no_text_is_a_problem_too() {
    let app = TestApp::start().await;
    for path in ["/api/v1/ledger/blocks/%FF", "/api/v1/interface/%FF/x"] {
        let answer = app.get("supervisor", path).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &"malformed".into()), "{path}");
    }
}

#[tokio::test]
async fn s_37_answers_carry_the_headers_that_protect_browsers() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    for path in ["/t/R1-sold", "/api/v1/regions", "/console/", "/nothing"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.assembled.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("content-security-policy").contains("object-src 'none'"), "{path}");
        assert!(!header("content-security-policy").contains("script-src 'unsafe"), "{path}");
        assert!(!header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn g_8_2_the_description_says_what_a_request_must_bring() {
    let app = TestApp::start().await;
    let operations = operations(&app).await;
    let wants = |method: &str, path: &str| {
        let found =
            operations.iter().find(|one| (one.0.as_str(), one.1.as_str()) == (method, path));
        let (_, _, operation) = found.unwrap_or_else(|| panic!("{method} {path}"));
        let mut parameters = operation["parameters"].as_array().unwrap().iter();
        parameters.any(|one| one["name"] == "If-Match" && one["required"] == true)
    };
    for (method, path) in [
        ("PUT", "/api/v1/device/{id}"),
        ("PATCH", "/api/v1/trace_subject/{id}"),
        ("DELETE", "/api/v1/catalogue/{id}"),
        ("PUT", "/api/v1/device/{id}/label"),
        ("POST", "/api/v1/product/{id}/recall"),
        ("POST", "/api/v1/trace_subject/{id}/suspend"),
        ("PUT", "/api/v1/change-rules/{entity}/{field}"),
        ("POST", "/api/v1/catalogue/{id}/exclude"),
    ] {
        assert!(wants(method, path), "{method} {path}");
    }
    for (method, path) in [
        ("DELETE", "/api/v1/views/{id}"),
        ("DELETE", "/api/v1/sessions/{id}"),
        ("DELETE", "/epcis/v2/queries/{id}"),
        ("PUT", "/api/v1/trace_subject/changes/{id}"),
    ] {
        assert!(!wants(method, path), "{method} {path}");
    }
    // A browser shows its cookie and, for what changes something, the word of its pages.
    let text = app.send("GET", "/openapi.json", None, &[], None).await.expect(200);
    let schemes = &text["components"]["securitySchemes"];
    let session = app.session("supervisor");
    let cookie = session.cookie.split('=').next().unwrap();
    assert_eq!(schemes["session"]["name"], cookie);
    let change = &text["paths"]["/api/v1/device/{id}"]["put"]["security"];
    assert!(change[1]["csrf"].is_array() && change[0]["csrf"].is_null(), "{change}");
    let look = &text["paths"]["/api/v1/device/{id}"]["get"]["security"];
    assert!(look[1]["csrf"].is_null(), "{look}");
    // What lacks its body is refused, and what may be left out is not demanded.
    let empty = app.send("POST", "/api/v1/ledger/verify", None, &[], None).await.expect(400);
    assert_eq!(empty["code"], "malformed");
    let rules = &text["paths"]["/api/v1/change-rules"]["get"]["parameters"][0];
    assert_eq!((&rules["name"], &rules["required"]), (&"entity".into(), &false.into()));
    app.get("supervisor", "/api/v1/change-rules").await.expect(200);
}

#[tokio::test]
async fn s_36_sessions_of_browsers_need_their_csrf_token() {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let app = TestApp::start().await;
    let account = yj_server::demo::create_accounts(&app.assembled).await;
    assert!(account.is_err(), "accounts cannot be made twice");
    let wrong = app
        .post(
            "supervisor",
            "/api/v1/session",
            serde_json::json!({ "user": "supervisor", "password": "wrong" }),
        )
        .await
        .expect(401);
    let unknown = app
        .post(
            "supervisor",
            "/api/v1/session",
            serde_json::json!({ "user": "nobody", "password": "wrong" }),
        )
        .await
        .expect(401);
    assert_eq!(wrong["detail"], unknown["detail"], "an answer does not tell which names exist");
    let (user, password) = app.password("supervisor");
    let body = serde_json::json!({ "user": user, "password": password }).to_string();
    let request = Request::post("/api/v1/session")
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = app.assembled.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
            && cookie.starts_with("__Host-")
            && cookie.contains("Secure"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let csrf: Value = serde_json::from_slice(&bytes).unwrap();
    let csrf = csrf["csrf"].as_str().unwrap().to_owned();
    let with = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        app.send(method, path, None, headers, None).await.status
    };
    assert_eq!(with("GET", "/api/v1/me", &[("cookie", &cookie)]).await, 200);
    assert_eq!(with("DELETE", "/api/v1/session", &[("cookie", &cookie)]).await, 403);
    assert_eq!(
        with("DELETE", "/api/v1/session", &[("cookie", &cookie), ("x-csrf", "wrong")]).await,
        403
    );
    assert_eq!(
        with("DELETE", "/api/v1/session", &[("cookie", &cookie), ("x-csrf", &csrf)]).await,
        204
    );
    assert_eq!(with("GET", "/api/v1/me", &[("cookie", &cookie)]).await, 401);
}
