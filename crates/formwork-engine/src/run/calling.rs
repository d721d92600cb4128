//! `Calls`: makes the request before the part ends, and reads the answer when the next one begins.

use super::{Next, Run};
use crate::json::push_json;
use crate::outcome::Refusal;
use crate::parts::{Arrived, Outgoing, Pending};
use formwork_language::constraint::{converted, fits};
use formwork_language::expression::Expression;
use formwork_language::program::{
    AnswerField, AnswerShape, Instruction, Label, NoAnswer, TargetPart, UpstreamCall,
};
use formwork_language::value::{Value, json, text};
use std::sync::Arc;

/// The longest body that is sent: 1 MiB.
const MAX_BODY: usize = 1024 * 1024;

impl Run<'_> {
    /// Ends the part with the request; in the next part, goes on with what came of it.
    pub(super) fn call(&mut self, call: &UpstreamCall, at: Label) -> Result<Next, Refusal> {
        match self.pending.take() {
            Some(Pending::Arrived(arrived)) => {
                self.arrived(call, *arrived)?;
                Ok(Next::Following)
            }
            _ => {
                let outgoing = self.outgoing(call, at)?;
                Ok(self.ends_part(at, Pending::Call(Box::new(outgoing))))
            }
        }
    }

    fn outgoing(&mut self, call: &UpstreamCall, at: Label) -> Result<Outgoing, Refusal> {
        let mut members = match &call.input {
            Some(input) => {
                let value = self.evaluate(input)?;
                Some(self.members(value))
            }
            None => None,
        };
        let mut target = String::new();
        for part in &call.target {
            match part {
                TargetPart::Text(text) => target.push_str(text),
                TargetPart::Member(name) => {
                    let found = match &mut members {
                        Some(Sent::Members(members)) => members
                            .iter()
                            .position(|(member, _)| **member == **name)
                            .map(|at| members.remove(at).1),
                        _ => None,
                    };
                    let text = found.unwrap_or_default().to_plain();
                    if text.is_empty() {
                        return Err(Refusal::Unacceptable(format!("`{name}` of the path is empty")));
                    }
                    percent_encoded(&mut target, &text);
                }
            }
        }
        let in_query = matches!(&*call.method, "GET" | "HEAD" | "DELETE");
        let mut body = None;
        match members {
            Some(Sent::Members(members)) if in_query => query(&mut target, &members),
            Some(Sent::Members(members)) => {
                let mut text = String::from("{");
                for (name, value) in members.iter().filter(|(_, value)| !matches!(value, Value::Absent)) {
                    if text.len() > 1 {
                        text.push(',');
                    }
                    json::quote(name, &mut text);
                    text.push(':');
                    push_json(&mut text, value, &self.program.schema, self.rows.all());
                }
                text.push('}');
                body = Some(text);
            }
            Some(Sent::Whole(value)) => {
                let mut text = String::new();
                push_json(&mut text, &value, &self.program.schema, self.rows.all());
                body = Some(text);
            }
            None => {}
        }
        if body.as_ref().is_some_and(|body| body.len() > MAX_BODY) || target.len() > MAX_BODY {
            return Err(Refusal::TooMuchWork);
        }
        let mut headers = Vec::with_capacity(call.headers.len() + 1);
        for (name, value) in &call.headers {
            let value = self.evaluate(value)?;
            if !value.is_absent() {
                let text = value.to_plain();
                if text.chars().any(|character| character.is_control()) {
                    return Err(Refusal::Unacceptable(format!("header `{name}` cannot be sent")));
                }
                headers.push((Arc::clone(name), Arc::from(text)));
            }
        }
        let named = call.headers.iter().chain(&call.secret_headers);
        if named.into_iter().all(|(name, _)| &**name != "idempotency-key") {
            headers.push(("idempotency-key".into(), self.idempotency_key(at).into()));
        }
        let waiting = self.amount(call.waiting.as_ref())?;
        let tries = self.amount(call.tries.as_ref())?;
        Ok(Outgoing {
            upstream: call.upstream,
            method: Arc::clone(&call.method),
            target,
            body,
            headers,
            waiting,
            tries: tries.map(|tries| u32::try_from(tries.max(1)).unwrap_or(u32::MAX)),
        })
    }

    fn amount(&mut self, expression: Option<&Expression>) -> Result<Option<i64>, Refusal> {
        let Some(expression) = expression else { return Ok(None) };
        Ok(match self.evaluate(expression)? {
            Value::Duration(amount) | Value::Integer(amount) => Some(amount),
            _ => None,
        })
    }

    /// `<operation id>-<path>`: the step, and the round of each loop around it.
    fn idempotency_key(&self, at: Label) -> String {
        let id = self.part.as_ref().map(|part| part.operation).unwrap_or_default();
        let mut key = format!("{}-{at}", text::format_uuid(&id));
        for instruction in self.code.instructions.iter().take(at as usize) {
            let (round, end) = match instruction {
                Instruction::LoopStart { position, end, .. } => (*position, *end),
                Instruction::NextElement(next) => (next.begun, next.end),
                _ => continue,
            };
            if at < end
                && let Value::Integer(round) = self.slot(round)
            {
                key.push_str(&format!(".{round}"));
            }
        }
        key
    }

    fn members(&self, value: Value) -> Sent {
        let text = |key: &Value| -> Arc<str> { key.to_plain().into() };
        match &value {
            Value::Map(entries) => {
                Sent::Members(entries.iter().map(|(key, value)| (text(key), value.clone())).collect())
            }
            Value::Row(index) => {
                let row = self.rows.all().get(*index as usize);
                let entity = row.and_then(|row| self.program.schema.entities.get(usize::from(row.entity)));
                let (Some(row), Some(entity)) = (row, entity) else { return Sent::Members(Vec::new()) };
                let shown = entity.fields.iter().zip(&row.values).filter(|(field, _)| !field.hidden);
                Sent::Members(shown.map(|(field, value)| (Arc::clone(&field.name), value.clone())).collect())
            }
            Value::Json(sent) => match json::parse(sent) {
                Ok(parsed @ Value::Map(_)) => self.members(parsed),
                _ => Sent::Whole(value),
            },
            Value::Absent | Value::Null => Sent::Members(Vec::new()),
            _ => Sent::Whole(value),
        }
    }

    /// Binds what came of a request, or fails as the step says.
    fn arrived(&mut self, call: &UpstreamCall, arrived: Arrived) -> Result<(), Refusal> {
        let missing = match arrived {
            Arrived::Answer { status, headers, body } => {
                let fails = matches!(call.otherwise, NoAnswer::FailsWith(_)) && status >= 400;
                let read = read(&call.answer, &body);
                // What a failure says need not be what the endpoint promises.
                let strict = status < 400 && !matches!(call.otherwise, NoAnswer::Fails);
                match read {
                    _ if fails => "unfit",
                    Fitted { fits: false, .. } if strict => "unfit",
                    Fitted { value, .. } => {
                        let header = |(name, value): &(Arc<str>, Arc<str>)| {
                            (Value::Text(Arc::clone(name)), Value::Text(Arc::clone(value)))
                        };
                        let answer = [
                            (Value::text("status"), Value::Integer(i64::from(status))),
                            (Value::text("body"), value),
                            (Value::text("headers"), Value::Map(headers.iter().map(header).collect())),
                        ];
                        self.bind(call.slot, Value::Map(answer.into()));
                        if let Some(why) = call.why {
                            self.bind(why, Value::Absent);
                        }
                        return Ok(());
                    }
                }
            }
            Arrived::Unfit => "unfit",
            Arrived::Unknown => "unknown",
            Arrived::NotSent => "not_sent",
        };
        self.bind(call.slot, Value::Absent);
        if let Some(why) = call.why {
            self.bind(why, Value::text(missing));
        }
        match &call.otherwise {
            NoAnswer::FailsWith(failure) => Err(self.failure(failure)?),
            NoAnswer::Absent => Ok(()),
            NoAnswer::Fails => {
                let name = self.program.upstreams.get(usize::from(call.upstream)).map(|it| &*it.name);
                let name = name.unwrap_or("The other service");
                let (code, message) = match missing {
                    "unfit" => ("unfit_answer", format!("{name} gave an answer that cannot be read.")),
                    _ => ("no_answer", format!("{name} does not answer.")),
                };
                Err(Refusal::Step {
                    status: 502,
                    code: Some(code.into()),
                    message: Some(message),
                    members: Vec::new(),
                })
            }
        }
    }
}

