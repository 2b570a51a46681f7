//! A disk that is full, or takes nothing: what cannot be kept is refused in words, what is there
//! can be read, and as soon as there is room it goes on.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::platform::{Disk, Place, Server, batch};

/// Room for the demonstration and some hundred events.
const DISK: &str = "size=96m";
/// Requests until the disk is full at the latest.
const REQUESTS_MAX: usize = 3_000;
/// Attempts to have the ledger meet a disk that refuses.
const ATTEMPTS_MAX: usize = 60;
/// Refusals that are looked at.
const REFUSALS: usize = 40;
/// Within so long it must go on.
const PATIENCE: Duration = Duration::from_secs(90);

/// Holds a small disk of its own, that nobody else sees, for as long as it lives.
struct Holder(Child);

impl Holder {
    /// Nothing where this process may not have one.
    fn mount(at: &Path, options: &str) -> Option<(Self, Disk)> {
        const OURS: (&[&str], &[&str]) = (&["--mount"], &["--mount"]);
        const MAPPED: (&[&str], &[&str]) = (
            &["--user", "--map-root-user", "--mount"],
            &["--user", "--preserve-credentials", "--mount"],
        );
        let script = "mount -t tmpfs -o \"$1\" none \"$0\" && echo there && exec cat";
        [OURS, MAPPED].into_iter().find_map(|(leave, enter)| {
            let mut command = Command::new("unshare");
            command.args(leave).args(["sh", "-c", script]).arg(at).arg(options);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut holder = Self(command.spawn().ok()?);
            let mut said = String::new();
            BufReader::new(holder.0.stdout.take()?).read_line(&mut said).ok()?;
            if said != "there\n" {
                return None;
            }
            let process = holder.0.id().to_string();
            let enter = ["nsenter", "--target", &process].into_iter().chain(enter.iter().copied());
            let enter = enter.chain(["--"]).map(String::from).collect();
            let seen = PathBuf::from(format!("/proc/{process}/root{}", at.display()));
            Some((holder, Disk { at: at.to_path_buf(), seen, enter }))
        })
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the platform logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn errors(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| !line.contains("\"INFO\"")).cloned().collect()
    }
}

/// Starts the platform such that a limit of the system is an error and not its death.
fn start(place: &Place) -> (Server, Log) {
    let mut command = place.program("sh");
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_yuanjian")]).stderr(Stdio::piped());
    let mut server = Server::launch(place, &mut command).unwrap();
    let (log, lines) = (Log::default(), server.process.stderr.take().unwrap());
    let kept = log.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            eprintln!("{line}");
            kept.0.lock().unwrap().push(line);
        }
    });
    (server, log)
}

/// Bytes that a file of the process may have.
fn limit(server: &Server, bytes: &str) {
    let process = server.process.id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let done = Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap();
    assert!(done.success());
}

/// Seconds of processor time that it has used.
fn used(server: &Server) -> f64 {
    const TICKS: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{}/stat", server.process.id())).unwrap();
    let (_, rest) = text.rsplit_once(')').unwrap();
    rest.split(' ').skip(12).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// A client that remembers what it was told.
struct Client<'a> {
    server: &'a Server,
    token: String,
    /// Of a person who looks things up. What an application takes must be noted (D-9.2.3), and
    /// where nothing can be noted it gets nothing.
    cookie: String,
    farm: String,
    next: usize,
    acknowledged: Vec<(String, String)>,
    refused: Vec<Vec<String>>,
}

impl<'a> Client<'a> {
    fn new(server: &'a Server, place: &Place) -> Self {
        let token = server.log_in(&place.seen());
        let farm = server.farm(&token).unwrap();
        let cookie = server.enter(&place.seen(), "supervisor");
        Self { server, token, cookie, farm, next: 0, acknowledged: Vec::new(), refused: Vec::new() }
    }

