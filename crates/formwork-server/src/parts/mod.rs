//! Operations of several parts: runs one transaction after the other, and between two of them makes the request or
//! waits, as the engine says. What the store keeps goes on after a crash.
//!
//! Source: language reference, *What running means*, parts; docs/reference/parts.md.

mod breaker;
mod claims;
mod keyed;
mod reach;
mod releases;
mod secrets;
mod told;
mod upstreams;

pub(crate) use keyed::{Keyed, Renderer};
pub(crate) use reach::Reach;
pub(crate) use releases::{Revive, Revived};
pub use secrets::MissingSecrets;
pub(crate) use secrets::SecretValues;
pub(crate) use upstreams::{Connector, Upstreams, arrived, connector};

use crate::clock::Clock;
use crate::log;
use crate::metrics::Metrics;
use crate::once;
use crate::problems::Problem;
use crate::random::Seeds;
use crate::respond::Reply;
use formwork_engine::{
    Answer, Call, Ended, IdSource, KeptOperation, OperationId, Part, Pending, Refusal, Resume, StoreError,
    What, resume,
};
use formwork_language::program::{Code, Instruction, Program, slots};
use formwork_language::value::Row;
use formwork_store::{Holder, OnceEnded, Store};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// More parts than this have lost their way: a loop in a loop that commits in each round.
const MOST_PARTS: usize = 100_000;
/// More elements than this are left for the next time: rows that come while a loop goes through them.
const MOST_ELEMENTS: usize = 1_000_000;
/// How long a part is tried again while the store is away or has too much to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before the first such try; the next ones are twice as long each, up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Looks of a step that waits are at least this far apart, so that a busy store is not asked at every commit.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// … and at most this far, since another node may have written.
const LONGEST_LOOK: Duration = Duration::from_millis(500);
/// On the test clock, which stands still by itself, nothing is waited for longer than this on the machine's.
const LONGEST_TEST_WAIT: Duration = Duration::from_secs(1);

/// Runs operations of several parts.
pub(crate) struct Parts {
    /// What runs.
    pub(crate) program: Arc<Program>,
    /// What distinguishes the program and its document from others: an operation goes on under the one that began it.
    fingerprint: Arc<str>,
    store: Arc<Store>,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
    seeds: Arc<Seeds>,
    upstreams: Upstreams,
    /// Told of every commit; who waits is woken in the order of their waiting.
    commits: Arc<Notify>,
    ids: Mutex<IdSource>,
    under_way: Mutex<JoinSet<()>>,
    /// Operations that are under way in this process.
    running: Mutex<FxHashSet<OperationId>>,
    /// Jobs whose run an earlier process left, by index, while it goes on.
    left: Mutex<FxHashSet<u32>>,
    /// Operations that this process has said it cannot go on with.
    left_alone: Mutex<FxHashSet<OperationId>>,
    /// Keys under which something is under way in this process, and what was asked.
    keys: Mutex<FxHashMap<String, [u8; 32]>>,
    /// How long this process is waited for after its last sign of life, and when that time ends.
    lease: Duration,
    lease_until: Arc<Mutex<Option<Instant>>>,
    renderer: OnceLock<Renderer>,
    stopping: Arc<AtomicBool>,
    /// Makes what an earlier release needs to run.
    revive: Option<Revive>,
    releases: releases::Releases,
    /// In an earlier release, by its metrics: which one of the present release is meant.
    measured: Option<Vec<Option<u16>>>,
}

/// What [`Parts`] is put together from.
pub(crate) struct Needs {
    /// What runs.
    pub(crate) program: Arc<Program>,
    /// The document that it is made of.
    pub(crate) source: Arc<str>,
    /// Where.
    pub(crate) store: Arc<Store>,
    /// What time it is.
    pub(crate) clock: Arc<Clock>,
    /// What is measured.
    pub(crate) metrics: Arc<Metrics>,
    /// Seeds of calls.
    pub(crate) seeds: Arc<Seeds>,
    /// The other side.
    pub(crate) upstreams: Upstreams,
    /// Told of every commit; who waits is woken in the order of their waiting.
    pub(crate) commits: Arc<Notify>,
    /// How long this process is waited for after its last sign of life.
    pub(crate) lease: Duration,
    /// Makes what an earlier release needs to run.
    pub(crate) revive: Option<Revive>,
}

