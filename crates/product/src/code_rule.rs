//! 编码规则 (G-5.4.4): under which prefix a subject gives codes. A prefix belongs to one subject.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use yj_kernel::{Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx};
use yj_model::{Id, PREFIX_SCHEMES, RegionCode, Scheme, prefix_of};

use crate::packaging::PACK_LEVELS;

/// Who may see what a subject gives codes with.
pub(crate) const OF_SUBJECT: Scoping = Scoping::By(Columns {
    region: Some("region"),
    subject: Some("subject_id"),
    label: Some("label"),
    ..Columns::NONE
});

/// 编码规则
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRule {
    /// 名称: scheme and prefix as people say them.
    pub name: Option<String>,
    /// 编码体系
    pub scheme: String,
    /// 前缀
    pub prefix: String,
    /// 所属主体
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 分配机构
    pub issuer: Option<String>,
    /// 有效期至
    pub valid_until: Option<String>,
    /// 适用包装层级
    pub levels: Option<Vec<String>>,
    /// 是否启用
    pub in_use: bool,
}

/// The region of a subject.
pub(crate) async fn region_of(tx: &mut Tx, subject: &Id<()>) -> Result<RegionCode> {
    let found = yj_subject::by_ids(tx, &[&subject.to_string()]).await?;
    let missing = || Problem::invalid("subject_id", "没有这个追溯主体");
    let subject = found.into_values().next().ok_or_else(missing)?;
    subject.region.parse().map_err(Problem::internal)
}

impl Resource for CodeRule {
    const TABLE: &'static str = "code_rule";
    const TITLE: &'static str = "编码规则";
    const SCOPING: Scoping = OF_SUBJECT;
    const REVIEWED: bool = true;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("name", "名称", Kind::Text).length_max(120).filter(Match::Contains).computed(),
        Field::new("scheme", "编码体系", Kind::Code(PREFIX_SCHEMES))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("prefix", "前缀", Kind::Text)
            .length_max(64)
            .filter(Match::Prefix)
            .sortable()
            .public()
            .hint("由编码机构分配给该主体，全平台唯一，登记后不能更改"),
        Field::new("subject_id", "所属主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .sortable()
            .computed()
            .passes_on(),
        Field::new("issuer", "分配机构", Kind::Text).length_max(120).optional(),
        Field::new("valid_until", "有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional(),
        Field::new("levels", "适用包装层级", Kind::CodeList(PACK_LEVELS))
            .optional()
            .hint("不选为全部"),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        self.prefix = prefix_of(self.scheme()?, &self.prefix)
            .map_err(|error| Problem::invalid("prefix", error.to_string()))?;
        self.name = Some(format!("{} {}", self.scheme()?.label(), self.prefix));
        self.region = Some(region_of(tx, &self.subject_id).await?);
        Ok(())
    }

    async fn admit(&self, before: Option<&Self>, _: &Ctx, tx: &mut Tx) -> Result<()> {
        if let Some(before) = before {
            if before.scheme != self.scheme || before.prefix != self.prefix {
                return Err(Problem::invalid("prefix", "编码体系与前缀登记后不能更改"));
            }
            if before.subject_id != self.subject_id {
                let detail = "前缀属于登记时的主体；转让的请由编码机构重新分配";
                return Err(Problem::invalid("subject_id", detail));
            }
            return Ok(());
        }
        self.require_apart(tx).await
    }

    fn sample(n: u32) -> Self {
        Self {
            name: Some(format!("MA MA.156.M0.{n}")),
            scheme: String::from("ma"),
            prefix: format!("MA.156.M0.{n}"),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().ok(),
            issuer: Some(String::from("示例编码机构")),
            valid_until: Some(String::from("2028-12-31")),
            levels: Some(vec![String::from("item")]),
            in_use: true,
        }
    }
}

impl CodeRule {
    /// The scheme as a type.
    pub(crate) fn scheme(&self) -> Result<Scheme> {
        let unknown = || Problem::internal(format!("code_rule.scheme is {}", self.scheme));
        Scheme::from_code(&self.scheme).ok_or_else(unknown)
    }

    /// Whether codes may be given under it on a day; or why not.
    pub(crate) fn gives(&self, level: &str, today: Date) -> Result<(), &'static str> {
        if !self.in_use {
            return Err("此编码规则已停用");
        }
        let until = self.valid_until.as_ref().and_then(|day| day.parse::<Date>().ok());
        if until.is_some_and(|until| until < today) {
            return Err("此前缀已过有效期，请先续展并变更编码规则");
        }
        match &self.levels {
            Some(levels) if !levels.iter().any(|known| known == level) => {
                Err("此编码规则不适用于所选的包装层级")
            }
            _ => Ok(()),
        }
    }

    /// GS1 prefixes have no end of their own: one that begins with another's would give its codes.
    async fn require_apart(&self, tx: &mut Tx) -> Result<()> {
        if self.scheme()? != Scheme::Gs1 {
            return Ok(());
        }
        let shorter: Vec<&str> = (1..self.prefix.len()).map(|end| &self.prefix[..end]).collect();
        let mut sql = Sql::new("SELECT prefix FROM code_rule WHERE scheme = 'gs1' AND (prefix ");
        sql.bind_texts(shorter).push(" OR (prefix > ").bind(self.prefix.as_str());
        sql.push(" AND prefix < ").bind(format!("{}~", self.prefix)).push(")) LIMIT 1");
        let Some(row) = tx.fetch_one(sql).await? else { return Ok(()) };
        let detail =
            format!("与已登记的厂商识别代码 {} 重叠，一个代码只能属于一个主体", row.text(0)?);
        Err(Problem::invalid("prefix", detail))
    }
}
