//! Operations of several parts, with a real upstream on loopback.

use crate::client::Received;
use crate::system::{System, config, until_free};
use crate::upstream::{Does, Upstream};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, Secrets, start_within};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

static PAYMENTS: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/payments.md").into()));

async fn started_in(folder: TempDir, upstream: &Upstream) -> System {
    assert!(!PAYMENTS.has_errors(), "{:#?}", PAYMENTS.diagnostics);
    let elsewhere = format!("Payment provider=http://{}/base", upstream.address);
    let config = Config {
        upstreams: vec![elsewhere.parse().expect("an address")],
        secrets: Secrets::Test,
        clock: ClockChoice::System,
        ..config(folder.path().join("data"))
    };
    let running = start_within(config, Limits::default(), &PAYMENTS).await.expect("starts");
    System { running, folder }
}

async fn started(script: &[Does]) -> (System, Upstream) {
    let upstream = Upstream::new(script).await;
    (started_in(tempfile::tempdir().expect("a folder"), &upstream).await, upstream)
}

fn answers(status: u16, body: &str) -> Does {
    Does::Answers(status, body.to_owned())
}

async fn place(system: &System) -> Received {
    system.public("POST /orders").json(r#"{"amount": 25, "card": "c1"}"#).send().await
}

async fn count(system: &System, state: &str) -> u64 {
    let counted = system.public(&format!("GET /count/{state}")).send().await;
    counted.json()["n"].as_u64().unwrap_or_else(|| panic!("{counted:?}"))
}

#[tokio::test]
async fn a_call_sends_what_the_step_says_and_gives_what_was_answered() {
    let (system, upstream) = started(&[answers(201, r#"{"id":"ch_1","more":true}"#)]).await;
    let placed = place(&system).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    assert_eq!((&placed.json()["state"], &placed.json()["note"]), (&"paid".into(), &"ch_1".into()));
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /base/v1/charges HTTP/1.1");
    assert_eq!(seen[0].body, r#"{"amount":25,"card":"c1"}"#);
    assert_eq!(seen[0].header("authorization"), "Bearer test-PROVIDER_KEY");
    assert_eq!(seen[0].header("content-type"), "application/json");
    assert!(seen[0].header("idempotency-key").len() > 36, "{seen:?}");
}

#[tokio::test]
async fn a_path_takes_its_members_and_the_rest_goes_into_the_query() {
    let (system, upstream) = started(&[answers(200, r#"{"price":"9.50"}"#)]).await;
    let asked = system.public("GET /prices/a%20b%2Fc").send().await;
    assert_eq!((asked.status, asked.body.as_str()), (200, r#"{"price":"9.50"}"#));
    let seen = upstream.seen();
    assert_eq!(seen[0].line, "GET /base/v1/prices/a%20b%2Fc?currency=EUR HTTP/1.1");
    assert_eq!(seen[0].header("x-caller"), "shop test-SHOP_NAME");
}

#[tokio::test]
async fn a_failing_status_fails_the_operation_as_it_says() {
    let (system, _upstream) = started(&[answers(404, r#"{"price":"9.50"}"#)]).await;
    assert_eq!(system.public("GET /prices/a").send().await.outcome(), "502 no_price");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_no_answer() {
    let (system, upstream) = started(&[answers(200, r#"{"price":"cheap"}"#)]).await;
    assert_eq!(system.public("GET /prices/a").send().await.outcome(), "502 no_price");
    upstream.then(&[answers(201, "[]")]);
    let placed = place(&system).await;
    assert_eq!((placed.status, &placed.json()["note"]), (202, &"unfit".into()), "{placed:?}");
    // Longer than what is read.
    upstream.then(&[answers(201, &format!("{{\"id\":\"{}\"}}", "x".repeat(1_100_000)))]);
    assert_eq!(place(&system).await.json()["note"], "unfit");
}

#[tokio::test]
async fn a_declined_call_keeps_what_was_committed_and_fails() {
    let (system, upstream) = started(&[answers(402, r#"{"error":"no money"}"#)]).await;
    assert_eq!(place(&system).await.outcome(), "402 declined");
    assert_eq!((count(&system, "declined").await, upstream.seen().len()), (1, 1));
}

#[tokio::test]
async fn without_an_answer_in_time_the_operation_learns_that_it_may_be_done() {
    let late = Does::AnswersLate(201, r#"{"id":"late"}"#.into(), Duration::from_secs(5));
    let (system, upstream) = started(&[late]).await;
    let began = Instant::now();
    let placed = place(&system).await;
    assert_eq!((placed.status, &placed.json()["note"]), (202, &"unknown".into()), "{placed:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(upstream.seen().len(), 1, "a charge is not repeated unless the step says so");
}

#[tokio::test]
async fn what_did_not_leave_is_told_apart() {
    let (system, upstream) = started(&[Does::HangsUp]).await;
    assert_eq!(place(&system).await.json()["note"], "unknown");
    let port = upstream.address;
    drop(system);
    // A port that nobody listens on any more.
    let mut closed = Upstream::new(&[Does::HangsUp]).await;
    closed.address = unused().await;
    assert_ne!(closed.address, port);
    let system = started_in(tempfile::tempdir().expect("a folder"), &closed).await;
    assert_eq!(place(&system).await.json()["note"], "not_sent");
}

async fn unused() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    listener.local_addr().expect("an address")
}

#[tokio::test]
async fn every_try_has_the_same_key_and_every_round_its_own() {
    let paid = |id: &str| answers(201, &format!("{{\"id\":\"{id}\"}}"));
    let script = [answers(503, "{}"), Does::HangsUp, paid("a"), answers(429, "{}"), paid("b")];
    let (system, upstream) = started(&script).await;
    let paid = system.public("POST /pay_all").json(r#"{"cards":["c1","c2"]}"#).send().await;
    assert_eq!((paid.status, paid.body.as_str()), (200, r#"{"ids":["a","b"]}"#));
    let keys: Vec<String> =
        upstream.seen().iter().map(|seen| seen.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys.len(), 5);
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[3] == keys[4], "{keys:?}");
    assert_ne!(keys[0], keys[3]);
}

#[tokio::test]
async fn a_part_that_fails_undoes_itself_and_not_those_before() {
    let script = [answers(201, r#"{"id":"a"}"#), answers(400, "{}")];
    let (system, _upstream) = started(&script).await;
    let paid = system.public("POST /pay_all").json(r#"{"cards":["c1","c2","c3"]}"#).send().await;
    assert_eq!(paid.outcome(), "503 not_paid");
    assert_eq!(count(&system, "paid").await, 1);
}

#[tokio::test]
async fn a_component_that_fails_again_and_again_is_left_alone_for_a_while() {
    let (system, upstream) = started(&[Does::HangsUp]).await;
    for _ in 0..5 {
        assert_eq!(place(&system).await.json()["note"], "unknown");
    }
    assert_eq!(place(&system).await.json()["note"], "not_sent");
    assert_eq!(upstream.seen().len(), 5);
}

#[tokio::test]
async fn an_operation_goes_on_though_its_caller_has_gone() {
    let late = Does::AnswersLate(201, r#"{"id":"late"}"#.into(), Duration::from_millis(150));
    let (system, upstream) = started(&[late]).await;
    let asking = tokio::spawn(system.public("POST /orders").json(r#"{"amount":1,"card":"c"}"#).send());
    upstream.has_seen(1).await;
    asking.abort();
    let waited = system.public("GET /paid").send().await;
    assert_eq!(waited.json()[0]["note"], "late", "{waited:?}");
}

#[tokio::test]
async fn who_waits_is_told_when_there_is_something() {
    let (system, _upstream) = started(&[answers(201, r#"{"id":"now"}"#)]).await;
    let began = Instant::now();
    let waiting = tokio::spawn(system.public("GET /paid").send());
    assert_eq!(place(&system).await.status, 201);
    let waited = waiting.await.expect("no panic");
    assert_eq!(waited.json()[0]["note"], "now");
    assert!(began.elapsed() < Duration::from_secs(15), "not only when the time is up");
}

#[tokio::test]
async fn an_operation_that_was_cut_off_goes_on_at_the_next_start_with_the_same_key() {
    let (system, upstream) = started(&[Does::SaysNothing]).await;
    let asking = tokio::spawn(system.public("POST /pay_all").json(r#"{"cards":["c1"]}"#).send());
    upstream.has_seen(1).await;
    // Dropped, not shut down: like a killed process.
    let System { running, folder } = system;
    drop(running);
    asking.abort();
    upstream.then(&[answers(201, r#"{"id":"again"}"#)]);
    let system = started_when_free(folder, &upstream).await;
    let waited = system.public("GET /paid").send().await;
    assert_eq!(waited.json()[0]["note"], "again", "{waited:?}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(seen[0].body, seen[1].body);
    // It has ended, and nothing is left of it.
    let folder = system.stop().await;
    let system = started_in(folder, &upstream).await;
    assert_eq!(count(&system, "paid").await, 1);
    assert_eq!(upstream.seen().len(), 2);
}

async fn started_when_free(folder: TempDir, upstream: &Upstream) -> System {
    started_in(until_free(folder).await, upstream).await
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = start_within(config(folder.path().join("data")), Limits::default(), &PAYMENTS).await;
    let said = error.expect_err("missing").to_string();
    assert!(said.contains("PROVIDER_KEY, SHOP_NAME"), "{said}");
}

#[tokio::test]
async fn no_answer_shows_a_secret() {
    let (system, _upstream) = started(&[Does::HangsUp]).await;
    for answer in [place(&system).await, system.public("GET /prices/a").send().await] {
        assert!(!answer.body.contains("test-"), "{answer:?}");
    }
    for name in ["formwork.db", "formwork.db-wal"] {
        let bytes = std::fs::read(system.data().join(name)).unwrap_or_default();
        let secret = b"test-PROVIDER_KEY";
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{name}");
    }
}

#[tokio::test]
async fn a_repeat_after_503_goes_on_at_the_part_that_failed() {
    let script = [answers(201, r#"{"id":"a"}"#), answers(400, "{}")];
    let (system, upstream) = started(&script).await;
    let ask =
        || system.public("POST /pay_all").header("idempotency-key", "k1").json(r#"{"cards":["c1","c2"]}"#);
    assert_eq!(ask().send().await.outcome(), "503 not_paid");
    upstream.then(&[answers(201, r#"{"id":"b"}"#)]);
    let paid = ask().send().await;
    assert_eq!((paid.status, paid.body.as_str()), (200, r#"{"ids":["a","b"]}"#));
    let seen = upstream.seen();
    assert_eq!(seen.len(), 3, "the first card is not charged again");
    assert_eq!(seen[1].header("idempotency-key"), seen[2].header("idempotency-key"));
    // From now on the answer is replayed.
    assert_eq!(ask().send().await.body, paid.body);
    assert_eq!((upstream.seen().len(), count(&system, "paid").await), (3, 2));
}

#[tokio::test]
async fn once_a_part_is_committed_a_refusal_is_replayed() {
    let (system, upstream) = started(&[answers(402, "{}")]).await;
    let ask =
        || system.public("POST /orders").header("idempotency-key", "k1").json(r#"{"amount":1,"card":"c"}"#);
    for _ in 0..2 {
        assert_eq!(ask().send().await.outcome(), "402 declined");
    }
    assert_eq!((upstream.seen().len(), count(&system, "declined").await), (1, 1));
}

#[tokio::test]
async fn what_goes_on_after_a_crash_answers_the_repeat() {
    let (system, upstream) = started(&[Does::SaysNothing]).await;
    let body = r#"{"cards":["c1"]}"#;
    let ask = |system: &System| system.public("POST /pay_all").header("idempotency-key", "k1").json(body);
    let asking = tokio::spawn(ask(&system).send());
    upstream.has_seen(1).await;
    let System { running, folder } = system;
    drop(running);
    asking.abort();
    upstream.then(&[answers(201, r#"{"id":"again"}"#)]);
    let system = started_when_free(folder, &upstream).await;
    let paid = ask(&system).send().await;
    assert_eq!((paid.status, paid.body.as_str()), (200, r#"{"ids":["again"]}"#));
    assert_eq!((upstream.seen().len(), count(&system, "paid").await), (2, 1));
}

#[tokio::test]
async fn a_key_of_something_unfinished_is_no_key_for_anything_else() {
    let (system, upstream) = started(&[Does::SaysNothing]).await;
    let key = system.key("caller", "ann").await;
    let ask = |system: &System, cards: &str| {
        let ask = system.public("POST /pay_all").header("x-api-key", &key).header("idempotency-key", "k1");
        ask.json(&format!("{{\"cards\":[{cards}]}}"))
    };
    let asking = tokio::spawn(ask(&system, "\"c1\"").send());
    upstream.has_seen(1).await;
    assert_eq!(ask(&system, "\"c2\"").send().await.outcome(), "422 idempotency_key_reused");
    // Neither after a crash, while what was left goes on.
    let System { running, folder } = system;
    drop(running);
    asking.abort();
    let system = started_when_free(folder, &upstream).await;
    upstream.has_seen(2).await;
    assert_eq!(ask(&system, "\"c2\"").send().await.outcome(), "422 idempotency_key_reused");
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn what_waits_for_a_repeat_goes_on_by_nobody_else() {
    let script = [answers(201, r#"{"id":"a"}"#), answers(400, "{}")];
    let (system, upstream) = started(&script).await;
    let ask = |system: &System| {
        let ask = system.public("POST /pay_all").header("idempotency-key", "k1");
        ask.json(r#"{"cards":["c1","c2"]}"#)
    };
    assert_eq!(ask(&system).send().await.outcome(), "503 not_paid");
    upstream.then(&[answers(201, r#"{"id":"b"}"#)]);
    let folder = system.stop().await;
    let system = started_in(folder, &upstream).await;
    assert_eq!((upstream.seen().len(), count(&system, "paid").await), (2, 1));
    assert_eq!(ask(&system).send().await.body, r#"{"ids":["a","b"]}"#);
    assert_eq!(upstream.seen().len(), 3);
}
