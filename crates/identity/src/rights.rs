//! What an account may do: read from its assignments, checked against their seal, kept in memory
//! until any right changes on any node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use yj_kernel::{
    ActorKind, App, Ctx, DataClass, Grant, Limit, Principal, Problem, Result, Rights, Route, Row,
    Sql, Tx, Within, audit,
};

use crate::{
    AdminKind,
    administrator::{administrators, is_administrative},
    alarm, seal,
    settings::Security,
};

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
    let all: Value = found.iter().map(|(name, _)| name.as_str()).collect();
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
    seal::role(ctx, tx, id).await?;
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

pub(crate) fn account_query(id: &str) -> Sql {
    let mut sql = Sql::new(ACCOUNT);
    sql.push("id = ").bind(id).push(" ORDER BY g.id");
    sql
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
    /// What is known without asking the database.
    fn kept(&self, app: &App, (id, epoch): (&str, i64)) -> Option<Arc<Known>> {
        let now = app.now().as_millisecond();
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(id).filter(|kept| kept.epoch == epoch)?;
        (0..KEEP_MS).contains(&(now - kept.read_at)).then(|| Arc::clone(&kept.known))
    }

    /// What is known of an account, as of this epoch; the database is asked only where that is new.
    pub(crate) async fn now(&self, app: &App, at: (&str, i64)) -> Result<Option<Arc<Known>>> {
        match self.kept(app, at) {
            Some(known) => Ok(Some(known)),
            None => self.of(app, &mut app.db().snapshot().await?, at).await,
        }
    }

    /// The same inside a transaction of the caller.
    pub(crate) async fn of(
        &self,
        app: &App,
        tx: &mut Tx,
        (id, epoch): (&str, i64),
    ) -> Result<Option<Arc<Known>>> {
        if let Some(known) = self.kept(app, (id, epoch)) {
            return Ok(Some(known));
        }
        let now = app.now().as_millisecond();
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
    let sound = first.text_opt(17)? == Some(seal::of_account(app, first, rows)?.as_str())
        && first.text_opt(36)? == Some(seal::of_organization(app, first, 32)?.as_str());
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

async fn granted(app: &App, tx: &mut Tx, rows: &[Row], clearance: i64) -> Result<Vec<Grant>> {
    let today = app.now().to_zoned(jiff::tz::Offset::constant(8).to_time_zone()).date().to_string();
    let mut grants = Vec::new();
    for row in rows {
        let Some(role) = row.text_opt(19)? else { continue };
        let sealed = seal::of_role(app, (role, row.text_opt(27)?, row.text(28)?))?;
        if row.text_opt(29)? != Some(sealed.as_str()) {
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
        if row.text_opt(4)? == Some(seal::of_organization(app, &row, 0)?.as_str()) {
            subjects.insert(String::from(row.text(3)?));
            continue;
        }
        let about = alarm::About::member(row.text(0)?, row.text(1)?);
        let detail = "机构的记录与完整性校验值不符，其追溯主体不再计入数据权限";
        alarm::raise(app, alarm::Kind::RightsTampered, about, detail).await;
    }
    Ok(Within { path: String::from(path), subjects: subjects.into_iter().collect() })
}
