//! Puts a new text in a file's place, all of it or nothing: whoever reads the file sees the old text or the new one.

use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;

/// Replaces what a file holds. Its permissions stay, and where the name is a link, the file that it leads to is
/// replaced. On an error the file is left as it was.
pub(crate) fn replace(path: &str, text: &str) -> Result<()> {
    let cannot = || format!("cannot write {path}");
    let file = std::fs::canonicalize(path).unwrap_or_else(|_| Path::new(path).to_owned());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside =
        tempfile::Builder::new().prefix(".formwork-").tempfile_in(folder).with_context(cannot)?;
    beside.write_all(text.as_bytes()).with_context(cannot)?;
    beside.as_file().sync_all().with_context(cannot)?;
    if let Ok(metadata) = std::fs::metadata(&file) {
        beside.as_file().set_permissions(metadata.permissions()).with_context(cannot)?;
    }
    beside.persist(&file).map(drop).map_err(|error| error.error).with_context(cannot)
}

/// Writes a file that must not exist yet.
pub(crate) fn create(path: &str, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
