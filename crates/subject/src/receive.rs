//! 接收 (G-6.2.2-1): subjects pushed by their own systems and by other platforms. The same content
//! twice is one record.

use axum::{
    Json,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Entity, Object, Problem, Result, Route, Shape, Sql, Tx, review,
};
use yj_model::Id;

use crate::{
    arrival::{Arrival, register_a_site, text},
    conflict::{self, Channel, Claim, overlaid},
    lookup::{self, SubjectBrief},
    person,
    subject::TraceSubject,
};

/// 接收
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            (Method::POST, "/api/v1/trace_subject/receive"),
            Access::permission("trace_subject:receive"),
            "接收其他系统推送的追溯主体",
            receive,
        )
        .takes(Shape::Record(Entity::of::<TraceSubject>())),
    ]
}

async fn receive(ctx: Ctx, Body(body): Body<Object>) -> Result<(StatusCode, Json<Value>)> {
    let answer = push(&ctx, body).await?;
    let done = answer["repeated"] == true || answer["result"] == "same";
    Ok((if done { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(answer)))
}

/// Takes a subject that another system pushes, once however often it comes. The answer's `result` is
/// `filed`, `changed`, `same` or `conflict`, and names what came of it; fails where the record itself is
/// not acceptable, or its code belongs to a site (G-6.2.2-1).
pub async fn push(ctx: &Ctx, mut body: Object) -> Result<Value> {
    let mut tx = ctx.begin().await?;
    if text(&body, "source_system").trim().is_empty() {
        body.insert(String::from("source_system"), ctx.actor().into());
    }
    let content = Value::Object(body.clone()).to_string();
    let digest = ctx.app().vault().blind("subject_receipt.digest", &content)?;
    // Whoever comes second waits for the first, and then finds its answer.
    let claim = Sql::new(
        "INSERT INTO subject_receipt (digest, at, answer) VALUES ($1, $2, '') ON CONFLICT DO NOTHING",
    );
    if tx.execute(claim.arg(digest.as_str()).arg(ctx.now_ms())).await? == 0 {
        let known = Sql::new("SELECT answer FROM subject_receipt WHERE digest = $1");
        let known = tx.fetch_one(known.arg(digest)).await?;
        let known = known.ok_or_else(|| Problem::internal("a receipt that was there is gone"))?;
        let mut answer: Value = known.json(0)?;
        answer["repeated"] = true.into();
        return Ok(answer);
    }
    let mut answer = settle(ctx, &mut tx, body).await?;
    let keep = Sql::new("UPDATE subject_receipt SET answer = $1 WHERE digest = $2");
    tx.execute(keep.arg(answer.to_string()).arg(digest)).await?;
    tx.commit().await?;
    answer["repeated"] = false.into();
    Ok(answer)
}

/// What becomes of it; the answer names records and holds nothing of what came.
async fn settle(ctx: &Ctx, tx: &mut Tx, body: Object) -> Result<Value> {
    let ours = match Arrival::of(ctx, tx, &body).await? {
        Arrival::Unknown => {
            let request = person::file(ctx, tx, body).await?;
            let code = &request["body"]["code"];
            return Ok(json!({ "result": "filed", "change_request": request["id"], "code": code }));
        }
        Arrival::Elsewhere(ours) => return Err(register_a_site(&ours.code)),
        Arrival::Renamed(ours) => {
            let claim = Claim { ours: &ours, body: &body, channel: Channel::Api };
            let conflict = conflict::file(ctx, tx, claim).await?;
            return Ok(json!({ "result": "conflict", "conflict": conflict, "code": ours.code }));
        }
        Arrival::Same(ours) => ours,
        Arrival::Person(ours) => {
            if !is_reached(ctx, tx, &ours).await? {
                return Err(person::already(ctx, tx, &ours).await);
            }
            ours
        }
    };
    Ok(match renew(ctx, tx, &ours, body).await? {
        None => json!({ "result": "same", "code": ours.code }),
        Some(request) => {
            json!({ "result": "changed", "change_request": request["id"], "code": ours.code })
        }
    })
}

/// Whether a subject is within the sender's reach.
pub(crate) async fn is_reached(ctx: &Ctx, tx: &mut Tx, ours: &SubjectBrief) -> Result<bool> {
    match lookup::require_reach(ctx, tx, ("code", &ours.id)).await {
        Ok(()) => Ok(true),
        Err(Problem::Invalid(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Asks for a change where something that came differs from what is registered; `None` where
/// nothing does, or where the record is somebody else's to keep.
pub(crate) async fn renew(
    ctx: &Ctx,
    tx: &mut Tx,
    ours: &SubjectBrief,
    mut body: Object,
) -> Result<Option<Value>> {
    // Where a subject came from first stays.
    body.remove("source_system");
    let id: Id<TraceSubject> = ours.id.parse().map_err(Problem::internal)?;
    let stored = match tx.get::<TraceSubject>(ctx, id).await {
        // That it is registered is all there is to say.
        Err(Problem::NotFound(_)) => return Ok(None),
        other => other?,
    };
    let before = overlaid(&stored.data, Object::new())?;
    let after = overlaid(&stored.data, body)?;
    if before == after {
        return Ok(None);
    }
    let (entity, target) = (Entity::of::<TraceSubject>(), Some((ours.id.as_str(), stored.version)));
    review::propose(ctx, tx, entity, target, after).await.map(Some)
}
