//! 初始化 (S-03): the first organisation, the first roles, the three administrators. There is no
//! account and no password that anybody could know beforehand.

use serde_json::json;
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx, audit};
use yj_model::{Id, RegionCode};

use crate::{
    Account, AdminKind, Identity, Organization, Role,
    account::{self, Purpose, token_digest},
    rights, seal,
};

/// Hours during which the set-up token works.
const SETUP_MS: i64 = 24 * 3_600_000;

/// A token for the set-up wizard, if nobody has an account yet; older tokens stop working.
pub async fn setup_token(app: &App) -> Result<Option<String>> {
    let mut tx = app.db().begin().await?;
    if tx.fetch_one(Sql::new("SELECT 1 FROM account LIMIT 1")).await?.is_some() {
        return Ok(None);
    }
    let token = format!("{:032x}", app.random());
    let now = app.now().as_millisecond();
    tx.later([Sql::new("DELETE FROM activation WHERE purpose = 'setup'")]);
    let sql = Sql::new(
        "INSERT INTO activation (digest, purpose, created_at, expires_at) VALUES ($1, 'setup', $2, $3)",
    );
    tx.later([sql.arg(token_digest(&token)).arg(now).arg(now + SETUP_MS)]);
    tx.commit().await?;
    Ok(Some(token))
}

/// Makes the top of the tree: the operator of the platform.
pub async fn root_organization(
    ctx: &Ctx,
    tx: &mut Tx,
    (code, name): (&str, &str),
    region: Option<RegionCode>,
) -> Result<Id<Organization>> {
    let organization = Organization {
        code: String::from(code),
        name: String::from(name),
        kind: String::from("authority"),
        parent_id: None,
        path: None,
        region,
        subject_id: None,
    };
    Ok(tx.insert(ctx, &organization).await?.id)
}

/// A role that comes with the product.
type Template = (&'static str, &'static str, &'static [&'static str], &'static str);

