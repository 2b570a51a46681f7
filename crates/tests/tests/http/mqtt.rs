//! Device data over MQTT 5 (D-6.3-2, D-5b), with a client that is not ours.

use std::{collections::VecDeque, time::Duration};

use jiff::SignedDuration;
use rumqttc::v5::{
    AsyncClient, Event, EventLoop, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{ConnectReturnCode, Packet, PubAckReason, SubscribeReasonCode},
    },
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use yj_server::{
    Devices, DevicesConfig, demo, listen_to_devices,
    simulate::{self, Plan, Target},
};

use crate::{
    certificate::to_today,
    harness::TestApp,
    telemetry::{Dice, Sensor, seen, send, temperature},
};

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A platform whose doors are open.
struct Open {
    stop: watch::Sender<bool>,
    devices: Devices,
}

async fn open(app: &TestApp, config: DevicesConfig) -> Open {
    let (stop, stopped) = watch::channel(false);
    let devices = listen_to_devices(&app.assembled, (&config, Vec::new()), &stopped).await.unwrap();
    Open { stop, devices }
}

async fn embedded(app: &TestApp) -> Open {
    let mqtt = String::from("127.0.0.1:0");
    open(app, DevicesConfig { mqtt, ..DevicesConfig::default() }).await
}

impl Open {
    fn port(&self) -> u16 {
        self.devices.listens.unwrap().port()
    }

    async fn close(self) {
        self.stop.send(true).unwrap();
        for worker in self.devices.workers {
            tokio::time::timeout(PATIENCE, worker).await.unwrap().unwrap();
        }
    }
}

/// A device at a broker.
struct Line {
    client: AsyncClient,
    events: EventLoop,
    /// What came while something else was waited for.
    heard: VecDeque<Packet>,
}

impl Line {
    fn to(port: u16, (name, user, password): (&str, &str, &str)) -> Self {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        if !user.is_empty() {
            options.set_credentials(user, password);
        }
        let (client, events) = AsyncClient::new(options, 2_000);
        Self { client, events, heard: VecDeque::new() }
    }

    /// Connects as a device with its key.
    async fn of(app: &TestApp, port: u16, sensor: &Sensor) -> Self {
        // Every log-in needs a time of its own.
        app.pass(SignedDuration::from_millis(1));
        let password = yj_telemetry::password(&sensor.mac, app.now(), &sensor.key).unwrap();
        let mut line = Self::to(port, (&sensor.mac.replace(':', ""), &sensor.mac, &password));
        let Packet::ConnAck(ack) = line.next().await.unwrap() else { panic!("no CONNACK") };
        assert_eq!(ack.code, ConnectReturnCode::Success);
        assert_eq!(ack.properties.unwrap().max_qos, Some(1));
        line
    }

    /// The next packet that comes; nothing when the connection is lost.
    async fn next(&mut self) -> Option<Packet> {
        if let Some(packet) = self.heard.pop_front() {
            return Some(packet);
        }
        loop {
            match tokio::time::timeout(PATIENCE, self.events.poll()).await.unwrap() {
                Ok(Event::Incoming(packet)) => return Some(packet),
                Ok(Event::Outgoing(_)) => {}
                Err(_) => return None,
            }
        }
    }

    async fn publish(&self, topic: &str, body: &Value) {
        self.client.publish(topic, QoS::AtLeastOnce, false, body.to_string()).await.unwrap();
    }

    /// Says something and hears how it is acknowledged: reason and code.
    async fn say(&mut self, topic: &str, body: &Value) -> (PubAckReason, String) {
        self.publish(topic, body).await;
        self.acknowledged().await
    }

    async fn acknowledged(&mut self) -> (PubAckReason, String) {
        let mut aside = VecDeque::new();
        loop {
            match self.next().await.unwrap() {
                Packet::PubAck(ack) => {
                    self.heard.extend(aside);
                    let code = ack.properties.map(|found| found.user_properties[0].1.clone());
                    return (ack.reason, code.unwrap_or_default());
                }
                other => aside.push_back(other),
            }
        }
    }
}

