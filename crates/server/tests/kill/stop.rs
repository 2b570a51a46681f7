//! An end as operators want it: whenever they say so, with nothing left open.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::atomic::AtomicU64,
};

use crate::platform::{Place, Server, capture_until_death};

/// The byte of the ledger's file that says, in its second bit, that it was not closed.
const OPEN_FLAG: usize = 9;

#[test]
fn r_4_a_graceful_stop_leaves_every_file_closed() {
    let place = Place::of_files();
    for round in 0..2 {
        let server = Server::start(&place);
        let token = server.log_in(&place.data());
        let farm = server.farm(&token).unwrap();
        let next = AtomicU64::new(100 * round);
        capture_until_death(&server, (&token, &farm), &next, Some(20));
        let journal = place.data().join("yuanjian.sqlite-wal");
        assert!(fs::metadata(&journal).unwrap().len() > 0, "it is in use");
        let ledger = || fs::read(place.data().join("ledger/ledger.redb")).unwrap()[OPEN_FLAG];
        assert_eq!(ledger() & 2, 2, "it is in use");
        server.stop();
        for part in ["wal", "shm"] {
            let file = place.data().join(format!("yuanjian.sqlite-{part}"));
            assert!(!file.exists(), "{} is left", file.display());
        }
        assert_eq!(ledger() & 2, 0, "the ledger is not closed");
    }
    let (well, said) = place.doctor();
    assert!(well, "{said}");
    assert!(!place.data().join("yuanjian.sqlite-wal").exists(), "nor does a verb leave anything");
}

#[test]
fn r_4_it_can_be_stopped_from_its_first_word_on() {
    let place = Place::of_files();
    Server::start(&place).stop();
    for signal in ["-TERM", "-INT"].repeat(3) {
        // The signal is sent by whoever reads the line, with nothing in between.
        let mut platform = Command::new(env!("CARGO_BIN_EXE_yuanjian"));
        platform.args(["demo", "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data"]);
        let mut process = platform.arg(place.data()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("源鉴已启动")));
        let told = Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(told.unwrap().success());
        let status = process.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}
