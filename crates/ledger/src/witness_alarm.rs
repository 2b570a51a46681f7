//! 见证告警: what witnesses object to, and how the platform's people settle it. An alarm that is
//! settled stays where it is, with who, when and why.

use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, Method},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_crypto::{sm3, to_hex};
use yj_kernel::{
    Access, App, Body, Ctx, Problem, Result, Route, Row, Shape, Sql, Tx, audit, expected_version,
    outbox, sound_reason, time_text,
};
use yj_proof::{Alarm, Note, NoteKey};

use crate::Ledger;

/// 中文名称
const TITLE: &str = "见证告警";
const TABLE: &str = "ledger_witness_alarm";
/// Alarms of one witness that nobody has settled, at most.
const OPEN_MAX: i64 = 1_000;
/// Alarms of one answer.
const SHOWN: i64 = 100;

/// What somebody found out about an alarm, and did.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settling {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// Settles one.
pub(crate) fn route(ledger: &Ledger) -> Route {
    let ledger = ledger.clone();
    let act =
        move |ctx: Ctx, Path(id): Path<String>, headers: HeaderMap, Body(body): Body<Settling>| {
            let ledger = ledger.clone();
            async move {
                let (reason, version) = (sound_reason(&body.reason)?, expected_version(&headers)?);
                let mut tx = ctx.begin().await?;
                let answer = settle(&ctx, &mut tx, (&id, version), reason).await?;
                tx.commit().await?;
                crate::look_at_witnesses(ctx.app(), &ledger).await?;
                Ok::<_, Problem>(Json(answer))
            }
        };
    Route::new(
        (Method::POST, "/api/v1/ledger/alarms/{id}/settle"),
        Access::permission("ledger:check"),
        "处置见证告警",
        act,
    )
    .versioned()
    .takes(Shape::of::<Settling>())
}

/// Columns for [`alarm`].
const ALARM: &str = "SELECT id, organization, kind, detail, proven, seen_at, received_at, version, \
                     settled_at, settled_by, reason FROM ledger_witness_alarm";

fn alarm(row: &Row) -> Result<Value> {
    Ok(json!({
        "id": row.text(0)?, "organization": row.text(1)?, "kind": row.text(2)?,
        "detail": row.text(3)?, "proven": row.int(4)? == 1,
        "seen_at": time_text(row.int(5)?)?, "received_at": time_text(row.int(6)?)?,
        "version": row.int(7)?,
        "state": if row.int_opt(8)?.is_some() { "settled" } else { "open" },
        "settled_at": row.int_opt(8)?.map(time_text).transpose()?,
        "settled_by": row.text_opt(9)?, "reason": row.text_opt(10)?,
    }))
}

/// The newest alarms, what nobody has settled first.
pub(crate) async fn newest(tx: &mut Tx) -> Result<Vec<Value>> {
    let mut sql = Sql::new(ALARM);
    sql.push(" ORDER BY CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT ");
    sql.bind(SHOWN);
    tx.fetch(sql).await?.iter().map(alarm).collect()
}

/// How many nobody has settled, and how many there are.
pub(crate) async fn count(tx: &mut Tx) -> Result<(i64, i64)> {
    let sql = Sql::new(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN settled_at IS NULL THEN 1 ELSE 0 END), 0) \
         FROM ledger_witness_alarm",
    );
    tx.fetch_one(sql).await?.map_or(Ok((0, 0)), |row| Ok((row.int(1)?, row.int(0)?)))
}

async fn settle(ctx: &Ctx, tx: &mut Tx, (id, version): (&str, i64), reason: &str) -> Result<Value> {
    let mut sql = Sql::new(ALARM);
    sql.push(" WHERE id = ").bind(id);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound(TITLE))?;
    let known = alarm(&row)?;
    if known["version"] != version {
        return Err(Problem::Stale(TITLE));
    }
    if known["state"] == "settled" {
        return Err(Problem::Conflict(String::from("该见证告警已处置")));
    }
    let sql = Sql::new(
        "UPDATE ledger_witness_alarm SET version = version + 1, settled_at = $1, settled_by = $2, \
         reason = $3 WHERE id = $4 AND version = $5",
    );
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(reason).arg(id).arg(version);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Stale(TITLE));
    }
    let body = json!({
        "organization": known["organization"], "kind": known["kind"], "reason": reason,
    });
    outbox::announce(ctx, tx, (TABLE, "settled"), id, &body);
    audit::write(ctx, tx, audit::Entry { action: "settled", entity: TABLE, record: id, body });
    let mut sql = Sql::new(ALARM);
    sql.push(" WHERE id = ").bind(id);
    alarm(&tx.fetch_one(sql).await?.ok_or(Problem::NotFound(TITLE))?)
}

