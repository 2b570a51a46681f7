//! The real program in a process of its own, and where its data are.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// With more records the checker takes the system's SM3: its own is slow.
const OWN_SM3_MAX: usize = 100;
/// How many places this process has made: each gets a schema of its own.
static PLACES: AtomicU64 = AtomicU64::new(0);
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the data are: a folder, and SQLite in it or a schema of its own on `YJ_TEST_POSTGRES`.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database: Option<String>,
    /// A disk of its own for the data, where it has one.
    pub(crate) disk: Option<Disk>,
}

/// A disk that only some see.
pub(crate) struct Disk {
    /// Where it is for those who see it.
    pub(crate) at: PathBuf,
    /// Where it is for everybody.
    pub(crate) seen: PathBuf,
    /// What lets a program see it.
    pub(crate) enter: Vec<String>,
}

impl Place {
    /// On files alone.
    pub(crate) fn of_files() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None, disk: None }
    }

    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Ok(server) = std::env::var("YJ_TEST_POSTGRES") else {
            return Self { folder, database: None, disk: None };
        };
        let place = PLACES.fetch_add(1, Ordering::Relaxed);
        let schema = format!("kill_{}_{place}", std::process::id());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
            drop(client);
            connection.await.unwrap().unwrap();
        });
        let mark = if server.contains('?') { '&' } else { '?' };
        let database = Some(format!("{server}{mark}options=-csearch_path%3D{schema}"));
        Self { folder, database, disk: None }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.disk.as_ref().map_or(self.folder.path(), |disk| &disk.at).join("data")
    }

    /// The same for this process.
    pub(crate) fn seen(&self) -> PathBuf {
        self.disk.as_ref().map_or(self.folder.path(), |disk| &disk.seen).join("data")
    }

    /// A program that sees the data.
    pub(crate) fn program(&self, program: &str) -> Command {
        let enter = self.disk.as_ref().map_or(&[][..], |disk| &disk.enter);
        let mut words = enter.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words);
        command
    }

    /// A configuration for these data.
    fn config(&self) -> PathBuf {
        let config = self.folder.path().join("yuanjian.toml");
        let database = self.database.clone().unwrap_or_default();
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'\ndatabase = '{database}'\n[platform]\nname = '示例'\noperator = '示例'\n\
             profile = 'gbt38157'\npublic_url = 'http://127.0.0.1'\n",
            self.data().display()
        );
        std::fs::write(&config, text).unwrap();
        config
    }

    fn verb(&self, verb: &[&str]) -> (bool, String) {
        let mut command = self.program(env!("CARGO_BIN_EXE_yuanjian"));
        let output = command.args(verb).arg("--config").arg(self.config()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    /// `yuanjian doctor` over what is left.
    pub(crate) fn doctor(&self) -> (bool, String) {
        self.verb(&["doctor"])
    }

    /// `yuanjian ledger export` into a new folder beside the data.
    pub(crate) fn export(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.path().join(name);
        let (well, said) = self.verb(&["ledger", "export", folder.to_str().unwrap()]);
        if well { Ok(folder) } else { Err(said) }
    }

    /// `yuanjian ledger publish` into a new folder beside the data.
    pub(crate) fn publish(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let (well, said) = self.verb(&["ledger", "publish", folder.to_str().unwrap()]);
        assert!(well, "{said}");
        folder
    }

    /// What the independent checker says of what was published.
    pub(crate) fn check_published(folder: &Path) -> (i32, String) {
        let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/check_published.py");
        let output = Command::new("python3").arg(tool).arg(folder).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
    }

    /// What the independent checker says of an export, of the rows as the database file holds
    /// them, and of what was acknowledged; `held` are checkpoints taken before.
    pub(crate) fn check(
        &self,
        export: &Path,
        acknowledged: &[(String, String)],
        held: &[PathBuf],
    ) -> (i32, String) {
        let list = self.folder.path().join("acknowledged.txt");
        let records: String = acknowledged.iter().map(|(_, id)| format!("{id}\n")).collect();
        std::fs::write(&list, records).unwrap();
        let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/check_platform.py");
        let mut command = self.program("python3");
        command.arg(tool).arg("--export").arg(export).arg("--acknowledged").arg(&list);
        if self.database.is_none() {
            let file = self.data().join("yuanjian.sqlite");
            command.arg("--database").arg(format!("sqlite:{}", file.display()));
        }
        for checkpoint in held {
            command.arg("--held").arg(checkpoint);
        }
        if acknowledged.len() > OWN_SM3_MAX {
            command.arg("--system-sm3");
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
    }
}

/// A platform in a process of its own.
pub(crate) struct Server {
    pub(crate) process: Child,
    url: String,
}

impl Server {
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_to_die(place, None).expect("the server must say where it listens")
    }

    /// The same with a place where it is to die: `name:n`. Nothing where it has died before it
    /// could listen.
    pub(crate) fn start_to_die(place: &Place, fault: Option<&str>) -> Option<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
        if let Some(fault) = fault {
            command.env("YJ_FAULT", fault);
        }
        Self::launch(place, command.stderr(Stdio::inherit()))
    }

    /// Starts it as `command` says, to which the verb is added. Nothing where it has ended before
    /// it could listen.
    pub(crate) fn launch(place: &Place, command: &mut Command) -> Option<Self> {
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--size", "golden"])
            .arg("--data")
            .arg(place.data());
        if let Some(database) = &place.database {
            command.args(["--database", database]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines =
            BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(String::from(line.strip_prefix("源鉴已启动：")?)));
        let mut started = Self { process, url: String::new() };
        let Some(url) = url else {
            started.process.wait().unwrap();
            return None;
        };
        started.url = url;
        Some(started)
    }

    pub(crate) fn get(&self, token: &str, path: &str) -> Result<Value, ureq::Error> {
        let request = ureq::get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"));
        request.call()?.body_mut().read_json()
    }

    pub(crate) fn post(&self, token: &str, path: &str, body: &Value) -> Result<Value, ureq::Error> {
        let request = ureq::post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"));
        request.send_json(body)?.body_mut().read_json()
    }

    /// Status and body of an answer, whatever it says.
    pub(crate) fn answer(
        &self,
        (header, shown): (&str, &str),
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("{}{path}", self.url);
        let answer = match body {
            Some(body) => agent.post(url).header(header, shown).send_json(body),
            None => agent.get(url).header(header, shown).call(),
        };
        let mut answer = answer.unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    pub(crate) fn log_in(&self, data: &Path) -> String {
        self.try_log_in(data).unwrap()
    }

    /// The same with a server that may be gone.
    pub(crate) fn try_log_in(&self, data: &Path) -> Result<String, ureq::Error> {
        let secret = password(data, "gateway");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "gateway"),
            ("client_secret", secret.as_str()),
        ];
        let mut answer = ureq::post(format!("{}/oauth/token", self.url)).send_form(form)?;
        let answer: Value = answer.body_mut().read_json()?;
        Ok(String::from(answer["access_token"].as_str().unwrap()))
    }

    /// The cookie of a person.
    pub(crate) fn enter(&self, data: &Path, user: &str) -> String {
        let body = json!({ "user": user, "password": password(data, user) });
        let answer = ureq::post(format!("{}/api/v1/session", self.url)).send_json(body).unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        String::from(cookie.split(';').next().unwrap())
    }

    /// The code of a subject that may harvest.
    pub(crate) fn farm(&self, token: &str) -> Result<String, ureq::Error> {
        let found = self.get(token, "/api/v1/trace_subject?kind=03&per_page=1")?;
        Ok(String::from(found["items"][0]["code"].as_str().unwrap()))
    }

    /// The status of the ledger once nothing waits any more.
    pub(crate) fn settled(&self, token: &str) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.get(token, "/api/v1/ledger/status").unwrap();
            if status["pending"] == 0 && status["packed"] == 0 {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it once nothing waits any more.
    pub(crate) fn rest(self, place: &Place) {
        let token = self.log_in(&place.data());
        self.settled(&token);
        self.stop();
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        assert!(self.process.wait().unwrap().success(), "it goes when it is told to");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}

/// What a user of the demonstration logs in with.
fn password(data: &Path, user: &str) -> String {
    let accounts = std::fs::read_to_string(data.join("demo-accounts.json")).unwrap();
    let accounts: Value = serde_json::from_str(&accounts).unwrap();
    let mut accounts = accounts["accounts"].as_array().unwrap().iter();
    let found = accounts.find(|account| account["user"] == user).unwrap();
    String::from(found["password"].as_str().unwrap())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A harvest under each of these codes.
pub(crate) fn batch(subject: &str, codes: &[String]) -> Value {
    let event = |code: &String| {
        json!({
            "domain": "agri", "type": "harvest", "subject": subject, "event_time": "2026-11-10T08:00:00+08:00",
            "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": code }],
            "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
        })
    };
    json!({ "events": codes.iter().map(event).collect::<Vec<_>>(), "atomic": true })
}

/// Sends batches one after the other until the server is gone or has taken enough. Returns the codes of the events it
/// acknowledged, with their identifiers.
pub(crate) fn capture_until_death(
    server: &Server,
    (token, subject): (&str, &str),
    next: &AtomicU64,
    enough: Option<usize>,
) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    while enough.is_none_or(|enough| acknowledged.len() < enough) {
        let codes: Vec<_> =
            (0..5).map(|_| format!("KILL-{:06}", next.fetch_add(1, Ordering::Relaxed))).collect();
        let body = batch(subject, &codes);
        let Ok(answer) = server.post(token, "/api/v1/trace/events", &body) else {
            return acknowledged;
        };
        for (code, result) in codes.into_iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["state"], "accepted", "{answer}");
            acknowledged.push((code, String::from(result["id"].as_str().unwrap())));
        }
    }
    acknowledged
}
