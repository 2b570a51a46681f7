//! What administrators do with accounts: invite, lock, disable, move, appoint; sessions, alarms,
//! keys, and the list of permissions that roles are made of.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Problem, Result, Route, Scoping, Shape, Sql, Tx, audit, sound_reason,
    time_text, vault,
};

use crate::{
    ACCOUNT, AdminKind, Identity,
    account::{self, Purpose},
    alarm, attempts,
    confirmation::{self, Act, Asked},
    organization, rights, seal, session,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transfer {
    /// 调入的机构
    organization_id: String,
    /// 理由
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Appointment {
    /// none、system、security 或 audit
    administrator: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Binding {
    /// 机构类型
    kind: String,
    /// 对应的追溯主体的代码或标识；留空为解除
    #[schemars(length(max = 64))]
    subject: Option<String>,
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Lock,
    Unlock,
    Disable,
    Enable,
}

impl Verb {
    const ALL: [(Self, &'static str, &'static str, &'static str); 4] = [
        (Self::Lock, "lock", "锁定用户", "account:lock"),
        (Self::Unlock, "unlock", "解锁用户", "account:lock"),
        (Self::Disable, "disable", "停用用户", "account:write"),
        (Self::Enable, "enable", "启用用户", "account:write"),
    ];

    /// The state it leads to from each state; nothing where it makes no sense.
    const fn after(self, state: &str) -> Option<&'static str> {
        match (self, state.as_bytes()) {
            (Self::Lock, b"active") => Some("locked"),
            (Self::Unlock, b"locked" | b"active") => Some("active"),
            // What the security administrator has locked, nobody else opens by a detour.
            (Self::Disable, b"active" | b"invited") => Some("disabled"),
            (Self::Enable, b"disabled" | b"active") => Some("active"),
            _ => None,
        }
    }
}

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = Vec::new();
    for (verb, name, summary, permission) in Verb::ALL {
        let handler = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
            let mut tx = ctx.begin().await?;
            let done = turn(&ctx, &mut tx, (&id, verb, bounded(&body.reason)?)).await?;
            tx.commit().await?;
            Ok::<_, Problem>(done.answer(|state| json!({ "id": id, "state": state })))
        };
        routes.push(
            Route::new(
                (Method::POST, format!("/api/v1/account/{{id}}/{name}")),
                Access::permission(permission),
                summary,
                handler,
            )
            .takes(Shape::of::<Reason>()),
        );
    }
    for (name, summary, purpose) in [
        ("invite", "发放激活链接", Purpose::First),
        ("reset", "重置口令与第二因素", Purpose::Reset),
    ] {
        let handler = move |ctx: Ctx, Path(id): Path<String>| async move {
            let mut tx = ctx.begin().await?;
            let made = link(&ctx, &mut tx, (&id, purpose)).await?;
            tx.commit().await?;
            Ok::<_, Problem>(made.answer(|token| json!({ "token": token })))
        };
        routes.push(
            Route::new(
                (Method::POST, format!("/api/v1/account/{{id}}/{name}")),
                Access::permission("account:write"),
                summary,
                handler,
            )
            .fresh(),
        );
    }
    routes.extend([
        Route::new(
            (Method::POST, "/api/v1/account/{id}/transfer"),
            Access::permission("account:write"),
            "调动用户",
            transfer,
        )
        .takes(Shape::of::<Transfer>()),
        Route::new(
            (Method::GET, "/api/v1/account/requests"),
            Access::permission("account:confirm"),
            "待确认的管理员操作",
            requests,
        ),
        Route::new(
            (Method::POST, "/api/v1/account/requests/{id}/confirm"),
            Access::permission("account:confirm"),
            "确认管理员操作",
            decide(true),
        )
        .takes(Shape::of::<Reason>()),
        Route::new(
            (Method::POST, "/api/v1/account/requests/{id}/refuse"),
            Access::permission("account:confirm"),
            "不同意管理员操作",
            decide(false),
        )
        .takes(Shape::of::<Reason>()),
        Route::new(
            (Method::PUT, "/api/v1/organization/{id}/binding"),
            Access::permission("organization:bind"),
            "更改机构类型与对应的追溯主体",
            bind,
        )
        .takes(Shape::of::<Binding>()),
        Route::new(
            (Method::PUT, "/api/v1/account/{id}/administrator"),
            Access::permission("administrator:write"),
            "指定管理员",
            appoint,
        )
        .takes(Shape::of::<Appointment>()),
        Route::new(
            (Method::GET, "/api/v1/permissions"),
            Access::permission("role:read"),
            "业务权限清单",
            permissions,
        ),
        Route::new(
            (Method::GET, "/api/v1/alarms"),
            Access::permission("alarm:read"),
            "告警",
            alarms,
        ),
        Route::new(
            (Method::POST, "/api/v1/alarms/{id}/settle"),
            Access::permission("alarm:write"),
            "处置告警",
            settle,
        )
        .takes(Shape::of::<Reason>()),
        Route::new((Method::GET, "/api/v1/keys"), Access::permission("key:read"), "密钥", keys),
        Route::new(
            (Method::POST, "/api/v1/keys/rotate"),
            Access::permission("key:write"),
            "轮换个人信息保护密钥",
            rotate,
        ),
    ]);
    routes.extend(session_routes(identity));
    routes
}

/// An account within reach, locked for the transaction: its state and log-in name.
async fn reach(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<(String, String)> {
    let mut sql = Sql::new("SELECT a.state, a.user_name FROM account a WHERE a.id = ");
    sql.bind(id);
    ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS);
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    let row = tx.fetch_one(sql).await?.ok_or_else(crate::missing)?;
    Ok((String::from(row.text(0)?), String::from(row.text(1)?)))
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: Value) {
    audit::write(ctx, tx, audit::Entry { action, entity: ACCOUNT.table, record, body });
}

async fn set_state(ctx: &Ctx, tx: &mut Tx, (id, state): (&str, &str)) -> Result<()> {
    let sql = Sql::new(
        "UPDATE account SET state = $1, version = version + 1, updated_at = $2, updated_by = $3 \
         WHERE id = $4",
    );
    tx.execute(sql.arg(state).arg(ctx.now_ms()).arg(ctx.actor()).arg(id)).await?;
    rights::changed(tx);
    Ok(())
}

/// An act that is done, or waits for a second word (S-13).
enum Outcome<T> {
    Done(T),
    Waits(Value),
}

impl<T> Outcome<T> {
    fn answer(self, body: impl FnOnce(T) -> Value) -> Response {
        match self {
            Self::Done(done) => Json(body(done)).into_response(),
            Self::Waits(request) => (StatusCode::ACCEPTED, Json(request)).into_response(),
        }
    }
}

/// A remark of at most 500 letters.
fn bounded(text: &str) -> Result<&str> {
    let text = text.trim();
    if text.chars().count() > 500 {
        return Err(Problem::invalid("reason", "至多 500 个字"));
    }
    Ok(text)
}

async fn turn(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, verb, reason): (&str, Verb, &str),
) -> Result<Outcome<&'static str>> {
    let (state, user) = reach(ctx, tx, id).await?;
    if user == ctx.actor() {
        return Err(Problem::Conflict(String::from("不能对自己的账号做此操作")));
    }
    let next = verb
        .after(&state)
        .ok_or_else(|| Problem::Conflict(String::from("该账号的当前状态不允许此操作")))?;
    let act = match verb {
        // A stolen account is locked at once; opening it again takes two.
        Verb::Lock => None,
        Verb::Unlock => Some(Act::Unlock),
        Verb::Disable => Some(Act::Disable),
        Verb::Enable => Some(Act::Enable),
    };
    if let Some(act) = act {
        let asked = Asked { act, account: id, particulars: json!({}), reason };
        if let Some(request) = confirmation::require(ctx, tx, asked).await? {
            return Ok(Outcome::Waits(request));
        }
    }
    set_state(ctx, tx, (id, next)).await?;
    match verb {
        Verb::Lock | Verb::Disable => account::end_sessions(tx, id),
        Verb::Unlock => attempts::forget(ctx.app(), tx, &user)?,
        // Waking a sleeping account is as good as a log-in.
        Verb::Enable => {
            let sql = Sql::new("UPDATE credential SET last_login_at = $1 WHERE account_id = $2");
            tx.later([sql.arg(ctx.now_ms()).arg(id)]);
        }
    }
    let action = match verb {
        Verb::Lock => "locked",
        Verb::Unlock => "unlocked",
        Verb::Disable => "disabled",
        Verb::Enable => "enabled",
    };
    note(ctx, tx, (action, id), json!({ "state": [state, next], "reason": reason }));
    seal::account(ctx, tx, id).await?;
    Ok(Outcome::Done(next))
}

