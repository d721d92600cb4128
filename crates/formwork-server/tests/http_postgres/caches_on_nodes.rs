//! Caches of several nodes on one database: what one writes the others give no more, also when they cannot hear it.

use crate::client::Received;
use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{Config, Limits, start_within};
use formwork_temporary_postgres::server;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

static NOTES: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/caches.md").into()));

/// How far behind a node may be.
const BEHIND: Duration = Duration::from_secs(1);
/// What is waited for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(30);

struct Nodes {
    writes: System,
    reads: System,
    schema: String,
    key: String,
    path: String,
}

impl Nodes {
    /// One that writes and one that reads, and a note.
    async fn start() -> Self {
        let own = config(tempfile::tempdir().expect("a folder").path().join("data"));
        let node = async || {
            let folder = tempfile::tempdir().expect("a folder");
            let config = Config {
                database: own.database.clone(),
                schema: own.schema.clone(),
                ..config(folder.path().join("data"))
            };
            System { running: start_within(config, Limits::default(), &NOTES).await.expect("starts"), folder }
        };
        let (writes, reads) = (node().await, node().await);
        let key = writes.key("member", "ann").await;
        let made = writes.public("POST /notes").key(&key).json(r#"{"title":"0"}"#).send().await;
        let path = format!("/notes/{}", made.json()["id"].as_str().expect("an id"));
        Self { writes, reads, schema: own.schema.expect("a schema"), key, path }
    }

    async fn rename(&self, title: &str) {
        let body = format!(r#"{{"title":"{title}"}}"#);
        let renamed =
            self.writes.public(&format!("PUT {}", self.path)).key(&self.key).json(&body).send().await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
    }

    async fn read(&self) -> (String, String) {
        let received: Received = self.reads.public(&format!("GET {}", self.path)).send().await;
        let title = received.json()["title"].as_str().expect("a title").to_owned();
        (title, received.header("cache-status").expect("Cache-Status"))
    }

    /// Reads until the other node says this of its cache; gives the title of that answer.
    async fn until(&self, wanted: &str) -> String {
        let begun = Instant::now();
        loop {
            let (title, status) = self.read().await;
            if status.starts_with(wanted) {
                return title;
            }
            assert!(begun.elapsed() < PATIENCE, "never `{wanted}`, last `{status}`");
        }
    }
}

async fn database() -> Client {
    let (client, connection) = tokio_postgres::connect(&server().url(), NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn what_one_node_writes_another_gives_no_more_within_a_second() {
    let nodes = Nodes::start().await;
    for round in 1..=5 {
        let before = (round - 1).to_string();
        assert_eq!(nodes.until("formwork; hit").await, before);
        nodes.rename(&round.to_string()).await;
        let written = Instant::now();
        loop {
            let asked = Instant::now();
            let (title, _) = nodes.read().await;
            if title != before {
                assert_eq!(title, round.to_string());
                break;
            }
            assert!(asked.duration_since(written) < BEHIND, "an old answer a second after the write");
        }
    }
}

#[tokio::test]
async fn a_node_that_cannot_hear_the_others_gives_nothing_that_is_kept() {
    let nodes = Nodes::start().await;
    let client = database().await;
    assert_eq!(nodes.until("formwork; hit").await, "0");
    let listening = format!("formwork listening {}", nodes.schema);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    let cut = client.prepare(cut).await.expect("prepares");
    let cutting = tokio::spawn(async move {
        let mut ended = 0;
        loop {
            ended += client.execute(&cut, &[&listening]).await.expect("asks");
            if ended > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    // The link of both nodes is cut again and again.
    nodes.until("formwork; fwd=bypass").await;
    nodes.rename("written while nobody hears").await;
    let written = Instant::now();
    while written.elapsed() < BEHIND * 2 {
        let asked = Instant::now();
        let (title, status) = nodes.read().await;
        let may_be_old = asked.duration_since(written) < BEHIND;
        assert!(may_be_old || title == "written while nobody hears", "{title}: {status}");
    }
    cutting.abort();
    // It hears again, and begins empty.
    assert_eq!(nodes.until("formwork; hit").await, "written while nobody hears");
    nodes.rename("written while all hear").await;
    let begun = Instant::now();
    while nodes.read().await.0 != "written while all hear" {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn a_layer_is_emptied_on_every_node() {
    let nodes = Nodes::start().await;
    nodes.until("formwork; hit").await;
    assert_eq!(nodes.writes.admin("DELETE /caches/Notes").send().await.status, 204);
    let begun = Instant::now();
    while nodes.read().await.1.starts_with("formwork; hit") {
        assert!(begun.elapsed() < PATIENCE);
    }
}
