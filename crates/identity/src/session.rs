//! 会话 (S-07, S-08, S-09): opaque tokens, of which only digests are stored.

use serde_json::{Value, json};
use yj_crypto::{equal_in_constant_time, sm3, to_hex};
use yj_kernel::{
    ActorKind, App, Credentials, Ctx, Origin, Principal, Problem, Result, Row, Sql, Standing, Tx,
    audit, time_text,
};

use crate::{Identity, rights::Known, tokens::Tokens};

/// Use is noted at most this often, so that reading does not write.
const NOTE_EVERY_MS: i64 = 60_000;
/// Name of the cookie. The prefix makes browsers insist on host, path and a secure context.
pub(crate) const COOKIE: &str = "__Host-yj";

/// The cookie of this name in a `Cookie` header.
pub(crate) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

pub(crate) fn token_digest(token: &str) -> String {
    to_hex(&sm3::parts(&[b"YJ/session\0", token.as_bytes()]))
}

/// A session as stored.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) account: String,
    csrf: Option<String>,
    /// The second factor shown; empty for none.
    factor: String,
    proved_at: i64,
    created_at: i64,
    seen_at: i64,
    epoch: i64,
}

/// A session with the epoch of the rights, and its digest.
const STORED: &str = "SELECT s.id, s.account_id, s.csrf, s.factor, s.proved_at, s.created_at, s.seen_at, \
     e.value, s.token_digest FROM session s JOIN access_epoch e ON e.id = 1 WHERE ";

/// Where sessions are looked up.
pub(crate) fn tokens() -> Tokens<Stored> {
    let query = |_: &App, digests: &[&str]| {
        let mut sql = Sql::new(STORED);
        sql.push("s.token_digest ").bind_texts(digests.iter().copied());
        sql
    };
    let read = |row: &Row| Ok((String::from(row.text(8)?), Stored::read(row)?));
    Tokens::new("会话暂不能核对，请稍后重试", query, read)
}

impl Stored {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: String::from(row.text(0)?),
            account: String::from(row.text(1)?),
            csrf: row.text_opt(2)?.map(String::from),
            factor: String::from(row.text(3)?),
            proved_at: row.int(4)?,
            created_at: row.int(5)?,
            seen_at: row.int(6)?,
            epoch: row.int(7)?,
        })
    }

    /// Whether it still stands for its account.
    fn is_alive(&self, identity: &Identity, known: &Known, now: jiff::Timestamp) -> bool {
        let settings = identity.settings();
        let (now_ms, administrator) =
            (now.as_millisecond(), known.principal.administrator.is_some());
        now_ms - self.seen_at < settings.idle_ms(administrator)
            && now_ms - self.created_at < settings.absolute_ms()
            && known.usable(settings, now).is_ok()
    }
}

/// Whether a session that somebody came in with still lets them in. Asking is no use of it.
pub(crate) async fn lasts(
    identity: &Identity,
    app: &App,
    (id, origin): (&str, &Origin),
) -> Result<bool> {
    let mut tx = app.db().snapshot().await?;
    let mut sql = Sql::new(STORED);
    sql.push("s.id = ").bind(id);
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(false) };
    let session = Stored::read(&row)?;
    let at = (session.account.as_str(), session.epoch);
    let Some(known) = identity.memory().of(app, &mut tx, at).await? else { return Ok(false) };
    let now = app.now();
    let placed = known.principal.administrator.is_none() || identity.admits_administrators(origin);
    let standing = standing(identity, &known, &session.factor, now.as_millisecond());
    Ok(placed && standing == Standing::Full && session.is_alive(identity, &known, now))
}

