//! Handlers of several parts: each part once, calls repeated by the rule of deliveries, and nobody else held up.

use crate::system::{System, config, until_free};
use crate::upstream::{Does, Upstream};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, Secrets, start_within};
use serde_json::json;
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;

static LETTERS: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = analyse_fragment(include_str!("../documents/letters.md").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
});

async fn started_in(folder: TempDir, upstream: &Upstream, clock: ClockChoice) -> System {
    let elsewhere = format!("Letter office=http://{}", upstream.address);
    let config = Config {
        upstreams: vec![elsewhere.parse().expect("an address")],
        secrets: Secrets::Test,
        clock,
        ..config(folder.path().join("data"))
    };
    let running = start_within(config, Limits::default(), &LETTERS).await.expect("starts");
    System { running, folder }
}

async fn started(script: &[Does], clock: ClockChoice) -> (System, Upstream) {
    let upstream = Upstream::new(script).await;
    (started_in(tempfile::tempdir().expect("a folder"), &upstream, clock).await, upstream)
}

fn writes(id: &str) -> Does {
    Does::Answers(200, format!(r#"{{"id":"{id}"}}"#))
}

async fn post(system: &System, line: &str, body: &serde_json::Value) {
    let answer = system.public(line).json(&body.to_string()).send().await;
    assert!(answer.status < 300, "{answer:?}");
}

async fn notes(system: &System, text: &str) -> u64 {
    let counted = system.public(&format!("GET /notes/{}", text.replace(' ', "%20"))).send().await;
    counted.json()["n"].as_u64().unwrap_or_else(|| panic!("{counted:?}"))
}

async fn until_noted(system: &System, text: &str) {
    let noted = async { while notes(system, text).await == 0 {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), noted).await.is_ok(), "no `{text}`");
}

async fn left(system: &System) -> Vec<serde_json::Value> {
    let left = system.admin("GET /deliveries").send().await.json();
    let all = left["deliveries"].as_array().expect("a list").clone();
    all.into_iter().filter(|delivery| delivery["handler"] == "Desk/1").collect()
}

#[tokio::test]
async fn a_call_that_fails_is_made_again_later_with_the_same_key_and_each_part_holds_once() {
    let (system, upstream) = started(&[Does::Answers(500, "{}".to_owned())], ClockChoice::Test).await;
    post(&system, "POST /stamps", &json!({"of": "a"})).await;
    post(&system, "POST /parcels", &json!({"id": "a"})).await;
    system.advance("0s").await;
    assert_eq!((notes(&system, "begun a").await, notes(&system, "written one").await), (1, 0));
    let waiting = left(&system).await;
    assert_eq!((waiting.len(), waiting[0]["attempts"].as_i64()), (1, Some(1)), "{waiting:?}");
    assert!(waiting[0]["error"].as_str().is_some_and(|error| error.contains("no_letter")), "{waiting:?}");
    // What comes later about the same row waits.
    post(&system, "POST /parcels/a/again", &json!({})).await;
    system.advance("0s").await;
    assert_eq!(notes(&system, "begun a").await, 1);
    upstream.then(&[writes("one"), writes("two")]);
    system.advance("1m").await;
    assert_eq!((notes(&system, "begun a").await, notes(&system, "written one").await), (2, 1));
    assert_eq!(notes(&system, "written two").await, 1);
    assert_eq!(left(&system).await.len(), 0);
    let seen = upstream.seen();
    let keys: Vec<&str> = seen.iter().map(|seen| seen.header("idempotency-key")).collect();
    assert!(seen.len() >= 3, "{seen:?}");
    assert!(keys[..seen.len() - 1].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_ne!(keys[0], keys[seen.len() - 1]);
    system.stop().await;
}

#[tokio::test]
async fn a_handler_that_was_cut_off_goes_on_at_the_next_start_with_the_same_request() {
    let (system, upstream) = started(&[Does::SaysNothing], ClockChoice::System).await;
    post(&system, "POST /parcels", &json!({"id": "a"})).await;
    upstream.has_seen(1).await;
    let System { running, folder } = system;
    // Dropped, not shut down: like a killed process.
    drop(running);
    upstream.then(&[writes("one")]);
    let folder = until_free(folder).await;
    let system = started_in(folder, &upstream, ClockChoice::System).await;
    until_noted(&system, "written one").await;
    assert_eq!(notes(&system, "begun a").await, 1);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(seen[0].body, seen[1].body);
    system.stop().await;
}

#[tokio::test]
async fn a_handler_that_waits_holds_up_no_other() {
    let (system, _upstream) = started(&[writes("one")], ClockChoice::System).await;
    for id in 0..70 {
        post(&system, "POST /parcels", &json!({"id": format!("{id:02}")})).await;
    }
    // All of them wait for a stamp, and the letters are written meanwhile.
    until_noted(&system, "begun 69").await;
    assert_eq!(notes(&system, "stamps 0").await, 0);
    post(&system, "POST /stamps", &json!({"of": "00"})).await;
    until_noted(&system, "stamps 1").await;
    until_noted(&system, "stamped 00").await;
    system.stop().await;
}

#[tokio::test]
async fn an_element_of_a_handler_fails_by_itself() {
    let (system, _upstream) = started(&[writes("one")], ClockChoice::Test).await;
    for of in ["a", "torn", "b"] {
        post(&system, "POST /stamps", &json!({"of": of})).await;
    }
    post(&system, "POST /draw", &json!({})).await;
    system.advance("0s").await;
    let drawn = json!({"entity": "stamp", "where": "drawn && times == 1"}).to_string();
    assert_eq!((system.count(&drawn).await, notes(&system, "drawn").await), (2, 1));
    let metrics = system.admin("GET /metrics").send().await.body;
    assert!(metrics.contains("standing_failures_total 1\n"), "{metrics}");
    system.stop().await;
}

#[tokio::test]
async fn what_is_scheduled_may_have_parts_too() {
    let (system, upstream) = started(&[Does::Answers(503, "{}".to_owned())], ClockChoice::Test).await;
    post(&system, "POST /remind", &json!({"id": "a"})).await;
    system.advance("15m").await;
    assert_eq!((notes(&system, "reminding a").await, notes(&system, "reminded one").await), (1, 0));
    upstream.then(&[writes("one")]);
    system.advance("1m").await;
    assert_eq!((notes(&system, "reminding a").await, notes(&system, "reminded one").await), (1, 1));
    system.stop().await;
}
