//! Pages of other origins in browsers: which of them may call, and what they may see of an answer.
//!
//! Off unless the document or the operator lists origins. Source: Fetch standard, *CORS protocol*; conventions
//! *Security*.

use crate::respond::Reply;
use formwork_model::sections::edge::{Cors, origin};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderName, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// How long a browser keeps what it was told, when nobody says it: as long as by the standard itself.
const USUAL_AGE: u64 = 5;
/// The most bytes of names that a browser may announce.
const LONGEST_NAMES: usize = 2048;

/// What a page may see of every answer without being told (Fetch, *CORS-safelisted response-header name*), and what it
/// cannot use.
const UNTOLD: [&str; 8] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
    "vary",
];

/// Which origins may call from a browser. By default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// `https://app.example.com`, each as a browser writes it.
    pub listed: Vec<String>,
    /// Whether every origin may.
    pub any: bool,
    /// Whether a browser sends what it keeps for us along: certificates and the like. Never with `any`.
    pub credentials: bool,
    /// How long a browser keeps what it was told, in seconds.
    pub seconds: Option<u64>,
}

impl Origins {
    /// What the document says, with whose pages may call from here where that is said. How long it is kept, and whether
    /// credentials come along, the document says alone.
    pub(crate) fn complete(&self, lines: &[Cors]) -> Self {
        let written = || lines.iter().flat_map(|line| &line.origins);
        let own = !self.is_off();
        Self {
            listed: match own {
                true => self.listed.clone(),
                false => written().filter_map(|named| origin(&named.value)).collect(),
            },
            any: if own { self.any } else { lines.iter().any(|line| line.any) },
            credentials: self.credentials || lines.iter().any(|line| line.credentials),
            seconds: self.seconds.or_else(|| lines.iter().find_map(|line| line.seconds)),
        }
    }

    /// Takes one more: `https://app.example.com`, or `*` for every origin.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        if text == "*" {
            self.any = true;
            return Ok(());
        }
        let origin = origin(text)
            .ok_or_else(|| format!("`{text}` is no origin such as `https://app.example.com`, nor `*`"))?;
        self.listed.push(origin);
        Ok(())
    }

    /// Whether none may.
    pub fn is_off(&self) -> bool {
        self.listed.is_empty() && !self.any
    }

    /// What an allowed origin is answered with; nothing for others, and for those that are no browser.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        if self.listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
            return Some(origin.clone());
        }
        self.any.then(|| HeaderValue::from_static("*"))
    }
}

/// What a browser says of the page that asks, read before the request is answered.
pub(super) struct Page {
    on: bool,
    varies: bool,
    allowed: Option<HeaderValue>,
    credentials: bool,
}

impl Page {
    /// Reads it.
    pub(super) fn of(origins: &Origins, headers: &HeaderMap) -> Self {
        Self {
            on: !origins.is_off(),
            // With one answer for all, what is kept on the way is good for all.
            varies: !origins.listed.is_empty(),
            allowed: origins.allowed(headers),
            credentials: origins.credentials && !origins.any,
        }
    }

    /// Tells the browser that the page may see the answer, and all of its header.
    pub(super) fn admit(&self, answer: &mut HeaderMap) {
        if !self.on {
            return;
        }
        if self.varies {
            answer.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(allowed) = &self.allowed else { return };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
        if self.credentials {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let names = answer.keys().map(HeaderName::as_str);
        let told = names.filter(|name| !UNTOLD.contains(name) && !name.starts_with("access-control-"));
        let mut told: Vec<&str> = told.collect();
        told.sort_unstable();
        if let Ok(told) = HeaderValue::from_str(&told.join(", ")) {
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, told);
        }
    }
}

/// Whether this asks what a page may do.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a page may do at a path with these methods. What is asked for by name is allowed: what we do not know we do
/// not read.
pub(super) fn preflight(origins: &Origins, headers: &HeaderMap, allow: &HeaderValue) -> Reply {
    let mut reply = Reply::empty(StatusCode::NO_CONTENT);
    reply.headers.push((ALLOW, allow.clone()));
    reply.headers.push((
        VARY,
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"),
    ));
    if origins.allowed(headers).is_none() {
        return reply;
    }
    reply.headers.push((ACCESS_CONTROL_ALLOW_METHODS, allow.clone()));
    let age = HeaderValue::from(origins.seconds.unwrap_or(USUAL_AGE));
    reply.headers.push((ACCESS_CONTROL_MAX_AGE, age));
    let names = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|names| names.len() <= LONGEST_NAMES);
    if let Some(names) = names {
        reply.headers.push((ACCESS_CONTROL_ALLOW_HEADERS, names.clone()));
    }
    reply
}
