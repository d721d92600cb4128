//! Handlers and repeated requests of the real binary, killed while it works: every effect is there exactly once.

use crate::data_folder::database;
use crate::http;
use crate::process::{Place, Server};
use formwork_temporary_postgres::server as postgres;
use rusqlite::Connection;
use serde_json::json;
use std::time::{Duration, Instant};

const DOCUMENT: &str = "# Orders – Technical Architecture

## 3) Core Components

### Mailer

**Purpose:** Writes a mail for every order.

**Responsibilities:**
- When `order.made` is emitted:
  1. Creates a `mail` with `number = event.data.number`.
- When a `mail` is created:
  1. Finds the `tally` where `id == \"mails\"`, or creates it with `count = 0`.
  2. Updates the `tally` with `count = tally.count + 1`.

## 4) Primary Interface/API

#### Operation: `order` — `POST /orders`

**Input:**
- `number` (integer) | which | required

**Output:** `201` with the `order`

**Behavior:**
1. Anyone may call this.
2. Creates an `order` from the input.
3. Emits `order.made`.

#### Operation: `totals` — `GET /totals`

**Input:** None

**Output:** how many there are

**Behavior:**
1. Anyone may call this.
2. Lets `orders` be the number of `order`.
3. Lets `mails` be the number of `mail`.
4. Lets `sum` be the sum of `order.number`.
5. Lets `mailed` be the sum of `mail.number`.
6. Finds the `tally` where `id == \"mails\"`, or fails with `404 no_mails`.
7. Returns `{\"orders\": orders, \"mails\": mails, \"sum\": sum, \"mailed\": mailed, \"tally\": tally.count}`.

## 6) Data Model

### Entity: `order`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `number` (integer) | which | required

### Entity: `mail`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `number` (integer) | of which order | required

### Entity: `tally`

**Fields:**
- `id` (string) | of what | primary key
- `count` (integer) | how many | required

## 10) Observability

### Events
- `order.made`: when an order is made; data `number`
";

const ROUNDS: u64 = 12;

#[test]
fn every_effect_is_there_once_however_often_the_process_is_killed() {
    let place = Place::with(DOCUMENT);
    let number = killed_again_and_again(&place, &[]);
    let connection = Connection::open(database(&place)).expect("opens after a kill");
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    for table in ["order", "mail"] {
        assert_eq!(one(&format!(r#"SELECT count(*) FROM "{table}""#)), number, "{table}");
        assert_eq!(one(&format!(r#"SELECT count(DISTINCT "number") FROM "{table}""#)), number, "{table}");
    }
    assert_eq!(one(r#"SELECT "count" FROM "tally""#), number);
}

#[test]
fn every_effect_is_there_once_on_postgresql_too() {
    let place = Place::with(DOCUMENT);
    let address = postgres().url_of("postgres", &postgres().make_database());
    let more = ["--database", address.as_str()];
    let number = killed_again_and_again(&place, &more);
    let server = Server::start(&place.document, &place.data, &more);
    let counted = http::send(&server.public, "GET", "/totals", &[], None).expect("an answer").json();
    let sum = number * (number - 1) / 2;
    assert_eq!(
        counted,
        json!({"orders": number, "mails": number, "sum": sum, "mailed": sum, "tally": number})
    );
}

/// Sends orders while the process is killed, and waits until every handler has been told; gives how many were made.
fn killed_again_and_again(place: &Place, more: &[&str]) -> i64 {
    let start = || Server::start(&place.document, &place.data, more);
    let (mut number, mut acknowledged) = (0, Vec::new());
    for round in 0..ROUNDS {
        let server = start();
        let until = Instant::now() + Duration::from_millis(20 + 17 * round);
        // The request that got no answer is repeated with its key after the kill.
        while Instant::now() < until {
            if !order(&server, number) {
                break;
            }
            acknowledged.push(number);
            number += 1;
        }
        // Another is on its way when the process dies: it is repeated in the next round, whatever became of it.
        let address = server.public.clone();
        let last = std::thread::spawn(move || send(&address, number));
        server.kill();
        let _ = last.join().expect("no panic");
    }
    let server = start();
    assert!(order(&server, number));
    number += 1;
    assert!(number > ROUNDS as i64, "the load was too light to prove anything: {number} orders");
    let left = || {
        let bearer = format!("Bearer {}", server.admin_key);
        let headers = [("Authorization", bearer.as_str())];
        let answer = http::send(&server.admin, "GET", "/deliveries", &headers, None).expect("an answer");
        answer.json()["deliveries"].as_array().expect("a list").len()
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while left() > 0 {
        assert!(Instant::now() < patience, "{} deliveries are left", left());
        std::thread::yield_now();
    }
    server.kill();
    number
}

/// Whether the order was answered; what is answered was made, now or before.
fn order(server: &Server, number: i64) -> bool {
    match send(&server.public, number) {
        Ok(answer) => {
            assert_eq!(answer.status, 201, "{answer:?}");
            assert_eq!(answer.json()["number"], number);
            true
        }
        Err(_) => false,
    }
}

fn send(address: &str, number: i64) -> std::io::Result<http::Answer> {
    let key = format!("order-{number}");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    http::send(address, "POST", "/orders", &headers, Some(json!({"number": number}).to_string().as_bytes()))
}
