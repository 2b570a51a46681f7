//! 产品分类目录 (G-6.3.2, D-7.2.1): the tree of product classes. The national part comes with the
//! product and is read-only; a locality hangs its own classes below it.
//!
//! The register holds every class as it stands, drafts included; what a published version says is
//! in [`crate::edition`].

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::RegionCode;

use crate::catalogue_code::{self, CatalogueCode};

/// 产品分类
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueClass {
    /// 分类代码
    pub code: String,
    /// 分类名称
    pub name: String,
    /// The class above.
    pub parent_code: Option<String>,
    /// 1 领域, 2 行业, 3 类, 4 品种, 5 地方细分.
    pub level: Option<i64>,
    /// Whose class it is; empty for the national ones.
    pub region: Option<RegionCode>,
    /// GB/T 7635.1 代码
    pub gbt7635_1: Option<String>,
    /// GPC 砖代码
    pub gpc_brick: Option<String>,
    /// HS 编码: chapter, heading or subheading.
    pub hs6: Option<String>,
    /// 法定目录
    pub legal_list: Option<String>,
    /// 纳入日期
    pub in_scope_from: Option<String>,
    /// 移出日期
    pub out_of_scope_from: Option<String>,
    /// The version that last said something of it; none before the first.
    pub edition: Option<i64>,
    /// Whether it differs from what the last version says.
    pub draft: Option<bool>,
}

/// Classes there may be; every reader gets the whole tree in one answer.
pub(crate) const CLASSES_MAX: i64 = 5_000;

/// Where classes belong.
pub(crate) const COLUMNS: Columns =
    Columns { region: Some("region"), label: Some("label"), ..Columns::NONE };

fn digits(text: &str, lengths: &[usize], wanted: &str) -> Result<String, String> {
    let code: String = text.chars().filter(|letter| !matches!(letter, '.' | '·' | ' ')).collect();
    let sound = lengths.contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(code) } else { Err(format!("应为 {wanted} 位数字")) }
}

fn gbt7635_1(text: &str) -> Result<String, String> {
    digits(text, &[1, 2, 3, 4, 5, 8], "1 至 5 位或 8")
}

fn gpc_brick(text: &str) -> Result<String, String> {
    digits(text, &[8], "8")
}

fn hs6(text: &str) -> Result<String, String> {
    digits(text, &[2, 4, 6], "2、4 或 6")
}

