//! The kinds of export. A new one is a file here and a line in [`KINDS`].

mod model;

use formwork_check::Analysis;
use serde_json::Value;

pub use model::model;

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
pub const KINDS: [Kind; 1] = [Kind { name: "model", about: "the typed model as JSON", export: model }];
