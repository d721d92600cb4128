//! `ETag`, `If-Match` and `If-None-Match`: a write on what its caller has seen, and an answer that need not be sent again.

use crate::client::{Ask, Received};
use crate::system::System;
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;
use std::sync::LazyLock;

static NOTES: LazyLock<Analysis> = LazyLock::new(|| {
    let key = "**Input:**\n- `id` (string) | which | required\n";
    let found = "2. Finds the `note` where `id == input.id`, or fails with `404 no_note`.\n";
    let text = format!(
        "## 4) Primary Interface/API\n\n\
        #### Operation: `read` — `GET /notes/{{id}}`\n\n{key}\n**Output:** the `note`\n\n\
        **Behavior:**\n1. Anyone may call this.\n{found}\n\
        #### Operation: `title` — `GET /titles/{{id}}`\n\n{key}\n**Output:**\n- `text` (string) | words\n\n\
        **Behavior:**\n1. Anyone may call this.\n{found}3. Returns the `note`.\n\n\
        #### Operation: `all` — `GET /notes`\n\n**Input:** None\n\n**Output:** a list of `note`\n\n\
        **Behavior:**\n1. Anyone may call this.\n2. Lists the `note`.\n\n\
        #### Operation: `put` — `PUT /notes/{{id}}`\n\n{key}- `text` (string) | words | required\n\n\
        **Output:** the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
        2. Creates or updates the `note` where `id = input.id` from the input.\n\n\
        #### Operation: `edit` — `PATCH /notes/{{id}}`\n\n{key}- `text` (string) | words | required\n\n\
        **Output:** the `note`\n\n**Behavior:**\n1. Anyone may call this.\n{found}\
        3. Fails with `409 locked` when `input.text == \"no\"`.\n\
        4. Finds the `tally` where `id == \"edits\"`, or creates it with `count = 0`.\n\
        5. Updates the `tally` with `count = tally.count + 1`.\n\
        6. Updates the `note` with `text = input.text`.\n\n\
        #### Operation: `drop` — `DELETE /notes/{{id}}`\n\n{key}\n**Output:** nothing\n\n\
        **Behavior:**\n1. Anyone may call this.\n{found}3. Deletes the `note`.\n\n\
        #### Operation: `ring` — `POST /bell`\n\n**Input:** None\n\n**Output:** nothing\n\n\
        **Behavior:**\n1. Anyone may call this.\n2. Creates a `tally` with `id = \"rings\"`, `count = 1`.\n\n\
        ## 6) Data Model\n\n### Entity: `note`\n\n**Fields:**\n- `id` (string) | which | primary key\n\
        - `text` (string) | words | required\n\n\
        ### Entity: `tally`\n\n**Fields:**\n- `id` (string) | which | primary key\n\
        - `count` (integer) | how many | required\n"
    );
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:?}", analysis.diagnostics);
    analysis
});

async fn notes() -> System {
    let system = System::start(&NOTES, Limits::default()).await;
    assert_eq!(put(&system, "one").send().await.status, 201);
    system
}

