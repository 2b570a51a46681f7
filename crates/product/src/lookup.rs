//! What other modules may know of products without reading the register's table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yj_kernel::{Problem, Result, Row, Sql, Tx, starts_with};
use yj_model::UnitCode;

use crate::{catalogue_code::CatalogueCode, state::ProductState};

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
    /// Where it stands.
    pub state: ProductState,
    /// Since when it stands there, Unix ms; nothing where it never stood elsewhere.
    pub state_since: Option<i64>,
    /// 产品领域
    pub domain: String,
    /// 商品条码 of 14 digits, where it has one.
    pub gtin: Option<String>,
}

impl ProductBrief {
    /// Whether more of it may be made at a moment (Unix ms): what was made before it was suspended
    /// or recalled may still be reported.
    pub fn may_be_made(&self, at_ms: i64) -> bool {
        self.state == ProductState::Active || self.state_since.is_some_and(|since| at_ms < since)
    }
}

/// The query for products by their codes, to travel with others; its answer is read by
/// [`read_by_codes`].
pub fn query_by_codes(codes: &[&str]) -> Sql {
    query("code", codes)
}

/// The answer to [`query_by_codes`]. Unknown codes are missing.
pub fn read_by_codes(rows: &[Row]) -> Result<BTreeMap<String, ProductBrief>> {
    Ok(read(rows)?.into_iter().map(|product| (product.code.clone(), product)).collect())
}

/// The query for what products hold in the fields of their domain packs, by their codes and by the
/// identifiers that `ids` selects; its answer is read by [`read_attributes`].
pub fn query_attributes(codes: &[&str], ids: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql = Sql::new("SELECT id, attributes, catalogue_code FROM product WHERE (code ");
    sql.bind_texts(codes.iter().copied()).push(" OR id IN (");
    ids(&mut sql);
    sql.push("))");
    sql
}

/// The answer to [`query_attributes`], by identifier: what the pack of its domain asks of a product, and
/// the code of its class.
pub fn read_attributes(rows: &[Row]) -> Result<BTreeMap<String, Map<String, Value>>> {
    let read = |row: &Row| {
        let mut attributes = match row.text_opt(1)? {
            Some(_) => row.json::<Map<String, Value>>(1)?,
            None => Map::new(),
        };
        if let Some(class) = row.text_opt(2)? {
            attributes.insert(String::from(yj_domain::CLASS), Value::from(class));
        }
        Ok((String::from(row.text(0)?), attributes))
    };
    rows.iter().map(read).collect()
}

/// Whether a subject (by its identifier) has registered any product of a domain.
pub async fn has_any(tx: &mut Tx, subject_id: &str, domain: &str) -> Result<bool> {
    let sql = Sql::new("SELECT 1 FROM product WHERE subject_id = $1 AND domain = $2 LIMIT 1");
    Ok(tx.fetch_one(sql.arg(subject_id).arg(domain)).await?.is_some())
}

/// Products by their codes. Unknown codes are missing from the answer.
pub async fn by_codes(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, ProductBrief>> {
    read_by_codes(&tx.fetch(query_by_codes(codes)).await?)
}

/// Products by their identifiers.
pub async fn by_ids(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, ProductBrief>> {
    let found = read(&tx.fetch(query("id", ids)).await?)?;
    Ok(found.into_iter().map(|product| (product.id.clone(), product)).collect())
}

/// Products by their GTINs (14 digits), under the GTINs. Unknown ones are missing from the answer.
pub async fn by_gtins(tx: &mut Tx, gtins: &[&str]) -> Result<BTreeMap<String, ProductBrief>> {
    let found = read(&tx.fetch(query("gtin", gtins)).await?)?;
    Ok(found.into_iter().filter_map(|product| Some((product.gtin.clone()?, product))).collect())
}

/// The product with this GTIN (14 digits).
pub async fn by_gtin(tx: &mut Tx, gtin: &str) -> Result<Option<ProductBrief>> {
    Ok(read(&tx.fetch(query("gtin", &[gtin])).await?)?.into_iter().next())
}

fn query(column: &'static str, values: &[&str]) -> Sql {
    let mut sql = Sql::new(
        "SELECT id, code, name, spec, brand, standard_no, unit, subject_id, state, state_since, \
         domain, gtin FROM product WHERE ",
    );
    sql.push(column).push(" ").bind_texts(values.iter().copied());
    sql
}

fn read(rows: &[Row]) -> Result<Vec<ProductBrief>> {
    let read = |row: &Row| {
        let text = |index| row.text(index).map(String::from);
        let maybe = |index| row.text_opt(index).map(|text| text.map(String::from));
        Ok(ProductBrief {
            id: text(0)?,
            code: text(1)?,
            name: text(2)?,
            spec: maybe(3)?,
            brand: maybe(4)?,
            standard_no: maybe(5)?,
            unit: row.parsed(6)?,
            subject_id: text(7)?,
            state: state(row.text(8)?)?,
            state_since: row.int_opt(9)?,
            domain: text(10)?,
            gtin: maybe(11)?,
        })
    };
    rows.iter().map(read).collect()
}

pub(crate) fn state(code: &str) -> Result<ProductState> {
    let unknown = || Problem::internal(format!("product.state is {code}"));
    ProductState::from_code(code).ok_or_else(unknown)
}

/// Writes the query for the identifiers of the products of a class of the catalogue, and of all classes
/// below it.
pub fn products_of_class(sql: &mut Sql, class: &str) -> Result<()> {
    let class: CatalogueCode = class.parse().map_err(|error: yj_model::Rejected| {
        Problem::invalid("catalogue_code", error.to_string())
    })?;
    sql.push("SELECT id FROM product WHERE 1 = 1");
    starts_with(sql, "catalogue_code", class.as_str());
    Ok(())
}
