//! 企业自签 (D-6.3-1): submissions that organisations sign with their own keys. The signature is
//! checked where it comes in, beside others; number and key are judged where the block is made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Notify, oneshot};
use yj_crypto::{Signature, to_hex};
use yj_kernel::{App, Problem, Result};
use yj_proof::{AttestedBy, Hash, KeyUse, Registry, Submission, merkle};

use crate::{
    Ledger,
    store::Store,
    waiting::{self, BLOCK_MAX, Waiting},
};

/// Records of one signed submission at most.
pub const SIGNED_MAX: usize = 1_000;
/// Submissions that wait for the next block at most.
const OFFERS_MAX: usize = 20_000;

/// Records that an organisation has signed together.
#[derive(Debug, Clone)]
pub struct SignedRecords {
    /// Code of the 追溯主体.
    pub org: String,
    /// Which of its keys.
    pub kid: String,
    /// Number of its submission.
    pub seq: u64,
    /// The records, in the order in which they are signed.
    pub records: Vec<String>,
    /// Over the submission: see `docs/proof-format.md`.
    pub signature: Signature,
}

/// A submission whose signature holds, on its way into a block.
pub(crate) struct Offer {
    submission: Submission,
    records: Vec<Waiting>,
    reply: oneshot::Sender<Result<u64>>,
}

/// With so many submissions a block is worth its cost, and does not wait for its time.
const MANY: usize = 1_000;

/// What waits for the next block.
#[derive(Default)]
pub(crate) struct Offers {
    waiting: Mutex<Vec<Offer>>,
    many: Notify,
}

impl Offers {
    /// As many as one block takes, oldest first.
    pub(crate) fn take(&self) -> Vec<Offer> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut records, most) = (0, usize::try_from(BLOCK_MAX).unwrap_or(usize::MAX));
        let fits = |offer: &&Offer| {
            records += offer.records.len();
            records <= most
        };
        let count = waiting.iter().take_while(fits).count();
        let taken = waiting.drain(..count).collect();
        if waiting.len() >= MANY {
            self.many.notify_one();
        }
        taken
    }

    /// Returns as soon as [`MANY`] wait.
    pub(crate) async fn many(&self) {
        self.many.notified().await;
    }

    fn add(&self, offer: Offer) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < OFFERS_MAX {
            waiting.push(offer);
            if waiting.len() >= MANY {
                self.many.notify_one();
            }
            return;
        }
        drop(waiting);
        offer.answer(Err(Problem::Unavailable(String::from("等待上链的提交过多，请稍后重试"))));
    }
}

impl Offer {
    fn answer(self, answer: Result<u64>) {
        // Whoever asked may have gone.
        drop(self.reply.send(answer));
    }

    /// Answers with the block that holds it.
    pub(crate) fn answer_with(self, store: &Store) {
        let first = self.records.first().map_or("", |entry| &entry.record);
        let answer = store.place(first).and_then(|place| {
            let place = place.ok_or_else(|| Problem::internal("an accepted record has no place"));
            place.map(|place| place.height)
        });
        self.answer(answer);
    }
}

/// What the sequencer says of an offer.
enum Judged {
    Accepted,
    /// It is in a block already: the same offer, made again.
    Known,
    Refused(Problem),
}

impl Ledger {
    /// Takes signed submissions into the next block: for each the height of its block. What is
    /// refused can be offered again once it is mended; what is known already is answered as if it
    /// were new.
    pub async fn submit(&self, app: &App, batches: Vec<SignedRecords>) -> Result<Vec<Result<u64>>> {
        let names: BTreeSet<&str> =
            batches.iter().flat_map(|batch| &batch.records).map(String::as_str).collect();
        let names: Vec<_> = names.into_iter().collect();
        let known = waiting::named(app, &names).await?;
        let composed = batches.into_iter().map(|batch| self.compose(batch, &known)).collect();
        let answers = self.verified(composed).await?;
        self.ring();
        let mut heights = Vec::new();
        for answer in answers {
            heights.push(match answer {
                Err(problem) => Err(problem),
                Ok(waiting) => waiting.await.unwrap_or_else(|_| {
                    let detail = "存证暂不可用，本次提交未被接受，请稍后以同一序号重试";
                    Err(Problem::Unavailable(String::from(detail)))
                }),
            });
        }
        Ok(heights)
    }

    /// Number of an organisation's next submission.
    pub fn next_seq(&self, org: &str) -> Result<u64> {
        Ok(self.0.store.last_seq(org)? + 1)
    }

    /// The submission as its organisation must have signed it.
    fn compose(
        &self,
        batch: SignedRecords,
        known: &BTreeMap<String, Waiting>,
    ) -> Result<(Submission, Vec<Waiting>)> {
        let SignedRecords { org, kid, seq, records, signature } = batch;
        if !(1..=SIGNED_MAX).contains(&records.len()) {
            let detail = format!("每次提交应含 1 至 {SIGNED_MAX} 条记录");
            return Err(Problem::invalid("records", detail));
        }
        let mut distinct = BTreeSet::new();
        let mut entries = Vec::with_capacity(records.len());
        for record in &records {
            let entry = known.get(record).filter(|entry| entry.org == org);
            let entry = entry.filter(|_| distinct.insert(record));
            entries.push(entry.cloned().ok_or_else(|| {
                let detail = format!("记录 {record} 不是该主体待签名的记录，或重复出现");
                Problem::invalid("records", detail)
            })?);
        }
        let leaves: Vec<Hash> = entries.iter().map(|entry| entry.leaf).collect();
        let submission = Submission {
            chain_id: self.0.chain_id,
            org,
            seq,
            count: u32::try_from(entries.len()).map_err(Problem::internal)?,
            root: merkle::root(&leaves),
            kid,
            attested_by: AttestedBy::Enterprise,
            signature,
        };
        Ok((submission, entries))
    }

