//! What a query means.

use super::{
    condition::{
        Comparison, Condition, IdField, MasterField, MatchField, PlaceField, Query, SensorPart,
        TimeField, TypedField, WordField,
    },
    number,
    unit::Amount,
};
use crate::{
    decimal::Decimal,
    event::{Event, EventKind, QuantityElement, SensorElement, SensorReport},
    identifier::id_matches,
    json::Json,
    time::Moment,
};

/// What master data tells of the places and words of one event.
pub trait Places {
    /// Whether the place, in this field of the event, is `ancestor` or lies in it.
    fn lies_in(&self, field: PlaceField, place: &str, ancestor: &str) -> bool;

    /// Whether the value of this field has any of these attributes, with any of these values where
    /// some are given.
    fn has_attribute(
        &self,
        _field: MasterField,
        _id: &str,
        _names: &[String],
        _values: Option<&[String]>,
    ) -> bool {
        false
    }
}

/// Nothing is known: every place lies in itself alone.
struct Nowhere;

impl Places for Nowhere {
    fn lies_in(&self, _: PlaceField, place: &str, ancestor: &str) -> bool {
        id_matches(ancestor, place)
    }
}

/// Whether the event fulfils every condition, where no place is known to lie in another.
pub fn matches(query: &Query, event: &Event) -> bool {
    matches_within(query, event, &Nowhere)
}

/// Whether the event fulfils every condition.
pub fn matches_within(query: &Query, event: &Event, places: &dyn Places) -> bool {
    query.conditions.iter().all(|condition| fulfils(condition, event, places))
}

fn fulfils(condition: &Condition, event: &Event, places: &dyn Places) -> bool {
    let reports = || event.sensors.iter().flat_map(|element| &element.reports);
    match condition {
        Condition::EventType(any) => any.iter().any(|name| is_kind(name, event)),
        Condition::Action(any) => event.action.is_some_and(|action| any.contains(&action)),
        Condition::Time { field, comparison, at } => {
            times(*field, event).into_iter().any(|time| comparison.holds(time.cmp(at)))
        }
        Condition::Word { field, any } => {
            words(*field, event).into_iter().any(|word| any.iter().any(|wanted| wanted == word))
        }
        Condition::Place { field, descendants, any } => {
            let place = match field {
                PlaceField::ReadPoint => event.read_point.as_ref(),
                PlaceField::BizLocation => event.biz_location.as_ref(),
            };
            let here = |place: &String, wanted: &String| {
                id_matches(wanted, place) || (*descendants && places.lies_in(*field, place, wanted))
            };
            place.is_some_and(|place| any.iter().any(|wanted| here(place, wanted)))
        }
        Condition::Typed { field, kind, any } => {
            let list = match field {
                TypedField::BizTransaction => &event.biz_transactions,
                TypedField::Source => &event.sources,
                TypedField::Destination => &event.destinations,
            };
            let mut of_kind = list.iter().filter(|item| item.kind.as_ref() == Some(kind));
            of_kind.any(|item| matches_any(any, &item.id))
        }
        Condition::Id { field, any } => {
            // A transformation may be named by a GS1 key, which has two spellings; names of events
            // are texts.
            let same = |wanted: &String, id: &String| match field {
                IdField::TransformationId => id_matches(wanted, id),
                IdField::EventId | IdField::CorrectiveEventId => wanted == id,
            };
            ids(*field, event).into_iter().any(|id| any.iter().any(|wanted| same(wanted, id)))
        }
        Condition::Match { field, any } => {
            objects(*field, event).into_iter().any(|id| matches_any(any, id))
        }
        Condition::Quantity { comparison, any, uom } => quantities(event).any(|element| {
            amount_fulfils(
                (element.quantity.as_ref(), element.uom.as_ref(), Amount::Reading),
                *comparison,
                any,
                uom.as_deref(),
            )
        }),
        Condition::SensorNumber { field, comparison, any, uom } => reports().any(|report| {
            let number = report.numbers.iter().find(|(name, _)| name == field);
            // A rank is a percentage whatever the unit of the reading.
            let unit = report.uom.as_ref().filter(|_| *field != "percRank");
            let of = if *field == "sDev" { Amount::Spread } else { Amount::Reading };
            let amount = (number.map(|(_, number)| number), unit, of);
            amount_fulfils(amount, *comparison, any, uom.as_deref())
        }),
        Condition::SensorText { field, part, any } => event
            .sensors
            .iter()
            .flat_map(|element| sensor_texts(field, *part, element))
            .any(|text| any.iter().any(|wanted| is_same_reading(field, wanted, text))),
        Condition::SensorBoolean(wanted) => {
            reports().any(|report| report.boolean_value == Some(*wanted))
        }
        Condition::HasErrorDeclaration => event.error_declaration.is_some(),
        Condition::HasSensors => !event.sensors.is_empty(),
        Condition::Master { field, names, values } => master_values(*field, event)
            .into_iter()
            .any(|id| places.has_attribute(*field, id, names, values.as_deref())),
        Condition::Extension(extension) => extension.holds(event),
    }
}

