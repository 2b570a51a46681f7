//! 会话: opaque tokens, of which only digests are stored.

use futures_util::future::BoxFuture;
use yj_crypto::{equal_in_constant_time, sm3, to_hex};
use yj_kernel::{
    App, Authenticator, Credentials, Grant, Limit, Principal, Problem, Result, Row, Sql, Tx,
};

use crate::Role;

/// A session unused this long ends.
const IDLE_MS: i64 = 30 * 60_000;
/// A session ends after this long, used or not.
const LIFE_MS: i64 = 12 * 3_600_000;
/// Use is noted at most this often, so that reading does not write.
const NOTE_EVERY_MS: i64 = 60_000;
/// Name of the cookie.
pub(crate) const COOKIE: &str = "yj_session";

/// Finds the user behind a session token.
#[derive(Debug, Clone, Copy)]
pub struct Sessions;

impl Authenticator for Sessions {
    fn authenticate<'a>(
        &'a self,
        app: &'a App,
        credentials: Credentials<'a>,
    ) -> BoxFuture<'a, Result<Option<Principal>>> {
        Box::pin(async move {
            let from_cookie = credentials.bearer.is_none();
            let token = credentials.bearer.or_else(|| cookie(credentials.cookie?, COOKIE));
            let Some(token) = token.filter(|token| token.len() == 64) else { return Ok(None) };
            let digest = token_digest(token);
            let Some((principal, stale)) = find(app, &digest).await? else { return Ok(None) };
            // A browser sends cookies whoever asks it to; only our own pages know the token.
            if from_cookie && credentials.unsafe_method {
                let (wanted, given) = (
                    principal.csrf.as_deref().unwrap_or_default(),
                    credentials.csrf.unwrap_or_default(),
                );
                if wanted.is_empty() || !equal_in_constant_time(wanted.as_bytes(), given.as_bytes())
                {
                    return Err(Problem::Forbidden(String::from(
                        "缺少或错误的 X-CSRF 请求头，请刷新页面后重试",
                    )));
                }
            }
            if stale {
                note_use(app, &digest).await?;
            }
            Ok(Some(principal))
        })
    }

    fn principal<'a>(
        &'a self,
        app: &'a App,
        user: &'a str,
    ) -> BoxFuture<'a, Result<Option<Principal>>> {
        Box::pin(async move {
            let mut tx = app.db().snapshot().await?;
            let sql = Sql::new(
                "SELECT a.user_name, a.name, a.organization, a.subject_id, NULL, r.role, r.region, r.subject_id \
                 FROM account a LEFT JOIN account_role r ON r.account_id = a.id \
                 WHERE a.user_name = $1 AND a.active = 1",
            );
            read(&tx.fetch(sql.arg(user)).await?)
        })
    }
}

fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn token_digest(token: &str) -> String {
    to_hex(&sm3::parts(&[b"YJ/session\0", token.as_bytes()]))
}

/// The user of a live session, and whether its last use should be noted anew.
async fn find(app: &App, digest: &str) -> Result<Option<(Principal, bool)>> {
    let now = app.now().as_millisecond();
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT a.user_name, a.name, a.organization, a.subject_id, s.csrf, r.role, r.region, r.subject_id, s.seen_at \
         FROM session s JOIN account a ON a.id = s.account_id AND a.active = 1 \
         LEFT JOIN account_role r ON r.account_id = a.id \
         WHERE s.token_digest = $1 AND s.seen_at > $2 AND s.created_at > $3",
    );
    let rows = tx.fetch(sql.arg(digest).arg(now - IDLE_MS).arg(now - LIFE_MS)).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let stale = now - first.int(8)? > NOTE_EVERY_MS;
    Ok(read(&rows)?.map(|principal| (principal, stale)))
}

/// One row for every role of the user.
fn read(rows: &[Row]) -> Result<Option<Principal>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let mut grants = Vec::new();
    for row in rows {
        let Some(role) = row.text_opt(5)? else { continue };
        let role = Role::from_code(role)
            .ok_or_else(|| Problem::internal(format!("account_role.role is {role}")))?;
        let region = match row.text(6)? {
            "" => None,
            code => Some(code.parse().map_err(Problem::internal)?),
        };
        let subject = Some(row.text(7)?).filter(|id| !id.is_empty()).map(String::from);
        let limit = Limit { region, subject };
        grants.extend(role.permissions().iter().map(|permission| Grant {
            permission: String::from(*permission),
            limit: limit.clone(),
        }));
    }
    let text = |index| first.text(index).map(String::from);
    let mut principal = Principal::new(text(0)?, text(1)?, text(2)?, grants);
    principal.subject = first.text_opt(3)?.map(String::from);
    principal.csrf = first.text_opt(4)?.map(String::from);
    Ok(Some(principal))
}

async fn note_use(app: &App, digest: &str) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let sql = Sql::new("UPDATE session SET seen_at = $1 WHERE token_digest = $2");
    tx.execute(sql.arg(app.now().as_millisecond()).arg(digest)).await?;
    tx.commit().await
}

/// A new session: its token, and the word that a browser must repeat.
pub(crate) struct Opened {
    pub(crate) token: String,
    pub(crate) csrf: Option<String>,
}

/// Opens a session for a user who has proved who they are.
pub(crate) async fn open(
    app: &App,
    tx: &mut Tx,
    account: &str,
    for_browser: bool,
) -> Result<Opened> {
    let secret = || format!("{:032x}", app.random());
    let token = secret() + &secret();
    let csrf = for_browser.then(secret);
    let now = app.now().as_millisecond();
    let sql = Sql::new(
        "INSERT INTO session (token_digest, account_id, csrf, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)",
    );
    tx.execute(sql.arg(token_digest(&token)).arg(account).arg(csrf.clone()).arg(now)).await?;
    let ended = Sql::new("DELETE FROM session WHERE account_id = $1 AND created_at < $2");
    tx.execute(ended.arg(account).arg(now - LIFE_MS)).await?;
    Ok(Opened { token, csrf })
}

/// Ends the session with this token.
pub(crate) async fn close(tx: &mut Tx, token: &str) -> Result<()> {
    tx.execute(Sql::new("DELETE FROM session WHERE token_digest = $1").arg(token_digest(token)))
        .await
        .map(drop)
}

/// The token of the request, from header or cookie.
pub(crate) fn token(headers: &axum::http::HeaderMap) -> Option<&str> {
    let text =
        |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let bearer =
        text(axum::http::header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| cookie(text(axum::http::header::COOKIE)?, COOKIE))
}
