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
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use yj_exchange::epcis::Callbacks;
use yj_http::Limits;
use yj_identity::{Security, SingleSignOn};
use yj_kernel::{Db, Environment, Fuse, Platform};
use yj_server::{Assembled, Embedders, Module, Parts, assemble, demo};

use crate::{database::Database, template::Template};

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

/// When every test begins.
const NOW: &str = "2026-11-19T12:00:00+08:00";

impl TestEnvironment {
    /// Another that goes on from where this one stands, when tests begin.
    pub fn copy(&self) -> Self {
        let now = NOW.parse().unwrap();
        Self { now: Mutex::new(now), chance: AtomicU64::new(self.chance.load(Ordering::SeqCst)) }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
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

/// A live session: the cookie, and the word that goes with every change.
#[derive(Debug, Clone)]
pub struct Session {
    pub cookie: String,
    pub csrf: String,
}

/// A running platform.
pub struct TestApp {
    pub assembled: Assembled,
    /// Makes statements fail.
    pub fuse: Fuse,
    pub clock: Arc<TestEnvironment>,
    pub database: Database,
    /// Lives as long as the platform.
    pub folder: TempDir,
    pub sessions: BTreeMap<String, Session>,
    pub tokens: BTreeMap<String, String>,
    pub passwords: BTreeMap<&'static str, String>,
}

pub fn platform() -> Platform {
    Platform {
        name: String::from("示例平台"),
        operator: String::from("示例机构"),
        profile: String::from("gbt38157"),
        public_url: String::from("http://127.0.0.1"),
    }
}

async fn assembled_with(
    (db, folder): (Db, &Path),
    environment: Arc<TestEnvironment>,
    (platform, security, single_sign_on): (Platform, Security, SingleSignOn),
    without: &[Module],
) -> Assembled {
    let (data, limits) = (folder.to_path_buf(), Limits::default());
    let root_key = None;
    let without = without.to_vec();
    let parts = Parts {
        db,
        environment,
        data,
        platform,
        limits,
        security,
        single_sign_on,
        root_key,
        without,
        // Subscribers of the tests listen on this machine.
        callbacks: Callbacks { allowed_hosts: vec![String::from("127.0.0.1")] },
        sockets: crate::epcis_socket::brisk(),
        embedders: Embedders::parse(&[String::from("https://shop.example.cn")]).unwrap(),
    };
    assemble(parts).await.unwrap()
}

impl TestApp {
    /// A platform with the golden chains, GC-1 beginning on 2026-11-01.
    pub async fn start() -> Self {
        Template::get().await.app().await
    }

    /// The same under other security settings; then those who need a second factor have none yet.
    pub async fn start_under(security: Security) -> Self {
        Self::build(security, NOW.parse().unwrap()).await
    }

    pub(crate) async fn build(security: Security, now: Timestamp) -> Self {
        let guard = (platform(), security, SingleSignOn::default());
        let mut app = Self::with(guard, now).await;
        demo::load(&app.assembled, demo::Size::Golden, &mut |_| {}).await.unwrap();
        for account in demo::create_accounts(&app.assembled).await.unwrap() {
            if account.role == "client" {
                app.fetch_token(account.user, &account.password).await;
            } else {
                app.log_in(account.user, &account.password).await;
            }
            app.passwords.insert(account.user, account.password);
        }
        app
    }

    /// A demonstration platform that is reached at an address, under an identity provider.
    pub async fn start_at(address: &str, single_sign_on: SingleSignOn) -> Self {
        let platform = Platform { public_url: String::from(address), ..platform() };
        let guard = (platform, Security::demonstration(), single_sign_on);
        let mut app = Self::with(guard, NOW.parse().unwrap()).await;
        demo::load(&app.assembled, demo::Size::Golden, &mut |_| {}).await.unwrap();
        for account in demo::create_accounts(&app.assembled).await.unwrap() {
            if account.role != "client" {
                app.log_in(account.user, &account.password).await;
            }
        }
        app
    }

    /// An empty platform.
    pub async fn bare(security: Security) -> Self {
        let guard = (platform(), security, SingleSignOn::default());
        Self::with(guard, NOW.parse().unwrap()).await
    }

    async fn with(guard: (Platform, Security, SingleSignOn), now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = TestEnvironment { now: Mutex::new(now), chance: AtomicU64::new(1) };
        let database = Database::fresh(folder.path()).await;
        Self::on((folder, database), environment, guard).await
    }

    /// On a folder and a database, whatever they hold.
    pub(crate) async fn on(
        (folder, database): (TempDir, Database),
        environment: TestEnvironment,
        guard: (Platform, Security, SingleSignOn),
    ) -> Self {
        let environment = Arc::new(environment);
        let (db, fuse) = Db::open(&database.url).unwrap().fused();
        let clock = Arc::clone(&environment);
        let assembled = assembled_with((db, folder.path()), environment, guard, &[]).await;
        Self {
            assembled,
            clock,
            fuse,
            database,
            folder,
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            passwords: BTreeMap::new(),
        }
    }

    /// Ends the process and starts it again on the same database and folder, with the sessions as
    /// they were.
    pub async fn restart(&mut self) {
        self.restart_without(&[]).await;
    }

    /// The same with some modules off.
    pub async fn restart_without(&mut self, off: &[Module]) {
        self.restart_after(off, |_| {}).await;
    }

    /// The same, with something done to the folder while nobody runs.
    pub async fn restart_after(&mut self, off: &[Module], meanwhile: impl FnOnce(&Path)) {
        let guard = (platform(), Security::demonstration(), SingleSignOn::default());
        let folder = tempfile::tempdir().unwrap();
        let (db, _) =
            Db::open(&format!("sqlite:{}", folder.path().join("none").display())).unwrap().fused();
        // The ledger's file is locked by the one that runs.
        let empty = (db, folder.path());
        let other = assembled_with(empty, Arc::clone(&self.clock), guard.clone(), off).await;
        drop(std::mem::replace(&mut self.assembled, other));
        meanwhile(self.folder.path());
        let (db, fuse) = Db::open(&self.database.url).unwrap().fused();
        self.fuse = fuse;
        let own = (db, self.folder.path());
        self.assembled = assembled_with(own, Arc::clone(&self.clock), guard, off).await;
    }

    /// Lets time pass.
    pub fn pass(&self, span: SignedDuration) {
        let mut now = self.clock.now.lock().unwrap();
        *now += span;
    }

    /// The test's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Fetches an access token for a client and keeps it under the client's name.
    pub async fn fetch_token(&mut self, client: &str, secret: &str) {
        let form =
            format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send("POST", "/oauth/token", None, &kind, Some(form.into())).await;
        let token = String::from(answer.expect(200)["access_token"].as_str().unwrap());
        self.tokens.insert(String::from(client), token);
    }

    /// Logs in and keeps the session under the user's name.
    pub async fn log_in(&mut self, user: &str, password: &str) -> Value {
        let (session, body) = self.enter(user, password).await;
        self.sessions.insert(String::from(user), session.unwrap());
        body
    }

    /// Logs in; the answer whatever it is.
    pub async fn enter(&self, user: &str, password: &str) -> (Option<Session>, Value) {
        let body = json!({ "user": user, "password": password });
        self.open_session("/api/v1/session", None, body).await
    }

    /// A request whose answer brings a session.
    pub async fn open_session(
        &self,
        path: &str,
        before: Option<&Session>,
        body: Value,
    ) -> (Option<Session>, Value) {
        let mut request =
            Request::post(path).header("host", "test").header("content-type", "application/json");
        if let Some(before) = before {
            request = request.header("cookie", &before.cookie).header("x-csrf", &before.csrf);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.assembled.router.clone().oneshot(request).await.unwrap();
        let cookie = response
            .headers()
            .get("set-cookie")
            .map(|value| String::from(value.to_str().unwrap().split(';').next().unwrap()));
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let session = cookie.map(|cookie| Session {
            cookie,
            csrf: String::from(body["csrf"].as_str().unwrap_or_default()),
        });
        body["http_status"] = json!(status);
        (session, body)
    }

    /// Keeps a session under a name.
    pub fn keep(&mut self, user: &str, session: Session) {
        self.sessions.insert(String::from(user), session);
    }

    /// The session of a user.
    pub fn session(&self, user: &str) -> &Session {
        &self.sessions[user]
    }

    /// The password of a demonstration account.
    pub fn password_of(&self, user: &str) -> &str {
        &self.passwords[user]
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
            if let Some(token) = self.tokens.get(user) {
                request = request.header("authorization", format!("Bearer {token}"));
            } else {
                let session = &self.sessions[user];
                request = request.header("cookie", &session.cookie).header("x-csrf", &session.csrf);
            }
        }
        if !headers.iter().any(|(name, _)| *name == "content-type") && body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        let response = self.assembled.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body, bytes }
    }

    /// The database file, or nothing on a server.
    pub fn database_file(&self) -> Option<&Path> {
        self.assembled.app.db().file()
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
        if let Some(file) = self.database.url.strip_prefix("sqlite:") {
            let connection = rusqlite::Connection::open(file).unwrap();
            assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        } else {
            let (client, connection) =
                tokio_postgres::connect(&self.database.url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            assert!(client.execute(sql, &[]).await.unwrap() > 0, "{sql}");
            drop(client);
            connection.await.unwrap().unwrap();
        }
    }

    /// A statement of the database's owner, whatever it touches.
    pub async fn run_sql(&self, sql: &str) {
        if let Some(file) = self.database.url.strip_prefix("sqlite:") {
            rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
        } else {
            self.on_server(async |client| client.batch_execute(sql).await.unwrap()).await;
        }
    }

    /// Every row of every table, as text. A server only.
    pub async fn every_row(&self) -> String {
        let mut text = String::new();
        self.on_server(async |client| {
            let tables = "SELECT table_name::text FROM information_schema.tables \
                          WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'";
            for table in client.query(tables, &[]).await.unwrap() {
                let name: String = table.get(0);
                let rows = format!("SELECT t::text FROM {name} t");
                for row in client.query(&rows, &[]).await.unwrap() {
                    text.push_str(row.get::<_, &str>(0));
                    text.push('\n');
                }
            }
        })
        .await;
        text
    }

    /// Work on a connection of the database's owner. A server only.
    pub async fn on_server(&self, work: impl AsyncFnOnce(&tokio_postgres::Client)) {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        work(&client).await;
        drop(client);
        connection.await.unwrap().unwrap();
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.assembled.app.db().snapshot().await.unwrap();
        let rows = tx.fetch(yj_kernel::Sql::new(sql)).await.unwrap();
        rows[0].int(0).unwrap()
    }

    /// The code of a demonstration subject.
    pub async fn subject(&self, name: &str) -> Value {
        let encoded = encoded(name);
        let found = self
            .get("supervisor", &format!("/api/v1/trace_subject?name={encoded}"))
            .await
            .expect(200);
        found["items"][0].clone()
    }
}

/// A harvest that the platform accepts.
/// What is said of a plot that vegetables are harvested from.
pub fn plot(name: &str) -> Value {
    json!({ "plot": name, "area_mu": "5", "variety": "示例品种", "sown_on": "2018-08-01" })
}

pub fn harvest(subject: &Value, code: &str) -> Value {
    json!({
        "domain": "agri", "type": "harvest", "subject": subject["code"], "event_time": "2026-11-10T08:00:00+08:00",
        "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
        "attributes": plot("示例地块"),
    })
}

/// A text as a part of an address.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