    /// Sends these; whether they were taken.
    fn send(&mut self, codes: Vec<String>) -> bool {
        let body = batch(&self.farm, &codes);
        let bearer = format!("Bearer {}", self.token);
        let shown = ("authorization", bearer.as_str());
        let (status, answer) = self.server.answer(shown, "/api/v1/trace/events", Some(&body));
        if status != 201 {
            assert_eq!(status, 503, "{answer}");
            let detail = answer["detail"].as_str().unwrap();
            assert!(detail.contains("磁盘") && detail.contains("没有生效"), "{answer}");
            assert!(!detail.contains("database"), "no words of the engine: {answer}");
            self.refused.push(codes);
            return false;
        }
        for (code, result) in codes.into_iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["state"], "accepted", "{answer}");
            self.acknowledged.push((code, String::from(result["id"].as_str().unwrap())));
        }
        true
    }

    fn send_new(&mut self) -> bool {
        let codes = (0..5).map(|number| format!("FULL-{:05}", self.next + number)).collect();
        self.next += 5;
        self.send(codes)
    }

    /// What is read; at the very moment of an error it may take a second attempt.
    fn get(&self, path: &str) -> Value {
        let mut attempts = 0;
        loop {
            let (status, answer) = self.server.answer(("cookie", &self.cookie), path, None);
            attempts += 1;
            if status == 503 && attempts < 5 {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            assert_eq!(status, 200, "{path}: {answer}");
            return answer;
        }
    }

    /// Whether what waits for a block has to go on waiting.
    fn block_fails(&self) -> bool {
        let begun = Instant::now();
        loop {
            let status = self.get("/api/v1/ledger/status");
            if status["pending"] == 0 || !status["failing"].is_null() {
                return status["pending"] != 0;
            }
            assert!(begun.elapsed() < PATIENCE, "{status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that people look up.
    fn reads(&self) {
        let (code, id) = self.acknowledged.first().unwrap();
        let found = self.get(&format!("/api/v1/trace/events?code={code}"));
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
        let event = self.get(&format!("/api/v1/trace/events/{id}"));
        assert_eq!(event["integrity"]["intact"], true, "{event}");
        let proof = self.get(&format!("/api/v1/trace/events/{id}/proof"));
        assert_eq!(proof["format"], "yjproof/1");
        self.get("/api/v1/ledger/status");
        self.get("/api/v1/ledger/blocks");
    }
}

/// A platform with some events, whose disk then refuses, and later takes something again.
fn refuse_and_recover(place: &Place, refuse: impl Fn(&Server), recover: impl Fn(&Server)) {
    let (server, log) = start(place);
    let mut client = Client::new(&server, place);
    for _ in 0..5 {
        assert!(client.send_new());
    }
    // The ledger shall meet it too: something waits for a block when it begins.
    let mut attempts = 0;
    loop {
        server.settled(&client.token);
        assert!(client.send_new());
        refuse(&server);
        if client.block_fails() {
            break;
        }
        recover(&server);
        attempts += 1;
        assert!(attempts < ATTEMPTS_MAX, "a block is always made before");
    }
    let mut requests = 0;
    while client.send_new() {
        requests += 1;
        assert!(requests < REQUESTS_MAX, "the disk is never full");
    }
    let (errors, begun, before) = (log.errors().len(), Instant::now(), used(&server));
    for _ in 0..REFUSALS {
        client.send_new();
        client.reads();
        std::thread::sleep(Duration::from_millis(150));
    }
    assert!(client.refused.len() > REFUSALS / 2, "only {} were refused", client.refused.len());
    // With nobody asking, nothing turns in circles.
    let (idle, before_idle) = (Instant::now(), used(&server));
    std::thread::sleep(Duration::from_secs(3));
    let busy = (used(&server) - before_idle) / idle.elapsed().as_secs_f64();
    assert!(busy < 0.6, "{busy:.2} of a processor while idle");
    let said = log.errors();
    assert!(said.len() <= errors + 4, "the log is flooded: {:?}", &said[errors..]);
    assert!(said.iter().any(|line| line.contains("the disk takes no data")), "{said:?}");
    println!(
        "{attempts} attempts, {requests} requests until it was full; {} refused in {:.1?} with {:.1} s of processor time \
         ({busy:.2} idle); {said:?}",
        client.refused.len(),
        begun.elapsed(),
        used(&server) - before
    );
    recover(&server);
    // What was refused is sent again, as the answer asks for, and is there once.
    let refused = std::mem::take(&mut client.refused);
    let again = Instant::now();
    for codes in refused {
        while !client.send(codes.clone()) {
            assert!(again.elapsed() < PATIENCE, "it does not go on");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    server.settled(&client.token);
    client.reads();
    for (code, id) in client.acknowledged.iter().rev().take(20) {
        let found = client.get(&format!("/api/v1/trace/events?code={code}"));
        let items = found["items"].as_array().unwrap();
        assert_eq!((items.len(), items[0]["id"].as_str().unwrap()), (1, id.as_str()), "{code}");
    }
    let acknowledged = client.acknowledged;
    server.stop();
    let (well, said) = place.doctor();
    assert!(well, "{said}");
    let export = place.export("export").unwrap();
    let (code, said) = place.check(&export, &acknowledged, &[]);
    assert!(code == 0 && said.contains("全部一致"), "{said}");
}

/// Fills what is left of a disk.
fn fill(ballast: &Path) {
    let (mut file, piece) = (File::create(ballast).unwrap(), [7; 4096]);
    while file.write_all(&piece).is_ok() {}
}

#[test]
fn r_4_a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    let mut place = Place::of_files();
    let at = place.folder.path().join("small");
    fs::create_dir(&at).unwrap();
    if let Some((_holder, disk)) = Holder::mount(&at, DISK) {
        let ballast = disk.seen.join("ballast");
        place.disk = Some(disk);
        refuse_and_recover(&place, |_| fill(&ballast), |_| fs::remove_file(&ballast).unwrap());
    } else {
        println!("no disk of our own here: files may not grow instead");
        let journal = place.data().join("yuanjian.sqlite-wal");
        let grown = |_: &Server| fs::metadata(&journal).unwrap().len() + 100_000;
        refuse_and_recover(
            &place,
            |server| limit(server, &grown(server).to_string()),
            |server| limit(server, "unlimited"),
        );
    }
}

#[test]
fn r_4_a_disk_that_takes_no_byte_loses_nothing_and_goes_on() {
    let place = Place::of_files();
    refuse_and_recover(&place, |server| limit(server, "0"), |server| limit(server, "unlimited"));
}

#[test]
fn r_4_a_folder_that_cannot_be_written_is_refused_at_the_start() {
    let place = Place::of_files();
    Server::start(&place).stop();
    let before = fs::read(place.data().join("yuanjian.sqlite")).unwrap();
    let mut command = Command::new("sh");
    let script = "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_yuanjian")]).stderr(Stdio::piped());
    command.args(["demo", "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data"]);
    let output = command.arg(place.data()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("磁盘") && !said.contains("内部错误"), "{said}");
    // Nothing of it is changed, and it starts as soon as it may write.
    assert!(fs::read(place.data().join("yuanjian.sqlite")).unwrap() == before);
    let (well, said) = place.doctor();
    assert!(well, "{said}");
}
