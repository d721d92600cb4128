//! One request of a public or internal operation, from its first byte to its answer.
//!
//! The order of refusals is fixed: 414 target, 404 route, 405, 401, 403, 406, 413, 415, 400, 422, then the steps. Source:
//! interfaces *HTTP, on the public listener*.

use crate::audit::{self, Noted};
use crate::auth::{self, Caller, Proof};
use crate::cache;
use crate::conditional::{self, Conditions};
use crate::cursor::Walk;
use crate::edge;
use crate::input::{Parts, Unreadable};
use crate::json::{Writer, plain_text, write_text};
use crate::limits::{Asking, Requested, Ticket};
use crate::once;
use crate::parts::Keyed;
use crate::problems::{
    CONTENT_TOO_LARGE, CURSOR_INVALID, FORBIDDEN, HEADERS_TOO_LARGE, MALFORMED, NOT_ACCEPTABLE, NOT_FOUND,
    OUTCOME_UNKNOWN, OVERLOADED, Problem, REQUEST_TIMEOUT, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE, URI_TOO_LONG,
};
use crate::respond::{Answer, Reply};
use crate::room::Held;
use crate::router::{Route, Target};
use crate::shared::{Prepared, Rendering, Shared};
use bytes::{Bytes, BytesMut};
use formwork_engine::{self as engine, Body, Call, Precondition, Refusal, What};
use formwork_language::eval::Host;
use formwork_language::program::{Operation, PathPart, Program, Surface, slots};
use formwork_language::value::{Row, Value};
use formwork_store::{KeptAnswer, OnceEnded, OnceKey};
use http::header::{ACCEPT, ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, LOCATION};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Body as Incoming;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Where a request came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    /// Which operations are served.
    pub(crate) surface: Surface,
    /// Whether only this machine can reach it.
    pub(crate) loopback: bool,
    /// Who is at the other end.
    pub(crate) peer: SocketAddr,
}

/// Answers a request, whatever it is.
pub(crate) async fn serve<B: Incoming<Data = Bytes> + Unpin>(
    shared: Arc<Shared>,
    entrance: Entrance,
    request: Request<B>,
) -> Answer {
    let began = Instant::now();
    let request_id = shared.request_ids.of(request.headers());
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let route = shared.router(entrance.surface).find(head.method.as_str(), head.uri.path());
    let operation = match &route {
        Route::Found(Target::Operation(index), ..) => Some(*index),
        _ => None,
    };
    let measured = !matches!(&route, Route::Found(Target::Alive | Target::Ready, ..));
    let under_way = UnderWay::new(&shared);
    let noted = Noted::default();
    let receiving = AtomicBool::new(false);
    let (noted_by, id) = (&noted, &request_id);
    let asked = Asked {
        shared: &shared,
        entrance,
        head: &head,
        request_id: id,
        noted: noted_by,
        receiving: &receiving,
    };
    let found = operation.and_then(|index| shared.program.operations.get(index));
    let writes = found.is_some_and(|found| found.writes || found.code.has_parts());
    let fits = target_bytes(&head.uri) <= shared.limits.target_bytes;
    let result = if !fits {
        Err(too_long(shared.limits.target_bytes))
    } else if !under_way.is_allowed() || shared.answers.is_full() {
        Err(Problem::of(&OVERLOADED))
    } else {
        let answer = tokio::time::timeout(shared.limits.request, asked.answer(route, body)).await;
        answer.unwrap_or_else(|_| Err(late(receiving.load(Ordering::Relaxed), writes)))
    };
    // What has had an effect is answered in any case.
    let (result, held) = match result {
        Ok(reply) => match shared.answers.take(reply.body.len()) {
            Some(held) => (Ok(reply), held),
            None if writes => {
                let held = shared.answers.take_anyway(reply.body.len());
                (Ok(reply), held)
            }
            None => (Err(Problem::with(&OVERLOADED, NO_ROOM)), shared.answers.none()),
        },
        refused => (refused, shared.answers.none()),
    };
    audit::after(&shared, operation, (&entrance, &head, &request_id, &noted), &result).await;
    let reply = result.unwrap_or_else(|problem| {
        if let Some(cause) = &problem.for_the_log {
            let name = operation.and_then(|index| shared.program.operations.get(index));
            let name = name.map_or("", |operation| &operation.name);
            let event =
                if problem.status == StatusCode::UNAUTHORIZED { "credential_refused" } else { "internal" };
            crate::log::fault(event, request_id.to_str().unwrap_or_default(), name, cause);
        }
        // Who sends an address that is too long need not be sent it back.
        Reply::problem(&problem, if fits { head.uri.path() } else { "" })
    });
    if measured {
        shared.metrics.request(operation, head.method.as_str(), reply.status.as_u16(), began.elapsed());
    }
    let mut answer = reply.into_answer(&request_id, is_head);
    answer.body_mut().hold(held);
    answer
}

