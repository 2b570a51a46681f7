//! 设备数据 (D-6.3-2, D-5b, G-6.7.5): what devices report by themselves, whatever happens to it on the
//! way.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_telemetry::{picture, sign};

use crate::{
    devices::{device, registered},
    harness::{Answer, TestApp},
};

const DOOR: &str = "/api/v1/devices/messages";

/// A registered device with its key.
pub struct Sensor {
    pub id: String,
    pub mac: String,
    pub key: SigningKey,
}

impl Sensor {
    /// Registers a device for the user's enterprise and gives it a key.
    pub async fn new(app: &TestApp, (user, owner): (&str, &str), mac: &str) -> Self {
        let mut sensor = device(&app.subject(owner).await, mac);
        sensor["kind"] = json!("sensor");
        let id = registered(app, user, sensor).await;
        let mac: yj_model::MacAddress = mac.parse().unwrap();
        let mut seed = [7_u8; 32];
        seed[..mac.as_str().len()].copy_from_slice(mac.as_str().as_bytes());
        let key = SigningKey::from_seed(&seed).unwrap();
        let ctx = app.assembled.app.on_own_behalf("test");
        let mut tx = ctx.begin().await.unwrap();
        let public = to_hex(&key.public_key().to_bytes());
        yj_construction::vouch_for(&ctx, &mut tx, (&id, mac.as_str()), &public).await.unwrap();
        tx.commit().await.unwrap();
        Self { id, mac: mac.to_string(), key }
    }

    /// Of the processing plant.
    pub async fn of_plant(app: &TestApp, mac: &str) -> Self {
        Self::new(app, ("enterprise", "示例蔬菜加工厂"), mac).await
    }

    /// A message with these contents, signed.
    pub fn says(&self, (epoch, seq): (i64, i64), sent_at: Timestamp, rest: Value) -> Value {
        let mut message = json!({
            "device": self.mac, "epoch": epoch, "seq": seq, "sent_at": sent_at.to_string(),
        });
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        sign(&mut message, &self.key).unwrap();
        message
    }

    /// A message with one temperature, taken when it is sent.
    pub fn measures(&self, seq: i64, at: Timestamp, value: &str) -> Value {
        self.says((1, seq), at, json!({ "readings": [temperature(at, value)] }))
    }
}

pub fn temperature(at: Timestamp, value: &str) -> Value {
    json!({ "time": at.to_string(), "kind": "temperature", "value": value, "unit": "CEL" })
}

async fn ask(app: &TestApp, messages: &[Value]) -> Answer {
    let body = json!({ "messages": messages }).to_string().into_bytes();
    app.send("POST", DOOR, None, &[], Some(body)).await
}

/// What became of each of some messages.
pub async fn send(app: &TestApp, messages: &[Value]) -> Vec<String> {
    let answer = ask(app, messages).await.expect(200);
    let code = |one: &Value| String::from(one["code"].as_str().unwrap());
    answer["results"].as_array().unwrap().iter().map(code).collect()
}

async fn readings(app: &TestApp, user: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/devices/readings?sort=time&per_page=1000&{query}");
    app.get(user, &path).await.expect(200)["items"].as_array().unwrap().clone()
}

pub async fn seen(app: &TestApp, sensor: &Sensor) -> String {
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    picture(&mut tx, &[&sensor.mac]).await.unwrap()
}

async fn alarms(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'device_distrusted'").await
}

/// Chance that repeats itself.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Messages over some hours: slow temperatures, quick humidity, a second probe.
fn story(sensor: &Sensor, from: Timestamp, count: i64) -> Vec<Value> {
    let message = |seq: i64| {
        let at = from + SignedDuration::from_mins(seq * 5);
        let humidity = json!({
            "time": at.to_string(), "kind": "humidity", "value": (50 + seq % 7).to_string(),
            "unit": "P1",
        });
        let mut probe = temperature(at, "-18.5");
        probe["channel"] = json!(1);
        let value = format!("{}", 4 + seq / 60);
        let readings = json!({ "readings": [temperature(at, &value), humidity, probe] });
        sensor.says((1, seq), at + SignedDuration::from_secs(1), readings)
    };
    (1..=count).map(message).collect()
}

