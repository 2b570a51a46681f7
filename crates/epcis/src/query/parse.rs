//! Parameters as conditions.

use std::borrow::Cow;

use super::{
    condition::{
        Comparison, Condition, Direction, Extension, ExtensionTest, ExtensionValue, FieldName,
        IdField, MasterField, MatchField, OrderBy, PlaceField, Query, SensorPart, TimeField,
        TypedField, WordField,
    },
    extension::ExtensionPlace,
};
use crate::{
    check::is_uri,
    context::Context,
    decimal::Decimal,
    event::{Action, EventKind, FREE_TEXTS},
    fault::Fault,
    header::attribute_key,
    identifier::pattern_refused,
    json::Json,
    time::{Moment, end_of_day},
    vocabulary::Vocabulary,
};

/// Parameters of one query, and values of one parameter, at most.
const PARAMETERS_MAX: usize = 100;
const VALUES_MAX: usize = 1000;
const PER_PAGE_MAX: u64 = 1000;

impl Query {
    /// Reads the parameters of a URL, decoded already; several values are divided by `|`. Prefixes
    /// of extensions are those of `context`. All faults at once, each under the parameter's name.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        context: &Context,
    ) -> Result<Self, Vec<Fault>> {
        let list = parameters.into_iter().map(|(name, value)| {
            (name.to_owned(), value.split('|').map(String::from).collect::<Vec<_>>())
        });
        Self::from_lists(list.collect(), context)
    }

    /// Reads the query document of the REST binding: an object with the same names, and lists
    /// where there are several values; with a `@context` for the prefixes of extensions.
    pub fn from_json(query: &Json, context: &Context) -> Result<Self, Vec<Fault>> {
        let Json::Object(members) = query else {
            return Err(vec![Fault { pointer: String::new(), detail: "应为对象".into() }]);
        };
        let context = context.within(query.get("@context"));
        let mut lists = Vec::new();
        let mut faults = Vec::new();
        for (name, value) in members.iter().filter(|(name, _)| name != "@context") {
            let one = |value: &Json| match value {
                Json::Null => Some(String::new()),
                other => other.scalar().map(String::from),
            };
            let values: Option<Vec<String>> = match value {
                Json::Array(items) => items.iter().map(one).collect(),
                other => one(other).map(|value| vec![value]),
            };
            match values {
                Some(values) => lists.push((name.clone(), values)),
                None => faults.push(fault(name, "应为文本、数或它们的列表")),
            }
        }
        match Self::from_lists(lists, &context) {
            Ok(query) if faults.is_empty() => Ok(query),
            Ok(_) => Err(faults),
            Err(more) => Err(faults.into_iter().chain(more).collect()),
        }
    }

    fn from_lists(
        lists: Vec<(String, Vec<String>)>,
        context: &Context,
    ) -> Result<Self, Vec<Fault>> {
        if lists.len() > PARAMETERS_MAX {
            let detail = format!("参数不应超过 {PARAMETERS_MAX} 个");
            return Err(vec![Fault { pointer: String::new(), detail }]);
        }
        let mut query = Self::default();
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, values) in &lists {
            if seen.contains(&name.as_str()) {
                faults.push(fault(name, "同一参数不应重复；多个值以 | 分隔"));
                continue;
            }
            seen.push(name);
            if values.len() > VALUES_MAX {
                faults.push(fault(name, &format!("值不应超过 {VALUES_MAX} 个")));
                continue;
            }
            if let Err(detail) = query.add(name, values, context) {
                faults.push(fault(name, &detail));
            }
        }
        faults.extend(query.contradictions());
        if faults.is_empty() { Ok(query) } else { Err(faults) }
    }

    fn add(&mut self, name: &str, values: &[String], context: &Context) -> Result<(), String> {
        match name {
            "orderBy" => self.order_by = Some(order_by(single(values)?, context)?),
            "orderDirection" => {
                self.direction = match single(values)? {
                    "ASC" => Direction::Ascending,
                    "DESC" => Direction::Descending,
                    _ => return Err("应为 ASC 或 DESC".into()),
                }
            }
            "eventCountLimit" => self.event_count_limit = Some(count(single(values)?)?),
            "maxEventCount" => self.max_event_count = Some(count(single(values)?)?),
            // Whoever asks for more gets pages of the largest size there is.
            "perPage" => {
                self.per_page = Some(count(single(values)?)?.min(PER_PAGE_MAX));
            }
            "nextPageToken" => self.next_page_token = Some(single(values)?.to_owned()),
            _ if let Some(rest) = name.strip_prefix("EXISTS_") => {
                self.conditions
                    .extend(exists(rest, values, context)?.map(|it| it.in_full(context)));
            }
            _ => self.conditions.push(condition(name, values, context)?.in_full(context)),
        }
        Ok(())
    }

    /// What a new query lacks whose `eventCountLimit` has no order: which events are the first is then
    /// not said (§8.2.7.1). Queries that were kept before are answered as ever.
    pub fn unordered_limit(&self) -> Option<Fault> {
        let lacking = self.event_count_limit.is_some() && self.order_by.is_none();
        lacking.then(|| fault("eventCountLimit", "应与 orderBy 同时使用，以说明哪些事件在前"))
    }

    fn contradictions(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.event_count_limit.is_some() && self.max_event_count.is_some() {
            faults.push(fault("maxEventCount", "不能与 eventCountLimit 同时使用"));
        }
        faults
    }
}

