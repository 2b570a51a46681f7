//! Devices with keys, for those who simulate them.

use serde_json::{Value, json};
use yj_construction::Device;
use yj_crypto::{Signer as _, SigningKey, to_hex};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};

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

/// So many sensors with a key each: those of the province that have none yet, then new ones of one
/// enterprise. Those of an earlier call are not among them.
pub async fn fleet(assembled: &Assembled, count: usize) -> Result<Vec<Sensor>> {
    let ctx = assembled.app.on_own_behalf("demo");
    let mut tx = ctx.begin().await?;
    let mut devices = known(&mut tx, count).await?;
    let missing = count.saturating_sub(devices.len());
    devices.extend(new(&ctx, &mut tx, missing).await?);
    let mut sensors = Vec::with_capacity(devices.len());
    for (id, mac) in devices {
        let key = key(assembled)?;
        let public = to_hex(&key.public_key().to_bytes());
        yj_construction::vouch_for(&ctx, &mut tx, (&id, &mac), &public).await?;
        sensors.push(Sensor { mac, key: std::sync::Arc::new(key) });
    }
    tx.commit().await?;
    Ok(sensors)
}

/// Identifiers and addresses of sensors that have no key.
async fn known(tx: &mut Tx, most: usize) -> Result<Vec<(String, String)>> {
    let sql = Sql::new(
        "SELECT id, mac FROM device d WHERE kind = 'sensor' AND in_use = 1 AND NOT EXISTS \
         (SELECT 1 FROM device_certificate c WHERE c.device_id = d.id) ORDER BY id LIMIT $1",
    );
    let rows = tx.fetch(sql.arg(i64::try_from(most).map_err(Problem::internal)?)).await?;
    rows.iter().map(|row| Ok((row.text(0)?.into(), row.text(1)?.into()))).collect()
}

async fn new(ctx: &Ctx, tx: &mut Tx, count: usize) -> Result<Vec<(String, String)>> {
    let owner = Sql::new("SELECT id, region FROM trace_subject ORDER BY id LIMIT 1");
    let owner = tx.fetch_one(owner).await?.ok_or(Problem::NotFound("追溯主体"))?;
    let known = Sql::new("SELECT COUNT(*) FROM device WHERE mac LIKE 'A4:BB:6D:7%'");
    let known = tx.fetch_one(known).await?.map_or(Ok(0), |row| row.int(0))?;
    let known = usize::try_from(known).map_err(Problem::internal)?;
    let mut devices = Vec::with_capacity(count);
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
            datum: None,
            datum_given: None,
            installed_on: None,
            verified_until: None,
            interval_minutes: Some(1),
            in_use: true,
            locally_administered: None,
            state: None,
        };
        let id = tx.insert(ctx, &device).await?.id.to_string();
        devices.push((id, device.mac));
    }
    Ok(devices)
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
