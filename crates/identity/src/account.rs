//! 用户 (§5.4.3 a): people and service accounts. An account has no right of its own.

use serde::{Deserialize, Serialize};
use serde_json::json;
use yj_crypto::sm3;
use yj_kernel::{
    App, Changed, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
    audit,
};
use yj_model::{Id, Phone};

use crate::{Organization, attempts, rights, seal};

/// 账号类型
pub(crate) const ACCOUNT_KINDS: &[(&str, &str)] = &[("person", "人员"), ("service", "服务账号")];
/// 管理员类别: mutually exclusive, and apart from every business right.
pub(crate) const ADMINISTRATORS: &[(&str, &str)] = &[
    ("none", "非管理员"),
    ("system", "系统管理员"),
    ("security", "安全管理员"),
    ("audit", "审计管理员"),
];
/// 账号状态
pub(crate) const ACCOUNT_STATES: &[(&str, &str)] =
    &[("invited", "待激活"), ("active", "正常"), ("locked", "已锁定"), ("disabled", "已停用")];

/// 用户
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// 用户名
    pub user_name: String,
    /// 姓名
    pub name: String,
    /// 所属机构
    pub organization_id: Id<Organization>,
    /// Place of the organisation in the tree.
    pub organization_path: Option<String>,
    /// 账号类型
    pub kind: String,
    /// 管理员类别
    pub administrator: Option<String>,
    /// 许可密级
    pub clearance: i64,
    /// 手机
    pub phone: Option<String>,
    /// 电子邮箱
    pub email: Option<String>,
    /// 有效期至
    pub valid_until: Option<String>,
    /// 状态
    pub state: Option<String>,
    /// 备注
    pub remark: Option<String>,
}

fn user_name(text: &str) -> Result<String, String> {
    yj_model::user_name(text).map_err(|error| error.to_string())
}

fn phone(text: &str) -> Result<String, String> {
    let phone = text.parse::<Phone>().map_err(|error| error.to_string())?;
    Ok(String::from(phone.reveal()))
}

fn email(text: &str) -> Result<String, String> {
    let wrong = || String::from("应为电子邮箱地址，如 name@example.cn");
    let (local, domain) = text.split_once('@').ok_or_else(wrong)?;
    let sound = !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.chars().all(|letter| letter.is_ascii_graphic());
    if sound { Ok(text.to_lowercase()) } else { Err(wrong()) }
}

/// People come in by a one-time link first; a service account has no password to set.
fn first_state(kind: &str) -> &'static str {
    if kind == "service" { "active" } else { "invited" }
}

impl Resource for Account {
    const TABLE: &'static str = "account";
    const TITLE: &'static str = "用户";
    const SCOPING: Scoping =
        Scoping::By(Columns { organization: Some("organization_path"), ..Columns::NONE });
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("user_name", "用户名", Kind::Text)
            .checked(user_name)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "姓名", Kind::Text).length_max(50).filter(Match::Contains).sortable(),
        Field::new("organization_id", "所属机构", Kind::Id("organization")).filter(Match::Exact),
        Field::new("organization_path", "机构路径", Kind::Text)
            .length_max(400)
            .filter(Match::Prefix)
            .computed()
            .hint("由平台生成"),
        Field::new("kind", "账号类型", Kind::Code(ACCOUNT_KINDS)).filter(Match::Exact),
        Field::new("administrator", "管理员类别", Kind::Code(ADMINISTRATORS))
            .filter(Match::Exact)
            .computed()
            .hint("由安全管理员指定"),
        Field::new("clearance", "许可密级", Kind::Int).hint("1 公开、2 内部、3 敏感、4 个人信息"),
        Field::new("phone", "手机", Kind::Text)
            .checked(phone)
            .filter(Match::Exact)
            .optional()
            .personal(),
        Field::new("email", "电子邮箱", Kind::Text).checked(email).optional().personal(),
        Field::new("valid_until", "有效期至", Kind::Date).optional().hint("到期自动停用"),
        Field::new("state", "状态", Kind::Code(ACCOUNT_STATES))
            .filter(Match::Exact)
            .computed()
            .hint("由启用、停用、锁定等操作改变"),
        Field::new("remark", "备注", Kind::Text).optional(),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        if !(1..=4).contains(&self.clearance) {
            return Err(Problem::invalid("clearance", "许可密级应为 1 至 4"));
        }
        let sql = Sql::new("SELECT path FROM organization WHERE id = $1");
        let row = tx.fetch_one(sql.arg(self.organization_id)).await?;
        self.organization_path = Some(String::from(row.ok_or(Problem::NotFound("机构"))?.text(0)?));
        self.administrator.get_or_insert_with(|| String::from("none"));
        let first = first_state(&self.kind);
        self.state.get_or_insert_with(|| String::from(first));
        Ok(())
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        let fixed = |field, detail| Err(Problem::invalid(field, detail));
        match (change.before, change.after) {
            (None, Some(after)) => {
                if after.administrator.as_deref() != Some("none") {
                    return fixed("administrator", "新用户没有管理员身份；由安全管理员另行指定");
                }
                if after.state.as_deref() != Some(first_state(&after.kind)) {
                    return fixed("state", "新用户的状态由平台设定");
                }
                seal::account(ctx, tx, change.id).await
            }
            (Some(before), Some(after)) => {
                if before.user_name != after.user_name {
                    return fixed("user_name", "用户名建立后不能更改");
                }
                if before.kind != after.kind {
                    return fixed("kind", "账号类型建立后不能更改");
                }
                if before.administrator != after.administrator {
                    return fixed("administrator", "管理员身份由安全管理员指定，不在此更改");
                }
                if before.state != after.state {
                    return fixed("state", "请使用启用、停用、锁定、解锁操作");
                }
                if before.organization_id != after.organization_id {
                    return fixed("organization_id", "请使用调动操作");
                }
                seal::account(ctx, tx, change.id).await
            }
            _ => Ok(()),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            user_name: format!("sample{n}"),
            name: format!("示例用户{n}"),
            organization_id: Id::from_parts(1, u128::from(n)),
            organization_path: None,
            kind: String::from("person"),
            administrator: None,
            clearance: 2,
            phone: Some(String::from("13800138000")),
            email: None,
            valid_until: None,
            state: None,
            remark: None,
        }
    }
}

