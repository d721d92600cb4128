//! What an operation without executable steps answers: the declared output, filled with made-up values.
//!
//! The same request always gets the same answer; values fit types and constraints, and what was sent is sent back
//! under the same name. Nothing is kept: what one call creates, another does not find. Source: language reference,
//! *Mocked operations*.

mod example;
mod output;
mod pattern;
mod sample;
mod shape;

use crate::respond::Reply;
use formwork_check::Analysis;
use formwork_language::program::{InputField, Operation, PathPart, slots};
use formwork_language::value::Value;
use formwork_model::names::same_name;
use formwork_model::sections::interface;
use http::header::{HeaderName, LOCATION};
use http::{HeaderValue, StatusCode};
use shape::Shape;
use std::sync::Arc;

pub(crate) use pattern::matching;

/// The header that says that an answer is made up.
const MODE: HeaderName = HeaderName::from_static("x-formwork-mode");

/// The answer of one operation, prepared.
#[derive(Debug)]
pub(crate) struct Mock {
    status: StatusCode,
    shape: Shape,
    /// The input's fields, in the order of their slots.
    inputs: Vec<InputField>,
    name: Arc<str>,
}

/// What was sent, by name.
pub(crate) struct Sent<'s>(Vec<(&'s InputField, &'s Value)>);

impl<'s> Sent<'s> {
    /// The value that was sent under a name.
    fn get(&self, name: &str) -> Option<(&'s InputField, &'s Value)> {
        self.0.iter().find(|(field, _)| *field.name == *name).copied()
    }
}

impl Mock {
    /// Prepares the answer of an operation; `declared` is what the document says of it.
    pub(crate) fn new(
        operation: &Operation,
        declared: Option<&interface::Operation>,
        analysis: &Analysis,
    ) -> Self {
        let shape = declared.map_or(Shape::Sent, |declared| output::shape(operation, declared, analysis));
        let status = operation.output.status.unwrap_or_else(|| usual_status(operation, &shape));
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            shape,
            inputs: operation.input.fields.clone(),
            name: operation.name.clone(),
        }
    }

    /// Whether it answers with JSON.
    pub(crate) fn answers_json(&self) -> bool {
        !matches!(self.shape, Shape::Nothing | Shape::Redirect) && self.status != StatusCode::NO_CONTENT
    }

    /// The answer to a call with these slots.
    pub(crate) fn answer(&self, slots: &[Value]) -> Reply {
        let values = slots.iter().skip(usize::from(slots::INPUT));
        let is_sent = |(_, value): &(&InputField, &Value)| !matches!(value, Value::Absent | Value::Null);
        let sent = Sent(self.inputs.iter().zip(values).filter(is_sent).collect());
        let mut reply = if self.answers_json() {
            let mut body = Vec::new();
            self.shape.write(&mut body, sample::seed(0, &self.name), Some(&sent));
            Reply::json(self.status, body)
        } else {
            Reply::empty(self.status)
        };
        if self.status.is_redirection() {
            reply.headers.push((LOCATION, HeaderValue::from_static("https://example.com/")));
        }
        reply.headers.push((MODE, HeaderValue::from_static("mocked")));
        reply
    }
}

/// The status of an answer whose Output names none: 201 where something is made, 204 for nothing, else 200.
fn usual_status(operation: &Operation, shape: &Shape) -> u16 {
    const MAKES: [&str; 6] = ["create", "add", "new", "insert", "register", "post"];
    let name = operation.name.to_lowercase();
    let of_collection = match (operation.path.last(), shape) {
        (Some(PathPart::Fixed(collection)), Shape::Row(entity, ..)) => same_name(collection, entity),
        _ => false,
    };
    let makes = match name.contains('/') {
        true => of_collection,
        false => of_collection || MAKES.iter().any(|verb| name.starts_with(verb)),
    };
    match (shape, &*operation.method) {
        (Shape::Nothing, _) => 204,
        (Shape::Redirect, _) => 302,
        (_, "POST") if makes => 201,
        _ => 200,
    }
}
