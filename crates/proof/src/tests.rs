//! A small chain made by hand, its proofs, and attacks on them.

use proptest::prelude::*;
use serde_json::json;
use yj_crypto::{Signer as _, SigningKey};

use crate::{
    AttestedBy, Bundle, Certificate, Envelope, Genesis, Hash, Header, KeyEntry, KeyUse, LogPath,
    Record, RecordPath, Registry, RegistryPath, StepId, Submission, TrustAnchor, Validator,
    ValidatorSet, Vote, merkle, verify,
};

/// A proof of the third of five records, in a log of `log_size` submissions.
fn sample(log_size: u64) -> (Bundle, Hash) {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let validators =
        ValidatorSet::new(vec![Validator { key: key.public_key().clone(), power: 1 }]).unwrap();
    let genesis = Genesis { name: "示例链".into(), time_ms: 1, validators: validators.clone() };
    let chain_id = genesis.chain_id();
    let mut registry = Registry::default();
    let entry = KeyEntry {
        org: "platform".into(),
        kid: "p1".into(),
        key: key.public_key().clone(),
        usage: KeyUse::Platform,
        valid_from: 1,
        revoked_at: u64::MAX,
        certificate: [0; 32],
    };
    registry.put(entry.clone());
    let envelopes: Vec<_> = (0..5)
        .map(|number| {
            let body = json!({ "outputs": [{ "code": format!("F1-{number}"), "quantity": "1200", "unit": "KGM" }] });
            Envelope::new("trace_event", &format!("id-{number}"), "93610525MAYJ000496", "2026-11-01T00:00:00Z", body).unwrap()
        })
        .collect();
    let leaves: Vec<_> =
        envelopes.iter().map(|envelope| merkle::leaf(&envelope.entry(&[9; 16]).unwrap())).collect();
    let unsigned = Submission {
        chain_id,
        org: "93610525MAYJ000496".into(),
        seq: 1,
        count: 5,
        root: merkle::root(&leaves),
        kid: "p1".into(),
        attested_by: AttestedBy::Platform,
        signature: [0; 64],
    };
    let submission = Submission::sign(unsigned, &key).unwrap();
    let index = log_size / 2;
    let log: Vec<Hash> = (0..log_size)
        .map(|at| {
            merkle::leaf(&if at == index {
                submission.to_bytes()
            } else {
                at.to_be_bytes().to_vec()
            })
        })
        .collect();
    let header = Header {
        chain_id,
        height: 3,
        prev: [1; 32],
        time_ms: 2,
        proposer: [2; 32],
        tree_size: log_size,
        tree_root: merkle::root(&log),
        body_digest: [3; 32],
        validators: validators.hash(),
        next_validators: validators.hash(),
        registry_root: registry.root(),
        evidence: [0; 32],
    };
    let vote = Certificate::vote_bytes(&chain_id, 3, 0, &header.block_id());
    let address = Validator { key: key.public_key().clone(), power: 1 }.address();
    let certificate = Certificate {
        round: 0,
        votes: vec![Vote { address, signature: key.sign(&vote).unwrap() }],
    };
    let (at, size, path) = registry.path("platform", "p1").unwrap();
    let bundle = Bundle {
        content: Record::Whole { envelope: envelopes[2].clone(), salt: [9; 16] },
        record: RecordPath { index: 2, path: merkle::inclusion_path_of(&leaves, 2) },
        submission,
        key: entry,
        registry: RegistryPath { index: at, size, path },
        log: LogPath { index, path: merkle::inclusion_path_of(&log, index) },
        header,
        certificate,
        validators,
        genesis,
    };
    (bundle, chain_id)
}

