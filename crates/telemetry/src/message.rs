//! 设备消息: the one form in which devices speak, over HTTP and MQTT alike, and what can be said of a
//! message without knowing what was heard before (D-5b, D-6.3-2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use yj_crypto::{from_hex, sm3};
use yj_kernel::{Problem, Result, json as strict};
use yj_model::{MacAddress, OffsetTime, sought_code};
use yj_trace::{Document, Evidence, Input, Output, Place, TraceEvent};

use crate::{
    kind::ReadingKind,
    marks::{Key, Reading as Judged},
    measure::Measure,
};

/// Readings of one message.
const READINGS_MAX: usize = 100;
/// Events of one message.
const EVENTS_MAX: usize = 10;
/// Largest message, in bytes of its canonical form.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How far a device's clock may be ahead.
const AHEAD_MAX_MS: i64 = 5 * 60_000;
/// How long a device may keep what it could not send.
const BUFFERED_MAX_MS: i64 = 30 * 86_400_000;
/// Numbers that JSON carries exactly everywhere.
const NUMBER_MAX: i64 = (1 << 53) - 1;

/// One message of one device.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// 设备的 MAC 地址
    device: String,
    /// 开机批次：设备每次开机大于上一次，如开机时的 Unix 秒
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    epoch: i64,
    /// 序号：每个开机批次从 1 起连续
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    seq: i64,
    /// 发出时间，RFC 3339 带时区；断网缓存后补传的仍为原文，至多 30 天前
    sent_at: String,
    /// 读数，至多 100 个
    #[serde(default)]
    #[schemars(length(max = 100))]
    readings: Vec<Reading>,
    /// 追溯事件，至多 10 条；主体即设备所属企业
    #[serde(default)]
    #[schemars(length(max = 10))]
    events: Vec<DeviceEvent>,
    /// SM2 签名 r ‖ s 的十六进制，原文为 yj-message-v1、MAC 地址（大写、冒号分隔）、开机批次、序号、
    /// 发出时间原文、去掉 signature 的消息按 RFC 8785 规范化后的 SM3 摘要（小写十六进制），各占一行
    signature: String,
}

/// One reading.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reading {
    /// 采样时间，RFC 3339 带时区
    time: String,
    /// 测量项目，如 temperature
    kind: String,
    /// 通道：同一设备的多个探头，0 至 255
    #[serde(default)]
    #[schemars(range(min = 0, max = 255))]
    channel: i64,
    /// 数值，十进制字符串
    value: String,
    /// 计量单位，UN/CEFACT 代码；每个测量项目只有一种
    unit: String,
    /// 所测追溯单元的追溯码，须由设备所属企业持有或已为设备绑定
    #[serde(default)]
    code: Option<String>,
}

/// A trace event of a device: as any other, but its subject is the device's owner.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEvent {
    /// 领域代码，如 agri
    domain: String,
    /// 事件类型，如 harvest
    #[serde(rename = "type")]
    kind: String,
    /// 发生时间，带时区偏移
    event_time: String,
    /// 投入
    #[serde(default)]
    inputs: Vec<Input>,
    /// 产出
    #[serde(default)]
    outputs: Vec<Output>,
    /// 地点
    #[serde(default)]
    place: Option<Place>,
    /// 交易对方的代码
    #[serde(default)]
    counterparty: Option<String>,
    /// 凭证
    #[serde(default)]
    documents: Vec<Document>,
    /// 证据文件
    #[serde(default)]
    evidence: Vec<Evidence>,
    /// 领域包规定的字段
    #[serde(default)]
    attributes: Map<String, Value>,
    /// 设备自己的编号
    #[serde(default)]
    external_id: Option<String>,
}

/// What a message says of one quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) kind: ReadingKind,
    pub(crate) channel: i64,
    pub(crate) reading: Judged,
    pub(crate) code: Option<String>,
}