    /// Checks the signatures on all processors and hands on those that hold.
    async fn verified(
        &self,
        composed: Vec<Result<(Submission, Vec<Waiting>)>>,
    ) -> Result<Vec<Result<oneshot::Receiver<Result<u64>>>>> {
        let registry = self.register(|register| register.now().clone());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = composed.len().div_ceil(threads).max(1);
        let (mut tasks, mut rest) = (Vec::new(), composed.into_iter().peekable());
        while rest.peek().is_some() {
            let part: Vec<_> = rest.by_ref().take(share).collect();
            let registry = registry.clone();
            tasks.push(tokio::task::spawn_blocking(move || {
                let check = |made: Result<(Submission, _)>| {
                    made.and_then(|(submission, entries)| {
                        vouched(&submission, &registry).map(|()| (submission, entries))
                    })
                };
                part.into_iter().map(check).collect::<Vec<_>>()
            }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            for checked in task.await.map_err(Problem::internal)? {
                answers.push(checked.map(|(submission, records)| {
                    let (reply, answer) = oneshot::channel();
                    self.0.offers.add(Offer { submission, records, reply });
                    answer
                }));
            }
        }
        Ok(answers)
    }

    /// Judges what is offered for a block under the register that will stand with it. What is
    /// refused is answered; what stays in `offers` is answered after the block.
    pub(crate) fn judge(
        &self,
        offers: &mut Vec<Offer>,
        registry: &Registry,
    ) -> Result<Vec<(Submission, Vec<Waiting>)>> {
        offers.sort_by(|left, right| {
            let order = |offer: &Offer| (offer.submission.org.clone(), offer.submission.seq);
            order(left).cmp(&order(right))
        });
        let (mut accepted, mut kept) = (Vec::new(), Vec::new());
        let (mut last, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for offer in std::mem::take(offers) {
            let org = &offer.submission.org;
            let last_seq = match last.get(org) {
                Some(seq) => *seq,
                None => self.0.store.last_seq(org)?,
            };
            match self.judge_one(&offer, last_seq, &taken, registry)? {
                Judged::Refused(problem) => offer.answer(Err(problem)),
                Judged::Known => kept.push(offer),
                Judged::Accepted => {
                    last.insert(org.clone(), offer.submission.seq);
                    taken.extend(offer.records.iter().map(|entry| entry.id));
                    accepted.push((offer.submission.clone(), offer.records.clone()));
                    kept.push(offer);
                }
            }
        }
        *offers = kept;
        Ok(accepted)
    }

    fn judge_one(
        &self,
        offer: &Offer,
        last_seq: u64,
        taken: &BTreeSet<i64>,
        registry: &Registry,
    ) -> Result<Judged> {
        let Offer { submission, records, .. } = offer;
        for entry in records {
            if let Some(place) = self.0.store.place(&entry.record)? {
                let (known, _) = self.0.store.submission(place.log_index)?;
                if known.signed_bytes() == submission.signed_bytes() {
                    return Ok(Judged::Known);
                }
                let detail = format!("记录 {} 已在区块 {} 中存证", entry.record, place.height);
                return Ok(Judged::Refused(Problem::Conflict(detail)));
            }
            if taken.contains(&entry.id) {
                let detail = format!("记录 {} 在另一次提交中", entry.record);
                return Ok(Judged::Refused(Problem::Conflict(detail)));
            }
        }
        if submission.seq != last_seq + 1 {
            let detail = format!("序号应为 {}，请取最新序号后重新签名", last_seq + 1);
            return Ok(Judged::Refused(Problem::Conflict(detail)));
        }
        let counts = registry
            .get(&submission.org, &submission.kid)
            .is_some_and(|entry| entry.revoked_at == u64::MAX);
        Ok(if counts { Judged::Accepted } else { Judged::Refused(unregistered(&submission.kid)) })
    }
}

fn unregistered(kid: &str) -> Problem {
    Problem::invalid("kid", format!("密钥 {kid} 未登记或已吊销，不能用于存证签名"))
}

/// Whether the key named has signed.
fn vouched(submission: &Submission, registry: &Registry) -> Result<()> {
    let entry = registry.get(&submission.org, &submission.kid);
    let entry =
        entry.filter(|entry| entry.usage == KeyUse::Submission && entry.revoked_at == u64::MAX);
    let entry = entry.ok_or_else(|| unregistered(&submission.kid))?;
    if submission.is_signed_by(&entry.key) {
        return Ok(());
    }
    let detail = format!(
        "SM2 签名与提交不符：序号 {}、{} 条记录、树根 {}",
        submission.seq,
        submission.count,
        to_hex(&submission.root)
    );
    Err(Problem::invalid("signature", detail))
}
