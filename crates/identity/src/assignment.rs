//! 授权 (§5.4.3 b): a role, given to an account, as far as it shall reach. And 授权委托: what a
//! security administrator below the top may hand on.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::{DOMAIN_LIST, DOMAINS, Id, RegionCode, STAGES};

use crate::{Account, Organization, Role, alarm, rights, seal};

/// 授权
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// 用户
    pub account_id: Id<Account>,
    /// Place of the user's organisation.
    pub account_path: Option<String>,
    /// 角色
    pub role_id: Id<Role>,
    /// 区域
    pub region: Option<RegionCode>,
    /// 机构
    pub organization_id: Option<Id<Organization>>,
    /// 产品领域
    pub category: Option<String>,
    /// 环节
    pub stage: Option<String>,
    /// 密级上限
    pub clearance: i64,
    /// 生效日期
    pub valid_from: Option<String>,
    /// 失效日期
    pub valid_until: Option<String>,
}

/// 授权委托
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// 安全管理员
    pub account_id: Id<Account>,
    /// Place of the administrator's organisation.
    pub account_path: Option<String>,
    /// 角色，连同其下级
    pub role_id: Id<Role>,
    /// 区域
    pub region: Option<RegionCode>,
    /// 机构
    pub organization_id: Option<Id<Organization>>,
    /// 产品领域
    pub category: Option<String>,
    /// 环节
    pub stage: Option<String>,
    /// 密级上限
    pub clearance: i64,
}

const ACCOUNT: Field = Field::new("account_id", "用户", Kind::Id("account")).filter(Match::Exact);
const ACCOUNT_PATH: Field = Field::new("account_path", "机构路径", Kind::Text)
    .length_max(400)
    .computed()
    .hint("由平台生成");
const ROLE: Field = Field::new("role_id", "角色", Kind::Id("role")).filter(Match::Exact);
const REGION: Field = Field::new("region", "区域", Kind::Region)
    .filter(Match::Prefix)
    .optional()
    .hint("含其下级；留空为不限");
const ORGANIZATION: Field = Field::new("organization_id", "机构", Kind::Id("organization"))
    .filter(Match::Exact)
    .optional()
    .hint("含其下级；留空为不限");
const CATEGORY: Field = Field::new("category", "产品领域", Kind::Code(DOMAINS))
    .grows(DOMAIN_LIST)
    .filter(Match::Exact)
    .optional()
    .hint("留空为不限");
const STAGE: Field = Field::new("stage", "环节", Kind::Code(STAGES))
    .filter(Match::Exact)
    .optional()
    .hint("留空为不限");
const CLEARANCE: Field =
    Field::new("clearance", "密级上限", Kind::Int).hint("1 公开、2 内部、3 敏感、4 个人信息");

/// How far an assignment or delegation reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cube {
    pub(crate) role: String,
    pub(crate) region: Option<RegionCode>,
    /// Path in the tree of organisations.
    pub(crate) organization: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) clearance: i64,
}

impl Cube {
    /// Whether `other` lies inside.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same = |own: &Option<String>, theirs: &Option<String>| own.is_none() || own == theirs;
        let region = match (&self.region, &other.region) {
            (None, _) => true,
            (Some(own), Some(theirs)) => own.covers(theirs.as_str()),
            (Some(_), None) => false,
        };
        let organization = match (&self.organization, &other.organization) {
            (None, _) => true,
            (Some(own), Some(theirs)) => theirs.starts_with(own.as_str()),
            (Some(_), None) => false,
        };
        other.role.starts_with(&self.role)
            && region
            && organization
            && same(&self.category, &other.category)
            && same(&self.stage, &other.stage)
            && other.clearance <= self.clearance
    }
}

async fn text(tx: &mut Tx, sql: Sql, what: &'static str) -> Result<String> {
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound(what))?;
    Ok(String::from(row.text(0)?))
}

/// The path of a role; those below it begin with the same text.
async fn role_path(tx: &mut Tx, id: Id<Role>) -> Result<String> {
    text(tx, Sql::new("SELECT path FROM role WHERE id = $1").arg(id), "角色").await
}

async fn organization_path(tx: &mut Tx, id: Option<Id<Organization>>) -> Result<Option<String>> {
    match id {
        None => Ok(None),
        Some(id) => {
            let sql = Sql::new("SELECT path FROM organization WHERE id = $1").arg(id);
            text(tx, sql, "机构").await.map(Some)
        }
    }
}

/// Whoever hands something on must have been handed at least as much (S-20).
async fn require_delegated(ctx: &Ctx, tx: &mut Tx, cube: &Cube) -> Result<()> {
    if rights::hands_on_everything(ctx) {
        return Ok(());
    }
    for own in delegated(ctx, tx).await? {
        if own.covers(cube) {
            return Ok(());
        }
    }
    Err(Problem::Forbidden(String::from(
        "超出您受托授权的范围：角色须在受托角色之下，区域、机构、领域、环节、密级须在受托范围之内",
    )))
}

/// Whoever was handed a role may make and change roles below it, not that role itself.
pub(crate) async fn require_below(ctx: &Ctx, tx: &mut Tx, path: &str) -> Result<()> {
    if rights::hands_on_everything(ctx) {
        return Ok(());
    }
    let own = delegated(ctx, tx).await?;
    if own.iter().any(|cube| path.starts_with(&cube.role) && path != cube.role) {
        return Ok(());
    }
    Err(Problem::Forbidden(String::from("只能在受托角色之下建立和更改角色")))
}