/// Why an answer that was made is not sent.
const NO_ROOM: &str = "Answers that others have not read yet take up all the room that there is for them.";

/// The problem of an address of more than `most` bytes.
fn too_long(most: usize) -> Problem {
    Problem::with(&URI_TOO_LONG, format!("Path and query may have at most {most} bytes."))
}

/// The problem of a request that is not over in time: what is missing of it, what may go on without it, or nothing.
fn late(receiving: bool, writes: bool) -> Problem {
    match (receiving, writes) {
        (true, _) => Problem::of(&REQUEST_TIMEOUT),
        (false, true) => Problem::with(
            &OUTCOME_UNKNOWN,
            "This took longer than a request may take, and may still be done. \
             Look before you ask again; with an `Idempotency-Key` you may just repeat.",
        ),
        (false, false) => Problem::with(&OVERLOADED, "This took longer than a request may take."),
    }
}

/// The body of a request.
enum Sent<B> {
    /// It has been read.
    Read(Bytes),
    /// It is still to be read.
    Coming(B),
}

/// Counts a request while it is under way.
struct UnderWay<'a> {
    shared: &'a Shared,
    number: usize,
}

impl<'a> UnderWay<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, number: shared.under_way.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    fn is_allowed(&self) -> bool {
        self.number <= self.shared.limits.requests
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.shared.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request under way.
struct Asked<'a> {
    shared: &'a Arc<Shared>,
    entrance: Entrance,
    head: &'a Head,
    request_id: &'a HeaderValue,
    noted: &'a Noted,
    /// Whether its body is on the way.
    receiving: &'a AtomicBool,
}

