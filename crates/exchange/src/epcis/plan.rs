//! A query as what an event must mention and what else must hold of it, so that no event it means
//! fails. Which of the others are not meant is decided by the library afterwards, so that the answer
//! is its own.

use std::collections::BTreeSet;

use yj_epcis::query::{
    Comparison, Condition, ExtensionPlace, IdField, MasterField, MatchField, PlaceField, Query,
    TimeField, TypedField, WordField,
};
use yj_epcis::{Action, Epc, EventKind, Gs1Key, Instant};
use yj_kernel::{Result, Sql, Tx};

use super::{
    master,
    place::Sites,
    prepare::{EXTENDED, Flag, Role, bounded, spelled},
};

/// Terms of one mention. A condition that would need more narrows nothing.
pub(super) const TERMS_MAX: usize = 2_000;

/// The terms that a query over one text column finds; none where it finds more than [`TERMS_MAX`].
pub(super) async fn terms(tx: &mut Tx, mut query: Sql) -> Result<Option<Vec<String>>> {
    query.push(" LIMIT ").bind(i64::try_from(TERMS_MAX + 1).unwrap_or(i64::MAX));
    let rows = tx.fetch(query).await?;
    let terms = rows.iter().map(|row| row.text(0).map(String::from)).collect::<Result<Vec<_>>>()?;
    Ok((terms.len() <= TERMS_MAX).then_some(terms))
}

/// In one of these places of an event stands one of these terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) roles: Vec<Role>,
    pub(super) terms: Vec<String>,
}

impl Mention {
    pub(super) fn new(roles: &[Role], terms: impl IntoIterator<Item = String>) -> Self {
        let terms: BTreeSet<String> = terms.into_iter().collect();
        Self { roles: roles.to_vec(), terms: terms.into_iter().collect() }
    }

    /// Pairs of a role and a term.
    pub(super) fn pairs(&self) -> usize {
        self.roles.len() * self.terms.len()
    }
}

/// From when until when, both included, Unix ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Period {
    pub(super) const ALWAYS: Self = Self { first: i64::MIN, last: i64::MAX };

    /// Both bounds are included: what is finer than a millisecond the events themselves tell.
    fn limit(&mut self, comparison: Comparison, Instant(at): Instant) {
        let (first, last) = match comparison {
            Comparison::Eq => (at, at),
            Comparison::Gt | Comparison::Ge => (at, i64::MAX),
            Comparison::Lt | Comparison::Le => (i64::MIN, at),
        };
        self.first = self.first.max(first);
        self.last = self.last.min(last);
    }
}

/// What is asked of events, as far as the tables know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) mentions: Vec<Mention>,
    /// Their eventIDs, where they are named.
    pub(super) names: Option<BTreeSet<String>>,
    /// When they happened.
    pub(super) happened: Period,
    /// When they were recorded.
    pub(super) recorded: Period,
    /// When an error was declared of them.
    pub(super) declared: Period,
}

impl Plan {
    /// What a query asks of events. Places that lie in others, and things by what is told of them, are
    /// looked up.
    pub(super) async fn of(tx: &mut Tx, query: &Query, sites: &Sites) -> Result<Self> {
        let mut plan = Self {
            mentions: Vec::new(),
            names: None,
            happened: Period::ALWAYS,
            recorded: Period::ALWAYS,
            declared: Period::ALWAYS,
        };
        for condition in &query.conditions {
            match condition {
                Condition::Place { field, descendants: true, any } => {
                    let terms = within(tx, *field, (any, sites)).await?;
                    plan.mention(terms.map(|terms| Mention::new(&[of_place(*field)], terms)));
                }
                Condition::Master { field, names, values } => {
                    let told = (names.as_slice(), values.as_deref());
                    let terms = master::with_attribute(tx, *field, told).await?;
                    plan.mention(terms.map(|terms| Mention::new(of_things(*field), terms)));
                }
                other => plan.add(other),
            }
        }
        Ok(plan)
    }

    fn mention(&mut self, mention: Option<Mention>) {
        if let Some(mention) = mention.filter(|mention| !self.mentions.contains(mention)) {
            self.mentions.push(mention);
        }
    }

    fn flag(&mut self, flag: Flag) {
        self.mention(Some(Mention::new(&[Role::Flag], [String::from(flag.code())])));
    }

    fn plain(&mut self, role: Role, any: &[String]) {
        let terms = any.iter().map(|text| bounded(text.clone()));
        self.mention(Some(Mention::new(&[role], terms)));
    }

    /// Identifiers in any spelling. What a pattern means only the library can say.
    fn ids(&mut self, roles: &[Role], any: &[String]) {
        if !any.iter().any(|id| is_pattern(id)) {
            self.mention(Some(Mention::new(roles, any.iter().map(|id| spelled(id)))));
        }
    }

