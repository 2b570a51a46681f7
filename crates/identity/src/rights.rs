//! What an account may do: read from its assignments, checked against their seal, kept in memory
//! until any right changes on any node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{
    ActorKind, App, Ctx, DataClass, Grant, Limit, Principal, Problem, Purpose, Result, Rights,
    Route, Row, Sql, Tx, Within, audit,
};

use crate::{alarm, settings::Security};

/// The three administrators of GB/T 22239, each with rights that nobody else has; none has any
/// business right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminKind {
    /// 系统管理员: accounts without rights, organisations, clients, settings.
    System,
    /// 安全管理员: roles, grants, keys, locks, alarms.
    Security,
    /// 审计管理员: reads, verifies and exports the trail.
    Audit,
}

impl AdminKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::System, Self::Security, Self::Audit];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Security => "security",
            Self::Audit => "audit",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "系统管理员",
            Self::Security => "安全管理员",
            Self::Audit => "审计管理员",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// What it may do.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::System => &[
                "organization:read",
                "organization:write",
                "organization:label",
                "account:read",
                "account:write",
                "account:confirm",
                "account:personal",
                "account:erase",
                "account:label",
                "client:read",
                "client:write",
                "client:label",
                "application:read",
                "application:write",
                "application:label",
                "self_check:read",
            ],
            Self::Security => &[
                "organization:read",
                "organization:bind",
                "account:read",
                "account:lock",
                "account:confirm",
                "client:read",
                "client:approve",
                "administrator:write",
                "role:read",
                "role:write",
                "role:label",
                "assignment:read",
                "assignment:write",
                "assignment:label",
                "delegation:read",
                "delegation:write",
                "delegation:label",
                "session:read",
                "session:write",
                "key:read",
                "key:write",
                "alarm:read",
                "alarm:write",
                "self_check:read",
                "self_check:run",
            ],
            Self::Audit => &[
                "account:confirm",
                "audit:read",
                "audit:export",
                "audit:verify",
                "alarm:read",
                "self_check:read",
                "self_check:run",
                "ledger:read",
            ],
        }
    }
}

/// Whether only administrators have this permission. `ledger:read` is everybody's who gets it.
fn is_administrative(permission: &str) -> bool {
    permission != "ledger:read"
        && AdminKind::ALL.into_iter().any(|kind| kind.permissions().contains(&permission))
}

/// Writes down which business permissions there are, from the list of routes; roles are made of
/// them.
pub async fn publish(app: &App, routes: &[Route]) -> Result<()> {
    let mut found: Vec<(String, String)> = Vec::new();
    for route in routes {
        let Ok(yj_kernel::Access::Permission(name)) = &route.access else { continue };
        if is_administrative(name) {
            continue;
        }
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, title)) if title.chars().count() < 60 => {
                title.push('、');
                title.push_str(&route.summary);
            }
            Some(_) => {}
            None => found.push((name.clone(), route.summary.clone())),
        }
    }
    let ctx = app.on_own_behalf("upgrade");
    let mut tx = ctx.begin().await?;
    let known = tx.fetch(Sql::new("SELECT name, title FROM permission ORDER BY name")).await?;
    found.sort_unstable();
    let same = known.len() == found.len()
        && known.iter().zip(&found).all(|(row, (name, title))| {
            row.text(0).is_ok_and(|known| known == name)
                && row.text(1).is_ok_and(|known| known == title)
        });
    if same {
        return Ok(());
    }
    tx.later([Sql::new("DELETE FROM permission")]);
    let all = Value::from_iter(found.iter().map(|(name, _)| name.as_str()));
    let rows = found.into_iter().map(|(name, title)| vec![name.into(), title.into()]).collect();
    tx.later(yj_kernel::insert_rows("INSERT INTO permission (name, title)", "", rows));
    keep_top(&ctx, &mut tx, &all).await?;
    tx.commit().await
}

/// The role at the top holds every business permission, also those that came with an upgrade.
async fn keep_top(ctx: &Ctx, tx: &mut Tx, all: &Value) -> Result<()> {
    let sql = Sql::new("SELECT id, permissions FROM role WHERE code = $1");
    let Some(row) = tx.fetch_one(sql.arg(crate::bootstrap::TOP)).await? else { return Ok(()) };
    let (id, before): (&str, Value) = (row.text(0)?, row.json(1)?);
    let sql = Sql::new(
        "UPDATE role SET permissions = $1, version = version + 1, updated_at = $2, updated_by = $3 \
         WHERE id = $4",
    );
    let sql = sql.arg(all.to_string()).arg(ctx.now_ms()).arg(ctx.actor());
    tx.execute(sql.arg(id)).await?;
    changed(tx);
    seal_role(ctx, tx, id).await?;
    let body = json!({ "permissions": [before, all] });
    audit::write(ctx, tx, audit::Entry { action: "updated", entity: "role", record: id, body });
    Ok(())
}

