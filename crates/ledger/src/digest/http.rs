//! The door of 按摘要查验.

use axum::{Json, extract::Path, http::Method};
use yj_crypto::from_hex;
use yj_kernel::{Access, Ctx, Problem, Result, Route};
use yj_proof::Hash;

use super::Digests;

/// Letters of a digest.
const LETTERS: usize = 64;

/// The routes of the index of digests.
pub fn routes(digests: &Digests) -> Vec<Route> {
    let digests = digests.clone();
    vec![Route::new(
        (Method::GET, "/api/v1/ledger/digests/{digest}"),
        Access::permission("ledger:read"),
        "按摘要查验",
        move |ctx: Ctx, Path(text): Path<String>| async move {
            digests.find(&ctx, parsed(&text)?).await.map(Json)
        },
    )]
}

/// A digest as people write it.
fn parsed(text: &str) -> Result<Hash> {
    let said = |now: String| {
        Problem::invalid(
            "digest",
            format!("应为 {LETTERS} 位十六进制的摘要（0 至 9、a 至 f），{now}"),
        )
    };
    let length = text.chars().count();
    if length != LETTERS {
        return Err(said(format!("现为 {length} 位")));
    }
    from_hex(&text.to_ascii_lowercase()).ok_or_else(|| said(String::from("现有其他字符")))
}
