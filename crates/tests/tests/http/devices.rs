//! 设备 (G-6.7.5, G-4c): who registers them and where, what proves them, and whether they live.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_identity::Security;

use crate::{
    certificate::{authority, issue, revoke, to_today},
    harness::TestApp,
};

const REGISTER: &str = "/api/v1/device";
const HEARTBEAT: &str = "/api/v1/device/heartbeat";

pub fn device(subject: &Value, mac: &str) -> Value {
    json!({
        "mac": mac, "kind": "scale", "model": "示例-C30", "subject_id": subject["id"],
        "region": subject["region"], "in_use": true,
    })
}

/// Files a registration and says under which request.
async fn file(app: &TestApp, user: &str, device: Value) -> String {
    let filed = app.post(user, REGISTER, device).await.expect(202);
    String::from(filed["change_request"]["id"].as_str().unwrap())
}

fn approval(request: &str) -> String {
    format!("{REGISTER}/changes/{request}/approve")
}

/// Registers a device, with the reviewer's word; its identifier.
pub async fn registered(app: &TestApp, user: &str, device: Value) -> String {
    let request = file(app, user, device).await;
    let decided = app.post("reviewer", &approval(&request), json!({})).await.expect(200);
    String::from(decided["record"].as_str().unwrap())
}

fn beat(app: &TestApp, mac: &str, sequence: i64) -> Value {
    json!({ "mac": mac, "sequence": sequence, "at": app.now().to_string() })
}

async fn beats(app: &TestApp, user: &str, beats: Value) -> Value {
    app.post(user, HEARTBEAT, json!({ "heartbeats": beats })).await.expect(200)
}

/// Why the only heartbeat of a request was refused.
async fn refusal(app: &TestApp, user: &str, beat: Value) -> String {
    let answer = beats(app, user, json!([beat])).await;
    assert_eq!(answer["accepted"], 0, "{answer}");
    String::from(answer["refused"][0]["code"].as_str().unwrap())
}

#[tokio::test]
async fn g_6_7_5_devices_are_known_by_one_mac_address_however_it_is_written() {
    let app = TestApp::start().await;
    let (subject, other) =
        (app.subject("示例蔬菜加工厂").await, app.subject("示例韭菜合作社一社").await);
    let request = file(&app, "enterprise", device(&subject, "a4-bb-6d-00-11-22")).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM device").await, 0, "nobody has approved it");
    assert_eq!(app.post("enterprise", &approval(&request), json!({})).await.status, 403);
    let decided = app.post("reviewer", &approval(&request), json!({})).await.expect(200);
    let path = format!("{REGISTER}/{}", decided["record"].as_str().unwrap());
    let made = app.get("enterprise", &path).await.expect(200);
    assert_eq!(
        (&made["mac"], &made["state"], &made["locally_administered"], &made["interval_minutes"]),
        (&json!("A4:BB:6D:00:11:22"), &json!("never"), &json!(false), &json!(10))
    );
    // It lives; a stranger who proposes the same address learns nothing of all this.
    let lives = json!([beat(&app, "A4BB6D001122", 1)]);
    assert_eq!(beats(&app, "gateway", lives).await["accepted"], 1);
    let plain = |mut answer: Value, mac: &str| {
        for name in ["id", "submitted_at"] {
            answer["change_request"][name] = Value::Null;
        }
        answer.to_string().replace(mac, "MAC")
    };
    let mut answers = Vec::new();
    for mac in ["A4:BB:6D:00:11:22", "A4:BB:6D:00:11:99"] {
        let answer = app.post("farm", REGISTER, device(&other, mac)).await.expect(202);
        answers.push(plain(answer, mac));
    }
    assert_eq!(answers[0], answers[1], "a taken address looks like a free one");
    for twin in ["A4:BB:6D:00:11:22", "a4bb.6d00.1122", "A4BB6D001122"] {
        let request = file(&app, "farm", device(&other, twin)).await;
        let again = app.post("reviewer", &approval(&request), json!({})).await.expect(409);
        assert_eq!(again["code"], "duplicate", "{twin}");
        let text = again.to_string();
        for secret in [&subject["id"], &subject["code"], &subject["name"], &made["id"]] {
            assert!(!text.contains(secret.as_str().unwrap()), "{text}");
        }
    }
    assert_eq!(app.get("farm", &path).await.status, 404);
    for wrong in ["01:00:5E:00:00:01", "000000000000", "FFFFFFFFFFFF", "A4BB6D", "G4BB6D001122"] {
        app.post("enterprise", REGISTER, device(&subject, wrong)).await.expect(422);
    }
    let foreign = app.post("farm", REGISTER, device(&subject, "A4BB6D001123")).await;
    assert_eq!(foreign.status, 422);
    let local = registered(&app, "enterprise", device(&subject, "06:00:00:00:00:01")).await;
    let found = app.get("supervisor", &format!("{REGISTER}?locally_administered=true")).await;
    assert_eq!(found.expect(200)["items"][0]["id"], json!(local));
}

