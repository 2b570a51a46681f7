//! One event: what was sent, and beside it what the standard makes of it.

use std::sync::Arc;

use crate::{
    check::{check_event_within, is_uri},
    context::Context,
    decimal::Decimal,
    fault::Fault,
    json::Json,
    time::{Instant, Moment},
    vocabulary::Vocabulary,
};

/// Which of the five kinds, or one of somebody's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// 对象事件, §7.4.2
    Object,
    /// 聚合事件, §7.4.3
    Aggregation,
    /// 交易事件, §7.4.4
    Transaction,
    /// 转化事件, §7.4.5
    Transformation,
    /// 关联事件, §7.4.6
    Association,
    /// 自定义事件, by its URI.
    Extended(String),
}

impl EventKind {
    /// The kind that `type` names; `None` when it is neither a kind nor a URI.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ObjectEvent" => Self::Object,
            "AggregationEvent" => Self::Aggregation,
            "TransactionEvent" => Self::Transaction,
            "TransformationEvent" => Self::Transformation,
            "AssociationEvent" => Self::Association,
            other if is_uri(other) => Self::Extended(other.to_owned()),
            _ => return None,
        })
    }

    /// As `type` writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Object => "ObjectEvent",
            Self::Aggregation => "AggregationEvent",
            Self::Transaction => "TransactionEvent",
            Self::Transformation => "TransformationEvent",
            Self::Association => "AssociationEvent",
            Self::Extended(uri) => uri,
        }
    }
}

/// 动作
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The objects come into being, or are joined.
    Add,
    /// The objects were seen.
    Observe,
    /// The objects cease to be, or are parted.
    Delete,
}

impl Action {
    /// `ADD`, `OBSERVE` or `DELETE`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ADD" => Some(Self::Add),
            "OBSERVE" => Some(Self::Observe),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }

    /// As `action` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Observe => "OBSERVE",
            Self::Delete => "DELETE",
        }
    }
}

/// An amount of a class of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityElement {
    /// Which class.
    pub epc_class: String,
    /// How much; absent when it is not known.
    pub quantity: Option<Decimal>,
    /// UN/ECE Recommendation 20; absent for a count.
    pub uom: Option<String>,
}

/// A business transaction, source or destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedId {
    /// Web URI of its type.
    pub kind: Option<String>,
    /// Which one.
    pub id: String,
}

/// 更正声明: the event should never have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorDeclaration {
    /// When that was said.
    pub declaration_time: Instant,
    /// Web URI of the reason.
    pub reason: Option<String>,
    /// Events that stand in its place.
    pub corrective_event_ids: Vec<String>,
}

/// What is common to a series of readings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensorMetadata {
    /// When it was read.
    pub time: Option<Instant>,
    /// When the period began.
    pub start_time: Option<Instant>,
    /// When the period ended.
    pub end_time: Option<Instant>,
    /// Which device.
    pub device_id: Option<String>,
    /// About the device.
    pub device_metadata: Option<String>,
    /// Where the raw data is.
    pub raw_data: Option<String>,
    /// How the data was processed.
    pub data_processing_method: Option<String>,
    /// Which rules applied.
    pub biz_rules: Option<String>,
}

/// One reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensorReport {
    /// Web URI of what was measured; a report of an exception may say nothing of it.
    pub kind: Option<String>,
    /// Web URI of the alert.
    pub exception: Option<String>,
    /// Web URI of the component of a vector.
    pub component: Option<String>,
    /// When it was read.
    pub time: Option<Instant>,
    /// Unit of the numbers.
    pub uom: Option<String>,
    /// The numbers by their names: `value`, `minValue`, `maxValue`, `meanValue`, `sDev`,
    /// `percRank`, `percValue`.
    pub numbers: Vec<(&'static str, Decimal)>,
    /// The texts by their names: `deviceID`, `deviceMetadata`, `rawData`,
    /// `dataProcessingMethod`, `bizRules`, `microorganism`, `chemicalSubstance`,
    /// `coordinateReferenceSystem`, `stringValue`, `hexBinaryValue`, `uriValue`.
    pub texts: Vec<(&'static str, String)>,
    /// A reading that is yes or no.
    pub boolean_value: Option<bool>,
}

/// Readings that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorElement {
    /// What is common to them.
    pub metadata: SensorMetadata,
    /// The readings.
    pub reports: Vec<SensorReport>,
}

