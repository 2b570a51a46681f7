//! 操作确认 (S-13): what the system administrator does to another administrator's account, or to the
//! way in of somebody who holds business rights, waits for an administrator of another kind. Whoever
//! asked repeats the act afterwards; the word holds once, for that act, for a day.

use serde_json::{Value, json};
use yj_kernel::{ActorKind, Ctx, Problem, Result, Row, Sql, Tx, audit, time_text};

/// A request waits this long for somebody's word.
const WAITING_MS: i64 = 7 * 24 * crate::HOUR_MS;
/// A word given holds this long.
const GIVEN_MS: i64 = 24 * crate::HOUR_MS;

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Invite,
    Reset,
    Disable,
    Enable,
    Unlock,
    Transfer,
}

impl Act {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Unlock => "unlock",
            Self::Transfer => "transfer",
        }
    }

    /// Whether it hands somebody the account itself.
    const fn opens_the_account(self) -> bool {
        matches!(self, Self::Invite | Self::Reset)
    }
}

/// What is asked for: the act, the account it concerns, and everything that makes it this act.
pub(crate) struct Asked<'a> {
    pub(crate) act: Act,
    pub(crate) account: &'a str,
    pub(crate) particulars: Value,
    /// Why, for whoever is to give the second word.
    pub(crate) reason: &'a str,
}

/// Goes on with nothing where the act needs no second word or has it; else files the request and
/// returns it.
pub(crate) async fn require(ctx: &Ctx, tx: &mut Tx, asked: Asked<'_>) -> Result<Option<Value>> {
    if ctx.principal().kind == ActorKind::Platform || !needed(tx, &asked).await? {
        return Ok(None);
    }
    let (act, particulars) = (asked.act.code(), asked.particulars.to_string());
    let known = Sql::new(
        "SELECT id, confirmed FROM confirmation WHERE act = $1 AND account_id = $2 \
         AND particulars = $3 AND requested_by = $4 AND used_at IS NULL \
         AND ((decided_at IS NULL AND requested_at > $5) OR (confirmed = 1 AND decided_at > $6)) \
         ORDER BY confirmed DESC, id DESC LIMIT 1",
    );
    let known = known.arg(act).arg(asked.account).arg(particulars.as_str()).arg(ctx.actor());
    let known = known.arg(ctx.now_ms() - WAITING_MS).arg(ctx.now_ms() - GIVEN_MS);
    let id = match tx.fetch_one(known).await? {
        Some(row) if row.int(1)? == 1 => {
            let used = Sql::new("UPDATE confirmation SET used_at = $1 WHERE id = $2");
            tx.later([used.arg(ctx.now_ms()).arg(row.text(0)?)]);
            return Ok(None);
        }
        Some(row) => String::from(row.text(0)?),
        None => {
            let id = ctx.new_id::<()>().to_string();
            let sql = Sql::new(
                "INSERT INTO confirmation (id, act, account_id, particulars, requested_by, \
                 requester_kind, requested_at, request_reason, confirmed) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
            );
            let sql = sql.arg(id.as_str()).arg(act).arg(asked.account).arg(particulars);
            let kind = ctx.principal().administrator.unwrap_or_default();
            let sql = sql.arg(ctx.actor()).arg(kind).arg(ctx.now_ms());
            tx.execute(sql.arg(asked.reason)).await?;
            let body = json!({
                "act": act, "particulars": asked.particulars, "reason": asked.reason,
            });
            note(ctx, tx, ("confirmation_asked", asked.account), body);
            id
        }
    };
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE c.id = ").bind(id);
    let row = tx.fetch_one(sql).await?;
    let row = row.ok_or_else(|| Problem::internal("a confirmation just written is missing"))?;
    read(ctx, &row).map(|request| Some(json!({ "request": request })))
}

async fn needed(tx: &mut Tx, asked: &Asked<'_>) -> Result<bool> {
    let sql = Sql::new(
        "SELECT a.administrator, (SELECT COUNT(*) FROM assignment g WHERE g.account_id = a.id) \
         FROM account a WHERE a.id = $1",
    );
    let row = tx.fetch_one(sql.arg(asked.account)).await?.ok_or_else(crate::missing)?;
    Ok(row.text(0)? != "none" || (asked.act.opens_the_account() && row.int(1)? > 0))
}

