//! Attributes: what an event or a product of a domain holds besides what all hold.

use jiff::civil::Date;
use regex_lite::{Regex, RegexBuilder};
use serde::Serialize;
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{Measured, OffsetTime, Quantity, Rejected};

use crate::rule::Rule;

/// Kind of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// 文本
    Text,
    /// 十进制数
    Decimal,
    /// 检测结果: a number, or where it lies. Kept as it was sent.
    Result,
    /// 整数
    Int,
    /// 是否
    Bool,
    /// 时间
    Time,
    /// 日期
    Date,
    /// 代码
    Code,
}

/// What is not everybody's to read: sealed with the event, kept off the ledger, never published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// 个人信息: shown for a reason only.
    Personal,
    /// 敏感: 商业秘密 such as prices (GB/T 38157 10.4), shown to whoever is cleared for it.
    Sensitive,
}

impl FieldClass {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Sensitive => "sensitive",
        }
    }
}

/// One attribute.
#[derive(Debug, Clone, Serialize)]
pub struct FieldSpec {
    /// JSON key.
    pub name: String,
    /// 中文名称
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it must be there.
    pub required: bool,
    /// Its codes, for kind `code`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<(String, String)>,
    /// Smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Quantity>,
    /// Largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Quantity>,
    /// Longest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Form of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// One sentence that helps to fill it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Who may read it; nothing where everybody may who reads the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FieldClass>,
}

/// Longest text where a field says nothing else.
pub const LENGTH_MAX: usize = 200;

/// Largest form of a text that is kept ready, in bytes: enough for every code there is, too little to
/// keep a processor busy.
const PATTERN_BYTES_MAX: usize = 64 << 10;

/// The form of a text, unless it is no regular expression or too large a one.
pub(crate) fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().ok()
}

/// What attributes are checked against.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// The fields there may be.
    pub fields: &'a [FieldSpec],
    /// What holds between them.
    pub rules: &'a [Rule],
    /// When the event happened, for the rules that speak of it.
    pub event_time: Option<OffsetTime>,
}

/// Checks and normalises attributes: every field by itself, then, where all of them are sound, the
/// rules between them. Errors name the field without a prefix.
pub fn check_attributes(
    schema: Schema<'_>,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<FieldError>> {
    let (mut accepted, mut errors) = (Map::new(), Vec::new());
    for field in schema.fields {
        match field.accept(given.get(&field.name).unwrap_or(&Value::Null)) {
            Ok(Value::Null) => {}
            Ok(value) => drop(accepted.insert(field.name.clone(), value)),
            Err(detail) => errors.push(FieldError {
                field: field.name.clone(),
                detail: format!("{}：{detail}", field.label),
            }),
        }
    }
    let strange =
        given.keys().filter(|name| !schema.fields.iter().any(|field| field.name == **name));
    for name in strange {
        let known: Vec<_> = schema.fields.iter().map(|field| field.name.as_str()).collect();
        let known = if known.is_empty() { String::from("没有") } else { known.join("、") };
        let detail = format!("没有 {name} 这个字段，可用字段：{known}");
        errors.push(FieldError { field: name.clone(), detail });
    }
    if errors.is_empty() {
        errors.extend(schema.rules.iter().filter_map(|rule| rule.broken(schema, &accepted)));
    }
    if errors.is_empty() { Ok(accepted) } else { Err(errors) }
}

impl FieldSpec {
    /// Whether it holds 个人信息.
    pub fn is_personal(&self) -> bool {
        self.class == Some(FieldClass::Personal)
    }

    fn accept(&self, value: &Value) -> Result<Value, String> {
        let blank = matches!(value, Value::String(text) if text.trim().is_empty());
        if value.is_null() || blank {
            return if self.required { Err(String::from("必填")) } else { Ok(Value::Null) };
        }
        match (self.kind, value) {
            (FieldKind::Bool, Value::Bool(_)) => Ok(value.clone()),
            (FieldKind::Bool, _) => Err(String::from("应为 true 或 false")),
            (FieldKind::Int, Value::Number(number)) if number.is_i64() => {
                self.bounded(&number.to_string()).map(|_| value.clone())
            }
            (FieldKind::Int, _) => Err(String::from("应为整数")),
            (_, Value::String(text)) => self.accept_text(text.trim()).map(Value::from),
            (FieldKind::Decimal, _) => Err(String::from("应为十进制字符串，如 \"12.5\"")),
            (FieldKind::Result, _) => {
                Err(String::from("应为检测结果的文本，如 \"0.05\"、\"<0.01\""))
            }
            _ => Err(String::from("应为文本")),
        }
    }

