//! Where the stores of this suite keep their rows: each in a folder of its own.

use formwork_store::Options;
use tempfile::TempDir;

/// A place that no other test has; gone when dropped.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// How a store is opened there.
    pub(crate) fn options(&self) -> Options {
        Options::new(self.folder.path().join("data.sqlite"))
    }
}
