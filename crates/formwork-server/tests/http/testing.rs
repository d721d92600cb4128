//! What flows ask of the admin listener besides the clock: rows put in place, sums, metrics and faults.

use crate::system::System;
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;

#[tokio::test]
async fn rows_are_put_in_place_all_or_none_by_the_rules_of_the_document() {
    let system = System::shortlink().await;
    let put = async |rows: &str| {
        let body = format!(r#"{{"entity":"link","rows":[{rows}]}}"#);
        system.admin("POST /rows").json(&body).send().await
    };
    let row = |slug: &str| format!(r#"{{"slug":"{slug}","url":"https://example.com/","owner_id":"ann"}}"#);
    let made = put(&format!("{},{}", row("one"), row("two"))).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["rows"][1]["slug"], "two");
    assert_eq!(made["rows"][1]["visit_count"], 0, "defaults are taken");
    assert_eq!(made["rows"][0]["created_at"], "2030-01-01T00:00:00Z");
    assert_eq!(put(&format!("{},{}", row("three"), row("one"))).await.outcome(), "409 conflict");
    let wrong = put(r#"{"slug":"four","url":"no address","owner_id":"ann"}"#).await;
    assert_eq!(wrong.outcome(), "422 invalid");
    assert_eq!(wrong.json()["errors"][0]["pointer"], "#/0/url");
    assert_eq!(put(r#"{"sluug":"four"}"#).await.json()["errors"][0]["pointer"], "#/0/sluug");
    assert_eq!(put(r#"{"slug":"four"}"#).await.outcome(), "422 invalid");
    assert_eq!(system.count(r#"{"entity":"link"}"#).await, 2, "nothing of what was refused is there");
    for bad in [r#"{"entity":"nothing","rows":[]}"#, r#"{"rows":[]}"#, "[]", r#"{"entity":"link","rows":1}"#]
    {
        assert_eq!(system.admin("POST /rows").json(bad).send().await.outcome(), "422 invalid", "{bad}");
    }
    system.stop().await;
}

#[tokio::test]
async fn sums_and_metrics_are_told() {
    let system = System::start(&library(), Limits::default()).await;
    let rows = r#"{"entity":"book","rows":[{"id":1,"price":"1.50"},{"id":2,"price":"2.25"}]}"#;
    assert_eq!(system.admin("POST /rows").json(rows).send().await.status, 201);
    let sum = async |question: &str| system.admin("POST /probe/sum").json(question).send().await;
    let all = sum(r#"{"entity":"book","field":"price"}"#).await;
    assert_eq!(all.json()["sum"], "3.75", "a decimal is exact");
    let some = sum(r#"{"entity":"book","field":"id","where":"price > p","variables":{"p":"2.00"}}"#).await;
    assert_eq!(some.json()["sum"], 2);
    assert_eq!(sum(r#"{"entity":"book","field":"price","where":"id > 9"}"#).await.json()["sum"], "0.00");
    assert_eq!(sum(r#"{"entity":"book","field":"prize"}"#).await.outcome(), "422 invalid");
    assert_eq!(system.public("GET /books/1").send().await.status, 200);
    let metric = system.admin("GET /probe/metric?name=looks").send().await;
    assert_eq!(metric.json()["value"].as_f64(), Some(1.0));
    assert_eq!(system.admin("GET /probe/metric?name=leaks").send().await.outcome(), "404 not_found");
    system.stop().await;
}

#[tokio::test]
async fn a_component_fails_by_what_it_is_and_works_again() {
    let system = System::start(&library(), Limits::default()).await;
    let fault = async |body: &str| system.admin("POST /faults").json(body).send().await;
    let rows = r#"{"entity":"book","rows":[{"id":1,"price":"1.50"}]}"#;
    system.admin("POST /rows").json(rows).send().await;

    assert_eq!(fault(r#"{"component":"Book store","available":false}"#).await.status, 204);
    assert_eq!(system.public("GET /books/1").send().await.status, 503);
    assert_eq!(fault(r#"{"component":"Book store","available":true}"#).await.status, 204);
    assert_eq!(system.public("GET /books/1").send().await.status, 200);

    assert_eq!(fault(r#"{"component":"Shelf","answers":418,"body":{"why":"tea"}}"#).await.status, 204);
    let answer = system.internal("GET /internal/books").send().await;
    assert_eq!((answer.status, answer.json()["why"].as_str()), (418, Some("tea")));
    assert_eq!(fault(r#"{"component":"Shelf","slow":"2s"}"#).await.status, 204);
    let answer = system.internal("GET /internal/books").send().await;
    assert_eq!((answer.status, answer.header("formwork-test-after").as_deref()), (200, Some("2s")));
    assert_eq!(fault(r#"{"component":"Shelf","available":true}"#).await.status, 204);
    assert_eq!(system.internal("GET /internal/books").send().await.status, 200);

    assert_eq!(fault(r#"{"component":"Sweeper","available":false}"#).await.status, 204);
    system.admin("POST /clock").json(r#"{"advance":"3h"}"#).send().await;
    assert_eq!(system.count(r#"{"entity":"sweep"}"#).await, 0);
    fault(r#"{"component":"Sweeper","available":true}"#).await;
    system.admin("POST /clock").json(r#"{"advance":"0s"}"#).send().await;
    assert_eq!(system.count(r#"{"entity":"sweep"}"#).await, 1, "missed runs collapse into one");

    assert_eq!(fault(r#"{"component":"Reader","available":false}"#).await.outcome(), "404 not_found");
    assert_eq!(fault(r#"{"component":"Book store","slow":"2s"}"#).await.outcome(), "422 invalid");
    assert_eq!(fault(r#"{"component":"Shelf"}"#).await.outcome(), "422 invalid");
    system.stop().await;
}

/// A document with a database, an endpoint, a standing step and a metric.
fn library() -> Analysis {
    let text = "\
## 3) Core Components

### Sweeper

**Purpose:** Notes that it has swept.

**Responsibilities:**
- Every `1 h`:
  1. Creates a `sweep`.

### Shelf

**Purpose:** Lists what is there.

**Technology/Implementation:** Formwork engine

### Reader

**Purpose:** Reads.

### Book store

**Purpose:** Keeps the rows.

**Technology/Implementation:** SQLite

## 4) Primary Interface/API

#### Operation: `get_book` — `GET /books/{id}`

**Input:**
- `id` (integer) | which | required

**Output:** the `book`

**Behavior:**
1. Anyone may call this.
2. Finds the `book` where `id == input.id`, or fails with `404 book_not_found`.
3. Counts `looks`.

## 5) Internal Service APIs

### Shelf

#### API Endpoint: `GET /internal/books`

**Request:** None

**Response:** a list of `book`

**Behavior:**
1. Lists the `book`.

## 6) Data Model

### Entity: `book`

**Fields:**
- `id` (integer) | which | primary key
- `price` (decimal(12,2)) | what it costs | required

### Entity: `sweep`

**Fields:**
- `id` (uuid) | which | primary key, generated

## 10) Observability

### Metrics
- `looks`: counter of books looked at
";
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
}
