//! How fast the chain of a code with many descendants is composed.

use std::time::Instant;

use serde_json::{Value, json};
use yj_server::Assembled;
use yj_trace::TraceEvent;

use super::{harvest, spread, store, subject};
use crate::commands::say;

pub(super) async fn run(assembled: &Assembled, events: usize) -> Result<(), String> {
    let subject = subject(assembled).await?;
    store(assembled, &[harvest(&subject, 0)?]).await?;
    // One lot split into ever smaller ones: a tree of the wanted size.
    let (mut made, mut level, mut number) =
        (1, vec![(String::from("BENCH000000000"), 1_000_000_i64)], 0);
    while made < events {
        let (mut next, mut batch): (Vec<_>, Vec<TraceEvent>) = (Vec::new(), Vec::new());
        for (code, scaled) in level {
            let share = scaled / 10;
            let outputs: Vec<Value> = (0..10)
                .map(|_| {
                    number += 1;
                    next.push((format!("TREE{number:08}"), share));
                    json!({ "code": format!("TREE{number:08}"), "quantity": decimal(share), "unit": "KGM" })
                })
                .collect();
            let event = json!({
                "domain": "agri", "type": "wholesale", "subject": subject, "event_time": "2026-01-02T08:00:00+08:00",
                "inputs": [{ "code": code, "quantity": decimal(share * 10), "unit": "KGM" }], "outputs": outputs,
            });
            batch.push(serde_json::from_value(event).map_err(|error| error.to_string())?);
            made += 1;
            if made >= events {
                break;
            }
        }
        for chunk in batch.chunks(500) {
            store(assembled, chunk).await?;
        }
        level = next;
    }
    let mut times = Vec::new();
    for _ in 0..7 {
        let begun = Instant::now();
        let count = yj_trace::chain_size(&assembled.app, "BENCH000000000").await.map_err(say)?;
        times.push(begun.elapsed());
        if count + 1 < made {
            return Err(format!("链条只有 {count} 个事件，应为 {made}"));
        }
    }
    let name = format!("链条合成（{made} 个事件）p50 / p99");
    spread(&name, &mut times, "1000 个 50 ms；10 万个 2 s");
    Ok(())
}

fn decimal(scaled: i64) -> String {
    yj_model::Quantity::from_scaled(scaled)
        .map_or_else(|_| String::from("0"), |quantity| quantity.to_string())
}
