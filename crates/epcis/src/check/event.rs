//! The five kinds of event and those of somebody's own.

use super::shape::{ANY_LIST, Field, Kind, List, Others, Shape, may, must};
use crate::{
    event::EventKind,
    fault::{Fault, Faults, Path},
    json::Json,
    vocabulary::Vocabulary,
};

const URIS: Kind = Kind::List(&Kind::Uri, ANY_LIST);
const UNIQUE_URIS: Kind = Kind::List(&Kind::Uri, List { min: 0, unique: true });
const STATES: Kind =
    Kind::List(&Kind::Word(Vocabulary::Disposition), List { min: 1, unique: true });
const QUANTITIES: Kind = Kind::List(&Kind::Object(&QUANTITY), ANY_LIST);
const TRANSACTIONS: Kind = Kind::List(&Kind::Object(&BIZ_TRANSACTION), ANY_LIST);
const ACTION: Kind = Kind::Choice(&["OBSERVE", "ADD", "DELETE"]);

static QUANTITY: Shape = Shape {
    fields: &[&[
        must("epcClass", Kind::Uri),
        may("quantity", Kind::Number),
        may("uom", Kind::Unit),
    ]],
    others: Others::Nothing,
};

static BIZ_TRANSACTION: Shape = Shape {
    fields: &[&[
        may("type", Kind::Word(Vocabulary::BizTransactionType)),
        must("bizTransaction", Kind::Uri),
    ]],
    others: Others::Nothing,
};

static SOURCE: Shape = Shape {
    fields: &[&[must("type", Kind::Word(Vocabulary::SourceDestType)), must("source", Kind::Uri)]],
    others: Others::Nothing,
};

static DESTINATION: Shape = Shape {
    fields: &[&[
        must("type", Kind::Word(Vocabulary::SourceDestType)),
        must("destination", Kind::Uri),
    ]],
    others: Others::Nothing,
};

static PLACE: Shape = Shape { fields: &[&[must("id", Kind::Uri)]], others: Others::Anything };

static PERSISTENT: Shape =
    Shape { fields: &[&[may("set", STATES), may("unset", STATES)]], others: Others::Nothing };

static METADATA: Shape = Shape {
    fields: &[&[
        may("time", Kind::Time),
        may("startTime", Kind::Time),
        may("endTime", Kind::Time),
        may("deviceID", Kind::Uri),
        may("deviceMetadata", Kind::Uri),
        may("rawData", Kind::Uri),
        may("dataProcessingMethod", Kind::Uri),
        may("bizRules", Kind::Uri),
    ]],
    others: Others::Namespaced,
};

static REPORT: Shape = Shape {
    fields: &[&[
        must("type", Kind::Word(Vocabulary::Measurement)),
        may("exception", Kind::Word(Vocabulary::Alert)),
        may("deviceID", Kind::Uri),
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
            may("epcList", UNIQUE_URIS),
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
            may("parentID", Kind::Uri),
            may("childEPCs", URIS),
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
            must("parentID", Kind::Uri),
            may("childEPCs", URIS),
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
            may("parentID", Kind::Uri),
            may("epcList", URIS),
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
            may("inputEPCList", UNIQUE_URIS),
            may("inputQuantityList", QUANTITIES),
            may("outputEPCList", UNIQUE_URIS),
            may("outputQuantityList", QUANTITIES),
            may("transformationID", Kind::Uri),
            may("bizTransactionList", TRANSACTIONS),
            may("ilmd", Kind::Object(&ILMD)),
        ],
    ],
    others: Others::Namespaced,
};

/// Of an event of somebody's own kind only the time is known.
static EXTENDED: Shape = Shape { fields: &[&COMMON], others: Others::Anything };

/// Everything that is wrong with one event, at most `faults_max` things; empty when it is sound.
pub fn check_event(event: &Json, faults_max: usize) -> Vec<Fault> {
    let mut faults = Faults::new(faults_max);
    check(event, &Path::ROOT, &mut faults);
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

/// What the event has to be about, when it is about nothing.
fn lacks(kind: &EventKind, event: &Json) -> Option<&'static str> {
    let has = |name: &str| event.get(name).is_some();
    let some = |name: &str| !event.get(name).map(Json::items).unwrap_or_default().is_empty();
    let deleted = event.text_of("action") == Some("DELETE");
    let (sound, wanted) = match kind {
        EventKind::Object => (
            has("epcList")
                || some("quantityList")
                || (some("sensorElementList") && has("readPoint")),
            "应有 epcList 或 quantityList，或 sensorElementList 连同 readPoint",
        ),
        EventKind::Aggregation | EventKind::Association => (
            some("childEPCs") || some("childQuantityList") || deleted,
            "应有 childEPCs 或 childQuantityList；只有 action 为 DELETE 时可以都没有",
        ),
        EventKind::Transaction => (
            has("epcList") || some("quantityList") || deleted,
            "应有 epcList 或 quantityList；只有 action 为 DELETE 时可以都没有",
        ),
        EventKind::Transformation => {
            let input = some("inputEPCList") || some("inputQuantityList");
            let output = some("outputEPCList") || some("outputQuantityList");
            let split = has("transformationID") && (input || output);
            ((input && output) || split, "应既有投入又有产出；只有一侧时应有 transformationID")
        }
        EventKind::Extended(_) => (true, ""),
    };
    (!sound).then_some(wanted)
}
