//! The passes: a sample every minute when nothing waits for a block, a full pass every night, and one
//! when somebody asks. A full pass that was interrupted goes on where it was.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};
use yj_crypto::to_hex;
use yj_kernel::{App, Ctx, Problem, Result, Sql, audit};

use super::{
    Tamper,
    engine::{Phase, Progress},
    finding::{Found, What},
    keep,
    read::hash_of,
    walk::Held,
};
use crate::Ledger;

/// How often a sample is taken.
const PACE: Duration = Duration::from_mins(1);
/// Between two steps of a pass, so that it takes nothing from those who work.
const PAUSE: Duration = Duration::from_millis(20);
/// After so many steps a pass notes how far it has come.
const NOTE_EVERY: u32 = 25;
/// Findings of one pass that raise an alarm each; the others are counted in one.
const ALARMS_MAX: usize = 20;

/// How far the running pass has come, in the ledger's own file.
const PROGRESS: &str = "tamper_progress";
/// What the last sound pass has seen of the log, there too.
const TIP: &str = "tamper_tip";

const DAY_MS: i64 = 24 * 3_600_000;
/// China is eight hours ahead.
const BEIJING_MS: i64 = 8 * 3_600_000;

/// The last moment at or before `now` that is `minute` minutes after midnight in China.
pub(crate) fn scheduled(now: i64, minute: u16) -> i64 {
    let offset = i64::from(minute) * 60_000 - BEIJING_MS;
    (now - offset).div_euclid(DAY_MS) * DAY_MS + offset
}

/// What the ledger's own file has kept of the last sound pass.
pub(crate) fn kept_tip(ledger: &Ledger) -> Result<Option<Held>> {
    let Some(note) = ledger.store().note(TIP)? else { return Ok(None) };
    let note: serde_json::Value = serde_json::from_str(&note).map_err(Problem::internal)?;
    let text = |name: &str| hash_of(note[name].as_str().unwrap_or_default());
    Ok(Some(Held {
        size: note["size"].as_u64().unwrap_or(0),
        root: text("root")?,
        height: note["height"].as_u64().unwrap_or(0),
        block_id: text("block_id")?,
        by: String::from("账本文件"),
    }))
}

