//! Every single byte of a proof matters: whatever it is changed into, the proof no longer holds,
//! and every independent verifier says so at the same step (`vectors/mutations.json`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yj_crypto::{from_hex, sm3, to_hex};
use yj_proof::{Trust, verify};

const PROOFS: &str = include_str!("../vectors/proofs.json");
const MUTATIONS: &str = include_str!("../vectors/mutations.json");

/// Proofs of every form: whole, in part, with a witness and an anchor, with a change of validators.
const CHANGED: [&str; 4] = [
    "whole, log of 7",
    "in part, log of 7",
    "witnessed and anchored, log of 7",
    "validators changed",
];
/// Slower verifiers take every so manieth byte only.
const SAMPLED: usize = 13;

#[derive(Deserialize)]
struct Proof {
    name: String,
    bundle: String,
    fingerprint: Option<String>,
}

/// What became of all changes of one proof.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mutations {
    /// Name of the proof in `proofs.json`.
    name: String,
    /// Changes made.
    count: usize,
    /// How many failed at each step.
    failed: BTreeMap<String, usize>,
    /// SM3 over the steps in the order of the changes, a line each.
    sm3: String,
    /// The same of every so manieth byte.
    sampled: Sampled,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sampled {
    every: usize,
    count: usize,
    sm3: String,
}

/// What a byte is changed into, in this order: the lowest bit turned, the highest bit turned, the
/// next value, and the next of its kind, which leaves hexadecimal and decimal well written.
fn changes(byte: u8) -> [u8; 4] {
    let next_of_kind = match byte {
        b'9' => b'0',
        b'f' => b'a',
        b'0'..=b'8' | b'a'..=b'e' => byte + 1,
        _ => byte ^ 0x20,
    };
    [byte ^ 1, byte ^ 0x80, byte.wrapping_add(1), next_of_kind]
}

fn step(bytes: &[u8], trust: &Trust) -> String {
    let failed = verify(bytes, trust).failed();
    let failed = failed.map(|step| serde_json::to_value(step).unwrap());
    failed.map_or(String::new(), |step| String::from(step.as_str().unwrap()))
}

fn mutate(proof: &Proof) -> Mutations {
    let chain = proof.fingerprint.as_deref().map(|text| from_hex(text).unwrap());
    let trust = Trust { chain, witnesses: Vec::new() };
    let bytes = proof.bundle.as_bytes();
    assert_eq!(step(bytes, &trust), "", "{}", proof.name);
    let (mut failed, mut all, mut some) =
        (BTreeMap::new(), sm3::Running::default(), sm3::Running::default());
    let mut sampled = 0;
    let mut changed = bytes.to_vec();
    for (at, byte) in bytes.iter().enumerate() {
        for other in changes(*byte) {
            changed[at] = other;
            let step = step(&changed, &trust);
            assert_ne!(step, "", "{}: byte {at} changed into {other} is not noticed", proof.name);
            let line = format!("{step}\n");
            all.update(line.as_bytes());
            if at.is_multiple_of(SAMPLED) {
                some.update(line.as_bytes());
                sampled += 1;
            }
            *failed.entry(step).or_insert(0) += 1;
        }
        changed[at] = *byte;
    }
    Mutations {
        name: proof.name.clone(),
        count: 4 * bytes.len(),
        failed,
        sm3: to_hex(&all.finish()),
        sampled: Sampled { every: SAMPLED, count: sampled, sm3: to_hex(&some.finish()) },
    }
}

/// All proofs, each in a thread of its own.
fn mutate_all() -> Vec<Mutations> {
    let proofs: Vec<Proof> = serde_json::from_str(PROOFS).unwrap();
    let find = |name: &str| proofs.iter().find(|proof| proof.name == name).unwrap();
    std::thread::scope(|scope| {
        let threads = CHANGED.map(|name| scope.spawn(move || mutate(find(name))));
        threads.map(|thread| thread.join().unwrap()).into()
    })
}

#[test]
fn no_change_of_any_byte_is_accepted() {
    let told: Vec<Mutations> = serde_json::from_str(MUTATIONS).unwrap();
    assert_eq!(mutate_all(), told);
}

/// After the proofs were written anew: `cargo test -p yj-proof write_mutations -- --ignored`.
#[test]
#[ignore = "writes into the source tree"]
fn write_mutations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/mutations.json");
    std::fs::write(path, serde_json::to_string_pretty(&mutate_all()).unwrap() + "\n").unwrap();
}
