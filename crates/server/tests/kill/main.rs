//! `kill -9` at any moment loses nothing that was acknowledged, doubles nothing, and
//! leaves a database and a ledger that agree; and whatever of it is damaged, it is noticed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::disallowed_methods, reason = "another process has no condition to wait for")]

mod damage;
mod faults;
mod full;
mod platform;
mod stop;

use std::{path::Path, process::Command, sync::atomic::AtomicU64, time::Duration};

use platform::{Place, Server, capture_until_death};

const ROUNDS: u64 = 20;
const CLIENTS: u64 = 3;

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
        let subject = server.farm(&token).unwrap();
        std::thread::scope(|scope| {
            let work = || capture_until_death(&server, (&token, &subject), &next, None);
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
    let server = Server::start(&place);
    let token = server.log_in(&place.data());
    let get = |path: &str| server.get(&token, path).unwrap();
    for (code, id) in &acknowledged {
        let found = get(&format!("/api/v1/trace/events?code={code}"));
        let items = found["items"].as_array().unwrap();
        assert_eq!((items.len(), items[0]["id"].as_str().unwrap()), (1, id.as_str()), "{code}");
    }
    let status = server.settled(&token);
    // Every accepted event is on the ledger once: as many records in blocks as were confirmed.
    let height = status["height"].as_u64().unwrap();
    let records =
        |height| get(&format!("/api/v1/ledger/blocks/{height}"))["records"].as_u64().unwrap();
    assert_eq!((1..=height).map(records).sum::<u64>(), status["confirmed"].as_u64().unwrap());
    for (_, id) in acknowledged.iter().step_by(37) {
        assert_eq!(get(&format!("/api/v1/trace/events/{id}"))["integrity"]["intact"], true);
    }
    server.stop();
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
