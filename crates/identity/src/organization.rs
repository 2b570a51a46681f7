//! 机构 (§5.4.3 a): authorities, enterprises, laboratories, third-party platforms and auditors in
//! one tree, whose top is the operator of the platform.

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_kernel::{
    ActorKind, Changed, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql,
    Tx, audit, reference,
};
use yj_model::{Id, RegionCode};

use crate::{rights, seal};

/// 机构类型
pub(crate) const ORGANIZATION_KINDS: [(&str, &str); 5] = [
    ("authority", "监管部门"),
    ("enterprise", "企业"),
    ("laboratory", "检测机构"),
    ("platform", "第三方平台"),
    ("auditor", "审计机构"),
];

/// 机构
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// 机构编码
    pub code: String,
    /// 机构名称
    pub name: String,
    /// 机构类型
    pub kind: String,
    /// 上级机构
    pub parent_id: Option<Id<Organization>>,
    /// Place in the tree, from the codes of those above.
    pub path: Option<String>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 对应的追溯主体
    pub subject_id: Option<Id<()>>,
}

fn code(text: &str) -> Result<String, String> {
    let code = text.to_uppercase();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=24).contains(&code.len()) && code.bytes().all(sound) {
        Ok(code)
    } else {
        Err(String::from("应为 1 至 24 位字母、数字或 -"))
    }
}

/// Kind and 追溯主体 decide who must show a second factor and who sees what.
const BOUND: &str = "机构类型建立后与所对应的追溯主体由安全管理员更改";

/// Levels of the tree.
const DEPTH_MAX: usize = 12;

impl Resource for Organization {
    const TABLE: &'static str = "organization";
    const TITLE: &'static str = "机构";
    const SCOPING: Scoping = Scoping::By(Columns { organization: Some("path"), ..Columns::NONE });
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "机构编码", Kind::Text)
            .checked(code)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "机构名称", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .sortable(),
        Field::new("kind", "机构类型", Kind::Code(&ORGANIZATION_KINDS)).filter(Match::Exact),
        Field::new("parent_id", "上级机构", Kind::Id("organization"))
            .filter(Match::Exact)
            .optional()
            .hint("只有运营机构没有上级"),
        Field::new("path", "路径", Kind::Text)
            .length_max(400)
            .sortable()
            .made_of("code")
            .hint("由平台按上级机构生成"),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).optional(),
        Field::new("subject_id", "对应追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed()
            .hint("由安全管理员绑定；其数据权限由此确定"),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let parent = if let Some(id) = self.parent_id {
            let sql = Sql::new("SELECT path FROM organization WHERE id = $1");
            let row = tx.fetch_one(sql.arg(id)).await?;
            String::from(row.ok_or(Problem::NotFound("上级机构"))?.text(0)?)
        } else {
            let sql = Sql::new("SELECT 1 FROM organization WHERE parent_id IS NULL AND code <> $1");
            if tx.fetch_one(sql.arg(self.code.as_str())).await?.is_some() {
                return Err(Problem::invalid("parent_id", "请选择上级机构"));
            }
            String::new()
        };
        let path = format!("{parent}{}/", self.code);
        if parent.split('/').any(|above| above == self.code) {
            return Err(Problem::invalid("parent_id", "上级机构不能是本机构或其下级"));
        }
        if path.matches('/').count() > DEPTH_MAX {
            return Err(Problem::invalid("parent_id", format!("机构至多 {DEPTH_MAX} 级")));
        }
        // A place that is out of reach says nothing about itself.
        crate::require_reach(ctx, &path, || Problem::NotFound("上级机构"))?;
        self.path = Some(path);
        Ok(())
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        let Some(after) = change.after else { return Ok(()) };
        let Some(before) = change.before else {
            if after.subject_id.is_some() && ctx.principal().kind != ActorKind::Platform {
                return Err(Problem::invalid("subject_id", BOUND));
            }
            return seal::organization(ctx, tx, change.id).await;
        };
        if before.subject_id != after.subject_id || before.kind != after.kind {
            let field = if before.kind == after.kind { "subject_id" } else { "kind" };
            return Err(Problem::invalid(field, BOUND));
        }
        if before.code != after.code {
            return Err(Problem::invalid("code", "机构编码建立后不能更改"));
        }
        let (Some(old), Some(new)) = (&before.path, &after.path) else { return Ok(()) };
        if old != new {
            // Everything below moves along.
            let moved = [
                ("organization", "path", " AND id <> "),
                ("account", "organization_path", " AND '' <> "),
                ("assignment", "account_path", " AND '' <> "),
                ("delegation", "account_path", " AND '' <> "),
                ("client", "account_path", " AND '' <> "),
                ("alarm", "organization_path", " AND '' <> "),
            ];
            for (table, column, but) in moved {
                let mut sql = Sql::new("UPDATE ");
                sql.push(table).push(" SET ").push(column).push(" = ").bind(new.as_str());
                sql.push(" || substr(").push(column).push(", ");
                sql.bind(i64::try_from(old.chars().count() + 1).map_err(Problem::internal)?);
                sql.push(") WHERE ").push(column).push(" >= ").bind(old.as_str());
                sql.push(" AND ").push(column).push(" < ").bind(format!("{old}~"));
                sql.push(but).bind(change.id);
                tx.execute(sql).await?;
            }
            return seal::below(ctx, tx, new).await;
        }
        seal::organization(ctx, tx, change.id).await
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("SAMPLE-{n}"),
            name: format!("示例机构{n}"),
            kind: String::from("enterprise"),
            parent_id: None,
            path: None,
            region: "610116".parse().ok(),
            subject_id: None,
        }
    }
}

