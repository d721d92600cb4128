//! The store as the server sees it: calls go in, what they ended in comes out, durable.

use crate::error::OpenError;
use crate::once::{Once, OnceEnded};
use crate::options::Options;
use crate::sqlite::{self, Readers, Writer};
use crate::system::{self, NextRun, StoredEvent, StoredKey, SystemConnection};
use formwork_engine::{Call, Ended, Refusal, StoreError, What};
use formwork_language::program::{Condition, EntityId, Program, Statement};
use formwork_language::value::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows that one call of [`Store::prune`] removes at most.
const PRUNED_AT_ONCE: i64 = 1_000;

/// An open store. Cheap to share behind an [`Arc`]; every method takes `&self`.
pub struct Store {
    readers: Readers,
    writer: Writer,
    available: AtomicBool,
    closed: AtomicBool,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the database, brings its tables to the program's when that only adds, and starts the writer.
    pub fn open(options: Options, program: Arc<Program>) -> Result<Self, OpenError> {
        let (writer, shared) = sqlite::open(&options, program)?;
        Ok(Self {
            readers: Readers::new(options, shared),
            writer,
            available: AtomicBool::new(true),
            closed: AtomicBool::new(false),
        })
    }

    /// The program that it runs.
    pub fn program(&self) -> &Arc<Program> {
        self.readers.program()
    }

    /// Runs an operation or a job. Reads run on this thread; writes on the writer, and their answer comes only
    /// after the flush that covers it.
    pub async fn run(&self, call: Call) -> Ended {
        if !self.is_available() {
            return Ended::refused(Refusal::Unavailable);
        }
        let writes = match call.what {
            What::Operation(index) => {
                self.program().operations.get(index as usize).is_none_or(|operation| operation.writes)
            }
            What::Job(_) | What::Rows(_) | What::RowsAtStart | What::Invariants => true,
        };
        if writes { self.writer.run(call, None).await } else { self.readers.run(call) }
    }

    /// Runs an operation that writes, once for its key: a repeat gets the answer that was kept with the effect, also
    /// one that comes while the first is under way, which waits for it.
    pub async fn run_once(&self, call: Call, once: Once) -> OnceEnded {
        if !self.is_available() {
            return OnceEnded::refused(Refusal::Unavailable);
        }
        self.writer.once(call, once).await
    }

    /// Removes what is kept no longer at an instant, a bounded number of rows; gives whether more may be left.
    pub async fn prune(&self, now: i64) -> Result<bool, StoreError> {
        let prune = Box::new(move |connection: &mut dyn SystemConnection| {
            Ok(system::prune_answers(connection, now, PRUNED_AT_ONCE)? >= PRUNED_AT_ONCE.unsigned_abs())
        });
        self.writer.system(prune).await
    }

    /// Runs a job and notes its next run in the same transaction, also when the job is refused; not when it has
    /// to run again ([`Ended::again`]).
    pub async fn run_job(&self, call: Call, next: NextRun) -> Ended {
        if !self.is_available() {
            return Ended::refused(Refusal::Unavailable);
        }
        self.writer.run(call, Some(next)).await
    }

    /// How many rows of an entity fit a condition.
    pub fn count(
        &self,
        entity: EntityId,
        filter: Option<&Condition>,
        parameters: &[Value],
    ) -> Result<u64, StoreError> {
        let statement = Statement::Count { entity, filter: filter.cloned() };
        match self.value(&statement, parameters)? {
            Value::Integer(count) => Ok(u64::try_from(count).unwrap_or(0)),
            _ => Err(StoreError::Internal("a count is no integer".into())),
        }
    }

    /// Runs a statement that is not the program's and gives one value: Count, Exists or Aggregate.
    pub fn value(&self, statement: &Statement, parameters: &[Value]) -> Result<Value, StoreError> {
        match statement {
            Statement::Count { .. } | Statement::Exists { .. } | Statement::Aggregate { .. } => {
                self.readers.value(statement, parameters)
            }
            _ => Err(StoreError::Internal("the statement gives no value".into())),
        }
    }

    /// The events of the outbox in its order; all, or those of one name.
    pub fn events(&self, name: Option<&str>) -> Result<Vec<StoredEvent>, StoreError> {
        self.readers.system(|connection| system::events(connection, name))
    }

    /// Every key, the revoked ones included, oldest first.
    pub fn load_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.readers.system(system::load_keys)
    }

    /// Adds a key, durably.
    pub async fn insert_key(&self, key: StoredKey) -> Result<(), StoreError> {
        let write = Box::new(move |connection: &mut dyn SystemConnection| {
            system::insert_key(connection, &key).map(|()| true)
        });
        self.writer.system(write).await.map(|_| ())
    }

    /// Revokes a key by its name; false when there is none that is valid.
    pub async fn revoke_key(&self, name: &str, now: i64) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer.system(Box::new(move |connection| system::revoke_key(connection, &name, now))).await
    }

    /// The next runs of the jobs that have run before.
    pub fn next_runs(&self) -> Result<Vec<NextRun>, StoreError> {
        self.readers.system(system::next_runs)
    }

    /// Notes when a job runs next, apart from any run.
    pub async fn set_next_run(&self, next: NextRun) -> Result<(), StoreError> {
        let write = Box::new(move |connection: &mut dyn SystemConnection| {
            system::set_next_run(connection, &next).map(|()| true)
        });
        self.writer.system(write).await.map(|_| ())
    }

    /// Whether it reads and writes; for `/readyz`.
    pub fn is_available(&self) -> bool {
        self.available.load(Ordering::Relaxed) && !self.closed.load(Ordering::Relaxed)
    }

    /// Makes every call end as unavailable, or ends that; for faults that flows ask for.
    pub fn set_available(&self, available: bool) {
        self.available.store(available, Ordering::Relaxed);
    }

    /// Takes no more calls, waits for those under way, moves the log into the database and closes it.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.readers.close();
        self.writer.close().await;
    }
}
