//! `run`: what it prints, writes and answers, and how it stops.

use crate::process::{Place, formwork};
use serde_json::json;

#[test]
fn exactly_one_line_on_standard_output_and_a_clean_stop() {
    let place = Place::new();
    let server = place.start();
    assert!(!server.public.ends_with(":0"));
    let ended = server.stop();
    assert_eq!((ended.code, ended.output.as_str()), (0, ""), "{}", ended.errors);
    assert!(!place.data.join("run.json").exists(), "run.json names a living process only");
}

#[test]
fn run_json_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let server = place.start();
    let file = place.data.join("run.json");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).expect("there")).expect("JSON");
    assert_eq!(run["pid"], server.id());
    for member in ["public", "internal", "admin", "admin_key"] {
        assert!(run[member].is_string(), "{run}");
    }
}

#[test]
fn the_start_says_how_each_operation_is_served_and_what_is_not_enforced() {
    let place = Place::new();
    let said = place.start().stop().errors;
    assert!(said.contains("Isolation embedded SQLite: each transaction is serialisable"), "{said}");
    for operation in ["create_link", "list_links", "get_link", "retarget_link", "delete_link", "follow_link"]
    {
        assert!(said.contains(operation), "{operation}: {said}");
    }
    assert!(said.contains("executed"), "{said}");
    assert_eq!(said.lines().filter(|line| line.trim_start().starts_with("curl ")).count(), 7, "{said}");
    assert!(said.contains("not yet enforced"), "{said}");
    assert!(!said.contains("audit: "), "{said}");
}

#[test]
fn keys_are_shown_on_the_first_start_only() {
    let place = Place::new();
    let said = place.start().stop().errors;
    let mut roles = said.lines().skip_while(|line| !line.contains("shown this once")).skip(1);
    let (role, key) = roles.next().and_then(|line| line.trim().split_once("  ")).expect("a key");
    assert!(["admin", "member"].contains(&role), "{said}");
    let second = place.start();
    let key = key.trim();
    assert_eq!(second.call(key, "GET", "/links", None).status, 200);
    for file in std::fs::read_dir(&place.data).expect("there") {
        let bytes = std::fs::read(file.expect("there").path()).expect("readable");
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "only hashes are stored");
    }
    assert!(!second.stop().errors.contains("shown this once"));
}

#[test]
fn a_link_is_made_followed_changed_listed_and_deleted() {
    let place = Place::new();
    let server = place.start();
    let alice = place.key("member", "alice");
    let made =
        server.call(&alice, "POST", "/links", Some(json!({"url": "https://example.com/a", "slug": "first"})));
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["owner_id"], "alice");
    assert_eq!(made.header("location"), Some("/links/first"));
    let followed = server.call("", "GET", "/first", None);
    assert_eq!((followed.status, followed.header("location")), (302, Some("https://example.com/a")));
    let moved = server.call(&alice, "PATCH", "/links/first", Some(json!({"url": "https://example.org/b"})));
    assert_eq!((moved.status, moved.json()["visit_count"].as_i64()), (200, Some(1)));
    let listed = server.call(&alice, "GET", "/links", None).json();
    assert_eq!(listed["items"][0]["slug"], "first");
    assert_eq!(listed["next_cursor"], json!(null));
    assert_eq!(server.call(&alice, "DELETE", "/links/first", None).status, 204);
    assert_eq!(server.call("", "GET", "/first", None).problem(), (404, "link_not_found".to_owned()));
}

