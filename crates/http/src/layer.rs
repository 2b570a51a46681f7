//! What surrounds every request, whichever handler answers it.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::{Limits, Metrics, problem};

/// What the surroundings need to know.
#[derive(Clone)]
pub struct Surroundings {
    /// Bounds.
    pub limits: Limits,
    /// Where figures go.
    pub metrics: Metrics,
    /// 128 unpredictable bits, for names of requests.
    pub random: Arc<dyn Fn() -> u128 + Send + Sync>,
    /// `Content-Security-Policy` of answers that bring none of their own.
    pub content_security_policy: &'static str,
}

struct Inner {
    surroundings: Surroundings,
    in_flight: Semaphore,
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the surroundings around a router.
pub fn surround(router: Router, surroundings: Surroundings) -> Router {
    let in_flight = Semaphore::new(surroundings.limits.in_flight_max);
    let inner = Arc::new(Inner { surroundings, in_flight });
    router.layer(middleware::from_fn_with_state(inner, around))
}

async fn around(State(inner): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = name_request(&inner.surroundings, request.headers_mut());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| String::from(path.as_str()));
    let route = route.unwrap_or_else(|| String::from("other"));
    let mut response = worded(answer(&inner, request, next, &id).await, &id);
    finish(&inner.surroundings, &mut response, &id);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let metrics = &inner.surroundings.metrics;
    let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
    metrics.count("http_requests_total", "HTTP requests answered.", &labels, 1);
    let labels = format!("route=\"{route}\"");
    metrics.observe("http_request_seconds", "Time to answer an HTTP request.", &labels, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request_id = id, %method, route, status, took_us, "request");
    response
}

async fn answer(inner: &Inner, request: Request, next: Next, id: &str) -> Response {
    let Ok(_permit) = inner.in_flight.try_acquire() else {
        let detail = "服务繁忙，请稍后重试";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "暂不可用", detail, id);
    };
    if let Some(refusal) = cross_site(request.method(), request.headers(), id) {
        return refusal;
    }
    let deadline = inner.surroundings.limits.request_deadline;
    let guarded = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(deadline, guarded).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(request_id = id, "a handler panicked");
            let detail = "服务内部错误，请稍后重试；如反复出现请将请求编号告知运维人员";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "服务内部错误", detail, id)
        }
        Err(_) => {
            let detail =
                format!("请求在 {} 秒内没有完成，请缩小范围或改用后台任务", deadline.as_secs());
            problem(StatusCode::GATEWAY_TIMEOUT, "timeout", "处理超时", &detail, id)
        }
    }
}

/// What the framework refuses before any handler sees it, an address that is no text for example, is
/// a problem like others.
fn worded(response: Response, id: &str) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(response.status().is_client_error() && plain) {
        return response;
    }
    let detail = "地址或请求内容不能读取，请核对编码";
    problem(response.status(), "malformed", "请求内容有误", detail, id)
}

/// Takes over a client's name for the request if it is a sane one, else makes one; later layers
/// read it from the header.
fn name_request(surroundings: &Surroundings, headers: &mut HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane = |text: &&str| {
        (8..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let id = given
        .filter(sane)
        .map_or_else(|| format!("{:032x}", (surroundings.random)()), String::from);
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    id
}

/// Browsers say where a request comes from; a foreign page must not change anything here, nor open a
/// socket: browsers let any page do that, with the cookies of whoever looks at it.
fn cross_site(method: &Method, headers: &HeaderMap, id: &str) -> Option<Response> {
    let opens = headers.contains_key(header::UPGRADE);
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !opens {
        return None;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign_fetch =
        text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let foreign_origin = match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, rest)| rest != host),
        _ => false,
    };
    (foreign_fetch || foreign_origin).then(|| {
        let detail = if opens {
            "不接受其他网站的页面打开的连接"
        } else {
            "不接受来自其他网站的修改请求"
        };
        problem(StatusCode::FORBIDDEN, "cross-site", "跨站请求", detail, id)
    })
}

fn finish(surroundings: &Surroundings, response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), geolocation=(self), microphone=()",
        ),
        (header::CONTENT_SECURITY_POLICY, surroundings.content_security_policy),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID.clone(), value);
    }
}
