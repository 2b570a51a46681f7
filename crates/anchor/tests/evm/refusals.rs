//! What the contract refuses, and what is refused before anything is sent.

use std::sync::Arc;

use serde_json::json;
use yj_anchor::{
    Chain as _, Mark, Trouble,
    evm::{Evm, EvmKey, EvmSettings, deploy},
};

use crate::{
    node::{Node, anchored, call_anchor, hex, mark, permission},
    proxy::Proxy,
};

#[tokio::test]
async fn the_contract_keeps_its_rules_whoever_calls() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    let (contract, owner) = (evm.contract(), node.account());
    let stranger = "0x00000000000000000000000000000000000000aa";
    let try_anchor = |from: &str, mark: &Mark| node.forced(&contract, from, &call_anchor(mark));
    assert!(!try_anchor(stranger, &mark(5)), "an account nobody allowed");
    assert!(try_anchor(&owner, &mark(5)));
    assert!(try_anchor(&owner, &mark(5)), "the same once more");
    assert!(!try_anchor(&owner, &Mark { root: [9; 32], ..mark(5) }), "another root for its size");
    assert!(!try_anchor(&owner, &mark(4)), "a log does not shrink");
    assert!(!try_anchor(&owner, &Mark { height: 10, ..mark(6) }), "nor does its height stand");
    assert!(!try_anchor(&owner, &Mark { root: [0; 32], ..mark(6) }), "nothing is no root");
    assert!(!try_anchor(&owner, &Mark { origin: [8; 32], ..mark(6) }), "a log of others");
    assert!(try_anchor(&owner, &mark(6)));
    // Who may speak is the owner's to say, and to take back.
    let [allow, forbid] = ["b9496b62", "a140ede2"].map(|verb| permission(verb, stranger));
    assert!(!node.forced(&contract, stranger, &allow), "nobody lets themselves in");
    assert!(node.forced(&contract, &owner, &allow));
    assert!(try_anchor(stranger, &mark(7)));
    assert!(node.forced(&contract, &owner, &forbid));
    assert!(!try_anchor(stranger, &mark(8)));
    assert_eq!(evm.read(&[7; 32], 5).unwrap(), Some(mark(5).root), "nothing took its place");
}

#[tokio::test]
async fn what_the_contract_would_refuse_is_not_sent() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    anchored(&evm, &mark(5));
    let prepare = |mark: &Mark| evm.prepare(mark, None).unwrap_err();
    assert_eq!(prepare(&mark(4)), Trouble::Outrun(5));
    let other = prepare(&Mark { root: [9; 32], ..mark(5) });
    assert_eq!(other, Trouble::OtherRoot { size: 5, found: hex(&mark(5).root) });
    assert!(matches!(prepare(&Mark { origin: [8; 32], ..mark(6) }), Trouble::NotAllowed(_)));
    // No contract at all: an address where nothing is, or none.
    let empty = "0x00000000000000000000000000000000000000aa".parse().unwrap();
    for contract in [Some(empty), None] {
        let lost = Evm::new(EvmSettings { contract, ..node.settings() }, node.key());
        assert!(matches!(lost.prepare(&mark(6), None).unwrap_err(), Trouble::NoContract(_)));
    }
    let count = node.rpc("eth_getTransactionCount", &json!([node.account(), "pending"]));
    assert_eq!(count, "0x3", "the contract, the permission, one mark");
}

#[tokio::test]
async fn on_the_wrong_chain_nothing_is_sent() {
    let Some(node) = Node::start(&["--chain-id", "20200"]) else { return };
    let right = node.deployed().await;
    assert_eq!(right.network(), "eip155:20200");
    let offer = right.prepare(&mark(3), None).unwrap();
    let contract = Some(right.contract().parse().unwrap());
    let settings = EvmSettings { chain_id: 1, contract, ..node.settings() };
    let wrong = Arc::new(Evm::new(settings, node.key()));
    let expected = Trouble::WrongChain { expected: 1, found: 20_200 };
    assert_eq!(wrong.prepare(&mark(3), None).unwrap_err(), expected);
    assert_eq!(wrong.send(&offer).unwrap_err(), expected);
    assert_eq!(deploy(Arc::clone(&wrong), [7; 32]).await.unwrap_err(), expected);
    assert!(expected.to_string().contains("没有发送任何交易"));
    let count = node.rpc("eth_getTransactionCount", &json!([node.account(), "pending"]));
    assert_eq!(count, "0x2", "the contract and the permission");
}

#[tokio::test]
async fn a_node_without_a_method_is_named_for_it() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    for missing in ["eth_chainId", "eth_getCode", "eth_call", "eth_getTransactionCount"] {
        let proxy = Proxy::without(&node, missing);
        let contract = Some(evm.contract().parse().unwrap());
        let settings = EvmSettings { url: proxy.url(), contract, ..node.settings() };
        let poor = Evm::new(settings, node.key());
        assert_eq!(poor.prepare(&mark(3), None).unwrap_err(), Trouble::NoSuchMethod(missing));
        assert_eq!(proxy.refused(), [missing]);
    }
}

#[tokio::test]
async fn nothing_is_sent_above_the_highest_price() {
    let Some(node) = Node::start(&["--gas-price", "2000000000"]) else { return };
    let evm = node.deployed().await;
    let contract = Some(evm.contract().parse().unwrap());
    let frugal = EvmSettings { contract, gas_price_max: 1_000_000_000, ..node.settings() };
    let trouble = Evm::new(frugal, node.key()).prepare(&mark(3), None).unwrap_err();
    assert!(matches!(trouble, Trouble::TooDear { max: 1_000_000_000, .. }), "{trouble}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/anchor.key");
    let first = EvmKey::open(&path, &|| 77).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(EvmKey::open(&path, &|| 78).unwrap().address(), first.address(), "it is kept");
    let text = fs::read_to_string(&path).unwrap();
    assert!(!format!("{first:?}").contains(text.trim()), "and never printed");
    for loose in [0o640, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
        assert!(EvmKey::open(&path, &|| 77).unwrap_err().contains("chmod 600"));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "not a key").unwrap();
    assert!(!EvmKey::open(&path, &|| 77).unwrap_err().contains("not a key"));
}