fn fault(name: &str, detail: &str) -> Fault {
    let pointer = if name.is_empty() { String::new() } else { format!("/{name}") };
    Fault { pointer, detail: detail.to_owned() }
}

fn single(values: &[String]) -> Result<&str, String> {
    match values {
        [one] => Ok(one),
        _ => Err("应只有一个值".into()),
    }
}

fn count(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for us is larger than whatever we have.
    let number = digits.then(|| text.parse().unwrap_or(u64::MAX)).filter(|number| *number > 0);
    number.ok_or_else(|| "应为正整数".into())
}

fn order_by(name: &str, context: &Context) -> Result<OrderBy, String> {
    match name {
        "eventTime" => Ok(OrderBy::EventTime),
        "recordTime" => Ok(OrderBy::RecordTime),
        own => field_name(own, context).map(OrderBy::Field),
    }
}

const UNKNOWN: &str = "没有这个查询参数";

fn condition(name: &str, values: &[String], context: &Context) -> Result<Condition, String> {
    if name == "eventType" {
        let names: Vec<String> = values.iter().map(|name| event_type(name).to_owned()).collect();
        let known = |name: &String| name == FORMER || EventKind::named(name).is_some();
        if names.iter().all(known) {
            return Ok(Condition::EventType(names));
        }
        return Err("应为事件类型，如 ObjectEvent，或自定义事件的 URI".into());
    }
    let (verb, rest) = name.split_once('_').ok_or(UNKNOWN)?;
    let comparison = match verb {
        "EQ" => Comparison::Eq,
        "GT" => Comparison::Gt,
        "GE" => Comparison::Ge,
        "LT" => Comparison::Lt,
        "LE" => Comparison::Le,
        "MATCH" => return matching(rest, values),
        "WD" => {
            let field = place_field(rest).ok_or(UNKNOWN)?;
            return Ok(Condition::Place { field, descendants: true, any: uris(values)? });
        }
        "HASATTR" => return attributes(rest, values, context),
        "EQATTR" => return attribute_equals(rest, values, context),
        _ => return Err(UNKNOWN.into()),
    };
    if let Some(rest) = rest.strip_prefix("ATTR_").filter(|_| comparison == Comparison::Eq) {
        return attribute_equals(rest, values, context);
    }
    if let Some(known) = standard(comparison, rest, values) {
        return known;
    }
    let (place, inner, own) = place_of(rest);
    let name = field_name(own, context)?;
    let test = match comparison {
        Comparison::Eq => {
            let equal = |value: &String| ExtensionValue::named(&with_sign(value));
            ExtensionTest::Equals(values.iter().map(equal).collect())
        }
        _ => match ExtensionValue::read(&with_sign(single(values)?)) {
            ExtensionValue::Text(_) => return Err("应为数或带时区的时间".into()),
            value => ExtensionTest::Compares(comparison, value),
        },
    };
    Ok(Condition::Extension(Extension { place, inner, name, test }))
}

/// A kind of EPCIS 1.x. What is sent of it is kept as an object event, so that none is ever found.
const FORMER: &str = "QuantityEvent";

/// A type of the standard by its bare name, which may also be written as a Web URI.
fn event_type(name: &str) -> &str {
    let of = |prefix: &str| name.strip_prefix(prefix);
    let bare = of("https://ref.gs1.org/epcis/").or_else(|| of("epcis:"));
    let standard =
        |bare: &&str| !matches!(EventKind::named(bare), None | Some(EventKind::Extended(_)));
    bare.filter(standard).unwrap_or(name)
}

