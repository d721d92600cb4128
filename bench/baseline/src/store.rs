//! The SQLite file: its tables, the settings of its connections, and point reads.
//!
//! Columns and indexes are those of section 6 of `examples/shortlink.md`, with the hidden `_version` and the
//! outbox that the language gives every document. Writing is left to `writer`.

use std::cell::RefCell;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Statement};

/// Identities are 16-byte UUIDv7, times are microseconds since 1970.
const SCHEMA: &str = r#"
CREATE TABLE IF NOT EXISTS "link" (
    "id" BLOB NOT NULL PRIMARY KEY,
    "slug" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "visit_count" INTEGER NOT NULL DEFAULT 0 CHECK ("visit_count" >= 0),
    "expires_at" INTEGER,
    "created_at" INTEGER NOT NULL,
    "_version" INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS "link_slug" ON "link" ("slug");
CREATE INDEX IF NOT EXISTS "link_owner_id_created_at" ON "link" ("owner_id", "created_at" DESC);
CREATE TABLE IF NOT EXISTS "visit" (
    "id" BLOB NOT NULL PRIMARY KEY,
    "link_id" BLOB NOT NULL REFERENCES "link" ("id") ON DELETE CASCADE,
    "visited_at" INTEGER NOT NULL,
    "_version" INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "visit_link_id_visited_at" ON "visit" ("link_id", "visited_at" DESC);
CREATE TABLE IF NOT EXISTS "_outbox" (
    "id" BLOB NOT NULL PRIMARY KEY,
    "event" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"#;

/// A link by its slug, in the order in which `http` writes its fields.
const READ_LINK: &str = r#"SELECT "id", "slug", "url", "owner_id", "visit_count", "expires_at", "created_at"
    FROM "link" WHERE "slug" = ?1"#;

/// The connection that writes; makes the tables when they are absent.
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Otherwise what a savepoint may have to undo goes to a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

thread_local! {
    /// The point read of this thread; none before `open_reader`.
    static READER: RefCell<Option<Statement<'static>>> = const { RefCell::new(None) };
}

/// Gives this thread a read-only connection with its statement prepared.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Kept until the process ends, one per worker: the statement borrows it for good.
    let connection: &'static Connection = Box::leak(Box::new(Connection::open_with_flags(path, flags)?));
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    READER.set(Some(connection.prepare(READ_LINK)?));
    Ok(())
}

/// Hands the row of a slug to `use_row` where it lies; `None` when there is no such link.
pub(crate) fn read_link<T>(
    slug: &str,
    use_row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    READER.with_borrow_mut(|reader| match reader {
        Some(statement) => statement.query_row([slug], use_row).optional(),
        None => Err(rusqlite::Error::InvalidQuery),
    })
}
