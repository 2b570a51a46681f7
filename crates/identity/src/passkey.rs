//! 安全密钥 (S-05): WebAuthn, bound to this platform's host, with the user verified by the device.

use serde_json::{Value, json};
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};
use yj_kernel::{App, Ctx, Problem, Result, Sql, Tx};

use crate::{challenge, factor, rights};

/// How the platform is reached. Addresses have no keys, only names have; on this machine that is
/// `localhost`.
fn relying_party(app: &App) -> Result<Webauthn> {
    let without_name =
        || Problem::Conflict(String::from("安全密钥需要以域名访问平台（platform.public_url）"));
    let mut origin: Url = app.platform().public_url.parse().map_err(Problem::internal)?;
    if origin.domain().is_none() {
        let local = matches!(origin.host_str(), Some("127.0.0.1" | "[::1]"));
        if !local || origin.set_host(Some("localhost")).is_err() {
            return Err(without_name());
        }
    }
    let host = origin.domain().map(String::from).ok_or_else(without_name)?;
    let builder = WebauthnBuilder::new(&host, &origin).map_err(Problem::internal)?;
    builder.rp_name(&app.platform().name).build().map_err(Problem::internal)
}

fn place(id: &str) -> String {
    format!("factor.{id}")
}

/// The keys of an account, with the factors that hold them.
async fn keys(app: &App, tx: &mut Tx, account: &str) -> Result<Vec<(String, Passkey)>> {
    let sql = Sql::new(
        "SELECT id, secret FROM factor WHERE account_id = $1 AND kind = 'webauthn' AND confirmed = 1",
    );
    let mut keys = Vec::new();
    for row in tx.fetch(sql.arg(account)).await? {
        let id = row.text(0)?;
        let plain = app.vault().open_secret(&place(id), row.text(1)?)?;
        let key = serde_json::from_slice(&plain).map_err(Problem::internal)?;
        keys.push((String::from(id), key));
    }
    Ok(keys)
}

/// Asks a device for a new key: `{challenge, options}`.
pub(crate) async fn begin_binding(ctx: &Ctx, tx: &mut Tx, name: &str) -> Result<Value> {
    let principal = ctx.principal();
    let known = keys(ctx.app(), tx, &principal.account).await?;
    let known = known.iter().map(|(_, key)| key.cred_id().clone()).collect();
    let user = Uuid::parse_str(&principal.account).map_err(Problem::internal)?;
    let (options, state) = relying_party(ctx.app())?
        .start_passkey_registration(user, &principal.user, &principal.name, Some(known))
        .map_err(Problem::internal)?;
    let id = challenge::keep(ctx, tx, ("webauthn_bind", &(name, &state))).await?;
    Ok(json!({ "challenge": id, "options": options }))
}

/// Takes the key that the device has made.
pub(crate) async fn finish_binding(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, credential): (&str, &Value),
) -> Result<()> {
    let (name, state): (String, PasskeyRegistration) =
        challenge::take(ctx, tx, ("webauthn_bind", id)).await?;
    let refused = || Problem::invalid("credential", "安全密钥的应答无效，请重试");
    let credential: RegisterPublicKeyCredential =
        serde_json::from_value(credential.clone()).map_err(|_| refused())?;
    let app = ctx.app();
    let key = relying_party(app)?.finish_passkey_registration(&credential, &state);
    let key = serde_json::to_vec(&key.map_err(|_| refused())?).map_err(Problem::internal)?;
    let id = ctx.new_id::<()>().to_string();
    let sealed = app.vault().seal_secret(app, &place(&id), &key)?;
    let sql = Sql::new(
        "INSERT INTO factor (id, account_id, kind, name, secret, confirmed, created_at) \
         VALUES ($1, $2, 'webauthn', $3, $4, 1, $5)",
    );
    let sql = sql.arg(id.as_str()).arg(&ctx.principal().account).arg(name).arg(sealed);
    tx.execute(sql.arg(ctx.now_ms())).await?;
    rights::changed(tx);
    factor::note(ctx, tx, "factor_bound", json!({ "factor": id, "kind": "webauthn" }));
    Ok(())
}

/// Asks for a signature by one of the account's keys: `{challenge, options}`.
pub(crate) async fn begin_showing(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let known = keys(ctx.app(), tx, &ctx.principal().account).await?;
    if known.is_empty() {
        return Err(Problem::Conflict(String::from("没有绑定安全密钥")));
    }
    let known: Vec<_> = known.into_iter().map(|(_, key)| key).collect();
    let (options, state) = relying_party(ctx.app())?
        .start_passkey_authentication(&known)
        .map_err(Problem::internal)?;
    let id = challenge::keep(ctx, tx, ("webauthn_show", &state)).await?;
    Ok(json!({ "challenge": id, "options": options }))
}

/// Checks the signature, and that the key's counter has not gone back.
pub(crate) async fn check(ctx: &Ctx, tx: &mut Tx, (id, credential): (&str, &Value)) -> Result<()> {
    let state: PasskeyAuthentication = challenge::take(ctx, tx, ("webauthn_show", id)).await?;
    let refused = || Problem::invalid("credential", "安全密钥的签名无效，请重试");
    let credential: PublicKeyCredential =
        serde_json::from_value(credential.clone()).map_err(|_| refused())?;
    let app = ctx.app();
    let shown = relying_party(app)?.finish_passkey_authentication(&credential, &state);
    let shown = shown.map_err(|_| refused())?;
    for (factor, mut key) in keys(app, tx, &ctx.principal().account).await? {
        if key.cred_id() != shown.cred_id() {
            continue;
        }
        key.update_credential(&shown);
        let plain = serde_json::to_vec(&key).map_err(Problem::internal)?;
        let sealed = app.vault().seal_secret(app, &place(&factor), &plain)?;
        let sql = Sql::new("UPDATE factor SET secret = $1, used_at = $2 WHERE id = $3");
        tx.execute(sql.arg(sealed).arg(ctx.now_ms()).arg(factor)).await?;
        return Ok(());
    }
    Err(refused())
}
