//! `keys`: made, listed and revoked, whether the system is running or not.

use crate::process::{Place, formwork};
use serde_json::{Value, json};

fn list(place: &Place) -> Vec<Value> {
    let listed = formwork(&["keys", "list", "--data", place.data_text(), "--format", "json"]);
    assert_eq!(listed.code, 0, "{}", listed.errors);
    let keys: Value = serde_json::from_str(&listed.output).expect("JSON");
    keys["keys"].as_array().expect("a list").clone()
}

fn id_of(place: &Place, caller: &str) -> String {
    let keys = list(place);
    let found = keys.iter().find(|key| key["caller"] == caller).expect("listed");
    found["id"].as_str().expect("a text").to_owned()
}

#[test]
fn a_key_made_while_running_works_at_once() {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200);
}

#[test]
fn a_key_made_while_stopped_works_after_the_start() {
    let place = Place::new();
    place.start().stop();
    let key = place.key("member", "alice");
    let server = place.start();
    let body = json!({"url": "https://example.com/"});
    assert_eq!(server.call(&key, "POST", "/links", Some(body)).json()["owner_id"], "alice");
}

#[test]
fn a_revoked_key_is_refused_at_once() {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200);
    let revoked = formwork(&["keys", "revoke", "--data", place.data_text(), &id_of(&place, "alice")]);
    assert_eq!(revoked.code, 0, "{}", revoked.errors);
    assert_eq!(server.call(&key, "GET", "/links", None).status, 401);
}

#[test]
fn a_key_revoked_while_stopped_stays_revoked() {
    let place = Place::new();
    place.start().stop();
    let key = place.key("member", "alice");
    let revoked = formwork(&["keys", "revoke", "--data", place.data_text(), &id_of(&place, "alice")]);
    assert_eq!(revoked.code, 0, "{}", revoked.errors);
    assert_eq!(place.start().call(&key, "GET", "/links", None).status, 401);
}

#[test]
fn a_key_holds_until_it_expires_and_the_list_tells_when_and_its_last_use() {
    let place = Place::new();
    let server = crate::process::Server::start(&place.document, &place.data, &["--clock", "test"]);
    let create =
        ["keys", "create", "--data", place.data_text(), "--role", "member", "--id", "alice", "--expires"];
    let made = formwork(&[&create[..], &["90d"]].concat());
    assert_eq!(made.code, 0, "{}", made.errors);
    let key = made.output.trim_end();
    let told = |name: &str| {
        let keys = list(&place);
        keys.iter().find(|key| key["caller"] == "alice").expect("listed")[name].clone()
    };
    assert_eq!(told("last_used_at"), Value::Null);
    assert_eq!(server.call(key, "GET", "/links", None).status, 200);
    assert_eq!(
        (told("last_used_at"), told("expires_at")),
        (json!("2030-01-01T00:00:00Z"), json!("2030-04-01T00:00:00Z"))
    );
    let bearer = format!("Bearer {}", server.admin_key);
    let advance = |by: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = format!("{{\"advance\":\"{by}\"}}");
        let moved = crate::http::send(&server.admin, "POST", "/clock", &headers, Some(body.as_bytes()));
        assert_eq!(moved.expect("an answer").status, 200);
    };
    advance("2159h");
    assert_eq!(server.call(key, "GET", "/links", None).status, 200);
    assert_eq!(told("last_used_at"), "2030-03-31T23:00:00Z");
    advance("1h");
    assert_eq!(server.call(key, "GET", "/links", None).status, 401);
    for wrong in ["0s", "soon", "-1d"] {
        assert_eq!(formwork(&[&create[..], &[wrong]].concat()).code, 2, "{wrong}");
    }
}

#[test]
fn a_list_never_shows_a_key() {
    let place = Place::new();
    let server = place.start();
    let key = place.key("member", "alice");
    for format in ["text", "json"] {
        let listed = formwork(&["keys", "list", "--data", place.data_text(), "--format", format]);
        assert!(listed.output.contains("alice") && !listed.output.contains(&key), "{}", listed.output);
    }
    drop(server);
}

#[test]
fn the_key_stands_alone_on_standard_output() {
    let place = Place::new();
    let _server = place.start();
    let made = formwork(&["keys", "create", "--data", place.data_text(), "--role", "member"]);
    assert_eq!(made.output.lines().count(), 1, "{}", made.output);
    assert!(made.output.trim_end().chars().all(|character| character.is_ascii_graphic()));
}

#[test]
fn a_stale_run_json_of_a_killed_process_does_not_mislead() {
    let place = Place::new();
    place.start().kill();
    assert!(place.data.join("run.json").exists(), "SIGKILL leaves it behind");
    let key = place.key("member", "alice");
    assert_eq!(place.start().call(&key, "GET", "/links", None).status, 200);
}

#[test]
fn wrong_keys_commands_are_one_line_and_exit_code_2() {
    let place = Place::new();
    let nowhere = formwork(&["keys", "list", "--data", place.data_text()]);
    assert_eq!((nowhere.code, nowhere.errors.lines().count()), (2, 1), "{}", nowhere.errors);
    assert!(!place.data.exists(), "a look creates nothing");
    place.start().stop();
    let unknown = formwork(&["keys", "revoke", "--data", place.data_text(), "nobody"]);
    assert_eq!((unknown.code, unknown.errors.lines().count()), (2, 1), "{}", unknown.errors);
    let claim = ["keys", "create", "--data", place.data_text(), "--role", "member", "--claim", "team=blue"];
    let claimed = formwork(&claim);
    assert_eq!((claimed.code, claimed.output.as_str()), (2, ""), "{}", claimed.errors);
}
