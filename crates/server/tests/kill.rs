//! `kill -9` at any moment loses nothing that was acknowledged, doubles nothing, and
//! leaves a database and a ledger that agree.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::disallowed_methods, reason = "another process has no condition to wait for")]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const ROUNDS: u64 = 20;
const CLIENTS: u64 = 3;
/// How many places this process has made: each gets a schema of its own.
static PLACES: AtomicU64 = AtomicU64::new(0);
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the data are: a folder, and SQLite in it or a schema of its own on `YJ_TEST_POSTGRES`.
struct Place {
    folder: tempfile::TempDir,
    database: Option<String>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Ok(server) = std::env::var("YJ_TEST_POSTGRES") else {
            return Self { folder, database: None };
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
        Self { folder, database: Some(format!("{server}{mark}options=-csearch_path%3D{schema}")) }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// `yuanjian doctor` over what is left.
    fn doctor(&self) -> (bool, String) {
        let config = self.folder.path().join("yuanjian.toml");
        let database = self.database.clone().unwrap_or_default();
        let text = format!(
            "listen = '127.0.0.1:0'\ndata = '{}'\ndatabase = '{database}'\n[platform]\nname = '示例'\noperator = '示例'\n\
             profile = 'gbt38157'\npublic_url = 'http://127.0.0.1'\n",
            self.data().display()
        );
        std::fs::write(&config, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_yuanjian"))
            .args(["doctor", "--config"])
            .arg(&config)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A platform in a process of its own.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--size", "golden", "--data"])
            .arg(place.data());
        if let Some(database) = &place.database {
            command.args(["--database", database]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines =
            BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(String::from(line.strip_prefix("源鉴已启动：")?)));
        Self { process, url: url.expect("the server must say where it listens") }
    }

    fn get(&self, token: &str, path: &str) -> Result<Value, ureq::Error> {
        let request = ureq::get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"));
        request.call()?.body_mut().read_json()
    }

    fn post(&self, token: &str, path: &str, body: &Value) -> Result<Value, ureq::Error> {
        let request = ureq::post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"));
        request.send_json(body)?.body_mut().read_json()
    }

    fn log_in(&self, data: &Path) -> String {
        let accounts = std::fs::read_to_string(data.join("demo-accounts.json")).unwrap();
        let accounts: Value = serde_json::from_str(&accounts).unwrap();
        let found = accounts["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|account| account["user"] == "gateway");
        let secret = found.unwrap()["password"].as_str().unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "gateway"),
            ("client_secret", secret),
        ];
        let mut answer = ureq::post(format!("{}/oauth/token", self.url)).send_form(form).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        String::from(answer["access_token"].as_str().unwrap())
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends batches one after the other until the server is gone. Returns the codes of the events it
/// acknowledged, with their identifiers.
fn capture_until_death(
    server: &Server,
    (token, subject): (&str, &str),
    next: &AtomicU64,
) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    loop {
        let codes: Vec<_> =
            (0..5).map(|_| format!("KILL-{:06}", next.fetch_add(1, Ordering::Relaxed))).collect();
        let event = |code: &String| {
            json!({
                "domain": "agri", "type": "harvest", "subject": subject, "event_time": "2026-11-10T08:00:00+08:00",
                "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": code }],
                "attributes": { "plot": "示例地块" },
            })
        };
        let body = json!({ "events": codes.iter().map(event).collect::<Vec<_>>(), "atomic": true });
        let Ok(answer) = server.post(token, "/api/v1/trace/events", &body) else {
            return acknowledged;
        };
        for (code, result) in codes.into_iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["state"], "accepted", "{answer}");
            acknowledged.push((code, String::from(result["id"].as_str().unwrap())));
        }
    }
}

/// A moment between 20 and 400 ms, another one in every round.
fn moment(round: u64) -> Duration {
    Duration::from_millis(20 + round.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 380)
}

#[test]
fn r_4_twenty_kills_lose_and_double_nothing() {
    let place = Place::new();
    let (next, mut acknowledged) = (AtomicU64::new(0), Vec::new());
    for round in 0..ROUNDS {
        let mut server = Server::start(&place);
        let token = server.log_in(&place.data());
        let found = server.get(&token, "/api/v1/trace_subject?kind=03&per_page=1").unwrap();
        let subject = found["items"][0]["code"].as_str().unwrap();
        std::thread::scope(|scope| {
            let work = || capture_until_death(&server, (&token, subject), &next);
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
            std::thread::sleep(moment(round));
            server.signal("-9");
            for client in clients {
                acknowledged.extend(client.join().unwrap());
            }
        });
        server.process.wait().unwrap();
    }
    assert!(
        acknowledged.len() > 100,
        "only {} events were acknowledged: this measures nothing",
        acknowledged.len()
    );
    let mut server = Server::start(&place);
    let token = server.log_in(&place.data());
    let get = |path: &str| server.get(&token, path).unwrap();
    for (code, id) in &acknowledged {
        let found = get(&format!("/api/v1/trace/events?code={code}"));
        let items = found["items"].as_array().unwrap();
        assert_eq!((items.len(), items[0]["id"].as_str().unwrap()), (1, id.as_str()), "{code}");
    }
    let begun = Instant::now();
    let status = loop {
        let status = get("/api/v1/ledger/status");
        if status["pending"] == 0 && status["packed"] == 0 {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
        std::thread::sleep(Duration::from_millis(50));
    };
    // Every accepted event is on the ledger once: as many records in blocks as were confirmed.
    let height = status["height"].as_u64().unwrap();
    let records =
        |height| get(&format!("/api/v1/ledger/blocks/{height}"))["records"].as_u64().unwrap();
    assert_eq!((1..=height).map(records).sum::<u64>(), status["confirmed"].as_u64().unwrap());
    for (_, id) in acknowledged.iter().step_by(37) {
        assert_eq!(get(&format!("/api/v1/trace/events/{id}"))["integrity"]["intact"], true);
    }
    server.signal("-TERM");
    assert!(server.process.wait().unwrap().success(), "it goes when it is told to");
    let (well, findings) = place.doctor();
    assert!(well && findings.contains("没有孤立的数据"), "{findings}");
    println!(
        "{} events acknowledged over {ROUNDS} kills, {height} blocks\n{findings}",
        acknowledged.len()
    );
}

#[test]
fn demo_refuses_the_world_and_folders_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = |listen: &str, data: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
        let output =
            command.args(["demo", "--listen", listen, "--data"]).arg(data).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(run("0.0.0.0:0", folder.path()).contains("只允许本机访问"));
    std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    assert!(run("127.0.0.1:0", folder.path()).contains("不是空目录"));
}

#[test]
fn the_verbs_of_an_operator_work_together() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let server = Server::start(&place);
    let token = server.log_in(&place.data());
    let mode =
        std::fs::metadata(place.data().join("demo-accounts.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let events = server.get(&token, "/api/v1/trace/events?per_page=1").unwrap();
    let id = events["items"][0]["id"].as_str().unwrap();
    let bundle =
        server.get(&token, &format!("/api/v1/trace/events/{id}/proof")).unwrap().to_string();
    server.signal("-TERM");
    let file = place.folder.path().join("event.yjproof");
    let verify = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_yuanjian")).arg("verify").arg(&file).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (well, said) = verify(&bundle);
    assert!(well, "{said}");
    let (well, said) = verify(&bundle.replace("\"2026-", "\"2025-"));
    assert!(!well && said.contains("未通过"), "{said}");
}
