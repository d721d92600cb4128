//! A connection of its own to a file that a store may have open: it reads one state of it, and writes nothing.

use super::system::OnSqlite;
use crate::error::OpenError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Reads beside the store.
pub(crate) struct OwnConnection(Connection);

impl OwnConnection {
    /// Opens a file that is there.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed =
            |error: rusqlite::Error| OpenError::Other { path: path.to_owned(), cause: error.to_string() };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        // All that follows sees the same state.
        connection.execute_batch("BEGIN").map_err(failed)?;
        Ok(Self(connection))
    }

    /// For the store's own tables.
    pub(crate) fn system(&self) -> OnSqlite<'_> {
        OnSqlite(&self.0)
    }
}
