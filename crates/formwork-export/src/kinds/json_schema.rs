//! JSON Schema (2020-12) of a document's entities, interfaces, inputs and outputs, each under its name in `$defs`.
//!
//! An entity is described as it is answered; what an operation takes and gives is `OPERATION.input` and
//! `OPERATION.output`. Source: language reference, *Types*.

use super::schema::{Schemas, Way, safe};
use formwork_check::Analysis;
use formwork_language::program::BodyShape;
use serde_json::{Map, Value, json};

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schemas of a document.
pub fn json_schema(analysis: &Analysis) -> Value {
    let (model, program) = (&analysis.model, &analysis.compiled.program);
    let schemas = Schemas::new(model, &program.schema.entities, "#/$defs/");
    let mut named = Map::new();
    for entity in &program.schema.entities {
        named.insert(safe(&entity.name), schemas.row(entity, None, model));
    }
    for operation in &program.operations {
        if !operation.input.fields.is_empty() {
            let input = schemas.sent(operation, &program.schema, |_| true);
            named.insert(safe(&format!("{}.input", operation.name)), input);
        }
        let output = &operation.output;
        let entity = output.entity.and_then(|entity| program.schema.entities.get(usize::from(entity)));
        let one = match (entity, &output.fields[..]) {
            (Some(entity), []) => schemas.reference(&entity.name),
            (_, []) => continue,
            (_, fields) => schemas.fields(fields.iter(), Way::Out),
        };
        let schema = match output.body {
            BodyShape::One => one,
            BodyShape::Many => json!({"type": "array", "items": one}),
            BodyShape::Page => json!({
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": one},
                    "next_cursor": {"type": ["string", "null"]},
                },
                "required": ["items", "next_cursor"],
            }),
            BodyShape::Unsaid | BodyShape::Nothing | BodyShape::Redirect => continue,
        };
        named.insert(safe(&format!("{}.output", operation.name)), schema);
    }
    let mut schema = json!({"$schema": DIALECT});
    if let Some(title) = &model.title {
        schema["title"] = json!(title.value);
    }
    schema["$defs"] = Value::Object(named);
    schema
}
