//! `/c/{number}`: the page behind a printed 承诺达标合格证 (handbook §4.1). Whole without scripts, and as fit
//! for paper as for a phone.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use yj_kernel::{App, Problem, Result};
use yj_label::{Content, SymbolKind, symbol, symbol_svg};
use yj_ledger::Ledger;

use crate::{files, frame::Frame, story::spoken};

#[derive(Template)]
#[template(path = "certificate.html")]
struct Certificate<'a> {
    frame: Frame<'a>,
    number: &'a str,
    /// The number as a part of a path.
    path: String,
    /// Code of its state; empty where there is none, for there is no such certificate.
    state: String,
    promise: &'a str,
    facts: Vec<(&'static str, String)>,
    /// The code that is printed on it, as a drawing.
    symbol: &'a str,
    /// Since when it stands unchanged, or what was changed; nothing while it is not on the ledger.
    kept: String,
    changed: bool,
    anchored: bool,
    /// With the last part of the path to each.
    codes: Vec<(String, String)>,
    origins: Vec<(String, String)>,
    /// Made out of it, or in force for one of its batches after it was voided.
    successors: Vec<(String, String)>,
    of_batch: Vec<(String, String)>,
    /// Whether the scripts of the page are in this binary.
    islands: bool,
}

/// A text as one part of a path.
pub(crate) fn encoded(text: &str) -> String {
    let letter = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { String::from(char::from(byte)) } else { format!("%{byte:02X}") }
    };
    text.bytes().map(letter).collect()
}

/// The page behind a printed 承诺达标合格证.
pub(crate) async fn page(app: &App, ledger: &Ledger, number: &str) -> Result<Response> {
    let mut tx = app.db().snapshot().await?;
    let found = yj_trace::certificate(app, ledger, &mut tx, number).await?;
    drop(tx);
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let known = found.unwrap_or_default();
    let text = |name: &str| known[name].as_str().map(String::from).unwrap_or_default();
    let list = |name: &str| {
        let items = known[name].as_array().into_iter().flatten();
        let linked = |text: &str| (String::from(text), encoded(text));
        items.filter_map(|item| item.as_str().map(linked)).collect()
    };
    let facts = [
        ("产品名称", text("product")),
        ("数量", format!("{} {}", text("quantity"), text("unit"))),
        ("产地", text("origin")),
        ("开具时间", spoken(&text("issued_on"))),
        ("有效期至", spoken(&text("valid_until"))),
        ("承诺主体", text("issuer")),
        ("承诺依据", text("basis")),
    ];
    let voided = |name: &str| String::from(known["voided"][name].as_str().unwrap_or_default());
    let ended = [("作废时间", spoken_moment(&voided("at"))), ("作废原因", voided("reason"))];
    let symbol = match known["qr"].as_str() {
        Some(words) => {
            let matrix = symbol(SymbolKind::Qr, &Content::Text(String::from(words)));
            symbol_svg(&matrix.map_err(Problem::internal)?, "承诺达标合格证二维码")
        }
        None => String::new(),
    };
    let (changed, height) = (known["intact"] == false, known["anchored"].as_u64());
    let kept = match (changed, height) {
        (true, _) => format!("与存证不一致：{}", text("finding")),
        (false, Some(height)) => {
            format!("自 {} 登记以来未被改动（存证区块 {height}）", spoken_moment(&text("since")))
        }
        (false, None) => String::from("正在写入存证链"),
    };
    let page = Certificate {
        frame: Frame::of(app),
        number: known["number"].as_str().unwrap_or(number),
        path: encoded(known["number"].as_str().unwrap_or(number)),
        state: text("state"),
        promise: known["promise"].as_str().unwrap_or_default(),
        facts: ended.into_iter().chain(facts).filter(|(_, text)| !text.trim().is_empty()).collect(),
        symbol: &symbol,
        kept,
        changed,
        anchored: height.is_some(),
        codes: list("codes"),
        origins: list("origins"),
        successors: list("successors"),
        of_batch: list("of_batch"),
        islands: files::has_portal(),
    };
    let html = page.render().map_err(Problem::internal)?;
    Ok((status, Html(html)).into_response())
}

/// The minute, in China.
fn spoken_moment(time: &str) -> String {
    let (day, clock) = time.split_once('T').unwrap_or((time, ""));
    format!("{} {}", spoken(day), clock.get(..5).unwrap_or_default())
}

/// The proof file of a certificate.
pub(crate) async fn proof(app: &App, ledger: &Ledger, number: &str) -> Result<Response> {
    let mut tx = app.db().snapshot().await?;
    let proof = yj_trace::certificate_proof(ledger, &mut tx, number).await?;
    let proof = proof.ok_or(Problem::NotFound("承诺达标合格证"))?;
    Ok(yj_kernel::transfer::download(
        &format!("{number}.yjproof"),
        "application/json",
        proof.into(),
    ))
}
