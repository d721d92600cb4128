//! Answers on their way out: status, headers that every answer has, and bytes.

use crate::outgoing::Outgoing;
use crate::problems::Problem;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};

/// An HTTP response of ours.
pub(crate) type Answer = Response<Outgoing>;

/// The header that names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer before it has the headers that all have.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The type of the body; absent when there is none.
    pub(crate) content_type: Option<HeaderValue>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Further headers.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, body: Vec::new(), headers: Vec::new() }
    }

    /// JSON.
    pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        let content_type = Some(HeaderValue::from_static("application/json"));
        Self { status, content_type, body, headers: Vec::new() }
    }

    /// A refusal. After one that leaves a body unread the connection ends.
    pub(crate) fn problem(problem: &Problem, instance: &str) -> Self {
        let mut headers = problem.headers.clone();
        if matches!(problem.status.as_u16(), 408 | 413 | 414 | 431) {
            headers.push((CONNECTION, HeaderValue::from_static("close")));
        }
        Self {
            status: problem.status,
            content_type: Some(HeaderValue::from_static("application/problem+json")),
            body: problem.body(instance, crate::edge::current_id().as_deref()),
            headers,
        }
    }

    /// The response; for `HEAD` without its content.
    pub(crate) fn into_answer(self, request_id: &HeaderValue, head: bool) -> Answer {
        let length = self.body.len();
        let body = if head { Bytes::new() } else { Bytes::from(self.body) };
        let mut answer = Response::new(Outgoing::new(body));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.reserve(10);
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        // A 204 must not have one, a 304 only that of the whole answer (RFC 9110, 8.6).
        if !matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        headers.insert(REQUEST_ID, request_id.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        for (name, value) in self.headers {
            if name == CACHE_CONTROL {
                headers.insert(name, value);
                continue;
            }
            headers.append(name, value);
        }
        answer
    }
}

/// Names requests that come without a name.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    /// Names that begin with what distinguishes this process.
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, next: AtomicU64::new(1) }
    }

    /// The request's own name if it may be one, else a fresh one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let fits = |value: &&HeaderValue| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
            (1..=64).contains(&value.len()) && value.as_bytes().iter().all(plain)
        };
        headers.get(REQUEST_ID).filter(fits).cloned().unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            HeaderValue::from_str(&format!("{}-{number:x}", self.prefix))
                .unwrap_or(HeaderValue::from_static("unnamed"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_over_only_when_it_is_harmless() {
        let ids = RequestIds::new("ab".into());
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(text).expect("a header value"));
            ids.of(&headers).to_str().expect("ASCII").to_owned()
        };
        assert_eq!(of("A.b_c-1"), "A.b_c-1");
        assert_eq!(of("a b"), "ab-1");
        assert_eq!(of(""), "ab-2");
        assert_eq!(of(&"x".repeat(65)), "ab-3");
    }
}
