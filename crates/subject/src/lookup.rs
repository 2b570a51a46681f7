//! What other modules may know of subjects without reading the register's table.

use std::collections::BTreeMap;

use yj_kernel::{
    Ctx, DataClass, Result, Row, Sql, Tx, mask,
    vault::{self, ERASED},
};

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
    /// Level of the security label.
    pub label: i64,
}

impl SubjectBrief {
    /// What it is called, for those who are cleared up to a class.
    pub fn name_for(&self, clearance: DataClass) -> &str {
        if self.label <= clearance.level() { &self.name } else { "（名称不公开）" }
    }
}

/// Whom to reach at a subject; masked, for the record's own page reveals it with a reason.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// 联系人
    pub name: String,
    /// 联系电话
    pub phone: String,
}

/// Contacts of subjects by their identifiers.
pub async fn contacts(ctx: &Ctx, tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, Contact>> {
    let mut sql = Sql::new("SELECT id, contact_name, contact_phone FROM trace_subject WHERE id ");
    sql.bind_texts(ids.iter().copied());
    let rows = tx.fetch(sql).await?;
    let keys = vault::data_keys(ctx.app(), tx, ids).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let id = row.text(0)?;
        let Some(key) = keys.get(id) else { continue };
        let open = |column: &str, sealed: &str| {
            let text = key.open((&format!("trace_subject.{column}"), id), sealed)?;
            Ok::<_, yj_kernel::Problem>(if text == ERASED { text } else { mask(&text) })
        };
        let (name, phone) = (row.text(1)?, row.text(2)?);
        let contact =
            Contact { name: open("contact_name", name)?, phone: open("contact_phone", phone)? };
        found.insert(String::from(id), contact);
    }
    Ok(found)
}

/// The query for subjects by their codes, to travel with others; its answer is read by
/// [`read_by_codes`].
pub fn query_by_codes(codes: &[&str]) -> Sql {
    query("code", codes)
}

/// The answer to [`query_by_codes`]. Unknown codes are missing.
pub fn read_by_codes(rows: &[Row]) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = read(rows)?;
    Ok(found.into_iter().map(|subject| (subject.code.clone(), subject)).collect())
}

/// Subjects by their codes. Unknown codes are missing from the answer.
pub async fn by_codes(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, SubjectBrief>> {
    read_by_codes(&tx.fetch(query_by_codes(codes)).await?)
}

/// Subjects by their identifiers.
pub async fn by_ids(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = read(&tx.fetch(query("id", ids)).await?)?;
    Ok(found.into_iter().map(|subject| (subject.id.clone(), subject)).collect())
}

fn query(column: &'static str, values: &[&str]) -> Sql {
    let mut sql =
        Sql::new("SELECT id, code, name, region, lon, lat, label FROM trace_subject WHERE ");
    sql.push(column).push(" ").bind_texts(values.iter().copied());
    sql
}

fn read(rows: &[Row]) -> Result<Vec<SubjectBrief>> {
    let read = |row: &Row| {
        let text = |index| row.text(index).map(String::from);
        Ok(SubjectBrief {
            id: text(0)?,
            code: text(1)?,
            name: text(2)?,
            region: text(3)?,
            lon: row.text_opt(4)?.map(String::from),
            lat: row.text_opt(5)?.map(String::from),
            label: row.int(6)?,
        })
    };
    rows.iter().map(read).collect()
}
