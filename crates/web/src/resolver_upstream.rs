//! Asking a resolver further up (handbook §2.9): two seconds, no loops, and not the same question
//! again for a minute.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::sync::Semaphore;
use yj_kernel::{App, Problem, Result};
use yj_product::host;

/// How long an upstream may take.
const WAIT: Duration = Duration::from_secs(2);
/// How long an answer, and that there is none, is remembered.
const KEPT_MS: i64 = 60_000;
/// Answers remembered.
const KEPT_MAX: usize = 512;
/// Longest answer that is passed on.
const ANSWER_MAX: u64 = 64 << 10;
/// Resolvers that a question may have passed.
const HOPS_MAX: u32 = 3;
/// Questions on their way at once.
const AT_ONCE: usize = 32;

/// How many resolvers a question has passed.
pub(crate) const HOPS: &str = "x-resolver-hops";

/// What an upstream said.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// Go there.
    Location(String),
    /// Its links.
    Links(Value),
    /// Nothing that can be used.
    Nothing,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, (i64, Said)>,
    order: VecDeque<String>,
}

/// The way up, shared by all requests.
#[derive(Clone)]
pub(crate) struct Upstream {
    kept: Arc<Mutex<Kept>>,
    under_way: Arc<Semaphore>,
}

/// A question for an upstream.
pub(crate) struct Question {
    /// The address, identifier and all.
    pub(crate) address: String,
    /// `linkType` as asked.
    pub(crate) link_type: Option<String>,
    /// Whether links are wanted rather than a page.
    pub(crate) wants_links: bool,
    /// Resolvers it has passed.
    pub(crate) hops: u32,
}

impl Upstream {
    pub(crate) fn new() -> Self {
        Self { kept: Arc::default(), under_way: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    fn known(&self, key: &str, now: i64) -> Option<Said> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.get(key).filter(|(until, _)| now < *until).map(|(_, said)| said.clone())
    }

    fn keep(&self, key: String, now: i64, said: &Said) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.answers.insert(key.clone(), (now + KEPT_MS, said.clone())).is_none() {
            kept.order.push_back(key);
        }
        while kept.order.len() > KEPT_MAX {
            if let Some(oldest) = kept.order.pop_front() {
                kept.answers.remove(&oldest);
            }
        }
    }

    /// Asks, or remembers what was said.
    pub(crate) async fn ask(&self, app: &App, question: Question) -> Result<Said> {
        let own = host(&app.platform().public_url).map(String::from);
        // Whoever sends it round, it ends here.
        if question.hops >= HOPS_MAX || host(&question.address) == own.as_deref() {
            return Ok(Said::Nothing);
        }
        let now = app.now().as_millisecond();
        let link_type = question.link_type.as_deref().unwrap_or_default();
        let key = format!("{}|{link_type}|{}", question.address, question.wants_links);
        if let Some(said) = self.known(&key, now) {
            return Ok(said);
        }
        let Ok(_place) = self.under_way.try_acquire() else {
            let detail = "转发给上级解析的查询过多，请稍后再试";
            return Err(Problem::Unavailable(String::from(detail)));
        };
        let asked = tokio::task::spawn_blocking(move || fetch(&question));
        let said = asked.await.map_err(Problem::internal)?.unwrap_or_else(|error| {
            tracing::warn!(%error, "an upstream resolver did not answer");
            Said::Nothing
        });
        let said = match said {
            Said::Location(location) if own.is_some() && host(&location) == own.as_deref() => {
                Said::Nothing
            }
            other => other,
        };
        self.keep(key, now, &said);
        Ok(said)
    }
}

fn fetch(question: &Question) -> Result<Said, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WAIT))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let accept = if question.wants_links { "application/linkset+json" } else { "text/html" };
    let mut request = agent
        .get(&question.address)
        .header("accept", accept)
        .header(HOPS, (question.hops + 1).to_string());
    if let Some(kind) = &question.link_type {
        request = request.query("linkType", kind);
    }
    let mut answer = request.call()?;
    let status = answer.status().as_u16();
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
    if matches!(status, 301 | 302 | 303 | 307 | 308) {
        // Only whole addresses of the web: nothing that a browser would run.
        let whole = location.filter(|text| {
            (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 2_000
        });
        return Ok(whole.map_or(Said::Nothing, |text| Said::Location(String::from(text))));
    }
    let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let json = kind.is_some_and(|kind| kind.contains("json"));
    if status != 200 {
        return Ok(Said::Nothing);
    }
    if !json {
        // Its page is at the very address that was asked.
        return Ok(Said::Location(question.address.clone()));
    }
    let text = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()?;
    let links =
        serde_json::from_str::<Value>(&text).ok().filter(|links| links["linkset"].is_array());
    Ok(links.map_or(Said::Nothing, Said::Links))
}

impl Said {
    /// As we pass it on; nothing where nothing was said.
    pub(crate) fn response(self) -> Option<Response> {
        match self {
            Self::Location(location) => redirect(&location),
            Self::Links(links) => {
                let mut response = Json(links).into_response();
                let kind = HeaderValue::from_static("application/linkset+json");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                Some(response)
            }
            Self::Nothing => None,
        }
    }
}

/// 307, for the identifier stays what it is.
pub(crate) fn redirect(location: &str) -> Option<Response> {
    let value = HeaderValue::from_str(location).ok()?;
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    response.headers_mut().insert(header::LOCATION, value);
    Some(response)
}
