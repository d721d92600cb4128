//! Limits of section 9 on requests: what each operation must keep to, asked of every request before its steps.
//!
//! `window` decides for one rate, `decision` for all of a request; what was let through is in `memory` and kept by
//! the store's group commit, or decided in the database where `nodes` share it; `progress` counts calls under way,
//! `told` says it to callers. How large a body may be is asked where it is read. Source: language reference, *Promises,
//! protection, operation*; ADR 0124.

mod decision;
mod memory;
mod nodes;
mod progress;
mod told;
mod unkept;
mod window;

pub(crate) use unkept::unkept;

use crate::auth::Caller;
use crate::clock::Clock;
use crate::problems::{OVERLOADED, Problem, UNAVAILABLE};
use crate::respond::Reply;
use decision::{Decision, Key, Need};
use formwork_engine::StoreError;
use formwork_language::program::{CountedBy, LimitRule, Limited, Operation, Program, slots};
use formwork_language::value::Value;
use formwork_model::facts::Outcome;
use formwork_store::Store;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use memory::Memory;
use nodes::{Nodes, Unasked};
use parking_lot::Mutex;
use progress::{Places, Progress};
use sha2::{Digest, Sha256};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use told::Policy;
use window::Window;

/// A rate over a window no longer than this is not kept on disk by a process that has its rows for itself: the next
/// one waits as long before it serves.
const SHORT: i64 = 1_000_000;

/// What the document lets through.
pub(crate) struct Limiter {
    operations: Vec<OfOperation>,
    store: Arc<Store>,
    counted: Counted,
    progress: Progress,
    key_header: HeaderName,
}

/// Where it is known what was let through.
enum Counted {
    Here(Arc<Mutex<Memory>>),
    InDatabase(Nodes),
}

/// What an operation must keep to.
#[derive(Default)]
struct OfOperation {
    rates: Vec<Rate>,
    in_progress: Vec<AtATime>,
    size: Option<Size>,
    /// Whether what is counted together depends on the input.
    by_input: bool,
}

/// How large a body may be.
struct Size {
    bytes: usize,
    /// Whether the line names the operation.
    is_named: bool,
    otherwise: Option<Outcome>,
}

struct Rate {
    policy: Policy,
    window: Window,
    by: By,
    role: Option<Arc<str>>,
    kept: bool,
}

struct AtATime {
    policy: Policy,
    by: By,
}

/// What is counted together.
struct By {
    /// Which limit it is, whatever its numbers: they may be changed without forgetting what was let through.
    limit: String,
    what: What,
}

enum What {
    Counted(CountedBy),
    /// The slot of an input.
    Slot(usize),
}

/// A request that asks to be let through.
pub(crate) struct Requested<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: IpAddr,
    /// The slots, when the input is known.
    pub(crate) slots: &'a [Value],
    pub(crate) now: i64,
}

/// When a request asks: an operation that counts by an input asks when it is known, any other before the body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Before the body is read.
    BeforeInput,
    /// When the input is known.
    WithInput,
}

type OnDisk = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// A request that was let through: its places, what its answer says, and what must be on disk before it leaves.
#[derive(Default)]
pub(crate) struct Ticket {
    headers: Vec<(HeaderName, HeaderValue)>,
    on_disk: Option<(OnDisk, Arc<Mutex<Memory>>)>,
    _places: Places,
}

impl Ticket {
    /// The answer, when it is on disk that its request was let through.
    pub(crate) async fn settle(self, result: Result<Reply, Problem>) -> Result<Reply, Problem> {
        if let Some((on_disk, memory)) = self.on_disk
            && let Err(error) = on_disk.await
        {
            memory.lock().keep_all();
            return Err(Problem::logged(&UNAVAILABLE, format!("an admission was not kept: {error}")));
        }
        match result {
            Ok(mut reply) => {
                reply.headers.extend(self.headers);
                Ok(reply)
            }
            Err(mut problem) => {
                problem.headers.extend(self.headers);
                Err(problem)
            }
        }
    }
}

