//! Devices with keys, for those who simulate them.

use serde_json::{Value, json};
use yj_construction::Device;
use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_kernel::{Problem, Result, Sql};

use crate::Assembled;

/// A registered device and its key.
#[derive(Clone)]
pub struct Sensor {
    /// MAC address.
    pub mac: String,
    /// What it signs with.
    pub key: std::sync::Arc<SigningKey>,
}

impl Sensor {
    /// As written to the file of devices.
    pub fn json(&self) -> Value {
        let key = self.key.to_pem().map(|pem| String::from(pem.as_str())).unwrap_or_default();
        json!({ "mac": self.mac, "key": key })
    }

    /// Reads the file of devices.
    pub fn read_all(text: &str) -> Result<Vec<Self>, String> {
        let file: Value =
            serde_json::from_str(text).map_err(|error| format!("设备文件无法读取：{error}"))?;
        let one = |one: &Value| {
            let mac = one["mac"].as_str()?;
            let key = SigningKey::from_pem(one["key"].as_str()?).ok()?;
            Some(Self { mac: String::from(mac), key: std::sync::Arc::new(key) })
        };
        let found: Option<Vec<_>> =
            file["devices"].as_array().and_then(|all| all.iter().map(one).collect());
        found.filter(|all| !all.is_empty()).ok_or_else(|| {
            String::from("设备文件应为 {\"devices\": [{\"mac\": …, \"key\": PEM}]}，至少一台")
        })
    }
}

/// Registers so many sensors of one enterprise, each with a key of its own; those of an earlier call
/// are not among them.
pub async fn fleet(assembled: &Assembled, count: usize) -> Result<Vec<Sensor>> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    let owner = Sql::new("SELECT id, region FROM trace_subject ORDER BY id LIMIT 1");
    let owner = tx.fetch_one(owner).await?.ok_or(Problem::NotFound("追溯主体"))?;
    let known = Sql::new("SELECT COUNT(*) FROM device WHERE mac LIKE 'A4:BB:6D:7%'");
    let known = tx.fetch_one(known).await?.map_or(Ok(0), |row| row.int(0))?;
    let known = usize::try_from(known).map_err(Problem::internal)?;
    let mut sensors = Vec::with_capacity(count);
    for number in known..known + count {
        let [_, _, high, low] = u32::try_from(number).map_err(Problem::internal)?.to_be_bytes();
        let device = Device {
            mac: format!("A4:BB:6D:70:{high:02X}:{low:02X}"),
            kind: String::from("sensor"),
            model: String::from("示例-T1"),
            maker: Some(String::from("示例仪器厂")),
            serial_no: None,
            imei: None,
            iccid: None,
            firmware: None,
            subject_id: owner.parsed(0)?,
            region: owner.parsed(1)?,
            place: Some(format!("示例冷库 {} 号探头", number + 1)),
            lon: None,
            lat: None,
            installed_on: None,
            verified_until: None,
            interval_minutes: Some(1),
            in_use: true,
            locally_administered: None,
            state: None,
        };
        let stored = tx.insert(&ctx, &device).await?;
        let key = key(assembled)?;
        let public = to_hex(&key.public_key().to_bytes());
        let id = stored.id.to_string();
        yj_construction::vouch_for(&ctx, &mut tx, (&id, &device.mac), &public).await?;
        sensors.push(Sensor { mac: device.mac, key: std::sync::Arc::new(key) });
    }
    tx.commit().await?;
    Ok(sensors)
}

fn key(assembled: &Assembled) -> Result<SigningKey> {
    // Almost every number is a key.
    for _ in 0..8 {
        let mut seed = [0; 32];
        let (first, second) = seed.split_at_mut(16);
        first.copy_from_slice(&assembled.app.random().to_be_bytes());
        second.copy_from_slice(&assembled.app.random().to_be_bytes());
        if let Some(key) = SigningKey::from_seed(&seed) {
            return Ok(key);
        }
    }
    Err(Problem::internal("no key out of chance"))
}
