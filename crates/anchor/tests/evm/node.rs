//! A node of its own for each test.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use serde_json::{Value, json};
use yj_anchor::{
    Chain as _, Mark, Offer, Status,
    evm::{Evm, EvmKey, EvmSettings, deploy},
};

/// The node makes a block soon after it took a transaction, not before it says that it did.
const LOOKS_MAX: usize = 2_000;

/// A mark of the log `[7; 32]`.
pub(crate) fn mark(size: u64) -> Mark {
    let [root, block_id] = [1, 2].map(|tag| {
        let mut digest = [tag; 32];
        digest[..8].copy_from_slice(&size.to_be_bytes());
        digest
    });
    Mark { origin: [7; 32], size, root, height: size * 2, block_id }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The words of a call that anchors.
pub(crate) fn call_anchor(Mark { origin, size, root, height, block_id }: &Mark) -> String {
    let number = |value: &u64| format!("{value:064x}");
    let words = [hex(origin), number(size), hex(root), number(height), hex(block_id)];
    format!("0x2d7d7c27{}", words.concat())
}

/// The words of a call that lets an account in, or out, for the log of [`mark`].
pub(crate) fn permission(verb: &str, account: &str) -> String {
    let account = account.trim_start_matches("0x").to_lowercase();
    format!("0x{verb}{}{account:0>64}", hex(&[7; 32]))
}

/// What became of an offer once the node had the time to look at it.
pub(crate) fn settled(evm: &Evm, offer: &Offer) -> Status {
    let mut looks = (0..LOOKS_MAX).map(|_| evm.status(offer).unwrap());
    looks.find(|status| *status != Status::Pending).unwrap()
}

/// Anchors a mark and waits until it stands.
pub(crate) fn anchored(evm: &Evm, mark: &Mark) -> Offer {
    let offer = evm.prepare(mark, None).unwrap();
    evm.send(&offer).unwrap();
    assert!(matches!(settled(evm, &offer), Status::Included(..)));
    offer
}

/// anvil, which ends with the test.
pub(crate) struct Node {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
    chain_id: u64,
}

impl Node {
    /// On the port that the system chooses; nothing where nobody said where anvil is.
    pub(crate) fn start(more: &[&str]) -> Option<Self> {
        let program = std::env::var("YJ_TEST_ANVIL").ok()?;
        let mut process = Command::new(program)
            .args(["--host", "127.0.0.1", "--accounts", "1", "--port", "0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().take(200).map(Result::unwrap).find_map(|line| {
            let (_, address) = line.split_once("Listening on ")?;
            address.rsplit(':').next()?.trim().parse().ok()
        });
        // Its further words go nowhere, but somebody must take them.
        std::thread::spawn(move || lines.for_each(drop));
        let folder = tempfile::tempdir().unwrap();
        let mut node = Self { process, port: port.unwrap(), folder, chain_id: 0 };
        let chain_id = node.rpc("eth_chainId", &json!([]));
        let digits = chain_id.as_str().unwrap().trim_start_matches("0x");
        node.chain_id = u64::from_str_radix(digits, 16).unwrap();
        node.rpc("anvil_setBalance", &json!([node.account(), "0x56bc75e2d63100000"]));
        Some(node)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn key(&self) -> EvmKey {
        EvmKey::open(&self.folder.path().join("anchor.key"), &|| 0x0123_4567_89ab_cdef).unwrap()
    }

    pub(crate) fn account(&self) -> String {
        self.key().address().to_string()
    }

    /// Asks the node itself; fails where it refuses.
    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Value {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = ureq::post(self.url()).send_json(&question).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// A transaction that nobody examined beforehand: does the contract take it?
    pub(crate) fn forced(&self, contract: &str, from: &str, data: &str) -> bool {
        self.rpc("anvil_impersonateAccount", &json!([from]));
        self.rpc("anvil_setBalance", &json!([from, "0x56bc75e2d63100000"]));
        let call = json!([{ "from": from, "to": contract, "data": data, "gas": "0x7a120" }]);
        let tx = self.rpc("eth_sendTransaction", &call);
        let mut receipts =
            (0..LOOKS_MAX).map(|_| self.rpc("eth_getTransactionReceipt", &json!([tx])));
        receipts.find(Value::is_object).unwrap()["status"] == "0x1"
    }

    /// Blocks, with whatever waits in the first of them.
    pub(crate) fn mine(&self, count: u64) {
        self.rpc("anvil_mine", &json!([format!("{count:#x}")]));
    }

    /// From now on only `mine` makes blocks.
    pub(crate) fn hold(&self) {
        self.rpc("evm_setAutomine", &json!([false]));
    }

    /// How often the contracts of this node said that something was anchored.
    pub(crate) fn events(&self) -> usize {
        let filter = json!([{ "fromBlock": "0x0", "toBlock": "latest" }]);
        let logs = self.rpc("eth_getLogs", &filter);
        // Root, height, block and account; the other event tells one thing.
        let told = |log: &&Value| log["data"].as_str().unwrap().len() == 2 + 4 * 64;
        logs.as_array().unwrap().iter().filter(told).count()
    }

    pub(crate) fn settings(&self) -> EvmSettings {
        let (url, chain_id) = (self.url(), self.chain_id);
        EvmSettings { url, chain_id, contract: None, gas_price_max: 0 }
    }

    /// A contract that lets our key speak for the log of [`mark`].
    pub(crate) async fn deployed(&self) -> Evm {
        self.deployed_through(self.url()).await
    }

    pub(crate) async fn deployed_through(&self, url: String) -> Evm {
        let settings = EvmSettings { url, ..self.settings() };
        let evm = Arc::new(Evm::new(settings.clone(), self.key()));
        let contract = deploy(evm, mark(1).origin).await.unwrap();
        Evm::new(EvmSettings { contract: Some(contract), ..settings }, self.key())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
