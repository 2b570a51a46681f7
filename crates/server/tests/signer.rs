//! 企业签名机 as an enterprise uses it (D-6.3-1): a key of its own, registered, and records signed
//! with it, by the program that is shipped, against the real platform.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::disallowed_methods, reason = "another process has no condition to wait for")]

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use yuanjian_client::Client;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that goes with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The signer, built of the workspace as a whole, so that what the tests were built with is used.
fn signer() -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--workspace", "--bin", "yj-sign"]);
    assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    PathBuf::from(env!("CARGO_BIN_EXE_yuanjian")).with_file_name("yj-sign")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A line of `yj-sign prove`.
fn told(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).trim().to_owned()
}

fn demo(data: &Path) -> (Process, String, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
    command.args(["demo", "--size", "golden", "--listen", "127.0.0.1:0", "--data"]);
    let mut platform = Process(command.arg(data).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(platform.0.stdout.take().unwrap()).lines();
    let started = lines.find_map(|line| Some(line.ok()?.strip_prefix("源鉴已启动：")?.to_owned()));
    let accounts = std::fs::read_to_string(data.join("demo-accounts.json")).unwrap();
    (platform, started.unwrap(), serde_json::from_str(&accounts).unwrap())
}

#[test]
fn d_6_3_1_an_enterprise_signs_with_the_program_that_is_shipped() {
    let signer = signer();
    let folder = tempfile::tempdir().unwrap();
    let (_platform, url, accounts) = demo(&folder.path().join("data"));
    let word = |user: &str| {
        let mut all = accounts["accounts"].as_array().unwrap().iter();
        let found = all.find(|account| account["user"] == user).unwrap();
        found["password"].as_str().unwrap().to_owned()
    };
    let gateway = Client::token(&url, "gateway", &word("gateway"));
    let path = "/api/v1/trace_subject?name=%E7%A4%BA%E4%BE%8B%E9%9F%AD%E8%8F%9C%E5%90%88%E4%BD%9C%E7%A4%BE%E4%B8%80%E7%A4%BE";
    let found = gateway.call("GET", path, None, true).unwrap();
    let org = found["items"][0]["code"].as_str().unwrap().to_owned();

    let file = |name: &str| folder.path().join(name);
    let key = file("key.pem");
    let made = Command::new(&signer).args(["new", "--key"]).arg(&key).output().unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let again = Command::new(&signer).args(["new", "--key"]).arg(&key).output().unwrap();
    assert!(!again.status.success(), "a key file was written over");
    let mut prove = Command::new(&signer);
    let proved = prove.args(["prove", "--org", &org, "--kid", "k1", "--key"]).arg(&key);
    let proved = said(&proved.output().unwrap());
    let filing = json!({
        "subject_code": org, "kid": "k1", "public_key": told(&proved, "公钥"),
        "proof": told(&proved, "持有证明"),
    });
    let farm = Client::session(&url, "farm", &word("farm")).unwrap();
    let filed = farm.call("POST", "/api/v1/evidence_key", Some(&filing), false).unwrap();
    let change = filed["change_request"]["id"].as_str().unwrap();
    let approve = format!("/api/v1/evidence_key/changes/{change}/approve");
    let reviewer = Client::session(&url, "reviewer", &word("reviewer")).unwrap();
    reviewer.call("POST", &approve, Some(&json!({ "comment": "属实" })), false).unwrap();
    let begun = Instant::now();
    let enrolled = || {
        let keys = format!("/api/v1/ledger/keys?org={org}");
        let shown = reviewer.call("GET", &keys, None, true).unwrap();
        shown["items"].as_array().is_some_and(|items| !items.is_empty())
    };
    while !enrolled() {
        assert!(begun.elapsed() < PATIENCE, "the key does not come to the ledger");
        std::thread::sleep(Duration::from_millis(50));
    }

    let event = json!({
        "domain": "agri", "type": "harvest", "subject": org,
        "event_time": "2026-11-01T08:00:00+08:00",
        "outputs": [{ "code": "SIGNED-1", "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
        "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
    });
    let body = json!({ "events": [event], "atomic": true });
    let done = gateway.call("POST", "/api/v1/trace/events", Some(&body), true).unwrap();
    let event = done["results"][0]["id"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned();
    std::fs::write(file("secret"), word("gateway")).unwrap();
    let sign = || {
        let mut run = Command::new(&signer);
        run.args(["run", "--once", "--url", &url, "--id", "gateway", "--org", &org, "--kid", "k1"]);
        run.arg("--key").arg(&key).arg("--secret").arg(file("secret"));
        run.arg("--state").arg(file("state")).output().unwrap()
    };
    let path = format!("/api/v1/trace/events/{event}");
    let begun = Instant::now();
    while gateway.call("GET", &path, None, true).unwrap()["anchor"] != "confirmed" {
        let ran = sign();
        assert!(ran.status.success(), "{}", said(&ran));
        assert!(begun.elapsed() < PATIENCE, "nothing was signed");
    }
    let proof = reviewer.call("GET", &format!("{path}/proof"), None, true).unwrap();
    std::fs::write(file("one.yjproof"), proof.to_string()).unwrap();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
    let verified = verify.arg("verify").arg(file("one.yjproof")).output().unwrap();
    let sentence = format!("主体 {org} 的密钥 k1 签名");
    assert!(
        verified.status.success() && said(&verified).contains(&sentence),
        "{}",
        said(&verified)
    );

    // A platform that goes back is found out, and so is one with another chain.
    let state = std::fs::read_to_string(file("state")).unwrap();
    let (chain, _) = state.split_once(' ').unwrap();
    std::fs::write(file("state"), format!("{chain} 999999\n")).unwrap();
    let ran = sign();
    assert!(!ran.status.success() && said(&ran).contains("回退"), "{}", said(&ran));
    std::fs::write(file("state"), format!("{} 1\n", "0".repeat(64))).unwrap();
    let ran = sign();
    assert!(!ran.status.success() && said(&ran).contains("指纹"), "{}", said(&ran));
}