impl Tamper {
    /// Samples, and passes every night or when they are asked for, until `stop` says so.
    pub async fn run(self, app: App, mut stop: watch::Receiver<bool>) {
        let mut bell = self.0.bell.subscribe();
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = bell.changed() => {}
                _ = pace.tick() => {}
            }
            if let Err(problem) = self.turn(&app, &stop).await {
                problem.log();
            }
        }
    }

    async fn turn(&self, app: &App, stop: &watch::Receiver<bool>) -> Result<()> {
        self.plan(app).await?;
        self.work(app, stop).await
    }

    /// Goes on with the pass that waits, until it ends or is told to stop; a sample where none does.
    pub async fn work(&self, app: &App, stop: &watch::Receiver<bool>) -> Result<()> {
        if let Some(pass) = self.waiting(app).await? {
            let mut pause = interval(PAUSE);
            pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
            return self.drive(app, &pass, Some((&mut pause, stop))).await;
        }
        if is_idle(app).await? {
            self.sample(app).await?;
        }
        Ok(())
    }

    /// Plans the pass of this night, if there has been none; whether it did.
    pub async fn plan(&self, app: &App) -> Result<bool> {
        let ctx = app.on_own_behalf("tamper");
        let mut tx = ctx.begin().await?;
        let due = scheduled(ctx.now_ms(), self.nightly());
        if keep::last_full(&mut tx).await?.is_some_and(|began| began >= due) {
            return Ok(false);
        }
        keep::ask(&ctx, &mut tx, None);
        tx.commit().await?;
        Ok(true)
    }

    /// Takes every pass that waits to its end; how many there were.
    pub async fn drain(&self, app: &App) -> Result<usize> {
        let mut count = 0;
        while let Some(pass) = self.waiting(app).await? {
            self.drive(app, &pass, None).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Takes a pass to its end, or until it is told to stop.
    async fn drive(
        &self,
        app: &App,
        pass: &str,
        mut gently: Option<(&mut Interval, &watch::Receiver<bool>)>,
    ) -> Result<()> {
        let _turn = self.0.turn.lock().await;
        let ctx = app.on_own_behalf("tamper");
        let store = self.0.ledger.store();
        let note = store.note(PROGRESS)?;
        let noted = note.and_then(|note| serde_json::from_str::<Progress>(&note).ok());
        let mut progress = match noted.filter(|noted| noted.pass == pass) {
            Some(noted) => noted,
            None => Progress::full(&self.0.ledger, pass)?,
        };
        let held = self.held(&ctx).await?;
        let (mut told, mut steps) = (0, 0);
        while progress.phase != Phase::Done {
            let begun = app.now();
            let mut found = Vec::new();
            self.look(&ctx, &held).step(&mut progress, &mut found).await?;
            progress.worked_ms += app.now().as_millisecond() - begun.as_millisecond();
            told += self.tell(app, (pass, told), &found).await?;
            steps += 1;
            if steps % NOTE_EVERY == 0 {
                self.note(app, &progress).await?;
            }
            if let Some((pause, stop)) = &mut gently {
                if *stop.borrow() {
                    return self.note(app, &progress).await;
                }
                pause.tick().await;
            }
        }
        self.finish(&ctx, &progress).await
    }

    async fn note(&self, app: &App, progress: &Progress) -> Result<()> {
        let text = serde_json::to_string(progress).map_err(Problem::internal)?;
        self.0.ledger.store().keep_note(PROGRESS, Some(&text))?;
        let mut tx = app.db().begin().await?;
        keep::advance(&mut tx, progress, "running", None);
        tx.commit().await
    }

    /// Keeps what was found, and raises the alarm about what is new; how much that is.
    pub(crate) async fn tell(
        &self,
        app: &App,
        (pass, before): (&str, usize),
        found: &[Found],
    ) -> Result<usize> {
        let room = keep::FINDINGS_MAX.saturating_sub(before);
        let found = &found[..found.len().min(room)];
        if found.is_empty() {
            return Ok(0);
        }
        let ctx = app.on_own_behalf("tamper");
        let mut tx = ctx.begin().await?;
        let fresh = keep::keep(&ctx, &mut tx, pass, found).await?;
        tx.commit().await?;
        for (at, one) in fresh.iter().enumerate() {
            match before + at {
                rank if rank < ALARMS_MAX => {
                    (self.0.alarm)(app.clone(), one.record.clone(), one.sentence()).await;
                }
                ALARMS_MAX => {
                    let more = format!("另有更多发现，见防篡改检查 {pass}");
                    (self.0.alarm)(app.clone(), String::from("ledger"), more).await;
                }
                _ => {}
            }
        }
        Ok(fresh.len())
    }

    async fn finish(&self, ctx: &Ctx, progress: &Progress) -> Result<()> {
        let app = ctx.app();
        let store = self.0.ledger.store();
        let mut tx = ctx.begin().await?;
        keep::advance(&mut tx, progress, "done", Some(app.now().as_millisecond()));
        let tip = store.block(progress.counts.blocks)?.map(|block| block.header);
        let broken = [What::Block.code(), What::Checkpoint.code()];
        let mut sql = Sql::new("SELECT 1 FROM ledger_finding WHERE last_pass = ");
        sql.bind(&progress.pass).push(" AND what ").bind_texts(broken).push(" LIMIT 1");
        let sound = tx.fetch_one(sql).await?.is_none();
        if let Some(tip) = &tip {
            keep::note_tip(&mut tx, &progress.pass, tip, sound);
        }
        let counts = progress.counts;
        let body = json!({
            "blocks": counts.blocks, "records": counts.records, "entries": counts.entries,
            "facts": counts.facts, "erased": counts.erased, "findings": counts.findings,
            "block_id": tip.as_ref().map(|tip| to_hex(&tip.block_id())),
        });
        let entry =
            audit::Entry { action: "checked", entity: "ledger_pass", record: &progress.pass, body };
        audit::write(ctx, &mut tx, entry);
        let (open, handled) = keep::open(&mut tx).await?;
        tx.commit().await?;
        if let Some(tip) = tip.filter(|_| sound) {
            let note = json!({
                "size": tip.tree_size, "root": to_hex(&tip.tree_root), "height": tip.height,
                "block_id": to_hex(&tip.block_id()),
            });
            store.keep_note(TIP, Some(&note.to_string()))?;
        }
        store.keep_note(PROGRESS, None)?;
        let (metrics, ended) = (app.metrics(), app.now().as_second());
        metrics.set(
            "ledger_full_pass_ended_seconds",
            "When the last full tamper pass ended.",
            "",
            ended,
        );
        let records = i64::try_from(counts.records).unwrap_or(i64::MAX);
        metrics.set(
            "ledger_full_pass_records",
            "Records that the last full tamper pass looked at.",
            "",
            records,
        );
        Self::figures(app, open + handled);
        Ok(())
    }

    pub(crate) fn figures(app: &App, open: i64) {
        app.metrics().set(
            "ledger_findings_open",
            "Tamper findings that are not resolved.",
            "",
            open,
        );
    }

    /// When the next pass begins by itself.
    pub(crate) fn next_at(&self, now: Timestamp) -> Result<Timestamp> {
        let last = scheduled(now.as_millisecond(), self.nightly());
        let next = Timestamp::from_millisecond(last).map_err(Problem::internal)?;
        next.checked_add(SignedDuration::from_hours(24)).map_err(Problem::internal)
    }
}

/// Whether nothing waits for a block.
async fn is_idle(app: &App) -> Result<bool> {
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new("SELECT 1 FROM anchor_entry WHERE state <> 'confirmed' LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_a_night_in_china() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let expected = |now: &str, due: &str| assert_eq!(scheduled(at(now), 150), at(due), "{now}");
        expected("2026-11-19T02:29:59+08:00", "2026-11-18T02:30:00+08:00");
        expected("2026-11-19T02:30:00+08:00", "2026-11-19T02:30:00+08:00");
        expected("2026-11-19T23:00:00+08:00", "2026-11-19T02:30:00+08:00");
    }
}