/// The 追溯主体 that a text means, by code or identifier, if no other organisation stands for it.
/// Whoever binds needs no right to read subjects: the code is on everybody's licence.
async fn unbound(ctx: &Ctx, tx: &mut Tx, (id, text): (&str, &str)) -> Result<String> {
    let wrong = |detail: String| Problem::invalid("subject", detail);
    let entities = ctx.app().entities();
    let field = Organization::FIELDS.iter().find(|field| field.name == "subject_id");
    let target = field.and_then(|field| reference::target(entities, field));
    let target = target.ok_or_else(|| Problem::internal("subjects are no register"))?;
    let all = ctx.app().on_own_behalf("binding");
    let subject = reference::identifier(&all, tx, (target, text)).await?.map_err(wrong)?;
    // Of two who bind it at once the second sees what the first did.
    tx.lock(target.table, subject.as_str()).await?;
    let taken = Sql::new("SELECT name FROM organization WHERE subject_id = $1 AND id <> $2");
    if tx.fetch_one(taken.arg(subject.as_str()).arg(id)).await?.is_some() {
        return Err(wrong(String::from("该追溯主体已绑定另一机构")));
    }
    Ok(subject)
}

/// 绑定: kind and 追溯主体 of an organisation, by the security administrator.
pub(crate) async fn bind(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, kind, subject): (&str, &str, Option<&str>),
    reason: &str,
) -> Result<()> {
    if !ORGANIZATION_KINDS.iter().any(|(code, _)| *code == kind) {
        let codes = ORGANIZATION_KINDS.map(|(code, _)| code).join("、");
        return Err(Problem::invalid("kind", format!("应为 {codes}")));
    }
    let mut sql = Sql::new("SELECT kind, subject_id FROM organization WHERE id = ");
    sql.bind(id);
    ctx.scope().narrow(&mut sql, tx, Organization::SCOPING);
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    let before = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("机构"))?;
    let subject = match subject.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(unbound(ctx, tx, (id, text)).await?),
        None => None,
    };
    let subject = subject.as_deref();
    let sql = Sql::new(
        "UPDATE organization SET kind = $1, subject_id = $2, version = version + 1, \
         updated_at = $3, updated_by = $4 WHERE id = $5",
    );
    let sql = sql.arg(kind).arg(subject).arg(ctx.now_ms()).arg(ctx.actor());
    tx.execute(sql.arg(id)).await?;
    rights::changed(tx);
    seal::organization(ctx, tx, id).await?;
    let body = json!({
        "kind": [before.text(0)?, kind], "subject_id": [before.text_opt(1)?, subject],
        "reason": reason,
    });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "bound", entity: "organization", record: id, body },
    );
    Ok(())
}
