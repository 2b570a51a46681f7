//! D-6.3, ADR 36: an administrator who may write everything in the database, but not to a witness, is
//! found: by the audit, and by whoever holds only proofs and checkpoints.

use std::path::Path;

use jiff::SignedDuration;
use redb::{ReadableTable as _, TableDefinition};
use serde_json::{Value, json};
use yj_proof::{Checkpoint, Trust, merkle, verify};
use yj_server::demo;

use crate::{
    epcis,
    harness::{TestApp, harvest},
};

/// An accepted and anchored harvest that happened at a place of its own; its identifier.
pub async fn anchored(app: &TestApp, code: &str) -> String {
    let subject = app.subject("示例韭菜合作社一社").await;
    let mut event = harvest(&subject, code);
    event["place"] = json!({ "region": "610113", "address": "示例路 1 号" });
    event["outputs"][0]["lot"] = json!(code);
    let answer = app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
    app.anchor().await;
    String::from(answer["results"][0]["id"].as_str().unwrap())
}

/// A whole pass; what is open after it.
pub async fn pass(app: &TestApp) -> Vec<Value> {
    app.post("auditor", "/api/v1/ledger/passes", json!({})).await.expect(202);
    assert_eq!(app.assembled.tamper.drain(&app.assembled.app).await.unwrap(), 1);
    open(app).await
}

async fn open(app: &TestApp) -> Vec<Value> {
    let found = app.get("auditor", "/api/v1/ledger/findings?state=open").await.expect(200);
    found["items"].as_array().unwrap().clone()
}

/// The one finding of this kind about a record names it, its block and its time.
#[track_caller]
pub fn named<'a>(found: &'a [Value], what: &str, record: &str) -> &'a Value {
    let is = |one: &&Value| one["what"] == what && one["record"] == record;
    let one = found.iter().find(is).unwrap_or_else(|| panic!("{what} {record}: {found:?}"));
    assert!(one["at"].is_string(), "{one}");
    one
}

fn fields(finding: &Value) -> Vec<&str> {
    let fields = finding["fields"].as_array().unwrap();
    fields.iter().map(|field| field["field"].as_str().unwrap()).collect()
}

/// A text of bytes in the words of the engine.
pub fn blob(app: &TestApp, hex: &str) -> String {
    match app.database_file() {
        Some(_) => format!("x'{hex}'"),
        None => format!("'\\x{hex}'::bytea"),
    }
}

fn of_event(id: &str) -> String {
    format!("(SELECT id FROM trace_event WHERE uid = '{id}')")
}

/// Takes an event and all that hangs on it out of the tables.
async fn remove_event(app: &TestApp, id: &str) {
    for table in ["trace_link", "trace_match_line"] {
        app.run_sql(&format!("DELETE FROM {table} WHERE event_id = {}", of_event(id))).await;
    }
    app.run_sql(
        "DELETE FROM trace_object WHERE NOT EXISTS \
         (SELECT 1 FROM trace_link l WHERE l.object_id = trace_object.id)",
    )
    .await;
    app.tamper(&format!("DELETE FROM trace_event WHERE uid = '{id}'")).await;
    if app.database_file().is_none() {
        app.tamper(&format!("DELETE FROM trace_event_key WHERE uid = '{id}'")).await;
    }
}

