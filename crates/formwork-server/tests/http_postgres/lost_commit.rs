//! PostgreSQL is started again while a commit is under way: what a caller is told then, and that it is done once.

use crate::relay::{Cut, Relay};
use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{Config, Limits, start_within};
use formwork_temporary_postgres::Server;
use std::sync::{Arc, LazyLock};

static WEIGHED: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/weighed.md").into()));

#[tokio::test]
async fn a_commit_that_nobody_can_say_anything_of_is_504_and_under_a_key_it_is_answered() {
    let own = Arc::new(Server::start());
    let relay = Arc::new(Relay::to(&own));
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { database: Some(relay.url()), schema: None, ..config(folder.path().join("data")) };
    let running = start_within(config, Limits::default(), &WEIGHED).await.expect("starts");
    let system = System { running, folder };
    let mut parcels = 0;
    for (cut, name) in [(Cut::After, "late"), (Cut::Before, "early")] {
        for key in [None, Some("a-key")] {
            let id = format!("{name}-{}", key.unwrap_or("plain"));
            relay.cut_and_hold(cut, &id);
            let ask = || {
                let ask = system.public("POST /parcels").json(&format!(r#"{{"id":"{id}"}}"#));
                match key {
                    Some(key) => ask.header("idempotency-key", &format!("{key}-{name}")),
                    None => ask,
                }
            };
            let asked = tokio::spawn(ask().send());
            let (server, cutting) = (Arc::clone(&own), Arc::clone(&relay));
            let again = tokio::task::spawn_blocking(move || {
                cutting.is_held();
                server.stop();
                server.start_again();
                cutting.release();
            });
            again.await.expect("the server is started again");
            let answer = asked.await.expect("an answer");
            parcels += 1;
            match (cut, key) {
                // It was carried out; the server that knows it is not the one that is asked.
                (Cut::After, None) => assert_eq!(answer.outcome(), "504 outcome_unknown"),
                _ => assert_eq!(answer.status, 201, "{cut:?} {key:?}: {answer:?}"),
            }
            if key.is_some() {
                let repeated = ask().send().await;
                assert_eq!((repeated.status, &repeated.body), (201, &answer.body), "{cut:?}");
                assert_eq!(repeated.header("idempotent-replayed").as_deref(), Some("true"), "{cut:?}");
            }
            let counted = system.public(&format!("GET /journals/{id}")).send().await;
            assert_eq!(counted.json()["parcels"], parcels, "{cut:?} {key:?}: done once");
            assert_eq!(relay.cuts(), parcels, "{cut:?} {key:?}");
        }
    }
    system.stop().await;
}

#[tokio::test]
async fn a_commit_that_is_cut_alone_is_asked_for_and_answered() {
    let own = Server::start();
    let relay = Relay::to(&own);
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { database: Some(relay.url()), schema: None, ..config(folder.path().join("data")) };
    let running = start_within(config, Limits::default(), &WEIGHED).await.expect("starts");
    let system = System { running, folder };
    for (number, cut) in [Cut::After, Cut::Before].into_iter().enumerate() {
        let id = format!("p{number}");
        relay.cut_next(cut, &id);
        let sent = system.public("POST /parcels").json(&format!(r#"{{"id":"{id}"}}"#)).send().await;
        assert_eq!((sent.status, relay.cuts()), (201, number + 1), "{cut:?}: {sent:?}");
        let counted = system.public(&format!("GET /journals/{id}")).send().await;
        assert_eq!(counted.json()["parcels"], number + 1, "{cut:?}");
    }
    system.stop().await;
}
