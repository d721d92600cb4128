//! The control plane's calls that flows need. Source: interfaces, *HTTP*, and the server's `routes/`.

use crate::client::{self, Request, percent_encode};
use formwork_language::value::text::{format_duration, parse_timestamp};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;

/// The control plane of one system.
pub(super) struct Admin {
    address: SocketAddr,
    key: String,
}

impl Admin {
    /// The control plane at an address.
    pub(super) const fn new(address: SocketAddr, key: String) -> Self {
        Self { address, key }
    }

    /// Makes a key for a caller.
    pub(super) async fn create_key(&self, role: &str, id: &str) -> Result<String, String> {
        let made = self.call("POST", "/keys", Some(json!({"roles": [role], "id": id}))).await?;
        made["key"].as_str().map(str::to_owned).ok_or_else(|| format!("no key in {made}"))
    }

    /// Moves the clock on by microseconds and gives the present time, when all work due by then has run.
    pub(super) async fn advance(&self, micros: i64) -> Result<i64, String> {
        let moved = self.call("POST", "/clock", Some(json!({"advance": format_duration(micros)}))).await?;
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
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {}", self.key))],
            body,
        };
        let answer = client::send(self.address, &request).await.map_err(|error| error.to_string())?;
        if answer.status >= 400 {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("the admin API answers {method} {target} with {} {text}", answer.status));
        }
        Ok(answer.json().unwrap_or(Json::Null))
    }
}