#[tokio::test]
async fn g_6_7_5_a_device_stands_with_its_owner_unless_a_supervisor_registers_it() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let at = |region: &str, mac: &str| {
        let mut device = device(&subject, mac);
        device["region"] = json!(region);
        device
    };
    for region in ["610104", "610100", "620000"] {
        let refused =
            app.post("enterprise", REGISTER, at(region, "A4BB6D020001")).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "region", "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("其名下节点"), "{refused}");
    }
    registered(&app, "enterprise", at("610116001", "A4BB6D020001")).await;
    // A market of its own elsewhere is a place of its own.
    let node = json!({
        "code": "610104001", "name": "示例市场", "kind": "market", "subject_id": subject["id"],
        "region": "610104", "in_use": true,
    });
    let filed = app.post("enterprise", "/api/v1/node", node).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/node/changes/{request}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200);
    registered(&app, "enterprise", at("610104", "A4BB6D020002")).await;
    registered(&app, "supervisor", at("610302", "A4BB6D020003")).await;
    let beyond = app.post("supervisor", REGISTER, at("620102", "A4BB6D020004")).await;
    assert_eq!(beyond.status, 422, "another province is not theirs");
}

#[tokio::test]
async fn g_6_7_5_every_number_of_a_device_is_checked() {
    let app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let with = |changes: Value| {
        let mut device = device(&subject, "A4BB6D030001");
        device.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        device
    };
    for (changes, field) in [
        (json!({ "imei": "490154203237517" }), "imei"),
        (json!({ "imei": "4901542032375" }), "imei"),
        (json!({ "iccid": "89860318740200301125" }), "iccid"),
        (json!({ "iccid": "8986" }), "iccid"),
        (json!({ "interval_minutes": 0 }), "interval_minutes"),
        (json!({ "interval_minutes": 1441 }), "interval_minutes"),
        (json!({ "lon": "108.9" }), "lat"),
        (json!({ "lon": "208.9", "lat": "34.2" }), "lon"),
        (json!({ "installed_on": "2026-13-01" }), "installed_on"),
    ] {
        let refused = app.post("enterprise", REGISTER, with(changes)).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let sound = json!({
        "imei": "49-015420-323751-8", "iccid": "8986031874020030113", "firmware": "1.0.3",
        "installed_on": "2026-01-01", "lon": "108.9480000", "lat": "34.2600000",
        "interval_minutes": 5,
        // What the platform finds out is not for others to say.
        "state": "online", "locally_administered": true,
    });
    let id = registered(&app, "enterprise", with(sound)).await;
    let made = app.get("enterprise", &format!("{REGISTER}/{id}")).await.expect(200);
    assert_eq!(
        (&made["imei"], &made["lon"], &made["state"], &made["locally_administered"]),
        (&json!("490154203237518"), &json!("108.948"), &json!("never"), &json!(false))
    );
}

/// Identifiers of all that waits.
async fn waiting(app: &TestApp) -> Vec<Value> {
    let mut ids = Vec::new();
    for page in 1..=200 {
        let path = format!("{REGISTER}/changes?state=submitted&per_page=100&page={page}");
        let found = app.get("reviewer", &path).await.expect(200);
        let items = found["items"].as_array().unwrap();
        if items.is_empty() {
            break;
        }
        ids.extend(items.iter().map(|one| one["id"].clone()));
    }
    ids
}

/// Imports so many rows as the enterprise; `wrong` may change the address or the owner of a row.
async fn import(
    app: &TestApp,
    rows: usize,
    wrong: impl Fn(usize) -> Option<(String, String)>,
) -> Value {
    let owner = app.subject("示例蔬菜加工厂").await;
    let mut sheet = String::from("MAC 地址,设备类型,设备型号,所属企业,所属区域,是否启用\n");
    for number in 0..rows {
        // The owner by its code, as it stands on the licence, or by its identifier.
        let owner = owner[if number % 2 == 0 { "code" } else { "id" }].as_str().unwrap();
        let sound = || (format!("A4BB6D{number:06X}"), String::from(owner));
        let (mac, owner) = wrong(number).unwrap_or_else(sound);
        sheet.push_str(&format!("{mac},电子秤,示例-C30,{owner},610116,是\n"));
    }
    app.import("enterprise", "/api/v1/device/import", sheet.into_bytes()).await
}

#[tokio::test]
async fn g_6_7_5_a_thousand_devices_come_in_one_file_and_are_let_in_by_the_hundred() {
    let app = TestApp::start().await;
    let owner = app.subject("示例蔬菜加工厂").await;
    let code = String::from(owner["code"].as_str().unwrap());
    let nobody = yj_model::SubjectCode::issue(610_116, 7, 99).unwrap().to_string();
    let job = import(&app, 1_000, |number| match number {
        10 => Some((String::from("A4BB6D000009"), code.clone())),
        20 => Some((String::from("A4BB6D"), code.clone())),
        30 => Some((String::from("A4BB6D00001E"), nobody.clone())),
        _ => None,
    })
    .await;
    assert_eq!((&job["succeeded"], &job["failed"]), (&998.into(), &2.into()), "{job}");
    let rows = format!("/api/v1/jobs/{}/rows?outcome=failed", job["id"].as_str().unwrap());
    let failed = app.get("enterprise", &rows).await.expect(200);
    let numbers: Vec<_> =
        failed["items"].as_array().unwrap().iter().map(|row| row["row"].clone()).collect();
    assert_eq!(numbers, [json!(21), json!(31)]);
    let detail = failed["items"][1]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("没有代码为“{nobody}”的追溯主体")), "{detail}");
    let ids = waiting(&app).await;
    assert_eq!(ids.len(), 998);
    let path = "/api/v1/device/changes/approve";
    let approve =
        async |user: &str, ids: &[Value]| app.post(user, path, json!({ "ids": ids })).await;
    assert_eq!(approve("enterprise", &ids[..1]).await.status, 403);
    assert_eq!(approve("reviewer", &[]).await.status, 422);
    assert_eq!(approve("reviewer", &ids[..501]).await.status, 422);
    let mut first = ids[..499].to_vec();
    first.push(json!("0190a5f0-0000-7000-8000-000000000000"));
    let first = approve("reviewer", &first).await.expect(200);
    assert_eq!((&first["approved"], &first["refused"]), (&499.into(), &1.into()));
    let last = &first["results"][499];
    assert_eq!((&last["approved"], &last["detail"]), (&false.into(), &"变更申请不存在".into()));
    // Rows 10 and 11 have one address; whichever comes second is told so.
    let second = approve("reviewer", &ids[499..]).await.expect(200);
    assert_eq!((&second["approved"], &second["refused"]), (&498.into(), &1.into()), "{second}");
    let again = approve("reviewer", &ids[..2]).await.expect(200);
    assert_eq!(again["refused"], 2, "decided once is decided: {again}");
    assert_eq!(waiting(&app).await.len(), 1);
    let path = "/api/v1/device?mac=a4bb6d000009&count=true";
    assert_eq!(app.get("supervisor", path).await.expect(200)["total"]["count"], 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM device").await, 997);
}

