//! What a device says and has signed: who it is, whose it is, and whether its certificate vouches for
//! the words (D-5b, G-4c). One form and one check for heartbeats and data alike.

use std::collections::BTreeMap;

use serde_json::json;
use yj_kernel::{App, Ctx, Result, Sql, Tx, audit};

use crate::{DEVICE, certificate, certificate::Standing, device::INTERVAL_DEFAULT};

/// A registered device that wants to be heard.
#[derive(Debug)]
pub struct Speaker {
    /// Identifier of its registration.
    pub id: String,
    /// MAC address, in the form in which it is registered and signs.
    pub mac: String,
    /// Identifier of the 追溯主体 it belongs to.
    pub subject: String,
    /// 所属区域
    pub region: String,
    /// 上报间隔, in milliseconds.
    pub interval_ms: i64,
    in_use: bool,
    standing: Standing,
}

/// Why a device is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// 已停用
    OutOfUse,
    /// It has no certificate that is valid now.
    NoCertificate,
    /// The signature is not of these words by this device.
    BadSignature,
}

impl Speaker {
    /// Whether these words are this device's own: it is in use, and the key of its present
    /// certificate has signed them.
    pub fn vouches(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), Distrust> {
        if !self.in_use {
            return Err(Distrust::OutOfUse);
        }
        if !matches!(self.standing, Standing::Valid(_)) {
            return Err(Distrust::NoCertificate);
        }
        let own = self.standing.vouches(message, signature);
        own.then_some(()).ok_or(Distrust::BadSignature)
    }
}

/// The registered devices behind these MAC addresses, whoever asks: they speak for themselves.
pub async fn speakers<'a>(
    tx: &mut Tx,
    macs: impl IntoIterator<Item = &'a str>,
    now_ms: i64,
) -> Result<BTreeMap<String, Speaker>> {
    let mut sql = Sql::new(
        "SELECT id, mac, subject_id, region, interval_minutes, in_use FROM device WHERE mac ",
    );
    sql.bind_texts(macs);
    let rows = tx.fetch(sql).await?;
    let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut standings = certificate::standings(tx, &ids, now_ms).await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let text = |index| row.text(index).map(String::from);
        let (id, mac) = (text(0)?, text(1)?);
        let standing = standings.remove(&id).unwrap_or(Standing::None);
        let interval_ms = row.int_opt(4)?.unwrap_or(INTERVAL_DEFAULT) * 60_000;
        let (subject, region, in_use) = (text(2)?, text(3)?, row.int(5)? != 0);
        let speaker =
            Speaker { id, mac: mac.clone(), subject, region, interval_ms, in_use, standing };
        found.insert(mac, speaker);
    }
    Ok(found)
}

/// Tells security administrators that somebody speaks in a device's name, or that it lies.
pub async fn distrust(app: &App, mac: &str, detail: &str) {
    yj_identity::alarm_of_device(app, mac, detail).await;
}

/// Gives a device a key without an authority's certificate: for demonstrations and measurements
/// only, where there is no authority.
pub async fn vouch_for(
    ctx: &Ctx,
    tx: &mut Tx,
    (device, mac): (&str, &str),
    public_key: &str,
) -> Result<()> {
    const YEAR_MS: i64 = 366 * 86_400_000;
    let sql = Sql::new(
        "INSERT INTO device_certificate (id, device_id, fingerprint, serial, issuer, name, \
         public_key, valid_from, valid_until, bound_at, bound_by) \
         VALUES ($1, $2, $3, $4, '示例机构', $5, $6, $7, $8, $9, $10)",
    );
    let (id, now) = (ctx.new_id::<()>().to_string(), ctx.now_ms());
    let sql = sql.arg(id.as_str()).arg(device).arg(format!("demo-{id}")).arg(id.as_str());
    let sql = sql.arg(mac).arg(public_key).arg(now - YEAR_MS).arg(now + YEAR_MS).arg(now);
    tx.execute(sql.arg(ctx.actor())).await?;
    let body = json!({ "certificate": id, "demonstration": true });
    let entry =
        audit::Entry { action: "certificate_bound", entity: DEVICE.table, record: device, body };
    audit::write(ctx, tx, entry);
    Ok(())
}
