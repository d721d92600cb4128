//! The store on PostgreSQL: calls are handed to the connections, and repeated with patience.

use super::address::Address;
use super::calls::{Beside, Running, Tried};
use super::cascades::Cascades;
use super::dialect::Postgres;
use super::errors::{Constraints, Failed, Fault, not_open, words};
use super::isolation::{Isolation, isolation};
use super::listening::{self, Listening};
use super::migrate::bring_up;
use super::outcome::{Outcome, outcome};
use super::pool::{NotTaken, Pool, Work};
use super::session::{Patience, Session, runtime};
use super::system::OnPostgres;
use super::transaction::{Shared, as_parameters, bind_all, one_value};
use super::turns::Turns;
use crate::commits::{Commits, Touched};
use crate::error::OpenError;
use crate::folder::{lock_folder, node_name};
use crate::once::{KeptAnswer, Once, OnceEnded};
use crate::options::Options;
use crate::releases::Releases;
use crate::statements::{self, Compiled, quoted};
use crate::system::{self, NextRun, SystemConnection, Told};
use crate::vault::Vault;
use formwork_engine::{Call, Ended, IdSource, Refusal, StoreError, What};
use formwork_language::program::{Program, Statement};
use formwork_language::value::Value;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How much longer than a call on SQLite one statement may work: nobody else waits for it.
const MORE_WORK: u32 = 5;
/// How much longer a whole call may: the 10,000 rows that it may write travel one by one.
const MORE_STATEMENTS: u32 = 20;
/// How long a lock is waited for before the call begins again.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Times that a call is repeated because an update found a key taken, which may have been by an unseen row.
const KEY_TAKEN_TRIES: u32 = 2;

/// Times that a call is repeated because its connection was lost before anything could have happened.
const LOST_TRIES: u32 = 3;

/// A store on PostgreSQL.
pub(crate) struct PostgresStore {
    pool: Pool,
    inner: Arc<Inner>,
    turns: Turns,
    /// Hears what other nodes commit, when a cache asks.
    listening: Listening,
    patience: Duration,
    place: String,
    /// The data folder is this process's as long as the store is open.
    _lock: File,
}

struct Inner {
    shared: Shared,
    options: Options,
    ids: IdSource,
    isolation: Vec<Isolation>,
}

