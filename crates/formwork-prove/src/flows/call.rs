//! One call of a flow: prepared, sent, and seen.

use super::checked::Trouble;
use super::problems;
use super::request::{Prepared, prepare};
use super::session::Session;
use crate::client::{self, Answer, ClientError, Request};
use crate::json;
use formwork_language::behaviour::{Actor, FlowCall, flow_slots};
use formwork_language::program::Surface;
use formwork_language::value::Value;
use std::sync::Arc;

/// How much of a body is shown in a report, in characters.
const SHOWN: usize = 300;

/// An answer as expectations see it.
pub(super) struct Seen {
    /// HTTP status.
    pub(super) status: u16,
    /// The problem's code.
    pub(super) code: Option<String>,
    /// The request's id, by which the system's log knows it.
    pub(super) request: Option<String>,
    body: Value,
    headers: Value,
    shown: String,
}

impl Seen {
    /// Makes an answer visible to expectations.
    pub(super) fn new(answer: &Answer) -> Self {
        let json = answer.json();
        let code = json.as_ref().and_then(|body| body.get("code")).and_then(|code| code.as_str());
        let text = String::from_utf8_lossy(&answer.body);
        let body = match &json {
            Some(json) => json::to_value(json),
            None if answer.body.is_empty() => Value::Absent,
            None => Value::Text(Arc::from(&*text)),
        };
        let header = |(name, value): &(String, String)| {
            (Value::Text(Arc::from(name.as_str())), Value::Text(Arc::from(value.as_str())))
        };
        Self {
            status: answer.status,
            code: code.map(str::to_owned),
            request: answer.header("x-request-id").map(str::to_owned),
            body,
            headers: Value::Map(answer.headers.iter().map(header).collect()),
            shown: match json.as_ref().and_then(problems::told) {
                Some(told) => format!(": {}", shorten(&told)),
                None => format!(" {}", shorten(&text)),
            },
        }
    }

    /// Puts the answer into the slots of expressions.
    pub(super) fn bind(&self, session: &mut Session<'_>) {
        session.bind(flow_slots::RESPONSE, self.body.clone());
        session.bind(flow_slots::STATUS, Value::Integer(i64::from(self.status)));
        session.bind(flow_slots::HEADERS, self.headers.clone());
    }

    /// Status and code: `409 slug_taken`.
    pub(super) fn outcome(&self) -> String {
        match &self.code {
            Some(code) if self.status >= 400 => format!("{} {code}", self.status),
            _ => self.status.to_string(),
        }
    }

    /// Status, code and the beginning of the body; of a problem, what it says.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.outcome(), self.shown).trim_end().to_owned()
    }
}

/// Writes the call of one actor down, with the caller's proof.
pub(super) async fn compose(
    session: &mut Session<'_>,
    call: &FlowCall,
    actor: &Actor,
) -> Result<(Surface, Request), Trouble> {
    let Prepared { surface, mut request } = match session.last(&call.target) {
        Some(prepared) if call.again => prepared,
        _ => first_time(session, call)?,
    };
    // A header that the step gives wins over the key.
    if let Some((name, key)) = session.proof(actor).await?
        && !request.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(&name))
    {
        request.headers.push((name, key));
    }
    if let Actor::Component(name) = actor {
        for (name, value) in session.signature(name, &call.target, &request)? {
            if !request.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(&name)) {
                request.headers.push((name, value));
            }
        }
    }
    session.address_to(&mut request);
    Ok((surface, request))
}

fn first_time(session: &mut Session<'_>, call: &FlowCall) -> Result<Prepared, String> {
    let input = call.input.as_ref().map(|input| session.evaluate(input)).transpose()?;
    let mut headers = Vec::new();
    for (name, value) in &call.headers {
        let value = session.evaluate(value)?;
        if let Some(value) = json::to_json(&value, None) {
            headers.push((name.to_string(), json::to_plain(&value)));
        }
    }
    let prepared = prepare(session.program, call, input.as_ref(), headers)?;
    session.remember(&call.target, &prepared);
    Ok(prepared)
}

/// Makes a call and gives what came.
pub(super) async fn make(session: &mut Session<'_>, call: &FlowCall) -> Result<Seen, Trouble> {
    let (surface, request) = compose(session, call, &call.actor).await?;
    let answer = client::send(session.address(surface)?, &request).await;
    let seen = Seen::new(&answer.map_err(|error: ClientError| format!("no answer: {error}"))?);
    seen.bind(session);
    Ok(seen)
}

fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
