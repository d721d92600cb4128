//! The operator's listener: metrics, keys, the outbox, and with the test clock the means of a test.
//!
//! Everything but `GET /metrics` on loopback needs the admin key of `run.json` as `Authorization: Bearer`. Source:
//! interfaces, *On the admin listener*.

mod deliveries;
mod faults;
mod probes;
mod rows;

pub(crate) use faults::Faults;
pub(crate) use rows::prepare;

use crate::json::{self, Json, write_text};
use crate::keys::{self, KeyCommand, KeyError, KeyOutcome};
use crate::problems::{INVALID, MALFORMED, NOT_FOUND, Problem};
use crate::respond::{Answer, Reply};
use crate::serve::{Entrance, read_body, unavailable};
use crate::shared::Shared;
use formwork_engine::{Body, Call, What};
use formwork_language::value::Value;
use formwork_store::StoredEvent;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Answers a request of the operator.
pub(crate) async fn serve(shared: Arc<Shared>, entrance: Entrance, request: Request<Incoming>) -> Answer {
    let request_id = shared.request_ids.of(request.headers());
    let is_head = request.method() == Method::HEAD;
    let path = request.uri().path().to_owned();
    let reply = answer(&shared, entrance, request).await.unwrap_or_else(|problem| {
        if let Some(cause) = &problem.for_the_log {
            crate::log::fault("internal", request_id.to_str().unwrap_or_default(), &path, cause);
        }
        Reply::problem(&problem, &path)
    });
    reply.into_answer(&request_id, is_head)
}

async fn answer(shared: &Shared, entrance: Entrance, request: Request<Incoming>) -> Result<Reply, Problem> {
    let (head, body) = request.into_parts();
    let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    let query = head.uri.query().unwrap_or_default();
    let method = match head.method {
        Method::HEAD => "GET",
        ref method => method.as_str(),
    };
    if (method, &path[..]) == ("GET", &["metrics"]) && entrance.loopback {
        return Ok(metrics(shared));
    }
    check_key(&head.headers, &shared.admin_key)?;
    let allow = methods(&path, shared.clock.is_test()).ok_or_else(|| Problem::of(&NOT_FOUND))?;
    if !allow.split(", ").any(|allowed| allowed == method) {
        return Err(Problem::method_not_allowed(&HeaderValue::from_static(allow)));
    }
    let mut held = shared.bodies.none();
    let body = read_body(body, shared.limits.body_bytes, shared.limits.read, &mut held).await?;
    match (method, &path[..]) {
        ("GET", ["metrics"]) => Ok(metrics(shared)),
        ("GET", ["keys"]) => change_keys(shared, KeyCommand::List).await,
        ("POST", ["keys"]) => {
            let new = keys::read_new(&body).map_err(|detail| Problem::with(&MALFORMED, detail))?;
            change_keys(shared, KeyCommand::Create(new)).await
        }
        ("DELETE", ["keys", name]) => change_keys(shared, KeyCommand::Revoke((*name).to_owned())).await,
        ("DELETE", ["caches", name]) => empty_cache(shared, name).await,
        ("GET", ["outbox"]) => events(shared, None, true),
        ("GET", ["budgets"]) => budgets(shared, query),
        ("GET", ["invariants"]) => invariants(shared).await,
        ("GET", ["deliveries"]) => deliveries::list(shared, query),
        ("POST", ["deliveries", sequence, "retry"]) => deliveries::retry(shared, sequence).await,
        (method, path) => testing(shared, method, path, query, &body).await,
    }
}

/// The methods of a path, as `Allow` has them; nothing where there is nothing. `test`: on the test clock.
fn methods(path: &[&str], test: bool) -> Option<&'static str> {
    Some(match path {
        ["metrics" | "budgets" | "outbox" | "invariants" | "deliveries"] => "GET, HEAD",
        ["keys"] => "GET, HEAD, POST",
        ["keys" | "caches", _] => "DELETE",
        ["deliveries", _, "retry"] => "POST",
        ["probe", "events" | "metric"] if test => "GET, HEAD",
        ["clock" | "rows" | "faults"] | ["probe", "count" | "sum"] | ["components", _, "run"] if test => {
            "POST"
        }
        _ => return None,
    })
}

