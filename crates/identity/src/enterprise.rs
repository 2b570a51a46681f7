//! 企业开户 (G-6.2.2-1): the organisation, account and role of a subject whose own application a
//! reviewer has approved. Nothing of it is at anybody's choice: the role is that of enterprises, and
//! it reaches the subject's own organisation.

use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit};
use yj_model::{Id, RegionCode};

use crate::{
    Account, Assignment, Organization, Role,
    account::{self, Purpose},
};

/// Clearance of whoever administers an enterprise: 敏感.
const CLEARANCE: i64 = 3;
/// Code of the role that comes with the product for enterprises.
const ROLE: &str = "enterprise";

/// Whom an account is opened for.
#[derive(Debug)]
pub struct NewEnterprise<'a> {
    /// Identifier of the 追溯主体.
    pub subject: &'a str,
    /// 主体代码, which becomes the organisation's.
    pub code: &'a str,
    /// 主体名称
    pub name: &'a str,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// Place of the organisation above.
    pub parent_path: &'a str,
    /// 用户名
    pub user_name: &'a str,
    /// 姓名
    pub person: &'a str,
    /// 手机
    pub phone: &'a str,
}

/// What was opened.
#[derive(Debug)]
pub struct OpenedEnterprise {
    /// The organisation, made or found.
    pub organization: String,
    /// The account.
    pub account: String,
    /// Token of the activation link, stored nowhere.
    pub token: String,
}

/// The organisation that stands for a subject, made where there is none. On the platform's own
/// hand: a subject is bound because a reviewer said so, and by no administrator's wish.
async fn organization(ctx: &Ctx, tx: &mut Tx, new: &NewEnterprise<'_>) -> Result<Id<Organization>> {
    tx.lock("trace_subject", new.subject).await?;
    let bound = Sql::new("SELECT id FROM organization WHERE subject_id = $1");
    if let Some(row) = tx.fetch_one(bound.arg(new.subject)).await? {
        return row.parsed(0);
    }
    let parent = Sql::new("SELECT id FROM organization WHERE path = $1");
    let parent = tx.fetch_one(parent.arg(new.parent_path)).await?;
    let parent = parent.ok_or_else(|| {
        Problem::Conflict(String::from("审核人所在机构已调整，请由其上级机构重新审核"))
    })?;
    let organization = Organization {
        code: String::from(new.code),
        name: String::from(new.name),
        kind: String::from("enterprise"),
        parent_id: Some(parent.parsed(0)?),
        path: None,
        region: new.region.clone(),
        subject_id: Some(new.subject.parse().map_err(Problem::internal)?),
    };
    Ok(tx.insert(&ctx.app().on_own_behalf("registration"), &organization).await?.id)
}

async fn role(tx: &mut Tx) -> Result<Id<Role>> {
    let row = tx.fetch_one(Sql::new("SELECT id FROM role WHERE code = $1").arg(ROLE)).await?;
    let missing = || Problem::Conflict(format!("没有编码为 {ROLE} 的角色，请安全管理员先建立"));
    row.ok_or_else(missing)?.parsed(0)
}

/// Opens the account of an approved application and hands out its activation link. The account
/// is made by the caller, within their reach.
pub async fn open_enterprise(
    ctx: &Ctx,
    tx: &mut Tx,
    new: NewEnterprise<'_>,
) -> Result<OpenedEnterprise> {
    let organization_id = organization(ctx, tx, &new).await?;
    let account = Account {
        user_name: String::from(new.user_name),
        name: String::from(new.person),
        organization_id,
        organization_path: None,
        kind: String::from("person"),
        administrator: None,
        clearance: CLEARANCE,
        phone: Some(String::from(new.phone)),
        email: None,
        valid_until: None,
        state: None,
        remark: None,
    };
    let account_id = tx.insert(ctx, &account).await?.id;
    let assignment = Assignment {
        account_id,
        account_path: None,
        role_id: role(tx).await?,
        region: None,
        organization_id: Some(organization_id),
        category: None,
        stage: None,
        clearance: CLEARANCE,
        valid_from: None,
        valid_until: None,
    };
    tx.insert(&ctx.app().on_own_behalf("registration"), &assignment).await?;
    let account = account_id.to_string();
    let token = account::invite(ctx, tx, &account, Purpose::First).await?;
    let organization = organization_id.to_string();
    let body = serde_json::json!({ "organization_id": organization, "role": ROLE });
    let entry =
        audit::Entry { action: "enterprise_opened", entity: "account", record: &account, body };
    audit::write(ctx, tx, entry);
    Ok(OpenedEnterprise { organization, account, token })
}
