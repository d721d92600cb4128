//! External components, played by the test: each a server on loopback that answers what the flow's steps say, and
//! writes down what it was sent.
//!
//! A call that no step speaks of is answered with 501, so that nothing is made up. Source: language reference,
//! *Flows*, *External components*.

use super::host::FlowHost;
use crate::json;
use bytes::Bytes;
use formwork_language::behaviour::flow_slots;
use formwork_language::eval::{Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::value::Value;
use formwork_language::value::text::format_duration;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value as Json, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// Requests kept; a flow that makes more looks at the last ones.
const MOST_REQUESTS: usize = 100_000;
/// Says how much later an answer comes, by the test clock, which no answer can move itself.
const LATER: &str = "formwork-test-after";

/// One external component.
pub(super) struct Partner {
    /// Its name.
    pub(super) name: String,
    /// Where it answers.
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    scripts: Vec<Script>,
    trouble: Option<Trouble>,
    received: VecDeque<Json>,
    unscripted: Option<String>,
}

/// What is wrong with it as a whole.
#[derive(Clone)]
pub(super) enum Trouble {
    /// It takes no request.
    Unavailable,
    /// Its answers come later by so many microseconds.
    Slow(i64),
    /// It answers everything so.
    Answers(Ready),
}

/// What is answered to a method and a path.
struct Script {
    method: String,
    path: Vec<String>,
    /// Nothing when it stays silent.
    answer: Option<Ready>,
    /// For so many calls; for all when absent.
    left: Option<u32>,
}

/// An answer whose body is computed when the call comes.
#[derive(Clone)]
pub(super) struct Ready {
    /// HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Option<Expression>,
    /// Further headers.
    pub(super) headers: Vec<(String, String)>,
    /// How much later, in microseconds of the test clock.
    pub(super) after: i64,
    /// The flow's variables when the step was carried out.
    pub(super) slots: Vec<Value>,
    /// The time then, and a seed.
    pub(super) now: i64,
    pub(super) seed: u64,
}

impl Partner {
    /// Begins to answer on a free port.
    pub(super) async fn start(name: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state: Arc<Mutex<State>> = Arc::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { name: name.to_owned(), address, state, serving })
    }

    /// Answers a method and a path so from now on, or for the next so many calls.
    ///
    /// Those for a number of calls are used up in the order of the steps, before one for all calls; one for all
    /// calls takes the place of whatever was said of this method and path before.
    pub(super) fn script(&self, method: &str, path: &str, answer: Option<Ready>, times: Option<u32>) {
        let mut state = locked(&self.state);
        let path = pieces(path);
        if times.is_none() {
            state.scripts.retain(|script| script.method != method || script.path != path);
        }
        state.scripts.push(Script { method: method.to_owned(), path, answer, left: times });
    }

    /// Sets or mends what is wrong with it as a whole.
    pub(super) fn trouble(&self, trouble: Option<Trouble>) {
        locked(&self.state).trouble = trouble;
    }

    /// The requests that it was sent for a method and a path, in order.
    pub(super) fn received(&self, method: Option<&str>, path: Option<&str>) -> Vec<Json> {
        let state = locked(&self.state);
        let wanted = path.map(|path| pieces(path.split('?').next().unwrap_or_default()));
        let fits = |request: &&Json| {
            let sent = pieces(request["path"].as_str().unwrap_or_default());
            method.is_none_or(|method| request["method"] == method)
                && wanted.as_ref().is_none_or(|wanted| matches(wanted, &sent))
        };
        state.received.iter().filter(fits).cloned().collect()
    }

    /// The last call that no step speaks of, since this was asked.
    pub(super) fn take_unscripted(&self) -> Option<String> {
        locked(&self.state).unscripted.take()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What a panic of another holder left is as good as before: every change is one assignment.
fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pieces(path: &str) -> Vec<String> {
    path.split('/').filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// Whether a path fits one with `{name}` for any piece.
fn matches(wanted: &[String], sent: &[String]) -> bool {
    let fits = |(wanted, sent): (&String, &String)| {
        wanted == sent || (wanted.starts_with('{') && wanted.ends_with('}'))
    };
    wanted.len() == sent.len() && wanted.iter().zip(sent).all(fits)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = hyper::service::service_fn(move |request| answer(Arc::clone(&state), request));
        tokio::spawn(async move {
            // A connection that breaks, or that silence breaks, has nothing left to say.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct Silence;

async fn answer(
    state: Arc<Mutex<State>>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Silence> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Silence)?.to_bytes();
    let received = written(&head, &body);
    let ready = choose(&mut locked(&state), &received);
    let (ready, slower) = ready.ok_or(Silence)?;
    respond(&ready, slower, &received).map_err(|_| Silence)
}

/// The request as conditions see it.
fn written(head: &http::request::Parts, body: &Bytes) -> Json {
    let headers: Map<String, Json> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned().into())
        })
        .collect();
    let body = match body.is_empty() {
        true => Json::Null,
        false => serde_json::from_slice(body)
            .unwrap_or_else(|_| Json::from(String::from_utf8_lossy(body).into_owned())),
    };
    json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query().unwrap_or_default(),
        "headers": headers,
        "body": body,
    })
}