#[tokio::test]
async fn g_4c_a_heartbeat_counts_once_in_its_time_and_under_its_own_name() {
    let mut app = TestApp::start().await;
    let (own, other) =
        (app.subject("示例蔬菜加工厂").await, app.subject("示例韭菜合作社一社").await);
    let mac = "A4:BB:6D:04:00:01";
    let id = registered(&app, "enterprise", device(&own, mac)).await;
    registered(&app, "farm", device(&other, "A4:BB:6D:04:00:02")).await;
    let mut idle = device(&own, "A4:BB:6D:04:00:03");
    idle["in_use"] = json!(false);
    registered(&app, "enterprise", idle).await;
    let one = json!({ "heartbeats": [beat(&app, mac, 1)] });
    assert_eq!(app.post("enterprise", HEARTBEAT, one).await.status, 403, "people do not beat");
    let entries = "SELECT COUNT(*) FROM audit_log WHERE entity = 'device'";
    let before = app.count(entries).await;
    let mut first = beat(&app, "a4-bb-6d-04-00-01", 5);
    first["battery"] = json!(80);
    first["firmware"] = json!("1.0.4");
    assert_eq!(beats(&app, "gateway", json!([first])).await["accepted"], 1);
    assert_eq!(app.count(entries).await, before + 1, "coming online is an entry");
    // The same again, an older one, and one that is late or early.
    assert_eq!(refusal(&app, "gateway", first).await, "replayed");
    assert_eq!(refusal(&app, "gateway", beat(&app, mac, 4)).await, "replayed");
    for minutes in [-6, 6] {
        let mut off = beat(&app, mac, 6);
        off["at"] = json!((app.now() + SignedDuration::from_mins(minutes)).to_string());
        assert_eq!(refusal(&app, "gateway", off).await, "off_time");
    }
    assert_eq!(refusal(&app, "gateway", beat(&app, "A4BB6D04FFFF", 1)).await, "unknown");
    assert_eq!(refusal(&app, "gateway", beat(&app, "A4BB6D040003", 1)).await, "out_of_use");
    assert_eq!(refusal(&app, "gateway", beat(&app, "FFFFFFFFFFFF", 1)).await, "malformed");
    let mut wrong = beat(&app, mac, 6);
    wrong["battery"] = json!(101);
    assert_eq!(refusal(&app, "gateway", wrong).await, "malformed");
    // What one device says twice in one breath it says once.
    let both = json!([beat(&app, mac, 6), beat(&app, "a4bb6d040001", 7)]);
    let both = beats(&app, "gateway", both).await;
    assert_eq!((&both["accepted"], &both["refused"][0]["code"]), (&1.into(), &"repeated".into()));
    assert_eq!(app.count(entries).await, before + 1, "heartbeats leave no entries");
    let path = format!("{REGISTER}/{id}");
    let stored = app.get("enterprise", &path).await.expect(200);
    assert_eq!((&stored["state"], &stored["version"]), (&json!("online"), &json!(1)));
    let last = app.get("enterprise", &format!("{path}/status")).await.expect(200);
    assert_eq!(
        (&last["sequence"], &last["battery"], &last["firmware"]),
        (&json!(6), &json!(80), &json!("1.0.4"))
    );
    assert_eq!(app.get("farm", &format!("{path}/status")).await.status, 404);
    // A gateway of the enterprise speaks for its devices and for no others'.
    house_gateway(&mut app).await;
    let mixed = json!([beat(&app, mac, 7), beat(&app, "A4BB6D040002", 1)]);
    let mixed = beats(&app, "own-gateway", mixed).await;
    assert_eq!((&mixed["accepted"], &mixed["refused"][0]["code"]), (&1.into(), &"unknown".into()));
}

