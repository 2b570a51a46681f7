//! S-35, ADR 36: of an erased record nothing is left but a tombstone, the log still verifies, and nobody
//! can feign an erasure.

use serde_json::{Value, json};
use yj_proof::{Trust, verify};

use crate::{
    harness::TestApp,
    tamper::{anchored, blob, named, pass},
};

/// A farmer's record: the subject is a natural person.
async fn of_a_farmer(app: &TestApp, code: &str) -> String {
    let id = anchored(app, code).await;
    app.run_sql(&format!(
        "UPDATE trace_subject SET kind = '07' WHERE id = (SELECT subject_id FROM trace_event WHERE uid = '{id}')"
    ))
    .await;
    id
}

#[tokio::test]
async fn s_35_an_erased_record_leaves_a_tombstone_and_the_log_still_verifies() {
    let mut app = TestApp::start().await;
    let id = anchored(&app, "TOMB-1").await;
    let one = format!("/api/v1/trace/events/{id}");
    let act = json!({ "ground": "consent_withdrawn", "reason": "当事人撤回同意" });
    let refused = app.post("reviewer", &format!("{one}/forget"), act.clone()).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("自然人"), "an enterprise's stays");
    let id = of_a_farmer(&app, "TOMB-2").await;
    let one = format!("/api/v1/trace/events/{id}");
    app.post("supervisor", &format!("{one}/forget"), act.clone()).await.expect(403);
    let wrong = json!({ "ground": "whim", "reason": "当事人撤回同意" });
    app.post("reviewer", &format!("{one}/forget"), wrong).await.expect(422);
    app.run_sql("CREATE TABLE kept_entry AS SELECT * FROM anchor_entry").await;
    app.run_sql("CREATE TABLE kept_event AS SELECT * FROM trace_event").await;
    app.post("reviewer", &format!("{one}/forget"), act.clone()).await.expect(204);
    app.post("reviewer", &format!("{one}/forget"), act).await.expect(204);
    app.anchor().await;
    erased(&app, &id).await;
    let passes = app.get("auditor", "/api/v1/ledger/passes").await.expect(200);
    assert_eq!(passes["items"][0]["erased"], 1);
    app.assembled.ledger.verify_chain().unwrap();
    // The tombstone can be proved, and says nothing of anybody.
    let mut tx = app.assembled.app.db().snapshot().await.unwrap();
    let sql = yj_kernel::Sql::new("SELECT tombstone FROM ledger_tombstone");
    let stone = tx.fetch_one(sql).await.unwrap().unwrap().text(0).unwrap().to_owned();
    let proof = app.assembled.ledger.proof(&mut tx, &stone).await.unwrap();
    drop(tx);
    let (_, chain) = app.assembled.ledger.genesis();
    assert!(verify(&proof, &Trust::in_chain(chain)).ok);
    let text = String::from_utf8(proof).unwrap();
    assert!(text.contains("\"ground\":\"consent_withdrawn\"") && text.contains(&id));
    assert!(!text.contains("当事人") && !text.contains("示例路"), "{text}");
    // An old backup put back brings nothing back.
    for (column, table, kept, key) in [
        ("envelope", "anchor_entry", "kept_entry", "record"),
        ("salt", "anchor_entry", "kept_entry", "record"),
        ("body", "trace_event", "kept_event", "uid"),
    ] {
        app.tamper(&format!(
            "UPDATE {table} SET {column} = (SELECT k.{column} FROM {kept} k WHERE k.{key} = '{id}') \
             WHERE {key} = '{id}'"
        ))
        .await;
    }
    let back = app.get("supervisor", &format!("{one}/proof")).await;
    assert_eq!(back.status, 200, "the backup is back");
    app.restart().await;
    erased(&app, &id).await;
}

/// Nothing of the record is left but that it was there, and nothing of that is a finding.
async fn erased(app: &TestApp, id: &str) {
    let one = format!("/api/v1/trace/events/{id}");
    let gone = app.get("supervisor", &format!("{one}/proof")).await.expect(410);
    assert!(gone["detail"].as_str().unwrap().contains("墓碑"), "{gone}");
    let read = app.get("supervisor", &one).await.expect(200);
    assert_eq!(read["integrity"]["intact"], true, "{}", read["integrity"]);
    assert!(read["integrity"]["finding"].as_str().unwrap().contains("依法删除"));
    assert!(
        !read.to_string().contains("示例路") && !read.to_string().contains("示例地块"),
        "{read}"
    );
    assert_eq!(read["outputs"][0]["quantity"], "100", "what others hold was made of it");
    let text = app.count("SELECT COUNT(*) FROM anchor_entry WHERE envelope LIKE '%TOMB-2%'").await;
    assert_eq!(text, 0);
    assert_eq!(pass(app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn d_6_3_a_feigned_erasure_is_found() {
    let app = TestApp::start().await;
    let id = of_a_farmer(&app, "FEIGNED-1").await;
    let nothing = format!("UPDATE anchor_entry SET envelope = '', salt = {}", blob(&app, ""));
    app.tamper(&format!("{nothing} WHERE record = '{id}'")).await;
    let found = pass(&app).await;
    assert_eq!(named(&found, "erasure", &id)["height"], 2);
    app.tamper(&format!(
        "INSERT INTO ledger_tombstone (record, tombstone, kind, ground, organization, at) \
         VALUES ('{id}', '019a9c00-0000-7000-8000-00000000f002', 'trace_event', 'other', '', 0)"
    ))
    .await;
    let found = pass(&app).await;
    named(&found, "erasure", &id);
    named(&found, "unanchored", "019a9c00-0000-7000-8000-00000000f002");
}
