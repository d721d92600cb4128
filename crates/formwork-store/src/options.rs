//! How a store is opened.

use crate::driver::Driver;
use crate::vault::VariablesKey;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Told of every commit of the writer: how long the flush took and how many calls it covers.
pub type CommitObserver = Arc<dyn Fn(Duration, usize) + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// The database file; its folder is the data folder, made when it is absent, and holds the lock as well.
    pub path: PathBuf,
    /// Calls that may wait for the writer; one more is refused as overloaded. 4,096 by default.
    pub queue: usize,
    /// Time that one call may work before it is refused as too much work. 1 s by default.
    pub work: Duration,
    /// The page cache of the writer and of each reader, in KiB. 16 MiB by default.
    pub cache_kib: u32,
    /// Where the rows are, when not in that file: `postgres://user@host/database`. The file's folder stays the data
    /// folder of this node.
    pub database: Option<String>,
    /// The schema of that database to use instead of the usual one; made when it does not exist. For tests.
    pub schema: Option<String>,
    /// Connections to that database. 16 by default.
    pub connections: usize,
    /// How long a call that others are in the way of is repeated before it is refused as unavailable. 10 s by default.
    pub patience: Duration,
    /// Whether a commit waits until the disk has it; true by default. Only a database that is thrown away goes without,
    /// such as a test's. PostgreSQL decides for itself.
    pub flushes: bool,
    /// The name of a registered SQLite VFS to use instead of the default one; for tests of durability.
    pub vfs: Option<String>,
    /// What states between two parts are sealed with. Without it a data folder makes a key of its own; in a database that
    /// nodes share they are kept as they are.
    pub variables_key: Option<VariablesKey>,
    /// Told of every commit.
    pub on_commit: Option<CommitObserver>,
    /// Says when the writer works, in a simulation; otherwise it has a thread of its own.
    pub driver: Option<Arc<dyn Driver>>,
}

impl Options {
    /// The defaults for a database file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            queue: 4096,
            work: Duration::from_secs(1),
            cache_kib: 16 * 1024,
            database: None,
            schema: None,
            connections: 16,
            patience: Duration::from_secs(10),
            flushes: true,
            vfs: None,
            variables_key: None,
            on_commit: None,
            driver: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("path", &self.path).finish_non_exhaustive()
    }
}
