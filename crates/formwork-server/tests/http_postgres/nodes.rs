//! Several nodes on one database: what one has under way no other takes, what one has left another goes on with, once.

use crate::client::Received;
use crate::system::{System, config};
use crate::upstream::{Does, Upstream};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, Secrets, start_within};
use std::sync::LazyLock;
use std::time::Duration;

static PAYMENTS: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/payments.md").into()));

/// How long a node is waited for that says nothing more.
const LEASE: Duration = Duration::from_millis(900);

/// A node on the rows of the first one, or on rows of its own.
async fn node(of: Option<&Config>, upstream: &Upstream) -> (System, Config) {
    let folder = tempfile::tempdir().expect("a folder");
    let own = config(folder.path().join("data"));
    let elsewhere = format!("Payment provider=http://{}/base", upstream.address);
    let config = Config {
        upstreams: vec![elsewhere.parse().expect("an address")],
        secrets: Secrets::Test,
        clock: ClockChoice::System,
        database: of.map_or(own.database.clone(), |of| of.database.clone()),
        schema: of.map_or(own.schema.clone(), |of| of.schema.clone()),
        ..own
    };
    let limits = Limits { lease: LEASE, ..Limits::default() };
    let running = start_within(config.clone(), limits, &PAYMENTS).await.expect("starts");
    (System { running, folder }, config)
}

fn paid(id: &str) -> Does {
    Does::Answers(201, format!("{{\"id\":\"{id}\"}}"))
}

async fn count(system: &System, state: &str) -> u64 {
    let counted = system.public(&format!("GET /count/{state}")).send().await;
    counted.json()["n"].as_u64().unwrap_or_else(|| panic!("{counted:?}"))
}

async fn pay(system: &System, key: &str, cards: &str) -> Received {
    let ask = system.public("POST /pay_all").header("idempotency-key", key);
    ask.json(&format!("{{\"cards\":{cards}}}")).send().await
}

#[tokio::test]
async fn what_a_node_that_is_gone_has_left_another_goes_on_with_once() {
    let upstream = Upstream::new(&[Does::SaysNothing]).await;
    let (first, rows) = node(None, &upstream).await;
    let (second, _) = node(Some(&rows), &upstream).await;
    let (third, _) = node(Some(&rows), &upstream).await;
    let asking = tokio::spawn(first.public("POST /pay_all").json(r#"{"cards":["c1"]}"#).send());
    upstream.has_seen(1).await;
    upstream.then(&[paid("again")]);
    // Dropped, not shut down: like a killed process.
    drop(first);
    asking.abort();
    let waited = second.public("GET /paid").send().await;
    assert_eq!(waited.json()[0]["note"], "again", "{waited:?}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2, "one of the two others has taken it over");
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(count(&third, "paid").await, 1);
}

#[tokio::test]
async fn what_a_node_has_under_way_no_other_takes() {
    let held = Does::AnswersLate(201, r#"{"id":"late"}"#.into(), LEASE * 4);
    let upstream = Upstream::new(&[held]).await;
    let (first, rows) = node(None, &upstream).await;
    let (second, _) = node(Some(&rows), &upstream).await;
    // A repeat on the other node waits for it, and is answered as the first one is.
    let (one, other) = tokio::join!(pay(&first, "k", r#"["c1"]"#), async {
        upstream.has_seen(1).await;
        pay(&second, "k", r#"["c1"]"#).await
    });
    assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
    assert_eq!(one.body, other.body);
    assert_eq!(other.header("idempotent-replayed").as_deref(), Some("true"));
    assert_eq!((upstream.seen().len(), count(&second, "paid").await), (1, 1));
}

#[tokio::test]
async fn one_key_on_two_nodes_is_one_operation() {
    let upstream = Upstream::new(&[paid("a")]).await;
    let (first, rows) = node(None, &upstream).await;
    let (second, _) = node(Some(&rows), &upstream).await;
    for round in 0..5 {
        let key = format!("k{round}");
        let all = tokio::join!(
            pay(&first, &key, r#"["c1"]"#),
            pay(&second, &key, r#"["c1"]"#),
            pay(&first, &key, r#"["c1"]"#),
            pay(&second, &key, r#"["c1"]"#),
        );
        let bodies = [all.0, all.1, all.2, all.3].map(|one| (one.status, one.body));
        assert!(bodies.iter().all(|one| one == &bodies[0] && one.0 == 200), "{bodies:?}");
        assert_eq!(count(&first, "paid").await, round + 1);
    }
}

static LETTERS: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/letters.md").into()));

#[tokio::test]
async fn what_a_handler_has_under_way_on_one_node_is_that_nodes_until_it_is_gone() {
    let held = Does::AnswersLate(200, r#"{"id":"one"}"#.into(), Duration::from_millis(1_500));
    let upstream = Upstream::new(&[held, Does::SaysNothing]).await;
    let own = config(tempfile::tempdir().expect("a folder").path().join("data"));
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = format!("Letter office=http://{}", upstream.address);
        let config = Config {
            upstreams: vec![elsewhere.parse().expect("an address")],
            secrets: Secrets::Test,
            clock: ClockChoice::System,
            database: own.database.clone(),
            schema: own.schema.clone(),
            ..config(folder.path().join("data"))
        };
        let limits = Limits { lease: LEASE, ..Limits::default() };
        System { running: start_within(config, limits, &LETTERS).await.expect("starts"), folder }
    };
    let noted = async |system: &System, text: &str| {
        let counted = system.public(&format!("GET /notes/{text}")).send().await;
        counted.json()["n"].as_u64().unwrap_or_else(|| panic!("{counted:?}"))
    };
    let (first, second) = (start().await, start().await);
    let sent = first.public("POST /parcels").json(r#"{"id":"a"}"#).send().await;
    assert_eq!(sent.status, 201);
    let written = async { while noted(&second, "written%20one").await == 0 {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), written).await.is_ok());
    assert_eq!((noted(&second, "begun%20a").await, upstream.seen().len()), (1, 1));
    // One of them dies in the middle; the other goes on when its lease is over.
    let sent = first.public("POST /parcels").json(r#"{"id":"b"}"#).send().await;
    assert_eq!(sent.status, 201);
    upstream.has_seen(2).await;
    upstream.then(&[Does::Answers(200, r#"{"id":"two"}"#.into())]);
    drop(first);
    let written = async { while noted(&second, "written%20two").await == 0 {} };
    assert!(tokio::time::timeout(Duration::from_secs(30), written).await.is_ok());
    assert_eq!(noted(&second, "begun%20b").await, 1);
    let seen = upstream.seen();
    assert!(seen[1..].iter().all(|one| one.header("idempotency-key") == seen[1].header("idempotency-key")));
}
