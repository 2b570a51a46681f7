//! 角色 (§5.4.3 b, D-6.4.2.2): a tree of bundles of permissions. A child never holds what its
//! parent lacks, so that whoever hands on a part of a role hands on no more than there is.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Ctx, Field, FieldError, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::Id;

use crate::{assignment, rights, seal};

/// 角色
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// 角色编码
    pub code: String,
    /// 角色名称
    pub name: String,
    /// 上级角色
    pub parent_id: Option<Id<Role>>,
    /// Place in the tree, from the codes of those above.
    pub path: Option<String>,
    /// 权限
    pub permissions: Vec<String>,
    /// 说明
    pub remark: Option<String>,
}

fn code(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (2..=32).contains(&text.len()) && text.bytes().all(sound) {
        Ok(String::from(text))
    } else {
        Err(String::from("应为 2 至 32 位小写字母、数字或 -"))
    }
}

/// Levels of the tree.
const DEPTH_MAX: usize = 8;
/// Permissions of one role.
const PERMISSIONS_MAX: usize = 500;

/// Administrators of one organisation leave roles alone that others have made (S-20).
async fn require_own(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    if rights::hands_on_everything(ctx) {
        return Ok(());
    }
    let mut sql = Sql::new(
        "SELECT 1 FROM audit_log l JOIN account a ON a.user_name = l.actor \
         WHERE l.source = '' AND l.entity = 'role' AND l.action = 'created' AND l.record = ",
    );
    sql.bind(id);
    ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS);
    match tx.fetch_one(sql).await? {
        Some(_) => Ok(()),
        None => Err(Problem::Forbidden(String::from("只能更改本机构及下级建立的角色"))),
    }
}

impl Resource for Role {
    const TABLE: &'static str = "role";
    const TITLE: &'static str = "角色";
    const SCOPING: Scoping = Scoping::Shared;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "角色编码", Kind::Text)
            .checked(code)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "角色名称", Kind::Text).length_max(60).filter(Match::Contains),
        Field::new("parent_id", "上级角色", Kind::Id("role")).filter(Match::Exact).optional(),
        Field::new("path", "路径", Kind::Text)
            .length_max(400)
            .sortable()
            .made_of("code")
            .hint("由平台按上级角色生成"),
        Field::new("permissions", "权限", Kind::Json),
        Field::new("remark", "说明", Kind::Text).optional(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        self.permissions.sort_unstable();
        self.permissions.dedup();
        if self.permissions.len() > PERMISSIONS_MAX {
            return Err(Problem::invalid("permissions", format!("至多 {PERMISSIONS_MAX} 项权限")));
        }
        let known = tx.fetch(Sql::new("SELECT name FROM permission")).await?;
        let known = known.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        // What a module that is off stands for is kept until it is on again ([`Role::admit`]).
        let unknown = self
            .permissions
            .iter()
            .filter(|name| !known.contains(&name.as_str()) && ctx.app().offers(name));
        let errors: Vec<_> = unknown
            .map(|name| FieldError {
                field: String::from("permissions"),
                detail: format!("没有业务权限 {name}"),
            })
            .collect();
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        let Some(parent) = self.parent_id else {
            self.path = Some(format!("{}/", self.code));
            return assignment::require_below(ctx, tx, &format!("{}/", self.code)).await;
        };
        let sql = Sql::new("SELECT path, permissions, name FROM role WHERE id = $1");
        let row = tx.fetch_one(sql.arg(parent)).await?.ok_or(Problem::NotFound("上级角色"))?;
        let above: Vec<String> = row.json(1)?;
        let beyond = |name: &&String| !above.contains(name) && ctx.app().offers(name);
        if let Some(name) = self.permissions.iter().find(beyond) {
            let detail = format!("上级角色“{}”没有权限 {name}，下级不能超出上级", row.text(2)?);
            return Err(Problem::invalid("permissions", detail));
        }
        let path = format!("{}{}/", row.text(0)?, self.code);
        if row.text(0)?.split('/').any(|one| one == self.code) {
            return Err(Problem::invalid("parent_id", "上级角色不能是本角色或其下级"));
        }
        if path.matches('/').count() > DEPTH_MAX {
            return Err(Problem::invalid("parent_id", format!("角色至多 {DEPTH_MAX} 级")));
        }
        assignment::require_below(ctx, tx, &path).await?;
        self.path = Some(path);
        Ok(())
    }

    /// Rights over modules that are off come with the role as it was, or not at all.
    async fn admit(&self, before: Option<&Self>, ctx: &Ctx, _: &mut Tx) -> Result<()> {
        let held = |name: &String| before.is_some_and(|role| role.permissions.contains(name));
        match self.permissions.iter().find(|name| !ctx.app().offers(name) && !held(name)) {
            Some(name) => Err(Problem::invalid("permissions", format!("没有业务权限 {name}"))),
            None => Ok(()),
        }
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        if let Some(before) = change.before {
            let path = before.path.as_deref().unwrap_or_default();
            assignment::require_below(ctx, tx, path).await?;
            require_own(ctx, tx, change.id).await?;
        }
        let Some(after) = change.after else {
            let sql = Sql::new("DELETE FROM access_seal WHERE subject = $1");
            tx.later([sql.arg(change.id)]);
            return Ok(());
        };
        if let Some(before) = change.before {
            if before.code != after.code {
                return Err(Problem::invalid("code", "角色编码建立后不能更改"));
            }
            let sql = Sql::new("SELECT name, permissions FROM role WHERE parent_id = $1");
            for row in tx.fetch(sql.arg(change.id)).await? {
                let below: Vec<String> = row.json(1)?;
                if let Some(name) = below.iter().find(|name| !after.permissions.contains(name)) {
                    let detail =
                        format!("下级角色“{}”还有权限 {name}，请先从下级收回", row.text(0)?);
                    return Err(Problem::invalid("permissions", detail));
                }
            }
            let (Some(old), Some(new)) = (&before.path, &after.path) else { return Ok(()) };
            if old != new {
                let mut sql = Sql::new("UPDATE role SET path = ");
                sql.bind(new.as_str()).push(" || substr(path, ");
                sql.bind(i64::try_from(old.chars().count() + 1).map_err(Problem::internal)?);
                sql.push(") WHERE path >= ").bind(old.as_str());
                sql.push(" AND path < ").bind(format!("{old}~")).push(" AND id <> ");
                sql.bind(change.id);
                tx.execute(sql).await?;
            }
        }
        seal::role(ctx, tx, change.id).await
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("sample-{n}"),
            name: format!("示例角色{n}"),
            parent_id: None,
            path: None,
            permissions: vec![String::from("trace:read")],
            remark: None,
        }
    }
}
