//! Two real processes on one PostgreSQL: one is killed in the middle of an operation of several parts, and the other
//! carries it on, once. And a changed document that is refused, on either store.

use crate::parts::{DOCUMENT, upstream};
use crate::process::{Place, Server, formwork};
use formwork_temporary_postgres::server as database;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn what_a_killed_node_has_left_another_carries_on_once() {
    let (place, other) = (Place::with(DOCUMENT), Place::with(DOCUMENT));
    let (address, requests) = upstream(1);
    let option = format!("Payment provider=http://{address}");
    let rows = database().url_of("postgres", &database().make_database());
    let start = |place: &Place| {
        Server::start(&place.document, &place.data, &["--upstream", &option, "--database", &rows])
    };
    let (killed, lives) = (start(&place), start(&other));
    let public = killed.public.clone();
    let asking = std::thread::spawn(move || {
        let headers = [("content-type", "application/json")];
        crate::http::send(&public, "POST", "/orders", &headers, Some(br#"{"amount": 25}"#)).is_err()
    });
    let next = || requests.recv_timeout(Duration::from_secs(120)).expect("a request");
    let first = next();
    killed.kill();
    assert!(asking.join().expect("no panic"), "nobody was answered");
    let second = next();
    let key = |request: &str| {
        let found = request.lines().find(|line| line.to_lowercase().starts_with("idempotency-key: "));
        found.unwrap_or_else(|| panic!("no key in {request}")).to_owned()
    };
    assert_eq!(key(&first), key(&second));
    let began = Instant::now();
    loop {
        let orders = lives.call("", "GET", "/orders", None).json();
        assert_eq!(orders.as_array().map(Vec::len), Some(1), "{orders}");
        if orders[0]["state"] == json!("paid") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{orders}");
        std::thread::yield_now();
    }
    // What has ended nobody carries on, the one that was killed neither.
    let again = start(&place);
    assert_eq!(again.call("", "GET", "/orders", None).json().as_array().map(Vec::len), Some(1));
    assert_eq!((again.stop().code, lives.stop().code), (0, 0));
    assert!(requests.try_recv().is_err(), "the other side was asked twice and no more");
}

#[test]
fn a_change_that_would_lose_data_is_refused_with_exit_code_2_on_either_store() {
    let rows = database().url_of("postgres", &database().make_database());
    for more in [&[][..], &["--database", &rows]] {
        let place = Place::with(DOCUMENT);
        assert_eq!(Server::start(&place.document, &place.data, more).stop().code, 0);
        let field = "- `amount` (integer) | what it costs | required\n- `state`";
        assert!(DOCUMENT.contains(field));
        let changed = DOCUMENT.replace(field, "- `amount` (string) | what it costs | required\n- `state`");
        std::fs::write(&place.document, changed.replace("`amount` (integer)", "`amount` (string)"))
            .expect("writable");
        let document = place.document.to_str().expect("UTF-8");
        let any = "127.0.0.1:0";
        let mut arguments = vec!["run", document, "--data", place.data_text(), "--listen", any];
        arguments.extend(["--internal-listen", any, "--admin-listen", any]);
        arguments.extend(more);
        let ended = formwork(&arguments);
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.errors);
        assert!(ended.errors.contains("the data does not fit the document any more"), "{}", ended.errors);
        assert!(ended.errors.contains("amount"), "{}", ended.errors);
        // Nothing was changed: the document as it was runs on.
        std::fs::write(&place.document, DOCUMENT).expect("writable");
        assert_eq!(Server::start(&place.document, &place.data, more).stop().code, 0);
    }
}
