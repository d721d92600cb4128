//! The data folder: made for its owner only, and used by one process at a time.

use crate::error::OpenError;
use std::fs::File;
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

/// The lock lives as long as the file is open, and ends with the process however that ends.
pub(crate) fn lock_folder(file: &Path) -> Result<File, OpenError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
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
