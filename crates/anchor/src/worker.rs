//! Anchors again and again: queues the newest checkpoint when its time has come, sends it, watches
//! it until it is deep enough, and has the ledger keep what it found. Business never waits for it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_kernel::{App, Ctx, Problem, Result, Tx, audit};
use yj_ledger::Ledger;
use yj_proof::AnchorStatement;

use crate::{
    Chain, Mark, Place, Status, Trouble,
    outbox::{self, Entry, State, Where},
};

/// How often it is looked whether there is something to do.
const PACE: Duration = Duration::from_secs(3);
/// How long a node works on an entry before others may take it: longer than a few calls take.
const CLAIM_MS: i64 = 120_000;
/// How often the network is asked about what was sent.
const LOOK_MS: i64 = 10_000;
/// The pause after the first failure; it doubles with each further one up to the longest.
const PAUSE_MS: i64 = 15_000;
const PAUSE_MAX_MS: i64 = 3_600_000;
/// What the network has not taken up for this long is offered at a better price.
const PATIENCE_MS: i64 = 600_000;
/// How long and how often it is looked whether the network still holds what was confirmed.
const WATCH_MS: i64 = 24 * 3_600_000;
const WATCH_EVERY_MS: i64 = 60_000;

/// When to anchor, and when to believe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Blocks from which on an anchor counts as standing, its own included; at least 1.
    pub confirmations: u64,
    /// Minutes between two anchors; at least 1.
    pub every_minutes: u32,
    /// Blocks of our own ledger after which one is made even earlier; 0 for no such number.
    pub every_blocks: u64,
}

struct Setup {
    chain: Arc<dyn Chain>,
    plan: Plan,
}

#[derive(Default)]
struct Inner {
    setup: OnceLock<Setup>,
    bell: watch::Sender<u64>,
    watched_at: AtomicI64,
}

/// 外部锚定 of this platform: off until it is set up.
#[derive(Clone, Default)]
pub struct Anchoring(Arc<Inner>);

impl Anchoring {
    /// Sets up the network to anchor on; the first call counts.
    pub fn set_up(&self, chain: Arc<dyn Chain>, plan: Plan) {
        drop(self.0.setup.set(Setup { chain, plan }));
    }

    fn setup(&self) -> Option<&Setup> {
        self.0.setup.get()
    }

    /// What is configured, for eyes.
    pub(crate) fn describe(&self) -> Value {
        let Some(Setup { chain, plan }) = self.setup() else {
            return json!({ "configured": false });
        };
        json!({
            "configured": true, "network": chain.network(), "contract": chain.contract(),
            "account": chain.account(), "confirmations": plan.confirmations,
            "every_minutes": plan.every_minutes, "every_blocks": plan.every_blocks,
        })
    }

    /// Works until `stop` says so; at once over where nothing is set up.
    pub async fn run(self, app: App, ledger: Ledger, mut stop: watch::Receiver<bool>) {
        if self.setup().is_none() {
            return;
        }
        let mut bell = self.0.bell.subscribe();
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = bell.changed() => {}
                _ = pace.tick() => {}
            }
            if let Err(problem) = self.turn(&app, &ledger).await {
                problem.log();
            }
        }
    }

    /// Everything whose time has come, once.
    pub async fn turn(&self, app: &App, ledger: &Ledger) -> Result<()> {
        let Some(setup) = self.setup() else { return Ok(()) };
        let work = Work { setup, ledger, ctx: app.on_own_behalf("anchor") };
        work.queue_if_due().await?;
        work.step().await?;
        let now = work.ctx.now_ms();
        let before = self.0.watched_at.load(Ordering::Relaxed);
        if now - before >= WATCH_EVERY_MS || now < before {
            self.0.watched_at.store(now, Ordering::Relaxed);
            work.look_back().await?;
        }
        Ok(())
    }

    /// Queues the newest checkpoint now.
    pub(crate) async fn ask(&self, ctx: &Ctx, ledger: &Ledger) -> Result<String> {
        let conflict = |detail: &str| Err(Problem::Conflict(String::from(detail)));
        let Some(setup) = self.setup() else {
            return conflict("没有配置外部锚定：请在配置文件的 [anchor] 中填写网络与合约");
        };
        let Some(mark) = newest(ledger)? else {
            return conflict("存证链还没有区块，暂无可锚定的检查点");
        };
        let place = outbox::place_of(&*setup.chain, mark.origin);
        let mut tx = ctx.begin().await?;
        if let Some(done) = place.anchored(&mut tx).await?
            && done.mark.size >= mark.size
        {
            return conflict("最新的检查点已经锚定");
        }
        let queued = place.queue(ctx, &mut tx, (&mark, &setup.chain.account())).await?;
        let Some(id) = queued else {
            return conflict("上一次锚定还没有结束，请待其确认或失败后再试");
        };
        let body = json!({ "network": place.network, "tree_size": mark.size });
        note(ctx, &mut tx, ("requested", &id), body);
        tx.commit().await?;
        self.0.bell.send_modify(|count| *count += 1);
        Ok(id)
    }
}

