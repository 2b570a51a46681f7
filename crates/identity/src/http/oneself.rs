//! Log-in, log-out, and what signed-in users do about themselves: password, factors, sessions.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, App, Body, Ctx, Origin, Param, Problem, Result, Route, Shape, Sql, Standing, Tx, audit,
};

use super::{leaving, set_cookie};
use crate::{
    Identity, account, alarm,
    attempts::{self, Guess},
    certificate,
    factor::{self, Algorithm},
    login, passkey, rights, seal,
    session::{self, Opened},
};

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
struct Shown {
    /// 动态口令，六位数字
    code: Option<String>,
    /// 恢复码
    recovery: Option<String>,
    /// 安全密钥的应答
    webauthn: Option<Credential>,
    /// 国密证书的签名
    sm2: Option<certificate::Shown>,
}

/// What a security key answered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credential {
    /// 所应答的验证请求
    challenge: String,
    /// 浏览器给出的凭据
    credential: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// webauthn 或 sm2
    kind: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// 名称，如“办公室密钥”
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    /// 名称，如“单位 UKey”
    name: String,
    /// 证书与签名
    sm2: certificate::Shown,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Proof {
    /// 口令
    password: String,
    /// 动态口令；已绑定第二因素的须出示其中之一
    code: Option<String>,
    /// 安全密钥的应答
    webauthn: Option<Credential>,
    /// 国密证书的签名
    sm2: Option<certificate::Shown>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 现口令
    old: String,
    /// 新口令
    new: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewTotp {
    /// 名称，如“手机”
    name: String,
    /// SHA1 或 SM3；缺省 SHA1
    algorithm: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// 动态口令，六位数字
    code: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Activate {
    /// 激活链接中的令牌
    token: String,
    /// 新口令
    password: String,
}

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = entering(identity);
    routes.extend(leaving(identity));
    routes.extend(factors(identity));
    routes
}

fn entering(identity: &Identity) -> Vec<Route> {
    let (for_login, for_factor, for_proof) = (identity.clone(), identity.clone(), identity.clone());
    let enter = move |app: App, origin: Origin, Body(body): Body<Login>| async move {
        let shown = (body.user.as_str(), body.password.as_str(), &origin);
        let (opened, me) = login::enter(&for_login, &app, shown).await?;
        Ok::<_, Problem>(entered(&opened, me))
    };
    let show = move |ctx: Ctx, Body(body): Body<Shown>| async move {
        second_factor(&for_factor, &ctx, body).await
    };
    let prove =
        move |ctx: Ctx, Body(body): Body<Proof>| async move { prove(&for_proof, &ctx, body).await };
    let for_activation = identity.clone();
    let activate = move |app: App, origin: Origin, Body(body): Body<Activate>| async move {
        let done = activate(&for_activation, &app, &origin, body).await;
        if let Err(problem @ Problem::Gone(_)) = &done {
            let reason = problem.to_string();
            let what = ("activation_refused", "/api/v1/activation", reason.as_str());
            crate::note_stranger(&app, &origin, what).await?;
        }
        done
    };
    vec![
        Route::public((Method::POST, "/api/v1/session"), "登录之前无人已登录", "登录", enter)
            .takes(Shape::of::<Login>()),
        Route::public(
            (Method::POST, "/api/v1/activation"),
            "凭一次性链接设置口令，此前无人能登录",
            "激活账号",
            activate,
        )
        .takes(Shape::of::<Activate>()),
        Route::new(
            (Method::POST, "/api/v1/session/factor"),
            Access::SignedIn,
            "出示第二因素",
            show,
        )
        .takes(Shape::of::<Shown>())
        .partial(),
        Route::new(
            (Method::POST, "/api/v1/session/proof"),
            Access::SignedIn,
            "再次验证身份",
            prove,
        )
        .takes(Shape::of::<Proof>()),
        Route::new(
            (Method::GET, "/api/v1/me"),
            Access::SignedIn,
            "当前用户",
            |ctx: Ctx| async move { Json(login::describe(ctx.app(), ctx.principal())) },
        )
        .partial(),
    ]
}

fn entered(opened: &Opened, me: Value) -> Response {
    let mut response = Json(json!({ "csrf": opened.csrf, "me": me })).into_response();
    set_cookie(&mut response, &opened.token, "");
    response
}

async fn second_factor(identity: &Identity, ctx: &Ctx, body: Shown) -> Result<Response> {
    if ctx.principal().standing != Standing::SecondFactor {
        return Err(Problem::Conflict(String::from("无需出示第二因素")));
    }
    let app = ctx.app();
    identity.throttle().take(ctx.origin().address, ctx.now_ms())?;
    let mut tx = ctx.snapshot().await?;
    attempts::require_open(app, &mut tx, Guess::Factor(ctx.actor())).await?;
    drop(tx);
    let mut tx = ctx.begin().await?;
    let kind = match check_factor(identity, ctx, &mut tx, &body).await {
        Ok(kind) => kind,
        Err(problem) => {
            drop(tx);
            wrong_factor(identity, ctx).await?;
            return Err(problem);
        }
    };
    attempts::forget(app, &mut tx, ctx.actor())?;
    let opened = session::elevate(identity, ctx, &mut tx, kind).await?;
    factor::note(ctx, &mut tx, "factor_shown", json!({ "kind": kind }));
    tx.commit().await?;
    let mut principal = ctx.principal().clone();
    principal.csrf = Some(opened.csrf.clone());
    principal.standing = Standing::Full;
    Ok(entered(&opened, login::describe(ctx.app(), &principal)))
}

/// Checks whichever factor is shown; its kind.
async fn check_factor(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    shown: &Shown,
) -> Result<&'static str> {
    let (app, account) = (ctx.app(), ctx.principal().account.as_str());
    match shown {
        Shown { code: Some(code), .. } => {
            factor::check_code(app, tx, (account, code)).await.map(|()| "totp")
        }
        Shown { webauthn: Some(shown), .. } => {
            let shown = (shown.challenge.as_str(), &shown.credential);
            passkey::check(ctx, tx, shown).await.map(|()| "webauthn")
        }
        Shown { sm2: Some(shown), .. } => {
            certificate::check(ctx, tx, (identity.authorities(), shown)).await.map(|()| "sm2")
        }
        Shown { recovery: Some(code), .. } => {
            factor::check_recovery(app, tx, (account, code)).await.map(|()| "recovery")
        }
        _ => Err(Problem::invalid("code", "请出示动态口令、安全密钥、国密证书或恢复码")),
    }
}

