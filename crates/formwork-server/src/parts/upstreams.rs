//! HTTP as a client of external components: bounded in time, size and number of tries.
//!
//! A request is repeated where that is safe: when it did not leave, when its method changes nothing or the same, or
//! when the step says how often; every try has the same `Idempotency-Key`. Redirects are answers like any other and
//! are not followed. Source: language reference, *Reaching out*.

use super::breaker::Breaker;
use super::reach::{Reach, Resolver};
use super::secrets::{HeaderHost, SecretValues};
use crate::config::UpstreamAddress;
use crate::edge;
use crate::forms::parse_duration;
use crate::log;
use crate::simulated::{Partners, played};
use bytes::Bytes;
use formwork_engine::{Arrived, Outgoing};
use formwork_language::eval::{Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::program::Upstream;
use formwork_language::value::{Row, Value};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use std::time::Duration;

/// How long a try may take unless the step says it.
const WAITING: Duration = Duration::from_secs(10);
/// The longest that a step may ask for.
const LONGEST_WAITING: Duration = Duration::from_secs(600);
/// How long the way there may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// How many tries there are, where they are safe, unless the step says it.
const TRIES: u32 = 3;
/// The most that a step may ask for.
const MOST_TRIES: u32 = 20;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// The pause before the second try is anything up to this; the next ones up to twice as long each …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … and never longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What opens connections to others.
pub(crate) type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// The external components of a document.
pub(crate) struct Upstreams {
    all: Vec<Reached>,
    client: Client<Connector, Full<Bytes>>,
    secrets: SecretValues,
    /// Whether the clock is that of a test, whose time an answer tells and does not take.
    in_test: bool,
    /// In a simulation, who answers instead of the other side.
    partners: Option<Arc<dyn Partners>>,
}

/// Says in a test how much later an answer would have come.
const LATER: &str = "formwork-test-after";

struct Reached {
    name: Arc<str>,
    base: Option<String>,
    headers: Vec<(Arc<str>, Expression)>,
    breaker: Breaker,
}

impl Upstreams {
    /// The components of a program, some of them reached elsewhere.
    pub(crate) fn new(
        upstreams: &[Upstream],
        elsewhere: &[UpstreamAddress],
        secrets: SecretValues,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Self {
        let reached = |upstream: &Upstream| {
            let other = elsewhere.iter().find(|other| other.component.eq_ignore_ascii_case(&upstream.name));
            Reached {
                name: Arc::clone(&upstream.name),
                base: other
                    .map(|other| other.base.clone())
                    .or_else(|| upstream.base.as_deref().map(str::to_owned)),
                headers: upstream.headers.clone(),
                breaker: Breaker::default(),
            }
        };
        let all: Vec<Reached> = upstreams.iter().map(reached).collect();
        let secure = all.iter().any(|it| it.base.as_ref().is_some_and(|base| base.starts_with("https:")));
        let named = elsewhere.iter().filter_map(|other| {
            let address: Uri = other.base.parse().ok()?;
            Some(address.host()?.to_ascii_lowercase())
        });
        let reach = Reach::Named(Arc::new(named.collect()));
        let connector = connector(secure, authorities, reach);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, all, secrets, in_test: false, partners: None }
    }

    /// The same under a test's clock or not: then an answer comes as late as it says, and nobody waits for it.
    pub(crate) fn in_test(mut self, in_test: bool) -> Self {
        self.in_test = in_test;
        self
    }

    /// The same with somebody who answers instead of the other side.
    pub(crate) fn played_by(mut self, partners: Option<Arc<dyn Partners>>) -> Self {
        self.partners = partners;
        self
    }

    /// Sends a request, again where that is safe, and gives what came of it. `secret` are its headers that read
    /// secrets, over these variables.
    pub(crate) async fn send(
        &self,
        outgoing: &Outgoing,
        secret: &[(Arc<str>, Expression)],
        scope: (&[Value], &[Row]),
        now: i64,
    ) -> Arrived {
        let Some(upstream) = self.all.get(usize::from(outgoing.upstream)) else { return Arrived::NotSent };
        if !upstream.breaker.allows(now) {
            log::fault("upstream_resting", "", &upstream.name, "it failed again and again");
            return Arrived::NotSent;
        }
        let request = match self.request(upstream, outgoing, secret, scope, now) {
            Ok(request) => request,
            Err(cause) => {
                log::fault("upstream_request_refused", "", &upstream.name, &cause);
                return Arrived::NotSent;
            }
        };
        let asked =
            outgoing.waiting.and_then(|waiting| u64::try_from(waiting).ok()).map(Duration::from_micros);
        let waiting = asked.unwrap_or(WAITING).min(LONGEST_WAITING);
        let tries = outgoing.tries.unwrap_or(TRIES).clamp(1, MOST_TRIES);
        let repeatable = outgoing.tries.is_some() || is_idempotent(&outgoing.method);
        let mut may_have_left = false;
        let mut tried = 0;
        let arrived = loop {
            tried += 1;
            let (arrived, cause) = match &self.partners {
                Some(partners) => played(&**partners, &upstream.name, request.clone(), waiting).await,
                None => self.once(request.clone(), waiting).await,
            };
            if let Some(cause) = cause {
                log::fault("upstream_failed", "", &upstream.name, &cause);
            }
            may_have_left |= arrived != Arrived::NotSent;
            let again = match &arrived {
                Arrived::NotSent => true,
                Arrived::Unknown => repeatable,
                Arrived::Answer { status: 429 | 502 | 503 | 504, .. } => repeatable,
                Arrived::Answer { .. } | Arrived::Unfit => false,
            };
            if !again || tried >= tries {
                break arrived;
            }
            tokio::time::sleep(pause(tried)).await;
        };
        // What did not leave at the last try may have at an earlier one.
        let arrived = if arrived == Arrived::NotSent && may_have_left { Arrived::Unknown } else { arrived };
        let succeeded = match &arrived {
            Arrived::Answer { status, .. } => *status < 500,
            Arrived::Unfit => true,
            Arrived::Unknown | Arrived::NotSent => false,
        };
        upstream.breaker.note(succeeded, now);
        arrived
    }

    fn request(
        &self,
        upstream: &Reached,
        outgoing: &Outgoing,
        secret: &[(Arc<str>, Expression)],
        (slots, rows): (&[Value], &[Row]),
        now: i64,
    ) -> Result<Request<Full<Bytes>>, String> {
        let base = upstream.base.as_ref().ok_or("it has no address")?;
        let uri: Uri = format!("{base}{}", outgoing.target).parse().map_err(|_| "its address is none")?;
        let method = Method::from_bytes(outgoing.method.as_bytes()).map_err(|_| "its method is none")?;
        let body = outgoing.body.as_ref().map(|body| Bytes::from(body.clone())).unwrap_or_default();
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static("formwork"));
        // A simulated world has no traces: what is drawn for them would shift everything else.
        if self.partners.is_none() {
            edge::pass_on(headers);
        }
        if outgoing.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut host = HeaderHost { now, secrets: &self.secrets };
        let mut computed = Vec::new();
        for (name, value) in upstream.headers.iter().chain(secret) {
            let value = evaluate(value, &mut Scope { slots, rows, host: &mut host });
            // What is wrong with a value may hold it: only the name is told.
            let value = value.map_err(|_| format!("header `{name}` has no value"))?;
            computed.push((Arc::clone(name), Arc::from(value.to_plain())));
        }
        // Of one name the step's header holds, so it comes last.
        for (name, value) in computed.iter().chain(&outgoing.headers) {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
            if [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
                continue;
            }
            let mut value =
                HeaderValue::from_str(value).map_err(|_| format!("header `{name}` cannot be sent"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(request)
    }

    /// One try, and what only the log may know of it.
    async fn once(&self, request: Request<Full<Bytes>>, waiting: Duration) -> (Arrived, Option<String>) {
        let exchange = async {
            let response = match self.client.request(request).await {
                Ok(response) => response,
                Err(error) if error.is_connect() => return (Arrived::NotSent, Some(causes(&error))),
                Err(error) => return (Arrived::Unknown, Some(causes(&error))),
            };
            let later = response.headers().get(LATER).filter(|_| self.in_test);
            let later = later.and_then(|later| parse_duration(later.to_str().ok()?));
            if later.and_then(|later| u64::try_from(later).ok()).map(Duration::from_micros) > Some(waiting) {
                let cause = format!("no answer within {} ms of the test clock", waiting.as_millis());
                return (Arrived::Unknown, Some(cause));
            }
            let (head, body) = response.into_parts();
            let body = match Limited::new(body, LONGEST_ANSWER).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                    return (Arrived::Unfit, Some(format!("an answer of more than {LONGEST_ANSWER} bytes")));
                }
                Err(error) => return (Arrived::Unknown, Some(error.to_string())),
            };
            arrived(&head, &body)
        };
        match tokio::time::timeout(waiting, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => (Arrived::Unknown, Some(format!("no answer within {} ms", waiting.as_millis()))),
        }
    }
}

/// An answer that has come, whoever played the other side.
pub(crate) fn arrived(head: &http::response::Parts, body: &[u8]) -> (Arrived, Option<String>) {
    let Ok(body) = std::str::from_utf8(body) else {
        return (Arrived::Unfit, Some("an answer that is no text".to_owned()));
    };
    let header = |name: &HeaderName| {
        let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        (Arc::from(name.as_str()), Arc::from(values.collect::<Vec<_>>().join(", ")))
    };
    let headers = head.headers.keys().map(header).collect();
    (Arrived::Answer { status: head.status.as_u16(), headers, body: body.into() }, None)
}

/// What opens connections to places within reach; over TLS, when `secure`, with the certificates that this machine trusts
/// and these. Without an address that needs them none are read, and where there are none no other side is trusted.
pub(crate) fn connector(secure: bool, authorities: Vec<CertificateDer<'static>>, reach: Reach) -> Connector {
    let mut http = HttpConnector::new_with_resolver(Resolver::new(reach));
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECTING));
    http.set_nodelay(true);
    let mut roots = rustls::RootCertStore::empty();
    if secure {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(authorities);
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let cause = found.errors.first().map_or("there are none".to_owned(), ToString::to_string);
            log::fault("no_trusted_certificates", "", "", &cause);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider has what both versions need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    builder.https_or_http().enable_http1().wrap_connector(http)
}

/// Methods that may be repeated by their own meaning (RFC 9110, 9.2.2).
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
}

/// Full jitter: anything from nothing to twice the last bound.
fn pause(tried: u32) -> Duration {
    let bound = FIRST_PAUSE.saturating_mul(1 << (tried - 1).min(16)).min(LONGEST_PAUSE);
    let random = crate::random::bytes::<8>().map_or(u64::MAX, u64::from_le_bytes);
    bound.mul_f64(random as f64 / u64::MAX as f64)
}

/// What an error says, with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
