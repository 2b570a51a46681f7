//! 见证 (D-6.3-1, G-10.4): others follow the log with a program of their own, and a log that was put
//! back, rewritten or shown to some only is found out.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use yj_proof::{Alarm, AlarmKind, Note, Trust, verify};
use yj_witness::{Arguments, Outcome, Witness};

use crate::harness::{TestApp, harvest};

/// When tests begin.
fn noon() -> u64 {
    "2026-11-19T12:00:00+08:00".parse::<jiff::Timestamp>().unwrap().as_second().unsigned_abs()
}

/// A platform that listens, for as long as this lives.
struct Served {
    url: String,
    stop: tokio::sync::oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    /// Ends it and waits until nobody holds the platform any more.
    async fn end(self) {
        drop(self.stop);
        self.serving.await.unwrap().unwrap();
    }
}

async fn serve(app: &TestApp) -> Served {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (router, metrics) = (app.assembled.router.clone(), app.assembled.metrics.clone());
    let limits = yj_http::Limits::default();
    let serving = tokio::spawn(yj_http::serve(listener, router, (limits, metrics), async {
        let _ = stopped.await;
    }));
    Served { url, stop, serving }
}

fn told(url: &str, state: &Path) -> Arguments {
    Arguments {
        of: String::from(url),
        state: PathBuf::from(state),
        name: Some(String::from("示例检测中心")),
        key: None,
        every: std::time::Duration::from_mins(1),
        once: true,
        peer: Vec::new(),
        listen: None,
        fingerprint: None,
    }
}

/// A witness with its state, looking from a thread of its own as a process would.
struct Observer {
    arguments: Arguments,
    folder: TempDir,
}

impl Observer {
    fn of(served: &Served) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { arguments: told(&served.url, folder.path()), folder }
    }

    fn open(&self) -> Result<Witness, String> {
        Witness::open(&self.arguments, noon)
    }

    /// Starts, looks once, and ends.
    async fn look(&self) -> Outcome {
        let arguments = self.arguments.clone();
        let look = move || Witness::open(&arguments, noon).unwrap().look().unwrap();
        tokio::task::spawn_blocking(look).await.unwrap()
    }

    fn key(&self) -> String {
        self.open().unwrap().key().to_string()
    }

    fn evidence(&self) -> Vec<Alarm> {
        let files = fs::read_dir(self.folder.path().join("evidence")).unwrap();
        let read = |path: PathBuf| Alarm::read(&fs::read(path).unwrap()).unwrap().0;
        files.map(|file| read(file.unwrap().path())).collect()
    }
}

