//! What a network must be able to do for us, whatever its kind.
//!
//! Everything here may wait for the network: call it where waiting is allowed.

use yj_proof::Hash;

/// A log as it stood: what a network is asked to remember. Digests only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which log: the fingerprint of its chain.
    pub origin: Hash,
    /// Its length in submissions.
    pub size: u64,
    /// Root of its tree.
    pub root: Hash,
    /// Height of the block that fixed it.
    pub height: u64,
    /// Name of that block.
    pub block_id: Hash,
}

/// A transaction, signed and ready to be sent again and again: whatever happens meanwhile, it takes
/// effect once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name on the network.
    pub tx: String,
    /// Its place among those of our account.
    pub nonce: u64,
    /// Price of one unit of work, in the network's smallest coin.
    pub price: u128,
    /// The signed bytes.
    pub raw: Vec<u8>,
}

/// A block of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub hash: String,
}

/// What became of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The network knows it and has not taken it up.
    Pending,
    /// It stands in a block of the network's present history, `depth` blocks deep (1 in the newest).
    Included(Place, u64),
    /// It was taken up and its work refused.
    Reverted(Place),
    /// Another transaction of our account took its place.
    Replaced,
    /// The network knows nothing of it.
    Gone,
}

/// Why a network could not be made to do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It cannot be reached now.
    #[error("节点没有应答：{0}")]
    Unreachable(String),
    /// The node does not offer what we need.
    #[error("节点不支持 {0}")]
    NoSuchMethod(&'static str),
    /// The node answered with an error of its own.
    #[error("节点拒绝 {method}：{message}（{code}）")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Its number for the error.
        code: i64,
        /// Its words.
        message: String,
    },
    /// The node answered with something else than an answer.
    #[error("节点对 {0} 的应答无法识别")]
    Unreadable(&'static str),
    /// Another network than the one configured.
    #[error(
        "节点属于链 {found}，而配置为链 {expected}：没有发送任何交易，请核对 [anchor] 的 url 与 chain_id"
    )]
    WrongChain {
        /// Number of the chain that is configured.
        expected: u64,
        /// Number of the chain that answered.
        found: u64,
    },
    /// There is no contract where one should be.
    #[error(
        "地址 {0} 上没有锚定合约：请先执行 yuanjian anchor deploy，并填写 [anchor] 的 contract"
    )]
    NoContract(String),
    /// The contract does not let our account speak for this log.
    #[error("合约不允许账户 {0} 为本链锚定：请由合约的部署者调用 allow")]
    NotAllowed(String),
    /// The contract already holds a later state of the log.
    #[error("合约中已有更新的检查点（日志总长 {0}），较早的不再锚定")]
    Outrun(u64),
    /// The contract holds another root for the same length: one of the two histories is not ours.
    #[error("外部网络在日志总长 {size} 处保存的树根是 {found}，与本链不同")]
    OtherRoot {
        /// Length of the log.
        size: u64,
        /// What the network holds, hex.
        found: String,
    },
    /// Sending now would cost more than allowed.
    #[error("网络当前的燃料价格为 {price}，高于上限 {max}（单位：该网络最小币值），等待回落")]
    TooDear {
        /// What the network asks.
        price: u128,
        /// What is allowed.
        max: u128,
    },
}

/// A network that keeps marks.
pub trait Chain: Send + Sync {
    /// Its name, such as `eip155:31337`.
    fn network(&self) -> String;

    /// Where on it the marks are kept.
    fn contract(&self) -> String;

    /// In whose name we speak there.
    fn account(&self) -> String;

    /// Makes the transaction that anchors a mark, after asking whether the contract would take it;
    /// sends nothing. With an earlier offer that still waits, one that takes its place.
    fn prepare(&self, mark: &Mark, before: Option<&Offer>) -> Result<Offer, Trouble>;

    /// Sends an offer; harmless when repeated.
    fn send(&self, offer: &Offer) -> Result<(), Trouble>;

    /// What became of an offer.
    fn status(&self, offer: &Offer) -> Result<Status, Trouble>;

    /// The root kept for a log at a length.
    fn read(&self, origin: &Hash, size: u64) -> Result<Option<Hash>, Trouble>;

    /// Whether a block still belongs to the network's history.
    fn holds(&self, place: &Place) -> Result<bool, Trouble>;
}
