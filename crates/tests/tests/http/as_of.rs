//! G-6.2.2-2, G-6.3.3: what a record was at a moment, through every act that changed it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    harness::TestApp,
    houses::id_of,
    subjects::{REGISTER, act, approved, farmer, registered},
};

/// Lets days go by; sessions end meanwhile.
async fn days(app: &mut TestApp, count: i64) {
    app.pass(SignedDuration::from_hours(24 * count));
    for user in ["supervisor", "reviewer", "enterprise"] {
        let password = String::from(app.password_of(user));
        app.log_in(user, &password).await;
    }
}

fn day(moment: Timestamp) -> String {
    String::from(&moment.to_string()[..10])
}

/// Some fields of a record as it was.
async fn was(app: &TestApp, path: &str, query: &str, fields: &[&str]) -> Vec<Value> {
    let found = app.get("supervisor", &format!("{path}?{query}")).await.expect(200);
    fields.iter().map(|field| found[*field].clone()).collect()
}

#[tokio::test]
async fn g_6_2_2_2_a_subject_is_seen_in_the_state_it_was_in() {
    let mut app = TestApp::start().await;
    let subject = registered(&app, farmer("示例农户甲")).await;
    let path = format!("{REGISTER}/{}", id_of(&subject));
    let fields = ["status", "version", "updated_by"];
    let mut moments = vec![app.now()];
    for (step, verb) in ["suspend", "resume", "close"].into_iter().enumerate() {
        days(&mut app, 3).await;
        let version = i64::try_from(step).unwrap() + 1;
        act(&app, "supervisor", (&subject, verb), version).await.expect(200);
        moments.push(app.now());
    }
    let by = app.get("supervisor", &path).await.expect(200)["updated_by"].clone();
    for (at, (status, version)) in [("40", 1), ("60", 2), ("40", 3), ("70", 4)].iter().enumerate() {
        let moment = moments[at];
        let known = was(&app, &path, &format!("known_at={moment}"), &fields).await;
        assert_eq!((&known[0], &known[1]), (&json!(status), &json!(version)), "{at}");
        assert_eq!(known[2] == by, at > 0, "{known:?}");
        let on = was(&app, &path, &format!("on={}", day(moment)), &fields).await;
        assert_eq!(on[0], *status, "{at}");
        // A day later nothing has happened yet.
        let next = day(moment + SignedDuration::from_hours(24));
        let later = was(&app, &path, &format!("on={next}"), &fields).await;
        assert_eq!(later[0], *status, "{at}");
        // As it was known at first it has always been in force.
        let first = format!("known_at={}&on={next}", moments[0]);
        assert_eq!(was(&app, &path, &first, &fields).await[0], "40");
    }
}

#[tokio::test]
async fn g_6_2_2_2_a_merger_is_not_known_before_it_happened_and_changes_only_what_is_merged() {
    let mut app = TestApp::start().await;
    let (kept, twin) = (
        registered(&app, farmer("示例农户甲")).await,
        registered(&app, farmer("示例农户乙")).await,
    );
    let before = app.now();
    days(&mut app, 2).await;
    let path = format!("{REGISTER}/{}/merge", id_of(&twin));
    let body = json!({ "into": kept["code"], "reason": "同一主体重复登记" });
    let filed = app.post("supervisor", &path, body).await.expect(202);
    approved(&app, "subject_merger", &filed).await;
    let fields = ["status", "successor_id", "code", "version"];
    for (subject, moment, expected) in [
        (&twin, before, json!(["40", null, twin["code"], 1])),
        (&twin, app.now(), json!(["80", kept["id"], twin["code"], 2])),
        (&kept, before, json!(["40", null, kept["code"], 1])),
        (&kept, app.now(), json!(["40", null, kept["code"], 1])),
    ] {
        let path = format!("{REGISTER}/{}", id_of(subject));
        for query in [format!("known_at={moment}"), format!("on={}", day(moment))] {
            let found = was(&app, &path, &query, &fields).await;
            let count = if query.starts_with("on=") { 3 } else { 4 };
            assert_eq!(found[..count], expected.as_array().unwrap()[..count], "{query}");
        }
    }
}

#[tokio::test]
async fn g_6_3_3_a_product_is_not_recalled_before_its_recall() {
    let mut app = TestApp::start().await;
    let found = app.get("supervisor", "/api/v1/product?code=YJ-JC-01").await.expect(200);
    let path = format!("/api/v1/product/{}", id_of(&found["items"][0]));
    let fields = ["state", "recall_level", "state_reason", "state_since"];
    let first = was(&app, &path, "", &fields).await;
    let before = app.now();
    days(&mut app, 1).await;
    let body = json!({ "reason": "农药残留超标", "level": "second" });
    app.change("supervisor", ("POST", &format!("{path}/recall")), 1, body).await.expect(200);
    let recalled = was(&app, &path, "", &fields).await;
    let during = app.now();
    days(&mut app, 1).await;
    let body = json!({ "reason": "已全部召回" });
    app.change("supervisor", ("POST", &format!("{path}/close-recall")), 2, body).await.expect(200);
    for (moment, expected) in [(before, &first), (during, &recalled)] {
        for query in [format!("known_at={moment}"), format!("on={}", day(moment))] {
            assert_eq!(was(&app, &path, &query, &fields).await, *expected, "{query}");
        }
    }
    assert_eq!(recalled[..2], [json!("recalling"), json!("second")]);
    assert_eq!(was(&app, &path, "", &fields).await[0], "suspended");
}
