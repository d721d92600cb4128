//! The one thread that writes: takes calls, runs each in a savepoint, commits a group with one flush, and only then
//! answers, a refusal as well, since it may rest on a neighbour's row.
//!
//! It also owns the checkpoints: automatic ones would run inside a commit, and none at all would let the log grow
//! without end. Figures: `bench/baseline`, from which the sizes are taken.

use super::connection::{Deadline, Statements, make_durable, open_writer};
use super::dialect::Sqlite;
use super::driven::Driven;
use super::errors::Keys;
use super::inspector::Tables;
use super::migrate::{bring_up, not_open};
use super::system::OnSqlite;
use super::transaction::{Shared, SqliteTransaction};
use crate::commits::{Commits, Touched};
use crate::driver::{Fate, Worked, WorkedOutcome};
use crate::error::OpenError;
use crate::folder::{lock_folder, variables_key};
use crate::once::{Once, OnceEnded};
use crate::options::Options;
use crate::releases::Releases;
use crate::statements::Compiled;
use crate::system::{
    Kept, NextRun, SystemConnection, Told, keep_answer, kept_answer, set_next_run, settle_delivery,
};
use crate::vault::Vault;
use formwork_engine::{Call, Ended, IdSource, OperationId, Refusal, StoreError, What, run};
use formwork_language::program::Program;
use rusqlite::Connection;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A group ends at this many calls …
const GROUP_MAX: usize = 256;
/// … or after this much work.
const GROUP_TIME: Duration = Duration::from_millis(5);
/// Pages of the log from which a pause is used to move them into the database: 16 MiB.
const CHECKPOINT_WHEN_IDLE: u32 = 4096;
/// A pause is this long without a call: shorter ones come between the groups of any load.
const IDLE_AFTER: Duration = Duration::from_millis(50);
/// Pages at which the log is moved however busy the writer is: 128 MiB.
const CHECKPOINT_ALWAYS: u32 = 32_768;
/// Pages at which the writer waits for readers, so that the log starts anew: 256 MiB.
const CHECKPOINT_WAITING: u32 = 65_536;
/// How long calls are refused before a connection that was lost is opened again.
const REOPEN_AFTER: Duration = Duration::from_millis(100);

/// What the process of a file is called, which has no other one: it is heir to whatever was begun.
const ONLY_NODE: &str = "file";

/// Something of the store's own that is written beside the calls.
pub(crate) type SystemWrite =
    Box<dyn Fn(&mut dyn SystemConnection) -> Result<bool, StoreError> + Send + Sync>;

pub(super) enum Message {
    Run { call: Box<Call>, next: Option<NextRun>, reply: oneshot::Sender<Ended> },
    Deliver { call: Box<Call>, told: Told, reply: oneshot::Sender<Ended> },
    Once { call: Box<Call>, once: Box<Once>, reply: oneshot::Sender<OnceEnded> },
    System { write: SystemWrite, reply: oneshot::Sender<Result<bool, StoreError>> },
    Close(oneshot::Sender<()>),
}

/// An answer that waits for the flush.
pub(super) enum Owed {
    Call(oneshot::Sender<Ended>, Ended),
    Once(oneshot::Sender<OnceEnded>, OnceEnded),
    System(oneshot::Sender<Result<bool, StoreError>>, Result<bool, StoreError>),
}

/// The way to the writing thread.
pub(crate) struct Writer {
    sender: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    driven: Option<Arc<Driven>>,
}