/// Parameters about fields of the standard; `None` when the rest names none.
fn standard(
    comparison: Comparison,
    rest: &str,
    values: &[String],
) -> Option<Result<Condition, String>> {
    if let Some(field) = time_field(rest) {
        return Some(match comparison {
            Comparison::Ge | Comparison::Lt => {
                time(values).map(|at| Condition::Time { field, comparison, at })
            }
            _ => Err("时间只能以 GE_（不早于）与 LT_（早于）为条件".into()),
        });
    }
    if let Some(found) = amount(comparison, rest, values) {
        return Some(found);
    }
    let found = equality(rest, values)?;
    Some(if comparison == Comparison::Eq {
        found
    } else {
        Err("此字段只能以 EQ_ 为条件".into())
    })
}

fn time_field(rest: &str) -> Option<TimeField> {
    Some(match rest {
        "eventTime" => TimeField::EventTime,
        "recordTime" => TimeField::RecordTime,
        "errorDeclarationTime" | "errorDeclaration_Time" => TimeField::DeclarationTime,
        "startTime" | "SENSORMETADATA_startTime" => TimeField::SensorStart,
        "endTime" | "SENSORMETADATA_endTime" => TimeField::SensorEnd,
        "time" => TimeField::SensorTime(SensorPart::Either),
        "SENSORMETADATA_time" => TimeField::SensorTime(SensorPart::Metadata),
        "SENSORREPORT_time" => TimeField::SensorTime(SensorPart::Report),
        _ => return None,
    })
}

fn time(values: &[String]) -> Result<Moment, String> {
    let wanted = "应为带时区的时间，如 2024-05-01T08:00:00+08:00";
    let text = with_sign(single(values)?);
    let text = end_of_day(&text).map_or(text, Cow::Owned);
    Moment::parse(&text).ok_or_else(|| wanted.into())
}

/// The sign of an offset is read as a space from a URL in which it was not escaped.
fn with_sign(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        Some((time, offset)) if Moment::parse(&format!("{time}+{offset}")).is_some() => {
            format!("{time}+{offset}").into()
        }
        _ => text.into(),
    }
}

/// `quantity`, `quantity_KGM`, `minValue_CEL`, `percRank` and their like.
fn amount(
    comparison: Comparison,
    rest: &str,
    values: &[String],
) -> Option<Result<Condition, String>> {
    let (field, uom) = match rest.split_once('_') {
        Some((field, uom)) => (field, Some(uom)),
        None => (rest, None),
    };
    let known = crate::event::SENSOR_NUMBERS.into_iter().find(|known| *known == field);
    if field != "quantity" && known.is_none() {
        return None;
    }
    let unit = |code: &str| {
        let sound = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        (2..=4).contains(&code.len()) && code.bytes().all(sound)
    };
    if uom.is_some_and(|code| !unit(code)) {
        return Some(Err("计量单位应为 UN/ECE 代码，如 GE_value_CEL".into()));
    }
    if field == "percRank" && uom.is_some() {
        return Some(Err("百分位没有计量单位".into()));
    }
    let numbers: Option<Vec<Decimal>> = values.iter().map(|value| Decimal::parse(value)).collect();
    let any = match numbers {
        Some(numbers) if comparison == Comparison::Eq || numbers.len() == 1 => numbers,
        Some(_) => return Some(Err("应只有一个值".into())),
        None => return Some(Err("应为数".into())),
    };
    let uom = uom.map(String::from);
    Some(Ok(match known {
        Some(field) => Condition::SensorNumber { field, comparison, any, uom },
        None => Condition::Quantity { comparison, any, uom },
    }))
}

/// Parameters that only `EQ_` may begin.
fn equality(rest: &str, values: &[String]) -> Option<Result<Condition, String>> {
    if let Some((field, list)) = word_field(rest) {
        return Some(words(list, values).map(|any| Condition::Word { field, any }));
    }
    if let Some(field) = place_field(rest) {
        let place = |any| Condition::Place { field, descendants: false, any };
        return Some(uris(values).map(place));
    }
    let id = match rest {
        "transformationID" => Some(IdField::TransformationId),
        "eventID" => Some(IdField::EventId),
        "correctiveEventID" => Some(IdField::CorrectiveEventId),
        _ => None,
    };
    if let Some(field) = id {
        return Some(uris(values).map(|any| Condition::Id { field, any }));
    }
    if rest == "action" {
        let actions: Option<Vec<Action>> = values.iter().map(|name| Action::named(name)).collect();
        let wanted = || String::from("应为 OBSERVE、ADD、DELETE");
        return Some(actions.map(Condition::Action).ok_or_else(wanted));
    }
    if rest == "booleanValue" {
        return Some(match values {
            [value] if value == "true" => Ok(Condition::SensorBoolean(true)),
            [value] if value == "false" => Ok(Condition::SensorBoolean(false)),
            _ => Err("应为 true 或 false".into()),
        });
    }
    typed(rest, values).or_else(|| sensor_text(rest, values))
}

