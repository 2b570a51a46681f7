//! An address that leads nowhere, typed or copied by halves: people are told what would lead somewhere.

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
};
use yj_kernel::App;

use crate::{frame::Frame, telling::wants_page};

#[derive(Template)]
#[template(path = "nowhere.html")]
struct Nowhere<'a> {
    frame: Frame<'a>,
}

/// The page that says so, for whoever wants pages; programs are answered otherwise.
pub fn nowhere(app: &App, headers: &HeaderMap) -> Option<Response> {
    if !wants_page(headers) {
        return None;
    }
    let html = Nowhere { frame: Frame::of(app) }.render().ok()?;
    Some((StatusCode::NOT_FOUND, Html(html)).into_response())
}
