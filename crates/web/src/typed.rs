//! What somebody typed or scanned into an address.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;

/// What follows the first part of the path, resolved. Bytes that are no text become a letter that no
/// code has, so that a reader is told by a page that there is nothing, and not by a machine's message
/// that the address is broken.
pub(crate) struct Typed(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Typed {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(behind_door(parts.uri.path())))
    }
}

fn behind_door(path: &str) -> String {
    let (_, rest) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    percent_decode_str(rest).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_some_text() {
        for (path, wanted) in [
            ("/t/A%2F1", "A/1"),
            ("/t/%E9%9F%AD", "韭"),
            ("/t/%F0", "\u{fffd}"),
            ("/t/A%ff1", "A\u{fffd}1"),
            ("/id/88.1.2/x%20y", "88.1.2/x y"),
            ("/t/", ""),
            ("/t", ""),
        ] {
            assert_eq!(behind_door(path), wanted, "{path}");
        }
    }
}