/// A client of the enterprise, with the rights of an integrator over it.
async fn house_gateway(app: &mut TestApp) {
    let found = app.get("sysadmin", "/api/v1/organization?code=DEMO-P1").await.expect(200);
    let organization = found["items"][0]["id"].clone();
    let account = json!({
        "user_name": "own-gateway", "name": "示例企业网关", "organization_id": organization,
        "kind": "service", "clearance": 2,
    });
    let account = app.post("sysadmin", "/api/v1/account", account).await.expect(201);
    let role = app.get("secadmin", "/api/v1/role?code=integrator").await.expect(200);
    let grant = json!({
        "account_id": account["id"], "role_id": role["items"][0]["id"],
        "organization_id": organization, "clearance": 2,
    });
    app.post("secadmin", "/api/v1/assignment", grant).await.expect(201);
    let client = json!({
        "client_id": "own-gateway", "name": "示例企业网关", "account_id": account["id"],
        "method": "oauth", "quota_per_minute": 100,
    });
    let client = app.post("sysadmin", "/api/v1/client", client).await.expect(201);
    let one = format!("/api/v1/client/{}", client["id"].as_str().unwrap());
    let made = app.post("sysadmin", &format!("{one}/secret"), json!({})).await.expect(200);
    let approved = app.post("secadmin", &format!("{one}/approve"), json!({})).await;
    assert_eq!(approved.status, 204);
    app.fetch_token("own-gateway", made["secret"].as_str().unwrap()).await;
}

