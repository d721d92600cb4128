//! Turns Markdown text into the tree of labelled parts, with pulldown-cmark as the only reader of Markdown.
//!
//! [`blocks`] and [`containers`] fold the events into blocks, [`inlines`] into texts, [`outline`] puts headings and labels over
//! them. What counts as a label is said in [`labels`]; the rule is section 2 of the language. Tables and task
//! boxes of GitHub's dialect are read; its strikethrough is not, since `5~10 and 6~7` would lose its tildes.

mod blocks;
mod code;
mod containers;
mod guard;
mod inlines;
mod labels;
mod outline;
mod places;
mod tables;

use crate::spans::Span;
use crate::tree::{Document, Note, NoteKind};

/// Parses a document. `is_label` says which plain words before a colon are labels of the form (compared as
/// written, without surrounding blanks); bold and italic labels need no vocabulary.
///
/// Never fails. A text of 4 GiB or more is read up to the last character that a [`Span`] can reach.
pub fn parse(source: &str, is_label: &dyn Fn(&str) -> bool) -> Document {
    let source = reachable(source);
    let mut notes = Vec::new();
    note_nul_characters(source, &mut notes);
    let parsed = guard::limit_nesting(source);
    let root = blocks::read(source, &parsed, is_label, &mut notes);
    notes.sort_by_key(|note| note.span);
    Document { root, notes }
}

/// Cuts a text that is too long for 32-bit offsets.
fn reachable(source: &str) -> &str {
    let mut end = source.len().min(u32::MAX as usize);
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    &source[..end]
}

/// One note for each run of NUL characters. pulldown-cmark passes them on, so the spans stay exact.
fn note_nul_characters(source: &str, notes: &mut Vec<Note>) {
    let mut at = 0;
    while let Some(found) = source[at..].find('\0') {
        let start = at + found;
        let run = source[start..].bytes().take_while(|byte| *byte == 0).count();
        at = start + run;
        notes.push(Note { kind: NoteKind::NulCharacter, span: Span::new(start as u32, at as u32) });
    }
}
