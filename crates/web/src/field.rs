//! The field page (G-6.4.1): recording without a network. An application of its own, whose service
//! worker answers for `/field/…` and for nothing else.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::files;

/// `/field/…`
pub fn field() -> Router {
    Router::new()
        .route("/field", get(|| async { Redirect::temporary("/field/") }))
        .route("/field/", get(|headers: HeaderMap| async move { page("index.html", &headers) }))
        .route(
            "/field/{*path}",
            get(
                |Path(path): Path<String>, headers: HeaderMap| async move { page(&path, &headers) },
            ),
        )
}

/// A file, or why there is none: a missing script must be missing, and the page has one address.
fn page(path: &str, request: &HeaderMap) -> Response {
    let found = files::field(path, request);
    found.unwrap_or_else(|| (StatusCode::NOT_FOUND, "没有这个文件").into_response())
}
