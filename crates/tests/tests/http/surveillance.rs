//! 平台对自身的监视 (GB/T 22239 8.1.4.3, 8.1.4.4, 8.1.5.4; S-24, S-25, S-27, S-28): the controls
//! check themselves, the trail reaches a collector, the clock is compared, intrusion is noticed.

use std::{
    io::Write as _,
    net::{IpAddr, TcpListener, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use yj_identity::Security;

use crate::harness::TestApp;

async fn checked(app: &TestApp) -> Value {
    app.post("secadmin", "/api/v1/self-check/run", json!({})).await.expect(200)
}

fn finding<'a>(found: &'a Value, number: &str) -> &'a Value {
    let mut items = found["items"].as_array().unwrap().iter();
    &items.find(|item| item["number"] == number).unwrap()["check"]
}

#[tokio::test]
async fn g_10_1_the_controls_check_themselves_and_say_what_was_tampered_with() {
    let app = TestApp::start().await;
    assert_eq!(app.post("sysadmin", "/api/v1/self-check/run", json!({})).await.status, 403);
    let before = app.get("sysadmin", "/api/v1/self-check").await.expect(200);
    assert_eq!(
        (before["profile"].as_str(), &before["operator"]),
        (Some("demo"), &json!("示例机构"))
    );
    assert!(before["items"].as_array().unwrap().len() > 30);
    let sound = checked(&app).await;
    let mut live = 0;
    for item in sound["items"].as_array().unwrap() {
        // The test's clock is not that of the database server.
        if !item["check"].is_null() && item["number"] != "S-27" {
            assert_eq!(item["check"]["passed"], true, "{item}");
            live += 1;
        }
    }
    assert!(live >= 13, "{live}");
    let subject = app.subject("示例韭菜合作社一社").await;
    let id = subject["id"].as_str().unwrap();
    for sql in [
        "UPDATE assignment SET region = NULL WHERE region IS NOT NULL",
        &format!("UPDATE trace_subject SET contact_phone = '13800138000' WHERE id = '{id}'"),
        "UPDATE product SET label = 1 WHERE label = 2",
    ] {
        app.tamper(sql).await;
    }
    app.pass(SignedDuration::from_secs(1));
    let flawed = checked(&app).await;
    for (number, word) in [("S-16", "用户"), ("S-29", "未加密"), ("S-15", "密级")] {
        let check = finding(&flawed, number);
        assert_eq!(check["passed"], false, "{number}");
        assert!(check["finding"].as_str().unwrap().contains(word), "{check}");
    }
    assert_eq!(finding(&flawed, "S-12")["passed"], true);
    let alarms = app.get("secadmin", "/api/v1/alarms").await.expect(200);
    let alarms = alarms["items"].as_array().unwrap();
    let failed = alarms.iter().filter(|one| one["kind"] == "control_failed");
    assert!(failed.count() >= 3);
    let history = app.get("auditor", "/api/v1/self-check/history?number=S-16").await.expect(200);
    let passed: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|one| one["passed"].clone()).collect();
    assert_eq!(passed, [json!(false), json!(true)]);
}

#[tokio::test]
async fn s_16_an_old_right_put_back_together_with_its_seal_is_found() {
    let app = TestApp::start().await;
    app.run_sql("CREATE TABLE old_seal AS SELECT subject, mac FROM access_seal").await;
    app.run_sql("CREATE TABLE old_role AS SELECT id, permissions FROM role").await;
    let found = app.get("secadmin", "/api/v1/role?code=supervisor").await.expect(200);
    let role = &found["items"][0];
    let id = role["id"].as_str().unwrap();
    let mut fewer = role["permissions"].as_array().unwrap().clone();
    fewer.retain(|name| name != "product:write");
    let path = format!("/api/v1/role/{id}");
    app.change("secadmin", ("PATCH", &path), 1, json!({ "permissions": fewer })).await.expect(200);
    assert_eq!(finding(&checked(&app).await, "S-16")["passed"], true);
    // Row and seal fit each other, as they once did.
    for (table, column, key) in [("role", "permissions", "id"), ("access_seal", "mac", "subject")] {
        let old = if table == "role" { "old_role" } else { "old_seal" };
        app.tamper(&format!(
            "UPDATE {table} SET {column} = (SELECT o.{column} FROM {old} o WHERE o.{key} = \
             {table}.{key}) WHERE {key} = '{id}'"
        ))
        .await;
    }
    app.pass(SignedDuration::from_secs(1));
    let check = checked(&app).await;
    let check = finding(&check, "S-16");
    assert_eq!(check["passed"], false, "{check}");
    assert!(check["finding"].as_str().unwrap().contains("被换回"), "{check}");
}

