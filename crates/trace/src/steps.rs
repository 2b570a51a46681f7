//! Events as a chain sees them: of a record that is long, the few things that a chain tells.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Mutex};

use rustc_hash::FxHashMap;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use yj_domain::{Domains, EventType};
use yj_kernel::{Place, Problem, Result, Row, Scope, Tx};
use yj_model::OffsetTime;

use crate::{
    balance::LinkRole,
    closure::TOGETHER,
    names::{self, Names},
    places,
    query::EVENT_COLUMNS,
    units::{Edge, Ways},
};

/// An event type in one version of its pack.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) domain: String,
    pub(crate) code: String,
    /// `None` where no version of its pack is at hand.
    pub(crate) spec: Option<EventType>,
}

/// One event of a chain. Texts that recur are numbers of [`Names`].
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) id: i64,
    pub(crate) uid: String,
    /// Number of its [`Kind`].
    pub(crate) kind: usize,
    pub(crate) stage: usize,
    pub(crate) subject: usize,
    /// Region of who supervises it.
    pub(crate) region: usize,
    /// 行政区划代码 of where it happened: its own place, or where its subject lay.
    pub(crate) place: usize,
    pub(crate) time: OffsetTime,
    /// Security label.
    pub(crate) label: i64,
    /// State on the ledger.
    pub(crate) anchor: Option<usize>,
    /// What a test found, by code.
    pub(crate) verdict: Option<String>,
    /// Number of the first document with it.
    pub(crate) document: Option<String>,
    /// Which ways lead to it; none where it only looked at something.
    pub(crate) ways: Ways,
    /// By role and number of the unit.
    pub(crate) edges: Vec<Edge>,
}

/// The event types of some steps, each once.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    all: Vec<Kind>,
    /// By the numbers of domain, version and type.
    numbers: FxHashMap<[usize; 3], usize>,
}

impl Kinds {
    fn number(&mut self, names: &mut Names, domains: &Domains, texts: [&str; 3]) -> usize {
        let key = texts.map(|text| names.number(text));
        *self.numbers.entry(key).or_insert_with(|| {
            let [domain, version, code] = texts;
            self.all.push(Kind {
                domain: String::from(domain),
                code: String::from(code),
                spec: domains.event(domain, version, code),
            });
            self.all.len() - 1
        })
    }

    pub(crate) fn of(&self, step: &Step) -> Option<&Kind> {
        self.all.get(step.kind)
    }
}

/// Columns for [`step`]; the table is called `e`.
const STEP: &str = "SELECT e.id, e.uid, e.domain, e.kind, e.stage, e.subject_id, e.region, \
     e.event_time, e.event_offset, e.body, e.label, e.pack_version, \
     (SELECT a.state FROM anchor_state a WHERE a.record = e.uid) FROM trace_event e";

/// Events by number and time, as links tell them, in the order of time. Their edges are still to come.
pub(crate) async fn read(
    tx: &mut Tx,
    mut told: Vec<(i64, i64)>,
    (names, kinds): (&Mutex<Names>, &mut Kinds),
) -> Result<Vec<Step>> {
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let domains = yj_domain::current(tx).await?;
    // What happened together lies together.
    told.sort_unstable_by_key(|(id, time)| (*time, *id));
    let mut steps = Vec::with_capacity(told.len());
    let parts: Vec<_> = told.chunks(TOGETHER).collect();
    places::rows_in_parts(tx, STEP, &parts, |rows| {
        let mut names = names::hold(names);
        for row in rows {
            steps.push(step(row, &domains, &mut names, kinds)?);
        }
        Ok(())
    })
    .await?;
    steps.sort_by_key(|step| (step.time.unix_ms(), step.id));
    Ok(steps)
}

fn step(row: &Row, domains: &Domains, names: &mut Names, kinds: &mut Kinds) -> Result<Step> {
    let body: Body<'_> = serde_json::from_str(row.text(9)?).map_err(Problem::internal)?;
    let kind = [row.text(2)?, row.text(11)?, row.text(3)?];
    Ok(Step {
        id: row.int(0)?,
        uid: String::from(row.text(1)?),
        kind: kinds.number(names, domains, kind),
        stage: names.number(row.text(4)?),
        subject: names.number(row.text(5)?),
        region: names.number(row.text(6)?),
        place: names.number(body.place.text.as_deref().unwrap_or(row.text(6)?)),
        time: OffsetTime::from_parts(row.int(7)?, row.int(8)?).map_err(Problem::internal)?,
        label: row.int(10)?,
        anchor: row.text_opt(12)?.map(|state| names.number(state)),
        verdict: body.attributes.text.map(Cow::into_owned),
        document: body.documents.text.map(Cow::into_owned),
        ways: Ways::default(),
        edges: Vec::new(),
    })
}

impl Step {
    /// When it happened (Unix ms), and its number.
    pub(crate) fn at(&self) -> (i64, i64) {
        (self.time.unix_ms(), self.id)
    }