fn note(ctx: &Ctx, tx: &mut Tx, (action, record): (&str, &str), body: Value) {
    audit::write(ctx, tx, audit::Entry { action, entity: "account", record, body });
}

const SELECT: &str = "SELECT c.id, c.act, c.particulars, c.requested_by, c.requested_at, \
    c.decided_by, c.decided_at, c.confirmed, c.reason, c.used_at, a.id, a.user_name, a.name, \
    a.administrator, c.requester_kind, c.request_reason FROM confirmation c JOIN account a ON a.id = c.account_id";

fn read(ctx: &Ctx, row: &Row) -> Result<Value> {
    let (requested_at, decided_at) = (row.int(4)?, row.int_opt(6)?);
    let state = match (decided_at, row.int(7)? == 1, row.int_opt(9)?) {
        (_, _, Some(_)) => "done",
        (None, ..) if ctx.now_ms() - requested_at > WAITING_MS => "expired",
        (None, ..) => "waiting",
        (Some(at), true, _) if ctx.now_ms() - at > GIVEN_MS => "expired",
        (Some(_), true, _) => "confirmed",
        (Some(_), false, _) => "refused",
    };
    let mut particulars: Value = row.json(2)?;
    particulars["reason"] = json!(row.text(15)?);
    Ok(json!({
        "id": row.text(0)?, "act": row.text(1)?, "particulars": particulars,
        "requested_by": row.text(3)?, "requested_at": time_text(requested_at)?,
        "decided_by": row.text_opt(5)?, "decided_at": decided_at.map(time_text).transpose()?,
        "state": state, "reason": row.text_opt(8)?, "own": !may_decide(ctx, row)?,
        "account": {
            "id": row.text(10)?, "user_name": row.text(11)?, "name": row.text(12)?,
            "administrator": row.text(13)?,
        },
    }))
}

/// Neither the one who asked, nor the one it concerns, nor another administrator of the same kind.
fn may_decide(ctx: &Ctx, row: &Row) -> Result<bool> {
    let principal = ctx.principal();
    Ok(row.text(3)? != principal.user
        && row.text(10)? != principal.account
        && principal.administrator.is_some_and(|kind| row.text(14).is_ok_and(|own| own != kind)))
}

/// Requests about accounts within reach, newest first.
pub(crate) async fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Value> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE 1 = 1");
    ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS);
    sql.push(" ORDER BY c.id DESC LIMIT 200");
    let rows = tx.fetch(sql).await?;
    let items = rows.iter().map(|row| read(ctx, row)).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "items": items }))
}

/// How many wait for the one who asks.
pub async fn confirmations_waiting(ctx: &Ctx, tx: &mut Tx) -> Result<usize> {
    let found = list(ctx, tx).await?;
    let waiting = |one: &&Value| one["state"] == "waiting" && one["own"] == false;
    Ok(found["items"].as_array().map_or(0, |items| items.iter().filter(waiting).count()))
}

/// Gives or refuses the second word.
pub(crate) async fn decide(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, confirmed, reason): (&str, bool, &str),
) -> Result<()> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE c.id = ").bind(id);
    ctx.scope().narrow(&mut sql, tx, crate::ACCOUNTS);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("待确认的操作"))?;
    if !may_decide(ctx, &row)? {
        return Err(Problem::Forbidden(String::from(
            "须由另一类管理员确认，申请人和账号本人不能确认",
        )));
    }
    if read(ctx, &row)?["state"] != "waiting" {
        return Err(Problem::Conflict(String::from("该申请已处理或已过期")));
    }
    let sql = Sql::new(
        "UPDATE confirmation SET confirmed = $1, decided_by = $2, decided_at = $3, reason = $4 \
         WHERE id = $5 AND decided_at IS NULL",
    );
    let sql = sql.arg(confirmed).arg(ctx.actor()).arg(ctx.now_ms()).arg(reason).arg(id);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Conflict(String::from("该申请刚刚被他人处理")));
    }
    let action = if confirmed { "confirmation_given" } else { "confirmation_refused" };
    let body = json!({
        "act": row.text(1)?, "requested_by": row.text(3)?, "request": id, "reason": reason,
    });
    note(ctx, tx, (action, row.text(10)?), body);
    Ok(())
}