impl Asked<'_> {
    async fn answer(
        &self,
        route: Route<'_, '_>,
        body: impl Incoming<Data = Bytes> + Unpin,
    ) -> Result<Reply, Problem> {
        let shared = self.shared;
        match route {
            Route::Nothing => Err(Problem::of(&NOT_FOUND)),
            Route::OtherMethods(allow) => Err(Problem::method_not_allowed(allow)),
            Route::Options(allow) => {
                let headers = vec![(ALLOW, allow.clone())];
                Ok(Reply { headers, ..Reply::empty(StatusCode::NO_CONTENT) })
            }
            Route::Found(Target::Alive, ..) => Ok(health("pass", StatusCode::OK)),
            Route::Found(Target::Ready, ..) => {
                let ready = shared.store.is_available() && !shared.draining.load(Ordering::Relaxed);
                Ok(match ready {
                    true => health("pass", StatusCode::OK),
                    false => health("fail", StatusCode::SERVICE_UNAVAILABLE),
                })
            }
            Route::Found(Target::Description, ..) => self.description(),
            Route::Found(Target::Operation(index), path, allow) => {
                let found = shared.program.operations.get(index).zip(shared.operations.get(index));
                let Some((operation, prepared)) = found else { return Err(Problem::of(&NOT_FOUND)) };
                shared.edge.deprecated.check(index, shared.clock.now())?;
                if let Some(instead) = shared.faults.instead(index) {
                    return instead;
                }
                // HEAD of what writes is run and undone. What ends a transaction on the way cannot be.
                if self.head.method == Method::HEAD && operation.code.has_parts() {
                    return Err(Problem::method_not_allowed(allow));
                }
                let mut ticket = Ticket::default();
                let result = self.operation(index, operation, prepared, &path, body, &mut ticket).await;
                let mut reply = ticket.settle(result).await?;
                reply.headers.extend(shared.faults.later(index));
                Ok(reply)
            }
        }
    }

    /// What the system offers, for programs.
    fn description(&self) -> Result<Reply, Problem> {
        let text = self.shared.description.as_ref().ok_or_else(|| Problem::of(&NOT_FOUND))?;
        let mut reply = Reply::json(StatusCode::OK, text.as_bytes().to_vec());
        let tag = conditional::of_bytes(&reply.body);
        conditional::put(&mut reply, tag, true);
        Conditions::read(&self.head.headers)?.of_read(reply)
    }

    async fn operation(
        &self,
        index: usize,
        operation: &Operation,
        prepared: &Prepared,
        path: &[&str],
        body: impl Incoming<Data = Bytes> + Unpin,
        ticket: &mut Ticket,
    ) -> Result<Reply, Problem> {
        let shared = self.shared;
        let headers = &self.head.headers;
        if header_bytes(headers) > shared.limits.header_bytes {
            return Err(Problem::of(&HEADERS_TOO_LARGE));
        }
        let mut held = shared.bodies.none();
        let failed = |problem| shared.failures.answered(problem, self.entrance.peer.ip(), shared.clock.now());
        let proof = auth::prove(shared, operation, headers, shared.clock.now()).await;
        let (proof, body) = match proof.map_err(failed)? {
            // What is signed is the body: it is read before anything is known of the caller.
            Some(Proof::Signed(claim)) => {
                let body = self.body(index, body, &mut held).await?;
                let target = self.head.uri.path_and_query().map_or("/", |target| target.as_str());
                let signed = (self.head.method.as_str(), target);
                let caller = claim.caller(signed, &body, &shared.store).await.map_err(failed)?;
                (Some(caller), Sent::Read(body))
            }
            Some(Proof::Of(caller)) => (Some(caller), Sent::Coming(body)),
            None => (None, Sent::Coming(body)),
        };
        let caller = self.caller(operation, proof)?;
        self.noted.caller(&caller);
        caller.check(&operation.access)?;
        self.ask_limits(index, &caller, None, ticket).await?;
        if prepared.answers_json && !accepts_json(headers) {
            return Err(Problem::of(&NOT_ACCEPTABLE));
        }
        let body = match body {
            Sent::Read(body) => body,
            Sent::Coming(body) => self.body(index, body, &mut held).await?,
        };
        if !body.is_empty() {
            check_content_type(headers, &self.head.method)?;
        }
        let now = shared.clock.now();
        let rule = prepared.once;
        // What writes nothing has nothing to carry out once.
        let key = match operation.writes && self.head.method != Method::GET {
            true => once::key(headers, rule)?,
            false => None,
        };
        let conditions = Conditions::read(headers)?;
        let reads = matches!(self.head.method, Method::GET | Method::HEAD);
        let precondition = match self.head.method {
            Method::HEAD if operation.writes => Some(Box::new(Precondition::rehearsal())),
            Method::GET | Method::HEAD => None,
            _ => conditions.of_write(),
        };
        let mut slots = self.fixed_slots(&caller, prepared);
        let mut host = EdgeHost { now };
        let query = self.head.uri.query().unwrap_or_default();
        let parts = Parts { path, query, headers, body: &body };
        let cursor =
            prepared.decoder.decode(&parts, &mut slots, &mut host).map_err(|problem| match problem {
                Unreadable::Malformed(detail) => Problem::with(&MALFORMED, detail),
                Unreadable::Invalid(faults) => Problem::invalid(faults),
            })?;
        self.ask_limits(index, &caller, Some(&slots), ticket).await?;
        if let (Some(mock), true) = (&prepared.mock, operation.code.instructions.is_empty()) {
            return Ok(mock.answer(&slots));
        }
        let answered = prepared.mock.as_ref().map(|mock| mock.answer(&slots));
        let mut walked = Vec::new();
        if let Some(page) = &prepared.decoder.page {
            walked = prepared.decoder.without_page(&slots);
            if let Some(cursor) = cursor {
                let walk = Walk { operation: &operation.name, caller: &caller.id, input: &walked };
                let values = shared.cursors.decode(&walk, &page.order, &cursor);
                let values = values.ok_or_else(|| {
                    Problem::with(
                        &CURSOR_INVALID,
                        "The cursor is not one of this list for this caller and input.",
                    )
                })?;
                slots[usize::from(slots::INPUT) + page.cursor] = Value::List(values.into());
            }
        }
        let what = What::Operation(u32::try_from(index).unwrap_or(u32::MAX));
        if let Some(key) = key {
            let mut sent = vec![Value::Absent; usize::from(slots::INPUT)];
            // It has been decoded before, and what it would say now has been said.
            let _ = prepared.decoder.decode(&parts, &mut sent, &mut once::Still);
            let key =
                once::once_key(key, &caller, operation, &sent[usize::from(slots::INPUT)..], (now, rule));
            let call = Call { what, slots, now, seed: shared.seeds.next(), precondition, part: None };
            return self.once(index, call, key, (caller.id.clone(), walked)).await;
        }
        // What a write asks of the row is compared in the transaction, and no kept answer stands for that.
        let kept =
            shared.caches.keeps(index).filter(|_| precondition.is_none()).map(|cache| (cache, slots.clone()));
        let call = Call { what, slots, now, seed: shared.seeds.next(), precondition, part: None };
        let made = self.run(index, call, (&caller, &walked), answered);
        let reply = match &kept {
            None => made.await?,
            Some((cache, slots)) => {
                let asked = cache::Asked { slots, headers, now, reads };
                shared.caches.answer(cache, &shared.store, asked, made).await?
            }
        };
        if reads { conditions.of_read(reply) } else { Ok(reply) }
    }

    /// The bytes of the body.
    async fn body(
        &self,
        index: usize,
        body: impl Incoming<Data = Bytes> + Unpin,
        held: &mut Held,
    ) -> Result<Bytes, Problem> {
        let shared = self.shared;
        let most = shared.limiter.body_bytes(index, shared.limits.body_bytes);
        self.receiving.store(true, Ordering::Relaxed);
        let body = read_body(body, most, shared.limits.read, held).await;
        self.receiving.store(false, Ordering::Relaxed);
        body.map_err(|problem| shared.limiter.body_refused(index, problem))
    }

    /// Runs the behaviour.
    async fn run(
        &self,
        index: usize,
        call: Call,
        (caller, walked): (&Caller, &[Value]),
        answered: Option<Reply>,
    ) -> Result<Reply, Problem> {
        let shared = self.shared;
        let operation = shared.program.operations.get(index).ok_or_else(|| Problem::of(&NOT_FOUND))?;
        let mut ended = shared.parts.run(call).await;
        if let Err(Refusal::Rehearsed(answer)) = ended.result {
            ended.result = Ok(*answer);
        }
        if operation.writes {
            shared.scheduler.wake();
        }
        shared.metrics.steps(&ended.counts, &ended.observations);
        // What runs of a mocked operation are its demands: it answers once they are met.
        if let (Some(answered), Ok(_)) = (answered, &ended.result) {
            return Ok(answered);
        }
        let walk = Walk { operation: &operation.name, caller: &caller.id, input: walked };
        let answer = self.refused(ended.result, &ended.rows)?;
        rendered(shared.rendering(), index, &answer, &ended.rows, &walk)
    }

    /// Asks whether section 9 lets the request through: at once, or with its input where that is what counts.
    async fn ask_limits(
        &self,
        index: usize,
        caller: &Caller,
        slots: Option<&[Value]>,
        ticket: &mut Ticket,
    ) -> Result<(), Problem> {
        let when = if slots.is_some() { Asking::WithInput } else { Asking::BeforeInput };
        let request = Requested {
            caller,
            headers: &self.head.headers,
            peer: self.entrance.peer.ip(),
            slots: slots.unwrap_or_default(),
            now: self.shared.clock.now(),
        };
        self.shared.limiter.ask(index, when, &request, ticket).await
    }

    /// Runs a call that is carried out once for its key.
    async fn once(
        &self,
        index: usize,
        call: Call,
        key: OnceKey,
        (caller, walked): (Value, Vec<Value>),
    ) -> Result<Reply, Problem> {
        let shared = self.shared.clone();
        let render = Arc::new(move |answer: &engine::Answer, rows: &[Row]| {
            kept_answer(shared.rendering(), index, answer, rows, (&caller, &walked))
        });
        match self.shared.parts.run_once(call, Keyed { key, render }).await {
            OnceEnded::Replayed(kept) => Ok(once::replayed(kept)),
            OnceEnded::OtherInput => Err(once::other_input()),
            OnceEnded::Ran(ended, kept) => {
                self.shared.scheduler.wake();
                self.shared.metrics.steps(&ended.counts, &ended.observations);
                self.refused(ended.result, &ended.rows)?;
                kept.map(once::reply).ok_or_else(|| Problem::internal("an answer was not kept"))
            }
        }
    }

    /// An answer, or the problem of a refusal.
    fn refused(
        &self,
        result: Result<engine::Answer, Refusal>,
        rows: &[Row],
    ) -> Result<engine::Answer, Problem> {
        result.map_err(|refusal| Problem::refused(refusal, rows, &self.shared.program.schema))
    }

    /// Who calls, by what the request has proven and by where it came in.
    fn caller(&self, operation: &Operation, proven: Option<Caller>) -> Result<Caller, Problem> {
        match (self.entrance.surface, proven) {
            (_, None) if operation.access.signed => Err(auth::demand(self.shared, operation)),
            (Surface::Internal, Some(caller)) if self.entrance.loopback => Ok(caller.vouched_for("internal")),
            (Surface::Internal, Some(caller)) => match caller.has_role("internal") {
                true => Ok(caller),
                false => Err(Problem::with(&FORBIDDEN, "This needs the role `internal`.")),
            },
            (Surface::Internal, None) if self.entrance.loopback => {
                Ok(Caller::anonymous(&["internal".into()]))
            }
            (Surface::Public, None) if operation.access.public => Ok(Caller::anonymous(&[])),
            (Surface::Public, Some(caller)) => Ok(caller),
            (_, None) => Err(auth::demand(self.shared, operation)),
        }
    }

    fn fixed_slots(&self, caller: &Caller, prepared: &Prepared) -> Vec<Value> {
        let reads = prepared.reads;
        let given = |read: bool, value: &dyn Fn() -> Value| if read { value() } else { Value::Absent };
        // In the order of `slots`.
        vec![
            caller.id.clone(),
            caller.roles.clone(),
            caller.scopes.clone(),
            caller.claims.clone(),
            given(reads.id, &|| Value::Text(self.request_id.to_str().unwrap_or_default().into())),
            given(reads.ip, &|| Value::Text(self.entrance.peer.ip().to_string().into())),
            given(reads.headers, &|| header_map(&self.head.headers)),
        ]
    }
}

