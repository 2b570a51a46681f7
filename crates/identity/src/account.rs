//! 用户.

use serde_json::json;
use yj_kernel::{Ctx, Problem, Result, Sql, Tx, audit};
use yj_model::RegionCode;

use crate::{Role, password};

/// A user to be made.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Log-in name: 3 to 32 lower-case letters, digits, `-` and `_`.
    pub user: &'a str,
    /// Display name.
    pub name: &'a str,
    /// Organisation, for display.
    pub organization: &'a str,
    /// The 追溯主体 the user works for.
    pub subject: Option<&'a str>,
    /// First password.
    pub password: &'a str,
    /// What the user may do, and where.
    pub roles: &'a [(Role, Option<&'a RegionCode>)],
}

/// Makes a user. An enterprise role reaches the user's own subject only.
pub async fn create(ctx: &Ctx, tx: &mut Tx, account: NewAccount<'_>) -> Result<String> {
    let sound = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    if !(3..=32).contains(&account.user.len()) || !account.user.bytes().all(sound) {
        return Err(Problem::invalid("user", "用户名应为 3 至 32 位小写字母、数字、- 或 _"));
    }
    password::check(account.password, account.user)?;
    let salt = ctx.app().random().to_be_bytes();
    let verifier = password::verifier(account.password, salt).await?;
    let id = ctx.new_id::<()>().to_string();
    let sql = Sql::new(
        "INSERT INTO account (id, user_name, name, organization, subject_id, salt, verifier, active, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
    );
    let sql = sql.arg(id.as_str()).arg(account.user).arg(account.name).arg(account.organization);
    let sql = sql.arg(account.subject).arg(salt.to_vec()).arg(verifier.to_vec()).arg(ctx.now_ms());
    tx.execute(sql).await?;
    for (role, region) in account.roles {
        let subject = if *role == Role::Enterprise { account.subject.unwrap_or("-") } else { "" };
        let sql = Sql::new(
            "INSERT INTO account_role (account_id, role, region, subject_id) VALUES ($1, $2, $3, $4)",
        );
        let region = region.map_or("", RegionCode::as_str);
        tx.execute(sql.arg(id.as_str()).arg(role.code()).arg(region).arg(subject)).await?;
    }
    let body = json!({ "user": account.user, "roles": account.roles.iter().map(|(role, _)| role.code()).collect::<Vec<_>>() });
    audit::write(ctx, tx, audit::Entry { action: "created", entity: "account", record: &id, body });
    Ok(id)
}