impl PostgresStore {
    /// Connects, and brings the tables to the program's when that only adds.
    pub(crate) fn open(
        options: Options,
        url: &str,
        schema: Option<&str>,
        program: Arc<Program>,
    ) -> Result<Self, OpenError> {
        let address = Address::parse(url, schema)?;
        let lock = lock_folder(&options.path)?;
        let place = address.place().to_owned();
        let other = |cause: String| OpenError::Database { place: place.clone(), cause };
        let shared = Shared {
            node: node_name(&options.path, system::fresh_name)?,
            compiled: Compiled::new(&Postgres, &program).map_err(other)?,
            constraints: Constraints::new(&program.schema).map_err(other)?,
            cascades: Cascades::new(&program.schema),
            vault: Arc::new(Vault::new(options.variables_key)),
            releases: Releases::default(),
            is_earlier: false,
            commits: Arc::new(Commits::new(&program, true)),
            program,
        };
        let patience = Patience {
            statement: options.work * MORE_WORK + LOCK_WAIT,
            lock: LOCK_WAIT.min(options.patience),
        };
        let inner = Arc::new(Inner {
            isolation: shared.program.operations.iter().map(|one| isolation(&shared.program, one)).collect(),
            shared,
            ids: IdSource::new(),
            options,
        });
        // On a thread of its own, since this may be called from within a runtime.
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| first_session(&address, patience, &inner.shared));
            opening.join().unwrap_or_else(|_| Err(other("the opening thread has ended".into())))
        })?;
        let statements = inner.shared.compiled.statements.len();
        let size = (inner.options.connections, inner.options.queue.max(1));
        let (commits, node) = (inner.shared.commits.clone(), inner.shared.node.clone());
        let listening = Listening::start(address.clone(), commits, node);
        let listening = listening.map_err(|error| other(error.to_string()))?;
        let pool =
            Pool::start(address, patience, statements, size).map_err(|error| other(error.to_string()))?;
        Ok(Self {
            pool,
            turns: Turns::new(&inner.shared.program),
            listening,
            patience: inner.options.patience,
            place,
            inner,
            _lock: lock,
        })
    }

    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.inner.shared.program
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.shared.vault
    }

    /// Takes up an earlier release.
    pub(crate) fn add_release(&self, name: &str, program: Arc<Program>) -> Result<(), String> {
        let own = &self.inner.shared;
        let release = Shared {
            node: own.node.clone(),
            compiled: Compiled::new(&Postgres, &program)?,
            constraints: Constraints::new(&program.schema)?,
            cascades: Cascades::new(&program.schema),
            vault: Arc::clone(&own.vault),
            commits: Arc::clone(&own.commits),
            releases: Releases::default(),
            is_earlier: true,
            program,
        };
        own.releases.add(name, release);
        Ok(())
    }

    /// Which commit last touched what.
    pub(crate) fn commits(&self) -> &Arc<Commits> {
        &self.inner.shared.commits
    }

    /// What this process is called.
    pub(crate) fn node(&self) -> &str {
        &self.inner.shared.node
    }

    /// Where the database is, without a password.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Whether the database was away when it was last asked.
    pub(crate) fn is_away(&self) -> bool {
        self.pool.is_away()
    }

    /// Runs a call, again and again while others are in its way.
    pub(crate) async fn run(&self, call: Call, next: Option<NextRun>) -> Ended {
        ended(self.run_beside(call, next.map_or(Beside::Nothing, Beside::Job)).await.0)
    }

    /// Runs a handler for what it is told.
    pub(crate) async fn deliver(&self, call: Call, told: Told) -> Ended {
        let part = call.part.clone();
        ended(self.run_beside(call, Beside::Delivery(told, part)).await.0)
    }

    /// Runs a call that is carried out once.
    pub(crate) async fn run_once(&self, call: Call, once: Once) -> OnceEnded {
        match self.run_beside(call, Beside::Once(once)).await {
            (Tried::Replayed(answer), _) => OnceEnded::Replayed(answer),
            (Tried::OtherInput, _) => OnceEnded::OtherInput,
            (tried, kept) => OnceEnded::Ran(ended(tried), kept),
        }
    }

    async fn run_beside(&self, call: Call, beside: Beside) -> (Tried, Option<KeptAnswer>) {
        let deadline = Instant::now() + self.patience;
        let beside = Arc::new(beside);
        let _row = self.turns.of_row(&call).await;
        let _money = self.turns.of_budgets(&call).await;
        let (mut kind, mut taken) = (None, 0);
        for attempt in 0_u32.. {
            let (mut tried, mut kept) = self.attempt(call.clone(), Arc::clone(&beside)).await;
            if let Tried::Lost(ended, answer, mark) = tried {
                (tried, kept) = match self.outcome(mark).await {
                    Outcome::Held => (Tried::Ended(ended), answer),
                    Outcome::Undone => (Tried::LostBefore, None),
                    // The repeat finds in the database itself what was done.
                    Outcome::Unknown if matches!(*beside, Beside::Once(_) | Beside::Delivery(..)) => {
                        (Tried::LostBefore, None)
                    }
                    Outcome::Unknown => (Tried::Unsure, None),
                };
            }
            let again = match &tried {
                Tried::Conflict => true,
                Tried::KeyTaken(_) => {
                    taken += 1;
                    taken <= KEY_TAKEN_TRIES
                }
                Tried::LostBefore => attempt < LOST_TRIES && !self.pool.is_away(),
                _ => false,
            };
            if !again || Instant::now() >= deadline {
                return (tried, kept);
            }
            if attempt > 0 && kind.is_none() {
                kind = self.turns.of_kind(call.what).await;
            }
            tokio::time::sleep(jitter(attempt)).await;
        }
        (Tried::Conflict, None)
    }

    /// What became of a commit that was not answered. The server is asked as long as others are waited for.
    async fn outcome(&self, mark: Option<String>) -> Outcome {
        let Some(mark) = mark else { return Outcome::Unknown };
        let until = Instant::now() + self.patience;
        for attempt in 0_u32.. {
            let (reply, done) = oneshot::channel();
            let mark = mark.clone();
            let work: Work = Box::new(move |session| {
                let found = session.and_then(|session| outcome(session, &mark, until));
                let usable = found.is_some();
                let _ = reply.send(found);
                usable
            });
            if self.pool.hand(work) == Err(NotTaken::Closed) {
                break;
            }
            match done.await {
                Ok(Some(outcome)) => return outcome,
                _ if Instant::now() >= until => break,
                _ => tokio::time::sleep(Duration::from_millis(20) + jitter(attempt)).await,
            }
        }
        Outcome::Unknown
    }

    async fn attempt(&self, call: Call, beside: Arc<Beside>) -> (Tried, Option<KeptAnswer>) {
        let (reply, ended) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        let work: Work = Box::new(move |session| {
            let Some(session) = session else {
                let _ = reply.send((Tried::Away, None));
                return true;
            };
            let tried = inner.attempt(session, call, &beside);
            let usable = !matches!(tried.0, Tried::Lost(..) | Tried::LostBefore);
            // Who has hung up no longer waits.
            let _ = reply.send(tried);
            usable
        });
        let refused = |refusal| (Tried::Ended(Ended::refused(refusal)), None);
        match self.pool.hand(work) {
            Ok(()) => ended
                .await
                .unwrap_or_else(|_| refused(Refusal::Internal("a call has ended without an answer".into()))),
            Err(NotTaken::Full) => refused(Refusal::Overloaded),
            Err(NotTaken::Closed) => (Tried::Away, None),
        }
    }

    /// Runs a statement that is not the program's and gives one value.
    pub(crate) fn value(&self, statement: &Statement, parameters: &[Value]) -> Result<Value, StoreError> {
        let prepared = statements::statement(&Postgres, &self.program().schema, statement)
            .map_err(StoreError::Internal)?;
        let parameters = parameters.to_vec();
        self.now(move |session, shared| {
            let bound = bind_all(&prepared, &parameters).map_err(Fault::Store)?;
            let rows = session
                .hold(usize::MAX, &prepared)
                .and_then(|()| session.rows(usize::MAX, &prepared.sql, &as_parameters(&bound)));
            session.forget(&prepared.sql);
            let rows = rows.map_err(|failed| shared.constraints.fault(&failed, prepared.entity, None))?;
            one_value(&rows, &prepared.gives).map_err(Fault::Store)
        })
    }

    /// Reads the store's own tables, while the caller's thread waits.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&mut dyn SystemConnection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let read = Arc::new(read);
        self.now(move |session, _| {
            let mut system = OnPostgres::new(session);
            read(&mut system).map_err(|error| system.trouble.take().unwrap_or(Fault::Store(error)))
        })
    }

    /// Runs something on a session, again while others are in its way.
    fn now<T: Send + 'static>(
        &self,
        run: impl Fn(&mut Session, &Shared) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let away = || StoreError::Unavailable("the database is away".into());
        let run = Arc::new(run);
        for _ in 0..10 {
            let (reply, done) = mpsc::sync_channel(1);
            let (inner, run) = (Arc::clone(&self.inner), Arc::clone(&run));
            let work: Work = Box::new(move |session| {
                let done = session.map(|session| run(session, &inner.shared));
                let usable = !matches!(done, Some(Err(Fault::Lost(_))));
                let _ = reply.send(done);
                usable
            });
            self.pool.hand(work).map_err(|_| away())?;
            match done.recv() {
                Ok(Some(Ok(value))) => return Ok(value),
                Ok(Some(Err(Fault::Store(error)))) => return Err(error),
                Ok(Some(Err(Fault::Conflict | Fault::Lost(_)))) => {}
                Ok(None) | Err(_) => return Err(away()),
            }
        }
        Err(away())
    }

    /// Writes something of the store's own, durably.
    pub(crate) async fn write(
        &self,
        write: impl Fn(&mut dyn SystemConnection) -> Result<bool, StoreError> + Send + Sync + 'static,
    ) -> Result<bool, StoreError> {
        let deadline = Instant::now() + self.patience;
        let away = || StoreError::Unavailable("the database is away".into());
        let write = Arc::new(write);
        for attempt in 0_u32.. {
            let (reply, done) = oneshot::channel();
            let write = Arc::clone(&write);
            let work: Work = Box::new(move |session| {
                let done = session.map(|session| in_transaction(session, &*write));
                let usable = !matches!(done, Some(Err(Fault::Lost(_))));
                let _ = reply.send(done);
                usable
            });
            self.pool.hand(work).map_err(|_| away())?;
            match done.await {
                Ok(Some(Ok(done))) => return Ok(done),
                Ok(Some(Err(Fault::Store(error)))) => return Err(error),
                Ok(Some(Err(Fault::Conflict))) if Instant::now() < deadline => {}
                _ => break,
            }
            tokio::time::sleep(jitter(attempt)).await;
        }
        Err(away())
    }

    /// The statement that tells the other nodes what a transaction touches.
    pub(crate) fn telling(&self, touched: &Touched) -> Option<String> {
        self.commits().told(self.node(), touched).map(|text| listening::telling(&text))
    }

    /// Tells the other nodes what is touched without a transaction.
    pub(crate) async fn tell(&self, touched: &Touched) -> Result<(), StoreError> {
        let Some(text) = self.commits().told(self.node(), touched) else { return Ok(()) };
        let away = || StoreError::Unavailable("the database is away".into());
        let (reply, done) = oneshot::channel();
        let work: Work = Box::new(move |session| {
            let told = session.map(|session| session.batch(&listening::telling(&text)).is_ok());
            // Who has hung up no longer waits.
            let _ = reply.send(told == Some(true));
            told != Some(false)
        });
        self.pool.hand(work).map_err(|_| away())?;
        if done.await == Ok(true) { Ok(()) } else { Err(away()) }
    }

    /// Takes no more calls and waits for those under way.
    pub(crate) async fn close(&self) {
        self.listening.close();
        self.pool.close();
        while !self.pool.is_done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Inner {
    fn attempt(&self, session: &mut Session, call: Call, beside: &Beside) -> (Tried, Option<KeptAnswer>) {
        let earlier = self.shared.releases.of(&call);
        let known = match call.what {
            // What is known is of the present release.
            _ if earlier.is_some() => None,
            What::Operation(operation) => self.isolation.get(operation as usize).copied(),
            _ => None,
        };
        let isolation = known.unwrap_or(Isolation::Serializable);
        let mut running = Running {
            shared: earlier.as_deref().unwrap_or(&self.shared),
            ids: self.ids.clone(),
            node: &self.shared.node,
            work: self.options.work * MORE_STATEMENTS,
            on_commit: self.options.on_commit.as_ref(),
            kept: None,
        };
        let tried = running.call(session, call, beside, isolation);
        (tried, running.kept)
    }
}

/// How a call ended for who asked for it.
fn ended(tried: Tried) -> Ended {
    match tried {
        Tried::Ended(ended) | Tried::KeyTaken(ended) => ended,
        Tried::Unsure => Ended::refused(Refusal::Unsure),
        _ => Ended::refused(Refusal::Unavailable),
    }
}

/// The first connection: what the server does not take must show at the start and not at the first request.
fn first_session(address: &Address, patience: Patience, shared: &Shared) -> Result<(), OpenError> {
    let place = || address.place().to_owned();
    let runtime =
        runtime().map_err(|error| OpenError::Database { place: place(), cause: error.to_string() })?;
    let opened = Session::open(runtime, address, patience, shared.compiled.statements.len());
    let mut session = opened.map_err(|failed| not_open(address.place(), &failed))?;
    bring_up(&mut session, address, &shared.program)?;
    for prepared in shared.compiled.all() {
        session.hold(usize::MAX, prepared).map_err(|failed| match &failed {
            Failed::Server(error) if error.as_db_error().is_some() => {
                OpenError::Database { place: place(), cause: format!("{}: {}", words(error), prepared.sql) }
            }
            failed => not_open(address.place(), failed),
        })?;
        session.forget(&prepared.sql);
    }
    Ok(())
}

fn in_transaction(
    session: &mut Session,
    write: &(dyn Fn(&mut dyn SystemConnection) -> Result<bool, StoreError> + Send + Sync),
) -> Result<bool, Fault> {
    session.begin("BEGIN");
    let mut system = OnPostgres::new(session);
    let done = write(&mut system);
    let trouble = system.trouble.take();
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    match session.end(end).map_err(|failed| Fault::of(&failed)) {
        Err(Fault::Conflict) => {
            let _ = session.end("ROLLBACK");
            Err(Fault::Conflict)
        }
        Err(fault) => Err(fault),
        Ok(()) => done.map_err(|error| trouble.unwrap_or(Fault::Store(error))),
    }
}

/// Takes a schema and all that is in it out of a database; for tests, each of which has its own.
pub(crate) fn drop_schema(url: &str, schema: &str) -> Result<(), OpenError> {
    let address = Address::parse(url, None)?;
    let other = |cause: String| OpenError::Database { place: address.place().to_owned(), cause };
    let patience = Patience { statement: Duration::from_secs(60), lock: LOCK_WAIT };
    std::thread::scope(|scope| {
        let dropping = scope.spawn(|| {
            let runtime = runtime().map_err(|error| other(error.to_string()))?;
            let failed = |failed: Failed| not_open(address.place(), &failed);
            let mut session = Session::open(runtime, &address, patience, 0).map_err(failed)?;
            session.batch(&format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(schema))).map_err(failed)
        });
        dropping.join().unwrap_or_else(|_| Err(other("the thread has ended".into())))
    })
}

/// How long to stay away after a conflict: a random part of a time that doubles.
fn jitter(attempt: u32) -> Duration {
    let longest = 2_000_u64 << attempt.min(7);
    Duration::from_micros(random() % longest)
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
