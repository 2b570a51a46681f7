//! `yuanjian bench`: figures beside the budgets of the architecture, with the command that made
//! them.

mod access;
mod anchor;
mod capture;
mod chain;
mod client;
mod codes;
mod devices;
mod digests;
mod epcis;
mod growth;
mod hash;
mod import;
mod query;
mod search;

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use yj_kernel::Platform;
use yj_model::SubjectCode;
use yj_server::{Assembled, demo};
use yj_trace::{Captured, Source, TraceEvent};

use crate::commands::{build, say};

/// Runs one benchmark and prints its figures.
pub(crate) async fn run(
    what: &str,
    database: Option<String>,
    events: Option<usize>,
    keep: Option<PathBuf>,
) -> Result<bool, String> {
    let events = events.unwrap_or(match what {
        "search" | "import" | "growth" => 1_000_000,
        "codes" => 20_000_000,
        "epcis" => 100_000,
        _ => 50_000,
    });
    let passing = std::env::temp_dir().join(format!("yuanjian-bench-{}", std::process::id()));
    let folder = keep.as_ref().unwrap_or(&passing);
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let url = database
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", folder.join("bench.sqlite").display()));
    let platform = Platform {
        name: String::from("性能测量"),
        operator: String::from("性能测量"),
        profile: String::from("gbt38157"),
        public_url: String::from("http://127.0.0.1"),
    };
    let assembled = build(&url, folder, platform, crate::commands::Guard::demonstration()).await?;
    if subjects(&assembled).await? == 0 {
        demo::load(&assembled, demo::Size::Golden, &mut |_| {}).await.map_err(say)?;
    }
    println!(
        "命令：yuanjian bench {what} --events {events}（{}）",
        if url.starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" }
    );
    let result = match what {
        "access" => access::run((&assembled, folder)).await,
        "anchor" => anchor::run((&assembled, folder), events).await,
        "capture" => capture::run((&assembled, folder), events).await,
        "import" => import::run((&assembled, folder), events).await,
        "query" => query::run((&assembled, folder), events).await,
        "chain" => chain::run(&assembled, events).await,
        "devices" => devices::run(&assembled, events).await,
        "growth" => growth::run((&assembled, folder), events).await,
        "epcis" => epcis::run((&assembled, folder), events).await,
        "hash" => hash::run(),
        "search" => search::run((&assembled, folder), events).await,
        "codes" => codes::run((&assembled, folder), events).await,
        other => Err(format!(
            "没有测量项 {other}，应为 access、anchor、capture、import、query、chain、search、codes、devices、growth、hash 或 epcis"
        )),
    };
    drop(assembled);
    // Only what this run made.
    let _ = std::fs::remove_dir_all(&passing);
    result.map(|()| true)
}

fn line(name: &str, figure: &str, budget: &str) {
    println!("{name:<28}\t{figure:<32}\t预算 {budget}");
}

/// Prints the middle and the edge of some durations.
fn spread(name: &str, times: &mut [Duration], budget: &str) {
    percentiles((name, budget), times, (50, 99));
}

/// Prints two percentiles of some durations.
fn percentiles((name, budget): (&str, &str), times: &mut [Duration], (one, two): (usize, usize)) {
    times.sort_unstable();
    let at = |percent: usize| {
        let last = times.len().saturating_sub(1);
        times.get((times.len() * percent / 100).min(last)).copied().unwrap_or_default()
    };
    line(name, &format!("{:.2?} / {:.2?}", at(one), at(two)), budget);
}

/// What this process has in memory now, and the most since [`forget_peak`], in MiB, where the system
/// tells.
fn memory() -> (Option<u64>, Option<u64>) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mebibytes = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes >> 10)
    };
    (mebibytes("VmRSS:"), mebibytes("VmHWM:"))
}

fn peak() -> String {
    memory().1.map_or_else(|| String::from("不详"), |mebibytes| format!("{mebibytes} MiB"))
}

fn forget_peak() {
    // Where it cannot be reset, the peak is that of the whole run: no less.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(count: usize, took: Duration) -> String {
    format!("{:.0} 条/秒", count as f64 / took.as_secs_f64())
}

/// Subjects in the database: what is measured again is not filled again.
async fn subjects(assembled: &Assembled) -> Result<i64, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT COUNT(*) FROM trace_subject");
    let row = tx.fetch_one(sql).await.map_err(say)?;
    row.map_or(Ok(0), |row| row.int(0)).map_err(say)
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
        "attributes": { "plot": "测量", "area_mu": "1", "variety": "测量", "sown_on": "2025-09-01" },
    });
    serde_json::from_value(event).map_err(|error| error.to_string())
}

/// Captures events below the interface; all must be accepted.
async fn store(assembled: &Assembled, events: &[TraceEvent]) -> Result<(), String> {
    let ctx = assembled.app.on_own_behalf("bench");
    let captured = yj_trace::capture(&ctx, Source::Api, events, true).await.map_err(say)?;
    match captured.iter().find(|one| !matches!(one, Captured::New { held: false, .. })) {
        Some(other) => Err(format!("事件未被接收：{other:?}")),
        None => Ok(()),
    }
}