async fn link(ctx: &Ctx, tx: &mut Tx, (id, purpose): (&str, Purpose)) -> Result<Outcome<String>> {
    let (state, user) = reach(ctx, tx, id).await?;
    match (purpose, state.as_str()) {
        (Purpose::First, "invited") | (Purpose::Reset, "active" | "locked") => {}
        (Purpose::First, _) => {
            return Err(Problem::Conflict(String::from("该账号已激活；忘记口令请使用重置")));
        }
        (Purpose::Reset, _) => {
            return Err(Problem::Conflict(String::from("待激活或已停用的账号不能重置")));
        }
    }
    let act = if purpose == Purpose::First { Act::Invite } else { Act::Reset };
    let asked = Asked { act, account: id, particulars: json!({}), reason: "" };
    if let Some(request) = confirmation::require(ctx, tx, asked).await? {
        return Ok(Outcome::Waits(request));
    }
    if purpose == Purpose::Reset {
        account::forget_credentials(ctx, tx, (id, &user)).await?;
    }
    account::invite(ctx, tx, id, purpose).await.map(Outcome::Done)
}

async fn transfer(
    ctx: Ctx,
    Path(id): Path<String>,
    Body(body): Body<Transfer>,
) -> Result<Response> {
    let reason = bounded(&body.reason)?;
    let mut tx = ctx.begin().await?;
    reach(&ctx, &mut tx, &id).await?;
    let mut sql = Sql::new("SELECT o.path, o.name FROM organization o WHERE o.id = ");
    sql.bind(body.organization_id.as_str());
    let columns = yj_kernel::Columns { organization: Some("o.path"), ..yj_kernel::Columns::NONE };
    ctx.scope().narrow(&mut sql, &tx, Scoping::By(columns));
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("机构"))?;
    let particulars =
        json!({ "organization_id": body.organization_id, "organization": row.text(1)? });
    let asked = Asked { act: Act::Transfer, account: &id, particulars, reason };
    if let Some(request) = confirmation::require(&ctx, &mut tx, asked).await? {
        tx.commit().await?;
        return Ok(Outcome::<()>::Waits(request).answer(|()| Value::Null));
    }
    // What one was given for the old post ends with it.
    let ended = end_grants(&mut tx, "assignment", &id).await?;
    let delegations = end_grants(&mut tx, "delegation", &id).await?;
    seal::delegations(&ctx, &mut tx, &id).await?;
    let sql = Sql::new(
        "UPDATE account SET organization_id = $1, organization_path = $2, version = version + 1, \
         updated_at = $3, updated_by = $4 WHERE id = $5",
    );
    let sql = sql.arg(body.organization_id.as_str()).arg(row.text(0)?).arg(ctx.now_ms());
    tx.execute(sql.arg(ctx.actor()).arg(id.as_str())).await?;
    account::end_sessions(&mut tx, &id);
    rights::changed(&mut tx);
    seal::account(&ctx, &mut tx, &id).await?;
    let particulars = json!({
        "organization_id": body.organization_id, "assignments_ended": ended,
        "delegations_ended": delegations, "reason": reason,
    });
    note(&ctx, &mut tx, ("transferred", &id), particulars);
    tx.commit().await?;
    Ok(Json(json!({ "id": id, "assignments_ended": ended.len() })).into_response())
}

