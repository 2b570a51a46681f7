//! G-8-2: what is asked of EPCIS events takes other ways where there are many, and is answered the same.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, observed, query},
    epcis_query::{Dice, known, naive, named, page_after},
    harness::TestApp,
};

/// What many events mention is reached along lists, and what few do directly: the answers are the same.
#[tokio::test]
async fn g_8_2_what_is_common_is_found_as_what_is_rare_is() {
    let app = TestApp::start().await;
    let mut dice = Dice(11);
    let all: Vec<Value> = (0..1_300).map(|number| dice.event(number)).collect();
    capture(&app, "enterprise", &document(&all), "rollback").await.expect(202);
    app.run_jobs().await;
    let mut context = yj_epcis::Context::default();
    context.declare("ex", "https://example.com/ns/");
    let mut common = 0;
    for user in ["enterprise", "supervisor"] {
        let known = known(&app, user).await;
        assert!(known.len() > 1_200, "{user}: {}", known.len());
        for query in [
            "",
            "EQ_bizStep=shipping",
            "EQ_action=ADD|DELETE",
            "EQ_bizStep=shipping&EQ_action=OBSERVE",
            "EQ_bizStep=shipping&GE_eventTime=2026-11-03T08:00:00%2B08:00&LT_eventTime=2026-11-06T00:00:00Z",
            "GE_eventTime=2026-11-03T08:00:00%2B08:00",
            "MATCH_anyEPC=urn:example:thing:1|urn:example:thing:2|urn:example:thing:3",
            "MATCH_anyEPC=urn:example:thing:1|urn:example:thing:2|urn:example:thing:3|urn:example:thing:4|urn:example:thing:5",
            "WD_readPoint=https://id.gs1.org/414/4012345000054",
            "EXISTS_sensorElementList=",
            "EQ_deviceID=urn:example:device:1&EQ_disposition=damaged",
            "MATCH_epc=urn:example:thing:5&EQ_bizStep=shipping",
            "EQ_ex:grade=A|10",
        ] {
            for order in [
                "",
                "orderBy=eventTime",
                "orderBy=eventTime&orderDirection=ASC",
                "orderBy=recordTime",
                "orderBy=recordTime&orderDirection=ASC",
            ] {
                let parts = [query, order].into_iter().filter(|part| !part.is_empty());
                let text = parts.collect::<Vec<_>>().join("&");
                let wanted = naive(&known, &context, &text);
                common += usize::from(wanted.len() > 300);
                let found = named(&app, user, (&text, 170)).await;
                assert!(found == wanted, "{user}: {text}: {} of {}", found.len(), wanted.len());
            }
        }
    }
    assert!(common > 60, "{common}");
}

#[tokio::test]
async fn g_8_2_times_of_recording_follow_the_order_of_recording() {
    let app = TestApp::start().await;
    let first = observed("urn:example:first", "urn:example:thing");
    capture(&app, "enterprise", &document(&[first]), "rollback").await.expect(202);
    // A clock that is set back does not make the later event the earlier one.
    app.pass(jiff::SignedDuration::from_mins(-5));
    let second = observed("urn:example:second", "urn:example:thing");
    capture(&app, "enterprise", &document(&[second]), "rollback").await.expect(202);
    let found = query(&app, "enterprise", "orderBy=recordTime&orderDirection=ASC").await;
    let names: Vec<&Value> = found.iter().map(|event| &event["eventID"]).collect();
    assert_eq!(names, ["urn:example:first", "urn:example:second"]);
    assert_eq!(found[0]["recordTime"], found[1]["recordTime"]);
    let time = found[0]["recordTime"].as_str().unwrap();
    for (bound, count) in [("GE", 2), ("LT", 0)] {
        let found = query(&app, "enterprise", &format!("{bound}_recordTime={time}")).await;
        assert_eq!(found.len(), count, "{bound}");
    }
}

#[tokio::test]
async fn g_8_2_what_there_is_to_ask_for_is_what_those_who_ask_may_see() {
    let app = TestApp::start().await;
    let placed = |id: &str, gate: &str| {
        let mut event = observed(&format!("urn:example:{id}"), "urn:example:thing");
        event["readPoint"] = json!({ "id": gate });
        event
    };
    let (shared, own) = ("urn:example:gate:shared", "urn:example:gate:own");
    let first = document(&[placed("1", own), placed("2", shared)]);
    capture(&app, "enterprise", &first, "rollback").await.expect(202);
    let second = document(&[placed("3", shared)]);
    capture(&app, "farm", &second, "rollback").await.expect(202);
    for (user, wanted) in [
        ("enterprise", vec![own, shared]),
        ("farm", vec![shared]),
        ("supervisor", vec![own, shared]),
    ] {
        let found = app.get(user, "/epcis/v2/readPoints").await.expect(200);
        assert_eq!(found["member"], json!(wanted), "{user}");
        let one = app.get(user, &format!("/epcis/v2/readPoints/{own}")).await;
        assert_eq!(one.status, if wanted.contains(&own) { 200 } else { 404 }, "{user}");
    }
    // One page leads to the next.
    let first = app.get("supervisor", "/epcis/v2/readPoints?perPage=1").await;
    let next = page_after(&first).unwrap();
    let second = app.get("supervisor", &next).await.expect(200);
    assert_eq!(second["member"], json!([shared]));
}