impl Limiter {
    /// Reads what an earlier process has kept, and waits until nothing counts that it has not. `was_there` says whether
    /// there may have been one.
    pub(crate) async fn new(
        program: &Program,
        store: &Arc<Store>,
        clock: &Clock,
        was_there: bool,
    ) -> Result<Self, StoreError> {
        let by_machine = matches!(clock, Clock::System);
        let here = !store.is_shared();
        let mut limiter = Self {
            operations: program.operations.iter().map(|_| OfOperation::default()).collect(),
            store: store.clone(),
            counted: Counted::Here(Arc::new(Mutex::new(Memory::new(memory::MOST_KEYS)))),
            progress: Progress::default(),
            key_header: HeaderName::from_bytes(program.api_key_header.as_bytes())
                .unwrap_or(HeaderName::from_static("x-api-key")),
        };
        let names = policy_names(program);
        for (rule, name) in program.limits.iter().zip(names) {
            for index in &rule.operations {
                let found = program.operations.get(*index as usize);
                let own = limiter.operations.get_mut(*index as usize);
                if let Some((operation, own)) = found.zip(own) {
                    own.take(rule, &name, operation, here && by_machine);
                }
            }
        }
        let rates = || limiter.operations.iter().flat_map(|own| &own.rates);
        if rates().next().is_none() {
            return Ok(limiter);
        }
        if !here {
            limiter.counted = Counted::InDatabase(Nodes::new(store, by_machine));
            return Ok(limiter);
        }
        let forgotten = rates().filter(|rate| !rate.kept).map(|rate| rate.window.length).max();
        let mut memory = Memory::new(memory::MOST_KEYS);
        memory.restore(store.admissions(clock.now())?);
        limiter.counted = Counted::Here(Arc::new(Mutex::new(memory)));
        if let Some(length) = forgotten.filter(|_| was_there) {
            tokio::time::sleep(std::time::Duration::from_micros(length.unsigned_abs())).await;
        }
        Ok(limiter)
    }

    /// How many bytes a body of an operation may have, where `usual` is what any may.
    pub(crate) fn body_bytes(&self, operation: usize, usual: usize) -> usize {
        let said = self.operations.get(operation).and_then(|own| own.size.as_ref());
        said.map_or(usual, |size| size.bytes)
    }

    /// The refusal of a body of an operation as the document words it.
    pub(crate) fn body_refused(&self, operation: usize, problem: Problem) -> Problem {
        let said = self.operations.get(operation).and_then(|own| own.size.as_ref());
        told::too_large(said.and_then(|size| size.otherwise.as_ref()), problem)
    }

    /// Lets a request through, if now is when its operation asks, or refuses it. What is refused is counted by nothing.
    pub(crate) async fn ask(
        &self,
        operation: usize,
        when: Asking,
        asking: &Requested<'_>,
        ticket: &mut Ticket,
    ) -> Result<(), Problem> {
        let Some(own) = self.operations.get(operation) else { return Ok(()) };
        let is_now = own.by_input == (when == Asking::WithInput);
        if !is_now || (own.rates.is_empty() && own.in_progress.is_empty()) {
            return Ok(());
        }
        let concerns = |rate: &&Rate| rate.role.as_ref().is_none_or(|role| asking.caller.has_role(role));
        let rates: Vec<&Rate> = own.rates.iter().filter(concerns).collect();
        let policies: Vec<&Policy> = rates
            .iter()
            .map(|rate| &rate.policy)
            .chain(own.in_progress.iter().map(|one| &one.policy))
            .collect();
        let places: Vec<(Key, u64)> =
            own.in_progress.iter().map(|one| (one.by.key(self, asking), one.policy.quota)).collect();
        // First what can be given back.
        let places = self.progress.enter(&places).map_err(|full| {
            let mut problem = own
                .in_progress
                .get(full)
                .map_or_else(|| Problem::of(&OVERLOADED), |one| told::in_progress(&one.policy));
            problem.headers.extend(told::headers(&policies, &[]));
            problem
        })?;
        let needs: Vec<Need> = rates
            .iter()
            .map(|rate| Need {
                key: rate.by.key(self, asking),
                overflow: digest(&rate.by.limit, "others", ""),
                window: rate.window,
                kept: rate.kept,
            })
            .collect();
        let decision = match needs.is_empty() {
            true => Decision { admitted: true, states: Vec::new() },
            false => self.decide(&needs, asking.now, ticket).await?,
        };
        let headers = told::headers(&policies, &decision.states);
        if !decision.admitted {
            let mut problem = told::refusal(&policies, &decision.states);
            problem.headers.extend(headers);
            return Err(problem);
        }
        (ticket.headers, ticket._places) = (headers, places);
        Ok(())
    }

