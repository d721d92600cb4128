//! Reads documents from files and standard input, and says in one line why one cannot be read.

use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The largest document that is read. Every byte costs several bytes of memory while it is analysed.
pub(crate) const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// A document.
pub(crate) struct Source {
    /// As the user named it.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: Arc<str>,
}

/// Reads the document at `path`; `-` is standard input.
pub(crate) fn read(path: &str) -> Result<Source> {
    let bytes = if path == "-" {
        limited(std::io::stdin().lock(), "standard input")?
    } else {
        read_file(Path::new(path), path)?
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            bail!("{path} is not UTF-8: invalid byte at offset {at} (line {line})")
        }
    };
    Ok(Source { path: path.to_owned(), text: text.into() })
}

fn read_file(file: &Path, name: &str) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {name}"))?;
    if metadata.is_dir() {
        bail!("{name} is a directory, not a document");
    }
    if metadata.len() > MAX_BYTES {
        return Err(too_large(name));
    }
    limited(std::fs::File::open(file).with_context(|| format!("cannot read {name}"))?, name)
}

/// Reads to the end, and no further than the limit: a pipe or device does not tell its length beforehand.
fn limited(input: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(name));
    }
    Ok(bytes)
}

fn too_large(name: &str) -> anyhow::Error {
    anyhow::anyhow!("{name} is larger than {} MiB, the most that is read", MAX_BYTES / (1024 * 1024))
}
