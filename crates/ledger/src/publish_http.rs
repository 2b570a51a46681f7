//! The published log over HTTP: the very bytes of the files, and what stores may keep.

use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{HeaderName, Method, header},
};
use serde_json::json;
use yj_crypto::to_hex;
use yj_kernel::{App, Param, Problem, Result, Route, Shape};
use yj_proof::tile::Tile;

use crate::{Ledger, Publication as _};

/// Why these routes are open.
const OPEN: &str = "任何人都应能见证存证日志；只有哈希，不含业务数据";
/// A year: these bytes never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const A_MINUTE: &str = "public, max-age=60";
const A_MOMENT: &str = "public, max-age=2";
const BYTES: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";

type Kept = [(HeaderName, &'static str); 2];

fn kept(kind: &'static str, how_long: &'static str) -> Kept {
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, how_long)]
}

/// Checkpoint, tiles, consistency and genesis, for anybody.
pub fn publication_routes(ledger: &Ledger) -> Vec<Route> {
    let (checkpoint, tile) = (ledger.clone(), ledger.clone());
    let (consistency, genesis) = (ledger.clone(), ledger.clone());
    vec![
        Route::public(
            (Method::GET, "/ledger/checkpoint"),
            OPEN,
            "最新检查点（签名文本）",
            move |_: App| async move {
                let note = checkpoint.signed_checkpoint()?.ok_or(Problem::NotFound("检查点"))?;
                Ok::<_, Problem>((kept(TEXT, A_MOMENT), note.to_text()))
            },
        )
        .gives(Shape::Bytes("text/plain")),
        Route::public(
            (Method::GET, "/ledger/tile/{level}/{*path}"),
            OPEN,
            "哈希瓦片",
            move |_: App, Path(at): Path<(String, String)>| async move { bytes_of(&tile, &at) },
        )
        .gives(Shape::Bytes(BYTES)),
        Route::public(
            (Method::GET, "/ledger/consistency"),
            OPEN,
            "两个长度之间的一致性证明",
            move |_: App, RawQuery(query): RawQuery| async move {
                let (from, to) = ends(&query.unwrap_or_default())?;
                let path = consistency_between(&consistency, (from, to))?;
                let path: Vec<_> = path.iter().map(|hash| to_hex(hash)).collect();
                let answer = Json(json!({ "from": from, "to": to, "path": path }));
                Ok::<_, Problem>(([(header::CACHE_CONTROL, A_MINUTE)], answer))
            },
        )
        .query(&[
            Param { name: "from", label: "较小的长度，1 起", required: true },
            Param {
                name: "to", label: "较大的长度，至多为最新检查点的长度", required: true
            },
        ]),
        Route::public(
            (Method::GET, "/ledger/genesis"),
            OPEN,
            "创世文件",
            move |_: App| async move { (kept(BYTES, A_MINUTE), genesis.genesis().0) },
        )
        .gives(Shape::Bytes(BYTES)),
    ]
}

fn bytes_of(ledger: &Ledger, (level, path): &(String, String)) -> Result<(Kept, Vec<u8>)> {
    // Longer ones are no names; they are not even put together.
    let name = (level.len() + path.len() < 60).then(|| format!("{level}/{path}"));
    let tile = name.and_then(|name| Tile::read(&name)).ok_or_else(|| {
        Problem::Malformed(String::from(
            "瓦片地址应为 层/编号，编号每三位一组，如 0/067、0/x001/x234/067，不满的加 .p/宽度，如 1/000.p/5",
        ))
    })?;
    let how_long = if tile.is_full() { FOR_EVER } else { A_MINUTE };
    Ok((kept(BYTES, how_long), ledger.tile(tile)?.concat()))
}

fn ends(query: &str) -> Result<(u64, u64)> {
    let value = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = found.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        number.ok_or_else(|| Problem::invalid(name, format!("{name} 应为 1 起的整数")))
    };
    Ok((value("from")?, value("to")?))
}

fn consistency_between(ledger: &Ledger, (from, to): (u64, u64)) -> Result<Vec<yj_proof::Hash>> {
    let size = ledger.checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
    if to > size {
        return Err(Problem::invalid("to", format!("to 至多为最新检查点的长度 {size}")));
    }
    if from > to {
        return Err(Problem::invalid("from", "from 不应大于 to"));
    }
    ledger.consistency(from, to)
}
