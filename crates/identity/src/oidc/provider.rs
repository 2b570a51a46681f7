//! The provider: codes, tokens, and what is told about whoever has logged in.

use serde_json::{Value, json};
use yj_kernel::{App, Problem, Result, Sql, Standing, Tx, audit};

use super::{
    application::{self, Connected},
    challenge_of, digest, jwt, secret,
};
use crate::{Identity, rights::Known};

const CODE_MS: i64 = 60_000;
const ACCESS_MS: i64 = 15 * 60_000;
const REFRESH_MS: i64 = 12 * 3_600_000;
const ID_TOKEN_S: i64 = 5 * 60;

/// The issuer: where the platform is reached.
pub(crate) fn issuer(app: &App) -> &str {
    app.platform().public_url.trim_end_matches('/')
}

/// `/.well-known/openid-configuration`
pub(crate) fn configuration(app: &App) -> Value {
    let issuer = issuer(app);
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oidc/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "userinfo_endpoint": format!("{issuer}/oidc/userinfo"),
        "jwks_uri": format!("{issuer}/oidc/jwks"),
        "end_session_endpoint": format!("{issuer}/oidc/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "offline_access"],
        "claims_supported": [
            "sub", "sid", "auth_time", "nonce", "amr", "name", "preferred_username", "organization",
        ],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "authorization_response_iss_parameter_supported": true,
    })
}

/// A request for a code, checked as far as it can be without knowing who asks.
pub(crate) struct Request {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    nonce: Option<String>,
    challenge: String,
    scope: String,
    pub(crate) silent: bool,
}

/// Why a request for a code is refused: on a page of ours, or to the application.
pub(crate) enum Refusal {
    /// The application or its address is wrong: nothing is sent there.
    Here(Problem),
    /// `error` and a word about it, to the application.
    There {
        /// Where.
        redirect_uri: String,
        /// What the application sent along.
        state: Option<String>,
        /// RFC 6749 §4.1.2.1
        error: &'static str,
        /// In words.
        detail: &'static str,
    },
}

impl Request {
    pub(crate) async fn read(tx: &mut Tx, query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let field = |name: &str| {
            pairs.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone())
        };
        let wrong = |name: &str, detail: &str| Refusal::Here(Problem::invalid(name, detail));
        let client_id = field("client_id").unwrap_or_default();
        let found = application::find(tx, &client_id).await.map_err(Refusal::Here)?;
        let application = found.ok_or_else(|| wrong("client_id", "没有这个接入应用，或已停用"))?;
        let redirect_uri = field("redirect_uri").unwrap_or_default();
        if !application.may_return_to(&redirect_uri) {
            return Err(wrong("redirect_uri", "回调地址与登记的不一致"));
        }
        let state = field("state");
        let there = |error, detail| Refusal::There {
            redirect_uri: redirect_uri.clone(),
            state: state.clone(),
            error,
            detail,
        };
        if field("response_type").as_deref() != Some("code") {
            return Err(there("unsupported_response_type", "只支持 code"));
        }
        let scope = field("scope").unwrap_or_default();
        if !scope.split(' ').any(|one| one == "openid") {
            return Err(there("invalid_scope", "scope 应含 openid"));
        }
        let challenge = field("code_challenge").unwrap_or_default();
        if field("code_challenge_method").as_deref() != Some("S256") || challenge.len() != 43 {
            return Err(there("invalid_request", "必须使用 PKCE，code_challenge_method 为 S256"));
        }
        Ok(Self {
            client_id,
            state,
            nonce: field("nonce"),
            challenge,
            scope,
            silent: field("prompt").as_deref() == Some("none"),
            redirect_uri,
        })
    }

    /// To the application: somebody has to log in first, and it asked not to be shown that.
    pub(crate) fn login_required(&self) -> Refusal {
        Refusal::There {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            error: "login_required",
            detail: "尚未登录",
        }
    }
}