fn newest(ledger: &Ledger) -> Result<Option<Mark>> {
    let (_, origin) = ledger.genesis();
    let mark = ledger.checkpoint()?.map(|checkpoint| Mark {
        origin,
        size: checkpoint.size,
        root: checkpoint.root,
        height: checkpoint.height,
        block_id: checkpoint.block_id,
    });
    Ok(mark.filter(|mark| mark.size > 0))
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: Value) {
    audit::write(ctx, tx, audit::Entry { action, entity: "ledger_anchor", record, body });
}

/// One turn of the worker.
struct Work<'a> {
    setup: &'a Setup,
    ledger: &'a Ledger,
    ctx: Ctx,
}

impl Work<'_> {
    fn place(&self) -> Where {
        let (_, origin) = self.ledger.genesis();
        outbox::place_of(&*self.setup.chain, origin)
    }

    /// Asks the network where waiting is allowed.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Chain) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<Result<T, Trouble>> {
        let chain = Arc::clone(&self.setup.chain);
        let asked = tokio::task::spawn_blocking(move || question(&*chain));
        asked.await.map_err(Problem::internal)
    }

    async fn queue_if_due(&self) -> Result<()> {
        let Some(mark) = newest(self.ledger)? else { return Ok(()) };
        let (place, plan) = (self.place(), self.setup.plan);
        let mut tx = self.ctx.snapshot().await?;
        let done = place.anchored(&mut tx).await?.map_or(0, |entry| entry.mark.size);
        let (busy, last) = (place.open(&mut tx).await?.is_some(), place.last(&mut tx).await?);
        drop(tx);
        let due = is_due(plan, last.as_ref(), (&mark, self.ctx.now_ms()));
        if busy || mark.size <= done || !due {
            return Ok(());
        }
        let mut tx = self.ctx.begin().await?;
        place.abandon_others(&mut tx).await?;
        place.queue(&self.ctx, &mut tx, (&mark, &self.setup.chain.account())).await?;
        tx.commit().await
    }

    /// The next step of what is open, if its time has come.
    async fn step(&self) -> Result<()> {
        let now = self.ctx.now_ms();
        let mut tx = self.ctx.snapshot().await?;
        let Some(mut entry) =
            self.place().open(&mut tx).await?.filter(|entry| entry.next_at <= now)
        else {
            return Ok(());
        };
        drop(tx);
        let mut tx = self.ctx.begin().await?;
        let claimed = now + CLAIM_MS;
        if !outbox::claim(&mut tx, &mut entry, claimed).await? {
            return Ok(());
        }
        tx.commit().await?;
        let before = entry.clone();
        match entry.offer.clone().filter(|_| entry.state == State::Sent) {
            None => self.submit(&mut entry, claimed).await?,
            Some(offer) => match self.ask(move |chain| chain.status(&offer)).await? {
                Ok(status) => self.follow(&mut entry, status, claimed).await?,
                Err(trouble) => self.put_off(&mut entry, &trouble),
            },
        }
        self.keep(&before, &entry, claimed).await
    }

    /// Prepares, remembers, sends: in this order, so that after a crash the very same transaction
    /// is looked for and sent again.
    async fn submit(&self, entry: &mut Entry, claimed: i64) -> Result<()> {
        let (mark, before) = (entry.mark.clone(), entry.offer.clone());
        let prepared = self.ask(move |chain| chain.prepare(&mark, before.as_ref())).await?;
        let offer = match prepared {
            Ok(offer) => offer,
            Err(trouble) => {
                self.put_off(entry, &trouble);
                return Ok(());
            }
        };
        let now = self.ctx.now_ms();
        (entry.state, entry.offer, entry.sent_at) = (State::Sent, Some(offer.clone()), Some(now));
        (entry.place, entry.depth) = (None, None);
        let mut tx = self.ctx.begin().await?;
        if !outbox::save(&mut tx, entry, claimed).await? {
            return Ok(());
        }
        tx.commit().await?;
        self.send(entry).await
    }

    async fn send(&self, entry: &mut Entry) -> Result<()> {
        let Some(offer) = entry.offer.clone() else { return Ok(()) };
        match self.ask(move |chain| chain.send(&offer)).await? {
            Ok(()) => {
                entry.next_at = self.ctx.now_ms() + LOOK_MS;
                entry.error = None;
            }
            Err(trouble) => self.put_off(entry, &trouble),
        }
        Ok(())
    }

    /// Acts on what became of a transaction.
    async fn follow(&self, entry: &mut Entry, status: Status, claimed: i64) -> Result<()> {
        let now = self.ctx.now_ms();
        entry.next_at = now + LOOK_MS;
        match status {
            Status::Pending if now - entry.sent_at.unwrap_or(now) >= PATIENCE_MS => {
                return self.submit(entry, claimed).await;
            }
            Status::Pending => (entry.place, entry.depth) = (None, None),
            Status::Gone => {
                entry.attempts += 1;
                let reorganised = entry.place.take().is_some();
                self.send(entry).await?;
                if entry.error.is_none() {
                    let said = if reorganised {
                        "网络发生了区块重组，交易不再在其中，已重新发送"
                    } else {
                        "交易没有留在网络中，已重新发送"
                    };
                    entry.error = Some(String::from(said));
                }
                entry.depth = None;
            }
            Status::Replaced => {
                entry.attempts += 1;
                (entry.state, entry.offer, entry.sent_at) = (State::Waiting, None, None);
                (entry.place, entry.depth, entry.next_at) = (None, None, now);
                let said = "账户的这个交易序号已被另一笔交易使用，将重新提交";
                entry.error = Some(String::from(said));
            }
            Status::Reverted(place) => {
                let said = format!("合约拒绝了交易（区块 {}）", place.number);
                (entry.state, entry.error) = (State::Failed, Some(said));
                entry.place = Some(place);
            }
            Status::Included(place, depth) => {
                let moved = entry.place.as_ref().is_some_and(|known| *known != place);
                entry.error = moved.then(|| String::from("网络发生了区块重组，重新等待确认"));
                (entry.place, entry.depth) = (Some(place.clone()), Some(depth));
                if depth >= self.setup.plan.confirmations {
                    self.settle(entry, place).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads back what the network holds, and has the ledger keep it.
    async fn settle(&self, entry: &mut Entry, place: Place) -> Result<()> {
        let mark = entry.mark.clone();
        let held = self.ask(move |chain| chain.read(&mark.origin, mark.size)).await?;
        match held {
            Err(trouble) => self.put_off(entry, &trouble),
            Ok(Some(root)) if root == entry.mark.root => {
                self.state(entry, place)?;
                (entry.state, entry.error) = (State::Confirmed, None);
                entry.confirmed_at = Some(self.ctx.now_ms());
            }
            Ok(found) => {
                let found =
                    found.map_or_else(|| String::from("空"), |root| yj_crypto::to_hex(&root));
                self.put_off(entry, &Trouble::OtherRoot { size: entry.mark.size, found });
            }
        }
        Ok(())
    }

    fn state(&self, entry: &Entry, place: Place) -> Result<()> {
        let (chain, mark) = (&self.setup.chain, &entry.mark);
        let statement = self.ledger.sign_anchor(AnchorStatement {
            chain_id: mark.origin,
            size: mark.size,
            root: mark.root,
            height: mark.height,
            block_id: mark.block_id,
            network: chain.network(),
            contract: chain.contract(),
            transaction: entry.offer.as_ref().map(|offer| offer.tx.clone()).unwrap_or_default(),
            block_number: place.number,
            block_hash: place.hash,
            validator: [0; 32],
            signature: [0; 64],
        })?;
        self.ledger.keep_anchor(&statement)
    }

    /// Later, or never: what waiting cannot mend has failed.
    fn put_off(&self, entry: &mut Entry, trouble: &Trouble) {
        entry.attempts += 1;
        entry.error = Some(trouble.to_string());
        if matches!(trouble, Trouble::OtherRoot { .. } | Trouble::Outrun(_)) {
            entry.state = State::Failed;
        }
        entry.next_at = self.ctx.now_ms() + pause_ms(entry.attempts);
        if let Trouble::OtherRoot { .. } = trouble {
            tracing::error!(anchor = entry.id, %trouble, "the network holds another root");
        }
    }

    /// Writes back, with an entry of the audit trail where the state changed, and an alarm where
    /// the network holds another history.
    async fn keep(&self, before: &Entry, entry: &Entry, claimed: i64) -> Result<()> {
        let mut tx = self.ctx.begin().await?;
        if !outbox::save(&mut tx, entry, claimed).await? {
            return Ok(());
        }
        if before.state != entry.state {
            let body = json!({
                "state": [before.state.code(), entry.state.code()], "tree_size": entry.mark.size,
                "tx": entry.offer.as_ref().map(|offer| &offer.tx), "error": entry.error,
            });
            note(&self.ctx, &mut tx, ("changed", &entry.id), body);
        }
        tx.commit().await?;
        if entry.state == State::Failed {
            let app = self.ctx.app();
            let said = entry.error.as_deref().unwrap_or_default();
            yj_identity::alarm_of_anchor(app, &self.place().network, said).await;
        }
        Ok(())
    }

    /// Whether the network still holds what it had confirmed of late; what it does not is under way
    /// again, one at a time, shortest log first, as the contract wants it.
    async fn look_back(&self) -> Result<()> {
        let (place, now) = (self.place(), self.ctx.now_ms());
        let mut tx = self.ctx.snapshot().await?;
        let confirmed = place.confirmed_since(&mut tx, now - WATCH_MS).await?;
        let busy = place.open(&mut tx).await?.is_some();
        drop(tx);
        for mut entry in confirmed.into_iter().filter(|_| !busy) {
            let Some(known) = entry.place.clone() else { continue };
            match self.ask(move |chain| chain.holds(&known)).await? {
                Ok(true) => continue,
                // Whoever cannot be asked is asked again.
                Err(_) => return Ok(()),
                Ok(false) => {}
            }
            // First, so that after a crash it is looked at again: no proof says any longer that it
            // stands there.
            self.ledger.forget_anchor(entry.mark.size, (&place.network, &place.contract))?;
            let (before, claimed) = (entry.clone(), entry.next_at);
            (entry.state, entry.confirmed_at, entry.next_at) = (State::Sent, None, now);
            entry.error =
                Some(String::from("网络发生了区块重组，已确认的区块不再在其中，重新确认"));
            tracing::warn!(anchor = entry.id, "the network no longer holds a confirmed anchor");
            return self.keep(&before, &entry, claimed).await;
        }
        Ok(())
    }
}

/// Whether it is time for the next one.
fn is_due(plan: Plan, last: Option<&Entry>, (mark, now): (&Mark, i64)) -> bool {
    let Some(last) = last else { return true };
    let period = i64::from(plan.every_minutes.max(1)) * 60_000;
    let grown = mark.height.saturating_sub(last.mark.height);
    now - last.created_at() >= period || (plan.every_blocks > 0 && grown >= plan.every_blocks)
}

fn pause_ms(attempts: i64) -> i64 {
    let doublings = attempts.saturating_sub(1).clamp(0, 16);
    PAUSE_MS.saturating_mul(1 << doublings).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_an_hour() {
        assert_eq!(pause_ms(0), PAUSE_MS);
        assert_eq!(pause_ms(1), PAUSE_MS);
        assert_eq!(pause_ms(3), PAUSE_MS * 4);
        assert_eq!(pause_ms(i64::MAX), PAUSE_MAX_MS);
    }
}
