//! Planted defects of what devices measure (handbook §8.5, 9 and 10): a journey that was too warm for
//! three quarters of an hour, a sensor that stood still for six hours, and a silence after it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use yj_construction::Device;
use yj_crypto::{Signer as _, SigningKey, sm3, to_hex};
use yj_kernel::{Ctx, Problem, Resource as _, Result, Sql, Tx};
use yj_model::Id;
use yj_telemetry::{DeviceBinding, conditions_of};

use super::{
    defects::COOLED,
    planted::{missed, subject},
};
use crate::Assembled;

/// How long ago it all began.
const BEGAN: SignedDuration = SignedDuration::from_hours(72);
/// The journey lasts three hours, measured every five minutes.
const JOURNEY_MINUTES: i64 = 180;
/// From when until when it was too warm.
const WARM_MINUTES: std::ops::Range<i64> = 60..105;
/// Then the store, measured every ten minutes: six hours of the same tenth of a degree.
const STILL_MINUTES: i64 = 360;
/// Then nothing for so long, in which messages were lost.
const SILENT_MINUTES: i64 = 50;
const LOST: i64 = 4;
/// Readings of the six hours from which on the sensor counts as frozen: the last three hours.
const FROZEN: i64 = 19;

/// Number of the sensor that there is where a province has no devices.
const SPARE: u32 = 0x200;

/// A device that can sign.
struct Watcher {
    id: Id<()>,
    mac: String,
    key: SigningKey,
}

impl Watcher {
    /// One temperature, told when it was taken.
    fn says(&self, (epoch, seq): (i64, i64), at: Timestamp, value: &str) -> Result<Value> {
        let time = at.to_string();
        let mut message = json!({
            "device": self.mac, "epoch": epoch, "seq": seq, "sent_at": time,
            "readings": [{ "time": time, "kind": "temperature", "value": value, "unit": "CEL" }],
        });
        let signed = yj_telemetry::sign(&mut message, &self.key);
        signed.map(|()| message).ok_or_else(|| Problem::internal("a device that cannot sign"))
    }
}

/// Lets a sensor watch over two lots, and looks at what is known of them then.
pub(super) async fn load(assembled: &Assembled) -> Result<()> {
    let ctx = assembled.app.on_own_behalf("demo");
    let start = ctx.now - BEGAN;
    let minutes = |minutes: i64| start + SignedDuration::from_mins(minutes);
    let ends = JOURNEY_MINUTES + STILL_MINUTES + SILENT_MINUTES;
    let mut tx = ctx.begin().await?;
    let watcher = watcher(assembled, &ctx, &mut tx).await?;
    let spans = [(0, JOURNEY_MINUTES - 5), (JOURNEY_MINUTES, ends)];
    for ((number, code), (from, to)) in (1..).zip(COOLED).zip(spans) {
        let binding = DeviceBinding {
            device_id: watcher.id,
            code: String::from(code),
            waybill: Some(format!("示例冷链单-{number}")),
            starts_at: minutes(from).to_string(),
            ends_at: Some(minutes(to).to_string()),
            kind: String::from("temperature"),
            low: Some(String::from("2")),
            high: Some(String::from("8")),
            subject_id: None,
            region: None,
        };
        tx.insert(&ctx, &binding).await?;
    }
    tx.commit().await?;
    let epoch = start.as_second();
    let mut messages = Vec::new();
    for (seq, minute) in (1..).zip((0..JOURNEY_MINUTES).step_by(5)) {
        let value = if WARM_MINUTES.contains(&minute) { "9" } else { "5" };
        messages.push(watcher.says((epoch, seq), minutes(minute), value)?);
    }
    let next = JOURNEY_MINUTES / 5 + 1;
    for (seq, minute) in (next..).zip((0..=STILL_MINUTES).step_by(10)) {
        let at = minutes(JOURNEY_MINUTES + minute);
        messages.push(watcher.says((epoch, seq), at, "4")?);
    }
    let next = next + STILL_MINUTES / 10 + 1;
    messages.push(watcher.says((epoch, next + LOST), minutes(ends), "4.2")?);
    for told in assembled.intake.take(&assembled.app, messages, true).await? {
        if told.code() != "stored" {
            return Err(Problem::internal(format!("a reading was refused: {}", told.json())));
        }
    }
    yj_telemetry::anchor(&assembled.app, &assembled.ledger).await?;
    require_found(&ctx, &watcher).await
}

async fn require_found(ctx: &Ctx, watcher: &Watcher) -> Result<()> {
    let mut tx = ctx.snapshot().await?;
    let [warm, still] = COOLED;
    let warm = conditions_of(ctx, &mut tx, warm).await?;
    if warm.len() != 1
        || warm[0]["readings"]["outside_minutes"] != WARM_MINUTES.end - WARM_MINUTES.start
    {
        return Err(missed("冷链超过 8 ℃ 45 分钟", json!(warm)));
    }
    let still = conditions_of(ctx, &mut tx, still).await?;
    if still.len() != 1 || still[0]["readings"]["frozen"] != FROZEN {
        return Err(missed("传感器 6 小时停在 4.0 ℃", json!(still)));
    }
    let gap = Sql::new(
        "SELECT CAST(SUM(last - first + 1) AS BIGINT) FROM device_gap WHERE device_id = $1",
    );
    let lost = tx.fetch_one(gap.arg(watcher.id)).await?;
    match lost.map(|row| row.int_opt(0)).transpose()?.flatten() {
        Some(LOST) => Ok(()),
        lost => Err(missed("设备消息缺号", format!("{lost:?}"))),
    }
}

/// A gateway of the province, with a key, that tells what its probes measure; where there are no devices,
/// a sensor of a carrier. The province's own sensors are left to those who simulate them.
async fn watcher(assembled: &Assembled, ctx: &Ctx, tx: &mut Tx) -> Result<Watcher> {
    let sql = "SELECT id, mac FROM device WHERE kind = 'gateway' ORDER BY mac LIMIT 1";
    let (id, mac) = match tx.fetch_one(Sql::new(sql)).await? {
        Some(row) => (row.parsed(0)?, String::from(row.text(1)?)),
        None => registered(ctx, tx).await?,
    };
    // Almost every number is a key.
    let key = SigningKey::from_seed(&sm3::digest(&assembled.app.random().to_be_bytes()));
    let key = key.ok_or_else(|| Problem::internal("no key out of chance"))?;
    let public = to_hex(&key.public_key().to_bytes());
    yj_construction::vouch_for(ctx, tx, (&id.to_string(), &mac), &public).await?;
    Ok(Watcher { id, mac, key })
}

async fn registered(ctx: &Ctx, tx: &mut Tx) -> Result<(Id<()>, String)> {
    let owner = subject(tx, "T1").await?;
    let device = Device {
        kind: String::from("sensor"),
        model: String::from("示例-T1"),
        serial_no: None,
        imei: None,
        iccid: None,
        subject_id: owner.id.parse().map_err(Problem::internal)?,
        region: owner.region.parse().map_err(Problem::internal)?,
        place: Some(String::from("示例冷藏车")),
        lon: None,
        lat: None,
        verified_until: None,
        ..Device::sample(SPARE)
    };
    let stored = tx.insert(ctx, &device).await?;
    Ok((stored.id.to_string().parse().map_err(Problem::internal)?, stored.data.mac))
}
