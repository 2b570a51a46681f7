//! 存证: messages of a device are put on the ledger in batches, each under one Merkle root, so that
//! every reading can be proved without a record of its own (D-6.3, D-7.3.1).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use yj_crypto::{from_hex, to_hex};
use yj_kernel::{App, Ctx, Problem, Result, Row, Sql, Tx, insert_rows};
use yj_ledger::{Ledger, Pending};
use yj_proof::{Envelope, merkle};

/// Messages under one root.
const BATCH_MAX: i64 = 5_000;
/// Devices of one transaction.
const DEVICES_MAX: i64 = 200;
/// How often what waits is put on the ledger.
const PACE: Duration = Duration::from_hours(1);
/// The kind of record.
pub(crate) const RECORD: &str = "device_batch";

/// Puts what waits on the ledger every hour until `stop` says so.
pub async fn anchor_hourly(app: App, ledger: Ledger, mut stop: watch::Receiver<bool>) {
    let mut interval = interval(PACE);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = interval.tick() => {}
        }
        if let Err(problem) = anchor(&app, &ledger).await {
            problem.log();
        }
    }
}

/// Puts every message that waits under a root on the ledger; how many.
pub async fn anchor(app: &App, ledger: &Ledger) -> Result<usize> {
    let mut total = 0;
    loop {
        let count = anchor_some(app).await?;
        total += count;
        if count == 0 {
            ledger.ring();
            return Ok(total);
        }
    }
}

async fn anchor_some(app: &App) -> Result<usize> {
    let ctx = app.on_own_behalf("device-anchor");
    let mut tx = ctx.begin().await?;
    let mut sql = Sql::new("SELECT DISTINCT device_id FROM device_message WHERE batch_id IS NULL");
    sql.push(" ORDER BY device_id LIMIT ").bind(DEVICES_MAX);
    let rows = tx.fetch(sql).await?;
    let devices =
        rows.iter().map(|row| row.text(0).map(String::from)).collect::<Result<Vec<_>>>()?;
    yj_construction::hold(&mut tx, devices.iter().map(String::as_str)).await?;
    let mut total = 0;
    for device in &devices {
        total += batch(&ctx, &mut tx, device).await?;
    }
    tx.commit().await?;
    Ok(total)
}

/// One batch of one device.
async fn batch(ctx: &Ctx, tx: &mut Tx, device: &str) -> Result<usize> {
    let sql = Sql::new(
        "SELECT m.id, m.digest, m.epoch, m.seq, d.mac, s.code FROM device_message m \
         JOIN device d ON d.id = m.device_id JOIN trace_subject s ON s.id = m.subject_id \
         WHERE m.device_id = $1 AND m.batch_id IS NULL ORDER BY m.id LIMIT $2",
    );
    let rows = tx.fetch(sql.arg(device).arg(BATCH_MAX)).await?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(0) };
    // The batch is of one subject: a device that was handed on begins another.
    let owner = first.text(5)?;
    let same = |row: &&Row| row.text(5).is_ok_and(|code| code == owner);
    let rows: Vec<&Row> = rows.iter().take_while(same).collect();
    let last = rows.last().copied().unwrap_or(last);
    let leaves = rows.iter().map(|row| leaf(row.text(1)?)).collect::<Result<Vec<_>>>()?;
    let root = to_hex(&merkle::root(&leaves));
    let id = ctx.new_id::<()>().to_string();
    let number = |row: &Row| Ok::<_, Problem>(json!([row.int(2)?, row.int(3)?]));
    let body = json!({
        "device": first.text(4)?, "count": rows.len(), "root": root,
        "first": number(first)?, "last": number(last)?,
    });
    let envelope =
        Envelope::new(RECORD, &id, owner, &ctx.now.to_string(), body).map_err(Problem::internal)?;
    yj_ledger::enqueue(ctx, tx, &[Pending { record: &id, envelope: &envelope }])?;
    let count = i64::try_from(rows.len()).map_err(Problem::internal)?;
    let row = vec![
        id.as_str().into(),
        device.into(),
        ctx.now_ms().into(),
        count.into(),
        root.as_str().into(),
    ];
    let head = "INSERT INTO device_batch (id, device_id, at, count, root)";
    tx.later(insert_rows(head, "", vec![row]));
    let places: Vec<Sql> = (0_i64..)
        .zip(&rows)
        .map(|(place, row)| {
            let sql = Sql::new("UPDATE device_message SET batch_id = $1, place = $2 WHERE id = $3");
            Ok(sql.arg(id.as_str()).arg(place).arg(row.text(0)?))
        })
        .collect::<Result<_>>()?;
    tx.execute_all(places).await?;
    Ok(rows.len())
}

pub(crate) fn leaf(digest: &str) -> Result<yj_proof::Hash> {
    let digest = from_hex::<32>(digest).ok_or_else(|| Problem::internal("not a digest"))?;
    Ok(merkle::leaf(&digest))
}

/// What proves a message: itself, its path to the root of its batch, and the batch's own proof.
pub(crate) async fn proof(tx: &mut Tx, ledger: &Ledger, message: &str) -> Result<Value> {
    let sql = Sql::new("SELECT content, digest, batch_id, place FROM device_message WHERE id = $1");
    let row = tx.fetch_one(sql.arg(message)).await?.ok_or(Problem::NotFound("设备消息"))?;
    let Some(batch) = row.text_opt(2)? else {
        let detail = "消息尚未上链：每小时汇总一次，请稍后再取";
        return Err(Problem::Conflict(String::from(detail)));
    };
    if crate::erased::is_shortened(row.text(0)?) {
        let detail = "该消息所含的追溯事件已依法删除，不再能出具消息的证明";
        return Err(Problem::Gone(String::from(detail)));
    }
    let place = u64::try_from(row.int(3)?).map_err(Problem::internal)?;
    let sql = Sql::new("SELECT digest FROM device_message WHERE batch_id = $1 ORDER BY place");
    let leaves = tx.fetch(sql.arg(batch)).await?;
    let leaves = leaves.iter().map(|row| leaf(row.text(0)?)).collect::<Result<Vec<_>>>()?;
    let path: Vec<String> =
        merkle::inclusion_path_of(&leaves, place).iter().map(|hash| to_hex(hash)).collect();
    let bundle = ledger.proof(tx, batch).await?;
    let bundle: Value = serde_json::from_slice(&bundle).map_err(Problem::internal)?;
    Ok(json!({
        "message": serde_json::from_str::<Value>(row.text(0)?).map_err(Problem::internal)?,
        "digest": row.text(1)?, "index": place, "size": leaves.len(), "path": path,
        "root": to_hex(&merkle::root(&leaves)), "batch": batch, "proof": bundle,
    }))
}