    async fn decide(&self, needs: &[Need], now: i64, ticket: &mut Ticket) -> Result<Decision, Problem> {
        match &self.counted {
            Counted::InDatabase(nodes) => nodes.ask(needs, now).await.map_err(|unasked| match unasked {
                Unasked::TooMany => Problem::of(&OVERLOADED),
                Unasked::Away(cause) => Problem::logged(&UNAVAILABLE, cause),
            }),
            Counted::Here(memory) => {
                let decision = memory.lock().ask(needs, now);
                if decision.admitted && needs.iter().any(|need| need.kept) {
                    let (store, known) = (self.store.clone(), memory.clone());
                    let mut on_disk: OnDisk =
                        Box::pin(
                            async move { store.keep_admissions(move || known.lock().take_changed()).await },
                        );
                    // In the writer's queue before the call itself: what the call does is on disk no earlier.
                    let first = std::future::poll_fn(|cx| Poll::Ready(on_disk.as_mut().poll(cx))).await;
                    match first {
                        Poll::Pending => ticket.on_disk = Some((on_disk, memory.clone())),
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => {
                            memory.lock().keep_all();
                            return Err(Problem::of(&OVERLOADED));
                        }
                    }
                }
                Ok(decision)
            }
        }
    }
}

impl OfOperation {
    fn take(&mut self, rule: &LimitRule, name: &str, operation: &Operation, forgets: bool) {
        let limit = |per: &CountedBy| format!("{:?} {per:?}", (rule.is_named, &rule.operations));
        let otherwise = rule.otherwise.clone();
        match &rule.kind {
            Limited::Size(bytes) => {
                let bytes = usize::try_from(*bytes).unwrap_or(usize::MAX);
                // A line that names the operation goes before one for all; of equals the smaller.
                let is_named = rule.is_named;
                let goes_before = |own: &Size| match is_named == own.is_named {
                    true => bytes < own.bytes,
                    false => is_named,
                };
                if self.size.as_ref().is_none_or(goes_before) {
                    self.size = Some(Size { bytes, is_named, otherwise });
                }
            }
            Limited::InProgress { count, per } => {
                let by = By::new(limit(per), per, operation);
                self.by_input |= matches!(by.what, What::Slot(_));
                let policy = Policy { name: name.to_owned(), quota: *count, window: None, otherwise };
                self.in_progress.push(AtATime { policy, by });
            }
            Limited::Rate { count, window, burst, per, role } => {
                let role_name = role.as_deref().unwrap_or_default();
                let mut add = |count: u64, length: i64, name: String, what: &str| {
                    let by = By::new(format!("{} {what} {role_name}", limit(per)), per, operation);
                    self.by_input |= matches!(by.what, What::Slot(_));
                    self.rates.push(Rate {
                        policy: Policy {
                            name,
                            quota: count,
                            window: Some(length),
                            otherwise: otherwise.clone(),
                        },
                        window: Window { count, length },
                        by,
                        role: role.clone(),
                        kept: !(forgets && length <= SHORT),
                    });
                };
                add(*count, *window, name.to_owned(), &format!("in {window}"));
                if let Some(burst) = burst {
                    // B·W/N, rounded up: never more than is said.
                    let length = (i128::from(*burst) * i128::from(*window) + i128::from(*count) - 1)
                        / i128::from((*count).max(1));
                    let length = i64::try_from(length).unwrap_or(i64::MAX).max(1);
                    add(*burst, length, format!("{name}-burst"), "burst");
                }
            }
        }
    }
}

