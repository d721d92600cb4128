//! What a flow talks to: the server of this repository on free ports, in a temporary folder, with the test clock, and its
//! rows there or in the PostgreSQL server of a test process.

use formwork_check::Analysis;
use formwork_prove::{LaunchError, Launcher, System, Wanted};
use formwork_server::{ClockChoice, Config, Secrets, UpstreamAddress, start};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where this process's systems keep their rows, when not in their folders.
static DATABASE: OnceLock<String> = OnceLock::new();

/// Numbers their schemas.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Has every system of this process keep its rows in a PostgreSQL database, each in a schema of its own.
pub fn keep_rows_in(database: String) {
    // The first one holds: it is said once, at the beginning.
    let _ = DATABASE.set(database);
}

/// Starts fresh systems of one document.
pub struct Systems<'a> {
    /// The document.
    pub analysis: &'a Analysis,
}

impl Launcher for Systems<'_> {
    async fn launch(&self, wanted: &Wanted) -> Result<System, LaunchError> {
        let told = |error: &dyn std::fmt::Display| LaunchError(error.to_string());
        let folder = tempfile::tempdir().map_err(|error| told(&error))?;
        let any = ([127, 0, 0, 1], 0).into();
        let data = folder.path().join("data");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let config = Config {
            database: DATABASE.get().cloned(),
            schema: DATABASE.get().map(|_| format!("page_{number}")),
            public: any,
            internal: any,
            admin: any,
            clock: wanted.clock.map_or(ClockChoice::Test, ClockChoice::TestFrom),
            upstreams: upstreams(wanted),
            secrets: Secrets::Test,
            ..Config::new(data.clone())
        };
        let running = start(config, self.analysis).await.map_err(|error| told(&error))?;
        let run = std::fs::read_to_string(data.join("run.json")).map_err(|error| told(&error))?;
        let run: serde_json::Value = serde_json::from_str(&run).map_err(|error| told(&error))?;
        let addresses = running.addresses();
        Ok(System {
            public: addresses.public,
            internal: addresses.internal,
            admin: addresses.admin,
            admin_key: run["admin_key"].as_str().unwrap_or_default().to_owned(),
            stop: Box::new(move || {
                Box::pin(async move {
                    running.shutdown().await;
                    drop(folder);
                })
            }),
        })
    }
}

/// Where the external components are that the test plays.
fn upstreams(wanted: &Wanted) -> Vec<UpstreamAddress> {
    let address = |(component, address): &(String, std::net::SocketAddr)| UpstreamAddress {
        component: component.clone(),
        base: format!("http://{address}"),
    };
    wanted.upstreams.iter().map(address).collect()
}
