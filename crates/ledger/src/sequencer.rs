//! From the queue to blocks.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use yj_crypto::Signer as _;
use yj_kernel::{App, Problem, Result};
use yj_proof::{
    AttestedBy, Certificate, Genesis, Hash, Header, KeyEntry, KeyUse, PLATFORM, Submission,
    Validator, ValidatorSet, Vote, merkle,
};

use crate::{
    Keys, LedgerSnapshot, fault,
    register::Register,
    signed::{Offer, Offers},
    store::{NewBlock, Packed, Store},
    waiting::{self, Order, Outcome, Waiting},
};

/// After the first waiting record a block is made at the latest this long later.
const PACE: Duration = Duration::from_millis(200);

/// The ledger of this platform.
#[derive(Clone)]
pub struct Ledger(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) genesis: Genesis,
    pub(crate) chain_id: Hash,
    pub(crate) register: RwLock<Arc<Register>>,
    pub(crate) offers: Offers,
    /// One block at a time.
    turn: tokio::sync::Mutex<()>,
    /// Records in the block that is being made.
    pub(crate) in_flight: AtomicUsize,
    /// Milliseconds from queueing to confirmation, of late.
    pub(crate) latencies: Mutex<Vec<i64>>,
    /// Since when no block could be made, and why.
    pub(crate) failing: Mutex<Option<(i64, String)>>,
    bell: watch::Sender<u64>,
}

/// What a block is to hold.
struct Plan {
    height: u64,
    now_ms: u64,
    /// Entries of the key register that it changes, and the register with them.
    changed: Vec<KeyEntry>,
    register: Arc<Register>,
    /// What organisations have signed themselves.
    signed: Vec<(Submission, Vec<Waiting>)>,
    /// What the platform signs.
    fresh: Vec<Waiting>,
}

