//! The kinds of export. A new one is a file here and a line in [`KINDS`].

mod json_schema;
mod model;
mod openapi;
mod schema;

use formwork_check::Analysis;
use serde_json::Value;

pub use json_schema::json_schema;
pub use model::model;
pub use openapi::openapi;

/// A kind of export.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it gives, in one line.
    pub about: &'static str,
    /// Makes it.
    pub export: fn(&Analysis) -> Value,
}

/// All kinds.
pub const KINDS: [Kind; 3] = [
    Kind { name: "model", about: "the typed model as JSON", export: model },
    Kind { name: "openapi", about: "OpenAPI 3.1 of the public operations", export: openapi },
    Kind { name: "json-schema", about: "JSON Schema of entities, inputs and outputs", export: json_schema },
];
