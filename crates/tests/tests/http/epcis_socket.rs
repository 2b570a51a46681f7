//! G-8-2: subscriptions over a WebSocket, with a client of their own over a real listener. Every
//! wait is bounded.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{interval, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use yj_exchange::epcis::SocketLimits;
use yj_http::Limits;

use crate::{
    epcis::{capture, document, events, observed},
    harness::TestApp,
};

/// Bounds under which nothing takes long.
pub fn brisk() -> SocketLimits {
    SocketLimits {
        open_max: 3,
        open_per_user_max: 2,
        look: Duration::from_millis(50),
        recheck: Duration::from_millis(200),
        ping: Duration::from_millis(500),
        unanswered_max: 8,
        send: Duration::from_secs(2),
        life: Duration::from_hours(12),
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The platform behind a listener of its own.
struct Server {
    address: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn serve(app: &TestApp) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (router, metrics) = (app.assembled.router.clone(), app.assembled.metrics.clone());
    let (stop, stopped) = oneshot::channel();
    let limits = Limits {
        drain: Duration::from_millis(200),
        farewell: Duration::from_secs(5),
        ..Limits::default()
    };
    let ended = tokio::spawn(async move {
        yj_http::serve(listener, router, (limits, metrics), async { drop(stopped.await) }).await
    });
    Server { address, stop, ended }
}

/// What a user shows: a client its token, a person the cookie.
fn shown(app: &TestApp, user: &str) -> (&'static str, String) {
    match app.tokens.get(user) {
        Some(token) => ("authorization", format!("Bearer {token}")),
        None => ("cookie", app.session(user).cookie.clone()),
    }
}

/// Opens a socket, or says with which status it was refused.
async fn open(
    server: &Server,
    path: &str,
    headers: &[(&'static str, String)],
) -> Result<Line, (u16, Value)> {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match timeout(PATIENCE, connect_async(request)).await.unwrap() {
        Ok((line, answer)) => {
            assert_eq!(answer.headers()["gs1-epcis-version"], "2.0");
            assert!(answer.headers().get("sec-websocket-extensions").is_none());
            Ok(line)
        }
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err((answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default()))
        }
        Err(other) => panic!("{other}"),
    }
}

/// Opens a socket as a page of this site does, or a client with its token.
async fn opened(app: &TestApp, server: &Server, user: &str, path: &str) -> Line {
    let own = ("origin", format!("http://{}", server.address));
    open(server, path, &[shown(app, user), own]).await.unwrap()
}

/// The next document told. The whole wait is bounded: that the other end is there is no news.
async fn told(line: &mut Line) -> Value {
    let next = async {
        loop {
            match line.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, next).await.unwrap()
}

/// How a line ends without another word, goodbye said on both sides.
async fn end(line: &mut Line) -> Option<CloseFrame> {
    let last = async {
        loop {
            match line.next().await {
                Some(Ok(Message::Close(frame))) => {
                    while let Some(Ok(_)) = line.next().await {}
                    return frame;
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                None | Some(Err(_)) => return None,
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, last).await.unwrap()
}

fn code(frame: Option<&CloseFrame>) -> Option<CloseCode> {
    frame.map(|frame| frame.code)
}

/// Waits until a statement counts so many.
async fn until(app: &TestApp, sql: &'static str, count: i64) {
    let mut pace = interval(Duration::from_millis(50));
    let all = async {
        while app.count(sql).await != count {
            pace.tick().await;
        }
    };
    timeout(PATIENCE, all).await.unwrap();
}

const CLOSED: &str =
    "SELECT COUNT(*) FROM audit_log WHERE entity = 'epcis_socket' AND action = 'closed'";

/// How the sockets that have ended ended.
async fn reasons(app: &TestApp) -> Vec<Value> {
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    let sql = "SELECT body FROM audit_log WHERE entity = 'epcis_socket' AND action = 'closed' \
               ORDER BY id";
    let rows = tx.fetch(yj_kernel::Sql::new(sql)).await.unwrap();
    rows.iter().map(|row| row.json(0).unwrap()).collect()
}

async fn named(app: &TestApp, user: &str, query: Value) {
    let body = json!({ "name": "shipped", "query": query });
    app.post(user, "/epcis/v2/queries", body).await.expect(201);
}

async fn taken(app: &TestApp, user: &str, all: &[Value]) {
    capture(app, user, &document(all), "rollback").await.expect(202);
}

const STREAM: &str = "/epcis/v2/queries/shipped/events?stream=true";

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_socket_tells_what_a_webhook_tells() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({ "EQ_bizStep": "shipping" })).await;
    taken(&app, "enterprise", &[observed("urn:example:before", "urn:example:thing")]).await;
    let (dest, mut heard) = crate::epcis_subscription::listener(Vec::new()).await;
    let hook = json!({ "dest": dest, "stream": true });
    app.post("enterprise", "/epcis/v2/queries/shipped/subscriptions", hook).await.expect(201);
    let mut line = opened(&app, &server, "enterprise", STREAM).await;
    let since = format!("{STREAM}&initialRecordTime=2026-11-01T00:00:00Z");
    let mut past = opened(&app, &server, "enterprise", &since).await;
    assert_eq!(events(&told(&mut past).await)[0]["eventID"], "urn:example:before");
    let mut other = observed("urn:example:other", "urn:example:thing");
    other["bizStep"] = json!("receiving");
    taken(&app, "farm", &[observed("urn:example:theirs", "urn:example:thing")]).await;
    taken(&app, "enterprise", &[observed("urn:example:after", "urn:example:thing"), other.clone()])
        .await;
    yj_exchange::epcis::deliver(&app.assembled.app, &app.assembled.callbacks).await.unwrap();
    let (_, hooked) = timeout(PATIENCE, heard.recv()).await.unwrap().unwrap();
    let mut hooked: Value = serde_json::from_str(&hooked).unwrap();
    for line in [&mut line, &mut past] {
        let mut said = told(line).await;
        assert_eq!(events(&said).len(), 1, "{said}");
        // They differ in the name of the subscription alone.
        for one in [&mut said, &mut hooked] {
            let results = one["epcisBody"]["queryResults"].as_object_mut().unwrap();
            results.insert(String::from("subscriptionID"), Value::Null);
        }
        assert_eq!(said, hooked);
    }
    // Nothing is told twice.
    taken(&app, "enterprise", &[observed("urn:example:last", "urn:example:thing")]).await;
    assert_eq!(events(&told(&mut line).await)[0]["eventID"], "urn:example:last");
    line.close(None).await.unwrap();
    assert!(timeout(PATIENCE, line.next()).await.is_ok());
    until(&app, CLOSED, 1).await;
    let reasons = reasons(&app).await;
    assert_eq!(reasons, [json!({ "query": "shipped", "events": 2, "reason": "gone" })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_scheduled_socket_reports_when_it_is_due() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({})).await;
    let path = "/epcis/v2/queries/shipped/events?minute=5,10,15";
    let mut line = opened(&app, &server, "enterprise", &format!("{path}&reportIfEmpty=true")).await;
    let mut silent = opened(&app, &server, "enterprise", path).await;
    taken(&app, "enterprise", &[observed("urn:example:1", "urn:example:thing")]).await;
    app.pass(SignedDuration::from_mins(5));
    for line in [&mut line, &mut silent] {
        assert_eq!(events(&told(line).await)[0]["eventID"], "urn:example:1");
    }
    // Five minutes later there is nothing: told to whoever asked to be told even so.
    app.pass(SignedDuration::from_mins(5));
    assert_eq!(events(&told(&mut line).await).len(), 0);
    taken(&app, "enterprise", &[observed("urn:example:2", "urn:example:thing")]).await;
    app.pass(SignedDuration::from_mins(5));
    for line in [&mut line, &mut silent] {
        assert_eq!(events(&told(line).await)[0]["eventID"], "urn:example:2");
    }
    // A session that nobody has used for so long has ended, whatever is open under it.
    app.pass(SignedDuration::from_hours(9));
    assert_eq!(code(end(&mut silent).await.as_ref()), Some(CloseCode::Policy));
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_socket_is_opened_by_whoever_may_and_from_this_site() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({})).await;
    named(&app, "gateway", json!({})).await;
    let cookie = shown(&app, "enterprise");
    let own = ("origin", format!("http://{}", server.address));
    let status =
        async |path: &str, headers: &[(&'static str, String)]| match open(&server, path, headers)
            .await
        {
            Ok(_) => 101,
            Err((status, _)) => status,
        };
    for (headers, expected) in [
        (vec![], 401),
        (vec![("authorization", String::from("Bearer none"))], 401),
        (vec![cookie.clone()], 403),
        (vec![cookie.clone(), ("origin", String::from("https://elsewhere.example"))], 403),
        (vec![cookie.clone(), ("origin", String::from("null"))], 403),
        (vec![cookie.clone(), own.clone(), ("sec-fetch-site", String::from("cross-site"))], 403),
        (vec![shown(&app, "auditor"), own.clone()], 403),
        (vec![shown(&app, "farm"), own.clone()], 404),
        (vec![shown(&app, "gateway")], 101),
        (vec![cookie.clone(), own.clone()], 101),
    ] {
        assert_eq!(status(STREAM, &headers).await, expected, "{headers:?}");
    }
    for (query, expected) in [
        ("", "SubscriptionControlsException"),
        ("stream=true&minute=5", "SubscriptionControlsException"),
        ("month=2&dayOfMonth=30", "SubscriptionControlsException"),
        ("minute=60", "QueryParameterException"),
        ("stream=maybe", "QueryParameterException"),
        ("stream=true&perPage=5", "QueryParameterException"),
        ("stream=true&initialRecordTime=yesterday", "QueryParameterException"),
    ] {
        let path = format!("/epcis/v2/queries/shipped/events?{query}");
        let refused = open(&server, &path, &[cookie.clone(), own.clone()]).await;
        let Err((status, body)) = refused else { panic!("{query}") };
        assert_eq!((status, &body["type"]), (400, &json!(format!("epcisException:{expected}"))));
    }
    // What is no handshake is refused; without one there is a page, which has no such parameters.
    let half = [("upgrade", "websocket"), ("origin", "http://test")];
    let half = app.send("GET", STREAM, Some("enterprise"), &half, None).await;
    assert_eq!(half.status, 400, "{}", half.body);
    assert_eq!(app.get("enterprise", STREAM).await.status, 400);
    // So many at once of one user, and so many of all; those that end make room.
    until(&app, CLOSED, 2).await;
    let mut lines = Vec::new();
    for _ in 0..2 {
        lines.push(opened(&app, &server, "enterprise", STREAM).await);
    }
    assert_eq!(status(STREAM, &[cookie.clone(), own.clone()]).await, 429);
    lines.push(opened(&app, &server, "gateway", STREAM).await);
    assert_eq!(status(STREAM, &[shown(&app, "gateway")]).await, 503);
    let text = app.assembled.metrics.render();
    assert!(text.lines().any(|line| line == "epcis_sockets 3"), "{text}");
    drop(lines);
    until(&app, CLOSED, 5).await;
    assert_eq!(status(STREAM, &[cookie, own]).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_socket_closes_when_who_opened_it_is_let_in_no_longer() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    for user in ["enterprise", "gateway", "supervisor"] {
        named(&app, user, json!({})).await;
    }
    let mut session = opened(&app, &server, "enterprise", STREAM).await;
    let mut client = opened(&app, &server, "gateway", STREAM).await;
    // A session that is ended.
    let own = app.get("enterprise", "/api/v1/me/sessions").await.expect(200);
    let own = format!("/api/v1/sessions/{}", own["items"][0]["id"].as_str().unwrap());
    app.send("DELETE", &own, Some("secadmin"), &[], None).await.expect(204);
    let frame = end(&mut session).await;
    assert_eq!(code(frame.as_ref()), Some(CloseCode::Policy));
    assert!(frame.unwrap().reason.contains("失效"));
    // A client that is revoked; what is captured meanwhile it does not hear of.
    let found = app.get("sysadmin", "/api/v1/client?client_id=gateway").await.expect(200);
    let one = format!("/api/v1/client/{}/revoke", found["items"][0]["id"].as_str().unwrap());
    app.post("sysadmin", &one, json!({})).await.expect(204);
    assert_eq!(code(end(&mut client).await.as_ref()), Some(CloseCode::Policy));
    until(&app, CLOSED, 2).await;
    // A user who is locked, and a query that is forgotten.
    let mut locked = opened(&app, &server, "supervisor", STREAM).await;
    let all = app.get("secadmin", "/api/v1/account?user_name=supervisor").await.expect(200);
    let lock = format!("/api/v1/account/{}/lock", all["items"][0]["id"].as_str().unwrap());
    app.post("secadmin", &lock, json!({ "reason": "示例" })).await.expect(200);
    assert_eq!(code(end(&mut locked).await.as_ref()), Some(CloseCode::Policy));
    named(&app, "farm", json!({})).await;
    let mut orphan = opened(&app, &server, "farm", STREAM).await;
    app.send("DELETE", "/epcis/v2/queries/shipped", Some("farm"), &[], None).await.expect(204);
    let frame = end(&mut orphan).await;
    assert!(frame.is_some_and(|frame| frame.reason.contains("查询")));
    until(&app, CLOSED, 4).await;
    let why: Vec<_> = reasons(&app).await.iter().map(|body| body["reason"].clone()).collect();
    assert_eq!(why, ["refused", "refused", "refused", "no_query"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_a_socket_hears_nothing_but_that_the_other_end_is_there() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({})).await;
    let mut line = opened(&app, &server, "enterprise", STREAM).await;
    // Asked whether it is there, it is asked likewise.
    line.send(Message::Ping("are you".into())).await.unwrap();
    let (mut asked, mut answered) = (false, false);
    let both = async {
        while !(asked && answered) {
            match line.next().await.unwrap().unwrap() {
                Message::Ping(_) => asked = true,
                Message::Pong(bytes) => answered |= bytes == "are you",
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, both).await.unwrap();
    line.send(Message::text("EQ_bizStep=receiving")).await.unwrap();
    assert_eq!(code(end(&mut line).await.as_ref()), Some(CloseCode::Unsupported));
    let mut loud = opened(&app, &server, "enterprise", STREAM).await;
    let _ = timeout(PATIENCE, loud.send(Message::binary(vec![0_u8; 1 << 20]))).await.unwrap();
    let _ = end(&mut loud).await;
    let mut busy = opened(&app, &server, "enterprise", STREAM).await;
    let many = async {
        for _ in 0..5_000 {
            if busy.send(Message::Ping("".into())).await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, many).await.unwrap();
    let _ = end(&mut busy).await;
    until(&app, CLOSED, 3).await;
    let why: Vec<_> = reasons(&app).await.iter().map(|body| body["reason"].clone()).collect();
    assert_eq!(why, ["spoke", "broken", "spoke"]);
    // Who never answers is gone.
    let mut mute = handshake(&app, &server, TcpSocket::new_v4().unwrap()).await;
    until(&app, CLOSED, 4).await;
    assert_eq!(reasons(&app).await[3]["reason"], "silent");
    let mut rest = Vec::new();
    timeout(PATIENCE, mute.read_to_end(&mut rest)).await.unwrap().unwrap();
}

/// A socket whose other end does nothing of itself.
async fn handshake(app: &TestApp, server: &Server, socket: TcpSocket) -> TcpStream {
    let mut stream = socket.connect(server.address.parse().unwrap()).await.unwrap();
    let (name, value) = shown(app, "enterprise");
    let address = &server.address;
    let request = format!(
        "GET {STREAM} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{name}: {value}\r\n\
         Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_who_reads_too_slowly_is_let_go() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({})).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut slow = handshake(&app, &server, socket).await;
    // More than the buffers of both ends hold.
    let long: Vec<Value> = (0..12)
        .map(|number| {
            let mut event = observed(&format!("urn:example:{number}"), "urn:example:thing");
            event["ex:note"] = json!("长".repeat(300_000));
            event
        })
        .collect();
    for one in long.chunks(1) {
        let body = document(one).to_string().into_bytes();
        let headers = [("gs1-capture-error-behaviour", "rollback")];
        let answer =
            app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, Some(body)).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        if answer.headers.contains_key("location") {
            app.run_jobs().await;
        }
    }
    until(&app, CLOSED, 1).await;
    assert_eq!(reasons(&app).await[0]["reason"], "slow");
    let mut rest = Vec::new();
    // What was under way arrives, and then nothing more.
    let _ = timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < 11_000_000, "{}", rest.len());
    let text = app.assembled.metrics.render();
    assert!(text.lines().any(|line| line == "epcis_sockets 0"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn g_8_2_open_sockets_do_not_hold_up_the_stop() {
    let app = TestApp::start().await;
    let server = serve(&app).await;
    named(&app, "enterprise", json!({})).await;
    let mut line = opened(&app, &server, "enterprise", STREAM).await;
    let _mute = handshake(&app, &server, TcpSocket::new_v4().unwrap()).await;
    server.stop.send(()).unwrap();
    let frame = end(&mut line).await;
    assert_eq!(code(frame.as_ref()), Some(CloseCode::Away));
    timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    until(&app, CLOSED, 2).await;
}