fn put(system: &System, text: &str) -> Ask {
    system.public("PUT /notes/a").json(&format!(r#"{{"text":"{text}"}}"#))
}

fn edit(system: &System, text: &str) -> Ask {
    system.public("PATCH /notes/a").json(&format!(r#"{{"text":"{text}"}}"#))
}

fn tag(received: &Received) -> String {
    received.header("etag").unwrap_or_else(|| panic!("no tag: {received:?}"))
}

#[tokio::test]
async fn a_row_bears_the_tag_of_its_state() {
    let system = notes().await;
    let read = || system.public("GET /notes/a").send();
    let first = read().await;
    assert!(tag(&first).starts_with('"'), "{first:?}");
    assert_eq!(first.header("cache-control").as_deref(), Some("private, no-cache"));
    assert_eq!(tag(&read().await), tag(&first));
    let written = edit(&system, "two").send().await;
    assert_ne!(tag(&written), tag(&first));
    assert_eq!(tag(&read().await), tag(&written));
    // A row that was deleted and made anew is another, with the same version and key.
    assert_eq!(system.public("DELETE /notes/a").send().await.status, 204);
    assert_eq!(put(&system, "three").send().await.status, 201);
    assert_ne!(tag(&read().await), tag(&first));
    // Another selection of fields has other bytes and so another tag.
    assert_ne!(tag(&system.public("GET /titles/a").send().await), tag(&read().await));
    system.stop().await;
}

#[tokio::test]
async fn of_twenty_writes_on_one_state_one_succeeds() {
    let system = notes().await;
    let seen = tag(&system.public("GET /notes/a").send().await);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        calls.spawn(edit(&system, &format!("edit {number}")).header("if-match", &seen).send());
    }
    let answers = calls.join_all().await;
    let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1);
    assert!(bad.iter().all(|answer| answer.outcome() == "412 precondition_failed"));
    // What was refused has changed nothing, the count beside it included.
    assert_eq!(system.count(r#"{"entity":"tally","where":"count == 1"}"#).await, 1);
    assert_eq!(system.public("GET /notes/a").send().await.body, good[0].body);
    system.stop().await;
}

#[tokio::test]
async fn a_tag_of_any_selection_of_fields_stands_for_the_row() {
    let system = notes().await;
    let seen = tag(&system.public("GET /titles/a").send().await);
    assert_eq!(edit(&system, "two").header("if-match", &format!("\"x\", {seen}")).send().await.status, 200);
    let again = edit(&system, "three").header("if-match", &seen).send().await;
    assert_eq!(again.outcome(), "412 precondition_failed");
    system.stop().await;
}

#[tokio::test]
async fn the_refusals_of_the_steps_come_before_the_conditions() {
    let system = notes().await;
    assert_eq!(edit(&system, "no").header("if-match", "\"x\"").send().await.outcome(), "409 locked");
    let gone = system.public("DELETE /notes/b").header("if-match", "\"x\"").send().await;
    assert_eq!(gone.outcome(), "404 no_note");
    let weak = format!("W/{}", tag(&system.public("GET /notes/a").send().await));
    assert_eq!(edit(&system, "two").header("if-match", &weak).send().await.status, 412);
    assert_eq!(edit(&system, "two").header("if-match", "x").send().await.outcome(), "400 malformed");
    assert_eq!(edit(&system, "two").header("if-match", "*").send().await.status, 200);
    // A behaviour that changes no row has none that could match.
    assert_eq!(system.public("POST /bell").header("if-match", "*").send().await.status, 412);
    assert_eq!(system.count(r#"{"entity":"tally","where":"id == \"rings\""}"#).await, 0);
    system.stop().await;
}

#[tokio::test]
async fn if_none_match_makes_a_put_create_only() {
    let system = notes().await;
    let existing = put(&system, "two").header("if-none-match", "*").send().await;
    assert_eq!(existing.outcome(), "412 precondition_failed");
    let fresh = system.public("PUT /notes/b").json(r#"{"text":"new"}"#).header("if-none-match", "*");
    assert_eq!(fresh.send().await.status, 201);
    assert_eq!(system.count(r#"{"entity":"note","where":"text == \"one\" || text == \"new\""}"#).await, 2);
    system.stop().await;
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    let system = notes().await;
    for line in ["/notes/a", "/titles/a", "/notes"] {
        let get = |method: &str| system.public(&format!("{method} {line}"));
        let seen = tag(&get("GET").send().await);
        for method in ["GET", "HEAD"] {
            let same = get(method).header("if-none-match", &format!("\"x\", W/{seen}")).send().await;
            assert_eq!((same.status, same.body.as_str()), (304, ""), "{line}");
            assert_eq!(tag(&same), seen);
            assert_eq!(same.header("content-length"), None);
            assert_eq!(get(method).header("if-none-match", "*").send().await.status, 304);
        }
        assert_eq!(get("GET").header("if-none-match", "\"x\"").send().await.status, 200);
        assert_eq!(edit(&system, line).send().await.status, 200);
        assert_eq!(get("GET").header("if-none-match", &seen).send().await.status, 200, "{line}");
    }
    // The tag of a list is for `If-None-Match` alone.
    let list = tag(&system.public("GET /notes").send().await);
    assert_eq!(system.public("GET /notes").header("if-match", &list).send().await.status, 412);
    let row = tag(&system.public("GET /notes/a").send().await);
    assert_eq!(system.public("GET /notes/a").header("if-match", &row).send().await.status, 200);
    assert_eq!(
        system.public("GET /notes/b").header("if-none-match", "*").send().await.outcome(),
        "404 no_note"
    );
    system.stop().await;
}