#[tokio::test]
async fn g_6_7_5_who_falls_silent_is_offline_and_announced_until_heard_again() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let (mut slow, quick) =
        (device(&subject, "A4:BB:6D:05:00:01"), device(&subject, "A4:BB:6D:05:00:02"));
    slow["interval_minutes"] = json!(30);
    slow["kind"] = json!("sensor");
    let slow = registered(&app, "enterprise", slow).await;
    let quick = registered(&app, "enterprise", quick).await;
    registered(&app, "enterprise", device(&subject, "A4:BB:6D:05:00:03")).await;
    let all = json!([beat(&app, "A4BB6D050001", 1), beat(&app, "A4BB6D050002", 1)]);
    assert_eq!(beats(&app, "gateway", all).await["accepted"], 2);
    let state = async |app: &TestApp, state: &str| {
        let found = app.get("supervisor", &format!("{REGISTER}?state={state}")).await.expect(200);
        let items = found["items"].as_array().unwrap().clone();
        items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let watch =
        async |app: &TestApp| yj_construction::mark_offline(&app.assembled.app).await.unwrap();
    assert_eq!((state(&app, "online").await.len(), state(&app, "never").await.len()), (2, 1));
    app.pass(SignedDuration::from_mins(20));
    assert_eq!(watch(&app).await, 0, "twice the interval is not over yet");
    app.pass(SignedDuration::from_secs(1));
    assert_eq!(watch(&app).await, 1);
    assert_eq!(watch(&app).await, 0, "once is enough");
    assert_eq!(state(&app, "offline").await, [quick.as_str()]);
    assert_eq!(state(&app, "online").await, [slow.as_str()]);
    let gone = "SELECT COUNT(*) FROM outbox WHERE topic = 'device.offline'";
    assert_eq!(app.count(gone).await, 1);
    let come = "SELECT COUNT(*) FROM outbox WHERE topic = 'device.online'";
    assert_eq!(app.count(come).await, 2);
    let figures = app.get("supervisor", "/api/v1/device/status").await.expect(200);
    assert_eq!(
        figures["total"],
        json!({ "count": 3, "online": 1, "offline": 1, "never": 1, "online_rate": "0.3333" })
    );
    let kinds = figures["kinds"].as_array().unwrap();
    let of = |kind: &str| kinds.iter().find(|one| one["kind"] == kind).unwrap();
    assert_eq!(
        (&of("sensor")["online_rate"], &of("scale")["online_rate"]),
        (&json!("1.0000"), &json!("0.0000"))
    );
    assert_eq!(figures["regions"][0]["region"], "610116");
    let theirs = app.get("farm", "/api/v1/device/status").await.expect(200);
    assert_eq!(
        theirs["total"],
        json!({
            "count": 0, "online": 0, "offline": 0, "never": 0, "online_rate": null,
        })
    );
    // A change of the record leaves the state as it is, whatever the change says.
    let path = format!("{REGISTER}/{quick}");
    let change = json!({ "place": "示例新位", "state": "online", "interval_minutes": 60 });
    let filed = app.change("enterprise", ("PATCH", &path), 1, change).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    app.post("reviewer", &approval(request), json!({})).await.expect(200);
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!((&stored["state"], &stored["version"]), (&json!("offline"), &json!(2)));
    // Heard again, with the longer interval.
    let secret = String::from(app.password_of("gateway"));
    app.fetch_token("gateway", &secret).await;
    let back = json!([beat(&app, "A4BB6D050002", 2)]);
    assert_eq!(beats(&app, "gateway", back).await["accepted"], 1);
    assert_eq!(app.count(come).await, 3);
    app.pass(SignedDuration::from_mins(100));
    assert_eq!(watch(&app).await, 1, "the slow one by now");
    again(&mut app).await;
    assert_eq!(state(&app, "online").await, [quick.as_str()]);
    // A shorter interval counts from the last heartbeat on.
    let change = json!({ "interval_minutes": 30 });
    let filed = app.change("enterprise", ("PATCH", &path), 2, change).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    app.post("reviewer", &approval(request), json!({})).await.expect(200);
    assert_eq!(watch(&app).await, 1);
    // Another address is another device, of which nothing was heard.
    let change = json!({ "mac": "A4BB6D050009" });
    let filed = app.change("enterprise", ("PATCH", &path), 3, change).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    app.post("reviewer", &approval(request), json!({})).await.expect(200);
    assert_eq!(app.get("supervisor", &path).await.expect(200)["state"], "never");
    let fresh = json!([beat(&app, "A4BB6D050009", 0)]);
    assert_eq!(beats(&app, "gateway", fresh).await["accepted"], 1);
    let history = app.get("supervisor", &format!("{path}/history")).await.expect(200).to_string();
    assert!(history.contains("\"offline\"") && history.contains("\"online\""), "{history}");
}

