//! 领域包 (G-4b): stages, event types, fields and rules of one product domain, as data.

use std::{fmt, ops::Deref, str::FromStr, sync::Arc};

use jiff::civil::Date;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{OffsetTime, Quantity, Ratio, Stage};

use crate::{
    documents::DocumentDemand,
    field::{FieldSpec, Schema, check_attributes},
    goods::{Belongs, GoodsRule, Trips},
    retention::{Asked, Recorded, Retention, asked_of_event},
    rule::Rule,
};

/// One version of one domain.
#[derive(Debug, Serialize)]
pub struct Pack {
    /// Stable code of the domain.
    pub code: String,
    /// 中文名称
    pub name: String,
    /// Version of the pack.
    pub version: PackVersion,
    /// First day it applies.
    pub effective_on: Date,
    /// Its stages.
    pub stages: Vec<StageSpec>,
    /// Attributes of the domain's products.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_fields: Vec<FieldSpec>,
    /// Rules between attributes of a product.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product_rules: Vec<Rule>,
    /// How long records are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retention: Vec<Retention>,
    /// Until when a month is to be reported, where that is laid down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporting: Option<Reporting>,
}

/// 报送期限 of what happened in a month.
#[derive(Debug, Serialize)]
pub struct Reporting {
    /// The last day of the next month on which it may be reported: 1 to 28.
    pub by_day: i8,
    /// Where that is laid down.
    pub basis: String,
}

/// Version of a pack: three numbers below 1000, compared from the left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackVersion(u16, u16, u16);

impl FromStr for PackVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let plain = part.len() <= 3 && (part == "0" || !part.starts_with('0'));
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            (plain && digits).then(|| part.parse().ok())?
        };
        let numbers: Option<Vec<u16>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self(major, minor, patch)),
            _ => Err(String::from("应为三段数字，如 1.0.0，每段至多三位")),
        }
    }
}

impl fmt::Display for PackVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Serialize for PackVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What happens in one stage.
#[derive(Debug, Serialize)]
pub struct StageSpec {
    /// Code of the stage.
    pub stage: String,
    /// Its event types.
    pub events: Vec<EventSpec>,
}

/// One event type.
#[derive(Debug, Serialize)]
pub struct EventSpec {
    /// Stable code, unique in the domain.
    pub code: String,
    /// 中文名称
    pub name: String,
    /// 出入库类型
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movement: Option<String>,
    /// 包装关联: whether it puts things into a package, or takes them out again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packing: Option<Packing>,
    /// What goes in.
    pub inputs: InputSpec,
    /// What comes out.
    pub outputs: OutputSpec,
    /// Loss above this percentage is an outlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_max_percent: Option<Quantity>,
    /// Its own fields.
    pub fields: Vec<FieldSpec>,
    /// Rules between its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// The sensitive field that holds what one unit of the goods costs: 单价.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// Rules over what its goods are and how much of them comes out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goods_rules: Vec<GoodsRule>,
    /// To whom what comes out belongs, where only its owner may do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs: Option<Belongs>,
    /// That its vehicle makes one trip at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trips: Option<Trips>,
    /// The papers it demands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentDemand>,
    /// Whether somebody reviews every one, whatever the source: recalls and the like.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub always_reviewed: bool,
}

/// How an event treats what goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputMode {
    /// 无投入
    None,
    /// 消耗
    Consume,
    /// 只涉及，不消耗
    Observe,
}

/// 包装关联: what an event does with a package and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// 装入: what goes in is in what comes out, and is what it was.
    Pack,
    /// 取出: what comes out was in what goes in, and goes on under its own code.
    Unpack,
}

/// How many things go in.
#[derive(Debug, Serialize)]
pub struct InputSpec {
    /// What becomes of them.
    pub mode: InputMode,
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// What terminal outputs become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Terminal {
    /// 已售出
    Sold,
    /// 已使用
    Used,
}

/// How many things come out.
#[derive(Debug, Serialize)]
pub struct OutputSpec {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
    /// Whether they leave circulation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminal>,
}

