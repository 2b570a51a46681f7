//! 导出审批 (S-13, S-33): what takes many rows out of the platform waits until somebody else, whose
//! reach covers every one of them, has agreed.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Access, Body, Ctx, Problem, Result, Route, Row, Shape, Sql, Tx, audit,
    dataset::{Asked, Collection},
    field,
    http::sound_reason,
    jobs,
    transfer::EXPORT_MAX,
};

/// Name of the background work that makes an export's file.
pub(crate) const KIND: &str = "register.export";
/// Right to agree to other people's exports.
const PERMISSION: &str = "export:approve";
/// Requests shown at once; the oldest come first.
const SHOWN: i64 = 50;

const WAITING: &str = "SELECT id, title, params, created_by, created_at, rows_asked FROM job \
                       WHERE kind = $1 AND approval = 'needed' AND state = 'queued'";

pub(crate) fn routes() -> Vec<Route> {
    let may = || Access::permission(PERMISSION);
    let decide = |verdict: Verdict| {
        move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Word>| async move {
            decide(&ctx, &id, (verdict, &body.reason)).await
        }
    };
    let at = |tail: &str| (Method::POST, format!("/api/v1/exports/{{id}}/{tail}"));
    vec![
        Route::new((Method::GET, "/api/v1/exports"), may(), "待批准的导出", waiting),
        Route::new(at("approve"), may(), "批准导出", decide(Verdict::Approve))
            .takes(Shape::of::<Word>())
            .fresh(),
        Route::new(at("refuse"), may(), "不批准导出", decide(Verdict::Refuse))
            .takes(Shape::of::<Word>()),
    ]
}

/// Why an export is or is not approved; kept in the audit trail.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Word {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Approve,
    Refuse,
}

/// A request for many rows.
struct Request {
    id: String,
    title: String,
    collection: Collection,
    query: String,
    created_by: String,
    created_at: i64,
    rows: i64,
}

async fn read(ctx: &Ctx, tx: &mut Tx, row: &Row) -> Result<Request> {
    let id = row.text(0)?;
    let key = jobs::key_of(ctx.app(), tx, id).await?;
    let params = jobs::open(&key, ("job.params", id), row.text(2)?)?;
    Ok(Request {
        id: String::from(id),
        title: String::from(row.text(1)?),
        collection: Collection::of_job(ctx.app(), &params)?,
        query: String::from(params["query"].as_str().unwrap_or_default()),
        created_by: String::from(row.text(3)?),
        created_at: row.int(4)?,
        rows: row.int_opt(5)?.unwrap_or_default(),
    })
}

/// Whether every row asked for lies within reach of the one who is to agree. The rights of the one
/// who asks count as they stand now.
async fn within_reach(ctx: &Ctx, request: &Request) -> Result<bool> {
    let (collection, read) = (request.collection, request.collection.permission());
    let Ok(asking) = ctx.app().on_behalf_of(&request.created_by, &read).await else {
        return Ok(false);
    };
    let mut tx = ctx.snapshot().await?;
    let (app, query) = (ctx.app(), request.query.as_str());
    let theirs = Asked { query, scopes: &[asking.scope()] };
    let both = Asked { query, scopes: &[asking.scope(), ctx.scope()] };
    let asked = collection.size(app, &mut tx, theirs, EXPORT_MAX).await?;
    Ok(asked == collection.size(app, &mut tx, both, EXPORT_MAX).await?)
}

async fn waiting(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let mut sql = Sql::new(WAITING).arg(KIND);
    sql.push(" AND created_by <> ").bind(ctx.actor());
    sql.push(" ORDER BY id LIMIT ").bind(SHOWN);
    let mut requests = Vec::new();
    for row in tx.fetch(sql).await? {
        requests.push(read(&ctx, &mut tx, &row).await?);
    }
    drop(tx);
    let mut items = Vec::new();
    for request in requests {
        if within_reach(&ctx, &request).await? {
            items.push(json!({
                "id": request.id, "title": request.title, "dataset": request.collection.title(),
                "query": request.collection.redacted(&request.query),
                "rows": request.rows, "created_by": request.created_by,
                "created_at": field::time_text(request.created_at)?,
            }));
        }
    }
    Ok(Json(json!({ "items": items })))
}

async fn decide(ctx: &Ctx, id: &str, (verdict, reason): (Verdict, &str)) -> Result<StatusCode> {
    let missing = || Problem::NotFound("导出申请");
    let reason = sound_reason(reason)?;
    let mut tx = ctx.snapshot().await?;
    let mut sql = Sql::new(WAITING).arg(KIND);
    sql.push(" AND id = ").bind(id);
    let row = tx.fetch_one(sql).await?.ok_or_else(missing)?;
    let request = read(ctx, &mut tx, &row).await?;
    drop(tx);
    if request.created_by == ctx.actor() {
        let detail = "导出申请须由他人批准";
        return Err(Problem::Forbidden(String::from(detail)));
    }
    if !within_reach(ctx, &request).await? {
        return Err(missing());
    }
    let mut tx = ctx.begin().await?;
    let (approval, state, action) = match verdict {
        Verdict::Approve => ("given", "queued", "approved"),
        Verdict::Refuse => ("refused", "cancelled", "refused"),
    };
    let sql = Sql::new(
        "UPDATE job SET approval = $1, state = $2, decided_by = $3, decided_at = $4, decision = $5 \
         WHERE id = $6 AND approval = 'needed' AND state = 'queued'",
    );
    let sql = sql.arg(approval).arg(state).arg(ctx.actor()).arg(ctx.now_ms()).arg(reason);
    if tx.execute(sql.arg(id)).await? == 0 {
        return Err(Problem::Conflict(String::from("该申请已处理")));
    }
    let body = json!({
        "dataset": request.collection.name(), "rows": request.rows, "recipient": request.created_by,
        "query": request.collection.redacted(&request.query), "reason": reason,
    });
    audit::write(ctx, &mut tx, audit::Entry { action, entity: "export", record: id, body });
    tx.commit().await?;
    jobs::wake(ctx.app());
    Ok(StatusCode::NO_CONTENT)
}
