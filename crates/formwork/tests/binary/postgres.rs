//! The binary on PostgreSQL: what it prints, what it refuses, and that every example passes there too.

use crate::process::{Place, Server, formwork};
use formwork_temporary_postgres::Server as Database;
use formwork_temporary_postgres::server as database;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn the_flows_of_every_example_pass_there_too() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut tested = 0;
    for entry in std::fs::read_dir(examples).expect("the examples") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "md") || path.ends_with("README.md") {
            continue;
        }
        let document = path.to_str().expect("UTF-8");
        let ended = formwork(&["test", document, "--only", "flows", "--database", &database().url()]);
        assert_eq!(ended.code, 0, "{document}\n{}\n{}", ended.output, ended.errors);
        tested += 1;
    }
    assert!(tested > 0);
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_on_another_node() {
    let (place, other) = (Place::new(), Place::new());
    let address = database().url_of("postgres", &database().make_database());
    let run = |place: &Place| Server::start(&place.document, &place.data, &["--database", &address]);
    let server = run(&place);
    // A key that one node makes is known on the other one.
    let key = place.key("member", "alice");
    let body = json!({"url": "https://example.com/a", "slug": "kept"});
    assert_eq!(server.call(&key, "POST", "/links", Some(body)).status, 201);
    let node = run(&other);
    assert_eq!(node.call("", "GET", "/kept", None).status, 302);
    assert_eq!(node.call(&key, "GET", "/links", None).status, 200);
    server.kill();
    assert_eq!(node.call("", "GET", "/kept", None).status, 302);
    let said = node.stop().errors;
    assert!(said.contains("Database  postgres://postgres@"), "{said}");
    assert!(said.contains("Isolation PostgreSQL: each transaction is serialisable"), "{said}");
    let again = run(&place);
    assert_eq!(again.call("", "GET", "/kept", None).status, 302);
    assert!(!again.stop().errors.contains("shown this once"));
}

#[test]
fn a_password_is_written_nowhere() {
    let place = Place::new();
    // The server trusts whoever comes over its socket, whatever the password is.
    let address = database().url_of("postgres:hush-hush", &database().make_database());
    let server = Server::start(&place.document, &place.data, &["--database", &address]);
    let said = server.stop();
    assert!(!said.errors.contains("hush"), "{}", said.errors);
    for file in std::fs::read_dir(&place.data).expect("there") {
        let bytes = std::fs::read(file.expect("there").path()).expect("readable");
        assert!(!bytes.windows(4).any(|window| window == b"hush"));
    }
}

#[test]
fn a_database_that_does_not_open_is_one_line_and_exit_code_2() {
    let place = Place::new();
    let document = place.document.to_str().expect("UTF-8");
    let missing = database().url_of("postgres", "nothing_here");
    for (address, says) in [
        ("postgres://ann:hush@127.0.0.1:1/orders", "cannot be reached"),
        (missing.as_str(), "there is no database"),
        ("mysql://ann:hush@host/orders", "is no address of a database"),
    ] {
        let any = "127.0.0.1:0";
        let ended = formwork(&[
            "run",
            document,
            "--data",
            place.data_text(),
            "--database",
            address,
            "--listen",
            any,
            "--internal-listen",
            any,
            "--admin-listen",
            any,
        ]);
        assert_eq!(ended.code, 2, "{address}: {}", ended.errors);
        assert!(ended.errors.contains(says) && !ended.errors.contains("hush"), "{address}: {}", ended.errors);
        assert_eq!(ended.errors.trim_end().lines().count(), 1, "{address}: {}", ended.errors);
    }
}

#[test]
fn while_the_database_is_away_calls_are_refused_and_then_answered_again() {
    let database = Database::start();
    let place = Place::new();
    let server = Server::start(&place.document, &place.data, &["--database", &database.url()]);
    let key = place.key("member", "alice");
    let body = || Some(json!({"url": "https://example.com/a"}));
    assert_eq!(server.call(&key, "POST", "/links", body()).status, 201);
    database.stop();
    let away = server.call(&key, "POST", "/links", body());
    assert_eq!(away.status, 503, "{away:?}");
    assert!(away.header("retry-after").is_some(), "{away:?}");
    assert_eq!(server.call(&key, "GET", "/links", None).status, 503);
    database.start_again();
    let until = Instant::now() + Duration::from_secs(30);
    while server.call(&key, "GET", "/links", None).status != 200 {
        assert!(Instant::now() < until, "the database is not found again");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.call(&key, "POST", "/links", body()).status, 201);
}

/// A server that was away between two calls has taken every connection along, those that lie idle included: the call
/// that comes next is carried out all the same, since nothing of it was done on the dead ones.
#[test]
fn after_a_restart_between_two_calls_no_call_meets_a_dead_connection() {
    let database = Database::start();
    let place = Place::new();
    let server = Server::start(&place.document, &place.data, &["--database", &database.url()]);
    let key = place.key("member", "alice");
    let body = || Some(json!({"url": "https://example.com/a"}));
    let calls = |count: usize| -> Vec<u16> {
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..count)
                .map(|_| scope.spawn(|| server.call(&key, "POST", "/links", body()).status))
                .collect();
            all.into_iter().map(|one| one.join().expect("answered")).collect()
        })
    };
    // As many at once as it takes to open every connection.
    assert!(calls(64).iter().all(|status| *status == 201));
    for _ in 0..3 {
        database.stop();
        database.start_again();
        for _ in 0..4 {
            assert_eq!(calls(1), [201]);
        }
        assert!(calls(32).iter().all(|status| *status == 201));
    }
}
