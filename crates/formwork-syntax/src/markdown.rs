//! Reads pulldown-cmark's events into the tree.
use crate::tree::{Document, Part, PartKind, Text};
use crate::spans::Span;

/// Parses a document. `is_label` says which plain words before a colon are labels of the form (compared as
/// written, without surrounding blanks); bold and italic labels need no vocabulary.
pub fn parse(source: &str, is_label: &dyn Fn(&str) -> bool) -> Document {
    let _ = is_label;
    let root = Part { kind: PartKind::Root, title: Text::default(), inline: Text::default(), children: Vec::new(), span: Span::new(0, source.len() as u32) };
    Document { root, notes: Vec::new() }
}
