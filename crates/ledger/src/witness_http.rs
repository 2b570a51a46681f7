//! What witnesses send: countersignatures and alarms. Open to the network, because the signature
//! is who they are; taken from registered witnesses alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, body::Bytes, http::Method};
use serde_json::{Value, json};
use yj_kernel::{Access, App, Ctx, Origin, Problem, Result, Route, Shape, Sql};
use yj_proof::{Alarm, Note, NoteKey};

use crate::{Ledger, witness::registered, witness_alarm};

/// Bytes of a note with a countersignature at most.
const NOTE_MAX: usize = 16 * 1024;
/// Signatures of such a note at most: the log's and the witness's, and some to spare.
const LINES_MAX: usize = 8;
/// A clock that is this far ahead is wrong.
pub(crate) const AHEAD_MS: i64 = 10 * 60_000;
/// Refused messages of one address in a minute.
const REFUSED_MAX: u32 = 60;
const MINUTE_MS: i64 = 60_000;
/// Addresses that are watched at once; beyond them the watch begins anew.
const ADDRESSES_MAX: usize = 10_000;

/// Refused messages by address.
#[derive(Clone, Default)]
struct Pace(Arc<Mutex<HashMap<String, (i64, u32)>>>);

impl Pace {
    /// Does something for a sender, unless too much of theirs was refused lately.
    async fn guard<T>(
        &self,
        (app, origin): (&App, &Origin),
        act: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let now = app.now().as_millisecond();
        let address = origin.address.map(|address| address.to_string()).unwrap_or_default();
        if self.refused(&address, now, 0) > REFUSED_MAX {
            return Err(Problem::TooMany(String::from("被拒绝的请求过多，请一分钟后再试")));
        }
        let done = act.await;
        if done.is_err() {
            self.refused(&address, now, 1);
        }
        done
    }

    fn refused(&self, address: &str, now: i64, by: u32) -> u32 {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= ADDRESSES_MAX {
            watched.clear();
        }
        let known = watched.entry(String::from(address)).or_insert((now, 0));
        if now - known.0 >= MINUTE_MS {
            *known = (now, 0);
        }
        known.1 += by;
        known.1
    }
}

/// The witnesses as people see them, and what witnesses send.
pub fn witness_routes(ledger: &Ledger) -> Vec<Route> {
    let signed = "见证方不登录；以所登记公钥的签名为凭";
    let (list, cosigned, alarmed, pace) =
        (ledger.clone(), ledger.clone(), ledger.clone(), Pace::default());
    let pace_too = pace.clone();
    vec![
        Route::new(
            (Method::GET, "/api/v1/ledger/witnesses"),
            Access::permission("ledger:read"),
            "见证方及其进度、告警",
            move |ctx: Ctx| async move {
                let mut tx = ctx.snapshot().await?;
                Ok::<_, Problem>(Json(list.witnesses(ctx.app(), &mut tx).await?))
            },
        ),
        witness_alarm::route(ledger),
        Route::public(
            (Method::POST, "/ledger/cosignatures"),
            signed,
            "提交见证签名",
            move |app: App, origin: Origin, bytes: Bytes| async move {
                pace.guard((&app, &origin), take(&cosigned, &app, &bytes)).await.map(Json)
            },
        )
        .takes(Shape::Bytes("text/plain"))
        .body_max(NOTE_MAX),
        Route::public(
            (Method::POST, "/ledger/alarms"),
            signed,
            "提交见证告警",
            move |app: App, origin: Origin, bytes: Bytes| async move {
                pace_too.guard((&app, &origin), object(&alarmed, &app, &bytes)).await.map(Json)
            },
        )
        .takes(Shape::Bytes("application/json"))
        .body_max(Alarm::BYTES_MAX),
    ]
}

fn unknown() -> Problem {
    let detail = "见证方未在本平台登记或已停用；请先把见证程序打印的公钥交平台登记";
    Problem::Forbidden(String::from(detail))
}

/// Takes a countersignature under a checkpoint of ours.
async fn take(ledger: &Ledger, app: &App, bytes: &[u8]) -> Result<Value> {
    let note = std::str::from_utf8(bytes).ok().and_then(|text| Note::read(text).ok());
    let note = note.filter(|note| note.lines.len() <= LINES_MAX).ok_or_else(|| {
        Problem::Malformed(String::from("请求体应为检查点及其下的见证签名（signed note 文本）"))
    })?;
    let mut tx = app.db().snapshot().await?;
    let mut taken = None;
    for line in note.lines.into_iter().filter(|line| line.time_s.is_some()) {
        let by = |key: &NoteKey| key.name() == line.name && key.id() == line.key_id;
        if let Some((key, _)) = registered(&mut tx, by).await? {
            taken = Some((key, line));
            break;
        }
    }
    drop(tx);
    let (key, line) = taken.ok_or_else(unknown)?;
    let signed_at = i64::try_from(line.time_s.unwrap_or_default()).unwrap_or(i64::MAX);
    let (signed_at, now) = (signed_at.saturating_mul(1_000), app.now().as_millisecond());
    if signed_at > now + AHEAD_MS {
        return Err(Problem::invalid("time", "见证时间超前 10 分钟以上，请校准见证方的时钟"));
    }
    ledger.keep_cosignature(&key, &note.checkpoint, line)?;
    let number = |value: u64| i64::try_from(value).map_err(Problem::internal);
    let (size, height) = (number(note.checkpoint.size)?, number(note.checkpoint.height)?);
    let sql = Sql::new(
        "INSERT INTO ledger_witness_mark (verifier_key, size, height, signed_at, received_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (verifier_key) DO UPDATE SET \
         size = excluded.size, height = excluded.height, signed_at = excluded.signed_at, \
         received_at = excluded.received_at WHERE excluded.height > ledger_witness_mark.height",
    );
    let mut tx = app.db().begin().await?;
    tx.execute(sql.arg(key.to_string()).arg(size).arg(height).arg(signed_at).arg(now)).await?;
    tx.commit().await?;
    Ok(json!({ "size": size, "height": height, "witness": key.name() }))
}

/// Takes an alarm of a registered witness.
async fn object(ledger: &Ledger, app: &App, bytes: &[u8]) -> Result<Value> {
    let (alarm, key) = Alarm::read(bytes)
        .map_err(|_| Problem::Malformed(String::from("请求体应为见证方签名的告警（yjalarm/1）")))?;
    let mut tx = app.db().snapshot().await?;
    let found = registered(&mut tx, |known| *known == key).await?;
    drop(tx);
    let (_, organization) = found.ok_or_else(unknown)?;
    let id = witness_alarm::take(ledger, app, (&alarm, &key, &organization)).await?;
    Ok(json!({ "id": id }))
}