/// Makes a code for whoever is signed in.
pub(crate) async fn grant_code(
    app: &App,
    request: &Request,
    (account, session): (&str, &str),
) -> Result<String> {
    let code = secret(app);
    let ctx = app.on_own_behalf("oidc");
    let mut tx = ctx.begin().await?;
    let now = ctx.now_ms();
    tx.later([Sql::new("DELETE FROM oidc_grant WHERE expires_at < $1").arg(now - REFRESH_MS)]);
    let details = json!({
        "redirect_uri": request.redirect_uri, "nonce": request.nonce,
        "challenge": request.challenge, "scope": request.scope,
    });
    keep(
        &mut tx,
        ("code", &code, &ctx.new_id::<()>().to_string()),
        (&request.client_id, account, session),
        &details,
        (now, CODE_MS),
    );
    let sql = Sql::new(
        "INSERT INTO oidc_visit (session_id, client_id, account_id, sid, begun_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session_id, client_id) DO NOTHING",
    );
    let sid = sid(session);
    tx.later([sql.arg(session).arg(request.client_id.as_str()).arg(account).arg(sid).arg(now)]);
    let body = json!({ "application": request.client_id });
    audit::write(
        &ctx,
        &mut tx,
        audit::Entry { action: "signed_on", entity: "account", record: account, body },
    );
    tx.commit().await?;
    Ok(code)
}

/// The session's name among applications; tells nothing about its token.
pub(crate) fn sid(session: &str) -> String {
    digest("sid", session)[..32].into()
}

fn keep(
    tx: &mut Tx,
    (kind, secret, family): (&'static str, &str, &str),
    (client_id, account, session): (&str, &str, &str),
    details: &Value,
    (now, life): (i64, i64),
) {
    let sql = Sql::new(
        "INSERT INTO oidc_grant (digest, kind, family, client_id, account_id, session_id, details, \
         created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    let sql = sql.arg(digest(kind, secret)).arg(kind).arg(family).arg(client_id).arg(account);
    tx.later([sql.arg(session).arg(details.to_string()).arg(now).arg(now + life)]);
}

/// Why the token endpoint refuses, as RFC 6749 §5.2 words it.
pub(crate) enum TokenRefusal {
    /// `invalid_client`
    Client,
    /// `invalid_grant`
    Grant(&'static str),
    /// Anything else.
    Problem(Problem),
}

impl From<Problem> for TokenRefusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What is shown to the token endpoint.
pub(crate) struct Shown<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: Option<&'a str>,
    /// The code or refresh token.
    pub(crate) grant: &'a str,
    /// With a code only.
    pub(crate) redirect_uri: Option<&'a str>,
    /// With a code only.
    pub(crate) verifier: Option<&'a str>,
}

/// Exchanges a code or a refresh token.
pub(crate) async fn exchange(
    identity: &Identity,
    app: &App,
    (kind, shown): (&'static str, Shown<'_>),
) -> Result<Value, TokenRefusal> {
    let ctx = app.on_own_behalf("oidc");
    let mut tx = ctx.begin().await?;
    let application = application::find(&mut tx, shown.client_id).await?;
    let application = application.ok_or(TokenRefusal::Client)?;
    if !application.proves(app, shown.client_secret)? {
        return Err(TokenRefusal::Client);
    }
    let refused = || TokenRefusal::Grant("授权码或刷新令牌无效、已使用或已过期");
    let mut sql = Sql::new(
        "SELECT family, account_id, session_id, details, expires_at, used_at FROM oidc_grant \
         WHERE kind = $1 AND digest = $2 AND client_id = $3",
    )
    .arg(kind)
    .arg(digest(kind, shown.grant))
    .arg(shown.client_id);
    let for_update = tx.dialect().for_update();
    sql.push(for_update);
    let row = tx.fetch_one(sql).await?.ok_or_else(refused)?;
    let family = String::from(row.text(0)?);
    if row.int_opt(5)?.is_some() {
        // Shown twice: one of the two is a thief. Everything that grew from it ends (RFC 9700 §4.14).
        for table in ["oidc_grant", "access_token"] {
            let mut sql = Sql::new("DELETE FROM ");
            sql.push(table).push(" WHERE family = ").bind(family.as_str());
            tx.execute(sql).await?;
        }
        let body = json!({ "client_id": shown.client_id, "kind": kind });
        let entry = audit::Entry {
            action: "grant_shown_twice",
            entity: "account",
            record: row.text(1)?,
            body,
        };
        audit::write_as(&ctx, &mut tx, ("", audit::Ending::Refused), entry);
        tx.commit().await?;
        return Err(refused());
    }
    let details: Value = row.json(3)?;
    let (account, session) = (String::from(row.text(1)?), String::from(row.text(2)?));
    if row.int(4)? < ctx.now_ms() {
        return Err(refused());
    }
    if kind == "code" {
        let right = details["redirect_uri"].as_str() == shown.redirect_uri
            && shown.verifier.is_some_and(|verifier| {
                (43..=128).contains(&verifier.len())
                    && details["challenge"].as_str() == Some(&challenge_of(verifier))
            });
        if !right {
            return Err(TokenRefusal::Grant("redirect_uri 或 code_verifier 不符"));
        }
    }
    let live = Sql::new("SELECT created_at, factor FROM session WHERE id = $1");
    let live = tx.fetch_one(live.arg(session.as_str())).await?.ok_or_else(refused)?;
    let (auth_time, factor) = (live.int(0)? / 1_000, String::from(live.text(1)?));
    let used = Sql::new("UPDATE oidc_grant SET used_at = $1 WHERE digest = $2");
    tx.later([used.arg(ctx.now_ms()).arg(digest(kind, shown.grant))]);
    let access = secret(app);
    let whose = (shown.client_id, account.as_str(), session.as_str());
    let sql = Sql::new(
        "INSERT INTO access_token (token_digest, client_id, account_id, created_at, expires_at, \
         session_id, family) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let sql = sql.arg(digest("access", &access)).arg(format!("oidc:{}", shown.client_id));
    let sql = sql.arg(account.as_str()).arg(ctx.now_ms()).arg(ctx.now_ms() + ACCESS_MS);
    tx.later([sql.arg(session.as_str()).arg(family.as_str())]);
    let body = json!({ "client_id": shown.client_id, "kind": kind });
    let entry = audit::Entry { action: "token_granted", entity: "account", record: &account, body };
    audit::write(&ctx, &mut tx, entry);
    let scope = details["scope"].as_str().unwrap_or_default();
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": ACCESS_MS / 1_000, "scope": scope,
    });
    if scope.split(' ').any(|one| one == "offline_access") {
        let refresh = secret(app);
        keep(&mut tx, ("refresh", &refresh, &family), whose, &details, (ctx.now_ms(), REFRESH_MS));
        answer["refresh_token"] = json!(refresh);
    }
    tx.commit().await?;
    let known = known(identity, app, &account).await?.ok_or_else(refused)?;
    let now = ctx.now.as_second();
    let mut claims = profile(&known);
    claims["iss"] = json!(issuer(app));
    claims["aud"] = json!(shown.client_id);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + ID_TOKEN_S);
    claims["auth_time"] = json!(auth_time);
    claims["sid"] = json!(sid(&session));
    claims["amr"] = if factor.is_empty() { json!(["pwd"]) } else { json!(["pwd", "mfa"]) };
    if let Some(nonce) = details["nonce"].as_str() {
        claims["nonce"] = json!(nonce);
    }
    answer["id_token"] = json!(jwt::sign(app, "JWT", &claims).await?);
    Ok(answer)
}