impl Parts {
    /// Ready to run.
    pub(crate) fn new(needs: Needs) -> Self {
        let Needs { program, source, store, clock, metrics, seeds, upstreams, commits, lease, revive } =
            needs;
        Self {
            fingerprint: fingerprint(&program, &source).into(),
            program,
            store,
            clock,
            metrics,
            seeds,
            upstreams,
            commits,
            ids: Mutex::default(),
            under_way: Mutex::default(),
            running: Mutex::default(),
            left: Mutex::default(),
            left_alone: Mutex::default(),
            keys: Mutex::default(),
            lease,
            lease_until: Arc::default(),
            renderer: OnceLock::new(),
            stopping: Arc::default(),
            revive,
            releases: releases::Releases::default(),
            measured: None,
        }
    }

    /// Those of an earlier release, beside these.
    fn beside(&self, revived: Revived, measured: Vec<Option<u16>>) -> Self {
        let Revived { program, source, upstreams, renderer } = revived;
        let needs = Needs {
            program,
            source,
            store: self.store.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            seeds: self.seeds.clone(),
            upstreams,
            commits: self.commits.clone(),
            lease: self.lease,
            revive: None,
        };
        let parts = Self {
            lease_until: Arc::clone(&self.lease_until),
            stopping: Arc::clone(&self.stopping),
            measured: Some(measured),
            ..Self::new(needs)
        };
        parts.render_with(renderer);
        parts
    }

    /// What the document's program is called in what is kept of it.
    pub(crate) fn release(&self) -> &str {
        &self.fingerprint
    }

    /// Counts and observes what steps have.
    fn measure(&self, ended: &mut Ended) {
        let (mut counts, mut observations) =
            (std::mem::take(&mut ended.counts), std::mem::take(&mut ended.observations));
        if let Some(measured) = &self.measured {
            let present = |(at, value): (u16, f64)| Some(((*measured.get(usize::from(at))?)?, value));
            counts = counts.into_iter().filter_map(present).collect();
            observations = observations.into_iter().filter_map(present).collect();
        }
        self.metrics.steps(&counts, &observations);
    }

    /// Runs a call to its end. One with several parts goes on though nobody waits for it any more.
    pub(crate) async fn run(self: &Arc<Self>, call: Call) -> Ended {
        if !self.has_parts(call.what) {
            return self.store.run(call).await;
        }
        let own = Arc::clone(self);
        let (reply, ended) = oneshot::channel();
        self.spawn(async move {
            // Who has hung up no longer waits.
            let _ = reply.send(own.to_the_end(call, None).await);
        });
        match ended.await {
            Ok(OnceEnded::Ran(ended, _)) => ended,
            _ => Ended::refused(Refusal::Unavailable),
        }
    }

    /// The same for a call that is carried out once. A repeat goes on where the operation was left, and waits for one
    /// that is under way.
    pub(crate) async fn run_once(self: &Arc<Self>, call: Call, keyed: Keyed) -> OnceEnded {
        if !self.has_parts(call.what) {
            return self.store.run_once(call, keyed.once()).await;
        }
        let own = Arc::clone(self);
        let (reply, ended) = oneshot::channel();
        self.spawn(async move {
            // Who has hung up no longer waits.
            let _ = reply.send(own.under_key(call, &keyed).await);
        });
        ended.await.unwrap_or_else(|_| OnceEnded::Ran(Ended::refused(Refusal::Unavailable), None))
    }

    /// Goes on with a job whose first part has ended.
    pub(crate) async fn go_on(&self, what: What, part: Part, resume: Box<Resume>) -> Ended {
        let part = Part { resume: Some(resume), ..part };
        match self.to_the_end(self.call(what, part), None).await {
            OnceEnded::Ran(ended, _) => ended,
            _ => Ended::refused(Refusal::Unavailable),
        }
    }

    /// Says how an answer that is kept under a key leaves, for operations that go on without their caller.
    pub(crate) fn render_with(&self, renderer: Renderer) {
        // It is said once, at the start.
        let _ = self.renderer.set(renderer);
    }

    /// Whether it runs in several transactions.
    pub(crate) fn has_parts(&self, what: What) -> bool {
        self.code(what).is_some_and(Code::has_parts)
    }