    fn add(&mut self, condition: &Condition) {
        match condition {
            Condition::EventType(any) => {
                let term = |name: &String| match EventKind::named(name) {
                    Some(EventKind::Extended(_)) | None => String::from(EXTENDED),
                    Some(standard) => String::from(standard.name()),
                };
                self.mention(Some(Mention::new(&[Role::Type], any.iter().map(term))));
            }
            Condition::Action(any) => {
                let names = any.iter().map(|action| String::from(Action::name(*action)));
                self.mention(Some(Mention::new(&[Role::Action], names)));
            }
            Condition::Time { field, comparison, at } => match field {
                TimeField::EventTime => self.happened.limit(*comparison, at.rounded()),
                TimeField::RecordTime => self.recorded.limit(*comparison, at.rounded()),
                TimeField::DeclarationTime => {
                    self.declared.limit(*comparison, at.rounded());
                    self.flag(Flag::Declared);
                }
                TimeField::SensorTime(_) | TimeField::SensorStart | TimeField::SensorEnd => {
                    self.flag(Flag::Sensors);
                }
            },
            Condition::Word { field, any } => match field {
                WordField::BizStep => self.plain(Role::BizStep, any),
                WordField::Disposition => self.plain(Role::Disposition, any),
                WordField::ErrorReason => self.flag(Flag::Declared),
                WordField::SensorType | WordField::SensorException | WordField::SensorComponent => {
                    self.flag(Flag::Sensors);
                }
                WordField::PersistentSet | WordField::PersistentUnset => {}
            },
            Condition::Place { field, any, .. } => self.ids(&[of_place(*field)], any),
            Condition::Typed { field, any, .. } => {
                let role = match field {
                    TypedField::BizTransaction => Role::Transaction,
                    TypedField::Source => Role::Source,
                    TypedField::Destination => Role::Destination,
                };
                self.ids(&[role], any);
            }
            Condition::Id { field, any } => match field {
                IdField::EventId => {
                    let asked: BTreeSet<String> = any.iter().cloned().collect();
                    self.names = Some(match self.names.take() {
                        Some(names) => names.intersection(&asked).cloned().collect(),
                        None => asked,
                    });
                }
                IdField::TransformationId => {
                    // Events of earlier days are found by the URN as it was sent.
                    let spellings = any.iter().flat_map(|id| {
                        [spelled(id), bounded(id.clone())].into_iter().chain(urns(id))
                    });
                    self.mention(Some(Mention::new(&[Role::Transformation], spellings)));
                }
                IdField::CorrectiveEventId => self.plain(Role::Corrective, any),
            },
            Condition::Match { field, any } => self.ids(of_things_matched(*field), any),
            Condition::SensorNumber { .. }
            | Condition::SensorText { .. }
            | Condition::SensorBoolean(_)
            | Condition::HasSensors => self.flag(Flag::Sensors),
            Condition::HasErrorDeclaration => self.flag(Flag::Declared),
            Condition::Extension(extension) => match extension.place {
                ExtensionPlace::ErrorDeclaration => self.flag(Flag::Declared),
                ExtensionPlace::SensorElement
                | ExtensionPlace::SensorMetadata
                | ExtensionPlace::SensorReport => self.flag(Flag::Sensors),
                _ => {}
            },
            // Told apart before; amounts are known to the event alone.
            Condition::Master { .. } | Condition::Quantity { .. } => {}
        }
    }
}

fn is_pattern(id: &str) -> bool {
    id.starts_with("urn:epc:idpat:")
}

const fn of_place(field: PlaceField) -> Role {
    match field {
        PlaceField::ReadPoint => Role::ReadPoint,
        PlaceField::BizLocation => Role::BizLocation,
    }
}

const fn of_things(field: MasterField) -> &'static [Role] {
    match field {
        MasterField::BizStep => &[Role::BizStep],
        MasterField::Disposition => &[Role::Disposition],
        MasterField::ReadPoint => &[Role::ReadPoint],
        MasterField::BizLocation => &[Role::BizLocation],
        MasterField::EpcClass => &[Role::Class, Role::InputClass, Role::OutputClass],
    }
}

const fn of_things_matched(field: MatchField) -> &'static [Role] {
    match field {
        MatchField::Epc => &[Role::Epc],
        MatchField::ParentId => &[Role::Parent],
        MatchField::InputEpc => &[Role::InputEpc],
        MatchField::OutputEpc => &[Role::OutputEpc],
        MatchField::AnyEpc => &[Role::Epc, Role::Parent, Role::InputEpc, Role::OutputEpc],
        MatchField::EpcClass => &[Role::Class],
        MatchField::InputEpcClass => &[Role::InputClass],
        MatchField::OutputEpcClass => &[Role::OutputClass],
        MatchField::AnyEpcClass => &[Role::Class, Role::InputClass, Role::OutputClass],
    }
}

/// Every URN that a GS1 key may have, whatever the length of its company prefix.
fn urns(id: &str) -> impl Iterator<Item = String> {
    let key = Epc::parse(id).map(|epc| epc.to_key()).or_else(|| Gs1Key::parse(id));
    let of = move |length| Some(Epc::from_key(key.as_ref()?, length)?.to_urn());
    (6..=12).filter_map(of)
}

/// Places and what lies in them: by their identifiers, by the registers, and by what anybody's master
/// data tells. None where they are too many.
async fn within(
    tx: &mut Tx,
    field: PlaceField,
    (any, sites): (&[String], &Sites),
) -> Result<Option<BTreeSet<String>>> {
    if any.iter().any(|id| is_pattern(id)) {
        return Ok(None);
    }
    let parts = sites.parts(tx, of_place(field), any).await?;
    let children = master::inside(tx, field, any).await?;
    let (Some(parts), Some(children)) = (parts, children) else { return Ok(None) };
    let inside = any.iter().flat_map(|id| sites.inside(id));
    let mut terms: BTreeSet<String> = any.iter().map(|id| spelled(id)).collect();
    terms.extend(inside.map(|link| spelled(&link)));
    terms.extend(parts);
    terms.extend(children);
    Ok((terms.len() <= TERMS_MAX).then_some(terms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_time_are_drawn_together() {
        let mut period = Period::ALWAYS;
        period.limit(Comparison::Ge, Instant(5));
        period.limit(Comparison::Gt, Instant(4));
        period.limit(Comparison::Lt, Instant(9));
        assert_eq!(period, Period { first: 5, last: 9 });
        period.limit(Comparison::Eq, Instant(7));
        assert_eq!(period, Period { first: 7, last: 7 });
    }
}
