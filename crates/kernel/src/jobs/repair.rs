//! Failed rows of an import, corrected and taken in again without a new file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{JOB_ROW, Kept, Outcome, RowResult, SheetRow, attempt, key_of, one, open, read_row};
use crate::{
    Ctx, Problem, Result, Sql, Tx, audit, json::Object, problem::FieldError, vault::DataKey,
};

/// Longest text of a corrected cell, in characters: as in a file.
const CELL_MAX: usize = 4_000;

/// Takes in one row of the caller's finished import again, with corrected cells, under the
/// rights that the caller has now (G-6.2.1). Cells not named stay as they were; a row that is
/// wrong still keeps its corrections and what is wrong with them.
///
/// # Errors
/// [`Problem::Conflict`] for a row that is in already, [`Problem::Invalid`] for cells that the
/// row has not.
pub(crate) async fn repair(
    ctx: &Ctx,
    (id, number): (&str, i64),
    corrections: BTreeMap<String, String>,
) -> Result<Value> {
    let mut tx = ctx.begin().await?;
    let job = one(ctx, &mut tx, id).await?;
    let conflict = |text: &str| Problem::Conflict(String::from(text));
    if job["state"] != "done" {
        return Err(conflict("任务完成后才能修正其中的行"));
    }
    let kind = ctx.app().jobs().iter().find(|kind| job["kind"] == kind.name);
    let (kind, work) = kind
        .and_then(|kind| kind.row.map(|work| (kind, work)))
        .ok_or_else(|| conflict("此任务不是导入，没有可修正的行"))?;
    let key = key_of(ctx.app(), &mut tx, id).await?;
    let sql = Sql::new("SELECT params FROM job WHERE id = $1").arg(id);
    let sealed = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("任务"))?;
    let params = open(&key, ("job.params", id), sealed.text(0)?)?;
    let source = held(&mut tx, (id, number)).await?;
    let Value::Object(cells) = open(&key, ("job_row.source", id), &source.source)? else {
        return Err(conflict("原内容保存期已过并已清除，请重新导入文件"));
    };
    let cells = corrected(cells, corrections)?;
    let ctx = &ctx.under(&(kind.permission)(&params))?;
    let row = SheetRow { params: &params, cells: &cells };
    let (mut tx, outcome) = attempt(ctx, tx, (work, row)).await?;
    let result = RowResult { row: number, place: None, outcome, source: Value::Object(cells) };
    replace(ctx, &mut tx, (id, &key), &result).await?;
    let mut sql = Sql::new(JOB_ROW);
    sql.bind(id).push(" AND row_no = ").bind(number);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("此行"))?;
    let answer = json!({ "row": read_row(&row, (&key, id))?, "job": one(ctx, &mut tx, id).await? });
    tx.commit().await?;
    ctx.app().signal().touch();
    Ok(answer)
}

/// A row that is not in yet, held against a second submission until the transaction ends.
struct Held {
    failed: bool,
    source: String,
}

async fn held(tx: &mut Tx, (id, number): (&str, i64)) -> Result<Held> {
    let sql = Sql::new(
        "UPDATE job_row SET outcome = outcome WHERE job_id = $1 AND row_no = $2 \
         RETURNING outcome, source",
    );
    let row = tx.fetch_one(sql.arg(id).arg(number)).await?.ok_or(Problem::NotFound("此行"))?;
    match row.text(0)? {
        "ok" => Err(Problem::Conflict(String::from("此行已导入成功，无需再次提交"))),
        outcome => Ok(Held { failed: outcome == "failed", source: String::from(row.text(1)?) }),
    }
}

/// The cells of a row with what was corrected, or every correction that cannot be.
fn corrected(mut cells: Object, corrections: BTreeMap<String, String>) -> Result<Object> {
    let mut errors = Vec::new();
    for (column, text) in corrections {
        let length = text.chars().count();
        if !cells.contains_key(&column) {
            let known: Vec<_> = cells.keys().map(String::as_str).collect();
            let detail = format!("此行没有“{column}”这一列；所导入文件的列为 {}", known.join("、"));
            errors.push(FieldError { field: column, detail });
        } else if length > CELL_MAX {
            let detail = format!("{column}：至多 {CELL_MAX} 字，现为 {length} 字");
            errors.push(FieldError { field: column, detail });
        } else {
            cells.insert(column, Value::from(text));
        }
    }
    if errors.is_empty() { Ok(cells) } else { Err(Problem::Invalid(errors)) }
}

/// Puts the result of a repair in the place of the former one; the job's figures follow.
async fn replace(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, key): (&str, &DataKey),
    row: &RowResult,
) -> Result<()> {
    // A refusal took the first hold back.
    let was = held(tx, (id, row.row)).await?;
    let kept = Kept::of(ctx, (key, id), row)?;
    let body =
        json!({ "row": row.row, "outcome": row.outcome.code(), "record": kept.record.as_deref() });
    let sql = Sql::new(
        "UPDATE job_row SET outcome = $1, record = $2, errors = $3, source = $4 \
         WHERE job_id = $5 AND row_no = $6",
    );
    let sql = sql.arg(row.outcome.code()).arg(kept.record).arg(kept.errors).arg(kept.source);
    tx.execute(sql.arg(id).arg(row.row)).await?;
    let mended = i64::from(was.failed) - i64::from(matches!(row.outcome, Outcome::Failed(_)));
    let sql =
        Sql::new("UPDATE job SET succeeded = succeeded + $1, failed = failed - $2 WHERE id = $3");
    tx.execute(sql.arg(mended).arg(mended).arg(id)).await?;
    audit::write(ctx, tx, audit::Entry { action: "repaired", entity: "job", record: id, body });
    Ok(())
}
