//! What operators and integrators ask: is it alive, is it ready, how is it doing, what can it do.

use axum::{
    Json,
    http::{Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde_json::{Value, json};
use yj_kernel::{Access, App, Problem, Route, Sql, openapi};

/// `/health/*`, `/metrics` and the description of all routes.
pub(crate) fn routes(app: &App, others: &[Route]) -> Vec<Route> {
    let open = |why| Access::Public(why);
    let description = openapi(app.platform(), others, app.entities());
    let describe = move |_: App| {
        let description: Value = description.clone();
        async move { Json(description) }
    };
    vec![
        Route::new(
            (Method::GET, "/health/live"),
            open("负载均衡探测"),
            "存活",
            get(|_: App| async { "alive" }),
        ),
        Route::new((Method::GET, "/health/ready"), open("负载均衡探测"), "就绪", get(ready)),
        Route::new((Method::GET, "/metrics"), open("不含业务数据"), "运行指标", get(metrics)),
        Route::new(
            (Method::GET, "/openapi.json"),
            open("接口规范应公开"),
            "接口规范",
            get(describe),
        ),
    ]
}

async fn ready(app: App) -> Result<Json<Value>, Problem> {
    let mut tx = app.db().snapshot().await?;
    tx.fetch(Sql::new("SELECT COUNT(*) FROM migration")).await?;
    Ok(Json(json!({ "ready": true, "uptime_s": app.uptime().as_secs() })))
}

async fn metrics(app: App) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (StatusCode::OK, kind, app.metrics().render())
}
