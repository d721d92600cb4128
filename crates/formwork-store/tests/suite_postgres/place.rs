//! Where the stores of this suite keep their rows: each in a schema of its own, on the server of this process.

use formwork_store::Options;
use formwork_temporary_postgres::{fresh_name, server};
use tempfile::TempDir;

/// A place that no other test has; gone with the server.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) schema: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), schema: fresh_name() }
    }

    /// How a store is opened there.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(self.folder.path().join("data.sqlite"));
        options.database = Some(server().url());
        options.schema = Some(self.schema.clone());
        options.connections = 4;
        options
    }
}
