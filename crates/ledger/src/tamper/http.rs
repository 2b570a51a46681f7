//! Passes, findings and reports over HTTP.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{Method, StatusCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use yj_kernel::{Access, Body, Ctx, Param, Problem, Result, Route, Shape, sound_reason, transfer};

use super::{
    Tamper,
    finding::What,
    keep::{self, Kind, Settling},
    report,
};

/// Findings of one answer.
const PAGE: i64 = 100;
/// Passes of one answer.
const PASSES: i64 = 60;

/// Why a finding is acknowledged or resolved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 理由
    #[schemars(length(min = 2, max = 500))]
    reason: String,
}

/// The routes of the tamper audit.
pub fn routes(tamper: &Tamper) -> Vec<Route> {
    let may = || Access::permission("ledger:check");
    let (state, asked, listed, reported) =
        (tamper.clone(), tamper.clone(), tamper.clone(), tamper.clone());
    let mut routes = vec![
        Route::new(
            (Method::GET, "/api/v1/ledger/tamper"),
            Access::permission("ledger:read"),
            "防篡改检查的状态",
            move |ctx: Ctx| async move { summary(&ctx, &state).await.map(Json) },
        ),
        Route::new(
            (Method::GET, "/api/v1/ledger/passes"),
            may(),
            "防篡改检查",
            move |ctx: Ctx| async move { passes(&ctx, &listed).await.map(Json) },
        ),
        Route::new(
            (Method::POST, "/api/v1/ledger/passes"),
            may(),
            "要求全面检查",
            move |ctx: Ctx| async move {
                let id = asked.ask(&ctx).await?;
                Ok::<_, Problem>((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
            },
        ),
        Route::new(
            (Method::GET, "/api/v1/ledger/passes/{id}"),
            may(),
            "一次防篡改检查",
            |ctx: Ctx, Path(id): Path<String>| async move {
                let mut tx = ctx.snapshot().await?;
                Ok::<_, Problem>(Json(keep::one_pass(&mut tx, &id).await?))
            },
        ),
        Route::new(
            (Method::GET, "/api/v1/ledger/passes/{id}/report"),
            may(),
            "签名的检查报告",
            move |ctx: Ctx, Path(id): Path<String>| async move {
                let mut tx = ctx.snapshot().await?;
                let bytes = report::make(&ctx, &mut tx, (&reported.0.ledger, &id)).await?;
                let name = report_name(&keep::one_pass(&mut tx, &id).await?["began"]);
                Ok::<_, Problem>(transfer::download(&name, "application/json", bytes.into()))
            },
        )
        .gives(Shape::Bytes("application/json")),
        Route::new(
            (Method::GET, "/api/v1/ledger/findings"),
            may(),
            "防篡改检查的发现",
            |ctx: Ctx, RawQuery(query): RawQuery| async move {
                findings(&ctx, &query.unwrap_or_default()).await.map(Json)
            },
        )
        .query(&[
            Param { name: "state", label: "open、acknowledged 或 resolved", required: false },
            Param { name: "after", label: "上一页答复中的 next", required: false },
        ]),
    ];
    for (verb, settling, title) in [
        ("acknowledge", Settling::Acknowledge, "确认知悉检查发现"),
        ("resolve", Settling::Resolve, "办结检查发现"),
    ] {
        let settle = move |ctx: Ctx, Path(id): Path<String>, Body(body): Body<Reason>| async move {
            let reason = sound_reason(&body.reason)?;
            let mut tx = ctx.begin().await?;
            let answer = keep::settle(&ctx, &mut tx, (&id, settling), reason).await?;
            let (open, handled) = keep::open(&mut tx).await?;
            tx.commit().await?;
            Tamper::figures(ctx.app(), open + handled);
            Ok::<_, Problem>(Json(answer))
        };
        let path = format!("/api/v1/ledger/findings/{{id}}/{verb}");
        routes.push(
            Route::new((Method::POST, path), may(), title, settle).takes(Shape::of::<Reason>()),
        );
    }
    routes
}

/// For everybody who may see the ledger: whether anything is open, and when it was last looked at.
async fn summary(ctx: &Ctx, tamper: &Tamper) -> Result<Value> {
    let mut tx = ctx.snapshot().await?;
    let (open, acknowledged) = keep::open(&mut tx).await?;
    let full = keep::passes(&mut tx, Kind::Full, 5).await?;
    let last = full.iter().find(|pass| pass["state"] == "done");
    let sample = keep::passes(&mut tx, Kind::Sample, 1).await?;
    Ok(json!({
        "open": open, "acknowledged": acknowledged,
        "last_full": last, "last_sample": sample.first(),
        "next_full_at": yj_kernel::time_text(tamper.next_at(ctx.now)?.as_millisecond())?,
    }))
}

async fn passes(ctx: &Ctx, tamper: &Tamper) -> Result<Value> {
    let mut answer = summary(ctx, tamper).await?;
    let mut tx = ctx.snapshot().await?;
    answer["items"] = keep::passes(&mut tx, Kind::Full, PASSES).await?.into();
    answer["samples"] = keep::passes(&mut tx, Kind::Sample, PASSES).await?.into();
    Ok(answer)
}

/// What the report of a pass that began then is called, by the minute.
fn report_name(began: &Value) -> String {
    let minute = began.as_str().and_then(|began| began.get(..16)).unwrap_or_default();
    format!("防篡改检查-{}.json", minute.replace(['T', ':'], "-"))
}

async fn findings(ctx: &Ctx, query: &str) -> Result<Value> {
    let given = |name: &str| {
        let of = |pair: &'_ str| {
            pair.split_once('=')
                .filter(|(key, value)| *key == name && !value.is_empty())
                .map(|(_, value)| String::from(value))
        };
        query.split('&').find_map(of)
    };
    let (state, after) = (given("state"), given("after"));
    if state.as_deref().is_some_and(|state| !["open", "acknowledged", "resolved"].contains(&state))
    {
        return Err(Problem::invalid("state", "应为 open、acknowledged 或 resolved"));
    }
    let mut tx = ctx.snapshot().await?;
    let items = keep::findings(&mut tx, (state.as_deref(), after.as_deref()), PAGE).await?;
    let full = i64::try_from(items.len()).is_ok_and(|count| count == PAGE);
    let next = items.last().filter(|_| full).map(|last| last["id"].clone());
    Ok(json!({ "items": items, "next": next, "titles": titles() }))
}

/// 中文名称 of what can be found.
fn titles() -> Value {
    let named = What::ALL.iter().map(|what| (String::from(what.code()), Value::from(what.title())));
    Value::Object(named.collect())
}
