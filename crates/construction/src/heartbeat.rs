//! 心跳 (G-6.7.5, G-4c): devices say that they live, most of them through a gateway that speaks for
//! many; data counts as well (see `alive`). Nothing said twice, out of its time or under another's name
//! counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_crypto::from_hex;
use yj_kernel::{Ctx, Problem, Result, Sql, SqlValue, insert_rows};
use yj_model::MacAddress;

use crate::{
    DEVICE,
    alive::{Known, SKEW_MAX_MS, known},
    certificate::{self, Standing},
    presence,
    state::{Presence, due},
};

/// Heartbeats of one request.
const BATCH_MAX: usize = 1_000;
/// Longest firmware version, in characters.
const FIRMWARE_MAX: usize = 60;

/// What one device says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heartbeat {
    /// MAC 地址
    mac: String,
    /// 序号：每次大于上一次，如开机以来的次数或毫秒时间戳
    #[schemars(range(min = 0))]
    sequence: i64,
    /// 设备时间，RFC 3339 带时区；与平台时间相差至多 5 分钟
    at: String,
    /// 剩余电量，百分数
    #[schemars(range(min = 0, max = 100))]
    battery: Option<i64>,
    /// 固件版本
    #[schemars(length(max = 60))]
    firmware: Option<String>,
    /// 已绑定证书的设备须签名：SM2 签名 r ‖ s 的十六进制，
    /// 原文为 yj-heartbeat-v1、MAC 地址（大写、冒号分隔）、序号、设备时间原文，各占一行
    signature: Option<String>,
}

/// Heartbeats of one gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    /// 1 至 1000 台设备各一条
    #[schemars(length(min = 1, max = 1000))]
    heartbeats: Vec<Heartbeat>,
}

/// Why a heartbeat does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Malformed(&'static str),
    Unknown,
    Repeated,
    OutOfUse,
    OffTime,
    Unsigned,
    NoCertificate,
    BadSignature,
    Replayed,
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown",
            Self::Repeated => "repeated",
            Self::OutOfUse => "out_of_use",
            Self::OffTime => "off_time",
            Self::Unsigned => "unsigned",
            Self::NoCertificate => "no_certificate",
            Self::BadSignature => "bad_signature",
            Self::Replayed => "replayed",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Malformed(detail) => detail,
            Self::Unknown => "没有登记这台设备，或不在您的数据权限范围内",
            Self::Repeated => "同一请求中这台设备不止一条，只取第一条",
            Self::OutOfUse => "设备已停用",
            Self::OffTime => "设备时间与平台时间相差超过 5 分钟，请校时",
            Self::Unsigned => "设备已绑定证书，心跳须附签名",
            Self::NoCertificate => "设备没有现行有效的证书，请绑定新证书",
            Self::BadSignature => "签名不符，或不是用设备现行证书的密钥签的",
            Self::Replayed => "序号不大于上一次心跳的序号，疑为重放",
        }
    }
}

/// A heartbeat in its normal form.
#[derive(Debug)]
struct Beat {
    mac: String,
    sequence: i64,
    at_ms: i64,
    battery: Option<i64>,
    firmware: Option<String>,
    message: Vec<u8>,
    signature: Option<[u8; 64]>,
}

impl Beat {
    fn read(sent: &Heartbeat) -> Result<Self, Refusal> {
        let mac: MacAddress =
            sent.mac.parse().map_err(|_| Refusal::Malformed("mac：不是设备的 MAC 地址"))?;
        if sent.sequence < 0 {
            return Err(Refusal::Malformed("sequence：应为不小于 0 的整数"));
        }
        let at: jiff::Timestamp = sent.at.parse().map_err(|_| {
            Refusal::Malformed("at：应为带时区的时间，如 2026-11-01T08:00:00+08:00")
        })?;
        if sent.battery.is_some_and(|level| !(0..=100).contains(&level)) {
            return Err(Refusal::Malformed("battery：应为 0 至 100 的整数"));
        }
        let unprintable = |text: &String| {
            text.chars().count() > FIRMWARE_MAX || text.chars().any(char::is_control)
        };
        if sent.firmware.as_ref().is_some_and(unprintable) {
            return Err(Refusal::Malformed("firmware：至多 60 个字，不含控制字符"));
        }
        let signature = match &sent.signature {
            Some(text) => Some(
                from_hex::<64>(text).ok_or(Refusal::Malformed("signature：应为 128 位十六进制"))?,
            ),
            None => None,
        };
        let message = format!("yj-heartbeat-v1\n{mac}\n{}\n{}", sent.sequence, sent.at);
        Ok(Self {
            mac: mac.to_string(),
            sequence: sent.sequence,
            at_ms: at.as_millisecond(),
            battery: sent.battery,
            firmware: sent.firmware.clone(),
            message: message.into_bytes(),
            signature,
        })
    }