/// A message that is well formed; who signed it is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) mac: String,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) sent_ms: i64,
    pub(crate) measured: Vec<Measured>,
    events: Vec<DeviceEvent>,
    /// SM3 of the canonical message without its signature, in hexadecimal.
    pub(crate) digest: String,
    /// The canonical message.
    pub(crate) content: String,
    /// What the signature must be over.
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Heard {
    /// Reads a message as it came.
    pub(crate) fn read(sent: Value, now_ms: i64) -> Result<Self> {
        let content = canonical(&sent)?;
        if content.len() > MESSAGE_BYTES_MAX {
            let detail = format!("一条消息至多 {MESSAGE_BYTES_MAX} 字节，请分成几条发送");
            return Err(Problem::TooLarge(detail));
        }
        let mut unsigned = sent.clone();
        if let Some(fields) = unsigned.as_object_mut() {
            fields.remove("signature");
        }
        let digest = sm3::hex(&sm3::digest(canonical(&unsigned)?.as_bytes()));
        let message: Message = strict::typed(sent)?;
        let mac: MacAddress = message
            .device
            .parse()
            .map_err(|error: yj_model::Rejected| Problem::invalid("device", error.to_string()))?;
        let numbers = [("epoch", message.epoch, 0), ("seq", message.seq, 1)];
        if let Some((name, _, least)) =
            numbers.into_iter().find(|(_, number, least)| !(*least..=NUMBER_MAX).contains(number))
        {
            return Err(Problem::invalid(name, format!("应为 {least} 至 {NUMBER_MAX} 的整数")));
        }
        let signature = from_hex::<64>(&message.signature)
            .ok_or_else(|| Problem::invalid("signature", "应为 128 位十六进制的 SM2 签名"))?;
        let sent_ms = moment("sent_at", &message.sent_at)?;
        if sent_ms > now_ms + AHEAD_MAX_MS {
            return Err(Problem::invalid("sent_at", "晚于平台时间 5 分钟以上，请为设备校时"));
        }
        if sent_ms < now_ms - BUFFERED_MAX_MS {
            return Err(Problem::invalid("sent_at", "早于 30 天，已超过可补传的期限"));
        }
        let measured = message.measured((message.epoch, message.seq, sent_ms))?;
        let signed = format!(
            "yj-message-v1\n{mac}\n{}\n{}\n{}\n{digest}",
            message.epoch, message.seq, message.sent_at
        );
        Ok(Self {
            mac: mac.to_string(),
            epoch: message.epoch,
            seq: message.seq,
            sent_ms,
            measured,
            events: message.events,
            digest,
            content,
            signed: signed.into_bytes(),
            signature,
        })
    }

    /// Its events as any other client would send them for this subject.
    pub(crate) fn events(&self, subject: &str) -> Result<Vec<TraceEvent>> {
        let event = |event: &DeviceEvent| {
            let mut value = serde_json::to_value(event).map_err(Problem::internal)?;
            value["subject"] = json!(subject);
            strict::typed(value)
        };
        self.events.iter().map(event).collect()
    }

    /// Whether it brings events.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }
}

impl Message {
    fn measured(&self, (epoch, seq, sent_ms): (i64, i64, i64)) -> Result<Vec<Measured>> {
        let (readings, events) = (self.readings.len(), self.events.len());
        if readings > READINGS_MAX {
            let detail = format!("一条消息至多 {READINGS_MAX} 个读数，现为 {readings} 个");
            return Err(Problem::invalid("readings", detail));
        }
        if events > EVENTS_MAX {
            let detail = format!("一条消息至多 {EVENTS_MAX} 条事件，现为 {events} 条");
            return Err(Problem::invalid("events", detail));
        }
        if readings + events == 0 {
            return Err(Problem::invalid("readings", "消息应至少有一个读数或一条事件"));
        }
        let read = |(item, reading): (i64, &Reading)| {
            let key = |time| Key { time, epoch, seq, item };
            reading
                .measured(sent_ms, key)
                .map_err(|problem| problem.within(&format!("readings[{item}].")))
        };
        (0..).zip(&self.readings).map(read).collect()
    }
}

impl Reading {
    fn measured(&self, sent_ms: i64, key: impl Fn(i64) -> Key) -> Result<Measured> {
        let known = || ReadingKind::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>();
        let kind = ReadingKind::from_code(&self.kind).ok_or_else(|| {
            Problem::invalid("kind", format!("没有这个测量项目，应为 {} 之一", known().join("、")))
        })?;
        if self.unit != kind.unit() {
            let detail =
                format!("{}以 {}（{}）为单位", kind.title(), kind.unit(), kind.unit_name());
            return Err(Problem::invalid("unit", detail));
        }
        if !(0..=255).contains(&self.channel) {
            return Err(Problem::invalid("channel", "应为 0 至 255 的整数"));
        }
        let value: Measure = self
            .value
            .parse()
            .map_err(|error: yj_model::Rejected| Problem::invalid("value", error.to_string()))?;
        let time = moment("time", &self.time)?;
        if time > sent_ms + AHEAD_MAX_MS || time < sent_ms - BUFFERED_MAX_MS {
            let detail = "采样时间应不晚于发出时间（可差 5 分钟），也不早于其 30 天";
            return Err(Problem::invalid("time", detail));
        }
        let code = self
            .code
            .as_deref()
            .map(|text| sought_code(text).or_else(|_| text.parse()))
            .transpose();
        let code = code.map_err(|error| Problem::invalid("code", error.to_string()))?;
        Ok(Measured {
            kind,
            channel: self.channel,
            reading: Judged::new(key(time), value.0, sent_ms),
            code: code.map(|code| code.to_string()),
        })
    }
}

