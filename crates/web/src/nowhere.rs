//! An address that leads nowhere, typed or copied by halves: people are told what would lead somewhere.

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
};
use yj_kernel::App;

use crate::story::names_page;

#[derive(Template)]
#[template(path = "nowhere.html")]
struct Nowhere<'a> {
    platform: &'a str,
    operator: &'a str,
}

/// The page that says so, for whoever names pages among what it takes; programs are answered otherwise.
pub fn nowhere(app: &App, headers: &HeaderMap) -> Option<Response> {
    if !names_page(headers) {
        return None;
    }
    let (platform, operator) = (&app.platform().name, &app.platform().operator);
    let html = Nowhere { platform, operator }.render().ok()?;
    Some((StatusCode::NOT_FOUND, Html(html)).into_response())
}
