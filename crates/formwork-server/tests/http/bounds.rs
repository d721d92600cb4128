//! Requests that overflow numbers, divide by zero or ask for more than there is room for: each gets the status that
//! the reference names, and nothing is changed.

use crate::client::Received;
use crate::system::System;
use formwork_check::analyse_fragment;
use formwork_server::Limits;

async fn started() -> System {
    let source = include_str!("../documents/bounds.md");
    let analysis = analyse_fragment(source.into());
    let errors: Vec<_> = analysis.diagnostics.iter().map(|found| &found.message).collect();
    assert!(!analysis.has_errors(), "{errors:?}");
    System::start(&analysis, Limits::default()).await
}

async fn post(system: &System, path: &str, body: &str) -> Received {
    system.public(&format!("POST {path}")).json(body).send().await
}

async fn get(system: &System, path: &str) -> Received {
    system.public(&format!("GET {path}")).send().await
}

async fn add(system: &System, body: &str) -> String {
    let made = post(system, "/numbers", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().expect("an id").to_owned()
}

async fn count(system: &System, filter: &str) -> u64 {
    let question = serde_json::json!({"entity": "number", "where": filter}).to_string();
    system.count(&question).await
}

/// Fills the table; one call has a second for its work.
async fn fill(system: &System, count: usize) {
    let values: Vec<usize> = (0..count).collect();
    for part in values.chunks(500) {
        let body = serde_json::json!({ "values": part }).to_string();
        assert_eq!(post(system, "/numbers/many", &body).await.status, 204);
    }
}

const MOST: &str = "9223372036854775807";

#[tokio::test]
async fn numbers_that_overflow_change_nothing() {
    let system = started().await;
    let id = add(&system, &format!(r#"{{"value":{MOST}}}"#)).await;
    let by_one = r#"{"by":1}"#;
    // The price was written before, in the same transaction.
    assert_eq!(post(&system, &format!("/numbers/{id}/raise"), by_one).await.outcome(), "500 arithmetic");
    assert_eq!(post(&system, "/raise", by_one).await.outcome(), "500 arithmetic");
    assert_eq!(count(&system, &format!("value == {MOST} && price == 1.00")).await, 1);
    add(&system, r#"{"value":1}"#).await;
    assert_eq!(get(&system, "/total").await.outcome(), "500 arithmetic");
    // Every row fits but the last: the statement is undone as a whole.
    assert_eq!(post(&system, "/raise", by_one).await.outcome(), "500 arithmetic");
    assert_eq!(count(&system, "value == 1").await, 1);
    for body in [r#"{"value":9223372036854775808}"#, r#"{"value":1e30}"#, r#"{"value":1,"price":"1e40"}"#] {
        assert_eq!(post(&system, "/numbers", body).await.outcome(), "422 invalid", "{body}");
    }
    assert_eq!(count(&system, "value != 0").await, 2);
}

#[tokio::test]
async fn decimals_with_more_digits_than_their_field_are_refused() {
    let system = started().await;
    let id = add(&system, r#"{"value":1,"price":"9999999999999999.99"}"#).await;
    let path = format!("/numbers/{id}/multiply");
    assert_eq!(post(&system, &path, r#"{"times":"10"}"#).await.outcome(), "422 invalid");
    assert_eq!(post(&system, &path, r#"{"times":"9999999999999999.99"}"#).await.outcome(), "422 invalid");
    assert_eq!(count(&system, "value == 1").await, 1);
    assert_eq!(post(&system, &path, r#"{"times":"0.50"}"#).await.json()["price"], "5000000000000000.00");
}

#[tokio::test]
async fn division_by_zero_is_told_and_undone() {
    let system = started().await;
    for body in [r#"{"by":0}"#, r#"{"by":1,"exactly":"0"}"#, r#"{"by":1,"exactly":"0.00"}"#] {
        assert_eq!(post(&system, "/divide", body).await.outcome(), "500 arithmetic", "{body}");
    }
    assert_eq!(count(&system, "value == 1").await, 0);
    assert_eq!(post(&system, "/divide", r#"{"by":7}"#).await.json()["rest"], 2);
}

#[tokio::test]
async fn texts_and_lists_that_grow_without_end_are_stopped() {
    let system = started().await;
    let times: Vec<u32> = (0..60).collect();
    let long = "x".repeat(1_000);
    let body = serde_json::json!({ "times": times, "text": long }).to_string();
    assert_eq!(post(&system, "/double", &body).await.outcome(), "500 too_much_work");
    let many: Vec<u32> = (0..2_000).collect();
    let body = serde_json::json!({ "values": many }).to_string();
    assert_eq!(post(&system, "/compare", &body).await.outcome(), "500 too_much_work");
    let too_many: Vec<u32> = (0..10_001).collect();
    let body = serde_json::json!({ "values": too_many }).to_string();
    assert_eq!(post(&system, "/numbers/many", &body).await.outcome(), "500 too_many_rows");
    assert_eq!(count(&system, "value >= 0").await, 0);
}

#[tokio::test]
async fn more_rows_than_there_is_room_for_are_never_cut_silently() {
    let system = started().await;
    fill(&system, 10_001).await;
    assert_eq!(get(&system, "/every").await.outcome(), "500 too_many_rows");
    assert_eq!(get(&system, "/pairs").await.outcome(), "500 too_many_rows");
    assert_eq!(get(&system, "/joined").await.outcome(), "500 too_many_rows");
    assert_eq!(get(&system, "/endless").await.outcome(), "500 too_much_work");
    let page = get(&system, "/numbers?limit=1000000").await;
    let items = page.json()["items"].as_array().map_or(0, Vec::len);
    assert!(page.status == 422 || items <= 200, "{} with {items}", page.status);
    for limit in ["-1", "0.5", "99999999999999999999", "x"] {
        assert_eq!(
            get(&system, &format!("/numbers?limit={limit}")).await.outcome(),
            "422 invalid",
            "{limit}"
        );
    }
    let raised = post(&system, "/raise", r#"{"by":1}"#).await;
    assert_eq!(raised.outcome(), "500 too_much_work");
    assert_eq!(count(&system, "value == 0").await, 1);
    assert_eq!(get(&system, "/total").await.json()["total"], 50_005_000);
}
