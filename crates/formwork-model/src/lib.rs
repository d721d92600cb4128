//! The typed facts of a document: one module per section, values that are written the same everywhere, and names.
//!
//! Reads a [`formwork_syntax::Document`] into a [`Model`]. A reader never fails: it returns what it understood, and
//! notes for what it did not. Steps, expressions and rules are kept as written for `formwork-language`.

pub mod facts;
mod model;
mod notes;
pub mod sections;
pub mod values;

pub use model::{Class, Model, Section, Unfinished};
pub use notes::{Note, NoteKind};
