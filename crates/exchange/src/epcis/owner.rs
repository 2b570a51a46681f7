//! Whose event it is (ADR 18): that of the caller's own subject, of the subject that it names, or
//! of the subject at whose place it happened.

use std::collections::{BTreeMap, BTreeSet};

use yj_epcis::{Epc, Event, Gs1Key};
use yj_kernel::{Columns, Ctx, Place, Problem, Result, Tx};
use yj_subject::SubjectBrief;

use super::{NAMESPACE, prepare::Prepared};

/// The extension that names the subject by its code.
const SUBJECT: &str = "subject";
/// How the place of an event says who may record it. Domain and stage are not known before it is
/// told.
const COLUMNS: Columns =
    Columns { region: Some("region"), subject: Some("subject_id"), ..Columns::NONE };

/// An extension of ours at the event itself.
pub(crate) fn extension<'e>(event: &'e Event, name: &str) -> Option<&'e yj_epcis::Json> {
    let named = |key: &str| {
        let found = event.context().resolve(key);
        found.is_some_and(|(namespace, local)| namespace == NAMESPACE && local == name)
    };
    event.source().members().iter().find(|(key, _)| named(key)).map(|(_, value)| value)
}

/// A GLN in an identifier: of a place or a party.
pub(crate) fn gln(id: &str) -> Option<String> {
    let key = Epc::parse(id).map(|epc| epc.to_key()).or_else(|| Gs1Key::parse(id))?;
    matches!(key.ai(), "414" | "417").then(|| String::from(key.value()))
}

/// Codes by which the owner may be found, the surest first.
fn candidates(event: &Event) -> Vec<String> {
    let own = extension(event, SUBJECT).and_then(yj_epcis::Json::as_text).map(String::from);
    if own.is_some() {
        return own.into_iter().collect();
    }
    let places = event.biz_location.iter().chain(&event.read_point);
    let parties = event.sources.iter().chain(&event.destinations).map(|one| &one.id);
    let mut codes: Vec<String> = places.chain(parties).filter_map(|id| gln(id)).collect();
    codes.dedup();
    codes
}

/// The subjects that a batch of events may be of.
pub(crate) struct Owners {
    own: Option<SubjectBrief>,
    by_code: BTreeMap<String, SubjectBrief>,
}

impl Owners {
    pub(crate) async fn load(
        ctx: &Ctx,
        tx: &mut Tx,
        events: impl Iterator<Item = &Prepared>,
    ) -> Result<Self> {
        let codes: BTreeSet<String> =
            events.flat_map(|prepared| candidates(&prepared.event)).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let by_code = if codes.is_empty() {
            BTreeMap::new()
        } else {
            yj_subject::by_codes(tx, &codes).await?
        };
        let own = match &ctx.principal().subject {
            Some(id) => yj_subject::heirs(tx, &[id]).await?.remove(id),
            None => None,
        };
        Ok(Self { own, by_code })
    }

    /// The caller's own subject, where the caller has one and may record for it.
    pub(crate) fn own(&self, ctx: &Ctx) -> Result<Option<String>> {
        let Some(own) = &self.own else { return Ok(None) };
        let place = Place { region: Some(&own.region), subject: Some(&own.id), ..Place::default() };
        if ctx.scope().covers(&COLUMNS, &place) {
            return Ok(Some(own.id.clone()));
        }
        let detail = "您的追溯主体不在您的数据权限范围内";
        Err(Problem::invalid("epcisHeader.epcisMasterData", detail))
    }

    /// The owner of an event, within reach of the caller.
    pub(crate) fn of(&self, ctx: &Ctx, event: &Event) -> Result<SubjectBrief> {
        let named = candidates(event).iter().find_map(|code| self.by_code.get(code));
        let refused = || {
            let detail = "没有这个追溯主体，或不在您的数据权限范围内";
            Problem::invalid("yj:subject", detail)
        };
        let said = extension(event, SUBJECT).is_some();
        let owner = match (&self.own, named) {
            (Some(own), Some(named)) if said && own.id != named.id => return Err(refused()),
            (Some(_), None) if said => return Err(refused()),
            (Some(own), _) => own,
            (None, Some(named)) => named,
            (None, None) if said => return Err(refused()),
            (None, None) => {
                return Err(Problem::invalid(
                    "yj:subject",
                    "不能确定事件属于哪个追溯主体：请以扩展 yj:subject（urn:yj:epcis:subject）写明主体代码，\
                     或使 bizLocation、readPoint、source、destination 之一的 GLN 已登记为该主体的旧代码",
                ));
            }
        };
        let place =
            Place { region: Some(&owner.region), subject: Some(&owner.id), ..Place::default() };
        if ctx.scope().covers(&COLUMNS, &place) { Ok(owner.clone()) } else { Err(refused()) }
    }

    /// Any subject that a code of the batch means: the other side of a movement.
    pub(crate) fn by_gln(&self, code: &str) -> Option<&SubjectBrief> {
        self.by_code.get(code)
    }
}
