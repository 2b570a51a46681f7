//! The accept loop over real sockets. Every wait is bounded.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up should stop")]

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use yj_http::{Limits, Metrics, Surroundings, serve, surround};

const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
    metrics: Metrics,
}

async fn start(limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics::default();
    let (stop, stopped) = oneshot::channel();
    let router = Router::new()
        .route("/", get(|| async { "好" }).post(|body: String| async move { body }))
        .route("/never", get(std::future::pending::<&'static str>))
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
