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

/// What is measured.
struct Shape {
    events: usize,
    parts: i64,
    /// Whether the last lot was put into a package and taken out again.
    packed: bool,
    budget: &'static str,
}

fn shapes(events: usize) -> Vec<Shape> {
    let [two, ten] = PARTS;
    let shape = |parts, packed, (events, budget)| Shape { events, parts, packed, budget };
    if events < LONG.0 {
        let asked = (events, "1000 个事件 50 ms；10 万个 2 s");
        return PARTS.map(|parts| shape(parts, false, asked)).into();
    }
    vec![
        shape(two, false, SHORT),
        shape(ten, false, SHORT),
        shape(two, false, LONG),
        shape(two, true, LONG),
    ]
}

pub(super) async fn run(assembled: &Assembled, events: usize) -> Result<(), String> {
    let subject = subject(assembled).await?;
    for (number, shape) in shapes(events).into_iter().enumerate() {
        let root = format!("BENCH{number:09}");
        let filling = !is_there(assembled, &root).await?;
        if filling {
            store(assembled, &[harvest(&subject, number)?]).await?;
        }
        let made = split(assembled, &subject, (&root, filling), &shape).await?;
        measure(assembled, (&root, &shape), made).await?;
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
    shape: &Shape,
) -> Result<(usize, usize), String> {
    let Shape { events, parts, packed, .. } = *shape;
    // Packing and unpacking are two of them.
    let splits = if packed { events - 2 } else { events };
    let (mut made, mut level, mut number) = (1, vec![(String::from(root), 1_000_000_i64)], 0);
    let mut last = (String::new(), 0);
    while made < splits {
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
            last = (format!("{root}T{number:07}"), share);
            if made >= splits {
                break;
            }
        }
        for chunk in batch.chunks(500).filter(|_| filling) {
            store(assembled, chunk).await?;
        }
        level = next;
    }
    if !packed {
        return Ok((made, number + 1));
    }
    if filling {
        let [packing, unpacking] = package(subject, root, (&last.0, last.1))?;
        store(assembled, &[packing]).await?;
        store(assembled, &[unpacking]).await?;
    }
    Ok((made + 2, number + 2))
}

/// A lot put into a package, and taken out of it.
fn package(
    subject: &SubjectCode,
    root: &str,
    (code, scaled): (&str, i64),
) -> Result<[TraceEvent; 2], String> {
    let event = |kind: &str, minute: u8, inputs: Value, outputs: Value| {
        let event = json!({
            "domain": "agri", "type": kind, "subject": subject,
            "event_time": format!("2026-01-02T09:{minute:02}:00+08:00"),
            "inputs": inputs, "outputs": outputs,
        });
        serde_json::from_value(event).map_err(|error| error.to_string())
    };
    let lot = json!([{ "code": code, "quantity": decimal(scaled), "unit": "KGM" }]);
    let package = format!("{root}P");
    let made = json!([{ "code": package, "quantity": "1", "unit": "H87" }]);
    Ok([
        event("aggregate", 0, lot.clone(), made)?,
        event("disaggregate", 1, json!([{ "code": package }]), lot)?,
    ])
}

async fn measure(
    assembled: &Assembled,
    (root, shape): (&str, &Shape),
    (made, objects): (usize, usize),
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
    let packed = if shape.packed { "，其中有拆包装" } else { "" };
    let name = format!("链条合成（{made} 个事件，{objects} 个追溯单元{packed}）p50 / p99");
    spread(&name, &mut times, shape.budget);
    line("  应答大小 / 内存峰值", &format!("{} KiB / {}", size >> 10, peak()), "512 MiB");
    Ok(())
}

fn decimal(scaled: i64) -> String {
    yj_model::Quantity::from_scaled(scaled)
        .map_or_else(|_| String::from("0"), |quantity| quantity.to_string())
}
