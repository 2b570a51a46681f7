//! In which form something public is told: decided at the door, by what was asked for.

use axum::http::{HeaderMap, header};

use crate::accept;

/// A document for machines, or a page for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Document,
    Page,
    /// A page within a page of others ([`crate::embed`]).
    Embedded,
}

impl Telling {
    /// What a client would rather have.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if wants_json(headers) { Self::Document } else { Self::Page }
    }

    /// The page of a code in this form.
    pub(crate) const fn door(self) -> &'static str {
        match self {
            Self::Document | Self::Page => "/t/",
            Self::Embedded => "/embed/",
        }
    }
}

/// Whether a refusal is told by a page: to whoever names pages among what it takes, as browsers do,
/// and would not rather have a document. Programs that take anything are told by the problem.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    accept::names(accepted(headers), "text/html") && !wants_json(headers)
}

fn wants_json(headers: &HeaderMap) -> bool {
    let offers =
        ["text/html", "application/json", "application/linkset+json", "application/linkset"];
    accept::preferred(accepted(headers), &offers) != offers[0]
}

fn accepted(headers: &HeaderMap) -> &str {
    let said = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    said.unwrap_or_default()
}