/// Opens the database and starts the writer.
pub(crate) fn open(options: &Options, program: Arc<Program>) -> Result<(Writer, Arc<Shared>), OpenError> {
    let lock = lock_folder(&options.path)?;
    let failed = |error: rusqlite::Error| not_open(&options.path, &error);
    let other = |cause: String| OpenError::Other { path: options.path.clone(), cause };
    let (mut connection, deadline) = open_writer(options).map_err(failed)?;
    bring_up(&mut connection, &options.path, &program)?;
    make_durable(&connection, options).map_err(failed)?;
    let compiled = Compiled::new(&Sqlite, &program).map_err(other)?;
    for prepared in compiled.all() {
        // What SQLite does not take must show at the start and not at the first request.
        connection.prepare(&prepared.sql).map_err(|error| other(format!("{error}: {}", prepared.sql)))?;
    }
    let key = match options.variables_key {
        None if program.has_parts() => Some(variables_key(&options.path)?),
        key => key,
    };
    let shared = Arc::new(Shared {
        node: ONLY_NODE.to_owned(),
        keys: Keys::new(&program.schema),
        vault: Arc::new(Vault::new(key)),
        releases: Releases::default(),
        commits: Arc::new(Commits::new(&program, false)),
        compiled,
        program,
    });
    let (sender, messages) = sync_channel(options.queue.max(1));
    let for_thread = (Arc::clone(&shared), options.clone());
    if options.driver.is_some() {
        let writing =
            Writing { shared: Arc::clone(&shared), options: options.clone(), messages, _lock: lock };
        let driven = Some(Arc::new(Driven::new(writing, connection, deadline)));
        return Ok((Writer { sender: Some(sender), thread: None, driven }, shared));
    }
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || {
            let (shared, options) = for_thread;
            let writing = Writing { shared, options, messages, _lock: lock };
            writing.until_closed(connection, deadline);
        })
        .map_err(|error| other(error.to_string()))?;
    Ok((Writer { sender: Some(sender), thread: Some(thread), driven: None }, shared))
}

impl Writer {
    /// Runs a call; ends as overloaded at once when the queue is full.
    pub(crate) async fn run(&self, call: Call, next: Option<NextRun>) -> Ended {
        let (reply, ended) = oneshot::channel();
        match self.send(Message::Run { call: Box::new(call), next, reply }) {
            Ok(()) => {
                let ended = ended.await.unwrap_or_else(|_| Ended::refused(Refusal::Unavailable));
                self.way_back().await;
                ended
            }
            Err(full) => Ended::refused(if full { Refusal::Overloaded } else { Refusal::Unavailable }),
        }
    }

    /// Runs a handler for what it is told.
    pub(crate) async fn deliver(&self, call: Call, told: Told) -> Ended {
        let (reply, ended) = oneshot::channel();
        match self.send(Message::Deliver { call: Box::new(call), told, reply }) {
            Ok(()) => {
                let ended = ended.await.unwrap_or_else(|_| Ended::refused(Refusal::Unavailable));
                self.way_back().await;
                ended
            }
            Err(full) => Ended::refused(if full { Refusal::Overloaded } else { Refusal::Unavailable }),
        }
    }

    /// Runs a call that is carried out once.
    pub(crate) async fn once(&self, call: Call, once: Once) -> OnceEnded {
        let (reply, ended) = oneshot::channel();
        match self.send(Message::Once { call: Box::new(call), once: Box::new(once), reply }) {
            Ok(()) => {
                let ended = ended.await.unwrap_or_else(|_| OnceEnded::refused(Refusal::Unavailable));
                self.way_back().await;
                ended
            }
            Err(full) => OnceEnded::refused(if full { Refusal::Overloaded } else { Refusal::Unavailable }),
        }
    }

    /// Writes something of the store's own, durably.
    pub(crate) async fn system(&self, write: SystemWrite) -> Result<bool, StoreError> {
        let (reply, done) = oneshot::channel();
        let closed = || StoreError::Unavailable("the store is closed".into());
        match self.send(Message::System { write, reply }) {
            Ok(()) => {
                let done = done.await.unwrap_or_else(|_| Err(closed()));
                self.way_back().await;
                done
            }
            Err(true) => Err(StoreError::Unavailable("the queue is full".into())),
            Err(false) => Err(closed()),
        }
    }

