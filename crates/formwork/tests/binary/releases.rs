//! What a process was killed at goes on under the document that began it, though the next start has another one: an
//! operation, a standing step and a handler, once, on either database; and what the other one forbids is left and named.

use crate::parts::upstream;
use crate::process::{Place, Server};
use formwork_temporary_postgres::server as database;
use serde_json::{Value, json};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// The first release; `STANDING` and `BY` are filled in.
const DOCUMENT: &str = "# Orders – Technical Architecture

## 3) Core Components

### Shop

**Purpose:** Sells.

**Responsibilities:**
- It sells.
STANDING

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
2. Creates a `order` with `amount = input.amount`, `by = \"begun BY\"` as `placed`.
3. Commits.
4. Calls `POST /v1/charges` of `Payment provider` with `amount = placed.amount`, or fails with `502 not_charged`.
5. Finds the `order` where `id == placed.id` as `found`, or fails with `404 order_gone`.
6. Updates the `found` with `by = \"ended BY\"`.
7. Creates a `entry` with `text = \"charged BY\"`.
8. Counts `charged`.
9. Returns the `found`.

#### Operation: `list_entries` — `GET /entries`

**Input:** None

**Output:** a list of `entry`

**Behavior:**
1. Anyone may call this.
2. Lists the `entry` sorted by `text` as `entries`.
3. Returns the `entries`.

## 6) Data Model

### Entity: `order`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `amount` (integer) | what it costs | required
- `by` (string) | how far it is | required

### Entity: `entry`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `text` (string) | what was done | required

### Entity: `customer`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `mail` (string) | where to | required

## 10) Observability

**Metrics:**
- `charged`: counter of charges
";

/// A release of the document.
fn release(by: &str, standing: &str) -> String {
    DOCUMENT.replace("STANDING", standing).replace("BY", by)
}

