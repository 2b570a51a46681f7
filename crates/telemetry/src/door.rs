//! The doors of device data over MQTT 5 (D-6.3-2): `yj/v1/{device}/up` for messages, one to a packet,
//! and `yj/v1/{device}/down` for what became of them. A device logs in with its address and a signed
//! time; every message is signed by itself as over HTTP.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use yj_crypto::from_hex;
use yj_kernel::{App, Problem, Result, json as strict};
use yj_model::{MacAddress, OffsetTime};
use yj_mqtt::{Keeper, Reason, Taken};

use crate::{Intake, Told};

/// How far a device's clock may be off when it logs in.
const SKEW_MAX_MS: i64 = 5 * 60_000;
/// What all topics begin with.
const ROOT: &str = "yj/v1/";
/// Under which all nodes share what comes at an external broker.
const GROUP: &str = "yuanjian";

/// What an external broker is asked for.
pub fn shared_filter() -> String {
    format!("$share/{GROUP}/{ROOT}+/up")
}

/// Takes what devices send over MQTT.
pub struct Door {
    app: App,
    intake: Intake,
    /// Addresses from which connections are taken.
    welcomes: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// The time with which each device last logged in: each is good once.
    last: Mutex<BTreeMap<String, i64>>,
}

impl Door {
    /// A door for connections from the addresses that `welcomes` holds for.
    pub fn new(
        app: &App,
        intake: &Intake,
        welcomes: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (app, intake) = (app.clone(), intake.clone());
        Self { app, intake, welcomes: Box::new(welcomes), last: Mutex::default() }
    }

    /// Who logs in with this name and this password; `None` where they are not who they say.
    async fn login(&self, user: &str, password: &str) -> Result<Option<String>> {
        let Ok(mac) = user.parse::<MacAddress>() else { return Ok(None) };
        let (mac, now) = (mac.to_string(), self.app.now().as_millisecond());
        let Some((at, signature)) = password.split_once(' ') else { return Ok(None) };
        let Some(signature) = from_hex::<64>(signature) else { return Ok(None) };
        let Ok(time) = at.parse::<OffsetTime>() else { return Ok(None) };
        if (time.unix_ms() - now).abs() > SKEW_MAX_MS {
            return Ok(None);
        }
        let mut tx = self.app.db().snapshot().await?;
        let speakers = yj_construction::speakers(&mut tx, [mac.as_str()], now).await?;
        drop(tx);
        let Some(speaker) = speakers.into_values().next() else { return Ok(None) };
        let words = words(&mac, at);
        let own = tokio::task::spawn_blocking(move || {
            speaker.vouches(words.as_bytes(), &signature).is_ok()
        });
        if !own.await.map_err(Problem::internal)? {
            return Ok(None);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = last.get(&mac).is_none_or(|before| *before < time.unix_ms());
        if !fresh {
            return Ok(None);
        }
        last.insert(mac.clone(), time.unix_ms());
        Ok(Some(mac))
    }
}

fn words(mac: &str, at: &str) -> String {
    format!("yj-connect-v1\n{mac}\n{at}")
}

/// The password with which a device logs in at this moment: what a device does, for simulators and
/// measurements. `None` where the key cannot sign.
pub fn password(mac: &str, at: jiff::Timestamp, key: &dyn yj_crypto::Signer) -> Option<String> {
    let mac: MacAddress = mac.parse().ok()?;
    let signature = key.sign(words(mac.as_str(), &at.to_string()).as_bytes()).ok()?;
    Some(format!("{at} {}", yj_crypto::to_hex(&signature)))
}

/// The device of a topic with this last part.
fn device_of(topic: &str, last: &str) -> Option<String> {
    let device = topic.strip_prefix(ROOT)?.strip_suffix(last)?;
    device.parse::<MacAddress>().ok().map(|mac| mac.to_string())
}

impl Keeper for Door {
    fn welcomes(&self, address: IpAddr) -> bool {
        (self.welcomes)(address)
    }

    async fn admit(&self, user: &str, password: &str) -> Option<String> {
        self.login(user, password).await.unwrap_or_else(|problem| {
            problem.log();
            None
        })
    }

    fn may_publish(&self, client: &str, topic: &str) -> bool {
        device_of(topic, "/up").is_some_and(|device| device == client)
    }

    fn may_subscribe(&self, client: &str, filter: &str) -> bool {
        device_of(filter, "/down").is_some_and(|device| device == client)
    }

    async fn take(&self, topic: &str, payload: bytes::Bytes) -> Taken {
        let sent: Result<Value> = strict::parse(&payload);
        let device = device_of(topic, "/up");
        let said = |sent: &Value| {
            let mac = sent["device"].as_str().and_then(|text| text.parse::<MacAddress>().ok());
            mac.map(|mac| mac.to_string())
        };
        let told = match sent {
            Err(problem) => Err(problem),
            Ok(sent) if said(&sent) != device => {
                let detail = "主题中的设备与消息中的设备应为同一台";
                Err(Problem::invalid("device", detail))
            }
            Ok(sent) => self.intake.take(&self.app, vec![sent], true).await,
        };
        let down = topic.strip_suffix("/up").map(|stem| format!("{stem}/down"));
        match told.map(|mut told| told.pop()) {
            Ok(Some(told)) => of_told(&told, down),
            Ok(None) => of_problem(&Problem::internal("no fate"), down),
            Err(problem) => of_problem(&problem, down),
        }
    }
}

fn of_told(told: &Told, down: Option<String>) -> Taken {
    let body = told.json();
    let reason = match told.code() {
        "stored" | "duplicate" => Reason::Success,
        "unknown" | "out_of_use" | "no_certificate" | "bad_signature" => Reason::NotAuthorized,
        "malformed" => Reason::PayloadFormatInvalid,
        _ => Reason::Refused,
    };
    Taken {
        reason,
        code: told.code(),
        detail: body["detail"].as_str().map(String::from),
        answer: down.map(|topic| (topic, body.to_string().into())),
    }
}

fn of_problem(problem: &Problem, down: Option<String>) -> Taken {
    problem.log();
    let (reason, code) = match problem {
        Problem::Internal(_) | Problem::Unavailable(_) => (Reason::Later, "unavailable"),
        _ => (Reason::PayloadFormatInvalid, "malformed"),
    };
    let body = json!({ "code": code, "detail": problem.to_string() });
    Taken {
        reason,
        code,
        detail: Some(problem.to_string()),
        answer: down.map(|topic| (topic, body.to_string().into())),
    }
}
