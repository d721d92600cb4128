//! SLO lines: `≤` and `≥` for `<=` and `>=`, and a blank between a number and its unit of time.

use crate::written::Written;
use formwork_check::Edit;
use formwork_syntax::{PieceKind, Span, Text};

const UNITS: [&str; 9] = ["us", "µs", "ms", "s", "sec", "m", "min", "h", "d"];

/// The changes to SLO lines that begin with the metric.
pub(super) fn edits(written: &Written<'_>) -> Vec<Edit> {
    let slos = written.analysis.model.slos.iter();
    slos.filter_map(|slo| written.items.get(&slo.span.start))
        .filter(|item| {
            item.text.codes().next().is_some_and(|(piece, _)| piece.span.start == item.text.span.start)
        })
        .flat_map(|item| line(written.source, &item.text))
        .collect()
}

fn line(source: &str, text: &Text) -> Vec<Edit> {
    let plain = text.pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Text));
    plain.flat_map(|piece| [signs(source, piece.span), units(source, piece.span)].concat()).collect()
}

fn signs(source: &str, span: Span) -> Vec<Edit> {
    let text = span.slice(source);
    let edit = |at: usize, sign: &str| {
        let behind = &text[at + 2..];
        let blank = if behind.starts_with(|next: char| next.is_ascii_digit()) { " " } else { "" };
        Edit { span: span.part(at as u32, at as u32 + 2), text: format!("{sign}{blank}") }
    };
    let at_most = text.match_indices("<=").map(|(at, _)| edit(at, "≤"));
    let at_least = text.match_indices(">=").map(|(at, _)| edit(at, "≥"));
    at_most.chain(at_least).collect()
}

/// `50ms` as `50 ms`.
fn units(source: &str, span: Span) -> Vec<Edit> {
    let text = span.slice(source);
    let mut edits = Vec::new();
    let mut start = 0;
    for word in
        text.split_inclusive(|character: char| !(character.is_alphanumeric() || "._".contains(character)))
    {
        let digits = word.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let unit = word[digits..].trim_end_matches(|character: char| !character.is_alphanumeric());
        if digits > 0 && UNITS.contains(&unit) {
            let at = (start + digits) as u32;
            edits.push(Edit { span: span.part(at, at), text: " ".to_owned() });
        }
        start += word.len();
    }
    edits
}
