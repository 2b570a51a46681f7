//! Networks that speak the Ethereum JSON-RPC: every EVM chain, and FISCO BCOS from 3.9 on where it
//! does not run on 国密. Legacy transactions with an explicit limit, and only methods that all of
//! them have.

mod check;
mod contract;
mod deploy;
mod key;
mod rpc;

use alloy_consensus::{SignableTransaction as _, TxLegacy, transaction::RlpEcdsaEncodableTx as _};
use alloy_primitives::{TxKind, U256, hex};
use serde_json::{Value, json};
use yj_proof::Hash;

pub use alloy_primitives::Address;
pub use check::{Seen, Stranger};
pub use deploy::deploy;
pub use key::EvmKey;

use self::rpc::Rpc;
use crate::{Chain, Mark, Offer, Place, Status, Trouble};

/// Work that anchoring may cost; the first mark of a log costs about 130,000.
const ANCHOR_GAS: u64 = 250_000;
/// A replacement never offers more than this many times what the network asks.
const RAISE_MAX: u128 = 4;

/// Where and how an EVM network is reached.
#[derive(Clone)]
pub struct EvmSettings {
    /// `http://` or `https://`; may hold a secret of the provider, so it is never shown.
    pub url: String,
    /// Number of the chain (EIP-155).
    pub chain_id: u64,
    /// Address of the contract; nothing before it is deployed.
    pub contract: Option<Address>,
    /// Highest price of gas, in wei; 0 for any.
    pub gas_price_max: u128,
}

/// One EVM network, spoken to with one key.
pub struct Evm {
    rpc: Rpc,
    settings: EvmSettings,
    key: EvmKey,
}

impl Evm {
    /// Speaks to nobody yet.
    pub fn new(settings: EvmSettings, key: EvmKey) -> Self {
        Self { rpc: Rpc::new(settings.url.clone()), settings, key }
    }

    fn address(&self) -> Result<Address, Trouble> {
        self.settings.contract.ok_or_else(|| Trouble::NoContract(String::from("（未填写）")))
    }

    /// Whether the node belongs to the configured chain: asked before anything is signed.
    pub fn confirm_chain(&self) -> Result<(), Trouble> {
        let (expected, found) =
            (self.settings.chain_id, self.rpc.number("eth_chainId", json!([]))?);
        if expected == found { Ok(()) } else { Err(Trouble::WrongChain { expected, found }) }
    }

    /// How many transactions of our account the network has taken up: the place of the next one.
    fn nonce(&self) -> Result<u64, Trouble> {
        let params = json!([self.account(), "latest"]);
        self.rpc.number("eth_getTransactionCount", params)
    }

    /// What is offered for gas: a quarter above what the network asks, so that it still holds in the
    /// next blocks; nothing where it asks for nothing.
    fn price(&self, raise: Option<u128>) -> Result<u128, Trouble> {
        let asked = self.rpc.amount("eth_gasPrice", json!([]))?;
        let mut price = asked.saturating_add(asked / 4);
        if let Some(before) = raise {
            // Nodes take a replacement only for a price noticeably higher.
            let more = before.saturating_add(before / 4).max(price);
            price = more.min(asked.saturating_mul(RAISE_MAX)).max(price);
        }
        let max = self.settings.gas_price_max;
        if max > 0 && price > max {
            return Err(Trouble::TooDear { price, max });
        }
        Ok(price)
    }

    fn call(&self, input: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        contract::call(&self.rpc, &self.address()?.to_string(), &input)
    }

    fn sign(
        &self,
        (to, input): (TxKind, Vec<u8>),
        gas_limit: u64,
        (nonce, price): (u64, u128),
    ) -> Offer {
        let transaction = TxLegacy {
            chain_id: Some(self.settings.chain_id),
            nonce,
            gas_price: price,
            gas_limit,
            to,
            value: U256::ZERO,
            input: input.into(),
        };
        let signature = self.key.sign(transaction.signature_hash());
        let signed = transaction.into_signed(signature);
        let mut raw = Vec::new();
        signed.tx().rlp_encode_signed(signed.signature(), &mut raw);
        Offer { tx: signed.hash().to_string(), nonce, price, raw }
    }

