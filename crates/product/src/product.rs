//! 重要产品 (G-6.3.3): what is made, in which unit it is counted, and who answers for it.

use serde::{Deserialize, Serialize};
use yj_kernel::{Columns, Ctx, Field, Kind, Match, Problem, Reach, Resource, Result, Scoping, Tx};
use yj_model::{DOMAINS, Gtin, Id, RegionCode, UnitCode};

/// 重要产品
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// 产品代码
    pub code: String,
    /// 商品条码
    pub gtin: Option<Gtin>,
    /// 产品名称
    pub name: String,
    /// 品牌
    pub brand: Option<String>,
    /// 领域
    pub domain: String,
    /// 类别
    pub category: String,
    /// 规格
    pub spec: Option<String>,
    /// 计量单位
    pub unit: UnitCode,
    /// 保质期
    pub shelf_life_days: Option<i64>,
    /// 执行标准
    pub standard_no: Option<String>,
    /// 批准文号
    pub approval_no: Option<String>,
    /// 责任主体
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: RegionCode,
}

fn product_code(text: &str) -> Result<String, String> {
    let code = text.to_uppercase();
    let sound = (1..=32).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if sound {
        Ok(code)
    } else {
        Err(String::from("应为 1 至 32 位字母、数字、- _ 或 ."))
    }
}

fn gtin(text: &str) -> Result<String, String> {
    text.parse::<Gtin>().map(|gtin| gtin.to_string()).map_err(|error| error.to_string())
}

fn unit(text: &str) -> Result<String, String> {
    text.parse::<UnitCode>().map(|unit| unit.to_string()).map_err(|error| error.to_string())
}

impl Resource for Product {
    const TABLE: &'static str = "product";
    const TITLE: &'static str = "重要产品";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        organization: None,
        category: Reach::Equal("domain"),
        // A product passes through every stage.
        stage: Reach::Every,
        label: Some("label"),
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "产品代码", Kind::Text)
            .checked(product_code)
            .format("an..32")
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("gtin", "商品条码", Kind::Text)
            .checked(gtin)
            .format("n14")
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("8、12、13 或 14 位，末位为校验位"),
        Field::new("name", "产品名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("brand", "品牌", Kind::Text).length_max(60).optional().public(),
        Field::new("domain", "产品领域", Kind::Code(DOMAINS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("category", "产品类别", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .public(),
        Field::new("spec", "规格型号", Kind::Text).length_max(120).optional().public(),
        Field::new("unit", "计量单位", Kind::Text)
            .checked(unit)
            .format("an..3")
            .public()
            .hint("如 KGM 千克、TNE 吨、H87 个"),
        Field::new("shelf_life_days", "保质期（天）", Kind::Int).optional().public(),
        Field::new("standard_no", "执行标准", Kind::Text).length_max(60).optional().public(),
        Field::new("approval_no", "批准文号", Kind::Text)
            .length_max(60)
            .filter(Match::Exact)
            .optional()
            .public(),
        Field::new("subject_id", "责任主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).public(),
    ];

    async fn check(&mut self, _: &Ctx, _: &mut Tx) -> Result<()> {
        match self.shelf_life_days {
            Some(days) if !(1..=36_500).contains(&days) => {
                Err(Problem::invalid("shelf_life_days", "保质期应为 1 至 36500 天"))
            }
            _ => Ok(()),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("SAMPLE-{n:05}"),
            gtin: None,
            name: format!("示例产品{n}"),
            brand: None,
            domain: String::from("agri"),
            category: String::from("蔬菜"),
            spec: Some(String::from("散装")),
            unit: UnitCode::KILOGRAM,
            shelf_life_days: Some(7),
            standard_no: None,
            approval_no: None,
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().expect("six digits"),
        }
    }
}