/// An account that may be used now.
async fn known(
    identity: &Identity,
    app: &App,
    account: &str,
) -> Result<Option<std::sync::Arc<Known>>> {
    let mut tx = app.db().snapshot().await?;
    let epoch = Sql::new("SELECT value FROM access_epoch WHERE id = 1");
    let epoch = tx.fetch_one(epoch).await?.map_or(Ok(0), |row| row.int(0))?;
    let found = identity.memory().of(app, &mut tx, (account, epoch)).await?;
    Ok(found.filter(|known| known.usable(identity.settings(), app.now()).is_ok()))
}

fn profile(known: &Known) -> Value {
    let principal = &known.principal;
    json!({
        "sub": principal.account, "name": principal.name,
        "preferred_username": principal.user, "organization": principal.organization,
    })
}

/// `/oidc/userinfo`
pub(crate) async fn user_info(identity: &Identity, app: &App, token: &str) -> Result<Value> {
    let mut tx = app.db().snapshot().await?;
    let sql =
        // Worth nothing once the session it came from has ended.
        Sql::new(
            "SELECT t.account_id FROM access_token t JOIN session s ON s.id = t.session_id \
             WHERE t.token_digest = $1 AND t.expires_at > $2",
        );
    let sql = sql.arg(digest("access", token)).arg(app.now().as_millisecond());
    let row = tx.fetch_one(sql).await?.ok_or(Problem::Unauthenticated)?;
    let account = String::from(row.text(0)?);
    drop(tx);
    let known = known(identity, app, &account).await?.ok_or(Problem::Unauthenticated)?;
    Ok(profile(&known))
}

/// Whether somebody has shown everything that their account demands.
pub(crate) fn is_complete(standing: Standing) -> bool {
    standing == Standing::Full
}

/// Whether an application may send people there after log-out.
pub(crate) fn leaves_to(application: &Connected, uri: &str) -> bool {
    application.may_leave_to(uri)
}
