//! Pages: a walk shows every row that was there when it began, once, whatever is written meanwhile.

use crate::client::Received;
use crate::system::System;
use std::collections::BTreeSet;

async fn make(system: &System, key: &str, slug: &str) {
    let body = format!(r#"{{"url":"https://example.com/","slug":"{slug}"}}"#);
    let made = system.public("POST /links").key(key).json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
}

fn slugs(page: &Received) -> Vec<String> {
    let page = page.json();
    let items = page["items"].as_array().expect("items");
    items.iter().map(|link| link["slug"].as_str().expect("a slug").to_owned()).collect()
}

fn cursor(page: &Received) -> Option<String> {
    page.json()["next_cursor"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_walk_misses_nothing_and_repeats_nothing_while_rows_are_made() {
    let system = System::shortlink().await;
    let key = system.first_key("member");
    // Several rows in one instant, so that the order is decided by the key as well.
    let mut before = BTreeSet::new();
    for number in 0..17 {
        if number % 5 == 0 {
            system.advance("10s").await;
        }
        make(&system, &key, &format!("before-{number}")).await;
        before.insert(format!("before-{number}"));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut line = "GET /links?limit=3".to_owned();
    loop {
        let page = system.public(&line).key(&key).send().await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(slugs(&page).len() <= 3);
        seen.extend(slugs(&page));
        // A caller may make ten in ten seconds.
        system.advance("2s").await;
        make(&system, &key, &format!("during-{}", seen.len())).await;
        match cursor(&page) {
            Some(cursor) => line = format!("GET /links?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let distinct: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "{seen:?}");
    assert!(before.is_subset(&distinct), "{seen:?}");
}

#[tokio::test]
async fn a_cursor_serves_its_own_walk_only() {
    let system = System::shortlink().await;
    let (alice, bob) = (system.key("member", "alice").await, system.key("member", "bob").await);
    for slug in ["one", "two", "three"] {
        make(&system, &alice, slug).await;
    }
    let first = system.public("GET /links?limit=1").key(&alice).send().await;
    let cursor = cursor(&first).expect("more");
    let get =
        async |query: String, key: &str| system.public(&format!("GET /links?{query}")).key(key).send().await;
    assert_eq!(get(format!("cursor={cursor}"), &alice).await.status, 200);
    assert_eq!(get(format!("cursor={cursor}"), &bob).await.outcome(), "400 cursor_invalid");
    assert_eq!(get(format!("cursor={cursor}&owner_id=alice"), &alice).await.outcome(), "400 cursor_invalid");
    assert_eq!(get("cursor=AAAA".into(), &alice).await.outcome(), "400 cursor_invalid");
    assert_eq!(get("limit=many".into(), &alice).await.faults(), ["query limit type"]);
    assert_eq!(get("limit=-1".into(), &alice).await.faults(), ["query limit min"]);
    let all = get("limit=100000".into(), &alice).await;
    assert_eq!((slugs(&all).len(), self::cursor(&all)), (3, None));
}

#[tokio::test]
async fn a_cursor_outlives_a_restart() {
    let system = System::shortlink().await;
    let key = system.first_key("member");
    for slug in ["one", "two"] {
        make(&system, &key, slug).await;
    }
    let first = system.public("GET /links?limit=1").key(&key).send().await;
    let cursor = cursor(&first).expect("more");
    let folder = system.stop().await;
    let system = System::start_in(folder, &crate::system::SHORTLINK, Default::default()).await;
    assert!(system.running.first_keys().is_empty());
    let second = system.public(&format!("GET /links?cursor={cursor}")).key(&key).send().await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(slugs(&second).len(), 1);
    assert_ne!(slugs(&second), slugs(&first));
}

#[tokio::test]
async fn a_visitor_is_listed_to_other_components() {
    let system = System::shortlink().await;
    let key = system.first_key("member");
    make(&system, &key, "seen").await;
    for _ in 0..3 {
        assert_eq!(system.public("GET /seen").send().await.status, 302);
    }
    let page = system.internal("GET /internal/links/seen/visits").send().await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.json()["items"].as_array().map(Vec::len), Some(3));
}
