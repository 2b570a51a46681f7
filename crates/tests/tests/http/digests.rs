//! D-6.3, ADR 40: whoever has noted down a digest finds the record, the submission or the block that it
//! belongs to, as far as they may read it.

use serde_json::{Value, json};
use yj_crypto::{sm3, to_hex};
use yj_ledger::Digests;
use yj_proof::{Bundle, Record, merkle};

use crate::{
    documents::{CERTIFICATES, wanted},
    epcis::{capture, document, job},
    harness::{TestApp, encoded},
    tamper::anchored,
};

async fn look(app: &TestApp, user: &str, digest: &str) -> Value {
    app.get(user, &format!("/api/v1/ledger/digests/{digest}")).await.expect(200)
}

/// What a digest is, of what kind.
async fn known(app: &TestApp, user: &str, digest: &str) -> Vec<(String, Value)> {
    let found = look(app, user, digest).await;
    assert_eq!(found["digest"], digest);
    let items = found["items"].as_array().unwrap().iter();
    items.map(|item| (String::from(item["what"].as_str().unwrap()), item.clone())).collect()
}

fn names(found: &[(String, Value)]) -> Vec<&str> {
    found.iter().map(|(what, _)| what.as_str()).collect()
}

async fn proof(app: &TestApp, user: &str, id: &str) -> Bundle {
    let proof = app.get(user, &format!("/api/v1/trace/events/{id}/proof")).await;
    assert_eq!(proof.status, 200);
    Bundle::from_bytes(&proof.bytes).unwrap()
}

/// The digest that a proof prints.
fn entry(bundle: &Bundle) -> [u8; 32] {
    match &bundle.content {
        Record::Whole { envelope, salt } => envelope.entry(salt).unwrap(),
        Record::Partial { .. } => panic!("a partial proof"),
    }
}

#[tokio::test]
async fn d_6_3_a_digest_tells_its_record_submission_and_block() {
    let app = TestApp::start().await;
    let id = anchored(&app, "DIG-1").await;
    let bundle = proof(&app, "farm", &id).await;
    let (own, submission) = (entry(&bundle), bundle.submission.to_bytes());
    let height = bundle.header.height;
    for (digest, what) in [
        (own, "entry"),
        (sm3::digest(&submission), "submission"),
        (merkle::leaf(&submission), "submission_leaf"),
        (bundle.header.block_id(), "block"),
        (bundle.header.tree_root, "log_root"),
    ] {
        let found = known(&app, "farm", &to_hex(&digest)).await;
        assert_eq!(names(&found), [what]);
        let item = &found[0].1;
        assert_eq!(item["height"], height, "{what}");
        assert_eq!(item["block_id"], to_hex(&bundle.header.block_id()));
        assert!(item["time"].is_string() && item["title"].is_string());
        let of_submission = what.starts_with("submission") || what == "entry";
        assert_eq!(item["submission"]["org"] == bundle.submission.org, of_submission, "{what}");
    }
    let found = known(&app, "farm", &to_hex(&own)).await;
    assert_eq!((&found[0].1["record"], &found[0].1["kind"]), (&json!(id), &json!("trace_event")));
    assert!(found[0].1["name"].as_str().unwrap().contains("DIG-1"));
    // Of a submission with one record the leaf of the record is the root as well.
    let leaf = to_hex(&merkle::leaf(&own));
    assert_eq!(names(&known(&app, "farm", &leaf).await), ["records_root", "leaf"]);
    let (_, chain) = app.assembled.ledger.genesis();
    assert_eq!(names(&known(&app, "farm", &to_hex(&chain)).await), ["chain"]);
    // Capitals are digits too.
    let path = format!("/api/v1/ledger/digests/{}", to_hex(&own).to_uppercase());
    assert_eq!(app.get("farm", &path).await.expect(200)["digest"], to_hex(&own));
    let nothing = look(&app, "farm", &to_hex(&[7; 32])).await;
    assert_eq!((&nothing["items"], &nothing["more"]), (&json!([]), &json!(false)));
    assert_eq!(nothing["searched"], nothing["height"], "everything was looked at");
}

#[tokio::test]
async fn d_6_3_what_is_no_digest_is_refused_with_what_would_be_one() {
    let app = TestApp::start().await;
    for (text, said) in [
        ("abc", "现为 3 位"),
        (&"0".repeat(65), "现为 65 位"),
        (&"g".repeat(64), "现有其他字符"),
        (&"源".repeat(64), "现有其他字符"),
    ] {
        let path = format!("/api/v1/ledger/digests/{}", encoded(text));
        let answer = app.get("farm", &path).await.expect(422);
        let error = &answer["errors"][0];
        assert_eq!(error["field"], "digest");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains("应为 64 位十六进制") && detail.contains(said), "{detail}");
    }
    let path = format!("/api/v1/ledger/digests/{}", "0".repeat(64));
    assert_eq!(app.send("GET", &path, None, &[], None).await.status, 401);
    assert_eq!(app.get("secadmin", &path).await.status, 403);
}

