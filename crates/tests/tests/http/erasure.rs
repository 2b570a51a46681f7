//! S-35, ADR 41: what is erased is erased everywhere: in whatever door it came through and whatever
//! version of it there is, nothing of it is found again in the database or in the data folder.

use std::path::Path;

use jiff::ToSpan;
use serde_json::{Value, json};
use yj_model::OffsetTime;

use crate::{
    capturing::{at, captured},
    documents::{CERTIFICATES, wanted},
    epcis,
    harness::{Answer, TestApp, harvest},
    houses::id_of,
    tamper::pass,
    telemetry::Sensor,
};

/// What leads to the person, and to nobody else.
const MARK: &str = "ZHAO7731";
const EVENTS: &str = "/api/v1/trace/events";

fn act() -> Value {
    json!({ "ground": "consent_withdrawn", "reason": "当事人撤回同意" })
}

async fn forget(app: &TestApp, id: &str) {
    app.post("reviewer", &format!("{EVENTS}/{id}/forget"), act()).await.expect(204);
    app.anchor().await;
    app.run_jobs().await;
}

async fn as_person(app: &TestApp, subject: &Value) {
    let id = id_of(subject);
    app.run_sql(&format!("UPDATE trace_subject SET kind = '07' WHERE id = '{id}'")).await;
}

/// Whether the words are anywhere in what the platform keeps.
async fn is_kept(app: &TestApp, words: &str) -> bool {
    match app.database_file() {
        Some(_) => app.run_sql("PRAGMA wal_checkpoint(TRUNCATE)").await,
        None if app.every_row().await.contains(words) => return true,
        None => {}
    }
    holds(app.folder.path(), words.as_bytes())
}

fn holds(folder: &Path, words: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, words);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(words.len()).any(|window| window == words)
    })
}

/// The farm's harvest with a place of its own, and its correction; the corrected and the correcting.
async fn corrected(app: &TestApp, farm: &Value, code: &str) -> (String, String) {
    let mut event = harvest(farm, code);
    event["place"] = json!({ "region": "610113", "address": format!("{MARK} 路 1 号") });
    let first = captured(app, event.clone()).await;
    event["place"]["address"] = json!(format!("{MARK} 路 2 号"));
    event["correction_of"] = first["id"].clone();
    event["correction_reason"] = json!("门牌有误");
    let second = captured(app, event).await;
    (id_of(&first), id_of(&second))
}

#[tokio::test]
async fn s_35_all_versions_of_an_erased_event_are_erased() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    as_person(&app, &farm).await;
    let (first, second) = corrected(&app, &farm, "VER-1").await;
    app.anchor().await;
    assert!(is_kept(&app, MARK).await, "the search finds what is there");
    // The public has read the story; what is kept of it in memory goes too.
    let story = app.send("GET", "/t/VER-1", None, &[], None).await;
    forget(&app, &first).await;
    assert!(!is_kept(&app, MARK).await);
    let again = app.send("GET", "/t/VER-1", None, &[], None).await;
    assert_eq!(story.status, again.status);
    assert!(!String::from_utf8(again.bytes).unwrap().contains(MARK));
    for id in [first, second] {
        app.get("supervisor", &format!("{EVENTS}/{id}/proof")).await.expect(410);
        let read = app.get("supervisor", &format!("{EVENTS}/{id}")).await.expect(200);
        assert_eq!(read["integrity"]["intact"], true, "{read}");
    }
    assert_eq!(pass(&app).await, Vec::<Value>::new());
    app.assembled.ledger.verify_chain().unwrap();
}

#[tokio::test]
async fn s_35_what_waits_for_review_is_decided_before_it_is_erased() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    as_person(&app, &farm).await;
    let (first, second) = corrected(&app, &farm, "VER-2").await;
    app.anchor().await;
    app.run_sql(&format!("UPDATE trace_event SET state = 'held' WHERE uid = '{second}'")).await;
    let one = format!("{EVENTS}/{first}/forget");
    let refused = app.post("reviewer", &one, act()).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("待审"), "{refused}");
    assert!(is_kept(&app, MARK).await, "nothing of it was done");
}

