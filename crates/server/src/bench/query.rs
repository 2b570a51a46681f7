//! How fast the public gets its answer.

use std::{path::Path, sync::Arc};

use yj_server::{Assembled, demo};

use super::{
    client::{Client, crowd},
    line, rate, spread,
};
use crate::commands::say;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    events: usize,
) -> Result<(), String> {
    demo::load_background(assembled, events).await.map_err(say)?;
    let client = Arc::new(Client::log_in(assembled, folder).await?);
    let size = client.get("/t/B0000000-E").await?.len();
    line("公众追溯页", &format!("{size} 字节"), "≤ 12 KB");
    let codes = (events / 5).max(1);
    let ask = move |number: usize| {
        let client = Arc::clone(&client);
        let path = format!("/t/B{:07}-E", number % codes);
        async move { client.get(&path).await.map(drop) }
    };
    crowd((16, 100), ask.clone()).await?;
    let (mut times, took) = crowd((16, 500), ask).await?;
    line("公众查询（16 个客户端，含计数）", &rate(times.len(), took), "≥ 5000 次/秒");
    spread("　每次耗时 p50 / p99", &mut times, "p99 ≤ 20 ms");
    Ok(())
}