/// An answer as it is kept under a key; `walked` is the input that a page's cursor goes on for.
pub(crate) fn kept_answer(
    with: Rendering<'_>,
    index: usize,
    answer: &engine::Answer,
    rows: &[Row],
    (caller, walked): (&Value, &[Value]),
) -> Result<KeptAnswer, Refusal> {
    let operation = with.program.operations.get(index).map_or("", |operation| &operation.name);
    let walk = Walk { operation, caller, input: walked };
    let reply = rendered(with, index, answer, rows, &walk);
    let wrong = |problem: Problem| Refusal::Internal(problem.for_the_log.clone().unwrap_or_default());
    reply.map(|reply| once::kept(&reply)).map_err(wrong)
}

/// An answer of an operation as it leaves.
fn rendered(
    with: Rendering<'_>,
    index: usize,
    answer: &engine::Answer,
    rows: &[Row],
    walk: &Walk<'_>,
) -> Result<Reply, Problem> {
    let found = with.program.operations.get(index).zip(with.operations.get(index));
    let (operation, prepared) = found.ok_or_else(|| Problem::of(&NOT_FOUND))?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let is_get = &*operation.method == "GET";
    let projected = prepared.projected.as_ref().map(|(entity, columns)| (*entity, columns));
    let mut writer = Writer::new(rows, projected, with.every);
    let mut reply = match &answer.body {
        Body::Nothing => Reply::empty(status),
        Body::Redirect(to) => {
            let headers = vec![(LOCATION, location_value(to)?)];
            Reply { headers, ..Reply::empty(status) }
        }
        Body::Value(value) => {
            writer.answer(value);
            let mut reply = Reply::json(status, writer.out);
            let tag = match row_of(value, rows).filter(|_| status.is_success()) {
                Some(row) => conditional::of_row(&with.program.schema, row, prepared.selection),
                None if is_get && status.is_success() => conditional::of_bytes(&reply.body),
                None => None,
            };
            conditional::put(&mut reply, tag, is_get);
            if status == StatusCode::CREATED {
                reply.headers.extend(location(with.program, operation, value, rows));
            }
            reply
        }
        Body::RowWith { row, parts } => {
            writer.row_with(row, parts);
            let mut reply = Reply::json(status, writer.out);
            if status == StatusCode::CREATED {
                reply.headers.extend(location(with.program, operation, row, rows));
            }
            reply
        }
        Body::Page { items, next } => {
            writer.out.extend_from_slice(b"{\"items\":");
            writer.answers(items);
            writer.out.extend_from_slice(b",\"next_cursor\":");
            match next {
                Some(values) => write_text(&mut writer.out, &with.cursors.encode(walk, values)),
                None => writer.out.extend_from_slice(b"null"),
            }
            writer.out.push(b'}');
            let mut reply = Reply::json(status, writer.out);
            if is_get {
                let tag = conditional::of_bytes(&reply.body);
                conditional::put(&mut reply, tag, true);
            }
            reply
        }
    };
    for (name, value) in &answer.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        reply.headers.push(
            header.ok_or_else(|| Problem::internal(format!("a step's header `{name}` cannot be sent")))?,
        );
    }
    Ok(reply)
}

