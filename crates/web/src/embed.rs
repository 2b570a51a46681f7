//! `/embed/{code}`: 公众查询 within the pages of others (D-6.6.2). It tells what `/t/{code}` tells; in whose
//! pages it may stand is the operator's to say.

use axum::{
    extract::RawQuery,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use yj_kernel::{App, Problem, Result, Route};
use yj_model::bare_code;

use crate::{
    files,
    story::{self, Door},
    telling::Telling,
    typed::Typed,
};

/// The script by which others put the page into theirs.
const SCRIPT: &str = "embed.js";
/// Origins that may be named.
const ORIGINS_MAX: usize = 100;

/// In whose pages the page of a code may stand: in nobody's, unless they are named.
#[derive(Debug, Clone, Default)]
pub struct Embedders(Vec<String>);

impl Embedders {
    /// Origins such as `https://shop.example.cn` or `https://*.example.cn`; on this machine
    /// `http://127.0.0.1:8000` too.
    ///
    /// # Errors
    /// Which of them is none, and what would be right.
    pub fn parse(origins: &[String]) -> Result<Self, String> {
        if origins.len() > ORIGINS_MAX {
            return Err(format!("platform.embed_origins 至多 {ORIGINS_MAX} 个"));
        }
        if let Some(wrong) = origins.iter().find(|origin| !is_origin(origin)) {
            return Err(format!(
                "platform.embed_origins 应为来源，如 https://shop.example.cn 或 https://*.example.cn\
                 （没有路径），现有 {wrong}"
            ));
        }
        Ok(Self(origins.to_vec()))
    }

    /// Whatever is served on this machine: for demonstrations.
    pub fn on_this_machine() -> Self {
        Self(vec![String::from("http://127.0.0.1:*"), String::from("http://localhost:*")])
    }

    /// The Content-Security-Policy of the page.
    fn policy(&self) -> Result<HeaderValue> {
        let policy = format!(
            "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'self' {}",
            self.0.join(" ")
        );
        HeaderValue::from_str(policy.trim_end()).map_err(Problem::internal)
    }
}

/// Whether a text is an origin that a policy can name, and nothing besides.
fn is_origin(text: &str) -> bool {
    let (host, secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(host), _) => (host, true),
        (_, Some(host)) => (host, false),
        _ => return false,
    };
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    let sound = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    };
    let name = host.strip_prefix("*.").unwrap_or(host);
    let here = matches!(host, "127.0.0.1" | "localhost");
    (secure || here)
        && name.len() <= 253
        && name.split('.').all(sound)
        && (name == host || name.contains('.'))
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The page and the script.
pub(crate) fn routes(door: &Door, embedders: Embedders) -> [Route; 2] {
    let why = "公众查询可嵌入运营机构许可的网站，不含价格、数量和个人信息";
    let door = door.clone();
    let page = move |app: App, Typed(code): Typed, RawQuery(query): RawQuery| async move {
        let code = bare_code(&code).unwrap_or(code);
        let asked = (code, story::lot_of(query));
        let answer = story::answer(&app, &door, asked, Telling::Embedded).await;
        let mut response = answer.unwrap_or_else(IntoResponse::into_response);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, embedders.policy()?);
        Ok::<Response, Problem>(response)
    };
    let script = |_: App, headers: HeaderMap| async move {
        let mut response = files::portal(SCRIPT, &headers).ok_or(Problem::NotFound("文件"))?;
        let everywhere = HeaderName::from_static("cross-origin-resource-policy");
        response.headers_mut().insert(everywhere, HeaderValue::from_static("cross-origin"));
        Ok::<Response, Problem>(response)
    };
    [
        Route::public((Method::GET, "/embed/{code}"), why, "产品追溯页（嵌入其他网站）", page)
            .query(story::LOT_QUERY),
        Route::public((Method::GET, "/embed.js"), why, "嵌入产品追溯页的脚本", script),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(origin: &str) -> Result<Embedders, String> {
        Embedders::parse(&[String::from(origin)])
    }

    #[test]
    fn d_6_6_2_only_origins_are_named_in_the_policy() {
        for sound in [
            "https://shop.example.cn",
            "https://*.example.cn",
            "https://shop.example.cn:8443",
            "http://127.0.0.1:8000",
            "http://localhost",
        ] {
            assert!(read(sound).is_ok(), "{sound}");
        }
        for wrong in [
            "",
            "*",
            "https://*",
            "https://*.cn:*",
            "https://",
            "http://shop.example.cn",
            "https://shop.example.cn/",
            "https://shop.example.cn/path",
            "https://a.cn; script-src *",
            "https://a..cn",
            "https://a.cn:0",
            "https://a.cn:99999",
            "https://*.*.cn",
            "https://用户.cn",
            "ftp://a.cn",
        ] {
            assert!(read(wrong).unwrap_err().contains("embed_origins"), "{wrong}");
        }
        let policy = read("https://shop.example.cn").unwrap().policy().unwrap();
        assert!(
            policy.to_str().unwrap().ends_with("frame-ancestors 'self' https://shop.example.cn")
        );
        let nobody = Embedders::default().policy().unwrap();
        assert!(nobody.to_str().unwrap().ends_with("frame-ancestors 'self'"));
    }
}
