//! What surrounds every request of the public and the internal listener: its trace, pages of other origins, compressed
//! answers, and what is said of operations that will go.
//!
//! Who may call and what is answered is left to [`crate::serve`]. Source: docs/reference/edge.md.

mod coding;
mod cors;
mod deprecated;
mod left_open;
mod trace;

pub(crate) use coding::check as check_coding;
pub use cors::Origins;
pub(crate) use deprecated::Deprecated;
pub use left_open::edge_left_open;
pub(crate) use trace::{carried, current_id, pass_on};

use crate::config::Config;
use crate::respond::Answer;
use crate::router::{Route, Target};
use crate::serve::{self, Entrance};
use crate::shared::Shared;
use bytes::Bytes;
use formwork_check::Analysis;
use formwork_language::program::Surface;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderValue, Method, Request};
use hyper::body::Body;
use std::sync::Arc;

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
    if shared.edge.secure && entrance.surface == Surface::Public {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    page.admit(answer.headers_mut());
    answer
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