    /// Whether no further part is begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Carries on beside the server's own tasks, until the server has stopped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut under_way = self.under_way.lock();
        while under_way.try_join_next().is_some() {}
        under_way.spawn(crate::edge::carried(task));
    }

    /// Whether a run of a job goes on that an earlier process left.
    pub(crate) fn goes_on(&self, job: usize) -> bool {
        let name = || self.program.jobs.get(job).map_or("", |job| &job.name);
        u32::try_from(job).is_ok_and(|job| self.left.lock().contains(&job)) || self.goes_on_earlier(name())
    }

    /// Under which key an operation is carried out that an earlier process left.
    pub(super) fn keyed(&self, kept: &KeptOperation, call: &Call) -> Option<Keyed> {
        let key = Keyed::read(kept.once.as_deref()?)?;
        let renderer = Arc::clone(self.renderer.get()?);
        let resume = call.part.as_ref().and_then(|part| part.resume.as_ref());
        let caller = resume.and_then(|it| it.slots.get(usize::from(slots::CALLER_ID)).cloned());
        let (caller, index) = (caller.unwrap_or_default(), kept.index as usize);
        let render = Arc::new(move |answer: &Answer, rows: &[Row]| renderer(index, &caller, answer, rows));
        Some(Keyed { key, render })
    }

    pub(super) fn taken_up(&self, kept: &KeptOperation) -> Result<Call, &'static str> {
        let resume = resume::decode(&kept.state).map_err(|_| "its state cannot be read")?;
        let resume = Resume { step: kept.step, ..resume };
        let part = Part {
            operation: kept.id,
            program: Arc::clone(&self.fingerprint),
            started: kept.started,
            once: kept.once.clone(),
            key: kept.key.clone(),
            resume: Some(Box::new(resume)),
        };
        Ok(self.call(releases::what(kept.job, kept.index), part))
    }

    /// Begins no further part; what the store keeps goes on at the next start.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Waits for the parts under way, no longer than this.
    pub(crate) async fn drain(&self, within: Duration) {
        let mut under_way = std::mem::take(&mut *self.under_way.lock());
        let all = async { while under_way.join_next().await.is_some() {} };
        // What is not through by then goes on at the next start.
        let _ = tokio::time::timeout(within, all).await;
    }

    /// Ends everything at once, as a killed process does.
    pub(crate) fn abort(&self) {
        self.under_way.lock().abort_all();
    }

    fn code(&self, what: What) -> Option<&Code> {
        match what {
            What::Operation(index) => self.program.operations.get(index as usize).map(|it| &it.code),
            What::Job(index) => self.program.jobs.get(index as usize).map(|it| &it.code),
            What::Handler { handler, .. } => self.program.handlers.get(handler as usize).map(|it| &it.code),
            _ => None,
        }
    }

    /// The first part of a call, with an id of its own.
    pub(crate) fn first(&self, call: Call) -> Call {
        if call.part.is_some() || !self.code(call.what).is_some_and(Code::has_parts) {
            return call;
        }
        let random = u64::from_le_bytes(call.seed[..8].try_into().unwrap_or_default());
        let operation = self.ids.lock().next(call.now, random);
        let program = Arc::clone(&self.fingerprint);
        let part = Part { operation, program, started: call.now, once: None, key: None, resume: None };
        Call { part: Some(Box::new(part)), ..call }
    }

    fn call(&self, what: What, part: Part) -> Call {
        let (now, seed) = (self.clock.now(), self.seeds.next());
        Call { what, slots: Vec::new(), now, seed, precondition: None, part: Some(Box::new(part)) }
    }

    async fn to_the_end(&self, call: Call, keyed: Option<&Keyed>) -> OnceEnded {
        let mut call = self.first(call);
        let Some(part) = call.part.clone() else {
            return OnceEnded::Ran(self.store.run(call).await, None);
        };
        // Whoever has claimed it has noted it already.
        let _under_way = self.enter(part.operation);
        let left = || OnceEnded::Ran(Ended::refused(Refusal::Unavailable), None);
        let (mut parts, mut elements) = (0, 0);
        // What was left begins between two parts.
        if let Some(resume) = call.part.as_mut().and_then(|part| part.resume.take()) {
            call = self.next(call.what, &part, *resume).await;
        }
        loop {
            let before = kept_step(&call);
            let (mut ended, answer) = match self.patiently(&call, before.is_some(), keyed).await {
                OnceEnded::Ran(ended, answer) => (ended, answer),
                replayed => return replayed,
            };
            self.measure(&mut ended);
            if matches!(ended.result, Err(Refusal::MovedOn)) {
                let Some(resume) = self.committed_unseen(part.operation, before).await else {
                    return OnceEnded::Ran(ended, None);
                };
                call = self.next(call.what, &part, resume).await;
                continue;
            }
            if let Some(part) = self.passed_over(&call, &ended) {
                call = self.call(call.what, part);
                continue;
            }
            let Some(resume) = ended.resume.take() else {
                if let (Some(step), Err(_)) = (before, &ended.result) {
                    self.give_up((part.operation, step), &ended, keyed).await;
                }
                return OnceEnded::Ran(ended, answer);
            };
            match resume.pending {
                Pending::Wait { .. } => {}
                // An element is an operation of its own.
                Pending::Element => (parts, elements) = (0, elements + 1),
                _ => parts += 1,
            }
            if parts > MOST_PARTS || elements > MOST_ELEMENTS {
                let ended = Ended::refused(Refusal::TooMuchWork);
                if resume.kept {
                    self.give_up((part.operation, resume.step), &ended, keyed).await;
                }
                return OnceEnded::Ran(ended, None);
            }
            // What the store keeps goes on at the next start, or where the lease is.
            if resume.kept && (self.stopping.load(Ordering::Relaxed) || !self.holds_lease()) {
                return left();
            }
            call = self.next(call.what, &part, *resume).await;
        }
    }

    /// What goes on behind an element that has failed: with its part undone, the next one begins.
    fn passed_over(&self, call: &Call, ended: &Ended) -> Option<Part> {
        let Err(refusal) = &ended.result else { return None };
        // The element has not failed when the store is away, or another node carries it out.
        let goes_on = matches!(
            refusal,
            Refusal::Unavailable | Refusal::Overloaded | Refusal::Unsure | Refusal::MovedOn
        );
        if goes_on {
            return None;
        }
        let part = call.part.as_deref()?;
        let resume = part.resume.as_deref()?;
        let head = self.code(call.what)?.element_around(resume.at)?;
        let cause = refusal.without_values(&self.program.schema);
        log::fault("element_failed", "", self.name(call.what), &cause);
        self.metrics.standing_failed();
        let next = Resume { at: head, after: None, pending: Pending::Commit, ..resume.clone() };
        Some(Part { resume: Some(Box::new(next)), ..part.clone() })
    }

    fn name(&self, what: What) -> &str {
        match what {
            What::Operation(index) => self.program.operations.get(index as usize).map(|it| &it.name),
            What::Job(index) => self.program.jobs.get(index as usize).map(|it| &it.name),
            What::Handler { handler, .. } => self.program.handlers.get(handler as usize).map(|it| &it.name),
            _ => None,
        }
        .map_or("", |name| name)
    }

    /// Where an operation goes on whose last part was committed by this process, though nobody said so; nothing when
    /// somebody else has carried it on, or it has ended.
    async fn committed_unseen(&self, operation: OperationId, before: Option<u64>) -> Option<Resume> {
        let found = self.look(move |store| store.unfinished_operation(operation)).await.ok()??;
        if found.holder != Holder::Own || Some(found.step) <= before {
            return None;
        }
        let kept = self.store.claim_operation(operation, found.step).await.ok()??;
        let resume = resume::decode(&kept.state).ok()?;
        Some(Resume { step: kept.step, ..resume })
    }

    /// Runs a part; one that can be told from its repeat is tried again while the store is away.
    async fn patiently(&self, call: &Call, kept: bool, keyed: Option<&Keyed>) -> OnceEnded {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let ended = match keyed {
                Some(keyed) => self.store.run_once(call.clone(), keyed.once()).await,
                None => OnceEnded::Ran(self.store.run(call.clone()).await, None),
            };
            let OnceEnded::Ran(Ended { result, .. }, _) = &ended else { return ended };
            let again = match result {
                Err(Refusal::Unavailable | Refusal::Overloaded) => kept,
                Err(Refusal::Unsure) => kept || keyed.is_some(),
                _ => false,
            };
            let over = began.elapsed() > PATIENCE || self.stopping.load(Ordering::Relaxed);
            if !again || over {
                return ended;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// A refusal ends an operation, and under a key it is what a repeat is answered. After 502, 503 and 504 it rests
    /// until a repeat goes on at the part that failed; while the store is away it is taken up when that is back.
    async fn give_up(&self, at: (OperationId, u64), ended: &Ended, keyed: Option<&Keyed>) {
        let Err(refusal) = &ended.result else { return };
        if matches!(refusal, Refusal::Unavailable | Refusal::Overloaded | Refusal::Unsure) {
            return;
        }
        let problem = Problem::refused(refusal.clone(), &ended.rows, &self.program.schema);
        let done = match keyed {
            Some(keyed) if matches!(problem.status.as_u16(), 502..=504) => {
                self.store.rest_operation(at, keyed.key.until).await
            }
            _ => {
                let answered = keyed.map(|it| (it.key.clone(), once::kept(&Reply::problem(&problem, ""))));
                self.store.end_operation(at, answered, self.clock.now()).await
            }
        };
        match done {
            // Somebody else has carried it on.
            Ok(()) | Err(StoreError::MovedOn) => {}
            Err(error) => log::fault("operation_not_forgotten", "", "", &error.to_string()),
        }
    }

    /// Does what stands between two parts, and gives the next one.
    pub(crate) async fn next(&self, what: What, part: &Part, mut resume: Resume) -> Call {
        resume.pending = match resume.pending {
            Pending::Call(outgoing) => {
                let call = match self.code(what).and_then(|code| code.instructions.get(resume.at as usize)) {
                    Some(Instruction::Call(call)) => Some(&**call),
                    _ => None,
                };
                let now = self.clock.now();
                let secret = call.map(|call| call.secret_headers.as_slice()).unwrap_or_default();
                let arrived =
                    self.upstreams.send(&outgoing, secret, (&resume.slots, &resume.rows), now).await;
                Pending::Arrived(Box::new(arrived))
            }
            Pending::Wait { until } => Pending::Wait { until: self.wait(until).await },
            other => other,
        };
        let part = Part { resume: Some(Box::new(resume)), ..part.clone() };
        self.call(what, part)
    }

    /// Waits until something may have been written, or the time is up. Gives until when to wait; the present when
    /// there is nothing more to wait for.
    async fn wait(&self, until: i64) -> i64 {
        let began = Instant::now();
        let commit = self.commits.notified();
        tokio::pin!(commit);
        // From here on a commit is noticed, also one during the pause.
        commit.as_mut().enable();
        let left = Duration::from_micros(u64::try_from(until - self.clock.now()).unwrap_or_default());
        let look = if self.clock.is_test() { LONGEST_TEST_WAIT } else { LONGEST_LOOK.min(left) };
        tokio::time::sleep(BETWEEN_LOOKS).await;
        tokio::select! {
            biased;
            () = commit => {}
            () = tokio::time::sleep(look.saturating_sub(BETWEEN_LOOKS)) => {}
        }
        let over = self.clock.is_test() && began.elapsed() >= LONGEST_TEST_WAIT;
        if over || self.stopping.load(Ordering::Relaxed) { self.clock.now() } else { until }
    }
}

/// The step of the state that a part goes on from, when the store keeps it.
fn kept_step(call: &Call) -> Option<u64> {
    let resume = call.part.as_ref()?.resume.as_ref()?;
    resume.kept.then_some(resume.step)
}

/// What distinguishes a release: the document, and its instructions, statements and tables as this version of Formwork
/// understands it.
fn fingerprint(program: &Program, source: &str) -> String {
    let operations = program.operations.iter().map(|it| format!("{:?}{:?}", it.input, it.code.instructions));
    let jobs = program.jobs.iter().map(|job| format!("{:?}", job.code.instructions));
    let handlers = program.handlers.iter().map(|handler| format!("{:?}", handler.code.instructions));
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(source));
    for text in operations.chain(jobs).chain(handlers) {
        hash.update(text.as_bytes());
    }
    for statement in &program.statements {
        hash.update(format!("{statement:?}").as_bytes());
    }
    for entity in &program.schema.entities {
        hash.update(entity.name.as_bytes());
        for field in &entity.fields {
            hash.update(format!("{}{:?}{}", field.name, field.ty, field.optional).as_bytes());
        }
    }
    crate::random::hexadecimal(&hash.finalize()[..16])
}
