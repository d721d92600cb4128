//! What an answer says of caches: `Cache-Control`, `Age`, `Vary` and `ETag` (RFC 9110 and 9111), and `Cache-Status`
//! (RFC 9211).
//!
//! A copy elsewhere hears of no write: only where nothing but time clears an answer may it be used without asking.

use crate::conditional;
use crate::respond::Reply;
use formwork_language::program::{CachedOperation, KeyPart, Program, Surface, slots};
use http::HeaderValue;
use http::header::{AGE, CACHE_CONTROL, ETAG, HeaderName, VARY};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// How answers of an operation look.
pub(super) struct Looks {
    /// What copies elsewhere may do; absent: ask each time.
    control: Option<HeaderValue>,
    vary: Option<HeaderValue>,
}

impl Looks {
    /// As section 8 has it.
    pub(super) fn new(rule: &CachedOperation, program: &Program) -> Self {
        let operation = program.operations.get(rule.operation as usize);
        let is_open = operation
            .is_some_and(|operation| operation.access.public && operation.surface == Surface::Public);
        let of_headers = |part: &KeyPart| match part {
            KeyPart::Member(slot, name) if *slot == slots::REQUEST_HEADERS => Some(name.to_string()),
            _ => None,
        };
        let is_shared = is_open && rule.key.iter().all(|part| of_headers(part).is_some());
        let control = rule.ttl.filter(|_| rule.is_cleared_by_time_alone()).and_then(|ttl| {
            let whom = if is_shared { "public" } else { "private" };
            HeaderValue::from_str(&format!("{whom}, max-age={}", ttl.max(0) / 1_000_000)).ok()
        });
        let mut names: Vec<String> = rule.key.iter().filter_map(of_headers).collect();
        if !is_shared {
            names.push("authorization".to_owned());
            names.push(program.api_key_header.to_string());
        }
        names.sort();
        names.dedup();
        let reads_all = rule.key.contains(&KeyPart::Slot(slots::REQUEST_HEADERS));
        let vary = if reads_all { "*".to_owned() } else { names.join(", ") };
        let vary = Some(vary).filter(|vary| !vary.is_empty());
        Self { control, vary: vary.and_then(|vary| HeaderValue::from_str(&vary).ok()) }
    }

    /// An answer that was kept; its age and what is left of its time in microseconds.
    pub(super) fn hit(&self, reply: &mut Reply, reads: bool, age: i64, left: Option<i64>) {
        let age = age / 1_000_000;
        reply.headers.push((AGE, HeaderValue::from(age)));
        let status = match left {
            // Rounded up: a proxy must not be told that what is still given is stale.
            Some(left) => format!("formwork; hit; ttl={}", (left + 999_999) / 1_000_000),
            None => "formwork; hit".to_owned(),
        };
        self.dress(reply, reads, &status);
    }

    /// An answer that was made; `how` is said of it.
    pub(super) fn made(&self, reply: &mut Reply, reads: bool, how: &str) {
        self.dress(reply, reads, &format!("formwork; {how}"));
    }

    fn dress(&self, reply: &mut Reply, reads: bool, status: &str) {
        if let Ok(status) = HeaderValue::from_str(status) {
            reply.headers.push((CACHE_STATUS, status));
        }
        if !reads || !reply.status.is_success() {
            return;
        }
        let has = |reply: &Reply, wanted: &HeaderName| reply.headers.iter().any(|(name, _)| name == wanted);
        if !has(reply, &ETAG) && !reply.body.is_empty() {
            conditional::put(reply, conditional::of_bytes(&reply.body), true);
        }
        if let Some(control) = &self.control {
            reply.headers.retain(|(name, _)| name != CACHE_CONTROL);
            reply.headers.push((CACHE_CONTROL, control.clone()));
        }
        if let Some(vary) = &self.vary {
            reply.headers.push((VARY, vary.clone()));
        }
    }
}
