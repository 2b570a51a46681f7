//! How many sockets are open, of whom, and what they share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use yj_kernel::{App, Ctx, Problem, Result};

use super::store;

/// Says whether whoever came in some time ago would still be let in by the same session or client.
pub type Admission = Arc<dyn Fn(Ctx) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// Bounds of the sockets of one node.
#[derive(Debug, Clone, Copy)]
pub struct SocketLimits {
    /// Sockets at once.
    pub open_max: usize,
    /// Sockets of one user at once.
    pub open_per_user_max: usize,
    /// How often it is looked whether there is something to tell.
    pub look: Duration,
    /// A socket of somebody who would no longer be let in closes within this time.
    pub recheck: Duration,
    /// How often the other end is asked whether it is there.
    pub ping: Duration,
    /// An end that has answered none of so many questions is gone.
    pub unanswered_max: u32,
    /// A message must have left within this time; who reads more slowly is let go.
    pub send: Duration,
    /// No socket is open for longer.
    pub life: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            open_max: 512,
            open_per_user_max: 8,
            look: Duration::from_secs(1),
            recheck: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            unanswered_max: 3,
            send: Duration::from_secs(10),
            life: Duration::from_hours(12),
        }
    }
}

#[derive(Default)]
struct Open {
    all: usize,
    of: BTreeMap<String, usize>,
}

struct Shared {
    limits: SocketLimits,
    admission: Admission,
    open: Mutex<Open>,
    /// The number of the last event, and when it was looked up.
    latest: tokio::sync::Mutex<Option<(Instant, i64)>>,
}

/// The sockets of one node.
#[derive(Clone)]
pub struct Sockets(Arc<Shared>);

const GAUGE: (&str, &str) = ("epcis_sockets", "Open sockets of EPCIS subscriptions.");

impl Sockets {
    /// None so far.
    pub fn new(limits: SocketLimits, admission: Admission) -> Self {
        let (open, latest) = Default::default();
        Self(Arc::new(Shared { limits, admission, open, latest }))
    }

    pub(crate) fn limits(&self) -> &SocketLimits {
        &self.0.limits
    }

    /// Whether this session or client is still let in.
    pub(crate) async fn admits(&self, ctx: &Ctx) -> Result<bool> {
        (self.0.admission)(ctx.clone()).await
    }

    /// A place for one more socket of the caller.
    pub(crate) fn take(&self, ctx: &Ctx) -> Result<Place> {
        let limits = self.limits();
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= limits.open_max {
            let detail = "打开的 WebSocket 订阅已达上限，请稍后重试或改用 webhook 订阅";
            return Err(Problem::Unavailable(String::from(detail)));
        }
        let user = String::from(ctx.actor());
        let own = open.of.entry(user.clone()).or_default();
        if *own >= limits.open_per_user_max {
            let most = limits.open_per_user_max;
            let detail = format!("每个用户至多同时打开 {most} 个 WebSocket 订阅");
            return Err(Problem::TooMany(detail));
        }
        *own += 1;
        open.all += 1;
        drop(open);
        let app = ctx.app().clone();
        app.metrics().shift(GAUGE.0, GAUGE.1, 1);
        Ok(Place { sockets: self.clone(), app, user })
    }

    /// The number of the last event that was recorded. Sockets that ask at about the same time share
    /// one look.
    pub(crate) async fn latest(&self, app: &App) -> Result<i64> {
        let mut latest = self.0.latest.lock().await;
        if let Some((at, last)) = *latest
            && at.elapsed() < self.limits().look / 2
        {
            return Ok(last);
        }
        let mut tx = app.db().snapshot().await?;
        let last = store::last(&mut tx).await?;
        *latest = Some((Instant::now(), last));
        Ok(last)
    }
}

/// The place of an open socket; given up when dropped.
pub(crate) struct Place {
    sockets: Sockets,
    app: App,
    user: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.metrics().shift(GAUGE.0, GAUGE.1, -1);
        let mut open = self.sockets.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.of.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                open.of.remove(&self.user);
            }
        }
    }
}
