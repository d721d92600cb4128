//! A document in prose: what its other facts determine runs, everything else is mocked, nothing is left unanswered.

use crate::client::{Ask, Received};
use crate::system::{System, shared_snapshots};
use formwork_check::{Analysis, analyse};
use formwork_server::{Limits, curl_line, mode_table};
use serde_json::json;
use std::sync::LazyLock;

static PARCELS: LazyLock<Analysis> =
    LazyLock::new(|| analyse(include_str!("../documents/parcels.md").into()));

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

struct Counter {
    system: System,
    key: String,
}

impl Counter {
    async fn open() -> Self {
        let system = System::start(&PARCELS, Limits::default()).await;
        let key = system.first_key("clerk");
        Self { system, key }
    }

    fn ask(&self, line: &str) -> Ask {
        self.system.public(line).key(&self.key)
    }

    async fn get(&self, path: &str) -> Received {
        self.ask(&format!("GET {path}")).send().await
    }
}

fn is_mocked(answer: &Received) -> bool {
    answer.header("x-formwork-mode").as_deref() == Some("mocked")
}

#[tokio::test]
async fn the_table_says_each_operations_mode_and_why() {
    let _shared = shared_snapshots();
    let rows = mode_table(&PARCELS);
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{} | {} | {}", row.name, row.mode, row.why)).collect();
    insta::assert_snapshot!("modes", lines.join("\n"));
}

#[tokio::test]
async fn inferred_operations_keep_what_they_are_given() {
    let counter = Counter::open().await;
    let parcel = json!({"addressee": "Ada", "grams": 120});
    let made = counter.ask("POST /parcels").json(&parcel.to_string()).send().await;
    assert_eq!((made.status, is_mocked(&made)), (201, false), "{made:?}");
    let id = made.json()["parcel_id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), Some(format!("/parcels/{id}")));
    assert_eq!(counter.get(&format!("/parcels/{id}")).await.json()["addressee"], "Ada");
    assert_eq!(counter.get(&format!("/parcels/{ID}")).await.outcome(), "404 no_such_parcel");
    assert_eq!(counter.get("/parcels?addressee=Ada").await.json()["items"][0]["grams"], 120);
    assert_eq!(counter.get("/parcels?addressee=Bob").await.json()["items"], json!([]));
    let refused = counter.ask("POST /parcels").json(r#"{"addressee":"Ada","grams":0}"#).send().await;
    assert_eq!(refused.outcome(), "422 invalid");
}

#[tokio::test]
async fn no_mode_opens_what_no_rule_makes_public() {
    let counter = Counter::open().await;
    for line in ["GET /parcels", "GET /overdue", "POST /parcels", "POST /scans", "GET /track/x"] {
        assert_eq!(counter.system.public(line).send().await.outcome(), "401 unauthenticated", "{line}");
    }
    let guest = counter.system.key("guest", "gus").await;
    assert_eq!(counter.system.public("GET /overdue").key(&guest).send().await.outcome(), "403 forbidden");
    assert_eq!(counter.system.public("GET /parcels").key(&guest).send().await.outcome(), "403 forbidden");
}

#[tokio::test]
async fn a_mocked_answer_is_stable_fits_and_sends_back_what_was_sent() {
    let counter = Counter::open().await;
    let line = format!("POST /parcels/{ID}/reroute");
    let reroute = || async { counter.ask(&line).json(r#"{"addressee":"Grace"}"#).send().await };
    let (first, second) = (reroute().await, reroute().await);
    assert!(is_mocked(&first), "{first:?}");
    assert_eq!((first.status, &first.body), (200, &second.body));
    let parcel = first.json();
    assert_eq!((&parcel["parcel_id"], &parcel["addressee"]), (&json!(ID), &json!("Grace")));
    assert!((1..=30_000).contains(&parcel["grams"].as_i64().expect("a weight")), "{parcel}");
    assert!(["small", "large"].contains(&parcel["size"].as_str().expect("a size")), "{parcel}");
    assert!(parcel["received_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{parcel}");
    assert!(parcel.get("pin").is_none(), "what is secret is never answered: {parcel}");

    let price = counter.get("/prices/DE?grams=50").await;
    assert_eq!(price.status, 200, "{price:?}");
    let price = price.json();
    assert_eq!(price["country"], "DE");
    assert!(price["price"].as_str().is_some_and(|price| price.len() >= 4 && price.contains('.')), "{price}");
    assert!(price["offers"][0]["express"].is_boolean(), "{price}");
    let overdue = counter.get("/overdue").await.json();
    let ids: Vec<&str> =
        overdue.as_array().expect("a list").iter().filter_map(|one| one["parcel_id"].as_str()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[tokio::test]
async fn a_mocked_answer_follows_the_example_of_the_output() {
    let counter = Counter::open().await;
    let track = counter.get("/track/AB12").await.json();
    assert_eq!(track["code"], "AB12");
    assert!(["moving", "waiting"].contains(&track["state"].as_str().expect("a state")), "{track}");
    assert_eq!(track["stops"][0]["town"], "Ulm");
    let members: Vec<&String> = track.as_object().expect("an object").keys().collect();
    assert_eq!(members.len(), 4);
    let dropped = counter.ask(&format!("DELETE /parcels/{ID}/hold")).send().await;
    assert_eq!((dropped.status, &*dropped.body, is_mocked(&dropped)), (204, "", true));
    // Nothing is known of what goes in or comes out: anything is taken.
    let scanned = counter.ask("POST /scans").json(r#"{"label":"x","angle":3}"#).send().await;
    assert_eq!((scanned.status, is_mocked(&scanned)), (200, true), "{scanned:?}");
}

#[tokio::test]
async fn input_is_validated_and_demands_hold_before_a_mock_answers() {
    let counter = Counter::open().await;
    assert_eq!(counter.get("/prices/germany?grams=50").await.outcome(), "422 invalid");
    let unknown =
        counter.ask(&format!("POST /parcels/{ID}/reroute")).json(r#"{"adressee":"x"}"#).send().await;
    assert_eq!(unknown.outcome(), "422 invalid");
    assert_eq!(counter.ask("POST /guarded").json(r#"{"grams":100}"#).send().await.outcome(), "403 too_heavy");
    let allowed = counter.ask("POST /guarded").json(r#"{"grams":99}"#).send().await;
    assert_eq!((allowed.status, &allowed.json()["grams"]), (200, &json!(99)), "{allowed:?}");
}

#[tokio::test]
async fn every_curl_line_of_a_natural_document_is_answered() {
    let counter = Counter::open().await;
    let program = &PARCELS.compiled.program;
    let address = counter.system.running.addresses().public;
    for operation in &program.operations {
        let line = curl_line(program, operation, address);
        let path = line.split(&format!("http://{address}")).nth(1).and_then(|rest| rest.split('\'').next());
        let ask = counter.ask(&format!("{} {}", operation.method, path.expect("a path")));
        let body = line.split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\''));
        let answer = match body {
            Some(body) => ask.json(body).send().await,
            None => ask.send().await,
        };
        let absent = answer.status == 404 && !is_mocked(&answer);
        assert!((200..300).contains(&answer.status) || absent, "{line}\n{answer:?}");
    }
}
