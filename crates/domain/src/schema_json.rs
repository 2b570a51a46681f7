//! An event type as JSON Schema 2020-12.

use serde_json::{Map, Value, json};
use yj_model::{Quantity, UnitCode};

use crate::{
    Demand, DocumentDemand, EventSpec, FieldKind, FieldSpec, InputMode, Pack, Rule,
    schema::{DOCUMENTS_MAX, EVIDENCE_MAX, StandardNames},
    schema_number, schema_pattern,
};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$";
/// Something that is no control character and not only blank.
const PLAIN: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]*[^\\s\\u0000-\\u001F\\u007F-\\u009F][^\\u0000-\\u001F\\u007F-\\u009F]*$";

/// The whole event as clients send it, of one type.
pub fn event_schema(
    pack: &Pack,
    (stage, event): (&str, &EventSpec),
    names: &StandardNames,
) -> Value {
    let set = format!("{}.{}", pack.code, event.code);
    let mut schema = json!({
        "$schema": DIALECT,
        "$id": format!("urn:yuanjian:schema:{}:{}:{}", pack.code, pack.version, event.code),
        "title": format!("{}·{}", pack.name, event.name),
        "x-yj-stage": stage,
        "x-yj-effective-on": pack.effective_on,
        "type": "object",
        "properties": {
            "domain": { "const": pack.code, "title": "领域" },
            "type": { "const": event.code, "title": "事件类型" },
            "subject": party("主体代码", "现用代码或任何一个旧代码，登记为现用代码"),
            "event_time": {
                "type": "string", "title": "发生时间", "format": "date-time", "pattern": TIME,
                "description": "带时区偏移，不晚于现在",
            },
            "inputs": lines("投入", (event.inputs.min, event.inputs.max), input(event)),
            "outputs": lines("产出", (event.outputs.min, event.outputs.max), output()),
            "place": optional(place()),
            "counterparty": optional(party("交易对方", "须已登记，现用或旧代码")),
            "documents": papers("凭证", DOCUMENTS_MAX, json!({
                "type": text("种类", 40), "no": text("编号", 60),
            })),
            "evidence": papers("证据文件", EVIDENCE_MAX, json!({
                "name": text("文件名", 120),
                "sm3": { "type": "string", "title": "SM3 摘要", "pattern": "^[0-9a-f]{64}$" },
            })),
            "attributes": attributes((&event.fields, &event.rules), (&set, names)),
            "external_id": optional(text("来源系统编号", 64)),
            "correction_of": optional(json!({
                "type": "string", "title": "更正的事件", "format": "uuid",
            })),
            "correction_reason": optional(text("更正原因", 200)),
        },
        "required": required(event),
        "additionalProperties": false,
        // Explicit `null` corrects nothing, so that what is demanded is a text.
        "allOf": [pair("correction_of", "correction_reason"), pair("correction_reason", "correction_of")],
        "$defs": { "unit": units() },
    });
    if let Some(movement) = &event.movement {
        schema["x-yj-movement"] = json!(movement);
    }
    if !event.documents.is_empty() {
        let said = event.documents.iter().map(DocumentDemand::said).collect::<Vec<_>>().join("；");
        schema["properties"]["documents"]["description"] =
            json!(format!("{said}。也可写在以凭证命名的字段中"));
        schema["x-yj-documents"] = json!(event.documents);
    }
    if !event.goods_rules.is_empty() {
        schema["x-yj-goods-rules"] = json!(event.goods_rules);
    }
    if event.always_reviewed {
        schema["description"] = json!("不论来源，一律由他人审核后上链");
    }
    for (name, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        if let Some(standard) = names.of("trace_event", name) {
            property["x-yj-gbt38154"] = json!(standard);
        }
    }
    schema
}

/// What products of the domain hold in `attributes`; nothing where they hold nothing of their own.
pub fn product_schema(pack: &Pack, names: &StandardNames) -> Option<Value> {
    if pack.product_fields.is_empty() {
        return None;
    }
    let set = format!("{}.product", pack.code);
    let mut schema = attributes((&pack.product_fields, &pack.product_rules), (&set, names));
    schema["$schema"] = json!(DIALECT);
    schema["$id"] = json!(format!("urn:yuanjian:schema:{}:{}:product", pack.code, pack.version));
    schema["title"] = json!(format!("{}·产品属性", pack.name));
    Some(schema)
}

