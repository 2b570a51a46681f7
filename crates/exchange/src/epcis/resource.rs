//! Top-level resources: what there is to ask for, and the events below each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_epcis::{Context, EPCIS_CONTEXT, EventKind, Vocabulary};
use yj_kernel::{Ctx, Problem, Tx};

use super::{
    header::EpcFormat,
    prepare::{EXTENDED, Role, bounded, spelled},
    problem::Result,
    seen::{self, Spelling},
    spelling::Companies,
};

/// One kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    EventTypes,
    Epcs,
    BizSteps,
    BizLocations,
    ReadPoints,
    Dispositions,
}

/// Members of one page.
pub(crate) const PER_PAGE: i64 = 30;
pub(crate) const PER_PAGE_MAX: i64 = 1000;

impl Resource {
    pub(crate) const ALL: [Self; 6] = [
        Self::EventTypes,
        Self::Epcs,
        Self::BizSteps,
        Self::BizLocations,
        Self::ReadPoints,
        Self::Dispositions,
    ];

    /// As paths name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EventTypes => "eventTypes",
            Self::Epcs => "epcs",
            Self::BizSteps => "bizSteps",
            Self::BizLocations => "bizLocations",
            Self::ReadPoints => "readPoints",
            Self::Dispositions => "dispositions",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::EventTypes => "事件类型",
            Self::Epcs => "物品标识",
            Self::BizSteps => "业务步骤",
            Self::BizLocations => "业务地点",
            Self::ReadPoints => "读取点",
            Self::Dispositions => "状态",
        }
    }

    /// The parameter that asks for the events of one.
    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::EventTypes => "eventType",
            Self::Epcs => "MATCH_anyEPC",
            Self::BizSteps => "EQ_bizStep",
            Self::BizLocations => "EQ_bizLocation",
            Self::ReadPoints => "EQ_readPoint",
            Self::Dispositions => "EQ_disposition",
        }
    }

    const fn roles(self) -> &'static [Role] {
        match self {
            Self::EventTypes => &[Role::Type],
            Self::Epcs => &[Role::Epc, Role::Parent, Role::InputEpc, Role::OutputEpc],
            Self::BizSteps => &[Role::BizStep],
            Self::BizLocations => &[Role::BizLocation],
            Self::ReadPoints => &[Role::ReadPoint],
            Self::Dispositions => &[Role::Disposition],
        }
    }

    /// Those that there are whether or not an event mentions them.
    const fn standing(self) -> &'static [&'static str] {
        match self {
            Self::EventTypes => &[
                "AggregationEvent",
                "AssociationEvent",
                "ObjectEvent",
                "TransactionEvent",
                "TransformationEvent",
            ],
            _ => &[],
        }
    }

    const fn vocabulary(self) -> Option<Vocabulary> {
        match self {
            Self::BizSteps => Some(Vocabulary::BizStep),
            Self::Dispositions => Some(Vocabulary::Disposition),
            _ => None,
        }
    }

    fn words(self) -> &'static [&'static str] {
        self.vocabulary().map_or_else(|| self.standing(), Vocabulary::words)
    }

    /// Those from `after` on, and where the next page begins. The standard's own words come with
    /// those that events within reach mention.
    pub(crate) async fn list(
        self,
        ctx: &Ctx,
        tx: &mut Tx,
        (per_page, after): (i64, Option<&str>),
    ) -> Result<(Vec<String>, Option<String>)> {
        let found =
            seen::list(ctx, tx, (self.roles(), after.unwrap_or_default(), per_page + 1)).await?;
        let mut found: Vec<String> = found.into_iter().collect();
        let later = |word: &&&str| after.is_none_or(|after| **word > after);
        found.extend(self.words().iter().filter(later).map(|word| String::from(*word)));
        found.sort_unstable();
        found.dedup();
        let limit = usize::try_from(per_page).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).cloned();
        found.retain(|raw| !raw.starts_with("sm3:"));
        Ok((found, next))
    }

    /// Whether its members are identifiers, which have several spellings.
    pub(crate) fn holds_identifiers(self) -> bool {
        matches!(self, Self::Epcs | Self::BizLocations | Self::ReadPoints)
    }

    /// Members of a list as they are asked for, and how they then are. Of several spellings that
    /// become one, the first in the order of the list is told and no other.
    pub(crate) async fn written(
        self,
        ctx: &Ctx,
        tx: &mut Tx,
        (members, format): (Vec<String>, EpcFormat),
    ) -> Result<(Vec<String>, EpcFormat)> {
        if !self.holds_identifiers() || !format.translates() {
            return Ok((members, format));
        }
        let terms: BTreeSet<String> = members.iter().map(|raw| spelled(raw)).collect();
        let spellings = seen::spellings(ctx, tx, (self.roles(), &terms)).await?;
        let mut known: BTreeMap<&str, Vec<&Spelling>> = BTreeMap::new();
        for one in &spellings {
            known.entry(&one.term).or_default().push(one);
        }
        let subjects: BTreeSet<&str> = spellings.iter().map(|one| one.subject.as_str()).collect();
        let names = members.iter().map(String::as_str);
        let companies = Companies::of_names(tx, (names, subjects), format).await?;
        let (mut told, mut all) = (Vec::with_capacity(members.len()), true);
        for raw in members {
            let ways = known.get(spelled(&raw).as_str()).map(Vec::as_slice).unwrap_or_default();
            if ways.iter().any(|way| way.raw < raw && !way.raw.starts_with("sm3:")) {
                continue;
            }
            let subjects: Vec<&str> = ways.iter().map(|way| way.subject.as_str()).collect();
            let (name, whole) = companies.written((&raw, &subjects), format);
            all &= whole;
            told.push(name.unwrap_or(raw));
        }
        Ok((told, if all { format } else { EpcFormat::AnyWay }))
    }

    /// Refuses one that no event within reach mentions and the standard does not know. Prefixes are
    /// those that the client declares.
    pub(crate) async fn require(
        self,
        ctx: &Ctx,
        tx: &mut Tx,
        (value, prefixes): (&str, &Context),
    ) -> Result<()> {
        let compact = self.vocabulary().map_or(value, |list| list.compact(value));
        if self.words().contains(&compact) {
            return Ok(());
        }
        let term = match self {
            Self::EventTypes => String::from(EXTENDED),
            Self::BizSteps | Self::Dispositions => bounded(
                self.vocabulary()
                    .map_or_else(|| value.into(), |list| list.expand(value))
                    .into_owned(),
            ),
            _ => spelled(value),
        };
        let known = self != Self::EventTypes || EventKind::named(value).is_some();
        let sound = known && !value.chars().any(char::is_control);
        if sound {
            let sent = (self == Self::EventTypes).then(|| {
                let whole = prefixes.resolve(value);
                let whole = whole.map(|(namespace, local)| format!("{namespace}{local}"));
                bounded(whole.unwrap_or_else(|| value.into()))
            });
            if seen::is_known(ctx, tx, (self.roles(), &term, sent.as_deref())).await? {
                return Ok(());
            }
        }
        Err(Problem::NotFound(self.title()).into())
    }
}

/// A list of names as the binding writes it.
pub(crate) fn collection(members: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    let members: Vec<Value> = members.into_iter().map(Into::into).collect();
    json!({ "@context": EPCIS_CONTEXT, "type": "Collection", "member": members })
}
