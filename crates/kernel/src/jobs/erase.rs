//! What jobs keep of a record that is being erased (S-35, ADR 41): the file it came in, its row, and the
//! files in which its register went out. All of that is sealed; the keys are destroyed with the
//! transaction, and the sweep takes the bytes away.

use serde_json::Value;

use super::open;
use crate::{Ctx, Problem, Result, Row, Sql, Tx, export_approval, vault};

/// Jobs looked at for one record. Keys of older ones are destroyed already.
const JOBS_MAX: i64 = 10_000;

/// Destroys what finished jobs keep of a record. Other rows of the same file can no longer be repaired
/// in place, and an export has to be made again.
///
/// # Errors
/// [`Problem::Conflict`] while an import that has taken the record in still runs.
pub async fn erase_record(ctx: &Ctx, tx: &mut Tx, (table, record): (&str, &str)) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT j.id, j.state, j.params, j.file, j.kind, \
         CASE WHEN EXISTS (SELECT 1 FROM job_row r WHERE r.job_id = j.id AND r.record = ",
    );
    sql.bind(record).push(
        ") THEN 1 ELSE 0 END FROM job j JOIN data_key k ON k.owner = j.id \
         WHERE k.wrapped IS NOT NULL ORDER BY j.id DESC LIMIT ",
    );
    sql.bind(JOBS_MAX);
    let rows = tx.fetch(sql).await?;
    let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let keys = vault::data_keys(ctx.app(), tx, &ids).await?;
    for row in &rows {
        let id = row.text(0)?;
        let Some(key) = keys.get(id) else { continue };
        let brought = row.int(5)? == 1;
        let exports = row.text(4)? == export_approval::KIND;
        if !brought && !exports {
            continue;
        }
        let params = open(key, ("job.params", id), row.text(2)?)?;
        if !brought && params["entity"] != table {
            continue;
        }
        if matches!(row.text(1)?, "queued" | "running") {
            let detail = "含有该记录的任务尚未结束，请待其完成后再删除";
            return Err(Problem::Conflict(String::from(detail)));
        }
        destroy(ctx, tx, row, &params).await?;
    }
    Ok(())
}

async fn destroy(ctx: &Ctx, tx: &mut Tx, job: &Row, params: &Value) -> Result<()> {
    let mut named: Vec<&str> = job.text_opt(3)?.into_iter().collect();
    texts(params, &mut named);
    // Only files of jobs: parameters name records too.
    let mut sql = Sql::new("SELECT id FROM attachment WHERE entity IS NULL AND id ");
    sql.bind_texts(named);
    let files = tx.fetch(sql).await?;
    let files = files.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut owners = files.clone();
    owners.push(job.text(0)?);
    vault::destroy(ctx, tx, &owners);
    let mut sql = Sql::new("UPDATE attachment SET expires_at = ");
    sql.bind(ctx.now_ms()).push(" WHERE removed_at IS NULL AND id ").bind_texts(files);
    tx.later([sql]);
    Ok(())
}

/// Every text of a job's parameters that may name a file.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    const LENGTH_OF_ID: usize = 36;
    match value {
        Value::String(text) if text.len() == LENGTH_OF_ID => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}
