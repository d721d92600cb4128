//! The store as the server sees it: calls go in, what they ended in comes out, durable.

use crate::audit;
use crate::commits::{Commits, HEARD, Mark, Touched};
use crate::error::OpenError;
use crate::once::{KeptAnswer, Once, OnceEnded, OnceKey};
use crate::options::Options;
use crate::postgres::{self, PostgresStore};
use crate::sqlite::{self, Readers, Writer};
use crate::system::{
    self, FailedAttempt, LeftDelivery, NextRun, StoredBudget, StoredDelivery, StoredEvent, StoredKey,
    SystemConnection, Told, Unfinished, Wanted,
};
use crate::vault::{Vault, of_delivery};
use formwork_engine::{AuditEntry, Call, Ended, KeptOperation, OperationId, Refusal, StoreError, What};
use formwork_language::program::{
    Budget, Condition, EntityId, Program, Schema, Statement, TableUse, period_start,
};
use formwork_language::value::Value;
use formwork_model::sections::security::BudgetPeriod;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Rows that one call of [`Store::prune`] removes at most.
const PRUNED_AT_ONCE: i64 = 1_000;
/// How long the standing of a budget is kept behind the end of its period: 400 days, in microseconds.
const BUDGETS_KEPT: i64 = 400 * 86_400_000_000;

/// How long an event stays listed after every handler was told of it, in microseconds: 7 days.
const EVENTS_KEPT: i64 = 7 * 86_400_000_000;

/// An open store. Cheap to share behind an [`Arc`]; every method takes `&self`.
pub struct Store {
    backend: Backend,
    available: AtomicBool,
    closed: AtomicBool,
}

/// Where the rows are.
enum Backend {
    Sqlite { readers: Box<Readers>, writer: Writer },
    Postgres(Box<PostgresStore>),
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the database, brings its tables to the program's when that only adds, and starts what writes.
    pub fn open(options: Options, program: Arc<Program>) -> Result<Self, OpenError> {
        let backend = match options.database.clone() {
            Some(url) => {
                let schema = options.schema.clone();
                Backend::Postgres(Box::new(PostgresStore::open(options, &url, schema.as_deref(), program)?))
            }
            None => {
                let (writer, shared) = sqlite::open(&options, program)?;
                Backend::Sqlite { readers: Box::new(Readers::new(options, shared)), writer }
            }
        };
        Ok(Self { backend, available: AtomicBool::new(true), closed: AtomicBool::new(false) })
    }

