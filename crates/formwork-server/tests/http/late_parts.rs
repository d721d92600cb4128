//! The time of a request is over while an operation of several parts waits for an upstream: its caller is told that the
//! outcome is unknown, it goes on, and a repeat with the key is answered with what it came to.

use crate::system::{System, config};
use crate::upstream::{Does, Upstream};
use formwork_check::analyse_fragment;
use formwork_server::{ClockChoice, Config, Limits, Secrets, start_within};
use std::time::Duration;

/// The time of a request.
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_caller_whose_time_is_over_is_told_504_and_a_repeat_gets_the_answer() {
    let analysis = analyse_fragment(include_str!("../documents/payments.md").into());
    let held = Does::AnswersLate(201, r#"{"id":"late"}"#.into(), SHORT * 3);
    let upstream = Upstream::new(&[held]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = format!("Payment provider=http://{}/base", upstream.address);
    let config = Config {
        upstreams: vec![elsewhere.parse().expect("an address")],
        secrets: Secrets::Test,
        clock: ClockChoice::System,
        ..config(folder.path().join("data"))
    };
    let limits = Limits { request: SHORT, ..Limits::default() };
    let running = start_within(config, limits, &analysis).await.expect("starts");
    let system = System { running, folder };
    let pay = || system.public("POST /pay_all").header("idempotency-key", "k").json(r#"{"cards":["c1"]}"#);
    assert_eq!(pay().send().await.outcome(), "504 outcome_unknown");
    let answer = loop {
        let again = pay().send().await;
        if again.status == 200 {
            break again;
        }
        assert_eq!(again.outcome(), "504 outcome_unknown");
    };
    assert_eq!(answer.body, r#"{"ids":["late"]}"#);
    assert_eq!(pay().send().await.body, answer.body);
    assert_eq!(upstream.seen().len(), 1, "the other side was asked once");
    let counted = system.public("GET /count/paid").send().await;
    assert_eq!(counted.json()["n"], 1, "{counted:?}");
    system.stop().await;
}
