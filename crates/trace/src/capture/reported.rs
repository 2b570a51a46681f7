//! What a batch says beyond its events: what goods cost, how a month's reports came, and that it came.

use serde_json::json;
use yj_kernel::{Result, Tx, audit, outbox};

use super::{Batch, Ready, Sender};
use crate::{
    prices::{self, Line},
    reports::{Came, Counts},
};

impl Batch {
    /// Notes what the accepted events say of prices, and counts what came by when it came. A correction
    /// is no report: what it corrects was one.
    pub(super) async fn report(&self, tx: &mut Tx) -> Result<()> {
        let accepted = self.events.iter().filter(|ready| ready.stored.state == "accepted");
        let lines: Vec<Line<'_>> = accepted.filter_map(Ready::line).collect();
        let prices = prices::note(tx, &lines).await?;
        tx.later(prices);
        let mut counts = Counts::default();
        for stored in self.events.iter().map(|ready| &ready.stored) {
            let rule = stored.spec.as_ref().and_then(|spec| spec.pack().reporting.as_ref());
            if let Some(rule) = rule.filter(|_| stored.correction_of.is_none()) {
                let came = Came::of(rule, stored.time, stored.recorded_at)?;
                counts.add((&stored.domain, &stored.subject_id, &stored.region), came);
            }
        }
        tx.later(counts.write());
        Ok(())
    }

    /// One entry for what one sender sent; every event is a fact that stands for itself.
    pub(super) fn note(&self, tx: &mut Tx, (from, sender): (usize, &Sender<'_>)) {
        let own: Vec<&Ready> = self.events.iter().filter(|ready| ready.from == from).collect();
        let (Some(first), Some(last)) = (own.first(), own.last()) else { return };
        let held = own.iter().filter(|ready| ready.stored.state == "held").count();
        let body = json!({
            "events": own.len(), "held": held, "source": sender.source.code(), "last": last.uid,
        });
        let entry = audit::Entry {
            action: "captured",
            entity: "trace_event",
            record: &first.uid,
            body: body.clone(),
        };
        audit::write(sender.ctx, tx, entry);
        outbox::announce(sender.ctx, tx, ("trace_event", "captured"), &first.uid, &body);
    }
}

impl Ready {
    fn line(&self) -> Option<Line<'_>> {
        let priced = self.priced.as_ref()?;
        let event = (self.stored.id, self.stored.time.unix_ms());
        Some(Line { event, region: &self.stored.region, priced })
    }
}