#[track_caller]
fn signed(outcome: Outcome) -> Note {
    match outcome {
        Outcome::Signed { note, undelivered: None } => *note,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(outcome: Outcome) -> (AlarmKind, Option<String>) {
    match outcome {
        Outcome::Refused { alarm, undelivered, .. } => (alarm.kind, undelivered),
        other => panic!("{other:?}"),
    }
}

fn registration(key: &str) -> Value {
    json!({
        "organization": "示例检测中心", "verifier_key": key, "address": null,
        "since": "2026-11-19", "lag_minutes": 5, "active": true,
    })
}

async fn register(app: &TestApp, key: &str) -> Value {
    app.post("sysadmin", "/api/v1/ledger_witness", registration(key)).await.expect(201)
}

/// One more record on the ledger.
async fn grow(app: &TestApp, code: &str) -> String {
    let subject = app.subject("示例韭菜合作社一社").await;
    let answer =
        app.post("gateway", "/api/v1/trace/events", harvest(&subject, code)).await.expect(201);
    app.anchor().await;
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

async fn open_get(app: &TestApp, path: &str) -> crate::harness::Answer {
    app.send("GET", path, None, &[], None).await
}

async fn send_note(app: &TestApp, text: &str) -> crate::harness::Answer {
    let kind = [("content-type", "text/plain")];
    app.send("POST", "/ledger/cosignatures", None, &kind, Some(text.into())).await
}

async fn published(app: &TestApp) -> Note {
    let text = open_get(app, "/ledger/checkpoint").await;
    assert_eq!(text.status, 200);
    Note::read(std::str::from_utf8(&text.bytes).unwrap()).unwrap()
}

#[tokio::test]
async fn d_6_3_1_a_witness_follows_the_log_and_stands_in_the_proofs() {
    let app = TestApp::start().await;
    let served = serve(&app).await;
    let observer = Observer::of(&served);
    register(&app, &observer.key()).await;
    let first = signed(observer.look().await);
    assert_eq!(first.checkpoint, published(&app).await.checkpoint);
    assert_eq!(published(&app).await.lines.len(), 2);
    // The same again is no second signature.
    assert_eq!(signed(observer.look().await), first);
    assert_eq!(published(&app).await.lines.len(), 2);
    let id = grow(&app, "W-1").await;
    let second = signed(observer.look().await);
    assert!(second.checkpoint.size > first.checkpoint.size);
    let proof = app.get("supervisor", &format!("/api/v1/trace/events/{id}/proof")).await;
    let (_, chain) = app.assembled.ledger.genesis();
    let witnesses = vec![observer.key().parse().unwrap()];
    let verdict = verify(&proof.bytes, &Trust { chain: Some(chain), witnesses });
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.facts.unwrap().witnesses.len(), 1);
    // Somebody who trusts another witness alone is not convinced.
    let other = Observer::of(&served);
    let witnesses = vec![other.key().parse().unwrap()];
    assert!(!verify(&proof.bytes, &Trust { chain: Some(chain), witnesses }).ok);
    let listed = app.get("supervisor", "/api/v1/ledger/witnesses").await.expect(200);
    let item = &listed["items"][0];
    assert_eq!((&item["state"], &item["name"]), (&json!("current"), &json!("示例检测中心")));
    assert_eq!(item["size"], json!(second.checkpoint.size));
    let metrics = open_get(&app, "/metrics").await;
    let metrics = String::from_utf8(metrics.bytes).unwrap();
    assert!(metrics.contains("ledger_witnesses{state=\"current\"} 1"), "{metrics}");
}

#[tokio::test]
async fn d_6_3_1_who_stays_behind_is_seen() {
    let app = TestApp::start().await;
    let served = serve(&app).await;
    let observer = Observer::of(&served);
    register(&app, &observer.key()).await;
    signed(observer.look().await);
    let state = async || {
        yj_ledger::look_at_witnesses(&app.assembled.app, &app.assembled.ledger).await.unwrap();
        let listed = app.get("auditor", "/api/v1/ledger/witnesses").await.expect(200);
        (listed["items"][0]["state"].clone(), listed["items"][0]["lag_seconds"].clone())
    };
    // As long as there is nothing new, nobody is behind.
    app.pass(jiff::SignedDuration::from_mins(3));
    assert_eq!(state().await, (json!("current"), json!(0)));
    grow(&app, "W-1").await;
    app.pass(jiff::SignedDuration::from_mins(5));
    assert_eq!(state().await, (json!("current"), json!(300)));
    app.pass(jiff::SignedDuration::from_secs(1));
    assert_eq!(state().await, (json!("lagging"), json!(301)));
    let metrics = String::from_utf8(open_get(&app, "/metrics").await.bytes).unwrap();
    assert!(metrics.contains("ledger_witnesses{state=\"lagging\"} 1"), "{metrics}");
    signed(observer.look().await);
    assert_eq!(state().await, (json!("current"), json!(0)));
}

#[tokio::test]
async fn d_6_3_1_only_registered_witnesses_are_heard() {
    let app = TestApp::start().await;
    let served = serve(&app).await;
    let observer = Observer::of(&served);
    let Outcome::Signed { undelivered: Some(why), note } = observer.look().await else {
        panic!("nobody has registered it")
    };
    assert!(why.contains("未在本平台登记"), "{why}");
    assert_eq!(published(&app).await.lines.len(), 1);
    // Registered, it brings what it signed before.
    let made = register(&app, &observer.key()).await;
    assert_eq!(signed(observer.look().await), *note);
    assert_eq!(published(&app).await.lines.len(), 2);
    // What is not the registered key's, not of this log, not readable, not bounded.
    let text = note.to_text();
    let mut forged = (*note).clone();
    forged.lines[1].signature[63] ^= 1;
    assert_eq!(send_note(&app, &forged.to_text()).await.status, 422);
    let mut other = (*note).clone();
    other.checkpoint.root[0] ^= 1;
    assert_eq!(send_note(&app, &other.to_text()).await.status, 409);
    let mut later = (*note).clone();
    later.lines[1].time_s = Some(noon() + 3_600);
    let ahead = send_note(&app, &later.to_text()).await.expect(422);
    assert!(ahead["detail"].as_str().unwrap().contains("时钟"), "{ahead}");
    assert_eq!(send_note(&app, "x").await.status, 400);
    assert_eq!(send_note(&app, &text.repeat(60)).await.status, 413);
    let answer = app.send("POST", "/ledger/alarms", None, &[], Some("{}".into())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(send_note(&app, &text).await.status, 200);
    // Out of use it is heard no more.
    let path = format!("/api/v1/ledger_witness/{}", made["id"].as_str().unwrap());
    let mut body = registration(&observer.key());
    body["active"] = json!(false);
    app.change("sysadmin", ("PUT", &path), 1, body).await.expect(200);
    assert_eq!(send_note(&app, &text).await.status, 403);
    for _ in 0..60 {
        send_note(&app, "x").await;
    }
    assert_eq!(send_note(&app, &text).await.status, 429);
}

#[tokio::test]
async fn d_6_3_1_witnesses_are_registered_by_the_administrator_alone() {
    let app = TestApp::start().await;
    let served = serve(&app).await;
    let (one, other) = (Observer::of(&served).key(), Observer::of(&served).key());
    let path = "/api/v1/ledger_witness";
    for user in ["supervisor", "reviewer", "enterprise", "auditor"] {
        assert_eq!(app.post(user, path, registration(&one)).await.status, 403, "{user}");
    }
    let made = register(&app, &one).await;
    assert_eq!(app.post("sysadmin", path, registration(&one)).await.status, 409);
    let log = app.assembled.ledger.log_key().unwrap().to_string();
    for (field, wrong) in [
        ("verifier_key", json!(format!("{other}A"))),
        ("verifier_key", json!(log)),
        ("verifier_key", json!("示例")),
        ("lag_minutes", json!(0)),
        ("lag_minutes", json!(10_081)),
        ("address", json!("ftp://示例")),
        ("since", json!("2026-02-30")),
    ] {
        let mut body = registration(&other);
        body[field] = wrong;
        let problem = app.post("sysadmin", path, body).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let own = format!("{path}/{}", made["id"].as_str().unwrap());
    let changed = app.change("sysadmin", ("PUT", &own), 1, registration(&other)).await.expect(422);
    assert!(changed["detail"].as_str().unwrap().contains("不能更改"), "{changed}");
    let audited = "SELECT COUNT(*) FROM audit_log WHERE entity = 'ledger_witness'";
    assert!(app.count(audited).await >= 1);
}

#[tokio::test]
async fn d_6_3_1_a_log_that_was_put_back_is_refused_and_the_platform_says_so() {
    let mut app = TestApp::start().await;
    let served = serve(&app).await;
    let mut observer = Observer::of(&served);
    register(&app, &observer.key()).await;
    let file = app.folder.path().join("ledger").join("ledger.redb");
    let old = fs::read(&file).unwrap();
    grow(&app, "W-1").await;
    grow(&app, "W-2").await;
    let known = signed(observer.look().await);
    served.end().await;
    app.restart_after(&[], |_| fs::write(&file, &old).unwrap()).await;
    let served = serve(&app).await;
    observer.arguments.of = served.url.clone();
    for _ in 0..2 {
        assert_eq!(refused(observer.look().await), (AlarmKind::Rollback, None));
    }
    let evidence = observer.evidence();
    assert_eq!(evidence.len(), 1, "one contradiction is one piece of evidence");
    assert_eq!(evidence[0].known, known.to_text());
    let listed = app.get("supervisor", "/api/v1/ledger/witnesses").await.expect(200);
    assert_eq!(listed["items"][0]["state"], "ahead");
    assert_eq!(listed["alarms"].as_array().unwrap().len(), 1);
    assert_eq!(listed["alarms"][0]["kind"], "rollback");
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200).to_string();
    assert!(alarms.contains("ledger_contradicted"), "{alarms}");
    let metrics = String::from_utf8(open_get(&app, "/metrics").await.bytes).unwrap();
    assert!(metrics.contains("ledger_witness_alarms 1"), "{metrics}");
    // Growing over it does not heal it.
    for code in ["W-3", "W-4", "W-5"] {
        grow(&app, code).await;
    }
    assert_eq!(refused(observer.look().await).0, AlarmKind::Rewritten);
    assert_eq!(published(&app).await.lines.len(), 1);
}

#[tokio::test]
async fn d_6_3_1_an_alarm_is_settled_with_a_reason_and_the_next_one_is_open_again() {
    let mut app = TestApp::start().await;
    let served = serve(&app).await;
    let mut observer = Observer::of(&served);
    register(&app, &observer.key()).await;
    let file = app.folder.path().join("ledger").join("ledger.redb");
    let old = fs::read(&file).unwrap();
    grow(&app, "W-1").await;
    grow(&app, "W-2").await;
    signed(observer.look().await);
    served.end().await;
    app.restart_after(&[], |_| fs::write(&file, &old).unwrap()).await;
    let served = serve(&app).await;
    observer.arguments.of = served.url.clone();
    assert_eq!(refused(observer.look().await), (AlarmKind::Rollback, None));
    let listed = async || app.get("auditor", "/api/v1/ledger/witnesses").await.expect(200);
    let before = listed().await;
    let alarm = &before["alarms"][0];
    assert_eq!((&alarm["state"], &alarm["version"]), (&json!("open"), &json!(1)));
    assert_eq!((&before["alarm_count"], &before["items"][0]["alarms"]), (&json!(1), &json!(1)));

    let path = format!("/api/v1/ledger/alarms/{}/settle", alarm["id"].as_str().unwrap());
    let because = || json!({ "reason": "示例：账本文件误恢复为旧备份，已换回" });
    for user in ["supervisor", "sysadmin", "enterprise"] {
        assert_eq!(app.change(user, ("POST", &path), 1, because()).await.status, 403, "{user}");
    }
    assert_eq!(app.post("auditor", &path, because()).await.status, 422, "no version");
    let brief = json!({ "reason": "略" });
    assert_eq!(app.change("auditor", ("POST", &path), 1, brief).await.status, 422);
    assert_eq!(app.change("auditor", ("POST", &path), 2, because()).await.status, 409);
    let nowhere = "/api/v1/ledger/alarms/0/settle";
    assert_eq!(app.change("auditor", ("POST", nowhere), 1, because()).await.status, 404);
    let settled = app.change("auditor", ("POST", &path), 1, because()).await.expect(200);
    assert_eq!((&settled["state"], &settled["version"]), (&json!("settled"), &json!(2)));
    assert_eq!(
        (&settled["settled_by"], &settled["reason"]),
        (&json!("auditor"), &because()["reason"])
    );
    assert_eq!(app.change("auditor", ("POST", &path), 2, because()).await.status, 409);
    let audited = "SELECT COUNT(*) FROM audit_log WHERE entity = 'ledger_witness_alarm' \
                   AND action = 'settled'";
    assert_eq!(app.count(audited).await, 1);

    // It stays, and nothing is open. The same objection again is not another.
    assert_eq!(refused(observer.look().await), (AlarmKind::Rollback, None));
    let after = listed().await;
    assert_eq!((&after["alarm_count"], &after["alarm_total"]), (&json!(0), &json!(1)));
    assert_eq!(
        (&after["alarms"][0]["reason"], &after["items"][0]["alarms"]),
        (&settled["reason"], &json!(0))
    );
    let metrics = String::from_utf8(open_get(&app, "/metrics").await.bytes).unwrap();
    assert!(metrics.contains("ledger_witness_alarms 0"), "{metrics}");
    // Once the witness has countersigned, the same objection says something new.
    app.pass(jiff::SignedDuration::from_mins(1));
    app.run_sql("UPDATE ledger_witness_mark SET received_at = received_at + 30000").await;
    assert_eq!(refused(observer.look().await), (AlarmKind::Rollback, None));
    let again = listed().await;
    assert_eq!((&again["alarm_count"], &again["alarms"][0]["version"]), (&json!(1), &json!(3)));
    assert_eq!(again["alarms"][0]["reason"], Value::Null);
    app.change("auditor", ("POST", &path), 3, because()).await.expect(200);
    // Another objection of the same witness is open.
    for code in ["W-3", "W-4", "W-5"] {
        grow(&app, code).await;
    }
    assert_eq!(refused(observer.look().await).0, AlarmKind::Rewritten);
    let later = listed().await;
    assert_eq!((&later["alarm_count"], &later["alarm_total"]), (&json!(1), &json!(2)));
    assert_eq!(later["alarms"][0]["kind"], "rewritten", "what is open comes first");
}

#[tokio::test]
async fn d_6_3_1_a_log_written_anew_with_the_same_key_is_refused() {
    // Two platforms with one history and one key go their own ways.
    let (app, anew) = (TestApp::start().await, TestApp::start().await);
    assert_eq!(app.assembled.ledger.genesis(), anew.assembled.ledger.genesis());
    grow(&app, "W-1").await;
    grow(&anew, "X-1").await;
    let (served, elsewhere) = (serve(&app).await, serve(&anew).await);
    let mut observer = Observer::of(&served);
    for app in [&app, &anew] {
        register(app, &observer.key()).await;
    }
    signed(observer.look().await);
    observer.arguments.of = elsewhere.url.clone();
    assert_eq!(refused(observer.look().await), (AlarmKind::Rewritten, None));
    let listed = anew.get("supervisor", "/api/v1/ledger/witnesses").await.expect(200);
    // Two notes of one size with two roots need no witness to be believed.
    assert_eq!(listed["alarms"][0]["proven"], true);
    grow(&anew, "X-2").await;
    assert_eq!(refused(observer.look().await).0, AlarmKind::Rewritten);
    // The log it knows is signed on.
    observer.arguments.of = served.url.clone();
    grow(&app, "W-2").await;
    signed(observer.look().await);
}

#[tokio::test]
async fn d_6_3_1_a_log_shown_differently_to_two_witnesses_is_found_when_they_compare() {
    let (app, anew) = (TestApp::start().await, TestApp::start().await);
    let (served, elsewhere) = (serve(&app).await, serve(&anew).await);
    let (one, mut other) = (Observer::of(&served), Observer::of(&elsewhere));
    register(&app, &one.key()).await;
    register(&anew, &other.key()).await;
    // While both see one log, they agree.
    let listens = async |observer: &Observer| {
        let arguments = observer.arguments.clone();
        let begin = move || {
            let mut witness = Witness::open(&arguments, noon).unwrap();
            signed(witness.look().unwrap());
            let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
            let listens = witness.listen(address).unwrap();
            (format!("http://{listens}"), witness)
        };
        tokio::task::spawn_blocking(begin).await.unwrap()
    };
    let (peer, mut first) = listens(&one).await;
    other.arguments.peer = vec![peer];
    let before = signed(other.look().await);
    grow(&app, "W-1").await;
    grow(&anew, "X-1").await;
    grow(&anew, "X-2").await;
    first = tokio::task::spawn_blocking(move || {
        signed(first.look().unwrap());
        first
    })
    .await
    .unwrap();
    assert_eq!(refused(other.look().await), (AlarmKind::SplitView, None));
    // It did not sign what it then saw.
    let kept = fs::read_to_string(other.folder.path().join("state.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["note"], before.to_text());
    let alarm = &other.evidence()[0];
    let sides = [&alarm.known, &alarm.seen].map(|note| Note::read(note).unwrap().checkpoint.size);
    assert_eq!(sides, [before.checkpoint.size + 2, before.checkpoint.size + 1]);
    drop(first);
}

#[tokio::test]
async fn d_6_3_1_a_witness_without_a_sound_memory_signs_nothing() {
    let app = TestApp::start().await;
    let served = serve(&app).await;
    let mut observer = Observer::of(&served);
    // Another chain than the one that was asked for.
    observer.arguments.fingerprint = Some("0".repeat(64));
    let Outcome::Waiting(why) = observer.look().await else { panic!("another chain") };
    assert!(why.contains("指纹"), "{why}");
    let (_, chain) = app.assembled.ledger.genesis();
    observer.arguments.fingerprint = Some(yj_crypto::to_hex(&chain));
    assert!(matches!(observer.look().await, Outcome::Signed { .. }));
    let stops = |observer: &Observer, with: &str| {
        let Err(why) = observer.open() else { panic!("it should stop: {with}") };
        assert!(why.contains(with), "{why}");
    };
    let holder = observer.open().unwrap();
    stops(&observer, "另一个见证程序");
    drop(holder);
    observer.arguments.fingerprint = Some("0".repeat(64));
    stops(&observer, "另一条链");
    observer.arguments.fingerprint = None;
    observer.arguments.name = Some(String::from("另一名称"));
    stops(&observer, "名称");
    observer.arguments.name = None;
    assert!(observer.open().is_ok());
    let file = observer.folder.path().join("state.json");
    let sound = fs::read_to_string(&file).unwrap();
    let digit = sound.find("block ").unwrap() + "block ".len();
    let mut damaged = sound.clone();
    damaged.replace_range(digit..=digit, if &sound[digit..=digit] == "1" { "2" } else { "1" });
    for text in [damaged.as_str(), "", "{}", &sound[..sound.len() / 2]] {
        fs::write(&file, text).unwrap();
        stops(&observer, "已损坏");
    }
    fs::remove_file(&file).unwrap();
    stops(&observer, "不见了");
    // A memory of an empty log, with its digest computed anew, is not under this key's name.
    fs::write(&file, &sound).unwrap();
    fs::remove_file(observer.folder.path().join("key.pem")).unwrap();
    stops(&observer, "私钥");
}

#[tokio::test]
async fn d_6_3_1_the_published_files_are_the_bytes_of_the_routes() {
    let app = TestApp::start().await;
    for round in 0..3 {
        grow(&app, &format!("W-{round}")).await;
    }
    let ledger = &app.assembled.ledger;
    let folder = tempfile::tempdir().unwrap();
    let first = yj_ledger::publish(ledger, folder.path()).unwrap();
    assert!(first.tiles >= 1);
    assert_eq!(yj_ledger::publish(ledger, folder.path()).unwrap().tiles, 0);
    grow(&app, "W-9").await;
    let second = yj_ledger::publish(ledger, folder.path()).unwrap();
    assert!(second.size > first.size);
    let names = files(folder.path());
    assert!(names.iter().any(|name| name.starts_with("ledger/tile/0/000")), "{names:?}");
    for name in &names {
        let answer = open_get(&app, &format!("/{name}")).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.bytes, fs::read(folder.path().join(name)).unwrap(), "{name}");
        assert!(answer.headers["cache-control"].to_str().unwrap().starts_with("public"), "{name}");
    }
    // What somebody else publishes is published again, computed anew.
    let served = serve(&app).await;
    let copy = tempfile::tempdir().unwrap();
    let (url, target) = (served.url.clone(), copy.path().to_owned());
    let mirror = move || yj_server::publish_from(&url, &target).unwrap();
    assert_eq!(tokio::task::spawn_blocking(mirror).await.unwrap().size, second.size);
    for name in files(copy.path()) {
        let (one, other) = (copy.path().join(&name), folder.path().join(&name));
        assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap(), "{name}");
    }
    // Nothing is written over another history.
    let anew = TestApp::start().await;
    for round in 0..9 {
        grow(&anew, &format!("X-{round}")).await;
    }
    let problem = yj_ledger::publish(&anew.assembled.ledger, folder.path()).unwrap_err();
    assert!(problem.to_string().contains("不是由它增长而来"), "{problem}");
    fs::write(folder.path().join("ledger/checkpoint"), "x").unwrap();
    assert!(yj_ledger::publish(ledger, folder.path()).is_err());
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.push(String::from(name.to_str().unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn g_10_4_published_paths_are_bounded_and_say_what_would_be_right() {
    let bare = TestApp::bare(yj_identity::Security::demonstration()).await;
    assert_eq!(open_get(&bare, "/ledger/checkpoint").await.status, 404);
    assert_eq!(open_get(&bare, "/ledger/tile/0/000.p/1").await.status, 404);
    let app = TestApp::start().await;
    let size = published(&app).await.checkpoint.size;
    for wrong in ["0/0", "8/000", "0/000.p/0", "0/000.p/256", "-1/000", "0/x000/001"] {
        let problem = open_get(&app, &format!("/ledger/tile/{wrong}")).await.expect(400);
        assert!(problem["detail"].as_str().unwrap().contains("0/x001/x234/067"), "{problem}");
    }
    let long = "x001/".repeat(200);
    assert_eq!(open_get(&app, &format!("/ledger/tile/0/{long}000")).await.status, 400);
    for missing in [format!("0/000.p/{}", size + 1), String::from("0/001"), String::from("7/000")] {
        assert_eq!(open_get(&app, &format!("/ledger/tile/{missing}")).await.status, 404);
    }
    let path = format!("/ledger/consistency?from=1&to={size}");
    let proof = open_get(&app, &path).await.expect(200);
    assert!(!proof["path"].as_array().unwrap().is_empty());
    for (query, field) in [
        (String::new(), "from"),
        (String::from("from=0&to=1"), "from"),
        (String::from("from=1&to=x"), "to"),
        (format!("from=1&to={}", size + 1), "to"),
        (String::from("from=3&to=2"), "from"),
        (String::from("from=99999999999999999999&to=2"), "from"),
    ] {
        let problem = open_get(&app, &format!("/ledger/consistency?{query}")).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
    let genesis = open_get(&app, "/ledger/genesis").await;
    assert_eq!(genesis.bytes, app.assembled.ledger.genesis().0);
    // Hashes only: nobody is named.
    let tile = open_get(&app, &format!("/ledger/tile/0/000.p/{size}")).await;
    assert_eq!(tile.bytes.len() as u64, 32 * size);
}