    /// Whether what went in by this edge came out again under the same code.
    pub(crate) fn gives_back(&self, edge: &Edge) -> bool {
        let output = |other: &Edge| other.role == LinkRole::Output && other.unit == edge.unit;
        edge.role.goes_in() && self.edges.iter().any(output)
    }

    /// The package that it takes things out of.
    pub(crate) fn opened(&self) -> Option<usize> {
        opened(&self.edges)
    }

    /// Whether it is within reach, by the same columns that lists are limited by.
    pub(crate) fn is_within(&self, scope: &Scope, (names, kinds): (&Names, &Kinds)) -> bool {
        let place = Place {
            region: Some(names.text(self.region)),
            subject: Some(names.text(self.subject)),
            category: kinds.of(self).map(|kind| kind.domain.as_str()),
            stage: Some(names.text(self.stage)),
            label: Some(self.label),
            ..Place::default()
        };
        scope.covers(&EVENT_COLUMNS, &place)
    }
}

/// The package that an event with these edges takes things out of.
pub(crate) fn opened(edges: &[Edge]) -> Option<usize> {
    edges.iter().rev().find(|edge| edge.role == LinkRole::Opened).map(|edge| edge.unit)
}

/// What a chain reads of an event's body.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    place: Member<'a, Region>,
    #[serde(borrow)]
    attributes: Member<'a, Verdict>,
    #[serde(borrow)]
    documents: Member<'a, Number>,
}

/// Which member of an object.
trait Called {
    const NAME: &'static str;
}

#[derive(Default)]
struct Region;
#[derive(Default)]
struct Verdict;
#[derive(Default)]
struct Number;

impl Called for Region {
    const NAME: &'static str = "region";
}
impl Called for Verdict {
    const NAME: &'static str = "verdict";
}
impl Called for Number {
    const NAME: &'static str = "no";
}

/// One member of an object, or of the first in a list, if it is a text. Whatever else stands there is
/// passed over and kept nowhere.
#[derive(Default)]
struct Member<'a, C> {
    text: Option<Cow<'a, str>>,
    called: PhantomData<C>,
}

impl<'de: 'a, 'a, C: Called> Deserialize<'de> for Member<'a, C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Inside(C::NAME))?;
        Ok(Self { text, called: PhantomData })
    }
}

type Found<'de, E> = Result<Option<Cow<'de, str>>, E>;

/// Looks into an object or a list for a member of this name.
#[derive(Clone, Copy)]
struct Inside(&'static str);

impl<'de> DeserializeSeed<'de> for Inside {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A value that may be a text.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Whether a key is this one.
struct Is(&'static str);

impl<'de> DeserializeSeed<'de> for Is {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// What holds no text: numbers, truth values, nothing.
macro_rules! holds_nothing {
    () => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("any value")
        }
        fn visit_bool<E>(self, _: bool) -> Found<'de, E> {
            Ok(None)
        }
        fn visit_i64<E>(self, _: i64) -> Found<'de, E> {
            Ok(None)
        }
        fn visit_u64<E>(self, _: u64) -> Found<'de, E> {
            Ok(None)
        }
        fn visit_f64<E>(self, _: f64) -> Found<'de, E> {
            Ok(None)
        }
        fn visit_unit<E>(self) -> Found<'de, E> {
            Ok(None)
        }
    };
}

impl<'de> Visitor<'de> for Inside {
    type Value = Option<Cow<'de, str>>;
    holds_nothing!();

    fn visit_str<E>(self, _: &str) -> Found<'de, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Found<'de, A::Error> {
        let mut found = None;
        while let Some(wanted) = map.next_key_seed(Is(self.0))? {
            if wanted {
                found = map.next_value_seed(Text)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Found<'de, A::Error> {
        let first = list.next_element_seed(self)?.flatten();
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;
    holds_nothing!();

    fn visit_borrowed_str<E>(self, text: &'de str) -> Found<'de, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Found<'de, E> {
        Ok(Some(Cow::Owned(String::from(text))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Found<'de, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Found<'de, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\\n样]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let key = prop_oneof![Just("region"), Just("verdict"), Just("no"), Just("other")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((key.prop_map(String::from), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_body_says_what_it_says_when_it_is_read_whole(
            place in any_value(), attributes in any_value(), documents in any_value()
        ) {
            let whole = json!({
                "inputs": [], "place": place, "attributes": attributes, "documents": documents,
            });
            let text = whole.to_string();
            let body: Body<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(body.attributes.text.as_deref(), in_object(&whole["attributes"], "verdict"));
            prop_assert_eq!(body.place.text.as_deref(), in_object(&whole["place"], "region"));
            if whole["documents"].is_array() {
                prop_assert_eq!(
                    body.documents.text.as_deref(),
                    in_object(&whole["documents"][0], "no")
                );
            }
        }
    }

    /// A list, which none of these ever is, is looked into at its beginning.
    fn in_object<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
        match value {
            Value::Array(list) => in_object(list.first()?, name),
            value => value[name].as_str(),
        }
    }
}
