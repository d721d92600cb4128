//! Laws that hold for every text, tried on random soups of Markdown tokens and on arbitrary strings.

use crate::visible::{assert_spans_are_sound, has_table_below_line, pulldown_text, shown_lines, tree_text};
use formwork_syntax::{NoteKind, parse};
use proptest::prelude::*;

/// What Markdown is made of, and what is known to be hard.
const TOKENS: &[&str] = &[
    "a",
    "word",
    "é",
    "→",
    "B",
    "x y",
    " ",
    " ",
    "  ",
    "    ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\r",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "2) ",
    "10. ",
    "-\n",
    "> ",
    ">",
    "# ",
    "## ",
    "### ",
    "#",
    "```",
    "```json\n",
    "~~~",
    "`",
    "`",
    "``",
    "**",
    "**",
    "*",
    "_",
    "__",
    "~~",
    "|",
    "|",
    "\\|",
    "|---|",
    "|---|---|\n",
    "| a | b |\n",
    "---",
    "===\n",
    "[",
    "]",
    "](",
    ")",
    "(",
    "[a]: b\n",
    "![",
    "<",
    ">",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "<div>",
    "<?",
    "?>",
    "\\",
    "\\\n",
    "&",
    "&amp;",
    "&mdash;",
    "&#58;",
    "&#0;",
    "\0",
    "\u{feff}",
    ":",
    ": ",
    "**Goals:** ",
    "*Errors*: ",
    "**x**",
    "Plain: ",
    "[ ] ",
    "[x] ",
    "  \n",
    "\"",
    "'",
    ".",
    "!",
    "\u{a0}",
    "\u{2003}",
    "http://a.b",
    "<a@b.c>",
    "\u{b}",
    "\u{c}",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(TOKENS), 0..60).prop_map(|tokens| tokens.concat())
}

fn is_label(label: &str) -> bool {
    label == "Plain"
}

fn assert_laws(source: &str) {
    let document = parse(source, &is_label);
    assert_spans_are_sound(source, &document);
    // What is too deep is shown with its marks; a table hides its own.
    let is_too_deep = document.notes.iter().any(|note| note.kind == NoteKind::TooDeep);
    if !is_too_deep && !has_table_below_line(source, &document) {
        assert_eq!(tree_text(source, &document), pulldown_text(source), "visible text of {source:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn spans_of_soups_are_sound_and_show_what_pulldown_shows(source in soup()) {
        assert_laws(&source);
    }

    #[test]
    fn spans_of_any_string_are_sound_and_show_what_pulldown_shows(source in "\\PC{0,80}|(?s).{0,80}") {
        assert_laws(&source);
    }

    #[test]
    fn line_endings_do_not_change_what_is_shown(source in soup()) {
        let unix = source.replace('\r', "");
        let windows = unix.replace('\n', "\r\n");
        let shown = |text: &str| shown_lines(text, &parse(text, &is_label));
        prop_assert_eq!(shown(&unix), shown(&windows));
    }
}
