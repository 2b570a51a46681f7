//! A small chain made by hand, its proofs, and attacks on them.

use proptest::prelude::*;
use serde_json::json;
use yj_crypto::{Signer as _, SigningKey};

use crate::{
    AnchorStatement, Anchored, AttestedBy, Bundle, Certificate, Checkpoint, Envelope, Genesis,
    Hash, Header, KeyEntry, KeyUse, LogPath, Note, NoteKey, NoteKind, NoteLine, Record, RecordPath,
    Registry, RegistryPath, SetChange, StepId, Submission, Trust, Validator, ValidatorSet, Vote,
    Witnessed, merkle, verify,
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
        changes: Vec::new(),
        witness: None,
        anchors: Vec::new(),
    };
    (bundle, chain_id)
}

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn alone(seed: u8) -> ValidatorSet {
    let validator = Validator { key: signer(seed).public_key().clone(), power: 1 };
    ValidatorSet::new(vec![validator]).unwrap()
}

/// The sample's log, grown by three submissions.
fn grown(log_size: u64) -> (u64, Hash, Vec<Hash>) {
    let (bundle, _) = sample(log_size);
    let index = log_size / 2;
    let leaf = |at: u64| {
        let other = at.to_be_bytes().to_vec();
        merkle::leaf(&if at == index { bundle.submission.to_bytes() } else { other })
    };
    let leaves: Vec<_> = (0..log_size + 3).map(leaf).collect();
    let nodes = |level: u32, index: u64| {
        let (start, count) = (usize::try_from(index << level).unwrap(), 1 << level);
        Ok::<_, std::convert::Infallible>(merkle::root(&leaves[start..start + count]))
    };
    let Ok(path) = merkle::consistency_path(log_size, log_size + 3, nodes);
    (log_size + 3, merkle::root(&leaves), path)
}

/// A witness of the sample's log, at its own size or three submissions later.
fn witness() -> NoteKey {
    NoteKey::new("示例检测中心", NoteKind::Witness, signer(8).public_key().clone()).unwrap()
}

fn witnessed(bundle: &Bundle, later: bool) -> Witnessed {
    let size = bundle.header.tree_size;
    let (size, root, path) =
        if later { grown(size) } else { (size, bundle.header.tree_root, Vec::new()) };
    let checkpoint = Checkpoint {
        origin: Checkpoint::origin_of(&bundle.header.chain_id),
        size,
        root,
        height: bundle.header.height + u64::from(later),
        block_id: if later { [5; 32] } else { bundle.header.block_id() },
    };
    let mut note = Note::sign_as_log(checkpoint, &signer(7)).unwrap();
    let key = witness();
    let line = NoteLine::cosign(&note.checkpoint, &key, 1_764_000_000, &signer(8)).unwrap();
    note.lines.push(line);
    let origin = note.checkpoint.origin.clone();
    let log = NoteKey::new(&origin, NoteKind::Log, signer(7).public_key().clone()).unwrap();
    Witnessed { note, keys: vec![log, key], path }
}

fn anchored(bundle: &Bundle) -> Anchored {
    let (size, root, path) = grown(bundle.header.tree_size);
    let unsigned = AnchorStatement {
        chain_id: bundle.header.chain_id,
        size,
        root,
        height: bundle.header.height + 1,
        block_id: [5; 32],
        network: "eip155:31337".into(),
        contract: "0x5fbdb2315678afecb367f032d93f642f64180aa3".into(),
        transaction: format!("0x{}", "ab".repeat(32)),
        block_number: 12,
        block_hash: format!("0x{}", "cd".repeat(32)),
        validator: [0; 32],
        signature: [0; 64],
    };
    Anchored { statement: AnchorStatement::sign(unsigned, &signer(7)).unwrap(), path }
}

/// The sample with a witness and an anchor.
fn supported(log_size: u64) -> (Bundle, Hash) {
    let (bundle, chain_id) = sample(log_size);
    let witness = Some(witnessed(&bundle, true));
    let anchors = vec![anchored(&bundle)];
    (Bundle { witness, anchors, ..bundle }, chain_id)
}

