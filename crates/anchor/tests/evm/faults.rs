//! What goes wrong on networks, and what becomes of an offer then.

use serde_json::json;
use yj_anchor::{
    Chain as _, Status, Trouble,
    evm::{Evm, EvmSettings},
};

use crate::node::{Node, anchored, call_anchor, mark, permission, settled};

#[tokio::test]
async fn while_the_node_is_down_nothing_is_known_and_afterwards_all_goes_on() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    let offer = evm.prepare(&mark(3), None).unwrap();
    // The node as whoever cannot reach it sees it: a port where nobody listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let contract = Some(evm.contract().parse().unwrap());
    let settings = EvmSettings { url: format!("http://{nobody}"), contract, ..node.settings() };
    let down = Evm::new(settings, node.key());
    let troubles = [
        down.prepare(&mark(3), None).unwrap_err(),
        down.send(&offer).unwrap_err(),
        down.status(&offer).unwrap_err(),
        down.read(&mark(3).origin, 3).unwrap_err(),
    ];
    assert!(troubles.iter().all(|trouble| matches!(trouble, Trouble::Unreachable(_))));
    evm.send(&offer).unwrap();
    assert!(matches!(settled(&evm, &offer), Status::Included(_, 1)));
}

#[tokio::test]
async fn a_dropped_transaction_is_sent_again_as_it_was() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    node.hold();
    let offer = evm.prepare(&mark(3), None).unwrap();
    evm.send(&offer).unwrap();
    assert_eq!(evm.status(&offer).unwrap(), Status::Pending);
    node.rpc("anvil_dropTransaction", &json!([offer.tx]));
    assert_eq!(evm.status(&offer).unwrap(), Status::Gone);
    evm.send(&offer).unwrap();
    evm.send(&offer).unwrap();
    assert_eq!(evm.status(&offer).unwrap(), Status::Pending);
    node.mine(1);
    assert!(matches!(evm.status(&offer).unwrap(), Status::Included(_, 1)));
    assert_eq!(node.events(), 1);
}

#[tokio::test]
async fn a_transaction_that_another_replaced_is_made_anew() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    node.hold();
    let offer = evm.prepare(&mark(3), None).unwrap();
    evm.send(&offer).unwrap();
    // Somebody uses our account for something else, at a better price.
    let account = node.account();
    node.rpc("anvil_impersonateAccount", &json!([account]));
    let other = json!([{
        "from": account, "to": account, "value": "0x1", "gas": "0x5208",
        "gasPrice": format!("{:#x}", offer.price * 3), "nonce": format!("{:#x}", offer.nonce),
    }]);
    node.rpc("eth_sendTransaction", &other);
    node.mine(1);
    assert_eq!(evm.status(&offer).unwrap(), Status::Replaced);
    assert!(evm.send(&offer).is_err(), "its place is taken");
    let again = evm.prepare(&mark(3), Some(&offer)).unwrap();
    assert_eq!(again.nonce, offer.nonce + 1, "the network says where we stand");
    evm.send(&again).unwrap();
    node.mine(1);
    assert!(matches!(evm.status(&again).unwrap(), Status::Included(_, 1)));
    assert_eq!(evm.read(&mark(3).origin, 3).unwrap(), Some(mark(3).root));
}

#[tokio::test]
async fn one_that_waits_too_long_is_replaced_by_a_dearer_one_in_its_place() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    node.hold();
    let slow = evm.prepare(&mark(3), None).unwrap();
    evm.send(&slow).unwrap();
    let quick = evm.prepare(&mark(3), Some(&slow)).unwrap();
    assert_eq!(quick.nonce, slow.nonce);
    assert!(quick.price > slow.price);
    evm.send(&quick).unwrap();
    node.mine(1);
    assert!(matches!(evm.status(&quick).unwrap(), Status::Included(_, 1)));
    assert_eq!(evm.status(&slow).unwrap(), Status::Replaced);
    assert_eq!(node.events(), 1);
}

#[tokio::test]
async fn after_a_reorganisation_the_block_is_no_longer_held() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    node.mine(2);
    let offer = anchored(&evm, &mark(3));
    node.mine(2);
    let Status::Included(place, 3) = settled(&evm, &offer) else { panic!("not taken up") };
    // The network forgets its three newest blocks and goes on without our transaction.
    node.hold();
    node.rpc("anvil_reorg", &json!([3, []]));
    assert!(!evm.holds(&place).unwrap());
    let after = evm.status(&offer).unwrap();
    assert!(matches!(after, Status::Gone | Status::Pending), "{after:?}");
    assert_eq!(evm.read(&mark(3).origin, 3).unwrap(), None, "the mark is gone with it");
    // The very same transaction is good again.
    evm.send(&offer).unwrap();
    node.mine(1);
    let Status::Included(anew, 1) = evm.status(&offer).unwrap() else { panic!("not taken up") };
    assert_ne!(anew, place);
    assert!(evm.holds(&anew).unwrap());
    assert_eq!(evm.read(&mark(3).origin, 3).unwrap(), Some(mark(3).root));
}

#[tokio::test]
async fn a_transaction_whose_work_was_refused_is_reverted() {
    let Some(node) = Node::start(&[]) else { return };
    let evm = node.deployed().await;
    let (contract, other) = (evm.contract(), "0x00000000000000000000000000000000000000aa");
    assert!(node.forced(&contract, &node.account(), &permission("b9496b62", other)));
    let late = evm.prepare(&mark(3), None).unwrap();
    // Another account of the same log is quicker, with a later state.
    assert!(node.forced(&contract, other, &call_anchor(&mark(5))));
    evm.send(&late).unwrap();
    let Status::Reverted(place) = settled(&evm, &late) else { panic!("not refused") };
    assert!(evm.holds(&place).unwrap());
    assert_eq!(evm.read(&mark(3).origin, 3).unwrap(), None);
    assert_eq!(evm.prepare(&mark(3), None).unwrap_err(), Trouble::Outrun(5));
}
