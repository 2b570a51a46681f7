//! 外部锚定 in the configuration and at the command line.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use yj_anchor::{
    Chain, Plan,
    evm::{Address, Evm, EvmKey, EvmSettings, Seen, Stranger, deploy as put_contract},
};
use yj_crypto::to_hex;
use yj_kernel::{Environment as _, SystemEnvironment};
use yj_proof::{AnchorStatement, Bundle, Hash, Trust};

use crate::Config;

/// The network on which the ledger is anchored, and when.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnchorConfig {
    /// A node; empty for none. May hold a secret.
    pub url: String,
    /// Number of the chain.
    pub chain_id: u64,
    /// Address of the contract; empty before it is deployed.
    pub contract: String,
    /// Key file; empty for the usual one.
    pub key: String,
    /// Blocks until an anchor counts.
    pub confirmations: u64,
    /// Minutes between two anchors.
    pub every_minutes: u32,
    /// Blocks of our own between two anchors; 0 for no such number.
    pub every_blocks: u64,
    /// Highest price of gas; 0 for any.
    pub gas_price_max: u64,
}

impl Default for AnchorConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            chain_id: 0,
            contract: String::new(),
            key: String::new(),
            confirmations: 12,
            every_minutes: 60,
            every_blocks: 0,
            gas_price_max: 0,
        }
    }
}

impl std::fmt::Debug for AnchorConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "AnchorConfig({}, {})", self.chain_id, self.contract)
    }
}

impl AnchorConfig {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.url.is_empty() {
            return Ok(());
        }
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return Err(String::from("anchor.url 应以 http:// 或 https:// 开头"));
        }
        if self.chain_id == 0 {
            return Err(String::from(
                "anchor.chain_id 应为网络的链号（EIP-155），如以太坊主网为 1",
            ));
        }
        self.address()?;
        if self.confirmations == 0 || self.every_minutes == 0 {
            return Err(String::from("anchor.confirmations 与 anchor.every_minutes 应至少为 1"));
        }
        Ok(())
    }

    fn address(&self) -> Result<Option<Address>, String> {
        let wrong = |_| format!("anchor.contract 应为 0x 加 40 位十六进制，现为 {}", self.contract);
        (!self.contract.is_empty()).then(|| self.contract.parse().map_err(wrong)).transpose()
    }

    fn evm(&self, data: &Path) -> Result<Option<Evm>, String> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let usual = || data.join("keys").join("anchor.key");
        let path = if self.key.is_empty() { usual() } else { PathBuf::from(&self.key) };
        let key = EvmKey::open(&path, &|| SystemEnvironment.random())?;
        let settings = EvmSettings {
            url: self.url.clone(),
            chain_id: self.chain_id,
            contract: self.address()?,
            gas_price_max: u128::from(self.gas_price_max),
        };
        Ok(Some(Evm::new(settings, key)))
    }

    /// The network and the plan, where anchoring is on. Makes the key file on first use.
    pub fn open(&self, data: &Path) -> Result<Option<(Arc<dyn Chain>, Plan)>, String> {
        let plan = Plan {
            confirmations: self.confirmations,
            every_minutes: self.every_minutes,
            every_blocks: self.every_blocks,
        };
        Ok(self.evm(data)?.map(|evm| (Arc::new(evm) as Arc<dyn Chain>, plan)))
    }
}

/// Deploys the contract and lets our account speak for the chain with this fingerprint; account and
/// address.
pub async fn deploy(config: &Config, origin: Hash) -> Result<(String, Address), String> {
    let evm = config.anchor.evm(&config.data)?;
    let evm = Arc::new(evm.ok_or("请先填写 [anchor] 的 url 与 chain_id")?);
    let account = evm.account();
    println!("以账户 {account} 部署；它应有支付燃料的余额（燃料免费的网络除外）");
    let address = put_contract(evm, origin).await.map_err(|trouble| trouble.to_string())?;
    Ok((account, address))
}

/// Asks a node of the network about every anchor of a proof, and says whether they agree.
pub async fn check(file: &Path, rpc: String) -> Result<bool, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}：{error}", file.display()))?;
    let verdict = yj_proof::verify(&bytes, &Trust::default());
    if !verdict.ok {
        println!("{}", verdict.conclusion);
        return Ok(false);
    }
    let bundle = Bundle::from_bytes(&bytes)?;
    if bundle.anchors.is_empty() {
        println!("这份证明不含外部锚定");
        return Ok(false);
    }
    let mut agree = true;
    for anchored in bundle.anchors {
        let (statement, url) = (anchored.statement, rpc.clone());
        let (contract, tx) = (statement.contract.clone(), statement.transaction.clone());
        let (origin, size) = (statement.chain_id, statement.size);
        let look = move || Stranger::new(url).look(&contract, (&origin, size), &tx);
        let seen = tokio::task::spawn_blocking(look).await.map_err(|error| error.to_string())?;
        let seen = seen.map_err(|trouble| trouble.to_string())?;
        println!("网络 {}，合约 {}", statement.network, statement.contract);
        for (title, well, detail) in compare(&statement, &seen) {
            println!("{} {title}：{detail}", if well { "一致" } else { "不一致" });
            agree &= well;
        }
    }
    println!(
        "{}",
        if agree {
            "外部网络与证明一致：记录自该次锚定以来未被改动。请核对网络与合约地址是否为平台公布的"
        } else {
            "外部网络与证明不一致，不能据此确认记录自锚定以来未被改动"
        }
    );
    Ok(agree)
}

fn compare(statement: &AnchorStatement, seen: &Seen) -> [(&'static str, bool, String); 5] {
    let network = format!("eip155:{}", seen.chain_id);
    let root = seen.root.map_or_else(|| String::from("没有保存"), |root| to_hex(&root));
    let (block, stands) = match &seen.place {
        Some(place) => (
            format!("交易在区块 {}（{}）", place.number, place.hash),
            place.number == statement.block_number
                && place.hash.eq_ignore_ascii_case(&statement.block_hash),
        ),
        None => (format!("没有交易 {}，或其执行失败", statement.transaction), false),
    };
    let to = seen.to.clone().unwrap_or_else(|| String::from("无"));
    let code = if seen.code_known {
        "与平台公布的合约相同"
    } else {
        "不是平台公布的合约"
    };
    [
        ("网络", network == statement.network, format!("节点属于 {network}")),
        ("合约代码", seen.code_known, String::from(code)),
        (
            "树根",
            seen.root == Some(statement.root),
            format!("日志总长 {} 处：{root}", statement.size),
        ),
        ("区块", stands, block),
        ("交易对象", to == statement.contract.to_lowercase(), to),
    ]
}