#[tokio::test]
async fn d_6_3_2_repetition_and_disorder_leave_the_same_state_as_a_clean_run() {
    let app = TestApp::start().await;
    let clean = Sensor::of_plant(&app, "A4:BB:6D:10:00:01").await;
    let rough = Sensor::of_plant(&app, "A4:BB:6D:10:00:02").await;
    let from = app.now() - SignedDuration::from_hours(48);
    for part in story(&clean, from, 200).chunks(50) {
        assert!(send(&app, part).await.iter().all(|code| code == "stored"));
    }
    // A tenth twice, everything out of place.
    let mut mixed = story(&rough, from, 200);
    let mut dice = Dice::new(7);
    for number in 0..20 {
        let again = mixed[number * 9].clone();
        mixed.push(again);
    }
    for at in (1..mixed.len()).rev() {
        mixed.swap(at, dice.below(at + 1));
    }
    let mut told = Vec::new();
    for part in mixed.chunks(11) {
        told.extend(send(&app, part).await);
    }
    assert_eq!(told.iter().filter(|code| *code == "stored").count(), 200);
    assert_eq!(told.iter().filter(|code| *code == "duplicate").count(), 20);
    assert_eq!(seen(&app, &clean).await, seen(&app, &rough).await);
    // The picture tells something: one reading more is another.
    let before = seen(&app, &rough).await;
    send(&app, &[rough.measures(201, app.now(), "4")]).await;
    assert_ne!(seen(&app, &rough).await, before);
    let marked = readings(&app, "enterprise", &format!("device_id={}&mark=frozen", rough.id)).await;
    assert!(!marked.is_empty() && marked.iter().all(|one| one["kind"] == "temperature"));
}

#[tokio::test]
async fn d_6_3_2_a_thousand_buffered_messages_come_in_one_request_and_in_order() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:11:00:01").await;
    let from = app.now() - SignedDuration::from_hours(24);
    // Taken in the night, sent in the morning.
    let buffered: Vec<Value> = (1..=1_000)
        .map(|seq| {
            let at = from + SignedDuration::from_secs(seq * 30);
            let value = format!("{}.{}", 3 + seq % 3, seq % 10);
            sensor.says((1, seq), app.now(), json!({ "readings": [temperature(at, &value)] }))
        })
        .collect();
    let told = send(&app, &buffered).await;
    assert!(told.len() == 1_000 && told.iter().all(|code| code == "stored"));
    let kept = readings(&app, "enterprise", &format!("device_id={}", sensor.id)).await;
    let order: Vec<i64> = kept.iter().map(|one| one["seq"].as_i64().unwrap()).collect();
    assert_eq!(order, (1..=1_000).collect::<Vec<_>>());
    assert!(kept.iter().all(|one| one["marks"] == json!(["late"])), "{}", kept[0]);
    let all = app.count("SELECT COUNT(*) FROM device_gap").await;
    assert_eq!(all, 0);
    assert!(send(&app, &buffered[..20]).await.iter().all(|code| code == "duplicate"));
    let too_many: Vec<Value> = std::iter::repeat_n(buffered[0].clone(), 1_001).collect();
    assert_eq!(ask(&app, &too_many).await.status, 422);
    assert_eq!(ask(&app, &[]).await.status, 422);
    // Pages follow each other without loss.
    let (mut after, mut count) = (String::new(), 0);
    for _ in 0..10 {
        let path =
            format!("/api/v1/devices/readings?device_id={}&per_page=300&after={after}", sensor.id);
        let page = app.get("enterprise", &path).await.expect(200);
        count += page["items"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        after = String::from(next);
    }
    assert_eq!(count, 1_000);
}

