//! `/verify`: 存证校验 for everybody (D-6.3, front.md §2.3). The page checks proof files on the
//! reader's own device with the second verifier and sends none of them anywhere; once visited it
//! works without a network and without this platform.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, Method},
    response::{Html, Response},
};
use yj_kernel::{App, Problem, Result, Route};
use yj_ledger::Ledger;

use crate::{files, frame::Frame, story::fingerprint};

#[derive(Template)]
#[template(path = "verify.html")]
struct Page<'a> {
    frame: Frame<'a>,
    /// Of this platform's chain, as the page itself says it: to be compared with what is published.
    fingerprint: String,
    /// Whether the scripts of the page are in this binary.
    islands: bool,
}

/// The script that keeps the page for times without a network.
pub(crate) const WORKER: &str = "verify-sw.js";

/// `/verify`
pub(crate) fn route(ledger: &Ledger) -> Route {
    let ledger = ledger.clone();
    Route::public(
        (Method::GET, "/verify"),
        "任何人都应能核验存证",
        "存证校验页",
        move |app: App| async move { page(&app, &ledger) },
    )
}

fn page(app: &App, ledger: &Ledger) -> Result<Html<String>> {
    let page = Page {
        frame: Frame::of(app),
        fingerprint: fingerprint(ledger),
        islands: files::has_portal(),
    };
    page.render().map(Html).map_err(Problem::internal)
}

/// A script of the public pages. The one that keeps `/verify` may do so from where scripts are, and
/// is asked for anew each time.
pub(crate) fn script(name: &str, headers: &HeaderMap) -> Result<Response> {
    let mut response = files::portal(name, headers).ok_or(Problem::NotFound("文件"))?;
    if name == WORKER {
        let headers = response.headers_mut();
        headers.insert("service-worker-allowed", HeaderValue::from_static("/verify"));
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
    }
    Ok(response)
}
