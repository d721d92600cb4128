//! What runs after a commit: handlers of events and of changes, and what is scheduled. Each has its effect once.

use crate::place::options;
use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, start};
use formwork_store::Store;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static SHOP: LazyLock<Analysis> = LazyLock::new(|| {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/parcels_told.md"),
    );
    let analysis = analyse_fragment(text.expect("the document").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
});

async fn shop() -> System {
    System::start(&SHOP, Limits::default()).await
}

async fn post(system: &System, line: &str, body: &str) -> serde_json::Value {
    let answer = system.public(line).json(body).send().await;
    assert!(answer.status < 300, "{answer:?}");
    if answer.body.is_empty() { serde_json::Value::Null } else { answer.json() }
}

async fn rows(system: &System, entity: &str, condition: &str) -> u64 {
    let question = serde_json::json!({"entity": entity, "where": condition});
    system.count(&question.to_string()).await
}

async fn left(system: &System) -> Vec<serde_json::Value> {
    let left = system.admin("GET /deliveries").send().await.json();
    left["deliveries"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_handler_runs_after_the_commit_as_the_system_with_typed_data() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":7}"#).await;
    // On the test clock nothing is told before it is asked for.
    assert_eq!(rows(&system, "mail", "about == \"a\"").await, 0);
    system.advance("0s").await;
    assert_eq!(rows(&system, "mail", "about == \"a\" && by == \"system\" && heavier == 8").await, 1);
    assert_eq!(left(&system).await.len(), 0);
    system.stop().await;
}

#[tokio::test]
async fn changes_are_told_with_the_row_as_it_was() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":1}"#).await;
    post(&system, "PATCH /parcels/a", r#"{"weight":5}"#).await;
    assert_eq!(system.public("DELETE /parcels/a").send().await.status, 204);
    system.advance("0s").await;
    assert_eq!(rows(&system, "change", "text == \"created 1\"").await, 1);
    assert_eq!(rows(&system, "change", "text == \"updated 1 to 5\"").await, 1);
    assert_eq!(rows(&system, "change", "text == \"deleted 5\"").await, 1);
    assert_eq!(system.count(r#"{"entity":"change"}"#).await, 3);
    system.stop().await;
}

#[tokio::test]
async fn rows_that_one_statement_or_a_cascade_takes_are_told_too() {
    let system = shop().await;
    for id in ["a", "b", "c"] {
        post(&system, "POST /parcels", &format!(r#"{{"id":"{id}","weight":1}}"#)).await;
        post(&system, "POST /stamps", &format!(r#"{{"parcel":"{id}","sheet":"{id}"}}"#)).await;
    }
    post(&system, "POST /weigh", "{}").await;
    system.advance("0s").await;
    assert_eq!(rows(&system, "change", "text == \"updated 1 to 3\"").await, 3);
    // Deletes every parcel; their stamps go with them.
    post(&system, "POST /clear", "{}").await;
    system.advance("0s").await;
    assert_eq!(rows(&system, "change", "text == \"deleted 3\"").await, 3);
    assert_eq!(rows(&system, "change", "text.startsWith(\"stamp\")").await, 3);
    system.stop().await;
}

#[tokio::test]
async fn a_refusal_undoes_what_the_handler_wrote_and_it_is_tried_again_in_order() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"bad","weight":1}"#).await;
    post(&system, "PATCH /parcels/bad", r#"{"weight":2}"#).await;
    system.advance("0s").await;
    // The handler of the event writes a row and fails; nothing of it holds.
    assert_eq!(rows(&system, "mail", "about == \"bad\"").await, 0);
    let waiting = left(&system).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(
        (waiting[0]["attempts"].as_i64(), waiting[0]["error"].as_str()),
        (Some(1), Some("503 post_closed"))
    );
    system.advance("1s").await;
    assert_eq!(left(&system).await[0]["attempts"], 2);
    // What it waited for comes: the next try succeeds, once.
    post(&system, "POST /open", "{}").await;
    system.advance("1h").await;
    assert_eq!(rows(&system, "mail", "about == \"bad\"").await, 1);
    assert_eq!(left(&system).await.len(), 0);
    system.stop().await;
}

#[tokio::test]
async fn what_fails_for_a_day_is_kept_counted_and_tried_again_when_asked() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"bad","weight":1}"#).await;
    system.advance("26h").await;
    let failed = system.admin("GET /deliveries?state=failed").send().await.json();
    assert_eq!(failed["deliveries"][0]["handler"], "Post/1");
    assert_eq!(failed["deliveries"][0]["state"], "failed");
    let metrics = system.admin("GET /metrics").send().await.body;
    assert!(metrics.contains("formwork_deliveries_failed_total 1\n"), "{metrics}");
    post(&system, "POST /open", "{}").await;
    system.advance("26h").await;
    assert_eq!(rows(&system, "mail", "about == \"bad\"").await, 0);
    let sequence = failed["deliveries"][0]["sequence"].as_i64().expect("a number");
    let retry = || system.admin(&format!("POST /deliveries/{sequence}/retry")).send();
    assert_eq!(retry().await.status, 204);
    system.advance("0s").await;
    assert_eq!(rows(&system, "mail", "about == \"bad\"").await, 1);
    assert_eq!(retry().await.outcome(), "404 not_found");
    system.stop().await;
}

#[tokio::test]
async fn an_operation_that_fails_tells_nothing() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":1}"#).await;
    let again = system.public("POST /parcels").json(r#"{"id":"a","weight":2}"#).send().await;
    assert_eq!(again.status, 409);
    system.advance("0s").await;
    assert_eq!(system.count(r#"{"entity":"mail"}"#).await, 1);
    assert_eq!(system.count(r#"{"entity":"change"}"#).await, 1);
    system.stop().await;
}

#[tokio::test]
async fn a_chain_without_end_is_kept_as_failed_after_sixteen_links() {
    let system = shop().await;
    post(&system, "POST /ring", r#"{"count":0}"#).await;
    system.advance("0s").await;
    assert_eq!(system.count(r#"{"entity":"echo"}"#).await, 16);
    let left = left(&system).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["state"], "failed");
    assert!(left[0]["error"].as_str().is_some_and(|error| error.contains("16 links")), "{left:?}");
    system.stop().await;
}

#[tokio::test]
async fn what_is_scheduled_runs_at_its_time_and_not_for_what_was_undone() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":1}"#).await;
    post(&system, "POST /parcels/a/reminders", "{}").await;
    let refused = system.public("POST /parcels/a/reminders").json(r#"{"fail":true}"#).send().await;
    assert_eq!(refused.outcome(), "409 no_reminder");
    system.advance("14m").await;
    assert_eq!(rows(&system, "change", "text == \"remind a\"").await, 0);
    system.advance("1m").await;
    assert_eq!(rows(&system, "change", "text == \"remind a\"").await, 1);
    // `at` a time; what is given was tested when it was scheduled.
    system.advance("23h 45m").await;
    assert_eq!(rows(&system, "change", "text == \"remind a\"").await, 2);
    assert_eq!(left(&system).await.len(), 0);
    system.stop().await;
}

#[tokio::test]
async fn what_is_to_be_told_outlives_a_restart() {
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":1}"#).await;
    assert_eq!(left(&system).await.len(), 2);
    let folder = system.stop().await;
    let system = System::start_in(folder, &SHOP, Limits::default()).await;
    system.advance("0s").await;
    assert_eq!(rows(&system, "mail", "about == \"a\"").await, 1);
    assert_eq!(left(&system).await.len(), 0);
    system.stop().await;
}

#[tokio::test]
async fn on_the_machines_clock_handlers_run_by_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { clock: ClockChoice::System, ..config(folder.path().join("data")) };
    let running = start(config, &SHOP).await.expect("starts");
    let system = System { running, folder };
    for id in 0..50 {
        post(&system, "POST /parcels", &format!(r#"{{"id":"{id}","weight":1}}"#)).await;
    }
    let metrics = || async { system.admin("GET /metrics").send().await.body };
    let done = async { while !metrics().await.contains("formwork_deliveries_done_total 100\n") {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), done).await.is_ok(), "{}", metrics().await);
    assert_eq!(left(&system).await.len(), 0);
    system.stop().await;
}

#[tokio::test]
async fn an_event_goes_seven_days_after_it_was_emitted_when_every_handler_was_told_of_it() {
    const WEEK: i64 = 7 * 86_400_000_000;
    let pruned = async |folder: tempfile::TempDir, since: i64| {
        let program = Arc::new(SHOP.compiled.program.clone());
        let store = Store::open(options(&folder.path().join("data")), program).expect("opens");
        let first = store.events(None).expect("a list").first().map_or(0, |event| event.time);
        while store.prune(first + since).await.expect("done") {}
        let left = store.events(None).expect("a list").len();
        store.close().await;
        drop(store);
        (folder, left)
    };
    let system = shop().await;
    post(&system, "POST /parcels", r#"{"id":"bad","weight":1}"#).await;
    system.advance("0s").await;
    post(&system, "POST /parcels", r#"{"id":"a","weight":1}"#).await;
    system.advance("1s").await;
    // What a handler is still to be told stays, and what came behind it too.
    let (folder, left) = pruned(system.stop().await, 100 * WEEK).await;
    assert_eq!(left, 2);
    let system = System::start_in(folder, &SHOP, Limits::default()).await;
    post(&system, "POST /open", "{}").await;
    system.advance("1h").await;
    assert_eq!(self::left(&system).await.len(), 0);
    let (folder, left) = pruned(system.stop().await, WEEK).await;
    assert_eq!(left, 2, "it is listed for seven days");
    let (_folder, left) = pruned(folder, WEEK + 1).await;
    assert_eq!(left, 0);
}
