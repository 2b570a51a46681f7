//! Accounts for trying things out, each with a password made on the spot.

use serde_json::{Value, json};
use yj_identity::{NewAccount, Role};
use yj_kernel::{App, Problem, Result, Sql};
use yj_model::RegionCode;

/// A demonstration account.
#[derive(Debug)]
pub struct Account {
    /// Log-in name.
    pub user: &'static str,
    /// Its password.
    pub password: String,
    /// What it is for.
    pub name: &'static str,
    /// Its role.
    pub role: Role,
}

impl Account {
    /// As written to the account file.
    pub fn json(&self) -> Value {
        json!({ "user": self.user, "password": self.password, "name": self.name, "role": self.role.code() })
    }
}

const PLAN: [(&str, &str, &str, Role, Option<&str>); 5] = [
    ("supervisor", "示例省监管员", "示例省市场监督管理局", Role::Supervisor, None),
    ("reviewer", "示例省审核员", "示例省市场监督管理局", Role::Reviewer, None),
    ("enterprise", "示例蔬菜加工厂经办人", "示例蔬菜加工厂", Role::Enterprise, Some("P1")),
    ("farm", "示例韭菜合作社经办人", "示例韭菜合作社一社", Role::Enterprise, Some("F1")),
    ("auditor", "示例省审计员", "示例省审计机构", Role::Auditor, None),
];

/// Makes the accounts with fresh passwords.
pub async fn create_accounts(app: &App) -> Result<Vec<Account>> {
    let region: RegionCode = "610000".parse().map_err(Problem::internal)?;
    let mut accounts = Vec::new();
    for (user, name, organization, role, subject) in PLAN {
        let password = password(app);
        let ctx = app.on_own_behalf("demo");
        let mut tx = ctx.begin().await?;
        let subject = match subject {
            Some(name) => {
                let sql = Sql::new("SELECT id FROM trace_subject WHERE code = $1");
                let code = super::registers::subject_code(name)?;
                let row = tx.fetch_one(sql.arg(code.as_str())).await?;
                let row =
                    row.ok_or_else(|| Problem::internal("a demonstration subject is missing"))?;
                Some(String::from(row.text(0)?))
            }
            None => None,
        };
        let reach = if subject.is_some() { None } else { Some(&region) };
        let roles = [(role, reach)];
        let new = NewAccount {
            user,
            name,
            organization,
            subject: subject.as_deref(),
            password: &password,
            roles: &roles,
        };
        yj_identity::create(&ctx, &mut tx, new).await?;
        tx.commit().await?;
        accounts.push(Account { user, password, name, role });
    }
    Ok(accounts)
}

/// Sixteen letters of three classes; 80 bits of chance.
fn password(app: &App) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJ";
    let mut bits = app.random();
    let mut letters = String::new();
    for _ in 0..16 {
        letters.push(char::from(LETTERS[(bits & 31) as usize]));
        bits >>= 5;
    }
    format!("{letters}-{}", bits % 100)
}
