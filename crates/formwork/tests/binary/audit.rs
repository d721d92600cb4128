//! `audit`: listed, verified and exported while the system runs and after it was killed.

use crate::process::{Ended, Place, Server, formwork};
use formwork_temporary_postgres::server as postgres;
use serde_json::{Value, json};

fn audit(place: &Place, arguments: &[&str]) -> Ended {
    let (action, rest) = arguments.split_first().expect("an action");
    formwork(&[&["audit", action, "--data", place.data_text()], rest].concat())
}

/// Waits until all is chained, and gives what `verify` says.
fn verified(place: &Place) -> Value {
    let began = std::time::Instant::now();
    loop {
        let ended = audit(place, &["verify", "--format", "json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let found: Value = serde_json::from_str(&ended.output).expect("JSON");
        if found["unchained"] == 0 {
            return found;
        }
        assert!(began.elapsed().as_secs() < 30, "{found}");
    }
}

#[test]
fn a_trail_is_read_while_the_system_runs_and_outlives_a_kill() {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    for slug in ["one", "two"] {
        let body = json!({"url": "https://example.com/", "slug": slug});
        assert_eq!(server.call(&key, "POST", "/links", Some(body)).status, 201);
    }
    let head = verified(&place)["head"].as_str().expect("a head").to_owned();
    assert!(head.starts_with("2:"), "{head}");
    server.kill();
    let listed = audit(&place, &["list", "--actor", "alice", "--entity", "link", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.output).expect("JSON");
    let entries = listed["entries"].as_array().expect("a list");
    let slugs: Vec<&Value> = entries.iter().map(|entry| &entry["after"]["slug"]).collect();
    assert_eq!(slugs, ["one", "two"]);
    assert_eq!(entries[0]["operation"], "create_link");
    assert_eq!(audit(&place, &["list", "--actor", "bob"]).output.lines().count(), 1);
    let text = audit(&place, &["list", "--since", "2020-01-01"]).output;
    assert!(text.contains("alice") && text.contains("created") && text.contains("create_link"), "{text}");
    let csv = audit(&place, &["export", "--format", "csv"]).output;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.starts_with("place,time,actor,"), "{csv}");
    let lines = audit(&place, &["export"]).output;
    let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
    assert_eq!(head, format!("2:{}", last["hash"].as_str().expect("a hash")));
    assert_eq!(audit(&place, &["verify", "--expect", &head]).code, 0);
}

#[test]
fn verify_ends_with_1_when_an_entry_was_changed_or_a_head_is_gone() {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    let body = json!({"url": "https://example.com/", "slug": "one"});
    assert_eq!(server.call(&key, "POST", "/links", Some(body)).status, 201);
    verified(&place);
    server.stop();
    let elsewhere = format!("1:{}", "0".repeat(64));
    let gone = audit(&place, &["verify", "--expect", &elsewhere]);
    assert_eq!((gone.code, gone.output.contains("is not in the chain")), (1, true), "{gone:?}");
    let connection = rusqlite::Connection::open(place.data.join("formwork.db")).expect("opens");
    connection.execute(r#"UPDATE "_audit" SET "actor" = 'bob'"#, []).expect("changes");
    let changed = audit(&place, &["verify"]);
    assert_eq!(
        (changed.code, changed.output.lines().next()),
        (1, Some("entry 1 was changed")),
        "{changed:?}"
    );
}

#[test]
fn without_data_there_is_one_clear_line() {
    let place = Place::new();
    let ended = audit(&place, &["verify"]);
    assert_eq!(ended.code, 2);
    assert!(ended.errors.contains("no data in"), "{}", ended.errors);
}

#[test]
fn a_trail_that_would_not_be_kept_refuses_the_start() {
    let text = std::fs::read_to_string(crate::process::shortlink()).expect("the example");
    let line = "- every write to `link`: who, when, before and after; kept 400 d";
    let number = text.lines().position(|own| own == line).expect("the line") + 1;
    let place = Place::with(&text.replace(line, "- whatever the support team does, with ticket"));
    let document = place.document.to_str().expect("UTF-8");
    let ended = formwork(&["run", document, "--data", place.data_text()]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.errors.contains(&format!("line {number}: audit trail")), "{}", ended.errors);
    assert!(!place.data.exists());
}

#[test]
fn a_trail_in_postgresql_is_listed_verified_and_exported_by_its_address() {
    let place = Place::new();
    let rows = postgres().make_database();
    let address = postgres().url_of("postgres", &rows);
    let server = Server::start(&place.document, &place.data, &["--database", &address]);
    let key = place.key("member", "alice");
    for slug in ["one", "two"] {
        let body = json!({"url": "https://example.com/", "slug": slug});
        assert_eq!(server.call(&key, "POST", "/links", Some(body)).status, 201);
    }
    let audit = |arguments: &[&str]| {
        let (action, rest) = arguments.split_first().expect("an action");
        formwork(&[&["audit", action, "--database", &address], rest].concat())
    };
    let began = std::time::Instant::now();
    let head = loop {
        let ended = audit(&["verify", "--format", "json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let found: Value = serde_json::from_str(&ended.output).expect("JSON");
        if found["unchained"] == 0 {
            break found["head"].as_str().expect("a head").to_owned();
        }
        assert!(began.elapsed().as_secs() < 30, "{found}");
    };
    assert!(head.starts_with("2:"), "{head}");
    let listed = audit(&["list", "--actor", "alice", "--entity", "link", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.output).expect("JSON");
    let entries = listed["entries"].as_array().expect("a list");
    let slugs: Vec<&Value> = entries.iter().map(|entry| &entry["after"]["slug"]).collect();
    assert_eq!(slugs, ["one", "two"]);
    let lines = audit(&["export"]).output;
    let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
    assert_eq!(head, format!("2:{}", last["hash"].as_str().expect("a hash")));
    assert_eq!(audit(&["verify", "--expect", &head]).code, 0);
    // Without the system, and after a row was changed behind its back.
    server.stop();
    assert_eq!(audit(&["verify"]).code, 0);
    postgres().carry_out(&rows, r#"UPDATE "_audit" SET "actor" = 'bob' WHERE "actor" = 'alice'"#);
    let changed = audit(&["verify", "--expect", &head]);
    let said: Vec<&str> = changed.output.lines().take(2).collect();
    assert_eq!((changed.code, said), (1, vec!["entry 1 was changed", "entry 2 was changed"]), "{changed:?}");
    let away = formwork(&["audit", "verify", "--database", &postgres().url_of("postgres", "nowhere")]);
    assert_eq!(away.code, 2, "{away:?}");
}