#[test]
fn every_page_is_reached_once_by_its_cursor() {
    let place = Place::new();
    let server = place.start();
    let alice = place.key("member", "alice");
    for number in 0..7 {
        let body = json!({"url": "https://example.com/", "slug": format!("page-{number}")});
        assert_eq!(server.call(&alice, "POST", "/links", Some(body)).status, 201);
    }
    let mut found = Vec::new();
    let mut target = "/links?limit=3".to_owned();
    loop {
        let page = server.call(&alice, "GET", &target, None).json();
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= 3);
        found.extend(items.iter().map(|item| item["slug"].as_str().expect("a text").to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        target = format!("/links?limit=3&cursor={cursor}");
    }
    let newest_first: Vec<String> = (0..7).rev().map(|number| format!("page-{number}")).collect();
    assert_eq!(found, newest_first);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let place = Place::new();
    let server = place.start();
    let alice = place.key("member", "alice");
    let body = json!({"url": "https://example.com/", "slug": "kept"});
    assert_eq!(server.call(&alice, "POST", "/links", Some(body)).status, 201);
    server.stop();
    assert_eq!(place.start().call("", "GET", "/kept", None).status, 302);
}

#[test]
fn endpoints_of_section_5_answer_on_the_internal_listener_only() {
    let place = Place::new();
    let server = place.start();
    let alice = place.key("member", "alice");
    let body = json!({"url": "https://example.com/", "slug": "seen"});
    server.call(&alice, "POST", "/links", Some(body));
    server.call("", "GET", "/seen", None);
    let target = "/internal/links/seen/visits";
    let inside = crate::process::call(&server.internal, "", "GET", target, None).expect("an answer");
    assert_eq!((inside.status, inside.json()["items"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(server.call(&alice, "GET", target, None).status, 404);
}

#[test]
fn the_control_plane_asks_for_its_key_and_metrics_do_not() {
    let place = Place::new();
    let server = place.start();
    let call = |key: &str, target: &str| {
        let bearer = format!("Bearer {key}");
        let answer = crate::http::send(&server.admin, "GET", target, &[("Authorization", &bearer)], None);
        answer.expect("an answer").status
    };
    assert_eq!(call("wrong", "/keys"), 401);
    assert_eq!(call(&server.admin_key, "/keys"), 200);
    assert_eq!(call("", "/metrics"), 200);
}

#[test]
fn a_document_with_errors_is_not_run_and_nothing_is_created() {
    let place = Place::with(
        "# Odd\n\n## 4) API\n\n#### Operation: `x` — `GET /x`\n\n**Output:** the `nothing_there`\n\n**Behavior:**\n1. Returns the `nothing_there`.\n",
    );
    let ended = formwork(&["run", place.document.to_str().expect("UTF-8"), "--listen", "127.0.0.1:0"]);
    assert_eq!((ended.code, ended.output.as_str()), (1, ""));
    assert!(ended.errors.contains("error[FW"), "{}", ended.errors);
    let left: Vec<_> = std::fs::read_dir(place.folder.path()).expect("there").collect();
    assert_eq!(left.len(), 1, "only the document itself: {left:?}");
}

#[test]
fn the_test_clock_moves_only_when_told() {
    let place = Place::new();
    let server = crate::process::Server::start(&place.document, &place.data, &["--clock", "test"]);
    let alice = place.key("member", "alice");
    let body = json!({"url": "https://example.com/", "slug": "brief", "expires_at": "2030-01-01T00:01:00Z"});
    let made = server.call(&alice, "POST", "/links", Some(body)).json();
    assert_eq!(made["created_at"], "2030-01-01T00:00:00Z");
    assert_eq!(server.call("", "GET", "/brief", None).status, 302);
    let bearer = format!("Bearer {}", server.admin_key);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let moved = crate::http::send(&server.admin, "POST", "/clock", &headers, Some(br#"{"advance":"2m"}"#));
    assert_eq!(moved.expect("an answer").json()["now"], "2030-01-01T00:02:00Z");
    assert_eq!(server.call("", "GET", "/brief", None).problem(), (410, "link_expired".to_owned()));
}

#[test]
fn without_the_test_clock_nobody_moves_time() {
    let place = Place::new();
    let server = place.start();
    let bearer = format!("Bearer {}", server.admin_key);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let moved = crate::http::send(&server.admin, "POST", "/clock", &headers, Some(br#"{"advance":"2m"}"#));
    assert_eq!(moved.expect("an answer").status, 404);
}
