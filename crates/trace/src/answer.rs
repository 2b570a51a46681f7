//! The shape of the answer of `GET /api/v1/trace/chain`: what stands in its head and in the lines of its
//! lists.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;
use yj_model::{OffsetTime, Quantity, Ratio, UnitCode};

/// What the answer begins with. The lists follow in [`crate::telling`], which writes them line by line.
#[derive(Serialize)]
pub(crate) struct Head<'a> {
    pub(crate) code: &'a str,
    pub(crate) direction: &'static str,
    pub(crate) truncated: bool,
    /// Only the steps of the caller's own organisations.
    pub(crate) own_steps: bool,
    pub(crate) generated_at: Value,
    pub(crate) root: ObjectLine<'a>,
    pub(crate) summary: Summary,
}

/// A share of the whole, written as a decimal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share(pub(crate) Ratio);

/// Places after the point of a share.
const SHARE_PLACES: u32 = 6;

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_decimal(SHARE_PLACES, formatter)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// 概要; quantities in the root's unit.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) objects: usize,
    pub(crate) events: usize,
    pub(crate) subjects: usize,
    pub(crate) held: Quantity,
    pub(crate) gone: Quantity,
    pub(crate) equivalent: Quantity,
    pub(crate) broken: usize,
    pub(crate) unit: UnitCode,
}

/// 追溯单元
#[derive(Serialize)]
pub(crate) struct ObjectLine<'a> {
    pub(crate) code: &'a str,
    pub(crate) product_id: Option<&'a str>,
    pub(crate) product_name: Option<&'a str>,
    pub(crate) lot: Option<&'a str>,
    pub(crate) unit: UnitCode,
    pub(crate) produced: Quantity,
    pub(crate) consumed: Quantity,
    pub(crate) held: Quantity,
    pub(crate) state: &'static str,
    /// 质量状态 by the orders in force; none where there is none.
    pub(crate) quality: Option<&'static str>,
    pub(crate) quality_name: Option<&'static str>,
    pub(crate) stage: &'static str,
    pub(crate) subject_id: &'a str,
    pub(crate) subject: Option<&'a str>,
    /// 分持: who holds how much, where several do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) holders: Vec<HolderLine<'a>>,
    /// 占比, a decimal; none where units cannot be added.
    pub(crate) share: Option<Share>,
    pub(crate) role: &'static str,
    pub(crate) external: bool,
}

/// What one holds of a unit.
#[derive(Serialize)]
pub(crate) struct HolderLine<'a> {
    pub(crate) subject_id: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) quantity: Quantity,
}

/// One side of an event.
#[derive(Serialize)]
pub(crate) struct LinkLine<'a> {
    pub(crate) code: &'a str,
    pub(crate) quantity: Option<Quantity>,
    pub(crate) unit: Option<UnitCode>,
}

/// 环节
#[derive(Serialize)]
pub(crate) struct EventLine<'a> {
    pub(crate) id: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) type_name: Option<&'a str>,
    pub(crate) stage: &'a str,
    pub(crate) subject_id: &'a str,
    pub(crate) event_time: OffsetTime,
    pub(crate) region: &'a str,
    pub(crate) region_name: &'a str,
    pub(crate) inputs: Vec<LinkLine<'a>>,
    pub(crate) outputs: Vec<LinkLine<'a>>,
    pub(crate) loss: Option<Quantity>,
    pub(crate) loss_rate: Option<Share>,
    pub(crate) loss_outlier: bool,
    pub(crate) anchor: Option<&'a str>,
    pub(crate) observes: bool,
    pub(crate) verdict: Option<&'a str>,
}

/// 主体
#[derive(Serialize)]
pub(crate) struct SubjectLine<'a> {
    pub(crate) id: &'a str,
    pub(crate) code: &'a str,
    pub(crate) name: &'a str,
    pub(crate) region: &'a str,
    pub(crate) region_name: &'a str,
    /// Its own place, or the middle of its region.
    pub(crate) lon: Option<&'a str>,
    pub(crate) lat: Option<&'a str>,
    pub(crate) contact_name: &'a str,
    pub(crate) contact_phone: &'a str,
    pub(crate) events: usize,
}

/// One object that is still held.
#[derive(Serialize)]
pub(crate) struct FreezeLine<'a> {
    pub(crate) code: &'a str,
    pub(crate) subject_id: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) quantity: Quantity,
    pub(crate) unit: UnitCode,
    pub(crate) share: Option<Share>,
}

/// One object that is beyond freezing.
#[derive(Serialize)]
pub(crate) struct GoneLine<'a> {
    #[serde(flatten)]
    pub(crate) line: FreezeLine<'a>,
    pub(crate) equivalent: Option<Quantity>,
    pub(crate) state: &'static str,
}

/// 断链
#[derive(Serialize)]
pub(crate) struct Broken<'a> {
    pub(crate) code: &'a str,
    pub(crate) reason: &'static str,
}

/// A line of the 流量流向表.
#[derive(Serialize)]
pub(crate) struct FlowLine<'a> {
    pub(crate) upstream: Option<&'a str>,
    pub(crate) upstream_code: Option<&'a str>,
    pub(crate) upstream_region: Option<&'a str>,
    pub(crate) downstream: Option<&'a str>,
    pub(crate) downstream_code: Option<&'a str>,
    pub(crate) downstream_region: Option<&'a str>,
    pub(crate) stage: &'a str,
    pub(crate) product_name: Option<&'a str>,
    pub(crate) lot: Option<&'a str>,
    pub(crate) code: &'a str,
    pub(crate) quantity: Option<Quantity>,
    pub(crate) unit: UnitCode,
    pub(crate) event_time: OffsetTime,
    pub(crate) event: &'a str,
    pub(crate) document: Option<&'a str>,
    pub(crate) contact_name: Option<&'a str>,
    pub(crate) contact_phone: Option<&'a str>,
}