    /// Waits for all that is queued, and ends the thread.
    pub(crate) async fn close(&self) {
        if let Some(driven) = &self.driven {
            return driven.close();
        }
        let (reply, done) = oneshot::channel();
        let mut message = Message::Close(reply);
        while let Some(sender) = &self.sender {
            match sender.try_send(message) {
                Ok(()) => {
                    // An error says that the thread is gone, which is what is wanted.
                    let _ = done.await;
                    return;
                }
                Err(TrySendError::Full(again)) => {
                    message = again;
                    tokio::task::yield_now().await;
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }

    /// The error says whether the queue was full.
    fn send(&self, message: Message) -> Result<(), bool> {
        let sender = self.sender.as_ref().ok_or(false)?;
        sender.try_send(message).map_err(|error| matches!(error, TrySendError::Full(_)))?;
        if let Some(driven) = &self.driven {
            driven.begin();
        }
        Ok(())
    }

    /// In a simulation an answer takes its time.
    async fn way_back(&self) {
        if let Some(driven) = &self.driven {
            driven.way_back().await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when nobody can send any more, and then the lock of the folder goes too.
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How a connection's time ended.
enum Left {
    Closed(Option<oneshot::Sender<()>>),
    Lost,
}

pub(super) struct Writing {
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
    pub(super) messages: Receiver<Message>,
    _lock: File,
}

impl Writing {
    fn until_closed(self, connection: Connection, deadline: Arc<Deadline>) {
        let mut open = Some((connection, deadline));
        let mut ids = IdSource::new();
        loop {
            let left = match open.take() {
                Some((connection, deadline)) => {
                    let left = self.on_connection(connection, &deadline, &mut ids);
                    open = None;
                    left
                }
                None => match self.refuse_for_a_while() {
                    Some(left) => left,
                    None => {
                        let reopened = open_writer(&self.options).and_then(|(connection, deadline)| {
                            make_durable(&connection, &self.options).map(|()| (connection, deadline))
                        });
                        open = reopened.ok();
                        continue;
                    }
                },
            };
            if let Left::Closed(reply) = left {
                // Before the answer: who waits for it may open the folder again.
                drop(self);
                if let Some(reply) = reply {
                    let _ = reply.send(());
                }
                return;
            }
        }
    }

    /// Works on one connection until it is lost or the store is closed.
    fn on_connection(&self, mut connection: Connection, deadline: &Deadline, ids: &mut IdSource) -> Left {
        let log_pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&log_pages);
        // A hook of one's own replaces the automatic checkpoint.
        let hooked =
            connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
                seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }));
        if hooked.is_err() {
            return Left::Lost;
        }
        let mut group = Group {
            connection: &connection,
            statements: Statements::held(self.statements()),
            writing: self,
            deadline,
            ids,
            owed: Vec::with_capacity(GROUP_MAX),
            fate: Fate::Commits,
            tables: None,
            touched: Touched::default(),
        };
        let left = loop {
            match self.next(&connection, &log_pages) {
                None => break Left::Closed(None),
                Some(Message::Close(reply)) => break Left::Closed(Some(reply)),
                Some(first) => {
                    let (closing, alive) = group.run(first);
                    if let Some(reply) = closing {
                        break Left::Closed(Some(reply));
                    }
                    if !alive {
                        break Left::Lost;
                    }
                }
            }
            if log_pages.load(Ordering::Relaxed) >= CHECKPOINT_ALWAYS {
                checkpoint(&connection, &log_pages);
            }
        };
        drop(group);
        if matches!(left, Left::Closed(_)) {
            // What stays in the log is no loss: it is read at the next start.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        left
    }

    /// How many statements a connection has prepared: the program's and those around a call.
    pub(super) fn statements(&self) -> usize {
        self.shared.compiled.emit + 1 + Fixed::COUNT
    }

    /// Waits for the next message, and uses a pause for the checkpoint; nothing when none will come.
    fn next(&self, connection: &Connection, log_pages: &AtomicU32) -> Option<Message> {
        if log_pages.load(Ordering::Relaxed) >= CHECKPOINT_WHEN_IDLE {
            match self.messages.recv_timeout(IDLE_AFTER) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => checkpoint(connection, log_pages),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.messages.recv().ok()
    }

    /// Without a connection every call is refused; gives something only when the store is closed.
    fn refuse_for_a_while(&self) -> Option<Left> {
        let until = Instant::now() + REOPEN_AFTER;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(rest) {
                Ok(Message::Run { reply, .. } | Message::Deliver { reply, .. }) => {
                    let _ = reply.send(Ended::refused(Refusal::Unavailable));
                }
                Ok(Message::Once { reply, .. }) => {
                    let _ = reply.send(OnceEnded::refused(Refusal::Unavailable));
                }
                Ok(Message::System { reply, .. }) => {
                    let _ = reply.send(Err(StoreError::Unavailable("the database is away".into())));
                }
                Ok(Message::Close(reply)) => return Some(Left::Closed(Some(reply))),
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => return Some(Left::Closed(None)),
            }
        }
    }
}

/// Moves the log into the database. When it fails the log stays as it is, and the next commit tells its length.
fn checkpoint(connection: &Connection, log_pages: &AtomicU32) {
    let mode = match log_pages.load(Ordering::Relaxed) {
        CHECKPOINT_WAITING.. => "PRAGMA wal_checkpoint(RESTART)",
        _ => "PRAGMA wal_checkpoint(PASSIVE)",
    };
    // Forgotten until the next commit tells the length again: a reader may have kept the log from starting anew.
    if connection.query_row(mode, [], |_| Ok(())).is_ok() {
        log_pages.store(0, Ordering::Relaxed);
    }
}

/// The statements around a call, behind those of the program.
#[derive(Clone, Copy)]
enum Fixed {
    Begin,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
}

impl Fixed {
    const COUNT: usize = 6;

    const fn sql(self) -> &'static str {
        match self {
            Self::Begin => "BEGIN IMMEDIATE",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
            Self::Savepoint => "SAVEPOINT call",
            Self::Release => "RELEASE call",
            Self::RollbackTo => "ROLLBACK TO call",
        }
    }
}

pub(super) struct Group<'w, 'c> {
    pub(super) connection: &'c Connection,
    pub(super) statements: Statements<'c>,
    pub(super) writing: &'w Writing,
    pub(super) deadline: &'w Deadline,
    pub(super) ids: &'w mut IdSource,
    pub(super) owed: Vec<Owed>,
    /// What becomes of it in a simulation.
    pub(super) fate: Fate,
    /// How a simulation is shown the rows.
    pub(super) tables: Option<&'w Tables>,
    /// What its calls have touched, for caches.
    pub(super) touched: Touched,
}

impl Group<'_, '_> {
    /// Runs the first message and those that wait behind it, flushes, and answers. Gives who waits for the store to
    /// close, and whether the connection can go on.
    pub(super) fn run(&mut self, first: Message) -> (Option<oneshot::Sender<()>>, bool) {
        let began = self.fixed(Fixed::Begin);
        let started = Instant::now();
        let (mut next, mut closing) = (Some(first), None);
        // A fault that ended the whole transaction took the neighbours' rows with it.
        let mut whole = began;
        while let Some(message) = next {
            match message {
                Message::Run { call, next, reply } => {
                    let (what, operation) = (call.what, self.operation(&call));
                    let ended = if whole { self.call(*call, next) } else { None };
                    whole &= ended.is_some();
                    let ended = ended.unwrap_or_else(|| Ended::refused(Refusal::Unavailable));
                    self.note(Some(what), operation, (None, None), outcome(&ended));
                    self.owed.push(Owed::Call(reply, ended));
                }
                Message::Deliver { call, told, reply } => {
                    let (what, operation, sequence) = (call.what, self.operation(&call), told.sequence);
                    let ended = if whole { self.deliver(*call, &told) } else { None };
                    whole &= ended.is_some();
                    let ended = ended.unwrap_or_else(|| Ended::refused(Refusal::Unavailable));
                    self.note(Some(what), operation, (None, Some(sequence)), outcome(&ended));
                    self.owed.push(Owed::Call(reply, ended));
                }
                Message::Once { call, once, reply } => {
                    let (what, operation, key) = (call.what, self.operation(&call), self.key(&once));
                    let ended = if whole { self.once(*call, *once) } else { None };
                    whole &= ended.is_some();
                    let ended = ended.unwrap_or_else(|| OnceEnded::refused(Refusal::Unavailable));
                    self.note(Some(what), operation, (key, None), outcome_of_once(&ended));
                    self.owed.push(Owed::Once(reply, ended));
                }
                Message::System { write, reply } => {
                    let done = if whole { self.system(write) } else { None };
                    whole &= done.is_some();
                    let done =
                        done.unwrap_or_else(|| Err(StoreError::Unavailable("the database is away".into())));
                    let outcome = if done.is_ok() { WorkedOutcome::Done } else { WorkedOutcome::Refused };
                    self.note(None, None, (None, None), outcome);
                    self.owed.push(Owed::System(reply, done));
                }
                Message::Close(reply) => {
                    closing = Some(reply);
                    break;
                }
            }
            // What a simulation groups depends on no machine's speed.
            let late = started.elapsed() >= GROUP_TIME && !self.is_driven();
            let full = !whole || self.owed.len() >= GROUP_MAX || late;
            next = if full { None } else { self.waiting() };
        }
        let flushing = Instant::now();
        let committed = whole && !matches!(self.fate, Fate::Fails | Fate::Lies) && self.fixed(Fixed::Commit);
        if committed && let Some(observer) = &self.writing.options.on_commit {
            observer(flushing.elapsed(), self.owed.len());
        }
        // Before the answers, and also when it is not known what the disk has.
        self.writing.shared.commits.note(&std::mem::take(&mut self.touched));
        // The connection is kept when it can be brought back: opening it anew could find the group in the log.
        let alive = self.connection.is_autocommit() || self.fixed(Fixed::Rollback);
        if let Some(driver) = &self.writing.options.driver {
            driver.ended(committed);
        }
        self.answer(committed && self.fate != Fate::LosesAnswers || self.fate == Fate::Lies);
        (closing, began && alive)
    }

    /// A message that waits already.
    fn waiting(&self) -> Option<Message> {
        let messages = &self.writing.messages;
        messages.try_recv().ok().or_else(|| {
            if self.is_driven() {
                return None;
            }
            // Let a thread on the same core finish what it has read, then look once more.
            std::thread::yield_now();
            messages.try_recv().ok()
        })
    }

    fn is_driven(&self) -> bool {
        self.writing.options.driver.is_some()
    }

    fn operation(&self, call: &Call) -> Option<OperationId> {
        call.part.as_ref().filter(|_| self.is_driven()).map(|part| part.operation)
    }

    fn key(&self, once: &Once) -> Option<String> {
        self.is_driven().then(|| format!("{} {}", once.key.scope, once.key.key))
    }

    /// Notes what a simulation is told of a call.
    fn note(
        &mut self,
        what: Option<What>,
        operation: Option<OperationId>,
        (key, delivery): (Option<String>, Option<i64>),
        outcome: WorkedOutcome,
    ) {
        if let Some((driver, tables)) = self.writing.options.driver.as_ref().zip(self.tables) {
            let rows = |entity| tables.rows(self.connection, entity);
            driver.worked(Worked { what, key, operation, delivery, outcome }, &rows);
        }
    }

    fn answer(&mut self, committed: bool) {
        for owed in self.owed.drain(..) {
            // Who has hung up no longer waits.
            match owed {
                Owed::Call(reply, ended) => {
                    let lost = || Ended::refused(Refusal::Unavailable);
                    let _ = reply.send(if committed { ended } else { lost() });
                }
                Owed::Once(reply, ended) => {
                    let lost = || OnceEnded::refused(Refusal::Unavailable);
                    let _ = reply.send(if committed { ended } else { lost() });
                }
                Owed::System(reply, done) => {
                    let lost = || StoreError::Unavailable("the group was not flushed".into());
                    let _ = reply.send(if committed { done } else { Err(lost()) });
                }
            }
        }
    }

    /// All of a call or nothing of it; nothing is given when the whole transaction is gone.
    fn call(&mut self, call: Call, next: Option<NextRun>) -> Option<Ended> {
        self.call_with(call, next, |_| {})
    }

    /// The same; `beside` writes what belongs to the call inside its savepoint, and may refuse it.
    fn call_with(
        &mut self,
        call: Call,
        next: Option<NextRun>,
        beside: impl FnOnce(&mut Ended),
    ) -> Option<Ended> {
        if !self.fixed(Fixed::Savepoint) {
            return None;
        }
        let earlier = self.writing.shared.releases.of(&call);
        let is_earlier = earlier.is_some();
        let shared = earlier.unwrap_or_else(|| Arc::clone(&self.writing.shared));
        // Those held by number are of the present release.
        let mut by_text = Statements::Cached;
        if self.fate == Fate::Repeats {
            let statements = if is_earlier { &mut by_text } else { &mut self.statements };
            let mut transaction = SqliteTransaction::new(self.connection, statements, &shared);
            let _ = run(&shared.program, call.clone(), &mut transaction, self.ids, &|| false);
            if self.connection.is_autocommit() || !self.fixed(Fixed::RollbackTo) {
                return None;
            }
        }
        let statements = if is_earlier { &mut by_text } else { &mut self.statements };
        self.deadline.set(self.writing.options.work);
        let mut transaction = SqliteTransaction::new(self.connection, statements, &shared);
        let overdue = || self.deadline.has_passed();
        let mut ended = run(&shared.program, call, &mut transaction, self.ids, &overdue);
        let touched = std::mem::take(&mut transaction.touched);
        // Its marks are of other tables than ours.
        let touched = if is_earlier { Touched::everything() } else { touched };
        self.deadline.clear();
        beside(&mut ended);
        if self.connection.is_autocommit() {
            return None;
        }
        if ended.result.is_ok() {
            self.touched.join(&touched);
        }
        let kept = ended.result.is_ok() || self.fixed(Fixed::RollbackTo);
        if !kept || !self.fixed(Fixed::Release) {
            return None;
        }
        if let Some(next) = next.filter(|_| is_settled(&ended))
            && set_next_run(&mut OnSqlite(self.connection), &next).is_err()
        {
            return None;
        }
        Some(ended)
    }

    /// The same for a handler: what it is told is gone with its effect, or where it goes on is kept with it.
    fn deliver(&mut self, call: Call, told: &Told) -> Option<Ended> {
        let connection = self.connection;
        let (part, vault) = (call.part.clone(), &self.writing.shared.vault);
        self.call_with(call, None, |ended| {
            if ended.result.is_ok() {
                let program = part.as_ref().map_or("", |part| &part.program);
                let before = part.as_ref().and_then(|part| part.resume.as_deref());
                let mut system = OnSqlite(connection);
                if let Err(error) = settle_delivery(&mut system, told, (program, before), vault, ended) {
                    (ended.result, ended.resume) = (Err(Refusal::Internal(error.to_string())), None);
                }
            }
        })
    }

    /// The same for a call that is carried out once: what leaves is kept in its savepoint. A second one with the
    /// same key waits in the queue and finds it.
    fn once(&mut self, call: Call, once: Once) -> Option<OnceEnded> {
        let Once { key, render } = once;
        match kept_answer(&mut OnSqlite(self.connection), &key, call.now) {
            Ok(None) => {}
            Ok(Some(Kept::Answer(answer))) => return Some(OnceEnded::Replayed(answer)),
            Ok(Some(Kept::OtherInput)) => return Some(OnceEnded::OtherInput),
            Err(_) => return None,
        }
        let (mut kept, now) = (None, call.now);
        let connection = self.connection;
        let ended = self.call_with(call, None, |ended| {
            // The answer of an operation with parts is that of the last one.
            let (Ok(answer), None) = (&ended.result, &ended.resume) else { return };
            match render(answer, &ended.rows) {
                Ok(answer) => match keep_answer(&mut OnSqlite(connection), &key, &answer, now) {
                    // Whoever was before has been seen before.
                    Ok(_) => kept = Some(answer),
                    Err(error) => ended.result = Err(Refusal::Internal(error.to_string())),
                },
                Err(refusal) => ended.result = Err(refusal),
            }
        })?;
        Some(OnceEnded::Ran(ended, kept))
    }

    fn system(&mut self, write: SystemWrite) -> Option<Result<bool, StoreError>> {
        if !self.fixed(Fixed::Savepoint) {
            return None;
        }
        let done = write(&mut OnSqlite(self.connection));
        if self.connection.is_autocommit() {
            return None;
        }
        let kept = done.is_ok() || self.fixed(Fixed::RollbackTo);
        (kept && self.fixed(Fixed::Release)).then_some(done)
    }

    fn fixed(&mut self, which: Fixed) -> bool {
        let number = self.writing.shared.compiled.emit + 1 + which as usize;
        let done =
            self.statements.with(self.connection, number, which.sql(), |statement| statement.execute([]));
        matches!(done, Ok(Ok(_)))
    }
}

/// Whether a job need not begin anew after a crash: it has ended, or the store keeps where it goes on.
fn is_settled(ended: &Ended) -> bool {
    ended.resume.as_ref().map_or(!ended.again, |resume| resume.kept)
}

fn outcome(ended: &Ended) -> WorkedOutcome {
    match (&ended.result, &ended.resume) {
        (Err(_), _) => WorkedOutcome::Refused,
        (Ok(_), Some(resume)) if resume.kept => WorkedOutcome::Part,
        (Ok(_), Some(_)) => WorkedOutcome::Looked,
        (Ok(_), None) => WorkedOutcome::Done,
    }
}

fn outcome_of_once(ended: &OnceEnded) -> WorkedOutcome {
    match ended {
        OnceEnded::Ran(ended, _) => outcome(ended),
        OnceEnded::Replayed(_) => WorkedOutcome::Replayed,
        OnceEnded::OtherInput => WorkedOutcome::Refused,
    }
}
