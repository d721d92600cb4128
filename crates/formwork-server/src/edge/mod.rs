//! What surrounds every request of the public and the internal listener: its trace, pages of other origins, compressed
//! answers, and what is said of operations that will go.
//!
//! Who may call and what is answered is left to [`crate::serve`]. Source: docs/reference/edge.md.

mod coding;
mod cors;
mod deprecated;
mod trace;
mod unkept;

pub(crate) use coding::check as check_coding;
pub use cors::Origins;
pub(crate) use deprecated::Deprecated;
pub(crate) use trace::{carried, current_id, pass_on};
pub(crate) use unkept::unkept;

use crate::config::Config;
use crate::listen::Unread;
use crate::problems::{HEADERS_TOO_LARGE, MALFORMED, Problem, URI_TOO_LONG};
use crate::respond::{Answer, Reply};
use crate::router::{Route, Target};
use crate::serve::{self, Entrance};
use crate::shared::Shared;
use bytes::Bytes;
use formwork_check::Analysis;
use formwork_language::program::Surface;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue, Method, Request};
use hyper::body::Body;
use std::sync::Arc;
use std::time::Duration;

/// For a year a browser comes by TLS only (RFC 6797).
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// What the edge knows before its first request.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    /// Whose pages may call the public listener.
    pub(crate) origins: Origins,
    /// The operations that will go.
    pub(crate) deprecated: Deprecated,
    /// Whether callers of the public listener come by TLS.
    secure: bool,
}

impl Edge {
    /// What the document says, and the operator.
    pub(crate) fn new(config: &Config, analysis: &Analysis) -> Self {
        Self {
            origins: config.origins.complete(&analysis.model.cors),
            deprecated: Deprecated::new(analysis),
            secure: config.tls.is_some(),
        }
    }
}

/// Answers a request, whatever it is.
pub(crate) async fn serve<B: Body<Data = Bytes> + Unpin>(
    shared: Arc<Shared>,
    entrance: Entrance,
    mut request: Request<B>,
) -> Answer {
    let trace = trace::Trace::of(request.headers(), &shared.seeds.next());
    let none = Origins::default();
    let origins = if entrance.surface == Surface::Public { &shared.edge.origins } else { &none };
    let page = cors::Page::of(origins, request.headers());
    let wanted = coding::Wanted::take(&request.method().clone(), request.headers_mut());
    let path = match shared.edge.deprecated.is_empty() {
        true => String::new(),
        false => request.uri().path().to_owned(),
    };
    let method = request.method().clone();
    let mut answer = match preflight(&shared, entrance, origins, &request) {
        Some(answer) => answer,
        None => {
            let served = serve::serve(shared.clone(), entrance, request);
            wanted.of(trace::within(trace.clone(), served).await).await
        }
    };
    if !path.is_empty()
        && let Route::Found(Target::Operation(index), values, _) =
            shared.router(entrance.surface).find(method.as_str(), &path)
    {
        shared.edge.deprecated.tell(index, &values, answer.headers_mut());
    }
    trace.tell(answer.headers_mut());
    secured(&shared, entrance.surface, answer.headers_mut());
    page.admit(answer.headers_mut());
    answer
}

/// What says to whoever sends a head that cannot be read what is wrong with it.
pub(crate) fn unread(shared: &Arc<Shared>, surface: Surface) -> Unread {
    let shared = Arc::downgrade(shared);
    Arc::new(move |status| {
        shared.upgrade().map(|shared| unreadable(&shared, surface, status)).unwrap_or_default()
    })
}

/// The whole answer to a head that cannot be read, after which the connection ends.
fn unreadable(shared: &Shared, surface: Surface, status: u16) -> Bytes {
    let entry = match status {
        414 => &URI_TOO_LONG,
        431 => &HEADERS_TOO_LARGE,
        _ => &MALFORMED,
    };
    let none = HeaderMap::new();
    let trace = trace::Trace::of(&none, &shared.seeds.next());
    // Of its address nothing is known for sure.
    let reply = trace::within_now(trace.clone(), || Reply::problem(&Problem::of(entry), ""));
    let mut answer = reply.into_answer(&shared.request_ids.of(&none), false);
    trace.tell(answer.headers_mut());
    secured(shared, surface, answer.headers_mut());
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    shared.metrics.request(None, "", entry.status, Duration::ZERO);
    let mut text = format!("HTTP/1.1 {}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(answer.body().bytes());
    text.into()
}

/// Asks browsers to come by TLS only, where they do.
fn secured(shared: &Shared, surface: Surface, headers: &mut HeaderMap) {
    if shared.edge.secure && surface == Surface::Public {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

/// What a browser is told that asks on behalf of a page; nothing when nobody asks so, or the path is not served.
fn preflight<B>(
    shared: &Shared,
    entrance: Entrance,
    origins: &Origins,
    request: &Request<B>,
) -> Option<Answer> {
    if origins.is_off() || !cors::is_preflight(request.method(), request.headers()) {
        return None;
    }
    let route = shared.router(entrance.surface).find(Method::OPTIONS.as_str(), request.uri().path());
    let allow = match route {
        Route::Options(allow) | Route::OtherMethods(allow) | Route::Found(_, _, allow) => allow,
        Route::Nothing => return None,
    };
    let request_id = shared.request_ids.of(request.headers());
    Some(cors::preflight(origins, request.headers(), allow).into_answer(&request_id, false))
}
