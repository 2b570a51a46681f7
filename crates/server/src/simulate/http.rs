//! Over HTTP: what is due goes in one request, some requests at once.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::{Answered, Message};

/// Requests at once.
const AT_ONCE: usize = 16;

/// Sends over HTTP.
pub(super) struct Sender {
    agent: ureq::Agent,
    url: String,
    answers: mpsc::Sender<Result<Answered, String>>,
    room: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(url: &str, answers: mpsc::Sender<Result<Answered, String>>) -> Self {
        let url = format!("{}/api/v1/devices/messages", url.trim_end_matches('/'));
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(std::time::Duration::from_mins(1)))
            .build()
            .new_agent();
        Self { agent, url, answers, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Sends messages in one request, without waiting for its answer.
    pub(super) fn send(&self, part: Vec<Message>) -> impl Future<Output = ()> + Send + use<> {
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let (answers, room) = (self.answers.clone(), Arc::clone(&self.room));
        async move {
            // When the line is full it waits, as a device would.
            let Ok(permit) = room.acquire_owned().await else { return };
            let begun = Instant::now();
            tokio::task::spawn_blocking(move || {
                let told = post(&agent, &url, part);
                let took = begun.elapsed();
                drop(permit);
                let told = match told {
                    Ok(codes) => {
                        codes.into_iter().map(|code| Ok(Answered { code, took })).collect()
                    }
                    Err(error) => vec![Err(error)],
                };
                for one in told {
                    // Whoever counts the answers has given up.
                    if answers.blocking_send(one).is_err() {
                        return;
                    }
                }
            });
        }
    }
}

fn post(agent: &ureq::Agent, url: &str, part: Vec<Message>) -> Result<Vec<String>, String> {
    let messages: Vec<Value> = part.into_iter().map(|message| message.body).collect();
    let body = json!({ "messages": messages }).to_string();
    let request = agent.post(url).header("content-type", "application/json");
    let mut answer = request.send(body).map_err(|error| format!("{url}：{error}"))?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let results = answer["results"].as_array().ok_or("答复中没有 results")?;
    let code = |one: &Value| String::from(one["code"].as_str().unwrap_or_default());
    Ok(results.iter().map(code).collect())
}
