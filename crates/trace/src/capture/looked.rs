//! Events as they are before the transaction that stores them: whose they are, and what they say by
//! themselves.

use std::sync::Arc;

use yj_domain::Domains;
use yj_kernel::{Ctx, Result};

use super::Source;
use crate::event::{Checked, TraceEvent};

/// Who sends events, through which door.
pub(crate) struct Sender<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) source: Source,
    pub(crate) events: &'a [TraceEvent],
}

/// Events as the domains see them, very likely as they are now. They are looked at before the transaction
/// that stores them: others wait for that, and what events say by themselves needs no database.
pub(crate) struct Looked {
    pub(super) domains: Arc<Domains>,
    pub(super) events: Vec<Result<Checked>>,
}

impl Looked {
    pub(crate) fn ahead(senders: &[Sender<'_>]) -> Self {
        Self::by(yj_domain::likely(), senders)
    }

    pub(super) fn by(domains: Arc<Domains>, senders: &[Sender<'_>]) -> Self {
        let events = senders.iter().flat_map(|sender| {
            let (domains, day) = (&domains, sender.ctx.today());
            let ctx = Some(sender.ctx);
            sender.events.iter().map(move |event| event.check(event.find(domains, day)?, ctx))
        });
        Self { events: events.collect(), domains: Arc::clone(&domains) }
    }
}
