//! Cache layers over HTTP: what is given again, to whom, and until when.

use crate::client::Received;
use crate::system::{System, unkept};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;
use std::sync::LazyLock;

static NOTES: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = analyse_fragment(include_str!("../documents/caches.md").into());
    let said: Vec<_> = analysis.diagnostics.iter().map(|found| (found.code, &found.message)).collect();
    assert!(!analysis.has_errors(), "{said:?}");
    assert_eq!(unkept(&analysis), [] as [&str; 0], "{said:?}");
    analysis
});

async fn notes() -> (System, String, String) {
    let system = System::start(&NOTES, Limits::default()).await;
    let (ann, bob) = (system.key("member", "ann").await, system.key("member", "bob").await);
    (system, ann, bob)
}

async fn write(system: &System, key: &str, title: &str) -> String {
    let body = format!(r#"{{"title":"{title}"}}"#);
    let made = system.public("POST /notes").key(key).json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().expect("an id").to_owned()
}

async fn get(system: &System, path: &str) -> Received {
    system.public(&format!("GET {path}")).send().await
}

async fn get_as(system: &System, key: &str, path: &str) -> Received {
    system.public(&format!("GET {path}")).key(key).send().await
}

fn status(received: &Received) -> String {
    received.header("cache-status").unwrap_or_else(|| panic!("no Cache-Status: {received:?}"))
}

fn is_hit(received: &Received) -> bool {
    status(received).starts_with("formwork; hit")
}

const MISS: &str = "formwork; fwd=uri-miss; stored";

#[tokio::test]
async fn an_answer_is_given_again_until_a_write_to_its_entity() {
    let (system, ann, _) = notes().await;
    let id = write(&system, &ann, "one").await;
    let path = format!("/notes/{id}");
    let first = get(&system, &path).await;
    assert_eq!((first.status, status(&first).as_str()), (200, MISS));
    assert_eq!(first.header("age"), None);
    let second = get(&system, &path).await;
    assert_eq!(status(&second), "formwork; hit; ttl=60");
    assert_eq!(second.header("age").as_deref(), Some("0"));
    assert_eq!(second.body, first.body);
    assert_eq!(second.header("etag"), first.header("etag"));
    // A copy elsewhere hears of no write.
    assert_eq!(second.header("cache-control").as_deref(), Some("private, no-cache"));
    let renamed = system.public(&format!("PUT {path}")).key(&ann).json(r#"{"title":"two"}"#).send().await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let third = get(&system, &path).await;
    assert_eq!((status(&third).as_str(), third.json()["title"].as_str()), (MISS, Some("two")));
    // What is refused changes nothing.
    assert!(is_hit(&get(&system, &path).await));
    let refused = system.public(&format!("PUT {path}")).key(&ann).json(r#"{"title":""}"#).send().await;
    assert_eq!(refused.status, 422);
    assert!(is_hit(&get(&system, &path).await));
    let metrics = system.admin("GET /metrics").send().await.body;
    assert!(metrics.contains("\nformwork_cache_hit_ratio{layer=\"Notes\"} 0.6\n"), "{metrics}");
    system.stop().await;
}

#[tokio::test]
async fn an_answer_is_given_for_its_time_by_the_clock_of_the_run() {
    let (system, ann, _) = notes().await;
    let path = format!("/notes/{}", write(&system, &ann, "one").await);
    assert_eq!(status(&get(&system, &path).await), MISS);
    system.advance("59s").await;
    let late = get(&system, &path).await;
    assert_eq!((status(&late).as_str(), late.header("age").as_deref()), ("formwork; hit; ttl=1", Some("59")));
    system.advance("1s").await;
    assert_eq!(status(&get(&system, &path).await), "formwork; fwd=stale; stored");
    assert!(is_hit(&get(&system, &path).await));
    system.stop().await;
}

#[tokio::test]
async fn an_event_or_a_header_of_the_document_clears_and_a_write_that_is_not_named_does_not() {
    let (system, ann, _) = notes().await;
    assert_eq!(get(&system, "/count").await.json()["n"], 0);
    write(&system, &ann, "one").await;
    let old = get(&system, "/count").await;
    assert!(is_hit(&old) && old.json()["n"] == 0, "only the event clears this layer: {old:?}");
    let announced = system.public("POST /announcements").send().await;
    assert_eq!(announced.status, 204, "{announced:?}");
    let new = get(&system, "/count").await;
    assert_eq!((status(&new).as_str(), new.json()["n"].as_u64()), (MISS, Some(1)));
    write(&system, &ann, "two").await;
    assert!(is_hit(&get(&system, "/count").await));
    let anew = system.public("GET /count").header("x-refresh", "1").send().await;
    assert_eq!(
        (status(&anew).as_str(), anew.json()["n"].as_u64()),
        ("formwork; fwd=request; stored", Some(2))
    );
    let hit = get(&system, "/count").await;
    assert!(is_hit(&hit) && hit.json()["n"] == 2, "the new answer has taken the place of the old one");
    system.stop().await;
}

#[tokio::test]
async fn no_caller_gets_what_was_answered_to_another() {
    let (system, ann, bob) = notes().await;
    let id = write(&system, &ann, "of ann").await;
    write(&system, &bob, "of bob").await;
    for _ in 0..2 {
        // The caller in a `where`, and in what is answered.
        assert_eq!(get_as(&system, &ann, "/mine").await.json()[0]["title"], "of ann");
        assert_eq!(get_as(&system, &bob, "/mine").await.json()[0]["title"], "of bob");
        assert_eq!(get_as(&system, &ann, "/claims").await.json()["roles"][0], "member");
        assert_eq!(get(&system, "/claims").await.json()["roles"], serde_json::json!([]));
        // In a condition alone: nothing of the answer shows it.
        assert_eq!(get_as(&system, &ann, &format!("/own/{id}")).await.status, 200);
        assert_eq!(get_as(&system, &bob, &format!("/own/{id}")).await.outcome(), "403 not_yours");
        // In nothing but the role that is asked before.
        assert_eq!(get(&system, "/mine").await.outcome(), "401 unauthenticated");
        // In the cursor of a page.
        let (of_ann, of_bob) = (get_as(&system, &ann, "/pages").await, get_as(&system, &bob, "/pages").await);
        for (key, page) in [(&ann, of_ann), (&bob, of_bob)] {
            let cursor = page.json()["next_cursor"].as_str().expect("a cursor").to_owned();
            let next = get_as(&system, key, &format!("/pages?cursor={cursor}")).await;
            assert_eq!(next.json()["items"][0]["title"], "of bob", "{next:?}");
        }
        // In a header of the request.
        for language in ["en", "de"] {
            let greeted = system.public("GET /greeting").header("accept-language", language).send().await;
            assert_eq!(greeted.json()["text"], language);
            assert_eq!(greeted.header("vary").as_deref(), Some("accept-language"));
        }
    }
    assert!(is_hit(&get_as(&system, &ann, "/mine").await) && is_hit(&get_as(&system, &bob, "/mine").await));
    let other_id = system.public("GET /greeting").header("accept-language", "en").header("x-other", "1");
    assert!(is_hit(&other_id.send().await), "another header does not count");
    system.stop().await;
}

#[tokio::test]
async fn only_successes_are_kept() {
    let (system, ann, _) = notes().await;
    let path = "/notes/01890a5d-ac96-774b-bcce-b302099a8057";
    for _ in 0..2 {
        let missing = get(&system, path).await;
        assert_eq!((missing.status, missing.header("cache-status")), (404, None), "{missing:?}");
    }
    write(&system, &ann, "one").await;
    let text = system.admin("GET /metrics").send().await.body;
    assert!(text.contains("formwork_cache_entries{layer=\"Notes\"} 0"), "{text}");
    system.stop().await;
}

#[tokio::test]
async fn copies_elsewhere_may_use_what_only_time_clears_and_must_ask_for_all_else() {
    let (system, ann, _) = notes().await;
    let open = get(&system, "/greeting").await;
    assert_eq!(open.header("cache-control").as_deref(), Some("public, max-age=30"));
    let whence = get(&system, "/whence").await;
    assert_eq!(whence.header("cache-control").as_deref(), Some("private, max-age=30"));
    let mine = get_as(&system, &ann, "/mine").await;
    assert_eq!(mine.header("cache-control").as_deref(), Some("private, no-cache"));
    assert_eq!(mine.header("vary").as_deref(), Some("authorization, x-api-key"));
    let tag = open.header("etag").expect("a tag");
    system.advance("10s").await;
    let same = system.public("GET /greeting").header("if-none-match", &tag).send().await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert_eq!(same.header("cache-control").as_deref(), Some("public, max-age=30"));
    assert_eq!((same.header("age").as_deref(), same.header("etag")), (Some("10"), Some(tag)));
    assert_eq!(status(&same), "formwork; hit; ttl=20");
    let head = system.public("HEAD /greeting").send().await;
    assert_eq!((head.status, head.body.as_str(), is_hit(&head)), (200, "", true));
    system.stop().await;
}

#[tokio::test]
async fn a_request_may_ask_for_a_new_answer_or_for_none_that_is_made() {
    let (system, ann, _) = notes().await;
    let path = format!("/notes/{}", write(&system, &ann, "one").await);
    let ask = async |control: &str| {
        system.public(&format!("GET {path}")).header("cache-control", control).send().await
    };
    assert_eq!(ask("only-if-cached").await.outcome(), "504 not_kept");
    assert_eq!(status(&ask("no-store").await), "formwork; fwd=request");
    assert_eq!(status(&ask("max-age=0").await), MISS);
    assert!(is_hit(&ask("only-if-cached").await));
    assert_eq!(status(&ask("no-cache").await), "formwork; fwd=request; stored");
    system.advance("10s").await;
    assert!(is_hit(&ask("max-age=10").await) && is_hit(&ask("min-fresh=50").await));
    assert_eq!(status(&ask("max-age=9").await), "formwork; fwd=request; stored");
    assert_eq!(status(&ask("min-fresh=61").await), "formwork; fwd=request; stored");
    system.stop().await;
}

#[tokio::test]
async fn sixty_four_who_ask_at_once_make_the_behaviour_run_once() {
    let (system, ann, _) = notes().await;
    let path = format!("/notes/{}", write(&system, &ann, "one").await);
    let asking: Vec<_> =
        (0..64).map(|_| tokio::spawn(system.public(&format!("GET {path}")).send())).collect();
    for asked in asking {
        let received = asked.await.expect("ends");
        assert_eq!((received.status, received.json()["title"].as_str()), (200, Some("one")));
    }
    let text = system.admin("GET /metrics").send().await.body;
    assert!(text.contains("formwork_cache_requests_total{layer=\"Notes\",result=\"miss\"} 1\n"), "{text}");
    assert!(text.contains("cache_hit_ratio 0.984375\n"), "{text}");
    let probed = system.admin("GET /probe/metric?name=cache_hit_ratio").send().await;
    assert_eq!(probed.json()["value"], 0.984375);
    system.stop().await;
}

#[tokio::test]
async fn who_has_been_answered_by_a_write_never_gets_the_state_before_it() {
    let (system, ann, _) = notes().await;
    let path = format!("/notes/{}", write(&system, &ann, "0").await);
    let reading = async || get(&system, &path).await.json()["title"].as_str().map(str::to_owned);
    for round in 1..=30 {
        let body = format!(r#"{{"title":"{round}"}}"#);
        let others: Vec<_> =
            (0..4).map(|_| tokio::spawn(system.public(&format!("GET {path}")).send())).collect();
        let renamed = system.public(&format!("PUT {path}")).key(&ann).json(&body).send().await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
        assert_eq!(reading().await.as_deref(), Some(&*round.to_string()));
        for other in others {
            assert_eq!(other.await.expect("ends").status, 200);
        }
        assert_eq!(reading().await.as_deref(), Some(&*round.to_string()));
    }
    system.stop().await;
}

#[tokio::test]
async fn the_operator_empties_a_layer() {
    let (system, ann, _) = notes().await;
    let path = format!("/notes/{}", write(&system, &ann, "one").await);
    get(&system, &path).await;
    get(&system, "/greeting").await;
    assert_eq!(system.admin("DELETE /caches/Notes").send().await.status, 204);
    assert_eq!(status(&get(&system, &path).await), MISS);
    assert!(is_hit(&get(&system, "/greeting").await), "the other layer is as it was");
    assert_eq!(system.admin("DELETE /caches/Nothing").send().await.outcome(), "404 not_found");
    system.stop().await;
}
