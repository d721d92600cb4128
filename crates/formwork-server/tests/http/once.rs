//! `Idempotency-Key`: one effect for one key, however often and however fast the request is sent.

use crate::system::System;
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;
use std::sync::LazyLock;

static TILL: LazyLock<Analysis> = LazyLock::new(|| {
    let text = "## 4) Primary Interface/API\n\n\
        #### Operation: `pay` — `POST /payments`\n\n\
        **Input:**\n- `amount` (integer) | cents | required, ≥ 1\n\
        - `at` (timestamp) | when | optional, default now()\n\n\
        **Output:** `201` with the `payment`\n\n\
        **Behavior:**\n1. Anyone may call this.\n2. Fails with `409 closed` when `input.amount == 13`.\n\
        3. Creates a `payment` from the input with `payer = caller.id ?? \"nobody\"`.\n4. Emits `payment.made`.\n\n\
        #### Operation: `refund` — `POST /refunds`\n\n\
        **Input:**\n- `amount` (integer) | cents | required\n\n\
        **Output:** `201` with the `payment`\n\n\
        **Behavior:**\n1. Requires role `clerk`.\n\
        2. Creates a `payment` with `amount = 0 - input.amount`, `payer = caller.id`.\n\n\
        #### Operation: `look` — `POST /looks`\n\n\
        **Input:** None\n\n**Output:** a list of `payment`\n\n\
        **Behavior:**\n1. Anyone may call this.\n2. Lists the `payment`.\n\n\
        ## 6) Data Model\n\n### Entity: `payment`\n\n**Fields:**\n\
        - `id` (uuid) | identity | primary key, generated\n\
        - `amount` (integer) | cents | required\n- `payer` (string) | who | required\n\
        - `at` (timestamp) | when | optional\n\n\
        ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n\
        - API keys in header `X-API-Key`\n- `Idempotency-Key` is required for `refund`; kept 7 d\n\n\
        ## 10) Observability\n\n### Events\n- `payment.made`: when money comes; data `id`, `amount`\n";
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:?}", analysis.diagnostics);
    analysis
});

async fn till() -> System {
    System::start(&TILL, Limits::default()).await
}

