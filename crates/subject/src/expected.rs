//! Of whom events are expected, a stretch of the register at a time: subjects that are in force, and
//! merchants in business that stand for a subject.

use std::collections::BTreeMap;

use yj_kernel::{Result, Row, Sql, Tx};

use crate::standing::Status;

/// Somebody of whom events are expected.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Identifier of the subject or the merchant.
    pub record: String,
    /// The subject whose events they are.
    pub subject_id: String,
    /// Where it is supervised.
    pub region: String,
    /// The subject whose people see it: itself, or who runs the market.
    pub seen_by: String,
    /// Level of the security label.
    pub label: i64,
}

fn read(row: &Row) -> Result<Expected> {
    let text = |at| row.text(at).map(String::from);
    Ok(Expected {
        record: text(0)?,
        subject_id: text(1)?,
        region: text(2)?,
        seen_by: text(3)?,
        label: row.int(4)?,
    })
}

/// Subjects in force whose identifiers follow this one.
pub async fn expected_subjects(tx: &mut Tx, after: &str, most: i64) -> Result<Vec<Expected>> {
    let sql = Sql::new(
        "SELECT s.id, s.id, s.region, s.id, s.label FROM trace_subject s \
         WHERE s.status = $1 AND s.id > $2 ORDER BY s.id LIMIT $3",
    );
    tx.fetch(sql.arg(Status::Valid.code()).arg(after).arg(most)).await?.iter().map(read).collect()
}

/// Merchants in business since this day or longer that stand for a subject, whose identifiers follow this
/// one.
pub async fn expected_merchants(
    tx: &mut Tx,
    (after, since): (&str, &str),
    most: i64,
) -> Result<Vec<Expected>> {
    let sql = Sql::new(
        "SELECT m.id, m.subject_id, m.region, m.operator_id, m.label FROM merchant m \
         WHERE m.in_use = 1 AND m.subject_id IS NOT NULL AND m.id > $1 \
         AND COALESCE(m.registered_on, '') <= $2 ORDER BY m.id LIMIT $3",
    );
    tx.fetch(sql.arg(after).arg(since).arg(most)).await?.iter().map(read).collect()
}

/// A merchant in brief.
#[derive(Debug, Clone)]
pub struct MerchantBrief {
    /// 商户编码
    pub code: String,
    /// 商户名称
    pub name: String,
    /// 所属区域
    pub region: String,
    /// Level of the security label.
    pub label: i64,
}

/// Merchants by identifier.
pub async fn merchants_by_ids(
    tx: &mut Tx,
    ids: &[&str],
) -> Result<BTreeMap<String, MerchantBrief>> {
    let mut sql = Sql::new("SELECT id, code, name, region, label FROM merchant WHERE id ");
    sql.bind_texts(ids.iter().copied());
    let read = |row: &Row| {
        let text = |at| row.text(at).map(String::from);
        let brief =
            MerchantBrief { code: text(1)?, name: text(2)?, region: text(3)?, label: row.int(4)? };
        Ok((text(0)?, brief))
    };
    tx.fetch(sql).await?.iter().map(read).collect()
}