/// The row that an answer is, if it is exactly one.
fn row_of<'r>(value: &Value, rows: &'r [Row]) -> Option<&'r Row> {
    match value {
        Value::Row(row) => rows.get(usize::try_from(*row).ok()?),
        _ => None,
    }
}

/// `Location` of a row that was made: the path of the GET operation that it determines.
fn location(
    program: &Program,
    operation: &Operation,
    value: &Value,
    rows: &[Row],
) -> Option<(HeaderName, HeaderValue)> {
    let (target, fields) = operation.output.location.as_ref()?;
    let target = program.operations.get(usize::try_from(*target).ok()?)?;
    let row = row_of(value, rows)?;
    let mut fields = fields.iter();
    let mut path = String::new();
    for part in &target.path {
        path.push('/');
        match part {
            PathPart::Fixed(text) => path.push_str(&encoded(text)),
            PathPart::Parameter(_) => {
                let text = plain_text(row.values.get(usize::from(*fields.next()?))?);
                if text.is_empty() {
                    return None;
                }
                path.push_str(&encoded(&text));
            }
        }
    }
    HeaderValue::from_str(&path).ok().map(|value| (LOCATION, value))
}

/// What defaults of inputs may ask for.
struct EdgeHost {
    now: i64,
}

impl Host for EdgeHost {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        // The seed of the call is drawn from the same source and refuses the request when that fails.
        let _ = crate::random::fill(buffer);
    }

    fn uuid(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        let milliseconds = u64::try_from(self.now.div_euclid(1000)).unwrap_or_default().to_be_bytes();
        bytes[..6].copy_from_slice(&milliseconds[2..]);
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }
}

