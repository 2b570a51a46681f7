//! The console: one entry file for all its pages.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::files;

/// `/console/…`
pub fn console() -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/console/") }))
        .route("/console", get(|| async { Redirect::temporary("/console/") }))
        .route("/console/", get(|headers: HeaderMap| async move { page("", &headers) }))
        .route(
            "/console/{*path}",
            get(
                |Path(path): Path<String>, headers: HeaderMap| async move { page(&path, &headers) },
            ),
        )
}

fn page(path: &str, request: &HeaderMap) -> Response {
    // A missing script must be missing: an entry page in its place would break an open tab.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let found = files::console(if is_file { path } else { "index.html" }, request);
    found.unwrap_or_else(|| (StatusCode::NOT_FOUND, "没有这个文件").into_response())
}
