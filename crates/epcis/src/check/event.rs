//! The five kinds of event and those of somebody's own.

use super::{
    expressible,
    identifier::Names,
    quantity,
    shape::{ANY_LIST, Field, Kind, List, Others, Shape, may, must, must_without},
};
use crate::{
    context::Context,
    event::EventKind,
    fault::{Fault, Faults, Path},
    json::Json,
    vocabulary::Vocabulary,
};

const URIS: Kind = Kind::List(&Kind::Uri, ANY_LIST);
const ONE: Kind = Kind::Identifier(Names::One);
const ANY: Kind = Kind::Identifier(Names::Any);
const THINGS: Kind = Kind::List(&ONE, ANY_LIST);
const UNIQUE_THINGS: Kind = Kind::List(&ONE, List { min: 0, unique: true });
const STATES: Kind =
    Kind::List(&Kind::Word(Vocabulary::Disposition), List { min: 1, unique: true });
const QUANTITIES: Kind = Kind::List(&Kind::Object(&QUANTITY), ANY_LIST);
const TRANSACTIONS: Kind = Kind::List(&Kind::Object(&BIZ_TRANSACTION), ANY_LIST);
const ACTION: Kind = Kind::Choice(&["OBSERVE", "ADD", "DELETE"]);

static QUANTITY: Shape = Shape {
    fields: &[&[
        must("epcClass", Kind::Identifier(Names::Class)),
        may("quantity", Kind::Number),
        may("uom", Kind::Unit),
    ]],
    others: Others::Nothing,
};

static BIZ_TRANSACTION: Shape = Shape {
    fields: &[&[
        may("type", Kind::Word(Vocabulary::BizTransactionType)),
        must("bizTransaction", ANY),
    ]],
    others: Others::Nothing,
};

static SOURCE: Shape = Shape {
    fields: &[&[must("type", Kind::Word(Vocabulary::SourceDestType)), must("source", ANY)]],
    others: Others::Nothing,
};

static DESTINATION: Shape = Shape {
    fields: &[&[must("type", Kind::Word(Vocabulary::SourceDestType)), must("destination", ANY)]],
    others: Others::Nothing,
};

static PLACE: Shape = Shape { fields: &[&[must("id", ONE)]], others: Others::Anything };

static PERSISTENT: Shape =
    Shape { fields: &[&[may("set", STATES), may("unset", STATES)]], others: Others::Nothing };

static METADATA: Shape = Shape {
    fields: &[&[
        may("time", Kind::Time),
        may("startTime", Kind::Time),
        may("endTime", Kind::Time),
        may("deviceID", ANY),
        may("deviceMetadata", Kind::Uri),
        may("rawData", Kind::Uri),
        may("dataProcessingMethod", Kind::Uri),
        may("bizRules", Kind::Uri),
    ]],
    others: Others::Namespaced,
};

static REPORT: Shape = Shape {
    fields: &[&[
        must_without("type", Kind::Word(Vocabulary::Measurement), "exception"),
        may("exception", Kind::Word(Vocabulary::Alert)),
        may("deviceID", ANY),
        may("deviceMetadata", Kind::Uri),
        may("rawData", Kind::Uri),
        may("dataProcessingMethod", Kind::Uri),
        may("bizRules", Kind::Uri),
        may("time", Kind::Time),
        may("microorganism", Kind::Uri),
        may("chemicalSubstance", Kind::Uri),
        may("coordinateReferenceSystem", Kind::Uri),
        may("value", Kind::Number),
        may("component", Kind::Word(Vocabulary::Component)),
        may("stringValue", Kind::Text),
        may("booleanValue", Kind::Boolean),
        may("hexBinaryValue", Kind::Hexadecimal),
        may("uriValue", Kind::Uri),
        may("minValue", Kind::Number),
        may("maxValue", Kind::Number),
        may("meanValue", Kind::Number),
        may("sDev", Kind::Number),
        may("percRank", Kind::Number),
        may("percValue", Kind::Number),
        may("uom", Kind::Text),
    ]],
    others: Others::Namespaced,
};

