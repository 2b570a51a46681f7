//! A platform of its own for every test: own database, own clock, own chance.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use yj_http::Limits;
use yj_kernel::{Db, Environment, Fuse, Platform};
use yj_server::{Assembled, Parts, assemble, demo};

/// A clock that stands still and chance that repeats itself.
pub struct TestEnvironment {
    now: Mutex<Timestamp>,
    chance: AtomicU64,
}

impl Environment for TestEnvironment {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn random(&self) -> u128 {
        let step = |offset: u64| {
            let seed =
                self.chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).wrapping_add(offset);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            u128::from((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB))
        };
        (step(1) << 64) | step(2)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The answer's body, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A running platform.
pub struct TestApp {
    pub assembled: Assembled,
    /// Makes statements fail.
    pub fuse: Fuse,
    database: String,
    /// Lives as long as the platform.
    _folder: TempDir,
    tokens: BTreeMap<&'static str, String>,
    passwords: BTreeMap<&'static str, String>,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// An empty database: a file, or a schema of its own on the server named in `YJ_TEST_POSTGRES`.
pub async fn fresh_database(folder: &Path) -> String {
    let Ok(server) = std::env::var("YJ_TEST_POSTGRES") else {
        return format!("sqlite:{}", folder.join("test.sqlite").display());
    };
    let schema = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let (client, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let mark = if server.contains('?') { '&' } else { '?' };
    format!("{server}{mark}options=-csearch_path%3D{schema}")
}

pub fn platform() -> Platform {
    Platform {
        name: String::from("示例平台"),
        operator: String::from("示例机构"),
        profile: String::from("gbt38157"),
        public_url: String::from("http://127.0.0.1"),
    }
}

pub async fn assembled(db: Db, folder: &Path, environment: Arc<TestEnvironment>) -> Assembled {
    let (data, platform, limits) = (folder.to_path_buf(), platform(), Limits::default());
    assemble(Parts { db, environment, data, platform, limits }).await.unwrap()
}

impl TestApp {
    /// A platform with the golden chains, GC-1 beginning on 2026-11-01.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-11-19T12:00:00+08:00".parse().unwrap();
        let environment =
            Arc::new(TestEnvironment { now: Mutex::new(now), chance: AtomicU64::new(1) });
        let database = fresh_database(folder.path()).await;
        let (db, fuse) = Db::open(&database).unwrap().fused();
        let assembled = assembled(db, folder.path(), environment).await;
        demo::load(&assembled, demo::Size::Golden, &mut |_| {}).await.unwrap();
        let accounts = demo::create_accounts(&assembled.app).await.unwrap();
        let mut app = Self {
            assembled,
            fuse,
            database,
            _folder: folder,
            tokens: BTreeMap::new(),
            passwords: BTreeMap::new(),
        };
        for account in accounts {
            let body = json!({ "user": account.user, "password": account.password });
            let answer =
                app.send("POST", "/api/v1/token", None, &[], Some(body.to_string().into())).await;
            let token = String::from(answer.expect(200)["token"].as_str().unwrap());
            app.tokens.insert(account.user, token);
            app.passwords.insert(account.user, account.password);
        }
        app
    }

    /// What to log in with.
    pub fn password(&self, user: &'static str) -> (&'static str, &str) {
        (user, &self.passwords[user])
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        user: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "test");
        if let Some(user) = user {
            request = request.header("authorization", format!("Bearer {}", self.tokens[user]));
        }
        if !headers.iter().any(|(name, _)| *name == "content-type") && body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        let response = self.assembled.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, body, bytes }
    }

    pub async fn get(&self, user: &str, path: &str) -> Answer {
        self.send("GET", path, Some(user), &[], None).await
    }

    pub async fn post(&self, user: &str, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(user), &[], Some(body.to_string().into())).await
    }

    /// Changes a record that was read at `version`.
    pub async fn change(
        &self,
        user: &str,
        (method, path): (&str, &str),
        version: i64,
        body: Value,
    ) -> Answer {
        let version = format!("\"{version}\"");
        self.send(
            method,
            path,
            Some(user),
            &[("if-match", &version)],
            Some(body.to_string().into()),
        )
        .await
    }

    /// Uploads a file and waits for the job that reads it.
    pub async fn import(&self, user: &str, path: &str, file: Vec<u8>) -> Value {
        let kind = [("content-type", "application/octet-stream")];
        let queued = self.send("POST", path, Some(user), &kind, Some(file)).await.expect(202);
        self.run_jobs().await;
        self.get(user, &format!("/api/v1/jobs/{}", queued["job"].as_str().unwrap()))
            .await
            .expect(200)
    }

    /// Runs background jobs until none waits.
    pub async fn run_jobs(&self) {
        for _ in 0..100 {
            if !yj_kernel::jobs::run_next(&self.assembled.app).await.unwrap() {
                return;
            }
        }
        panic!("jobs without end");
    }

    /// Anchors everything that waits.
    pub async fn anchor(&self) {
        self.assembled.ledger.drain(&self.assembled.app).await.unwrap();
    }

    /// Changes the database behind the platform's back.
    pub async fn tamper(&self, sql: &str) {
        if let Some(file) = self.database.strip_prefix("sqlite:") {
            let connection = rusqlite::Connection::open(file).unwrap();
            assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        } else {
            let (client, connection) =
                tokio_postgres::connect(&self.database, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            assert!(client.execute(sql, &[]).await.unwrap() > 0, "{sql}");
            drop(client);
            connection.await.unwrap().unwrap();
        }
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.assembled.app.db().snapshot().await.unwrap();
        let rows = tx.fetch(yj_kernel::Sql::new(sql)).await.unwrap();
        rows[0].int(0).unwrap()
    }

    /// The code of a demonstration subject.
    pub async fn subject(&self, name: &str) -> Value {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = self
            .get("supervisor", &format!("/api/v1/trace_subject?name={encoded}"))
            .await
            .expect(200);
        found["items"][0].clone()
    }
}

/// A harvest that the platform accepts.
pub fn harvest(subject: &Value, code: &str) -> Value {
    json!({
        "domain": "agri", "type": "harvest", "subject": subject["code"], "event_time": "2026-11-10T08:00:00+08:00",
        "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
        "attributes": { "plot": "示例地块" },
    })
}
