//! Where the systems of this suite keep their rows: each data folder has a schema of its own, on the server of this
//! process.

use formwork_server::Config;
use formwork_store::Options;
use formwork_temporary_postgres::server;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

fn schema(data: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    format!("test_{:016x}", hasher.finish())
}

/// A configuration that keeps its rows where this suite does; the same for the same folder.
pub(crate) fn placed(config: Config) -> Config {
    let schema = Some(schema(&config.data));
    Config { database: Some(server().url()), schema, ..config }
}

/// How the store of a data folder is opened without a server.
pub(crate) fn options(data: &Path) -> Options {
    let mut options = Options::new(data.join("formwork.db"));
    options.database = Some(server().url());
    options.schema = Some(schema(data));
    options
}

/// The database of a data folder: an address may say itself in which schema the rows are.
pub(crate) fn database(data: &Path) -> Option<String> {
    Some(format!("{}?options=-csearch_path%3D{}", server().url(), schema(data)))
}

/// Changes the rows of a data folder behind the system's back.
pub(crate) async fn tamper(data: &Path, sql: &str) {
    let address = database(data).expect("there is one");
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("connects");
    let under_way = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("changes");
    drop(client);
    let _ = under_way.await;
}