#[tokio::test]
async fn s_24_entries_are_kept_and_a_shorter_time_is_refused() {
    let short = Security { audit_retention_days: 182, ..Security::default() };
    assert!(short.check().unwrap_err().contains("≥ 183"));
    let mut app = TestApp::start().await;
    let first = app.get("auditor", "/api/v1/audit?action=logged_in").await.expect(200);
    let first = first["items"][0]["id"].clone();
    for _ in 0..3 {
        // Whoever works comes back before their account falls asleep.
        app.pass(SignedDuration::from_hours(24 * 85));
        app.run_jobs().await;
        let (user, password) = app.password("auditor");
        let password = String::from(password);
        app.log_in(user, &password).await;
    }
    let me = app.get("auditor", "/api/v1/me").await.expect(200);
    let change = json!({
        "old": app.password_of("auditor"), "new": "tK9#mVx2!pLw-8q",
    });
    assert_eq!(me["next"], "change_password", "their password is older than ninety days");
    app.post("auditor", "/api/v1/me/password", change).await.expect(204);
    app.log_in("auditor", "tK9#mVx2!pLw-8q").await;
    let found = app.get("auditor", "/api/v1/audit?action=logged_in&at.to=2026-11-30T00:00:00Z");
    let found = found.await.expect(200);
    assert_eq!(found["items"][0]["id"], first, "255 days later");
}

#[tokio::test]
async fn s_27_a_clock_that_is_off_raises_an_alarm_and_signs_nothing() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let address = server.local_addr().unwrap().to_string();
    let security = Security { time_servers: vec![address], ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    app.assembled.ledger.drain(&app.assembled.app).await.unwrap();
    let now_ms = app.now().as_millisecond();
    let answers = std::thread::spawn(move || {
        for ahead_ms in [300, 5_000, 120_000, 0] {
            answer_time(&server, now_ms - ahead_ms);
        }
    });
    let subject = app.subject("示例韭菜合作社一社").await;
    let capture = async |code: &str| {
        let event = crate::harness::harvest(&subject, code);
        app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
        app.assembled.ledger.drain(&app.assembled.app).await
    };
    let alarms = async || app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'clock_drift'").await;
    let watch = async || app.assembled.identity.watch_clock(&app.assembled.app).await.unwrap();
    if app.database_file().is_none() {
        // The database server's clock is the real one, far from the test's.
        let found = watch().await;
        assert!(found.iter().any(|one| one.source == "数据库服务器" && one.ahead_ms != 0));
        assert!(alarms().await >= 1);
        assert!(capture("CLOCK-0").await.is_err());
        for _ in 0..3 {
            watch().await;
        }
        answers.join().unwrap();
        return;
    }
    watch().await;
    assert_eq!(alarms().await, 0, "300 ms are no alarm");
    watch().await;
    assert_eq!(alarms().await, 1, "five seconds are");
    assert!(capture("CLOCK-1").await.unwrap() > 0);
    watch().await;
    let refused = capture("CLOCK-2").await;
    assert!(refused.unwrap_err().to_string().contains("时钟"), "two minutes off signs nothing");
    watch().await;
    assert!(app.assembled.ledger.drain(&app.assembled.app).await.unwrap() > 0, "and goes on after");
    answers.join().unwrap();
}

