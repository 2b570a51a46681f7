//! Names of events that bring none. The standard's hash takes values as they are written, so that two
//! events which differ in what a prefix means have one hash; the second of them is named by the hash of
//! what it means.

use std::collections::BTreeMap;

use yj_epcis::Fault;
use yj_kernel::{Ctx, Result, Tx};

use super::{capture::Item, owner::Owners, past::Name, prepare::Prepared, store};

/// An event under its name, or what is wrong with it.
pub(super) type Named<'i> = std::result::Result<&'i Prepared, &'i [Fault]>;

/// Each event as it is, or under its other name.
pub(super) fn named<'i>(items: &'i [Item], own: &'i [Option<Prepared>]) -> Vec<Named<'i>> {
    let one = |(item, own): (&'i Item, &'i Option<Prepared>)| match (&item.event, own) {
        (_, Some(renamed)) => Ok(renamed),
        (Ok(prepared), None) => Ok(prepared),
        (Err(faults), None) => Err(faults.as_slice()),
    };
    items.iter().zip(own).map(one).collect()
}

/// The events whose name another has, each under its other name.
pub(super) async fn told_apart(
    ctx: &Ctx,
    tx: &mut Tx,
    items: &[Item],
) -> Result<Vec<Option<Prepared>>> {
    let doubtful = |item: &Item| item.event.as_ref().is_ok_and(Prepared::has_full_name);
    if !items.iter().any(doubtful) {
        return Ok(items.iter().map(|_| None).collect());
    }
    let sound = || items.iter().filter_map(|item| item.event.as_ref().ok());
    let owners = Owners::load(ctx, tx, sound()).await?;
    let ids: Vec<&str> = sound().map(|prepared| prepared.id.as_str()).collect();
    let known = store::known(tx, &ids).await?;
    let reserved = store::reserved(tx, &ids).await?;
    let mut here: BTreeMap<Name, &Prepared> = BTreeMap::new();
    let mut own = Vec::with_capacity(items.len());
    for item in items {
        let named = item.event.as_ref().ok();
        let name = named.and_then(|prepared| {
            let owner = owners.of(ctx, &prepared.event).ok()?;
            Some((prepared, (owner.id, prepared.id.clone())))
        });
        let Some((prepared, name)) = name else {
            own.push(None);
            continue;
        };
        let kept = known.get(&name).map(|kept| kept.digest.as_str());
        let promised = || reserved.get(&name).map(|(content, _)| content.as_str());
        let before = || here.get(&name).map(|one| one.content.as_str());
        let other = kept.or_else(promised).or_else(before).filter(|digest| !prepared.is(digest));
        own.push(other.and_then(|_| prepared.under_full_name()));
        if own.last().is_some_and(Option::is_none) {
            here.entry(name).or_insert(prepared);
        }
    }
    Ok(own)
}