#[tokio::test]
async fn d_6_3_2_what_is_missing_is_known_and_closes_when_it_comes() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:12:00:01").await;
    let at = |minutes: i64| app.now() - SignedDuration::from_mins(200 - minutes);
    let gaps = async || {
        let path = format!("/api/v1/devices/series?device_id={}", sensor.id);
        app.get("enterprise", &path).await.expect(200)["gaps"].clone()
    };
    send(&app, &[sensor.measures(1, at(0), "4"), sensor.measures(6, at(60), "4.1")]).await;
    assert_eq!(gaps().await, json!([{ "epoch": 1, "first": 2, "last": 5 }]));
    let silent = readings(&app, "enterprise", "mark=gap").await;
    assert_eq!((silent.len(), &silent[0]["seq"]), (1, &json!(6)));
    send(&app, &[sensor.measures(4, at(40), "4.2")]).await;
    let left = json!([
        { "epoch": 1, "first": 5, "last": 5 }, { "epoch": 1, "first": 2, "last": 3 },
    ]);
    assert_eq!(gaps().await, left);
    let rest = [
        sensor.measures(5, at(50), "4.3"),
        sensor.measures(3, at(30), "4.4"),
        sensor.measures(2, at(20), "4.5"),
    ];
    send(&app, &rest).await;
    assert_eq!(gaps().await, json!([]));
    assert_eq!(
        readings(&app, "enterprise", "mark=gap").await.len(),
        0,
        "twenty minutes are no gap"
    );
    // Another start begins at one again.
    let reading = json!({ "readings": [temperature(at(70), "4")] });
    send(&app, &[sensor.says((2, 2), at(70), reading)]).await;
    assert_eq!(gaps().await, json!([{ "epoch": 2, "first": 1, "last": 1 }]));
}

#[tokio::test]
async fn d_6_3_2_a_sensor_that_stands_still_for_six_hours_is_marked() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:13:00:01").await;
    let from = app.now() - SignedDuration::from_hours(7);
    let still: Vec<Value> = (0..37)
        .map(|number| {
            sensor.measures(number + 1, from + SignedDuration::from_mins(number * 10), "4")
        })
        .collect();
    send(&app, &still).await;
    let frozen = readings(&app, "supervisor", "mark=frozen&kind=temperature").await;
    assert_eq!(frozen.len(), 19, "from the third hour on");
    let page = "/api/v1/devices/readings?mark=nonsense";
    assert_eq!(app.get("supervisor", page).await.status, 422);
    let broken = sensor.measures(38, app.now(), "-127");
    send(&app, &[broken]).await;
    let wrong = readings(&app, "supervisor", "mark=implausible").await;
    assert_eq!((wrong.len(), &wrong[0]["value"]), (1, &json!("-127")));
}

