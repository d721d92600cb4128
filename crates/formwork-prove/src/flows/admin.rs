//! The control plane's calls that flows need. Source: interfaces, *HTTP*, and the server's `routes/`.

use super::problems;
use crate::client::{self, Answer, Connection, Request, percent_encode};
use formwork_language::value::text::{format_duration, parse_timestamp};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long moving the clock may take: everything that is due on the way runs, which may be months of work.
const PATIENCE_WITH_THE_CLOCK: Duration = Duration::from_secs(600);

/// The control plane of one system.
#[derive(Clone)]
pub(crate) struct Admin {
    address: SocketAddr,
    key: String,
}

impl Admin {
    /// The control plane at an address.
    pub(crate) const fn new(address: SocketAddr, key: String) -> Self {
        Self { address, key }
    }

    /// Makes a key for a caller.
    pub(crate) async fn create_key(
        &self,
        role: &str,
        id: &str,
        scopes: &[Arc<str>],
        claims: Json,
    ) -> Result<String, String> {
        let mut wanted = json!({"roles": [role], "id": id});
        if !scopes.is_empty() {
            wanted["scopes"] = scopes.iter().map(|scope| Json::from(&**scope)).collect();
        }
        if claims.as_object().is_some_and(|claims| !claims.is_empty()) {
            wanted["claims"] = claims;
        }
        let made = self.call("POST", "/keys", Some(wanted)).await?;
        made["key"].as_str().map(str::to_owned).ok_or_else(|| format!("no key in {made}"))
    }

    /// Moves the clock on by microseconds and gives the present time, when all work due by then has run.
    pub(crate) async fn advance(&self, micros: i64) -> Result<i64, String> {
        let body = Some(json!({"advance": format_duration(micros)}));
        let moved = self.call_within(PATIENCE_WITH_THE_CLOCK, "POST", "/clock", body).await?;
        moved["now"].as_str().and_then(parse_timestamp).ok_or_else(|| format!("no time in {moved}"))
    }

    /// How many rows fit a condition.
    pub(super) async fn count(
        &self,
        entity: &str,
        filter: Option<&str>,
        variables: Json,
    ) -> Result<u64, String> {
        let body = json!({"entity": entity, "where": filter, "variables": variables});
        let counted = self.call("POST", "/probe/count", Some(body)).await?;
        counted["count"].as_u64().ok_or_else(|| format!("no count in {counted}"))
    }

    /// The sum of a field over the rows that fit a condition, as JSON: a number, or a decimal as text.
    pub(super) async fn sum(
        &self,
        (entity, field): (&str, &str),
        filter: Option<&str>,
        variables: Json,
    ) -> Result<Json, String> {
        let body = json!({"entity": entity, "field": field, "where": filter, "variables": variables});
        let mut found = self.call("POST", "/probe/sum", Some(body)).await?;
        Ok(found["sum"].take())
    }

    /// The value of a metric that steps fill: a counter's total, or how often a histogram was filled.
    pub(super) async fn metric(&self, name: &str) -> Result<Json, String> {
        let path = format!("/probe/metric?name={}", percent_encode(name));
        let mut found = self.call("GET", &path, None).await?;
        Ok(found["value"].take())
    }

    /// Puts rows in place by the rules of the document, all or none; gives them as they are.
    pub(crate) async fn put(&self, entity: &str, rows: Vec<Json>) -> Result<Vec<Json>, String> {
        let mut made = self.call("POST", "/rows", Some(json!({"entity": entity, "rows": rows}))).await?;
        match made["rows"].take() {
            Json::Array(rows) => Ok(rows),
            other => Err(format!("no rows in {other}")),
        }
    }

    /// Every invariant that does not hold, over all rows: a sentence each.
    pub(super) async fn broken_invariants(&self) -> Result<Vec<String>, String> {
        let found = self.call("GET", "/invariants", None).await?;
        let broken = found["broken"].as_array().ok_or_else(|| format!("no list in {found}"))?;
        Ok(broken.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Makes a component of the system fail or work again.
    pub(super) async fn fault(&self, fault: Json) -> Result<(), String> {
        self.call("POST", "/faults", Some(fault)).await.map(|_| ())
    }

    /// The data of every event of a name that was emitted, in order.
    pub(super) async fn events(&self, name: &str) -> Result<Vec<Json>, String> {
        let path = format!("/probe/events?name={}", percent_encode(name));
        let found = self.call("GET", &path, None).await?;
        let events = found["events"].as_array().ok_or_else(|| format!("no events in {found}"))?;
        Ok(events.iter().map(|event| event["data"].clone()).collect())
    }

    /// Runs a component's standing steps now.
    pub(super) async fn run_component(&self, component: &str) -> Result<(), String> {
        let path = format!("/components/{}/run", percent_encode(component));
        self.call("POST", &path, None).await.map(|_| ())
    }

    async fn call(&self, method: &str, target: &str, body: Option<Json>) -> Result<Json, String> {
        self.call_within(client::PATIENCE, method, target, body).await
    }

    async fn call_within(
        &self,
        patience: Duration,
        method: &str,
        target: &str,
        body: Option<Json>,
    ) -> Result<Json, String> {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {}", self.key))],
            body,
        };
        let told = |error: client::ClientError| error.to_string();
        let connection = Connection::open(self.address).await.map_err(told)?;
        let answer = connection.send_within(&request, patience).await.map_err(told)?;
        if answer.status >= 400 {
            return Err(refused(method, target, &answer));
        }
        Ok(answer.json().unwrap_or(Json::Null))
    }
}

/// What the control plane said, as a person reads it; a rule of the document with its outcome.
fn refused(method: &str, target: &str, answer: &Answer) -> String {
    let json = answer.json().unwrap_or_default();
    let outcome = format!("{} {}", answer.status, json["code"].as_str().unwrap_or_default());
    match problems::told(&json) {
        Some(said) if target == "/rows" => format!("{}: {said}", outcome.trim_end()),
        Some(said) => said,
        None => format!("the admin API answers {method} {target} with {}", outcome.trim_end()),
    }
}
