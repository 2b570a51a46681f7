//! 单点退出 (OpenID Connect Back-Channel Logout 1.0): when a session ends, for whatever reason,
//! every application it has opened is told.

use std::time::Duration;

use serde_json::json;
use yj_kernel::{App, Problem, Result, Sql};

use super::{application, jwt, provider};
use crate::Identity;

/// Notices of one round.
const ROUND: i64 = 50;
/// Tries until an application counts as gone.
const TRIES_MAX: i64 = 8;
const WAIT: Duration = Duration::from_secs(5);

impl Identity {
    /// Removes sessions that are over, and tells applications about sessions that ended. Returns
    /// how many were told.
    pub async fn sweep(&self, app: &App) -> Result<usize> {
        let now = app.now().as_millisecond();
        let settings = self.settings();
        let mut tx = app.db().snapshot().await?;
        let over = (now - settings.idle_ms(false), now - settings.absolute_ms());
        let sql = Sql::new("SELECT 1 FROM session WHERE seen_at < $1 OR created_at < $2 LIMIT 1");
        let any = tx.fetch_one(sql.arg(over.0).arg(over.1)).await?.is_some();
        drop(tx);
        if any {
            let mut tx = app.db().begin().await?;
            let sql = Sql::new("DELETE FROM session WHERE seen_at < $1 OR created_at < $2");
            tx.later([sql.arg(over.0).arg(over.1)]);
            tx.commit().await?;
        }
        let mut tx = app.db().snapshot().await?;
        let sql = Sql::new(
            "SELECT v.session_id, v.client_id, v.account_id, v.sid, v.tries FROM oidc_visit v \
             WHERE v.next_try_at <= $1 AND NOT EXISTS (SELECT 1 FROM session s WHERE s.id = v.session_id) \
             ORDER BY v.begun_at LIMIT $2",
        );
        let visits = tx.fetch(sql.arg(now).arg(ROUND)).await?;
        drop(tx);
        let mut told = 0;
        for row in visits {
            let (session, client_id) = (row.text(0)?, row.text(1)?);
            let done = match self.tell(app, client_id, (row.text(2)?, row.text(3)?)).await {
                Ok(()) => true,
                Err(problem) => {
                    problem.log();
                    row.int(4)? + 1 >= TRIES_MAX
                }
            };
            let mut tx = app.db().begin().await?;
            if done {
                let sql =
                    Sql::new("DELETE FROM oidc_visit WHERE session_id = $1 AND client_id = $2");
                tx.later([sql.arg(session).arg(client_id)]);
                told += 1;
            } else {
                let later = now + (1_000 << row.int(4)?.clamp(0, 10));
                let sql = Sql::new(
                    "UPDATE oidc_visit SET tries = tries + 1, next_try_at = $1 \
                     WHERE session_id = $2 AND client_id = $3",
                );
                tx.later([sql.arg(later).arg(session).arg(client_id)]);
            }
            tx.commit().await?;
        }
        Ok(told)
    }

    async fn tell(&self, app: &App, client_id: &str, (account, sid): (&str, &str)) -> Result<()> {
        let mut tx = app.db().snapshot().await?;
        let found = application::find(&mut tx, client_id).await?;
        drop(tx);
        let Some(address) = found.and_then(|found| found.backchannel_logout_uri) else {
            return Ok(());
        };
        let now = app.now().as_second();
        let claims = json!({
            "iss": provider::issuer(app), "aud": client_id, "sub": account, "sid": sid,
            "iat": now, "exp": now + 120, "jti": format!("{:032x}", app.random()),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let token = jwt::sign(app, "logout+jwt", &claims).await?;
        post_form(address, vec![(String::from("logout_token"), token)]).await.map(drop)
    }
}

/// Longest answer that is read.
const ANSWER_MAX: u64 = 256 << 10;

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(WAIT)).max_redirects(0).build().into()
}

/// Posts a form to an address that an administrator has written down.
pub(crate) async fn post_form(address: String, form: Vec<(String, String)>) -> Result<String> {
    let work = move || {
        let pairs = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut answer = agent().post(&address).send_form(pairs)?;
        answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    done.map_err(Problem::internal)
}

/// Reads JSON from an address that an administrator has written down.
pub(crate) async fn get_json(address: String) -> Result<serde_json::Value> {
    let work = move || {
        let mut answer = agent().get(&address).call()?;
        answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
    serde_json::from_str(&done.map_err(Problem::internal)?).map_err(Problem::internal)
}