/// Which link an account gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// First log-in.
    First,
    /// Forgotten password.
    Reset,
}

/// Hours during which an activation link works (S-03).
const ACTIVATION_MS: i64 = 24 * 3_600_000;

/// Digest under which an activation token is stored.
pub(crate) fn token_digest(token: &str) -> String {
    sm3::hex(&sm3::parts(&[b"YJ/activation\0", token.as_bytes()]))
}

/// Makes a one-time link for an account; older ones stop working. Returns its token, which is
/// stored nowhere.
pub(crate) async fn invite(
    ctx: &Ctx,
    tx: &mut Tx,
    account: &str,
    purpose: Purpose,
) -> Result<String> {
    let token = format!("{:032x}", ctx.app().random());
    let void =
        Sql::new("UPDATE activation SET used_at = $1 WHERE account_id = $2 AND used_at IS NULL");
    tx.execute(void.arg(ctx.now_ms()).arg(account)).await?;
    let sql = Sql::new(
        "INSERT INTO activation (digest, account_id, purpose, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let purpose = match purpose {
        Purpose::First => "first",
        Purpose::Reset => "reset",
    };
    let sql = sql.arg(token_digest(&token)).arg(account).arg(purpose).arg(ctx.now_ms());
    tx.execute(sql.arg(ctx.now_ms() + ACTIVATION_MS)).await?;
    let body = json!({ "purpose": purpose });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "invited", entity: "account", record: account, body },
    );
    Ok(token)
}

/// Ends every session of an account.
pub(crate) fn end_sessions(tx: &mut Tx, account: &str) {
    tx.later([Sql::new("DELETE FROM session WHERE account_id = $1").arg(account)]);
}

/// Whoever knew the old password, or has the old device, is out.
pub(crate) async fn forget_credentials(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, user): (&str, &str),
) -> Result<()> {
    for table in ["credential", "factor"] {
        let mut sql = Sql::new("DELETE FROM ");
        sql.push(table).push(" WHERE account_id = ").bind(id);
        tx.execute(sql).await?;
    }
    end_sessions(tx, id);
    attempts::forget(ctx.app(), tx, user)?;
    rights::changed(tx);
    let body = json!({});
    audit::write(ctx, tx, audit::Entry { action: "reset", entity: "account", record: id, body });
    Ok(())
}

/// A new one-time link for somebody who cannot come in, on the word of whoever runs the server.
/// A locked or disabled account stays what it is.
pub async fn recover(app: &App, user: &str) -> Result<String> {
    let ctx = app.on_own_behalf("recover");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new("SELECT id, state FROM account WHERE user_name = $1 AND kind = 'person'");
    let row = tx.fetch_one(sql.arg(user)).await?.ok_or(Problem::NotFound("用户"))?;
    let id = row.text(0)?;
    let purpose = match row.text(1)? {
        "invited" => Purpose::First,
        "active" => Purpose::Reset,
        _ => return Err(Problem::Conflict(String::from("该账号已锁定或停用"))),
    };
    forget_credentials(&ctx, &mut tx, (id, user)).await?;
    let token = invite(&ctx, &mut tx, id, purpose).await?;
    tx.commit().await?;
    Ok(token)
}
