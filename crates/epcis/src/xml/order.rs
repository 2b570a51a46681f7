//! In which order the XML schemas of 1.2 and 2.0 let the elements of an event stand, as data. A name
//! that is there twice may stand in either place: where the two schemas differ, and a list of
//! quantities also beside the list of things, as JSON and widespread converters have it.

use super::tree::Element;
use crate::event::EventKind;

type Names = &'static [&'static str];

/// What every event begins with.
const BASE: Names = &[
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "certificationInfo",
    "eventID",
    "certificationInfo",
    "errorDeclaration",
    "certificationInfo",
];

const OBJECT: Names = &[
    "epcList",
    "quantityList",
    "action",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
    "quantityList",
    "sourceList",
    "destinationList",
    "ilmd",
    "sensorElementList",
    "persistentDisposition",
    "ilmd",
];

const AGGREGATION: Names = &[
    "parentID",
    "childEPCs",
    "childQuantityList",
    "action",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
    "childQuantityList",
    "sourceList",
    "destinationList",
    "sensorElementList",
    "persistentDisposition",
];

const TRANSACTION: Names = &[
    "bizTransactionList",
    "parentID",
    "epcList",
    "quantityList",
    "action",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "quantityList",
    "sourceList",
    "destinationList",
    "sensorElementList",
    "persistentDisposition",
];

const TRANSFORMATION: Names = &[
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
    "ilmd",
    "sensorElementList",
    "persistentDisposition",
    "ilmd",
];

/// The event of 1.x that 2.0 has no more.
const QUANTITY: Names = &[
    "epcClass",
    "quantity",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
];

/// The elements inside a field of an event. Those of `errorDeclaration` stand in any order in 2.0.
pub(super) fn within(field: &str) -> Option<Names> {
    Some(match field {
        "quantityElement" => &["epcClass", "quantity", "uom"],
        "persistentDisposition" => &["unset", "set"],
        "sensorElement" => &["sensorMetadata", "sensorReport"],
        "readPoint" | "bizLocation" => &["id"],
        _ => return None,
    })
}

/// How far the children of an element have come.
pub(super) struct Order {
    /// Nothing is known of the order where this is empty.
    parts: [Names; 2],
    at: usize,
    foreign: Option<String>,
}

impl Order {
    pub(super) fn of(names: Option<Names>) -> Self {
        Self { parts: [names.unwrap_or_default(), &[]], at: 0, foreign: None }
    }

    pub(super) fn of_event(kind: &EventKind, quantity_event: bool) -> Self {
        let own = match kind {
            _ if quantity_event => QUANTITY,
            EventKind::Object => OBJECT,
            // 1.x has no association, and 2.0 has its quantities beside its things.
            EventKind::Aggregation | EventKind::Association => AGGREGATION,
            EventKind::Transaction => TRANSACTION,
            EventKind::Transformation => TRANSFORMATION,
            EventKind::Extended(_) => return Self::of(None),
        };
        Self { parts: [BASE, own], at: 0, foreign: None }
    }

    /// Takes the next child; says what it should have stood before. Names that are not of the standard
    /// are the business of other checks, but nothing of the standard follows those of somebody else.
    pub(super) fn breaks(&mut self, child: &Element) -> Option<String> {
        let local = child.name.local.as_str();
        if !child.name.is_own() {
            let name = || format!("{}:{local}", child.name.prefix);
            self.foreign.get_or_insert_with(name);
            return None;
        }
        let ahead = self.place(local, self.at);
        if let (None, Some(place)) = (&self.foreign, ahead) {
            self.at = place;
            return None;
        }
        ahead.or_else(|| self.place(local, 0))?;
        Some(match &self.foreign {
            Some(foreign) => format!(" {local} 应在扩展元素 {foreign} 之前"),
            None => format!(" {local} 应在 {} 之前", self.name(self.at).unwrap_or_default()),
        })
    }

    /// The first place of a name that is not before this one.
    fn place(&self, local: &str, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(name) = self.name(at) {
            if name == local {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    fn name(&self, at: usize) -> Option<&'static str> {
        let [begin, own] = self.parts;
        begin.get(at).or_else(|| own.get(at.checked_sub(begin.len())?)).copied()
    }
}
