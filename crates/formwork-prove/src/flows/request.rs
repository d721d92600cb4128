//! A call of a flow to an HTTP request: each input goes where the operation's declaration says.
//!
//! Nothing is validated here: undeclared and wrong values are sent as they are, they may be the point of the test.

use crate::client::{Request, percent_encode};
use crate::json;
use formwork_language::behaviour::{FlowCall, Target};
use formwork_language::program::{InputShape, Operation, PathPart, Program, Surface};
use formwork_language::value::Value;
use formwork_model::facts::Location;
use serde_json::{Map, Value as Json};

/// A request without the caller's proof, and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// Which listener.
    pub(super) surface: Surface,
    /// The request.
    pub(super) request: Request,
}

/// The inputs, sorted by where they travel.
#[derive(Default)]
struct Sorted {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Json>,
}

/// Writes a call down as a request. Errors: a path parameter has no value.
pub(super) fn prepare(
    program: &Program,
    call: &FlowCall,
    input: Option<&Value>,
    headers: Vec<(String, String)>,
) -> Result<Prepared, String> {
    let operation = match &call.target {
        Target::Operation(index) => program.operations.get(*index as usize),
        Target::Path { .. } => None,
    };
    let (method, surface) = match (&call.target, operation) {
        (Target::Path { method, .. }, _) => (method.to_string(), Surface::Public),
        (_, Some(operation)) => (operation.method.to_string(), operation.surface),
        (_, None) => return Err("the operation is not served over HTTP".to_owned()),
    };
    let written = match &call.target {
        Target::Path { path, .. } => Some(path),
        Target::Operation(_) => call.path.as_ref(),
    };
    let sorted = sort(operation, &method, written, input);
    let mut target = match (written, operation) {
        (Some(path), _) => fill_written(path, &sorted.path),
        (None, Some(operation)) => fill(&operation.path, &sorted.path)?,
        (None, None) => "/".to_owned(),
    };
    for (name, value) in &sorted.query {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&format!("{}={}", percent_encode(name), percent_encode(value)));
    }
    let mut all = sorted.headers;
    all.extend(headers);
    Ok(Prepared { surface, request: Request { method, target, headers: all, body: sorted.body } })
}

fn sort(
    operation: Option<&Operation>,
    method: &str,
    written: Option<&std::sync::Arc<str>>,
    input: Option<&Value>,
) -> Sorted {
    let mut sorted = Sorted::default();
    let takes_body = !matches!(method, "GET" | "HEAD" | "DELETE");
    let shape = operation.map(|operation| &operation.input);
    let mut body = Map::new();
    for (name, value, location) in members(shape, input) {
        let undeclared = if is_parameter(operation, written, &name) {
            Location::Path
        } else if takes_body {
            Location::Body
        } else {
            Location::Query
        };
        match location.unwrap_or(undeclared) {
            Location::Body => drop(body.insert(name, value)),
            Location::Path => sorted.path.push((name, json::to_plain(&value))),
            Location::Header(header) if !value.is_null() => {
                sorted.headers.push((header, json::to_plain(&value)));
            }
            Location::Query => sorted.query.extend(plain_values(&value).map(|value| (name.clone(), value))),
            Location::Header(_) => {}
        }
    }
    let declares_body =
        shape.is_some_and(|shape| shape.fields.iter().any(|field| field.location == Location::Body));
    sorted.body = match input.and_then(|input| json::to_json(input, None)) {
        Some(whole) if !whole.is_object() => Some(whole),
        given
            if !body.is_empty()
                || declares_body
                || (given.is_some() && takes_body && operation.is_none()) =>
        {
            Some(Json::Object(body))
        }
        _ => None,
    };
    sorted
}

/// The members of an input, each with its declared place.
fn members(shape: Option<&InputShape>, input: Option<&Value>) -> Vec<(String, Json, Option<Location>)> {
    let declared = |name: &str| shape?.fields.iter().find(|field| &*field.name == name);
    let member = |name: String, value: &Value| {
        let field = declared(&name);
        let json = json::to_json(value, field.map(|field| &field.ty))?;
        let location = field.map(|field| field.location.clone());
        Some((name, json, location))
    };
    match input {
        Some(Value::Map(members)) => members
            .iter()
            .filter_map(|(key, value)| member(json::to_plain(&json::to_json(key, None)?), value))
            .collect(),
        Some(whole @ Value::Json(_)) => match json::to_json(whole, None) {
            Some(Json::Object(members)) => members
                .iter()
                .filter_map(|(name, value)| member(name.clone(), &json::to_value(value)))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn is_parameter(operation: Option<&Operation>, written: Option<&std::sync::Arc<str>>, name: &str) -> bool {
    match (written, operation) {
        (Some(path), _) => path.contains(&format!("{{{name}}}")),
        (None, Some(operation)) => {
            operation.path.iter().any(|part| matches!(part, PathPart::Parameter(other) if &**other == name))
        }
        (None, None) => false,
    }
}

/// A list in a query is its name repeated; null cannot be said there.
fn plain_values(value: &Json) -> impl Iterator<Item = String> {
    let values = match value {
        Json::Null => Vec::new(),
        Json::Array(items) => items.iter().map(json::to_plain).collect(),
        other => vec![json::to_plain(other)],
    };
    values.into_iter()
}

fn fill(path: &[PathPart], values: &[(String, String)]) -> Result<String, String> {
    let mut target = String::new();
    for part in path {
        target.push('/');
        match part {
            PathPart::Fixed(text) => target.push_str(&encode_written(text)),
            PathPart::Parameter(name) => {
                let (_, value) = values
                    .iter()
                    .find(|(other, _)| other == &**name)
                    .ok_or_else(|| format!("the step gives no value for `{{{name}}}` in the path"))?;
                target.push_str(&percent_encode(value));
            }
        }
    }
    Ok(if target.is_empty() { "/".to_owned() } else { target })
}

fn fill_written(path: &str, values: &[(String, String)]) -> String {
    let filled = values.iter().fold(path.to_owned(), |path, (name, value)| {
        path.replace(&format!("{{{name}}}"), &percent_encode(value))
    });
    encode_written(&filled)
}

/// A path is sent as the author wrote it; only what no request line can hold is encoded.
fn encode_written(path: &str) -> String {
    let sendable =
        |character: char| character.is_ascii_graphic() && !matches!(character, '{' | '}' | '"' | '<' | '>');
    path.chars()
        .map(
            |character| {
                if sendable(character) {
                    character.to_string()
                } else {
                    percent_encode(&character.to_string())
                }
            },
        )
        .collect()
}
