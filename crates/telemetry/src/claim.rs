//! One number of a device, one message: also where two nodes hear different ones at once.

use std::collections::BTreeMap;

use yj_kernel::{Result, Sql, Tx};

use crate::store::Sound;

/// Claims the number of a message in the transaction that captures its events, its device held.
/// `false` where another message has come under it.
pub(crate) async fn claim(tx: &mut Tx, one: &Sound) -> Result<bool> {
    let (id, digest) = (one.id.as_str(), one.heard.digest.as_str());
    let stored = Sql::new("SELECT digest FROM device_message WHERE id = $1").arg(id);
    if let Some(row) = tx.fetch_one(stored).await? {
        return Ok(row.text(0)? == digest);
    }
    let claim = Sql::new(
        "INSERT INTO device_claim (message_id, digest) VALUES ($1, $2) \
         ON CONFLICT (message_id) DO NOTHING",
    );
    if tx.execute(claim.arg(id).arg(digest)).await? > 0 {
        return Ok(true);
    }
    let claimed = Sql::new("SELECT digest FROM device_claim WHERE message_id = $1").arg(id);
    let row = tx.fetch_one(claimed).await?;
    Ok(row.is_none_or(|row| row.text(0).is_ok_and(|claimed| claimed == digest)))
}

/// The digests of the messages that hold these numbers, by identifier.
pub(crate) async fn claimed(tx: &mut Tx, sound: &[Sound]) -> Result<BTreeMap<String, String>> {
    let mut sql = Sql::new("SELECT message_id, digest FROM device_claim WHERE message_id ");
    sql.bind_texts(sound.iter().map(|one| one.id.as_str()));
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)))).collect()
}

/// Gives the numbers of stored messages back: from now on the messages themselves hold them.
pub(crate) fn settled(tx: &mut Tx, ids: &[&str]) {
    let mut sql = Sql::new("DELETE FROM device_claim WHERE message_id ");
    sql.bind_texts(ids.iter().copied());
    tx.later([sql]);
}
