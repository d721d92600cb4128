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
    let letters = Letters::of(wanted);
    for text in texts {
        let is_ascii = text.is_ascii();
        let mut end = 0;
        for piece in text.as_bytes().split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()) {
            let at = end..end + piece.len();
            end = at.end + 1;
            if !letters.may_be(piece) && (is_ascii || piece.is_ascii()) {
                continue;
            }
            let piece = text.get(at).unwrap_or_default();
            let mut look =
                |word: &str| said.extend(wanted.get(formwork_model::names::name_key(word).as_str()));
            if piece.is_ascii() {
                look(piece);
            } else {
                let words = piece.split(|it: char| !it.is_alphanumeric());
                words.filter(|word| !word.is_empty()).for_each(look);
            }
        }
        if said.len() == wanted.len() {
            break;
        }
    }
    said
}

/// What the words of wanted stems have in common, so that most words need not be cut down to theirs: a stem begins as
/// its word does and is at most two letters shorter.
struct Letters {
    /// How long the words are that begin with a letter, one bit for each length.
    lengths: [u64; 256],
    /// Which letters come second in them, one bit for several each.
    seconds: [u64; 256],
}

impl Letters {
    fn of(wanted: &FxHashSet<&str>) -> Self {
        let mut letters = Self { lengths: [0; 256], seconds: [0; 256] };
        wanted.iter().for_each(|stem| {
            let first = stem.bytes().next().map_or(0, usize::from);
            (0..=2).for_each(|longer| letters.lengths[first] |= length_bit(stem.len() + longer));
            // Behind a single letter any other may have stood.
            letters.seconds[first] |= stem.as_bytes().get(1).map_or(u64::MAX, letter_bit);
        });
        letters
    }

    /// Whether one of the stems can be that of a word of ASCII.
    fn may_be(&self, word: &[u8]) -> bool {
        let Some(first) = word.first() else { return false };
        let first = usize::from(first.to_ascii_lowercase());
        self.lengths[first] & length_bit(word.len()) != 0
            && word.get(1).is_none_or(|second| self.seconds[first] & letter_bit(second) != 0)
    }
}

/// The bit that stands for a length; all that are longer than most words share one.
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// The bit that stands for a letter or digit, in whatever case.
fn letter_bit(letter: &u8) -> u64 {
    1 << (letter.to_ascii_lowercase() & 63)
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

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_model::names::name_key;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_spoken_is_what_the_stem_of_some_word_says() {
        let long = "word".repeat(20);
        let texts = [
            "Categories, addresses and Links: `reading_lists`",
            "caf\u{e9}s\u{2013}bars ÜBER \u{212a}elvin",
            &format!("{long}s {long}ies"),
            "",
            "s es ies xes",
        ];
        let words = texts.iter().flat_map(|text| text.split(|it: char| !it.is_alphanumeric()));
        let said: Vec<String> = words.map(name_key).filter(|stem| !stem.is_empty()).collect();
        let unsaid = ["", "word", "link_", "barse", "e", "café", "lists"].map(str::to_owned);
        let wanted: BTreeSet<&str> = said.iter().chain(&unsaid).map(String::as_str).collect();
        for stem in &wanted {
            let found = spoken(texts.iter().copied(), &FxHashSet::from_iter([*stem]));
            assert_eq!(found.contains(stem), said.iter().any(|word| word == stem), "{stem}");
        }
    }
}
