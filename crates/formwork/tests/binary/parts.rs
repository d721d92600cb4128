//! An operation of several parts that is killed while another service has its request goes on at the next start, and the
//! other side sees the same request with the same key.

use crate::process::{Place, Server};
use formwork_temporary_postgres::Server as Database;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub(crate) const DOCUMENT: &str = "# Orders – Technical Architecture

## 3) Core Components

### Payment provider

**Purpose:** Charges cards; it belongs to somebody else.

**Upstream:** `https://pay.example.com`

## 4) Primary Interface/API

#### Operation: `place_order` — `POST /orders`

**Input:**
- `amount` (integer) | what it costs | required

**Output:** `201` the `order`

**Behavior:**
1. Anyone may call this.
2. Creates a `order` with `amount = input.amount`, `state = \"pending\"` as `placed`.
3. Commits.
4. Calls `POST /v1/charges` of `Payment provider` with `amount = placed.amount`, or fails with `502 not_charged`.
5. Finds the `order` where `id == placed.id` as `found`, or fails with `404 order_gone`.
6. Updates the `found` with `state = \"paid\"`.
7. Returns the `found`.

#### Operation: `list_orders` — `GET /orders`

**Input:** None

**Output:** a list of `order`

**Behavior:**
1. Anyone may call this.
2. Lists the `order` as `orders`.
3. Returns the `orders`.

## 6) Data Model

### Entity: `order`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `amount` (integer) | what it costs | required
- `state` (enum(pending, paid)) | how far it is | required
";

/// Takes requests one by one; answers those after the first `silent` ones. Gives each as text.
pub(crate) fn upstream(silent: usize) -> (String, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (seen, requests) = channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            let (mut request, mut buffer) = (String::new(), [0; 4096]);
            while !request.ends_with('}') {
                let count = stream.read(&mut buffer).expect("readable");
                request.push_str(std::str::from_utf8(&buffer[..count]).expect("UTF-8"));
            }
            if number >= silent {
                let answer = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                // Who was killed takes no answer.
                let _ = stream.write_all(answer.as_bytes());
            } else {
                held.push(stream);
            }
            if seen.send(request).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

#[test]
fn an_operation_that_is_killed_between_two_parts_goes_on_with_the_same_key() {
    let place = Place::with(DOCUMENT);
    let (address, requests) = upstream(1);
    let option = format!("Payment provider=http://{address}");
    let start = || Server::start(&place.document, &place.data, &["--upstream", &option]);
    let next = || requests.recv_timeout(Duration::from_secs(60)).expect("a request");

    let server = start();
    let public = server.public.clone();
    let asking = std::thread::spawn(move || {
        let headers = [("content-type", "application/json")];
        crate::http::send(&public, "POST", "/orders", &headers, Some(br#"{"amount": 25}"#)).is_err()
    });
    let first = next();
    server.kill();
    assert!(asking.join().expect("no panic"), "nobody was answered");

    let server = start();
    let second = next();
    let line = |request: &str, name: &str| {
        let found = request.lines().find(|line| line.to_lowercase().starts_with(name));
        found.unwrap_or_else(|| panic!("no {name} in {request}")).to_owned()
    };
    assert_eq!(line(&first, "idempotency-key: "), line(&second, "idempotency-key: "));
    assert_eq!(first.lines().last(), second.lines().last(), "the same body");
    let began = Instant::now();
    loop {
        let orders = server.call("", "GET", "/orders", None).json();
        assert_eq!(orders.as_array().map(Vec::len), Some(1), "{orders}");
        if orders[0]["state"] == json!("paid") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{orders}");
        std::thread::yield_now();
    }
    let ended = server.stop();
    assert_eq!(ended.code, 0, "{}", ended.errors);
}

/// Whether some file below a folder holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => holds(&path, text),
            // A database takes files away while it works.
            false => std::fs::read(&path)
                .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())),
        }
    })
}

const CARD: &str = "4111-hush-1111";

/// An order whose card is sent on after a commit, and written nowhere.
fn with_card() -> String {
    DOCUMENT
        .replace(
            "it costs | required\n\n**Output:** `201`",
            "it costs | required\n- `card` (string) | which card | required\n\n**Output:** `201`",
        )
        .replace("with `amount = placed.amount`,", "with `amount = placed.amount`, `card = input.card`,")
}

/// Kills the process while another service has the card, gives whether the rows hold it, and sees it go on.
fn left_with_card(data: &Path, more: &[&str], environment: &[(&str, &str)]) -> bool {
    let place = Place::with(&with_card());
    let (address, requests) = upstream(1);
    let option = format!("Payment provider=http://{address}");
    let options = [&["--upstream", option.as_str()], more].concat();
    let start = || Server::start_with(&place.document, &place.data, &options, environment);
    let next = || requests.recv_timeout(Duration::from_secs(60)).expect("a request");
    let server = start();
    let public = server.public.clone();
    let asking = std::thread::spawn(move || {
        let body = format!("{{\"amount\": 25, \"card\": \"{CARD}\"}}");
        let headers = [("content-type", "application/json")];
        crate::http::send(&public, "POST", "/orders", &headers, Some(body.as_bytes())).is_err()
    });
    let first = next();
    assert!(first.contains(CARD), "{first}");
    server.kill();
    asking.join().expect("no panic");
    let found = holds(if more.is_empty() { &place.data } else { data }, CARD);
    let server = start();
    assert_eq!(first.lines().last(), next().lines().last(), "it goes on with the same card");
    let ended = server.stop();
    assert_eq!(ended.code, 0, "{}", ended.errors);
    // What is not sealed is told at the start.
    let told = ended.errors.contains("set FORMWORK_VARIABLES_KEY");
    assert_eq!(told, !more.is_empty() && environment.is_empty(), "{}", ended.errors);
    found
}

#[test]
fn who_has_the_rows_alone_reads_no_variable_of_what_is_under_way() {
    assert!(!left_with_card(Path::new(""), &[], &[]));
}

#[test]
fn nodes_of_a_database_seal_variables_with_the_key_that_they_share() {
    let database = Database::start();
    let (url, key) = (database.url(), "5a".repeat(32));
    let folder = url.split_once('@').and_then(|(_, rest)| rest.rsplit_once('/')).expect("a folder").0;
    let folder = PathBuf::from(folder.replace("%2F", "/"));
    let other = database.url_of("postgres", &database.make_database());
    let sealed = left_with_card(&folder, &["--database", &url], &[("FORMWORK_VARIABLES_KEY", &key)]);
    assert!(!sealed);
    // Without one it is there to be found: the search above can find.
    assert!(left_with_card(&folder, &["--database", &other], &[]));
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_is_opened() {
    let place = Place::with(DOCUMENT);
    let mut command = crate::process::command(&["run"]);
    let ended =
        command.arg(&place.document).env("FORMWORK_VARIABLES_KEY", "hush-hush").output().expect("it ends");
    let said = String::from_utf8(ended.stderr).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("FORMWORK_VARIABLES_KEY") && !said.contains("hush"), "{said}");
}
