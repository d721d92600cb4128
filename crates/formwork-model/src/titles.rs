//! Titles of items: ``Operation: `create_link` — `POST /links` ``, `Flow 2: A link expires`, `### 3. Sweeper (cron)`.
//!
//! Source: language reference, *Finding the places*.

use crate::labels::normal;
use formwork_syntax::{Part, PieceKind, Spanned, Text};

/// What names the item of a part: what follows the kind word and its colon (`Entity:`, `API Endpoint 2 —`), or what
/// follows the label when the label is the kind word (``**Entity:** `order` ``).
pub(crate) fn of_item(source: &str, part: &Part, kinds: &[&str]) -> Text {
    if !part.inline.is_blank(source) && kinds.contains(&normal(&part.title.plain(source)).as_str()) {
        return part.inline.clone();
    }
    without_kind(source, &part.title, kinds)
}

/// Whether a part's title bears one of the kind words, with a name behind it.
pub(crate) fn has_kind(source: &str, part: &Part, kinds: &[&str]) -> bool {
    let is_label =
        !part.inline.is_blank(source) && kinds.contains(&normal(&part.title.plain(source)).as_str());
    is_label || kind_end(&part.title, source, kinds).is_some_and(|end| end.is_kind)
}

/// Where a title's name begins.
struct KindEnd {
    /// Bytes of the title's first piece before it.
    used: usize,
    /// Whether a kind word stands there, not only a number.
    is_kind: bool,
}

fn kind_end(title: &Text, source: &str, kinds: &[&str]) -> Option<KindEnd> {
    let first = title.pieces.first().filter(|piece| matches!(piece.kind, PieceKind::Text))?;
    let head = first.span.slice(source);
    let number = head.len()
        - head.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | ' ')).len();
    let lettered = lettered(head);
    let from = if number > 0 && head[..number].contains(['.', ')']) { number } else { lettered };
    let rest = &head[from..];
    let kind = kinds.iter().find_map(|kind| {
        let word = rest.get(..kind.len()).filter(|word| word.eq_ignore_ascii_case(kind))?;
        let after = &rest[word.len()..];
        let uncounted = after.trim_start();
        let after = without_counter(uncounted);
        let is_counted = after.len() < uncounted.len();
        let is_spaced = rest[word.len()..].starts_with(char::is_whitespace);
        let mark = after.chars().next().filter(|mark| match mark {
            ':' | '—' | '–' => true,
            '-' => is_spaced,
            '.' | ')' => is_counted,
            _ => false,
        });
        let is_word_end = rest[word.len()..].starts_with(|next: char| !next.is_alphanumeric());
        let is_alone = after.is_empty() && title.pieces.len() > 1;
        let used = rest.len() - after.len() + mark.map_or(0, char::len_utf8);
        ((mark.is_some() && is_word_end) || is_alone).then_some(used)
    });
    match kind {
        Some(used) => Some(KindEnd { used: from + used, is_kind: true }),
        None => (from > 0).then_some(KindEnd { used: from, is_kind: false }),
    }
}

/// How many bytes the letter takes that counts an item: `A. Ingest`, `b) Search`.
fn lettered(head: &str) -> usize {
    match head.as_bytes() {
        [letter, b'.' | b')', b' ', ..] if letter.is_ascii_alphabetic() => 3,
        [b'(', letter, b')', b' ', ..] if letter.is_ascii_alphabetic() => 4,
        _ => 0,
    }
}

/// Without the number or letter that counts an item: `2: …`, `A — …`, `1.3 …`.
fn without_counter(text: &str) -> &str {
    let end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '#'))).unwrap_or(text.len());
    let counter = text[..end].trim_start_matches('#');
    let digits = counter.trim_end_matches('.');
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_letter = counter.len() == 1 && counter.chars().all(|c| c.is_ascii_uppercase());
    match is_number || is_letter {
        true if counter.ends_with('.') => &text[end - 1..],
        true => text[end..].trim_start(),
        false => text,
    }
}

/// What follows the kind word and its colon (`Entity:`, `API Endpoint:`), and the number before them.
pub(crate) fn without_kind(source: &str, title: &Text, kinds: &[&str]) -> Text {
    let start = title.pieces.first().map_or(title.span.start, |piece| piece.span.start);
    match kind_end(title, source, kinds) {
        Some(end) if end.used > 0 => {
            let rest = title.slice(source, start + end.used as u32, title.span.end);
            if rest.pieces.is_empty() { title.clone() } else { rest }
        }
        _ => title.clone(),
    }
}

/// The name in a title: its first code span, else its words up to a remark in parentheses, after a dash or a colon.
pub(crate) fn name(source: &str, title: &Text) -> Option<Spanned<String>> {
    if let Some((_, code)) = title.codes().next() {
        return Some(Spanned::new(code.text(source).into_owned(), code.span()));
    }
    words(source, title)
}

/// The words of a title up to a remark in parentheses, after a dash or a colon.
pub(crate) fn words(source: &str, title: &Text) -> Option<Spanned<String>> {
    let mut end = title.span.end;
    let mut before = None;
    for (span, character) in title.shown(source) {
        let opens = character == '(' && before.is_some();
        let splits = matches!(character, '—' | '–') || (character == ':' && before.is_some());
        let dash = character == '-' && before == Some(' ') && source[span.end as usize..].starts_with(' ');
        if opens || splits || dash {
            end = span.start;
            break;
        }
        before = Some(character);
    }
    let part = title.slice(source, title.span.start, end);
    let part = if part.is_blank(source) { title.clone() } else { part };
    let span = match (part.pieces.first(), part.pieces.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => return None,
    };
    let value = part.plain(source);
    (!value.is_empty()).then(|| Spanned::new(value, span))
}