/// Tells every node to read rights anew.
pub(crate) fn changed(tx: &mut Tx) {
    tx.later([Sql::new("UPDATE access_epoch SET value = value + 1 WHERE id = 1")]);
}

/// Security administrators at the top of the tree hand on whatever there is.
pub(crate) fn hands_on_everything(ctx: &Ctx) -> bool {
    let principal = ctx.principal();
    principal.kind == ActorKind::Platform
        || (principal.administrator == Some(AdminKind::Security.code())
            && principal.organization_path.matches('/').count() == 1)
}

fn mac(app: &App, content: &Value) -> Result<String> {
    Ok(to_hex(&app.vault().mac(Purpose::Access, &[content.to_string().as_bytes()])?))
}

async fn keep_seal(tx: &mut Tx, subject: &str, mac: String) -> Result<()> {
    let sql = Sql::new(
        "INSERT INTO access_seal (subject, mac) VALUES ($1, $2) \
         ON CONFLICT (subject) DO UPDATE SET mac = excluded.mac",
    );
    tx.execute(sql.arg(subject).arg(mac)).await.map(drop)
}

/// Seals what an account has, after a change that was allowed.
pub(crate) async fn seal_account(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    let rows = tx.fetch(account_query(id)).await?;
    let Some(first) = rows.first() else { return Ok(()) };
    let mac = mac(ctx.app(), &account_content(first, &rows)?)?;
    keep_seal(tx, id, mac).await
}

/// Seals a role, after a change that was allowed.
pub(crate) async fn seal_role(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    let sql = Sql::new("SELECT id, parent_id, permissions FROM role WHERE id = $1");
    let Some(row) = tx.fetch_one(sql.arg(id)).await? else { return Ok(()) };
    let mac = mac(ctx.app(), &role_content(&row)?)?;
    keep_seal(tx, id, mac).await
}

/// What the seal of a role covers: its identifier, parent and permissions, read in this order.
fn role_content(row: &Row) -> Result<Value> {
    Ok(json!(["role", row.text(0)?, row.text_opt(1)?, row.text(2)?]))
}

const DELEGATIONS: &str = "SELECT id, role_id, region, organization_id, category, stage, clearance \
                           FROM delegation WHERE account_id = $1 ORDER BY id";

async fn delegations(tx: &mut Tx, account: &str) -> Result<Value> {
    let rows = tx.fetch(Sql::new(DELEGATIONS).arg(account)).await?;
    let mut content = vec![json!("delegations"), json!(account)];
    for row in &rows {
        let text = |index| row.text_opt(index);
        let texts = [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?];
        content.push(json!([texts, row.int(6)?]));
    }
    Ok(Value::Array(content))
}

/// Seals what a security administrator was handed to hand on, after a change that was allowed.
pub(crate) async fn seal_delegations(ctx: &Ctx, tx: &mut Tx, account: &str) -> Result<()> {
    let mac = mac(ctx.app(), &delegations(tx, account).await?)?;
    keep_seal(tx, &format!("{account}/delegation"), mac).await
}

/// Whether it is as it was sealed; nothing needs no seal.
pub(crate) async fn delegations_are_sound(app: &App, tx: &mut Tx, account: &str) -> Result<bool> {
    let content = delegations(tx, account).await?;
    let sql = Sql::new("SELECT mac FROM access_seal WHERE subject = $1");
    let sealed = tx.fetch_one(sql.arg(format!("{account}/delegation"))).await?;
    match sealed {
        None => Ok(content.as_array().is_some_and(|parts| parts.len() == 2)),
        Some(row) => Ok(row.text(0)? == mac(app, &content)?),
    }
}