/// Digits of a hexadecimal number mean the same in capitals (XML Schema part 2, `hexBinary`).
fn is_same_reading(field: &str, wanted: &str, text: &str) -> bool {
    match field {
        "hexBinaryValue" => wanted.eq_ignore_ascii_case(text),
        "stringValue" => wanted == text,
        _ => id_matches(wanted, text),
    }
}

fn is_kind(name: &str, event: &Event) -> bool {
    let full = |name: &str| {
        event
            .context()
            .resolve(name)
            .map_or_else(|| name.to_owned(), |(ns, local)| format!("{ns}{local}"))
    };
    match &event.kind {
        EventKind::Extended(own) => own == name || full(own) == full(name),
        standard => standard.name() == name,
    }
}

/// Times of an event, as fine as they were sent.
fn times(field: TimeField, event: &Event) -> Vec<Moment> {
    let source = event.source();
    let time = |json: &Json, name: &str| json.text_of(name).and_then(Moment::parse);
    let elements = || source.get("sensorElementList").map(Json::items).unwrap_or_default().iter();
    let metadata = || elements().filter_map(|one| one.get("sensorMetadata"));
    let reports = || elements().filter_map(|one| one.get("sensorReport")).flat_map(Json::items);
    match field {
        TimeField::EventTime => vec![event.moment()],
        TimeField::RecordTime => event.record_time.map(Moment::from).into_iter().collect(),
        TimeField::DeclarationTime => {
            let error = source.get("errorDeclaration");
            error.and_then(|error| time(error, "declarationTime")).into_iter().collect()
        }
        TimeField::SensorStart => metadata().filter_map(|one| time(one, "startTime")).collect(),
        TimeField::SensorEnd => metadata().filter_map(|one| time(one, "endTime")).collect(),
        TimeField::SensorTime(part) => {
            let metadata = metadata().filter(|_| part.metadata());
            let reports = reports().filter(|_| part.reports());
            metadata.chain(reports).filter_map(|one| time(one, "time")).collect()
        }
    }
}

fn words(field: WordField, event: &Event) -> Vec<&String> {
    let reports = || event.sensors.iter().flat_map(|element| &element.reports);
    match field {
        WordField::BizStep => event.biz_step.iter().collect(),
        WordField::Disposition => event.disposition.iter().collect(),
        WordField::PersistentSet => event.persistent_set.iter().collect(),
        WordField::PersistentUnset => event.persistent_unset.iter().collect(),
        WordField::ErrorReason => {
            event.error_declaration.iter().filter_map(|error| error.reason.as_ref()).collect()
        }
        WordField::SensorType => reports().filter_map(|report| report.kind.as_ref()).collect(),
        WordField::SensorException => {
            reports().filter_map(|report| report.exception.as_ref()).collect()
        }
        WordField::SensorComponent => {
            reports().filter_map(|report| report.component.as_ref()).collect()
        }
    }
}

