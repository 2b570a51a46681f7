//! What a batch says beyond its events: what goods cost, and how a month's reports came.

use yj_kernel::{Result, Tx};

use super::{Batch, Ready};
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
}

impl Ready {
    fn line(&self) -> Option<Line<'_>> {
        let priced = self.priced.as_ref()?;
        let event = (self.stored.id, self.stored.time.unix_ms());
        Some(Line { event, region: &self.stored.region, priced })
    }
}
