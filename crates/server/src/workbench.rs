//! 工作台: what waits for the one who has logged in, and how the area is doing.

use std::collections::BTreeMap;

use axum::{Json, http::Method};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Columns, Ctx, Entity, Problem, Reach, Result, Route, Scoping, Sql, Tx, review,
};
use yj_model::OffsetTime;
use yj_subject::REGISTERED;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new((Method::GET, "/api/v1/workbench"), Access::SignedIn, "工作台", workbench)]
}

/// How the daily counts say who may see them: they know no subject, and no label above 内部.
const ROLLUP_COLUMNS: Columns = Columns {
    region: Some("region"),
    category: Reach::Equal("domain"),
    stage: Reach::Equal("stage"),
    ..Columns::NONE
};

/// How many days the daily counts reach back.
const TREND_DAYS: i64 = 30;

async fn workbench(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let mut todo = Vec::new();
    let registers: [&Entity; 5] = [
        yj_subject::TRACE_SUBJECT,
        yj_subject::NODE,
        yj_subject::MERCHANT,
        yj_product::PRODUCT,
        yj_construction::DEVICE,
    ];
    let beside = [
        yj_subject::LICENCE,
        yj_subject::SITE,
        yj_subject::SUBJECT_ALIAS,
        yj_subject::SUBJECT_MERGER,
    ];
    let reviewed = registers.into_iter().chain(beside).filter(|register| register.reviewed);
    for register in reviewed {
        let (entity, title) = (register.table, register.title);
        if let Ok(ctx) = ctx.under(&format!("{entity}:review")) {
            let mut sql = Sql::new(
                "SELECT COUNT(*) FROM change_request WHERE state = 'submitted' AND entity = ",
            );
            sql.bind(entity);
            review::narrow_requests(&ctx, &mut sql, &tx, register);
            todo.push(json!({ "kind": entity, "title": format!("待审{title}变更"), "count": count(&mut tx, sql).await? }));
        }
    }
    if let Ok(ctx) = ctx.under("trace:review") {
        let count = events(&ctx, &mut tx, "AND state = 'held'").await?;
        todo.push(json!({ "kind": "trace_event", "title": "待审追溯数据", "count": count }));
    }
    if let Ok(ctx) = ctx.under("alarm:read") {
        let count = yj_identity::open_alarms(&ctx, &mut tx).await?;
        todo.push(json!({ "kind": "alarm", "title": "待处置告警", "count": count }));
    }
    if let Ok(ctx) = ctx.under("account:confirm") {
        let count = yj_identity::confirmations_waiting(&ctx, &mut tx).await?;
        let title = "待确认的管理员操作";
        todo.push(json!({ "kind": "account_request", "title": title, "count": count }));
    }
    let mut figures = Vec::new();
    for register in registers {
        let (entity, title) = (register.table, register.title);
        if let Ok(ctx) = ctx.under(&format!("{entity}:read")) {
            let query = if entity == yj_subject::TRACE_SUBJECT.table { REGISTERED } else { "" };
            // The number of the very list that the tile leads to.
            let value = yj_kernel::size(&ctx, &mut tx, register, query).await?;
            figures.push(json!({ "kind": entity, "title": title, "value": value, "query": query }));
        }
    }
    let mut trend = Vec::new();
    if let Ok(ctx) = ctx.under("trace:read") {
        let days = days_until(ctx.now_ms())?;
        let mut sql =
            Sql::new("SELECT day, CAST(SUM(events) AS BIGINT) FROM trace_rollup WHERE day >= ");
        sql.bind(days[0].as_str());
        ctx.scope().narrow(&mut sql, &tx, Scoping::By(ROLLUP_COLUMNS));
        sql.push(" GROUP BY day");
        let rows = tx.fetch(sql).await?;
        let counted = rows
            .iter()
            .map(|row| Ok((String::from(row.text(0)?), row.int(1)?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        // A day on which nothing happened is a day.
        trend = days
            .iter()
            .map(|day| json!({ "day": day, "events": counted.get(day).unwrap_or(&0) }))
            .collect();
    }
    Ok(Json(json!({ "todo": todo, "figures": figures, "trend": trend, "notices": [] })))
}

/// Days of the calendar in Beijing up to a moment (Unix ms), that of the moment last.
fn days_until(now: i64) -> Result<Vec<String>> {
    const DAY_MS: i64 = 86_400_000;
    let day = |back: i64| {
        let at = OffsetTime::from_parts(now - back * DAY_MS, 8 * 60).map_err(Problem::internal)?;
        Ok(at.beijing_day().to_string())
    };
    (0..TREND_DAYS).rev().map(day).collect()
}

async fn count(tx: &mut Tx, sql: Sql) -> Result<i64, Problem> {
    tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))
}

async fn events(ctx: &Ctx, tx: &mut Tx, tail: &'static str) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM trace_event e WHERE 1 = 1 ");
    sql.push(tail);
    ctx.scope().narrow(&mut sql, tx, Scoping::By(yj_trace::EVENT_COLUMNS));
    count(tx, sql).await
}
