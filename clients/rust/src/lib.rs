//! A client of the platform's interface: tokens or signed requests, retries where they are safe, the
//! types of what is sent and stored.
#![expect(clippy::disallowed_methods, reason = "a program of its own, with the machine's clock")]

pub mod models;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sm3::{Digest as _, Sm3};

use models::{CaptureResult, TraceEvent};

const TRIES: u32 = 5;
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Why a call did not succeed.
#[derive(Debug)]
pub enum Error {
    /// What the platform says is wrong (RFC 9457); `errors` in the body names the fields.
    Problem {
        /// HTTP status.
        status: u16,
        /// The whole problem.
        body: Value,
    },
    /// The platform was not reached, or what it answered was not understood.
    Broken(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problem { status, body } => write!(formatter, "{status} {}", body["detail"]),
            Self::Broken(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// A register: what is sent, and what is stored.
pub trait Register {
    /// Its name in addresses.
    const NAME: &'static str;
    /// A record as the platform stores it.
    type Stored: DeserializeOwned;
}

/// How a client shows who it is.
enum Way {
    Token { id: String, secret: String, bearer: Mutex<(String, u64)> },
    Signature { id: String, secret: String },
    Session { cookie: String, csrf: String },
}

/// A client of one platform.
pub struct Client {
    url: String,
    agent: ureq::Agent,
    way: Way,
}

/// Headers by name.
type Headers = BTreeMap<&'static str, String>;

impl Client {
    /// Client credentials: tokens are fetched and renewed as needed.
    pub fn token(url: &str, id: &str, secret: &str) -> Self {
        let bearer = Mutex::default();
        Self::new(url, Way::Token { id: id.into(), secret: secret.into(), bearer })
    }

    /// Signs every request (RFC 9421, `hmac-sm3`). `url` is the platform's public address.
    pub fn signing(url: &str, id: &str, secret: &str) -> Self {
        Self::new(url, Way::Signature { id: id.into(), secret: secret.into() })
    }

    /// Logs in as a person who needs no second factor.
    pub fn session(url: &str, user: &str, password: &str) -> Result<Self> {
        let mut client =
            Self::new(url, Way::Session { cookie: String::new(), csrf: String::new() });
        let body = json!({ "user": user, "password": password }).to_string();
        let path = "/api/v1/session";
        let (status, headers, answer) = client.send("POST", path, &body, &Headers::new())?;
        if status >= 300 {
            return Err(Error::Problem { status, body: answer });
        }
        let cookie = headers.get("set-cookie").and_then(|text| text.split(';').next());
        client.way = Way::Session {
            cookie: String::from(cookie.unwrap_or_default()),
            csrf: String::from(answer["csrf"].as_str().unwrap_or_default()),
        };
        Ok(client)
    }

    fn new(url: &str, way: Way) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)));
        let agent = config.build().into();
        Self { url: String::from(url.trim_end_matches('/')), agent, way }
    }

    /// Posts events, all or none. The same content is one event however often it is sent, so this is
    /// retried.
    pub fn capture(&self, events: &[TraceEvent]) -> Result<Vec<CaptureResult>> {
        let body = json!({ "events": events, "atomic": true });
        let answer = self.call("POST", "/api/v1/trace/events", Some(&body), true)?;
        typed(answer["results"].clone())
    }

    /// A new record, or the change request that somebody else must approve.
    pub fn create<R: Register + Serialize>(&self, record: &R) -> Result<Value> {
        let body = serde_json::to_value(record).map_err(broken)?;
        let mut answer = self.call("POST", &format!("/api/v1/{}", R::NAME), Some(&body), false)?;
        let change = answer["change_request"].take();
        Ok(if change.is_null() { answer } else { change })
    }

    /// Approves a change request of somebody else.
    pub fn approve<R: Register>(&self, change: &str, comment: &str) -> Result<Value> {
        let path = format!("/api/v1/{}/changes/{change}/approve", R::NAME);
        self.call("POST", &path, Some(&json!({ "comment": comment })), false)
    }

    /// One record.
    pub fn get<R: Register>(&self, id: &str) -> Result<R::Stored> {
        typed(self.call("GET", &format!("/api/v1/{}/{id}", R::NAME), None, true)?)
    }

    /// The first records, up to a hundred, whose field begins with or equals this text.
    pub fn find<R: Register>(&self, field: &str, text: &str) -> Result<Vec<R::Stored>> {
        let path = format!("/api/v1/{}?per_page=100&{field}={}", R::NAME, encoded(text));
        typed(self.call("GET", &path, None, true)?["items"].take())
    }

    /// Any operation. `again`: whether it may be repeated when nobody knows what became of it.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        again: bool,
    ) -> Result<Value> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut attempt = 1;
        loop {
            let mut wait = Duration::from_millis(200 << attempt);
            let failed = match self.send(method, path, &text, &Headers::new()) {
                Ok((status, _, answer)) if status < 300 => return Ok(answer),
                Ok((status, headers, body)) => {
                    let refused = matches!(status, 429 | 503);
                    if status == 401 && attempt == 1 && self.forget_token() {
                        attempt += 1;
                        continue;
                    }
                    let after = headers.get("retry-after").and_then(|text| text.parse().ok());
                    wait = after.map_or(wait, Duration::from_secs);
                    let problem = Error::Problem { status, body };
                    if !(refused || (again && matches!(status, 502 | 504))) {
                        return Err(problem);
                    }
                    problem
                }
                Err(error) if again => error,
                Err(error) => return Err(error),
            };
            if attempt == TRIES {
                return Err(failed);
            }
            attempt += 1;
            sleep(wait.min(WAIT_MAX));
        }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
        more: &Headers,
    ) -> Result<(u16, Headers, Value)> {
        let url = format!("{}{path}", self.url);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if !body.is_empty() {
            let form = path == "/oauth/token";
            let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
            request = request.header("content-type", kind);
        }
        for (name, value) in self.headers(method, path, body)?.iter().chain(more) {
            request = request.header(*name, value);
        }
        let request = request.body(String::from(body)).map_err(broken)?;
        let mut answer = self.agent.run(request).map_err(broken)?;
        let told = |name: &'static str| {
            Some((name, String::from(answer.headers().get(name)?.to_str().ok()?)))
        };
        let headers = ["set-cookie", "retry-after"].into_iter().filter_map(told).collect();
        let text = answer.body_mut().read_to_string().map_err(broken)?;
        Ok((answer.status().as_u16(), headers, serde_json::from_str(&text).unwrap_or_default()))
    }

    fn headers(&self, method: &str, path: &str, body: &str) -> Result<Headers> {
        if path == "/oauth/token" {
            return Ok(Headers::new());
        }
        Ok(match &self.way {
            Way::Token { .. } => {
                Headers::from([("authorization", format!("Bearer {}", self.fresh_token()?))])
            }
            Way::Session { cookie, csrf } => {
                Headers::from([("cookie", cookie.clone()), ("x-csrf", csrf.clone())])
            }
            Way::Signature { id, secret } => {
                let digest = format!("sm3=:{}:", STANDARD.encode(Sm3::digest(body)));
                let mut nonce = [0; 16];
                getrandom::fill(&mut nonce).map_err(broken)?;
                let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
                let parameters = format!(
                    "(\"@method\" \"@target-uri\" \"content-digest\");created={};keyid=\"{id}\";alg=\"hmac-sm3\";nonce=\"{nonce}\"",
                    now_s()
                );
                let base = format!(
                    "\"@method\": {method}\n\"@target-uri\": {}{path}\n\"content-digest\": {digest}\n\"@signature-params\": {parameters}",
                    self.url
                );
                let mut mac = Hmac::<Sm3>::new_from_slice(secret.as_bytes()).map_err(broken)?;
                mac.update(base.as_bytes());
                let signature = STANDARD.encode(mac.finalize().into_bytes());
                Headers::from([
                    ("content-digest", digest),
                    ("signature-input", format!("sig={parameters}")),
                    ("signature", format!("sig=:{signature}:")),
                ])
            }
        })
    }

    fn fresh_token(&self) -> Result<String> {
        let Way::Token { id, secret, bearer } = &self.way else { return Ok(String::new()) };
        let mut bearer = bearer.lock().unwrap_or_else(PoisonError::into_inner);
        if now_s() < bearer.1 {
            return Ok(bearer.0.clone());
        }
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            encoded(id),
            encoded(secret)
        );
        let (status, _, body) = self.send("POST", "/oauth/token", &form, &Headers::new())?;
        if status >= 300 {
            return Err(Error::Problem { status, body });
        }
        let token = String::from(body["access_token"].as_str().unwrap_or_default());
        let lives_s = body["expires_in"].as_u64().unwrap_or(900);
        *bearer = (token.clone(), now_s() + lives_s.saturating_sub(60));
        Ok(token)
    }

    /// Whether there was a token that may have expired.
    fn forget_token(&self) -> bool {
        let Way::Token { bearer, .. } = &self.way else { return false };
        bearer.lock().unwrap_or_else(PoisonError::into_inner).1 = 0;
        true
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Broken(error.to_string())
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A text as part of a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