/// Another component, operation and table before those there were, so that every place in the program is another; a new
/// field of the table that is written, and a key and a rule of a table that no step needs.
fn with_more(document: &str) -> String {
    let changes = [
        (
            "### Payment provider",
            "### Mail provider\n\n**Purpose:** Sends mails; it belongs to somebody else.\n\n**Upstream:** `https://mail.example.com`\n\n### Payment provider",
        ),
        (
            "#### Operation: `place_order`",
            "#### Operation: `list_goods` — `GET /goods`\n\n**Input:** None\n\n**Output:** a list of `good`\n\n**Behavior:**\n1. Anyone may call this.\n2. Lists the `good` as `goods`.\n3. Counts `looked`.\n4. Returns the `goods`.\n\n#### Operation: `place_order`",
        ),
        (
            "### Entity: `order`",
            "### Entity: `good`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\n### Entity: `order`",
        ),
        (
            "- `by` (string) | how far it is | required",
            "- `by` (string) | how far it is | required\n- `note` (string) | a remark | optional\n- `kind` (string) | which | required, default \"plain\"",
        ),
        ("where to | required", "where to | required, unique, max 100 chars"),
        ("- `charged`: counter", "- `looked`: counter of looks\n- `charged`: counter"),
    ];
    changes.iter().fold(document.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// A place with a document, another side that does not answer its first request, and where the rows are.
struct Scene {
    place: Place,
    requests: Receiver<String>,
    options: Vec<String>,
}

/// One on each database.
fn scenes(document: &str) -> Vec<Scene> {
    let rows = database().url_of("postgres", &database().make_database());
    let scene = |more: &[&str]| {
        let (address, requests) = upstream(1);
        let reached = format!("Payment provider=http://{address}");
        let options = ["--upstream", &reached].iter().chain(more).map(|text| (*text).to_owned()).collect();
        Scene { place: Place::with(document), requests, options }
    };
    vec![scene(&[]), scene(&["--database", &rows])]
}

impl Scene {
    fn start(&self) -> Server {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        Server::start(&self.place.document, &self.place.data, &options)
    }

    fn rewrite(&self, document: &str) {
        std::fs::write(&self.place.document, document).expect("writable");
    }

    fn request(&self) -> String {
        self.requests.recv_timeout(Duration::from_secs(60)).expect("a request")
    }

    /// The texts of all entries, once there are so many.
    fn entries(&self, server: &Server, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let entries = server.call("", "GET", "/entries", None).json();
            let entries = entries.as_array().expect("a list");
            if entries.len() >= count {
                return entries
                    .iter()
                    .map(|entry| entry["text"].as_str().unwrap_or_default().into())
                    .collect();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{entries:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the process while the other side has the request of a caller with a key.
    fn kill_in_call(&self) -> String {
        let server = self.start();
        let public = server.public.clone();
        let asking = std::thread::spawn(move || place(&public, "k").is_none());
        let first = self.request();
        server.kill();
        assert!(asking.join().expect("no panic"), "nobody was answered");
        first
    }
}

/// Places an order under a key; nothing when nobody answers.
fn place(public: &str, key: &str) -> Option<(u16, Value)> {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    let answer = crate::http::send(public, "POST", "/orders", &headers, Some(br#"{"amount": 25}"#)).ok()?;
    Some((answer.status, answer.json()))
}

fn key(request: &str) -> String {
    let found = request.lines().find(|line| line.to_lowercase().starts_with("idempotency-key: "));
    found.unwrap_or_else(|| panic!("no key in {request}")).to_owned()
}

#[test]
fn an_operation_goes_on_under_the_document_that_began_it() {
    for scene in scenes(&release("first", "")) {
        let first = scene.kill_in_call();
        scene.rewrite(&with_more(&release("second", "")));
        let server = scene.start();
        let second = scene.request();
        assert_eq!(key(&first), key(&second));
        assert_eq!(first.lines().last(), second.lines().last(), "the same body");
        let (status, order) = place(&server.public, "k").expect("an answer");
        assert_eq!((status, &order["by"]), (201, &json!("ended first")), "{order}");
        assert_eq!(order.get("kind"), None, "it leaves as its release says: {order}");
        assert_eq!(scene.entries(&server, 1), ["charged first"]);
        // What begins now begins under the present one.
        let (status, order) = place(&server.public, "l").expect("an answer");
        assert_eq!((status, &order["by"], &order["kind"]), (201, &json!("ended second"), &json!("plain")));
        assert_eq!(scene.entries(&server, 2), ["charged first", "charged second"]);
        let ended = server.stop();
        assert_eq!(ended.code, 0, "{}", ended.errors);
        assert!(!ended.errors.contains("operation_"), "{}", ended.errors);
        // Once for each start of the first, once for the second order.
        scene.request();
        assert!(scene.requests.try_recv().is_err());
    }
}

#[test]
fn a_standing_step_goes_on_under_the_document_that_began_it() {
    let standing = "- At start-up:\n  1. Creates a `entry` with `text = \"began BY\"`.\n  2. Commits.\n  3. Calls `POST /v1/opened` of `Payment provider` with `shop = 1`, or fails with `502 not_told`.\n  4. Creates a `entry` with `text = \"ended BY\"`.";
    for scene in scenes(&release("first", standing)) {
        let server = scene.start();
        let first = scene.request();
        assert_eq!(scene.entries(&server, 1), ["began first"]);
        server.kill();
        scene.rewrite(&with_more(&release("second", standing)));
        let server = scene.start();
        assert_eq!(key(&first), key(&scene.request()), "what was begun comes first");
        assert_ne!(key(&first), key(&scene.request()));
        let entries = scene.entries(&server, 4);
        assert_eq!(entries, ["began first", "began second", "ended first", "ended second"]);
        let ended = server.stop();
        assert!(!ended.errors.contains("operation_"), "{}", ended.errors);
    }
}

#[test]
fn a_handler_goes_on_under_the_document_that_began_it_also_when_the_next_one_has_none() {
    let handler = "- When a `entry` is created:\n  1. Calls `POST /v1/mails` of `Payment provider` with `entry = entry.text`, or fails with `502 not_mailed`.\n  2. Creates a `order` with `amount = 1`, `by = \"mailed BY\"`.";
    let told = "#### Operation: `tell` — `POST /tell`\n\n**Input:**\n- `text` (string) | what | required\n\n**Output:** nothing\n\n**Behavior:**\n1. Anyone may call this.\n2. Creates a `entry` with `text = input.text`.\n\n#### Operation: `list_orders` — `GET /orders`\n\n**Input:** None\n\n**Output:** a list of `order`\n\n**Behavior:**\n1. Anyone may call this.\n2. Lists the `order` as `orders`.\n3. Returns the `orders`.\n\n#### Operation: `place_order`";
    let with_tell = |text: String| text.replace("#### Operation: `place_order`", told);
    // Another one of one part in its place, and none of that name.
    let short =
        "- When a `entry` is created:\n  1. Creates a `order` with `amount = 1`, `by = \"mailed BY\"`.";
    let other = "- When a `customer` is created:\n  1. Creates a `entry` with `text = \"greeted BY\"`.";
    for next in [handler, short, other] {
        for scene in scenes(&with_tell(release("first", handler))) {
            let server = scene.start();
            let body = json!({ "text": "hello" });
            assert_eq!(server.call("", "POST", "/tell", Some(body)).status, 204);
            let first = scene.request();
            server.kill();
            scene.rewrite(&with_more(&with_tell(release("second", next))));
            let server = scene.start();
            assert_eq!(key(&first), key(&scene.request()), "{next}");
            let began = Instant::now();
            let orders = loop {
                let orders = server.call("", "GET", "/orders", None).json();
                if orders.as_array().is_some_and(|orders| !orders.is_empty()) {
                    break orders;
                }
                assert!(began.elapsed() < Duration::from_secs(60), "{next}");
                std::thread::sleep(Duration::from_millis(20));
            };
            assert_eq!(
                (orders.as_array().map(Vec::len), &orders[0]["by"]),
                (Some(1), &json!("mailed first"))
            );
            assert_eq!(server.stop().code, 0);
            assert!(scene.requests.try_recv().is_err(), "{next}");
        }
    }
}

#[test]
fn what_the_next_document_forbids_is_left_and_named_until_the_first_one_ends_it() {
    let first = release("first", "");
    let changes = [
        (
            first.replace("how far it is | required", "how far it is | required, max 20 chars"),
            "`order.by` has changed",
        ),
        (
            first.replace("generated\n- `amount` (integer)", "generated\n- `amount` (decimal(12,2))"),
            "`order.amount` has changed",
        ),
    ];
    for (changed, cause) in changes {
        for scene in scenes(&first) {
            let began = scene.kill_in_call();
            scene.rewrite(&changed);
            let server = scene.start();
            assert_eq!(place(&server.public, "l").map(|(status, _)| status), Some(201), "{cause}");
            assert_ne!(key(&began), key(&scene.request()), "the one that is new alone is sent");
            // A repeat of the first does not begin it anew.
            assert_eq!(place(&server.public, "k").map(|(status, _)| status), Some(503), "{cause}");
            assert_eq!(scene.entries(&server, 1), ["charged first"]);
            let ended = server.stop();
            let line = ended.errors.lines().find(|line| line.contains("operation_left"));
            let line = line.unwrap_or_else(|| panic!("{}", ended.errors));
            assert!(line.contains("place_order") && line.contains(cause), "{line}");
            assert!(scene.requests.try_recv().is_err());
        }
    }
}

#[test]
fn a_document_without_the_rule_that_forbade_it_carries_it_on() {
    let first = release("first", "");
    for scene in scenes(&first) {
        let began = scene.kill_in_call();
        scene.rewrite(&first.replace("how far it is | required", "how far it is | required, max 20 chars"));
        assert!(scene.start().stop().errors.contains("operation_left"));
        scene.rewrite(&with_more(&release("second", "")));
        let server = scene.start();
        assert_eq!(key(&began), key(&scene.request()));
        assert_eq!(scene.entries(&server, 1), ["charged first"]);
        assert_eq!(server.stop().code, 0);
    }
}
