//! 领域包 (G-4b): stages, event types and fields of one product domain, as data.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{OffsetTime, Quantity, Ratio, Stage};

/// One domain.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Stable code.
    pub code: String,
    /// 中文名称
    pub name: String,
    /// Version of the pack.
    pub version: String,
    /// First day it applies.
    pub effective_on: String,
    /// Its stages.
    pub stages: Vec<StageSpec>,
}

/// What happens in one stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Code of the stage.
    pub stage: String,
    /// Its event types.
    pub events: Vec<EventSpec>,
}

/// One event type.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// Stable code, unique in the domain.
    pub code: String,
    /// 中文名称
    pub name: String,
    /// 出入库类型
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub movement: Option<String>,
    /// What goes in.
    pub inputs: InputSpec,
    /// What comes out.
    pub outputs: OutputSpec,
    /// Loss above this percentage is an outlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_max_percent: Option<Quantity>,
    /// Its own fields.
    pub fields: Vec<FieldSpec>,
    /// Whether somebody reviews every one, whatever the source: recalls and the like.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always_reviewed: bool,
}

/// How an event treats what goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputMode {
    /// 无投入
    None,
    /// 消耗
    Consume,
    /// 只涉及，不消耗
    Observe,
}

/// How many things go in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// What becomes of them.
    pub mode: InputMode,
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// What terminal outputs become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terminal {
    /// 已售出
    Sold,
    /// 已使用
    Used,
}

/// How many things come out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
    /// Whether they leave circulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminal>,
}

/// Kind of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// 文本
    Text,
    /// 十进制数
    Decimal,
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

/// One attribute.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<(String, String)>,
    /// Smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Quantity>,
    /// Largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Quantity>,
    /// Longest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Form of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// One sentence that helps to fill it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `personal` for 个人信息.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// The packs that ship with the product, by code.
pub fn packs() -> &'static BTreeMap<String, Pack> {
    static PACKS: LazyLock<BTreeMap<String, Pack>> = LazyLock::new(|| {
        let texts = [
            include_str!("../../../domains/agri.json"),
            include_str!("../../../domains/industrial.json"),
        ];
        let packs = texts.map(|text| {
            serde_json::from_str::<Pack>(text).expect("a test reads every shipped pack")
        });
        packs.into_iter().map(|pack| (pack.code.clone(), pack)).collect()
    });
    &PACKS
}

impl Pack {
    /// An event type with its stage.
    pub fn event(&self, code: &str) -> Option<(Stage, &EventSpec)> {
        self.stages.iter().find_map(|stage| {
            let event = stage.events.iter().find(|event| event.code == code)?;
            Some((Stage::from_code(&stage.stage)?, event))
        })
    }
}

impl EventSpec {
    /// What a code of one of its fields is called.
    pub(crate) fn label(&self, field: &str, code: &str) -> Option<&str> {
        let field = self.fields.iter().find(|found| found.name == field)?;
        field.codes.iter().find(|(known, _)| known == code).map(|(_, label)| label.as_str())
    }

    /// Checks and normalises attributes.
    pub(crate) fn attributes(
        &self,
        given: &Map<String, Value>,
        errors: &mut Vec<FieldError>,
    ) -> Map<String, Value> {
        let mut accepted = Map::new();
        for field in &self.fields {
            match field.accept(given.get(&field.name).unwrap_or(&Value::Null)) {
                Ok(Value::Null) => {}
                Ok(value) => drop(accepted.insert(field.name.clone(), value)),
                Err(detail) => errors.push(FieldError {
                    field: format!("attributes.{}", field.name),
                    detail: format!("{}：{detail}", field.label),
                }),
            }
        }
        for name in
            given.keys().filter(|name| !self.fields.iter().any(|field| field.name == **name))
        {
            let known: Vec<_> = self.fields.iter().map(|field| field.name.as_str()).collect();
            errors.push(FieldError {
                field: format!("attributes.{name}"),
                detail: format!(
                    "“{}”没有 {name} 这个字段，可用字段：{}",
                    self.name,
                    known.join("、")
                ),
            });
        }
        accepted
    }

    /// Attributes without 个人信息: what may be anchored and published.
    pub(crate) fn impersonal(&self, attributes: &Map<String, Value>) -> Map<String, Value> {
        let personal =
            |name: &str| self.fields.iter().any(|field| field.name == name && field.is_personal());
        attributes
            .iter()
            .filter(|(name, _)| !personal(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Whether a loss is beyond what is normal for this type.
    pub(crate) fn is_outlier(&self, loss: Ratio) -> bool {
        self.loss_max_percent
            .is_some_and(|limit| loss.exceeds(Ratio::of(i128::from(limit.scaled()), 1_000_000)))
    }
}

impl FieldSpec {
    /// Whether it holds 个人信息.
    pub fn is_personal(&self) -> bool {
        self.class.as_deref() == Some("personal")
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
            _ => Err(String::from("应为文本")),
        }
    }

    fn accept_text(&self, text: &str) -> Result<String, String> {
        match self.kind {
            FieldKind::Text => self.plain(text),
            FieldKind::Decimal => self.bounded(text),
            FieldKind::Time => text
                .parse::<OffsetTime>()
                .map(|time| time.to_string())
                .map_err(|error| error.to_string()),
            FieldKind::Date => {
                let date = text.parse::<jiff::civil::Date>();
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
        let (length, longest) = (text.chars().count(), self.max_length.unwrap_or(200));
        if length > longest {
            return Err(format!("至多 {longest} 个字，现为 {length} 个"));
        }
        if text.chars().any(char::is_control) {
            return Err(String::from("不能含控制字符"));
        }
        if let Some(pattern) = &self.pattern
            && !regex_lite::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
        {
            return Err(self.hint.clone().unwrap_or_else(|| String::from("格式不符")));
        }
        Ok(String::from(text))
    }

    fn bounded(&self, text: &str) -> Result<String, String> {
        let number: Quantity =
            text.parse().map_err(|error: yj_model::Rejected| error.to_string())?;
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

    /// A cell of a spreadsheet as the value it means.
    pub(crate) fn read_cell(&self, text: &str) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_pack_is_sound() {
        assert_eq!(packs().len(), 2);
        for pack in packs().values() {
            for stage in &pack.stages {
                assert!(Stage::from_code(&stage.stage).is_some(), "{}", stage.stage);
                for event in &stage.events {
                    let movement = event.movement.as_deref();
                    assert!(
                        movement.is_none_or(|code| yj_model::Movement::from_code(code).is_some())
                    );
                    assert!(
                        event.inputs.min <= event.inputs.max
                            && event.outputs.min <= event.outputs.max
                    );
                    for field in &event.fields {
                        assert_eq!(
                            field.kind == FieldKind::Code,
                            !field.codes.is_empty(),
                            "{}",
                            field.name
                        );
                        if let Some(pattern) = &field.pattern {
                            assert!(regex_lite::Regex::new(pattern).is_ok());
                        }
                    }
                }
            }
            // All seven stages can be recorded (G-5.1-1, D-6.1.1).
            assert_eq!(pack.stages.len(), 7);
        }
    }
}
