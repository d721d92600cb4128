//! Keys and signatures where two nodes have the same rows: what one takes back or has taken, the other refuses at once.

use crate::signed::{BODY, HOOK, NOW, document, hook};
use crate::system::{SHORTLINK, System, config};
use formwork_check::Analysis;
use formwork_server::{Config, Secrets, start};
use formwork_temporary_postgres::server;
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

/// What is waited for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two nodes on one database, and its schema.
async fn nodes(analysis: &Analysis) -> ([System; 2], String) {
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let first = Config { secrets: Secrets::Test, ..config(one.path().join("data")) };
    let schema = first.schema.clone().expect("a schema of its own");
    let second = Config {
        secrets: Secrets::Test,
        database: first.database.clone(),
        schema: first.schema.clone(),
        ..config(other.path().join("data"))
    };
    let first = System { running: start(first, analysis).await.expect("starts"), folder: one };
    let second = System { running: start(second, analysis).await.expect("starts"), folder: other };
    ([first, second], schema)
}

async fn status(node: &System, key: &str) -> u16 {
    node.public("GET /links").key(key).send().await.status
}

/// A key that one node has made, once it holds on the other; and its name.
async fn made(nodes: &[System; 2]) -> (String, String) {
    let made = nodes[0].admin("POST /keys").json(r#"{"role":"member","id":"ann"}"#).send().await.json();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    let (name, key) = (text("id"), text("key"));
    let begun = Instant::now();
    while status(&nodes[1], &key).await != 200 {
        assert!(begun.elapsed() < PATIENCE, "the other node does not learn of it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (name, key)
}

async fn revoke(nodes: &[System; 2], name: &str) {
    let revoked = nodes[0].admin(&format!("DELETE /keys/{name}")).send().await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_node_revokes_is_refused_by_the_other_in_its_next_request() {
    let (nodes, _) = nodes(&SHORTLINK).await;
    for _ in 0..3 {
        let (name, key) = made(&nodes).await;
        revoke(&nodes, &name).await;
        assert_eq!((status(&nodes[0], &key).await, status(&nodes[1], &key).await), (401, 401));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_hear_the_others_asks_the_store() {
    let (nodes, schema) = nodes(&SHORTLINK).await;
    let keys = [made(&nodes).await, made(&nodes).await];
    let (client, connection) = tokio_postgres::connect(&server().url(), NoTls).await.expect("connects");
    tokio::spawn(connection);
    let listening = format!("formwork listening {schema}");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    let cut = client.prepare(cut).await.expect("prepares");
    let cutting = tokio::spawn(async move {
        loop {
            client.execute(&cut, &[&listening]).await.expect("asks");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    for (name, key) in &keys {
        assert_eq!(status(&nodes[1], key).await, 200, "it holds, as the store says");
        revoke(&nodes, name).await;
        assert_eq!(status(&nodes[1], key).await, 401);
    }
    cutting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_one_node_has_taken_the_other_refuses() {
    let (nodes, _) = nodes(&document(HOOK)).await;
    for at in 0..8 {
        let both = [hook(&nodes[0], NOW - at, BODY).send(), hook(&nodes[1], NOW - at, BODY).send()];
        let [one, other] = both.map(tokio::spawn);
        let mut said = [one.await.expect("no panic").status, other.await.expect("no panic").status];
        said.sort_unstable();
        assert_eq!(said, [201, 409]);
    }
}
