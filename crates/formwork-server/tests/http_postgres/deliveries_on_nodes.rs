//! Handlers of one transaction on several nodes of one database: each is told everything once and in order per row, whoever
//! of them tells it, and also when one of them dies.

use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, start_within};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

static WEIGHED: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = analyse_fragment(include_str!("../documents/weighed.md").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
});

const PARCELS: usize = 6;
const WEIGHTS: usize = 12;
/// What is waited for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(60);

async fn node(of: &Config) -> System {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        clock: ClockChoice::System,
        database: of.database.clone(),
        schema: of.schema.clone(),
        ..config(folder.path().join("data"))
    };
    System { running: start_within(config, Limits::default(), &WEIGHED).await.expect("starts"), folder }
}

/// Adds to the weights of all parcels at once, each so many times, by these nodes in turn.
async fn weigh(nodes: &[&System], times: usize) {
    let all = (0..PARCELS).map(|parcel| async move {
        for number in 0..times {
            let node = nodes[(parcel + number) % nodes.len()];
            let weighed = node.public(&format!("POST /parcels/p{parcel}/weights")).json("{}").send().await;
            assert_eq!(weighed.status, 200, "{weighed:?}");
        }
    });
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn told(node: &System, parcel: usize) -> Value {
    node.public(&format!("GET /journals/p{parcel}")).send().await.json()
}

/// What each journal holds when it was told everything once and in order.
fn expected() -> String {
    (0..WEIGHTS).map(|weight| format!("{weight}>{};", weight + 1)).collect()
}

async fn all_is_told_once_and_in_order(node: &System) {
    let expected = expected();
    let all = async {
        for parcel in 0..PARCELS {
            loop {
                let told = told(node, parcel).await;
                let text = told["told"].as_str().unwrap_or_else(|| panic!("{told}"));
                assert!(expected.starts_with(text), "p{parcel} was told {text}");
                if text == expected && told["letters"] == 1 {
                    break;
                }
            }
        }
        // Nothing is left to be told; whatever is told twice would have been there by now.
        while !node.admin("GET /deliveries").send().await.json()["deliveries"]
            .as_array()
            .is_some_and(Vec::is_empty)
        {}
        for parcel in 0..PARCELS {
            let told = told(node, parcel).await;
            assert_eq!((told["told"].as_str(), &told["letters"]), (Some(&*expected), &Value::from(1)));
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all).await.is_ok(), "not everything was told");
}

async fn sent(node: &System) {
    for parcel in 0..PARCELS {
        let sent = node.public("POST /parcels").json(&format!(r#"{{"id":"p{parcel}"}}"#)).send().await;
        assert_eq!(sent.status, 201, "{sent:?}");
    }
}

#[tokio::test]
async fn what_two_nodes_tell_is_told_once_and_in_order() {
    let own = config(tempfile::tempdir().expect("a folder").path().join("data"));
    let (first, second) = (node(&own).await, node(&own).await);
    sent(&first).await;
    weigh(&[&first, &second], WEIGHTS).await;
    all_is_told_once_and_in_order(&second).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn what_a_node_that_dies_was_to_tell_the_other_tells() {
    let own = config(tempfile::tempdir().expect("a folder").path().join("data"));
    let (first, second) = (node(&own).await, node(&own).await);
    sent(&first).await;
    weigh(&[&first, &second], WEIGHTS / 2).await;
    // Dropped, not shut down: like a killed process.
    drop(first);
    weigh(&[&second], WEIGHTS - WEIGHTS / 2).await;
    all_is_told_once_and_in_order(&second).await;
    second.stop().await;
}
