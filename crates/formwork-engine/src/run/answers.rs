//! Answers and failures.

use super::Run;
use crate::json;
use crate::outcome::{Answer, Body, Refusal};
use formwork_language::expression::Expression;
use formwork_language::program::{Answered, Failure, MessagePart};
use formwork_language::value::Value;
use std::sync::Arc;

impl Run<'_> {
    pub(super) fn answer(
        &mut self,
        status: u16,
        body: &Answered,
        headers: &[(Arc<str>, Expression)],
    ) -> Result<Answer, Refusal> {
        let body = match body {
            Answered::Nothing => Body::Nothing,
            Answered::Value(expression) => Body::Value(self.evaluate(expression)?),
            Answered::RowWith { row, parts } => {
                let parts = parts.iter().map(|(name, slot)| (Arc::clone(name), self.slot(*slot).clone()));
                let parts = parts.collect();
                Body::RowWith { row: self.evaluate(row)?, parts }
            }
            Answered::Page(slot) => {
                let items = match self.slot(*slot) {
                    Value::List(items) => items.to_vec(),
                    _ => Vec::new(),
                };
                let next = self.pages.iter().find(|(other, _)| other == slot);
                Body::Page { items, next: next.and_then(|(_, next)| next.clone()) }
            }
        };
        let mut written = Vec::with_capacity(headers.len());
        for (name, expression) in headers {
            let value = self.evaluate(expression)?;
            if !matches!(value, Value::Absent | Value::Null) {
                written.push((Arc::clone(name), Arc::from(self.text(&value))));
            }
        }
        Ok(Answer { status, body, headers: written })
    }

    pub(super) fn redirect(&mut self, status: u16, to: &Expression) -> Result<Answer, Refusal> {
        match self.evaluate(to)? {
            Value::Text(to) => Ok(Answer { status, body: Body::Redirect(to), headers: Vec::new() }),
            _ => Err(Refusal::Internal("a redirect has no address".into())),
        }
    }

    /// The refusal that a step raises, its message and members filled in.
    pub(super) fn failure(&mut self, failure: &Failure) -> Result<Refusal, Refusal> {
        let mut message = String::new();
        for part in &failure.message {
            match part {
                MessagePart::Text(text) => message.push_str(text),
                MessagePart::Expression(expression) => {
                    let value = self.evaluate(expression)?;
                    message.push_str(&self.text(&value));
                }
            }
        }
        let mut members = Vec::with_capacity(failure.members.len());
        for (name, expression) in &failure.members {
            members.push((Arc::clone(name), self.evaluate(expression)?));
        }
        Ok(Refusal::Step {
            status: failure.outcome.status,
            code: failure.outcome.code.as_deref().map(Arc::from),
            message: (!failure.message.is_empty()).then_some(message),
            members,
        })
    }

    pub(super) fn text(&self, value: &Value) -> String {
        match value {
            Value::Absent | Value::Null => String::new(),
            Value::List(_) | Value::Map(_) | Value::Row(_) => {
                let mut out = String::new();
                json::push_json(&mut out, value, &self.program.schema, self.rows.all());
                out
            }
            value => value.to_plain(),
        }
    }
}
