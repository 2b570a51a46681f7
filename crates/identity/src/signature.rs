//! 请求签名 (RFC 9421, S-38) with `sm2-sm3` or `hmac-sm3`: covers method, target and body, works
//! once, within five minutes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use yj_crypto::{equal_in_constant_time, sm3};
use yj_kernel::{App, Credentials, Problem, Result, Sql};

/// Clocks may differ by this many seconds.
pub(crate) const WINDOW_S: i64 = 300;

/// A signature as the request carries it.
pub(crate) struct Signed {
    pub(crate) key_id: String,
    pub(crate) algorithm: String,
    pub(crate) created: i64,
    nonce: String,
    pub(crate) signature: Vec<u8>,
    /// What was signed.
    pub(crate) base: String,
}

fn wrong(detail: &str) -> Problem {
    Problem::Signature(String::from(detail))
}

/// Reads the signature of a request and builds what it must have signed. `origin` is how clients
/// call the platform, `https://host`.
pub(crate) fn read(credentials: Credentials<'_>, origin: &str) -> Result<Signed> {
    let input = credentials.header("signature-input").unwrap_or_default();
    let given = credentials.header("signature").unwrap_or_default();
    let (label, parameters) =
        input.split_once('=').ok_or_else(|| wrong("Signature-Input 无法读取"))?;
    let covered = covered(parameters)?;
    let signature = given
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix("=:")?.strip_suffix(':'))
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| wrong("Signature 无法读取，应为 标签=:base64:"))?;
    let body = credentials.body.map(|bytes| &bytes[..]).unwrap_or_default();
    let has_body = !body.is_empty();
    for (needed, when) in [("@method", true), ("@target-uri", true), ("content-digest", has_body)] {
        if when && !covered.contains(&needed) {
            return Err(wrong(&format!("签名应覆盖 {needed}")));
        }
    }
    if covered.contains(&"content-digest") {
        check_digest(credentials.header("content-digest").unwrap_or_default(), body)?;
    }
    let mut base = String::new();
    for name in &covered {
        let value = match *name {
            "@method" => String::from(credentials.method.as_str()),
            "@target-uri" => {
                let path = credentials.uri.path_and_query().map_or("/", |path| path.as_str());
                format!("{}{path}", origin.trim_end_matches('/'))
            }
            "@path" => String::from(credentials.uri.path()),
            "@query" => format!("?{}", credentials.uri.query().unwrap_or_default()),
            name if name.starts_with('@') => {
                return Err(wrong(&format!("不支持签名组件 {name}")));
            }
            name => String::from(
                credentials
                    .header(name)
                    .ok_or_else(|| wrong(&format!("签名覆盖的请求头 {name} 不存在")))?
                    .trim(),
            ),
        };
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {parameters}"));
    let text =
        |name| parameter(parameters, name).ok_or_else(|| wrong(&format!("签名缺少参数 {name}")));
    let nonce = text("nonce")?;
    if !(16..=64).contains(&nonce.len()) || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("nonce 应为 16 至 64 个可见字符"));
    }
    Ok(Signed {
        key_id: text("keyid")?,
        algorithm: text("alg")?,
        created: text("created")?.parse().map_err(|_| wrong("created 应为 Unix 秒"))?,
        nonce,
        signature,
        base,
    })
}

/// Who says to have signed a request.
pub(crate) fn key_id(credentials: Credentials<'_>) -> Result<String> {
    let input = credentials.header("signature-input").unwrap_or_default();
    parameter(input, "keyid").ok_or_else(|| wrong("签名缺少参数 keyid"))
}

/// The names inside `("@method" "@target-uri" …);…`.
fn covered(parameters: &str) -> Result<Vec<&str>> {
    let inner = parameters.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (inner, _) = inner.ok_or_else(|| wrong("Signature-Input 应以组件列表开头"))?;
    let mut names = Vec::new();
    for part in inner.split_ascii_whitespace() {
        let name = part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let name = name.ok_or_else(|| wrong("签名组件应写在双引号中，且不带参数"))?;
        if names.contains(&name) || name.contains('"') {
            return Err(wrong("签名组件重复或无法读取"));
        }
        names.push(name);
    }
    Ok(names)
}

/// A parameter behind the list: `;created=1` or `;keyid="x"`.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let (_, rest) = parameters.split_once(')')?;
    rest.split(';').find_map(|part| {
        let value = part.trim().strip_prefix(name)?.strip_prefix('=')?;
        Some(String::from(value.trim_matches('"')))
    })
}

/// `Content-Digest: sm3=:…:` (RFC 9530, with SM3).
fn check_digest(header: &str, body: &[u8]) -> Result<()> {
    let given = header
        .split(',')
        .find_map(|part| part.trim().strip_prefix("sm3=:")?.strip_suffix(':'))
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| wrong("Content-Digest 应为 sm3=:base64:"))?;
    if equal_in_constant_time(&given, &sm3::digest(body)) {
        Ok(())
    } else {
        Err(wrong("请求内容与 Content-Digest 不符"))
    }
}

/// A nonce works once, on all nodes.
pub(crate) async fn use_up(app: &App, client_id: &str, signed: &Signed) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let now = app.now().as_millisecond();
    tx.later([Sql::new("DELETE FROM nonce WHERE expires_at < $1").arg(now)]);
    let sql = Sql::new("INSERT INTO nonce (client_id, nonce, expires_at) VALUES ($1, $2, $3)");
    let sql = sql.arg(client_id).arg(signed.nonce.as_str()).arg(now + 2 * (WINDOW_S + 1) * 1_000);
    tx.execute(sql).await.map_err(|problem| match problem {
        Problem::Duplicate(_) => Problem::duplicate("该请求已处理过：nonce 不能重复使用"),
        other => other,
    })?;
    tx.commit().await
}