/// Takes back everything of one kind that an account was given, and says what it was.
async fn end_grants(tx: &mut Tx, table: &'static str, account: &str) -> Result<Vec<Value>> {
    let mut sql = Sql::new("DELETE FROM ");
    sql.push(table).push(" WHERE account_id = ").bind(account);
    sql.push(" RETURNING role_id, region, organization_id, category, stage, clearance");
    let given = |row: &yj_kernel::Row| {
        Ok(json!({
            "role_id": row.text(0)?, "region": row.text_opt(1)?,
            "organization_id": row.text_opt(2)?, "category": row.text_opt(3)?,
            "stage": row.text_opt(4)?, "clearance": row.int(5)?,
        }))
    };
    tx.fetch(sql).await?.iter().map(given).collect()
}

async fn requests(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    confirmation::list(&ctx, &mut tx).await.map(Json)
}

fn decide(
    confirmed: bool,
) -> impl Fn(Ctx, Path<String>, Body<Reason>) -> BoxFuture<'static, Result<StatusCode>> + Clone {
    move |ctx, Path(id), Body(body)| {
        Box::pin(async move {
            let reason = sound_reason(&body.reason)?;
            let mut tx = ctx.begin().await?;
            confirmation::decide(&ctx, &mut tx, (&id, confirmed, reason)).await?;
            tx.commit().await?;
            Ok(StatusCode::NO_CONTENT)
        })
    }
}

