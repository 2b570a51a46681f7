//! G-8-2: whoever subscribes to a query is told of its events.

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use yj_crypto::sm3;

use crate::{
    epcis::{capture, document, events, observed},
    harness::TestApp,
};

pub type Heard = mpsc::UnboundedReceiver<(HeaderMap, String)>;

/// Somebody who listens at an address of this machine, and answers with these statuses in turn.
pub async fn listener(statuses: Vec<u16>) -> (String, Heard) {
    let (say, heard) = mpsc::unbounded_channel();
    let statuses = Arc::new(std::sync::Mutex::new(statuses));
    let hear = move |State(say): State<mpsc::UnboundedSender<(HeaderMap, String)>>,
                     headers: HeaderMap,
                     body: String| {
        let next = {
            let mut left = statuses.lock().unwrap();
            if left.is_empty() { 204 } else { left.remove(0) }
        };
        async move {
            say.send((headers, body)).unwrap();
            axum::http::StatusCode::from_u16(next).unwrap()
        }
    };
    let router = Router::new().route("/hook", post(hear)).with_state(say);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, heard)
}

async fn deliver(app: &TestApp) -> usize {
    yj_exchange::epcis::deliver(&app.assembled.app, &app.assembled.callbacks).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_subscriber_is_told_signed_and_until_it_has_heard() {
    let app = TestApp::start().await;
    let (dest, mut heard) = listener(vec![503]).await;
    let name = json!({ "name": "shipped", "query": { "EQ_bizStep": "shipping" } });
    app.post("enterprise", "/epcis/v2/queries", name).await.expect(201);
    capture(
        &app,
        "enterprise",
        &document(&[observed("urn:example:before", "urn:example:thing")]),
        "rollback",
    )
    .await
    .expect(202);
    let path = "/epcis/v2/queries/shipped/subscriptions";
    let made = app
        .post(
            "enterprise",
            path,
            json!({ "dest": dest, "signatureToken": "示例密令", "stream": true }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(!made.body.to_string().contains("示例密令"));
    assert_eq!(deliver(&app).await, 0, "nothing new");
    let mut other = observed("urn:example:other", "urn:example:thing");
    other["bizStep"] = json!("receiving");
    let sent = document(&[observed("urn:example:after", "urn:example:thing"), other]);
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    // Others' events are not told.
    capture(
        &app,
        "farm",
        &document(&[observed("urn:example:theirs", "urn:example:thing")]),
        "rollback",
    )
    .await
    .expect(202);
    assert_eq!(deliver(&app).await, 0, "the subscriber was busy");
    heard.recv().await.unwrap();
    assert_eq!(deliver(&app).await, 0, "not before its time");
    let shown = app.get("enterprise", path).await.expect(200);
    assert_eq!(shown[0]["tries"], 1);
    app.pass(SignedDuration::from_secs(5));
    assert_eq!(deliver(&app).await, 1);
    let (headers, body) = heard.recv().await.unwrap();
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((told["type"].as_str(), events(&told).len()), (Some("EPCISQueryDocument"), 1));
    assert_eq!(events(&told)[0]["eventID"], "urn:example:after");
    let results = &told["epcisBody"]["queryResults"];
    assert_eq!(
        (&results["queryName"], &results["subscriptionID"]),
        (&json!("shipped"), &made.body["subscriptionID"])
    );
    let signature = headers["gs1-signature"].to_str().unwrap();
    let part = |name: &str| signature.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
    let text = format!("{}.{body}", part("t="));
    assert_eq!(part("sm3="), sm3::hex(&sm3::hmac("示例密令".as_bytes(), text.as_bytes())));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice("示例密令".as_bytes()).unwrap();
    mac.update(text.as_bytes());
    assert_eq!(part("sha256="), yj_crypto::to_hex(&mac.finalize().into_bytes()));
    assert_eq!(deliver(&app).await, 0, "told once");
    let shown = app.get("enterprise", made.headers["location"].to_str().unwrap()).await.expect(200);
    assert!(shown["lastNotifiedAt"].is_string() && shown.get("lastError").is_none(), "{shown}");
    // Nobody else sees it; without the query there is no subscription.
    assert_eq!(app.get("farm", path).await.status, 404);
    assert_eq!(
        app.send("DELETE", "/epcis/v2/queries/shipped", Some("enterprise"), &[], None).await.status,
        204
    );
    capture(
        &app,
        "enterprise",
        &document(&[observed("urn:example:last", "urn:example:thing")]),
        "rollback",
    )
    .await
    .expect(202);
    assert_eq!(deliver(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_scheduled_query_reports_when_it_is_due() {
    let app = TestApp::start().await;
    let (dest, mut heard) = listener(Vec::new()).await;
    app.post("enterprise", "/epcis/v2/queries", json!({ "name": "daily", "query": {} }))
        .await
        .expect(201);
    let path = "/epcis/v2/queries/daily/subscriptions";
    let event = |id: &str| document(&[observed(id, "urn:example:thing")]);
    capture(&app, "enterprise", &event("urn:example:1"), "rollback").await.expect(202);
    for (wrong, kind) in [
        (json!({ "dest": "https://10.0.0.1/x", "stream": true }), "InvalidURIException"),
        (json!({ "dest": "http://example.com/x", "stream": true }), "InvalidURIException"),
        (json!({ "stream": true }), "InvalidURIException"),
        (json!({ "dest": dest }), "SubscriptionControlsException"),
        (
            json!({ "dest": dest, "stream": true, "schedule": { "hour": "1" } }),
            "SubscriptionControlsException",
        ),
        (
            json!({ "dest": dest, "schedule": { "dayOfMonth": "31", "month": "2" } }),
            "SubscriptionControlsException",
        ),
        (json!({ "dest": dest, "schedule": { "hour": "25" } }), "ValidationException"),
        (json!({ "dest": dest, "stream": "yes" }), "ValidationException"),
        (json!({ "dest": dest, "stream": true, "other": 1 }), "ValidationException"),
    ] {
        let refused = app.post("enterprise", path, wrong.clone()).await.expect(400);
        assert_eq!(refused["type"], json!(format!("epcisException:{kind}")), "{wrong}");
    }
    // It is noon; the report goes out at five past one.
    let asked = json!({ "dest": dest, "reportIfEmpty": true, "initialRecordTime": "2026-11-01T00:00:00Z", "schedule": { "hour": "13", "minute": "5" } });
    app.post("enterprise", path, asked).await.expect(201);
    assert_eq!(deliver(&app).await, 0);
    app.pass(SignedDuration::from_mins(66));
    assert_eq!(deliver(&app).await, 1);
    let (headers, body) = heard.recv().await.unwrap();
    assert!(!headers.contains_key("gs1-signature"));
    assert_eq!(
        events(&serde_json::from_str(&body).unwrap()).len(),
        1,
        "what was there before was asked for"
    );
    assert_eq!(deliver(&app).await, 0);
    app.pass(SignedDuration::from_hours(24));
    assert_eq!(deliver(&app).await, 1);
    let (_, body) = heard.recv().await.unwrap();
    assert!(events(&serde_json::from_str(&body).unwrap()).is_empty());
}

/// Somebody who takes calls and never answers them; says how many are waiting at once.
async fn stalled() -> (String, Arc<std::sync::atomic::AtomicUsize>, mpsc::UnboundedReceiver<usize>)
{
    use tokio::io::AsyncReadExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let most = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (say, heard) = mpsc::unbounded_channel();
    let (open, seen) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), Arc::clone(&most));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (open, seen, say) = (Arc::clone(&open), Arc::clone(&seen), say.clone());
            tokio::spawn(async move {
                let count = open.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                seen.fetch_max(count, std::sync::atomic::Ordering::SeqCst);
                let _ = say.send(count);
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
                open.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
    });
    (address, most, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g_8_2_a_receiver_that_never_answers_keeps_nobody_else_waiting() {
    let app = TestApp::start().await;
    let (slow, most, mut called) = stalled().await;
    let (quick, mut heard) = listener(Vec::new()).await;
    app.post("enterprise", "/epcis/v2/queries", json!({ "name": "all", "query": {} }))
        .await
        .expect(201);
    let path = "/epcis/v2/queries/all/subscriptions";
    for dest in [&slow, &slow, &slow, &quick] {
        app.post("enterprise", path, json!({ "dest": dest, "stream": true })).await.expect(201);
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let callbacks = app.assembled.callbacks.clone();
    let watching =
        tokio::spawn(yj_exchange::epcis::watch(app.assembled.app.clone(), callbacks, stopped));
    let begun = std::time::Instant::now();
    let patience = std::time::Duration::from_secs(8);
    for number in 1..=2 {
        let sent = document(&[observed(&format!("urn:example:{number}"), "urn:example:thing")]);
        capture(&app, "enterprise", &sent, "rollback").await.expect(202);
        let (_, body) = tokio::time::timeout(patience, heard.recv()).await.unwrap().unwrap();
        assert!(body.contains(&format!("urn:example:{number}")), "{body}");
    }
    assert!(
        begun.elapsed() < patience,
        "{:?}: the other had not been given up yet",
        begun.elapsed()
    );
    // The slow one is told one message after the other, however many there are for it.
    called.recv().await.unwrap();
    assert_eq!(most.load(std::sync::atomic::Ordering::SeqCst), 1);
    stop.send(true).unwrap();
    watching.await.unwrap();
}