#[tokio::test]
async fn d_6_3_nothing_is_found_on_a_platform_that_nobody_tampered_with() {
    let app = TestApp::start().await;
    anchored(&app, "SOUND-1").await;
    app.assembled.ledger.anchor_audit(&app.assembled.app).await.unwrap();
    app.anchor().await;
    assert_eq!(pass(&app).await, Vec::<Value>::new());
    assert_eq!(app.assembled.tamper.sample(&app.assembled.app).await.unwrap(), []);
    let passes = app.get("auditor", "/api/v1/ledger/passes").await.expect(200);
    let (last, sample) = (&passes["items"][0], &passes["samples"][0]);
    assert_eq!((&last["state"], &last["findings"]), (&json!("done"), &json!(0)));
    let events = app
        .count("SELECT COUNT(*) FROM trace_event WHERE state IN ('accepted', 'superseded')")
        .await;
    assert_eq!(last["records"], last["entries"]);
    assert!(last["records"].as_i64().unwrap() > events, "events, and an end of the audit trail");
    assert!(last["facts"].as_i64().unwrap() >= events, "{last}");
    assert!(last["blocks"].as_i64().unwrap() >= 2 && sample["records"].as_i64().unwrap() > 0);
    for (name, well, detail) in yj_server::examine(&app.assembled, Path::new(".")).await {
        assert!(well || !name.starts_with("存证"), "{name}: {detail}");
    }
    // Everybody who sees the ledger sees that it was looked at; findings are for few.
    let state = app.get("supervisor", "/api/v1/ledger/tamper").await.expect(200);
    assert_eq!((&state["open"], &state["last_full"]["findings"]), (&json!(0), &json!(0)));
    app.get("supervisor", "/api/v1/ledger/findings").await.expect(403);
    app.get("auditor", "/api/v1/ledger/findings?state=all").await.expect(422);
}

/// With corrections, orders and papers in it.
#[tokio::test]
async fn d_6_3_nothing_is_found_in_the_demonstration_with_orders_and_papers() {
    let app = TestApp::bare(yj_identity::Security::demonstration()).await;
    demo::load(&app.assembled, demo::Size::Chains, &mut |_| {}).await.unwrap();
    app.anchor().await;
    let (counts, found) = app.assembled.tamper.inspect(&app.assembled.app).await.unwrap();
    assert_eq!(found, []);
    let documents = app.count("SELECT COUNT(*) FROM batch_document").await;
    assert!(documents > 0 && counts.records > u64::try_from(documents).unwrap(), "{counts:?}");
}

#[tokio::test]
async fn d_6_3_a_changed_column_is_found_and_named() {
    let app = TestApp::start().await;
    let id = anchored(&app, "COLUMN-1").await;
    let other = app.subject("示例蔬菜加工厂").await["id"].as_str().unwrap().to_owned();
    let event = format!("UPDATE trace_event SET $ WHERE uid = '{id}'");
    let changes = [
        ("lot = 'OTHER'", "lot"),
        ("event_time = event_time - 86400000", "event_time"),
        ("recorded_at = recorded_at - 86400000", "recorded_at"),
        ("region = '610116'", "supervised_in"),
        (&format!("counterparty_id = '{other}'"), "counterparty_id"),
        (&format!("subject_id = '{other}'"), "subject_id"),
        ("source = 'device'", "source"),
        ("pack_version = '9.9.9'", "pack_version"),
        ("body = replace(body, '\"100\"', '\"900\"')", "outputs[0].quantity"),
        ("body = replace(body, '示例路 1 号', '示例路 2 号')", "place.address"),
        ("state = 'rejected'", "state"),
    ];
    let keep = "CREATE TABLE kept AS SELECT * FROM trace_event";
    app.run_sql(&format!("{keep} WHERE uid = '{id}'")).await;
    for (change, field) in changes {
        app.tamper(&event.replace('$', change)).await;
        app.pass(SignedDuration::from_mins(1));
        let found = pass(&app).await;
        let one = named(&found, "changed", &id);
        assert_eq!(one["height"], 2, "{change}: {one}");
        assert!(fields(one).contains(&field), "{change}: {one}");
        assert!(one["detail"].as_str().unwrap().contains(field), "{change}: {one}");
        assert!(!one.to_string().contains("示例路"), "what may be a person's is masked: {one}");
        // Put back, a pass finds nothing, and the finding can be settled.
        let columns =
            ["lot", "event_time", "recorded_at", "region", "counterparty_id", "subject_id"];
        let columns = columns.into_iter().chain(["source", "pack_version", "body", "state"]);
        let back = columns.map(|column| format!("{column} = (SELECT k.{column} FROM kept k)"));
        app.tamper(&event.replace('$', &back.collect::<Vec<_>>().join(", "))).await;
        let settle = format!("/api/v1/ledger/findings/{}", one["id"].as_str().unwrap());
        let reason = json!({ "reason": "已从备份恢复" });
        app.post("auditor", &format!("{settle}/resolve"), reason.clone()).await.expect(409);
        app.pass(SignedDuration::from_mins(1));
        pass(&app).await;
        app.post("auditor", &format!("{settle}/resolve"), reason).await.expect(200);
        let left = open(&app).await.into_iter().filter(|one| one["what"] != "derived");
        assert_eq!(left.collect::<Vec<_>>(), Vec::<Value>::new(), "{change}");
    }
}

