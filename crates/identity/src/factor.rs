//! 第二因素 (S-05): time-based codes (RFC 6238, over SHA-1 for common apps or HMAC-SM3 after GM/T
//! 0021), and recovery codes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::Sha1;
use yj_crypto::{equal_in_constant_time, sm3, to_hex};
use yj_kernel::{App, Ctx, Problem, Purpose, Result, Sql, Tx, audit, time_text};

use crate::rights;

/// Seconds of one step.
const STEP: i64 = 30;
/// Steps that clocks may differ.
const SKEW: i64 = 1;
const DIGITS: u32 = 6;
/// Factors of one account.
const FACTORS_MAX: i64 = 8;
/// Recovery codes made at once.
const RECOVERY_CODES: usize = 10;

/// Over which digest the code is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    /// What every authenticator app knows.
    #[serde(rename = "SHA1")]
    Sha1,
    /// 国密 tokens.
    #[serde(rename = "SM3")]
    Sm3,
}

#[derive(Serialize, Deserialize)]
struct Totp {
    algorithm: Algorithm,
    /// Hexadecimal.
    key: String,
}

/// The code of one step.
fn code(algorithm: Algorithm, key: &[u8], step: i64) -> String {
    let message = step.to_be_bytes();
    let digest: Vec<u8> = match algorithm {
        Algorithm::Sha1 => match Hmac::<Sha1>::new_from_slice(key) {
            Ok(mut mac) => {
                mac.update(&message);
                mac.finalize().into_bytes().to_vec()
            }
            Err(_) => return String::new(),
        },
        Algorithm::Sm3 => sm3::hmac(key, &message).to_vec(),
    };
    let offset = usize::from(digest[digest.len() - 1] & 15);
    let word =
        digest[offset..offset + 4].iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    let number = (word & 0x7FFF_FFFF) % 10u32.pow(DIGITS);
    format!("{number:0width$}", width = DIGITS as usize)
}

