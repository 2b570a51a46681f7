//! Packages within a batch: what its earlier events put in or took out counts as if it were stored.

use yj_domain::Domains;
use yj_kernel::{Result, Tx};

use super::Batch;
use crate::{
    balance::{Link, Objects},
    event::Checked,
    packing::{self, Contents, Pending},
    store::StoredEvent,
};

impl Batch {
    fn packages(&self, domains: &Domains) -> Vec<Pending<'_>> {
        let accepted = self.events.iter().filter(|ready| ready.stored.state == "accepted");
        let packages = accepted.filter_map(|ready| {
            let packing = domains.packing(&ready.stored.domain, &ready.stored.kind)?;
            Some(Pending { packing, links: &ready.links })
        });
        packages.collect()
    }

    /// Judges and completes what an event takes out of a package, if it takes anything.
    pub(super) async fn take_out(
        &self,
        tx: &mut Tx,
        domains: &Domains,
        event: &mut Checked,
        corrected: Option<&(StoredEvent, Vec<Link>)>,
    ) -> Result<()> {
        let Some(line) = event.inputs.first().filter(|_| event.spec.unpacks()) else {
            return Ok(());
        };
        let code = line.code.as_str();
        let stored = self.objects.get(code).and_then(|object| object.id);
        let counts_not =
            |id| self.supersedes(id) || corrected.is_some_and(|(original, _)| original.id == id);
        let pending = (&*self.packages(domains), &self.objects);
        let contents = Contents::load(tx, domains, (code, stored), pending, counts_not).await?;
        let back = corrected.map(|(_, links)| packing::given_back(links, code)).transpose()?;
        packing::take_out(event, &contents, (&self.objects, back.unwrap_or_default()))
    }

    /// What was taken out of a package is still put into it where the putting in is corrected. `now` is
    /// what the correction makes of it.
    pub(super) async fn require_taken(
        &self,
        tx: &mut Tx,
        domains: &Domains,
        corrected: Option<&(StoredEvent, Vec<Link>)>,
        (event, now, objects): (&Checked, &[Link], &Objects),
    ) -> Result<()> {
        let Some((original, before)) = corrected else { return Ok(()) };
        let mut pending = self.packages(domains);
        if let Some(packing) = event.spec.packing {
            pending.push(Pending { packing, links: now });
        }
        let counts_not = |id| self.supersedes(id) || original.id == id;
        let before = (original, before.as_slice(), &counts_not as &(dyn Fn(i64) -> bool + Sync));
        // What the batch made is among its own objects.
        let mut all = few(&self.objects, &pending);
        all.extend(objects.iter().map(|(code, object)| (code.clone(), object.clone())));
        packing::require_taken(tx, domains, before, (&pending, &all)).await
    }
}

/// Copies of the objects that packages of a batch are about.
fn few(objects: &Objects, pending: &[Pending<'_>]) -> Objects {
    let links = pending.iter().flat_map(|one| one.links);
    let known =
        links.filter_map(|link| Some((link.code.clone(), objects.get(&link.code)?.clone())));
    known.collect()
}
