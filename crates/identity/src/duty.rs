//! What identity does without being asked: tells applications about sessions that ended, forwards
//! the audit trail, watches the clock, checks the controls.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_kernel::{App, Result, Sql};

use crate::Identity;

/// Something that is done again and again.
#[derive(Debug, Clone, Copy)]
enum Duty {
    Sweep,
    Forward,
    Clock,
    Controls,
}

impl Duty {
    const ALL: [Self; 4] = [Self::Sweep, Self::Forward, Self::Clock, Self::Controls];

    const fn pace(self) -> Duration {
        match self {
            Self::Sweep => Duration::from_secs(1),
            Self::Forward => Duration::from_secs(2),
            Self::Clock | Self::Controls => Duration::from_mins(1),
        }
    }
}

/// The controls are checked this often, by whichever node comes first.
const CONTROLS_MS: i64 = 24 * crate::HOUR_MS;

impl Identity {
    /// Does its duties until `stop` says so.
    pub async fn work(self, app: App, stop: watch::Receiver<bool>) {
        join_all(Duty::ALL.map(|duty| self.repeat(&app, duty, stop.clone()))).await;
    }

    async fn repeat(&self, app: &App, duty: Duty, mut stop: watch::Receiver<bool>) {
        let mut interval = interval(duty.pace());
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = interval.tick() => {}
            }
            if let Err(problem) = self.perform(app, duty).await {
                problem.log();
            }
        }
    }

    async fn perform(&self, app: &App, duty: Duty) -> Result<()> {
        match duty {
            Duty::Sweep => self.sweep(app).await.map(drop),
            Duty::Forward => self.forward_audit(app).await.map(drop),
            Duty::Clock => self.watch_clock(app).await.map(drop),
            Duty::Controls => {
                let mut tx = app.db().snapshot().await?;
                let last = tx.fetch_one(Sql::new("SELECT MAX(at) FROM self_check")).await?;
                drop(tx);
                let last = last.map_or(Ok(None), |row| row.int_opt(0))?;
                if last.is_none_or(|at| app.now().as_millisecond() - at >= CONTROLS_MS) {
                    self.check_controls(app).await?;
                }
                Ok(())
            }
        }
    }
}
