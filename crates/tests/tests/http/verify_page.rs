//! 存证校验页: whole without scripts, the same for everybody, and kept by a script that may do so.

use crate::harness::TestApp;

async fn text(app: &TestApp, path: &str) -> String {
    let page = app.send("GET", path, None, &[], None).await;
    assert_eq!(page.status, 200, "{path}");
    String::from_utf8(page.bytes).unwrap()
}

#[tokio::test]
async fn d_6_3_the_page_of_verification_is_public_and_says_what_it_does() {
    let app = TestApp::start().await;
    let html = text(&app, "/verify").await;
    let genesis = app.send("GET", "/api/v1/ledger/genesis", None, &[], None).await.expect(200);
    let fingerprint = genesis["fingerprint"].as_str().unwrap();
    for words in [fingerprint, "文件不会上传", "不说明产品真伪", "yuanjian verify"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    // Nobody is told apart, and nothing runs that is written in the page itself.
    assert_eq!(text(&app, "/verify?code=F1-A").await, html);
    assert!(!html.contains("<script>") && !html.contains("onclick"), "{html}");
    // The style is that of the public pages; a script that is not there is missing.
    assert!(html.contains("href=\"/portal.css\""), "{html}");
    assert_eq!(app.send("GET", "/portal/no-such.js", None, &[], None).await.status, 404);
    // Where the scripts were built, the one that keeps the page may keep that page alone.
    let worker = app.send("GET", "/portal/verify-sw.js", None, &[], None).await;
    if worker.status == 200 {
        assert_eq!(worker.headers["service-worker-allowed"], "/verify");
        assert_eq!(worker.headers["cache-control"], "no-cache");
    }
}