#[tokio::test]
async fn d_6_3_a_changed_epcis_event_is_found_and_named() {
    let app = TestApp::start().await;
    let events = [epcis::observed("urn:example:one", "urn:example:thing")];
    let taken = epcis::capture(&app, "farm", &epcis::document(&events), "rollback").await;
    assert_eq!(epcis::job(&app, "farm", &taken).await["captured"], 1);
    app.anchor().await;
    assert_eq!(pass(&app).await, Vec::<Value>::new());
    for (change, field) in [
        ("hash = 'ni:///sha-256;other?ver=CBV2.0'", "hash"),
        ("body = substr(body, 1, length(body) - 4) || 'AAAA'", "body"),
    ] {
        let app = TestApp::start().await;
        let taken = epcis::capture(&app, "farm", &epcis::document(&events), "rollback").await;
        assert_eq!(epcis::job(&app, "farm", &taken).await["captured"], 1);
        app.anchor().await;
        app.tamper(&format!("UPDATE epcis_event SET {change}")).await;
        let found = pass(&app).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["kind"], &found[0]["height"]), (&json!("epcis_event"), &json!(2)));
        assert_eq!(fields(&found[0]), [field], "{found:?}");
    }
}

#[tokio::test]
async fn d_6_3_a_changed_link_is_found_and_named() {
    let app = TestApp::start().await;
    let id = anchored(&app, "LINK-1").await;
    app.tamper(&format!(
        "UPDATE trace_link SET quantity = quantity + 1 WHERE event_id = {}",
        of_event(&id)
    ))
    .await;
    let found = pass(&app).await;
    assert_eq!(fields(named(&found, "changed", &id)), ["links[0].quantity"]);
    // The balance no longer follows from it.
    named(&found, "derived", "object:LINK-1");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[tokio::test]
async fn d_6_3_who_changes_text_and_salt_as_well_is_found_by_the_log_and_by_whoever_holds_a_proof()
{
    for attack in 0..4 {
        let app = TestApp::start().await;
        let id = anchored(&app, "TEXT-1").await;
        let proof_path = format!("/api/v1/trace/events/{id}/proof");
        let held = app.get("supervisor", &proof_path).await.bytes;
        let checkpoint = app.assembled.ledger.checkpoint().unwrap().unwrap();
        let text = "envelope = replace(envelope, '\"100\"', '\"900\"')";
        let salt = format!("salt = {}", blob(&app, &"07".repeat(16)));
        let set = match attack {
            0 => String::from(text),
            1 => format!("{text}, {salt}"),
            2 => salt,
            // One letter of the text.
            _ => String::from("envelope = replace(envelope, '示例路 1 号', '示例路 1 号。')"),
        };
        app.tamper(&format!("UPDATE anchor_entry SET {set} WHERE record = '{id}'")).await;
        if attack < 2 {
            let body = "UPDATE trace_event SET body = replace(body, '\"100\"', '\"900\"')";
            app.tamper(&format!("{body} WHERE uid = '{id}'")).await;
        }
        let found = pass(&app).await;
        let one = named(&found, "envelope", &id);
        assert_eq!((&one["height"], &one["kind"]), (&json!(2), &json!("trace_event")), "{one}");
        // A stranger with the proof from before: it holds, and says what was true then; the platform
        // cannot give another.
        let (_, chain) = app.assembled.ledger.genesis();
        assert!(verify(&held, &Trust::in_chain(chain)).ok, "attack {attack}");
        assert!(String::from_utf8_lossy(&held).contains("\"quantity\":\"100\""));
        let given = app.get("supervisor", &proof_path).await.bytes;
        assert!(!verify(&given, &Trust::in_chain(chain)).ok, "attack {attack}");
        goes_on(&app, &checkpoint);
    }
}

/// Whether the log that the platform shows now goes on from a checkpoint that a stranger holds.
fn continues(app: &TestApp, held: &Checkpoint) -> bool {
    let ledger = &app.assembled.ledger;
    let now = ledger.checkpoint().unwrap().unwrap();
    let path = ledger.consistency(held.size, now.size);
    path.is_ok_and(|path| {
        merkle::is_consistent((held.size, held.root), (now.size, now.root), &path)
    })
}

#[track_caller]
fn goes_on(app: &TestApp, held: &Checkpoint) {
    assert!(continues(app, held), "the log itself was not touched");
}

const COLUMNS: &str = "domain, kind, stage, subject_id, subject_code, product_id, lot, region, event_time, \
     event_offset, recorded_at, recorded_by, source, state, body, pack_version, label";

/// Copies an event past the platform, under another name.
async fn add_event(app: &TestApp, like: &str, uid: &str) {
    if app.database_file().is_none() {
        app.tamper(&format!(
            "INSERT INTO trace_event_key (id, uid, digest, event_time) \
             SELECT 900001, '{uid}', 'forged', event_time FROM trace_event WHERE uid = '{like}'"
        ))
        .await;
    }
    app.tamper(&format!(
        "INSERT INTO trace_event (id, uid, digest, {COLUMNS}) \
         SELECT 900001, '{uid}', 'forged', {COLUMNS} FROM trace_event WHERE uid = '{like}'"
    ))
    .await;
}

#[tokio::test]
async fn d_6_3_an_event_added_behind_the_platforms_back_is_found() {
    let app = TestApp::start().await;
    let id = anchored(&app, "ADD-1").await;
    let forged = "019a9c00-0000-7000-8000-00000000f001";
    add_event(&app, &id, forged).await;
    let found = pass(&app).await;
    let one = named(&found, "unanchored", forged);
    assert_eq!((&one["height"], found.len()), (&Value::Null, 1), "it is in no block: {found:?}");
    // With an entry of the queue that says it is confirmed, it is no better off.
    app.tamper(&format!(
        "INSERT INTO anchor_entry (record, org, envelope, salt, state, queued_at, height, confirmed_at) \
         SELECT '{forged}', org, replace(envelope, '{id}', '{forged}'), salt, 'confirmed', queued_at, \
         height, confirmed_at FROM anchor_entry WHERE record = '{id}'"
    ))
    .await;
    let found = pass(&app).await;
    let one = named(&found, "forged", forged);
    assert_eq!(one["height"], 2, "the block it claims: {one}");
    // Nobody can be given a proof of it.
    let path = format!("/api/v1/trace/events/{forged}/proof");
    assert_eq!(app.get("supervisor", &path).await.status, 409);
    let sampled = app.assembled.tamper.sample(&app.assembled.app).await.unwrap();
    assert!(sampled.iter().all(|one| one.record == forged), "{sampled:?}");
}

#[tokio::test]
async fn d_6_3_a_removed_event_is_found_with_or_without_its_text() {
    let app = TestApp::start().await;
    let (one, two) = (anchored(&app, "GONE-1").await, anchored(&app, "GONE-2").await);
    let held = app.get("supervisor", &format!("/api/v1/trace/events/{two}/proof")).await.bytes;
    let checkpoint = app.assembled.ledger.checkpoint().unwrap().unwrap();
    remove_event(&app, &one).await;
    remove_event(&app, &two).await;
    app.tamper(&format!("DELETE FROM anchor_entry WHERE record = '{two}'")).await;
    let found = pass(&app).await;
    assert_eq!(named(&found, "removed", &one)["height"], 2);
    assert_eq!(named(&found, "entry_removed", &two)["height"], 3);
    assert_eq!(found.len(), 2, "{found:?}");
    // The platform denies it; whoever holds the proof shows that it is on the log it still publishes.
    let path = format!("/api/v1/trace/events/{two}");
    assert_eq!(app.get("supervisor", &path).await.status, 404);
    let (_, chain) = app.assembled.ledger.genesis();
    assert!(verify(&held, &Trust::in_chain(chain)).ok);
    goes_on(&app, &checkpoint);
}

#[tokio::test]
async fn d_6_3_heights_that_were_swapped_and_times_put_back_are_found() {
    let app = TestApp::start().await;
    let one = anchored(&app, "TIME-1").await;
    let two = anchored(&app, "TIME-2").await;
    let swap = "UPDATE anchor_entry SET height = 5 - height WHERE record IN";
    app.tamper(&format!("{swap} ('{one}', '{two}')")).await;
    let found = pass(&app).await;
    assert_eq!((&named(&found, "misplaced", &one)["height"], found.len()), (&json!(2), 2));
    assert_eq!(named(&found, "misplaced", &two)["height"], 3, "the block that holds it");
    app.tamper(&format!("{swap} ('{one}', '{two}')")).await;
    for (column, days) in [("confirmed_at", 2), ("queued_at", 9)] {
        let app = TestApp::start().await;
        let id = anchored(&app, "TIME-3").await;
        let back = i64::from(days) * 86_400_000;
        let set = format!("UPDATE anchor_entry SET {column} = {column} - {back}");
        app.tamper(&format!("{set} WHERE record = '{id}'")).await;
        let found = pass(&app).await;
        let one = named(&found, "backdated", &id);
        assert_eq!((fields(one), &one["height"]), (vec![column], &json!(2)), "{one}");
    }
}

const BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blocks");
const SUBMISSIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("submissions");

/// Changes the ledger's own file while nothing runs.
fn in_ledger(folder: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let file = redb::Database::create(folder.join("ledger").join("ledger.redb")).unwrap();
    let tx = file.begin_write().unwrap();
    change(&tx);
    tx.commit().unwrap();
}

#[tokio::test]
async fn d_6_3_a_block_that_was_removed_or_changed_is_found() {
    let mut app = TestApp::start().await;
    for number in 0..3 {
        anchored(&app, &format!("BLOCK-{number}")).await;
    }
    app.restart_after(&[], |folder| {
        in_ledger(folder, |tx| drop(tx.open_table(BLOCKS).unwrap().remove(2).unwrap()));
    })
    .await;
    let found = pass(&app).await;
    let one = found.iter().find(|one| one["what"] == "block").unwrap();
    assert_eq!((&one["record"], &one["height"]), (&json!("block:2"), &json!(2)), "{one}");
    // A byte of a submission; its block is named, and when it was made.
    let mut app = TestApp::start().await;
    anchored(&app, "BLOCK-1").await;
    app.restart_after(&[], |folder| {
        in_ledger(folder, |tx| {
            let mut table = tx.open_table(SUBMISSIONS).unwrap();
            let mut bytes = table.get(0).unwrap().unwrap().value().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            table.insert(0, bytes.as_slice()).unwrap();
        });
    })
    .await;
    let found = pass(&app).await;
    assert_eq!(named(&found, "block", "block:1")["height"], 1);
    let findings = yj_server::examine(&app.assembled, Path::new(".")).await;
    let chain = findings.iter().find(|one| one.0 == "存证链").unwrap();
    assert!(!chain.1 && chain.2.contains("block:1"), "{chain:?}");
}

fn put_back(old: &Path, ledger: &Path) {
    std::fs::copy(old, ledger).unwrap();
}

/// A log that is sound in itself, but another than before: only who holds a checkpoint can tell.
#[tokio::test]
async fn d_6_3_a_ledger_made_anew_is_found_by_the_checkpoint_that_another_holds() {
    let mut app = TestApp::start().await;
    let ledger = app.folder.path().join("ledger").join("ledger.redb");
    let old = app.folder.path().join("old.redb");
    std::fs::copy(&ledger, &old).unwrap();
    let id = anchored(&app, "ANEW-1").await;
    let proof = app.get("supervisor", &format!("/api/v1/trace/events/{id}/proof")).await.bytes;
    let note = app.assembled.ledger.signed_checkpoint().unwrap().unwrap();
    let size = note.checkpoint.size;
    let checkpoint = app.assembled.ledger.checkpoint().unwrap().unwrap();
    // The administrator takes the record away wherever it is, puts the old file back, and lets the
    // platform make other blocks.
    remove_event(&app, &id).await;
    app.tamper(&format!("DELETE FROM anchor_entry WHERE record = '{id}'")).await;
    app.restart_after(&[], |_| put_back(&old, &ledger)).await;
    anchored(&app, "ANEW-2").await;
    anchored(&app, "ANEW-3").await;
    assert_eq!(pass(&app).await, Vec::<Value>::new(), "by itself it is a log like any other");
    app.run_sql("DELETE FROM ledger_pass").await;
    let folder = app.folder.path().join("checkpoints");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("witness.txt"), note.to_text()).unwrap();
    app.restart().await;
    let found = pass(&app).await;
    let one = named(&found, "checkpoint", &format!("checkpoint:{size}"));
    assert_eq!((&one["height"], found.len()), (&json!(2), 1), "{found:?}");
    assert!(one["detail"].as_str().unwrap().contains("检查点文件"), "{one}");
    // The same for a stranger: the proof is of a log that the platform does not show any more.
    let (_, chain) = app.assembled.ledger.genesis();
    assert!(verify(&proof, &Trust::in_chain(chain)).ok);
    assert!(!continues(&app, &checkpoint), "the log must not pass for the one that was witnessed");
}

