//! Counts what a stopped server has left in its database: the writes that it acknowledged, and no others.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rusqlite::Connection;

const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Rows per table of section 6, and of the outbox.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) links: u64,
    pub(crate) visits: u64,
    pub(crate) events: u64,
}

/// Counts the rows in the database that lies somewhere in the folder.
pub(crate) fn count(folder: &Path) -> anyhow::Result<Rows> {
    let path = find_database(folder)?.with_context(|| format!("no database in {}", folder.display()))?;
    let connection = Connection::open(&path)?;
    let count = |table: &str| -> anyhow::Result<u64> {
        let sql = format!(r#"SELECT count(*) FROM "{table}""#);
        let count: i64 = connection
            .query_row(&sql, [], |row| row.get(0))
            .with_context(|| format!("no table `{table}` in {}", path.display()))?;
        Ok(u64::try_from(count)?)
    };
    Ok(Rows { links: count("link")?, visits: count("visit")?, events: count("_outbox")? })
}

/// The first SQLite file with a table `link`, in the folder or below it.
fn find_database(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            find_database(&path)?
        } else if is_sqlite(&path) && has_links(&path) {
            Some(path)
        } else {
            None
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn is_sqlite(path: &Path) -> bool {
    let mut header = [0; 16];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok()
        && header == *SQLITE_HEADER
}

fn has_links(path: &Path) -> bool {
    Connection::open(path).and_then(|connection| connection.table_exists(None, "link")).unwrap_or(false)
}