impl By {
    fn new(limit: String, per: &CountedBy, operation: &Operation) -> Self {
        let what = match per {
            CountedBy::Input(name) => {
                let at = operation.input.fields.iter().position(|field| field.name == *name);
                at.map_or(What::Counted(CountedBy::Everybody), |at| {
                    What::Slot(usize::from(slots::INPUT) + at)
                })
            }
            other => What::Counted(other.clone()),
        };
        Self { limit, what }
    }

    /// By what a request is counted.
    fn key(&self, limiter: &Limiter, asking: &Requested<'_>) -> Key {
        let of_caller = || match &asking.caller.id {
            Value::Absent | Value::Null => ("address", address(asking.peer)),
            id => ("caller", text(id)),
        };
        let (kind, value) = match &self.what {
            What::Slot(slot) => ("input", asking.slots.get(*slot).map_or_else(String::new, text)),
            What::Counted(CountedBy::Everybody | CountedBy::Input(_)) => ("all", String::new()),
            What::Counted(CountedBy::Caller) => of_caller(),
            What::Counted(CountedBy::Address) => ("address", address(asking.peer)),
            What::Counted(CountedBy::Claim(path)) => ("claim", claim(&asking.caller.claims, path)),
            // The key itself was checked before; its digest is all that is left of it.
            What::Counted(CountedBy::Key) => {
                match asking
                    .headers
                    .get(&limiter.key_header)
                    .filter(|_| !asking.headers.contains_key(AUTHORIZATION))
                {
                    Some(key) => ("key", String::from_utf8_lossy(key.as_bytes()).into_owned()),
                    None => of_caller(),
                }
            }
        };
        digest(&self.limit, kind, &value)
    }
}

fn digest(limit: &str, kind: &str, value: &str) -> Key {
    let mut hash = Sha256::new();
    for part in [limit, kind, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&whole[..16]);
    key
}

/// An address as it is counted: whoever has an IPv6 address has the 2^64 beside it as well.
fn address(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let pieces: Vec<String> = ip.segments()[..4].iter().map(|piece| format!("{piece:x}")).collect();
            pieces.join(":")
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Map(_) | Value::Absent | Value::Null => format!("{value:?}"),
        value => value.to_plain(),
    }
}

fn claim(claims: &Value, path: &[Arc<str>]) -> String {
    let mut value = claims;
    for name in path {
        let Value::Map(members) = value else { return String::new() };
        let member = members.iter().find(|(own, _)| matches!(own, Value::Text(own) if own == name));
        let Some((_, found)) = member else { return String::new() };
        value = found;
    }
    text(value)
}

/// What callers know the limits by: what is limited and by what it is counted, each name once.
fn policy_names(program: &Program) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for rule in &program.limits {
        let first = rule.operations.first().and_then(|at| program.operations.get(*at as usize));
        let what = match (rule.is_named, first) {
            (true, Some(operation)) => operation.name.to_string(),
            _ => "all".to_owned(),
        };
        let per = match &rule.kind {
            Limited::Rate { per, .. } | Limited::InProgress { per, .. } => match per {
                CountedBy::Everybody => "together".to_owned(),
                CountedBy::Caller => "caller".to_owned(),
                CountedBy::Key => "key".to_owned(),
                CountedBy::Address => "address".to_owned(),
                CountedBy::Claim(path) => path.join("."),
                CountedBy::Input(name) => name.to_string(),
            },
            Limited::Size(_) => "size".to_owned(),
        };
        let plain = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
        let mut name: String =
            format!("{what}-{per}").chars().map(|one| if plain(one) { one } else { '-' }).collect();
        let base = name.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{base}-{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}
