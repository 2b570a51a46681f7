//! What becomes of a message, as devices are told.

use serde_json::{Value, json};
use yj_construction::Distrust;
use yj_kernel::Problem;

/// What became of one message.
#[derive(Debug)]
pub enum Fate {
    /// Stored now, with the events it brought.
    Stored(Vec<Brought>),
    /// The same message was stored before.
    Duplicate,
    /// Not stored.
    Refused(Refusal),
}

/// An event of a stored message.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Its identifier.
    pub id: String,
    /// `accepted`, `held` for review, or `duplicate` of one that was stored before.
    pub state: &'static str,
}

/// Why a message is not stored.
#[derive(Debug)]
pub enum Refusal {
    /// Not readable, or something in it is wrong.
    Malformed(Problem),
    /// No such device is registered.
    Unknown,
    /// The device is not believed.
    Distrusted(Distrust),
    /// Another message came under the same number.
    Contradiction,
    /// It measures what is somebody else's; the field says where.
    Foreign(Problem),
    /// An event in it is refused.
    Event(Problem),
}

impl Refusal {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown",
            Self::Distrusted(Distrust::OutOfUse) => "out_of_use",
            Self::Distrusted(Distrust::NoCertificate) => "no_certificate",
            Self::Distrusted(Distrust::BadSignature) => "bad_signature",
            Self::Contradiction => "contradiction",
            Self::Foreign(_) => "foreign_code",
            Self::Event(_) => "event_refused",
        }
    }

    /// In words.
    pub fn detail(&self) -> String {
        let fixed = match self {
            Self::Malformed(problem) | Self::Foreign(problem) | Self::Event(problem) => {
                return problem.to_string();
            }
            Self::Unknown => "没有登记这台设备",
            Self::Distrusted(Distrust::OutOfUse) => "设备已停用",
            Self::Distrusted(Distrust::NoCertificate) => "设备没有现行有效的证书，请绑定新证书",
            Self::Distrusted(Distrust::BadSignature) => {
                "签名不符：消息被改动，或不是用设备现行证书的密钥签的"
            }
            Self::Contradiction => "此序号已收到过内容不同的消息；同一序号只能重发原文",
        };
        String::from(fixed)
    }

    /// What security administrators hear of it, if anything.
    pub(crate) fn alarm(&self) -> Option<&'static str> {
        match self {
            Self::Distrusted(Distrust::BadSignature) => {
                Some("设备数据的签名不符，可能被篡改或冒用")
            }
            Self::Distrusted(Distrust::NoCertificate) => {
                Some("设备的证书已吊销或过期，仍在以其名义发送数据")
            }
            Self::Contradiction => Some("设备在同一序号下发来内容不同的消息，可能被重放或克隆"),
            _ => None,
        }
    }
}

/// A message's fate with what names it.
#[derive(Debug)]
pub struct Told {
    /// MAC address as the device said it; empty where it said none.
    pub device: String,
    /// 开机批次
    pub epoch: Option<i64>,
    /// 序号
    pub seq: Option<i64>,
    /// What became of it.
    pub fate: Fate,
}

impl Told {
    /// What a message says of itself, whatever it is worth.
    pub(crate) fn of(sent: &Value, fate: Fate) -> Self {
        // No more of it than a name is long.
        let device: String = sent["device"].as_str().unwrap_or_default().chars().take(40).collect();
        Self { device, epoch: sent["epoch"].as_i64(), seq: sent["seq"].as_i64(), fate }
    }

    /// Stable code: `stored`, `duplicate`, or why it was refused.
    pub fn code(&self) -> &'static str {
        match &self.fate {
            Fate::Stored(_) => "stored",
            Fate::Duplicate => "duplicate",
            Fate::Refused(refusal) => refusal.code(),
        }
    }

    /// As devices read it.
    pub fn json(&self) -> Value {
        let mut told = json!({
            "device": self.device, "epoch": self.epoch, "seq": self.seq, "code": self.code(),
        });
        match &self.fate {
            Fate::Stored(events) if !events.is_empty() => {
                let event = |one: &Brought| json!({ "id": one.id, "state": one.state });
                told["events"] = events.iter().map(event).collect();
            }
            Fate::Stored(_) | Fate::Duplicate => {}
            Fate::Refused(refusal) => {
                told["detail"] = json!(refusal.detail());
                if let Refusal::Malformed(Problem::Invalid(errors))
                | Refusal::Foreign(Problem::Invalid(errors))
                | Refusal::Event(Problem::Invalid(errors)) = refusal
                {
                    let error = |error: &yj_kernel::FieldError| json!({ "field": error.field, "detail": error.detail });
                    told["errors"] = errors.iter().map(error).collect();
                }
            }
        }
        told
    }
}
