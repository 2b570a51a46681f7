//! G-8-2, G-5.4.4: whose an EPCIS event is, what it tells, and documents of any length.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, job, observed, query},
    harness::TestApp,
};

#[tokio::test]
async fn g_5_4_4_an_epcis_event_is_its_subjects_and_seen_by_those_who_may() {
    let app = TestApp::start().await;
    let factory = app.subject("示例蔬菜加工厂").await;
    let event = |id: &str| observed(id, "urn:example:thing:1");
    capture(&app, "enterprise", &document(&[event("urn:example:factory")]), "rollback")
        .await
        .expect(202);
    // The gateway speaks for many: it has to say for whom.
    let refused = capture(&app, "gateway", &document(&[event("urn:example:g1")]), "rollback")
        .await
        .expect(400);
    assert!(refused["detail"].as_str().unwrap().contains("不能确定"), "{refused}");
    let mut named = event("urn:example:g1");
    named["yj:subject"] = factory["code"].clone();
    capture(&app, "gateway", &document(&[named.clone()]), "rollback").await.expect(202);
    named["eventID"] = json!("urn:example:g2");
    named["yj:subject"] = json!("91610000000000000X");
    let unknown =
        capture(&app, "gateway", &document(&[named.clone()]), "rollback").await.expect(400);
    // Another subject's name is refused in the words of one that is not there.
    let other = app.subject("示例韭菜合作社一社").await;
    named["yj:subject"] = other["code"].clone();
    let theirs = capture(&app, "enterprise", &document(&[named]), "rollback").await.expect(400);
    assert_eq!(unknown["detail"], theirs["detail"]);
    // A GLN that is registered as a former code of the subject says whose it is.
    let alias = json!({ "kind": "gln13", "code": "4012345000054", "subject_id": factory["id"] });
    let filed = app.post("supervisor", "/api/v1/subject_alias", alias).await.expect(202);
    let path = format!(
        "/api/v1/subject_alias/changes/{}/approve",
        filed["change_request"]["id"].as_str().unwrap()
    );
    app.post("reviewer", &path, json!({})).await.expect(200);
    let mut placed = event("urn:example:g3");
    placed["readPoint"] = json!({ "id": "urn:epc:id:sgln:4012345.00005.dock" });
    capture(&app, "gateway", &document(&[placed]), "rollback").await.expect(202);
    let ids = |found: Vec<Value>| {
        found.iter().map(|event| event["eventID"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(query(&app, "enterprise", "").await),
        ["urn:example:factory", "urn:example:g1", "urn:example:g3"]
    );
    assert_eq!(query(&app, "supervisor", "").await.len(), 3);
    // Others neither see it nor learn that it is there.
    assert!(query(&app, "farm", "").await.is_empty());
    let theirs = app.get("farm", "/epcis/v2/events/urn:example:factory").await.expect(404);
    let none = app.get("farm", "/epcis/v2/events/urn:example:nothing").await.expect(404);
    assert_eq!(theirs["detail"], none["detail"]);
    capture(
        &app,
        "farm",
        &document(&[observed("urn:example:factory", "urn:example:other")]),
        "rollback",
    )
    .await
    .expect(202);
    assert_eq!(
        app.get("farm", "/epcis/v2/epcs").await.expect(200)["member"],
        json!(["urn:example:other"])
    );
}

#[tokio::test]
async fn g_5_4_4_what_can_be_told_is_a_trace_event_and_what_cannot_says_why() {
    let mut app = TestApp::start().await;
    let harvest = json!({
        "type": "ObjectEvent", "eventID": "urn:example:harvest", "action": "ADD", "bizStep": "commissioning",
        "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "quantityList": [{ "epcClass": "urn:example:EPC-LOT-1", "quantity": 100.0, "uom": "KGM" }],
        "bizTransactionList": [{ "type": "po", "bizTransaction": "urn:example:po:1" }],
        "ilmd": { "cbvmda:lotNumber": "L77", "yj:plot": "示例地块" },
        "yj:domain": "agri", "yj:type": "harvest",
    });
    let mut ambiguous = harvest.clone();
    ambiguous["eventID"] = json!("urn:example:ambiguous");
    ambiguous.as_object_mut().unwrap().remove("yj:type");
    let mut incomplete = harvest.clone();
    incomplete["eventID"] = json!("urn:example:incomplete");
    incomplete["ilmd"].as_object_mut().unwrap().remove("yj:plot");
    incomplete["quantityList"][0]["epcClass"] = json!("urn:example:EPC-LOT-2");
    let foreign = observed("urn:example:foreign", "urn:example:thing:1");
    let sent = document(&[harvest, ambiguous, incomplete, foreign]);
    let done = job(&app, "farm", &capture(&app, "farm", &sent, "rollback").await).await;
    assert_eq!((done["captured"].as_i64(), done["told"].as_i64()), (Some(4), Some(1)), "{done}");
    let reasons: Vec<_> = done["untold"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["ambiguous_type", "no_domain", "refused"]);
    let refused = done["untold"][2]["example"].as_str().unwrap();
    assert!(refused.contains("attributes.plot"), "{refused}");
    // It is an event like any other: with its lot, its paper, and what it is called elsewhere.
    let found = app.get("supervisor", "/api/v1/trace/events?lot=L77").await.expect(200);
    let told = &found["items"][0];
    assert_eq!(
        (&told["type"], &told["external_id"], &told["source"]),
        (&json!("harvest"), &json!("urn:example:harvest"), &json!("api"))
    );
    assert_eq!(
        (&told["outputs"][0]["code"], &told["outputs"][0]["quantity"]),
        (&json!("urn:example:EPC-LOT-1"), &json!("100"))
    );
    assert_eq!(told["documents"], json!([{ "type": "po", "no": "urn:example:po:1" }]));
    assert_eq!(told["attributes"]["plot"], "示例地块");
    assert_eq!(
        app.count("SELECT COUNT(*) FROM epcis_event e JOIN trace_event t ON t.uid = e.trace_uid WHERE e.domain = 'agri'").await,
        1
    );
    // What was sent is anchored, told or not.
    app.anchor().await;
    assert_eq!(
        app.count("SELECT COUNT(*) FROM anchor_entry a JOIN epcis_event e ON e.uid = a.record WHERE a.state = 'confirmed'").await,
        4
    );
    // It waits for review, like whatever this source sends, and is made into something afterwards.
    let uid = told["id"].as_str().unwrap();
    if told["state"] == "held" {
        app.post("reviewer", &format!("/api/v1/trace/events/{uid}/approve"), json!({}))
            .await
            .expect(200);
    }
    let processing = json!({
        "type": "TransformationEvent", "eventID": "urn:example:processing", "transformationID": "urn:example:t",
        "eventTime": "2026-11-11T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "inputQuantityList": [{ "epcClass": "urn:example:EPC-LOT-1", "quantity": 60, "uom": "KGM" }],
        "outputQuantityList": [{ "epcClass": "urn:example:EPC-OUT-1", "quantity": 6e1, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "processing",
    });
    let done =
        job(&app, "farm", &capture(&app, "farm", &document(&[processing]), "rollback").await).await;
    assert_eq!(done["told"], 1, "{done}");
    let found = app
        .get("supervisor", "/api/v1/trace/events?code=urn:example:EPC-OUT-1&state=held")
        .await
        .expect(200);
    if let Some(held) = found["items"].as_array().unwrap().first() {
        let path = format!("/api/v1/trace/events/{}/approve", held["id"].as_str().unwrap());
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
    let found =
        app.get("supervisor", "/api/v1/trace/objects/urn:example:EPC-LOT-1").await.expect(200);
    assert_eq!((&found["held"], &found["consumed"]), (&json!("40"), &json!("60")), "{found}");
    app.restart().await;
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 5);
    let folder = std::env::temp_dir();
    for (what, well, detail) in yj_server::examine(&app.assembled, &folder).await {
        assert!(well, "{what}: {detail}");
    }
}

fn many(count: usize, padding: usize) -> Value {
    let event = |number: usize| {
        let mut event =
            observed(&format!("urn:example:many:{number}"), &format!("urn:example:thing:{number}"));
        event["ex:padding"] = json!("x".repeat(padding));
        event
    };
    document(&(0..count).map(event).collect::<Vec<_>>())
}

#[tokio::test]
async fn g_8_2_a_long_document_is_read_by_a_job_that_goes_on_where_it_was_stopped() {
    let app = TestApp::start().await;
    let sent = many(1_300, 1_000);
    assert!(sent.to_string().len() > 1 << 20);
    let answer = capture(&app, "enterprise", &sent, "rollback").await;
    let waiting = job(&app, "enterprise", &answer).await;
    assert_eq!((&waiting["running"], &waiting["success"]), (&json!(true), &json!(true)));
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_part").await, 2);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 0);
    // The process dies after the first chunk.
    let progress = async {
        while app.count("SELECT COUNT(*) FROM epcis_event").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let work = yj_kernel::jobs::run_next(&app.assembled.app);
    tokio::select! {
        done = work => { done.unwrap(); }
        () = progress => {}
    }
    let kept = app.count("SELECT COUNT(*) FROM epcis_event").await;
    assert!((1..=1_300).contains(&kept), "{kept}");
    app.pass(SignedDuration::from_mins(2));
    app.run_jobs().await;
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!(
        (&done["success"], &done["captured"], &done["duplicates"]),
        (&json!(true), &json!(1_300), &json!(0)),
        "{done}"
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 1_300);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_part").await, 0);
    let path = format!("/api/v1/jobs/{}", done["job"].as_str().unwrap());
    let progress = app.get("enterprise", &path).await.expect(200);
    assert_eq!(
        (&progress["done"], &progress["total"], &progress["state"]),
        (&json!(1_300), &json!(1_300), &json!("done"))
    );
    // The numbers have no hole and follow the document.
    assert_eq!(app.count("SELECT MAX(seq) FROM epcis_event").await, 1_300);
    let last = query(&app, "enterprise", "MATCH_epc=urn:example:thing:1299").await;
    assert_eq!(last[0]["eventID"], "urn:example:many:1299");
}

#[tokio::test]
async fn g_8_2_a_long_document_with_a_fault_leaves_nothing_or_what_is_sound() {
    let app = TestApp::start().await;
    let mut sent = many(1_300, 1_000);
    sent["epcisBody"]["eventList"][1_200]["eventTime"] = json!("gestern");
    let answer = capture(&app, "enterprise", &sent, "rollback").await;
    app.run_jobs().await;
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!(
        (&done["running"], &done["success"], &done["captured"]),
        (&json!(false), &json!(false), &json!(0)),
        "{done}"
    );
    assert_eq!(done["errors"][0]["event"], 1_201);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 0);
    let answer = capture(&app, "enterprise", &sent, "proceed").await;
    app.run_jobs().await;
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!(
        (&done["success"], &done["captured"], &done["refused"]),
        (&json!(false), &json!(1_299), &json!(1)),
        "{done}"
    );
    // Two events of one name and different content, far apart.
    let mut sent = many(1_300, 999);
    sent["epcisBody"]["eventList"][1_250]["eventID"] = json!("urn:example:twice");
    sent["epcisBody"]["eventList"][3]["eventID"] = json!("urn:example:twice");
    let answer = capture(&app, "farm", &sent, "rollback").await;
    app.run_jobs().await;
    let done = job(&app, "farm", &answer).await;
    assert_eq!(
        (&done["captured"], &done["errors"][0]["event"]),
        (&json!(0), &json!(1_251)),
        "{done}"
    );
    // A document that ends in the middle.
    let text = many(1_300, 998).to_string();
    let cut = text.as_bytes()[..text.len() - 40].to_vec();
    let answer = app.send("POST", "/epcis/v2/capture", Some("farm"), &[], Some(cut.clone())).await;
    app.run_jobs().await;
    let done = job(&app, "farm", &answer).await;
    assert_eq!((&done["success"], &done["captured"]), (&json!(false), &json!(0)), "{done}");
    // Whoever takes what there is gets every event that came whole.
    let proceed = [("gs1-capture-error-behaviour", "proceed")];
    let answer = app.send("POST", "/epcis/v2/capture", Some("farm"), &proceed, Some(cut)).await;
    app.run_jobs().await;
    let done = job(&app, "farm", &answer).await;
    assert_eq!((&done["success"], &done["captured"]), (&json!(false), &json!(1_300)), "{done}");
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_part").await, 0);
}

/// Runs the waiting job until its whole document has been looked at, and no further.
async fn run_until_checked(app: &TestApp) {
    let checked = async {
        while app.count("SELECT COUNT(*) FROM epcis_capture WHERE checked = -1").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let work = yj_kernel::jobs::run_next(&app.assembled.app);
    tokio::select! {
        done = work => { done.unwrap(); }
        () = checked => {}
    }
}

#[tokio::test]
async fn g_8_2_names_of_a_rollback_capture_are_kept_free_while_its_job_lives() {
    let app = TestApp::start().await;
    let sent = many(1_300, 1_000);
    let answer = capture(&app, "enterprise", &sent, "rollback").await;
    run_until_checked(&app).await;
    assert!(app.count("SELECT COUNT(*) FROM epcis_event").await < 1_200);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_reserved").await, 1_300);
    // Somebody else gives one of its names to something else: that has to wait.
    let other = document(&[observed("urn:example:many:1299", "urn:example:other")]);
    let refused = capture(&app, "enterprise", &other, "rollback").await.expect(400);
    assert!(refused.to_string().contains("正由另一次采集"), "{refused}");
    let rest = [observed("urn:example:free", "urn:example:other")];
    let both = document(&[other["epcisBody"]["eventList"][0].clone(), rest[0].clone()]);
    let done = job(&app, "enterprise", &capture(&app, "enterprise", &both, "proceed").await).await;
    assert_eq!((&done["captured"], &done["refused"]), (&json!(1), &json!(1)), "{done}");
    // The same content harms nobody, and of another subject it is another name.
    let same = document(&[sent["epcisBody"]["eventList"][1_298].clone()]);
    capture(&app, "enterprise", &same, "rollback").await.expect(202);
    capture(&app, "farm", &other, "rollback").await.expect(202);
    // A second long document that would need one of them leaves nothing.
    let mut rival = many(1_300, 1_001);
    for (number, event) in
        rival["epcisBody"]["eventList"].as_array_mut().unwrap().iter_mut().enumerate()
    {
        let name =
            if number == 7 { "urn:example:many:1297".into() } else { format!("urn:r:{number}") };
        event["eventID"] = json!(name);
    }
    let second = capture(&app, "enterprise", &rival, "rollback").await;
    while yj_kernel::jobs::run_next(&app.assembled.app).await.unwrap() {}
    let second = job(&app, "enterprise", &second).await;
    assert_eq!((&second["captured"], &second["running"]), (&json!(0), &json!(false)), "{second}");
    assert_eq!(second["errors"][0]["event"], 8);
    app.pass(SignedDuration::from_mins(2));
    app.run_jobs().await;
    let done = job(&app, "enterprise", &answer).await;
    assert_eq!(
        (&done["success"], &done["captured"], &done["duplicates"]),
        (&json!(true), &json!(1_299), &json!(1)),
        "{done}"
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_reserved").await, 0);
    let refused = capture(&app, "enterprise", &other, "rollback").await.expect(400);
    assert!(refused.to_string().contains("已有内容不同的事件"), "{refused}");
}

#[tokio::test]
async fn g_8_2_a_cancelled_capture_gives_its_names_up() {
    let app = TestApp::start().await;
    let answer = capture(&app, "enterprise", &many(1_300, 1_000), "rollback").await;
    run_until_checked(&app).await;
    let running = job(&app, "enterprise", &answer).await;
    let other = document(&[observed("urn:example:many:1299", "urn:example:other")]);
    capture(&app, "enterprise", &other, "rollback").await.expect(400);
    let path = format!("/api/v1/jobs/{}/cancel", running["job"].as_str().unwrap());
    app.post("enterprise", &path, json!({})).await.expect(200);
    capture(&app, "enterprise", &other, "rollback").await.expect(202);
}

#[tokio::test]
async fn g_8_2_whoever_takes_a_capture_over_while_it_is_looked_at_goes_on_there() {
    let app = TestApp::start().await;
    let mut sent = many(1_300, 1_000);
    sent["epcisBody"]["eventList"][2]["eventTime"] = json!("gestern");
    sent["epcisBody"]["eventList"][1_250]["eventID"] = json!("urn:example:many:4");
    let answer = capture(&app, "enterprise", &sent, "rollback").await;
    let begun = async {
        while app.count("SELECT COUNT(*) FROM epcis_capture WHERE checked > 0").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let work = yj_kernel::jobs::run_next(&app.assembled.app);
    tokio::select! {
        done = work => { done.unwrap(); }
        () = begun => {}
    }
    let seen = job(&app, "enterprise", &answer).await;
    assert!(seen["checked"].as_i64().is_some_and(|count| count >= 500), "{seen}");
    app.pass(SignedDuration::from_mins(2));
    app.run_jobs().await;
    let done = job(&app, "enterprise", &answer).await;
    let places: Vec<_> =
        done["errors"].as_array().unwrap().iter().map(|one| &one["event"]).collect();
    assert_eq!((&done["captured"], places), (&json!(0), vec![&json!(3), &json!(1_251)]), "{done}");
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_reserved").await, 0);
}