/// Who is behind the cookie of a request.
pub(crate) async fn authenticate(
    identity: &Identity,
    app: &App,
    credentials: Credentials<'_>,
) -> Result<Option<Principal>> {
    let token = credentials.header("cookie").and_then(|header| cookie(header, COOKIE));
    let Some(token) = token.filter(|token| token.len() == 64) else { return Ok(None) };
    let digest = token_digest(token);
    let found = identity.sessions().find(app, digest.clone()).await?;
    let Some(session) = found else { return Ok(None) };
    let at = (session.account.as_str(), session.epoch);
    let Some(known) = identity.memory().now(app, at).await? else { return Ok(None) };
    let now_ms = app.now().as_millisecond();
    if !session.is_alive(identity, &known, app.now()) {
        return Ok(None);
    }
    let administrator = known.principal.administrator.is_some();
    if administrator && !identity.admits_administrators(credentials.origin) {
        return Err(Problem::Forbidden(String::from(
            "管理员只能从规定的网络地址登录（security.admin_networks）",
        )));
    }
    // A browser sends cookies whoever asks it to; only our own pages know the token.
    if credentials.changes() {
        let wanted = session.csrf.as_deref().unwrap_or_default();
        let given = credentials.header("x-csrf").unwrap_or_default();
        if wanted.is_empty() || !equal_in_constant_time(wanted.as_bytes(), given.as_bytes()) {
            return Err(Problem::Forbidden(String::from(
                "缺少或错误的 X-CSRF 请求头，请刷新页面后重试",
            )));
        }
    }
    if now_ms - session.seen_at > NOTE_EVERY_MS {
        let mut tx = app.db().begin().await?;
        let sql = Sql::new("UPDATE session SET seen_at = $1 WHERE token_digest = $2");
        tx.later([sql.arg(now_ms).arg(digest)]);
        // On a disk that takes nothing people may still look things up.
        match tx.commit().await {
            Err(Problem::Unavailable(_)) | Ok(()) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Some(principal(identity, &known, &session, now_ms)))
}

fn principal(identity: &Identity, known: &Known, session: &Stored, now_ms: i64) -> Principal {
    let mut principal = known.principal.clone();
    principal.csrf.clone_from(&session.csrf);
    principal.session.clone_from(&session.id);
    principal.proved_at = session.proved_at;
    principal.standing = standing(identity, known, &session.factor, now_ms);
    principal
}

/// What still stands between a session and the rights of its account.
pub(crate) fn standing(identity: &Identity, known: &Known, factor: &str, now_ms: i64) -> Standing {
    if known.principal.kind != ActorKind::Person {
        return Standing::Full;
    }
    let settings = identity.settings();
    if factor.is_empty() && known.needs_second_factor(settings) {
        return match known.factors {
            0 => Standing::NoSecondFactor,
            _ => Standing::SecondFactor,
        };
    }
    let expired = known.set_at.is_none_or(|set_at| now_ms - set_at > settings.password_age_ms());
    if known.must_change || expired { Standing::PasswordExpired } else { Standing::Full }
}

/// A new session: its token, and the word that a browser must repeat.
pub(crate) struct Opened {
    pub(crate) token: String,
    pub(crate) csrf: String,
    pub(crate) id: String,
}

fn secret(app: &App) -> String {
    format!("{:032x}", app.random())
}

/// Sessions of one account that wait for a second factor.
const PENDING_MAX: i64 = 4;

/// Ends the oldest sessions of an account beyond the limit; only one that has shown everything
/// pushes others out.
async fn displace(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    (account, administrator, own): (&str, bool, &str),
) -> Result<()> {
    let settings = identity.settings();
    let most = if administrator { settings.sessions_max_admin } else { settings.sessions_max };
    let mut sql = Sql::new("DELETE FROM session WHERE account_id = ");
    sql.bind(account).push(" AND id <> ").bind(own);
    sql.push(" AND id NOT IN (SELECT id FROM session WHERE account_id = ").bind(account);
    sql.push(" AND id <> ").bind(own);
    sql.push(" AND created_at > ").bind(ctx.now_ms() - settings.absolute_ms());
    sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(most - 1).push(")");
    let ended = tx.execute(sql).await?;
    if ended > 0 {
        let body = json!({ "sessions": ended });
        let entry =
            audit::Entry { action: "sessions_displaced", entity: "account", record: account, body };
        audit::write(ctx, tx, entry);
    }
    Ok(())
}

/// Opens a session for somebody who has shown a password, and `factor` besides. The oldest ones
/// beyond the limit end.
pub(crate) async fn open(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    (known, origin, factor): (&Known, &Origin, &str),
) -> Result<Opened> {
    let app = ctx.app();
    let opened = Opened {
        token: secret(app) + &secret(app),
        csrf: secret(app),
        id: ctx.new_id::<()>().to_string(),
    };
    let account = known.principal.account.as_str();
    if standing(identity, known, factor, ctx.now_ms()) == Standing::SecondFactor {
        let mut sql = Sql::new("DELETE FROM session WHERE factor = '' AND account_id = ");
        sql.bind(account).push(" AND id NOT IN (SELECT id FROM session WHERE factor = '' ");
        sql.push("AND account_id = ").bind(account);
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(PENDING_MAX - 1).push(")");
        tx.execute(sql).await?;
    } else {
        let whose = (account, known.principal.administrator.is_some(), opened.id.as_str());
        displace(identity, ctx, tx, whose).await?;
    }
    let address = origin.address.map(|address| address.to_string()).unwrap_or_default();
    let sql = Sql::new(
        "INSERT INTO session (token_digest, id, account_id, csrf, factor, proved_at, address, \
         agent, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    );
    let sql = sql.arg(token_digest(&opened.token)).arg(opened.id.as_str()).arg(account);
    let sql = sql.arg(opened.csrf.as_str()).arg(factor).arg(ctx.now_ms()).arg(address);
    tx.execute(sql.arg(origin.agent.as_str()).arg(ctx.now_ms())).await?;
    Ok(opened)
}

/// The session has shown its second factor: it gets another token, so that one planted before is
/// worth nothing (S-09).
pub(crate) async fn elevate(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    factor: &str,
) -> Result<Opened> {
    let app = ctx.app();
    let id = ctx.principal().session.clone();
    let opened = Opened { token: secret(app) + &secret(app), csrf: secret(app), id };
    let sql = Sql::new(
        "UPDATE session SET token_digest = $1, csrf = $2, factor = $3, proved_at = $4 WHERE id = $5",
    );
    let sql = sql.arg(token_digest(&opened.token)).arg(opened.csrf.as_str()).arg(factor);
    if tx.execute(sql.arg(ctx.now_ms()).arg(opened.id.as_str())).await? == 0 {
        return Err(Problem::Unauthenticated);
    }
    let principal = ctx.principal();
    let whose = (principal.account.as_str(), principal.administrator.is_some(), &*opened.id);
    displace(identity, ctx, tx, whose).await?;
    Ok(opened)
}

/// Notes that the user of a session has just shown everything again (S-10).
pub(crate) async fn renew_proof(ctx: &Ctx, tx: &mut Tx) -> Result<()> {
    let sql = Sql::new("UPDATE session SET proved_at = $1 WHERE id = $2");
    let touched = tx.execute(sql.arg(ctx.now_ms()).arg(ctx.principal().session.as_str())).await?;
    if touched == 0 { Err(Problem::Unauthenticated) } else { Ok(()) }
}

fn read(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "user": row.text(1)?, "name": row.text(2)?, "address": row.text(3)?,
        "agent": row.text(4)?, "factor": row.text(5)?, "created_at": time_text(row.int(6)?)?,
        "seen_at": time_text(row.int(7)?)?,
    }))
}