fn word_field(rest: &str) -> Option<(WordField, Vocabulary)> {
    Some(match rest {
        "bizStep" => (WordField::BizStep, Vocabulary::BizStep),
        "disposition" => (WordField::Disposition, Vocabulary::Disposition),
        "persistentDisposition_set" => (WordField::PersistentSet, Vocabulary::Disposition),
        "persistentDisposition_unset" => (WordField::PersistentUnset, Vocabulary::Disposition),
        "errorReason" => (WordField::ErrorReason, Vocabulary::ErrorReason),
        "type" => (WordField::SensorType, Vocabulary::Measurement),
        "exception" => (WordField::SensorException, Vocabulary::Alert),
        "component" => (WordField::SensorComponent, Vocabulary::Component),
        _ => return None,
    })
}

fn place_field(rest: &str) -> Option<PlaceField> {
    match rest {
        "readPoint" => Some(PlaceField::ReadPoint),
        "bizLocation" => Some(PlaceField::BizLocation),
        _ => None,
    }
}

fn typed(rest: &str, values: &[String]) -> Option<Result<Condition, String>> {
    let (field, kind) = rest.split_once('_')?;
    let (field, list) = match field {
        "bizTransaction" => (TypedField::BizTransaction, Vocabulary::BizTransactionType),
        "source" => (TypedField::Source, Vocabulary::SourceDestType),
        "destination" => (TypedField::Destination, Vocabulary::SourceDestType),
        _ => return None,
    };
    if let Some(wanted) = list.refuses(kind) {
        return Some(Err(format!("{kind}：{wanted}")));
    }
    let kind = list.expand(kind).into_owned();
    Some(uris(values).map(|any| Condition::Typed { field, kind, any }))
}

fn sensor_text(rest: &str, values: &[String]) -> Option<Result<Condition, String>> {
    let (part, name) = match rest.split_once('_') {
        Some(("SENSORMETADATA", name)) => (SensorPart::Metadata, name),
        Some(("SENSORREPORT", name)) => (SensorPart::Report, name),
        _ => (SensorPart::Either, rest),
    };
    let field = crate::event::SENSOR_TEXTS.into_iter().find(|known| *known == name)?;
    let free = FREE_TEXTS.contains(&field);
    let any = if free { Ok(values.to_vec()) } else { uris(values) };
    Some(any.map(|any| Condition::SensorText { field, part, any }))
}

fn matching(rest: &str, values: &[String]) -> Result<Condition, String> {
    let field = match rest {
        "epc" => MatchField::Epc,
        "parentID" => MatchField::ParentId,
        "inputEPC" => MatchField::InputEpc,
        "outputEPC" => MatchField::OutputEpc,
        "anyEPC" => MatchField::AnyEpc,
        "epcClass" => MatchField::EpcClass,
        "inputEPCClass" => MatchField::InputEpcClass,
        "outputEPCClass" => MatchField::OutputEpcClass,
        "anyEPCClass" => MatchField::AnyEpcClass,
        _ => return Err(UNKNOWN.into()),
    };
    let any = uris(values)?;
    match any.iter().find_map(|id| pattern_refused(id)) {
        Some(wanted) => Err(wanted),
        None => Ok(Condition::Match { field, any }),
    }
}

fn uris(values: &[String]) -> Result<Vec<String>, String> {
    if values.iter().all(|value| is_uri(value)) {
        return Ok(values.to_vec());
    }
    Err("应为 URI，如 urn:epc:id:… 或 https://…".into())
}

fn words(list: Vocabulary, values: &[String]) -> Result<Vec<String>, String> {
    let word = |value: &String| match list.refuses(value) {
        Some(wanted) => Err(format!("{value}：{wanted}")),
        None => Ok(list.expand(value).into_owned()),
    };
    values.iter().map(word).collect()
}

