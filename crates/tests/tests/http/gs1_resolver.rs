//! GS1-conformant resolver, GS1 Digital Link and RFC 9264, as machines and pages of others see them.

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    capturing::{captured, said},
    harness::{TestApp, harvest},
};

/// Status, headers and body, for what is in the headers matters here.
pub(crate) async fn ask(
    app: &TestApp,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> (u16, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path).header("host", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.assembled.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8_lossy(&body).into_owned())
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

const ITEM: &str = "/01/06901234567892";
const LOT: &str = "/01/06901234567892/10/R1-sold";

#[tokio::test]
async fn d_6_4_3_2_pages_of_others_may_ask_the_resolver_by_every_method() {
    let app = TestApp::start().await;
    for path in [ITEM, LOT, "/gtin/06901234567892", "/.well-known/gs1resolver", "/resolve?id=1"] {
        let (status, headers, _) = ask(&app, ("OPTIONS", path), &[]).await;
        assert_eq!(status, 204, "{path}");
        for word in ["GET", "HEAD", "OPTIONS"] {
            assert!(text(&headers, "allow").contains(word), "{path}");
        }
    }
    for path in
        [ITEM, LOT, "/01/06901234567893", "/01/06907777000018", "/t/R1-sold", "/resolve?id=x"]
    {
        for method in ["GET", "HEAD"] {
            let (status, headers, body) = ask(&app, (method, path), &[]).await;
            assert_eq!(text(&headers, "access-control-allow-origin"), "*", "{path}: {status}");
            assert!(text(&headers, "access-control-allow-methods").contains("HEAD"), "{path}");
            assert!(text(&headers, "access-control-expose-headers").contains("Link"), "{path}");
            assert_eq!(text(&headers, "cross-origin-resource-policy"), "cross-origin");
            assert!(method == "GET" || body.is_empty(), "{path}");
        }
    }
    // The interface behind a log-in stays for this site's own pages.
    let (_, headers, _) = ask(&app, ("GET", "/api/v1/product"), &[]).await;
    assert_eq!(text(&headers, "access-control-allow-origin"), "");
}

#[tokio::test]
async fn d_6_4_3_2_a_redirect_tells_of_the_linkset_and_passes_the_query_on() {
    let app = TestApp::start().await;
    let path = format!("{LOT}?utm=pack&linkType=gs1:traceability&17=270501");
    let (status, headers, _) = ask(&app, ("GET", &path), &[]).await;
    assert_eq!(status, 307);
    let there = "http://127.0.0.1/t/R1-sold?utm=pack&17=270501#steps";
    assert_eq!(text(&headers, "location"), there);
    assert!(text(&headers, "link").contains("rel=\"linkset\""));
    let (_, slash, _) = ask(&app, ("GET", &format!("{LOT}/")), &[]).await;
    assert_eq!(text(&slash, "location"), "http://127.0.0.1/t/R1-sold");
    for kind in [
        "pip",
        "gs1:pip",
        "https://gs1.org/voc/pip",
        "https://ref.gs1.org/voc/pip",
        "https%3A%2F%2Fref.gs1.org%2Fvoc%2Fpip",
    ] {
        let (status, headers, _) = ask(&app, ("GET", &format!("{LOT}?linkType={kind}")), &[]).await;
        assert_eq!(
            (status, text(&headers, "location")),
            (307, "http://127.0.0.1/t/R1-sold#product")
        );
    }
    let (status, _, body) = ask(&app, ("GET", &format!("{LOT}?linkType=gs1:support")), &[]).await;
    assert_eq!(status, 404);
    assert!(body.contains("gs1:pip") && body.contains("gs1:recallStatus"), "{body}");
}

#[tokio::test]
async fn d_6_4_3_2_linksets_come_in_the_form_that_is_preferred() {
    let app = TestApp::start().await;
    for (accept, status, kind) in [
        ("application/linkset+json", 200, "application/linkset+json"),
        ("application/linkset+json;q=0", 307, ""),
        ("application/linkset+json;q=0, text/html", 307, ""),
        ("text/html;q=0.5, application/linkset+json;q=0.6", 200, "application/linkset+json"),
        ("text/html, application/linkset+json;q=0.9", 307, ""),
        ("application/linkset", 200, "application/linkset"),
        ("application/json", 200, "application/json"),
        ("*/*", 307, ""),
    ] {
        let (found, headers, body) = ask(&app, ("GET", LOT), &[("accept", accept)]).await;
        assert_eq!(found, status, "{accept}: {body}");
        assert_eq!(text(&headers, "vary"), "Accept, Accept-Language");
        if !kind.is_empty() {
            assert_eq!(text(&headers, "content-type"), kind, "{accept}");
        }
    }
    let linkset = [("accept", "application/linkset+json")];
    let (_, headers, body) = ask(&app, ("GET", LOT), &linkset).await;
    assert!(text(&headers, "link").contains("http://www.w3.org/ns/json-ld#context"));
    let set: Value = serde_json::from_str(&body).unwrap();
    let anchors: Vec<&str> = set["linkset"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["anchor"].as_str())
        .collect();
    assert_eq!(anchors, [format!("http://127.0.0.1{LOT}"), format!("http://127.0.0.1{ITEM}")]);
    for context in set["linkset"].as_array().unwrap() {
        let default = context["https://gs1.org/voc/defaultLink"].as_array().unwrap();
        assert_eq!(default.len(), 1, "one default link");
        let names: Vec<&String> = default[0].as_object().unwrap().keys().collect();
        assert_eq!(names, ["href", "title"]);
        assert_eq!(context["description"], "示例韭菜");
    }
    // Whatever way the key is written, the anchor is its one form.
    let (_, _, body) = ask(&app, ("GET", "/gtin/6901234567892?linkType=linkset"), &[]).await;
    assert!(body.contains(&format!("\"anchor\":\"http://127.0.0.1{ITEM}\"")), "{body}");
    let (_, _, body) = ask(&app, ("GET", LOT), &[("accept", "application/linkset")]).await;
    assert!(
        body.contains("rel=\"https://gs1.org/voc/pip\"; anchor=\"http://127.0.0.1/01/"),
        "{body}"
    );
}

#[tokio::test]
async fn d_6_4_3_2_every_primary_key_has_a_door_and_wrong_links_are_told_what_is_wrong() {
    let app = TestApp::start().await;
    let json = [("accept", "application/json")];
    // Sound keys of which nothing is known.
    for path in [
        "/253/6901234000016DOC-1",
        "/255/69012340000161234",
        "/401/6901234ABC",
        "/8010/6901234PART-1/8011/7",
        "/8013/1987654Ad4X4bL5ttr2310c2K",
        "/415/6901234000016/8020/REF1",
        "/414/6901234000016/7040/1ABC",
        "/8004/6901234X1/7040/1ABC",
        "/01/06901234567892/235/TPX1",
        "/sscc/106141412345678908",
        "/01/06901234567892/10/A%2FB",
    ] {
        let (status, _, body) = ask(&app, ("GET", path), &json).await;
        assert_eq!(status, 404, "{path}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["state"], "not_found", "{path}");
    }
    for (path, word) in [
        ("/01/06901234567893", "校验位应为 2，现为 3"),
        ("/01/06901234567892/foo", "缺少取值"),
        ("/01/06901234567892/foo/1", "foo"),
        ("/01/06901234567892/8011/5", "应按 22、10、21 或 235 的顺序"),
        ("/01/06901234567892?17=271301", "月份应为 01 至 12"),
        ("/01/06901234567892/10/L1?17=270231", "01 至 28"),
        ("/01/06901234567892/EIE1ZcBXWX", "压缩"),
        ("/ARFGZo9JFoBkT8A", "压缩"),
        ("/AQnYUc1gng", "校验位应为"),
        ("/8013/1987654Ad4X4bL5ttr2310cXX", "校验字符应为 2K"),
    ] {
        let (status, _, body) = ask(&app, ("GET", path), &json).await;
        assert_eq!(status, 400, "{path}: {body}");
        assert!(body.contains(word), "{path}: {body}");
    }
    let (status, _, body) =
        ask(&app, ("GET", "/resolve?id=https%3A%2F%2Fid.gs1.org%2FARFGZo9JFoBkT8A"), &json).await;
    assert!(status == 422 && body.contains("压缩"), "{status} {body}");
    let (_, _, body) = ask(&app, ("GET", "/.well-known/gs1resolver"), &json).await;
    let described: Value = serde_json::from_str(&body).unwrap();
    let keys = described["supportedPrimaryKeys"].as_array().unwrap();
    assert_eq!(keys.len(), 16, "{described}");
    for key in keys {
        assert!(key.as_str().is_some_and(|key| key.parse::<u32>().is_ok()), "{key}");
    }
    assert_eq!(described["supportedLinkType"][0]["prefix"], "gs1:");
}

#[tokio::test]
async fn d_6_4_3_2_a_compressed_link_leads_where_the_whole_one_does() {
    let app = TestApp::start().await;
    // GTIN and lot of the page below: all compressed, and all but the key.
    for path in ["/01/06901234567892/EGdHX6yiV0", "/AQyNo0UVqCDOjr9ZRK6"] {
        let (status, headers, body) = ask(&app, ("GET", path), &[]).await;
        assert_eq!(status, 307, "{path}: {body}");
        let there = text(&headers, "location");
        assert!([LOT, "http://127.0.0.1/t/R1-sold"].contains(&there), "{path}: {there}");
    }
}

#[tokio::test]
async fn d_6_4_3_2_who_reads_pages_is_answered_by_pages_whatever_was_typed() {
    let app = TestApp::start().await;
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    for (path, wanted, word) in [
        ("/t/%F0", 404, "未查到追溯信息"),
        ("/t/R1%FFsold", 404, "未查到追溯信息"),
        ("/c/%F0", 404, ""),
        ("/id/%F0%9F", 422, "编码有误"),
        ("/id/6901234567893", 422, "校验位应为 2"),
        ("/resolve?id=6901234567893", 422, "校验位应为 2"),
        ("/resolve?id=%F0", 422, "编码有误"),
        ("/01/06901234567893", 400, "校验位应为 2"),
        ("/01/%F0", 400, "编码有误"),
        ("/01/06901234567892/21/S/10/R1-sold", 400, "的顺序且不重复"),
    ] {
        let (status, headers, body) = ask(&app, ("GET", path), &browser).await;
        assert_eq!(status, wanted, "{path}: {body}");
        assert_eq!(text(&headers, "content-type"), "text/html; charset=utf-8", "{path}");
        assert!(body.contains("<main") && body.contains(word), "{path}: {body}");
        // A machine is told as machines are.
        let (status, headers, body) =
            ask(&app, ("GET", path), &[("accept", "application/json")]).await;
        if !path.starts_with("/c/") {
            assert!(text(&headers, "content-type").contains("json"), "{path}: {body}");
            assert_eq!(status, wanted, "{path}");
        }
    }
    // Who takes both is given what it would rather have, at an address that leads nowhere too.
    for (accept, pages) in [
        ("text/html, application/json", true),
        ("application/json;q=0.9, text/html", true),
        ("application/json, text/html", false),
        ("application/json, text/html;q=0.9, */*;q=0.8", false),
        ("text/html;q=0, */*", false),
        ("*/*", false),
    ] {
        for (path, wanted) in [("/nowhere/at/all", 404), ("/resolve?id=6901234567893", 422)] {
            let (status, headers, body) = ask(&app, ("GET", path), &[("accept", accept)]).await;
            let kind = text(&headers, "content-type");
            let expected = if pages { "text/html" } else { "application/problem+json" };
            assert_eq!(status, wanted, "{path}: {body}");
            assert!(kind.starts_with(expected), "{path}, {accept}: {kind}");
            assert!(text(&headers, "vary").contains("Accept"), "{path}");
        }
    }
    // What was typed is no part of the page's own text.
    let (_, _, body) = ask(&app, ("GET", "/id/%3Cscript%3E(01)"), &browser).await;
    assert!(!body.contains("<script>("), "{body}");
}

#[tokio::test]
async fn g_6_4_1_a_scan_finds_a_lot_by_every_way_of_writing_its_key() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let plant = app.subject("示例蔬菜加工厂").await;
    let mut event = harvest(&farm, "AUD-1");
    event["outputs"][0]["lot"] = json!("AUD-L1");
    captured(&app, event).await;
    let scanned = async |user: &str, subject: &Value, code: &str| {
        let body = json!({ "subject": subject["code"], "domain": "agri", "codes": [code] });
        let answer = app.post(user, "/api/v1/trace/scan", body).await.expect(200);
        answer["items"][0].clone()
    };
    for code in [
        "AUD-1",
        "/01/06901234567892/10/AUD-L1",
        "https://trace.example.cn/01/06901234567892/10/AUD-L1?17=270501",
        "https://trace.example.cn/t/AUD-1",
        "]Q2HTTPS://TRACE.EXAMPLE.CN/A/01/06901234567892/10/AUD-L1",
        "/gtin/6901234567892/lot/AUD-L1",
        "(01)06901234567892(10)AUD-L1",
        "]C1010690123456789210AUD-L1",
        "urn:epc:class:lgtin:6901234.056789.AUD-L1",
        "/01/06901234567892/21/AUD-1",
    ] {
        let item = scanned("farm", &farm, code).await;
        assert_eq!((&item["code"], &item["holding"]), (&json!("AUD-1"), &json!("own")), "{code}");
        // It is nobody else's to know of, however its key is written.
        let item = scanned("enterprise", &plant, code).await;
        assert_eq!(item, json!({ "scanned": code, "known": false }));
    }
    // Of two units of one lot whoever holds one means it.
    let second = app.subject("示例韭菜合作社二社").await;
    let mut other = harvest(&second, "AUD-2");
    other["outputs"][0]["lot"] = json!("AUD-L1");
    assert_eq!(said(&captured(&app, other).await).0, "accepted");
    for (user, subject, code) in [("farm", &farm, "AUD-1"), ("supervisor", &second, "AUD-2")] {
        let item = scanned(user, subject, "(01)06901234567892(10)AUD-L1").await;
        assert_eq!((&item["code"], &item["holding"]), (&json!(code), &json!("own")), "{item}");
    }
    for (code, word) in [
        ("(01)06901234567893(10)L1", "校验位应为 2，现为 3"),
        ("6901234567893", "校验位应为 2，现为 3"),
        ("/01/06901234567892/21/1/10/A", "的顺序且不重复"),
        ("https://id.gs1.org/ARFGZo9JFoBkT8A", "压缩"),
        ("HTTPS://TRACE.EXAMPLE.CN/01/06901234567892?10=AUD-L1", "应在路径中"),
        ("6901234567892", "只有商品条码"),
        ("/414/6901234000016", "不是商品或物流单元"),
    ] {
        let item = scanned("farm", &farm, code).await;
        let problem = item["problem"].as_str().unwrap_or_default();
        assert!(item["known"] == false && problem.contains(word), "{code}: {item}");
    }
}

#[tokio::test]
async fn g_5_4_4_a_code_that_may_be_of_several_families_is_said_to_be_so() {
    let app = TestApp::start().await;
    let read = async |code: &str| {
        let path = format!("/api/v1/codes?code={code}");
        app.get("enterprise", &path).await.expect(200)
    };
    let organic = read("00126123456789012").await;
    assert_eq!(
        (&organic["ambiguous"], &organic["readings"][0]["scheme"]),
        (&json!(false), &json!("organic"))
    );
    let either = read("81008100002026110001").await;
    assert_eq!(either["ambiguous"], true, "{either}");
    let none = read("6901234567893").await;
    assert!(none["problem"].as_str().unwrap().contains("校验位应为 2"), "{none}");
}
