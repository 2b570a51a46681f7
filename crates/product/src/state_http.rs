//! The doors of suspension and recall.

use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, Method},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{
    Access, Body, Ctx, Problem, Resource, Result, Route, Shape, Sql, Tx, audit, expected_version,
    outbox, sound_reason, time_text,
};

use crate::{
    product::Product,
    state::{ProductState, ProductVerb, RecallLevel},
};

/// Why the state of a product changes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cause {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// Why a product is recalled, and how urgently.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Recall {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
    /// 召回级别：first 一级、second 二级、third 三级
    level: Option<RecallLevel>,
}

pub(crate) fn routes() -> Vec<Route> {
    ProductVerb::ALL.into_iter().map(route).collect()
}

fn route(verb: ProductVerb) -> Route {
    let at = (Method::POST, format!("/api/v1/product/{{id}}/{}", verb.name()));
    let access = Access::permission(format!("product:{}", verb.right()));
    let summary = format!("{}{}", verb.label(), Product::TITLE);
    if verb == ProductVerb::Recall {
        let recall = move |ctx: Ctx,
                           Path(id): Path<String>,
                           headers: HeaderMap,
                           Body(body): Body<Recall>| async move {
            let Recall { reason, level } = body;
            let wrong = || {
                Problem::invalid("level", "请选择召回级别：first 一级、second 二级或 third 三级")
            };
            let level = Some(level.ok_or_else(wrong)?);
            act(&ctx, (&id, &headers), (verb, level), &reason).await
        };
        return Route::new(at, access, summary, recall).versioned().takes(Shape::of::<Recall>());
    }
    let change = move |ctx: Ctx,
                       Path(id): Path<String>,
                       headers: HeaderMap,
                       Body(body): Body<Cause>| async move {
        act(&ctx, (&id, &headers), (verb, None), &body.reason).await
    };
    Route::new(at, access, summary, change).versioned().takes(Shape::of::<Cause>())
}

async fn act(
    ctx: &Ctx,
    (id, headers): (&str, &HeaderMap),
    verb: (ProductVerb, Option<RecallLevel>),
    reason: &str,
) -> Result<Json<Value>> {
    let (reason, version) = (sound_reason(reason)?, expected_version(headers)?);
    let mut tx = ctx.begin().await?;
    let answer = turn(ctx, &mut tx, (id, version), verb, reason).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// Brings a product into the state that a verb leads to.
async fn turn(
    ctx: &Ctx,
    tx: &mut Tx,
    (id, version): (&str, i64),
    (verb, level): (ProductVerb, Option<RecallLevel>),
    reason: &str,
) -> Result<Value> {
    let missing = || Problem::NotFound(Product::TITLE);
    let stored = tx.get::<Product>(ctx, id.parse().map_err(|_| missing())?).await?;
    if stored.version != version {
        return Err(Problem::Stale(Product::TITLE));
    }
    let product = stored.data;
    let before = product.state.unwrap_or(ProductState::Active);
    let after = before.after(verb).ok_or_else(|| {
        let detail = format!("产品现为“{}”，不能{}", before.label(), verb.label());
        Problem::Conflict(detail)
    })?;
    let level = level.map(RecallLevel::code);
    let sql = Sql::new(
        "UPDATE product SET state = $1, recall_level = $2, state_reason = $3, state_since = $4, \
         version = version + 1, updated_at = $4, updated_by = $5 WHERE id = $6 AND version = $7",
    );
    let sql = sql.arg(after.code()).arg(level).arg(reason).arg(ctx.now_ms()).arg(ctx.actor());
    if tx.execute(sql.arg(id).arg(version)).await? == 0 {
        return Err(Problem::Stale(Product::TITLE));
    }
    let (entity, action) = (Product::TABLE, verb.action());
    let changes = json!({
        "state": [before, after],
        "state_since": [product.state_since, time_text(ctx.now_ms())?],
        "recall_level": [product.recall_level, level],
        "state_reason": [product.state_reason, reason],
    });
    audit::write(ctx, tx, audit::Entry { action, entity, record: id, body: changes });
    let fact = json!({
        "id": id, "code": product.code, "name": product.name, "region": product.region,
        "subject_id": product.subject_id, "state": after, "recall_level": level, "reason": reason,
    });
    outbox::announce(ctx, tx, (entity, action), id, &fact);
    Ok(json!({
        "id": id, "version": version + 1, "state": after, "recall_level": level,
        "state_reason": reason,
    }))
}
