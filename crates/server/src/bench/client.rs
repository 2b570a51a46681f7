//! Requests through the whole interface (routes, identity, limits, JSON), without the network.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use serde_json::Value;
use tower::ServiceExt as _;
use yj_server::{Assembled, demo};

use crate::commands::{say, write_private};

/// More than any answer here has.
const ANSWER_MAX: usize = 16 << 20;

/// Somebody who is logged in.
#[derive(Clone)]
pub(super) struct Client {
    assembled: Assembled,
    token: String,
}

impl Client {
    /// As the client that an earlier measurement in this folder made, or as a new one.
    pub(super) async fn log_in(assembled: &Assembled, folder: &Path) -> Result<Self, String> {
        let kept = folder.join("client.secret");
        let secret = if let Ok(secret) = std::fs::read_to_string(&kept) {
            secret
        } else {
            let accounts = demo::create_accounts(assembled).await.map_err(say)?;
            let found = accounts.iter().find(|account| account.user == "gateway");
            let secret = &found.ok_or("没有对接账号")?.password;
            write_private(&kept, secret)?;
            secret.clone()
        };
        let mut client = Self { assembled: assembled.clone(), token: String::new() };
        let form =
            format!("grant_type=client_credentials&client_id=gateway&client_secret={secret}");
        let request = Request::post("/oauth/token").body(Body::from(form));
        let answer = client.send(request).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        client.token = String::from(answer["access_token"].as_str().ok_or("登录失败")?);
        Ok(client)
    }

    /// What says who it is.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        let answer = self.send(request).await?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    /// Sends a file as it comes.
    pub(super) async fn upload(&self, path: &str, file: Body) -> Result<Value, String> {
        let request =
            Request::post(path).header(header::CONTENT_TYPE, "application/octet-stream").body(file);
        let answer = self.send(request).await?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        self.send(Request::get(path).body(Body::empty())).await
    }

    async fn send(
        &self,
        request: Result<Request<Body>, axum::http::Error>,
    ) -> Result<Vec<u8>, String> {
        let mut request = request.map_err(|error| error.to_string())?;
        let bearer = format!("Bearer {}", self.token);
        let bearer = bearer.parse().map_err(|_| String::from("令牌无法作为请求头"))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let Ok(response) = self.assembled.router.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), ANSWER_MAX).await;
        let bytes = Vec::from(bytes.map_err(|error| error.to_string())?);
        if status.is_success() {
            return Ok(bytes);
        }
        Err(format!("{status}：{}", String::from_utf8_lossy(&bytes)))
    }
}

/// Runs `work` for every number of `clients` × `each`, each client in order; returns how long each
/// piece and how long all took.
pub(super) async fn crowd<F, W>(
    (clients, each): (usize, usize),
    work: F,
) -> Result<(Vec<Duration>, Duration), String>
where
    F: Fn(usize) -> W + Clone + Send + 'static,
    W: Future<Output = Result<(), String>> + Send,
{
    let begun = Instant::now();
    let mut running = Vec::new();
    for client in 0..clients {
        let work = work.clone();
        running.push(tokio::spawn(async move {
            let mut times = Vec::with_capacity(each);
            for number in client * each..(client + 1) * each {
                let begun = Instant::now();
                work(number).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, String>(times)
        }));
    }
    let mut times = Vec::new();
    for client in running {
        times.extend(client.await.map_err(|error| error.to_string())??);
    }
    Ok((times, begun.elapsed()))
}
