//! Costs and budgets: what is kept back, charged, refused, told and given back, also in a crowd and after a crash.

use crate::client::Received;
use crate::place::options;
use crate::system::{System, config, until_free};
use crate::upstream::{Does, Upstream};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{Config, Limits, Secrets, mode_table, start_within};
use formwork_store::Store;
use serde_json::Value as Json;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

static BUDGETS: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/budgets.md").into()));

const TEAM: &str = "USD per team per day";

async fn started_in(folder: TempDir, upstream: &Upstream) -> System {
    assert!(!BUDGETS.has_errors(), "{:#?}", BUDGETS.diagnostics);
    let elsewhere = format!("Provider=http://{}", upstream.address);
    let config = Config {
        upstreams: vec![elsewhere.parse().expect("an address")],
        secrets: Secrets::Test,
        ..config(folder.path().join("data"))
    };
    let running = start_within(config, Limits::default(), &BUDGETS).await.expect("starts");
    System { running, folder }
}

async fn started(script: &[Does]) -> (System, Upstream) {
    let upstream = Upstream::new(script).await;
    (started_in(tempfile::tempdir().expect("a folder"), &upstream).await, upstream)
}

fn takes(tokens: u32) -> Does {
    Does::Answers(200, format!("{{\"tokens\":{tokens}}}"))
}

