//! Static files in the binary.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

type Files = &'static [(&'static str, &'static [u8])];

/// Name and bytes of every file of the console.
const CONSOLE: Files = include!(concat!(env!("OUT_DIR"), "/console.rs"));
/// Name and bytes of every file of the field page; empty where it was not built.
const FIELD: Files = include!(concat!(env!("OUT_DIR"), "/field.rs"));
/// The scripts of the public pages; empty where they were not built.
const PORTAL: Files = include!(concat!(env!("OUT_DIR"), "/portal.rs"));

/// A file of the console.
pub(crate) fn console(name: &str, request: &HeaderMap) -> Option<Response> {
    file(CONSOLE, name, keep(name), request)
}

/// A file of the field page.
pub(crate) fn field(name: &str, request: &HeaderMap) -> Option<Response> {
    file(FIELD, name, keep(name), request)
}

/// Hashed names never change their content; of all others a browser asks each time.
fn keep(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// A script of the public pages.
pub(crate) fn portal(name: &str, request: &HeaderMap) -> Option<Response> {
    file(PORTAL, name, "public, max-age=600", request)
}

/// Whether the scripts of the public pages were built.
pub(crate) fn has_portal() -> bool {
    !PORTAL.is_empty()
}

/// The file, packed by the front end's build where the client takes that.
fn file(files: Files, name: &str, keep: &'static str, request: &HeaderMap) -> Option<Response> {
    let find = |name: &str| files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
    let plain = find(name)?;
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_gzip =
        accepted.is_some_and(|list| list.split(',').any(|one| one.trim().starts_with("gzip")));
    let packed = takes_gzip.then(|| find(&format!("{name}.gz"))).flatten();
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let mut response = packed.unwrap_or(plain).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}
