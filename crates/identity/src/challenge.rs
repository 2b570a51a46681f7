//! Challenges: what is asked once and answered once, within a minute, in one session.

use serde::{Serialize, de::DeserializeOwned};
use yj_kernel::{Ctx, Problem, Result, Sql, Tx};

const LIFE_MS: i64 = 60_000;

fn gone() -> Problem {
    Problem::invalid("challenge", "验证请求已过期或已用过，请重新开始")
}

/// Keeps what a challenge needs to be checked; returns its name.
pub(crate) async fn keep<S: Serialize>(
    ctx: &Ctx,
    tx: &mut Tx,
    (kind, state): (&'static str, &S),
) -> Result<String> {
    let app = ctx.app();
    let id = ctx.new_id::<()>().to_string();
    let state = serde_json::to_vec(state).map_err(Problem::internal)?;
    let sealed = app.vault().seal_secret(app, &format!("challenge.{id}"), &state)?;
    tx.later([Sql::new("DELETE FROM challenge WHERE expires_at < $1").arg(ctx.now_ms())]);
    let sql = Sql::new(
        "INSERT INTO challenge (id, session_id, kind, state, expires_at) VALUES ($1, $2, $3, $4, $5)",
    );
    let session = ctx.principal().session.as_str();
    let sql = sql.arg(id.as_str()).arg(session).arg(kind).arg(sealed);
    tx.execute(sql.arg(ctx.now_ms() + LIFE_MS)).await?;
    Ok(id)
}

/// Takes a challenge away: it is answered now or never.
pub(crate) async fn take<S: DeserializeOwned>(
    ctx: &Ctx,
    tx: &mut Tx,
    (kind, id): (&'static str, &str),
) -> Result<S> {
    let sql = Sql::new(
        "DELETE FROM challenge WHERE id = $1 AND session_id = $2 AND kind = $3 AND expires_at > $4 \
         RETURNING state",
    );
    let session = ctx.principal().session.as_str();
    let row = tx.fetch_one(sql.arg(id).arg(session).arg(kind).arg(ctx.now_ms())).await?;
    let row = row.ok_or_else(gone)?;
    let state = ctx.app().vault().open_secret(&format!("challenge.{id}"), row.text(0)?)?;
    serde_json::from_slice(&state).map_err(Problem::internal)
}
