//! Reading JSON strictly: no unknown fields, no duplicate keys, Chinese sentences for what is
//! wrong.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{Problem, Result};

/// The fields of a record by name.
pub type Object = Map<String, Value>;

/// A JSON request body read as `T`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = String::from("请求体应为 application/json");
            return Err(Problem::UnsupportedMediaType(detail));
        }
        Ok(Self(parse(&bytes(request, state).await?)?))
    }
}

/// The whole body, within the route's limit.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Problem::TooLarge(String::from("请求体超过此接口允许的大小，请拆分后分批提交"))
        } else {
            Problem::Malformed(String::from("请求体没有完整到达，请重试"))
        }
    })
}

/// Parses a document into a type.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Problem::Malformed(String::from("JSON 应为 UTF-8 编码；GB 18030 文件请转换后再传"))
    })?;
    let strict: Strict = serde_json::from_str(text).map_err(|error| {
        let place = format!("第 {} 行第 {} 列", error.line(), error.column());
        let message = error.to_string();
        match message.strip_prefix("重复的字段") {
            Some(rest) => Problem::Malformed(format!(
                "重复的字段{}",
                rest.split(" at ").next().unwrap_or(rest)
            )),
            None => Problem::Malformed(format!("不是合法的 JSON（{place}）")),
        }
    })?;
    typed(strict.0)
}

/// Turns a JSON value into a type, naming the field that does not fit.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T> {
    let is_list = value.is_array();
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut path = error.path().to_string();
        if path == "." {
            path.clear();
        }
        // A list would do for a type as long as its members came in the right order.
        if is_list && ["", "[0]"].contains(&path.as_str()) {
            return Problem::invalid("", "请求体应为一个对象 {…}，现为列表 […]");
        }
        let (field, detail) = explain(&error.inner().to_string());
        if let Some(field) = field {
            let missing_inside =
                !path.is_empty() && path.rsplit('.').next() != Some(field.as_str());
            path = if missing_inside { format!("{path}.{field}") } else { field };
        }
        Problem::invalid(path, detail)
    })
}

/// Says in Chinese what serde says in English; keeps the sentences of our own types.
fn explain(message: &str) -> (Option<String>, String) {
    let quoted = || message.split('`').nth(1).map(String::from);
    if message.starts_with("missing field") {
        let field = quoted();
        let detail = format!("缺少必填的 {}", field.as_deref().unwrap_or_default());
        return (field, detail);
    }
    if message.starts_with("unknown field") {
        let field = quoted();
        let known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
        let detail = format!(
            "没有 {} 这个字段，可用字段：{}",
            field.as_deref().unwrap_or_default(),
            known.join("、")
        );
        return (field, detail);
    }
    if message.starts_with("unknown variant") {
        let known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
        let detail = format!(
            "没有 {} 这个取值，可用取值：{}",
            quoted().unwrap_or_default(),
            known.join("、")
        );
        return (None, detail);
    }
    if message.starts_with("invalid type") || message.starts_with("invalid value") {
        let wanted = message.split("expected ").nth(1).unwrap_or_default();
        let wanted = match wanted {
            text if text.contains("string") => "文本（加引号）",
            text if text.contains("sequence") || text.contains("array") => "数组",
            text if text.contains("map") || text.contains("struct") => "对象",
            text if text.contains("bool") => "true 或 false",
            text if text.starts_with(['i', 'u', 'f']) => "数字",
            _ => "其他类型",
        };
        return (None, format!("类型不正确，应为{wanted}"));
    }
    let ours = message.chars().any(|letter| ('\u{4E00}'..='\u{9FFF}').contains(&letter));
    (None, if ours { String::from(message) } else { String::from("内容不符合要求") })
}

/// A JSON value whose objects have no key twice.
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Strict(value) = entries.next_value()?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("重复的字段 {key}")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Lot {
        code: String,
        items: Vec<u32>,
    }

    fn detail(text: &str) -> (String, String) {
        match parse::<Lot>(text.as_bytes()).unwrap_err() {
            Problem::Invalid(errors) => (errors[0].field.clone(), errors[0].detail.clone()),
            other => (String::new(), other.to_string()),
        }
    }

    #[test]
    fn wrong_documents_are_explained_in_chinese() {
        assert_eq!(detail(r#"{"code":"A"}"#), ("items".into(), "缺少必填的 items".into()));
        assert_eq!(
            detail(r#"{"code":"A","items":[],"x":1}"#),
            ("x".into(), "没有 x 这个字段，可用字段：code、items".into())
        );
        assert_eq!(
            detail(r#"{"code":1,"items":[]}"#),
            ("code".into(), "类型不正确，应为文本（加引号）".into())
        );
        assert_eq!(
            detail(r#"{"code":"A","items":["x"]}"#),
            ("items[0]".into(), "类型不正确，应为数字".into())
        );
        assert_eq!(detail(r#"{"code":"A","code":"B"}"#).1, "重复的字段 code");
        assert_eq!(detail("{").1, "不是合法的 JSON（第 1 行第 1 列）");
        assert!(parse::<Lot>(b"\xc9\xc2\xce\xf7").unwrap_err().to_string().contains("UTF-8"));
    }
}
