//! One event on its way into the store: the objects it touches, and the row it becomes.

use std::collections::BTreeSet;

use yj_kernel::{Ctx, DataClass};
use yj_subject::SubjectBrief;

use crate::{
    balance::{Link, Object, Objects},
    capture::Source,
    event::Checked,
    store::StoredEvent,
};

/// Copies of the few objects that one event touches.
pub(crate) trait Excerpt {
    fn clone_for(&self, event: &Checked, corrected: Option<&(StoredEvent, Vec<Link>)>) -> Objects;
}

impl Excerpt for Objects {
    fn clone_for(&self, event: &Checked, corrected: Option<&(StoredEvent, Vec<Link>)>) -> Objects {
        let inputs = event.inputs.iter().map(|line| line.code.as_str());
        let outputs = event.outputs.iter().map(|line| line.code.as_str());
        let before = corrected.iter().flat_map(|(_, links)| links).map(|link| link.code.as_str());
        let touched = inputs.chain(outputs).chain(before);
        touched
            .filter_map(|code| self.get(code).map(|object| (String::from(code), object.clone())))
            .collect()
    }
}

/// The objects that come out of an event and go into it, in the order in which they are named.
fn named<'a>(event: &'a Checked, objects: &'a Objects) -> impl Iterator<Item = &'a Object> {
    let outputs = event.outputs.iter().map(|line| &line.code);
    let lines = outputs.chain(event.inputs.iter().map(|line| &line.code));
    lines.filter_map(|code| objects.get(code.as_str()))
}

/// The products and lots of an event that its row does not name, each under its facet.
pub(crate) fn also(
    event: &Checked,
    objects: &Objects,
    stored: &StoredEvent,
) -> BTreeSet<(&'static str, String)> {
    let others = named(event, objects).flat_map(|object| {
        let product = object.product_id.iter().filter(|id| Some(*id) != stored.product_id.as_ref());
        let lot = object.lot.iter().filter(|lot| Some(*lot) != stored.lot.as_ref());
        let product = product.map(|id| ("product", id.clone()));
        product.chain(lot.map(|lot| ("lot", lot.clone())))
    });
    others.collect()
}

/// The event as it is stored.
pub(crate) fn stored_event(
    ctx: &Ctx,
    uid: &str,
    (source, subject): (Source, &SubjectBrief),
    event: &Checked,
    (objects, reasons): (&Objects, &[String]),
) -> StoredEvent {
    let objects: Vec<_> = named(event, objects).collect();
    StoredEvent {
        id: 0,
        uid: String::from(uid),
        domain: event.domain.clone(),
        kind: event.spec.code.clone(),
        stage: String::from(event.stage.code()),
        subject_id: subject.id.clone(),
        subject_code: subject.code.clone(),
        product_id: objects.iter().find_map(|object| object.product_id.clone()),
        counterparty_id: None,
        lot: objects.iter().find_map(|object| object.lot.clone()),
        region: subject.region.clone(),
        time: event.time,
        recorded_at: ctx.now_ms(),
        recorded_by: String::from(ctx.actor()),
        source: String::from(source.code()),
        state: String::from(if reasons.is_empty() { "accepted" } else { "held" }),
        held_reason: (!reasons.is_empty()).then(|| reasons.join("；")),
        body: event.body.clone(),
        correction_of: event.correction_of.map(|id| id.to_string()),
        superseded_by: None,
        decision_comment: None,
        label: DataClass::Internal.level(),
        anchor: None,
        pack_version: event.spec.pack().version.to_string(),
        spec: Some(event.spec.clone()),
    }
}

/// Day, region, domain and stage that an event counts in.
pub(crate) fn rollup_key(
    stored: &StoredEvent,
    stage: &'static str,
) -> (String, String, String, &'static str) {
    (stored.time.beijing_day().to_string(), stored.region.clone(), stored.domain.clone(), stage)
}