/// A checked event. Words of the vocabularies are Web URIs here, however they were sent; what was
/// sent is kept whole in [`Event::source`], extensions and all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the standard")]
pub struct Event {
    source: Json,
    context: Arc<Context>,
    pub kind: EventKind,
    pub event_time: Instant,
    pub event_time_zone_offset: String,
    pub record_time: Option<Instant>,
    pub event_id: Option<String>,
    pub certification_info: Vec<String>,
    pub error_declaration: Option<ErrorDeclaration>,
    pub action: Option<Action>,
    pub biz_step: Option<String>,
    pub disposition: Option<String>,
    pub persistent_set: Vec<String>,
    pub persistent_unset: Vec<String>,
    pub read_point: Option<String>,
    pub biz_location: Option<String>,
    pub parent_id: Option<String>,
    pub epc_list: Vec<String>,
    pub child_epcs: Vec<String>,
    pub input_epc_list: Vec<String>,
    pub output_epc_list: Vec<String>,
    pub quantity_list: Vec<QuantityElement>,
    pub child_quantity_list: Vec<QuantityElement>,
    pub input_quantity_list: Vec<QuantityElement>,
    pub output_quantity_list: Vec<QuantityElement>,
    pub transformation_id: Option<String>,
    pub biz_transactions: Vec<TypedId>,
    pub sources: Vec<TypedId>,
    pub destinations: Vec<TypedId>,
    pub sensors: Vec<SensorElement>,
}

impl Event {
    /// Checks an event of a document whose `@context` is given; all faults at once, at most
    /// `faults_max` of them.
    pub fn new(
        source: Json,
        document: &Arc<Context>,
        faults_max: usize,
    ) -> Result<Self, Vec<Fault>> {
        let context = Self::within(&source, document);
        let faults = check_event_within(&source, &context, faults_max);
        if !faults.is_empty() {
            return Err(faults);
        }
        let unreadable = || vec![Fault { pointer: String::new(), detail: "应为事件".into() }];
        view(source, context).ok_or_else(unreadable)
    }

    /// An event that was checked when it came, by the rules of that day; `None` when it is none.
    pub fn kept(source: Json, document: &Arc<Context>) -> Option<Self> {
        let context = Self::within(&source, document);
        view(source, context)
    }

    fn within(source: &Json, document: &Arc<Context>) -> Arc<Context> {
        match source.get("@context") {
            Some(inner) => Arc::new(document.within(Some(inner))),
            None => Arc::clone(document),
        }
    }

    /// The event exactly as it was sent.
    pub fn source(&self) -> &Json {
        &self.source
    }

    /// When it happened, as fine as that was sent.
    pub fn moment(&self) -> Moment {
        let sent = self.source.text_of("eventTime").and_then(Moment::parse);
        sent.unwrap_or_else(|| self.event_time.into())
    }