fn ids(field: IdField, event: &Event) -> Vec<&String> {
    match field {
        IdField::TransformationId => event.transformation_id.iter().collect(),
        IdField::EventId => event.event_id.iter().collect(),
        IdField::CorrectiveEventId => {
            event.error_declaration.iter().flat_map(|error| &error.corrective_event_ids).collect()
        }
    }
}

fn objects(field: MatchField, event: &Event) -> Vec<&String> {
    let epcs = event.epc_list.iter().chain(&event.child_epcs);
    let classes = |lists: &[&'static str]| quantity_lists(event, lists);
    match field {
        MatchField::Epc => epcs.collect(),
        MatchField::ParentId => event.parent_id.iter().collect(),
        MatchField::InputEpc => event.input_epc_list.iter().collect(),
        MatchField::OutputEpc => event.output_epc_list.iter().collect(),
        MatchField::AnyEpc => {
            let transformed = event.input_epc_list.iter().chain(&event.output_epc_list);
            epcs.chain(&event.parent_id).chain(transformed).collect()
        }
        MatchField::EpcClass => classes(&["quantity", "child"]),
        MatchField::InputEpcClass => classes(&["input"]),
        MatchField::OutputEpcClass => classes(&["output"]),
        MatchField::AnyEpcClass => classes(&["quantity", "child", "input", "output"]),
    }
}

/// The values of a field of an event that master data may tell more of.
pub fn master_values(field: MasterField, event: &Event) -> Vec<&String> {
    match field {
        MasterField::BizStep => event.biz_step.iter().collect(),
        MasterField::Disposition => event.disposition.iter().collect(),
        MasterField::ReadPoint => event.read_point.iter().collect(),
        MasterField::BizLocation => event.biz_location.iter().collect(),
        MasterField::EpcClass => objects(MatchField::AnyEpcClass, event),
    }
}

fn quantity_lists<'e>(event: &'e Event, lists: &[&str]) -> Vec<&'e String> {
    let named = [
        ("quantity", &event.quantity_list),
        ("child", &event.child_quantity_list),
        ("input", &event.input_quantity_list),
        ("output", &event.output_quantity_list),
    ];
    let wanted = named.into_iter().filter(|(name, _)| lists.contains(name));
    wanted.flat_map(|(_, list)| list).map(|element| &element.epc_class).collect()
}

fn quantities(event: &Event) -> impl Iterator<Item = &QuantityElement> {
    let transformed = event.input_quantity_list.iter().chain(&event.output_quantity_list);
    event.quantity_list.iter().chain(&event.child_quantity_list).chain(transformed)
}

fn amount_fulfils(
    (amount, unit, of): (Option<&Decimal>, Option<&String>, Amount),
    comparison: Comparison,
    any: &[Decimal],
    uom: Option<&str>,
) -> bool {
    let unit = unit.map(String::as_str);
    amount.is_some_and(|amount| number::fulfils((amount, unit, of), comparison, any, uom))
}

fn matches_any(any: &[String], id: &str) -> bool {
    any.iter().any(|wanted| id_matches(wanted, id))
}

fn sensor_texts<'e>(field: &str, part: SensorPart, element: &'e SensorElement) -> Vec<&'e String> {
    let metadata = &element.metadata;
    let of_metadata = match field {
        "deviceID" => metadata.device_id.as_ref(),
        "deviceMetadata" => metadata.device_metadata.as_ref(),
        "rawData" => metadata.raw_data.as_ref(),
        "dataProcessingMethod" => metadata.data_processing_method.as_ref(),
        "bizRules" => metadata.biz_rules.as_ref(),
        _ => None,
    };
    let of_report = |report: &'e SensorReport| {
        report.texts.iter().find(|(name, _)| *name == field).map(|(_, text)| text)
    };
    let reports = element.reports.iter().filter(|_| part.reports()).filter_map(of_report);
    of_metadata.filter(|_| part.metadata()).into_iter().chain(reports).collect()
}
