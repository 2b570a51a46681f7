//! Single events that arrive at the same moment share a transaction (§6.4.1): each is judged for
//! itself and answered for itself, but all of them read their surroundings at once and wait for the
//! disk once.

use futures_util::FutureExt;
use yj_kernel::{Ctx, Gather, Problem, Result};

use crate::{
    capture::{Captured, Looked, Sender, Source, capture, capture_of},
    event::TraceEvent,
};

/// Events of one transaction.
const TOGETHER_MAX: usize = 128;

/// Where single events meet.
#[derive(Clone)]
pub(crate) struct Together(Gather<One, Captured>);

struct One {
    ctx: Ctx,
    source: Source,
    event: TraceEvent,
}

impl Default for Together {
    fn default() -> Self {
        Self(Gather::new(TOGETHER_MAX, |group| write(group).boxed()))
    }
}

impl Together {
    /// Stores one event. Nothing is acknowledged before it is durable.
    pub(crate) async fn capture(
        &self,
        ctx: &Ctx,
        source: Source,
        event: TraceEvent,
    ) -> Result<Captured> {
        let one = One { ctx: ctx.clone(), source, event };
        // A correction takes back what others may be telling of at the same moment.
        if one.event.correction_of.is_some() { alone(one).await } else { self.0.ask(one).await }
    }
}

/// Writes a group. Where something keeps it from being written, each is tried for itself, so that
/// nobody pays for another's event.
async fn write(group: Vec<One>) -> Vec<Result<Captured>> {
    if group.len() > 1 {
        match all(&group).await {
            Ok(captured) => return captured.into_iter().map(Ok).collect(),
            Err(problem) => tracing::debug!(%problem, "a group of events is written one by one"),
        }
    }
    let mut captured = Vec::with_capacity(group.len());
    for one in group {
        captured.push(alone(one).await);
    }
    captured
}

async fn all(group: &[One]) -> Result<Vec<Captured>> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let mut senders = Vec::with_capacity(group.len());
    for One { ctx, source, event } in group {
        senders.push(Sender { ctx, source: *source, events: std::slice::from_ref(event) });
    }
    let looked = Looked::ahead(&senders);
    let mut tx = first.ctx.begin().await?;
    let captured = capture_of(&mut tx, &senders, looked).await?;
    tx.commit().await?;
    Ok(captured.into_iter().flatten().collect())
}

async fn alone(One { ctx, source, event }: One) -> Result<Captured> {
    let captured = capture(&ctx, source, &[event], true).await?;
    captured.into_iter().next().ok_or_else(|| Problem::internal("no answer to an event"))
}
