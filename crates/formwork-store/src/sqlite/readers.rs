//! Connections that read, one per thread that reads at a time, kept for the next.

use super::connection::{Deadline, Statements, open_reader};
use super::dialect::Sqlite;
use super::errors::Keys;
use super::system::OnSqlite;
use super::transaction::{Fault, Shared, SqliteTransaction, bind_all, one_value};
use crate::commits::Commits;
use crate::options::Options;
use crate::releases::Releases;
use crate::rules::runs_many;
use crate::statements::{self, Compiled};
use crate::system::SystemConnection;
use crate::vault::Vault;
use formwork_engine::{Call, Ended, IdSource, Refusal, StoreError, What, run};
use formwork_language::program::{Program, Statement};
use formwork_language::value::Value;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;

struct Reader {
    connection: Connection,
    deadline: Arc<Deadline>,
    ids: IdSource,
}

/// The readers of a store.
pub(crate) struct Readers {
    options: Options,
    shared: Arc<Shared>,
    idle: Mutex<Vec<Reader>>,
    /// Per operation: whether it runs more than one statement, which must see one snapshot.
    many: Vec<bool>,
}

impl Readers {
    pub(crate) fn new(options: Options, shared: Arc<Shared>) -> Self {
        let many = shared.program.operations.iter().map(|operation| runs_many(&operation.code)).collect();
        Self { options, shared, idle: Mutex::new(Vec::new()), many }
    }

    /// Runs an operation that only reads, on this thread.
    pub(crate) fn run(&self, call: Call) -> Ended {
        let What::Operation(operation) = call.what else {
            return Ended::refused(Refusal::Internal("jobs run on the writer".into()));
        };
        let many = self.many.get(operation as usize).copied().unwrap_or(true);
        let ended = self.with(|reader| {
            let connection = &reader.connection;
            if many {
                connection.prepare_cached("BEGIN")?.execute([])?;
            }
            reader.deadline.set(self.options.work);
            let deadline = &reader.deadline;
            let mut statements = Statements::Cached;
            let mut transaction = SqliteTransaction::new(connection, &mut statements, &self.shared);
            let ended =
                run(&self.shared.program, call, &mut transaction, &mut reader.ids, &|| deadline.has_passed());
            reader.deadline.clear();
            if many {
                connection.prepare_cached("COMMIT")?.execute([])?;
            }
            Ok(ended)
        });
        ended.unwrap_or_else(|_| Ended::refused(Refusal::Unavailable))
    }

    /// Runs a statement that is not the program's and gives one value.
    pub(crate) fn value(&self, statement: &Statement, parameters: &[Value]) -> Result<Value, StoreError> {
        let prepared = statements::statement(&Sqlite, &self.shared.program.schema, statement)
            .map_err(StoreError::Internal)?;
        let value = self.with(|reader| {
            let mut statement = reader.connection.prepare(&prepared.sql)?;
            let bound = bind_all(&mut statement, &prepared, parameters);
            Ok(bound.and_then(|()| one_value(&mut statement, &prepared.gives)))
        });
        match value {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Fault::Store(error))) => Err(error),
            Ok(Err(Fault::Sqlite(error))) | Err(error) => Err(self.shared.keys.fault(error, prepared.entity)),
        }
    }

    /// Runs something that reads the store's own tables.
    pub(crate) fn system<T>(
        &self,
        read: impl FnOnce(&mut dyn SystemConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(|reader| Ok(read(&mut OnSqlite(&reader.connection))))
            .unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }

    /// Lends a reader; one whose use failed is closed.
    fn with<T>(&self, run: impl FnOnce(&mut Reader) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let (connection, deadline) =
                    open_reader(&self.options, self.shared.compiled.statements.len() + 16)?;
                Reader { connection, deadline, ids: IdSource::new() }
            }
        };
        let done = run(&mut reader)?;
        if reader.connection.is_autocommit() {
            self.idle.lock().push(reader);
        }
        Ok(done)
    }

    /// Closes the idle readers.
    pub(crate) fn close(&self) {
        self.idle.lock().clear();
    }
}

/// The program of the readers' store.
impl Readers {
    /// What this process is called.
    pub(crate) fn node(&self) -> &str {
        &self.shared.node
    }

    /// Takes up an earlier release.
    pub(crate) fn add_release(&self, name: &str, program: Arc<Program>) -> Result<(), String> {
        let release = Shared {
            node: self.shared.node.clone(),
            keys: Keys::new(&program.schema),
            vault: Arc::clone(&self.shared.vault),
            commits: Arc::clone(&self.shared.commits),
            releases: Releases::default(),
            compiled: Compiled::new(&Sqlite, &program)?,
            program,
        };
        self.shared.releases.add(name, release);
        Ok(())
    }

    /// Whether a call is of an earlier release.
    pub(crate) fn is_earlier(&self, call: &Call) -> bool {
        self.shared.releases.of(call).is_some()
    }

    /// Which commit last touched what.
    pub(crate) fn commits(&self) -> &Arc<Commits> {
        &self.shared.commits
    }

    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.shared.program
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }
}
