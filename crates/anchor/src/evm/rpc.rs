//! JSON-RPC over HTTP, as much as is needed, with every answer bounded and distrusted.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::Trouble;

/// Time for one question.
const WAIT: Duration = Duration::from_secs(10);
/// Longest answer that is read: a block's header and the names of its transactions.
const ANSWER_MAX: u64 = 8 << 20;
/// As much of a node's own words as is passed on, in characters.
const WORDS_MAX: usize = 200;
/// "Method not found" of JSON-RPC 2.0.
const NO_SUCH_METHOD: i64 = -32_601;

/// A node.
pub(super) struct Rpc {
    agent: ureq::Agent,
    url: String,
    asked: AtomicU64,
}

impl Rpc {
    pub(super) fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(WAIT))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Self { agent: config.into(), url, asked: AtomicU64::new(0) }
    }

    /// Asks and returns the result, which may be null.
    pub(super) fn call(&self, method: &'static str, params: Value) -> Result<Value, Trouble> {
        let id = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let question = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut answer = self.agent.post(&self.url).send_json(&question).map_err(unreachable)?;
        let status = answer.status();
        let read = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
        let body = read.map_err(unreachable)?;
        let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else {
            let code = status.as_u16();
            let silent = || Trouble::Unreachable(format!("HTTP {code}"));
            return Err(if status.is_success() { Trouble::Unreadable(method) } else { silent() });
        };
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(refusal(method, error));
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(Trouble::Unreadable(method)),
        }
    }

    /// The same for an answer of 64 bits.
    pub(super) fn number(&self, method: &'static str, params: Value) -> Result<u64, Trouble> {
        let amount = self.amount(method, params)?;
        u64::try_from(amount).map_err(|_| Trouble::Unreadable(method))
    }

    /// The same for an answer of 128 bits.
    pub(super) fn amount(&self, method: &'static str, params: Value) -> Result<u128, Trouble> {
        quantity(&self.call(method, params)?).ok_or(Trouble::Unreadable(method))
    }
}

/// `0x…`; leading zeros do no harm.
pub(super) fn quantity(value: &Value) -> Option<u128> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    u128::from_str_radix(digits, 16).ok()
}

fn refusal(method: &'static str, error: &Value) -> Trouble {
    let code = error["code"].as_i64().unwrap_or_default();
    if code == NO_SUCH_METHOD {
        return Trouble::NoSuchMethod(method);
    }
    let words = error["message"].as_str().unwrap_or_default();
    let plain = words.chars().filter(|letter| !letter.is_control());
    Trouble::Refused { method, code, message: plain.take(WORDS_MAX).collect() }
}

/// Says what happened and never where: the address may hold a secret.
fn unreachable(error: ureq::Error) -> Trouble {
    let words = match error {
        ureq::Error::Timeout(_) => format!("{} 秒内没有应答", WAIT.as_secs()),
        ureq::Error::HostNotFound => String::from("找不到主机"),
        ureq::Error::ConnectionFailed => String::from("不能连接"),
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => String::from("连接被拒绝"),
            kind => format!("连接中断（{kind}）"),
        },
        ureq::Error::BodyExceedsLimit(_) => String::from("应答过长"),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => String::from("TLS 证书或协商有误"),
        ureq::Error::BadUri(_) => String::from("网址有误"),
        _ => String::from("传输失败"),
    };
    Trouble::Unreachable(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_hexadecimal_and_bounded() {
        assert_eq!(quantity(&json!("0x0")), Some(0));
        assert_eq!(quantity(&json!("0x00ff")), Some(255));
        assert_eq!(quantity(&json!("ff")), None);
        assert_eq!(quantity(&json!("0x1ffffffffffffffffffffffffffffffff")), None);
        assert_eq!(quantity(&json!(5)), None);
    }

    #[test]
    fn a_secret_in_the_address_is_never_repeated() {
        let rpc = Rpc::new(String::from("http://127.0.0.1:1/secret-of-the-provider"));
        let trouble = rpc.call("eth_chainId", json!([])).unwrap_err();
        assert!(!format!("{trouble} {trouble:?}").contains("secret"), "{trouble:?}");
        let rpc = Rpc::new(String::from("htp:/secret"));
        let trouble = rpc.call("eth_chainId", json!([])).unwrap_err();
        assert!(!format!("{trouble} {trouble:?}").contains("secret"), "{trouble:?}");
    }
}
