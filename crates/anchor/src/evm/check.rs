//! A stranger's look at an anchor: no key, no account, any node of the network.

use alloy_primitives::{Address, hex};
use serde_json::{Value, json};
use yj_proof::Hash;

use super::{
    Evm, contract,
    rpc::{Rpc, quantity},
};
use crate::{Place, Trouble};

/// Somebody who only reads.
pub struct Stranger(Rpc);

/// What the network says of an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Number of the chain that answered.
    pub chain_id: u64,
    /// The root that the contract holds for the length asked.
    pub root: Option<Hash>,
    /// The block the transaction stands in, if it was taken up and did its work.
    pub place: Option<Place>,
    /// To which contract it was sent, lower case.
    pub to: Option<String>,
    /// Whether the code at the contract's address is the one published with the platform.
    pub code_known: bool,
}

impl Stranger {
    /// Asks the node at `url`.
    pub fn new(url: String) -> Self {
        Self(Rpc::new(url))
    }

    /// Looks up a root and a transaction.
    pub fn look(
        &self,
        contract: &str,
        (origin, size): (&Hash, u64),
        tx: &str,
    ) -> Result<Seen, Trouble> {
        let chain_id = self.0.number("eth_chainId", json!([]))?;
        let address: Address =
            contract.parse().map_err(|_| Trouble::NoContract(String::from(contract)))?;
        let code = self.0.call("eth_getCode", json!([address.to_string(), "latest"]))?;
        let code = code.as_str().and_then(|code| hex::decode(code).ok()).unwrap_or_default();
        let code_known = contract::runtime().is_some_and(|published| published == code);
        let answer =
            contract::call(&self.0, &address.to_string(), &contract::root_at(origin, size))?;
        let root = contract::word(&answer, 0).filter(|root| *root != [0; 32]);
        let receipt: Value = self.0.call("eth_getTransactionReceipt", json!([tx]))?;
        let done = receipt["blockHash"].is_string() && quantity(&receipt["status"]) == Some(1);
        let place = done.then(|| Evm::place(&receipt)).transpose()?;
        let to = receipt["to"].as_str().map(str::to_lowercase);
        Ok(Seen { chain_id, root, place, to, code_known })
    }
}
