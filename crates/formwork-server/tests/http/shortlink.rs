//! `examples/shortlink.md` as its callers see it: every promise and every refusal of its operations.

use crate::system::System;
use serde_json::json;

#[tokio::test]
async fn a_link_is_made_read_followed_changed_and_deleted() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/spring","slug":"spring"}"#;
    let made = system.public("POST /links").key(&member).json(body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("location").as_deref(), Some("/links/spring"));
    assert_eq!(made.header("content-type").as_deref(), Some("application/json"));
    let link = made.json();
    assert_eq!(link["owner_id"], "member");
    assert_eq!((&link["visit_count"], &link["expires_at"]), (&json!(0), &json!(null)));
    assert_eq!(link["created_at"], "2030-01-01T00:00:00Z");

    for _ in 0..2 {
        let followed = system.public("GET /spring").send().await;
        assert_eq!((followed.status, &*followed.body), (302, ""), "{followed:?}");
        assert_eq!(followed.header("location").as_deref(), Some("https://example.com/spring"));
    }
    let read = system.public("GET /links/spring").key(&member).send().await;
    assert_eq!((read.status, &read.json()["visit_count"]), (200, &json!(2)), "{read:?}");

    let change = r#"{"url":"https://example.org/"}"#;
    let changed = system.public("PATCH /links/spring").key(&member).json(change).send().await;
    assert_eq!(
        (changed.status, &changed.json()["url"]),
        (200, &json!("https://example.org/")),
        "{changed:?}"
    );

    let deleted = system.public("DELETE /links/spring").key(&member).send().await;
    assert_eq!((deleted.status, &*deleted.body), (204, ""), "{deleted:?}");
    let gone = system.public("GET /links/spring").key(&member).send().await;
    assert_eq!(gone.outcome(), "404 link_not_found");
    assert_eq!(gone.json()["instance"], "/links/spring");
}

#[tokio::test]
async fn steps_refuse_with_their_own_codes() {
    let system = System::shortlink().await;
    let (member, admin) = (system.first_key("member"), system.first_key("admin"));
    let make = async |body: &str| system.public("POST /links").key(&member).json(body).send().await;
    assert_eq!(make(r#"{"url":"https://example.com/","slug":"mine"}"#).await.status, 201);
    assert_eq!(make(r#"{"url":"https://example.com/","slug":"mine"}"#).await.outcome(), "409 slug_taken");
    let past = make(r#"{"url":"https://example.com/","expires_at":"2029-12-31T23:59:59Z"}"#).await;
    assert_eq!(past.outcome(), "422 expiry_in_past");
    assert_eq!(past.json()["detail"], "A link cannot expire in the past.");

    let other = system.key("member", "bob").await;
    assert_eq!(system.public("GET /links/mine").key(&other).send().await.outcome(), "403 not_yours");
    assert_eq!(system.public("GET /links/mine").key(&admin).send().await.status, 200);
    assert_eq!(
        system.public("PATCH /links/mine").key(&admin).json("{}").send().await.outcome(),
        "403 forbidden"
    );
    assert_eq!(system.public("GET /links/mine").send().await.outcome(), "401 unauthenticated");
    assert_eq!(system.public("GET /no-such-link").send().await.outcome(), "404 link_not_found");
    assert_eq!(system.public("GET /links?owner_id=bob").key(&member).send().await.outcome(), "403 not_yours");
}

#[tokio::test]
async fn input_is_held_to_its_declaration() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let long = format!("https://example.com/{}", "x".repeat(2048));
    let body = json!({"url": long, "slug": "A!", "expires_at": "tomorrow", "visit_count": 5}).to_string();
    let refused = system.public("POST /links").key(&member).json(&body).send().await;
    assert_eq!(refused.outcome(), "422 invalid");
    assert_eq!(
        refused.faults(),
        ["#/url max_length", "#/slug pattern", "#/expires_at format", "#/visit_count unknown_field"]
    );
    let missing = system.public("POST /links").key(&member).json("{}").send().await;
    assert_eq!(missing.faults(), ["#/url required"]);
    let none = system.public("POST /links").key(&member).json(r#"{"url":null,"slug":null}"#).send().await;
    assert_eq!(none.faults(), ["#/url required"]);
    let query = system.public("GET /links?limit=0&page=2").key(&member).send().await;
    assert_eq!(query.faults(), ["query limit min", "query page unknown_field"]);
}

#[tokio::test]
async fn a_public_get_ignores_what_others_add_to_its_query() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/","slug":"news"}"#;
    assert_eq!(system.public("POST /links").key(&member).json(body).send().await.status, 201);
    assert_eq!(system.public("GET /news?utm_source=mail").send().await.status, 302);
    // Following a link writes: HEAD says where it leads, and nothing of it holds.
    let head = system.public("HEAD /news").send().await;
    assert_eq!((head.status, head.header("location").as_deref()), (302, Some("https://example.com/")));
    assert_eq!(system.public("HEAD /nothing").send().await.status, 404);
    let other = system.public("PUT /news").send().await;
    assert_eq!((other.status, other.header("allow").as_deref()), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(system.count(r#"{"entity":"visit"}"#).await, 1);
}

#[tokio::test]
async fn one_of_many_who_race_for_a_slug_wins() {
    let system = System::shortlink().await;
    let body = r#"{"url":"https://example.com/","slug":"race"}"#;
    // A caller may make ten in ten seconds.
    let members = [system.first_key("member"), system.key("member", "ben").await];
    let ask = |at: usize| system.public("POST /links").key(&members[at % 2]).json(body).send();
    let asks = (0..20).map(|at| tokio::spawn(ask(at)));
    let mut won = 0;
    for ask in asks.collect::<Vec<_>>() {
        match ask.await.expect("answers").status {
            201 => won += 1,
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(system.count(r#"{"entity":"link","where":"slug == x","variables":{"x":"race"}}"#).await, 1);
}

#[tokio::test]
async fn events_leave_with_their_data() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/","slug":"told"}"#;
    let link = system.public("POST /links").key(&member).json(body).send().await.json();
    system.public("POST /links").key(&member).json(body).send().await;
    system.public("GET /told").send().await;
    let events = system.admin("GET /probe/events?name=link.created").send().await.json();
    let data: Vec<_> =
        events["events"].as_array().expect("a list").iter().map(|event| &event["data"]).collect();
    assert_eq!(
        data,
        [&json!({"id": link["id"], "slug": "told", "url": "https://example.com/", "owner_id": "member"})]
    );
    let outbox = system.admin("GET /outbox").send().await.json();
    let names: Vec<_> =
        outbox["events"].as_array().expect("a list").iter().map(|event| &event["name"]).collect();
    assert_eq!(names, ["link.created", "link.visited"]);
    let metrics = system.admin("GET /metrics").send().await.body;
    assert!(metrics.contains("# TYPE links_created_total counter\nlinks_created_total 1\n"), "{metrics}");
}
