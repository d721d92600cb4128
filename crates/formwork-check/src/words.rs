//! Names and excerpts of a document, made fit to stand in one line of a message.

use formwork_syntax::Span;

/// Longest name that a message shows, in characters.
const LONGEST: usize = 32;

/// A name in backticks: without backticks and control characters of its own, cut when it is long.
pub(crate) fn quoted(name: &str) -> String {
    let mut shown = String::from("`");
    let mut left = LONGEST;
    let mut blank = true;
    for character in name.trim().chars() {
        if left == 0 {
            shown.push('…');
            break;
        }
        let character = if character.is_whitespace() { ' ' } else { character };
        if character == '`' || is_hidden(character) || (character == ' ' && blank) {
            continue;
        }
        blank = character == ' ';
        shown.push(character);
        left -= 1;
    }
    if shown.len() == 1 {
        shown.push('…');
    }
    shown.truncate(shown.trim_end().len());
    shown.push('`');
    shown
}

/// The beginning of a place in backticks.
pub(crate) fn excerpt(source: &str, span: Span) -> String {
    quoted(source.get(span.range()).unwrap_or_default())
}

/// A clause of a room below, in one line and without the full stop.
pub(crate) fn clause(text: &str) -> String {
    let mut shown: String = text.chars().filter(|character| !is_hidden(*character)).take(120).collect();
    while shown.ends_with(['.', ':', ' ']) {
        shown.pop();
    }
    shown
}

/// Control and direction characters: they would let a document write on the reader's terminal.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