fn up(sensor: &Sensor) -> String {
    format!("yj/v1/{}/up", sensor.mac.replace(':', ""))
}

#[tokio::test]
async fn d_6_3_2_over_mqtt_every_acknowledgement_is_durable_and_says_what_became_of_it() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:20:00:01").await;
    let other = Sensor::of_plant(&app, "A4:BB:6D:20:00:02").await;
    let doors = embedded(&app).await;
    let mut line = Line::of(&app, doors.port(), &sensor).await;
    // One's own answers, and nobody else's.
    let down = up(&sensor).replace("/up", "/down");
    for (filter, granted) in [
        (down.as_str(), true),
        ("yj/v1/A4BB6D200002/down", false),
        ("yj/v1/+/down", false),
        ("#", false),
    ] {
        line.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let Some(Packet::SubAck(ack)) = line.next().await else { panic!("no SUBACK") };
        let given = ack.return_codes[0] == SubscribeReasonCode::Success(QoS::AtMostOnce);
        assert_eq!(given, granted, "{filter}: {:?}", ack.return_codes);
    }
    let good = sensor.measures(1, app.now(), "4.5");
    let told = line.say(&up(&sensor), &good).await;
    assert_eq!(told, (PubAckReason::Success, String::from("stored")));
    assert_eq!(app.count("SELECT COUNT(*) FROM device_reading").await, 1);
    let Some(Packet::Publish(answer)) = line.next().await else { panic!("no answer") };
    let body: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!((&body["seq"], &body["code"]), (&json!(1), &json!("stored")));
    let told = line.say(&up(&sensor), &good).await;
    assert_eq!(told, (PubAckReason::Success, String::from("duplicate")));
    let mut bent = sensor.measures(2, app.now(), "4.5");
    bent["readings"][0]["value"] = json!("7");
    let told = line.say(&up(&sensor), &bent).await;
    assert_eq!(told, (PubAckReason::NotAuthorized, String::from("bad_signature")));
    let told = line.say(&up(&sensor), &json!({ "nonsense": 1 })).await;
    assert_eq!(told, (PubAckReason::PayloadFormatInvalid, String::from("malformed")));
    // In another's name: the topic, or the message.
    let theirs = other.measures(1, app.now(), "4.5");
    let told = line.say(&up(&other), &theirs).await;
    assert_eq!(told, (PubAckReason::NotAuthorized, String::from("forbidden_topic")));
    assert_eq!(line.say(&up(&sensor), &theirs).await.1, "malformed");
    // While the database is away nothing is lost: the device is told to come again.
    let later = sensor.measures(2, app.now(), "4.6");
    app.fuse.arm(0);
    let told = line.say(&up(&sensor), &later).await;
    assert_eq!(told, (PubAckReason::QuotaExceeded, String::from("unavailable")));
    app.fuse.disarm();
    assert_eq!(line.say(&up(&sensor), &later).await.1, "stored");
    // The same device from elsewhere: one speaks for it at a time.
    let mut again = Line::of(&app, doors.port(), &sensor).await;
    while line.next().await.is_some_and(|packet| !matches!(packet, Packet::Disconnect(_))) {}
    assert_eq!(again.say(&up(&sensor), &later).await.1, "duplicate");
    doors.close().await;
    assert!(again.next().await.is_none_or(|packet| matches!(packet, Packet::Disconnect(_))));
}