    /// The program that it runs.
    pub fn program(&self) -> &Arc<Program> {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.program(),
            Backend::Postgres(store) => store.program(),
        }
    }

    fn vault(&self) -> &Vault {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.vault(),
            Backend::Postgres(store) => store.vault(),
        }
    }

    /// Which commit last touched what, for what is kept of answers.
    pub fn commits(&self) -> &Arc<Commits> {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.commits(),
            Backend::Postgres(store) => store.commits(),
        }
    }

    /// Empties a cache layer on every node; on this one at once.
    pub async fn clear_layer(&self, layer: Mark) -> Result<(), StoreError> {
        let mut touched = Touched::default();
        touched.layer(layer);
        self.commits().note(&touched);
        match &self.backend {
            Backend::Sqlite { .. } => Ok(()),
            Backend::Postgres(store) => store.tell(&touched).await,
        }
    }

    /// Where the rows are, for people, when not in the data folder; without a password.
    pub fn place(&self) -> Option<&str> {
        match &self.backend {
            Backend::Sqlite { .. } => None,
            Backend::Postgres(store) => Some(store.place()),
        }
    }

    /// Takes a schema and all that is in it out of a database; for tests, each of which has its own.
    pub fn drop_schema(database: &str, schema: &str) -> Result<(), OpenError> {
        postgres::drop_schema(database, schema)
    }

    /// The secret that nodes with the same rows share: that of the first one that had none.
    pub async fn shared_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let name = format!("secret {name}");
        let (found, own) = (name.clone(), fresh);
        self.write(move |connection| system::keep_secret(connection, &name, &own).map(|()| true)).await?;
        self.read(move |connection| system::secret(connection, &found))
    }

    /// Whether other nodes may read and write the same rows.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Runs an operation or a job; a write is answered only after the flush that covers it. On SQLite reads run on
    /// this thread.
    pub async fn run(&self, call: Call) -> Ended {
        if !self.is_open() {
            return Ended::refused(Refusal::Unavailable);
        }
        let writes = match call.what {
            What::Operation(index) => {
                self.program().operations.get(index as usize).is_none_or(|operation| operation.writes)
            }
            What::Job(_)
            | What::Rows(_)
            | What::RowsAtStart
            | What::Stored
            | What::Invariants
            | What::Handler { .. } => true,
        };
        match &self.backend {
            Backend::Sqlite { readers, writer } if writes || readers.is_earlier(&call) => {
                writer.run(call, None).await
            }
            Backend::Sqlite { readers, .. } => readers.run(call),
            Backend::Postgres(store) => store.run(call, None).await,
        }
    }

    /// Runs an operation that writes, once for its key: a repeat gets the answer that was kept with the effect, also
    /// one that comes while the first is under way, which waits for it.
    pub async fn run_once(&self, call: Call, once: Once) -> OnceEnded {
        if !self.is_open() {
            return OnceEnded::refused(Refusal::Unavailable);
        }
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.once(call, once).await,
            Backend::Postgres(store) => store.run_once(call, once).await,
        }
    }

    /// Removes what is kept no longer at an instant, a bounded number of rows; gives whether more may be left.
    pub async fn prune(&self, now: i64) -> Result<bool, StoreError> {
        let kept_since = now.saturating_sub(BUDGETS_KEPT);
        let ends = |budget: &&Budget| budget.period != BudgetPeriod::Total;
        // A period that began before the one of that instant had ended by then.
        let ended = self.program().budgets.iter().filter(ends);
        let ended: Vec<(Arc<str>, i64)> =
            ended.map(|it| (Arc::clone(&it.name), period_start(it.period, kept_since))).collect();
        self.write(move |connection| {
            let mut spent = 0;
            for (name, before) in &ended {
                spent = spent.max(system::prune_budget(connection, name, *before, PRUNED_AT_ONCE)?);
            }
            let answers = system::prune_answers(connection, now, PRUNED_AT_ONCE)?;
            let before = now.saturating_sub(EVENTS_KEPT);
            let events = system::prune_outbox(connection, before, PRUNED_AT_ONCE)?;
            let left = system::prune_operations(connection, now, PRUNED_AT_ONCE)?;
            let admitted = system::prune_admissions(connection, now, PRUNED_AT_ONCE)?;
            let signed = system::prune_signatures(connection, now, PRUNED_AT_ONCE)?;
            let most = answers.max(events).max(left).max(admitted).max(signed).max(spent);
            Ok(most >= PRUNED_AT_ONCE.unsigned_abs())
        })
        .await
    }

    /// Runs a handler, or a part of one, and removes what it was told in the transaction of the last part; when it is
    /// refused, nothing changes.
    pub async fn run_delivery(&self, call: Call, told: Told) -> Ended {
        if !self.is_open() {
            return Ended::refused(Refusal::Unavailable);
        }
        let told = Told { node: self.node(), ..told };
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.deliver(call, told).await,
            Backend::Postgres(store) => store.deliver(call, told).await,
        }
    }

    /// Where a handler of several parts goes on; nothing when none of them has ended.
    pub fn left_of_delivery(&self, sequence: i64) -> Result<Option<LeftDelivery>, StoreError> {
        let left = self.read(move |connection| system::left_of_delivery(connection, sequence))?;
        Ok(left.map(|left| LeftDelivery {
            state: self.vault().open(&of_delivery(sequence), left.state),
            ..left
        }))
    }

    /// What handlers are to be told next, at most so many, those due first in front.
    pub fn next_deliveries(&self, most: u32) -> Result<Vec<StoredDelivery>, StoreError> {
        let node = self.node();
        self.read(move |connection| system::next_deliveries(connection, &node, i64::from(most)))
    }

    /// The first 10,000 deliveries that are left, the failed ones included, in order.
    pub fn deliveries(&self) -> Result<Vec<StoredDelivery>, StoreError> {
        self.read(system::deliveries)
    }

    /// Notes that a try to deliver failed.
    pub async fn note_attempt(&self, attempt: FailedAttempt) -> Result<bool, StoreError> {
        self.write(move |connection| system::note_attempt(connection, &attempt)).await
    }

    /// Has a failed delivery tried again; false when there is none.
    pub async fn revive_delivery(&self, sequence: i64, now: i64) -> Result<bool, StoreError> {
        self.write(move |connection| system::revive_delivery(connection, sequence, now)).await
    }

    /// Runs a job and notes its next run in the same transaction, also when the job is refused; not when it has
    /// to run again ([`Ended::again`]).
    pub async fn run_job(&self, call: Call, next: NextRun) -> Ended {
        if !self.is_open() {
            return Ended::refused(Refusal::Unavailable);
        }
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.run(call, Some(next)).await,
            Backend::Postgres(store) => store.run(call, Some(next)).await,
        }
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
                match &self.backend {
                    Backend::Sqlite { readers, .. } => readers.value(statement, parameters),
                    Backend::Postgres(store) => store.value(statement, parameters),
                }
            }
            _ => Err(StoreError::Internal("the statement gives no value".into())),
        }
    }

    /// The events of the outbox in its order; all, or those of one name.
    pub fn events(&self, name: Option<&str>) -> Result<Vec<StoredEvent>, StoreError> {
        let name = name.map(str::to_owned);
        self.read(move |connection| system::events(connection, name.as_deref()))
    }

    /// What this process is called among those with the same rows.
    fn node(&self) -> String {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.node(),
            Backend::Postgres(store) => store.node(),
        }
        .to_owned()
    }

    /// Says that this process lives: what it has begun is its own for so long. Where no other process reads the same
    /// rows nothing has to be said.
    pub async fn renew_lease(&self, length: Duration) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let (node, length) = (self.node(), i64::try_from(length.as_micros()).unwrap_or(i64::MAX));
        self.write(move |connection| system::renew_lease(connection, &node, length).map(|()| true)).await?;
        Ok(())
    }

    /// Leaves what this process has begun to others at once.
    pub async fn end_lease(&self) -> Result<(), StoreError> {
        if !self.is_shared() {
            return Ok(());
        }
        let node = self.node();
        self.write(move |connection| system::end_lease(connection, &node).map(|()| true)).await?;
        Ok(())
    }

    /// The oldest operations of several parts that have not ended, at most so many.
    pub fn unfinished(&self, most: u32) -> Result<Vec<Unfinished>, StoreError> {
        let node = self.node();
        self.read(move |connection| system::unfinished(connection, &node, i64::from(most)))
    }

    /// An operation of several parts that has not ended, by its id.
    pub fn unfinished_operation(&self, id: OperationId) -> Result<Option<Unfinished>, StoreError> {
        let node = self.node();
        self.read(move |connection| system::find_operation(connection, &node, Wanted::Id(&id)))
    }

    /// The one that is carried out under a key.
    pub fn unfinished_of_key(&self, key: &OnceKey) -> Result<Option<Unfinished>, StoreError> {
        let (node, key) = (self.node(), key.text());
        self.read(move |connection| system::find_operation(connection, &node, Wanted::Key(&key)))
    }

    /// Makes this process the one that carries an operation on; nothing when the operation has come further than this
    /// step meanwhile. A part that another process has under way does not hold any more.
    pub async fn claim_operation(
        &self,
        id: OperationId,
        step: u64,
    ) -> Result<Option<KeptOperation>, StoreError> {
        let (node, claimed) = (self.node(), Arc::new(Mutex::new(None)));
        let found = Arc::clone(&claimed);
        // Written once more when its transaction is repeated.
        self.write(move |connection| {
            let kept = system::claim_operation(connection, &node, &id, step)?;
            let is_there = kept.is_some();
            *found.lock() = kept;
            Ok(is_there)
        })
        .await?;
        let kept = claimed.lock().take();
        Ok(kept.map(|kept| KeptOperation { state: self.vault().open(&kept.id, kept.state), ..kept }))
    }

    /// Keeps the document of a release, so that what begins under it can be carried on under it.
    pub async fn keep_release(&self, program: &str, document: &str, now: i64) -> Result<(), StoreError> {
        let (program, document) = (program.to_owned(), document.to_owned());
        let keep = move |connection: &mut dyn SystemConnection| {
            system::keep_release(connection, &program, &document, now).map(|()| true)
        };
        self.write(keep).await.map(|_| ())
    }

    /// The document of a release; nothing when it is not kept.
    pub fn release(&self, program: &str) -> Result<Option<String>, StoreError> {
        let program = program.to_owned();
        self.read(move |connection| system::release(connection, &program))
    }

    /// Has calls of an earlier release, whose parts call their program by this name, run with its statements.
    pub fn add_release(&self, name: &str, program: Arc<Program>) -> Result<(), StoreError> {
        let added = match &self.backend {
            Backend::Sqlite { readers, .. } => readers.add_release(name, program),
            Backend::Postgres(store) => store.add_release(name, program),
        };
        added.map_err(StoreError::Internal)
    }

    /// What of the tables that steps of an earlier release use is not as it was, one line each; nothing when they can
    /// go on.
    pub fn changed_since(&self, schema: &Schema, uses: &[TableUse]) -> Result<Vec<String>, StoreError> {
        let record = self.read(system::recorded_tables)?;
        let changed = match &self.backend {
            Backend::Sqlite { .. } => sqlite::changed(schema, uses, &record),
            Backend::Postgres(_) => postgres::changed(schema, uses, &record),
        };
        changed.map_err(StoreError::Internal)
    }

    /// Leaves an operation to a repeat with its key until an instant; absent: for ever.
    pub async fn rest_operation(
        &self,
        (id, step): (OperationId, u64),
        until: Option<i64>,
    ) -> Result<(), StoreError> {
        let until = until.unwrap_or(i64::MAX);
        self.write(move |connection| system::rest_operation(connection, &id, step, until).map(|()| true))
            .await?;
        Ok(())
    }

    /// Forgets an operation that ended with a refusal at its state of this step, and keeps what its caller was
    /// answered under its key; [`StoreError::MovedOn`] when somebody else has carried it on.
    pub async fn end_operation(
        &self,
        (id, step): (OperationId, u64),
        answered: Option<(OnceKey, KeptAnswer)>,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            system::forget_operation(connection, &id, step)?;
            match &answered {
                Some((key, answer)) => system::keep_answer(connection, key, answer, now),
                None => Ok(true),
            }
        })
        .await?;
        Ok(())
    }

    /// Appends an entry to the audit trail, apart from any call.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |connection| audit::append(connection, &entry).map(|()| true)).await.map(|_| ())
    }

    /// Whether an entry of the audit trail waits to be chained, and whether the time of one is over at an instant.
    pub fn audit_due(&self, now: i64) -> Result<(bool, bool), StoreError> {
        self.read(move |connection| audit::due(connection, now))
    }

    /// Chains entries of the audit trail, a bounded number; gives whether more may wait.
    pub async fn chain_audit(&self) -> Result<bool, StoreError> {
        self.write(|connection| audit::chain(connection, PRUNED_AT_ONCE)).await
    }

    /// Removes entries of the audit trail whose time is over, a bounded number; gives whether more may be left.
    pub async fn prune_audit(&self, now: i64) -> Result<bool, StoreError> {
        self.write(move |connection| audit::prune(connection, now, PRUNED_AT_ONCE)).await
    }

    /// How the budgets stand, at most so many accounts; all, or those of one name.
    pub fn budgets(&self, name: Option<&str>, most: u32) -> Result<Vec<StoredBudget>, StoreError> {
        let name = name.map(str::to_owned);
        self.read(move |connection| system::budgets(connection, name.as_deref(), i64::from(most)))
    }

    /// Every key, the revoked ones included, oldest first.
    pub fn load_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read(system::load_keys)
    }

    /// Adds a key, durably, and tells the other nodes.
    pub async fn insert_key(&self, key: StoredKey) -> Result<(), StoreError> {
        self.change_keys(move |connection| system::insert_key(connection, &key).map(|()| true))
            .await
            .map(|_| ())
    }

    /// Revokes a key by its name, and tells the other nodes; false when there is none that is valid.
    pub async fn revoke_key(&self, name: &str, now: i64) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.change_keys(move |connection| system::revoke_key(connection, &name, now)).await
    }

    async fn change_keys(
        &self,
        change: impl Fn(&mut dyn SystemConnection) -> Result<bool, StoreError> + Send + Sync + 'static,
    ) -> Result<bool, StoreError> {
        let touched = Touched::keys(self.commits());
        let telling = match &self.backend {
            Backend::Sqlite { .. } => None,
            Backend::Postgres(store) => store.telling(&touched),
        };
        let changed = self.write(move |connection| {
            let changed = change(connection)?;
            if let Some(telling) = telling.as_ref().filter(|_| changed) {
                connection.execute(telling, &[])?;
            }
            Ok(changed)
        });
        let changed = changed.await?;
        self.commits().note(&touched);
        Ok(changed)
    }

    /// Waits until every other node knows what has been committed, or knows that it does not.
    pub async fn until_all_know(&self) {
        if self.is_shared() {
            // A node that has asked its link nothing for so long trusts its memory no more.
            tokio::time::sleep(HEARD + Duration::from_millis(50)).await;
        }
    }

    /// Notes when keys were last used.
    pub async fn note_key_uses(&self, uses: Vec<(String, i64)>) -> Result<(), StoreError> {
        self.write(move |connection| system::note_uses(connection, &uses).map(|()| true)).await.map(|_| ())
    }

    /// Takes a signature, on every node once; false when it has been taken before.
    pub async fn take_signature(&self, name: &str, until: i64) -> Result<bool, StoreError> {
        if !self.is_open() {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        let (name, fresh) = (name.to_owned(), Arc::new(AtomicBool::new(false)));
        let found = Arc::clone(&fresh);
        self.write(move |connection| {
            let is_fresh = system::take_signature(connection, &name, until)?;
            found.store(is_fresh, Ordering::SeqCst);
            Ok(is_fresh)
        })
        .await?;
        Ok(fresh.load(Ordering::SeqCst))
    }

    /// The next runs of the jobs that have run before.
    pub fn next_runs(&self) -> Result<Vec<NextRun>, StoreError> {
        self.read(system::next_runs)
    }

    /// Notes when a job runs next, apart from any run.
    pub async fn set_next_run(&self, next: NextRun) -> Result<(), StoreError> {
        self.write(move |connection| system::set_next_run(connection, &next).map(|()| true)).await.map(|_| ())
    }

    /// Reads the store's own tables. May run more than once.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&mut dyn SystemConnection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.system(read),
            Backend::Postgres(store) => store.read(read),
        }
    }

    /// Writes the store's own tables in a transaction. May run more than once.
    pub(crate) async fn write(
        &self,
        write: impl Fn(&mut dyn SystemConnection) -> Result<bool, StoreError> + Send + Sync + 'static,
    ) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.system(Box::new(write)).await,
            Backend::Postgres(store) => store.write(write).await,
        }
    }

    /// Whether it reads and writes; for `/readyz`.
    pub fn is_available(&self) -> bool {
        let away = match &self.backend {
            Backend::Sqlite { .. } => false,
            Backend::Postgres(store) => store.is_away(),
        };
        self.is_open() && !away
    }

    fn is_open(&self) -> bool {
        self.available.load(Ordering::Relaxed) && !self.closed.load(Ordering::Relaxed)
    }

    /// Makes every call end as unavailable, or ends that; for faults that flows ask for.
    pub fn set_available(&self, available: bool) {
        self.available.store(available, Ordering::Relaxed);
    }

    /// Takes no more calls, waits for those under way, and closes the database.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        match &self.backend {
            Backend::Sqlite { readers, writer } => {
                readers.close();
                writer.close().await;
            }
            Backend::Postgres(store) => store.close().await,
        }
    }
}
