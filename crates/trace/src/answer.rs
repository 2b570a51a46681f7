//! The shape of the answer of `GET /api/v1/trace/chain`.

use serde::Serialize;
use serde_json::Value;
use yj_model::{OffsetTime, Quantity, UnitCode};

use crate::chain::Flow;

/// 追溯链条
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    pub(crate) code: &'a str,
    pub(crate) direction: &'static str,
    pub(crate) truncated: bool,
    /// Only the steps of the caller's own organisations.
    pub(crate) own_steps: bool,
    pub(crate) generated_at: Value,
    pub(crate) root: ObjectLine<'a>,
    pub(crate) summary: Summary,
    pub(crate) objects: Vec<ObjectLine<'a>>,
    /// What else went into the events of the chain.
    pub(crate) beside: Vec<ObjectLine<'a>>,
    pub(crate) events: Vec<EventLine<'a>>,
    pub(crate) flows: Vec<Flow<'a>>,
    pub(crate) subjects: Vec<SubjectLine<'a>>,
    pub(crate) freeze: Freeze<'a>,
    pub(crate) gone: Gone<'a>,
    pub(crate) broken: Vec<Broken<'a>>,
    pub(crate) flow_table: Vec<FlowLine<'a>>,
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
    /// 占比, a decimal; none where units cannot be added.
    pub(crate) share: Option<String>,
    pub(crate) role: &'static str,
    pub(crate) external: bool,
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
    pub(crate) region_name: String,
    pub(crate) inputs: Vec<LinkLine<'a>>,
    pub(crate) outputs: Vec<LinkLine<'a>>,
    pub(crate) loss: Option<Quantity>,
    pub(crate) loss_rate: Option<String>,
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
    pub(crate) region_name: String,
    /// Its own place, or the middle of its region.
    pub(crate) lon: Option<String>,
    pub(crate) lat: Option<String>,
    pub(crate) contact_name: &'a str,
    pub(crate) contact_phone: &'a str,
    pub(crate) events: usize,
}

/// 可冻结
#[derive(Serialize)]
pub(crate) struct Freeze<'a> {
    pub(crate) total: Quantity,
    pub(crate) items: Vec<FreezeLine<'a>>,
}

/// One object that is still held.
#[derive(Serialize)]
pub(crate) struct FreezeLine<'a> {
    pub(crate) code: &'a str,
    pub(crate) subject_id: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) quantity: Quantity,
    pub(crate) unit: UnitCode,
    pub(crate) share: Option<String>,
}

/// 已售出或已使用
#[derive(Serialize)]
pub(crate) struct Gone<'a> {
    pub(crate) total: Quantity,
    /// 折合: how much of it comes from the root.
    pub(crate) equivalent: Quantity,
    pub(crate) items: Vec<GoneLine<'a>>,
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
    pub(crate) upstream_region: Option<String>,
    pub(crate) downstream: Option<&'a str>,
    pub(crate) downstream_code: Option<&'a str>,
    pub(crate) downstream_region: Option<String>,
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