/// An event type, held together with the pack it is of.
#[derive(Debug, Clone)]
pub struct EventType {
    pack: Arc<Pack>,
    stage: Stage,
    at: (usize, usize),
}

impl EventType {
    /// The event type of this code in a pack.
    pub fn find(pack: &Arc<Pack>, code: &str) -> Option<Self> {
        let found = pack.stages.iter().enumerate().find_map(|(outer, stage)| {
            let inner = stage.events.iter().position(|event| event.code == code)?;
            Some((Stage::from_code(&stage.stage)?, (outer, inner)))
        });
        found.map(|(stage, at)| Self { pack: Arc::clone(pack), stage, at })
    }

    /// The pack it is of.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The stage in which it happens.
    pub const fn stage(&self) -> Stage {
        self.stage
    }
}

impl Deref for EventType {
    type Target = EventSpec;

    fn deref(&self) -> &EventSpec {
        &self.pack.stages[self.at.0].events[self.at.1]
    }
}

impl Pack {
    /// All event types with the code of their stage.
    pub fn events(&self) -> impl Iterator<Item = (&str, &EventSpec)> {
        let of = |stage: &StageSpec| stage.events.len();
        debug_assert!(self.stages.iter().map(of).sum::<usize>() <= crate::read::EVENTS_MAX);
        self.stages
            .iter()
            .flat_map(|stage| stage.events.iter().map(|event| (stage.stage.as_str(), event)))
    }

    /// How long the laws of this domain have a record kept; `None` where none speaks of it.
    pub fn asked(&self, record: Recorded<'_>) -> Option<Asked<'_>> {
        asked_of_event(&self.retention, record)
    }

    /// What products of this domain hold besides what all products hold.
    pub fn product_schema(&self) -> Schema<'_> {
        Schema { fields: &self.product_fields, rules: &self.product_rules, event_time: None }
    }
}

impl EventSpec {
    /// What a code of one of its fields is called.
    pub fn label(&self, field: &str, code: &str) -> Option<&str> {
        let field = self.fields.iter().find(|found| found.name == field)?;
        field.codes.iter().find(|(known, _)| known == code).map(|(_, label)| label.as_str())
    }

    /// Checks and normalises the attributes of an event that happened at this time. Paths of the
    /// errors begin with `attributes.`.
    pub fn attributes(
        &self,
        given: &Map<String, Value>,
        event_time: Option<OffsetTime>,
        errors: &mut Vec<FieldError>,
    ) -> Map<String, Value> {
        let schema = Schema { fields: &self.fields, rules: &self.rules, event_time };
        check_attributes(schema, given).unwrap_or_else(|found| {
            errors.extend(found.into_iter().map(|error| FieldError {
                field: format!("attributes.{}", error.field),
                detail: error.detail,
            }));
            Map::new()
        })
    }

    /// Attributes without those that have a class, 个人信息 and 商业秘密: what may be anchored and
    /// published.
    pub fn unclassed(&self, attributes: &Map<String, Value>) -> Map<String, Value> {
        let classed = |name: &str| {
            self.fields.iter().any(|field| field.name == name && field.class.is_some())
        };
        attributes
            .iter()
            .filter(|(name, _)| !classed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Whether it takes things out of a package.
    pub fn unpacks(&self) -> bool {
        self.packing == Some(Packing::Unpack)
    }

    /// Whether a loss is beyond what is normal for this type.
    pub fn is_outlier(&self, loss: Ratio) -> bool {
        self.loss_max_percent
            .is_some_and(|limit| loss.exceeds(Ratio::of(i128::from(limit.scaled()), 1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::PackVersion;

    #[test]
    fn versions_are_three_numbers_and_compare_as_such() {
        let version = |text: &str| text.parse::<PackVersion>();
        assert!(version("1.10.0") > version("1.9.9"));
        assert_eq!(version("0.0.999").map(|version| version.to_string()).unwrap(), "0.0.999");
        for wrong in
            ["", "1", "1.0", "1.0.0.0", "1.0.1000", "1.0.01", "1.0.-1", "1.0.+1", "v1.0.0", "1.0."]
        {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
