//! In which order the XML schemas of 1.2 and 2.0 want the fields, as data.

use crate::event::EventKind;

/// Which XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XmlForm {
    /// EPCIS 1.2, where later fields stand in `extension` inside `extension`.
    V1_2,
    /// EPCIS 2.0, the words of the standard as URNs where EPCIS 1.2 had them.
    V2_0,
    /// EPCIS 2.0, the words of the standard as Web URIs.
    V2_0Web,
}

impl XmlForm {
    /// How elements stand in each other, whatever words they hold.
    pub(super) fn layout(self) -> Self {
        if self == Self::V2_0Web { Self::V2_0 } else { self }
    }

    pub(super) fn schema_version(self) -> &'static str {
        if self == Self::V1_2 { "1.2" } else { "2.0" }
    }

    pub(super) fn namespace(self) -> &'static str {
        super::EPCIS[usize::from(self != Self::V1_2)]
    }

    pub(super) fn query_namespace(self) -> &'static str {
        super::QUERY[usize::from(self != Self::V1_2)]
    }
}

/// Fields that follow each other, and how many `extension` stand around them.
pub(super) type Layer = (usize, &'static [&'static str]);

const TIMES: &[&str] = &["eventTime", "recordTime", "eventTimeZoneOffset"];
const IDENTITY: &[&str] = &["eventID", "errorDeclaration"];
const CERTIFICATION: &[&str] = &["certificationInfo"];

/// What every event begins with; in 1.2 from the second level on inside `baseExtension`.
pub(super) const BASE: &[Layer] = &[(0, TIMES), (1, IDENTITY), (2, CERTIFICATION)];

/// A list that the XML schemas require, though it be empty.
pub(super) fn required_list(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Object | EventKind::Transaction => Some("epcList"),
        EventKind::Aggregation => Some("childEPCs"),
        _ => None,
    }
}

const PARTIES: &[&str] = &["sourceList", "destinationList"];
const SINCE_2: &[&str] = &["sensorElementList", "persistentDisposition"];

pub(super) fn layers(kind: &EventKind, form: XmlForm) -> &'static [Layer] {
    match (kind, form) {
        (EventKind::Object, XmlForm::V2_0 | XmlForm::V2_0Web) => &[
            (0, &["epcList", "action", "bizStep", "disposition", "readPoint", "bizLocation"]),
            (0, &["bizTransactionList", "quantityList", "sourceList", "destinationList"]),
            (0, &["sensorElementList", "persistentDisposition", "ilmd"]),
        ],
        (EventKind::Object, XmlForm::V1_2) => &[
            (0, &["epcList", "action", "bizStep", "disposition", "readPoint", "bizLocation"]),
            (0, &["bizTransactionList"]),
            (1, &["quantityList", "sourceList", "destinationList", "ilmd"]),
            (2, SINCE_2),
        ],
        (EventKind::Aggregation, XmlForm::V2_0 | XmlForm::V2_0Web) => &[
            (0, &["parentID", "childEPCs", "action", "bizStep", "disposition", "readPoint"]),
            (0, &["bizLocation", "bizTransactionList", "childQuantityList"]),
            (0, PARTIES),
            (0, SINCE_2),
        ],
        (EventKind::Aggregation, XmlForm::V1_2) => &[
            (0, &["parentID", "childEPCs", "action", "bizStep", "disposition", "readPoint"]),
            (0, &["bizLocation", "bizTransactionList"]),
            (1, &["childQuantityList", "sourceList", "destinationList"]),
            (2, SINCE_2),
        ],
        (EventKind::Transaction, XmlForm::V2_0 | XmlForm::V2_0Web) => &[
            (0, &["bizTransactionList", "parentID", "epcList", "action", "bizStep"]),
            (0, &["disposition", "readPoint", "bizLocation", "quantityList"]),
            (0, PARTIES),
            (0, SINCE_2),
        ],
        (EventKind::Transaction, XmlForm::V1_2) => &[
            (0, &["bizTransactionList", "parentID", "epcList", "action", "bizStep"]),
            (0, &["disposition", "readPoint", "bizLocation"]),
            (1, &["quantityList", "sourceList", "destinationList"]),
            (2, SINCE_2),
        ],
        (EventKind::Transformation, form) => match form {
            XmlForm::V2_0 | XmlForm::V2_0Web => {
                &[(0, TRANSFORMATION), (0, SINCE_2), (0, &["ilmd"])]
            }
            XmlForm::V1_2 => &[(0, TRANSFORMATION), (0, &["ilmd"]), (1, SINCE_2)],
        },
        // Neither exists in 1.2, so that no other place is theirs there.
        (EventKind::Association, _) => &[
            (0, &["parentID", "childEPCs", "childQuantityList", "action", "bizStep"]),
            (0, &["disposition", "readPoint", "bizLocation", "bizTransactionList"]),
            (0, PARTIES),
            (0, SINCE_2),
        ],
        (EventKind::Extended(_), _) => &[
            (0, &["parentID", "epcList", "childEPCs", "quantityList", "childQuantityList"]),
            (0, TRANSFORMATION),
            (0, &["action", "ilmd"]),
            (0, SINCE_2),
        ],
    }
}

const TRANSFORMATION: &[&str] = &[
    "inputEPCList",
    "inputQuantityList",
    "outputEPCList",
    "outputQuantityList",
    "transformationID",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
    "sourceList",
    "destinationList",
];

/// How many `extension` stand around an event of this kind in the event list.
pub(super) fn wrappers(kind: &EventKind, form: XmlForm) -> usize {
    match (form, kind) {
        (XmlForm::V1_2, EventKind::Transformation) => 1,
        (XmlForm::V1_2, EventKind::Association) => 2,
        _ => 0,
    }
}
