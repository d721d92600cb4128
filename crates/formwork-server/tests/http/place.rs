//! Where the systems of this suite keep their rows: in their data folders.

use formwork_server::Config;
use formwork_store::Options;
use std::path::Path;

/// A configuration that keeps its rows where this suite does.
pub(crate) fn placed(config: Config) -> Config {
    config
}

/// How the store of a data folder is opened without a server.
pub(crate) fn options(data: &Path) -> Options {
    Options::new(data.join("formwork.db"))
}

/// The database of a data folder, when the rows are not in it.
pub(crate) fn database(_: &Path) -> Option<String> {
    None
}