/// The step that a code belongs to, if it is one of those near now.
fn step_of(totp: &Totp, given: &str, now_s: i64) -> Option<i64> {
    let key = unhex(&totp.key)?;
    let now = now_s / STEP;
    (now - SKEW..=now + SKEW).find(|step| {
        equal_in_constant_time(code(totp.algorithm, &key, *step).as_bytes(), given.as_bytes())
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// RFC 4648 without padding: what authenticator apps read.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(LETTERS[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        text.push(char::from(LETTERS[(bits << (5 - count) & 31) as usize]));
    }
    text
}

/// Makes a factor that counts once its first code has been shown: `{id, secret, uri}`.
pub(crate) async fn begin_totp(
    ctx: &Ctx,
    tx: &mut Tx,
    (name, algorithm): (&str, Algorithm),
) -> Result<Value> {
    let account = &ctx.principal().account;
    let sql = Sql::new("DELETE FROM factor WHERE account_id = $1 AND confirmed = 0");
    tx.execute(sql.arg(account)).await?;
    let sql = Sql::new("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind <> 'recovery'");
    let count = tx.fetch_one(sql.arg(account)).await?.map_or(Ok(0), |row| row.int(0))?;
    if count >= FACTORS_MAX {
        return Err(Problem::Conflict(format!("每个用户至多 {FACTORS_MAX} 个第二因素")));
    }
    let app = ctx.app();
    let mut key = app.random().to_be_bytes().to_vec();
    key.extend_from_slice(&app.random().to_be_bytes()[..4]);
    let id = ctx.new_id::<()>().to_string();
    let totp = json!(Totp { algorithm, key: to_hex(&key) }).to_string();
    let sealed = app.vault().seal_secret(app, &format!("factor.{id}"), totp.as_bytes())?;
    let sql = Sql::new(
        "INSERT INTO factor (id, account_id, kind, name, secret, confirmed, created_at) \
         VALUES ($1, $2, 'totp', $3, $4, 0, $5)",
    );
    let sql = sql.arg(id.as_str()).arg(account).arg(name).arg(sealed).arg(ctx.now_ms());
    tx.execute(sql).await?;
    let secret = base32(&key);
    let issuer: String = form_urlencoded::byte_serialize(app.platform().name.as_bytes()).collect();
    let issuer = issuer.replace('+', "%20");
    let algorithm = match algorithm {
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sm3 => "SM3",
    };
    let uri = format!(
        "otpauth://totp/{}?secret={secret}&issuer={issuer}&algorithm={algorithm}&digits={DIGITS}&period={STEP}",
        ctx.actor()
    );
    Ok(json!({ "id": id, "secret": secret, "uri": uri }))
}

fn open_totp(app: &App, id: &str, sealed: &str) -> Result<Totp> {
    let plain = app.vault().open_secret(&format!("factor.{id}"), sealed)?;
    serde_json::from_slice(&plain).map_err(Problem::internal)
}

fn wrong_code() -> Problem {
    Problem::invalid("code", "动态口令不正确或已用过，请等待下一个")
}

/// The first code of a new factor: from now on it counts.
pub(crate) async fn confirm_totp(ctx: &Ctx, tx: &mut Tx, (id, given): (&str, &str)) -> Result<()> {
    let account = &ctx.principal().account;
    let sql = Sql::new(
        "SELECT secret FROM factor WHERE id = $1 AND account_id = $2 AND kind = 'totp' AND confirmed = 0",
    );
    let row = tx.fetch_one(sql.arg(id).arg(account)).await?.ok_or(Problem::NotFound("第二因素"))?;
    let totp = open_totp(ctx.app(), id, row.text(0)?)?;
    let step = step_of(&totp, given, ctx.now.as_second()).ok_or_else(wrong_code)?;
    let sql =
        Sql::new("UPDATE factor SET confirmed = 1, used_step = $1, used_at = $2 WHERE id = $3");
    tx.execute(sql.arg(step).arg(ctx.now_ms()).arg(id)).await?;
    rights::changed(tx);
    note(ctx, tx, "factor_bound", json!({ "factor": id, "kind": "totp" }));
    Ok(())
}

/// Recovery codes for somebody who has none yet; for others none.
pub(crate) async fn first_recovery_codes(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<String>> {
    let sql = Sql::new("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind = 'recovery'");
    let codes = tx.fetch_one(sql.arg(&ctx.principal().account)).await?;
    let codes = codes.map_or(Ok(0), |row| row.int(0))?;
    if codes > 0 { Ok(Vec::new()) } else { recovery_codes(ctx, tx).await }
}

pub(crate) fn note(ctx: &Ctx, tx: &mut Tx, action: &str, body: Value) {
    let record = &ctx.principal().account;
    audit::write(ctx, tx, audit::Entry { action, entity: "account", record, body });
}

fn recovery_digest(app: &App, account: &str, code: &str) -> Result<String> {
    let mac =
        app.vault().mac(Purpose::Pepper, &[b"recovery", account.as_bytes(), code.as_bytes()])?;
    Ok(to_hex(&mac))
}

/// Ten codes that each work once; older ones stop working.
pub(crate) async fn recovery_codes(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<String>> {
    let (app, account) = (ctx.app(), &ctx.principal().account);
    let sql = Sql::new("DELETE FROM factor WHERE account_id = $1 AND kind = 'recovery'");
    tx.execute(sql.arg(account)).await?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let text = base32(&app.random().to_be_bytes()).to_lowercase();
        let code = format!("{}-{}-{}", &text[..5], &text[5..10], &text[10..15]);
        let sql = Sql::new(
            "INSERT INTO factor (id, account_id, kind, name, secret, confirmed, created_at) \
             VALUES ($1, $2, 'recovery', '恢复码', $3, 1, $4)",
        );
        let sql = sql.arg(ctx.new_id::<()>()).arg(account);
        tx.later([sql.arg(recovery_digest(app, account, &code)?).arg(ctx.now_ms())]);
        codes.push(code);
    }
    Ok(codes)
}

/// Checks a time-based code of any of the account's factors; each works once.
pub(crate) async fn check_code(
    app: &App,
    tx: &mut Tx,
    (account, given): (&str, &str),
) -> Result<()> {
    let given = given.trim();
    let sql = Sql::new(
        "SELECT id, secret FROM factor WHERE account_id = $1 AND kind = 'totp' AND confirmed = 1",
    );
    for row in tx.fetch(sql.arg(account)).await? {
        let id = row.text(0)?;
        let totp = open_totp(app, id, row.text(1)?)?;
        let Some(step) = step_of(&totp, given, app.now().as_second()) else { continue };
        let sql = Sql::new(
            "UPDATE factor SET used_step = $1, used_at = $2 WHERE id = $3 AND used_step < $1",
        );
        if tx.execute(sql.arg(step).arg(app.now().as_millisecond()).arg(id)).await? == 1 {
            return Ok(());
        }
    }
    Err(wrong_code())
}

/// Checks a recovery code and uses it up.
pub(crate) async fn check_recovery(
    app: &App,
    tx: &mut Tx,
    (account, given): (&str, &str),
) -> Result<()> {
    let digest = recovery_digest(app, account, given.trim())?;
    let sql =
        Sql::new("DELETE FROM factor WHERE account_id = $1 AND kind = 'recovery' AND secret = $2");
    match tx.execute(sql.arg(account).arg(digest)).await? {
        0 => Err(Problem::invalid("recovery", "恢复码不正确或已用过")),
        _ => Ok(()),
    }
}

/// The factors of an account.
pub(crate) async fn list(tx: &mut Tx, account: &str) -> Result<Value> {
    let sql = Sql::new(
        "SELECT id, kind, name, created_at, used_at FROM factor \
         WHERE account_id = $1 AND confirmed = 1 AND kind <> 'recovery' ORDER BY id",
    );
    let rows = tx.fetch(sql.arg(account)).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(json!({
            "id": row.text(0)?, "kind": row.text(1)?, "name": row.text(2)?,
            "created_at": time_text(row.int(3)?)?,
            "used_at": row.int_opt(4)?.map(time_text).transpose()?,
        }));
    }
    let sql = Sql::new("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind = 'recovery'");
    let codes = tx.fetch_one(sql.arg(account)).await?.map_or(Ok(0), |row| row.int(0))?;
    Ok(json!({ "items": items, "recovery_codes": codes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6238_and_rfc_4648() {
        let key = b"12345678901234567890";
        for (second, wanted) in
            [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            assert_eq!(code(Algorithm::Sha1, key, second / STEP), wanted);
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
    }

    #[test]
    fn a_code_belongs_to_its_neighbourhood_alone() {
        let totp = Totp { algorithm: Algorithm::Sm3, key: to_hex(b"12345678901234567890") };
        let given = code(Algorithm::Sm3, b"12345678901234567890", 100);
        let at = |step: i64| step_of(&totp, &given, step * STEP);
        assert_eq!((at(99), at(100), at(101)), (Some(100), Some(100), Some(100)));
        assert_eq!((at(98), at(102)), (None, None));
    }
}