fn required(event: &EventSpec) -> Vec<&'static str> {
    let mut required = vec!["domain", "type", "subject", "event_time"];
    required.extend((event.inputs.min > 0).then_some("inputs"));
    required.extend((event.outputs.min > 0).then_some("outputs"));
    let demands = |field: &FieldSpec| field.required;
    required.extend(event.fields.iter().any(demands).then_some("attributes"));
    required
}

/// Where `one` is told, `other` is too.
fn pair(one: &str, other: &str) -> Value {
    let told =
        |name: &str| json!({ "properties": { name: { "type": "string" } }, "required": [name] });
    json!({ "if": told(one), "then": told(other) })
}

/// Allows `null` for what may be left out.
fn optional(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
    } else if let Some(Value::Array(choices)) = schema.get_mut("oneOf") {
        choices.push(json!({ "type": "null" }));
    }
    schema
}

fn party(title: &str, description: &str) -> Value {
    json!({
        "type": "string", "title": title, "description": description,
        "pattern": "^([0-9A-Z]{9}|[0-9]{13}|[0-9]{15}|[0-9A-Z]{18}|[0-9]{20})$",
    })
}

fn text(title: &str, length_max: usize) -> Value {
    json!({ "type": "string", "title": title, "minLength": 1, "maxLength": length_max, "pattern": PLAIN })
}

fn code() -> Value {
    json!({
        "type": "string", "title": "追溯码", "maxLength": 64,
        "pattern": r"^[0-9A-Za-z(](\.?[0-9A-Za-z_#/:()+*-])*\.?$",
    })
}

fn quantity() -> Value {
    json!({
        "type": "string", "title": "数量", "pattern": schema_number::positive(),
        "description": "大于 0 的十进制字符串，整数至多 11 位、小数至多 4 位",
    })
}

fn units() -> Value {
    let unit = |unit: UnitCode| json!({ "const": unit.as_str(), "title": unit.unit().name });
    json!({ "title": "计量单位", "oneOf": UnitCode::all().map(unit).collect::<Vec<_>>() })
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    })
}

fn lines(title: &str, (min, max): (usize, usize), item: Value) -> Value {
    json!({ "type": "array", "title": title, "minItems": min, "maxItems": max, "items": item })
}

fn papers(title: &str, max: usize, properties: Value) -> Value {
    let names: Vec<String> =
        properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lines(title, (0, max), object(properties, &names))
}

fn input(event: &EventSpec) -> Value {
    let unit = json!({ "$ref": "#/$defs/unit" });
    let external = json!({ "type": "boolean", "title": "来源于平台之外" });
    // A package that is opened need not be counted.
    if event.inputs.mode == InputMode::Observe || event.unpacks() {
        let mut item = object(
            json!({
                "code": code(), "quantity": optional(quantity()), "external": external,
                "unit": { "anyOf": [unit, { "type": "null" }] },
            }),
            &["code"],
        );
        item["allOf"] = json!([pair("quantity", "unit"), pair("unit", "quantity")]);
        return item;
    }
    let properties =
        json!({ "code": code(), "quantity": quantity(), "unit": unit, "external": external });
    object(properties, &["code", "quantity", "unit"])
}

fn output() -> Value {
    let properties = json!({
        "code": code(), "quantity": quantity(), "unit": { "$ref": "#/$defs/unit" },
        "product": optional(json!({ "type": "string", "title": "产品代码" })),
        "lot": optional(text("批次号", 50)),
    });
    object(properties, &["code", "quantity", "unit"])
}

fn place() -> Value {
    let degrees = |title: &str, whole: &str| {
        json!({
            "type": ["string", "null"], "title": title,
            "pattern": format!(r"^-?({whole})(\.[0-9]{{1,7}})?$"),
        })
    };
    let properties = json!({
        "region": {
            "type": "string", "title": "行政区划代码", "pattern": "^[1-9][0-9]{5}([0-9]{3}([0-9]{3})?)?$",
        },
        "address": optional(text("地址", 200)),
        "lon": degrees("经度（CGCS2000）", "[0-9]{1,2}|1[0-7][0-9]"),
        "lat": degrees("纬度（CGCS2000）", "[0-8]?[0-9]"),
    });
    let mut place = object(properties, &["region"]);
    place["title"] = json!("地点");
    place["allOf"] = json!([pair("lon", "lat"), pair("lat", "lon")]);
    place
}