/// What a call sends.
enum Sent {
    /// Member by member.
    Members(Vec<(Arc<str>, Value)>),
    /// As one value.
    Whole(Value),
}

/// The body of an answer, read as far as it is what the endpoint promises.
struct Fitted {
    value: Value,
    fits: bool,
}

fn read(shape: &AnswerShape, body: &str) -> Fitted {
    let parsed = json::parse(body).ok();
    match (shape, parsed) {
        (AnswerShape::Anything, parsed) => {
            let value = match parsed {
                Some(Value::Null) => Value::Null,
                Some(_) => Value::Json(body.into()),
                None if body.trim().is_empty() => Value::Absent,
                None => Value::Text(body.into()),
            };
            Fitted { value, fits: true }
        }
        (AnswerShape::Object(fields), Some(Value::Map(entries))) => object(fields, &entries),
        (AnswerShape::List(fields), Some(Value::List(items))) => {
            let mut fits = true;
            let items = items.iter().map(|item| match item {
                Value::Map(entries) => {
                    let read = object(fields, entries);
                    fits &= read.fits;
                    read.value
                }
                _ => {
                    fits = false;
                    Value::Null
                }
            });
            let value = Value::List(items.collect());
            Fitted { value, fits }
        }
        _ => Fitted { value: Value::Absent, fits: false },
    }
}

fn object(fields: &[AnswerField], entries: &[(Value, Value)]) -> Fitted {
    let mut all = true;
    let mut members = Vec::with_capacity(fields.len());
    for field in fields {
        let sent = entries.iter().find(|(key, _)| matches!(key, Value::Text(key) if *key == field.name));
        let sent = sent.map(|(_, value)| value.clone()).filter(|value| !value.is_absent());
        let Some(sent) = sent else {
            all &= field.optional;
            continue;
        };
        match converted(&field.ty, sent).ok().filter(|value| fits(&field.ty, value).is_ok()) {
            Some(value) => members.push((Value::Text(Arc::clone(&field.name)), value)),
            None => all = false,
        }
    }
    Fitted { value: Value::Map(members.into()), fits: all }
}

/// Members as a query; a list as often as it has items.
fn query(target: &mut String, members: &[(Arc<str>, Value)]) {
    let mut sign = if target.contains('?') { '&' } else { '?' };
    for (name, value) in members {
        let items = match value {
            Value::List(items) => items.to_vec(),
            value => vec![value.clone()],
        };
        for item in items.iter().filter(|item| !item.is_absent()) {
            target.push(sign);
            percent_encoded(target, name);
            target.push('=');
            percent_encoded(target, &item.to_plain());
            sign = '&';
        }
    }
}

/// A text as a piece of a path or query (RFC 3986, unreserved).
fn percent_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