#[tokio::test]
async fn g_6_7_5_a_gateway_speaks_for_a_thousand_devices_at_once() {
    let app = TestApp::start().await;
    import(&app, 1_000, |_| None).await;
    let ids = waiting(&app).await;
    for part in ids.chunks(500) {
        let body = json!({ "ids": part });
        let answer = app.post("reviewer", "/api/v1/device/changes/approve", body).await;
        assert_eq!(answer.expect(200)["approved"], 500);
    }
    let all = |sequence: i64, count: usize| {
        let one = |number: usize| beat(&app, &format!("A4BB6D{number:06X}"), sequence);
        (0..count).map(one).collect::<Value>()
    };
    assert_eq!(beats(&app, "gateway", all(1, 1_000)).await["accepted"], 1_000);
    let entries = app.count("SELECT COUNT(*) FROM audit_log").await;
    for sequence in 2..5 {
        assert_eq!(beats(&app, "gateway", all(sequence, 1_000)).await["accepted"], 1_000);
    }
    let again = beats(&app, "gateway", all(4, 1_000)).await;
    let refused = again["refused"].as_array().unwrap();
    assert!(again["accepted"] == 0 && refused.iter().all(|one| one["code"] == "replayed"));
    assert_eq!(app.count("SELECT COUNT(*) FROM audit_log").await, entries);
    assert_eq!(app.count("SELECT COUNT(*) FROM device_status").await, 1_000);
    for wrong in [all(9, 1_001), json!([])] {
        let refused = app.post("gateway", HEARTBEAT, json!({ "heartbeats": wrong })).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
    app.pass(SignedDuration::from_mins(21));
    let gone = yj_construction::mark_offline(&app.assembled.app).await.unwrap();
    assert_eq!(gone, 1_000, "in steps, but all of them");
}

fn pem(folder: &Path, name: &str) -> Value {
    json!({ "certificate": std::fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap() })
}

/// A heartbeat with the signature of a key.
fn signed(app: &TestApp, folder: &Path, (name, mac, sequence): (&str, &str, i64)) -> Value {
    let key = std::fs::read_to_string(folder.join(format!("{name}.key"))).unwrap();
    let key = SigningKey::from_pem(&key).unwrap();
    let mut beat = beat(app, mac, sequence);
    let text = format!("yj-heartbeat-v1\n{mac}\n{sequence}\n{}", beat["at"].as_str().unwrap());
    beat["signature"] = json!(to_hex(&key.sign(text.as_bytes()).unwrap()));
    beat
}

#[tokio::test]
async fn g_4c_a_device_proves_itself_by_a_certificate_of_its_own_and_by_no_other() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    authority(folder, "ca");
    authority(folder, "stranger");
    let (sign, year, mac) = ("digitalSignature", "365", "A4:BB:6D:06:00:01");
    issue(folder, "ca", ("A4BB6D060001", "SM2", sign, year));
    issue(folder, "ca", ("SN-06-1", "SM2", sign, year));
    issue(folder, "ca", ("A4BB6D060002", "SM2", sign, year));
    issue(folder, "ca", ("A4-BB-6D-06-00-01", "SM2", sign, "1"));
    issue(folder, "ca", ("a4bb6d060001", "SM2", sign, year));
    issue(folder, "ca", ("a4bb.6d06.0001", "P-256", sign, year));
    issue(folder, "stranger", ("a4-bb-6d-06-00-01", "SM2", sign, year));
    revoke(folder, "ca", Some("a4bb6d060001.pem"));
    let bundle = folder.join("ca.bundle").display().to_string();
    let security = Security { sm2_authorities: bundle, ..Security::demonstration() };
    let mut app = TestApp::start_under(security).await;
    to_today(&app);
    again(&mut app).await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let mut first = device(&subject, mac);
    first["serial_no"] = json!("SN-06-1");
    let id = registered(&app, "enterprise", first).await;
    let other = registered(&app, "enterprise", device(&subject, "A4BB6D060002")).await;
    let at = |id: &str, tail: &str| format!("{REGISTER}/{id}/{tail}");
    let bind = async |app: &TestApp, user: &str, name: &str| {
        app.post(user, &at(&id, "certificate"), pem(folder, name)).await
    };
    // Without a certificate nobody signs, and what is signed cannot be checked.
    let plain = json!([beat(&app, mac, 1)]);
    assert_eq!(beats(&app, "gateway", plain).await["accepted"], 1);
    let early = signed(&app, folder, ("A4BB6D060001", mac, 2));
    assert_eq!(refusal(&app, "gateway", early).await, "no_certificate");
    for (name, word) in [
        ("A4BB6D060002", "不是该设备的证书"),
        ("a4bb6d060001", "已被吊销"),
        ("a4bb.6d06.0001", "不是 SM2"),
        ("a4-bb-6d-06-00-01", "不是受信任的机构"),
    ] {
        let refused = bind(&app, "enterprise", name).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{word}: {refused}");
    }
    let nonsense = json!({ "certificate": "-----BEGIN CERTIFICATE-----" });
    app.post("enterprise", &at(&id, "certificate"), nonsense).await.expect(422);
    assert_eq!(bind(&app, "farm", "A4BB6D060001").await.status, 404);
    let bound = bind(&app, "enterprise", "A4BB6D060001").await.expect(201);
    assert_eq!(bound["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!((&bound["name"], &bound["revoked_at"]), (&json!("A4BB6D060001"), &Value::Null));
    let second = bind(&app, "enterprise", "SN-06-1").await.expect(409);
    assert!(second["detail"].as_str().unwrap().contains("先吊销"), "{second}");
    // From now on it signs, with the key of that certificate.
    assert_eq!(refusal(&app, "gateway", beat(&app, mac, 3)).await, "unsigned");
    let foreign = signed(&app, folder, ("A4BB6D060002", mac, 3));
    assert_eq!(refusal(&app, "gateway", foreign).await, "bad_signature");
    let own = signed(&app, folder, ("A4BB6D060001", mac, 3));
    let mut bent = own.clone();
    bent["sequence"] = json!(4);
    assert_eq!(refusal(&app, "gateway", bent).await, "bad_signature");
    assert_eq!(beats(&app, "gateway", json!([own])).await["accepted"], 1);
    assert_eq!(refusal(&app, "gateway", own).await, "replayed");
    // Another device does not come by it, and the address stays as long as it holds.
    let change = json!({ "mac": "A4BB6D060009" });
    let path = format!("{REGISTER}/{id}");
    let filed = app.change("enterprise", ("PATCH", &path), 1, change).await.expect(202);
    let request = filed["change_request"]["id"].as_str().unwrap();
    let held = app.post("reviewer", &approval(request), json!({})).await.expect(409);
    assert!(held["detail"].as_str().unwrap().contains("先吊销证书"), "{held}");
    // Revoked, it proves nothing any more, and is never bound again.
    let lost = json!({ "reason": "私钥可能泄露" });
    app.post("enterprise", &at(&id, "certificate/revoke"), json!({ "reason": " " }))
        .await
        .expect(422);
    let revoked =
        app.post("enterprise", &at(&id, "certificate/revoke"), lost.clone()).await.expect(200);
    assert_eq!((&revoked["id"], &revoked["reason"]), (&bound["id"], &json!("私钥可能泄露")));
    app.post("enterprise", &at(&id, "certificate/revoke"), lost.clone()).await.expect(409);
    let late = signed(&app, folder, ("A4BB6D060001", mac, 5));
    assert_eq!(refusal(&app, "gateway", late).await, "no_certificate");
    assert_eq!(refusal(&app, "gateway", beat(&app, mac, 5)).await, "no_certificate");
    bind(&app, "enterprise", "A4BB6D060001").await.expect(409);
    // One that names it by its number, and one of a day only.
    bind(&app, "enterprise", "SN-06-1").await.expect(201);
    let own = json!([signed(&app, folder, ("SN-06-1", mac, 5))]);
    assert_eq!(beats(&app, "gateway", own).await["accepted"], 1);
    app.post("enterprise", &at(&id, "certificate/revoke"), lost).await.expect(200);
    bind(&app, "enterprise", "A4-BB-6D-06-00-01").await.expect(201);
    app.pass(SignedDuration::from_hours(26));
    again(&mut app).await;
    let expired = signed(&app, folder, ("A4-BB-6D-06-00-01", mac, 6));
    assert_eq!(refusal(&app, "gateway", expired).await, "no_certificate");
    let history = app.get("enterprise", &at(&id, "certificates")).await.expect(200);
    let names: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["A4-BB-6D-06-00-01", "SN-06-1", "A4BB6D060001"]);
    assert_eq!(app.get("farm", &at(&id, "certificates")).await.status, 404);
    let none = app.get("enterprise", &at(&other, "certificates")).await.expect(200);
    assert_eq!(none["items"], json!([]));
    let bare = TestApp::start().await;
    let subject = bare.subject("示例蔬菜加工厂").await;
    let id = registered(&bare, "enterprise", device(&subject, mac)).await;
    let refused = bare
        .post("enterprise", &at(&id, "certificate"), pem(folder, "A4BB6D060001"))
        .await
        .expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("没有配置受信任的签发机构"), "{refused}");
}

/// Everybody logs in again.
async fn again(app: &mut TestApp) {
    for user in ["supervisor", "reviewer", "enterprise", "farm"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
    let secret = String::from(app.password_of("gateway"));
    app.fetch_token("gateway", &secret).await;
}
