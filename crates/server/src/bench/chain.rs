//! How fast the chain of a code with many descendants is composed: read, added up, written down.

use std::time::Instant;

use serde_json::{Value, json};
use yj_model::SubjectCode;
use yj_server::Assembled;
use yj_trace::TraceEvent;

use super::{forget_peak, harvest, line, peak, spread, store, subject};
use crate::commands::say;

/// How many parts every lot is split into: a chain of as many objects as events and as many again, and
/// one of ten times as many objects.
const PARTS: [i64; 2] = [2, 10];
/// Events of a short chain and its budget, and the same of the longest that is composed whole.
const SHORT: (usize, &str) = (1_000, "50 ms");
const LONG: (usize, &str) = (100_000, "2 s");

pub(super) async fn run(assembled: &Assembled, events: usize) -> Result<(), String> {
    let subject = subject(assembled).await?;
    let shapes = if events < LONG.0 {
        PARTS.map(|parts| (parts, (events, "1000 个事件 50 ms；10 万个 2 s"))).to_vec()
    } else {
        let [two, ten] = PARTS;
        vec![(two, SHORT), (ten, SHORT), (two, LONG)]
    };
    for (number, (parts, (events, budget))) in shapes.into_iter().enumerate() {
        let root = format!("BENCH{number:09}");
        let filling = !is_there(assembled, &root).await?;
        if filling {
            store(assembled, &[harvest(&subject, number)?]).await?;
        }
        let made = split(assembled, &subject, (&root, filling), (events, parts)).await?;
        measure(assembled, &root, made, budget).await?;
    }
    Ok(())
}

/// Whether a chain is there: what is measured again is not filled again.
async fn is_there(assembled: &Assembled, root: &str) -> Result<bool, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT id FROM trace_object WHERE code = $1").arg(root);
    Ok(tx.fetch_one(sql).await.map_err(say)?.is_some())
}

/// One lot split into ever smaller ones, by so many events; how many there were, and objects.
async fn split(
    assembled: &Assembled,
    subject: &SubjectCode,
    (root, filling): (&str, bool),
    (events, parts): (usize, i64),
) -> Result<(usize, usize), String> {
    let (mut made, mut level, mut number) = (1, vec![(String::from(root), 1_000_000_i64)], 0);
    while made < events {
        let (mut next, mut batch): (Vec<_>, Vec<TraceEvent>) = (Vec::new(), Vec::new());
        for (code, scaled) in level {
            let share = (scaled / parts).max(1);
            let outputs: Vec<Value> = (0..parts)
                .map(|_| {
                    number += 1;
                    next.push((format!("{root}T{number:07}"), share));
                    json!({ "code": format!("{root}T{number:07}"), "quantity": decimal(share), "unit": "KGM" })
                })
                .collect();
            let event = json!({
                "domain": "agri", "type": "wholesale", "subject": subject, "event_time": "2026-01-02T08:00:00+08:00",
                "inputs": [{ "code": code, "quantity": decimal(share * parts), "unit": "KGM" }], "outputs": outputs,
            });
            batch.push(serde_json::from_value(event).map_err(|error| error.to_string())?);
            made += 1;
            if made >= events {
                break;
            }
        }
        for chunk in batch.chunks(500).filter(|_| filling) {
            store(assembled, chunk).await?;
        }
        level = next;
    }
    Ok((made, number + 1))
}

async fn measure(
    assembled: &Assembled,
    root: &str,
    (made, objects): (usize, usize),
    budget: &str,
) -> Result<(), String> {
    let mut times = Vec::new();
    let mut size = 0;
    forget_peak();
    for _ in 0..15 {
        let begun = Instant::now();
        let (count, bytes) = yj_trace::chain_size(&assembled.app, root).await.map_err(say)?;
        times.push(begun.elapsed());
        size = bytes;
        if count + 1 < made {
            return Err(format!("链条只有 {count} 个事件，应为 {made}"));
        }
    }
    let name = format!("链条合成（{made} 个事件，{objects} 个追溯单元）p50 / p99");
    spread(&name, &mut times, budget);
    line("  应答大小 / 内存峰值", &format!("{} KiB / {}", size >> 10, peak()), "512 MiB");
    Ok(())
}

fn decimal(scaled: i64) -> String {
    yj_model::Quantity::from_scaled(scaled)
        .map_or_else(|_| String::from("0"), |quantity| quantity.to_string())
}
