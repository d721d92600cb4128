//! `For each …, each in its own transaction`: an element fails by itself, and each has its own instant.

use crate::system::{System, until_free};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;
use serde_json::{Value, json};
use std::sync::LazyLock;

static TASKS: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = analyse_fragment(include_str!("../documents/elements.md").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
});

async fn tasks(weights: impl IntoIterator<Item = (String, i64)>) -> System {
    let system = System::start(&TASKS, Limits::default()).await;
    for (id, weight) in weights {
        let added =
            system.public("POST /tasks").json(&json!({"id": id, "weight": weight}).to_string()).send();
        assert_eq!(added.await.status, 201);
    }
    system
}

fn named(weights: &[(&str, i64)]) -> Vec<(String, i64)> {
    weights.iter().map(|(id, weight)| ((*id).to_owned(), *weight)).collect()
}

async fn post(system: &System, line: &str, body: &Value) -> Value {
    let answer = system.public(line).json(&body.to_string()).send().await;
    assert!(answer.status < 300, "{answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

async fn rows(system: &System, entity: &str, condition: &str) -> u64 {
    system.count(&json!({"entity": entity, "where": condition}).to_string()).await
}

async fn failures(system: &System) -> String {
    let metrics = system.admin("GET /metrics").send().await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("standing_failures_total "));
    line.expect("the counter").to_owned()
}

#[tokio::test]
async fn more_rows_than_a_page_are_met_once_each_in_the_order_of_their_keys() {
    let system = tasks((0..350).map(|number| (format!("{number:03}"), 1))).await;
    assert_eq!(post(&system, "POST /sweep", &json!({})).await, json!({"done": 350, "last": 350}));
    assert_eq!(rows(&system, "task", "state == \"done\" && times == 1").await, 350);
    // The operation has ended: nothing is left of it.
    assert_eq!(post(&system, "POST /sweep", &json!({})).await, json!({"done": 0, "last": 0}));
    system.stop().await;
}

#[tokio::test]
async fn a_failure_undoes_its_element_and_the_next_goes_on() {
    let system = tasks(named(&[("a", 1), ("b", -1), ("c", 2), ("d", -2), ("e", 3)])).await;
    assert_eq!(post(&system, "POST /sweep", &json!({})).await, json!({"done": 3, "last": 5}));
    assert_eq!(rows(&system, "task", "state == \"due\" && times == 0").await, 2);
    assert_eq!(failures(&system).await, "2");
    system.stop().await;
}

#[tokio::test]
async fn at_most_counts_rows_and_stops_ends_the_element_alone() {
    let system = tasks(named(&[("a", 1), ("b", 13), ("c", 2), ("d", 99), ("e", 3)])).await;
    assert_eq!(post(&system, "POST /sweep", &json!({"most": 1})).await, json!({"done": 1, "last": 1}));
    // `b` stops itself, `d` leaves the loop.
    assert_eq!(post(&system, "POST /sweep", &json!({})).await, json!({"done": 1, "last": 2}));
    assert_eq!(rows(&system, "task", "state == \"due\"").await, 3);
    assert_eq!(post(&system, "POST /sweep", &json!({"most": 0})).await, json!({"done": 0, "last": 0}));
    system.stop().await;
}

#[tokio::test]
async fn a_row_that_is_one_of_them_no_longer_is_passed_over() {
    // All three stand on one page; what `b` changes has been chosen before.
    let system = tasks(named(&[("a", 1), ("b", 7), ("c", 8), ("d", 2)])).await;
    assert_eq!(post(&system, "POST /sweep", &json!({})).await, json!({"done": 3, "last": 4}));
    assert_eq!(rows(&system, "task", "state == \"gone\" && times == 0").await, 1);
    system.stop().await;
}

#[tokio::test]
async fn a_list_is_gone_through_likewise() {
    let system = tasks(named(&[("a", 1), ("b", 2), ("c", 4)])).await;
    let ids = json!({"ids": ["a", "nobody", "c", "nothing"]});
    assert_eq!(post(&system, "POST /carry", &ids).await, json!({"done": 5}));
    assert_eq!(rows(&system, "task", "state == \"done\"").await, 2);
    assert_eq!(failures(&system).await, "2");
    system.stop().await;
}

#[tokio::test]
async fn an_element_of_several_parts_keeps_those_that_have_ended() {
    let system = tasks(named(&[("a", 1), ("b", -1), ("c", 2)])).await;
    post(&system, "POST /stroll", &json!({})).await;
    assert_eq!(rows(&system, "task", "state == \"done\"").await, 2);
    assert_eq!(rows(&system, "task", "id == \"b\" && state == \"under way\"").await, 1);
    assert_eq!(failures(&system).await, "1");
    system.stop().await;
}

#[tokio::test]
async fn a_standing_step_goes_on_behind_what_fails_and_meets_it_again_next_time() {
    let system = tasks(named(&[("a", 3), ("b", -1), ("c", 1)])).await;
    system.advance("1m").await;
    assert_eq!(rows(&system, "task", "state == \"done\" && times == 1").await, 2);
    assert_eq!(system.count(r#"{"entity":"record"}"#).await, 2);
    assert_eq!(failures(&system).await, "1");
    system.advance("1m").await;
    assert_eq!(failures(&system).await, "2");
    let asked = system.admin("GET /probe/metric?name=standing.failures").send().await;
    assert_eq!(asked.json()["value"], 2, "{asked:?}");
    system.stop().await;
}

#[tokio::test]
async fn what_is_left_of_a_run_goes_on_after_a_restart() {
    let system = tasks((0..300).map(|number| (format!("{number:03}"), 1))).await;
    let mut sweeping = Box::pin(system.public("POST /sweep").json("{}").send());
    // Given up in the middle.
    let has_begun = async { while rows(&system, "task", "times == 1").await < 20 {} };
    tokio::select! {
        swept = &mut sweeping => panic!("{swept:?}"),
        () = has_begun => {}
    }
    drop(sweeping);
    let System { running, folder } = system;
    // Dropped, not shut down: like a killed process.
    drop(running);
    let folder = until_free(folder).await;
    let system = System::start_in(folder, &TASKS, Limits::default()).await;
    assert!(rows(&system, "task", "times == 0").await > 0, "it was given up too late");
    let done = async { while rows(&system, "task", "times == 1").await < 300 {} };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(30), done).await.is_ok());
    assert_eq!(rows(&system, "task", "times > 1").await, 0);
    system.stop().await;
}
