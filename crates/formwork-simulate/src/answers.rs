//! Whether the rows in an answer are rows that were there, in a state that they had between request and answer.
//!
//! So a write that was acknowledged and lost is found, and so is a read that saw what was never committed.

use crate::history::{History, Moment};
use formwork_language::program::{EntitySchema, Operation, Program};
use formwork_language::value::{Row, Value, json};
use serde_json::Value as Json;
use std::sync::Arc;

/// What an answer says of a row that it never was, if anything.
pub(crate) fn unknown(
    program: &Program,
    history: &History,
    operation: &Operation,
    body: &[u8],
    between: (Moment, Moment),
) -> Option<String> {
    let entity = operation.output.entity?;
    let schema = program.schema.entities.get(usize::from(entity))?;
    let body: Json = serde_json::from_slice(body).ok()?;
    let rows: Vec<&Json> = match &body {
        Json::Array(items) => items.iter().collect(),
        Json::Object(object) => match object.get("items") {
            Some(Json::Array(items)) => items.iter().collect(),
            _ => vec![&body],
        },
        _ => return None,
    };
    rows.into_iter().find_map(|row| {
        let key = key(schema, row)?;
        let states = history.states(entity, &key, between);
        if states.iter().any(|state| shows(schema, row, state)) {
            return None;
        }
        let shown: String = row.to_string().chars().take(300).collect();
        let what = match states.is_empty() {
            true => "no such row was there",
            false => "the row was never so",
        };
        Some(format!("`{}` answered with a `{}` while {what}: {shown}", operation.name, schema.name))
    })
}

/// The primary key of a row in JSON as one text; nothing when it is not all there.
fn key(schema: &EntitySchema, row: &Json) -> Option<String> {
    let part = |field: &u16| {
        let field = schema.fields.get(usize::from(*field))?;
        match row.get(&*field.name)? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    };
    let parts: Option<Vec<String>> = schema.primary_key.iter().map(part).collect();
    parts.map(|parts| parts.join("\u{1f}"))
}

/// Whether a row shows in JSON what it has, as far as it shows anything.
fn shows(schema: &EntitySchema, shown: &Json, row: &Arc<Row>) -> bool {
    schema.fields.iter().zip(&row.values).all(|(field, value)| {
        let Some(shown) = shown.get(&*field.name) else { return true };
        if field.secret || field.hidden {
            return true;
        }
        let absent = |value: &Value| matches!(value, Value::Absent | Value::Null);
        if absent(value) {
            return shown.is_null();
        }
        let text = json::to_json(value);
        match serde_json::from_str::<Json>(&text) {
            Ok(has) => {
                has == *shown || number(&has).zip(number(shown)).is_some_and(|(has, shown)| has == shown)
            }
            Err(_) => true,
        }
    })
}

/// A number, for what may be written in more than one way.
fn number(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        _ => None,
    }
}
