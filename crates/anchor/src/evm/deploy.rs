//! Putting the contract on a network, once.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, TxKind};
use tokio::time::{MissedTickBehavior, interval};
use yj_proof::Hash;

use super::{Evm, contract};
use crate::{Chain as _, Offer, Status, Trouble};

/// Work that making the contract may cost.
const CREATE_GAS: u64 = 1_500_000;
/// Work that letting an account in may cost.
const ALLOW_GAS: u64 = 150_000;
/// How often it is looked whether the network has taken something up, and how many times.
const PACE: Duration = Duration::from_secs(1);
const LOOKS_MAX: usize = 300;

/// Deploys the contract and lets our account speak for the log; where it now is.
pub async fn deploy(evm: Arc<Evm>, origin: Hash) -> Result<Address, Trouble> {
    let creation = Arc::clone(&evm);
    let creation = wait(move || {
        creation.confirm_chain()?;
        let code = contract::bytecode().ok_or(Trouble::Unreadable("Anchor.json"))?;
        creation.offer((TxKind::Create, code), CREATE_GAS)
    });
    let created = settle(&evm, creation.await?).await?;
    let place = Arc::clone(&evm);
    let address = wait(move || place.created(&created)).await?;
    let permission = Arc::clone(&evm);
    let permission = wait(move || {
        let input = contract::allow(&origin, permission.key.address());
        permission.offer((TxKind::Call(address), input), ALLOW_GAS)
    });
    settle(&evm, permission.await?).await?;
    Ok(address)
}

impl Evm {
    fn offer(&self, work: (TxKind, Vec<u8>), gas: u64) -> Result<Offer, Trouble> {
        Ok(self.sign(work, gas, (self.nonce()?, self.price(None)?)))
    }

    fn created(&self, offer: &Offer) -> Result<Address, Trouble> {
        let receipt = self.receipt(&offer.tx)?.unwrap_or_default();
        let address = receipt["contractAddress"].as_str().and_then(|text| text.parse().ok());
        address.ok_or(Trouble::Unreadable("eth_getTransactionReceipt"))
    }
}

/// Sends and waits until it has been taken up.
async fn settle(evm: &Arc<Evm>, offer: Offer) -> Result<Offer, Trouble> {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0..LOOKS_MAX {
        pace.tick().await;
        let (node, sent) = (Arc::clone(evm), offer.clone());
        let status = wait(move || {
            if look == 0 {
                node.send(&sent)?;
            }
            node.status(&sent)
        });
        match status.await? {
            Status::Included(..) => return Ok(offer),
            Status::Reverted(place) => {
                let message = format!("交易 {} 在区块 {} 中执行失败", offer.tx, place.number);
                return Err(Trouble::Refused {
                    method: "eth_sendRawTransaction",
                    code: 0,
                    message,
                });
            }
            Status::Pending | Status::Gone | Status::Replaced => {}
        }
    }
    Err(Trouble::Unreachable(format!("交易 {} 迟迟没有打包", offer.tx)))
}

/// Where waiting is allowed.
async fn wait<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Trouble::Unreachable(error.to_string()))?
}
