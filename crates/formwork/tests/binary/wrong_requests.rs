//! Requests that are wrong in every way: the documented status, and the server lives on.

use crate::http::{self, Answer, connect, receive};
use crate::process::{Place, Server};
use serde_json::json;
use std::io::Write;

fn post(server: &Server, key: &str, body: &[u8], content_type: &str) -> Answer {
    let headers = [("X-API-Key", key), ("Content-Type", content_type)];
    http::send(&server.public, "POST", "/links", &headers, Some(body)).expect("an answer")
}

fn started() -> (Place, Server, String) {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    (place, server, key)
}

#[test]
fn each_wrong_body_has_its_status() {
    let (_place, server, key) = started();
    let deep = format!("{{\"url\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: &[(&[u8], u16, &str)] = &[
        (b"{\"url\": ", 400, "malformed"),
        (b"", 422, "invalid"),
        (b"{\"url\": \"https://example.com/\xff\"}", 400, "malformed"),
        (deep.as_bytes(), 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b"{\"url\": 1}", 422, "invalid"),
        (b"{\"url\": \"not a url\"}", 422, "invalid"),
        (b"{\"url\": \"https://example.com/\", \"colour\": 1}", 422, "invalid"),
        (b"{\"url\": \"https://example.com/\", \"slug\": \"NO\"}", 422, "invalid"),
        (b"{\"url\": \"https://example.com/\", \"expires_at\": 1e999}", 422, "invalid"),
        (b"{\"url\": \"https://example.com/\", \"expires_at\": 99999999999999999999}", 422, "invalid"),
        (
            b"{\"url\": \"https://example.com/\", \"expires_at\": \"2000-01-01T00:00:00Z\"}",
            422,
            "expiry_in_past",
        ),
    ];
    for (body, status, code) in cases {
        let answer = post(&server, &key, body, "application/json");
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(answer.problem(), (*status, (*code).to_owned()), "{shown}: {}", answer.json());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{shown}");
    }
    let fine = post(&server, &key, br#"{"url": "https://example.com/"}"#, "application/json");
    assert_eq!(fine.status, 201, "the server lives on");
}

#[test]
fn all_faults_of_an_input_come_at_once() {
    let (_place, server, key) = started();
    let answer =
        post(&server, &key, br#"{"slug": "NO", "expires_at": "soon", "colour": 1}"#, "application/json");
    assert_eq!(answer.status, 422);
    let problem = answer.json();
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|fault| fault["pointer"].as_str().expect("a pointer"))
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#/colour", "#/expires_at", "#/slug", "#/url"]);
}

#[test]
fn wrong_routes_methods_types_and_keys_have_their_status() {
    let (_place, server, key) = started();
    let status = |method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>| {
        http::send(&server.public, method, target, headers, body).expect("an answer").status
    };
    assert_eq!(status("GET", "/links/a/b/c", &[], None), 404);
    let refused = http::send(&server.public, "PUT", "/links", &[], None).expect("an answer");
    assert_eq!(refused.status, 405);
    let allowed = refused.header("allow").expect("Allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    assert_eq!(status("GET", "/links", &[], None), 401);
    assert_eq!(status("GET", "/links", &[("X-API-Key", "wrong")], None), 401);
    assert_eq!(status("GET", "/%ff", &[], None), 400);
    assert_eq!(status("GET", "/%zz", &[], None), 400);
    assert_eq!(status("GET", "/links?limit=many", &[("X-API-Key", &key)], None), 422);
    assert_eq!(status("GET", "/links?colour=red", &[("X-API-Key", &key)], None), 422);
    assert_eq!(status("GET", "/links?cursor=nonsense", &[("X-API-Key", &key)], None), 400);
    let text = [("X-API-Key", key.as_str()), ("Content-Type", "text/plain")];
    assert_eq!(status("POST", "/links", &text, Some(b"{}")), 415);
}

#[test]
fn a_member_of_another_role_is_forbidden() {
    let (place, server, _key) = started();
    let admin = place.key("admin", "root");
    let answer = server.call(&admin, "POST", "/links", Some(json!({"url": "https://example.com/"})));
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let (_place, server, key) = started();
    let length = 64 * 1024 * 1024;
    let mut stream = connect(&server.public).expect("connected");
    let head = format!(
        "POST /links HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // The refusal may come before the body is sent; then writing fails, and the answer is there all the same.
    let _ = stream.write_all(&vec![b' '; 1024 * 1024]);
    assert_eq!(receive(stream).expect("an answer").status, 413);
    assert_eq!(server.call("", "GET", "/nothing-here", None).status, 404, "the server lives on");
}

#[test]
fn slow_and_broken_clients_do_not_hold_the_others_up() {
    let (_place, server, key) = started();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&server.public).expect("connected");
        stream.write_all(b"POST /links HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n").expect("sent");
        slow.push(stream);
    }
    let mut garbage = connect(&server.public).expect("connected");
    garbage.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").expect("sent");
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200);
    drop(slow);
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200);
}

#[test]
fn a_request_id_is_taken_over_if_it_is_one() {
    let (_place, server, _key) = started();
    let id = |sent: &str| {
        let answer = http::send(&server.public, "GET", "/nothing-here", &[("X-Request-Id", sent)], None);
        answer.expect("an answer").header("x-request-id").expect("always there").to_owned()
    };
    assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
    assert_ne!(id("no spaces"), "no spaces");
}
