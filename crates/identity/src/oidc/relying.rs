//! The relying party: log-in through the identity provider of the local government cloud. Nobody
//! gets an account that way; whoever has one comes in.

use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{App, Origin, Problem, Result, Sql, audit};

use super::{
    challenge_of, digest, jwt,
    logout::{get_json, post_form},
    provider, secret,
};
use crate::{Identity, login, rights, session::Opened};

/// `[sso]`: an identity provider above us.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SingleSignOn {
    /// Its issuer; empty for none.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// What the button says.
    pub label: String,
    /// Whether its second factor counts for ours (it must say `mfa` in `amr`).
    pub trust_second_factor: bool,
}

impl SingleSignOn {
    /// Whether there is one.
    pub fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), String> {
        let local = self.issuer.starts_with("http://127.0.0.1")
            || self.issuer.starts_with("http://localhost");
        if self.is_on() && !self.issuer.starts_with("https://") && !local {
            return Err(String::from("sso.issuer 应为 https 地址"));
        }
        if self.is_on() && (self.client_id.is_empty() || self.client_secret.is_empty()) {
            return Err(String::from("sso.client_id 与 sso.client_secret 必填"));
        }
        Ok(())
    }
}

const REQUEST_MS: i64 = 10 * 60_000;

fn unreachable(problem: Problem) -> Problem {
    problem.log();
    Problem::Unavailable(String::from("统一身份认证暂不可用，请稍后重试，或用本平台口令登录"))
}

async fn configuration(settings: &SingleSignOn) -> Result<Value> {
    let issuer = settings.issuer.trim_end_matches('/');
    let found = get_json(format!("{issuer}/.well-known/openid-configuration")).await;
    let found = found.map_err(unreachable)?;
    if found["issuer"].as_str().map(|text| text.trim_end_matches('/')) != Some(issuer) {
        return Err(unreachable(Problem::internal(
            "the issuer's configuration names another issuer",
        )));
    }
    Ok(found)
}

fn callback(app: &App) -> String {
    format!("{}/sso/callback", provider::issuer(app))
}

/// Begins a log-in: where the browser goes, and the secret that its cookie must bring back.
pub(crate) async fn begin(
    settings: &SingleSignOn,
    app: &App,
    target: &str,
) -> Result<(String, String)> {
    let found = configuration(settings).await?;
    let endpoint = found["authorization_endpoint"].as_str().unwrap_or_default();
    let (state, nonce, verifier) = (secret(app), secret(app), secret(app));
    let ctx = app.on_own_behalf("sso");
    let mut tx = ctx.begin().await?;
    let now = ctx.now_ms();
    tx.later([Sql::new("DELETE FROM sso_request WHERE expires_at < $1").arg(now)]);
    let sql = Sql::new(
        "INSERT INTO sso_request (state_digest, nonce, verifier, target, expires_at) \
         VALUES ($1, $2, $3, $4, $5)",
    );
    let sealed = app.vault().seal_secret(app, "sso_request", verifier.as_bytes())?;
    let sql = sql.arg(digest("state", &state)).arg(nonce.as_str()).arg(sealed);
    tx.later([sql.arg(target).arg(now + REQUEST_MS)]);
    tx.commit().await?;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &callback(app)),
            ("scope", "openid profile"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge_of(&verifier)),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    let mark = if endpoint.contains('?') { '&' } else { '?' };
    Ok((format!("{endpoint}{mark}{query}"), state))
}

/// Ends a log-in: a session for the account that the provider's user has here.
pub(crate) async fn finish(
    (identity, settings): (&Identity, &SingleSignOn),
    app: &App,
    (query, cookie, origin): (&str, Option<&str>, &Origin),
) -> Result<(Opened, String)> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let field =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let refused = |detail: &str| Problem::Forbidden(format!("统一身份认证登录没有成功：{detail}"));
    let state = field("state").unwrap_or_default();
    if cookie != Some(state) || state.is_empty() {
        return Err(refused("登录请求与本浏览器不符，请重新开始"));
    }
    let ctx = app.on_own_behalf("sso");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "DELETE FROM sso_request WHERE state_digest = $1 AND expires_at > $2 \
         RETURNING nonce, verifier, target",
    );
    let row = tx.fetch_one(sql.arg(digest("state", state)).arg(ctx.now_ms())).await?;
    let row = row.ok_or_else(|| refused("登录请求已过期或已用过，请重新开始"))?;
    tx.commit().await?;
    if let Some(error) = field("error") {
        return Err(refused(error));
    }
    // RFC 9207: a code from one provider is not taken for another's.
    let issuer = settings.issuer.trim_end_matches('/');
    if field("iss").is_some_and(|from| from.trim_end_matches('/') != issuer) {
        return Err(refused("应答来自另一个身份提供方"));
    }
    let code = field("code").ok_or_else(|| refused("应答没有授权码"))?;
    let verifier = app.vault().open_secret("sso_request", row.text(1)?)?;
    let verifier = String::from_utf8(verifier.to_vec()).map_err(Problem::internal)?;
    let found = configuration(settings).await?;
    let claims = claims(settings, app, (&found, code, verifier)).await?;
    if claims["nonce"].as_str() != Some(row.text(0)?) {
        return Err(refused("身份令牌与登录请求不符"));
    }
    let opened = open(identity, settings, app, (&claims, origin)).await?;
    Ok((opened, String::from(row.text(2)?)))
}

