//! The doors of domains: what there is, for everybody who is signed in; uploads, for the platform's
//! administrators.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, Body, Ctx, Param, Problem, Result, Route, Shape, sound_reason, transfer};

use crate::{
    domains::current,
    upload::{self, Step},
};

const PATH: &str = "/api/v1/domains";

/// Why an upload is put into use or taken out of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Word {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    let may = |verb: &str| Access::permission(format!("domain:{verb}"));
    let at = |tail: &str| (Method::POST, format!("{PATH}/packs/{{id}}/{tail}"));
    let take = |step: Step| {
        move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Word>| async move {
            advance(&ctx, (&id, step, &body.reason)).await
        }
    };
    let any = || Shape::Json(json!({ "type": "object", "title": "领域包" }));
    vec![
        Route::new((Method::GET, PATH), Access::SignedIn, "领域包", summaries),
        Route::new(
            (Method::GET, format!("{PATH}/{{code}}")),
            Access::SignedIn,
            "领域包全文",
            whole,
        )
        .query(&[Param { name: "version", label: "版本；缺省为现行的", required: false }]),
        Route::new((Method::POST, PATH), may("write"), "上传领域包", upload).takes(any()),
        Route::new((Method::POST, format!("{PATH}/check")), may("write"), "检查领域包", check)
            .takes(any()),
        Route::new((Method::GET, format!("{PATH}/packs")), may("read"), "领域包各版本", list),
        Route::new((Method::GET, format!("{PATH}/packs/{{id}}")), may("read"), "下载领域包", file)
            .gives(Shape::Bytes("application/json")),
        Route::new(at("activate"), may("approve"), "启用领域包", take(Step::Activate))
            .takes(Shape::of::<Word>())
            .fresh(),
        Route::new(at("retire"), may("approve"), "停用领域包", take(Step::Retire))
            .takes(Shape::of::<Word>())
            .fresh(),
        Route::new(at("discard"), may("write"), "作废领域包", take(Step::Discard))
            .takes(Shape::of::<Word>()),
    ]
}

async fn summaries(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let (domains, day) = (current(&mut tx).await?, ctx.today());
    let item = |pack: &std::sync::Arc<crate::Pack>| {
        json!({
            "code": pack.code, "name": pack.name, "version": pack.version,
            "effective_on": pack.effective_on,
            "stages": pack.stages.iter().map(|stage| &stage.stage).collect::<Vec<_>>(),
            "accepts": domains.in_force(&pack.code, day).is_some(),
        })
    };
    Ok(Json(domains.all_shown(day).map(item).collect()))
}

async fn whole(
    ctx: Ctx,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let mut wanted = None;
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "version" {
            return Err(Problem::invalid(name, "没有这个查询条件"));
        }
        let version = text.parse().map_err(|detail: String| Problem::invalid("version", detail))?;
        wanted = Some(version);
    }
    let mut tx = ctx.snapshot().await?;
    let domains = current(&mut tx).await?;
    let pack = match wanted {
        Some(version) => domains.version(&code, version),
        None => domains.shown(&code, ctx.today()),
    };
    pack.map(|pack| Json(json!(**pack))).ok_or(Problem::NotFound("领域"))
}

async fn check(ctx: Ctx, Body(document): Body<Value>) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(upload::examine(&mut tx, &document).await?))
}

async fn upload(ctx: Ctx, Body(document): Body<Value>) -> Result<Response> {
    let mut tx = ctx.begin().await?;
    let kept = upload::upload(&ctx, &mut tx, &document).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(kept)).into_response())
}

async fn list(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    Ok(Json(upload::list(&ctx, &mut tx).await?))
}

async fn file(ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    let mut tx = ctx.snapshot().await?;
    let (name, bytes) = upload::document(&mut tx, &id).await?;
    Ok(transfer::download(&name, "application/json", bytes.into()))
}

async fn advance(ctx: &Ctx, (id, step, reason): (&str, Step, &str)) -> Result<Json<Value>> {
    let reason = sound_reason(reason)?;
    let mut tx = ctx.begin().await?;
    let kept = upload::advance(ctx, &mut tx, (id, step, reason)).await?;
    tx.commit().await?;
    Ok(Json(kept))
}