impl Resource for CatalogueClass {
    const TABLE: &'static str = "catalogue";
    const TITLE: &'static str = "产品分类";
    const SCOPING: Scoping = Scoping::By(COLUMNS);
    const FIELDS: &'static [Field] = &[
        Field::new("code", "分类代码", Kind::Text)
            .checked(catalogue_code::normalise)
            .format("n..10")
            .filter(Match::Prefix)
            .sortable()
            .public()
            .hint("上级分类代码加两位数字"),
        Field::new("name", "分类名称", Kind::Text).length_max(60).filter(Match::Contains).public(),
        Field::new("parent_code", "上级分类", Kind::Text)
            .format("n..8")
            .filter(Match::Exact)
            .computed()
            .public(),
        Field::new("level", "级别", Kind::Int)
            .filter(Match::Exact)
            .computed()
            .public()
            .hint("1 领域、2 行业、3 类、4 品种、5 地方细分"),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .optional()
            .public()
            .hint("国家分类为空；地方分类必填，其区域内可见可用"),
        Field::new("gbt7635_1", "GB/T 7635.1 代码", Kind::Text)
            .checked(gbt7635_1)
            .format("n..8")
            .optional()
            .public(),
        Field::new("gpc_brick", "GPC 砖代码", Kind::Text)
            .checked(gpc_brick)
            .format("n8")
            .optional()
            .public(),
        Field::new("hs6", "HS 编码", Kind::Text)
            .checked(hs6)
            .format("n..6")
            .optional()
            .public()
            .hint("商品名称及编码协调制度的章、品目或子目，2、4 或 6 位"),
        Field::new("legal_list", "法定目录", Kind::Text).length_max(120).optional().public(),
        Field::new("in_scope_from", "纳入日期", Kind::Date)
            .optional()
            .public()
            .hint("不填为今天；随所在版本生效"),
        Field::new("out_of_scope_from", "移出日期", Kind::Date).computed().public(),
        Field::new("edition", "最近版本", Kind::Int).computed().public(),
        Field::new("draft", "待发布", Kind::Bool).filter(Match::Exact).computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let code = catalogue_code(&self.code)?;
        self.level = i64::try_from(code.level()).ok();
        self.parent_code = code.parent().map(|parent| String::from(parent.as_str()));
        code.require_local().map_err(|error| Problem::invalid("code", error.to_string()))?;
        let sql = Sql::new(
            "SELECT edition, in_scope_from, out_of_scope_from FROM catalogue WHERE code = $1",
        );
        let known = tx.fetch_one(sql.arg(self.code.as_str())).await?;
        let Some(region) = &self.region else {
            return Err(Problem::invalid(
                "region",
                "国家分类随产品发布，只读；地方分类请填写所属区域",
            ));
        };
        if let Some(known) = known {
            // Scope and editions have their own verbs.
            self.edition = known.int_opt(0)?;
            self.in_scope_from = known.text_opt(1)?.map(String::from);
            self.out_of_scope_from = known.text_opt(2)?.map(String::from);
        } else {
            code.require_new().map_err(|error| Problem::invalid("code", error.to_string()))?;
            require_parent(tx, &code, region).await?;
            require_room(tx).await?;
            (self.edition, self.out_of_scope_from) = (None, None);
            let today = ctx.today();
            let from = self.in_scope_from.get_or_insert_with(|| today.to_string());
            if from.parse::<Date>().map_err(Problem::internal)? < today {
                let detail = format!("纳入日期不能早于今天（{today}）");
                return Err(Problem::invalid("in_scope_from", detail));
            }
        }
        self.draft = Some(true);
        Ok(())
    }

    async fn follow(_: &Ctx, _: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (Some(before), Some(after)) = (change.before, change.after) else { return Ok(()) };
        if before.code != after.code || before.region != after.region {
            return Err(Problem::invalid("code", "分类代码与所属区域建立后不能更改"));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("010106{:02}", n % 49 + 1),
            name: format!("示例品种{n}"),
            parent_code: None,
            level: None,
            region: "610116".parse().ok(),
            gbt7635_1: None,
            gpc_brick: None,
            hs6: Some(String::from("070390")),
            legal_list: None,
            in_scope_from: None,
            out_of_scope_from: None,
            edition: None,
            draft: None,
        }
    }
}

/// A text that the field's description has already brought into its normal form.
pub(crate) fn catalogue_code(text: &str) -> Result<CatalogueCode> {
    text.parse().map_err(|error: yj_model::Rejected| Problem::invalid("code", error.to_string()))
}

/// A locality's class hangs below a national one, or below one of a region that it lies in.
async fn require_parent(tx: &mut Tx, code: &CatalogueCode, region: &RegionCode) -> Result<()> {
    let Some(parent) = code.parent() else { return Ok(()) };
    // Whoever removes the parent meanwhile waits, or is waited for.
    let mut sql = Sql::new("SELECT name, region FROM catalogue WHERE code = ");
    sql.bind(parent.as_str());
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    let wrong = |detail: String| Problem::invalid("code", detail);
    let missing = || wrong(format!("没有上级分类 {}，请先建立", parent.as_str()));
    let row = tx.fetch_one(sql).await?.ok_or_else(missing)?;
    let owner = row.text_opt(1)?.map(str::parse::<RegionCode>).transpose();
    match owner.map_err(Problem::internal)? {
        Some(owner) if !owner.covers(region.as_str()) => {
            // A class of elsewhere says nothing about itself.
            Err(missing())
        }
        _ => Ok(()),
    }
}

async fn require_room(tx: &mut Tx) -> Result<()> {
    let row = tx.fetch_one(Sql::new("SELECT COUNT(*) FROM catalogue")).await?;
    if row.map_or(Ok(0), |row| row.int(0))? < CLASSES_MAX {
        return Ok(());
    }
    Err(Problem::Conflict(format!("目录至多 {CLASSES_MAX} 个分类，请先删除不用的草案")))
}