/// Codes are six digits: guessing them is counted like guessing passwords.
async fn wrong_factor(identity: &Identity, ctx: &Ctx) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let guess = Guess::Factor(ctx.actor());
    let locked = attempts::count(ctx, &mut tx, identity.settings(), guess).await?;
    let entry = audit::Entry {
        action: "factor_refused",
        entity: "account",
        record: &ctx.principal().account,
        body: json!({ "locked": locked }),
    };
    audit::write_as(ctx, &mut tx, ("", audit::Ending::Refused), entry);
    if locked {
        // This session, not those of the one whose password may have been stolen.
        let sql = Sql::new("DELETE FROM session WHERE id = $1");
        tx.later([sql.arg(ctx.principal().session.as_str())]);
    }
    tx.commit().await?;
    if locked {
        let about = alarm::About::principal(ctx.principal());
        let detail = "第二因素连续错误，已锁定";
        alarm::raise(ctx.app(), alarm::Kind::BruteForce, about, detail).await;
    }
    Ok(())
}

async fn prove(identity: &Identity, ctx: &Ctx, body: Proof) -> Result<StatusCode> {
    let known =
        login::check(identity, ctx.app(), (ctx.actor(), &body.password, ctx.origin())).await;
    let known = known.map_err(|problem| match problem {
        Problem::LoginRefused(_) => Problem::invalid("password", "口令不正确"),
        other => other,
    })?;
    let mut tx = ctx.begin().await?;
    if known.factors > 0 {
        attempts::require_open(ctx.app(), &mut tx, Guess::Factor(ctx.actor())).await?;
        let shown =
            Shown { code: body.code, recovery: None, webauthn: body.webauthn, sm2: body.sm2 };
        if let Err(problem) = check_factor(identity, ctx, &mut tx, &shown).await {
            drop(tx);
            wrong_factor(identity, ctx).await?;
            return Err(problem);
        }
    }
    session::renew_proof(ctx, &mut tx).await?;
    factor::note(ctx, &mut tx, "proved", json!({}));
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn activate(
    identity: &Identity,
    app: &App,
    origin: &Origin,
    body: Activate,
) -> Result<Json<Value>> {
    identity.throttle().take(origin.address, app.now().as_millisecond())?;
    let gone =
        || Problem::Gone(String::from("激活链接无效、已使用或已过期，请联系系统管理员重新发放"));
    let ctx = app.on_own_behalf("activation");
    let mut tx = ctx.snapshot().await?;
    let sql = Sql::new(
        "SELECT v.account_id, a.user_name, a.state FROM activation v \
         JOIN account a ON a.id = v.account_id \
         WHERE v.digest = $1 AND v.used_at IS NULL AND v.expires_at > $2",
    );
    let sql = sql.arg(account::token_digest(&body.token)).arg(ctx.now_ms());
    let row = tx.fetch_one(sql).await?.ok_or_else(gone)?;
    let (id, user) = (row.text(0)?, row.text(1)?);
    let known = rights::by_user_name(app, &mut tx, user).await?.ok_or_else(gone)?;
    let ctx = ctx.signing_as(Some(&known.principal), origin.clone());
    if !matches!(row.text(2)?, "invited" | "active") {
        return Err(gone());
    }
    drop(tx);
    let verifier = login::stretch_password(identity, app, (id, &body.password)).await?;
    let mut tx = ctx.begin().await?;
    login::set_password(&ctx, &mut tx, (id, verifier)).await?;
    let sql = Sql::new("UPDATE activation SET used_at = $1 WHERE digest = $2 AND used_at IS NULL");
    let used = tx.execute(sql.arg(ctx.now_ms()).arg(account::token_digest(&body.token))).await?;
    if used == 0 {
        return Err(gone());
    }
    let sql = Sql::new(
        "UPDATE account SET state = 'active', version = version + 1, updated_at = $1, updated_by = $2 \
         WHERE id = $3 AND state = 'invited'",
    );
    tx.execute(sql.arg(ctx.now_ms()).arg(user).arg(id)).await?;
    seal::account(&ctx, &mut tx, id).await?;
    attempts::forget(app, &mut tx, user)?;
    let entry =
        audit::Entry { action: "activated", entity: "account", record: id, body: json!({}) };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok(Json(json!({ "user": user })))
}

fn leaving(identity: &Identity) -> Vec<Route> {
    let (for_password, for_list) = (identity.clone(), identity.clone());
    let change = move |ctx: Ctx, Body(body): Body<NewPassword>| async move {
        change_password(&for_password, &ctx, body).await
    };
    let sessions = move |ctx: Ctx| async move {
        let mut tx = ctx.snapshot().await?;
        let account = ctx.principal().account.clone();
        session::list(&for_list, &ctx, &mut tx, Some(&account)).await.map(Json)
    };
    let revoke = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        let account = ctx.principal().account.clone();
        session::revoke(&ctx, &mut tx, (&id, Some(&account))).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    vec![
        Route::new((Method::DELETE, "/api/v1/session"), Access::SignedIn, "退出", leaving::leave)
            .query(&[Param {
                name: "keep",
                label: "outbox：留下现场页未发的记录",
                required: false,
            }])
            .partial(),
        Route::new((Method::POST, "/api/v1/me/password"), Access::SignedIn, "修改口令", change)
            .takes(Shape::of::<NewPassword>())
            .partial(),
        Route::new((Method::GET, "/api/v1/me/sessions"), Access::SignedIn, "我的会话", sessions),
        Route::new(
            (Method::DELETE, "/api/v1/me/sessions/{id}"),
            Access::SignedIn,
            "结束我的会话",
            revoke,
        ),
    ]
}

async fn change_password(identity: &Identity, ctx: &Ctx, body: NewPassword) -> Result<StatusCode> {
    if matches!(ctx.principal().standing, Standing::SecondFactor) {
        return Err(Problem::SecondFactor("请先完成第二因素验证"));
    }
    let known = login::check(identity, ctx.app(), (ctx.actor(), &body.old, ctx.origin())).await;
    let known = known.map_err(|problem| match problem {
        Problem::LoginRefused(_) => Problem::invalid("old", "现口令不正确"),
        other => other,
    })?;
    let account = known.principal.account.as_str();
    let verifier = login::stretch_password(identity, ctx.app(), (account, &body.new)).await;
    let verifier = verifier.map_err(|problem| match problem {
        Problem::Invalid(errors) => Problem::invalid("new", errors[0].detail.clone()),
        other => other,
    })?;
    let mut tx = ctx.begin().await?;
    login::set_password(ctx, &mut tx, (account, verifier)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn factors(identity: &Identity) -> Vec<Route> {
    let for_totp = identity.clone();
    let list = |ctx: Ctx| async move {
        let mut tx = ctx.snapshot().await?;
        factor::list(&mut tx, &ctx.principal().account).await.map(Json)
    };
    let begin = |ctx: Ctx, Body(body): Body<NewTotp>| async move {
        may_bind(&ctx)?;
        let algorithm = match body.algorithm.as_deref() {
            None | Some("SHA1") => Algorithm::Sha1,
            Some("SM3") => Algorithm::Sm3,
            Some(_) => return Err(Problem::invalid("algorithm", "应为 SHA1 或 SM3")),
        };
        let name = sound_name(&body.name)?;
        let mut tx = ctx.begin().await?;
        let made = factor::begin_totp(&ctx, &mut tx, (name, algorithm)).await?;
        tx.commit().await?;
        Ok::<_, Problem>((StatusCode::CREATED, Json(made)))
    };
    let confirm = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Code>| async move {
        may_bind(&ctx)?;
        let mut tx = ctx.begin().await?;
        factor::confirm_totp(&ctx, &mut tx, (&id, body.code.trim())).await?;
        bound(&for_totp, &ctx, tx, "totp").await
    };
    let recover = |ctx: Ctx| async move {
        let mut tx = ctx.begin().await?;
        let codes = factor::recovery_codes(&ctx, &mut tx).await?;
        factor::note(&ctx, &mut tx, "recovery_codes_made", json!({}));
        tx.commit().await?;
        Ok::<_, Problem>(Json(json!({ "recovery_codes": codes })))
    };
    let remove = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        let account = ctx.principal().account.clone();
        let sql =
            Sql::new("DELETE FROM factor WHERE id = $1 AND account_id = $2 AND kind <> 'recovery'");
        if tx.execute(sql.arg(id.as_str()).arg(account)).await? == 0 {
            return Err(Problem::NotFound("第二因素"));
        }
        rights::changed(&mut tx);
        factor::note(&ctx, &mut tx, "factor_removed", json!({ "factor": id }));
        tx.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    };
    let own = "/api/v1/me/factors";
    let mut routes = key_routes(identity, own);
    routes.extend([
        Route::new((Method::GET, own), Access::SignedIn, "我的第二因素", list).partial(),
        Route::new((Method::POST, format!("{own}/totp")), Access::SignedIn, "绑定动态口令", begin)
            .takes(Shape::of::<NewTotp>())
            .partial(),
        Route::new(
            (Method::POST, format!("{own}/{{id}}/confirm")),
            Access::SignedIn,
            "确认动态口令",
            confirm,
        )
        .takes(Shape::of::<Code>())
        .partial(),
        Route::new(
            (Method::POST, format!("{own}/recovery")),
            Access::SignedIn,
            "重新生成恢复码",
            recover,
        )
        .fresh(),
        Route::new(
            (Method::DELETE, format!("{own}/{{id}}")),
            Access::SignedIn,
            "解除第二因素",
            remove,
        )
        .fresh(),
    ]);
    routes
}

/// Security keys and SM2 certificates.
fn key_routes(identity: &Identity, own: &str) -> Vec<Route> {
    let (for_challenge, for_key, for_certificate) =
        (identity.clone(), identity.clone(), identity.clone());
    let ask = move |ctx: Ctx, Body(body): Body<Wanted>| async move {
        let mut tx = ctx.begin().await?;
        let asked = match body.kind.as_str() {
            "webauthn" => passkey::begin_showing(&ctx, &mut tx).await?,
            "sm2" if for_challenge.authorities().any() => certificate::begin(&ctx, &mut tx).await?,
            "sm2" => return Err(Problem::Conflict(String::from("平台没有配置国密证书机构"))),
            _ => return Err(Problem::invalid("kind", "应为 webauthn 或 sm2")),
        };
        tx.commit().await?;
        Ok::<_, Problem>(Json(asked))
    };
    let begin = |ctx: Ctx, Body(body): Body<Named>| async move {
        may_bind(&ctx)?;
        let mut tx = ctx.begin().await?;
        let asked = passkey::begin_binding(&ctx, &mut tx, sound_name(&body.name)?).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(asked))
    };
    let finish = move |ctx: Ctx, Body(body): Body<Credential>| async move {
        may_bind(&ctx)?;
        let mut tx = ctx.begin().await?;
        let shown = (body.challenge.as_str(), &body.credential);
        passkey::finish_binding(&ctx, &mut tx, shown).await?;
        bound(&for_key, &ctx, tx, "webauthn").await
    };
    let certify = move |ctx: Ctx, Body(body): Body<NewCertificate>| async move {
        may_bind(&ctx)?;
        let mut tx = ctx.begin().await?;
        let shown = (sound_name(&body.name)?, &body.sm2);
        certificate::bind(&ctx, &mut tx, for_certificate.authorities(), shown).await?;
        bound(&for_certificate, &ctx, tx, "sm2").await
    };
    let mine = || Access::SignedIn;
    let at = |tail: &str| (Method::POST, format!("{own}/{tail}"));
    vec![
        Route::new((Method::POST, "/api/v1/session/challenge"), mine(), "请求验证第二因素", ask)
            .takes(Shape::of::<Wanted>())
            .partial(),
        Route::new(at("webauthn"), mine(), "绑定安全密钥", begin)
            .takes(Shape::of::<Named>())
            .partial(),
        Route::new(at("webauthn/finish"), mine(), "确认安全密钥", finish)
            .takes(Shape::of::<Credential>())
            .partial(),
        Route::new(at("sm2"), mine(), "绑定国密证书", certify)
            .takes(Shape::of::<NewCertificate>())
            .partial(),
    ]
}

/// Second factors of one account, recovery codes apart.
const FACTORS_MAX: i64 = 10;

/// A factor was just bound: the session has shown it, and gets another token.
async fn bound(identity: &Identity, ctx: &Ctx, mut tx: Tx, kind: &str) -> Result<Response> {
    let sql = Sql::new("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind <> 'recovery'");
    let count = tx.fetch_one(sql.arg(ctx.principal().account.as_str())).await?;
    if count.map_or(Ok(0), |row| row.int(0))? > FACTORS_MAX {
        let detail = format!("至多绑定 {FACTORS_MAX} 个第二因素，请先解除不用的");
        return Err(Problem::Conflict(detail));
    }
    let codes = factor::first_recovery_codes(ctx, &mut tx).await?;
    let opened = session::elevate(identity, ctx, &mut tx, kind).await?;
    tx.commit().await?;
    let mut response =
        Json(json!({ "csrf": opened.csrf, "recovery_codes": codes })).into_response();
    set_cookie(&mut response, &opened.token, "");
    Ok(response)
}

fn sound_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if (1..=40).contains(&name.chars().count()) {
        Ok(name)
    } else {
        Err(Problem::invalid("name", "名称应为 1 至 40 个字"))
    }
}

/// The first factor is bound with the password alone, further ones by those who have just shown
/// what they have.
fn may_bind(ctx: &Ctx) -> Result<()> {
    match ctx.principal().standing {
        Standing::NoSecondFactor => Ok(()),
        Standing::Full if ctx.now_ms() - ctx.principal().proved_at <= ctx.app().fresh_ms() => {
            Ok(())
        }
        Standing::Full => Err(Problem::StepUp),
        Standing::SecondFactor => Err(Problem::SecondFactor("请先完成第二因素验证")),
        Standing::PasswordExpired => Err(Problem::PasswordExpired),
    }
}