    /// Everything that can be said without knowing what was heard before.
    fn judge(&self, device: &Device, now_ms: i64) -> Result<(), Refusal> {
        if !device.in_use {
            return Err(Refusal::OutOfUse);
        }
        if (now_ms - self.at_ms).abs() > SKEW_MAX_MS {
            return Err(Refusal::OffTime);
        }
        match (&device.standing, &self.signature) {
            (Standing::None, None) => Ok(()),
            (Standing::None | Standing::Lapsed, Some(_)) | (Standing::Lapsed, None) => {
                Err(Refusal::NoCertificate)
            }
            (Standing::Valid(_), None) => Err(Refusal::Unsigned),
            (standing @ Standing::Valid(_), Some(signature)) => {
                let signed = standing.vouches(&self.message, signature);
                signed.then_some(()).ok_or(Refusal::BadSignature)
            }
        }
    }
}

/// What the platform knows of a device before it listens.
#[derive(Debug)]
struct Device {
    id: String,
    in_use: bool,
    standing: Standing,
}

/// Takes heartbeats: `{accepted, refused: [{index, mac, code, detail}]}`.
pub(crate) async fn take(ctx: &Ctx, batch: Batch) -> Result<Value> {
    let sent = batch.heartbeats;
    if !(1..=BATCH_MAX).contains(&sent.len()) {
        let detail = format!("一次应为 1 至 {BATCH_MAX} 台设备，现为 {} 台", sent.len());
        return Err(Problem::invalid("heartbeats", detail));
    }
    let (mut beats, mut refused) = (BTreeMap::new(), BTreeMap::new());
    let mut first = BTreeMap::new();
    for (index, one) in sent.iter().enumerate() {
        match Beat::read(one) {
            Ok(beat) if *first.entry(beat.mac.clone()).or_insert(index) == index => {
                beats.insert(index, beat);
            }
            Ok(_) => drop(refused.insert(index, Refusal::Repeated)),
            Err(refusal) => drop(refused.insert(index, refusal)),
        }
    }
    let devices = devices(ctx, beats.values().map(|beat| beat.mac.as_str())).await?;
    let now_ms = ctx.now_ms();
    // Signatures are work for a thread of its own, and done before the database is held.
    let judged = tokio::task::spawn_blocking(move || judge(beats, devices, now_ms)).await;
    let (sound, wrong) = judged.map_err(Problem::internal)?;
    refused.extend(wrong);
    let accepted = sound.len();
    let replayed = store(ctx, sound).await?;
    let accepted = accepted - replayed.len();
    refused.extend(replayed.into_iter().map(|index| (index, Refusal::Replayed)));
    let refused = refused.into_iter().map(|(index, refusal)| {
        let mac = sent.get(index).map(|one| one.mac.as_str());
        json!({ "index": index, "mac": mac, "code": refusal.code(), "detail": refusal.detail() })
    });
    Ok(json!({ "accepted": accepted, "refused": refused.collect::<Vec<_>>() }))
}

/// What a device without a certificate says at the moment of the request: its address and how much
/// of its battery is left. A refusal is an error of whoever made the device up.
pub async fn hear(ctx: &Ctx, (mac, battery): (&str, i64)) -> Result<()> {
    let one = Heartbeat {
        mac: String::from(mac),
        sequence: ctx.now_ms(),
        at: ctx.now.to_string(),
        battery: Some(battery),
        firmware: None,
        signature: None,
    };
    let taken = take(ctx, Batch { heartbeats: vec![one] }).await?;
    if taken["accepted"] == 1 { Ok(()) } else { Err(Problem::internal(taken.to_string())) }
}

type Sound = Vec<(usize, String, Beat)>;

fn judge(
    beats: BTreeMap<usize, Beat>,
    devices: BTreeMap<String, Device>,
    now_ms: i64,
) -> (Sound, BTreeMap<usize, Refusal>) {
    let (mut sound, mut wrong) = (Vec::new(), BTreeMap::new());
    for (index, beat) in beats {
        let judged = match devices.get(&beat.mac) {
            Some(device) => beat.judge(device, now_ms).map(|()| device.id.clone()),
            None => Err(Refusal::Unknown),
        };
        match judged {
            Ok(id) => sound.push((index, id, beat)),
            Err(refusal) => drop(wrong.insert(index, refusal)),
        }
    }
    (sound, wrong)
}

