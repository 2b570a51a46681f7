//! G-5.4.4, D-6.4.3.2: identifiers of every scheme lead somewhere, or to nothing that tells why.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Body,
    extract::RawQuery,
    http::{HeaderMap, Request, StatusCode},
    response::IntoResponse as _,
    routing::get,
};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    capturing::captured,
    harness::{Answer, TestApp, harvest},
    houses::id_of,
    identifiers::{approved, batch, codes, product, single_codes},
};

const HTML: [(&str, &str); 1] = [("accept", "text/html")];
const LINKSET: [(&str, &str); 1] = [("accept", "application/linkset+json")];

async fn ask(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send("GET", path, None, headers, None).await
}

/// Where a browser is sent.
async fn sent_to(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = Request::get(path).header("host", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.assembled.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(status, 307, "{path}: {}", String::from_utf8_lossy(&body));
    String::from(headers["location"].to_str().unwrap())
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn activated(app: &TestApp, batch: &Value, body: Value) {
    let path = format!("/api/v1/code_batch/{}/activate", id_of(batch));
    app.post("enterprise", &path, body).await.expect(200);
}

#[tokio::test]
async fn d_6_4_3_2_codes_of_every_scheme_lead_to_their_product() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let product = product(&app, "PLANT-1", Some("6907777000018")).await;
    for (scheme, prefix, random) in [
        ("own", "", true),
        ("gs1", "6907777", false),
        ("gs1", "6907777", true),
        ("ecode", "10001", true),
        ("ma", "MA.156.M0.1001", true),
        ("handle", "88.118.8", false),
        ("vaa", "VAA08810001", true),
        ("oid", "1.2.156.1001", false),
        ("drug", "8123456", true),
        ("pesticide", "12000012001", true),
        ("veterinary_drug", "01234", true),
        ("organic", "001", true),
        ("equipment", "215010001", false),
        ("meat_vegetable", "6101160010001", false),
    ] {
        let known = format!("/api/v1/code_rule?scheme={scheme}");
        let rules = app.get("supervisor", &known).await;
        let rule = match rules.body["items"].as_array().and_then(|items| items.first()) {
            _ if scheme == "own" => Value::Null,
            Some(rule) => rule["id"].clone(),
            None => {
                let body = json!({
                    "scheme": scheme, "prefix": prefix, "subject_id": plant["id"], "in_use": true,
                });
                json!(approved(&app, "code_rule", body).await)
            }
        };
        let made = batch(
            &app,
            json!({
                "code": format!("{scheme}-{random}"), "subject_id": plant["id"],
                "product_id": product, "scheme": scheme, "rule_id": rule, "level": "item",
                "random": random, "size": 1_000,
            }),
        )
        .await;
        let codes = codes(&app, &made).await;
        let code = &codes[700];
        let at = format!("/resolve?id={}", escaped(code));
        assert_eq!(ask(&app, &at, &HTML).await.status, 404, "{code} is not active yet");
        activated(&app, &made, json!({ "from": 701, "lot": "L1", "produced_on": "2026-11-01" }))
            .await;
        let page = sent_to(&app, &at, &HTML).await;
        assert!(page.starts_with("http://127.0.0.1/t/"), "{page}");
        let path = page.strip_prefix("http://127.0.0.1").unwrap();
        let shown = ask(&app, path, &[("accept", "application/json")]).await.expect(200);
        assert_eq!(
            (&shown["product"]["name"], &shown["lot"], &shown["scans"]),
            (&"示例韭菜盒".into(), &"L1".into(), &1.into()),
            "{code}"
        );
        let html = ask(&app, path, &HTML).await;
        let html = String::from_utf8(html.bytes).unwrap();
        assert!(html.contains("示例韭菜盒") && html.contains("第 2 次查询"), "{html}");
        assert_eq!(
            ask(&app, &format!("/resolve?id={}", escaped(&codes[701])), &HTML).await.status,
            404
        );
    }
}

#[tokio::test]
async fn d_6_4_3_2_digital_links_answer_with_pages_and_linksets() {
    let app = TestApp::start().await;
    let product = product(&app, "PLANT-1", Some("6907777000018")).await;
    let given = json!({
        "product_id": product, "link_type": "certificationInfo", "title": "检验报告",
        "href": "https://www.example.cn/report", "language": "zh", "media_type": "application/pdf",
        "in_use": true,
    });
    approved(&app, "resolver_link", given.clone()).await;
    let evil = |href: &str| {
        let mut body = given.clone();
        body["href"] = json!(href);
        body
    };
    for href in ["javascript:alert(1)", "http://www.example.cn/", "https://a b.cn/"] {
        let refused = app.post("supervisor", "/api/v1/resolver_link", evil(href)).await;
        assert_eq!(refused.status, 422, "{href}");
    }
    // A unit of the chain, by product and lot, in every syntax of GS1.
    let unit = "http://127.0.0.1/t/R1-sold";
    for id in [
        "https://id.example.cn/01/06901234567892/10/R1-sold",
        "(01)06901234567892(10)R1-sold",
        "]C1010690123456789210R1-sold",
        "urn:epc:class:lgtin:6901234.056789.R1-sold",
    ] {
        let at = format!("/resolve?id={}", escaped(id));
        assert_eq!(sent_to(&app, &at, &HTML).await, unit, "{id}");
    }
    let link = "/01/06901234567892/10/R1-sold?17=270501";
    assert_eq!(sent_to(&app, link, &HTML).await, format!("{unit}?17=270501"));
    for (kind, section) in
        [("gs1:traceability", "#steps"), ("recallStatus", "#state"), ("gs1:pip", "#product")]
    {
        let at = format!("/01/06901234567892/10/R1-sold?linkType={kind}");
        assert_eq!(sent_to(&app, &at, &HTML).await, format!("{unit}{section}"));
    }
    let none = ask(&app, "/01/06901234567892/10/R1-sold?linkType=gs1:quickStartGuide", &HTML).await;
    let none = none.expect(404);
    assert!(none["detail"].as_str().unwrap().contains("没有这种类型的链接"));
    assert!(none["link_types"].as_array().unwrap().contains(&json!("gs1:traceability")), "{none}");
    // The owner's link comes before the platform's own.
    let at = "/01/06907777000018?linkType=gs1:certificationInfo";
    assert_eq!(sent_to(&app, at, &HTML).await, "https://www.example.cn/report");
    for path in [
        "/01/06907777000018?linkType=linkset",
        "/01/06907777000018?linkType=all",
        "/resolve?id=6907777000018&linkType=linkset",
    ] {
        let set = ask(&app, path, &HTML).await.expect(200);
        let context = &set["linkset"][0];
        assert_eq!(context["anchor"], "http://127.0.0.1/01/06907777000018");
        let targets = context["https://gs1.org/voc/certificationInfo"].as_array().unwrap();
        assert_eq!(
            (targets.len(), &targets[0]["href"]),
            (2, &"https://www.example.cn/report".into())
        );
        assert!(context["https://gs1.org/voc/defaultLink"].is_array());
    }
    let accepted = ask(&app, "/01/06907777000018", &LINKSET).await.expect(200);
    assert_eq!(accepted["linkset"][0]["description"], "示例韭菜盒");
    let json = [("accept", "application/json")];
    for way in [
        "/id/R1-sold",
        "/resolve?id=R1-sold",
        "/resolve?id=http%3A%2F%2Ftest%2Ft%2FR1-sold",
        "/t/%EF%BC%B21-sold",
    ] {
        let story = ask(&app, way, &json).await.expect(200);
        assert_eq!(story["lot"], "R1-sold", "a code of no scheme, as it is registered: {way}");
    }
    assert_eq!(ask(&app, "/resolve?id=R1-nothing", &json).await.status, 422);
    let described = ask(&app, "/.well-known/gs1resolver", &[]).await.expect(200);
    assert_eq!(described["resolverRoot"], "http://127.0.0.1");
    for (wrong, status, word) in [
        ("/01/06901234567893", 400, "校验位应为 2，现为 3"),
        ("/01/06901234567892/21/1/10/A", 400, "应按 22、10、21"),
        ("/resolve?id=6901234567893", 422, "校验位应为 2，现为 3"),
        ("/resolve?id=", 422, "请给出标识"),
        ("/resolve", 422, "请给出标识"),
    ] {
        let refused = ask(&app, wrong, &json).await.expect(status);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{wrong}: {detail}");
        assert_eq!(ask(&app, wrong, &HTML).await.status, status, "{wrong}");
    }
}

#[tokio::test]
async fn d_6_4_3_2_a_single_code_tells_the_story_of_its_lot() {
    let app = TestApp::start().await;
    let (path, code) = single_codes(&app, "LOT", 5).await;
    let code = code.as_str();
    let lot = json!({ "from": 1, "lot": "R1-sold", "produced_on": "2026-11-03" });
    app.post("supervisor", &format!("{path}/activate"), lot).await.expect(200);
    let page = format!("/t/{code}");
    let told = ask(&app, &page, &[("accept", "application/json")]).await.expect(200);
    assert_eq!(
        (&told["code"], &told["unit"], &told["produced_on"], &told["scans"]),
        (&code.into(), &"R1-sold".into(), &"2026-11-03".into(), &1.into())
    );
    let of_lot = ask(&app, "/t/R1-sold", &[("accept", "application/json")]).await.expect(200);
    assert_eq!(told["steps"], of_lot["steps"]);
    assert!(!told["steps"].as_array().unwrap().is_empty());
    assert_eq!(of_lot["scans"], 1, "a single code counts its own scans");
}

#[tokio::test]
async fn g_6_9_3_the_page_of_a_code_without_records_reassures_nobody() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let rule =
        json!({ "scheme": "gs1", "prefix": "6907777", "subject_id": plant["id"], "in_use": true });
    let rule = approved(&app, "code_rule", rule).await;
    let body = json!({
        "code": "PALLETS", "subject_id": plant["id"], "scheme": "gs1", "rule_id": rule,
        "level": "pallet", "random": false, "size": 5,
    });
    let made = batch(&app, body).await;
    let codes = codes(&app, &made).await;
    activated(&app, &made, json!({ "from": 1 })).await;
    let shown = ask(&app, &format!("/t/{}", codes[0].replace('/', "%2F")), &HTML).await;
    let html = String::from_utf8(shown.bytes).unwrap();
    assert_eq!(shown.status, 200, "{} {html}", codes[0]);
    assert!(html.contains("<h1>物流单元</h1>"), "what it is, where no product is known: {html}");
    assert!(html.contains("class=\"state none\"") && !html.contains("state good"), "{html}");
    assert!(html.contains("编码有效，尚无公开的环节记录"), "{html}");
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "TRACED-1")).await;
    let traced = ask(&app, "/t/TRACED-1", &HTML).await;
    assert!(String::from_utf8(traced.bytes).unwrap().contains("已查到追溯信息"));
}

