//! The accept loop over real sockets. Every wait is bounded.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up should stop")]

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, extract::Request, http::StatusCode, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use yj_http::{Limits, Metrics, Stopping, Surroundings, serve, surround};

const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
    metrics: Metrics,
}

/// A line that says back what it hears, until the listener stops; one that is stubborn stays.
fn line(stubborn: bool, mut request: Request, mut stopping: Stopping) -> axum::response::Response {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut line = hyper_util::rt::TokioIo::new(upgraded.await.unwrap());
        let mut heard = [0; 64];
        loop {
            tokio::select! {
                count = line.read(&mut heard) => match count {
                    Ok(count) if count > 0 => line.write_all(&heard[..count]).await.unwrap(),
                    _ => return,
                },
                () = stopping.begun(), if !stubborn => {
                    line.write_all(b"bye").await.unwrap();
                    return line.shutdown().await.unwrap();
                }
            }
        }
    });
    axum::response::Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "echo")
        .body(axum::body::Body::empty())
        .unwrap()
}

async fn start(limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics::default();
    let (stop, stopped) = oneshot::channel();
    let router = Router::new()
        .route("/", get(|| async { "好" }).post(|body: String| async move { body }))
        .route("/never", get(std::future::pending::<&'static str>))
        .route(
            "/line",
            get(async |Extension(stopping): Extension<Stopping>, request: Request| {
                line(false, request, stopping)
            }),
        )
        .route(
            "/stubborn",
            get(async |Extension(stopping): Extension<Stopping>, request: Request| {
                line(true, request, stopping)
            }),
        )
        .route("/panic", get(|| async { if true { panic!("on purpose") } else { "" } }));
    let surroundings = Surroundings {
        limits: limits.clone(),
        metrics: metrics.clone(),
        random: Arc::new(|| 7),
        content_security_policy: "default-src 'none'",
    };
    let router = surround(router, surroundings);
    let settings = (limits, metrics.clone());
    let ended = tokio::spawn(async move {
        serve(listener, router, settings, async { drop(stopped.await) }).await
    });
    Server { address, stop, ended, metrics }
}

async fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

fn brief() -> Limits {
    Limits {
        header_deadline: Duration::from_millis(200),
        request_deadline: Duration::from_millis(200),
        drain: Duration::from_millis(100),
        farewell: Duration::from_secs(2),
        ..Limits::default()
    }
}

#[tokio::test]
async fn answers_carry_a_name_and_security_headers() {
    let server = start(Limits::default()).await;
    let answer = exchange(&server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let lower = answer.to_lowercase();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with('好'), "{answer}");
    for header in [
        "x-request-id: 00000000000000000000000000000007",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
    ] {
        assert!(lower.contains(header), "{header} in {answer}");
    }
    let named = exchange(
        &server,
        "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-12345\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(named.contains("abc-12345"));
    let forged = exchange(
        &server,
        "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\"b<c>1234\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(!forged.contains("a\"b<c>"));
    assert!(
        server
            .metrics
            .render()
            .contains("http_requests_total{method=\"GET\",route=\"/\",status=\"200\"} 3")
    );
}

#[tokio::test]
async fn a_client_that_never_finishes_its_header_is_let_go() {
    let server = start(brief()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the server closes").unwrap();
}

#[tokio::test]
async fn a_body_that_never_arrives_ends_in_a_timeout() {
    let server = start(brief()).await;
    let request =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\nabc";
    let answer = exchange(&server, request).await;
    assert!(
        answer.starts_with("HTTP/1.1 504") && answer.contains("\"code\":\"timeout\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_gets_a_clear_answer() {
    let server = start(brief()).await;
    let answer =
        exchange(&server, "GET /panic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("服务内部错误"), "{answer}");
    let answer =
        exchange(&server, "GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
}

#[tokio::test]
async fn too_many_header_lines_are_refused() {
    let server = start(Limits::default()).await;
    let many = (0..80).map(|number| format!("X-{number}: 1\r\n")).collect::<String>();
    let answer =
        exchange(&server, &format!("GET / HTTP/1.1\r\nHost: x\r\n{many}Connection: close\r\n\r\n"))
            .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn another_site_cannot_post_here() {
    let server = start(Limits::default()).await;
    for foreign in ["Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{foreign}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        assert!(exchange(&server, &request).await.starts_with("HTTP/1.1 403"), "{foreign}");
    }
    let own = "POST / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 1\r\nConnection: close\r\n\r\na";
    assert!(exchange(&server, own).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_busy_server_says_so_at_once() {
    let limits = Limits { in_flight_max: 1, ..Limits::default() };
    let server = start(limits).await;
    let mut hanging = TcpStream::connect(server.address).await.unwrap();
    hanging.write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    for _ in 0..200 {
        let answer =
            exchange(&server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        if answer.starts_with("HTTP/1.1 503") {
            assert!(answer.to_lowercase().contains("retry-after: 2"));
            return;
        }
    }
    panic!("the second request was never refused");
}

#[tokio::test]
async fn stopping_lets_open_requests_end() {
    let server = start(brief()).await;
    let mut open = TcpStream::connect(server.address).await.unwrap();
    open.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na").await.unwrap();
    exchange(&server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    server.stop.send(()).unwrap();
    open.write_all(b"bc").await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, open.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8(answer).unwrap().ends_with("abc"));
    timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
}

/// A connection that has become a line, after a word said and heard over it.
async fn open_line(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"hello");
    stream
}

fn connections(server: &Server) -> Option<String> {
    let text = server.metrics.render();
    text.lines().find_map(|line| line.strip_prefix("http_connections ")).map(String::from)
}

#[tokio::test]
async fn what_is_no_longer_http_keeps_its_place_and_says_goodbye() {
    // Longer than a request may take, and with room for one other.
    let server = start(Limits { connections_per_address_max: 2, ..brief() }).await;
    let mut line = open_line(&server, "/line").await;
    assert_eq!(connections(&server).as_deref(), Some("1"));
    let second = open_line(&server, "/line").await;
    assert_eq!(connections(&server).as_deref(), Some("2"));
    // A third of this address finds no place.
    let mut third = TcpStream::connect(server.address).await.unwrap();
    let _ = third.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut nothing = Vec::new();
    let _ = timeout(PATIENCE, third.read_to_end(&mut nothing)).await.unwrap();
    assert!(nothing.is_empty());
    drop(second);
    server.stop.send(()).unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, line.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, b"bye");
    timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    let open = server.metrics.render();
    assert!(open.lines().any(|line| line == "http_connections 0"), "{open}");
}

#[tokio::test]
async fn a_line_that_does_not_end_holds_up_the_stop_no_longer_than_the_farewell() {
    let server = start(Limits { farewell: Duration::from_millis(300), ..brief() }).await;
    let _line = open_line(&server, "/stubborn").await;
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn another_site_cannot_open_a_line_here() {
    let server = start(Limits::default()).await;
    for foreign in ["Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"] {
        let request = format!(
            "GET /line HTTP/1.1\r\nHost: x\r\n{foreign}\r\nConnection: upgrade, close\r\n\
             Upgrade: echo\r\n\r\n"
        );
        assert!(exchange(&server, &request).await.starts_with("HTTP/1.1 403"), "{foreign}");
    }
}
