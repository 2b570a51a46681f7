//! What other modules may know of subjects without reading the register's table.

use std::collections::BTreeMap;

use yj_kernel::{Ctx, Result, Row, Sql, Tx, mask};

/// A subject in brief.
#[derive(Debug, Clone)]
pub struct SubjectBrief {
    /// Identifier.
    pub id: String,
    /// 主体代码
    pub code: String,
    /// 主体名称
    pub name: String,
    /// 所属区域
    pub region: String,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 联系人; masked unless the reader may see it.
    pub contact_name: String,
    /// 联系电话; masked unless the reader may see it.
    pub contact_phone: String,
}

/// The query for subjects by their codes, to travel with others; its answer is read by
/// [`read_by_codes`].
pub fn query_by_codes(codes: &[&str]) -> Sql {
    query("code", codes)
}

/// The answer to [`query_by_codes`]. Unknown codes are missing.
pub fn read_by_codes(ctx: &Ctx, rows: &[Row]) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = read(ctx, rows)?;
    Ok(found.into_iter().map(|subject| (subject.code.clone(), subject)).collect())
}

/// Subjects by their codes. Unknown codes are missing from the answer.
pub async fn by_codes(
    ctx: &Ctx,
    tx: &mut Tx,
    codes: &[&str],
) -> Result<BTreeMap<String, SubjectBrief>> {
    read_by_codes(ctx, &tx.fetch(query_by_codes(codes)).await?)
}

/// Subjects by their identifiers.
pub async fn by_ids(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: &[&str],
) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = read(ctx, &tx.fetch(query("id", ids)).await?)?;
    Ok(found.into_iter().map(|subject| (subject.id.clone(), subject)).collect())
}

fn query(column: &'static str, values: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT id, code, name, region, lon, lat, contact_name, contact_phone FROM trace_subject WHERE ",
    );
    sql.push(column).push(" ").bind_texts(values.iter().copied());
    sql
}

fn read(ctx: &Ctx, rows: &[Row]) -> Result<Vec<SubjectBrief>> {
    let open = ctx.allows("trace_subject:personal");
    let veiled = |text: &str| if open { String::from(text) } else { mask(text) };
    let read = |row: &Row| {
        let text = |index| row.text(index).map(String::from);
        Ok(SubjectBrief {
            id: text(0)?,
            code: text(1)?,
            name: text(2)?,
            region: text(3)?,
            lon: row.text_opt(4)?.map(String::from),
            lat: row.text_opt(5)?.map(String::from),
            contact_name: veiled(row.text(6)?),
            contact_phone: veiled(row.text(7)?),
        })
    };
    rows.iter().map(read).collect()
}
