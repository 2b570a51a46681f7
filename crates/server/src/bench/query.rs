//! How fast the public gets its answer.

use std::{path::Path, sync::Arc};

use yj_server::{Assembled, demo};

use super::{
    client::{Client, crowd},
    line, rate, spread,
};
use crate::commands::say;

/// Of so many chains of the background in turn, the first are of crops and have five links.
const TURN: usize = 16;
const CROPS: usize = 9;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    events: usize,
) -> Result<(), String> {
    demo::load_background(assembled, events).await.map_err(say)?;
    let client = Arc::new(Client::log_in(assembled, folder).await?);
    let size = client.get("/t/B0000000-E").await?.len();
    line("公众追溯页", &format!("{size} 字节"), "≤ 12 KB");
    // The background has one chain for at most seven events, and its chains take turns.
    let codes = (events / 7 / TURN * CROPS).max(1);
    let ask = move |number: usize| {
        let client = Arc::clone(&client);
        let path = format!("/t/B{:07}-E", (number % codes) / CROPS * TURN + number % CROPS);
        async move { client.get(&path).await.map(drop) }
    };
    crowd((16, 100), ask.clone()).await?;
    let (mut times, took) = crowd((16, 500), ask).await?;
    line("公众查询（16 个客户端，含计数）", &rate(times.len(), took), "≥ 5000 次/秒");
    spread("　每次耗时 p50 / p99", &mut times, "p99 ≤ 20 ms");
    Ok(())
}