const TEMPLATES: [Template; 4] = [
    (
        "supervisor",
        "监管人员",
        &[
            "trace_subject:read",
            "trace_subject:write",
            "trace_subject:personal",
            "trace_subject:label",
            "trace_subject:status",
            "subject_application:read",
            "subject_conflict:read",
            "subject_conflict:review",
            "subject_merger:read",
            "subject_merger:write",
            "subject_alias:read",
            "subject_alias:write",
            "subject_alias:label",
            "licence:read",
            "licence:write",
            "licence:label",
            "site:read",
            "site:write",
            "site:label",
            "node:read",
            "node:write",
            "node:label",
            "merchant:read",
            "merchant:write",
            "merchant:personal",
            "merchant:label",
            "merchant_place:read",
            "merchant_place:write",
            "merchant_place:label",
            "device:read",
            "device:write",
            "device:label",
            "device_binding:read",
            "device_binding:write",
            "device_binding:label",
            "product:read",
            "product:write",
            "product:label",
            "product:suspend",
            "product:recall",
            "code_rule:read",
            "code_rule:write",
            "code_rule:label",
            "code_batch:read",
            "code_batch:write",
            "code_batch:label",
            "code_batch:activate",
            "code_batch:void",
            "resolver_link:read",
            "resolver_link:write",
            "resolver_link:label",
            "label_template:read",
            "label_template:write",
            "label_template:label",
            "catalogue:read",
            "catalogue:write",
            "source_policy:read",
            "source_policy:write",
            "trace:read",
            "trace:capture",
            "trace:order",
            "batch_document:write",
            "epcis:read",
            "epcis:capture",
            "trace:personal",
            "trace_order:read",
            "batch_document:read",
            "ledger:read",
            "evidence_key:read",
            "evidence_key:label",
            "evidence_key:revoke",
            "dictionary:read",
            "view:share",
            "library:read",
            "domain:read",
        ],
        "查看辖区内全部数据，提出登记与变更",
    ),
    (
        "reviewer",
        "审核人员",
        &[
            "trace_subject:read",
            "trace_subject:review",
            "trace_subject:personal",
            "trace_subject:erase",
            "subject_application:read",
            "subject_application:review",
            "subject_conflict:read",
            "subject_conflict:review",
            "subject_merger:read",
            "subject_merger:review",
            "subject_alias:read",
            "subject_alias:review",
            "licence:read",
            "licence:review",
            "site:read",
            "site:review",
            "node:read",
            "node:review",
            "merchant:read",
            "merchant:review",
            "merchant:personal",
            "merchant:erase",
            "merchant_place:read",
            "merchant_place:review",
            "batch_document:erase",
            "device:read",
            "device:review",
            "device_binding:read",
            "trace:erase",
            "product:read",
            "product:review",
            "code_rule:read",
            "code_rule:review",
            "code_batch:read",
            "resolver_link:read",
            "resolver_link:review",
            "catalogue:read",
            "catalogue:write",
            "catalogue:publish",
            "source_policy:read",
            "trace:read",
            "epcis:read",
            "trace:review",
            "trace:personal",
            "batch_document:personal",
            "trace_order:read",
            "batch_document:read",
            "ledger:read",
            "evidence_key:read",
            "evidence_key:review",
            "evidence_key:revoke",
            "export:approve",
            "dictionary:read",
            "domain:read",
        ],
        "审核登记、变更、待上链数据与大批量导出",
    ),
    (
        "enterprise",
        "企业人员",
        &[
            "trace_subject:read",
            "trace_subject:write",
            "subject_alias:read",
            "licence:read",
            "licence:write",
            "site:read",
            "site:write",
            "node:read",
            "node:write",
            "merchant:read",
            "merchant:write",
            "merchant_place:read",
            "merchant_place:write",
            "device:read",
            "device:write",
            "device_binding:read",
            "device_binding:write",
            "product:read",
            "product:write",
            "code_rule:read",
            "code_rule:write",
            "code_batch:read",
            "code_batch:write",
            "code_batch:activate",
            "code_batch:void",
            "code_batch:export",
            "resolver_link:read",
            "resolver_link:write",
            "label_template:read",
            "label_template:write",
            "catalogue:read",
            "trace:read",
            "trace:capture",
            "trace:order",
            "batch_document:write",
            "trace_order:read",
            "batch_document:read",
            "epcis:read",
            "epcis:capture",
            "ledger:read",
            "ledger:sign",
            "evidence_key:read",
            "evidence_key:write",
            "evidence_key:revoke",
            "dictionary:read",
        ],
        "维护本企业的登记与追溯数据",
    ),
    (
        "integrator",
        "对接系统",
        &[
            "trace_subject:read",
            "trace_subject:write",
            "trace_subject:receive",
            "subject_alias:read",
            "licence:read",
            "licence:write",
            "site:read",
            "site:write",
            "node:read",
            "node:write",
            "merchant:read",
            "merchant:write",
            "merchant_place:read",
            "merchant_place:write",
            "device:read",
            "device:write",
            "device:heartbeat",
            "device_binding:read",
            "device_binding:write",
            "product:read",
            "product:write",
            "code_rule:read",
            "code_rule:write",
            "code_batch:read",
            "code_batch:write",
            "code_batch:activate",
            "code_batch:void",
            "code_batch:export",
            "resolver_link:read",
            "resolver_link:write",
            "label_template:read",
            "label_template:write",
            "catalogue:read",
            "trace:read",
            "trace:capture",
            "epcis:read",
            "epcis:capture",
            "ledger:read",
            "ledger:sign",
            "evidence_key:read",
            "dictionary:read",
        ],
        "企业系统与第三方平台的服务账号",
    ),
];

/// Code of the role at the top, which always holds every business permission.
pub(crate) const TOP: &str = "business";

/// Makes the roles that come with the product: one that holds every business permission, and
/// under it those that people work with. Returns them by code.
pub async fn default_roles(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<(&'static str, Id<Role>)>> {
    let known = tx.fetch(Sql::new("SELECT name FROM permission ORDER BY name")).await?;
    let all = known.iter().map(|row| row.text(0).map(String::from)).collect::<Result<Vec<_>>>()?;
    let top = Role {
        code: String::from(TOP),
        name: String::from("全部业务权限"),
        parent_id: None,
        path: None,
        permissions: all.clone(),
        remark: Some(String::from("由平台维护；只作为上级角色使用")),
    };
    let top = tx.insert(ctx, &top).await?.id;
    let mut made = vec![(TOP, top)];
    for (code, name, permissions, remark) in TEMPLATES {
        let permissions = permissions.iter().map(|name| String::from(*name));
        let role = Role {
            code: String::from(code),
            name: String::from(name),
            parent_id: Some(top),
            path: None,
            permissions: permissions.filter(|name| all.contains(name)).collect(),
            remark: Some(String::from(remark)),
        };
        made.push((code, tx.insert(ctx, &role).await?.id));
    }
    Ok(made)
}

/// A person or service to be made, with an administrator's office or none.
#[derive(Debug)]
pub struct NewPerson<'a> {
    /// 用户名
    pub user_name: &'a str,
    /// 姓名
    pub name: &'a str,
    /// 所属机构
    pub organization: Id<Organization>,
    /// 管理员类别
    pub administrator: Option<AdminKind>,
    /// 许可密级
    pub clearance: i64,
    /// Whether it is a service account.
    pub service: bool,
}