async fn bind(ctx: Ctx, Path(id): Path<String>, Body(body): Body<Binding>) -> Result<StatusCode> {
    let reason = sound_reason(&body.reason)?;
    let wanted = (id.as_str(), body.kind.as_str(), body.subject.as_deref());
    let mut tx = ctx.begin().await?;
    organization::bind(&ctx, &mut tx, wanted, reason).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn appoint(
    ctx: Ctx,
    Path(id): Path<String>,
    Body(body): Body<Appointment>,
) -> Result<Json<Value>> {
    let wanted = body.administrator.as_str();
    if wanted != "none" && AdminKind::from_code(wanted).is_none() {
        return Err(Problem::invalid("administrator", "应为 none、system、security 或 audit"));
    }
    let mut tx = ctx.begin().await?;
    let (_, user) = reach(&ctx, &mut tx, &id).await?;
    if user == ctx.actor() {
        return Err(Problem::Conflict(String::from("不能更改自己的管理员身份")));
    }
    let sql = Sql::new("SELECT administrator, kind FROM account WHERE id = $1");
    let row = tx.fetch_one(sql.arg(id.as_str())).await?.ok_or_else(crate::missing)?;
    let now = row.text(0)?;
    if now != "none" && wanted != "none" && now != wanted {
        return Err(Problem::Conflict(String::from(
            "三类管理员互斥：该用户已是另一类管理员，须先撤销",
        )));
    }
    if row.text(1)? != "person" {
        return Err(Problem::Conflict(String::from("服务账号不能担任管理员")));
    }
    let sql = Sql::new("SELECT 1 FROM assignment WHERE account_id = $1 LIMIT 1");
    if wanted != "none" && tx.fetch_one(sql.arg(id.as_str())).await?.is_some() {
        return Err(Problem::Conflict(String::from(
            "该用户持有业务权限，不能担任管理员；请先收回",
        )));
    }
    let delegations = end_grants(&mut tx, "delegation", &id).await?;
    seal::delegations(&ctx, &mut tx, &id).await?;
    let sql = Sql::new(
        "UPDATE account SET administrator = $1, version = version + 1, updated_at = $2, \
         updated_by = $3 WHERE id = $4",
    );
    tx.execute(sql.arg(wanted).arg(ctx.now_ms()).arg(ctx.actor()).arg(id.as_str())).await?;
    account::end_sessions(&mut tx, &id);
    rights::changed(&mut tx);
    seal::account(&ctx, &mut tx, &id).await?;
    let particulars = json!({ "administrator": [now, wanted], "delegations_ended": delegations });
    note(&ctx, &mut tx, ("appointed", &id), particulars);
    tx.commit().await?;
    Ok(Json(json!({ "id": id, "administrator": wanted })))
}

async fn permissions(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let rows = tx.fetch(Sql::new("SELECT name, title FROM permission ORDER BY name")).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(json!({ "name": row.text(0)?, "title": row.text(1)? }));
    }
    Ok(Json(json!({ "items": items })))
}

async fn alarms(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    alarm::list(&ctx, &mut tx).await.map(Json)
}

async fn settle(ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>) -> Result<Json<Value>> {
    let comment = sound_reason(&body.reason)?;
    let mut tx = ctx.begin().await?;
    let settled = alarm::settle(&ctx, &mut tx, (&id, comment)).await?;
    tx.commit().await?;
    Ok(Json(settled))
}

async fn keys(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let sql = Sql::new(
        "SELECT p.id, p.purpose, p.state, p.created_at, \
         (SELECT COUNT(*) FROM data_key d WHERE d.protection_key = p.id AND d.wrapped IS NOT NULL) \
         FROM protection_key p ORDER BY p.purpose, p.id",
    );
    let mut items = Vec::new();
    let rows = tx.fetch(sql).await?;
    for row in &rows {
        let purpose = row.text(1)?;
        let label = yj_kernel::Purpose::ALL
            .into_iter()
            .find(|one| one.code() == purpose)
            .map_or(purpose, |one| one.label());
        items.push(json!({
            "id": row.text(0)?, "purpose": purpose, "title": label, "state": row.text(2)?,
            "created_at": time_text(row.int(3)?)?, "data_keys": row.int(4)?,
        }));
    }
    let destroyed = Sql::new("SELECT COUNT(*) FROM data_key WHERE wrapped IS NULL");
    let destroyed = tx.fetch_one(destroyed).await?.map_or(Ok(0), |row| row.int(0))?;
    let module = ctx.app().vault().module();
    Ok(Json(json!({ "module": module, "items": items, "destroyed": destroyed })))
}

async fn rotate(ctx: Ctx) -> Result<Json<Value>> {
    let moved = vault::rotate(&ctx).await?;
    Ok(Json(json!({ "data_keys": moved })))
}

fn session_routes(identity: &Identity) -> Vec<Route> {
    let identity = identity.clone();
    let list = move |ctx: Ctx| async move {
        let mut tx = ctx.snapshot().await?;
        session::list(&identity, &ctx, &mut tx, None).await.map(Json)
    };
    let revoke = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        session::revoke(&ctx, &mut tx, (&id, None)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/sessions"),
            Access::permission("session:read"),
            "在线会话",
            list,
        ),
        Route::new(
            (Method::DELETE, "/api/v1/sessions/{id}"),
            Access::permission("session:write"),
            "强制下线",
            revoke,
        ),
    ]
}