/// Those of these addresses within the request's reach.
async fn devices<'a>(
    ctx: &Ctx,
    macs: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Device>> {
    let mut tx = ctx.snapshot().await?;
    let mut sql = Sql::new("SELECT id, mac, in_use FROM device WHERE mac ");
    sql.bind_texts(macs);
    ctx.scope().narrow(&mut sql, &tx, DEVICE.scoping);
    let rows = tx.fetch(sql).await?;
    let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut standings = certificate::standings(&mut tx, &ids, ctx.now_ms()).await?;
    let device = |row: &yj_kernel::Row| {
        let id = String::from(row.text(0)?);
        let standing = standings.remove(&id).unwrap_or(Standing::None);
        Ok((String::from(row.text(1)?), Device { id, in_use: row.int(2)? != 0, standing }))
    };
    rows.iter().map(device).collect()
}

/// Writes what counts, and returns the places of those that say nothing new.
async fn store(ctx: &Ctx, sound: Sound) -> Result<Vec<usize>> {
    if sound.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = ctx.begin().await?;
    let known = known(&mut tx, sound.iter().map(|(_, id, _)| id.as_str())).await?;
    let (mut rows, mut returned, mut replayed) = (Vec::new(), Vec::new(), Vec::new());
    let now = ctx.now_ms();
    for (index, id, beat) in &sound {
        let Some(Known { seen, state, interval, last }) = known.get(id) else { continue };
        if last.is_some_and(|(sequence, _)| beat.sequence <= sequence) {
            replayed.push(*index);
            continue;
        }
        rows.push(vec![
            SqlValue::from(id.as_str()),
            beat.sequence.into(),
            beat.at_ms.into(),
            now.into(),
            due(now, *interval).into(),
            beat.battery.into(),
            beat.firmware.clone().into(),
        ]);
        if *state != Presence::Online {
            returned.push((seen, *state));
        }
    }
    tx.later(insert_rows(
        "INSERT INTO device_status \
         (device_id, sequence, reported_at, last_seen, due, battery, firmware)",
        "ON CONFLICT (device_id) DO UPDATE SET sequence = excluded.sequence, \
         reported_at = excluded.reported_at, last_seen = excluded.last_seen, due = excluded.due, \
         battery = COALESCE(excluded.battery, device_status.battery), \
         firmware = COALESCE(excluded.firmware, device_status.firmware)",
        rows,
    ));
    presence::changed(ctx, &mut tx, Presence::Online, &returned);
    tx.commit().await?;
    Ok(replayed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Heartbeat {
        Heartbeat {
            mac: String::from("a4bb6d001122"),
            sequence: 7,
            at: String::from("2026-11-19T12:00:00+08:00"),
            battery: Some(80),
            firmware: None,
            signature: None,
        }
    }

    fn device(standing: Standing) -> Device {
        Device { id: String::from("1"), in_use: true, standing }
    }

    #[test]
    fn what_is_not_well_said_is_not_heard() {
        assert!(Beat::read(&sent()).is_ok());
        for wrong in [
            Heartbeat { mac: String::from("FFFFFFFFFFFF"), ..sent() },
            Heartbeat { sequence: -1, ..sent() },
            Heartbeat { at: String::from("2026-11-19T12:00:00"), ..sent() },
            Heartbeat { battery: Some(101), ..sent() },
            Heartbeat { firmware: Some("x".repeat(61)), ..sent() },
            Heartbeat { signature: Some(String::from("00")), ..sent() },
        ] {
            assert!(matches!(Beat::read(&wrong), Err(Refusal::Malformed(_))), "{wrong:?}");
        }
    }

    #[test]
    fn who_has_a_certificate_signs() {
        let plain = Beat::read(&sent()).expect("well said");
        let now = plain.at_ms;
        assert_eq!(plain.judge(&device(Standing::None), now), Ok(()));
        assert_eq!(plain.judge(&device(Standing::None), now + SKEW_MAX_MS), Ok(()));
        let late = plain.judge(&device(Standing::None), now + SKEW_MAX_MS + 1);
        assert_eq!(late, Err(Refusal::OffTime));
        let lapsed = plain.judge(&device(Standing::Lapsed), now);
        assert_eq!(lapsed, Err(Refusal::NoCertificate));
        let valid = || device(Standing::Valid("04".repeat(65)));
        assert_eq!(plain.judge(&valid(), now), Err(Refusal::Unsigned));
        let signed = Heartbeat { signature: Some("11".repeat(64)), ..sent() };
        let signed = Beat::read(&signed).expect("well said");
        assert_eq!(signed.judge(&valid(), now), Err(Refusal::BadSignature));
        let out = Device { in_use: false, ..device(Standing::None) };
        assert_eq!(plain.judge(&out, now), Err(Refusal::OutOfUse));
    }
}
