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

/// Changes the rows of a data folder behind the system's back.
pub(crate) async fn tamper(data: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(data.join("formwork.db")).expect("opens");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("waits");
    connection.execute_batch(sql).expect("changes");
}