#[test]
fn a_true_proof_holds_in_a_log_of_any_size() {
    for size in [1, 2, 3, 7, 8, 1000] {
        let (bundle, chain_id) = sample(size);
        let bytes = bundle.to_bytes().unwrap();
        assert_eq!(Bundle::from_bytes(&bytes).as_ref(), Ok(&bundle));
        let verdict = verify(&bytes, TrustAnchor::Chain(chain_id));
        assert!(verdict.ok, "{verdict:?}");
        assert_eq!(verdict.steps.len(), 9);
        assert!(verdict.conclusion.contains("自存证以来未被改动"));
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let (bundle, chain_id) = sample(7);
    let bytes = bundle.to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!verify(&changed, TrustAnchor::Chain(chain_id)).ok, "byte {at}");
    }
}

#[test]
fn the_step_that_fails_is_named() {
    let (bundle, chain_id) = sample(7);
    let failing = |change: &dyn Fn(&mut Bundle)| {
        let mut changed = bundle.clone();
        change(&mut changed);
        verify(&changed.to_bytes().unwrap(), TrustAnchor::Chain(chain_id)).failed()
    };
    assert_eq!(failing(&|_| {}), None);
    let salted = |bundle: &mut Bundle| match &mut bundle.content {
        Record::Whole { salt, .. } | Record::Partial { salt, .. } => salt[0] ^= 1,
    };
    assert_eq!(failing(&salted), Some(StepId::RecordPath));
    assert_eq!(failing(&|bundle| bundle.record.index = 1), Some(StepId::RecordPath));
    assert_eq!(failing(&|bundle| bundle.submission.seq = 2), Some(StepId::SubmissionSignature));
    assert_eq!(failing(&|bundle| bundle.key.valid_from = 2), Some(StepId::KeyRegistry));
    assert_eq!(failing(&|bundle| bundle.log.index = 2), Some(StepId::LogPath));
    assert_eq!(failing(&|bundle| bundle.header.height = 4), Some(StepId::Certificate));
    assert_eq!(failing(&|bundle| bundle.certificate.votes.clear()), Some(StepId::Certificate));
    assert_eq!(failing(&|bundle| bundle.genesis.time_ms = 9), Some(StepId::Header));
    let bytes = bundle.to_bytes().unwrap();
    assert_eq!(verify(&bytes, TrustAnchor::Chain([0; 32])).failed(), Some(StepId::Trust));
    assert_eq!(verify(b"{}", TrustAnchor::FromBundle).failed(), Some(StepId::Format));
}

#[test]
fn a_record_shown_in_part_is_proved_and_keeps_its_secrets() {
    let (bundle, chain_id) = sample(7);
    let part = bundle.disclosing(|name, _| name == "/outputs/0/code").unwrap();
    let bytes = part.to_bytes().unwrap();
    assert_eq!(Bundle::from_bytes(&bytes).as_ref(), Ok(&part));
    let verdict = verify(&bytes, TrustAnchor::Chain(chain_id));
    assert!(verdict.ok && verdict.steps[1].detail.contains("仅有摘要"), "{verdict:?}");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!verify(&changed, TrustAnchor::Chain(chain_id)).ok, "byte {at}");
    }
    assert!(part.disclosing(|_, _| true).is_none());
    let whole = String::from_utf8(bundle.to_bytes().unwrap()).unwrap();
    let shown = String::from_utf8(bytes).unwrap();
    assert!(whole.contains("1200") && !shown.contains("1200") && shown.contains("F1-2"), "{shown}");
}

#[test]
fn a_revoked_key_no_longer_counts() {
    let (bundle, _) = sample(1);
    let entry = KeyEntry { valid_from: 2, revoked_at: 5, ..bundle.key };
    assert_eq!([1, 2, 4, 5].map(|height| entry.counts_at(height)), [false, true, true, false]);
}

/// What every independent verifier must say of the same files: `crates/proof/vectors`.
const VECTORS: &str = include_str!("../vectors/proofs.json");

#[derive(serde::Serialize, serde::Deserialize)]
struct Vector {
    name: String,
    bundle: String,
    fingerprint: Option<String>,
    /// The step that fails; none where the proof holds.
    failed: Option<String>,
}