/// One answer of a time server (RFC 4330).
fn answer_time(server: &UdpSocket, now_ms: i64) {
    const SINCE_1900_S: u64 = 2_208_988_800;
    let mut packet = [0u8; 48];
    let (_, from) = server.recv_from(&mut packet).unwrap();
    let now_ms = u64::try_from(now_ms).unwrap();
    let (seconds, rest_ms) = (now_ms / 1_000 + SINCE_1900_S, now_ms % 1_000);
    let mut stamp = [0u8; 8];
    stamp[..4].copy_from_slice(&u32::try_from(seconds).unwrap().to_be_bytes());
    let fraction = u32::try_from((rest_ms << 32) / 1_000).unwrap();
    stamp[4..].copy_from_slice(&fraction.to_be_bytes());
    let asked: [u8; 8] = packet[40..48].try_into().unwrap();
    let mut answer = [0u8; 48];
    answer[0] = 0b0010_0100;
    answer[1] = 2;
    answer[16..24].copy_from_slice(&stamp);
    answer[24..32].copy_from_slice(&asked);
    answer[32..40].copy_from_slice(&stamp);
    answer[40..48].copy_from_slice(&stamp);
    server.send_to(&answer, from).unwrap();
}

#[tokio::test]
async fn s_28_rows_taken_out_in_small_portions_add_up() {
    let security = Security { export_alarm_rows: 40, ..Security::demonstration() };
    let app = TestApp::start_under(security).await;
    let alarms = async || app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'mass_export'").await;
    for _ in 0..2 {
        app.get("supervisor", "/api/v1/trace_subject/export").await.expect(202);
        app.run_jobs().await;
    }
    let rows = "SELECT rows_asked FROM job WHERE rows_asked IS NOT NULL ORDER BY id LIMIT 1";
    let each = app.count(rows).await;
    assert!(each * 2 <= 40 && each * 4 > 40, "{each} rows at a time");
    assert_eq!(alarms().await, 0);
    for _ in 0..2 {
        app.get("supervisor", "/api/v1/trace_subject/export").await.expect(202);
        app.run_jobs().await;
    }
    assert_eq!(alarms().await, 1);
}

#[tokio::test]
async fn s_28_an_administrator_from_a_network_never_seen_is_an_alarm() {
    let app = TestApp::start().await;
    let enter = async |user: &'static str, address: &str| {
        let (user, password) = app.password(user);
        let body = json!({ "user": user, "password": password }).to_string();
        let request = Request::post("/api/v1/session").header("content-type", "application/json");
        let mut request = request.body(Body::from(body)).unwrap();
        let address: IpAddr = address.parse().unwrap();
        request.extensions_mut().insert(yj_http::PeerAddr(address));
        let answer = app.assembled.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'new_place'").await
    };
    assert_eq!(enter("sysadmin", "10.1.2.3").await, 0, "the first place is only noted");
    assert_eq!(enter("sysadmin", "10.1.2.200").await, 0, "the same network");
    assert_eq!(enter("sysadmin", "10.9.2.3").await, 1);
    assert_eq!(enter("sysadmin", "10.9.2.3").await, 1, "known from now on");
    assert_eq!(enter("farm", "203.0.113.9").await, 1, "enterprises move about");
    assert_eq!(enter("farm", "198.51.100.9").await, 1);
}

/// A collector as a security management centre runs one: rsyslog, over TLS.
struct Collector {
    process: Child,
}

impl Collector {
    /// Nothing where rsyslog is not installed.
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let config = folder.join("rsyslog.conf");
        let path = |name: &str| folder.join(name).display().to_string();
        let text = format!(
            "global(maxMessageSize=\"64k\" workDirectory=\"{}\" \
             defaultNetstreamDriver=\"ossl\" defaultNetstreamDriverCAFile=\"{}\" \
             defaultNetstreamDriverCertFile=\"{}\" defaultNetstreamDriverKeyFile=\"{}\")\n\
             module(load=\"imtcp\" streamDriver.name=\"ossl\" streamDriver.mode=\"1\" \
             streamDriver.authMode=\"anon\")\n\
             input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n\
             template(name=\"line\" type=\"string\" string=\"%pri%|%app-name%|%msgid%|%msg%\\n\")\n\
             action(type=\"omfile\" file=\"{}\" template=\"line\")\n",
            folder.display(),
            path("ca.pem"),
            path("server.pem"),
            path("server.key"),
            path("collected"),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("rsyslogd");
        command.arg("-n").arg("-i").arg(path("pid")).arg("-f").arg(&config);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "rsyslogd does not listen");
            std::thread::yield_now();
        }
        Some(Self { process })
    }

    /// Ends it, so that everything it has taken is written.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.process.wait().unwrap();
    }
}

