//! Problems that arise before or around any handler (RFC 9457).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An `application/problem+json` answer.
pub fn problem(
    status: StatusCode,
    code: &str,
    title: &str,
    detail: &str,
    request_id: &str,
) -> Response {
    let body = json!({
        "type": format!("/problems/{code}"), "title": title, "status": status.as_u16(),
        "code": code, "detail": detail, "request_id": request_id,
    });
    let mut response = (status, body.to_string()).into_response();
    let kind = HeaderValue::from_static("application/problem+json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}