/// Makes an account outside the ordinary way (system administrator makes, security administrator
/// grants): the set-up wizard and demonstrations only.
pub async fn person(ctx: &Ctx, tx: &mut Tx, new: NewPerson<'_>) -> Result<Id<Account>> {
    let account = Account {
        user_name: String::from(new.user_name),
        name: String::from(new.name),
        organization_id: new.organization,
        organization_path: None,
        kind: String::from(if new.service { "service" } else { "person" }),
        administrator: None,
        clearance: new.clearance,
        phone: None,
        email: None,
        valid_until: None,
        state: None,
        remark: None,
    };
    let id = tx.insert(ctx, &account).await?.id;
    if let Some(kind) = new.administrator {
        let sql = Sql::new("UPDATE account SET administrator = $1 WHERE id = $2");
        tx.execute(sql.arg(kind.code()).arg(id)).await?;
        seal::account(ctx, tx, &id.to_string()).await?;
    }
    Ok(id)
}

/// Sets a first password that its owner already knows, and opens the account: demonstrations
/// only; people set their own through the one-time link.
pub(crate) async fn open_with_password(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    (id, password): (Id<Account>, &str),
) -> Result<()> {
    let verifier = identity.mill().verifier(ctx.app(), password).await?;
    let sql = Sql::new(
        "INSERT INTO credential (account_id, verifier, set_at, must_change) VALUES ($1, $2, $3, 0)",
    );
    tx.execute(sql.arg(id).arg(verifier).arg(ctx.now_ms())).await?;
    tx.execute(Sql::new("UPDATE account SET state = 'active' WHERE id = $1").arg(id)).await?;
    rights::changed(tx);
    seal::account(ctx, tx, &id.to_string()).await
}

impl Identity {
    /// See [`open_with_password`].
    pub async fn open_demonstration_account(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        (id, password): (Id<Account>, &str),
    ) -> Result<()> {
        open_with_password(self, ctx, tx, (id, password)).await
    }
}

/// What the wizard is told.
pub(crate) struct Setup<'a> {
    pub(crate) token: &'a str,
    pub(crate) code: &'a str,
    pub(crate) name: &'a str,
    pub(crate) region: Option<RegionCode>,
    /// Log-in names and names of 系统, 安全 and 审计管理员.
    pub(crate) administrators: [(&'a str, &'a str); 3],
}

/// Makes organisation, roles and administrators; returns the administrators' activation tokens.
pub(crate) async fn set_up(app: &App, setup: Setup<'_>) -> Result<Vec<(String, String)>> {
    let ctx = app.on_own_behalf("setup");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "UPDATE activation SET used_at = $1 \
         WHERE digest = $2 AND purpose = 'setup' AND used_at IS NULL AND expires_at > $1",
    );
    let taken = tx.execute(sql.arg(ctx.now_ms()).arg(token_digest(setup.token))).await?;
    if taken == 0 || tx.fetch_one(Sql::new("SELECT 1 FROM account LIMIT 1")).await?.is_some() {
        return Err(Problem::Gone(String::from(
            "设置令牌无效、已使用或已过期；请重新启动服务，使用新打印的令牌",
        )));
    }
    let top = root_organization(&ctx, &mut tx, (setup.code, setup.name), setup.region).await?;
    default_roles(&ctx, &mut tx).await?;
    let mut links = Vec::new();
    for (kind, (user_name, name)) in AdminKind::ALL.into_iter().zip(setup.administrators) {
        let new = NewPerson {
            user_name,
            name,
            organization: top,
            administrator: Some(kind),
            clearance: 4,
            service: false,
        };
        let id = person(&ctx, &mut tx, new).await?.to_string();
        let token = account::invite(&ctx, &mut tx, &id, Purpose::First).await?;
        links.push((String::from(user_name), token));
    }
    let body = json!({ "organization": setup.name });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "set_up", entity: "platform", record: "", body },
    );
    tx.commit().await?;
    Ok(links)
}