static SENSOR: Shape = Shape {
    fields: &[&[
        may("sensorMetadata", Kind::Object(&METADATA)),
        must("sensorReport", Kind::List(&Kind::Object(&REPORT), List { min: 1, unique: false })),
    ]],
    others: Others::Namespaced,
};

static ILMD: Shape = Shape { fields: &[], others: Others::Namespaced };

static ERROR: Shape = Shape {
    fields: &[&[
        must("declarationTime", Kind::Time),
        may("reason", Kind::Word(Vocabulary::ErrorReason)),
        may("correctiveEventIDs", URIS),
    ]],
    others: Others::Namespaced,
};

static COMMON: [Field; 8] = [
    may("@context", Kind::Context),
    must("type", Kind::Text),
    must("eventTime", Kind::Time),
    may("recordTime", Kind::Time),
    must("eventTimeZoneOffset", Kind::Zone),
    may("eventID", Kind::Uri),
    may("certificationInfo", Kind::OneOrMany(&Kind::Uri)),
    may("errorDeclaration", Kind::Object(&ERROR)),
];

/// What, where and why, as all five have it.
static CIRCUMSTANCES: [Field; 8] = [
    may("bizStep", Kind::Word(Vocabulary::BizStep)),
    may("disposition", Kind::Word(Vocabulary::Disposition)),
    may("persistentDisposition", Kind::Object(&PERSISTENT)),
    may("readPoint", Kind::Object(&PLACE)),
    may("bizLocation", Kind::Object(&PLACE)),
    may("sourceList", Kind::List(&Kind::Object(&SOURCE), ANY_LIST)),
    may("destinationList", Kind::List(&Kind::Object(&DESTINATION), ANY_LIST)),
    may("sensorElementList", Kind::List(&Kind::Object(&SENSOR), ANY_LIST)),
];

static OBJECT: Shape = Shape {
    fields: &[
        &COMMON,
        &CIRCUMSTANCES,
        &[
            must("action", ACTION),
            may("epcList", UNIQUE_THINGS),
            may("quantityList", QUANTITIES),
            may("bizTransactionList", TRANSACTIONS),
            may("ilmd", Kind::Object(&ILMD)),
        ],
    ],
    others: Others::Namespaced,
};

static AGGREGATION: Shape = Shape {
    fields: &[
        &COMMON,
        &CIRCUMSTANCES,
        &[
            must("action", ACTION),
            may("parentID", ONE),
            may("childEPCs", THINGS),
            may("childQuantityList", QUANTITIES),
            may("bizTransactionList", TRANSACTIONS),
        ],
    ],
    others: Others::Namespaced,
};

static ASSOCIATION: Shape = Shape {
    fields: &[
        &COMMON,
        &CIRCUMSTANCES,
        &[
            must("action", ACTION),
            must("parentID", ONE),
            may("childEPCs", THINGS),
            may("childQuantityList", QUANTITIES),
            may("bizTransactionList", TRANSACTIONS),
        ],
    ],
    others: Others::Namespaced,
};

static TRANSACTION: Shape = Shape {
    fields: &[
        &COMMON,
        &CIRCUMSTANCES,
        &[
            must("action", ACTION),
            may("parentID", ONE),
            may("epcList", THINGS),
            may("quantityList", QUANTITIES),
            must(
                "bizTransactionList",
                Kind::List(&Kind::Object(&BIZ_TRANSACTION), List { min: 1, unique: false }),
            ),
        ],
    ],
    others: Others::Namespaced,
};

static TRANSFORMATION: Shape = Shape {
    fields: &[
        &COMMON,
        &CIRCUMSTANCES,
        &[
            may("inputEPCList", UNIQUE_THINGS),
            may("inputQuantityList", QUANTITIES),
            may("outputEPCList", UNIQUE_THINGS),
            may("outputQuantityList", QUANTITIES),
            may("transformationID", ANY),
            may("bizTransactionList", TRANSACTIONS),
            may("ilmd", Kind::Object(&ILMD)),
        ],
    ],
    others: Others::Namespaced,
};

/// Of an event of somebody's own kind only the time is known.
static EXTENDED: Shape = Shape { fields: &[&COMMON], others: Others::Anything };