fn judged(bundle: &str, fingerprint: Option<&str>) -> Option<String> {
    let trust = match fingerprint {
        Some(text) => TrustAnchor::Chain(yj_crypto::from_hex(text).unwrap()),
        None => TrustAnchor::FromBundle,
    };
    let failed = verify(bundle.as_bytes(), trust).failed()?;
    serde_json::to_value(failed).unwrap().as_str().map(String::from)
}

#[test]
fn the_published_vectors_hold() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() > 20, "{}", vectors.len());
    for vector in &vectors {
        let found = judged(&vector.bundle, vector.fingerprint.as_deref());
        assert_eq!(found, vector.failed, "{}", vector.name);
    }
}

/// Writes the vectors anew: `cargo test -p yj-proof write_vectors -- --ignored`. Signatures are
/// random, so the files differ each time; what they say must not.
#[test]
#[ignore = "writes into the source tree"]
fn write_vectors() {
    let mut vectors = Vec::new();
    let mut add = |name: &str, bundle: String, fingerprint: Option<String>| {
        let failed = judged(&bundle, fingerprint.as_deref());
        vectors.push(Vector { name: String::from(name), bundle, fingerprint, failed });
    };
    let text = |bundle: &Bundle| String::from_utf8(bundle.to_bytes().unwrap()).unwrap();
    for size in [1, 2, 3, 7, 8, 1000] {
        let (bundle, chain) = sample(size);
        let chain = yj_crypto::to_hex(&chain);
        add(&format!("whole, log of {size}"), text(&bundle), Some(chain.clone()));
        let part = bundle.disclosing(|name, _| name.ends_with("/code")).unwrap();
        add(&format!("in part, log of {size}"), text(&part), Some(chain));
    }
    let (bundle, chain) = sample(7);
    let good = text(&bundle);
    add("no fingerprint", good.clone(), None);
    add("another chain", good.clone(), Some("00".repeat(32)));
    add("another quantity", good.replace("1200", "1201"), None);
    add("a space", good.replacen(':', ": ", 1), None);
    add("a duplicate key", good.replacen('{', "{\"log\":1,", 1), None);
    add("nothing", String::from("{}"), None);
    add("not JSON", good[1..].to_owned(), None);
    let changes: [(&str, fn(&mut Bundle)); 8] = [
        ("record index", |bundle| bundle.record.index = 1),
        ("submission number", |bundle| bundle.submission.seq = 2),
        ("key not yet valid", |bundle| bundle.key.valid_from = 9),
        ("log index", |bundle| bundle.log.index = 2),
        ("height", |bundle| bundle.header.height = 4),
        ("no votes", |bundle| bundle.certificate.votes.clear()),
        ("a vote twice", |bundle| {
            bundle.certificate.votes.push(bundle.certificate.votes[0].clone());
        }),
        ("genesis time", |bundle| bundle.genesis.time_ms = 9),
    ];
    for (name, change) in changes {
        let mut changed = bundle.clone();
        change(&mut changed);
        add(name, text(&changed), Some(yj_crypto::to_hex(&chain)));
    }
    let part = bundle.disclosing(|name, _| name.ends_with("/code")).unwrap();
    add("another shown value", text(&part).replace("F1-2", "F1-3"), None);
    add("another head", text(&part).replace("id-2", "id-3"), None);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/proofs.json");
    std::fs::write(path, serde_json::to_string_pretty(&vectors).unwrap() + "\n").unwrap();
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!verify(&bytes, TrustAnchor::FromBundle).ok);
        prop_assert!(Header::from_bytes(&bytes).is_err() || bytes.len() == 306);
        let _ = (Submission::from_bytes(&bytes), Genesis::from_bytes(&bytes), Certificate::from_bytes(&bytes), KeyEntry::from_bytes(&bytes));
    }
}
