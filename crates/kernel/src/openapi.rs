//! OpenAPI 3.1, generated from the routes themselves (G-8-2, D-5f), so that it cannot differ from
//! what runs.

use serde_json::{Map, Value, json};

use crate::{Access, Entity, Field, Kind, Match, Platform, Route, Shape, field::Codes};

/// The description of all routes.
pub fn openapi(platform: &Platform, routes: &[Route], entities: &[&'static Entity]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        // A rest of a path is one parameter as any other.
        let path = route.path.replace("{*", "{");
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[route.method.as_str().to_lowercase()] = operation(route);
    }
    let mut schemas = Map::new();
    schemas.insert(String::from("Problem"), problem());
    let mut permissions: Vec<&str> = routes.iter().filter_map(permission).collect();
    permissions.sort_unstable();
    permissions.dedup();
    let permissions = json!({ "type": "string", "title": "权限", "enum": permissions });
    schemas.insert(String::from("Permission"), permissions);
    for entity in entities {
        schemas.insert(input_name(entity), record(entity, false));
        schemas.insert(stored_name(entity), record(entity, true));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} 接口", platform.name),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "约定见 docs/API.md。数量为十进制字符串，时间为带偏移的 RFC 3339，问题为 RFC 9457。",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-yj" },
                "csrf": { "type": "apiKey", "in": "header", "name": "X-CSRF" },
            },
        },
    })
}

fn permission(route: &Route) -> Option<&str> {
    match &route.access {
        Ok(Access::Permission(name)) => Some(name),
        _ => None,
    }
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "tags": [route.path.split('/').nth(3).unwrap_or("public")],
        "parameters": parameters(route),
        "responses": responses(route),
    });
    operation["security"] = match &route.access {
        Err(_) => json!([]),
        Ok(Access::SignedIn) => security(route, &[]),
        Ok(Access::Permission(name)) => security(route, &[name]),
    };
    if let Ok(Access::Permission(name)) = &route.access {
        operation["x-permission"] = json!(name);
    }
    if route.fresh {
        operation["x-step-up"] = json!(true);
    }
    if let Some(content) = content(&route.takes) {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// A token, or the cookie of a browser: what changes something wants the word besides that only our own
/// pages know.
fn security(route: &Route, names: &[&str]) -> Value {
    let mut session = json!({ "session": names });
    if !matches!(route.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        session["csrf"] = json!([]);
    }
    json!([{ "bearer": names }, session])
}

fn operation_id(route: &Route) -> String {
    let path = route.path.replace(['{', '}', '*'], "").replace(['/', '.', '-'], "_");
    format!("{}{path}", route.method.as_str().to_lowercase())
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.split('}').next())
        .map(|name| {
            let name = name.trim_start_matches('*');
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    let query = |name: &str, label: &str, required: bool| json!({ "name": name, "in": "query", "required": required, "description": label, "schema": { "type": "string" } });
    parameters
        .extend(route.query.iter().map(|param| query(param.name, param.label, param.required)));
    if let Shape::Page(entity) = route.gives {
        for (name, label) in LIST_PARAMETERS {
            parameters.push(query(name, label, false));
        }
        for field in entity.fields {
            match field.filter {
                Match::Never => {}
                Match::Range => {
                    parameters.push(query(&format!("{}.from", field.name), field.label, false));
                    parameters.push(query(&format!("{}.to", field.name), field.label, false));
                }
                _ => parameters.push(query(field.name, field.label, false)),
            }
        }
    }
    if route.versioned {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": true,
            "description": "所依据的版本号", "schema": { "type": "string" },
        }));
    }
    parameters
}

/// In a schema: other media types in which the same may be sent.
const ALSO: &str = "x-yj-also";

const LIST_PARAMETERS: [(&str, &str); 5] = [
    ("page", "页码，自 1 起"),
    ("per_page", "每页条数，1 至 100"),
    ("after", "上一页答复中的 next"),
    ("sort", "排序字段，前加 - 为降序"),
    ("count", "true 时给出总数（至多数到 10000，按名称检索时至多 1000），only 时只给出总数"),
];