/// Seals what an organisation's place and its 追溯主体 are: they decide what its people see.
pub(crate) async fn seal_organization(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<()> {
    let sql = Sql::new("SELECT id, path, kind, subject_id FROM organization WHERE id = $1");
    let Some(row) = tx.fetch_one(sql.arg(id)).await? else { return Ok(()) };
    let mac = mac(ctx.app(), &organization_content(&row, 0)?)?;
    keep_seal(tx, id, mac).await
}

/// What that seal covers: identifier, path, kind and 追溯主体, read in this order from a column on.
fn organization_content(row: &Row, from: usize) -> Result<Value> {
    let text = |index| row.text_opt(from + index);
    Ok(json!(["organization", text(0)?, text(1)?, text(2)?, text(3)?]))
}

/// Seals every organisation and account of a part of the tree that has moved.
pub(crate) async fn seal_below(ctx: &Ctx, tx: &mut Tx, path: &str) -> Result<()> {
    let sql = Sql::new("SELECT id FROM organization WHERE path >= $1 AND path < $2");
    for row in tx.fetch(sql.arg(path).arg(format!("{path}~"))).await? {
        seal_organization(ctx, tx, row.text(0)?).await?;
    }
    let sql =
        Sql::new("SELECT id FROM account WHERE organization_path >= $1 AND organization_path < $2");
    for row in tx.fetch(sql.arg(path).arg(format!("{path}~"))).await? {
        seal_account(ctx, tx, row.text(0)?).await?;
    }
    Ok(())
}

const ACCOUNT: &str = "SELECT a.id, a.user_name, a.name, a.organization_id, a.organization_path, \
    a.kind, a.administrator, a.clearance, a.valid_until, a.state, o.name, o.kind, o.subject_id, \
    c.set_at, c.must_change, c.last_login_at, \
    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.confirmed = 1 AND f.kind <> 'recovery'), \
    sa.mac, g.id, g.role_id, g.region, g.organization_id, g.category, g.stage, g.clearance, \
    g.valid_from, g.valid_until, r.parent_id, r.permissions, sr.mac, og.path, a.created_at, \
    o.id, o.path, o.kind, o.subject_id, so.mac \
    FROM account a JOIN organization o ON o.id = a.organization_id \
    LEFT JOIN access_seal so ON so.subject = o.id \
    LEFT JOIN credential c ON c.account_id = a.id \
    LEFT JOIN access_seal sa ON sa.subject = a.id \
    LEFT JOIN assignment g ON g.account_id = a.id LEFT JOIN role r ON r.id = g.role_id \
    LEFT JOIN access_seal sr ON sr.subject = g.role_id \
    LEFT JOIN organization og ON og.id = g.organization_id WHERE a.";

fn account_query(id: &str) -> Sql {
    let mut sql = Sql::new(ACCOUNT);
    sql.push("id = ").bind(id).push(" ORDER BY g.id");
    sql
}

/// What the seal of an account covers: who it is, and everything it was given.
fn account_content(first: &Row, rows: &[Row]) -> Result<Value> {
    let mut assignments = Vec::new();
    for row in rows {
        if let Some(id) = row.text_opt(18)? {
            let text = |index| row.text_opt(index);
            assignments.push(json!([
                id,
                text(19)?,
                text(20)?,
                text(21)?,
                text(22)?,
                text(23)?,
                row.int(24)?,
                text(25)?,
                text(26)?,
            ]));
        }
    }
    Ok(json!([
        "account",
        first.text(0)?,
        first.text(3)?,
        first.text(4)?,
        first.text(5)?,
        first.text(6)?,
        first.int(7)?,
        first.text_opt(8)?,
        first.text(9)?,
        assignments,
    ]))
}

/// What is known of an account, whoever asks.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) principal: Principal,
    pub(crate) state: String,
    pub(crate) valid_until: Option<String>,
    pub(crate) organization_kind: String,
    pub(crate) set_at: Option<i64>,
    pub(crate) must_change: bool,
    /// Last log-in, or creation.
    pub(crate) last_seen_at: i64,
    pub(crate) factors: i64,
}

impl Known {
    /// Whether the account may be used at this moment; else why not.
    pub(crate) fn usable(
        &self,
        settings: &Security,
        now: jiff::Timestamp,
    ) -> Result<(), &'static str> {
        match self.state.as_str() {
            "active" => {}
            "invited" => return Err("账号尚未激活，请使用激活链接设置口令"),
            "locked" => return Err("账号已被安全管理员锁定"),
            _ => return Err("账号已停用"),
        }
        let today = now.to_zoned(jiff::tz::Offset::constant(8).to_time_zone()).date().to_string();
        if self.valid_until.as_ref().is_some_and(|until| *until < today) {
            return Err("账号已过有效期");
        }
        let idle = now.as_millisecond() - self.last_seen_at;
        if self.principal.kind == ActorKind::Person && idle > settings.dormant_ms() {
            return Err("账号长期未登录，已休眠，请联系系统管理员启用");
        }
        Ok(())
    }

    /// Whether a second factor is demanded of this account.
    pub(crate) fn needs_second_factor(&self, settings: &Security) -> bool {
        let who = if self.principal.administrator.is_some() {
            "admin"
        } else if self.organization_kind == "authority" {
            "gov"
        } else {
            "others"
        };
        let demanded = settings.second_factor_for.iter().any(|one| one == who || one == "all");
        demanded || self.factors > 0
    }
}