/// What only the test clock allows.
async fn testing(
    shared: &Shared,
    method: &str,
    path: &[&str],
    query: &str,
    body: &[u8],
) -> Result<Reply, Problem> {
    match (method, path) {
        ("POST", ["clock"]) => advance(shared, body).await,
        ("POST", ["components", name, "run"]) => {
            let name = crate::input::percent_decode(name, false).ok_or_else(|| Problem::of(&MALFORMED))?;
            match shared.scheduler.run_component(&name).await {
                0 => Err(Problem::with(&NOT_FOUND, "No component of this name has standing steps.")),
                number => Ok(Reply::json(StatusCode::OK, format!("{{\"ran\":{number}}}").into_bytes())),
            }
        }
        ("GET", ["probe", "events"]) => {
            let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
            let name = name.map(|name| crate::input::percent_decode(name, true));
            match name {
                Some(None) => Err(Problem::of(&MALFORMED)),
                name => events(shared, name.flatten().as_deref(), false),
            }
        }
        ("GET", ["probe", "metric"]) => {
            let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
            let name = name.and_then(|name| crate::input::percent_decode(name, true));
            probes::metric(shared, &name.ok_or_else(|| Problem::of(&MALFORMED))?)
        }
        ("POST", ["probe", "count"]) => probes::count(shared, body),
        ("POST", ["probe", "sum"]) => probes::sum(shared, body),
        ("POST", ["rows"]) => rows::put(shared, body).await,
        ("POST", ["faults"]) => faults::set(shared, body),
        _ => Err(Problem::of(&NOT_FOUND)),
    }
}

fn metrics(shared: &Shared) -> Reply {
    let content_type = Some(HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    let mut text = shared.metrics.text();
    shared.caches.lines(&mut text);
    Reply { content_type, ..Reply::json(StatusCode::OK, text.into_bytes()) }
}

fn check_key(headers: &HeaderMap, key: &str) -> Result<(), Problem> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let fits = sent.is_some_and(|(_, sent)| bool::from(sent.as_bytes().ct_eq(key.as_bytes())));
    let challenge = HeaderValue::from_static("Bearer realm=\"admin\"");
    match fits {
        true => Ok(()),
        false => Err(Problem::unauthenticated(&challenge, "Send the admin key as `Authorization: Bearer`.")),
    }
}

async fn change_keys(shared: &Shared, command: KeyCommand) -> Result<Reply, Problem> {
    let alone = shared.key_changes.lock().await;
    shared.note_key_uses().await;
    let outcome = keys::carry_out(&shared.store, &command, shared.clock.now()).await;
    let outcome = outcome.map_err(|error| match error {
        KeyError::Invalid(detail) => Problem::with(&INVALID, detail),
        other => unavailable(&other.to_string()),
    })?;
    if command != KeyCommand::List {
        shared.read_keys().await.map_err(|error| unavailable(&error.to_string()))?;
    }
    drop(alone);
    if outcome == KeyOutcome::Revoked(true) {
        shared.store.until_all_know().await;
    }
    match outcome {
        KeyOutcome::Created { id, key } => {
            let mut out = b"{\"id\":".to_vec();
            write_text(&mut out, &id);
            out.extend_from_slice(b",\"key\":");
            write_text(&mut out, &key);
            out.push(b'}');
            Ok(Reply::json(StatusCode::CREATED, out))
        }
        KeyOutcome::List(keys) => Ok(Reply::json(StatusCode::OK, keys::write_list(&keys))),
        KeyOutcome::Revoked(true) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        KeyOutcome::Revoked(false) => Err(Problem::with(&NOT_FOUND, "No key of this name holds.")),
    }
}

