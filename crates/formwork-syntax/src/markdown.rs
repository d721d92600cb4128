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
mod pieces;
mod places;
mod tables;

use self::outline::{IsLabel, Words};
use crate::spans::Span;
use crate::threads;
use crate::tree::{Document, Note, NoteKind};

/// Parses a document. `is_label` says which plain words before a colon are labels of the form (compared as
/// written, without surrounding blanks); bold and italic labels need no vocabulary.
///
/// Never fails. A text of 4 GiB or more is read up to the last character that a [`Span`] can reach.
pub fn parse(source: &str, is_label: &(dyn Fn(&str) -> bool + Sync)) -> Document {
    parse_in_pieces(source, is_label, pieces::SHORTEST, threads::worth(source.len()))
}

/// Parses a document in pieces of `shortest` bytes or more, on so many threads, which gives the same whatever they are.
fn parse_in_pieces(source: &str, is_label: IsLabel<'_>, shortest: usize, threads: usize) -> Document {
    let source = reachable(source);
    let mut notes = Vec::new();
    note_nul_characters(source, &mut notes);
    let parsed = guard::limit_nesting(source);
    let root = blocks::read(Words { source, is_label }, &parsed, &mut notes, shortest, threads);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_same_in_pieces(source: &str) -> bool {
        let read = |shortest, threads| {
            format!("{:?}", parse_in_pieces(source, &|word| word == "Errors", shortest, threads))
        };
        let whole = read(usize::MAX, 1);
        [1, 2, 3, 5].into_iter().all(|threads| read(1, threads) == whole)
    }

    /// Lines in which something may stay open, or that end what is.
    const LINES: [&str; 40] = [
        "# a",
        "## b",
        "### `c` **d**",
        " # e",
        "text",
        "**Label:** text",
        "Errors: x",
        "- item",
        "  - nested",
        "1. one",
        "   more",
        "    code",
        "> quote",
        "> # f",
        "```",
        "```json",
        "  ```",
        "   ```",
        "    ```",
        "````",
        "~~~",
        "- ```",
        "> ```",
        "| a | b |",
        "|---|---|",
        "| `x` | y |",
        "<div>",
        "</div>",
        "<!-- c -->",
        "<!--",
        "-->",
        "<pre>",
        "</pre>",
        "a `b",
        "c` d",
        "[x]",
        "[x]: y",
        "===",
        "---",
        "\t- tab",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_document_is_the_same_in_whatever_pieces_it_is_read(
            lines in prop::collection::vec((prop::sample::select(&LINES[..]), 0..3usize), 0..24)
        ) {
            let text: String =
                lines.iter().map(|(line, empty)| format!("{line}\n{}", "\n".repeat(*empty))).collect();
            prop_assert!(is_same_in_pieces(&text), "{text}");
        }
    }

    #[test]
    fn a_document_of_the_form_is_the_same_in_whatever_pieces_it_is_read() {
        let documents = [
            include_str!("../../../examples/shortlink.md"),
            include_str!("../../../ARCHITECTURE.md"),
            include_str!("../../../docs/reference/rules.md"),
        ];
        for document in documents {
            assert!(is_same_in_pieces(document));
            assert!(pieces::pieces(document, 0, 1).len() > 3);
        }
    }
}