#[tokio::test]
async fn d_5_b_a_tampered_message_is_refused_and_alarmed() {
    let mut app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:14:00:01").await;
    let other = Sensor::of_plant(&app, "A4:BB:6D:14:00:02").await;
    let good = sensor.measures(1, app.now(), "4.5");
    let mut bent = good.clone();
    bent["readings"][0]["value"] = json!("7.9");
    assert_eq!(send(&app, &[bent]).await, ["bad_signature"]);
    assert_eq!(alarms(&app).await, 1);
    // In another's name, without a signature, under another number.
    let mut stolen = good.clone();
    stolen["device"] = json!(other.mac);
    let mut bare = good.clone();
    bare.as_object_mut().unwrap().remove("signature");
    let mut moved = good.clone();
    moved["seq"] = json!(2);
    let mut unknown = good.clone();
    unknown["device"] = json!("A4:BB:6D:14:FF:FF");
    let told = send(&app, &[stolen, bare, moved, unknown, good.clone()]).await;
    assert_eq!(told, ["bad_signature", "malformed", "bad_signature", "unknown", "stored"]);
    assert_eq!(alarms(&app).await, 2, "one for each device, however often");
    // Heard again, the same words are the same message; other words under its number are not.
    assert_eq!(send(&app, std::slice::from_ref(&good)).await, ["duplicate"]);
    let different = sensor.measures(1, app.now(), "4.6");
    assert_eq!(send(&app, std::slice::from_ref(&different)).await, ["contradiction"]);
    assert_eq!(
        send(&app, &[sensor.measures(2, app.now(), "1"), sensor.measures(2, app.now(), "2")]).await,
        ["stored", "contradiction"]
    );
    let kept = readings(&app, "enterprise", &format!("device_id={}", sensor.id)).await;
    let values: Vec<_> = kept.iter().map(|one| one["value"].clone()).collect();
    assert_eq!(values, [json!("4.5"), json!("1")]);
    // A revoked certificate proves nothing any more.
    let path = format!("/api/v1/device/{}/certificate/revoke", sensor.id);
    app.post("enterprise", &path, json!({ "reason": "设备遗失" })).await.expect(200);
    assert_eq!(send(&app, &[sensor.measures(3, app.now(), "4")]).await, ["no_certificate"]);
    assert_eq!(send(&app, &[good]).await, ["no_certificate"]);
    let listed = app.get("secadmin", "/api/v1/alarms").await.expect(200).to_string();
    assert!(listed.contains(&sensor.mac) && listed.contains("device_distrusted"), "{listed}");
    // Who was out of use is not heard.
    let idle = app
        .change(
            "enterprise",
            ("PATCH", &format!("/api/v1/device/{}", other.id)),
            1,
            json!({ "in_use": false }),
        )
        .await
        .expect(202);
    let request = idle["change_request"]["id"].as_str().unwrap();
    app.post("reviewer", &format!("/api/v1/device/changes/{request}/approve"), json!({}))
        .await
        .expect(200);
    assert_eq!(send(&app, &[other.measures(1, app.now(), "4")]).await, ["out_of_use"]);
    app.restart().await;
    assert_eq!(alarms(&app).await, 2);
}

#[tokio::test]
async fn d_5_b_time_is_checked_and_many_wrong_signatures_cost_little() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:15:00:01").await;
    let late = sensor.measures(1, app.now() - SignedDuration::from_hours(31 * 24), "4");
    let early = sensor.measures(2, app.now() + SignedDuration::from_mins(6), "4");
    let answer = ask(&app, &[late, early]).await.expect(200);
    for result in answer["results"].as_array().unwrap() {
        assert_eq!(
            (&result["code"], &result["errors"][0]["field"]),
            (&json!("malformed"), &json!("sent_at"))
        );
    }
    let mut forged: Vec<Value> =
        (1..=500).map(|seq| sensor.measures(seq, app.now(), "4")).collect();
    for one in &mut forged {
        one["readings"][0]["value"] = json!("5");
    }
    assert!(send(&app, &forged).await.iter().all(|code| code == "bad_signature"));
    assert_eq!(app.count("SELECT COUNT(*) FROM device_message").await, 0);
    assert_eq!(alarms(&app).await, 1);
}

#[tokio::test]
async fn g_6_7_5_events_and_the_device_that_brought_them_know_each_other() {
    let app = TestApp::start().await;
    let sensor = Sensor::new(&app, ("farm", "示例韭菜合作社一社"), "A4:BB:6D:16:00:01").await;
    let harvest = |code: &str| {
        json!({
            "domain": "agri", "type": "harvest", "event_time": "2026-11-10T08:00:00+08:00",
            "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
            "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
        })
    };
    let says =
        |seq: i64, event: Value| sensor.says((1, seq), app.now(), json!({ "events": [event] }));
    let first = says(1, harvest("IOT-1"));
    let answer = ask(&app, std::slice::from_ref(&first)).await.expect(200);
    let event = String::from(answer["results"][0]["events"][0]["id"].as_str().unwrap());
    assert_eq!(answer["results"][0]["events"][0]["state"], "accepted", "{answer}");
    let stored = app.get("farm", &format!("/api/v1/trace/events/{event}")).await.expect(200);
    assert_eq!(stored["source"], "device");
    // Both ways.
    let of = app
        .get("farm", &format!("/api/v1/devices/events?device_id={}", sensor.id))
        .await
        .expect(200);
    assert_eq!(of["items"][0]["event"], json!(event));
    let by =
        app.get("supervisor", &format!("/api/v1/devices/events?event={event}")).await.expect(200);
    assert_eq!(by["items"][0]["mac"], json!(sensor.mac));
    let theirs =
        app.get("enterprise", &format!("/api/v1/devices/events?event={event}")).await.expect(200);
    assert_eq!(theirs["items"], json!([]));
    // Again, and with something wrong in it.
    assert_eq!(send(&app, &[first]).await, ["duplicate"]);
    let mut wrong = harvest("IOT-2");
    wrong["attributes"] = json!({ "nonsense": "示例" });
    let refused = ask(&app, &[says(2, wrong)]).await.expect(200);
    assert_eq!(refused["results"][0]["code"], "event_refused", "{refused}");
    assert_eq!(app.count("SELECT COUNT(*) FROM device_message").await, 1);
    // A device says nothing of what is left of others' goods.
    let foreign = app.count("SELECT COUNT(*) FROM trace_event WHERE source = 'device'").await;
    assert_eq!(foreign, 1);
}

