//! Clients' secrets, and the token endpoint of OAuth 2.0 (RFC 6749 §4.4).

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, App, Body, Ctx, Origin, Problem, Result, Route, Scoping, Shape, Sql, Tx};

use crate::{
    CLIENT, Identity, client,
    oidc::provider::{self, Shown, TokenRefusal},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// 旧密钥是否立即失效；缺省一天后失效
    #[serde(default)]
    at_once: bool,
}

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let identity = identity.clone();
    let token = move |app: App, origin: Origin, headers: HeaderMap, body: Bytes| async move {
        token(&identity, &app, (&headers, &body, &origin)).await
    };
    let rotate = |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Rotation>| async move {
        let mut tx = ctx.begin().await?;
        let client_id = reach(&ctx, &mut tx, &id).await?;
        let secret = client::new_secret(&ctx, &mut tx, (&client_id, body.at_once)).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(json!({ "client_id": client_id, "secret": secret })))
    };
    let revoke = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        let client_id = reach(&ctx, &mut tx, &id).await?;
        client::revoke(&ctx, &mut tx, &client_id).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let approve = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        let client_id = reach(&ctx, &mut tx, &id).await?;
        client::approve(&ctx, &mut tx, &client_id).await?;
        tx.commit().await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    let write = || Access::permission("client:write");
    vec![
        Route::new(
            (Method::POST, "/api/v1/client/{id}/secret"),
            write(),
            "生成或轮换客户端密钥",
            rotate,
        )
        .takes(Shape::of::<Rotation>())
        .fresh(),
        Route::new((Method::POST, "/api/v1/client/{id}/revoke"), write(), "吊销客户端", revoke),
        Route::new(
            (Method::POST, "/api/v1/client/{id}/approve"),
            Access::permission("client:approve"),
            "批准客户端与新密钥",
            approve,
        ),
        Route::public(
            (Method::POST, "/oauth/token"),
            "客户端凭密钥换取访问令牌，此前无人已登录",
            "换取访问令牌",
            token,
        )
        .takes(Shape::Bytes("application/x-www-form-urlencoded")),
    ]
}

/// The name of a client within reach.
async fn reach(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<String> {
    let mut sql = Sql::new("SELECT client_id, state FROM client WHERE id = ");
    sql.bind(id);
    let Scoping::By(columns) = CLIENT.scoping else {
        return Err(Problem::NotFound("接口客户端"));
    };
    ctx.scope().narrow(&mut sql, tx, Scoping::By(columns));
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("接口客户端"))?;
    if row.text(1)? != "active" {
        return Err(Problem::Conflict(String::from("该客户端已吊销")));
    }
    Ok(String::from(row.text(0)?))
}

/// Failing to note it changes nothing about the refusal.
async fn note_refused(app: &App, origin: &Origin, reason: &str) {
    let what = ("token_refused", "/oauth/token", reason);
    if let Err(problem) = crate::note_stranger(app, origin, what).await {
        problem.log();
    }
}

/// An error as RFC 6749 §5.2 words it.
fn refusal(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = json!({ "error": code, "error_description": detail });
    (status, Json(body)).into_response()
}

async fn token(
    identity: &Identity,
    app: &App,
    (headers, body, origin): (&HeaderMap, &Bytes, &Origin),
) -> Response {
    let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let field =
        |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let basic = basic(headers);
    let kind = match field("grant_type") {
        Some("client_credentials") => None,
        Some("authorization_code") => Some(("code", field("code"))),
        Some("refresh_token") => Some(("refresh", field("refresh_token"))),
        _ => {
            let detail = "grant_type 应为 client_credentials、authorization_code 或 refresh_token";
            return refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", detail);
        }
    };
    if let Some((kind, grant)) = kind {
        if let Err(problem) = identity.throttle().take(origin.address, app.now().as_millisecond()) {
            return problem.into_response();
        }
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (field("client_id"), field("client_secret")),
        };
        let shown = Shown {
            client_id: id.unwrap_or_default(),
            client_secret: secret,
            grant: grant.unwrap_or_default(),
            redirect_uri: field("redirect_uri"),
            verifier: field("code_verifier"),
        };
        return match provider::exchange(identity, app, (kind, shown)).await {
            Ok(answer) => Json(answer).into_response(),
            Err(TokenRefusal::Client) => {
                note_refused(app, origin, "应用标识或密钥不正确").await;
                refusal(StatusCode::UNAUTHORIZED, "invalid_client", "应用标识或密钥不正确")
            }
            Err(TokenRefusal::Grant(detail)) => {
                note_refused(app, origin, detail).await;
                refusal(StatusCode::BAD_REQUEST, "invalid_grant", detail)
            }
            Err(TokenRefusal::Problem(problem)) => problem.into_response(),
        };
    }
    let shown = match &basic {
        Some((id, secret)) => Some((id.as_str(), secret.as_str())),
        None => field("client_id").zip(field("client_secret")),
    };
    let Some((id, secret)) = shown else {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client", "请出示客户端标识与密钥");
    };
    match client::grant_token(identity, app, (id, secret, origin.address)).await {
        Ok(token) => {
            let answer: Value = json!({
                "access_token": token, "token_type": "Bearer", "expires_in": client::TOKEN_S,
            });
            Json(answer).into_response()
        }
        Err(Problem::LoginRefused(detail)) => {
            note_refused(app, origin, &detail).await;
            refusal(StatusCode::UNAUTHORIZED, "invalid_client", &detail)
        }
        Err(problem) => problem.into_response(),
    }
}

/// `Authorization: Basic …`, with both parts form-encoded (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pairs = format!("x={text}");
        form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, text)| text.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}
