//! D-6.3-1: whatever the clock does, the time of blocks never goes back, never runs ahead of the
//! clock, and no block is signed by a machine whose clock is known to be wrong.

use jiff::{SignedDuration, Timestamp};

use crate::harness::{TestApp, harvest};

async fn accepted(app: &TestApp, code: &str) {
    let subject = app.subject("示例韭菜合作社一社").await;
    app.post("gateway", "/api/v1/trace/events", harvest(&subject, code)).await.expect(201);
}

/// When the newest block says that it was made.
async fn newest(app: &TestApp) -> Timestamp {
    let blocks = app.get("supervisor", "/api/v1/ledger/blocks").await.expect(200);
    blocks["items"][0]["time"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn d_6_3_1_the_time_of_blocks_never_goes_back_nor_ahead_of_the_clock() {
    const MINUTES: [i64; 8] = [0, 60, -60, 61, 1, -1440, 0, 62];
    let app = TestApp::start().await;
    let (mut before, mut latest) = (newest(&app).await, app.now());
    for (number, minutes) in MINUTES.into_iter().enumerate() {
        accepted(&app, &format!("CLOCK-{number}")).await;
        let jump = SignedDuration::from_mins(minutes);
        app.pass(jump);
        let moment = app.now();
        latest = latest.max(moment);
        app.anchor().await;
        app.pass(-jump);
        let time = newest(&app).await;
        assert!(time >= before, "{minutes} minutes: {time} after {before}");
        assert!(time <= latest, "{minutes} minutes: {time} is ahead of every clock");
        if moment >= before {
            assert_eq!(time, moment, "{minutes} minutes");
        }
        before = time;
    }
    let ledger = &app.assembled.ledger;
    assert!(ledger.verify_chain().unwrap() > 8);
}

#[tokio::test]
async fn d_6_3_1_a_machine_with_a_wrong_clock_signs_nothing_until_it_is_set() {
    let app = TestApp::start().await;
    accepted(&app, "CLOCK-1").await;
    let status = async || app.get("supervisor", "/api/v1/ledger/status").await.expect(200);
    let height = status().await["height"].clone();
    for drift_ms in [3_600_000, -3_600_000] {
        app.assembled.app.note_clock_drift(drift_ms);
        let refused = app.assembled.ledger.make_block(&app.assembled.app).await.unwrap_err();
        assert!(refused.to_string().contains("时钟偏差"), "{refused}");
        let now = status().await;
        assert_eq!((&now["height"], &now["pending"]), (&height, &1.into()));
        assert!(now["failing"]["why"].as_str().unwrap().contains("时钟偏差"), "{now}");
    }
    app.assembled.app.note_clock_drift(0);
    app.anchor().await;
    let now = status().await;
    assert_eq!((&now["pending"], &now["failing"]), (&0.into(), &serde_json::Value::Null));
}