async fn payments(system: &System) -> u64 {
    system.count(r#"{"entity":"payment"}"#).await
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_was_and_has_no_effect() {
    let system = till().await;
    let pay = || system.public("POST /payments").json(r#"{"amount":7}"#).header("idempotency-key", "\"k-1\"");
    let first = pay().send().await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.header("idempotent-replayed"), None);
    system.advance("1h").await;
    let again = pay().send().await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(again.header("idempotent-replayed").as_deref(), Some("true"));
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    // Whitespace and the order of members are no other input.
    let spelled =
        system.public("POST /payments").json(r#"{ "amount": 7.0 }"#).header("idempotency-key", "k-1");
    assert_eq!(spelled.send().await.body, first.body);
    assert_eq!(payments(&system).await, 1);
    let events = system.admin("GET /probe/events?name=payment.made").send().await.json();
    assert_eq!(events["events"].as_array().map(Vec::len), Some(1));
    system.stop().await;
}

#[tokio::test]
async fn of_twenty_at_once_one_has_an_effect_and_all_get_its_answer() {
    let system = till().await;
    let clerk = system.key("clerk", "ann").await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let ask = system.public("POST /refunds").key(&clerk).json(r#"{"amount":5}"#);
        calls.spawn(ask.header("idempotency-key", "race").send());
    }
    let answers = calls.join_all().await;
    assert!(
        answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body),
        "{answers:?}"
    );
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count(), 1);
    assert_eq!(payments(&system).await, 1);
    system.stop().await;
}

#[tokio::test]
async fn the_same_key_with_another_input_or_operation_is_refused() {
    let system = till().await;
    let clerk = system.key("clerk", "ann").await;
    let send =
        |line: &str, body: &str| system.public(line).key(&clerk).json(body).header("idempotency-key", "k");
    assert_eq!(send("POST /refunds", r#"{"amount":5}"#).send().await.status, 201);
    let other = send("POST /refunds", r#"{"amount":6}"#).send().await;
    assert_eq!(other.outcome(), "422 idempotency_key_reused");
    let elsewhere = send("POST /payments", r#"{"amount":5}"#).send().await;
    assert_eq!(elsewhere.outcome(), "422 idempotency_key_reused");
    assert_eq!(payments(&system).await, 1);
    system.stop().await;
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let system = till().await;
    for name in ["ann", "bob"] {
        let key = system.key("clerk", name).await;
        let ask = system.public("POST /refunds").key(&key).json(r#"{"amount":5}"#);
        let answer = ask.header("idempotency-key", "k").send().await;
        assert_eq!((answer.status, answer.json()["payer"].as_str()), (201, Some(name)));
    }
    // Two strangers with one key and other inputs do not see each other's answers.
    for amount in [1, 2, 1] {
        let ask = system.public("POST /payments").json(&format!(r#"{{"amount":{amount}}}"#));
        let answer = ask.header("idempotency-key", "k").send().await;
        assert_eq!((answer.status, answer.json()["amount"].as_i64()), (201, Some(amount)));
    }
    assert_eq!(payments(&system).await, 4);
    system.stop().await;
}

#[tokio::test]
async fn what_was_refused_runs_anew() {
    let system = till().await;
    let clerk = system.key("clerk", "ann").await;
    let pay = |amount: u32| {
        let ask = system.public("POST /payments").key(&clerk).json(&format!(r#"{{"amount":{amount}}}"#));
        ask.header("idempotency-key", "k")
    };
    assert_eq!(pay(13).send().await.outcome(), "409 closed");
    assert_eq!(pay(13).send().await.outcome(), "409 closed");
    // The refusal has kept nothing, so that the key is free for another input.
    assert_eq!(pay(14).send().await.status, 201);
    system.stop().await;
}

#[tokio::test]
async fn a_key_that_is_required_or_unreadable_is_told() {
    let system = till().await;
    let clerk = system.key("clerk", "ann").await;
    let refund = || system.public("POST /refunds").key(&clerk);
    assert_eq!(refund().json(r#"{"amount":5}"#).send().await.outcome(), "400 idempotency_key_required");
    // Before the input is looked at, behind who may.
    assert_eq!(refund().json("{}").send().await.outcome(), "400 idempotency_key_required");
    assert_eq!(system.public("POST /refunds").json("{}").send().await.outcome(), "401 unauthenticated");
    let unreadable = refund().header("idempotency-key", "a b").json(r#"{"amount":5}"#).send().await;
    assert_eq!(unreadable.outcome(), "400 malformed");
    // What writes nothing needs none and takes any.
    let look = || system.public("POST /looks").json("{}");
    assert_eq!(look().send().await.status, 200);
    assert_eq!(look().header("idempotency-key", "k").send().await.header("idempotent-replayed"), None);
    assert_eq!(look().header("idempotency-key", "k").send().await.header("idempotent-replayed"), None);
    system.stop().await;
}

#[tokio::test]
async fn an_answer_is_kept_as_long_as_the_document_says_and_outlives_a_restart() {
    let system = till().await;
    let clerk = system.key("clerk", "ann").await;
    let refund = |system: &System| {
        system.public("POST /refunds").key(&clerk).json(r#"{"amount":5}"#).header("idempotency-key", "k")
    };
    let pay = |system: &System| {
        system.public("POST /payments").key(&clerk).json(r#"{"amount":5}"#).header("idempotency-key", "p")
    };
    assert_eq!(refund(&system).send().await.status, 201);
    assert_eq!(pay(&system).send().await.status, 201);
    let folder = system.stop().await;
    let system = System::start_in(folder, &TILL, Limits::default()).await;
    system.advance("23h").await;
    assert_eq!(pay(&system).send().await.header("idempotent-replayed").as_deref(), Some("true"));
    system.advance("2h").await;
    assert_eq!(pay(&system).send().await.header("idempotent-replayed"), None);
    assert_eq!(refund(&system).send().await.header("idempotent-replayed").as_deref(), Some("true"));
    system.advance("7d").await;
    assert_eq!(refund(&system).send().await.header("idempotent-replayed"), None);
    system.stop().await;
}
