//! What a request says before its body: signature, headers and query of the EPCIS interface, addresses
//! and schedules of subscriptions. The first line is the query, the others are headers.
#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use yj_kernel::{Credentials, Origin};

/// 2026-11-26T00:00:00Z
const NOW_MS: i64 = 1_795_651_200_000;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let query = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for line in lines.take(20) {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.insert(name, value);
        }
    }
    yj_exchange::epcis::fuzz::request(&headers, query, NOW_MS);
    if let Ok(schedule) = serde_json::from_str(query) {
        yj_exchange::epcis::fuzz::subscription(query, &schedule, NOW_MS);
    }
    yj_exchange::epcis::fuzz::subscription(query, &serde_json::Value::Null, NOW_MS);
    yj_http::Network::parse(query);
    let (method, uri) = (Method::GET, query.parse::<Uri>().unwrap_or_default());
    yj_identity::fuzz::signature(Credentials {
        method: &method,
        uri: &uri,
        headers: &headers,
        body: None,
        origin: &Origin::default(),
    });
});
