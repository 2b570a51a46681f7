//! 企业自签 (D-6.3-1, D-5b): keys of organisations, and the records that they sign with them.

use serde_json::{Value, json};
use yj_crypto::{Signer as _, SigningKey, from_hex, to_hex};
use yj_proof::{AttestedBy, Envelope, Hash, KeyEntry, Submission, Trust, merkle, verify};

use crate::harness::{TestApp, harvest};

const FARM: &str = "示例韭菜合作社一社";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed.wrapping_add(40); 32]).unwrap()
}

/// What somebody files who holds this key.
pub fn filing(org: &str, kid: &str, seed: u8) -> Value {
    let key = key(seed);
    let proof = key.sign(&KeyEntry::possession(org, kid, key.public_key())).unwrap();
    json!({
        "subject_code": org, "kid": kid, "public_key": to_hex(&key.public_key().to_bytes()),
        "proof": to_hex(&proof),
    })
}

/// A key of the farm, approved and on the ledger; its record's path.
async fn enrolled(app: &TestApp, org: &str, kid: &str, seed: u8) -> String {
    let filed = app.post("farm", "/api/v1/evidence_key", filing(org, kid, seed)).await.expect(202);
    let change = filed["change_request"]["id"].as_str().unwrap();
    let path = format!("/api/v1/evidence_key/changes/{change}/approve");
    let decided = app.post("reviewer", &path, json!({ "comment": "属实" })).await.expect(200);
    app.anchor().await;
    format!("/api/v1/evidence_key/{}", decided["record"].as_str().unwrap())
}

async fn capture(app: &TestApp, subject: &Value, code: &str) -> String {
    let event = harvest(subject, code);
    let done = app.post("gateway", "/api/v1/trace/events", event).await.expect(201);
    String::from(done["results"][0]["id"].as_str().unwrap())
}

/// What waits, as the organisation itself computes it: chain, next number, records and leaves.
async fn waiting(app: &TestApp, org: &str) -> (Hash, u64, Vec<(String, Hash)>) {
    app.anchor().await;
    let path = format!("/api/v1/ledger/unsigned?org={org}");
    let found = app.get("farm", &path).await.expect(200);
    let leaf = |item: &Value| {
        let envelope = serde_json::from_str(item["envelope"].as_str().unwrap()).unwrap();
        let envelope = Envelope::read(envelope).unwrap();
        assert_eq!(envelope.org(), org);
        let salt = from_hex(item["salt"].as_str().unwrap()).unwrap();
        let entry = envelope.entry(&salt).unwrap();
        (String::from(item["record"].as_str().unwrap()), merkle::leaf(&entry))
    };
    let items = found["items"].as_array().unwrap().iter().map(leaf).collect();
    let chain = from_hex(found["chain_id"].as_str().unwrap()).unwrap();
    (chain, found["next_seq"].as_u64().unwrap(), items)
}

/// One signed submission.
fn signed(
    (chain_id, org): (Hash, &str),
    (kid, seed): (&str, u8),
    seq: u64,
    records: &[(String, Hash)],
) -> Value {
    let leaves: Vec<_> = records.iter().map(|(_, leaf)| *leaf).collect();
    let unsigned = Submission {
        chain_id,
        org: org.into(),
        seq,
        count: u32::try_from(records.len()).unwrap(),
        root: merkle::root(&leaves),
        kid: kid.into(),
        attested_by: AttestedBy::Enterprise,
        signature: [0; 64],
    };
    let submission = Submission::sign(unsigned, &key(seed)).unwrap();
    json!({
        "org": org, "kid": kid, "seq": seq, "signature": to_hex(&submission.signature),
        "records": records.iter().map(|(record, _)| record).collect::<Vec<_>>(),
    })
}

