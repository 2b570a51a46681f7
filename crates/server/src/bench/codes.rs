//! How fast codes are made, how little they take, and how fast one is led back.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;
use yj_server::Assembled;

use super::{client::crowd, line, rate, spread, subject};
use crate::commands::say;

/// Codes of one batch, and of one file.
const BATCH: usize = 10_000_000;
/// Codes kept to be asked for: every so many-th.
const EVERY: usize = 1_999;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    codes: usize,
) -> Result<(), String> {
    let before = size(assembled, folder).await?;
    let mut sample = Vec::new();
    let (mut made, mut writing) = (Duration::ZERO, Duration::ZERO);
    let mut left = codes;
    let mut number = 0;
    while left > 0 {
        let count = left.min(BATCH);
        let last = i64::try_from(count).map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let ctx = assembled.app.on_own_behalf("bench");
        let mut tx = ctx.begin().await.map_err(say)?;
        let code = subject(assembled).await?;
        let found = yj_subject::by_codes(&mut tx, &[code.as_str()]).await.map_err(say)?;
        let id = found.into_values().next().ok_or("没有主体")?.id;
        let batch: yj_product::CodeBatch = serde_json::from_value(json!({
            "code": format!("BENCH-{}-{number}", ctx.now_ms()), "subject_id": id, "scheme": "own",
            "level": "item", "random": true, "size": count,
        }))
        .map_err(|error| error.to_string())?;
        let batch = tx.insert(&ctx, &batch).await.map_err(say)?;
        tx.commit().await.map_err(say)?;
        yj_product::activate_codes(&ctx, &batch.id.to_string(), (1, last)).await.map_err(say)?;
        made += begun.elapsed();
        let begun = Instant::now();
        let response =
            yj_product::code_file(&ctx, &batch.id.to_string(), "format=txt").await.map_err(say)?;
        take(response, &mut sample).await?;
        writing += begun.elapsed();
        left -= count;
        number += 1;
    }
    let grown = size(assembled, folder).await? - before;
    line("赋码与激活", &format!("{codes} 个，{made:.2?}"), "每批一条记录");
    line("导出为文件（逐个生成）", &rate(codes, writing), "≥ 100000 个/秒");
    line("存储增长", &format!("{grown} 字节"), "≤ 1 MB");
    let assembled = assembled.clone();
    let sample = Arc::new(sample);
    let ask = move |number: usize| {
        let (assembled, sample) = (assembled.clone(), Arc::clone(&sample));
        async move {
            // Far apart, so that no two neighbours are asked for in turn.
            let code = &sample[number.wrapping_mul(7_919) % sample.len()];
            let request = Request::get(format!("/resolve?id={code}"))
                .header(header::ACCEPT, "text/html")
                .body(Body::empty())
                .map_err(|error| error.to_string())?;
            let Ok(response) = assembled.router.clone().oneshot(request).await;
            let status = response.status();
            if status.as_u16() == 307 { Ok(()) } else { Err(format!("{code}：{status}")) }
        }
    };
    crowd((8, 100), ask.clone()).await?;
    let (mut times, took) = crowd((8, 1_000), ask).await?;
    line("解析（8 个客户端）", &rate(times.len(), took), "");
    times.sort_unstable();
    let edge = times.get(times.len() * 95 / 100).copied().unwrap_or_default();
    line("　每次耗时 p95", &format!("{edge:.2?}"), "< 20 ms");
    spread("　每次耗时 p50 / p99", &mut times, "");
    Ok(())
}

/// Reads a file of codes as it comes, and keeps some of them.
async fn take(response: axum::response::Response, sample: &mut Vec<String>) -> Result<(), String> {
    let mut body = response.into_body();
    let (mut rest, mut number) = (String::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        let Ok(bytes) = frame.into_data() else { continue };
        rest.push_str(&String::from_utf8_lossy(&bytes));
        let whole = rest.rfind('\n').map_or(0, |at| at + 1);
        for code in rest[..whole].lines() {
            if number.is_multiple_of(EVERY) {
                sample.push(String::from(code));
            }
            number += 1;
        }
        rest.drain(..whole);
    }
    Ok(())
}

/// Bytes that the database takes.
async fn size(assembled: &Assembled, folder: &Path) -> Result<i64, String> {
    let file = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    if assembled.app.db().file().is_some() {
        let bytes = file("bench.sqlite") + file("bench.sqlite-wal");
        return i64::try_from(bytes).map_err(|error| error.to_string());
    }
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT pg_database_size(current_database())");
    let row = tx.fetch_one(sql).await.map_err(say)?;
    row.map_or(Ok(0), |row| row.int(0)).map_err(say)
}
