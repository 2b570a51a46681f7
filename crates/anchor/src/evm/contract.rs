//! How `contracts/Anchor.sol` is called: every argument and answer is a row of 32-byte words.

use alloy_primitives::{Address, hex};
use serde_json::json;
use yj_proof::Hash;

use super::rpc::Rpc;
use crate::{Mark, Trouble};

type Selector = [u8; 4];
const ALLOW: Selector = [0xb9, 0x49, 0x6b, 0x62];
const ALLOWED: Selector = [0xcd, 0x03, 0xe4, 0x3d];
const ANCHOR: Selector = [0x2d, 0x7d, 0x7c, 0x27];
const LATEST: Selector = [0x79, 0xfe, 0xb1, 0x07];
const ROOT_AT: Selector = [0x93, 0x0b, 0x6a, 0xce];

/// What `contracts/build.mjs` compiled.
const COMPILED: &str = include_str!("../../../../contracts/Anchor.json");

/// The bytes that make the contract.
pub(super) fn bytecode() -> Option<Vec<u8>> {
    compiled("bytecode")
}

/// The bytes that then stand at its address.
pub(super) fn runtime() -> Option<Vec<u8>> {
    compiled("runtime")
}

fn compiled(part: &str) -> Option<Vec<u8>> {
    let compiled: serde_json::Value = serde_json::from_str(COMPILED).ok()?;
    hex::decode(compiled[part].as_str()?).ok()
}

fn input(selector: Selector, words: &[[u8; 32]]) -> Vec<u8> {
    selector.into_iter().chain(words.iter().flatten().copied()).collect()
}

fn of_number(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}

/// The `at`th word of an answer.
pub(super) fn word(answer: &[u8], at: usize) -> Option<[u8; 32]> {
    answer.get(at * 32..(at + 1) * 32)?.try_into().ok()
}

/// A word as a number, where it is one of 64 bits.
pub(super) fn number(word: &[u8; 32]) -> Option<u64> {
    let (head, tail) = word.split_at(24);
    let small = head.iter().all(|byte| *byte == 0);
    small.then(|| tail.try_into().ok().map(u64::from_be_bytes)).flatten()
}

pub(super) fn allow(origin: &Hash, account: Address) -> Vec<u8> {
    input(ALLOW, &[*origin, account.into_word().0])
}

pub(super) fn allowed(origin: &Hash, account: Address) -> Vec<u8> {
    input(ALLOWED, &[*origin, account.into_word().0])
}

pub(super) fn anchor(mark: &Mark) -> Vec<u8> {
    let Mark { origin, size, root, height, block_id } = mark;
    input(ANCHOR, &[*origin, of_number(*size), *root, of_number(*height), *block_id])
}

pub(super) fn latest(origin: &Hash) -> Vec<u8> {
    input(LATEST, &[*origin])
}

pub(super) fn root_at(origin: &Hash, size: u64) -> Vec<u8> {
    input(ROOT_AT, &[*origin, of_number(size)])
}

/// Asks the contract.
pub(super) fn call(rpc: &Rpc, contract: &str, input: &[u8]) -> Result<Vec<u8>, Trouble> {
    let params = json!([{ "to": contract, "data": hex::encode_prefixed(input) }, "latest"]);
    let answer = rpc.call("eth_call", params)?;
    let bytes = answer.as_str().and_then(|text| hex::decode(text).ok());
    // An account without code answers with nothing.
    bytes.ok_or(Trouble::Unreadable("eth_call"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selectors_are_those_of_the_compiled_contract() {
        let compiled: serde_json::Value = serde_json::from_str(COMPILED).unwrap();
        let known = [
            ("allow(bytes32,address)", ALLOW),
            ("allowed(bytes32,address)", ALLOWED),
            ("anchor(bytes32,uint64,bytes32,uint64,bytes32)", ANCHOR),
            ("latest(bytes32)", LATEST),
            ("rootAt(bytes32,uint64)", ROOT_AT),
        ];
        for (name, selector) in known {
            assert_eq!(compiled["selectors"][name], hex::encode(selector), "{name}");
        }
        assert!(bytecode().unwrap().len() > 1_000);
    }

    #[test]
    fn numbers_of_more_than_64_bits_are_no_lengths() {
        assert_eq!(number(&of_number(u64::MAX)), Some(u64::MAX));
        let mut large = of_number(1);
        large[23] = 1;
        assert_eq!(number(&large), None);
        assert_eq!(word(&[0; 63], 1), None);
    }
}
