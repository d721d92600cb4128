//! The typed facts of a document: one module per section, values that are written the same everywhere, and names.
//!
//! Reads a [`formwork_syntax::Document`] into a [`Model`]. A reader never fails: it returns what it understood, and
//! notes for what it did not. Steps, expressions and rules are kept as written for `formwork-language`.

mod constraints;
mod ddl;
mod diagram;
mod enum_values;
pub mod facts;
mod fields;
mod inputs;
mod json;
mod labels;
mod lazy;
mod model;
pub mod names;
mod notes;
mod outline;
mod read;
mod reader;
mod routes;
pub mod sections;
mod shapes;
mod tables;
mod titles;
mod tokens;
mod typed_fences;
mod unfinished;
pub mod values;

pub use labels::is_label;
pub use model::{Class, Model, Section, Unfinished};
pub use notes::{Note, NoteKind};
pub use read::read;
