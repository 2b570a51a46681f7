//! G-6.7.5: a device that sends data lives, whether or not it sends heartbeats besides.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    harness::TestApp,
    telemetry::{Sensor, send, temperature},
};

async fn state(app: &TestApp, sensor: &Sensor) -> Value {
    let path = format!("/api/v1/device/{}", sensor.id);
    app.get("enterprise", &path).await.expect(200)["state"].clone()
}

async fn status(app: &TestApp, sensor: &Sensor) -> Value {
    let path = format!("/api/v1/device/{}/status", sensor.id);
    app.get("enterprise", &path).await.expect(200)
}

async fn watch(app: &TestApp) -> usize {
    yj_construction::mark_offline(&app.assembled.app).await.unwrap()
}

/// When the device was last noted as heard.
async fn noted(app: &TestApp) -> i64 {
    app.count("SELECT COALESCE(MAX(last_seen), 0) FROM device_status").await
}

#[tokio::test]
async fn g_6_7_5_a_device_that_delivers_readings_is_online_until_it_falls_silent() {
    let mut app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:60:00:01").await;
    assert_eq!(state(&app, &sensor).await, "never");
    assert_eq!(send(&app, &[sensor.measures(1, app.now(), "4")]).await, ["stored"]);
    assert_eq!(state(&app, &sensor).await, "online");
    let told = status(&app, &sensor).await;
    assert_eq!((&told["state"], &told["sequence"]), (&json!("online"), &Value::Null));
    assert!(told["last_seen"].is_string() && told["offline_after"].is_string(), "{told}");
    let come = "SELECT COUNT(*) FROM outbox WHERE topic = 'device.online'";
    assert_eq!(app.count(come).await, 1);
    // What comes soon after is not written down again; nobody is offline for that.
    let first = noted(&app).await;
    app.pass(SignedDuration::from_mins(2));
    assert_eq!(send(&app, &[sensor.measures(2, app.now(), "4")]).await, ["stored"]);
    assert_eq!(noted(&app).await, first);
    app.pass(SignedDuration::from_mins(19));
    assert_eq!(watch(&app).await, 0, "19 minutes of silence are less than two intervals");
    app.pass(SignedDuration::from_mins(4));
    assert_eq!(watch(&app).await, 1);
    again(&mut app).await;
    assert_eq!(state(&app, &sensor).await, "offline");
    assert_eq!(send(&app, &[sensor.measures(3, app.now(), "4")]).await, ["stored"]);
    assert_eq!((state(&app, &sensor).await, app.count(come).await), (json!("online"), 2));
}

#[tokio::test]
async fn g_6_7_5_what_was_kept_back_or_said_twice_is_no_sign_of_life() {
    let app = TestApp::start().await;
    let sensor = Sensor::of_plant(&app, "A4:BB:6D:60:00:02").await;
    let long_ago: Timestamp = app.now() - SignedDuration::from_hours(2);
    let kept = json!({ "readings": [temperature(long_ago, "4")] });
    let kept = sensor.says((1, 1), long_ago, kept);
    assert_eq!(send(&app, std::slice::from_ref(&kept)).await, ["stored"]);
    assert_eq!(send(&app, &[kept]).await, ["duplicate"]);
    assert_eq!(state(&app, &sensor).await, "never");
    assert_eq!(noted(&app).await, 0);
}

async fn again(app: &mut TestApp) {
    let secret = String::from(app.password_of("enterprise"));
    app.log_in("enterprise", &secret).await;
}