fn told(code: &str) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:{MARK}:{code}"), "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "ilmd": { "yj:plot": format!("{MARK} 地块") },
        "readPoint": { "id": format!("urn:example:gate:{code}") },
        "bizLocation": { "id": "urn:example:hall" },
        "quantityList": [{ "epcClass": format!("urn:example:{code}"), "quantity": 5, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "harvest",
    })
}

async fn sent(app: &TestApp, events: &[Value], behaviour: &str) -> Value {
    let answer = epcis::capture(app, "farm", &epcis::document(events), behaviour).await;
    epcis::job(app, "farm", &answer).await
}

#[tokio::test]
async fn s_35_the_epcis_event_of_an_erased_event_is_erased_with_it_and_does_not_come_back() {
    let mut app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    as_person(&app, &farm).await;
    let (event, other) = (told("GONE"), told("STAYS"));
    assert_eq!(sent(&app, &[event.clone(), other], "rollback").await["told"], 2);
    let mut declared = event.clone();
    declared["errorDeclaration"] =
        json!({ "declarationTime": "2026-11-11T08:00:00+08:00", "reason": "incorrect_data" });
    app.anchor().await;
    let found = app.get("supervisor", &format!("{EVENTS}?per_page=200")).await.expect(200);
    let name = &event["eventID"];
    let items = found["items"].as_array().unwrap();
    let id = id_of(items.iter().find(|one| one["external_id"] == *name).unwrap());
    app.run_sql("CREATE TABLE kept_epcis AS SELECT * FROM epcis_event").await;
    app.run_sql("CREATE TABLE kept_entry AS SELECT * FROM anchor_entry").await;
    forget(&app, &id).await;
    erased(&app, &event).await;
    // Sent again it is nothing new; with other content, it is refused.
    let again = sent(&app, std::slice::from_ref(&event), "rollback").await;
    assert_eq!(again["captured"], 0, "{again}");
    assert_eq!(sent(&app, &[declared], "proceed").await["captured"], 0);
    let mut changed = event.clone();
    changed["bizStep"] = json!("storing");
    let done = sent(&app, &[changed], "proceed").await;
    assert_eq!((&done["captured"], &done["refused"]), (&json!(0), &json!(1)), "{done}");
    assert!(done.to_string().contains("依法删除"), "{done}");
    erased(&app, &event).await;
    // An old backup brings nothing back.
    for (table, kept, key, columns) in [
        ("epcis_event", "kept_epcis", "uid", "erased,event_id,hash,sm3,body"),
        ("anchor_entry", "kept_entry", "record", "envelope,salt"),
    ] {
        let back: Vec<String> = columns
            .split(',')
            .map(|one| {
                format!("{one} = (SELECT k.{one} FROM {kept} k WHERE k.{key} = {table}.{key})")
            })
            .collect();
        app.tamper(&format!(
            "UPDATE {table} SET {} WHERE {key} IN (SELECT k.{key} FROM {kept} k)",
            back.join(", ")
        ))
        .await;
    }
    let path = format!("/epcis/v2/events/{}", name.as_str().unwrap());
    app.get("farm", &path).await.expect(200);
    app.restart().await;
    app.run_sql("DROP TABLE kept_epcis").await;
    app.run_sql("DROP TABLE kept_entry").await;
    erased(&app, &event).await;
}