/// Offers submissions while blocks are made.
async fn offer(app: &TestApp, submissions: Vec<Value>) -> Value {
    let body = json!({ "submissions": submissions });
    let asked = app.post("farm", "/api/v1/ledger/submissions", body);
    let blocks = async {
        loop {
            app.anchor().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = asked => answer.expect(200),
        () = blocks => unreachable!(),
    }
}

async fn proof(app: &TestApp, event: &str) -> yj_proof::Verdict {
    let proof = app.get("farm", &format!("/api/v1/trace/events/{event}/proof")).await;
    let (_, chain) = app.assembled.ledger.genesis();
    verify(&proof.bytes, &Trust::in_chain(chain))
}

#[tokio::test]
async fn d_6_3_1_an_organisation_signs_its_own_records_and_the_proof_says_so() {
    let app = TestApp::start().await;
    app.anchor().await;
    let subject = app.subject(FARM).await;
    let org = subject["code"].as_str().unwrap();
    let before = capture(&app, &subject, "BEFORE").await;
    app.anchor().await;
    enrolled(&app, org, "k1", 1).await;
    let (one, two) = (capture(&app, &subject, "ONE").await, capture(&app, &subject, "TWO").await);
    let (chain, seq, records) = waiting(&app, org).await;
    assert_eq!(records.len(), 2);
    let read = app.get("farm", &format!("/api/v1/trace/events/{one}")).await.expect(200);
    assert_eq!(read["anchor"], "pending");
    let parts = [
        signed((chain, org), ("k1", 1), seq, &records[..1]),
        signed((chain, org), ("k1", 1), seq + 1, &records[1..]),
    ];
    let answer = offer(&app, parts.to_vec()).await;
    assert_eq!(answer["accepted"], 2, "{answer}");
    for event in [&one, &two] {
        let verdict = proof(&app, event).await;
        assert!(verdict.ok, "{verdict:?}");
        assert!(
            verdict.conclusion.contains(&format!("主体 {org} 的密钥 k1 签名")),
            "{}",
            verdict.conclusion
        );
    }
    let verdict = proof(&app, &before).await;
    assert!(verdict.ok && verdict.conclusion.contains("平台密钥 platform-1 代主体"), "{verdict:?}");
    app.assembled.ledger.verify_chain().unwrap();
    // The same again is answered as before; nothing is anchored twice.
    let again = offer(&app, parts.to_vec()).await;
    assert_eq!((&again["accepted"], &again["submissions"]), (&json!(2), &answer["submissions"]));
}

#[tokio::test]
async fn d_6_3_1_a_wrong_signature_number_or_record_is_refused_and_said() {
    let app = TestApp::start().await;
    let subject = app.subject(FARM).await;
    let org = subject["code"].as_str().unwrap();
    enrolled(&app, org, "k1", 1).await;
    capture(&app, &subject, "ONE").await;
    let (chain, seq, records) = waiting(&app, org).await;
    let good = signed((chain, org), ("k1", 1), seq, &records);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let strangers = signed((chain, org), ("k1", 2), seq, &records);
    let other_chain = signed(([0; 32], org), ("k1", 1), seq, &records);
    let wrong = [
        (strangers, "SM2 签名"),
        (other_chain, "SM2 签名"),
        (with("seq", json!(seq + 1)), "SM2 签名"),
        (signed((chain, org), ("k1", 1), seq + 1, &records), "序号应为"),
        (with("kid", json!("k9")), "未登记或已吊销"),
        (with("records", json!(["x"])), "不是该主体待签名的记录"),
        (with("records", json!([records[0].0, records[0].0])), "重复"),
    ];
    for (submission, reason) in wrong {
        let answer = offer(&app, vec![submission]).await;
        let detail = answer["submissions"][0]["problem"]["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{detail}");
        assert_eq!(answer["accepted"], 0);
    }
    assert_eq!(offer(&app, vec![good]).await["accepted"], 1);
    // Somebody else's records are nobody's business.
    let others = app.subject("示例蔬菜加工厂").await;
    let path = format!("/api/v1/ledger/unsigned?org={}", others["code"].as_str().unwrap());
    app.get("farm", &path).await.expect(404);
}

#[tokio::test]
async fn d_6_3_1_what_is_not_signed_in_time_the_platform_signs_and_says_so() {
    let app = TestApp::start().await;
    let subject = app.subject(FARM).await;
    let org = subject["code"].as_str().unwrap();
    enrolled(&app, org, "k1", 1).await;
    let event = capture(&app, &subject, "LATE").await;
    assert_eq!(waiting(&app, org).await.2.len(), 1);
    app.pass(jiff::SignedDuration::from_mins(11));
    app.anchor().await;
    let verdict = proof(&app, &event).await;
    assert!(verdict.ok && verdict.conclusion.contains("平台密钥 platform-1 代主体"), "{verdict:?}");
    assert!(waiting(&app, org).await.2.is_empty());
}

#[tokio::test]
async fn d_5_b_a_key_is_proved_reviewed_rotated_and_revoked_by_height() {
    let app = TestApp::start().await;
    let subject = app.subject(FARM).await;
    let org = subject["code"].as_str().unwrap();
    // Whoever does not hold the key, or holds another's, registers nothing.
    let mut stolen = filing(org, "k1", 1);
    stolen["proof"] = filing(org, "k2", 1)["proof"].clone();
    let refused = app.post("farm", "/api/v1/evidence_key", stolen).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("持有证明"), "{refused}");
    let other = app.subject("示例蔬菜加工厂").await;
    let foreign = filing(other["code"].as_str().unwrap(), "k1", 1);
    app.post("farm", "/api/v1/evidence_key", foreign).await.expect(422);
    let filed = app.post("farm", "/api/v1/evidence_key", filing(org, "k1", 1)).await.expect(202);
    let change = filed["change_request"]["id"].as_str().unwrap();
    let approve = format!("/api/v1/evidence_key/changes/{change}/approve");
    app.post("farm", &approve, json!({ "comment": "属实" })).await.expect(403);
    app.post("reviewer", &approve, json!({ "comment": "属实" })).await.expect(200);
    app.anchor().await;
    let shown = app.get("supervisor", &format!("/api/v1/ledger/keys?org={org}")).await.expect(200);
    let first = &shown["items"][0];
    assert_eq!((&first["kid"], &first["revoked_at"]), (&json!("k1"), &Value::Null), "{shown}");
    // A record signed by the first key, then another key, then the first is revoked.
    let early = capture(&app, &subject, "EARLY").await;
    let (chain, seq, records) = waiting(&app, org).await;
    offer(&app, vec![signed((chain, org), ("k1", 1), seq, &records)]).await;
    enrolled(&app, org, "k2", 2).await;
    let found = app.get("farm", "/api/v1/evidence_key?kid=k1").await.expect(200);
    let record = found["items"][0]["id"].as_str().unwrap();
    let version = found["items"][0]["version"].as_i64().unwrap();
    let revoke = format!("/api/v1/evidence_key/{record}/revoke");
    let reason = json!({ "reason": "更换签名机" });
    app.change("farm", ("POST", &revoke), version + 1, reason.clone()).await.expect(409);
    app.change("farm", ("POST", &revoke), version, reason.clone()).await.expect(200);
    app.change("farm", ("POST", &revoke), version + 1, reason).await.expect(409);
    app.anchor().await;
    let late = capture(&app, &subject, "LATE").await;
    let (chain, seq, records) = waiting(&app, org).await;
    let answer = offer(&app, vec![signed((chain, org), ("k1", 1), seq, &records)]).await;
    assert_eq!(answer["accepted"], 0, "{answer}");
    let answer = offer(&app, vec![signed((chain, org), ("k2", 2), seq, &records)]).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    for (event, kid) in [(early, "k1"), (late, "k2")] {
        let verdict = proof(&app, &event).await;
        assert!(verdict.ok && verdict.conclusion.contains(kid), "{verdict:?}");
    }
    app.assembled.ledger.verify_chain().unwrap();
    // A name that was revoked does not come back.
    app.post("farm", "/api/v1/evidence_key", filing(org, "k1", 3)).await.expect(202);
}

#[tokio::test]
async fn d_5_b_records_wait_for_nobody_once_the_last_key_is_revoked() {
    let mut app = TestApp::start().await;
    let subject = app.subject(FARM).await;
    let org = String::from(subject["code"].as_str().unwrap());
    let path = enrolled(&app, &org, "k1", 1).await;
    let event = capture(&app, &subject, "WAITING").await;
    assert_eq!(waiting(&app, &org).await.2.len(), 1);
    app.restart().await;
    assert_eq!(waiting(&app, &org).await.2.len(), 1);
    let revoke = format!("{path}/revoke");
    app.change("farm", ("POST", &revoke), 1, json!({ "reason": "停用签名机" })).await.expect(200);
    app.anchor().await;
    app.anchor().await;
    let verdict = proof(&app, &event).await;
    assert!(verdict.ok && verdict.conclusion.contains("platform-1"), "{verdict:?}");
}
