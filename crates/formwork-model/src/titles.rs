//! Titles of items: ``Operation: `create_link` — `POST /links` ``, `Flow: A link expires`, `### 3. Sweeper (cron)`.
//!
//! Source: language reference, *Finding the places*.

use formwork_syntax::{PieceKind, Spanned, Text};

/// What follows the kind word and its colon (`Entity:`, `API Endpoint:`), and the number before them.
pub(crate) fn without_kind(source: &str, title: &Text, kinds: &[&str]) -> Text {
    let plain = |text: &Text| match text.pieces.first() {
        Some(piece) if matches!(piece.kind, PieceKind::Text) => piece.span.slice(source).to_owned(),
        _ => String::new(),
    };
    let head = plain(title);
    let number = head.len()
        - head.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | ' ')).len();
    let from = if number > 0 && head[..number].contains(['.', ')']) { number } else { 0 };
    let rest = &head[from..];
    let lower = rest.to_lowercase();
    let kind = kinds.iter().find_map(|kind| {
        let after = lower.strip_prefix(kind)?.trim_start();
        let used = lower.len() - after.len();
        let colon = after.starts_with([':', '—', '–']);
        let is_alone = after.is_empty() && title.pieces.len() > 1;
        (colon || is_alone).then(|| used + after.chars().next().filter(|_| colon).map_or(0, char::len_utf8))
    });
    let start = title.pieces.first().map_or(title.span.start, |piece| piece.span.start);
    match from + kind.filter(|_| lower.len() == rest.len()).unwrap_or(0) {
        0 => title.clone(),
        used => title.slice(source, start + used as u32, title.span.end),
    }
}

/// The name in a title: its first code span, else its words up to a remark in parentheses, after a dash or a colon.
pub(crate) fn name(source: &str, title: &Text) -> Option<Spanned<String>> {
    if let Some((_, code)) = title.codes().next() {
        return Some(Spanned::new(code.text(source).into_owned(), code.span()));
    }
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
