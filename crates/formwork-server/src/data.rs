//! The server's own files in the data folder: `run.json`, the secret that cursors are bound with, and the document.

use crate::config::Addresses;
use crate::json::write_text;
use crate::random;
use crate::start::StartError;
use std::path::{Path, PathBuf};

/// Writes `run.json`, which tells other commands where this server is and how to speak to it.
pub(crate) fn write_run_file(
    data: &Path,
    addresses: Addresses,
    admin_key: &str,
) -> Result<PathBuf, StartError> {
    let mut out = format!("{{\"pid\":{}", std::process::id()).into_bytes();
    let members = [
        ("public", addresses.public.to_string()),
        ("internal", addresses.internal.to_string()),
        ("admin", addresses.admin.to_string()),
        ("admin_key", admin_key.to_owned()),
    ];
    for (name, value) in members {
        out.push(b',');
        write_text(&mut out, name);
        out.push(b':');
        write_text(&mut out, &value);
    }
    out.extend_from_slice(b"}\n");
    let path = data.join("run.json");
    write_private(&path, &out)?;
    Ok(path)
}

/// The document that the data was last run with, so that a command without one can open it.
const DOCUMENT: &str = "document.md";

/// Keeps the document beside its data.
pub(crate) fn write_document(data: &Path, source: &str) -> Result<(), StartError> {
    write_private(&data.join(DOCUMENT), source.as_bytes())
}

/// The document that the data was last run with.
pub(crate) fn read_document(data: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(data.join(DOCUMENT))
}

/// The folder's secret, made on first use. It survives a restart, so that a walk through pages does too.
pub(crate) fn secret(data: &Path) -> Result<[u8; 32], StartError> {
    let path = data.join("cursors.key");
    if let Ok(bytes) = std::fs::read(&path)
        && let Ok(secret) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(secret);
    }
    let secret = random::bytes()?;
    write_private(&path, &secret)?;
    Ok(secret)
}

/// Puts a file in place whole, readable by its owner alone.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
    formwork_store::write_private(path, bytes)
        .map_err(|error| StartError::Write { path: path.to_owned(), problem: error.to_string() })
}
