//! 吊销: from the next block on a key no longer counts. What it signed before stays proved.

use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, Method},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Problem, Resource as _, Result, Route, Shape, Sql, Tx, audit,
    expected_version, outbox, sound_reason,
};
use yj_ledger::Ledger;
use yj_model::Id;

use crate::{EVIDENCE_KEY, EvidenceKey, key::order};

/// Why a key no longer counts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

pub(crate) fn route(ledger: &Ledger) -> Route {
    let ledger = ledger.clone();
    let act = move |ctx: Ctx,
                    Path(id): Path<String>,
                    headers: HeaderMap,
                    Body(body): Body<Revocation>| {
        let ledger = ledger.clone();
        async move {
            let reason = sound_reason(&body.reason)?;
            let version = expected_version(&headers)?;
            let mut tx = ctx.begin().await?;
            let answer = revoke(&ctx, &mut tx, (&id, version), reason).await?;
            tx.commit().await?;
            ledger.ring();
            Ok::<_, Problem>(Json(answer))
        }
    };
    Route::new(
        (Method::POST, "/api/v1/evidence_key/{id}/revoke"),
        Access::Permission(EVIDENCE_KEY.permission("revoke")),
        "吊销存证密钥",
        act,
    )
    .versioned()
    .takes(Shape::of::<Revocation>())
}

async fn revoke(ctx: &Ctx, tx: &mut Tx, (id, version): (&str, i64), reason: &str) -> Result<Value> {
    let id: Id<EvidenceKey> = id.parse().map_err(|_| Problem::NotFound(EvidenceKey::TITLE))?;
    tx.lock(EvidenceKey::TABLE, id).await?;
    let stored = tx.get(ctx, id).await?;
    if stored.version != version {
        return Err(Problem::Stale(EvidenceKey::TITLE));
    }
    if stored.data.state.as_deref() != Some("active") {
        return Err(Problem::Conflict(String::from("该密钥已吊销")));
    }
    let sql = Sql::new(
        "UPDATE evidence_key SET version = version + 1, state = 'revoked', updated_at = $1, \
         updated_by = $2 WHERE id = $3 AND state = 'active'",
    );
    let sql = sql.arg(ctx.now_ms()).arg(ctx.actor()).arg(id);
    if tx.execute(sql).await? == 0 {
        return Err(Problem::Stale(EvidenceKey::TITLE));
    }
    order(ctx, tx, &stored.data, false)?;
    let record = id.to_string();
    let body = json!({ "state": ["active", "revoked"], "reason": reason });
    outbox::announce(ctx, tx, (EvidenceKey::TABLE, "revoked"), &record, &body);
    let entry =
        audit::Entry { action: "revoked", entity: EvidenceKey::TABLE, record: &record, body };
    audit::write(ctx, tx, entry);
    Ok(json!({ "id": record, "version": version + 1, "state": "revoked" }))
}