#[tokio::test]
async fn d_5_b_nobody_speaks_over_mqtt_who_cannot_sign() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:21:00:01").await;
    let other = Sensor::of_plant(&app, "A4:BB:6D:21:00:02").await;
    let doors = embedded(&app).await;
    let password =
        |sensor: &Sensor, at| yj_telemetry::password(&sensor.mac, at, &sensor.key).unwrap();
    let good = password(&sensor, app.now());
    let late = password(&sensor, app.now() - SignedDuration::from_mins(6));
    let refused = async |user: &str, password: &str| {
        let mut line = Line::to(doors.port(), ("x", user, password));
        match tokio::time::timeout(PATIENCE, line.events.poll()).await.unwrap() {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => ack.code != ConnectReturnCode::Success,
            Ok(other) => panic!("{other:?}"),
            Err(_) => true,
        }
    };
    assert!(refused("", "").await);
    assert!(refused(&sensor.mac, "secret").await);
    assert!(refused("A4:BB:6D:21:FF:FF", &good).await);
    assert!(refused(&other.mac, &good).await, "another's password");
    assert!(refused(&sensor.mac, &late).await, "an old one");
    assert!(!refused(&sensor.mac, &good).await);
    assert!(refused(&sensor.mac, &good).await, "once is enough");
    let path = format!("/api/v1/device/{}/certificate/revoke", sensor.id);
    app.post("enterprise", &path, json!({ "reason": "设备遗失" })).await.expect(200);
    app.pass(SignedDuration::from_secs(1));
    assert!(refused(&sensor.mac, &password(&sensor, app.now())).await, "revoked");
    doors.close().await;
}

/// What a device says of a day, disturbed.
fn rough(sensor: &Sensor, app: &TestApp) -> (Vec<Value>, Vec<Value>) {
    let from = app.now() - SignedDuration::from_hours(10);
    let clean: Vec<Value> = (1..=300)
        .map(|seq| {
            let at = from + SignedDuration::from_mins(seq * 2);
            let value = (4 + seq / 150).to_string();
            sensor.says((1, seq), at, json!({ "readings": [temperature(at, &value)] }))
        })
        .collect();
    let mut mixed = clean.clone();
    let mut dice = Dice::new(3);
    mixed.extend((0..30).map(|number| clean[number * 7].clone()));
    for at in 0..mixed.len() {
        let to = (at + dice.below(40)).min(mixed.len() - 1);
        mixed.swap(at, to);
    }
    (clean, mixed)
}

#[tokio::test]
async fn d_6_3_2_over_mqtt_disorder_leaves_the_same_state_as_a_clean_run_over_http() {
    let app = TestApp::start().await;
    let clean = Sensor::of_plant(&app, "A4:BB:6D:22:00:01").await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:22:00:02").await;
    send(&app, &rough(&clean, &app).0).await;
    let (_, mixed) = rough(&sensor, &app);
    let doors = embedded(&app).await;
    let mut line = Line::of(&app, doors.port(), &sensor).await;
    for message in &mixed {
        line.publish(&up(&sensor), message).await;
    }
    let mut codes = Vec::new();
    for _ in &mixed {
        codes.push(line.acknowledged().await.1);
    }
    assert_eq!(codes.iter().filter(|code| *code == "stored").count(), 300);
    assert_eq!(codes.iter().filter(|code| *code == "duplicate").count(), 30);
    assert_eq!(seen(&app, &clean).await, seen(&app, &sensor).await);
    doors.close().await;
}

#[tokio::test]
async fn d_6_3_2_two_thousand_simulated_messages_twice_and_out_of_order_change_nothing() {
    let app = TestApp::start().await;
    // The simulated devices have the real clock.
    to_today(&app);
    let doors = embedded(&app).await;
    let target = Target::Mqtt(format!("127.0.0.1:{}", doors.port()));
    let plan = Plan { rate: 2_000, seconds: 1, duplicates: 10, reorder: 50 };
    let begin = simulate::beginning(app.now(), 60);
    let mut pictures = Vec::new();
    for disturbed in [false, true] {
        let sensors = demo::fleet(&app.assembled, 10).await.unwrap();
        let messages = simulate::generate(&sensors, plan, (begin, 1)).unwrap();
        let messages = if disturbed { plan.disturb(messages) } else { messages };
        let outcome = simulate::run(&target, &sensors, messages, 200_000).await.unwrap();
        assert_eq!((outcome.stored, outcome.refused.len()), (2_000, 0), "{:?}", outcome.refused);
        assert_eq!(outcome.duplicates > 150, disturbed, "{}", outcome.duplicates);
        let mut tx = app.assembled.app.db().snapshot().await.unwrap();
        let macs: Vec<&str> = sensors.iter().map(|sensor| sensor.mac.as_str()).collect();
        pictures.push(yj_telemetry::picture(&mut tx, &macs).await.unwrap());
    }
    assert_eq!(pictures[0], pictures[1]);
    doors.close().await;
}