/// Notes a request down and decides what comes back, and how much later; nothing for silence.
fn choose(state: &mut State, request: &Json) -> Option<(Ready, i64)> {
    if state.received.len() >= MOST_REQUESTS {
        state.received.pop_front();
    }
    state.received.push_back(request.clone());
    let slower = match &state.trouble {
        Some(Trouble::Unavailable) => return None,
        Some(Trouble::Answers(ready)) => return Some((ready.clone(), 0)),
        Some(Trouble::Slow(by)) => *by,
        None => 0,
    };
    let (method, path) = (&request["method"], pieces(request["path"].as_str().unwrap_or_default()));
    let fits = |script: &Script| *method == *script.method && matches(&script.path, &path);
    let limited = state.scripts.iter().position(|script| script.left.is_some() && fits(script));
    let Some(at) = limited.or_else(|| state.scripts.iter().rposition(fits)) else {
        let call = format!(
            "{} {}",
            method.as_str().unwrap_or_default(),
            request["path"].as_str().unwrap_or_default()
        );
        state.unscripted = Some(call.clone());
        return Some((unscripted(&call), slower));
    };
    let script = &mut state.scripts[at];
    let answer = script.answer.clone();
    if let Some(left) = &mut script.left {
        *left -= 1;
        if *left == 0 {
            state.scripts.remove(at);
        }
    }
    answer.map(|ready| (ready, slower))
}

fn unscripted(call: &str) -> Ready {
    let text = |text: &str| Value::Text(Arc::from(text));
    let detail = format!("No step of the flow says what `{call}` is answered with.");
    let members = [(text("code"), text("not_scripted")), (text("detail"), text(&detail))];
    Ready {
        status: 501,
        body: Some(Expression::Constant(Value::Map(Arc::from(members)))),
        headers: Vec::new(),
        after: 0,
        slots: Vec::new(),
        now: 0,
        seed: 0,
    }
}

