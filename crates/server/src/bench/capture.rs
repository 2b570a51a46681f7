//! How fast trace data become durable, and how fast they become provable.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::watch;
use yj_model::SubjectCode;
use yj_server::Assembled;
use yj_trace::TraceEvent;

use super::{
    client::{Client, crowd},
    harvest, line, rate, spread, store, subject,
};
use crate::commands::say;

/// A record that is not on the ledger by then will not come there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Consumes what [`harvest`] made.
fn pack(subject: &SubjectCode, number: usize) -> Result<TraceEvent, String> {
    let event = json!({
        "domain": "agri", "type": "processing", "subject": subject, "event_time": "2026-01-01T09:00:00+08:00",
        "inputs": [{ "code": format!("BENCH{number:09}"), "quantity": "100", "unit": "KGM" }],
        "outputs": [{ "code": format!("BENCH{number:09}P"), "quantity": "98", "unit": "KGM" }],
    });
    serde_json::from_value(event).map_err(|error| error.to_string())
}

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    events: usize,
) -> Result<(), String> {
    let subject = subject(assembled).await?;
    for clients in [1, 4] {
        batches(assembled, (&subject, clients), events).await?;
    }
    let begun = Instant::now();
    let anchored = assembled.ledger.drain(&assembled.app).await.map_err(say)?;
    line("存证（平台代签，按主体成批）", &rate(anchored, begun.elapsed()), "≥ 15000 条/秒");
    let client = Arc::new(Client::log_in(assembled, folder).await?);
    singles(&client, &subject).await?;
    assembled.ledger.drain(&assembled.app).await.map_err(say)?;
    provable(assembled, &client, &subject).await
}

/// Batches of a hundred, as so many who send them at the same time are acknowledged.
async fn batches(
    assembled: &Assembled,
    (subject, clients): (&SubjectCode, usize),
    events: usize,
) -> Result<(), String> {
    let batches = (events / 100 / clients).max(1);
    let (assembled, subject) = (assembled.clone(), subject.clone());
    let (mut times, took) = crowd((clients, batches), move |batch| {
        let (assembled, subject) = (assembled.clone(), subject.clone());
        async move {
            let first = 100_000_000 * clients + batch * 50;
            let harvests = (first..first + 50).map(|number| harvest(&subject, number));
            let packs = (first..first + 50).map(|number| pack(&subject, number));
            let all = harvests.chain(packs).collect::<Result<Vec<_>, _>>()?;
            store(&assembled, &all).await
        }
    })
    .await?;
    let title = format!("批量采集（每批 100 条，{clients} 个客户端）");
    line(&title, &rate(times.len() * 100, took), "≥ 5000 条/秒");
    spread("　每批耗时 p50 / p99", &mut times, "—");
    Ok(())
}

/// One event per request, 64 clients at once.
async fn singles(client: &Arc<Client>, subject: &SubjectCode) -> Result<(), String> {
    let (client, subject) = (Arc::clone(client), subject.clone());
    let (mut times, took) = crowd((64, 150), move |number| {
        let (client, subject) = (Arc::clone(&client), subject.clone());
        async move { post(&client, &subject, 600_000_000 + number).await.map(drop) }
    })
    .await?;
    line("单条采集（64 个客户端）", &rate(times.len(), took), "≥ 3000 条/秒");
    spread("　每条耗时 p50 / p99", &mut times, "p99 ≤ 50 ms");
    Ok(())
}

async fn post(client: &Client, subject: &SubjectCode, number: usize) -> Result<String, String> {
    let event = serde_json::to_value(harvest(subject, number)?);
    let body = event.map_err(|error| error.to_string())?;
    let answer = client.post("/api/v1/trace/events", &body).await?;
    match &answer["results"][0] {
        one if one["state"] == "accepted" => Ok(one["id"].as_str().unwrap_or_default().to_owned()),
        other => Err(format!("事件未被接收：{other}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "a client looks again and again, as people do")]
/// From the answer to a capture until the proof can be fetched, with eight clients at it.
pub(super) async fn provable(
    assembled: &Assembled,
    client: &Arc<Client>,
    subject: &SubjectCode,
) -> Result<(), String> {
    let (stop, stopped) = watch::channel(false);
    let ledger = tokio::spawn(assembled.ledger.clone().run(assembled.app.clone(), stopped));
    let (client, subject) = (Arc::clone(client), subject.clone());
    let (mut times, _) = crowd((8, 40), move |number| {
        let (client, subject) = (Arc::clone(&client), subject.clone());
        async move {
            let id = post(&client, &subject, 700_000_000 + number).await?;
            let path = format!("/api/v1/trace/events/{id}");
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE {
                let found: Value = serde_json::from_slice(&client.get(&path).await?)
                    .map_err(|error| error.to_string())?;
                if found["anchor"] == "confirmed" {
                    return client.get(&format!("{path}/proof")).await.map(drop);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(format!("{id} 超过 {PATIENCE:?} 仍未上链"))
        }
    })
    .await?;
    let _ = stop.send(true);
    ledger.await.map_err(|error| error.to_string())?;
    spread("采集至可取得证明 p50 / p99", &mut times, "p99 ≤ 500 ms");
    Ok(())
}
