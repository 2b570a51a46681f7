//! From the queue to blocks, and from blocks to proofs.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::watch;
use yj_crypto::{Signer as _, to_hex};
use yj_kernel::{App, Ctx, Problem, Result, Row, Sql, Tx, time_text};
use yj_proof::{
    AttestedBy, Bundle, Certificate, Envelope, Genesis, Hash, Header, KeyEntry, KeyUse, LogPath,
    Record, RecordPath, Registry, RegistryPath, Submission, Validator, ValidatorSet, Vote, merkle,
};

use crate::{
    Keys,
    store::{Block, Packed, Store},
};

/// Records of one block.
const BLOCK_MAX: i64 = 5_000;
/// After the first waiting record a block is made at the latest this long later.
const PACE: Duration = Duration::from_millis(200);
/// Name of the platform's own key.
const PLATFORM_KID: &str = "platform-1";

/// The ledger of this platform.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    store: Store,
    keys: Keys,
    genesis: Genesis,
    chain_id: Hash,
    registry: Registry,
    key_entry: KeyEntry,
    /// One block at a time.
    turn: tokio::sync::Mutex<()>,
    /// Milliseconds from queueing to confirmation, of late.
    latencies: Mutex<Vec<i64>>,
    bell: watch::Sender<u64>,
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
        let key_entry = KeyEntry {
            org: String::from("platform"),
            kid: String::from(PLATFORM_KID),
            key: keys.platform.public_key().clone(),
            usage: KeyUse::Platform,
            valid_from: 1,
            revoked_at: u64::MAX,
            certificate: [0; 32],
        };
        let mut registry = Registry::default();
        registry.put(key_entry.clone());
        Ok(Self(Arc::new(Inner {
            chain_id: genesis.chain_id(),
            store,
            keys,
            genesis,
            registry,
            key_entry,
            turn: tokio::sync::Mutex::default(),
            latencies: Mutex::default(),
            bell: watch::Sender::new(0),
        })))
    }

    /// Bytes of the beginning of the chain, and its name.
    pub fn genesis(&self) -> (Vec<u8>, Hash) {
        (self.0.genesis.to_bytes(), self.0.chain_id)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Whether the validators of its height have signed this block.
    pub(crate) fn is_committed(&self, block: &Block) -> bool {
        block.certificate.commits(&block.header, &self.0.genesis.validators)
    }

    /// Whether a submission is signed by a key that was valid at this height.
    pub(crate) fn is_signed(&self, submission: &Submission, _height: u64) -> bool {
        submission.kid == self.0.key_entry.kid && submission.is_signed_by(&self.0.key_entry.key)
    }

    /// Name of the platform's key.
    pub(crate) fn platform_kid(&self) -> &'static str {
        PLATFORM_KID
    }

    /// Signs in the platform's name: the key, and the signature.
    pub(crate) fn sign_as_platform(
        &self,
        message: &[u8],
    ) -> Result<(yj_crypto::PublicKey, yj_crypto::Signature)> {
        let signature = self.0.keys.platform.sign(message).map_err(Problem::internal)?;
        Ok((self.0.keys.platform.public_key().clone(), signature))
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
            }
        }
    }

    /// Makes blocks until nothing waits; returns how many records found their place.
    pub async fn drain(&self, app: &App) -> Result<usize> {
        let mut total = 0;
        loop {
            match self.make_block(app).await? {
                0 => return Ok(total),
                count => total += count,
            }
        }
    }

    /// One block of what waits now; returns how many records it settled.
    pub async fn make_block(&self, app: &App) -> Result<usize> {
        let _turn = self.0.turn.lock().await;
        let waiting = waiting(app).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        if !app.clock_is_sound() {
            let detail = "本机时钟偏差过大，暂停签名上链；校时后自动继续";
            return Err(Problem::Unavailable(String::from(detail)));
        }
        let mut fresh = Vec::new();
        let mut settled = BTreeMap::new();
        for entry in &waiting {
            // Anchored before a crash, but not yet marked: the store is the truth.
            match self.0.store.place(&entry.record)? {
                Some(place) => drop(settled.insert(entry.id, place.height)),
                None => fresh.push(entry),
            }
        }
        if !fresh.is_empty() {
            mark_packed(app, &fresh).await?;
            let height = self.append(app, &fresh)?;
            settled.extend(fresh.iter().map(|entry| (entry.id, height)));
        }
        mark_confirmed(app, &settled).await?;
        self.note_latencies(app, &waiting);
        Ok(settled.len())
    }

    /// Packs entries by organisation, signs, and writes the block durably.
    fn append(&self, app: &App, entries: &[&Waiting]) -> Result<u64> {
        let inner = &*self.0;
        let mut by_org: BTreeMap<&str, Vec<&Waiting>> = BTreeMap::new();
        for entry in entries {
            by_org.entry(&entry.org).or_default().push(entry);
        }
        let mut packed = Vec::new();
        for (org, entries) in by_org {
            packed.push(self.pack(org, &entries)?);
        }
        let (mut frontier, mut nodes) = (inner.store.frontier()?, Vec::new());
        let first = frontier.size();
        let leaves: Vec<Hash> =
            packed.iter().map(|packed| merkle::leaf(&packed.submission.to_bytes())).collect();
        for leaf in &leaves {
            frontier.append(*leaf, |level, index, hash| nodes.push((level, index, *hash)));
        }
        let tip = inner.store.tip()?.map(|block| block.header);
        let now_ms = u64::try_from(app.now().as_millisecond()).unwrap_or(0);
        let set = &inner.genesis.validators;
        let validator = Validator { key: inner.keys.validator.public_key().clone(), power: 1 };
        let header = Header {
            chain_id: inner.chain_id,
            height: tip.as_ref().map_or(1, |tip| tip.height + 1),
            prev: tip.as_ref().map_or([0; 32], Header::block_id),
            time_ms: tip.as_ref().map_or(now_ms, |tip| now_ms.max(tip.time_ms)),
            proposer: validator.address(),
            tree_size: frontier.size(),
            tree_root: frontier.root(),
            body_digest: Header::digest_body(first, &leaves),
            validators: set.hash(),
            next_validators: set.hash(),
            registry_root: inner.registry.root(),
            evidence: [0; 32],
        };
        let vote = Certificate::vote_bytes(&inner.chain_id, header.height, 0, &header.block_id());
        let signature = inner.keys.validator.sign(&vote).map_err(Problem::internal)?;
        let certificate =
            Certificate { round: 0, votes: vec![Vote { address: validator.address(), signature }] };
        inner.store.append((&header, &certificate), (&frontier, &nodes), &packed)?;
        Ok(header.height)
    }

    fn pack(&self, org: &str, entries: &[&Waiting]) -> Result<Packed> {
        let leaves = entries.iter().map(|entry| entry.leaf()).collect::<Result<Vec<_>>>()?;
        let unsigned = Submission {
            chain_id: self.0.chain_id,
            org: String::from(org),
            seq: self.0.store.last_seq(org)? + 1,
            count: u32::try_from(entries.len()).map_err(Problem::internal)?,
            root: merkle::root(&leaves),
            kid: String::from(PLATFORM_KID),
            attested_by: AttestedBy::Platform,
            signature: [0; 64],
        };
        let submission =
            Submission::sign(unsigned, &self.0.keys.platform).map_err(Problem::internal)?;
        let records = entries.iter().map(|entry| entry.record.clone()).collect();
        Ok(Packed { submission, leaves, records })
    }

    fn note_latencies(&self, app: &App, waiting: &[Waiting]) {
        const KEPT: usize = 2000;
        let now = app.now().as_millisecond();
        let mut latencies = self.0.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        latencies.extend(waiting.iter().map(|entry| now - entry.queued_at));
        let surplus = latencies.len().saturating_sub(KEPT);
        latencies.drain(..surplus);
    }

    /// The proof file of a record; a problem while it is not yet confirmed.
    pub async fn proof(&self, tx: &mut Tx, record: &str) -> Result<Vec<u8>> {
        self.bundle(tx, record).await?.to_bytes().map_err(Problem::internal)
    }

    /// The same for eyes that may see only some fields: those for which `shown` says so, given
    /// their JSON pointer and value.
    pub async fn partial_proof(
        &self,
        tx: &mut Tx,
        record: &str,
        shown: impl Fn(&str, &Value) -> bool,
    ) -> Result<Vec<u8>> {
        let partial = self.bundle(tx, record).await?.disclosing(shown);
        let partial = partial.ok_or_else(|| Problem::internal("a record without fields"))?;
        partial.to_bytes().map_err(Problem::internal)
    }

    async fn bundle(&self, tx: &mut Tx, record: &str) -> Result<Bundle> {
        let (envelope, salt) = stored(tx, record).await?;
        let inner = &*self.0;
        let place = inner.store.place(record)?.ok_or_else(|| {
            Problem::Conflict(String::from("记录尚未上链，证明稍后可取（通常不超过 1 秒）"))
        })?;
        let block = inner
            .store
            .block(place.height)?
            .ok_or_else(|| Problem::internal("a block is missing"))?;
        let (submission, leaves) = inner.store.submission(place.log_index)?;
        let path = inner.registry.path(&inner.key_entry.org, &inner.key_entry.kid);
        let (index, size, path) =
            path.ok_or_else(|| Problem::internal("the platform key is not registered"))?;
        Ok(Bundle {
            content: Record::Whole { envelope, salt },
            record: RecordPath {
                index: u64::from(place.position),
                path: merkle::inclusion_path_of(&leaves, u64::from(place.position)),
            },
            submission,
            key: inner.key_entry.clone(),
            registry: RegistryPath { index, size, path },
            log: LogPath {
                index: place.log_index,
                path: inner.store.log_path(place.log_index, block.header.tree_size)?,
            },
            header: block.header,
            certificate: block.certificate,
            validators: inner.genesis.validators.clone(),
            genesis: inner.genesis.clone(),
        })
    }

    /// Chain health (D-7.3.1-1).
    pub(crate) async fn status(&self, ctx: &Ctx) -> Result<Value> {
        let mut tx = ctx.snapshot().await?;
        let sql = Sql::new(
            "SELECT state, COUNT(*) FROM anchor_entry WHERE state <> 'confirmed' GROUP BY state",
        );
        let mut open = BTreeMap::new();
        for row in tx.fetch(sql).await? {
            open.insert(String::from(row.text(0)?), row.int(1)?);
        }
        let tip = self.0.store.tip()?.map(|block| block.header);
        let (p50, p99) = self.percentiles();
        let waiting = |state: &str| open.get(state).copied().unwrap_or(0);
        let time = |header: &Header| time_text(i64::try_from(header.time_ms).unwrap_or(i64::MAX));
        Ok(json!({
            "chain_id": to_hex(&self.0.chain_id),
            "genesis_fingerprint": to_hex(&self.0.chain_id),
            "organization": self.0.genesis.name,
            "height": tip.as_ref().map_or(0, |tip| tip.height),
            "tree_size": tip.as_ref().map_or(0, |tip| tip.tree_size),
            "tree_root": tip.as_ref().map(|tip| to_hex(&tip.tree_root)),
            "latest_block_at": tip.as_ref().map(time).transpose()?,
            "pending": waiting("pending"), "packed": waiting("packed"),
            "confirmed": self.0.store.record_count()?,
            "latency_ms_p50": p50, "latency_ms_p99": p99,
        }))
    }

    fn percentiles(&self) -> (Option<i64>, Option<i64>) {
        let mut sorted = self.0.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
        };
        (at(50), at(99))
    }

    pub(crate) fn blocks(&self, before: u64, count: usize) -> Result<Vec<Value>> {
        self.0.store.blocks(before, count)?.iter().map(|block| self.describe(block)).collect()
    }

    fn describe(&self, block: &Block) -> Result<Value> {
        let Header { height, tree_size, time_ms, .. } = block.header;
        let first = match height {
            1 => 0,
            _ => self.0.store.block(height - 1)?.map_or(0, |previous| previous.header.tree_size),
        };
        let submissions = self.0.store.submissions(first, tree_size)?;
        let records: u64 = submissions.iter().map(|submission| u64::from(submission.count)).sum();
        Ok(json!({
            "height": height, "block_id": to_hex(&block.header.block_id()),
            "time": time_text(i64::try_from(time_ms).unwrap_or(i64::MAX))?,
            "submissions": submissions.len(), "records": records, "tree_size": tree_size,
            "tree_root": to_hex(&block.header.tree_root),
        }))
    }

    pub(crate) fn block(&self, height: u64) -> Result<Value> {
        let block = self.0.store.block(height)?.ok_or(Problem::NotFound("区块"))?;
        let mut answer = self.describe(&block)?;
        let first = block.header.tree_size - answer["submissions"].as_u64().unwrap_or(0);
        let submissions = self.0.store.submissions(first, block.header.tree_size)?;
        let item = |submission: &Submission| {
            json!({
                "org": submission.org, "seq": submission.seq, "count": submission.count,
                "kid": submission.kid, "root": to_hex(&submission.root),
                "attested_by": if submission.attested_by == AttestedBy::Platform { "platform" } else { "enterprise" },
            })
        };
        answer["prev"] = to_hex(&block.header.prev).into();
        answer["contents"] = submissions.iter().take(200).map(item).collect();
        answer["header"] = to_hex(&block.header.to_bytes()).into();
        answer["certificate"] = json!({
            "round": block.certificate.round,
            "votes": block.certificate.votes.iter().map(|vote| to_hex(&vote.address)).collect::<Vec<_>>(),
            "valid": block.certificate.commits(&block.header, &self.0.genesis.validators),
        });
        Ok(answer)
    }

    /// Walks the whole chain: every header, certificate, submission and root. Returns the height.
    pub fn verify_chain(&self) -> Result<u64> {
        let (mut prev, mut frontier, mut height) = ([0; 32], merkle::Frontier::default(), 0);
        while let Some(block) = self.0.store.block(height + 1)? {
            let header = &block.header;
            let first = frontier.size();
            let submissions = self.0.store.submissions(first, header.tree_size)?;
            let leaves: Vec<_> =
                submissions.iter().map(|submission| merkle::leaf(&submission.to_bytes())).collect();
            leaves.iter().for_each(|leaf| frontier.append(*leaf, |_, _, _| {}));
            let sound = header.prev == prev
                && (header.tree_size, header.tree_root) == (frontier.size(), frontier.root())
                && header.body_digest == Header::digest_body(first, &leaves)
                && submissions
                    .iter()
                    .all(|submission| submission.is_signed_by(&self.0.key_entry.key))
                && block.certificate.commits(header, &self.0.genesis.validators);
            if !sound {
                return Err(Problem::internal(format!("block {} does not verify", header.height)));
            }
            (prev, height) = (header.block_id(), header.height);
        }
        Ok(height)
    }
}