/// Everything that is wrong with one event, at most `faults_max` things; empty when it is sound.
/// What prefixes mean is not asked; see [`check_event_within`].
pub fn check_event(event: &Json, faults_max: usize) -> Vec<Fault> {
    let mut faults = Faults::new(faults_max);
    check(event, &Path::ROOT, &mut faults);
    faults.into_list()
}

/// The same where it is known what prefixes mean, with the event's own `@context` among them: then
/// also names that mean nothing, and whatever XML could not say.
pub fn check_event_within(event: &Json, context: &Context, faults_max: usize) -> Vec<Fault> {
    let mut faults = Faults::new(faults_max);
    check(event, &Path::ROOT, &mut faults);
    expressible::check(event, context, &mut faults);
    faults.into_list()
}

fn check(event: &Json, path: &Path<'_>, faults: &mut Faults) {
    let Some(name) = event.text_of("type") else {
        return EXTENDED.check(event, path, faults);
    };
    let Some(kind) = EventKind::named(name) else {
        return faults.note(
            &path.key("type"),
            "应为 ObjectEvent、AggregationEvent、TransactionEvent、TransformationEvent、\
             AssociationEvent 之一，或自定义事件的 URI",
        );
    };
    shape_of(&kind).check(event, path, faults);
    let stateless =
        |persistent: &Json| persistent.get("set").or_else(|| persistent.get("unset")).is_none();
    if event.get("persistentDisposition").is_some_and(stateless) {
        faults.note(&path.key("persistentDisposition"), "应有 set 或 unset");
    }
    if let Some(wanted) = lacks(&kind, event) {
        faults.note(path, wanted);
    }
    let watched = event.text_of("action") == Some("OBSERVE");
    if kind == EventKind::Aggregation && event.get("parentID").is_none() && !watched {
        faults.note(path, "缺少 parentID：只有 action 为 OBSERVE 的聚合事件可以没有");
    }
    quantity::check(event, path, faults);
    let added = event.text_of("action") == Some("ADD");
    if kind == EventKind::Object && event.get("ilmd").is_some() && !added {
        faults.note(&path.key("ilmd"), "只有 action 为 ADD 的对象事件可以有 ilmd");
    }
}

fn shape_of(kind: &EventKind) -> &'static Shape {
    match kind {
        EventKind::Object => &OBJECT,
        EventKind::Aggregation => &AGGREGATION,
        EventKind::Transaction => &TRANSACTION,
        EventKind::Transformation => &TRANSFORMATION,
        EventKind::Association => &ASSOCIATION,
        EventKind::Extended(_) => &EXTENDED,
    }
}

/// What the event has to be about, when it is about nothing. An empty list is as good as none: XML
/// requires some lists that JSON may leave out.
fn lacks(kind: &EventKind, event: &Json) -> Option<&'static str> {
    let some = |name: &str| !event.get(name).map(Json::items).unwrap_or_default().is_empty();
    let deleted = event.text_of("action") == Some("DELETE");
    let (sound, wanted) = match kind {
        EventKind::Object => (
            some("epcList")
                || some("quantityList")
                || (some("sensorElementList") && event.get("readPoint").is_some()),
            "应有非空的 epcList 或 quantityList，或 sensorElementList 连同 readPoint",
        ),
        EventKind::Aggregation | EventKind::Association => (
            some("childEPCs") || some("childQuantityList") || deleted,
            "应有非空的 childEPCs 或 childQuantityList；只有 action 为 DELETE 时可以都没有",
        ),
        EventKind::Transaction => (
            some("epcList") || some("quantityList") || deleted,
            "应有非空的 epcList 或 quantityList；只有 action 为 DELETE 时可以都没有",
        ),
        EventKind::Transformation => {
            let input = some("inputEPCList") || some("inputQuantityList");
            let output = some("outputEPCList") || some("outputQuantityList");
            let split = event.get("transformationID").is_some() && (input || output);
            ((input && output) || split, "应既有投入又有产出；只有一侧时应有 transformationID")
        }
        EventKind::Extended(_) => (true, ""),
    };
    (!sound).then_some(wanted)
}
