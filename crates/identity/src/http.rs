//! Log-in, log-out, and what the signed-in user is told about themselves.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, App, Body, Ctx, Principal, Problem, Result, Route, Shape, Sql, audit};

use crate::{password, session};

/// Wrong passwords before an account is locked.
const FAILURES_MAX: i64 = 5;
/// How long it stays locked.
const LOCK_MS: i64 = 15 * 60_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// 用户名
    user: String,
    /// 口令
    password: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 现口令
    old: String,
    /// 新口令
    new: String,
}

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    let door = || Access::Public("登录之前无人已登录");
    vec![
        Route::new(
            (Method::POST, "/api/v1/session"),
            door(),
            "登录（浏览器）",
            post(
                |app: App, Body(login): Body<Login>| async move { enter(&app, login, true).await },
            ),
        )
        .takes(Shape::of::<Login>()),
        Route::new((Method::DELETE, "/api/v1/session"), Access::SignedIn, "退出", delete(leave)),
        Route::new(
            (Method::POST, "/api/v1/token"),
            door(),
            "登录（程序）",
            post(
                |app: App, Body(login): Body<Login>| async move { enter(&app, login, false).await },
            ),
        )
        .takes(Shape::of::<Login>()),
        Route::new((Method::GET, "/api/v1/me"), Access::SignedIn, "当前用户", get(me)),
        Route::new(
            (Method::POST, "/api/v1/me/password"),
            Access::SignedIn,
            "修改口令",
            post(change_password),
        )
        .takes(Shape::of::<NewPassword>()),
    ]
}

/// The same words whatever was wrong, so that nobody learns which accounts exist.
fn refused() -> Problem {
    Problem::LoginRefused(String::from("用户名或口令不正确；连续 5 次错误将锁定 15 分钟"))
}

async fn enter(app: &App, login: Login, for_browser: bool) -> Result<Response> {
    let ctx = app.on_own_behalf("login");
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT id, salt, verifier, failures, locked_until FROM account WHERE user_name = $1 AND active = 1",
    );
    let row = tx.fetch_one(sql.arg(login.user.as_str())).await?;
    drop(tx);
    let Some(row) = row else {
        // The same work for unknown users.
        password::matches(&login.password, [0; 16], &[0; 32]).await?;
        return Err(refused());
    };
    // An account of this name exists: its trail is written in its name.
    let ctx = ctx.signing_as(&login.user);
    let salt = row.blob(1)?.try_into().map_err(Problem::internal)?;
    let right = password::matches(&login.password, salt, row.blob(2)?).await?;
    let (id, now) = (row.text(0)?, ctx.now_ms());
    let mut tx = app.db().begin().await?;
    if !right || row.int(4)? > now {
        let failures = row.int(3)? + 1;
        let locked_until = if failures >= FAILURES_MAX { now + LOCK_MS } else { row.int(4)? };
        let sql = Sql::new("UPDATE account SET failures = $1, locked_until = $2 WHERE id = $3");
        tx.execute(sql.arg(failures % FAILURES_MAX).arg(locked_until).arg(id)).await?;
        let entry = audit::Entry {
            action: "login_refused",
            entity: "account",
            record: id,
            body: json!({}),
        };
        audit::write(&ctx, &mut tx, entry);
        tx.commit().await?;
        return Err(refused());
    }
    tx.execute(Sql::new("UPDATE account SET failures = 0, locked_until = 0 WHERE id = $1").arg(id))
        .await?;
    let opened = session::open(app, &mut tx, id, for_browser).await?;
    let entry =
        audit::Entry { action: "logged_in", entity: "account", record: id, body: json!({}) };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    if !for_browser {
        return Ok(Json(json!({ "token": opened.token })).into_response());
    }
    let principal = app.principal(&login.user).await?.ok_or_else(refused)?;
    let me = describe(&principal, opened.csrf.as_deref());
    let mut response = Json(json!({ "csrf": opened.csrf, "me": me })).into_response();
    set_cookie(app, &mut response, &opened.token, "");
    Ok(response)
}

fn set_cookie(app: &App, response: &mut Response, token: &str, extra: &str) {
    let secure = if app.platform().public_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie =
        format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{extra}", session::COOKIE);
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
}

/// Ends the session that the request brings.
async fn leave(ctx: Ctx, headers: HeaderMap) -> Result<Response> {
    let mut tx = ctx.begin().await?;
    if let Some(token) = session::token(&headers) {
        session::close(&mut tx, token).await?;
    }
    let entry = audit::Entry {
        action: "logged_out",
        entity: "account",
        record: ctx.actor(),
        body: json!({}),
    };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(ctx.app(), &mut response, "", "; Max-Age=0");
    Ok(response)
}

async fn me(ctx: Ctx) -> Json<Value> {
    Json(describe(ctx.principal(), ctx.principal().csrf.as_deref()))
}

fn describe(principal: &Principal, csrf: Option<&str>) -> Value {
    let mut permissions: Vec<_> =
        principal.grants.iter().map(|grant| grant.permission.as_str()).collect();
    permissions.sort_unstable();
    permissions.dedup();
    let region = principal.grants.iter().find_map(|grant| grant.limit.region.as_ref());
    json!({
        "user": principal.user, "name": principal.name, "organization": principal.organization,
        "subject": principal.subject.as_ref().map(|id| json!({ "id": id })), "region": region, "permissions": permissions, "csrf": csrf,
    })
}

async fn change_password(ctx: Ctx, Body(body): Body<NewPassword>) -> Result<StatusCode> {
    password::check(&body.new, ctx.actor()).map_err(|problem| match problem {
        Problem::Invalid(errors) => Problem::invalid("new", errors[0].detail.clone()),
        other => other,
    })?;
    let mut tx = ctx.snapshot().await?;
    let sql = Sql::new("SELECT id, salt, verifier FROM account WHERE user_name = $1");
    let row = tx.fetch_one(sql.arg(ctx.actor())).await?.ok_or(Problem::Unauthenticated)?;
    drop(tx);
    let salt = row.blob(1)?.try_into().map_err(Problem::internal)?;
    if !password::matches(&body.old, salt, row.blob(2)?).await? {
        return Err(Problem::invalid("old", "现口令不正确"));
    }
    let salt = ctx.app().random().to_be_bytes();
    let verifier = password::verifier(&body.new, salt).await?;
    let mut tx = ctx.begin().await?;
    let id = row.text(0)?;
    let sql = Sql::new("UPDATE account SET salt = $1, verifier = $2 WHERE id = $3");
    tx.execute(sql.arg(salt.to_vec()).arg(verifier.to_vec()).arg(id)).await?;
    // Whoever knew the old password is out.
    tx.execute(Sql::new("DELETE FROM session WHERE account_id = $1").arg(id)).await?;
    let entry =
        audit::Entry { action: "password_changed", entity: "account", record: id, body: json!({}) };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
