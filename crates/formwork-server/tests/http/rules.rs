//! What section 6 says of rows, held over HTTP: nothing that breaks a rule is stored, and the refusal names it.

use crate::client::Received;
use crate::system::System;
use formwork_check::{Analysis, Severity, analyse_fragment};
use formwork_server::Limits;
use serde_json::{Value, json};
use std::sync::LazyLock;

static RULES: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/rules.md").into()));

async fn system() -> System {
    let errors: Vec<_> = RULES.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    System::start(&RULES, Limits::default()).await
}

async fn post(system: &System, path: &str, body: Value) -> Received {
    system.public(&format!("POST {path}")).json(&body.to_string()).send().await
}

fn booking(room: &str, from: u32, to: u32) -> Value {
    json!({
        "room": room, "guests": 2,
        "starts_at": format!("2026-11-23T{from:02}:00:00Z"),
        "ends_at": format!("2026-11-23T{to:02}:00:00Z"),
    })
}

fn text(answer: &Received) -> String {
    answer.body.clone()
}

/// Pointer and code of each error.
fn errors(refused: &Received) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    let errors = refused.json()["errors"].clone();
    let errors = errors.as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| (word(&error["pointer"]), word(&error["code"]))).collect()
}

fn named(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[tokio::test]
async fn a_constraint_over_several_fields_is_held_and_named() {
    let system = system().await;
    let refused = post(&system, "/bookings", booking("a", 9, 9)).await;
    assert_eq!(refused.outcome(), "422 backwards");
    assert_eq!(errors(&refused), [named("#/starts_at", "constraint"), named("#/ends_at", "constraint")]);
    assert!(text(&refused).contains("starts_at < ends_at"), "{refused:?}");
    let mut late = booking("a", 9, 10);
    late["arrives_at"] = json!("2026-11-23T10:00:00Z");
    let refused = post(&system, "/bookings", late.clone()).await;
    assert_eq!(refused.outcome(), "422 invalid");
    assert_eq!(errors(&refused).len(), 3, "{refused:?}");
    late["arrives_at"] = json!("2026-11-23T09:00:00Z");
    assert_eq!(post(&system, "/bookings", late).await.status, 201);
    // Without the optional field the constraint holds.
    assert_eq!(post(&system, "/bookings", booking("b", 9, 10)).await.status, 201);
    assert_eq!(system.count(r#"{"entity":"booking"}"#).await, 2);
}

#[tokio::test]
async fn intervals_of_a_room_never_overlap_and_touch_freely() {
    let system = system().await;
    let first = post(&system, "/bookings", booking("a", 9, 11)).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.json()["state"], "requested");
    for (from, to) in [(9, 11), (8, 10), (10, 12), (8, 12), (9, 10)] {
        let refused = post(&system, "/bookings", booking("a", from, to)).await;
        assert_eq!(refused.outcome(), "409 conflict", "{from}..{to}");
        assert_eq!(errors(&refused), [named("#/starts_at", "overlap"), named("#/ends_at", "overlap")]);
    }
    assert_eq!(post(&system, "/polite-bookings", booking("a", 10, 12)).await.outcome(), "409 room_taken");
    for (room, from, to) in [("a", 8, 9), ("a", 11, 12), ("b", 9, 11)] {
        assert_eq!(post(&system, "/bookings", booking(room, from, to)).await.status, 201, "{room} {from}");
    }
    // It may move over itself, and not over another.
    let path = format!("/bookings/{}/move", first.json()["id"].as_str().expect("an id"));
    let to = |from: u32, to: u32| {
        let moved = booking("a", from, to);
        json!({"starts_at": moved["starts_at"], "ends_at": moved["ends_at"]})
    };
    assert_eq!(post(&system, &path, to(10, 11)).await.status, 200);
    assert_eq!(post(&system, &path, to(10, 12)).await.outcome(), "409 conflict");
    // A cancelled one is in nobody's way.
    let state = format!("/bookings/{}/state", first.json()["id"].as_str().expect("an id"));
    assert_eq!(post(&system, &state, json!({"state": "cancelled"})).await.status, 200);
    assert_eq!(post(&system, "/bookings", booking("a", 9, 11)).await.status, 201);
}

#[tokio::test]
async fn of_many_at_once_exactly_one_gets_the_room() {
    let system = system().await;
    let body = booking("a", 9, 11).to_string();
    let asked: Vec<_> =
        (0..16).map(|_| tokio::spawn(system.public("POST /bookings").json(&body).send())).collect();
    let mut answers = Vec::new();
    for ask in asked {
        answers.push(ask.await.expect("an answer"));
    }
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert_eq!(system.count(r#"{"entity":"booking"}"#).await, 1);
}

#[tokio::test]
async fn a_state_takes_the_ways_that_are_named() {
    let system = system().await;
    let mut wrong = booking("a", 9, 10);
    wrong["state"] = json!("confirmed");
    let refused = post(&system, "/bookings", wrong).await;
    assert_eq!(refused.outcome(), "409 wrong_state");
    assert_eq!(errors(&refused), [named("#/state", "transition")]);
    let made = post(&system, "/bookings", booking("a", 9, 10)).await.json();
    let path = format!("/bookings/{}/state", made["id"].as_str().expect("an id"));
    let to = async |state: &str| post(&system, &path, json!({"state": state})).await;
    assert_eq!(to("requested").await.status, 200);
    assert_eq!(to("confirmed").await.status, 200);
    assert_eq!(to("requested").await.outcome(), "409 wrong_state");
    assert_eq!(to("cancelled").await.status, 200);
    assert_eq!(to("confirmed").await.outcome(), "409 wrong_state");
}

#[tokio::test]
async fn an_update_of_many_rows_keeps_every_rule_or_changes_none() {
    let system = system().await;
    for from in 9..12 {
        assert_eq!(post(&system, "/bookings", booking("a", from, from + 1)).await.status, 201);
    }
    assert_eq!(system.public("POST /rooms/a/cancel").send().await.status, 204);
    let cancelled = r#"{"entity":"booking","where":"state == \"cancelled\" && guests == 3"}"#;
    assert_eq!(system.count(cancelled).await, 3);
    let mut full = booking("a", 13, 14);
    full["guests"] = json!(4);
    assert_eq!(post(&system, "/bookings", full).await.status, 201);
    let refused = system.public("POST /rooms/a/cancel").send().await;
    assert_eq!(refused.outcome(), "422 invalid");
    assert_eq!(errors(&refused), [named("#/guests", "max")]);
    assert_eq!(system.count(cancelled).await, 3);
}

#[tokio::test]
async fn what_must_add_up_adds_up_at_the_end_of_each_transaction() {
    let system = system().await;
    for id in ["ann", "bob"] {
        assert_eq!(post(&system, "/accounts", json!({"id": id})).await.status, 201);
    }
    let transfer = |from: &str, to: &str, out: &str, income: &str| json!({"from": from, "to": to, "out": out, "income": income});
    assert_eq!(post(&system, "/transfers", transfer("ann", "bob", "5.00", "5.00")).await.status, 201);
    let refused = post(&system, "/transfers", transfer("ann", "bob", "5.00", "4.99")).await;
    assert_eq!(refused.outcome(), "500 invariant", "{refused:?}");
    assert_eq!(errors(&refused), [named("#/amount", "invariant")]);
    assert_eq!(system.count(r#"{"entity":"posting"}"#).await, 2);
    // The right side's row is touched: bob has 5, ann owes 5.
    let limit = async |id: &str, lowest: &str| {
        post(&system, &format!("/accounts/{id}/limit"), json!({"lowest": lowest})).await
    };
    assert_eq!(limit("ann", "-4.00").await.outcome(), "409 not_covered");
    assert_eq!(limit("ann", "-6.00").await.status, 200);
    assert_eq!(post(&system, "/transfers", transfer("ann", "bob", "1.00", "1.00")).await.status, 201);
    assert_eq!(
        post(&system, "/transfers", transfer("ann", "bob", "0.01", "0.01")).await.outcome(),
        "409 not_covered"
    );
    let broken = system.admin("GET /invariants").send().await;
    assert_eq!((broken.status, broken.json()), (200, json!({"broken": []})));
}

#[tokio::test]
async fn what_is_there_from_the_start_is_inserted_once_and_stays() {
    let system = system().await;
    assert_eq!(system.public("GET /house").send().await.json(), json!({"id": "bank", "lowest": null}));
    let refused = system.public("DELETE /accounts/bank").send().await;
    assert_eq!(refused.outcome(), "422 invalid");
    assert_eq!(errors(&refused), [named("#/id", "row_at_start")]);
    // What the document gives the row stays; what it leaves open may change.
    assert_eq!(post(&system, "/accounts/bank/limit", json!({"lowest": "-5"})).await.status, 200);
    assert_eq!(system.public("GET /house").send().await.json(), json!({"id": "bank", "lowest": "-5.00"}));
    let folder = system.stop().await;
    let again = System::start_in(folder, &RULES, Limits::default()).await;
    assert_eq!(again.count(r#"{"entity":"account"}"#).await, 1);
}

#[tokio::test]
async fn a_secret_is_stored_hashed_found_by_its_value_and_never_returned() {
    let system = system().await;
    let secret = "open sesame";
    let made = post(&system, "/sessions", json!({"owner": "ada", "token": secret})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(!text(&made).contains("token"), "{made:?}");
    let short = post(&system, "/sessions", json!({"owner": "ada", "token": "short"})).await;
    assert_eq!(short.outcome(), "422 invalid");
    let taken = post(&system, "/sessions", json!({"owner": "eve", "token": secret})).await;
    assert_eq!(taken.outcome(), "409 conflict");
    let found = post(&system, "/who", json!({"token": secret})).await;
    assert_eq!((found.status, found.json()["owner"].clone()), (200, json!("ada")), "{found:?}");
    assert_eq!(post(&system, "/who", json!({"token": "open barley"})).await.outcome(), "401 who_are_you");
    let data = system.data();
    let _folder = system.stop().await;
    for entry in std::fs::read_dir(data).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let holds = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds, "{} holds the secret", path.display());
    }
}

#[tokio::test]
async fn what_is_computed_is_right_after_every_write() {
    let system = system().await;
    let line = json!({"sku": "a", "price": "2.50", "quantity": 3, "mail": "ada@example.com"});
    let made = post(&system, "/lines", line.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!((&made.json()["total"], &made.json()["taxed"]), (&json!("7.50"), &json!("8.92")));
    assert_eq!(system.public("POST /lines/more").send().await.status, 204);
    let all = system.public("GET /lines").send().await.json();
    assert_eq!((&all[0]["quantity"], &all[0]["total"]), (&json!(4), &json!("10.00")));
    assert_eq!(all[0]["taxed"], "11.90");
    let mut wrong = line;
    wrong["mail"] = json!("nobody");
    assert_eq!(errors(&post(&system, "/lines", wrong.clone()).await), [named("#/mail", "format")]);
    wrong["mail"] = json!(null);
    wrong["tags"] = json!(["a", "b", "c"]);
    assert_eq!(errors(&post(&system, "/lines", wrong).await), [named("#/tags", "max_items")]);
}
