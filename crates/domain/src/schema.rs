//! The interface specification of trace data (G-8-2, D-5f): for every event type of a pack a JSON
//! Schema, an XML Schema and an example; for every pack its code lists. Pure functions of the pack, so
//! that what is published is what is checked.

use std::collections::BTreeMap;

use yj_model::{Movement, Quantity, Stage, UnitCode};

use crate::{FieldKind, FieldSpec, LENGTH_MAX, Pack};

pub use crate::{
    schema_example::{example, example_xml},
    schema_json::{event_schema, product_schema},
    schema_xsd::xsd,
};

/// The namespace of trace events in XML.
pub const XML_NAMESPACE: &str = "urn:yuanjian:trace-event:1";

/// Documents of one event at most.
pub(crate) const DOCUMENTS_MAX: usize = 20;
/// Files of one event at most.
pub(crate) const EVIDENCE_MAX: usize = 20;
/// Events of one request at most.
pub(crate) const EVENTS_MAX: usize = 1_000;

/// What GB/T 38154 calls elements, by set and name, as far as somebody has compared them.
#[derive(Debug, Default)]
pub struct StandardNames(BTreeMap<(String, String), String>);

impl StandardNames {
    /// From set, name and the standard's name.
    pub fn new(names: impl IntoIterator<Item = (String, String, String)>) -> Self {
        let named = |(set, name, standard)| ((set, name), standard);
        Self(
            names
                .into_iter()
                .map(named)
                .filter(|(_, name): &(_, String)| !name.is_empty())
                .collect(),
        )
    }

    pub(crate) fn of(&self, set: &str, name: &str) -> Option<&str> {
        self.0.get(&(String::from(set), String::from(name))).map(String::as_str)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().map(|((set, name), standard)| (&**set, &**name, &**standard))
    }
}

/// Codes and what they mean.
#[derive(Debug)]
pub struct Codes {
    /// What the list is called in addresses.
    pub name: String,
    /// 中文名称
    pub title: String,
    /// Code and 中文名称.
    pub codes: Vec<(String, String)>,
}

impl Codes {
    /// A list that does not change while the product runs.
    pub fn fixed<'a>(
        (name, title): (&str, &str),
        codes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let own = |(code, label)| (String::from(code), String::from(label));
        let codes = codes.into_iter().map(own).collect();
        Self { name: String::from(name), title: String::from(title), codes }
    }
}

/// The lists that events of every domain use.
pub fn common_codes() -> Vec<Codes> {
    let stages = Stage::ALL.iter().map(|stage| (stage.code(), stage.label()));
    let units = UnitCode::all().map(|unit| (unit.as_str(), unit.unit().name));
    let movements = Movement::ALL.iter().map(|movement| (movement.code, movement.label));
    vec![
        Codes::fixed(("stage", "环节"), stages),
        Codes::fixed(("unit", "计量单位（UN/CEFACT 代码）"), units),
        Codes::fixed(("movement", "出入库类型"), movements),
    ]
}

/// The event types of a pack, and the code lists of its fields, each named by event type and field.
pub fn pack_codes(pack: &Pack) -> Vec<Codes> {
    let types = pack.events().map(|(_, event)| (event.code.as_str(), event.name.as_str()));
    let mut all = vec![Codes::fixed(("type", "事件类型"), types)];
    let mut add = |owner: (&str, &str), fields: &[FieldSpec]| {
        for field in fields.iter().filter(|field| field.kind == FieldKind::Code) {
            all.push(Codes {
                name: format!("{}.{}", owner.0, field.name),
                title: format!("{}·{}", owner.1, field.label),
                codes: field.codes.clone(),
            });
        }
    };
    for (_, event) in pack.events() {
        add((&event.code, &event.name), &event.fields);
    }
    add(("product", "产品"), &pack.product_fields);
    all
}

impl FieldSpec {
    /// Longest text it takes.
    pub(crate) fn length(&self) -> usize {
        self.max_length.unwrap_or(LENGTH_MAX)
    }

    /// Smallest and largest whole number it takes.
    pub(crate) fn whole_bounds(&self) -> (i64, i64) {
        const WHOLE: i64 = 99_999_999_999;
        let floor = |bound: Quantity| bound.scaled().div_euclid(10_000);
        let ceiling = |bound: Quantity| -floor_of_negative(bound);
        (self.min.map_or(-WHOLE, ceiling), self.max.map_or(WHOLE, floor))
    }
}

fn floor_of_negative(bound: Quantity) -> i64 {
    (-bound.scaled()).div_euclid(10_000)
}
