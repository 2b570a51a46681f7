//! What other modules may know of products without reading the register's table.

use std::collections::BTreeMap;

use yj_kernel::{Result, Row, Sql, SqlValue, Tx};
use yj_model::UnitCode;

/// A product in brief; all of it may be public.
#[derive(Debug, Clone)]
pub struct ProductBrief {
    /// Identifier.
    pub id: String,
    /// 产品代码
    pub code: String,
    /// 产品名称
    pub name: String,
    /// 规格型号
    pub spec: Option<String>,
    /// 品牌
    pub brand: Option<String>,
    /// 执行标准
    pub standard_no: Option<String>,
    /// 计量单位
    pub unit: UnitCode,
    /// 责任主体
    pub subject_id: String,
}

/// Values of one `IN` list.
const CHUNK: usize = 5_000;

/// Products by their codes. Unknown codes are missing from the answer.
pub async fn by_codes(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, ProductBrief>> {
    let found = find(tx, "code", codes).await?;
    Ok(found.into_iter().map(|product| (product.code.clone(), product)).collect())
}

/// Products by their identifiers.
pub async fn by_ids(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, ProductBrief>> {
    let found = find(tx, "id", ids).await?;
    Ok(found.into_iter().map(|product| (product.id.clone(), product)).collect())
}

/// The product with this GTIN (14 digits).
pub async fn by_gtin(tx: &mut Tx, gtin: &str) -> Result<Option<ProductBrief>> {
    Ok(find(tx, "gtin", &[gtin]).await?.into_iter().next())
}

async fn find(tx: &mut Tx, column: &'static str, values: &[&str]) -> Result<Vec<ProductBrief>> {
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut sql = Sql::new(
            "SELECT id, code, name, spec, brand, standard_no, unit, subject_id FROM product WHERE ",
        );
        sql.push(column).push(" ").bind_in(chunk.iter().map(|value| SqlValue::from(*value)));
        let text = |row: &Row, index| row.text(index).map(String::from);
        let maybe = |row: &Row, index| row.text_opt(index).map(|text| text.map(String::from));
        for row in tx.fetch(sql).await? {
            found.push(ProductBrief {
                id: text(&row, 0)?,
                code: text(&row, 1)?,
                name: text(&row, 2)?,
                spec: maybe(&row, 3)?,
                brand: maybe(&row, 4)?,
                standard_no: maybe(&row, 5)?,
                unit: row.parsed(6)?,
                subject_id: text(&row, 7)?,
            });
        }
    }
    Ok(found)
}
