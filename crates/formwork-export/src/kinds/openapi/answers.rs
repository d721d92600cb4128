//! What an operation answers when it ends well: each status that a step can answer, with its body and headers.

use super::super::schema::Way;
use super::Cx;
use formwork_language::program::{Answered, BodyShape, Instruction, Mode, Operation};
use formwork_model::sections::interface;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the body of one status is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Nothing,
    Address,
    Value,
    Page,
}

/// The answers by status.
pub(super) fn answers(
    cx: &Cx<'_>,
    operation: &Operation,
    declared: Option<&interface::Operation>,
) -> Map<String, Value> {
    let found = match operation.mode {
        Mode::Mocked => mocked(operation),
        Mode::Executed | Mode::Inferred => executed(operation),
    };
    let is_get = &*operation.method == "GET";
    let mut all = Map::new();
    let mut tagged = false;
    for (status, content) in found {
        let mut response = json!({"description": description(&status, content)});
        let mut headers = json!({"X-Request-Id": header("Names the request")});
        match content {
            Content::Nothing => {}
            Content::Address => headers["Location"] = header("Where to go"),
            Content::Value | Content::Page => {
                let mut body = json!({"schema": schema(cx, operation, &status, content)});
                if let Some(example) = example(cx, operation, declared).filter(|_| content == Content::Value)
                {
                    body["example"] = example;
                }
                response["content"] = json!({"application/json": body});
                if is_get || operation.output.body == BodyShape::One {
                    headers["ETag"] = header("The state that was answered");
                }
                tagged |= is_get;
            }
        }
        if status == "201" && operation.output.location.is_some() {
            headers["Location"] = header("Where the new row is");
        }
        if operation.writes && !is_get {
            headers["Idempotent-Replayed"] = header("`true` when an earlier answer is sent again");
        }
        if operation.mode == Mode::Mocked {
            headers["X-Formwork-Mode"] = header("`mocked`: the answer is made up");
        }
        response["headers"] = headers;
        all.insert(status, response);
    }
    if tagged {
        let headers = json!({"ETag": header("The state that was answered")});
        all.insert(
            "304".to_owned(),
            json!({"description": "The answer has one of the tags of `If-None-Match`", "headers": headers}),
        );
    }
    all
}

/// The statuses that the steps answer.
fn executed(operation: &Operation) -> BTreeMap<String, Content> {
    let mut found = BTreeMap::new();
    for instruction in &operation.code.instructions {
        let (status, content) = match instruction {
            Instruction::Return { status, body: Answered::Nothing, .. } => (*status, Content::Nothing),
            Instruction::Return { status, body: Answered::Page(_), .. } => (*status, Content::Page),
            Instruction::Return { status, .. } => (*status, Content::Value),
            Instruction::Redirect { status, .. } => (*status, Content::Address),
            Instruction::Stop => (204, Content::Nothing),
            _ => continue,
        };
        let known = found.entry(status.to_string()).or_insert(content);
        if *known == Content::Nothing {
            *known = content;
        }
    }
    found
}

/// The status of an answer that is made up.
fn mocked(operation: &Operation) -> BTreeMap<String, Content> {
    let output = &operation.output;
    let content = match output.body {
        BodyShape::Nothing => Content::Nothing,
        BodyShape::Redirect => Content::Address,
        BodyShape::Page => Content::Page,
        BodyShape::Unsaid | BodyShape::One | BodyShape::Many => Content::Value,
    };
    let usual = match content {
        Content::Nothing => "204",
        Content::Address => "302",
        Content::Value | Content::Page => "2XX",
    };
    let status = output.status.map_or(usual.to_owned(), |status| status.to_string());
    BTreeMap::from([(status, content)])
}

fn schema(cx: &Cx<'_>, operation: &Operation, status: &str, content: Content) -> Value {
    let output = &operation.output;
    let as_declared = match output.status {
        Some(declared) => declared.to_string() == status,
        None => status.starts_with('2'),
    };
    let entity = output.entity.and_then(|entity| cx.program.schema.entities.get(usize::from(entity)));
    let one = || match (entity, &output.fields[..]) {
        (Some(entity), []) => {
            let row = cx.schemas.reference(&entity.name);
            if output.parts.is_empty() { row } else { with_parts(cx, operation, row) }
        }
        (_, []) => json!({}),
        (_, fields) => cx.schemas.fields(fields.iter(), Way::Out),
    };
    match (content, output.body) {
        (Content::Page, _) => json!({
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": one()},
                "next_cursor": {"type": ["string", "null"]},
            },
            "required": ["items", "next_cursor"],
        }),
        (_, BodyShape::One) if as_declared => one(),
        (_, BodyShape::Many) if as_declared => json!({"type": "array", "items": one()}),
        // What the body is shows at run time only.
        _ => json!({}),
    }
}

/// A row with lists of rows that refer to it.
fn with_parts(cx: &Cx<'_>, operation: &Operation, row: Value) -> Value {
    let mut properties = Map::new();
    for (name, entity) in &operation.output.parts {
        let Some(entity) = cx.program.schema.entities.get(usize::from(*entity)) else { continue };
        let items = cx.schemas.reference(&entity.name);
        properties.insert(name.to_string(), json!({"type": "array", "items": items}));
    }
    let required: Vec<String> = properties.keys().cloned().collect();
    json!({"allOf": [row, {"type": "object", "properties": properties, "required": required}]})
}

/// An example of the document that has the members of the answer.
fn example(cx: &Cx<'_>, operation: &Operation, declared: Option<&interface::Operation>) -> Option<Value> {
    let output = &operation.output;
    let entity = output.entity.and_then(|entity| cx.program.schema.entities.get(usize::from(entity)));
    let names: Vec<&str> = match (&output.fields[..], entity) {
        ([], Some(entity)) => {
            entity.fields.iter().filter(|field| !field.hidden).map(|field| &*field.name).collect()
        }
        (fields, _) => fields.iter().map(|field| &*field.name).collect(),
    };
    let fits = |value: &Value| {
        value.as_object().is_some_and(|given| {
            given.len() == names.len() && names.iter().all(|name| given.contains_key(*name))
        })
    };
    declared.filter(|_| output.body == BodyShape::One).and_then(|declared| cx.examples(declared).find(fits))
}

fn description(status: &str, content: Content) -> String {
    match (status, content) {
        ("201", _) => "Made".to_owned(),
        (_, Content::Nothing) => "Done".to_owned(),
        (_, Content::Address) => "Elsewhere".to_owned(),
        (_, Content::Page) => "A page".to_owned(),
        (_, Content::Value) => "The answer".to_owned(),
    }
}

/// A header that is a text.
pub(super) fn header(about: &str) -> Value {
    json!({"description": about, "schema": {"type": "string"}})
}
