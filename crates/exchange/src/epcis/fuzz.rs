//! A door for `fuzz/`.

use axum::http::HeaderMap;

use super::{
    Callbacks,
    header::{Behaviour, EpcFormat, Form, Media, unsupported},
    http::{paging, prefixes, read_query},
    page::Token,
    schedule::Schedule,
};

/// Reads what a request to `/epcis/v2` says in its headers and its query.
pub fn request(headers: &HeaderMap, query: &str, now_ms: i64) {
    unsupported(headers);
    drop(Media::asked(headers, true));
    drop(EpcFormat::asked(headers));
    drop(Behaviour::asked(headers));
    drop(Form::sent(headers));
    drop(paging(0, "/epcs", query));
    if let Ok(found) = read_query(query, &prefixes(headers), None) {
        drop(Token::read(query, &found, now_ms));
    }
}

/// Reads what a subscription says: where to, and when it runs.
pub fn subscription(dest: &str, schedule: &serde_json::Value, now_ms: i64) {
    drop(Callbacks::default().check(dest));
    if let Ok(schedule) = Schedule::read(schedule) {
        let next = schedule.next(now_ms);
        assert!(next.is_none_or(|next| next > now_ms));
    }
}
