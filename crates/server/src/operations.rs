//! What operators and integrators ask: is it alive, is it ready, how is it doing, what can it do.

use axum::{
    Json,
    http::{Method, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use yj_kernel::{App, Problem, Route, Sql};

/// `/health/*`, `/metrics` and the description of all routes.
pub(crate) fn routes(description: Value) -> Vec<Route> {
    let describe = move |_: App| {
        let description: Value = description.clone();
        async move { Json(description) }
    };
    vec![
        Route::public((Method::GET, "/health/live"), "负载均衡探测", "存活", |_: App| async {
            "alive"
        }),
        Route::public((Method::GET, "/health/ready"), "负载均衡探测", "就绪", ready),
        Route::public((Method::GET, "/metrics"), "不含业务数据", "运行指标", metrics),
        Route::public((Method::GET, "/openapi.json"), "接口规范应公开", "接口规范", describe),
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