async fn erased(app: &TestApp, event: &Value) {
    let path = format!("/epcis/v2/events/{}", event["eventID"].as_str().unwrap());
    // EPCIS knows no 410.
    let gone = app.get("farm", &path).await.expect(404);
    assert_eq!(gone["code"], "gone");
    let left = epcis::query(app, "farm", "").await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0]["eventID"].as_str().unwrap().ends_with("STAYS"));
    // What it alone mentioned is not listed any more, what others mention too is.
    for (list, still) in
        [("readPoints", "urn:example:gate:STAYS"), ("bizLocations", "urn:example:hall")]
    {
        let found = app.get("farm", &format!("/epcis/v2/{list}")).await.expect(200);
        assert_eq!(found["member"], json!([still]), "{list}");
    }
    let all =
        app.count("SELECT COUNT(*) FROM epcis_event WHERE event_id LIKE '%ZHAO7731:GONE%'").await;
    let terms = app.count("SELECT COUNT(*) FROM epcis_term WHERE raw LIKE '%GONE%'").await;
    let texts =
        app.count("SELECT COUNT(*) FROM anchor_entry WHERE envelope LIKE '%ZHAO7731:GONE%'");
    assert_eq!((all, terms, texts.await), (0, 0, 0));
    assert_eq!(pass(app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn s_35_erased_personal_attributes_do_not_stay_in_what_was_sent() {
    let app = TestApp::start().await;
    assert_eq!(sent(&app, &[told("PART")], "rollback").await["told"], 1);
    app.anchor().await;
    let found = app.get("supervisor", &format!("{EVENTS}?per_page=200")).await.expect(200);
    let name = told("PART")["eventID"].clone();
    let items = found["items"].as_array().unwrap();
    let id = id_of(items.iter().find(|one| one["external_id"] == name).unwrap());
    let reason = json!({ "ground": "unlawful", "reason": "误录了他人的姓名" });
    app.post("reviewer", &format!("{EVENTS}/{id}/erase"), reason).await.expect(204);
    app.anchor().await;
    // The event itself names an enterprise and stays, with its proof.
    app.get("supervisor", &format!("{EVENTS}/{id}/proof")).await.expect(200);
    let path = format!("/epcis/v2/events/{}", name.as_str().unwrap());
    assert_eq!(app.get("farm", &path).await.expect(404)["code"], "gone");
    assert_eq!(epcis::query(&app, "farm", "").await.len(), 0);
    assert_eq!(pass(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn s_35_the_file_that_an_erased_event_came_in_can_no_longer_be_read() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    as_person(&app, &farm).await;
    let sheet = format!(
        "主体代码,发生时间,产出追溯码,产出数量,产出单位,产品代码,地块编号,面积（亩）,品种,播种日期\n\
         {},2026-11-10 08:00,FILE-1,5,KGM,YJ-JC-01,{MARK} 地块,5,示例品种,2026-08-01\n",
        farm["code"].as_str().unwrap()
    );
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=a.csv";
    let job = app.import("farm", path, sheet.into_bytes()).await;
    assert_eq!(job["succeeded"], 1, "{job}");
    app.anchor().await;
    let id = id_of(
        &app.get("supervisor", &format!("{EVENTS}?code=FILE-1")).await.expect(200)["items"][0],
    );
    let live = "SELECT COUNT(*) FROM attachment a JOIN data_key k ON k.owner = a.id \
                WHERE a.removed_at IS NULL AND k.wrapped IS NOT NULL";
    assert_eq!(app.count(live).await, 1, "the file waits for repairs of its rows");
    forget(&app, &id).await;
    assert_eq!(app.count(live).await, 0);
    let job = format!("/api/v1/jobs/{}/rows", job["id"].as_str().unwrap());
    let rows = app.get("farm", &job).await;
    assert!(!rows.body.to_string().contains(MARK), "{}", rows.body);
    assert!(!is_kept(&app, MARK).await);
}

#[tokio::test]
async fn s_35_the_message_that_brought_an_erased_event_keeps_nothing_of_it() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    as_person(&app, &farm).await;
    let sensor = Sensor::new(&app, ("farm", "示例韭菜合作社一社"), "02:00:00:00:00:41").await;
    let mut event = harvest(&farm, "DEV-1");
    event.as_object_mut().unwrap().remove("subject");
    event["place"] = json!({ "region": "610113", "address": format!("{MARK} 路 1 号") });
    let says = |seq| sensor.says((1, seq), app.now(), json!({ "events": [event] }));
    let sent = crate::telemetry::send(&app, &[says(1)]).await;
    assert_eq!(sent, ["stored"]);
    assert_eq!(crate::telemetry::send(&app, &[says(2)]).await, ["stored"], "the same once more");
    yj_telemetry::anchor(&app.assembled.app, &app.assembled.ledger).await.unwrap();
    app.anchor().await;
    let path = format!("{EVENTS}?code=DEV-1");
    let id = id_of(&app.get("supervisor", &path).await.expect(200)["items"][0]);
    forget(&app, &id).await;
    assert!(!is_kept(&app, MARK).await);
    assert_eq!(pass(&app).await, Vec::<Value>::new());
    assert_eq!(crate::telemetry::send(&app, &[says(3)]).await, ["event_refused"]);
    assert!(!is_kept(&app, MARK).await);
    // Nobody shortens a message of which nothing was erased.
    app.tamper("DELETE FROM ledger_tombstone WHERE kind = 'trace_event'").await;
    app.run_sql("DELETE FROM data_key WHERE wrapped IS NULL").await;
    assert!(pass(&app).await.iter().any(|one| one["kind"] == "device_batch"));
}

#[tokio::test]
async fn s_35_a_persons_document_is_erased_and_its_tombstone_stays() {
    let mut app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    captured(&app, harvest(&farm, "DOC-1")).await;
    let mut certificate = wanted(&farm, "100", &["DOC-1"]);
    certificate["origin"] = json!(format!("{MARK} 乡"));
    let made = app.post("farm", CERTIFICATES, certificate).await.expect(201);
    app.anchor().await;
    let (id, number) = (id_of(&made), made["number"].as_str().unwrap().to_owned());
    let one = format!("/api/v1/batch_document/{id}");
    app.post("reviewer", &format!("{one}/forget"), act()).await.expect(409);
    as_person(&app, &farm).await;
    app.post("farm", &format!("{one}/forget"), act()).await.expect(403);
    // A 承诺达标合格证 is kept for six months from the day it was made out.
    let refused = app.post("reviewer", &format!("{one}/forget"), act()).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("不少于六个月"), "{refused}");
    let act = || json!({ "ground": "unlawful", "reason": "误录了他人的信息" });
    app.run_sql("CREATE TABLE kept_document AS SELECT * FROM batch_document").await;
    app.run_sql("CREATE TABLE kept_entry AS SELECT * FROM anchor_entry").await;
    app.post("reviewer", &format!("{one}/forget"), act()).await.expect(204);
    app.anchor().await;
    gone(&app, (&one, &number)).await;
    for (table, kept, key, columns) in [
        ("batch_document", "kept_document", "id", "number,issuer,origin"),
        ("anchor_entry", "kept_entry", "record", "envelope,salt"),
    ] {
        let back: Vec<String> = columns
            .split(',')
            .map(|column| {
                format!("{column} = (SELECT k.{column} FROM {kept} k WHERE k.{key} = '{id}')")
            })
            .collect();
        app.tamper(&format!("UPDATE {table} SET {} WHERE {key} = '{id}'", back.join(", "))).await;
    }
    app.restart().await;
    gone(&app, (&one, &number)).await;
}

async fn gone(app: &TestApp, (one, number): (&str, &str)) {
    app.get("supervisor", &format!("{one}/proof")).await.expect(410);
    let read = app.get("supervisor", one).await.expect(200);
    assert!(!read.to_string().contains(MARK) && !read.to_string().contains(number), "{read}");
    assert_eq!((&read["quantity"], &read["state"]), (&json!("100"), &json!("valid")));
    let uses = app.get("supervisor", &format!("{one}/uses")).await.expect(200);
    assert_eq!(uses["integrity"]["intact"], true, "{uses}");
    assert_eq!(app.send("GET", &format!("/c/{number}"), None, &[], None).await.status, 404);
    for table in ["batch_document WHERE origin", "anchor_entry WHERE envelope", "outbox WHERE body"]
    {
        let sql = format!("SELECT COUNT(*) FROM {table} LIKE '%{MARK}%'");
        let mut tx = app.assembled.app.db().snapshot().await.unwrap();
        let mut query = yj_kernel::Sql::new("");
        query.push(&sql);
        let rows = tx.fetch(query).await.unwrap();
        assert_eq!(rows[0].int(0).unwrap(), 0, "{table}");
    }
    // ADR 41: the audit trail is kept by law, and says what was written.
    let audited = app.count("SELECT COUNT(*) FROM audit_log WHERE body LIKE '%ZHAO7731%'").await;
    assert_eq!(audited, 1);
    assert_eq!(pass(app).await, Vec::<Value>::new());
}

/// What a 个体工商户, who has to keep what it sold and bought, sold on a day.
async fn sold_by_a_stall(app: &TestApp, code: &str, day: &str) -> String {
    let farm = app.subject("示例韭菜合作社一社").await;
    let time = format!("{day}T08:00:00+08:00");
    captured(app, at(harvest(&farm, code), &time)).await;
    let sold = json!({
        "domain": "agri", "type": "retail", "subject": farm["code"], "event_time": time,
        "inputs": [{ "code": code, "quantity": "10", "unit": "KGM" }],
        "outputs": [{
            "code": format!("{code}-S"), "quantity": "10", "unit": "KGM", "product": "YJ-JC-01", "lot": "L1",
        }],
        "attributes": { "stall": "A-1" },
    });
    let id = id_of(&captured(app, sold).await);
    app.run_sql(&format!("UPDATE trace_subject SET kind = '02' WHERE id = '{}'", id_of(&farm)))
        .await;
    app.anchor().await;
    id
}

/// What is answered to erasing on a ground.
async fn erased_for(app: &TestApp, path: &str, ground: &str) -> Answer {
    let act = json!({ "ground": ground, "reason": "当事人要求删除" });
    app.post("reviewer", path, act).await
}

#[tokio::test]
async fn g_1_what_a_law_has_kept_is_not_erased_before_its_time_is_over() {
    let app = TestApp::start().await;
    let today = OffsetTime::beijing(app.now()).beijing_day();
    let day = today.checked_sub(6.months()).unwrap();
    let one = format!("{EVENTS}/{}", sold_by_a_stall(&app, "KEPT-1", &day.to_string()).await);
    let kept = app.get("supervisor", &one).await.expect(200)["kept"].clone();
    let platform = day.checked_add(60.months()).unwrap().to_string();
    assert_eq!(kept["until"], platform);
    assert_eq!(kept["law"]["until"], today.to_string(), "six months to the day");
    assert!(kept["law"]["basis"].as_str().unwrap().contains("不少于六个月"), "{kept}");
    for path in ["forget", "erase"] {
        for ground in ["consent_withdrawn", "purpose_ended", "period_ended", "other"] {
            let refused = erased_for(&app, &format!("{one}/{path}"), ground).await.expect(409);
            let detail = refused["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("须保存至 {today}，期满前不能删除")), "{detail}");
        }
    }
    // What was taken in unlawfully may go at any time.
    erased_for(&app, &format!("{one}/forget"), "unlawful").await.expect(204);
}

#[tokio::test]
async fn g_1_what_no_law_has_kept_any_longer_may_go_but_not_as_if_its_time_were_over() {
    let app = TestApp::start().await;
    let today = OffsetTime::beijing(app.now()).beijing_day();
    let day = today.checked_sub(6.months().days(1)).unwrap();
    let one =
        format!("{EVENTS}/{}/forget", sold_by_a_stall(&app, "KEPT-2", &day.to_string()).await);
    let refused = erased_for(&app, &one, "period_ended").await.expect(409);
    let platform = day.checked_add(60.months()).unwrap();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("不少于 5 年，至 {platform}")), "{detail}");
    erased_for(&app, &one, "consent_withdrawn").await.expect(204);
}
