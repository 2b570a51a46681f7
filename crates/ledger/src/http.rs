//! Chain health, blocks, and verification for those who have a file and no tool.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery},
    http::Method,
};
use serde_json::{Value, json};
use yj_crypto::to_hex;
use yj_kernel::{Access, App, Ctx, Param, Problem, Result, Route, Shape};
use yj_proof::Trust;

use crate::{Ledger, health::KEYS_PAGE};

/// Blocks of one answer.
const PAGE: usize = 50;

/// The routes of this crate.
pub fn routes(ledger: &Ledger) -> Vec<Route> {
    let may = || Access::permission("ledger:read");
    let open = "任何人都应能核验存证";
    let (status, blocks, block, genesis, check) =
        (ledger.clone(), ledger.clone(), ledger.clone(), ledger.clone(), ledger.clone());
    let keys = ledger.clone();
    vec![
        Route::new(
            (Method::GET, "/api/v1/ledger/status"),
            may(),
            "存证链状态",
            move |ctx: Ctx| async move { Ok::<_, Problem>(Json(status.status(&ctx).await?)) },
        ),
        Route::new(
            (Method::GET, "/api/v1/ledger/blocks"),
            may(),
            "存证批次（区块）",
            move |_: Ctx, RawQuery(query): RawQuery| async move {
                list(&blocks, &query.unwrap_or_default())
            },
        )
        .query(&[Param { name: "after", label: "上一页最后的高度", required: false }]),
        Route::new(
            (Method::GET, "/api/v1/ledger/blocks/{height}"),
            may(),
            "一个区块",
            move |_: Ctx, Path(height): Path<u64>| async move {
                Ok::<_, Problem>(Json(block.block(height)?))
            },
        ),
        Route::new(
            (Method::GET, "/api/v1/ledger/keys"),
            may(),
            "链上密钥登记",
            move |_: Ctx, RawQuery(query): RawQuery| async move {
                list_keys(&keys, &query.unwrap_or_default())
            },
        )
        .query(&[
            Param { name: "org", label: "主体代码", required: false },
            Param {
                name: "after", label: "上一页最后的“主体代码/密钥名称”", required: false
            },
        ]),
        Route::public(
            (Method::GET, "/api/v1/ledger/genesis"),
            open,
            "创世文件与指纹",
            move |_: App| async move {
                let (bytes, chain_id) = genesis.genesis();
                Json(json!({ "genesis": to_hex(&bytes), "fingerprint": to_hex(&chain_id) }))
            },
        ),
        Route::public(
            (Method::POST, "/api/v1/ledger/verify"),
            open,
            "验证存证证明",
            move |_: App, bytes: Bytes| async move {
                if bytes.is_empty() {
                    let detail = "请求体应为存证证明文件（.yjproof）";
                    return Err(Problem::Malformed(String::from(detail)));
                }
                let (_, chain_id) = check.genesis();
                Ok(Json(json!(yj_proof::verify(&bytes, &Trust::in_chain(chain_id)))))
            },
        )
        .takes(Shape::Bytes("application/octet-stream")),
    ]
}

fn list_keys(ledger: &Ledger, query: &str) -> Result<Json<Value>> {
    let find = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.into_owned()))
    };
    let (org, after) = (find("org"), find("after"));
    let after = after.as_deref().map(|after| {
        let wrong = || Problem::invalid("after", "应为“主体代码/密钥名称”");
        after.split_once('/').ok_or_else(wrong)
    });
    let items = ledger.keys(org.as_deref(), after.transpose()?);
    let last = items.last().filter(|_| items.len() == KEYS_PAGE);
    let name = |entry: &Value| {
        let part = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        format!("{}/{}", part("org"), part("kid"))
    };
    Ok(Json(json!({ "next": last.map(name), "items": items })))
}

fn list(ledger: &Ledger, query: &str) -> Result<Json<Value>> {
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let before = match after {
        None | Some("") => u64::MAX,
        Some(text) => text.parse().map_err(|_| Problem::invalid("after", "应为区块高度"))?,
    };
    let items = ledger.blocks(before, PAGE)?;
    let next = items.last().filter(|_| items.len() == PAGE).map(|block| block["height"].clone());
    Ok(Json(json!({ "items": items, "next": next })))
}