async fn ask(system: &System, team: &str, tokens: u32) -> Received {
    system.public("POST /ask").json(&format!(r#"{{"team":"{team}","tokens":{tokens}}}"#)).send().await
}

async fn complete(system: &System, team: &str, most: u32) -> Received {
    let body = format!(r#"{{"team":"{team}","max_tokens":{most}}}"#);
    system.public("POST /complete").json(&body).send().await
}

/// Spent, kept back and left of a team's budget.
async fn standing(system: &System, team: &str) -> [String; 3] {
    let shown = system.admin("GET /budgets").send().await.json();
    let lines = shown["budgets"].as_array().expect("a list");
    let line = lines.iter().find(|line| line["budget"] == TEAM && line["key"] == team);
    let line = line.unwrap_or_else(|| panic!("no budget of {team} in {shown}"));
    ["spent", "reserved", "left"].map(|name| line[name].as_str().expect("an amount").to_owned())
}

async fn alerts(system: &System) -> Vec<Json> {
    let events = system.admin("GET /probe/events?name=budget.threshold_reached").send().await.json();
    events["events"].as_array().expect("a list").iter().map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn what_a_call_costs_is_charged_exactly_and_refused_when_it_is_too_much() {
    let (system, _upstream) = started(&[takes(1)]).await;
    assert_eq!(ask(&system, "a", 333).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["0.333", "0", "0.667"]);
    let refused = ask(&system, "a", 668).await;
    assert_eq!((refused.outcome().as_str(), &refused.json()["budget"]), ("402 no_money", &TEAM.into()));
    assert_eq!(ask(&system, "a", 667).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["1", "0", "0"]);
    assert_eq!(ask(&system, "a", 0).await.status, 200, "what costs nothing needs no money");
    assert_eq!(ask(&system, "b", 1000).await.status, 200, "another team has its own");
    assert_eq!(
        ask(&system, "", 1000).await.outcome(),
        "404 no_team",
        "what is wrong is told before the money"
    );
}

#[tokio::test]
async fn what_fails_costs_nothing_and_leaves_nothing() {
    let (system, _upstream) = started(&[takes(1)]).await;
    assert_eq!(ask(&system, "a", 77).await.outcome(), "418 after_all");
    assert_eq!(ask(&system, "a", 1).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["0.001", "0", "0.999"]);
    assert_eq!(system.count(r#"{"entity":"question"}"#).await, 1);
}

#[tokio::test]
async fn a_period_ends_by_the_clock_and_what_was_spent_is_kept() {
    let (system, _upstream) = started(&[takes(1)]).await;
    assert_eq!(ask(&system, "a", 1000).await.status, 200);
    assert_eq!(ask(&system, "a", 1).await.status, 402);
    system.advance("24h").await;
    assert_eq!(ask(&system, "a", 1).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["0.001", "0", "0.999"]);
    let all = system.admin("GET /budgets?name=USD%20per%20team%20per%20day").send().await.json();
    let spent: Vec<&str> =
        all["budgets"].as_array().expect("a list").iter().filter_map(|line| line["spent"].as_str()).collect();
    assert_eq!(spent, ["0.001", "1"], "the latest first: {all}");
    assert_eq!(alerts(&system).await.len(), 2);
}

#[tokio::test]
async fn a_cost_that_follows_from_the_answer_is_held_against_the_budget_before_it_leaves() {
    let (system, _upstream) = started(&[takes(1)]).await;
    for _ in 0..2 {
        assert_eq!(ask(&system, "a", 0).await.status, 200);
    }
    assert_eq!(system.public("GET /measure/a").send().await.status, 200);
    assert_eq!(standing(&system, "a").await, ["1", "0", "0"]);
    assert_eq!(system.public("GET /measure/a").send().await.outcome(), "402 no_money");
    assert_eq!(system.public("HEAD /measure/b").send().await.status, 200);
    assert_eq!(standing(&system, "a").await, ["1", "0", "0"]);
}

#[tokio::test]
async fn a_mocked_operation_is_charged_and_refused_like_any_other() {
    let (system, _upstream) = started(&[takes(1)]).await;
    let key = system.key("member", "ann").await;
    let paint = async || system.public("POST /paint").key(&key).json(r#"{"team":"a"}"#).send().await;
    let first = paint().await;
    assert_eq!(
        (first.status, first.header("x-formwork-mode").as_deref()),
        (200, Some("mocked")),
        "{first:?}"
    );
    assert_eq!(paint().await.status, 200);
    assert_eq!(paint().await.outcome(), "402 no_money");
    assert_eq!(standing(&system, "a").await, ["0.8", "0", "0.2"]);
}

#[tokio::test]
async fn an_inferred_operation_is_charged_and_refused_and_then_changes_nothing() {
    let text = include_str!("../documents/parcels.md").replace(
        "## 13) Reference",
        "### Cost Controls\n- each `create_parcel` costs `0.4` USD\n- budget 1 USD in total, refuse with `402 no_money` at 100%\n\n## 13) Reference",
    );
    let parcels = analyse_fragment(text.into());
    let row = mode_table(&parcels).into_iter().find(|row| row.name == "create_parcel").expect("there");
    assert!(row.mode.to_string().contains("inferred"), "{row:?}");
    let system = System::start(&parcels, Limits::default()).await;
    let key = system.first_key("clerk");
    let parcel = r#"{"addressee":"Ada","grams":120}"#;
    let create = async |body: &str| system.public("POST /parcels").key(&key).json(body).send().await;
    assert_eq!(create(parcel).await.status, 201);
    assert_eq!(create(r#"{"addressee":"Ada","grams":0}"#).await.status, 422, "what is wrong costs nothing");
    assert_eq!(create(parcel).await.status, 201);
    assert_eq!(create(parcel).await.outcome(), "402 no_money");
    assert_eq!(system.count(r#"{"entity":"parcel"}"#).await, 2);
    let shown = system.admin("GET /budgets").send().await.json();
    assert_eq!((&shown["budgets"][0]["spent"], &shown["budgets"][0]["left"]), (&"0.8".into(), &"0.2".into()));
}

#[tokio::test]
async fn money_is_kept_back_while_the_other_side_works_and_settled_when_it_has_answered() {
    let (system, upstream) = started(&[Does::SaysNothing]).await;
    let system = Arc::new(system);
    let body = r#"{"team":"a","max_tokens":900}"#;
    let asking = tokio::spawn(system.public("POST /complete").json(body).send());
    upstream.has_seen(1).await;
    assert_eq!(standing(&system, "a").await, ["0", "0.9", "0.1"]);
    assert_eq!(complete(&system, "a", 101).await.outcome(), "402 no_money");
    assert_eq!(ask(&system, "a", 101).await.outcome(), "402 no_money");
    assert_eq!(upstream.seen().len(), 1, "nothing is asked that cannot be paid");
    upstream.then(&[takes(40)]);
    assert_eq!(complete(&system, "a", 100).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["0.04", "0.9", "0.06"]);
    // The first one gets no answer in time: it fails, and what it kept back is given back.
    assert_eq!(asking.await.expect("no panic").outcome(), "502 provider_failed");
    assert_eq!(standing(&system, "a").await, ["0.04", "0", "0.96"]);
}

#[tokio::test]
async fn no_more_is_charged_than_was_kept_back_and_nothing_for_an_answer_that_is_none() {
    let (system, upstream) = started(&[takes(5000)]).await;
    assert_eq!(complete(&system, "a", 100).await.status, 200);
    assert_eq!(standing(&system, "a").await, ["0.1", "0", "0.9"]);
    upstream.then(&[Does::Answers(200, "{}".into())]);
    assert_eq!(complete(&system, "b", 100).await.outcome(), "502 provider_failed");
    assert_eq!(standing(&system, "b").await, ["0", "0", "1"]);
}

#[tokio::test]
async fn of_64_clients_at_once_exactly_as_many_are_let_through_as_there_is_money() {
    let (system, _upstream) = started(&[takes(1)]).await;
    let system = Arc::new(system);
    let clients = (0..64).map(|_| {
        let system = Arc::clone(&system);
        tokio::spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..2 {
                statuses.push(ask(&system, "a", 20).await.status);
            }
            statuses
        })
    });
    let mut statuses = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        statuses.extend(client.await.expect("no panic"));
    }
    let count = |status: u16| statuses.iter().filter(|other| **other == status).count();
    assert_eq!((count(200), count(402)), (50, 78), "{statuses:?}");
    assert_eq!(standing(&system, "a").await, ["1", "0", "0"]);
    assert_eq!(system.count(r#"{"entity":"question"}"#).await, 50);
    let told: Vec<(Json, Json)> =
        alerts(&system).await.iter().map(|data| (data["threshold"].clone(), data["spent"].clone())).collect();
    assert_eq!(told, [(50.into(), "0.5".into()), (80.into(), "0.8".into())], "each threshold once");
}

#[tokio::test]
async fn of_64_clients_whose_calls_go_elsewhere_none_overspends_and_the_sum_is_exact() {
    let (system, upstream) = started(&[takes(7)]).await;
    let system = Arc::new(system);
    let clients = (0..64).map(|_| {
        let system = Arc::clone(&system);
        tokio::spawn(async move { complete(&system, "a", 100).await.status })
    });
    let (mut paid, mut refused) = (0_u64, 0);
    for client in clients.collect::<Vec<_>>() {
        match client.await.expect("no panic") {
            200 => paid += 1,
            402 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(paid + refused, 64);
    assert!(paid >= 10, "what was not used is there for others");
    assert_eq!(upstream.seen().len() as u64, paid, "who is refused asks nobody");
    let [spent, reserved, _] = standing(&system, "a").await;
    assert_eq!((spent.parse::<f64>().expect("a number") * 1000.0).round() as u64, 7 * paid);
    assert_eq!(reserved, "0");
}

#[tokio::test]
async fn a_key_that_is_sent_again_is_charged_once() {
    let (system, _upstream) = started(&[takes(10)]).await;
    for path in ["POST /ask", "POST /complete"] {
        let body = if path == "POST /ask" {
            r#"{"team":"a","tokens":10}"#
        } else {
            r#"{"team":"a","max_tokens":50}"#
        };
        for _ in 0..3 {
            let sent =
                system.public(path).header("idempotency-key", path.trim_start_matches("POST /")).json(body);
            assert_eq!(sent.send().await.status, 200);
        }
    }
    assert_eq!(standing(&system, "a").await, ["0.02", "0", "0.98"]);
}

#[tokio::test]
async fn what_was_kept_back_when_the_process_died_is_settled_or_given_back_by_the_next_one() {
    for (answer, spent) in [(takes(30), "0.03"), (Does::Answers(400, "{}".into()), "0")] {
        let (system, upstream) = started(&[Does::SaysNothing]).await;
        let body = r#"{"team":"a","max_tokens":900}"#;
        let asking = tokio::spawn(system.public("POST /complete").json(body).send());
        upstream.has_seen(1).await;
        // Dropped, not shut down: like a killed process.
        let System { running, folder } = system;
        drop(running);
        asking.abort();
        upstream.then(&[answer]);
        let system = started_in(until_free(folder).await, &upstream).await;
        upstream.has_seen(2).await;
        while standing(&system, "a").await[1] != "0" {
            tokio::task::yield_now().await;
        }
        assert_eq!(standing(&system, "a").await[0], spent);
        assert_eq!(ask(&system, "a", 970).await.status, 200);
    }
}

#[tokio::test]
async fn how_a_period_stood_is_kept_for_400_days_and_the_present_one_for_ever() {
    const DAY: i64 = 86_400_000_000;
    let (system, _upstream) = started(&[takes(1)]).await;
    assert_eq!(ask(&system, "a", 333).await.status, 200);
    system.advance("24h").await;
    assert_eq!(ask(&system, "a", 100).await.status, 200);
    let folder = system.stop().await;
    let program = Arc::new(BUDGETS.compiled.program.clone());
    let store = Store::open(options(&folder.path().join("data")), program).expect("opens");
    let kept = || {
        let all = store.budgets(Some(TEAM), 100).expect("a list");
        all.iter().map(|one| one.account.since).collect::<Vec<_>>()
    };
    let [second, first] = kept()[..] else { panic!("{:?}", kept()) };
    assert_eq!(second - first, DAY);
    // The first day ended when the second began.
    for (now, left) in [
        (second, vec![second, first]),
        (second + 400 * DAY - 1, vec![second, first]),
        (second + 400 * DAY, vec![second]),
        (second + 401 * DAY - 1, vec![second]),
        (second + 401 * DAY, vec![]),
    ] {
        while store.prune(now).await.expect("done") {}
        assert_eq!(kept(), left, "{} days", (now - second) / DAY);
    }
    store.close().await;
}