    /// What the prefixes in [`Event::source`] mean.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

fn view(source: Json, context: Arc<Context>) -> Option<Event> {
    let text = |name: &str| source.text_of(name).map(String::from);
    let uri = |name: &str| Some(context.expand(source.text_of(name)?).into_owned());
    let uris = |name: &str| {
        let mut uris = texts(source.get(name));
        context.expand_all(&mut uris);
        uris
    };
    let place = |name: &str| Some(context.expand(source.get(name)?.text_of("id")?).into_owned());
    let word = |name: &str, list: Vocabulary| Some(meant(&context, list, source.text_of(name)?));
    let persistent = |name: &str| {
        let words = source.get("persistentDisposition").and_then(|states| states.get(name));
        let words = texts(words).into_iter();
        words.map(|word| meant(&context, Vocabulary::Disposition, &word)).collect()
    };
    let quantities = |name: &str| quantities(&context, source.get(name));
    let typed = |list: &str, name: &str, kinds| typed(&context, source.get(list), (name, kinds));
    let error = |value| error_declaration(&context, value);
    let sensors = items(source.get("sensorElementList")).iter();
    let sensors = sensors.map(|element| sensor(&context, element)).collect();
    Some(Event {
        kind: EventKind::named(source.text_of("type")?)?,
        event_time: Instant::parse(source.text_of("eventTime")?)?,
        event_time_zone_offset: text("eventTimeZoneOffset")?,
        record_time: source.text_of("recordTime").and_then(Instant::parse),
        event_id: text("eventID"),
        certification_info: match source.get("certificationInfo") {
            Some(Json::Text(one)) => vec![context.expand(one).into_owned()],
            _ => uris("certificationInfo"),
        },
        error_declaration: source.get("errorDeclaration").and_then(error),
        action: source.text_of("action").and_then(Action::named),
        biz_step: word("bizStep", Vocabulary::BizStep),
        disposition: word("disposition", Vocabulary::Disposition),
        persistent_set: persistent("set"),
        persistent_unset: persistent("unset"),
        read_point: place("readPoint"),
        biz_location: place("bizLocation"),
        parent_id: uri("parentID"),
        epc_list: uris("epcList"),
        child_epcs: uris("childEPCs"),
        input_epc_list: uris("inputEPCList"),
        output_epc_list: uris("outputEPCList"),
        quantity_list: quantities("quantityList"),
        child_quantity_list: quantities("childQuantityList"),
        input_quantity_list: quantities("inputQuantityList"),
        output_quantity_list: quantities("outputQuantityList"),
        transformation_id: uri("transformationID"),
        biz_transactions: typed(
            "bizTransactionList",
            "bizTransaction",
            Vocabulary::BizTransactionType,
        ),
        sources: typed("sourceList", "source", Vocabulary::SourceDestType),
        destinations: typed("destinationList", "destination", Vocabulary::SourceDestType),
        sensors,
        context,
        source,
    })
}

/// A word of a list as its Web URI, also where it is written with a prefix of the document.
fn meant(context: &Context, list: Vocabulary, word: &str) -> String {
    list.expand(&context.expand(word)).into_owned()
}

fn items(list: Option<&Json>) -> &[Json] {
    list.map(Json::items).unwrap_or_default()
}

fn texts(list: Option<&Json>) -> Vec<String> {
    items(list).iter().filter_map(Json::as_text).map(String::from).collect()
}

fn quantities(context: &Context, list: Option<&Json>) -> Vec<QuantityElement> {
    let one = |item: &Json| {
        Some(QuantityElement {
            epc_class: context.expand(item.text_of("epcClass")?).into_owned(),
            quantity: item.get("quantity").and_then(Json::scalar).and_then(Decimal::parse),
            uom: item.text_of("uom").map(String::from),
        })
    };
    items(list).iter().filter_map(one).collect()
}

fn typed(
    context: &Context,
    list: Option<&Json>,
    (name, kinds): (&str, Vocabulary),
) -> Vec<TypedId> {
    let one = |item: &Json| {
        let kind = item.text_of("type").map(|kind| meant(context, kinds, kind));
        Some(TypedId { kind, id: context.expand(item.text_of(name)?).into_owned() })
    };
    items(list).iter().filter_map(one).collect()
}

fn error_declaration(context: &Context, value: &Json) -> Option<ErrorDeclaration> {
    let reason = value.text_of("reason");
    Some(ErrorDeclaration {
        declaration_time: Instant::parse(value.text_of("declarationTime")?)?,
        reason: reason.map(|reason| meant(context, Vocabulary::ErrorReason, reason)),
        corrective_event_ids: texts(value.get("correctiveEventIDs")),
    })
}

fn sensor(context: &Context, element: &Json) -> SensorElement {
    let metadata = element.get("sensorMetadata");
    let metadata = metadata.map(|value| sensor_metadata(context, value)).unwrap_or_default();
    let reports = items(element.get("sensorReport")).iter();
    let reports = reports.map(|report| sensor_report(context, report)).collect();
    SensorElement { metadata, reports }
}

fn sensor_metadata(context: &Context, value: &Json) -> SensorMetadata {
    let time = |name: &str| value.text_of(name).and_then(Instant::parse);
    let text = |name: &str| value.text_of(name).map(|text| context.expand(text).into_owned());
    SensorMetadata {
        time: time("time"),
        start_time: time("startTime"),
        end_time: time("endTime"),
        device_id: text("deviceID"),
        device_metadata: text("deviceMetadata"),
        raw_data: text("rawData"),
        data_processing_method: text("dataProcessingMethod"),
        biz_rules: text("bizRules"),
    }
}

/// The numbers of a reading.
pub(crate) const SENSOR_NUMBERS: [&str; 7] =
    ["value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"];

/// Of the texts of a reading those that are no URIs.
pub(crate) const FREE_TEXTS: [&str; 2] = ["stringValue", "hexBinaryValue"];

/// The texts of a reading.
pub(crate) const SENSOR_TEXTS: [&str; 11] = [
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "bizRules",
    "microorganism",
    "chemicalSubstance",
    "coordinateReferenceSystem",
    "stringValue",
    "hexBinaryValue",
    "uriValue",
];

fn sensor_report(context: &Context, value: &Json) -> SensorReport {
    let word =
        |name: &str, list: Vocabulary| value.text_of(name).map(|word| meant(context, list, word));
    let number =
        |name: &'static str| Some((name, Decimal::parse(value.get(name).and_then(Json::scalar)?)?));
    let text = |name: &'static str| {
        let text = value.text_of(name)?;
        let is_free = FREE_TEXTS.contains(&name);
        Some((name, if is_free { text.to_owned() } else { context.expand(text).into_owned() }))
    };
    SensorReport {
        kind: word("type", Vocabulary::Measurement),
        exception: word("exception", Vocabulary::Alert),
        component: word("component", Vocabulary::Component),
        time: value.text_of("time").and_then(Instant::parse),
        uom: value.text_of("uom").map(String::from),
        numbers: SENSOR_NUMBERS.into_iter().filter_map(number).collect(),
        texts: SENSOR_TEXTS.into_iter().filter_map(text).collect(),
        boolean_value: match value.get("booleanValue") {
            Some(Json::Bool(value)) => Some(*value),
            _ => None,
        },
    }
}
