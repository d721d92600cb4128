//! What travels in path, query and header: the declared inputs, and the headers that the edge understands.

use super::super::schema::Way;
use super::Cx;
use formwork_language::program::{InputField, Operation};
use formwork_model::facts::Location;
use formwork_model::values::Type;
use serde_json::{Map, Value, json};

/// What an idempotency key is made of. In quotes it is taken, too, but need not be.
const KEY_CHARACTERS: &str = "^[!#-~][!-~]*$";

/// The parameters of an operation.
pub(super) fn parameters(cx: &Cx<'_>, index: u32, operation: &Operation) -> Vec<Value> {
    let page = operation.page();
    let mut all: Vec<Value> = Vec::new();
    for (index, field) in operation.input.fields.iter().enumerate() {
        let Some(mut declared) = parameter(cx, field) else { continue };
        // More than a page holds is cut, not refused.
        if page.is_some_and(|page| page.limit == index) {
            declared["schema"]["minimum"] = json!(1);
        }
        all.push(declared);
    }
    // A header that the document declares is described as it says.
    let own = |name: &str| {
        operation.input.fields.iter().any(
            |field| matches!(&field.location, Location::Header(header) if header.eq_ignore_ascii_case(name)),
        )
    };
    let is_get = &*operation.method == "GET";
    if operation.writes && !is_get {
        let rule = cx.program.once_rule(index);
        let key = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": rule.required,
            "description": "A repeat with the same key is answered like the first call, and has no further effect",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_CHARACTERS},
        });
        let state = tags("If-Match", "The row must be in the state that has one of these tags");
        all.extend(
            [("Idempotency-Key", key), ("If-Match", state)]
                .into_iter()
                .filter(|(name, _)| !own(name))
                .map(|(_, each)| each),
        );
    }
    if is_get && !own("If-None-Match") {
        all.push(tags("If-None-Match", "`304` when the answer has one of these tags"));
    }
    all
}

fn tags(name: &str, about: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "required": false,
        "description": about,
        "schema": {"anyOf": [
            {"const": "*"},
            {"type": "string", "pattern": "^(W/)?\"[^\"]*\"(, *(W/)?\"[^\"]*\")*$"},
        ]},
    })
}

fn parameter(cx: &Cx<'_>, field: &InputField) -> Option<Value> {
    let (name, place) = match &field.location {
        Location::Path => (field.name.to_string(), "path"),
        Location::Query => (field.name.to_string(), "query"),
        Location::Header(name) => (name.clone(), "header"),
        Location::Body => return None,
    };
    let mut parameter = Map::new();
    parameter.insert("name".to_owned(), json!(name));
    parameter.insert("in".to_owned(), json!(place));
    parameter.insert("required".to_owned(), json!(place == "path" || !field.optional));
    if let Some(meaning) = cx.schemas.meaning(field) {
        parameter.insert("description".to_owned(), json!(meaning));
    }
    // What is left out is left out: there is no null in a path, a query or a header.
    let sent = InputField { optional: false, ..field.clone() };
    let mut schema = cx.schemas.field(&sent, Way::In);
    // What travels there is a text in any case.
    if let (Type::Decimal { .. }, Some(text)) =
        (&field.ty, schema.get_mut("anyOf").map(|ways| ways[0].take()))
    {
        schema = text;
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("description");
        // What a document says of the key is held beside what every key must be.
        if place == "header" && name.eq_ignore_ascii_case("Idempotency-Key") {
            object.entry("pattern").or_insert(json!(KEY_CHARACTERS));
        }
        // An empty piece of a path is no value.
        if place == "path" && object.get("type") == Some(&json!("string")) {
            object.entry("minLength").or_insert(json!(1));
        }
    }
    let as_json =
        matches!(field.ty, Type::List(_) | Type::Object(_) | Type::Json | Type::Named(_) | Type::Unknown(_));
    match as_json {
        true => parameter.insert("content".to_owned(), json!({"application/json": {"schema": schema}})),
        false => parameter.insert("schema".to_owned(), schema),
    };
    Some(Value::Object(parameter))
}