/// The sample on a chain whose first block handed over from another validator.
fn handed_over() -> (Bundle, Hash) {
    let (bundle, _) = sample(7);
    let genesis = Genesis { name: "示例链".into(), time_ms: 1, validators: alone(6) };
    let chain_id = genesis.chain_id();
    let sign = |header: &Header, seed: u8| {
        let vote = Certificate::vote_bytes(&chain_id, header.height, 0, &header.block_id());
        let address = Validator { key: signer(seed).public_key().clone(), power: 1 }.address();
        let signature = signer(seed).sign(&vote).unwrap();
        Certificate { round: 0, votes: vec![Vote { address, signature }] }
    };
    let old = Header {
        chain_id,
        height: 2,
        validators: alone(6).hash(),
        next_validators: alone(7).hash(),
        ..bundle.header.clone()
    };
    let certificate = sign(&old, 6);
    let changes = vec![SetChange { header: old, certificate, validators: alone(7) }];
    let submission = Submission { chain_id, ..bundle.submission };
    let submission = Submission::sign(submission, &signer(7)).unwrap();
    let log: Vec<_> = (0..7u64)
        .map(|at| {
            let other = at.to_be_bytes().to_vec();
            merkle::leaf(&if at == 3 { submission.to_bytes() } else { other })
        })
        .collect();
    let header = Header { chain_id, tree_root: merkle::root(&log), ..bundle.header };
    let certificate = sign(&header, 7);
    let log = LogPath { index: 3, path: merkle::inclusion_path_of(&log, 3) };
    let bundle = Bundle { submission, log, header, certificate, genesis, changes, ..bundle };
    (bundle, chain_id)
}

#[test]
fn a_witness_and_an_anchor_are_checked_and_named() {
    for size in [1, 2, 7, 8] {
        let (bundle, chain_id) = supported(size);
        let bytes = bundle.to_bytes().unwrap();
        assert_eq!(Bundle::from_bytes(&bytes).as_ref(), Ok(&bundle));
        let trust = Trust { chain: Some(chain_id), witnesses: vec![witness()] };
        let verdict = verify(&bytes, &trust);
        assert!(verdict.ok, "{verdict:?}");
        assert!(verdict.conclusion.contains("示例检测中心"), "{}", verdict.conclusion);
        let facts = verdict.facts.unwrap();
        assert_eq!((facts.checkpoint, facts.anchors.len()), (Some(size + 3), 1));
    }
    let (bundle, _) = sample(7);
    let bundle = Bundle { witness: Some(witnessed(&bundle, false)), ..bundle };
    assert!(verify(&bundle.to_bytes().unwrap(), &Trust::default()).ok);
}

#[test]
fn a_witness_that_the_reader_trusts_is_demanded() {
    let trust = Trust { chain: None, witnesses: vec![witness()] };
    let (bundle, _) = sample(7);
    let failed = |bundle: &Bundle, trust| verify(&bundle.to_bytes().unwrap(), trust).failed();
    assert_eq!(failed(&bundle, &trust), Some(StepId::Witness));
    let (bundle, _) = supported(7);
    assert_eq!(failed(&bundle, &trust), None);
    let other = NoteKey::new("b", NoteKind::Witness, signer(8).public_key().clone()).unwrap();
    let trust = Trust { chain: None, witnesses: vec![other] };
    assert_eq!(failed(&bundle, &trust), Some(StepId::Witness));
}

/// What can be wrong with a witness or an anchor, and the step that says so.
const UNSUPPORTED: [(&str, StepId, fn(&mut Bundle)); 9] = [
    ("a checkpoint of another log", StepId::Witness, |bundle| {
        note(bundle).checkpoint.root[0] ^= 1;
    }),
    ("a checkpoint before the block", StepId::Witness, |bundle| note(bundle).checkpoint.height = 2),
    ("a countersignature of another time", StepId::Witness, |bundle| {
        note(bundle).lines[1].time_s = Some(9);
    }),
    ("a witness counted twice", StepId::Witness, |bundle| {
        let witness = bundle.witness.as_mut().unwrap();
        witness.note.lines.push(witness.note.lines[1].clone());
        witness.keys.push(witness.keys[1].clone());
    }),
    ("no countersignature", StepId::Witness, |bundle| {
        let witness = bundle.witness.as_mut().unwrap();
        witness.note.lines.pop();
        witness.keys.pop();
    }),
    ("a log signed by a stranger", StepId::Witness, |bundle| {
        let checkpoint = note(bundle).checkpoint.clone();
        let origin = checkpoint.origin.clone();
        let stranger = Note::sign_as_log(checkpoint, &signer(9)).unwrap();
        note(bundle).lines[0] = stranger.lines[0].clone();
        let key = NoteKey::new(&origin, NoteKind::Log, signer(9).public_key().clone()).unwrap();
        bundle.witness.as_mut().unwrap().keys[0] = key;
    }),
    ("an anchor of another log", StepId::Anchor, |bundle| {
        bundle.anchors[0].path[0][0] ^= 1;
    }),
    ("an anchor with another transaction", StepId::Anchor, |bundle| {
        bundle.anchors[0].statement.transaction.push('0');
    }),
    ("an anchor stated by a stranger", StepId::Anchor, |bundle| {
        let statement = bundle.anchors[0].statement.clone();
        bundle.anchors[0].statement = AnchorStatement::sign(statement, &signer(9)).unwrap();
    }),
];

