//! The doors of single sign-on.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use yj_kernel::{
    Access, App, Credentials, Ctx, Origin, Principal, Problem, Result, Route, Sql, audit,
};

use super::set_cookie;
use crate::{
    Identity,
    oidc::{
        application, jwt,
        provider::{self, Refusal, Request},
        relying,
    },
    session,
};

/// Cookie that ties a log-in through another provider to this browser.
const STATE_COOKIE: &str = "__Host-yj-sso";

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let mut routes = provider_routes(identity);
    routes.extend(relying_routes(identity));
    routes
}

/// Whether a route belongs to browsers on their way between sites.
const STANDARD: &str = "OpenID Connect 规定的公开端点";

fn provider_routes(identity: &Identity) -> Vec<Route> {
    let (for_code, for_info, for_logout) = (identity.clone(), identity.clone(), identity.clone());
    let configuration = |app: App| async move { Json(provider::configuration(&app)) };
    let keys = |app: App| async move { jwt::public_keys(&app).await.map(Json) };
    let authorize = move |app: App, uri: Uri, headers: HeaderMap, origin: Origin| async move {
        authorize(&for_code, &app, (&uri, &headers, &origin)).await
    };
    let info = move |app: App, headers: HeaderMap| async move {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(Problem::Unauthenticated)?;
        provider::user_info(&for_info, &app, token).await.map(Json)
    };
    let logout = move |app: App, uri: Uri, headers: HeaderMap, origin: Origin| async move {
        logout(&for_logout, &app, (&uri, &headers, &origin)).await
    };
    let secret = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.begin().await?;
        let (client_id, secret) = application::new_secret(&ctx, &mut tx, &id).await?;
        tx.commit().await?;
        Ok::<_, Problem>(Json(json!({ "client_id": client_id, "secret": secret })))
    };
    let get = |path: &str| (Method::GET, String::from(path));
    vec![
        Route::public(
            get("/.well-known/openid-configuration"),
            STANDARD,
            "单点登录配置",
            configuration,
        ),
        Route::public(get("/oidc/jwks"), STANDARD, "单点登录公钥", keys),
        Route::public(get("/oidc/authorize"), STANDARD, "单点登录授权", authorize),
        Route::public(get("/oidc/userinfo"), STANDARD, "单点登录用户信息", info),
        Route::public(get("/oidc/logout"), STANDARD, "单点退出", logout),
        Route::new(
            (Method::POST, "/api/v1/application/{id}/secret"),
            Access::permission("application:write"),
            "生成接入应用密钥",
            secret,
        )
        .fresh(),
    ]
}

/// Who the browser belongs to.
async fn browser(
    identity: &Identity,
    app: &App,
    (uri, headers, origin): (&Uri, &HeaderMap, &Origin),
) -> Result<Option<Principal>> {
    let method = &Method::GET;
    let credentials = Credentials { method, uri, headers, body: None, origin };
    session::authenticate(identity, app, credentials).await
}

fn to(address: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(value) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An address with more in its query.
fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mark = if address.contains('?') { '&' } else { '?' };
    format!("{address}{mark}{query}")
}

fn refuse(app: &App, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Here(problem) => problem.into_response(),
        Refusal::There { redirect_uri, state, error, detail } => {
            let mut pairs = vec![("error", error), ("error_description", detail)];
            pairs.extend(state.as_deref().map(|state| ("state", state)));
            pairs.push(("iss", provider::issuer(app)));
            to(&with_query(&redirect_uri, &pairs))
        }
    }
}

async fn authorize(
    identity: &Identity,
    app: &App,
    (uri, headers, origin): (&Uri, &HeaderMap, &Origin),
) -> Result<Response> {
    let query = uri.query().unwrap_or_default();
    let mut tx = app.db().snapshot().await?;
    let request = match Request::read(&mut tx, query).await {
        Ok(request) => request,
        Err(refusal) => return Ok(refuse(app, refusal)),
    };
    drop(tx);
    let found = browser(identity, app, (uri, headers, origin)).await?;
    let Some(principal) = found.filter(|found| provider::is_complete(found.standing)) else {
        if request.silent {
            return Ok(refuse(app, request.login_required()));
        }
        // Back here once they are in.
        let back = encoded(&format!("/oidc/authorize?{query}"));
        return Ok(to(&format!("/console/login?to={back}")));
    };
    let whose = (principal.account.as_str(), principal.session.as_str());
    let code = provider::grant_code(app, &request, whose).await?;
    let mut pairs = vec![("code", code.as_str())];
    pairs.extend(request.state.as_deref().map(|state| ("state", state)));
    pairs.push(("iss", provider::issuer(app)));
    Ok(to(&with_query(&request.redirect_uri, &pairs)))
}

