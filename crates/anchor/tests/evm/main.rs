//! The EVM backend against a real local node, whose program `YJ_TEST_ANVIL` names; the check of the
//! whole project does. Everything on this machine, and every wait bounded.
#![cfg(feature = "evm")]
#![expect(clippy::unwrap_used, reason = "tests")]

mod faults;
mod node;
mod proxy;
mod refusals;

use node::{Node, anchored, mark, settled};
use proxy::Proxy;
use yj_anchor::{Chain as _, Status, evm::Stranger};

/// A network that asks for no coins, as consortium chains do.
const FREE: [&str; 5] = ["--gas-price", "0", "--base-fee", "0", "--disable-min-priority-fee"];

#[tokio::test]
async fn a_mark_is_anchored_and_anybody_can_read_it() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    assert_eq!(evm.network(), "eip155:31337");
    let mark = mark(3);
    assert_eq!(evm.read(&mark.origin, mark.size).unwrap(), None);
    let offer = evm.prepare(&mark, None).unwrap();
    assert_eq!(evm.status(&offer).unwrap(), Status::Gone, "nothing is sent by preparing");
    evm.send(&offer).unwrap();
    let Status::Included(place, 1) = settled(&evm, &offer) else { panic!("not taken up") };
    node.mine(4);
    assert_eq!(evm.status(&offer).unwrap(), Status::Included(place.clone(), 5));
    assert!(evm.holds(&place).unwrap());
    assert_eq!(evm.read(&mark.origin, mark.size).unwrap(), Some(mark.root));
    assert_eq!(evm.read(&[9; 32], mark.size).unwrap(), None, "another log has its own marks");
    // Somebody without key and account.
    let seen = Stranger::new(node.url());
    let seen = seen.look(&evm.contract(), (&mark.origin, mark.size), &offer.tx).unwrap();
    assert_eq!((seen.chain_id, seen.root, seen.place), (31_337, Some(mark.root), Some(place)));
    assert!(seen.code_known, "what stands there is what is published");
    assert_eq!(seen.to.unwrap(), evm.contract().to_lowercase());
}

#[tokio::test]
async fn the_same_once_more_changes_nothing() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    let offer = anchored(&evm, &mark(3));
    // The very transaction.
    evm.send(&offer).unwrap();
    // Another one for the same mark, as after the loss of our notes.
    let again = evm.prepare(&mark(3), None).unwrap();
    assert_eq!(again.nonce, offer.nonce + 1);
    evm.send(&again).unwrap();
    assert!(matches!(settled(&evm, &again), Status::Included(_, 1)));
    assert_eq!(node.events(), 1, "the log of the network tells of it once");
    anchored(&evm, &mark(4));
    assert_eq!(node.events(), 2);
}

#[tokio::test]
async fn nothing_is_paid_where_gas_costs_nothing() {
    let Some(node) = Node::start(&FREE) else { return };
    node.rpc("anvil_setBalance", &serde_json::json!([node.account(), "0x0"]));
    let evm = node.deployed().await;
    let offer = evm.prepare(&mark(3), None).unwrap();
    assert_eq!(offer.price, 0);
    evm.send(&offer).unwrap();
    assert!(matches!(settled(&evm, &offer), Status::Included(_, 1)));
    assert_eq!(evm.read(&mark(3).origin, 3).unwrap(), Some(mark(3).root));
}

#[tokio::test]
async fn the_methods_of_fisco_bcos_are_enough() {
    let Some(node) = Node::start(&FREE) else { return };
    let proxy = Proxy::of_fisco(&node);
    let evm = node.deployed_through(proxy.url()).await;
    for size in [3, 5] {
        let offer = evm.prepare(&mark(size), None).unwrap();
        evm.send(&offer).unwrap();
        let Status::Included(place, _) = settled(&evm, &offer) else { panic!("not in") };
        assert!(evm.holds(&place).unwrap());
        assert_eq!(evm.read(&mark(size).origin, size).unwrap(), Some(mark(size).root));
    }
    assert_eq!(proxy.refused(), Vec::<String>::new(), "nothing else was asked for");
}