#[tokio::test]
async fn d_6_3_2_killed_between_events_and_message_everything_is_stored_once() {
    let app = TestApp::start().await;
    let sensor = Sensor::new(&app, ("farm", "示例韭菜合作社一社"), "A4:BB:6D:17:00:01").await;
    let event = json!({
        "domain": "agri", "type": "harvest", "event_time": "2026-11-10T08:00:00+08:00",
        "outputs": [{ "code": "IOT-9", "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
        "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
    });
    let rest = json!({ "events": [event], "readings": [temperature(app.now(), "4")] });
    let message = sensor.says((1, 1), app.now(), rest);
    let mut told = None;
    // The first, second, third … statement fails; whatever stays behind, it comes to the same.
    for nth in 0..200 {
        app.fuse.arm(nth);
        let answer = ask(&app, std::slice::from_ref(&message)).await;
        app.fuse.disarm();
        if answer.status == 200 {
            told = Some((nth, answer.body));
            break;
        }
        assert!(answer.status >= 500, "{}", answer.body);
    }
    let (nth, told) = told.expect("it is stored in the end");
    assert!(nth > 10, "{nth}");
    assert_ne!(told["results"][0]["code"], "malformed", "{told}");
    assert_eq!(send(&app, &[message]).await, ["duplicate"]);
    for (table, count) in [
        ("SELECT COUNT(*) FROM device_message", 1),
        ("SELECT COUNT(*) FROM device_reading", 1),
        ("SELECT COUNT(*) FROM device_event", 1),
        ("SELECT COUNT(*) FROM trace_event WHERE source = 'device'", 1),
    ] {
        assert_eq!(app.count(table).await, count, "{table}");
    }
}

#[tokio::test]
async fn d_6_3_2_of_two_messages_under_one_number_only_one_has_events() {
    let app = TestApp::start().await;
    let sensor = Sensor::new(&app, ("farm", "示例韭菜合作社一社"), "A4:BB:6D:17:00:02").await;
    let says = |code: &str| {
        let event = json!({
            "domain": "agri", "type": "harvest", "event_time": "2026-11-10T08:00:00+08:00",
            "outputs": [{ "code": code, "quantity": "100", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1" }],
            "attributes": { "plot": "示例地块", "area_mu": "5", "variety": "示例品种", "sown_on": "2026-08-01" },
        });
        sensor.says((1, 1), app.now(), json!({ "events": [event] }))
    };
    let (one, other) = (says("IOT-A"), says("IOT-B"));
    let events = "SELECT COUNT(*) FROM trace_event WHERE source = 'device'";
    // One node captures the events and gets no further; another hears a different message.
    for nth in 0..200 {
        app.fuse.arm(nth);
        let answer = ask(&app, std::slice::from_ref(&one)).await;
        app.fuse.disarm();
        assert_ne!(answer.status, 200, "it fails before it is stored");
        if app.count(events).await == 1 {
            break;
        }
    }
    assert_eq!(app.count(events).await, 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM device_message").await, 0);
    assert_eq!(send(&app, std::slice::from_ref(&other)).await, ["contradiction"]);
    // Without events it holds no number either.
    let bare = sensor.says((1, 1), app.now(), json!({ "readings": [temperature(app.now(), "4")] }));
    assert_eq!(send(&app, &[bare]).await, ["contradiction"]);
    assert_eq!(app.count(events).await, 1, "the other brought nothing");
    assert_eq!(alarms(&app).await, 1);
    // The first comes again, and all is as if nothing had happened.
    assert_eq!(send(&app, &[one]).await, ["stored"]);
    assert_eq!(send(&app, &[other]).await, ["contradiction"]);
    for (table, count) in [
        ("SELECT COUNT(*) FROM device_message", 1),
        ("SELECT COUNT(*) FROM device_event", 1),
        ("SELECT COUNT(*) FROM device_claim", 0),
        (events, 1),
    ] {
        assert_eq!(app.count(table).await, count, "{table}");
    }
}

#[tokio::test]
async fn d_6_3_2_a_journey_is_one_summary_and_only_ones_own_goods_are_measured() {
    let app = TestApp::start().await;
    let sensor = Sensor::new(&app, ("farm", "示例韭菜合作社一社"), "A4:BB:6D:18:00:01").await;
    let event = crate::harness::harvest(&app.subject("示例韭菜合作社一社").await, "COLD-1");
    let taken = app.post("farm", "/api/v1/trace/events", event).await.expect(201);
    let event = taken["results"][0]["id"].as_str().unwrap();
    let approve = format!("/api/v1/trace/events/{event}/approve");
    app.post("reviewer", &approve, json!({})).await.expect(200);
    let theirs = app
        .get("supervisor", "/api/v1/trace/chain?code=F1-A&direction=downstream")
        .await
        .expect(200);
    let plant = app.subject("示例蔬菜加工厂").await;
    let foreign = theirs["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["subject_id"] == plant["id"])
        .unwrap()["code"]
        .clone();
    let with = |seq: i64, code: &Value| {
        let mut reading = temperature(app.now(), "5");
        reading["code"] = code.clone();
        sensor.says((1, seq), app.now(), json!({ "readings": [reading] }))
    };
    let answer =
        ask(&app, &[with(1, &json!("COLD-1")), with(2, &foreign), with(3, &json!("NOBODY-1"))])
            .await
            .expect(200);
    let codes: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, [json!("stored"), json!("foreign_code"), json!("foreign_code")], "{answer}");
    assert_eq!(answer["results"][1]["errors"][0]["field"], "readings[0].code");
    // A binding makes readings evidence.
    let from = app.now() - SignedDuration::from_hours(5);
    let binding = json!({
        "device_id": sensor.id, "code": "COLD-1", "waybill": "示例运单1", "kind": "temperature",
        "starts_at": from.to_string(), "ends_at": (from + SignedDuration::from_mins(180)).to_string(),
        "low": "2", "high": "8",
    });
    let mut alien = binding.clone();
    alien["code"] = foreign.clone();
    app.post("farm", "/api/v1/device_binding", alien.clone()).await.expect(422);
    app.post("enterprise", "/api/v1/device_binding", binding.clone()).await.expect(422);
    let made = app.post("farm", "/api/v1/device_binding", binding).await.expect(201);
    assert_eq!(made["low"], "2");
    let list = app.get("farm", "/api/v1/device_binding").await.expect(200);
    let device = made["device_id"].as_str().unwrap();
    let mac = app.get("farm", &format!("/api/v1/device/{device}")).await.expect(200)["mac"].clone();
    assert_eq!(list["names"][device], mac, "a device has no name, and is known by its address");
    let warm = |minute: i64| (60..105).contains(&minute);
    let journey: Vec<Value> = (0..36)
        .map(|number| {
            let at = from + SignedDuration::from_mins(number * 5);
            sensor.measures(10 + number, at, if warm(number * 5) { "9" } else { "5" })
        })
        .collect();
    assert!(send(&app, &journey).await.iter().all(|code| code == "stored"));
    let path = "/api/v1/devices/conditions?code=COLD-1";
    let found = app.get("farm", path).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let one = &found["items"][0];
    assert_eq!((&one["mac"], &one["waybill"]), (&json!(sensor.mac), &json!("示例运单1")));
    let readings = &one["readings"];
    assert_eq!(
        (&readings["count"], &readings["least"], &readings["most"], &readings["outside_minutes"]),
        (&json!(36), &json!("5"), &json!("9"), &json!(45)),
        "{one}"
    );
    assert_eq!(app.get("enterprise", path).await.status, 404, "a stranger to the unit");
    // A supervisor of both may bind what one carries for the other.
    app.post("supervisor", "/api/v1/device_binding", alien).await.expect(201);
    assert_eq!(send(&app, &[with(2, &foreign)]).await, ["stored"]);
}

#[tokio::test]
async fn d_6_3_2_every_message_can_be_proved_by_the_ledger() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:19:00:01").await;
    let from = app.now() - SignedDuration::from_hours(2);
    let messages: Vec<Value> = (1..=13)
        .map(|seq| sensor.measures(seq, from + SignedDuration::from_mins(seq), "4"))
        .collect();
    send(&app, &messages).await;
    let listed =
        app.get("enterprise", &format!("{DOOR}?device_id={}", sensor.id)).await.expect(200);
    let third = listed["items"].as_array().unwrap().iter().find(|one| one["seq"] == 3).unwrap();
    let path = format!("/api/v1/devices/proof?message={}", third["id"].as_str().unwrap());
    assert_eq!(app.get("enterprise", &path).await.status, 409, "not yet");
    let (platform, ledger) = (&app.assembled.app, &app.assembled.ledger);
    assert_eq!(yj_telemetry::anchor(platform, ledger).await.unwrap(), 13);
    assert_eq!(yj_telemetry::anchor(platform, ledger).await.unwrap(), 0);
    app.anchor().await;
    assert_eq!(app.get("farm", &path).await.status, 404);
    let proof = app.get("enterprise", &path).await.expect(200);
    // What the device said leads to the root, and the root is on the ledger.
    let mut message = proof["message"].clone();
    assert_eq!(message, messages[2]);
    message.as_object_mut().unwrap().remove("signature");
    let digest = yj_crypto::sm3::digest(message.to_string().as_bytes());
    assert_eq!(proof["digest"], json!(to_hex(&digest)));
    let hash = |text: &Value| yj_crypto::from_hex::<32>(text.as_str().unwrap()).unwrap();
    let steps: Vec<_> = proof["path"].as_array().unwrap().iter().map(hash).collect();
    let leaf = yj_proof::merkle::leaf(&digest);
    let (index, size) = (proof["index"].as_u64().unwrap(), proof["size"].as_u64().unwrap());
    let root = yj_proof::merkle::root_from_path(leaf, index, size, &steps).unwrap();
    assert_eq!(root, hash(&proof["root"]));
    let (_, chain) = ledger.genesis();
    let bundle = serde_json::to_vec(&proof["proof"]).unwrap();
    let verdict = json!(yj_proof::verify(&bundle, &yj_proof::Trust::in_chain(chain)));
    assert_eq!(verdict["ok"], true, "{verdict}");
    assert!(proof["proof"].to_string().contains(proof["root"].as_str().unwrap()));
    // A reading changed behind the platform's back is found, with the message that it is in.
    let (_, found) = app.assembled.tamper.inspect(platform).await.unwrap();
    assert_eq!(found, []);
    let id = third["id"].as_str().unwrap();
    app.tamper(&format!(
        "UPDATE device_message SET content = replace(content, '\"seq\":3', '\"seq\":33') WHERE id = '{id}'"
    ))
    .await;
    let (_, found) = app.assembled.tamper.inspect(platform).await.unwrap();
    let [one, follows @ ..] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.kind.as_str(), one.height), ("device_batch", Some(2)));
    assert!(one.detail.contains(id), "{one:?}");
    // Its reading no longer follows from what it says.
    assert!(!follows.is_empty(), "{found:?}");
    for reading in follows {
        assert_eq!((reading.kind.as_str(), reading.name.as_str()), ("device_reading", id));
    }
}
