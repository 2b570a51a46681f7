//! 见证 with real processes: a platform, a witness beside it, and what happens when either is
//! killed or put back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};
use yj_proof::Note;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A platform in a process of its own.
struct Platform {
    process: Child,
    url: String,
}

impl Platform {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
        command.args(["demo", "--listen", "127.0.0.1:0", "--size", "golden", "--data"]).arg(data);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines =
            BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(String::from(line.strip_prefix("源鉴已启动：")?)));
        Self { process, url: url.expect("the platform must say where it listens") }
    }

    fn end(mut self) {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    fn checkpoint(&self) -> Note {
        let mut answer = ureq::get(format!("{}/ledger/checkpoint", self.url)).call().unwrap();
        Note::read(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// As its administrator.
    fn register(&self, data: &Path, verifier_key: &str) {
        let accounts = fs::read_to_string(data.join("demo-accounts.json")).unwrap();
        let accounts: Value = serde_json::from_str(&accounts).unwrap();
        let mut accounts = accounts["accounts"].as_array().unwrap().iter();
        let account = accounts.find(|account| account["user"] == "sysadmin").unwrap();
        let given = json!({ "user": "sysadmin", "password": account["password"] });
        let mut answer =
            ureq::post(format!("{}/api/v1/session", self.url)).send_json(given).unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = String::from(cookie.split(';').next().unwrap());
        let session: Value = answer.body_mut().read_json().unwrap();
        let witness = json!({
            "organization": "示例检测中心", "verifier_key": verifier_key, "address": null,
            "since": "2026-11-19", "lag_minutes": 60, "active": true,
        });
        let request = ureq::post(format!("{}/api/v1/ledger_witness", self.url))
            .header("cookie", cookie)
            .header("x-csrf", session["csrf"].as_str().unwrap());
        assert_eq!(request.send_json(witness).unwrap().status(), 201);
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn witness(url: &str, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
    command.args(["witness", "--once", "--of", url, "--state"]).arg(state);
    command
}

fn look(url: &str, state: &Path) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = witness(url, state).output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

fn remembered(state: &Path) -> Note {
    let text = fs::read_to_string(state.join("state.json")).unwrap();
    let state: Value = serde_json::from_str(&text).unwrap();
    Note::read(state["note"].as_str().unwrap()).unwrap()
}

/// Passes everything on to a platform but countersignatures: of those it tells, and answers never.
fn holding(platform: &str) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    let target = String::from(platform.strip_prefix("http://").unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (server, tell) = (TcpStream::connect(&target).unwrap(), tell.clone());
            let (mut back, mut front) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                // Whoever goes away in the middle ends it.
                let _ = std::io::copy(&mut back, &mut front);
                let _ = front.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || pass(client, server, &tell));
        }
    });
    (url, told)
}

fn pass(mut client: TcpStream, mut server: TcpStream, tell: &mpsc::Sender<()>) {
    let (mut bytes, mut held) = (vec![0; 64 * 1024], false);
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        if bytes[..count].starts_with(b"POST /ledger/cosignatures") {
            held = true;
            // Nobody asks twice.
            let _ = tell.send(());
        }
        // Held until the witness is gone.
        if !held && server.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

#[test]
fn d_6_3_1_a_witness_killed_before_it_spoke_says_the_same_afterwards() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (data, state) = (folder.path().join("data"), folder.path().join("witness"));
    let platform = Platform::start(&data);
    let ledger = data.join("ledger").join("ledger.redb");
    let (code, said) = look(&platform.url, &state);
    assert!(code == Some(1) && said.contains("未在本平台登记"), "{said}");
    let key = said.lines().find_map(|line| line.strip_prefix("见证方公钥（请交平台登记）："));
    platform.register(&data, key.unwrap());
    let mode = fs::metadata(state.join("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Between memory and speech it is killed.
    grown(&platform, &data, 1);
    let (url, held) = holding(&platform.url);
    let mut asked = witness(&url, &state);
    let mut process = asked.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    held.recv_timeout(PATIENCE).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let kept = remembered(&state);
    let ours = kept.lines.last().unwrap();
    assert!(!platform.checkpoint().lines.contains(ours), "it never arrived");
    let (code, said) = look(&platform.url, &state);
    assert!(code == Some(0) && said.contains("已见证"), "{said}");
    if remembered(&state).checkpoint == kept.checkpoint {
        assert_eq!(remembered(&state), kept, "nothing is signed twice");
        assert!(platform.checkpoint().lines.contains(ours), "it arrived");
    }
    // The platform is put back to what it was before it grew.
    platform.end();
    let old = fs::read(&ledger).unwrap();
    let platform = Platform::start(&data);
    let size = grown(&platform, &data, 5);
    let (code, said) = look(&platform.url, &state);
    assert!(code == Some(0), "{said}");
    assert_eq!(remembered(&state).checkpoint.size, size);
    platform.end();
    fs::write(&ledger, old).unwrap();
    let platform = Platform::start(&data);
    for _ in 0..2 {
        let (code, said) = look(&platform.url, &state);
        assert!(code == Some(3) && said.contains("拒签"), "{said}");
    }
    let evidence: Vec<PathBuf> =
        fs::read_dir(state.join("evidence")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!evidence.is_empty());
    for path in evidence {
        yj_proof::Alarm::read(&fs::read(&path).unwrap()).unwrap();
    }
}

/// Lets a log grow by some submissions, one after the other; its size then.
fn grown(platform: &Platform, data: &Path, submissions: u64) -> u64 {
    let accounts = fs::read_to_string(data.join("demo-accounts.json")).unwrap();
    let accounts: Value = serde_json::from_str(&accounts).unwrap();
    let mut accounts = accounts["accounts"].as_array().unwrap().iter();
    let secret = accounts.find(|account| account["user"] == "gateway").unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "gateway"),
        ("client_secret", secret["password"].as_str().unwrap()),
    ];
    let mut answer = ureq::post(format!("{}/oauth/token", platform.url)).send_form(form).unwrap();
    let answer: Value = answer.body_mut().read_json().unwrap();
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let get = |path: &str| -> Value {
        let request = ureq::get(format!("{}{path}", platform.url));
        let mut answer = request.header("authorization", &bearer).call().unwrap();
        answer.body_mut().read_json().unwrap()
    };
    let subject = get("/api/v1/trace_subject?kind=03&per_page=1")["items"][0]["code"].clone();
    for _ in 0..submissions {
        let before = platform.checkpoint().checkpoint.size;
        let code = format!("WIT-{before:06}");
        let event = json!({
            "domain": "agri", "type": "harvest", "subject": subject,
            "event_time": "2026-11-10T08:00:00+08:00",
            "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": code }],
            "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
        });
        let request = ureq::post(format!("{}/api/v1/trace/events", platform.url));
        request.header("authorization", &bearer).send_json(json!({ "events": [event] })).unwrap();
        let begun = std::time::Instant::now();
        while platform.checkpoint().checkpoint.size == before {
            assert!(begun.elapsed() < PATIENCE, "the log does not grow");
        }
    }
    platform.checkpoint().checkpoint.size
}