fn moment(field: &str, text: &str) -> Result<i64> {
    let time = text
        .parse::<OffsetTime>()
        .map_err(|_| Problem::invalid(field, "应为带时区的时间，如 2026-11-01T08:00:00+08:00"))?;
    Ok(time.unix_ms())
}

/// What a stored message measured; nothing where it cannot be read. Taken out of it, its events are not
/// missed.
pub(crate) fn readings_of(content: &str) -> Option<Vec<Measured>> {
    let mut content: Value = serde_json::from_str(content).ok()?;
    content.as_object_mut()?.remove(crate::erased::MARK);
    let message: Message = serde_json::from_value(content).ok()?;
    let sent_ms = moment("sent_at", &message.sent_at).ok()?;
    message.measured((message.epoch, message.seq, sent_ms)).ok()
}

/// The canonical form of JSON (RFC 8785).
fn canonical(value: &Value) -> Result<String> {
    serde_json_canonicalizer::to_string(value)
        .map_err(|_| Problem::Malformed(String::from("消息不能规范化（RFC 8785）")))
}

/// The identifier of a device's message: in the order of its words.
pub(crate) fn message_id(device: &str, epoch: i64, seq: i64) -> String {
    format!("{device}-{epoch:014x}-{seq:014x}")
}

/// Signs a message, its `signature` included: what a device does, for simulators and measurements.
/// `None` where the message lacks what is signed, or the key cannot sign.
pub fn sign(message: &mut Value, key: &dyn yj_crypto::Signer) -> Option<()> {
    let fields = message.as_object_mut()?;
    fields.remove("signature");
    let digest = sm3::hex(&sm3::digest(canonical(message).ok()?.as_bytes()));
    let mac: MacAddress = message["device"].as_str()?.parse().ok()?;
    let (epoch, seq) = (message["epoch"].as_i64()?, message["seq"].as_i64()?);
    let sent_at = message["sent_at"].as_str()?;
    let signed = format!("yj-message-v1\n{mac}\n{epoch}\n{seq}\n{sent_at}\n{digest}");
    let signature = key.sign(signed.as_bytes()).ok()?;
    message["signature"] = json!(yj_crypto::to_hex(&signature));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn at(ms: i64) -> String {
        jiff::Timestamp::from_millisecond(ms).expect("a time").to_string()
    }

    fn message() -> Value {
        json!({
            "device": "a4bb6d001122", "epoch": 3, "seq": 1, "sent_at": at(NOW),
            "readings": [{
                "time": at(NOW - 1_000), "kind": "temperature", "value": "4.25", "unit": "CEL",
            }],
            "signature": "11".repeat(64),
        })
    }

    #[test]
    fn a_message_has_one_form_and_one_digest() {
        let heard = Heard::read(message(), NOW).expect("well said");
        assert_eq!((heard.mac.as_str(), heard.measured.len()), ("A4:BB:6D:00:11:22", 1));
        let mut other = message();
        other["signature"] = json!("22".repeat(64));
        assert_eq!(Heard::read(other, NOW).expect("well said").digest, heard.digest);
        let mut other = message();
        other["readings"][0]["value"] = json!("4.26");
        assert_ne!(Heard::read(other, NOW).expect("well said").digest, heard.digest);
    }

    #[test]
    fn what_is_not_well_said_is_refused_by_its_field() {
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut wrong = message();
            change(&mut wrong);
            match Heard::read(wrong, NOW) {
                Err(Problem::Invalid(errors)) => errors[0].field.clone(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(refused(&|one| one["device"] = json!("FFFFFFFFFFFF")), "device");
        assert_eq!(refused(&|one| one["seq"] = json!(0)), "seq");
        assert_eq!(refused(&|one| one["epoch"] = json!(-1)), "epoch");
        assert_eq!(refused(&|one| one["epoch"] = json!(1_i64 << 53)), "epoch");
        assert_eq!(refused(&|one| one["sent_at"] = json!(at(NOW + 301_000))), "sent_at");
        assert_eq!(refused(&|one| one["sent_at"] = json!(at(NOW - 31 * 86_400_000))), "sent_at");
        assert_eq!(refused(&|one| one["signature"] = json!("00")), "signature");
        assert_eq!(refused(&|one| one["readings"] = json!([])), "readings");
        let reading = |name: &'static str, value: Value| {
            refused(&move |one| one["readings"][0][name] = value.clone())
        };
        assert_eq!(reading("unit", json!("FAH")), "readings[0].unit");
        assert_eq!(reading("kind", json!("mood")), "readings[0].kind");
        assert_eq!(reading("value", json!("4,2")), "readings[0].value");
        assert_eq!(reading("channel", json!(256)), "readings[0].channel");
        assert_eq!(reading("time", json!(at(NOW + 301_000))), "readings[0].time");
        assert_eq!(reading("code", json!("bad code")), "readings[0].code");
        assert_eq!(refused(&|one| one["nonsense"] = json!(1)), "nonsense");
    }
}