/// What became of an alarm that came in.
enum Taken {
    /// It is known and stands as it did.
    Known(String),
    /// People must look at it.
    Raised(String),
}

/// Takes an alarm of a registered witness: keeps it with both notes, and tells the security
/// administrators; its number. One that is known is kept once. If it was settled and the witness has
/// countersigned since, it is raised anew.
pub(crate) async fn take(
    ledger: &Ledger,
    app: &App,
    (alarm, key, organization): (&Alarm, &NoteKey, &str),
) -> Result<String> {
    let ctx = app.on_own_behalf("witness");
    let mut tx = ctx.begin().await?;
    let id = match keep(ledger, (&ctx, &mut tx), (alarm, key, organization)).await? {
        Taken::Known(id) => return Ok(id),
        Taken::Raised(id) => id,
    };
    tx.commit().await?;
    let detail = format!("{organization} 拒绝见证（{}）：{}", alarm.kind.title(), alarm.detail);
    yj_identity::alarm_of_ledger(app, key.name(), &detail).await;
    crate::look_at_witnesses(app, ledger).await?;
    Ok(id)
}

async fn keep(
    ledger: &Ledger,
    (ctx, tx): (&Ctx, &mut Tx),
    (alarm, key, organization): (&Alarm, &NoteKey, &str),
) -> Result<Taken> {
    let parts = [&alarm.witness, alarm.kind.code(), &alarm.known, &alarm.seen];
    let digest = to_hex(&sm3::digest(parts.join("\0").as_bytes()));
    let sql = Sql::new(
        "SELECT a.id, CASE WHEN m.received_at > a.settled_at THEN 1 ELSE 0 END, a.proven \
         FROM ledger_witness_alarm a LEFT JOIN ledger_witness_mark m \
         ON m.verifier_key = a.verifier_key WHERE a.digest = $1",
    );
    let (id, action, proven) = if let Some(row) = tx.fetch_one(sql.arg(digest.as_str())).await? {
        let id = String::from(row.text(0)?);
        if row.int(1)? == 0 {
            return Ok(Taken::Known(id));
        }
        let sql = Sql::new(
            "UPDATE ledger_witness_alarm SET version = version + 1, settled_at = NULL, \
             settled_by = NULL, reason = NULL, received_at = $1 WHERE id = $2",
        );
        tx.later([sql.arg(ctx.now_ms()).arg(id.as_str())]);
        (id, "reopened", row.int(2)? == 1)
    } else {
        let (id, proven) = fresh(ctx, tx, (alarm, organization, &digest), ledger).await?;
        (id, "alarmed", proven)
    };
    let body = json!({
        "organization": organization, "witness": key.name(), "kind": alarm.kind.code(),
        "detail": alarm.detail, "proven": proven,
    });
    outbox::announce(ctx, tx, (TABLE, action), &id, &body);
    audit::write(ctx, tx, audit::Entry { action, entity: TABLE, record: &id, body });
    Ok(Taken::Raised(id))
}

/// A row for an alarm that is not known; its number, and whether the two notes alone prove it.
async fn fresh(
    ctx: &Ctx,
    tx: &mut Tx,
    (alarm, organization, digest): (&Alarm, &str, &str),
    ledger: &Ledger,
) -> Result<(String, bool)> {
    let sql = Sql::new(
        "SELECT COUNT(*) FROM ledger_witness_alarm WHERE verifier_key = $1 AND settled_at IS NULL",
    );
    let open = tx.fetch_one(sql.arg(alarm.witness.as_str())).await?;
    if open.map_or(Ok(0), |row| row.int(0))? >= OPEN_MAX {
        let detail = format!("该见证方未处置的告警已有 {OPEN_MAX} 条，请先由平台处置");
        return Err(Problem::TooMany(detail));
    }
    let log = ledger.log_key()?;
    let by_log = |note: &Note| note.lines.iter().any(|line| line.is_by(&note.checkpoint, &log));
    let proven = alarm.is_proven(by_log);
    let id = ctx.new_id::<()>().to_string();
    let seen_at = i64::try_from(alarm.time_s).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000);
    let sql = Sql::new(
        "INSERT INTO ledger_witness_alarm (id, digest, verifier_key, organization, kind, detail, \
         proven, seen_at, received_at, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    );
    let sql = sql.arg(id.as_str()).arg(digest).arg(alarm.witness.as_str());
    let sql = sql.arg(organization).arg(alarm.kind.code()).arg(alarm.detail.as_str());
    let ahead = ctx.now_ms() + crate::witness_http::AHEAD_MS;
    let sql = sql.arg(i64::from(proven)).arg(seen_at.min(ahead)).arg(ctx.now_ms());
    let content = serde_json::to_string(&alarm).map_err(Problem::internal)?;
    tx.later([sql.arg(content)]);
    Ok((id, proven))
}
