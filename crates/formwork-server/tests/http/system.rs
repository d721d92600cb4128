//! Systems under test.

use crate::client::{Ask, ask};
use crate::place::placed;
use formwork_check::{Analysis, analyse};
use formwork_server::{ClockChoice, Config, Limits, Means, Running, Secrets, TokenSource, start_within};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

/// A running system in a folder of its own.
pub(crate) struct System {
    pub(crate) running: Running,
    pub(crate) folder: TempDir,
}

/// The example that must run.
pub(crate) static SHORTLINK: LazyLock<Analysis> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/shortlink.md");
    analyse(std::fs::read_to_string(path).expect("the example").into())
});

/// A document about the edge: pages of other origins, an upstream, an operation that will go.
pub(crate) static EDGE: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = formwork_check::analyse_fragment(include_str!("../documents/edge.md").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
});

/// A configuration on free ports, with the test clock.
pub(crate) fn config(data: PathBuf) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    placed(Config { public: any, internal: any, admin: any, clock: ClockChoice::Test, ..Config::new(data) })
}

/// What was dropped lets the folder go when its runtime has looked at it once more.
pub(crate) async fn until_free(folder: TempDir) -> TempDir {
    let lock = std::fs::File::open(folder.path().join("data/lock")).expect("there");
    while lock.try_lock().is_err() {
        tokio::task::yield_now().await;
    }
    folder
}

/// While it is held, snapshots have names of their own: both suites share them.
pub(crate) fn shared_snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.bind_to_scope()
}

impl System {
    /// Shortlink with the usual limits.
    pub(crate) async fn shortlink() -> Self {
        Self::start(&SHORTLINK, Limits::default()).await
    }

    pub(crate) async fn start(analysis: &Analysis, limits: Limits) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), analysis, limits).await
    }

    pub(crate) async fn start_in(folder: TempDir, analysis: &Analysis, limits: Limits) -> Self {
        let config = config(folder.path().join("data"));
        let running = start_within(config, limits, analysis).await.expect("starts");
        Self { running, folder }
    }

    /// Stops it and keeps its folder.
    pub(crate) async fn stop(self) -> TempDir {
        self.running.shutdown().await;
        self.folder
    }

    pub(crate) fn public(&self, line: &str) -> Ask {
        ask(self.running.addresses().public, line)
    }

    pub(crate) fn internal(&self, line: &str) -> Ask {
        ask(self.running.addresses().internal, line)
    }

    /// A request of the operator, with the admin key.
    pub(crate) fn admin(&self, line: &str) -> Ask {
        let bearer = format!("Bearer {}", self.admin_key());
        ask(self.running.addresses().admin, line).header("authorization", &bearer)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn admin_key(&self) -> String {
        let run = std::fs::read_to_string(self.data().join("run.json")).expect("run.json");
        let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
        run["admin_key"].as_str().expect("a key").to_owned()
    }

    /// The first start's key of a role.
    pub(crate) fn first_key(&self, role: &str) -> String {
        let keys = self.running.first_keys();
        keys.iter().find(|key| key.role == role).unwrap_or_else(|| panic!("no key for {role}")).key.clone()
    }

    /// A new key.
    pub(crate) async fn key(&self, role: &str, id: &str) -> String {
        let body = format!(r#"{{"role":"{role}","id":"{id}"}}"#);
        let made = self.admin("POST /keys").json(&body).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["key"].as_str().expect("a key").to_owned()
    }

    /// Moves the clock on.
    pub(crate) async fn advance(&self, by: &str) -> String {
        let moved = self.admin("POST /clock").json(&format!(r#"{{"advance":"{by}"}}"#)).send().await;
        assert_eq!(moved.status, 200, "{moved:?}");
        moved.json()["now"].as_str().expect("a time").to_owned()
    }

    /// How many rows fit.
    pub(crate) async fn count(&self, question: &str) -> u64 {
        let counted = self.admin("POST /probe/count").json(question).send().await;
        assert_eq!(counted.status, 200, "{counted:?}");
        counted.json()["count"].as_u64().expect("a count")
    }
}

/// What of a document would not be kept, in words.
pub(crate) fn unkept(analysis: &Analysis) -> Vec<String> {
    let means = Means { tokens: &TokenSource::default(), secrets: Secrets::Test };
    formwork_server::unkept(analysis, means).iter().map(ToString::to_string).collect()
}
