//! A published log, fetched. Whatever comes is bounded and believed only after it was computed.

use std::{io::Read as _, time::Duration};

use serde::Deserialize;
use yj_crypto::from_hex;
use yj_proof::{Alarm, Hash, Note, NoteKey, NoteKind, tile::Tile};

/// Everything asked for comes within this time, or counts as not come.
const WAIT: Duration = Duration::from_secs(20);
/// Bytes of a note, a problem or a consistency path at most.
const TEXT_MAX: u64 = 64 * 1024;

/// Why something did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfetched {
    /// There is no such thing (404).
    Missing,
    /// Anything else, in words.
    Failed(String),
}

impl std::fmt::Display for Unfetched {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => formatter.write_str("没有这个文件（404）"),
            Self::Failed(why) => formatter.write_str(why),
        }
    }
}

/// The answer to `/ledger/consistency`.
#[derive(Deserialize)]
struct Consistency {
    path: Vec<String>,
}

/// A platform's published log, or a witness's publication of it.
#[derive(Debug, Clone)]
pub struct Log {
    agent: ureq::Agent,
    base: String,
}

impl Log {
    /// The log at an address.
    pub fn at(url: &str) -> Result<Self, String> {
        let base = url.trim_end_matches('/');
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let sound = rest.is_some_and(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            !host.is_empty() && !rest.contains(['@', '?', '#', ' ']) && base.len() <= 500
        });
        if !sound {
            return Err(format!("应为 http:// 或 https:// 开头的地址，不含参数，现为 {url}"));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(WAIT))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("yj-witness/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, base: String::from(base) })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.base
    }

    fn get(&self, path: &str, most: u64) -> Result<Vec<u8>, Unfetched> {
        let url = format!("{}{path}", self.base);
        let failed = |why: &dyn std::fmt::Display| Unfetched::Failed(format!("{url}：{why}"));
        // A store between us and the log would show yesterday's.
        let request = self.agent.get(&url).header("cache-control", "no-cache");
        let mut answer = request.call().map_err(|error| failed(&error))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Err(Unfetched::Missing),
            status => return Err(failed(&format!("答复 {status}"))),
        }
        let mut bytes = Vec::new();
        let body = answer.body_mut().as_reader().take(most + 1);
        std::io::BufReader::new(body).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        if bytes.len() as u64 > most { Err(failed(&"答复过大")) } else { Ok(bytes) }
    }

    fn text(&self, path: &str) -> Result<String, Unfetched> {
        let bytes = self.get(path, TEXT_MAX)?;
        String::from_utf8(bytes).map_err(|_| Unfetched::Failed(format!("{path}：不是文本")))
    }

    /// The newest signed checkpoint, as text.
    pub fn checkpoint(&self) -> Result<String, Unfetched> {
        self.text("/ledger/checkpoint")
    }

    /// The newest note of another witness, as text.
    pub fn witnessed(&self) -> Result<String, Unfetched> {
        self.text("/checkpoint")
    }

    /// The bytes of the beginning of the chain.
    pub fn genesis(&self) -> Result<Vec<u8>, Unfetched> {
        self.get("/ledger/genesis", TEXT_MAX)
    }

    /// The nodes of a tile; from the full one where a narrower one is gone.
    pub fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Unfetched> {
        let fetch = |tile: Tile| {
            let path = format!("/ledger/tile/{}", tile.path());
            let bytes = self.get(&path, 32 * u64::from(tile.width()))?;
            let wrong = || Unfetched::Failed(format!("{path}：长度与瓦片不符"));
            tile.hashes(&bytes).ok_or_else(wrong)
        };
        match fetch(tile) {
            Err(Unfetched::Missing) if !tile.is_full() => {
                let mut hashes = fetch(tile.full())?;
                hashes.truncate(usize::from(tile.width()));
                Ok(hashes)
            }
            other => other,
        }
    }

    /// The path that the log itself computed between two sizes.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, Unfetched> {
        let path = format!("/ledger/consistency?from={from}&to={to}");
        let wrong = || Unfetched::Failed(format!("{path}：不是一致性证明"));
        let found: Consistency = serde_json::from_str(&self.text(&path)?).map_err(|_| wrong())?;
        found.path.iter().map(|hash| from_hex(hash)).collect::<Option<_>>().ok_or_else(wrong)
    }

    /// Hands over a countersigned note.
    pub fn hand_over(&self, note: &Note) -> Result<(), String> {
        self.post("/ledger/cosignatures", "text/plain; charset=utf-8", note.to_text())
    }

    /// Raises an alarm.
    pub fn warn(&self, alarm: &Alarm) -> Result<(), String> {
        let text = serde_json::to_string(alarm).map_err(|error| error.to_string())?;
        self.post("/ledger/alarms", "application/json", text)
    }

    fn post(&self, path: &str, kind: &str, body: String) -> Result<(), String> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).header("content-type", kind);
        let mut answer = request.send(body).map_err(|error| format!("{url}：{error}"))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let text = answer.body_mut().with_config().limit(TEXT_MAX).read_to_string();
        let problem: serde_json::Value =
            text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("平台没有说明原因");
        Err(format!("{url}：答复 {status}，{detail}"))
    }
}

/// The keys with which the validators of a set sign the log of a chain.
pub(crate) fn keys_of(origin: &str, set: &yj_proof::ValidatorSet) -> Vec<NoteKey> {
    let members = set.members().iter();
    members
        .filter_map(|member| NoteKey::new(origin, NoteKind::Log, member.key.clone()).ok())
        .collect()
}