fn note(bundle: &mut Bundle) -> &mut Note {
    &mut bundle.witness.as_mut().unwrap().note
}

#[test]
fn a_wrong_witness_or_anchor_is_refused() {
    for (what, step, change) in UNSUPPORTED {
        let (mut bundle, chain) = supported(7);
        change(&mut bundle);
        let verdict = verify(&bundle.to_bytes().unwrap(), &Trust::in_chain(chain));
        assert_eq!(verdict.failed(), Some(step), "{what}");
    }
}

#[test]
fn a_change_of_validators_is_followed_from_the_genesis() {
    let (bundle, chain_id) = handed_over();
    let failed = |change: &dyn Fn(&mut Bundle)| {
        let mut changed = bundle.clone();
        change(&mut changed);
        verify(&changed.to_bytes().unwrap(), &Trust::in_chain(chain_id)).failed()
    };
    assert_eq!(failed(&|_| {}), None);
    assert_eq!(failed(&|bundle| bundle.changes.clear()), Some(StepId::Header));
    let late = |bundle: &mut Bundle| bundle.changes[0].header.height = 3;
    assert_eq!(failed(&late), Some(StepId::Header));
    let unsigned = |bundle: &mut Bundle| bundle.changes[0].header.time_ms = 3;
    assert_eq!(failed(&unsigned), Some(StepId::Header));
    let other = |bundle: &mut Bundle| bundle.changes[0].validators = alone(9);
    assert_eq!(failed(&other), Some(StepId::Header));
    let twice = |bundle: &mut Bundle| bundle.changes.push(bundle.changes[0].clone());
    assert_eq!(failed(&twice), Some(StepId::Header));
}

#[test]
fn a_true_proof_holds_in_a_log_of_any_size() {
    for size in [1, 2, 3, 7, 8, 1000] {
        let (bundle, chain_id) = sample(size);
        let bytes = bundle.to_bytes().unwrap();
        assert_eq!(Bundle::from_bytes(&bytes).as_ref(), Ok(&bundle));
        let verdict = verify(&bytes, &Trust::in_chain(chain_id));
        assert!(verdict.ok, "{verdict:?}");
        assert_eq!(verdict.steps.len(), 11);
        assert!(verdict.conclusion.contains("存证以来未被改动"), "{}", verdict.conclusion);
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    for (bundle, chain_id) in [sample(7), supported(7), handed_over()] {
        let bytes = bundle.to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!verify(&changed, &Trust::in_chain(chain_id)).ok, "byte {at}");
        }
    }
}

#[test]
fn the_step_that_fails_is_named() {
    let (bundle, chain_id) = sample(7);
    let failing = |change: &dyn Fn(&mut Bundle)| {
        let mut changed = bundle.clone();
        change(&mut changed);
        verify(&changed.to_bytes().unwrap(), &Trust::in_chain(chain_id)).failed()
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
    assert_eq!(verify(&bytes, &Trust::in_chain([0; 32])).failed(), Some(StepId::Trust));
    assert_eq!(verify(b"{}", &Trust::default()).failed(), Some(StepId::Format));
}

#[test]
fn a_record_shown_in_part_is_proved_and_keeps_its_secrets() {
    let (bundle, chain_id) = sample(7);
    let part = bundle.disclosing(|name, _| name == "/outputs/0/code").unwrap();
    let bytes = part.to_bytes().unwrap();
    assert_eq!(Bundle::from_bytes(&bytes).as_ref(), Ok(&part));
    let verdict = verify(&bytes, &Trust::in_chain(chain_id));
    assert!(verdict.ok && verdict.steps[1].detail.contains("仅有摘要"), "{verdict:?}");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!verify(&changed, &Trust::in_chain(chain_id)).ok, "byte {at}");
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
    /// Keys of the witnesses that the reader trusts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    witnesses: Vec<String>,
    /// The step that fails; none where the proof holds.
    failed: Option<String>,
}