/// Waits ten paces.
async fn tick_many(pace: &mut tokio::time::Interval) {
    for _ in 0..10 {
        pace.tick().await;
    }
}

/// A queued record.
struct Waiting {
    id: i64,
    record: String,
    org: String,
    envelope: String,
    salt: [u8; 16],
    queued_at: i64,
}

impl Waiting {
    fn leaf(&self) -> Result<Hash> {
        let envelope =
            Envelope::read(serde_json::from_str(&self.envelope).map_err(Problem::internal)?);
        let entry = envelope.and_then(|envelope| envelope.entry(&self.salt));
        Ok(merkle::leaf(&entry.map_err(Problem::internal)?))
    }
}

async fn waiting(app: &App) -> Result<Vec<Waiting>> {
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT id, record, org, envelope, salt, queued_at FROM anchor_entry \
         WHERE state <> 'confirmed' ORDER BY id LIMIT $1",
    );
    let read = |row: &Row| {
        Ok(Waiting {
            id: row.int(0)?,
            record: String::from(row.text(1)?),
            org: String::from(row.text(2)?),
            envelope: String::from(row.text(3)?),
            salt: row.blob(4)?.try_into().map_err(Problem::internal)?,
            queued_at: row.int(5)?,
        })
    };
    tx.fetch(sql.arg(BLOCK_MAX)).await?.iter().map(read).collect()
}

