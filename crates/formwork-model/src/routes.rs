//! Methods and paths: `` `POST /links` ``, `POST /links`, `` **POST** `/links` ``, and lines that hold nothing else.
//!
//! Source: language reference, *Operations*: `{slug}` and `:slug` are path parameters.

use formwork_syntax::{Span, Spanned, Text};

/// The methods of HTTP that a document may name.
pub(crate) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A method and a path.
pub(crate) struct Found {
    pub(crate) method: Spanned<String>,
    pub(crate) path: Spanned<String>,
    /// Where the path ends in the source.
    pub(crate) end: u32,
}

/// The first method that a path follows, in the bytes of a place; marks of code and emphasis between them are skipped.
pub(crate) fn find(source: &str, place: Span) -> Option<Found> {
    let text = place.slice(source);
    let mut at = 0;
    while at < text.len() {
        let word = word_end(&text[at..]);
        if word == 0 {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        if METHODS.contains(&&text[at..at + word])
            && let Some((from, to)) = path_behind(text, at + word)
        {
            let method =
                Spanned::new(text[at..at + word].to_owned(), place.part(at as u32, (at + word) as u32));
            let span = place.part(from as u32, to as u32);
            return Some(Found { method, path: Spanned::new(braced(&text[from..to]), span), end: span.end });
        }
        at += word;
    }
    None
}

/// Whether a text begins with a method and a path.
pub(crate) fn begins(source: &str, text: &Text) -> bool {
    find(source, text.span).is_some_and(|found| {
        let before = Span::new(text.span.start, found.method.span.start).slice(source);
        before.chars().all(|character| matches!(character, '`' | '*' | '_' | ' '))
    })
}

/// The words that may stand before a method and path on a line of their own.
const LEADS: [&str; 14] = [
    "endpoint", "route", "http", "https", "rest", "path", "url", "request", "call", "served", "exposed",
    "at", "as", "via",
];

/// The method and path of a text that holds little else: `` `POST /links` ``, `` Endpoint: `POST /links` (public)``.
pub(crate) fn line(source: &str, text: &Text) -> Option<Found> {
    let found = find(source, text.span)?;
    let before = Span::new(text.span.start, found.method.span.start).slice(source);
    let is_lead = |word: &str| LEADS.contains(&word.to_lowercase().as_str());
    let is_led = before
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(is_lead);
    let behind = Span::new(found.end, text.span.end).slice(source);
    // A query is no part of the path.
    let behind = match behind.strip_prefix('?') {
        Some(query) => &query[query.find(['`', ' ', '\n']).unwrap_or(query.len())..],
        None => behind,
    };
    let behind = behind.trim_start_matches(['`', '*', '_', ' ']);
    let is_end =
        behind.is_empty() || behind.starts_with(['(', '.', ',', ';', '—', '–', '-', '|', '→', '\n', '\r']);
    (is_led && is_end).then_some(found)
}

/// A path without a method: the first code span or word that begins with a slash.
pub(crate) fn path(source: &str, text: &Text) -> Option<Spanned<String>> {
    let place = text.span;
    let shown = place.slice(source);
    let from = shown.find('/').filter(|at| {
        shown[..*at]
            .chars()
            .next_back()
            .is_none_or(|before| before.is_whitespace() || matches!(before, '`' | '*' | '('))
    })?;
    let to = from + path_length(&shown[from..]);
    (to > from).then(|| Spanned::new(braced(&shown[from..to]), place.part(from as u32, to as u32)))
}

fn word_end(text: &str) -> usize {
    text.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(text.len())
}

/// Where a path begins and ends behind a method.
fn path_behind(text: &str, at: usize) -> Option<(usize, usize)> {
    let gap = text[at..].len() - text[at..].trim_start_matches(['`', '*', ' ', ':']).len();
    let from = at + gap;
    let to = from + text[from..].strip_prefix('/').map(|_| path_length(&text[from..]))?;
    (gap > 0).then_some((from, to))
}

/// How many bytes of the text are a path; a query, a fragment and punctuation behind it are none.
fn path_length(text: &str) -> usize {
    let mut depth = 0usize;
    let mut end = text.len();
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 && !character.is_whitespace() => {}
            '`' | '*' | ')' | '(' | ',' | '|' | ';' | '?' | '"' | '[' | ']' => end = end.min(at),
            _ if character.is_whitespace() => end = end.min(at),
            _ => {}
        }
        if end <= at {
            break;
        }
    }
    text[..end].trim_end_matches(['.', ':']).len()
}

/// A path with `{name}` for every `:name` and `<name>`.
fn braced(path: &str) -> String {
    let segment = |segment: &str| {
        let named = segment.strip_prefix(':').filter(|name| !name.is_empty() && !name.contains(':'));
        match named.or_else(|| segment.strip_prefix('<').and_then(|name| name.strip_suffix('>'))) {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        }
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, String)> {
        find(text, Span::new(0, text.len() as u32)).map(|found| (found.method.value, found.path.value))
    }

    fn pair(method: &str, path: &str) -> Option<(String, String)> {
        Some((method.to_owned(), path.to_owned()))
    }

    #[test]
    fn a_method_and_its_path_are_found_in_any_dress() {
        assert_eq!(found("`POST /links`"), pair("POST", "/links"));
        assert_eq!(found("**GET** `/links/:slug`"), pair("GET", "/links/{slug}"));
        assert_eq!(found("make it (POST /v1/a/{b}/c)."), pair("POST", "/v1/a/{b}/c"));
        assert_eq!(found("GET /search?q=1, paged"), pair("GET", "/search"));
    }

    #[test]
    fn prose_is_no_route() {
        for text in ["GET the link", "a POST", "/links", "TARGET /links", "get /links"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