/// Live sessions: of one account, or of all within reach, newest first.
pub(crate) async fn list(
    identity: &Identity,
    ctx: &Ctx,
    tx: &mut Tx,
    account: Option<&str>,
) -> Result<Value> {
    let mut sql = Sql::new(
        "SELECT s.id, a.user_name, a.name, s.address, s.agent, s.factor, s.created_at, s.seen_at \
         FROM session s JOIN account a ON a.id = s.account_id WHERE s.seen_at > ",
    );
    sql.bind(ctx.now_ms() - identity.settings().idle_ms(false));
    match account {
        Some(account) => {
            sql.push(" AND s.account_id = ").bind(account);
        }
        None => ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS),
    }
    sql.push(" ORDER BY s.seen_at DESC, s.id LIMIT 500");
    let rows = tx.fetch(sql).await?;
    Ok(json!({ "items": rows.iter().map(read).collect::<Result<Vec<_>>>()? }))
}

/// Ends a session: one's own, or any within reach.
pub(crate) async fn revoke(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, account): (&str, Option<&str>),
) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT s.account_id FROM session s JOIN account a ON a.id = s.account_id WHERE s.id = ",
    );
    sql.bind(id);
    match account {
        Some(account) => {
            sql.push(" AND s.account_id = ").bind(account);
        }
        None => ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS),
    }
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("会话"))?;
    tx.execute(Sql::new("DELETE FROM session WHERE id = $1").arg(id)).await?;
    let body = json!({ "session": id });
    let record = row.text(0)?;
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "session_revoked", entity: "account", record, body },
    );
    Ok(())
}