fn responses(route: &Route) -> Value {
    let mut success = json!({ "description": "成功" });
    if let Some(content) = content(&route.gives) {
        success["content"] = content;
    }
    let mut problem = json!({
        "description": "问题，见 code 字段",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    if !route.path.starts_with("/api/") {
        // Pages for people say what is wrong as a page.
        problem["content"]["text/html"] = json!({ "schema": { "type": "string" } });
    }
    json!({ "2XX": success, "default": problem })
}

fn content(shape: &Shape) -> Option<Value> {
    let reference = |name: String| json!({ "$ref": format!("#/components/schemas/{name}") });
    let json = |schema: Value| Some(json!({ "application/json": { "schema": schema } }));
    match shape {
        Shape::Nothing => None,
        Shape::Json(schema) => {
            let mut content = json!({ "application/json": { "schema": schema } });
            // The same in other forms, which schemas of their own describe.
            for other in schema[ALSO].as_array().into_iter().flatten().filter_map(Value::as_str) {
                content[other] = json!({ "schema": { "type": "string" } });
            }
            Some(content)
        }
        Shape::Record(entity) => json(reference(input_name(entity))),
        Shape::Stored(entity) => json(reference(stored_name(entity))),
        Shape::Page(entity) => json(json!({
            "type": "object",
            "properties": {
                "items": { "type": "array", "items": reference(stored_name(entity)) },
                "next": { "type": ["string", "null"] },
                "names": {
                    "type": "object",
                    "description": "所引用记录的名称，以其 id 为键",
                    "additionalProperties": { "type": "string" },
                },
                "total": {
                    "type": ["object", "null"],
                    "properties": { "count": { "type": "integer" }, "more": { "type": "boolean" } },
                    "required": ["count", "more"],
                },
            },
            "required": ["items", "next"],
        })),
        Shape::Bytes(media) if media.ends_with("json") => Some(json!({ *media: { "schema": {} } })),
        Shape::Bytes(media) => {
            Some(json!({ *media: { "schema": { "type": "string", "format": "binary" } } }))
        }
    }
}

/// `trace_subject` → `TraceSubject`
fn stored_name(entity: &Entity) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    entity.table.split('_').map(capital).collect()
}

fn input_name(entity: &Entity) -> String {
    format!("{}Input", stored_name(entity))
}

fn record(entity: &Entity, stored: bool) -> Value {
    let mut properties: Map<_, _> =
        entity.fields.iter().map(|field| (String::from(field.name), property(field))).collect();
    let mut required: Vec<_> = entity
        .fields
        .iter()
        .filter(|field| stored || !field.optional)
        .map(|field| field.name)
        .collect();
    if stored {
        for name in crate::record::HEADER {
            let kind = if matches!(name, "version" | "label") { "integer" } else { "string" };
            properties.insert(String::from(name), json!({ "type": kind }));
            required.push(name);
        }
    }
    json!({
        "type": "object", "title": entity.title, "properties": properties,
        "required": required, "additionalProperties": false,
    })
}

/// A code of a list that may be longer than this document knows; `GET /api/v1/meta` has it whole.
fn growing(field: &Field) -> Value {
    json!({ "type": "string", "maxLength": field.length_max, "x-code-list": field.grows })
}

fn property(field: &Field) -> Value {
    let codes = |codes: Codes| codes.iter().map(|(code, _)| *code).collect::<Vec<_>>();
    let mut property = match field.kind {
        Kind::Text => json!({ "type": "string", "maxLength": field.length_max }),
        Kind::Int => json!({ "type": "integer" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Decimal => json!({ "type": "string", "pattern": r"^-?\d{1,11}(\.\d{1,4})?$" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Id(table) => json!({ "type": "string", "format": "uuid", "x-references": table }),
        Kind::Code(_) if field.grows.is_some() => growing(field),
        Kind::CodeList(_) if field.grows.is_some() => {
            json!({ "type": "array", "items": growing(field) })
        }
        Kind::Code(list) => json!({ "type": "string", "enum": codes(list) }),
        Kind::CodeList(list) => {
            json!({ "type": "array", "items": { "type": "string", "enum": codes(list) } })
        }
        Kind::Region => json!({ "type": "string", "pattern": r"^\d{6}(\d{3}(\d{3})?)?$" }),
        Kind::Json => json!({}),
    };
    if field.optional
        && let Some(kind) = property.get("type").cloned()
    {
        property["type"] = json!([kind, "null"]);
        if let Some(Value::Array(choices)) = property.get_mut("enum") {
            choices.push(Value::Null);
        }
    }
    property["title"] = Value::from(field.label);
    if !field.hint.is_empty() {
        property["description"] = Value::from(field.hint);
    }
    property
}

fn problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" },
            "status": { "type": "integer" }, "code": { "type": "string" },
            "detail": { "type": "string" }, "request_id": { "type": "string" },
            "errors": { "type": "array", "items": {
                "type": "object",
                "properties": { "field": { "type": "string" }, "detail": { "type": "string" } },
                "required": ["field", "detail"],
            } },
        },
        "required": ["type", "title", "status", "code", "detail"],
    })
}

/// The registers as the console needs them to build lists and forms: `GET /api/v1/meta`.
pub(crate) fn meta(platform: &Platform, entities: &[&'static Entity]) -> Value {
    let entity = |entity: &&'static Entity| {
        json!({
            "table": entity.table, "title": entity.title, "path": format!("/api/v1/{}", entity.table),
            "reviewed": entity.reviewed, "removable": entity.removable, "importable": true,
            "spread_by": entity.spread.map(|spread| spread.by),
            "fields": entity.fields.iter().map(meta_field).collect::<Vec<_>>(),
        })
    };
    json!({
        "platform": { "name": platform.name, "operator": platform.operator, "profile": platform.profile, "public_url": platform.public_url },
        "entities": entities.iter().map(entity).collect::<Vec<_>>(),
    })
}

fn meta_field(field: &Field) -> Value {
    let (kind, codes, references): (_, Codes, _) = match field.kind {
        Kind::Text => ("text", &[], None),
        Kind::Int => ("int", &[], None),
        Kind::Decimal => ("decimal", &[], None),
        Kind::Bool => ("bool", &[], None),
        Kind::Time => ("time", &[], None),
        Kind::Date => ("date", &[], None),
        Kind::Id(table) => ("id", &[], Some(table)),
        Kind::Code(codes) => ("code", codes, None),
        Kind::CodeList(codes) => ("codes", codes, None),
        Kind::Region => ("region", &[], None),
        Kind::Json => ("json", &[], None),
    };
    let filter = match field.filter {
        Match::Never => "none",
        Match::Exact => "exact",
        Match::Prefix => "prefix",
        Match::Contains | Match::Branch => "contains",
        Match::Name => "name",
        Match::Range => "range",
    };
    json!({
        "name": field.name, "label": field.label, "kind": kind, "codes": codes,
        "references": references, "filter": filter, "sortable": field.sortable,
        "optional": field.optional, "need": field.need.map(|need| need.said), "computed": field.computed, "max": field.length_max, "class": field.class.code(), "hint": field.hint,
    })
}