/// What the caller was handed to hand on; nothing where somebody has written to it behind the
/// platform's back.
async fn delegated(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Cube>> {
    let account = ctx.principal().account.as_str();
    if !seal::delegations_are_sound(ctx.app(), tx, account).await? {
        let about = alarm::About::principal(ctx.principal());
        let detail = "授权委托与完整性校验值不符，已停用该用户的全部委托";
        alarm::raise(ctx.app(), alarm::Kind::RightsTampered, about, detail).await;
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        "SELECT r.path, d.region, o.path, d.category, d.stage, d.clearance FROM delegation d \
         JOIN role r ON r.id = d.role_id LEFT JOIN organization o ON o.id = d.organization_id \
         WHERE d.account_id = $1",
    );
    let mut cubes = Vec::new();
    for row in tx.fetch(sql.arg(account)).await? {
        let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
        let region = row.text_opt(1)?.map(str::parse).transpose().map_err(Problem::internal)?;
        cubes.push(Cube {
            role: String::from(row.text(0)?),
            region,
            organization: text(2)?,
            category: text(3)?,
            stage: text(4)?,
            clearance: row.int(5)?,
        });
    }
    Ok(cubes)
}

fn sound_clearance(clearance: i64) -> Result<()> {
    if (1..=4).contains(&clearance) {
        Ok(())
    } else {
        Err(Problem::invalid("clearance", "密级上限应为 1 至 4"))
    }
}

impl Assignment {
    async fn cube(&self, tx: &mut Tx) -> Result<Cube> {
        Ok(Cube {
            role: role_path(tx, self.role_id).await?,
            region: self.region.clone(),
            organization: organization_path(tx, self.organization_id).await?,
            category: self.category.clone(),
            stage: self.stage.clone(),
            clearance: self.clearance,
        })
    }
}

impl Resource for Assignment {
    const TABLE: &'static str = "assignment";
    const TITLE: &'static str = "授权";
    const SCOPING: Scoping =
        Scoping::By(Columns { organization: Some("account_path"), ..Columns::NONE });
    const FIELDS: &'static [Field] = &[
        ACCOUNT,
        ACCOUNT_PATH,
        ROLE,
        REGION,
        ORGANIZATION,
        CATEGORY,
        STAGE,
        CLEARANCE,
        Field::new("valid_from", "生效日期", Kind::Date).optional(),
        Field::new("valid_until", "失效日期", Kind::Date).optional(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        sound_clearance(self.clearance)?;
        let sql = Sql::new(
            "SELECT organization_path, administrator, clearance FROM account WHERE id = $1",
        );
        let row = tx.fetch_one(sql.arg(self.account_id)).await?.ok_or_else(crate::missing)?;
        crate::require_reach(ctx, row.text(0)?, crate::missing)?;
        if row.text(1)? != "none" {
            return Err(Problem::Conflict(String::from("管理员不能持有业务权限，不能授予角色")));
        }
        if self.clearance > row.int(2)? {
            return Err(Problem::invalid("clearance", "密级上限不能高于该用户的许可密级"));
        }
        if let (Some(from), Some(until)) = (&self.valid_from, &self.valid_until)
            && from > until
        {
            return Err(Problem::invalid("valid_until", "失效日期不能早于生效日期"));
        }
        self.account_path = Some(String::from(row.text(0)?));
        let cube = self.cube(tx).await?;
        require_delegated(ctx, tx, &cube).await
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        for one in [change.before, change.after].into_iter().flatten() {
            seal::account(ctx, tx, &one.account_id.to_string()).await?;
        }
        // Taking away is bounded like giving.
        if let Some(before) = change.before {
            let cube = before.cube(tx).await?;
            require_delegated(ctx, tx, &cube).await?;
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            account_id: Id::from_parts(1, u128::from(n)),
            account_path: None,
            role_id: Id::from_parts(2, u128::from(n)),
            region: "610000".parse().ok(),
            organization_id: None,
            category: None,
            stage: None,
            clearance: 2,
            valid_from: None,
            valid_until: None,
        }
    }
}

impl Resource for Delegation {
    const TABLE: &'static str = "delegation";
    const TITLE: &'static str = "授权委托";
    const SCOPING: Scoping =
        Scoping::By(Columns { organization: Some("account_path"), ..Columns::NONE });
    const FIELDS: &'static [Field] =
        &[ACCOUNT, ACCOUNT_PATH, ROLE, REGION, ORGANIZATION, CATEGORY, STAGE, CLEARANCE];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        sound_clearance(self.clearance)?;
        let sql = Sql::new("SELECT administrator, organization_path FROM account WHERE id = $1");
        let row = tx.fetch_one(sql.arg(self.account_id)).await?.ok_or_else(crate::missing)?;
        crate::require_reach(ctx, row.text(1)?, crate::missing)?;
        if row.text(0)? != "security" {
            return Err(Problem::invalid("account_id", "只能委托给安全管理员"));
        }
        if self.account_id.to_string() == ctx.principal().account {
            return Err(Problem::Forbidden(String::from("不能给自己委托")));
        }
        self.account_path = Some(String::from(row.text(1)?));
        let cube = Cube {
            role: role_path(tx, self.role_id).await?,
            region: self.region.clone(),
            organization: organization_path(tx, self.organization_id).await?,
            category: self.category.clone(),
            stage: self.stage.clone(),
            clearance: self.clearance,
        };
        require_delegated(ctx, tx, &cube).await
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        for one in [change.before, change.after].into_iter().flatten() {
            seal::delegations(ctx, tx, &one.account_id.to_string()).await?;
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        let Assignment { account_id, role_id, region, clearance, .. } = Assignment::sample(n);
        Self {
            account_id,
            account_path: None,
            role_id,
            region,
            organization_id: None,
            category: None,
            stage: None,
            clearance,
        }
    }
}
