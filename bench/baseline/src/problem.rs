//! Refusals as problem details (RFC 9457): one shape for every status.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// One fault of the input.
#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    /// JSON Pointer into the body.
    pub(crate) pointer: &'static str,
    pub(crate) detail: String,
}

/// Why a request was refused.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Self {
            kind: "about:blank",
            title: title.unwrap_or("Error"),
            status,
            detail: detail.into(),
            code,
            errors: Vec::new(),
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", detail)
    }

    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        Self { errors, ..Self::new(422, "invalid", "The input is not what this operation takes.") }
    }

    pub(crate) fn link_not_found() -> Self {
        Self::new(404, "link_not_found", "No link has this name.")
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(503, "overloaded", "The store cannot answer now; try again.")
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<getrandom::Error> for Problem {
    fn from(_: getrandom::Error) -> Self {
        Self::unavailable()
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(_: rusqlite::Error) -> Self {
        Self::unavailable()
    }
}
