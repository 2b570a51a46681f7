//! Who may be told how much of a batch is left: those who may read what happened to it. How much
//! somebody else has in stock is a 商业秘密, and a refusal must not say what a list would not.

use std::collections::BTreeMap;

use yj_kernel::{ActorKind, Ctx, Place, Scope};
use yj_model::Stage;
use yj_subject::SubjectBrief;

use crate::{balance::Object, query::EVENT_COLUMNS};

/// What somebody may read of trace data in one domain.
pub(crate) struct Knowledge<'a> {
    /// `None` without the right to read any.
    scope: Option<Scope>,
    domain: &'a str,
}

impl<'a> Knowledge<'a> {
    /// Of who asks, whatever the right is that they ask under.
    pub(crate) fn of(ctx: &Ctx, domain: &'a str) -> Self {
        // A device speaks under no account, and reads nothing.
        let who = ctx.principal();
        let device = who.kind == ActorKind::Machine && who.account.is_empty();
        let reading = if device { None } else { ctx.under("trace:read").ok() };
        Self { scope: reading.map(|ctx| ctx.scope().clone()), domain }
    }

    /// Whether the batch is held within reach. `holders` are the subjects behind identifiers as they
    /// stand now; of one that is not among them nothing is known.
    pub(crate) fn covers(&self, object: &Object, holders: &BTreeMap<String, SubjectBrief>) -> bool {
        let holder = holders.get(&object.subject_id);
        holder.is_some_and(|holder| self.covers_subject(holder, object.stage))
    }

    /// Whether somebody who holds something at a stage is within reach.
    pub(crate) fn covers_subject(&self, holder: &SubjectBrief, stage: Stage) -> bool {
        let Some(scope) = &self.scope else { return false };
        let place = Place {
            region: Some(&holder.region),
            subject: Some(&holder.id),
            category: Some(self.domain),
            stage: Some(stage.code()),
            ..Place::default()
        };
        scope.covers(&EVENT_COLUMNS, &place)
    }
}
