//! 设备证书 (G-4c): which SM2 certificate a device proves itself by. One at a time; what was bound
//! before stays on record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_crypto::{PublicKey, from_hex};
use yj_identity::{Identity, TrustedCertificate};
use yj_kernel::{
    Ctx, Problem, Result, Row, Sql, Stored, Tx, audit, outbox, sound_reason, time_text,
};
use yj_model::{Id, MacAddress};

use crate::{DEVICE, Device};

/// Longest certificate, in bytes of PEM.
const PEM_MAX: usize = 16_384;
/// Certificates that one device shows of its past.
const HISTORY_MAX: i64 = 100;

/// The certificate of a device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// 设备证书，PEM；主题名称（CN）为设备的 MAC 地址、出厂编号或 IMEI
    #[schemars(length(max = 16384))]
    certificate: String,
}

/// Why a certificate does not count any more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// How a device stands to certificates.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It never had one.
    None,
    /// It has had one, and none that is valid now.
    Lapsed,
    /// The public key of the valid one, in hexadecimal.
    Valid(String),
}

impl Standing {
    /// Whether the valid certificate's key has signed this message; never without one.
    pub(crate) fn vouches(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Self::Valid(key) = self else { return false };
        let key = from_hex::<65>(key).and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        key.is_some_and(|key| key.verify(message, signature).is_ok())
    }
}

/// How these devices stand; those that never had a certificate are left out.
pub(crate) async fn standings(
    tx: &mut Tx,
    devices: &[&str],
    now_ms: i64,
) -> Result<BTreeMap<String, Standing>> {
    let mut sql = Sql::new(
        "SELECT device_id, public_key, valid_from, valid_until, revoked_at \
         FROM device_certificate WHERE device_id ",
    );
    sql.bind_texts(devices.iter().copied()).push(" ORDER BY id");
    let mut found = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let valid = row.int_opt(4)?.is_none() && (row.int(2)?..=row.int(3)?).contains(&now_ms);
        let standing =
            if valid { Standing::Valid(String::from(row.text(1)?)) } else { Standing::Lapsed };
        found.insert(String::from(row.text(0)?), standing);
    }
    Ok(found)
}

/// Whether a certificate names this device: by its address, its number, or that of its radio.
fn names(certificate: &TrustedCertificate, device: &Device) -> bool {
    let name = certificate.name.trim();
    let address = name.parse::<MacAddress>().is_ok_and(|mac| mac.as_str() == device.mac);
    let numbers = [&device.serial_no, &device.imei];
    address || numbers.into_iter().flatten().any(|number| number == name)
}