/// Statements that an answer takes.
async fn statements(app: &TestApp, path: &str) -> u32 {
    for nth in 0..200 {
        app.fuse.arm(nth);
        let status = ask(app, path, &HTML).await.status;
        app.fuse.disarm();
        if status < 500 {
            return nth;
        }
    }
    panic!("{path} takes no end of statements");
}

#[tokio::test]
async fn d_6_4_3_2_the_page_of_a_code_looks_it_up_once() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let product = product(&app, "PLANT-1", Some("6907777000018")).await;
    let made = batch(
        &app,
        json!({
            "code": "ONCE", "subject_id": plant["id"], "product_id": product,
            "scheme": "own", "level": "item", "random": true, "size": 10,
        }),
    )
    .await;
    let codes = codes(&app, &made).await;
    activated(&app, &made, json!({ "from": 1 })).await;
    ask(&app, &format!("/t/{}", codes[0]), &HTML).await.expect(200);
    // The page counts a scan; the resolver asks who stands further up.
    let page = statements(&app, &format!("/t/{}", codes[0])).await;
    let resolved = statements(&app, &format!("/resolve?id={}", codes[0])).await;
    assert!(page <= resolved + 1, "{page} and {resolved}");
}

#[tokio::test]
async fn d_6_4_3_2_what_is_unknown_and_what_is_not_public_look_alike() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let made = batch(
        &app,
        json!({
            "code": "HIDDEN", "subject_id": plant["id"], "scheme": "own", "level": "item",
            "random": true, "size": 100,
        }),
    )
    .await;
    let codes = codes(&app, &made).await;
    activated(&app, &made, json!({ "from": 2, "to": 4 })).await;
    let path = format!("/api/v1/code_batch/{}/void", id_of(&made));
    app.post("enterprise", &path, json!({ "from": 3, "reason": "标签损坏" })).await.expect(200);
    // Never activated, and one that the batch never gave: a neighbour with a sound check.
    let never = {
        let value = |text: &str| {
            const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
            text.chars().fold(0_u64, |sum, letter| sum * 32 + LETTERS.find(letter).unwrap() as u64)
        };
        let head = u32::try_from(value(&codes[0][..6])).unwrap();
        yj_model::TraceCode::own(head, value(&codes[0][6..18]) ^ 1).to_string()
    };
    for headers in [&HTML[..], &LINKSET[..], &[("accept", "application/json")][..]] {
        let mut seen = Vec::new();
        for code in [&codes[0], &never] {
            for path in [format!("/resolve?id={code}"), format!("/t/{code}"), format!("/id/{code}")]
            {
                let answer = ask(&app, &path, headers).await;
                assert_eq!(answer.status, 404, "{path}");
                let text = String::from_utf8(answer.bytes).unwrap();
                seen.push(text.replace(code.as_str(), "CODE"));
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "one answer for all of them");
    }
    sent_to(&app, &format!("/resolve?id={}", codes[1]), &HTML).await;
    // Who holds a code that was made void is told so, and no more.
    let void = ask(&app, &format!("/t/{}", codes[2]), &[("accept", "application/json")]).await;
    let void = void.expect(410);
    assert_eq!((&void["state"], &void["product"]), (&json!("void"), &Value::Null), "{void}");
    for path in [format!("/resolve?id={}", codes[2]), format!("/t/{}", codes[2])] {
        let page = ask(&app, &path, &HTML).await;
        assert_eq!(page.status, 410, "{path}");
        let html = String::from_utf8(page.bytes).unwrap();
        assert!(html.contains("此码已由赋码主体作废") && !html.contains("标签损坏"), "{html}");
    }
    // A batch that is kept from the public has no public codes, void or not.
    app.tamper("UPDATE code_batch SET label = 3").await;
    for code in [&codes[1], &codes[2]] {
        assert_eq!(ask(&app, &format!("/resolve?id={code}"), &HTML).await.status, 404);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM code_scan").await, 0, "nothing was shown");
}

/// A resolver further up: it counts what it is asked.
async fn upstream(asked: Arc<AtomicUsize>) -> String {
    let handler = move |RawQuery(query): RawQuery, headers: HeaderMap| {
        let asked = Arc::clone(&asked);
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let query = query.unwrap_or_default();
            let hops = headers.get("x-resolver-hops").and_then(|hops| hops.to_str().ok());
            assert!(hops.is_some_and(|hops| hops.parse::<u32>().is_ok()));
            if query.contains("MISSING") {
                return StatusCode::NOT_FOUND.into_response();
            }
            if query.contains("SLOW") {
                std::future::pending::<()>().await;
            }
            if query.contains("LOOP") {
                let back = [("location", "http://127.0.0.1/resolve?id=88.100.2/LOOP")];
                return (StatusCode::TEMPORARY_REDIRECT, back).into_response();
            }
            if query.contains("SCRIPT") {
                let evil = [("location", "javascript:alert(1)")];
                return (StatusCode::FOUND, evil).into_response();
            }
            if query.contains("linkType=linkset") {
                let links = json!({ "linkset": [{ "anchor": "https://up.example.cn/1" }] });
                return Json(links).into_response();
            }
            let there = [("location", "https://up.example.cn/page")];
            (StatusCode::TEMPORARY_REDIRECT, there).into_response()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/resolve", get(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/resolve?id={{id}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn d_6_4_3_2_unknown_prefixes_are_asked_for_further_up_and_never_in_a_circle() {
    let app = TestApp::start().await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let address = upstream(Arc::clone(&asked)).await;
    let given = json!({ "name": "示例上级解析", "scheme": "handle", "prefix": "88.", "address": address, "in_use": true });
    assert_eq!(
        app.post("supervisor", "/api/v1/resolver_upstream", given.clone()).await.status,
        403
    );
    app.post("sysadmin", "/api/v1/resolver_upstream", given.clone()).await.expect(201);
    let mut own = given.clone();
    own["address"] = json!("http://127.0.0.1/resolve?id={id}");
    let refused = app.post("sysadmin", "/api/v1/resolver_upstream", own).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("本平台自己"), "{refused}");
    let count = || asked.load(Ordering::SeqCst);

    assert_eq!(sent_to(&app, "/resolve?id=88.100.2/A1", &HTML).await, "https://up.example.cn/page");
    let set = ask(&app, "/resolve?id=88.100.2/A1&linkType=linkset", &HTML).await.expect(200);
    assert_eq!(set["linkset"][0]["anchor"], "https://up.example.cn/1");
    assert_eq!(count(), 2);
    // What was not known there is not asked again for a minute.
    for _ in 0..3 {
        assert_eq!(ask(&app, "/resolve?id=88.100.2/MISSING", &HTML).await.status, 404);
    }
    assert_eq!(count(), 3);
    app.pass(SignedDuration::from_secs(61));
    assert_eq!(ask(&app, "/resolve?id=88.100.2/MISSING", &HTML).await.status, 404);
    assert_eq!(count(), 4);
    // Back to us, or to something that is no page: nothing.
    assert_eq!(ask(&app, "/resolve?id=88.100.2/LOOP", &HTML).await.status, 404);
    assert_eq!(ask(&app, "/resolve?id=88.100.2/SCRIPT", &HTML).await.status, 404);
    assert_eq!(count(), 6);
    let far = [("x-resolver-hops", "3")];
    assert_eq!(ask(&app, "/resolve?id=88.100.2/FAR", &far).await.status, 404);
    // Who does not answer is not waited for.
    assert_eq!(ask(&app, "/resolve?id=88.100.2/SLOW", &HTML).await.status, 404);
    assert_eq!(count(), 7);
    // Another scheme has nobody to ask, and a prefix of ours is nobody else's to answer for.
    assert_eq!(ask(&app, "/resolve?id=MA.156.M0.1/1", &HTML).await.status, 404);
    let rule = json!({ "scheme": "handle", "prefix": "88.118.8", "subject_id": plant["id"], "in_use": true });
    approved(&app, "code_rule", rule).await;
    assert_eq!(ask(&app, "/resolve?id=88.118.8/A1", &HTML).await.status, 404);
    assert_eq!(count(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn d_6_4_3_2_a_question_to_others_is_one_miss() {
    let app = TestApp::start().await;
    let address = upstream(Arc::default()).await;
    let given = json!({ "name": "示例上级解析", "scheme": "handle", "prefix": "88.", "address": address, "in_use": true });
    app.post("sysadmin", "/api/v1/resolver_upstream", given).await.expect(201);
    let asked = async || {
        let request = Request::get("/resolve?id=88.100.2/MISSING").header("host", "test");
        let mut request = request.body(Body::empty()).unwrap();
        let address = "203.0.113.9".parse().unwrap();
        request.extensions_mut().insert(yj_http::PeerAddr(address));
        app.assembled.router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    for number in 0..120 {
        assert_eq!(asked().await, 404, "{number}");
    }
    assert_eq!(asked().await, 429);
}