/// A certificate authority and a server certificate for this machine, by OpenSSL.
fn certificates(folder: &Path) {
    let run = |arguments: &str| {
        let done = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "openssl {arguments}");
    };
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=sample-ca");
    run("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    run(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

#[tokio::test]
async fn s_25_the_trail_reaches_a_collector_whole_and_in_order_also_after_it_was_away() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let security = Security {
        audit_forward: format!("tls://localhost:{port}"),
        audit_forward_authority: folder.path().join("ca.pem").display().to_string(),
        ..Security::demonstration()
    };
    let mut app = TestApp::start_under(security).await;
    let forward =
        async |app: &TestApp| app.assembled.identity.forward_audit(&app.assembled.app).await;
    assert!(forward(&app).await.is_err(), "nobody is there");
    let Some(collector) = Collector::start(folder.path(), port) else {
        panic!("缺少 rsyslog 与 rsyslog-openssl：apt-get install rsyslog rsyslog-openssl");
    };
    let sent = forward(&app).await.unwrap();
    assert!(sent > 20, "{sent}");
    assert_eq!(forward(&app).await.unwrap(), 0, "once");
    collector.stop();
    // Away for ten minutes and more: acts go on, an alarm is raised, nothing is lost.
    for _ in 0..10 {
        assert_eq!(
            app.enter("nobody-here", "wrong").await.1["http_status"].as_i64().unwrap() / 100,
            4
        );
    }
    assert!(forward(&app).await.is_err());
    app.pass(SignedDuration::from_mins(11));
    assert!(forward(&app).await.is_err());
    let alarms = app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'forward_stalled'").await;
    assert_eq!(alarms, 1);
    let collector = Collector::start(folder.path(), port).unwrap();
    assert!(forward(&app).await.unwrap() > 10);
    collector.stop();
    let (user, password) = app.password("auditor");
    let password = String::from(password);
    let collected = std::fs::read_to_string(folder.path().join("collected")).unwrap();
    let mut seen = std::collections::BTreeMap::new();
    let mut entries = 0;
    for line in collected.lines() {
        let parts: Vec<_> = line.splitn(4, '|').collect();
        assert!(matches!(parts[0], "110" | "108" | "105") && parts[1] == "yuanjian", "{line}");
        let text = parts[3].trim_start().trim_start_matches('\u{feff}');
        let entry: Value = serde_json::from_str(text).unwrap();
        assert_eq!(entry["action"], parts[2]);
        let (lane, seq) = (entry["lane"].as_i64().unwrap(), entry["seq"].as_i64().unwrap());
        let last: &mut i64 = seen.entry(lane).or_default();
        assert_eq!(seq, *last + 1, "chain {lane} in order, without a gap");
        *last = seq;
        entries += 1;
    }
    assert!(collected.contains("108|yuanjian|login_refused"), "refusals are warnings");
    assert!(collected.contains("105|yuanjian|alarmed"), "alarms are alerts");
    let all = app.count("SELECT COUNT(*) FROM audit_log").await;
    assert_eq!(entries, all, "every entry, none twice");
    app.log_in(user, &password).await;
    // A collector that nobody vouches for gets nothing.
    let stranger = tempfile::tempdir().unwrap();
    certificates(stranger.path());
    for name in ["server.pem", "server.key"] {
        std::fs::copy(stranger.path().join(name), folder.path().join(name)).unwrap();
    }
    std::fs::File::create(folder.path().join("collected")).unwrap().flush().unwrap();
    let collector = Collector::start(folder.path(), port).unwrap();
    assert!(forward(&app).await.is_err());
    collector.stop();
    let collected = std::fs::read_to_string(folder.path().join("collected")).unwrap();
    assert_eq!(collected, "");
}