/// The device, held until the end.
async fn held(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Stored<Device>> {
    let id: Id<Device> = id.parse().map_err(|_| Problem::NotFound(DEVICE.title))?;
    tx.lock(DEVICE.table, id).await?;
    tx.get(ctx, id).await
}

/// Binds a certificate that an authority the operator trusts has issued to this very device.
pub(crate) async fn bind(
    ctx: &Ctx,
    tx: &mut Tx,
    identity: &Identity,
    (id, shown): (&str, &Shown),
) -> Result<Value> {
    let device = held(ctx, tx, id).await?;
    let refused = |detail: &str| Problem::invalid("certificate", detail);
    if shown.certificate.len() > PEM_MAX {
        return Err(refused("证书过长，应为一张 PEM 证书"));
    }
    let now = ctx.now_ms();
    let trusted =
        identity.trusted_certificate(&shown.certificate, ctx.now.as_second()).map_err(refused)?;
    if !names(&trusted, &device.data) {
        return Err(refused(
            "这不是该设备的证书：证书的主题名称应为设备的 MAC 地址、出厂编号或 IMEI",
        ));
    }
    let known = Sql::new("SELECT 1 FROM device_certificate WHERE fingerprint = $1");
    if tx.fetch_one(known.arg(trusted.fingerprint.as_str())).await?.is_some() {
        return Err(Problem::duplicate("该证书已绑定过，不能再次绑定"));
    }
    let valid = Sql::new(
        "SELECT 1 FROM device_certificate \
         WHERE device_id = $1 AND revoked_at IS NULL AND valid_until >= $2",
    );
    if tx.fetch_one(valid.arg(id).arg(now)).await?.is_some() {
        let detail = "设备已有有效证书；请先吊销，再绑定新的证书";
        return Err(Problem::Conflict(String::from(detail)));
    }
    let expired = Sql::new(
        "UPDATE device_certificate SET revoked_at = $1, revoked_by = $2, reason = '已过期，换发新证书' \
         WHERE device_id = $3 AND revoked_at IS NULL",
    );
    tx.execute(expired.arg(now).arg(ctx.actor()).arg(id)).await?;
    let certificate = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO device_certificate (id, device_id, fingerprint, serial, issuer, name, \
         public_key, valid_from, valid_until, bound_at, bound_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let TrustedCertificate { fingerprint, serial, issuer, name, public_key, valid_s } = trusted;
    let sql = sql.arg(certificate.as_str()).arg(id).arg(fingerprint.as_str());
    let sql = sql.arg(serial.as_str()).arg(issuer).arg(name).arg(public_key);
    let sql = sql.arg(valid_s.0 * 1_000).arg(valid_s.1 * 1_000).arg(now);
    tx.execute(sql.arg(ctx.actor())).await?;
    let body = json!({ "certificate": certificate, "fingerprint": fingerprint, "serial": serial });
    note(ctx, tx, (id, "certificate_bound"), body);
    one(tx, &certificate).await
}

/// 吊销: from now on nothing that it signs counts.
pub(crate) async fn revoke(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, revocation): (&str, &Revocation),
) -> Result<Value> {
    held(ctx, tx, id).await?;
    let reason = sound_reason(&revocation.reason)?;
    let sql = Sql::new(
        "UPDATE device_certificate SET revoked_at = $1, revoked_by = $2, reason = $3 \
         WHERE device_id = $4 AND revoked_at IS NULL RETURNING id",
    );
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(reason).arg(id);
    let Some(row) = tx.fetch_one(sql).await? else {
        return Err(Problem::Conflict(String::from("设备没有绑定证书，或证书已吊销")));
    };
    let certificate = String::from(row.text(0)?);
    let body = json!({ "certificate": certificate, "reason": reason });
    note(ctx, tx, (id, "certificate_revoked"), body);
    one(tx, &certificate).await
}

fn note(ctx: &Ctx, tx: &mut Tx, (device, action): (&str, &str), body: Value) {
    outbox::announce(ctx, tx, (DEVICE.table, action), device, &body);
    audit::write(ctx, tx, audit::Entry { action, entity: DEVICE.table, record: device, body });
}

const CERTIFICATE: &str = "SELECT id, fingerprint, serial, issuer, name, valid_from, valid_until, \
                           bound_at, bound_by, revoked_at, revoked_by, reason \
                           FROM device_certificate WHERE ";

fn json(row: &Row) -> Result<Value> {
    let time = |index| row.int_opt(index)?.map(time_text).transpose();
    Ok(json!({
        "id": row.text(0)?, "fingerprint": row.text(1)?, "serial": row.text(2)?,
        "issuer": row.text(3)?, "name": row.text(4)?, "valid_from": time(5)?,
        "valid_until": time(6)?, "bound_at": time(7)?, "bound_by": row.text(8)?,
        "revoked_at": time(9)?, "revoked_by": row.text_opt(10)?, "reason": row.text_opt(11)?,
    }))
}

async fn one(tx: &mut Tx, id: &str) -> Result<Value> {
    let mut sql = Sql::new(CERTIFICATE);
    sql.push("id = ").bind(id);
    let row = tx.fetch_one(sql).await?;
    row.map_or_else(
        || Err(Problem::internal("a certificate just written is missing")),
        |row| json(&row),
    )
}

/// Every certificate a device has had, the newest first.
pub(crate) async fn history(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Value> {
    let device: Id<Device> = id.parse().map_err(|_| Problem::NotFound(DEVICE.title))?;
    tx.get(ctx, device).await?;
    let mut sql = Sql::new(CERTIFICATE);
    sql.push("device_id = ").bind(id).push(" ORDER BY id DESC LIMIT ").bind(HISTORY_MAX);
    let rows = tx.fetch(sql).await?;
    let items = rows.iter().map(json).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items }))
}