    /// Why the contract would not take a mark, as far as can be seen beforehand.
    fn examine(&self, mark: &Mark) -> Result<(), Trouble> {
        let contract = self.address()?.to_string();
        let code = self.rpc.call("eth_getCode", json!([contract, "latest"]))?;
        if code.as_str().is_none_or(|code| code.len() <= 2) {
            return Err(Trouble::NoContract(contract));
        }
        let account = self.key.address();
        let may = self.call(contract::allowed(&mark.origin, account))?;
        if contract::word(&may, 0).is_none_or(|word| word == [0; 32]) {
            return Err(Trouble::NotAllowed(self.account()));
        }
        match self.read(&mark.origin, mark.size)? {
            Some(root) if root == mark.root => return Ok(()),
            Some(root) => {
                return Err(Trouble::OtherRoot { size: mark.size, found: hex::encode(root) });
            }
            None => {}
        }
        let latest = self.call(contract::latest(&mark.origin))?;
        let number = |at| contract::word(&latest, at).as_ref().and_then(contract::number);
        let (Some(size), Some(height)) = (number(0), number(2)) else {
            return Err(Trouble::Unreadable("latest"));
        };
        if mark.size <= size || mark.height <= height {
            return Err(Trouble::Outrun(size));
        }
        Ok(())
    }

    fn receipt(&self, tx: &str) -> Result<Option<Value>, Trouble> {
        let found = self.rpc.call("eth_getTransactionReceipt", json!([tx]))?;
        // Some nodes answer with an empty receipt while the transaction waits.
        Ok(Some(found).filter(|found| found["blockHash"].is_string()))
    }

    fn place(receipt: &Value) -> Result<Place, Trouble> {
        let unreadable = || Trouble::Unreadable("eth_getTransactionReceipt");
        let number = rpc::quantity(&receipt["blockNumber"]).ok_or_else(unreadable)?;
        let hash = receipt["blockHash"].as_str().ok_or_else(unreadable)?;
        let number = u64::try_from(number).map_err(|_| unreadable())?;
        Ok(Place { number, hash: String::from(hash) })
    }
}

impl Chain for Evm {
    fn network(&self) -> String {
        format!("eip155:{}", self.settings.chain_id)
    }

    fn contract(&self) -> String {
        self.settings.contract.map(|address| address.to_string()).unwrap_or_default()
    }

    fn account(&self) -> String {
        self.key.address().to_string()
    }

    fn prepare(&self, mark: &Mark, before: Option<&Offer>) -> Result<Offer, Trouble> {
        self.confirm_chain()?;
        self.examine(mark)?;
        let nonce = self.nonce()?;
        let before = before.filter(|before| before.nonce == nonce).map(|before| before.price);
        let to = TxKind::Call(self.address()?);
        Ok(self.sign((to, contract::anchor(mark)), ANCHOR_GAS, (nonce, self.price(before)?)))
    }

    fn send(&self, offer: &Offer) -> Result<(), Trouble> {
        self.confirm_chain()?;
        let raw = hex::encode_prefixed(&offer.raw);
        let Err(trouble) = self.rpc.call("eth_sendRawTransaction", json!([raw])) else {
            return Ok(());
        };
        // Every node has its own words for "I know it already"; whether it does is what counts.
        match self.status(offer) {
            Ok(Status::Gone | Status::Replaced) | Err(_) => Err(trouble),
            Ok(_) => Ok(()),
        }
    }

    fn status(&self, offer: &Offer) -> Result<Status, Trouble> {
        self.confirm_chain()?;
        // In this order: what is taken up between two questions is still found.
        let count = self.nonce()?;
        if let Some(receipt) = self.receipt(&offer.tx)? {
            let place = Self::place(&receipt)?;
            if rpc::quantity(&receipt["status"]) != Some(1) {
                return Ok(Status::Reverted(place));
            }
            let newest = self.rpc.number("eth_blockNumber", json!([]))?;
            let depth = (newest + 1).saturating_sub(place.number);
            return Ok(Status::Included(place, depth));
        }
        if count > offer.nonce {
            return Ok(Status::Replaced);
        }
        let known = self.rpc.call("eth_getTransactionByHash", json!([offer.tx]))?;
        Ok(if known.is_object() { Status::Pending } else { Status::Gone })
    }

    fn read(&self, origin: &Hash, size: u64) -> Result<Option<Hash>, Trouble> {
        self.confirm_chain()?;
        let answer = self.call(contract::root_at(origin, size))?;
        let root = contract::word(&answer, 0).ok_or(Trouble::Unreadable("rootAt"))?;
        Ok(Some(root).filter(|root| *root != [0; 32]))
    }

    fn holds(&self, place: &Place) -> Result<bool, Trouble> {
        self.confirm_chain()?;
        let params = json!([format!("{:#x}", place.number), false]);
        let block = self.rpc.call("eth_getBlockByNumber", params)?;
        Ok(block["hash"].as_str().is_some_and(|hash| hash.eq_ignore_ascii_case(&place.hash)))
    }
}
