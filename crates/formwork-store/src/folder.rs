//! The data folder: made for its owner only, and used by one process at a time.

use crate::error::OpenError;
use crate::vault::VariablesKey;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A folder that is made here is for its owner only, since it holds rows and the hashes of keys; one that is there
/// already keeps the mode that somebody gave it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What the process of a folder is called among those with the same rows. The name stays with the folder, since only
/// one process at a time has it: whoever has it next is heir to what the one before has begun.
pub(crate) fn node_name(file: &Path, fresh: impl FnOnce() -> String) -> Result<String, OpenError> {
    let folder = folder_of(file);
    let path = folder.join("node");
    let not_writable =
        |error: std::io::Error| OpenError::NotWritable { path: folder.to_owned(), cause: error.to_string() };
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        Ok(_) => fresh_name(&path, fresh()).map_err(not_writable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fresh_name(&path, fresh()).map_err(not_writable)
        }
        Err(error) => Err(not_writable(error)),
    }
}

/// The folder's own key for what is kept between two parts, made on first use and readable by its owner alone. Who has
/// the database without it reads none of that, and an operation that was under way is left.
pub(crate) fn variables_key(file: &Path) -> Result<VariablesKey, OpenError> {
    let folder = folder_of(file);
    let path = folder.join("variables.key");
    let not_writable =
        |error: std::io::Error| OpenError::NotWritable { path: folder.to_owned(), cause: error.to_string() };
    match std::fs::read(&path) {
        Ok(bytes) => <[u8; 32]>::try_from(bytes)
            .map(VariablesKey)
            .map_err(|_| not_writable(std::io::Error::other("variables.key is not a key of 32 bytes"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            aws_lc_rs::rand::fill(&mut key)
                .map_err(|_| not_writable(std::io::Error::other("the system gives no random bytes")))?;
            write_private(&path, &key).map_err(not_writable)?;
            Ok(VariablesKey(key))
        }
        Err(error) => Err(not_writable(error)),
    }
}

/// Puts a file in place whole, readable by its owner alone.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let next = path.with_extension("new");
    // A leftover of a crash may have other rights.
    let _ = std::fs::remove_file(&next);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&next, path)
}

fn fresh_name(path: &Path, name: String) -> std::io::Result<String> {
    std::fs::write(path, format!("{name}\n")).map(|()| name)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The lock lives as long as the file is open, and ends with the process however that ends.
pub(crate) fn lock_folder(file: &Path) -> Result<File, OpenError> {
    let folder = folder_of(file);
    let not_writable =
        |error: std::io::Error| OpenError::NotWritable { path: folder.to_owned(), cause: error.to_string() };
    make_private(folder).map_err(not_writable)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(not_writable(error)),
    }
}