fn judged(bundle: &str, fingerprint: Option<&str>, witnesses: &[String]) -> Option<String> {
    let chain = fingerprint.map(|text| yj_crypto::from_hex(text).unwrap());
    let witnesses = witnesses.iter().map(|key| key.parse().unwrap()).collect();
    let failed = verify(bundle.as_bytes(), &Trust { chain, witnesses }).failed()?;
    serde_json::to_value(failed).unwrap().as_str().map(String::from)
}

#[test]
fn the_published_vectors_hold() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() > 20, "{}", vectors.len());
    for vector in &vectors {
        let Vector { bundle, fingerprint, witnesses, .. } = vector;
        let found = judged(bundle, fingerprint.as_deref(), witnesses);
        assert_eq!(found, vector.failed, "{}", vector.name);
    }
}

/// Writes the vectors anew: `cargo test -p yj-proof write_vectors -- --ignored`. Signatures are
/// random, so the files differ each time; what they say must not.
#[test]
#[ignore = "writes into the source tree"]
fn write_vectors() {
    let mut vectors = Vec::new();
    let mut add_for = |name: &str,
                       bundle: String,
                       fingerprint: Option<String>,
                       keys: &[NoteKey]| {
        let witnesses: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let failed = judged(&bundle, fingerprint.as_deref(), &witnesses);
        vectors.push(Vector { name: String::from(name), bundle, fingerprint, witnesses, failed });
    };
    let mut add = |name: &str, bundle: String, fingerprint: Option<String>| {
        add_for(name, bundle, fingerprint, &[]);
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
    for size in [1, 2, 7, 8] {
        let (bundle, chain) = supported(size);
        let chain = yj_crypto::to_hex(&chain);
        add(&format!("witnessed and anchored, log of {size}"), text(&bundle), Some(chain));
    }
    let (bundle, _) = sample(7);
    let bundle = Bundle { witness: Some(witnessed(&bundle, false)), ..bundle };
    add("witnessed at the block itself", text(&bundle), None);
    for (name, _, change) in UNSUPPORTED {
        let (mut bundle, _) = supported(7);
        change(&mut bundle);
        add(name, text(&bundle), None);
    }
    let (bundle, chain) = handed_over();
    add("validators changed", text(&bundle), Some(yj_crypto::to_hex(&chain)));
    let unproved = Bundle { changes: Vec::new(), ..bundle.clone() };
    add("validators changed without proof", text(&unproved), None);
    let (mut unsigned, _) = handed_over();
    unsigned.changes[0].header.time_ms = 3;
    add("validators changed without their signature", text(&unsigned), None);
    let (bundle, _) = supported(7);
    let good = text(&bundle);
    add(
        "an empty list of anchors",
        good.replace("\"anchors\":[{", "\"anchors\":[],\"x\":[{"),
        None,
    );
    add("a note without its last line end", good.replace("\\n\",\"keys\"", "\",\"keys\""), None);
    add_for("a trusted witness", good, None, &[witness()]);
    add_for("no trusted witness", text(&sample(7).0), None, &[witness()]);
    let other = NoteKey::new("b", NoteKind::Witness, signer(8).public_key().clone()).unwrap();
    add_for("another trusted witness", text(&bundle), None, &[other]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/proofs.json");
    std::fs::write(path, serde_json::to_string_pretty(&vectors).unwrap() + "\n").unwrap();
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!verify(&bytes, &Trust::default()).ok);
        prop_assert!(Header::from_bytes(&bytes).is_err() || bytes.len() == 314);
        let _ = (Submission::from_bytes(&bytes), Genesis::from_bytes(&bytes), Certificate::from_bytes(&bytes), KeyEntry::from_bytes(&bytes));
    }
}