/// Put back as it was on an earlier day, the ledger is shorter than what is known of it.
#[tokio::test]
async fn d_6_3_an_old_ledger_put_back_is_found() {
    let mut app = TestApp::start().await;
    let ledger = app.folder.path().join("ledger").join("ledger.redb");
    let old = app.folder.path().join("old.redb");
    std::fs::copy(&ledger, &old).unwrap();
    let id = anchored(&app, "OLD-1").await;
    pass(&app).await;
    app.restart_after(&[], |_| put_back(&old, &ledger)).await;
    let found = pass(&app).await;
    assert_eq!(named(&found, "forged", &id)["height"], 2, "confirmed, and in no block");
    let one = found.iter().find(|one| one["what"] == "checkpoint").unwrap();
    assert!(one["detail"].as_str().unwrap().contains("平台上次全面检查"), "{one}");
}

#[tokio::test]
async fn d_6_3_a_finding_is_an_alarm_an_audit_entry_and_stands_in_a_signed_report() {
    let app = TestApp::start().await;
    let id = anchored(&app, "ALARM-1").await;
    app.tamper(&format!("UPDATE trace_event SET lot = 'OTHER' WHERE uid = '{id}'")).await;
    // Samples find it too, before the night.
    let mut sampled = Vec::new();
    for _ in 0..20 {
        sampled = app.assembled.tamper.sample(&app.assembled.app).await.unwrap();
        if !sampled.is_empty() {
            break;
        }
    }
    assert!(sampled.iter().any(|one| one.record == id), "{sampled:?}");
    let alarms = app.get("auditor", "/api/v1/alarms").await.expect(200);
    let is = |one: &&Value| one["kind"] == "ledger_tampered" && one["subject"] == json!(id);
    let alarm = alarms["items"].as_array().unwrap().iter().find(is).unwrap();
    for part in ["lot", "区块 2", "2026年11月19日 12:00"] {
        assert!(alarm["detail"].as_str().unwrap().contains(part), "{alarm}");
    }
    // One finding however often it is seen, and one alarm.
    let found = pass(&app).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let raised = app.count("SELECT COUNT(*) FROM alarm WHERE kind = 'ledger_tampered'").await;
    let noted = app.count("SELECT COUNT(*) FROM audit_log WHERE entity = 'ledger_finding'").await;
    let told = app.count("SELECT COUNT(*) FROM outbox WHERE topic = 'ledger_finding.found'").await;
    assert_eq!((raised, noted, told), (1, 1, 1));
    let figures = app.send("GET", "/metrics", None, &[], None).await;
    assert!(String::from_utf8_lossy(&figures.bytes).contains("ledger_findings_open 1"));
    // Somebody says that they know of it.
    let path = format!("/api/v1/ledger/findings/{}", found[0]["id"].as_str().unwrap());
    let reason = json!({ "reason": "正在核查" });
    app.post("auditor", &format!("{path}/acknowledge"), json!({ "reason": "" })).await.expect(422);
    let known =
        app.post("auditor", &format!("{path}/acknowledge"), reason.clone()).await.expect(200);
    assert_eq!(
        (&known["state"], &known["settled_by"]),
        (&json!("acknowledged"), &json!("auditor"))
    );
    app.post("auditor", &format!("{path}/resolve"), reason.clone()).await.expect(409);
    app.post("supervisor", &format!("{path}/acknowledge"), reason).await.expect(403);
    // The report says it, and nobody can change what it says.
    let passes = app.get("auditor", "/api/v1/ledger/passes").await.expect(200);
    let path =
        format!("/api/v1/ledger/passes/{}/report", passes["items"][0]["id"].as_str().unwrap());
    let report = app.get("auditor", &path).await;
    assert_eq!(report.status, 200, "{}", report.body);
    assert_eq!(report.body["report"]["findings"][0]["record"], json!(id));
    let note = yj_proof::Note::read(report.body["report"]["checkpoint"].as_str().unwrap()).unwrap();
    assert_eq!(note.checkpoint, app.assembled.ledger.checkpoint().unwrap().unwrap());
    let key = String::from(report.body["key"].as_str().unwrap());
    assert!(yj_ledger::verify_report(&report.bytes, Some(&key)).ok);
    let other = String::from_utf8(report.bytes.clone()).unwrap().replace(&id, "示例");
    assert!(!yj_ledger::verify_report(other.as_bytes(), Some(&key)).ok);
    assert!(!yj_ledger::verify_report(&report.bytes, Some(&key.replace('1', "2"))).ok);
    // It is the key under which proofs show the platform's submissions.
    let proof = app.get("supervisor", &format!("/api/v1/trace/events/{id}/proof")).await.body;
    assert!(proof["key"].to_string().contains(&key), "{}", proof["key"]);
    app.get("auditor", "/api/v1/ledger/passes/none/report").await.expect(404);
}

