//! 防篡改检查 (D-6.3, ADR 36): whoever can write to the database, but not to a witness, cannot change,
//! add, remove or back-date a record without being found.
//!
//! One engine takes small steps over the blocks, the records in them, the queue and the business tables
//! ([`engine`]); how a table must look is said by its owner ([`Projection`]). Samples every minute, a
//! full pass every night, `yuanjian doctor`, and whoever opens one record all use it.

mod derived;
mod engine;
mod erase;
mod finding;
mod http;
mod keep;
mod one;
mod own;
mod projection;
mod read;
mod report;
mod rules;
mod sample;
pub(crate) mod walk;
mod worker;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use yj_kernel::{App, Ctx, Problem, Result, Tx};
use yj_proof::{Checkpoint, Note};

pub use derived::{Derivation, Looked};
pub use engine::Counts;
pub(crate) use erase::told as erased;
pub use erase::{Ground, erased_of};
pub use finding::{Difference, Found, What};
pub use http::routes;
pub use one::Integrity;
pub use projection::{Content, Fact, Projected, Projection};
pub use report::{ReportVerdict, verify_report};
pub use walk::Held;

use crate::Ledger;
use engine::{Look, Phase, Progress};

/// How people are told of a finding: about what, and what it is.
pub type Alarm = dyn Fn(App, String, String) -> BoxFuture<'static, ()> + Send + Sync;

/// Minutes after midnight in China when the nightly pass begins, unless it is configured.
const NIGHTLY: u16 = 150;

/// The tamper audit of this platform.
#[derive(Clone)]
pub struct Tamper(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    owners: Vec<Box<dyn Projection>>,
    derived: Vec<Box<dyn Derivation>>,
    alarm: Box<Alarm>,
    held: Mutex<Vec<Held>>,
    nightly: AtomicU16,
    /// One pass at a time.
    turn: tokio::sync::Mutex<()>,
    bell: watch::Sender<u64>,
}

impl Tamper {
    /// An audit of the ledger, of the tables of these owners, and of what follows from them.
    pub fn new(
        ledger: &Ledger,
        (owners, derived): (Vec<Box<dyn Projection>>, Vec<Box<dyn Derivation>>),
        alarm: Box<Alarm>,
    ) -> Self {
        let mut all: Vec<Box<dyn Projection>> =
            vec![Box::new(own::AuditHeads), Box::new(own::Tombstones)];
        all.extend(owners);
        Self(Arc::new(Inner {
            ledger: ledger.clone(),
            owners: all,
            derived,
            alarm,
            held: Mutex::default(),
            nightly: AtomicU16::new(NIGHTLY),
            turn: tokio::sync::Mutex::default(),
            bell: watch::Sender::new(0),
        }))
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Whoever owns tables that hold anchored records.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &dyn Projection> {
        self.0.owners.iter().map(AsRef::as_ref)
    }

    /// The owner of one kind of records.
    pub(crate) fn owner(&self, kind: &str) -> Option<&dyn Projection> {
        self.owners().find(|owner| owner.kinds().contains(&kind))
    }

    /// Takes a checkpoint from whoever holds it: from now on the log must go on from there.
    pub fn hold(&self, held: Held) {
        let mut known = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&held) {
            known.push(held);
        }
    }

    /// Takes the checkpoints that lie in a folder, as witnesses gave them to the operator; how many. One of
    /// another log is refused.
    pub fn hold_files(&self, folder: &Path) -> Result<usize> {
        if !folder.exists() {
            return Ok(0);
        }
        let origin = Checkpoint::origin_of(&self.0.ledger.genesis().1);
        let mut count = 0;
        for entry in std::fs::read_dir(folder).map_err(Problem::internal)? {
            let path = entry.map_err(Problem::internal)?.path();
            let text = std::fs::read_to_string(&path).map_err(Problem::internal)?;
            let note = Note::read(&text).ok().filter(|note| note.checkpoint.origin == origin);
            let note = note.ok_or_else(|| {
                let name = path.display();
                Problem::Conflict(format!("{name} 不是本存证链的检查点，请移走或更正"))
            })?;
            self.hold(Held::of(&note));
            count += 1;
        }
        Ok(count)
    }

    /// When the nightly pass begins: minutes after midnight in China.
    pub fn nightly_at(&self, minute: u16) {
        self.0.nightly.store(minute % (24 * 60), Ordering::Relaxed);
    }

    pub(crate) fn nightly(&self) -> u16 {
        self.0.nightly.load(Ordering::Relaxed)
    }

    /// Erases again what a backup has brought back. Run before anything is answered.
    pub async fn apply_erasures(&self, app: &App) -> Result<usize> {
        erase::apply_erasures(app, &self.0.ledger, &self.0.owners).await
    }

    /// Looks at everything and keeps nothing of it: what it looked at, and what it found.
    pub async fn inspect(&self, app: &App) -> Result<(Counts, Vec<Found>)> {
        let ctx = app.on_own_behalf("doctor");
        let held = self.held(&ctx).await?;
        let mut progress = Progress::full(&self.0.ledger, "")?;
        let mut found = Vec::new();
        while progress.phase != Phase::Done {
            self.look(&ctx, &held).step(&mut progress, &mut found).await?;
        }
        Ok((progress.counts, found))
    }

    fn look<'a>(&'a self, ctx: &'a Ctx, held: &'a [Held]) -> Look<'a> {
        Look { ledger: &self.0.ledger, owners: &self.0.owners, derived: &self.0.derived, held, ctx }
    }

    /// Every checkpoint at hand: from outside, from the last sound pass as the database knows it, and
    /// as the ledger's own file does.
    async fn held(&self, ctx: &Ctx) -> Result<Vec<Held>> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut tx: Tx = ctx.snapshot().await?;
        held.extend(keep::last_tip(&mut tx).await?);
        held.extend(worker::kept_tip(&self.0.ledger)?);
        held.extend(self.0.ledger.witnessed_checkpoint()?.map(|note| Held::of(&note)));
        Ok(held)
    }

    /// The oldest pass that waits, or was interrupted.
    async fn waiting(&self, app: &App) -> Result<Option<String>> {
        let mut tx = app.db().snapshot().await?;
        keep::waiting(&mut tx).await
    }

    /// Asks for a full pass; its name.
    pub(crate) async fn ask(&self, ctx: &Ctx) -> Result<String> {
        let mut tx = ctx.begin().await?;
        if keep::waiting(&mut tx).await?.is_some() {
            let detail = "已有一次全面检查在进行或等待，请待其结束";
            return Err(Problem::Conflict(String::from(detail)));
        }
        let id = keep::ask(ctx, &mut tx, Some(ctx.actor()));
        let body = serde_json::json!({});
        let entry =
            yj_kernel::audit::Entry { action: "asked", entity: "ledger_pass", record: &id, body };
        yj_kernel::audit::write(ctx, &mut tx, entry);
        tx.commit().await?;
        self.0.bell.send_modify(|count| *count += 1);
        Ok(id)
    }
}