    fn accept_text(&self, text: &str) -> Result<String, String> {
        match self.kind {
            FieldKind::Text => self.plain(text),
            FieldKind::Decimal => self.bounded(text),
            FieldKind::Result => {
                let found: Measured = text.parse().map_err(|error: Rejected| error.to_string())?;
                match found.exactly() {
                    Some(number) => self.bounded(&number.to_string()).map(|_| String::from(text)),
                    None => Ok(String::from(text)),
                }
            }
            FieldKind::Time => text
                .parse::<OffsetTime>()
                .map(|time| time.to_string())
                .map_err(|error| error.to_string()),
            FieldKind::Date => {
                let date = text.parse::<Date>();
                date.map(|date| date.to_string())
                    .map_err(|_| String::from("应为日期，如 2026-11-01"))
            }
            FieldKind::Code if self.codes.iter().any(|(code, _)| code == text) => {
                Ok(String::from(text))
            }
            FieldKind::Code => {
                let known: Vec<_> =
                    self.codes.iter().map(|(code, label)| format!("{code} {label}")).collect();
                Err(format!("没有代码 {text}，应为：{}", known.join("、")))
            }
            FieldKind::Int | FieldKind::Bool => Err(String::from("类型不正确")),
        }
    }

    fn plain(&self, text: &str) -> Result<String, String> {
        let (length, longest) = (text.chars().count(), self.max_length.unwrap_or(LENGTH_MAX));
        if length > longest {
            return Err(format!("至多 {longest} 个字，现为 {length} 个"));
        }
        if text.chars().any(char::is_control) {
            return Err(String::from("不能含控制字符"));
        }
        if let Some(pattern) = &self.pattern
            && !compiled(pattern).is_some_and(|pattern| pattern.is_match(text))
        {
            return Err(self.hint.clone().unwrap_or_else(|| String::from("格式不符")));
        }
        Ok(String::from(text))
    }

    fn bounded(&self, text: &str) -> Result<String, String> {
        let number: Quantity = text.parse().map_err(|error: Rejected| error.to_string())?;
        let (low, high) =
            (self.min.is_some_and(|min| number < min), self.max.is_some_and(|max| number > max));
        if low || high {
            let bound = |bound: Option<Quantity>| {
                bound.map_or_else(|| String::from("不限"), |bound| bound.to_string())
            };
            return Err(format!(
                "应在 {} 至 {} 之间，现为 {number}",
                bound(self.min),
                bound(self.max)
            ));
        }
        Ok(number.to_string())
    }

    /// A value as a cell of a spreadsheet: labels instead of codes. The reverse of
    /// [`FieldSpec::read_cell`].
    pub fn show_cell(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Bool(flag) => String::from(if *flag { "是" } else { "否" }),
            Value::String(text) => {
                let found = self.codes.iter().find(|(code, _)| code == text);
                found.map_or_else(|| text.clone(), |(_, label)| label.clone())
            }
            other => other.to_string(),
        }
    }

    /// A cell of a spreadsheet as the value it means.
    pub fn read_cell(&self, text: &str) -> Value {
        match self.kind {
            _ if text.is_empty() => Value::Null,
            FieldKind::Bool => match text {
                "是" | "true" | "1" => Value::Bool(true),
                "否" | "false" | "0" => Value::Bool(false),
                _ => Value::from(text),
            },
            FieldKind::Int => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
            FieldKind::Code => {
                let found = self.codes.iter().find(|(_, label)| label == text);
                Value::from(found.map_or(text, |(code, _)| code.as_str()))
            }
            _ => Value::from(text),
        }
    }
}
