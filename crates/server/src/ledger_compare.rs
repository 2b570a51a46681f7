//! The ledger's own file and the database tell of the same records: neither was lost, replaced or
//! put back to an older state without the other.

use std::collections::BTreeMap;

use yj_kernel::{Problem, Result, Row, Sql};
use yj_ledger::RecordPlace;

use crate::{Assembled, ledger_export::require_growth};

/// Rows of one query.
const CHUNK: i64 = 2_000;

/// Compares them record by record, in the order of their names. The ledger is read first: what the
/// database knows of later blocks is passed over.
pub(crate) async fn compare(assembled: &Assembled) -> Result<String> {
    let height = assembled.ledger.checkpoint()?.map_or(0, |checkpoint| checkpoint.height);
    let snapshot = assembled.ledger.snapshot()?;
    let records = snapshot.verify_derived()?;
    let mut tx = assembled.app.db().snapshot().await?;
    let mut after = String::new();
    loop {
        let sql = Sql::new(
            "SELECT record, state, height FROM anchor_entry WHERE record > $1 ORDER BY record LIMIT $2",
        );
        let rows = tx.fetch(sql.arg(after.as_str()).arg(CHUNK)).await?;
        let end = rows.last().map(|row| row.text(0)).transpose()?;
        let mut places: BTreeMap<_, _> =
            snapshot.places_between(&after, end)?.into_iter().collect();
        for row in &rows {
            agree(row, places.remove(row.text(0)?), height)?;
        }
        if let Some((record, place)) = places.pop_first() {
            return Err(Problem::internal(format!(
                "记录 {record} 在区块 {} 中，而数据库中没有：被删除，或数据库退回到了旧的状态",
                place.height
            )));
        }
        let Some(end) = end else { break };
        require_growth(&after.as_str().into(), &end.into())?;
        after = String::from(end);
    }
    Ok(format!("{records} 条记录在日志中各有一处，数据库所说的与日志相同"))
}

fn agree(row: &Row, place: Option<RecordPlace>, tip: u64) -> Result<()> {
    let (record, state) = (row.text(0)?, row.text(1)?);
    let height = row.int_opt(2)?.map(u64::try_from).transpose().map_err(Problem::internal)?;
    let wrong = |what: String| Err(Problem::internal(format!("记录 {record} {what}")));
    match (state, height, place) {
        ("confirmed", Some(height), Some(place)) if place.height == height => Ok(()),
        ("confirmed", Some(height), Some(place)) => {
            wrong(format!("称在区块 {height}，日志中是区块 {}", place.height))
        }
        ("confirmed", Some(height), None) if height > tip => wrong(format!(
            "称在区块 {height}，而日志只到区块 {tip}：日志文件丢失，或退回到了旧的状态"
        )),
        ("confirmed", Some(height), None) => {
            wrong(format!("称在区块 {height}，而日志中没有：伪造，或日志文件被更换"))
        }
        ("confirmed", None, _) => wrong(String::from("称已上链而没有区块高度")),
        _ => Ok(()),
    }
}