/// Ends the session that an application's hint names, and tells all other applications.
async fn logout(
    identity: &Identity,
    app: &App,
    (uri, headers, origin): (&Uri, &HeaderMap, &Origin),
) -> Result<Response> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let field =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let hint = match field("id_token_hint") {
        Some(token) => jwt::read_own(app, provider::issuer(app), token).await,
        None => None,
    };
    let hint = hint.ok_or_else(|| {
        Problem::invalid("id_token_hint", "请带上本平台发出的身份令牌；或在平台内点“退出”")
    })?;
    let mut target = String::from("/console/login");
    if let Some(wanted) = field("post_logout_redirect_uri") {
        let client = hint["aud"].as_str().unwrap_or_default();
        let mut tx = app.db().snapshot().await?;
        let found = application::find(&mut tx, client).await?;
        if !found.is_some_and(|found| provider::leaves_to(&found, wanted)) {
            return Err(Problem::invalid("post_logout_redirect_uri", "退出后返回地址没有登记"));
        }
        let state: Vec<_> = field("state").map(|state| ("state", state)).into_iter().collect();
        target = if state.is_empty() { String::from(wanted) } else { with_query(wanted, &state) };
    }
    let mut response = to(&target);
    if let Some(principal) = browser(identity, app, (uri, headers, origin)).await?
        && hint["sid"].as_str() == Some(&provider::sid(&principal.session))
    {
        let ctx = app.on_own_behalf("oidc").signing_as(Some(&principal), origin.clone());
        let mut tx = ctx.begin().await?;
        tx.later([Sql::new("DELETE FROM session WHERE id = $1").arg(principal.session.as_str())]);
        let record = principal.account.as_str();
        let body = json!({ "application": hint["aud"] });
        let entry = audit::Entry { action: "logged_out", entity: "account", record, body };
        audit::write(&ctx, &mut tx, entry);
        tx.commit().await?;
        set_cookie(&mut response, "", "; Max-Age=0");
    }
    Ok(response)
}

fn relying_routes(identity: &Identity) -> Vec<Route> {
    let (for_state, for_begin, for_end) = (identity.clone(), identity.clone(), identity.clone());
    let state = move |app: App| async move {
        let sso = for_state.single_sign_on();
        let apply = app.offers("subject_application:read");
        Json(json!({ "on": sso.is_on(), "label": sso.label, "apply": apply }))
    };
    let begin = move |app: App, RawQuery(query): RawQuery| async move {
        begin(&for_begin, &app, &query.unwrap_or_default()).await
    };
    let end = move |app: App, uri: Uri, headers: HeaderMap, origin: Origin| async move {
        end(&for_end, &app, (&uri, &headers, &origin)).await
    };
    let why = "经上级身份提供方登录，此前无人已登录";
    vec![
        Route::public((Method::GET, "/api/v1/sso"), why, "可用的登录与注册方式", state),
        Route::public((Method::GET, "/sso/login"), why, "经统一身份认证登录", begin),
        Route::public((Method::GET, "/sso/callback"), why, "统一身份认证回调", end),
    ]
}

/// Only ways inside this platform are gone after log-in.
fn own_target(text: Option<&str>) -> &str {
    match text {
        // Browsers read `\` as `/` and leave control characters out.
        Some(text)
            if text.starts_with('/')
                && !text.starts_with("//")
                && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') =>
        {
            text
        }
        _ => "/console/",
    }
}

async fn begin(identity: &Identity, app: &App, query: &str) -> Result<Response> {
    let sso = identity.single_sign_on();
    if !sso.is_on() {
        return Err(Problem::NotFound("统一身份认证"));
    }
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to");
    let wanted = wanted.map(|(_, text)| text.into_owned());
    let (address, state) = relying::begin(sso, app, own_target(wanted.as_deref())).await?;
    let mut response = to(&address);
    put_state(&mut response, &state, 600);
    Ok(response)
}

fn put_state(response: &mut Response, state: &str, seconds: u32) {
    let cookie = format!(
        "{STATE_COOKIE}={state}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={seconds}"
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

async fn end(
    identity: &Identity,
    app: &App,
    (uri, headers, origin): (&Uri, &HeaderMap, &Origin),
) -> Result<Response> {
    let sso = identity.single_sign_on();
    if !sso.is_on() {
        return Err(Problem::NotFound("统一身份认证"));
    }
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
    let state = cookies.and_then(|cookies| session::cookie(cookies, STATE_COOKIE));
    let came = (uri.query().unwrap_or_default(), state, origin);
    let finished = relying::finish((identity, sso), app, came).await;
    if let Err(problem) = &finished {
        let reason = problem.to_string();
        let what = ("login_refused", "/sso/callback", reason.as_str());
        crate::note_stranger(app, origin, what).await?;
    }
    let (opened, target) = finished?;
    let mut response = to(&target);
    set_cookie(&mut response, &opened.token, "");
    put_state(&mut response, "", 0);
    Ok(response)
}
