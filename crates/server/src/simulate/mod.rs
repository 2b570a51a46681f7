//! `yuanjian simulate`: devices that report by themselves, with really signed messages, sent twice and
//! out of order as asked, over HTTP or MQTT.

mod http;
mod mqtt;
mod plan;

pub use plan::{Message, Plan, generate};

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::mpsc, time::MissedTickBehavior};

use crate::demo::Sensor;

/// Where simulated devices send.
#[derive(Debug, Clone)]
pub enum Target {
    /// `http://host:port`
    Http(String),
    /// `host:port` of a broker.
    Mqtt(String),
}

/// What came of a simulation.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Messages sent, those sent twice among them.
    pub sent: usize,
    /// Stored, of which each counts once.
    pub stored: usize,
    /// Known already.
    pub duplicates: usize,
    /// Refused, by code.
    pub refused: Vec<String>,
    /// From sending to the answer that says it is durable, of each.
    pub times: Vec<Duration>,
    /// From the first to the last answer.
    pub took: Duration,
}

/// How often what is due is sent.
const TICK: Duration = Duration::from_millis(50);

/// One answer.
struct Answered {
    code: String,
    took: Duration,
}

/// Sends messages at the plan's rate and waits for every answer.
pub async fn run(
    target: &Target,
    sensors: &[Sensor],
    messages: Vec<Message>,
    rate: usize,
) -> Result<Outcome, String> {
    let total = messages.len();
    let (answers, mut answered) = mpsc::channel::<Result<Answered, String>>(1_024);
    let sensors: Arc<[Sensor]> = sensors.into();
    let sending = match target {
        Target::Http(url) => {
            let sender = http::Sender::new(url, answers);
            tokio::spawn(pace(messages, rate, move |part| sender.send(part)))
        }
        Target::Mqtt(broker) => {
            let sender = Arc::new(mqtt::Sender::connect(broker, &sensors, answers).await?);
            tokio::spawn(pace(messages, rate, move |part| {
                let sender = Arc::clone(&sender);
                async move { sender.send(part).await }
            }))
        }
    };
    let begun = std::time::Instant::now();
    let mut outcome = Outcome { sent: total, ..Outcome::default() };
    while outcome.times.len() < total {
        let Some(answer) = answered.recv().await else {
            return Err(format!("{total} 条消息只有 {} 条得到答复", outcome.times.len()));
        };
        let answer = answer?;
        outcome.times.push(answer.took);
        match answer.code.as_str() {
            "stored" => outcome.stored += 1,
            "duplicate" => outcome.duplicates += 1,
            _ => outcome.refused.push(answer.code),
        }
    }
    outcome.took = begun.elapsed();
    sending.await.map_err(|error| error.to_string())?;
    Ok(outcome)
}

/// Hands out what is due, twenty times a second.
async fn pace<F, W>(messages: Vec<Message>, rate: usize, send: F)
where
    F: Fn(Vec<Message>) -> W + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let each = (rate / 20).max(1);
    let mut messages = messages.into_iter();
    loop {
        tick.tick().await;
        let part: Vec<Message> = messages.by_ref().take(each).collect();
        if part.is_empty() {
            return;
        }
        send(part).await;
    }
}

/// The time at which a simulated run of so many seconds begins, so that it ends now.
pub fn beginning(now: Timestamp, seconds: usize) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(0);
    now - jiff::SignedDuration::from_secs(seconds)
}

/// The time on a device's own clock.
#[expect(clippy::disallowed_methods, reason = "a device has a clock of its own")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
