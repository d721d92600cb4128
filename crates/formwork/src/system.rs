//! Fresh systems for tests: our own server on free ports, in a temporary folder, with the test clock.

use formwork_check::Analysis;
use formwork_prove::{LaunchError, Launcher, System, Wanted};
use formwork_server::{ClockChoice, Config, Secrets, UpstreamAddress, start};
use formwork_store::Store;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Starts a system of one document, again and again.
pub(crate) struct FreshSystems<'a> {
    /// The document.
    analysis: &'a Analysis,
    /// The database in which each gets a schema of its own; else each has a file in its folder.
    database: Option<String>,
    started: AtomicU64,
}

impl<'a> FreshSystems<'a> {
    /// Systems of a document.
    pub(crate) fn new(analysis: &'a Analysis, database: Option<String>) -> Self {
        Self { analysis, database, started: AtomicU64::new(0) }
    }

    /// A name that no other test of this database has.
    fn fresh_schema(&self) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        format!("formwork_test_{since}_{}_{number}", std::process::id())
    }
}

impl Launcher for FreshSystems<'_> {
    async fn launch(&self, wanted: &Wanted) -> Result<System, LaunchError> {
        let folder = tempfile::Builder::new()
            .prefix("formwork-test-")
            .tempdir()
            .map_err(|error| LaunchError(format!("no temporary folder: {error}")))?;
        let schema = self.database.as_ref().map(|_| self.fresh_schema());
        let own = self.database.clone().zip(schema.clone());
        let any = ([127, 0, 0, 1], 0).into();
        let config = Config {
            public: any,
            internal: any,
            admin: any,
            database: self.database.clone(),
            schema: schema.clone(),
            // Killed, it is not looked at again.
            durable: false,
            clock: wanted.clock.map_or(ClockChoice::Test, ClockChoice::TestFrom),
            upstreams: upstreams(wanted),
            secrets: Secrets::Test,
            ..Config::new(folder.path().join("data"))
        };
        let data = config.data.clone();
        let running = start(config, self.analysis).await.map_err(|error| LaunchError(error.to_string()))?;
        let addresses = running.addresses();
        Ok(System {
            public: addresses.public,
            internal: addresses.internal,
            admin: addresses.admin,
            admin_key: admin_key(&data)?,
            stop: Box::new(move || {
                Box::pin(async move {
                    running.shutdown().await;
                    if let Some((database, schema)) = own {
                        // A schema that stays behind is in nobody's way; the next test has another.
                        let drop = move || Store::drop_schema(&database, &schema);
                        let _ = tokio::task::spawn_blocking(drop).await;
                    }
                    drop(folder);
                })
            }),
        })
    }
}

/// The control plane's key, as `run.json` names it.
fn admin_key(data: &Path) -> Result<String, LaunchError> {
    let file = data.join("run.json");
    let text = std::fs::read_to_string(&file)
        .map_err(|error| LaunchError(format!("no {}: {error}", file.display())))?;
    let run: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| LaunchError(format!("run.json is no JSON: {error}")))?;
    run["admin_key"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| LaunchError("run.json names no admin key".to_owned()))
}

/// Where the external components are that the test plays.
fn upstreams(wanted: &Wanted) -> Vec<UpstreamAddress> {
    let address = |(component, address): &(String, std::net::SocketAddr)| UpstreamAddress {
        component: component.clone(),
        base: format!("http://{address}"),
    };
    wanted.upstreams.iter().map(address).collect()
}
