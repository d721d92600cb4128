//! Standing steps of the real binary, killed while they work: a run goes on where it was left, nothing of it twice.

use crate::data_folder::database;
use crate::http;
use crate::process::{Place, Server};
use rusqlite::Connection;
use serde_json::json;
use std::time::Duration;

/// Batches of a thousand, and elements; both do what must not be done twice.
const DOCUMENT: &str = "# Cells – Technical Architecture

## 3) Core Components

### Counter

**Purpose:** Counts everything, again and again.

**Responsibilities:**
- Every `100 ms`:
  1. Updates every `cell` with `n = n + 1`.
  2. Creates a `run`.
- Every `100 ms`:
  1. For each `x` in `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]`, each in its own transaction:
     1. Creates a `mark` with `x = x`.

## 4) Primary Interface/API

#### Operation: `fill` — `POST /fill`

**Input:**
- `numbers` (integer[]) | which | required

**Output:** nothing

**Behavior:**
1. Anyone may call this.
2. Creates a `cell` for each `x` in `input.numbers` with `number = x`.

## 6) Data Model

### Entity: `cell`

**Fields:**
- `number` (integer) | which | primary key
- `n` (integer) | how often it was counted | required, default 0

### Entity: `run`

**Fields:**
- `id` (uuid) | identity | primary key, generated

### Entity: `mark`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `x` (integer) | which | required
";

const CELLS: i64 = 5_000;
const ROUNDS: u64 = 16;

#[test]
fn a_run_that_was_killed_goes_on_where_it_was_left() {
    let place = Place::with(DOCUMENT);
    let server = place.start();
    // All in one transaction, so that no run sees a part of them.
    let numbers: Vec<i64> = (0..CELLS).collect();
    let body = json!({ "numbers": numbers }).to_string();
    let headers = [("Content-Type", "application/json")];
    let filled =
        http::send(&server.public, "POST", "/fill", &headers, Some(body.as_bytes())).expect("an answer");
    assert_eq!(filled.status, 204, "{filled:?}");
    server.kill();
    let connection = Connection::open(database(&place)).expect("opens after a kill");
    let idle_runs = total(&connection, r#"SELECT count(*) FROM "run""#);
    drop(connection);
    let (mut left, mut counted) = (0, 0);
    for round in 0..ROUNDS {
        let server = Server::start(&place.document, &place.data, &[]);
        std::thread::sleep(Duration::from_millis(60 + 23 * round));
        server.kill();
        let connection = Connection::open(database(&place)).expect("opens after a kill");
        let runs = total(&connection, r#"SELECT count(*) FROM "run""#);
        let (least, most, steps): (i64, i64, i64) = connection
            .query_row(
                r#"SELECT min("n"), max("n"),
                    (SELECT count(*) FROM "cell" AS a, "cell" AS b WHERE b."number" = a."number" + 1 AND b."n" <> a."n")
                    FROM "cell""#,
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("a row");
        let unfinished = total(&connection, r#"SELECT count(*) FROM "_operations""#);
        // The runs before there were cells counted nothing; one that is left may have come behind its last batch.
        let ahead = i64::from(unfinished > 0);
        assert!((-ahead..=idle_runs).contains(&(runs - least)), "{least} of {runs} runs");
        assert!(most - least <= 1, "a batch was counted twice: {least} to {most}");
        assert!(steps <= 1, "the batches went on somewhere else");
        let marks: Vec<i64> = (1..=20)
            .map(|x| total(&connection, &format!(r#"SELECT count(*) FROM "mark" WHERE "x" = {x}"#)))
            .collect();
        assert!(marks.is_sorted_by(|a, b| a >= b) && marks[0] - marks[19] <= 1, "{marks:?}");
        left += unfinished;
        counted = least;
    }
    assert!(left > 0 && counted > 1, "no run was killed in the middle: {left} left, {counted} counted");
}

fn total(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}
