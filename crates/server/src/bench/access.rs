//! Access: what one decision costs, and how the service answers while somebody floods the log-in.

use std::{
    hint::black_box,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde_json::json;
use yj_kernel::{DataClass, Grant, Limit, Place, Principal, Rights, Scoping};
use yj_server::Assembled;

use super::{
    client::{Client, crowd},
    line, rate, spread,
};
use crate::commands::say;

const DECISIONS: u32 = 2_000_000;
/// Those who try passwords, and how often each tries at most.
const ATTACKERS: (usize, usize) = (32, 100_000);
/// Those who work meanwhile.
const WORKERS: (usize, usize) = (4, 500);

/// Somebody with twelve grants: more than people have.
fn somebody() -> Principal {
    const REGIONS: [&str; 6] = ["610100", "610200", "610300", "610400", "610500", "610600"];
    let grant = |number: usize| Grant {
        permission: format!("trace_subject:{}", ["read", "write"][number / 6]),
        limit: Limit {
            region: REGIONS[number % 6].parse().ok(),
            clearance: DataClass::Sensitive,
            ..Limit::EVERYTHING
        },
    };
    let nobody = || String::from("bench");
    Principal::new(nobody(), nobody(), nobody(), Rights::new((0..12).map(grant)).into())
}

pub(super) async fn run((assembled, folder): (&Assembled, &Path)) -> Result<(), String> {
    decide()?;
    let client = Client::log_in(assembled, folder).await?;
    let work = {
        let client = client.clone();
        move |_: usize| {
            let client = client.clone();
            async move { client.get("/api/v1/trace_subject?per_page=20").await.map(drop) }
        }
    };
    crowd((4, 50), work.clone()).await?;
    let (mut calm, _) = crowd(WORKERS, work.clone()).await?;
    spread("平时列表 p50 / p99", &mut calm, "");
    let over = Arc::new(AtomicBool::new(false));
    let flood = tokio::spawn(flood(client, Arc::clone(&over)));
    let (mut busy, _) = crowd(WORKERS, work).await?;
    over.store(true, Ordering::Relaxed);
    let (count, took) = flood.await.map_err(|error| error.to_string())??;
    line("口令试探（32 个客户端）", &rate(count, took), "≥ 1000 次/秒");
    spread("试探中列表 p50 / p99", &mut busy, "p99 ≤ 1 s");
    Ok(())
}

/// From a permission and a place to yes or no; here the last of six limits decides.
fn decide() -> Result<(), String> {
    let somebody = somebody();
    let Scoping::By(columns) = yj_subject::TRACE_SUBJECT.scoping else {
        return Err(String::from("追溯主体没有数据权限"));
    };
    let place = Place { region: Some("610602"), subject: Some("s"), ..Place::default() };
    let begun = Instant::now();
    let mut allowed = 0;
    for _ in 0..DECISIONS {
        let scope = somebody.scope(black_box("trace_subject:read")).map_err(say)?;
        allowed += u32::from(scope.covers(&columns, black_box(&place)));
    }
    let each = begun.elapsed() / DECISIONS;
    if allowed != DECISIONS {
        return Err(String::from("判定有误"));
    }
    line("一次授权判定", &format!("{each:.0?}"), "< 1 µs");
    Ok(())
}

/// Wrong passwords for five hundred names, as fast as they are refused.
async fn flood(
    client: Client,
    over: Arc<AtomicBool>,
) -> Result<(usize, std::time::Duration), String> {
    let begun = Instant::now();
    let attempts = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let attack = {
        let attempts = Arc::clone(&attempts);
        move |number: usize| {
            let (client, over) = (client.clone(), Arc::clone(&over));
            let attempts = Arc::clone(&attempts);
            async move {
                if !over.load(Ordering::Relaxed) {
                    let user = format!("guess-{}", number % 500);
                    let body = json!({ "user": user, "password": "wrong" });
                    // Refused, as it should be.
                    let _ = client.post("/api/v1/session", &body).await;
                    attempts.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        }
    };
    crowd(ATTACKERS, attack).await?;
    Ok((attempts.load(Ordering::Relaxed), begun.elapsed()))
}
