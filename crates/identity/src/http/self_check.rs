//! 等保自查: what assessors and administrators ask of the controls.

use axum::{Json, extract::RawQuery, http::Method};
use serde_json::Value;
use yj_kernel::{Access, Ctx, Param, Problem, Result, Route};

use crate::{Identity, self_check};

pub(super) fn routes(identity: &Identity) -> Vec<Route> {
    let (shown, checked) = (identity.clone(), identity.clone());
    let read = move |ctx: Ctx| async move { shown.state_of_controls(&ctx).await.map(Json) };
    let run = move |ctx: Ctx| async move {
        checked.check_controls(ctx.app()).await?;
        checked.state_of_controls(&ctx).await.map(Json)
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/self-check"),
            Access::permission("self_check:read"),
            "等保自查",
            read,
        ),
        Route::new(
            (Method::POST, "/api/v1/self-check/run"),
            Access::permission("self_check:run"),
            "立即自查",
            run,
        ),
        Route::new(
            (Method::GET, "/api/v1/self-check/history"),
            Access::permission("self_check:read"),
            "一项控制的历次自查",
            history,
        )
        .query(&[Param { name: "number", label: "编号，如 S-16", required: true }]),
    ]
}

async fn history(ctx: Ctx, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let query = query.unwrap_or_default();
    let number = form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, text)| (name == "number").then(|| text.into_owned()))
        .ok_or_else(|| Problem::invalid("number", "请给出编号，如 S-16"))?;
    let mut tx = ctx.snapshot().await?;
    self_check::history(&mut tx, &number).await.map(Json)
}
