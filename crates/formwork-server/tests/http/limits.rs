//! Limits of section 9: how often, how many at a time, how large, and how many rows there may be.

use crate::client::Received;
use crate::system::{System, config, unkept, until_free};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, start};
use serde_json::json;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const TEXT: &str = include_str!("../documents/limits.md");

pub(crate) static NOTES: LazyLock<Analysis> = LazyLock::new(|| read(TEXT));

fn read(text: &str) -> Analysis {
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:?}", analysis.diagnostics);
    assert_eq!(unkept(&analysis), [] as [&str; 0]);
    analysis
}

async fn notes() -> System {
    System::start(&NOTES, Limits::default()).await
}

async fn add(system: &System, key: &str) -> Received {
    system.public("POST /notes").json(r#"{"text":"x"}"#).key(key).send().await
}

async fn put(system: &System, owner: &str, state: &str) -> Received {
    let body = format!(r#"{{"owner":"{owner}","state":"{state}"}}"#);
    system.public("POST /items").json(&body).send().await
}

/// The statuses of requests that are all sent at once.
async fn at_once(asks: impl IntoIterator<Item = crate::client::Ask>) -> Vec<u16> {
    let mut sent: JoinSet<u16> = asks.into_iter().map(|ask| async { ask.send().await.status }).collect();
    let mut statuses = Vec::new();
    while let Some(status) = sent.join_next().await {
        statuses.push(status.expect("no panic"));
    }
    statuses
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

/// The problem's code, of whatever type it is.
fn code(received: &Received) -> String {
    format!("{} {}", received.status, received.json()["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn of_64_clients_at_once_exactly_the_limit_is_let_through() {
    let system = notes().await;
    let (ann, ben) = (system.key("writer", "ann").await, system.key("writer", "ben").await);
    let ask = || system.public("POST /notes").json(r#"{"text":"x"}"#).key(&ann);
    let statuses = at_once((0..128).map(|_| ask())).await;
    assert_eq!((count(&statuses, 201), count(&statuses, 429)), (15, 113), "the burst");
    assert_eq!(system.count(r#"{"entity":"note"}"#).await, 15);
    // 15 in every 45 s, and 20 in every 60 s.
    system.advance("44.999999s").await;
    assert_eq!(add(&system, &ann).await.status, 429);
    system.advance("1us").await;
    let statuses = at_once((0..64).map(|_| ask())).await;
    assert_eq!(count(&statuses, 201), 5, "the minute");
    assert_eq!(add(&system, &ben).await.status, 201, "another caller has its own");
    system.advance("15s").await;
    let statuses = at_once((0..64).map(|_| ask())).await;
    assert_eq!(count(&statuses, 201), 10, "the burst began 15 s ago with five");
}

#[tokio::test]
async fn an_answer_says_what_is_left_and_a_refusal_when_to_come_again() {
    let system = notes().await;
    let key = system.key("writer", "ann").await;
    let first = add(&system, &key).await;
    assert_eq!(first.status, 201, "{first:?}");
    let policy = r#""add-caller";q=20;w=60, "add-caller-burst";q=15;w=45"#;
    assert_eq!(first.header("ratelimit-policy").as_deref(), Some(policy));
    let left = r#""add-caller";r=19;t=60, "add-caller-burst";r=14;t=45"#;
    assert_eq!(first.header("ratelimit").as_deref(), Some(left));
    // What the input is refused for was let through, and says so as well.
    let invalid = system.public("POST /notes").json("{}").key(&key).send().await;
    assert_eq!(invalid.outcome(), "422 invalid");
    assert_eq!(
        invalid.header("ratelimit").as_deref(),
        Some(r#""add-caller";r=18;t=60, "add-caller-burst";r=13;t=45"#)
    );
    for _ in 0..13 {
        assert_eq!(add(&system, &key).await.status, 201);
    }
    system.advance("1500ms").await;
    let refused = add(&system, &key).await;
    assert_eq!(code(&refused), "429 rate_limited");
    let problem = refused.json();
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["violated-policies"], serde_json::json!(["add-caller-burst"]));
    assert_eq!(refused.header("retry-after").as_deref(), Some("44"), "43.5 s, rounded up");
    assert_eq!(refused.header("ratelimit-policy").as_deref(), Some(policy));
    assert_eq!(
        refused.header("ratelimit").as_deref(),
        Some(r#""add-caller";r=5;t=59, "add-caller-burst";r=0;t=44"#)
    );
    system.advance("44s").await;
    assert_eq!(add(&system, &key).await.status, 201, "who waits as told is let through");
    // What has no limit speaks of none.
    let free = put(&system, "ann", "idle").await;
    assert_eq!((free.status, free.header("ratelimit"), free.header("ratelimit-policy")), (201, None, None));
}

#[tokio::test]
async fn who_may_not_call_takes_nothing_from_who_may() {
    let system = notes().await;
    let (writer, reader) = (system.key("writer", "ann").await, system.key("reader", "ann").await);
    for _ in 0..30 {
        assert_eq!(add(&system, "fw_none").await.status, 401);
        assert_eq!(add(&system, &reader).await.status, 403);
    }
    let first = add(&system, &writer).await;
    assert!(
        first.header("ratelimit").is_some_and(|left| left.starts_with(r#""add-caller";r=19"#)),
        "{first:?}"
    );
}

#[tokio::test]
async fn a_mocked_operation_is_limited_by_its_input_and_refuses_as_the_document_says() {
    let system = notes().await;
    let key = system.key("reader", "ann").await;
    let describe =
        async |tenant: &str| system.public(&format!("GET /descriptions/{tenant}")).key(&key).send().await;
    for _ in 0..3 {
        let told = describe("red").await;
        assert_eq!((told.status, told.header("x-formwork-mode").as_deref()), (200, Some("mocked")));
        assert!(told.header("ratelimit").is_some_and(|left| left.starts_with(r#""describe-tenant";r="#)));
    }
    assert_eq!(code(&describe("red").await), "429 enough_told");
    assert_eq!(describe("blue").await.status, 200);
}

#[tokio::test]
async fn what_was_let_through_outlives_a_restart_and_a_kill() {
    let system = notes().await;
    let key = system.key("writer", "ann").await;
    for _ in 0..14 {
        assert_eq!(add(&system, &key).await.status, 201);
    }
    let folder = system.stop().await;
    let system = System::start_in(folder, &NOTES, Limits::default()).await;
    assert_eq!(add(&system, &key).await.status, 201);
    assert_eq!(add(&system, &key).await.status, 429);
    // Dropped, not shut down: like a killed process.
    let System { running, folder } = system;
    drop(running);
    let system = System::start_in(until_free(folder).await, &NOTES, Limits::default()).await;
    assert_eq!(add(&system, &key).await.status, 429);
    system.advance("60s").await;
    assert_eq!(add(&system, &key).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_of_real_time_holds_more_than_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { clock: ClockChoice::System, ..config(folder.path().join("data")) };
    let system = System { running: start(config, &NOTES).await.expect("starts"), folder };
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let ask = system.public("POST /ticks");
        clients.spawn(async move {
            let mut passed = 0_u64;
            while began.elapsed() < Duration::from_millis(2_500) {
                let answer = ask.clone().send().await;
                match answer.status {
                    204 => passed += 1,
                    429 => assert_eq!(answer.header("retry-after").as_deref(), Some("1")),
                    _ => panic!("{answer:?}"),
                }
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
    assert!(passed >= 100, "{passed}: two whole windows were used");
}

#[tokio::test]
async fn a_place_is_one_callers_until_it_is_answered_or_gone() {
    let system = notes().await;
    let wait = |worker: &str| system.public("POST /waits").json(&format!(r#"{{"worker":"{worker}"}}"#));
    let mut both: JoinSet<Received> = (0..2).map(|_| wait("one").send()).collect();
    let refused = both.join_next().await.expect("two were sent").expect("no panic");
    assert_eq!(code(&refused), "429 rate_limited");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    assert_eq!(
        refused.header("ratelimit-policy").as_deref(),
        Some(r#""wait_for-worker";q=1;qu="concurrent-requests""#)
    );
    let key = system.key("writer", "ann").await;
    let text = |text: &str| system.public("POST /notes").json(&format!(r#"{{"text":"{text}"}}"#)).key(&key);
    assert_eq!(text("one").send().await.status, 201);
    let answered = both.join_next().await.expect("two were sent").expect("no panic");
    assert_eq!(answered.status, 204, "{answered:?}");
    assert_eq!(wait("one").send().await.status, 204, "its place was given back");
    // A caller who is gone has no place either: the next one is let in, and waits.
    let mut gone = tokio::spawn(wait("two").send());
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut gone).await.is_err(), "it waits");
    gone.abort();
    let again = || tokio::time::timeout(Duration::from_millis(300), wait("two").send());
    while let Ok(refused) = again().await {
        assert_eq!(refused.status, 429);
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_document_says() {
    let system = notes().await;
    let key = system.key("writer", "ann").await;
    let text = |length: usize| format!(r#"{{"text":"{}"}}"#, "x".repeat(length));
    let add = async |length| system.public("POST /notes").json(&text(length)).key(&key).send().await;
    assert_eq!(add(1_500_000).await.status, 201, "more than is usual");
    assert_eq!(add(2_000_000).await.outcome(), "413 content_too_large");
    assert_eq!(put(&system, &"x".repeat(900), "idle").await.status, 201);
    assert_eq!(put(&system, &"x".repeat(1_100), "idle").await.outcome(), "413 content_too_large");
}

#[tokio::test]
async fn of_64_rows_at_once_exactly_as_many_are_made_as_there_may_be() {
    let system = notes().await;
    let ask = |owner: &str| system.public("POST /items").json(&format!(r#"{{"owner":"{owner}"}}"#));
    let statuses = at_once((0..64).map(|at| ask(if at % 2 == 0 { "ann" } else { "ben" }))).await;
    assert_eq!((count(&statuses, 201), count(&statuses, 409)), (20, 44), "{statuses:?}");
    assert_eq!(system.count(r#"{"entity":"item","where":"owner == \"ann\""}"#).await, 10);
    assert_eq!(put(&system, "ann", "idle").await.outcome(), "409 quota_exceeded");
}

#[tokio::test]
async fn rows_that_go_or_move_make_room_and_those_that_come_count() {
    let system = notes().await;
    let boxed = r#"{"name":"a"}"#;
    assert_eq!(system.public("POST /boxes").json(boxed).send().await.status, 201);
    let mut last = String::new();
    for at in 0..10 {
        let body = if at < 4 { r#"{"owner":"ann","box":"a"}"# } else { r#"{"owner":"ann"}"# };
        let made = system.public("POST /items").json(body).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        last = made.json()["id"].as_str().expect("an id").to_owned();
    }
    let change =
        async |id: &str, body: &str| system.public(&format!("PATCH /items/{id}")).json(body).send().await;
    // A row of somebody else's cannot become hers, and hers can become his.
    let other = put(&system, "ben", "idle").await.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(change(&other, r#"{"owner":"ann"}"#).await.outcome(), "409 quota_exceeded");
    assert_eq!(change(&last, r#"{"owner":"ben"}"#).await.status, 200);
    assert_eq!(change(&other, r#"{"owner":"ann"}"#).await.status, 200);
    assert_eq!(put(&system, "ann", "idle").await.outcome(), "409 quota_exceeded");
    // What goes with its box makes room too.
    assert_eq!(system.public("DELETE /boxes/a").send().await.status, 204);
    for _ in 0..4 {
        assert_eq!(put(&system, "ann", "idle").await.status, 201);
    }
    assert_eq!(put(&system, "ann", "idle").await.outcome(), "409 quota_exceeded");
    // A condition: rows count from when they meet it.
    assert_eq!(change(&last, r#"{"state":"busy"}"#).await.status, 200);
    assert_eq!(put(&system, "ben", "busy").await.status, 201);
    let third = put(&system, "ben", "busy").await;
    assert_eq!(third.outcome(), "409 too_busy");
    let idle = put(&system, "ben", "idle").await.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(change(&idle, r#"{"state":"busy"}"#).await.outcome(), "409 too_busy");
    assert_eq!(change(&last, r#"{"state":"idle"}"#).await.status, 200);
    assert_eq!(change(&idle, r#"{"state":"busy"}"#).await.status, 200);
}

#[tokio::test]
async fn batches_and_standing_steps_are_held_to_a_quota_and_make_room() {
    let system = notes().await;
    let put_all = async |owners: &[&str], alone: bool| {
        let body = json!({"owners": owners, "alone": alone}).to_string();
        system.public("POST /items/all").json(&body).send().await
    };
    let of = async |owner: &str| {
        let condition = format!("owner == {owner:?}");
        system.count(&json!({"entity": "item", "where": condition}).to_string()).await
    };
    // In one transaction all or nothing; each by itself, as many as there may be.
    let (eleven, eight) = (["ann"; 11], ["ann"; 8]);
    assert_eq!(put_all(&eleven, false).await.outcome(), "409 quota_exceeded");
    assert_eq!(of("ann").await, 0);
    assert_eq!(put_all(&eight, false).await.json(), json!({"made": 8}));
    let mixed = ["ann", "ben", "ann", "ann", "ben", "ann"];
    assert_eq!(put_all(&mixed, true).await.json(), json!({"made": 4}));
    assert_eq!((of("ann").await, of("ben").await), (10, 2));
    // What a standing step throws away makes room.
    for _ in 0..3 {
        assert_eq!(put(&system, "cleo", "gone").await.status, 201);
    }
    assert_eq!(put_all(&["cleo"; 8], false).await.outcome(), "409 quota_exceeded");
    system.advance("1 min").await;
    assert_eq!(of("cleo").await, 0);
    assert_eq!(put_all(&["cleo"; 10], false).await.json(), json!({"made": 10}));
    // What it creates is held to the quota too.
    for _ in 0..12 {
        system.advance("10 min").await;
    }
    assert_eq!(of("keeper").await, 10);
}

#[tokio::test]
async fn rows_that_were_there_before_a_quota_stay_and_count() {
    let system = notes().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let made = put(&system, "ann", "idle").await;
        ids.push(made.json()["id"].as_str().expect("an id").to_owned());
    }
    let folder = system.stop().await;
    let fewer = read(&TEXT.replace("at most 10 `item`", "at most 3 `item`"));
    let system = System::start_in(folder, &fewer, Limits::default()).await;
    assert_eq!(put(&system, "ann", "idle").await.outcome(), "409 quota_exceeded");
    let changed = system.public(&format!("PATCH /items/{}", ids[0])).json(r#"{"state":"new"}"#).send().await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for id in &ids[..2] {
        assert_eq!(system.public(&format!("DELETE /items/{id}")).send().await.status, 204);
    }
    assert_eq!(put(&system, "ann", "idle").await.outcome(), "409 quota_exceeded");
    assert_eq!(system.public(&format!("DELETE /items/{}", ids[2])).send().await.status, 204);
    assert_eq!(put(&system, "ann", "idle").await.status, 201);
}

#[test]
fn a_limit_that_nobody_would_enforce_is_told_with_its_line_and_the_way_out() {
    let told = |line: &str| {
        let text = TEXT.replace("- 1 KiB per request", line);
        unkept(&analyse_fragment(text.into())).join("\n")
    };
    assert!(told("- device: 50 samples/s, burst 1000").contains("is not understood; write"));
    assert!(told("- `ad`: 5 requests per second").contains("there is no operation `ad`"));
    assert!(
        told("- `add`: 5 requests per second per `input.shelf`")
            .contains("`input.shelf` is no input of `add`")
    );
    let line = told("- 5 requests per second per shelf");
    let number = TEXT.lines().position(|line| line == "- 1 KiB per request").expect("there") + 1;
    assert!(line.starts_with(&format!("line {number}: ")), "{line}");
}
