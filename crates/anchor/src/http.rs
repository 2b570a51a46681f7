//! What stands outside, and anchoring on demand.

use axum::{Json, extract::RawQuery, http::Method};
use serde_json::{Value, json};
use yj_kernel::{Access, Ctx, Param, Problem, Result, Route};
use yj_ledger::Ledger;

use crate::{Anchoring, outbox};

const PATH: &str = "/api/v1/ledger/anchors";
/// Anchors of one answer.
const PAGE: i64 = 50;
/// An identifier has this many letters at most.
const ID_MAX: usize = 64;

/// The routes of this crate.
pub fn routes(anchoring: &Anchoring, ledger: &Ledger) -> Vec<Route> {
    let (shown, asked, ledger) = (anchoring.clone(), anchoring.clone(), ledger.clone());
    vec![
        Route::new(
            (Method::GET, PATH),
            Access::permission("ledger:read"),
            "外部锚定",
            move |ctx: Ctx, RawQuery(query): RawQuery| {
                let anchoring = shown.clone();
                async move { list(&ctx, &anchoring, &query.unwrap_or_default()).await.map(Json) }
            },
        )
        .query(&[Param {
            name: "after", label: "上一页最后一条的标识", required: false
        }]),
        Route::new(
            (Method::POST, PATH),
            Access::permission("ledger:anchor"),
            "立即锚定",
            move |ctx: Ctx| {
                let (anchoring, ledger) = (asked.clone(), ledger.clone());
                async move {
                    let id = anchoring.ask(&ctx, &ledger).await?;
                    Ok::<_, Problem>(Json(json!({ "id": id })))
                }
            },
        ),
    ]
}

async fn list(ctx: &Ctx, anchoring: &Anchoring, query: &str) -> Result<Value> {
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let after = after.filter(|after| !after.is_empty());
    if after.is_some_and(|after| after.len() > ID_MAX) {
        return Err(Problem::invalid("after", "应为上一页最后一条的标识"));
    }
    let mut tx = ctx.snapshot().await?;
    let entries = outbox::page(&mut tx, after, PAGE).await?;
    let full = i64::try_from(entries.len()).is_ok_and(|count| count == PAGE);
    let next = entries.last().filter(|_| full).map(|entry| entry.id.clone());
    let items = entries.iter().map(outbox::Entry::json).collect::<Result<Vec<_>>>()?;
    let mut answer = anchoring.describe();
    answer["items"] = items.into();
    answer["next"] = next.into();
    Ok(answer)
}