#[tokio::test]
async fn d_6_3_a_pass_begins_every_night_and_goes_on_where_it_was_interrupted() {
    let app = TestApp::start().await;
    let (tamper, platform) = (&app.assembled.tamper, &app.assembled.app);
    assert!(tamper.plan(platform).await.unwrap(), "there was none yet");
    assert!(!tamper.plan(platform).await.unwrap());
    app.post("auditor", "/api/v1/ledger/passes", json!({})).await.expect(409);
    // Told to stop after its first step, it has written down how far it came.
    let (stop, stopped) = tokio::sync::watch::channel(false);
    stop.send(true).unwrap();
    tamper.work(platform, &stopped).await.unwrap();
    let passes = app.get("auditor", "/api/v1/ledger/passes").await.expect(200);
    let (begun, name) = (passes["items"][0].clone(), passes["items"][0]["id"].clone());
    assert_eq!(begun["state"], "running");
    assert!(begun["blocks"].as_i64().unwrap() >= 1 && begun["records"] == 0, "{begun}");
    assert_eq!(tamper.drain(platform).await.unwrap(), 1);
    let passes = app.get("auditor", "/api/v1/ledger/passes").await.expect(200);
    let (ended, again) = (&passes["items"][0], &passes["items"][0]["id"]);
    assert_eq!((&ended["state"], again), (&json!("done"), &name));
    assert_eq!(ended["blocks"], begun["blocks"]);
    assert!(ended["records"].as_i64().unwrap() > 0);
    assert_eq!(passes["next_full_at"], "2026-11-20T02:30:00+08:00");
    app.pass(SignedDuration::from_hours(15));
    assert!(tamper.plan(platform).await.unwrap(), "the next night");
}
