//! Names and excerpts of a document, made fit to stand in one line of a message.

use formwork_syntax::Span;
use rustc_hash::FxHashSet;

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

/// The words of a name or sentence for comparing: lower case, in the singular, in the order of the text.
/// `create_order_latency`, `createOrder latency` and `Create orders: latency` begin alike.
pub(crate) fn stems(text: &str) -> Vec<String> {
    let mut stems = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let finish = |word: &mut String, stems: &mut Vec<String>| {
        let stem = formwork_model::names::name_key(word);
        if !stem.is_empty() {
            stems.push(stem);
        }
        word.clear();
    };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // `createOrder` is two words, `AuthN` is one.
        let begins = character.is_uppercase()
            && before.is_lowercase()
            && characters.peek().is_some_and(|next| next.is_lowercase());
        if begins || !character.is_alphanumeric() {
            finish(&mut word, &mut stems);
        }
        if character.is_alphanumeric() {
            word.push(character);
        }
        before = character;
    }
    finish(&mut word, &mut stems);
    stems
}

/// Which of the wanted stems stand in the texts. Looks at each word once and keeps none.
pub(crate) fn spoken<'t, 'w>(
    texts: impl Iterator<Item = &'t str>,
    wanted: &FxHashSet<&'w str>,
) -> FxHashSet<&'w str> {
    let mut said = FxHashSet::default();
    // A stem begins as its word does, so that most words need not be cut down to theirs.
    let mut begins = [false; 256];
    wanted.iter().filter_map(|stem| stem.bytes().next()).for_each(|byte| begins[usize::from(byte)] = true);
    let may_be = |word: &str| {
        word.bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii() || begins[usize::from(byte.to_ascii_lowercase())])
    };
    for text in texts {
        for word in text.split(|it: char| !it.is_alphanumeric()).filter(|word| may_be(word)) {
            let known = wanted.get(formwork_model::names::name_key(word).as_str());
            said.extend(known);
        }
    }
    said
}

/// The words that are none of the others.
pub(crate) fn without(words: &[String], others: &[&str]) -> Vec<String> {
    words.iter().filter(|word| !others.contains(&word.as_str())).cloned().collect()
}

/// Control and direction characters: they would let a document write on the reader's terminal.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
