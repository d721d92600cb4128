//! Limits of section 9 where two nodes have the same rows: what one lets through counts for the other.

use crate::limits::NOTES;
use crate::system::{System, config};
use formwork_server::{ClockChoice, Config, start};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Two nodes on one database.
async fn nodes() -> [System; 2] {
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let first = Config { clock: ClockChoice::System, ..config(one.path().join("data")) };
    let second = Config {
        clock: ClockChoice::System,
        database: first.database.clone(),
        schema: first.schema.clone(),
        ..config(other.path().join("data"))
    };
    let first = System { running: start(first, &NOTES).await.expect("starts"), folder: one };
    let second = System { running: start(second, &NOTES).await.expect("starts"), folder: other };
    [first, second]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_let_through_together_what_one_would() {
    let nodes = nodes().await;
    let key = nodes[0].key("writer", "ann").await;
    // The other node reads the keys again every 2 s.
    let known = Instant::now() + Duration::from_secs(20);
    let get = || nodes[1].public("GET /descriptions/blue").key(&key).send();
    while get().await.status == 401 && Instant::now() < known {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut sent: JoinSet<u16> = (0..128)
        .map(|at: usize| {
            let ask = nodes[at % 2].public("POST /notes").json(r#"{"text":"x"}"#).key(&key);
            async { ask.send().await.status }
        })
        .collect();
    let (mut passed, mut refused) = (0, 0);
    while let Some(status) = sent.join_next().await {
        match status.expect("no panic") {
            201 => passed += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((passed, refused), (15, 113));
    assert_eq!(nodes[0].public("POST /notes").json(r#"{"text":"x"}"#).key(&key).send().await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_holds_more_than_the_limit_on_both_nodes_together() {
    let nodes = nodes().await;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..64 {
        let ask = nodes[client % 2].public("POST /ticks");
        clients.spawn(async move {
            let mut passed = 0_u64;
            while began.elapsed() < Duration::from_millis(2_500) {
                passed += u64::from(ask.clone().send().await.status == 204);
            }
            passed
        });
    }
    let mut passed = 0;
    while let Some(own) = clients.join_next().await {
        passed += own.expect("no panic");
    }
    let windows = began.elapsed().as_secs() + 1;
    assert!(passed <= 50 * windows, "{passed} in {windows} windows");
    assert!(passed >= 50, "{passed}: at least one window was used");
}
