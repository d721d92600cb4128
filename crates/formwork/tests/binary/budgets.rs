//! Money that is kept back when the process is killed is charged or given back by the next one, and `formwork budget`
//! shows it, whether a server runs or not.

use crate::parts::upstream;
use crate::process::{Ended, Place, Server, formwork};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DOCUMENT: &str = "# Gateway – Technical Architecture

## 3) Core Components

### Provider (external)

**Upstream:** `https://provider.example.com`

## 4) Primary Interface/API

#### Operation: `complete` — `POST /complete`

**Input:**
- `team` (string) | who pays | required
- `max_tokens` (integer) | how long the answer may be | required, 1 to 100000

**Output:** an object

**Behavior:**
1. Anyone may call this.
2. Calls `POST /v1/complete` of `Provider` with `max_tokens = input.max_tokens` as `reply`, or fails with `502 provider_failed`.
3. Returns `{\"max\": input.max_tokens}`.

## 9) Security, Governance, Cost Controls

### Cost Controls
- each `complete` costs `output.max * 0.0005` USD, at most `input.max_tokens * 0.001` USD
- budget 1 USD per `team` in total
";

fn listed(place: &Place) -> Vec<Value> {
    let document = place.document.to_str().expect("UTF-8");
    let Ended { code, output, errors } =
        formwork(&["budget", "list", document, "--data", place.data_text(), "--format", "json"]);
    assert_eq!(code, 0, "{errors}");
    let shown: Value = serde_json::from_str(&output).expect("JSON");
    shown["budgets"].as_array().expect("a list").clone()
}

#[test]
fn money_that_is_kept_back_when_the_process_is_killed_is_settled_by_the_next_one() {
    let place = Place::with(DOCUMENT);
    let (address, requests) = upstream(1);
    let option = format!("Provider=http://{address}");
    let start = || Server::start(&place.document, &place.data, &["--upstream", &option]);

    let server = start();
    let public = server.public.clone();
    let asking = std::thread::spawn(move || {
        let headers = [("content-type", "application/json")];
        let body = br#"{"team": "search", "max_tokens": 900}"#;
        crate::http::send(&public, "POST", "/complete", &headers, Some(body)).is_err()
    });
    requests.recv_timeout(Duration::from_secs(60)).expect("a request");
    let running = listed(&place);
    assert_eq!((&running[0]["reserved"], &running[0]["spent"]), (&json!("0.9"), &json!("0")));
    server.kill();
    assert!(asking.join().expect("no panic"), "nobody was answered");

    let killed = listed(&place);
    assert_eq!(killed, running, "what was kept back is on disk");
    let server = start();
    requests.recv_timeout(Duration::from_secs(60)).expect("the same request");
    let began = Instant::now();
    while listed(&place)[0]["reserved"] != "0" {
        assert!(began.elapsed() < Duration::from_secs(60), "never settled");
        std::thread::yield_now();
    }
    let line = &listed(&place)[0];
    let amounts = ["key", "spent", "left", "limit"].map(|name| line[name].clone());
    assert_eq!(amounts, ["search", "0.45", "0.55", "1"].map(Value::from));
    let ended = server.stop();
    assert_eq!(ended.code, 0, "{}", ended.errors);

    let document = place.document.to_str().expect("UTF-8");
    let show = |budget: &str| formwork(&["budget", "show", document, budget, "--data", place.data_text()]);
    let shown = show("USD per team in total");
    assert_eq!(shown.code, 0, "{}", shown.errors);
    assert!(shown.output.contains("search") && shown.output.contains("0.45"), "{}", shown.output);
    let missing = show("EUR per team");
    assert_eq!((missing.code, missing.output.as_str()), (2, ""), "{}", missing.errors);
}