fn attributes(
    (fields, rules): (&[FieldSpec], &[Rule]),
    (set, names): (&str, &StandardNames),
) -> Value {
    let one = |field: &FieldSpec| {
        let mut schema = property(field);
        if let Some(standard) = names.of(set, &field.name) {
            schema["x-yj-gbt38154"] = json!(standard);
        }
        (field.name.clone(), schema)
    };
    let properties: Map<String, Value> = fields.iter().map(one).collect();
    let required = fields.iter().filter(|field| field.required).map(|field| field.name.as_str());
    let mut schema = object(Value::Object(properties), &required.collect::<Vec<_>>());
    schema["title"] = json!("领域包规定的字段");
    let told: Vec<Value> = rules.iter().filter_map(|rule| condition(fields, rule)).collect();
    if !told.is_empty() {
        schema["allOf"] = json!(told);
    }
    if !rules.is_empty() {
        schema["x-yj-rules"] = json!(rules);
    }
    schema
}

fn property(field: &FieldSpec) -> Value {
    let mut schema = match field.kind {
        FieldKind::Text => own_text(field),
        FieldKind::Decimal => decimal(field),
        FieldKind::Result => json!({
            "type": "string", "maxLength": 40, "x-yj-result": true,
            "pattern": format!("^({})$", schema_number::result(may_be_negative(field))),
        }),
        FieldKind::Int => {
            let (min, max) = field.whole_bounds();
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        FieldKind::Bool => json!({ "type": "boolean" }),
        FieldKind::Time => json!({ "type": "string", "format": "date-time", "pattern": TIME }),
        FieldKind::Date => {
            json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
        }
        FieldKind::Code => {
            let choice =
                |(code, label): &(String, String)| json!({ "const": code, "title": label });
            json!({ "oneOf": field.codes.iter().map(choice).collect::<Vec<_>>() })
        }
    };
    if !field.required {
        schema = optional(schema);
    }
    schema["title"] = json!(field.label);
    if let Some(hint) = &field.hint {
        schema["description"] = json!(hint);
    }
    if let Some(class) = field.class {
        schema["x-yj-class"] = json!(class);
    }
    schema
}

fn may_be_negative(field: &FieldSpec) -> bool {
    field.min.is_none_or(|min| min < Quantity::ZERO)
}

fn own_text(field: &FieldSpec) -> Value {
    let mut schema =
        json!({ "type": "string", "minLength": 1, "maxLength": field.length(), "pattern": PLAIN });
    if let Some(pattern) = &field.pattern {
        match schema_pattern::ecma(pattern) {
            Some(pattern) => schema["allOf"] = json!([{ "pattern": pattern }]),
            None => schema["x-yj-pattern"] = json!(pattern),
        }
    }
    schema
}

fn decimal(field: &FieldSpec) -> Value {
    let mut schema = json!({ "type": "string", "pattern": schema_number::unbounded() });
    let mut bounds = Vec::new();
    if let Some(min) = field.min {
        schema["x-yj-minimum"] = json!(min);
        bounds.push(json!({ "pattern": schema_number::at_least(min) }));
    }
    if let Some(max) = field.max {
        schema["x-yj-maximum"] = json!(max);
        bounds.push(json!({ "pattern": schema_number::at_most(max) }));
    }
    if !bounds.is_empty() {
        schema["allOf"] = json!(bounds);
    }
    schema
}

/// The rules that JSON Schema can say; all of them stand in `x-yj-rules`.
fn condition(fields: &[FieldSpec], rule: &Rule) -> Option<Value> {
    let demand = match &rule.demand {
        Demand::RequiredIf { field, when, is } => {
            json!({ "if": told(fields, when, is)?, "then": filled(field) })
        }
        Demand::AnyOf { fields } => {
            json!({ "anyOf": fields.iter().map(|field| filled(field)).collect::<Vec<_>>() })
        }
        Demand::NotListed { field, values, anywhere: false } => {
            json!({ "not": told(fields, field, values)? })
        }
        _ => return None,
    };
    match &rule.when {
        Some(when) => Some(json!({ "if": told(fields, when, &rule.is)?, "then": demand })),
        None => Some(demand),
    }
}

fn filled(field: &str) -> Value {
    json!({ "properties": { field: { "not": { "type": "null" } } }, "required": [field] })
}

/// Whether a field has one of these values.
fn told(fields: &[FieldSpec], name: &str, is: &[String]) -> Option<Value> {
    let field = fields.iter().find(|field| field.name == name)?;
    let value = |text: &String| match field.kind {
        FieldKind::Bool => Some(json!(text == "true")),
        FieldKind::Int => text.parse::<i64>().ok().map(Value::from),
        _ => Some(json!(text)),
    };
    let values: Option<Vec<Value>> = is.iter().map(value).collect();
    Some(json!({ "properties": { name: { "enum": values? } }, "required": [name] }))
}
