//! 工作台: what waits for the one who has logged in, and how the area is doing.

use axum::{Json, http::Method, routing::get};
use serde_json::{Value, json};
use yj_kernel::{Access, Ctx, Problem, Result, Route, Scoping, Sql, Tx};

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new((Method::GET, "/api/v1/workbench"), Access::SignedIn, "工作台", get(workbench))]
}

async fn workbench(ctx: Ctx) -> Result<Json<Value>> {
    let mut tx = ctx.snapshot().await?;
    let mut todo = Vec::new();
    for (entity, title) in [("trace_subject", "追溯主体变更"), ("product", "重要产品变更")]
    {
        if let Ok(ctx) = ctx.under(&format!("{entity}:review")) {
            let mut sql = Sql::new(
                "SELECT COUNT(*) FROM change_request WHERE state = 'submitted' AND entity = ",
            );
            sql.bind(entity);
            let scoping = Scoping::By { region: Some("region"), subject: Some("subject_id") };
            ctx.scope().narrow(&mut sql, scoping);
            todo.push(json!({ "kind": entity, "title": format!("待审{title}"), "count": count(&mut tx, sql).await? }));
        }
    }
    if let Ok(ctx) = ctx.under("trace:review") {
        let count = events(&ctx, &mut tx, "AND state = 'held'").await?;
        todo.push(json!({ "kind": "trace_event", "title": "待审追溯数据", "count": count }));
    }
    let mut figures = Vec::new();
    for (entity, title, region, subject) in [
        ("trace_subject", "追溯主体", "region", "id"),
        ("product", "重要产品", "region", "subject_id"),
    ] {
        if let Ok(ctx) = ctx.under(&format!("{entity}:read")) {
            let mut sql = Sql::new("SELECT COUNT(*) FROM ");
            sql.push(entity).push(" WHERE 1 = 1");
            ctx.scope()
                .narrow(&mut sql, Scoping::By { region: Some(region), subject: Some(subject) });
            figures.push(
                json!({ "kind": entity, "title": title, "value": count(&mut tx, sql).await? }),
            );
        }
    }
    let mut trend = Vec::new();
    if let Ok(ctx) = ctx.under("trace:read") {
        let mut sql =
            Sql::new("SELECT day, CAST(SUM(events) AS BIGINT) FROM trace_rollup WHERE 1 = 1");
        ctx.scope().narrow(&mut sql, Scoping::By { region: Some("region"), subject: None });
        sql.push(" GROUP BY day ORDER BY day DESC LIMIT 30");
        for row in tx.fetch(sql).await?.iter().rev() {
            let events = row.int(1)?;
            trend.push(json!({ "day": row.text(0)?, "events": events }));
        }
    }
    Ok(Json(json!({ "todo": todo, "figures": figures, "trend": trend, "notices": [] })))
}

async fn count(tx: &mut Tx, sql: Sql) -> Result<i64, Problem> {
    tx.fetch_one(sql).await?.map_or(Ok(0), |row| row.int(0))
}

async fn events(ctx: &Ctx, tx: &mut Tx, tail: &'static str) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM trace_event WHERE 1 = 1 ");
    sql.push(tail);
    ctx.scope()
        .narrow(&mut sql, Scoping::By { region: Some("region"), subject: Some("subject_id") });
    count(tx, sql).await
}
