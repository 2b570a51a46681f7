//! The query language of EPCIS 2.0 (ISO/IEC 19987 §8.2.7, `SimpleEventQuery`) as data: parameters
//! in, conditions out, and what they mean. Whoever plans them for a database must come to the
//! same events as [`matches`].

mod condition;
mod extension;
mod full;
mod matches;
mod number;
mod parse;
mod unit;

pub use condition::{
    Comparison, Condition, Direction, Extension, ExtensionTest, ExtensionValue, FieldName, IdField,
    MasterField, MatchField, OrderBy, PlaceField, Query, SensorPart, TimeField, TypedField,
    WordField,
};
pub use extension::{ExtensionPlace, plain};
pub use matches::{Places, master_values, matches, matches_within};
pub use unit::{Converted, convert};

#[cfg(test)]
mod tests;