/// Empties a cache layer on every node.
async fn empty_cache(shared: &Shared, name: &str) -> Result<Reply, Problem> {
    let name = crate::input::percent_decode(name, false).ok_or_else(|| Problem::of(&MALFORMED))?;
    match shared.caches.clear(&shared.store, &name).await {
        Some(Ok(())) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        Some(Err(error)) => Err(unavailable(&error.to_string())),
        None => Err(Problem::with(&NOT_FOUND, "No cache layer has this name.")),
    }
}

/// Every invariant that does not hold, over all rows.
async fn invariants(shared: &Shared) -> Result<Reply, Problem> {
    let (now, seed) = (shared.clock.now(), shared.seeds.next());
    let call = Call { what: What::Invariants, slots: Vec::new(), now, seed, precondition: None, part: None };
    let broken = match shared.store.run(call).await.result {
        Ok(answer) => match answer.body {
            Body::Value(Value::List(broken)) => broken,
            _ => Arc::from([]),
        },
        Err(refusal) => return Err(Problem::refused(refusal, &[], &shared.program.schema)),
    };
    let mut out = b"{\"broken\":[".to_vec();
    for (position, text) in broken.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_text(&mut out, &text.to_plain());
    }
    out.extend_from_slice(b"]}");
    Ok(Reply::json(StatusCode::OK, out))
}

async fn advance(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let json = json::read(body).map_err(|malformed| Problem::with(&MALFORMED, malformed.0))?;
    let by = match &json {
        Json::Object(members, _) => match &members[..] {
            [(name, Json::Text(text))] if name == "advance" => crate::forms::parse_duration(text),
            _ => None,
        },
        _ => None,
    };
    let by = by.filter(|by| *by >= 0);
    let by =
        by.ok_or_else(|| Problem::with(&INVALID, "Send `{\"advance\": \"1h\"}`, a duration of 0 or more."))?;
    let now = shared.scheduler.advance(by).await;
    let mut out = b"{\"now\":".to_vec();
    write_text(&mut out, &crate::forms::format_timestamp(now));
    out.push(b'}');
    Ok(Reply::json(StatusCode::OK, out))
}

/// How the budgets stand: in their present periods, or the one that is named in all.
fn budgets(shared: &Shared, query: &str) -> Result<Reply, Problem> {
    let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
    let name = match name.map(|name| crate::input::percent_decode(name, true)) {
        Some(None) => return Err(Problem::of(&MALFORMED)),
        name => name.flatten(),
    };
    let text = crate::budgets::report(&shared.store, &shared.program, shared.clock.now(), name.as_deref());
    let text = text.map_err(|error| unavailable(&error.to_string()))?;
    Ok(Reply::json(StatusCode::OK, text.into_bytes()))
}

/// Events in the order of the outbox; with their place in it for the operator.
fn events(shared: &Shared, name: Option<&str>, with_sequence: bool) -> Result<Reply, Problem> {
    let events = shared.store.events(name).map_err(|error| unavailable(&error.to_string()))?;
    let mut out = b"{\"events\":[".to_vec();
    for (position, event) in events.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_event(&mut out, event, with_sequence);
    }
    out.extend_from_slice(b"]}");
    Ok(Reply::json(StatusCode::OK, out))
}

fn write_event(out: &mut Vec<u8>, event: &StoredEvent, with_sequence: bool) {
    out.push(b'{');
    if with_sequence {
        out.extend_from_slice(format!("\"sequence\":{},", event.sequence).as_bytes());
    }
    out.extend_from_slice(b"\"id\":");
    write_text(out, &crate::forms::format_uuid(&event.id));
    out.extend_from_slice(b",\"name\":");
    write_text(out, &event.name);
    out.extend_from_slice(b",\"time\":");
    write_text(out, &crate::forms::format_timestamp(event.time));
    if let Some((entity, key)) = &event.about {
        out.extend_from_slice(b",\"about\":{\"entity\":");
        write_text(out, entity);
        out.extend_from_slice(b",\"key\":");
        write_text(out, key);
        out.push(b'}');
    }
    out.extend_from_slice(b",\"data\":");
    out.extend_from_slice(event.data.as_bytes());
    out.push(b'}');
}