async fn claims(
    settings: &SingleSignOn,
    app: &App,
    (found, code, verifier): (&Value, &str, String),
) -> Result<Value> {
    let text = |name: &str| String::from(found[name].as_str().unwrap_or_default());
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &callback(app)),
        ("client_id", &settings.client_id),
        ("client_secret", &settings.client_secret),
        ("code_verifier", &verifier),
    ];
    let form = form.map(|(name, value)| (String::from(name), String::from(value)));
    let answer = post_form(text("token_endpoint"), form.into()).await.map_err(unreachable)?;
    let answer: Value = serde_json::from_str(&answer).map_err(Problem::internal)?;
    let token = answer["id_token"].as_str().unwrap_or_default();
    let keys = get_json(text("jwks_uri")).await.map_err(unreachable)?;
    let wanted = (token, text("issuer"), settings.client_id.as_str());
    jwt::read_foreign(&keys, (wanted.0, &wanted.1, wanted.2), app.now().as_second())
        .map_err(|detail| Problem::Forbidden(format!("身份令牌无效：{detail}")))
}

/// The account is the one linked before, or, the first time, the one of the same log-in name.
async fn open(
    identity: &Identity,
    settings: &SingleSignOn,
    app: &App,
    (claims, origin): (&Value, &Origin),
) -> Result<Opened> {
    let refused = || {
        Problem::Forbidden(String::from(
            "该身份在本平台没有可用的账号，请联系系统管理员建立与其同名的用户",
        ))
    };
    let (issuer, subject) =
        (claims["iss"].as_str().unwrap_or_default(), claims["sub"].as_str().unwrap_or_default());
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT a.user_name FROM external_identity e JOIN account a ON a.id = e.account_id \
         WHERE e.issuer = $1 AND e.subject = $2",
    );
    let linked = tx.fetch_one(sql.arg(issuer).arg(subject)).await?;
    let user = match &linked {
        Some(row) => String::from(row.text(0)?),
        None => String::from(claims["preferred_username"].as_str().ok_or_else(refused)?),
    };
    let known = rights::by_user_name(app, &mut tx, &user).await?.ok_or_else(refused)?;
    drop(tx);
    // Whoever can choose a name above must not become an administrator here: those log in here
    // once, with their own factor, and nothing is linked for them.
    if linked.is_none() && known.principal.administrator.is_some() {
        return Err(refused());
    }
    let person = known.principal.kind == yj_kernel::ActorKind::Person;
    known
        .usable(identity.settings(), app.now())
        .map_err(|reason| Problem::Forbidden(reason.into()))?;
    if !person
        || (known.principal.administrator.is_some() && !identity.admits_administrators(origin))
    {
        return Err(refused());
    }
    let amr = claims["amr"].as_array();
    let strong = amr.is_some_and(|ways| ways.iter().any(|way| way == "mfa" || way == "otp"));
    let factor = if strong && settings.trust_second_factor { "sso" } else { "" };
    let ctx = app.on_own_behalf("sso").signing_as(Some(&known.principal), origin.clone());
    let account = known.principal.account.as_str();
    let mut tx = ctx.begin().await?;
    if linked.is_none() {
        let sql = Sql::new(
            "INSERT INTO external_identity (issuer, subject, account_id, linked_at) VALUES ($1, $2, $3, $4)",
        );
        tx.later([sql.arg(issuer).arg(subject).arg(account).arg(ctx.now_ms())]);
        let body = json!({ "issuer": issuer });
        let entry = audit::Entry { action: "linked", entity: "account", record: account, body };
        audit::write(&ctx, &mut tx, entry);
    }
    login::admit(identity, (&ctx, tx), (&known, origin, factor), json!({ "issuer": issuer })).await
}
