//! Organisations, roles and accounts for trying things out, each account with a password made on
//! the spot.

use serde_json::{Value, json};
use yj_identity::{AdminKind, Assignment, Client, NewPerson, Organization};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx};
use yj_model::{Id, RegionCode};

use crate::Assembled;

/// A demonstration account.
#[derive(Debug)]
pub struct Account {
    /// Log-in name.
    pub user: &'static str,
    /// Its password.
    pub password: String,
    /// What it is for.
    pub name: &'static str,
    /// What it is: a role or an administrator's office; `client` for an application, whose
    /// password is its secret.
    pub role: &'static str,
}

impl Account {
    /// As written to the account file.
    pub fn json(&self) -> Value {
        json!({ "user": self.user, "password": self.password, "name": self.name, "role": self.role })
    }
}

/// Where an account belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Post {
    /// An administrator of the operator.
    Administrator(AdminKind),
    /// Somebody of the operator, with a role over the province.
    Operator(&'static str),
    /// Somebody of an enterprise, with a role over it.
    Enterprise(&'static str),
}

const PLAN: [(&str, &str, Post); 7] = [
    ("sysadmin", "示例省系统管理员", Post::Administrator(AdminKind::System)),
    ("secadmin", "示例省安全管理员", Post::Administrator(AdminKind::Security)),
    ("auditor", "示例省审计管理员", Post::Administrator(AdminKind::Audit)),
    ("supervisor", "示例省监管员", Post::Operator("supervisor")),
    ("reviewer", "示例省审核员", Post::Operator("reviewer")),
    ("enterprise", "示例蔬菜加工厂经办人", Post::Enterprise("P1")),
    ("farm", "示例韭菜合作社经办人", Post::Enterprise("F1")),
];

/// Makes the organisations, the roles and the accounts with fresh passwords.
pub async fn create_accounts(assembled: &Assembled) -> Result<Vec<Account>> {
    let app = &assembled.app;
    let ctx = app.on_own_behalf("demo");
    let region: RegionCode = "610000".parse().map_err(Problem::internal)?;
    let operator = app.platform().operator.clone();
    let mut tx = ctx.begin().await?;
    let top =
        yj_identity::root_organization(&ctx, &mut tx, ("YJ-DEMO", &operator), Some(region.clone()))
            .await?;
    let roles = yj_identity::default_roles(&ctx, &mut tx).await?;
    let role = |wanted: &str| {
        let found = roles.iter().find(|(code, _)| *code == wanted);
        found.map(|(_, id)| *id).ok_or_else(|| Problem::internal("a default role is missing"))
    };
    let mut accounts = Vec::new();
    for (user, name, post) in PLAN {
        let organization = match post {
            Post::Enterprise(subject) => enterprise(&ctx, &mut tx, (subject, top)).await?,
            _ => top,
        };
        let administrator = match post {
            Post::Administrator(kind) => Some(kind),
            _ => None,
        };
        let clearance = if matches!(post, Post::Enterprise(_)) { 3 } else { 4 };
        let new = NewPerson {
            user_name: user,
            name,
            organization,
            administrator,
            clearance,
            service: false,
        };
        let id = yj_identity::person(&ctx, &mut tx, new).await?;
        let (code, reach) = match post {
            Post::Administrator(kind) => (kind.code(), None),
            Post::Operator(code) => (code, Some((Some(region.clone()), None))),
            Post::Enterprise(_) => ("enterprise", Some((None, Some(organization)))),
        };
        if let Some((region, organization_id)) = reach {
            let assignment = Assignment {
                account_id: id,
                account_path: None,
                role_id: role(code)?,
                region,
                organization_id,
                category: None,
                stage: None,
                clearance,
                valid_from: None,
                valid_until: None,
            };
            tx.insert(&ctx, &assignment).await?;
        }
        let password = password(app);
        assembled.identity.open_demonstration_account(&ctx, &mut tx, (id, &password)).await?;
        accounts.push(Account { user, password, name, role: code });
    }
    accounts.push(gateway(&ctx, &mut tx, (top, role("integrator")?, &region)).await?);
    tx.commit().await?;
    Ok(accounts)
}

/// An application with rights over the province.
async fn gateway(
    ctx: &Ctx,
    tx: &mut Tx,
    (organization, role_id, region): (Id<Organization>, Id<yj_identity::Role>, &RegionCode),
) -> Result<Account> {
    let (user, name, clearance) = ("gateway", "示例省数据网关", 3);
    let new = NewPerson {
        user_name: user,
        name,
        organization,
        administrator: None,
        clearance,
        service: true,
    };
    let account_id = yj_identity::person(ctx, tx, new).await?;
    let assignment = Assignment {
        account_id,
        account_path: None,
        role_id,
        region: Some(region.clone()),
        organization_id: None,
        category: None,
        stage: None,
        clearance,
        valid_from: None,
        valid_until: None,
    };
    tx.insert(ctx, &assignment).await?;
    let client = Client {
        approval: None,
        client_id: String::from(user),
        name: String::from(name),
        account_id,
        account_path: None,
        method: String::from("oauth"),
        public_key: None,
        networks: None,
        quota_per_minute: 600_000,
        valid_until: None,
        state: None,
    };
    tx.insert(ctx, &client).await?;
    let password = yj_identity::new_secret(ctx, tx, (user, false)).await?;
    Ok(Account { user, password, name, role: "client" })
}

/// The organisation of a demonstration enterprise.
async fn enterprise(
    ctx: &Ctx,
    tx: &mut Tx,
    (name, parent): (&str, Id<Organization>),
) -> Result<Id<Organization>> {
    let code = super::registers::subject_code(name)?;
    let sql = Sql::new("SELECT id, name, region FROM trace_subject WHERE code = $1");
    let row = tx.fetch_one(sql.arg(code.as_str())).await?;
    let row = row.ok_or_else(|| Problem::internal("a demonstration subject is missing"))?;
    let organization = Organization {
        code: format!("DEMO-{name}"),
        name: String::from(row.text(1)?),
        kind: String::from("enterprise"),
        parent_id: Some(parent),
        path: None,
        region: row.text(2)?.parse().ok(),
        subject_id: row.text(0)?.parse().ok(),
    };
    Ok(tx.insert(ctx, &organization).await?.id)
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