fn respond(ready: &Ready, slower: i64, request: &Json) -> http::Result<http::Response<Full<Bytes>>> {
    let mut answer = http::Response::builder().status(ready.status);
    for (name, value) in &ready.headers {
        answer = answer.header(name.as_str(), value.as_str());
    }
    let after = ready.after.saturating_add(slower);
    if after > 0 {
        answer = answer.header(LATER, format_duration(after));
    }
    let Some(body) = &ready.body else { return answer.body(Full::default()) };
    let mut slots = ready.slots.clone();
    let request_slot = usize::from(flow_slots::REQUEST);
    if slots.len() <= request_slot {
        slots.resize(request_slot + 1, Value::Absent);
    }
    slots[request_slot] = json::to_value(request);
    let mut host = FlowHost::new(ready.now, ready.seed);
    let value = evaluate(body, &mut Scope { slots: &slots, rows: &[], host: &mut host });
    let json = value.ok().and_then(|value| json::to_json(&value, None)).unwrap_or(Json::Null);
    answer.header("content-type", "application/json").body(Full::new(Bytes::from(json.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::client::{ClientError, Request, send};

    fn ready(status: u16, body: Option<Expression>) -> Ready {
        Ready { status, body, headers: Vec::new(), after: 0, slots: Vec::new(), now: 0, seed: 0 }
    }

    async fn post(partner: &Partner, target: &str) -> Result<(u16, Option<Json>), ClientError> {
        let (method, target, body) = ("POST".to_owned(), target.to_owned(), Some(json!({"amount": 7})));
        let request = Request { method, target, headers: Vec::new(), body };
        let answer = send(partner.address, &request).await?;
        Ok((answer.status, answer.json()))
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn answers_for_some_calls_come_before_those_for_all_and_in_their_order() {
        block_on(async {
            let partner = Partner::start("Bank").await.expect("a port");
            partner.script("POST", "/pay", Some(ready(200, None)), None);
            partner.script("POST", "/pay", Some(ready(503, None)), Some(1));
            partner.script("POST", "/pay", None, Some(1));
            assert_eq!(post(&partner, "/pay").await.unwrap().0, 503);
            assert!(post(&partner, "/pay").await.is_err(), "silence");
            assert_eq!(post(&partner, "/pay").await.unwrap().0, 200);
            partner.script("POST", "/pay", Some(ready(402, None)), None);
            assert_eq!(post(&partner, "/pay").await.unwrap().0, 402);
            assert_eq!(partner.received(Some("POST"), Some("/pay")).len(), 4);
            assert!(partner.received(Some("GET"), None).is_empty());
        });
    }

    #[test]
    fn a_body_is_computed_from_the_request_and_what_nobody_scripted_is_told() {
        block_on(async {
            let partner = Partner::start("Bank").await.expect("a port");
            let member =
                |of: Expression, name: &str| Expression::Member { of: Box::new(of), name: name.into() };
            let amount = member(member(Expression::Slot(flow_slots::REQUEST), "body"), "amount");
            partner.script("POST", "/pay/{id}", Some(ready(201, Some(amount))), None);
            assert_eq!(post(&partner, "/pay/1?x=2").await.unwrap(), (201, Some(json!(7))));
            assert_eq!(partner.take_unscripted(), None);
            assert_eq!(post(&partner, "/refund").await.unwrap().0, 501);
            assert_eq!(partner.take_unscripted().as_deref(), Some("POST /refund"));
            assert_eq!(partner.received(None, None)[0]["query"], "x=2");
        });
    }

    #[test]
    fn trouble_as_a_whole_comes_before_every_script_until_it_is_mended() {
        block_on(async {
            let partner = Partner::start("Bank").await.expect("a port");
            partner.script("POST", "/pay", Some(ready(200, None)), None);
            partner.trouble(Some(Trouble::Unavailable));
            assert!(post(&partner, "/pay").await.is_err());
            partner.trouble(Some(Trouble::Answers(ready(500, None))));
            assert_eq!(post(&partner, "/pay").await.unwrap().0, 500);
            partner.trouble(Some(Trouble::Slow(2_000_000)));
            let request =
                Request { method: "POST".to_owned(), target: "/pay".to_owned(), ..Request::default() };
            let answer = send(partner.address, &request).await.unwrap();
            assert_eq!((answer.status, answer.header(LATER)), (200, Some("2s")));
            partner.trouble(None);
            assert_eq!(post(&partner, "/pay").await.unwrap().0, 200);
        });
    }

    #[test]
    fn a_path_with_names_fits_any_piece() {
        let fits = |wanted: &str, sent: &str| matches(&pieces(wanted), &pieces(sent));
        assert!(fits("/v1/charges/{id}/capture", "/v1/charges/a-1/capture"));
        assert!(!fits("/v1/charges/{id}", "/v1/charges"));
        assert!(!fits("/v1/charges", "/v1/refunds"));
    }
}