struct Kept {
    epoch: i64,
    read_at: i64,
    known: Arc<Known>,
}

/// Dates of validity begin and end at midnight; what is kept is read anew this often.
const KEEP_MS: i64 = 60_000;
/// Accounts kept in memory.
const KEPT_MAX: usize = 20_000;

/// What is known of accounts that were here lately.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, Kept>>);

impl Memory {
    /// What is known of an account, as of this epoch.
    pub(crate) async fn of(
        &self,
        app: &App,
        tx: &mut Tx,
        (id, epoch): (&str, i64),
    ) -> Result<Option<Arc<Known>>> {
        let now = app.now().as_millisecond();
        if let Some(kept) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id)
            && kept.epoch == epoch
            && (0..KEEP_MS).contains(&(now - kept.read_at))
        {
            return Ok(Some(Arc::clone(&kept.known)));
        }
        let rows = tx.fetch(account_query(id)).await?;
        let Some(known) = read(app, tx, &rows).await? else { return Ok(None) };
        let known = Arc::new(known);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(String::from(id), Kept { epoch, read_at: now, known: Arc::clone(&known) });
        Ok(Some(known))
    }
}

/// What is known of the account with this log-in name, fresh from the database.
pub(crate) async fn by_user_name(app: &App, tx: &mut Tx, user: &str) -> Result<Option<Known>> {
    let mut sql = Sql::new(ACCOUNT);
    sql.push("user_name = ").bind(user).push(" ORDER BY g.id");
    let rows = tx.fetch(sql).await?;
    read(app, tx, &rows).await
}

async fn read(app: &App, tx: &mut Tx, rows: &[Row]) -> Result<Option<Known>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let id = first.text(0)?;
    let sound = first.text_opt(17)? == Some(mac(app, &account_content(first, rows)?)?.as_str())
        && first.text_opt(36)? == Some(mac(app, &organization_content(first, 32)?)?.as_str());
    let administrator = AdminKind::from_code(first.text(6)?);
    let path = first.text(4)?;
    let grants = if !sound {
        alarm::raise(
            app,
            alarm::Kind::RightsTampered,
            alarm::About::member(id, path),
            "账号或其机构的权限记录与完整性校验值不符，已停用其全部权限",
        )
        .await;
        Vec::new()
    } else if let Some(kind) = administrator {
        administrators(kind, path)
    } else {
        granted(app, tx, rows, first.int(7)?).await?
    };
    let text = |index| first.text(index).map(String::from);
    let rights = Arc::new(Rights::new(grants));
    let mut principal = Principal::new(text(0)?, text(1)?, text(2)?, rights);
    principal.organization = text(10)?;
    principal.organization_path = text(4)?;
    principal.subject = first.text_opt(12)?.map(String::from);
    principal.administrator = administrator.map(AdminKind::code);
    principal.kind =
        if first.text(5)? == "service" { ActorKind::Machine } else { ActorKind::Person };
    Ok(Some(Known {
        principal,
        state: text(9)?,
        valid_until: first.text_opt(8)?.map(String::from),
        organization_kind: text(11)?,
        set_at: first.int_opt(13)?,
        must_change: first.int_opt(14)? == Some(1),
        last_seen_at: first.int_opt(15)?.unwrap_or(first.int(31)?),
        factors: first.int(16)?,
    }))
}

/// Compares every account and role with its seal: how many there are, and the names of those that
/// differ.
pub(crate) async fn examine(app: &App) -> Result<(usize, Vec<String>)> {
    let (mut checked, mut flawed) = (0, Vec::new());
    let mut tx = app.db().snapshot().await?;
    let accounts = tx.fetch(Sql::new("SELECT id, user_name FROM account ORDER BY id")).await?;
    for account in accounts {
        let rows = tx.fetch(account_query(account.text(0)?)).await?;
        let Some(first) = rows.first() else { continue };
        checked += 1;
        let mac = mac(app, &account_content(first, &rows)?)?;
        if first.text_opt(17)? != Some(mac.as_str()) {
            flawed.push(format!("用户 {}", account.text(1)?));
        }
    }
    let sql = "SELECT o.id, o.path, o.kind, o.subject_id, s.mac, o.code FROM organization o \
               LEFT JOIN access_seal s ON s.subject = o.id ORDER BY o.id";
    for row in tx.fetch(Sql::new(sql)).await? {
        checked += 1;
        if row.text_opt(4)? != Some(mac(app, &organization_content(&row, 0)?)?.as_str()) {
            flawed.push(format!("机构 {}", row.text(5)?));
        }
    }
    let sql = "SELECT r.id, r.parent_id, r.permissions, s.mac, r.code FROM role r \
               LEFT JOIN access_seal s ON s.subject = r.id ORDER BY r.id";
    for row in tx.fetch(Sql::new(sql)).await? {
        checked += 1;
        if row.text_opt(3)? != Some(mac(app, &role_content(&row)?)?.as_str()) {
            flawed.push(format!("角色 {}", row.text(4)?));
        }
    }
    Ok((checked, flawed))
}

