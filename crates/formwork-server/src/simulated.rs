//! A server in a simulated world: the same routes, parts, jobs and deliveries, without sockets, threads or chance.
//!
//! Requests are handed over as values, external components are played by [`Partners`], the store's writer works when
//! the world's [`Driver`] says so, and the clock is that of a runtime whose time is paused. With one seed on one thread,
//! whatever happens happens again. Source: docs/reference/simulation.md.

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::keys::{self, KeyCommand, KeyError, KeyOutcome, NewKey};
use crate::parts::arrived;
use crate::serve::{Entrance, serve};
use crate::shared::Shared;
use crate::start::{Running, StartError, start_in};
use crate::{log, random};
use bytes::Bytes;
use formwork_check::Analysis;
use formwork_engine::{Answer, Arrived, Body, Call, Seed, What};
use formwork_language::program::{EntityId, Surface};
use formwork_language::value::Value;
use formwork_store::{Driver, Store, Waiting};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call may work: what a simulation finds must not depend on the machine's speed.
pub(crate) const WORK: Duration = Duration::from_secs(60);

/// What surrounds the servers of a simulation.
#[derive(Clone)]
pub struct World {
    /// Says when the writer works and what becomes of it.
    pub driver: Arc<dyn Driver>,
    /// Play the external components.
    pub partners: Arc<dyn Partners>,
    /// What the clock showed at `origin`, in microseconds since the epoch.
    pub start: i64,
    /// When the world began, on the runtime's paused time.
    pub origin: Instant,
}

impl World {
    /// Its clock, as a server reads it.
    pub(crate) fn clock(&self) -> Clock {
        Clock::Simulated { start: self.start, origin: self.origin }
    }
}

/// Play the external components of a document.
pub trait Partners: Send + Sync {
    /// Answers a request to a component, or not.
    fn answer(
        &self,
        component: &str,
        request: Request<Bytes>,
    ) -> Waiting<Result<Response<Bytes>, Unanswered>>;
}

/// Why a partner did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It was not reached.
    NotReached,
    /// The answer was lost; it may have done what it was asked for.
    Lost,
}

/// Asks a partner, as the client of external components would.
pub(crate) async fn played(
    partners: &dyn Partners,
    component: &str,
    request: Request<Full<Bytes>>,
    waiting: Duration,
) -> (Arrived, Option<String>) {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let answer = partners.answer(component, Request::from_parts(head, body));
    let response = match tokio::time::timeout(waiting, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(Unanswered::NotReached)) => return (Arrived::NotSent, Some("not reached".to_owned())),
        Ok(Err(Unanswered::Lost)) => return (Arrived::Unknown, Some("the answer was lost".to_owned())),
        Err(_) => return (Arrived::Unknown, Some(format!("no answer within {} ms", waiting.as_millis()))),
    };
    let (head, body) = response.into_parts();
    arrived(&head, &body)
}

/// From now on this thread's servers have their randomness from a seed, and say what operators must know to `log`.
pub fn seed_this_thread(seed: Seed, log: impl Fn(&str) + 'static) {
    random::seed_this_thread(Some(seed));
    log::redirect_this_thread(Some(Box::new(log)));
}

/// From now on they have both from the system again.
pub fn release_this_thread() {
    random::seed_this_thread(None);
    log::redirect_this_thread(None);
}

/// A server in a world. Dropped it stops at once, like a killed process.
pub struct Node {
    running: Running,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    /// Starts a server of a document on a data folder: as `run` does, with `take_up` of what was left.
    pub async fn start(config: Config, analysis: &Analysis, world: &World) -> Result<Self, StartError> {
        // How long a request takes in a world's time is what its plan makes it.
        let limits = Limits { request: Duration::from_secs(u64::from(u32::MAX)), ..Limits::default() };
        let running = start_in(config, limits, analysis, Some(world)).await?;
        Ok(Self { running })
    }

    /// Its first keys: one per role, made on empty data.
    pub fn first_keys(&self) -> &[crate::FirstKey] {
        self.running.first_keys()
    }

    /// Makes a further key, for after the next start.
    pub async fn add_key(&self, key: NewKey) -> Result<String, KeyError> {
        let shared = &self.running.shared;
        match keys::carry_out(&shared.store, &KeyCommand::Create(key), shared.clock.now()).await? {
            KeyOutcome::Created { key, .. } => Ok(key),
            _ => Err(KeyError::Data("no key was made".into())),
        }
    }

    /// Puts rows in place, all or none, with all rules of the document; each has the values of its fields in order, and
    /// an absent one is not given. Gives why not.
    pub async fn put_rows(&self, entity: EntityId, rows: Vec<Vec<Value>>) -> Result<(), String> {
        let shared = &self.running.shared;
        let rows = rows.into_iter().map(|row| Value::List(row.into())).collect();
        self.run(What::Rows(entity), vec![Value::List(rows)], shared).await.map(|_| ())
    }

    /// What of the document's invariants does not hold, as the engine finds it over all rows.
    pub async fn broken_invariants(&self) -> Result<Vec<String>, String> {
        let answer = self.run(What::Invariants, Vec::new(), &self.running.shared).await?;
        Ok(match answer.body {
            Body::Value(Value::List(broken)) => broken.iter().map(Value::to_plain).collect(),
            _ => Vec::new(),
        })
    }

    async fn run(&self, what: What, slots: Vec<Value>, shared: &Shared) -> Result<Answer, String> {
        let (now, seed) = (shared.clock.now(), shared.seeds.next());
        let call = Call { what, slots, now, seed, precondition: None, part: None };
        shared.store.run(call).await.result.map_err(|refusal| format!("{refusal:?}"))
    }

    /// A way to it that does not keep it alive.
    pub fn door(&self) -> Door {
        Door(Arc::downgrade(&self.running.shared))
    }

    /// Its store.
    pub fn store(&self) -> &Arc<Store> {
        &self.running.shared.store
    }

    /// Stops as a process does that is told to.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }

    /// Ends as a killed process does, and waits until nothing of it is left, so that another may open the folder.
    pub async fn crash(self) {
        let left: Weak<Store> = Arc::downgrade(&self.running.shared.store);
        drop(self);
        while left.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A way to a server.
#[derive(Clone)]
pub struct Door(Weak<Shared>);

impl std::fmt::Debug for Door {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Door {
    /// Hands over a request, and gives its answer; nothing when the server is gone. Who waits for an answer must be
    /// dropped with the server, or the server does not end.
    pub async fn request(&self, surface: Surface, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let shared = self.0.upgrade()?;
        let entrance = Entrance { surface, loopback: true, peer: ([127, 0, 0, 1], 1).into() };
        let answer = serve(shared, entrance, request.map(Full::new)).await;
        let (head, body) = answer.into_parts();
        Some(Response::from_parts(head, body.bytes().clone()))
    }
}
