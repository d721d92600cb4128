//! Connections and their settings, and the statements that each has prepared.

use super::functions;
use crate::options::Options;
use rusqlite::{Connection, OpenFlags, Result, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Virtual machine steps between two looks at the clock inside one statement.
const STEPS_BETWEEN_LOOKS: std::ffi::c_int = 20_000;

/// Until when the call of a connection may work.
#[derive(Debug)]
pub(crate) struct Deadline {
    start: Instant,
    /// Microseconds since `start`; the largest number stands for no end.
    until: AtomicU64,
}

impl Deadline {
    fn new() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(u64::MAX) }
    }

    /// From now on for so long.
    pub(crate) fn set(&self, work: Duration) {
        let until = (self.start.elapsed() + work).as_micros();
        self.until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// No end.
    pub(crate) fn clear(&self) {
        self.until.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether it has passed.
    pub(crate) fn has_passed(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until != u64::MAX && self.start.elapsed().as_micros() > u128::from(until)
    }
}

fn open(options: &Options, flags: OpenFlags) -> Result<(Connection, Arc<Deadline>)> {
    let mut connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&options.path, flags, vfs.as_str())?,
        None => Connection::open_with_flags(&options.path, flags)?,
    };
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Otherwise what a savepoint may have to undo goes to a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    // A typing mistake in a name is an error and not a text.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    functions::register(&connection)?;
    let deadline = Arc::new(Deadline::new());
    let looked_at = Arc::clone(&deadline);
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || looked_at.has_passed()))?;
    Ok((connection, deadline))
}

/// The connection that writes. Every commit is flushed; checkpoints are the writer's own.
pub(crate) fn open_writer(options: &Options) -> Result<(Connection, Arc<Deadline>)> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(options, flags)
}

/// What only holds of a database that is known to be ours.
pub(crate) fn make_durable(connection: &Connection, options: &Options) -> Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", if options.flushes { "full" } else { "off" })?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

/// A connection that reads. It never waits for the writer.
pub(crate) fn open_reader(options: &Options, statements: usize) -> Result<(Connection, Arc<Deadline>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let (connection, deadline) = open(options, flags)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    connection.set_prepared_statement_cache_capacity(statements);
    Ok((connection, deadline))
}

/// The statements of a connection, prepared when they are first used.
pub(crate) enum Statements<'c> {
    /// Held by number: fastest, but they borrow the connection.
    Held(Vec<Option<Statement<'c>>>),
    /// Kept by the connection itself, found by their text.
    Cached,
}

impl<'c> Statements<'c> {
    /// None yet, for so many.
    pub(crate) fn held(count: usize) -> Self {
        Self::Held((0..count).map(|_| None).collect())
    }

    /// Runs something on a statement.
    pub(crate) fn with<T>(
        &mut self,
        connection: &'c Connection,
        number: usize,
        sql: &str,
        run: impl FnOnce(&mut Statement<'_>) -> T,
    ) -> Result<T> {
        if let Self::Held(held) = self
            && let Some(place) = held.get_mut(number)
        {
            let statement = match place {
                Some(statement) => statement,
                None => place.insert(connection.prepare(sql)?),
            };
            return Ok(run(statement));
        }
        Ok(run(&mut *connection.prepare_cached(sql)?))
    }
}
