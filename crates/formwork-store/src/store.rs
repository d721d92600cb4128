//! The store as the server sees it: calls go in, what they ended in comes out, durable.

use crate::error::OpenError;
use crate::options::Options;
use crate::system::{NextRun, StoredEvent, StoredKey};
use formwork_engine::{Call, Ended, Refusal, StoreError};
use formwork_language::program::{Condition, EntityId, Program, Statement};
use formwork_language::value::Value;
use std::sync::Arc;

/// An open store. Cheap to share behind an [`Arc`]; every method takes `&self`.
#[derive(Debug)]
pub struct Store {
    program: Arc<Program>,
}

impl Store {
    /// Opens or makes the database, brings its tables to the program's when that only adds, and starts the writer.
    pub fn open(options: Options, program: Arc<Program>) -> Result<Self, OpenError> {
        let _ = options;
        Ok(Self { program })
    }

    /// The program that it runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Runs an operation or a job. Reads run on this thread; writes on the writer, and their answer comes only
    /// after the flush that covers it.
    pub async fn run(&self, call: Call) -> Ended {
        let _ = call;
        Ended::refused(Refusal::Unavailable)
    }

    /// Runs a job and notes its next run in the same transaction, also when the job is refused; not when it has
    /// to run again ([`Ended::again`]).
    pub async fn run_job(&self, call: Call, next: NextRun) -> Ended {
        let _ = (call, next);
        Ended::refused(Refusal::Unavailable)
    }

    /// How many rows of an entity fit a condition.
    pub fn count(
        &self,
        entity: EntityId,
        filter: Option<&Condition>,
        parameters: &[Value],
    ) -> Result<u64, StoreError> {
        let _ = (entity, filter, parameters);
        Err(StoreError::Unavailable(String::new()))
    }

    /// Runs a statement that is not the program's and gives one value: Count, Exists or Aggregate.
    pub fn value(&self, statement: &Statement, parameters: &[Value]) -> Result<Value, StoreError> {
        let _ = (statement, parameters);
        Err(StoreError::Unavailable(String::new()))
    }

    /// The events of the outbox in its order; all, or those of one name.
    pub fn events(&self, name: Option<&str>) -> Result<Vec<StoredEvent>, StoreError> {
        let _ = name;
        Err(StoreError::Unavailable(String::new()))
    }

    /// Every key, the revoked ones included, oldest first.
    pub fn load_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        Err(StoreError::Unavailable(String::new()))
    }

    /// Adds a key, durably.
    pub async fn insert_key(&self, key: StoredKey) -> Result<(), StoreError> {
        let _ = key;
        Err(StoreError::Unavailable(String::new()))
    }

    /// Revokes a key by its name; false when there is none that is valid.
    pub async fn revoke_key(&self, name: &str, now: i64) -> Result<bool, StoreError> {
        let _ = (name, now);
        Err(StoreError::Unavailable(String::new()))
    }

    /// The next runs of the jobs that have run before.
    pub fn next_runs(&self) -> Result<Vec<NextRun>, StoreError> {
        Err(StoreError::Unavailable(String::new()))
    }

    /// Notes when a job runs next, apart from any run.
    pub async fn set_next_run(&self, next: NextRun) -> Result<(), StoreError> {
        let _ = next;
        Err(StoreError::Unavailable(String::new()))
    }

    /// Whether it reads and writes; for `/readyz`.
    pub fn is_available(&self) -> bool {
        false
    }

    /// Makes every call end as unavailable, or ends that; for faults that flows ask for.
    pub fn set_available(&self, available: bool) {
        let _ = available;
    }

    /// Takes no more calls, waits for those under way, moves the log into the database and closes it.
    pub async fn close(&self) {}
}
