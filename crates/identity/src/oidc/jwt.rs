//! Tokens that applications read: signed with ES256, whose key is sealed in the database.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet},
};
use p256::{SecretKey, elliptic_curve::sec1::ToSec1Point as _, pkcs8::EncodePrivateKey as _};
use serde_json::{Value, json};
use yj_kernel::{App, Problem, Result, Sql, audit};

/// Draws of a key; all but one in 2³² of the values are good.
const DRAWS_MAX: usize = 8;

fn place(kid: &str) -> String {
    format!("signing_key.{kid}")
}

/// The newest key; made where there is none.
async fn current(app: &App) -> Result<(String, EncodingKey)> {
    let mut tx = app.db().snapshot().await?;
    let newest =
        Sql::new("SELECT kid, secret FROM signing_key ORDER BY created_at DESC, kid LIMIT 1");
    let row = tx.fetch_one(newest).await?;
    drop(tx);
    if let Some(row) = row {
        let der = app.vault().open_secret(&place(row.text(0)?), row.text(1)?)?;
        return Ok((String::from(row.text(0)?), EncodingKey::from_ec_der(&der)));
    }
    make(app).await
}

async fn make(app: &App) -> Result<(String, EncodingKey)> {
    let fresh = (0..DRAWS_MAX).find_map(|_| {
        let bytes = [app.random().to_be_bytes(), app.random().to_be_bytes()].concat();
        SecretKey::from_slice(&bytes).ok()
    });
    let key = fresh.ok_or_else(|| Problem::internal("no usable random key"))?;
    let der = key.to_pkcs8_der().map_err(|error| Problem::internal(error.to_string()))?;
    let kid = format!("{:016x}", app.random() >> 64);
    let point = key.public_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| {
        bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
    };
    let public = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
        "x": coordinate(point.x()), "y": coordinate(point.y()),
    });
    let sealed = app.vault().seal_secret(app, &place(&kid), der.as_bytes())?;
    let ctx = app.on_own_behalf("oidc");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "INSERT INTO signing_key (kid, secret, public, created_at) VALUES ($1, $2, $3, $4)",
    );
    tx.later([sql.arg(kid.as_str()).arg(sealed).arg(public.to_string()).arg(ctx.now_ms())]);
    let (record, body) = (kid.as_str(), json!({ "alg": "ES256" }));
    let entry = audit::Entry { action: "created", entity: "signing_key", record, body };
    audit::write(&ctx, &mut tx, entry);
    tx.commit().await?;
    Ok((kid, EncodingKey::from_ec_der(der.as_bytes())))
}

/// The public keys, for `/oidc/jwks`.
pub(crate) async fn public_keys(app: &App) -> Result<Value> {
    current(app).await?;
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new("SELECT public FROM signing_key ORDER BY created_at DESC, kid LIMIT 8");
    let rows = tx.fetch(sql).await?;
    let keys = rows.iter().map(|row| row.json::<Value>(0)).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "keys": keys }))
}

/// Signs some claims; `kind` is `JWT` or `logout+jwt`.
pub(crate) async fn sign(app: &App, kind: &str, claims: &Value) -> Result<String> {
    let (kid, key) = current(app).await?;
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(kid);
    header.typ = Some(String::from(kind));
    jsonwebtoken::encode(&header, claims, &key).map_err(Problem::internal)
}

/// The claims of a token of our own, whether or not it has expired: a hint, not a proof of now.
pub(crate) async fn read_own(app: &App, issuer: &str, token: &str) -> Option<Value> {
    let keys: JwkSet = serde_json::from_value(public_keys(app).await.ok()?).ok()?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
    let key = DecodingKey::from_jwk(keys.find(&kid)?).ok()?;
    Some(jsonwebtoken::decode::<Value>(token, &key, &validation).ok()?.claims)
}

/// The claims of a token of somebody else, if it is theirs, for us, and of now.
pub(crate) fn read_foreign(
    keys: &Value,
    (token, issuer, audience): (&str, &str, &str),
    now_s: i64,
) -> Result<Value, String> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    let allowed =
        [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA, Algorithm::ES384];
    if !allowed.contains(&header.alg) {
        return Err(format!("不接受签名算法 {:?}", header.alg));
    }
    let keys: JwkSet = serde_json::from_value(keys.clone()).map_err(|error| error.to_string())?;
    let suits = |key: &&Jwk| match (&header.kid, &key.common.key_id) {
        (Some(wanted), Some(known)) => wanted == known,
        (Some(_), None) => false,
        (None, _) => keys.keys.len() == 1,
    };
    let key = keys.keys.iter().find(suits).ok_or("身份提供方没有公布这把密钥")?;
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // Time is ours, not the library's.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation);
    let claims = claims.map_err(|error| error.to_string())?.claims;
    let second = |name: &str| claims[name].as_i64();
    match (second("exp"), second("iat")) {
        (Some(until), Some(from)) if from <= now_s + 120 && now_s < until + 120 => Ok(claims),
        _ => Err(String::from("身份令牌不在有效期内")),
    }
}
