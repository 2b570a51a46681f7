//! `yuanjian bench`: figures beside the budgets of the architecture, with the command that made
//! them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yj_kernel::Platform;
use yj_model::SubjectCode;
use yj_server::{Assembled, demo};
use yj_trace::{Captured, Source, TraceEvent};

use crate::commands::{build, say};

/// Runs one benchmark and prints its figures.
pub(crate) async fn run(
    what: &str,
    database: Option<String>,
    events: usize,
) -> Result<bool, String> {
    let folder = std::env::temp_dir().join(format!("yuanjian-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let url = database
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", folder.join("bench.sqlite").display()));
    let platform = Platform {
        name: String::from("性能测量"),
        operator: String::from("性能测量"),
        profile: String::from("gbt38157"),
        public_url: String::from("http://127.0.0.1"),
    };
    let assembled = build(&url, &folder, platform).await?;
    demo::load(&assembled, demo::Size::Golden, &mut |_| {}).await.map_err(say)?;
    println!(
        "命令：yuanjian bench {what} --events {events}（{}）",
        if database.is_some() { "PostgreSQL" } else { "SQLite" }
    );
    let result = match what {
        "capture" => capture(&assembled, events).await,
        "query" => query(&assembled, events).await,
        "chain" => chain(&assembled, events).await,
        other => Err(format!("没有测量项 {other}，应为 capture、query 或 chain")),
    };
    drop(assembled);
    // Only what this run made.
    let _ = std::fs::remove_dir_all(&folder);
    result.map(|()| true)
}

fn line(name: &str, figure: &str, budget: &str) {
    println!("{name:<28}\t{figure:<32}\t预算 {budget}");
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times
        .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(count: usize, took: Duration) -> String {
    format!("{:.0} 条/秒", count as f64 / took.as_secs_f64())
}

async fn subject(assembled: &Assembled) -> Result<SubjectCode, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT code FROM trace_subject ORDER BY id LIMIT 1");
    let row = tx.fetch_one(sql).await.map_err(say)?.ok_or("没有主体")?;
    row.parsed(0).map_err(say)
}

fn harvest(subject: &SubjectCode, number: usize) -> Result<TraceEvent, String> {
    let event = json!({
        "domain": "agri", "type": "harvest", "subject": subject, "event_time": "2026-01-01T08:00:00+08:00",
        "outputs": [{ "code": format!("BENCH{number:09}"), "quantity": "100", "unit": "KGM", "product": "YJ-JC-01" }],
        "attributes": { "plot": "测量" },
    });
    serde_json::from_value(event).map_err(|error| error.to_string())
}

/// Consumes what [`harvest`] made.
fn pack(subject: &SubjectCode, number: usize) -> Result<TraceEvent, String> {
    let event = json!({
        "domain": "agri", "type": "processing", "subject": subject, "event_time": "2026-01-01T09:00:00+08:00",
        "inputs": [{ "code": format!("BENCH{number:09}"), "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": format!("BENCH{number:09}P"), "quantity": "98", "unit": "KGM" }],
    });
    serde_json::from_value(event).map_err(|error| error.to_string())
}

async fn store(assembled: &Assembled, events: &[TraceEvent]) -> Result<(), String> {
    let ctx = assembled.app.on_own_behalf("bench");
    let captured = yj_trace::capture(&ctx, Source::Api, events, true).await.map_err(say)?;
    match captured.iter().find(|one| !matches!(one, Captured::New { held: false, .. })) {
        Some(other) => Err(format!("事件未被接收：{other:?}")),
        None => Ok(()),
    }
}

async fn capture(assembled: &Assembled, events: usize) -> Result<(), String> {
    let subject = subject(assembled).await?;
    let (mut times, begun) = (Vec::new(), Instant::now());
    for batch in 0..events / 100 {
        let numbers = batch * 50..batch * 50 + 50;
        let harvests = numbers.clone().map(|number| harvest(&subject, number));
        let all = harvests.chain(numbers.map(|number| pack(&subject, number)));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        let begun = Instant::now();
        store(assembled, &all).await?;
        times.push(begun.elapsed());
    }
    let took = begun.elapsed();
    line("批量采集（每批 100 条）", &rate(events / 100 * 100, took), "≥ 5000 条/秒");
    line(
        "　每批耗时 p50 / p99",
        &format!("{:?} / {:?}", percentile(&mut times, 50), percentile(&mut times, 99)),
        "—",
    );
    single(assembled, &subject, events).await?;
    let begun = Instant::now();
    let anchored = assembled.ledger.drain(&assembled.app).await.map_err(say)?;
    line("存证（平台代签，按主体成批）", &rate(anchored, begun.elapsed()), "≥ 15000 条/秒");
    Ok(())
}

/// Single requests from 64 clients at once.
async fn single(assembled: &Assembled, subject: &SubjectCode, first: usize) -> Result<(), String> {
    const CLIENTS: usize = 64;
    const EACH: usize = 100;
    let begun = Instant::now();
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (assembled, subject) = (assembled.clone(), subject.clone());
        clients.push(tokio::spawn(async move {
            let mut times = Vec::with_capacity(EACH);
            for number in 0..EACH {
                let event = harvest(&subject, 100_000_000 + first + client * EACH + number)?;
                let begun = Instant::now();
                store(&assembled, &[event]).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, String>(times)
        }));
    }
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.map_err(|error| error.to_string())??);
    }
    let took = begun.elapsed();
    line("单条采集（64 个客户端）", &rate(times.len(), took), "≥ 3000 条/秒");
    line(
        "　每条耗时 p50 / p99",
        &format!("{:?} / {:?}", percentile(&mut times, 50), percentile(&mut times, 99)),
        "p99 ≤ 50 ms",
    );
    Ok(())
}

async fn query(assembled: &Assembled, events: usize) -> Result<(), String> {
    demo::load_background(assembled, events).await.map_err(say)?;
    let mut times = Vec::new();
    let begun = Instant::now();
    let rounds = 2000;
    for number in 0..rounds {
        let code = format!("B{:07}-E", number % (events / 5).max(1));
        let begun = Instant::now();
        let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
        let story = yj_trace::story(&assembled.app, &mut tx, &code).await.map_err(say)?;
        drop(tx);
        yj_trace::count_scan(&assembled.app, &code).await.map_err(say)?;
        if story.is_none() {
            return Err(format!("{code} 没有查到"));
        }
        times.push(begun.elapsed());
    }
    line("公众查询（含计数，单线程）", &rate(rounds, begun.elapsed()), "≥ 5000 次/秒");
    line(
        "　每次耗时 p50 / p99",
        &format!("{:?} / {:?}", percentile(&mut times, 50), percentile(&mut times, 99)),
        "p99 ≤ 20 ms",
    );
    Ok(())
}

async fn chain(assembled: &Assembled, events: usize) -> Result<(), String> {
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
    let name = format!("链条合成（{made} 个事件）");
    line(&name, &format!("p50 {:?}", percentile(&mut times, 50)), "1000 个 50 ms；10 万个 2 s");
    Ok(())
}

fn decimal(scaled: i64) -> String {
    yj_model::Quantity::from_scaled(scaled)
        .map_or_else(|_| String::from("0"), |quantity| quantity.to_string())
}