/// What concerns the whole platform: rights of the administrators at its top alone.
const OF_PLATFORM: [&str; 9] = [
    "application:read",
    "application:write",
    "application:label",
    "audit:verify",
    "key:read",
    "key:write",
    "role:label",
    "self_check:read",
    "self_check:run",
];

/// Administrators act on their own organisation and those below it; at the top on everything.
fn administrators(kind: AdminKind, path: &str) -> Vec<Grant> {
    let organization = (path.matches('/').count() > 1)
        .then(|| Within { path: String::from(path), subjects: Arc::new([]) });
    let below = organization.is_some();
    let limit = Limit { organization, ..Limit::EVERYTHING };
    let grant = |name: &&str| Grant { permission: String::from(*name), limit: limit.clone() };
    let own = kind.permissions().iter().filter(|name| !below || !OF_PLATFORM.contains(name));
    own.map(grant).collect()
}

async fn granted(app: &App, tx: &mut Tx, rows: &[Row], clearance: i64) -> Result<Vec<Grant>> {
    let today = app.now().to_zoned(jiff::tz::Offset::constant(8).to_time_zone()).date().to_string();
    let mut grants = Vec::new();
    for row in rows {
        let Some(role) = row.text_opt(19)? else { continue };
        let content = json!(["role", role, row.text_opt(27)?, row.text(28)?]);
        if row.text_opt(29)? != Some(mac(app, &content)?.as_str()) {
            alarm::raise(
                app,
                alarm::Kind::RightsTampered,
                alarm::About::platform(role),
                "角色的权限与完整性校验值不符，已停用该角色",
            )
            .await;
            continue;
        }
        let begun = row.text_opt(25)?.is_none_or(|from| from <= today.as_str());
        let over = row.text_opt(26)?.is_some_and(|until| until < today.as_str());
        if !begun || over {
            continue;
        }
        let organization = match row.text_opt(30)? {
            None => None,
            Some(path) => Some(within(app, tx, path).await?),
        };
        let level = row.int(24)?.min(clearance);
        let limit = Limit {
            region: row.text_opt(20)?.map(str::parse).transpose().map_err(Problem::internal)?,
            organization,
            category: row.text_opt(22)?.map(String::from),
            stage: row.text_opt(23)?.map(String::from),
            clearance: DataClass::from_level(level).unwrap_or(DataClass::Public),
        };
        let permissions: Vec<String> = row.json(28)?;
        // A permission that only administrators may have is worth nothing in a role.
        let business = permissions.into_iter().filter(|name| !is_administrative(name));
        grants.extend(business.map(|permission| Grant { permission, limit: limit.clone() }));
    }
    Ok(grants)
}

/// 追溯主体 of one limit; a larger group is limited by region instead.
const SUBJECTS_MAX: i64 = 5_000;

async fn within(app: &App, tx: &mut Tx, path: &str) -> Result<Within> {
    let sql = Sql::new(
        "SELECT o.id, o.path, o.kind, o.subject_id, s.mac FROM organization o \
         LEFT JOIN access_seal s ON s.subject = o.id \
         WHERE o.path >= $1 AND o.path < $2 AND o.subject_id IS NOT NULL ORDER BY o.id LIMIT $3",
    );
    let mut subjects = std::collections::BTreeSet::new();
    for row in tx.fetch(sql.arg(path).arg(format!("{path}~")).arg(SUBJECTS_MAX)).await? {
        if row.text_opt(4)? == Some(mac(app, &organization_content(&row, 0)?)?.as_str()) {
            subjects.insert(String::from(row.text(3)?));
            continue;
        }
        let about = alarm::About::member(row.text(0)?, row.text(1)?);
        let detail = "机构的记录与完整性校验值不符，其追溯主体不再计入数据权限";
        alarm::raise(app, alarm::Kind::RightsTampered, about, detail).await;
    }
    Ok(Within { path: String::from(path), subjects: subjects.into_iter().collect() })
}
