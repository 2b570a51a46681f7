//! What a query asks for.

use super::extension::ExtensionPlace;
use crate::{decimal::Decimal, event::Action, time::Moment};

/// A query. An event is meant when it fulfils every condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these.
    pub conditions: Vec<Condition>,
    /// In which order; any when absent.
    pub order_by: Option<OrderBy>,
    /// Which end comes first; says nothing where no order is asked for.
    pub direction: Direction,
    /// So many events at most, the first in the order: `eventCountLimit`.
    pub event_count_limit: Option<u64>,
    /// If there are more, the query fails: `maxEventCount`.
    pub max_event_count: Option<u64>,
    /// Events of one page.
    pub per_page: Option<u64>,
    /// Where the last page ended.
    pub next_page_token: Option<String>,
}

/// `orderBy`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderBy {
    /// When it happened.
    EventTime,
    /// When it was recorded.
    RecordTime,
    /// An extension of the event.
    Field(FieldName),
}

/// `orderDirection`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first; the default of the standard.
    #[default]
    Descending,
}

/// How a number or a time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "as the parameters abbreviate them")]
pub enum Comparison {
    Eq,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Comparison {
    /// Whether an ordering of event to query fulfils this.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
        }
    }
}

/// A time that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum TimeField {
    EventTime,
    RecordTime,
    DeclarationTime,
    /// `time` of the metadata, of a report, or of either.
    SensorTime(SensorPart),
    SensorStart,
    SensorEnd,
}

/// Where in a sensor element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum SensorPart {
    Metadata,
    Report,
    Either,
}

impl SensorPart {
    /// Whether the metadata counts.
    pub fn metadata(self) -> bool {
        self != Self::Report
    }

    /// Whether the reports count.
    pub fn reports(self) -> bool {
        self != Self::Metadata
    }
}

/// A field that holds a word of a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum WordField {
    BizStep,
    Disposition,
    PersistentSet,
    PersistentUnset,
    ErrorReason,
    SensorType,
    SensorException,
    SensorComponent,
}

/// A field that holds a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum PlaceField {
    ReadPoint,
    BizLocation,
}

/// A list whose items have types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum TypedField {
    BizTransaction,
    Source,
    Destination,
}

/// A field that holds an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum IdField {
    TransformationId,
    EventId,
    CorrectiveEventId,
}

/// A field whose values master data may tell more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum MasterField {
    BizStep,
    Disposition,
    ReadPoint,
    BizLocation,
    EpcClass,
}

/// Which objects `MATCH_…` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum MatchField {
    Epc,
    ParentId,
    InputEpc,
    OutputEpc,
    AnyEpc,
    EpcClass,
    InputEpcClass,
    OutputEpcClass,
    AnyEpcClass,
}

/// One condition. Where several values stand, any of them will do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Condition {
    /// `eventType`
    EventType(Vec<String>),
    /// `EQ_action`
    Action(Vec<Action>),
    /// `GE_eventTime` and its like.
    Time { field: TimeField, comparison: Comparison, at: Moment },
    /// `EQ_bizStep` and its like, with Web URIs.
    Word { field: WordField, any: Vec<String> },
    /// `EQ_readPoint`; with `descendants`, `WD_readPoint`.
    Place { field: PlaceField, descendants: bool, any: Vec<String> },
    /// `EQ_bizTransaction_po`, with the Web URI of the type.
    Typed { field: TypedField, kind: String, any: Vec<String> },
    /// `EQ_eventID` and its like.
    Id { field: IdField, any: Vec<String> },
    /// `MATCH_epc` and its like.
    Match { field: MatchField, any: Vec<String> },
    /// `GE_quantity_KGM`; without unit, whatever the unit of the event is.
    Quantity { comparison: Comparison, any: Vec<Decimal>, uom: Option<String> },
    /// `GE_minValue_CEL`; without unit, whatever the unit of the report is.
    SensorNumber {
        field: &'static str,
        comparison: Comparison,
        any: Vec<Decimal>,
        uom: Option<String>,
    },
    /// `EQ_deviceID` and its like.
    SensorText { field: &'static str, part: SensorPart, any: Vec<String> },
    /// `EQ_booleanValue`
    SensorBoolean(bool),
    /// `EXISTS_errorDeclaration`
    HasErrorDeclaration,
    /// `EXISTS_sensorElementList`
    HasSensors,
    /// `HASATTR_bizLocation` and its like: master data gives the value of the field any of these
    /// attributes, each named by [`attribute_key`](crate::attribute_key); with `values`,
    /// `EQATTR_bizLocation_…`, and with any of these values.
    Master { field: MasterField, names: Vec<String>, values: Option<Vec<String>> },
    /// Anything about an extension.
    Extension(Extension),
}

/// A condition on an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Where it stands.
    pub place: ExtensionPlace,
    /// Somewhere inside the extensions there, rather than directly.
    pub inner: bool,
    /// Which one.
    pub name: FieldName,
    /// What of it.
    pub test: ExtensionTest,
}

/// Namespace and local name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldName {
    /// Without a `#` at its end, which some put between both; empty for names without.
    pub namespace: String,
    /// The rest.
    pub local: String,
}

/// What is asked of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionTest {
    /// It is there.
    Exists,
    /// It has any of these values.
    Equals(Vec<ExtensionValue>),
    /// It is more or less than this number or time.
    Compares(Comparison, ExtensionValue),
    /// It has any of these attributes: `HASATTR_…`
    HasAttribute(Vec<FieldName>),
    /// Its attribute has any of these values: `EQATTR_…`
    AttributeEquals(FieldName, Vec<String>),
}

/// A value as a query writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionValue {
    /// A number.
    Number(Decimal),
    /// A time.
    Time(Moment),
    /// Any other text.
    Text(String),
}

impl ExtensionValue {
    /// Reads what a parameter or an event says.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(number) = Decimal::parse(text) {
            return Self::Number(number);
        }
        Moment::parse(text).map_or_else(|| Self::Text(text.to_owned()), Self::Time)
    }

    /// Reads a value that is to be equal to another. What begins with a zero as numbers do not, such as
    /// a lot `0012`, is a name, and no other name for 12.
    pub fn named(text: &str) -> Self {
        let text = text.trim();
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
        match digits {
            [b'0', next, ..] if next.is_ascii_digit() && Moment::parse(text).is_none() => {
                Self::Text(text.to_owned())
            }
            _ => Self::read(text),
        }
    }

    /// How the other compares to this; `None` for different kinds.
    pub fn order_of(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (other, self) {
            (Self::Number(one), Self::Number(two)) => Some(one.cmp(two)),
            (Self::Time(one), Self::Time(two)) => Some(one.cmp(two)),
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }
}