fn health(status: &str, code: StatusCode) -> Reply {
    let content_type = Some(HeaderValue::from_static("application/health+json"));
    Reply { content_type, ..Reply::json(code, format!("{{\"status\":\"{status}\"}}").into_bytes()) }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// The header as a map; values that are not UTF-8 are left out, repeated ones joined by commas.
fn header_map(headers: &HeaderMap) -> Value {
    let member = |name: &HeaderName| {
        let values =
            headers.get_all(name).iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        let text = values.collect::<Vec<_>>().join(", ");
        (Value::Text(name.as_str().into()), Value::Text(text.into()))
    };
    Value::Map(headers.keys().map(member).collect())
}

/// Whether the caller takes JSON: no `Accept`, or one range that covers it and is not refused by `q=0`.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return true;
    }
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut pieces = range.split(';').map(str::trim);
        let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let refused = pieces.any(|piece| {
            piece
                .strip_prefix("q=")
                .is_some_and(|quality| quality.parse::<f32>().is_ok_and(|quality| quality == 0.0))
        });
        matches!(&*kind, "*/*" | "application/*" | "application/json") && !refused
    })
}

fn check_content_type(headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
    edge::check_coding(headers)?;
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let text = sent.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut pieces = text.split(';').map(str::trim);
    let kind = pieces.next().unwrap_or_default();
    let is_json = kind.eq_ignore_ascii_case("application/json")
        || (*method == Method::PATCH && kind.eq_ignore_ascii_case("application/merge-patch+json"));
    let is_utf8 = pieces.all(|piece| match piece.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 && sent.next().is_none() {
        return Ok(());
    }
    let mut problem = Problem::with(&UNSUPPORTED_MEDIA_TYPE, "Send the body as `application/json` in UTF-8.");
    problem.headers.push((ACCEPT, HeaderValue::from_static("application/json")));
    Err(problem)
}

/// Reads a body of at most `most` bytes that arrives in time, and for whose bytes there is room as they arrive.
pub(crate) async fn read_body(
    mut body: impl Incoming<Data = Bytes> + Unpin,
    most: usize,
    within: Duration,
    held: &mut Held,
) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let too_large = || Problem::with(&CONTENT_TOO_LARGE, format!("A body may have at most {most} bytes."));
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    // What is announced is reserved at once: memory that nobody writes to is taken up by nobody, whereas a buffer that
    // grows leaves its smaller ones behind.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(most).min(most);
    let read = async {
        // A body that comes in one piece is not copied.
        let mut whole = Bytes::new();
        let mut pieces = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|_| Problem::with(&MALFORMED, "The body ended early or is badly framed."))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + pieces.len() + data.len() > most {
                return Err(too_large());
            }
            if !held.grow(data.len()) {
                return Err(no_room());
            }
            if whole.is_empty() && pieces.is_empty() {
                whole = data;
            } else {
                if pieces.is_empty() {
                    pieces.reserve(announced);
                }
                pieces.extend_from_slice(&std::mem::take(&mut whole));
                pieces.extend_from_slice(&data);
            }
        }
        Ok(if pieces.is_empty() { whole } else { pieces.freeze() })
    };
    match tokio::time::timeout(within, read).await {
        Ok(result) => result,
        Err(_) => Err(Problem::of(&REQUEST_TIMEOUT)),
    }
}

/// The problem of a body that finds no room beside those of others. What is left of it is not read.
fn no_room() -> Problem {
    let detail = "Bodies of other requests take up all the room that there is for them.";
    let mut problem = Problem::with(&OVERLOADED, detail);
    problem.headers.push((CONNECTION, HeaderValue::from_static("close")));
    problem
}

fn target_bytes(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |target| target.as_str().len())
}

/// The target of a redirect as a header: what a header cannot carry is percent-encoded, so that no value of a row
/// can begin another header.
fn location_value(to: &str) -> Result<HeaderValue, Problem> {
    let mut text = String::with_capacity(to.len());
    for byte in to.bytes() {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(error.to_string()))
}

/// A text as a segment of a path (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A refusal for a store that is away, used beside the operations.
pub(crate) fn unavailable(cause: &str) -> Problem {
    Problem::logged(&UNAVAILABLE, cause)
}