impl Ledger {
    /// Opens the ledger in a folder; on first use it begins a chain of its own.
    pub fn open(folder: &Path, name: &str, keys: Keys, now_ms: i64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Problem::internal)?;
        let store = Store::open(&folder.join("ledger.redb"))?;
        let genesis = store.genesis(|| {
            let validator = Validator { key: keys.validator.public_key().clone(), power: 1 };
            let validators = ValidatorSet::new(vec![validator]).map_err(Problem::internal)?;
            let time_ms = u64::try_from(now_ms).map_err(Problem::internal)?;
            Ok(Genesis { name: String::from(name), time_ms, validators })
        })?;
        if !genesis.validators.holds(keys.validator.public_key()) {
            return Err(Problem::internal(
                "验证人密钥（validator.pem）不是本存证链的：密钥文件丢失或被更换，请恢复备份，不要重新生成",
            ));
        }
        if store.tip()?.is_some() && store.key_changes()?.is_empty() {
            store.keep_first_key(&KeyEntry {
                org: String::from(PLATFORM),
                kid: String::from("platform-1"),
                key: keys.platform.public_key().clone(),
                usage: KeyUse::Platform,
                valid_from: 1,
                revoked_at: u64::MAX,
                certificate: [0; 32],
            })?;
        }
        Ok(Self(Arc::new(Inner {
            chain_id: genesis.chain_id(),
            register: RwLock::new(Arc::new(Register::of(store.key_changes()?))),
            store,
            keys,
            genesis,
            offers: Offers::default(),
            turn: tokio::sync::Mutex::default(),
            in_flight: AtomicUsize::new(0),
            latencies: Mutex::default(),
            failing: Mutex::default(),
            bell: watch::Sender::new(0),
        })))
    }

    /// Bytes of the beginning of the chain, and its name.
    pub fn genesis(&self) -> (Vec<u8>, Hash) {
        (self.0.genesis.to_bytes(), self.0.chain_id)
    }

    /// The ledger as it stands, to be written out.
    pub fn snapshot(&self) -> Result<LedgerSnapshot> {
        self.0.store.snapshot()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Something of the key register.
    pub(crate) fn register<T>(&self, read: impl FnOnce(&Register) -> T) -> T {
        read(&self.0.register.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that something was queued.
    pub fn ring(&self) {
        self.0.bell.send_modify(|count| *count += 1);
    }

    /// Makes blocks until `stop` says so.
    pub async fn run(self, app: App, mut stop: watch::Receiver<bool>) {
        let mut bell = self.0.bell.subscribe();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut audited_at = 0;
        loop {
            let now = app.now().as_millisecond();
            if now - audited_at >= crate::audit::EVERY_MS {
                audited_at = now;
                if let Err(problem) = self.anchor_audit(&app).await {
                    problem.log();
                }
            }
            match self.make_block(&app).await {
                Ok(0) => {
                    tokio::select! {
                        _ = stop.changed() => return,
                        _ = bell.changed() => {}
                        // Another node, or an import, may have queued without ringing.
                        () = tick_many(&mut pace) => {}
                    }
                }
                Ok(_) => {}
                Err(problem) => problem.log(),
            }
            tokio::select! {
                _ = stop.changed() => return,
                _ = pace.tick() => {}
                () = self.0.offers.many() => pace.reset(),
            }
        }
    }

    /// Makes blocks until nothing waits; returns how many entries of the queue were moved.
    pub async fn drain(&self, app: &App) -> Result<usize> {
        let mut total = 0;
        loop {
            match self.make_block(app).await? {
                0 => return Ok(total),
                count => total += count,
            }
        }
    }

    /// One block of what waits now; returns how many entries of the queue it moved: records that
    /// found their place or wait for a signature from now on, and changes of the key register.
    pub async fn make_block(&self, app: &App) -> Result<usize> {
        let _turn = self.0.turn.lock().await;
        let made = self.make_of(app, self.0.offers.take()).await;
        let mut failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match &made {
            Ok(_) => *failing = None,
            Err(problem) => {
                let since = failing.as_ref().map_or(app.now().as_millisecond(), |known| known.0);
                *failing = Some((since, problem.to_string()));
            }
        }
        made
    }

    async fn make_of(&self, app: &App, mut offers: Vec<Offer>) -> Result<usize> {
        let inner = &*self.0;
        let (waiting, orders) = waiting::due(app).await?;
        fault::point("after_read");
        if waiting.is_empty() && orders.is_empty() && offers.is_empty() {
            return Ok(0);
        }
        if !app.clock_is_sound() {
            let detail = "本机时钟偏差过大，暂停签名上链；校时后自动继续";
            return Err(Problem::Unavailable(String::from(detail)));
        }
        let (mut plan, keyless) = self.plan(app, &orders)?;
        plan.signed = self.judge(&mut offers, plan.register.now())?;
        let mut outcome = Outcome { keyless, ..Outcome::default() };
        let signed: BTreeSet<i64> =
            plan.signed.iter().flat_map(|(_, records)| records).map(|entry| entry.id).collect();
        for entry in waiting {
            // Anchored before a crash, but not yet marked: the store is the truth.
            if let Some(place) = inner.store.place(&entry.record)? {
                outcome.settled.insert(entry.id, place.height);
            } else if entry.due_at == 0 && plan.register.signs_itself(&entry.org) {
                outcome.deferred.push(entry.id);
            } else if !signed.contains(&entry.id) {
                plan.fresh.push(entry);
            }
        }
        let placed: Vec<_> = plan.entries().map(|entry| (entry.id, entry.queued_at)).collect();
        let mut height = plan.height - 1;
        if !placed.is_empty() || !plan.changed.is_empty() {
            height = plan.height;
            inner.in_flight.store(placed.len(), Ordering::Relaxed);
            let ledger = self.clone();
            let made = tokio::task::spawn_blocking(move || ledger.append(plan)).await;
            inner.in_flight.store(0, Ordering::Relaxed);
            made.map_err(Problem::internal)??;
        }
        outcome.orders = (orders.iter().map(|order| order.id).collect(), height);
        outcome.settled.extend(placed.iter().map(|(id, _)| (*id, height)));
        waiting::mark(app, &outcome).await?;
        fault::point("after_mark");
        for offer in offers {
            offer.answer_with(&inner.store);
        }
        self.note_latencies(app, placed.iter().map(|(_, queued_at)| *queued_at));
        Ok(outcome.moved())
    }

    /// The next block, still without records; and the organisations that lose their last key.
    fn plan(&self, app: &App, orders: &[Order]) -> Result<(Plan, Vec<String>)> {
        let tip = self.0.store.tip()?;
        let height = tip.map_or(1, |tip| tip.header.height + 1);
        let platform = self.0.keys.platform.public_key();
        let mut register =
            Arc::clone(&self.0.register.read().unwrap_or_else(PoisonError::into_inner));
        let changed = register.changed(height, platform, orders);
        let mut keyless = Vec::new();
        if !changed.is_empty() {
            let (next, without) = register.with(height, &changed);
            (register, keyless) = (Arc::new(next), without);
        }
        let now_ms = u64::try_from(app.now().as_millisecond()).unwrap_or(0);
        let (signed, fresh) = (Vec::new(), Vec::new());
        Ok((Plan { height, now_ms, changed, register, signed, fresh }, keyless))
    }

    /// Makes the block, and writes it durably.
    fn append(&self, plan: Plan) -> Result<()> {
        let inner = &*self.0;
        let Plan { height, now_ms, changed, register, signed, fresh } = plan;
        let tip = inner.store.tip()?.map(|block| block.header);
        let (mut packed, mut seqs) = (Vec::new(), BTreeMap::new());
        for (submission, records) in signed {
            seqs.insert(submission.org.clone(), submission.seq);
            packed.push(Packed::of(submission, &records));
        }
        let mut by_org: BTreeMap<&str, Vec<&Waiting>> = BTreeMap::new();
        for entry in &fresh {
            by_org.entry(&entry.org).or_default().push(entry);
        }
        let kid = register.platform().map(|entry| entry.kid.clone());
        let kid = kid.ok_or_else(|| Problem::internal("the platform has no key"))?;
        for (org, entries) in by_org {
            let last = match seqs.get(org) {
                Some(seq) => *seq,
                None => inner.store.last_seq(org)?,
            };
            packed.push(self.pack((org, last + 1), &kid, &entries)?);
        }
        let (mut frontier, mut nodes) = (inner.store.frontier()?, Vec::new());
        let first = frontier.size();
        let leaves: Vec<Hash> =
            packed.iter().map(|packed| merkle::leaf(&packed.submission.to_bytes())).collect();
        for leaf in &leaves {
            frontier.append(*leaf, |level, index, hash| nodes.push((level, index, *hash)));
        }
        let set = &inner.genesis.validators;
        let validator = Validator { key: inner.keys.validator.public_key().clone(), power: 1 };
        let header = Header {
            chain_id: inner.chain_id,
            height,
            prev: tip.as_ref().map_or([0; 32], Header::block_id),
            time_ms: tip.as_ref().map_or(now_ms, |tip| now_ms.max(tip.time_ms)),
            proposer: validator.address(),
            tree_size: frontier.size(),
            tree_root: frontier.root(),
            body_digest: Header::digest_body(first, &leaves),
            validators: set.hash(),
            next_validators: set.hash(),
            registry_root: register.now().root(),
            evidence: [0; 32],
        };
        let vote = Certificate::vote_bytes(&inner.chain_id, height, 0, &header.block_id());
        let signature = inner.keys.validator.sign(&vote).map_err(Problem::internal)?;
        let certificate =
            Certificate { round: 0, votes: vec![Vote { address: validator.address(), signature }] };
        let keys = changed;
        inner.store.append(&NewBlock { header, certificate, frontier, nodes, packed, keys })?;
        *inner.register.write().unwrap_or_else(PoisonError::into_inner) = register;
        Ok(())
    }

    /// Records of an organisation under the platform's signature.
    fn pack(&self, (org, seq): (&str, u64), kid: &str, entries: &[&Waiting]) -> Result<Packed> {
        let leaves: Vec<_> = entries.iter().map(|entry| entry.leaf).collect();
        let unsigned = Submission {
            chain_id: self.0.chain_id,
            org: String::from(org),
            seq,
            count: u32::try_from(entries.len()).map_err(Problem::internal)?,
            root: merkle::root(&leaves),
            kid: String::from(kid),
            attested_by: AttestedBy::Platform,
            signature: [0; 64],
        };
        let submission =
            Submission::sign(unsigned, &self.0.keys.platform).map_err(Problem::internal)?;
        let records = entries.iter().map(|entry| entry.record.clone()).collect();
        Ok(Packed { submission, leaves, records })
    }

    fn note_latencies(&self, app: &App, queued_at: impl Iterator<Item = i64>) {
        const KEPT: usize = 2000;
        let now = app.now().as_millisecond();
        let mut latencies = self.0.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        latencies.extend(queued_at.map(|queued_at| now - queued_at));
        let surplus = latencies.len().saturating_sub(KEPT);
        latencies.drain(..surplus);
    }
}

impl Plan {
    /// The entries that it gives a place.
    fn entries(&self) -> impl Iterator<Item = &Waiting> {
        self.signed.iter().flat_map(|(_, records)| records).chain(&self.fresh)
    }
}

impl Packed {
    fn of(submission: Submission, records: &[Waiting]) -> Self {
        let leaves = records.iter().map(|entry| entry.leaf).collect();
        Self {
            submission,
            leaves,
            records: records.iter().map(|entry| entry.record.clone()).collect(),
        }
    }
}

/// Waits ten paces.
async fn tick_many(pace: &mut tokio::time::Interval) {
    for _ in 0..10 {
        pace.tick().await;
    }
}
