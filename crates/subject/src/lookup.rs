//! What other modules may know of subjects without reading the register's table.

use std::collections::BTreeMap;

use yj_kernel::{Ctx, Result, Row, Sql, SqlValue, Tx, mask};

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

/// Values of one `IN` list.
const CHUNK: usize = 5_000;

/// Subjects by their codes. Unknown codes are missing from the answer.
pub async fn by_codes(
    ctx: &Ctx,
    tx: &mut Tx,
    codes: &[&str],
) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = find(ctx, tx, "code", codes).await?;
    Ok(found.into_iter().map(|subject| (subject.code.clone(), subject)).collect())
}

/// Subjects by their identifiers.
pub async fn by_ids(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: &[&str],
) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = find(ctx, tx, "id", ids).await?;
    Ok(found.into_iter().map(|subject| (subject.id.clone(), subject)).collect())
}

async fn find(
    ctx: &Ctx,
    tx: &mut Tx,
    column: &'static str,
    values: &[&str],
) -> Result<Vec<SubjectBrief>> {
    let open = ctx.allows("trace_subject:personal");
    let veiled = |text: &str| if open { String::from(text) } else { mask(text) };
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut sql = Sql::new(
            "SELECT id, code, name, region, lon, lat, contact_name, contact_phone FROM trace_subject WHERE ",
        );
        sql.push(column).push(" ").bind_in(chunk.iter().map(|value| SqlValue::from(*value)));
        let text = |row: &Row, index| row.text(index).map(String::from);
        for row in tx.fetch(sql).await? {
            found.push(SubjectBrief {
                id: text(&row, 0)?,
                code: text(&row, 1)?,
                name: text(&row, 2)?,
                region: text(&row, 3)?,
                lon: row.text_opt(4)?.map(String::from),
                lat: row.text_opt(5)?.map(String::from),
                contact_name: veiled(row.text(6)?),
                contact_phone: veiled(row.text(7)?),
            });
        }
    }
    Ok(found)
}