#[tokio::test]
async fn d_6_3_a_digest_of_another_house_is_as_unknown_as_any() {
    let app = TestApp::start().await;
    let id = anchored(&app, "DIG-2").await;
    let bundle = proof(&app, "farm", &id).await;
    let own = to_hex(&entry(&bundle));
    assert_eq!(names(&known(&app, "supervisor", &own).await), ["entry"], "of the region");
    let (theirs, nobodys) =
        (look(&app, "enterprise", &own).await, look(&app, "enterprise", &to_hex(&[7; 32])).await);
    for member in ["items", "more", "height", "searched"] {
        assert_eq!(theirs[member], nobodys[member], "{member}");
    }
    // What the log itself shows to everybody says nothing of the record.
    let leaf = to_hex(&merkle::leaf(&entry(&bundle)));
    let found = known(&app, "enterprise", &leaf).await;
    assert_eq!(names(&found), ["records_root"]);
    assert!(!found[0].1.to_string().contains(&id), "{found:?}");
}

/// Blocks of before are taken up in pieces, and none is left out or told twice.
#[tokio::test]
async fn d_6_3_blocks_of_earlier_versions_are_found_as_well() {
    let mut app = TestApp::start().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(anchored(&app, &format!("PIECE-{number}")).await);
    }
    let small = Digests::in_pieces(&app.assembled.tamper, 7);
    assert!(small.catch_up().unwrap());
    drop(small);
    ids.push(anchored(&app, "PIECE-LAST").await);
    for _ in 0..2 {
        for id in &ids {
            let bundle = proof(&app, "farm", id).await;
            let found = known(&app, "farm", &to_hex(&entry(&bundle))).await;
            assert_eq!(names(&found), ["entry"]);
            assert_eq!(found[0].1["record"], json!(id));
            assert_eq!(found[0].1["height"], bundle.header.height);
            let block = to_hex(&bundle.header.block_id());
            assert_eq!(names(&known(&app, "farm", &block).await), ["block"]);
        }
        // Rows of a version that left the leaf to the sequencer.
        app.run_sql("UPDATE anchor_entry SET leaf = NULL").await;
        app.restart().await;
    }
    app.assembled.ledger.verify_chain().unwrap();
}

#[tokio::test]
async fn d_6_3_a_certificate_a_file_and_an_epcis_event_are_found_by_their_own_digests() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    anchored(&app, "DIG-3").await;
    let made = app.post("farm", CERTIFICATES, wanted(&farm, "100", &["DIG-3"])).await.expect(201);
    app.anchor().await;
    let number = made["number"].as_str().unwrap();
    let proof = app.send("GET", &format!("/c/{number}/proof"), None, &[], None).await;
    let bundle = Bundle::from_bytes(&proof.bytes).unwrap();
    let partial = match &bundle.content {
        Record::Whole { .. } => to_hex(&entry(&bundle)),
        Record::Partial { .. } => to_hex(&bundle.submission.root),
    };
    let found = known(&app, "farm", &partial).await;
    let named = found.iter().filter(|(_, item)| item["kind"] == "batch_document");
    assert_eq!(named.clone().count(), 1, "{found:?}");
    assert_eq!(named.clone().next().unwrap().1["name"], number);
    let others = known(&app, "enterprise", &partial).await;
    assert!(others.iter().all(|(_, item)| item["kind"].is_null()), "{others:?}");

    // A file hangs on a document of the farm's, and is found by what is in it.
    let documents = app.get("farm", "/api/v1/batch_document").await.expect(200);
    let document_id = documents["items"][0]["id"].as_str().unwrap();
    let bytes = b"%PDF-1.7 sample".to_vec();
    let digest = to_hex(&sm3::digest(&bytes));
    assert!(known(&app, "farm", &digest).await.is_empty());
    let path =
        format!("/api/v1/attachments?name=test.pdf&entity=batch_document&record={document_id}");
    let kind = [("content-type", "application/octet-stream")];
    app.send("POST", &path, Some("farm"), &kind, Some(bytes)).await.expect(201);
    for user in ["farm", "supervisor"] {
        let found = known(&app, user, &digest).await;
        assert_eq!(names(&found), ["file"], "{user}");
        let item = &found[0].1;
        assert_eq!((&item["kind"], &item["name"]), (&json!("batch_document"), &json!("test.pdf")));
        assert_eq!(item["record"], document_id);
    }
    assert!(known(&app, "enterprise", &digest).await.is_empty());

    let event = json!({
        "type": "ObjectEvent", "eventID": "urn:example:digest", "action": "OBSERVE",
        "bizStep": "inspecting", "eventTime": "2026-11-10T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "epcList": ["urn:example:DIG-3"],
    });
    job(&app, "farm", &capture(&app, "farm", &document(&[event]), "rollback").await).await;
    for sql in ["SELECT hash FROM epcis_event", "SELECT sm3 FROM epcis_event"] {
        let mut tx = app.assembled.app.db().snapshot().await.unwrap();
        let sql = yj_kernel::Sql::new(sql);
        let text = String::from(tx.fetch_one(sql).await.unwrap().unwrap().text(0).unwrap());
        drop(tx);
        let digest = text.split([';', '?']).nth(1).unwrap();
        let found = known(&app, "farm", digest).await;
        assert_eq!(names(&found), ["content"], "{text}");
        let item = &found[0].1;
        assert_eq!(
            (&item["kind"], &item["name"]),
            (&json!("epcis_event"), &json!("urn:example:digest"))
        );
        assert!(known(&app, "enterprise", digest).await.is_empty());
    }
}