async fn mark_packed(app: &App, entries: &[&Waiting]) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let mut sql =
        Sql::new("UPDATE anchor_entry SET state = 'packed' WHERE state = 'pending' AND id ");
    sql.bind_ints(entries.iter().map(|entry| entry.id));
    tx.execute(sql).await?;
    tx.commit().await
}

async fn mark_confirmed(app: &App, settled: &BTreeMap<i64, u64>) -> Result<()> {
    let mut by_height: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    for (id, height) in settled {
        by_height.entry(*height).or_default().push(*id);
    }
    let now = app.now().as_millisecond();
    let mut tx = app.db().begin().await?;
    for (height, ids) in by_height {
        let mut sql = Sql::new("UPDATE anchor_entry SET state = 'confirmed', height = ");
        sql.bind(i64::try_from(height).map_err(Problem::internal)?)
            .push(", confirmed_at = ")
            .bind(now);
        sql.push(" WHERE id ").bind_ints(ids);
        tx.execute(sql).await?;
    }
    tx.commit().await
}

async fn stored(tx: &mut Tx, record: &str) -> Result<(Envelope, [u8; 16])> {
    let sql = Sql::new("SELECT envelope, salt FROM anchor_entry WHERE record = $1");
    let row = tx.fetch_one(sql.arg(record)).await?.ok_or(Problem::NotFound("存证"))?;
    if row.text(0)?.is_empty()
        && let Some(gone) = crate::tamper::erased(tx, record).await?
    {
        return Err(gone);
    }
    let envelope = Envelope::read(row.json(0)?).map_err(Problem::internal)?;
    Ok((envelope, row.blob(1)?.try_into().map_err(Problem::internal)?))
}