/// What has to be there; nothing has to where the value is `false`, which means what leaving the
/// parameter out means.
fn exists(rest: &str, values: &[String], context: &Context) -> Result<Option<Condition>, String> {
    // The binding wants the value empty, null or an integer, and many write `true`.
    let void = |value: &str| matches!(value, "" | "null" | "true") || value.parse::<i64>().is_ok();
    let wanted = match values {
        [value] if value == "false" => false,
        [value] if void(value) => true,
        _ => return Err("值应为空或 true；为 false 的等于没有这个参数".into()),
    };
    let condition = match rest {
        "errorDeclaration" => Condition::HasErrorDeclaration,
        "sensorElementList" | "sensorElement" => Condition::HasSensors,
        _ => {
            let (place, inner, own) = place_of(rest);
            let name = field_name(own, context)?;
            Condition::Extension(Extension { place, inner, name, test: ExtensionTest::Exists })
        }
    };
    Ok(wanted.then_some(condition))
}

/// Where the extension stands that the rest of a parameter names.
fn place_of(rest: &str) -> (ExtensionPlace, bool, &str) {
    let (inner, rest) = match rest.strip_prefix("INNER_") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let places = [
        ("ILMD_", ExtensionPlace::Ilmd),
        ("ERROR_DECLARATION_", ExtensionPlace::ErrorDeclaration),
        ("SENSORELEMENT_", ExtensionPlace::SensorElement),
        ("SENSORMETADATA_", ExtensionPlace::SensorMetadata),
        ("SENSORREPORT_", ExtensionPlace::SensorReport),
        ("readPoint_", ExtensionPlace::ReadPoint),
        ("bizLocation_", ExtensionPlace::BizLocation),
    ];
    let found =
        places.iter().find_map(|(prefix, place)| Some((*place, rest.strip_prefix(prefix)?)));
    let (place, own) = found.unwrap_or((ExtensionPlace::Event, rest));
    (place, inner, own)
}

fn field_name(name: &str, context: &Context) -> Result<FieldName, String> {
    if !name.contains(':') {
        return Err(UNKNOWN.into());
    }
    FieldName::resolve(name, context)
        .ok_or_else(|| format!("{name}：前缀没有声明；请在 @context 中声明，或写成完整的 URI"))
}

fn attribute_name(name: &str, context: &Context) -> Result<FieldName, String> {
    if name.is_empty() || name.contains(':') {
        return field_name(name, context);
    }
    Ok(FieldName { namespace: String::new(), local: name.to_owned() })
}

/// The standard's own fields that master data may tell more of.
fn master_field(name: &str) -> Option<MasterField> {
    Some(match name {
        "bizStep" => MasterField::BizStep,
        "disposition" => MasterField::Disposition,
        "readPoint" => MasterField::ReadPoint,
        "bizLocation" => MasterField::BizLocation,
        "epcClass" => MasterField::EpcClass,
        _ => return None,
    })
}

/// The attribute that a query means, under the name that master data has it.
fn master_name(name: &str, context: &Context) -> Result<String, String> {
    if name.is_empty() {
        return Err("应写明属性的名称（如 cbvmda:city）".into());
    }
    if name.contains(':') {
        field_name(name, context)?;
    }
    Ok(attribute_key(name, context))
}

fn attributes(rest: &str, values: &[String], context: &Context) -> Result<Condition, String> {
    if let Some(field) = master_field(rest) {
        let names: Result<Vec<_>, _> =
            values.iter().map(|name| master_name(name, context)).collect();
        return Ok(Condition::Master { field, names: names?, values: None });
    }
    let (place, inner, own) = place_of(rest);
    let name = field_name(own, context)?;
    let names: Result<Vec<_>, _> =
        values.iter().map(|value| attribute_name(value, context)).collect();
    let test = ExtensionTest::HasAttribute(names?);
    Ok(Condition::Extension(Extension { place, inner, name, test }))
}

/// `EQATTR_field_attribute`: of the standard's own fields the attribute is one of master data; of an
/// extension what follows the last `_` is the attribute that XML gave it.
fn attribute_equals(rest: &str, values: &[String], context: &Context) -> Result<Condition, String> {
    let own = rest.split_once('_').and_then(|(field, name)| Some((master_field(field)?, name)));
    if let Some((field, name)) = own {
        let names = vec![master_name(name, context)?];
        return Ok(Condition::Master { field, names, values: Some(values.to_vec()) });
    }
    let (place, inner, own) = place_of(rest);
    let (own, attribute) = own.rsplit_once('_').ok_or("应写成 EQATTR_字段_属性")?;
    let name = field_name(own, context)?;
    let attribute = attribute_name(attribute, context)?;
    let test = ExtensionTest::AttributeEquals(attribute, values.to_vec());
    Ok(Condition::Extension(Extension { place, inner, name, test }))
}
