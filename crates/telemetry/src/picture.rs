//! The final state of what devices said, in one digest: for comparing a run in which messages came
//! twice and out of order with a clean one.

use yj_crypto::sm3;
use yj_kernel::{Result, Sql, Tx};

/// What is stored of these devices, in one digest that does not say which devices they are nor when
/// their messages arrived: numbers, gaps, every reading with all that was concluded from it, and how
/// many events.
pub async fn picture(tx: &mut Tx, macs: &[&str]) -> Result<String> {
    let mut whole = Vec::new();
    for (index, mac) in macs.iter().enumerate() {
        let of = |text: &'static str| Sql::new(text).arg(*mac);
        let questions = vec![
            of("SELECT m.epoch, m.seq, m.sent_at FROM device_message m \
                JOIN device d ON d.id = m.device_id WHERE d.mac = $1 ORDER BY m.id"),
            of("SELECT e.epoch, e.last FROM device_epoch e \
                JOIN device d ON d.id = e.device_id WHERE d.mac = $1 ORDER BY e.epoch"),
            of("SELECT g.epoch, g.first, g.last FROM device_gap g \
                JOIN device d ON d.id = g.device_id WHERE d.mac = $1 ORDER BY g.epoch, g.first"),
            of("SELECT COUNT(*) FROM device_event v \
                JOIN device d ON d.id = v.device_id WHERE d.mac = $1"),
            of("SELECT s.kind, s.channel, s.time, s.epoch, s.seq, s.item, s.value, s.marks, \
                s.same_since, s.same_count FROM device_series s \
                JOIN device d ON d.id = s.device_id WHERE d.mac = $1 ORDER BY s.kind, s.channel"),
            of("SELECT s.kind, s.channel, r.time, r.epoch, r.seq, r.item, r.value, r.code, \
                r.marks, r.same_since, r.same_count FROM device_reading r \
                JOIN device_series s ON s.id = r.series_id JOIN device d ON d.id = s.device_id \
                WHERE d.mac = $1 \
                ORDER BY s.kind, s.channel, r.time, r.epoch, r.seq, r.item"),
        ];
        whole.extend(format!("device {index}\n").into_bytes());
        for rows in tx.fetch_all(questions).await? {
            whole.extend(format!("{rows:?}\n").into_bytes());
        }
    }
    Ok(sm3::hex(&sm3::digest(&whole)))
}
