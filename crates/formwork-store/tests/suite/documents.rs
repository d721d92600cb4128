//! The example document, from its text to rows on disk.

use crate::harness::{NOW, Room, answer, field, page, refusal, step, text};
use formwork_engine::{Body, Refusal};
use formwork_language::program::Program;
use formwork_language::value::{Value, same};
use std::sync::Arc;

fn shortlink() -> Arc<Program> {
    let source = include_str!("../../../../examples/shortlink.md");
    let analysis = formwork_check::analyse(source.into());
    assert!(!analysis.has_errors());
    Arc::new(analysis.compiled.program)
}

async fn create(room: &Room, slug: &str) -> formwork_engine::Ended {
    room.run("create_link", &[("url", text("https://example.com/a")), ("slug", text(slug))]).await
}

#[tokio::test]
async fn a_link_is_made_followed_counted_retargeted_and_deleted() {
    let room = Room::new(shortlink());
    let made = create(&room, "spring").await;
    assert_eq!(answer(&made).status, 201);
    assert!(same(&field(&room, &made, "visit_count"), &Value::Integer(0)));
    assert!(same(&field(&room, &made, "created_at"), &Value::Timestamp(NOW)));
    assert_eq!(made.counts.len(), 1);
    for _ in 0..2 {
        let followed = room.run("follow_link", &[("slug", text("spring"))]).await;
        assert_eq!(answer(&followed).status, 302);
        assert!(matches!(&answer(&followed).body, Body::Redirect(to) if **to == *"https://example.com/a"));
    }
    let read = room.run("get_link", &[("slug", text("spring"))]).await;
    assert!(same(&field(&room, &read, "visit_count"), &Value::Integer(2)));
    assert_eq!(room.count("visit"), 2);
    let events = room.store.events(Some("link.visited")).unwrap();
    assert_eq!(events.len(), 2);
    assert!(events[0].data.contains("\"slug\":\"spring\""), "{}", events[0].data);
    assert_eq!(events[0].about.as_ref().map(|about| about.0.as_str()), Some("link"));
    let changed =
        room.run("retarget_link", &[("slug", text("spring")), ("url", text("https://example.org/b"))]).await;
    assert!(same(&field(&room, &changed, "url"), &text("https://example.org/b")));
    assert_eq!(changed.rows[0].version, 4);
    assert_eq!(answer(&room.run("delete_link", &[("slug", text("spring"))]).await).status, 204);
    assert_eq!((room.count("link"), room.count("visit")), (0, 0));
}

#[tokio::test]
async fn what_the_steps_refuse_is_refused_and_leaves_nothing() {
    let room = Room::new(shortlink());
    create(&room, "spring").await;
    let again = create(&room, "spring").await;
    assert_eq!(step(&again), (409, "slug_taken"));
    let late = room
        .run("create_link", &[("url", text("https://a.example/")), ("expires_at", Value::Timestamp(NOW - 1))])
        .await;
    assert_eq!(step(&late), (422, "expiry_in_past"));
    let other = [("slug", text("spring")), ("url", text("https://example.org/b"))];
    assert_eq!(step(&room.run_as("bob", "retarget_link", &other).await), (403, "not_yours"));
    let missing = room.run("follow_link", &[("slug", text("nowhere"))]).await;
    assert_eq!(step(&missing), (404, "link_not_found"));
    assert_eq!(room.store.events(None).unwrap().len(), 1);
}

#[tokio::test]
async fn rules_of_fields_hold_also_for_values_that_no_edge_has_seen() {
    let room = Room::new(shortlink());
    let ended = room.run("create_link", &[("url", text("not a url")), ("slug", text("No Slug"))]).await;
    let Refusal::Invalid(faults) = refusal(&ended) else { panic!("{:?}", ended.result) };
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["pattern", "type"]);
}

#[tokio::test]
async fn twenty_at_once_for_one_slug_make_one_link() {
    let room = Arc::new(Room::new(shortlink()));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move { create(&room, "race").await })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let ended = task.await.unwrap();
        match &ended.result {
            Ok(_) => made += 1,
            Err(_) => assert_eq!(step(&ended), (409, "slug_taken")),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(room.count("link"), 1);
}

#[tokio::test]
async fn the_sweeper_removes_what_has_expired_and_its_visits() {
    let room = Room::new(shortlink());
    let expiring = [
        ("url", text("https://example.com/sale")),
        ("slug", text("sale")),
        ("expires_at", Value::Timestamp(NOW + 60_000_000)),
    ];
    room.run("create_link", &expiring).await;
    create(&room, "stays").await;
    room.run("follow_link", &[("slug", text("sale"))]).await;
    let early = room.job(0, NOW).await;
    assert!(early.result.is_ok() && !early.again);
    assert_eq!(room.count("link"), 2);
    room.job(0, NOW + 60_000_001).await;
    assert_eq!((room.count("link"), room.count("visit")), (1, 0));
}

#[tokio::test]
async fn a_list_is_newest_first_and_only_ones_own() {
    let room = Room::new(shortlink());
    for (slug, later) in [("one", 0), ("two", 2), ("three", 1)] {
        let mut call =
            room.call("create_link", "alice", &[("url", text("https://a.example/")), ("slug", text(slug))]);
        call.now += later;
        assert!(room.store.run(call).await.result.is_ok());
    }
    room.run_as("bob", "create_link", &[("url", text("https://b.example/")), ("slug", text("bobs"))]).await;
    let listed = room.run("list_links", &[]).await;
    let (slugs, next) = page(&room, &listed, "slug");
    assert!(next.is_none());
    let slugs: Vec<String> = slugs.iter().map(Value::to_plain).collect();
    assert_eq!(slugs, ["two", "three", "one"]);
}