/// A port that is free now.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A broker that others run: mosquitto, whose program `YJ_TEST_MOSQUITTO` names. It ends with the
/// test.
struct Mosquitto {
    process: std::process::Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Mosquitto {
    async fn start(program: &str) -> Self {
        let (port, folder) = (free_port().await, tempfile::tempdir().unwrap());
        let config = folder.path().join("mosquitto.conf");
        std::fs::write(&config, format!("listener {port} 127.0.0.1\nallow_anonymous true\n"))
            .unwrap();
        let process = std::process::Command::new(program)
            .arg("-c")
            .arg(&config)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { process, port, _folder: folder };
        for _ in 0..100_000 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return started;
            }
            tokio::task::yield_now().await;
        }
        panic!("mosquitto does not listen");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whoever wants it measured says where mosquitto is; the check of the whole project does.
#[tokio::test]
async fn d_6_3_2_at_an_external_broker_nothing_is_acknowledged_before_it_is_durable() {
    let Ok(program) = std::env::var("YJ_TEST_MOSQUITTO") else { return };
    let app = TestApp::start().await;
    let clean = Sensor::of_plant(&app, "A4:BB:6D:23:00:01").await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:23:00:02").await;
    send(&app, &rough(&clean, &app).0).await;
    let broker = Mosquitto::start(&program).await;
    let config = || DevicesConfig {
        broker: format!("127.0.0.1:{}", broker.port),
        ..DevicesConfig::default()
    };
    let doors = open(&app, config()).await;
    let mut line = Line::to(broker.port, ("sensor", "", ""));
    assert!(matches!(line.next().await, Some(Packet::ConnAck(_))));
    let down = up(&sensor).replace("/up", "/down");
    line.client.subscribe(&down, QoS::AtMostOnce).await.unwrap();
    assert!(matches!(line.next().await, Some(Packet::SubAck(_))));
    let (_, mixed) = rough(&sensor, &app);
    let mut told = Vec::new();
    let said = async |line: &mut Line, body: &Value| {
        line.publish(&up(&sensor), body).await;
        loop {
            if let Packet::Publish(answer) = line.next().await.unwrap() {
                let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
                return String::from(answer["code"].as_str().unwrap());
            }
        }
    };
    // Until the platform listens, nobody does.
    let mut heard = false;
    for _ in 0..10_000 {
        heard = line.say(&up(&sensor), &mixed[0]).await.0 == PubAckReason::Success;
        if heard {
            break;
        }
    }
    assert!(heard, "the platform has subscribed");
    while !matches!(line.next().await, Some(Packet::Publish(_))) {}
    for message in &mixed[1..200] {
        told.push(said(&mut line, message).await);
    }
    // The platform stops while the database is away: what the broker has is not acknowledged, and
    // comes again when the platform is back.
    app.fuse.arm(0);
    assert_eq!(line.say(&up(&sensor), &mixed[200]).await.0, PubAckReason::Success);
    doors.close().await;
    app.fuse.disarm();
    let doors = open(&app, config()).await;
    for message in &mixed[201..] {
        told.push(said(&mut line, message).await);
    }
    assert!(told.iter().all(|code| code == "stored" || code == "duplicate"), "{told:?}");
    for _ in 0..100 {
        if seen(&app, &clean).await == seen(&app, &sensor).await {
            break;
        }
        said(&mut line, &mixed[0]).await;
    }
    assert_eq!(seen(&app, &clean).await, seen(&app, &sensor).await);
    doors.close().await;
}
